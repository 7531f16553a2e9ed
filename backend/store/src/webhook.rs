//! Whom the house tells what happens, over HTTP, and what is still to be told: an outbox.
//!
//! ```text
//! events (the trace) ── webhook_queue: rows and cursor, one transaction ─┬─> waiting ── claim (a lease) ──> delivered, given up
//! a sign-in by browser ── rows and session, one transaction ─────────────┘       ↑ settle: again, later
//! ```
//! Invariants: what has happened is queued before the cursor passes it, so an event is told at least once, and its id stays the same
//! through all attempts; a claim is a lease that falls due by itself; of one webhook nobody has two claims; a webhook keeps at most
//! [`KEPT_DELIVERIES`] rows, about.

use std::fmt;
use std::time::Duration;

use relais_model::{Domain, Secret, Timestamp};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Row as _};

use crate::audit::{Author, Deed};
use crate::key::Keys;
use crate::page::{Listing, Page};
use crate::sql::{self, Select};
use crate::transaction::Transaction;
use crate::{AccountKey, DomainKey, Store, StoreError, TraceKey, WebhookDeliveryKey, WebhookKey};

/// Webhooks of the house, at most.
pub const MAX_WEBHOOKS: i64 = 100;

/// Deliveries that a webhook keeps: older ones are pruned, told or not.
pub const KEPT_DELIVERIES: i64 = 5000;

/// How long what was told is remembered.
const TOLD_KEPT: Duration = Duration::from_hours(7 * 24);

/// Octets of what went wrong that are kept, at most.
const ERROR_OCTETS: usize = 300;

/// What a webhook may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookEvent {
    /// Another host has taken a message.
    MessageDelivered,
    /// A message was given up.
    MessageFailed,
    /// A message was filed in a mailbox here.
    MessageReceived,
    /// Someone signed in by browser.
    AccountSignedIn,
    /// A check of the DNS turned for the worse.
    DnsWorse,
    /// Someone tries whether the webhook works.
    Test,
}

impl WebhookEvent {
    /// Those that a webhook may be made for.
    pub const ALL: [Self; 5] =
        [Self::MessageDelivered, Self::MessageFailed, Self::MessageReceived, Self::AccountSignedIn, Self::DnsWorse];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageDelivered => "message.delivered",
            Self::MessageFailed => "message.failed",
            Self::MessageReceived => "message.received",
            Self::AccountSignedIn => "account.signed_in",
            Self::DnsWorse => "dns.worse",
            Self::Test => "webhook.test",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

/// One webhook, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its row.
    pub key: WebhookKey,
    /// What it is called outside.
    pub id: String,
    /// Who made it; none: the command line.
    pub account: Option<AccountKey>,
    /// Only events of this domain; none: of all.
    pub domain: Option<DomainKey>,
    /// That domain's name.
    pub domain_name: Option<Domain>,
    /// Where it is told.
    pub url: String,
    /// Of what.
    pub events: Vec<WebhookEvent>,
    /// For people.
    pub description: String,
    /// It is told.
    pub is_enabled: bool,
    /// Why the house switched it off; empty: it did not.
    pub stopped_because: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A webhook that is to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// What it is called outside.
    pub id: String,
    /// Who makes it.
    pub account: Option<AccountKey>,
    /// Only events of this domain; none: of all.
    pub domain: Option<DomainKey>,
    /// Where it is told.
    pub url: String,
    /// Of what.
    pub events: Vec<WebhookEvent>,
    /// For people.
    pub description: String,
    /// The key of the signatures, in base64.
    pub secret: Secret,
}

/// What of a webhook is to be changed; none of a thing leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookChange {
    /// Where it is told.
    pub url: Option<String>,
    /// Of what.
    pub events: Option<Vec<WebhookEvent>>,
    /// For people.
    pub description: Option<String>,
    /// Whether it is told.
    pub is_enabled: Option<bool>,
}

