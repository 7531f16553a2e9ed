//! Strings (RFC 9051 §4.3).

use super::number;

/// Octets of a quoted string, at most; RFC 9051 names no limit, old clients have one.
const MAX_QUOTED_OCTETS: usize = 1000;

/// Writes a string: quoted where that is possible, else as a literal. 8-bit text is quoted only if `utf8` and if it is
/// UTF-8 (RFC 9051 §4.3, RFC 6855 §3).
pub fn write_string(out: &mut Vec<u8>, octets: &[u8], utf8: bool) {
    let is_plain = |octet: &u8| !matches!(octet, 0 | b'\r' | b'\n');
    let can_be_quoted = octets.len() <= MAX_QUOTED_OCTETS
        && octets.iter().all(is_plain)
        && (octets.is_ascii() || (utf8 && std::str::from_utf8(octets).is_ok()));
    if can_be_quoted {
        write_quoted(out, octets);
    } else {
        write_literal(out, octets);
    }
}

/// [`write_string`], or NIL.
pub fn write_nil_or_string(out: &mut Vec<u8>, octets: Option<&[u8]>, utf8: bool) {
    match octets {
        Some(octets) => write_string(out, octets, utf8),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Writes a quoted string; whoever calls knows that it can be one.
pub(super) fn write_quoted(out: &mut Vec<u8>, octets: &[u8]) {
    out.push(b'"');
    for octet in octets {
        if matches!(octet, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*octet);
    }
    out.push(b'"');
}

/// Writes a literal.
pub(super) fn write_literal(out: &mut Vec<u8>, octets: &[u8]) {
    announce(out, octets.len() as u64);
    out.extend_from_slice(octets);
}

/// Writes a literal's announcement; so many octets must follow.
pub(super) fn announce(out: &mut Vec<u8>, octets: u64) {
    out.push(b'{');
    number::write(out, octets);
    out.extend_from_slice(b"}\r\n");
}
