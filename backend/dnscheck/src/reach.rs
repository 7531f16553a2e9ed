//! Reaching hosts as others reach them: port 25, the policy's web server.

mod tcp;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use relais_model::Domain;

use crate::look::Answering;

pub use tcp::TcpReach;

/// Who answers at a door for mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpFace {
    /// The name in its greeting, its first word (RFC 5321 §4.2).
    pub name: String,
    /// What it showed when TLS was asked for.
    pub tls: TlsFace,
}

/// What a host shows when TLS is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFace {
    /// It doesn't offer STARTTLS.
    NotOffered,
    /// It offers it, and the handshake fails.
    Failed(String),
    /// A certificate.
    Shown(CertificateFace),
}

/// A host's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFace {
    /// The DNS names that it bears, in lower case; wildcards as they stand.
    pub names: Vec<String>,
    /// Why the web's authorities don't vouch for it, or its time is over; none where all is well. Its names are not looked at for this.
    pub distrust: Option<String>,
    /// SHA-256 of its public key: what a TLSA record `3 1 1` says.
    pub key: [u8; 32],
}

/// Why a host wasn't reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// Nobody listens.
    Refused,
    /// No answer in time, or no way there.
    Timeout,
    /// What answered didn't speak the language: what it said, or how it broke off.
    Strange(String),
}

/// What a web server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAnswer {
    /// Its status; a redirect is not followed (RFC 8461 §3.3).
    pub status: u16,
    /// Its body, up to [`crate::POLICY_OCTETS`]; octets that are no UTF-8 stand as U+FFFD.
    pub body: String,
}

/// Why a web server wasn't reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebFailure {
    /// No connection, or it broke off.
    Unreached(String),
    /// Its certificate isn't good for the name (RFC 8461 §3.3).
    Certificate(String),
}

/// Reaches hosts. Each method ends within a time limit of its own.
pub trait Reach: Send + Sync + fmt::Debug {
    /// Greets the server at `remote`, asks for TLS for the name `host`, and leaves. No message is begun.
    fn smtp<'a>(&'a self, remote: SocketAddr, host: &'a Domain) -> Answering<'a, Result<SmtpFace, Unreached>>;

    /// `GET https://HOST/.well-known/mta-sts.txt` at one of `addresses`, the certificate checked as senders do.
    fn policy<'a>(&'a self, host: &'a Domain, addresses: &'a [IpAddr]) -> Answering<'a, Result<WebAnswer, WebFailure>>;

    /// Connects, waits for a greeting, and leaves.
    fn greets(&self, remote: SocketAddr) -> Answering<'_, Result<(), Unreached>>;
}
