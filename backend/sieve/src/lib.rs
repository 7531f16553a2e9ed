//! Sieve: scripts checked, run and written (RFC 5228 and its extensions).
//!
//! **How it flows.** [`Program::compile`] reads a script and checks all that can be known before a message comes; each
//! [`Fault`] has line, column and a hint. A [`Run`] goes through a program over the [`Facts`] of one message for one recipient:
//! [`Run::step`] asks ([`Question`]) what only the caller's store knows, [`Run::answer`] takes the answer, and at the end stands
//! an [`Outcome`]: what is to be done, as plain values. Where a script fails, that is to keep the message.
//!
//! Invariants: no I/O, no clock, no chance. What a script may cost is bounded by [`limit`], whatever it is and whatever the message
//! is; [`Limits`] are the owner's. A program that was checked never panics and always ends.

mod capability;
mod compile;
mod date;
mod facts;
mod fault;
pub mod form;
pub mod import;
mod includes;
mod letter;
mod lexer;
pub mod limit;
pub mod managesieve;
mod matching;
mod notify;
mod outcome;
mod print;
mod program;
pub mod redirect;
pub mod rules;
mod run;
mod syntax;
mod template;
pub mod vacation;

pub use capability::{Capabilities, Capability};
pub use compile::Dialect;
pub use facts::{Answer, DeliverBy, Envelope, Facts, HostArgument, Question};
pub use fault::{Fault, Position, Problem};
pub use limit::Limits;
pub use notify::Mailto;
pub use outcome::{Acting, Action, Failure, Filing, Notice, Outcome, Recipient, Redirection, Seen, Why};
pub use program::{Included, Place, Program};
pub use run::{Run, Step};
pub use syntax::{Argument, Node, Script, Value};
