//! Addresses elsewhere that mail is refused for, since other hosts refused them as nobody.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{Rows, SuppressedView, SuppressedWanted, Text};
use serde::Deserialize;

use crate::kit::{Form, Frame, ListQuery, Oops, Owner, Pager, Routes, Time, done, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::SUPPRESSED, list).post(path::SUPPRESSED_REMOVE, remove)
}

#[derive(Debug, Template)]
#[template(path = "panel/holds/suppressed.html")]
struct ListPage {
    frame: Frame,
    query: ListQuery,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    address: String,
    refusals: String,
    since: Time,
    until: Time,
    remote: String,
    reply: String,
}

impl ListPage {
    fn of(frame: Frame, query: ListQuery, found: Rows<SuppressedView>) -> Self {
        let row = |found: SuppressedView| Row {
            refusals: frame.number(found.refusals),
            since: frame.time(found.since.0),
            until: frame.time(found.until.0),
            address: found.address,
            remote: found.remote,
            reply: found.reply,
        };
        let pager = Pager::below(&frame, path::SUPPRESSED, &found, &query);
        let rows = found.rows.into_iter().map(row).collect();
        Self { frame, query, rows, pager }
    }
}

async fn list(owner: Owner, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    let paging = query.paging();
    let wanted = SuppressedWanted { search: query.words(), after: paging.after, limit: Some(paging.limit) };
    let found = web.service().suppressed(&owner.actor, &wanted).await?;
    Ok(shown(&ListPage::of(owner.frame(&web), query, found)))
}

#[derive(Debug, Deserialize)]
struct AddressForm {
    #[serde(default)]
    address: String,
}

async fn remove(owner: Owner, State(web): State<Web>, Form(form): Form<AddressForm>) -> Oops {
    web.service().remove_suppressed(&owner.actor, &form.address).await?;
    Ok(done(path::SUPPRESSED, Text::new("suppression-removed").with("address", form.address)))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::Moment;

    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn the_list_is_drawn() {
        let at = |minutes: i64| Moment(Timestamp::from_millis(1_795_428_000_000 + minutes * 60_000));
        draw(|frame: Frame| {
            let row = |address: &str, remote: &str| SuppressedView {
                address: address.to_owned(),
                since: at(-3000),
                until: at(9000),
                refusals: 2,
                last_at: at(-3000),
                remote: remote.to_owned(),
                reply: "550 5.1.1 <nobody> No such user".to_owned(),
            };
            let rows = vec![row("nobody@else.example", "mx.else.example"), row("x@nowhere.example", "")];
            let query = |q: &str| ListQuery { q: q.to_owned(), ..ListQuery::default() };
            vec![
                ListPage::of(frame.clone(), query(""), Rows { rows, next: Some("x".to_owned()) }),
                ListPage::of(frame.clone(), query(""), Rows { rows: Vec::new(), next: None }),
                ListPage::of(frame, query("ann"), Rows { rows: Vec::new(), next: None }),
            ]
        });
    }
}
