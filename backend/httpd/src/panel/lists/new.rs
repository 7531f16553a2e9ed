//! Adding a mailing list.

use askama::Template;
use axum::extract::State;
use relais_service::{Failure, NewList, Text};
use serde::Deserialize;

use super::{members_path, poster_choices, posters_named};
use crate::kit::{Admin, Choice, Complaints, Form, Frame, Oops, Routes, again, done, shown};
use crate::panel::addresses::split;
use crate::panel::people::{domain_choices, domains, whole_address};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::LIST_NEW, form).post(path::LIST_NEW, create)
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    form: NewForm,
    domains: Vec<Choice>,
    posters: Vec<Choice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewForm {
    local: String,
    domain: String,
    title: String,
    posters: String,
    is_open: String,
    /// One a line, or with commas between them.
    owners: String,
}

async fn new_page(admin: &Admin, web: &Web, form: NewForm, complaints: Complaints) -> Result<NewPage, Failure> {
    let names = domains(web, &admin.actor).await?;
    let frame = admin.frame(web);
    let (domains, posters) =
        (domain_choices(&names, String::new(), &form.domain), poster_choices(&frame, &form.posters));
    Ok(NewPage { frame, complaints, form, domains, posters })
}

async fn form(admin: Admin, State(web): State<Web>) -> Oops {
    let form = NewForm { owners: admin.actor.name.clone(), ..NewForm::default() };
    Ok(shown(&new_page(&admin, &web, form, Complaints::default()).await?))
}

async fn create(admin: Admin, State(web): State<Web>, Form(form): Form<NewForm>) -> Oops {
    let new = NewList {
        address: whole_address(&form.local, &form.domain),
        title: form.title.clone(),
        posters: posters_named(&form.posters),
        is_open: !form.is_open.is_empty(),
        owners: split(&form.owners),
    };
    match web.service().lists.create(&admin.actor, new).await {
        Ok(list) => {
            let there = members_path(&list.address);
            Ok(done(&there, Text::new("mlist-added").with("address", list.address)))
        }
        Err(failure) => {
            let complaints = Complaints::of(&admin.frame(&web), failure)?;
            Ok(again(&new_page(&admin, &web, form, complaints).await?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn the_form_is_drawn() {
        draw(|frame| {
            let domains = domain_choices(&["example.org".to_owned()], String::new(), "");
            let posters = poster_choices(&frame, "");
            vec![NewPage { complaints: Complaints::default(), form: NewForm::default(), domains, posters, frame }]
        });
    }
}
