//! ACL (RFC 4314): who may do what with a mailbox.

use std::fmt;

use relais_model::MailboxName;

use super::reader::{Reader, Refusal};

/// Rights on a mailbox (RFC 4314 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u16);

/// Each right, in the order in which they are told.
const LETTERS: [char; 11] = ['l', 'r', 's', 'w', 'i', 'p', 'k', 'x', 't', 'e', 'a'];

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// All: an owner's.
    pub const ALL: Self = Self((1 << LETTERS.len()) - 1);

    /// Reads letters; none where one isn't a right (RFC 4314 §3.1). `c` and `d` of RFC 2086 mean what has followed them (§2.1.1).
    pub fn parse(text: &str) -> Option<Self> {
        text.chars().try_fold(Self::NONE, |rights, letter| {
            let more = match letter {
                'c' => Self::of(&['k', 'x']),
                'd' => Self::of(&['t', 'e']),
                letter => Self(1 << LETTERS.iter().position(|known| *known == letter)?),
            };
            Some(Self(rights.0 | more.0))
        })
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

    fn of(letters: &[char]) -> Self {
        let bits = LETTERS.iter().enumerate().filter(|(_, letter)| letters.contains(letter));
        Self(bits.fold(0, |rights, (bit, _)| rights | 1 << bit))
    }

    fn has_some(self, letters: &[char]) -> bool {
        self.0 & Self::of(letters).0 != 0
    }
}

impl fmt::Display for Rights {
    /// With `c` and `d` for clients of RFC 2086, where something of what they meant is there (RFC 4314 §2.1.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in LETTERS.into_iter().filter(|letter| *letter != 'a' && self.has_some(&[*letter])) {
            write!(f, "{letter}")?;
        }
        let old = [('c', self.has_some(&['k', 'x'])), ('d', self.has_some(&['t', 'e'])), ('a', self.has_some(&['a']))];
        old.into_iter().filter(|(_, is_there)| *is_there).try_for_each(|(letter, _)| write!(f, "{letter}"))
    }
}

/// What SETACL does with the rights that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsChange {
    /// They replace those before.
    Set(Rights),
    /// `+`
    Add(Rights),
    /// `-`
    Remove(Rights),
}

impl RightsChange {
    /// What becomes of these.
    #[must_use]
    pub const fn apply(self, rights: Rights) -> Rights {
        match self {
            Self::Set(new) => new,
            Self::Add(more) => rights.with(more),
            Self::Remove(less) => rights.without(less),
        }
    }
}

/// SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    /// Of which mailbox.
    pub mailbox: MailboxName,
    /// What is asked or done.
    pub act: AclAct,
}

/// What is asked of rights, or done with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclAct {
    /// GETACL.
    Get,
    /// MYRIGHTS.
    Mine,
    /// LISTRIGHTS: what this one may be given.
    List(String),
    /// SETACL.
    Set(String, RightsChange),
    /// DELETEACL.
    Delete(String),
}

impl Reader<'_> {
    pub(super) fn acl(&mut self, name: &str) -> Result<Acl, Refusal> {
        let mailbox = self.mailbox_argument()?;
        let act = match name {
            "GETACL" => AclAct::Get,
            "MYRIGHTS" => AclAct::Mine,
            "LISTRIGHTS" => AclAct::List(self.identifier()?),
            "DELETEACL" => AclAct::Delete(self.identifier()?),
            _ => AclAct::Set(self.identifier()?, self.rights_change()?),
        };
        Ok(Acl { mailbox, act })
    }

    fn identifier(&mut self) -> Result<String, Refusal> {
        self.space()?;
        let identifier = self.text()?;
        // RFC 4314 §3.
        let is_text = !identifier.is_empty() && !identifier.chars().any(char::is_control);
        if is_text { Ok(identifier) } else { Err(self.bad("That is nobody's name")) }
    }

    fn rights_change(&mut self) -> Result<RightsChange, Refusal> {
        self.space()?;
        let before = self.position();
        let text = self.text()?;
        let (change, letters): (fn(Rights) -> RightsChange, &str) = match text.chars().next() {
            Some('+') => (RightsChange::Add, text.strip_prefix('+').unwrap_or_default()),
            Some('-') => (RightsChange::Remove, text.strip_prefix('-').unwrap_or_default()),
            _ => (RightsChange::Set, &text),
        };
        Rights::parse(letters).map(change).ok_or_else(|| {
            self.back_to(before);
            self.bad("One of these is no right")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_letters() {
        let check = |text: &str, told: &str| assert_eq!(Rights::parse(text).unwrap().to_string(), told);
        check("lrswipkxtea", "lrswipkxtecda");
        check("lrs", "lrs");
        check("dc", "kxtecd");
        check("x", "xc");
        check("", "");
        assert_eq!(Rights::parse("lrQ"), None);
        assert_eq!(Rights::parse("lrq"), None);
        assert_eq!(Rights::ALL.to_string(), "lrswipkxtecda");
    }

    #[test]
    fn rights_change() {
        let rights = |text| Rights::parse(text).unwrap();
        assert_eq!(RightsChange::Add(rights("cd")).apply(rights("lr")), rights("lrkxte"));
        assert_eq!(RightsChange::Remove(rights("r")).apply(rights("lr")), rights("l"));
        assert_eq!(RightsChange::Set(rights("r")).apply(Rights::ALL), rights("r"));
        assert!(Rights::ALL.has(rights("a")) && !rights("lr").has(rights("rs")));
    }
}
