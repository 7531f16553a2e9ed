//! POP3's server side: octets in, steps out (RFC 1939 with the extensions that CAPA names).
//!
//! How a session flows: [`Session::feed`] takes what the peer sent, [`Session::step`] says what is to be done next, and the
//! driver does it: it reads, writes, starts TLS, answers a [`Question`] by [`Session::answer`], closes. A message asked for
//! is given in chunks to [`Session::message`], which writes it in POP3's form.
//!
//! Invariants: no I/O, no clock, no store. Until `Ask(Login)` was answered with [`Answer::LoggedIn`] and the maildrop is
//! open, no command reaches it. Messages leave the maildrop by `Ask(Commit)` alone, which only QUIT brings about. How the
//! peer's octets are split changes nothing in the answers. What is kept of a peer's input is limited by [`limit`].
//!
//! Where to add a command: a variant in `command`, an arm in `session`, its capability in `session::capabilities`, and a
//! transcript in `tests/transcripts`.

mod command;
mod encoder;
pub mod limit;
mod listing;
mod maildrop;
mod session;

pub use encoder::MessageEncoder;
pub use maildrop::Maildrop;
pub use session::{Answer, Config, Question, Session, Step};
