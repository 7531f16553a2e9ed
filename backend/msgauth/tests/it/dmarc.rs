//! RFC 9989: discovery, alignment and policies, over whole messages; and that the DNS is asked seldom.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use relais_model::{Address, Domain, ReversePath, Secret, Timestamp};
use relais_msgauth::dkim::{Algorithm, Signer, SigningKey, sign};
use relais_msgauth::dmarc::{DmarcReason, DmarcResult, Policy, PolicyTag};
use relais_msgauth::testing::{Zone, at_once};
use relais_msgauth::{Answering, Authentication, Facts, Family, Lack, Resolver, authenticate};

use crate::keys::{ED25519_PEM, ED25519_RECORD};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn found(resolver: &dyn Resolver, mail_from: &str, message: &str) -> Authentication {
    let reverse_path = ReversePath::Address(Address::parse(mail_from).unwrap());
    let facts = Facts {
        peer: "192.0.2.7".parse().unwrap(),
        helo: "mx.example.net",
        reverse_path: &reverse_path,
        message: message.as_bytes(),
        host: "mx.example",
        now: NOW,
    };
    at_once(authenticate(&facts, resolver))
}

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (name, text) in records {
        zone.add_txt(name, *text);
    }
    zone
}

const SPF: &str = "v=spf1 ip4:192.0.2.7 -all";

#[track_caller]
fn check(
    records: &[(&str, &str)],
    mail_from: &str,
    from: &str,
    expected: &(DmarcResult, DmarcReason),
) -> Authentication {
    let found = found(&zone(records), mail_from, &format!("From: {from}\r\n\r\nHello\r\n"));
    assert_eq!(&(found.dmarc.result, found.dmarc.reason.clone()), expected, "{records:?} {mail_from} {from}");
    found
}

fn by_spf(domain: &str) -> (DmarcResult, DmarcReason) {
    (DmarcResult::Pass, DmarcReason::Aligned { dkim: None, spf: Some(domain.to_owned()) })
}

/// RFC 9989 §B.1: the same name, a name below, a name above, and another name.
#[test]
fn spf_aligns_as_in_the_rfcs_examples() {
    let policy = ("_dmarc.example.com", "v=DMARC1; p=reject");
    let strict = ("_dmarc.example.com", "v=DMARC1; p=reject; aspf=s");
    let others = |domain: &str| (DmarcResult::Fail, DmarcReason::OthersPassed(vec![domain.to_owned()]));
    check(&[policy, ("example.com", SPF)], "a@example.com", "a@example.com", &by_spf("example.com"));
    check(&[policy, ("child.example.com", SPF)], "a@child.example.com", "a@example.com", &by_spf("child.example.com"));
    check(&[policy, ("example.com", SPF)], "a@example.com", "a@child.example.com", &by_spf("example.com"));
    check(&[strict, ("child.example.com", SPF)], "a@child.example.com", "a@example.com", &others("child.example.com"));
    check(&[policy, ("example.net", SPF)], "a@example.net", "a@example.com", &others("example.net"));
    check(&[policy], "a@example.com", "a@example.com", &(DmarcResult::Fail, DmarcReason::NothingPassed));
    check(&[policy, ("notexample.com", SPF)], "a@notexample.com", "a@example.com", &others("notexample.com"));
    // Two organisations below one registry, which has a record of its own, marked or not.
    for registry in ["v=DMARC1; p=none; psd=y", "v=DMARC1; p=none"] {
        let records = [("_dmarc.com", registry), ("a.com", SPF)];
        check(&records, "x@a.com", "x@b.com", &others("a.com"));
        check(&records, "x@a.com", "x@www.a.com", &by_spf("a.com"));
    }
    // An organisation inside of another.
    let inner = [policy, ("_dmarc.dept.example.com", "v=DMARC1; p=none; psd=n"), ("example.com", SPF)];
    check(&inner, "a@example.com", "a@dept.example.com", &others("example.com"));
}

#[test]
fn dkim_aligns() {
    let signer = |domain: &str| Signer {
        domain: Domain::parse(domain).unwrap(),
        selector: "e1".to_owned(),
        key: SigningKey::from_pem(Algorithm::Ed25519Sha256, &Secret::new(ED25519_PEM)).unwrap(),
    };
    let plain = "From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n";
    let check = |sdid: &str, policy: &str, expected: DmarcReason| {
        let key = format!("e1._domainkey.{sdid}");
        let zone = zone(&[("_dmarc.example.com", policy), (&key, ED25519_RECORD)]);
        let fields = sign(plain.as_bytes(), &[&signer(sdid)], NOW).unwrap();
        let message = String::from_utf8(fields).unwrap() + plain;
        assert_eq!(found(&zone, "a@example.net", &message).dmarc.reason, expected, "{sdid}");
    };
    let aligned = |domain: &str| DmarcReason::Aligned { dkim: Some(domain.to_owned()), spf: None };
    check("example.com", "v=DMARC1; p=reject; adkim=s", aligned("example.com"));
    check("mail.example.com", "v=DMARC1; p=reject", aligned("mail.example.com"));
    let other = |domain: &str| DmarcReason::OthersPassed(vec![domain.to_owned()]);
    check("mail.example.com", "v=DMARC1; p=reject; adkim=s", other("mail.example.com"));
    check("example.net", "v=DMARC1; p=reject", other("example.net"));
}

