//! DKIM (RFC 6376, 8301, 8463): signatures of domains on messages.

pub(crate) mod canon;
pub(crate) mod key;
mod sign;
pub(crate) mod signature;
pub(crate) mod verify;

pub use canon::{Canonicalization, canonical_body, canonical_header};
pub use key::{KeyError, KeyRecord, PublicKey};
pub use sign::{Signer, SigningKey, SigningKeyError, sign};
pub(crate) use sign::{signed_field, signed_names};
pub use signature::{Signature, SignatureError};
pub use verify::{DkimCheck, DkimReason, DkimResult, MOST_SIGNATURES, verify};

/// What signs: the `a=` of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 6376 §3.3.2).
    RsaSha256,
    /// Ed25519 over a SHA-256 hash (RFC 8463 §3).
    Ed25519Sha256,
}

impl Algorithm {
    /// The signature's `a=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }

    /// The key record's `k=`.
    pub const fn key_type(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa",
            Self::Ed25519Sha256 => "ed25519",
        }
    }
}
