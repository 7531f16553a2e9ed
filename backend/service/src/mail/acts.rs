//! What is done to messages: flags, moves, removals, and taking them back.
//!
//! In a mailbox of another's, Archive, Junk and Trash are its owner's, where one may put something there; what may not go into Trash is deleted
//! at once, and its owner has it among what was deleted of late.
//!
//! What can be taken back is kept for [`UNDO_FOR`], in memory: a restart forgets it, and nothing else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use relais_model::{Flag, Keyword, MailboxName, Rights, SpecialUse, SystemFlag, Timestamp, Uid, UidSet};
use relais_store::{AccountKey, ChangeError, FlagChange, FlagOp, MAX_AT_ONCE, MailboxKey, MessageKey, Reach, Snoozed};

use super::list::{self, ListWanted};
use super::{Mail, Own, no_mailbox, no_message, no_right};
use crate::{Actor, Failure, Text};

/// An act can be taken back for so long.
pub(crate) const UNDO_FOR: Duration = Duration::from_mins(10);
/// Acts that can be taken back at a time, in all the house.
const MAX_UNDOS: u64 = 20_000;

/// Which messages of a mailbox.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// These.
    Messages(UidSet),
    /// These, and all that stands with them in a conversation.
    Conversations(UidSet),
    /// All that a list shows, on all its pages.
    Listed(Box<ListWanted>),
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Sets `\Seen`, or takes it away.
    Read(bool),
    /// Sets `\Flagged`, or takes it away.
    Star(bool),
    /// Puts a label on, or takes it off: a keyword (RFC 9051 §2.3.2), but for those of programs.
    Label(String, bool),
    /// Moves.
    Move(Place),
    /// Copies.
    Copy(Place),
    /// Puts out of the way until then; it comes back to INBOX, unread.
    Snooze(Timestamp),
    /// Moves into Trash; what is there already is deleted (`removed` tells of its way back).
    Delete,
}

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The mailbox of this MAILBOXID.
    Mailbox(String),
    /// The archive.
    Archive,
    /// Junk: teaches the filter.
    Junk,
    /// Back from Junk into INBOX: teaches it, too.
    NotJunk,
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Messages that are other than before.
    pub count: u64,
    /// What happened, in words.
    pub says: Text,
    /// Takes it back; none where nothing can.
    pub undo: Option<String>,
}

/// How an act is taken back.
#[derive(Debug, Clone)]
pub(super) enum Undo {
    Flags {
        mailbox: MailboxKey,
        uids: UidSet,
        change: FlagChange,
    },
    Move {
        from: MailboxKey,
        uids: UidSet,
        to: MailboxKey,
    },
    /// What was deleted for good comes back.
    Restore {
        messages: Vec<MessageKey>,
        to: MailboxKey,
    },
    /// What waits has the times that it had.
    Snooze {
        mailbox: MailboxKey,
        uids: UidSet,
        before: Vec<Snoozed>,
    },
    /// Copies go again.
    Remove {
        mailbox: MailboxKey,
        uids: UidSet,
    },
    /// A mailbox has its old name again.
    Rename {
        from: MailboxName,
        to: MailboxName,
    },
    /// A mailbox is subscribed to again, or no longer; by the name that it has then.
    Subscription {
        mailbox: MailboxKey,
        is_set: bool,
    },
    /// A mailbox has its old use again.
    Use {
        mailbox: MailboxKey,
        special_use: SpecialUse,
    },
}

/// What can be taken back.
#[derive(Debug)]
pub(super) struct Undos {
    kept: Cache<(AccountKey, u64), Undo>,
    next: AtomicU64,
}

impl Default for Undos {
    fn default() -> Self {
        Self { kept: Cache::builder().max_capacity(MAX_UNDOS).time_to_live(UNDO_FOR).build(), next: AtomicU64::new(1) }
    }
}

impl Undos {
    /// Its name is of its account: nobody else's names it.
    fn keep(&self, account: AccountKey, undo: Undo) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.kept.insert((account, number), undo);
        format!("{number:x}")
    }

    /// Once.
    fn take(&self, account: AccountKey, token: &str) -> Option<Undo> {
        self.kept.remove(&(account, u64::from_str_radix(token, 16).ok()?))
    }
}

