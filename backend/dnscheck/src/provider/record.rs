//! Record sets, and their values as zone files write them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A TXT record is made of strings of at most so many octets (RFC 1035 §3.3).
const STRING_OCTETS: usize = 255;

/// What a provider keeps with one value besides the DNS's own: a flag, a comment.
pub type Attributes = Map<String, Value>;

/// Set where a provider answers with addresses of its own instead of the record's (Cloudflare's proxy), which no mail gets through.
pub(crate) const PROXIED: &str = "proxied";

/// The TTL of a value whose record has another than its set; of a set as a whole: null where it has the zone's.
pub(crate) const TTL: &str = "ttl";

/// Where attributes of a set as a whole stand: no value is empty.
pub(crate) const OF_SET: &str = "";

/// All records of one kind at one name (RFC 2181 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSet {
    /// The whole name, A-labels in lower case, without the last dot.
    pub name: String,
    /// In capitals: `TXT`.
    pub kind: String,
    /// Seconds.
    pub ttl: u32,
    /// In presentation format (RFC 1035 §5.1), names in them whole and with the last dot: `10 mail.example.org.`, `"v=spf1 -all"`.
    /// Sorted, none twice.
    pub values: Vec<String>,
    /// What the provider keeps with a value and would be lost if only the value were put back; with the set as a whole under the
    /// empty value. Empty in what we wish for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attributes>,
}

impl RecordSet {
    /// Values are brought into one form, so that the same value reads the same from every provider.
    pub fn new<V: AsRef<str>>(name: &str, kind: &str, ttl: u32, values: impl IntoIterator<Item = V>) -> Self {
        let kind = kind.to_ascii_uppercase();
        let values: BTreeSet<String> = values.into_iter().map(|value| canonical(&kind, value.as_ref())).collect();
        Self { name: bare(name), kind, ttl, values: values.into_iter().collect(), attributes: BTreeMap::new() }
    }

    /// What tells one set from another.
    pub fn key(&self) -> SetKey {
        (self.name.clone(), self.kind.clone())
    }

    /// The value of this set that means what `value` means: a TXT's text may be cut in other places.
    pub(crate) fn equal_of(&self, value: &str) -> Option<&String> {
        let meaning = meaning(&self.kind, value);
        self.values.iter().find(|own| meaning_of(own, &self.kind) == meaning)
    }

    /// Whether both say the same, however their texts are cut and whatever their TTLs are.
    pub(crate) fn says_as(&self, other: &Self) -> bool {
        self.values.len() == other.values.len() && other.values.iter().all(|value| self.equal_of(value).is_some())
    }

    /// Whether the provider hides a value behind an address of its own.
    pub(crate) fn is_proxied(&self) -> bool {
        self.attributes.values().any(|kept| kept.get(PROXIED) == Some(&Value::Bool(true)))
    }
}

/// A set's name and kind.
pub type SetKey = (String, String);

/// A name in lower case, without the last dot.
pub fn bare(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The whole name of `label` (`@` or nothing: the zone itself) in `zone`, without the last dot.
pub(crate) fn absolute(label: &str, zone: &str) -> String {
    if label.is_empty() || label == "@" { zone.to_owned() } else { format!("{}.{zone}", label.to_ascii_lowercase()) }
}

/// What stands before the zone in a name of it; nothing for the zone itself, and for a name outside.
pub(crate) fn relative<'a>(name: &'a str, zone: &str) -> &'a str {
    name.strip_suffix(zone).and_then(|rest| rest.strip_suffix('.')).unwrap_or_default()
}

/// As [`relative`], and `@` for the zone itself.
pub(crate) fn label<'a>(name: &'a str, zone: &str) -> &'a str {
    match relative(name, zone) {
        "" => "@",
        label => label,
    }
}

