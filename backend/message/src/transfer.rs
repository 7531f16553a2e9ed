//! Content-Transfer-Encodings (RFC 2045 §6), decoded so that nothing is ever refused.

use std::borrow::Cow;

/// RFC 2045 §6.7. Blanks before a line end go (rule 3), a bad escape stays as it stands.
pub(crate) fn quoted_printable(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'=', text).is_none() && !has_trailing_blanks(text) {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&octet| octet == b'\n') {
        let content = line.trim_ascii_end();
        let (content, is_soft) = content.strip_suffix(b"=").map_or((content, false), |before| (before, true));
        escapes(content, b'=', &mut plain);
        if !is_soft {
            let content_end =
                if line.ends_with(b"\r\n") { line.len() - 2 } else { line.len() - usize::from(line.ends_with(b"\n")) };
            plain.extend_from_slice(line.get(content_end..).unwrap_or_default());
        }
    }
    Cow::Owned(plain)
}

fn has_trailing_blanks(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', text).chain([text.len()]).any(|end| {
        let line = text.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        matches!(line.last(), Some(b' ' | b'\t'))
    })
}

/// Replaces `mark` and two hexadecimal digits by their octet.
pub(crate) fn escapes(text: &[u8], mark: u8, plain: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(mark, rest) {
        let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        plain.extend_from_slice(before);
        if let [_, high, low, after @ ..] = behind
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            plain.push(high << 4 | low);
            rest = after;
        } else {
            plain.push(mark);
            rest = behind.get(1..).unwrap_or_default();
        }
    }
    plain.extend_from_slice(rest);
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// RFC 2045 §6.8. What is no digit is skipped; padding ends a group, and another may follow.
pub(crate) fn base64(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut digits) = (0_u32, 0);
    for &octet in text {
        let digit = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                flush(bits, digits, &mut plain);
                (bits, digits) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(digit);
        digits += 1;
        if digits == 4 {
            flush(bits, digits, &mut plain);
            (bits, digits) = (0, 0);
        }
    }
    flush(bits, digits, &mut plain);
    plain
}

/// The whole octets in `digits` base64 digits.
fn flush(bits: u32, digits: u32, plain: &mut Vec<u8>) {
    let [_, one, two, three] = (bits << (24 - 6 * digits.min(4))).to_be_bytes();
    match digits {
        4 => plain.extend([one, two, three]),
        3 => plain.extend([one, two]),
        2 => plain.push(one),
        _ => {}
    }
}

/// RFC 2045 §6.8, on one line.
pub(crate) fn to_base64(plain: &[u8]) -> String {
    data_encoding::BASE64.encode(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2045 §6.7, §6.8.
    #[test]
    fn encodings_are_removed() {
        for (text, plain) in [
            ("a=3Db=\r\nc =\t\r\nd \r\n", "a=bc d\r\n"),
            ("a=\r\n", "a"),
            ("=zz =4", "=zz =4"),
            ("plain\r\n", "plain\r\n"),
            ("a \nb=", "a\nb"),
        ] {
            assert_eq!(String::from_utf8_lossy(&quoted_printable(text.as_bytes())), plain, "{text:?}");
        }
        for (text, plain) in [
            ("aGVs\r\nbG8=", "hello"),
            ("aGVsbG8", "hello"),
            (" aG Vs-bG8=aGk=", "hellohi"),
            ("", ""),
            ("a", ""),
            ("====", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&base64(text.as_bytes())), plain, "{text:?}");
        }
    }
}
