//! FETCH (RFC 9051 §6.4.5): what the view knows is told at once; the rest is read from the store in chunks and told as it comes.

use std::borrow::Cow;

use relais_imap::command::{Fetch, FetchItem, FetchSection};
use relais_imap::response::{self, FetchWriter};
use relais_message::{Section, SectionText, Structure, decode_part, header_fields, section};
use relais_model::{Flag, ModSeq, SystemFlag, UidSet};
use relais_store::{ContentRow, FlagChange, FlagOp, Row, Wanted};

use super::flags::FlagWriter;
use super::selected::Told;
use super::{Client, Done, Halt};

/// Rows that are told between two looks at the view.
const ROWS_AT_ONCE: usize = 2000;

/// One message that is told of.
struct Message<'a> {
    row: Row,
    is_recent: bool,
    content: &'a ContentRow,
    structure: Option<Structure>,
}

impl Client {
    /// FETCH and UID FETCH.
    pub(super) async fn fetch(&mut self, fetch: Fetch) -> Result<Done, Halt> {
        if fetch.changed_since.is_some() || fetch.items.contains(&FetchItem::ModSeq) {
            self.enable_condstore();
        }
        let enabled = self.session.enabled();
        if fetch.vanished && !enabled.qresync {
            return Err(Halt::bad("VANISHED needs ENABLE QRESYNC first"));
        }
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        if !fetch.by_uid && selected.is_out_of_range(&fetch.set) {
            return Err(Halt::bad("There is no message with this number"));
        }
        let mut uids = selected.resolve(&fetch.set, fetch.by_uid);
        if let Some(since) = fetch.changed_since {
            let changed = |row: &&Row| row.mod_seq > since.value();
            if fetch.vanished {
                let asked = fetch.set.resolve_uids(selected.known.last()).unwrap_or_else(|| selected.saved.clone());
                let vanished = self.house.store.vanished_since(selected.view.mailbox(), since).await?;
                // RFC 7162 §3.2.6: of the set asked for, also UIDs that the client never saw.
                let vanished = vanished.intersection(&asked);
                response::vanished(&mut self.out, &vanished, true);
            }
            uids = selected.view.read(|rows| rows.select(&uids).filter(changed).filter_map(Row::uid).collect());
        }
        let items = items(&fetch, enabled.condstore);
        let seen = self.mark_seen(&items, &uids).await?;
        let wanted = wanted(&items);
        if wanted == Wanted::default() {
            self.fetch_rows(&items, &uids, &seen).await?;
        } else {
            self.fetch_contents(&items, uids, wanted, &seen).await?;
        }
        self.told = seen;
        Ok(Done::plain("Fetched"))
    }

    /// RFC 9051 §6.4.5: BODY[…] without PEEK sets `\Seen`.
    async fn mark_seen(&mut self, items: &[FetchItem], uids: &UidSet) -> Result<Told, Halt> {
        let Some(selected) = self.selected.as_deref().filter(|selected| !selected.read_only) else {
            return Ok(Told::default());
        };
        if !items.iter().any(FetchItem::sets_seen) {
            return Ok(Told::default());
        }
        let bit = u64::from(SystemFlag::Seen.bit());
        let unseen = |row: &&Row| row.flags & bit == 0;
        let unseen: UidSet = selected.view.read(|rows| rows.select(uids).filter(unseen).filter_map(Row::uid).collect());
        if unseen.is_empty() {
            return Ok(Told::default());
        }
        let change = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Seen)] };
        let stored = self.house.store.store_flags(selected.view.mailbox(), unseen, change, None).await?;
        Ok(Told { mod_seq: Some(stored.mod_seq), uids: stored.changed })
    }

    /// All that is asked stands in the view.
    pub(super) async fn fetch_rows(&mut self, items: &[FetchItem], uids: &UidSet, seen: &Told) -> Result<(), Halt> {
        let nothing = ContentRow::default();
        let utf8 = self.session.enabled().utf8();
        let mut left = uids.clone();
        while !left.is_empty() {
            let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
            let portion: UidSet = selected.view.read(|rows| rows.select(&left).take(ROWS_AT_ONCE).filter_map(Row::uid).collect());
            let Some(last) = portion.last() else { break };
            let mut done = UidSet::new();
            done.insert_run(1, last.value());
            left = left.without(&done);
            let mut flags = FlagWriter::new(&selected.view);
            for (number, row) in selected.numbered(&portion) {
                let is_recent = row.uid().is_some_and(|uid| selected.is_recent(uid));
                let mut message = Message { row, is_recent, content: &nothing, structure: None };
                let writer = response::FetchWriter::new(&mut self.out, number, utf8);
                write(writer, items, &mut message, &mut flags, seen);
            }
            self.flush_if_full().await?;
        }
        Ok(())
    }

    async fn fetch_contents(
        &mut self,
        items: &[FetchItem],
        uids: UidSet,
        wanted: Wanted,
        seen: &Told,
    ) -> Result<(), Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let utf8 = self.session.enabled().utf8();
        let mut numbered = selected.numbered(&uids).into_iter();
        let mut contents = self.house.store.contents(selected.view.mailbox(), uids, wanted);
        while let Some(chunk) = contents.next().await {
            for content in chunk? {
                let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
                // A message without content has gone meanwhile: its FETCH response is left out (RFC 2180 §4.1.2).
                let Some((number, row)) = numbered.by_ref().find(|(_, row)| row.uid == content.uid) else { break };
                let is_recent = row.uid().is_some_and(|uid| selected.is_recent(uid));
                let mut message = Message { row, is_recent, content: &content, structure: None };
                let mut flags = FlagWriter::new(&selected.view);
                let writer = response::FetchWriter::new(&mut self.out, number, utf8);
                write(writer, items, &mut message, &mut flags, seen);
                self.flush_if_full().await?;
            }
        }
        Ok(())
    }
}

