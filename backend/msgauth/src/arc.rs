//! ARC (RFC 8617): what others on the way say that they had found, sealed one upon the other.

mod seal;
mod validate;

pub use seal::{SealError, seal};
pub use validate::validate;

use crate::dkim::{DkimReason, SignatureError};

/// RFC 8617 §4.2.1: "the maximum number of ARC Sets that can be attached to a message is 50".
pub const MOST_SETS: u32 = 50;

/// The state of a chain (RFC 8617 §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the RFC's own words")]
pub enum ArcResult {
    None,
    Pass,
    Fail,
}

impl ArcResult {
    /// The RFC's own word, as in `cv=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

/// How a chain came out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArcCheck {
    /// Its state.
    pub result: ArcResult,
    /// Why.
    pub reason: ArcReason,
    /// The sets, the oldest first; empty where they don't make a chain. What they say is to be believed as far as their sealers are, and only where the chain passes.
    pub sets: Vec<ArcSet>,
}

/// One hand's set of three fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArcSet {
    /// `i=`: 1 is the oldest.
    pub instance: u32,
    /// `d=` of the seal.
    pub domain: String,
    /// `s=` of the seal.
    pub selector: String,
    /// What the hand had found, as in an Authentication-Results field, without `i=`; on one line.
    pub results: String,
}

/// Which of a set's fields is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArcField {
    /// ARC-Authentication-Results.
    Results,
    /// ARC-Message-Signature.
    Message,
    /// ARC-Seal.
    Seal,
}

impl ArcField {
    /// The field's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Results => "ARC-Authentication-Results",
            Self::Message => "ARC-Message-Signature",
            Self::Seal => "ARC-Seal",
        }
    }
}

/// Why a chain came out as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArcReason {
    /// None: there are no sets.
    NoSets,
    /// Pass: every seal holds, and the newest signature does.
    Good,
    /// Fail: more than fifty sets.
    TooMany,
    /// Fail: of these fields there isn't exactly one for every number from 1 on, or one has no number.
    Gap(ArcField),
    /// Fail: a field can't be read.
    Unreadable {
        /// Whose set it is in.
        instance: u32,
        /// Which it is.
        field: ArcField,
        /// What is wrong with it.
        error: SignatureError,
    },
    /// Fail: a hand has found the chain broken before (`cv=fail`), or its `cv=` doesn't suit its place.
    BrokenBefore {
        /// Whose set says so.
        instance: u32,
    },
    /// Fail: the newest message signature doesn't hold; why it doesn't.
    Message {
        /// The newest set.
        instance: u32,
        /// Why.
        reason: DkimReason,
    },
    /// Fail: a seal doesn't hold; why it doesn't.
    Seal {
        /// Whose seal it is.
        instance: u32,
        /// Why.
        reason: DkimReason,
    },
}
