//! Mailboxes' names and uses.

use std::fmt;

/// The one separator of levels in a mailbox's name (RFC 9051 §5.1.1).
pub const HIERARCHY_SEPARATOR: char = '/';

/// Why a text is no mailbox's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxNameError {
    /// Empty, or an empty level: `a//b`, `/a`, `a/`.
    #[error("a level of the name is empty")]
    EmptyLevel,
    /// Over 1,000 octets, or more than 32 levels.
    #[error("the name is too long: 1,000 octets and 32 levels are allowed")]
    TooLong,
    /// A control character (RFC 9051 §5.1).
    #[error("the name holds a control character")]
    ControlCharacter,
}

/// A mailbox's full name in UTF-8, levels parted by [`HIERARCHY_SEPARATOR`]: 1 to 1,000 octets (RFC 9051 §5.1). INBOX, and
/// INBOX as the first level, is in capitals however it was written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName(String);

impl MailboxName {
    /// Octets of a name, at most.
    pub const MAX_OCTETS: usize = 1000;
    /// Levels of a name, at most.
    pub const MAX_LEVELS: usize = 32;

    /// The mailbox that each account has and where new mail goes.
    pub fn inbox() -> Self {
        Self("INBOX".to_owned())
    }

    /// Takes a decoded (UTF-8) name.
    pub fn parse(text: &str) -> Result<Self, MailboxNameError> {
        if text.len() > Self::MAX_OCTETS || text.split(HIERARCHY_SEPARATOR).count() > Self::MAX_LEVELS {
            return Err(MailboxNameError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(MailboxNameError::ControlCharacter);
        }
        if text.split(HIERARCHY_SEPARATOR).any(str::is_empty) {
            return Err(MailboxNameError::EmptyLevel);
        }
        let (first, rest) = text.split_at(text.find(HIERARCHY_SEPARATOR).unwrap_or(text.len()));
        if first.eq_ignore_ascii_case("INBOX") { Ok(Self(format!("INBOX{rest}"))) } else { Ok(Self(text.to_owned())) }
    }

    /// The full name in UTF-8.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is INBOX itself.
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// The name one level up.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once(HIERARCHY_SEPARATOR).map(|(parent, _)| Self(parent.to_owned()))
    }

    /// Whether it lies below `other`, at any depth.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.starts_with(HIERARCHY_SEPARATOR))
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// What a mailbox is for (RFC 6154 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// All messages of the account.
    All,
    /// Kept, out of the way.
    Archive,
    /// Not finished.
    Drafts,
    /// All that is flagged.
    Flagged,
    /// Unwanted.
    Junk,
    /// Copies of what was sent.
    Sent,
    /// Deleted, not yet expunged.
    Trash,
}

impl SpecialUse {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::All, Self::Archive, Self::Drafts, Self::Flagged, Self::Junk, Self::Sent, Self::Trash];

    /// With its backslash.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "\\All",
            Self::Archive => "\\Archive",
            Self::Drafts => "\\Drafts",
            Self::Flagged => "\\Flagged",
            Self::Junk => "\\Junk",
            Self::Sent => "\\Sent",
            Self::Trash => "\\Trash",
        }
    }

    /// From its name with the backslash, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|special_use| special_use.as_str().eq_ignore_ascii_case(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9051 §5.1: INBOX knows no case, also as a parent.
    #[test]
    fn inbox_knows_no_case() {
        assert!(MailboxName::parse("inBox").unwrap().is_inbox());
        assert_eq!(MailboxName::parse("inbox/a").unwrap().as_str(), "INBOX/a");
        assert_eq!(MailboxName::parse("inboxes").unwrap().as_str(), "inboxes");
        assert_eq!(MailboxName::parse("a//b"), Err(MailboxNameError::EmptyLevel));
        assert!(MailboxName::parse("a/b").unwrap().is_below(&MailboxName::parse("a").unwrap()));
    }
}
