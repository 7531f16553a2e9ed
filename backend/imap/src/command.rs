//! What clients ask for: the types of all commands, and how they are read.
//!
//! [`parse`] takes one whole command. What only moves the dialogue along (log-in, IDLE, STARTTLS…) is a [`Dialogue`] and is
//! answered by the session; the rest is a [`Command`] for the driver. APPEND is neither: its messages are streamed, see
//! [`append`].

pub mod acl;
pub mod append;
pub mod fetch;
pub mod filter;
pub mod login;
pub mod mailbox;
pub mod metadata;
pub mod notify;
pub(crate) mod reader;
pub mod search;
pub mod store;

use std::fmt;

use relais_model::MailboxName;

pub use acl::{Acl, AclAct, RightsChange};
pub use fetch::{Fetch, FetchItem, FetchSection, Partial, SectionName};
pub use filter::MailboxFilter;
pub use login::{Authenticate, Extension, Login};
pub use mailbox::{Create, List, QResync, Select, StatusItem};
pub use metadata::{Depth, EntryName, GetMetadata, SetMetadata};
pub use notify::{EventGroup, Events, Notify};
pub use reader::{Reason, Refusal};
pub use search::{MultiSearch, Search, SearchKey, SearchReturn, Sort, Thread, ThreadAlgorithm};
pub use store::{Store, StoreAct};

use crate::limits::Limits;
use crate::sequence::SequenceSet;
use reader::{Reader, is_atom_char};

/// What a client puts before a command and we before the answer: 1 to 64 octets (RFC 9051 §2.2.1, §9 `tag`).
#[derive(Clone, PartialEq, Eq)]
pub struct Tag(Box<str>);

impl Tag {
    /// Octets of a tag, at most. The standard names no limit; what is longer is no client's.
    pub const MAX_OCTETS: usize = 64;

    /// As it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a whole text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_tag = text.bytes().all(|octet| (is_atom_char(octet) || octet == b']') && octet != b'+');
        (is_tag && (1..=Self::MAX_OCTETS).contains(&text.len())).then(|| Self(text.into()))
    }

    /// The tag of a command that perhaps cannot be read any further.
    pub fn recover(line: &[u8]) -> Option<Self> {
        let word = line.split(|octet| matches!(octet, b' ' | b'\r' | b'\n')).next()?;
        Self::parse(std::str::from_utf8(word).ok()?)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a session stands (RFC 9051 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has logged in.
    NotAuthenticated,
    /// An account is known, no mailbox is open.
    Authenticated,
    /// A mailbox is open.
    Selected,
    /// The session is over.
    Logout,
}

/// A command for the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// NOOP: tell what has changed.
    Noop,
    /// ID (RFC 2971): what the client says of itself, empty for NIL.
    Id(Vec<(String, Option<String>)>),
    /// ENABLE (RFC 9051 §6.3.1): those that we know.
    Enable(Vec<Extension>),
    /// SELECT or EXAMINE.
    Select(Select),
    /// CREATE.
    Create(Create),
    /// DELETE.
    Delete {
        /// Which one.
        mailbox: MailboxName,
        /// As in [`Select`].
        old_name: Option<String>,
    },
    /// RENAME.
    Rename {
        /// The name as it is.
        from: MailboxName,
        /// The name as it shall be.
        to: MailboxName,
        /// `from` as the client wrote it, where that or `to` wasn't normalised (RFC 9051 §6.3.6).
        old_name: Option<String>,
    },
    /// SUBSCRIBE.
    Subscribe(MailboxName),
    /// UNSUBSCRIBE.
    Unsubscribe(MailboxName),
    /// LIST, plain or extended (RFC 5258), and LSUB (RFC 3501 §6.3.9).
    List(List),
    /// NAMESPACE (RFC 9051 §6.3.10).
    Namespace,
    /// STATUS.
    Status {
        /// Of which mailbox.
        mailbox: MailboxName,
        /// What is asked.
        items: Vec<StatusItem>,
    },
    /// GETQUOTA (RFC 9208 §4.1.1): the root's name.
    GetQuota(String),
    /// GETQUOTAROOT (RFC 9208 §4.1.2).
    GetQuotaRoot(MailboxName),
    /// SETQUOTA (RFC 9208 §4.1.3): the root's name. Quotas are set elsewhere, so no more is kept.
    SetQuota(String),
    /// GETACL, SETACL, DELETEACL, LISTRIGHTS, MYRIGHTS (RFC 4314).
    Acl(Acl),
    /// GETMETADATA (RFC 5464 §4.2).
    GetMetadata(GetMetadata),
    /// SETMETADATA (RFC 5464 §4.3).
    SetMetadata(SetMetadata),
    /// NOTIFY (RFC 5465).
    Notify(Notify),
    /// LANGUAGE (RFC 5255 §3.2): what the client would like, best first; empty: which are there.
    Language(Vec<String>),
    /// CHECK (RFC 3501 §6.4.1).
    Check,
    /// CLOSE: expunge in silence, then leave.
    Close,
    /// UNSELECT: leave.
    Unselect,
    /// EXPUNGE, or UID EXPUNGE with a set of UIDs (RFC 9051 §6.4.9).
    Expunge(Option<SequenceSet>),
    /// SEARCH, UID SEARCH.
    Search(Search),
    /// ESEARCH (RFC 7377).
    MultiSearch(MultiSearch),
    /// CANCELUPDATE (RFC 5267 §4.3.5): of these commands.
    CancelUpdate(Vec<Tag>),
    /// SORT, UID SORT (RFC 5256).
    Sort(Sort),
    /// THREAD, UID THREAD (RFC 5256).
    Thread(Thread),
    /// FETCH, UID FETCH.
    Fetch(Fetch),
    /// STORE, UID STORE.
    Store(Store),
    /// COPY, UID COPY.
    Copy(Transfer),
    /// MOVE, UID MOVE (RFC 9051 §6.4.8).
    Move(Transfer),
}

