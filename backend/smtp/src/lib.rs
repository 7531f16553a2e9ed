//! SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033): the languages, without sockets.
//!
//! - [`command`] and [`reply`]: what stands on one line, parsed and written.
//! - [`server`]: the session machine behind ports 25, 465, 587 and the LMTP socket.
//! - [`client`]: the machine that carries mail to MX hosts, relay hosts and LMTP servers.
//! - [`sts`]: what a domain says of the TLS that its mail is to have (MTA-STS).
//!
//! Both machines are fed octets and answer with steps; a driver of one loop stands between them and the world.
//!
//! Invariants: no clock, no socket, no task here. A machine never panics, whatever it is fed, and how the octets were cut
//! changes nothing. A line ends with CRLF; a bare CR or LF ends neither a command nor a message. Octets that came before
//! a TLS handshake are never looked at after it. No message is ever held whole.
//!
//! To add an extension: its parameter in `command`, its keyword in the session's `announce`, its facts in the model's
//! envelope, a transcript in `tests/transcripts`.

pub mod client;
pub mod command;
pub mod reply;
pub mod server;
pub mod sts;

mod xtext;
