//! What is written: a new message, an answer, a draft. One form, that saves, attaches and sends; a script saves by itself.

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use relais_model::Timestamp;
use relais_service::{Draft, DraftFile, Failure, MAX_FILES_OCTETS, NewFile, Of, Quoting, Text};
use serde::{Deserialize, Serialize};

use super::shell::Shell;
use crate::kit::{Complaints, Frame, Oops, PageError, Person, Routes, Upload, again, done, query, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::MAIL_WRITE, show).upload(path::MAIL_WRITE, write).get(path::MAIL_ADDRESSES, addresses)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct WriteQuery {
    /// What is answered, and how: `F1 7 reply`.
    #[serde(skip_serializing_if = "String::is_empty")]
    of: String,
    /// A draft's UID.
    #[serde(skip_serializing_if = "Option::is_none")]
    draft: Option<u32>,
    #[serde(skip_serializing_if = "String::is_empty")]
    to: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
}

/// The way to an answer.
pub(super) fn way(of: &Of) -> String {
    format!("{}?{}", path::MAIL_WRITE, query(&WriteQuery { of: of.written(), ..WriteQuery::default() }))
}

#[derive(Debug, Template)]
#[template(path = "webmail/write.html")]
struct WritePage {
    frame: Frame,
    shell: Shell,
    complaints: Complaints,
    title: String,
    draft: Draft,
    of: String,
    saved: String,
    /// For the form: what [`FileField`] reads.
    kept: String,
    files: Vec<(String, String, String)>,
    files_help: String,
    has_copies: bool,
    /// The keyboard begins in the text, where it is known to whom it goes.
    is_addressed: bool,
}

/// Files of a draft, on their way through its form.
#[derive(Debug, Serialize, Deserialize)]
struct FileField {
    part: String,
    name: String,
    octets: u64,
}

impl WritePage {
    fn of(frame: Frame, shell: Shell, draft: Draft, complaints: Complaints) -> Self {
        let kept: Vec<_> = draft
            .files
            .iter()
            .map(|file| FileField { part: file.part.clone(), name: file.name.clone(), octets: file.octets })
            .collect();
        let file = |file: &DraftFile| {
            let name = if file.name.is_empty() { frame.say("webmail-file-unnamed") } else { file.name.clone() };
            (file.part.clone(), name, frame.size(file.octets))
        };
        let most = Text::new("webmail-files-help").with("megabytes", MAX_FILES_OCTETS / (1024 * 1024));
        Self {
            title: if draft.subject.trim().is_empty() { frame.say("webmail-write") } else { draft.subject.clone() },
            of: draft.of.as_ref().map(Of::written).unwrap_or_default(),
            saved: draft.saved.map(|saved| saved.to_string()).unwrap_or_default(),
            kept: serde_json::to_string(&kept).unwrap_or_default(),
            files: draft.files.iter().map(file).collect(),
            files_help: frame.tell(&most),
            has_copies: !draft.cc.is_empty() || !draft.bcc.is_empty(),
            is_addressed: !draft.to.is_empty(),
            complaints,
            draft,
            shell,
            frame,
        }
    }
}

async fn show(person: Person, State(web): State<Web>, Query(query): Query<WriteQuery>) -> Oops {
    let (frame, mail, me) = (person.frame(&web), &web.service().mail, &person.actor);
    let mut draft = match query.draft {
        Some(saved) => mail.open_draft(me, saved).await?,
        None => mail.begin(me, Of::parse(&query.of), &quoting(&frame)).await?,
    };
    if !query.to.is_empty() {
        draft.to = query.to;
    }
    if !query.subject.is_empty() {
        draft.subject = query.subject;
    }
    let shell = Shell::of(&web, &frame, me, "").await?;
    Ok(shown(&WritePage::of(frame, shell, draft, Complaints::default())))
}

