//! ManageSieve's server side: octets in, steps out (RFC 5804).
//!
//! How a session flows: [`Session::feed`] takes what the peer sent, [`Session::step`] says what is to be done next, and the driver
//! does it: it reads, writes, starts TLS, answers a [`Question`] by [`Session::answer`], closes. Scripts are checked here, before the
//! driver is asked to keep them.
//!
//! Invariants: no I/O, no clock, no store. Until somebody has logged in nothing of an account is asked for. A script with faults never
//! reaches the store. How the peer's octets are split changes nothing in the answers. What is kept of a peer's input is limited by
//! [`limit`].

mod command;
pub mod limit;
mod session;

pub use session::{Answer, Config, Listed, Question, Session, Step};
