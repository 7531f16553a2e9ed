//! One transaction: what it has read of mailboxes and accounts, what it has changed, and what it will tell.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use relais_model::{Flag, MailboxName, Timestamp, UidSet, UidValidity};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Op, Parts};
use crate::content::Content;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey, MessageKey};
use crate::message::{Acceptance, Accepted, Appended, ChangeError, Copied, Expunged, FlagsStored, Target};
use crate::queue;
use crate::sql;
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

pub(super) struct Batch<'a> {
    pub(super) tx: &'a mut AnyConnection,
    pub(super) parts: &'a Parts,
    pub(super) now: Timestamp,
    mailboxes: BTreeMap<MailboxKey, MailboxState>,
    names: HashMap<(AccountKey, String), MailboxKey>,
    uses: HashMap<(AccountKey, &'static str), MailboxKey>,
    accounts: BTreeMap<AccountKey, AccountState>,
    pub(super) known: HashMap<[u8; 32], MessageKey>,
    pub(super) new_contents: Vec<(MessageKey, Content)>,
    pub(super) arrivals: Vec<(MailboxKey, Row)>,
    pub(super) queued: Vec<queue::Insert<'a>>,
    pub(super) traces: Vec<queue::NewTrace<'a>>,
    pub(super) changes: Vec<MailboxChange>,
    pub(super) is_queued: bool,
}

