//! What was deleted is remembered, and comes back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use relais_model::{SpecialUse, SystemFlag, UidSet};
use sqlx::{AssertSqlSafe, Row as _};

use super::batch::{Batch, DELETED, OverQuota, TooManyKeywords, signed};
use crate::error::StoreError;
use crate::key::{MailboxKey, MessageKey};
use crate::message::ChangeError;
use crate::removed::remembering;
use crate::sql::{self, Statement};
use crate::view::load::{self, narrow, unsigned};
use crate::view::{Keywords, Row, row_seconds};

/// A message that comes back.
struct Remembered {
    message: i64,
    mailbox: MailboxKey,
    flags: u64,
    size_octets: u32,
    internal_date: u32,
}

impl Batch<'_, '_> {
    /// Remembers messages that are about to be deleted.
    pub(super) fn remember(&mut self, mailbox: MailboxKey, uids: &UidSet) {
        let Some(state) = self.state(mailbox) else { return };
        let (account, special_use) = (state.account, state.special_use);
        // Programs save a draft again and again, and expunge what stood there before.
        let kept = match special_use {
            Some(SpecialUse::Drafts) => format!("flags & {} = 0 AND ", SystemFlag::Draft.bit()),
            _ => String::new(),
        };
        for condition in sql::uid_conditions(uids) {
            let which = format!("{kept}{}", condition.text(4));
            let text = remembering(&which, special_use == Some(SpecialUse::Trash));
            let statement = Statement::new(text).bind(account.value()).bind(mailbox.value()).bind(self.now.millis());
            self.tx.execute(condition.complete(statement));
        }
    }

    pub(super) async fn restore(
        &mut self,
        messages: &[MessageKey],
        to: MailboxKey,
    ) -> Result<Result<u64, ChangeError>, StoreError> {
        let Some(account) = self.state(to).map(|state| state.account) else { return Ok(Err(ChangeError::NoMailbox)) };
        let mut remembered = Vec::with_capacity(messages.len());
        for chunk in sql::chunks(messages) {
            let count = sql::placeholders(chunk.len(), 1, 1);
            let text = format!(
                "SELECT message_key, mailbox_key, flags, size_octets, internal_date FROM removed_message
                 WHERE account_key = $1 AND message_key IN {count} ORDER BY internal_date, message_key"
            );
            let query = sqlx::query(AssertSqlSafe(text)).bind(account.value());
            let query = chunk.iter().fold(query, |query, key| query.bind(key.value()));
            for row in query.fetch_all(self.tx.reader().await?).await? {
                remembered.push(Remembered {
                    message: row.try_get(0)?,
                    mailbox: MailboxKey::new(row.try_get(1)?),
                    flags: unsigned(row.try_get(2)?)? & !DELETED,
                    size_octets: narrow(unsigned(row.try_get(3)?)?)?,
                    internal_date: narrow(unsigned(row.try_get(4)?)?)?,
                });
            }
        }
        if remembered.is_empty() {
            return Ok(Ok(0));
        }
        let Some(flags) = self.flags_in(to, &remembered).await? else { return Ok(Err(ChangeError::TooManyKeywords)) };
        let octets = remembered.iter().map(|row| i64::from(row.size_octets)).sum();
        if let Err(OverQuota) = self.take_room(account, octets, signed(remembered.len() as u64)) {
            return Ok(Err(ChangeError::OverQuota));
        }
        let state = self.state_mut(to)?;
        let Some(first) = state.take_uids(remembered.len()) else { return Ok(Err(ChangeError::NoMoreUids)) };
        let (mod_seq, saved_at) = (state.take_mod_seq(), row_seconds(self.now));
        for ((row, flags), uid) in remembered.iter().zip(flags).zip(first..) {
            let Remembered { message, size_octets, internal_date, .. } = *row;
            self.arrive(to, Row { message, flags, mod_seq, uid, size_octets, internal_date, saved_at })?;
        }
        self.forget(account.value(), &remembered).await?;
        self.flush()?;
        Ok(Ok(remembered.len() as u64))
    }

    /// Each row's flags as the mailbox `to` writes them; none where it has no room for a keyword.
    async fn flags_in(&mut self, to: MailboxKey, rows: &[Remembered]) -> Result<Option<Vec<u64>>, StoreError> {
        let mut known: HashMap<MailboxKey, Keywords> = HashMap::new();
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let system = row.flags & SYSTEM;
            if row.flags == system {
                all.push(system);
                continue;
            }
            let keywords = match known.entry(row.mailbox) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(load::keywords(self.tx.reader().await?, row.mailbox).await?),
            };
            match self.bits(to, &keywords.flags(row.flags & !SYSTEM), true).await? {
                Ok(bits) => all.push(system | bits),
                Err(TooManyKeywords) => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// What came back isn't deleted any more; whoever else took it back meanwhile, on another node, wins.
    async fn forget(&mut self, account: i64, rows: &[Remembered]) -> Result<(), StoreError> {
        for chunk in sql::chunks(rows) {
            let count = sql::placeholders(chunk.len(), 1, 1);
            let text = format!("DELETE FROM removed_message WHERE account_key = $1 AND message_key IN {count}");
            let query = sqlx::query(AssertSqlSafe(text)).bind(account);
            let query = chunk.iter().fold(query, |query, row| query.bind(row.message));
            let gone = query.execute(self.tx.writer().await?).await?.rows_affected();
            if gone != chunk.len() as u64 {
                return Err(StoreError::damaged("messages that were taken back twice at once"));
            }
        }
        Ok(())
    }
}

const SYSTEM: u64 = 31;
