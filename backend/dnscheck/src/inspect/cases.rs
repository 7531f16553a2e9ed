//! Good and bad answers for each check, and what a person reads of them in both languages: the snapshots are that table.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use relais_testkit::SeededRandom;

use super::*;
use crate::look::{Answering, ServerAnswer};
use crate::reach::Unreached;
use crate::testing::{FakeLook, FakeReach, RSA_KEY, domain, facts, good, read};

const LIST: Blocklist = Blocklist { zone: "list.example", has_ipv6: false };

fn inspector(dns: FakeLook, reach: FakeReach) -> Inspector {
    let inspector = Inspector::new(Arc::new(dns), Arc::new(reach), Arc::new(SeededRandom::new(1)));
    inspector.with_blocklists(vec![LIST])
}

/// All findings of host and domain.
async fn inspect(facts: &Facts, dns: FakeLook) -> Vec<Finding> {
    let inspector = inspector(dns, FakeReach::default());
    let mut findings = inspector.host(facts).await.findings;
    findings.extend(inspector.domain(facts).await.findings);
    findings
}

/// What is read of `check` in each of `cases`.
async fn table(check: Check, cases: Vec<(&str, FakeLook)>) -> String {
    let mut lines = Vec::new();
    for (name, dns) in cases {
        lines.push(name.to_owned());
        let findings = inspect(&facts(), dns).await;
        for finding in findings.iter().filter(|finding| finding.check == check) {
            lines.push(format!(" {} {}", finding.about, finding.detail));
            lines.push(read(finding));
        }
    }
    lines.join("\n")
}

fn records(purpose: Purpose) -> Check {
    Check::Record(purpose)
}

const ORG: &str = "example.org";
const MX: &str = "mx.example.org";

#[tokio::test]
async fn where_all_stands_all_is_good() {
    let findings = inspect(&facts(), good()).await;
    let bad: Vec<_> = findings.iter().filter(|finding| finding.verdict != Verdict::Good).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let named = |finding: &Finding| format!("{} {} {}", finding.check.name(), finding.about, finding.detail);
    insta::assert_snapshot!(findings.iter().map(named).collect::<Vec<_>>().join("\n"));
}

/// Every name of a check, purpose, verdict and need is in the catalogue.
#[tokio::test]
async fn every_name_is_in_the_catalogue() {
    let findings = inspect(&facts(), good()).await;
    let checks = findings.iter().map(|finding| finding.check.title_id());
    let proofs = [Proof::Secure, Proof::Insecure, Proof::Bogus, Proof::Indeterminate];
    let proofs = proofs.map(|proof| format!("dns-proof-{}", proof.name()));
    let verdicts = [Verdict::Good, Verdict::CouldBeBetter, Verdict::CantTellYet, Verdict::Wrong];
    let verdicts = verdicts.map(|verdict| format!("dns-verdict-{}", verdict.name()));
    let needs = ["must", "should", "nice"].map(|need| format!("dns-need-{need}"));
    for id in checks.chain(proofs).chain(verdicts).chain(needs) {
        for language in relais_words::Language::ALL {
            assert!(language.knows(&id), "{id}");
        }
    }
}

#[tokio::test]
async fn host_address() {
    let cases = vec![
        ("missing", good().without(MX, Kind::A)),
        ("wrong host", good().without(MX, Kind::A).with("mx.example.org A 203.0.113.9")),
        ("ours and another", good().with("mx.example.org A 203.0.113.9")),
        (
            "CNAME",
            good()
                .without(MX, Kind::A)
                .without(MX, Kind::Aaaa)
                .without(MX, Kind::Txt)
                .zone("mx.example.org CNAME vm1.hoster.example\nvm1.hoster.example A 192.0.2.7"),
        ),
        (
            "wildcard",
            good()
                .without(MX, Kind::A)
                .without(MX, Kind::Aaaa)
                .without(MX, Kind::Txt)
                .with("*.example.org A 203.0.113.9"),
        ),
        ("TTL too long", good().without(MX, Kind::A).with("mx.example.org 604800 A 192.0.2.7")),
        ("SERVFAIL", good().lack(MX, Lack::ServFail)),
        ("refused", good().lack(MX, Lack::Refused)),
        ("timeout", good().lack(MX, Lack::Timeout)),
        ("bogus signature", good().lack(MX, Lack::Bogus)),
        ("no way", good().lack(MX, Lack::Broken)),
    ];
    insta::assert_snapshot!(table(records(Purpose::HostAddress), cases).await);
}