/// What is told of each: as asked, with UID for UID FETCH (RFC 9051 §6.4.9) and MODSEQ for CHANGEDSINCE (RFC 7162 §3.1.4.1).
fn items(fetch: &Fetch, condstore: bool) -> Vec<FetchItem> {
    let mut items = fetch.items.clone();
    if fetch.by_uid && !items.contains(&FetchItem::Uid) {
        items.insert(0, FetchItem::Uid);
    }
    let mod_seq = fetch.changed_since.is_some() || condstore && items.contains(&FetchItem::Flags);
    if mod_seq && !items.contains(&FetchItem::ModSeq) {
        items.push(FetchItem::ModSeq);
    }
    items
}

/// What must be read from the store.
fn wanted(items: &[FetchItem]) -> Wanted {
    let mut wanted = Wanted::default();
    for item in items {
        match item {
            FetchItem::Envelope => wanted.envelope = true,
            FetchItem::Body => wanted.body = true,
            FetchItem::BodyStructure => wanted.body_structure = true,
            FetchItem::Preview { .. } => wanted.preview = true,
            FetchItem::ThreadId => wanted.thread_id = true,
            FetchItem::Section(FetchSection { section, .. }) if is_of_head(section) => wanted.head = true,
            FetchItem::Section(_) | FetchItem::Binary { .. } | FetchItem::BinarySize(_) => wanted.raw = true,
            _ => {}
        }
    }
    wanted
}

/// Whether the header alone answers it.
fn is_of_head(section: &Section) -> bool {
    section.path.is_empty() && matches!(section.text, Some(SectionText::Header | SectionText::HeaderFields { .. }))
}

fn write(
    mut fetch: FetchWriter<'_>,
    items: &[FetchItem],
    message: &mut Message<'_>,
    flags: &mut FlagWriter<'_>,
    seen: &Told,
) {
    let row = message.row;
    for item in items {
        match item {
            FetchItem::Uid => row.uid().into_iter().for_each(|uid| fetch.uid(uid)),
            FetchItem::Flags => fetch.flags_octets(flags.spell(row.flags, message.is_recent)),
            FetchItem::InternalDate => fetch.internal_date(row.internal_date()),
            FetchItem::Rfc822Size => fetch.rfc822_size(row.size_octets.into()),
            FetchItem::ModSeq => ModSeq::new(row.mod_seq).into_iter().for_each(|mod_seq| fetch.mod_seq(mod_seq)),
            FetchItem::SaveDate => fetch.save_date(Some(row.saved_at())),
            FetchItem::EmailId => fetch.email_id(&row.message().email_id()),
            FetchItem::ThreadId => fetch.thread_id(Some(&message.content.thread_id).filter(|id| !id.is_empty()).map(String::as_str)),
            FetchItem::Envelope => fetch.envelope(&message.content.envelope),
            FetchItem::Body => fetch.body(&message.content.body),
            FetchItem::BodyStructure => fetch.body_structure(&message.content.body_structure),
            FetchItem::Preview { .. } => fetch.preview(Some(&message.content.preview)),
            FetchItem::Section(asked) => {
                let octets = message.section(&asked.section);
                let octets = octets.as_deref().map(|octets| asked.partial.map_or(octets, |partial| partial.of(octets)));
                fetch.section(asked, octets);
            }
            FetchItem::Binary { path, partial, .. } => {
                let octets = message.decoded(path);
                let octets = octets.as_deref().map(|octets| partial.map_or(octets, |partial| partial.of(octets)));
                fetch.binary(path, partial.map(|partial| partial.offset), octets);
            }
            FetchItem::BinarySize(path) => {
                let octets = message.decoded(path).map_or(0, |octets| octets.len() as u64);
                fetch.binary_size(path, octets);
            }
        }
    }
    let is_newly_seen = row.uid().is_some_and(|uid| seen.uids.contains(uid));
    if is_newly_seen && !items.contains(&FetchItem::Flags) {
        fetch.flags_octets(flags.spell(row.flags, message.is_recent));
    }
    fetch.finish();
}

impl Message<'_> {
    fn structure(&mut self) -> &Structure {
        let raw = &self.content.raw;
        self.structure.get_or_insert_with(|| Structure::read(raw))
    }

    /// None where the message has no such part.
    fn section(&mut self, asked: &Section) -> Option<Cow<'_, [u8]>> {
        let content = self.content;
        if is_of_head(asked) && content.raw.is_empty() {
            return match &asked.text {
                Some(SectionText::HeaderFields { not, names }) => Some(header_fields(&content.head, names, *not).into()),
                _ => Some(content.head.as_slice().into()),
            };
        }
        if asked.path.is_empty() && asked.text.is_none() {
            return Some(content.raw.as_slice().into());
        }
        self.structure();
        section(&content.raw, self.structure.as_ref()?, asked)
    }

    /// None where there is no such part, or its encoding is unknown (RFC 3516 §4.3).
    fn decoded(&mut self, path: &[u32]) -> Option<Cow<'_, [u8]>> {
        let content = self.content;
        if path.is_empty() {
            return Some(content.raw.as_slice().into());
        }
        self.structure();
        decode_part(&content.raw, self.structure.as_ref()?.part(path)?).ok()
    }
}
