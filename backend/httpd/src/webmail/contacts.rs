//! People whom one knows: added, changed, forgotten; brought and taken away as files of cards.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use relais_reading::{Card, CardVersion};
use relais_service::{CONTACTS_AT_ONCE, ContactPage, Failure, Text};
use serde::{Deserialize, Serialize};

use super::shell::Shell;
use crate::kit::{Complaints, Form, Frame, Oops, PageError, Person, Routes, Upload, again, done, query, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::MAIL_CONTACTS, show)
        .post(path::MAIL_CONTACTS, keep)
        .post(path::MAIL_CONTACT_REMOVE, remove)
        .upload(path::MAIL_CONTACTS_IMPORT, import)
        .get(path::MAIL_CONTACTS_FILE, file)
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct ContactsQuery {
    #[serde(skip_serializing_if = "String::is_empty")]
    q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "is_zero")]
    from: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl ContactsQuery {
    fn way(&self) -> String {
        format!("{}?{}", path::MAIL_CONTACTS, query(self))
    }
}

#[derive(Debug, Template)]
#[template(path = "webmail/contacts.html")]
struct ContactsPage {
    frame: Frame,
    shell: Shell,
    complaints: Complaints,
    wanted: ContactsQuery,
    rows: Vec<ContactFields>,
    total: String,
    groups: Vec<(String, String, String, bool)>,
    newer: String,
    older: String,
    /// What was typed, of whom is added.
    new: ContactFields,
    /// Whose form is wrong; empty: of whom is added.
    wrong: String,
}

/// A contact, as its form has it.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct ContactFields {
    uid: String,
    name: String,
    addresses: String,
    phones: String,
    organisation: String,
    groups: String,
    note: String,
}

impl ContactFields {
    fn of(card: Card) -> Self {
        Self {
            uid: card.uid,
            name: card.name,
            addresses: card.addresses.join(", "),
            phones: card.phones.join(", "),
            organisation: card.organisation,
            groups: card.groups.join(", "),
            note: card.note,
        }
    }

    fn card(&self) -> Card {
        let list = |text: &str| {
            let values = text.split([',', ';', '\n']).map(str::trim).filter(|value| !value.is_empty());
            values.map(str::to_owned).take(50).collect()
        };
        let short = |text: &str| text.trim().chars().take(1000).collect::<String>();
        Card {
            uid: self.uid.clone(),
            name: short(&self.name),
            addresses: list(&self.addresses),
            phones: list(&self.phones),
            organisation: short(&self.organisation),
            note: short(&self.note.replace("\r\n", "\n")),
            groups: list(&self.groups),
            others: Vec::new(),
        }
    }

    /// The way to a message to them.
    fn write(&self) -> String {
        #[derive(Serialize)]
        struct To<'a> {
            to: &'a str,
        }
        format!("{}?{}", path::MAIL_WRITE, query(&To { to: self.addresses.split(", ").next().unwrap_or_default() }))
    }
}

impl ContactsPage {
    fn of(frame: Frame, shell: Shell, wanted: ContactsQuery, found: ContactPage) -> Self {
        let group = |(name, count): &(String, u64)| {
            let way = ContactsQuery { group: name.clone(), ..ContactsQuery::default() }.way();
            (way, name.clone(), frame.number(*count), *name == wanted.group)
        };
        let to = |from: u32| ContactsQuery { from, ..wanted.clone() }.way();
        let next = wanted.from.saturating_add(CONTACTS_AT_ONCE);
        Self {
            groups: found.groups.iter().map(group).collect(),
            total: frame.count("webmail-contacts-count", found.total),
            newer: if wanted.from == 0 { String::new() } else { to(wanted.from.saturating_sub(CONTACTS_AT_ONCE)) },
            older: if u64::from(next) < found.total { to(next) } else { String::new() },
            rows: found.rows.into_iter().map(ContactFields::of).collect(),
            complaints: Complaints::default(),
            new: ContactFields::default(),
            wrong: String::new(),
            wanted,
            shell,
            frame,
        }
    }

