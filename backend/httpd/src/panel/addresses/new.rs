//! Adding an alias or a forward; and trying its pattern before.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{AliasView, Failure, PatternTrial, PatternTried, Text};
use serde::Deserialize;

use super::terms::Terms;
use crate::kit::{Admin, Choice, Complaints, Form, Frame, Oops, Routes, again, shown};
use crate::panel::activity::done_undoably;
use crate::panel::people::{domain_choices, domains};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::ADDRESS_NEW, form).post(path::ADDRESS_NEW, create)
}

#[derive(Debug, Template)]
#[template(path = "panel/addresses/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    form: NewForm,
    terms: Terms,
    domains: Vec<Choice>,
    senders: Vec<Choice>,
    /// What the pattern says of the sample: colour and sentence.
    tried: Option<(&'static str, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewForm {
    local: String,
    domain: String,
    /// What the pattern is tried on.
    sample: String,
    /// `try`: nothing is added yet.
    act: String,
}

impl NewForm {
    /// Who types the whole address means it.
    fn address(&self) -> String {
        let local = self.local.trim();
        let is_whole = local.contains('@') && !(local.starts_with('/') && local.ends_with('/'));
        if is_whole { local.to_owned() } else { format!("{local}@{}", self.domain) }
    }
}

/// What is typed into the page for a new alias, whose terms stand beside it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewTyped {
    #[serde(flatten)]
    form: NewForm,
    #[serde(flatten)]
    terms: Terms,
}

async fn new_page(admin: &Admin, web: &Web, typed: NewTyped) -> Result<NewPage, Failure> {
    let names = domains(web, &admin.actor).await?;
    let frame = admin.frame(web);
    let (form, terms) = (typed.form, typed.terms);
    Ok(NewPage {
        domains: domain_choices(&names, String::new(), &form.domain),
        senders: terms.choices(&frame),
        complaints: Complaints::default(),
        tried: None,
        form,
        terms,
        frame,
    })
}

async fn form(admin: Admin, State(web): State<Web>, Query(form): Query<NewForm>) -> Oops {
    Ok(shown(&new_page(&admin, &web, NewTyped { form, terms: Terms::default() }).await?))
}

async fn create(admin: Admin, State(web): State<Web>, Form(typed): Form<NewTyped>) -> Oops {
    if typed.form.act == "try" {
        return try_pattern(admin, web, typed).await;
    }
    match add(&admin, &web, &typed).await {
        Ok(alias) => {
            let address = alias.address.address;
            let text = Text::new("alias-added").with("address", address.as_str());
            Ok(done_undoably(&web, &admin.actor, path::ADDRESSES, text, &address).await)
        }
        Err(failure) => refused(&admin, &web, typed, failure).await,
    }
}

async fn add(admin: &Admin, web: &Web, typed: &NewTyped) -> Result<AliasView, Failure> {
    let new = typed.terms.alias(typed.form.address())?;
    web.service().addresses.create(&admin.actor, new).await
}

async fn try_pattern(admin: Admin, web: Web, typed: NewTyped) -> Oops {
    let trial = PatternTrial { address: typed.form.address(), sample: typed.form.sample.clone() };
    match web.service().addresses.try_pattern(&admin.actor, &trial).await {
        Ok(tried) => {
            let (colour, said) = told(&tried);
            let page = new_page(&admin, &web, typed).await?;
            Ok(shown(&NewPage { tried: Some((colour, page.frame.say(said))), ..page }))
        }
        Err(failure) => refused(&admin, &web, typed, failure).await,
    }
}

/// The page again, with what was typed and what is wrong.
async fn refused(admin: &Admin, web: &Web, typed: NewTyped, failure: Failure) -> Oops {
    let complaints = Complaints::of(&admin.frame(web), failure)?;
    Ok(again(&NewPage { complaints, ..new_page(admin, web, typed).await? }))
}

/// Colour and sentence of what a pattern says of a sample.
const fn told(tried: &PatternTried) -> (&'static str, &'static str) {
    match (tried.fits, tried.is_free) {
        (true, true) => ("ok", "alias-sample-fits"),
        (true, false) => ("warn", "alias-sample-taken"),
        (false, _) => ("bad", "alias-sample-other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn the_form_is_drawn() {
        draw(|frame| {
            let page = |domains: Vec<Choice>| NewPage {
                frame: frame.clone(),
                complaints: Complaints::default(),
                form: NewForm::default(),
                terms: Terms::default(),
                senders: Terms::default().choices(&frame),
                tried: (!domains.is_empty()).then(|| ("ok", frame.say("alias-sample-fits"))),
                domains,
            };
            vec![page(Vec::new()), page(domain_choices(&["example.org".to_owned()], String::new(), "example.org"))]
        });
    }

    #[test]
    fn who_types_the_whole_address_means_it() {
        let form =
            |local: &str| NewForm { local: local.to_owned(), domain: "b.example".to_owned(), ..NewForm::default() };
        assert_eq!(form(" a ").address(), "a@b.example");
        assert_eq!(form("a@c.example").address(), "a@c.example");
        assert_eq!(form("/a@?/").address(), "/a@?/@b.example");
    }
}
