//! What is kept of the DNS: keys, reports and how they turned, accounts, pushes.

use std::time::Duration;

use relais_model::{Clock as _, Domain, Secret, Timestamp};
use relais_store::{
    AuditFilter, Author, DnsAccountError, DnsAccountState, DnsNews, DnsReportEntry, DnsSubject, DomainKey, KEPT_PUSHES,
    KEPT_TURNS, NewDkimKey, NewDnsPush, NewDnsTurn, NewWebhook, Page, Removal, WebhookEvent,
};

use crate::house::{House, on_both};

fn name() -> Domain {
    Domain::parse("house.example").unwrap()
}

async fn key(house: &House) -> DomainKey {
    house.store.domain(&name()).await.unwrap().unwrap().key
}

fn dkim(selector: &str, algorithm: &'static str) -> NewDkimKey {
    let private_key = Secret::new("-----BEGIN PRIVATE KEY-----");
    NewDkimKey { selector: selector.to_owned(), algorithm, private_key, public_key: "MIIB".to_owned() }
}

fn report(house: &House, verdict: u8, report: &str) -> DnsReportEntry {
    let now = house.clock.now();
    DnsReportEntry {
        verdict,
        tally: [1, 2, 3, 4],
        report: report.to_owned(),
        checked_at: now,
        next_check_at: now.plus(Duration::from_hours(24)),
    }
}

fn turn(finding: &str, after: u8) -> NewDnsTurn {
    NewDnsTurn { finding: finding.to_owned(), before: Some(0), after, is_alert: after == 3, words: "{}".to_owned() }
}

