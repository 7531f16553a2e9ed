//! Messages that are out of the way until a time, and come back then.
//!
//! Invariants: the message itself stands in a mailbox like any other; a row only says when it comes back. UIDs are never given twice, so that a
//! row whose message was moved on or deleted finds nothing, and goes when its time has come. An account has [`MAX_SNOOZED`] rows.

use relais_model::{Timestamp, Uid, UidSet};
use sqlx::{AnyConnection, Row as _};

use crate::{AccountKey, MailboxKey, Store, StoreError};

/// Messages of one account that are out of the way.
pub const MAX_SNOOZED: i64 = 5000;
/// Rows that are looked at at once.
const AT_ONCE: i64 = 100;

/// A message that comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snoozed {
    /// Whose it is.
    pub account: AccountKey,
    /// Where it waits.
    pub mailbox: MailboxKey,
    /// In it.
    pub uid: Uid,
    /// When it comes back.
    pub due_at: Timestamp,
}

impl Store {
    /// Whether `more` messages of an account may be put out of the way.
    pub async fn has_room_to_snooze(&self, account: AccountKey, more: u64) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM snoozed WHERE account_key = $1";
        let row = sqlx::query(sql).bind(account.value()).fetch_one(&mut *self.reader().await?).await?;
        let waiting: i64 = row.try_get(0)?;
        Ok(waiting.saturating_add(i64::try_from(more).unwrap_or(i64::MAX)) <= MAX_SNOOZED)
    }

    /// Notes when messages come back; where that was noted before, the new time holds.
    pub async fn snooze(&self, rows: Vec<Snoozed>) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                for row in rows {
                    let sql = "INSERT INTO snoozed (mailbox_key, uid, account_key, due_at)
                               SELECT $1, $2, account_key, $4 FROM account WHERE account_key = $3
                               ON CONFLICT (mailbox_key, uid) DO UPDATE SET due_at = excluded.due_at";
                    sqlx::query(sql)
                        .bind(row.mailbox.value())
                        .bind(i64::from(row.uid.value()))
                        .bind(row.account.value())
                        .bind(row.due_at.millis())
                        .execute(&mut *tx)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Forgets when messages come back: they stay where they are.
    pub async fn forget_snoozed(&self, mailbox: MailboxKey, uids: UidSet) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                for uid in uids.iter() {
                    let sql = "DELETE FROM snoozed WHERE mailbox_key = $1 AND uid = $2";
                    sqlx::query(sql).bind(mailbox.value()).bind(i64::from(uid.value())).execute(&mut *tx).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// What waits in a mailbox, by its UID.
    pub async fn snoozed_in(&self, mailbox: MailboxKey) -> Result<Vec<Snoozed>, StoreError> {
        let sql = "SELECT account_key, mailbox_key, uid, due_at FROM snoozed WHERE mailbox_key = $1 ORDER BY uid";
        let query = sqlx::query(sql).bind(mailbox.value());
        query.fetch_all(&mut *self.reader().await?).await?.iter().map(read).collect()
    }

    /// Those whose time has come, the first first; a hundred of them at most.
    pub async fn snoozed_due(&self) -> Result<Vec<Snoozed>, StoreError> {
        let sql = "SELECT account_key, mailbox_key, uid, due_at FROM snoozed WHERE due_at <= $1
                   ORDER BY due_at, mailbox_key, uid LIMIT $2";
        let query = sqlx::query(sql).bind(self.now().millis()).bind(AT_ONCE);
        query.fetch_all(&mut *self.reader().await?).await?.iter().map(read).collect()
    }

    /// When the next one comes back; none: nothing waits.
    pub async fn next_snoozed(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT MIN(due_at) FROM snoozed").fetch_one(&mut *self.reader().await?).await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_millis))
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<Snoozed, StoreError> {
    let uid: i64 = row.try_get(2)?;
    let uid = u32::try_from(uid).ok().and_then(Uid::new);
    Ok(Snoozed {
        account: AccountKey::new(row.try_get(0)?),
        mailbox: MailboxKey::new(row.try_get(1)?),
        uid: uid.ok_or_else(|| StoreError::damaged("a message that comes back has no UID"))?,
        due_at: Timestamp::from_millis(row.try_get(3)?),
    })
}

/// Takes away all that is an account's own.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM snoozed WHERE account_key = $1").bind(account.value()).execute(tx).await?;
    Ok(())
}
