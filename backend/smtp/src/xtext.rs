//! The codings of DSN parameters: xtext (RFC 3461 §4) and utf-8-addr-xtext (RFC 6533 §3).

use std::fmt::Write as _;

/// Encodes as xtext: what is not printable ASCII, `+` and `=` become `+HH`.
pub(crate) fn encode(text: &str, out: &mut String) {
    for octet in text.bytes() {
        match octet {
            b'!'..=b'*' | b','..=b'<' | b'>'..=b'~' => out.push(char::from(octet)),
            other => {
                let _cannot_fail = write!(out, "+{other:02X}");
            }
        }
    }
}

/// Decodes xtext; none where it isn't xtext or hides no UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        match octet {
            b'+' => octets.push(upper_hex(rest.next()?)? << 4 | upper_hex(rest.next()?)?),
            b'!'..=b'<' | b'>'..=b'~' => octets.push(octet),
            _ => return None,
        }
    }
    String::from_utf8(octets).ok()
}

fn upper_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        // Deviates: RFC 3461 wants capitals; some clients write small ones.
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Encodes as utf-8-addr-xtext: pure ASCII, other characters as `\x{HEX}` (RFC 6533 §3).
pub(crate) fn encode_utf8_address(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '!'..='*' | ','..='<' | '>'..='[' | ']'..='~' => out.push(character),
            other => {
                let _cannot_fail = write!(out, "\\x{{{:02X}}}", u32::from(other));
            }
        }
    }
}

/// Decodes utf-8-addr-xtext and utf-8-addr-unitext (RFC 6533 §3).
pub(crate) fn decode_utf8_address(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at_checked(at)?;
        plain.push_str(before);
        let (digits, after) = escaped.strip_prefix("\\x{")?.split_once('}')?;
        if !(2..=6).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        plain.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3461 §4.
    #[test]
    fn xtext_goes_and_comes_back() {
        let mut coded = String::new();
        encode("a+b=c d", &mut coded);
        assert_eq!(coded, "a+2Bb+3Dc+20d");
        assert_eq!(decode(&coded).as_deref(), Some("a+b=c d"));
        for bad in ["a+", "a+2", "a+GG", "a=b", "a b", "+FF"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    /// RFC 6533 §3.
    #[test]
    fn utf8_addresses_go_and_come_back() {
        let mut coded = String::new();
        encode_utf8_address("j\u{f6}rg+x@example.org", &mut coded);
        assert_eq!(coded, "j\\x{F6}rg\\x{2B}x@example.org");
        assert_eq!(decode_utf8_address(&coded).as_deref(), Some("j\u{f6}rg+x@example.org"));
        for bad in ["\\", "\\x{}", "\\x{D800}", "\\x{F6", "\\x{+6}"] {
            assert_eq!(decode_utf8_address(bad), None, "{bad}");
        }
    }
}
