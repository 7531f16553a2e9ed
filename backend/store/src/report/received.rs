//! What others told us of our domains, added up by day.

use std::time::Duration;

use relais_model::{Address, Timestamp};
use sqlx::{AnyConnection, Row as _};

use crate::message::{Acceptance, Accepted};
use crate::page::{Listing, Page};
use crate::{DomainKey, MessageKey, Store, StoreError};

/// How long reports are kept.
pub const REPORTS_KEPT_FOR: Duration = Duration::from_hours(24 * 366);
/// Messages that wait to be read, at most; further ones aren't read.
pub const MAX_REPORT_MAIL: i64 = 10_000;
/// Addresses that mail of one domain and day is told apart by; what comes from others is added up without one.
pub const MAX_SOURCES_A_DAY: i64 = 2000;
/// Reports of one domain and day that are taken.
const MAX_REPORTS_A_DAY: i64 = 2000;
/// Outcomes of TLS, and kinds of incidents, of one domain and day.
const MAX_KINDS_A_DAY: i64 = 200;
/// Octets of a reporter's name or number that are kept.
const WORD_OCTETS: usize = 255;
/// Rows that one statement prunes.
const AT_ONCE: i64 = 1000;

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// Mail with a domain's name (RFC 9990).
    Dmarc,
    /// TLS to a domain's hosts (RFC 8460).
    Tls,
}

impl ReportKind {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dmarc => "dmarc",
            Self::Tls => "tls",
        }
    }
}

/// A report that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedReport {
    /// Whom it is about.
    pub domain: DomainKey,
    /// Who reports.
    pub organization: String,
    /// The reporter's number for it.
    pub id: String,
    /// The beginning of the day that it tells of, UTC.
    pub day: Timestamp,
    /// DMARC proved who sent it.
    pub is_authenticated: bool,
    /// What it tells.
    pub counts: ReportCounts,
}

/// What a report tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportCounts {
    /// Of mail, each address once.
    Dmarc(Vec<ReportSource>),
    /// Of TLS, each outcome once.
    Tls(Vec<ReportSession>),
}

/// Mail that came from one address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportSource {
    /// The address, as text; empty: all others.
    pub source: String,
    /// Messages.
    pub messages: u64,
    /// By DKIM, by SPF, by either.
    pub dkim_aligned: u64,
    /// The same, by SPF.
    pub spf_aligned: u64,
    /// By either.
    pub aligned: u64,
    /// Receivers put it into the junk.
    pub quarantined: u64,
    /// Receivers refused it.
    pub rejected: u64,
    /// Not aligned, and come through a list or a forwarder.
    pub overridden: u64,
}

impl ReportSource {
    const fn numbers(&self) -> [u64; 7] {
        [
            self.messages,
            self.dkim_aligned,
            self.spf_aligned,
            self.aligned,
            self.quarantined,
            self.rejected,
            self.overridden,
        ]
    }

    fn read(row: &sqlx::any::AnyRow, source: String) -> Result<Self, sqlx::Error> {
        let number = |at: usize| row.try_get::<i64, _>(at).map(i64::unsigned_abs);
        Ok(Self {
            source,
            messages: number(1)?,
            dkim_aligned: number(2)?,
            spf_aligned: number(3)?,
            aligned: number(4)?,
            quarantined: number(5)?,
            rejected: number(6)?,
            overridden: number(7)?,
        })
    }
}

/// TLS sessions that came out the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSession {
    /// `success`, or what the reporter calls the failure.
    pub result: String,
    /// Our host; empty where it isn't said.
    pub mx_host: String,
    /// How many.
    pub sessions: u64,
}

/// A day's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportDay {
    /// Its beginning, UTC.
    pub day: Timestamp,
    /// Messages.
    pub messages: u64,
    /// Those that were aligned.
    pub aligned: u64,
    /// Those that weren't, and came through a list or a forwarder.
    pub relayed: u64,
}

