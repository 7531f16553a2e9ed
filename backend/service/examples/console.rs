//! How long the console's use-cases take with 10,000 people in 1,000 domains, a million events of mail and a queue, on SQLite, or with
//! `RELAIS_POSTGRES=URL` on PostgreSQL (a database of its own: it is filled). `cargo xtask console-bench` runs it. `RELAIS_QUEUED=100000`
//! makes the queue another length.
//!
//! All is written as the house writes it: domains, people and aliases one by one, mail accepted, queued, tried and taken. Time is a clock
//! of its own that goes through thirty days. Printed are the median and the slowest of 20 rounds, after one to warm up.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it is run by hand, and measures"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use relais_model::{Address, BodyType, Clock as _, Domain, ReversePath, Timestamp};
use relais_reception::Login;
use relais_service::{
    ActivityWanted, Actor, AddressKind, AddressSort, AddressesWanted, DomainSort, DomainsWanted, MessageQuery, Paging,
    PeopleWanted, PersonSort, QueueQuery, QueueSort, Reach, Role, Service,
};
use relais_store::{
    Acceptance, Author, Claim, Content, DatabaseUrl, DomainChange, LoginNote, LoginProtocol, LoginWay, NewAccount,
    NewQueued, NewRecipient, Outcome, Page, QueuedRecipient, Settlement, Store, StoreConfig, TraceId,
};
use relais_testkit::{ManualClock, SeededRandom};

const DOMAINS: usize = 1000;
const PEOPLE: usize = 10_000;
const ALIASES: usize = 5000;
const MESSAGES: usize = 5000;
/// Each is queued, and then taken, deferred or given up: two events.
const RECIPIENTS: usize = 100;
/// Recipients that still wait in the end.
const QUEUED: usize = 1000;
const FAILED_LOGINS: usize = 10_000;
const ROUNDS: usize = 20;
const DAYS: u64 = 30;

struct House {
    store: Store,
    service: Service,
    clock: Arc<ManualClock>,
}

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let database = match std::env::var("RELAIS_POSTGRES") {
        Ok(url) => DatabaseUrl::parse(&url).unwrap(),
        Err(_) => DatabaseUrl::Sqlite(dir.path().join("store.db")),
    };
    let config = StoreConfig { database, objects: dir.path().join("objects"), inline_octets: 100_000, readers: 3 };
    let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_795_428_000)));
    let random = SeededRandom::new(1);
    let store = Store::open(config, clock.clone(), Arc::new(SeededRandom::new(2))).await.unwrap();
    let login = Arc::new(Login::new(store.clone(), clock.clone(), &random));
    let house = House { service: Service::new(store.clone(), login), store, clock };
    let started = Instant::now();
    fill_directory(&house.store).await;
    println!("people, domains and aliases in {:.0?}", started.elapsed());
    fill_mail(&house).await;
    fill_logins(&house).await;
    println!("and mail in {:.0?}", started.elapsed());
    let started = Instant::now();
    house.service.count_flow().await.unwrap();
    println!("the mail of the last day counted in {:.0?}, once after a start", started.elapsed());
    measure(&house).await;
    house.store.close().await;
}

async fn fill_directory(store: &Store) {
    let by = Author::house();
    for number in 0..DOMAINS {
        let start = DomainChange { catch_all: Some(Some(person(number))), ..DomainChange::default() };
        store.add_domain(&domain(number), start, &by).await.unwrap();
    }
    for number in 0..PEOPLE {
        let role = match number {
            1 => relais_store::Role::Owner,
            _ if number % 100 == 0 => relais_store::Role::DomainAdmin,
            _ => relais_store::Role::User,
        };
        let name = format!("Given{number} Family{}", number * 7919 % PEOPLE);
        let new = NewAccount { name, role, domains: vec![domain(number)], ..NewAccount::user(person(number)) };
        store.add_account(new, &by).await.unwrap();
    }
    for number in 0..ALIASES {
        let alias = Address::parse(&format!("alias{number}@{}", domain(number))).unwrap();
        let remote = Address::parse(&format!("r{number}@else.example")).unwrap();
        let targets = if number % 3 == 0 { vec![remote] } else { vec![person(number), person(number + 1)] };
        store.add_alias(&alias, targets, &by).await.unwrap();
    }
}