#[tokio::test]
async fn the_two_views() {
    let without = || good().without(ORG, Kind::Mx);
    let other = || without().with("example.org 7200 MX 10 mx.elsewhere.example");
    let cases = vec![
        ("public keeps the old", other().servers(vec![good()])),
        ("public remembers a lack", without().servers(vec![good()])),
        ("gone at the servers", good().servers(vec![without()])),
        ("one server lags", good().servers(vec![good(), other()])),
        ("public is wrong and the servers contradict each other", other().servers(vec![good(), other()])),
        ("one server is silent", good().servers(vec![good(), good().lack(ORG, Lack::Timeout)])),
        ("no server answers us", good().servers(vec![good().lack(ORG, Lack::Timeout)])),
        ("no server has the zone", good().servers(vec![good().lack(ORG, Lack::Refused)])),
        ("slow", good().slow(Duration::from_millis(3200))),
        (
            "a TTL too long, of which the resolver has little left",
            good().servers(vec![without().with("example.org 604800 MX 10 mx.example.org")]),
        ),
    ];
    insta::assert_snapshot!(table(records(Purpose::Mx), cases).await);
}

#[tokio::test]
async fn reverse_name() {
    const REVERSE: &str = "7.2.0.192.in-addr.arpa";
    let without = || good().without(REVERSE, Kind::Ptr);
    let cases = || {
        vec![
            ("missing", without()),
            ("the hoster's name", without().zone("7.2.0.192.in-addr.arpa PTR static-7.hoster.example\nstatic-7.hoster.example A 192.0.2.7")),
            ("a name that leads nowhere", without().with("7.2.0.192.in-addr.arpa PTR gone.hoster.example")),
            ("two names", good().with("7.2.0.192.in-addr.arpa PTR other.example")),
            ("timeout", good().lack(REVERSE, Lack::Timeout)),
            ("bogus signature", good().lack(REVERSE, Lack::Bogus)),
            ("one of two names is ill", good().with("7.2.0.192.in-addr.arpa PTR ill.example").lack("ill.example", Lack::ServFail)),
            (
                "the ill one first",
                without().zone("7.2.0.192.in-addr.arpa PTR ill.example\n7.2.0.192.in-addr.arpa PTR mx.example.org").lack("ill.example", Lack::ServFail),
            ),
            ("classless delegation", without().zone("7.2.0.192.in-addr.arpa CNAME 7.0/28.2.0.192.in-addr.arpa\n7.0/28.2.0.192.in-addr.arpa PTR mx.example.org")),
        ]
    };
    insta::assert_snapshot!("reverse_name", table(records(Purpose::ReverseName), cases()).await);
    insta::assert_snapshot!("reverse_confirmed", table(Check::ReverseConfirmed, cases()).await);
}

#[tokio::test]
async fn mx() {
    let without = || good().without(ORG, Kind::Mx);
    let apex_alias = good().without(ORG, Kind::Mx).without(ORG, Kind::Txt).without(ORG, Kind::Caa);
    let cases = vec![
        ("missing", without()),
        (
            "others",
            without().with("example.org MX 1 aspmx.l.google.com").with("example.org MX 5 alt1.aspmx.l.google.com"),
        ),
        ("others first", good().with("example.org MX 10 mx.backup.example")),
        ("others behind us", good().with("example.org MX 50 mx.backup.example")),
        ("parked: null MX", without().with("example.org MX 0 .")),
        ("null MX beside us", good().with("example.org MX 0 .")),
        ("an address", without().with("example.org MX 10 192.0.2.7")),
        (
            "the domain is an alias",
            apex_alias.zone("example.org CNAME www.builder.example\nwww.builder.example MX 10 mx.builder.example"),
        ),
        ("SERVFAIL", good().lack(ORG, Lack::ServFail)),
        ("bogus signature", good().lack(ORG, Lack::Bogus)),
    ];
    insta::assert_snapshot!(table(records(Purpose::Mx), cases).await);
}

fn spf(record: &str) -> FakeLook {
    good().without(ORG, Kind::Txt).with(&format!("example.org TXT {record}"))
}

