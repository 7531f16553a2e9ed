//! One transaction: what it has read of mailboxes and accounts, what it has changed, and what it will tell.

mod look_up;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use relais_model::{Flag, Rights, SpecialUse, Timestamp, UidSet, UidValidity};

use super::{Op, Parts};
use crate::content::Content;
use crate::error::StoreError;
use crate::junk::Teaching;
use crate::key::{AccountKey, MailboxKey, MessageKey};
use crate::message::{Accepted, Appended, ChangeError, Copied, Expunged, FlagsStored, Replaced, Target};
use crate::queue::{self, Judged};
use crate::sending::Submission;
use crate::sql::{self, Statement};
use crate::transaction::Transaction;
use crate::view::load;
use crate::view::{Keywords, MailboxChange, Row, View, What};

/// What an op came to.
pub(super) enum Answer {
    Accepted(Vec<Accepted>),
    Appended(Result<Appended, ChangeError>),
    Flags(Result<FlagsStored, ChangeError>),
    Expunged(Result<Expunged, ChangeError>),
    Replaced(Result<Replaced, ChangeError>),
    Copied(Result<Copied, ChangeError>),
    Restored(Result<u64, ChangeError>),
    Done,
}

/// A mailbox as the transaction sees it: its row, ahead of the database until [`Batch::finish`].
#[derive(Debug)]
pub(super) struct MailboxState {
    pub(super) account: AccountKey,
    pub(super) special_use: Option<SpecialUse>,
    pub(super) uid_validity: UidValidity,
    pub(super) uid_next: u32,
    pub(super) mod_seq: u64,
    pub(super) messages: i64,
    pub(super) unseen: i64,
    pub(super) deleted: i64,
    pub(super) size_octets: i64,
    /// Its MODSEQ when its row was read, and, where other nodes write, too, locked.
    read_at: u64,
    is_changed: bool,
    /// There is something below.
    is_touched: bool,
    /// With how many of them the database knows.
    keywords: Option<(Keywords, usize)>,
    base: Base,
    /// Rows that this transaction has changed or, where none, taken away.
    changed: HashMap<u32, Option<Row>>,
    /// Rows that this transaction has added.
    arrived: Vec<Row>,
}

/// Where the rows of before the transaction are.
#[derive(Debug, Default)]
enum Base {
    #[default]
    Unknown,
    Live(Arc<View>),
    Loaded(Vec<Row>),
}

#[derive(Debug, Default)]
struct AccountState {
    /// It was read: what is written without looking at the limit needs no more than the sums below.
    is_known: bool,
    used: Room,
    limits: Limits,
    /// Its domain, where that has a quota of its own.
    domain: Option<i64>,
    /// What this transaction adds.
    added: Room,
}

/// A domain with a quota, for one transaction.
#[derive(Debug, Default)]
struct DomainState {
    used: Room,
    limits: Limits,
    added: Room,
}

/// Room in mailboxes, taken or wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Room {
    octets: i64,
    messages: i64,
}

/// Room that there is; none: no limit.
#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    octets: Option<i64>,
    messages: Option<i64>,
}

impl std::ops::Add for Room {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            octets: self.octets.saturating_add(other.octets),
            messages: self.messages.saturating_add(other.messages),
        }
    }
}

impl Limits {
    fn hold(self, room: Room) -> bool {
        self.octets.is_none_or(|limit| room.octets <= limit) && self.messages.is_none_or(|limit| room.messages <= limit)
    }
}

/// An account may lack room for what is to be added.
pub(super) struct OverQuota;

/// A mailbox has no bit left for a keyword.
pub(super) struct TooManyKeywords;

/// What a transaction leaves, once it is committed.
pub(super) struct Finished {
    pub(super) changes: Vec<MailboxChange>,
    /// Something waits to be sent to other hosts.
    pub(super) is_queued: bool,
    pub(super) known: Known,
}

