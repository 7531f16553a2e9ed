//! The domains whose mail is ours, and their other names.

use relais_model::{Address, Domain, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::account::{count_owners, octets, purge_accounts_of};
use super::alias::delete_aliases_of;
use super::list::delete_lists_of;
use super::{DirectoryError, Order, check_version, present};
use crate::audit::{Deed, Scribe};
use crate::page::{Listing, Page};
use crate::sql::{self, Selected};
use crate::{Author, DomainKey, Store, StoreError, Version, access, dns, webhook};

/// Octets of a description, or of a tenant's name, at most.
const MAX_TEXT_OCTETS: usize = 1000;

/// Other names of one domain, at most.
pub const MAX_OTHER_NAMES: usize = 100;

/// One domain of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainEntry {
    /// Its row.
    pub key: DomainKey,
    /// Its name.
    pub domain: Domain,
    /// What people say of it; may be empty.
    pub description: String,
    /// Which tenant it is of, by a word of the owners'; empty: of the house itself. Nothing is shared across tenants.
    pub tenant: String,
    /// Where mail for unknown local parts goes; none: it is refused.
    pub catch_all: Option<Address>,
    /// Where mail for postmaster goes where no account or alias has that name; none: to the domain's oldest account
    /// (RFC 5321 §4.5.1).
    pub postmaster: Option<Address>,
    /// Octets that a new account may hold unless it is said otherwise; none: no limit.
    pub default_quota_octets: Option<u64>,
    /// Octets that its accounts may hold together; none: no limit.
    pub quota_octets: Option<u64>,
    /// Messages that its accounts may hold together; none: no limit.
    pub quota_messages: Option<u64>,
    /// Accounts that it may have; none: no limit.
    pub max_people: Option<u64>,
    /// Its mail and its people's log-ins are refused.
    pub is_disabled: bool,
    /// Since when it is removed, and waits to be purged.
    pub removed_at: Option<Timestamp>,
    /// Its other names, in order.
    pub other_names: Vec<Domain>,
    /// How many accounts it has.
    pub accounts: u64,
    /// How many aliases it has.
    pub aliases: u64,
    /// Octets that its accounts hold.
    pub used_octets: u64,
    /// Messages that its accounts hold.
    pub used_messages: u64,
    /// When it was added.
    pub created_at: Timestamp,
    /// Another one after each change of the domain itself.
    pub version: Version,
}

/// What is to be different; none leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainChange {
    /// What people say of it; up to 1,000 octets.
    pub description: Option<String>,
    /// Which tenant it is of; up to 1,000 octets, empty: of the house itself.
    pub tenant: Option<String>,
    /// Where mail for unknown local parts goes; `Some(None)`: it is refused.
    pub catch_all: Option<Option<Address>>,
    /// Where mail for postmaster goes; `Some(None)`: to the oldest account.
    pub postmaster: Option<Option<Address>>,
    /// Octets that a new account may hold; `Some(None)`: no limit.
    pub default_quota_octets: Option<Option<u64>>,
    /// Octets that its accounts may hold together; `Some(None)`: no limit.
    pub quota_octets: Option<Option<u64>>,
    /// The same of messages.
    pub quota_messages: Option<Option<u64>>,
    /// Accounts that it may have; `Some(None)`: no limit.
    pub max_people: Option<Option<u64>>,
    /// Whether mail and log-ins are refused.
    pub is_disabled: Option<bool>,
}

/// Which domains are wanted; none wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainFilter {
    /// Only these.
    pub among: Option<Vec<DomainKey>>,
    /// With this text in their name, another name, or their description; compared without case.
    pub text: Option<String>,
    /// Those that are removed and not yet purged, instead of those that are here.
    pub is_removed: bool,
}

/// What domains are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DomainOrder {
    /// Their name, from a.
    #[default]
    Name,
    /// How many accounts they have, from the most.
    People,
    /// What their accounts hold, from the most.
    Size,
}

/// Whether a domain's accounts and aliases may go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Refuse where there are any.
    OnlyEmpty,
    /// Remove them too, with all their mail.
    WithContents,
}

