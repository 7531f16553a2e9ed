//! What callers ask to have done to messages, and what they are told: the words of the writer's work.

use std::collections::BTreeMap;

use relais_model::{Address, Flag, MailboxName, ModSeq, ReversePath, SpecialUse, Timestamp, Uid, UidSet, UidValidity};
use tokio::sync::oneshot;

use crate::Store;
use crate::content::Content;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey, MessageKey};
use crate::queue::{Judgement, NewQueued, Refused, Settlement, TraceId};
use crate::sending::Submission;
use crate::sharing::Reach;
use crate::writer::Op;

/// A message that the house takes responsibility for, with all that becomes of it, in one transaction.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// What was sent.
    pub content: Content,
    /// MAIL's path, for the trace.
    pub reverse_path: ReversePath,
    /// Into mailboxes here. A mailbox that is named twice takes one copy, and each naming has its trace.
    pub deliveries: Vec<Delivery>,
    /// To others, through the queue.
    pub outbound: Option<NewQueued>,
    /// The id that stands in Received and in the log.
    pub trace: TraceId,
    /// Who gave it to us, for the trace: `192.0.2.1 (mx.example)`.
    pub from_peer: String,
    /// What was found of it, and what came of that; none where nobody judged it.
    pub judgement: Option<Judgement>,
    /// What is counted of it for who submitted it; none where nobody of ours did. Nothing is where nothing was kept.
    pub submission: Option<Submission>,
}

impl Acceptance {
    /// Mail that the house itself writes to one of its people, into their inbox; nobody is told where it finds no room.
    pub fn from_house(content: Content, account: AccountKey, recipient: Address, trace: TraceId) -> Self {
        let (mailbox, flags) = (Target::Inbox, Vec::new());
        Self {
            content,
            reverse_path: ReversePath::Null,
            deliveries: vec![Delivery { account, mailbox, flags, internal_date: None, recipient }],
            outbound: None,
            trace,
            from_peer: String::new(),
            judgement: None,
            submission: None,
        }
    }
}

/// One copy of an accepted message for a mailbox here.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Whose mailbox.
    pub account: AccountKey,
    /// Which one of theirs.
    pub mailbox: Target,
    /// With these flags.
    pub flags: Vec<Flag>,
    /// None: when it is written.
    pub internal_date: Option<Timestamp>,
    /// As the sender wrote it, for the trace.
    pub recipient: Address,
}

/// Which of an account's mailboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// INBOX.
    Inbox,
    /// The mailbox of this name; INBOX where there is none.
    Name(MailboxName),
    /// The mailbox with this use; INBOX where there is none.
    Use(SpecialUse),
    /// A mailbox of another's, within the rights there; INBOX where it is gone or its owner has no room.
    Shared(Reach),
}

/// What became of an [`Acceptance`]: durable when it is told.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The content's key; none where each delivery was refused and nothing queued: then nothing was kept.
    pub message: Option<MessageKey>,
    /// One for each delivery, in order.
    pub deliveries: Vec<Result<Delivered, DeliveryRefusal>>,
}

/// Where a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// The mailbox.
    pub mailbox: MailboxKey,
    /// Its number there.
    pub uid: Uid,
}

/// Why a copy was not filed; the other copies were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryRefusal {
    /// The account is full: RFC 3463's 4.2.2.
    #[error("the mailbox is full")]
    OverQuota,
    /// The account is gone, or has no INBOX.
    #[error("there is no such mailbox")]
    NoMailbox,
    /// The flags need more keywords than a mailbox holds.
    #[error("the mailbox has no room for another keyword")]
    TooManyKeywords,
}

/// One message of an APPEND (RFC 9051 §6.3.12).
#[derive(Debug, Clone)]
pub struct Append {
    /// What is to be kept.
    pub content: Content,
    /// With these flags.
    pub flags: Vec<Flag>,
    /// None: when it is written.
    pub internal_date: Option<Timestamp>,
}

/// What APPEND made: the UIDs ascend in the order of the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The mailbox's epoch.
    pub uid_validity: UidValidity,
    /// One a message.
    pub uids: UidSet,
    /// All have it.
    pub mod_seq: ModSeq,
}

