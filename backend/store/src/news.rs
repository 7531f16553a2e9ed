//! What happens to an account beside its mail: its mailboxes' names, with whom they are shared, what it has subscribed to, its notes.

use relais_model::MailboxName;

use crate::key::AccountKey;
use crate::sharing::Grantee;

/// News of an account, told after it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountNews {
    /// Whose.
    pub account: AccountKey,
    /// What it is.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A mailbox was made, and perhaps those above it.
    Created(MailboxName),
    /// It was removed.
    Deleted(MailboxName),
    /// It has another name, and so have those below it.
    Renamed {
        /// It had this one.
        from: MailboxName,
        /// It has this one.
        to: MailboxName,
    },
    /// A name was subscribed to.
    Subscribed(MailboxName),
    /// It no longer is.
    Unsubscribed(MailboxName),
    /// Notes were set or taken away.
    Annotated {
        /// On which mailbox; none: on the server.
        mailbox: Option<MailboxName>,
        /// Their names, in small letters.
        entries: Vec<String>,
    },
    /// What these may do with some mailbox of the account is different.
    Shared(Grantee),
}
