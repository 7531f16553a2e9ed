//! Certificates: who sees which, who may what, and what is said of what goes wrong.

use std::sync::Arc;
use std::time::Duration;

use relais_certs::{Doing, Rank, Served};
use relais_model::{Secret, Timestamp};
use relais_service::{
    CertificateDesk, Failure, Knocker, ListenerView, OwnCertificateForm, Paging, Role, SeenLeaf, Service,
    WantedNameForm,
};
use relais_store::{
    Author, CertificateSource, DomainKey, EndedOrder, NameFinding, NameState, NewCertificate, OrderOutcome, WantedName,
};

use crate::house::{House, domain, short};

const ALL: fn() -> Paging = || Paging { after: None, limit: 100 };

fn wanted(name: &str, domain: Option<DomainKey>) -> WantedName {
    WantedName { name: name.to_owned(), bundle: "host".to_owned(), domain }
}

async fn key(house: &House, name: &str) -> DomainKey {
    house.store.domain(&domain(name)).await.unwrap().unwrap().key
}

/// A pair for these names, for the year of the house's clock.
fn pair(names: &[&str]) -> OwnCertificateForm {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.not_before = rcgen::date_time_ymd(2025, 12, 1);
    params.not_after = rcgen::date_time_ymd(2026, 3, 1);
    OwnCertificateForm { chain: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

#[tokio::test]
async fn a_domain_admin_sees_the_names_of_their_domains() {
    let house = House::open().await;
    let (one, two) = (key(&house, "one.example").await, key(&house, "two.example").await);
    let names = vec![
        wanted("mx.house.example", None),
        wanted("mta-sts.one.example", Some(one)),
        wanted("mta-sts.two.example", Some(two)),
    ];
    house.store.set_service_names(names).await.unwrap();
    let names =
        |rows: Vec<relais_service::CertificateNameRow>| rows.into_iter().map(|row| row.ascii).collect::<Vec<_>>();
    let (owner, admin) = (house.actor(Role::Owner, true).await, house.actor(Role::DomainAdmin, true).await);
    let all = house.service.certificate_names(&owner, ALL()).await.unwrap().rows;
    assert_eq!(names(all).len(), 3);
    let theirs = house.service.certificate_names(&admin, ALL()).await.unwrap().rows;
    assert_eq!(names(theirs), ["mta-sts.one.example"]);
    let desk = house.actor(Role::HelpDesk, true).await;
    assert_eq!(short(house.service.certificate_names(&desk, ALL()).await), "forbidden: failure-forbidden");
    assert_eq!(short(house.service.stored_certificates(&desk, ALL()).await), "forbidden: failure-forbidden");
    assert_eq!(short(house.service.certificate_orders(&admin, ALL()).await), "forbidden: failure-forbidden");
    assert_eq!(short(house.service.certificate_authority(&admin).await), "forbidden: failure-forbidden");
    assert_eq!(short(house.service.look_at_doors(&admin, None).await), "forbidden: failure-forbidden");
    assert_eq!(
        short(house.service.bring_certificate(&admin, &pair(&["a.example"])).await),
        "forbidden: failure-forbidden"
    );
}

#[tokio::test]
async fn names_are_asked_for_below_ones_own_domains() {
    let house = House::open().await;
    let (owner, admin) = (house.actor(Role::Owner, true).await, house.actor(Role::DomainAdmin, true).await);
    let form =
        |name: &str, domain: Option<&str>| WantedNameForm { name: name.to_owned(), domain: domain.map(str::to_owned) };
    let want = async |by, name: &str, domain| house.service.want_certificate(by, &form(name, domain)).await;
    let row = want(&admin, "Mail.One.example.", Some("one.example")).await.unwrap();
    assert_eq!((row.ascii.as_str(), row.state, row.is_asked), ("mail.one.example", "waiting", true));
    assert_eq!(row.says.id, "certificate-name-off");
    let again = want(&admin, "mail.one.example", Some("one.example")).await;
    assert_eq!(short(again), "clash: name certificate-name-known");
    for (name, domain, expected) in [
        ("mail.two.example", Some("one.example"), "unfit: name certificate-name-elsewhere"),
        ("mailone.example", Some("one.example"), "unfit: name certificate-name-elsewhere"),
        ("mail.two.example", Some("two.example"), "absent: failure-unknown-domain"),
        ("mail.one.example", None, "unfit: domain certificate-domain-missing"),
        ("192.0.2.1", Some("one.example"), "unfit: name certificate-no-name"),
        ("one", Some("one.example"), "unfit: name certificate-no-name"),
    ] {
        assert_eq!(short(want(&admin, name, domain).await), expected, "{name}");
    }
    let row = want(&owner, "*.bücher.example", None).await.unwrap();
    assert_eq!((row.ascii.as_str(), row.name.as_str()), ("*.xn--bcher-kva.example", "*.bücher.example"));
    assert_eq!(
        short(house.service.unwant_certificate(&admin, "*.bücher.example").await),
        "absent: certificate-name-absent"
    );
    assert_eq!(short(house.service.unwant_certificate(&admin, "mail.one.example").await), "done");
    assert_eq!(
        short(house.service.unwant_certificate(&admin, "mail.one.example").await),
        "absent: certificate-name-absent"
    );
}

#[tokio::test]
async fn what_the_ca_says_is_told_with_what_to_do() {
    let house = House::open().await;
    house.store.set_service_names(vec![wanted("mx.house.example", None)]).await.unwrap();
    let owner = house.actor(Role::Owner, true).await;
    let finding = |state, problem: &str, says: &str| NameFinding {
        name: "mx.house.example".to_owned(),
        state,
        says: says.to_owned(),
        problem: problem.to_owned(),
        failures: 1,
        retry_at: house.store.now(),
    };
    for (state, problem, expected) in [
        (NameState::Refused, "caa", "certificate-problem-caa"),
        (NameState::Refused, "connection", "certificate-problem-connection"),
        (NameState::Refused, "somethingNew", "certificate-problem-other"),
        (NameState::Waiting, "otherAddress", "certificate-problem-other-address"),
        (NameState::Ready, "", "certificate-name-ready"),
    ] {
        house.store.note_names(vec![finding(state, problem, "192.0.2.9")]).await.unwrap();
        let row = house.service.certificate_names(&owner, ALL()).await.unwrap().rows.remove(0);
        assert_eq!(row.says.id, expected);
        assert_eq!(row.ca_says.is_some(), state == NameState::Refused);
        assert_eq!(row.served_by, "self_signed");
    }
    assert_eq!(short(house.service.order_certificates(&owner, None).await), "clash:  certificate-ca-off");
    house.store.change_setting(&Author::house(), "acme.enabled", Some("true")).await.unwrap();
    assert_eq!(short(house.service.order_certificates(&owner, None).await), "done");
    let url = house.store.settings().acme_directory_url.clone();
    house.store.hold_acme(&url, Duration::from_mins(1)).await.unwrap();
    house.store.rest_acme(&url, 1, Some(house.store.now().plus(Duration::from_hours(1)))).await.unwrap();
    let resting = house.service.order_certificates(&owner, Some(&["mx.house.example".to_owned()])).await;
    assert_eq!(short(resting), "clash:  certificate-ca-rests-until");
    assert_eq!(house.service.certificate_authority(&owner).await.unwrap().says.id, "certificate-ca-rests");
}

#[tokio::test]
async fn certificates_are_brought_and_removed() {
    let house = House::open().await;
    let owner = house.actor(Role::Owner, true).await;
    house.store.set_service_names(vec![wanted("mx.house.example", None)]).await.unwrap();
    let row = house.service.bring_certificate(&owner, &pair(&["*.house.example"])).await.unwrap();
    assert_eq!((row.source, row.names, row.renews_at), ("own", vec!["*.house.example".to_owned()], None));
    let name = house.service.certificate_names(&owner, ALL()).await.unwrap().rows.remove(0);
    assert_eq!(name.state, "covered");
    assert_eq!(short(house.service.renew_certificate(&owner, &row.id).await), "clash:  certificate-own-never-renewed");
    let other = OwnCertificateForm { key: pair(&["x.example"]).key, ..pair(&["a.example"]) };
    assert_eq!(short(house.service.bring_certificate(&owner, &other).await), "unfit: key certificate-pem-other-key");
    assert!(!format!("{other:?}").contains("PRIVATE"));
    let unproven = house.actor(Role::Owner, false).await;
    assert!(matches!(house.service.remove_certificate(&unproven, &row.id).await, Err(Failure::Unproven)));
    assert_eq!(short(house.service.remove_certificate(&owner, &row.id).await), "done");
    assert_eq!(short(house.service.remove_certificate(&owner, &row.id).await), "absent: certificate-absent");
    assert_eq!(short(house.service.remove_certificate(&owner, "no id").await), "absent: certificate-absent");
    assert!(house.store.check().await.unwrap().is_empty());
}

/// An owner who is told that it cannot be renewed now has changed nothing.
#[tokio::test]
async fn a_renewal_that_clashes_leaves_its_date() {
    let house = House::open().await;
    let owner = house.actor(Role::Owner, true).await;
    let names = vec!["mx.house.example".to_owned()];
    let (now, planned) = (house.store.now(), house.store.now().plus(Duration::from_hours(100)));
    let new = NewCertificate {
        source: CertificateSource::Acme,
        bundle: "host".to_owned(),
        names: names.clone(),
        chain_pem: "chain".to_owned(),
        key_pem: Secret::new("key"),
        not_before: now,
        not_after: now.plus(Duration::from_hours(150)),
        issuer: "CN=ca".to_owned(),
        renew_at: Some(planned),
        covers: names.clone(),
    };
    let url = house.store.settings().acme_directory_url.clone();
    let (problem, says) = (String::new(), String::new());
    let order = EndedOrder { directory_url: url.clone(), names, outcome: OrderOutcome::Issued, problem, says };
    house.store.keep_certificate(new, None, order).await.unwrap();
    let row = async || house.service.stored_certificates(&owner, ALL()).await.unwrap().rows.remove(0);
    let id = row().await.id;
    let expect = async |outcome: &str, renews_at: Timestamp| {
        assert_eq!(short(house.service.renew_certificate(&owner, &id).await), outcome);
        assert_eq!(row().await.renews_at, Some(renews_at.into()), "{outcome}");
    };
    expect("clash:  certificate-ca-off", planned).await;
    house.store.change_setting(&Author::house(), "acme.enabled", Some("true")).await.unwrap();
    house.store.hold_acme(&url, Duration::from_mins(1)).await.unwrap();
    let rests_until = |until: Option<Timestamp>| house.store.rest_acme(&url, 1, until);
    rests_until(Some(now.plus(Duration::from_hours(1)))).await.unwrap();
    expect("clash:  certificate-ca-rests-until", planned).await;
    rests_until(None).await.unwrap();
    expect("done", now).await;
}

/// The first door shows what it should, the second something else, the third nothing.
#[derive(Debug)]
struct Doors(Arc<Served>);

impl Knocker for Doors {
    fn knock<'a>(&'a self, door: &'a ListenerView, name: &'a str) -> Doing<'a, Result<SeenLeaf, String>> {
        let leaf = match door.protocol.as_str() {
            "smtp" => self.0.for_name(name).map(|found| found.leaf.to_vec()).ok_or_else(String::new),
            "imap" => Ok(vec![0]),
            _ => Err("nobody takes the connection".to_owned()),
        };
        let seen = |leaf| SeenLeaf {
            leaf,
            names: vec![name.to_owned()],
            issuer: "CN=x".to_owned(),
            not_after: Timestamp::from_seconds(1),
            version: "TLS1.3".to_owned(),
        };
        Box::pin(async move { leaf.map(seen) })
    }
}

