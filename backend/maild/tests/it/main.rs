//! IMAP through the doors: a real store in a temporary folder, real sockets, sessions side by side.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod client;
mod contexts;
mod finding;
mod house;
mod language;
mod large;
mod limits;
mod model;
mod nodes;
mod sharing;
mod transcripts;
