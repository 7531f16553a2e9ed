//! Pigeonhole's test scripts, the RFCs' examples, and what must hold for any input.

mod managesieve;
mod rules;
mod suite;