#[tokio::test]
async fn spf_record() {
    let cases = vec![
        ("missing", good().without(ORG, Kind::Txt)),
        ("among others", good().with("example.org TXT google-site-verification=x")),
        ("doubled", good().with("example.org TXT v=spf1 include:_spf.google.com -all")),
        ("malformed", spf("v=spf1 ipv4:192.0.2.7 -all")),
        ("misspelt", spf("spf1 a:mx.example.org -all")),
        ("open", spf("v=spf1 +all")),
        ("no all", spf("v=spf1 a:mx.example.org")),
        ("behind all", spf("v=spf1 a:mx.example.org -all include:x.example")),
        ("ptr", spf("v=spf1 a:mx.example.org ptr -all")),
        ("timeout", good().lack(ORG, Lack::Timeout)),
    ];
    insta::assert_snapshot!(table(records(Purpose::Spf), cases).await);
}

#[tokio::test]
async fn spf_result() {
    let link = |at: u8| format!("s{at}.example TXT v=spf1 include:s{}.example ?all\n", at + 1);
    let links = (1..=9).map(link).collect::<Vec<_>>().concat();
    let chain = || good().zone(&links).with("s10.example TXT v=spf1 a a mx mx ?all");
    let with = |dns: FakeLook, record: &str| dns.without(ORG, Kind::Txt).with(&format!("example.org TXT {record}"));
    let cases = vec![
        ("passes", good()),
        ("none", good().without(ORG, Kind::Txt)),
        ("lacks us", spf("v=spf1 ip4:203.0.113.9 -all")),
        ("lacks one family", spf("v=spf1 ip4:192.0.2.7 ~all")),
        ("too many look-ups before us", with(chain(), "v=spf1 include:s1.example a:mx.example.org -all")),
        ("too many look-ups behind us", with(chain(), "v=spf1 a:mx.example.org include:s1.example -all")),
        ("too many void look-ups", spf("v=spf1 a:n1.example a:n2.example a:n3.example a:mx.example.org -all")),
        ("an include that is gone", spf("v=spf1 include:gone.example a:mx.example.org -all")),
        ("an include that is ill", spf("v=spf1 include:ill.example -all").lack("ill.example", Lack::ServFail)),
    ];
    insta::assert_snapshot!(table(Check::SpfResult, cases).await);
}

#[tokio::test]
async fn dkim() {
    const NAME: &str = "r1._domainkey.example.org";
    let with = |record: &str| good().without(NAME, Kind::Txt).with(&format!("{NAME} TXT {record}"));
    let hosted = good()
        .without(NAME, Kind::Txt)
        .zone(&format!("{NAME} CNAME r1.keys.example\nr1.keys.example TXT v=DKIM1; k=rsa; p={RSA_KEY}"));
    let spaced = format!("{} {}", &RSA_KEY[..100], &RSA_KEY[100..]);
    let cases = vec![
        ("missing", good().without(NAME, Kind::Txt)),
        ("truncated", with(&format!("v=DKIM1; k=rsa; p={}", &RSA_KEY[..236]))),
        ("a space inside", with(&format!("v=DKIM1; k=rsa; p={spaced}"))),
        ("at the end of an alias", hosted),
        ("doubled", good().with(&format!("{NAME} TXT v=DKIM1; k=rsa; p=AAAA"))),
        ("no key", with("v=DKIM1; k=rsa; p=c29tZXRoaW5nIGVsc2U=")),
        ("no base64", with(&format!("v=DKIM1; k=rsa; p=\"{RSA_KEY}\""))),
        ("another key", with("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")),
        ("withdrawn", with("v=DKIM1; p=")),
        ("testing", with(&format!("v=DKIM1; k=rsa; t=y; p={RSA_KEY}"))),
        ("a wildcard's text", good().without(NAME, Kind::Txt).with("*.example.org TXT v=spf1 -all")),
        ("timeout", good().lack(NAME, Lack::Timeout)),
    ];
    let text = table(records(Purpose::Dkim), cases).await;
    let rsa: Vec<&str> = text.lines().collect();
    insta::assert_snapshot!(rsa.join("\n"));
}

