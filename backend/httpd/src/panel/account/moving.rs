//! One's own mail, brought along from another server and taken out.

use std::time::Duration;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use relais_service::{BundleFiled, Failure, ImportForm, ImportView, MailZip, Text};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::kit::{Complaints, Form, Frame, Oops, PageError, Person, Routes, Time, Upload, again, done, shown};
use crate::panel::sign_in::{Nothing, Password};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::OWN_MOVING, show)
        .post(path::OWN_MOVING, start)
        .post(path::OWN_MOVING_STOP, stop)
        .bundle(path::OWN_MOVING_BRING, bring)
        .get(path::OWN_MOVING_FILE, file)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/moving.html")]
struct MovingPage {
    frame: Frame,
    tab: &'static str,
    complaints: Complaints,
    form: MovingForm,
    run: Option<Run>,
    /// What became of a file of which not all was taken.
    bundle: Option<Bundle>,
}

/// A file of mail, of which not all was taken, in words.
#[derive(Debug)]
struct Bundle {
    said: String,
    named: Vec<(String, String)>,
}

impl Bundle {
    fn of(frame: &Frame, filed: &BundleFiled) -> Self {
        let named = filed.named.iter().map(|(name, why)| (name.clone(), frame.tell(why)));
        Self { said: frame.tell(&told(filed)), named: named.collect() }
    }
}

fn told(filed: &BundleFiled) -> Text {
    Text::new("moving-file-brought")
        .with("filed", filed.mail.filed)
        .with("already", filed.mail.already)
        .with("left", filed.left_out)
        .with("contacts", filed.contacts)
}

/// A seat of those who bring a file of mail: it is taken before the file is read.
struct Seat {
    _permit: OwnedSemaphorePermit,
}

/// Somebody is through with theirs after this.
const SEAT_AGAIN: Duration = Duration::from_mins(1);

impl FromRequestParts<Web> for Seat {
    type Rejection = PageError;

    async fn from_request_parts(_parts: &mut Parts, web: &Web) -> Result<Self, PageError> {
        let permit = web.bundle_seats().try_acquire_owned();
        permit
            .map(|permit| Self { _permit: permit })
            .map_err(|_| PageError(Failure::TooMany { retry_after: SEAT_AGAIN }))
    }
}

/// What was typed, but for the password.
#[derive(Debug, Clone, Default)]
struct MovingForm {
    host: String,
    port: String,
    security: String,
    user: String,
    /// Where an mbox goes.
    mailbox: String,
}

impl MovingForm {
    fn fresh() -> Self {
        Self { security: "tls".to_owned(), ..Self::default() }
    }
}

/// How an import stands, in words.
#[derive(Debug)]
struct Run {
    source: String,
    is_running: bool,
    state: String,
    kind: &'static str,
    counts: String,
    folder: String,
    trouble: String,
    refusals: Vec<(String, String)>,
    changed_at: Time,
}

impl Run {
    fn of(frame: &Frame, view: ImportView) -> Self {
        let counts = Text::new("moving-counts")
            .with("looked", view.looked_at)
            .with("found", view.found)
            .with("brought", view.brought)
            .with("already", view.already)
            .with("flags", view.flags_changed)
            .with("gone", view.gone)
            .with("refused", view.refused);
        let refusal = |refusal: relais_service::ImportRefusal| {
            let uid = refusal.uid.map_or_else(String::new, |uid| format!(" {uid}"));
            (format!("{}{uid}", refusal.folder), frame.tell(&refusal.why))
        };
        Self {
            source: view.source,
            is_running: view.state == "running",
            state: frame.tell(&Text::named(format!("moving-state-{}", view.state))),
            kind: match view.state {
                "done" => "ok",
                "failed" => "bad",
                _ => "info",
            },
            counts: frame.tell(&counts),
            folder: view.folder,
            trouble: view.trouble.as_ref().map_or_else(String::new, |trouble| frame.tell(trouble)),
            refusals: view.refusals.into_iter().map(refusal).collect(),
            changed_at: frame.time(view.changed_at.0),
        }
    }
}

#[derive(Deserialize)]
struct StartForm {
    #[serde(default)]
    host: String,
    #[serde(default)]
    port: String,
    #[serde(default)]
    security: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: Password,
}

async fn page(person: &Person, web: &Web, form: MovingForm, complaints: Complaints) -> Result<MovingPage, Failure> {
    let frame = person.frame(web);
    let run = match web.service().import(&person.actor, None).await {
        Ok(view) => Some(Run::of(&frame, view)),
        Err(Failure::Absent(_)) => None,
        Err(failure) => return Err(failure),
    };
    Ok(MovingPage { frame, tab: "moving", complaints, form, run, bundle: None })
}

async fn show(person: Person, State(web): State<Web>) -> Oops {
    Ok(shown(&page(&person, &web, MovingForm::fresh(), Complaints::default()).await?))
}