/// Whether `name` is `zone` or below it.
pub(crate) fn is_within(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

/// A text as a TXT record's value: in strings of 255 octets, each in quotes.
pub fn txt(text: &[u8]) -> String {
    if text.is_empty() {
        return "\"\"".to_owned();
    }
    text.chunks(STRING_OCTETS).map(quote).collect::<Vec<_>>().join(" ")
}

/// The text of a TXT record's value, its strings joined.
pub fn txt_octets(value: &str) -> Vec<u8> {
    strings(value).concat()
}

/// A value in the one form that we compare. What cannot be read is left as it is: the provider will say what it thinks of it.
pub(crate) fn canonical(kind: &str, value: &str) -> String {
    let value = value.trim();
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    match (kind, words.as_slice()) {
        ("A", [address]) => address.parse::<Ipv4Addr>().map_or_else(|_| value.to_owned(), |known| known.to_string()),
        ("AAAA", [address]) => address.parse::<Ipv6Addr>().map_or_else(|_| value.to_owned(), |known| known.to_string()),
        ("CNAME" | "NS" | "PTR", [target]) => dotted(target),
        ("MX", [preference, host]) => format!("{preference} {}", dotted(host)),
        ("SRV", [priority, weight, port, host]) => format!("{priority} {weight} {port} {}", dotted(host)),
        ("TLSA", [usage, selector, matching, digest @ ..]) if !digest.is_empty() => {
            format!("{usage} {selector} {matching} {}", digest.concat().to_ascii_lowercase())
        }
        ("CAA", [flags, tag, ..]) => {
            let rest = value.splitn(3, |letter: char| letter.is_ascii_whitespace()).nth(2).unwrap_or_default();
            format!("{flags} {tag} {}", quote(&txt_octets(rest)))
        }
        ("TXT", _) => strings(value).iter().map(|string| quote(string)).collect::<Vec<_>>().join(" "),
        _ => value.to_owned(),
    }
}

/// A value as a zone file of `zone` means it: a name in it without a last dot ends with the zone's (RFC 1035 §5.1).
pub(crate) fn absolute_value(kind: &str, value: &str, zone: &str) -> String {
    let has_name = matches!(kind, "CNAME" | "NS" | "PTR" | "MX" | "SRV");
    let (head, name) = value.trim().rsplit_once([' ', '\t']).unwrap_or(("", value.trim()));
    match name {
        _ if !has_name || name.ends_with('.') => value.to_owned(),
        "@" => format!("{head} {zone}.").trim().to_owned(),
        relative => format!("{head} {relative}.{zone}.").trim().to_owned(),
    }
}

/// A name in lower case with its last dot.
pub(crate) fn dotted(name: &str) -> String {
    format!("{}.", bare(name))
}

/// What a value says, whatever its form.
fn meaning(kind: &str, value: &str) -> String {
    let value = canonical(kind, value);
    meaning_of(&value, kind)
}

fn meaning_of(canonical: &str, kind: &str) -> String {
    if kind == "TXT" { txt(&txt_octets(canonical)) } else { canonical.to_owned() }
}

/// A character-string in quotes (RFC 1035 §5.1).
fn quote(octets: &[u8]) -> String {
    let mut quoted = String::with_capacity(octets.len() + 2);
    quoted.push('"');
    for octet in octets {
        match octet {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(*octet));
            }
            b' '..=b'~' => quoted.push(char::from(*octet)),
            other => {
                // Writing to a String has no error.
                let _ = write!(quoted, "\\{other:03}");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// The character-strings of a value (RFC 1035 §5.1): in quotes, or words between blanks. An open quote ends with the value.
pub(crate) fn strings(value: &str) -> Vec<Vec<u8>> {
    let mut octets = value.bytes().peekable();
    let mut found = Vec::new();
    loop {
        while octets.next_if(u8::is_ascii_whitespace).is_some() {}
        let is_quoted = match octets.peek() {
            None => return found,
            Some(b'"') => octets.next().is_some(),
            Some(_) => false,
        };
        let mut string = Vec::new();
        while let Some(octet) = octets.next_if(|octet| is_quoted || !octet.is_ascii_whitespace()) {
            match octet {
                b'"' if is_quoted => break,
                b'\\' => string.push(escaped(&mut octets)),
                plain => string.push(plain),
            }
        }
        found.push(string);
    }
}

/// What follows a backslash: three digits, or the character itself.
fn escaped(octets: &mut std::iter::Peekable<std::str::Bytes<'_>>) -> u8 {
    let mut number = 0u16;
    for place in 0..3 {
        match octets.next_if(u8::is_ascii_digit) {
            Some(digit) => number = number * 10 + u16::from(digit - b'0'),
            None if place == 0 => return octets.next().unwrap_or(b'\\'),
            None => break,
        }
    }
    u8::try_from(number).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(kind: &str, value: &str, expected: &str) {
        assert_eq!(canonical(kind, value), expected, "{kind} {value}");
        assert_eq!(canonical(kind, expected), expected, "{kind}: the form is its own");
    }

    /// RFC 1035 §5.1.
    #[test]
    fn a_value_has_one_form() {
        check("A", " 192.0.2.1 ", "192.0.2.1");
        check("AAAA", "2001:DB8:0:0::1", "2001:db8::1");
        check("MX", "10  Mail.Example.ORG", "10 mail.example.org.");
        check("SRV", "0 1 465 mail.example.org.", "0 1 465 mail.example.org.");
        check("CNAME", "Elsewhere.example", "elsewhere.example.");
        check("TLSA", "3 1 1 AB cd", "3 1 1 abcd");
        check("CAA", "0 issue letsencrypt.org", "0 issue \"letsencrypt.org\"");
        check(
            "CAA",
            "0 issue \"ca.example; validationmethods=dns-01\"",
            "0 issue \"ca.example; validationmethods=dns-01\"",
        );
        check("TXT", "v=spf1", "\"v=spf1\"");
        check("TXT", r#""a\"b" "c\\d" "\233x""#, r#""a\"b" "c\\d" "\233x""#);
        check("TXT", "\"open", "\"open\"");
        check("HINFO", "x  y", "x  y");
    }

    #[test]
    fn a_long_text_means_the_same_however_it_is_cut() {
        let text = "k".repeat(300);
        let set = RecordSet::new("x.example", "TXT", 60, [format!("\"{}\" \"{}\"", &text[..100], &text[100..])]);
        assert!(set.equal_of(&txt(text.as_bytes())).is_some());
        assert_eq!(txt_octets(&set.values[0]), text.as_bytes());
        assert!(txt(text.as_bytes()).starts_with(&format!("\"{}\" \"", "k".repeat(255))));
    }

    #[test]
    fn names_are_whole_or_cut_at_the_zone() {
        assert_eq!(absolute("@", "example.org"), "example.org");
        assert_eq!(absolute("Mail", "example.org"), "mail.example.org");
        assert_eq!(relative("a.b.example.org", "example.org"), "a.b");
        assert_eq!(relative("example.org", "example.org"), "");
        assert_eq!((label("a.example.org", "example.org"), label("example.org", "example.org")), ("a", "@"));
        assert_eq!(absolute_value("MX", "10 mail", "example.org"), "10 mail.example.org.");
        assert_eq!(absolute_value("CNAME", "@", "example.org"), "example.org.");
        assert_eq!(absolute_value("MX", "10 mail.", "example.org"), "10 mail.");
        assert_eq!(absolute_value("TXT", "mail", "example.org"), "mail");
        assert!(is_within("a.example.org", "example.org") && !is_within("badexample.org", "example.org"));
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in proptest::collection::vec(any::<u8>(), 0..700)) {
            prop_assert_eq!(txt_octets(&txt(&text)), text);
        }

        #[test]
        fn no_value_makes_it_fail(kind in "A|AAAA|MX|TXT|CAA|TLSA|SRV", value in "\\PC{0,40}") {
            let once = canonical(&kind, &value);
            prop_assert_eq!(canonical(&kind, &once), once);
        }
    }
}