#[tokio::test]
async fn dmarc() {
    const NAME: &str = "_dmarc.example.org";
    let with = |record: &str| good().without(NAME, Kind::Txt).with(&format!("{NAME} TXT {record}"));
    let cases = vec![
        ("missing", good().without(NAME, Kind::Txt)),
        ("stricter", with("v=DMARC1; p=reject; rua=mailto:a@b.example")),
        ("weaker", with("v=DMARC1; p=none; rua=mailto:a@b.example")),
        ("for some", with("v=DMARC1; p=reject; pct=20; rua=mailto:a@b.example")),
        ("no reports", with("v=DMARC1; p=reject")),
        ("doubled", good().with("_dmarc.example.org TXT v=DMARC1; p=none")),
        ("malformed", with("v=DMARC1; p=monitor")),
        ("misspelt", with("v=DMARC1, p=reject")),
        ("a wildcard's text", good().without(NAME, Kind::Txt).with("*.example.org TXT v=spf1 -all")),
        ("SERVFAIL", good().lack(NAME, Lack::ServFail)),
    ];
    insta::assert_snapshot!(table(records(Purpose::Dmarc), cases).await);
}

#[tokio::test]
async fn mta_sts() {
    const NAME: &str = "_mta-sts.example.org";
    let with = |record: &str| good().without(NAME, Kind::Txt).with(&format!("{NAME} TXT {record}"));
    let cases = vec![
        ("missing", good().without(NAME, Kind::Txt)),
        ("an older one", with("v=STSv1; id=20250101")),
        ("malformed", with("v=STSv1; id=2026-01-01")),
        ("doubled", good().with("_mta-sts.example.org TXT v=STSv1; id=1")),
        ("bogus signature", good().lack(NAME, Lack::Bogus)),
    ];
    insta::assert_snapshot!(table(records(Purpose::MtaSts), cases).await);
}

#[tokio::test]
async fn names_that_lead_to_us() {
    const NAME: &str = "mta-sts.example.org";
    let without = || good().without(NAME, Kind::Cname);
    let cases = || {
        vec![
            (
                "by addresses",
                without().with("mta-sts.example.org A 192.0.2.7").with("mta-sts.example.org AAAA 2001:db8::7"),
            ),
            ("missing", without()),
            (
                "an alias of another",
                without().zone("mta-sts.example.org CNAME sts.hoster.example\nsts.hoster.example A 203.0.113.9"),
            ),
            ("a wildcard's address", without().with("*.example.org A 203.0.113.9")),
            ("one of two", without().with("mta-sts.example.org A 192.0.2.7").with("mta-sts.example.org A 203.0.113.9")),
            ("timeout", good().lack(NAME, Lack::Timeout)),
        ]
    };
    insta::assert_snapshot!("mta_sts_host", table(records(Purpose::MtaStsHost), cases()).await);
    // It is fetched only where the name leads to us.
    insta::assert_snapshot!("policy_file", table(Check::PolicyFile, cases()).await);
}

#[tokio::test]
async fn tls_reports() {
    const NAME: &str = "_smtp._tls.example.org";
    let with = |record: &str| good().without(NAME, Kind::Txt).with(&format!("{NAME} TXT {record}"));
    let cases = vec![
        ("missing", good().without(NAME, Kind::Txt)),
        ("to nobody", with("v=TLSRPTv1")),
        ("no address", with("v=TLSRPTv1; rua=tls@example.org")),
        ("doubled", good().with("_smtp._tls.example.org TXT v=TLSRPTv1; rua=mailto:a@b.example")),
    ];
    insta::assert_snapshot!(table(records(Purpose::TlsReports), cases).await);
}

#[tokio::test]
async fn dane() {
    const NAME: &str = "_25._tcp.mx.example.org";
    let with = |record: &str| good().without(NAME, Kind::Tlsa).with(&format!("{NAME} TLSA {record}"));
    let cases = vec![
        ("missing", good().without(NAME, Kind::Tlsa)),
        ("stale", with(&format!("3 1 1 {}", "cd".repeat(32)))),
        ("an old one beside it", good().with(&format!("{NAME} TLSA 3 1 1 {}", "cd".repeat(32)))),
        ("bogus signature", good().lack(NAME, Lack::Bogus)),
        ("unsigned: none is wanted", good().proven(Proof::Insecure)),
    ];
    let coming = Facts { tls_keys: vec![[0xab; 32], [0xef; 32]], ..facts() };
    let findings = inspect(&coming, good()).await;
    let finding = findings.iter().find(|finding| finding.check == records(Purpose::Dane)).unwrap();
    insta::assert_snapshot!(format!(
        "{}\nthe coming one is missing\n{}",
        table(records(Purpose::Dane), cases).await,
        read(finding)
    ));
}

