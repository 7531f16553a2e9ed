//! DNS for mail: the providers that hold a domain's records.
//!
//! - [`provider`]: one trait, and behind it the programs and companies that serve zones: what stands there is read, what would change is
//!   shown, done, and undone.

pub mod provider;
