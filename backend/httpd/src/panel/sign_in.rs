//! Signing in and out: password, second factor, passkey; and saying again who one is before a dangerous act.

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use relais_model::Secret;
use relais_service::{Ceremony, Failure, SignIn, Text};
use serde::Deserialize;

use crate::kit::{
    Complaints, Form, Frame, Guest, NextQuery, Oops, PageError, Person, Routes, again, clear_session, next_path,
    session_cookie, shown, with_next,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::SIGN_IN, form)
        .post(path::SIGN_IN, sign_in)
        .get(path::SECOND, second_form)
        .post(path::SECOND, second)
        .post(path::SECOND_PASSKEY_OPTIONS, second_passkey_options)
        .post(path::SECOND_PASSKEY, second_passkey)
        .post(path::PASSKEY_OPTIONS, passkey_options)
        .post(path::SIGN_IN_PASSKEY, passkey)
        .post(path::SIGN_OUT, sign_out)
        .get(path::PROVE, prove_form)
        .post(path::PROVE, prove)
        .post(path::PROVE_PASSKEY_OPTIONS, prove_passkey_options)
        .post(path::PROVE_PASSKEY, prove_passkey)
}

#[derive(Debug, Template)]
#[template(path = "panel/sign_in/form.html")]
struct SignInPage {
    frame: Frame,
    complaints: Complaints,
    name: String,
    next: String,
}

/// What a password's page sends.
#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: Password,
    #[serde(default)]
    next: String,
}

/// A password on its way from a form: it doesn't print.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Password(String);

impl Password {
    /// Refuses a second typing that differs.
    pub(super) fn agrees_with(&self, again: &Self, field: &'static str) -> Result<(), Failure> {
        if self.0 == again.0 { Ok(()) } else { Err(Failure::unfit(field, Text::new("password-not-again"))) }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl From<Password> for Secret {
    fn from(password: Password) -> Self {
        Self::new(password.0)
    }
}

async fn form(guest: Guest, State(web): State<Web>, Query(query): Query<NextQuery>) -> Response {
    if guest.visit.signed_in.is_some() {
        return Redirect::to(next_path(&query.next)).into_response();
    }
    let page = SignInPage {
        frame: guest.frame(&web),
        complaints: Complaints::default(),
        name: String::new(),
        next: next_path(&query.next).to_owned(),
    };
    shown(&page)
}

async fn sign_in(guest: Guest, State(web): State<Web>, Form(form): Form<SignInForm>) -> Oops {
    let next = next_path(&form.next).to_owned();
    match web.access().sign_in(&form.name, form.password.into(), &guest.visit.browser()).await {
        Ok(SignIn::Whole(token)) => Ok(begin(&web, &token, &next)),
        Ok(SignIn::SecondFactor(token)) => Ok(begin(&web, &token, &with_next(path::SECOND, &next))),
        Err(failure) => {
            let frame = guest.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&SignInPage { frame, complaints, name: form.name, next }))
        }
    }
}

/// The browser keeps the session's token from now on.
pub(super) fn begin(web: &Web, token: &Secret, next: &str) -> Response {
    with_cookie(Redirect::to(next).into_response(), session_cookie(web, token))
}

/// `response`, and a cookie with it.
pub(super) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

async fn passkey_options(guest: Guest, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    Ok(ceremony(web.access().begin_passkey_sign_in(&guest.visit.browser())?))
}

/// A ceremony for the browser: its options, and the name under which the answer comes back.
pub(super) fn ceremony(ceremony: Ceremony) -> Response {
    let mut told = ceremony.options;
    if let Some(told) = told.as_object_mut() {
        told.insert("ticket".to_owned(), ceremony.ticket.expose().into());
    }
    Json(told).into_response()
}

