//! Sieve: scripts checked, run and written (RFC 5228 and its extensions), people's rules, and ManageSieve.
//!
//! **How it flows.** [`Program::compile`] reads a script and checks all that can be known before a message comes; each
//! [`Fault`] has line, column and a hint. [`Program::compile_all`] goes through what it includes, too. A [`Run`] goes through a program over
//! the [`Facts`] of one message for one recipient: [`Run::step`] asks ([`Question`]) what only the caller's store knows, [`Run::answer`]
//! takes the answer, and at the end stands an [`Outcome`]: what is to be done, as plain values. Where a script fails, that is to keep the
//! message, and [`Outcome::failure`] says why.
//!
//! **What the joining code does.** At delivery, with what the recipient's account has:
//! 1. [`Program::compile`] once a script and [`Dialect`], kept: a [`Program`] is cheap to clone.
//! 2. [`Run::new`] for the first script (the house's before, the account's, the house's after), [`Run::after`] for the next, as long
//!    as [`Outcome::is_kept`]. Between [`Run::step`]s it answers from the store; [`Question`] says with which [`Answer`].
//! 3. It does the [`Action`]s in its own transaction, each over [`Action::edited`], else over the message as received: [`Acting::Keep`]
//!    and [`Acting::FileInto`] are copies (INBOX where the mailbox isn't there), [`Acting::Redirect`] a queued copy with
//!    [`redirect::mark`] before it, unless [`redirect::has_passed`]; [`Acting::Reject`] a refusal, in the session where it can be;
//!    [`Acting::Vacation`] a [`vacation::Reply`] from [`vacation::Vacation::reply`], unless [`vacation::Reply::key`] was answered
//!    within its time; [`Acting::Notify`] a notice to [`Notice::method`]. No action at all: the message is discarded.
//! 4. It notes [`Outcome::seen`], and tells the owner of a failure, once.
//!
//! In IMAP (RFC 6785) it is the same with [`Facts::is_at_imap`], [`Facts::flags`] and the items `imap.…` of [`Facts::environment`]; there the
//! message lies where it is already, so no [`Acting::Keep`] means that it is to go. The panel and webmail show [`rules::Rules`] and keep what [`rules::Rules::write`] gives; a script that
//! [`rules::Rules::read`] doesn't know was written by hand. "Try it" is a [`Run`] whose outcome nobody does. [`managesieve::Session`] is
//! driven like POP3's. [`import`] makes scripts of what others' filters had.
//!
//! Invariants: no I/O, no clock, no chance. What a script may cost is bounded by [`limit`], whatever it is and whatever the message
//! is; [`Limits`] are the owner's. A program that was checked never panics and always ends. Nothing here reads the store: what a script
//! can learn is what the caller answers.
//!
//! **Where to add an extension:** its name in `capability`, its commands and tests as rows in [`form`], their meaning in `compile` and `run`,
//! its examples in `tests/it/examples.rs`.

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
mod said;
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
