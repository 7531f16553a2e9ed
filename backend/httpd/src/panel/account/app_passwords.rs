//! One's own app passwords and tokens: one for each mail program, so that each can be taken back alone.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use relais_model::Secret;
use relais_service::{AppPasswordForm, AppPasswordKind, AppPasswordView, Failure, TOKEN_DAYS, Text};
use serde::Deserialize;

use super::clients::Doors;
use crate::kit::{Complaints, Form, Frame, Oops, Person, Routes, Time, again, done, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::OWN_APP_PASSWORDS, list)
        .post(path::OWN_APP_PASSWORDS, add)
        .get(path::OWN_APP_PASSWORD_REMOVE, remove_form)
        .post(path::OWN_APP_PASSWORD_REMOVE, remove)
}

/// What app passwords are for, as the service names it.
const PROTOCOLS: [&str; 3] = ["imap", "pop3", "smtp"];

#[derive(Debug, Template)]
#[template(path = "panel/account/app_passwords.html")]
struct AppPasswordsPage {
    frame: Frame,
    tab: &'static str,
    complaints: Complaints,
    rows: Vec<Row>,
    /// Without one, mail programs are refused.
    is_needed: bool,
    name: String,
    protocols: Vec<Protocol>,
    is_token: bool,
    days: String,
}

#[derive(Debug)]
struct Row {
    name: String,
    /// When a token ends; a password never does.
    ends: Option<Time>,
    protocols: String,
    created: Time,
    used: Option<Time>,
    used_from: String,
    remove: String,
}

#[derive(Debug)]
struct Protocol {
    value: &'static str,
    id: String,
    title: String,
    is_chosen: bool,
}

async fn list(person: Person, State(web): State<Web>) -> Oops {
    let form = AddForm { protocols: vec!["imap".to_owned(), "smtp".to_owned()], ..AddForm::default() };
    Ok(shown(&page(&person, &web, Complaints::default(), &form).await?))
}

async fn page(person: &Person, web: &Web, complaints: Complaints, form: &AddForm) -> Result<AppPasswordsPage, Failure> {
    let frame = person.frame(web);
    let own = web.access().own_app_passwords(&person.actor).await?;
    let rows = own.into_iter().map(|one| row(&frame, one)).collect();
    let protocol = |value: &'static str| Protocol {
        value,
        id: format!("protocol-{value}"),
        title: frame.say(&format!("protocol-{value}-use")),
        is_chosen: form.protocols.iter().any(|chosen| chosen == value),
    };
    Ok(AppPasswordsPage {
        tab: "app-passwords",
        complaints,
        rows,
        is_needed: person.me.has_second_factor,
        name: form.name.clone(),
        protocols: PROTOCOLS.map(protocol).into(),
        is_token: form.kind == AppPasswordKind::Token,
        days: if form.days.is_empty() { TOKEN_DAYS.to_string() } else { form.days.clone() },
        frame,
    })
}

fn row(frame: &Frame, one: AppPasswordView) -> Row {
    let protocols: Vec<_> = one.protocols.iter().map(|name| frame.say(&format!("protocol-{name}"))).collect();
    Row {
        remove: format!(
            "{}?{}",
            path::OWN_APP_PASSWORD_REMOVE,
            crate::kit::query(&NameForm { name: one.name.clone() })
        ),
        ends: one.expires_at.map(|at| frame.time(at.0)),
        name: one.name,
        protocols: protocols.join(", "),
        created: frame.time(one.created_at.0),
        used: one.last_used_at.map(|at| frame.time(at.0)),
        used_from: one.last_used_ip.unwrap_or_default(),
    }
}

#[derive(Debug, Default, Deserialize)]
struct AddForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    protocols: Vec<String>,
    #[serde(default)]
    kind: AppPasswordKind,
    /// Until a token ends.
    #[serde(default)]
    days: String,
}

impl AddForm {
    /// What a page can't read as days is no number of days for the service, either.
    fn read(&self) -> AppPasswordForm {
        let is_token = self.kind == AppPasswordKind::Token;
        AppPasswordForm {
            name: self.name.clone(),
            protocols: self.protocols.clone(),
            kind: self.kind,
            days: is_token.then(|| self.days.trim().parse().unwrap_or(0)),
        }
    }
}

/// The one time that an app password is seen.
#[derive(Debug, Template)]
#[template(path = "panel/account/app_password_made.html")]
struct MadePage {
    frame: Frame,
    tab: &'static str,
    name: String,
    is_token: bool,
    password: String,
    doors: Doors,
}

async fn add(person: Person, State(web): State<Web>, Form(form): Form<AddForm>) -> Oops {
    match web.access().add_own_app_password(&person.actor, &form.read()).await {
        Ok(password) => Ok(made(&person, &web, form, &password)),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web, complaints, &form).await?))
        }
    }
}

fn made(person: &Person, web: &Web, form: AddForm, password: &Secret) -> Response {
    let frame = person.frame(web);
    let doors = Doors::of(&frame, &person.me.address, web);
    let (is_token, password) = (form.kind == AppPasswordKind::Token, password.expose().to_owned());
    shown(&MadePage { frame, tab: "app-passwords", name: form.name, is_token, password, doors })
}

#[derive(Debug, Template)]
#[template(path = "panel/account/app_password_remove.html")]
struct RemovePage {
    frame: Frame,
    name: String,
    goes: Vec<String>,
}

#[derive(Debug, Default, Deserialize, serde::Serialize)]
struct NameForm {
    #[serde(default)]
    name: String,
}

async fn remove_form(person: Person, State(web): State<Web>, Query(query): Query<NameForm>) -> Oops {
    let own = web.access().own_app_passwords(&person.actor).await?;
    if own.iter().all(|one| one.name != query.name) {
        return Err(Failure::Absent(Text::new("app-password-absent")).into());
    }
    Ok(shown(&RemovePage { frame: person.frame(&web), goes: vec![query.name.clone()], name: query.name }))
}

async fn remove(person: Person, State(web): State<Web>, Form(form): Form<NameForm>) -> Oops {
    web.access().remove_own_app_password(&person.actor, &form.name).await?;
    Ok(done(path::OWN_APP_PASSWORDS, Text::new("app-password-removed").with("name", form.name)))
}