#[tokio::test]
async fn doors_are_looked_at() {
    let house = House::open().await;
    let folder = tempfile::tempdir().unwrap();
    let own = pair(&["mx.house.example"]);
    let files = (folder.path().join("pair.pem"), folder.path().join("pair.key"));
    std::fs::write(&files.0, own.chain).unwrap();
    std::fs::write(&files.1, own.key).unwrap();
    let served = Arc::new(Served::load("mx.house.example", &[files], Rank::SelfSigned, Arc::default()).unwrap());
    let door = |protocol: &str| ListenerView {
        protocol: protocol.to_owned(),
        at: "127.0.0.1:1".to_owned(),
        tls: "implicit".to_owned(),
    };
    let desk = CertificateDesk {
        served: Arc::clone(&served),
        wake: Arc::default(),
        doors: vec![door("smtp"), door("imap"), door("pop3")],
        knocker: Arc::new(Doors(served)),
    };
    let operations = relais_service::Operations::default().with_certificates(desk);
    let service = Service::new(house.store.clone(), Arc::clone(&house.login)).with_operations(operations);
    let owner = house.actor(Role::Owner, true).await;
    let seen = service.look_at_doors(&owner, Some("mx.house.example")).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|door| (door.is_right, door.says.id.as_ref())).collect();
    assert_eq!(
        seen,
        [(true, "certificate-door-right"), (false, "certificate-door-other"), (false, "certificate-door-silent"),]
    );
}
