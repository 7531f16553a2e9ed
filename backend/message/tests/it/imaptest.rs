//! What imaptest's scripts say of messages, without a server: sections, sizes, ENVELOPE, BODY, sort keys.

use relais_message::{
    Facts, Needle, Section, SectionText, Structure, decode_part, fold, matches_body, matches_header, matches_text,
    section,
};

use crate::suites;

/// Reads `1.2.header.fields (a b)`.
fn parse_section(text: &str) -> Section {
    let (numbers, text): (Vec<&str>, Vec<&str>) =
        text.split('.').partition(|word| word.bytes().all(|octet| octet.is_ascii_digit()) && !word.is_empty());
    let text = text.join(".").to_lowercase();
    let names = |list: &str| list.trim_matches(['(', ')']).split(' ').map(str::to_owned).collect();
    let text = match text.split_once(' ') {
        Some((word, list)) => Some(SectionText::HeaderFields { not: word == "header.fields.not", names: names(list) }),
        None => match text.as_str() {
            "" => None,
            "header" => Some(SectionText::Header),
            "text" => Some(SectionText::Text),
            "mime" => Some(SectionText::Mime),
            other => panic!("{other}"),
        },
    };
    Section { path: numbers.iter().map(|number| number.parse().unwrap()).collect(), text }
}

/// Each `body[…] {{{ … }}}`, `binary[…] {{{ … }}}` and `binary.size[…] n` of a script on its only message. Says how many.
fn check_sections(name: &str) -> usize {
    let Some(folder) = suites::folder("imaptest") else { return usize::MAX };
    let script = std::fs::read_to_string(folder.join(name)).unwrap();
    let messages = suites::mbox(&folder.join(format!("{name}.mbox")));
    let raw = messages.first().unwrap();
    let structure = Structure::read(raw);
    let mut checked = 0;
    let responses = script.split("* 1 fetch (").skip(1).map(|rest| rest.split("\nok ").next().unwrap());
    for kind in ["body[", "binary[", "binary.size["] {
        for expectation in responses.clone().flat_map(|response| response.split(kind).skip(1)) {
            let Some((wanted, rest)) = expectation.split_once("] ") else { continue };
            let wanted = parse_section(wanted);
            let octets = if kind == "body[" {
                section(raw, &structure, &wanted)
            } else {
                decode_part(raw, structure.part(&wanted.path).unwrap()).ok()
            };
            // BINARY[] is the whole message, which has no encoding to remove.
            let octets = if kind != "body[" && wanted.path.is_empty() { Some(raw.into()) } else { octets };
            let octets = octets.unwrap_or_else(|| panic!("{name}: {wanted:?} is absent"));
            if kind == "binary.size[" {
                let size: usize = rest.split([' ', ')']).next().unwrap().parse().unwrap();
                assert_eq!(octets.len(), size, "{name}: size of {wanted:?}");
            } else {
                let Some((_, literal)) = rest.split_once("{{{\n") else { continue };
                // Where the script wants a bare LF, it writes the same as for CRLF.
                let lines = |text: &str| text.replace("\r\n", "\n");
                let (octets, expected) = (String::from_utf8_lossy(&octets), literal.split_once("\n}}}").unwrap().0);
                assert_eq!(lines(&octets), lines(expected), "{name}: {wanted:?}");
            }
            checked += 1;
        }
    }
    checked
}

/// RFC 9051 §6.4.5, RFC 3516.
#[test]
fn sections_are_those_of_imaptest() {
    for (name, count) in [
        ("fetch-body-message-rfc822", 8),
        ("fetch-body-message-rfc822-mime", 13),
        ("fetch-body-message-rfc822-x2", 9),
        ("fetch-body-mime", 14),
        ("fetch-binary-mime", 10),
        ("fetch-binary-mime-base64", 10),
        ("fetch-binary-mime-qp", 2),
    ] {
        assert!(check_sections(name) >= count, "{name} has fewer facts than it had");
    }
}

fn facts(name: &str) -> Option<Vec<Facts>> {
    let messages = suites::mbox(&suites::folder("imaptest")?.join(name));
    Some(messages.iter().map(|raw| Facts::read(raw)).collect())
}