fn account(zones: &[&str]) -> DnsAccountState {
    DnsAccountState {
        turns_keys: false,
        provider: "desec".to_owned(),
        name: "Our zones".to_owned(),
        settings: Secret::new(r#"{"token":"hunter2"}"#),
        zones: zones.iter().map(|zone| (*zone).to_owned()).collect(),
    }
}

fn push(subject: DnsSubject, account: relais_store::DnsAccountKey) -> NewDnsPush {
    NewDnsPush {
        subject,
        account,
        zone: "house.example".to_owned(),
        record: "{}".to_owned(),
        is_complete: true,
        sets: vec!["house.example MX".to_owned()],
    }
}

async fn acts(house: &House) -> Vec<String> {
    let rows = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows;
    let ours = |act: &&str| act.starts_with("dns.") || act.starts_with("dkim.");
    rows.iter().map(|entry| entry.act.as_str()).filter(ours).map(str::to_owned).collect()
}

#[test]
fn a_domain_keeps_one_key_of_each_algorithm() {
    on_both(|house| async move {
        let domain = key(&house).await;
        let new = vec![dkim("r20260101", "rsa"), dkim("e20260101", "ed25519")];
        house.store.add_dkim_keys(domain, new.clone()).await.unwrap();
        house.store.add_dkim_keys(domain, vec![dkim("r20260102", "rsa")]).await.unwrap();
        let keys = house.store.dkim_keys(domain).await.unwrap();
        let selectors: Vec<&str> = keys.iter().map(|key| key.selector.as_str()).collect();
        assert_eq!(selectors, ["e20260101", "r20260101"], "what another check made meanwhile stays");
        assert_eq!(keys[1].private_key, new[0].private_key);
        assert!(!format!("{keys:?}").contains("BEGIN"));
        house.store.add_dkim_keys(DomainKey::new(7), vec![dkim("r1", "rsa")]).await.unwrap();
        assert_eq!(acts(&house).await, ["dkim.create", "dkim.create"]);
        house.check().await;
    });
}

/// A new key waits for its record; then it signs, and the old one retires, and is forgotten in its time.
#[test]
fn keys_follow_each_other() {
    on_both(|house| async move {
        let (store, domain) = (&house.store, key(&house).await);
        store.add_dkim_keys(domain, vec![dkim("r1", "rsa"), dkim("e1", "ed25519")]).await.unwrap();
        house.clock.advance(Duration::from_hours(1));
        store.add_next_dkim_keys(&Author::house(), domain, vec![dkim("r2", "rsa")]).await.unwrap();
        store.add_next_dkim_keys(&Author::house(), domain, vec![dkim("r3", "rsa"), dkim("r2", "rsa")]).await.unwrap();
        let states = || async {
            let keys = store.dkim_keys(domain).await.unwrap();
            let state = |key: &relais_store::DkimKeyEntry| match (key.signs_since, key.retired_at) {
                (None, _) => "waits",
                (Some(_), None) => "signs",
                (Some(_), Some(_)) => "retired",
            };
            keys.iter().map(|key| format!("{} {}", key.selector, state(key))).collect::<Vec<_>>()
        };
        assert_eq!(states().await, ["r2 waits", "e1 signs", "r1 signs"]);
        let next = store.dkim_keys(domain).await.unwrap()[0].key;
        store.begin_dkim_signing(DomainKey::new(7), next).await.unwrap();
        assert_eq!(states().await, ["r2 waits", "e1 signs", "r1 signs"], "another domain's");
        store.begin_dkim_signing(domain, next).await.unwrap();
        store.begin_dkim_signing(domain, next).await.unwrap();
        assert_eq!(states().await, ["r2 signs", "e1 signs", "r1 retired"]);
        assert_eq!(acts(&house).await, ["dkim.sign", "dkim.create", "dkim.create", "dkim.create"]);
        store.forget_dkim_keys(domain, house.clock.now()).await.unwrap();
        assert_eq!(states().await.len(), 3);
        house.clock.advance(Duration::from_hours(1));
        store.forget_dkim_keys(domain, house.clock.now()).await.unwrap();
        assert_eq!(states().await, ["r2 signs", "e1 signs"]);
        house.check().await;
    });
}

#[test]
fn a_report_is_written_over_the_one_that_was_seen_alone() {
    on_both(|house| async move {
        let (store, of) = (&house.store, DnsSubject::Domain(key(&house).await));
        assert_eq!(store.dns_report(of).await.unwrap(), None);
        let first = report(&house, 0, "one");
        assert!(store.put_dns_report(of, None, first.clone(), Vec::new(), None).await.unwrap());
        assert!(!store.put_dns_report(of, None, first.clone(), Vec::new(), None).await.unwrap());
        assert_eq!(store.dns_report(of).await.unwrap(), Some(first.clone()));
        let seen = Some(first.checked_at);
        house.clock.advance(Duration::from_hours(1));
        let second = report(&house, 3, "two");
        assert!(store.put_dns_report(of, seen, second.clone(), vec![turn("mx", 3)], None).await.unwrap());
        let late = store.put_dns_report(of, seen, second, vec![turn("mx", 3)], None).await.unwrap();
        assert!(!late, "it was seen from an older report");
        let turns = store.dns_turns(of, &Page::first()).await.unwrap().rows;
        assert_eq!((turns.len(), turns[0].before, turns[0].after, turns[0].is_alert), (1, Some(0), 3, true));
        let unknown = DnsSubject::Domain(DomainKey::new(7));
        assert!(!store.put_dns_report(unknown, None, first, Vec::new(), None).await.unwrap());
        house.check().await;
    });
}

#[test]
fn turns_are_kept_up_to_a_limit() {
    on_both(|house| async move {
        let (store, of) = (&house.store, DnsSubject::Host);
        let many = (0..=KEPT_TURNS).map(|at| turn(&at.to_string(), 1)).collect();
        assert!(store.put_dns_report(of, None, report(&house, 1, ""), many, None).await.unwrap());
        let page = store.dns_turns(of, &Page::first()).await.unwrap();
        assert_eq!(i64::try_from(page.rows.len()), Ok(KEPT_TURNS));
        assert_eq!(page.rows.last().map(|turn| turn.finding.as_str()), Some("1"), "the oldest is gone");
        let two = store.dns_turns(of, &Page { after: None, limit: 2 }).await.unwrap();
        let next = store.dns_turns(of, &Page { after: two.next, limit: 2 }).await.unwrap();
        assert_eq!(next.rows[0].finding, "198");
        house.check().await;
    });
}

#[test]
fn news_stand_in_the_activity_and_go_to_webhooks() {
    on_both(|house| async move {
        let (store, domain) = (&house.store, key(&house).await);
        let mut hooks = Vec::new();
        for (id, of) in [("wh_all", None), ("wh_own", Some(domain)), ("wh_other", Some(DomainKey::new(7)))] {
            let new = NewWebhook {
                id: id.to_owned(),
                account: None,
                domain: of,
                url: "https://hooks.example/".to_owned(),
                events: vec![WebhookEvent::DnsWorse],
                description: String::new(),
                secret: Secret::new("c2VjcmV0"),
            };
            hooks.push(store.add_webhook(&Author::house(), new).await.unwrap());
        }
        let news = |event_id: &str| DnsNews {
            name: name(),
            findings: vec!["mx:house.example:MX".to_owned()],
            event_id: event_id.to_owned(),
            payload: "{}".to_owned(),
        };
        let of = DnsSubject::Domain(domain);
        let domains = store.put_dns_report(of, None, report(&house, 3, ""), Vec::new(), Some(news("e1")));
        assert!(domains.await.unwrap());
        let hosts = store.put_dns_report(DnsSubject::Host, None, report(&house, 3, ""), Vec::new(), Some(news("e2")));
        assert!(hosts.await.unwrap());
        let mut told = Vec::new();
        for hook in &hooks {
            let rows = store.webhook_deliveries(hook.key, &Page::first()).await.unwrap().rows;
            told.push(rows.into_iter().map(|row| row.event_id).collect::<Vec<_>>().join(" "));
        }
        assert_eq!(told, ["e2 e1", "e1", ""]);
        assert_eq!(acts(&house).await, ["dns.worse", "dns.worse"]);
        assert_eq!(store.dns_wrong(None, 5).await.unwrap(), (vec![name()], true));
        store.remove_webhook(&Author::house(), "wh_other").await.unwrap();
        house.check().await;
    });
}

#[test]
fn what_is_due_is_listed() {
    on_both(|house| async move {
        let store = &house.store;
        let of = DnsSubject::Domain(key(&house).await);
        let due = || async { store.dns_due(9).await.unwrap() };
        assert_eq!(due().await, [(DnsSubject::Host, None), (of, Some(name()))], "what was never checked");
        store.put_dns_report(of, None, report(&house, 1, ""), Vec::new(), None).await.unwrap();
        store.put_dns_report(DnsSubject::Host, None, report(&house, 1, ""), Vec::new(), None).await.unwrap();
        assert_eq!(due().await, []);
        house.clock.advance(Duration::from_hours(24));
        assert_eq!(due().await.len(), 2);
        let rows = |text: Option<&'static str>, verdict| async move {
            store.dns_rows(None, text, verdict, &Page::first()).await.unwrap().rows.len()
        };
        assert_eq!((rows(None, None).await, rows(Some("HOUSE"), Some(1)).await), (1, 1));
        assert_eq!((rows(Some("other"), None).await, rows(None, Some(3)).await), (0, 0));
        let row = store.dns_rows(None, None, None, &Page::first()).await.unwrap().rows.remove(0);
        assert_eq!(row.last.map(|(verdict, tally, _)| (verdict, tally)), Some((1, [1, 2, 3, 4])));
        assert!(store.dns_rows(Some(&[]), None, None, &Page::first()).await.unwrap().rows.is_empty());
        house.check().await;
    });
}

