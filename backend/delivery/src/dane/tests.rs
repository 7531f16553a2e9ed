use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use super::*;

const NOW: u64 = 1_800_000_000;

/// A chain: the host's certificate, an authority between, the authority at the top.
struct Chain {
    leaf: CertificateDer<'static>,
    between: CertificateDer<'static>,
    top: CertificateDer<'static>,
}

fn authority(name: &str, by: Option<&Issuer<'_, KeyPair>>) -> (CertificateDer<'static>, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let made = match by {
        Some(by) => params.signed_by(&key, by).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    (made.der().clone(), Issuer::new(params, key))
}

fn chain(name: &str, years: (i32, i32)) -> Chain {
    let (top, by_top) = authority("top", None);
    let (between, by_between) = authority("between", Some(&by_top));
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &by_between).unwrap();
    Chain { leaf: leaf.der().clone(), between, top }
}

fn key_of(certificate: &CertificateDer<'_>) -> Vec<u8> {
    EndEntityCert::try_from(certificate).unwrap().subject_public_key_info().to_vec()
}

/// The record of these three numbers that names `certificate`.
fn record(usage: u8, selector: u8, matching: u8, certificate: &CertificateDer<'_>) -> TlsaRecord {
    let selected = if selector == WHOLE { certificate.to_vec() } else { key_of(certificate) };
    let data = match matching {
        0 => selected,
        1 => digest(&SHA256, &selected).as_ref().to_vec(),
        _ => digest(&SHA512, &selected).as_ref().to_vec(),
    };
    TlsaRecord { usage, selector, matching, data }
}

fn dane(records: &[TlsaRecord]) -> Option<Dane> {
    let domain = |text| Domain::parse(text).unwrap();
    Dane::new(records.to_vec(), domain("mx.d.example"), vec![domain("alias.d.example"), domain("d.example")])
}