/// `* N FETCH (ENVELOPE …)` and `(BODY …)` of a script.
#[test]
fn envelope_and_body_are_those_of_imaptest() {
    for (name, item) in [("fetch-envelope", "ENVELOPE "), ("fetch-bodystructure", "BODY ")] {
        let Some(facts) = facts(&format!("{name}.mbox")) else { return };
        let script = std::fs::read_to_string(suites::folder("imaptest").unwrap().join(name)).unwrap();
        for (facts, line) in facts.iter().zip(script.lines().filter(|line| line.contains(" FETCH ("))) {
            let expected = line.split_once(item).unwrap().1.strip_suffix(')').unwrap();
            let value = if item == "BODY " { &facts.body } else { &facts.envelope };
            assert_eq!(String::from_utf8_lossy(value).to_lowercase(), expected.to_lowercase());
        }
    }
}

/// The order that a SORT by `key` gives, as message numbers.
#[track_caller]
fn check_order<K: Ord>(name: &str, key: impl Fn(&Facts) -> K, expected: &[usize]) {
    let Some(facts) = facts(name) else { return };
    let mut order: Vec<usize> = (1..=facts.len()).collect();
    order.sort_by_key(|&number| key(&facts[number - 1]));
    assert_eq!(order, expected, "{name}");
}

/// RFC 5256 §3, RFC 5957 §3.
#[test]
fn sort_keys_order_as_imaptest_does() {
    check_order(
        "sort-subject.mbox",
        |facts| facts.base_subject.clone(),
        &[9, 10, 1, 14, 3, 5, 11, 6, 15, 2, 7, 12, 13, 8, 4],
    );
    check_order("sort-addresses.mbox", |facts| facts.sort_from.clone(), &[3, 1, 2]);
    check_order("sort-addresses.mbox", |facts| facts.sort_to.clone(), &[3, 1, 2]);
    check_order("sort-addresses.mbox", |facts| facts.sort_cc.clone(), &[3, 1, 2]);
    check_order("sort-display-from.mbox", |facts| fold(&facts.display_from), &[2, 3, 4, 1, 5]);
    check_order("sort-display-to.mbox", |facts| fold(&facts.display_to), &[6, 2, 3, 8, 4, 1, 5, 7]);
}

/// RFC 9051 §6.4.4.
#[test]
fn sent_dates_are_days_as_written() {
    let Some(facts) = facts("search-date.mbox") else { return };
    let days: Vec<i64> = facts.iter().map(|facts| facts.header_day.unwrap()).collect();
    let first = days[0];
    let expected = [0, 1, 1, 1, 1, 1, 2, 217, 218, 218, 218, 218, 218, 218, 218, 219];
    assert_eq!(days.iter().map(|day| day - first).collect::<Vec<_>>(), expected);
}

/// Whether a message fits `from x`, `header x-y "z"`, `body x`, `text x`; none where this is another kind of search.
fn fits(raw: &[u8], keys: &str) -> Option<bool> {
    let (key, rest) = keys.split_once(' ')?;
    let (name, text) = if key == "header" { rest.split_once(' ')? } else { (key, rest) };
    let needle = Needle::new(text.trim_matches('"'));
    let structure = Structure::read(raw);
    Some(match key {
        "header" | "subject" | "from" | "to" | "cc" | "bcc" => {
            matches_header(&raw[structure.root.header.clone()], name, &needle)
        }
        "body" => matches_body(raw, &structure, &needle),
        "text" => matches_text(raw, &structure, &needle),
        "not" => return fits(raw, rest).map(|fits| !fits),
        _ => return None,
    })
}

/// RFC 9051 §6.4.4.
#[test]
fn searches_find_what_imaptest_says() {
    for (name, count) in [("search-addresses", 28), ("search-body", 12), ("search-header", 14), ("nil", 2)] {
        let Some(folder) = suites::folder("imaptest") else { return };
        let messages = suites::mbox(&folder.join(format!("{name}.mbox")));
        let script = std::fs::read_to_string(folder.join(name)).unwrap();
        let lines: Vec<&str> = script.lines().collect();
        let mut checked = 0;
        for pair in lines.windows(2) {
            let (Some(keys), Some(found)) = (pair[0].strip_prefix("ok search "), pair[1].strip_prefix("* search"))
            else {
                continue;
            };
            let Some(all) = messages.iter().map(|raw| fits(raw, keys)).collect::<Option<Vec<_>>>() else { continue };
            let numbers: Vec<String> =
                (1..).zip(&all).filter(|(_, fits)| **fits).map(|(number, _): (u32, _)| number.to_string()).collect();
            assert_eq!(numbers.join(" "), found.trim(), "{name}: {keys}");
            checked += 1;
        }
        assert!(checked >= count, "{name}: {checked}");
    }
}
