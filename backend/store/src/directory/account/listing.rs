//! Accounts are read, one or many.

use relais_model::{Address, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Account, Role, count_owners};
use crate::directory::domain::{read_address, read_name};
use crate::directory::{Order, fold};
use crate::page::{Listing, Page};
use crate::sql::{self, Selected};
use crate::{AccountKey, DomainKey, SendingLimits, Store, StoreError, Version};

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

const COLUMNS: &str = "a.account_key, a.address, a.domain_key, a.name, a.role, CAST(CASE WHEN a.password_hash = '' THEN 0 ELSE 1 END AS BIGINT),
    a.quota_octets, a.used_octets, a.used_messages, a.is_suspended, a.daily_messages, a.daily_recipients, a.language, a.theme,
    a.last_seen_at, a.removed_at, a.created_at, a.version, a.words, a.hourly_messages, a.hourly_recipients, a.daily_new_recipients,
    a.quota_messages, a.is_team, a.imap_hidden FROM account a JOIN domain d ON d.domain_key = a.domain_key";

impl Store {
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
}

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
