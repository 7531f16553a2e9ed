//! One's own passkeys.

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{Failure, PasskeyRow, Text};
use serde::Deserialize;

use crate::kit::{Complaints, Form, Frame, Oops, Person, Routes, Time, again, done, shown};
use crate::panel::question::QuestionPage;
use crate::panel::sign_in::{Nothing, ceremony};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::OWN_PASSKEYS, list)
        .post(path::OWN_PASSKEYS, add)
        .post(path::OWN_PASSKEYS_OPTIONS, options)
        .post(path::OWN_PASSKEY_RENAME, rename)
        .get(path::OWN_PASSKEY_REMOVE, remove_form)
        .post(path::OWN_PASSKEY_REMOVE, remove)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/passkeys.html")]
struct PasskeysPage {
    frame: Frame,
    tab: &'static str,
    complaints: Complaints,
    rows: Vec<Row>,
    name: String,
    /// A passkey can be added now; else the way to prove who one is.
    is_proven: bool,
    prove: String,
}

#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    created: Time,
    used: Option<Time>,
}

async fn list(person: Person, State(web): State<Web>) -> Oops {
    Ok(shown(&page(&person, &web, Complaints::default(), String::new()).await?))
}

async fn page(person: &Person, web: &Web, complaints: Complaints, name: String) -> Result<PasskeysPage, Failure> {
    let frame = person.frame(web);
    let row = |row: PasskeyRow| Row {
        created: frame.time(row.created_at),
        used: row.last_used_at.map(|at| frame.time(at)),
        id: row.id,
        name: row.name,
    };
    let rows = web.access().own_passkeys(&person.me.actor).await?.into_iter().map(row).collect();
    let prove = crate::kit::with_next(path::PROVE, path::OWN_PASSKEYS);
    Ok(PasskeysPage { tab: "passkeys", complaints, rows, name, is_proven: person.actor.is_proven, prove, frame })
}

async fn options(person: Person, State(web): State<Web>, Form(_): Form<AddForm>) -> Oops {
    Ok(ceremony(web.access().begin_passkey(&person.me, &person.visit.browser()).await?))
}

#[derive(Deserialize)]
struct AddForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    ticket: String,
}

async fn add(person: Person, State(web): State<Web>, Form(form): Form<AddForm>) -> Oops {
    match web.access().end_passkey(&person.me, &form.ticket, &form.credential, &form.name).await {
        Ok(()) => Ok(done(path::OWN_PASSKEYS, Text::new("passkey-added").with("name", form.name.trim()))),
        Err(Failure::Unproven) => Ok(person.prove_and_return(path::OWN_PASSKEYS)),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web, complaints, form.name).await?))
        }
    }
}

#[derive(Deserialize)]
struct RenameForm {
    #[serde(default)]
    name: String,
}

async fn rename(person: Person, State(web): State<Web>, Path(id): Path<String>, Form(form): Form<RenameForm>) -> Oops {
    match web.access().rename_passkey(&person.me.actor, &id, &form.name).await {
        Ok(()) => Ok(done(path::OWN_PASSKEYS, Text::new("passkey-renamed").with("name", form.name.trim()))),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web, complaints, String::new()).await?))
        }
    }
}

async fn remove_form(person: Person, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    let own = web.access().own_passkeys(&person.me.actor).await?;
    let absent = || Failure::Absent(Text::new("passkey-absent"));
    let row = own.into_iter().find(|row| row.id == id).ok_or_else(absent)?;
    let frame = person.frame(&web);
    Ok(shown(&QuestionPage {
        title: frame.say("passkey-remove-title"),
        text: frame.say("passkey-remove-text"),
        goes: vec![row.name],
        action: person.visit.path.clone(),
        act: frame.say("remove"),
        back: path::OWN_PASSKEYS.to_owned(),
        kind: "danger",
        version: String::new(),
        frame,
    }))
}

async fn remove(
    person: Person,
    State(web): State<Web>,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    match web.access().remove_passkey(&person.me.actor, &id).await {
        Ok(()) => Ok(done(path::OWN_PASSKEYS, Text::new("passkey-removed"))),
        Err(Failure::Unproven) => Ok(person.prove_and_return(&person.visit.path)),
        Err(failure) => Err(failure.into()),
    }
}
