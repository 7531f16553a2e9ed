//! TLS, as a session over a connection knows it.

/// TLS of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// There is none.
    Absent,
    /// The client may start it (STARTTLS, STLS).
    Offered,
    /// The connection is under it.
    Active,
}
