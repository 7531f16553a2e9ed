//! The people whose mail we keep: what an account is, and how it becomes another.
//!
//! `add`: it begins. `listing`: one or many are read. `credential`: what its log-in is checked against. `removal`: it ends.

mod add;
mod credential;
mod listing;
mod removal;

use relais_model::{Address, Domain, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row as _};

pub use add::NewAccount;
pub use credential::Credential;
pub use listing::{AccountFilter, AccountOrder};
pub use removal::Purged;

pub(crate) use add::add_account_in;
pub(super) use removal::purge_accounts_of;

use super::domain::read_name;
use super::{DirectoryError, check_version, fold, present};
use crate::access;
use crate::audit::{Deed, Scribe};
use crate::{AccountKey, Author, DomainKey, SendingLimits, Store, StoreError, Version};

/// Octets of a name or of a password's hash, at most.
const MAX_TEXT_OCTETS: usize = 1000;

/// What someone may do in the house; what each may in detail is the service's to say. Each may all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Their own account.
    #[default]
    User,
    /// Helps the people of the domains they serve.
    HelpDesk,
    /// Manages the domains they serve.
    DomainAdmin,
    /// Manages the house.
    Owner,
}

impl Role {
    /// Whether it is held for some domains, and not for none or all.
    pub const fn serves_domains(self) -> bool {
        matches!(self, Self::HelpDesk | Self::DomainAdmin)
    }

    pub(crate) fn read(number: i64) -> Result<Self, StoreError> {
        let all = [Self::User, Self::HelpDesk, Self::DomainAdmin, Self::Owner];
        let found = all.into_iter().find(|role| *role as i64 == number);
        found.ok_or_else(|| StoreError::damaged(format!("an account has the role {number}")))
    }
}

/// Someone whose mail we keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its row.
    pub key: AccountKey,
    /// As it was spelled when it was added.
    pub address: Address,
    /// Its domain's row.
    pub domain: DomainKey,
    /// The person's name; may be empty.
    pub name: String,
    /// A team: nobody logs in as it, and its mailboxes are for those who have rights there.
    pub is_team: bool,
    /// What they may do.
    pub role: Role,
    /// The domains that they serve, where their role is held for domains.
    pub domains: Vec<(DomainKey, Domain)>,
    /// Whether there is a password to log in with.
    pub has_password: bool,
    /// Octets it may hold; none: no limit.
    pub quota_octets: Option<u64>,
    /// Messages it may hold; none: no limit.
    pub quota_messages: Option<u64>,
    /// Extensions of IMAP that aren't announced to their programs.
    pub imap_hidden: Vec<String>,
    /// Octets it holds.
    pub used_octets: u64,
    /// Messages it holds.
    pub used_messages: u64,
    /// It may not log in, and its mail is refused.
    pub is_suspended: bool,
    /// What it may send; none: as the house says.
    pub limits: SendingLimits,
    /// The language that they read (RFC 5646); empty where they never chose.
    pub language: String,
    /// `light` or `dark`; empty where they never chose.
    pub theme: String,
    /// When they last logged in; none: never since this is kept.
    pub last_seen_at: Option<Timestamp>,
    /// Since when it is removed, and waits to be purged.
    pub removed_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Another one after each change.
    pub version: Version,
}

/// What is to be different; none leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The person's name.
    pub name: Option<String>,
    /// The limit of octets, or, with `Some(None)`, no limit.
    pub quota_octets: Option<Option<u64>>,
    /// The same of messages.
    pub quota_messages: Option<Option<u64>>,
    /// Of [`crate::IMAP_HIDEABLE`].
    pub imap_hidden: Option<Vec<String>>,
    /// What they may do.
    pub role: Option<Role>,
    /// The domains that they serve, all of them.
    pub domains: Option<Vec<Domain>>,
    /// Whether it is suspended.
    pub is_suspended: Option<bool>,
    /// Messages it may send in an hour, or, with `Some(None)`, as many as the house says.
    pub hourly_messages: Option<Option<u64>>,
    /// The same of recipients.
    pub hourly_recipients: Option<Option<u64>>,
    /// The same of messages in a day.
    pub daily_messages: Option<Option<u64>>,
    /// The same of recipients in a day.
    pub daily_recipients: Option<Option<u64>>,
    /// The same of recipients in a day to whom it has never written before.
    pub daily_new_recipients: Option<Option<u64>>,
    /// The language that they read.
    pub language: Option<String>,
    /// `light`, `dark`, or empty.
    pub theme: Option<String>,
}

