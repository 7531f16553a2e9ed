//! Where an address leads: the one question that RCPT and filing ask.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use relais_model::Address;

use super::domain::read_address;
use super::fold;
use super::fold::fold_base;
use crate::{AccountKey, Store, StoreError};

/// Steps from alias to alias, at most: past it, it is taken for a circle.
pub const ALIAS_DEPTH: usize = 10;

/// Addresses that are followed for one question, at most.
const MAX_FOLLOWED: usize = 1000;

/// One step from an address to where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// An account of ours.
    Account {
        /// Its row.
        key: AccountKey,
        /// Its address as it was spelled when it was added, without detail.
        address: Address,
        /// What stood after the first `+` (RFC 5233 §1), as it was spelled; may be empty.
        detail: Option<String>,
        /// Its mail is refused.
        is_suspended: bool,
        /// Octets it may hold; none: no limit.
        quota_octets: Option<u64>,
        /// Octets it holds; of an account without a limit it may be an older count.
        used_octets: u64,
    },
    /// An alias, or postmaster (RFC 5321 §4.5.1): on to these. A detail is not carried on.
    Alias {
        /// Local or remote.
        targets: Vec<Address>,
    },
    /// No such local part, but the domain takes all.
    CatchAll {
        /// Local or remote.
        target: Address,
    },
    /// The domain is ours; the local part isn't there.
    NoSuchAddress,
    /// The domain is ours, and takes no mail for anybody.
    Disabled,
    /// The domain isn't ours.
    NotLocal,
}

/// Routes that were asked for of late, by the count of the directory's changes and the address: after a change none is found any more, also
/// none that was read before the change and is put in after it.
#[derive(Debug)]
pub(crate) struct Routes {
    changes: AtomicU64,
    known: Cache<(u64, Address), Route>,
}

impl Routes {
    /// Routes that are remembered, at most: each takes about 300 octets.
    const MAX_KNOWN: u64 = 20_000;
    /// How long another node's change of the directory may stay unseen here.
    const KNOWN_FOR: Duration = Duration::from_secs(20);

    /// Whatever was remembered isn't any more.
    pub(crate) fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

impl Default for Routes {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(Self::MAX_KNOWN).time_to_live(Self::KNOWN_FOR).build();
        Self { changes: AtomicU64::new(0), known }
    }
}

impl Store {
    /// Where `address` leads, in one step. What is spelled exactly goes before what is left without its detail; then
    /// postmaster, then the domain's catch-all. Remembered for a while, but for how full an account with a limit is.
    pub async fn route(&self, address: &Address) -> Result<Route, StoreError> {
        let routes = &self.inner.routes;
        let key = (routes.changes.load(Ordering::Acquire), address.clone());
        let Some(known) = routes.known.get(&key) else {
            let route = self.read_route(address).await?;
            routes.known.insert(key, route.clone());
            return Ok(route);
        };
        match known {
            Route::Account { key, address, detail, is_suspended, quota_octets: Some(quota), .. } => {
                let sql = "SELECT used_octets FROM account WHERE account_key = $1";
                let used: Option<i64> =
                    sqlx::query_scalar(sql).bind(key.value()).fetch_optional(&mut *self.reader().await?).await?;
                let used_octets = used.and_then(|octets| u64::try_from(octets).ok()).unwrap_or(0);
                Ok(Route::Account { key, address, detail, is_suspended, quota_octets: Some(quota), used_octets })
            }
            route => Ok(route),
        }
    }

    async fn read_route(&self, address: &Address) -> Result<Route, StoreError> {
        // Another name of a domain leads where the domain leads.
        match self.domain_of_alias(&address.domain).await? {
            Some(domain) => self.read_own_route(&Address { domain, ..address.clone() }).await,
            None => self.read_own_route(address).await,
        }
    }

    async fn read_own_route(&self, address: &Address) -> Result<Route, StoreError> {
        let exact = fold(address);
        let (base, detail) = fold_base(address).map_or((exact.clone(), None), |(base, detail)| (base, Some(detail)));
        let Some(domain) = self.read_domain_row(address, &exact, &base).await? else { return Ok(Route::NotLocal) };
        if domain.is_disabled {
            return Ok(Route::Disabled);
        }
        // What was removed of late is still somebody's: it isn't the catch-all's.
        let is_kept = domain.account.as_ref().is_some_and(|account| account.is_removed);
        match domain.account.filter(|account| !account.is_removed) {
            Some(account) if account.folded == exact => return account.into_route(None),
            account => {
                let (alias, targets) = self.read_alias(&exact, &base).await?;
                match (alias, account) {
                    (Some(folded), _) if folded == exact => return Ok(Route::Alias { targets }),
                    (_, Some(account)) => return account.into_route(detail),
                    (Some(_), None) => return Ok(Route::Alias { targets }),
                    (None, None) => {}
                }
            }
        }
        if address.local_part.as_str().eq_ignore_ascii_case("postmaster") {
            let set = domain.postmaster.as_deref().map(read_address).transpose()?;
            let target = if set.is_some() { set } else { self.oldest_account(domain.key).await? };
            if let Some(target) = target.filter(|target| fold(target) != exact) {
                return Ok(Route::Alias { targets: vec![target] });
            }
        }
        match domain.catch_all.filter(|_| !is_kept) {
            Some(target) => Ok(Route::CatchAll { target: read_address(&target)? }),
            None => Ok(Route::NoSuchAddress),
        }
    }

