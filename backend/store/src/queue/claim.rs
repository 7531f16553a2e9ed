//! Taking what is due.

use std::collections::HashMap;
use std::time::Duration;

use relais_model::{Domain, Timestamp};
use sqlx::query::Query;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{NAMED_AT_ONCE, filled, key_slots};
use super::{
    QueueState, QueuedMessage, QueuedRecipient, message_columns, read_message, read_recipient, recipient_columns,
};
use crate::{QueueKey, Store, StoreError, sql};

/// Due recipients that are looked at for one claim, so that a large queue costs no more than a small one.
const WINDOW: i64 = 5000;

/// Destinations that are passed over, at most; those after them are not.
const MAX_BUSY: usize = 256;

/// What the worker wants to try now.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Recipients, at most: taken as 1 to 1,000.
    pub limit: u32,
    /// Recipients of one destination, at most, so that none takes the place of all others.
    pub per_destination: u32,
    /// After this the claim is void: longer than any attempt lasts.
    pub lease: Duration,
    /// Destinations that have no room: none of theirs is claimed. Those past the 256th are not heeded.
    pub busy: Vec<Domain>,
}

/// What one transaction with one destination may carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedMessage {
    /// What the recipients share.
    pub message: QueuedMessage,
    /// Their domain.
    pub destination: Domain,
    /// One or more; the message may have others elsewhere.
    pub recipients: Vec<QueuedRecipient>,
}

impl Store {
    /// Takes what is due, the longest due first, also what a dead claimer had. What is taken is the caller's until it is settled or the
    /// lease ends.
    pub async fn queue_claim(&self, claim: Claim) -> Result<Vec<ClaimedMessage>, StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let recipients = take_due(tx, now, &claim).await?;
                let messages = read_messages(tx, &recipients).await?;
                group(recipients, &messages)
            })
        })
        .await
    }

    /// When the next recipient falls due; it may be past already. None where nothing waits.
    pub async fn queue_next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MIN(next_attempt_at) FROM queued_recipient WHERE state <> 1";
        let due: Option<i64> = sqlx::query_scalar(sql).fetch_one(&mut *self.reader().await?).await?;
        Ok(due.map(Timestamp::from_millis))
    }

    /// Rings after each commit that made something due: a message was queued, or someone released or hastened it.
    pub fn queue_wake(&self) -> std::sync::Arc<tokio::sync::Notify> {
        std::sync::Arc::clone(&self.inner.queue_woken)
    }
}

/// Makes all that is claimed due at once. For opening a store that no other process has open: whoever claimed is dead.
pub(crate) async fn release_claims(tx: &mut AnyConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    let sql = "UPDATE queued_recipient SET state = 0, next_attempt_at = $1 WHERE state = 2";
    sqlx::query(sql).bind(now.millis()).execute(tx).await?;
    Ok(())
}

/// Marks what is due as claimed. The last line of the statement looks again at each row: where two nodes claim at once, PostgreSQL lets
/// the second wait for the first and then finds the row not due any more. SQLite has one writer.
async fn take_due(tx: &mut AnyConnection, now: Timestamp, claim: &Claim) -> Result<Vec<QueuedRecipient>, StoreError> {
    let busy = claim.busy.get(..MAX_BUSY.min(claim.busy.len())).unwrap_or_default();
    let slots = sql::padded(busy.len());
    let text = format!(
        "UPDATE queued_recipient SET state = 2, next_attempt_at = $2
         WHERE recipient_key IN (
             SELECT recipient_key FROM (
                 SELECT recipient_key, next_attempt_at, queue_key,
                        ROW_NUMBER() OVER (PARTITION BY destination ORDER BY next_attempt_at, queue_key) AS place
                 FROM (SELECT recipient_key, next_attempt_at, queue_key, destination FROM queued_recipient
                       WHERE state <> 1 AND next_attempt_at <= $1 AND destination NOT IN {}
                       ORDER BY next_attempt_at, queue_key, destination LIMIT $3) AS due
             ) AS placed
             WHERE place <= $4 ORDER BY next_attempt_at, queue_key LIMIT $5)
           AND state <> 1 AND next_attempt_at <= $1
         RETURNING {}",
        sql::placeholders(slots, 1, 5),
        recipient_columns!("")
    );
    let mut query = sqlx::query(AssertSqlSafe(text))
        .bind(now.millis())
        .bind(now.plus(claim.lease).millis())
        .bind(WINDOW)
        .bind(i64::from(claim.per_destination.max(1)))
        .bind(i64::from(claim.limit.clamp(1, 1000)));
    for slot in 0..slots {
        // No destination is empty, so an empty slot excludes none.
        query = query.bind(busy.get(slot).map_or("", Domain::as_str));
    }
    let rows = query.fetch_all(tx).await?;
    let mut recipients = rows.iter().map(|row| read_recipient(row, 0)).collect::<Result<Vec<_>, _>>()?;
    recipients.sort_by_key(|recipient| recipient.key);
    debug_assert!(recipients.iter().all(|recipient| recipient.state == QueueState::Claimed), "the statement says so");
    Ok(recipients)
}

async fn read_messages(
    tx: &mut AnyConnection,
    recipients: &[QueuedRecipient],
) -> Result<HashMap<QueueKey, QueuedMessage>, StoreError> {
    let mut keys: Vec<i64> = recipients.iter().map(|recipient| recipient.queued.value()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut messages = HashMap::with_capacity(keys.len());
    for chunk in keys.chunks(NAMED_AT_ONCE) {
        let text = format!("SELECT {} FROM queued AS q WHERE q.queue_key IN {}", message_columns!(), key_slots(chunk));
        let query = filled(chunk).fold(sqlx::query(AssertSqlSafe(text)), Query::bind);
        for row in query.fetch_all(&mut *tx).await? {
            let message = read_message(&row, 0)?;
            messages.insert(message.key, message);
        }
    }
    Ok(messages)
}

/// By message and destination, in the order in which they were queued.
fn group(
    recipients: Vec<QueuedRecipient>,
    messages: &HashMap<QueueKey, QueuedMessage>,
) -> Result<Vec<ClaimedMessage>, StoreError> {
    let mut groups: Vec<ClaimedMessage> = Vec::new();
    let mut places: HashMap<(QueueKey, Domain), usize> = HashMap::new();
    for recipient in recipients {
        let message = messages
            .get(&recipient.queued)
            .ok_or_else(|| StoreError::damaged(format!("{:?} has no message", recipient.key)))?;
        let place = places.entry((recipient.queued, recipient.address.domain.clone())).or_insert(groups.len());
        if let Some(group) = groups.get_mut(*place) {
            group.recipients.push(recipient);
        } else {
            let destination = recipient.address.domain.clone();
            groups.push(ClaimedMessage { message: message.clone(), destination, recipients: vec![recipient] });
        }
    }
    Ok(groups)
}
