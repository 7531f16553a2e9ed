//! Mailboxes: made, renamed, subscribed to, thrown away.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use relais_service::{Done, Failure, Text};
use serde::Deserialize;

use super::shell::Shell;
use crate::kit::{Complaints, Flash, FlashKind, Form, Frame, Oops, Person, Routes, again, done, redirect, shown};
use crate::panel::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::MAIL_FOLDERS, show)
        .post(path::MAIL_FOLDERS, create)
        .post(path::MAIL_FOLDER_RENAME, rename)
        .post(path::MAIL_FOLDER_DELETE, delete)
        .post(path::MAIL_FOLDER_SUBSCRIPTION, subscribe)
}

#[derive(Debug, Template)]
#[template(path = "webmail/folders.html")]
struct FoldersPage {
    frame: Frame,
    shell: Shell,
    complaints: Complaints,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NameForm {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubscriptionForm {
    /// `yes`: it is to be subscribed to.
    subscribe: String,
}

async fn page(person: &Person, web: &Web, complaints: Complaints, name: String) -> Result<FoldersPage, Failure> {
    let frame = person.frame(web);
    let shell = Shell::of(web, &frame, &person.actor, "").await?;
    Ok(FoldersPage { frame, shell, complaints, name })
}

async fn show(person: Person, State(web): State<Web>) -> Oops {
    Ok(shown(&page(&person, &web, Complaints::default(), String::new()).await?))
}

async fn create(person: Person, State(web): State<Web>, Form(form): Form<NameForm>) -> Oops {
    match web.service().mail.create_folder(&person.actor, &form.name).await {
        Ok(folder) => Ok(done(path::MAIL_FOLDERS, Text::new("mail-folder-created").with("name", folder.name))),
        Err(failure) => refused(&person, &web, failure, form.name).await,
    }
}

async fn rename(
    person: Person,
    State(web): State<Web>,
    Path(mailbox): Path<String>,
    Form(form): Form<NameForm>,
) -> Oops {
    match web.service().mail.rename_folder(&person.actor, &mailbox, &form.name).await {
        Ok(outcome) => Ok(told(outcome)),
        Err(failure) => refused(&person, &web, failure, form.name).await,
    }
}

async fn delete(
    person: Person,
    State(web): State<Web>,
    Path(mailbox): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    Ok(told(web.service().mail.delete_folder(&person.actor, &mailbox).await?))
}

async fn subscribe(
    person: Person,
    State(web): State<Web>,
    Path(mailbox): Path<String>,
    Form(form): Form<SubscriptionForm>,
) -> Oops {
    let is_set = form.subscribe == "yes";
    Ok(told(web.service().mail.subscribe_folder(&person.actor, &mailbox, is_set).await?))
}

async fn refused(person: &Person, web: &Web, failure: Failure, name: String) -> Oops {
    let complaints = Complaints::of(&person.frame(web), failure)?;
    Ok(again(&page(person, web, complaints, name).await?))
}

fn told(outcome: Done) -> Response {
    let undo = outcome.undo.map(|token| path::of("/mail/undo", &token));
    redirect(path::MAIL_FOLDERS, &Flash { kind: FlashKind::Ok, text: outcome.says, undo })
}

#[cfg(test)]
mod tests {
    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let wrong = Failure::unfit("name", Text::new("mail-folder-bad-name"));
            let complaints = Complaints::of(&frame, wrong).unwrap();
            vec![FoldersPage { shell: shell(&frame, ""), complaints, name: "a//b".to_owned(), frame }]
        });
    }
}
