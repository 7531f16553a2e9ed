//! The people whose mail we keep.

use relais_model::{Address, Domain, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::domain::{read_address, read_name, refuse_full, take_domain};
use super::{DirectoryError, Order, check_version, fold, present};
use crate::access::{self, ScramSalt, read_salt};
use crate::audit::{Deed, Scribe};
use crate::key::Keys;
use crate::page::{Listing, Page};
use crate::sql::{self, Selected};
use crate::{
    AccountKey, Author, DomainKey, SendingLimits, Store, StoreError, Version, contact, junk, mailbox, meeting, moving,
    removed, scheduled, sending, sieve, snoozed, webhook, webmail, writing,
};

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

/// What an account starts with.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// In a domain of ours.
    pub address: Address,
    /// The person's name; may be empty; up to 1,000 octets.
    pub name: String,
    /// The password's hash in a form that `reception`'s log-in knows, up to 1,000 octets; none: no password lets them in.
    pub password_hash: Option<Secret>,
    /// Octets it may hold; none: no limit.
    pub quota_octets: Option<u64>,
    /// What they may do.
    pub role: Role,
    /// The domains that they serve.
    pub domains: Vec<Domain>,
    /// The language that they read (RFC 5646); may be empty.
    pub language: String,
    /// A team: a user without a password.
    pub is_team: bool,
}

impl NewAccount {
    /// A user's, without name, password or limit.
    pub const fn user(address: Address) -> Self {
        Self {
            address,
            name: String::new(),
            password_hash: None,
            quota_octets: None,
            role: Role::User,
            domains: Vec::new(),
            language: String::new(),
            is_team: false,
        }
    }

    /// A team's, without limit.
    pub fn team(address: Address) -> Self {
        Self { is_team: true, ..Self::user(address) }
    }
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

/// Which accounts are wanted; none wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Those in one of these domains.
    pub domains: Option<Vec<DomainKey>>,
    /// Those with this text in their address or name, compared without case.
    pub text: Option<String>,
    /// Those with this role.
    pub role: Option<Role>,
    /// Those that are suspended, or that aren't.
    pub is_suspended: Option<bool>,
    /// Teams, or people.
    pub is_team: Option<bool>,
    /// Those that are removed and not yet purged, instead of those that are here.
    pub is_removed: bool,
}

/// What accounts are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountOrder {
    /// Their address, from a.
    #[default]
    Address,
    /// Their name, from a; those without one first.
    Name,
    /// What they hold, from the most.
    Used,
    /// When they were added, the latest first.
    Created,
    /// When they last logged in, the latest first.
    LastSeen,
}

/// What a log-in is checked against.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Whose it is.
    pub account: AccountKey,
    /// The account's address.
    pub address: Address,
    /// The password's hash; empty where there is none.
    pub hash: Secret,
    /// Right or wrong, it may not log in: it is suspended, or a team, or its domain is disabled.
    pub is_suspended: bool,
    /// Mail protocols take no other password than an app password.
    pub needs_app_password: bool,
    /// What its app passwords are derived with; none: it never had one.
    pub salt: Option<ScramSalt>,
}

/// What a purge took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Domains, with all that was in them.
    pub domains: u64,
    /// Accounts of domains that stay.
    pub accounts: u64,
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

const COLUMNS: &str = "a.account_key, a.address, a.domain_key, a.name, a.role, CAST(CASE WHEN a.password_hash = '' THEN 0 ELSE 1 END AS BIGINT),
    a.quota_octets, a.used_octets, a.used_messages, a.is_suspended, a.daily_messages, a.daily_recipients, a.language, a.theme,
    a.last_seen_at, a.removed_at, a.created_at, a.version, a.words, a.hourly_messages, a.hourly_recipients, a.daily_new_recipients,
    a.quota_messages, a.is_team, a.imap_hidden FROM account a JOIN domain d ON d.domain_key = a.domain_key";

impl Store {
    /// Adds an account with INBOX, Drafts, Sent, Junk, Trash and Archive.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], also for a domain to serve; [`DirectoryError::AddressTaken`], [`DirectoryError::AddressRemoved`],
    /// [`DirectoryError::TooManyPeople`]; [`DirectoryError::Unfit`] where a text is too long.
    pub async fn add_account(&self, new: NewAccount, by: &Author) -> Result<Account, DirectoryError> {
        let (scribe, keys) = (self.scribe(by), self.inner.keys.clone());
        let added =
            self.change_routes(move |tx| Box::pin(async move { add_account_in(tx, &keys, &scribe, new).await }));
        present(self.account_by_key(added.await?).await?)
    }

