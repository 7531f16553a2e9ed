//! What a client has enabled.

use crate::command::Extension;

/// What a client has enabled (RFC 9051 §6.3.1, RFC 7162 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is there or not, and none follows from another but QRESYNC's")]
pub struct Enabled {
    /// CONDSTORE: FETCH responses carry MODSEQ.
    pub condstore: bool,
    /// QRESYNC: VANISHED instead of EXPUNGE.
    pub qresync: bool,
    /// UTF8=ACCEPT.
    pub utf8_accept: bool,
    /// IMAP4rev2: ESEARCH instead of SEARCH, and the other changes of RFC 9051 Appendix E.
    pub imap4rev2: bool,
    /// METADATA: changes of notes are told.
    pub metadata: bool,
    /// UIDONLY: UIDFETCH and VANISHED, never a sequence number (RFC 9586).
    pub uid_only: bool,
}

impl Enabled {
    /// Whether this one is.
    pub const fn has(self, extension: Extension) -> bool {
        match extension {
            Extension::CondStore => self.condstore,
            Extension::QResync => self.qresync,
            Extension::Utf8Accept => self.utf8_accept,
            Extension::Imap4Rev2 => self.imap4rev2,
            Extension::Metadata => self.metadata,
            Extension::UidOnly => self.uid_only,
        }
    }

    /// Whether names and quoted strings are UTF-8 (RFC 6855 §3, RFC 9051 §5.1).
    pub const fn utf8(self) -> bool {
        self.utf8_accept || self.imap4rev2
    }

    /// Enables this one; whether it wasn't before. QRESYNC brings CONDSTORE along (RFC 7162 §3.2.3).
    pub(super) const fn enable(&mut self, extension: Extension) -> bool {
        let before = match extension {
            Extension::CondStore => std::mem::replace(&mut self.condstore, true),
            Extension::QResync => {
                self.condstore = true;
                std::mem::replace(&mut self.qresync, true)
            }
            Extension::Utf8Accept => std::mem::replace(&mut self.utf8_accept, true),
            Extension::Imap4Rev2 => std::mem::replace(&mut self.imap4rev2, true),
            Extension::Metadata => std::mem::replace(&mut self.metadata, true),
            Extension::UidOnly => std::mem::replace(&mut self.uid_only, true),
        };
        !before
    }
}
