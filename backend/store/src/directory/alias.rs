//! Addresses that lead to other addresses.

use relais_model::{Address, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::account::refuse_taken;
use super::domain::{read_address, take_domain};
use super::{DirectoryError, check_version, fold};
use crate::audit::{Deed, Scribe};
use crate::page::{Listing, Page};
use crate::{AliasKey, Author, DomainKey, Store, StoreError, Version};

/// Targets of one alias, at most.
pub const MAX_TARGETS: usize = 500;

/// An address of ours that leads to others (RFC 5321 §3.9.1), local or remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Its row.
    pub key: AliasKey,
    /// As it was spelled when it was added.
    pub address: Address,
    /// In the order given: 1 to [`MAX_TARGETS`].
    pub targets: Vec<Address>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Another one after each change.
    pub version: Version,
}

/// What of an alias people change, as the audit tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AliasState {
    targets: Vec<String>,
}

impl AliasState {
    fn of(targets: &[Address]) -> Self {
        Self { targets: targets.iter().map(Address::to_string).collect() }
    }
}

impl Store {
    /// Adds an alias. Its targets need not exist; whether they lead in a circle shows when mail comes.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], [`DirectoryError::AddressTaken`], [`DirectoryError::AddressRemoved`];
    /// [`DirectoryError::Unfit`] where the targets are none, too many, or the alias itself.
    pub async fn add_alias(
        &self,
        address: &Address,
        targets: Vec<Address>,
        by: &Author,
    ) -> Result<Alias, DirectoryError> {
        check_targets(address, &targets)?;
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let domain = take_domain(tx, &address.domain, scribe.now()).await?;
                let key = AliasKey::new(scribe.next_key());
                let state = AliasState::of(&targets);
                let version =
                    put_state(tx, &scribe, "alias.create", (key, &address, domain), None, Some(&state)).await?;
                Ok(Alias { key, address, targets, created_at: scribe.now(), version })
            })
        })
        .await
    }

    /// One alias; none where the address is none.
    pub async fn alias(&self, address: &Address) -> Result<Option<Alias>, StoreError> {
        let sql = "SELECT alias_key, address, created_at, version FROM alias a WHERE folded = $1
                   AND EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = a.domain_key AND d.removed_at IS NULL)";
        let mut reader = self.reader().await?;
        let row: Option<AliasRow> = sqlx::query_as(sql).bind(fold(address)).fetch_optional(&mut *reader).await?;
        let Some(row) = row else { return Ok(None) };
        let mut alias = read_alias(row)?;
        for target in targets(&mut reader, alias.key).await? {
            alias.targets.push(read_address(&target)?);
        }
        Ok(Some(alias))
    }

    /// Aliases by address.
    pub async fn aliases(&self, page: &Page) -> Result<Listing<Alias>, StoreError> {
        let sql = "SELECT alias_key, address, created_at, version FROM alias a WHERE folded > $1
                   AND EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = a.domain_key AND d.removed_at IS NULL)
                   ORDER BY folded LIMIT $2";
        let after = page.after.as_deref().unwrap_or_default();
        let rows: Vec<AliasRow> =
            sqlx::query_as(sql).bind(after).bind(page.rows_to_ask()).fetch_all(&mut *self.reader().await?).await?;
        let aliases = rows.into_iter().map(read_alias).collect::<Result<Vec<_>, _>>()?;
        let mut listing = page.cut(aliases, |alias| fold(&alias.address));
        self.read_targets(after, &mut listing.rows).await?;
        Ok(listing)
    }

    /// Gives aliases that follow `after` their targets, in one read.
    async fn read_targets(&self, after: &str, aliases: &mut [Alias]) -> Result<(), StoreError> {
        let Some(last) = aliases.last() else { return Ok(()) };
        let sql = "SELECT t.alias_key, t.address FROM alias a JOIN alias_target t ON t.alias_key = a.alias_key
                   WHERE a.folded > $1 AND a.folded <= $2 ORDER BY a.folded, t.position";
        let rows: Vec<(i64, String)> =
            sqlx::query_as(sql).bind(after).bind(fold(&last.address)).fetch_all(&mut *self.reader().await?).await?;
        let mut rows = rows.into_iter().peekable();
        for alias in aliases {
            // Those of an alias that isn't listed, or that came between the two reads, are passed over.
            while rows.next_if(|(key, _)| *key != alias.key.value()).is_some() {}
            while let Some((_, target)) = rows.next_if(|(key, _)| *key == alias.key.value()) {
                alias.targets.push(read_address(&target)?);
            }
        }
        Ok(())
    }

    /// Gives an alias other targets.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`]; [`DirectoryError::Stale`] where the alias isn't of `version` any more;
    /// [`DirectoryError::Unfit`] as for [`Store::add_alias`].
    pub async fn change_alias(
        &self,
        address: &Address,
        targets: Vec<Address>,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        check_targets(address, &targets)?;
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (key, address, domain, has) = take_alias(tx, &address, &scribe).await?;
                check_version(version, has)?;
                let (before, after) = (read_state(tx, key).await?, AliasState::of(&targets));
                let what = (key, &address, domain);
                put_state(tx, &scribe, "alias.change", what, before.as_ref(), Some(&after)).await.map(drop)
            })
        })
        .await
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`], [`DirectoryError::Stale`].
    pub async fn remove_alias(
        &self,
        address: &Address,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (key, address, domain, has) = take_alias(tx, &address, &scribe).await?;
                check_version(version, has)?;
                let before = read_state(tx, key).await?;
                let what = (key, &address, domain);
                put_state(tx, &scribe, "alias.remove", what, before.as_ref(), None).await.map(drop)
            })
        })
        .await
    }
}

fn check_targets(address: &Address, targets: &[Address]) -> Result<(), DirectoryError> {
    if targets.is_empty() || targets.len() > MAX_TARGETS {
        return Err(DirectoryError::Unfit("an alias has 1 to 500 targets"));
    }
    if targets.iter().any(|target| fold(target) == fold(address)) {
        return Err(DirectoryError::Unfit("an alias cannot lead to itself"));
    }
    Ok(())
}

/// The alias with its domain's row written, so that those who change the domain's addresses wait for each other.
async fn take_alias(
    tx: &mut AnyConnection,
    address: &Address,
    scribe: &Scribe,
) -> Result<(AliasKey, Address, DomainKey, Version), DirectoryError> {
    let unknown = || DirectoryError::UnknownAddress(address.clone());
    let domain = match take_domain(tx, &address.domain, scribe.now()).await {
        Err(DirectoryError::UnknownDomain(_)) => return Err(unknown()),
        other => other?,
    };
    let sql = "SELECT alias_key, address, created_at, version FROM alias WHERE folded = $1";
    let row: Option<AliasRow> = sqlx::query_as(sql).bind(fold(address)).fetch_optional(tx).await?;
    let alias = read_alias(row.ok_or_else(unknown)?)?;
    Ok((alias.key, alias.address, domain, alias.version))
}

async fn targets(tx: &mut AnyConnection, key: AliasKey) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT address FROM alias_target WHERE alias_key = $1 ORDER BY position";
    sqlx::query_scalar(sql).bind(key.value()).fetch_all(tx).await
}

/// What an alias is; none where it isn't there.
pub(super) async fn read_state(tx: &mut AnyConnection, key: AliasKey) -> Result<Option<AliasState>, sqlx::Error> {
    let targets = targets(tx, key).await?;
    Ok((!targets.is_empty()).then_some(AliasState { targets }))
}

/// Writes what an alias becomes, none: nothing, and that it does; the domain must have been taken. The version that it has then.
pub(super) async fn put_state(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    (key, address, domain): (AliasKey, &Address, DomainKey),
    before: Option<&AliasState>,
    after: Option<&AliasState>,
) -> Result<Version, DirectoryError> {
    let version = Version::new(scribe.next_key());
    if before == after {
        return Ok(version);
    }
    if before.is_none() {
        refuse_taken(tx, address).await?;
        let sql = "INSERT INTO alias (alias_key, domain_key, folded, address, created_at) VALUES ($1, $2, $3, $4, $5)";
        let query = sqlx::query(sql).bind(key.value()).bind(domain.value()).bind(fold(address));
        query.bind(address.to_string()).bind(scribe.now().millis()).execute(&mut *tx).await?;
    } else {
        let sql = "DELETE FROM alias_target WHERE alias_key = $1";
        sqlx::query(sql).bind(key.value()).execute(&mut *tx).await?;
    }
    match after {
        None => {
            sqlx::query("DELETE FROM alias WHERE alias_key = $1").bind(key.value()).execute(&mut *tx).await?;
        }
        Some(after) => {
            let sql = "UPDATE alias SET version = $2 WHERE alias_key = $1";
            sqlx::query(sql).bind(key.value()).bind(version.value()).execute(&mut *tx).await?;
            insert_targets(tx, key, after).await?;
        }
    }
    let told = |state: Option<&AliasState>| state.and_then(|state| serde_json::to_value(state).ok());
    let deed =
        Deed { act, subject: address.to_string(), about: Some(key.value()), domain: Some(domain), ..Deed::default() };
    scribe.note(tx, deed.between(told(before), told(after))).await?;
    Ok(version)
}

impl Store {
    /// Folds the targets that a migration left for it.
    pub(crate) async fn fold_targets(&self) -> Result<(), StoreError> {
        let sql = "SELECT alias_key, position, address FROM alias_target WHERE folded = ''";
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(sql).fetch_all(&mut *self.reader().await?).await?;
        if rows.is_empty() {
            return Ok(());
        }
        self.write(move |tx| {
            Box::pin(async move {
                for (key, position, text) in rows {
                    let sql = "UPDATE alias_target SET folded = $3 WHERE alias_key = $1 AND position = $2";
                    let query = sqlx::query(sql).bind(key).bind(position).bind(fold(&read_address(&text)?));
                    query.execute(&mut *tx).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn insert_targets(tx: &mut AnyConnection, key: AliasKey, state: &AliasState) -> Result<(), DirectoryError> {
    let sql = "INSERT INTO alias_target (alias_key, position, address, folded, domain) VALUES ($1, $2, $3, $4, $5)";
    for (position, text) in (0_i64..).zip(&state.targets) {
        let target = read_address(text)?;
        sqlx::query(sql)
            .bind(key.value())
            .bind(position)
            .bind(text.as_str())
            .bind(fold(&target))
            .bind(target.domain.as_str())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Removes all aliases of a domain that is going.
pub(super) async fn delete_aliases_of(tx: &mut AnyConnection, domain: DomainKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM alias_target WHERE alias_key IN (SELECT alias_key FROM alias WHERE domain_key = $1)",
        "DELETE FROM alias WHERE domain_key = $1",
    ] {
        sqlx::query(sql).bind(domain.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

type AliasRow = (i64, String, i64, i64);

fn read_alias((key, address, created_at, version): AliasRow) -> Result<Alias, StoreError> {
    Ok(Alias {
        key: AliasKey::new(key),
        address: read_address(&address)?,
        targets: Vec::new(),
        created_at: Timestamp::from_millis(created_at),
        version: Version::new(version),
    })
}
