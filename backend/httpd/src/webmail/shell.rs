//! What stands around every page of the webmail.

use relais_model::SpecialUse;
use relais_service::{Actor, Failure, Folder, ReadingChoices};

use crate::kit::Frame;
use crate::{Web, path};

/// Mailboxes, and how one reads.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    pub(super) folders: Vec<FolderRow>,
    /// `roomy` or `dense`.
    pub(super) density: &'static str,
    /// `right`, `below` or `none`.
    pub(super) pane: &'static str,
    pub(super) choices: ReadingChoices,
    /// Before a page's title: `(12) `, for so many unread in INBOX; empty for none.
    pub(super) unread: String,
    /// What goes out later, counted; empty where nothing does.
    pub(super) later: String,
    /// Of that something could not be sent.
    pub(super) is_refused: bool,
}

/// A mailbox to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FolderRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) title: String,
    /// The whole name, where it isn't the title.
    pub(super) name: String,
    pub(super) symbol: &'static str,
    /// Its level, at most 4, for how far it is set in.
    pub(super) depth: usize,
    /// What is counted beside it; empty for nothing.
    pub(super) count: String,
    pub(super) is_current: bool,
    pub(super) special_use: Option<SpecialUse>,
    pub(super) is_inbox: bool,
    /// What is out of the way waits in it.
    pub(super) is_snoozed: bool,
}

impl FolderRow {
    fn of(frame: &Frame, folder: &Folder, current: &str) -> Self {
        // Of drafts all are to be done, of other mailboxes what is unread; of Trash and Junk nobody wants to know.
        let counted = match folder.special_use {
            Some(SpecialUse::Drafts) => folder.messages,
            Some(SpecialUse::Trash | SpecialUse::Sent | SpecialUse::Junk) => 0,
            _ if folder.is_snoozed() => folder.messages,
            _ => folder.unseen,
        };
        Self {
            href: path::of(path::MAIL, &folder.id),
            title: title(frame, folder),
            name: folder.name.clone(),
            symbol: symbol(folder),
            depth: folder.depth().min(4),
            count: if counted == 0 { String::new() } else { frame.number(counted) },
            is_current: folder.id == current,
            special_use: folder.special_use,
            is_inbox: folder.is_inbox,
            is_snoozed: folder.is_snoozed(),
            id: folder.id.clone(),
        }
    }

    /// It has a use, and stays.
    pub(super) const fn is_kept(&self) -> bool {
        self.is_inbox || self.special_use.is_some()
    }

    pub(super) fn is(&self, special_use: SpecialUse) -> bool {
        self.special_use == Some(special_use)
    }
}

impl Shell {
    /// For who is at the mailbox `current`; empty for none.
    pub(super) async fn of(web: &Web, frame: &Frame, me: &Actor, current: &str) -> Result<Self, Failure> {
        let mail = &web.service().mail;
        let folders = mail.folders(me).await?;
        let (waiting, refused) = mail.later_counts(me).await?;
        let later = if waiting + refused == 0 { String::new() } else { frame.number(waiting + refused) };
        let shell = Self::with(frame, &folders, mail.choices(me).await?, current);
        Ok(Self { later, is_refused: refused > 0, ..shell })
    }

    pub(super) fn with(frame: &Frame, folders: &[Folder], choices: ReadingChoices, current: &str) -> Self {
        let folders: Vec<FolderRow> = folders.iter().map(|folder| FolderRow::of(frame, folder, current)).collect();
        let unread = folders.iter().find(|folder| folder.is_inbox && !folder.count.is_empty());
        Self {
            unread: unread.map(|inbox| format!("({}) ", inbox.count)).unwrap_or_default(),
            folders,
            density: choices.density.as_str(),
            pane: choices.pane.as_str(),
            choices,
            later: String::new(),
            is_refused: false,
        }
    }

    pub(super) fn current(&self) -> Option<&FolderRow> {
        self.folders.iter().find(|folder| folder.is_current)
    }
}

/// Mailboxes with a use are called so in every language.
pub(super) fn title(frame: &Frame, folder: &Folder) -> String {
    let id = match (folder.is_inbox, folder.special_use) {
        (true, _) => "webmail-inbox",
        (_, Some(SpecialUse::Drafts)) => "webmail-drafts",
        (_, Some(SpecialUse::Sent)) => "webmail-sent",
        (_, Some(SpecialUse::Archive)) => "webmail-archive",
        (_, Some(SpecialUse::Junk)) => "webmail-junk",
        (_, Some(SpecialUse::Trash)) => "webmail-trash",
        _ if folder.is_snoozed() => "webmail-snoozed",
        _ => return folder.title().to_owned(),
    };
    frame.say(id)
}

fn symbol(folder: &Folder) -> &'static str {
    match (folder.is_inbox, folder.special_use) {
        (true, _) => "inbox",
        (_, Some(SpecialUse::Drafts)) => "edit",
        (_, Some(SpecialUse::Sent)) => "send",
        (_, Some(SpecialUse::Archive)) => "archive",
        (_, Some(SpecialUse::Junk)) => "junk",
        (_, Some(SpecialUse::Trash)) => "trash",
        _ if folder.is_snoozed() => "clock",
        _ => "folder",
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;

    /// Ann's mailboxes.
    pub(crate) fn shell(frame: &Frame, current: &str) -> Shell {
        let folder = |id: &str, name: &str, special_use, unseen| Folder {
            id: id.to_owned(),
            name: name.to_owned(),
            special_use,
            is_inbox: name == "INBOX",
            messages: 1234,
            unseen,
            is_subscribed: true,
        };
        let folders = [
            folder("F1", "INBOX", None, 12),
            folder("F2", "Drafts", Some(SpecialUse::Drafts), 0),
            folder("F3", "Sent", Some(SpecialUse::Sent), 0),
            folder("F4", "Archive", Some(SpecialUse::Archive), 0),
            folder("F5", "Junk", Some(SpecialUse::Junk), 3),
            folder("F6", "Trash", Some(SpecialUse::Trash), 0),
            folder("F7", "Bills/2026", None, 1),
            folder("F8", "Snoozed", None, 0),
        ];
        Shell::with(frame, &folders, ReadingChoices::default(), current)
    }
}