/// What is known of mailboxes and accounts: as the database has it, or ahead of it while a transaction runs.
///
/// Where nobody else writes it is good for the next transaction, too, until one fails or something else writes.
#[derive(Debug, Default)]
pub(super) struct Known {
    mailboxes: BTreeMap<MailboxKey, MailboxState>,
    names: HashMap<(AccountKey, String), MailboxKey>,
    uses: HashMap<(AccountKey, &'static str), MailboxKey>,
    accounts: BTreeMap<AccountKey, AccountState>,
    /// Of those that have a quota: as this transaction read them, for the next to forget.
    domains: BTreeMap<i64, DomainState>,
}

impl Known {
    /// Mailboxes that are remembered, at most.
    const MAILBOXES: usize = 4096;

    /// As it stands after the commit: what belonged to the transaction goes.
    fn settle(mut self) -> Self {
        if self.mailboxes.len() > Self::MAILBOXES {
            return Self::default();
        }
        for state in self.mailboxes.values_mut().filter(|state| state.is_touched) {
            state.settle();
        }
        self.domains.clear();
        self.accounts.retain(|_, account| account.is_known);
        for account in self.accounts.values_mut() {
            account.used = account.used + std::mem::take(&mut account.added);
        }
        self
    }
}

pub(super) struct Batch<'a, 'c> {
    pub(super) tx: &'a mut Transaction<'c>,
    pub(super) parts: &'a Parts,
    pub(super) now: Timestamp,
    cached: Known,
    /// Of the contents that come: those that are here.
    pub(super) known: HashMap<[u8; 32], MessageKey>,
    /// Of what they refer to: the threads.
    pub(super) threads: HashMap<i64, i64>,
    pub(super) new_contents: Vec<(MessageKey, Content)>,
    pub(super) arrivals: Vec<(MailboxKey, Row)>,
    pub(super) queued: Vec<queue::Insert<'a>>,
    pub(super) traces: Vec<queue::NewTrace<'a>>,
    pub(super) judgements: Vec<Judged<'a>>,
    pub(super) submissions: Vec<Submission>,
    pub(super) changes: Vec<MailboxChange>,
    pub(super) is_queued: bool,
}

impl<'a, 'c> Batch<'a, 'c> {
    pub(super) fn new(tx: &'a mut Transaction<'c>, parts: &'a Parts, cached: Known) -> Self {
        Self {
            tx,
            parts,
            now: parts.clock.now(),
            cached,
            known: HashMap::new(),
            threads: HashMap::new(),
            new_contents: Vec::new(),
            arrivals: Vec::new(),
            queued: Vec::new(),
            traces: Vec::new(),
            judgements: Vec::new(),
            submissions: Vec::new(),
            changes: Vec::new(),
            is_queued: false,
        }
    }

    /// Reads what the ops need, in few statements, and runs them in order.
    pub(super) async fn run(
        &mut self,
        ops: &'a [Op],
        recent: &HashMap<MailboxKey, u32>,
    ) -> Result<Vec<Answer>, StoreError> {
        self.look_up(ops).await?;
        for (mailbox, from) in recent {
            let text = "UPDATE mailbox SET recent_from = $1 WHERE mailbox_key = $2 AND recent_from < $1";
            self.tx.execute(Statement::new(text).bind(i64::from(*from)).bind(mailbox.value()));
        }
        let mut answers = Vec::with_capacity(ops.len());
        for op in ops {
            answers.push(self.run_one(op).await?);
        }
        self.flush()?;
        Ok(answers)
    }

    async fn run_one(&mut self, op: &'a Op) -> Result<Answer, StoreError> {
        if !matches!(op, Op::Accept(..) | Op::Append { .. } | Op::Settle(..) | Op::Refused(..)) {
            self.flush()?;
        }
        Ok(match op {
            Op::Accept(acceptances, _) => Answer::Accepted(self.accept(acceptances).await?),
            Op::Append { mailbox, messages, .. } => Answer::Appended(self.append(*mailbox, messages).await?),
            Op::Flags { mailbox, uids, change, unchanged_since, .. } => {
                Answer::Flags(self.store_flags(*mailbox, uids, change, *unchanged_since).await?)
            }
            Op::Expunge { mailbox, only, .. } => Answer::Expunged(self.expunge(*mailbox, only.as_ref()).await?),
            Op::Copy { from, uids, to, removes, .. } => Answer::Copied(self.copy(*from, uids, *to, *removes).await?),
            Op::Replace { from, uid, to, message, .. } => {
                Answer::Replaced(self.replace(*from, *uid, *to, message).await?)
            }
            Op::Restore { messages, to, .. } => Answer::Restored(self.restore(messages, *to).await?),
            Op::Settle(settling, _) => {
                queue::settle(self.tx, &self.parts.keys, self.now, &settling.settlements).await?;
                self.accept(&settling.notices).await?;
                Answer::Done
            }
            Op::Refused(refused, _) => {
                self.note_refused(refused);
                Answer::Done
            }
            Op::Recent => Answer::Done,
        })
    }

