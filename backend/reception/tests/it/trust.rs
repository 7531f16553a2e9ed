//! Whose mail it is: our people's is signed, strangers' is checked.

use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use relais_dnscheck::{Algorithm, DkimKeyMaker};
use relais_model::{Clock as _, Domain};
use relais_msgauth::arc::{self, ArcResult};
use relais_msgauth::dkim::{DkimCheck, DkimResult, verify};
use relais_msgauth::report::AggregateRow;
use relais_msgauth::testing::{Zone, at_once};
use relais_msgauth::{Answering, Family, Lack, Resolver};
use relais_store::{Author, JudgedAs, NewDkimKey, Page, RuleScope, TraceFilter, TraceKind};
use relais_testkit::SeededRandom;
use tokio::time::{self, timeout};

use crate::desk::{Desk, by_ann, from_outside};

const BEN: &[&str] = &["ben@example.org"];

async fn desk(zone: Zone) -> Desk {
    looking_at(Desk::open().await, zone).await
}

async fn looking_at(desk: Desk, zone: Zone) -> Desk {
    let Desk { house, reception } = desk;
    // Whether anybody wants it is another question.
    for name in ["junk.greylisting", "junk.filter"] {
        house.store.change_setting(&Author::house(), name, Some("false")).await.unwrap();
    }
    Desk { house, reception: reception.with_resolver(Arc::new(zone)) }
}

/// Gives example.org keys; the zone has their records at each of `names`.
async fn with_keys(desk: &Desk, names: &[&str]) -> Zone {
    let domain = desk.house.store.domain(&Domain::parse("example.org").unwrap()).await.unwrap().unwrap().key;
    let (maker, mut zone, mut keys) = (DkimKeyMaker::new(Arc::new(SeededRandom::default())), zone(), Vec::new());
    for (algorithm, selector) in [(Algorithm::Rsa, "r1"), (Algorithm::Ed25519, "e1")] {
        let made = maker.make(algorithm).await.unwrap();
        let record = format!("v=DKIM1; k={}; p={}", algorithm.as_str(), made.public_key);
        for name in names {
            zone.add_txt(&format!("{selector}._domainkey.{name}"), record.as_str());
        }
        let (private_key, public_key) = (made.private_key, made.public_key);
        keys.push(NewDkimKey { selector: selector.to_owned(), algorithm: algorithm.as_str(), private_key, public_key });
    }
    desk.house.store.add_dkim_keys(domain, keys).await.unwrap();
    zone
}

/// The signatures' domains and results.
fn signed(zone: &Zone, message: &str, desk: &Desk) -> Vec<(String, DkimResult)> {
    let checks = at_once(verify(zone, message.as_bytes(), desk.house.clock.now()));
    let domain = |check: &DkimCheck| check.signature.as_ref().map(|one| one.domain.clone()).unwrap_or_default();
    checks.iter().map(|check| (domain(check), check.result)).collect()
}

/// RFC 6376 §5, RFC 8463: with the keys whose records the house tells its owner to publish.
#[tokio::test]
async fn what_our_people_send_is_signed() {
    let desk = Desk::open().await;
    let zone = with_keys(&desk, &["example.org"]).await;
    for octets in [100, 200_000] {
        let body = "A line of the body.\r\n".repeat(octets / 20);
        let message = format!("From: Ann <ann@example.org>\r\nSubject: hello\r\n\r\n{body}");
        assert_eq!(desk.send(&by_ann("ann@example.org", BEN), &message).await, ["250 2.0.0"]);
        let got = desk.inbox("ben@example.org").await.pop().unwrap();
        let start = "Return-Path: <ann@example.org>\r\nDelivered-To: ben@example.org\r\nReceived: ";
        assert!(got.starts_with(start), "{got}");
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
            let order: Vec<&str> = got.lines().filter(|line| !line.starts_with('\t')).take(4).collect();
            let [_, to, found, received] = order.as_slice() else { panic!("{got}") };
            assert!(*to == "Delivered-To: ben@example.org" && found.starts_with("Auth") && received.starts_with("Rec"));
        }
    }
}

