//! The extensions, by the names that `require` takes.

use std::fmt;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// An extension of Sieve. All of these are here, in full but for what docs/sieve.md says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Capability {
            $($(#[$doc])* $variant,)*
        }

        impl Capability {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As `require` names it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

capabilities! {
    /// RFC 5173.
    Body = "body",
    /// RFC 4790 §9.3.
    AsciiNumeric = "comparator-i;ascii-numeric",
    /// RFC 5228 §2.7.3: always there.
    AsciiCasemap = "comparator-i;ascii-casemap",
    /// RFC 5228 §2.7.3: always there.
    Octet = "comparator-i;octet",
    /// RFC 5051.
    UnicodeCasemap = "comparator-i;unicode-casemap",
    /// RFC 3894.
    Copy = "copy",
    /// RFC 5260 §4.
    Date = "date",
    /// RFC 7352.
    Duplicate = "duplicate",
    /// RFC 5293.
    EditHeader = "editheader",
    /// RFC 5703 §6.
    Enclose = "enclose",
    /// RFC 5228 §2.4.2.4.
    EncodedCharacter = "encoded-character",
    /// RFC 5435, with RFC 5436's mailto.
    Enotify = "enotify",
    /// RFC 5228 §5.4.
    Envelope = "envelope",
    /// RFC 6009 §3.
    EnvelopeDeliverBy = "envelope-deliverby",
    /// RFC 6009 §2.
    EnvelopeDsn = "envelope-dsn",
    /// RFC 5183.
    Environment = "environment",
    /// RFC 5429 §2.1.
    Ereject = "ereject",
    /// RFC 5703 §7.
    ExtractText = "extracttext",
    /// RFC 6134.
    ExtLists = "extlists",
    /// RFC 8580.
    Fcc = "fcc",
    /// RFC 5228 §4.1.
    FileInto = "fileinto",
    /// RFC 5703 §3.
    ForEveryPart = "foreverypart",
    /// RFC 5463.
    IHave = "ihave",
    /// RFC 5232.
    Imap4Flags = "imap4flags",
    /// RFC 6785.
    ImapSieve = "imapsieve",
    /// RFC 6609.
    Include = "include",
    /// RFC 5260 §6.
    Index = "index",
    /// RFC 5490 §3.
    Mailbox = "mailbox",
    /// RFC 9042.
    MailboxId = "mailboxid",
    /// RFC 5490 §4.
    MboxMetadata = "mboxmetadata",
    /// RFC 5703 §4.
    Mime = "mime",
    /// RFC 6009 §5.
    RedirectDeliverBy = "redirect-deliverby",
    /// RFC 6009 §4.
    RedirectDsn = "redirect-dsn",
    /// draft-ietf-sieve-regex.
    Regex = "regex",
    /// RFC 5429 §2.2.
    Reject = "reject",
    /// RFC 5231.
    Relational = "relational",
    /// RFC 5703 §5.
    Replace = "replace",
    /// RFC 5490 §5.
    ServerMetadata = "servermetadata",
    /// RFC 5235 §2.
    SpamTest = "spamtest",
    /// RFC 5235 §2.3.
    SpamTestPlus = "spamtestplus",
    /// RFC 8579.
    SpecialUse = "special-use",
    /// RFC 5233.
    SubAddress = "subaddress",
    /// RFC 5230.
    Vacation = "vacation",
    /// RFC 6131.
    VacationSeconds = "vacation-seconds",
    /// RFC 5229.
    Variables = "variables",
    /// RFC 5235 §3.
    VirusTest = "virustest",
}

impl Capability {
    /// By its name; names are compared by octets (RFC 5228 §3.2).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|capability| capability.as_str() == name)
    }

    /// What comes along with it: RFC 6131 §3 (vacation), RFC 5235 §2.3 (spamtest).
    pub(crate) const fn brings(self) -> Option<Self> {
        match self {
            Self::VacationSeconds => Some(Self::Vacation),
            Self::SpamTestPlus => Some(Self::SpamTest),
            _ => None,
        }
    }

    const fn bit(self) -> u64 {
        1 << self as u8
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u64);

impl Capabilities {
    /// All that are here.
    pub fn all() -> Self {
        Capability::ALL.iter().fold(Self::default(), |set, capability| set.with(*capability))
    }

    /// This set and `capability`.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// This set without `capability`.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !capability.bit())
    }

    /// Whether `capability` is in it.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// In the order of their names' first letters.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.iter().copied().filter(move |capability| self.has(*capability))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for capability in Capability::ALL {
            assert_eq!(Capability::parse(capability.as_str()), Some(*capability));
        }
        assert_eq!(Capability::parse("FileInto"), None);
        assert_eq!(Capabilities::all().iter().count(), Capability::ALL.len());
        assert!(!Capabilities::all().without(Capability::Reject).has(Capability::Reject));
    }
}
