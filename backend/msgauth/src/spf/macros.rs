//! The macros of SPF's domain-specs and explanations (RFC 7208 §7).

use std::fmt::Write as _;
use std::net::IpAddr;

use relais_model::Timestamp;

/// Octets that a macro string may grow to; names are cut to 253, explanations may be longer.
const MOST_OCTETS: usize = 4096;

/// What macros are filled with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filling<'a> {
    /// Whose mail it is.
    pub(super) address: IpAddr,
    /// The domain whose record is read.
    pub(super) domain: &'a str,
    /// The local part of the sender; `postmaster` where it has none (§4.3).
    pub(super) local_part: &'a str,
    /// The sender's domain.
    pub(super) sender_domain: &'a str,
    /// What the client calls itself.
    pub(super) helo: &'a str,
    /// The validated name of the address, or `unknown` (§7.3).
    pub(super) validated: &'a str,
    /// Who we are, and when: for explanations alone.
    pub(super) receiver: Option<(&'a str, Timestamp)>,
}

/// RFC 7208 §7.1: visible ASCII; after `%` one of `%`, `_`, `-`, or a macro in braces.
pub(super) fn is_macro_string(text: &str) -> bool {
    pieces(text).all(|piece| piece.is_some())
}

/// Whether it may stand for a name: no macro in it that belongs to explanations alone (§7.2).
pub(super) fn is_name_string(text: &str) -> bool {
    pieces(text).all(|piece| match piece {
        Some(Piece::Macro(the_macro)) => !matches!(the_macro.letter, 'c' | 'r' | 't'),
        Some(Piece::Plain(_)) => true,
        None => false,
    })
}

/// Whether the validated name is asked for, which costs look-ups.
pub(super) fn needs_validated(text: &str) -> bool {
    let has_one = |word| pieces(word).any(|piece| matches!(piece, Some(Piece::Macro(Macro { letter: 'p', .. }))));
    text.split(' ').any(has_one)
}

/// The name that a domain-spec means; none where it holds a macro that belongs to explanations alone. Longer names lose labels on their left (§7.3).
pub(super) fn expand_name(spec: &str, filling: Filling<'_>) -> Option<String> {
    let filling = Filling { receiver: None, ..filling };
    let mut name = expand(spec, filling)?;
    if let Some(bare) = name.strip_suffix('.') {
        name.truncate(bare.len());
    }
    while name.len() > 253 {
        name = name.split_once('.')?.1.to_owned();
    }
    Some(name)
}

/// The text that an explanation means (§6.2): words with spaces between them.
pub(super) fn expand_text(text: &str, filling: Filling<'_>) -> Option<String> {
    let words: Option<Vec<String>> = text.split(' ').map(|word| expand(word, filling)).collect();
    words.map(|words| words.join(" "))
}

fn expand(spec: &str, filling: Filling<'_>) -> Option<String> {
    let mut text = String::new();
    for piece in pieces(spec) {
        match piece? {
            Piece::Plain(letter) => text.push(letter),
            Piece::Macro(the_macro) => text.push_str(&the_macro.fill(filling)?),
        }
        if text.len() > MOST_OCTETS {
            return None;
        }
    }
    Some(text)
}

enum Piece {
    Plain(char),
    Macro(Macro),
}

struct Macro {
    /// In lower case.
    letter: char,
    /// It was written in upper case: what isn't unreserved in a URL is escaped.
    is_escaped: bool,
    /// Labels kept, from the right; none: all.
    kept: Option<usize>,
    is_reversed: bool,
    delimiters: String,
}

/// The pieces of a macro string; none for a fault, after which nothing follows.
fn pieces(text: &str) -> impl Iterator<Item = Option<Piece>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let letter = rest.chars().next()?;
        let (piece, left) = match letter {
            '%' => after_percent(rest.get(1..)?).map_or((None, ""), |(piece, left)| (Some(piece), left)),
            '\u{21}'..='\u{7e}' => (Some(Piece::Plain(letter)), rest.get(1..)?),
            _ => (None, ""),
        };
        rest = left;
        Some(piece)
    })
}

fn after_percent(text: &str) -> Option<(Piece, &str)> {
    match text.chars().next()? {
        '%' => Some((Piece::Plain('%'), text.get(1..)?)),
        '_' => Some((Piece::Plain(' '), text.get(1..)?)),
        '-' => Some((Piece::Macro(Macro::space()), text.get(1..)?)),
        '{' => {
            let (inside, left) = text.get(1..)?.split_once('}')?;
            Some((Piece::Macro(Macro::parse(inside)?), left))
        }
        _ => None,
    }
}

