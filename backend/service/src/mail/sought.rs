//! One's own mail for programs: what a search finds, message by message, in one mailbox after the other, a page at a time.
//!
//! A page ends at a message, and the next begins behind it, wherever it stands by then, or would stand: what comes meanwhile shows no message
//! twice, and what goes, or isn't sought any more, hides none.
//! Mailboxes are looked through until the page is full.

use std::collections::HashMap;

use relais_finding::{Excerpted, Marker};
use relais_model::Uid;
use relais_reading::Party;
use relais_store::Row;
use serde::Serialize;
use utoipa::ToSchema;

use super::list::{EXCERPTED_OCTETS, Rank, Selection, plain, read_heads};
use super::{Folder, ListWanted, MAX_WINDOW, Mail, Own, RawMessage, Search, Within, no_message};
use crate::{Actor, Failure, Moment, Paging, Rows, Text};

/// Which of one's own mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailWanted {
    /// Words and operators, as [`Search::read`] takes them; empty: all messages.
    pub q: String,
    /// The full name of a mailbox, or its id; none: all but Junk and Trash. `in:` of `q` goes before it.
    pub mailbox: Option<String>,
    /// In each mailbox the newest stands first; else what is most about the words that were looked for.
    pub by_time: bool,
}

/// A message of one's own mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailRow {
    /// Names it, as long as it stands in its mailbox.
    #[schema(example = "F1f.7")]
    pub id: String,
    /// EMAILID (RFC 8474): the same for each copy of it.
    pub email_id: String,
    /// The full name of its mailbox, as who asks knows it.
    #[schema(example = "INBOX")]
    pub mailbox: String,
    /// MAILBOXID (RFC 8474): stays when the mailbox is renamed.
    pub mailbox_id: String,
    /// Its number there.
    pub uid: u32,
    /// When it arrived.
    pub arrived_at: Moment,
    /// RFC822.SIZE.
    pub size_octets: u64,
    /// Flags and keywords, as IMAP writes them.
    pub flags: Vec<String>,
    /// Who wrote it.
    pub from: Vec<MailParty>,
    /// To whom.
    pub to: Vec<MailParty>,
    /// May be empty.
    pub subject: String,
    /// Where it speaks of what was looked for; else its first words.
    pub excerpt: Vec<MailPiece>,
    /// A file is beside its text.
    pub has_attachment: bool,
}

/// Somebody whom a message names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailParty {
    /// As they call themselves; empty where nobody says.
    pub name: String,
    /// As it is written, where it is no address, too.
    pub address: String,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailPiece {
    /// It.
    pub text: String,
    /// It is what was looked for.
    pub is_sought: bool,
}

impl From<Party> for MailParty {
    fn from(party: Party) -> Self {
        Self { name: party.name, address: party.address }
    }
}

impl From<Excerpted> for MailPiece {
    fn from(piece: Excerpted) -> Self {
        Self { text: piece.text, is_sought: piece.is_sought }
    }
}

/// Where a page ended.
struct Cursor {
    /// MAILBOXID.
    mailbox: String,
    /// Of its last message.
    rank: Rank,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let (mailbox, rank) = text.split_once('.')?;
        let numbers: Vec<u32> = rank.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let [worth, arrived, uid] = *numbers.as_slice() else { return None };
        Some(Self { mailbox: mailbox.to_owned(), rank: (worth, arrived, uid) })
    }

    fn text(&self) -> String {
        let (worth, arrived, uid) = self.rank;
        format!("{}.{worth}.{arrived}.{uid}", self.mailbox)
    }

    /// How many of `lines` stand before the next page.
    fn passed(&self, lines: &Selection) -> usize {
        let find = |is_it: &dyn Fn(Rank) -> bool| (0..lines.len()).position(|at| lines.rank(at).is_some_and(is_it));
        let here = find(&|rank| rank.2 == self.rank.2).map(|at| at + 1);
        // One that is gone would stand before all that are less.
        here.or_else(|| find(&|rank| rank < self.rank)).unwrap_or(lines.len())
    }
}

/// What a page shows of one mailbox.
struct Part {
    folder: Folder,
    own: Own,
    uids: Vec<u32>,
}

