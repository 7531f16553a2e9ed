//! What stands around every page of the webmail.

use relais_model::{Rights, SpecialUse};
use relais_service::{Actor, Failure, Folder, ReadingChoices};

use crate::kit::Frame;
use crate::{Web, path};

/// Mailboxes, and how one reads.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    pub(super) folders: Vec<FolderRow>,
    /// What others share: teams first.
    pub(super) shared: Vec<SharedGroup>,
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

/// What one team, or one person, shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SharedGroup {
    /// Its name, or their address.
    pub(super) title: String,
    pub(super) address: String,
    pub(super) folders: Vec<FolderRow>,
}

/// A mailbox to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are what templates ask of a mailbox")]
pub(super) struct FolderRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) title: String,
    /// The whole name, where it isn't the title.
    pub(super) name: String,
    pub(super) symbol: &'static str,
    /// What it is for, where it isn't called so; else empty.
    pub(super) used_for: String,
    /// Its level, at most 4, for how far it is set in.
    pub(super) depth: usize,
    /// What is counted beside it; empty for nothing.
    pub(super) count: String,
    pub(super) is_current: bool,
    pub(super) special_use: Option<SpecialUse>,
    pub(super) is_inbox: bool,
    /// What is out of the way waits in it.
    pub(super) is_snoozed: bool,
    /// Mail programs show it.
    pub(super) is_subscribed: bool,
    /// What who looks may do there (RFC 4314).
    pub(super) rights: Rights,
}

/// The acts that are offered in a mailbox: those that its rights, and those of where they lead, allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are acts, each offered or not")]
pub(super) struct Offers {
    pub(super) archive: bool,
    pub(super) junk: bool,
    pub(super) not_junk: bool,
    pub(super) delete: bool,
    /// As read, and as unread.
    pub(super) mark: bool,
    /// The star, and labels.
    pub(super) star: bool,
    /// Out of it, into another.
    pub(super) take: bool,
    /// Out of the way until a time: of one's own alone, for it comes back to one's own INBOX.
    pub(super) snooze: bool,
}

impl FolderRow {
    const fn may(&self, rights: Rights) -> bool {
        self.rights.has(rights)
    }

    /// Messages may be put into it.
    pub(super) const fn takes(&self) -> bool {
        self.may(Rights::INSERT)
    }

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
            used_for: used_for(frame, folder),
            depth: folder.depth().min(4),
            count: if counted == 0 { String::new() } else { frame.number(counted) },
            is_current: folder.id == current,
            special_use: folder.special_use,
            is_inbox: folder.is_inbox,
            is_snoozed: folder.is_snoozed(),
            is_subscribed: folder.is_subscribed,
            rights: folder.rights,
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
        let shared = groups(frame, &mail.shared_folders(me).await?, current);
        Ok(Self { later, is_refused: refused > 0, shared, ..shell })
    }

    pub(super) fn with(frame: &Frame, folders: &[Folder], choices: ReadingChoices, current: &str) -> Self {
        let folders: Vec<FolderRow> = folders.iter().map(|folder| FolderRow::of(frame, folder, current)).collect();
        let unread = folders.iter().find(|folder| folder.is_inbox && !folder.count.is_empty());
        Self {
            unread: unread.map(|inbox| format!("({}) ", inbox.count)).unwrap_or_default(),
            folders,
            shared: Vec::new(),
            density: choices.density.as_str(),
            pane: choices.pane.as_str(),
            choices,
            later: String::new(),
            is_refused: false,
        }
    }

    pub(super) fn current(&self) -> Option<&FolderRow> {
        let shared = self.shared.iter().flat_map(|group| &group.folders);
        self.folders.iter().chain(shared).find(|folder| folder.is_current)
    }

    /// Where messages may be put, but for where they are: ids and titles.
    pub(super) fn places(&self) -> Vec<(String, String)> {
        let own = self.folders.iter().map(|folder| (folder, folder.title.clone()));
        let shared = self.shared.iter().flat_map(|group| {
            group.folders.iter().map(move |folder| (folder, format!("{} · {}", group.title, folder.title)))
        });
        let takes = |(folder, title): (&FolderRow, String)| {
            (folder.takes() && !folder.is_current).then(|| (folder.id.clone(), title))
        };
        own.chain(shared).filter_map(takes).collect()
    }

    /// What is offered in the mailbox that one is at. Archive, Junk and INBOX are those of whose mailbox it is.
    pub(super) fn offers(&self) -> Offers {
        let group = self.shared.iter().find(|group| group.folders.iter().any(|folder| folder.is_current));
        let beside = group.map_or(&self.folders, |group| &group.folders);
        let rights = self.current().map_or(Rights::NONE, |folder| folder.rights);
        let take = rights.has(Rights::MARK_DELETED.with(Rights::EXPUNGE));
        // One's own are made where they are missing.
        let leads = |is_it: &dyn Fn(&FolderRow) -> bool| {
            take && (group.is_none() || beside.iter().any(|folder| is_it(folder) && folder.takes()))
        };
        Offers {
            archive: leads(&|folder| folder.is(SpecialUse::Archive)),
            junk: leads(&|folder| folder.is(SpecialUse::Junk)),
            not_junk: leads(&|folder| folder.is_inbox),
            delete: take,
            mark: rights.has(Rights::SEEN),
            star: rights.has(Rights::WRITE),
            take,
            snooze: take && group.is_none(),
        }
    }
}

