//! What a peer may ask of us, in one place. How long it may be silent is the driver's business.

/// Octets of a command's line with its line end (RFC 2449 §4).
pub const COMMAND_OCTETS: usize = 255;
/// Octets of an AUTH command's line and of the lines that follow it (RFC 5034 §4 leaves them to the mechanism).
pub const AUTH_OCTETS: usize = 8192;
/// Commands not understood or out of place, until the session ends.
pub const BAD_COMMANDS: u32 = 20;
/// Log-ins refused, until the session ends. What counts over connections is the log-in service's business.
pub const REFUSED_LOGINS: u32 = 3;
/// A step to write is given when this many octets have gathered; a message's chunk may make it larger.
pub const OUTPUT_OCTETS: usize = 64 * 1024;
