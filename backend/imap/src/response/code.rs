//! Response codes (RFC 9051 §7.1, RFC 5530, RFC 4315, RFC 7162, RFC 8474, RFC 3516, RFC 4978, RFC 6154).

use std::borrow::Cow;

use relais_model::{Flag, ModSeq, SeqNum, Uid, UidSet, UidValidity};

use super::{number, parenthesised, write_flags};
use crate::capability::Capabilities;

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
    /// Another session is in the way.
    InUse,
    /// A limit was reached.
    Limit,
    /// The mailbox's lasting name (RFC 8474 §4).
    MailboxId(Cow<'a, str>),
    /// Those that UNCHANGEDSINCE spared: UIDs, or sequence numbers as runs.
    Modified(Vec<(u32, u32)>),
    /// The mailbox keeps no MODSEQ.
    NoModSeq,
    /// There is no such thing.
    NonExistent,
    /// It isn't allowed.
    NoPerm,
    /// SEARCH RETURN (SAVE) could not keep its result; `$` is empty.
    NotSaved,
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
            Self::Capability(capabilities) => {
                out.push(b' ');
                capabilities.write(out);
            }
            Self::HighestModSeq(mod_seq) => write_number(out, mod_seq.value()),
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
            Self::InUse => "INUSE",
            Self::Limit => "LIMIT",
            Self::MailboxId(_) => "MAILBOXID",
            Self::Modified(_) => "MODIFIED",
            Self::NoModSeq => "NOMODSEQ",
            Self::NonExistent => "NONEXISTENT",
            Self::NoPerm => "NOPERM",
            Self::NotSaved => "NOTSAVED",
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
