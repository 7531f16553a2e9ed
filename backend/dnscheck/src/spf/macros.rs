//! The macros of SPF's domain-specs (RFC 7208 §7).

use std::net::IpAddr;

use relais_model::Domain;

/// What macros are filled with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filling<'a> {
    /// Whose mail it is.
    pub(super) address: IpAddr,
    /// The domain whose record is read.
    pub(super) domain: &'a str,
    /// The domain of MAIL FROM; its local part is taken to be `postmaster` (RFC 7208 §4.3).
    pub(super) sender: &'a Domain,
    /// What the client calls itself.
    pub(super) helo: &'a Domain,
}

/// The name that a domain-spec means; none where it holds a macro that belongs to explanations alone. Longer names lose labels on their left (RFC 7208 §7.3).
pub(super) fn expand(spec: &str, filling: Filling<'_>) -> Option<String> {
    let mut name = String::new();
    for piece in pieces(spec) {
        match piece? {
            Piece::Plain(letter) => name.push(letter),
            Piece::Macro(the_macro) => name.push_str(&the_macro.fill(filling)?),
        }
    }
    while name.len() > 253 {
        name = name.split_once('.')?.1.to_owned();
    }
    Some(name)
}

enum Piece {
    Plain(char),
    Macro(Macro),
}

struct Macro {
    letter: char,
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
        Self { letter: '-', kept: None, is_reversed: false, delimiters: String::new() }
    }

    fn parse(inside: &str) -> Option<Self> {
        let letter = inside.chars().next()?.to_ascii_lowercase();
        if !matches!(letter, 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'c' | 'r' | 't' | 'v') {
            return None;
        }
        let rest = inside.get(1..)?;
        let digits_end = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, rest) = rest.split_at_checked(digits_end)?;
        let kept =
            if digits.is_empty() { None } else { Some(digits.parse().ok().filter(|kept| *kept > 0 && *kept < 128)?) };
        let (is_reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let is_good = delimiters.chars().all(|letter| matches!(letter, '.' | '-' | '+' | ',' | '/' | '_' | '='));
        is_good.then(|| Self { letter, kept, is_reversed, delimiters: delimiters.to_owned() })
    }

    fn fill(&self, filling: Filling<'_>) -> Option<String> {
        let value = match self.letter {
            '-' => return Some("%20".to_owned()),
            's' => format!("postmaster@{}", filling.sender),
            'l' => "postmaster".to_owned(),
            'o' => filling.sender.to_string(),
            'd' => filling.domain.to_owned(),
            'i' => dotted(filling.address),
            // RFC 7208 §7.2: "should not be used", and "unknown" may stand for it.
            'p' => "unknown".to_owned(),
            'h' => filling.helo.to_string(),
            'v' => if filling.address.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            _ => return None,
        };
        let delimiters = if self.delimiters.is_empty() { "." } else { &self.delimiters };
        let mut parts: Vec<&str> = value.split(|letter| delimiters.contains(letter)).collect();
        if self.is_reversed {
            parts.reverse();
        }
        let left_out = self.kept.map_or(0, |kept| parts.len().saturating_sub(kept));
        Some(parts.split_off(left_out).join("."))
    }
}

/// RFC 7208 §7.3: an IPv6 address is its nibbles.
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(_) => {
            let reversed = crate::record::reversed(address);
            reversed.split('.').rev().collect::<Vec<_>>().join(".")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(spec: &str, address: &str, expected: Option<&str>) {
        let (sender, helo) = (Domain::parse("email.example.com").unwrap(), Domain::parse("mx.example.org").unwrap());
        let filling =
            Filling { address: address.parse().unwrap(), domain: "email.example.com", sender: &sender, helo: &helo };
        assert_eq!(expand(spec, filling).as_deref(), expected, "{spec}");
    }

    /// RFC 7208 §7.4, with `postmaster` as the local part.
    #[test]
    fn the_rfcs_own_examples() {
        let check = |spec: &str, expected: &str| check(spec, "192.0.2.3", Some(expected));
        check("%{s}", "postmaster@email.example.com");
        check("%{o}", "email.example.com");
        check("%{d4}", "email.example.com");
        check("%{d2}", "example.com");
        check("%{d1}", "com");
        check("%{dr}", "com.example.email");
        check("%{d2r}", "example.email");
        check("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com");
        check("%{lr-}.lp._spf.%{d2}", "postmaster.lp._spf.example.com");
        check("%{h}.%%%_%-", "mx.example.org.% %20");
    }

    #[test]
    fn addresses_of_both_families_and_faults() {
        let nibbles = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2";
        check(
            "%{ir}.%{v}._spf.%{d2}",
            "2001:db8::cb01",
            Some(&format!(
                "{}.ip6._spf.example.com",
                nibbles.replace("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8")
            )),
        );
        for spec in ["%{c}", "%{q}", "%", "%{d", "%{d0}", "%{d!}", "a b"] {
            check(spec, "192.0.2.3", None);
        }
        let long = format!("%{{d}}.{}end", "abcdefghi.".repeat(30));
        let (sender, helo) = (Domain::parse("d.example").unwrap(), Domain::parse("h.example").unwrap());
        let filling =
            Filling { address: "192.0.2.3".parse().unwrap(), domain: "d.example", sender: &sender, helo: &helo };
        assert!(expand(&long, filling).is_some_and(|name| name.len() <= 253 && name.rsplit('.').next() == Some("end")));
    }
}
