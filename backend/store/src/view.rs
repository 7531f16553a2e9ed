//! What sessions look at: a mailbox's rows in memory, 40 octets each, shared by all who look and kept true by the writer.
//!
//! A view is loaded in chunks beside the writer, not in one snapshot: changes that are committed meanwhile wait in the slot
//! and are applied after it. Each is idempotent and known by its MODSEQ, so it doesn't matter which chunks had seen it.
//!
//! Where other nodes write, too, a view misses what they do. It knows that by the MODSEQs, and is *overtaken* then (`overtaken`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use relais_model::{Flag, Keyword, ModSeq, SystemFlag, Timestamp, Uid, UidSet, UidValidity};
use tokio::sync::{broadcast, watch};

use crate::key::{AccountKey, MailboxKey};
use crate::news::AccountNews;

pub(crate) mod load;
mod overtaken;
mod rows;
pub(crate) mod sight;
mod vanished;

pub use rows::{Row, Rows};
pub use sight::{SeenRows, Sight};

/// Keywords that one mailbox knows: bits 5 to 62 of a number that both engines hold.
pub const MAX_KEYWORDS: usize = 58;
/// The first keyword's bit.
const FIRST_KEYWORD_BIT: u8 = 5;
/// Changes that a view remembers, so that sessions need not compare all rows.
const REMEMBERED_CHANGES: usize = 256;
/// Octets of views that are kept though nobody looks at them, at most: 2.4 million messages. That is room for twenty people with 100,000
/// each, who would otherwise push each other out with every page.
const KEPT_OCTETS: u64 = 96 << 20;
/// What a view takes beside its rows.
const VIEW_OCTETS: usize = 1024;
/// For so long after somebody looked.
const KEPT_FOR: Duration = Duration::from_mins(30);
/// Changes that a slow listener may be late.
const CHANGES_AT_ONCE: usize = 1024;

/// The keywords of a mailbox, each with its bit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keywords {
    /// The place is the bit, less [`FIRST_KEYWORD_BIT`].
    names: Vec<Keyword>,
}

impl Keywords {
    pub(crate) fn from_names(names: Vec<Keyword>) -> Self {
        Self { names }
    }

    pub(crate) fn names(&self) -> &[Keyword] {
        &self.names
    }

    /// The bit of `keyword`.
    pub(crate) fn bit(&self, keyword: &Keyword) -> Option<u64> {
        let at = self.names.iter().position(|name| name == keyword)?;
        Some(1 << (usize::from(FIRST_KEYWORD_BIT) + at))
    }

    /// The bit of `keyword`, which is added where it is new; none where there is no room.
    pub(crate) fn take(&mut self, keyword: &Keyword) -> Option<u64> {
        if self.bit(keyword).is_none() {
            if self.names.len() >= MAX_KEYWORDS {
                return None;
            }
            self.names.push(keyword.clone());
        }
        self.bit(keyword)
    }

    /// Numbered bits and names of all after the first `known`.
    pub(crate) fn after(&self, known: usize) -> impl Iterator<Item = (i64, &Keyword)> {
        let first = i64::from(FIRST_KEYWORD_BIT);
        self.names.iter().zip(first..).map(|(name, bit)| (bit, name)).skip(known)
    }

    /// What `bits` say.
    pub(crate) fn flags(&self, bits: u64) -> Vec<Flag> {
        let system = SystemFlag::ALL.into_iter().filter(|flag| bits & u64::from(flag.bit()) != 0).map(Flag::System);
        let keywords = self.names.iter().enumerate();
        let keywords = keywords.filter(|(at, _)| bits >> (usize::from(FIRST_KEYWORD_BIT) + at) & 1 == 1);
        system.chain(keywords.map(|(_, name)| Flag::Keyword(name.clone()))).collect()
    }
}

