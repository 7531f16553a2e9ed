//! What checks found of each domain and of the host, when they are due again, and what turned from one to the next.

use relais_model::{Address, Domain, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{DnsSubject, is_there, prune};
use crate::audit::{Author, Deed, Scribe};
use crate::directory::{read_address, read_name};
use crate::key::Keys;
use crate::page::{Listing, Page};
use crate::sql::{self, Select, Selected};
use crate::{AccountKey, DnsTurnKey, DomainKey, Store, StoreError, webhook};

/// Turns that are kept of a domain.
pub const KEPT_TURNS: i64 = 200;

/// How many findings came out how, from the best to the worst.
pub type DnsTally = [u32; 4];

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsReportEntry {
    /// The worst verdict: 0 good, 1 could be better, 2 can't tell yet, 3 wrong.
    pub verdict: u8,
    /// How many findings came out how.
    pub tally: DnsTally,
    /// JSON.
    pub report: String,
    /// When it was looked.
    pub checked_at: Timestamp,
    /// When it is looked at again.
    pub next_check_at: Timestamp,
}

/// A finding that turned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsTurnEntry {
    /// Its row.
    pub key: DnsTurnKey,
    /// The finding's key.
    pub finding: String,
    /// The verdict before; none where it is new.
    pub before: Option<u8>,
    /// The verdict since.
    pub after: u8,
    /// It is one for the worse.
    pub is_alert: bool,
    /// JSON: its words.
    pub words: String,
    /// When it was seen.
    pub at: Timestamp,
}

/// A turn that is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDnsTurn {
    /// The finding's key.
    pub finding: String,
    /// The verdict before; none where it is new.
    pub before: Option<u8>,
    /// The verdict since.
    pub after: u8,
    /// It is one for the worse.
    pub is_alert: bool,
    /// JSON: its words.
    pub words: String,
}

/// What all are told where something turned for the worse: in the transaction that notes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsNews {
    /// What it is about: the domain, or the host's name.
    pub name: Domain,
    /// The findings' keys.
    pub findings: Vec<String>,
    /// Of the webhooks' event: the same through all attempts.
    pub event_id: String,
    /// Of the webhooks' event: JSON.
    pub payload: String,
}

/// A domain in the list of checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsRowEntry {
    /// Its row.
    pub key: DomainKey,
    /// Its name.
    pub domain: Domain,
    /// The worst verdict, how many came out how, and when; none where it was never checked.
    pub last: Option<(u8, DnsTally, Timestamp)>,
}

const COLUMNS: &str = "verdict, good, better, unknown, wrong, report, checked_at, next_check_at";

impl Store {
    /// What the last check found.
    pub async fn dns_report(&self, of: DnsSubject) -> Result<Option<DnsReportEntry>, StoreError> {
        read_report(&mut *self.reader().await?, of).await
    }

    /// Writes what a check found, with what turned since the report that was looked at `before`; and where there is news, tells it in the activity and to
    /// webhooks. Tells whether it did: not where another check has come between, nor for a domain that is gone.
    pub async fn put_dns_report(
        &self,
        of: DnsSubject,
        before: Option<Timestamp>,
        report: DnsReportEntry,
        turns: Vec<NewDnsTurn>,
        news: Option<DnsNews>,
    ) -> Result<bool, StoreError> {
        let scribe = self.scribe(&Author::house());
        let inner = std::sync::Arc::clone(&self.inner);
        self.write(move |tx| {
            Box::pin(async move {
                if !is_there(tx, of).await? || !write_report(tx, of, before, &report).await? {
                    return Ok(false);
                }
                for turn in &turns {
                    insert_turn(tx, &scribe, of, turn).await?;
                }
                prune(tx, "dns_turn", "turn_key", of, KEPT_TURNS).await?;
                if let Some(news) = news {
                    tell(tx, &scribe, &inner.keys, of, &news).await?;
                }
                Ok(true)
            })
        })
        .await
    }

