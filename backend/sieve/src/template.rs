//! Strings that hold variables and encoded characters (RFC 5228 §2.4.2.4, RFC 5229 §3).

use crate::fault::Problem;
use crate::limit;
use crate::program::{Piece, Template};

/// RFC 5228 §2.4.2.4: `${hex: …}` and `${unicode: …}`; what isn't of that form stays.
pub(crate) fn decode(text: &str) -> Result<String, Problem> {
    if !text.contains("${") {
        return Ok(text.to_owned());
    }
    let mut octets: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${") {
        octets.extend_from_slice(before.as_bytes());
        if let Some((word, behind)) = word(inside)
            && let Some(decoded) = encoded(word)?
        {
            octets.extend_from_slice(&decoded);
            rest = behind;
        } else {
            octets.extend_from_slice(b"${");
            rest = inside;
        }
    }
    octets.extend_from_slice(rest.as_bytes());
    // Octets that are no UTF-8 can't equal anything that a decoded header holds.
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// What stands before the `}`, and behind it; none where another `$` comes first, so that time stays linear.
fn word(inside: &str) -> Option<(&str, &str)> {
    let (word, behind) = inside.split_at_checked(inside.find(['}', '$'])?)?;
    Some((word, behind.strip_prefix('}')?))
}

/// What stands between `${` and `}`.
fn encoded(word: &str) -> Result<Option<Vec<u8>>, Problem> {
    let Some((kind, digits)) = word.split_once(':') else { return Ok(None) };
    let numbers: Vec<&str> = digits.split([' ', '\t', '\r', '\n']).filter(|number| !number.is_empty()).collect();
    let is_hex = |number: &&str| number.bytes().all(|octet| octet.is_ascii_hexdigit());
    if numbers.is_empty() || !numbers.iter().all(is_hex) {
        return Ok(None);
    }
    if kind.eq_ignore_ascii_case("hex") {
        return Ok(numbers.iter().map(|number| u8::from_str_radix(number, 16).ok()).collect());
    }
    if !kind.eq_ignore_ascii_case("unicode") {
        return Ok(None);
    }
    let mut text = String::new();
    for number in numbers {
        let character = u32::from_str_radix(number, 16).ok().and_then(char::from_u32);
        let wrong = || Problem::Value { value: format!("${{{word}}}"), kind: "character" };
        text.push(character.ok_or_else(wrong)?);
    }
    Ok(Some(text.into_bytes()))
}

/// What a name in `${…}` is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Matched(usize),
    /// In small letters.
    Plain(String),
    /// A namespace and the rest.
    Spaced(String, String),
}

/// Reads a variable's name (RFC 5229 §3): none where it is no name.
pub(crate) fn name(text: &str) -> Option<Named> {
    if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit()) {
        return text.parse().ok().map(Named::Matched);
    }
    let mut words = text.split('.');
    let is_name = |word: &str| {
        !word.is_empty()
            && word.len() <= limit::NAME_OCTETS
            && word.bytes().all(|octet| octet == b'_' || octet.is_ascii_alphanumeric())
            && !word.starts_with(|first: char| first.is_ascii_digit())
    };
    let first = words.next().filter(|word| is_name(word))?;
    match text.split_once('.') {
        None => Some(Named::Plain(first.to_ascii_lowercase())),
        // RFC 5229 §3: behind the namespace numbers may stand, too.
        Some((space, rest))
            if words.all(|word| {
                is_name(word) || (!word.is_empty() && word.bytes().all(|octet| octet.is_ascii_digit()))
            }) =>
        {
            Some(Named::Spaced(space.to_ascii_lowercase(), rest.to_ascii_lowercase()))
        }
        Some(_) => None,
    }
}

/// Parts a string at its variables. `resolve` says what a name is here.
pub(crate) fn parse(text: &str, mut resolve: impl FnMut(Named) -> Result<Piece, Problem>) -> Result<Template, Problem> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${") {
        plain.push_str(before);
        if let Some((named, behind)) = word(inside).and_then(|(word, behind)| Some((name(word)?, behind))) {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(resolve(named)?);
            rest = behind;
        } else {
            plain.push_str("${");
            rest = inside;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    Ok(Template(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5228 §2.4.2.4's own examples.
    #[test]
    fn encoded_characters_are_decoded() {
        for (text, expected) in [
            ("$${hex:40}", "$@"),
            ("${hex: 40 }", "@"),
            ("${HEX: 40}", "@"),
            ("${hex:40", "${hex:40"),
            ("${hex:400}", "${hex:400}"),
            ("${hex:4${hex:30}}", "${hex:40}"),
            ("${unicode:40}", "@"),
            ("${ unicode:40}", "${ unicode:40}"),
            ("${UNICODE:40}", "@"),
            ("${UnICoDE:0000040}", "@"),
            ("${Unicode:40}", "@"),
            ("${Unicode:Cool}", "${Unicode:Cool}"),
            ("${hex:c3 a9}", "é"),
        ] {
            assert_eq!(decode(text).unwrap(), expected, "{text}");
        }
        for bad in ["${unicode:200000}", "${Unicode:DF01}"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_read() {
        assert_eq!(name("Company"), Some(Named::Plain("company".into())));
        assert_eq!(name("01"), Some(Named::Matched(1)));
        assert_eq!(name("global.X"), Some(Named::Spaced("global".into(), "x".into())));
        for bad in ["", "a-b", "1a", "a.", ".a", "Президент", "a b"] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }
}
