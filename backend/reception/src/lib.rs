//! What may come in, and as what: who may log in, which recipients are taken at which door, what is done to a submission.
//!
//! - `login`: the one log-in of IMAP, POP3 and SMTP AUTH, and its limits. `networks`: what a network may do at port 25. `bans`: who is refused now, by either, for people, and kept over a restart.
//! - `visit`: who stands at which door. `recipient`: may this recipient come in there?
//! - `desk`: a message from MAIL to the reply after its last dot. `sending`: what an account may send; `hold`: whether it sends as never before. `outcome`: what became of each recipient then. `spool`: a message while it comes in. `disk`: is there room for it?
//! - `proof`: whose mail a stranger's message is. `spam`: whether anybody wants it. `filters`: what programs that aren't ours say of it. `judge`: what becomes of it, by all that was found.
//!
//! # Invariants
//! - Only who has logged in may send to other hosts; no network is trusted.
//! - No [`Identity`] exists before a log-in was granted.

mod bans;
mod bounded;
mod desk;
mod disk;
mod filters;
mod hold;
mod judge;
mod login;
mod network;
mod networks;
mod outcome;
mod proof;
mod recipient;
mod sending;
mod spam;
mod spool;
mod tally;
mod visit;

pub use bans::{Ban, BanKeeper, BanReason, BanTarget, Banned};
pub use desk::{
    Arrival, ImapAct, ImapCause, Incoming, Reception, ReceptionConfig, Trial, Tried, TriedScripts, prepare,
};
pub use disk::Disk;
pub use filters::filters_set;
pub use hold::{Bars, Behaviour, facts, judge as judge_behaviour};
pub use login::{
    AddAppPasswordError, HashError, Identity, Login, LoginAnswer, LoginAttempt, MAX_PASSWORD_OCTETS, Protocol,
    ScramAttempt, ScramStart, TokenAttempt, VERIFIED_FOR, is_known_hash,
};
pub use network::Network;
pub use networks::{Fault, Guest, Porter, Slowness, TurnedAway};
pub use recipient::{recipient, refuse};
pub use relais_filing::Plan;
pub use relais_filing::script::{dialect as script_dialect, limits as script_limits};
pub use sending::{Sent, Sum, limits_of, sent_of};
pub use spam::{Filter, Lists, Tutor};
pub use spool::{Held, Spool, Spooled, Spooler};
pub use tally::Tally;
pub use visit::{Door, Visit};