impl Macro {
    /// `%-`: a space in URLs.
    const fn space() -> Self {
        Self { letter: '-', is_escaped: false, kept: None, is_reversed: false, delimiters: String::new() }
    }

    fn parse(inside: &str) -> Option<Self> {
        let letter = inside.chars().next()?;
        let is_escaped = letter.is_ascii_uppercase();
        let letter = letter.to_ascii_lowercase();
        if !matches!(letter, 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'c' | 'r' | 't' | 'v') {
            return None;
        }
        let rest = inside.get(1..)?;
        let digits_end = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, rest) = rest.split_at_checked(digits_end)?;
        // RFC 7208 §7.1: "The DIGIT must be nonzero"; one too large for us keeps all.
        let kept = match digits.trim_start_matches('0') {
            "" if digits.is_empty() => None,
            "" => return None,
            digits => Some(digits.parse().unwrap_or(usize::MAX)),
        };
        let (is_reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let is_good = delimiters.chars().all(|letter| matches!(letter, '.' | '-' | '+' | ',' | '/' | '_' | '='));
        is_good.then(|| Self { letter, is_escaped, kept, is_reversed, delimiters: delimiters.to_owned() })
    }

    fn fill(&self, filling: Filling<'_>) -> Option<String> {
        let value = match self.letter {
            '-' => return Some("%20".to_owned()),
            's' => format!("{}@{}", filling.local_part, filling.sender_domain),
            'l' => filling.local_part.to_owned(),
            'o' => filling.sender_domain.to_owned(),
            'd' => filling.domain.to_owned(),
            'i' => dotted(filling.address),
            'p' => filling.validated.to_owned(),
            'h' => filling.helo.to_owned(),
            'v' => if filling.address.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            'c' => filling.receiver.map(|_| filling.address.to_string())?,
            'r' => filling.receiver.map(|(host, _)| host.to_owned())?,
            't' => filling.receiver.map(|(_, now)| now.seconds().to_string())?,
            _ => return None,
        };
        let delimiters = if self.delimiters.is_empty() { "." } else { &self.delimiters };
        let mut parts: Vec<&str> = value.split(|letter| delimiters.contains(letter)).collect();
        if self.is_reversed {
            parts.reverse();
        }
        let left_out = self.kept.map_or(0, |kept| parts.len().saturating_sub(kept));
        let filled = parts.split_off(left_out).join(".");
        Some(if self.is_escaped { escaped(&filled) } else { filled })
    }
}

/// RFC 7208 §7.3: percent-encoded but for RFC 3986's unreserved characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(octet));
        } else {
            _ = write!(out, "%{octet:02X}");
        }
    }
    out
}

/// RFC 7208 §7.3: an IPv6 address is its nibbles.
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let nibbles: Vec<String> = format!("{:032x}", v6.to_bits()).chars().map(String::from).collect();
            nibbles.join(".")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(spec: &str, address: &str, expected: Option<&str>) {
        let filling = Filling {
            address: address.parse().unwrap(),
            domain: "email.example.com",
            local_part: "strong-bad",
            sender_domain: "email.example.com",
            helo: "mx.example.org",
            validated: "mx.example.org",
            receiver: None,
        };
        assert_eq!(expand_name(spec, filling).as_deref(), expected, "{spec}");
    }

    /// RFC 7208 §7.4.
    #[test]
    fn the_rfcs_own_examples() {
        let check = |spec: &str, expected: &str| check(spec, "192.0.2.3", Some(expected));
        check("%{s}", "strong-bad@email.example.com");
        check("%{o}", "email.example.com");
        check("%{d}", "email.example.com");
        check("%{d4}", "email.example.com");
        check("%{d3}", "email.example.com");
        check("%{d2}", "example.com");
        check("%{d1}", "com");
        check("%{dr}", "com.example.email");
        check("%{d2r}", "example.email");
        check("%{l}", "strong-bad");
        check("%{l-}", "strong.bad");
        check("%{lr}", "strong-bad");
        check("%{lr-}", "bad.strong");
        check("%{l1r-}", "strong");
        check("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com");
        check("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com");
        check("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com");
        check("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com");
        check("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net");
    }

    #[test]
    fn addresses_of_both_families_and_faults() {
        check(
            "%{ir}.%{v}._spf.%{d2}",
            "2001:db8::cb01",
            Some("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"),
        );
        check("%{S}", "192.0.2.3", Some("strong-bad%40email.example.com"));
        for spec in ["%{c}", "%{q}", "%", "%{d", "%{d0}", "%{d!}", "a b"] {
            check(spec, "192.0.2.3", None);
        }
        check(&format!("{}.end", "%{s}".repeat(300)), "192.0.2.3", None);
    }
}
