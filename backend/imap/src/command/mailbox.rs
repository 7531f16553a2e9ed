//! Mailboxes as a whole: SELECT, CREATE, LIST, LSUB, STATUS and the quota commands.

use relais_model::{HIERARCHY_SEPARATOR, MailboxName, ModSeq, SpecialUse, UidValidity};

use super::Command;
use super::metadata::EntryName;
use super::reader::{Reader, Reason, Refusal, old_name};
use crate::list::ListQuery;
use crate::sequence::SequenceSet;

/// SELECT and EXAMINE (RFC 9051 §6.3.2, RFC 7162).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// Which one.
    pub mailbox: MailboxName,
    /// What the client calls it, where that isn't normalised: the answer tells both names (RFC 9051 §6.3.9.7).
    pub old_name: Option<String>,
    /// EXAMINE.
    pub read_only: bool,
    /// The CONDSTORE parameter (RFC 7162 §3.1.8).
    pub condstore: bool,
    /// The QRESYNC parameter.
    pub qresync: Option<QResync>,
}

/// What the client knows already (RFC 7162 §3.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QResync {
    /// Where it isn't the mailbox's, the rest means nothing.
    pub uid_validity: UidValidity,
    /// The last that the client knows.
    pub mod_seq: ModSeq,
    /// The UIDs that it knows; none: all.
    pub known_uids: Option<SequenceSet>,
    /// Sequence numbers and the UIDs they had, to spare it VANISHED for what it knows (RFC 7162 §3.2.5.2).
    pub matches: Option<(SequenceSet, SequenceSet)>,
}

/// CREATE (RFC 9051 §6.3.4, RFC 6154 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// Without the separator that clients may put at its end.
    pub mailbox: MailboxName,
    /// As in [`Select`].
    pub old_name: Option<String>,
    /// The USE parameter.
    pub special_uses: Vec<SpecialUse>,
}

/// LIST (RFC 9051 §6.3.9, RFC 5258, RFC 6154, RFC 5819) and LSUB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Which mailboxes. The return options CHILDREN and SPECIAL-USE aren't in it: what they ask for is always told.
    pub query: ListQuery,
    /// Return option STATUS: a STATUS response for each; empty: none.
    pub status: Vec<StatusItem>,
    /// Return option MYRIGHTS (RFC 8440): a MYRIGHTS response for each.
    pub my_rights: bool,
    /// Return option METADATA (RFC 9590): a METADATA response of these for each; empty: none.
    pub metadata: Vec<EntryName>,
}

/// What STATUS tells (RFC 9051 §6.3.11, RFC 3501, RFC 7162 §3.1.7, RFC 7889, RFC 8474 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusItem {
    /// MESSAGES.
    Messages,
    /// UIDNEXT.
    UidNext,
    /// UIDVALIDITY.
    UidValidity,
    /// UNSEEN.
    Unseen,
    /// DELETED.
    Deleted,
    /// SIZE.
    Size,
    /// RECENT, of IMAP4rev1.
    Recent,
    /// HIGHESTMODSEQ: a client that asks for it enables CONDSTORE.
    HighestModSeq,
    /// APPENDLIMIT.
    AppendLimit,
    /// MAILBOXID.
    MailboxId,
    /// DELETED-STORAGE (RFC 9208 §4.2.2).
    DeletedStorage,
}

impl StatusItem {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Messages,
        Self::UidNext,
        Self::UidValidity,
        Self::Unseen,
        Self::Deleted,
        Self::Size,
        Self::Recent,
        Self::HighestModSeq,
        Self::AppendLimit,
        Self::MailboxId,
        Self::DeletedStorage,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::Unseen => "UNSEEN",
            Self::Deleted => "DELETED",
            Self::Size => "SIZE",
            Self::Recent => "RECENT",
            Self::HighestModSeq => "HIGHESTMODSEQ",
            Self::AppendLimit => "APPENDLIMIT",
            Self::MailboxId => "MAILBOXID",
            Self::DeletedStorage => "DELETED-STORAGE",
        }
    }
}

