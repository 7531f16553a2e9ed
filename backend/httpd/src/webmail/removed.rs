//! What was deleted for good, while it can be taken back.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{RemovedEntry, Rows, WhichRemoved};
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
    rows: Vec<RemovedRow>,
    /// The way to the first page; empty at it.
    first: &'static str,
    older: String,
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
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    id: Vec<String>,
    /// `restore`, `forget`, `restore-all` or `forget-all`.
    act: String,
}

impl RemovedPage {
    fn of(frame: Frame, shell: Shell, page: Rows<RemovedEntry>, is_later: bool) -> Self {
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
        let older = page.next.map(|next| format!("{}?{}", path::MAIL_REMOVED, query(&PageQuery { after: next })));
        Self {
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
    let page = web.service().mail.removed(&person.actor, Some(&asked.after), None).await?;
    Ok(shown(&RemovedPage::of(frame, shell, page, !asked.after.is_empty())))
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
            let page = |rows, next: Option<&str>| Rows { rows, next: next.map(str::to_owned) };
            let of =
                |rows, next, is_later| RemovedPage::of(frame.clone(), shell(&frame, ""), page(rows, next), is_later);
            vec![of(vec![entry.clone(), entry], Some("1.2"), true), of(Vec::new(), None, false)]
        });
    }
}
