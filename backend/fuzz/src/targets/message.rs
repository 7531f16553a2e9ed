//! Messages: structure, sections, facts, searches, addresses, header fields, dates.

use relais_message::{
    Content, Facts, MAX_DEPTH, MAX_PARTS, Needle, Part, Section, SectionText, Structure, base_subject,
    complete_submission, count_received, decode_header_value, decode_part, fields, fold, format_date, header_fields,
    header_octets, mailboxes, matches_body, matches_header, matches_text, parse_date, read_address_list, remove_fields,
    section,
};
use relais_model::{Address, Domain, Random, Timestamp};

/// Parts lie inside their parents and in order; what is precomputed can be sent in a response.
pub(crate) fn mime(raw: &[u8]) {
    let structure = Structure::read(raw);
    let mut parts = 0;
    check_part(raw, &structure.root, 0..raw.len(), 0, &mut parts);
    assert!(parts <= MAX_PARTS);
    let facts = Facts::of(raw, &structure);
    for wire in [&facts.envelope, &facts.body, &facts.body_structure] {
        check_wire_form(wire);
    }
    assert_eq!(facts, Facts::read(raw), "facts don't depend on who read the structure");
}

fn check_part(raw: &[u8], part: &Part, parent: std::ops::Range<usize>, depth: usize, parts: &mut usize) {
    *parts += 1;
    assert!(depth <= MAX_DEPTH);
    assert!(parent.start <= part.header.start && part.header.start <= part.header.end);
    assert!(part.header.end <= part.body.start && part.body.start <= part.body.end && part.body.end <= parent.end);
    let _decoded_or_unknown = decode_part(raw, part);
    let children: &[Part] = match &part.content {
        Content::Leaf => &[],
        Content::Multipart(children) => children,
        Content::Message(message) => std::slice::from_ref(message),
    };
    let mut from = part.body.start;
    for child in children {
        check_part(raw, child, from..part.body.end, depth + 1, parts);
        from = child.body.end;
    }
}

/// Balanced, and CRLF or NUL only inside literals (RFC 9051 §9).
fn check_wire_form(wire: &[u8]) {
    let (mut rest, mut depth) = (wire, 0_usize);
    while let Some((&octet, after)) = rest.split_first() {
        rest = match octet {
            b'(' => {
                depth += 1;
                after
            }
            b')' => {
                depth = depth.checked_sub(1).expect("no parenthesis is closed that wasn't opened");
                after
            }
            b'"' => after_quoted(after),
            b'{' => after_literal(after),
            b'\r' | b'\n' | 0 => panic!("a bare control in {:?}", String::from_utf8_lossy(wire)),
            _ => after,
        };
    }
    assert_eq!(depth, 0, "unbalanced: {:?}", String::from_utf8_lossy(wire));
}

fn after_quoted(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'"', after @ ..] => return after,
            [b'\\', b'"' | b'\\', after @ ..] => after,
            [b'\\' | b'\r' | b'\n' | 0, ..] | [] => panic!("a quoted string that doesn't end"),
            [_, after @ ..] => after,
        };
    }
}

fn after_literal(rest: &[u8]) -> &[u8] {
    let end = rest.windows(3).position(|octets| octets == b"}\r\n").expect("a literal's size ends");
    let octets: usize =
        str::from_utf8(&rest[..end]).ok().and_then(|digits| digits.parse().ok()).expect("a literal's size");
    &rest[end + 3 + octets..]
}

/// The first octets name a section; what is given lies in the message, and header and text make it up.
pub(crate) fn sections(octets: &[u8]) {
    let Some((choice, raw)) = octets.split_first_chunk::<4>() else { return };
    let structure = Structure::read(raw);
    let path: Vec<u32> =
        choice[1..].iter().take_while(|number| **number != 0).map(|number| u32::from(number % 8)).collect();
    let text = match choice[0] % 6 {
        0 => None,
        1 => Some(SectionText::Header),
        2 => Some(SectionText::Text),
        3 => Some(SectionText::Mime),
        kind => Some(SectionText::HeaderFields { not: kind == 4, names: vec!["from".to_owned(), "X".to_owned()] }),
    };
    let is_cut = !matches!(text, Some(SectionText::HeaderFields { .. }));
    if let Some(found) = section(raw, &structure, &Section { path, text }) {
        assert!(!is_cut || found.len() <= raw.len());
    }
    let of = |text| section(raw, &structure, &Section { path: Vec::new(), text: Some(text) }).unwrap_or_default();
    assert_eq!([of(SectionText::Header), of(SectionText::Text)].concat(), raw);
}

/// The first octets are what is searched for.
pub(crate) fn search(octets: &[u8]) {
    let Some((choice, raw)) = octets.split_first_chunk::<3>() else { return };
    let word = String::from_utf8_lossy(choice);
    let word = fold(&word);
    let needle = Needle::new(&word);
    let structure = Structure::read(raw);
    let header = &raw[..header_octets(raw)];
    let in_text = matches_text(raw, &structure, &needle);
    assert!(in_text || !matches_body(raw, &structure, &needle), "what is in the body is in the text");
    for field in fields(header) {
        let Ok(name) = str::from_utf8(field.name) else { continue };
        assert!(matches_header(header, name, &Needle::new("")), "{name} is there");
    }
}

/// An address that is read is printed as the same.
pub(crate) fn address(octets: &[u8]) {
    for item in read_address_list(octets) {
        for mailbox in mailboxes(std::slice::from_ref(&item)) {
            if let Some(address) = mailbox.to_address() {
                assert_eq!(Address::parse(&address.to_string()), Ok(address));
            }
        }
    }
    let Ok(text) = str::from_utf8(octets) else { return };
    if let Ok(address) = Address::parse(text) {
        assert_eq!(Address::parse(&address.to_string()).as_ref(), Ok(&address), "{address}");
    }
    if let Ok(domain) = Domain::parse(text) {
        assert_eq!(Domain::parse(domain.as_str()).as_ref(), Ok(&domain));
        let _shown = domain.to_unicode();
    }
}

/// Named and unnamed fields are all fields; what is removed is gone, and nothing else is.
pub(crate) fn header(raw: &[u8]) {
    let header = &raw[..header_octets(raw)];
    let names = ["Received".to_owned(), "subject".to_owned()];
    let count = |header: &[u8]| fields(header).count();
    assert_eq!(
        count(&header_fields(header, &names, false)) + count(&header_fields(header, &names, true)),
        count(header)
    );
    assert_eq!(remove_fields(header, &[]), header);
    assert_eq!(count_received(&remove_fields(header, &["Received"])), 0);
    for field in fields(header) {
        let subject = decode_header_value(field.value);
        let base = base_subject(&subject);
        assert!(!base_subject(&base.text).is_reply, "the base of {subject:?} has a base: {:?}", base.text);
        let folded = fold(&subject);
        assert_eq!(fold(&folded), folded, "folded once is folded");
    }
    complete_submission(header, "mx.example", Timestamp::default(), &Nothing);
}

/// Chance that is none.
#[derive(Debug)]
struct Nothing;

impl Random for Nothing {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(0);
    }
}

/// A date that is read is printed as the same moment.
pub(crate) fn date(octets: &[u8]) {
    let Some(date) = parse_date(octets) else { return };
    let again = parse_date(format_date(date.at).as_bytes());
    assert_eq!(again.map(|again| again.at), Some(date.at));
}
