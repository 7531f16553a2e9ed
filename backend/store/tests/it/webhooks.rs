//! Webhooks: an outbox that loses nothing and gives nothing twice at once.

use std::time::Duration;

use relais_model::{Clock as _, Secret};
use relais_store::{
    AuditFilter, Author, NewWebhook, NewWebhookDelivery, Page, TraceKey, Webhook, WebhookChange, WebhookError,
    WebhookEvent, WebhookSettlement, WebhookState,
};

use crate::house::{House, on_both};

const LEASE: Duration = Duration::from_mins(1);

async fn hook(house: &House, id: &str) -> Webhook {
    let new = NewWebhook {
        id: id.to_owned(),
        account: Some(house.anna),
        domain: None,
        url: "https://hooks.example/in?key=hidden".to_owned(),
        events: vec![WebhookEvent::MessageReceived],
        description: "Bookkeeping".to_owned(),
        secret: Secret::new("whsec_c2VjcmV0"),
    };
    house.store.add_webhook(&Author::house(), new).await.unwrap()
}

async fn queue(house: &House, webhook: &Webhook, ids: &[&str]) -> bool {
    let from = house.store.webhook_cursor().await.unwrap().unwrap();
    let new = ids.iter().map(|id| NewWebhookDelivery {
        webhook: webhook.key,
        event_id: (*id).to_owned(),
        event: WebhookEvent::MessageReceived,
        payload: "{}".to_owned(),
    });
    house.store.queue_webhooks(from, TraceKey::new(from.value() + 1), new.collect()).await.unwrap()
}

async fn claim(house: &House) -> Vec<relais_store::ClaimedDelivery> {
    house.store.claim_webhooks(4, LEASE, &[]).await.unwrap()
}

async fn states(house: &House, webhook: &Webhook) -> Vec<String> {
    let rows = house.store.webhook_deliveries(webhook.key, &Page::first()).await.unwrap().rows;
    rows.iter().map(|row| format!("{} {} {}", row.event_id, row.state.as_str(), row.attempts)).collect()
}

#[test]
fn what_is_queued_is_claimed_one_a_webhook_and_settled() {
    on_both(|house| async move {
        let (one, other) = (hook(&house, "wh_1").await, hook(&house, "wh_2").await);
        assert!(queue(&house, &one, &["e1", "e2"]).await);
        assert!(queue(&house, &other, &["e1"]).await);
        let claimed = claim(&house).await;
        assert_eq!(claimed.len(), 2);
        assert_eq!((claimed[0].url.as_str(), claimed[0].secret.expose()), (one.url.as_str(), "whsec_c2VjcmV0"));
        assert!(!format!("{claimed:?}").contains("c2VjcmV0"));
        // The worker says who is busy; the lease alone keeps the claimed one.
        let busy = [one.key, other.key];
        assert!(house.store.claim_webhooks(4, LEASE, &busy).await.unwrap().is_empty());
        let now = house.clock.now();
        let settle = |state| WebhookSettlement {
            state,
            next_attempt_at: now.plus(LEASE),
            status: Some(500),
            error: String::new(),
        };
        house.store.settle_webhook(claimed[0].delivery.key, settle(WebhookState::Waiting)).await.unwrap();
        house.store.settle_webhook(claimed[1].delivery.key, settle(WebhookState::Delivered)).await.unwrap();
        assert_eq!(states(&house, &one).await, ["e2 waiting 0", "e1 waiting 1"]);
        assert_eq!(states(&house, &other).await, ["e1 delivered 1"]);
        assert_eq!(house.store.webhook_last_success(other.key).await.unwrap(), Some(now));
        assert_eq!(claim(&house).await.len(), 1, "the second of the first webhook goes ahead");
        house.clock.advance(LEASE);
        assert_eq!(claim(&house).await[0].delivery.event_id, "e1", "a claim has ended by itself, the older goes first");
        house.check().await;
    });
}

#[test]
fn a_cursor_that_was_moved_meanwhile_queues_nothing() {
    on_both(|house| async move {
        let webhook = hook(&house, "wh_1").await;
        let from = house.store.webhook_cursor().await.unwrap().unwrap();
        assert!(queue(&house, &webhook, &["e1"]).await);
        assert!(!house.store.queue_webhooks(from, TraceKey::new(from.value() + 9), Vec::new()).await.unwrap());
        assert_eq!(states(&house, &webhook).await, ["e1 waiting 0"]);
        house.clock.advance(Duration::from_hours(1));
        hook(&house, "wh_2").await;
        let cursor = house.store.webhook_cursor().await.unwrap().unwrap();
        assert_eq!(cursor.value(), from.value() + 1, "a second webhook doesn't move it");
        house.check().await;
    });
}

#[test]
fn webhooks_change_stop_and_go_with_their_owner() {
    on_both(|house| async move {
        let webhook = hook(&house, "wh_1").await;
        queue(&house, &webhook, &["e1"]).await;
        let by = Author::house();
        let change = WebhookChange { description: Some("New".to_owned()), ..WebhookChange::default() };
        let changed = house.store.change_webhook(&by, "wh_1", change.clone()).await.unwrap();
        assert_eq!((changed.description.as_str(), changed.is_enabled), ("New", true));
        house.store.change_webhook(&by, "wh_1", change.clone()).await.unwrap();
        house.store.stop_webhook(webhook.key, "no success for 24 hours").await.unwrap();
        let stopped = house.store.webhook("wh_1").await.unwrap().unwrap();
        assert_eq!((stopped.is_enabled, stopped.stopped_because.as_str()), (false, "no success for 24 hours"));
        assert_eq!(states(&house, &webhook).await, ["e1 given_up 0"]);
        assert!(house.store.enabled_webhooks().await.unwrap().is_empty());
        assert!(house.store.resend_webhook(&by, &stopped, "e1").await.unwrap());
        assert!(!house.store.resend_webhook(&by, &stopped, "e9").await.unwrap());
        let mut told = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows;
        told.retain(|entry| entry.act.starts_with("webhook"));
        let acts: Vec<&str> = told.iter().map(|entry| entry.act.as_str()).collect();
        assert_eq!(acts, ["webhook.resend", "webhook.stop", "webhook.change", "webhook.create"]);
        assert!(!format!("{told:?}").contains("hidden"), "what may be a secret stands in no activity");
        let unknown = house.store.change_webhook(&by, "wh_9", change).await;
        assert!(matches!(unknown, Err(WebhookError::Unknown)));
        house.clock.advance(Duration::from_hours(8 * 24));
        house.store.remove_webhook(&by, "wh_1").await.unwrap();
        assert!(states(&house, &webhook).await.is_empty());
        house.check().await;
    });
}

#[test]
fn what_was_told_long_ago_is_forgotten() {
    on_both(|house| async move {
        let webhook = hook(&house, "wh_1").await;
        queue(&house, &webhook, &["e1", "e2"]).await;
        let claimed = claim(&house).await;
        let now = house.clock.now();
        let settlement = WebhookSettlement {
            state: WebhookState::Delivered,
            next_attempt_at: now,
            status: Some(200),
            error: String::new(),
        };
        house.store.settle_webhook(claimed[0].delivery.key, settlement).await.unwrap();
        assert_eq!(house.store.prune_webhooks().await.unwrap(), 0);
        house.clock.advance(Duration::from_hours(8 * 24));
        assert_eq!(house.store.prune_webhooks().await.unwrap(), 1);
        assert_eq!(states(&house, &webhook).await, ["e2 waiting 0"]);
        house.check().await;
    });
}
