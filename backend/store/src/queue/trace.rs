//! What happened to each recipient of each message: where is my mail?

use std::fmt;

use relais_model::{Address, Random, Timestamp};

use crate::directory::fold;
use crate::key::Keys;
use crate::page::{Listing, Page};
use crate::sql::{self, Statement, shorten};
use crate::{AccountKey, Protection, Store, StoreError};

/// Octets of a text that are kept, at most.
const TEXT_OCTETS: usize = 500;

/// Octets of a subject that are kept, at most.
const SUBJECT_OCTETS: usize = 200;

/// Rows that one transaction prunes.
const PRUNED_AT_ONCE: i64 = 5000;

/// Names one accepted message everywhere: in Received, in the log, in the queue, in the trace. 1 to 40 letters, digits and hyphens.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(String);

impl TraceId {
    /// A new one: the time, then chance, in letters that nobody confuses; later ones sort after earlier ones.
    pub fn make(now: Timestamp, random: &dyn Random) -> Self {
        const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut chance = [0; 4];
        random.fill(&mut chance);
        let bits = (now.millis().unsigned_abs() << 20) | u64::from(u32::from_le_bytes(chance) >> 12);
        let letter = |place: u32| {
            let index = usize::try_from((bits >> (place * 5)) & 31).unwrap_or_default();
            LETTERS.get(index).copied().map_or('0', char::from)
        };
        Self((0..13).rev().map(letter).collect())
    }

    /// Takes one that [`TraceId::make`] gave, or another server.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=40).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        fits.then(|| Self(text.to_owned()))
    }

    /// Its letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn read(text: &str) -> Result<Self, StoreError> {
        Self::parse(text).ok_or_else(|| StoreError::damaged(format!("trace id {text}")))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happened. The numbers stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TraceKind {
    /// It waits to be sent to another host.
    Queued = 0,
    /// It is in a mailbox here, or another host has taken it.
    Delivered = 1,
    /// It will be tried again.
    Deferred = 2,
    /// It was given up.
    Failed = 3,
    /// It was never taken.
    Refused = 4,
    /// Someone took it out of the queue.
    Removed = 5,
}

impl TraceKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Delivered, Self::Deferred, Self::Failed, Self::Refused, Self::Removed];

    /// By its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// One word, for lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Removed => "removed",
        }
    }

    pub(super) fn read(number: i64) -> Result<Self, StoreError> {
        let kind = Self::ALL.into_iter().find(|kind| *kind as i64 == number);
        kind.ok_or_else(|| StoreError::damaged(format!("trace kind {number}")))
    }
}

/// One thing that happened to one recipient of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEvent {
    /// When.
    pub at: Timestamp,
    /// To which message.
    pub trace: TraceId,
    /// What.
    pub kind: TraceKind,
    /// From whom, as addresses are compared; empty for the null reverse-path.
    pub sender: String,
    /// To whom, as addresses are compared; empty where it was refused before anybody was named.
    pub recipient: String,
    /// The host that gave or took it; empty where there was none.
    pub remote: String,
    /// What was said, or the mailbox; may be empty.
    pub text: String,
    /// The message's, decoded and shortened; only what tells of its coming has it.
    pub subject: Option<String>,
    /// How it went to the host that took it; none where it went to no other host, or where this wasn't noted.
    pub protection: Option<Protection>,
}

impl TraceEvent {
    /// It was filed in a mailbox here; what another host took has that host's words.
    pub fn is_filed_here(&self) -> bool {
        self.kind == TraceKind::Delivered && self.text.is_empty()
    }
}

/// Which events are wanted; none of a thing wants any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceFilter {
    /// Of this message.
    pub trace: Option<TraceId>,
    /// From or to this address.
    pub address: Option<Address>,
    /// At this time or later.
    pub since: Option<Timestamp>,
}

/// One event that is to be written.
pub(crate) struct NewTrace<'a> {
    pub(crate) trace: &'a TraceId,
    pub(crate) kind: TraceKind,
    /// None: the null reverse-path.
    pub(crate) sender: Option<&'a Address>,
    /// None: it was refused before anybody was named.
    pub(crate) recipient: Option<&'a Address>,
    pub(crate) peer: &'a str,
    pub(crate) text: &'a str,
    /// The decoded subject, of any length; only at the acceptance.
    pub(crate) subject: Option<&'a str>,
    pub(crate) protection: Option<Protection>,
    /// Who submitted it; only where it is queued.
    pub(crate) submitter: Option<AccountKey>,
}

