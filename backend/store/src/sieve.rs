//! People's Sieve scripts, those of domains and of the house, and what scripts remember of messages.
//!
//! Invariants: of an account's scripts one at most is active, of a name there is one. A scope has [`MAX_SCRIPTS`] with [`MAX_SCRIPTS_OCTETS`] at
//! most, an account remembers [`MAX_REMEMBERED_BY_SCRIPTS`] things; all goes with the account or the domain. What is kept here was checked before:
//! the store knows no Sieve.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use relais_model::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::audit::{Author, Deed};
use crate::metadata::SERVER;
use crate::{AccountKey, DomainKey, MailboxKey, RuleScope, SieveScriptKey, Store, StoreError};

/// Scripts of one scope, at most.
pub const MAX_SCRIPTS: u64 = 50;
/// Octets of all scripts of one scope.
pub const MAX_SCRIPTS_OCTETS: u64 = 4 * 1024 * 1024;
/// Things that one account's scripts remember, at most; what would be forgotten first goes first.
pub const MAX_REMEMBERED_BY_SCRIPTS: i64 = 20_000;
/// What runs before people's own scripts, by its name.
pub const SCRIPT_BEFORE: &str = "before";
/// What runs after them.
pub const SCRIPT_AFTER: &str = "after";
/// The note that names the script which runs when something is done in IMAP: on a mailbox, or on the server for all of the account's (RFC 6785 §2.3.1).
pub const SCRIPT_NOTE: &str = "/shared/imapsieve/script";

/// A script of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SieveEntry {
    /// Its name.
    pub name: String,
    /// Its size.
    pub octets: u64,
    /// It is the one that runs.
    pub is_active: bool,
    /// Since when it is as it is.
    pub changed_at: Timestamp,
}

/// A script with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SieveScript {
    /// Its row. It stays when the text changes.
    pub key: SieveScriptKey,
    /// Its name.
    pub name: String,
    /// Sieve.
    pub text: Arc<str>,
    /// It is the one that runs.
    pub is_active: bool,
}

/// What runs for an account, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SieveAtDelivery {
    /// The house's and its domain's.
    pub before: Vec<SieveScript>,
    /// Its own.
    pub own: Option<SieveScript>,
    /// Its domain's and the house's.
    pub after: Vec<SieveScript>,
}

/// Why scripts were not changed. Nothing was.
#[derive(Debug, thiserror::Error)]
pub enum SieveError {
    /// No script has that name.
    #[error("there is no such script")]
    NotThere,
    /// A script has that name already.
    #[error("a script has that name")]
    Exists,
    /// It is the one that runs.
    #[error("the script is active")]
    Active,
    /// There are [`MAX_SCRIPTS`].
    #[error("there are as many scripts as there may be")]
    TooMany,
    /// All of them would have more than [`MAX_SCRIPTS_OCTETS`].
    #[error("the scripts are too large")]
    TooLarge,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for SieveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// What ran for whom of late, by the count of changes: an account without scripts costs a look here.
#[derive(Debug)]
pub(crate) struct Scripts {
    changes: AtomicU64,
    known: Cache<(u64, AccountKey), Option<Arc<SieveAtDelivery>>>,
    at_imap: Cache<(u64, AccountKey), AtImap>,
}

/// Which script is named for which mailbox of an account, the server's under [`SERVER`]; none: it isn't there, or the name is empty. Most
/// accounts have no such note.
type AtImap = Arc<BTreeMap<i64, Option<SieveScript>>>;

impl Scripts {
    /// Accounts that are remembered, at most.
    const MAX_KNOWN: u64 = 20_000;
    /// How long another node's change may stay unseen here.
    const KNOWN_FOR: Duration = Duration::from_secs(20);

