//! The store on real databases: each test runs on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests, not their helpers"
)]

mod access;
mod certificates;
mod changing;
mod console;
mod directory;
mod dns;
mod doubt;
mod failing;
mod filing;
mod house;
mod idempotency;
mod junk;
mod lists;
mod mailboxes;
mod metadata;
mod moving;
mod people;
mod queue;
mod quota;
mod reading;
mod removed;
mod reports;
mod sending;
mod settings;
mod sharing;
mod sieve;
mod sign_in;
mod trace;
mod transport;
mod views;
mod webhooks;
mod webmail;
