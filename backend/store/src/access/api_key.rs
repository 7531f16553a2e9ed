//! Bearer keys of the API.

use std::net::IpAddr;

use relais_model::{Address, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;

use super::standing::{Standing, may_come_in, read_standing, standing_columns};
use super::{TokenHash, note};
use crate::directory::read_address;
use crate::page::{Listing, Page};
use crate::{AccountKey, ApiKeyKey, Author, Role, Store, StoreError};

/// Keys of one account, at most.
pub const MAX_API_KEYS: u64 = 100;

/// A key that is to be kept.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Of the token that its owner sees once.
    pub hash: TokenHash,
    /// Whose it is.
    pub account: AccountKey,
    /// As its owner calls it; no two of theirs have one name.
    pub name: String,
    /// The most that it may.
    pub role: Role,
    /// Its scopes, parted by spaces.
    pub scopes: String,
    /// From then on it opens nothing; none: for good.
    pub expires_at: Option<Timestamp>,
}

/// One key, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Its row.
    pub key: ApiKeyKey,
    /// Whose it is.
    pub owner: Address,
    /// As its owner calls it.
    pub name: String,
    /// The most that it may.
    pub role: Role,
    /// Its scopes, parted by spaces.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it opens nothing; none: for good.
    pub expires_at: Option<Timestamp>,
    /// When and from where it was last used, to the minute.
    pub last_used: Option<(Timestamp, String)>,
}

/// A key that was asked for by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its row.
    pub key: ApiKeyKey,
    /// As its owner calls it.
    pub name: String,
    /// The most that it may.
    pub role: Role,
    /// Its scopes, parted by spaces.
    pub scopes: String,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// From then on it opens nothing; none: for good.
    pub expires_at: Option<Timestamp>,
    /// Its owner, and what they may now.
    pub standing: Standing,
}

