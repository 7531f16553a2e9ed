//! Drafts that go out by themselves when their time has come.
//!
//! Invariants: the message is the draft itself, and nowhere else: one that was changed, moved or thrown away is another, or none, and doesn't
//! go. While it is being sent it has a lease, and can't be stopped; a lease that nobody keeps ends, so that a crash doubles a message at worst.
//! An account has [`MAX_SCHEDULED`] of them.

use std::time::Duration;

use relais_model::{Timestamp, Uid};
use sqlx::{AnyConnection, Row as _};

use crate::{AccountKey, MailboxKey, Store, StoreError};

/// Drafts of one account that wait.
pub const MAX_SCHEDULED: i64 = 500;
/// So long one is being sent.
const LEASE: Duration = Duration::from_mins(10);

/// A draft that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Whose it is.
    pub account: AccountKey,
    /// Where it stands.
    pub mailbox: MailboxKey,
    /// In it.
    pub uid: Uid,
    /// When it goes.
    pub due_at: Timestamp,
    /// When who wrote it had signed in.
    pub signed_in_at: Timestamp,
    /// Why it could not be sent: what [`Store::scheduled_refused`] was given; empty: it waits.
    pub refused: String,
}

impl Store {
    /// Has a draft go out when `due_at` has come; where it waits already, then instead. Whether there was room.
    pub async fn schedule(&self, new: Scheduled) -> Result<bool, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT COUNT(*) FROM scheduled WHERE account_key = $1";
                let waiting = sqlx::query(sql).bind(new.account.value()).fetch_one(&mut *tx).await?;
                if waiting.try_get::<i64, _>(0)? >= MAX_SCHEDULED {
                    return Ok(false);
                }
                let sql =
                    "INSERT INTO scheduled (mailbox_key, uid, account_key, due_at, signed_in_at, lease_until, refused)
                           SELECT $1, $2, account_key, $4, $5, 0, '' FROM account WHERE account_key = $3
                           ON CONFLICT (mailbox_key, uid) DO UPDATE SET due_at = excluded.due_at,
                               signed_in_at = excluded.signed_in_at, refused = ''";
                sqlx::query(sql)
                    .bind(new.mailbox.value())
                    .bind(i64::from(new.uid.value()))
                    .bind(new.account.value())
                    .bind(new.due_at.millis())
                    .bind(new.signed_in_at.millis())
                    .execute(tx)
                    .await?;
                Ok(true)
            })
        })
        .await
    }

    /// What waits of an account, the next first; and what could not be sent.
    pub async fn scheduled(&self, account: AccountKey) -> Result<Vec<Scheduled>, StoreError> {
        let sql = "SELECT account_key, mailbox_key, uid, due_at, signed_in_at, refused FROM scheduled
                   WHERE account_key = $1 ORDER BY due_at, mailbox_key, uid LIMIT $2";
        let query = sqlx::query(sql).bind(account.value()).bind(MAX_SCHEDULED);
        query.fetch_all(&mut *self.reader().await?).await?.iter().map(read).collect()
    }

    /// Stops it, or forgets that it could not be sent. Whether it was there and isn't being sent.
    pub async fn unschedule(&self, mailbox: MailboxKey, uid: Uid) -> Result<bool, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM scheduled WHERE mailbox_key = $1 AND uid = $2 AND lease_until <= $3";
                let query = sqlx::query(sql).bind(mailbox.value()).bind(i64::from(uid.value())).bind(now.millis());
                Ok(query.execute(tx).await?.rows_affected() > 0)
            })
        })
        .await
    }

    /// When the next one goes; none: nothing waits.
    pub async fn next_scheduled(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) FROM scheduled WHERE refused = ''";
        let row = sqlx::query(sql).fetch_one(&mut *self.reader().await?).await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp::from_millis))
    }

    /// Takes the one that has waited longest for its turn: from now on it is being sent.
    pub async fn claim_scheduled(&self) -> Result<Option<Scheduled>, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT account_key, mailbox_key, uid, due_at, signed_in_at, refused FROM scheduled
                           WHERE refused = '' AND due_at <= $1 AND lease_until <= $1 ORDER BY due_at LIMIT 1";
                let Some(row) = sqlx::query(sql).bind(now.millis()).fetch_optional(&mut *tx).await? else {
                    return Ok(None);
                };
                let due = read(&row)?;
                let sql = "UPDATE scheduled SET lease_until = $1 WHERE mailbox_key = $2 AND uid = $3";
                let query = sqlx::query(sql).bind(now.plus(LEASE).millis()).bind(due.mailbox.value());
                query.bind(i64::from(due.uid.value())).execute(tx).await?;
                Ok(Some(due))
            })
        })
        .await
    }

    /// It went, or there is nothing left to be sent.
    pub async fn scheduled_went(&self, done: &Scheduled) -> Result<(), StoreError> {
        let (mailbox, uid) = (done.mailbox.value(), i64::from(done.uid.value()));
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM scheduled WHERE mailbox_key = $1 AND uid = $2";
                sqlx::query(sql).bind(mailbox).bind(uid).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// It could not be sent, and waits for its author; `why` isn't empty.
    pub async fn scheduled_refused(&self, done: &Scheduled, why: String) -> Result<(), StoreError> {
        let (mailbox, uid) = (done.mailbox.value(), i64::from(done.uid.value()));
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE scheduled SET refused = $3, lease_until = 0 WHERE mailbox_key = $1 AND uid = $2";
                sqlx::query(sql).bind(mailbox).bind(uid).bind(why).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

fn read(row: &sqlx::any::AnyRow) -> Result<Scheduled, StoreError> {
    let uid: i64 = row.try_get(2)?;
    let uid = u32::try_from(uid)
        .ok()
        .and_then(Uid::new)
        .ok_or_else(|| StoreError::damaged("a scheduled draft has no UID"))?;
    Ok(Scheduled {
        account: AccountKey::new(row.try_get(0)?),
        mailbox: MailboxKey::new(row.try_get(1)?),
        uid,
        due_at: Timestamp::from_millis(row.try_get(3)?),
        signed_in_at: Timestamp::from_millis(row.try_get(4)?),
        refused: row.try_get(5)?,
    })
}

/// Takes away all that is an account's own.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM scheduled WHERE account_key = $1").bind(account.value()).execute(tx).await?;
    Ok(())
}
