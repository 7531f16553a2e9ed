//! What became of an attempt, noted in the transaction that accepts the DSNs it causes.

use std::collections::HashMap;

use relais_model::{Address, Timestamp};
use sqlx::query::Query;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{NAMED_AT_ONCE, filled, key_slots, read_reverse_path};
use super::{NewTrace, TraceId, TraceKind, trace_accepted};
use crate::directory::read_address;
use crate::key::Keys;
use crate::sending::{Unknown, count_unknown, note_delivered, note_unknown};
use crate::sql::shorten;
use crate::transaction::Transaction;
use crate::{AccountKey, Protection, RecipientKey, StoreError};

/// Octets of a reply that are kept, at most.
const REPLY_OCTETS: usize = 1000;

/// What became of one claimed recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Whose attempt it was.
    pub recipient: RecipientKey,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has it: the row goes.
    Delivered {
        /// What it said.
        reply: String,
        /// Which host.
        remote: String,
        /// How it went there; none for a mailbox here.
        protection: Option<Protection>,
    },
    /// Not yet: it waits.
    Deferred {
        /// For how long.
        until: Timestamp,
        /// Why: the other side's words, or ours.
        reply: String,
        /// Which host; empty where none was reached.
        remote: String,
        /// A delay has been told to the sender, by now.
        delay_told: bool,
    },
    /// Never: the row goes.
    Failed {
        /// Why: the other side's words, or ours.
        reply: String,
        /// Which host; empty where none was reached.
        remote: String,
        /// There is nobody of this address.
        is_unknown: bool,
    },
    /// It wasn't tried after all (the destination is busy, the house closes): it waits, and no attempt is counted.
    Untried {
        /// For how long.
        until: Timestamp,
    },
}

/// Settles claimed recipients. Those that aren't there any more are passed over.
pub(crate) async fn settle(
    tx: &mut Transaction<'_>,
    keys: &Keys,
    now: Timestamp,
    settlements: &[Settlement],
) -> Result<(), StoreError> {
    let connection = tx.writer().await?;
    let found = read_settled(connection, settlements).await?;
    let mut gone = Vec::new();
    let mut traces = Vec::new();
    for Settlement { recipient, outcome } in settlements {
        let Some(row) = found.get(recipient) else { continue };
        let (kind, reply, remote, protection) = match outcome {
            Outcome::Delivered { reply, remote, protection } => (TraceKind::Delivered, reply, remote, *protection),
            Outcome::Failed { reply, remote, .. } => (TraceKind::Failed, reply, remote, None),
            Outcome::Deferred { until, reply, remote, delay_told } => {
                defer(connection, now, *recipient, *until, reply, remote, *delay_told).await?;
                (TraceKind::Deferred, reply, remote, None)
            }
            Outcome::Untried { until } => {
                give_back(connection, *recipient, *until).await?;
                continue;
            }
        };
        if kind != TraceKind::Deferred {
            gone.push((recipient.value(), row.queued));
        }
        let (sender, address) = (row.sender.as_ref(), &row.recipient);
        let (trace, peer, text) = (&row.trace, remote, reply);
        traces.push(NewTrace {
            trace,
            kind,
            sender,
            recipient: Some(address),
            peer,
            text,
            subject: None,
            protection,
            submitter: None,
        });
    }
    note_fates(connection, now, settlements, &found).await?;
    delete_recipients(connection, &gone).await?;
    let delivered: Vec<&Address> =
        traces.iter().filter(|trace| trace.kind == TraceKind::Delivered).filter_map(|trace| trace.recipient).collect();
    tx.execute_all(note_delivered(&delivered));
    tx.execute_all(trace_accepted(keys, now, &traces));
    Ok(())
}

/// Notes what is told of addresses, where one of our people wrote to them.
async fn note_fates(
    tx: &mut AnyConnection,
    now: Timestamp,
    settlements: &[Settlement],
    found: &HashMap<RecipientKey, Settled>,
) -> Result<(), sqlx::Error> {
    for Settlement { recipient, outcome } in settlements {
        let Outcome::Failed { reply, remote, is_unknown: true } = outcome else { continue };
        let Some(Settled { recipient: address, submitter: Some(submitter), .. }) = found.get(recipient) else {
            continue;
        };
        note_unknown(tx, now, &Unknown { address, submitter: *submitter, reply, remote }).await?;
        count_unknown(tx, now, *submitter).await?;
    }
    Ok(())
}

