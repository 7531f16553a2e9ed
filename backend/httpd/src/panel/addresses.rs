//! Addresses: all of them in one list; aliases and forwards added, changed, removed; and where an address leads.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    AddressKind, AddressSort, AddressView, AddressesWanted, AliasChange, Leads, NewAlias, Resolved, ResolvedStep, Role,
    Rows, Text,
};
use serde::{Deserialize, Serialize};

use super::activity::done_undoably;
use super::people::{domain_choices, domains};
use super::question::{QuestionPage, VersionForm};
use crate::kit::{
    Admin, Choice, Complaints, Desk, Form, Frame, Oops, Pager, Routes, SortHead, Time, again, order, shown, typed,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::ADDRESSES, list)
        .get(path::ADDRESS_NEW, new_form)
        .post(path::ADDRESS_NEW, create)
        .get(path::ADDRESS_TRY, resolve)
        .get(path::ADDRESS, edit_form)
        .post(path::ADDRESS, change)
        .get(path::ADDRESS_REMOVE, remove_form)
        .post(path::ADDRESS_REMOVE, remove)
}

/// The kinds, as the query names them, with their titles.
const KINDS: [(AddressKind, &str, &str); 5] = [
    (AddressKind::Person, "person", "address-kind-person"),
    (AddressKind::Alias, "alias", "address-kind-alias"),
    (AddressKind::Forward, "forward", "address-kind-forward"),
    (AddressKind::CatchAll, "catch_all", "address-kind-catch-all"),
    (AddressKind::DomainAlias, "domain_alias", "address-kind-domain-alias"),
];

fn kind_title(kind: AddressKind) -> &'static str {
    KINDS.iter().find(|(known, _, _)| *known == kind).map_or("address-kind-alias", |(_, _, title)| title)
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
    /// Where it leads, or whose it is.
    leads: Vec<String>,
    more_leads: String,
    created: Time,
}

