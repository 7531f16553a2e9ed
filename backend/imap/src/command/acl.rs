//! ACL (RFC 4314): who may do what with a mailbox.

use relais_model::{MailboxName, Rights};

use super::reader::{Reader, Refusal};

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
    fn rights_change() {
        let rights = |text| Rights::parse(text).unwrap();
        assert_eq!(RightsChange::Add(rights("cd")).apply(rights("lr")), rights("lrkxte"));
        assert_eq!(RightsChange::Remove(rights("r")).apply(rights("lr")), rights("l"));
        assert_eq!(RightsChange::Set(rights("r")).apply(Rights::ALL), rights("r"));
        assert!(Rights::ALL.has(rights("a")) && !rights("lr").has(rights("rs")));
    }
}
