//! What changes in one's mailboxes, as it happens: the same changes that IMAP's IDLE hears.

use relais_store::{AccountKey, Change, ChangeKind};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Mail;
use crate::{Actor, Failure};

/// Something changed in one's mailboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// In this mailbox.
    Mailbox {
        /// MAILBOXID.
        id: String,
        /// HIGHESTMODSEQ now.
        mod_seq: u64,
        /// Messages that came.
        arrived: u64,
    },
    /// More than can be told: all of it may be other.
    Missed,
}

/// Hears of them, one after the other.
#[derive(Debug)]
pub struct MailNews {
    account: AccountKey,
    changes: Receiver<Change>,
}

impl MailNews {
    /// The next; none when the house closes. Cancel-safe.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            match self.changes.recv().await {
                Ok(change) if change.account == self.account => return Some(news(&change)),
                Ok(_of_another) => {}
                Err(RecvError::Lagged(_)) => return Some(News::Missed),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn news(change: &Change) -> News {
    let arrived = match &change.kind {
        ChangeKind::Arrived(uids) => uids.count(),
        ChangeKind::Flagged(_) | ChangeKind::Vanished(_) | ChangeKind::Gone => 0,
    };
    News::Mailbox { id: change.mailbox.mailbox_id(), mod_seq: change.mod_seq.value(), arrived }
}

impl Mail {
    /// Hears of what changes from now on.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub fn news(&self, me: &Actor) -> Result<MailNews, Failure> {
        Ok(MailNews { account: me.own()?.0, changes: self.store.changes() })
    }
}