impl Mail {
    /// Does it.
    ///
    /// # Errors
    /// [`Failure::Absent`]: the mailbox, or the one that they go to, isn't there; [`Failure::Clash`]: the account is full,
    /// or the mailbox has no room for another label; [`Failure::Unfit`]: that is no label.
    pub async fn act(&self, me: &Actor, mailbox: &str, chosen: &Chosen, act: &Act) -> Result<Done, Failure> {
        let own = self.own(me, mailbox).await?;
        let uids = self.chosen(&own, chosen).await?;
        if uids.is_empty() {
            return Ok(Done { count: 0, says: Text::new("mail-nothing-chosen"), undo: None });
        }
        match act {
            Act::Read(is_set) => self.flag(&own, uids, Flag::System(SystemFlag::Seen), *is_set, "read").await,
            Act::Star(is_set) => self.flag(&own, uids, Flag::System(SystemFlag::Flagged), *is_set, "star").await,
            Act::Label(name, is_set) => self.flag(&own, uids, Flag::Keyword(label(name)?), *is_set, "label").await,
            Act::Move(place) => {
                let to = self.place(&own, place).await?;
                self.move_to(&own, uids, to, word_of(place)).await
            }
            Act::Copy(place) => {
                let to = self.place(&own, place).await?;
                let copied = self.store.copy(own.view.reach(), uids, to).await.map_err(refused)?;
                let undo = Undo::Remove { mailbox: to.mailbox, uids: copied.to.iter().copied().collect() };
                Ok(self.done(own.account, count(&copied.to), "copied", undo))
            }
            Act::Snooze(due_at) => self.snooze(&own, uids, *due_at).await,
            Act::Delete => self.delete(&own, uids).await,
        }
    }

    /// Takes an act back.
    ///
    /// # Errors
    /// [`Failure::Absent`]: it was taken back already, or too long ago.
    pub async fn undo(&self, me: &Actor, token: &str) -> Result<Text, Failure> {
        let (account, _) = me.own()?;
        let undo = self.undos.take(account, token);
        match undo.ok_or_else(|| Failure::Absent(Text::new("mail-undo-gone")))? {
            Undo::Flags { mailbox, uids, change } => {
                let mailbox = self.reach(account, mailbox).await?;
                self.store.store_flags(mailbox, uids, change, None).await.map_err(refused)?;
            }
            Undo::Move { from, uids, to } => {
                let (from, to) = (self.reach(account, from).await?, self.reach(account, to).await?);
                self.store.move_messages(from, uids, to).await.map_err(refused)?;
            }
            Undo::Restore { messages, to } => {
                self.target(account, to).await?;
                self.store.restore_removed(messages, to).await.map_err(refused)?;
            }
            Undo::Snooze { mailbox, uids, before } => self.snooze_as_before(mailbox, uids, before).await?,
            Undo::Remove { mailbox, uids } => self.remove(self.reach(account, mailbox).await?, uids).await?,
            Undo::Rename { from, to } => self.rename(account, &from, &to).await?,
            Undo::Subscription { mailbox, is_set } => {
                let name = self.folder(account, mailbox).await?.mailbox.name;
                self.set_subscribed(account, &name, is_set).await?;
            }
            Undo::Use { mailbox, special_use } => {
                self.give_use(account, mailbox, special_use).await?;
            }
        }
        Ok(Text::new("mail-undone"))
    }

    /// A mailbox as who takes something back may act on it now.
    async fn reach(&self, account: AccountKey, mailbox: MailboxKey) -> Result<Reach, Failure> {
        self.store.reach(account, mailbox).await?.ok_or_else(no_mailbox)
    }

    /// The messages that are meant, as far as they are there.
    async fn chosen(&self, own: &Own, chosen: &Chosen) -> Result<UidSet, Failure> {
        Ok(match chosen {
            Chosen::Messages(uids) => uids.clone(),
            Chosen::Conversations(uids) => {
                let order = self.orders.of(&self.store, &own.view, true).await?;
                let is_meant = |uid: &u32| Uid::new(*uid).is_some_and(|uid| uids.contains(uid));
                let lines = order.lines.iter().filter(|line| line.uids.iter().any(&is_meant));
                sorted(lines.flat_map(|line| line.uids.iter().copied()))
            }
            Chosen::Listed(wanted) => {
                let lines = self.lines(own, wanted).await?;
                sorted(lines.iter().flat_map(|line| line.uids.iter().copied()))
            }
        })
    }

    async fn flag(&self, own: &Own, uids: UidSet, flag: Flag, is_set: bool, word: &str) -> Result<Done, Failure> {
        let change =
            |is_set| FlagChange { op: if is_set { FlagOp::Add } else { FlagOp::Remove }, flags: vec![flag.clone()] };
        let mailbox = own.view.mailbox();
        let stored = self.store.store_flags(own.view.reach(), uids, change(is_set), None).await.map_err(refused)?;
        let undo = Undo::Flags { mailbox, uids: stored.changed.clone(), change: change(!is_set) };
        let word = if is_set { word.to_owned() } else { format!("not-{word}") };
        Ok(self.done(own.account, stored.changed.count(), &word, undo))
    }

    async fn move_to(&self, own: &Own, uids: UidSet, target: Reach, word: &str) -> Result<Done, Failure> {
        let (from, to) = (own.view.mailbox(), target.mailbox);
        if from == to {
            return Ok(Done { count: 0, says: Text::new("mail-moved-nowhere"), undo: None });
        }
        let moved = self.store.move_messages(own.view.reach(), uids, target).await.map_err(refused)?;
        let undo = Undo::Move { from: to, uids: moved.to.iter().copied().collect(), to: from };
        Ok(self.done(own.account, count(&moved.to), word, undo))
    }

