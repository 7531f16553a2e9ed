//! The server's side: a session of SMTP, submission or LMTP.
//!
//! A driver is one loop over [`Session::step`]:
//!
//! ```text
//! Read       wait Session::timeout for octets: feed them (none: the peer hung up); time over: expire
//! Write      send them
//! StartTls   make the handshake, then tls_started; where it fails, drop the connection
//! Ask        decide, then answer
//! Chunk      keep these octets of the message; where that fails: abandon, and go on
//! Discard    forget the message that has begun
//! Refuse     the same, for it can't be taken
//! Close      close the connection
//! ```

mod config;
mod intake;
mod session;
mod step;

pub use config::{Config, Limits, Role};
pub use intake::too_large;
pub use session::Session;
pub use step::{Answer, Question, Step};
