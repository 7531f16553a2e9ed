//! Whose mail it is: signatures, seals, records and reports from anybody.

use std::net::{IpAddr, Ipv4Addr};

use relais_model::{Address, Domain, ReversePath, Secret, Timestamp};
use relais_msgauth::arc::{ArcResult, MOST_SETS};
use relais_msgauth::dkim::{Canonicalization, KeyRecord, MOST_SIGNATURES, Signature, canonical_body, canonical_header};
use relais_msgauth::dmarc::DmarcRecord;
use relais_msgauth::report::{AggregateReport, FeedbackReport, TlsReport};
use relais_msgauth::results::{AuthResults, without_forged};
use relais_msgauth::spf::Spf;
use relais_msgauth::srs::Srs;
use relais_msgauth::testing::{Zone, at_once};
use relais_msgauth::{Facts, authenticate, dkim};

const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// A whole message is checked, whatever it is: nobody's signature holds, and what we write about it we can read.
pub(crate) fn message(raw: &[u8]) {
    let zone = Zone::new()
        .with_txt("s._domainkey.d.example", KEY)
        .with_txt("_dmarc.d.example", "v=DMARC1; p=reject")
        .with_txt("d.example", "v=spf1 -all");
    let reverse_path = ReversePath::Null;
    let facts = Facts {
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        helo: "d.example",
        reverse_path: &reverse_path,
        message: raw,
        host: "mx.example",
        now: NOW,
    };
    let found = at_once(authenticate(&facts, &zone));
    assert!(found.dkim.len() <= MOST_SIGNATURES && found.dkim.iter().all(|check| !check.is_pass()));
    assert!(found.arc.result != ArcResult::Pass);
    assert!(found.arc.sets.len() <= usize::try_from(MOST_SETS).unwrap_or(0));
    let field = found.field("mx.example");
    assert!(field.ends_with("\r\n") && !field.contains("\r\n\r\n") && field.lines().count() < 30);
    let value = field.strip_prefix("Authentication-Results:").expect("it begins with its name");
    let read = AuthResults::parse(value.as_bytes()).expect("what we write is read");
    assert_eq!((read.id.as_str(), read.methods.len()), ("mx.example", 5 + found.dkim.len().max(1)));
    let forged = [field.as_bytes(), raw].concat();
    let (kept, gone) = without_forged(&forged, &["mx.example"]).expect("one is forged");
    assert!(gone >= 1 && without_forged(&kept, &["mx.example"]).is_none(), "what is left claims nothing");
    let _verified = at_once(dkim::verify(&zone, raw, NOW));
}

/// Canonical forms are their own, and don't depend on what may change.
pub(crate) fn canonical(octets: &[u8]) {
    for kind in [Canonicalization::Simple, Canonicalization::Relaxed] {
        let body = canonical_body(kind, octets);
        assert_eq!(canonical_body(kind, &body), body, "{kind:?}");
        assert!(body.is_empty() || body.ends_with(b"\r\n"));
    }
    let mut once = Vec::new();
    canonical_header(Canonicalization::Relaxed, octets, &mut once);
    let mut twice = Vec::new();
    canonical_header(Canonicalization::Relaxed, &once, &mut twice);
    assert_eq!(once, twice);
}

/// Records of the DNS, and fields.
pub(crate) fn records(octets: &[u8]) {
    let _signature = Signature::parse(octets);
    let _results = AuthResults::parse(octets);
    for algorithm in [dkim::Algorithm::RsaSha256, dkim::Algorithm::Ed25519Sha256] {
        let _key = KeyRecord::parse(octets, algorithm);
    }
    let _policy = DmarcRecord::parse(octets);
    let Ok(text) = str::from_utf8(octets) else { return };
    if let Ok(spf) = Spf::parse(text) {
        assert_eq!(Spf::parse(&spf.to_string()).as_ref(), Ok(&spf), "{text}");
    }
    let (srs, ours) = (Srs::new(&Secret::new("a key")), Domain::parse("us.example").expect("a name"));
    if let Ok(address) = Address::parse(text) {
        if let Ok(Some(back)) = srs.reverse(&address, NOW) {
            panic!("{address} leads to {back}, and was never made here");
        }
        if let Ok(rewritten) = srs.forward(&address, &ours, NOW)
            && address.domain != ours
        {
            let back = srs.reverse(&rewritten, NOW).expect("it was made here").expect("it was rewritten");
            let is_tagged = back.local_part.as_str().to_ascii_uppercase().starts_with("SRS0");
            assert!(back == address || is_tagged, "{address} came back as {back}");
        }
    }
}

/// Reports by mail.
pub(crate) fn report(raw: &[u8]) {
    if let Ok(report) = AggregateReport::read_message(raw) {
        let xml = report.write_xml().expect("a report can be written");
        let again = AggregateReport::read_xml(xml.as_bytes()).expect("what we write is read");
        assert_eq!(again.rows, report.rows);
    }
    if let Ok(report) = TlsReport::read_message(raw) {
        let json = report.write_json().expect("a report can be written");
        let again = TlsReport::read_json(json.as_bytes()).expect("what we write is read");
        assert_eq!(again.policies, report.policies);
    }
    let _complaint = FeedbackReport::read_message(raw);
}
