//! The suites that others wrote, the standards' own examples, and properties.

mod arc;
mod dkim;
mod dmarc;
mod keys;
mod properties;
mod report;
mod spf;
mod suites;