impl Reader<'_> {
    pub(super) fn select(&mut self, read_only: bool) -> Result<Select, Refusal> {
        let (mailbox, old_name) = self.spelled_argument()?;
        let mut select = Select { mailbox, old_name, read_only, condstore: false, qresync: None };
        if self.skip(b' ') && self.peek().is_some() {
            self.list(|reader| match reader.word().as_str() {
                "CONDSTORE" => {
                    select.condstore = true;
                    Ok(())
                }
                "QRESYNC" => {
                    reader.expect(b' ')?;
                    select.qresync = Some(reader.qresync()?);
                    Ok(())
                }
                _ => Err(reader.bad("Unknown parameter of SELECT")),
            })?;
        }
        Ok(select)
    }

    fn qresync(&mut self) -> Result<QResync, Refusal> {
        self.expect(b'(')?;
        let Some(uid_validity) = UidValidity::new(self.number()?) else {
            return Err(self.bad("0 is no UIDVALIDITY"));
        };
        self.expect(b' ')?;
        let Some(mod_seq) = self.mod_seq()? else { return Err(self.bad("0 is no MODSEQ")) };
        let mut qresync = QResync { uid_validity, mod_seq, known_uids: None, matches: None };
        let mut more = self.skip(b' ');
        if more && self.peek() != Some(b'(') {
            qresync.known_uids = Some(self.plain_set()?);
            more = self.skip(b' ');
        }
        if more && self.uid_only {
            return Err(self.needs_uid()); // RFC 9586
        }
        if more {
            self.expect(b'(')?;
            let sequence_numbers = self.plain_set()?;
            self.expect(b' ')?;
            qresync.matches = Some((sequence_numbers, self.plain_set()?));
            self.expect(b')')?;
        }
        self.expect(b')')?;
        Ok(qresync)
    }

    /// RFC 7162 §3.2.5: the sets of QRESYNC hold no `*`.
    fn plain_set(&mut self) -> Result<SequenceSet, Refusal> {
        let set = self.sequence_set()?;
        if set.is_plain() { Ok(set) } else { Err(self.bad("`*` and `$` are not allowed here")) }
    }

    pub(super) fn create(&mut self) -> Result<Create, Refusal> {
        self.space()?;
        let text = self.mailbox_text()?;
        // RFC 9051 §6.3.4: a separator at the end says that children are to come; it is no part of the name.
        let text = text.strip_suffix(HIERARCHY_SEPARATOR).unwrap_or(&text);
        let mailbox = MailboxName::parse(text).map_err(|error| self.no_name(&error))?;
        let mut special_uses = Vec::new();
        if self.skip(b' ') && self.peek().is_some() {
            self.expect(b'(')?;
            if !self.skip_word("USE") {
                return Err(self.bad("Unknown parameter of CREATE"));
            }
            self.expect(b' ')?;
            special_uses = self.list_or_none(Self::special_use)?;
            self.expect(b')')?;
        }
        Ok(Create { mailbox, old_name: old_name(text), special_uses })
    }

    pub(super) fn delete(&mut self) -> Result<Command, Refusal> {
        let (mailbox, old_name) = self.spelled_argument()?;
        Ok(Command::Delete { mailbox, old_name })
    }

    pub(super) fn rename(&mut self) -> Result<Command, Refusal> {
        let (from, from_spelled) = self.spelled_argument()?;
        let (to, to_spelled) = self.spelled_argument()?;
        let old_name = from_spelled.or_else(|| to_spelled.is_some().then(|| from.to_string()));
        Ok(Command::Rename { from, to, old_name })
    }

    fn spelled_argument(&mut self) -> Result<(MailboxName, Option<String>), Refusal> {
        self.space()?;
        self.spelled_mailbox()
    }

    fn special_use(&mut self) -> Result<SpecialUse, Refusal> {
        let text = self.some(|octet| octet == b'\\' || octet.is_ascii_alphabetic(), "A use is expected here")?;
        SpecialUse::parse(text).ok_or_else(|| self.refuse(Reason::SpecialUse, "No mailbox has this use here"))
    }

    pub(super) fn list_command(&mut self) -> Result<List, Refusal> {
        self.space()?;
        let mut list = List { query: ListQuery::default(), status: Vec::new(), my_rights: false, metadata: Vec::new() };
        if self.peek() == Some(b'(') {
            list.query.is_extended = true;
            self.list_or_none(|reader| reader.list_select(&mut list.query))?;
            if list.query.is_recursive && !list.query.only_subscribed && !list.query.only_special_use {
                return Err(self.bad("RECURSIVEMATCH doesn't stand alone")); // RFC 9051 §6.3.9.1
            }
            self.space()?;
        }
        list.query.reference = self.pattern()?;
        self.space()?;
        if self.peek() == Some(b'(') {
            list.query.is_extended = true;
            list.query.patterns = self.list(Self::pattern)?;
        } else {
            list.query.patterns.push(self.pattern()?);
        }
        if self.skip(b' ') && self.peek().is_some() {
            list.query.is_extended = true;
            if !self.skip_word("RETURN") {
                return Err(self.bad("RETURN is expected here"));
            }
            self.space()?;
            self.list_or_none(|reader| reader.list_return(&mut list))?;
        }
        Ok(list)
    }

    fn list_select(&mut self, query: &mut ListQuery) -> Result<(), Refusal> {
        match self.word().as_str() {
            "SUBSCRIBED" => query.only_subscribed = true,
            "RECURSIVEMATCH" => query.is_recursive = true,
            "SPECIAL-USE" => query.only_special_use = true,
            "REMOTE" => (), // RFC 9051 §6.3.9.1: also those of other servers; there are none
            _ => return Err(self.bad("Unknown selection option")),
        }
        Ok(())
    }

    fn list_return(&mut self, list: &mut List) -> Result<(), Refusal> {
        match self.word().as_str() {
            "SUBSCRIBED" => list.query.tell_subscribed = true,
            "CHILDREN" | "SPECIAL-USE" => (),
            "STATUS" => list.status = self.status_argument()?,
            "MYRIGHTS" => list.my_rights = true,
            "METADATA" => {
                self.expect(b' ')?;
                list.metadata = self.list(Self::entry_name)?;
            }
            _ => return Err(self.bad("Unknown return option")),
        }
        Ok(())
    }

    pub(super) fn lsub(&mut self) -> Result<List, Refusal> {
        self.space()?;
        let reference = self.pattern()?;
        self.space()?;
        let patterns = vec![self.pattern()?];
        let query = ListQuery { reference, patterns, is_lsub: true, ..ListQuery::default() };
        Ok(List { query, status: Vec::new(), my_rights: false, metadata: Vec::new() })
    }

    pub(super) fn status_argument(&mut self) -> Result<Vec<StatusItem>, Refusal> {
        self.space()?;
        let mut items = Vec::new();
        self.list(|reader| {
            let word = reader.word();
            let item = StatusItem::ALL.into_iter().find(|item| item.as_str() == word);
            let item = item.ok_or_else(|| reader.bad("Unknown item of STATUS"))?;
            if !items.contains(&item) {
                items.push(item);
            }
            Ok(())
        })?;
        Ok(items)
    }

    pub(super) fn quota_root(&mut self) -> Result<String, Refusal> {
        self.space()?;
        self.text()
    }

    pub(super) fn set_quota(&mut self) -> Result<String, Refusal> {
        let root = self.quota_root()?;
        self.space()?;
        self.list_or_none(|reader| {
            reader.atom()?;
            reader.expect(b' ')?;
            reader.number64()
        })?;
        Ok(root)
    }
}