async fn passkey(guest: Guest, State(web): State<Web>, Form(form): Form<CredentialForm>) -> Oops {
    let next = next_path(&form.next).to_owned();
    match web.access().sign_in_with_passkey(&form.ticket, &form.credential, &guest.visit.browser()).await {
        Ok(token) => Ok(begin(&web, &token, &next)),
        Err(failure) => {
            let frame = guest.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&SignInPage { frame, complaints, name: String::new(), next }))
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/sign_in/second.html")]
struct SecondPage {
    frame: Frame,
    complaints: Complaints,
    address: String,
    has_passkeys: bool,
    next: String,
}

#[derive(Deserialize)]
struct CodeForm {
    #[serde(default)]
    code: Password,
    #[serde(default)]
    next: String,
}

async fn second_form(guest: Guest, State(web): State<Web>, Query(query): Query<NextQuery>) -> Oops {
    match second_page(&guest, &web, &query.next, Complaints::default()).await? {
        Some(page) => Ok(shown(&page)),
        None => Ok(Redirect::to(&with_next(path::SIGN_IN, next_path(&query.next))).into_response()),
    }
}

async fn second(guest: Guest, State(web): State<Web>, Form(form): Form<CodeForm>) -> Oops {
    let next = next_path(&form.next);
    let code = Secret::from(form.code);
    complete(&guest, &web, next, web.access().sign_in_second(guest.token(), code.expose()).await).await
}

async fn second_passkey_options(guest: Guest, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    Ok(ceremony(web.access().begin_passkey_second(guest.token(), &guest.visit.browser()).await?))
}

async fn second_passkey(guest: Guest, State(web): State<Web>, Form(form): Form<CredentialForm>) -> Oops {
    let outcome = web.access().sign_in_second_with_passkey(guest.token(), &form.ticket, &form.credential).await;
    complete(&guest, &web, next_path(&form.next), outcome).await
}

/// A second factor was right, or its page is shown again.
async fn complete(guest: &Guest, web: &Web, next: &str, outcome: Result<Secret, Failure>) -> Oops {
    let failure = match outcome {
        Ok(token) => return Ok(begin(web, &token, next)),
        Err(failure) => failure,
    };
    let complaints = Complaints::of(&guest.frame(web), failure)?;
    match second_page(guest, web, next, complaints).await? {
        Some(page) => Ok(again(&page)),
        None => Ok(Redirect::to(&with_next(path::SIGN_IN, next)).into_response()),
    }
}

/// None where no session waits for its second factor.
async fn second_page(
    guest: &Guest,
    web: &Web,
    next: &str,
    complaints: Complaints,
) -> Result<Option<SecondPage>, PageError> {
    let pending = web.access().pending(guest.token()).await?;
    Ok(pending.map(|pending| SecondPage {
        frame: guest.frame(web),
        complaints,
        address: pending.address.to_string(),
        has_passkeys: pending.has_passkeys,
        next: next_path(next).to_owned(),
    }))
}

async fn sign_out(guest: Guest, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    web.access().sign_out(guest.token()).await?;
    Ok(with_cookie(Redirect::to(path::SIGN_IN).into_response(), clear_session()))
}

/// A form that only says that it is meant.
#[derive(Deserialize)]
pub(crate) struct Nothing {}

#[derive(Debug, Template)]
#[template(path = "panel/sign_in/prove.html")]
struct ProvePage {
    frame: Frame,
    complaints: Complaints,
    address: String,
    has_password: bool,
    has_passkeys: bool,
    next: String,
}

impl ProvePage {
    fn of(person: &Person, frame: Frame, complaints: Complaints, next: &str) -> Self {
        let me = &person.me;
        Self {
            frame,
            complaints,
            address: me.address.to_string(),
            has_password: me.has_password,
            has_passkeys: me.passkeys > 0,
            next: next_path(next).to_owned(),
        }
    }
}

async fn prove_form(person: Person, State(web): State<Web>, Query(query): Query<NextQuery>) -> Response {
    shown(&ProvePage::of(&person, person.frame(&web), Complaints::default(), &query.next))
}

#[derive(Deserialize)]
struct ProveForm {
    #[serde(default)]
    password: Password,
    #[serde(default)]
    next: String,
}

async fn prove(person: Person, State(web): State<Web>, Form(form): Form<ProveForm>) -> Oops {
    let outcome = web.access().prove(&person.me, form.password.into(), &person.visit.browser()).await;
    proven(&person, &web, &form.next, outcome)
}

async fn prove_passkey_options(person: Person, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    Ok(ceremony(web.access().begin_passkey_proof(&person.me, &person.visit.browser()).await?))
}

async fn prove_passkey(person: Person, State(web): State<Web>, Form(form): Form<CredentialForm>) -> Oops {
    let outcome = web.access().prove_with_passkey(&person.me, &form.ticket, &form.credential).await;
    proven(&person, &web, &form.next, outcome)
}

fn proven(person: &Person, web: &Web, next: &str, outcome: Result<Secret, Failure>) -> Oops {
    match outcome {
        Ok(token) => Ok(begin(web, &token, next_path(next))),
        Err(failure) => {
            let frame = person.frame(web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&ProvePage::of(person, frame, complaints, next)))
        }
    }
}

/// What a passkey's page sends: the browser's answer, as JSON.
#[derive(Deserialize)]
pub(super) struct CredentialForm {
    #[serde(default)]
    pub(super) credential: String,
    /// Names the ceremony that this answers.
    #[serde(default)]
    pub(super) ticket: String,
    #[serde(default)]
    pub(super) next: String,
}
