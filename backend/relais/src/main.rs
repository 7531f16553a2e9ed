//! Turns a bare Linux host into a complete mail system.

fn main() {}