/// What COPY and MOVE take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The set holds UIDs.
    pub by_uid: bool,
    /// Which messages.
    pub set: SequenceSet,
    /// Where to.
    pub mailbox: MailboxName,
}

/// A command that the session answers itself or turns into a step of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialogue {
    /// CAPABILITY.
    Capability,
    /// LOGOUT.
    Logout,
    /// STARTTLS.
    StartTls,
    /// AUTHENTICATE.
    Authenticate(Authenticate),
    /// LOGIN.
    Login(Login),
    /// IDLE.
    Idle,
    /// COMPRESS DEFLATE (RFC 4978).
    Compress,
    /// GETJMAPACCESS (RFC 9698).
    JmapAccess,
    /// UNAUTHENTICATE (RFC 8437).
    Unauthenticate,
}

/// What a command line turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// For the driver.
    Command(Command),
    /// For the session.
    Dialogue(Dialogue),
    /// APPEND or REPLACE that is one line, for nothing in it is a literal.
    Append(append::Opening),
}

/// What reading depends on.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What is too much.
    pub limits: &'a Limits,
    /// Mailbox names are UTF-8 (the client enabled UTF8=ACCEPT or IMAP4rev2), not modified UTF-7.
    pub utf8: bool,
    /// Sequence numbers are refused (the client enabled UIDONLY).
    pub uid_only: bool,
    /// Where the session stands.
    pub state: State,
}

/// Reads one command with all its literals, up to its last line's CRLF, which isn't in `text`.
///
/// # Errors
/// What to answer; under the tag if [`Tag::recover`] finds one, else untagged.
pub fn parse(text: &[u8], context: Context<'_>) -> Result<(Tag, Request), Refusal> {
    if let Some((tag, opening)) = append::opening(text, context)? {
        return Ok((tag, Request::Append(opening)));
    }
    let mut reader = Reader::in_context(text, context);
    let (tag, name) = begin(&mut reader, context.state)?;
    let request = arguments(&mut reader, &name)?;
    reader.end()?;
    Ok((tag, request))
}

/// Whether a command, perhaps a refused one, is a SEARCH that asks for its result to be kept (RFC 9051 §6.4.4.1).
pub(crate) fn saves_result(text: &[u8], context: Context<'_>) -> bool {
    let mut reader = Reader::in_context(text, context);
    let is_search =
        begin(&mut reader, context.state).is_ok_and(|(_, name)| matches!(name.as_str(), "SEARCH" | "UID SEARCH"));
    is_search && reader.search_returns().is_ok_and(|returns| returns.is_some_and(|returns| returns.save))
}

