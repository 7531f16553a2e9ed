//! FETCH (RFC 9051 §6.4.5): what the view knows is told at once; the rest is read from the store in chunks and told as it comes.
//! Large messages go one by one, and from the store to the wire a piece at a time.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::time::Duration;

use relais_imap::command::{Fetch, FetchItem, FetchSection};
use relais_imap::response::{self, FetchWriter, ResponseCode, without_nul};
use relais_imap::session::Enabled;
use relais_message::{Section, SectionText, Structure, decode_part, header_fields, section};
use relais_model::{Flag, ModSeq, Rights, SystemFlag, Uid, UidSet};
use relais_store::{ContentRow, FlagChange, FlagOp, Row, Store, StoreError, Wanted};
use tokio::io::AsyncReadExt as _;
use tracing::error;

use super::flags::FlagWriter;
use super::selected::{Selected, Told, writer};
use super::{Client, Done, FLUSH_OCTETS, Halt};
use crate::wire::Wire;

/// Rows that are told between two looks at the view.
const ROWS_AT_ONCE: usize = 2000;
/// Messages above this are not read in chunks with others.
const LARGE_OCTETS: u32 = 512 * 1024;

/// What is told of every message, and how.
struct Answer<'a> {
    items: &'a [FetchItem],
    /// Those that this command marked as `\Seen`: their flags are told (RFC 9051 §6.4.5).
    seen: &'a Told,
    enabled: Enabled,
}

