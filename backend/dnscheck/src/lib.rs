//! The DNS records that mail wants.
mod dkim;
mod dkim_key;
mod dmarc;
mod judge;
mod look;
mod mta_sts;
mod present;
mod reach;
mod reason;
mod record;
pub mod spf;
mod tags;
#[cfg(test)]
mod testing;
mod wanted;
pub use dkim::*;
pub use dkim_key::*;
pub use dmarc::*;
pub use judge::*;
pub use look::*;
pub use mta_sts::*;
pub use present::*;
pub use reach::*;
pub use reason::*;
pub use record::*;
pub use wanted::*;
