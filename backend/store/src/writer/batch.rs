//! One transaction: what it has read of mailboxes and accounts, what it has changed, and what it will tell.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use relais_model::{Flag, MailboxName, Timestamp, UidSet, UidValidity};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Op, Parts};
use crate::content::Content;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey, MessageKey};
use crate::message::{Acceptance, Accepted, Appended, ChangeError, Copied, Expunged, FlagsStored, Target};
use crate::queue;
use crate::sql::{self, Statement};
use crate::thread;
use crate::transaction::Transaction;
use crate::view::load::{self, narrow, uid_validity, unsigned};
use crate::view::{Keywords, MailboxChange, Row, View, What};

/// What an op came to.
pub(super) enum Answer {
    Accepted(Vec<Accepted>),
    Appended(Result<Appended, ChangeError>),
    Flags(Result<FlagsStored, ChangeError>),
    Expunged(Result<Expunged, ChangeError>),
    Copied(Result<Copied, ChangeError>),
    Done,
}

/// A mailbox as the transaction sees it: its row, ahead of the database until [`Batch::finish`].
#[derive(Debug)]
pub(super) struct MailboxState {
    pub(super) account: AccountKey,
    pub(super) uid_validity: UidValidity,
    pub(super) uid_next: u32,
    pub(super) mod_seq: u64,
    pub(super) messages: i64,
    pub(super) unseen: i64,
    pub(super) deleted: i64,
    pub(super) size_octets: i64,
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
    used_octets: i64,
    limit_octets: Option<i64>,
    /// What this transaction adds.
    octets: i64,
    messages: i64,
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
        self.accounts.retain(|_, account| account.is_known);
        for account in self.accounts.values_mut() {
            account.used_octets += std::mem::take(&mut account.octets);
            account.messages = 0;
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
        if !matches!(op, Op::Accept(..) | Op::Append { .. } | Op::Settle(..)) {
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
            Op::Settle(settling, _) => {
                queue::settle(self.tx, &self.parts.keys, self.now, &settling.settlements).await?;
                self.accept(&settling.notices).await?;
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
        let states = self.cached.accounts.iter().filter(|(_, state)| state.octets != 0 || state.messages != 0);
        let used: Vec<_> = states.collect();
        let head = "UPDATE account SET used_octets = used_octets + v.column2, used_messages = used_messages + v.column3
                    FROM (";
        let tail = ") AS v WHERE account_key = v.column1";
        self.tx.execute_all(sql::insert(head, 3, tail, &used, |statement, (key, state)| {
            statement.bind(key.value()).bind(state.octets).bind(state.messages)
        }));
        Finished { changes: std::mem::take(&mut self.changes), is_queued: self.is_queued, known: self.cached.settle() }
    }

    pub(super) fn state(&self, mailbox: MailboxKey) -> Option<&MailboxState> {
        self.cached.mailboxes.get(&mailbox)
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
        };
        wanted.or_else(|| self.cached.names.get(&(account, INBOX.to_owned()))).copied()
    }

    /// Takes room for `octets` in so many messages, or none of it.
    pub(super) fn take_room(&mut self, account: AccountKey, octets: i64, messages: i64) -> Result<(), OverQuota> {
        let state = self.cached.accounts.entry(account).or_default();
        let used = state.used_octets.saturating_add(state.octets).saturating_add(octets);
        if state.limit_octets.is_some_and(|limit| used > limit) {
            return Err(OverQuota);
        }
        self.give_room(account, -octets, -messages);
        Ok(())
    }

    pub(super) fn give_room(&mut self, account: AccountKey, octets: i64, messages: i64) {
        let state = self.cached.accounts.entry(account).or_default();
        state.octets -= octets;
        state.messages -= messages;
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
            let keywords = match self.parts.views.live(mailbox) {
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
            state.base = if let Some(view) = self.parts.views.live(mailbox) {
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

    async fn look_up(&mut self, ops: &[Op]) -> Result<(), StoreError> {
        let mut wanted = Wanted::default();
        for op in ops {
            wanted.add(op);
        }
        wanted.mailboxes.retain(|key| !self.cached.mailboxes.contains_key(key));
        wanted.names.retain(|name| !self.cached.names.contains_key(name));
        wanted.uses.retain(|special_use| !self.cached.uses.contains_key(special_use));
        self.look_up_mailboxes(&wanted).await?;
        let owner = |key| self.cached.mailboxes.get(key).map(|state| state.account);
        let mut accounts = wanted.accounts;
        accounts.extend(wanted.filled.iter().filter_map(owner));
        accounts.retain(|key| !self.cached.accounts.contains_key(key));
        self.look_up_accounts(accounts).await?;
        self.look_up_contents(&wanted.hashes, &wanted.references).await
    }

    async fn look_up_mailboxes(&mut self, wanted: &Wanted) -> Result<(), StoreError> {
        let for_update = self.parts.engine.for_update();
        if !wanted.mailboxes.is_empty() {
            let count = sql::padded(wanted.mailboxes.len());
            let text = format!("{MAILBOX} WHERE mailbox_key IN {}{for_update}", sql::placeholders(count, 1, 0));
            let query = sqlx::query(AssertSqlSafe(text));
            let query = pad(&wanted.mailboxes, count).fold(query, |query, key| query.bind(key.value()));
            let rows = query.fetch_all(self.tx.reader().await?).await?;
            self.take_mailboxes(&rows)?;
        }
        if !wanted.names.is_empty() {
            let count = sql::padded(wanted.names.len());
            let values = sql::placeholders(2, count, 0);
            let text = format!("{MAILBOX} WHERE (account_key, name) IN (VALUES {values}){for_update}");
            let query = sqlx::query(AssertSqlSafe(text));
            let bound = pad(&wanted.names, count);
            let query = bound.fold(query, |query, (account, name)| query.bind(account.value()).bind(name.clone()));
            let rows = query.fetch_all(self.tx.reader().await?).await?;
            self.take_mailboxes(&rows)?;
        }
        for (account, special_use) in &wanted.uses {
            let text = format!("{MAILBOX} WHERE account_key = $1 AND special_use = $2{for_update}");
            let query = sqlx::query(AssertSqlSafe(text)).bind(account.value()).bind((*special_use).to_owned());
            let rows = query.fetch_all(self.tx.reader().await?).await?;
            self.take_mailboxes(&rows)?;
            if let Some(row) = rows.first() {
                self.cached.uses.insert((*account, special_use), MailboxKey::new(row.try_get(0)?));
            }
        }
        Ok(())
    }

    fn take_mailboxes(&mut self, rows: &[AnyRow]) -> Result<(), StoreError> {
        for row in rows {
            let (key, account) = (MailboxKey::new(row.try_get(0)?), AccountKey::new(row.try_get(1)?));
            self.cached.names.insert((account, row.try_get(2)?), key);
            let state = MailboxState {
                account,
                uid_validity: uid_validity(row.try_get(3)?)?,
                uid_next: narrow(unsigned(row.try_get(4)?)?)?,
                mod_seq: unsigned(row.try_get(5)?)?,
                messages: row.try_get(6)?,
                unseen: row.try_get(7)?,
                deleted: row.try_get(8)?,
                size_octets: row.try_get(9)?,
                is_changed: false,
                is_touched: false,
                keywords: None,
                base: Base::Unknown,
                changed: HashMap::new(),
                arrived: Vec::new(),
            };
            self.cached.mailboxes.entry(key).or_insert(state);
        }
        Ok(())
    }

    async fn look_up_accounts(&mut self, mut accounts: Vec<AccountKey>) -> Result<(), StoreError> {
        accounts.sort_unstable();
        accounts.dedup();
        if accounts.is_empty() {
            return Ok(());
        }
        let count = sql::padded(accounts.len());
        let text = format!(
            "SELECT account_key, used_octets, quota_octets FROM account WHERE account_key IN {}{}",
            sql::placeholders(count, 1, 0),
            self.parts.engine.for_update()
        );
        let query = pad(&accounts, count).fold(sqlx::query(AssertSqlSafe(text)), |query, key| query.bind(key.value()));
        for row in query.fetch_all(self.tx.reader().await?).await? {
            let (used_octets, limit_octets) = (row.try_get(1)?, row.try_get(2)?);
            let state = AccountState { is_known: true, used_octets, limit_octets, ..AccountState::default() };
            self.cached.accounts.insert(AccountKey::new(row.try_get(0)?), state);
        }
        Ok(())
    }

    /// What the database knows of contents that come, and of what they refer to: in one statement, for each crossing counts.
    async fn look_up_contents(&mut self, hashes: &[[u8; 32]], references: &[i64]) -> Result<(), StoreError> {
        let (mut hashes, mut references) = (hashes.chunks(LOOKED_UP), references.chunks(LOOKED_UP));
        loop {
            let (hashes, references) = (hashes.next().unwrap_or_default(), references.next().unwrap_or_default());
            if hashes.is_empty() && references.is_empty() {
                return Ok(());
            }
            // As many of each, so that there are few texts.
            let count = sql::padded(hashes.len().max(references.len()));
            let text = format!(
                "SELECT hash, CAST(NULL AS BIGINT), message_key FROM message WHERE hash IN {}
                 UNION ALL SELECT NULL, ref_hash, thread_key FROM thread_ref WHERE ref_hash IN {}",
                sql::placeholders(count, 1, 0),
                sql::placeholders(count, 1, count)
            );
            let query = sqlx::query(AssertSqlSafe(text));
            let query = (0..count).fold(query, |query, at| query.bind(hashes.get(at).map(|hash| hash.to_vec())));
            let query = (0..count).fold(query, |query, at| query.bind(references.get(at).copied()));
            for row in query.fetch_all(self.tx.reader().await?).await? {
                self.take_known(&row)?;
            }
        }
    }

    fn take_known(&mut self, row: &AnyRow) -> Result<(), StoreError> {
        let key = row.try_get(2)?;
        if let Some(reference) = row.try_get::<Option<i64>, _>(1)? {
            self.threads.insert(reference, key);
            return Ok(());
        }
        let hash: Vec<u8> = row.try_get(0)?;
        let hash = hash.try_into().map_err(|_| StoreError::damaged("a hash of another length"))?;
        self.known.insert(hash, MessageKey::new(key));
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
/// Hashes of one kind that one statement looks up.
const LOOKED_UP: usize = 512;
const INBOX: &str = "INBOX";

const MAILBOX: &str =
    "SELECT mailbox_key, account_key, name, uid_validity, uid_next, highest_mod_seq, messages, unseen,
    deleted, size_octets FROM mailbox";

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// `items`, the last of them again until there are `count`.
fn pad<T>(items: &[T], count: usize) -> impl Iterator<Item = &T> {
    items.iter().chain(items.last().into_iter().cycle()).take(count)
}

/// What ops name.
#[derive(Default)]
struct Wanted {
    mailboxes: Vec<MailboxKey>,
    /// Those whose accounts must have room.
    filled: Vec<MailboxKey>,
    accounts: Vec<AccountKey>,
    names: Vec<(AccountKey, String)>,
    uses: Vec<(AccountKey, &'static str)>,
    hashes: Vec<[u8; 32]>,
    references: Vec<i64>,
}

impl Wanted {
    fn add(&mut self, op: &Op) {
        match op {
            Op::Accept(acceptances, _) => self.add_acceptances(acceptances),
            Op::Settle(settling, _) => self.add_acceptances(&settling.notices),
            Op::Append { mailbox, messages, .. } => {
                self.add_mailbox(*mailbox);
                self.filled.push(*mailbox);
                for message in messages {
                    self.add_content(&message.content);
                }
            }
            Op::Flags { mailbox, .. } | Op::Expunge { mailbox, .. } => self.add_mailbox(*mailbox),
            Op::Copy { from, to, .. } => {
                self.add_mailbox(*from);
                self.add_mailbox(*to);
                self.filled.push(*to);
            }
            Op::Recent => {}
        }
    }

    fn add_content(&mut self, content: &Content) {
        self.hashes.push(content.prepared().hash);
        self.references.extend(thread::references(content.facts()));
    }

    fn add_mailbox(&mut self, mailbox: MailboxKey) {
        if !self.mailboxes.contains(&mailbox) {
            self.mailboxes.push(mailbox);
        }
    }

    fn add_acceptances(&mut self, acceptances: &[Acceptance]) {
        for acceptance in acceptances {
            self.add_content(&acceptance.content);
            for delivery in &acceptance.deliveries {
                self.accounts.push(delivery.account);
                self.add_name(delivery.account, INBOX);
                match &delivery.mailbox {
                    Target::Inbox => {}
                    Target::Name(name) => self.add_name(delivery.account, MailboxName::as_str(name)),
                    Target::Use(special_use) => {
                        let wanted = (delivery.account, special_use.as_str());
                        if !self.uses.contains(&wanted) {
                            self.uses.push(wanted);
                        }
                    }
                }
            }
        }
    }

    fn add_name(&mut self, account: AccountKey, name: &str) {
        if !self.names.iter().any(|known| known.0 == account && known.1 == name) {
            self.names.push((account, name.to_owned()));
        }
    }
}
