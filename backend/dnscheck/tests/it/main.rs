//! The room against what it speaks with: a real authoritative server (BIND) with zones that are signed, unsigned and broken; providers.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that cannot be made fails its test where it stands"
)]

mod named;
mod provider;
mod round;
mod strangers;
mod views;
