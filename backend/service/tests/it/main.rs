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
mod genuine;
mod holds;
mod house;
mod joining;
mod judging;
mod leaving;
mod mail;
mod meetings;
mod operations;
mod own_lists;
mod removed;
mod reports;
mod roles;
mod sharing;
mod snooze;
mod steward;
mod trying;
mod writing;
