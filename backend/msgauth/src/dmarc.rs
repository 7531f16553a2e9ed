//! DMARC (RFC 9989): whether the domain that a reader sees stands behind a message, and what it asks for where it doesn't.

mod check;
mod dispose;
mod record;
mod walk;

pub use check::{DmarcCheck, DmarcReason, DmarcResult, PolicyTag, check};
pub use dispose::{Decision, Disposition, DispositionReason, Overrides, dispose};
pub use record::{Alignment, DmarcRecord, Policy, Psd, destinations, mailto_addresses};
pub use walk::MOST_QUERIES;