    /// Where mail for postmaster at a name of this host goes, when that name is no domain of ours: to the house's oldest account
    /// (RFC 5321 §4.5.1).
    pub async fn house_postmaster(&self) -> Result<Option<Address>, StoreError> {
        let sql = "SELECT a.address FROM account a JOIN domain d ON d.domain_key = a.domain_key
                   WHERE a.is_suspended = 0 AND a.removed_at IS NULL AND d.removed_at IS NULL AND d.is_disabled = 0
                   ORDER BY a.account_key LIMIT 1";
        let address: Option<String> = sqlx::query_scalar(sql).fetch_optional(&mut *self.reader().await?).await?;
        address.as_deref().map(read_address).transpose()
    }

    /// Whether mail from `account` may say that it comes from `address`: the account's own address, with or without a detail, or
    /// an alias that leads to it, by however many steps up to [`ALIAS_DEPTH`].
    pub async fn may_send_as(&self, account: AccountKey, address: &Address) -> Result<bool, StoreError> {
        let mut seen = HashSet::new();
        let mut ahead = vec![address.clone()];
        for _ in 0..=ALIAS_DEPTH {
            for next in std::mem::take(&mut ahead) {
                if seen.len() >= MAX_FOLLOWED || !seen.insert(fold(&next)) {
                    continue;
                }
                match self.route(&next).await? {
                    Route::Account { key, .. } if key == account => return Ok(true),
                    Route::Alias { targets } => ahead.extend(targets),
                    // A catch-all gives mail to someone; it lends nobody the names of others.
                    Route::Account { .. }
                    | Route::CatchAll { .. }
                    | Route::NoSuchAddress
                    | Route::Disabled
                    | Route::NotLocal => {}
                }
            }
        }
        Ok(false)
    }

    /// The address's domain, with the account of either folded address, the longer first.
    async fn read_domain_row(
        &self,
        address: &Address,
        exact: &str,
        base: &str,
    ) -> Result<Option<DomainRow>, StoreError> {
        type Row = (
            i64,
            Option<String>,
            Option<String>,
            Option<i64>,
            Option<String>,
            Option<String>,
            Option<i64>,
            Option<i64>,
            Option<i64>,
            Option<i64>,
            i64,
        );
        let sql = "SELECT d.domain_key, d.catch_all, d.postmaster,
                          a.account_key, a.folded, a.address, a.is_suspended, a.quota_octets, a.used_octets, a.removed_at, d.is_disabled
                   FROM domain d LEFT JOIN account a ON a.folded IN ($2, $3)
                   WHERE d.name = $1 AND d.removed_at IS NULL
                   ORDER BY LENGTH(a.folded) DESC LIMIT 1";
        let row: Option<Row> = sqlx::query_as(sql)
            .bind(address.domain.as_str())
            .bind(exact)
            .bind(base)
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (domain, catch_all, postmaster, key, folded, address, is_suspended, quota, used, removed_at, is_disabled) =
            row;
        let account = match (key, folded, address) {
            (Some(key), Some(folded), Some(address)) => Some(AccountRow {
                key: AccountKey::new(key),
                folded,
                address,
                is_suspended: is_suspended.unwrap_or(0) != 0,
                is_removed: removed_at.is_some(),
                quota_octets: quota.map(i64::unsigned_abs),
                used_octets: used.and_then(|octets| u64::try_from(octets).ok()).unwrap_or(0),
            }),
            _ => None,
        };
        Ok(Some(DomainRow { key: domain, catch_all, postmaster, is_disabled: is_disabled != 0, account }))
    }

    /// The targets of the alias of either folded address, the longer first, and which it was.
    async fn read_alias(&self, exact: &str, base: &str) -> Result<(Option<String>, Vec<Address>), StoreError> {
        let sql = "SELECT a.folded, t.address FROM alias a JOIN alias_target t ON t.alias_key = a.alias_key
                   WHERE a.folded IN ($1, $2)
                   ORDER BY LENGTH(a.folded) DESC, t.position";
        let rows: Vec<(String, String)> =
            sqlx::query_as(sql).bind(exact).bind(base).fetch_all(&mut *self.reader().await?).await?;
        let Some((found, _)) = rows.first().cloned() else { return Ok((None, Vec::new())) };
        let own = rows.iter().take_while(|(folded, _)| *folded == found);
        let targets = own.map(|(_, target)| read_address(target)).collect::<Result<Vec<_>, _>>()?;
        Ok((Some(found), targets))
    }

    async fn oldest_account(&self, domain: i64) -> Result<Option<Address>, StoreError> {
        let sql = "SELECT address FROM account WHERE domain_key = $1 AND is_suspended = 0 AND removed_at IS NULL
                   ORDER BY account_key LIMIT 1";
        let address: Option<String> =
            sqlx::query_scalar(sql).bind(domain).fetch_optional(&mut *self.reader().await?).await?;
        match address {
            Some(address) => read_address(&address).map(Some),
            None => self.house_postmaster().await,
        }
    }
}

struct DomainRow {
    key: i64,
    catch_all: Option<String>,
    postmaster: Option<String>,
    is_disabled: bool,
    account: Option<AccountRow>,
}

struct AccountRow {
    key: AccountKey,
    folded: String,
    address: String,
    is_suspended: bool,
    is_removed: bool,
    quota_octets: Option<u64>,
    used_octets: u64,
}

impl AccountRow {
    fn into_route(self, detail: Option<String>) -> Result<Route, StoreError> {
        Ok(Route::Account {
            key: self.key,
            address: read_address(&self.address)?,
            detail,
            is_suspended: self.is_suspended,
            quota_octets: self.quota_octets,
            used_octets: self.used_octets,
        })
    }
}
