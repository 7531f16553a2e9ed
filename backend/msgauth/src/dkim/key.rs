//! Key records (RFC 6376 §3.6.1, RFC 8463 §4), and what their keys verify.

use data_encoding::BASE64;
use ring::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents, UnparsedPublicKey,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::{PublicKey as SpkiKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::Algorithm;
use crate::tags::{Tags, TagsError};

/// Octets of a record that are read: a 4,096-bit key takes 800.
const MOST_OCTETS: usize = 8192;
/// RFC 8301 §3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits as valid".
const FEWEST_RSA_BITS: usize = 1024;
/// RFC 8301 §3.2 wants up to this to be verified; more would only be work for us.
const MOST_RSA_BITS: usize = 4096;

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa {
        /// Of 1,024 to 4,096 bits.
        modulus: Vec<u8>,
        /// Mostly 65,537.
        exponent: Vec<u8>,
    },
    /// 32 octets.
    Ed25519(Vec<u8>),
}

/// A key record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// `p=`.
    pub key: PublicKey,
    /// `t=y`: the domain is trying DKIM out.
    pub is_testing: bool,
    /// `t=s`: a signature's `i=` must be at its `d=` itself.
    pub is_strict: bool,
}

/// Why a record gives no key that we use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No list of tags, or not ASCII, or longer than is read.
    #[error("the record is no list of tags")]
    Tags(#[source] TagsError),
    /// Longer than is read, or no UTF-8.
    #[error("the record can't be read")]
    Unreadable,
    /// `v=` stands there, and isn't first or isn't DKIM1.
    #[error("v=DKIM1 must come first")]
    Version,
    /// `k=` names another type than the signature does.
    #[error("the key's type is `{0}`")]
    Type(String),
    /// `h=` doesn't name sha256.
    #[error("the key is for other hashes: `{0}`")]
    Hash(String),
    /// `s=` names neither `email` nor `*`.
    #[error("the key is for other services: `{0}`")]
    Service(String),
    /// `p=` is missing.
    #[error("there is no p=")]
    NoKey,
    /// `p=` is empty: the key was withdrawn.
    #[error("the key was withdrawn")]
    Revoked,
    /// `p=` holds no key of the type.
    #[error("p= holds no key")]
    Malformed,
    /// An RSA key below 1,024 bits (RFC 8301 §3.2).
    #[error("the key has only {0} bits")]
    Short(usize),
    /// An RSA key above 4,096 bits.
    #[error("the key has {0} bits")]
    Long(usize),
}

impl KeyRecord {
    /// Reads a record's text for a signature by `algorithm`.
    ///
    /// # Errors
    /// [`KeyError`]: the signature can't be verified.
    pub fn parse(text: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let text = str::from_utf8(text).ok().filter(|text| text.len() <= MOST_OCTETS).ok_or(KeyError::Unreadable)?;
        let tags = Tags::parse(text).map_err(KeyError::Tags)?;
        // RFC 6376 §3.6.1: optional, but first and exact.
        if tags.value("v").is_some() && tags.first() != Some(("v", "DKIM1")) {
            return Err(KeyError::Version);
        }
        let names = |tag: &str, wanted: &[&str]| match tags.compact(tag) {
            Some(list) if !list.split(':').any(|item| wanted.contains(&item)) => Err(list),
            _ => Ok(()),
        };
        names("h", &["sha256"]).map_err(KeyError::Hash)?;
        names("s", &["email", "*"]).map_err(KeyError::Service)?;
        let key_type = tags.value("k").unwrap_or("rsa");
        if key_type != algorithm.key_type() {
            return Err(KeyError::Type(key_type.to_owned()));
        }
        let base64 = tags.compact("p").ok_or(KeyError::NoKey)?;
        if base64.is_empty() {
            return Err(KeyError::Revoked);
        }
        let octets = BASE64.decode(base64.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let key = match algorithm {
            Algorithm::RsaSha256 => rsa_key(&octets)?,
            Algorithm::Ed25519Sha256 if octets.len() == 32 => PublicKey::Ed25519(octets),
            Algorithm::Ed25519Sha256 => return Err(KeyError::Malformed),
        };
        let has_flag = |flag: &str| tags.compact("t").is_some_and(|flags| flags.split(':').any(|one| one == flag));
        Ok(Self { key, is_testing: has_flag("y"), is_strict: has_flag("s") })
    }
}

/// A `SubjectPublicKeyInfo`, as everybody publishes it, or the bare `RSAPublicKey` that RFC 6376 names.
fn rsa_key(octets: &[u8]) -> Result<PublicKey, KeyError> {
    let bare = |number: &[u8]| number.iter().copied().skip_while(|octet| *octet == 0).collect::<Vec<u8>>();
    let parts = |key: &RSAPublicKey<'_>| (bare(key.modulus), bare(key.exponent));
    let (modulus, exponent) = match SubjectPublicKeyInfo::from_der(octets) {
        Ok(([], info)) => match info.parsed() {
            Ok(SpkiKey::RSA(key)) => parts(&key),
            _ => return Err(KeyError::Malformed),
        },
        _ => match RSAPublicKey::from_der(octets) {
            Ok(([], key)) => parts(&key),
            _ => return Err(KeyError::Malformed),
        },
    };
    match bits(&modulus) {
        0 => Err(KeyError::Malformed),
        few if few < FEWEST_RSA_BITS => Err(KeyError::Short(few)),
        many if many > MOST_RSA_BITS => Err(KeyError::Long(many)),
        _ => Ok(PublicKey::Rsa { modulus, exponent }),
    }
}

/// Of a number without leading zero octets.
fn bits(number: &[u8]) -> usize {
    let Some(first) = number.first() else { return 0 };
    number.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or(0)
}

impl PublicKey {
    /// The length of an RSA key's modulus; 256 for Ed25519.
    pub fn bits(&self) -> usize {
        match self {
            Self::Rsa { modulus, .. } => bits(modulus),
            Self::Ed25519(_) => 256,
        }
    }