/// Mailboxes of others, by whose they are: they come in that order.
fn groups(frame: &Frame, folders: &[Folder], current: &str) -> Vec<SharedGroup> {
    let of = |folder: &Folder| folder.shared.as_ref().map(|by| by.address.clone());
    let group = |folders: &[Folder]| {
        let by = folders.first()?.shared.as_ref()?;
        let rows = folders.iter().map(|folder| FolderRow::of(frame, folder, current)).collect();
        Some(SharedGroup { title: by.title().to_owned(), address: by.address.clone(), folders: rows })
    };
    folders.chunk_by(|one, other| of(one) == of(other)).filter_map(group).collect()
}

/// Mailboxes that are called by their use are called so in every language. Another that was chosen for it keeps its name, for the one of before
/// may still be called by the use.
pub(super) fn title(frame: &Frame, folder: &Folder) -> String {
    let word = folder.special_use.filter(|special_use| is_named_by(*special_use, folder)).and_then(use_word);
    match word {
        _ if folder.is_inbox => frame.say("webmail-inbox"),
        Some(word) => frame.say(word),
        None if folder.is_snoozed() => frame.say("webmail-snoozed"),
        None => folder.title().to_owned(),
    }
}

fn used_for(frame: &Frame, folder: &Folder) -> String {
    let chosen = folder.special_use.filter(|special_use| !is_named_by(*special_use, folder));
    chosen.and_then(use_word).map(|word| frame.say(word)).unwrap_or_default()
}

fn is_named_by(special_use: SpecialUse, folder: &Folder) -> bool {
    special_use.as_str().trim_start_matches('\\') == folder.name
}

/// The sentence that names a use.
const fn use_word(special_use: SpecialUse) -> Option<&'static str> {
    match special_use {
        SpecialUse::Drafts => Some("webmail-drafts"),
        SpecialUse::Sent => Some("webmail-sent"),
        SpecialUse::Archive => Some("webmail-archive"),
        SpecialUse::Junk => Some("webmail-junk"),
        SpecialUse::Trash => Some("webmail-trash"),
        SpecialUse::All | SpecialUse::Flagged => None,
    }
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
    use relais_service::SharedBy;

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
            is_subscribed: name != "Snoozed",
            shared: None,
            rights: Rights::ALL,
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
        let shared = |id: &str, name: &str, unseen, rights: &str| Folder {
            shared: Some(SharedBy {
                address: "sales@example.org".to_owned(),
                name: "Sales".to_owned(),
                is_team: true,
                known_as: format!("Shared/sales/{name}"),
            }),
            rights: Rights::parse(rights).unwrap(),
            ..folder(id, name, None, unseen)
        };
        let shared = [shared("F8", "INBOX", 4, "lrswite"), shared("F9", "Offers", 0, "lr")];
        let shell = Shell::with(frame, &folders, ReadingChoices::default(), current);
        Shell { shared: groups(frame, &shared, current), ..shell }
    }
}

#[cfg(test)]
mod tests {
    use relais_service::Role;
    use relais_words::Language;

    use super::samples::shell;
    use super::*;

    /// A mailbox that was chosen for a use isn't mistaken for the one of before, which may still be called by it (RFC 6154 §2).
    #[test]
    fn a_chosen_mailbox_keeps_its_name() {
        let frame = Frame::sample(Language::French, Role::User);
        let check = |name: &str, special_use, expected: (&str, &str)| {
            let folder = Folder {
                id: "F1".to_owned(),
                name: name.to_owned(),
                special_use,
                is_inbox: false,
                messages: 0,
                unseen: 0,
                is_subscribed: true,
                shared: None,
                rights: Rights::ALL,
            };
            let row = FolderRow::of(&frame, &folder, "");
            assert_eq!((row.title.as_str(), row.used_for.as_str()), expected, "{name}");
        };
        check("Archive", Some(SpecialUse::Archive), ("Archives", ""));
        check("Clients/2026", Some(SpecialUse::Archive), ("2026", "Archives"));
        check("Archive", None, ("Archive", ""));
    }

    /// Rights against buttons: what one may not do isn't offered; what leads into Archive, Junk or INBOX takes a right there, too.
    #[test]
    fn what_is_offered_is_allowed() {
        let frame = Frame::sample(Language::English, Role::User);
        let check = |current: &str, expected: &str| {
            let offers = shell(&frame, current).offers();
            let all = [
                ("archive", offers.archive),
                ("junk", offers.junk),
                ("not-junk", offers.not_junk),
                ("delete", offers.delete),
                ("mark", offers.mark),
                ("star", offers.star),
                ("take", offers.take),
                ("snooze", offers.snooze),
            ];
            let offered: Vec<_> = all.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
            assert_eq!(offered.join(" "), expected, "{current}");
        };
        check("F1", "archive junk not-junk delete mark star take snooze");
        check("F8", "not-junk delete mark star take");
        check("F9", "");
        check("F0", "");
    }
}