    /// One account by its address; aliases, details and other names of its domain are not followed. None where it is removed.
    pub async fn account(&self, address: &Address) -> Result<Option<Account>, StoreError> {
        let mut listed = Selected::new(format!("SELECT {COLUMNS}"));
        listed.and("a.folded = $", fold(address));
        self.one_account(listed).await
    }

    /// One account by its row. None where it is removed.
    pub async fn account_by_key(&self, key: AccountKey) -> Result<Option<Account>, StoreError> {
        let mut listed = Selected::new(format!("SELECT {COLUMNS}"));
        listed.and("a.account_key = $", key.value());
        self.one_account(listed).await
    }

    /// One account by its address that is removed and not yet purged, in a domain that is here.
    pub async fn removed_account(&self, address: &Address) -> Result<Option<Account>, StoreError> {
        let mut listed = Selected::new(format!("SELECT {COLUMNS}"));
        listed.and("a.folded = $", fold(address));
        listed.and_as_is("a.removed_at IS NOT NULL AND d.removed_at IS NULL");
        let mut accounts = self.read_accounts(listed.ordered("a.account_key", 1)).await?;
        Ok(accounts.pop().map(|(account, _)| account))
    }

    /// Refuses an address that [`Store::add_account`] and [`Store::add_alias`] would refuse as taken.
    ///
    /// # Errors
    /// [`DirectoryError::AddressTaken`], [`DirectoryError::AddressRemoved`].
    pub async fn refuse_taken_address(&self, address: &Address) -> Result<(), DirectoryError> {
        refuse_taken(&mut *self.reader().await?, address).await
    }

    async fn one_account(&self, mut listed: Selected) -> Result<Option<Account>, StoreError> {
        listed.and_as_is("a.removed_at IS NULL AND d.removed_at IS NULL");
        let mut accounts = self.read_accounts(listed.ordered("a.account_key", 1)).await?;
        Ok(accounts.pop().map(|(account, _)| account))
    }

