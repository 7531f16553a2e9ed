//! One's own second factor: an authenticator, and recovery codes for the day it is lost.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::BASE64;
use relais_model::Secret;
use relais_service::{Failure, Text, TotpOffer};
use serde::Deserialize;

use crate::kit::{Complaints, Form, Frame, Oops, Person, Routes, Time, again, done, shown};
use crate::panel::sign_in::{Nothing, Password};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::OWN_SECOND, state)
        .get(path::OWN_SECOND_OFFER, offer_form)
        .post(path::OWN_SECOND_OFFER, offer)
        .post(path::OWN_SECOND_CONFIRM, confirm)
        .post(path::OWN_SECOND_CODES, renew_codes)
        .get(path::OWN_SECOND_REMOVE, remove_form)
        .post(path::OWN_SECOND_REMOVE, remove)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/second_factor.html")]
struct StatePage {
    frame: Frame,
    tab: &'static str,
    since: Option<Time>,
    codes: String,
}

async fn state(person: Person, State(web): State<Web>) -> Oops {
    let state = web.access().second_factor(&person.me.actor).await?;
    let frame = person.frame(&web);
    Ok(shown(&StatePage {
        tab: "second",
        since: state.since.map(|since| frame.time(since)),
        codes: frame.count("second-factor-codes-left", state.recovery_codes),
        frame,
    }))
}

/// An authenticator to be set up.
#[derive(Debug, Template)]
#[template(path = "panel/account/second_factor_offer.html")]
struct OfferPage {
    frame: Frame,
    tab: &'static str,
    complaints: Complaints,
    secret: String,
    uri: String,
    /// The drawing to be scanned, as a data URI: `img-src data:` is the one thing that the policy lets pages bring along.
    qr: String,
}

impl OfferPage {
    fn of(frame: Frame, complaints: Complaints, offer: &TotpOffer) -> Self {
        Self {
            frame,
            tab: "second",
            complaints,
            secret: offer.secret.expose().to_owned(),
            uri: offer.uri.expose().to_owned(),
            qr: svg_uri(&offer.qr),
        }
    }
}

/// A drawing for `<img src>`.
pub(super) fn svg_uri(svg: &Secret) -> String {
    format!("data:image/svg+xml;base64,{}", BASE64.encode(svg.expose().as_bytes()))
}

/// A new offer, after the proof that a POST cannot be taken up again after.
async fn offer(person: Person, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    // Who must prove first comes back to the state's page, and presses again.
    match web.access().offer_totp(&person.me.actor).await {
        Err(Failure::Unproven) => Ok(person.prove_and_return(path::OWN_SECOND)),
        Err(failure) => Err(failure.into()),
        Ok(_) => Ok(Redirect::to(path::OWN_SECOND_OFFER).into_response()),
    }
}

async fn offer_form(person: Person, State(web): State<Web>) -> Oops {
    let offer = web.access().offered_totp(&person.me.actor).await?;
    Ok(shown(&OfferPage::of(person.frame(&web), Complaints::default(), &offer)))
}

#[derive(Deserialize)]
struct CodeForm {
    #[serde(default)]
    code: Password,
}

/// Codes that are shown once.
#[derive(Debug, Template)]
#[template(path = "panel/account/recovery_codes.html")]
struct CodesPage {
    frame: Frame,
    tab: &'static str,
    codes: Vec<String>,
}

impl CodesPage {
    fn of(frame: Frame, codes: &[Secret]) -> Self {
        Self { frame, tab: "second", codes: codes.iter().map(|code| code.expose().to_owned()).collect() }
    }
}

async fn confirm(person: Person, State(web): State<Web>, Form(form): Form<CodeForm>) -> Oops {
    let code = Secret::from(form.code);
    match web.access().confirm_totp(&person.me.actor, code.expose()).await {
        Ok(codes) => Ok(shown(&CodesPage::of(person.frame(&web), &codes))),
        Err(failure @ Failure::Unfit(_)) => {
            let frame = person.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let offer = web.access().offered_totp(&person.me.actor).await?;
            Ok(again(&OfferPage::of(frame, complaints, &offer)))
        }
        Err(Failure::Unproven) => Ok(person.prove_and_return(path::OWN_SECOND_OFFER)),
        Err(failure) => Err(failure.into()),
    }
}

async fn renew_codes(person: Person, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    match web.access().renew_recovery_codes(&person.me.actor).await {
        Ok(codes) => Ok(shown(&CodesPage::of(person.frame(&web), &codes))),
        Err(Failure::Unproven) => Ok(person.prove_and_return(path::OWN_SECOND)),
        Err(failure) => Err(failure.into()),
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/account/second_factor_remove.html")]
struct RemovePage {
    frame: Frame,
    goes: Vec<String>,
}

async fn remove_form(person: Person, State(web): State<Web>) -> Response {
    let frame = person.frame(&web);
    let goes = vec![frame.say("second-factor-remove-goes"), frame.say("second-factor-remove-codes")];
    shown(&RemovePage { frame, goes })
}

async fn remove(person: Person, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    match web.access().remove_second_factor(&person.me.actor).await {
        Ok(()) => Ok(done(path::OWN_SECOND, Text::new("second-factor-removed"))),
        Err(Failure::Unproven) => Ok(person.prove_and_return(path::OWN_SECOND_REMOVE)),
        Err(failure) => Err(failure.into()),
    }
}
