//! The suite of RFC 7208: every case, its result and its explanation.

use relais_model::Timestamp;
use relais_msgauth::spf::{Asked, Identity, check};
use relais_msgauth::testing::{Zone, at_once};
use yaml_rust2::Yaml;

use crate::suites::{documents, texts};

/// Cases that end otherwise here, each with its reason.
const MISSES: &[(&str, &str)] = &[];

/// In the suite octets past ASCII are written as characters below U+0100.
fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}

fn zone(data: &Yaml) -> Zone {
    let mut zone = Zone::new();
    for (name, records) in data.as_hash().unwrap() {
        let name = texts(name).concat();
        zone.add_name(&name);
        let records = records.as_vec().unwrap();
        let of = |wanted: &str| -> Vec<&Yaml> {
            let pairs = records.iter().filter_map(Yaml::as_hash).flat_map(|pairs| pairs.iter());
            pairs.filter(|(kind, _)| kind.as_str() == Some(wanted)).map(|(_, data)| data).collect()
        };
        // "Other sections rely on auto-magic duplication of SPF to TXT records": where no TXT is written.
        let txt = if of("TXT").is_empty() { of("SPF") } else { of("TXT") };
        for data in txt.into_iter().filter(|data| data.as_str() != Some("NONE")) {
            zone.add_txt(&name, octets(&texts(data).concat()));
        }
        for data in [of("A"), of("AAAA")].concat() {
            zone.add_address(&name, texts(data).concat().parse().unwrap());
        }
        for data in of("MX") {
            let pair = texts(data);
            zone.add_mx(&name, pair[0].parse().unwrap(), &pair[1]);
        }
        for data in of("PTR") {
            zone.add_ptr(&name, &texts(data).concat());
        }
        for data in of("CNAME") {
            zone.add_alias(&name, &texts(data).concat());
        }
        if records.iter().any(|record| record.as_str() == Some("TIMEOUT")) {
            zone.silence(&name);
        }
    }
    zone
}

#[test]
fn the_suite_of_rfc_7208() {
    let Some(documents) = documents("spf/rfc7208-tests.yml") else { return };
    let (mut passed, mut faults) = (0, Vec::new());
    for document in &documents {
        let zone = zone(&document["zonedata"]);
        for (name, case) in document["tests"].as_hash().unwrap() {
            let (name, helo) = (name.as_str().unwrap(), texts(&case["helo"]).concat());
            let mail_from = texts(&case["mailfrom"]).concat();
            let identity = if mail_from.is_empty() { Identity::Helo } else { Identity::MailFrom };
            let (local_part, domain) = mail_from.rsplit_once('@').unwrap_or(("", &mail_from));
            let domain = if mail_from.is_empty() { helo.as_str() } else { domain };
            let address = texts(&case["host"]).concat().parse().unwrap();
            let receiver = ("receiver.example", Timestamp::from_seconds(0));
            let found = at_once(check(&zone, Asked { address, helo: &helo, identity, local_part, domain, receiver }));
            let expected = texts(&case["result"]);
            let explanation = texts(&case["explanation"]).concat();
            let is_explained = match explanation.as_str() {
                "" => true,
                "DEFAULT" => found.explanation.is_none(),
                // The suite writes nibbles in upper case, the RFC's own example (§7.4) in lower.
                text => found.explanation.as_deref().is_some_and(|said| said.eq_ignore_ascii_case(text)),
            };
            if expected.iter().any(|result| result == found.result.as_str()) && is_explained {
                passed += 1;
            } else if !MISSES.iter().any(|(known, _)| *known == name) {
                faults.push(format!("{name}: expected {expected:?} {explanation:?}, found {found:?}"));
            }
        }
    }
    println!("SPF: {passed} of {}", passed + faults.len() + MISSES.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(passed + MISSES.len(), 203);
}
