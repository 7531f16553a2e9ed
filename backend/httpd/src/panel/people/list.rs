//! The list of people, and acts upon the chosen ones.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use relais_service::{Failure, PeopleWanted, PersonChange, PersonSort, PersonView, Role, Rows, Text};
use serde::{Deserialize, Serialize};

use super::{domain_choices, domains, role_choices, role_title};
use crate::kit::{
    Admin, Choice, Desk, Form, Frame, Oops, Pager, Routes, SortHead, Time, done, order, sentences, shown, typed,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::PEOPLE, list).post(path::PEOPLE_ACTS, act)
}

/// People that one act is done upon, at most: those of a page.
const MOST_CHOSEN: usize = 500;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct PeopleQuery {
    #[serde(skip_serializing_if = "String::is_empty")]
    q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    domain: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    role: String,
    /// `active`, `suspended` or `removed`; empty: all that are here.
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sort: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    after: String,
}

impl PeopleQuery {
    fn wanted(&self) -> PeopleWanted {
        let (column, falls) = order(&self.sort);
        let (sort, reversed) = match column {
            "name" => (PersonSort::Name, falls),
            "used" => (PersonSort::Used, !falls),
            "seen" => (PersonSort::LastSeen, !falls),
            _ => (PersonSort::Address, falls),
        };
        PeopleWanted {
            search: typed(&self.q),
            domain: typed(&self.domain),
            role: Role::parse(&self.role),
            suspended: match self.state.as_str() {
                "suspended" => Some(true),
                "active" => Some(false),
                _ => None,
            },
            removed: self.is_removed(),
            sort,
            reversed,
            after: typed(&self.after),
            limit: None,
        }
    }

    fn is_removed(&self) -> bool {
        self.state == "removed"
    }

    fn is_filtered(&self) -> bool {
        [&self.q, &self.domain, &self.role, &self.state].into_iter().any(|field| !field.is_empty())
    }

