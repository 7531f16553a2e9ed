//! Reports that houses send each other: on DMARC ([`AggregateReport`], RFC 9990), on TLS ([`TlsReport`], RFC 8460), on single messages ([`FeedbackReport`], RFC 5965, 6591).
//!
//! All come by mail, from anybody, mostly compressed: what is unpacked, and how much of it is kept, is limited by named constants. What a report says is its sender's word alone.

mod aggregate;
mod feedback;
mod tls;
mod unpack;
mod write;

pub use aggregate::{
    AggregateReport, AggregateRow, DkimRow, Override, OverrideKind, PublishedPolicy, SpfRow, may_report_to,
};
pub use feedback::{FeedbackReport, FeedbackType};
pub use tls::{TlsFailure, TlsPolicyReport, TlsPolicyType, TlsReport};
pub use unpack::MOST_UNPACKED;
pub use write::Mailing;

/// Why a message holds no report that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Nothing in it is one.
    #[error("the message holds no report")]
    Absent,
    /// It unpacks to more than is read.
    #[error("the report is too large")]
    TooLarge,
    /// It can't be unpacked, or not be read; what the reader says of the last try.
    #[error("the report can't be read: {0}")]
    Malformed(String),
}

/// Characters of a stranger's word that are kept.
const MOST_KEPT: usize = 500;

/// A stranger's word, as it may be stored and shown: no control characters, and an end.
fn kept(text: &str) -> String {
    text.trim().chars().filter(|letter| !letter.is_control()).take(MOST_KEPT).collect()
}
