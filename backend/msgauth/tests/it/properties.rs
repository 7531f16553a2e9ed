//! What holds for any octets.

use proptest::prelude::*;
use relais_model::{Address, Domain, ReversePath, Secret, Timestamp};
use relais_msgauth::dkim::{Algorithm, Canonicalization, Signer, SigningKey, canonical_body, sign, verify};
use relais_msgauth::results::{AuthResults, without_forged};
use relais_msgauth::srs::Srs;
use relais_msgauth::testing::{Zone, at_once};
use relais_msgauth::{Facts, authenticate};

use crate::keys::{ED25519_PEM, ED25519_RECORD};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// Octets that look like signed mail now and then.
fn mail() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "\r\n", "\n", "\r", " ", "\t", "\r\n\r\n", ";", "=", "From: a@d.example\r\n", "From: a@d.example, b@e.example\r\n", "Subject: x\r\n y\r\n",
            "DKIM-Signature: v=1; a=ed25519-sha256; d=d.example; s=e1; h=from; bh=AAAA; b=AAAA\r\n", "ARC-Seal: i=1; cv=none; ", "ARC-Message-Signature: i=1; ",
            "ARC-Authentication-Results: i=1; x; dmarc=pass\r\n", "a=rsa-sha256; ", "l=3; ", "c=relaxed; ", "d=d.example; s=e1; b=AA; bh=AA; h=from\r\n",
            "Authentication-Results: mx.example; dmarc=pass\r\n", "Authentication-Results: (", "\"", ")", "\\", "mx.example", "x=", "i=2;",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
        1 => "[ -~]{0,12}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn signer() -> Signer {
    Signer {
        domain: Domain::parse("d.example").unwrap(),
        selector: "e1".to_owned(),
        key: SigningKey::from_pem(Algorithm::Ed25519Sha256, &Secret::new(ED25519_PEM)).unwrap(),
    }
}

fn zone() -> Zone {
    Zone::new().with_txt("e1._domainkey.d.example", ED25519_RECORD).with_txt("_dmarc.d.example", "v=DMARC1; p=reject")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever is signed is verified, also behind what stood there before, and no more once its text has changed.
    #[test]
    fn what_is_signed_is_verified(raw in mail()) {
        let raw = [b"From: a@d.example\r\n", raw.as_slice()].concat();
        let fields = sign(&raw, &[&signer()], NOW).unwrap();
        let signed = [fields.as_slice(), &raw].concat();
        prop_assert!(at_once(verify(&zone(), &signed, NOW))[0].is_pass());
        let changed = [signed.as_slice(), b"\r\n\r\nx\r\n"].concat();
        prop_assert!(!at_once(verify(&zone(), &changed, NOW))[0].is_pass());
    }

    /// What nobody signed never passes, and what is written of it can be read.
    #[test]
    fn what_is_found_is_written_and_read(raw in mail()) {
        let facts = Facts {
            peer: "192.0.2.7".parse().unwrap(),
            helo: "h\"e;l\r\no",
            reverse_path: &ReversePath::Null,
            message: &raw,
            host: "mx.example",
            now: NOW,
        };
        let found = at_once(authenticate(&facts, &zone()));
        prop_assert!(found.dkim.iter().all(|check| !check.is_pass()));
        let field = found.field("mx.example");
        let value = field.strip_prefix("Authentication-Results:").unwrap();
        let read = AuthResults::parse(value.as_bytes());
        prop_assert!(read.as_ref().is_some_and(|read| read.id == "mx.example"), "{field:?}");
        let forged = [field.as_bytes(), &raw].concat();
        let (kept, _) = without_forged(&forged, &["MX.example"]).unwrap();
        prop_assert_eq!(without_forged(&kept, &["mx.example"]), None);
    }

    #[test]
    fn canonical_forms_stay(raw in mail()) {
        for kind in [Canonicalization::Simple, Canonicalization::Relaxed] {
            let once = canonical_body(kind, &raw);
            prop_assert_eq!(canonical_body(kind, &once), once);
        }
    }

    /// There and back through SRS.
    #[test]
    fn rewritten_addresses_lead_back(local in "[a-zA-Z0-9.+=_-]{1,24}", days in 0_u64..21) {
        let Ok(sender) = Address::parse(&format!("{local}@author.example")) else { return Ok(()) };
        prop_assume!(!local.to_ascii_uppercase().starts_with("SRS"));
        let srs = Srs::new(&Secret::new("a key that nobody knows"));
        let rewritten = srs.forward(&sender, &Domain::parse("us.example").unwrap(), NOW).unwrap();
        let later = NOW.plus(std::time::Duration::from_hours(days * 24));
        prop_assert_eq!(srs.reverse(&rewritten, later), Ok(Some(sender)));
    }
}
