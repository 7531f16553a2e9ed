//! The crate from outside: imaptest's facts, the MIME corpora, and properties of any octets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "this is test code: it may panic and print"
)]

mod corpus;
mod imaptest;
mod properties;
mod suites;