/// One change of one mailbox, as the writer committed it: the one thing that is applied to views.
#[derive(Debug, Clone)]
pub(crate) struct MailboxChange {
    pub(crate) account: AccountKey,
    pub(crate) mailbox: MailboxKey,
    pub(crate) mod_seq: u64,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// New rows, ascending, above all others.
    Arrived(Vec<Row>),
    /// UIDs, ascending, with their new flags.
    Flagged(Vec<(u32, u64)>),
    Vanished(UidSet),
    /// The mailbox's whole table.
    Keywords(Keywords),
    /// What somebody who isn't the owner has seen, or no longer. Its MODSEQ is 0: it comes before the change that raises the rows'.
    Seen {
        reader: AccountKey,
        uids: UidSet,
        is_seen: bool,
    },
    /// Who may do what is different, or may be. Its MODSEQ is 0.
    Granted,
    /// Deleted.
    Gone,
}

/// News of one mailbox, told after it is durable.
#[derive(Debug, Clone)]
pub struct Change {
    /// Whose.
    pub account: AccountKey,
    /// Which mailbox.
    pub mailbox: MailboxKey,
    /// Its highest MODSEQ now.
    pub mod_seq: ModSeq,
    /// What happened.
    pub kind: ChangeKind,
}

/// What happened in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// New messages.
    Arrived(UidSet),
    /// Others flags.
    Flagged(UidSet),
    /// Expunged.
    Vanished(UidSet),
    /// The mailbox was deleted.
    Gone,
}

/// What a session must tell its client to bring it up to date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// New since then, and still there.
    pub arrived: UidSet,
    /// Known to the client, with other flags (or at least another MODSEQ).
    pub flagged: UidSet,
    /// Known to the client, and gone.
    pub vanished: UidSet,
}

/// A mailbox in memory.
#[derive(Debug)]
pub struct View {
    mailbox: MailboxKey,
    account: AccountKey,
    uid_validity: UidValidity,
    state: RwLock<State>,
    told: watch::Sender<ModSeq>,
    /// Held by who loads what a reader has seen.
    loads_reader: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    rows: Rows,
    uid_next: u32,
    mod_seq: u64,
    recent_from: u32,
    keywords: Keywords,
    is_gone: bool,
    /// What the rows were read with: all changes up to here are in them.
    loaded_at: u64,
    /// Another node has changed the mailbox: nothing is applied any more, so that the rows stay as they were at `mod_seq`.
    is_overtaken: bool,
    /// Ascending by MODSEQ; all after `remembered_from` are there.
    remembered: VecDeque<(u64, ChangeKind)>,
    remembered_from: u64,
    /// Others than the owner who look.
    readers: HashMap<AccountKey, sight::Reader>,
    /// How often rights were changed.
    granted: u64,
}

impl View {
    /// Which mailbox it is.
    pub fn mailbox(&self) -> MailboxKey {
        self.mailbox
    }

    /// Whose it is.
    pub fn account(&self) -> AccountKey {
        self.account
    }

    /// The mailbox's epoch.
    pub fn uid_validity(&self) -> UidValidity {
        self.uid_validity
    }

    /// The next UID to be given (RFC 9051 §2.3.1.1).
    pub fn uid_next(&self) -> u32 {
        self.state().uid_next
    }

    /// HIGHESTMODSEQ (RFC 7162 §3.1.2.1).
    pub fn highest_mod_seq(&self) -> ModSeq {
        mod_seq(self.state().mod_seq)
    }

    /// The keywords in use, in the order of their bits.
    pub fn keywords(&self) -> Vec<Keyword> {
        self.state().keywords.names().to_vec()
    }

    /// The mailbox was deleted: the session should end or leave it.
    pub fn is_gone(&self) -> bool {
        self.state().is_gone
    }

    /// Looks at the rows. A short lock: compute, don't wait, inside.
    pub fn read<T>(&self, look: impl FnOnce(&Rows) -> T) -> T {
        look(&self.state().rows)
    }

    /// What the bits of a [`Row`] say.
    pub fn flags_of(&self, bits: u64) -> Vec<Flag> {
        self.state().keywords.flags(bits)
    }

