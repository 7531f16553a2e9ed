//! What a run is given, and what it asks.

use std::sync::Arc;

use relais_model::{EnvelopeId, MailboxName, Notify, OriginalRecipient, Ret, SpecialUse, Timestamp};

use crate::program::{Place, Program};

/// All that is known before a script runs.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The message as received.
    pub message: Arc<[u8]>,
    /// Of the transaction that brought it; where it [`Self::is_at_imap`] there is none: leave it empty.
    pub envelope: Envelope,
    /// Now.
    pub now: Timestamp,
    /// The house's own zone, in minutes east of UTC: what `date` means where no zone is named.
    pub zone_minutes: i32,
    /// Items of `environment` (RFC 5183 §4.1, RFC 6785 §4), with their values. An item that isn't here is unknown.
    pub environment: Vec<(String, String)>,
    /// How surely it is junk, in percent; none: not looked at (RFC 5235 §2.3).
    pub spam_percent: Option<u8>,
    /// RFC 5235 §3.2: 1 no virus is known of, 5 there is one; none: not looked at.
    pub virus: Option<u8>,
    /// Flags that the message has already, an act's changes among them (RFC 6785 §2.2.3); empty in delivery.
    pub flags: Vec<String>,
    /// The message lies in a mailbox, and something was done to it there (RFC 6785): no transaction brings it, and nobody waits for an answer.
    pub is_at_imap: bool,
}

/// The envelope's part that concerns one recipient (RFC 5228 §5.4). Paths may stand in angle brackets or not.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    /// MAIL's path; empty: the null path.
    pub from: String,
    /// RCPT's path, as it is after aliases.
    pub to: String,
    /// RCPT's path as the sender said it, where that is another.
    pub original_to: Option<String>,
    /// The login name of who sent it, where there was a log-in.
    pub auth: Option<String>,
    /// RFC 6009 §2: NOTIFY.
    pub notify: Option<Notify>,
    /// ORCPT.
    pub orcpt: Option<OriginalRecipient>,
    /// RET.
    pub ret: Option<Ret>,
    /// ENVID.
    pub envelope_id: Option<EnvelopeId>,
    /// RFC 6009 §3: BY.
    pub deliver_by: Option<DeliverBy>,
}

/// RFC 2852 §4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliverBy {
    /// Until when.
    pub at: Timestamp,
    /// `R`: return it then; else tell the sender.
    pub returns: bool,
    /// `T`.
    pub trace: bool,
}

/// What a run wants to know of the world outside of its facts. [`Answer`] says which answer belongs to which.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Does each of these mailboxes exist, and may mail be delivered there (RFC 5490 §3.1)? [`Answer::Is`].
    MailboxesExist(Vec<MailboxName>),
    /// Has the mailbox all of these uses; or, without one, is there a mailbox for each (RFC 8579 §4.2)? [`Answer::Is`].
    SpecialUses {
        /// None: any.
        mailbox: Option<MailboxName>,
        /// The uses.
        uses: Vec<SpecialUse>,
    },
    /// Is each of these the MAILBOXID of a mailbox here (RFC 9042 §5)? [`Answer::Is`].
    MailboxIdsExist(Vec<String>),
    /// The value of an annotation (RFC 5490 §4, §5). [`Answer::Text`], none where it has none.
    Metadata {
        /// None: the server's.
        mailbox: Option<MailboxName>,
        /// Such as `/private/comment`.
        name: String,
    },
    /// Has each of these annotations a value? [`Answer::Is`].
    MetadataExist {
        /// None: the server's.
        mailbox: Option<MailboxName>,
        /// The annotations.
        names: Vec<String>,
    },
    /// Is each of these the name of a list of addresses (RFC 6134 §2.2), such as `urn:ietf:params:sieve:addrbook:default`?
    /// [`Answer::Is`].
    ListsExist(Vec<String>),
    /// Is one of the values on one of the lists (RFC 6134 §2.3)? [`Answer::Is`].
    OnList {
        /// What is sought, most often addresses.
        values: Vec<String>,
        /// The lists' names.
        lists: Vec<String>,
    },
    /// Was this seen before, and not longer ago than it was to be kept (RFC 7352 §3)? Nothing is noted yet: what is to be noted
    /// is in [`crate::Outcome::seen`]. [`Answer::Is`].
    Seen(String),
    /// The script of that name, checked (RFC 6609 §3.2). [`Answer::Script`].
    Script {
        /// Where it lies.
        place: Place,
        /// Its name.
        name: String,
    },
    /// A command or test of the caller's own ([`crate::Dialect`]). Of a test with a match type: [`Answer::Texts`], the values to
    /// compare; of other tests [`Answer::Is`]; of a command with a block `Is`: whether to enter it, of others `Is(true)`, or
    /// [`Answer::Leave`].
    Host {
        /// Its name.
        name: &'static str,
        /// With all variables filled in.
        arguments: Vec<HostArgument>,
        /// It is the end of that command's block.
        is_end: bool,
    },
}

/// An argument of a command or test of the caller's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostArgument {
    /// Its tag; none of positional ones.
    pub tag: Option<&'static str>,
    /// Its strings; empty of a tag without a value.
    pub texts: Vec<String>,
    /// Its number.
    pub number: Option<u64>,
}

/// What a [`Question`] is answered with. An answer of the wrong kind counts as "no".
#[derive(Debug, Clone)]
pub enum Answer {
    /// Yes or no.
    Is(bool),
    /// A text, or that there is none.
    Text(Option<String>),
    /// Several.
    Texts(Vec<String>),
    /// A script, or that there is none.
    Script(Option<Program>),
    /// Go behind the block of the caller's own that this stands in.
    Leave,
}
