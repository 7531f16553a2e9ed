//! Mailboxes, made, renamed, subscribed to, chosen for a use and thrown away. What is thrown away stands below Trash with all that is in it, and
//! can be taken back; from there it goes for good.

use relais_model::{MailboxName, SpecialUse};
use relais_store::{AccountKey, MailboxError, MailboxKey, MailboxStatus};

use super::acts::Undo;
use super::{Done, Folder, Mail, SNOOZED, no_mailbox};
use crate::{Actor, Failure, Text};

/// Names that are tried below Trash.
const MAX_TRIES: u32 = 100;

impl Mail {
    /// Makes a mailbox, subscribed; levels are parted by `/`.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `name`; [`Failure::Clash`] where there is one, or too many.
    pub async fn create_folder(&self, me: &Actor, name: &str) -> Result<Folder, Failure> {
        let (account, _) = me.own()?;
        let name = mailbox_name(name)?;
        let made = self.store.create_mailbox(account, &name, None).await.map_err(refused)?;
        self.store.subscribe(account, &name).await?;
        Ok(Folder::of(&made))
    }

    /// Gives a mailbox another name, and all below it with it.
    ///
    /// # Errors
    /// [`Failure::Absent`], [`Failure::Unfit`] on `name`, [`Failure::Clash`]; [`Failure::Forbidden`] for one that has a use.
    pub async fn rename_folder(&self, me: &Actor, id: &str, name: &str) -> Result<Done, Failure> {
        let (account, _) = me.own()?;
        let (status, name) = (self.own_folder(account, id).await?, mailbox_name(name)?);
        let old = status.mailbox.name;
        if old == name {
            return Ok(Done {
                count: 0,
                says: Text::new("mail-folder-renamed").with("name", name.as_str()),
                undo: None,
            });
        }
        self.rename(account, &old, &name).await?;
        let undo = self.keep_undo(account, Undo::Rename { from: name.clone(), to: old });
        Ok(Done { count: 1, says: Text::new("mail-folder-renamed").with("name", name.as_str()), undo: Some(undo) })
    }

    /// Subscribes to a mailbox, or no longer: mail programs show what is subscribed to (RFC 9051 §6.3.7, §6.3.8), the webmail shows all. INBOX
    /// stays subscribed to, for programs that hide it would seem to get no mail.
    ///
    /// # Errors
    /// [`Failure::Absent`]; [`Failure::Forbidden`] for INBOX, where it is no longer to be subscribed to.
    pub async fn subscribe_folder(&self, me: &Actor, id: &str, is_set: bool) -> Result<Done, Failure> {
        let (account, _) = me.own()?;
        let key = MailboxKey::parse(id).ok_or_else(no_mailbox)?;
        let mailbox = self.folder(account, key).await?.mailbox;
        if mailbox.name.is_inbox() && !is_set {
            return Err(Failure::Forbidden(Text::new("mail-folder-kept")));
        }
        let says = Text::new(if is_set { "mail-folder-subscribed" } else { "mail-folder-unsubscribed" });
        let says = says.with("name", mailbox.name.as_str());
        if mailbox.is_subscribed == is_set {
            return Ok(Done { count: 0, says, undo: None });
        }
        self.set_subscribed(account, &mailbox.name, is_set).await?;
        let undo = self.keep_undo(account, Undo::Subscription { mailbox: key, is_set: !is_set });
        Ok(Done { count: 1, says, undo: Some(undo) })
    }

    pub(super) async fn set_subscribed(
        &self,
        account: AccountKey,
        name: &MailboxName,
        is_set: bool,
    ) -> Result<(), Failure> {
        if is_set {
            self.store.subscribe(account, name).await?;
        } else {
            self.store.unsubscribe(account, name).await?;
        }
        Ok(())
    }

    /// Has a mailbox take what is sent, archived, unwanted or deleted from now on, in the place of the one that does (RFC 6154 §2). What is in
    /// that one stays there.
    ///
    /// # Errors
    /// [`Failure::Absent`]; [`Failure::Forbidden`] for INBOX, for what waits to come back, for one that has another use, and for other uses;
    /// [`Failure::Clash`] on `mailbox`: there is mail in Junk.
    pub async fn use_folder(&self, me: &Actor, id: &str, special_use: SpecialUse) -> Result<Done, Failure> {
        let (account, _) = me.own()?;
        let key = MailboxKey::parse(id).ok_or_else(no_mailbox)?;
        let all = self.store.mailboxes_uncounted(account).await?;
        let mailbox = &all.iter().find(|status| status.mailbox.key == key).ok_or_else(no_mailbox)?.mailbox;
        let kept = || Failure::Forbidden(Text::new("mail-folder-kept"));
        let says = chosen_for(special_use).ok_or_else(kept)?.with("name", mailbox.name.as_str());
        if mailbox.special_use == Some(special_use) {
            return Ok(Done { count: 0, says, undo: None });
        }
        if mailbox.name.is_inbox() || mailbox.name.as_str() == SNOOZED || mailbox.special_use.is_some() {
            return Err(kept());
        }
        // It would be mail like any other: its pictures would be shown, its lists left, and moving it out would teach that it is wanted.
        let is_left =
            |status: &MailboxStatus| status.mailbox.special_use == Some(SpecialUse::Junk) && status.messages > 0;
        if special_use == SpecialUse::Junk && all.iter().any(is_left) {
            return Err(Failure::clash("mailbox", Text::new("mail-folder-junk-left")));
        }
        let before = self.give_use(account, key, special_use).await?;
        let undo = before.map(|mailbox| self.keep_undo(account, Undo::Use { mailbox, special_use }));
        Ok(Done { count: 1, says, undo })
    }