    /// The bit of a flag in [`Row::flags`]; none for a keyword that the mailbox doesn't know.
    pub fn bit_of(&self, flag: &Flag) -> Option<u64> {
        match flag {
            Flag::System(flag) => Some(u64::from(flag.bit())),
            Flag::Keyword(keyword) => self.state().keywords.bit(keyword),
        }
    }

    /// Messages from this UID on are recent for the next who asks (RFC 3501 §2.3.2).
    pub fn recent_from(&self) -> u32 {
        self.state().recent_from
    }

    /// What happened after `since`, to a session that has told its client of `known`. Cheap for the last few hundred changes;
    /// else all rows are compared.
    pub fn changes_since(&self, since: ModSeq, known: &UidSet) -> Changes {
        let state = self.state();
        let since = since.value();
        if since < state.remembered_from { state.compare(since, known) } else { state.remember(since, known) }
    }

    /// Changes with each change of the mailbox: IDLE waits on it.
    pub fn subscribe(&self) -> watch::Receiver<ModSeq> {
        self.told.subscribe()
    }

    fn state(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The old mark of recency, which moves to the next UID.
    pub(crate) fn take_recent(&self) -> (u32, u32) {
        let mut state = self.state_mut();
        let next = state.uid_next;
        (std::mem::replace(&mut state.recent_from, next), next)
    }

    /// Another has claimed what is below `from`.
    fn raise_recent(&self, from: u32) {
        let mut state = self.state_mut();
        state.recent_from = state.recent_from.max(from);
    }

    /// The keyword table, for the writer.
    pub(crate) fn keyword_table(&self) -> Keywords {
        self.state().keywords.clone()
    }

    fn apply(&self, change: &MailboxChange) {
        let mut state = self.state_mut();
        state.apply(change);
        let mod_seq = mod_seq(state.mod_seq);
        drop(state);
        self.told.send_replace(mod_seq);
    }
}

impl State {
    fn apply(&mut self, change: &MailboxChange) {
        // New keywords take no MODSEQ, and all else the one after the last: what lies between was done by another node.
        let taken = if matches!(change.what, What::Keywords(_)) { 0 } else { change.mod_seq };
        self.is_overtaken |= self.mod_seq + 1 < taken;
        // What another node has taken away since, and the rows were read without, must not come back.
        let is_new = self.loaded_at < change.mod_seq;
        match &change.what {
            What::Gone => self.is_gone = true,
            _ if self.is_overtaken => return,
            What::Arrived(_) | What::Flagged(_) | What::Vanished(_) if !is_new => return,
            What::Arrived(rows) => {
                self.uid_next = self.uid_next.max(rows.last().map_or(0, |row| row.uid.saturating_add(1)));
                self.rows.arrive(rows);
            }
            What::Flagged(flags) => self.rows.flag(flags, change.mod_seq),
            What::Vanished(uids) => {
                self.rows.vanish(uids);
                self.unsee(uids);
            }
            What::Seen { reader, uids, is_seen } => self.see(*reader, uids, *is_seen),
            What::Granted => self.granted += 1,
            What::Keywords(keywords) => {
                if keywords.names.len() > self.keywords.names.len() {
                    self.keywords = keywords.clone();
                }
            }
        }
        self.mod_seq = self.mod_seq.max(taken);
        if let Some(kind) = change.what.kind() {
            self.remembered.push_back((change.mod_seq, kind));
        }
        while self.remembered.len() > REMEMBERED_CHANGES {
            if let Some((mod_seq, _)) = self.remembered.pop_front() {
                self.remembered_from = mod_seq;
            }
        }
    }

