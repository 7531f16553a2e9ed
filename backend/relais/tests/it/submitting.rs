//! What our people may send, and what is mended of it (RFC 6409).

use crate::house::{House, codes};

/// The answer to ann's message with this header.
#[track_caller]
fn check(house: &House, header: &str, expected: &str) {
    let message = format!("{header}\r\nhello\r\n");
    let reply = house.submitter("ann@relais.test").deliver("ann@relais.test", &["ben@relais.test"], message.as_bytes());
    assert_eq!(codes(&reply.unwrap()), expected, "{header}");
}

/// RFC 6409 §6.1: who logged in is who writes.
#[test]
fn people_send_as_themselves_only() {
    let house = House::open();
    for (header, expected) in [
        ("From: Ann <ann@relais.test>\r\n", "250 2.0.0"),
        ("From: ANN@RELAIS.TEST\r\n", "250 2.0.0"),
        ("From: ann+shop@relais.test\r\n", "250 2.0.0"),
        ("From: ben@relais.test\r\n", "550 5.7.1"),
        ("From: \"ann@relais.test\" <ben@relais.test>\r\n", "550 5.7.1"),
        ("From: ann@relais.test, ben@relais.test\r\n", "550 5.7.1"),
        ("From: ann@relais.test\r\nFrom: ben@relais.test\r\n", "550 5.7.1"),
        ("From: ann@relais.test\r\nSender: ben@relais.test\r\n", "550 5.7.1"),
        ("From: people: ann@relais.test, bob@elsewhere.example;\r\n", "550 5.7.1"),
        ("From: ann@relais.test <ben@relais.test\r\n", "550 5.7.1"),
        ("Subject: nobody's\r\n", "554 5.6.0"),
    ] {
        check(&house, header, expected);
    }
    // A notice of the client's own, from nobody: still hers.
    let reply =
        house.submitter("ann@relais.test").deliver("", &["ben@relais.test"], b"From: ben@relais.test\r\n\r\nx\r\n");
    assert_eq!(codes(&reply.unwrap()), "550 5.7.1");
}

/// RFC 6409 §8: Date and Message-ID are added where they are missing, Bcc is nobody's business.
#[test]
fn a_submission_is_completed() {
    let house = House::open();
    let bare = b"From: ann@relais.test\r\nBcc: chloe@relais.test,\r\n ben@relais.test\r\nSubject: bare\r\n\r\nBcc: stays here\r\n";
    let reply = house.submitter("ann@relais.test").deliver("ann@relais.test", &["ben@relais.test"], bare).unwrap();
    assert_eq!(codes(&reply), "250 2.0.0");
    let got = house.newest("ben@relais.test");
    let (header, body) = got.split_once("\r\n\r\n").unwrap();
    assert!(header.contains("\r\nDate: ") && header.contains("\r\nMessage-ID: <"), "{header}");
    assert!(!header.contains("Bcc") && !header.contains("chloe"), "{header}");
    assert!(header.contains("with ESMTPSA") && header.contains("Return-Path: <ann@relais.test>\r\n"), "{header}");
    assert!(body.starts_with("Bcc: stays here\r\n"), "{body}");

    let whole = b"From: ann@relais.test\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <mine@relais.test>\r\n\r\nx\r\n";
    house
        .submitter("ann@relais.test")
        .deliver("ann@relais.test", &["ben@relais.test"], whole)
        .unwrap()
        .must(250)
        .unwrap();
    let got = house.newest("ben@relais.test");
    assert_eq!(got.matches("Date: ").count(), 1, "{got}");
    assert!(got.contains("\r\nMessage-ID: <mine@relais.test>\r\n"), "{got}");
}