/// Why a key wasn't made.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// Its owner has one of this name.
    #[error("the name is taken")]
    NameTaken,
    /// Its owner has [`MAX_API_KEYS`].
    #[error("the account has too many keys")]
    TooMany,
    /// No such account.
    #[error("the account is not here")]
    Unknown,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for ApiKeyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Store {
    /// Keeps a key.
    ///
    /// # Errors
    /// [`ApiKeyError`].
    pub async fn add_api_key(&self, new: NewApiKey, by: &Author) -> Result<ApiKeyKey, ApiKeyError> {
        let (now, key) = (self.now(), ApiKeyKey::new(self.inner.keys.next(self.now())));
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                // Writes first, so that two who add together wait for each other on both engines.
                let sql = "UPDATE account SET version = version WHERE account_key = $1";
                if sqlx::query(sql).bind(new.account.value()).execute(&mut *tx).await?.rows_affected() == 0 {
                    return Err(ApiKeyError::Unknown);
                }
                let count = "SELECT COUNT(*) FROM api_key WHERE account_key = $1";
                let count: i64 = sqlx::query_scalar(count).bind(new.account.value()).fetch_one(&mut *tx).await?;
                if count.unsigned_abs() >= MAX_API_KEYS {
                    return Err(ApiKeyError::TooMany);
                }
                let sql =
                    "INSERT INTO api_key (api_key_key, hash, account_key, name, role, scopes, created_at, expires_at)
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account_key, name) DO NOTHING";
                let done = sqlx::query(sql)
                    .bind(key.value())
                    .bind(new.hash.as_slice())
                    .bind(new.account.value())
                    .bind(new.name.as_str())
                    .bind(new.role as i64)
                    .bind(new.scopes.as_str())
                    .bind(now.millis())
                    .bind(new.expires_at.map(Timestamp::millis))
                    .execute(&mut *tx)
                    .await?;
                if done.rows_affected() == 0 {
                    return Err(ApiKeyError::NameTaken);
                }
                let after = json!({ "name": new.name, "scopes": new.scopes });
                note(tx, &scribe, "api_key.create", new.account, (None, Some(after))).await?;
                Ok(key)
            })
        })
        .await
    }

    /// The key of a token; none where it is unknown or expired, or its owner is suspended.
    pub async fn api_key(&self, hash: &TokenHash) -> Result<Option<ApiKey>, StoreError> {
        let sql = concat!(
            "SELECT ",
            standing_columns!(),
            ", k.api_key_key, k.name, k.role, k.scopes, k.last_used_at, k.expires_at
             FROM api_key k JOIN account a ON a.account_key = k.account_key
             WHERE k.hash = $1 AND (k.expires_at IS NULL OR k.expires_at > $2)
               AND ",
            may_come_in!()
        );
        let row = sqlx::query(sql)
            .bind(hash.as_slice())
            .bind(self.now().millis())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        row.as_ref().map(read_key).transpose()
    }

    /// Notes that a key is used.
    pub async fn touch_api_key(&self, key: ApiKeyKey, peer: IpAddr) -> Result<(), StoreError> {
        let now = self.now().millis();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE api_key SET last_used_at = $2, last_used_ip = $3 WHERE api_key_key = $1";
                let peer = peer.to_canonical().to_string();
                sqlx::query(sql).bind(key.value()).bind(now).bind(peer).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Keys of an account, or, without one, of everybody; oldest first.
    pub async fn api_keys(&self, owner: Option<AccountKey>, page: &Page) -> Result<Listing<ApiKeyRow>, StoreError> {
        let sql = "SELECT k.api_key_key, a.address, k.name, k.role, k.scopes, k.created_at, k.expires_at,
                          k.last_used_at, k.last_used_ip
                   FROM api_key k JOIN account a ON a.account_key = k.account_key
                   WHERE k.api_key_key > $1 AND ($2 = 0 OR k.account_key = $2)
                   ORDER BY k.api_key_key LIMIT $3";
        let rows = sqlx::query(sql)
            .bind(page.after_key())
            .bind(owner.map_or(0, AccountKey::value))
            .bind(page.rows_to_ask())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        let keys = rows.iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(keys, |key| key.key.value()))
    }

    /// Removes a key of an account, or, without one, of anybody; none where it isn't there.
    pub async fn remove_api_key(
        &self,
        owner: Option<AccountKey>,
        key: ApiKeyKey,
        by: &Author,
    ) -> Result<Option<String>, StoreError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM api_key WHERE api_key_key = $1 AND ($2 = 0 OR account_key = $2) RETURNING name,
                           account_key";
                let owner = owner.map_or(0, AccountKey::value);
                let row: Option<(String, i64)> =
                    sqlx::query_as(sql).bind(key.value()).bind(owner).fetch_optional(&mut *tx).await?;
                let Some((name, owner)) = row else { return Ok(None) };
                let before = json!({ "name": name });
                note(tx, &scribe, "api_key.revoke", AccountKey::new(owner), (Some(before), None)).await?;
                Ok(Some(name))
            })
        })
        .await
    }
}

fn read_key(row: &AnyRow) -> Result<ApiKey, StoreError> {
    use sqlx::Row;
    Ok(ApiKey {
        standing: read_standing(row)?,
        key: ApiKeyKey::new(row.try_get(4)?),
        name: row.try_get(5)?,
        role: Role::read(row.try_get(6)?)?,
        scopes: row.try_get(7)?,
        last_used_at: row.try_get::<Option<i64>, _>(8)?.map(Timestamp::from_millis),
        expires_at: row.try_get::<Option<i64>, _>(9)?.map(Timestamp::from_millis),
    })
}

fn read_row(row: &AnyRow) -> Result<ApiKeyRow, StoreError> {
    use sqlx::Row;
    let last_used_at: Option<i64> = row.try_get(7)?;
    let last_used_ip: Option<String> = row.try_get(8)?;
    Ok(ApiKeyRow {
        key: ApiKeyKey::new(row.try_get(0)?),
        owner: read_address(row.try_get(1)?)?,
        name: row.try_get(2)?,
        role: Role::read(row.try_get(3)?)?,
        scopes: row.try_get(4)?,
        created_at: Timestamp::from_millis(row.try_get(5)?),
        expires_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_millis),
        last_used: last_used_at.map(Timestamp::from_millis).zip(last_used_ip),
    })
}
