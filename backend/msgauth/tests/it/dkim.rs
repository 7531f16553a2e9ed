//! RFC 6376 §A and RFC 8463 §A; and what we sign is verified, and what was changed is not.

use data_encoding::BASE64;
use relais_model::{Domain, Secret, Timestamp};
use relais_msgauth::dkim::{
    Algorithm, Canonicalization, DkimReason, DkimResult, Signer, SigningKey, canonical_header, sign, verify,
};
use relais_msgauth::testing::{Zone, at_once};
use ring::digest::{SHA256, digest};
use ring::signature::Ed25519KeyPair;

use crate::keys::{ED25519_PEM, ED25519_RECORD, RSA_PEM, RSA_RECORD};

const NOW: Timestamp = Timestamp::from_seconds(1_600_000_000);

/// RFC 8463 §A.3: one message, signed with both algorithms.
const RFC_8463: &str = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r
 d=football.example.com; i=@football.example.com;\r
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r
 subject : date : message-id : from : subject : date;\r
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r
 d=football.example.com; i=@football.example.com;\r
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r
 date : message-id : from : subject : date;\r
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r
From: Joe SixPack <joe@football.example.com>\r
To: Suzie Q <suzie@shopping.example.net>\r
Subject: Is dinner ready?\r
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r
Message-ID: <20030712040037.46341.5F8J@football.example.com>\r
\r
Hi.\r
\r
We lost the game.  Are you hungry yet?\r
\r
Joe.\r
";

fn rfc_8463_zone() -> Zone {
    Zone::new()
        .with_txt(
            "brisbane._domainkey.football.example.com",
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        )
        .with_txt(
            "test._domainkey.football.example.com",
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/b\
             yYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        )
}

#[test]
fn the_example_of_rfc_8463() {
    let checks = at_once(verify(&rfc_8463_zone(), RFC_8463.as_bytes(), NOW));
    let found: Vec<_> = checks.iter().map(|check| (check.result, check.reason.clone(), check.key_bits)).collect();
    let good = |bits| (DkimResult::Pass, DkimReason::Good, Some(bits));
    assert_eq!(found, [good(256), good(1024)]);
}

/// RFC 6376 §A.2: the key is the one of §C.1, and the standard's editors signed it, with the body that stands there.
#[test]
fn the_example_of_rfc_6376() {
    let message = "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r
      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r
      h=Received : From : To : Subject : Date : Message-ID;\r
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r
      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r
      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r
      4bmp/YzhwvcubU4=;\r
Received: from client1.football.example.com  [192.0.2.1]\r
      by submitserver.example.com with SUBMISSION;\r
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r
From: Joe SixPack <joe@football.example.com>\r
To: Suzie Q <suzie@shopping.example.net>\r
Subject: Is dinner ready?\r
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r
Message-ID: <20030712040037.46341.5F8J@football.example.com>\r
\r
Hi.\r
\r
We lost the game. Are you hungry yet?\r
\r
Joe.\r
";
    let zone = Zone::new().with_txt(
        "brisbane._domainkey.example.com",
        "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v\
         /RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
    );
    let checks = at_once(verify(&zone, message.as_bytes(), NOW));
    assert_eq!((checks[0].result, &checks[0].reason), (DkimResult::Pass, &DkimReason::Good));
}

fn signers() -> [Signer; 2] {
    let signer = |algorithm, selector: &str, pem: &str| Signer {
        domain: Domain::parse("example.org").unwrap(),
        selector: selector.to_owned(),
        key: SigningKey::from_pem(algorithm, &Secret::new(pem)).unwrap(),
    };
    [signer(Algorithm::RsaSha256, "r1", RSA_PEM), signer(Algorithm::Ed25519Sha256, "e1", ED25519_PEM)]
}

fn zone() -> Zone {
    Zone::new().with_txt("r1._domainkey.example.org", RSA_RECORD).with_txt("e1._domainkey.example.org", ED25519_RECORD)
}

const PLAIN: &str =
    "From: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\nList-Id: <l.example.org>\r\n\r\nHello\r\n \r\n";

fn signed() -> String {
    let signers = signers();
    let fields = sign(PLAIN.as_bytes(), &[&signers[0], &signers[1]], NOW).unwrap();
    String::from_utf8(fields).unwrap() + PLAIN
}

#[track_caller]
fn check(raw: &str, zone: &Zone, expected: &(DkimResult, DkimReason)) {
    let checks = at_once(verify(zone, raw.as_bytes(), NOW));
    assert_eq!(checks.len(), 2);
    for check in checks {
        assert_eq!(&(check.result, check.reason), expected, "{raw}");
    }
}

#[test]
fn what_we_sign_is_verified() {
    let signed = signed();
    assert!(signed.lines().all(|line| line.len() <= 78), "{signed}");
    check(&signed, &zone(), &(DkimResult::Pass, DkimReason::Good));
    // What RFC 6376 §3.4 lets change.
    check(&signed.replace("Subject: x", "Subject:  x "), &zone(), &(DkimResult::Pass, DkimReason::Good));
    check(&format!("Received: x\r\n{signed}\r\n\r\n"), &zone(), &(DkimResult::Pass, DkimReason::Good));
}

