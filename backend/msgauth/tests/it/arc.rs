//! The suite for ARC's validation; and what we seal is validated.

use std::fmt::Write as _;

use relais_model::{Domain, ReversePath, Secret, Timestamp};
use relais_msgauth::arc::{ArcReason, ArcResult, SealError, seal, validate};
use relais_msgauth::dkim::{Algorithm, Signer, SigningKey};
use relais_msgauth::testing::{Zone, at_once};
use relais_msgauth::{Facts, authenticate};

use crate::keys::{ED25519_PEM, ED25519_RECORD, RSA_PEM, RSA_RECORD};
use crate::suites::{documents, texts};

/// Cases that end otherwise here, each with its reason.
const MISSES: &[(&str, &str)] = &[];

#[test]
fn the_suite_for_arc() {
    let Some(documents) = documents("arc/arc-draft-validation-tests.yml") else { return };
    let (mut passed, mut faults) = (0, Vec::new());
    for document in &documents {
        let mut zone = Zone::new();
        for (name, text) in document["txt-records"].as_hash().unwrap() {
            zone.add_txt(&texts(name).concat(), texts(text).concat());
        }
        for (name, case) in document["tests"].as_hash().unwrap() {
            let name = name.as_str().unwrap();
            let message = texts(&case["message"]).concat().replace('\n', "\r\n");
            let found = at_once(validate(&zone, message.as_bytes()));
            let expected = texts(&case["cv"]).concat().to_ascii_lowercase();
            let is_good = match expected.as_str() {
                // Three chains that a sealer has called broken: the suite leaves open what is said of them, but they don't pass.
                "" => found.result == ArcResult::Fail,
                expected => found.result.as_str() == expected,
            };
            if is_good {
                passed += 1;
            } else if !MISSES.iter().any(|(known, _)| *known == name) {
                faults.push(format!("{name}: expected {expected}, found {:?}", found.reason));
            }
        }
    }
    println!("ARC: {passed} of {}", passed + faults.len() + MISSES.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // 171 names; four of them stand there twice.
    assert_eq!(passed + MISSES.len(), 175);
}

const PLAIN: &str = "From: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\n\r\nHello\r\n";

fn zone() -> Zone {
    Zone::new()
        .with_txt("r1._domainkey.list.example", RSA_RECORD)
        .with_txt("e1._domainkey.list.example", ED25519_RECORD)
}

fn signer(algorithm: Algorithm) -> Signer {
    let (selector, pem) = match algorithm {
        Algorithm::RsaSha256 => ("r1", RSA_PEM),
        Algorithm::Ed25519Sha256 => ("e1", ED25519_PEM),
    };
    Signer {
        domain: Domain::parse("list.example").unwrap(),
        selector: selector.to_owned(),
        key: SigningKey::from_pem(algorithm, &Secret::new(pem)).unwrap(),
    }
}

fn sealed(raw: &str, algorithm: Algorithm) -> Result<String, SealError> {
    let now = Timestamp::from_seconds(1_700_000_000);
    let facts = Facts {
        peer: "192.0.2.7".parse().unwrap(),
        helo: "mx.example.org",
        reverse_path: &ReversePath::Null,
        message: raw.as_bytes(),
        host: "mx.list.example",
        now,
    };
    let found = at_once(authenticate(&facts, &zone()));
    let fields = seal(raw.as_bytes(), &found.arc, &found.results("mx.list.example"), &signer(algorithm), now)?;
    Ok(String::from_utf8(fields).unwrap() + raw)
}

#[test]
fn what_we_seal_is_validated() {
    let once = sealed(PLAIN, Algorithm::RsaSha256).unwrap();
    let found = at_once(validate(&zone(), once.as_bytes()));
    assert_eq!((found.result, &found.reason), (ArcResult::Pass, &ArcReason::Good), "{once}");
    assert!(
        found.sets[0].results.starts_with(" mx.list.example; iprev=permerror")
            || found.sets[0].results.starts_with("mx.list.example;")
    );
    // A list that changes the message between two seals.
    let changed = once.replace("Subject: x", "Subject: [l] x");
    assert_eq!(at_once(validate(&zone(), changed.as_bytes())).result, ArcResult::Fail);
    let twice = sealed(&once, Algorithm::Ed25519Sha256).unwrap();
    let found = at_once(validate(&zone(), twice.as_bytes()));
    assert_eq!((found.result, found.sets.len()), (ArcResult::Pass, 2));
    assert!(twice.lines().all(|line| line.len() <= 998));
}

/// RFC 8617 §5.1.2.
#[test]
fn a_broken_chain_is_sealed_as_broken_and_then_no_more() {
    let once = sealed(PLAIN, Algorithm::RsaSha256).unwrap();
    let broken = sealed(&once.replace("Hello", "Hullo"), Algorithm::RsaSha256).unwrap();
    assert!(broken.starts_with("ARC-Seal: i=2; a=rsa-sha256; cv=fail;"), "{broken}");
    let found = at_once(validate(&zone(), broken.as_bytes()));
    assert_eq!((found.result, found.reason), (ArcResult::Fail, ArcReason::BrokenBefore { instance: 2 }));
    assert_eq!(sealed(&broken, Algorithm::RsaSha256), Err(SealError::Ended));
}

/// Chains are counted before they are read.
#[test]
fn chains_are_limited() {
    let mut long = String::new();
    for instance in 1..=60 {
        writeln!(long, "ARC-Seal: i={instance}; cv=pass\r").unwrap();
    }
    let found = at_once(validate(&zone(), (long + PLAIN).as_bytes()));
    assert!(matches!(found.reason, ArcReason::TooMany | ArcReason::Gap(_)), "{:?}", found.reason);
}
