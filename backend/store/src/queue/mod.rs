//! What waits to be sent to other hosts, and what became of each message.
//!
//! ```text
//! writer ── insert ──> waiting <── deferred, untried ── settle
//!                      │  ↕ hold, release                ↑
//!                      └──────── claim (a lease) ──> claimed ── delivered, failed ──> gone; the trace tells
//! ```
//! Invariants: rows come in the transaction that accepts the message, and go in the one that accepts the DSNs they cause; a claim is a
//! lease that falls due by itself, so the worst that a crash does is a second attempt; only claimed rows are settled, and
//! nobody but the claimer touches them.

mod acts;
mod claim;
mod insert;
mod settle;
mod trace;
mod trace_search;
mod verdict;

use relais_model::{Address, BodyType, EnvelopeId, Notify, OriginalRecipient, Ret, ReversePath, Timestamp};

pub use acts::{DestinationCount, QueueAct, QueueCounts, QueueEntry, QueueFilter, QueueOrder};
pub use claim::{Claim, ClaimedMessage};
pub use settle::{Outcome, Settlement};
pub use trace::{TraceEvent, TraceFilter, TraceId, TraceKind};
pub use trace_search::{FlowCount, TraceFound, TraceSearch};
pub use verdict::{JudgedAs, Judgement, Refused};

pub(crate) use claim::release_claims;
pub(crate) use insert::{Insert, insert};
pub(crate) use settle::settle;
pub(crate) use trace::{NewTrace, trace_accepted};
pub(crate) use verdict::{Judged, note as note_verdicts};

use crate::directory::read_address;
use crate::{AccountKey, MessageKey, QueueKey, RecipientKey, StoreError, sql};

/// A message that is to be queued: what all its recipients share, and them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQueued {
    /// Where failures are told.
    pub reverse_path: ReversePath,
    /// `RET=`.
    pub ret: Option<Ret>,
    /// `ENVID=`.
    pub envelope_id: Option<EnvelopeId>,
    /// `BODY=`.
    pub body_type: BodyType,
    /// `SMTPUTF8` was said.
    pub smtputf8: bool,
    /// `REQUIRETLS` was said.
    pub require_tls: bool,
    /// Who submitted it; none where it came from another host.
    pub submitter: Option<AccountKey>,
    /// One or more.
    pub recipients: Vec<NewRecipient>,
    /// When it is given up (RFC 5321 §4.5.4.1: four to five days).
    pub expires_at: Timestamp,
}

/// One recipient that is to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecipient {
    /// At another host.
    pub address: Address,
    /// `NOTIFY=`; none where the parameter was absent.
    pub notify: Option<Notify>,
    /// `ORCPT=`.
    pub original: Option<OriginalRecipient>,
}

/// What the recipients of one queued message share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Its row.
    pub key: QueueKey,
    /// The id that stands in Received and in the log.
    pub trace: TraceId,
    /// The content's row.
    pub message: MessageKey,
    /// The content's size.
    pub size_octets: u64,
    /// Where failures are told.
    pub reverse_path: ReversePath,
    /// `RET=`.
    pub ret: Option<Ret>,
    /// `ENVID=`.
    pub envelope_id: Option<EnvelopeId>,
    /// `BODY=`.
    pub body_type: BodyType,
    /// `SMTPUTF8` was said.
    pub smtputf8: bool,
    /// `REQUIRETLS` was said.
    pub require_tls: bool,
    /// Who submitted it; none where it came from another host.
    pub submitter: Option<AccountKey>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
}

/// One recipient of a queued message, with attempts of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRecipient {
    /// Its row.
    pub key: RecipientKey,
    /// Its message's row.
    pub queued: QueueKey,
    /// At another host.
    pub address: Address,
    /// `NOTIFY=`; none where the parameter was absent.
    pub notify: Option<Notify>,
    /// `ORCPT=`.
    pub original: Option<OriginalRecipient>,
    /// What is being done about it.
    pub state: QueueState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it falls due; of a claimed one, when the claim ends.
    pub next_attempt_at: Timestamp,
    /// When it was last tried.
    pub last_attempt_at: Option<Timestamp>,
    /// What the other side, or we in its place, said then.
    pub last_reply: Option<String>,
    /// Which host said it.
    pub last_remote: Option<String>,
    /// A delay has been told to the sender.
    pub delay_told: bool,
}

/// What is being done about a recipient. The numbers stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueState {
    /// Its time will come.
    Waiting = 0,
    /// Someone has stopped it.
    Held = 1,
    /// It is being tried.
    Claimed = 2,
}

impl QueueState {
    const fn number(self) -> i64 {
        self as i64
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Waiting),
            1 => Ok(Self::Held),
            2 => Ok(Self::Claimed),
            other => Err(StoreError::damaged(format!("queue state {other}"))),
        }
    }
}