#[test]
fn what_was_changed_is_told_apart() {
    let signed = signed();
    check(&signed.replace("Hello", "Hullo"), &zone(), &(DkimResult::Fail, DkimReason::BodyChanged));
    for (from, to) in [
        ("Subject: x", "Subject: y"),
        ("Subject: x\r\n", "Subject: x\r\nSubject: x\r\n"),
        ("Subject: x\r\n", "Subject: x\r\nReply-To: evil@example.net\r\n"),
        ("Subject: x\r\n", "Subject: x\r\nFrom: evil@example.net\r\n"),
        ("<l.example.org>", "<m.example.org>"),
        ("t=1600000000", "t=1600000001"),
    ] {
        check(&signed.replacen(from, to, usize::MAX), &zone(), &(DkimResult::Fail, DkimReason::HeaderChanged));
    }
    let missing = at_once(verify(&Zone::new(), signed.as_bytes(), NOW));
    let name = "r1._domainkey.example.org".to_owned();
    assert_eq!((missing[0].result, &missing[0].reason), (DkimResult::PermError, &DkimReason::KeyMissing(name.clone())));
    let mut silent = Zone::new();
    silent.silence(&name);
    let unanswered = at_once(verify(&silent, signed.as_bytes(), NOW));
    assert_eq!(
        (unanswered[0].result, &unanswered[0].reason),
        (DkimResult::TempError, &DkimReason::KeyUnanswered(name))
    );
}

/// The first ten are verified, the rest costs nothing.
#[test]
fn signatures_are_limited() {
    let many = "DKIM-Signature: v=1\r\n".repeat(1000) + PLAIN;
    assert_eq!(at_once(verify(&zone(), many.as_bytes(), NOW)).len(), relais_msgauth::dkim::MOST_SIGNATURES);
}

/// `PLAIN`, signed as we never do it: From alone, the body's beginning `covered`, and with further `tags`, each with its `;`.
fn signed_with(tags: &str, covered: &str) -> String {
    let body_hash = BASE64.encode(digest(&SHA256, covered.as_bytes()).as_ref());
    let field = format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=e1; h=from; {tags} bh={body_hash}; b="
    );
    let mut data = Vec::new();
    canonical_header(Canonicalization::Relaxed, b"From: a@example.org\r\n", &mut data);
    canonical_header(Canonicalization::Relaxed, field.as_bytes(), &mut data);
    // RFC 6376 §3.7: the signature's own field comes last, without its line end.
    data.truncate(data.len() - 2);
    let der = BASE64.decode(ED25519_PEM.lines().nth(1).unwrap().as_bytes()).unwrap();
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap();
    let signature = key.sign(digest(&SHA256, &data).as_ref());
    format!("{field}{}\r\n{PLAIN}", BASE64.encode(signature.as_ref()))
}

#[track_caller]
fn check_one(raw: &str, zone: &Zone, expected: &(DkimResult, DkimReason)) {
    let check = at_once(verify(zone, raw.as_bytes(), NOW)).remove(0);
    assert_eq!(&(check.result, check.reason), expected, "{raw}");
}

/// RFC 6376 §8.2: what stands behind `l=` may be anybody's.
#[test]
fn what_is_unsigned_behind_l_is_told() {
    let good = || (DkimResult::Pass, DkimReason::Good);
    let unsigned = |octets| (DkimResult::Policy, DkimReason::BodyUnsigned(octets));
    // The canonical body is `Hello` and its line end: seven octets.
    let whole = signed_with("l=7;", "Hello\r\n");
    check_one(&signed_with("", "Hello\r\n"), &zone(), &good());
    check_one(&whole, &zone(), &good());
    check_one(&signed_with("l=5;", "Hello"), &zone(), &unsigned(2));
    check_one(&format!("{whole}Buy!\r\n"), &zone(), &unsigned(8));
    check_one(&whole.replace("Hello", "Hullo"), &zone(), &(DkimResult::Fail, DkimReason::BodyChanged));
    // More is signed than there is (§3.5).
    check_one(&signed_with("l=8;", "Hello\r\n"), &zone(), &(DkimResult::Fail, DkimReason::BodyChanged));
}

/// RFC 6376 §3.5, `x=`: a signature holds up to its last second.
#[test]
fn a_signature_ends_with_its_time() {
    for (expires, expected) in [
        (1_600_000_000, (DkimResult::Pass, DkimReason::Good)),
        (1_599_999_999, (DkimResult::Fail, DkimReason::Expired(1_599_999_999))),
    ] {
        let signed = signed_with(&format!("t=1599990000; x={expires};"), "Hello\r\n");
        check_one(&signed, &zone(), &expected);
    }
}

/// RFC 6376 §3.6.1, `t=s`: the key is for `d=` itself, and for nobody below it.
#[test]
fn a_strict_key_signs_for_nobody_below() {
    let strict =
        Zone::new().with_txt("e1._domainkey.example.org", &ED25519_RECORD.replace("k=ed25519;", "k=ed25519; t=s;"));
    for (identity, is_below) in [("", false), ("i=a@example.org;", false), ("i=a@mail.example.org;", true)] {
        let signed = signed_with(identity, "Hello\r\n");
        check_one(&signed, &zone(), &(DkimResult::Pass, DkimReason::Good));
        let expected = if is_below {
            (DkimResult::PermError, DkimReason::IdentityBelow)
        } else {
            (DkimResult::Pass, DkimReason::Good)
        };
        check_one(&signed, &strict, &expected);
    }
}
