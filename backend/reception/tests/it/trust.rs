//! Whose mail it is: our people's is signed, strangers' is checked.

use std::sync::Arc;

use relais_dnscheck::{Algorithm, DkimKeyMaker};
use relais_model::{Clock as _, Domain};
use relais_msgauth::dkim::{DkimResult, verify};
use relais_msgauth::report::AggregateRow;
use relais_msgauth::testing::{Zone, at_once};
use relais_store::{Author, NewDkimKey};
use relais_testkit::SeededRandom;

use crate::desk::{Desk, by_ann, from_outside};

const BEN: &[&str] = &["ben@example.org"];

async fn desk(zone: Zone) -> Desk {
    let Desk { house, reception } = Desk::open().await;
    Desk { house, reception: reception.with_resolver(Arc::new(zone)) }
}

/// RFC 6376 §5, RFC 8463: with the keys whose records the house tells its owner to publish.
#[tokio::test]
async fn what_our_people_send_is_signed() {
    let desk = Desk::open().await;
    let domain = desk.house.store.domain(&Domain::parse("example.org").unwrap()).await.unwrap().unwrap().key;
    let (maker, mut zone, mut keys) = (DkimKeyMaker::new(Arc::new(SeededRandom::default())), Zone::new(), Vec::new());
    for (algorithm, selector) in [(Algorithm::Rsa, "r1"), (Algorithm::Ed25519, "e1")] {
        let made = maker.make(algorithm).await.unwrap();
        let record = format!("v=DKIM1; k={}; p={}", algorithm.as_str(), made.public_key);
        zone.add_txt(&format!("{selector}._domainkey.example.org"), record);
        let (private_key, public_key) = (made.private_key, made.public_key);
        keys.push(NewDkimKey { selector: selector.to_owned(), algorithm: algorithm.as_str(), private_key, public_key });
    }
    desk.house.store.add_dkim_keys(domain, keys).await.unwrap();
    for octets in [100, 200_000] {
        let body = "A line of the body.\r\n".repeat(octets / 20);
        let message = format!("From: Ann <ann@example.org>\r\nSubject: hello\r\n\r\n{body}");
        assert_eq!(desk.send(&by_ann("ann@example.org", BEN), &message).await, ["250 2.0.0"]);
        let got = desk.inbox("ben@example.org").await.pop().unwrap();
        assert!(got.starts_with("Return-Path: <ann@example.org>\r\nReceived: "), "{got}");
        let checks = at_once(verify(&zone, got.as_bytes(), desk.house.clock.now()));
        let results: Vec<_> = checks.iter().map(|check| check.result).collect();
        assert_eq!(results, [DkimResult::Pass, DkimResult::Pass], "{octets} octets");
    }
    // A stranger's mail in the same name is not.
    let forged = "From: ann@example.org\r\n\r\nThe body.\r\n";
    assert_eq!(desk.send(&from_outside("x@elsewhere.example", BEN), forged).await, ["250 2.0.0"]);
    assert!(!desk.inbox("ben@example.org").await.pop().unwrap().contains("DKIM-Signature"));
}

/// The desk's peer is 192.0.2.1.
fn zone() -> Zone {
    Zone::new()
        .with_txt("good.example", "v=spf1 ip4:192.0.2.1 -all")
        .with_txt("_dmarc.good.example", "v=DMARC1; p=reject")
        .with_txt("bad.example", "v=spf1 -all")
        .with_txt("_dmarc.bad.example", "v=DMARC1; p=reject")
        .with_txt("junk.example", "v=spf1 -all")
        .with_txt("_dmarc.junk.example", "v=DMARC1; p=quarantine")
        .with_txt("calm.example", "v=spf1 -all")
        .with_txt("_dmarc.calm.example", "v=DMARC1; p=none")
}

fn message(from: &str) -> String {
    format!("From: {from}\r\nAuthentication-Results: mx.example.org; dmarc=pass\r\nSubject: hello\r\n\r\nThe body.\r\n")
}

