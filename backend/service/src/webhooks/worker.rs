//! Tells: reads what happened, queues it for those who want to hear of it, posts what is due.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use relais_model::{Random, Secret, SystemRandom, Timestamp};
use relais_store::{
    ClaimedDelivery, NewWebhookDelivery, TraceEvent, TraceKey, TraceKind, Webhook, WebhookEvent, WebhookKey,
    WebhookSettlement, WebhookState,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Courier, Parcel, PostError, WebhookTest, sign};
use crate::overview::SETTLES_MILLIS;
use crate::{Actor, Failure, Moment, Service, Text};

/// Between two looks at what happened.
const TICK: Duration = Duration::from_secs(2);

/// Looks between two prunings.
const PRUNED_EVERY: u32 = 300;

/// Posts at once, of one webhook one.
const AT_ONCE: usize = 4;

/// A claim ends by itself after this: longer than any post.
const LEASE: Duration = Duration::from_mins(1);

/// A post takes so long at most; the courier keeps it, and here it is kept again.
const POST_TIMEOUT: Duration = Duration::from_secs(11);

/// Events read at once.
const EVENTS_AT_ONCE: u32 = 1000;

/// After so long a delivery is given up.
const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// What webhooks need beside the store.
#[derive(Debug)]
pub struct Webhooks {
    courier: Option<Arc<dyn Courier>>,
    random: Arc<dyn Random>,
}

impl Default for Webhooks {
    /// Without a courier: nothing is told.
    fn default() -> Self {
        Self { courier: None, random: Arc::new(SystemRandom) }
    }
}

impl Webhooks {
    /// Posts by `courier`; secrets are made by `random`.
    pub fn new(courier: Arc<dyn Courier>, random: Arc<dyn Random>) -> Self {
        Self { courier: Some(courier), random }
    }

    pub(super) fn new_id(&self) -> String {
        let mut octets = [0; 10];
        self.random.fill(&mut octets);
        format!("wh_{}", HEXLOWER.encode(&octets))
    }

    pub(super) fn new_secret(&self) -> Secret {
        let mut octets = [0; 32];
        self.random.fill(&mut octets);
        Secret::new(format!("{}{}", sign::PREFIX, BASE64.encode(&octets)))
    }
}

impl Service {
    /// Tells what happens, until `stop`. What is under way then is told again after the next start.
    pub async fn tell_webhooks(self, stop: CancellationToken) {
        let mut posts: JoinSet<WebhookKey> = JoinSet::new();
        let mut busy: HashSet<WebhookKey> = HashSet::new();
        let mut ticks: u32 = 0;
        loop {
            tokio::select! {
                // All cancel-safe: nothing has begun, and a post that ends is taken whole or not at all.
                () = stop.cancelled() => return posts.shutdown().await,
                () = sleep(TICK) => {}
                Some(Ok(done)) = posts.join_next() => { busy.remove(&done); }
            }
            // One that panicked names nobody; with none left, nobody is busy.
            if posts.is_empty() {
                busy.clear();
            }
            ticks = ticks.wrapping_add(1);
            if let Err(error) = self.tell_some(&mut posts, &mut busy).await {
                tracing::warn!(?error, "webhooks wait: the store failed");
            }
            if ticks.is_multiple_of(PRUNED_EVERY)
                && let Err(error) = self.store.prune_webhooks().await
            {
                tracing::warn!(%error, "old webhook deliveries could not be removed");
            }
        }
    }

    async fn tell_some(&self, posts: &mut JoinSet<WebhookKey>, busy: &mut HashSet<WebhookKey>) -> Result<(), Failure> {
        if !self.store.settings().webhooks {
            return Ok(());
        }
        while self.queue_webhooks().await? {}
        let room = AT_ONCE.saturating_sub(posts.len());
        let known: Vec<WebhookKey> = busy.iter().copied().collect();
        let room = u32::try_from(room).unwrap_or(0);
        if room == 0 {
            return Ok(());
        }
        for claimed in self.store.claim_webhooks(room, LEASE, &known).await? {
            let (service, webhook) = (self.clone(), claimed.delivery.webhook);
            busy.insert(webhook);
            posts.spawn(async move {
                service.tell(claimed).await;
                webhook
            });
        }
        Ok(())
    }

