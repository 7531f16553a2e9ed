//! Addresses elsewhere that other hosts refused as nobody: mail to them is refused here, for a time.
//!
//! One refusal counts for little: it may be a slip of the other host's. Two that lie an hour apart, or three, suppress; the time doubles with each
//! further one, and the first message that arrives ends it all.

use std::time::Duration;

use relais_model::{Address, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::audit::{Author, Deed};
use crate::directory::{fold, read_address};
use crate::page::{Listing, Page};
use crate::sql::{self, Select, Statement, containing, shorten};
use crate::{AccountKey, Store, StoreError};

/// Rows, at most; those that were refused longest ago are forgotten first.
pub const MAX_SUPPRESSED: i64 = 100_000;
/// Refusals of one account's mail count again after this: who tries a wrong address five times in a row has made one mistake.
const APART: Duration = Duration::from_hours(1);
/// So many suppress, however close: they are of several accounts then.
const ENOUGH: i64 = 3;
/// What was refused so long ago is forgotten, if it isn't suppressed.
const KEPT_FOR: Duration = Duration::from_hours(24 * 400);
/// The time doubles so often, at most.
const MOST_DOUBLINGS: u32 = 5;
/// Octets of another host's words that are kept.
const REPLY_OCTETS: usize = 500;

/// An address that mail is refused for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// As somebody here spelled it.
    pub address: Address,
    /// Refusals that counted.
    pub refusals: u64,
    /// When the first of them came.
    pub first_at: Timestamp,
    /// When the last one came.
    pub last_at: Timestamp,
    /// Since when mail is refused here.
    pub since: Timestamp,
    /// For the how manyth time.
    pub times: u64,
    /// What was said last.
    pub reply: String,
    /// By which host; empty where it was our own finding.
    pub remote: String,
}

impl Suppressed {
    /// Until when, if the first time lasts `base`: each further one lasts twice as long as the one before.
    pub fn until(&self, base: Duration) -> Timestamp {
        self.since.plus(base.saturating_mul(lasts(self.times)))
    }
}

/// How many times the base.
fn lasts(times: u64) -> u32 {
    let doublings = u32::try_from(times.saturating_sub(1)).unwrap_or(u32::MAX).min(MOST_DOUBLINGS);
    1 << doublings
}

/// A recipient that another host refused as nobody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unknown<'a> {
    pub(crate) address: &'a Address,
    pub(crate) submitter: AccountKey,
    pub(crate) reply: &'a str,
    pub(crate) remote: &'a str,
}

/// What is counted of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    refusals: i64,
    first_at: i64,
    last_at: i64,
    submitter: i64,
    since_at: Option<i64>,
    times: i64,
}

impl Count {
    /// With one more refusal.
    fn more(self, now: Timestamp, submitter: AccountKey) -> Self {
        let (apart, now) = (i64::try_from(APART.as_millis()).unwrap_or(0), now.millis());
        let is_again = now.saturating_sub(self.last_at) < apart && self.submitter == submitter.value();
        // What was still on its way when it was suppressed says nothing new.
        let is_late = self.since_at.is_some_and(|since| now.saturating_sub(since) < apart);
        if is_again || is_late {
            return self;
        }
        let counted = Self { refusals: self.refusals + 1, last_at: now, submitter: submitter.value(), ..self };
        let is_enough = ENOUGH <= counted.refusals || apart <= now.saturating_sub(self.first_at);
        // Who was suppressed before, and is tried again when that is over, has had their chance.
        if self.since_at.is_some() || is_enough {
            return Self { since_at: Some(now), times: self.times + 1, ..counted };
        }
        counted
    }
}

