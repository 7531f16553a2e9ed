//! Signing (RFC 6376 §5), with keys as `relais-dnscheck` makes them: PKCS#8 in PEM.

use data_encoding::BASE64;
use relais_model::{Domain, Secret, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use super::Algorithm;
use super::canon::{Canonicalization, hash_body};
use super::verify::{Parts, signature_header};

/// Fields that are signed with one more mention than they have occurrences, so that none can be added (RFC 6376 §8.15).
const OVERSIGNED: &[&str] = &[
    "from",
    "sender",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "to",
    "cc",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "content-id",
    "content-description",
];

/// Fields that are signed where they stand: lists and later hands may add theirs.
const SIGNED: &[&str] = &[
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
    "auto-submitted",
];

/// Occurrences of one field that are signed.
const MOST_OCCURRENCES: usize = 20;

/// A private key.
pub struct SigningKey(Pair);

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Why a text is no key that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// No PEM with base64 inside.
    #[error("the key is no PKCS#8 in PEM")]
    Pem,
    /// ring refuses it: an RSA key must have 2,048 to 4,096 bits.
    #[error("the key is none that signs")]
    Refused,
    /// The machine gave no randomness, which RSA blinds its work with.
    #[error("signing failed")]
    Failed,
}

impl SigningKey {
    /// Reads a private key, PKCS#8 in PEM (RFC 5958, RFC 7468).
    ///
    /// # Errors
    /// [`SigningKeyError::Pem`], [`SigningKeyError::Refused`].
    pub fn from_pem(algorithm: Algorithm, pem: &Secret) -> Result<Self, SigningKeyError> {
        let inside: String = pem.expose().lines().map(str::trim).filter(|line| !line.starts_with('-')).collect();
        let der = BASE64.decode(inside.as_bytes()).map_err(|_| SigningKeyError::Pem)?;
        let pair = match algorithm {
            Algorithm::RsaSha256 => RsaKeyPair::from_pkcs8(&der).map(Box::new).map(Pair::Rsa),
            Algorithm::Ed25519Sha256 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Pair::Ed25519),
        };
        pair.map(Self).map_err(|_| SigningKeyError::Refused)
    }

    /// What it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    /// The base64 of a signature over `data`, the canonical header. RSA takes a core for a millisecond.
    pub(crate) fn sign(&self, data: &[u8]) -> Result<String, SigningKeyError> {
        match &self.0 {
            Pair::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature)
                    .map_err(|_| SigningKeyError::Failed)?;
                Ok(BASE64.encode(&signature))
            }
            // RFC 8463 §3: what is signed is the hash.
            Pair::Ed25519(key) => {
                let hash = ring::digest::digest(&ring::digest::SHA256, data);
                Ok(BASE64.encode(key.sign(hash.as_ref()).as_ref()))
            }
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({}, …)", self.algorithm().as_str())
    }
}

/// Who signs.
#[derive(Debug)]
pub struct Signer {
    /// `d=`: for DMARC it must align with the From field.
    pub domain: Domain,
    /// `s=`: the key's record stands at `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// The key.
    pub key: SigningKey,
}

/// Signs a message with every signer's key, relaxed in header and body. Gives the DKIM-Signature fields, each with its CRLF, in the signers' order, to be put before the message.
/// Its lines must end with CRLF, and nothing of it may change afterwards but fields added on top.
///
/// # Errors
/// [`SigningKeyError::Failed`]: nothing was signed.
pub fn sign(raw: &[u8], signers: &[&Signer], now: Timestamp) -> Result<Vec<u8>, SigningKeyError> {
    let parts = Parts::of(raw);
    let names = signed_names(&parts);
    let (hash, _) = hash_body(Canonicalization::Relaxed, parts.body, None);
    let header = parts.signed_header(Canonicalization::Relaxed, &names);
    let mut out = Vec::new();
    for signer in signers {
        let tags = [
            ("v", "1".to_owned()),
            ("a", signer.key.algorithm().as_str().to_owned()),
            ("c", "relaxed/relaxed".to_owned()),
            ("d", signer.domain.to_string()),
            ("s", signer.selector.clone()),
            ("t", now.seconds().to_string()),
            ("h", names.join(":")),
            ("bh", BASE64.encode(hash.as_ref())),
        ];
        out.extend(signed_field("DKIM-Signature", &tags, header.clone(), &signer.key)?);
    }
    Ok(out)
}

/// A signature's field with its CRLF: `tags`, then `b=` over `data` and the field itself.
pub(crate) fn signed_field(
    name: &str,
    tags: &[(&str, String)],
    mut data: Vec<u8>,
    key: &SigningKey,
) -> Result<Vec<u8>, SigningKeyError> {
    let mut field = format!("{name}:");
    let mut column = field.len();
    for (tag, value) in tags {
        // Only `h=` has colons: the list may be folded behind each.
        for piece in format!(" {tag}={value};").split_inclusive(':') {
            push_piece(&mut field, &mut column, piece);
        }
    }
    push_piece(&mut field, &mut column, " b=");
    signature_header(Canonicalization::Relaxed, format!("{field}\r\n").as_bytes(), &mut data);
    for piece in key.sign(&data)?.as_bytes().chunks(LINE - 4) {
        push_piece(&mut field, &mut column, str::from_utf8(piece).unwrap_or_default());
    }
    field.push_str("\r\n");
    Ok(field.into_bytes())
}

/// Columns of a line, as far as words allow (RFC 5322 §2.1.1).
const LINE: usize = 76;

/// Appends a piece, on a new line where it doesn't fit.
fn push_piece(field: &mut String, column: &mut usize, piece: &str) {
    if *column + piece.len() > LINE {
        field.push_str(if piece.starts_with(' ') { "\r\n" } else { "\r\n " });
        *column = usize::from(!piece.starts_with(' '));
    }
    field.push_str(piece);
    *column += piece.len();
}

/// `h=`: every occurrence of what is signed, and one more mention where none may be added.
pub(crate) fn signed_names(parts: &Parts<'_>) -> Vec<String> {
    let count = |name: &str| parts.fields.iter().filter(|field| field.is(name)).count().min(MOST_OCCURRENCES);
    let repeated = |name: &&str, times: usize| std::iter::repeat_n((*name).to_owned(), times);
    let oversigned = OVERSIGNED.iter().flat_map(|name| repeated(name, count(name) + 1));
    let signed = SIGNED.iter().flat_map(|name| repeated(name, count(name)));
    oversigned.chain(signed).collect()
}
