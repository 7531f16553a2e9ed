//! One mailing list: what is said of it, which posts wait; changed and removed.

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{Failure, HeldPostView, ListChange, ListRight, ListView, ListsWanted, Role, Rows, Text};
use serde::Deserialize;

use super::{name_of, one_path, poster_choices, posters_named, who};
use crate::kit::{Admin, Choice, Complaints, Form, Frame, Oops, Person, Routes, Time, again, done, shown, typed};
use crate::panel::question::{QuestionPage, VersionForm};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::LIST, show)
        .post(path::LIST, change)
        .get(path::LIST_REMOVE, remove_form)
        .post(path::LIST_REMOVE, remove)
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/one.html")]
struct OnePage {
    frame: Frame,
    complaints: Complaints,
    /// The list of lists that they come from.
    up: &'static str,
    up_title: String,
    here: String,
    address: String,
    lead: String,
    members: String,
    /// Where one writes for what.
    ways: Vec<(String, String)>,
    form: ChangeForm,
    posters: Vec<Choice>,
    held: Vec<Held>,
    may_run: bool,
    may_manage: bool,
}

#[derive(Debug)]
struct Held {
    id: String,
    href: String,
    author: String,
    subject: String,
    since: Time,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeForm {
    version: String,
    title: String,
    posters: String,
    is_open: String,
    prefix: String,
    /// In KiB; empty where it is not asked for.
    size: String,
}

impl OnePage {
    fn of(frame: Frame, list: &ListView, (role, right): (Role, ListRight), held: &Rows<HeldPostView>) -> Self {
        let (name, title) = name_of(list.posters);
        let here = one_path(&list.address);
        let (up, up_title) = match role {
            Role::User => (path::OWN_LISTS_RUN, "own-lists-run"),
            Role::HelpDesk | Role::DomainAdmin | Role::Owner => (path::LISTS, "lists-title"),
        };
        Self {
            complaints: Complaints::default(),
            up,
            up_title: frame.say(up_title),
            address: list.address.clone(),
            lead: frame.say(title),
            members: frame.number(list.members),
            ways: ways(&frame, list),
            posters: poster_choices(&frame, name),
            form: ChangeForm::of(list, name),
            held: held.rows.iter().map(|post| Held::of(&frame, &here, post)).collect(),
            may_run: right >= ListRight::Run,
            may_manage: right >= ListRight::Manage,
            here,
            frame,
        }
    }
}

/// Where one writes for what: what for, and the address.
fn ways(frame: &Frame, list: &ListView) -> Vec<(String, String)> {
    let way = |suffix: &str, id| (frame.say(id), list.address.replacen('@', &format!("{suffix}@"), 1));
    let mut ways = vec![way("-owner", "mlist-way-owner"), way("-unsubscribe", "mlist-way-leave")];
    if list.is_open {
        ways.push(way("-subscribe", "mlist-way-join"));
    }
    ways
}

impl Held {
    fn of(frame: &Frame, here: &str, post: &HeldPostView) -> Self {
        Self {
            id: post.id.clone(),
            href: path::of(&format!("{here}/posts"), &post.id),
            author: post.author.clone(),
            subject: post.subject.clone(),
            since: frame.time(post.held_at.0),
        }
    }
}

impl ChangeForm {
    /// As the list is; `posters` as forms name it.
    fn of(list: &ListView, posters: &str) -> Self {
        Self {
            version: list.version.clone(),
            title: list.title.clone(),
            posters: posters.to_owned(),
            is_open: if list.is_open { "on".to_owned() } else { String::new() },
            prefix: list.prefix.clone(),
            size: (list.max_octets / 1024).to_string(),
        }
    }
}

/// All that may wait for an owner, on one page.
fn all_posts() -> ListsWanted {
    ListsWanted { limit: Some(100), ..ListsWanted::default() }
}

async fn one_page(person: &Person, web: &Web, address: &str) -> Result<OnePage, Failure> {
    let (lists, actor) = (&web.service().lists, who(person));
    let (found, right) = (lists.show(&actor, address).await?, lists.right(&actor, address).await?);
    let held = lists.posts(&actor, address, &all_posts()).await?;
    Ok(OnePage::of(person.frame(web), &found, (actor.role, right), &held))
}

async fn show(person: Person, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    Ok(shown(&one_page(&person, &web, &address).await?))
}

async fn change(
    person: Person,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Oops {
    let lists = &web.service().lists;
    let change = ListChange {
        title: Some(form.title.clone()),
        posters: Some(posters_named(&form.posters)),
        is_open: Some(!form.is_open.is_empty()),
        // What is no number is no size that fits; a form that doesn't ask leaves it as it is.
        max_octets: typed(&form.size).map(|size| size.parse::<u64>().unwrap_or(0).saturating_mul(1024)),
        prefix: Some(form.prefix.clone()),
    };
    match lists.change(&who(&person), &address, change, Some(&form.version)).await {
        Ok(list) => Ok(done(&one_path(&list.address), Text::new("saved"))),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            let page = one_page(&person, &web, &address).await?;
            let posters = poster_choices(&page.frame, &form.posters);
            Ok(again(&OnePage { complaints, form, posters, ..page }))
        }
    }
}

fn ask_to_remove(frame: Frame, list: ListView) -> QuestionPage {
    let back = one_path(&list.address);
    QuestionPage {
        title: frame.tell(&Text::new("mlist-remove-title").with("address", list.address.as_str())),
        text: frame.say("mlist-remove-text"),
        goes: vec![frame.count("mlist-members-go", list.members)],
        action: format!("{back}/remove"),
        act: frame.say("mlist-remove"),
        back,
        kind: "danger",
        version: list.version,
        frame,
    }
}

async fn remove_form(admin: Admin, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let list = web.service().lists.show(&admin.actor, &address).await?;
    Ok(shown(&ask_to_remove(admin.frame(&web), list)))
}

async fn remove(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<VersionForm>,
) -> Oops {
    web.service().lists.remove(&admin.actor, &address, Some(&form.version)).await?;
    Ok(done(path::LISTS, Text::new("mlist-removed").with("address", address)))
}

#[cfg(test)]
mod tests {
    use relais_service::ListPosters;

    use super::super::samples::{AT, rows, sample};
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn one_is_drawn_with_its_posts() {
        let post = || HeldPostView {
            id: "1f".to_owned(),
            author: "ann@example.org".to_owned(),
            subject: "A <question>".to_owned(),
            held_at: AT.into(),
        };
        draw(|frame| {
            let page =
                |posters, role, right, held| OnePage::of(frame.clone(), &sample(posters), (role, right), &rows(held));
            vec![
                page(ListPosters::Moderated, Role::DomainAdmin, ListRight::Manage, vec![post()]),
                page(ListPosters::Moderated, Role::User, ListRight::Run, vec![post()]),
                page(ListPosters::Members, Role::HelpDesk, ListRight::See, Vec::new()),
            ]
        });
        draw(|frame| vec![ask_to_remove(frame, sample(ListPosters::Anyone))]);
    }
}
