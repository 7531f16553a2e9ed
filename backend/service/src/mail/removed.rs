//! What was deleted, and its way back: into the mailbox where it stood, which is made again where it is gone, and into INBOX what was
//! deleted from Trash alone.

use std::collections::HashMap;

use relais_model::{MailboxName, SpecialUse, Timestamp};
use relais_reading::{Header, Party};
use relais_store::{
    AccountKey, MAX_AT_ONCE, MailboxError, MailboxKey, MessageKey, Page, RemovedMailbox, RemovedMessage,
};

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

/// A mailbox that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedFolder {
    /// Names it: MAILBOXID (RFC 8474).
    pub id: String,
    /// Its full name.
    pub name: String,
    /// Messages that come back with it.
    pub messages: u64,
    /// When it was deleted.
    pub removed_at: Moment,
    /// When it is gone for good.
    pub until: Moment,
}

/// Which of what was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichRemoved {
    /// These, by [`RemovedEntry::id`], and by [`RemovedFolder::id`] mailboxes with what was deleted along with them.
    These(Vec<String>),
    /// What was deleted since.
    Since(Timestamp),
}

impl WhichRemoved {
    /// All of it.
    pub const ALL: Self = Self::Since(Timestamp::from_millis(0));
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Restored {
    pub(crate) messages: u64,
    /// Those that were asked for, not those that messages needed.
    pub(crate) mailboxes: u64,
}

impl Restored {
    /// Says so.
    pub(crate) fn says(self) -> Text {
        let Self { messages, mailboxes } = self;
        match mailboxes {
            0 => Text::new("mail-done-restored").with("count", messages),
            _ => Text::new("mail-done-restored-folders").with("folders", mailboxes).with("count", messages),
        }
    }
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

    /// The mailboxes that one has deleted and can take back, the latest first: the page after `after`, of `limit` rows.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn removed_folders(
        &self,
        me: &Actor,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Rows<RemovedFolder>, Failure> {
        let (account, _) = me.own()?;
        let kept = self.store.settings().removed_kept;
        let listing = self.store.removed_mailboxes(account, &page(after, limit)).await?;
        Ok(Rows::of(listing, |row| RemovedFolder {
            id: row.mailbox.mailbox_id(),
            name: row.name.as_str().to_owned(),
            messages: row.messages,
            removed_at: row.removed_at.into(),
            until: row.removed_at.plus(kept).into(),
        }))
    }

    /// Brings messages and mailboxes back.
    ///
    /// # Errors
    /// [`Failure::Clash`]: the account is full, or can't have more mailboxes; what came back before that stays.
    pub async fn restore(&self, me: &Actor, which: &WhichRemoved) -> Result<Done, Failure> {
        let (account, _) = me.own()?;
        let restored = self.restore_for(account, which).await?;
        Ok(Done { count: restored.messages + restored.mailboxes, says: restored.says(), undo: None })
    }

    /// Forgets messages for good, and mailboxes with what was deleted along with them.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn forget(&self, me: &Actor, which: &WhichRemoved) -> Result<Done, Failure> {
        let (account, _) = me.own()?;
        let (messages, mailboxes) = match which {
            WhichRemoved::These(ids) => (Some(messages(ids)), Some(mailboxes(ids))),
            WhichRemoved::Since(_) => (None, None),
        };
        let folders = self.store.forget_removed_mailboxes(account, mailboxes).await?;
        let count = self.store.forget_removed(account, messages).await?;
        let says = match folders {
            0 => Text::new("mail-done-forgotten").with("count", count),
            _ => Text::new("mail-done-forgotten-folders").with("folders", folders),
        };
        Ok(Done { count: count + folders, says, undo: None })
    }

    /// As [`Mail::restore`], for any account.
    pub(crate) async fn restore_for(&self, account: AccountKey, which: &WhichRemoved) -> Result<Restored, Failure> {
        let (mut restored, mut ways) = (Restored::default(), Ways::of(self, account).await?);
        let mut folders = self.folders_meant(account, which).await?;
        // Each after the one above it, which has what is known of it, too.
        folders.sort_unstable_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
        for folder in &folders {
            ways.back(self, folder.mailbox, &folder.name, false).await?;
            restored.mailboxes += 1;
        }
        let Some(meant) = Meant::of(which, folders) else { return Ok(restored) };
        let mut page = Page::first();
        loop {
            let listing = self.store.removed_messages(account, &page).await?;
            let mut groups: HashMap<MailboxKey, Vec<MessageKey>> = HashMap::new();
            for row in listing.rows.iter().filter(|row| meant.has(row)) {
                let to = ways.back(self, row.mailbox, &row.mailbox_name, row.has_mailbox).await?;
                groups.entry(to).or_default().push(row.message);
            }
            for (to, messages) in groups {
                restored.messages += self.store.restore_removed(messages, to).await.map_err(refused)?;
            }
            let is_over = listing.rows.last().is_none_or(|row| row.removed_at < meant.since);
            match listing.next {
                Some(next) if !is_over && !meant.is_whole(restored.messages) => page.after = Some(next),
                _ => return Ok(restored),
            }
        }
    }

