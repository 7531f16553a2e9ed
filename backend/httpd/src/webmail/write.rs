//! What is written: a new message, an answer, a draft. One form, that saves, attaches and sends; a script saves by itself.

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use relais_model::Timestamp;
use relais_service::{
    Draft, DraftFile, Failure, MAX_FILES_OCTETS, Mail, NewFile, Of, Quote, Quoting, Text, WriterIdentity,
    WritingChoices,
};
use serde::{Deserialize, Serialize};

use super::shell::Shell;
use crate::kit::{
    Complaints, Flash, FlashKind, Frame, Oops, PageError, Person, Routes, Time, Upload, again, done, query, redirect,
    shown,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::MAIL_WRITE, show)
        .upload(path::MAIL_WRITE, write)
        .get(path::MAIL_QUOTE, quote)
        .get(path::MAIL_ADDRESSES, addresses)
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
    /// The lines above what is quoted.
    #[serde(skip_serializing_if = "String::is_empty")]
    head: String,
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
    /// What should be looked at once more before it goes, and the act that sends it all the same.
    doubts: Vec<String>,
    sure: &'static str,
    /// When it goes by itself.
    due: Option<Time>,
    /// As it was chosen: `2026-11-27T09:00`.
    due_typed: String,
    title: String,
    draft: Draft,
    senders: Vec<Sender>,
    of: String,
    saved: String,
    /// For the form: what [`FileField`] reads.
    kept: String,
    files: Vec<(String, String, String)>,
    files_help: String,
    most_octets: usize,
    has_copies: bool,
    /// The keyboard begins in the text, where it is known to whom it goes.
    is_addressed: bool,
    /// What is written with formatting, for the editor; and whether it begins so.
    html: String,
    is_rich: bool,
    quote: Quote,
    /// Where the quote is shown; empty where nothing is quoted.
    quote_href: String,
}

/// As whom it may go out.
#[derive(Debug)]
struct Sender {
    written: String,
    signature: String,
    is_chosen: bool,
}

/// Files of a draft, on their way through its form.
#[derive(Debug, Serialize, Deserialize)]
struct FileField {
    part: String,
    name: String,
    octets: u64,
}

impl WritePage {
    fn of(frame: Frame, shell: Shell, identities: &[WriterIdentity], draft: Draft, complaints: Complaints) -> Self {
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
        let quote = draft.quote.clone().unwrap_or_default();
        Self {
            title: if draft.subject.trim().is_empty() { frame.say("webmail-write") } else { draft.subject.clone() },
            senders: senders(identities, &draft.from),
            of: draft.of.as_ref().map(Of::written).unwrap_or_default(),
            saved: draft.saved.map(|saved| saved.to_string()).unwrap_or_default(),
            kept: serde_json::to_string(&kept).unwrap_or_default(),
            files: draft.files.iter().map(file).collect(),
            files_help: frame.tell(&most),
            most_octets: MAX_FILES_OCTETS,
            has_copies: !draft.cc.is_empty() || !draft.bcc.is_empty(),
            is_addressed: !draft.to.is_empty(),
            html: draft.html.clone().unwrap_or_default(),
            is_rich: draft.html.is_some(),
            quote_href: if draft.quote.is_some() { quote_way(&draft, &quote.head) } else { String::new() },
            quote,
            doubts: Vec::new(),
            sure: "send-sure",
            due: None,
            due_typed: String::new(),
            complaints,
            draft,
            shell,
            frame,
        }
    }
}

fn senders(identities: &[WriterIdentity], from: &str) -> Vec<Sender> {
    let sender = |identity: &WriterIdentity| Sender {
        written: identity.written(),
        signature: identity.signature.clone(),
        is_chosen: identity.written() == from,
    };
    let mut senders: Vec<Sender> = identities.iter().map(sender).collect();
    // An answer from an address that has no identity of its own, or a draft from elsewhere.
    if !from.is_empty() && !senders.iter().any(|sender| sender.is_chosen) {
        senders.push(Sender { written: from.to_owned(), signature: String::new(), is_chosen: true });
    }
    senders
}