#[tokio::test]
async fn services() {
    const NAME: &str = "_imaps._tcp.example.org";
    let with = |record: &str| good().without(NAME, Kind::Srv).with(&format!("{NAME} SRV {record}"));
    let only = |dns: FakeLook| async move {
        let findings = inspect(&facts(), dns).await;
        read(findings.iter().find(|finding| finding.about == NAME).unwrap())
    };
    let cases = [
        ("missing", good().without(NAME, Kind::Srv)),
        ("none", with("0 0 0 .")),
        ("wrong port", with("0 1 143 mx.example.org")),
        ("wrong host", with("0 1 993 imap.hoster.example")),
        ("doubled", good().with("_imaps._tcp.example.org SRV 10 1 993 imap.hoster.example")),
        ("timeout", good().lack(NAME, Lack::Timeout)),
    ];
    let mut lines = Vec::new();
    for (name, dns) in cases {
        lines.push(format!("{name}\n{}", only(dns).await));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn issuer() {
    let without = || good().without(ORG, Kind::Caa);
    let cases = vec![
        ("missing", without()),
        (
            "others",
            without()
                .with("example.org CAA 0 issue \"sectigo.com\"")
                .with("example.org CAA 0 issuewild \"letsencrypt.org\""),
        ),
        (
            "ours among others, with parameters",
            without()
                .with("example.org CAA 0 issue \"sectigo.com\"")
                .with("example.org CAA 0 issue \"LetsEncrypt.org;validationmethods=dns-01\""),
        ),
        ("nobody", without().with("example.org CAA 0 issue \";\"")),
        ("ours, from above", without().with("org CAA 0 issue \"letsencrypt.org\"")),
        ("others, from above", without().with("org CAA 0 issue \"sectigo.com\"")),
        ("SERVFAIL", good().lack(ORG, Lack::ServFail)),
    ];
    insta::assert_snapshot!(table(records(Purpose::Issuer), cases).await);
}

#[tokio::test]
async fn wildcards_and_dnssec() {
    let cases = vec![
        ("an address", good().with("*.example.org A 203.0.113.9")),
        ("an alias", good().zone("*.example.org CNAME www.example.org\nwww.example.org A 203.0.113.9")),
        ("mail", good().with("*.example.org MX 10 mx.example.org")),
        ("keys", good().with("*._domainkey.example.org TXT v=DKIM1; p=")),
    ];
    insta::assert_snapshot!("wildcards", table(Check::Wildcards, cases).await);
    let cases = vec![
        ("unsigned", good().proven(Proof::Insecure)),
        ("not seen", good().proven(Proof::Indeterminate)),
        ("bogus", good().proven(Proof::Bogus)),
    ];
    insta::assert_snapshot!("dnssec", table(Check::Dnssec, cases).await);
}

#[tokio::test]
async fn port_25_outward() {
    let cases = [
        ("open", good(), Ok(())),
        ("blocked", good(), Err(Unreached::Timeout)),
        ("no DNS", good().without("gmail.com", Kind::Mx), Ok(())),
    ];
    let mut lines = Vec::new();
    for (name, dns, greets) in cases {
        let report = inspector(dns, FakeReach { greets, ..FakeReach::default() }).host(&facts()).await;
        let finding = report.findings.iter().find(|finding| finding.check == Check::PortOut).unwrap();
        lines.push(format!("{name}\n{}", read(finding)));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

/// The other family's address is somebody else's.
#[tokio::test]
async fn an_address_in_a_family_that_we_do_not_have() {
    let facts = Facts { addresses: vec!["192.0.2.7".parse().unwrap()], ..facts() };
    let of_host = |findings: &[Finding]| {
        let host = findings.iter().filter(|finding| finding.check == records(Purpose::HostAddress));
        host.map(|finding| format!("{} {} {}", finding.detail, finding.verdict.name(), finding.surplus.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_host(&inspect(&facts, good()).await), ["A good 0", "AAAA wrong 1"]);
    assert_eq!(of_host(&inspect(&facts, good().without(MX, Kind::Aaaa)).await), ["A good 0"]);
}

/// What stands there is kept: the record that is wanted holds it.
#[tokio::test]
async fn the_record_wanted_holds_what_is_there() {
    let dns = spf("v=spf1 include:_spf.example.net -all")
        .without("_dmarc.example.org", Kind::Txt)
        .with("_dmarc.example.org TXT v=DMARC1; p=reject; sp=none");
    let report = inspector(dns, FakeReach::default()).domain(&facts()).await;
    let text = |purpose: Purpose| {
        report.wanted.iter().find(|wanted| wanted.purpose == purpose).and_then(|wanted| wanted.data.text()).unwrap()
    };
    assert_eq!(text(Purpose::Spf), "v=spf1 include:_spf.example.net a:mx.example.org -all");
    assert_eq!(text(Purpose::Dmarc), "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.org");
}

/// What others put into the record isn't known there: a record without it is not offered in its stead.
#[tokio::test]
async fn what_is_not_known_is_not_replaced() {
    let theirs = || spf("v=spf1 include:_spf.example.net -all").without("_dmarc.example.org", Kind::Txt);
    let theirs = || theirs().with("_dmarc.example.org TXT v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example");
    let gone = || theirs().without(ORG, Kind::Txt).without("_dmarc.example.org", Kind::Txt);
    let lack = |lack: Lack| theirs().lack(ORG, lack).lack("_dmarc.example.org", lack);
    let spreading = gone().servers(vec![good()]);
    for dns in [lack(Lack::ServFail), lack(Lack::Bogus), lack(Lack::Timeout), spreading] {
        let findings = inspector(dns, FakeReach::default()).domain(&facts()).await.findings;
        for purpose in [Purpose::Spf, Purpose::Dmarc] {
            let finding = findings.iter().find(|finding| finding.check == records(purpose)).unwrap();
            assert!(finding.wanted.is_empty(), "{finding:?}");
        }
    }
    // Where it is known that nothing stands there, it is.
    let findings = inspect(&facts(), gone()).await;
    assert!(
        findings
            .iter()
            .filter(|finding| finding.check == records(Purpose::Spf))
            .all(|finding| finding.wanted.len() == 1)
    );
}

/// Ill at the first question for the domain's texts, well afterwards.
#[derive(Debug)]
struct IllAtFirst(FakeLook, AtomicBool);

impl Look for IllAtFirst {
    fn public<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Answer> {
        Box::pin(async move {
            let answer = self.0.public(name, kind).await;
            let is_ill = name.as_str() == ORG && kind == Kind::Txt && !self.1.swap(true, Ordering::Relaxed);
            if is_ill { Answer { records: Err(Lack::ServFail), ..answer } } else { answer }
        })
    }

    fn authoritative<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Vec<ServerAnswer>> {
        self.0.authoritative(name, kind)
    }
}

/// A record is wanted and judged by one and the same answer.
#[tokio::test]
async fn a_server_that_was_ill_for_a_moment() {
    let dns = IllAtFirst(spf("v=spf1 include:_spf.example.net"), AtomicBool::new(false));
    let inspector = Inspector::new(Arc::new(dns), Arc::new(FakeReach::default()), Arc::new(SeededRandom::new(1)));
    let findings = inspector.domain(&facts()).await.findings;
    let finding = findings.iter().find(|finding| finding.check == records(Purpose::Spf)).unwrap();
    assert_eq!((&finding.reason, finding.wanted.len()), (&Reason::Silence(Lack::ServFail), 0));
}

/// A domain whose host is itself: its name is no alias of itself.
#[tokio::test]
async fn a_host_that_is_its_own_domain() {
    let facts = Facts { host: domain(ORG), ..facts() };
    let wanted = wanted(&facts, &There::default());
    assert!(wanted.iter().all(|wanted| wanted.purpose != Purpose::HostSpf));
    let mx = wanted.iter().find(|wanted| wanted.purpose == Purpose::Mx).unwrap();
    assert_eq!(mx.data.to_string(), "10 example.org");
}

/// Nobody waits for each of thirty answers where the first doesn't come.
#[tokio::test]
async fn a_dead_resolver_ends_it() {
    let inspector = inspector(good().lack(MX, Lack::Timeout).lack(ORG, Lack::Broken), FakeReach::default());
    for report in [inspector.host(&facts()).await, inspector.domain(&facts()).await] {
        assert!(!report.findings.is_empty());
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.verdict == Verdict::CantTellYet && matches!(finding.check, Check::Record(_)))
        );
    }
}

/// Inspections are made in tasks.
#[test]
fn an_inspection_can_be_sent() {
    fn sent(_: impl Future + Send) {}
    let inspector = inspector(good(), FakeReach::default());
    let facts = facts();
    sent(inspector.host(&facts));
    sent(inspector.domain(&facts));
}
