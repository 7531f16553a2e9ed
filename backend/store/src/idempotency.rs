//! What was done under an Idempotency-Key, so that it isn't done twice.
//!
//! Invariants: of a key's name and of a request only sealed hashes are here; an account has [`MAX_REMEMBERED`] rows at most, none older than
//! [`REMEMBERED_FOR`] is seen.

use std::time::Duration;

use sqlx::Row as _;

use crate::{AccountKey, Store, StoreError};

/// How long an answer is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_hours(24);
/// A request that was begun so long ago and has no answer was broken off: it may be sent again.
pub const UNDER_WAY_FOR: Duration = Duration::from_hours(1);
/// Answers of one account that are remembered, at most; past them the oldest goes.
pub const MAX_REMEMBERED: u64 = 10_000;
/// Octets of one answer, at most.
pub const MAX_ANSWER_OCTETS: usize = 256 * 1024;

/// Rows that one request prunes: two, where it adds one.
const PRUNED_AT_ONCE: i64 = 2;

/// What a request is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnceKey {
    /// Of its Idempotency-Key, sealed with what only the asker has.
    pub name: [u8; 32],
    /// Of all that it asks for, sealed in the same way.
    pub request: [u8; 32],
}

/// Whether the name was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// No: it is noted as under way now.
    Never,
    /// The same request is being done.
    UnderWay,
    /// The same request was answered.
    Done(String),
    /// With another request.
    Other,
}

impl Store {
    /// Notes that a request is begun, unless its name was seen.
    pub async fn begin_once(&self, account: AccountKey, once: &OnceKey) -> Result<Seen, StoreError> {
        let (once, now) = (*once, self.now());
        self.write(move |tx| {
            Box::pin(async move {
                let pruned = "DELETE FROM idempotency WHERE account_key = $1 AND name_hash = $2
                              AND (begun_at <= $3 OR (answer IS NULL AND begun_at <= $4))";
                sqlx::query(pruned)
                    .bind(account.value())
                    .bind(once.name.as_slice())
                    .bind(now.minus(REMEMBERED_FOR).millis())
                    .bind(now.minus(UNDER_WAY_FOR).millis())
                    .execute(&mut *tx)
                    .await?;
                let begun = "INSERT INTO idempotency (account_key, name_hash, request_hash, begun_at)
                             SELECT account_key, $2, $3, $4 FROM account WHERE account_key = $1
                             ON CONFLICT (account_key, name_hash) DO NOTHING";
                let begun = sqlx::query(begun)
                    .bind(account.value())
                    .bind(once.name.as_slice())
                    .bind(once.request.as_slice())
                    .bind(now.millis())
                    .execute(&mut *tx)
                    .await?;
                if begun.rows_affected() > 0 {
                    let old = "DELETE FROM idempotency WHERE (account_key, name_hash) IN
                                   (SELECT account_key, name_hash FROM idempotency WHERE begun_at <= $1
                                    ORDER BY begun_at LIMIT $2)";
                    sqlx::query(old)
                        .bind(now.minus(REMEMBERED_FOR).millis())
                        .bind(PRUNED_AT_ONCE)
                        .execute(&mut *tx)
                        .await?;
                    let many = "DELETE FROM idempotency WHERE account_key = $1 AND name_hash IN
                                    (SELECT name_hash FROM idempotency WHERE account_key = $1
                                     ORDER BY begun_at DESC, name_hash LIMIT $2 OFFSET $3)";
                    sqlx::query(many)
                        .bind(account.value())
                        .bind(PRUNED_AT_ONCE)
                        .bind(i64::try_from(MAX_REMEMBERED).unwrap_or(i64::MAX))
                        .execute(&mut *tx)
                        .await?;
                    return Ok(Seen::Never);
                }
                let seen = "SELECT request_hash, answer FROM idempotency WHERE account_key = $1 AND name_hash = $2";
                let seen =
                    sqlx::query(seen).bind(account.value()).bind(once.name.as_slice()).fetch_optional(tx).await?;
                // The account went meanwhile: whatever it asks is refused elsewhere.
                let Some(row) = seen else { return Ok(Seen::Never) };
                let request: Vec<u8> = row.try_get(0)?;
                Ok(match row.try_get::<Option<String>, _>(1)? {
                    _ if request != once.request => Seen::Other,
                    Some(answer) => Seen::Done(answer),
                    None => Seen::UnderWay,
                })
            })
        })
        .await
    }

    /// Notes the answer to a request that was begun. One that is too long is noted as if the request had not been.
    pub async fn remember_once(&self, account: AccountKey, once: &OnceKey, answer: String) -> Result<(), StoreError> {
        if MAX_ANSWER_OCTETS < answer.len() {
            return self.forget_once(account, once).await;
        }
        let once = *once;
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE idempotency SET answer = $3 WHERE account_key = $1 AND name_hash = $2";
                let query = sqlx::query(sql).bind(account.value()).bind(once.name.as_slice()).bind(answer);
                query.execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets a request that was begun and came to nothing.
    pub async fn forget_once(&self, account: AccountKey, once: &OnceKey) -> Result<(), StoreError> {
        let once = *once;
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM idempotency WHERE account_key = $1 AND name_hash = $2";
                sqlx::query(sql).bind(account.value()).bind(once.name.as_slice()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}
