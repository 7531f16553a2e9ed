//! base64 (RFC 4648 §4), as SASL needs it.

/// Decodes; none where it isn't base64 with its padding.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, []) = text.as_chunks::<4>() else { return None };
    let mut octets = Vec::with_capacity(groups.len() * 3);
    for (at, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|octet| **octet == b'=').count();
        if padding > 2 || (padding > 0 && at + 1 < groups.len()) {
            return None;
        }
        let sextets = group.iter().take(4 - padding);
        let bits = sextets.map(|octet| sextet(*octet)).try_fold(0u32, |bits, value| Some(bits << 6 | value?))?;
        let [_, first, second, third] = (bits << (6 * padding)).to_be_bytes();
        octets.extend([first, second, third].into_iter().take(3 - padding));
    }
    Some(octets)
}

fn sextet(octet: u8) -> Option<u32> {
    Some(u32::from(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(decode(text.as_bytes()).as_deref(), expected.map(str::as_bytes), "{text}");
    }

    /// RFC 4648 §10.
    #[test]
    fn test_vectors() {
        check("", Some(""));
        check("Zg==", Some("f"));
        check("Zm8=", Some("fo"));
        check("Zm9v", Some("foo"));
        check("Zm9vYmFy", Some("foobar"));
        check("Zg=", None);
        check("Zg", None);
        check("Z===", None);
        check("Zg==Zg==", None);
        check("Z g=", None);
    }
}
