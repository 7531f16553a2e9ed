//! Pigeonhole's test scripts, the RFCs' examples, and what must hold for any input.

mod suite;
