//! A window of a mailbox's list.

use std::collections::HashMap;

use relais_finding::{Excerpted, Marker};
use relais_model::{Flag, Keyword, SpecialUse, SystemFlag, Uid, UidSet};
use relais_reading::{Header, Party};
use relais_store::{ContentRow, MailboxKey, Row, Sight, Store, Wanted};

use super::find::Found;
use super::order::{Conversation, Order};
use super::{Folder, Mail, Own, Search};
use crate::{Actor, Failure, Moment};

/// Lines of one window, at most.
pub const MAX_WINDOW: usize = 200;
/// Authors of a conversation that are named.
const MAX_AUTHORS: usize = 4;
/// Mailboxes that are told of beside the one that is searched.
const MAX_ELSEWHERE: usize = 50;
/// Of larger messages the first words are shown, whatever was found.
pub(super) const EXCERPTED_OCTETS: u64 = 1 << 20;
/// What a month's youth is worth beside words, of which one in a subject is worth 48.
const NEWEST_WORTH: u32 = 16;
/// How many [`Bits`]: 128 KiB, exact for UIDs up to a million.
const BITS: usize = 1 << 20;
/// Messages of one conversation whose authors are looked up.
const MAX_LOOKED_UP: usize = 8;

/// Which messages stand in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListFilter {
    /// All.
    #[default]
    All,
    /// Unread ones.
    Unseen,
    /// Those with a star.
    Flagged,
}

/// Which part of which list.
#[derive(Debug, Clone, Default)]
pub struct ListWanted {
    /// Lines before it.
    pub offset: usize,
    /// Lines; at most [`MAX_WINDOW`].
    pub limit: usize,
    /// Messages that answer each other stand together.
    pub by_conversation: bool,
    /// Which.
    pub filter: ListFilter,
    /// Of these, what is looked for; none: all.
    pub search: Option<Search>,
    /// What was found stands by its time, the newest first; else what is most about the words that were looked for.
    pub by_time: bool,
}

/// Messages that a search finds in another mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// It.
    pub folder: Folder,
    /// How many.
    pub found: u64,
}

/// A window of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// Lines of the whole list.
    pub total: usize,
    /// Lines before these.
    pub offset: usize,
    /// The newest first.
    pub rows: Vec<ListRow>,
    /// The mailbox's HIGHESTMODSEQ when this was so.
    pub mod_seq: u64,
    /// Labels that the mailbox knows, by their names.
    pub labels: Vec<String>,
}

/// One line of a list: a message, or a conversation with its newest message in front.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags, each there or not")]
pub struct ListRow {
    /// The newest message.
    pub uid: u32,
    /// All of it, in the order of the answers.
    pub uids: Vec<u32>,
    /// How many of them are unread.
    pub unseen: usize,
    /// One has a star.
    pub is_flagged: bool,
    /// The newest was answered.
    pub is_answered: bool,
    /// The newest was passed on.
    pub is_forwarded: bool,
    /// The newest is a draft.
    pub is_draft: bool,
    /// Who wrote, or in Sent and Drafts to whom; the newest last.
    pub people: Vec<Party>,
    /// The newest's subject; may be empty.
    pub subject: String,
    /// Its first words; or where it speaks of what was looked for, in pieces of which some are marked.
    pub preview: Vec<Excerpted>,
    /// When it arrived.
    pub at: Option<Moment>,
    /// RFC822.SIZE of all together.
    pub size_octets: u64,
    /// One has a file beside its text.
    pub has_attachment: bool,
    /// Keywords of the newest, but for those that programs set.
    pub labels: Vec<String>,
}