/// What of a domain people change, as the audit tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct DomainState {
    description: String,
    #[serde(default)]
    tenant: String,
    catch_all: Option<String>,
    postmaster: Option<String>,
    default_quota_octets: Option<i64>,
    #[serde(default)]
    quota_octets: Option<i64>,
    #[serde(default)]
    quota_messages: Option<i64>,
    max_people: Option<i64>,
    is_disabled: bool,
    is_removed: bool,
}

impl DomainState {
    fn change(&mut self, change: DomainChange) {
        let text = |address: Option<Address>| address.map(|address| address.to_string());
        self.description = change.description.unwrap_or_else(|| std::mem::take(&mut self.description));
        let word = |tenant: String| tenant.trim().to_owned();
        self.tenant = change.tenant.map_or_else(|| std::mem::take(&mut self.tenant), word);
        self.catch_all = change.catch_all.map_or_else(|| self.catch_all.take(), text);
        self.postmaster = change.postmaster.map_or_else(|| self.postmaster.take(), text);
        for (limit, wanted) in [
            (&mut self.default_quota_octets, change.default_quota_octets),
            (&mut self.quota_octets, change.quota_octets),
            (&mut self.quota_messages, change.quota_messages),
            (&mut self.max_people, change.max_people),
        ] {
            *limit = wanted.map_or(*limit, |wanted| wanted.map(octets));
        }
        self.is_disabled = change.is_disabled.unwrap_or(self.is_disabled);
    }

    /// The same, removed.
    pub(super) fn removed(self) -> Self {
        Self { is_removed: true, ..self }
    }

    /// What is done where it becomes `after`.
    fn act(&self, after: &Self) -> &'static str {
        let alike = Self { is_disabled: after.is_disabled, ..self.clone() };
        match (alike == *after && self.is_disabled != after.is_disabled, after.is_disabled) {
            (true, true) => "domain.disable",
            (true, false) => "domain.enable",
            (false, _) => "domain.change",
        }
    }
}

const COLUMNS: &str =
    "d.domain_key, d.name, d.description, d.catch_all, d.postmaster, d.default_quota_octets, d.max_people,
    d.is_disabled, d.removed_at, d.created_at, d.version, d.quota_octets, d.quota_messages, d.tenant,
    (SELECT COUNT(*) FROM alias a WHERE a.domain_key = d.domain_key)";

/// What a domain's accounts are together, looked up for each row that is shown.
const EACH: &str = "(SELECT COUNT(*) FROM account a WHERE a.domain_key = d.domain_key AND a.removed_at IS NULL),
    (SELECT CAST(COALESCE(SUM(a.used_octets), 0) AS BIGINT) FROM account a WHERE a.domain_key = d.domain_key AND a.removed_at IS NULL),
    (SELECT CAST(COALESCE(SUM(a.used_messages), 0) AS BIGINT) FROM account a WHERE a.domain_key = d.domain_key AND a.removed_at IS NULL)
    FROM domain d";

/// The same, counted for all domains at once: where they are put in order by it.
const ALL: &str = "COALESCE(p.people, 0), COALESCE(p.octets, 0), COALESCE(p.messages, 0)
    FROM domain d LEFT JOIN (SELECT domain_key, COUNT(*) AS people, CAST(SUM(used_octets) AS BIGINT) AS octets,
        CAST(SUM(used_messages) AS BIGINT) AS messages FROM account WHERE removed_at IS NULL GROUP BY domain_key) p
    ON p.domain_key = d.domain_key";

impl Store {
    /// Adds a domain, empty, with what `start` says of it.
    ///
    /// # Errors
    /// [`DirectoryError::DomainTaken`], [`DirectoryError::DomainRemoved`]; [`DirectoryError::Unfit`] for an address literal, or where a text is too long.
    pub async fn add_domain(
        &self,
        domain: &Domain,
        start: DomainChange,
        by: &Author,
    ) -> Result<DomainKey, DirectoryError> {
        let (domain, scribe) = (domain.clone(), self.scribe(by));
        self.change_routes(move |tx| Box::pin(async move { add_domain_in(tx, &scribe, &domain, start).await })).await
    }

