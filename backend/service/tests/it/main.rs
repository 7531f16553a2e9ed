//! The use-cases, on a real store in a temporary folder, with a clock that moves only when told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests, not their helpers"
)]

mod access;