impl Mail {
    /// A window of a mailbox's list.
    ///
    /// # Errors
    /// [`Failure::Absent`]: there is no such mailbox, or not for who asks.
    pub async fn list(&self, me: &Actor, mailbox: &str, wanted: &ListWanted) -> Result<ListPage, Failure> {
        let own = self.own(me, mailbox).await?;
        let shows_recipients =
            matches!(self.use_of(own.owner(), own.view.mailbox()).await?, Some(SpecialUse::Sent | SpecialUse::Drafts));
        let mod_seq = own.view.highest_mod_seq().value();
        let lines = self.lines(&own, wanted).await?;
        let marker = wanted.search.as_ref().and_then(Search::marker);
        let (total, limit) = (lines.len(), wanted.limit.min(MAX_WINDOW));
        // A list that became shorter meanwhile shows its last window.
        let offset = if wanted.offset < total { wanted.offset } else { total.saturating_sub(1) / limit.max(1) * limit };
        let window: Vec<Conversation<'_>> = lines.iter().skip(offset).take(limit).collect();
        let mut rows = rows(&self.store, &own.view, &window, shows_recipients).await?;
        if let Some(marker) = marker {
            let small = rows.iter().filter(|row| row.size_octets <= EXCERPTED_OCTETS);
            let small = small.filter_map(|row| Uid::new(row.uid)).collect();
            let mut excerpts = self.excerpts(&own.view, small, &marker).await?;
            for row in &mut rows {
                if let Some(excerpt) = excerpts.remove(&row.uid) {
                    row.preview = excerpt;
                }
            }
        }
        let mut labels: Vec<_> = own.view.keywords().iter().filter_map(label).collect();
        labels.sort_unstable();
        Ok(ListPage { total, offset, rows, mod_seq, labels })
    }

