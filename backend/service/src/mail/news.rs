//! What changes in one's mailboxes, and in what others share, as it happens: the same changes that IMAP's IDLE hears.

use std::collections::HashSet;

use relais_model::Rights;
use relais_store::{AccountKey, Change, ChangeKind, MailboxKey, Store};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Mail;
use crate::{Actor, Failure};

/// Something changed in a mailbox that one sees.
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
    store: Store,
    account: AccountKey,
    /// What others shared when this began; whether they still do is asked at each change.
    shared: HashSet<MailboxKey>,
    changes: Receiver<Change>,
    /// Of a mailbox of another's, while its rights are asked for.
    asking: Option<Change>,
}

impl MailNews {
    /// The next; none when the house closes. Cancel-safe: what was taken stays here until it is told.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            if let Some(change) = &self.asking {
                let is_told = self.may_hear(change).await;
                let change = self.asking.take();
                if let Some(change) = change.filter(|_| is_told) {
                    return Some(news(&change));
                }
            }
            match self.changes.recv().await {
                Ok(change) if change.account == self.account => return Some(news(&change)),
                Ok(change) if self.shared.contains(&change.mailbox) => self.asking = Some(change),
                Ok(_of_another) => {}
                Err(RecvError::Lagged(_)) => return Some(News::Missed),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Who can't be asked about is told nothing.
    async fn may_hear(&self, change: &Change) -> bool {
        let rights = self.store.rights(self.account, change.mailbox).await;
        rights.is_ok_and(|rights| rights.has(Rights::READ))
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
    pub async fn news(&self, me: &Actor) -> Result<MailNews, Failure> {
        let account = me.own()?.0;
        // First this: what changes meanwhile waits.
        let changes = self.store.changes();
        let shared = self.store.shared_with(account).await?;
        let shared = shared.into_iter().map(|shared| shared.status.mailbox.key).collect();
        Ok(MailNews { store: self.store.clone(), account, shared, changes, asking: None })
    }
}
