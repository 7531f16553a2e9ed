//! What a transaction must know of the database before it begins: read for all its ops together, in few statements.

use std::collections::HashMap;

use relais_model::{MailboxName, SpecialUse};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::super::Op;
use super::{AccountState, Base, Batch, DomainState, INBOX, Limits, MailboxState, Room};
use crate::content::Content;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey, MessageKey};
use crate::message::{Acceptance, Target};
use crate::view::load::{narrow, uid_validity, unsigned};
use crate::{sql, thread};

/// Hashes of one kind that one statement looks up.
const LOOKED_UP: usize = 512;

const MAILBOX: &str =
    "SELECT mailbox_key, account_key, name, uid_validity, uid_next, highest_mod_seq, messages, unseen,
    deleted, size_octets, special_use FROM mailbox";

impl Batch<'_, '_> {
    /// Reads what `ops` name and isn't known yet.
    pub(super) async fn look_up(&mut self, ops: &[Op]) -> Result<(), StoreError> {
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
        let mut domains: Vec<i64> = accounts.iter().filter_map(|key| self.cached.accounts.get(key)?.domain).collect();
        accounts.retain(|key| !self.cached.accounts.contains_key(key));
        domains.extend(self.look_up_accounts(accounts).await?);
        self.look_up_domains(domains).await?;
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
            let mod_seq = unsigned(row.try_get(5)?)?;
            if !self.parts.engine.is_ours_alone() {
                self.parts.views.overtake(key, Some(mod_seq));
            }
            let state = MailboxState {
                account,
                special_use: row.try_get::<Option<String>, _>(10)?.as_deref().and_then(SpecialUse::parse),
                uid_validity: uid_validity(row.try_get(3)?)?,
                uid_next: narrow(unsigned(row.try_get(4)?)?)?,
                mod_seq,
                read_at: mod_seq,
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

    /// Gives the domains among theirs that have a quota.
    async fn look_up_accounts(&mut self, mut accounts: Vec<AccountKey>) -> Result<Vec<i64>, StoreError> {
        accounts.sort_unstable();
        accounts.dedup();
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let count = sql::padded(accounts.len());
        let text = format!(
            "SELECT account_key, used_octets, used_messages, quota_octets, quota_messages,
                    (SELECT d.domain_key FROM domain d WHERE d.domain_key = account.domain_key
                         AND (d.quota_octets IS NOT NULL OR d.quota_messages IS NOT NULL))
             FROM account WHERE account_key IN {}{}",
            sql::placeholders(count, 1, 0),
            self.parts.engine.for_update()
        );
        let query = pad(&accounts, count).fold(sqlx::query(AssertSqlSafe(text)), |query, key| query.bind(key.value()));
        let mut domains = Vec::new();
        for row in query.fetch_all(self.tx.reader().await?).await? {
            let state = AccountState {
                is_known: true,
                used: Room { octets: row.try_get(1)?, messages: row.try_get(2)? },
                limits: Limits { octets: row.try_get(3)?, messages: row.try_get(4)? },
                domain: row.try_get(5)?,
                added: Room::default(),
            };
            domains.extend(state.domain);
            self.cached.accounts.insert(AccountKey::new(row.try_get(0)?), state);
        }
        Ok(domains)
    }

    /// What the people of domains with a quota hold together.
    async fn look_up_domains(&mut self, mut domains: Vec<i64>) -> Result<(), StoreError> {
        domains.sort_unstable();
        domains.dedup();
        for chunk in sql::chunks(&domains) {
            let text = format!(
                "SELECT d.domain_key, d.quota_octets, d.quota_messages, CAST(COALESCE(SUM(a.used_octets), 0) AS BIGINT),
                        CAST(COALESCE(SUM(a.used_messages), 0) AS BIGINT)
                 FROM domain d LEFT JOIN account a ON a.domain_key = d.domain_key AND a.removed_at IS NULL
                 WHERE d.domain_key IN {} GROUP BY d.domain_key, d.quota_octets, d.quota_messages",
                sql::placeholders(chunk.len(), 1, 0)
            );
            let query = chunk.iter().fold(sqlx::query(AssertSqlSafe(text)), |query, key| query.bind(*key));
            for row in query.fetch_all(self.tx.reader().await?).await? {
                let limits = Limits { octets: row.try_get(1)?, messages: row.try_get(2)? };
                let used = Room { octets: row.try_get(3)?, messages: row.try_get(4)? };
                self.cached.domains.insert(row.try_get(0)?, DomainState { used, limits, added: Room::default() });
            }
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
                self.add_mailbox(mailbox.mailbox);
                self.filled.push(mailbox.mailbox);
                for message in messages {
                    self.add_content(&message.content);
                }
            }
            Op::Flags { mailbox, .. } | Op::Expunge { mailbox, .. } => self.add_mailbox(mailbox.mailbox),
            Op::Copy { from, to, .. } => {
                self.add_mailbox(from.mailbox);
                self.add_mailbox(to.mailbox);
                self.filled.push(to.mailbox);
            }
            Op::Replace { from, to, message, .. } => {
                self.add_mailbox(from.mailbox);
                self.add_mailbox(to.mailbox);
                self.filled.extend([from.mailbox, to.mailbox]);
                self.add_content(&message.content);
            }
            Op::Restore { to, .. } => {
                self.add_mailbox(*to);
                self.filled.push(*to);
            }
            Op::Refused(..) | Op::Recent => {}
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
                    Target::Shared(reach) => {
                        self.add_mailbox(reach.mailbox);
                        self.filled.push(reach.mailbox);
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
