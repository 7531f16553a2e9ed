//! Mailboxes: made, renamed, subscribed to, chosen for a use, thrown away.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use relais_model::SpecialUse;
use relais_service::{Done, Failure, Text};
use serde::Deserialize;

use super::shell::Shell;
use crate::kit::{
    Choice, Complaints, Flash, FlashKind, Form, Frame, Oops, Person, Routes, again, done, redirect, shown,
};
use crate::panel::Nothing;
use crate::{Web, path};

/// The uses for which a folder can be chosen, as RFC 6154 calls them, in small letters and without their backslash.
const USES: [&str; 4] = ["sent", "archive", "junk", "trash"];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::MAIL_FOLDERS, show)
        .post(path::MAIL_FOLDERS, create)
        .post(path::MAIL_FOLDER_RENAME, rename)
        .post(path::MAIL_FOLDER_DELETE, delete)
        .post(path::MAIL_FOLDER_USES, choose)
        .post(path::MAIL_FOLDER_SUBSCRIPTION, subscribe)
}

#[derive(Debug, Template)]
#[template(path = "webmail/folders.html")]
struct FoldersPage {
    frame: Frame,
    shell: Shell,
    complaints: Complaints,
    name: String,
    /// Those that can be chosen for a use.
    free: Vec<Choice>,
    uses: Vec<Choice>,
}

impl FoldersPage {
    fn of(frame: Frame, shell: Shell, complaints: Complaints, entered: &Entered) -> Self {
        let free = shell.folders.iter().filter(|folder| !folder.is_kept() && !folder.is_snoozed);
        let used_for = |name: &str| Choice::new(name, frame.say(&format!("webmail-{name}")), &entered.use_for);
        Self {
            free: free.map(|folder| Choice::new(&folder.id, folder.name.clone(), &entered.mailbox)).collect(),
            uses: USES.map(used_for).to_vec(),
            name: entered.name.clone(),
            frame,
            shell,
            complaints,
        }
    }
}

/// What the page's forms held.
#[derive(Debug, Default)]
struct Entered {
    name: String,
    mailbox: String,
    use_for: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UseForm {
    /// MAILBOXID.
    mailbox: String,
    /// One of [`USES`].
    use_for: String,
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

async fn page(person: &Person, web: &Web, complaints: Complaints, entered: &Entered) -> Result<FoldersPage, Failure> {
    let frame = person.frame(web);
    let shell = Shell::of(web, &frame, &person.actor, "").await?;
    Ok(FoldersPage::of(frame, shell, complaints, entered))
}

async fn show(person: Person, State(web): State<Web>) -> Oops {
    Ok(shown(&page(&person, &web, Complaints::default(), &Entered::default()).await?))
}

async fn create(person: Person, State(web): State<Web>, Form(form): Form<NameForm>) -> Oops {
    match web.service().mail.create_folder(&person.actor, &form.name).await {
        Ok(folder) => Ok(done(path::MAIL_FOLDERS, Text::new("mail-folder-created").with("name", folder.name))),
        Err(failure) => refused(&person, &web, failure, &Entered { name: form.name, ..Entered::default() }).await,
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
        Err(failure) => refused(&person, &web, failure, &Entered { name: form.name, ..Entered::default() }).await,
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

async fn choose(person: Person, State(web): State<Web>, Form(form): Form<UseForm>) -> Oops {
    let UseForm { mailbox, use_for } = form;
    let unread = || Failure::unfit("", Text::new("form-unreadable"));
    let special_use = SpecialUse::parse(&format!("\\{use_for}")).ok_or_else(unread)?;
    match web.service().mail.use_folder(&person.actor, &mailbox, special_use).await {
        Ok(outcome) => Ok(told(outcome)),
        Err(failure) => refused(&person, &web, failure, &Entered { mailbox, use_for, ..Entered::default() }).await,
    }
}

async fn refused(person: &Person, web: &Web, failure: Failure, entered: &Entered) -> Oops {
    let complaints = Complaints::of(&person.frame(web), failure)?;
    Ok(again(&page(person, web, complaints, entered).await?))
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
            let entered = Entered { name: "a//b".to_owned(), ..Entered::default() };
            let shell = shell(&frame, "");
            vec![FoldersPage::of(frame, shell, complaints, &entered)]
        });
    }
}