    pub(crate) fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

impl Default for Scripts {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(Self::MAX_KNOWN).time_to_live(Self::KNOWN_FOR).build();
        let at_imap = Cache::builder().max_capacity(Self::MAX_KNOWN).time_to_live(Self::KNOWN_FOR).build();
        Self { changes: AtomicU64::new(0), known, at_imap }
    }
}

const COLUMNS: &str = "script_key, name, script, is_active";
const OF_SCOPE: &str = "COALESCE(account_key, 0) = $1 AND COALESCE(domain_key, 0) = $2";

impl Store {
    /// All scripts of a scope, by name; [`MAX_SCRIPTS`] at most.
    pub async fn sieve_scripts(&self, scope: RuleScope) -> Result<Vec<SieveEntry>, StoreError> {
        let (account, domain) = columns(scope);
        let sql =
            format!("SELECT name, octets, is_active, changed_at FROM sieve_script WHERE {OF_SCOPE} ORDER BY name");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(account).bind(domain);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &AnyRow| {
            Ok(SieveEntry {
                name: row.try_get(0)?,
                octets: row.try_get::<i64, _>(1)?.unsigned_abs(),
                is_active: row.try_get::<i64, _>(2)? != 0,
                changed_at: Timestamp::from_millis(row.try_get(3)?),
            })
        };
        rows.iter().map(read).collect()
    }

    /// The script of that name.
    pub async fn sieve_script(&self, scope: RuleScope, name: &str) -> Result<Option<SieveScript>, StoreError> {
        let (account, domain) = columns(scope);
        let sql = format!("SELECT {COLUMNS} FROM sieve_script WHERE {OF_SCOPE} AND name = $3");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(account).bind(domain).bind(name);
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read).transpose()
    }

