//! What accounts sent, in spans of ten minutes, and what they may.

use std::time::Duration;

use relais_model::{Address, Timestamp};
use sqlx::{AnyConnection, Row as _};

use crate::directory::fold;
use crate::sql::{self, Select, Statement};
use crate::{AccountKey, Store, StoreError};

/// One count stands for so long: what slides, slides in steps of it.
pub const SPAN: Duration = Duration::from_mins(10);
/// How long counts are kept: what is usual with an account is what it did in this time.
pub const COUNTS_KEPT_FOR: Duration = Duration::from_hours(24 * 14);

/// What an account may send; none: as the house says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendingLimits {
    /// Messages in an hour.
    pub hourly_messages: Option<u64>,
    /// Recipients of all messages together in an hour.
    pub hourly_recipients: Option<u64>,
    /// Messages in a day.
    pub daily_messages: Option<u64>,
    /// Recipients of all messages together in a day.
    pub daily_recipients: Option<u64>,
    /// Recipients in a day to whom the account has never written before.
    pub daily_new_recipients: Option<u64>,
}

/// What a submission adds to its account's counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submission {
    /// Whose.
    pub account: AccountKey,
    /// To how many.
    pub recipients: u64,
    /// To how many of them the account had never written.
    pub new_recipients: u64,
}

/// What an account sent in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SentCount {
    /// When the span begins: a multiple of [`SPAN`].
    pub span_at: Timestamp,
    /// Messages.
    pub messages: u64,
    /// Recipients of all of them.
    pub recipients: u64,
    /// Recipients to whom the account had never written.
    pub new_recipients: u64,
    /// Recipients whom other hosts refused as nobody, in this span.
    pub unknown_recipients: u64,
}

/// How an account stands that wants to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendingState {
    /// What it may, where that was said of itself.
    pub limits: SendingLimits,
    /// Its mail to other hosts is held.
    pub is_held: bool,
    /// Who logged in before is in no more.
    pub closed_at: Option<Timestamp>,
}

/// An account of which there is something to think about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspicious {
    /// Which.
    pub account: AccountKey,
    /// Recipients that it sent to in the time asked for.
    pub recipients: u64,
    /// Those that were refused as nobody, since its last hold was released.
    pub unknown_recipients: u64,
    /// Messages that somebody complained of, since then.
    pub complaints: u64,
}