/// Reads a command's tag and name, and whether it may be given now: what can be known before its literals arrive.
pub(crate) fn begin(reader: &mut Reader<'_>, state: State) -> Result<(Tag, String), Refusal> {
    let text = reader.take_while(|octet| octet.is_ascii_graphic());
    let Some(tag) = Tag::recover(text) else { return Err(reader.bad("A tag is expected here")) };
    if !reader.skip(b' ') {
        return Err(reader.bad("A command's name is missing"));
    }
    let mut name = reader.word();
    if name == "UID" {
        reader.space()?;
        name = format!("UID {}", reader.word());
    }
    let Some(allowed) = states(&name) else { return Err(reader.bad("Unknown command")) };
    if allowed.contains(&state) {
        return Ok((tag, name));
    }
    Err(reader.bad(match state {
        State::NotAuthenticated => "Please log in first",
        State::Authenticated if allowed.contains(&State::Selected) => "Please select a mailbox first",
        State::Authenticated | State::Selected => "You are logged in already",
        State::Logout => "The session is over",
    }))
}

/// In which states a command may be given (RFC 9051 §6); none for an unknown one.
fn states(name: &str) -> Option<&'static [State]> {
    use State::{Authenticated, NotAuthenticated, Selected};
    Some(match name {
        "CAPABILITY" | "NOOP" | "LOGOUT" | "ID" | "LANGUAGE" => &[NotAuthenticated, Authenticated, Selected],
        "STARTTLS" | "AUTHENTICATE" | "LOGIN" => &[NotAuthenticated],
        // RFC 9051 §6.3.1: ENABLE belongs before SELECT, but servers needn't check that.
        "ENABLE" | "SELECT" | "EXAMINE" | "CREATE" | "DELETE" | "RENAME" | "SUBSCRIBE" | "UNSUBSCRIBE" | "LIST"
        | "LSUB" | "NAMESPACE" | "STATUS" | "APPEND" | "IDLE" | "GETQUOTA" | "GETQUOTAROOT" | "SETQUOTA"
        | "COMPRESS" | "GETJMAPACCESS" | "UNAUTHENTICATE" | "NOTIFY" | "ESEARCH" | "GETMETADATA" | "SETMETADATA"
        | "GETACL" | "SETACL" | "DELETEACL" | "LISTRIGHTS" | "MYRIGHTS" => &[Authenticated, Selected],
        "CHECK" | "CLOSE" | "UNSELECT" | "EXPUNGE" | "SEARCH" | "SORT" | "THREAD" | "FETCH" | "STORE" | "COPY"
        | "MOVE" | "REPLACE" | "CANCELUPDATE" | "UID EXPUNGE" | "UID SEARCH" | "UID SORT" | "UID THREAD"
        | "UID FETCH" | "UID STORE" | "UID COPY" | "UID MOVE" | "UID REPLACE" => &[Selected],
        _ => return None,
    })
}

/// Commands that take or give sequence numbers, where UID doesn't stand before them.
const NUMBERED: [&str; 7] = ["SEARCH", "SORT", "THREAD", "FETCH", "STORE", "COPY", "MOVE"];