    /// The account's script that runs.
    pub async fn active_sieve_script(&self, account: AccountKey) -> Result<Option<SieveScript>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM sieve_script WHERE COALESCE(account_key, 0) = $1 AND is_active = 1 LIMIT 1");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(account.value());
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(read).transpose()
    }

    /// What runs over mail for an account; none: nothing does. Remembered for a while.
    pub async fn sieve_at_delivery(&self, account: AccountKey) -> Result<Option<Arc<SieveAtDelivery>>, StoreError> {
        let scripts = &self.inner.scripts;
        let key = (scripts.changes.load(Ordering::Acquire), account);
        if let Some(known) = scripts.known.get(&key) {
            return Ok(known);
        }
        let found = self.read_sieve_at_delivery(account).await?.map(Arc::new);
        scripts.known.insert(key, found.clone());
        Ok(found)
    }

    /// What runs when something is done in IMAP in a mailbox of `owner`: the script that its note names, or else the server's; where the one that
    /// counts names none that is there, nothing does (RFC 6785 §2.3.1). Remembered for a while.
    pub async fn sieve_at_imap(
        &self,
        owner: AccountKey,
        mailbox: MailboxKey,
    ) -> Result<Option<SieveScript>, StoreError> {
        let scripts = &self.inner.scripts;
        let key = (scripts.changes.load(Ordering::Acquire), owner);
        let named = if let Some(known) = scripts.at_imap.get(&key) {
            known
        } else {
            let named: AtImap = Arc::new(self.read_sieve_at_imap(owner).await?);
            scripts.at_imap.insert(key, Arc::clone(&named));
            named
        };
        Ok(named.get(&mailbox.value()).or_else(|| named.get(&SERVER)).cloned().flatten())
    }

    async fn read_sieve_at_imap(&self, owner: AccountKey) -> Result<BTreeMap<i64, Option<SieveScript>>, StoreError> {
        let query = sqlx::query("SELECT mailbox_key, value FROM metadata WHERE account_key = $1 AND name = $2");
        let query = query.bind(owner.value()).bind(SCRIPT_NOTE);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let mut named = BTreeMap::new();
        for row in &rows {
            let value: Vec<u8> = row.try_get(1)?;
            // As the database holds names: it has none with NUL.
            let name = String::from_utf8(value).ok().filter(|name| !name.contains('\0'));
            let script = match name {
                Some(name) => self.sieve_script(RuleScope::Account(owner), &name).await?,
                None => None,
            };
            named.insert(row.try_get(0)?, script);
        }
        Ok(named)
    }

    async fn read_sieve_at_delivery(&self, account: AccountKey) -> Result<Option<SieveAtDelivery>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, CAST(0 AS BIGINT) FROM sieve_script WHERE COALESCE(account_key, 0) = $1 AND is_active = 1
             UNION ALL SELECT {COLUMNS}, CAST(1 AS BIGINT) FROM sieve_script
             WHERE COALESCE(account_key, 0) = 0 AND COALESCE(domain_key, 0) = (SELECT domain_key FROM account WHERE account_key = $1)
               AND name IN ('{SCRIPT_BEFORE}', '{SCRIPT_AFTER}')
             UNION ALL SELECT {COLUMNS}, CAST(2 AS BIGINT) FROM sieve_script
             WHERE COALESCE(account_key, 0) = 0 AND COALESCE(domain_key, 0) = 0 AND name IN ('{SCRIPT_BEFORE}', '{SCRIPT_AFTER}')"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(account.value()).fetch_all(&mut *self.reader().await?).await?;
        let mut found = SieveAtDelivery { before: Vec::new(), own: None, after: Vec::new() };
        for row in &rows {
            let script = read(row)?;
            match row.try_get::<i64, _>(4)? {
                0 => found.own = Some(script),
                // From the widest to the narrowest, and back.
                1 if script.name == SCRIPT_BEFORE => found.before.push(script),
                1 => found.after.insert(0, script),
                _ if script.name == SCRIPT_BEFORE => found.before.insert(0, script),
                _ => found.after.push(script),
            }
        }
        Ok((!rows.is_empty()).then_some(found))
    }

    /// Whether a script of that size would find room, in place of one that has the name.
    ///
    /// # Errors
    /// [`SieveError::TooMany`], [`SieveError::TooLarge`].
    pub async fn has_room_for_sieve(&self, scope: RuleScope, name: &str, octets: u64) -> Result<(), SieveError> {
        check_room(&mut *self.reader().await?, scope, name, octets).await
    }

    /// Keeps a script in place of one that has the name. The active one stays active.
    ///
    /// # Errors
    /// [`SieveError::TooMany`], [`SieveError::TooLarge`].
    pub async fn put_sieve_script(
        &self,
        by: &Author,
        scope: RuleScope,
        name: &str,
        text: &str,
    ) -> Result<(), SieveError> {
        let (scribe, name, text) = (self.scribe(by), name.to_owned(), text.to_owned());
        self.change_scripts(move |tx| {
            Box::pin(async move {
                let octets = u64::try_from(text.len()).unwrap_or(u64::MAX);
                check_room(tx, scope, &name, octets).await?;
                let (account, domain) = scope.columns();
                let sql = "INSERT INTO sieve_script (script_key, account_key, domain_key, name, script, octets, is_active, changed_at)
                           VALUES ($1, $2, $3, $4, $5, $6, 0, $7)
                           ON CONFLICT (COALESCE(account_key, 0), COALESCE(domain_key, 0), name)
                           DO UPDATE SET script = excluded.script, octets = excluded.octets, changed_at = excluded.changed_at, failed_at = NULL";
                sqlx::query(sql)
                    .bind(scribe.next_key())
                    .bind(account)
                    .bind(domain)
                    .bind(name.as_str())
                    .bind(text)
                    .bind(i64::try_from(octets).unwrap_or(i64::MAX))
                    .bind(scribe.now().millis())
                    .execute(&mut *tx)
                    .await?;
                scribe.note(tx, deed("sieve.put", scope, &name)).await?;
                Ok(())
            })
        })
        .await
    }

    /// From now on an account's script of that name is the one that runs; none: none does.
    ///
    /// # Errors
    /// [`SieveError::NotThere`].
    pub async fn activate_sieve_script(
        &self,
        by: &Author,
        account: AccountKey,
        name: Option<&str>,
    ) -> Result<(), SieveError> {
        let (scribe, name) = (self.scribe(by), name.map(str::to_owned));
        self.change_scripts(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE sieve_script SET is_active = CASE WHEN name = $2 THEN 1 ELSE 0 END WHERE COALESCE(account_key, 0) = $1";
                let query = sqlx::query(sql).bind(account.value()).bind(name.clone().unwrap_or_default());
                query.execute(&mut *tx).await?;
                if let Some(name) = &name {
                    let sql = "SELECT COUNT(*) FROM sieve_script WHERE COALESCE(account_key, 0) = $1 AND name = $2";
                    let query = sqlx::query_scalar(sql).bind(account.value()).bind(name.as_str());
                    if query.fetch_one(&mut *tx).await.map(|count: i64| count == 0)? {
                        return Err(SieveError::NotThere);
                    }
                }
                let (act, name) = match name {
                    Some(name) => ("sieve.activate", name),
                    None => ("sieve.switch_off", String::new()),
                };
                scribe.note(tx, deed(act, RuleScope::Account(account), &name)).await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes a script.
    ///
    /// # Errors
    /// [`SieveError::NotThere`]; [`SieveError::Active`]: another one, or none, must be made active first (RFC 5804 §2.10).
    pub async fn remove_sieve_script(&self, by: &Author, scope: RuleScope, name: &str) -> Result<(), SieveError> {
        let (scribe, name) = (self.scribe(by), name.to_owned());
        self.change_scripts(move |tx| {
            Box::pin(async move {
                let (account, domain) = columns(scope);
                let sql = format!("DELETE FROM sieve_script WHERE {OF_SCOPE} AND name = $3 RETURNING is_active");
                let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(account).bind(domain).bind(name.as_str());
                match query.fetch_optional(&mut *tx).await? {
                    None => return Err(SieveError::NotThere),
                    Some(0_i64) => {}
                    // Rolled back.
                    Some(_) => return Err(SieveError::Active),
                }
                scribe.note(tx, deed("sieve.remove", scope, &name)).await?;
                Ok(())
            })
        })
        .await
    }

    /// Gives a script another name. The active one stays active.
    ///
    /// # Errors
    /// [`SieveError::NotThere`], [`SieveError::Exists`].
    pub async fn rename_sieve_script(
        &self,
        by: &Author,
        scope: RuleScope,
        from: &str,
        to: &str,
    ) -> Result<(), SieveError> {
        let (scribe, from, to) = (self.scribe(by), from.to_owned(), to.to_owned());
        self.change_scripts(move |tx| {
            Box::pin(async move {
                let (account, domain) = columns(scope);
                let sql = format!("SELECT COUNT(*) FROM sieve_script WHERE {OF_SCOPE} AND name = $3");
                let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(account).bind(domain).bind(to.as_str());
                if query.fetch_one(&mut *tx).await.map(|count: i64| count > 0)? {
                    return Err(SieveError::Exists);
                }
                let sql = format!("UPDATE sieve_script SET name = $4 WHERE {OF_SCOPE} AND name = $3");
                let query = sqlx::query(AssertSqlSafe(sql)).bind(account).bind(domain).bind(from.as_str());
                if query.bind(to.as_str()).execute(&mut *tx).await?.rows_affected() == 0 {
                    return Err(SieveError::NotThere);
                }
                scribe.note(tx, deed("sieve.rename", scope, &to)).await?;
                Ok(())
            })
        })
        .await
    }

    /// A script failed: whether its owner is to be told, which is so once until it is another script.
    pub async fn note_sieve_failed(&self, script: SieveScriptKey) -> Result<bool, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE sieve_script SET failed_at = $2 WHERE script_key = $1 AND failed_at IS NULL";
                let query = sqlx::query(sql).bind(script.value()).bind(now.millis());
                Ok(query.execute(tx).await?.rows_affected() > 0)
            })
        })
        .await
    }

    /// Whether an account's scripts remember this: a hash of what it is about.
    pub async fn sieve_remembers(&self, account: AccountKey, about: [u8; 32]) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM sieve_memory WHERE account_key = $1 AND about = $2 AND expires_at > $3";
        let query = sqlx::query(sql).bind(account.value()).bind(about.to_vec()).bind(self.now().millis());
        Ok(query.fetch_optional(&mut *self.reader().await?).await?.is_some())
    }

    /// Remembers it for `kept`; whether it was new. What is known already keeps its time, unless it `begins_anew`.
    pub async fn sieve_remember(
        &self,
        account: AccountKey,
        about: [u8; 32],
        kept: Duration,
        begins_anew: bool,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM sieve_memory WHERE account_key = $1 AND expires_at <= $2";
                sqlx::query(sql).bind(account.value()).bind(now.millis()).execute(&mut *tx).await?;
                let sql = "INSERT INTO sieve_memory (account_key, about, expires_at)
                           SELECT account_key, $2, $3 FROM account WHERE account_key = $1
                           ON CONFLICT (account_key, about) DO NOTHING";
                let until = now.plus(kept).millis();
                let query = sqlx::query(sql).bind(account.value()).bind(about.to_vec()).bind(until);
                let is_new = query.execute(&mut *tx).await?.rows_affected() > 0;
                if !is_new && begins_anew {
                    let sql = "UPDATE sieve_memory SET expires_at = $3 WHERE account_key = $1 AND about = $2";
                    let query = sqlx::query(sql).bind(account.value()).bind(about.to_vec()).bind(until);
                    query.execute(&mut *tx).await?;
                }
                let sql = "DELETE FROM sieve_memory WHERE account_key = $1 AND expires_at <
                               (SELECT expires_at FROM sieve_memory WHERE account_key = $1 ORDER BY expires_at DESC LIMIT 1 OFFSET $2)";
                let query = sqlx::query(sql).bind(account.value()).bind(MAX_REMEMBERED_BY_SCRIPTS - 1);
                query.execute(&mut *tx).await?;
                Ok(is_new)
            })
        })
        .await
    }

    /// As [`Store::write`]; what was remembered of scripts isn't any more.
    async fn change_scripts<T, F>(&self, act: F) -> Result<T, SieveError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut AnyConnection) -> futures_util::future::BoxFuture<'c, Result<T, SieveError>>
            + Send
            + 'static,
    {
        let done = self.write(act).await;
        self.inner.scripts.forget();
        done
    }
}

