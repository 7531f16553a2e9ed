//! Response codes (RFC 9051 §7.1, RFC 5530, RFC 4315, RFC 7162, RFC 8474, RFC 3516, RFC 4978, RFC 6154, RFC 4469, RFC 5267,
//! RFC 5464, RFC 5465, RFC 9585, RFC 9586, RFC 9738).

use std::borrow::Cow;

use relais_model::{Flag, ModSeq, SeqNum, Uid, UidSet, UidValidity};

use super::text::write_quoted;
use super::{number, parenthesised, write_flags};
use crate::capability::Capabilities;
use crate::command::Tag;
use crate::command::notify::EVENTS;

/// What programs read of an answer.
#[derive(Debug, Clone)]
pub enum ResponseCode<'a> {
    /// A person must see the text.
    Alert,
    /// The mailbox to be created is there.
    AlreadyExists,
    /// The UIDs of appended messages, in their order.
    AppendUid {
        /// Of the mailbox.
        uid_validity: UidValidity,
        /// They rise in the order of the messages.
        uids: UidSet,
    },
    /// The credentials are wrong.
    AuthenticationFailed,
    /// The credentials are right, but don't allow to act for that one.
    AuthorizationFailed,
    /// SEARCH's charset isn't known; we say which ones surely are.
    BadCharset,
    /// NOTIFY named an event that isn't known; we say which ones are (RFC 5465 §3.1).
    BadEvent,
    /// CATENATE named something that isn't here (RFC 4469 §4.1).
    BadUrl(Cow<'a, str>),
    /// It can never be done.
    Cannot,
    /// What we can do.
    Capability(Capabilities),
    /// The client misbehaves.
    ClientBug,
    /// The mailbox that was open isn't any more; what follows is about the next (RFC 7162 §3.2.11).
    Closed,
    /// COMPRESS was said before.
    CompressionActive,
    /// A person must ask the administrator.
    ContactAdmin,
    /// Where copied messages went: the two sets correspond by order.
    CopyUid {
        /// Of the mailbox they went to.
        uid_validity: UidValidity,
        /// As they were.
        from: Vec<Uid>,
        /// As they are there.
        to: Vec<Uid>,
    },
    /// Data are damaged.
    Corruption,
    /// The credentials are too old.
    Expired,
    /// Some of the messages are gone, and the client hasn't been told yet.
    ExpungeIssued,
    /// A mailbox with children cannot be deleted.
    HasChildren,
    /// The mailbox's highest (RFC 7162 §3.1.2.1).
    HighestModSeq(ModSeq),
    /// A command is under way: so much of so much is done (RFC 9585 §4).
    InProgress {
        /// The command's.
        tag: &'a Tag,
        /// Never falls.
        done: u64,
        /// At least one, and at least what is done.
        goal: u64,
    },
    /// Another session is in the way.
    InUse,
    /// A limit was reached.
    Limit,
    /// The mailbox's lasting name (RFC 8474 §4).
    MailboxId(Cow<'a, str>),
    /// More messages than one command takes (RFC 9738 §3.1): with NO none of them was looked at, with OK the last ones.
    MessageLimit {
        /// So many may be.
        limit: u32,
        /// The last `limit` of those that were named begin here.
        lowest: Option<Uid>,
    },
    /// Some values are longer than MAXSIZE; the longest has so many octets (RFC 5464 §4.2.1).
    MetadataLongEntries(u64),
    /// A value is longer than may be kept: octets (RFC 5464 §4.3).
    MetadataMaxSize(u64),
    /// There are as many entries as may be (RFC 5464 §4.3).
    MetadataTooMany,
    /// Those that UNCHANGEDSINCE spared: UIDs, or sequence numbers as runs.
    Modified(Vec<(u32, u32)>),
    /// The mailbox keeps no MODSEQ.
    NoModSeq,
    /// There is no such thing.
    NonExistent,
    /// It isn't allowed.
    NoPerm,
    /// More happens than can be told; NOTIFY is over (RFC 5465 §5.8).
    NotificationOverflow,
    /// SEARCH RETURN (SAVE) could not keep its result; `$` is empty.
    NotSaved,
    /// The search of this tag isn't kept up to date (RFC 5267 §4.3.1).
    NoUpdate(&'a Tag),
    /// The account would be, or is, over its quota.
    OverQuota,
    /// A message is broken.
    Parse,
    /// Flags that can be changed for good.
    PermanentFlags {
        /// They themselves.
        flags: &'a [Flag],
        /// `\*`: new keywords can be made.
        more: bool,
    },
    /// TLS is needed first.
    PrivacyRequired,
    /// The mailbox is open for reading.
    ReadOnly,
    /// And writing.
    ReadWrite,
    /// We misbehave.
    ServerBug,
    /// The message is too large (RFC 4469, RFC 7889).
    TooBig,
    /// CREATE would help.
    TryCreate,
    /// The UID that comes next.
    UidNext(Uid),
    /// Sequence numbers were given up (RFC 9586).
    UidRequired,
    /// The mailbox keeps no UIDs (RFC 4315 §3).
    UidNotSticky,
    /// The epoch of the UIDs.
    UidValidity(UidValidity),
    /// Not now.
    Unavailable,
    /// A part's encoding isn't known (RFC 3516).
    UnknownCte,
    /// The first unseen message, of IMAP4rev1.
    Unseen(SeqNum),
    /// No mailbox may have that use (RFC 6154 §3).
    UseAttr,
}

impl ResponseCode<'_> {
    /// Writes it without its brackets.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.name().as_bytes());
        match self {
            Self::AppendUid { uid_validity, uids } => {
                write_number(out, u64::from(uid_validity.value()));
                out.push(b' ');
                number::write_runs(out, uids.runs());
            }
            Self::CopyUid { uid_validity, from, to } => {
                write_number(out, u64::from(uid_validity.value()));
                out.push(b' ');
                number::write_numbers(out, from.iter().map(|uid| uid.value()));
                out.push(b' ');
                number::write_numbers(out, to.iter().map(|uid| uid.value()));
            }
            Self::BadCharset => out.extend_from_slice(b" (UTF-8 US-ASCII)"),
            Self::BadEvent => {
                out.push(b' ');
                parenthesised(out, EVENTS, |out, event| out.extend_from_slice(event.as_bytes()));
            }
            Self::BadUrl(url) => {
                out.push(b' ');
                // `url-resp-text`: a quoted string, as RFC 4469's example has it, without what would end the code.
                let is_plain = |octet: &u8| (b' '..=b'~').contains(octet) && !matches!(octet, b']' | b'"' | b'\\');
                let url: Vec<u8> = url.bytes().filter(is_plain).collect();
                write_quoted(out, &url);
            }
            Self::Capability(capabilities) => {
                out.push(b' ');
                capabilities.write(out);
            }
            Self::HighestModSeq(mod_seq) => write_number(out, mod_seq.value()),
            Self::InProgress { tag, done, goal } => {
                out.extend_from_slice(b" (");
                write_quoted(out, tag.as_str().as_bytes());
                write_number(out, *done);
                write_number(out, *goal);
                out.push(b')');
            }
            Self::MessageLimit { limit, lowest } => {
                write_number(out, u64::from(*limit));
                if let Some(uid) = lowest {
                    write_number(out, u64::from(uid.value()));
                }
            }
            Self::MetadataLongEntries(octets) | Self::MetadataMaxSize(octets) => write_number(out, *octets),
            Self::NoUpdate(tag) => {
                out.push(b' ');
                write_quoted(out, tag.as_str().as_bytes());
            }
            Self::MailboxId(id) => {
                out.push(b' ');
                parenthesised(out, [id.as_ref()], |out, id| out.extend_from_slice(id.as_bytes()));
            }
            Self::Modified(runs) => {
                out.push(b' ');
                number::write_runs(out, runs);
            }
            Self::PermanentFlags { flags, more } => write_permanent_flags(out, flags, *more),
            Self::UidNext(uid) => write_number(out, u64::from(uid.value())),
            Self::UidValidity(uid_validity) => write_number(out, u64::from(uid_validity.value())),
            Self::Unseen(seq_num) => write_number(out, u64::from(seq_num.value())),
            _ => (),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Alert => "ALERT",
            Self::AlreadyExists => "ALREADYEXISTS",
            Self::AppendUid { .. } => "APPENDUID",
            Self::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Self::AuthorizationFailed => "AUTHORIZATIONFAILED",
            Self::BadCharset => "BADCHARSET",
            Self::BadEvent => "BADEVENT",
            Self::BadUrl(_) => "BADURL",
            Self::Cannot => "CANNOT",
            Self::Capability(_) => "CAPABILITY",
            Self::ClientBug => "CLIENTBUG",
            Self::Closed => "CLOSED",
            Self::CompressionActive => "COMPRESSIONACTIVE",
            Self::ContactAdmin => "CONTACTADMIN",
            Self::CopyUid { .. } => "COPYUID",
            Self::Corruption => "CORRUPTION",
            Self::Expired => "EXPIRED",
            Self::ExpungeIssued => "EXPUNGEISSUED",
            Self::HasChildren => "HASCHILDREN",
            Self::HighestModSeq(_) => "HIGHESTMODSEQ",
            Self::InProgress { .. } => "INPROGRESS",
            Self::InUse => "INUSE",
            Self::Limit => "LIMIT",
            Self::MailboxId(_) => "MAILBOXID",
            Self::MessageLimit { .. } => "MESSAGELIMIT",
            Self::MetadataLongEntries(_) => "METADATA LONGENTRIES",
            Self::MetadataMaxSize(_) => "METADATA MAXSIZE",
            Self::MetadataTooMany => "METADATA TOOMANY",
            Self::Modified(_) => "MODIFIED",
            Self::NoModSeq => "NOMODSEQ",
            Self::NonExistent => "NONEXISTENT",
            Self::NoPerm => "NOPERM",
            Self::NotSaved => "NOTSAVED",
            Self::NotificationOverflow => "NOTIFICATIONOVERFLOW",
            Self::NoUpdate(_) => "NOUPDATE",
            Self::OverQuota => "OVERQUOTA",
            Self::Parse => "PARSE",
            Self::PermanentFlags { .. } => "PERMANENTFLAGS",
            Self::PrivacyRequired => "PRIVACYREQUIRED",
            Self::ReadOnly => "READ-ONLY",
            Self::ReadWrite => "READ-WRITE",
            Self::ServerBug => "SERVERBUG",
            Self::TooBig => "TOOBIG",
            Self::TryCreate => "TRYCREATE",
            Self::UidNext(_) => "UIDNEXT",
            Self::UidRequired => "UIDREQUIRED",
            Self::UidNotSticky => "UIDNOTSTICKY",
            Self::UidValidity(_) => "UIDVALIDITY",
            Self::Unavailable => "UNAVAILABLE",
            Self::UnknownCte => "UNKNOWN-CTE",
            Self::Unseen(_) => "UNSEEN",
            Self::UseAttr => "USEATTR",
        }
    }
}

fn write_number(out: &mut Vec<u8>, value: u64) {
    out.push(b' ');
    number::write(out, value);
}

fn write_permanent_flags(out: &mut Vec<u8>, flags: &[Flag], more: bool) {
    out.push(b' ');
    write_flags(out, flags);
    if more {
        out.pop();
        out.extend_from_slice(if flags.is_empty() { b"\\*)".as_slice() } else { b" \\*)" });
    }
}