/// What of an account people change, as the audit tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct AccountState {
    name: String,
    quota_octets: Option<i64>,
    #[serde(default)]
    quota_messages: Option<i64>,
    #[serde(default)]
    imap_hidden: String,
    role: Role,
    domains: Vec<String>,
    is_suspended: bool,
    #[serde(default)]
    hourly_messages: Option<i64>,
    #[serde(default)]
    hourly_recipients: Option<i64>,
    daily_messages: Option<i64>,
    daily_recipients: Option<i64>,
    #[serde(default)]
    daily_new_recipients: Option<i64>,
    language: String,
    theme: String,
    pub(super) is_removed: bool,
}

impl AccountState {
    fn change(&mut self, change: AccountChange) {
        self.name = change.name.unwrap_or_else(|| std::mem::take(&mut self.name));
        self.quota_octets = change.quota_octets.map_or(self.quota_octets, |limit| limit.map(octets));
        self.quota_messages = change.quota_messages.map_or(self.quota_messages, |limit| limit.map(octets));
        self.imap_hidden =
            change.imap_hidden.map_or_else(|| std::mem::take(&mut self.imap_hidden), |names| names.join(" "));
        self.role = change.role.unwrap_or(self.role);
        self.domains = change.domains.map_or_else(|| std::mem::take(&mut self.domains), |domains| names(&domains));
        if !self.role.serves_domains() {
            self.domains.clear();
        }
        self.is_suspended = change.is_suspended.unwrap_or(self.is_suspended);
        for (limit, wanted) in [
            (&mut self.hourly_messages, change.hourly_messages),
            (&mut self.hourly_recipients, change.hourly_recipients),
            (&mut self.daily_messages, change.daily_messages),
            (&mut self.daily_recipients, change.daily_recipients),
            (&mut self.daily_new_recipients, change.daily_new_recipients),
        ] {
            *limit = wanted.map_or(*limit, |wanted| wanted.map(octets));
        }
        self.language = change.language.unwrap_or_else(|| std::mem::take(&mut self.language));
        self.theme = change.theme.unwrap_or_else(|| std::mem::take(&mut self.theme));
    }

    /// The same, removed.
    pub(super) fn removed(self) -> Self {
        Self { is_removed: true, ..self }
    }

    /// What is done where it becomes `after`.
    fn act(&self, after: &Self) -> &'static str {
        let otherwise_suspended = Self { is_suspended: after.is_suspended, ..self.clone() };
        let otherwise_empowered = Self { role: after.role, domains: after.domains.clone(), ..self.clone() };
        if otherwise_suspended == *after {
            if after.is_suspended { "person.suspend" } else { "person.resume" }
        } else if otherwise_empowered == *after {
            "person.role"
        } else {
            "person.change"
        }
    }

    fn check(&self) -> Result<(), DirectoryError> {
        [&self.name, &self.language, &self.theme, &self.imap_hidden].into_iter().try_for_each(|text| check_text(text))
    }
}

impl Store {
    /// Changes what `change` names.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`]; [`DirectoryError::UnknownDomain`] for a domain to serve; [`DirectoryError::LastOwner`];
    /// [`DirectoryError::Stale`] where the account isn't of `version` any more; [`DirectoryError::Unfit`] where a text is too long.
    pub async fn change_account(
        &self,
        address: &Address,
        change: AccountChange,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (key, domain) = take(tx, &address).await?;
                let (before, has) = present(read_state(tx, key).await?)?;
                check_version(version, has)?;
                let mut after = before.clone();
                after.change(change);
                let act = before.act(&after);
                put_state(tx, &scribe, act, (key, &address, domain), &before, &after).await
            })
        })
        .await
    }

    /// The extensions of IMAP that aren't announced to an account's programs, with blanks between them.
    pub async fn imap_hidden(&self, account: AccountKey) -> Result<String, StoreError> {
        let sql = "SELECT imap_hidden FROM account WHERE account_key = $1";
        let query = sqlx::query_scalar(sql).bind(account.value());
        Ok(query.fetch_optional(&mut *self.reader().await?).await?.unwrap_or_default())
    }
}