    /// Our domains with what their last checks found, by name.
    pub async fn dns_rows(
        &self,
        among: Option<&[DomainKey]>,
        text: Option<&str>,
        verdict: Option<u8>,
        page: &Page,
    ) -> Result<Listing<DnsRowEntry>, StoreError> {
        if among.is_some_and(<[DomainKey]>::is_empty) {
            return Ok(Listing { rows: Vec::new(), next: None });
        }
        let mut listed = Selected::new(
            "SELECT d.domain_key, d.name, r.verdict, r.good, r.better, r.unknown, r.wrong, r.checked_at
             FROM domain d LEFT JOIN dns_report r ON r.domain_key = d.domain_key",
        );
        listed.and_as_is("d.removed_at IS NULL");
        if let Some(among) = among {
            listed.and_among("d.domain_key", among.iter().map(|key| key.value()));
        }
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            listed.and("d.name LIKE $ ESCAPE '\\'", sql::containing(&text.to_lowercase()));
        }
        if let Some(verdict) = verdict {
            listed.and("r.verdict = $", i64::from(verdict));
        }
        if let Some(after) = &page.after {
            listed.and("d.name > $", after.as_str());
        }
        let statement = listed.ordered("d.name", page.rows_to_ask());
        let rows = sql::query(self.engine(), &[statement])?.fetch_all(&mut *self.reader().await?).await?;
        let rows = rows.iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(rows, |row| row.domain.to_string()))
    }

    /// Who is to be checked now, at most `limit`: whose time has come, and domains that never were.
    pub async fn dns_due(&self, limit: u32) -> Result<Vec<(DnsSubject, Option<Domain>)>, StoreError> {
        let sql = "SELECT d.domain_key, d.name FROM domain d LEFT JOIN dns_report r ON r.domain_key = d.domain_key
                   WHERE d.removed_at IS NULL AND (r.domain_key IS NULL OR r.next_check_at <= $1)
                   ORDER BY d.domain_key LIMIT $2";
        let now = self.now().millis();
        let mut reader = self.reader().await?;
        let rows: Vec<(i64, String)> =
            sqlx::query_as(sql).bind(now).bind(i64::from(limit)).fetch_all(&mut *reader).await?;
        let host = read_report(&mut reader, DnsSubject::Host).await?;
        let host = host.is_none_or(|report| report.next_check_at.millis() <= now).then_some((DnsSubject::Host, None));
        let named = rows.into_iter().map(|(key, name)| {
            let domain = read_name(&name)?;
            Ok((DnsSubject::Domain(DomainKey::new(key)), Some(domain)))
        });
        host.into_iter().map(Ok).chain(named).collect()
    }

    /// Has the next check at `at`, where there was one.
    pub async fn put_off_dns_check(&self, of: DnsSubject, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE dns_report SET next_check_at = $2 WHERE domain_key = $1";
                sqlx::query(sql).bind(of.value()).bind(at.millis()).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
    }

    /// Makes all checks due at once.
    pub async fn hasten_dns_checks(&self) -> Result<(), StoreError> {
        let now = self.now().millis();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE dns_report SET next_check_at = $1 WHERE next_check_at > $1";
                sqlx::query(sql).bind(now).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
    }

    /// The owners who can log in, by address, at most `limit`.
    pub async fn owner_addresses(&self, limit: u32) -> Result<Vec<(AccountKey, Address)>, StoreError> {
        let sql = "SELECT a.account_key, a.address FROM account a JOIN domain d ON d.domain_key = a.domain_key
                   WHERE a.role = $1 AND a.is_suspended = 0 AND a.removed_at IS NULL AND d.is_disabled = 0 AND d.removed_at IS NULL
                   ORDER BY a.account_key LIMIT $2";
        let query = sqlx::query_as(sql).bind(crate::Role::Owner as i64).bind(i64::from(limit));
        let rows: Vec<(i64, String)> = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |(key, address): (i64, String)| Ok((AccountKey::new(key), read_address(&address)?));
        rows.into_iter().map(read).collect()
    }

    /// Our domains with a wrong finding, at most `limit`; and whether the host has one.
    pub async fn dns_wrong(&self, among: Option<&[DomainKey]>, limit: u32) -> Result<(Vec<Domain>, bool), StoreError> {
        let page = Page { after: None, limit };
        let rows = self.dns_rows(among, None, Some(3), &page).await?.rows;
        let host = self.dns_report(DnsSubject::Host).await?;
        Ok((rows.into_iter().map(|row| row.domain).collect(), host.is_some_and(|report| report.verdict == 3)))
    }

    /// What turned, the latest first.
    pub async fn dns_turns(&self, of: DnsSubject, page: &Page) -> Result<Listing<DnsTurnEntry>, StoreError> {
        let mut select = Select::new(
            "SELECT turn_key, finding, verdict_before, verdict_after, is_alert, words, at FROM dns_turn WHERE domain_key = ",
        );
        select.value(of.value()).say(" AND turn_key < ").value(page.before_key());
        select.say(" ORDER BY turn_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let turns = rows.iter().map(read_turn).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(turns, |turn| turn.key.value()))
    }
}

