//! Mail as people read and write it in a browser: the same mailboxes, UIDs, flags and changes that IMAP shows (decision 39).
//!
//! ```text
//! Actor ──> a mailbox ──> Sight (the store's view, shared with IMAP's sessions) ──> order ──> a window of rows ──> contents
//!                 └──────> acts: the store's writer, as IMAP's STORE, COPY, MOVE; what was done can be taken back
//! ```
//! - `order`: which message stands where, newest first, alone or in conversations. `list`: a window of it. `find`: what is looked for; `suggest`: how that goes on; `sought`: the same for programs, page by page.
//! - `open`: one message, read and judged; `meeting`: what it invites to, and answering that; `receipt`: who asks to be told that it was read. `acts`: flags, moves, and taking them back. `news`: what changes. `folders`: mailboxes made, renamed, subscribed to, chosen for a use and thrown away.
//! - `removed`: what was deleted, and its way back.
//! - `answer`: what an answer begins with. `identities`: as whom one writes. `rich`: text with formatting. `write`: drafts and sending; `hints`: what is asked before; `later`: what goes out later; `snooze`: what comes back later; `contacts`: whom one knows.
//!
//! Invariants: whoever asks sees their own account, and what others share with them (RFC 4314); any other mailbox is absent. The writer is
//! given what they may do with each change, and refuses the rest. Nothing is read whole for a page: an
//! order is kept as long as its mailbox's messages stay, and brought up to date by what came and went.

mod acts;
mod answer;
mod contacts;
mod find;
mod folders;
mod hints;
mod identities;
mod later;
mod list;
mod meeting;
mod news;
mod open;
mod order;
mod receipt;
mod removed;
mod rich;
mod snooze;
mod sought;
mod suggest;
mod write;

use std::sync::Arc;

use relais_finding::Finder;
use relais_model::{MailboxName, Rights, SpecialUse, Uid};
use relais_store::{AccountKey, MailboxKey, MailboxStatus, Reach, SharedMailbox, Sight, Store};
use tokio::sync::Notify;

use crate::directory::readable;
use crate::{Actor, Failure, Text};

pub use acts::{Act, Chosen, Done, Place};
pub use answer::{Answering, Of, Quoting};
pub use contacts::{CONTACTS_AT_ONCE, CardsImported, ContactPage};
pub use find::{MAX_TERMS, Search, Term, Within};
pub use identities::WriterIdentity;
pub use later::LaterMessage;
pub use list::{Elsewhere, ListFilter, ListPage, ListRow, ListWanted, MAX_WINDOW};
pub use meeting::{AnswerWords, MeetingView};
pub use news::{MailNews, News};
pub use open::{Genuine, MessageEntry, MessageFlags, MessageView, RawMessage};
pub use receipt::ReceiptView;
pub use relais_finding::Excerpted;
pub use relais_store::{Density, ReadingChoices, ReadingPane, WritingChoices};
pub(crate) use removed::Restored;
pub use removed::{RemovedEntry, RemovedFolder, WhichRemoved};
pub use rich::Quote;
pub use snooze::SNOOZED;
pub use sought::{MailParty, MailPiece, MailRow, MailWanted};
pub use suggest::{Suggestion, search_parts};
pub use write::{Draft, DraftFile, MAX_FILES_OCTETS, MAX_RECIPIENTS, NewFile, Out};

use acts::Undos;
use order::Orders;

/// The use-cases of reading and writing mail. A cheap clone.
#[derive(Debug, Clone)]
pub struct Mail {
    store: Store,
    /// What messages say.
    finder: Finder,
    orders: Arc<Orders>,
    undos: Arc<Undos>,
    /// Rung when something is to come back.
    alarm: Arc<Notify>,
    /// None in a house that sends nothing.
    out: Option<Arc<Out>>,
}

