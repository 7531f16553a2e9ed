//! What is to be told of a day, and what others told.

use std::time::Duration;

use relais_model::{Address, Timestamp};
use relais_store::{
    Author, Delivery, DmarcCount, DomainKey, MAX_SOURCES_A_DAY, MessageKey, Page, REPORTED_WITHIN, REPORTS_KEPT_FOR,
    ReceivedReport, ReportCounts, ReportDay, ReportDue, ReportSession, ReportSource, Target,
};

use crate::house::{House, message, on_both};
use crate::people::domain;

const DAY: Duration = Duration::from_hours(24);

fn count(day: Timestamp, name: &str, line: &str, messages: u64) -> DmarcCount {
    DmarcCount { day, policy_domain: domain(name), line: line.to_owned(), messages }
}

async fn domain_key(house: &House) -> DomainKey {
    house.store.domain(&domain("house.example")).await.unwrap().unwrap().key
}

fn source(name: &str, messages: u64, aligned: u64) -> ReportSource {
    ReportSource { source: name.to_owned(), messages, aligned, dkim_aligned: aligned, ..ReportSource::default() }
}

fn report(domain: DomainKey, id: &str, day: Timestamp, counts: ReportCounts) -> ReceivedReport {
    let organization = "big.example".to_owned();
    ReceivedReport { domain, organization, id: id.to_owned(), day, is_authenticated: true, counts }
}

#[test]
fn a_days_counts_wait_until_they_are_told_and_go_untold_after_a_while() {
    on_both(|house| async move {
        let (store, today) = (&house.store, house.store.now().day());
        let yesterday = today.minus(DAY);
        let due = |day, name| ReportDue { day, domain: domain(name) };
        store
            .count_dmarc(vec![count(yesterday, "a.example", "x", 2), count(today, "b.example", "y", 1)])
            .await
            .unwrap();
        store
            .count_dmarc(vec![count(yesterday, "a.example", "x", 3), count(yesterday, "a.example", "z", 9)])
            .await
            .unwrap();
        assert_eq!(store.dmarc_due(today).await.unwrap(), [due(yesterday, "a.example")], "today isn't over");
        let lines = store.dmarc_lines(&due(yesterday, "a.example")).await.unwrap();
        assert_eq!(lines, [("z".to_owned(), 9), ("x".to_owned(), 5)]);
        store.drop_dmarc(&due(yesterday, "a.example")).await.unwrap();
        assert_eq!(store.dmarc_due(today).await.unwrap(), []);
        house.clock.advance(REPORTED_WITHIN + DAY);
        store.count_dmarc(Vec::new()).await.unwrap();
        assert_eq!(store.dmarc_due(store.now()).await.unwrap(), [], "too late");
        house.check().await;
    });
}

#[test]
fn a_report_counts_once_and_adds_up_with_others() {
    on_both(|house| async move {
        let (store, key) = (&house.store, domain_key(&house).await);
        let (message, day) = (MessageKey::new(1), store.now().day());
        let mail = |id, sources| report(key, id, day, ReportCounts::Dmarc(sources));
        let first = mail("1", vec![source("192.0.2.1", 10, 9), source("192.0.2.2", 5, 0)]);
        assert!(store.take_reports(message, vec![first.clone()]).await.unwrap());
        assert!(!store.take_reports(message, vec![first]).await.unwrap(), "a double");
        assert!(store.take_reports(message, vec![mail("2", vec![source("192.0.2.1", 1, 1)])]).await.unwrap());
        let summary = store.report_summary(key, day).await.unwrap();
        assert_eq!(summary.days, [ReportDay { day, messages: 16, aligned: 10, relayed: 0 }]);
        assert_eq!((summary.reports, summary.proved, summary.organizations), (2, 2, 1));
        let found = store.report_sources(key, day, &Page { after: None, limit: 1 }).await.unwrap();
        assert_eq!(found.rows, [source("192.0.2.2", 5, 0)], "what isn't aligned comes first");
        let rest = store.report_sources(key, day, &Page { after: found.next, limit: 1 }).await.unwrap();
        assert_eq!((rest.rows, rest.next), (vec![source("192.0.2.1", 11, 10)], None));
        house.check().await;
    });
}

