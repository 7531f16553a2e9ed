//! The room against what it speaks with: a real DNS (BIND) with zones that are signed, unsigned and broken, and Debian's Postfix behind it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a fixture that cannot be made fails its test where it stands"
)]

mod dnssec;
mod postfix;
mod transport;
