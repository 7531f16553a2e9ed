//! How much a client may ask for at once.

/// All limits of the language, in one place. What is past one is refused; the session goes on where that is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a command, without its literals. RFC 9051 §4 (note) asks for 8,192 at least; clients send long UID sets.
    pub line_octets: usize,
    /// Octets of all literals of a command together, APPEND's messages aside.
    pub literal_octets: usize,
    /// [`Self::line_octets`] before log-in.
    pub early_line_octets: usize,
    /// [`Self::literal_octets`] before log-in.
    pub early_literal_octets: usize,
    /// Octets that a client may make us read and throw away after a refused literal it did not wait to send (RFC 7888 §4).
    /// What is larger ends the session; before log-in, what is larger than [`Self::early_literal_octets`].
    pub swallow_octets: u64,
    /// Depth of parentheses and NOTs in SEARCH.
    pub nesting: usize,
    /// Keys of a SEARCH, at any depth.
    pub search_keys: usize,
    /// Ranges of a sequence set.
    pub ranges: usize,
    /// Items of any other list: flags, FETCH items, header fields, patterns.
    pub list_items: usize,
    /// Messages of one APPEND (RFC 3502).
    pub append_messages: u32,
    /// Pieces of one APPEND: messages, literals and URLs (RFC 4469).
    pub append_items: u32,
    /// Groups of a NOTIFY (RFC 5465).
    pub event_groups: usize,
    /// Commands in a row that cannot be read, until the session ends.
    pub bad_commands: u32,
    /// [`Self::bad_commands`] before log-in, in a row or not.
    pub early_bad_commands: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_octets: 64 * 1024,
            literal_octets: 64 * 1024,
            early_line_octets: 32 * 1024, // RFC 2971 §3.3: an ID of 30 long fields must pass
            early_literal_octets: 8 * 1024,
            swallow_octets: 256 * 1024 * 1024,
            nesting: 32,
            search_keys: 1000,
            ranges: 10_000,
            list_items: 1000,
            append_messages: 1000,
            append_items: 300_000,
            event_groups: 32,
            bad_commands: 20,
            early_bad_commands: 5,
        }
    }
}
