//! What the worker does with a CA that signs, refuses, fails, or says to wait.

use std::time::Duration;

use relais_certs::{AuthorityError, Problem, Rank, RenewalWindow};
use relais_model::{Clock as _, Domain};
use relais_store::{Author, NameState, OrderOutcome, Page, WantedName};

use crate::house::{HOST, House};

const STS: &str = "mta-sts.house.example";
const AUTOCONFIG: &str = "autoconfig.house.example";

fn problem(kind: &str, says: &str) -> Problem {
    Problem { kind: kind.to_owned(), says: says.to_owned() }
}

async fn set(house: &House, name: &str, value: &str) {
    house.store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
}

#[tokio::test]
async fn nothing_is_ordered_until_someone_agrees() {
    let house = House::open().await;
    set(&house, "acme.enabled", "false").await;
    house.dns.lead_here(HOST);
    house.settle().await;
    assert!(house.ca.accounts.lock().unwrap().is_empty());
    assert_eq!(house.shown(HOST).0, Rank::SelfSigned);
    assert_eq!(house.name(STS).await.state, NameState::Waiting, "the page shows what is wanted all the same");
}

#[tokio::test]
async fn names_are_ordered_as_their_dns_comes() {
    let house = House::open().await;
    assert!(house.settle().await <= Duration::from_mins(5));
    assert!(house.orders().await.is_empty());
    assert_eq!(
        (house.name(HOST).await.state, house.name(HOST).await.problem.as_str()),
        (NameState::Waiting, "noAddress")
    );
    house.dns.lead_here(HOST);
    house.clock.advance(Duration::from_hours(1));
    house.settle().await;
    assert_eq!(house.orders().await, [format!("issued: {HOST}")]);
    assert_eq!(house.shown(HOST), (Rank::Acme, vec![HOST.to_owned()]));
    house.dns.lead_here(STS);
    house.clock.advance(Duration::from_hours(2));
    house.settle().await;
    assert_eq!(house.orders().await[1], format!("issued: {STS} {HOST}"));
    assert_eq!(house.shown(STS), (Rank::Acme, vec![STS.to_owned(), HOST.to_owned()]));
    assert_eq!(house.store.certificates(None, &Page::first()).await.unwrap().rows.len(), 1, "the first one went");
    assert_eq!(house.name(AUTOCONFIG).await.state, NameState::Waiting);
    assert_eq!(house.ca.accounts.lock().unwrap().len(), 1);
    assert!(house.store.check().await.unwrap().is_empty());
}

#[tokio::test]
async fn one_bad_name_holds_up_no_other() {
    let house = House::open().await;
    for name in [HOST, STS, AUTOCONFIG] {
        house.dns.lead_here(name);
    }
    let words = problem("caa", "CAA record prevents issuance");
    house.ca.refused.lock().unwrap().insert(STS.to_owned(), words.clone());
    house.settle().await;
    let orders = house.orders().await;
    assert_eq!(orders, [format!("refused: {AUTOCONFIG} {STS} {HOST}"), format!("issued: {AUTOCONFIG} {HOST}")]);
    let refused = house.name(STS).await;
    assert_eq!(
        (refused.state, refused.problem.as_str(), refused.says.as_str()),
        (NameState::Refused, "caa", words.says.as_str())
    );
    assert_eq!(refused.failures, 1);
    house.clock.advance(Duration::from_mins(20));
    house.settle().await;
    assert_eq!(house.name(STS).await.failures, 2, "it is tried again, later and later");
    house.ca.refused.lock().unwrap().clear();
    house.clock.advance(Duration::from_hours(1));
    house.settle().await;
    assert_eq!(house.name(STS).await.state, NameState::Covered);
}

