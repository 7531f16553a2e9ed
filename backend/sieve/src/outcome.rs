//! What comes of a run.

use std::sync::Arc;

use relais_model::{Address, MailboxName, Notify, Ret, SpecialUse};

use crate::fault::Position;
use crate::notify::Mailto;

/// All that is to be done. Where the script failed, that is to keep the message in INBOX, and nothing else. Where it is at IMAP (RFC 6785 §3), to
/// keep it is to leave it where it lies, with the flags of [`Acting::Keep`] and without the script's changes.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// In the order of the script. A `discard` is not among them: it is that nothing keeps the message.
    pub actions: Vec<Action>,
    /// What to note as seen, now that the script came to its end (RFC 7352 §3).
    pub seen: Vec<Seen>,
    /// Why it failed, if it did: say it to the account's owner once.
    pub failure: Option<Failure>,
    /// The message is still to be kept by [`Acting::Keep`], which a script that runs after this one may undo.
    pub is_kept: bool,
    /// The flags that a script after this one begins with.
    pub flags: Vec<String>,
    /// The message as this script left it, where it changed it.
    pub edited: Option<Arc<[u8]>>,
    /// What the run cost, in [`crate::Limits::work`]'s unit.
    pub work: u64,
}

/// Why a run ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where; of an included script, in that one.
    pub at: Position,
    /// What happened.
    pub why: Why,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// RFC 5228 §2.10.5.
    #[error("the total number of actions exceeds policy limit: {0} are allowed")]
    Actions(usize),
    /// Of these, messages sent on.
    #[error("the number of redirect actions exceeds policy limit: {0} are allowed")]
    Redirects(usize),
    /// Notices, edits and the like.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// [`crate::Limits::work`].
    #[error("the script took too long")]
    Work,
    /// Two actions that exclude each other (RFC 5429 §2.4, RFC 5230 §4.7).
    #[error("`{0}` and `{1}` can't be done to one message")]
    Conflict(&'static str, &'static str),
    /// A mailbox's name that is none.
    #[error("invalid folder name `{0}`")]
    Mailbox(String),
    /// Another value, made of variables.
    #[error("`{0}` is no {1}")]
    Value(String, &'static str),
    /// A regular expression, made of variables.
    #[error("{0}")]
    Regex(String),
    /// `error` (RFC 5463 §5), or an extension that was used though it isn't here.
    #[error("{0}")]
    Said(String),
    /// RFC 6785 §3.11, §4.6: what is about mail that comes, where none does.
    #[error("`{0}` is for mail that comes, not for what is done in mailboxes")]
    Inapplicable(&'static str),
    /// An included script that isn't there (RFC 6609 §3.2).
    #[error("the script `{0}` that is included here is not there or has faults")]
    NotThere(String),
    /// RFC 6609 §3.1.
    #[error("the script `{0}` includes itself")]
    Circular(String),
    /// [`crate::Limits::includes`] and the depth.
    #[error("too many scripts include each other")]
    Includes,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// What.
    pub act: Acting,
    /// The message as it was at that point, where the script had changed it (RFC 5293 §6); none: as received.
    pub edited: Option<Arc<[u8]>>,
    /// Where the script says so.
    pub at: Position,
}

/// What an [`Action`] does.
#[derive(Debug, Clone, PartialEq)]
pub enum Acting {
    /// Put it into INBOX, asked for or not.
    Keep {
        /// Flags to set.
        flags: Vec<String>,
        /// The script said so.
        is_explicit: bool,
    },
    /// Put it into a mailbox.
    FileInto(Filing),
    /// Send it on. The reverse path is the caller's affair.
    Redirect(Redirection),
    /// RFC 5429: refuse it, with this text; in the session for `ereject`, there or by a notice for `reject`.
    Reject {
        /// Why, for the sender.
        reason: String,
        /// By an SMTP reply if at all possible.
        is_ereject: bool,
    },
    /// RFC 5230: answer it, if [`Vacation::reply`](crate::vacation::Vacation) says so.
    Vacation(Box<crate::vacation::Vacation>),
    /// RFC 5435: tell somebody.
    Notify(Box<Notice>),
}

impl Acting {
    /// The command's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Keep { .. } => "keep",
            Self::FileInto(_) => "fileinto",
            Self::Redirect(_) => "redirect",
            Self::Reject { is_ereject: false, .. } => "reject",
            Self::Reject { is_ereject: true, .. } => "ereject",
            Self::Vacation(_) => "vacation",
            Self::Notify(_) => "notify",
        }
    }
}

/// Where a copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// The mailbox. INBOX where it isn't there and may not be made.
    pub mailbox: MailboxName,
    /// Make it where it is absent (RFC 5490 §3.2).
    pub create: bool,
    /// Rather into the mailbox with this use, if there is one; give it to the mailbox that is made (RFC 8579 §4.1).
    pub special_use: Option<SpecialUse>,
    /// Rather into the mailbox with this id, if there is one (RFC 9042 §4).
    pub mailbox_id: Option<String>,
    /// Flags to set.
    pub flags: Vec<String>,
}

/// Where a message is sent on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirection {
    /// To whom.
    pub to: Recipient,
    /// The message is also kept here.
    pub copy: bool,
    /// RFC 6009 §4.
    pub notify: Option<Notify>,
    /// RFC 6009 §4.
    pub ret: Option<Ret>,
    /// RFC 6009 §5.
    pub deliver_by: Option<crate::facts::DeliverBy>,
}

/// One address, or all of a list's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// An address.
    Address(Address),
    /// RFC 6134 §2.4: the members of a list. They count as one redirect here: the caller has a limit for them.
    List(String),
}

/// RFC 5435.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How: RFC 5436, the one method that is here.
    pub method: Mailto,
    /// From whom, where the script says so; to be believed only where it is an address of the account.
    pub from: Option<String>,
    /// 1 high, 2 normal, 3 low.
    pub importance: u8,
    /// `name=value`.
    pub options: Vec<String>,
    /// The text; none: the caller's own words, with sender and subject.
    pub message: Option<String>,
    /// RFC 8580: keep a copy of it.
    pub fcc: Option<Filing>,
}

/// What `duplicate` is to find the next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// As the [`Question::Seen`](crate::Question::Seen) asked it.
    pub id: String,
    /// For how long; none: as the owner likes.
    pub seconds: Option<u64>,
    /// Begin anew to count, though it is known already (`:last`).
    pub last: bool,
}
