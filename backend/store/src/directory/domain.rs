//! The domains whose mail is ours.

use relais_model::{Address, Domain, Timestamp};
use sqlx::AnyConnection;

use super::DirectoryError;
use super::account::remove_accounts_of;
use crate::page::{Listing, Page};
use crate::{DomainKey, Store, StoreError};

/// One domain of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainEntry {
    /// Its row.
    pub key: DomainKey,
    /// Its name.
    pub domain: Domain,
    /// Where mail for unknown local parts goes; none: it is refused.
    pub catch_all: Option<Address>,
    /// Where mail for postmaster goes where no account or alias has that name; none: to the domain's oldest account
    /// (RFC 5321 §4.5.1).
    pub postmaster: Option<Address>,
    /// How many accounts it has.
    pub accounts: u64,
    /// How many aliases it has.
    pub aliases: u64,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Whether a domain's accounts and aliases may go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Refuse where there are any.
    OnlyEmpty,
    /// Remove them too, with all their mail.
    WithContents,
}

impl Store {
    /// Adds a domain, empty.
    ///
    /// # Errors
    /// [`DirectoryError::DomainTaken`]; [`DirectoryError::Unfit`] for an address literal.
    pub async fn add_domain(&self, domain: &Domain) -> Result<DomainKey, DirectoryError> {
        if domain.is_literal() {
            return Err(DirectoryError::Unfit("an address literal is no domain of ours"));
        }
        let (domain, now, key) = (domain.clone(), self.now().millis(), self.inner.keys.next(self.now()));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO domain (domain_key, name, created_at, changed_at) VALUES ($1, $2, $3, $3)
                           ON CONFLICT (name) DO NOTHING";
                let done = sqlx::query(sql).bind(key).bind(domain.as_str()).bind(now).execute(tx).await?;
                if done.rows_affected() == 0 {
                    return Err(DirectoryError::DomainTaken(domain));
                }
                Ok(DomainKey::new(key))
            })
        })
        .await
    }

    /// One domain; none where it isn't ours.
    pub async fn domain(&self, domain: &Domain) -> Result<Option<DomainEntry>, StoreError> {
        let sql = "SELECT d.domain_key, d.name, d.catch_all, d.postmaster, d.created_at,
                          (SELECT COUNT(*) FROM account a WHERE a.domain_key = d.domain_key),
                          (SELECT COUNT(*) FROM alias a WHERE a.domain_key = d.domain_key)
                   FROM domain d WHERE d.name = $1";
        let row: Option<DomainRow> =
            sqlx::query_as(sql).bind(domain.as_str()).fetch_optional(&mut *self.reader().await?).await?;
        row.map(read_domain).transpose()
    }

    /// Our domains by name.
    pub async fn domains(&self, page: &Page) -> Result<Listing<DomainEntry>, StoreError> {
        let sql = "SELECT d.domain_key, d.name, d.catch_all, d.postmaster, d.created_at,
                          (SELECT COUNT(*) FROM account a WHERE a.domain_key = d.domain_key),
                          (SELECT COUNT(*) FROM alias a WHERE a.domain_key = d.domain_key)
                   FROM domain d WHERE d.name > $1 ORDER BY d.name LIMIT $2";
        let after = page.after.as_deref().unwrap_or_default();
        let rows: Vec<DomainRow> =
            sqlx::query_as(sql).bind(after).bind(page.rows_to_ask()).fetch_all(&mut *self.reader().await?).await?;
        let entries = rows.into_iter().map(read_domain).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(entries, |entry| entry.domain.to_string()))
    }

    /// Sets or, with none, clears where mail for unknown local parts goes.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`].
    pub async fn set_catch_all(&self, domain: &Domain, target: Option<&Address>) -> Result<(), DirectoryError> {
        let sql = "UPDATE domain SET catch_all = $2, changed_at = $3 WHERE name = $1";
        self.set_target(sql, domain, target).await
    }

    /// Sets or, with none, clears where mail for postmaster goes (RFC 5321 §4.5.1).
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`].
    pub async fn set_postmaster(&self, domain: &Domain, target: Option<&Address>) -> Result<(), DirectoryError> {
        let sql = "UPDATE domain SET postmaster = $2, changed_at = $3 WHERE name = $1";
        self.set_target(sql, domain, target).await
    }

    async fn set_target(
        &self,
        sql: &'static str,
        domain: &Domain,
        target: Option<&Address>,
    ) -> Result<(), DirectoryError> {
        let (domain, target, now) = (domain.clone(), target.map(Address::to_string), self.now().millis());
        self.change_routes(move |tx| {
            Box::pin(async move {
                let done = sqlx::query(sql).bind(domain.as_str()).bind(target).bind(now).execute(tx).await?;
                if done.rows_affected() == 0 {
                    return Err(DirectoryError::UnknownDomain(domain));
                }
                Ok(())
            })
        })
        .await
    }

    /// Removes a domain, and with [`Removal::WithContents`] its accounts, their mail and its aliases.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], [`DirectoryError::NotEmpty`].
    pub async fn remove_domain(&self, domain: &Domain, removal: Removal) -> Result<(), DirectoryError> {
        let (domain, now) = (domain.clone(), self.now());
        self.change_routes(move |tx| {
            Box::pin(async move {
                let key = take_domain(tx, &domain, now).await?;
                match removal {
                    Removal::OnlyEmpty => refuse_unless_empty(tx, key).await?,
                    Removal::WithContents => {
                        remove_accounts_of(tx, key).await?;
                        let targets = "DELETE FROM alias_target WHERE alias_key IN
                                       (SELECT alias_key FROM alias WHERE domain_key = $1)";
                        sqlx::query(targets).bind(key.value()).execute(&mut *tx).await?;
                        let aliases = "DELETE FROM alias WHERE domain_key = $1";
                        sqlx::query(aliases).bind(key.value()).execute(&mut *tx).await?;
                    }
                }
                let attempts = "DELETE FROM login_history WHERE domain_key = $1";
                sqlx::query(attempts).bind(key.value()).execute(&mut *tx).await?;
                sqlx::query("DELETE FROM domain WHERE domain_key = $1").bind(key.value()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

/// The domain's key, with its row written, so that all who change the domain's addresses wait for each other on both engines.
pub(super) async fn take_domain(
    tx: &mut AnyConnection,
    domain: &Domain,
    now: Timestamp,
) -> Result<DomainKey, DirectoryError> {
    let sql = "UPDATE domain SET changed_at = $2 WHERE name = $1 RETURNING domain_key";
    let key: Option<i64> = sqlx::query_scalar(sql).bind(domain.as_str()).bind(now.millis()).fetch_optional(tx).await?;
    key.map(DomainKey::new).ok_or_else(|| DirectoryError::UnknownDomain(domain.clone()))
}

async fn refuse_unless_empty(tx: &mut AnyConnection, key: DomainKey) -> Result<(), DirectoryError> {
    let sql = "SELECT (SELECT COUNT(*) FROM account WHERE domain_key = $1), (SELECT COUNT(*) FROM alias WHERE domain_key = $1)";
    let (accounts, aliases): (i64, i64) = sqlx::query_as(sql).bind(key.value()).fetch_one(tx).await?;
    if accounts == 0 && aliases == 0 {
        return Ok(());
    }
    Err(DirectoryError::NotEmpty { accounts: accounts.unsigned_abs(), aliases: aliases.unsigned_abs() })
}

type DomainRow = (i64, String, Option<String>, Option<String>, i64, i64, i64);

fn read_domain(row: DomainRow) -> Result<DomainEntry, StoreError> {
    let (key, name, catch_all, postmaster, created_at, accounts, aliases) = row;
    Ok(DomainEntry {
        key: DomainKey::new(key),
        domain: Domain::parse(&name).map_err(|error| StoreError::damaged(format!("domain {name}: {error}")))?,
        catch_all: catch_all.as_deref().map(read_address).transpose()?,
        postmaster: postmaster.as_deref().map(read_address).transpose()?,
        accounts: accounts.unsigned_abs(),
        aliases: aliases.unsigned_abs(),
        created_at: Timestamp::from_millis(created_at),
    })
}

/// An address as the database keeps it.
pub(crate) fn read_address(text: &str) -> Result<Address, StoreError> {
    Address::parse(text).map_err(|error| StoreError::damaged(format!("address {text}: {error}")))
}
