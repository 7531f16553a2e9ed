//! What a peer may ask of us, in one place.

use std::time::Duration;

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
/// How long the driver waits for a command before it calls [`Session::expire`](crate::Session::expire) (RFC 1939 §3: ten
/// minutes at least once logged in).
pub const IDLE: Duration = Duration::from_mins(10);
/// The same before the log-in, where RFC 1939 asks for nothing and strangers may be many.
pub const IDLE_BEFORE_LOGIN: Duration = Duration::from_mins(1);
