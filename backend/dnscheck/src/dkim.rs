//! Reading DKIM key records (RFC 6376 §3.6.1, RFC 8463).

use data_encoding::BASE64;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::tags::{Tags, TagsError};

/// Octets of a record that are read: a 4,096-bit key takes 800.
const MOST_OCTETS: usize = 8192;

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 6376 §3.3).
    Rsa,
    /// Ed25519 (RFC 8463).
    Ed25519,
}

impl Algorithm {
    /// The record's `k=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// A key record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimRecord {
    /// `k=`; RSA where it isn't said.
    pub algorithm: Algorithm,
    /// `p=` without white space.
    pub public_key: String,
    /// The key's length: an RSA key's modulus; 256 for Ed25519.
    pub bits: usize,
    /// `t=y`: receivers take what fails as if it weren't signed.
    pub is_testing: bool,
}

/// Why a text is no usable key record. A verifier takes the signature as if it weren't there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DkimError {
    /// No list of tags.
    #[error(transparent)]
    Tags(#[from] TagsError),
    /// `v=` stands there, and isn't first or isn't DKIM1.
    #[error("v=DKIM1 must come first")]
    Version,
    /// `k=` names nothing that we know.
    #[error("the key's type `{0}` is unknown")]
    Algorithm(String),
    /// `p=` is missing.
    #[error("there is no p=")]
    NoKey,
    /// `p=` is empty: the key was withdrawn.
    #[error("the key was withdrawn")]
    Revoked,
    /// `p=` is no base64, or no key of that type inside: often a key that was cut off.
    #[error("p= holds no key")]
    Malformed,
    /// Longer than is read.
    #[error("the record is too long")]
    TooLong,
}

impl DkimError {
    /// What is to blame, as it stands in the record, or should.
    pub fn culprit(&self) -> String {
        match self {
            Self::Tags(error) => error.culprit(),
            Self::Version => "v=DKIM1".to_owned(),
            Self::Algorithm(name) => format!("k={name}"),
            Self::NoKey | Self::Revoked | Self::Malformed | Self::TooLong => "p=".to_owned(),
        }
    }
}

impl DkimRecord {
    /// Reads a record's text, its strings joined.
    ///
    /// # Errors
    /// [`DkimError`].
    pub fn parse(text: &str) -> Result<Self, DkimError> {
        if text.len() > MOST_OCTETS {
            return Err(DkimError::TooLong);
        }
        let tags = Tags::parse(text)?;
        // RFC 6376 §3.6.1: optional, but first and exact.
        if tags.value("v").is_some() && tags.first() != Some(("v", "DKIM1")) {
            return Err(DkimError::Version);
        }
        let algorithm = match tags.value("k").unwrap_or("rsa") {
            "rsa" => Algorithm::Rsa,
            "ed25519" => Algorithm::Ed25519,
            other => return Err(DkimError::Algorithm(other.to_owned())),
        };
        let public_key = published_key(&tags).ok_or(DkimError::NoKey)?;
        if public_key.is_empty() {
            return Err(DkimError::Revoked);
        }
        let octets = BASE64.decode(public_key.as_bytes()).map_err(|_| DkimError::Malformed)?;
        let bits = match algorithm {
            Algorithm::Rsa => rsa_bits(&octets).ok_or(DkimError::Malformed)?,
            Algorithm::Ed25519 if octets.len() == 32 => 256,
            Algorithm::Ed25519 => return Err(DkimError::Malformed),
        };
        let is_testing = tags.value("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y"));
        Ok(Self { algorithm, public_key, bits, is_testing })
    }
}

/// The `p=` of a record, however broken the rest of it is; white space inside is left out (RFC 6376 §3.6.1).
pub(crate) fn published_key(tags: &Tags<'_>) -> Option<String> {
    tags.value("p").map(|key| key.chars().filter(|letter| !letter.is_ascii_whitespace()).collect())
}

/// A `SubjectPublicKeyInfo`, as everybody publishes it, or the bare `RSAPublicKey` that RFC 6376 names.
fn rsa_bits(octets: &[u8]) -> Option<usize> {
    let significant = |modulus: &[u8]| {
        let whole = modulus.iter().skip_while(|octet| **octet == 0).count() * 8;
        let first = modulus.iter().find(|octet| **octet != 0)?;
        usize::try_from(first.leading_zeros()).ok().map(|zeros| whole - zeros)
    };
    if let Ok(([], info)) = SubjectPublicKeyInfo::from_der(octets) {
        return match info.parsed() {
            Ok(PublicKey::RSA(key)) => significant(key.modulus),
            _ => None,
        };
    }
    match RSAPublicKey::from_der(octets) {
        Ok(([], key)) => significant(key.modulus),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6376 §C.1: a key of 1,024 bits.
    const RFC_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC\
                           jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

    #[test]
    fn keys_are_read() {
        let read = DkimRecord::parse(&format!("v=DKIM1; t=s:y; p={}", RFC_KEY.replace("UC3", "U C3"))).unwrap();
        assert_eq!(
            (read.algorithm, read.bits, read.is_testing, read.public_key.as_str()),
            (Algorithm::Rsa, 1024, true, RFC_KEY)
        );
        // RFC 8463 §A.2.
        let read = DkimRecord::parse("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap();
        assert_eq!((read.algorithm, read.bits), (Algorithm::Ed25519, 256));
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let check = |text: &str, expected: DkimError| assert_eq!(DkimRecord::parse(text), Err(expected), "{text}");
        check("v=DKIM1; k=rsa", DkimError::NoKey);
        check("v=DKIM1; p=", DkimError::Revoked);
        check("k=rsa; v=DKIM1; p=AAAA", DkimError::Version);
        check("v=DKIM1; k=dsa; p=AAAA", DkimError::Algorithm("dsa".into()));
        check("v=DKIM1; p=not base64!", DkimError::Malformed);
        check("v=DKIM1; k=ed25519; p=AAAA", DkimError::Malformed);
        check("v=DKIM1; p=AAAA; p=AAAA", DkimError::Tags(TagsError::Doubled("p".into())));
        check(&format!("v=DKIM1; p={}", "A".repeat(MOST_OCTETS)), DkimError::TooLong);
        check("hello", DkimError::Tags(TagsError::Tag("hello".into())));
        for cut in [1, 4, 60, 100, 215] {
            check(&format!("v=DKIM1; p={}", &RFC_KEY[..cut]), DkimError::Malformed);
        }
    }
}