/// The account's key, with its row written, so that all who change what belongs to it wait for each other on both engines. None where
/// it is removed.
pub(crate) async fn take_account(tx: &mut AnyConnection, address: &Address) -> Result<Option<AccountKey>, sqlx::Error> {
    Ok(take_row(tx, address).await?.map(|(key, _)| AccountKey::new(key)))
}

async fn take_row(tx: &mut AnyConnection, address: &Address) -> Result<Option<(i64, i64)>, sqlx::Error> {
    let sql = "UPDATE account SET version = version WHERE folded = $1 AND removed_at IS NULL
               AND EXISTS (SELECT 1 FROM domain d WHERE d.domain_key = account.domain_key AND d.removed_at IS NULL)
               RETURNING account_key, domain_key";
    sqlx::query_as(sql).bind(fold(address)).fetch_optional(tx).await
}

/// As [`take_account`], with its domain.
async fn take(tx: &mut AnyConnection, address: &Address) -> Result<(AccountKey, DomainKey), DirectoryError> {
    let found = take_row(tx, address).await?;
    let (key, domain) = found.ok_or_else(|| DirectoryError::UnknownAddress(address.clone()))?;
    Ok((AccountKey::new(key), DomainKey::new(domain)))
}

/// What an account is, removed or not, and in which version.
pub(super) async fn read_state(
    tx: &mut AnyConnection,
    key: AccountKey,
) -> Result<Option<(AccountState, Version)>, sqlx::Error> {
    let sql = "SELECT name, quota_octets, role, is_suspended, daily_messages, daily_recipients, language, theme, removed_at, version,
                      hourly_messages, hourly_recipients, daily_new_recipients, quota_messages, imap_hidden
               FROM account WHERE account_key = $1";
    let Some(row) = sqlx::query(sql).bind(key.value()).fetch_optional(&mut *tx).await? else { return Ok(None) };
    let sql = "SELECT d.name FROM account_domain g JOIN domain d ON d.domain_key = g.domain_key
               WHERE g.account_key = $1 ORDER BY d.name";
    let domains: Vec<String> = sqlx::query_scalar(sql).bind(key.value()).fetch_all(tx).await?;
    let state = AccountState {
        name: row.try_get(0)?,
        quota_octets: row.try_get(1)?,
        quota_messages: row.try_get(13)?,
        imap_hidden: row.try_get(14)?,
        role: Role::read(row.try_get(2)?).unwrap_or_default(),
        domains,
        is_suspended: row.try_get::<i64, _>(3)? != 0,
        hourly_messages: row.try_get(10)?,
        hourly_recipients: row.try_get(11)?,
        daily_messages: row.try_get(4)?,
        daily_recipients: row.try_get(5)?,
        daily_new_recipients: row.try_get(12)?,
        language: row.try_get(6)?,
        theme: row.try_get(7)?,
        is_removed: row.try_get::<Option<i64>, _>(8)?.is_some(),
    };
    Ok(Some((state, Version::new(row.try_get(9)?))))
}