/// What reports of a span came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportSummary {
    /// Days with reports, the first first.
    pub days: Vec<ReportDay>,
    /// Reports on mail, and those among them whose sender was proved.
    pub reports: u64,
    /// The same, proved.
    pub proved: u64,
    /// Who reported.
    pub organizations: u64,
    /// TLS, by outcome, the most first.
    pub sessions: Vec<ReportSession>,
    /// Days with reports on TLS.
    pub session_days: u64,
    /// Complaints and failures, by kind.
    pub incidents: Vec<(String, u64)>,
}

impl Store {
    /// Notes which of what was accepted is mail to an address for reports: it is read later. A failure is told to the log alone, for the mail is filed already.
    pub(crate) async fn note_report_mail(&self, wanted: &[bool], accepted: &[Accepted]) {
        let keys: Vec<MessageKey> =
            wanted.iter().zip(accepted).filter(|(is, _)| **is).filter_map(|(_, accepted)| accepted.message).collect();
        if keys.is_empty() {
            return;
        }
        let now = self.now().millis();
        let noted = self.write(move |tx| {
            Box::pin(async move {
                let all = sqlx::query("SELECT COUNT(*) FROM report_mail").fetch_one(&mut *tx).await?;
                if MAX_REPORT_MAIL <= all.try_get(0)? {
                    return Ok(());
                }
                for key in keys {
                    let sql = "INSERT INTO report_mail (message_key, arrived_at) VALUES ($1, $2)
                               ON CONFLICT (message_key) DO NOTHING";
                    sqlx::query(sql).bind(key.value()).bind(now).execute(&mut *tx).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        if let Err(error) = noted.await {
            tracing::warn!(%error, "mail to an address for reports will not be read for what it tells");
        }
    }

    /// Whether something of it goes to an address here that reports are asked for at, to a postmaster, or to abuse.
    pub(crate) fn is_report_mail(&self, acceptance: &Acceptance) -> bool {
        let settings = self.settings();
        let is_for_reports = |address: &Address| {
            let local_part = address.local_part.as_str();
            // RFC 2142 §4: complaints go to abuse.
            ["postmaster", "abuse"].iter().any(|role| local_part.eq_ignore_ascii_case(role))
                || [&settings.dns_dmarc_reports, &settings.dns_tls_reports]
                    .into_iter()
                    .flatten()
                    .any(|it| it == address)
        };
        acceptance.deliveries.iter().any(|delivery| is_for_reports(&delivery.recipient))
    }

    /// Messages that wait to be read for what they tell, the oldest first.
    pub async fn report_mail(&self, most: u32) -> Result<Vec<MessageKey>, StoreError> {
        let sql = "SELECT message_key FROM report_mail ORDER BY message_key LIMIT $1";
        let rows = sqlx::query(sql).bind(i64::from(most)).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok(MessageKey::new(row.try_get(0)?))).collect()
    }

    /// Writes what a message told, and that it was read. False where all of it was known: a double.
    pub async fn take_reports(&self, of: MessageKey, reports: Vec<ReceivedReport>) -> Result<bool, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let mut is_new = false;
                for report in reports {
                    is_new |= take(&mut *tx, now, report).await?;
                }
                forget(&mut *tx, of).await?;
                Ok(is_new)
            })
        })
        .await
    }

    /// Counts what a message tells of single ones (RFC 5965), and that it was read.
    pub async fn take_incidents(
        &self,
        of: MessageKey,
        domain: DomainKey,
        day: Timestamp,
        kind: &'static str,
        incidents: u64,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let incidents = i64::try_from(incidents).unwrap_or(i64::MAX);
                let sql = "INSERT INTO report_incident (domain_key, day, kind, incidents) VALUES ($1, $2, $3, $4)
                           ON CONFLICT (domain_key, day, kind) DO UPDATE SET incidents = report_incident.incidents + $4";
                let query = sqlx::query(sql).bind(domain.value()).bind(day.millis()).bind(kind).bind(incidents);
                query.execute(&mut *tx).await?;
                forget(&mut *tx, of).await
            })
        })
        .await
    }

    /// Notes that a message was read. `why` it couldn't be; none where it holds no report at all.
    pub async fn pass_report_mail(&self, of: MessageKey, why: Option<String>) -> Result<(), StoreError> {
        let day = self.now().day();
        self.write(move |tx| {
            Box::pin(async move {
                if let Some(why) = why {
                    let sql = "INSERT INTO report_unread (day, messages, why) VALUES ($1, 1, $2)
                               ON CONFLICT (day) DO UPDATE SET messages = report_unread.messages + 1, why = $2";
                    sqlx::query(sql).bind(day.millis()).bind(cut(&why)).execute(&mut *tx).await?;
                }
                forget(&mut *tx, of).await
            })
        })
        .await
    }

    /// How many messages since `since` couldn't be read, and why not the last one.
    pub async fn unread_reports(&self, since: Timestamp) -> Result<(u64, Option<String>), StoreError> {
        let sql = "SELECT messages, why FROM report_unread WHERE day >= $1 ORDER BY day DESC LIMIT 400";
        let rows = sqlx::query(sql).bind(since.millis()).fetch_all(&mut *self.reader().await?).await?;
        let mut all = 0;
        for row in &rows {
            all += row.try_get::<i64, _>(0)?.unsigned_abs();
        }
        Ok((all, rows.first().map(|row| row.try_get(1)).transpose()?))
    }

    /// What reports since `since` came to; 400 days at most.
    pub async fn report_summary(&self, domain: DomainKey, since: Timestamp) -> Result<ReportSummary, StoreError> {
        let mut reader = self.reader().await?;
        let bound = |sql| sqlx::query(sql).bind(domain.value()).bind(since.millis());
        let number = |row: &sqlx::any::AnyRow, at: usize| row.try_get::<i64, _>(at).map(i64::unsigned_abs);
        // PostgreSQL adds BIGINTs up to a NUMERIC.
        // What was read before counts receivers' other reasons, too.
        let sql = "SELECT day, CAST(SUM(messages) AS BIGINT), CAST(SUM(aligned) AS BIGINT),
                          CAST(SUM(CASE WHEN overridden < messages - aligned THEN overridden ELSE messages - aligned END) AS BIGINT)
                   FROM report_source WHERE domain_key = $1 AND day >= $2 GROUP BY day ORDER BY day LIMIT 400";
        let mut summary = ReportSummary::default();
        for row in bound(sql).fetch_all(&mut *reader).await? {
            let day = Timestamp::from_millis(row.try_get(0)?);
            let (messages, aligned, relayed) = (number(&row, 1)?, number(&row, 2)?, number(&row, 3)?);
            summary.days.push(ReportDay { day, messages, aligned, relayed });
        }
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(is_authenticated), 0) AS BIGINT), COUNT(DISTINCT organization)
                   FROM report_received WHERE domain_key = $1 AND day >= $2 AND kind = 'dmarc'";
        let row = bound(sql).fetch_one(&mut *reader).await?;
        (summary.reports, summary.proved, summary.organizations) =
            (number(&row, 0)?, number(&row, 1)?, number(&row, 2)?);
        let sql = "SELECT result, mx_host, CAST(SUM(sessions) AS BIGINT) FROM report_session
                   WHERE domain_key = $1 AND day >= $2 GROUP BY result, mx_host ORDER BY 3 DESC, result, mx_host LIMIT 100";
        for row in bound(sql).fetch_all(&mut *reader).await? {
            let (result, mx_host) = (row.try_get(0)?, row.try_get(1)?);
            summary.sessions.push(ReportSession { result, mx_host, sessions: number(&row, 2)? });
        }
        let sql = "SELECT COUNT(DISTINCT day) FROM report_session WHERE domain_key = $1 AND day >= $2";
        summary.session_days = number(&bound(sql).fetch_one(&mut *reader).await?, 0)?;
        let sql = "SELECT kind, CAST(SUM(incidents) AS BIGINT) FROM report_incident
                   WHERE domain_key = $1 AND day >= $2 GROUP BY kind ORDER BY kind LIMIT 20";
        for row in bound(sql).fetch_all(&mut *reader).await? {
            summary.incidents.push((row.try_get(0)?, number(&row, 1)?));
        }
        Ok(summary)
    }

    /// Where mail with a domain's name came from since `since`, the most unexplained first, then the most.
    pub async fn report_sources(
        &self,
        domain: DomainKey,
        since: Timestamp,
        page: &Page,
    ) -> Result<Listing<ReportSource>, StoreError> {
        // A place in the list is its cursor: the list changes once a day, and is at most read to its end.
        let skipped: i64 = page.after.as_deref().and_then(|after| after.parse().ok()).unwrap_or(0).clamp(0, 1_000_000);
        let sql = "SELECT source, CAST(SUM(messages) AS BIGINT), CAST(SUM(dkim_aligned) AS BIGINT),
                          CAST(SUM(spf_aligned) AS BIGINT), CAST(SUM(aligned) AS BIGINT), CAST(SUM(quarantined) AS BIGINT),
                          CAST(SUM(rejected) AS BIGINT), CAST(SUM(overridden) AS BIGINT)
                   FROM report_source WHERE domain_key = $1 AND day >= $2
                   GROUP BY source ORDER BY SUM(messages) - SUM(aligned) - SUM(overridden) DESC, SUM(messages) DESC, source LIMIT $3 OFFSET $4";
        let query = sqlx::query(sql).bind(domain.value()).bind(since.millis()).bind(page.rows_to_ask()).bind(skipped);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let mut sources = Vec::with_capacity(rows.len());
        for row in &rows {
            sources.push(ReportSource::read(row, row.try_get(0)?)?);
        }
        let next = skipped.saturating_add(page.rows_to_ask() - 1);
        Ok(page.cut(sources, |_| next.to_string()))
    }

    /// Drops what is older than [`REPORTS_KEPT_FOR`].
    pub(crate) async fn prune_reports(&self) -> Result<u64, StoreError> {
        let before = self.now().minus(REPORTS_KEPT_FOR);
        let mut pruned = 0;
        for sql in [
            "DELETE FROM report_source WHERE (domain_key, day, source) IN
                 (SELECT domain_key, day, source FROM report_source WHERE day < $1 LIMIT $2)",
            "DELETE FROM report_received WHERE (domain_key, kind, organization, report_id) IN
                 (SELECT domain_key, kind, organization, report_id FROM report_received WHERE day < $1 LIMIT $2)",
            "DELETE FROM report_session WHERE (domain_key, day, result, mx_host) IN
                 (SELECT domain_key, day, result, mx_host FROM report_session WHERE day < $1 LIMIT $2)",
            "DELETE FROM report_incident WHERE (domain_key, day, kind) IN
                 (SELECT domain_key, day, kind FROM report_incident WHERE day < $1 LIMIT $2)",
            "DELETE FROM report_unread WHERE day IN (SELECT day FROM report_unread WHERE day < $1 LIMIT $2)",
        ] {
            pruned += self.prune_in_parts(sql, before.millis(), AT_ONCE).await?;
        }
        Ok(pruned)
    }
}