    fn sorted(&self, sort: String) -> Self {
        Self { sort, after: String::new(), ..self.clone() }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/people/list.html")]
struct ListPage {
    frame: Frame,
    query: PeopleQuery,
    domains: Vec<Choice>,
    roles: Vec<Choice>,
    states: Vec<Choice>,
    is_filtered: bool,
    is_removed: bool,
    /// Domain admins add and change people.
    is_admin: bool,
    address: SortHead,
    used: SortHead,
    seen: SortHead,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    /// Their page; of a removed one, what their acts begin with.
    href: String,
    /// Their name, or their address where they have none.
    title: String,
    address: String,
    /// Empty for users.
    role: String,
    is_suspended: bool,
    used: String,
    /// Of the quota; none: no limit.
    percent: Option<u64>,
    /// `warn` or `bad` where it is nearly or wholly full.
    fullness: &'static str,
    seen: Option<Time>,
    /// Since when they are removed, and until when they can be restored.
    removed: Option<(Time, Time)>,
}

impl Row {
    fn of(frame: &Frame, person: &PersonView) -> Self {
        let percent = percent(person);
        Self {
            href: path::of(path::PEOPLE, &person.address),
            title: if person.name.is_empty() { person.address.clone() } else { person.name.clone() },
            address: person.address.clone(),
            role: if person.role == Role::User { String::new() } else { role_title(frame, person.role) },
            is_suspended: person.is_suspended,
            used: frame.size(person.used_octets),
            percent,
            fullness: fullness(percent),
            seen: person.last_seen_at.map(|at| frame.time(at.0)),
            removed: person
                .removed_at
                .zip(person.purged_at)
                .map(|(removed, purged)| (frame.time(removed.0), frame.time(purged.0))),
        }
    }
}

/// How much of the quota is used; none: there is no limit.
pub(super) fn percent(person: &PersonView) -> Option<u64> {
    let quota = person.quota_octets?;
    Some(person.used_octets.saturating_mul(100).checked_div(quota).unwrap_or(100).min(100))
}

pub(super) fn fullness(percent: Option<u64>) -> &'static str {
    match percent {
        Some(100..) => "bad",
        Some(90..) => "warn",
        _ => "",
    }
}

impl ListPage {
    fn of(frame: Frame, role: Role, query: PeopleQuery, names: &[String], found: &Rows<PersonView>) -> Self {
        let with = |after| PeopleQuery { after, ..query.clone() };
        let is_first = query.after.is_empty();
        let sort = if query.sort.is_empty() { "address" } else { &query.sort };
        let any_role = Choice::new("", frame.say("people-role-any"), &query.role);
        Self {
            domains: domain_choices(names, frame.say("list-domain-any"), &query.domain),
            roles: std::iter::once(any_role).chain(role_choices(&frame, Role::Owner, &query.role)).collect(),
            states: states(&frame, &query.state),
            is_filtered: query.is_filtered(),
            is_removed: query.is_removed(),
            is_admin: role >= Role::DomainAdmin,
            address: SortHead::of(path::PEOPLE, "address", sort, |sort| query.sorted(sort)),
            used: SortHead::falling(path::PEOPLE, "used", sort, |sort| query.sorted(sort)),
            seen: SortHead::falling(path::PEOPLE, "seen", sort, |sort| query.sorted(sort)),
            rows: found.rows.iter().map(|person| Row::of(&frame, person)).collect(),
            pager: Pager::of(&frame, path::PEOPLE, found.rows.len(), found.next.as_deref(), is_first, with),
            query,
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(query): Query<PeopleQuery>) -> Oops {
    let found = web.service().people.list(&desk.actor, &query.wanted()).await?;
    let names = domains(&web, &desk.actor).await?;
    Ok(shown(&ListPage::of(desk.frame(&web), desk.actor.role, query, &names, &found)))
}

fn states(frame: &Frame, chosen: &str) -> Vec<Choice> {
    let each = [
        ("", "people-state-any"),
        ("active", "people-state-active"),
        ("suspended", "people-state-suspended"),
        ("removed", "people-state-removed"),
    ];
    each.map(|(value, title)| Choice::new(value, frame.say(title), chosen)).into()
}

/// The chosen rows, and what is to be done.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ActsForm {
    act: String,
    person: Vec<String>,
}

/// The question before many are removed, with what goes.
#[derive(Debug, Template)]
#[template(path = "panel/people/remove_many.html")]
struct RemoveManyPage {
    frame: Frame,
    title: String,
    text: String,
    goes: Vec<String>,
    people: Vec<String>,
}

/// What could not be done, person by person.
#[derive(Debug, Template)]
#[template(path = "panel/people/acts.html")]
struct ActsPage {
    frame: Frame,
    done: String,
    refused: Vec<(String, String)>,
}

async fn act(admin: Admin, State(web): State<Web>, Form(mut form): Form<ActsForm>) -> Oops {
    form.person.truncate(MOST_CHOSEN);
    if form.person.is_empty() {
        return Ok(done(path::PEOPLE, Text::new("people-none-chosen")));
    }
    if form.act == "remove" {
        return ask_to_remove(&admin, &web, form.person).await;
    }
    let people = &web.service().people;
    let mut refused = Vec::new();
    let mut count: u64 = 0;
    for address in form.person {
        let outcome = match form.act.as_str() {
            "suspend" => people.change(&admin.actor, &address, suspended(true), None).await.map(drop),
            "resume" => people.change(&admin.actor, &address, suspended(false), None).await.map(drop),
            "remove-now" => people.remove(&admin.actor, &address, None).await,
            _ => Err(Failure::Absent(Text::new("error-no-page"))),
        };
        match outcome {
            Ok(()) => count += 1,
            Err(failure @ (Failure::Unproven | Failure::Failed)) => return Err(failure.into()),
            Err(failure) => refused.push((address, failure)),
        }
    }
    let said = match form.act.as_str() {
        "suspend" => "people-suspended",
        "resume" => "people-resumed",
        _ => "people-removed",
    };
    Ok(outcome(&admin.frame(&web), said, count, &refused))
}

fn outcome(frame: &Frame, said: &'static str, count: u64, refused: &[(String, Failure)]) -> Response {
    if refused.is_empty() {
        return done(path::PEOPLE, Text::new(said).with("count", count));
    }
    let why = |failure: &Failure| sentences(failure).iter().map(|text| frame.tell(text)).collect::<Vec<_>>().join(" ");
    shown(&ActsPage {
        done: frame.count(said, count),
        refused: refused.iter().map(|(address, failure)| (address.clone(), why(failure))).collect(),
        frame: frame.clone(),
    })
}

fn suspended(is_suspended: bool) -> PersonChange {
    PersonChange { is_suspended: Some(is_suspended), ..PersonChange::default() }
}

async fn ask_to_remove(admin: &Admin, web: &Web, people: Vec<String>) -> Oops {
    admin.actor.require_proof()?;
    let frame = admin.frame(web);
    let mut goes = Vec::new();
    let mut until = None;
    for address in &people {
        let going = web.service().people.going(&admin.actor, address).await?;
        let text = Text::new("people-goes-one").with("address", going.address).with("count", going.messages);
        goes.push(frame.tell(&text.with("size", frame.size(going.octets))));
        until = Some(going.purged_at);
    }
    let until = until.map(|at| frame.time(at.0).words).unwrap_or_default();
    Ok(shown(&RemoveManyPage {
        title: frame.count("people-remove-title", u64::try_from(people.len()).unwrap_or(u64::MAX)),
        text: frame.tell(&Text::new("person-remove-text").with("until", until)),
        goes,
        people,
        frame,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::person;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn lists_are_drawn() {
        draw(|frame| {
            let names = vec!["example.org".to_owned()];
            let page = |state: &str, role, rows| {
                let query = PeopleQuery { state: state.to_owned(), ..PeopleQuery::default() };
                ListPage::of(frame.clone(), role, query, &names, &Rows { rows, next: None })
            };
            let at = person().created_at;
            let full = PersonView { quota_octets: Some(0), is_suspended: true, role: Role::Owner, ..person() };
            let removed = PersonView { removed_at: Some(at), purged_at: Some(at), ..person() };
            let nameless = PersonView { name: String::new(), quota_octets: None, last_seen_at: Some(at), ..person() };
            vec![
                page("", Role::Owner, vec![person(), full, nameless]),
                page("", Role::HelpDesk, vec![person()]),
                page("", Role::Owner, Vec::new()),
                page("active", Role::Owner, Vec::new()),
                page("removed", Role::DomainAdmin, vec![removed]),
                page("removed", Role::HelpDesk, Vec::new()),
            ]
        });
    }

    #[test]
    fn what_came_of_acts_is_drawn() {
        draw(|frame| {
            vec![RemoveManyPage {
                title: frame.count("people-remove-title", 2),
                text: String::new(),
                goes: vec!["ann@example.org".to_owned()],
                people: vec!["ann@example.org".to_owned()],
                frame,
            }]
        });
        draw(|frame| {
            let refused = vec![("ann@example.org".to_owned(), frame.say("failure-suspend-self"))];
            vec![ActsPage { done: frame.count("people-suspended", 0), refused, frame }]
        });
    }

    #[test]
    fn a_quota_of_nothing_is_full() {
        let check = |used, quota, expected| {
            let person = PersonView { used_octets: used, quota_octets: quota, ..person() };
            assert_eq!(percent(&person), expected);
        };
        check(5, None, None);
        check(0, Some(0), Some(100));
        check(90, Some(100), Some(90));
        check(u64::MAX, Some(1), Some(100));
    }
}
