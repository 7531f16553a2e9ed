//! As whom one writes, and how.

use askama::Template;
use axum::extract::State;
use relais_service::{Failure, Text, WriterIdentity, WritingChoices};
use serde::Deserialize;

use super::shell::Shell;
use crate::kit::{Choice, Complaints, Form, Frame, Oops, Person, Routes, again, done, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::MAIL_IDENTITIES, show)
        .post(path::MAIL_IDENTITIES, keep)
        .post(path::MAIL_IDENTITY_REMOVE, remove)
        .post(path::MAIL_WRITING_CHOICES, choose)
}

/// For how long what is sent can be stopped.
const UNDO_SECONDS: [u32; 5] = [0, 5, 10, 20, 30];

#[derive(Debug, Template)]
#[template(path = "webmail/identities.html")]
struct IdentitiesPage {
    frame: Frame,
    shell: Shell,
    complaints: Complaints,
    identities: Vec<WriterIdentity>,
    /// For whose form what is wrong: an address that is kept, or none, of the one that is added.
    wrong: String,
    /// What was typed.
    new: WriterIdentity,
    /// Addresses that one may write from.
    others: Vec<String>,
    formats: Vec<Choice>,
    undos: Vec<Choice>,
    suggests_written: bool,
}

/// What is kept, beside what was typed.
#[derive(Default)]
struct Kept {
    identities: Vec<WriterIdentity>,
    others: Vec<String>,
    choices: WritingChoices,
}

impl IdentitiesPage {
    fn of(frame: Frame, shell: Shell, kept: Kept) -> Self {
        let chosen = if kept.choices.is_rich { "rich" } else { "plain" };
        let format = |name: &str| Choice::new(name, frame.say(&format!("webmail-format-{name}")), chosen);
        Self {
            formats: ["rich", "plain"].map(format).to_vec(),
            undos: UNDO_SECONDS.map(|seconds| undo(&frame, seconds, kept.choices.undo_seconds)).to_vec(),
            suggests_written: kept.choices.suggests_written,
            complaints: Complaints::default(),
            identities: kept.identities,
            wrong: String::new(),
            new: WriterIdentity {
                address: kept.others.first().cloned().unwrap_or_default(),
                ..WriterIdentity::default()
            },
            others: kept.others,
            shell,
            frame,
        }
    }

    fn with(self, typed: WriterIdentity, was: String, complaints: Complaints) -> Self {
        let mut page = Self { complaints, ..self };
        match page.identities.iter_mut().find(|identity| identity.address == was) {
            Some(identity) => *identity = WriterIdentity { address: was.clone(), is_own: identity.is_own, ..typed },
            None => page.new = typed,
        }
        Self { wrong: was, ..page }
    }
}

fn undo(frame: &Frame, seconds: u32, chosen: u32) -> Choice {
    Choice {
        value: seconds.to_string(),
        title: frame.count("webmail-undo-seconds", seconds.into()),
        is_chosen: seconds == chosen,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IdentityForm {
    /// The one that is changed; empty for a new one.
    was: String,
    address: String,
    name: String,
    reply_to: String,
    signature: String,
    is_default: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AddressForm {
    address: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChoicesForm {
    format: String,
    undo: u32,
    suggests_written: Option<String>,
}

async fn page(person: &Person, web: &Web) -> Result<IdentitiesPage, Failure> {
    let (frame, mail, me) = (person.frame(web), &web.service().mail, &person.actor);
    let shell = Shell::of(web, &frame, me, "").await?;
    let kept = Kept {
        identities: mail.identities(me).await?,
        others: mail.other_addresses(me).await?,
        choices: mail.writing_choices(me).await?,
    };
    Ok(IdentitiesPage::of(frame, shell, kept))
}

async fn show(person: Person, State(web): State<Web>) -> Oops {
    Ok(shown(&page(&person, &web).await?))
}

async fn keep(person: Person, State(web): State<Web>, Form(form): Form<IdentityForm>) -> Oops {
    let identity = WriterIdentity {
        name: form.name,
        address: if form.was.is_empty() { form.address } else { form.was.clone() },
        reply_to: form.reply_to,
        signature: form.signature,
        is_default: form.is_default.is_some(),
        is_own: false,
    };
    match web.service().mail.keep_identity(&person.actor, identity.clone()).await {
        Ok(()) => {
            let says = Text::new("mail-identity-kept").with("address", identity.address);
            Ok(done(path::MAIL_IDENTITIES, says))
        }
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web).await?.with(identity, form.was, complaints)))
        }
    }
}

async fn remove(person: Person, State(web): State<Web>, Form(form): Form<AddressForm>) -> Oops {
    web.service().mail.remove_identity(&person.actor, &form.address).await?;
    Ok(done(path::MAIL_IDENTITIES, Text::new("mail-identity-removed").with("address", form.address)))
}

async fn choose(person: Person, State(web): State<Web>, Form(form): Form<ChoicesForm>) -> Oops {
    let choices = WritingChoices {
        is_rich: form.format != "plain",
        undo_seconds: form.undo.min(60),
        suggests_written: form.suggests_written.is_some(),
    };
    web.service().mail.choose_writing(&person.actor, choices).await?;
    Ok(done(path::MAIL_IDENTITIES, Text::new("mail-writing-kept")))
}

#[cfg(test)]
mod tests {
    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let identity = |address: &str, is_own| WriterIdentity {
                name: "Ann".to_owned(),
                address: address.to_owned(),
                reply_to: "desk@y.example".to_owned(),
                signature: "Ann\nHouse".to_owned(),
                is_default: is_own,
                is_own,
            };
            let kept = || Kept {
                identities: vec![identity("ann@x.example", true), identity("ann+shop@x.example", false)],
                others: vec!["sales@x.example".to_owned()],
                choices: WritingChoices::default(),
            };
            let wrong = |frame: &Frame| {
                let why = Text::new("mail-identity-not-yours").with("address", "bob@x.example");
                Complaints::of(frame, Failure::unfit("address", why)).unwrap()
            };
            let page = || IdentitiesPage::of(frame.clone(), shell(&frame, ""), kept());
            let complaints = wrong(&frame);
            vec![
                page(),
                page().with(identity("bob@x.example", false), String::new(), complaints.clone()),
                page().with(identity("x", false), "ann+shop@x.example".to_owned(), complaints),
            ]
        });
    }
}
