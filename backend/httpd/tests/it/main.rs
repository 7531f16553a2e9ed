//! Panel and API as browsers and programs meet them, over a real store: every route as each role and as nobody, and what each
//! request must bring along.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a fixture that cannot be made fails its test where it stands; what is skipped says so"
)]

mod acts;
mod api;
mod api_house;
mod api_roles;
mod autoconfig;
mod guards;
mod house;
mod moving;
mod phone;
mod post;
mod roles;
mod webmail;
