//! The mailbox that a session has open: what its client knows of it, and how the client learns the rest.
//!
//! Sequence numbers are positions in [`Selected::known`], which changes only as the client is told: so no number is ever
//! wrong, whatever other sessions do (RFC 9051 §7.5.1, §5.5).

use relais_imap::language::Language;
use relais_imap::response::{self, Condition, ResponseCode};
use relais_imap::sequence::SequenceSet;
use relais_imap::session::Enabled;
use relais_model::{Flag, ModSeq, Rights, SeqNum, SystemFlag, Uid, UidSet};
use relais_store::{MAX_KEYWORDS, Reach, Row, Sight, Store};

use super::Halt;
use super::context::SearchContext;
use super::flags::FlagWriter;

/// An open mailbox.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) view: Sight,
    /// It was opened by EXAMINE.
    pub(super) read_only: bool,
    /// What the client has been told of and not been told is gone.
    pub(super) known: UidSet,
    /// Those of `known` that are gone; told as soon as that is allowed.
    vanished: UidSet,
    /// All up to here has been told, or stands in `vanished`.
    mod_seq: ModSeq,
    /// While `vanished` is held back: all up to here has been told.
    held_at: Option<ModSeq>,
    /// Those that are `\Recent` to this session (RFC 3501 §2.3.2).
    pub(super) recent: UidSet,
    /// `$` (RFC 9051 §6.4.4.1).
    pub(super) saved: UidSet,
    /// How many keywords FLAGS has told, if it has been told at all.
    keywords: Option<usize>,
    /// Searches that are kept.
    pub(super) contexts: Vec<SearchContext>,
}

/// What a client was told of.
#[derive(Debug, Default)]
pub(super) struct Synced {
    /// New messages.
    pub(super) arrived: UidSet,
    /// Messages with other flags.
    pub(super) flagged: UidSet,
}

/// Whether sequence numbers may change under the client's feet: not while it waits for the answer to a command that uses
/// them (RFC 9051 §7.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expunges {
    /// EXPUNGE may be told.
    Tell,
    /// After FETCH, STORE, SEARCH, SORT, THREAD by sequence number.
    Keep,
}

/// How a client is told of changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sync<'a> {
    pub(super) expunges: Expunges,
    pub(super) enabled: Enabled,
    pub(super) language: Language,
    /// FETCH responses name the UID: the command did.
    pub(super) with_uid: bool,
    /// Changes of flags are told.
    pub(super) tells_flags: bool,
    pub(super) told: &'a Told,
}

/// What a command has told of already, so that it isn't told again.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The change itself.
    pub(super) mod_seq: Option<ModSeq>,
    /// Of these.
    pub(super) uids: UidSet,
    /// All but the new MODSEQ: after STORE.SILENT with CONDSTORE (RFC 7162 §3.1.3).
    pub(super) owes_mod_seq: bool,
}

/// Begins what is told of a message, by its number or its UID.
pub(super) fn writer(out: &mut Vec<u8>, enabled: Enabled, number: SeqNum, uid: Uid) -> response::FetchWriter<'_> {
    if enabled.uid_only {
        response::FetchWriter::by_uid(out, uid, enabled.utf8())
    } else {
        response::FetchWriter::new(out, number, enabled.utf8())
    }
}

impl Selected {
    /// Opens `view`: the client is about to be told of all that is there now.
    pub(super) fn open(store: &Store, view: Sight, read_only: bool) -> Self {
        let mod_seq = view.highest_mod_seq();
        let known = view.uids();
        let mut selected = Self {
            view,
            read_only,
            known,
            vanished: UidSet::new(),
            mod_seq,
            held_at: None,
            recent: UidSet::new(),
            saved: UidSet::new(),
            keywords: None,
            contexts: Vec::new(),
        };
        selected.claim_recent(store, None);
        selected
    }

    /// For the store: which mailbox, who acts, and what they may do.
    pub(super) fn reach(&self) -> Reach {
        self.view.reach()
    }

    /// It was deleted, or may be read no longer.
    pub(super) fn is_lost(&self) -> bool {
        self.view.is_gone() || !self.view.rights().has(Rights::READ)
    }

    /// Whether it is told to be READ-WRITE (RFC 4314 §5.2): `s` is no reason, for `\Seen` is each person's own.
    pub(super) fn tells_read_write(&self) -> bool {
        self.would_tell_read_write(self.view.rights())
    }

    /// The same, of other rights.
    pub(super) fn would_tell_read_write(&self, rights: Rights) -> bool {
        let changes = Rights::INSERT.with(Rights::EXPUNGE).with(Rights::WRITE).with(Rights::MARK_DELETED);
        !self.read_only && rights.has_some(changes)
    }

    /// How many messages the client knows of.
    pub(super) fn exists(&self) -> u32 {
        u32::try_from(self.known.count()).unwrap_or(u32::MAX)
    }