    /// How many messages a search finds in each other mailbox of who asks, and of what is shared with them, but for Junk and Trash; those without any aren't told of.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn elsewhere(&self, me: &Actor, search: &Search, here: &str) -> Result<Vec<Elsewhere>, Failure> {
        let mut elsewhere = Vec::new();
        for folder in self.folders(me).await?.into_iter().chain(self.shared_folders(me).await?) {
            if folder.id == here || folder.is_waste() || folder.messages == 0 || elsewhere.len() >= MAX_ELSEWHERE {
                continue;
            }
            // One that is deleted meanwhile holds nothing.
            let Ok(own) = self.own(me, &folder.id).await else { continue };
            let found = self.find(&own.view, search).await?.uids.count();
            if found > 0 {
                elsewhere.push(Elsewhere { folder, found });
            }
        }
        Ok(elsewhere)
    }

    /// Where these messages speak of what was looked for; those that don't aren't among them.
    pub(super) async fn excerpts(
        &self,
        view: &Sight,
        uids: UidSet,
        marker: &Marker,
    ) -> Result<HashMap<u32, Vec<Excerpted>>, Failure> {
        let mut excerpts = HashMap::new();
        let mut contents = self.store.contents(view.mailbox(), uids, Wanted { raw: true, ..Wanted::default() });
        while let Some(chunk) = contents.next().await {
            for content in chunk? {
                if let Some(excerpt) = marker.excerpt(&content.raw) {
                    excerpts.insert(content.uid, excerpt);
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(excerpts)
    }

    /// The lines that `wanted` leaves.
    pub(super) async fn lines(&self, own: &Own, wanted: &ListWanted) -> Result<Selection, Failure> {
        let order = self.orders.of(&self.store, &own.view, wanted.by_conversation).await?;
        let found = match &wanted.search {
            Some(search) => Some(self.find(&own.view, search).await?),
            None => None,
        };
        let bit = match wanted.filter {
            ListFilter::All => None,
            ListFilter::Unseen => own.view.bit_of(&Flag::System(SystemFlag::Seen)).map(|bit| (bit, false)),
            ListFilter::Flagged => own.view.bit_of(&Flag::System(SystemFlag::Flagged)).map(|bit| (bit, true)),
        };
        if found.is_none() && bit.is_none() {
            return Ok(Selection { order, places: None });
        }
        let is_wanted = |row: &Row| bit.is_none_or(|(bit, is_set)| (row.flags & bit != 0) == is_set);
        let left: UidSet = own.view.read(|rows| match &found {
            // Mostly few of a large mailbox.
            Some(found) => rows.select(&found.uids).filter(is_wanted).filter_map(|row| row.uid()).collect(),
            None => rows.iter().filter(is_wanted).filter_map(|row| row.uid()).collect(),
        });
        let left = Bits::of(&left);
        let is_left = |line: &Conversation<'_>| line.uids.iter().any(|uid| left.holds(*uid));
        let lines = order.lines.iter().enumerate().filter(|(_, line)| is_left(line));
        let mut places: Vec<(usize, u32)> = Vec::new();
        if let Some(found) = found.filter(|found| !wanted.by_time && !found.scores.is_empty()) {
            let now = self.store.now().seconds();
            places.extend(lines.map(|(at, line)| (at, worth(&line, &found, now))));
            places.sort_by_key(|(_, worth)| std::cmp::Reverse(*worth));
        } else {
            places.extend(lines.map(|(at, _)| (at, 0)));
        }
        Ok(Selection { order, places: Some(places) })
    }
}

/// A set of UIDs that each message of a large mailbox is asked of: most are told to be absent by one bit.
struct Bits<'a> {
    uids: &'a UidSet,
    /// The bit of each UID of the set, which others of the same remainder have, too.
    bits: Vec<u64>,
}

impl<'a> Bits<'a> {
    fn of(uids: &'a UidSet) -> Self {
        let mut bits = vec![0; BITS / 64];
        for uid in uids.iter() {
            let (at, bit) = Self::place(uid.value());
            if let Some(word) = bits.get_mut(at) {
                *word |= bit;
            }
        }
        Self { uids, bits }
    }

    fn holds(&self, uid: u32) -> bool {
        let (at, bit) = Self::place(uid);
        let may_hold = self.bits.get(at).is_some_and(|word| word & bit != 0);
        may_hold && Uid::new(uid).is_some_and(|uid| self.uids.contains(uid))
    }

    fn place(uid: u32) -> (usize, u64) {
        let remainder = usize::try_from(uid).unwrap_or_default() % BITS;
        (remainder / 64, 1 << (remainder % 64))
    }
}

/// How far in front a line stands among what was found: by the best of its messages, and a little by how new it is.
fn worth(line: &Conversation<'_>, found: &Found, now: i64) -> u32 {
    let best = line.uids.iter().filter_map(|uid| found.scores.get(uid)).max().copied().unwrap_or_default();
    let months = (now - i64::from(line.arrived())).max(0) / (30 * 86_400);
    let youth = NEWEST_WORTH / (1 + u32::try_from(months).unwrap_or(u32::MAX - 1));
    best + youth
}

/// By what a line stands where it does, the greatest first: what it is worth, when its newest message arrived, in seconds, and that one's UID.
pub(super) type Rank = (u32, u32, u32);

/// Lines of an order.
pub(super) struct Selection {
    order: std::sync::Arc<Order>,
    /// Where those stand that are wanted, as they are wanted, each with its worth; none: all.
    places: Option<Vec<(usize, u32)>>,
}

impl Selection {
    pub(super) fn len(&self) -> usize {
        self.places.as_ref().map_or(self.order.lines.len(), Vec::len)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Conversation<'_>> {
        (0..self.len()).filter_map(|number| self.order.lines.get(self.place(number)?.0))
    }

    /// Of the line of this number.
    pub(super) fn rank(&self, number: usize) -> Option<Rank> {
        let (place, worth) = self.place(number)?;
        let line = self.order.lines.get(place)?;
        Some((worth, line.arrived(), line.newest()))
    }

    /// Where it stands in the order, and what it is worth.
    fn place(&self, number: usize) -> Option<(usize, u32)> {
        self.places.as_ref().map_or(Some((number, 0)), |places| places.get(number).copied())
    }
}

/// What is shown of `lines`.
async fn rows(
    store: &Store,
    view: &Sight,
    lines: &[Conversation<'_>],
    shows_recipients: bool,
) -> Result<Vec<ListRow>, Failure> {
    let mut looked_up = UidSet::new();
    for line in lines {
        let surplus = line.uids.len().saturating_sub(MAX_LOOKED_UP);
        let newest = line.newest();
        // The one who began it, and those who wrote last.
        let named = line.uids.iter().take(1).chain(line.uids.iter().skip(surplus)).chain(std::slice::from_ref(&newest));
        named.filter_map(|uid| Uid::new(*uid)).for_each(|uid| looked_up.insert(uid));
    }
    let read = read_heads(store, view.mailbox(), looked_up).await?;
    Ok(lines.iter().map(|line| row(view, line, &read, shows_recipients)).collect())
}

/// What a line needs of one message.
pub(super) struct Head {
    pub(super) header: Header,
    pub(super) preview: String,
    pub(super) has_attachment: bool,
}

pub(super) async fn read_heads(
    store: &Store,
    mailbox: MailboxKey,
    uids: UidSet,
) -> Result<HashMap<u32, Head>, Failure> {
    let wanted = Wanted { head: true, preview: true, body_structure: true, ..Wanted::default() };
    let mut heads = HashMap::new();
    let mut contents = store.contents(mailbox, uids, wanted);
    while let Some(chunk) = contents.next().await {
        for row in chunk? {
            let has_attachment = names_a_file(&row);
            let header = Header::read(&row.head);
            heads.insert(row.uid, Head { header, preview: row.preview, has_attachment });
        }
    }
    Ok(heads)
}

/// Whether BODYSTRUCTURE (RFC 9051 §7.5.2) tells of an attachment, or of a message inside: its words stand in quotes there.
pub(super) fn names_a_file(row: &ContentRow) -> bool {
    let structure = row.body_structure.to_ascii_lowercase();
    let holds = |words: &[u8]| structure.windows(words.len()).any(|window| window == words);
    holds(b"(\"attachment\"") || holds(b"\"message\" \"rfc822\"")
}

fn row(view: &Sight, line: &Conversation<'_>, read: &HashMap<u32, Head>, shows_recipients: bool) -> ListRow {
    let rows: Vec<Row> =
        view.read(|rows| line.uids.iter().filter_map(|uid| Uid::new(*uid).and_then(|uid| rows.get(uid))).collect());
    let newest = rows.iter().find(|row| row.uid == line.newest()).copied();
    let is = |row: &Row, flag: SystemFlag| row.flags & u64::from(flag.bit()) != 0;
    let flags = newest.map(|row| view.flags_of(row.flags)).unwrap_or_default();
    let keyword = |name: &str| {
        flags.iter().any(|flag| matches!(flag, Flag::Keyword(keyword) if keyword.as_str().eq_ignore_ascii_case(name)))
    };
    let head = read.get(&line.newest());
    let mut people: Vec<Party> = Vec::new();
    for uid in line.uids {
        let Some(header) = read.get(uid).map(|head| &head.header) else { continue };
        let named = if shows_recipients { header.to.clone() } else { vec![header.author()] };
        for party in named {
            // Whoever writes again stands where they wrote last.
            people.retain(|known| known.address != party.address);
            people.push(party);
        }
    }
    let surplus = people.len().saturating_sub(MAX_AUTHORS);
    people.drain(..surplus);
    ListRow {
        uid: line.newest(),
        uids: line.uids.to_vec(),
        unseen: rows.iter().filter(|row| !is(row, SystemFlag::Seen)).count(),
        is_flagged: rows.iter().any(|row| is(row, SystemFlag::Flagged)),
        is_answered: newest.is_some_and(|row| is(&row, SystemFlag::Answered)),
        is_forwarded: keyword("$Forwarded"),
        is_draft: newest.is_some_and(|row| is(&row, SystemFlag::Draft)),
        people,
        subject: head.map(|head| head.header.subject.clone()).unwrap_or_default(),
        preview: head.map(|head| plain(&head.preview)).unwrap_or_default(),
        at: newest.map(|row| row.internal_date().into()),
        size_octets: rows.iter().map(|row| u64::from(row.size_octets)).sum(),
        has_attachment: line.uids.iter().any(|uid| read.get(uid).is_some_and(|head| head.has_attachment)),
        labels: labels(&flags),
    }
}

/// A text of which nothing is marked.
pub(super) fn plain(text: &str) -> Vec<Excerpted> {
    vec![Excerpted { text: text.to_owned(), is_sought: false }]
}

/// Keywords that people set.
pub(super) fn labels(flags: &[Flag]) -> Vec<String> {
    let of_people = |flag: &Flag| match flag {
        Flag::Keyword(keyword) => label(keyword),
        Flag::System(_) => None,
    };
    flags.iter().filter_map(of_people).collect()
}

/// The label that a keyword is; none: those of programs begin with `$`, or are words of old ones for junk.
pub(super) fn label(keyword: &Keyword) -> Option<String> {
    let name = keyword.as_str();
    let is_known = ["junk", "notjunk", "nonjunk"].iter().any(|known| name.eq_ignore_ascii_case(known));
    (!name.starts_with('$') && !is_known).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_hold_what_their_set_holds() {
        let all = u32::try_from(BITS).unwrap();
        let mut uids = UidSet::new();
        uids.insert_run(3, 5);
        uids.insert_run(all + 9, all + 9);
        let bits = Bits::of(&uids);
        for uid in [0, 1, 3, 5, 6, 9, all + 3, all + 9, 2 * all + 9, u32::MAX] {
            assert_eq!(bits.holds(uid), Uid::new(uid).is_some_and(|uid| uids.contains(uid)), "{uid}");
        }
    }
}