/// RFC 9989 §5.4; RFC 8601 §5: what was found stands in the header, and what only claims to be ours doesn't.
#[tokio::test]
async fn what_an_authors_domain_wants_is_done() {
    for (from, reply, mailbox, result) in [
        ("ann@good.example", "250 2.0.0", "INBOX", "dmarc=pass"),
        ("ann@bad.example", "550 5.7.1", "", ""),
        ("ann@junk.example", "250 2.0.0", "Junk", "dmarc=fail"),
        ("ann@calm.example", "250 2.0.0", "INBOX", "dmarc=fail"),
        ("ann@nobody.example", "250 2.0.0", "INBOX", "dmarc=none"),
    ] {
        let desk = desk(zone()).await;
        assert_eq!(desk.send(&from_outside(from, BEN), &message(from)).await, [reply], "{from}");
        for name in ["INBOX", "Junk"] {
            let mut found = desk.mail("ben@example.org", name).await;
            assert_eq!(found.len(), usize::from(name == mailbox), "{from} in {name}");
            let Some(got) = found.pop() else { continue };
            let fields: Vec<&str> =
                got.split("\r\n").filter(|line| line.starts_with("Authentication-Results")).collect();
            assert_eq!(fields, ["Authentication-Results: mx.example.org;"], "{got}");
            assert!(got.contains(result) && !got.contains("org; dmarc=pass"), "{got}");
            let start = "Return-Path: <ann@";
            assert!(got.starts_with(start) && got.ends_with("Subject: hello\r\n\r\nThe body.\r\n"), "{got}");
        }
    }
}

#[tokio::test]
async fn an_owner_may_have_it_marked_alone() {
    let desk = desk(zone()).await;
    desk.house.store.change_setting(&Author::house(), "trust.dmarc", Some("mark")).await.unwrap();
    for from in ["ann@bad.example", "ann@junk.example"] {
        assert_eq!(desk.send(&from_outside(from, BEN), &message(from)).await, ["250 2.0.0"]);
        assert!(desk.inbox("ben@example.org").await.pop().unwrap().contains("dmarc=fail"));
    }
}

/// RFC 9990: counted is what those asked for who want to be told, and how it was disposed of.
#[tokio::test]
async fn mail_is_counted_for_those_who_ask_to_be_told() {
    let zone = || {
        Zone::new()
            .with_txt("asks.example", "v=spf1 -all")
            .with_txt("_dmarc.asks.example", "v=DMARC1; p=quarantine; rua=mailto:r@asks.example")
            .with_txt("_dmarc.silent.example", "v=DMARC1; p=none")
    };
    let settings: [(&str, &str, &str); 3] =
        [("trust.dmarc", "follow", "quarantine"), ("trust.dmarc", "mark", "none"), ("trust.send_reports", "false", "")];
    for (name, value, disposition) in settings {
        let desk = desk(zone()).await;
        desk.house.store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
        for from in ["ann@asks.example", "bob@asks.example", "ann@silent.example"] {
            assert_eq!(desk.send(&from_outside(from, BEN), &message(from)).await, ["250 2.0.0"]);
        }
        let counts = desk.reception.tally().take();
        assert_eq!(desk.reception.tally().take(), [], "taken once");
        let Some(count) = counts.first() else {
            assert_eq!(disposition, "", "{name} {value}");
            continue;
        };
        assert_eq!((counts.len(), count.messages, count.policy_domain.as_str()), (1, 2, "asks.example"));
        let row = AggregateRow::read_line(&count.line, count.messages).unwrap();
        assert_eq!((row.source.to_string().as_str(), row.count), ("192.0.2.1", 2));
        assert_eq!((row.disposition.as_str(), row.is_spf_aligned), (disposition, false));
        assert_eq!((row.header_from.as_str(), row.envelope_from.as_str()), ("asks.example", "asks.example"));
        assert_eq!((row.spf[0].result.as_str(), row.overrides.len()), ("fail", usize::from(value == "mark")));
    }
}

/// What the DNS owes is held against nobody.
#[tokio::test]
async fn a_silent_dns_refuses_nobody() {
    let mut zone = Zone::new();
    for name in ["bad.example", "_dmarc.bad.example"] {
        zone.silence(name);
    }
    let desk = desk(zone).await;
    assert_eq!(desk.send(&from_outside("ann@bad.example", BEN), &message("ann@bad.example")).await, ["250 2.0.0"]);
    assert!(desk.inbox("ben@example.org").await.pop().unwrap().contains("dmarc=temperror"));
}