    /// One domain by its own name; none where it isn't ours, or is removed.
    pub async fn domain(&self, domain: &Domain) -> Result<Option<DomainEntry>, StoreError> {
        let sql = format!("SELECT {COLUMNS}, {EACH} WHERE d.name = $1 AND d.removed_at IS NULL");
        let mut reader = self.reader().await?;
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(domain.as_str()).fetch_optional(&mut *reader).await?;
        let Some(row) = row else { return Ok(None) };
        let mut entries = [read_domain(&row)?];
        read_other_names(&mut reader, &mut entries, self.inner.engine).await?;
        let [entry] = entries;
        Ok(Some(entry))
    }

    /// Our domains.
    pub async fn domains(
        &self,
        filter: &DomainFilter,
        order: Order<DomainOrder>,
        page: &Page,
    ) -> Result<Listing<DomainEntry>, StoreError> {
        if filter.among.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Listing { rows: Vec::new(), next: None });
        }
        let counted = if order.by == DomainOrder::Name { EACH } else { ALL };
        let mut listed = Selected::new(format!("SELECT {COLUMNS}, {counted}"));
        listed.and_as_is(if filter.is_removed { "d.removed_at IS NOT NULL" } else { "d.removed_at IS NULL" });
        if let Some(among) = &filter.among {
            listed.and_among("d.domain_key", among.iter().map(|key| key.value()));
        }
        if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
            let found = "(d.name LIKE $ ESCAPE '\\' OR LOWER(d.description) LIKE $ ESCAPE '\\'
                          OR EXISTS (SELECT 1 FROM domain_alias o WHERE o.domain_key = d.domain_key AND o.name LIKE $ ESCAPE '\\'))";
            listed.and(found, sql::containing(&text.to_lowercase()));
        }
        let (column, falls) = match order.by {
            DomainOrder::Name => (None, false),
            DomainOrder::People => (Some("COALESCE(p.people, 0)"), true),
            DomainOrder::Size => (Some("COALESCE(p.octets, 0)"), true),
        };
        let order_by = order.follow(&mut listed, page, column, "d.name", falls);
        let statement = listed.ordered(&order_by, page.rows_to_ask());
        let query = sql::query(self.inner.engine, &[statement])?;
        let mut reader = self.reader().await?;
        let rows = query.fetch_all(&mut *reader).await?;
        let entries = rows.iter().map(read_domain).collect::<Result<Vec<_>, _>>()?;
        let mut listing = page.cut(entries, |entry| match order.by {
            DomainOrder::Name => entry.domain.to_string(),
            DomainOrder::People => format!("{} {}", entry.accounts, entry.domain),
            DomainOrder::Size => format!("{} {}", entry.used_octets, entry.domain),
        });
        read_other_names(&mut reader, &mut listing.rows, self.inner.engine).await?;
        Ok(listing)
    }

    /// Changes what `change` names. Of another tenant than before, its people lose what others share with them, and others what they share.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`]; [`DirectoryError::Stale`] where the domain isn't of `version` any more;
    /// [`DirectoryError::Unfit`] where a text is too long.
    pub async fn change_domain(
        &self,
        domain: &Domain,
        change: DomainChange,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        check_texts(&change)?;
        let (domain, scribe) = (domain.clone(), self.scribe(by));
        let changed = self.change_routes(move |tx| {
            Box::pin(async move {
                let key = take_domain(tx, &domain, scribe.now()).await?;
                let (before, has) = present(read_state(tx, key).await?)?;
                check_version(version, has)?;
                let mut after = before.clone();
                after.change(change);
                let act = before.act(&after);
                put_state(tx, &scribe, act, (key, &domain), &before, &after).await?;
                Ok(before.tenant != after.tenant)
            })
        });
        if changed.await? {
            self.inner.views.ask_again(None);
        }
        Ok(())
    }

    /// Removes a domain, and with [`Removal::WithContents`] its accounts, their mail and its aliases: nobody finds them any more, and
    /// mail for it is another host's. Until it is purged it can come back as it was, and its name stays taken.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], [`DirectoryError::NotEmpty`], [`DirectoryError::LastOwner`], [`DirectoryError::Stale`].
    pub async fn remove_domain(
        &self,
        domain: &Domain,
        removal: Removal,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        let (domain, scribe) = (domain.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let key = take_domain(tx, &domain, scribe.now()).await?;
                if removal == Removal::OnlyEmpty {
                    refuse_unless_empty(tx, key).await?;
                }
                let (before, has) = present(read_state(tx, key).await?)?;
                check_version(version, has)?;
                let after = before.clone().removed();
                put_state(tx, &scribe, "domain.remove", (key, &domain), &before, &after).await
            })
        })
        .await?;
        self.inner.views.ask_again(None);
        Ok(())
    }

    /// Brings a domain back that is removed and not yet purged.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`].
    pub async fn restore_domain(&self, domain: &Domain, by: &Author) -> Result<(), DirectoryError> {
        let (domain, scribe) = (domain.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let sql =
                    "UPDATE domain SET changed_at = $2 WHERE name = $1 AND removed_at IS NOT NULL RETURNING domain_key";
                let query = sqlx::query_scalar(sql).bind(domain.as_str()).bind(scribe.now().millis());
                let key: Option<i64> = query.fetch_optional(&mut *tx).await?;
                let key = key.map(DomainKey::new).ok_or_else(|| DirectoryError::UnknownDomain(domain.clone()))?;
                let (before, _) = present(read_state(tx, key).await?)?;
                let after = DomainState { is_removed: false, ..before.clone() };
                put_state(tx, &scribe, "domain.restore", (key, &domain), &before, &after).await
            })
        })
        .await?;
        self.inner.views.ask_again(None);
        Ok(())
    }

    /// Gives a domain of ours another name, by which all its addresses are reached.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`] for `of`; [`DirectoryError::DomainTaken`], [`DirectoryError::DomainRemoved`] for `name`;
    /// [`DirectoryError::Unfit`] for an address literal, or past [`MAX_OTHER_NAMES`].
    pub async fn add_domain_alias(&self, name: &Domain, of: &Domain, by: &Author) -> Result<(), DirectoryError> {
        if name.is_literal() {
            return Err(DirectoryError::Unfit("an address literal is no domain of ours"));
        }
        let (name, of, scribe) = (name.clone(), of.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let key = take_domain(tx, &of, scribe.now()).await?;
                insert_other_name(tx, &name, key, &scribe).await?;
                let after = serde_json::json!({ "domain": of.as_str() });
                let deed = other_name_deed("domain_alias.create", &name, key);
                scribe.note(tx, deed.between(None, Some(after))).await?;
                Ok(())
            })
        })
        .await
    }

    /// Takes one of its other names from a domain.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`] where it is no other name of a domain.
    pub async fn remove_domain_alias(&self, name: &Domain, by: &Author) -> Result<(), DirectoryError> {
        let (name, scribe) = (name.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let Some((key, of)) = read_other_name(tx, &name).await? else {
                    return Err(DirectoryError::UnknownDomain(name));
                };
                delete_other_name(tx, &name, key, &scribe).await?;
                let before = serde_json::json!({ "domain": of });
                let deed = other_name_deed("domain_alias.remove", &name, key);
                scribe.note(tx, deed.between(Some(before), None)).await?;
                Ok(())
            })
        })
        .await
    }

    /// A domain's row, for those who need no more of it; none where it isn't ours, or is removed.
    pub async fn domain_key(&self, domain: &Domain) -> Result<Option<DomainKey>, StoreError> {
        let sql = "SELECT domain_key FROM domain WHERE name = $1 AND removed_at IS NULL";
        let query = sqlx::query_scalar(sql).bind(domain.as_str());
        let key: Option<i64> = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(key.map(DomainKey::new))
    }

    /// The domain whose other name this is.
    pub async fn domain_of_alias(&self, name: &Domain) -> Result<Option<Domain>, StoreError> {
        let sql = "SELECT d.name FROM domain_alias o JOIN domain d ON d.domain_key = o.domain_key
                   WHERE o.name = $1 AND d.removed_at IS NULL";
        let found: Option<String> =
            sqlx::query_scalar(sql).bind(name.as_str()).fetch_optional(&mut *self.reader().await?).await?;
        found.as_deref().map(read_name).transpose()
    }

    /// Names of domains, by their rows; those that are removed, too.
    pub async fn domain_names(&self, keys: &[DomainKey]) -> Result<Vec<(DomainKey, Domain)>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut listed = Selected::new("SELECT domain_key, name FROM domain");
        listed.and_among("domain_key", keys.iter().map(|key| key.value()));
        let statement = listed.ordered("name", i64::from(u32::MAX));
        let rows = sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok((DomainKey::new(row.try_get(0)?), read_name(row.try_get(1)?)?))).collect()
    }

    /// Removes for good a domain that is removed, at once: nobody can bring it back, and its name is free.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`] where no such domain is removed.
    pub async fn purge_domain(&self, domain: &Domain) -> Result<(), DirectoryError> {
        let sql = "SELECT domain_key FROM domain WHERE name = $1 AND removed_at IS NOT NULL";
        let query = sqlx::query_scalar(sql).bind(domain.as_str());
        let key: Option<i64> = query.fetch_optional(&mut *self.reader().await?).await?;
        let key = key.ok_or_else(|| DirectoryError::UnknownDomain(domain.clone()))?;
        self.purge_removed_domain(key, Timestamp::from_millis(i64::MAX)).await?;
        Ok(())
    }

    /// Removes for good the domains that were removed before `before`, with accounts, mail, aliases and other names; one transaction
    /// for each account. Tells how many domains.
    pub(super) async fn purge_domains(&self, before: Timestamp) -> Result<u64, DirectoryError> {
        let sql = "SELECT domain_key FROM domain WHERE removed_at < $1 ORDER BY domain_key";
        let keys: Vec<i64> =
            sqlx::query_scalar(sql).bind(before.millis()).fetch_all(&mut *self.reader().await?).await?;
        let mut purged = 0;
        for key in keys {
            purged += u64::from(self.purge_removed_domain(key, before).await?);
        }
        Ok(purged)
    }

    /// False: someone has brought it back meanwhile.
    async fn purge_removed_domain(&self, key: i64, before: Timestamp) -> Result<bool, DirectoryError> {
        purge_accounts_of(self, DomainKey::new(key), before).await?;
        self.change_routes(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM domain WHERE domain_key = $1 AND removed_at < $2";
                let query = sqlx::query(sql).bind(key).bind(before.millis());
                if query.execute(&mut *tx).await?.rows_affected() == 0 {
                    return Ok(false);
                }
                delete_aliases_of(tx, DomainKey::new(key)).await?;
                delete_lists_of(tx, DomainKey::new(key)).await?;
                for sql in [
                    "DELETE FROM domain_alias WHERE domain_key = $1",
                    "DELETE FROM account_domain WHERE domain_key = $1",
                    "DELETE FROM login_history WHERE domain_key = $1",
                    "DELETE FROM report_received WHERE domain_key = $1",
                    "DELETE FROM report_source WHERE domain_key = $1",
                    "DELETE FROM report_session WHERE domain_key = $1",
                    "DELETE FROM report_incident WHERE domain_key = $1",
                    "DELETE FROM certificate_name WHERE domain_key = $1",
                    "DELETE FROM sender_rule WHERE domain_key = $1",
                    "DELETE FROM sieve_script WHERE domain_key = $1",
                    "DELETE FROM acl WHERE kind = 1 AND who = $1",
                    "DELETE FROM lent_address WHERE kind = 1 AND who = $1",
                ] {
                    sqlx::query(sql).bind(key).execute(&mut *tx).await?;
                }
                webhook::remove_where(tx, "domain_key", key).await?;
                dns::remove_of(tx, key).await?;
                Ok(true)
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
    let sql = "UPDATE domain SET changed_at = $2 WHERE name = $1 AND removed_at IS NULL RETURNING domain_key";
    let key: Option<i64> = sqlx::query_scalar(sql).bind(domain.as_str()).bind(now.millis()).fetch_optional(tx).await?;
    key.map(DomainKey::new).ok_or_else(|| DirectoryError::UnknownDomain(domain.clone()))
}

/// Adds a domain in the transaction under way.
pub(crate) async fn add_domain_in(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    domain: &Domain,
    start: DomainChange,
) -> Result<DomainKey, DirectoryError> {
    if domain.is_literal() {
        return Err(DirectoryError::Unfit("an address literal is no domain of ours"));
    }
    check_texts(&start)?;
    refuse_taken_name(tx, domain).await?;
    let key = DomainKey::new(scribe.next_key());
    let sql = "INSERT INTO domain (domain_key, name, created_at, changed_at) VALUES ($1, $2, $3, $3)";
    let query = sqlx::query(sql).bind(key.value()).bind(domain.as_str()).bind(scribe.now().millis());
    query.execute(&mut *tx).await?;
    let mut state = DomainState::default();
    state.change(start);
    write_state(tx, key, &state, scribe).await?;
    note(tx, scribe, "domain.create", (key, domain), None, Some(&state)).await?;
    Ok(key)
}

/// Refuses a name that a domain has, or has had until of late, or that is another name of one.
async fn refuse_taken_name(tx: &mut AnyConnection, name: &Domain) -> Result<(), DirectoryError> {
    let sql = "SELECT CAST(CASE WHEN removed_at IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM domain WHERE name = $1
               UNION ALL SELECT CAST(0 AS BIGINT) FROM domain_alias WHERE name = $1";
    let found: Option<i64> = sqlx::query_scalar(sql).bind(name.as_str()).fetch_optional(tx).await?;
    match found {
        None => Ok(()),
        Some(0) => Err(DirectoryError::DomainTaken(name.clone())),
        Some(_) => Err(DirectoryError::DomainRemoved(name.clone())),
    }
}

pub(super) async fn refuse_unless_empty(tx: &mut AnyConnection, key: DomainKey) -> Result<(), DirectoryError> {
    let sql = "SELECT (SELECT COUNT(*) FROM account WHERE domain_key = $1 AND removed_at IS NULL),
                      (SELECT COUNT(*) FROM alias WHERE domain_key = $1) + (SELECT COUNT(*) FROM mailing_list WHERE domain_key = $1)";
    let (accounts, aliases): (i64, i64) = sqlx::query_as(sql).bind(key.value()).fetch_one(tx).await?;
    if accounts == 0 && aliases == 0 {
        return Ok(());
    }
    Err(DirectoryError::NotEmpty { accounts: accounts.unsigned_abs(), aliases: aliases.unsigned_abs() })
}

/// Refuses one more account where the domain has as many as it may; the domain must have been taken.
pub(super) async fn refuse_full(tx: &mut AnyConnection, key: DomainKey) -> Result<(), DirectoryError> {
    let sql = "SELECT d.max_people, (SELECT COUNT(*) FROM account a WHERE a.domain_key = d.domain_key AND a.removed_at IS NULL)
               FROM domain d WHERE d.domain_key = $1";
    let (limit, people): (Option<i64>, i64) = sqlx::query_as(sql).bind(key.value()).fetch_one(tx).await?;
    match limit {
        Some(limit) if people >= limit => Err(DirectoryError::TooManyPeople(limit.unsigned_abs())),
        _ => Ok(()),
    }
}

/// What a domain is, removed or not, and in which version.
pub(super) async fn read_state(
    tx: &mut AnyConnection,
    key: DomainKey,
) -> Result<Option<(DomainState, Version)>, sqlx::Error> {
    let sql =
        "SELECT description, catch_all, postmaster, default_quota_octets, max_people, is_disabled, removed_at, version,
                quota_octets, quota_messages, tenant FROM domain WHERE domain_key = $1";
    let row = sqlx::query(sql).bind(key.value()).fetch_optional(tx).await?;
    let read = |row: &AnyRow| {
        let state = DomainState {
            description: row.try_get(0)?,
            tenant: row.try_get(10)?,
            catch_all: row.try_get(1)?,
            postmaster: row.try_get(2)?,
            default_quota_octets: row.try_get(3)?,
            quota_octets: row.try_get(8)?,
            quota_messages: row.try_get(9)?,
            max_people: row.try_get(4)?,
            is_disabled: row.try_get::<i64, _>(5)? != 0,
            is_removed: row.try_get::<Option<i64>, _>(6)?.is_some(),
        };
        Ok((state, Version::new(row.try_get(7)?)))
    };
    row.as_ref().map(read).transpose()
}

async fn write_state(
    tx: &mut AnyConnection,
    key: DomainKey,
    state: &DomainState,
    scribe: &Scribe,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE domain SET description = $2, catch_all = $3, postmaster = $4, default_quota_octets = $5, max_people = $6,
                   is_disabled = $7, removed_at = CASE WHEN $8 = 1 THEN COALESCE(removed_at, $9) ELSE NULL END,
                   changed_at = $9, version = $10, quota_octets = $11, quota_messages = $12, tenant = $13
               WHERE domain_key = $1";
    sqlx::query(sql)
        .bind(key.value())
        .bind(state.description.as_str())
        .bind(state.catch_all.as_deref())
        .bind(state.postmaster.as_deref())
        .bind(state.default_quota_octets)
        .bind(state.max_people)
        .bind(i64::from(state.is_disabled))
        .bind(i64::from(state.is_removed))
        .bind(scribe.now().millis())
        .bind(scribe.next_key())
        .bind(state.quota_octets)
        .bind(state.quota_messages)
        .bind(state.tenant.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes what a domain becomes, and that it does; nothing where it stays as it is.
pub(super) async fn put_state(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    (key, domain): (DomainKey, &Domain),
    before: &DomainState,
    after: &DomainState,
) -> Result<(), DirectoryError> {
    if before == after {
        return Ok(());
    }
    let owners = count_owners(tx).await?;
    write_state(tx, key, after, scribe).await?;
    if owners > 0 && count_owners(tx).await? == 0 {
        return Err(DirectoryError::LastOwner);
    }
    if (after.is_disabled && !before.is_disabled) || (after.is_removed && !before.is_removed) {
        access::end_openings_of(tx, key).await?;
    }
    note(tx, scribe, act, (key, domain), Some(before), Some(after)).await?;
    Ok(())
}

async fn note(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    (key, domain): (DomainKey, &Domain),
    before: Option<&DomainState>,
    after: Option<&DomainState>,
) -> Result<(), sqlx::Error> {
    let deed =
        Deed { act, subject: domain.to_string(), about: Some(key.value()), domain: Some(key), ..Deed::default() };
    let told = |state: Option<&DomainState>| state.and_then(|state| serde_json::to_value(state).ok());
    scribe.note(tx, deed.between(told(before), told(after))).await.map(drop)
}

pub(super) fn other_name_deed(act: &'static str, name: &Domain, of: DomainKey) -> Deed {
    Deed { act, subject: name.to_string(), about: Some(of.value()), domain: Some(of), ..Deed::default() }
}

pub(super) async fn insert_other_name(
    tx: &mut AnyConnection,
    name: &Domain,
    of: DomainKey,
    scribe: &Scribe,
) -> Result<(), DirectoryError> {
    refuse_taken_name(tx, name).await?;
    let sql = "SELECT COUNT(*) FROM domain_alias WHERE domain_key = $1";
    let names: i64 = sqlx::query_scalar(sql).bind(of.value()).fetch_one(&mut *tx).await?;
    if usize::try_from(names).unwrap_or(usize::MAX) >= MAX_OTHER_NAMES {
        return Err(DirectoryError::Unfit("a domain has 100 other names at most"));
    }
    let sql = "INSERT INTO domain_alias (name, domain_key, created_at) VALUES ($1, $2, $3)";
    let query = sqlx::query(sql).bind(name.as_str()).bind(of.value()).bind(scribe.now().millis());
    query.execute(&mut *tx).await?;
    touch(tx, of, scribe).await?;
    Ok(())
}

/// The domain whose other name it is, if any.
pub(super) async fn read_other_name(
    tx: &mut AnyConnection,
    name: &Domain,
) -> Result<Option<(DomainKey, String)>, sqlx::Error> {
    let sql = "SELECT d.domain_key, d.name FROM domain_alias o JOIN domain d ON d.domain_key = o.domain_key WHERE o.name = $1";
    let found: Option<(i64, String)> = sqlx::query_as(sql).bind(name.as_str()).fetch_optional(tx).await?;
    Ok(found.map(|(key, of)| (DomainKey::new(key), of)))
}

pub(super) async fn delete_other_name(
    tx: &mut AnyConnection,
    name: &Domain,
    of: DomainKey,
    scribe: &Scribe,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM domain_alias WHERE name = $1").bind(name.as_str()).execute(&mut *tx).await?;
    touch(tx, of, scribe).await
}

/// A domain with more or fewer names is another version of it.
async fn touch(tx: &mut AnyConnection, key: DomainKey, scribe: &Scribe) -> Result<(), sqlx::Error> {
    let sql = "UPDATE domain SET version = $2 WHERE domain_key = $1";
    sqlx::query(sql).bind(key.value()).bind(scribe.next_key()).execute(tx).await.map(drop)
}

fn check_texts(change: &DomainChange) -> Result<(), DirectoryError> {
    let is_unfit = |text: Option<&str>, may_have_lines: bool| {
        let is_bad = |character: char| character.is_control() && !(may_have_lines && character == '\n');
        text.is_some_and(|text| text.len() > MAX_TEXT_OCTETS || text.chars().any(is_bad))
    };
    if is_unfit(change.description.as_deref(), true) || is_unfit(change.tenant.as_deref(), false) {
        return Err(DirectoryError::Unfit("a text is too long or holds a control character"));
    }
    Ok(())
}

async fn read_other_names(
    reader: &mut AnyConnection,
    entries: &mut [DomainEntry],
    engine: crate::Engine,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut listed = Selected::new("SELECT domain_key, name FROM domain_alias");
    listed.and_among("domain_key", entries.iter().map(|entry| entry.key.value()));
    let statement = listed.ordered("name", i64::from(u32::MAX));
    for row in sql::query(engine, &[statement])?.fetch_all(reader).await? {
        let (key, name) = (DomainKey::new(row.try_get(0)?), read_name(row.try_get(1)?)?);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.key == key) {
            entry.other_names.push(name);
        }
    }
    Ok(())
}

fn read_domain(row: &AnyRow) -> Result<DomainEntry, StoreError> {
    let address = |text: Option<&str>| text.map(read_address).transpose();
    let number = |number: Option<i64>| number.map(i64::unsigned_abs);
    Ok(DomainEntry {
        key: DomainKey::new(row.try_get(0)?),
        domain: read_name(row.try_get(1)?)?,
        description: row.try_get(2)?,
        catch_all: address(row.try_get(3)?)?,
        postmaster: address(row.try_get(4)?)?,
        default_quota_octets: number(row.try_get(5)?),
        max_people: number(row.try_get(6)?),
        is_disabled: row.try_get::<i64, _>(7)? != 0,
        removed_at: row.try_get::<Option<i64>, _>(8)?.map(Timestamp::from_millis),
        other_names: Vec::new(),
        created_at: Timestamp::from_millis(row.try_get(9)?),
        version: Version::new(row.try_get(10)?),
        quota_octets: number(row.try_get(11)?),
        quota_messages: number(row.try_get(12)?),
        tenant: row.try_get(13)?,
        aliases: row.try_get::<i64, _>(14)?.unsigned_abs(),
        accounts: row.try_get::<i64, _>(15)?.unsigned_abs(),
        used_octets: row.try_get::<i64, _>(16)?.unsigned_abs(),
        used_messages: row.try_get::<i64, _>(17)?.unsigned_abs(),
    })
}

/// A domain's name as the database keeps it.
pub(crate) fn read_name(name: &str) -> Result<Domain, StoreError> {
    Domain::parse(name).map_err(|error| StoreError::damaged(format!("domain {name}: {error}")))
}

/// An address as the database keeps it.
pub(crate) fn read_address(text: &str) -> Result<Address, StoreError> {
    Address::parse(text).map_err(|error| StoreError::damaged(format!("address {text}: {error}")))
}