/// False where it is known, or past what is taken of a day.
async fn take(tx: &mut AnyConnection, now: Timestamp, report: ReceivedReport) -> Result<bool, StoreError> {
    let (domain, day) = (report.domain.value(), report.day.millis());
    let (kind, amount) = match &report.counts {
        ReportCounts::Dmarc(sources) => (ReportKind::Dmarc, sources.iter().map(|source| source.messages).sum::<u64>()),
        ReportCounts::Tls(sessions) => (ReportKind::Tls, sessions.iter().map(|session| session.sessions).sum()),
    };
    let there = "SELECT COUNT(*) FROM report_received WHERE domain_key = $1 AND day = $2";
    let there = sqlx::query(there).bind(domain).bind(day).fetch_one(&mut *tx).await?;
    if MAX_REPORTS_A_DAY <= there.try_get(0)? {
        return Ok(false);
    }
    let sql = "INSERT INTO report_received
                   (domain_key, kind, organization, report_id, day, received_at, is_authenticated, amount)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql).bind(domain).bind(kind.as_str()).bind(cut(&report.organization)).bind(cut(&report.id));
    let query = query.bind(day).bind(now.millis()).bind(i64::from(report.is_authenticated)).bind(signed(amount));
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    match report.counts {
        ReportCounts::Dmarc(sources) => add_sources(tx, domain, day, sources).await?,
        ReportCounts::Tls(sessions) => add_sessions(tx, domain, day, sessions).await?,
    }
    Ok(true)
}