/// The span that a moment is in.
pub fn span_of(at: Timestamp) -> Timestamp {
    let span = i64::try_from(SPAN.as_millis()).unwrap_or(1);
    Timestamp::from_millis(at.millis().div_euclid(span).saturating_mul(span))
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Adds what was accepted, in the transaction that accepts it.
pub(crate) fn count_accepted(now: Timestamp, submissions: &[Submission]) -> Vec<Statement> {
    // One row a statement: an INSERT can't meet the same row twice in PostgreSQL.
    let add = |submission: &Submission| {
        Statement::new(
            "INSERT INTO sent_count (account_key, span_at, messages, recipients, new_recipients, unknown_recipients)
             VALUES ($1, $2, 1, $3, $4, 0)
             ON CONFLICT (account_key, span_at) DO UPDATE SET messages = sent_count.messages + 1,
                 recipients = sent_count.recipients + excluded.recipients,
                 new_recipients = sent_count.new_recipients + excluded.new_recipients",
        )
        .bind(submission.account.value())
        .bind(span_of(now).millis())
        .bind(number(submission.recipients))
        .bind(number(submission.new_recipients))
    };
    submissions.iter().map(add).collect()
}

/// Adds a recipient that was refused as nobody; not of an account that has gone meanwhile.
pub(crate) async fn count_unknown(
    tx: &mut AnyConnection,
    now: Timestamp,
    account: AccountKey,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO sent_count (account_key, span_at, messages, recipients, new_recipients, unknown_recipients)
               SELECT account_key, $2, 0, 0, 0, 1 FROM account WHERE account_key = $1
               ON CONFLICT (account_key, span_at) DO UPDATE SET unknown_recipients = sent_count.unknown_recipients + 1";
    sqlx::query(sql).bind(account.value()).bind(span_of(now).millis()).execute(tx).await?;
    Ok(())
}

impl Store {
    /// How an account stands that wants to send.
    pub async fn sending_state(&self, account: AccountKey) -> Result<SendingState, StoreError> {
        let sql = "SELECT hourly_messages, hourly_recipients, daily_messages, daily_recipients, daily_new_recipients,
                          (SELECT COUNT(*) FROM sending_hold AS h WHERE h.account_key = a.account_key AND h.ended_at IS NULL),
                          closed_at
                   FROM account AS a WHERE a.account_key = $1";
        let query = sqlx::query(sql).bind(account.value());
        let Some(row) = query.fetch_optional(&mut *self.reader().await?).await? else {
            return Ok(SendingState::default());
        };
        let limit = |column: usize| row.try_get::<Option<i64>, _>(column).map(|limit| limit.map(i64::unsigned_abs));
        Ok(SendingState {
            limits: SendingLimits {
                hourly_messages: limit(0)?,
                hourly_recipients: limit(1)?,
                daily_messages: limit(2)?,
                daily_recipients: limit(3)?,
                daily_new_recipients: limit(4)?,
            },
            is_held: row.try_get::<i64, _>(5)? > 0,
            closed_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_millis),
        })
    }

    /// What an account sent since `since`, the oldest span first.
    pub async fn sent_counts(&self, account: AccountKey, since: Timestamp) -> Result<Vec<SentCount>, StoreError> {
        let sql = "SELECT span_at, messages, recipients, new_recipients, unknown_recipients FROM sent_count
                   WHERE account_key = $1 AND span_at >= $2 ORDER BY span_at LIMIT 2100";
        let query = sqlx::query(sql).bind(account.value()).bind(since.millis());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| {
            let count = |column: usize| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
            Ok(SentCount {
                span_at: Timestamp::from_millis(row.try_get(0)?),
                messages: count(1)?,
                recipients: count(2)?,
                new_recipients: count(3)?,
                unknown_recipients: count(4)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// To which of these addresses an account has never written, as addresses are compared; each once.
    pub async fn never_written_to(&self, account: AccountKey, to: &[Address]) -> Result<Vec<String>, StoreError> {
        let mut folded: Vec<String> = to.iter().map(fold).collect();
        folded.sort_unstable();
        folded.dedup();
        for chunk in folded.clone().chunks(sql::padded(64)) {
            let mut select = Select::new("SELECT folded FROM acquaintance WHERE account_key = ");
            select.value(account.value()).say(" AND folded IN (");
            for place in 0..sql::padded(chunk.len()) {
                let address = chunk.get(place).or(chunk.last()).cloned().unwrap_or_default();
                select.say(if place == 0 { "" } else { ", " }).value(address);
            }
            select.say(")");
            for row in select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await? {
                let known: String = row.try_get(0)?;
                if let Ok(place) = folded.binary_search(&known) {
                    folded.remove(place);
                }
            }
        }
        Ok(folded)
    }

    /// Accounts without a hold of whose mail since `since` at least `unknown` recipients were refused as nobody, or `complaints`
    /// messages complained of; what was before their last hold was released counts for nothing. At most a hundred.
    pub async fn suspicious_accounts(
        &self,
        since: Timestamp,
        unknown: u64,
        complaints: u64,
    ) -> Result<Vec<Suspicious>, StoreError> {
        let sql = "SELECT s.account_key, CAST(SUM(s.recipients) AS BIGINT), CAST(SUM(s.nobody) AS BIGINT),
                          CAST(SUM(s.complaints) AS BIGINT)
                   FROM (SELECT c.account_key, c.recipients,
                                CASE WHEN c.span_at > COALESCE((SELECT MAX(h.ended_at) FROM sending_hold AS h
                                         WHERE h.account_key = c.account_key), 0) THEN c.unknown_recipients ELSE 0 END AS nobody,
                                0 AS complaints
                         FROM sent_count AS c WHERE c.span_at >= $1
                         UNION ALL
                         SELECT p.account_key, 0, 0, 1 FROM complaint AS p
                         WHERE p.at >= $1 AND p.at > COALESCE((SELECT MAX(h.ended_at) FROM sending_hold AS h
                                         WHERE h.account_key = p.account_key), 0)) AS s
                   WHERE NOT EXISTS (SELECT 1 FROM sending_hold AS h WHERE h.account_key = s.account_key AND h.ended_at IS NULL)
                   GROUP BY s.account_key HAVING CAST(SUM(s.nobody) AS BIGINT) >= $2 OR CAST(SUM(s.complaints) AS BIGINT) >= $3
                   ORDER BY s.account_key LIMIT 100";
        let query = sqlx::query(sql).bind(since.millis()).bind(number(unknown)).bind(number(complaints));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| {
            let count = |column: usize| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
            Ok(Suspicious {
                account: AccountKey::new(row.try_get(0)?),
                recipients: count(1)?,
                unknown_recipients: count(2)?,
                complaints: count(3)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// From where an account logged in before `before`, the latest first: 500 addresses at most.
    pub async fn login_addresses(
        &self,
        account: AccountKey,
        before: Timestamp,
    ) -> Result<Vec<std::net::IpAddr>, StoreError> {
        let sql = "SELECT ip FROM login_history WHERE account_key = $1 AND is_granted = 1 AND first_at < $2
                   GROUP BY ip ORDER BY MAX(last_at) DESC, ip LIMIT 500";
        let query = sqlx::query(sql).bind(account.value()).bind(before.millis());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let addresses: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        Ok(addresses.iter().filter_map(|address| address.parse().ok()).collect())
    }
}
