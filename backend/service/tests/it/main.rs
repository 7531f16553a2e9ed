//! The use-cases on a real store: what they do, what they refuse, and to whom.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests, not their helpers"
)]

mod access;
mod certificates;
mod directory;
mod dns;
mod fake_dns;
mod holds;
mod house;
mod judging;
mod mail;
mod operations;
mod removed;
mod reports;
mod roles;
mod steward;
mod writing;
