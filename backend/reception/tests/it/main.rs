//! Reception on a real store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a fixture that cannot be made fails its test where it stands"
)]

mod app_passwords;
mod bans;
mod desk;
mod filters;
mod house;
mod login;
mod networks;
mod recipient;
mod scripts;
mod sending;
mod spam;
mod trust;
