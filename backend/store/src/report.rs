//! Reports that houses send each other. `counted`: what is to be told of a day. `received`: what others told us.
//!
//! Invariants: every table has a limit of rows; what is added up is added once, for a report and its numbers are written together.

mod counted;
mod received;

pub use counted::{DmarcCount, MAX_DMARC_COUNTS, MAX_DMARC_LINES, REPORTED_WITHIN, ReportDue};
pub use received::{
    MAX_REPORT_MAIL, MAX_SOURCES_A_DAY, REPORTS_KEPT_FOR, ReceivedReport, ReportCounts, ReportDay, ReportKind,
    ReportSession, ReportSource, ReportSummary,
};
