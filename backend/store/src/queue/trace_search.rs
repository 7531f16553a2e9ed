//! Looking for messages in the trace: the newest first, a bounded part of it a request.

use relais_model::{Address, Domain, Timestamp};
use sqlx::{FromRow as _, Row as _};

use super::trace::{EventRow, read_event};
use super::{TraceEvent, TraceId, TraceKind};
use crate::directory::fold;
use crate::page::Page;
use crate::sql::{self, Select};
use crate::{Store, StoreError, TraceKey};

/// Rows that one request looks at, at most.
const SCANNED: i64 = 20_000;

/// Traces that one statement names, at most.
const NAMED: usize = 100;

/// Events that are read of the traces that one statement names, at most.
const EVENTS: i64 = 5000;

/// What [`Store::flow`] reads.
const FLOW_COLUMNS: &str =
    "SELECT at / 3600000, kind, CAST(CASE WHEN text = '' THEN 1 ELSE 0 END AS BIGINT), COUNT(*), MAX(trace_key)";

/// Which events are wanted; none of a thing wants any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceSearch {
    /// Of this message.
    pub trace: Option<TraceId>,
    /// From or to this address.
    pub address: Option<Address>,
    /// With all of these words in the subject: only what tells of a message's coming has one.
    pub subject: Vec<String>,
    /// At this time or later.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Of this kind.
    pub kind: Option<TraceKind>,
    /// Only mail from or to one of these domains: what the one who asks may see.
    pub domains: Option<Vec<Domain>>,
}

impl TraceSearch {
    /// Whether rows are passed over, so that few of many looked at may be found.
    fn is_selective(&self) -> bool {
        !self.subject.is_empty() || self.kind.is_some() || self.domains.is_some()
    }

    /// Rows that one request looks at: fewer where each is compared with many domains.
    fn scanned(&self) -> i64 {
        let domains = i64::try_from(self.domains.as_ref().map_or(0, Vec::len)).unwrap_or(i64::MAX);
        (SCANNED / (domains / 3).saturating_add(1)).max(500)
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFound {
    /// The latest first.
    pub rows: Vec<TraceEvent>,
    /// [`Page::after`] of where to go on; none where all was looked at.
    pub next: Option<String>,
    /// How far back was looked, where that is not all and the page isn't full.
    pub searched_back_to: Option<Timestamp>,
}

/// Events of one hour and one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowCount {
    /// Hours since 1970-01-01 UTC.
    pub hour: i64,
    /// What happened.
    pub kind: TraceKind,
    /// It was filed in a mailbox here.
    pub is_filed_here: bool,
    /// How often.
    pub count: u64,
}

impl Store {
    /// Looks at the newest 20,000 events before the page's cursor, or fewer for who serves many domains, and no further.
    pub async fn trace_search(&self, wanted: &TraceSearch, page: &Page) -> Result<TraceFound, StoreError> {
        let before = wanted.until.map_or(i64::MAX, |until| TraceKey::at(until).value());
        let keys = (wanted.since.map_or(0, |since| TraceKey::at(since).value()), before.min(page.before_key()));
        let scanned = if wanted.is_selective() { wanted.scanned().max(page.rows_to_ask()) } else { page.rows_to_ask() };
        let mut select =
            Select::new("SELECT trace_key, at, trace, kind, sender, recipient, remote, text, subject, tls FROM ");
        looked_at(&mut select, wanted, keys, scanned);
        select.say(" WHERE 1 = 1");
        passing(&mut select, wanted);
        select.say(" ORDER BY trace_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let events = rows.iter().map(|row| read_event(EventRow::from_row(row)?)).collect::<Result<Vec<_>, _>>()?;
        let listing = page.cut(events, |(key, _)| format!("{key:x}"));
        let rows: Vec<TraceEvent> = listing.rows.into_iter().map(|(_, event)| event).collect();
        if listing.next.is_some() || !wanted.is_selective() {
            return Ok(TraceFound { rows, next: listing.next, searched_back_to: None });
        }
        let mut counted = Select::new("SELECT COUNT(*), MIN(trace_key), MIN(at) FROM ");
        looked_at(&mut counted, wanted, keys, scanned);
        let row = counted.query(self.engine())?.fetch_one(&mut *self.reader().await?).await?;
        if row.try_get::<i64, _>(0)? < scanned {
            return Ok(TraceFound { rows, next: None, searched_back_to: None });
        }
        let (last, at): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
        Ok(TraceFound { rows, next: Some(format!("{last:x}")), searched_back_to: Some(Timestamp::from_millis(at)) })
    }

    /// All events of these messages, oldest first: at most 100 messages and 5,000 events.
    pub async fn trace_of(&self, traces: &[TraceId]) -> Result<Vec<TraceEvent>, StoreError> {
        if traces.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = Select::new(
            "SELECT trace_key, at, trace, kind, sender, recipient, remote, text, subject, tls FROM message_trace",
        );
        select.say(" WHERE ").any(traces.iter().take(NAMED), |select, trace| {
            select.say("trace = ").value(trace.as_str());
        });
        select.say(" ORDER BY trace_key LIMIT ").value(EVENTS);
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok(read_event(EventRow::from_row(row)?)?.1)).collect()
    }

    /// What happened after `after` and before `before`, oldest first: at most `limit` events, each with its key.
    pub async fn trace_between(
        &self,
        after: TraceKey,
        before: TraceKey,
        limit: u32,
    ) -> Result<Vec<(TraceKey, TraceEvent)>, StoreError> {
        let sql = "SELECT trace_key, at, trace, kind, sender, recipient, remote, text, subject, tls FROM message_trace
                   WHERE trace_key > $1 AND trace_key < $2 ORDER BY trace_key LIMIT $3";
        let query = sqlx::query_as::<_, EventRow>(sql).bind(after.value()).bind(before.value()).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let keyed = |row| read_event(row).map(|(key, event)| (TraceKey::new(key), event));
        rows.into_iter().map(keyed).collect()
    }

