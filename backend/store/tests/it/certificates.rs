//! Certificates: kept, replaced, removed; the names that are wanted; the CA's account; the history.

use std::time::Duration;

use relais_model::{Domain, Secret, Timestamp};
use relais_store::{
    AuditFilter, Author, CertificateError, CertificateSource, DirectoryError, DomainChange, EndedOrder, NameFinding,
    NameState, NewCertificate, OrderOutcome, Page, Removal, WantedName,
};

use crate::house::on_both;

const CA: &str = "https://ca.example/directory";

fn certificate(source: CertificateSource, names: &[&str]) -> NewCertificate {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    NewCertificate {
        source,
        bundle: if source == CertificateSource::Acme { "host".to_owned() } else { String::new() },
        chain_pem: "chain".to_owned(),
        key_pem: Secret::new("key"),
        not_before: Timestamp::from_seconds(1),
        not_after: Timestamp::from_seconds(1000),
        issuer: "CN=ca".to_owned(),
        renew_at: (source == CertificateSource::Acme).then_some(Timestamp::from_seconds(600)),
        covers: names.clone(),
        names,
    }
}

fn order(names: &[&str], outcome: OrderOutcome) -> EndedOrder {
    EndedOrder {
        directory_url: CA.to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        outcome,
        problem: if outcome == OrderOutcome::Issued { String::new() } else { "dns".to_owned() },
        says: if outcome == OrderOutcome::Issued { String::new() } else { "no such name".to_owned() },
    }
}

fn wanted(name: &str) -> WantedName {
    WantedName { name: name.to_owned(), bundle: "host".to_owned(), domain: None }
}

#[test]
fn a_new_one_ends_the_one_that_it_replaces() {
    on_both(|house| async move {
        let store = &house.store;
        store.set_service_names(vec![wanted("mx.house.example"), wanted("mta-sts.house.example")]).await.unwrap();
        let version = store.certificates_version().await.unwrap();
        let names = ["mx.house.example"];
        let acme = |names: &[&str]| certificate(CertificateSource::Acme, names);
        let first = store.keep_certificate(acme(&names), None, order(&names, OrderOutcome::Issued)).await.unwrap();
        assert_ne!(store.certificates_version().await.unwrap(), version);
        let covered = store.certificate_name("mx.house.example").await.unwrap().unwrap();
        assert_eq!((covered.state, covered.certificate), (NameState::Covered, Some(first)));
        let names = ["mx.house.example", "mta-sts.house.example"];
        let second =
            store.keep_certificate(acme(&names), Some(first), order(&names, OrderOutcome::Issued)).await.unwrap();
        let served = store.served_certificates(&Page::first()).await.unwrap().rows;
        assert_eq!(served.iter().map(|served| served.certificate.key).collect::<Vec<_>>(), [second]);
        assert_eq!(served[0].key_pem.expose(), "key");
        assert!(!format!("{:?}", served[0]).contains("key"));
        assert_eq!(store.certificate_key(second).await.unwrap().unwrap().expose(), "key");
        assert!(store.certificate_key(first).await.unwrap().is_none());
        let (at, ask) = (Timestamp::from_seconds(700), Timestamp::from_seconds(650));
        store.schedule_renewal(second, at, Some(ask)).await.unwrap();
        let kept = store.certificates(None, &Page::first()).await.unwrap().rows.remove(0);
        assert_eq!((kept.renew_at, kept.ask_at, kept.names.len()), (Some(at), Some(ask), 2));
        store.remove_certificate(&Author::house(), second).await.unwrap();
        let again = store.remove_certificate(&Author::house(), second).await;
        assert!(matches!(again, Err(CertificateError::Unknown)));
        let waiting = store.certificate_name("mx.house.example").await.unwrap().unwrap();
        assert_eq!((waiting.state, waiting.certificate), (NameState::Waiting, None));
        let orders = store.certificate_orders(&Page { after: None, limit: 1 }).await.unwrap();
        assert_eq!(orders.rows[0].certificate, Some(second), "the history remembers what is gone");
        let rest = store.certificate_orders(&Page { after: orders.next, limit: 5 }).await.unwrap();
        assert_eq!((rest.rows.len(), rest.next), (1, None));
        house.check().await;
    });
}

#[test]
fn what_is_brought_replaces_what_was_brought_for_the_same_names() {
    on_both(|house| async move {
        let by = Author::house();
        let own = |names: &[&str]| certificate(CertificateSource::Own, names);
        house.store.bring_certificate(&by, own(&["a.example", "b.example"])).await.unwrap();
        house.store.bring_certificate(&by, own(&["a.example"])).await.unwrap();
        let last = house.store.bring_certificate(&by, own(&["a.example", "b.example"])).await.unwrap();
        let kept = house.store.certificates(None, &Page::first()).await.unwrap().rows;
        assert_eq!((kept.len(), kept[0].key), (2, last));
        let told = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows;
        let acts: Vec<_> = told.iter().filter(|entry| entry.act.starts_with("certificate.")).collect();
        assert_eq!((acts.len(), acts[0].subject.as_str()), (3, "a.example"));
        assert!(matches!(house.store.undo(acts[0].key, &by).await, Err(DirectoryError::NotUndoable)));
        house.check().await;
    });
}

