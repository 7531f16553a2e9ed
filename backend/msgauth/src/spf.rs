//! SPF (RFC 7208): who may use a domain in HELO and MAIL FROM.

mod check;
mod macros;
mod record;

pub use check::{Asked, check};
pub use record::{Lengths, MOST_LOOKUPS, MOST_VOID_LOOKUPS, Mechanism, Qualifier, Spf, SpfError, Term, is_spf};

/// What a check says (RFC 7208 §2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the RFC's own words")]
pub enum SpfResult {
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,
    TempError,
    PermError,
}

impl SpfResult {
    /// The RFC's own word: headers, reports and logs have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Whose domain was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// What the client calls itself (RFC 7208 §2.3).
    Helo,
    /// The reverse path; the null one stands for `postmaster@HELO` (§2.4).
    MailFrom,
}

/// How a check came out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpfCheck {
    /// What it says.
    pub result: SpfResult,
    /// Whose domain this is.
    pub identity: Identity,
    /// The domain, as the peer gave it; empty where it gave none.
    pub domain: String,
    /// Why.
    pub reason: SpfReason,
    /// How the domain explains a fail (§6.2): a stranger's words, visible ASCII and spaces.
    pub explanation: Option<String>,
}

/// Why a check came out as it did. Names and terms are as they stand in the DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpfReason {
    /// None: what the peer gave is no domain that the DNS could know.
    NoDomain,
    /// None: the domain has no SPF record.
    NoRecord,
    /// The address is one that this term of this domain's record means.
    Matched {
        /// Whose record it stands in.
        domain: String,
        /// The term.
        term: String,
    },
    /// Neutral: no term means the address.
    NothingMatched {
        /// Whose record ended.
        domain: String,
    },
    /// Temperror: the DNS owes an answer for this name.
    Unanswered(String),
    /// Permerror: there is more than one record at this name.
    SeveralRecords(String),
    /// Permerror: the record can't be read.
    Malformed {
        /// Whose record it is.
        domain: String,
        /// What is to blame in it.
        term: String,
    },
    /// Permerror: a term leads to this name, which has no record.
    LeadsNowhere(String),
    /// Permerror: more than ten terms cost a look-up (§4.6.4); the term that was one too many.
    TooManyLookups(String),
    /// Permerror: more than two look-ups found nothing; the name that was one too many.
    TooManyVoids(String),
    /// Permerror: this name has more than ten MX hosts.
    TooManyHosts(String),
}