    /// Reads the next events and queues them for those who want to hear of them; tells whether there may be more.
    ///
    /// # Errors
    /// [`Failure::Failed`]: nothing was queued.
    pub async fn queue_webhooks(&self) -> Result<bool, Failure> {
        let webhooks = self.store.enabled_webhooks().await?;
        let Some(from) = self.store.webhook_cursor().await?.filter(|_| !webhooks.is_empty()) else { return Ok(false) };
        let now = self.store.now();
        let before = TraceKey::at(Timestamp::from_millis(now.millis().saturating_sub(SETTLES_MILLIS)));
        let events = self.store.trace_between(from, before, EVENTS_AT_ONCE).await?;
        let Some((to, _)) = events.last() else { return Ok(false) };
        let (to, may_be_more) = (*to, events.len() == usize::try_from(EVENTS_AT_ONCE).unwrap_or(usize::MAX));
        let new: Vec<NewWebhookDelivery> = events
            .iter()
            .filter_map(|(key, event)| Some((key, event, event_of(event)?)))
            .flat_map(|(key, event, name)| {
                let wants = move |webhook: &&Webhook| webhook.events.contains(&name) && is_of(webhook, event);
                let (id, payload) = (event_id(*key), payload(name, event.at, &data(event)));
                webhooks.iter().filter(wants).map(move |webhook| NewWebhookDelivery {
                    webhook: webhook.key,
                    event_id: id.clone(),
                    event: name,
                    payload: payload.clone(),
                })
            })
            .collect();
        Ok(self.store.queue_webhooks(from, to, new).await? && may_be_more)
    }

    /// Claims and posts what is due, one after the other; tells how many. For tests; the worker does it side by side.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn tell_due_webhooks(&self) -> Result<usize, Failure> {
        let claimed = self.store.claim_webhooks(u32::try_from(AT_ONCE).unwrap_or(1), LEASE, &[]).await?;
        let count = claimed.len();
        for claimed in claimed {
            self.tell(claimed).await;
        }
        Ok(count)
    }

    /// Posts one delivery and notes what came of it.
    async fn tell(&self, claimed: ClaimedDelivery) {
        let delivery = &claimed.delivery;
        let told = self.post(&claimed.url, &claimed.secret, &delivery.event_id, &delivery.payload).await;
        let now = self.store.now();
        let is_late = GIVE_UP_AFTER <= now.since(delivery.created_at);
        let (status, error) = match &told {
            Ok(status) => (Some(*status), String::new()),
            Err(error) => (None, error.to_string()),
        };
        let state = match told {
            Ok(200..=299) => WebhookState::Delivered,
            // RFC 9110 §15.5.11: it is gone for good.
            Ok(410) => WebhookState::GivenUp,
            _ if is_late => WebhookState::GivenUp,
            _ => WebhookState::Waiting,
        };
        let next_attempt_at = now.plus(backoff(delivery.attempts));
        tracing::debug!(event = %delivery.event_id, status, error, state = state.as_str(), "webhook told");
        let settlement = WebhookSettlement { state, next_attempt_at, status, error };
        if let Err(error) = self.store.settle_webhook(delivery.key, settlement).await {
            // The claim ends by itself: it is told once more.
            tracing::warn!(%error, "what came of a webhook could not be noted");
            return;
        }
        if state == WebhookState::GivenUp
            && let Err(error) = self.stop_failing(delivery.webhook, delivery.created_at, status).await
        {
            tracing::warn!(%error, "a webhook that fails could not be switched off");
        }
    }

    /// Switches a webhook off that is gone, or that took nothing for as long as one delivery was tried.
    async fn stop_failing(
        &self,
        key: WebhookKey,
        since: Timestamp,
        status: Option<u16>,
    ) -> Result<(), relais_store::StoreError> {
        let last = self.store.webhook_last_success(key).await?;
        if status != Some(410) && last.is_some_and(|last| since <= last) {
            return Ok(());
        }
        let because = if status == Some(410) { "410 Gone" } else { "no success for 24 hours" };
        tracing::warn!(because, "a webhook was switched off");
        self.store.stop_webhook(key, because).await
    }

    /// Sends a sample event at once, and tells what came of it. Nothing is tried again.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn test_webhook(&self, by: &Actor, id: &str) -> Result<WebhookTest, Failure> {
        let webhook = self.own_webhook(by, id).await?;
        let Some(secret) = self.store.webhook_secret(webhook.key).await? else {
            return Err(Failure::Absent(Text::new("webhook-absent").with("id", id)));
        };
        let now = self.store.now();
        let sample = payload(WebhookEvent::Test, now, &json!({ "webhook": webhook.id }));
        let event_id = format!("{}_{}", self.operations.webhooks.new_id().replace("wh_", "evt_test"), now.seconds());
        Ok(match self.post(&webhook.url, &secret, &event_id, &sample).await {
            Ok(status @ 200..=299) => {
                let says = Text::new("webhook-taken").with("status", u64::from(status));
                WebhookTest { is_taken: true, status: Some(status), says }
            }
            Ok(status) => {
                let id = if (300..=399).contains(&status) { "webhook-redirected" } else { "webhook-refused" };
                let says = Text::new(id).with("status", u64::from(status));
                WebhookTest { is_taken: false, status: Some(status), says }
            }
            Err(error) => WebhookTest { is_taken: false, status: None, says: error.says() },
        })
    }

    async fn post(&self, url: &str, secret: &Secret, id: &str, payload: &str) -> Result<u16, PostError> {
        let Some(courier) = &self.operations.webhooks.courier else {
            return Err(PostError::Connect("nobody posts here".to_owned()));
        };
        let url = Url::parse(url).map_err(|error| PostError::Broken(error.to_string()))?;
        let mut headers = sign::headers(secret, id, self.store.now(), payload)
            .ok_or_else(|| PostError::Broken("the secret is none".to_owned()))?;
        headers.push(("content-type", "application/json".to_owned()));
        headers.push(("user-agent", concat!("Relais/", env!("CARGO_PKG_VERSION")).to_owned()));
        let allowed = self.store.settings().webhooks_allow_internal.clone();
        let posting = courier.post(Parcel { url, headers, body: payload.to_owned(), allowed });
        timeout(POST_TIMEOUT, posting).await.unwrap_or(Err(PostError::Timeout))
    }
}

