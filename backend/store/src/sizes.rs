//! How much is kept, and by whom.

use relais_model::Domain;
use sqlx::Row as _;

use crate::directory::read_name;
use crate::engine::Engine;
use crate::sql::Select;
use crate::{DomainKey, Store, StoreError};

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Octets of the database; 0 where it doesn't tell.
    pub database_octets: u64,
    /// Accounts.
    pub accounts: u64,
    /// Domains.
    pub domains: u64,
    /// Messages in all mailboxes: one that several hold counts for each.
    pub messages: u64,
    /// Octets of those.
    pub message_octets: u64,
}

/// Who holds how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageEntry {
    /// A domain's name, or an address.
    pub name: String,
    /// Octets.
    pub used_octets: u64,
    /// What it may hold; none: no limit, or a domain.
    pub quota_octets: Option<u64>,
}

/// What is held, and who holds most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageUse {
    /// By all together.
    pub used_octets: u64,
    /// Domains, the largest first.
    pub domains: Vec<StorageEntry>,
    /// People, the largest first.
    pub people: Vec<StorageEntry>,
}

impl Store {
    /// How much is kept.
    pub async fn sizes(&self) -> Result<Sizes, StoreError> {
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(used_messages), 0) AS BIGINT),
                          CAST(COALESCE(SUM(used_octets), 0) AS BIGINT), (SELECT COUNT(*) FROM domain) FROM account";
        let (accounts, messages, octets, domains): (i64, i64, i64, i64) =
            sqlx::query_as(sql).fetch_one(&mut *self.reader().await?).await?;
        let size = match self.engine() {
            Engine::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            Engine::Postgres => "SELECT pg_database_size(current_database())",
        };
        let database: i64 = sqlx::query_scalar(size).fetch_one(&mut *self.reader().await?).await?;
        Ok(Sizes {
            database_octets: count(database),
            accounts: count(accounts),
            domains: count(domains),
            messages: count(messages),
            message_octets: count(octets),
        })
    }

    /// What the people of these domains hold, or all people: the largest domains and people, so many at most.
    pub async fn storage_use(
        &self,
        domains: Option<&[DomainKey]>,
        most_domains: u32,
        most_people: u32,
    ) -> Result<StorageUse, StoreError> {
        let mut all =
            Select::new("SELECT CAST(COALESCE(SUM(used_octets), 0) AS BIGINT) FROM account WHERE removed_at IS NULL");
        among(&mut all, domains);
        let row = all.query(self.engine())?.fetch_one(&mut *self.reader().await?).await?;
        let used_octets = count(row.try_get(0)?);
        let mut by_domain = Select::new(
            "SELECT d.name, CAST(s.used AS BIGINT) FROM (SELECT domain_key, SUM(used_octets) AS used FROM account WHERE removed_at IS NULL",
        );
        among(&mut by_domain, domains);
        by_domain.say(" GROUP BY domain_key ORDER BY 2 DESC LIMIT ").value(i64::from(most_domains));
        by_domain.say(") AS s JOIN domain d ON d.domain_key = s.domain_key ORDER BY s.used DESC, d.name");
        let rows = by_domain.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let of_domain = |row: &sqlx::any::AnyRow| {
            Ok(StorageEntry { name: row.try_get(0)?, used_octets: count(row.try_get(1)?), quota_octets: None })
        };
        let domain_entries = rows.iter().map(of_domain).collect::<Result<_, sqlx::Error>>()?;
        let mut by_person =
            Select::new("SELECT address, used_octets, quota_octets FROM account WHERE removed_at IS NULL");
        among(&mut by_person, domains);
        by_person.say(" ORDER BY used_octets DESC, address LIMIT ").value(i64::from(most_people));
        let rows = by_person.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let of_person = |row: &sqlx::any::AnyRow| {
            let quota: Option<i64> = row.try_get(2)?;
            let quota_octets = quota.map(i64::unsigned_abs);
            Ok(StorageEntry { name: row.try_get(0)?, used_octets: count(row.try_get(1)?), quota_octets })
        };
        let people = rows.iter().map(of_person).collect::<Result<_, sqlx::Error>>()?;
        Ok(StorageUse { used_octets, domains: domain_entries, people })
    }

    /// Domains without people and aliases, by name: so many at most.
    pub async fn empty_domains(&self, domains: Option<&[DomainKey]>, most: u32) -> Result<Vec<Domain>, StoreError> {
        let mut select = Select::new(
            "SELECT name FROM domain WHERE catch_all IS NULL AND removed_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM account a WHERE a.domain_key = domain.domain_key)
             AND NOT EXISTS (SELECT 1 FROM alias a WHERE a.domain_key = domain.domain_key)",
        );
        among(&mut select, domains);
        select.say(" ORDER BY name LIMIT ").value(i64::from(most));
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| read_name(row.try_get(0)?)).collect()
    }

    /// Whether the writer does its work: waits for its turn, and for an empty transaction to end.
    pub async fn ping_writer(&self) -> Result<(), StoreError> {
        self.write(|tx| Box::pin(async move { Ok(sqlx::query("SELECT 1").fetch_one(tx).await.map(drop)?) })).await
    }
}

fn among(select: &mut Select, domains: Option<&[DomainKey]>) {
    if let Some(domains) = domains {
        select.say(" AND ").any(domains, |select, domain| {
            select.say("domain_key = ").value(domain.value());
        });
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