/// Refused messages, too: whoever asks where a message is learns why it is nowhere.
#[tokio::test]
async fn the_trace_says_what_was_done_and_why() {
    for (from, kind, judged_as, reason) in [
        ("ann@good.example", TraceKind::Delivered, JudgedAs::Taken, "auth-dmarc-by-spf"),
        ("ann@junk.example", TraceKind::Delivered, JudgedAs::Junk, "auth-dispose-policy"),
        ("ann@bad.example", TraceKind::Refused, JudgedAs::Refused, "auth-dispose-policy"),
    ] {
        let desk = desk(zone()).await;
        desk.send(&from_outside(from, &["ben@example.org", "ann@example.org"]), &message(from)).await;
        let events = desk.house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap().rows;
        assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), [kind, kind], "{from}");
        let [event, _] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((event.sender.as_str(), event.subject.as_deref()), (from, Some("hello")));
        assert_eq!(event.text.starts_with("550 5.7.1 bad.example wants"), kind == TraceKind::Refused, "{}", event.text);
        let judgement = desk.house.store.judgement(&event.trace).await.unwrap().unwrap();
        assert_eq!(judgement.judged_as, judged_as);
        assert!(judgement.findings.iter().any(|finding| finding.said.id == reason), "{judgement:?}");
        assert_eq!(judgement.findings.iter().any(|finding| finding.decides), judged_as != JudgedAs::Taken);
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

/// A DNS that never answers. While its first question waits, 20 seconds go by.
#[derive(Debug, Default)]
struct Mute {
    is_asked: AtomicBool,
}

impl Mute {
    async fn wait<T>(&self) -> T {
        if !self.is_asked.swap(true, Ordering::Relaxed) {
            // In one leap: were time to stand still for longer, it would run ahead while the store works in its own threads.
            time::pause();
            let _leapt = time::advance(Duration::from_secs(20)).now_or_never();
            time::resume();
        }
        pending().await
    }
}

impl Resolver for Mute {
    fn txt<'a>(&'a self, _name: &'a str) -> Answering<'a, Result<Vec<Vec<u8>>, Lack>> {
        Box::pin(self.wait())
    }

    fn addresses<'a>(&'a self, _name: &'a str, _family: Family) -> Answering<'a, Result<Vec<IpAddr>, Lack>> {
        Box::pin(self.wait())
    }

    fn mx<'a>(&'a self, _name: &'a str) -> Answering<'a, Result<Vec<String>, Lack>> {
        Box::pin(self.wait())
    }

    fn ptr(&self, _address: IpAddr) -> Answering<'_, Result<Vec<String>, Lack>> {
        Box::pin(self.wait())
    }
}

/// RFC 7208 §4.6.4: all questions of a message together have 20 seconds; then it is taken, and what is owed is said.
#[tokio::test]
async fn a_dns_that_never_answers_is_not_waited_for() {
    let Desk { house, reception } = desk(Zone::new()).await;
    let desk = Desk { house, reception: reception.with_resolver(Arc::new(Mute::default())) };
    let said = from_outside("ann@bad.example", BEN);
    let message = message("ann@bad.example");
    // 20 of the 40 seconds are leapt over. The others pass only where something waits for longer than it may.
    let replies = timeout(Duration::from_secs(40), desk.send(&said, &message)).await.unwrap();
    assert_eq!(replies, ["250 2.0.0"]);
    let got = desk.inbox("ben@example.org").await.pop().unwrap();
    for result in ["iprev=temperror", "spf=temperror", "dmarc=temperror"] {
        assert!(got.contains(result), "{result} in {got}");
    }
}