async fn add_sources(
    tx: &mut AnyConnection,
    domain: i64,
    day: i64,
    sources: Vec<ReportSource>,
) -> Result<(), StoreError> {
    let there = "SELECT COUNT(*) FROM report_source WHERE domain_key = $1 AND day = $2";
    let there = sqlx::query(there).bind(domain).bind(day).fetch_one(&mut *tx).await?;
    let mut room = MAX_SOURCES_A_DAY.saturating_sub(there.try_get(0)?);
    for source in sources {
        let more = "UPDATE report_source SET messages = messages + $4, dkim_aligned = dkim_aligned + $5,
                        spf_aligned = spf_aligned + $6, aligned = aligned + $7, quarantined = quarantined + $8,
                        rejected = rejected + $9, overridden = overridden + $10
                    WHERE domain_key = $1 AND day = $2 AND source = $3";
        let first = "INSERT INTO report_source (domain_key, day, source, messages, dkim_aligned, spf_aligned, aligned,
                         quarantined, rejected, overridden)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let numbers = source.numbers();
        // The third is for the first of those that get no row of their own.
        for (sql, name) in
            [(more, cut(&source.source)), (first, cut(&source.source)), (more, String::new()), (first, String::new())]
        {
            if sql == first && room <= 0 && !name.is_empty() {
                continue;
            }
            let mut query = sqlx::query(sql).bind(domain).bind(day).bind(name);
            for number in numbers {
                query = query.bind(signed(number));
            }
            if query.execute(&mut *tx).await?.rows_affected() > 0 {
                room -= i64::from(sql == first);
                break;
            }
        }
    }
    Ok(())
}