fn quote_way(draft: &Draft, head: &str) -> String {
    let of = draft.of.as_ref().map(Of::written).unwrap_or_default();
    let wanted = WriteQuery { of, draft: draft.saved, head: head.to_owned(), ..WriteQuery::default() };
    format!("{}?{}", path::MAIL_QUOTE, query(&wanted))
}

async fn page(person: &Person, web: &Web, draft: Draft, complaints: Complaints) -> Result<WritePage, Failure> {
    let frame = person.frame(web);
    let shell = Shell::of(web, &frame, &person.actor, "").await?;
    let identities = web.service().mail.identities(&person.actor).await?;
    Ok(WritePage::of(frame, shell, &identities, draft, complaints))
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
    let due = match draft.saved {
        Some(saved) => mail.due(me, saved).await?.map(|due| frame.time(due.0)),
        None => None,
    };
    let page = page(&person, &web, draft, Complaints::default()).await?;
    Ok(shown(&WritePage { due, ..page }))
}

/// What is quoted below what one writes with formatting: a stranger's HTML, for a frame that is nobody's.
async fn quote(person: Person, State(web): State<Web>, Query(query): Query<WriteQuery>) -> Oops {
    let quote = Quote { head: query.head, is_kept: true, ..Quote::default() };
    let draft = Draft { of: Of::parse(&query.of), saved: query.draft, quote: Some(quote), ..Draft::default() };
    let html = web.service().mail.quote(&person.actor, &draft).await?;
    Ok(super::files::letter(person.frame(&web), html))
}

async fn write(person: Person, State(web): State<Web>, mut form: Upload) -> Result<Response, PageError> {
    let act = form.take("act");
    let mut draft = draft(&mut form);
    let chosen = form.take("chosen");
    let due = Due { typed: form.take("due"), minutes_west: form.take("zone").parse().unwrap_or_default() };
    let new = form.files("files").into_iter().map(|file| NewFile {
        name: file.name,
        kind: file.kind,
        octets: file.octets.into(),
    });
    let new: Vec<NewFile> = new.collect();
    if let Some(gone) = act.strip_prefix("remove:") {
        draft.files.retain(|file| file.part != gone);
    }
    if !chosen.is_empty() {
        let mail = &web.service().mail;
        let choices = mail.writing_choices(&person.actor).await?;
        mail.choose_writing(&person.actor, WritingChoices { is_rich: chosen == "rich", ..choices }).await?;
    }
    match carried_out(&person, &web, &act, &due, &mut draft, new).await {
        Ok(response) => Ok(response),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            // Whatever is wrong with it: nothing that was typed is lost.
            if act.starts_with("send") {
                let _unsaved = keep(&web.service().mail, &person, &mut draft, Vec::new()).await;
            }
            let page = page(&person, &web, draft, complaints).await?;
            Ok(again(&WritePage { due_typed: due.typed, ..page }))
        }
    }
}

/// When it is to go, as a browser's field says it: `2026-11-27T09:00`, in UTC where no script said where the reader is.
struct Due {
    typed: String,
    minutes_west: i32,
}

impl Due {
    fn at(&self) -> Result<Timestamp, Failure> {
        let unfit = || Failure::unfit("due", Text::new("mail-later-bad-time"));
        let typed: jiff::civil::DateTime = self.typed.parse().map_err(|_| unfit())?;
        let zone = jiff::tz::Offset::from_seconds(-self.minutes_west.clamp(-1000, 1000) * 60).map_err(|_| unfit())?;
        let at = zone.to_timestamp(typed).map_err(|_| unfit())?;
        Ok(Timestamp::from_seconds(at.as_second()))
    }
}

fn draft(form: &mut Upload) -> Draft {
    let is_rich = form.take("format") == "rich";
    let (html, head) = (form.take("html"), form.take("quote_head"));
    let quote = Quote { head, text: form.take("quote_text"), is_kept: !form.take("quoted").is_empty() };
    Draft {
        id: form.take("id"),
        from: form.take("from"),
        to: form.take("to"),
        cc: form.take("cc"),
        bcc: form.take("bcc"),
        subject: form.take("subject"),
        text: form.take("text").replace("\r\n", "\n"),
        html: is_rich.then_some(html),
        quote: (!quote.head.is_empty() || !quote.text.is_empty()).then_some(quote),
        asks_receipt: !form.take("receipt").is_empty(),
        of: Of::parse(&form.take("of")),
        saved: form.take("saved").parse().ok(),
        files: files(&form.take("kept")),
    }
}

