//! One-time links: the first owner sets the house up; a person chooses a new password.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use relais_service::{Failure, SetUp, Text, Way};
use serde::Deserialize;

use super::sign_in::{Password, ceremony};
use crate::kit::{Complaints, Form, Frame, Guest, Oops, Routes, again, done, done_with, render, session_cookie, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::SETUP, set_up_form)
        .post(path::SETUP, set_up)
        .post(path::SETUP_PASSKEY_OPTIONS, set_up_passkey_options)
        .get(path::LINK, password_form)
        .post(path::LINK, password)
}

#[derive(Debug, Template)]
#[template(path = "panel/links/set_up.html")]
struct SetUpPage {
    frame: Frame,
    complaints: Complaints,
    here: String,
    form: SetUpForm,
}

/// What the first owner says. The passkey's fields are filled in by the browser, where one is chosen.
#[derive(Debug, Default, Deserialize)]
struct SetUpForm {
    #[serde(default)]
    host_name: String,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    password: Password,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    ticket: String,
}

/// What the link proposes, where whoever installed the house said it already.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Proposal {
    domain: Option<String>,
    address: String,
}

async fn set_up_form(
    guest: Guest,
    State(web): State<Web>,
    Path(token): Path<String>,
    Query(proposal): Query<Proposal>,
) -> Oops {
    web.access().open_set_up_link(&token).await?;
    let host = web.host().to_unicode();
    // mx.example.org is a host of example.org, mostly: something to correct is easier than an empty field.
    let domain = host.split_once('.').map(|(_, rest)| rest).filter(|rest| rest.contains('.')).unwrap_or_default();
    let domain = proposal.domain.unwrap_or_else(|| domain.to_owned());
    let form = SetUpForm { domain, host_name: host.clone(), address: proposal.address, ..SetUpForm::default() };
    let frame = guest.frame(&web);
    Ok(shown(&SetUpPage { here: guest.visit.path.clone(), frame, complaints: Complaints::default(), form }))
}

async fn set_up(guest: Guest, State(web): State<Web>, Path(token): Path<String>, Form(form): Form<SetUpForm>) -> Oops {
    let way = if form.credential.is_empty() {
        Way::Password(form.password.clone().into())
    } else {
        let name = guest.frame(&web).say("set-up-passkey-name");
        Way::Passkey { ticket: form.ticket.clone(), answer: form.credential.clone(), name }
    };
    let wanted = SetUp {
        host_name: form.host_name.clone(),
        domain: form.domain.clone(),
        name: form.name.clone(),
        address: form.address.clone(),
        way,
    };
    match web.access().set_up(&token, wanted, &guest.visit.browser()).await {
        Ok(founded) => {
            let next = path::of(path::DNS, founded.domain.as_str());
            Ok(done_with(&next, Text::new("set-up-done"), session_cookie(&web, &founded.token)))
        }
        Err(failure) => {
            let frame = guest.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            // The ceremony is over; a passkey must be made anew.
            let form = SetUpForm { credential: String::new(), ticket: String::new(), ..form };
            Ok(again(&SetUpPage { here: guest.visit.path.clone(), frame, complaints, form }))
        }
    }
}

async fn set_up_passkey_options(
    guest: Guest,
    State(web): State<Web>,
    Path(token): Path<String>,
    Form(form): Form<SetUpForm>,
) -> Oops {
    let begun = web.access().begin_set_up_passkey(&token, &form.address, &form.name, &guest.visit.browser()).await?;
    Ok(ceremony(begun))
}

#[derive(Debug, Template)]
#[template(path = "panel/links/password.html")]
struct PasswordPage {
    frame: Frame,
    complaints: Complaints,
    here: String,
    address: String,
    name: String,
}

#[derive(Deserialize)]
struct PasswordForm {
    #[serde(default)]
    password: Password,
    #[serde(default)]
    again: Password,
}

async fn password_form(guest: Guest, State(web): State<Web>, Path(token): Path<String>) -> Oops {
    Ok(shown(&password_page(&guest, &web, &token, Complaints::default()).await?))
}

async fn password_page(guest: &Guest, web: &Web, token: &str, complaints: Complaints) -> Result<PasswordPage, Failure> {
    let link = web.access().open_password_link(token).await?;
    Ok(PasswordPage {
        frame: guest.frame(web),
        complaints,
        here: guest.visit.path.clone(),
        address: relais_service::readable(&link.address),
        name: link.name,
    })
}

async fn password(
    guest: Guest,
    State(web): State<Web>,
    Path(token): Path<String>,
    Form(form): Form<PasswordForm>,
) -> Oops {
    let outcome = match form.password.agrees_with(&form.again, "again") {
        Ok(()) => web.access().use_password_link(&token, form.password.into(), &guest.visit.browser()).await,
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => Ok(done(path::SIGN_IN, Text::new("link-password-done"))),
        Err(failure) => {
            let complaints = Complaints::of(&guest.frame(&web), failure)?;
            Ok(again(&password_page(&guest, &web, &token, complaints).await?))
        }
    }
}

/// Nothing else of the panel answers before the house has an owner.
pub(crate) fn not_set_up_page(frame: Frame) -> Response {
    #[derive(Debug, Template)]
    #[template(path = "panel/links/not_set_up.html")]
    struct NotSetUpPage {
        frame: Frame,
    }
    render(StatusCode::SERVICE_UNAVAILABLE, &NotSetUpPage { frame })
}
