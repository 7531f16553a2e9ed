//! The CA, as the worker sees it: a port, for a test has none.

use std::fmt;
use std::time::Duration;

use relais_model::{Secret, Timestamp};

use crate::Doing;

/// What a CA says is wrong, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// RFC 8555 §6.7's type without `urn:ietf:params:acme:error:`; or a word of ours where the CA has none.
    pub kind: String,
    /// The CA's words, unchanged.
    pub says: String,
}

impl Problem {
    /// In our words, where no CA said it.
    pub fn ours(kind: &str, says: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), says: says.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.says, self.kind)
    }
}

/// Why there is no certificate: one variant for each thing to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// The CA couldn't be reached, or failed: ask again later, for longer each time.
    #[error("the CA failed: {0}")]
    Failed(Problem),
    /// The CA says to wait (RFC 8555 §6.6).
    #[error("the CA says to wait: {problem}")]
    Wait {
        /// Its words.
        problem: Problem,
        /// Its Retry-After; none: it doesn't say how long.
        retry_after: Option<Duration>,
    },
    /// The account doesn't do: it is gone, its contact is refused, or it must be bound to an external account.
    #[error("the CA refuses the account: {0}")]
    Account(Problem),
    /// These names were refused; without them the order may be made again at once.
    #[error("the CA refuses {} names", .0.len())]
    Names(Vec<(String, Problem)>),
    /// The order was refused, whatever its names.
    #[error("the CA refuses the order: {0}")]
    Refused(Problem),
}

/// How a name is proved to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeKind {
    /// HTTP-01; DNS-01 for wildcards.
    Auto,
    /// A token at port 80 (RFC 8555 §8.3).
    Http01,
    /// A certificate at port 443 (RFC 8737).
    TlsAlpn01,
    /// A TXT record (RFC 8555 §8.4).
    Dns01,
}

impl ChallengeKind {
    /// By the name that the setting `acme.challenge` has for it.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "http-01" => Some(Self::Http01),
            "tls-alpn-01" => Some(Self::TlsAlpn01),
            "dns-01" => Some(Self::Dns01),
            _ => None,
        }
    }

    /// For this name: a wildcard is proved by DNS alone (RFC 8555 §7.1.3).
    #[must_use]
    pub fn for_name(self, name: &str) -> Self {
        match self {
            _ if name.starts_with("*.") => Self::Dns01,
            Self::Auto => Self::Http01,
            chosen => chosen,
        }
    }
}

/// An account that is to be opened. Its terms of service are agreed to (RFC 8555 §7.3): whoever switches ACME on has been told.
#[derive(Debug, Clone)]
pub struct AccountWanted {
    /// Where.
    pub directory_url: String,
    /// An address that the CA may write to.
    pub contact: Option<String>,
    /// The external account that it is bound to (RFC 8555 §7.3.4): key identifier, and HMAC key in base64url.
    pub external: Option<(String, Secret)>,
}

/// A certificate that is to be ordered.
#[derive(Debug, Clone)]
pub struct OrderWanted {
    /// What [`CertificateAuthority::open_account`] gave.
    pub credentials: Secret,
    /// A-labels in lower case, `*.` before a wildcard: 1 to 100.
    pub names: Vec<String>,
    /// How each is proved.
    pub challenge: ChallengeKind,
    /// The chain of the certificate that it replaces (RFC 9773 §5); PEM.
    pub replaces: Option<String>,
    /// PKCS #8, PEM: the key that it is for; none: a new one.
    pub key_pem: Option<Secret>,
}

/// A certificate that was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Leaf first; PEM.
    pub chain_pem: String,
    /// PKCS #8; PEM: the wanted one, else made here, and nobody else has it.
    pub key_pem: Secret,
}

/// When the CA wants a certificate to be renewed (RFC 9773 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalWindow {
    /// Not before.
    pub start: Timestamp,
    /// Not after.
    pub end: Timestamp,
    /// When to ask again.
    pub ask_again_in: Duration,
}

/// A CA. Every wait within has an end.
pub trait CertificateAuthority: Send + Sync + fmt::Debug {
    /// Opens an account; gives its credentials, which hold a private key.
    fn open_account<'a>(&'a self, wanted: &'a AccountWanted) -> Doing<'a, Result<Secret, AuthorityError>>;

    /// Orders a certificate and proves its names. What was shown as proof is taken back whatever comes of it.
    fn order<'a>(&'a self, wanted: &'a OrderWanted) -> Doing<'a, Result<Issued, AuthorityError>>;

    /// When the CA wants this certificate renewed; none where it doesn't say.
    fn renewal<'a>(
        &'a self,
        credentials: &'a Secret,
        chain_pem: &'a str,
    ) -> Doing<'a, Result<Option<RenewalWindow>, AuthorityError>>;
}
