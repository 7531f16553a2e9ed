//! The worker with a CA that tests can make fail, and the real one (Debian's pebble) with all three challenges.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "clippy knows tests, not their helpers"
)]

mod house;
mod pebble;
mod working;
