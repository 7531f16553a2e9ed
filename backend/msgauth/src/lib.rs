//! Whose mail it is: SPF, DKIM, DMARC and ARC, checked and signed.
//!
//! **In.** [`authenticate`] checks a message against the DNS and says of each method how it came out and why; the whole goes into one
//! Authentication-Results field ([`Authentication::field`]), after [`results::without_forged`] has taken out those that only claim to be ours.
//! [`dmarc::dispose`] decides what the author's policy makes of it. **Out.** [`dkim::sign`] signs what our people send, [`arc::seal`] what we forward.
//!
//! Invariants: no clock, no socket and no runtime; the DNS is asked through [`Resolver`] alone, whose time is limited by who made it. Strangers' octets are read within named limits, in time linear to
//! their length; how often the DNS is asked for one message is bounded. Reasons are values; their sentences stand in the catalogue (`auth.ftl`, see [`reason`]).
//!
//! A new method is a module with a `check`, a field in [`Authentication`] and a line in [`results`].

pub mod arc;
mod authenticate;
pub mod dkim;
pub mod dmarc;
pub mod iprev;
pub mod reason;
pub mod report;
mod resolver;
pub mod results;
pub mod spf;
pub mod srs;
mod tags;
pub mod testing;

pub use authenticate::{Authentication, Facts, authenticate};
pub use resolver::{Answering, Family, Lack, Resolver};
pub use tags::TagsError;
