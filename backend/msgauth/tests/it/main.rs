//! The suites that others wrote, the standards' own examples, and properties.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "this is test code: it may panic and print"
)]

mod arc;
mod dkim;
mod dmarc;
mod keys;
mod properties;
mod report;
mod spf;
mod suites;