impl<'a> Batch<'a> {
    pub(super) fn new(tx: &'a mut AnyConnection, parts: &'a Parts) -> Self {
        Self {
            tx,
            parts,
            now: parts.clock.now(),
            mailboxes: BTreeMap::new(),
            names: HashMap::new(),
            uses: HashMap::new(),
            accounts: BTreeMap::new(),
            known: HashMap::new(),
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
        recent: HashMap<MailboxKey, u32>,
    ) -> Result<Vec<Answer>, StoreError> {
        self.look_up(ops).await?;
        for (mailbox, from) in recent {
            sqlx::query("UPDATE mailbox SET recent_from = $1 WHERE mailbox_key = $2 AND recent_from < $1")
                .bind(i64::from(from))
                .bind(mailbox.value())
                .execute(&mut *self.tx)
                .await?;
        }
        let mut answers = Vec::with_capacity(ops.len());
        for op in ops {
            answers.push(self.run_one(op).await?);
        }
        self.flush().await?;
        Ok(answers)
    }

    async fn run_one(&mut self, op: &'a Op) -> Result<Answer, StoreError> {
        if !matches!(op, Op::Accept(..) | Op::Append { .. } | Op::Settle(..)) {
            self.flush().await?;
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
                queue::settle(&mut *self.tx, &self.parts.keys, self.now, &settling.settlements).await?;
                self.accept(&settling.notices).await?;
                Answer::Done
            }
            Op::Recent => Answer::Done,
        })
    }

    /// Writes the counters of all that changed, and gives what is to be told after the commit.
    pub(super) async fn finish(mut self) -> Result<(Vec<MailboxChange>, bool), StoreError> {
        let changed: Vec<_> = self.mailboxes.iter().filter(|(_, state)| state.is_changed).collect();
        for (key, state) in changed {
            sqlx::query(
                "UPDATE mailbox SET uid_next = $1, highest_mod_seq = $2, messages = $3, unseen = $4, deleted = $5,
                        size_octets = $6 WHERE mailbox_key = $7",
            )
            .bind(i64::from(state.uid_next))
            .bind(signed(state.mod_seq))
            .bind(state.messages)
            .bind(state.unseen)
            .bind(state.deleted)
            .bind(state.size_octets)
            .bind(key.value())
            .execute(&mut *self.tx)
            .await?;
        }
        let used = self.accounts.iter().filter(|(_, state)| state.octets != 0 || state.messages != 0);
        for (key, state) in used {
            sqlx::query(
                "UPDATE account SET used_octets = used_octets + $1, used_messages = used_messages + $2
                 WHERE account_key = $3",
            )
            .bind(state.octets)
            .bind(state.messages)
            .bind(key.value())
            .execute(&mut *self.tx)
            .await?;
        }
        Ok((std::mem::take(&mut self.changes), self.is_queued))
    }

    pub(super) fn state(&self, mailbox: MailboxKey) -> Option<&MailboxState> {
        self.mailboxes.get(&mailbox)
    }

    /// For changing: its counters will be written.
    pub(super) fn state_mut(&mut self, mailbox: MailboxKey) -> Result<&mut MailboxState, StoreError> {
        let state = self.mailboxes.get_mut(&mailbox);
        let state = state.ok_or_else(|| StoreError::damaged("a mailbox that went while it was changed"))?;
        state.is_changed = true;
        Ok(state)
    }

    /// The mailbox that a delivery goes to; INBOX where the one it names isn't there.
    pub(super) fn target(&self, account: AccountKey, target: &Target) -> Option<MailboxKey> {
        let wanted = match target {
            Target::Inbox => None,
            Target::Name(name) => self.names.get(&(account, name.as_str().to_owned())),
            Target::Use(special_use) => self.uses.get(&(account, special_use.as_str())),
        };
        wanted.or_else(|| self.names.get(&(account, INBOX.to_owned()))).copied()
    }

    /// Takes room for `octets` in so many messages, or none of it.
    pub(super) fn take_room(&mut self, account: AccountKey, octets: i64, messages: i64) -> Result<(), OverQuota> {
        let state = self.accounts.entry(account).or_default();
        let used = state.used_octets.saturating_add(state.octets).saturating_add(octets);
        if state.limit_octets.is_some_and(|limit| used > limit) {
            return Err(OverQuota);
        }
        self.give_room(account, -octets, -messages);
        Ok(())
    }

    pub(super) fn give_room(&mut self, account: AccountKey, octets: i64, messages: i64) {
        let state = self.accounts.entry(account).or_default();
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
            self.keep_keywords(mailbox).await?;
        }
        Ok(Ok(bits))
    }

    pub(super) async fn keywords(&mut self, mailbox: MailboxKey) -> Result<&mut (Keywords, usize), StoreError> {
        let state = self.mailboxes.get_mut(&mailbox);
        let state = state.ok_or_else(|| StoreError::damaged("a mailbox that went while it was changed"))?;
        if state.keywords.is_none() {
            let keywords = match self.parts.views.live(mailbox) {
                Some(view) => view.keyword_table(),
                None => load::keywords(&mut *self.tx, mailbox).await?,
            };
            let known = keywords.names().len();
            return Ok(state.keywords.insert((keywords, known)));
        }
        state.keywords.as_mut().ok_or_else(|| StoreError::damaged("keywords that went"))
    }

    /// Writes the keywords that are new.
    pub(super) async fn keep_keywords(&mut self, mailbox: MailboxKey) -> Result<(), StoreError> {
        let Some(state) = self.mailboxes.get_mut(&mailbox) else { return Ok(()) };
        let (account, mod_seq) = (state.account, state.mod_seq);
        let Some((keywords, known)) = &mut state.keywords else { return Ok(()) };
        let new: Vec<(i64, String)> =
            keywords.after(*known).map(|(bit, name)| (bit, name.as_str().to_owned())).collect();
        if new.is_empty() {
            return Ok(());
        }
        *known = keywords.names().len();
        let what = What::Keywords(keywords.clone());
        self.changes.push(MailboxChange { account, mailbox, mod_seq, what });
        let head = "INSERT INTO mailbox_keyword (mailbox_key, bit, name)";
        let bind = |statement: sql::Statement, row: &(i64, String)| {
            statement.bind(mailbox.value()).bind(row.0).bind(row.1.clone())
        };
        Ok(sql::insert(&mut *self.tx, head, 3, "", &new, bind).await?)
    }

    /// The rows of `uids`, or of all, ascending, as this transaction sees them.
    pub(super) async fn rows(&mut self, mailbox: MailboxKey, uids: Option<&UidSet>) -> Result<Vec<Row>, StoreError> {
        let state = self.mailboxes.get_mut(&mailbox);
        let state = state.ok_or_else(|| StoreError::damaged("a mailbox that went while it was changed"))?;
        if matches!(state.base, Base::Unknown) {
            state.base = if let Some(view) = self.parts.views.live(mailbox) {
                Base::Live(view)
            } else {
                // The database has already all that this transaction did.
                state.changed.clear();
                state.arrived.clear();
                Base::Loaded(load::rows(&mut *self.tx, mailbox).await?)
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
        self.look_up_mailboxes(&wanted).await?;
        let accounts: Vec<AccountKey> = self.mailboxes.values().map(|state| state.account).collect();
        self.look_up_accounts(accounts).await?;
        self.look_up_contents(wanted.hashes).await
    }

    async fn look_up_mailboxes(&mut self, wanted: &Wanted) -> Result<(), StoreError> {
        let for_update = self.parts.engine.for_update();
        if !wanted.mailboxes.is_empty() {
            let count = sql::padded(wanted.mailboxes.len());
            let text = format!("{MAILBOX} WHERE mailbox_key IN {}{for_update}", sql::placeholders(count, 1, 0));
            let query = sqlx::query(AssertSqlSafe(text));
            let query = pad(&wanted.mailboxes, count).fold(query, |query, key| query.bind(key.value()));
            let rows = query.fetch_all(&mut *self.tx).await?;
            self.take_mailboxes(&rows)?;
        }
        if !wanted.names.is_empty() {
            let count = sql::padded(wanted.names.len());
            let values = sql::placeholders(2, count, 0);
            let text = format!("{MAILBOX} WHERE (account_key, name) IN (VALUES {values}){for_update}");
            let query = sqlx::query(AssertSqlSafe(text));
            let bound = pad(&wanted.names, count);
            let query = bound.fold(query, |query, (account, name)| query.bind(account.value()).bind(name.clone()));
            let rows = query.fetch_all(&mut *self.tx).await?;
            self.take_mailboxes(&rows)?;
        }
        for (account, special_use) in &wanted.uses {
            let text = format!("{MAILBOX} WHERE account_key = $1 AND special_use = $2{for_update}");
            let query = sqlx::query(AssertSqlSafe(text)).bind(account.value()).bind((*special_use).to_owned());
            let rows = query.fetch_all(&mut *self.tx).await?;
            self.take_mailboxes(&rows)?;
            if let Some(row) = rows.first() {
                self.uses.insert((*account, special_use), MailboxKey::new(row.try_get(0)?));
            }
        }
        Ok(())
    }

    fn take_mailboxes(&mut self, rows: &[AnyRow]) -> Result<(), StoreError> {
        for row in rows {
            let (key, account) = (MailboxKey::new(row.try_get(0)?), AccountKey::new(row.try_get(1)?));
            self.names.insert((account, row.try_get(2)?), key);
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
                keywords: None,
                base: Base::Unknown,
                changed: HashMap::new(),
                arrived: Vec::new(),
            };
            self.mailboxes.entry(key).or_insert(state);
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
        for row in query.fetch_all(&mut *self.tx).await? {
            let (used_octets, limit_octets) = (row.try_get(1)?, row.try_get(2)?);
            let state = AccountState { used_octets, limit_octets, ..AccountState::default() };
            self.accounts.insert(AccountKey::new(row.try_get(0)?), state);
        }
        Ok(())
    }

    async fn look_up_contents(&mut self, hashes: Vec<[u8; 32]>) -> Result<(), StoreError> {
        if hashes.is_empty() {
            return Ok(());
        }
        let count = sql::padded(hashes.len());
        let text = format!("SELECT hash, message_key FROM message WHERE hash IN {}", sql::placeholders(count, 1, 0));
        let query = pad(&hashes, count).fold(sqlx::query(AssertSqlSafe(text)), |query, hash| query.bind(hash.to_vec()));
        for row in query.fetch_all(&mut *self.tx).await? {
            let hash: Vec<u8> = row.try_get(0)?;
            let hash = hash.try_into().map_err(|_| StoreError::damaged("a hash of another length"))?;
            self.known.insert(hash, MessageKey::new(row.try_get(1)?));
        }
        Ok(())
    }
}

impl MailboxState {
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
    names: Vec<(AccountKey, String)>,
    uses: Vec<(AccountKey, &'static str)>,
    hashes: Vec<[u8; 32]>,
}

impl Wanted {
    fn add(&mut self, op: &Op) {
        match op {
            Op::Accept(acceptances, _) => self.add_acceptances(acceptances),
            Op::Settle(settling, _) => self.add_acceptances(&settling.notices),
            Op::Append { mailbox, messages, .. } => {
                self.add_mailbox(*mailbox);
                self.hashes.extend(messages.iter().map(|message| message.content.prepared().hash));
            }
            Op::Flags { mailbox, .. } | Op::Expunge { mailbox, .. } => self.add_mailbox(*mailbox),
            Op::Copy { from, to, .. } => {
                self.add_mailbox(*from);
                self.add_mailbox(*to);
            }
            Op::Recent => {}
        }
    }

    fn add_mailbox(&mut self, mailbox: MailboxKey) {
        if !self.mailboxes.contains(&mailbox) {
            self.mailboxes.push(mailbox);
        }
    }

    fn add_acceptances(&mut self, acceptances: &[Acceptance]) {
        for acceptance in acceptances {
            self.hashes.push(acceptance.content.prepared().hash);
            for delivery in &acceptance.deliveries {
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
