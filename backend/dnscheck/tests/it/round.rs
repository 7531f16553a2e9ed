//! From the facts to a zone file, from the file into a real server, and back to verdicts.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use relais_dnscheck::{
    Algorithm, Answering, Check, DkimKey, DkimKeyMaker, DmarcPolicy, DmarcWish, Facts, Finding, Inspector, Purpose,
    Reach, Service, SmtpFace, StsMode, StsWish, There, Unreached, Verdict, WebAnswer, WebFailure, sts_policy, wanted,
    zone_file,
};
use relais_model::{Address, Domain, SystemRandom};
use relais_testkit::SeededRandom;

use crate::named::{Keys, Named, Zone, look};

/// Nobody is met; the policy is ours.
#[derive(Debug)]
struct Web(String);

impl Reach for Web {
    fn smtp<'a>(&'a self, _: SocketAddr, _: &'a Domain) -> Answering<'a, Result<SmtpFace, Unreached>> {
        Box::pin(async { Err(Unreached::Refused) })
    }

    fn policy<'a>(&'a self, _: &'a Domain, _: &'a [IpAddr]) -> Answering<'a, Result<WebAnswer, WebFailure>> {
        Box::pin(async { Ok(WebAnswer { status: 200, body: self.0.clone() }) })
    }

    fn greets(&self, _: SocketAddr) -> Answering<'_, Result<(), Unreached>> {
        Box::pin(async { Err(Unreached::Refused) })
    }
}

async fn facts() -> Facts {
    let maker = DkimKeyMaker::new(Arc::new(SystemRandom));
    let mut dkim = Vec::new();
    for algorithm in [Algorithm::Rsa, Algorithm::Ed25519] {
        let public_key = maker.make(algorithm).await.unwrap().public_key;
        dkim.push(DkimKey { selector: format!("{}1", algorithm.as_str()), algorithm, public_key, waits: false });
    }
    let reports = Address::parse("postmaster@mail.test").ok();
    Facts {
        host: Domain::parse("mx.mail.test").unwrap(),
        addresses: vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
        domain: Domain::parse("mail.test").unwrap(),
        services: Service::ALL.into_iter().zip([465, 587, 993, 143, 995, 110, 4190]).collect(),
        dkim,
        dmarc: DmarcWish { policy: DmarcPolicy::Reject, reports: reports.clone() },
        mta_sts: Some(StsWish { id: "20261127".into(), mode: StsMode::Enforce, max_age: 604_800 }),
        tls_reports: reports,
        issuers: vec!["letsencrypt.org".into()],
        tls_keys: vec![[7; 32], [8; 32]],
        is_host_signed: true,
    }
}

async fn inspect(facts: &Facts, records: String, keys: Keys) -> Option<Vec<Finding>> {
    let zones = [
        Zone { name: "mail.test", records, keys },
        Zone { name: "dns.test", records: "ns A 127.0.0.1\n".into(), keys: Keys::Unsigned },
    ];
    let named = Named::start(&zones)?;
    let policy = sts_policy(facts).unwrap().to_string();
    let inspector = Inspector::new(Arc::new(look(&named)), Arc::new(Web(policy)), Arc::new(SeededRandom::new(3)));
    let mut findings = inspector.domain(facts).await.findings;
    // The host's addresses are for documentation: their reverse zones aren't ours to serve.
    let of_zone =
        |finding: &Finding| matches!(finding.check, Check::Record(purpose) if purpose != Purpose::ReverseName);
    let host = inspector.with_blocklists(Vec::new()).host(facts).await.findings;
    findings.extend(host.into_iter().filter(of_zone));
    Some(findings)
}

/// What is offered as a download is what the checks want: BIND loads and signs it, and all is good and proven.
#[tokio::test]
async fn the_zone_file_is_what_the_checks_want() {
    let facts = facts().await;
    let file = zone_file(&wanted(&facts, &There::default()), &facts.domain);
    let Some(findings) = inspect(&facts, file, Keys::Signed).await else { return };
    let bad: Vec<_> = findings.iter().filter(|finding| finding.verdict != Verdict::Good).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(findings.len() > 20, "{}", findings.len());
}

/// A DS record of another key: those who check see nothing, and that is what is told of each.
#[tokio::test]
async fn a_zone_whose_signatures_do_not_hold() {
    let facts = facts().await;
    let file = zone_file(&wanted(&facts, &There::default()), &facts.domain);
    let Some(findings) = inspect(&facts, file, Keys::WrongDs).await else { return };
    let of_records = findings.iter().filter(|finding| matches!(finding.check, Check::Record(_)));
    for finding in of_records {
        assert_eq!((finding.verdict, &*finding.reason.said().id), (Verdict::Wrong, "dns-bogus"), "{finding:#?}");
    }
}