async fn write_state(
    tx: &mut AnyConnection,
    (key, address): (AccountKey, &Address),
    state: &AccountState,
    scribe: &Scribe,
) -> Result<(), DirectoryError> {
    let sql = "UPDATE account SET name = $2, words = $3, quota_octets = $4, role = $5, is_suspended = $6, daily_messages = $7,
                   daily_recipients = $8, language = $9, theme = $10,
                   removed_at = CASE WHEN $11 = 1 THEN COALESCE(removed_at, $12) ELSE NULL END, version = $13,
                   hourly_messages = $14, hourly_recipients = $15, daily_new_recipients = $16, quota_messages = $17, imap_hidden = $18
               WHERE account_key = $1";
    sqlx::query(sql)
        .bind(key.value())
        .bind(state.name.as_str())
        .bind(format!("{} {}", state.name.to_lowercase(), fold(address)))
        .bind(state.quota_octets)
        .bind(state.role as i64)
        .bind(i64::from(state.is_suspended))
        .bind(state.daily_messages)
        .bind(state.daily_recipients)
        .bind(state.language.as_str())
        .bind(state.theme.as_str())
        .bind(i64::from(state.is_removed))
        .bind(scribe.now().millis())
        .bind(scribe.next_key())
        .bind(state.hourly_messages)
        .bind(state.hourly_recipients)
        .bind(state.daily_new_recipients)
        .bind(state.quota_messages)
        .bind(state.imap_hidden.as_str())
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM account_domain WHERE account_key = $1").bind(key.value()).execute(&mut *tx).await?;
    for name in &state.domains {
        let sql =
            "INSERT INTO account_domain (account_key, domain_key) SELECT $1, domain_key FROM domain WHERE name = $2";
        let done = sqlx::query(sql).bind(key.value()).bind(name.as_str()).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            return Err(DirectoryError::UnknownDomain(read_name(name)?));
        }
    }
    Ok(())
}

/// Writes what an account becomes, and that it does; nothing where it stays as it is.
pub(super) async fn put_state(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    (key, address, domain): (AccountKey, &Address, DomainKey),
    before: &AccountState,
    after: &AccountState,
) -> Result<(), DirectoryError> {
    if before == after {
        return Ok(());
    }
    after.check()?;
    let owners = count_owners(tx).await?;
    write_state(tx, (key, address), after, scribe).await?;
    if owners > 0 && count_owners(tx).await? == 0 {
        return Err(DirectoryError::LastOwner);
    }
    if (after.is_suspended && !before.is_suspended) || (after.is_removed && !before.is_removed) {
        access::end_openings(tx, key, None).await?;
    }
    let deed = deed(act, key, address, domain);
    scribe.note(tx, deed.between(told(before), told(after))).await?;
    Ok(())
}

fn deed(act: &'static str, key: AccountKey, address: &Address, domain: DomainKey) -> Deed {
    Deed { act, subject: address.to_string(), about: Some(key.value()), domain: Some(domain), ..Deed::default() }
}

fn told(state: &AccountState) -> Option<serde_json::Value> {
    serde_json::to_value(state).ok()
}

/// Owners who can log in.
pub(super) async fn count_owners(tx: &mut AnyConnection) -> Result<u64, sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM account a JOIN domain d ON d.domain_key = a.domain_key
               WHERE a.role = 3 AND a.role > 0 AND a.is_suspended = 0 AND a.removed_at IS NULL
                 AND d.removed_at IS NULL AND d.is_disabled = 0";
    Ok(sqlx::query_scalar::<_, i64>(sql).fetch_one(tx).await?.unsigned_abs())
}

/// Refuses an address that an account or an alias has; the domain must have been taken.
pub(super) async fn refuse_taken(tx: &mut AnyConnection, address: &Address) -> Result<(), DirectoryError> {
    let sql = "SELECT CAST(CASE WHEN removed_at IS NULL THEN 0 ELSE 1 END AS BIGINT) FROM account WHERE folded = $1
               UNION ALL SELECT CAST(0 AS BIGINT) FROM alias WHERE folded = $1
               UNION ALL SELECT CAST(0 AS BIGINT) FROM mailing_list WHERE folded = $1";
    let found: Option<i64> = sqlx::query_scalar(sql).bind(fold(address)).fetch_optional(tx).await?;
    match found {
        None => Ok(()),
        Some(0) => Err(DirectoryError::AddressTaken(address.clone())),
        Some(_) => Err(DirectoryError::AddressRemoved(address.clone())),
    }
}

fn names(domains: &[Domain]) -> Vec<String> {
    let mut names: Vec<String> = domains.iter().map(Domain::to_string).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn check_text(text: &str) -> Result<(), DirectoryError> {
    if text.len() > MAX_TEXT_OCTETS || text.chars().any(char::is_control) {
        return Err(DirectoryError::Unfit("a text is too long or holds a control character"));
    }
    Ok(())
}

/// Octets as the database counts them; what it cannot count is no limit anyone reaches.
pub(super) fn octets(octets: u64) -> i64 {
    i64::try_from(octets).unwrap_or(i64::MAX)
}
