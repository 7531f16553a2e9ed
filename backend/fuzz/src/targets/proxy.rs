//! The PROXY header. Its file is taken in by its path: `maild` itself would bring the whole house along.

#[path = "../../../maild/src/proxy.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, clippy::pedantic, reason = "judged where it lives")]
mod parser;

/// A header is read from its own octets alone, and from no fewer.
pub(crate) fn header(octets: &[u8]) {
    let Ok(Some(found)) = parser::parse(octets) else { return };
    let (header, _) = octets.split_at(found.octets);
    assert_eq!(parser::parse(header), Ok(Some(found)), "what follows the header changes it");
    for end in 0..header.len() {
        assert_eq!(parser::parse(&header[..end]), Ok(None), "a piece of {end} octets is taken for something");
    }
}
