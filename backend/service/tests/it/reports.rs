//! Reports: what we tell others of a day, and what we read of what others tell; most of it in one round, from us to ourselves.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use relais_model::Timestamp;
use relais_msgauth::Resolver;
use relais_msgauth::report::{AggregateReport, AggregateRow, DkimRow, SpfRow, TlsReport};
use relais_msgauth::testing::Zone;
use relais_reception::Tally;
use relais_service::{Clerk, Courier, Failure, Paging, Parcel, PostError, Posting, Role};
use relais_store::{
    Author, DmarcCount, Page, QueueFilter, ReportDue, TlsPolicyType, TlsResult, TlsResultCount, TlsResultKey,
};
use relais_testkit::SeededRandom;

use crate::house::{House, domain};

const DAY: Duration = Duration::from_hours(24);

#[derive(Debug, Default)]
pub(crate) struct Posts(Mutex<Vec<Parcel>>, Mutex<Option<PostError>>);

impl Courier for Posts {
    fn post(&self, parcel: Parcel) -> Posting<'_> {
        self.0.lock().unwrap().push(parcel);
        let answer = self.1.lock().unwrap().clone().map_or(Ok(204), Err);
        Box::pin(std::future::ready(answer))
    }
}

fn clerk(house: &House, zone: Zone) -> (Clerk, Arc<Posts>) {
    let posts = Arc::new(Posts::default());
    let resolver: Arc<dyn Resolver> = Arc::new(zone);
    let (host, random) = (domain("mx.one.example"), Arc::new(SeededRandom::new(5)));
    let clerk = Clerk::new(house.store.clone(), host, Arc::<Tally>::default(), resolver, posts.clone(), random);
    (clerk.unwrap(), posts)
}

fn row(source: &str, is_aligned: bool) -> AggregateRow {
    AggregateRow {
        source: source.parse::<IpAddr>().unwrap(),
        count: 1,
        disposition: relais_msgauth::dmarc::Policy::None,
        is_dkim_aligned: is_aligned,
        is_spf_aligned: false,
        overrides: Vec::new(),
        header_from: "one.example".to_owned(),
        envelope_from: "one.example".to_owned(),
        envelope_to: None,
        dkim: vec![DkimRow { domain: "one.example".into(), selector: "r1".into(), result: "pass".into() }],
        spf: vec![SpfRow { domain: "one.example".into(), is_helo: false, result: "softfail".into() }],
    }
}

/// A day of mail in the name of `name`, three aligned and one not.
async fn count(house: &House, name: &str, day: Timestamp) {
    let line = |source, is_aligned, messages| DmarcCount {
        day,
        policy_domain: domain(name),
        line: row(source, is_aligned).write_line(),
        messages,
    };
    let counts = vec![line("192.0.2.25", true, 3), line("198.51.100.9", false, 1)];
    house.store.count_dmarc(counts).await.unwrap();
}

async fn waiting(house: &House) -> usize {
    house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows.len()
}