    /// Counts what happened after `after` and before `before`, by hour and kind: of the oldest `limit` events there. Tells up to
    /// which key; none where there was nothing.
    pub async fn trace_flow(
        &self,
        after: TraceKey,
        before: TraceKey,
        limit: u32,
    ) -> Result<(Vec<FlowCount>, Option<TraceKey>), StoreError> {
        let mut select = Select::new(FLOW_COLUMNS);
        select
            .say(" FROM (SELECT trace_key, at, kind, text FROM message_trace WHERE trace_key > ")
            .value(after.value());
        select.say(" AND trace_key < ").value(before.value()).say(" ORDER BY trace_key LIMIT ").value(i64::from(limit));
        select.say(") AS part_of_it GROUP BY 1, 2, 3");
        self.flow(select).await
    }

    /// As [`Store::trace_flow`], only of mail from or to one of `domains`, and of the newest `limit` events: tells whether those
    /// were all.
    pub async fn trace_flow_of(
        &self,
        domains: &[Domain],
        after: TraceKey,
        limit: u32,
    ) -> Result<(Vec<FlowCount>, bool), StoreError> {
        let newest = |select: &mut Select| {
            select.say(
                " FROM (SELECT trace_key, at, kind, text, sender, recipient FROM message_trace WHERE trace_key > ",
            );
            select
                .value(after.value())
                .say(" ORDER BY trace_key DESC LIMIT ")
                .value(i64::from(limit))
                .say(") AS part_of_it");
        };
        let mut select = Select::new(FLOW_COLUMNS);
        newest(&mut select);
        select.say(" WHERE ");
        of_domains(&mut select, domains);
        select.say(" GROUP BY 1, 2, 3");
        let (counts, _last) = self.flow(select).await?;
        let mut looked_at = Select::new("SELECT COUNT(*)");
        newest(&mut looked_at);
        let row = looked_at.query(self.engine())?.fetch_one(&mut *self.reader().await?).await?;
        Ok((counts, row.try_get::<i64, _>(0)? < i64::from(limit)))
    }

    async fn flow(&self, select: Select) -> Result<(Vec<FlowCount>, Option<TraceKey>), StoreError> {
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let (mut counts, mut last) = (Vec::with_capacity(rows.len()), None);
        for row in &rows {
            let kind = TraceKind::read(row.try_get(1)?)?;
            counts.push(FlowCount {
                hour: row.try_get(0)?,
                kind,
                is_filed_here: kind == TraceKind::Delivered && row.try_get::<i64, _>(2)? != 0,
                count: row.try_get::<i64, _>(3)?.unsigned_abs(),
            });
            last = last.max(Some(TraceKey::new(row.try_get(4)?)));
        }
        Ok((counts, last))
    }
}

/// Goes on with the newest `limit` rows between two keys that a message or an address leads to.
fn looked_at(select: &mut Select, wanted: &TraceSearch, (first, before): (i64, i64), limit: i64) {
    let part = |select: &mut Select, column: Option<(&str, &str)>| {
        select.say("SELECT * FROM (SELECT * FROM message_trace WHERE trace_key >= ").value(first);
        select.say(" AND trace_key < ").value(before);
        if let Some((column, value)) = column {
            select.say(" AND ").say(column).say(" = ").value(value);
        }
        select.say(" ORDER BY trace_key DESC LIMIT ").value(limit).say(") AS part");
    };
    select.say("(");
    match (&wanted.trace, wanted.address.as_ref().map(fold)) {
        (Some(trace), _) => part(select, Some(("trace", trace.as_str()))),
        (None, Some(address)) => {
            // Each side by its own index.
            select.say("SELECT * FROM (");
            part(select, Some(("sender", &address)));
            select.say(" UNION ");
            part(select, Some(("recipient", &address)));
            select.say(") AS sides ORDER BY trace_key DESC LIMIT ").value(limit);
        }
        (None, None) => part(select, None),
    }
    select.say(") AS looked_at");
}

/// Goes on with the conditions that no index serves.
fn passing(select: &mut Select, wanted: &TraceSearch) {
    if let (Some(_), Some(address)) = (&wanted.trace, wanted.address.as_ref().map(fold)) {
        select.say(" AND (sender = ").value(address.as_str()).say(" OR recipient = ").value(address).say(")");
    }
    if let Some(kind) = wanted.kind {
        select.say(" AND kind = ").value(kind as i64);
    }
    for word in &wanted.subject {
        // SQLite's LOWER knows ASCII alone: a word with other letters is also looked for as it was typed.
        let spellings = [("LOWER(subject)", word.to_lowercase()), ("subject", word.clone())];
        select.say(" AND ").any(spellings, |select, (column, word)| {
            select.say(column).say(" LIKE ").value(sql::containing(&word)).say(" ESCAPE '\\'");
        });
    }
    if let Some(domains) = &wanted.domains {
        select.say(" AND ");
        of_domains(select, domains);
    }
}

/// Goes on with: from or to one of `domains`.
fn of_domains(select: &mut Select, domains: &[Domain]) {
    select.any(domains, |select, domain| {
        let pattern = sql::at_domain(domain);
        select.say("sender LIKE ").value(pattern.as_str()).say(" ESCAPE '\\' OR recipient LIKE ");
        select.value(pattern).say(" ESCAPE '\\'");
    });
}