impl Mail {
    /// A page of what is found in one's own mail, and in what others share.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `q`, or on `after` where that mailbox is gone; [`Failure::Absent`]: there is no such mailbox, or not for who
    /// asks.
    pub async fn search(&self, me: &Actor, wanted: &MailWanted, paging: &Paging) -> Result<Rows<MailRow>, Failure> {
        let search = Search::read(&wanted.q)?;
        let marker = search.as_ref().and_then(Search::marker);
        let mut folders = self.searched(me, search.as_ref(), wanted.mailbox.as_deref()).await?;
        let mut after = match &paging.after {
            Some(after) => Some(Cursor::parse(after).ok_or_else(no_page)?),
            None => None,
        };
        if let Some(after) = &after {
            let at = folders.iter().position(|folder| folder.id == after.mailbox).ok_or_else(no_page)?;
            folders.drain(..at);
        }
        let listed = ListWanted { search, by_time: wanted.by_time, ..ListWanted::default() };
        let mut left = usize::try_from(paging.limit).unwrap_or(MAX_WINDOW).clamp(1, MAX_WINDOW);
        let (mut parts, mut last, mut is_more) = (Vec::new(), None, false);
        for folder in folders {
            let after = after.take();
            if folder.messages == 0 {
                continue;
            }
            let own = match self.own(me, &folder.id).await {
                Ok(own) => own,
                // One that is deleted meanwhile holds nothing.
                Err(Failure::Absent(_)) => continue,
                Err(error) => return Err(error),
            };
            let lines = self.lines(&own, &listed).await?;
            let passed = after.map_or(0, |after| after.passed(&lines));
            let uids: Vec<u32> = lines.iter().skip(passed).take(left).map(|line| line.newest()).collect();
            let end = passed + uids.len();
            is_more = lines.len() > end;
            if !uids.is_empty() {
                last = lines.rank(end - 1).map(|rank| Cursor { mailbox: folder.id.clone(), rank });
                left -= uids.len();
                parts.push(Part { folder, own, uids });
            }
            if is_more {
                break;
            }
        }
        let mut rows = Vec::new();
        for part in &parts {
            rows.extend(self.mail_rows(part, marker.as_ref()).await?);
        }
        Ok(Rows { rows, next: last.filter(|_| is_more).map(|last| last.text()) })
    }

    /// A message's octets, by [`MailRow::id`].
    ///
    /// # Errors
    /// [`Failure::Absent`]: it isn't there, or not for who asks.
    pub async fn raw_of(&self, me: &Actor, id: &str) -> Result<RawMessage, Failure> {
        let (mailbox, uid) = id.split_once('.').ok_or_else(no_message)?;
        self.raw(me, mailbox, uid.parse().map_err(|_unfit| no_message())?).await
    }

    /// The mailboxes to look in, in the order of what is found.
    async fn searched(
        &self,
        me: &Actor,
        search: Option<&Search>,
        mailbox: Option<&str>,
    ) -> Result<Vec<Folder>, Failure> {
        let mut folders = self.folders(me).await?;
        folders.extend(self.shared_folders(me).await?);
        let name = match (search.and_then(|search| search.within.as_ref()), mailbox) {
            (Some(Within::Named(name)), _) => name.as_str(),
            (None, Some(name)) => name,
            (Some(Within::All), _) | (None, None) => {
                folders.retain(|folder| !folder.is_waste());
                return Ok(folders);
            }
        };
        let folder = named(&folders, name).cloned();
        folder
            .map(|folder| vec![folder])
            .ok_or_else(|| Failure::Absent(Text::new("mail-no-mailbox-of-name").with("mailbox", name)))
    }

    async fn mail_rows(&self, part: &Part, marker: Option<&Marker>) -> Result<Vec<MailRow>, Failure> {
        let (view, folder) = (&part.own.view, &part.folder);
        let get = |uid: &u32| Uid::new(*uid);
        let rows: Vec<Row> =
            view.read(|rows| part.uids.iter().filter_map(get).filter_map(|uid| rows.get(uid)).collect());
        let uids = rows.iter().filter_map(Row::uid).collect();
        let mut heads = read_heads(&self.store, view.mailbox(), uids).await?;
        let mut excerpts = match marker {
            Some(marker) => {
                let small = rows.iter().filter(|row| u64::from(row.size_octets) <= EXCERPTED_OCTETS);
                self.excerpts(view, small.filter_map(Row::uid).collect(), marker).await?
            }
            None => HashMap::new(),
        };
        let row = |row: Row| {
            let head = heads.remove(&row.uid)?;
            let excerpt = excerpts.remove(&row.uid).unwrap_or_else(|| plain(&head.preview));
            Some(MailRow {
                id: format!("{}.{}", folder.id, row.uid),
                email_id: row.message().email_id(),
                mailbox: folder.known_as().to_owned(),
                mailbox_id: folder.id.clone(),
                uid: row.uid,
                arrived_at: row.internal_date().into(),
                size_octets: row.size_octets.into(),
                flags: view.flags_of(row.flags).iter().map(ToString::to_string).collect(),
                from: head.header.from.into_iter().map(MailParty::from).collect(),
                to: head.header.to.into_iter().map(MailParty::from).collect(),
                subject: head.header.subject,
                excerpt: excerpt.into_iter().map(MailPiece::from).collect(),
                has_attachment: head.has_attachment,
            })
        };
        Ok(rows.into_iter().filter_map(row).collect())
    }
}

/// The mailbox that a name means: one that is called so, else one whose last level is, or that is for that (`sent`).
fn named<'a>(folders: &'a [Folder], name: &str) -> Option<&'a Folder> {
    let find = |is_meant: &dyn Fn(&Folder) -> bool| folders.iter().find(|folder| is_meant(folder));
    let is_for = |folder: &Folder| {
        let special_use = folder.special_use.map(|special_use| special_use.as_str().trim_start_matches('\\'));
        special_use.is_some_and(|special_use| special_use.eq_ignore_ascii_case(name))
    };
    find(&|folder| folder.known_as() == name || folder.id == name)
        .or_else(|| find(&|folder| folder.known_as().eq_ignore_ascii_case(name)))
        .or_else(|| find(&|folder| folder.title().eq_ignore_ascii_case(name) || is_for(folder)))
}

fn no_page() -> Failure {
    Failure::unfit("after", Text::new("mail-no-page"))
}
