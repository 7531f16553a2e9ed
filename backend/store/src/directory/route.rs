//! Where an address leads: the one question that RCPT and filing ask.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use relais_model::{Address, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::alias::{self, read_addresses, read_alias_name, read_senders};
use super::domain::read_address;
use super::fold::fold_base;
use super::{AliasName, Pattern, Senders, fold};
use crate::{AccountKey, AliasKey, Lent, ListKey, Store, StoreError};

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
        /// Its name; none: postmaster, or a way back.
        name: Option<AliasName>,
        /// Local or remote.
        targets: Vec<Address>,
        /// Who may send under its name.
        senders: Senders,
    },
    /// An alias that has ended, and waits to be purged.
    Ended {
        /// What is said to who still writes to it, in ASCII; empty: the house's own words.
        text: String,
    },
    /// A mailing list, or one of its other addresses.
    List {
        /// Its row.
        key: ListKey,
        /// Its address, as it was spelled when it was added.
        address: Address,
        /// Which of its addresses.
        act: ListAct,
        /// What stood after the first `+`, in lower case.
        detail: String,
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

/// What is asked of a list, by which of its addresses was written to (RFC 2369's commands have one each).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListAct {
    /// The list itself.
    Post,
    /// `-request`: the command stands in the subject.
    Request,
    /// `-subscribe`.
    Subscribe,
    /// `-unsubscribe`.
    Unsubscribe,
    /// `-confirm+TOKEN`: what was asked is confirmed.
    Confirm,
    /// `-approve+TOKEN`: an owner lets a post go out.
    Approve,
    /// `-reject+TOKEN`: an owner turns a post away.
    Reject,
    /// `-bounces+TOKEN`: mail to a member came back.
    Bounces,
    /// `-more+TOKEN`: the rest of a post that is being sent out. Nobody else writes there.
    More,
}

impl ListAct {
    /// What stands behind the list's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Post => "",
            Self::Request => "-request",
            Self::Subscribe => "-subscribe",
            Self::Unsubscribe => "-unsubscribe",
            Self::Confirm => "-confirm",
            Self::Approve => "-approve",
            Self::Reject => "-reject",
            Self::Bounces => "-bounces",
            Self::More => "-more",
        }
    }

    /// All that have a name of their own behind the list's.
    const SUFFIXED: [Self; 8] = [
        Self::Request,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Confirm,
        Self::Approve,
        Self::Reject,
        Self::Bounces,
        Self::More,
    ];
}

/// Behind a list's name: mail for those who look after it.
const OWNER_SUFFIX: &str = "-owner";

impl Route {
    /// On to these, whose own matter it is who sends.
    pub const fn onward(targets: Vec<Address>) -> Self {
        Self::Alias { name: None, targets, senders: Senders::Targets }
    }
}

/// Routes that were asked for of late, by the count of the directory's changes and the address: after a change none is found any more, also
/// none that was read before the change and is put in after it. Each with the time from which it is another, where an alias ends.
#[derive(Debug)]
pub(crate) struct Routes {
    changes: AtomicU64,
    known: Cache<(u64, Address), (Route, Option<Timestamp>)>,
    /// What stands for more than one address, by domain, in the order in which it is asked.
    patterns: Cache<(u64, i64), Arc<Vec<Known>>>,
}

impl Routes {
    /// Routes that are remembered, at most: each takes about 300 octets.
    const MAX_KNOWN: u64 = 20_000;
    /// How long another node's change of the directory may stay unseen here.
    const KNOWN_FOR: Duration = Duration::from_secs(20);
    /// Domains whose patterns are held ready, at most.
    const MAX_DOMAINS: u64 = 200;

    /// Whatever was remembered isn't any more.
    pub(crate) fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

impl Default for Routes {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(Self::MAX_KNOWN).time_to_live(Self::KNOWN_FOR).build();
        let patterns = Cache::builder().max_capacity(Self::MAX_DOMAINS).time_to_live(Self::KNOWN_FOR).build();
        Self { changes: AtomicU64::new(0), known, patterns }
    }
}

