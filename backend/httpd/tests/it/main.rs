//! The doors for browsers and programs, over a real store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy knows tests, not their helpers"
)]

mod api;
mod api_house;
mod api_roles;