/// Expected: none where it is good.
#[track_caller]
fn check(records: &[TlsaRecord], shown: &[&CertificateDer<'static>], expected: Option<CertificateError>) {
    let dane = dane(records).expect("one of them can be used");
    let (leaf, rest) = shown.split_first().unwrap();
    let rest: Vec<_> = rest.iter().map(|certificate| (*certificate).clone()).collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
    assert_eq!(dane.verify(leaf, &rest, now, algorithms), expected.map_or(Ok(()), Err), "{records:?}");
}

/// RFC 7672 §3.1.1: the certificate itself, whatever its names and dates say.
#[test]
fn a_record_names_the_certificate() {
    for (name, years) in [("mx.d.example", (2020, 2040)), ("other.example", (2001, 2002))] {
        let chain = chain(name, years);
        for selector in [0, 1] {
            for matching in [0, 1, 2] {
                let good = record(3, selector, matching, &chain.leaf);
                check(std::slice::from_ref(&good), &[&chain.leaf], None);
                let other = record(3, selector, matching, &chain.top);
                let none = CertificateError::ApplicationVerificationFailure;
                check(std::slice::from_ref(&other), &[&chain.leaf, &chain.between, &chain.top], Some(none));
                // While keys change, the old record stands beside the new one.
                check(&[other, good], &[&chain.leaf], None);
            }
        }
    }
}

/// RFC 7672 §3.1.2: an authority, in the chain.
#[test]
fn a_record_names_an_authority() {
    for name in ["mx.d.example", "alias.d.example", "d.example", "*.d.example"] {
        let chain = chain(name, (2020, 2040));
        for selector in [0, 1] {
            for matching in [0, 1, 2] {
                let top = record(2, selector, matching, &chain.top);
                check(&[top], &[&chain.leaf, &chain.between, &chain.top], None);
                let between = record(2, selector, matching, &chain.between);
                check(&[between], &[&chain.leaf, &chain.between], None);
                // The host's certificate is no authority.
                let leaf = record(2, selector, matching, &chain.leaf);
                let none = Some(CertificateError::ApplicationVerificationFailure);
                check(&[leaf], &[&chain.leaf, &chain.between, &chain.top], none);
            }
        }
    }
}

/// RFC 7671 §5.2: a digest tells nothing of an authority that isn't shown; a whole certificate or key does.
#[test]
fn an_authority_that_is_not_shown() {
    let chain = chain("mx.d.example", (2020, 2040));
    let none = Some(CertificateError::ApplicationVerificationFailure);
    for (selector, matching, expected) in [(0, 0, None), (1, 0, None), (0, 1, none.clone()), (1, 2, none.clone())] {
        check(&[record(2, selector, matching, &chain.top)], &[&chain.leaf, &chain.between], expected);
    }
    // A chain with a hole.
    check(&[record(2, 0, 0, &chain.top)], &[&chain.leaf], none);
}

#[test]
fn below_an_authority_names_and_dates_count() {
    let other = chain("other.example", (2020, 2040));
    let shown = [&other.leaf, &other.between, &other.top];
    check(&[record(2, 0, 1, &other.top)], &shown, Some(CertificateError::NotValidForName));
    let expired = chain("mx.d.example", (2001, 2002));
    let shown = [&expired.leaf, &expired.between, &expired.top];
    check(&[record(2, 0, 1, &expired.top)], &shown, Some(CertificateError::Expired));
    let early = chain("mx.d.example", (2039, 2040));
    let shown = [&early.leaf, &early.between, &early.top];
    check(&[record(2, 0, 1, &early.top)], &shown, Some(CertificateError::NotValidYet));
}

/// A chain that merely shows the authority beside a certificate of another's.
#[test]
fn an_authority_must_have_signed() {
    let (ours, theirs) = (chain("mx.d.example", (2020, 2040)), chain("mx.d.example", (2020, 2040)));
    let none = Some(CertificateError::ApplicationVerificationFailure);
    check(&[record(2, 1, 1, &ours.top)], &[&theirs.leaf, &theirs.between, &theirs.top, &ours.top], none);
}

/// RFC 7672 §3.1.3, RFC 7671 §4.1.
#[test]
fn records_that_can_not_be_used() {
    let chain = chain("mx.d.example", (2020, 2040));
    let good = record(3, 1, 1, &chain.leaf);
    let unusable = [
        TlsaRecord { usage: 0, ..good.clone() },
        TlsaRecord { usage: 1, ..good.clone() },
        TlsaRecord { usage: 255, ..good.clone() },
        TlsaRecord { selector: 2, ..good.clone() },
        TlsaRecord { matching: 3, ..good.clone() },
        TlsaRecord { matching: 2, ..good.clone() },
        TlsaRecord { data: good.data[1..].to_vec(), ..good.clone() },
        TlsaRecord { data: Vec::new(), matching: 0, ..good.clone() },
        TlsaRecord { usage: 2, selector: 0, matching: 0, data: b"no certificate".to_vec() },
    ];
    for record in &unusable {
        assert_eq!(dane(std::slice::from_ref(record)), None, "{record:?}");
        // RFC 7672 §2.2: beside a good one it doesn't count.
        check(&[record.clone(), good.clone()], &[&chain.leaf], None);
    }
    assert_eq!(dane(&[]), None);
}

/// Strangers' octets: nothing panics.
#[test]
fn nonsense_is_refused() {
    let chain = chain("mx.d.example", (2020, 2040));
    let nonsense = CertificateDer::from(b"\x30\x82\xff".to_vec());
    let records = [record(3, 1, 1, &chain.leaf), record(2, 1, 0, &chain.top)];
    check(&records, &[&nonsense, &nonsense], Some(CertificateError::BadEncoding));
    for key in [&b""[..], b"\x30", b"\x30\x05a", b"\x30\x81", b"\x30\x82\x01", b"\x31\x00"] {
        assert_eq!(inside_sequence(key), None, "{key:?}");
    }
    assert_eq!(inside_sequence(b"\x30\x01a"), Some(&b"a"[..]));
}