async fn fill_mail(house: &House) {
    let waiting = std::env::var("RELAIS_QUEUED").ok().and_then(|text| text.parse().ok()).unwrap_or(QUEUED);
    let step = Duration::from_secs(DAYS * 24 * 3600 / u64::try_from(MESSAGES).unwrap());
    for number in 0..MESSAGES {
        house.clock.advance(step);
        queue(house, number).await;
        settle(house, number).await;
    }
    for number in 0..waiting / RECIPIENTS {
        queue(house, MESSAGES + number).await;
    }
}

async fn queue(house: &House, number: usize) {
    let reverse_path = ReversePath::Address(person(number));
    let recipient = |at: usize| {
        // A thousand other hosts, of which a few get most.
        let (at, of) = (number * RECIPIENTS + at, number * at % 1000);
        let address = Address::parse(&format!("r{}@host{}.example", at % 50_000, of * of / 1000)).unwrap();
        NewRecipient { address, notify: None, original: None }
    };
    let queued = NewQueued {
        reverse_path: reverse_path.clone(),
        ret: None,
        envelope_id: None,
        body_type: BodyType::SevenBit,
        smtputf8: false,
        require_tls: false,
        submitter: None,
        recipients: (0..RECIPIENTS).map(recipient).collect(),
        expires_at: house.clock.now().plus(Duration::from_hours(120)),
    };
    let subject = format!("Subject: Report {number} of week {}\r\n\r\nHello\r\n", number / 150);
    let acceptance = Acceptance {
        content: Content::prepare(subject.into_bytes()),
        reverse_path,
        deliveries: Vec::new(),
        outbound: Some(queued),
        trace: TraceId::parse(&format!("bench{number}")).unwrap(),
        from_peer: "192.0.2.1".to_owned(),
        judgement: None,
        submission: None,
    };
    house.store.accept(acceptance).await.unwrap();
}

async fn settle(house: &House, number: usize) {
    loop {
        let claim = Claim { limit: 500, per_destination: 500, lease: Duration::from_mins(1), busy: Vec::new() };
        let claimed = house.store.queue_claim(claim).await.unwrap();
        let recipients: Vec<&QueuedRecipient> = claimed.iter().flat_map(|claimed| &claimed.recipients).collect();
        if recipients.is_empty() {
            return;
        }
        let settled = recipients.iter().enumerate().map(|(at, recipient)| {
            let remote = format!("mx{}.example", at % 50);
            let outcome = if (number + at).is_multiple_of(50) {
                Outcome::Failed { reply: "550 5.1.1 No such user".to_owned(), remote, is_unknown: true }
            } else {
                Outcome::Delivered { reply: "250 2.0.0 Ok".to_owned(), remote, protection: None }
            };
            Settlement { recipient: recipient.key, outcome }
        });
        house.store.queue_settle(settled.collect(), Vec::new()).await.unwrap();
    }
}

/// Someone tries many names from many places.
async fn fill_logins(house: &House) {
    for number in 0..FAILED_LOGINS {
        house.store.note_login(LoginNote {
            account: None,
            name: person(number).to_string(),
            protocol: LoginProtocol::Imap,
            ip: std::net::Ipv4Addr::from_bits(0xCB00_7100 + u32::try_from(number % 5000).unwrap()).into(),
            is_granted: false,
            app_password: None,
            way: LoginWay::Password,
            at: house.clock.now(),
        });
        if number % 400 == 399 {
            // Whoever lists sees all that was noted: the batch is written.
            house.store.failed_logins(relais_store::LoginScope::All, &Page::first()).await.unwrap();
        }
    }
}

/// A tenth of all people are in one domain, for tenants are of unlike sizes.
fn domain(number: usize) -> Domain {
    let number = if (DOMAINS..2 * DOMAINS).contains(&number) { 0 } else { number % DOMAINS };
    Domain::parse(&format!("domain{number}.example")).unwrap()
}

fn person(number: usize) -> Address {
    let number = number % PEOPLE;
    Address::parse(&format!("person{number}@{}", domain(number))).unwrap()
}

macro_rules! timed {
    ($what:expr, $act:expr) => {{
        let mut took = Vec::new();
        for round in 0..=ROUNDS {
            let started = Instant::now();
            $act.await.unwrap();
            if round > 0 {
                took.push(started.elapsed());
            }
        }
        took.sort_unstable();
        let millis = |place: usize| took.get(place).map_or(0.0, |took| took.as_secs_f64() * 1000.0);
        println!("| {} | {:.1} | {:.1} |", $what, millis(ROUNDS / 2), millis(ROUNDS - 1));
    }};
}