#[tokio::test]
async fn a_report_of_a_day_goes_out_and_is_read_where_it_comes_in() {
    let house = House::open().await;
    let (today, yesterday) = (house.store.now().day(), house.store.now().day().minus(DAY));
    let zone = Zone::new().with_txt("_dmarc.one.example", "v=DMARC1; p=none; rua=mailto:postmaster@one.example");
    let (clerk, _) = clerk(&house, zone);
    count(&house, "one.example", yesterday).await;
    assert_eq!(clerk.send_due(today).await.unwrap(), 1);
    assert_eq!(clerk.send_due(today).await.unwrap(), 0, "told once");
    let waits = house.store.report_mail(10).await.unwrap();
    let raw = house.store.raw(waits[0]).await.unwrap().unwrap();
    if let Some(folder) = std::env::var_os("REPORTS_TO") {
        std::fs::write(std::path::Path::new(&folder).join("aggregate.eml"), &raw).unwrap();
    }
    let read = AggregateReport::read_message(&raw).unwrap();
    assert_eq!((read.begin, read.policy.domain.as_str()), (yesterday, "one.example"));
    assert_eq!(read.rows, [AggregateRow { count: 3, ..row("192.0.2.25", true) }, row("198.51.100.9", false)]);
    assert_eq!(clerk.read_mail().await.unwrap(), 1);
    assert_eq!(house.store.report_mail(10).await.unwrap(), []);
    let admin = house.actor(Role::DomainAdmin, true).await;
    let view = house.service.reports(&admin, "one.example").await.unwrap();
    assert_eq!((view.messages, view.aligned, view.percent, view.unknown), (4, 3, 75, 1));
    assert_eq!((view.says.id.as_ref(), view.step.kind), ("reports-unknown", "no_policy"));
    let rows = house.service.report_sources(&admin, "one.example", Paging { after: None, limit: 10 }).await.unwrap();
    let sources: Vec<_> = rows.rows.iter().map(|row| (row.source.as_str(), row.says.id.as_ref())).collect();
    assert_eq!(sources, [("198.51.100.9", "reports-source-unknown"), ("192.0.2.25", "reports-source-aligned")]);
    house.store.collect().await.unwrap();
    assert!(house.store.raw(waits[0]).await.unwrap().is_some(), "the postmaster's mailbox keeps the mail");
}

#[tokio::test]
async fn only_who_asks_is_told_and_who_is_asked_for_must_agree() {
    let house = House::open().await;
    let (today, yesterday) = (house.store.now().day(), house.store.now().day().minus(DAY));
    let mut zone = Zone::new()
        .with_txt("_dmarc.asks.example", "v=DMARC1; p=none; rua=mailto:r@asks.example")
        .with_txt("_dmarc.abroad.example", "v=DMARC1; p=none; rua=mailto:r@agrees.example,mailto:r@victim.example")
        .with_txt("abroad.example._report._dmarc.agrees.example", "v=DMARC1")
        .with_txt("_dmarc.small.example", "v=DMARC1; p=none; rua=mailto:r@small.example!1k")
        .with_txt("_dmarc.twice.example", "v=DMARC1; p=none; rua=mailto:r@twice.example")
        .with_txt("_dmarc.twice.example", "v=DMARC1; p=none; rua=mailto:r@twice.example");
    zone.silence("_dmarc.silent.example");
    let (clerk, _) = clerk(&house, zone);
    for (name, letters, is_due_again) in [
        ("asks.example", 1, false),
        ("abroad.example", 1, false),
        ("small.example", 0, false),
        ("twice.example", 0, false),
        ("gone.example", 0, false),
        ("silent.example", 0, true),
    ] {
        let before = waiting(&house).await;
        count(&house, name, yesterday).await;
        assert_eq!(clerk.send_due(today).await.unwrap(), letters, "{name}");
        assert_eq!(waiting(&house).await - before, letters, "{name}");
        let due = ReportDue { day: yesterday, domain: domain(name) };
        assert_eq!(!house.store.dmarc_lines(&due).await.unwrap().is_empty(), is_due_again, "{name}");
    }
}

#[tokio::test]
async fn nobody_is_told_where_the_owner_says_no() {
    let house = House::open().await;
    let (today, yesterday) = (house.store.now().day(), house.store.now().day().minus(DAY));
    let zone = Zone::new().with_txt("_dmarc.asks.example", "v=DMARC1; p=none; rua=mailto:r@asks.example");
    let (clerk, _) = clerk(&house, zone);
    count(&house, "asks.example", yesterday).await;
    house.store.change_setting(&Author::house(), "trust.send_reports", Some("false")).await.unwrap();
    assert_eq!(clerk.send_due(today).await.unwrap(), 0);
    assert_eq!(waiting(&house).await, 0);
}

