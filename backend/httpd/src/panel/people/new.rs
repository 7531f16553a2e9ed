//! Adding one person.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect};
use relais_model::Secret;
use relais_service::{Failure, NewPerson, Password as NewPassword, PersonView, Role, Text};
use serde::{Deserialize, Serialize};

use super::sign_in::link_page;
use super::{domain_choices, domains, role_choices, whole_address};
use crate::kit::{
    Admin, Choice, Complaints, Form, Frame, Oops, PageError, Routes, Typed, again, done, query, shown, with_next,
};
use crate::panel::sign_in::Password;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::PERSON_NEW, form).post(path::PERSON_NEW, create)
}

#[derive(Debug, Template)]
#[template(path = "panel/people/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    typed: Typing,
    domains: Vec<Choice>,
    roles: Vec<Choice>,
    /// The domains that they may be made to serve.
    served: Vec<Choice>,
    has_password: bool,
}

/// All that is typed but the password; a form that waits for a proof comes back with it in its query.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Typing {
    local: String,
    domain: String,
    name: String,
    quota: String,
    role: String,
    serves: Vec<String>,
    /// `password`, or a link.
    way: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PersonForm {
    local: String,
    domain: String,
    name: String,
    quota: String,
    role: String,
    serves: Vec<String>,
    way: String,
    password: Password,
}

impl PersonForm {
    fn split(self) -> (Typing, Password) {
        let Self { local, domain, name, quota, role, serves, way, password } = self;
        (Typing { local, domain, name, quota, role, serves, way }, password)
    }
}

impl Typing {
    fn has_password(&self) -> bool {
        self.way == "password"
    }

    fn new_person(&self, password: Option<NewPassword>) -> Result<NewPerson, Failure> {
        let mut read = Typed::default();
        let quota = read.size("quota", &self.quota);
        read.end()?;
        Ok(NewPerson {
            address: whole_address(&self.local, &self.domain),
            name: self.name.clone(),
            password,
            role: Role::parse(&self.role).unwrap_or_default(),
            domains: self.serves.clone(),
            quota_octets: quota.map(Some),
            language: None,
        })
    }
}

async fn page(admin: &Admin, web: &Web, typed: Typing, complaints: Complaints) -> Result<NewPage, PageError> {
    let names = domains(web, &admin.actor).await?;
    Ok(NewPage { complaints, ..NewPage::of(admin.frame(web), admin.actor.role, &names, typed) })
}

impl NewPage {
    fn of(frame: Frame, most: Role, names: &[String], typed: Typing) -> Self {
        let serves =
            |name: &String| Choice { value: name.clone(), title: name.clone(), is_chosen: typed.serves.contains(name) };
        Self {
            complaints: Complaints::default(),
            domains: domain_choices(names, String::new(), &typed.domain),
            roles: role_choices(&frame, most, if typed.role.is_empty() { "user" } else { &typed.role }),
            served: names.iter().map(serves).collect(),
            has_password: typed.has_password(),
            typed,
            frame,
        }
    }
}

async fn form(admin: Admin, State(web): State<Web>, RawQuery(query): RawQuery) -> Oops {
    let typed = serde_html_form::from_str(query.as_deref().unwrap_or_default()).unwrap_or_default();
    Ok(shown(&page(&admin, &web, typed, Complaints::default()).await?))
}

async fn create(admin: Admin, State(web): State<Web>, Form(form): Form<PersonForm>) -> Oops {
    let (typed, password) = form.split();
    let password = typed.has_password().then(|| NewPassword::new(Secret::from(password).expose()));
    let outcome = match typed.new_person(password) {
        Ok(new) => web.service().people.create(&admin.actor, new).await,
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(person) => added(&admin, &web, &typed, &person).await,
        Err(Failure::Unproven) => {
            let back = format!("{}?{}", path::PERSON_NEW, query(&typed));
            Ok(Redirect::to(&with_next(path::PROVE, &back)).into_response())
        }
        Err(failure) => {
            let complaints = Complaints::of(&admin.frame(&web), failure)?;
            Ok(again(&page(&admin, &web, typed, complaints).await?))
        }
    }
}

/// A link is shown at once, for it is shown only once.
async fn added(admin: &Admin, web: &Web, typed: &Typing, person: &PersonView) -> Oops {
    if typed.has_password() {
        let text = Text::new("person-added").with("address", person.address.as_str());
        return Ok(done(&path::of(path::PEOPLE, &person.address), text));
    }
    let token = web.access().password_link(&admin.actor, &person.address).await?;
    Ok(link_page(admin.frame(web), web.origin(), person, &token, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn the_form_is_drawn() {
        draw(|frame| {
            let typed = Typing { role: "owner".to_owned(), way: "password".to_owned(), ..Typing::default() };
            let complaints =
                Complaints::of(&frame, Failure::unfit("quota", Text::new("typed-size").with("text", "much"))).unwrap();
            vec![
                NewPage::of(frame.clone(), Role::Owner, &[], Typing::default()),
                NewPage { complaints, ..NewPage::of(frame, Role::Owner, &["example.org".to_owned()], typed) },
            ]
        });
    }

    #[test]
    fn what_was_typed_survives_a_proof() {
        let typed = Typing {
            local: "a&b".to_owned(),
            serves: vec!["x.example".to_owned(), "y.example".to_owned()],
            ..Typing::default()
        };
        let back: Typing = serde_html_form::from_str(&query(&typed)).unwrap();
        assert_eq!((back.local, back.serves), (typed.local, typed.serves));
    }
}
