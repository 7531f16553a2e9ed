//! Accounts at providers, who serve the zones.

use relais_model::{Secret, Timestamp};
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::audit::{Author, Deed};
use crate::{DnsAccountKey, Store, StoreError};

/// Accounts at providers, at most.
pub const MAX_DNS_ACCOUNTS: i64 = 50;

/// An account at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAccountEntry {
    /// Its row.
    pub key: DnsAccountKey,
    /// The provider's id.
    pub provider: String,
    /// What people call it.
    pub name: String,
    /// JSON; secrets stand in it.
    pub settings: Secret,
    /// The zones that it was seen to have.
    pub zones: Vec<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// It sets the records of new keys that sign, and takes away those of aged ones, by itself.
    pub turns_keys: bool,
}

/// What an account is, or is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAccountState {
    /// The provider's id.
    pub provider: String,
    /// What people call it.
    pub name: String,
    /// JSON; secrets stand in it.
    pub settings: Secret,
    /// The zones that it was seen to have.
    pub zones: Vec<String>,
    /// It sets the records of new keys that sign, and takes away those of aged ones, by itself.
    pub turns_keys: bool,
}

/// Why an account wasn't added or changed.
#[derive(Debug, thiserror::Error)]
pub enum DnsAccountError {
    /// It isn't there.
    #[error("there is no such account")]
    Unknown,
    /// There are [`MAX_DNS_ACCOUNTS`].
    #[error("there are as many accounts as there may be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for DnsAccountError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

const COLUMNS: &str = "account_key, provider, name, settings, zones, created_at, turns_keys";

impl Store {
    /// The accounts at providers, the oldest first: at most [`MAX_DNS_ACCOUNTS`].
    pub async fn dns_accounts(&self) -> Result<Vec<DnsAccountEntry>, StoreError> {
        let text = AssertSqlSafe(format!("SELECT {COLUMNS} FROM dns_account ORDER BY account_key"));
        let rows = sqlx::query(text).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(read_account).collect()
    }

    /// One account.
    pub async fn dns_account(&self, key: DnsAccountKey) -> Result<Option<DnsAccountEntry>, StoreError> {
        find(&mut *self.reader().await?, key).await
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`DnsAccountError::TooMany`].
    pub async fn add_dns_account(&self, by: &Author, new: DnsAccountState) -> Result<DnsAccountKey, DnsAccountError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM dns_account").fetch_one(&mut *tx).await?;
                if MAX_DNS_ACCOUNTS <= count {
                    return Err(DnsAccountError::TooMany);
                }
                let key = DnsAccountKey::new(scribe.next_key());
                let sql =
                    "INSERT INTO dns_account (account_key, provider, name, settings, zones, created_at, turns_keys)
                           VALUES ($1, $2, $3, $4, $5, $6, $7)";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(new.provider.as_str())
                    .bind(new.name.as_str())
                    .bind(new.settings.expose())
                    .bind(new.zones.join(" "))
                    .bind(scribe.now().millis())
                    .bind(i64::from(new.turns_keys))
                    .execute(&mut *tx)
                    .await?;
                let deed = deed("dns.account_add", &new.name).between(None, Some(told(&new)));
                scribe.note(tx, deed).await?;
                Ok(key)
            })
        })
        .await
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`DnsAccountError::Unknown`].
    pub async fn change_dns_account(
        &self,
        by: &Author,
        key: DnsAccountKey,
        after: DnsAccountState,
    ) -> Result<(), DnsAccountError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let before = find(tx, key).await?.ok_or(DnsAccountError::Unknown)?;
                let is_new_key = before.settings != after.settings;
                let before = DnsAccountState {
                    provider: before.provider,
                    name: before.name,
                    settings: before.settings,
                    zones: before.zones,
                    turns_keys: before.turns_keys,
                };
                let sql = "UPDATE dns_account SET name = $2, settings = $3, zones = $4, turns_keys = $5
                           WHERE account_key = $1";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(after.name.as_str())
                    .bind(after.settings.expose())
                    .bind(after.zones.join(" "))
                    .bind(i64::from(after.turns_keys))
                    .execute(&mut *tx)
                    .await?;
                let mut is = told(&after);
                if let Some(is) = is.as_object_mut().filter(|_| is_new_key) {
                    is.insert("key".to_owned(), json!("changed"));
                }
                let deed = deed("dns.account_change", &after.name).between(Some(told(&before)), Some(is));
                scribe.note(tx, deed).await?;
                Ok(())
            })
        })
        .await
    }

    /// Remembers that an account has a zone.
    pub async fn note_dns_zone(&self, key: DnsAccountKey, zone: &str) -> Result<(), StoreError> {
        let zone = zone.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let Some(account) = find(tx, key).await? else { return Ok(()) };
                if account.zones.contains(&zone) {
                    return Ok(());
                }
                let zones = [account.zones, vec![zone]].concat().join(" ");
                let sql = "UPDATE dns_account SET zones = $2 WHERE account_key = $1";
                sqlx::query(sql).bind(key.value()).bind(zones).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
    }

    /// Forgets an account; its pushes stay.
    ///
    /// # Errors
    /// [`DnsAccountError::Unknown`].
    pub async fn remove_dns_account(&self, by: &Author, key: DnsAccountKey) -> Result<(), DnsAccountError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let account = find(tx, key).await?.ok_or(DnsAccountError::Unknown)?;
                sqlx::query("DELETE FROM dns_account WHERE account_key = $1")
                    .bind(key.value())
                    .execute(&mut *tx)
                    .await?;
                scribe.note(tx, deed("dns.account_remove", &account.name)).await?;
                Ok(())
            })
        })
        .await
    }
}

async fn find(connection: &mut AnyConnection, key: DnsAccountKey) -> Result<Option<DnsAccountEntry>, StoreError> {
    let text = AssertSqlSafe(format!("SELECT {COLUMNS} FROM dns_account WHERE account_key = $1"));
    let row = sqlx::query(text).bind(key.value()).fetch_optional(connection).await?;
    row.as_ref().map(read_account).transpose()
}

fn deed(act: &'static str, name: &str) -> Deed {
    Deed { act, subject: name.to_owned(), ..Deed::default() }
}

/// What the activity tells of an account: nothing of what was filled in.
fn told(account: &DnsAccountState) -> Value {
    json!({ "provider": account.provider, "name": account.name, "zones": account.zones, "turns_keys": account.turns_keys })
}

fn read_account(row: &AnyRow) -> Result<DnsAccountEntry, StoreError> {
    Ok(DnsAccountEntry {
        key: DnsAccountKey::new(row.try_get(0)?),
        provider: row.try_get(1)?,
        name: row.try_get(2)?,
        settings: Secret::new(row.try_get::<String, _>(3)?),
        zones: row.try_get::<&str, _>(4)?.split_whitespace().map(str::to_owned).collect(),
        created_at: Timestamp::from_millis(row.try_get(5)?),
        turns_keys: row.try_get::<i64, _>(6)? != 0,
    })
}
