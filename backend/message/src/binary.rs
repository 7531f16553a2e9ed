//! Binary parts (RFC 3030, RFC 3516) rewritten for where only text goes.

use std::ops::Range;

use crate::header::fields;
use crate::structure::{Content, Encoding, Part, Structure};
use crate::transfer::to_base64;

/// Octets of a base64 line before encoding: 76 letters (RFC 2045 §6.8).
const LINE_OCTETS: usize = 57;

/// The message with base64 in place of each part that says `Content-Transfer-Encoding: binary` and holds NUL; none where there
/// is no such part. BODY\[…\] cannot tell NUL (RFC 9051 §9, `CHAR8`), BINARY\[…\] gives the same octets before and after.
pub fn without_binary(raw: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(0, raw)?;
    let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    Structure::read(raw).root.walk(&mut |part| edits.extend(edits_of(raw, part).into_iter().flatten()));
    if edits.is_empty() {
        return None;
    }
    let mut text = Vec::with_capacity(raw.len() + raw.len() / 2);
    let mut from = 0;
    for (range, replacement) in edits {
        text.extend_from_slice(raw.get(from..range.start).unwrap_or_default());
        text.extend_from_slice(&replacement);
        from = range.end;
    }
    text.extend_from_slice(raw.get(from..).unwrap_or_default());
    Some(text)
}

/// The field and the body of a part that must be encoded, each with what takes its place.
fn edits_of(raw: &[u8], part: &Part) -> Option<[(Range<usize>, Vec<u8>); 2]> {
    let body = raw.get(part.body.clone())?;
    let is_asked = part.content == Content::Leaf && part.encoding == Encoding::Identity;
    if !is_asked || memchr::memchr(0, body).is_none() {
        return None;
    }
    let mut start = part.header.start;
    for field in fields(raw.get(part.header.clone())?) {
        let range = start..start + field.raw.len();
        start = range.end;
        if field.is("Content-Transfer-Encoding") && field.unfolded().trim_ascii().eq_ignore_ascii_case(b"binary") {
            let encoded = body.chunks(LINE_OCTETS).map(to_base64).collect::<Vec<_>>().join("\r\n");
            let field = b"Content-Transfer-Encoding: base64\r\n".to_vec();
            return Some([(range, field), (part.body.clone(), encoded.into_bytes())]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::decode_part;

    #[test]
    fn binary_parts_become_base64_and_say_the_same() {
        let raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
            Content-Type: application/octet-stream\r\ncontent-transfer-encoding:\r\n BINARY \r\nX: y\r\n\r\n\0\xff\n\r\0\r\n--b--\r\n";
        let text = without_binary(raw).unwrap();
        assert!(!text.contains(&0), "{}", text.escape_ascii());
        for octets in [raw.as_slice(), &text] {
            let structure = Structure::read(octets);
            assert_eq!(decode_part(octets, structure.part(&[1]).unwrap()).unwrap(), b"text".as_slice());
            assert_eq!(decode_part(octets, structure.part(&[2]).unwrap()).unwrap(), b"\0\xff\n\r\0".as_slice());
        }
        let long = [b"Content-Transfer-Encoding: binary\r\n\r\n".as_slice(), &[0; 200]].concat();
        let text = without_binary(&long).unwrap();
        assert!(text.split(|octet| *octet == b'\n').all(|line| line.len() <= 77));
        assert_eq!(decode_part(&text, &Structure::read(&text).root).unwrap(), [0; 200].as_slice());
    }

    #[test]
    fn what_is_not_declared_or_has_no_nul_stays() {
        assert_eq!(without_binary(b"A: b\r\n\r\n\0"), None);
        assert_eq!(without_binary(b"Content-Transfer-Encoding: binary\r\n\r\n\xff\n"), None);
    }
}