/// Deletes recipients, each with its message's key, and the messages that have none left. Their contents go when the store next
/// collects.
pub(super) async fn delete_recipients(tx: &mut AnyConnection, gone: &[(i64, i64)]) -> Result<(), sqlx::Error> {
    let recipients: Vec<i64> = gone.iter().map(|(recipient, _)| *recipient).collect();
    for chunk in recipients.chunks(NAMED_AT_ONCE) {
        let text = format!("DELETE FROM queued_recipient WHERE recipient_key IN {}", key_slots(chunk));
        let query = filled(chunk).fold(sqlx::query(AssertSqlSafe(text)), Query::bind);
        query.execute(&mut *tx).await?;
    }
    let mut queued: Vec<i64> = gone.iter().map(|(_, queued)| *queued).collect();
    queued.sort_unstable();
    queued.dedup();
    for chunk in queued.chunks(NAMED_AT_ONCE) {
        let text = format!(
            "DELETE FROM queued WHERE queue_key IN {}
             AND NOT EXISTS (SELECT 1 FROM queued_recipient AS r WHERE r.queue_key = queued.queue_key)",
            key_slots(chunk)
        );
        let query = filled(chunk).fold(sqlx::query(AssertSqlSafe(text)), Query::bind);
        query.execute(&mut *tx).await?;
    }
    Ok(())
}

/// What the trace says of a settled recipient.
struct Settled {
    queued: i64,
    trace: TraceId,
    sender: Option<Address>,
    recipient: Address,
    submitter: Option<AccountKey>,
}

async fn read_settled(
    tx: &mut AnyConnection,
    settlements: &[Settlement],
) -> Result<HashMap<RecipientKey, Settled>, StoreError> {
    let mut found = HashMap::with_capacity(settlements.len());
    let keys: Vec<i64> = settlements.iter().map(|settlement| settlement.recipient.value()).collect();
    for chunk in keys.chunks(NAMED_AT_ONCE) {
        let text = format!(
            "SELECT r.recipient_key, r.queue_key, r.address, q.trace, q.reverse_path, q.submitter
             FROM queued_recipient AS r JOIN queued AS q ON q.queue_key = r.queue_key
             WHERE r.recipient_key IN {}",
            key_slots(chunk)
        );
        let query = sqlx::query_as::<_, (i64, i64, String, String, String, Option<i64>)>(AssertSqlSafe(text));
        let query = filled(chunk).fold(query, sqlx::query::QueryAs::bind);
        for (key, queued, address, trace, reverse_path, submitter) in query.fetch_all(&mut *tx).await? {
            let settled = Settled {
                queued,
                trace: TraceId::read(&trace)?,
                sender: read_reverse_path(&reverse_path)?.address().cloned(),
                recipient: read_address(&address)?,
                submitter: submitter.map(AccountKey::new),
            };
            found.insert(RecipientKey::new(key), settled);
        }
    }
    Ok(found)
}

async fn defer(
    tx: &mut AnyConnection,
    now: Timestamp,
    recipient: RecipientKey,
    until: Timestamp,
    reply: &str,
    remote: &str,
    delay_told: bool,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE queued_recipient
               SET state = 0, attempts = attempts + 1, next_attempt_at = $2, last_attempt_at = $3, last_reply = $4,
                   last_remote = $5, delay_told = $6
               WHERE recipient_key = $1";
    sqlx::query(sql)
        .bind(recipient.value())
        .bind(until.millis())
        .bind(now.millis())
        .bind(shorten(reply, REPLY_OCTETS))
        .bind(shorten(remote, REPLY_OCTETS))
        .bind(i64::from(delay_told))
        .execute(tx)
        .await?;
    Ok(())
}

async fn give_back(tx: &mut AnyConnection, recipient: RecipientKey, until: Timestamp) -> Result<(), sqlx::Error> {
    let sql = "UPDATE queued_recipient SET state = 0, next_attempt_at = $2 WHERE recipient_key = $1";
    sqlx::query(sql).bind(recipient.value()).bind(until.millis()).execute(tx).await?;
    Ok(())
}