/// Why a change was not made. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChangeError {
    /// The mailbox was deleted (RFC 9051: NONEXISTENT or TRYCREATE).
    #[error("there is no such mailbox")]
    NoMailbox,
    /// RFC 9208: OVERQUOTA.
    #[error("the account is full")]
    OverQuota,
    /// The message that was to be replaced is gone (RFC 9051: NONEXISTENT).
    #[error("there is no such message")]
    NoMessage,
    /// A mailbox has room for [`crate::MAX_KEYWORDS`] keywords (RFC 9051: LIMIT).
    #[error("the mailbox has no room for another keyword")]
    TooManyKeywords,
    /// Who acts may not do it there (RFC 4314 §4: NOPERM).
    #[error("you may not do that in this mailbox")]
    NoRight,
    /// The mailbox has given its last UID.
    #[error("the mailbox has no more message numbers")]
    NoMoreUids,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl ChangeError {
    /// Whether the same may work later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::OverQuota => true,
            Self::Failed(error) => error.is_transient(),
            Self::NoMailbox | Self::NoMessage | Self::NoRight | Self::TooManyKeywords | Self::NoMoreUids => false,
        }
    }
}

/// What STORE does with the flags it names (RFC 9051 §6.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagOp {
    /// `+FLAGS`.
    Add,
    /// `-FLAGS`.
    Remove,
    /// `FLAGS`.
    Replace,
}

/// STORE's change.
#[derive(Debug, Clone)]
pub struct FlagChange {
    /// Add, remove or replace.
    pub op: FlagOp,
    /// These.
    pub flags: Vec<Flag>,
}

/// What STORE did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagsStored {
    /// Those whose flags are others now: they have `mod_seq`.
    pub changed: UidSet,
    /// Of `changed`: which bits of the mailbox's flags were set or cleared ([`crate::View::flags_of`]), in which messages. What a reader has
    /// seen of another's is none of them.
    pub flipped: BTreeMap<u64, UidSet>,
    /// RFC 7162 §3.1.3: those that had changed since UNCHANGEDSINCE and were left alone.
    pub modified: UidSet,
    /// The mailbox's highest.
    pub mod_seq: ModSeq,
}

/// What EXPUNGE took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expunged {
    /// They are gone.
    pub uids: UidSet,
    /// The mailbox's highest.
    pub mod_seq: ModSeq,
}

/// What REPLACE did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The message that came.
    pub appended: Appended,
    /// The highest MODSEQ of the mailbox that the other went from.
    pub mod_seq: ModSeq,
}

/// What COPY or MOVE made (RFC 4315's COPYUID): `from` and `to` go in pairs, both ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The target's epoch.
    pub uid_validity: UidValidity,
    /// Those that were there to copy.
    pub from: Vec<Uid>,
    /// What they are in the target.
    pub to: Vec<Uid>,
    /// The source's highest MODSEQ: a move changes it.
    pub mod_seq: ModSeq,
}

/// What the queue's worker has to say: settled recipients, and the notices to be accepted with them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settling {
    /// One a recipient.
    pub settlements: Vec<Settlement>,
    /// The DSNs that come of it.
    pub notices: Vec<Acceptance>,
}

impl Store {
    /// Takes a message: its content, its copies in mailboxes here and its queue rows, in one transaction, durable on return.
    ///
    /// A copy that cannot be filed is refused alone.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was kept; say "try again later".
    pub async fn accept(&self, acceptance: Acceptance) -> Result<Accepted, StoreError> {
        let accepted = self.accept_all(vec![acceptance]).await?;
        accepted.into_iter().next().ok_or(StoreError::Closed)
    }

    /// As [`Store::accept`], for several that belong together (a message and the notice of its delivery): all in one
    /// transaction, one answer each, in order.
    pub async fn accept_all(&self, acceptances: Vec<Acceptance>) -> Result<Vec<Accepted>, StoreError> {
        let mut are_reports = Vec::with_capacity(acceptances.len());
        for acceptance in &acceptances {
            self.stage(&acceptance.content).await?;
            are_reports.push(self.is_report_mail(acceptance));
        }
        let accepted = self.ask_writer(|reply| Op::Accept(acceptances, reply)).await??;
        self.note_report_mail(&are_reports, &accepted).await;
        Ok(accepted)
    }

