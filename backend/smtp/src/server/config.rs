//! What a listener sets: who we are, what is offered, and every limit.

use std::time::Duration;

use relais_model::{Domain, Tls};

/// One listener's settings, the same for all its sessions.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in greetings, and the domain of `<postmaster>` without one.
    pub host_name: Domain,
    /// Which of the doors this is.
    pub role: Role,
    /// Whether TLS is there, and on, as the connection begins.
    pub tls: Tls,
    /// Offer AUTH without TLS: for a TLS proxy or loopback, never by default.
    pub login_without_tls: bool,
    /// SCRAM is offered beside PLAIN and LOGIN.
    pub scram: bool,
    /// Announce REQUIRETLS (RFC 8689), under TLS only: set it only where it is kept on every way out.
    pub keeps_require_tls: bool,
    /// All limits.
    pub limits: Limits,
}

/// The doors (RFC 5598 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Port 25: from strangers; no AUTH.
    Relay,
    /// Ports 587 and 465 (RFC 6409, RFC 8314): AUTH before MAIL. 465 is this with [`Tls::Active`].
    Submission,
    /// LMTP (RFC 2033): one reply a recipient; no AUTH.
    Lmtp,
}

/// Every limit of a session. The defaults suit a server on the internet.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A command line with its CRLF. RFC 5321 §4.5.3.1.4 says 512; parameters of extensions need more.
    pub command_line_octets: usize,
    /// The same for AUTH and its responses (RFC 4954 §4 says 12288).
    pub login_line_octets: usize,
    /// A line inside a message, without its CRLF. RFC 5321 §4.5.3.1.6 says 998; real mail has longer ones.
    pub text_line_octets: usize,
    /// A message, announced by SIZE (RFC 1870).
    pub message_octets: u64,
    /// Recipients of one transaction, announced as RCPTMAX (RFC 9422): at least 100 (RFC 5321 §4.5.3.1.8).
    pub recipients: usize,
    /// Transactions of one session, announced as MAILMAX (RFC 9422).
    pub transactions: usize,
    /// Commands refused (unknown, malformed, out of order, refused recipients) before 421.
    pub errors: usize,
    /// Commands that move nothing (NOOP, RSET, VRFY, HELP, a hello again) between two messages; each above it is an error.
    pub idle_commands: usize,
    /// Log-ins refused before 421.
    pub failed_logins: usize,
    /// The wait for a command (RFC 5321 §4.5.3.2.7: at least 5 minutes).
    pub command_timeout: Duration,
    /// The wait for more of a message. RFC 5321 §4.5.3.2.5 gives clients 3 minutes a block.
    pub data_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_line_octets: 4096,
            login_line_octets: 12_288,
            text_line_octets: 65_536,
            message_octets: 50 * 1024 * 1024,
            recipients: 1000,
            transactions: 1000,
            errors: 20,
            idle_commands: 100,
            failed_logins: 3,
            command_timeout: Duration::from_mins(5),
            data_timeout: Duration::from_mins(5),
        }
    }
}