/// A notice says From: the host, whose domain above it has the keys (RFC 9989 §4.4.1: aligned all the same).
#[tokio::test]
async fn our_own_notices_are_signed() {
    let desk = Desk::open().await;
    let zone = with_keys(&desk, &["example.org"]).await;
    let mail = "From: ann@example.org\r\n\r\nThe body.\r\n";
    desk.send(&by_ann("ann@example.org", &["half@example.org"]), mail).await;
    let notice =
        desk.inbox("ann@example.org").await.into_iter().find(|mail| mail.contains("multipart/report")).unwrap();
    assert!(notice.contains("mailer-daemon@mx.example.org"), "{notice}");
    let pass = ("example.org".to_owned(), DkimResult::Pass);
    assert_eq!(signed(&zone, &notice, &desk), [pass.clone(), pass]);
}

/// Under the other name, where its owner has published the records, and under the domain's own.
#[tokio::test]
async fn mail_in_another_name_of_a_domain_is_signed() {
    let desk = Desk::open().await;
    let (other, own) = (Domain::parse("example.net").unwrap(), Domain::parse("example.org").unwrap());
    desk.house.store.add_domain_alias(&other, &own, &Author::house()).await.unwrap();
    let zone = with_keys(&desk, &["example.org", "example.net"]).await;
    let mail = "From: ann@example.net\r\n\r\nThe body.\r\n";
    assert_eq!(desk.send(&by_ann("ann@example.net", BEN), mail).await, ["250 2.0.0"]);
    let got = desk.inbox("ben@example.org").await.pop().unwrap();
    let pass = |name: &str| (name.to_owned(), DkimResult::Pass);
    let mut found = signed(&zone, &got, &desk);
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert_eq!(found, [pass("example.net"), pass("example.net"), pass("example.org"), pass("example.org")]);
}

/// RFC 8617 §5.1: what goes on is sealed with what we found; SRS: it goes on in our name, and its bounces come back to the sender.
#[tokio::test]
async fn what_goes_on_is_sealed_and_comes_back() {
    let desk = Desk::open().await;
    let zone = with_keys(&desk, &["example.org"]).await;
    let desk = looking_at(desk, zone.clone()).await;
    let away = &["away@example.org"];
    assert_eq!(desk.send(&from_outside("ann@good.example", away), &message("ann@good.example")).await, ["250 2.0.0"]);
    let (envelope_sender, raw) = desk.on_its_way().await;
    let rewritten = envelope_sender.as_str();
    assert!(rewritten.starts_with("SRS0=") && rewritten.ends_with("=good.example=ann@example.org"), "{rewritten}");
    let chain = at_once(arc::validate(&zone, raw.as_bytes()));
    assert_eq!((chain.result, chain.sets.len()), (ArcResult::Pass, 1), "{chain:?} {raw}");
    assert!(chain.sets[0].results.contains("dmarc=pass") && chain.sets[0].domain == "example.org", "{chain:?}");
    // A bounce.
    let bounce = "From: mailer-daemon@elsewhere.example\r\nAuto-Submitted: auto-replied\r\n\r\nIt failed.\r\n";
    assert_eq!(desk.send(&from_outside("x@elsewhere.example", &[rewritten]), bounce).await, ["550 5.1.1"]);
    let forged = rewritten.replace("=ann@", "=bob@");
    assert_eq!(desk.send(&from_outside("", &[&forged]), bounce).await, ["550 5.1.1"]);
    assert_eq!(desk.send(&from_outside("", &[rewritten]), bounce).await, ["250 2.0.0"]);
    let sent_on = desk.queued().await;
    assert!(sent_on.contains(&("<>".to_owned(), "ann@good.example".to_owned())), "{sent_on:?}");
    desk.house.clock.advance(Duration::from_hours(23 * 24));
    assert_eq!(desk.send(&from_outside("", &[rewritten]), bounce).await, ["550 5.1.1"]);
    // Ours needs no other path; the null one stays.
    let ours = "From: ann@example.org\r\n\r\nThe body.\r\n";
    assert_eq!(desk.send(&by_ann("ann@example.org", away), ours).await, ["250 2.0.0"]);
    let sent_on = desk.queued().await;
    assert!(sent_on.iter().any(|(from, _)| from == "<ann@example.org>"), "{sent_on:?}");
}