    fn remember(&self, since: u64, known: &UidSet) -> Changes {
        let mut changes = Changes::default();
        let from = self.remembered.partition_point(|(mod_seq, _)| *mod_seq <= since);
        for (_, kind) in self.remembered.iter().skip(from) {
            match kind {
                ChangeKind::Arrived(uids) => add(&mut changes.arrived, uids),
                ChangeKind::Flagged(uids) => add(&mut changes.flagged, uids),
                ChangeKind::Vanished(uids) => add(&mut changes.vanished, uids),
                ChangeKind::Gone => {}
            }
        }
        // What came and went meanwhile was never told; what came and was flagged is told as new.
        let gone = std::mem::take(&mut changes.vanished);
        subtract(&mut changes.arrived, &gone);
        subtract(&mut changes.flagged, &gone);
        changes.vanished = gone.intersection(known);
        let unknown = subtracted(&changes.arrived, known);
        changes.arrived = unknown;
        changes.flagged = changes.flagged.intersection(known);
        changes
    }

    fn compare(&self, since: u64, known: &UidSet) -> Changes {
        let mut changes = Changes { vanished: known.clone(), ..Changes::default() };
        let present: UidSet = self.rows.iter().filter_map(Row::uid).collect();
        subtract(&mut changes.vanished, &present);
        changes.arrived = subtracted(&present, known);
        let flagged: UidSet = self.rows.iter().filter(|row| row.mod_seq > since).filter_map(Row::uid).collect();
        changes.flagged = flagged.intersection(known);
        changes
    }
}

impl What {
    fn kind(&self) -> Option<ChangeKind> {
        match self {
            Self::Arrived(rows) => Some(ChangeKind::Arrived(rows.iter().filter_map(Row::uid).collect())),
            Self::Flagged(flags) => {
                Some(ChangeKind::Flagged(flags.iter().filter_map(|(uid, _)| Uid::new(*uid)).collect()))
            }
            Self::Vanished(uids) => Some(ChangeKind::Vanished(uids.clone())),
            Self::Gone => Some(ChangeKind::Gone),
            Self::Keywords(_) | Self::Seen { .. } | Self::Granted => None,
        }
    }
}

pub(crate) fn mod_seq(number: u64) -> ModSeq {
    ModSeq::new(number).unwrap_or(ModSeq::FIRST)
}

fn add(set: &mut UidSet, more: &UidSet) {
    for (first, last) in more.runs() {
        set.insert_run(*first, *last);
    }
}

fn subtract(set: &mut UidSet, less: &UidSet) {
    if !less.is_empty() && !set.is_empty() {
        *set = subtracted(set, less);
    }
}

/// Those of `set` that are not in `less`, run by run.
pub(crate) fn subtracted(set: &UidSet, less: &UidSet) -> UidSet {
    let mut left = UidSet::new();
    let mut holes = less.runs().iter().peekable();
    for (first, last) in set.runs() {
        let mut from = u64::from(*first);
        while holes.next_if(|hole| u64::from(hole.1) < from).is_some() {}
        let mut ahead = holes.clone();
        while let Some((hole_first, hole_last)) = ahead.next_if(|hole| hole.0 <= *last) {
            keep(&mut left, from, u64::from(*hole_first).saturating_sub(1));
            from = u64::from(*hole_last) + 1;
        }
        keep(&mut left, from, u64::from(*last));
    }
    left
}

fn keep(set: &mut UidSet, first: u64, last: u64) {
    if first <= last
        && let (Ok(first), Ok(last)) = (u32::try_from(first), u32::try_from(last))
    {
        set.insert_run(first, last);
    }
}

/// Views of so many octets together at most, the last that were looked at.
fn kept(octets: u64) -> Cache<MailboxKey, Arc<View>> {
    let weigh = |_: &MailboxKey, view: &Arc<View>| {
        let octets = view.read(Rows::len).saturating_mul(size_of::<Row>()).saturating_add(VIEW_OCTETS);
        u32::try_from(octets).unwrap_or(u32::MAX)
    };
    // Whoever came last is let in, however large: the others go in the order in which they were looked at.
    let by_age = EvictionPolicy::lru();
    Cache::builder().max_capacity(octets).weigher(weigh).eviction_policy(by_age).time_to_idle(KEPT_FOR).build()
}

/// All views that someone holds.
#[derive(Debug)]
pub(crate) struct Views {
    slots: Mutex<HashMap<MailboxKey, Slot>>,
    /// Those that were looked at last: who comes again needn't wait for them to be loaded.
    kept: Cache<MailboxKey, Arc<View>>,
    changes: broadcast::Sender<Change>,
    news: broadcast::Sender<AccountNews>,
}

#[derive(Debug)]
enum Slot {
    /// Being loaded by whoever holds the gate; what is committed meanwhile waits here.
    Loading {
        gate: Arc<tokio::sync::Mutex<()>>,
        waiting: Vec<MailboxChange>,
    },
    Ready(Weak<View>),
}

impl Default for Views {
    fn default() -> Self {
        let (changes, news) = (broadcast::Sender::new(CHANGES_AT_ONCE), broadcast::Sender::new(CHANGES_AT_ONCE));
        Self { slots: Mutex::default(), kept: kept(KEPT_OCTETS), changes, news }
    }
}

impl Views {
    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    pub(crate) fn news(&self) -> &broadcast::Sender<AccountNews> {
        &self.news
    }

