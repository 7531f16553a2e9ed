//! Flags of a message (RFC 9051 §2.3.2).

use std::fmt;

/// Why a text is no flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// A backslash before a name that is no system flag.
    #[error("`{0}` is no system flag")]
    UnknownSystemFlag(String),
    /// RFC 9051 §9: flag-keyword is an atom. We allow 1 to 100 octets.
    #[error("`{0}` is no keyword: an atom of 1 to 100 octets")]
    Keyword(String),
}

/// The flags with a backslash. `\Recent` is gone since RFC 9051 and is never kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemFlag {
    /// It has been read.
    Seen,
    /// It has been answered.
    Answered,
    /// It wants attention.
    Flagged,
    /// EXPUNGE will take it away.
    Deleted,
    /// It isn't finished.
    Draft,
}

impl SystemFlag {
    /// All five, in the order in which they are written.
    pub const ALL: [Self; 5] = [Self::Answered, Self::Flagged, Self::Deleted, Self::Seen, Self::Draft];

    /// With its backslash.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "\\Seen",
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
        }
    }

    /// Its bit in a [`SystemFlags`]; kept in the database, so never changed.
    pub const fn bit(self) -> u8 {
        match self {
            Self::Seen => 1,
            Self::Answered => 2,
            Self::Flagged => 4,
            Self::Deleted => 8,
            Self::Draft => 16,
        }
    }
}

/// A set of system flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SystemFlags(u8);

impl SystemFlags {
    /// The lower five bits of `bits`.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 31)
    }

    /// One bit a flag: [`SystemFlag::bit`].
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// This set and `flag`.
    #[must_use]
    pub const fn with(self, flag: SystemFlag) -> Self {
        Self(self.0 | flag.bit())
    }

    /// Whether `flag` is in it.
    pub const fn contains(self, flag: SystemFlag) -> bool {
        self.0 & flag.bit() != 0
    }
}

/// A flag that people and programs make up: an atom, compared without case (RFC 9051 §2.3.2). The spelling is kept.
#[derive(Clone)]
pub struct Keyword(String);

impl Keyword {
    /// An atom of 1 to 100 octets.
    pub fn parse(text: &str) -> Result<Self, FlagError> {
        let is_atom = text.bytes().all(|octet| octet.is_ascii_graphic() && !b"(){%*\"\\]".contains(&octet));
        if (1..=100).contains(&text.len()) && is_atom {
            Ok(Self(text.to_owned()))
        } else {
            Err(FlagError::Keyword(text.to_owned()))
        }
    }

    /// As it was first spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl std::hash::Hash for Keyword {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

impl fmt::Debug for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Either kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Flag {
    /// With a backslash.
    System(SystemFlag),
    /// Without.
    Keyword(Keyword),
}

impl Flag {
    /// Takes a flag as IMAP writes it. `\Recent` is an error here; who wants to pass over it does so before.
    pub fn parse(text: &str) -> Result<Self, FlagError> {
        if !text.starts_with('\\') {
            return Keyword::parse(text).map(Self::Keyword);
        }
        let named = SystemFlag::ALL.into_iter().find(|flag| flag.as_str().eq_ignore_ascii_case(text));
        named.map(Self::System).ok_or_else(|| FlagError::UnknownSystemFlag(text.to_owned()))
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(flag) => f.write_str(flag.as_str()),
            Self::Keyword(keyword) => f.write_str(keyword.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9051 §2.3.2: flags are compared without case.
    #[test]
    fn flags_know_no_case() {
        assert_eq!(Flag::parse("\\SEEN"), Ok(Flag::System(SystemFlag::Seen)));
        assert_eq!(Flag::parse("$junk"), Flag::parse("$Junk"));
        assert!(Flag::parse("\\Recent").is_err());
        assert!(Flag::parse("two words").is_err());
    }
}
