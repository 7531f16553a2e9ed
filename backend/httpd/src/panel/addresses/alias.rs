//! One alias or forward: shown, changed, removed.

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{AddressKind, AliasView, Failure, Role, Text};
use serde::Deserialize;

use super::kind_title;
use super::terms::{Terms, senders_title};
use crate::kit::{Admin, Choice, Complaints, Desk, Form, Frame, Oops, Routes, Time, again, shown};
use crate::panel::activity::done_undoably;
use crate::panel::question::{QuestionPage, VersionForm};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::ADDRESS, show)
        .post(path::ADDRESS, change)
        .get(path::ADDRESS_REMOVE, remove_form)
        .post(path::ADDRESS_REMOVE, remove)
}

#[derive(Debug, Template)]
#[template(path = "panel/addresses/alias.html")]
struct AliasPage {
    frame: Frame,
    complaints: Complaints,
    here: String,
    address: String,
    kind: String,
    version: String,
    terms: Terms,
    senders: Vec<Choice>,
    /// Only regular expressions have a turn.
    is_expression: bool,
    targets: Vec<String>,
    /// Who may send as it, in a sentence.
    sending: String,
    has_ended: bool,
    ends: Option<Time>,
    kept: Option<Time>,
    created: Time,
    is_admin: bool,
}

/// What is typed into an alias's page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeTyped {
    version: String,
    #[serde(flatten)]
    terms: Terms,
}

impl AliasPage {
    fn of(frame: Frame, alias: &AliasView, role: Role) -> Self {
        let terms = Terms::of(alias);
        let mut sending = frame.say(senders_title(alias.senders));
        if !alias.sender_people.is_empty() {
            sending = format!("{sending} {}", alias.sender_people.join(", "));
        }
        Self {
            complaints: Complaints::default(),
            here: path::of(path::ADDRESSES, &alias.address.address),
            address: alias.address.address.clone(),
            kind: frame.say(kind_title(alias.address.kind)),
            version: alias.address.version.clone(),
            senders: terms.choices(&frame),
            terms,
            is_expression: alias.address.kind == AddressKind::Expression,
            targets: alias.address.targets.clone(),
            sending,
            has_ended: alias.address.is_suspended,
            ends: alias.address.ends_at.map(|end| frame.time(end.0)),
            kept: alias.address.kept_until.map(|end| frame.time(end.0)),
            created: frame.time(alias.address.created_at.0),
            is_admin: role >= Role::DomainAdmin,
            frame,
        }
    }
}

async fn show(desk: Desk, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let alias = web.service().addresses.show(&desk.actor, &address).await?;
    Ok(shown(&AliasPage::of(desk.frame(&web), &alias, desk.actor.role)))
}

async fn change(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(typed): Form<ChangeTyped>,
) -> Oops {
    match put(&admin, &web, &address, &typed).await {
        Ok(alias) => {
            let here = path::of(path::ADDRESSES, &alias.address.address);
            Ok(done_undoably(&web, &admin.actor, &here, Text::new("saved"), &alias.address.address).await)
        }
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let alias = web.service().addresses.show(&admin.actor, &address).await?;
            let page = AliasPage::of(frame, &alias, admin.actor.role);
            let senders = typed.terms.choices(&page.frame);
            Ok(again(&AliasPage { complaints, version: typed.version, terms: typed.terms, senders, ..page }))
        }
    }
}

async fn put(admin: &Admin, web: &Web, address: &str, typed: &ChangeTyped) -> Result<AliasView, Failure> {
    let addresses = &web.service().addresses;
    let present = addresses.show(&admin.actor, address).await?;
    addresses.change(&admin.actor, address, typed.terms.change(&present)?, Some(&typed.version)).await
}

fn ask_to_remove(frame: Frame, alias: AliasView) -> QuestionPage {
    let alias = alias.address;
    let leads = |target: &String| frame.tell(&Text::new("alias-goes").with("target", target.as_str()));
    let back = path::of(path::ADDRESSES, &alias.address);
    QuestionPage {
        title: frame.tell(&Text::new("alias-remove-title").with("address", alias.address.as_str())),
        text: frame.say("alias-remove-text"),
        goes: alias.targets.iter().map(leads).collect(),
        action: format!("{back}/remove"),
        act: frame.say("alias-remove"),
        back,
        kind: "danger",
        version: alias.version,
        frame,
    }
}

async fn remove_form(admin: Admin, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let alias = web.service().addresses.show(&admin.actor, &address).await?;
    Ok(shown(&ask_to_remove(admin.frame(&web), alias)))
}

async fn remove(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<VersionForm>,
) -> Oops {
    let addresses = &web.service().addresses;
    let address = addresses.show(&admin.actor, &address).await?.address.address;
    addresses.remove(&admin.actor, &address, Some(&form.version)).await?;
    let text = Text::new("alias-removed").with("address", address.as_str());
    Ok(done_undoably(&web, &admin.actor, path::ADDRESSES, text, &address).await)
}

#[cfg(test)]
mod tests {
    use relais_service::AliasSenders;

    use super::super::tests::address;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn aliases_are_drawn() {
        let alias = || AliasView {
            address: address(AddressKind::Forward, &["a@b.example"]),
            senders: AliasSenders::People,
            sender_people: vec!["ann@example.org".to_owned()],
            turn: 7,
            ended_text: "The fair is over".to_owned(),
        };
        draw(|frame| {
            vec![
                AliasPage::of(frame.clone(), &alias(), Role::HelpDesk),
                AliasPage::of(frame, &alias(), Role::DomainAdmin),
            ]
        });
        draw(|frame| vec![ask_to_remove(frame, alias())]);
    }
}