/// Which event a step of a message is; none for those that nobody can hear of.
fn event_of(event: &TraceEvent) -> Option<WebhookEvent> {
    match event.kind {
        TraceKind::Delivered if event.is_filed_here() => Some(WebhookEvent::MessageReceived),
        TraceKind::Delivered => Some(WebhookEvent::MessageDelivered),
        TraceKind::Failed => Some(WebhookEvent::MessageFailed),
        TraceKind::Queued | TraceKind::Deferred | TraceKind::Refused | TraceKind::Removed => None,
    }
}

/// Whether an event is of the webhook's domain: its sender's or its recipient's.
fn is_of(webhook: &Webhook, event: &TraceEvent) -> bool {
    let Some(domain) = &webhook.domain_name else {
        // Of all; but one whose domain is gone hears nothing more.
        return webhook.domain.is_none();
    };
    let is_there = |address: &str| address.rsplit_once('@').is_some_and(|(_, of)| of == domain.as_str());
    is_there(&event.sender) || is_there(&event.recipient)
}

/// The same for the same event, always; it tells nothing of our rows.
fn event_id(key: TraceKey) -> String {
    let hash = Sha256::digest(key.value().to_be_bytes());
    format!("evt_{}", HEXLOWER.encode(hash.get(..12).unwrap_or_default()))
}

/// As Standard Webhooks shapes it.
pub(crate) fn payload(event: WebhookEvent, at: Timestamp, data: &Value) -> String {
    json!({ "type": event.as_str(), "timestamp": Moment(at), "data": data }).to_string()
}

fn data(event: &TraceEvent) -> Value {
    json!({
        "id": event.trace.as_str(),
        "sender": event.sender,
        "recipient": event.recipient,
        "subject": event.subject,
        "remote": event.remote,
        "reply": event.text,
    })
}

/// Before the next attempt: 5 seconds, then longer, up to 6 hours.
const fn backoff(attempts: u32) -> Duration {
    match attempts {
        0 | 1 => Duration::from_secs(5),
        2 => Duration::from_mins(1),
        3 => Duration::from_mins(5),
        4 => Duration::from_mins(20),
        5 => Duration::from_hours(1),
        6 => Duration::from_hours(3),
        _ => Duration::from_hours(6),
    }
}
