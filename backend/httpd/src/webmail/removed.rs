//! What was deleted for good, while it can be taken back.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{RemovedEntry, RemovedFolder, Rows, WhichRemoved};
use serde::{Deserialize, Serialize};

use super::list::subject;
use super::shell::Shell;
use crate::kit::{Flash, FlashKind, Form, Frame, Oops, Person, Routes, Time, query, redirect, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::MAIL_REMOVED, show).post(path::MAIL_REMOVED, act)
}

#[derive(Debug, Template)]
#[template(path = "webmail/removed.html")]
struct RemovedPage {
    frame: Frame,
    shell: Shell,
    /// Mailboxes; on later pages of messages none.
    folders: Vec<FolderRow>,
    /// The way to older ones; empty where there are none.
    older_folders: String,
    rows: Vec<RemovedRow>,
    /// The way to the first page; empty at it.
    first: &'static str,
    older: String,
}

#[derive(Debug)]
struct FolderRow {
    id: String,
    name: String,
    /// `12 messages`.
    messages: String,
    removed_at: Time,
    until: Time,
}

#[derive(Debug)]
struct RemovedRow {
    id: String,
    author: String,
    subject: String,
    preview: String,
    mailbox: String,
    removed_at: Time,
    until: Time,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct PageQuery {
    after: String,
    /// The same for mailboxes.
    folders: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    /// Messages and mailboxes.
    id: Vec<String>,
    /// `restore`, `forget`, `restore-all` or `forget-all`.
    act: String,
}

impl RemovedPage {
    fn of(frame: Frame, shell: Shell, folders: Rows<RemovedFolder>, page: Rows<RemovedEntry>, is_later: bool) -> Self {
        let folder = |folder: RemovedFolder| FolderRow {
            id: folder.id,
            name: folder.name,
            messages: frame.count("count-messages", folder.messages),
            removed_at: frame.time(folder.removed_at.0),
            until: frame.time(folder.until.0),
        };
        let row = |entry: RemovedEntry| RemovedRow {
            author: entry.author.shown().to_owned(),
            subject: subject(&frame, &entry.subject),
            preview: entry.preview,
            mailbox: entry.mailbox,
            removed_at: frame.time(entry.removed_at.0),
            until: frame.time(entry.until.0),
            id: entry.id,
        };
        let rows = page.rows.into_iter().map(row).collect();
        let to = |asked: PageQuery| format!("{}?{}", path::MAIL_REMOVED, query(&asked));
        let older = page.next.map(|after| to(PageQuery { after, ..PageQuery::default() }));
        let older_folders = folders.next.map(|folders| to(PageQuery { folders, ..PageQuery::default() }));
        Self {
            folders: folders.rows.into_iter().map(folder).collect(),
            older_folders: older_folders.unwrap_or_default(),
            rows,
            first: if is_later { path::MAIL_REMOVED } else { "" },
            older: older.unwrap_or_default(),
            shell,
            frame,
        }
    }
}

async fn show(person: Person, State(web): State<Web>, Query(asked): Query<PageQuery>) -> Oops {
    let frame = person.frame(&web);
    let shell = Shell::of(&web, &frame, &person.actor, "").await?;
    let mail = &web.service().mail;
    let folders = match asked.after.as_str() {
        "" => mail.removed_folders(&person.actor, Some(&asked.folders), None).await?,
        _ => Rows { rows: Vec::new(), next: None },
    };
    let page = mail.removed(&person.actor, Some(&asked.after), None).await?;
    let is_later = !(asked.after.is_empty() && asked.folders.is_empty());
    Ok(shown(&RemovedPage::of(frame, shell, folders, page, is_later)))
}

async fn act(person: Person, State(web): State<Web>, Form(form): Form<ActForm>) -> Oops {
    let mail = &web.service().mail;
    let outcome = match form.act.as_str() {
        "restore-all" => mail.restore(&person.actor, &WhichRemoved::ALL).await?,
        "forget-all" => mail.forget(&person.actor, &WhichRemoved::ALL).await?,
        "forget" => mail.forget(&person.actor, &WhichRemoved::These(form.id)).await?,
        _ => mail.restore(&person.actor, &WhichRemoved::These(form.id)).await?,
    };
    let kind = if outcome.count == 0 { FlashKind::Warn } else { FlashKind::Ok };
    Ok(redirect(path::MAIL_REMOVED, &Flash { kind, text: outcome.says, undo: None }))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_reading::Party;

    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let entry = RemovedEntry {
                id: "M1".to_owned(),
                author: Party { name: "Ann <b>".to_owned(), address: "ann@one.example".to_owned() },
                subject: "Bills & more".to_owned(),
                preview: "What is owed.".to_owned(),
                mailbox: "Bills/2026".to_owned(),
                size_octets: 2345,
                removed_at: Timestamp::from_seconds(1_767_225_600).into(),
                until: Timestamp::from_seconds(1_769_817_600).into(),
            };
            let folder = RemovedFolder {
                id: "F1".to_owned(),
                name: "Bills & more/2026".to_owned(),
                messages: 12,
                removed_at: Timestamp::from_seconds(1_767_225_600).into(),
                until: Timestamp::from_seconds(1_769_817_600).into(),
            };
            let next = |next: Option<&str>| next.map(str::to_owned);
            let of = |folders: Vec<RemovedFolder>, rows: Vec<RemovedEntry>, after: Option<&str>, is_later| {
                let folders = Rows { rows: folders, next: next(after) };
                let page = Rows { rows, next: next(after) };
                RemovedPage::of(frame.clone(), shell(&frame, ""), folders, page, is_later)
            };
            vec![
                of(Vec::new(), vec![entry.clone(), entry.clone()], Some("1.2"), true),
                of(vec![folder.clone(), folder.clone()], vec![entry], Some("1.2"), false),
                of(vec![folder], Vec::new(), None, false),
                of(Vec::new(), Vec::new(), None, false),
            ]
        });
    }
}
