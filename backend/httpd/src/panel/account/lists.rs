//! The mailing lists that one is on, and those that one looks after; leaving one. What happens on a list that one looks after stands at the
//! list's own pages.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{OwnListView, OwnListsWanted, Rows, Text};

use crate::kit::{Form, Frame, ListQuery, Oops, Pager, Person, Routes, done, shown};
use crate::panel::question::{QuestionPage, VersionForm};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::OWN_LISTS, on)
        .get(path::OWN_LISTS_RUN, run)
        .get(path::OWN_LIST_LEAVE, leave_form)
        .post(path::OWN_LIST_LEAVE, leave)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/lists.html")]
struct ListsPage {
    frame: Frame,
    tab: &'static str,
    here: &'static str,
    /// Those alone that they look after.
    is_run: bool,
    query: ListQuery,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    /// The list's own page; empty for who doesn't look after it.
    href: String,
    /// Where one leaves it.
    leave: String,
    address: String,
    title: String,
    /// How many are on it; empty for who doesn't look after it.
    members: String,
    /// Posts that wait; empty for none.
    held: String,
}

impl Row {
    fn of(frame: &Frame, list: &OwnListView) -> Self {
        let held = list.held.filter(|held| *held > 0);
        Self {
            href: if list.is_owner { path::of(path::LISTS, &list.address) } else { String::new() },
            leave: leave_path(&list.address),
            address: list.address.clone(),
            title: list.title.clone(),
            members: list.members.map(|members| frame.number(members)).unwrap_or_default(),
            held: held.map(|held| frame.count("mlist-held-count", held)).unwrap_or_default(),
        }
    }
}

impl ListsPage {
    fn of(frame: Frame, query: ListQuery, is_run: bool, found: &Rows<OwnListView>) -> Self {
        let here = if is_run { path::OWN_LISTS_RUN } else { path::OWN_LISTS };
        Self {
            tab: "lists",
            here,
            is_run,
            rows: found.rows.iter().map(|list| Row::of(&frame, list)).collect(),
            pager: Pager::below(&frame, here, found, &query),
            query,
            frame,
        }
    }
}

fn leave_path(list: &str) -> String {
    format!("{}/leave", path::of(path::OWN_LISTS, list))
}

async fn page(person: &Person, web: &Web, query: ListQuery, is_run: bool) -> Oops {
    let (search, after) = (query.words(), Some(query.after.clone()));
    let wanted = OwnListsWanted { is_owner: is_run, search, after, limit: None };
    let found = web.service().lists.own(&person.actor, &wanted).await?;
    Ok(shown(&ListsPage::of(person.frame(web), query, is_run, &found)))
}

async fn on(person: Person, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    page(&person, &web, query, false).await
}

async fn run(person: Person, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    page(&person, &web, query, true).await
}

fn ask_to_leave(frame: Frame, list: &str, is_owner: bool) -> QuestionPage {
    QuestionPage {
        title: frame.tell(&Text::new("own-list-leave-title").with("address", list)),
        text: frame.say("own-list-leave-text"),
        goes: if is_owner { vec![frame.say("own-list-leave-owner")] } else { Vec::new() },
        action: leave_path(list),
        act: frame.say("own-list-leave"),
        back: path::OWN_LISTS.to_owned(),
        kind: "danger",
        version: String::new(),
        frame,
    }
}

async fn leave_form(person: Person, State(web): State<Web>, Path(list): Path<String>) -> Oops {
    let is_owner = web.service().lists.is_owned(&person.actor, &list).await?;
    Ok(shown(&ask_to_leave(person.frame(&web), &list, is_owner)))
}

async fn leave(
    person: Person,
    State(web): State<Web>,
    Path(list): Path<String>,
    Form(VersionForm { .. }): Form<VersionForm>,
) -> Oops {
    web.service().lists.leave_own(&person.actor, &list).await?;
    Ok(done(path::OWN_LISTS, Text::new("own-list-left").with("address", list)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn own_lists_are_drawn() {
        let list = |is_owner: bool, held: u64| OwnListView {
            address: "team@example.org".to_owned(),
            title: "The <team>".to_owned(),
            is_owner,
            members: is_owner.then_some(1200),
            held: is_owner.then_some(held),
        };
        draw(|frame| {
            let page = |q: &str, is_run, rows| {
                let query = ListQuery { q: q.to_owned(), ..ListQuery::default() };
                ListsPage::of(frame.clone(), query, is_run, &Rows { rows, next: None })
            };
            vec![
                page("", false, vec![list(true, 3), list(true, 0), list(false, 0)]),
                page("", false, Vec::new()),
                page("", true, Vec::new()),
                page("x", true, Vec::new()),
            ]
        });
        draw(|frame| [true, false].map(|is_owner| ask_to_leave(frame.clone(), "team@example.org", is_owner)).into());
    }
}