#[test]
fn of_a_day_only_so_many_addresses_are_told_apart() {
    on_both(|house| async move {
        let (store, key, day) = (&house.store, domain_key(&house).await, house.store.now().day());
        let most = u32::try_from(MAX_SOURCES_A_DAY).unwrap();
        let sources = (0..most + 2).map(|number| source(&format!("2001:db8::{number:x}"), 1, 0)).collect();
        store
            .take_reports(MessageKey::new(1), vec![report(key, "1", day, ReportCounts::Dmarc(sources))])
            .await
            .unwrap();
        let first = store.report_sources(key, day, &Page { after: None, limit: 1 }).await.unwrap();
        assert_eq!(first.rows, [source("", 2, 0)], "the others together");
        house.check().await;
    });
}

#[test]
fn tls_and_incidents_are_added_up_and_all_goes_with_the_domain_or_after_a_year() {
    on_both(|house| async move {
        let (store, key, day) = (&house.store, domain_key(&house).await, house.store.now().day());
        let message = MessageKey::new(1);
        let session = |result: &str, sessions| ReportSession {
            result: result.to_owned(),
            mx_host: "mx.house.example".to_owned(),
            sessions,
        };
        let sessions = vec![session("success", 7), session("certificate-expired", 2)];
        store.take_reports(message, vec![report(key, "1", day, ReportCounts::Tls(sessions.clone()))]).await.unwrap();
        store.take_incidents(message, key, day, "abuse", 1).await.unwrap();
        store.take_incidents(message, key, day, "abuse", 2).await.unwrap();
        store.pass_report_mail(message, Some("no XML".to_owned())).await.unwrap();
        let summary = store.report_summary(key, day).await.unwrap();
        assert_eq!((summary.sessions, summary.session_days), (sessions, 1));
        assert_eq!(summary.incidents, [("abuse".to_owned(), 3)]);
        assert_eq!(store.unread_reports(day).await.unwrap(), (1, Some("no XML".to_owned())));
        house.check().await;
        house.clock.advance(REPORTS_KEPT_FOR + DAY);
        store.collect().await.unwrap();
        let summary = store.report_summary(key, day).await.unwrap();
        assert_eq!((summary.sessions.len(), summary.incidents.len()), (0, 0));
        assert_eq!(store.unread_reports(day).await.unwrap(), (0, None));
        let gone = domain("gone.example");
        store.add_domain(&gone, relais_store::DomainChange::default(), &Author::house()).await.unwrap();
        let gone_key = store.domain(&gone).await.unwrap().unwrap().key;
        let mail = report(gone_key, "9", store.now().day(), ReportCounts::Dmarc(vec![source("192.0.2.1", 1, 1)]));
        store.take_reports(message, vec![mail]).await.unwrap();
        store.remove_domain(&gone, relais_store::Removal::OnlyEmpty, None, &Author::house()).await.unwrap();
        house.purge().await;
        house.check().await;
    });
}

#[test]
fn mail_to_a_postmaster_or_to_an_address_for_reports_waits_to_be_read() {
    on_both(|house| async move {
        let store = &house.store;
        let deliveries = |recipient: &str| {
            let recipient = Address::parse(recipient).unwrap();
            vec![Delivery {
                account: house.anna,
                mailbox: Target::Inbox,
                flags: Vec::new(),
                internal_date: None,
                recipient,
            }]
        };
        house.accept(&message(1), deliveries("anna@house.example")).await;
        assert_eq!(store.report_mail(10).await.unwrap(), []);
        let taken = house.accept(&message(2), deliveries("Postmaster@house.example")).await;
        let key = taken.message.unwrap();
        assert_eq!(store.report_mail(10).await.unwrap(), [key]);
        store.pass_report_mail(key, None).await.unwrap();
        assert_eq!(store.report_mail(10).await.unwrap(), []);
        store.change_setting(&Author::house(), "dns.dmarc_reports", Some("anna@house.example")).await.unwrap();
        let taken = house.accept(&message(3), deliveries("anna@house.example")).await;
        assert_eq!(store.report_mail(10).await.unwrap(), [taken.message.unwrap()]);
        house.check().await;
    });
}