/// Why a webhook wasn't made or changed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is none of that name.
    #[error("there is no such webhook")]
    Unknown,
    /// There are [`MAX_WEBHOOKS`].
    #[error("there are as many webhooks as there may be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for WebhookError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

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

/// What webhooks are told of someone who signed in, written in the transaction that lets them in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInNews {
    /// The same through all attempts.
    pub event_id: String,
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

const COLUMNS: &str = "webhook_key, id, account_key, domain_key, url, events, description, is_enabled, stopped_because, \
    created_at, (SELECT d.name FROM domain d WHERE d.domain_key = webhook.domain_key)";
const DELIVERY_COLUMNS: &str = "d.delivery_key, d.webhook_key, d.event_id, d.event, d.payload, d.state, d.attempts, \
    d.next_attempt_at, d.last_attempt_at, d.last_status, d.last_error, d.created_at";

impl Store {
    /// Makes a webhook. What happens from here on is told.
    ///
    /// # Errors
    /// [`WebhookError::TooMany`].
    pub async fn add_webhook(&self, by: &Author, new: NewWebhook) -> Result<Webhook, WebhookError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM webhook").fetch_one(&mut *tx).await?;
                if MAX_WEBHOOKS <= count {
                    return Err(WebhookError::TooMany);
                }
                begin_at(tx, TraceKey::at(scribe.now())).await?;
                let id = new.id.clone();
                insert(tx, WebhookKey::new(scribe.next_key()), scribe.now(), new).await?;
                let Some(webhook) = find(tx, &id).await? else { return Err(WebhookError::Unknown) };
                let deed = deed("webhook.create", &webhook).between(None, Some(told(&webhook)));
                scribe.note(tx, deed).await?;
                Ok(webhook)
            })
        })
        .await
    }

    /// The webhooks of these domains, or all, the latest first.
    pub async fn webhooks(&self, domains: Option<&[DomainKey]>, page: &Page) -> Result<Listing<Webhook>, StoreError> {
        let before = page.after.as_deref().and_then(|after| i64::from_str_radix(after, 16).ok()).unwrap_or(i64::MAX);
        let mut select = Select::new(format!("SELECT {COLUMNS} FROM webhook WHERE webhook_key < "));
        select.value(before);
        if let Some(domains) = domains {
            select.say(" AND ").any(domains, |select, domain| {
                select.say("domain_key = ").value(domain.value());
            });
        }
        select.say(" ORDER BY webhook_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let webhooks = rows.iter().map(read_webhook).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(webhooks, |webhook| format!("{:x}", webhook.key.value())))
    }

    /// One webhook; none where it isn't there.
    pub async fn webhook(&self, id: &str) -> Result<Option<Webhook>, StoreError> {
        find(&mut *self.reader().await?, id).await
    }

    /// Those that are told: at most [`MAX_WEBHOOKS`]. Not those of someone who is suspended or on their way out.
    pub async fn enabled_webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let mut select =
            Select::new(format!("SELECT {COLUMNS} FROM webhook WHERE is_enabled = 1 AND (account_key IS NULL OR EXISTS
                 (SELECT 1 FROM account a WHERE a.account_key = webhook.account_key AND a.is_suspended = 0 AND a.removed_at IS NULL))
             ORDER BY webhook_key"));
        select.say(" LIMIT ").value(MAX_WEBHOOKS);
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(read_webhook).collect()
    }

    /// Changes a webhook. What waits for one that is switched off is given up.
    ///
    /// # Errors
    /// [`WebhookError::Unknown`].
    pub async fn change_webhook(&self, by: &Author, id: &str, change: WebhookChange) -> Result<Webhook, WebhookError> {
        let (scribe, id) = (self.scribe(by), id.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let Some(before) = find(tx, &id).await? else { return Err(WebhookError::Unknown) };
                let is_enabled = change.is_enabled.unwrap_or(before.is_enabled);
                let after = Webhook {
                    url: change.url.unwrap_or_else(|| before.url.clone()),
                    events: change.events.unwrap_or_else(|| before.events.clone()),
                    description: change.description.unwrap_or_else(|| before.description.clone()),
                    is_enabled,
                    stopped_because: if is_enabled { String::new() } else { before.stopped_because.clone() },
                    ..before.clone()
                };
                if is_enabled && !before.is_enabled {
                    begin_at(tx, TraceKey::at(scribe.now())).await?;
                }
                update(tx, &after).await?;
                let (was, is) = (told(&before), told(&after));
                if was != is {
                    scribe.note(tx, deed("webhook.change", &after).between(Some(was), Some(is))).await?;
                }
                Ok(after)
            })
        })
        .await
    }

    /// Switches a webhook off that failed for too long, and says why in the activity.
    pub async fn stop_webhook(&self, key: WebhookKey, because: &str) -> Result<(), StoreError> {
        let (scribe, because) = (self.scribe(&Author::house()), shorten(because));
        self.write(move |tx| {
            Box::pin(async move {
                let text = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM webhook WHERE webhook_key = $1"));
                let row = sqlx::query(text).bind(key.value()).fetch_optional(&mut *tx).await?;
                let Some(before) = row.as_ref().map(read_webhook).transpose()? else { return Ok(()) };
                let after = Webhook { is_enabled: false, stopped_because: because, ..before.clone() };
                update(tx, &after).await?;
                let deed = deed("webhook.stop", &after).between(Some(told(&before)), Some(told(&after)));
                scribe.note(tx, deed).await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes a webhook with all that waits for it.
    ///
    /// # Errors
    /// [`WebhookError::Unknown`].
    pub async fn remove_webhook(&self, by: &Author, id: &str) -> Result<(), WebhookError> {
        let (scribe, id) = (self.scribe(by), id.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let Some(webhook) = find(tx, &id).await? else { return Err(WebhookError::Unknown) };
                remove_where(tx, "webhook_key", webhook.key.value()).await?;
                scribe.note(tx, deed("webhook.remove", &webhook).between(Some(told(&webhook)), None)).await?;
                Ok(())
            })
        })
        .await
    }

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
                    .bind(shorten(&settlement.error))
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// When a webhook last took something; none: never, as far as is remembered.
    pub async fn webhook_last_success(&self, key: WebhookKey) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MAX(last_attempt_at) FROM webhook_delivery WHERE webhook_key = $1 AND state = 1";
        let at: Option<i64> = sqlx::query_scalar(sql).bind(key.value()).fetch_one(&mut *self.reader().await?).await?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// The key that a webhook's signatures are made with; none where it is gone.
    pub async fn webhook_secret(&self, key: WebhookKey) -> Result<Option<Secret>, StoreError> {
        let sql = "SELECT secret FROM webhook WHERE webhook_key = $1";
        let secret: Option<String> =
            sqlx::query_scalar(sql).bind(key.value()).fetch_optional(&mut *self.reader().await?).await?;
        Ok(secret.map(Secret::new))
    }

    /// When the next delivery falls due; none where none waits.
    pub async fn webhooks_next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MIN(next_attempt_at) FROM webhook_delivery WHERE state = 0";
        let at: Option<i64> = sqlx::query_scalar(sql).fetch_one(&mut *self.reader().await?).await?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// A webhook's deliveries, the latest first.
    pub async fn webhook_deliveries(
        &self,
        webhook: WebhookKey,
        page: &Page,
    ) -> Result<Listing<WebhookDelivery>, StoreError> {
        let before = page.after.as_deref().and_then(|after| i64::from_str_radix(after, 16).ok()).unwrap_or(i64::MAX);
        let mut select =
            Select::new(format!("SELECT {DELIVERY_COLUMNS} FROM webhook_delivery d WHERE d.webhook_key = "));
        select.value(webhook.value()).say(" AND d.delivery_key < ").value(before);
        select.say(" ORDER BY d.delivery_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let deliveries = rows.iter().map(|row| read_delivery(row, 0)).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(deliveries, |delivery| format!("{:x}", delivery.key.value())))
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

/// Queues a sign-in for those who want to hear of it.
pub(crate) async fn tell_sign_in(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    account: AccountKey,
    news: &SignInNews,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT webhook_key, events FROM webhook
               WHERE is_enabled = 1
                 AND (domain_key IS NULL OR domain_key = (SELECT domain_key FROM account WHERE account_key = $1))
                 AND (account_key IS NULL OR EXISTS (SELECT 1 FROM account a WHERE a.account_key = webhook.account_key
                                                     AND a.is_suspended = 0 AND a.removed_at IS NULL))
               ORDER BY webhook_key LIMIT $2";
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sql).bind(account.value()).bind(MAX_WEBHOOKS).fetch_all(&mut *tx).await?;
    queue(tx, keys, now, &rows, WebhookEvent::AccountSignedIn, &news.event_id, &news.payload).await
}

/// Queues what turned for the worse in the DNS of a domain, or, with none, of the host.
pub(crate) async fn tell_dns(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    domain: Option<DomainKey>,
    event_id: &str,
    payload: &str,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT webhook_key, events FROM webhook
               WHERE is_enabled = 1 AND (domain_key IS NULL OR domain_key = $1)
                 AND (account_key IS NULL OR EXISTS (SELECT 1 FROM account a WHERE a.account_key = webhook.account_key
                                                     AND a.is_suspended = 0 AND a.removed_at IS NULL))
               ORDER BY webhook_key LIMIT $2";
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sql).bind(domain.map(DomainKey::value)).bind(MAX_WEBHOOKS).fetch_all(&mut *tx).await?;
    queue(tx, keys, now, &rows, WebhookEvent::DnsWorse, event_id, payload).await
}

/// For those of `webhooks` (with the names of their events) that want to hear of `event`.
async fn queue(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    webhooks: &[(i64, String)],
    event: WebhookEvent,
    event_id: &str,
    payload: &str,
) -> Result<(), sqlx::Error> {
    let event = event.as_str();
    for (webhook, _) in webhooks.iter().filter(|(_, events)| events.split(' ').any(|wanted| wanted == event)) {
        let sql = "INSERT INTO webhook_delivery (delivery_key, webhook_key, event_id, event, payload, state,
                       attempts, next_attempt_at, last_error, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '', $7)";
        sqlx::query(sql)
            .bind(keys.next(now))
            .bind(*webhook)
            .bind(event_id)
            .bind(event)
            .bind(payload)
            .bind(WebhookState::Waiting as i64)
            .bind(now.millis())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Removes the webhooks whose `column` is `key`, with their deliveries.
pub(crate) async fn remove_where(tx: &mut AnyConnection, column: &str, key: i64) -> Result<(), sqlx::Error> {
    let deliveries = format!(
        "DELETE FROM webhook_delivery WHERE webhook_key IN (SELECT webhook_key FROM webhook WHERE {column} = $1)"
    );
    sqlx::query(sqlx::AssertSqlSafe(deliveries)).bind(key).execute(&mut *tx).await?;
    let webhooks = format!("DELETE FROM webhook WHERE {column} = $1");
    sqlx::query(sqlx::AssertSqlSafe(webhooks)).bind(key).execute(tx).await?;
    Ok(())
}

/// Where no webhook is told yet, events count from `key` on.
async fn begin_at(tx: &mut AnyConnection, key: TraceKey) -> Result<(), sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM webhook WHERE is_enabled = 1";
    let told: i64 = sqlx::query_scalar(sql).fetch_one(&mut *tx).await?;
    if told == 0 {
        let sql = "INSERT INTO webhook_cursor (source, read_to) VALUES ('trace', $1)
                   ON CONFLICT (source) DO UPDATE SET read_to = excluded.read_to";
        sqlx::query(sql).bind(key.value()).execute(tx).await?;
    }
    Ok(())
}

async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Webhook>, StoreError> {
    let text = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM webhook WHERE id = $1"));
    let row = sqlx::query(text).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(read_webhook).transpose()
}

async fn insert(tx: &mut AnyConnection, key: WebhookKey, now: Timestamp, new: NewWebhook) -> Result<(), sqlx::Error> {
    let sql =
        "INSERT INTO webhook (webhook_key, id, account_key, domain_key, url, events, description, secret, is_enabled,
                                    stopped_because, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, '', $9)";
    sqlx::query(sql)
        .bind(key.value())
        .bind(new.id)
        .bind(new.account.map(AccountKey::value))
        .bind(new.domain.map(DomainKey::value))
        .bind(new.url)
        .bind(write_events(&new.events))
        .bind(new.description)
        .bind(new.secret.expose())
        .bind(now.millis())
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes what may change of a webhook; what waits for one that is off is given up.
async fn update(tx: &mut AnyConnection, webhook: &Webhook) -> Result<(), sqlx::Error> {
    let sql = "UPDATE webhook SET url = $2, events = $3, description = $4, is_enabled = $5, stopped_because = $6
               WHERE webhook_key = $1";
    sqlx::query(sql)
        .bind(webhook.key.value())
        .bind(webhook.url.as_str())
        .bind(write_events(&webhook.events))
        .bind(webhook.description.as_str())
        .bind(i64::from(webhook.is_enabled))
        .bind(webhook.stopped_because.as_str())
        .execute(&mut *tx)
        .await?;
    if !webhook.is_enabled {
        let sql = "UPDATE webhook_delivery SET state = 2 WHERE webhook_key = $1 AND state = 0";
        sqlx::query(sql).bind(webhook.key.value()).execute(tx).await?;
    }
    Ok(())
}

async fn read_claimed(tx: &mut AnyConnection, key: i64) -> Result<Option<ClaimedDelivery>, StoreError> {
    let text = format!(
        "SELECT {DELIVERY_COLUMNS}, w.url, w.secret FROM webhook_delivery d JOIN webhook w ON w.webhook_key = d.webhook_key
         WHERE d.delivery_key = $1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(key).fetch_optional(tx).await?;
    let Some(row) = row else { return Ok(None) };
    let secret = Secret::new(row.try_get::<String, _>(13)?);
    Ok(Some(ClaimedDelivery { delivery: read_delivery(&row, 0)?, url: row.try_get(12)?, secret }))
}

/// What the activity tells of a webhook: never its secret, nor what may be one in its URL.
fn told(webhook: &Webhook) -> Value {
    json!({
        "url": webhook.url.split(['?', '#']).next().unwrap_or_default(),
        "events": write_events(&webhook.events),
        "description": webhook.description,
        "enabled": webhook.is_enabled,
        "stopped_because": webhook.stopped_because,
    })
}

fn deed(act: &'static str, webhook: &Webhook) -> Deed {
    Deed { act, subject: webhook.id.clone(), domain: webhook.domain, ..Deed::default() }
}

fn write_events(events: &[WebhookEvent]) -> String {
    events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(" ")
}

fn shorten(text: &str) -> String {
    text.get(..text.floor_char_boundary(ERROR_OCTETS)).unwrap_or(text).to_owned()
}

fn read_webhook(row: &sqlx::any::AnyRow) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        key: WebhookKey::new(row.try_get(0)?),
        id: row.try_get(1)?,
        account: row.try_get::<Option<i64>, _>(2)?.map(AccountKey::new),
        domain: row.try_get::<Option<i64>, _>(3)?.map(DomainKey::new),
        domain_name: row
            .try_get::<Option<&str>, _>(10)?
            .map(|name| Domain::parse(name).map_err(|error| StoreError::damaged(format!("domain {name}: {error}"))))
            .transpose()?,
        url: row.try_get(4)?,
        events: row.try_get::<&str, _>(5)?.split(' ').filter_map(WebhookEvent::parse).collect(),
        description: row.try_get(6)?,
        is_enabled: row.try_get::<i64, _>(7)? != 0,
        stopped_because: row.try_get(8)?,
        created_at: Timestamp::from_millis(row.try_get(9)?),
    })
}

fn read_delivery(row: &sqlx::any::AnyRow, at: usize) -> Result<WebhookDelivery, StoreError> {
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
