//! What is still to be told: queued up to a cursor in the trace, claimed for a while, settled.

use std::fmt;
use std::time::Duration;

use relais_model::{Secret, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::deliveries::{COLUMNS, read_delivery};
use super::{ERROR_OCTETS, WebhookDelivery, WebhookEvent, WebhookState};
use crate::sql::{self, Select, shorten};
use crate::transaction::Transaction;
use crate::{Store, StoreError, TraceKey, WebhookDeliveryKey, WebhookKey};

/// An event that is to be queued for a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebhookDelivery {
    /// For whom.
    pub webhook: WebhookKey,
    /// The same through all attempts.
    pub event_id: String,
    /// The event.
    pub event: WebhookEvent,
    /// JSON.
    pub payload: String,
}

/// A delivery that is ours to make, until the lease ends.
#[derive(Clone)]
pub struct ClaimedDelivery {
    /// What is told; its attempts count this one.
    pub delivery: WebhookDelivery,
    /// To whom.
    pub url: String,
    /// The key of the signature, in base64.
    pub secret: Secret,
}

impl fmt::Debug for ClaimedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedDelivery").field("event_id", &self.delivery.event_id).finish_non_exhaustive()
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettlement {
    /// What becomes of the delivery.
    pub state: WebhookState,
    /// When it is tried again, where it waits.
    pub next_attempt_at: Timestamp,
    /// HTTP's status; none: there was no answer.
    pub status: Option<u16>,
    /// What went wrong; may be empty.
    pub error: String,
}

impl Store {
    /// Up to where the trace was read for webhooks; none before the first of them.
    pub async fn webhook_cursor(&self) -> Result<Option<TraceKey>, StoreError> {
        let sql = "SELECT read_to FROM webhook_cursor WHERE source = 'trace'";
        let key: Option<i64> = sqlx::query_scalar(sql).fetch_optional(&mut *self.reader().await?).await?;
        Ok(key.map(TraceKey::new))
    }

    /// Queues what happened up to `to`, and moves the cursor from `from` there, in one transaction. Tells whether it did: not where
    /// another node has moved it meanwhile.
    pub async fn queue_webhooks(
        &self,
        from: TraceKey,
        to: TraceKey,
        new: Vec<NewWebhookDelivery>,
    ) -> Result<bool, StoreError> {
        let inner = std::sync::Arc::clone(&self.inner);
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE webhook_cursor SET read_to = $2 WHERE source = 'trace' AND read_to = $1";
                let moved = sqlx::query(sql).bind(from.value()).bind(to.value()).execute(&mut *tx).await?;
                if moved.rows_affected() == 0 {
                    return Ok(false);
                }
                let head = "INSERT INTO webhook_delivery (delivery_key, webhook_key, event_id, event, payload, state,
                                attempts, next_attempt_at, last_error, created_at)";
                let statements = sql::insert(head, 10, "", &new, |statement, new| {
                    statement
                        .bind(inner.keys.next(now))
                        .bind(new.webhook.value())
                        .bind(new.event_id.as_str())
                        .bind(new.event.as_str())
                        .bind(new.payload.as_str())
                        .bind(WebhookState::Waiting as i64)
                        .bind(0_i64)
                        .bind(now.millis())
                        .bind("")
                        .bind(now.millis())
                });
                let mut tx = Transaction::within(tx, inner.engine);
                tx.execute_all(statements);
                tx.send().await?;
                Ok(true)
            })
        })
        .await
    }

    /// When the next delivery falls due; none where none waits.
    pub async fn webhooks_next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MIN(next_attempt_at) FROM webhook_delivery WHERE state = 0";
        let at: Option<i64> = sqlx::query_scalar(sql).fetch_one(&mut *self.reader().await?).await?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// Claims what is due, at most `limit`, of each webhook one: none of those that are `busy`.
    pub async fn claim_webhooks(
        &self,
        limit: u32,
        lease: Duration,
        busy: &[WebhookKey],
    ) -> Result<Vec<ClaimedDelivery>, StoreError> {
        let (now, until) = (self.now().millis(), self.now().plus(lease).millis());
        let mut due =
            Select::new("SELECT MIN(delivery_key) FROM webhook_delivery WHERE state = 0 AND next_attempt_at <= ");
        due.value(now);
        for key in busy {
            due.say(" AND webhook_key <> ").value(key.value());
        }
        due.say(" GROUP BY webhook_key LIMIT ").value(i64::from(limit));
        let rows = due.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let keys = rows.iter().map(|row| row.try_get::<i64, _>(0)).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let mut claimed = Vec::with_capacity(keys.len());
                for key in keys {
                    // Another node may have been quicker.
                    let sql = "UPDATE webhook_delivery SET next_attempt_at = $3, attempts = attempts + 1, last_attempt_at = $2
                               WHERE delivery_key = $1 AND state = 0 AND next_attempt_at <= $2";
                    let taken = sqlx::query(sql).bind(key).bind(now).bind(until).execute(&mut *tx).await?;
                    if taken.rows_affected() > 0 {
                        claimed.extend(read_claimed(tx, key).await?);
                    }
                }
                Ok::<_, StoreError>(claimed)
            })
        })
        .await
    }

    /// Notes what came of an attempt.
    pub async fn settle_webhook(
        &self,
        key: WebhookDeliveryKey,
        settlement: WebhookSettlement,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql =
                    "UPDATE webhook_delivery SET state = $2, next_attempt_at = $3, last_status = $4, last_error = $5
                           WHERE delivery_key = $1";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(settlement.state as i64)
                    .bind(settlement.next_attempt_at.millis())
                    .bind(settlement.status.map(i64::from))
                    .bind(shorten(&settlement.error, ERROR_OCTETS))
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}

async fn read_claimed(tx: &mut AnyConnection, key: i64) -> Result<Option<ClaimedDelivery>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS}, w.url, w.secret FROM webhook_delivery d JOIN webhook w ON w.webhook_key = d.webhook_key
         WHERE d.delivery_key = $1"
    );
    let row = sqlx::query(AssertSqlSafe(text)).bind(key).fetch_optional(tx).await?;
    let Some(row) = row else { return Ok(None) };
    let secret = Secret::new(row.try_get::<String, _>(13)?);
    Ok(Some(ClaimedDelivery { delivery: read_delivery(&row, 0)?, url: row.try_get(12)?, secret }))
}
