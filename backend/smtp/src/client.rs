//! The client's side: carries messages to an MX host, a relay host or an LMTP server.
//!
//! A driver connects, then loops over [`Client::step`]:
//!
//! ```text
//! Read       wait Client::timeout for octets: feed them (none: the peer hung up); time over: expire
//! Write      send them
//! StartTls   make the handshake, then tls_started; where it fails: break_off(Fault::Tls)
//! SendBody   stream the message through the encoder, then body_sent
//! Idle       nothing to do: send a message, or quit
//! Done       a message's fate, recipient by recipient; step on
//! Close      close the connection
//! ```

mod commands;
mod encoder;
mod machine;
mod outcome;

pub use encoder::{Encoder, Transfer};
pub use machine::{Client, Config, Credentials, Language, Step, TlsPolicy};
pub use outcome::{Fate, Fault, Offer, Outcome, Stage};

/// RFC 5321 §4.5.3.2: how long a client waits at each stage.
pub mod timeouts {
    use std::time::Duration;

    /// The greeting (§4.5.3.2.1).
    pub const GREETING: Duration = Duration::from_mins(5);
    /// EHLO, STARTTLS, AUTH, RSET: the RFC names none; as MAIL.
    pub const COMMAND: Duration = Duration::from_mins(5);
    /// MAIL (§4.5.3.2.2).
    pub const MAIL: Duration = Duration::from_mins(5);
    /// RCPT (§4.5.3.2.3).
    pub const RCPT: Duration = Duration::from_mins(5);
    /// DATA until 354 (§4.5.3.2.4).
    pub const DATA_INITIATION: Duration = Duration::from_mins(2);
    /// Each block that is written (§4.5.3.2.5).
    pub const DATA_BLOCK: Duration = Duration::from_mins(3);
    /// The final dot, or BDAT LAST (§4.5.3.2.6): giving up early doubles messages.
    pub const DATA_TERMINATION: Duration = Duration::from_mins(10);
    /// QUIT: nothing hangs on its reply.
    pub const QUIT: Duration = Duration::from_secs(5);
}
