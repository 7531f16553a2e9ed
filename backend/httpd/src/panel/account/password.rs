//! One's own password.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use relais_service::Text;
use serde::Deserialize;

use crate::kit::{Complaints, Form, Frame, Oops, Person, Routes, again, done_with, session_cookie, shown};
use crate::panel::sign_in::Password;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::OWN_PASSWORD, form).post(path::OWN_PASSWORD, change)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/password.html")]
struct PasswordPage {
    frame: Frame,
    tab: &'static str,
    complaints: Complaints,
    has_password: bool,
    address: String,
}

impl PasswordPage {
    fn of(person: &Person, frame: Frame, complaints: Complaints) -> Self {
        let address = relais_service::readable(&person.me.address);
        Self { frame, tab: "password", complaints, has_password: person.me.has_password, address }
    }
}

async fn form(person: Person, State(web): State<Web>) -> Response {
    shown(&PasswordPage::of(&person, person.frame(&web), Complaints::default()))
}

#[derive(Deserialize)]
struct PasswordForm {
    #[serde(default)]
    old_password: Password,
    #[serde(default)]
    password: Password,
    #[serde(default)]
    again: Password,
}

async fn change(person: Person, State(web): State<Web>, Form(form): Form<PasswordForm>) -> Oops {
    let browser = person.visit.browser();
    let outcome = match form.password.agrees_with(&form.again, "again") {
        Ok(()) => {
            let (old, new) = (form.old_password.into(), form.password.into());
            web.access().change_password(&person.me, old, new, &browser).await
        }
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(token) => Ok(done_with(path::ACCOUNT, Text::new("password-changed"), session_cookie(&web, &token))),
        Err(failure) => {
            let frame = person.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&PasswordPage::of(&person, frame, complaints)))
        }
    }
}