impl Row {
    fn of(frame: &Frame, address: &AddressView) -> Self {
        const SHOWN: usize = 3;
        let href = match address.kind {
            AddressKind::Person => path::of(path::PEOPLE, &address.address),
            AddressKind::Alias | AddressKind::Forward => path::of(path::ADDRESSES, &address.address),
            AddressKind::CatchAll => path::of(path::DOMAINS, &address.domain),
            AddressKind::DomainAlias => {
                let of = address.targets.first().map_or(address.domain.as_str(), String::as_str);
                path::of(path::DOMAINS, of.trim_start_matches("*@"))
            }
        };
        let leads = if address.kind == AddressKind::Person {
            Some(address.name.clone()).filter(|name| !name.is_empty()).into_iter().collect()
        } else {
            address.targets.iter().take(SHOWN).cloned().collect()
        };
        let more = address.targets.len().saturating_sub(SHOWN);
        Self {
            href,
            address: address.address.clone(),
            kind: frame.say(kind_title(address.kind)),
            is_suspended: address.is_suspended,
            leads,
            more_leads: if more == 0 {
                String::new()
            } else {
                frame.count("addresses-more-targets", u64::try_from(more).unwrap_or(u64::MAX))
            },
            created: frame.time(address.created_at.0),
        }
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

#[derive(Debug, Template)]
#[template(path = "panel/addresses/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    form: NewForm,
    domains: Vec<Choice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewForm {
    local: String,
    domain: String,
    /// One a line, or with commas between them.
    targets: String,
}

impl NewForm {
    /// Who types the whole address means it.
    fn address(&self) -> String {
        let local = self.local.trim();
        if local.contains('@') { local.to_owned() } else { format!("{local}@{}", self.domain) }
    }
}

fn split(targets: &str) -> Vec<String> {
    targets.split(['\n', ',', ';']).map(str::trim).filter(|target| !target.is_empty()).map(str::to_owned).collect()
}

async fn new_form(admin: Admin, State(web): State<Web>, Query(form): Query<NewForm>) -> Oops {
    let names = domains(&web, &admin.actor).await?;
    let domains = domain_choices(&names, String::new(), &form.domain);
    Ok(shown(&NewPage { frame: admin.frame(&web), complaints: Complaints::default(), form, domains }))
}

async fn create(admin: Admin, State(web): State<Web>, Form(form): Form<NewForm>) -> Oops {
    let new = NewAlias { address: form.address(), targets: split(&form.targets) };
    match web.service().addresses.create(&admin.actor, new).await {
        Ok(alias) => {
            let text = Text::new("alias-added").with("address", alias.address.as_str());
            Ok(done_undoably(&web, &admin.actor, path::ADDRESSES, text, &alias.address).await)
        }
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let names = domains(&web, &admin.actor).await?;
            let domains = domain_choices(&names, String::new(), &form.domain);
            Ok(again(&NewPage { frame, complaints, form, domains }))
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/addresses/alias.html")]
struct AliasPage {
    frame: Frame,
    complaints: Complaints,
    here: String,
    address: String,
    kind: String,
    form: TargetsForm,
    targets: Vec<String>,
    created: Time,
    is_admin: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TargetsForm {
    version: String,
    targets: String,
}

impl AliasPage {
    fn of(frame: Frame, alias: &AddressView, role: Role) -> Self {
        Self {
            complaints: Complaints::default(),
            here: path::of(path::ADDRESSES, &alias.address),
            address: alias.address.clone(),
            kind: frame.say(kind_title(alias.kind)),
            form: TargetsForm { version: alias.version.clone(), targets: alias.targets.join("\n") },
            targets: alias.targets.clone(),
            created: frame.time(alias.created_at.0),
            is_admin: role >= Role::DomainAdmin,
            frame,
        }
    }
}

async fn edit_form(desk: Desk, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let alias = web.service().addresses.show(&desk.actor, &address).await?;
    Ok(shown(&AliasPage::of(desk.frame(&web), &alias, desk.actor.role)))
}

async fn change(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<TargetsForm>,
) -> Oops {
    let addresses = &web.service().addresses;
    let change = AliasChange { targets: split(&form.targets) };
    match addresses.change(&admin.actor, &address, change, Some(&form.version)).await {
        Ok(alias) => {
            let here = path::of(path::ADDRESSES, &alias.address);
            Ok(done_undoably(&web, &admin.actor, &here, Text::new("saved"), &alias.address).await)
        }
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let alias = addresses.show(&admin.actor, &address).await?;
            Ok(again(&AliasPage { complaints, form, ..AliasPage::of(frame, &alias, admin.actor.role) }))
        }
    }
}

fn ask_to_remove(frame: Frame, alias: AddressView) -> QuestionPage {
    let leads = |target: &String| frame.tell(&Text::new("alias-goes").with("target", target.as_str()));
    let back = path::of(path::ADDRESSES, &alias.address);
    QuestionPage {
        title: frame.tell(&Text::new("alias-remove-title").with("address", alias.address.as_str())),
        text: frame.say("alias-remove-text"),
        goes: alias.targets.iter().map(leads).collect(),
        action: format!("{back}/remove"),
        act: frame.say("alias-remove"),
        back,
        kind: "danger",
        version: alias.version,
        frame,
    }
}

async fn remove_form(admin: Admin, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let alias = web.service().addresses.show(&admin.actor, &address).await?;
    Ok(shown(&ask_to_remove(admin.frame(&web), alias)))
}

async fn remove(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<VersionForm>,
) -> Oops {
    let addresses = &web.service().addresses;
    let address = addresses.show(&admin.actor, &address).await?.address;
    addresses.remove(&admin.actor, &address, Some(&form.version)).await?;
    let text = Text::new("alias-removed").with("address", address.as_str());
    Ok(done_undoably(&web, &admin.actor, path::ADDRESSES, text, &address).await)
}

#[derive(Debug, Template)]
#[template(path = "panel/addresses/try.html")]
struct TryPage {
    frame: Frame,
    complaints: Complaints,
    address: String,
    /// None: nothing was tried yet.
    way: Option<Way>,
}

/// Where an address leads.
#[derive(Debug)]
struct Way {
    kind: &'static str,
    verdict: String,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    kind: &'static str,
    symbol: &'static str,
    address: String,
    /// What is found there.
    says: String,
    /// Where it leads on to; empty where it ends here.
    leads: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TryQuery {
    address: String,
}

async fn resolve(desk: Desk, State(web): State<Web>, Query(query): Query<TryQuery>) -> Oops {
    let frame = desk.frame(&web);
    let address = query.address;
    if address.trim().is_empty() {
        return Ok(shown(&TryPage { frame, complaints: Complaints::default(), address, way: None }));
    }
    match web.service().addresses.resolve(&desk.actor, &address).await {
        Ok(resolved) => {
            let way = Some(Way::of(&frame, &resolved));
            Ok(shown(&TryPage { frame, complaints: Complaints::default(), address, way }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&TryPage { frame, complaints, address, way: None }))
        }
    }
}

impl Way {
    fn of(frame: &Frame, resolved: &Resolved) -> Self {
        let all: Vec<&str> = resolved.mailboxes.iter().chain(&resolved.elsewhere).map(String::as_str).collect();
        let reaches = Text::new("try-reaches").with("count", all.len()).with("addresses", all.join(", "));
        let (kind, verdict) = match (resolved.mailboxes.is_empty(), resolved.elsewhere.is_empty()) {
            (true, true) => ("bad", frame.say("try-reaches-nobody")),
            (true, false) if resolved.steps.len() == 1 => ("info", frame.say("try-elsewhere")),
            _ => ("ok", frame.tell(&reaches)),
        };
        let step = |step: &ResolvedStep| {
            let (kind, symbol, id) = found(step.leads);
            let detail = step.detail.as_ref().map(|detail| Text::new("try-detail").with("detail", detail.as_str()));
            let says = [Some(frame.say(id)), detail.map(|text| frame.tell(&text))];
            Step {
                kind,
                symbol,
                address: step.address.clone(),
                says: says.into_iter().flatten().collect::<Vec<_>>().join(" "),
                leads: if step.targets.is_empty() {
                    String::new()
                } else {
                    frame.tell(&Text::new("try-leads").with("targets", step.targets.join(", ")))
                },
            }
        };
        Self { kind, verdict, steps: resolved.steps.iter().map(step).collect() }
    }
}

/// Colour, icon and sentence of what is found at a step.
const fn found(leads: Leads) -> (&'static str, &'static str, &'static str) {
    match leads {
        Leads::Mailbox => ("ok", "mail", "try-mailbox"),
        Leads::Suspended => ("bad", "pause", "try-suspended"),
        Leads::Alias => ("", "addresses", "try-alias"),
        Leads::CatchAll => ("", "domains", "try-catch-all"),
        Leads::DomainAlias => ("", "domains", "try-domain-alias"),
        Leads::Elsewhere => ("info", "external", "try-other-host"),
        Leads::Nobody => ("bad", "failed", "try-nobody"),
        Leads::Disabled => ("bad", "off", "try-disabled"),
        Leads::Circle => ("warn", "retry", "try-circle"),
        Leads::TooFar => ("bad", "failed", "try-too-far"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::samples::draw;

    fn address(kind: AddressKind, targets: &[&str]) -> AddressView {
        AddressView {
            kind,
            address: "sales@example.org".to_owned(),
            domain: "example.org".to_owned(),
            targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            name: "Ann Lee".to_owned(),
            is_suspended: kind == AddressKind::Person,
            created_at: relais_model::Timestamp::from_millis(1_795_000_000_000).into(),
            version: "1".to_owned(),
        }
    }

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

    #[test]
    fn aliases_are_drawn() {
        let alias = || address(AddressKind::Forward, &["a@b.example"]);
        draw(|frame| {
            vec![
                AliasPage::of(frame.clone(), &alias(), Role::HelpDesk),
                AliasPage::of(frame, &alias(), Role::DomainAdmin),
            ]
        });
        draw(|frame| vec![ask_to_remove(frame, alias())]);
        draw(|frame| {
            let page = |domains| NewPage {
                frame: frame.clone(),
                complaints: Complaints::default(),
                form: NewForm::default(),
                domains,
            };
            vec![page(Vec::new()), page(domain_choices(&["example.org".to_owned()], String::new(), "example.org"))]
        });
    }

    #[test]
    fn each_step_of_the_way_is_drawn() {
        let all = [
            Leads::Mailbox,
            Leads::Suspended,
            Leads::Alias,
            Leads::CatchAll,
            Leads::DomainAlias,
            Leads::Elsewhere,
            Leads::Nobody,
            Leads::Disabled,
            Leads::Circle,
            Leads::TooFar,
        ];
        let step = |leads| ResolvedStep {
            address: "sales+x@example.org".to_owned(),
            depth: 0,
            leads,
            targets: vec!["ann@example.org".to_owned()],
            detail: Some("x".to_owned()),
        };
        draw(|frame| {
            let page = |mailboxes: &[&str], elsewhere: &[&str]| {
                let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
                let resolved = Resolved {
                    address: "sales+x@example.org".to_owned(),
                    steps: all.map(step).into(),
                    mailboxes: named(mailboxes),
                    elsewhere: named(elsewhere),
                };
                TryPage {
                    way: Some(Way::of(&frame, &resolved)),
                    complaints: Complaints::default(),
                    address: resolved.address,
                    frame: frame.clone(),
                }
            };
            vec![page(&[], &[]), page(&["ann@example.org"], &[]), page(&["ann@example.org"], &["x@y.example"])]
        });
    }

    #[test]
    fn targets_are_typed_one_a_line_or_with_commas() {
        assert_eq!(split("a@b.example, c@d.example\r\n\n e@f.example;"), ["a@b.example", "c@d.example", "e@f.example"]);
    }

    #[test]
    fn who_types_the_whole_address_means_it() {
        let form =
            |local: &str| NewForm { local: local.to_owned(), domain: "b.example".to_owned(), ..NewForm::default() };
        assert_eq!(form(" a ").address(), "a@b.example");
        assert_eq!(form("a@c.example").address(), "a@c.example");
    }
}