    /// Writes the counters of all that changed, and gives what is to be told after the commit.
    pub(super) fn finish(mut self) -> Finished {
        let states = self.cached.mailboxes.iter().filter(|(_, state)| state.is_changed);
        let changed: Vec<_> = states.collect();
        let head = "UPDATE mailbox SET uid_next = v.column2, highest_mod_seq = v.column3, messages = v.column4,
                           unseen = v.column5, deleted = v.column6, size_octets = v.column7 FROM (";
        let tail = ") AS v WHERE mailbox_key = v.column1";
        self.tx.execute_all(sql::insert(head, 7, tail, &changed, |statement, (key, state)| {
            statement
                .bind(key.value())
                .bind(i64::from(state.uid_next))
                .bind(signed(state.mod_seq))
                .bind(state.messages)
                .bind(state.unseen)
                .bind(state.deleted)
                .bind(state.size_octets)
        }));
        let states = self.cached.accounts.iter().filter(|(_, state)| state.added != Room::default());
        let used: Vec<_> = states.collect();
        let head = "UPDATE account SET used_octets = used_octets + v.column2, used_messages = used_messages + v.column3
                    FROM (";
        let tail = ") AS v WHERE account_key = v.column1";
        self.tx.execute_all(sql::insert(head, 3, tail, &used, |statement, (key, state)| {
            statement.bind(key.value()).bind(state.added.octets).bind(state.added.messages)
        }));
        Finished { changes: std::mem::take(&mut self.changes), is_queued: self.is_queued, known: self.cached.settle() }
    }

    pub(super) fn state(&self, mailbox: MailboxKey) -> Option<&MailboxState> {
        self.cached.mailboxes.get(&mailbox)
    }

    /// Notes what an act says of messages, for the account's filter to learn.
    pub(super) fn teach<'r>(&mut self, account: AccountKey, teaching: Teaching, rows: impl Iterator<Item = &'r Row>) {
        let messages: Vec<MessageKey> = rows.map(Row::message).collect();
        self.tx.execute_all(teaching.note(account, &messages, self.now));
    }

    /// For changing: its counters will be written.
    pub(super) fn state_mut(&mut self, mailbox: MailboxKey) -> Result<&mut MailboxState, StoreError> {
        let state = self.cached.mailboxes.get_mut(&mailbox);
        let state = state.ok_or_else(|| StoreError::damaged("a mailbox that went while it was changed"))?;
        (state.is_changed, state.is_touched) = (true, true);
        Ok(state)
    }

    /// The mailbox that a delivery goes to; INBOX where the one it names isn't there.
    pub(super) fn target(&self, account: AccountKey, target: &Target) -> Option<MailboxKey> {
        let wanted = match target {
            Target::Inbox => None,
            Target::Name(name) => self.cached.names.get(&(account, name.as_str().to_owned())),
            Target::Use(special_use) => self.cached.uses.get(&(account, special_use.as_str())),
            Target::Shared(reach) => {
                let may = reach.rights.has(Rights::INSERT) && self.cached.mailboxes.contains_key(&reach.mailbox);
                may.then_some(&reach.mailbox)
            }
        };
        wanted.or_else(|| self.cached.names.get(&(account, INBOX.to_owned()))).copied()
    }

    /// Takes room for `octets` in so many messages, of the account and of its domain, or none of it.
    pub(super) fn take_room(&mut self, account: AccountKey, octets: i64, messages: i64) -> Result<(), OverQuota> {
        let wanted = Room { octets, messages };
        let state = self.cached.accounts.entry(account).or_default();
        let domain = state.domain.and_then(|domain| self.cached.domains.get(&domain));
        let fits = state.limits.hold(state.used + state.added + wanted)
            && domain.is_none_or(|domain| domain.limits.hold(domain.used + domain.added + wanted));
        if !fits {
            return Err(OverQuota);
        }
        self.give_room(account, -octets, -messages);
        Ok(())
    }

    pub(super) fn give_room(&mut self, account: AccountKey, octets: i64, messages: i64) {
        let given = Room { octets: -octets, messages: -messages };
        let state = self.cached.accounts.entry(account).or_default();
        state.added = state.added + given;
        if let Some(domain) = state.domain.and_then(|domain| self.cached.domains.get_mut(&domain)) {
            domain.added = domain.added + given;
        }
    }

    /// The bits of flags in a mailbox; keywords that are new there get one, if `makes` says so, else they are passed over.
    pub(super) async fn bits(
        &mut self,
        mailbox: MailboxKey,
        flags: &[Flag],
        makes: bool,
    ) -> Result<Result<u64, TooManyKeywords>, StoreError> {
        let mut bits = 0;
        for flag in flags {
            match flag {
                Flag::System(flag) => bits |= u64::from(flag.bit()),
                Flag::Keyword(keyword) => {
                    let (keywords, _) = self.keywords(mailbox).await?;
                    match if makes { keywords.take(keyword) } else { keywords.bit(keyword) } {
                        Some(bit) => bits |= bit,
                        None if makes => return Ok(Err(TooManyKeywords)),
                        None => {}
                    }
                }
            }
        }
        if makes {
            self.keep_keywords(mailbox);
        }
        Ok(Ok(bits))
    }

    pub(super) async fn keywords(&mut self, mailbox: MailboxKey) -> Result<&mut (Keywords, usize), StoreError> {
        let state = self.cached.mailboxes.get_mut(&mailbox);
        let state = state.ok_or_else(|| StoreError::damaged("a mailbox that went while it was changed"))?;
        state.is_touched = true;
        if state.keywords.is_none() {
            // Another node's new keyword raises no MODSEQ where no message takes it: where there is one, only the database knows.
            let live = self.parts.views.live(mailbox).filter(|_| self.parts.engine.is_ours_alone());
            let keywords = match live {
                Some(view) => view.keyword_table(),
                None => load::keywords(self.tx.reader().await?, mailbox).await?,
            };
            let known = keywords.names().len();
            return Ok(state.keywords.insert((keywords, known)));
        }
        state.keywords.as_mut().ok_or_else(|| StoreError::damaged("keywords that went"))
    }

    /// Writes the keywords that are new.
    pub(super) fn keep_keywords(&mut self, mailbox: MailboxKey) {
        let Some(state) = self.cached.mailboxes.get_mut(&mailbox) else { return };
        let (account, mod_seq) = (state.account, state.mod_seq);
        let Some((keywords, known)) = &mut state.keywords else { return };
        let new: Vec<(i64, String)> =
            keywords.after(*known).map(|(bit, name)| (bit, name.as_str().to_owned())).collect();
        if new.is_empty() {
            return;
        }
        *known = keywords.names().len();
        let what = What::Keywords(keywords.clone());
        self.changes.push(MailboxChange { account, mailbox, mod_seq, what });
        let head = "INSERT INTO mailbox_keyword (mailbox_key, bit, name)";
        let bind =
            |statement: Statement, row: &(i64, String)| statement.bind(mailbox.value()).bind(row.0).bind(row.1.clone());
        self.tx.execute_all(sql::insert(head, 3, "", &new, bind));
    }

    /// The rows of `uids`, or of all, ascending, as this transaction sees them.
    pub(super) async fn rows(&mut self, mailbox: MailboxKey, uids: Option<&UidSet>) -> Result<Vec<Row>, StoreError> {
        let state = self.cached.mailboxes.get_mut(&mailbox);
        let state = state.ok_or_else(|| StoreError::damaged("a mailbox that went while it was changed"))?;
        state.is_touched = true;
        if matches!(state.base, Base::Unknown) {
            let is_alone = self.parts.engine.is_ours_alone();
            let live = self.parts.views.live(mailbox);
            // What another node changed, the view here may not know.
            state.base = if let Some(view) = live.filter(|view| is_alone || view.is_as_of(state.read_at)) {
                Base::Live(view)
            } else {
                // The database has already all that this transaction did.
                state.changed.clear();
                state.arrived.clear();
                Base::Loaded(load::rows(self.tx.reader().await?, mailbox).await?)
            };
        }
        let choose = |rows: &crate::view::Rows| -> Vec<Row> {
            match uids {
                Some(uids) => rows.select(uids).copied().collect(),
                None => rows.as_slice().to_vec(),
            }
        };
        let mut rows = match &state.base {
            Base::Unknown => Vec::new(),
            Base::Live(view) => view.read(choose),
            Base::Loaded(rows) => {
                let is_chosen = |row: &&Row| uids.is_none_or(|uids| row.uid().is_some_and(|uid| uids.contains(uid)));
                rows.iter().filter(is_chosen).copied().collect()
            }
        };
        let is_chosen = |row: &&Row| uids.is_none_or(|uids| row.uid().is_some_and(|uid| uids.contains(uid)));
        rows.extend(state.arrived.iter().filter(is_chosen));
        if !state.changed.is_empty() {
            rows.retain_mut(|row| match state.changed.get(&row.uid) {
                None => true,
                Some(None) => false,
                Some(Some(changed)) => {
                    *row = *changed;
                    true
                }
            });
        }
        Ok(rows)
    }

    /// Notes rows that changed or went, for the ops that come after in this transaction.
    pub(super) fn note_changed(
        &mut self,
        mailbox: MailboxKey,
        changed: impl IntoIterator<Item = (u32, Option<Row>)>,
    ) -> Result<(), StoreError> {
        self.state_mut(mailbox)?.changed.extend(changed);
        Ok(())
    }

    /// Notes new rows, and counts them.
    pub(super) fn note_arrived(&mut self, mailbox: MailboxKey, rows: &[Row]) -> Result<(), StoreError> {
        let state = self.state_mut(mailbox)?;
        for row in rows {
            state.count(row.flags, i64::from(row.size_octets), 1);
        }
        state.arrived.extend_from_slice(rows);
        Ok(())
    }
}

impl MailboxState {
    /// After the commit: no more than the row itself.
    fn settle(&mut self) {
        (self.is_changed, self.is_touched) = (false, false);
        (self.keywords, self.base) = (None, Base::Unknown);
        self.changed = HashMap::new();
        self.arrived = Vec::new();
    }

    /// Adds a message with these flags to the counts, or with -1 takes it away.
    pub(super) fn count(&mut self, flags: u64, size_octets: i64, sign: i64) {
        self.messages += sign;
        self.size_octets += sign * size_octets;
        self.count_flags(flags, sign);
    }

    pub(super) fn count_flags(&mut self, flags: u64, sign: i64) {
        self.unseen += if flags & SEEN == 0 { sign } else { 0 };
        self.deleted += if flags & DELETED == 0 { 0 } else { sign };
    }

    /// The next MODSEQ.
    pub(super) fn take_mod_seq(&mut self) -> u64 {
        self.mod_seq += 1;
        self.mod_seq
    }

    /// UIDs for so many messages: the first of them; none where the mailbox has run out.
    pub(super) fn take_uids(&mut self, count: usize) -> Option<u32> {
        let first = self.uid_next;
        self.uid_next = first.checked_add(u32::try_from(count).ok()?)?;
        Some(first)
    }
}

pub(super) const SEEN: u64 = relais_model::SystemFlag::Seen.bit() as u64;
pub(super) const DELETED: u64 = relais_model::SystemFlag::Deleted.bit() as u64;
const INBOX: &str = "INBOX";

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