/// A mailbox in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// MAILBOXID (RFC 8474): stays through renames.
    pub id: String,
    /// Its full name, levels parted by `/`.
    pub name: String,
    /// What it is for; none for one that somebody made.
    pub special_use: Option<SpecialUse>,
    /// It is INBOX.
    pub is_inbox: bool,
    /// Messages.
    pub messages: u64,
    /// Of these unread.
    pub unseen: u64,
    /// LSUB shows it.
    pub is_subscribed: bool,
    /// Whose it is, where it is another's.
    pub shared: Option<SharedBy>,
    /// What who asks may do there.
    pub rights: Rights,
}

impl SharedBy {
    /// Their name, else their address.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { &self.address } else { &self.name }
    }
}

/// Who shares a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedBy {
    /// Their address.
    pub address: String,
    /// Their name; may be empty.
    pub name: String,
    /// They are a team.
    pub is_team: bool,
    /// The mailbox's full name, as who asks knows it (`Shared/sales/INBOX`).
    pub known_as: String,
}

impl Folder {
    fn of(status: &MailboxStatus) -> Self {
        Self {
            id: status.mailbox.mailbox_id.clone(),
            name: status.mailbox.name.as_str().to_owned(),
            special_use: status.mailbox.special_use,
            is_inbox: status.mailbox.name.is_inbox(),
            messages: status.messages,
            unseen: status.unseen,
            is_subscribed: status.mailbox.is_subscribed,
            shared: None,
            rights: Rights::ALL,
        }
    }

    /// One that another shares, under the name that its owner knows it by. None where only its name may be seen.
    fn shared(shared: &SharedMailbox) -> Option<Self> {
        let by = SharedBy {
            address: readable(&shared.owner),
            name: shared.owner_name.clone(),
            is_team: shared.is_team,
            known_as: shared.name()?.to_string(),
        };
        let is_shown = shared.rights.has(Rights::LOOKUP.with(Rights::READ));
        is_shown.then(|| Self { shared: Some(by), rights: shared.rights, ..Self::of(&shared.status) })
    }

    /// Its full name, as who asks knows it.
    pub fn known_as(&self) -> &str {
        self.shared.as_ref().map_or(&self.name, |by| &by.known_as)
    }

    /// The last level of its name.
    pub fn title(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// What is out of the way until a time waits in it.
    pub fn is_snoozed(&self) -> bool {
        self.name == SNOOZED
    }

    /// What nobody wants or has thrown away is in it: it is looked through only where it is named.
    fn is_waste(&self) -> bool {
        matches!(self.special_use, Some(SpecialUse::Junk | SpecialUse::Trash))
    }

    /// Levels above it.
    pub fn depth(&self) -> usize {
        self.name.matches('/').count()
    }

    /// In which order they stand: what is used most first.
    fn rank(&self) -> u8 {
        match (self.is_inbox, self.special_use) {
            (true, _) => 0,
            _ if self.is_snoozed() => 1,
            (_, Some(SpecialUse::Drafts)) => 2,
            (_, Some(SpecialUse::Sent)) => 3,
            (_, Some(SpecialUse::Archive)) => 4,
            (_, Some(SpecialUse::Junk)) => 5,
            (_, Some(SpecialUse::Trash)) => 6,
            _ => 7,
        }
    }
}

/// A mailbox of who asks, or one that is shared with them, ready to be looked at.
struct Own {
    /// Who asks.
    account: AccountKey,
    view: Sight,
}

impl Own {
    /// Whose it is.
    fn owner(&self) -> AccountKey {
        self.view.account()
    }
}

impl Mail {
    /// Over `store`.
    pub fn new(store: Store) -> Self {
        let finder = Finder::new(store.clone());
        Self { store, finder, orders: Arc::default(), undos: Arc::default(), alarm: Arc::default(), out: None }
    }

    /// The same, with this index: without one, searches read messages.
    pub(crate) fn with_finder(self, finder: Finder) -> Self {
        Self { finder, ..self }
    }

    /// All mailboxes: INBOX, those with a use, and the others by name.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn folders(&self, me: &Actor) -> Result<Vec<Folder>, Failure> {
        let (account, _) = me.own()?;
        let mut folders: Vec<Folder> = self.store.mailboxes_uncounted(account).await?.iter().map(Folder::of).collect();
        folders.sort_by(|one, other| {
            let key = |folder: &Folder| (folder.rank(), folder.name.to_lowercase());
            key(one).cmp(&key(other))
        });
        Ok(folders)
    }

