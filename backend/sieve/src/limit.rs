//! What a script may cost, in one place.
//!
//! The constants bound what is kept of a script; [`Limits`] bounds what one run of it may do.

/// Octets of one script.
pub const SCRIPT_OCTETS: usize = 1024 * 1024;
/// Tokens of one script.
pub const TOKENS: usize = 200_000;
/// Octets of one string that stands in a script.
pub const STRING_OCTETS: usize = 256 * 1024;
/// Strings of one list.
pub const LIST_STRINGS: usize = 4096;
/// Blocks in blocks, tests in tests.
pub const NESTING: usize = 32;
/// Faults that are told of one script.
pub const FAULTS: usize = 100;
/// Octets of a regular expression.
pub const REGEX_OCTETS: usize = 2048;
/// What a regular expression weighs: about its characters, each as often as `{…}` repeats it. So much work is an octet of the text.
pub const REGEX_WEIGHT: usize = 1000;
/// What all regular expressions of a script weigh together: making them costs time and memory.
pub const REGEX_WEIGHT_OF_ALL: usize = 20_000;
/// Octets of a body's text that a regular expression looks at.
pub const REGEX_BODY_OCTETS: usize = 512 * 1024;
/// Octets that a compiled regular expression may take, and those of its cache when it runs.
pub const REGEX_MEMORY: usize = 512 * 1024;
/// Octets of a variable's value: what is longer is cut (RFC 5229 §3: never an error).
pub const VALUE_OCTETS: usize = 32 * 1024;
/// Octets of a variable's name (RFC 5229 §6 asks for 32).
pub const NAME_OCTETS: usize = 64;
/// Variables that exist at once (RFC 5229 §6 asks for 128).
pub const VARIABLES: usize = 256;
/// Match variables (RFC 5229 §3.2 asks for `${0}` to `${9}`).
pub const MATCHES: usize = 32;
/// Octets of text that a `body` test looks at.
pub const BODY_OCTETS: usize = 4 * 1024 * 1024;
/// Values of a header that one test looks at.
pub const VALUES: usize = 10_000;
/// Flags that a message gets.
pub const FLAGS: usize = 64;
/// Changes of one message: fields added or removed, bodies replaced.
pub const EDITS: usize = 32;
/// `foreverypart` inside `foreverypart` (RFC 5703 §3 asks for two).
pub const LOOPS: usize = 4;
/// Octets of a reason, a vacation's text or a notice.
pub const REASON_OCTETS: usize = 64 * 1024;

/// What one run may do. An owner may choose other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Actions of all kinds (RFC 5228 §2.10.5).
    pub actions: usize,
    /// Of these, messages sent on.
    pub redirects: usize,
    /// Notices.
    pub notices: usize,
    /// Scripts that include each other, one inside the other (RFC 6609 §3.1).
    pub include_depth: usize,
    /// Inclusions of one run, or of one script that is checked with all that it includes.
    pub includes: usize,
    /// Work, in octets looked at, about; each instruction costs some, too. A message of the usual size takes thousands.
    pub work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { actions: 32, redirects: 4, notices: 4, include_depth: 10, includes: 255, work: 256 * 1024 * 1024 }
    }
}
