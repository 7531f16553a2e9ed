//! Every message of the MIME corpora: facts are read, and the wire forms are well-formed.

use relais_message::{Content, Facts, Part, Section, SectionText, Structure, section};

use crate::suites;

/// Reads one IMAP value of parentheses, quoted strings, literals and atoms; says what is behind it.
fn value(mut at: &[u8]) -> Option<&[u8]> {
    match at {
        [b'(', ..] => {
            at = &at[1..];
            loop {
                match at {
                    [b')', rest @ ..] => return Some(rest),
                    [b' ', rest @ ..] => at = rest,
                    _ => at = value(at)?,
                }
            }
        }
        [b'"', ..] => {
            at = &at[1..];
            loop {
                match at {
                    [b'"', rest @ ..] => return Some(rest),
                    [b'\\', b'"' | b'\\', rest @ ..] => at = rest,
                    [b'\\' | b'\r' | b'\n' | 0 | 0x80.., ..] | [] => return None,
                    [_, rest @ ..] => at = rest,
                }
            }
        }
        [b'{', ..] => {
            let close = at.iter().position(|&octet| octet == b'}')?;
            let length: usize = std::str::from_utf8(&at[1..close]).ok()?.parse().ok()?;
            let literal = at[close + 1..].strip_prefix(b"\r\n")?;
            let (literal, rest) = literal.split_at_checked(length)?;
            (!literal.contains(&0)).then_some(rest)
        }
        _ => {
            let length = at.iter().take_while(|octet| octet.is_ascii_alphanumeric()).count();
            (length > 0).then(|| &at[length..])
        }
    }
}

/// Facts of any octets can be sent.
pub(crate) fn check_wire_forms(raw: &[u8]) {
    let facts = Facts::read(raw);
    for form in [&facts.envelope, &facts.body_structure, &facts.body] {
        assert_eq!(value(form), Some(&b""[..]), "{}", String::from_utf8_lossy(form));
    }
    assert!(facts.preview.chars().count() <= 200);
}

/// Every part lies inside its parent, and its sections are its ranges.
pub(crate) fn check_structure(raw: &[u8]) {
    let structure = Structure::read(raw);
    assert_eq!(structure.root.header.start..structure.root.body.end, 0..raw.len());
    check_message(raw, &structure, &structure.root, &[]);
}

/// RFC 9051 §6.4.5.1: a message's parts are those of its multipart, else it is its own part 1.
fn check_message(raw: &[u8], structure: &Structure, message: &Part, path: &[u32]) {
    match &message.content {
        Content::Multipart(parts) => check_parts(raw, structure, message, parts, path),
        Content::Leaf | Content::Message(_) => check_part(raw, structure, message, &[path, &[1]].concat()),
    }
}

fn check_parts(raw: &[u8], structure: &Structure, parent: &Part, parts: &[Part], path: &[u32]) {
    let mut from = parent.body.start;
    for (part, number) in parts.iter().zip(1..) {
        assert!(from <= part.header.start && part.body.end <= parent.body.end);
        from = part.body.end;
        check_part(raw, structure, part, &[path, &[number]].concat());
    }
}

fn check_part(raw: &[u8], structure: &Structure, part: &Part, path: &[u32]) {
    assert!(part.header.start <= part.header.end && part.body.start <= part.body.end);
    assert_eq!(part.header.end, part.body.start);
    let of = |text| section(raw, structure, &Section { path: path.to_vec(), text });
    assert_eq!(of(None).as_deref(), raw.get(part.body.clone()));
    assert_eq!(of(Some(SectionText::Mime)).as_deref(), raw.get(part.header.clone()));
    match &part.content {
        Content::Leaf => assert_eq!(of(Some(SectionText::Text)), None),
        Content::Multipart(parts) => check_parts(raw, structure, part, parts, path),
        Content::Message(message) => {
            assert_eq!(message.header.start..message.body.end, part.body);
            let whole = [of(Some(SectionText::Header)).unwrap(), of(Some(SectionText::Text)).unwrap()].concat();
            assert_eq!(whole, raw[part.body.clone()]);
            check_message(raw, structure, message, path);
        }
    }
}

#[test]
fn every_message_of_the_corpora_has_facts() {
    let Some(folder) = suites::folder("mime") else { return };
    let files = suites::files(&folder);
    for path in &files {
        let raw = std::fs::read(path).unwrap();
        check_wire_forms(&raw);
        check_structure(&raw);
    }
    assert!(files.len() > 500, "the corpora are complete");
}