async fn write(person: Person, State(web): State<Web>, mut form: Upload) -> Result<Response, PageError> {
    let act = form.take("act");
    let mut draft = Draft {
        id: form.take("id"),
        from: form.take("from"),
        to: form.take("to"),
        cc: form.take("cc"),
        bcc: form.take("bcc"),
        subject: form.take("subject"),
        text: form.take("text").replace("\r\n", "\n"),
        of: Of::parse(&form.take("of")),
        saved: form.take("saved").parse().ok(),
        files: files(&form.take("kept")),
    };
    let new = form.files("files").into_iter().map(|file| NewFile {
        name: file.name,
        kind: file.kind,
        octets: file.octets.into(),
    });
    let new: Vec<NewFile> = new.collect();
    if let Some(gone) = act.strip_prefix("remove:") {
        draft.files.retain(|file| file.part != gone);
    }
    match carried_out(&person, &web, &act, &draft, new).await {
        Ok(response) => Ok(response),
        Err(failure) => {
            let frame = person.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let shell = Shell::of(&web, &frame, &person.actor, "").await?;
            Ok(again(&WritePage::of(frame, shell, draft, complaints)))
        }
    }
}

async fn carried_out(
    person: &Person,
    web: &Web,
    act: &str,
    draft: &Draft,
    new: Vec<NewFile>,
) -> Result<Response, Failure> {
    let (mail, me) = (&web.service().mail, &person.actor);
    match act {
        "send" => Ok(done(path::MAIL, mail.send(me, person.me.created_at, draft, new).await?)),
        "discard" => {
            if let Some(saved) = draft.saved {
                mail.discard_draft(me, saved).await?;
            }
            Ok(done(path::MAIL, Text::new("mail-discarded")))
        }
        _ => {
            let saved = mail.save_draft(me, draft, new).await?;
            let way = format!("{}?draft={saved}", path::MAIL_WRITE);
            // Who attaches a file, or whose browser saves by itself, sees what came of it.
            Ok(if act == "save" {
                done(&way, Text::new("mail-draft-saved"))
            } else {
                Redirect::to(&way).into_response()
            })
        }
    }
}

fn files(kept: &str) -> Vec<DraftFile> {
    let fields: Vec<FileField> = serde_json::from_str(kept).unwrap_or_default();
    fields.into_iter().map(|file| DraftFile { part: file.part, name: file.name, octets: file.octets }).collect()
}

fn quoting(frame: &Frame) -> Quoting {
    let filled = Text::new("webmail-quote").with("who", "{who}").with("date", "{date}");
    Quoting {
        wrote: frame.tell(&filled),
        passed_on: frame.say("webmail-passed-on"),
        fields: ["webmail-from", "webmail-date", "webmail-subject", "webmail-to"].map(|id| frame.say(id)),
        date: written_date,
    }
}

/// To the minute, in UTC: who reads it may be anywhere.
fn written_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.seconds()).map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    at.unwrap_or_default()
}

#[derive(Debug, Default, Deserialize)]
struct AddressQuery {
    #[serde(default)]
    q: String,
}

async fn addresses(person: Person, State(web): State<Web>, Query(query): Query<AddressQuery>) -> Oops {
    let found = web.service().mail.completions(&person.actor, &query.q).await?;
    Ok(Json(found).into_response())
}

#[cfg(test)]
mod tests {
    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let draft = Draft {
                to: "bob@y.example".to_owned(),
                cc: "carl@z.example".to_owned(),
                subject: "Lunch".to_owned(),
                text: "Hello".to_owned(),
                of: Of::parse("F1 7 reply"),
                saved: Some(3),
                files: vec![DraftFile { part: "2".to_owned(), name: "a.pdf".to_owned(), octets: 1234 }],
                ..Draft::default()
            };
            let wrong = Failure::unfit("to", Text::new("mail-no-recipient"));
            let complaints = Complaints::of(&frame, wrong).unwrap();
            vec![
                WritePage::of(frame.clone(), shell(&frame, ""), Draft::default(), Complaints::default()),
                WritePage::of(frame.clone(), shell(&frame, ""), draft, complaints),
            ]
        });
    }

    #[test]
    fn dates_are_written_for_everybody() {
        assert_eq!(written_date(Timestamp::from_seconds(1_767_225_600)), "2026-01-01 00:00 UTC");
    }
}
