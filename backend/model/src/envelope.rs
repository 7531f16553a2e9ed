//! What MAIL and RCPT say of a message, with the parameters of RFC 3461, 6152, 6531, 3030 and 8689.

use std::fmt;

use crate::{Address, Timestamp};

/// Where failures are told: MAIL's argument (RFC 5321 §4.1.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: nobody; such a message never causes a DSN (RFC 5321 §4.5.5).
    Null,
    /// An address.
    Address(Address),
}

impl ReversePath {
    /// The address, if there is one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl fmt::Display for ReversePath {
    /// With angle brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Address(address) => write!(f, "<{address}>"),
        }
    }
}

/// RFC 6152 and RFC 3030: how the octets were announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum BodyType {
    /// `BODY=7BIT`, the default.
    #[default]
    SevenBit,
    /// `BODY=8BITMIME`.
    EightBitMime,
    /// `BODY=BINARYMIME`.
    BinaryMime,
}

/// RFC 3461 §4.3: how much of the message a failure DSN returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ret {
    /// `RET=FULL`.
    Full,
    /// `RET=HDRS`.
    Headers,
}

/// RFC 3461 §4.4, decoded from xtext: 1 to 100 octets of printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EnvelopeId(String);

impl EnvelopeId {
    /// The decoded text; none where it is empty, too long or not printable ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=100).contains(&text.len()) && text.bytes().all(|octet| (0x20..0x7f).contains(&octet));
        fits.then(|| Self(text.to_owned()))
    }

    /// The decoded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 3461 §4.1: which DSNs the sender wants of one recipient. None of the three: `NEVER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Notify {
    /// `SUCCESS`.
    pub success: bool,
    /// `FAILURE`.
    pub failure: bool,
    /// `DELAY`.
    pub delay: bool,
}

impl Notify {
    /// `NOTIFY=NEVER`.
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };
}

impl Default for Notify {
    /// What holds where NOTIFY is absent: failures and delays (RFC 3461 §4.1).
    fn default() -> Self {
        Self { success: false, failure: true, delay: true }
    }
}

/// RFC 3461 §4.2, decoded from xtext.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OriginalRecipient {
    /// `rfc822`, or `utf-8` (RFC 6533).
    pub address_type: String,
    /// As the sender wrote it; any printable text.
    pub address: String,
}

/// RCPT's argument and its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ForwardPath {
    /// The recipient.
    pub address: Address,
    /// `NOTIFY=`; none where the parameter was absent.
    pub notify: Option<Notify>,
    /// `ORCPT=`.
    pub original: Option<OriginalRecipient>,
}

impl ForwardPath {
    /// RCPT without parameters.
    pub const fn new(address: Address) -> Self {
        Self { address, notify: None, original: None }
    }
}

/// MAIL and RCPT together (RFC 5321 §2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// MAIL's path.
    pub reverse_path: ReversePath,
    /// RCPT's, in the order given; those refused are not among them.
    pub recipients: Vec<ForwardPath>,
    /// `BODY=`.
    pub body_type: BodyType,
    /// `SMTPUTF8` was said (RFC 6531).
    pub smtputf8: bool,
    /// `REQUIRETLS` was said (RFC 8689).
    pub require_tls: bool,
    /// `SIZE=`, in octets.
    pub declared_octets: Option<u64>,
    /// `RET=`.
    pub ret: Option<Ret>,
    /// `ENVID=`.
    pub envelope_id: Option<EnvelopeId>,
    /// When MAIL was said.
    pub began_at: Timestamp,
}

impl Envelope {
    /// MAIL without parameters, before RCPT.
    pub const fn new(reverse_path: ReversePath, began_at: Timestamp) -> Self {
        Self {
            reverse_path,
            recipients: Vec::new(),
            body_type: BodyType::SevenBit,
            smtputf8: false,
            require_tls: false,
            declared_octets: None,
            ret: None,
            envelope_id: None,
            began_at,
        }
    }
}
