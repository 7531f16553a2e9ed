//! Messages of our people that somebody complained of (RFC 5965), each once.

use std::time::Duration;

use relais_model::{Address, Timestamp};
use sqlx::Row as _;

use crate::directory::read_address;
use crate::queue::TraceId;
use crate::{AccountKey, DomainKey, Store, StoreError};

/// How long a complaint is kept.
pub const COMPLAINTS_KEPT_FOR: Duration = Duration::from_hours(24 * 366);
/// Accounts of a domain that are listed with their complaints.
const MOST_LISTED: i64 = 50;

/// A complaint that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Of which message of ours.
    pub trace: TraceId,
    /// `abuse`, `fraud` or `virus`.
    pub kind: &'static str,
}

/// What was complained of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplaintCount {
    /// Whose mail.
    pub address: Address,
    /// How many messages.
    pub complaints: u64,
    /// When the last complaint came.
    pub last_at: Timestamp,
}

impl Store {
    /// Notes a complaint of a message that one of our people sent to another host, and that the trace still knows. Tells whose it is; none where it
    /// is nobody's here, or was complained of before.
    pub async fn note_complaint(&self, complaint: Complaint) -> Result<Option<AccountKey>, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT t.submitter FROM message_trace AS t JOIN account AS a ON a.account_key = t.submitter
                           WHERE t.trace = $1 AND t.kind = 0 LIMIT 1";
                let query = sqlx::query_scalar(sql).bind(complaint.trace.as_str());
                let Some(account): Option<i64> = query.fetch_optional(&mut *tx).await? else { return Ok(None) };
                let sql = "INSERT INTO complaint (trace, account_key, kind, at) VALUES ($1, $2, $3, $4)
                           ON CONFLICT (trace) DO NOTHING";
                let query = sqlx::query(sql).bind(complaint.trace.as_str()).bind(account).bind(complaint.kind);
                let is_new = query.bind(now.millis()).execute(&mut *tx).await?.rows_affected() > 0;
                Ok(is_new.then_some(AccountKey::new(account)))
            })
        })
        .await
    }

    /// How many messages of an account were complained of since `since`, by day, UTC; the last first, 400 at most.
    pub async fn complaints_by_day(
        &self,
        account: AccountKey,
        since: Timestamp,
    ) -> Result<Vec<(Timestamp, u64)>, StoreError> {
        let sql = "SELECT at / 86400000, COUNT(*) FROM complaint WHERE account_key = $1 AND at >= $2
                   GROUP BY at / 86400000 ORDER BY at / 86400000 DESC LIMIT 400";
        let query = sqlx::query(sql).bind(account.value()).bind(since.millis());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| {
            let day: i64 = row.try_get(0)?;
            Ok((Timestamp::from_millis(day * 86_400_000), row.try_get::<i64, _>(1)?.unsigned_abs()))
        };
        rows.iter().map(read).collect()
    }

    /// The accounts of a domain that were complained of most since `since`: 50 at most.
    pub async fn most_complained(
        &self,
        domain: DomainKey,
        since: Timestamp,
    ) -> Result<Vec<ComplaintCount>, StoreError> {
        let sql = "SELECT a.address, COUNT(*), MAX(c.at) FROM complaint AS c JOIN account AS a ON a.account_key = c.account_key
                   WHERE a.domain_key = $1 AND c.at >= $2 GROUP BY a.address ORDER BY COUNT(*) DESC, a.address LIMIT $3";
        let query = sqlx::query(sql).bind(domain.value()).bind(since.millis()).bind(MOST_LISTED);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(ComplaintCount {
                address: read_address(row.try_get(0)?)?,
                complaints: row.try_get::<i64, _>(1)?.unsigned_abs(),
                last_at: Timestamp::from_millis(row.try_get(2)?),
            })
        };
        rows.iter().map(read).collect()
    }
}