/// RFC 9989 §4.10.1.
#[test]
fn the_policy_is_the_nearest_records() {
    let record = "v=DMARC1; p=reject; sp=quarantine; np=none";
    let check = |records: &[(&str, &str)], from: &str, expected: Option<(PolicyTag, Policy)>| {
        let found = found(&zone(records), "a@example.net", &format!("From: {from}\r\n\r\n"));
        assert_eq!(found.dmarc.policy, expected, "{records:?} {from}");
    };
    let at = ("_dmarc.example.com", record);
    check(&[at], "a@example.com", Some((PolicyTag::Own, Policy::Reject)));
    check(&[at, ("there.example.com", "x")], "a@there.example.com", Some((PolicyTag::Below, Policy::Quarantine)));
    check(&[at], "a@nowhere.example.com", Some((PolicyTag::Nonexistent, Policy::None)));
    check(&[("_dmarc.example.com", "v=DMARC1; p=reject")], "a@x.example.com", Some((PolicyTag::Below, Policy::Reject)));
    // The public suffix's record is the last resort.
    check(
        &[("_dmarc.com", "v=DMARC1; p=none; np=reject; psd=y")],
        "a@example.com",
        Some((PolicyTag::Nonexistent, Policy::Reject)),
    );
    // Without a policy that can be read: none, where reports are wanted.
    check(
        &[("_dmarc.example.com", "v=DMARC1; rua=mailto:r@example.com")],
        "a@example.com",
        Some((PolicyTag::Own, Policy::None)),
    );
    check(
        &[("_dmarc.example.com", "v=DMARC1; p=reject; sp=x; rua=mailto:r@example.com")],
        "a@example.com",
        Some((PolicyTag::Own, Policy::None)),
    );
    check(&[("_dmarc.example.com", "v=DMARC1; t=y")], "a@example.com", None);
    check(&[], "a@example.com", None);
}

#[test]
fn what_can_not_be_evaluated() {
    let records = [("_dmarc.example.com", "v=DMARC1; p=reject"), ("example.com", SPF)];
    let no_author = || (DmarcResult::PermError, DmarcReason::NoAuthor);
    for from in ["", "nobody", "a@[192.0.2.1]", "undisclosed:;"] {
        check(&records, "a@example.com", from, &no_author());
    }
    let several = vec!["example.com".to_owned(), "example.net".to_owned()];
    let expected = (DmarcResult::PermError, DmarcReason::SeveralAuthors(several));
    check(&records, "a@example.com", "a@example.com, b@example.net", &expected);
    check(&records, "a@example.com", "a@example.com\r\nFrom: b@example.net", &expected);
    check(&records, "a@example.com", "a@example.com, b@example.com", &by_spf("example.com"));
    check(&[], "a@example.com", "a@example.com", &(DmarcResult::None, DmarcReason::NoRecord));
    // The DNS owes what could have let it pass, or the policy itself.
    let mut ill = zone(&[("_dmarc.example.com", "v=DMARC1; p=reject")]);
    ill.silence("example.com");
    let owed = |resolver: &Zone| found(resolver, "a@example.com", "From: a@example.com\r\n\r\n").dmarc.reason;
    assert_eq!(owed(&ill), DmarcReason::Unanswered("example.com".to_owned()));
    let mut ill = zone(&[("example.com", SPF)]);
    ill.silence("_dmarc.example.com");
    assert_eq!(owed(&ill), DmarcReason::Unanswered("_dmarc.example.com".to_owned()));
}

/// Counts the questions.
#[derive(Debug)]
struct Counting(Zone, AtomicUsize);

impl Counting {
    fn count(&self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

impl Resolver for Counting {
    fn txt<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<Vec<u8>>, Lack>> {
        self.count();
        self.0.txt(name)
    }

    fn addresses<'a>(&'a self, name: &'a str, family: Family) -> Answering<'a, Result<Vec<IpAddr>, Lack>> {
        self.count();
        self.0.addresses(name, family)
    }

    fn mx<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<String>, Lack>> {
        self.count();
        self.0.mx(name)
    }

    fn ptr(&self, address: IpAddr) -> Answering<'_, Result<Vec<String>, Lack>> {
        self.count();
        self.0.ptr(address)
    }
}

/// A message made to ask as much as it can: long names, a thousand signatures, a greedy SPF record.
#[test]
fn questions_are_bounded() {
    let mut zone = Zone::new();
    let deep = format!("{}example.com", "a.".repeat(100));
    let terms: Vec<String> = (0..20).map(|number| format!("mx:m{number}.example.com")).collect();
    zone.add_txt("example.com", format!("v=spf1 {} -all", terms.join(" ")));
    for number in 0..20 {
        for host in 0..10 {
            let name = format!("h{number}-{host}.example.com");
            zone.add_address(&name, IpAddr::from([198, 51, 100, 1]));
            zone.add_mx(&format!("m{number}.example.com"), 1, &name);
        }
    }
    let counting = Counting(zone, AtomicUsize::new(0));
    let signature = format!("DKIM-Signature: v=1; a=rsa-sha256; d={deep}; s=s; h=from; bh=AAAA; b=AAAA\r\n");
    let message = signature.repeat(1000) + &format!("From: a@{deep}\r\n\r\n");
    found(&counting, "a@example.com", &message);
    let asked = counting.1.load(Ordering::Relaxed);
    assert!(asked <= 150, "{asked}");
}

/// The field that goes into the message: folded, one method a line.
#[test]
fn the_results_are_written() {
    let records = [("_dmarc.example.com", "v=DMARC1; p=reject"), ("example.com", SPF)];
    let found = check(&records, "a@example.com", "a@example.com", &by_spf("example.com"));
    assert_eq!(
        found.field("mx.example"),
        "Authentication-Results: mx.example;\r\n\tiprev=permerror policy.iprev=192.0.2.7;\r\n\tspf=none smtp.helo=mx.example.net;\r\n\
         \tspf=pass smtp.mailfrom=a@example.com;\r\n\tdkim=none;\r\n\tdmarc=pass (p=reject) header.from=example.com;\r\n\tarc=none\r\n"
    );
}