    async fn folders_meant(&self, account: AccountKey, which: &WhichRemoved) -> Result<Vec<RemovedMailbox>, Failure> {
        let (since, only) = match which {
            WhichRemoved::Since(since) => (*since, None),
            WhichRemoved::These(ids) => (Timestamp::from_millis(0), Some(mailboxes(ids))),
        };
        let (mut meant, mut page) = (Vec::new(), Page::first());
        loop {
            let listing = self.store.removed_mailboxes(account, &page).await?;
            let is_over = listing.rows.last().is_none_or(|row| row.removed_at < since);
            meant.extend(
                listing.rows.into_iter().filter(|row| {
                    row.removed_at >= since && only.as_ref().is_none_or(|only| only.contains(&row.mailbox))
                }),
            );
            match listing.next {
                Some(next) if !is_over => page.after = Some(next),
                _ => return Ok(meant),
            }
        }
    }
}

/// Which deleted messages come back.
struct Meant {
    /// None that was deleted before.
    since: Timestamp,
    /// These alone, and what went along.
    only: Option<Vec<MessageKey>>,
    /// The mailboxes that come back, and when each was deleted: with what was in it.
    went_along: HashMap<MailboxKey, Timestamp>,
}

impl Meant {
    /// Those of `which`, and what was deleted along with `folders`; none where that can be no message.
    fn of(which: &WhichRemoved, folders: Vec<RemovedMailbox>) -> Option<Self> {
        let went_along: HashMap<MailboxKey, Timestamp> =
            folders.into_iter().map(|folder| (folder.mailbox, folder.removed_at)).collect();
        let (since, only) = match which {
            WhichRemoved::Since(since) => (*since, None),
            WhichRemoved::These(ids) => {
                let only = messages(ids);
                let oldest = if only.is_empty() { *went_along.values().min()? } else { Timestamp::from_millis(0) };
                (oldest, Some(only))
            }
        };
        Some(Self { since, only, went_along })
    }

    fn has(&self, row: &RemovedMessage) -> bool {
        let is_chosen = |only: &Vec<MessageKey>| {
            only.contains(&row.message) || self.went_along.get(&row.mailbox) == Some(&row.removed_at)
        };
        row.removed_at >= self.since && self.only.as_ref().is_none_or(is_chosen)
    }

    /// So many are all of them, as far as that is known.
    fn is_whole(&self, messages: u64) -> bool {
        let wanted = self.only.as_ref().filter(|_| self.went_along.is_empty());
        wanted.is_some_and(|only| messages >= u64::try_from(only.len()).unwrap_or(u64::MAX))
    }
}

/// Where an account's messages go back to.
struct Ways {
    account: AccountKey,
    trash: Option<MailboxName>,
    known: HashMap<MailboxKey, MailboxKey>,
}

impl Ways {
    async fn of(mail: &Mail, account: AccountKey) -> Result<Self, Failure> {
        let all = mail.store.mailboxes_uncounted(account).await?;
        let trash = all.into_iter().find(|status| status.mailbox.special_use == Some(SpecialUse::Trash));
        Ok(Self { account, trash: trash.map(|status| status.mailbox.name), known: HashMap::new() })
    }

    /// Where what stood in `mailbox` goes, which is called `name`, or was as long as it was there.
    async fn back(
        &mut self,
        mail: &Mail,
        mailbox: MailboxKey,
        name: &MailboxName,
        is_there: bool,
    ) -> Result<MailboxKey, Failure> {
        if let Some(known) = self.known.get(&mailbox) {
            return Ok(*known);
        }
        let wanted = self.outside_trash(name).unwrap_or_else(MailboxName::inbox);
        let to = if is_there && wanted == *name { mailbox } else { self.found_or_made(mail, mailbox, &wanted).await? };
        self.known.insert(mailbox, to);
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

    async fn found_or_made(&self, mail: &Mail, gone: MailboxKey, name: &MailboxName) -> Result<MailboxKey, Failure> {
        match mail.store.restore_mailbox(self.account, gone, name).await {
            Ok(mailbox) => Ok(mailbox),
            Err(MailboxError::Limit) => Err(Failure::clash("", Text::new("mail-folder-too-many"))),
            Err(MailboxError::Failed(error)) => Err(error.into()),
            // Whoever makes one of this name at the same moment.
            Err(_) => mail.store.mailbox_key(self.account, name).await?.ok_or_else(no_mailbox),
        }
    }
}

/// What isn't an id names nothing.
fn messages(ids: &[String]) -> Vec<MessageKey> {
    ids.iter().take(MAX_AT_ONCE).filter_map(|id| MessageKey::parse(id)).collect()
}

/// As [`messages`].
fn mailboxes(ids: &[String]) -> Vec<MailboxKey> {
    ids.iter().take(MAX_AT_ONCE).filter_map(|id| MailboxKey::parse(id)).collect()
}