async fn add_sessions(
    tx: &mut AnyConnection,
    domain: i64,
    day: i64,
    sessions: Vec<ReportSession>,
) -> Result<(), StoreError> {
    let there = "SELECT COUNT(*) FROM report_session WHERE domain_key = $1 AND day = $2";
    let there = sqlx::query(there).bind(domain).bind(day).fetch_one(&mut *tx).await?;
    let mut room = MAX_KINDS_A_DAY.saturating_sub(there.try_get(0)?);
    for session in sessions {
        let more = "UPDATE report_session SET sessions = sessions + $5
                    WHERE domain_key = $1 AND day = $2 AND result = $3 AND mx_host = $4";
        let first =
            "INSERT INTO report_session (domain_key, day, result, mx_host, sessions) VALUES ($1, $2, $3, $4, $5)";
        for sql in [more, first] {
            if sql == first && room <= 0 {
                break;
            }
            let query = sqlx::query(sql).bind(domain).bind(day).bind(cut(&session.result)).bind(cut(&session.mx_host));
            if query.bind(signed(session.sessions)).execute(&mut *tx).await?.rows_affected() > 0 {
                room -= i64::from(sql == first);
                break;
            }
        }
    }
    Ok(())
}

async fn forget(tx: &mut AnyConnection, of: MessageKey) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM report_mail WHERE message_key = $1").bind(of.value()).execute(tx).await?;
    Ok(())
}

/// A stranger's word, as long as an index takes it.
fn cut(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(WORD_OCTETS)).unwrap_or_default();
    text.replace('\0', "")
}

/// A stranger's number: sums of all that is kept of a year stay numbers.
fn signed(number: u64) -> i64 {
    i64::try_from(number.min(1 << 30)).unwrap_or(0)
}
