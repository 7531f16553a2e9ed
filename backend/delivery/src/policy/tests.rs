use std::time::Duration;

use relais_model::Timestamp;

use super::*;
use crate::hosts::Finder;
use crate::memory::HostMemory;
use crate::route::NextHop;
use crate::testing::{FakeDns, NoDialer};
use relais_testkit::SeededRandom;

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn record() -> TlsaRecord {
    TlsaRecord { usage: 3, selector: 1, matching: 1, data: vec![7; 32] }
}

/// A destination whose one host is `mx.h.example`.
fn dns() -> FakeDns {
    FakeDns::default().mx("d.example", &[(10, "mx.h.example")]).host("mx.h.example", &["192.0.2.1"]).proven()
}

fn sts(mode: &str, mx: &str) -> Known {
    let policy = StsPolicy::parse(&format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 1000\n")).unwrap();
    Known::of("1", policy, Timestamp::from_seconds(0).plus(Duration::from_secs(1000)))
}

/// As it is told: the policy and its base domain, or the beginning of what is said.
async fn told(dns: &FakeDns, sts: &Known) -> String {
    let finder = Finder {
        resolver: dns,
        dialer: &NoDialer::default(),
        random: &SeededRandom::new(7),
        memory: &HostMemory::default(),
        now: Timestamp::from_seconds(0),
        host_name: &domain("us.example"),
        listeners: &[],
        mx_port: 25,
    };
    let hosts = finder.hosts(&NextHop::Mx(domain("d.example"))).await.unwrap();
    match policy_of(dns, 25, &domain("d.example"), &hosts[0], sts).await {
        Ok(Policy::Dane(dane)) => format!("dane {}", dane.base()),
        Ok(Policy::DaneUnusable(base)) => format!("unusable {base}"),
        Ok(Policy::Sts(domain)) => format!("sts {domain}"),
        Ok(Policy::StsTesting { domain, is_named }) => format!("testing {domain} {is_named}"),
        Ok(other) => format!("{other:?}").to_lowercase(),
        Err(Refusal { reply, result, .. }) => {
            let text: Vec<_> = reply.text.splitn(3, ':').take(2).collect();
            format!("{} {}{} ({})", reply.code, text[0], text[1], result.as_str())
        }
    }
}

async fn check(dns: FakeDns, sts: &Known, expected: &str) {
    assert_eq!(told(&dns, sts).await, expected);
}

const TLSA: &str = "_25._tcp.mx.h.example";

/// RFC 7672 §2.2: MX, address and TLSA, all proved.
#[tokio::test]
async fn dane_holds_where_all_is_proved() {
    let none = Known::default();
    check(dns().tlsa(TLSA, &[record()]), &none, "dane mx.h.example").await;
    check(dns(), &none, "opportunistic").await;
    for unproven in ["d.example", "mx.h.example", TLSA] {
        check(dns().tlsa(TLSA, &[record()]).unproven(unproven), &none, "opportunistic").await;
    }
    let unusable = TlsaRecord { usage: 1, ..record() };
    check(dns().tlsa(TLSA, std::slice::from_ref(&unusable)), &none, "unusable mx.h.example").await;
    check(dns().tlsa(TLSA, &[unusable, record()]), &none, "dane mx.h.example").await;
}

/// RFC 7672 §2.2: an answer that is owed is never taken for "nothing there".
#[tokio::test]
async fn where_the_tlsa_answer_is_owed_the_host_is_not_used() {
    for sts in [Known::default(), sts("enforce", "mx.h.example")] {
        check(dns().broken(TLSA), &sts, "454 DANE looking up the TLSA records of mx.h.example failed (tlsa-invalid)")
            .await;
        let bogus = "454 DANE looking up the TLSA records of mx.h.example failed (dnssec-invalid)";
        check(dns().bogus(TLSA), &sts, bogus).await;
        // Nobody asks where nothing could be proved.
        let expected = if sts == Known::default() { "opportunistic" } else { "sts d.example" };
        check(dns().bogus(TLSA).unproven("mx.h.example"), &sts, expected).await;
    }
}

/// RFC 7672 §2.2.1, §2.2.2, §2.2.3.
#[tokio::test]
async fn aliases_are_followed_as_far_as_they_are_proved() {
    let none = Known::default();
    let alias = |is_secure| dns().alias("mx.h.example", "real.example", is_secure);
    let target = "_25._tcp.real.example";
    check(alias(true).tlsa(target, &[record()]), &none, "dane real.example").await;
    check(alias(true).tlsa(TLSA, &[record()]), &none, "dane mx.h.example").await;
    check(alias(true).tlsa(TLSA, &[record()]).tlsa(target, &[record()]), &none, "dane real.example").await;
    check(
        alias(true).bogus(target).tlsa(TLSA, &[record()]),
        &none,
        "454 DANE looking up the TLSA records of real.example failed (dnssec-invalid)",
    )
    .await;
    // The alias is proved, what it leads to isn't: only the first name counts.
    let far = || alias(true).unproven("mx.h.example");
    check(far().tlsa(TLSA, &[record()]), &none, "dane mx.h.example").await;
    check(far().tlsa(target, &[record()]), &none, "opportunistic").await;
    let unproven = alias(false).unproven("mx.h.example").tlsa(TLSA, &[record()]).tlsa(target, &[record()]);
    check(unproven, &none, "opportunistic").await;
}

/// RFC 7672 §2.2.1: no MX, proved by the same zone that proves the address.
#[tokio::test]
async fn a_domain_may_be_its_own_host() {
    let dns = || FakeDns::default().host("d.example", &["192.0.2.1"]).tlsa("_25._tcp.d.example", &[record()]);
    check(dns().proven(), &Known::default(), "dane d.example").await;
    check(dns(), &Known::default(), "opportunistic").await;
}

/// RFC 8461 §2, §4.1, §5.
#[tokio::test]
async fn mta_sts_holds_where_dane_does_not() {
    let plain = || dns().unproven("d.example");
    for (mode, mx, expected) in [
        ("enforce", "mx.h.example", "sts d.example"),
        ("enforce", "*.h.example", "sts d.example"),
        ("enforce", "mx.other.example", "454 MTA-STS not named (validation-failure)"),
        ("testing", "mx.h.example", "testing d.example true"),
        ("testing", "mx.other.example", "testing d.example false"),
        ("none", "mx.h.example", "opportunistic"),
    ] {
        check(plain(), &sts(mode, mx), expected).await;
        // DANE goes first, whatever the policy says.
        check(dns().tlsa(TLSA, &[record()]), &sts(mode, mx), "dane mx.h.example").await;
        // Where no record can be used, the policy says more than any certificate; in its testing it doesn't.
        let unusable = dns().tlsa(TLSA, &[TlsaRecord { usage: 0, ..record() }]);
        let expected = if mode == "enforce" { expected } else { "unusable mx.h.example" };
        check(unusable, &sts(mode, mx), expected).await;
    }
}