/// The same for what a script sends on (RFC 5228 §4.2): it is sealed by the domain whose mailbox the script keeps.
#[tokio::test]
async fn what_a_script_sends_on_is_sealed() {
    let desk = Desk::open().await;
    let zone = with_keys(&desk, &["example.org"]).await;
    let desk = looking_at(desk, zone.clone()).await;
    let (store, ben) = (&desk.house.store, desk.identity("ben@example.org").await.account);
    let script = "redirect \"ben@elsewhere.example\";";
    store.put_sieve_script(&Author::house(), RuleScope::Account(ben), "own", script).await.unwrap();
    store.activate_sieve_script(&Author::house(), ben, Some("own")).await.unwrap();
    assert_eq!(desk.send(&from_outside("ann@good.example", BEN), &message("ann@good.example")).await, ["250 2.0.0"]);
    let (_, raw) = desk.on_its_way().await;
    assert!(raw.contains("X-Sieve-Redirected-From: ben@example.org\r\n"), "{raw}");
    let chain = at_once(arc::validate(&zone, raw.as_bytes()));
    assert_eq!((chain.result, chain.sets.len()), (ArcResult::Pass, 1), "{chain:?} {raw}");
    assert!(chain.sets[0].results.contains("dmarc=pass") && chain.sets[0].domain == "example.org", "{chain:?}");
}

/// RFC 5321 §6.3: nine times through here is a circle.
#[tokio::test]
async fn circles_end_here() {
    let desk = Desk::open().await;
    let hop = "Received: from a.example by mx.example.org with ESMTP id x;\r\n\tFri, 27 Nov 2026 09:00:00 +0000\r\n";
    let other =
        "Received: from a.example by mx.elsewhere.example with ESMTP id x;\r\n\tFri, 27 Nov 2026 09:00:00 +0000\r\n";
    for (ours, others, reply) in [(8, 20, "250 2.0.0"), (9, 0, "554 5.4.6")] {
        let mail = format!("{}{}{}", hop.repeat(ours), other.repeat(others), message("x@elsewhere.example"));
        assert_eq!(desk.send(&from_outside("x@elsewhere.example", &["away@example.org"]), &mail).await, [reply]);
    }
}

/// RFC 7960 §3.2, RFC 8617 §7.2: the house may know better than an author's policy.
#[tokio::test]
async fn known_lists_and_trusted_sealers_may_change_mail() {
    let list = "From: ann@bad.example\r\nList-Id: Chess <chess.good.example>\r\nSubject: hello\r\n\r\nThe body.\r\n";
    for (setting, value, reply) in [
        ("trust.mailing_lists", "", "550 5.7.1"),
        ("trust.mailing_lists", "go.good.example, chess.good.example", "250 2.0.0"),
        ("trust.mailing_lists", "good.example", "250 2.0.0"),
        ("trust.mailing_lists", "bad.example", "550 5.7.1"),
    ] {
        let desk = desk(zone()).await;
        desk.house.store.change_setting(&Author::house(), setting, Some(value)).await.unwrap();
        assert_eq!(desk.send(&from_outside("chess@good.example", BEN), list).await, [reply], "{value}");
    }
    // Through a house that seals: what it changed it saw pass.
    let relay = Desk::open().await;
    let keys = with_keys(&relay, &["example.org"]).await;
    let Desk { house, reception } = relay;
    let relay = Desk { house, reception: reception.with_resolver(Arc::new(keys.clone())) };
    relay.send(&from_outside("ann@good.example", &["away@example.org"]), &message("ann@good.example")).await;
    let (_, sealed) = relay.on_its_way().await;
    for (sealers, reply) in [("", "550 5.7.1"), ("example.org", "250 2.0.0"), ("other.example", "550 5.7.1")] {
        let desk = desk(keys.clone()).await;
        desk.house.store.change_setting(&Author::house(), "trust.arc_sealers", Some(sealers)).await.unwrap();
        assert_eq!(desk.send(&from_outside("x@calm.example", BEN), &sealed).await, [reply], "{sealers}");
    }
}
