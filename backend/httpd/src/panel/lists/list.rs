//! All mailing lists.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{ListView, Role, Rows};

use super::{name_of, one_path, wanted};
use crate::kit::{Desk, Frame, ListQuery, Oops, Pager, Routes, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::LISTS, list)
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/list.html")]
struct ListPage {
    frame: Frame,
    query: ListQuery,
    is_admin: bool,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    href: String,
    address: String,
    title: String,
    posters: String,
    members: String,
    /// Posts that wait; empty for none.
    held: String,
}

impl ListPage {
    fn of(frame: Frame, query: ListQuery, role: Role, found: &Rows<ListView>) -> Self {
        let row = |list: &ListView| Row {
            href: one_path(&list.address),
            address: list.address.clone(),
            title: list.title.clone(),
            posters: frame.say(name_of(list.posters).1),
            members: frame.number(list.members),
            held: if list.held == 0 { String::new() } else { frame.count("mlist-held-count", list.held) },
        };
        Self {
            is_admin: role >= Role::DomainAdmin,
            rows: found.rows.iter().map(row).collect(),
            pager: Pager::below(&frame, path::LISTS, found, &query),
            query,
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    let found = web.service().lists.list(&desk.actor, &wanted(&query)).await?;
    Ok(shown(&ListPage::of(desk.frame(&web), query, desk.actor.role, &found)))
}

#[cfg(test)]
mod tests {
    use super::super::POSTERS;
    use super::super::samples::{rows, sample};
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn lists_are_drawn() {
        let all = || POSTERS.map(|(posters, _, _)| sample(posters)).into();
        draw(|frame| {
            let page = |q: &str, role, found| {
                let query = ListQuery { q: q.to_owned(), ..ListQuery::default() };
                ListPage::of(frame.clone(), query, role, &rows(found))
            };
            vec![page("", Role::Owner, all()), page("", Role::HelpDesk, Vec::new()), page("x", Role::Owner, Vec::new())]
        });
    }
}