#[test]
fn service_names_come_and_go_and_what_people_asked_for_stays() {
    on_both(|house| async move {
        let (store, by) = (&house.store, Author::house());
        store.set_service_names(vec![wanted("a.example"), wanted("b.example")]).await.unwrap();
        store.want_name(&by, WantedName { bundle: "c.example".to_owned(), ..wanted("c.example") }).await.unwrap();
        let refused = NameFinding {
            name: "a.example".to_owned(),
            state: NameState::Refused,
            says: "é".repeat(3000),
            problem: "dns".to_owned(),
            failures: 3,
            retry_at: Timestamp::from_seconds(5_000_000_000),
        };
        store.note_names(vec![refused.clone(), NameFinding { name: "gone".to_owned(), ..refused }]).await.unwrap();
        let name = store.certificate_name("a.example").await.unwrap().unwrap();
        assert_eq!((name.state, name.failures, name.says.len()), (NameState::Refused, 3, 2000));
        store.set_service_names(vec![wanted("a.example")]).await.unwrap();
        let page = store.certificate_names(None, &Page { after: None, limit: 1 }).await.unwrap();
        let more = store.certificate_names(None, &Page { after: page.next, limit: 9 }).await.unwrap();
        let names: Vec<_> =
            page.rows.iter().chain(&more.rows).map(|name| (name.name.as_str(), name.failures)).collect();
        assert_eq!(names, [("a.example", 3), ("c.example", 0)], "what is known of a name stays");
        store.retry_names(None).await.unwrap();
        let name = store.certificate_name("a.example").await.unwrap().unwrap();
        assert!(name.retry_at <= store.now());
        assert!(matches!(store.unwant_name(&by, "a.example").await, Err(CertificateError::Unknown)));
        store.unwant_name(&by, "c.example").await.unwrap();
        assert_eq!(store.certificate_name("c.example").await.unwrap(), None);
        house.check().await;
    });
}

#[test]
fn a_domain_takes_its_names_along() {
    on_both(|house| async move {
        let (store, by) = (&house.store, Author::house());
        let domain = Domain::parse("customer.example").unwrap();
        let key = store.add_domain(&domain, DomainChange::default(), &by).await.unwrap();
        let name = WantedName { domain: Some(key), ..wanted("mail.customer.example") };
        store.want_name(&by, name).await.unwrap();
        let names = ["mail.customer.example"];
        let new = certificate(CertificateSource::Acme, &names);
        store.keep_certificate(new, None, order(&names, OrderOutcome::Issued)).await.unwrap();
        assert_eq!(store.certificates(Some(&[key]), &Page::first()).await.unwrap().rows.len(), 1);
        assert_eq!(store.certificates(Some(&[]), &Page::first()).await.unwrap().rows.len(), 0);
        assert_eq!(store.certificate_names(Some(&[key]), &Page::first()).await.unwrap().rows.len(), 1);
        store.remove_domain(&domain, Removal::OnlyEmpty, None, &by).await.unwrap();
        store.purge_removed(store.now().plus(Duration::from_secs(1))).await.unwrap();
        assert_eq!(store.certificate_name("mail.customer.example").await.unwrap(), None);
        house.check().await;
    });
}

#[test]
fn one_node_orders_and_the_ca_is_left_alone_when_it_says_so() {
    on_both(|house| async move {
        let store = &house.store;
        let lease = Duration::from_mins(30);
        assert_eq!(store.acme_account(CA).await.unwrap(), None);
        assert!(store.hold_acme(CA, lease).await.unwrap());
        assert!(!store.hold_acme(CA, lease).await.unwrap(), "another node has it");
        store.keep_acme_account(CA, "ann@house.example", "kid", Some(Secret::new("credentials"))).await.unwrap();
        let until = Timestamp::from_seconds(9000);
        store.rest_acme(CA, 2, Some(until)).await.unwrap();
        let account = store.acme_account(CA).await.unwrap().unwrap();
        assert_eq!((account.failures, account.rest_until, account.eab_key_id.as_str()), (2, Some(until), "kid"));
        assert_eq!(account.credentials.unwrap().expose(), "credentials");
        store.release_acme(CA).await.unwrap();
        assert!(store.hold_acme(CA, lease).await.unwrap());
        store.note_order(order(&["a.example"], OrderOutcome::Refused)).await.unwrap();
        store.note_order(order(&["a.example"], OrderOutcome::Postponed)).await.unwrap();
        let hour_ago = store.now().minus(Duration::from_hours(1));
        let made = store.orders_since(CA, hour_ago).await.unwrap();
        assert_eq!((made.all, made.refused), (2, 1));
        let later = store.orders_since(CA, store.now().plus(Duration::from_hours(1))).await.unwrap();
        assert_eq!(later.all, 0);
        house.check().await;
    });
}

#[test]
fn a_secret_setting_is_told_to_nobody() {
    on_both(|house| async move {
        house.store.change_setting(&Author::house(), "acme.eab_key", Some("hidden")).await.unwrap();
        assert_eq!(house.store.settings().acme_eab_key.expose(), "hidden");
        let told = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows;
        let entry = told.iter().find(|entry| entry.act == "setting.change").unwrap();
        assert_eq!((entry.subject.as_str(), &entry.before, &entry.after), ("acme.eab_key", &None, &None));
        house.check().await;
    });
}