    fn with(self, typed: ContactFields, complaints: Complaints) -> Self {
        let mut page = Self { complaints, wrong: typed.uid.clone(), ..self };
        match page.rows.iter_mut().find(|row| !typed.uid.is_empty() && row.uid == typed.uid) {
            Some(row) => *row = typed,
            None => page.new = typed,
        }
        page
    }
}

async fn page(person: &Person, web: &Web, wanted: ContactsQuery) -> Result<ContactsPage, Failure> {
    let (frame, mail, me) = (person.frame(web), &web.service().mail, &person.actor);
    let shell = Shell::of(web, &frame, me, "").await?;
    let found = mail.contacts(me, &wanted.q, &wanted.group, wanted.from).await?;
    Ok(ContactsPage::of(frame, shell, wanted, found))
}

async fn show(person: Person, State(web): State<Web>, Query(wanted): Query<ContactsQuery>) -> Oops {
    Ok(shown(&page(&person, &web, wanted).await?))
}

async fn keep(person: Person, State(web): State<Web>, Form(form): Form<ContactFields>) -> Oops {
    match web.service().mail.keep_contact(&person.actor, form.card()).await {
        Ok(()) => Ok(done(path::MAIL_CONTACTS, Text::new("mail-contact-kept").with("name", form.name))),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            let wanted = ContactsQuery { q: form.name.clone(), ..ContactsQuery::default() };
            let wanted = if form.uid.is_empty() { ContactsQuery::default() } else { wanted };
            Ok(again(&page(&person, &web, wanted).await?.with(form, complaints)))
        }
    }
}

async fn remove(person: Person, State(web): State<Web>, Form(form): Form<ContactFields>) -> Oops {
    web.service().mail.remove_contact(&person.actor, &form.uid).await?;
    Ok(done(path::MAIL_CONTACTS, Text::new("mail-contact-removed").with("name", form.name)))
}

async fn import(person: Person, State(web): State<Web>, mut form: Upload) -> Result<Response, PageError> {
    match web.service().mail.import_contacts(&person.actor, &form.take("file")).await {
        Ok(imported) => {
            let id = if imported.left_out == 0 { "mail-contacts-imported" } else { "mail-contacts-imported-some" };
            let text = Text::new(id).with("count", imported.kept).with("left", imported.left_out);
            Ok(done(path::MAIL_CONTACTS, text))
        }
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            let page = page(&person, &web, ContactsQuery::default()).await?;
            Ok(again(&page.with(ContactFields::default(), complaints)))
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FileQuery {
    version: String,
}

/// All of them, for another program (RFC 6350 §10.1).
async fn file(person: Person, State(web): State<Web>, Query(wanted): Query<FileQuery>) -> Oops {
    let version = if wanted.version == "3" { CardVersion::Three } else { CardVersion::Four };
    let file = web.service().mail.export_contacts(&person.actor, version).await?;
    let headers = [
        (CONTENT_TYPE, "text/vcard; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"contacts.vcf\""),
        (CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, file).into_response())
}

#[cfg(test)]
mod tests {
    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let card = |uid: &str| Card {
                uid: uid.to_owned(),
                name: "Ann".to_owned(),
                addresses: vec!["ann@x.example".to_owned()],
                groups: vec!["Chess".to_owned()],
                ..Card::default()
            };
            let found =
                || ContactPage { rows: vec![card("1"), card("2")], total: 120, groups: vec![("chess".to_owned(), 2)] };
            let wrong = Failure::unfit("addresses", Text::new("mail-bad-address").with("text", "x"));
            let complaints = Complaints::of(&frame, wrong).unwrap();
            let page = |found, from| {
                let wanted = ContactsQuery { from, group: "chess".to_owned(), ..ContactsQuery::default() };
                ContactsPage::of(frame.clone(), shell(&frame, ""), wanted, found)
            };
            let typed = ContactFields { uid: "2".to_owned(), addresses: "x".to_owned(), ..ContactFields::default() };
            vec![
                page(ContactPage::default(), 0),
                page(found(), 50),
                page(found(), 0).with(typed, complaints.clone()),
                page(found(), 0).with(ContactFields::default(), complaints),
            ]
        });
    }
}
