//! The room against what it speaks with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests, not their helpers"
)]

mod provider;
