//! hickory's side against a real authoritative server (BIND), with zones that are signed, unsigned and broken.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a fixture that cannot be made fails its test where it stands, and one that is passed over says so"
)]

mod named;
mod views;