impl Store {
    /// Where `address` leads, in one step. What is spelled exactly goes before what is left without its detail; then postmaster; then
    /// wildcards, the one with the most letters first; then regular expressions in their turn; then the domain's catch-all. An alias that has ended
    /// still holds its place, so that nobody else gets its mail. Remembered for a while, but for how full an account with a limit is.
    pub async fn route(&self, address: &Address) -> Result<Route, StoreError> {
        let routes = &self.inner.routes;
        let key = (routes.changes.load(Ordering::Acquire), address.clone());
        let known = routes.known.get(&key).filter(|(_, until)| until.is_none_or(|until| self.now() < until));
        let Some((known, _)) = known else {
            let (route, until) = self.read_route(address).await?;
            routes.known.insert(key, (route.clone(), until));
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

    async fn read_route(&self, address: &Address) -> Result<(Route, Option<Timestamp>), StoreError> {
        // Another name of a domain leads where the domain leads.
        match self.domain_of_alias(&address.domain).await? {
            Some(domain) => self.read_own_route(&Address { domain, ..address.clone() }).await,
            None => self.read_own_route(address).await,
        }
    }

    /// The route, and until when it is that one.
    async fn read_own_route(&self, address: &Address) -> Result<(Route, Option<Timestamp>), StoreError> {
        let exact = fold(address);
        let (base, detail) = fold_base(address).map_or((exact.clone(), None), |(base, detail)| (base, Some(detail)));
        let Some(domain) = self.read_domain_row(address, &exact, &base).await? else {
            return Ok((Route::NotLocal, None));
        };
        if domain.is_disabled {
            return Ok((Route::Disabled, None));
        }
        // What was removed of late is still somebody's: it isn't a pattern's nor the catch-all's.
        let is_kept = domain.account.as_ref().is_some_and(|account| account.is_removed);
        match domain.account.filter(|account| !account.is_removed) {
            Some(account) if account.folded == exact => return Ok((account.into_route(None)?, None)),
            account => {
                let alias = self.read_alias(&exact, &base).await?;
                match (alias, account) {
                    (Some(alias), _) if alias.folded == exact => return self.alias_route(&alias).await,
                    (_, Some(account)) => return Ok((account.into_route(detail)?, None)),
                    (Some(alias), None) => return self.alias_route(&alias).await,
                    (None, None) => {}
                }
            }
        }
        if address.local_part.as_str().eq_ignore_ascii_case("postmaster") {
            let set = domain.postmaster.as_deref().map(read_address).transpose()?;
            let target = if set.is_some() { set } else { self.oldest_account(domain.key).await? };
            if let Some(target) = target.filter(|target| fold(target) != exact) {
                return Ok((Route::onward(vec![target]), None));
            }
        }
        if let Some(route) = self.list_route(address, &base, detail.as_deref()).await? {
            return Ok((route, None));
        }
        if !is_kept {
            let patterns = self.patterns(domain.key).await?;
            if let Some(known) = patterns.iter().find(|known| known.pattern.fits(&address.local_part, &address.domain))
            {
                return self.alias_route(&known.alias).await;
            }
        }
        match domain.catch_all.filter(|_| !is_kept) {
            Some(target) => Ok((Route::CatchAll { target: read_address(&target)? }, None)),
            None => Ok((Route::NoSuchAddress, None)),
        }
    }

    /// A list of this folded address without its detail, or one of a list's other addresses.
    async fn list_route(
        &self,
        address: &Address,
        base: &str,
        detail: Option<&str>,
    ) -> Result<Option<Route>, StoreError> {
        let name = base.split('@').next().unwrap_or_default();
        let acts = ListAct::SUFFIXED.iter().map(|act| (Some(*act), act.suffix()));
        let other =
            acts.chain([(None, OWNER_SUFFIX)]).find_map(|(act, suffix)| Some((act, name.strip_suffix(suffix)?)));
        let of = other.map(|(_, name)| format!("{name}@{}", address.domain)).unwrap_or_default();
        let sql = "SELECT list_key, address, folded FROM mailing_list WHERE folded IN ($1, $2) ORDER BY LENGTH(folded) DESC LIMIT 1";
        let mut reader = self.reader().await?;
        let query = sqlx::query_as(sql).bind(base).bind(of);
        let found: Option<(i64, String, String)> = query.fetch_optional(&mut *reader).await?;
        drop(reader);
        let Some((key, list, folded)) = found else { return Ok(None) };
        let (key, list) = (ListKey::new(key), read_address(&list)?);
        let act = if folded == base { Some(ListAct::Post) } else { other.and_then(|(act, _)| act) };
        Ok(Some(match act {
            Some(act) => Route::List { key, address: list, act, detail: detail.unwrap_or_default().to_lowercase() },
            None => match self.list_owners(key).await? {
                owners if owners.is_empty() => Route::NoSuchAddress,
                owners => Route::onward(owners),
            },
        }))
    }

    /// Where an alias leads now, and until when.
    async fn alias_route(&self, alias: &AliasRow) -> Result<(Route, Option<Timestamp>), StoreError> {
        if alias.ends_at.is_some_and(|end| end <= self.now()) {
            return Ok((Route::Ended { text: alias.ended_text.clone() }, None));
        }
        let sql = "SELECT address FROM alias_target WHERE alias_key = $1 ORDER BY position";
        let mut reader = self.reader().await?;
        let targets: Vec<String> = sqlx::query_scalar(sql).bind(alias.key.value()).fetch_all(&mut *reader).await?;
        let mut senders = read_senders(alias.senders, Vec::new());
        if let Senders::People(people) = &mut senders {
            *people = read_addresses(&alias::senders(&mut reader, alias.key).await?)?;
        }
        let name = Some(alias.name.clone());
        Ok((Route::Alias { name, targets: read_addresses(&targets)?, senders }, alias.ends_at))
    }

    /// What of a domain stands for more than one address, in the order in which it is asked.
    async fn patterns(&self, domain: i64) -> Result<Arc<Vec<Known>>, StoreError> {
        let routes = &self.inner.routes;
        let key = (routes.changes.load(Ordering::Acquire), domain);
        if let Some(known) = routes.patterns.get(&key) {
            return Ok(known);
        }
        let sql = "SELECT alias_key, address, folded, senders, ends_at, ended_text, kind, turn FROM alias
                   WHERE domain_key = $1 AND kind > 0 ORDER BY kind, turn, folded LIMIT 1000";
        let rows = sqlx::query(sql).bind(domain).fetch_all(&mut *self.reader().await?).await?;
        let mut known = Vec::with_capacity(rows.len());
        for row in &rows {
            let alias = AliasRow::read(row)?;
            let pattern = Pattern::of(&alias.name).map_err(|error| StoreError::damaged(error.to_string()))?;
            known.push(Known { is_wildcard: row.try_get::<i64, _>(6)? == 1, alias, pattern });
        }
        // Regular expressions keep the order in which they were read.
        known.sort_by_key(|known| (!known.is_wildcard, std::cmp::Reverse(known.pattern.literal_octets())));
        let known = Arc::new(known);
        routes.patterns.insert(key, Arc::clone(&known));
        Ok(known)
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

    /// Whether mail from `account` may say that it comes from `address`, and nothing else: see [`Store::sends_as`].
    pub async fn may_send_as(&self, account: AccountKey, address: &Address) -> Result<bool, StoreError> {
        Ok(self.sends_as(account, address).await? == Some(Lent::As))
    }

    /// How mail from `account` may say that it comes from `address`; none: not at all. The account's own address, with or without a detail; one that is
    /// lent to it; an alias that names it among its senders; or one whose senders are its targets, which leads by however many steps up to
    /// [`ALIAS_DEPTH`] to it, or to what is lent to it. What an alias on the way says of its own senders is about its own name.
    pub async fn sends_as(&self, account: AccountKey, address: &Address) -> Result<Option<Lent>, StoreError> {
        let mut ahead = match self.route(address).await? {
            Route::Account { key, .. } if key == account => return Ok(Some(Lent::As)),
            Route::Account { key, .. } => return self.lent(key, account).await,
            Route::Alias { senders: Senders::Targets, targets, .. } => targets,
            Route::Alias { senders: Senders::People(people), .. } => {
                return Ok(self.is_among(account, &people).await?.then_some(Lent::As));
            }
            // A catch-all gives mail to someone; it lends nobody the names of others.
            _ => return Ok(None),
        };
        let (mut seen, mut best) = (HashSet::from([fold(address)]), None);
        for _ in 0..ALIAS_DEPTH {
            for next in std::mem::take(&mut ahead) {
                if seen.len() >= MAX_FOLLOWED || !seen.insert(fold(&next)) {
                    continue;
                }
                match self.route(&next).await? {
                    Route::Account { key, .. } if key == account => return Ok(Some(Lent::As)),
                    Route::Account { key, .. } => best = best.max(self.lent(key, account).await?),
                    Route::Alias { targets, .. } => ahead.extend(targets),
                    _ => {}
                }
            }
        }
        Ok(best)
    }

    /// The account that gets what is written to an address, and nobody else does: its own, or by however many aliases up to [`ALIAS_DEPTH`] that lead to
    /// one address each. A catch-all's aren't its.
    pub(crate) async fn sole_account(&self, address: &Address) -> Result<Option<Address>, StoreError> {
        let mut next = address.clone();
        for _ in 0..=ALIAS_DEPTH {
            next = match self.route(&next).await? {
                Route::Account { address, .. } => return Ok(Some(address)),
                Route::Alias { mut targets, .. } if targets.len() == 1 => match targets.pop() {
                    Some(only) => only,
                    None => return Ok(None),
                },
                _ => return Ok(None),
            };
        }
        Ok(None)
    }

    async fn is_among(&self, account: AccountKey, people: &[Address]) -> Result<bool, StoreError> {
        for person in people {
            if matches!(self.route(person).await?, Route::Account { key, .. } if key == account) {
                return Ok(true);
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

    /// The alias of either folded address, the longer first.
    async fn read_alias(&self, exact: &str, base: &str) -> Result<Option<AliasRow>, StoreError> {
        let sql = "SELECT alias_key, address, folded, senders, ends_at, ended_text FROM alias
                   WHERE folded IN ($1, $2) AND kind = 0 ORDER BY LENGTH(folded) DESC LIMIT 1";
        let query = sqlx::query(sql).bind(exact).bind(base);
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        row.as_ref().map(AliasRow::read).transpose()
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

/// An alias, but for where it leads.
#[derive(Debug)]
struct AliasRow {
    key: AliasKey,
    name: AliasName,
    folded: String,
    senders: i64,
    ends_at: Option<Timestamp>,
    ended_text: String,
}

impl AliasRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: AliasKey::new(row.try_get(0)?),
            name: read_alias_name(row.try_get(1)?)?,
            folded: row.try_get(2)?,
            senders: row.try_get(3)?,
            ends_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_millis),
            ended_text: row.try_get(5)?,
        })
    }
}

/// An alias that stands for more than one address.
#[derive(Debug)]
struct Known {
    is_wildcard: bool,
    alias: AliasRow,
    pattern: Pattern,
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