    /// Notes in the trace that a message was not taken, and why.
    pub async fn note_refused(&self, refused: Refused) -> Result<(), StoreError> {
        self.ask_writer(|reply| Op::Refused(Box::new(refused), reply)).await?
    }

    /// Adds messages to a mailbox, all or none, durable on return. Flags that may not be set there are left out (RFC 4314 §4).
    pub async fn append(&self, mailbox: impl Into<Reach>, messages: Vec<Append>) -> Result<Appended, ChangeError> {
        let mailbox = mailbox.into();
        for message in &messages {
            self.stage(&message.content).await?;
        }
        self.ask_writer(|reply| Op::Append { mailbox, messages, reply }).await?
    }

    /// Changes flags; passes over UIDs that aren't there. With `unchanged_since`, leaves those alone that changed after it. Flags
    /// that may not be changed stay as they are; it is refused where none of those that are named may be.
    pub async fn store_flags(
        &self,
        mailbox: impl Into<Reach>,
        uids: UidSet,
        change: FlagChange,
        unchanged_since: Option<ModSeq>,
    ) -> Result<FlagsStored, ChangeError> {
        let mailbox = mailbox.into();
        self.ask_writer(|reply| Op::Flags { mailbox, uids, change, unchanged_since, reply }).await?
    }

    /// Takes away what is marked `\Deleted`, or of that only what is in `only` (UID EXPUNGE, RFC 4315 §2.1).
    pub async fn expunge(&self, mailbox: impl Into<Reach>, only: Option<UidSet>) -> Result<Expunged, ChangeError> {
        let mailbox = mailbox.into();
        self.ask_writer(|reply| Op::Expunge { mailbox, only, reply }).await?
    }

    /// Files `message` into `to` and takes the message `uid` away from `from`, or does neither (RFC 8508). What goes makes room for
    /// what comes.
    pub async fn replace(
        &self,
        from: impl Into<Reach>,
        uid: Uid,
        to: impl Into<Reach>,
        message: Append,
    ) -> Result<Replaced, ChangeError> {
        let (from, to) = (from.into(), to.into());
        self.stage(&message.content).await?;
        let message = Box::new(message);
        self.ask_writer(|reply| Op::Replace { from, uid, to, message, reply }).await?
    }

    /// Copies messages with flags and dates (RFC 9051 §6.4.7), all or none; passes over UIDs that aren't there.
    pub async fn copy(
        &self,
        from: impl Into<Reach>,
        uids: UidSet,
        to: impl Into<Reach>,
    ) -> Result<Copied, ChangeError> {
        let (from, to) = (from.into(), to.into());
        self.ask_writer(|reply| Op::Copy { from, uids, to, removes: false, reply }).await?
    }

    /// Copies, and takes the originals away, at once (RFC 6851). What leaves an account, it can take back ([`Store::restore_removed`]).
    pub async fn move_messages(
        &self,
        from: impl Into<Reach>,
        uids: UidSet,
        to: impl Into<Reach>,
    ) -> Result<Copied, ChangeError> {
        let (from, to) = (from.into(), to.into());
        self.ask_writer(|reply| Op::Copy { from, uids, to, removes: true, reply }).await?
    }

    /// Notes what became of queued recipients, and accepts the notices that come of it, in one transaction.
    pub async fn queue_settle(&self, settlements: Vec<Settlement>, notices: Vec<Acceptance>) -> Result<(), StoreError> {
        for notice in &notices {
            self.stage(&notice.content).await?;
        }
        let settling = Box::new(Settling { settlements, notices });
        self.ask_writer(|reply| Op::Settle(settling, reply)).await?
    }

    /// Hands one piece of work to the writer and waits for its answer. Waits, too, while the writer's queue is full.
    pub(crate) async fn ask_writer<T>(&self, op: impl FnOnce(oneshot::Sender<T>) -> Op) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.inner.writer.send(op(reply)).await?;
        answer.await.map_err(|_closed| StoreError::Closed)
    }
}