/// Notes a refusal, in the transaction that settles it.
pub(crate) async fn note_unknown(
    tx: &mut AnyConnection,
    now: Timestamp,
    unknown: &Unknown<'_>,
) -> Result<(), sqlx::Error> {
    let folded = fold(unknown.address);
    let sql = "SELECT refusals, first_at, last_at, submitter, since_at, times FROM suppressed WHERE folded = $1";
    let found = sqlx::query(sql).bind(folded.as_str()).fetch_optional(&mut *tx).await?;
    let count = match found {
        Some(row) => Count {
            refusals: row.try_get(0)?,
            first_at: row.try_get(1)?,
            last_at: row.try_get(2)?,
            submitter: row.try_get(3)?,
            since_at: row.try_get(4)?,
            times: row.try_get(5)?,
        }
        .more(now, unknown.submitter),
        None => Count {
            refusals: 1,
            first_at: now.millis(),
            last_at: now.millis(),
            submitter: unknown.submitter.value(),
            since_at: None,
            times: 0,
        },
    };
    let sql = "INSERT INTO suppressed (folded, address, refusals, first_at, last_at, submitter, since_at, times, reply, remote)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
               ON CONFLICT (folded) DO UPDATE SET refusals = excluded.refusals, last_at = excluded.last_at,
                   submitter = excluded.submitter, since_at = excluded.since_at, times = excluded.times,
                   reply = excluded.reply, remote = excluded.remote";
    sqlx::query(sql)
        .bind(folded)
        .bind(unknown.address.to_string())
        .bind(count.refusals)
        .bind(count.first_at)
        .bind(count.last_at)
        .bind(count.submitter)
        .bind(count.since_at)
        .bind(count.times)
        .bind(shorten(unknown.reply, REPLY_OCTETS).replace('\0', ""))
        .bind(shorten(unknown.remote, REPLY_OCTETS).replace('\0', ""))
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets refusals of addresses that took a message.
pub(crate) fn note_delivered(to: &[&Address]) -> Vec<Statement> {
    let bind = |statement: Statement, address: &&Address| statement.bind(fold(address));
    sql::chunks(to)
        .map(|some| {
            let text = format!("DELETE FROM suppressed WHERE folded IN {}", sql::placeholders(some.len(), 1, 0));
            some.iter().fold(Statement::new(text), bind)
        })
        .collect()
}

const COLUMNS: &str = "folded, address, refusals, first_at, last_at, since_at, times, reply, remote FROM suppressed";

impl Store {
    /// Why mail to an address is refused now; none: it isn't.
    pub async fn suppressed(&self, address: &Address) -> Result<Option<Suppressed>, StoreError> {
        let (base, folded) = (self.settings().suppression, fold(address));
        if base.is_zero() {
            return Ok(None);
        }
        let sql = "SELECT folded, address, refusals, first_at, last_at, since_at, times, reply, remote FROM suppressed
                   WHERE folded = $1 AND since_at IS NOT NULL";
        let row = sqlx::query(sql).bind(folded).fetch_optional(&mut *self.reader().await?).await?;
        let found = row.as_ref().map(read).transpose()?;
        Ok(found.map(|(_, found)| found).filter(|found| self.now() < found.until(base)))
    }

    /// Addresses that mail is refused for now, in their order; those with `text` in them.
    pub async fn suppressed_addresses(
        &self,
        text: Option<&str>,
        page: &Page,
    ) -> Result<Listing<Suppressed>, StoreError> {
        let base = self.settings().suppression;
        let mut select = Select::new(format!("SELECT {COLUMNS} WHERE since_at IS NOT NULL AND ("));
        // The longest a suppression lasts first: the times are few.
        for doublings in 0..=MOST_DOUBLINGS {
            let times = i64::from(doublings) + 1;
            let is_last = doublings == MOST_DOUBLINGS;
            let since = self.now().minus(base.saturating_mul(lasts(times.unsigned_abs())));
            select.say(if doublings == 0 { "(times " } else { " OR (times " });
            select.say(if is_last { ">= " } else { "= " }).value(times);
            select.say(" AND since_at > ").value(since.millis()).say(")");
        }
        select.say(")");
        if let Some(text) = text {
            select.say(" AND folded LIKE ").value(containing(&text.to_lowercase())).say(" ESCAPE '\\'");
        }
        if let Some(after) = &page.after {
            select.say(" AND folded > ").value(after.as_str());
        }
        select.say(" ORDER BY folded LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let Listing { rows, next } = page.cut(found, |(folded, _)| folded.clone());
        Ok(Listing { rows: rows.into_iter().map(|(_, found)| found).collect(), next })
    }

    /// Lets mail go to an address again, as if it had never been refused; whether it was.
    pub async fn remove_suppressed(&self, by: &Author, address: &Address) -> Result<bool, StoreError> {
        let (scribe, folded) = (self.scribe(by), fold(address));
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM suppressed WHERE folded = $1 AND since_at IS NOT NULL RETURNING address";
                let gone: Option<String> = sqlx::query_scalar(sql).bind(folded).fetch_optional(&mut *tx).await?;
                let Some(subject) = gone else { return Ok(false) };
                scribe.note(tx, Deed { act: "suppression.remove", subject, ..Deed::default() }).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Drops what was refused too long ago, and what is too much.
    pub(super) async fn prune_suppressed(&self) -> Result<(), StoreError> {
        let old = "DELETE FROM suppressed WHERE folded IN (SELECT folded FROM suppressed WHERE last_at < $1 LIMIT $2)";
        self.prune_in_parts(old, self.now().minus(KEPT_FOR).millis(), super::AT_ONCE).await?;
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM suppressed WHERE last_at <
                               (SELECT last_at FROM suppressed ORDER BY last_at DESC LIMIT 1 OFFSET $1)";
                sqlx::query(sql).bind(MAX_SUPPRESSED - 1).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

fn read(row: &AnyRow) -> Result<(String, Suppressed), StoreError> {
    let (count, time) = (
        |column: usize| row.try_get::<i64, _>(column).map(i64::unsigned_abs),
        |column: usize| row.try_get::<i64, _>(column).map(Timestamp::from_millis),
    );
    let suppressed = Suppressed {
        address: read_address(row.try_get(1)?)?,
        refusals: count(2)?,
        first_at: time(3)?,
        last_at: time(4)?,
        since: time(5)?,
        times: count(6)?,
        reply: row.try_get(7)?,
        remote: row.try_get(8)?,
    };
    Ok((row.try_get(0)?, suppressed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountKey = AccountKey::new(1);
    const BEN: AccountKey = AccountKey::new(2);

    /// Refusals by (minutes, whose), after a first one of Ann's at minute 0: how many count, and how often that suppresses.
    #[test]
    fn a_slip_suppresses_nobody() {
        let check = |refusals: &[(u64, AccountKey)], expected: (i64, i64)| {
            let start = Timestamp::from_seconds(1_000_000);
            let at = start.millis();
            let mut count =
                Count { refusals: 1, first_at: at, last_at: at, submitter: ANN.value(), since_at: None, times: 0 };
            for (minutes, whose) in refusals {
                count = count.more(start.plus(Duration::from_mins(*minutes)), *whose);
            }
            assert_eq!((count.refusals, count.times), expected, "{refusals:?}");
        };
        check(&[], (1, 0));
        check(&[(1, ANN), (2, ANN), (59, ANN)], (1, 0));
        check(&[(60, ANN)], (2, 1));
        check(&[(5, BEN)], (2, 0));
        check(&[(5, BEN), (6, AccountKey::new(3))], (3, 1));
        check(&[(5, BEN), (61, BEN)], (2, 0));
        check(&[(60, ANN), (61, BEN), (62, ANN)], (2, 1));
        check(&[(60, ANN), (60 * 24 * 8, BEN)], (3, 2));
    }

    #[test]
    fn each_time_is_twice_as_long() {
        for (times, expected) in [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 32), (u64::MAX, 32)] {
            assert_eq!(lasts(times), expected, "{times}");
        }
    }
}
