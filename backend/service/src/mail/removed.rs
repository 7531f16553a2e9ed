//! What was deleted, and its way back: into the mailbox where it stood, which is made again where it is gone, and into INBOX what was
//! deleted from Trash alone.

use std::collections::HashMap;

use relais_model::{MailboxName, SpecialUse, Timestamp};
use relais_reading::{Header, Party};
use relais_store::{AccountKey, MAX_AT_ONCE, MailboxError, MailboxKey, MessageKey, Page, RemovedMessage};

use super::acts::refused;
use super::{Done, Mail, no_mailbox};
use crate::paging::{Rows, page};
use crate::{Actor, Failure, Moment, Text};

/// A message that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedEntry {
    /// Names it: EMAILID (RFC 8474).
    pub id: String,
    /// Who wrote it.
    pub author: Party,
    /// May be empty.
    pub subject: String,
    /// Its first words.
    pub preview: String,
    /// The full name of the mailbox where it stood.
    pub mailbox: String,
    /// RFC822.SIZE.
    pub size_octets: u64,
    /// When it was deleted.
    pub removed_at: Moment,
    /// When it is gone for good.
    pub until: Moment,
}

/// Which of what was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichRemoved {
    /// These, by [`RemovedEntry::id`].
    These(Vec<String>),
    /// What was deleted since.
    Since(Timestamp),
}

impl WhichRemoved {
    /// All of it.
    pub const ALL: Self = Self::Since(Timestamp::from_millis(0));
}

impl Mail {
    /// What one has deleted and can take back, the latest first: the page after `after`, of `limit` rows.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn removed(
        &self,
        me: &Actor,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Rows<RemovedEntry>, Failure> {
        let (account, _) = me.own()?;
        let kept = self.store.settings().removed_kept;
        let listing = self.store.removed_messages(account, &page(after, limit)).await?;
        Ok(Rows::of(listing, |row| {
            let header = Header::read(&row.head);
            RemovedEntry {
                id: row.message.email_id(),
                author: header.author(),
                subject: header.subject,
                preview: row.preview,
                mailbox: row.mailbox_name.as_str().to_owned(),
                size_octets: row.size_octets,
                removed_at: row.removed_at.into(),
                until: row.removed_at.plus(kept).into(),
            }
        }))
    }

    /// Brings messages back.
    ///
    /// # Errors
    /// [`Failure::Clash`]: the account is full, or can't have more mailboxes; what came back before that stays.
    pub async fn restore(&self, me: &Actor, which: &WhichRemoved) -> Result<Done, Failure> {
        let (account, _) = me.own()?;
        let count = self.restore_for(account, which).await?;
        Ok(Done { count, says: Text::new("mail-done-restored").with("count", count), undo: None })
    }

    /// Forgets messages for good.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn forget(&self, me: &Actor, which: &WhichRemoved) -> Result<Done, Failure> {
        let (account, _) = me.own()?;
        let only = match which {
            WhichRemoved::These(ids) => Some(keys(ids)),
            WhichRemoved::Since(_) => None,
        };
        let count = self.store.forget_removed(account, only).await?;
        Ok(Done { count, says: Text::new("mail-done-forgotten").with("count", count), undo: None })
    }

    /// As [`Mail::restore`], for any account.
    pub(crate) async fn restore_for(&self, account: AccountKey, which: &WhichRemoved) -> Result<u64, Failure> {
        let (since, only) = match which {
            WhichRemoved::These(ids) => (Timestamp::from_millis(0), Some(keys(ids))),
            WhichRemoved::Since(since) => (*since, None),
        };
        let (mut restored, mut ways) = (0, Ways::of(self, account).await?);
        let mut page = Page::first();
        loop {
            let listing = self.store.removed_messages(account, &page).await?;
            let is_meant = |row: &RemovedMessage| {
                row.removed_at >= since && only.as_ref().is_none_or(|only| only.contains(&row.message))
            };
            let mut groups: HashMap<MailboxKey, Vec<MessageKey>> = HashMap::new();
            for row in listing.rows.iter().filter(|row| is_meant(row)) {
                groups.entry(ways.back(self, row).await?).or_default().push(row.message);
            }
            for (to, messages) in groups {
                restored += self.store.restore_removed(messages, to).await.map_err(refused)?;
            }
            let is_over = listing.rows.last().is_none_or(|row| row.removed_at < since);
            let is_whole = only.as_ref().is_some_and(|only| restored >= u64::try_from(only.len()).unwrap_or(u64::MAX));
            match listing.next {
                Some(next) if !is_over && !is_whole => page.after = Some(next),
                _ => return Ok(restored),
            }
        }
    }
}

/// Where an account's messages go back to.
struct Ways {
    account: AccountKey,
    inbox: MailboxKey,
    trash: Option<MailboxName>,
    known: HashMap<MailboxKey, MailboxKey>,
}

impl Ways {
    async fn of(mail: &Mail, account: AccountKey) -> Result<Self, Failure> {
        let all = mail.store.mailboxes_uncounted(account).await?;
        let inbox = all.iter().find(|status| status.mailbox.name.is_inbox()).ok_or_else(no_mailbox)?.mailbox.key;
        let trash = all.into_iter().find(|status| status.mailbox.special_use == Some(SpecialUse::Trash));
        Ok(Self { account, inbox, trash: trash.map(|status| status.mailbox.name), known: HashMap::new() })
    }

    async fn back(&mut self, mail: &Mail, row: &RemovedMessage) -> Result<MailboxKey, Failure> {
        if let Some(known) = self.known.get(&row.mailbox) {
            return Ok(*known);
        }
        let name = self.outside_trash(&row.mailbox_name);
        let to = match name {
            None => self.inbox,
            Some(name) if row.has_mailbox && name == row.mailbox_name => row.mailbox,
            Some(name) => self.found_or_made(mail, &name).await?,
        };
        self.known.insert(row.mailbox, to);
        Ok(to)
    }

    /// What a mailbox was called before it was thrown away; none for Trash itself.
    fn outside_trash(&self, name: &MailboxName) -> Option<MailboxName> {
        let Some(trash) = &self.trash else { return Some(name.clone()) };
        if name == trash {
            return None;
        }
        let below = name.as_str().strip_prefix(trash.as_str()).and_then(|rest| rest.strip_prefix('/'));
        below.map_or_else(|| Some(name.clone()), |below| MailboxName::parse(below).ok())
    }

    async fn found_or_made(&self, mail: &Mail, name: &MailboxName) -> Result<MailboxKey, Failure> {
        if let Some(key) = mail.store.mailbox_key(self.account, name).await? {
            return Ok(key);
        }
        match mail.store.create_mailbox(self.account, name, None).await {
            Ok(made) => {
                mail.store.subscribe(self.account, name).await?;
                Ok(made.mailbox.key)
            }
            Err(MailboxError::Limit) => Err(Failure::clash("", Text::new("mail-folder-too-many"))),
            Err(MailboxError::Failed(error)) => Err(error.into()),
            // Whoever makes one of this name at the same moment.
            Err(_) => mail.store.mailbox_key(self.account, name).await?.ok_or_else(no_mailbox),
        }
    }
}

/// What isn't an id names nothing.
fn keys(ids: &[String]) -> Vec<MessageKey> {
    ids.iter().take(MAX_AT_ONCE).filter_map(|id| MessageKey::parse(id)).collect()
}