/// Writes events, in few statements.
pub(crate) fn trace_accepted(keys: &Keys, now: Timestamp, events: &[NewTrace<'_>]) -> Vec<Statement> {
    let head = "INSERT INTO message_trace (trace_key, at, trace, kind, sender, recipient, remote, text, subject, tls,
                                           submitter)";
    sql::insert(head, 11, "", events, |statement, event| {
        statement
            .bind(keys.next(now))
            .bind(now.millis())
            .bind(event.trace.as_str().to_owned())
            .bind(event.kind as i64)
            .bind(event.sender.map(fold).unwrap_or_default())
            .bind(event.recipient.map(fold).unwrap_or_default())
            .bind(shorten(event.peer, TEXT_OCTETS).to_owned())
            .bind(shorten(event.text, TEXT_OCTETS).to_owned())
            .bind(event.subject.map(|subject| shorten(subject, SUBJECT_OCTETS).replace('\0', "")))
            .bind(event.protection.map(|protection| protection.as_str().to_owned()))
            .bind(event.submitter.map(AccountKey::value))
    })
}

impl Store {
    /// What happened, the latest first.
    pub async fn trace(&self, filter: &TraceFilter, page: &Page) -> Result<Listing<TraceEvent>, StoreError> {
        let by_time =
            "SELECT trace_key, at, trace, kind, sender, recipient, remote, text, subject, tls FROM message_trace
                       WHERE trace_key < $1 AND at >= $2 ORDER BY trace_key DESC LIMIT $3";
        let by_trace = "SELECT trace_key, at, trace, kind, sender, recipient, remote, text, subject, tls FROM message_trace
                        WHERE trace_key < $1 AND at >= $2 AND trace = $4 AND ($5 IS NULL OR sender = $5 OR recipient = $5)
                        ORDER BY trace_key DESC LIMIT $3";
        // Each side by its own index, and no more of it than the page needs.
        let by_address = "SELECT trace_key, at, trace, kind, sender, recipient, remote, text, subject, tls FROM message_trace
                          WHERE trace_key IN (
                              SELECT trace_key FROM (SELECT trace_key FROM message_trace
                                  WHERE sender = $4 AND trace_key < $1 AND at >= $2 ORDER BY trace_key DESC LIMIT $3) AS sent
                              UNION
                              SELECT trace_key FROM (SELECT trace_key FROM message_trace
                                  WHERE recipient = $4 AND trace_key < $1 AND at >= $2 ORDER BY trace_key DESC LIMIT $3) AS received)
                          ORDER BY trace_key DESC LIMIT $3";
        let since = filter.since.map_or(i64::MIN, Timestamp::millis);
        let address = filter.address.as_ref().map(fold);
        let sql = match (&filter.trace, &address) {
            (Some(_), _) => by_trace,
            (None, Some(_)) => by_address,
            (None, None) => by_time,
        };
        let mut query = sqlx::query_as::<_, EventRow>(sql).bind(page.before_key()).bind(since).bind(page.rows_to_ask());
        match &filter.trace {
            Some(trace) => query = query.bind(trace.as_str()).bind(address),
            None if address.is_some() => query = query.bind(address),
            None => {}
        }
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let events = rows.into_iter().map(read_event).collect::<Result<Vec<_>, _>>()?;
        let Listing { rows, next } = page.cut_by_key(events, |(key, _)| *key);
        Ok(Listing { rows: rows.into_iter().map(|(_, event)| event).collect(), next })
    }

    /// Forgets what happened before `before`, and why, a part at a time, so that mail is filed between the parts. Tells how many events.
    pub async fn trace_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = "DELETE FROM message_trace WHERE trace_key IN
                   (SELECT trace_key FROM message_trace WHERE at < $1 ORDER BY trace_key LIMIT $2)";
        self.prune_verdicts(before).await?;
        self.prune_in_parts(sql, before.millis(), PRUNED_AT_ONCE).await
    }
}

pub(super) type EventRow = (i64, i64, String, i64, String, String, String, String, Option<String>, Option<String>);

pub(super) fn read_event(row: EventRow) -> Result<(i64, TraceEvent), StoreError> {
    let (key, at, trace, kind, sender, recipient, remote, text, subject, tls) = row;
    let event = TraceEvent {
        at: Timestamp::from_millis(at),
        trace: TraceId::read(&trace)?,
        kind: TraceKind::read(kind)?,
        sender,
        recipient,
        remote,
        text,
        subject,
        protection: tls.as_deref().and_then(Protection::parse),
    };
    Ok((key, event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Sevens;

    impl Random for Sevens {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(7);
        }
    }

    #[test]
    fn trace_ids_sort_by_time() {
        let at = |millis| TraceId::make(Timestamp::from_millis(millis), &Sevens);
        let (first, second) = (at(1_795_428_000_000), at(1_795_428_000_001));
        assert!(first < second);
        assert_eq!(first.as_str().len(), 13);
        assert_eq!(TraceId::parse(first.as_str()), Some(first));
        assert_eq!(TraceId::parse("a b"), None);
    }
}