/// One message that is told of.
struct Message {
    row: Row,
    is_recent: bool,
    content: ContentRow,
    structure: Option<Structure>,
    /// BINARY was asked of a part whose encoding nobody knows.
    has_unknown_encoding: bool,
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
        let mut uids = selected.named(&fetch.set, fetch.by_uid)?;
        let misses_some = !fetch.by_uid && selected.misses(&uids);
        if let Some(range) = fetch.partial {
            // RFC 9394 §3.4: places are counted before CHANGEDSINCE picks.
            let places = range.of(usize::try_from(uids.count()).unwrap_or(usize::MAX));
            uids = uids.iter().skip(places.start).take(places.len()).collect();
            let limit = self.house.limits.imap_messages;
            if uids.count() > u64::from(limit) {
                // RFC 9738 §3.1: whoever asks in pieces asks in smaller ones.
                let code = ResponseCode::MessageLimit { limit, lowest: None };
                return Err(Halt::no(code, "Too many messages at once"));
            }
        }
        if let Some(since) = fetch.changed_since {
            if fetch.vanished {
                self.tell_earlier(&fetch, since).await?;
            }
            let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
            let changed = |row: Row| row.uid().filter(|_| row.mod_seq > since.value());
            uids = selected.view.read(|rows| rows.select(&uids).filter_map(changed).collect());
        }
        let (uids, beyond) = self.within_limit(uids);
        let items = items(&fetch, enabled.condstore);
        let seen = self.mark_seen(&items, &uids).await?;
        let answer = Answer { items: &items, seen: &seen, enabled };
        let has_unknown_encoding = self.tell(&answer, uids).await?;
        self.told = seen;
        if has_unknown_encoding || misses_some {
            self.tell_beyond(beyond.as_ref());
        }
        if has_unknown_encoding {
            return Err(Halt::no(ResponseCode::UnknownCte, "A part's Content-Transfer-Encoding is not known"));
        }
        if misses_some { Err(Halt::expunged()) } else { Ok(Done { code: beyond, text: "Fetched" }) }
    }

    /// RFC 7162 §3.2.6: which of the UIDs asked for went since then, whether this client ever saw them or not. What the client
    /// believes to be there is told of as any EXPUNGE is, after the command.
    async fn tell_earlier(&mut self, fetch: &Fetch, since: ModSeq) -> Result<(), Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        // `*` reaches to the last UID that was ever given, which may be gone.
        let last = Uid::new(selected.view.uid_next().saturating_sub(1));
        let asked = fetch.set.resolve_uids(last).unwrap_or_else(|| selected.saved.clone());
        let vanished = self.house.store.vanished_since(selected.view.mailbox(), since).await?;
        let vanished = vanished.intersection(&asked).without(&selected.known);
        response::vanished(&mut self.out, &vanished, true);
        Ok(())
    }

    /// RFC 9051 §6.4.5: BODY[…] without PEEK sets `\Seen`.
    async fn mark_seen(&mut self, items: &[FetchItem], uids: &UidSet) -> Result<Told, Halt> {
        // RFC 4314 §4: not without `s`.
        let may_mark = |selected: &&Selected| !selected.read_only && selected.view.rights().has(Rights::SEEN);
        let Some(selected) = self.selected.as_deref().filter(may_mark) else {
            return Ok(Told::default());
        };
        if !items.iter().any(FetchItem::sets_seen) {
            return Ok(Told::default());
        }
        let bit = u64::from(SystemFlag::Seen.bit());
        let unseen = |row: Row| row.uid().filter(|_| row.flags & bit == 0);
        let unseen: UidSet = selected.view.read(|rows| rows.select(uids).filter_map(unseen).collect());
        if unseen.is_empty() {
            return Ok(Told::default());
        }
        let change = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Seen)] };
        let stored = self.house.store.store_flags(selected.reach(), unseen, change, None).await?;
        self.catch_up().await?;
        self.did_flag(&stored).await;
        Ok(Told { mod_seq: Some(stored.mod_seq), uids: stored.changed, owes_mod_seq: false })
    }

    /// Tells the items of each of `uids` that is there; whether a part had an unknown encoding.
    async fn tell(&mut self, answer: &Answer<'_>, uids: UidSet) -> Result<bool, Halt> {
        let wanted = wanted(answer.items);
        if wanted == Wanted::default() {
            return self.tell_rows(answer, &uids).await.map(|()| false);
        }
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let is_large = |row: Row| row.uid().filter(|_| wanted.raw && row.size_octets > LARGE_OCTETS);
        let large: UidSet = selected.view.read(|rows| rows.select(&uids).filter_map(is_large).collect());
        let mut has_unknown_encoding = self.tell_contents(answer, uids.without(&large), wanted).await?;
        for uid in large.iter() {
            has_unknown_encoding |= self.tell_large(answer, uid, wanted).await?;
        }
        Ok(has_unknown_encoding)
    }

    /// What is told of messages that came, unasked (RFC 5465 §5.2, §7). Nothing is marked as seen by it.
    pub(super) async fn tell_new(&mut self, items: &[FetchItem], uids: &UidSet) -> Result<(), Halt> {
        let mut items = items.to_vec();
        if !items.contains(&FetchItem::Uid) {
            items.insert(0, FetchItem::Uid);
        }
        let seen = Told::default();
        let answer = Answer { items: &items, seen: &seen, enabled: self.session.enabled() };
        self.tell(&answer, uids.clone()).await.map(|_unknown_encoding| ())
    }

    /// The flags of `uids`, as after STORE; with UID where the client knows CONDSTORE (RFC 7162 §3.2.4).
    pub(super) async fn tell_flags_of(&mut self, uids: &UidSet, by_uid: bool) -> Result<(), Halt> {
        let enabled = self.session.enabled();
        let items = [
            (by_uid || enabled.condstore).then_some(FetchItem::Uid),
            Some(FetchItem::Flags),
            enabled.condstore.then_some(FetchItem::ModSeq),
        ];
        let items: Vec<FetchItem> = items.into_iter().flatten().collect();
        let seen = Told::default();
        let answer = Answer { items: &items, seen: &seen, enabled };
        self.tell_rows(&answer, uids).await
    }

    /// All that is asked stands in the view.
    async fn tell_rows(&mut self, answer: &Answer<'_>, uids: &UidSet) -> Result<(), Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let view = selected.view.clone();
        let mut flags = FlagWriter::new(&view);
        let mut left = uids.clone();
        while !left.is_empty() {
            let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
            let portion: UidSet =
                view.read(|rows| rows.select(&left).take(ROWS_AT_ONCE).filter_map(|row| row.uid()).collect());
            let Some(last) = portion.last() else { break };
            let mut done = UidSet::new();
            done.insert_run(1, last.value());
            left = left.without(&done);
            for (number, row) in selected.numbered(&portion) {
                let mut message = Message::new(row, selected.is_recent(row.uid()), ContentRow::default());
                let Some(uid) = row.uid() else { continue };
                answer.write(writer(&mut self.out, answer.enabled, number, uid), &mut message, &mut flags);
            }
            self.flush_if_full().await?;
        }
        Ok(())
    }

    async fn tell_contents(&mut self, answer: &Answer<'_>, uids: UidSet, wanted: Wanted) -> Result<bool, Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let view = selected.view.clone();
        let mut flags = FlagWriter::new(&view);
        let mut has_unknown_encoding = false;
        let mut contents = self.house.store.contents(view.mailbox(), uids, wanted);
        while let Some(chunk) = contents.next().await {
            let chunk = chunk?;
            let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
            let uids: UidSet = chunk.iter().filter_map(|content| Uid::new(content.uid)).collect();
            // A message that went meanwhile has a row or a content, and is passed over (RFC 2180 §4.1.2).
            let mut numbered = selected.numbered(&uids).into_iter().peekable();
            for mut content in chunk {
                while numbered.next_if(|(_, row)| row.uid < content.uid).is_some() {}
                let Some((number, row)) = numbered.next_if(|(_, row)| row.uid == content.uid) else { continue };
                let is_recent = self.selected.as_deref().is_some_and(|selected| selected.is_recent(row.uid()));
                if wanted.head && (content.head.len() as u64) < content.header_octets && content.raw.is_empty() {
                    content.raw = self.house.store.raw(row.message()).await?.unwrap_or_default();
                }
                let mut message = Message::new(row, is_recent, content);
                let Some(uid) = row.uid() else { continue };
                answer.write(writer(&mut self.out, answer.enabled, number, uid), &mut message, &mut flags);
                has_unknown_encoding |= message.has_unknown_encoding;
                self.flush_if_full().await?;
            }
        }
        Ok(has_unknown_encoding)
    }

    /// A message that should stand in memory once at most, and not at all where its octets are sent as they are.
    async fn tell_large(&mut self, answer: &Answer<'_>, uid: Uid, wanted: Wanted) -> Result<bool, Halt> {
        let selected = self.selected.as_deref().ok_or_else(Halt::not_selected)?;
        let view = selected.view.clone();
        let only = UidSet::from_iter([uid]);
        let facts = Wanted { raw: false, head: true, ..wanted };
        let Some(chunk) = self.house.store.contents(view.mailbox(), only.clone(), facts).next().await else {
            return Ok(false);
        };
        let (Some(content), Some((number, row))) = (chunk?.pop(), selected.numbered(&only).pop()) else {
            return Ok(false);
        };
        let mut message = Message::new(row, selected.is_recent(row.uid()), content);
        let mut flags = FlagWriter::new(&view);
        let stall = self.house.limits.write_stall;
        let wire = self.wire.as_mut().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))?;
        let mut fetch = LargeFetch {
            store: &self.house.store,
            wire,
            stall,
            fetch: writer(&mut self.out, answer.enabled, number, uid),
        };
        for item in answer.items {
            fetch.write(item, &mut message, &mut flags).await?;
        }
        answer.write_seen(&mut fetch.fetch, &message, &mut flags);
        fetch.fetch.finish();
        self.flush_if_full().await?;
        Ok(message.has_unknown_encoding)
    }
}