    /// The UIDs that `set` means; `None` names nothing of it that the client could know. RFC 9051 §6.4.9: UIDs that don't
    /// exist are passed over without an error.
    pub(super) fn resolve(&self, set: &SequenceSet, by_uid: bool) -> UidSet {
        if *set == SequenceSet::Saved {
            return self.saved.intersection(&self.known);
        }
        if by_uid {
            return set.resolve_uids(self.known.last()).unwrap_or_default().intersection(&self.known);
        }
        self.known.at_positions(&set.resolve(self.exists()).unwrap_or_default())
    }

    /// [`Self::resolve`] for a command that names messages: a number that none has is BAD (RFC 9051 §9, `seq-number`).
    pub(super) fn named(&self, set: &SequenceSet, by_uid: bool) -> Result<UidSet, Halt> {
        let exists = self.exists();
        let is_beyond = |runs: Vec<(u32, u32)>| runs.last().is_some_and(|(_, last)| *last > exists);
        if !by_uid && set.resolve(exists).is_some_and(is_beyond) {
            return Err(Halt::bad("There is no message with this number"));
        }
        Ok(self.resolve(set, by_uid))
    }

    /// Whether some of `uids` are gone, and the client doesn't know (RFC 2180 §4).
    pub(super) fn misses(&self, uids: &UidSet) -> bool {
        let here = |(first, last): &(u32, u32)| self.view.read(|rows| rows.range(*first, *last).len() as u64);
        uids.runs().iter().map(here).sum::<u64>() < uids.count()
    }

    /// Those of `uids` that EXPUNGE takes away.
    pub(super) fn deleted(&self, uids: &UidSet) -> UidSet {
        let bit = u64::from(SystemFlag::Deleted.bit());
        let deleted = |row: Row| row.uid().filter(|_| row.flags & bit != 0);
        self.view.read(|rows| rows.select(uids).filter_map(deleted).collect())
    }

    /// Those that are recent to this session and haven't been expunged.
    pub(super) fn recent_count(&self) -> u32 {
        u32::try_from(self.recent.intersection(&self.known).count()).unwrap_or(u32::MAX)
    }

    /// Whether a message is `\Recent` here.
    pub(super) fn is_recent(&self, uid: Option<Uid>) -> bool {
        uid.is_some_and(|uid| self.recent.contains(uid))
    }

    /// Takes what nobody was told of yet; a read-only session looks, but leaves it (RFC 3501 §6.3.2).
    fn claim_recent(&mut self, store: &Store, arrived: Option<&UidSet>) {
        // What is new is new to its owner: others don't take that away.
        if self.view.is_anothers() {
            return;
        }
        let from = if self.read_only { self.view.recent_from() } else { store.claim_recent(&self.view) };
        let candidates = arrived.unwrap_or(&self.known);
        let mut fresh = UidSet::new();
        fresh.insert_run(from.max(1), u32::MAX);
        let fresh = candidates.intersection(&fresh);
        self.recent.extend(&fresh);
    }

    /// Tells the client of the keywords, if there are more than it knows.
    pub(super) fn tell_flags(&mut self, out: &mut Vec<u8>, language: Language) {
        let keywords = self.view.keywords();
        if self.keywords == Some(keywords.len()) {
            return;
        }
        self.keywords = Some(keywords.len());
        let system = SystemFlag::ALL.into_iter().map(Flag::System);
        let flags: Vec<Flag> = system.chain(keywords.into_iter().map(Flag::Keyword)).collect();
        response::flags(out, &flags);
        let rights = if self.read_only { Rights::NONE } else { self.view.rights() };
        let more = rights.has(Rights::WRITE) && flags.len() < SystemFlag::ALL.len() + MAX_KEYWORDS;
        // RFC 4314 §5.1.1: those that may be changed.
        let may_change = |flag: &Flag| match flag {
            Flag::System(SystemFlag::Seen) => rights.has(Rights::SEEN),
            Flag::System(SystemFlag::Deleted) => rights.has(Rights::MARK_DELETED),
            _ => rights.has(Rights::WRITE),
        };
        let stay: Vec<Flag> = flags.iter().filter(|flag| may_change(flag)).cloned().collect();
        let permanent = ResponseCode::PermanentFlags { flags: &stay, more };
        response::condition(out, Condition::Ok, Some(&permanent), language.say("Flags that stay"));
    }

    /// Tells the flags again: which of them may be changed is different.
    pub(super) fn retell_flags(&mut self, out: &mut Vec<u8>, language: Language) {
        self.keywords = None;
        self.tell_flags(out, language);
    }