fn tls(day: Timestamp, name: &str, result: TlsResult, sessions: u64) -> TlsResultCount {
    let key = TlsResultKey {
        day,
        policy_domain: domain(name),
        policy_type: TlsPolicyType::Sts,
        mx_host: Some(domain("mx.one.example")),
        result,
    };
    TlsResultCount { key, sessions }
}

#[tokio::test]
async fn tls_is_told_of_by_mail_and_over_the_web() {
    let house = House::open().await;
    let (today, yesterday) = (house.store.now().day(), house.store.now().day().minus(DAY));
    let record = "v=TLSRPTv1; rua=mailto:postmaster@one.example,https://r.example/tls";
    let (clerk, posts) = clerk(&house, Zone::new().with_txt("_smtp._tls.one.example", record));
    let counts = vec![
        tls(yesterday, "one.example", TlsResult::Success, 8),
        tls(yesterday, "one.example", TlsResult::CertificateExpired, 2),
        tls(yesterday, "quiet.example", TlsResult::Success, 1),
    ];
    house.store.count_tls_results(counts).await.unwrap();
    assert_eq!(clerk.send_due(today).await.unwrap(), 2);
    assert_eq!(house.store.tls_due(today).await.unwrap(), [], "and who doesn't ask is forgotten");
    let posted = posts.0.lock().unwrap().pop().unwrap();
    assert_eq!(posted.headers, [("content-type", "application/tlsrpt+json".to_owned())]);
    let read = TlsReport::read_json(posted.body.as_bytes()).unwrap();
    assert_eq!((read.policies[0].successes, read.policies[0].failures), (8, 2));
    let waits = house.store.report_mail(10).await.unwrap();
    let raw = house.store.raw(waits[0]).await.unwrap().unwrap();
    if let Some(folder) = std::env::var_os("REPORTS_TO") {
        std::fs::write(std::path::Path::new(&folder).join("tls.eml"), &raw).unwrap();
    }
    assert_eq!(TlsReport::read_message(&raw).unwrap(), read);
    clerk.read_mail().await.unwrap();
    let owner = house.actor(Role::Owner, true).await;
    let view = house.service.reports(&owner, "one.example").await.unwrap();
    assert_eq!(view.tls_says.id, "reports-tls-failures");
    assert_eq!(view.sts_step.kind, "too_early");
}

#[tokio::test]
async fn a_door_that_takes_nothing_is_tried_again() {
    let house = House::open().await;
    let (today, yesterday) = (house.store.now().day(), house.store.now().day().minus(DAY));
    let zone = Zone::new().with_txt("_smtp._tls.far.example", "v=TLSRPTv1; rua=https://r.example/tls");
    let (clerk, posts) = clerk(&house, zone);
    house.store.count_tls_results(vec![tls(yesterday, "far.example", TlsResult::Success, 1)]).await.unwrap();
    *posts.1.lock().unwrap() = Some(PostError::Unresolved);
    assert_eq!(clerk.send_due(today).await.unwrap(), 0);
    *posts.1.lock().unwrap() = None;
    assert_eq!(clerk.send_due(today).await.unwrap(), 1);
    assert_eq!(clerk.send_due(today).await.unwrap(), 0);
}

#[tokio::test]
async fn reports_are_for_who_serves_the_domain() {
    let house = House::open().await;
    for (role, name, is_shown) in [
        (Role::HelpDesk, "one.example", false),
        (Role::DomainAdmin, "one.example", true),
        (Role::DomainAdmin, "two.example", false),
        (Role::Owner, "two.example", true),
    ] {
        let by = house.actor(role, true).await;
        let seen = house.service.reports(&by, name).await;
        let is_refused = matches!(seen, Err(Failure::Forbidden(_) | Failure::Absent(_)));
        assert_eq!((seen.is_ok(), is_refused), (is_shown, !is_shown), "{role:?} {name}");
    }
}