    pub(super) async fn give_use(
        &self,
        account: AccountKey,
        mailbox: MailboxKey,
        special_use: SpecialUse,
    ) -> Result<Option<MailboxKey>, Failure> {
        self.store.give_use(account, mailbox, special_use).await.map_err(refused)
    }

    /// Throws a mailbox away: below Trash, or for good where it is there already.
    ///
    /// # Errors
    /// As of [`Mail::rename_folder`].
    pub async fn delete_folder(&self, me: &Actor, id: &str) -> Result<Done, Failure> {
        let (account, _) = me.own()?;
        let status = self.own_folder(account, id).await?;
        let name = status.mailbox.name;
        let trash = self.with_use(account, SpecialUse::Trash).await?;
        let all = self.store.mailboxes_uncounted(account).await?;
        let trash = all.iter().find(|status| status.mailbox.key == trash).ok_or_else(no_mailbox)?.mailbox.name.clone();
        let says = |id| Text::new(id).with("name", name.as_str());
        // Below Trash nobody would look for what is archived or sent.
        if all.iter().any(|status| status.mailbox.special_use.is_some() && status.mailbox.name.is_below(&name)) {
            return Err(Failure::Forbidden(Text::new("mail-folder-kept")));
        }
        if name.is_below(&trash) {
            self.store.delete_mailbox(account, &name).await.map_err(refused)?;
            return Ok(Done { count: status.messages, says: says("mail-folder-removed"), undo: None });
        }
        let title = name.as_str().rsplit('/').next().unwrap_or_default();
        for number in 1..=MAX_TRIES {
            let suffix = if number == 1 { String::new() } else { format!(" {number}") };
            let to = mailbox_name(&format!("{trash}/{title}{suffix}"))?;
            if all.iter().any(|status| status.mailbox.name == to) {
                continue;
            }
            self.rename(account, &name, &to).await?;
            let undo = self.keep_undo(account, Undo::Rename { from: to, to: name.clone() });
            return Ok(Done { count: status.messages, says: says("mail-folder-deleted"), undo: Some(undo) });
        }
        Err(Failure::clash("", Text::new("mail-folder-exists")))
    }

    /// Subscriptions go by name, so they go along.
    pub(super) async fn rename(
        &self,
        account: AccountKey,
        from: &MailboxName,
        to: &MailboxName,
    ) -> Result<(), Failure> {
        let subscribed = self.store.subscriptions(account).await?;
        self.store.rename_mailbox(account, from, to).await.map_err(refused)?;
        for old in subscribed.iter().filter(|name| *name == from || name.is_below(from)) {
            let rest = old.as_str().get(from.as_str().len()..).unwrap_or_default();
            if let Ok(new) = MailboxName::parse(&format!("{to}{rest}")) {
                self.store.subscribe(account, &new).await?;
                self.store.unsubscribe(account, old).await?;
            }
        }
        Ok(())
    }

    /// One of the account's own.
    pub(super) async fn folder(&self, account: AccountKey, key: MailboxKey) -> Result<MailboxStatus, Failure> {
        let all = self.store.mailboxes_uncounted(account).await?;
        all.into_iter().find(|status| status.mailbox.key == key).ok_or_else(no_mailbox)
    }

    /// One that somebody made.
    async fn own_folder(&self, account: AccountKey, id: &str) -> Result<MailboxStatus, Failure> {
        let status = self.folder(account, MailboxKey::parse(id).ok_or_else(no_mailbox)?).await?;
        if status.mailbox.name.is_inbox() || status.mailbox.special_use.is_some() {
            return Err(Failure::Forbidden(Text::new("mail-folder-kept")));
        }
        Ok(status)
    }
}

fn mailbox_name(text: &str) -> Result<MailboxName, Failure> {
    MailboxName::parse(text.trim().trim_matches('/'))
        .map_err(|_unfit| Failure::unfit("name", Text::new("mail-folder-bad-name")))
}

/// What is said of a mailbox that was chosen for a use; none: people choose none for it. Drafts stays the one that it is, for what is being
/// written, and what goes out later, is known by its UID there, which in another mailbox is another message's.
fn chosen_for(special_use: SpecialUse) -> Option<Text> {
    match special_use {
        SpecialUse::Sent => Some(Text::new("mail-folder-for-sent")),
        SpecialUse::Archive => Some(Text::new("mail-folder-for-archive")),
        SpecialUse::Junk => Some(Text::new("mail-folder-for-junk")),
        SpecialUse::Trash => Some(Text::new("mail-folder-for-trash")),
        SpecialUse::All | SpecialUse::Drafts | SpecialUse::Flagged => None,
    }
}

fn refused(error: MailboxError) -> Failure {
    match error {
        MailboxError::Exists => Failure::clash("name", Text::new("mail-folder-exists")),
        MailboxError::NotFound => no_mailbox(),
        MailboxError::Inbox | MailboxError::UseTaken => Failure::Forbidden(Text::new("mail-folder-kept")),
        MailboxError::BelowItself => Failure::unfit("name", Text::new("mail-folder-below-itself")),
        MailboxError::TooLong => Failure::unfit("name", Text::new("mail-folder-bad-name")),
        MailboxError::Limit => Failure::clash("", Text::new("mail-folder-too-many")),
        MailboxError::Failed(error) => error.into(),
    }
}