    /// Keeps `view` for a while beyond its last holder, as long as others don't need the room. It is weighed as it is now.
    fn keep(&self, view: &Arc<View>) {
        self.kept.insert(view.mailbox(), Arc::clone(view));
    }

    /// Lets go of all that are kept.
    pub(crate) fn forget(&self) {
        self.kept.invalidate_all();
        self.kept.run_pending_tasks();
    }

    /// Ends the views of mailboxes of which it isn't known whether `changes` were committed: who has one open must open it anew.
    pub(crate) fn let_go(&self, changes: &[MailboxChange]) {
        for change in changes {
            let slot = self.slots().remove(&change.mailbox);
            if let Some(Slot::Ready(view)) = slot
                && let Some(view) = view.upgrade()
            {
                view.apply(&MailboxChange { what: What::Gone, ..change.clone() });
            }
            self.kept.invalidate(&change.mailbox);
        }
    }

    /// The view, if someone holds it and it is whole.
    pub(crate) fn live(&self, mailbox: MailboxKey) -> Option<Arc<View>> {
        let view = match self.slots().get(&mailbox) {
            Some(Slot::Ready(view)) => view.upgrade(),
            _ => None,
        };
        view.filter(|view| !view.is_overtaken())
    }

    /// Applies what was committed here, in order: the one place. What another node commits overtakes a view.
    pub(crate) fn publish(&self, committed: Vec<MailboxChange>) {
        for change in committed {
            let live = match self.slots().get_mut(&change.mailbox) {
                Some(Slot::Ready(view)) => view.upgrade(),
                Some(Slot::Loading { waiting, .. }) => {
                    waiting.push(change.clone());
                    None
                }
                None => None,
            };
            if let Some(view) = live {
                view.apply(&change);
            }
            if matches!(change.what, What::Gone) {
                self.kept.invalidate(&change.mailbox);
            }
            if self.changes.receiver_count() > 0
                && let Some(kind) = change.what.kind()
            {
                let (account, mailbox) = (change.account, change.mailbox);
                // Nobody listens any more: so be it.
                let _unheard = self.changes.send(Change { account, mailbox, mod_seq: mod_seq(change.mod_seq), kind });
            }
        }
    }