async fn measure(house: &House) {
    let House { store, service, .. } = house;
    let owner = Actor::command_line();
    let large = store.domain_key(&domain(0)).await.unwrap().unwrap();
    let reach = Reach::Domains(vec![(large, domain(0))]);
    let admin = Actor { role: Role::DomainAdmin, reach, ..Actor::command_line() };
    println!("| what a page asks | median, ms | slowest, ms |\n|---|---:|---:|");
    for (who, by) in [("owner", &owner), ("admin of the largest domain", &admin)] {
        timed!(format!("overview, {who}"), service.overview(by));
        measure_directory(service, who, by).await;
        measure_mail(service, who, by).await;
        timed!(format!("activity, {who}"), service.activity.list(by, &ActivityWanted::default()));
        timed!(format!("security, {who}"), service.security(by));
    }
}

async fn measure_directory(service: &Service, who: &str, by: &Actor) {
    for sort in [DomainSort::Name, DomainSort::People, DomainSort::Size] {
        let wanted = DomainsWanted { sort, ..DomainsWanted::default() };
        timed!(format!("domains by {sort:?}, {who}"), service.domains.list(by, &wanted));
    }
    for sort in [PersonSort::Address, PersonSort::Name, PersonSort::Used, PersonSort::Created, PersonSort::LastSeen] {
        let wanted = PeopleWanted { sort, ..PeopleWanted::default() };
        timed!(format!("people by {sort:?}, {who}"), service.people.list(by, &wanted));
    }
    for text in ["family", "person1999@", "nobody"] {
        let wanted = PeopleWanted { search: Some(text.to_owned()), ..PeopleWanted::default() };
        timed!(format!("people, search `{text}`, {who}"), service.people.list(by, &wanted));
    }
    for sort in [AddressSort::Address, AddressSort::Created] {
        let wanted = AddressesWanted { sort, ..AddressesWanted::default() };
        timed!(format!("addresses by {sort:?}, {who}"), service.addresses.list(by, &wanted));
    }
    let forwards = AddressesWanted { kind: vec![AddressKind::Forward], ..AddressesWanted::default() };
    timed!(format!("addresses: forwards, {who}"), service.addresses.list(by, &forwards));
    for text in ["r4998@", "nobody"] {
        let wanted = AddressesWanted { search: Some(text.to_owned()), ..AddressesWanted::default() };
        timed!(format!("addresses, search `{text}`, {who}"), service.addresses.list(by, &wanted));
    }
}

async fn measure_mail(service: &Service, who: &str, by: &Actor) {
    let first = || Paging { after: None, limit: 50 };
    timed!(format!("queue, numbers, {who}"), service.queue_chart(by));
    for sort in [QueueSort::Newest, QueueSort::NextAttempt] {
        timed!(format!("queue by {sort:?}, {who}"), service.queue_items(by, &QueueQuery::default(), sort, first()));
    }
    let text = QueueQuery { text: Some("nobody".to_owned()), ..QueueQuery::default() };
    timed!(format!("queue, search without a hit, {who}"), service.queue_items(by, &text, QueueSort::Newest, first()));
    let any = MessageQuery::default();
    timed!(format!("messages, {who}"), service.messages(by, &any, first()));
    let address = |text: String| MessageQuery { address: Some(text), ..MessageQuery::default() };
    let (sender, recipient) = (address(person(1500).to_string()), address("r7000@host0.example".to_owned()));
    timed!(format!("messages from an address, {who}"), service.messages(by, &sender, first()));
    timed!(format!("messages to an address, {who}"), service.messages(by, &recipient, first()));
    let subject = |text: &str| MessageQuery { subject: Some(text.to_owned()), ..MessageQuery::default() };
    timed!(format!("messages, subject found, {who}"), service.messages(by, &subject("report week"), first()));
    timed!(format!("messages, subject in none, {who}"), service.messages(by, &subject("nowhere"), first()));
    let id = MessageQuery { id: Some("bench1500".to_owned()), ..MessageQuery::default() };
    timed!(format!("messages by id, {who}"), service.messages(by, &id, first()));
    timed!(format!("a message's story, {who}"), service.message_story(by, "bench1500"));
}
