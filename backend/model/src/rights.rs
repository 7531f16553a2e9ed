//! What somebody may do with a mailbox (RFC 4314).

use std::fmt;

/// Rights on a mailbox (RFC 4314 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u16);

/// Each right, in the order in which they are told.
const LETTERS: [char; 11] = ['l', 'r', 's', 'w', 'i', 'p', 'k', 'x', 't', 'e', 'a'];

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// `l`: sees that it is there.
    pub const LOOKUP: Self = Self(1);
    /// `r`: opens it, reads and copies messages.
    pub const READ: Self = Self(1 << 1);
    /// `s`: marks messages as seen.
    pub const SEEN: Self = Self(1 << 2);
    /// `w`: changes all flags but `\Seen` and `\Deleted`.
    pub const WRITE: Self = Self(1 << 3);
    /// `i`: puts messages into it.
    pub const INSERT: Self = Self(1 << 4);
    /// `p`: kept and told; what it lets somebody do is left open (RFC 4314 §2.1), and nothing here asks it.
    pub const POST: Self = Self(1 << 5);
    /// `k`: makes mailboxes below it.
    pub const CREATE: Self = Self(1 << 6);
    /// `x`: removes and renames it.
    pub const REMOVE: Self = Self(1 << 7);
    /// `t`: marks messages as deleted.
    pub const MARK_DELETED: Self = Self(1 << 8);
    /// `e`: expunges what is marked.
    pub const EXPUNGE: Self = Self(1 << 9);
    /// `a`: says who may do what.
    pub const ADMINISTER: Self = Self(1 << 10);
    /// All: an owner's.
    pub const ALL: Self = Self((1 << LETTERS.len()) - 1);

    /// Reads letters; none where one isn't a right (RFC 4314 §3.1). `c` and `d` of RFC 2086 mean what has followed them (§2.1.1).
    pub fn parse(text: &str) -> Option<Self> {
        text.chars().try_fold(Self::NONE, |rights, letter| {
            let more = match letter {
                'c' => Self::CREATE.with(Self::REMOVE),
                'd' => Self::MARK_DELETED.with(Self::EXPUNGE),
                letter => Self(1 << LETTERS.iter().position(|known| *known == letter)?),
            };
            Some(rights.with(more))
        })
    }

    /// Their letters, each once, without those of RFC 2086: [`Rights::parse`] reads them as the same.
    pub fn letters(self) -> String {
        self.each().map(|(letter, _)| letter).collect()
    }

    /// Each right that is there, with its letter.
    pub fn each(self) -> impl Iterator<Item = (char, Self)> {
        let all = LETTERS.into_iter().enumerate().map(|(bit, letter)| (letter, Self(1 << bit)));
        all.filter(move |(_, right)| self.has(*right))
    }

    /// Those of `self` and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of `self` that aren't in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` are there.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether one of `other` is there, at least.
    pub const fn has_some(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl fmt::Display for Rights {
    /// As IMAP tells them: with `c` and `d` for clients of RFC 2086, where something of what they meant is there (RFC 4314 §2.1.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = self.without(Self::ADMINISTER).letters();
        let old = [
            ("c", Self::CREATE.with(Self::REMOVE)),
            ("d", Self::MARK_DELETED.with(Self::EXPUNGE)),
            ("a", Self::ADMINISTER),
        ];
        f.write_str(&new)?;
        old.into_iter().filter(|(_, rights)| self.has_some(*rights)).try_for_each(|(letter, _)| f.write_str(letter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_letters() {
        let check = |text: &str, told: &str, kept: &str| {
            let rights = Rights::parse(text).unwrap();
            assert_eq!((rights.to_string(), rights.letters()), (told.to_owned(), kept.to_owned()), "{text}");
            assert_eq!(Rights::parse(kept), Some(rights), "{text}");
        };
        check("lrswipkxtea", "lrswipkxtecda", "lrswipkxtea");
        check("lrs", "lrs", "lrs");
        check("dc", "kxtecd", "kxte");
        check("x", "xc", "x");
        check("", "", "");
        assert_eq!(Rights::parse("lrQ"), None);
        assert_eq!(Rights::parse("lrq"), None);
        assert_eq!(Rights::ALL.to_string(), "lrswipkxtecda");
        assert_eq!(Rights::parse("i"), Some(Rights::INSERT));
        assert_eq!(Rights::parse("a"), Some(Rights::ADMINISTER));
    }
}