#[tokio::test]
async fn a_ca_that_is_down_is_asked_more_and_more_rarely() {
    let house = House::open().await;
    house.dns.lead_here(HOST);
    let down = || AuthorityError::Failed(problem("connection", "connection refused"));
    house.ca.failures.lock().unwrap().extend((0..12).map(|_| down()));
    let begun = house.clock.now();
    while house.ca.orders.lock().unwrap().len() < 13 {
        house.worker.turn().await.unwrap();
        let account = house.store.acme_account("https://ca.example/directory").await.unwrap().unwrap();
        if let Some(until) = account.rest_until {
            house.clock.set(until);
        }
    }
    let hours = house.clock.now().since(begun).as_secs() / 3600;
    assert!((40..120).contains(&hours), "{hours} hours for twelve failures");
    assert_eq!(house.shown(HOST).0, Rank::Acme);
    let account = house.store.acme_account("https://ca.example/directory").await.unwrap().unwrap();
    assert_eq!((account.failures, account.rest_until), (0, None));
    let orders = house.store.certificate_orders(&Page::first()).await.unwrap().rows;
    assert_eq!(orders[1].outcome, OrderOutcome::Postponed);
    assert_eq!(orders[1].says, "connection refused");
}

#[tokio::test]
async fn the_cas_retry_after_is_kept() {
    let house = House::open().await;
    house.dns.lead_here(HOST);
    let wait = AuthorityError::Wait {
        problem: problem("rateLimited", "too many certificates"),
        retry_after: Some(Duration::from_hours(30)),
    };
    house.ca.failures.lock().unwrap().push_back(wait);
    assert_eq!(house.settle().await, Duration::from_hours(30));
    house.clock.advance(Duration::from_hours(29));
    house.settle().await;
    assert_eq!(house.ca.orders.lock().unwrap().len(), 1);
    house.clock.advance(Duration::from_hours(1));
    house.settle().await;
    assert_eq!(house.orders().await, [format!("postponed: {HOST}"), format!("issued: {HOST}")]);
}

/// What a TLSA record `3 1 1` says of the host (RFC 6698 §2.1) is true from the first start on, whatever certificates come and go.
#[tokio::test]
async fn the_hosts_key_stays() {
    let house = House::open().await;
    let shown = |house: &House| {
        let leaf = house.served.for_name(HOST).unwrap().leaf;
        let (_, certificate) = x509_parser::parse_x509_certificate(&leaf).unwrap();
        certificate.public_key().raw.to_vec()
    };
    let self_signed = shown(&house);
    house.dns.lead_here(HOST);
    house.dns.lead_here("mta-sts.house.example");
    house.settle().await;
    assert_eq!((house.shown(HOST).0, shown(&house)), (Rank::Acme, self_signed.clone()));
    house.clock.advance(Duration::from_hours(24 * 70));
    house.settle().await;
    assert_eq!(house.orders().await.len(), 2, "it was renewed");
    assert_eq!(shown(&house), self_signed);
}

#[tokio::test]
async fn renewal_comes_at_two_thirds_of_life_and_what_fails_goes_on() {
    let house = House::open().await;
    house.dns.lead_here(HOST);
    house.settle().await;
    let first = house.store.certificates(None, &Page::first()).await.unwrap().rows.remove(0);
    let (begun, renew_at) = (house.clock.now(), first.renew_at.unwrap());
    let days = renew_at.since(first.not_before).as_secs() / 86_400;
    assert!((55..=60).contains(&days), "{days}");
    assert_eq!(first.ask_at, None, "this CA says nothing of renewals");
    house.clock.set(renew_at);
    let down = || AuthorityError::Failed(problem("connection", "connection refused"));
    house.ca.failures.lock().unwrap().extend([down(), down()]);
    house.settle().await;
    assert_eq!(house.shown(HOST).0, Rank::Acme, "the old one is shown");
    for _ in 0..2 {
        house.clock.advance(Duration::from_mins(5));
        house.settle().await;
    }
    let second = house.store.certificates(None, &Page::first()).await.unwrap().rows;
    assert_eq!(second.len(), 1);
    assert!(second[0].not_before > begun && second[0].key != first.key);
    assert!(house.ca.orders.lock().unwrap().last().unwrap().replaces.is_some());
}

/// Near its end a certificate is tried for at least every hour and a quarter, and one that has ended is not shown.
#[tokio::test]
async fn a_certificate_near_its_end_is_tried_for_often() {
    let house = House::open().await;
    house.dns.lead_here(HOST);
    house.settle().await;
    let first = house.store.certificates(None, &Page::first()).await.unwrap().rows.remove(0);
    house.clock.set(first.not_after.minus(Duration::from_hours(8)));
    let down = || AuthorityError::Failed(problem("connection", "connection refused"));
    house.ca.failures.lock().unwrap().extend((0..100).map(|_| down()));
    while house.clock.now() < first.not_after {
        let wait = house.settle().await;
        assert!(wait <= Duration::from_mins(75), "{wait:?}");
        house.clock.advance(wait);
    }
    house.settle().await;
    assert_eq!(house.shown(HOST).0, Rank::SelfSigned);
    assert!(house.ca.orders.lock().unwrap().len() >= 12);
}