/// The answer that tells of one large message.
struct LargeFetch<'a> {
    store: &'a Store,
    wire: &'a mut Wire,
    stall: Duration,
    fetch: FetchWriter<'a>,
}

impl LargeFetch<'_> {
    async fn write(&mut self, item: &FetchItem, message: &mut Message, flags: &mut FlagWriter<'_>) -> Result<(), Halt> {
        if let FetchItem::Section(asked) = item
            && !message.has_in_head(item)
            && let Some(range) = message.range(&asked.section)
        {
            return self.stream(asked, message, range).await;
        }
        let needs_raw = matches!(item, FetchItem::Section(_) | FetchItem::Binary { .. } | FetchItem::BinarySize(_));
        if needs_raw && message.content.raw.is_empty() && !message.has_in_head(item) {
            // Gone meanwhile: then there is no such part.
            message.content.raw = self.store.raw(message.row.message()).await.map_err(broken)?.unwrap_or_default();
        }
        let FetchItem::Section(asked) = item else {
            message.write(item, &mut self.fetch, flags);
            return Ok(());
        };
        let octets = message.section(&asked.section);
        let octets = octets.as_deref().map(|octets| asked.partial.map_or(octets, |partial| partial.of(octets)));
        let Some(octets) = octets.filter(|octets| octets.len() > FLUSH_OCTETS) else {
            self.fetch.section(asked, octets);
            return Ok(());
        };
        self.fetch.begin_section(asked, octets.len() as u64);
        for piece in octets.chunks(FLUSH_OCTETS) {
            let from = self.fetch.out().len();
            self.fetch.out().extend_from_slice(piece);
            self.send(from).await?;
        }
        Ok(())
    }

    /// Sends octets of the message as they are, from the store to the wire.
    async fn stream(&mut self, asked: &FetchSection, message: &Message, range: Range<u64>) -> Result<(), Halt> {
        let range = match asked.partial {
            None => range,
            Some(partial) => {
                let start = range.start.saturating_add(partial.offset).min(range.end);
                start..start.saturating_add(partial.octets.get()).min(range.end)
            }
        };
        let mut left = range.end - range.start;
        let Some(source) = self.store.open_raw(message.row.message()).await.map_err(broken)?.filter(|_| left > 0)
        else {
            let nothing: Option<&[u8]> = if left == 0 { Some(&[]) } else { None };
            self.fetch.section(asked, nothing);
            return Ok(());
        };
        let mut source = source.take(range.end);
        let skipped = tokio::io::copy(&mut (&mut source).take(range.start), &mut tokio::io::sink()).await?;
        if skipped < range.start {
            return Err(Halt::Wire(io::ErrorKind::UnexpectedEof.into()));
        }
        self.fetch.begin_section(asked, left);
        while left > 0 {
            let out = self.fetch.out();
            let from = out.len();
            out.reserve(FLUSH_OCTETS);
            let read = source.read_buf(out).await?;
            if read == 0 {
                return Err(Halt::Wire(io::ErrorKind::UnexpectedEof.into()));
            }
            left = left.saturating_sub(read as u64);
            self.send(from).await?;
        }
        Ok(())
    }

    /// Sends what was written, if it is enough; from `from` on it is a literal's.
    async fn send(&mut self, from: usize) -> io::Result<()> {
        let out = self.fetch.out();
        without_nul(out.get_mut(from..).unwrap_or_default());
        if out.len() >= FLUSH_OCTETS {
            self.wire.write(out, self.stall).await?;
            out.clear();
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

/// A response that has begun must be ended: where the store fails in the middle of it, the connection ends.
fn broken(error: StoreError) -> Halt {
    error!(%error, "a FETCH failed at the store in the middle of its answer");
    Halt::Wire(io::Error::other(error))
}

impl Answer<'_> {
    fn write(&self, mut fetch: FetchWriter<'_>, message: &mut Message, flags: &mut FlagWriter<'_>) {
        for item in self.items {
            message.write(item, &mut fetch, flags);
        }
        self.write_seen(&mut fetch, message, flags);
        fetch.finish();
    }

    /// The flags of a message that was marked as `\Seen`, where they weren't asked for.
    fn write_seen(&self, fetch: &mut FetchWriter<'_>, message: &Message, flags: &mut FlagWriter<'_>) {
        let row = message.row;
        let is_newly_seen = row.uid().is_some_and(|uid| self.seen.uids.contains(uid));
        if !is_newly_seen {
            return;
        }
        if !self.items.contains(&FetchItem::Flags) {
            fetch.flags_octets(flags.spell(row.flags, message.is_recent));
        }
        // RFC 7162 §3.2.4.
        if let Some(uid) = row.uid()
            && self.enabled.condstore
            && !self.items.contains(&FetchItem::Uid)
        {
            fetch.uid(uid);
        }
        if let Some(mod_seq) = ModSeq::new(row.mod_seq)
            && self.enabled.condstore
            && !self.items.contains(&FetchItem::ModSeq)
        {
            fetch.mod_seq(mod_seq);
        }
    }
}

impl Message {
    fn new(row: Row, is_recent: bool, content: ContentRow) -> Self {
        Self { row, is_recent, content, structure: None, has_unknown_encoding: false }
    }

    fn write(&mut self, item: &FetchItem, fetch: &mut FetchWriter<'_>, flags: &mut FlagWriter<'_>) {
        let row = self.row;
        match item {
            FetchItem::Uid => row.uid().into_iter().for_each(|uid| fetch.uid(uid)),
            FetchItem::Flags => fetch.flags_octets(flags.spell(row.flags, self.is_recent)),
            FetchItem::InternalDate => fetch.internal_date(row.internal_date()),
            FetchItem::Rfc822Size => fetch.rfc822_size(row.size_octets.into()),
            FetchItem::ModSeq => ModSeq::new(row.mod_seq).into_iter().for_each(|mod_seq| fetch.mod_seq(mod_seq)),
            FetchItem::SaveDate => fetch.save_date(Some(row.saved_at())),
            FetchItem::EmailId => fetch.email_id(&row.message().email_id()),
            FetchItem::ThreadId => {
                fetch.thread_id(Some(self.content.thread_id.as_str()).filter(|id| !id.is_empty()));
            }
            FetchItem::Envelope => fetch.envelope(&self.content.envelope),
            FetchItem::Body => fetch.body(&self.content.body),
            FetchItem::BodyStructure => fetch.body_structure(&self.content.body_structure),
            FetchItem::Preview { .. } => fetch.preview(Some(&self.content.preview)),
            FetchItem::Section(asked) => {
                let octets = self.section(&asked.section);
                let octets = octets.as_deref().map(|octets| asked.partial.map_or(octets, |partial| partial.of(octets)));
                fetch.section(asked, octets);
            }
            FetchItem::Binary { path, partial, .. } => {
                let octets = self.decoded(path);
                let octets = octets.as_deref().map(|octets| partial.map_or(octets, |partial| partial.of(octets)));
                fetch.binary(path, partial.map(|partial| partial.offset), octets);
            }
            FetchItem::BinarySize(path) => {
                let octets = self.decoded(path).map_or(0, |octets| octets.len() as u64);
                fetch.binary_size(path, octets);
            }
        }
    }

    /// Whether the header alone answers it, and is here whole.
    fn has_in_head(&self, item: &FetchItem) -> bool {
        let is_whole = self.content.head.len() as u64 == self.content.header_octets;
        matches!(item, FetchItem::Section(asked) if is_whole && is_of_head(&asked.section))
    }

    /// Where a section stands in the message, if that is known without its octets: the whole, its header, its text.
    fn range(&self, asked: &Section) -> Option<Range<u64>> {
        let (header, size) = (self.content.header_octets, u64::from(self.row.size_octets));
        match &asked.text {
            _ if !asked.path.is_empty() => None,
            None => Some(0..size),
            Some(SectionText::Header) => Some(0..header),
            Some(SectionText::Text) => Some(header..size),
            Some(_) => None,
        }
    }

    fn structure(&mut self) {
        let raw = &self.content.raw;
        self.structure.get_or_insert_with(|| Structure::read(raw));
    }

    /// None where the message has no such part.
    fn section(&mut self, asked: &Section) -> Option<Cow<'_, [u8]>> {
        if is_of_head(asked) && self.content.raw.is_empty() {
            return match &asked.text {
                Some(SectionText::HeaderFields { not, names }) => {
                    Some(header_fields(&self.content.head, names, *not).into())
                }
                _ => Some((*self.content.head).into()),
            };
        }
        if asked.path.is_empty() && asked.text.is_none() {
            return Some(self.content.raw.as_slice().into());
        }
        self.structure();
        section(&self.content.raw, self.structure.as_ref()?, asked)
    }

    /// None where there is no such part, or its encoding is unknown (RFC 3516 §4.3).
    fn decoded(&mut self, path: &[u32]) -> Option<Cow<'_, [u8]>> {
        if path.is_empty() {
            return Some(self.content.raw.as_slice().into());
        }
        self.structure();
        let decoded = decode_part(&self.content.raw, self.structure.as_ref()?.part(path)?);
        self.has_unknown_encoding |= decoded.is_err();
        decoded.ok()
    }
}
