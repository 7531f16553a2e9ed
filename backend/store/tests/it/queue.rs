//! The queue: claims, settlements, acts by hand, and the trace.

use std::time::Duration;

use relais_model::{Clock as _, Domain};
use relais_store::{
    Author, Claim, ClaimedMessage, Outcome, Page, Protection, QueueAct, QueueFilter, QueueOrder, QueueState,
    RecipientKey, Settlement, TraceFilter, TraceId, TraceKind,
};

use crate::house::{House, on_both};
use crate::people::{address, domain, queue};

const LEASE: Duration = Duration::from_mins(10);

async fn claim(house: &House, busy: &[&str]) -> Vec<ClaimedMessage> {
    let busy: Vec<Domain> = busy.iter().map(|name| domain(name)).collect();
    house.store.queue_claim(Claim { limit: 100, per_destination: 50, lease: LEASE, busy }).await.unwrap()
}

/// What was claimed: trace, destination, how many.
fn words(claimed: &[ClaimedMessage]) -> Vec<String> {
    claimed
        .iter()
        .map(|claimed| format!("{} {} {}", claimed.message.trace, claimed.destination, claimed.recipients.len()))
        .collect()
}

fn keys(claimed: &[ClaimedMessage]) -> Vec<RecipientKey> {
    claimed.iter().flat_map(|claimed| claimed.recipients.iter().map(|recipient| recipient.key)).collect()
}

async fn settle(house: &House, keys: &[RecipientKey], outcome: Outcome) {
    let settlements = keys.iter().map(|key| Settlement { recipient: *key, outcome: outcome.clone() }).collect();
    house.store.queue_settle(settlements, Vec::new()).await.unwrap();
}

async fn kinds(house: &House, trace: &str) -> Vec<TraceKind> {
    let filter = TraceFilter { trace: TraceId::parse(trace), ..TraceFilter::default() };
    let mut events = house.store.trace(&filter, &Page::first()).await.unwrap().rows;
    events.reverse();
    events.into_iter().map(|event| event.kind).collect()
}

async fn act(house: &House, act: QueueAct, filter: &QueueFilter) -> u64 {
    house.store.queue_act(&Author::house(), act, filter, None).await.unwrap()
}

/// Whom the queue holds for, of what a filter means.
async fn whom(house: &House, order: QueueOrder, filter: &QueueFilter) -> Vec<String> {
    let mut page = Page { after: None, limit: 2 };
    let mut found = Vec::new();
    loop {
        let listing = house.store.queue_list_by(order, filter, &page).await.unwrap();
        found.extend(listing.rows.into_iter().map(|entry| entry.recipient.address.to_string()));
        let Some(next) = listing.next else { return found };
        page.after = Some(next);
    }
}

fn delivered() -> Outcome {
    Outcome::Delivered {
        reply: "250 2.0.0 Ok".to_owned(),
        remote: "mx.x.example".to_owned(),
        protection: Some(Protection::Dane),
    }
}

#[test]
fn what_is_due_is_claimed_once_by_message_and_destination() {
    on_both(|house| async move {
        queue(&house, "first", &["a@x.example", "b@x.example", "c@y.example"]).await;
        house.clock.advance(Duration::from_secs(1));
        queue(&house, "second", &["d@x.example"]).await;
        assert_eq!(words(&claim(&house, &["y.example"]).await), ["first x.example 2", "second x.example 1"]);
        assert_eq!(words(&claim(&house, &[]).await), ["first y.example 1"]);
        assert!(claim(&house, &[]).await.is_empty());
        assert_eq!(house.store.queue_counts().await.unwrap().claimed, 4);
    });
}

#[test]
fn no_destination_takes_the_place_of_others() {
    on_both(|house| async move {
        let many: Vec<String> = (0..200).map(|number| format!("p{number}@x.example")).collect();
        queue(&house, "many", &many.iter().map(String::as_str).collect::<Vec<_>>()).await;
        queue(&house, "one", &["a@y.example"]).await;
        assert_eq!(words(&claim(&house, &[]).await), ["many x.example 50", "one y.example 1"]);
        assert_eq!(words(&claim(&house, &["x.example"]).await), Vec::<String>::new());
        assert_eq!(words(&claim(&house, &[]).await), ["many x.example 50"]);
    });
}

#[test]
fn a_claim_ends_with_its_lease() {
    on_both(|house| async move {
        queue(&house, "first", &["a@x.example"]).await;
        assert_eq!(claim(&house, &[]).await.len(), 1);
        house.clock.advance(LEASE.saturating_sub(Duration::from_millis(1)));
        assert!(claim(&house, &[]).await.is_empty());
        house.clock.advance(Duration::from_millis(1));
        assert_eq!(claim(&house, &[]).await.len(), 1);
    });
}