#[tokio::test]
async fn the_cas_own_renewal_window_counts() {
    let house = House::open().await;
    house.dns.lead_here(HOST);
    let now = house.clock.now();
    let window = |days: u64| RenewalWindow {
        start: now.plus(Duration::from_hours(24 * days)),
        end: now.plus(Duration::from_hours(24 * (days + 2))),
        ask_again_in: Duration::from_hours(6),
    };
    *house.ca.window.lock().unwrap() = Some(window(30));
    house.settle().await;
    let found = house.store.certificates(None, &Page::first()).await.unwrap().rows.remove(0);
    let renew_at = found.renew_at.unwrap();
    assert!(window(30).start <= renew_at && renew_at <= window(30).end);
    assert!(found.ask_at.is_some());
    // It stays while it is within the window, and is brought forward when the CA wants that: it may be about to revoke.
    house.clock.advance(Duration::from_hours(7));
    house.settle().await;
    let found = house.store.certificates(None, &Page::first()).await.unwrap().rows.remove(0);
    assert_eq!(found.renew_at, Some(renew_at));
    let key = found.key;
    *house.ca.window.lock().unwrap() =
        Some(RenewalWindow { start: now, end: now.plus(Duration::from_mins(1)), ..window(0) });
    house.clock.advance(Duration::from_hours(20));
    house.settle().await;
    assert_eq!(house.orders().await.len(), 2);
    house.clock.advance(Duration::from_hours(20));
    house.settle().await;
    assert_eq!(house.orders().await.len(), 2, "a CA that always says now is not obeyed more than once a day");
    let found = house.store.certificates(None, &Page::first()).await.unwrap().rows.remove(0);
    assert_ne!(found.key, key);
}

#[tokio::test]
async fn an_external_account_is_bound_and_another_one_anew() {
    let house = House::open().await;
    house.dns.lead_here(HOST);
    set(&house, "acme.eab_key_id", "kid-1").await;
    set(&house, "acme.eab_key", "c2VjcmV0").await;
    set(&house, "acme.contact", "ann@house.example").await;
    house.settle().await;
    set(&house, "acme.eab_key_id", "kid-2").await;
    house.settle().await;
    let accounts = house.ca.accounts.lock().unwrap();
    let told: Vec<_> = accounts.iter().map(|account| account.external.as_ref().unwrap().0.as_str()).collect();
    assert_eq!(told, ["kid-1", "kid-2"]);
    assert_eq!(accounts[0].contact.as_deref(), Some("ann@house.example"));
    assert!(!format!("{accounts:?}").contains("c2VjcmV0"));
}

#[tokio::test]
async fn refused_orders_are_limited_in_an_hour() {
    let house = House::open().await;
    for number in 0..15 {
        let name = format!("mail.customer-{number}.example");
        house.dns.lead_here(&name);
        house.ca.refused.lock().unwrap().insert(name.clone(), problem("dns", "no such name"));
        let wanted = WantedName { bundle: name.clone(), name, domain: None };
        house.store.want_name(&Author::house(), wanted).await.unwrap();
    }
    house.settle().await;
    assert_eq!(house.ca.orders.lock().unwrap().len(), 10);
    house.clock.advance(Duration::from_hours(1));
    house.settle().await;
    assert_eq!(house.ca.orders.lock().unwrap().len(), 20);
}

#[tokio::test]
async fn wildcards_wait_for_a_provider() {
    let house = House::open().await;
    let domain = Domain::parse("house.example").unwrap();
    let key = house.store.domain(&domain).await.unwrap().unwrap().key;
    let wanted =
        WantedName { name: "*.house.example".to_owned(), bundle: "house.example".to_owned(), domain: Some(key) };
    house.store.want_name(&Author::house(), wanted).await.unwrap();
    house.settle().await;
    let name = house.name("*.house.example").await;
    assert_eq!((name.state, name.problem.as_str()), (NameState::Waiting, "noProvider"));
}