    /// The owner of some mailboxes is gone, or, where none is named, several may be: others who look there ask anew what they may do. A
    /// view that is being loaded needs no word: whoever loads it asks after that.
    pub(crate) fn ask_again(&self, owner: Option<AccountKey>) {
        let slots = self.slots();
        let ready = slots.values().filter_map(|slot| match slot {
            Slot::Ready(view) => view.upgrade(),
            Slot::Loading { .. } => None,
        });
        let views: Vec<Arc<View>> = ready.filter(|view| owner.is_none_or(|owner| owner == view.account())).collect();
        drop(slots);
        for view in views {
            let (account, mailbox) = (view.account(), view.mailbox());
            view.apply(&MailboxChange { account, mailbox, mod_seq: 0, what: What::Granted });
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<MailboxKey, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds since 1970 as a row keeps them: 1970 to 2106, other times as the nearest.
pub(crate) fn row_seconds(at: Timestamp) -> u32 {
    u32::try_from(at.seconds().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(runs: &[(u32, u32)]) -> UidSet {
        let mut set = UidSet::new();
        for (first, last) in runs {
            set.insert_run(*first, *last);
        }
        set
    }

    #[test]
    fn sets_are_subtracted() {
        let check = |one: &[(u32, u32)], other: &[(u32, u32)], left: &str| {
            assert_eq!(subtracted(&set(one), &set(other)).to_string(), left, "{one:?} - {other:?}");
        };
        check(&[(1, 10)], &[(3, 4), (6, 6)], "1:2,5,7:10");
        check(&[(1, 3), (5, 9)], &[(2, 6)], "1,7:9");
        check(&[(1, 3)], &[], "1:3");
        check(&[], &[(1, 3)], "");
        check(&[(4, 4)], &[(1, 9)], "");
        check(&[(1, 2), (4, 5), (7, 8)], &[(2, 4), (8, u32::MAX)], "1,5,7");
        check(&[(1, u32::MAX)], &[(u32::MAX, u32::MAX)], "1:4294967294");
    }

    pub(super) fn view(mailbox: i64, messages: u32) -> Arc<View> {
        let row = |uid| Row { message: 0, flags: 0, mod_seq: 1, uid, size_octets: 1, internal_date: 0, saved_at: 0 };
        let state = State {
            rows: Rows::new((1..=messages).map(row).collect()),
            uid_next: messages + 1,
            mod_seq: 1,
            recent_from: 1,
            keywords: Keywords::default(),
            is_gone: false,
            loaded_at: 1,
            is_overtaken: false,
            remembered: VecDeque::new(),
            remembered_from: 1,
            readers: HashMap::new(),
            granted: 0,
        };
        Arc::new(View {
            mailbox: MailboxKey::new(mailbox),
            account: AccountKey::new(1),
            uid_validity: UidValidity::new(1).unwrap(),
            state: RwLock::new(state),
            told: watch::Sender::new(mod_seq(1)),
            loads_reader: tokio::sync::Mutex::new(()),
        })
    }

    /// The test of twenty readers rests on it: none is pushed out by the others, and what is over goes by its age.
    #[test]
    fn views_are_kept_up_to_their_octets() {
        let views = Views::default();
        let is_kept = |mailbox: i64| views.kept.get(&MailboxKey::new(mailbox)).is_some();
        for mailbox in 1..=20 {
            views.keep(&view(mailbox, 100_000));
        }
        views.kept.run_pending_tasks();
        assert!((1..=20).all(is_kept));
        // All but the first were looked at again.
        (2..=20).for_each(|mailbox| assert!(is_kept(mailbox)));
        for mailbox in 21..=26 {
            views.keep(&view(mailbox, 100_000));
            views.kept.run_pending_tasks();
        }
        assert!(!is_kept(1));
        assert!((2..=26).all(is_kept));
        assert!(views.kept.weighted_size() <= KEPT_OCTETS);
    }

    #[test]
    fn keywords_take_bits_in_order_and_end() {
        let mut keywords = Keywords::default();
        for number in 0..MAX_KEYWORDS {
            let keyword = Keyword::parse(&format!("k{number}")).unwrap();
            assert_eq!(keywords.take(&keyword), Some(1 << (number + 5)));
        }
        assert_eq!(keywords.take(&Keyword::parse("K3").unwrap()), Some(1 << 8), "compared without case");
        assert_eq!(keywords.take(&Keyword::parse("other").unwrap()), None);
        assert_eq!(1_u64 << 62 & (1 << 63), 0, "the highest bit stays free: numbers are signed in the database");
    }
}