    /// All that others share, and who asks may read: teams' first, then by whose they are.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn shared_folders(&self, me: &Actor) -> Result<Vec<Folder>, Failure> {
        let shared = self.store.shared_with(me.own()?.0).await?;
        let mut folders: Vec<Folder> = shared.iter().filter_map(Folder::shared).collect();
        folders.sort_by_cached_key(|folder| {
            let by = folder.shared.as_ref();
            let owner = (by.is_some_and(|by| !by.is_team), by.map(|by| by.address.clone()));
            (owner, folder.rank(), folder.name.to_lowercase())
        });
        Ok(folders)
    }

    /// How one reads.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn choices(&self, me: &Actor) -> Result<ReadingChoices, Failure> {
        Ok(self.store.reading_choices(me.own()?.0).await?)
    }

    /// Reads so from now on.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn choose(&self, me: &Actor, choices: ReadingChoices) -> Result<(), Failure> {
        Ok(self.store.set_reading_choices(me.own()?.0, choices).await?)
    }

    /// The mailbox that `id` names, of who asks, or one of another's that they may read. Who may not is told that it isn't there.
    async fn own(&self, me: &Actor, id: &str) -> Result<Own, Failure> {
        let (account, _) = me.own()?;
        let key = MailboxKey::parse(id).ok_or_else(no_mailbox)?;
        let view = self.store.sight(account, key).await?.ok_or_else(no_mailbox)?;
        if view.is_gone() || !view.rights().has(Rights::READ) {
            return Err(no_mailbox());
        }
        Ok(Own { account, view })
    }

    /// Where `account` puts something: a mailbox of its own, or one of another's that it sees.
    ///
    /// # Errors
    /// [`Failure::Absent`] for one that it doesn't see; [`Failure::Forbidden`] for one that it puts nothing into.
    async fn target(&self, account: AccountKey, mailbox: MailboxKey) -> Result<Reach, Failure> {
        let reach = self.store.reach(account, mailbox).await?.ok_or_else(no_mailbox)?;
        if reach.rights.has(Rights::INSERT) {
            Ok(reach)
        } else if reach.rights.has_some(Rights::LOOKUP.with(Rights::READ)) {
            Err(no_right())
        } else {
            Err(no_mailbox())
        }
    }

    /// The mailbox with this use, which is made where there is none.
    async fn with_use(&self, account: AccountKey, special_use: SpecialUse) -> Result<MailboxKey, Failure> {
        let all = self.store.mailboxes_uncounted(account).await?;
        if let Some(status) = all.iter().find(|status| status.mailbox.special_use == Some(special_use)) {
            return Ok(status.mailbox.key);
        }
        let name = special_use.as_str().trim_start_matches('\\');
        let name = MailboxName::parse(name).map_err(|_unfit| Failure::Failed)?;
        if let Some(status) = all.iter().find(|status| status.mailbox.name == name) {
            return Ok(status.mailbox.key);
        }
        let made =
            self.store.create_mailbox(account, &name, Some(special_use)).await.map_err(|_refused| Failure::Failed)?;
        self.store.subscribe(account, &name).await?;
        Ok(made.mailbox.key)
    }

    /// What a mailbox is for; INBOX has no use.
    async fn use_of(&self, account: AccountKey, mailbox: MailboxKey) -> Result<Option<SpecialUse>, Failure> {
        let all = self.store.mailboxes_uncounted(account).await?;
        let status = all.iter().find(|status| status.mailbox.key == mailbox).ok_or_else(no_mailbox)?;
        Ok(status.mailbox.special_use)
    }
}

fn no_right() -> Failure {
    Failure::Forbidden(Text::new("mail-no-right"))
}

fn no_mailbox() -> Failure {
    Failure::Absent(Text::new("mail-no-mailbox"))
}

fn no_message() -> Failure {
    Failure::Absent(Text::new("mail-no-message"))
}

fn uid(number: u32) -> Result<Uid, Failure> {
    Uid::new(number).ok_or_else(no_message)
}
