//! The PROXY protocol, versions 1 and 2: what a balancer before us says of the client behind it.
//! (`HAProxy`'s `proxy-protocol.txt`, sections 2.1 and 2.2.)

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Version 1's longest line, with its CRLF.
const MAX_V1_OCTETS: usize = 107;
/// Version 2's header before the addresses.
const V2_HEADER_OCTETS: usize = 16;
/// We read no longer list of version 2's extensions.
const MAX_V2_OCTETS: usize = V2_HEADER_OCTETS + 2048;
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Why what came is no PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Neither version's start, or a part that doesn't parse. A listener that expects the header takes nothing else.
    #[error("the connection does not begin with a PROXY header")]
    Malformed,
}

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxied {
    /// The client's address; none for `LOCAL` and `UNKNOWN`: then the connection's own counts.
    pub client: Option<SocketAddr>,
    /// Octets of the header; what follows belongs to the client.
    pub octets: usize,
}

/// Reads a header from the first octets of a connection; `None` while more are needed.
pub fn parse(octets: &[u8]) -> Result<Option<Proxied>, ProxyError> {
    let shared = octets.len().min(V2_SIGNATURE.len());
    if !octets.is_empty() && octets.get(..shared) == V2_SIGNATURE.get(..shared) && octets.first() == Some(&b'\r') {
        return parse_v2(octets);
    }
    parse_v1(octets)
}

fn parse_v1(octets: &[u8]) -> Result<Option<Proxied>, ProxyError> {
    let start = octets.len().min(6);
    if octets.get(..start) != b"PROXY ".get(..start) {
        return Err(ProxyError::Malformed);
    }
    // However it was cut on its way: a line that is too long isn't taken because it came at once.
    let longest = octets.get(..octets.len().min(MAX_V1_OCTETS)).unwrap_or_default();
    let Some(end) = longest.windows(2).position(|pair| pair == b"\r\n") else {
        return if octets.len() < MAX_V1_OCTETS { Ok(None) } else { Err(ProxyError::Malformed) };
    };
    let line = octets.get(..end).and_then(|line| std::str::from_utf8(line).ok()).ok_or(ProxyError::Malformed)?;
    let words: Vec<&str> = line.split(' ').collect();
    let client = match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", family @ ("TCP4" | "TCP6"), from, _to, port, _to_port] => {
            let address: IpAddr = from.parse().map_err(|_| ProxyError::Malformed)?;
            let port = port.parse().map_err(|_| ProxyError::Malformed)?;
            if address.is_ipv4() != (*family == "TCP4") {
                return Err(ProxyError::Malformed);
            }
            Some(SocketAddr::new(address, port))
        }
        _ => return Err(ProxyError::Malformed),
    };
    Ok(Some(Proxied { client, octets: end + 2 }))
}

fn parse_v2(octets: &[u8]) -> Result<Option<Proxied>, ProxyError> {
    let Some((header, rest)) = octets.split_first_chunk::<V2_HEADER_OCTETS>() else { return Ok(None) };
    let &[.., version_and_command, family, high, low] = header;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version_and_command >> 4 != 2 || V2_HEADER_OCTETS + length > MAX_V2_OCTETS {
        return Err(ProxyError::Malformed);
    }
    let Some(body) = rest.get(..length) else { return Ok(None) };
    let client = match (version_and_command & 15, family) {
        (1, 0x11) => Some(v4(body).ok_or(ProxyError::Malformed)?),
        (1, 0x21) => Some(v6(body).ok_or(ProxyError::Malformed)?),
        // LOCAL (the balancer speaks for itself), and families that we don't serve: the connection's own address counts.
        (0 | 1, _) => None,
        _ => return Err(ProxyError::Malformed),
    };
    Ok(Some(Proxied { client, octets: V2_HEADER_OCTETS + length }))
}

fn v4(body: &[u8]) -> Option<SocketAddr> {
    let [a, b, c, d, _, _, _, _, high, low, ..] = *body else { return None };
    Some(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
}

fn v6(body: &[u8]) -> Option<SocketAddr> {
    let (from, rest) = body.split_first_chunk::<16>()?;
    let (_to, rest) = rest.split_first_chunk::<16>()?;
    let (port, _) = rest.split_first_chunk::<2>()?;
    Some(SocketAddr::new(Ipv6Addr::from(*from).into(), u16::from_be_bytes(*port)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    const V2_V4: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x30\x39\0\x19";

    #[track_caller]
    fn check(octets: &[u8], expected: Result<Option<(Option<&str>, usize)>, ProxyError>) {
        let expected = expected.map(|found| {
            found.map(|(client, octets)| Proxied { client: client.map(|text| text.parse().unwrap()), octets })
        });
        assert_eq!(parse(octets), expected, "{octets:?}");
    }

    #[test]
    fn both_versions_are_read() {
        check(b"PROXY TCP4 192.0.2.1 192.0.2.2 12345 25\r\nEHLO x\r\n", Ok(Some((Some("192.0.2.1:12345"), 41))));
        check(b"PROXY TCP6 2001:db8::1 ::1 7 25\r\n", Ok(Some((Some("[2001:db8::1]:7"), 33))));
        check(b"PROXY UNKNOWN\r\n", Ok(Some((None, 15))));
        check(format!("PROXY UNKNOWN {}\r\n", "x".repeat(91)).as_bytes(), Ok(Some((None, 107))));
        check(format!("PROXY UNKNOWN {}\r\n", "x".repeat(92)).as_bytes(), Err(ProxyError::Malformed));
        check(V2_V4, Ok(Some((Some("192.0.2.1:12345"), 28))));
        check(V2_LOCAL, Ok(Some((None, 16))));
    }

    #[test]
    fn anything_else_is_refused_as_soon_as_it_is_seen() {
        check(b"EHLO", Err(ProxyError::Malformed));
        check(b"PROXY TCP4 2001:db8::1 ::1 7 25\r\n", Err(ProxyError::Malformed));
        check(b"PROXY TCP4 192.0.2.1 192.0.2.2 99999 25\r\n", Err(ProxyError::Malformed));
        check(&[b"PROXY ", "x".repeat(200).as_bytes()].concat(), Err(ProxyError::Malformed));
        check(b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", Err(ProxyError::Malformed));
    }

    proptest! {
        #[test]
        fn a_header_cut_short_asks_for_more(at in 0usize..28) {
            prop_assert_eq!(parse(&V2_V4[..at]), Ok(None));
        }

        #[test]
        fn nothing_panics(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&octets);
            let _ = parse(&[V2_SIGNATURE, &octets].concat());
        }
    }
}
