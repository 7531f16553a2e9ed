//! Whose mail it is: SPF, DKIM, DMARC and ARC, checked and signed.

pub mod dkim;
pub mod iprev;
pub mod resolver;
pub mod spf;
mod tags;
pub mod testing;

pub use tags::TagsError;