/// As the unique index has them.
fn columns(scope: RuleScope) -> (i64, i64) {
    let (account, domain) = scope.columns();
    (account.unwrap_or(0), domain.unwrap_or(0))
}

async fn check_room(tx: &mut AnyConnection, scope: RuleScope, name: &str, octets: u64) -> Result<(), SieveError> {
    let (account, domain) = columns(scope);
    let sql = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(octets), 0) AS BIGINT) FROM sieve_script WHERE {OF_SCOPE} AND name <> $3"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(account).bind(domain).bind(name).fetch_one(tx).await?;
    if MAX_SCRIPTS <= row.try_get::<i64, _>(0)?.unsigned_abs() {
        return Err(SieveError::TooMany);
    }
    if MAX_SCRIPTS_OCTETS < row.try_get::<i64, _>(1)?.unsigned_abs().saturating_add(octets) {
        return Err(SieveError::TooLarge);
    }
    Ok(())
}

fn deed(act: &'static str, scope: RuleScope, name: &str) -> Deed {
    let (about, domain) = scope.columns();
    let domain = domain.map(DomainKey::new);
    Deed { act, subject: name.to_owned(), about, domain, after: Some(json!({ "name": name })), ..Deed::default() }
}

fn read(row: &AnyRow) -> Result<SieveScript, StoreError> {
    Ok(SieveScript {
        key: SieveScriptKey::new(row.try_get(0)?),
        name: row.try_get(1)?,
        text: row.try_get::<String, _>(2)?.into(),
        is_active: row.try_get::<i64, _>(3)? != 0,
    })
}

/// Takes away all that is an account's own.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    for sql in ["DELETE FROM sieve_script WHERE account_key = $1", "DELETE FROM sieve_memory WHERE account_key = $1"] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}
