//! What may come in, and as what: who may log in, which recipients are taken at which door, what is done to a submission.
//!
//! - `login`: the one log-in of IMAP, POP3 and SMTP AUTH, and its limits.
//! - `visit`: who stands at which door. `recipient`: may this recipient come in there?
//! - `desk`: a message from MAIL to the reply after its end. `sending`: what an account may send in a day. `fate`: what became of each recipient then. `spool`: a message while it comes in. `disk`: is there room for it?
//! - `proof`: whose mail a stranger's message is. `signing`: our people's is signed.
//!
//! # Invariants
//! - Only who has logged in may send to other hosts; no network is trusted.
//! - No [`Identity`] exists before a log-in was granted.

mod desk;
mod disk;
mod fate;
mod login;
mod proof;
mod recipient;
mod sending;
mod signing;
mod spool;
mod tally;
mod visit;

pub use desk::{Arrival, Incoming, Reception, ReceptionConfig, prepare};
pub use disk::Disk;
pub use login::{
    AddAppPasswordError, Ban, BanTarget, Banned, HashError, Identity, Login, LoginAnswer, LoginAttempt,
    MAX_PASSWORD_OCTETS, Network, Protocol, ScramAttempt, ScramStart, VERIFIED_FOR, is_known_hash,
};
pub use recipient::{recipient, refuse};
pub use relais_filing::Plan;
pub use spool::{Held, Spool, Spooled, Spooler};
pub use tally::Tally;
pub use visit::{Door, Visit};
