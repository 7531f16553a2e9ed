//! The PLAIN mechanism's one message (RFC 4616), in base64 (RFC 4648 §4).

use relais_model::Secret;

/// Who logs in, as whom, with what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    /// Absent where it was empty.
    pub(crate) authzid: Option<String>,
    pub(crate) authcid: String,
    pub(crate) password: Secret,
}

impl Plain {
    /// Takes `[authzid] NUL authcid NUL password` in base64.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let message = String::from_utf8(decode(text)?).ok()?;
        let mut parts = message.split('\0');
        let (act_as, authcid, password) = (parts.next()?, parts.next()?, parts.next()?);
        if authcid.is_empty() || password.is_empty() || parts.next().is_some() {
            return None;
        }
        Some(Self {
            authzid: (!act_as.is_empty()).then(|| act_as.to_owned()),
            authcid: authcid.to_owned(),
            password: Secret::new(password),
        })
    }
}

/// RFC 5034 §4: padding is asked for, and nothing outside the alphabet is allowed.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3);
    let (groups, rest) = text.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    for (at, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|octet| **octet == b'=').count();
        if padding > 2 || (padding > 0 && at + 1 != groups.len()) {
            return None;
        }
        let mut bits = 0;
        for octet in group.iter().take(4 - padding) {
            bits = (bits << 6) | sextet(*octet)?;
        }
        let [_, decoded @ ..] = (bits << (6 * padding)).to_be_bytes();
        octets.extend(decoded.iter().take(3 - padding));
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
    fn check(text: &str, expected: Option<(Option<&str>, &str, &str)>) {
        let expected = expected.map(|(authzid, authcid, password)| Plain {
            authzid: authzid.map(str::to_owned),
            authcid: authcid.to_owned(),
            password: Secret::new(password),
        });
        assert_eq!(Plain::parse(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn plain_has_three_parts() {
        check("AHRpbQB0YW5zdGFhZnRhbnN0YWFm", Some((None, "tim", "tanstaaftanstaaf")));
        check("VXJzZWwAS3VydAB4aXBqMzBwbHE=", Some((Some("Ursel"), "Kurt", "xipj30plq"))); // RFC 4616 §4, another password
        check("AGEAYg==", Some((None, "a", "b")));
        for bad in [
            "",
            "AGEAYg",
            "AGEAYg=",
            "AGEAYg==AGEAYg==",
            "A===",
            "====",
            "AGE AYg==",
            "AGEA",
            "AABi",
            "AGEAYgBj",
            "AP8AYg==",
        ] {
            check(bad, None);
        }
    }
}
