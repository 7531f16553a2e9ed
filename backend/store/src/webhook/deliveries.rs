//! What became of each event for each webhook.

use std::time::Duration;

use relais_model::Timestamp;
use serde_json::json;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Webhook, deed};
use crate::audit::{Author, Deed};
use crate::page::{Listing, Page};
use crate::sql::Select;
use crate::{Store, StoreError, WebhookDeliveryKey, WebhookKey};

/// Deliveries that a webhook keeps: older ones are pruned, told or not.
pub const KEPT_DELIVERIES: i64 = 5000;

/// How long what was told is remembered.
const TOLD_KEPT: Duration = Duration::from_hours(7 * 24);

/// What became of a delivery. The numbers stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookState {
    /// Its time will come, or it is being told.
    Waiting = 0,
    /// The other side has it.
    Delivered = 1,
    /// It was given up.
    GivenUp = 2,
}

impl WebhookState {
    /// One word, for lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Waiting),
            1 => Ok(Self::Delivered),
            2 => Ok(Self::GivenUp),
            other => Err(StoreError::damaged(format!("webhook delivery state {other}"))),
        }
    }
}

/// One event for one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// Its row.
    pub key: WebhookDeliveryKey,
    /// Whose it is.
    pub webhook: WebhookKey,
    /// The same through all attempts.
    pub event_id: String,
    /// The event's name.
    pub event: String,
    /// JSON.
    pub payload: String,
    /// What became of it.
    pub state: WebhookState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it falls due; of a claimed one, when the claim ends.
    pub next_attempt_at: Timestamp,
    /// When it was last tried.
    pub last_attempt_at: Option<Timestamp>,
    /// HTTP's status of the last answer.
    pub last_status: Option<u16>,
    /// What went wrong, as the log would say it; empty: nothing, or the status says it.
    pub last_error: String,
    /// When it was queued.
    pub created_at: Timestamp,
}

pub(super) const COLUMNS: &str = "d.delivery_key, d.webhook_key, d.event_id, d.event, d.payload, d.state, d.attempts, \
    d.next_attempt_at, d.last_attempt_at, d.last_status, d.last_error, d.created_at";

impl Store {
    /// When a webhook last took something; none: never, as far as is remembered.
    pub async fn webhook_last_success(&self, key: WebhookKey) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MAX(last_attempt_at) FROM webhook_delivery WHERE webhook_key = $1 AND state = 1";
        let at: Option<i64> = sqlx::query_scalar(sql).bind(key.value()).fetch_one(&mut *self.reader().await?).await?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// A webhook's deliveries, the latest first.
    pub async fn webhook_deliveries(
        &self,
        webhook: WebhookKey,
        page: &Page,
    ) -> Result<Listing<WebhookDelivery>, StoreError> {
        let mut select = Select::new(format!("SELECT {COLUMNS} FROM webhook_delivery d WHERE d.webhook_key = "));
        select.value(webhook.value()).say(" AND d.delivery_key < ").value(page.before_key());
        select.say(" ORDER BY d.delivery_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let deliveries = rows.iter().map(|row| read_delivery(row, 0)).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(deliveries, |delivery| delivery.key.value()))
    }

    /// Makes a delivery due at once, as if it had never been tried. Tells whether it is there.
    pub async fn resend_webhook(&self, by: &Author, webhook: &Webhook, event_id: &str) -> Result<bool, StoreError> {
        let (scribe, webhook, event_id) = (self.scribe(by), webhook.clone(), event_id.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE webhook_delivery SET state = 0, attempts = 0, next_attempt_at = $3, created_at = $3
                           WHERE webhook_key = $1 AND event_id = $2";
                let query = sqlx::query(sql).bind(webhook.key.value()).bind(event_id.as_str());
                let sent = query.bind(scribe.now().millis()).execute(&mut *tx).await?.rows_affected() > 0;
                if sent {
                    let event = Some(json!({ "event": event_id }));
                    scribe.note(tx, Deed { after: event, ..deed("webhook.resend", &webhook) }).await?;
                }
                Ok(sent)
            })
        })
        .await
    }

    /// Forgets what was told a week ago, and of each webhook what is beyond [`KEPT_DELIVERIES`].
    pub async fn prune_webhooks(&self) -> Result<u64, StoreError> {
        let before = self.now().minus(TOLD_KEPT).millis();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM webhook_delivery WHERE state <> 0 AND created_at < $1";
                let mut pruned = sqlx::query(sql).bind(before).execute(&mut *tx).await?.rows_affected();
                let keys: Vec<i64> = sqlx::query_scalar("SELECT webhook_key FROM webhook").fetch_all(&mut *tx).await?;
                for key in keys {
                    let sql = "DELETE FROM webhook_delivery WHERE webhook_key = $1 AND delivery_key <=
                               (SELECT delivery_key FROM webhook_delivery WHERE webhook_key = $1
                                ORDER BY delivery_key DESC LIMIT 1 OFFSET $2)";
                    let query = sqlx::query(sql).bind(key).bind(KEPT_DELIVERIES);
                    pruned += query.execute(&mut *tx).await?.rows_affected();
                }
                Ok::<_, StoreError>(pruned)
            })
        })
        .await
    }
}

pub(super) fn read_delivery(row: &AnyRow, at: usize) -> Result<WebhookDelivery, StoreError> {
    Ok(WebhookDelivery {
        key: WebhookDeliveryKey::new(row.try_get(at)?),
        webhook: WebhookKey::new(row.try_get(at + 1)?),
        event_id: row.try_get(at + 2)?,
        event: row.try_get(at + 3)?,
        payload: row.try_get(at + 4)?,
        state: WebhookState::read(row.try_get(at + 5)?)?,
        attempts: u32::try_from(row.try_get::<i64, _>(at + 6)?).unwrap_or(u32::MAX),
        next_attempt_at: Timestamp::from_millis(row.try_get(at + 7)?),
        last_attempt_at: row.try_get::<Option<i64>, _>(at + 8)?.map(Timestamp::from_millis),
        last_status: row.try_get::<Option<i64>, _>(at + 9)?.and_then(|status| u16::try_from(status).ok()),
        last_error: row.try_get(at + 10)?,
        created_at: Timestamp::from_millis(row.try_get(at + 11)?),
    })
}
