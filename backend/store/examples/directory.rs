//! How long the console's lists take with 10,000 people in 1,000 domains, on SQLite, or with `RELAIS_POSTGRES=URL` on PostgreSQL (a database
//! of its own: it is filled). Prints the median and the slowest of 20 rounds of each list, after
//! one to warm up.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it is run by hand, and measures"
)]

use std::sync::Arc;
use std::time::Instant;

use relais_model::{Address, Domain, SystemClock, SystemRandom};
use relais_store::{
    AccountFilter, AccountOrder, AddressFilter, AddressKind, AddressOrder, AuditFilter, Author, DatabaseUrl,
    DomainChange, DomainFilter, DomainOrder, NewAccount, Order, Page, Role, Store, StoreConfig,
};

const DOMAINS: usize = 1000;
const PEOPLE: usize = 10_000;
const ALIASES: usize = 5000;
const ROUNDS: usize = 20;

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let database = match std::env::var("RELAIS_POSTGRES") {
        Ok(url) => DatabaseUrl::parse(&url).unwrap(),
        Err(_) => DatabaseUrl::Sqlite(dir.path().join("store.db")),
    };
    let config = StoreConfig { database, objects: dir.path().join("objects"), inline_octets: 100_000, readers: 3 };
    let store = Store::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    let started = Instant::now();
    fill(&store).await;
    println!("filled in {:.0?}", started.elapsed());
    measure(&store).await;
    store.close().await;
}

async fn fill(store: &Store) {
    let house = Author::house();
    for number in 0..DOMAINS {
        let start = DomainChange { catch_all: Some(Some(person(number))), ..DomainChange::default() };
        store.add_domain(&domain(number), start, &house).await.unwrap();
    }
    for number in 0..PEOPLE {
        let role = if number % 100 == 0 { Role::DomainAdmin } else { Role::User };
        let name = format!("Given{number} Family{}", number * 7919 % PEOPLE);
        let new = NewAccount { name, role, domains: vec![domain(number)], ..NewAccount::user(person(number)) };
        store.add_account(new, &house).await.unwrap();
    }
    for number in 0..ALIASES {
        let alias = Address::parse(&format!("alias{number}@{}", domain(number))).unwrap();
        let remote = Address::parse(&format!("r{number}@else.example")).unwrap();
        let targets = if number % 3 == 0 { vec![remote] } else { vec![person(number), person(number + 1)] };
        store.add_alias(&alias, targets, &house).await.unwrap();
    }
}

/// A tenth of all people are in one domain, for tenants are of unlike sizes.
fn domain(number: usize) -> Domain {
    let number = if (DOMAINS..2 * DOMAINS).contains(&number) { 0 } else { number % DOMAINS };
    Domain::parse(&format!("domain{number}.example")).unwrap()
}

fn person(number: usize) -> Address {
    Address::parse(&format!("person{number}@{}", domain(number))).unwrap()
}

macro_rules! timed {
    ($what:expr, $act:expr) => {{
        let mut took = Vec::new();
        let mut rows = 0;
        for round in 0..=ROUNDS {
            let started = Instant::now();
            rows = $act.await.unwrap().rows.len();
            if round > 0 {
                took.push(started.elapsed());
            }
        }
        took.sort_unstable();
        let millis = |place: usize| took.get(place).map_or(0.0, |took| took.as_secs_f64() * 1000.0);
        println!("{:<44} {rows:>3} rows {:>8.2} ms {:>8.2} ms", $what, millis(ROUNDS / 2), millis(ROUNDS - 1));
    }};
}

async fn measure(store: &Store) {
    let first = Page { after: None, limit: 50 };
    let all = AccountFilter::default();
    for by in
        [AccountOrder::Address, AccountOrder::Name, AccountOrder::Used, AccountOrder::Created, AccountOrder::LastSeen]
    {
        timed!(format!("people by {by:?}"), store.accounts(&all, Order::of(by), &first));
    }
    let middle = Page { after: Some("person5000@domain0.example".to_owned()), limit: 50 };
    timed!("people by Address, from the middle", store.accounts(&all, Order::default(), &middle));
    let found = |text: &str| AccountFilter { text: Some(text.to_owned()), ..AccountFilter::default() };
    timed!("people, search: many", store.accounts(&found("family"), Order::default(), &first));
    timed!("people, search: one", store.accounts(&found("person9999@"), Order::default(), &first));
    timed!("people, search: none, by name", store.accounts(&found("nobody"), Order::of(AccountOrder::Name), &first));
    let admins = AccountFilter { role: Some(Role::DomainAdmin), ..AccountFilter::default() };
    timed!("people, domain admins", store.accounts(&admins, Order::default(), &first));
    let suspended = AccountFilter { is_suspended: Some(true), ..AccountFilter::default() };
    timed!("people, suspended: none", store.accounts(&suspended, Order::default(), &first));
    let large = store.domain_key(&domain(0)).await.unwrap().unwrap();
    let own = AccountFilter { domains: Some(vec![large]), ..AccountFilter::default() };
    timed!("people of one domain", store.accounts(&own, Order::default(), &first));
    for by in [DomainOrder::Name, DomainOrder::People, DomainOrder::Size] {
        timed!(format!("domains by {by:?}"), store.domains(&DomainFilter::default(), Order::of(by), &first));
    }
    let found = DomainFilter { text: Some("main99".to_owned()), ..DomainFilter::default() };
    timed!("domains, search", store.domains(&found, Order::default(), &first));
    for by in [AddressOrder::Address, AddressOrder::Created] {
        timed!(format!("addresses by {by:?}"), store.addresses(&AddressFilter::default(), Order::of(by), &first));
    }
    for kind in AddressKind::ALL {
        let of = AddressFilter { kinds: vec![kind], ..AddressFilter::default() };
        timed!(format!("addresses: {kind:?}"), store.addresses(&of, Order::default(), &first));
    }
    for text in ["r4998@", "nobody"] {
        let found = AddressFilter { text: Some(text.to_owned()), ..AddressFilter::default() };
        timed!(format!("addresses, search: {text}"), store.addresses(&found, Order::default(), &first));
    }
    timed!("activity", store.audit(&AuditFilter::default(), &first));
    let own = AuditFilter { domains: Some(vec![large]), act: Some("alias.".to_owned()), ..AuditFilter::default() };
    timed!("activity of one domain, aliases", store.audit(&own, &first));
}