async fn start(person: Person, State(web): State<Web>, Form(form): Form<StartForm>) -> Oops {
    let StartForm { host, port, security, user, password } = form;
    let typed = MovingForm {
        host: host.clone(),
        port: port.clone(),
        security: security.clone(),
        user: user.clone(),
        ..MovingForm::default()
    };
    let begun = match port_of(&port) {
        Ok(port) => {
            let secret: relais_model::Secret = password.into();
            let password = relais_service::Password::new(secret.expose());
            let wanted = ImportForm { host, port, security, user, password };
            web.service().start_import(&person.actor, None, wanted).await.map(drop)
        }
        Err(failure) => Err(failure),
    };
    match begun {
        Ok(()) => Ok(done(path::OWN_MOVING, Text::new("moving-begun"))),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web, typed, complaints).await?))
        }
    }
}

/// None: the usual one.
fn port_of(text: &str) -> Result<Option<u16>, Failure> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Failure::unfit("port", Text::new("import-port"))),
    }
}

async fn stop(person: Person, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    web.service().stop_import(&person.actor, None).await?;
    Ok(done(path::OWN_MOVING, Text::new("moving-stopped")))
}

/// What came whole is said on the page that follows; what was left out is named, and nothing is kept of it: so that page is the answer.
async fn bring(person: Person, State(web): State<Web>, _seat: Seat, upload: Result<Upload, PageError>) -> Oops {
    let (mailbox, file) = match upload {
        Ok(mut upload) => (upload.take("mailbox"), Ok(upload.take_octets("file"))),
        Err(PageError(failure)) if is_too_large(&failure) => {
            (String::new(), Err(Failure::unfit("file", Text::new("moving-file-too-large"))))
        }
        Err(other) => return Err(other),
    };
    let filed = match file {
        Ok(file) => web.service().bring_bundle(&person.actor, &mailbox, Vec::from(file)).await,
        Err(failure) => Err(failure),
    };
    match filed {
        Ok(filed) if filed.left_out == 0 => Ok(done(path::OWN_MOVING, told(&filed))),
        Ok(filed) => {
            let page = page(&person, &web, MovingForm::fresh(), Complaints::default()).await?;
            Ok(shown(&MovingPage { bundle: Some(Bundle::of(&page.frame, &filed)), ..page }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web, MovingForm { mailbox, ..MovingForm::fresh() }, complaints).await?))
        }
    }
}

fn is_too_large(failure: &Failure) -> bool {
    matches!(failure, Failure::Unfit(complaints) if complaints.iter().any(|complaint| complaint.why.id == "form-too-large"))
}

/// All of it as a zip of mbox files and contacts, as long as it takes: no more than a piece is held.
async fn file(person: Person, State(web): State<Web>) -> Oops {
    let mut zip = MailZip::of(web.service().clone(), person.actor.clone());
    // Who may not is told so before anything is sent.
    let first = zip.next_piece().await?;
    let rest = stream::unfold(Some(zip), |zip| async move {
        let mut zip = zip?;
        match zip.next_piece().await {
            Ok(Some(octets)) => Some((Ok(Bytes::from(octets)), Some(zip))),
            Ok(None) => None,
            // It breaks off, so that nobody takes it for whole.
            Err(failure) => Some((Err(std::io::Error::other(failure)), None)),
        }
    });
    let first = stream::iter(first.map(|octets| Ok(Bytes::from(octets))));
    let headers =
        [(header::CONTENT_TYPE, "application/zip"), (header::CONTENT_DISPOSITION, "attachment; filename=\"mail.zip\"")];
    let response: Response = (headers, Body::from_stream(futures_util::StreamExt::chain(first, rest))).into_response();
    Ok(response)
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{ImportRefusal, Moment};

    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn pages_are_drawn() {
        let at = Moment(Timestamp::from_millis(1_795_428_540_000));
        draw(|frame: Frame| {
            let view = |state: &'static str, trouble: Option<&'static str>| ImportView {
                source: "ann at imap.old.example:993".to_owned(),
                state,
                started_at: at,
                changed_at: at,
                folders: 9,
                folders_done: 3,
                folder: if state == "running" { "Entwürfe".to_owned() } else { String::new() },
                found: 10_000,
                looked_at: 4_312,
                brought: 4_000,
                brought_octets: 1 << 30,
                already: 312,
                flags_changed: 2,
                gone: 1,
                refused: 1,
                refusals: vec![ImportRefusal {
                    folder: "Work".to_owned(),
                    uid: Some(7),
                    why: Text::new("import-refused-too-large"),
                }],
                seconds_left: None,
                trouble: trouble.map(|name| Text::named(name.to_owned()).with("says", "[AUTHENTICATIONFAILED] No.")),
            };
            let page = |run: Option<ImportView>| MovingPage {
                frame: frame.clone(),
                tab: "moving",
                complaints: Complaints::default(),
                form: MovingForm::default(),
                run: run.map(|view| Run::of(&frame, view)),
                bundle: None,
            };
            let filed = BundleFiled {
                left_out: 2,
                named: vec![("notes <1>.txt".to_owned(), Text::new("moving-left-no-mail"))],
                ..BundleFiled::default()
            };
            let wrong = Failure::unfit("file", Text::new("moving-file-broken"));
            let complaints = Complaints::of(&frame, wrong).unwrap();
            vec![
                page(None),
                page(Some(view("running", None))),
                page(Some(view("done", None))),
                page(Some(view("failed", Some("import-trouble-log-in")))),
                MovingPage { bundle: Some(Bundle::of(&frame, &filed)), ..page(None) },
                MovingPage { complaints, ..page(None) },
            ]
        });
    }
}
