//! Addresses that lead to other addresses.

use relais_model::{Address, Timestamp};

use super::account::refuse_taken;
use super::domain::{read_address, take_domain};
use super::{DirectoryError, fold};
use crate::page::{Listing, Page};
use crate::{AliasKey, Store, StoreError};

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
}

impl Store {
    /// Adds an alias. Its targets need not exist; whether they lead in a circle shows when mail comes.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], [`DirectoryError::AddressTaken`]; [`DirectoryError::Unfit`] where the targets are none, too many, or
    /// the alias itself.
    pub async fn add_alias(&self, address: &Address, targets: Vec<Address>) -> Result<Alias, DirectoryError> {
        if targets.is_empty() || targets.len() > MAX_TARGETS {
            return Err(DirectoryError::Unfit("an alias has 1 to 500 targets"));
        }
        if targets.iter().any(|target| fold(target) == fold(address)) {
            return Err(DirectoryError::Unfit("an alias cannot lead to itself"));
        }
        let (now, key) = (self.now(), AliasKey::new(self.inner.keys.next(self.now())));
        let alias = Alias { key, address: address.clone(), targets, created_at: now };
        self.change_routes(move |tx| {
            Box::pin(async move {
                let domain = take_domain(tx, &alias.address.domain, now).await?;
                refuse_taken(tx, &alias.address).await?;
                let sql = "INSERT INTO alias (alias_key, domain_key, folded, address, created_at) VALUES ($1, $2, $3, $4, $5)";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(domain.value())
                    .bind(fold(&alias.address))
                    .bind(alias.address.to_string())
                    .bind(now.millis())
                    .execute(&mut *tx)
                    .await?;
                let sql = "INSERT INTO alias_target (alias_key, position, address) VALUES ($1, $2, $3)";
                for (position, target) in (0_i64..).zip(&alias.targets) {
                    let query = sqlx::query(sql).bind(key.value()).bind(position).bind(target.to_string());
                    query.execute(&mut *tx).await?;
                }
                Ok(alias)
            })
        })
        .await
    }

    /// Aliases by address.
    pub async fn aliases(&self, page: &Page) -> Result<Listing<Alias>, StoreError> {
        let sql = "SELECT alias_key, address, created_at FROM alias WHERE folded > $1 ORDER BY folded LIMIT $2";
        let after = page.after.as_deref().unwrap_or_default();
        let rows: Vec<(i64, String, i64)> =
            sqlx::query_as(sql).bind(after).bind(page.rows_to_ask()).fetch_all(&mut *self.reader().await?).await?;
        let mut aliases = Vec::with_capacity(rows.len());
        for (key, address, created_at) in rows {
            aliases.push(Alias {
                key: AliasKey::new(key),
                address: read_address(&address)?,
                targets: Vec::new(),
                created_at: Timestamp::from_millis(created_at),
            });
        }
        let mut listing = page.cut(aliases, |alias| fold(&alias.address));
        self.read_targets(after, &mut listing.rows).await?;
        Ok(listing)
    }

    /// Gives aliases that follow `after` without a gap their targets, in one read.
    async fn read_targets(&self, after: &str, aliases: &mut [Alias]) -> Result<(), StoreError> {
        let Some(last) = aliases.last() else { return Ok(()) };
        let sql = "SELECT t.alias_key, t.address FROM alias a JOIN alias_target t ON t.alias_key = a.alias_key
                   WHERE a.folded > $1 AND a.folded <= $2 ORDER BY a.folded, t.position";
        let rows: Vec<(i64, String)> =
            sqlx::query_as(sql).bind(after).bind(fold(&last.address)).fetch_all(&mut *self.reader().await?).await?;
        let mut rows = rows.into_iter().peekable();
        for alias in aliases {
            // Those of an alias that came between the two reads are passed over.
            while let Some((_, target)) = rows.next_if(|(key, _)| *key == alias.key.value()) {
                alias.targets.push(read_address(&target)?);
            }
        }
        Ok(())
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`].
    pub async fn remove_alias(&self, address: &Address) -> Result<(), DirectoryError> {
        let address = address.clone();
        self.change_routes(move |tx| {
            Box::pin(async move {
                let targets =
                    "DELETE FROM alias_target WHERE alias_key IN (SELECT alias_key FROM alias WHERE folded = $1)";
                sqlx::query(targets).bind(fold(&address)).execute(&mut *tx).await?;
                let done = sqlx::query("DELETE FROM alias WHERE folded = $1").bind(fold(&address)).execute(tx).await?;
                if done.rows_affected() == 0 { Err(DirectoryError::UnknownAddress(address)) } else { Ok(()) }
            })
        })
        .await
    }
}
