//! Suites that we did not write, and messages of our own, hostile ones among them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "this is test code: it may panic and print"
)]

mod corpus;
mod hostile;