    async fn delete(&self, own: &Own, uids: UidSet) -> Result<Done, Failure> {
        let mailbox = own.view.mailbox();
        let trash = match self.use_of(own.owner(), mailbox).await? {
            Some(SpecialUse::Trash) => None,
            _ => self.trash_of(own).await?,
        };
        let Some(trash) = trash else {
            let messages: Vec<MessageKey> = own.view.read(|rows| rows.select(&uids).map(|row| row.message()).collect());
            self.remove(own.view.reach(), uids).await?;
            let count = u64::try_from(messages.len()).unwrap_or(u64::MAX);
            let can_be_undone = (1..=MAX_AT_ONCE).contains(&messages.len());
            let undo = can_be_undone.then(|| self.keep_undo(own.account, Undo::Restore { messages, to: mailbox }));
            return Ok(Done { count, says: Text::new("mail-done-removed").with("count", count), undo });
        };
        self.move_to(own, uids, trash, "deleted").await
    }

    /// The Trash of whose mailbox it is; none: another's, into which who asks puts nothing.
    async fn trash_of(&self, own: &Own) -> Result<Option<Reach>, Failure> {
        match self.place_of(own, SpecialUse::Trash).await {
            Ok(trash) => Ok(Some(trash)),
            Err(Failure::Forbidden(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The mailbox with this use, of whose mailbox `own` is. Of another's, only one that is there.
    async fn place_of(&self, own: &Own, special_use: SpecialUse) -> Result<Reach, Failure> {
        if !own.view.is_anothers() {
            return Ok(self.with_use(own.account, special_use).await?.into());
        }
        let all = self.store.mailboxes(own.owner()).await?;
        let found = all.iter().find(|status| status.mailbox.special_use == Some(special_use)).ok_or_else(no_right)?;
        self.put_beside(own, found.mailbox.key).await
    }

    /// A mailbox beside another's: whether it is there is nobody's business who may put nothing into it.
    async fn put_beside(&self, own: &Own, mailbox: MailboxKey) -> Result<Reach, Failure> {
        match self.target(own.account, mailbox).await {
            Err(Failure::Absent(_)) => Err(no_right()),
            other => other,
        }
    }

    /// From its mailbox.
    pub(super) async fn remove(&self, mailbox: impl Into<Reach>, uids: UidSet) -> Result<(), Failure> {
        let mailbox = mailbox.into();
        if !mailbox.rights.has(Rights::MARK_DELETED.with(Rights::EXPUNGE)) {
            return Err(no_right());
        }
        let deleted = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Deleted)] };
        self.store.store_flags(mailbox, uids.clone(), deleted, None).await.map_err(refused)?;
        self.store.expunge(mailbox, Some(uids)).await.map_err(refused)?;
        Ok(())
    }

    async fn place(&self, own: &Own, place: &Place) -> Result<Reach, Failure> {
        match place {
            Place::Mailbox(id) => {
                let key = MailboxKey::parse(id).ok_or_else(no_mailbox)?;
                self.target(own.account, key).await
            }
            Place::Archive => self.place_of(own, SpecialUse::Archive).await,
            Place::Junk => self.place_of(own, SpecialUse::Junk).await,
            Place::NotJunk => {
                let inbox = self.store.mailbox_key(own.owner(), &MailboxName::inbox()).await?.ok_or_else(no_mailbox)?;
                self.put_beside(own, inbox).await
            }
        }
    }

    pub(super) fn keep_undo(&self, account: AccountKey, undo: Undo) -> String {
        self.undos.keep(account, undo)
    }

    fn done(&self, account: AccountKey, count: u64, word: &str, undo: Undo) -> Done {
        let undo = (count > 0).then(|| self.keep_undo(account, undo));
        Done { count, says: Text::named(format!("mail-done-{word}")).with("count", count), undo }
    }
}

/// What nobody would see isn't put on, and what programs set isn't taken off.
fn label(name: &str) -> Result<Keyword, Failure> {
    let keyword = Keyword::parse(name.trim()).ok().filter(|keyword| list::label(keyword).is_some());
    keyword.ok_or_else(|| Failure::unfit("label", Text::new("mail-label-bad")))
}

fn word_of(place: &Place) -> &'static str {
    match place {
        Place::Mailbox(_) => "moved",
        Place::Archive => "archived",
        Place::Junk => "junk",
        Place::NotJunk => "not-junk",
    }
}

pub(super) fn count<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

fn sorted(uids: impl Iterator<Item = u32>) -> UidSet {
    let mut uids: Vec<Uid> = uids.filter_map(Uid::new).collect();
    uids.sort_unstable();
    uids.into_iter().collect()
}

pub(super) fn refused(error: ChangeError) -> Failure {
    match error {
        ChangeError::NoMailbox => no_mailbox(),
        ChangeError::NoMessage => no_message(),
        ChangeError::NoRight => no_right(),
        ChangeError::OverQuota => Failure::clash("", Text::new("mail-full")),
        ChangeError::TooManyKeywords => Failure::clash("label", Text::new("mail-too-many-labels")),
        ChangeError::NoMoreUids => Failure::Failed,
        ChangeError::Failed(error) => error.into(),
    }
}
