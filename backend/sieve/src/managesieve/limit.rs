//! What a peer may ask of us, in one place. How long it may be silent is the driver's business.

/// Octets of a command without its literals.
pub const LINE_OCTETS: usize = 8 * 1024;
/// Octets of a literal: a script's, and as much more as shows that it is too long.
pub const LITERAL_OCTETS: usize = crate::limit::SCRIPT_OCTETS + 64 * 1024;
/// Octets of a literal before somebody has logged in (RFC 5804 §4 asks for SASL's alone).
pub const EARLY_LITERAL_OCTETS: usize = 8 * 1024;
/// Strings, numbers and words of one command.
pub const WORDS: usize = 8;
/// Commands not understood or out of place, until the session ends.
pub const BAD_COMMANDS: u32 = 20;
/// Log-ins refused, until the session ends. What counts over connections is the log-in service's business.
pub const REFUSED_LOGINS: u32 = 3;
/// Faults of a script that are told.
pub const FAULTS_TOLD: usize = 20;