/// Over the report that was looked at `before`, and no other.
async fn write_report(
    tx: &mut AnyConnection,
    of: DnsSubject,
    before: Option<Timestamp>,
    report: &DnsReportEntry,
) -> Result<bool, sqlx::Error> {
    let sql = match before {
        Some(_) => {
            "UPDATE dns_report SET verdict = $2, good = $3, better = $4, unknown = $5, wrong = $6, report = $7, checked_at = $8,
                 next_check_at = $9 WHERE domain_key = $1 AND checked_at = $10"
        }
        None => {
            "INSERT INTO dns_report (domain_key, verdict, good, better, unknown, wrong, report, checked_at, next_check_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (domain_key) DO NOTHING"
        }
    };
    let [good, better, unknown, wrong] = report.tally.map(i64::from);
    let mut query = sqlx::query(sql)
        .bind(of.value())
        .bind(i64::from(report.verdict))
        .bind(good)
        .bind(better)
        .bind(unknown)
        .bind(wrong)
        .bind(report.report.as_str())
        .bind(report.checked_at.millis())
        .bind(report.next_check_at.millis());
    if let Some(before) = before {
        query = query.bind(before.millis());
    }
    Ok(query.execute(tx).await?.rows_affected() > 0)
}

async fn insert_turn(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    of: DnsSubject,
    turn: &NewDnsTurn,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO dns_turn (turn_key, domain_key, finding, verdict_before, verdict_after, is_alert, words, at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(scribe.next_key())
        .bind(of.value())
        .bind(turn.finding.as_str())
        .bind(turn.before.map(i64::from))
        .bind(i64::from(turn.after))
        .bind(i64::from(turn.is_alert))
        .bind(turn.words.as_str())
        .bind(scribe.now().millis())
        .execute(tx)
        .await
        .map(drop)
}

async fn tell(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    keys: &Keys,
    of: DnsSubject,
    news: &DnsNews,
) -> Result<(), sqlx::Error> {
    let after = Some(json!({ "findings": news.findings }));
    let (subject, domain) = (news.name.to_string(), of.domain());
    scribe.note(tx, Deed { act: "dns.worse", subject, domain, after, ..Deed::default() }).await?;
    webhook::tell_dns(tx, keys, scribe.now(), domain, news).await
}

async fn read_report(reader: &mut AnyConnection, of: DnsSubject) -> Result<Option<DnsReportEntry>, StoreError> {
    let text = AssertSqlSafe(format!("SELECT {COLUMNS} FROM dns_report WHERE domain_key = $1"));
    let row = sqlx::query(text).bind(of.value()).fetch_optional(reader).await?;
    let read = |row: &AnyRow| {
        Ok(DnsReportEntry {
            verdict: verdict(row.try_get(0)?)?,
            tally: tally(row, 1)?,
            report: row.try_get(5)?,
            checked_at: Timestamp::from_millis(row.try_get(6)?),
            next_check_at: Timestamp::from_millis(row.try_get(7)?),
        })
    };
    row.as_ref().map(read).transpose()
}

fn verdict(number: i64) -> Result<u8, StoreError> {
    u8::try_from(number)
        .ok()
        .filter(|verdict| *verdict <= 3)
        .ok_or_else(|| StoreError::damaged(format!("DNS verdict {number}")))
}

fn tally(row: &AnyRow, first: usize) -> Result<DnsTally, StoreError> {
    let mut tally = DnsTally::default();
    for (place, count) in tally.iter_mut().enumerate() {
        *count = u32::try_from(row.try_get::<i64, _>(first + place)?).unwrap_or(u32::MAX);
    }
    Ok(tally)
}

fn read_row(row: &AnyRow) -> Result<DnsRowEntry, StoreError> {
    let last = match row.try_get::<Option<i64>, _>(2)? {
        Some(number) => Some((verdict(number)?, tally(row, 3)?, Timestamp::from_millis(row.try_get(7)?))),
        None => None,
    };
    Ok(DnsRowEntry { key: DomainKey::new(row.try_get(0)?), domain: read_name(row.try_get(1)?)?, last })
}

fn read_turn(row: &AnyRow) -> Result<DnsTurnEntry, StoreError> {
    Ok(DnsTurnEntry {
        key: DnsTurnKey::new(row.try_get(0)?),
        finding: row.try_get(1)?,
        before: row.try_get::<Option<i64>, _>(2)?.map(verdict).transpose()?,
        after: verdict(row.try_get(3)?)?,
        is_alert: row.try_get::<i64, _>(4)? != 0,
        words: row.try_get(5)?,
        at: Timestamp::from_millis(row.try_get(6)?),
    })
}
