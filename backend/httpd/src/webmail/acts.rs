//! What is done to messages: the forms of the list and of the open message.

use axum::extract::{Path, State};
use axum::response::Response;
use relais_model::{Uid, UidSet};
use relais_reading::Attendance;
use relais_service::{Act, AnswerWords, Chosen, Failure, Place, Text};
use serde::Deserialize;

use super::list::MailQuery;
use crate::kit::{Flash, FlashKind, Form, Frame, Oops, Person, Routes, done, next_path, redirect};
use crate::panel::Nothing;
use crate::{Web, path};

/// Messages that one form names.
const MAX_CHOSEN: usize = 1000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post(path::MAIL_ACTS, act)
        .post(path::MAIL_UNDO, undo)
        .post(path::MAIL_PICTURES, pictures)
        .post(path::MAIL_LEAVE, leave)
        .post(path::MAIL_MEETING, meeting)
        .post(path::MAIL_RECEIPT, receipt)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    uid: Vec<u32>,
    /// See [`ActForm::act`].
    act: String,
    /// A mailbox's id, for `move` and `copy`.
    to: String,
    /// For `label` and `unlabel`.
    label: String,
    /// For `snooze-until`: `2026-11-27T09:00`, where the reader is.
    until: String,
    /// `Europe/Paris`: where that is; only a script knows.
    zone: String,
    /// `matching`: all that the list shows on all its pages; `one`: the named ones alone; else the lines that they stand on.
    whom: String,
    /// Of the list.
    q: String,
    show: String,
    /// Where one goes then; empty: where one came from.
    next: String,
}

impl ActForm {
    fn act(&self) -> Option<Act> {
        Some(match self.act.as_str() {
            "read" => Act::Read(true),
            "unread" => Act::Read(false),
            "star" => Act::Star(true),
            "unstar" => Act::Star(false),
            "label" => Act::Label(self.label.clone(), true),
            "unlabel" => Act::Label(self.label.clone(), false),
            "archive" => Act::Move(Place::Archive),
            "junk" => Act::Move(Place::Junk),
            "not-junk" => Act::Move(Place::NotJunk),
            "move" => Act::Move(Place::Mailbox(self.to.clone())),
            "copy" => Act::Copy(Place::Mailbox(self.to.clone())),
            "delete" => Act::Delete,
            _ => return None,
        })
    }

    fn chosen(&self, by_conversation: bool) -> Chosen {
        let mut uids: Vec<Uid> = self.uid.iter().take(MAX_CHOSEN).filter_map(|uid| Uid::new(*uid)).collect();
        uids.sort_unstable();
        let uids: UidSet = uids.into_iter().collect();
        match self.whom.as_str() {
            "matching" => {
                let query = MailQuery { q: self.q.clone(), show: self.show.clone(), ..MailQuery::default() };
                Chosen::Listed(Box::new(query.wanted(by_conversation)))
            }
            "one" => Chosen::Messages(uids),
            // A box of a list stands for its line.
            _ if by_conversation => Chosen::Conversations(uids),
            _ => Chosen::Messages(uids),
        }
    }
}

async fn act(person: Person, State(web): State<Web>, Path(mailbox): Path<String>, Form(form): Form<ActForm>) -> Oops {
    let mail = &web.service().mail;
    let by_conversation = mail.choices(&person.actor).await?.by_conversation;
    let back = back(&person, &form.next);
    let act = match super::snooze::until(&form.act, &form.until, &form.zone, web.now()).transpose() {
        Ok(until) => until.map(Act::Snooze).or_else(|| form.act()),
        Err(failure) => return not_done(&back, failure),
    };
    let Some(act) = act else { return Ok(told(&back, false, Text::new("mail-no-such-act"))) };
    let outcome = match mail.act(&person.actor, &mailbox, &form.chosen(by_conversation), &act).await {
        Ok(outcome) => outcome,
        // A time that doesn't do is no reason to leave the list.
        Err(failure) => return not_done(&back, failure),
    };
    let undo = outcome.undo.map(|token| path::of("/mail/undo", &token));
    let kind = if outcome.count == 0 { FlashKind::Warn } else { FlashKind::Ok };
    Ok(redirect(&back, &Flash { kind, text: outcome.says, undo }))
}