#[test]
fn accounts_keep_their_keys_to_themselves() {
    on_both(|house| async move {
        let (store, by) = (&house.store, Author::house());
        let key = store.add_dns_account(&by, account(&["house.example"])).await.unwrap();
        store.note_dns_zone(key, "other.example").await.unwrap();
        store.note_dns_zone(key, "other.example").await.unwrap();
        let found = store.dns_account(key).await.unwrap().unwrap();
        assert_eq!(found.zones, ["house.example", "other.example"]);
        assert_eq!(found.settings.expose(), r#"{"token":"hunter2"}"#);
        let change = DnsAccountState {
            settings: Secret::new(r#"{"token":"hunter3"}"#),
            turns_keys: true,
            ..account(&["house.example"])
        };
        store.change_dns_account(&by, key, change).await.unwrap();
        assert_eq!(store.dns_accounts().await.unwrap()[0].settings.expose(), r#"{"token":"hunter3"}"#);
        store.remove_dns_account(&by, key).await.unwrap();
        assert!(matches!(store.remove_dns_account(&by, key).await, Err(DnsAccountError::Unknown)));
        assert_eq!(acts(&house).await, ["dns.account_remove", "dns.account_change", "dns.account_add"]);
        let told = store.audit(&AuditFilter::default(), &Page::first()).await.unwrap();
        assert!(!format!("{told:?}").contains("hunter"));
        house.check().await;
    });
}

#[test]
fn pushes_are_kept_and_undone_once() {
    on_both(|house| async move {
        let (store, by) = (&house.store, Author::house());
        let of = DnsSubject::Domain(key(&house).await);
        let account = store.add_dns_account(&by, account(&[])).await.unwrap();
        let key = store.note_dns_push(&by, push(of, account)).await.unwrap();
        assert!(store.mark_dns_undone(&by, key).await.unwrap());
        assert!(!store.mark_dns_undone(&by, key).await.unwrap());
        let undone = store.dns_push(key).await.unwrap().unwrap().undone.unwrap();
        assert_eq!(undone, (house.clock.now(), "relais".to_owned()));
        for _ in 0..KEPT_PUSHES {
            store.note_dns_push(&by, push(of, account)).await.unwrap();
        }
        assert_eq!(store.dns_push(key).await.unwrap(), None, "the oldest is gone");
        let listed = store.dns_pushes(Some(of), &Page { after: None, limit: 3 }).await.unwrap();
        assert_eq!((listed.rows.len(), listed.next.is_some()), (3, true));
        let all = store.dns_pushes(None, &Page::first()).await.unwrap();
        assert_eq!(i64::try_from(all.rows.len()), Ok(KEPT_PUSHES));
        house.check().await;
    });
}

#[test]
fn all_of_it_goes_with_its_domain() {
    on_both(|house| async move {
        let (store, by, domain) = (&house.store, Author::house(), key(&house).await);
        let of = DnsSubject::Domain(domain);
        store.add_dkim_keys(domain, vec![dkim("r1", "rsa")]).await.unwrap();
        store.put_dns_report(of, None, report(&house, 3, ""), vec![turn("mx", 3)], None).await.unwrap();
        let account = store.add_dns_account(&by, account(&[])).await.unwrap();
        store.note_dns_push(&by, push(of, account)).await.unwrap();
        store.remove_domain(&name(), Removal::WithContents, None, &by).await.unwrap();
        assert_eq!(store.dns_due(9).await.unwrap(), [(DnsSubject::Host, None)]);
        assert_eq!(store.dns_wrong(None, 9).await.unwrap(), (Vec::new(), false));
        house.clock.advance(Duration::from_hours(24 * 40));
        store.purge_removed(Timestamp::from_millis(house.clock.now().millis())).await.unwrap();
        assert!(store.dkim_keys(domain).await.unwrap().is_empty());
        assert_eq!(store.dns_report(of).await.unwrap(), None);
        assert!(store.dns_turns(of, &Page::first()).await.unwrap().rows.is_empty());
        assert!(store.dns_pushes(Some(of), &Page::first()).await.unwrap().rows.is_empty());
        house.check().await;
    });
}