/// The columns of `queued` that [`read_message`] reads, of table `q`.
macro_rules! message_columns {
    () => {
        "q.queue_key, q.message_key, q.trace, q.size_octets, q.reverse_path, q.ret, q.envelope_id, q.body_type, \
         q.smtputf8, q.require_tls, q.submitter, q.created_at, q.expires_at"
    };
}
/// The columns of `queued_recipient` that [`read_recipient`] reads, each after `"r."`, or after nothing: SQLite's RETURNING
/// knows no other name of the table.
macro_rules! recipient_columns {
    ($of:literal) => {
        concat!(
            $of,
            "recipient_key, ",
            $of,
            "queue_key, ",
            $of,
            "address, ",
            $of,
            "notify, ",
            $of,
            "original_type, ",
            $of,
            "original_address, ",
            $of,
            "state, ",
            $of,
            "attempts, ",
            $of,
            "next_attempt_at, ",
            $of,
            "last_attempt_at, ",
            $of,
            "last_reply, ",
            $of,
            "last_remote, ",
            $of,
            "delay_told"
        )
    };
}
use {message_columns, recipient_columns};

/// Reads what [`message_columns`] names, from column `at` on.
fn read_message(row: &sqlx::any::AnyRow, at: usize) -> Result<QueuedMessage, StoreError> {
    use sqlx::Row;
    let envelope_id: Option<String> = row.try_get(at + 6)?;
    Ok(QueuedMessage {
        key: QueueKey::new(row.try_get(at)?),
        message: MessageKey::new(row.try_get(at + 1)?),
        trace: TraceId::read(row.try_get(at + 2)?)?,
        size_octets: row.try_get::<i64, _>(at + 3)?.unsigned_abs(),
        reverse_path: read_reverse_path(row.try_get(at + 4)?)?,
        ret: row.try_get::<Option<i64>, _>(at + 5)?.map(|number| if number == 0 { Ret::Full } else { Ret::Headers }),
        envelope_id: envelope_id.as_deref().and_then(EnvelopeId::parse),
        body_type: read_body_type(row.try_get(at + 7)?),
        smtputf8: row.try_get::<i64, _>(at + 8)? != 0,
        require_tls: row.try_get::<i64, _>(at + 9)? != 0,
        submitter: row.try_get::<Option<i64>, _>(at + 10)?.map(AccountKey::new),
        created_at: Timestamp::from_millis(row.try_get(at + 11)?),
        expires_at: Timestamp::from_millis(row.try_get(at + 12)?),
    })
}

/// Reads what [`recipient_columns`] names, from column `at` on.
fn read_recipient(row: &sqlx::any::AnyRow, at: usize) -> Result<QueuedRecipient, StoreError> {
    use sqlx::Row;
    let original_type: Option<String> = row.try_get(at + 4)?;
    let original_address: Option<String> = row.try_get(at + 5)?;
    Ok(QueuedRecipient {
        key: RecipientKey::new(row.try_get(at)?),
        queued: QueueKey::new(row.try_get(at + 1)?),
        address: read_address(row.try_get(at + 2)?)?,
        notify: row.try_get::<Option<i64>, _>(at + 3)?.map(read_notify),
        original: original_type
            .zip(original_address)
            .map(|(address_type, address)| OriginalRecipient { address_type, address }),
        state: QueueState::read(row.try_get(at + 6)?)?,
        attempts: u32::try_from(row.try_get::<i64, _>(at + 7)?).unwrap_or(u32::MAX),
        next_attempt_at: Timestamp::from_millis(row.try_get(at + 8)?),
        last_attempt_at: row.try_get::<Option<i64>, _>(at + 9)?.map(Timestamp::from_millis),
        last_reply: row.try_get(at + 10)?,
        last_remote: row.try_get(at + 11)?,
        delay_told: row.try_get::<i64, _>(at + 12)? != 0,
    })
}

/// A reverse-path as the database keeps it: empty for the null one.
fn write_reverse_path(path: &ReversePath) -> String {
    path.address().map(Address::to_string).unwrap_or_default()
}

fn read_reverse_path(text: &str) -> Result<ReversePath, StoreError> {
    if text.is_empty() { Ok(ReversePath::Null) } else { read_address(text).map(ReversePath::Address) }
}

const fn write_body_type(body_type: BodyType) -> i64 {
    match body_type {
        BodyType::SevenBit => 0,
        BodyType::EightBitMime => 1,
        BodyType::BinaryMime => 2,
    }
}

const fn read_body_type(number: i64) -> BodyType {
    match number {
        0 => BodyType::SevenBit,
        1 => BodyType::EightBitMime,
        _ => BodyType::BinaryMime,
    }
}

fn write_notify(notify: Notify) -> i64 {
    i64::from(notify.success) + 2 * i64::from(notify.failure) + 4 * i64::from(notify.delay)
}

const fn read_notify(number: i64) -> Notify {
    Notify { success: number & 1 != 0, failure: number & 2 != 0, delay: number & 4 != 0 }
}

/// Rows that one statement names by their keys, at most.
const NAMED_AT_ONCE: usize = 64;

/// `($1, $2, …)` for [`filled`]: in few lengths, so that few statements are prepared.
fn key_slots(keys: &[i64]) -> String {
    sql::placeholders(sql::padded(keys.len()), 1, 0)
}

/// The keys, the last one again and again where [`key_slots`] has more room.
fn filled(keys: &[i64]) -> impl Iterator<Item = i64> {
    let last = keys.last().copied().unwrap_or_default();
    keys.iter().copied().chain(std::iter::repeat(last)).take(sql::padded(keys.len()))
}