    /// Whether `signature` is this key's over `data`, the canonical header (RFC 6376 §3.7).
    pub(crate) fn verifies(&self, data: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }
                .verify(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, data, signature)
                .is_ok(),
            // RFC 8463 §3: what is signed is the hash.
            Self::Ed25519(key) => {
                let hash = ring::digest::digest(&ring::digest::SHA256, data);
                UnparsedPublicKey::new(&ED25519, key).verify(hash.as_ref(), signature).is_ok()
            }
        }
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if matches!(self, Self::Rsa { .. }) { "Rsa" } else { "Ed25519" };
        write!(f, "{kind}({} bits)", self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6376 §C.1: a key of 1,024 bits.
    const RFC_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC\
                           jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";
    /// 512 bits, made for this test.
    const SHORT_KEY: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL3zjlgWnIsJ+U/2xUQRpMg+g0uCLprC+F5eXxWHl0EAJiiTIN0VvceK8AzZ/qARSep1RSi1bCAYng5JhDv2oQcCAwEAAQ==";

    fn rsa(text: &str) -> Result<KeyRecord, KeyError> {
        KeyRecord::parse(text.as_bytes(), Algorithm::RsaSha256)
    }

    #[test]
    fn keys_are_read() {
        let read = rsa(&format!("v=DKIM1; t=s:y; p={}", RFC_KEY.replace("UC3", "U C3"))).unwrap();
        assert_eq!((read.key.bits(), read.is_testing, read.is_strict), (1024, true, true));
        // RFC 8463 §A.2.
        let text = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let read = KeyRecord::parse(text.as_bytes(), Algorithm::Ed25519Sha256).unwrap();
        assert_eq!(read.key.bits(), 256);
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let check = |text: &str, expected: KeyError| assert_eq!(rsa(text), Err(expected), "{text}");
        check("v=DKIM1; k=rsa", KeyError::NoKey);
        check("v=DKIM1; p=", KeyError::Revoked);
        check("k=rsa; v=DKIM1; p=AAAA", KeyError::Version);
        check("v=DKIM1; k=ed25519; p=AAAA", KeyError::Type("ed25519".into()));
        check(&format!("v=DKIM1; h=sha1; p={RFC_KEY}"), KeyError::Hash("sha1".into()));
        check(&format!("v=DKIM1; s=tlsrpt; p={RFC_KEY}"), KeyError::Service("tlsrpt".into()));
        check("v=DKIM1; p=not base64!", KeyError::Malformed);
        check(&format!("v=DKIM1; p={SHORT_KEY}"), KeyError::Short(512));
        for cut in [1, 4, 60, 100, 215] {
            check(&format!("v=DKIM1; p={}", &RFC_KEY[..cut]), KeyError::Malformed);
        }
    }
}