/// Where one goes then: to `next`; empty: where one came from.
fn back(person: &Person, next: &str) -> String {
    if next.is_empty() { person.visit.back.clone() } else { next_path(next).to_owned() }
}

/// What came of it stands on top of the page that one goes back to.
fn told(back: &str, is_done: bool, text: Text) -> Response {
    let kind = if is_done { FlashKind::Ok } else { FlashKind::Warn };
    redirect(back, &Flash { kind, text, undo: None })
}

/// So does why it wasn't done, where that can be mended at once.
fn not_done(back: &str, failure: Failure) -> Oops {
    match failure {
        Failure::Unfit(mut complaints) if !complaints.is_empty() => {
            Ok(told(back, false, complaints.swap_remove(0).why))
        }
        Failure::Clash(complaint) => Ok(told(back, false, complaint.why)),
        failure => Err(failure.into()),
    }
}

async fn undo(
    person: Person,
    State(web): State<Web>,
    Path(token): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let says = web.service().mail.undo(&person.actor, &token).await?;
    Ok(done(&person.visit.back, says))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PicturesForm {
    /// `always` or `never`.
    show: String,
    next: String,
}

/// From now on a sender's pictures are shown, or aren't any more.
async fn pictures(
    person: Person,
    State(web): State<Web>,
    Path((mailbox, uid)): Path<(String, u32)>,
    Form(form): Form<PicturesForm>,
) -> Oops {
    let says = web.service().mail.show_pictures(&person.actor, &mailbox, uid, form.show == "always").await?;
    Ok(done(&back(&person, &form.next), says))
}

/// Off the list that a message came by (RFC 8058).
async fn leave(
    person: Person,
    State(web): State<Web>,
    Path((mailbox, uid)): Path<(String, u32)>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let leaving = web.service().leave_list(&person.actor, &mailbox, uid).await?;
    Ok(told(&message_at(&mailbox, uid), leaving.is_left, leaving.says))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AnswerForm {
    /// `accepted`, `tentative` or `declined`; for a receipt `send` or `never`.
    answer: String,
    /// Of the message, as it is shown.
    subject: String,
}

/// Answers an invitation.
async fn meeting(
    person: Person,
    State(web): State<Web>,
    Path((mailbox, uid)): Path<(String, u32)>,
    Form(form): Form<AnswerForm>,
) -> Oops {
    let back = message_at(&mailbox, uid);
    let Some(answer) = Attendance::parse(&form.answer) else {
        return Ok(told(&back, false, Text::new("mail-no-such-act")));
    };
    let who = person.me.address.to_string();
    let words = in_words(&person.frame(&web), |piece| {
        let text = Text::named(format!("webmail-meeting-{piece}-{}", answer.as_str()));
        text.with("meeting", form.subject.as_str()).with("who", who.as_str())
    });
    let (mail, since) = (&web.service().mail, person.me.created_at);
    answered(&back, mail.answer_meeting(&person.actor, since, (&mailbox, uid), answer, words).await)
}

/// Tells somebody that their message was read, or doesn't.
async fn receipt(
    person: Person,
    State(web): State<Web>,
    Path((mailbox, uid)): Path<(String, u32)>,
    Form(form): Form<AnswerForm>,
) -> Oops {
    let says = |piece: &str| Text::named(format!("webmail-receipt-{piece}")).with("subject", form.subject.as_str());
    let words = (form.answer == "send").then(|| in_words(&person.frame(&web), says));
    let (mail, since) = (&web.service().mail, person.me.created_at);
    let outcome = mail.answer_receipt(&person.actor, since, (&mailbox, uid), words).await;
    answered(&message_at(&mailbox, uid), outcome)
}

/// Subject and text of an answer, in the language of who gives it.
fn in_words(frame: &Frame, says: impl Fn(&str) -> Text) -> AnswerWords {
    AnswerWords { subject: frame.tell(&says("subject")), text: frame.tell(&says("text")) }
}

/// A message's own page.
fn message_at(mailbox: &str, uid: u32) -> String {
    path::of(&path::of(path::MAIL, mailbox), &uid.to_string())
}

fn answered(back: &str, outcome: Result<Text, Failure>) -> Oops {
    match outcome {
        Ok(says) => Ok(done(back, says)),
        Err(failure) => not_done(back, failure),
    }
}
