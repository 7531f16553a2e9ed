//! `tls-server-end-point` (RFC 5929 §4.1): a hash of the certificate, of the kind that its signature is made with.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// RFC 5280 §4.1.1.2, in DER without tag and length: `md5WithRSA`, `sha1WithRSA`, `ecdsa-with-SHA1`, and those with SHA-256.
const SHA256: [&[u8]; 5] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05",
    b"\x2a\x86\x48\xce\x3d\x04\x01",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
    b"\x2a\x86\x48\xce\x3d\x04\x03\x02",
];
const SHA384: [&[u8]; 2] = [b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", b"\x2a\x86\x48\xce\x3d\x04\x03\x03"];
const SHA512: [&[u8]; 2] = [b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", b"\x2a\x86\x48\xce\x3d\x04\x03\x04"];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// Of a certificate in DER. None where its signature uses no hash of its own (Ed25519) or says which in other words (RSASSA-PSS).
pub(crate) fn of(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = signature_algorithm(certificate)?;
    // RFC 5929 §4.1: SHA-256 also stands for MD5 and SHA-1.
    match () {
        () if SHA256.contains(&algorithm) => Some(Sha256::digest(certificate).to_vec()),
        () if SHA384.contains(&algorithm) => Some(Sha384::digest(certificate).to_vec()),
        () if SHA512.contains(&algorithm) => Some(Sha512::digest(certificate).to_vec()),
        () => None,
    }
}

/// RFC 5280 §4.1: `Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { algorithm OID, … }, … }`.
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = take(SEQUENCE, certificate)?;
    let (_, rest) = take(SEQUENCE, certificate)?;
    let (algorithm, _) = take(SEQUENCE, rest)?;
    take(OBJECT_IDENTIFIER, algorithm).map(|(identifier, _)| identifier)
}

/// The content of the DER element that comes first, and what follows it.
fn take(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (length, rest) = rest.split_at_checked(long & 0x7f).filter(|(length, _)| length.len() <= 4)?;
            (length.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
    };
    (*found == tag).then(|| rest.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate as far as it is read.
    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        let element = |tag: u8, content: &[u8]| {
            let length = u8::try_from(content.len()).unwrap();
            [&[tag, 0x81, length], content].concat()
        };
        let algorithm = element(SEQUENCE, &element(OBJECT_IDENTIFIER, algorithm));
        element(SEQUENCE, &[element(SEQUENCE, b"whatever"), algorithm, element(3, b"signature")].concat())
    }

    #[test]
    fn the_hash_is_the_signatures() {
        for (algorithms, octets) in [(SHA256.as_slice(), 32), (&SHA384, 48), (&SHA512, 64)] {
            for algorithm in algorithms {
                assert_eq!(of(&certificate(algorithm)).map(|hash| hash.len()), Some(octets), "{algorithm:x?}");
            }
        }
        assert_eq!(of(&certificate(b"\x2b\x65\x70")), None, "Ed25519");
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        let whole = certificate(SHA256[3]);
        for end in 0..whole.len() {
            assert_eq!(of(&whole[..end]), None, "{end} octets");
        }
        assert_eq!(of(&[0x30, 0x85, 1, 1, 1, 1, 1, 0]), None);
    }
}
