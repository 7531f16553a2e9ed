//! Reports that houses send each other, on DMARC (RFC 9990) and on TLS (RFC 8460).
//!
//! - `clerk`: who counts, sends and reads them. `sent`: what others are told of a day. `read`: what a message tells us.
//! - `view`: what a domain's owner sees of it. `known`: whose an address is. `advice`: the next step that the evidence allows.
//!
//! Invariants: nobody is told who didn't ask, and where the address is another domain's, that one must have said that it wants reports. What a report says is its sender's word:
//! it is added up, shown, and changes nothing by itself.

mod advice;
mod clerk;
mod known;
mod read;
mod sent;
mod view;

pub(crate) use view::with_policy;

pub use clerk::Clerk;
pub use view::{
    ReportComplaintView, ReportDayView, ReportIncidentView, ReportRecord, ReportSessionView, ReportSourceView,
    ReportStepView, ReportUnreadView, ReportsView,
};
