//! What strangers' mail came to, by day and by those who asked to be told, until they are told.

use std::time::Duration;

use relais_model::{Domain, Timestamp};
use sqlx::Row as _;

use crate::directory::read_name;
use crate::{Store, StoreError, TlsPolicyType, TlsResult, TlsResultCount, TlsResultKey};

/// Rows of all days and domains, at most.
pub const MAX_DMARC_COUNTS: i64 = 200_000;
/// Rows of one day and domain, at most: a report stays one that can be mailed.
pub const MAX_DMARC_LINES: i64 = 5000;
/// What wasn't told so long after its day began is told no more.
pub const REPORTED_WITHIN: Duration = Duration::from_hours(24 * 3);
/// Days and domains that are told in one run, at most.
const MOST_DUE: i64 = 2000;

/// Messages of a day that came out the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmarcCount {
    /// The day's beginning, UTC.
    pub day: Timestamp,
    /// Whose record asks for the report.
    pub policy_domain: Domain,
    /// The row of the report without its count, as `msgauth` writes it.
    pub line: String,
    /// How many.
    pub messages: u64,
}

/// A day that a domain is to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportDue {
    /// The day's beginning, UTC.
    pub day: Timestamp,
    /// Whom.
    pub domain: Domain,
}

impl Store {
    /// Adds to what was counted, and drops what is older than [`REPORTED_WITHIN`]. Where [`MAX_DMARC_COUNTS`] or [`MAX_DMARC_LINES`] rows stand, nothing new is begun.
    pub async fn count_dmarc(&self, counts: Vec<DmarcCount>) -> Result<(), StoreError> {
        let before = self.now().minus(REPORTED_WITHIN);
        self.write(move |tx| {
            Box::pin(async move {
                let old = "DELETE FROM dmarc_count WHERE day < $1";
                sqlx::query(old).bind(before.millis()).execute(&mut *tx).await?;
                let all = sqlx::query("SELECT COUNT(*) FROM dmarc_count").fetch_one(&mut *tx).await?;
                let mut room = MAX_DMARC_COUNTS.saturating_sub(all.try_get(0)?);
                for DmarcCount { day, policy_domain, line, messages } in counts {
                    let (day, domain) = (day.millis(), policy_domain.as_str().to_owned());
                    let digest = blake3::hash(line.as_bytes()).to_hex().to_string();
                    let messages = i64::try_from(messages).unwrap_or(i64::MAX);
                    let more = "UPDATE dmarc_count SET messages = messages + $4
                                WHERE day = $1 AND policy_domain = $2 AND digest = $3";
                    let query = sqlx::query(more).bind(day).bind(domain.clone()).bind(digest.clone()).bind(messages);
                    if query.execute(&mut *tx).await?.rows_affected() > 0 {
                        continue;
                    }
                    let there = "SELECT COUNT(*) FROM dmarc_count WHERE day = $1 AND policy_domain = $2";
                    let there = sqlx::query(there).bind(day).bind(domain.clone()).fetch_one(&mut *tx).await?;
                    if room <= 0 || MAX_DMARC_LINES <= there.try_get(0)? {
                        continue;
                    }
                    let first = "INSERT INTO dmarc_count (day, policy_domain, digest, line, messages)
                                 VALUES ($1, $2, $3, $4, $5)";
                    let query = sqlx::query(first).bind(day).bind(domain).bind(digest).bind(line).bind(messages);
                    query.execute(&mut *tx).await?;
                    room -= 1;
                }
                Ok(())
            })
        })
        .await
    }

    /// Days before `today` with those who are to be told of their mail, the oldest first.
    pub async fn dmarc_due(&self, today: Timestamp) -> Result<Vec<ReportDue>, StoreError> {
        let sql = "SELECT DISTINCT day, policy_domain FROM dmarc_count WHERE day < $1
                   ORDER BY day, policy_domain LIMIT $2";
        self.due(sql, today).await
    }

    /// Days before `today` with those who may be told of TLS, the oldest first.
    pub async fn tls_due(&self, today: Timestamp) -> Result<Vec<ReportDue>, StoreError> {
        let sql = "SELECT DISTINCT day, policy_domain FROM tls_result WHERE day < $1
                   ORDER BY day, policy_domain LIMIT $2";
        self.due(sql, today).await
    }

    async fn due(&self, sql: &'static str, today: Timestamp) -> Result<Vec<ReportDue>, StoreError> {
        let query = sqlx::query(sql).bind(today.millis()).bind(MOST_DUE);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let due = |row: &sqlx::any::AnyRow| {
            Ok(ReportDue {
                day: Timestamp::from_millis(row.try_get(0)?),
                domain: read_name(&row.try_get::<String, _>(1)?)?,
            })
        };
        rows.iter().map(due).collect()
    }

    /// What is to be told: lines with their counts, the largest first; [`MAX_DMARC_LINES`] at most.
    pub async fn dmarc_lines(&self, due: &ReportDue) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = "SELECT line, messages FROM dmarc_count WHERE day = $1 AND policy_domain = $2
                   ORDER BY messages DESC, digest LIMIT $3";
        let query = sqlx::query(sql).bind(due.day.millis()).bind(due.domain.as_str().to_owned()).bind(MAX_DMARC_LINES);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.unsigned_abs()))).collect()
    }

    /// How TLS came out for a domain on a day; [`MAX_DMARC_LINES`] rows at most.
    pub async fn tls_results_of(&self, due: &ReportDue) -> Result<Vec<TlsResultCount>, StoreError> {
        let sql = "SELECT policy_type, mx_host, result, sessions FROM tls_result WHERE day = $1 AND policy_domain = $2
                   ORDER BY policy_type, mx_host, result LIMIT $3";
        let query = sqlx::query(sql).bind(due.day.millis()).bind(due.domain.as_str().to_owned()).bind(MAX_DMARC_LINES);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let count = |row: &sqlx::any::AnyRow| {
            let (kind, host, result): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let unknown = || StoreError::damaged(format!("TLS result {kind} {result}"));
            let key = TlsResultKey {
                day: due.day,
                policy_domain: due.domain.clone(),
                policy_type: TlsPolicyType::parse(&kind).ok_or_else(unknown)?,
                mx_host: if host.is_empty() { None } else { Some(read_name(&host)?) },
                result: TlsResult::parse(&result).ok_or_else(unknown)?,
            };
            Ok(TlsResultCount { key, sessions: row.try_get::<i64, _>(3)?.unsigned_abs() })
        };
        rows.iter().map(count).collect()
    }

    /// Forgets what was counted of mail: it was told, or there is nobody to tell.
    pub async fn drop_dmarc(&self, due: &ReportDue) -> Result<(), StoreError> {
        self.drop_due("DELETE FROM dmarc_count WHERE day = $1 AND policy_domain = $2", due).await
    }

    /// Forgets what was counted of TLS: it was told, or there is nobody to tell.
    pub async fn drop_tls_results(&self, due: &ReportDue) -> Result<(), StoreError> {
        self.drop_due("DELETE FROM tls_result WHERE day = $1 AND policy_domain = $2", due).await
    }

    async fn drop_due(&self, sql: &'static str, due: &ReportDue) -> Result<(), StoreError> {
        let (day, domain) = (due.day.millis(), due.domain.as_str().to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(sql).bind(day).bind(domain).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}