    /// Tells what has changed since the client was last told.
    pub(super) fn sync(&mut self, store: &Store, out: &mut Vec<u8>, how: Sync<'_>) -> Synced {
        let Sync { expunges, enabled, language, with_uid, tells_flags, told } = how;
        let mut synced = Synced::default();
        let (before, now) = (self.mod_seq, self.view.highest_mod_seq());
        if now > self.mod_seq {
            let changes = self.view.changes_since(self.mod_seq, &self.known);
            self.mod_seq = now;
            self.vanished.extend(&changes.vanished);
            // RFC 5267 §4.3.4: before EXPUNGE, which may have to wait.
            for context in &mut self.contexts {
                context.remove(out, &changes.vanished, &self.known);
            }
            if expunges == Expunges::Tell {
                self.tell_vanished(out, enabled);
            }
            self.tell_flags(out, language);
            if !changes.arrived.is_empty() {
                self.known.extend(&changes.arrived);
                self.claim_recent(store, Some(&changes.arrived));
                response::exists(out, self.exists());
                if !enabled.imap4rev2 {
                    response::recent(out, self.recent_count());
                }
            }
            if !changes.flagged.is_empty() && tells_flags {
                self.tell_rows(out, &changes.flagged, enabled, with_uid, told);
            }
            synced = Synced { arrived: changes.arrived, flagged: changes.flagged };
        } else if expunges == Expunges::Tell {
            self.tell_vanished(out, enabled);
        }
        self.tell_held(out, before, enabled, language);
        synced
    }

    /// RFC 7162 §3.2, §6: while EXPUNGEs are held back, MODSEQs above theirs may have been told. A client that lost its
    /// connection now would never hear of them, if it believed the highest; so it is told how far it may believe.
    fn tell_held(&mut self, out: &mut Vec<u8>, before: ModSeq, enabled: Enabled, language: Language) {
        let was_held = self.held_at.is_some();
        self.held_at = if self.vanished.is_empty() { None } else { self.held_at.or(Some(before)) };
        if enabled.condstore && (was_held || self.held_at.is_some()) {
            let code = ResponseCode::HighestModSeq(self.held_at.unwrap_or(self.mod_seq));
            let text = if self.held_at.is_some() { "Some EXPUNGEs are still to be told" } else { "All is told" };
            response::condition(out, Condition::Ok, Some(&code), language.say(text));
        }
    }

    fn tell_vanished(&mut self, out: &mut Vec<u8>, enabled: Enabled) {
        if self.vanished.is_empty() {
            return;
        }
        let vanished = std::mem::take(&mut self.vanished);
        // RFC 7162 §3.2.10, RFC 9586.
        if enabled.qresync || enabled.uid_only {
            response::vanished(out, &vanished, false);
        } else {
            // From the last to the first, so that no number shifts before it is told.
            for (first, last) in self.known.positions_of(&vanished).into_iter().rev() {
                for number in (first..=last).rev().filter_map(SeqNum::new) {
                    response::expunge(out, number);
                }
            }
        }
        self.known = self.known.without(&vanished);
        self.recent = self.recent.without(&vanished);
        self.saved = self.saved.without(&vanished);
    }

    /// `* n FETCH (FLAGS …)` for each of `uids`, but not for what `told` names.
    pub(super) fn tell_rows(&self, out: &mut Vec<u8>, uids: &UidSet, enabled: Enabled, with_uid: bool, told: &Told) {
        let mut flags = FlagWriter::new(&self.view);
        for (number, row) in self.numbered(uids) {
            let Some(uid) = row.uid() else { continue };
            let is_told = told.mod_seq.is_some_and(|mod_seq| mod_seq.value() == row.mod_seq) && told.uids.contains(uid);
            if is_told && !told.owes_mod_seq {
                continue;
            }
            let mut fetch = writer(out, enabled, number, uid);
            // RFC 7162 §3.2.4, RFC 9051 §7.5.2.
            if with_uid || enabled.condstore || enabled.imap4rev2 {
                fetch.uid(uid);
            }
            if !is_told {
                fetch.flags_octets(flags.spell(row.flags, self.recent.contains(uid)));
            }
            if let Some(mod_seq) = ModSeq::new(row.mod_seq).filter(|_| enabled.condstore) {
                fetch.mod_seq(mod_seq);
            }
            fetch.finish();
        }
    }

    /// Those of `uids` that are there, with their numbers, ascending.
    pub(super) fn numbered(&self, uids: &UidSet) -> Vec<(SeqNum, Row)> {
        let rows: Vec<Row> = self.view.read(|rows| rows.select(uids).collect());
        let present: UidSet = rows.iter().filter_map(Row::uid).collect();
        let positions = self.known.positions_of(&present);
        let numbers = positions.into_iter().flat_map(|(first, last)| first..=last).filter_map(SeqNum::new);
        numbers.zip(rows.into_iter().filter(|row| row.uid().is_some_and(|uid| self.known.contains(uid)))).collect()
    }
}
