//! Who was asked to come again, and who waits for a code (RFC 6647).

use std::time::Duration;

use relais_model::Timestamp;
use sqlx::Row as _;

use crate::{AccountKey, Store, StoreError};

/// Visitors that are remembered, at most; the ones to be forgotten first go first.
pub const MAX_GREYLISTED: i64 = 200_000;

/// What is known of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// Came now, for the first time.
    First,
    /// Was first here then.
    Again(Timestamp),
}

impl Store {
    /// Whether a visitor (a hash of network, sender and recipient) was here; from now on they are remembered for `kept`.
    pub async fn greylist(&self, visitor: [u8; 32], kept: Duration) -> Result<Visit, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM greylist WHERE expires_at <= $1").bind(now.millis()).execute(&mut *tx).await?;
                let sql = "INSERT INTO greylist (visitor, first_at, expires_at) VALUES ($1, $2, $3)
                           ON CONFLICT (visitor) DO UPDATE SET expires_at = excluded.expires_at RETURNING first_at";
                let query = sqlx::query(sql).bind(visitor.to_vec()).bind(now.millis()).bind(now.plus(kept).millis());
                let first_at: i64 = query.fetch_one(&mut *tx).await?.try_get(0)?;
                if first_at == now.millis() {
                    let sql = "DELETE FROM greylist WHERE expires_at <
                                   (SELECT expires_at FROM greylist ORDER BY expires_at DESC LIMIT 1 OFFSET $1)";
                    sqlx::query(sql).bind(MAX_GREYLISTED - 1).execute(&mut *tx).await?;
                    return Ok(Visit::First);
                }
                Ok(Visit::Again(Timestamp::from_millis(first_at)))
            })
        })
        .await
    }

    /// As [`Store::greylist`] would answer; nothing is remembered.
    pub async fn greylisted(&self, visitor: [u8; 32]) -> Result<Visit, StoreError> {
        let sql = "SELECT first_at FROM greylist WHERE visitor = $1 AND expires_at > $2";
        let query = sqlx::query_scalar(sql).bind(visitor.to_vec()).bind(self.now().millis());
        let first_at: Option<i64> = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(first_at.map_or(Visit::First, |at| Visit::Again(Timestamp::from_millis(at))))
    }

    /// An account waits for a code until then; none: no longer.
    pub async fn await_code(&self, account: AccountKey, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE account SET awaits_code_until = $2 WHERE account_key = $1";
                let query = sqlx::query(sql).bind(account.value()).bind(until.map(Timestamp::millis));
                query.execute(&mut *tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Until when an account waits for a code; none: it doesn't.
    pub async fn awaits_code_until(&self, account: AccountKey) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT awaits_code_until FROM account WHERE account_key = $1 AND awaits_code_until > $2";
        let query = sqlx::query(sql).bind(account.value()).bind(self.now().millis());
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(Timestamp::from_millis))
    }
}
