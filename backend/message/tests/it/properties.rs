//! What holds for any octets.

use std::fmt::Write as _;

use proptest::prelude::*;
use relais_message::{
    Facts, MAX_DEPTH, MAX_PARTS, Needle, Section, SectionText, Structure, count_received, fields, fold, header_fields,
    header_octets, matches_body, matches_header, matches_text, remove_fields, section,
};

use crate::corpus::{check_structure, check_wire_forms};

/// Octets that look like mail now and then.
fn mail() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => proptest::sample::select(vec![
            "\r\n", "\n", "\r\n\r\n", "--a\r\n", "--a--\r\n", "--ab\r\n", "\r\n--a", "\r\n--ab--", "Subject: ", "From: ", "To: g: ", "Date: ",
            "Content-Type: multipart/mixed; boundary=a\r\n\r\n", "Content-Type: multipart/digest; boundary=\"ab\"\r\n\r\n",
            "Content-Type: message/rfc822\r\n\r\n", "Content-Type: text/html; charset=utf-16\r\n", "Content-Transfer-Encoding: base64\r\n",
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "Content-Disposition: attachment; filename*0*=a; filename*1=", "=?utf-8?q?=C3?=",
            " =?utf-8?b?", "?=", "<", ">", "@", "(", ")", "\"", "\\", ";", ":", ",", "[fwd:", "]", "re:", "(fwd)", "&#x", "<style>", "References: <a@b>",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
        1 => "[ -~]{0,12}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn facts_can_be_sent(raw in mail()) {
        check_wire_forms(&raw);
    }

    #[test]
    fn parts_lie_inside_their_parents(raw in mail()) {
        check_structure(&raw);
    }

    #[test]
    fn header_and_text_are_the_message(raw in mail()) {
        let structure = Structure::read(&raw);
        let of = |text| section(&raw, &structure, &Section { path: vec![], text }).unwrap().into_owned();
        prop_assert_eq!([of(Some(SectionText::Header)), of(Some(SectionText::Text))].concat(), raw.clone());
        prop_assert_eq!(structure.root.header.end, header_octets(&raw));
        prop_assert_eq!(u64::try_from(header_octets(&raw)).unwrap(), Facts::read(&raw).header_octets);
    }

    /// Each field is in HEADER.FIELDS or in HEADER.FIELDS.NOT, never in both.
    #[test]
    fn named_and_unnamed_fields_are_all_fields(raw in mail()) {
        let header = &raw[..header_octets(&raw)];
        let names = vec!["subject".to_owned(), "Content-Type".to_owned(), "FROM".to_owned()];
        let (named, unnamed) = (header_fields(header, &names, false), header_fields(header, &names, true));
        prop_assert!(named.ends_with(b"\r\n") && unnamed.ends_with(b"\r\n"));
        let count = |header: &[u8]| fields(header).count();
        prop_assert_eq!(count(&named) + count(&unnamed), count(header));
        let all = header_fields(header, &[], true);
        prop_assert!(all.starts_with(&fields(header).flat_map(|field| field.raw.to_vec()).collect::<Vec<_>>()));
        prop_assert_eq!(remove_fields(header, &[]), header);
        prop_assert!(count_received(header) <= count(header));
    }

    #[test]
    fn searches_find_what_is_there(raw in mail(), text in "[a-zA-Z =?é-]{0,6}") {
        let structure = Structure::read(&raw);
        let needle = Needle::new(&text);
        let in_body = matches_body(&raw, &structure, &needle);
        prop_assert!(!in_body || matches_text(&raw, &structure, &needle));
        matches_header(&raw, "Subject", &needle);
        let haystack = String::from_utf8_lossy(&raw);
        prop_assert_eq!(needle.is_in(&haystack), fold(&haystack).contains(&fold(&text)));
    }
}

/// Depth and count are bounded, and so is the time.
#[test]
fn hostile_structures_are_cut() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    let mut deep = String::new();
    for level in 0..5_000 {
        write!(deep, "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n").unwrap();
    }
    let wide = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\nx\r\n".repeat(50_000));
    let header = format!("Subject: {}\r\n\r\n", "x\r\n ".repeat(100_000));
    for raw in [nested, deep, wide, header] {
        let structure = Structure::read(raw.as_bytes());
        let (mut parts, mut depth, mut part) = (0, 0, &structure.root);
        structure.root.walk(&mut |_| parts += 1);
        while let Some(child) = part.children().first() {
            (part, depth) = (child, depth + 1);
        }
        assert!(parts <= MAX_PARTS + MAX_DEPTH && depth <= MAX_DEPTH);
        check_wire_forms(raw.as_bytes());
    }
}