    /// Accounts.
    pub async fn accounts(
        &self,
        filter: &AccountFilter,
        order: Order<AccountOrder>,
        page: &Page,
    ) -> Result<Listing<Account>, StoreError> {
        if filter.domains.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Listing { rows: Vec::new(), next: None });
        }
        let mut listed = Selected::new(format!("SELECT {COLUMNS}"));
        listed.and_as_is("d.removed_at IS NULL");
        listed.and_as_is(if filter.is_removed { "a.removed_at IS NOT NULL" } else { "a.removed_at IS NULL" });
        if let Some(domains) = &filter.domains {
            listed.and_among("a.domain_key", domains.iter().map(|key| key.value()));
        }
        if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
            listed.and("a.words LIKE $ ESCAPE '\\'", sql::containing(&text.to_lowercase()));
        }
        if let Some(role) = filter.role {
            listed.and("a.role = $", role as i64);
        }
        if let Some(is_suspended) = filter.is_suspended {
            listed.and("a.is_suspended = $", i64::from(is_suspended));
        }
        if let Some(is_team) = filter.is_team {
            listed.and("a.is_team = $", i64::from(is_team));
        }
        let order_by = match order.by {
            AccountOrder::Address => order.follow(&mut listed, page, None, "a.folded", false),
            AccountOrder::Name => order.follow(&mut listed, page, None, "a.words", false),
            AccountOrder::Used => order.follow(&mut listed, page, Some("a.used_octets"), "a.folded", true),
            AccountOrder::Created => order.follow(&mut listed, page, Some("a.created_at"), "a.folded", true),
            AccountOrder::LastSeen => {
                order.follow(&mut listed, page, Some("COALESCE(a.last_seen_at, 0)"), "a.folded", true)
            }
        };
        let rows = self.read_accounts(listed.ordered(&order_by, page.rows_to_ask())).await?;
        let Listing { rows, next } = page.cut(rows, |(account, words)| {
            let folded = fold(&account.address);
            match order.by {
                AccountOrder::Address => folded,
                AccountOrder::Name => words.clone(),
                AccountOrder::Used => format!("{} {folded}", account.used_octets),
                AccountOrder::Created => format!("{} {folded}", account.created_at.millis()),
                AccountOrder::LastSeen => format!("{} {folded}", account.last_seen_at.unwrap_or_default().millis()),
            }
        });
        Ok(Listing { rows: rows.into_iter().map(|(account, _)| account).collect(), next })
    }

    /// Accounts with what they are put in order by; `statement` selects [`COLUMNS`].
    async fn read_accounts(&self, statement: sql::Statement) -> Result<Vec<(Account, String)>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *reader).await?;
        let mut accounts = rows.iter().map(read_account).collect::<Result<Vec<_>, _>>()?;
        let serving = accounts.iter().filter(|(account, _)| account.role.serves_domains());
        let serving: Vec<i64> = serving.map(|(account, _)| account.key.value()).collect();
        if serving.is_empty() {
            return Ok(accounts);
        }
        let head = "SELECT g.account_key, g.domain_key, d.name FROM account_domain g JOIN domain d ON d.domain_key = g.domain_key";
        let mut listed = Selected::new(head);
        listed.and_as_is("d.removed_at IS NULL");
        listed.and_among("g.account_key", serving);
        let statement = listed.ordered("d.name", i64::from(u32::MAX));
        for row in sql::query(self.inner.engine, &[statement])?.fetch_all(&mut *reader).await? {
            let key = AccountKey::new(row.try_get(0)?);
            if let Some((account, _)) = accounts.iter_mut().find(|(account, _)| account.key == key) {
                account.domains.push((DomainKey::new(row.try_get(1)?), read_name(row.try_get(2)?)?));
            }
        }
        Ok(accounts)
    }

    /// How many owners can log in.
    pub async fn owners(&self) -> Result<u64, StoreError> {
        Ok(count_owners(&mut *self.reader().await?).await?)
    }

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

    /// Removes an account: nobody finds it any more, its log-in and its mail are refused. Until it is purged its mail is kept, it can come
    /// back as it was, and its address stays taken. Aliases that lead to it stay, and lead nowhere.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`], [`DirectoryError::LastOwner`], [`DirectoryError::Stale`].
    pub async fn remove_account(
        &self,
        address: &Address,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let (key, domain) = take(tx, &address).await?;
                let (before, has) = present(read_state(tx, key).await?)?;
                check_version(version, has)?;
                let after = before.clone().removed();
                put_state(tx, &scribe, "person.remove", (key, &address, domain), &before, &after).await
            })
        })
        .await
    }

    /// Brings an account back that is removed and not yet purged.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`], [`DirectoryError::TooManyPeople`].
    pub async fn restore_account(&self, address: &Address, by: &Author) -> Result<(), DirectoryError> {
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.change_routes(move |tx| {
            Box::pin(async move {
                let domain = take_domain(tx, &address.domain, scribe.now()).await?;
                let sql = "SELECT account_key FROM account WHERE folded = $1 AND removed_at IS NOT NULL";
                let key: Option<i64> = sqlx::query_scalar(sql).bind(fold(&address)).fetch_optional(&mut *tx).await?;
                let key = key.map(AccountKey::new).ok_or_else(|| DirectoryError::UnknownAddress(address.clone()))?;
                refuse_full(tx, domain).await?;
                let (before, _) = present(read_state(tx, key).await?)?;
                let after = AccountState { is_removed: false, ..before.clone() };
                put_state(tx, &scribe, "person.restore", (key, &address, domain), &before, &after).await
            })
        })
        .await
    }

    /// Removes for good what was removed before `before`: domains with all that is in them, accounts with all their mail; and aliases that ended before. One
    /// transaction for each account, so that mail is filed between them.
    pub async fn purge_removed(&self, before: Timestamp) -> Result<Purged, StoreError> {
        self.purge(before).await.map_err(|error| match error {
            DirectoryError::Failed(error) => error,
            other => StoreError::damaged(other.to_string()),
        })
    }

    async fn purge(&self, before: Timestamp) -> Result<Purged, DirectoryError> {
        let domains = self.purge_domains(before).await?;
        let sql = "SELECT account_key FROM account WHERE removed_at < $1 ORDER BY account_key";
        let keys: Vec<i64> =
            sqlx::query_scalar(sql).bind(before.millis()).fetch_all(&mut *self.reader().await?).await?;
        let mut accounts = 0;
        for key in keys {
            let is_gone = self
                .change_routes(move |tx| {
                    Box::pin(async move {
                        // Someone may have brought it back meanwhile.
                        let sql = "SELECT COUNT(*) FROM account WHERE account_key = $1 AND removed_at < $2";
                        let query = sqlx::query_scalar(sql).bind(key).bind(before.millis());
                        let found: i64 = query.fetch_one(&mut *tx).await?;
                        if found > 0 {
                            purge_account(tx, AccountKey::new(key)).await?;
                        }
                        Ok(found > 0)
                    })
                })
                .await?;
            accounts += u64::from(is_gone);
        }
        self.purge_ended(before).await?;
        Ok(Purged { domains, accounts })
    }

    /// The extensions of IMAP that aren't announced to an account's programs, with blanks between them.
    pub async fn imap_hidden(&self, account: AccountKey) -> Result<String, StoreError> {
        let sql = "SELECT imap_hidden FROM account WHERE account_key = $1";
        let query = sqlx::query_scalar(sql).bind(account.value());
        Ok(query.fetch_optional(&mut *self.reader().await?).await?.unwrap_or_default())
    }

    /// What a log-in with this address is checked against, its domain by any of its names; aliases and details are no log-in names.
    pub async fn credential(&self, address: &Address) -> Result<Option<Credential>, StoreError> {
        let sql = "SELECT a.account_key, a.address, a.password_hash,
                          CAST(CASE WHEN a.is_suspended = 1 OR a.is_team = 1 OR d.is_disabled = 1 THEN 1 ELSE 0 END AS BIGINT),
                          a.needs_app_password, s.salt, s.iterations
                   FROM account a JOIN domain d ON d.domain_key = a.domain_key
                   LEFT JOIN scram_salt s ON s.account_key = a.account_key
                   WHERE a.folded = $1 AND a.removed_at IS NULL AND d.removed_at IS NULL";
        let folded = match self.domain_of_alias(&address.domain).await? {
            Some(domain) => fold(&Address { domain, ..address.clone() }),
            None => fold(address),
        };
        let row: Option<CredentialRow> =
            sqlx::query_as(sql).bind(folded).fetch_optional(&mut *self.reader().await?).await?;
        let Some((key, address, hash, is_suspended, needs_app_password, salt, iterations)) = row else {
            return Ok(None);
        };
        Ok(Some(Credential {
            account: AccountKey::new(key),
            address: read_address(&address)?,
            hash: Secret::new(hash),
            is_suspended: is_suspended != 0,
            needs_app_password: needs_app_password != 0,
            salt: salt.zip(iterations).map(|(salt, iterations)| read_salt(salt, iterations)).transpose()?,
        }))
    }

    /// Sets the hash of a new password, and ends what opens the account to whom knew the old one.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`]; [`DirectoryError::Unfit`] where the hash is too long.
    pub async fn set_password_hash(&self, address: &Address, hash: Secret, by: &Author) -> Result<(), DirectoryError> {
        check_text(hash.expose())?;
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.write(move |tx| {
            Box::pin(async move {
                let (key, domain) = take(tx, &address).await?;
                let sql = "UPDATE account SET password_hash = $2, version = $3 WHERE account_key = $1";
                let query = sqlx::query(sql).bind(key.value()).bind(hash.expose()).bind(scribe.next_key());
                query.execute(&mut *tx).await?;
                access::end_openings(tx, key, None).await?;
                scribe.note(tx, deed("person.password", key, &address, domain)).await?;
                Ok(())
            })
        })
        .await
    }

    /// Puts `new` in the place of `old`, both hashes of the same password. Does nothing where the password has been changed
    /// meanwhile: a renewal never takes a new password back.
    pub async fn renew_password_hash(
        &self,
        account: AccountKey,
        old: Secret,
        new: Secret,
    ) -> Result<(), DirectoryError> {
        check_text(new.expose())?;
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE account SET password_hash = $3 WHERE account_key = $1 AND password_hash = $2";
                sqlx::query(sql).bind(account.value()).bind(old.expose()).bind(new.expose()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Adds an account in the transaction under way.
pub(crate) async fn add_account_in(
    tx: &mut AnyConnection,
    keys: &Keys,
    scribe: &Scribe,
    new: NewAccount,
) -> Result<AccountKey, DirectoryError> {
    let hash = new.password_hash.unwrap_or_else(|| Secret::new(""));
    check_text(hash.expose())?;
    if new.is_team && (new.role != Role::User || !hash.expose().is_empty()) {
        return Err(DirectoryError::Unfit("a team has no role and no password"));
    }
    let state = AccountState {
        name: new.name,
        quota_octets: new.quota_octets.map(octets),
        role: new.role,
        domains: if new.role.serves_domains() { names(&new.domains) } else { Vec::new() },
        language: new.language,
        ..AccountState::default()
    };
    state.check()?;
    let address = new.address;
    let domain = take_domain(tx, &address.domain, scribe.now()).await?;
    refuse_taken(tx, &address).await?;
    refuse_full(tx, domain).await?;
    let key = AccountKey::new(scribe.next_key());
    let sql = "INSERT INTO account (account_key, domain_key, folded, address, name, password_hash, created_at, is_team)
               VALUES ($1, $2, $3, $4, '', $5, $6, $7)";
    sqlx::query(sql)
        .bind(key.value())
        .bind(domain.value())
        .bind(fold(&address))
        .bind(address.to_string())
        .bind(hash.expose())
        .bind(scribe.now().millis())
        .bind(i64::from(new.is_team))
        .execute(&mut *tx)
        .await?;
    write_state(tx, (key, &address), &state, scribe).await?;
    mailbox::create_standard(tx, keys, scribe.now(), key).await?;
    let deed = deed("person.create", key, &address, domain);
    scribe.note(tx, deed.between(None, told(&state))).await?;
    Ok(key)
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

/// Purges all accounts of a domain that was removed before `before`, each in a transaction of its own.
pub(super) async fn purge_accounts_of(
    store: &Store,
    domain: DomainKey,
    before: Timestamp,
) -> Result<(), DirectoryError> {
    loop {
        let is_done = store
            .change_routes(move |tx| {
                Box::pin(async move {
                    let sql = "SELECT a.account_key FROM account a JOIN domain d ON d.domain_key = a.domain_key
                               WHERE a.domain_key = $1 AND d.removed_at < $2 ORDER BY a.account_key LIMIT 1";
                    let query = sqlx::query_scalar(sql).bind(domain.value()).bind(before.millis());
                    let Some(key) = query.fetch_optional(&mut *tx).await? else { return Ok(true) };
                    purge_account(tx, AccountKey::new(key)).await.map(|()| false)
                })
            })
            .await?;
        if is_done {
            return Ok(());
        }
    }
}

/// Removes an account for good, with all that is its own.
async fn purge_account(tx: &mut AnyConnection, key: AccountKey) -> Result<(), DirectoryError> {
    mailbox::remove_all(tx, key).await?;
    access::remove_all(tx, key).await?;
    webhook::remove_where(tx, "account_key", key.value()).await?;
    junk::remove_all(tx, key).await?;
    sending::remove_all(tx, key).await?;
    webmail::remove_all(tx, key).await?;
    removed::remove_all(tx, key).await?;
    writing::remove_all(tx, key).await?;
    scheduled::remove_all(tx, key).await?;
    snoozed::remove_all(tx, key).await?;
    meeting::remove_all(tx, key).await?;
    sieve::remove_all(tx, key).await?;
    contact::remove_all(tx, key).await?;
    moving::remove_all(tx, key).await?;
    for sql in ["DELETE FROM account_domain WHERE account_key = $1", "DELETE FROM account WHERE account_key = $1"] {
        sqlx::query(sql).bind(key.value()).execute(&mut *tx).await?;
    }
    Ok(())
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

type CredentialRow = (i64, String, String, i64, i64, Option<Vec<u8>>, Option<i64>);

fn read_account(row: &AnyRow) -> Result<(Account, String), StoreError> {
    let number = |column: usize| row.try_get::<Option<i64>, _>(column).map(|number| number.map(i64::unsigned_abs));
    let count = |column: usize| row.try_get::<i64, _>(column).map(|number| u64::try_from(number).unwrap_or(0));
    let time = |column: usize| row.try_get::<Option<i64>, _>(column).map(|at| at.map(Timestamp::from_millis));
    let account = Account {
        key: AccountKey::new(row.try_get(0)?),
        address: read_address(row.try_get(1)?)?,
        domain: DomainKey::new(row.try_get(2)?),
        name: row.try_get(3)?,
        is_team: row.try_get::<i64, _>(23)? != 0,
        role: Role::read(row.try_get(4)?)?,
        domains: Vec::new(),
        has_password: row.try_get::<i64, _>(5)? != 0,
        quota_octets: number(6)?,
        quota_messages: number(22)?,
        imap_hidden: row.try_get::<String, _>(24)?.split_ascii_whitespace().map(str::to_owned).collect(),
        used_octets: count(7)?,
        used_messages: count(8)?,
        is_suspended: row.try_get::<i64, _>(9)? != 0,
        limits: SendingLimits {
            hourly_messages: number(19)?,
            hourly_recipients: number(20)?,
            daily_messages: number(10)?,
            daily_recipients: number(11)?,
            daily_new_recipients: number(21)?,
        },
        language: row.try_get(12)?,
        theme: row.try_get(13)?,
        last_seen_at: time(14)?,
        removed_at: time(15)?,
        created_at: Timestamp::from_millis(row.try_get(16)?),
        version: Version::new(row.try_get(17)?),
    };
    Ok((account, row.try_get(18)?))
}
