//! All addresses, in one list.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{AddressKind, AddressSort, AddressView, AddressesWanted, Role, Rows};
use serde::{Deserialize, Serialize};

use super::{KINDS, kind_title};
use crate::kit::{Choice, Desk, Frame, Oops, Pager, Routes, SortHead, Time, order, shown, typed};
use crate::panel::people::{domain_choices, domains};
use crate::{Web, path};

/// Targets that a row shows.
const SHOWN: usize = 3;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::ADDRESSES, list)
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct AddressesQuery {
    #[serde(skip_serializing_if = "String::is_empty")]
    q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    domain: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sort: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    after: String,
}

impl AddressesQuery {
    fn wanted(&self) -> AddressesWanted {
        let (column, falls) = order(&self.sort);
        let (sort, reversed) = match column {
            "created" => (AddressSort::Created, !falls),
            _ => (AddressSort::Address, falls),
        };
        AddressesWanted {
            search: typed(&self.q),
            domain: typed(&self.domain),
            kind: KINDS.iter().filter(|(_, name, _)| *name == self.kind).map(|(kind, _, _)| *kind).collect(),
            sort,
            reversed,
            after: typed(&self.after),
            limit: None,
        }
    }

    fn is_filtered(&self) -> bool {
        [&self.q, &self.kind, &self.domain].into_iter().any(|field| !field.is_empty())
    }

    fn sorted(&self, sort: String) -> Self {
        Self { sort, after: String::new(), ..self.clone() }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/addresses/list.html")]
struct ListPage {
    frame: Frame,
    query: AddressesQuery,
    kinds: Vec<Choice>,
    domains: Vec<Choice>,
    is_filtered: bool,
    /// Domain admins add and change.
    is_admin: bool,
    address: SortHead,
    created: SortHead,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    /// Where it is changed: its own page, its person's, its domain's.
    href: String,
    address: String,
    kind: String,
    is_suspended: bool,
    /// Of an alias: it takes no mail from then on.
    ends: Option<Time>,
    note: String,
    /// Where it leads, or whose it is.
    leads: Vec<String>,
    more_leads: String,
    created: Time,
}

impl Row {
    fn of(frame: &Frame, address: &AddressView) -> Self {
        let more = address.targets.len().saturating_sub(SHOWN);
        Self {
            href: href(address),
            address: address.address.clone(),
            kind: frame.say(kind_title(address.kind)),
            is_suspended: address.is_suspended,
            ends: address.ends_at.map(|end| frame.time(end.0)),
            note: address.note.clone(),
            leads: leads(address),
            more_leads: if more == 0 {
                String::new()
            } else {
                frame.count("addresses-more-targets", u64::try_from(more).unwrap_or(u64::MAX))
            },
            created: frame.time(address.created_at.0),
        }
    }
}

fn href(address: &AddressView) -> String {
    match address.kind {
        AddressKind::Person => path::of(path::PEOPLE, &address.address),
        AddressKind::Alias | AddressKind::Forward | AddressKind::Wildcard | AddressKind::Expression => {
            path::of(path::ADDRESSES, &address.address)
        }
        AddressKind::CatchAll => path::of(path::DOMAINS, &address.domain),
        AddressKind::DomainAlias => {
            let of = address.targets.first().map_or(address.domain.as_str(), String::as_str);
            path::of(path::DOMAINS, of.trim_start_matches("*@"))
        }
    }
}

fn leads(address: &AddressView) -> Vec<String> {
    if address.kind == AddressKind::Person {
        Some(address.name.clone()).filter(|name| !name.is_empty()).into_iter().collect()
    } else {
        address.targets.iter().take(SHOWN).cloned().collect()
    }
}

impl ListPage {
    fn of(frame: Frame, role: Role, query: AddressesQuery, names: &[String], found: &Rows<AddressView>) -> Self {
        let with = |after| AddressesQuery { after, ..query.clone() };
        let is_first = query.after.is_empty();
        let sort = if query.sort.is_empty() { "address" } else { &query.sort };
        let any_kind = Choice::new("", frame.say("address-kind-any"), &query.kind);
        let each_kind = KINDS.map(|(_, name, title)| Choice::new(name, frame.say(title), &query.kind));
        Self {
            kinds: std::iter::once(any_kind).chain(each_kind).collect(),
            domains: domain_choices(names, frame.say("list-domain-any"), &query.domain),
            is_filtered: query.is_filtered(),
            is_admin: role >= Role::DomainAdmin,
            address: SortHead::of(path::ADDRESSES, "address", sort, |sort| query.sorted(sort)),
            created: SortHead::falling(path::ADDRESSES, "created", sort, |sort| query.sorted(sort)),
            rows: found.rows.iter().map(|address| Row::of(&frame, address)).collect(),
            pager: Pager::of(&frame, path::ADDRESSES, found.rows.len(), found.next.as_deref(), is_first, with),
            query,
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(query): Query<AddressesQuery>) -> Oops {
    let found = web.service().addresses.list(&desk.actor, &query.wanted()).await?;
    let names = domains(&web, &desk.actor).await?;
    Ok(shown(&ListPage::of(desk.frame(&web), desk.actor.role, query, &names, &found)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::address;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn lists_are_drawn() {
        draw(|frame| {
            let targets = ["a@b.example", "c@d.example", "e@f.example", "g@h.example", "i@j.example"];
            let rows = KINDS.map(|(kind, _, _)| address(kind, &targets)).into();
            let page = |q: &str, role, rows| {
                let query = AddressesQuery { q: q.to_owned(), ..AddressesQuery::default() };
                ListPage::of(frame.clone(), role, query, &["example.org".to_owned()], &Rows { rows, next: None })
            };
            vec![
                page("", Role::Owner, rows),
                page("", Role::HelpDesk, Vec::new()),
                page("", Role::Owner, Vec::new()),
                page("x", Role::Owner, Vec::new()),
            ]
        });
    }
}