/// With SQLite no other process can hold a claim, so a dead one's are void at once; elsewhere they end with their lease.
#[test]
fn a_restart_loses_no_claimed_recipient() {
    on_both(|house| async move {
        let mut house = house;
        queue(&house, "first", &["a@x.example"]).await;
        assert_eq!(claim(&house, &[]).await.len(), 1);
        house = house.reopen().await;
        if house.store.engine() == relais_store::Engine::Postgres {
            house.clock.advance(LEASE);
        }
        assert_eq!(claim(&house, &[]).await.len(), 1);
    });
}

#[test]
fn a_delivered_recipient_goes_and_with_the_last_its_message() {
    on_both(|house| async move {
        queue(&house, "first", &["a@x.example", "b@y.example"]).await;
        let claimed = keys(&claim(&house, &[]).await);
        settle(&house, &claimed[..1], delivered()).await;
        let left = house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows;
        assert_eq!(left.len(), 1);
        let failed =
            Outcome::Failed { reply: "550 5.1.1 No".to_owned(), remote: "mx.y.example".to_owned(), is_unknown: true };
        settle(&house, &claimed, failed).await;
        assert!(house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows.is_empty());
        assert_eq!(house.store.queue_next_due().await.unwrap(), None);
        assert_eq!(
            kinds(&house, "first").await,
            [TraceKind::Queued, TraceKind::Queued, TraceKind::Delivered, TraceKind::Failed]
        );
        assert_eq!(house.store.check().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_deferred_recipient_waits_and_remembers_why() {
    on_both(|house| async move {
        queue(&house, "first", &["a@x.example"]).await;
        let claimed = keys(&claim(&house, &[]).await);
        let until = house.clock.now().plus(Duration::from_hours(1));
        let reply = format!("451 4.7.1 Later, {}", "é".repeat(2000));
        let outcome = Outcome::Deferred { until, reply, remote: "mx.x.example".to_owned(), delay_told: true };
        settle(&house, &claimed, outcome).await;
        let entry = house.store.queued_recipient(claimed[0]).await.unwrap().unwrap().recipient;
        assert_eq!((entry.state, entry.attempts, entry.delay_told), (QueueState::Waiting, 1, true));
        assert!(entry.last_reply.unwrap().starts_with("451 4.7.1 Later, é"));
        assert_eq!(house.store.queue_next_due().await.unwrap(), Some(until));
        assert!(claim(&house, &[]).await.is_empty());
        house.clock.set(until);
        let again = keys(&claim(&house, &[]).await);
        let until = until.plus(Duration::from_secs(1));
        settle(&house, &again, Outcome::Untried { until }).await;
        let entry = house.store.queued_recipient(claimed[0]).await.unwrap().unwrap().recipient;
        assert_eq!((entry.state, entry.attempts, entry.next_attempt_at), (QueueState::Waiting, 1, until));
    });
}

#[test]
fn people_hold_release_hasten_and_remove() {
    on_both(|house| async move {
        queue(&house, "first", &["a@x.example", "b@y.example"]).await;
        queue(&house, "second", &["c@x.example"]).await;
        let store = &house.store;
        let at_x = QueueFilter { destination: Some(domain("x.example")), ..QueueFilter::default() };
        let to_c = QueueFilter { recipient: Some(address("c@x.example")), ..QueueFilter::default() };
        assert_eq!(act(&house, QueueAct::Hold, &at_x).await, 2);
        assert_eq!(words(&claim(&house, &[]).await), ["first y.example 1"]);
        assert_eq!(act(&house, QueueAct::Hold, &QueueFilter::default()).await, 0, "what is claimed is left alone");
        assert_eq!(act(&house, QueueAct::Release, &to_c).await, 1);
        let claimed = claim(&house, &[]).await;
        assert_eq!(words(&claimed), ["second x.example 1"]);
        let until = house.clock.now().plus(LEASE);
        settle(&house, &keys(&claimed), Outcome::Untried { until }).await;
        assert_eq!(act(&house, QueueAct::Retry, &to_c).await, 1);
        assert_eq!(words(&claim(&house, &[]).await), ["second x.example 1"]);
        assert_eq!(
            act(&house, QueueAct::Remove, &QueueFilter::default()).await,
            1,
            "only what is held is left to remove"
        );
        let held = QueueFilter { state: Some(QueueState::Held), ..QueueFilter::default() };
        assert!(store.queue_list(&held, &Page::first()).await.unwrap().rows.is_empty());
        assert_eq!(kinds(&house, "first").await, [TraceKind::Queued, TraceKind::Queued, TraceKind::Removed]);
    });
}

#[test]
fn the_queue_is_listed_in_pages_in_the_order_of_coming() {
    on_both(|house| async move {
        for number in 0..5 {
            queue(&house, &format!("m{number}"), &["a@x.example", "b@y.example"]).await;
        }
        let mut page = Page { after: None, limit: 3 };
        let mut seen = Vec::new();
        loop {
            let listing = house.store.queue_list(&QueueFilter::default(), &page).await.unwrap();
            seen.extend(listing.rows.into_iter().map(|entry| (entry.message.trace, entry.recipient.key)));
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        assert_eq!(seen.len(), 10);
        assert!(seen.is_sorted_by_key(|(_, key)| *key));
        let one = QueueFilter { trace: TraceId::parse("m3"), ..QueueFilter::default() };
        assert_eq!(house.store.queue_list(&one, &Page::first()).await.unwrap().rows.len(), 2);
    });
}

#[test]
fn the_trace_answers_by_address_latest_first_and_forgets() {
    on_both(|house| async move {
        let began_at = house.clock.now();
        for number in 0..4 {
            queue(&house, &format!("m{number}"), &["Bob@x.example"]).await;
            house.clock.advance(Duration::from_mins(1));
        }
        let of = |text| TraceFilter { address: Some(address(text)), ..TraceFilter::default() };
        let first = house.store.trace(&of("bob@x.example"), &Page { after: None, limit: 3 }).await.unwrap();
        let traces: Vec<String> = first.rows.iter().map(|event| event.trace.to_string()).collect();
        assert_eq!(traces, ["m3", "m2", "m1"]);
        let rest = house.store.trace(&of("bob@x.example"), &Page { after: first.next, limit: 3 }).await.unwrap();
        assert_eq!((rest.rows.len(), rest.next), (1, None));
        assert_eq!(house.store.trace(&of("ann@example.org"), &Page::first()).await.unwrap().rows.len(), 4);
        let since = TraceFilter { since: Some(began_at.plus(Duration::from_secs(90))), ..TraceFilter::default() };
        assert_eq!(house.store.trace(&since, &Page::first()).await.unwrap().rows.len(), 2);
        assert_eq!(house.store.trace_prune(began_at.plus(Duration::from_secs(90))).await.unwrap(), 2);
        assert_eq!(house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows.len(), 2);
    });
}

#[test]
fn each_filter_finds_its_part_of_the_queue() {
    on_both(|house| async move {
        queue(&house, "first", &["a@x.example", "b@y.example"]).await;
        house.clock.advance(Duration::from_mins(10));
        let since = house.clock.now();
        queue(&house, "second", &["c_1@x.example", "c11@x.example"]).await;
        let check = async |filter: QueueFilter, expected: &[&str]| {
            assert_eq!(whom(&house, QueueOrder::Oldest, &filter).await, expected, "{filter:?}");
            let newest: Vec<&str> = expected.iter().rev().copied().collect();
            assert_eq!(whom(&house, QueueOrder::Newest, &filter).await, newest, "{filter:?}");
            assert_eq!(whom(&house, QueueOrder::NextAttempt, &filter).await, expected, "{filter:?}");
            let count = u64::try_from(expected.len()).unwrap();
            assert_eq!(house.store.queue_counts_of(&filter).await.unwrap().waiting, count, "{filter:?}");
        };
        let any = QueueFilter::default;
        check(any(), &["a@x.example", "b@y.example", "c_1@x.example", "c11@x.example"]).await;
        check(QueueFilter { queued_before: Some(since), ..any() }, &["a@x.example", "b@y.example"]).await;
        check(QueueFilter { text: Some("C_1".to_owned()), ..any() }, &["c_1@x.example"]).await;
        check(QueueFilter { text: Some("%".to_owned()), ..any() }, &[]).await;
        check(QueueFilter { domains: Some(vec![domain("y.example")]), ..any() }, &["b@y.example"]).await;
        check(QueueFilter { domains: Some(vec![domain("x.org")]), ..any() }, &[]).await;
        check(QueueFilter { domains: Some(Vec::new()), ..any() }, &[]).await;
        let of_sender = QueueFilter { domains: Some(vec![domain("example.org")]), ..any() };
        check(of_sender, &["a@x.example", "b@y.example", "c_1@x.example", "c11@x.example"]).await;
        let trace = |text| TraceId::parse(text).unwrap();
        let items = vec![(trace("first"), Some(address("b@y.example"))), (trace("second"), None)];
        let items = QueueFilter { items: Some(items), ..any() };
        check(items.clone(), &["b@y.example", "c_1@x.example", "c11@x.example"]).await;
        let of_x = QueueFilter { domains: Some(vec![domain("x.example")]), ..items };
        assert_eq!(act(&house, QueueAct::Hold, &of_x).await, 2, "what one may not see, one does nothing to");
        check(QueueFilter { state: Some(QueueState::Waiting), ..any() }, &["a@x.example", "b@y.example"]).await;
        let top = house.store.queue_destinations(&any(), 1).await.unwrap();
        assert_eq!((top.len(), top[0].destination.as_str(), top[0].counts.held), (1, "x.example", 2));
        let told = house.store.audit(&relais_store::AuditFilter::default(), &Page::first()).await.unwrap().rows;
        let hold = told.iter().find(|entry| entry.act == "queue.hold").unwrap();
        assert_eq!(hold.after.as_ref().unwrap()["recipients"], 2);
        house.check().await;
    });
}
