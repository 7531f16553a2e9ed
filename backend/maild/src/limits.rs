//! All limits and timeouts of the doors, in one place.

use std::time::Duration;

/// What the doors allow. The defaults serve a host of 1 GB; `relais.toml` changes them under `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once, over all listeners. Past it a new one hears a polite refusal.
    pub connections: usize,
    /// Connections at once from one address (IPv6: from one /64); loopback is free.
    pub connections_per_address: usize,
    /// Sessions at once of one account, over all doors and addresses.
    pub connections_per_account: usize,
    /// Octets of one message, in and out.
    pub message_octets: u64,
    /// Recipients of one transaction (RFC 5321 §4.5.3.1.8 wants 100 at least).
    pub recipients: usize,
    /// Transactions of one SMTP session.
    pub transactions: usize,
    /// From accept to the end of the TLS handshake, PROXY header included.
    pub handshake: Duration,
    /// Silence between two SMTP commands or pieces of data (RFC 5321 §4.5.3.2.7 wants 5 minutes at least).
    pub smtp_idle: Duration,
    /// One SMTP session, whatever it does: slow senders are cut off here.
    pub smtp_session: Duration,
    /// From the greeting to the log-in, IMAP and POP3, silent or not.
    pub login_idle: Duration,
    /// Silence after log-in (RFC 9051 §5.4 wants 30 minutes at least).
    pub imap_idle: Duration,
    /// While a long IMAP command is under way: between two lines that say how far it is (RFC 9585 §4 wants 10 to 15 seconds).
    pub imap_progress: Duration,
    /// Messages that one IMAP command is given: FETCH, STORE, SEARCH, MOVE, UID EXPUNGE, COPY, APPEND (RFC 9738 §3 wants 1,000 at least).
    /// High: programs that don't know of it take what they get for all.
    pub imap_messages: u32,
    /// IMAP connections can begin anew with another account (RFC 8437): for programs that act for many. Off by default, for a
    /// proxy before us may not know of it (§8).
    pub imap_unauthenticate: bool,
    /// Silence of POP3 (RFC 1939 §3 wants 10 minutes at least).
    pub pop3_idle: Duration,
    /// A peer that takes nothing of what we write.
    pub write_stall: Duration,
    /// From the stop signal to the last connection's end.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_mins(1);
        Self {
            connections: 10_000,
            connections_per_address: 200,
            connections_per_account: 100,
            message_octets: 50 * 1024 * 1024,
            recipients: 1000,
            transactions: 1000,
            handshake: Duration::from_secs(30),
            smtp_idle: 5 * MINUTE,
            smtp_session: 60 * MINUTE,
            login_idle: 3 * MINUTE,
            imap_idle: 31 * MINUTE,
            imap_progress: Duration::from_secs(10),
            imap_messages: 1_000_000,
            imap_unauthenticate: false,
            pop3_idle: 10 * MINUTE,
            write_stall: 2 * MINUTE,
            drain: Duration::from_secs(20),
        }
    }
}