fn arguments(reader: &mut Reader<'_>, name: &str) -> Result<Request, Refusal> {
    if let Some(dialogue) = dialogue(reader, name)? {
        return Ok(Request::Dialogue(dialogue));
    }
    let (by_uid, name) = name.strip_prefix("UID ").map_or((false, name), |name| (true, name));
    if reader.uid_only && !by_uid && NUMBERED.contains(&name) {
        return Err(reader.needs_uid());
    }
    Ok(Request::Command(match name {
        "NOOP" => Command::Noop,
        "NAMESPACE" => Command::Namespace,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "ID" => Command::Id(reader.id()?),
        "ENABLE" => Command::Enable(reader.extensions()?),
        "SELECT" => Command::Select(reader.select(false)?),
        "EXAMINE" => Command::Select(reader.select(true)?),
        "CREATE" => Command::Create(reader.create()?),
        "DELETE" => reader.delete()?,
        "RENAME" => reader.rename()?,
        "SUBSCRIBE" => Command::Subscribe(reader.mailbox_argument()?),
        "UNSUBSCRIBE" => Command::Unsubscribe(reader.mailbox_argument()?),
        "LIST" => Command::List(reader.list_command()?),
        "LSUB" => Command::List(reader.lsub()?),
        "STATUS" => Command::Status { mailbox: reader.mailbox_argument()?, items: reader.status_argument()? },
        "GETQUOTA" => Command::GetQuota(reader.quota_root()?),
        "GETQUOTAROOT" => Command::GetQuotaRoot(reader.mailbox_argument()?),
        "SETQUOTA" => Command::SetQuota(reader.set_quota()?),
        "EXPUNGE" if by_uid => Command::Expunge(Some(reader.set_argument()?)),
        "EXPUNGE" => Command::Expunge(None),
        "SEARCH" => Command::Search(reader.search(by_uid)?),
        "ESEARCH" => Command::MultiSearch(reader.multi_search()?),
        "CANCELUPDATE" => Command::CancelUpdate(reader.tags()?),
        "GETACL" | "SETACL" | "DELETEACL" | "LISTRIGHTS" | "MYRIGHTS" => Command::Acl(reader.acl(name)?),
        "GETMETADATA" => Command::GetMetadata(reader.get_metadata()?),
        "SETMETADATA" => Command::SetMetadata(reader.set_metadata()?),
        "NOTIFY" => Command::Notify(reader.notify()?),
        "LANGUAGE" => Command::Language(reader.languages()?),
        "SORT" => Command::Sort(reader.sort(by_uid)?),
        "THREAD" => Command::Thread(reader.thread(by_uid)?),
        "FETCH" => Command::Fetch(reader.fetch(by_uid)?),
        "STORE" => Command::Store(reader.store(by_uid)?),
        "COPY" => Command::Copy(reader.transfer(by_uid)?),
        "MOVE" => Command::Move(reader.transfer(by_uid)?),
        _ => return Err(reader.bad("Unknown command")),
    }))
}

fn dialogue(reader: &mut Reader<'_>, name: &str) -> Result<Option<Dialogue>, Refusal> {
    Ok(Some(match name {
        "CAPABILITY" => Dialogue::Capability,
        "LOGOUT" => Dialogue::Logout,
        "STARTTLS" => Dialogue::StartTls,
        "IDLE" => Dialogue::Idle,
        "GETJMAPACCESS" => Dialogue::JmapAccess,
        "UNAUTHENTICATE" => Dialogue::Unauthenticate,
        "AUTHENTICATE" => Dialogue::Authenticate(reader.authenticate()?),
        "LOGIN" => Dialogue::Login(reader.login()?),
        "COMPRESS" => {
            reader.space()?;
            if !reader.skip_word("DEFLATE") {
                return Err(reader.bad("DEFLATE is the only way to compress"));
            }
            Dialogue::Compress
        }
        _ => return Ok(None),
    }))
}

impl Reader<'_> {
    pub(crate) fn mailbox_argument(&mut self) -> Result<MailboxName, Refusal> {
        self.space()?;
        self.mailbox()
    }

    pub(crate) fn set_argument(&mut self) -> Result<SequenceSet, Refusal> {
        self.space()?;
        self.sequence_set()
    }

    /// `1*(SP quoted)`: tags.
    fn tags(&mut self) -> Result<Vec<Tag>, Refusal> {
        let mut tags = Vec::new();
        loop {
            self.space()?;
            let text = self.string()?;
            let tag = std::str::from_utf8(&text).ok().and_then(Tag::parse);
            tags.push(tag.ok_or_else(|| self.bad("That is no tag"))?);
            if self.peek() != Some(b' ') {
                return Ok(tags);
            }
            if tags.len() == self.limits.list_items {
                return Err(self.too_much("Too many tags"));
            }
        }
    }

    /// `*(SP lang-range-quoted)` (RFC 5255 §3.2).
    fn languages(&mut self) -> Result<Vec<String>, Refusal> {
        let mut languages = Vec::new();
        while self.skip(b' ') && self.peek().is_some() {
            languages.push(self.text()?);
            if languages.len() > self.limits.list_items {
                return Err(self.too_much("Too many languages"));
            }
        }
        Ok(languages)
    }

    fn transfer(&mut self, by_uid: bool) -> Result<Transfer, Refusal> {
        Ok(Transfer { by_uid, set: self.set_argument()?, mailbox: self.mailbox_argument()? })
    }
}

#[cfg(test)]
mod tests;
