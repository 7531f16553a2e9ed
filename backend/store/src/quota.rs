//! Accounts and domains that fill up, and whether their people were told.

use relais_model::{Address, Domain};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::Store;
use crate::directory::{read_address, read_name};
use crate::error::StoreError;
use crate::key::{AccountKey, DomainKey};

/// Rows of one list.
const MOST_AT_ONCE: i64 = 500;

/// What fills up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// One account.
    Account {
        /// Its row.
        key: AccountKey,
        /// Its address.
        address: Address,
        /// The language that its person reads (RFC 5646); may be empty.
        language: String,
    },
    /// The accounts of a domain together.
    Domain {
        /// Its row.
        key: DomainKey,
        /// Its name.
        domain: Domain,
    },
}

/// How full something is that is nearly full, or of which people were told that it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filling {
    /// What.
    pub what: Filled,
    /// In percent of its octets or of its messages, whichever is more; rounded down.
    pub percent: u64,
    /// The percentage that was told last; 0 for none.
    pub told: u64,
}

impl Store {
    /// What is full to `from` percent or more, or was told to be full: 500 accounts and 500 domains, the fullest first.
    pub async fn filling(&self, from: u64) -> Result<Vec<Filling>, StoreError> {
        let percent = i64::try_from(from).unwrap_or(100);
        // Divided first: what people hold, times a hundred, is still far from an i64's end, but need not come near it.
        let of = |used: &str, limit: &str| {
            format!(
                "CASE WHEN {limit} IS NULL THEN 0 WHEN {limit} < 100 THEN {used} * 100 / (CASE WHEN {limit} = 0 THEN 1 ELSE {limit} END) ELSE {used} / ({limit} / 100) END"
            )
        };
        let (octets, messages) = (of("used_octets", "quota_octets"), of("used_messages", "quota_messages"));
        let fullest = format!("CASE WHEN {octets} > {messages} THEN {octets} ELSE {messages} END");
        let accounts = format!(
            "SELECT account_key, address, language, {fullest} AS percent, quota_told FROM account
             WHERE removed_at IS NULL AND (quota_told > 0 OR {fullest} >= $1) ORDER BY percent DESC, account_key LIMIT $2"
        );
        let domains = format!(
            "SELECT domain_key, name, '', {fullest} AS percent, quota_told FROM
                 (SELECT d.domain_key, d.name, d.quota_octets, d.quota_messages, d.quota_told,
                         CAST(COALESCE(SUM(a.used_octets), 0) AS BIGINT) AS used_octets,
                         CAST(COALESCE(SUM(a.used_messages), 0) AS BIGINT) AS used_messages
                  FROM domain d LEFT JOIN account a ON a.domain_key = d.domain_key AND a.removed_at IS NULL
                  WHERE d.removed_at IS NULL AND (d.quota_octets IS NOT NULL OR d.quota_messages IS NOT NULL OR d.quota_told > 0)
                  GROUP BY d.domain_key, d.name, d.quota_octets, d.quota_messages, d.quota_told) AS x
             WHERE quota_told > 0 OR {fullest} >= $1 ORDER BY percent DESC, domain_key LIMIT $2"
        );
        let mut reader = self.reader().await?;
        let mut found = Vec::new();
        for (text, read) in [(accounts, read_account as fn(&AnyRow) -> _), (domains, read_domain)] {
            let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(percent).bind(MOST_AT_ONCE);
            for row in query.fetch_all(&mut *reader).await? {
                found.push(Filling {
                    what: read(&row)?,
                    percent: row.try_get::<i64, _>(3)?.unsigned_abs(),
                    told: row.try_get::<i64, _>(4)?.unsigned_abs(),
                });
            }
        }
        Ok(found)
    }

    /// Notes which percentage was told last; 0 where room came back.
    pub async fn note_filling_told(&self, what: &Filled, percent: u64) -> Result<(), StoreError> {
        let (text, key) = match what {
            Filled::Account { key, .. } => ("UPDATE account SET quota_told = $2 WHERE account_key = $1", key.value()),
            Filled::Domain { key, .. } => ("UPDATE domain SET quota_told = $2 WHERE domain_key = $1", key.value()),
        };
        let percent = i64::try_from(percent).unwrap_or_default();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(text).bind(key).bind(percent).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

fn read_account(row: &AnyRow) -> Result<Filled, StoreError> {
    Ok(Filled::Account {
        key: AccountKey::new(row.try_get(0)?),
        address: read_address(row.try_get(1)?)?,
        language: row.try_get(2)?,
    })
}

fn read_domain(row: &AnyRow) -> Result<Filled, StoreError> {
    Ok(Filled::Domain { key: DomainKey::new(row.try_get(0)?), domain: read_name(row.try_get(1)?)? })
}
