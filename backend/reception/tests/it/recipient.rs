//! Which recipients are taken at which door.

use relais_filing::Filing;
use relais_model::{Domain, Envelope, ForwardPath, ReversePath, Timestamp};
use relais_reception::{Door, Identity, Visit, recipient};
use relais_store::{AccountChange, Author};

use crate::house::{House, address};

fn envelope(declared_octets: Option<u64>) -> Envelope {
    Envelope { declared_octets, ..Envelope::new(ReversePath::Null, Timestamp::default()) }
}

struct Desk {
    house: House,
    filing: Filing,
    identity: Identity,
}

impl Desk {
    async fn open() -> Self {
        let house = House::open().await;
        let ann = house.add_account("ann@example.org", "hash").await;
        let filing = Filing::new(house.store.clone(), Domain::parse("mx.example.org").unwrap());
        Self { house, filing, identity: Identity { account: ann.key, address: ann.address, at: Timestamp::default() } }
    }

    /// What RCPT is answered: the reply's beginning, or how many copies go where.
    async fn ask(&self, door: Door, logged_in: bool, to: &str, octets: Option<u64>) -> String {
        let identity = logged_in.then(|| self.identity.clone());
        // Loopback: it counts for nothing.
        let visit = Visit { identity, ..Visit::new(door, "127.0.0.1".parse().unwrap()) };
        let path = ForwardPath::new(address(to));
        match recipient(&self.filing, false, &visit, &envelope(octets), &path).await {
            Ok(plan) => format!("{} here, {} away", plan.deliveries.len(), plan.forwards.len()),
            Err(reply) => format!("{} {}", reply.code, reply.enhanced.unwrap()),
        }
    }
}

/// Every combination of door, log-in and recipient: only one of them relays.
#[tokio::test]
async fn only_who_has_logged_in_relays() {
    let desk = Desk::open().await;
    for (door, logged_in, ours, theirs) in [
        (Door::Relay, false, "1 here, 0 away", "550 5.7.1"),
        (Door::Relay, true, "1 here, 0 away", "550 5.7.1"),
        (Door::Lmtp, false, "1 here, 0 away", "550 5.7.1"),
        (Door::Lmtp, true, "1 here, 0 away", "550 5.7.1"),
        (Door::Submission, false, "530 5.7.0", "530 5.7.0"),
        (Door::Submission, true, "1 here, 0 away", "0 here, 1 away"),
    ] {
        assert_eq!(desk.ask(door, logged_in, "ann@example.org", None).await, ours, "{door:?} {logged_in}");
        assert_eq!(desk.ask(door, logged_in, "bob@elsewhere.example", None).await, theirs, "{door:?} {logged_in}");
        assert_eq!(desk.ask(door, logged_in, "bob@[192.0.2.1]", None).await, theirs, "{door:?} {logged_in}");
    }
}

/// RFC 3463 §3: each reason has its code.
#[tokio::test]
async fn each_refusal_has_its_code() {
    let desk = Desk::open().await;
    let store = &desk.house.store;
    assert_eq!(desk.ask(Door::Relay, false, "who@example.org", None).await, "550 5.1.1");
    desk.house.add_account("full@example.org", "hash").await;
    let change = |quota| AccountChange { quota_octets: Some(Some(quota)), ..AccountChange::default() };
    store.change_account(&address("full@example.org"), change(1000), None, &Author::house()).await.unwrap();
    assert_eq!(desk.ask(Door::Relay, false, "full@example.org", Some(1000)).await, "1 here, 0 away");
    assert_eq!(desk.ask(Door::Relay, false, "full@example.org", Some(1001)).await, "552 5.2.2");
    let suspension = AccountChange { is_suspended: Some(true), ..AccountChange::default() };
    store.change_account(&address("full@example.org"), suspension, None, &Author::house()).await.unwrap();
    assert_eq!(desk.ask(Door::Relay, false, "full@example.org", None).await, "550 5.2.1");
    for (alias, target) in [("round", "about"), ("about", "round")] {
        let targets = vec![address(&format!("{target}@example.org"))];
        store.add_alias(&address(&format!("{alias}@example.org")), targets, &Author::house()).await.unwrap();
    }
    assert_eq!(desk.ask(Door::Relay, false, "round@example.org", None).await, "550 5.4.6");
}

/// RFC 5321 §4.2.3: a full disk is told before anything is promised.
#[tokio::test]
async fn nothing_is_taken_when_the_disk_is_nearly_full() {
    let desk = Desk::open().await;
    let visit = Visit::new(Door::Relay, "192.0.2.1".parse().unwrap());
    let path = ForwardPath::new(address("ann@example.org"));
    let reply = recipient(&desk.filing, true, &visit, &envelope(None), &path).await.unwrap_err();
    assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (452, "4.3.1".to_owned()));
}
