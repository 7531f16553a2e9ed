//! What is done to messages: the forms of the list and of the open message.

use axum::extract::{Path, State};
use relais_model::{Uid, UidSet};
use relais_service::{Act, Chosen, Place, Text};
use serde::Deserialize;

use super::list::MailQuery;
use crate::kit::{Flash, FlashKind, Form, Oops, Person, Routes, done, next_path, redirect};
use crate::panel::Nothing;
use crate::{Web, path};

/// Messages that one form names.
const MAX_CHOSEN: usize = 1000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(path::MAIL_ACTS, act).post(path::MAIL_UNDO, undo).post(path::MAIL_PICTURES, pictures)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    uid: Vec<u32>,
    /// See [`ActForm::act`].
    act: String,
    /// A mailbox's id, for `move` and `copy`.
    to: String,
    label: String,
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
    let back = if form.next.is_empty() { person.visit.back.clone() } else { next_path(&form.next).to_owned() };
    let Some(act) = form.act() else {
        let flash = Flash { kind: FlashKind::Warn, text: Text::new("mail-no-such-act"), undo: None };
        return Ok(redirect(&back, &flash));
    };
    let outcome = mail.act(&person.actor, &mailbox, &form.chosen(by_conversation), &act).await?;
    let undo = outcome.undo.map(|token| path::of("/mail/undo", &token));
    let kind = if outcome.count == 0 { FlashKind::Warn } else { FlashKind::Ok };
    Ok(redirect(&back, &Flash { kind, text: outcome.says, undo }))
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
    let next = next_path(&form.next);
    Ok(if form.next.is_empty() { done(&person.visit.back, says) } else { done(next, says) })
}
