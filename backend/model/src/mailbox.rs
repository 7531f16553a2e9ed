//! Mailboxes' names and uses.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::{UnicodeNormalization, is_nfc};

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
    /// A control character (RFC 9051 §5.1), or one that parts lines or paragraphs (RFC 6855 §3).
    #[error("the name holds a control character or line separator")]
    ControlCharacter,
}

/// A mailbox's full name in UTF-8, [normalised](Self::normalise), levels parted by [`HIERARCHY_SEPARATOR`]: 1 to 1,000 octets
/// (RFC 9051 §5.1). INBOX, and INBOX as the first level, is in capitals however it was written.
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

    /// A name, or part of one, as it is kept and compared: in Unicode's NFC (RFC 9051 §5.1, RFC 5198 §3). No separator comes of
    /// it or goes with it, so that a name's levels are normalised when the name is.
    pub fn normalise(text: &str) -> Cow<'_, str> {
        if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
    }

    /// Takes a decoded (UTF-8) name, normalised or not.
    pub fn parse(text: &str) -> Result<Self, MailboxNameError> {
        let text = Self::normalise(text).into_owned();
        if text.len() > Self::MAX_OCTETS || text.split(HIERARCHY_SEPARATOR).count() > Self::MAX_LEVELS {
            return Err(MailboxNameError::TooLong);
        }
        if text.chars().any(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')) {
            return Err(MailboxNameError::ControlCharacter);
        }
        if text.split(HIERARCHY_SEPARATOR).any(str::is_empty) {
            return Err(MailboxNameError::EmptyLevel);
        }
        let (first, rest) = text.split_at(text.find(HIERARCHY_SEPARATOR).unwrap_or(text.len()));
        if first.eq_ignore_ascii_case("INBOX") { Ok(Self(format!("INBOX{rest}"))) } else { Ok(Self(text)) }
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
    use proptest::prelude::*;
    use unicode_normalization::{IsNormalized, is_nfc_quick};

    /// RFC 9051 §5.1: INBOX knows no case, also as a parent.
    #[test]
    fn inbox_knows_no_case() {
        assert!(MailboxName::parse("inBox").unwrap().is_inbox());
        assert_eq!(MailboxName::parse("inbox/a").unwrap().as_str(), "INBOX/a");
        assert_eq!(MailboxName::parse("inboxes").unwrap().as_str(), "inboxes");
        assert_eq!(MailboxName::parse("a//b"), Err(MailboxNameError::EmptyLevel));
        assert!(MailboxName::parse("a/b").unwrap().is_below(&MailboxName::parse("a").unwrap()));
    }

    /// RFC 9051 §5.1, RFC 5198 §3: one spelling of each name, whichever was given.
    #[test]
    fn names_are_normalised() {
        #[track_caller]
        fn check(given: &str, kept: &str) {
            assert_eq!(MailboxName::parse(given).unwrap().as_str(), kept, "{given:?}");
        }
        check("Cafe\u{301}", "Caf\u{e9}");
        check("Caf\u{e9}", "Caf\u{e9}");
        check("a/o\u{308}/u\u{308}", "a/\u{f6}/\u{fc}");
        check("inbox/e\u{301}", "INBOX/\u{e9}");
        // Marks in another order, a letter that has a twin, Hangul in parts, and one that is never composed.
        check("a\u{301}\u{323}", "\u{1ea1}\u{301}");
        check("\u{212b}", "\u{c5}");
        check("\u{1112}\u{1161}\u{11ab}", "\u{d55c}");
        check("\u{958}", "\u{915}\u{93c}");
        // Only what is the same letter is made one: neither case nor width is (NFKC would).
        check("\u{fb01}\u{ff21}", "\u{fb01}\u{ff21}");
        // A mark with nothing before it in its level stays there.
        check("a/\u{301}b", "a/\u{301}b");
        check("INBOX\u{307}", "INBO\u{1e8a}");
    }

    /// What stands for a level's end or for other names (LIST's `*` and `%`) neither comes of normalising nor is lost to it.
    #[test]
    fn separators_and_wildcards_are_left_alone() {
        let special = [HIERARCHY_SEPARATOR, '*', '%'];
        let stays = |character| is_nfc_quick(std::iter::once(character)) == IsNormalized::Yes;
        for character in ('\u{80}'..=char::MAX).filter(|character| !stays(*character)) {
            for one in special {
                let text = String::from_iter([one, character]);
                let kept = MailboxName::normalise(&text);
                assert!(kept.starts_with(one) && kept.matches(special).count() == 1, "{text:?}");
            }
        }
    }

    /// What counts is the name as it is kept.
    #[test]
    fn names_are_measured_as_they_are_kept() {
        let given = "e\u{301}".repeat(500);
        assert_eq!((given.len(), MailboxName::parse(&given).unwrap().as_str().len()), (1500, 1000));
        assert_eq!(MailboxName::parse(&"\u{958}".repeat(300)), Err(MailboxNameError::TooLong));
    }

    /// RFC 6855 §3.
    #[test]
    fn names_hold_no_control_characters_and_no_breaks() {
        for one in ['\0', '\n', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}'] {
            assert_eq!(MailboxName::parse(&format!("a{one}b")), Err(MailboxNameError::ControlCharacter), "{one:?}");
        }
    }

    proptest! {
        /// Whichever way a name is spelled it is the same name, and so are the levels above it.
        #[test]
        fn spellings_are_one_name(text in "([a-zA-Z/ ]|[\u{c0}-\u{24f}\u{300}-\u{345}\u{1100}-\u{11ff}\u{1e00}-\u{1fff}\u{ac00}-\u{d7a3}]|\\PC){1,12}") {
            let Ok(name) = MailboxName::parse(&text) else { return Ok(()) };
            prop_assert!(is_nfc(name.as_str()));
            for spelling in [text.nfd().collect::<String>(), text.nfc().collect(), name.as_str().nfd().collect(), name.to_string()] {
                prop_assert_eq!(&MailboxName::parse(&spelling).unwrap(), &name, "{:?}", spelling);
            }
            let above = text.rsplit_once(HIERARCHY_SEPARATOR).map(|(above, _)| MailboxName::parse(above).unwrap());
            prop_assert_eq!(name.parent(), above.clone());
            prop_assert!(above.is_none_or(|above| name.is_below(&above)));
        }
    }
}
