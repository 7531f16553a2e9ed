//! The suites that others wrote, the standards' own examples, and properties.

mod dkim;
mod keys;
mod spf;
mod suites;