async fn carried_out(
    person: &Person,
    web: &Web,
    act: &str,
    due: &Due,
    draft: &mut Draft,
    new: Vec<NewFile>,
) -> Result<Response, Failure> {
    let (mail, me) = (&web.service().mail, &person.actor);
    match act {
        "send" | "send-sure" | "send-later" | "send-later-sure" => {
            if !new.is_empty() {
                keep(mail, person, draft, new).await?;
            }
            let is_later = act.starts_with("send-later");
            let due_at = if is_later { Some(due.at()?) } else { None };
            let doubts = if act.ends_with("-sure") { Vec::new() } else { mail.doubts(me, draft).await? };
            if doubts.is_empty() {
                return sent(person, mail, draft, due_at).await;
            }
            keep(mail, person, draft, Vec::new()).await?;
            let page = page(person, web, draft.clone(), Complaints::default()).await?;
            let doubts = doubts.iter().map(|doubt| page.frame.tell(doubt)).collect();
            let sure = if is_later { "send-later-sure" } else { "send-sure" };
            Ok(again(&WritePage { doubts, sure, due_typed: due.typed.clone(), ..page }))
        }
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

/// It goes, and can be stopped for a while; or it goes later.
async fn sent(person: &Person, mail: &Mail, draft: &Draft, due_at: Option<Timestamp>) -> Result<Response, Failure> {
    let (me, since) = (&person.actor, person.me.created_at);
    if let Some(due_at) = due_at {
        mail.send_later(me, since, draft, due_at).await?;
        return Ok(done(path::MAIL_LATER, Text::new("mail-later-kept")));
    }
    let (text, saved) = mail.send_soon(me, since, draft).await?;
    let undo = saved.map(|saved| format!("{}/{saved}/stop", path::MAIL_LATER));
    Ok(redirect(path::MAIL, &Flash { kind: FlashKind::Ok, text, undo }))
}

/// Saves it, and goes on with it as it was typed.
async fn keep(mail: &Mail, person: &Person, draft: &mut Draft, new: Vec<NewFile>) -> Result<(), Failure> {
    let saved = mail.save_draft(&person.actor, draft, new).await?;
    draft.files = mail.open_draft(&person.actor, saved).await?.files;
    draft.saved = Some(saved);
    Ok(())
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
                html: Some("<p>Hello</p>".to_owned()),
                quote: Some(Quote { head: "Ann wrote:".to_owned(), text: "> Hi".to_owned(), is_kept: true }),
                files: vec![DraftFile { part: "2".to_owned(), name: "a.pdf".to_owned(), octets: 1234 }],
                ..Draft::default()
            };
            let wrong = Failure::unfit("to", Text::new("mail-no-recipient"));
            let complaints = Complaints::of(&frame, wrong).unwrap();
            let identity = WriterIdentity { address: "ann@x.example".to_owned(), ..WriterIdentity::default() };
            let page = |draft, complaints| {
                WritePage::of(frame.clone(), shell(&frame, ""), std::slice::from_ref(&identity), draft, complaints)
            };
            let doubtful = page(draft.clone(), Complaints::default());
            vec![
                page(Draft::default(), Complaints::default()),
                page(draft, complaints),
                WritePage { doubts: vec!["Look twice.".to_owned()], ..doubtful },
            ]
        });
    }

    #[test]
    fn times_are_of_where_the_writer_is() {
        let at = |typed: &str, minutes_west| {
            let due = Due { typed: typed.to_owned(), minutes_west };
            due.at().map(Timestamp::seconds).ok()
        };
        assert_eq!(at("2026-01-01T09:00", 0), Some(1_767_258_000));
        assert_eq!(at("2026-01-01T09:00", -60), Some(1_767_254_400), "an hour east it is earlier");
        assert_eq!(at("soon", 0), None);
    }

    #[test]
    fn dates_are_written_for_everybody() {
        assert_eq!(written_date(Timestamp::from_seconds(1_767_225_600)), "2026-01-01 00:00 UTC");
    }
}
