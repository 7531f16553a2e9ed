//! Second factors: an authenticator's codes (RFC 6238), and recovery codes.

use std::time::Duration;

use relais_model::{Address, Timestamp};
use sqlx::AnyConnection;

use super::{TokenHash, note};
use crate::directory::read_address;
use crate::{AccountKey, Author, Role, Store, StoreError};

/// An authenticator's secret, and the last code of it that was taken.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret {
    /// 20 octets.
    pub secret: Vec<u8>,
    /// No code of this step or before is taken again.
    pub last_step: u64,
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Whether a code may be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeTry {
    /// It may: it is counted as wrong until it is found right.
    Look(TotpSecret),
    /// Too many were wrong.
    Refused {
        /// From then on.
        until: Timestamp,
    },
    /// There is no authenticator.
    Absent,
}

/// How second factors of an account stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactorState {
    /// When the authenticator was confirmed.
    pub totp_since: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
}

impl Store {
    /// The owners whose password alone opens their account, by address, at most `limit`.
    pub async fn owners_with_one_factor(&self, limit: u32) -> Result<Vec<Address>, StoreError> {
        let sql = "SELECT a.address FROM account a JOIN domain d ON d.domain_key = a.domain_key
                   WHERE a.role = $1 AND a.role > 0 AND a.is_suspended = 0 AND a.removed_at IS NULL
                     AND d.is_disabled = 0 AND d.removed_at IS NULL AND a.password_hash <> ''
                     AND NOT EXISTS (SELECT 1 FROM totp t WHERE t.account_key = a.account_key AND t.is_confirmed = 1)
                   ORDER BY a.folded LIMIT $2";
        let query = sqlx::query_scalar(sql).bind(Role::Owner as i64).bind(i64::from(limit));
        let rows: Vec<String> = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|text| read_address(text)).collect()
    }

    /// How second factors of an account stand.
    pub async fn second_factor(&self, account: AccountKey) -> Result<SecondFactorState, StoreError> {
        let sql = "SELECT (SELECT created_at FROM totp WHERE account_key = $1 AND is_confirmed = 1),
                          (SELECT COUNT(*) FROM recovery_code WHERE account_key = $1)";
        let (since, codes): (Option<i64>, i64) =
            sqlx::query_as(sql).bind(account.value()).fetch_one(&mut *self.reader().await?).await?;
        Ok(SecondFactorState { totp_since: since.map(Timestamp::from_millis), recovery_codes: codes.unsigned_abs() })
    }

    /// Keeps a new authenticator's secret, unconfirmed. Returns false where a confirmed one is there: that must go first.
    pub async fn offer_totp(&self, account: AccountKey, secret: [u8; 20]) -> Result<bool, StoreError> {
        let now = self.now().millis();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO totp (account_key, secret, created_at, is_confirmed, last_step, failures, refused_until)
                           SELECT account_key, $2, $3, 0, 0, 0, 0 FROM account WHERE account_key = $1
                           ON CONFLICT (account_key) DO UPDATE SET secret = $2, created_at = $3 WHERE totp.is_confirmed = 0";
                let sql = sqlx::query(sql).bind(account.value()).bind(secret.as_slice()).bind(now);
                Ok(sql.execute(tx).await?.rows_affected() > 0)
            })
        })
        .await
    }

    /// The secret that waits for its first code; none where none was offered, or it is confirmed.
    pub async fn offered_totp(&self, account: AccountKey) -> Result<Option<TotpSecret>, StoreError> {
        let sql = "SELECT secret FROM totp WHERE account_key = $1 AND is_confirmed = 0";
        let secret: Option<Vec<u8>> =
            sqlx::query_scalar(sql).bind(account.value()).fetch_optional(&mut *self.reader().await?).await?;
        Ok(secret.map(|secret| TotpSecret { secret, last_step: 0 }))
    }

    /// The offered authenticator counts from here on, and mail programs need an app password. `step` is that of its first code.
    /// Returns false where it isn't the one that was offered last.
    pub async fn confirm_totp(
        &self,
        account: AccountKey,
        secret: TotpSecret,
        step: u64,
        recovery: Vec<TokenHash>,
        by: &Author,
    ) -> Result<bool, StoreError> {
        let (now, scribe) = (self.now().millis(), self.scribe(by));
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE totp SET is_confirmed = 1, last_step = $3, created_at = $4
                           WHERE account_key = $1 AND secret = $2 AND is_confirmed = 0";
                let done = sqlx::query(sql)
                    .bind(account.value())
                    .bind(secret.secret.as_slice())
                    .bind(number(step))
                    .bind(now)
                    .execute(&mut *tx)
                    .await?;
                if done.rows_affected() == 0 {
                    return Ok(false);
                }
                put_recovery_codes(tx, account, &recovery).await?;
                set_needs_app_password(tx, account, true).await?;
                note(tx, &scribe, "second_factor.on", account, (None, None)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Counts a code as wrong before it is looked at, so that no two that come together are both free; `refusal` says for how
    /// long a count of wrong ones refuses the next.
    pub async fn try_code(&self, account: AccountKey, refusal: fn(u64) -> Duration) -> Result<CodeTry, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                // Writes first: on both engines those who try together wait for each other.
                let sql = "UPDATE totp SET failures = failures + 1 WHERE account_key = $1 AND is_confirmed = 1
                               AND refused_until <= $2 RETURNING failures, secret, last_step";
                let row: Option<(i64, Vec<u8>, i64)> =
                    sqlx::query_as(sql).bind(account.value()).bind(now.millis()).fetch_optional(&mut *tx).await?;
                if let Some((failures, secret, last_step)) = row {
                    let until = now.plus(refusal(failures.unsigned_abs()));
                    let sql = "UPDATE totp SET refused_until = $2 WHERE account_key = $1";
                    sqlx::query(sql).bind(account.value()).bind(until.millis()).execute(tx).await?;
                    return Ok(CodeTry::Look(TotpSecret { secret, last_step: last_step.unsigned_abs() }));
                }
                let sql = "SELECT refused_until FROM totp WHERE account_key = $1 AND is_confirmed = 1";
                let until: Option<i64> = sqlx::query_scalar(sql).bind(account.value()).fetch_optional(tx).await?;
                Ok(until.map_or(CodeTry::Absent, |until| CodeTry::Refused { until: Timestamp::from_millis(until) }))
            })
        })
        .await
    }

    /// A code of `step` was right: the count starts anew. Returns false where a code of it, or of a later one, was taken
    /// before.
    pub async fn take_code(&self, account: AccountKey, step: u64) -> Result<bool, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE totp SET last_step = $2, failures = 0, refused_until = 0
                           WHERE account_key = $1 AND is_confirmed = 1 AND last_step < $2";
                let done = sqlx::query(sql).bind(account.value()).bind(number(step)).execute(tx).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Uses a recovery code up. Returns false where it is none, or was used.
    pub async fn take_recovery_code(&self, account: AccountKey, hash: TokenHash) -> Result<bool, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM recovery_code WHERE account_key = $1 AND hash = $2";
                let done = sqlx::query(sql).bind(account.value()).bind(hash.as_slice()).execute(tx).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Puts new recovery codes in the place of all old ones. Returns false where no second factor is on.
    pub async fn renew_recovery_codes(
        &self,
        account: AccountKey,
        recovery: Vec<TokenHash>,
        by: &Author,
    ) -> Result<bool, StoreError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE totp SET failures = failures WHERE account_key = $1 AND is_confirmed = 1";
                if sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?.rows_affected() == 0 {
                    return Ok(false);
                }
                put_recovery_codes(tx, account, &recovery).await?;
                note(tx, &scribe, "recovery_codes.renew", account, (None, None)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Removes the authenticator and the recovery codes; passkeys stay. Returns false where none was confirmed.
    pub async fn remove_totp(&self, account: AccountKey, by: &Author) -> Result<bool, StoreError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM totp WHERE account_key = $1 AND is_confirmed = 1";
                let done = sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
                let sql = "DELETE FROM recovery_code WHERE account_key = $1";
                sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
                if done.rows_affected() > 0 {
                    set_needs_app_password(tx, account, false).await?;
                    note(tx, &scribe, "second_factor.off", account, (None, None)).await?;
                }
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }
}

/// With a second factor on, the account's own password opens no mail protocol.
async fn set_needs_app_password(tx: &mut AnyConnection, account: AccountKey, needs: bool) -> Result<(), sqlx::Error> {
    let sql = "UPDATE account SET needs_app_password = $2 WHERE account_key = $1";
    sqlx::query(sql).bind(account.value()).bind(i64::from(needs)).execute(tx).await.map(drop)
}

async fn put_recovery_codes(
    tx: &mut AnyConnection,
    account: AccountKey,
    recovery: &[TokenHash],
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM recovery_code WHERE account_key = $1").bind(account.value()).execute(&mut *tx).await?;
    for hash in recovery {
        let sql = "INSERT INTO recovery_code (account_key, hash) VALUES ($1, $2)";
        sqlx::query(sql).bind(account.value()).bind(hash.as_slice()).execute(&mut *tx).await?;
    }
    Ok(())
}

fn number(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
