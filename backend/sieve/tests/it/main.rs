//! Pigeonhole's test scripts, the RFCs' examples, and what must hold for any input.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may")]

mod examples;
mod import;
mod limits;
mod managesieve;
mod peers;
mod rules;
mod scene;
mod suite;
