//! Addresses: all of them in one list; aliases and forwards added, changed, removed; and where an address leads.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    AddressKind, AddressSort, AddressView, AddressesWanted, AliasChange, AliasSenders, AliasView, Failure, Leads,
    Moment, NewAlias, PatternTrial, PatternTried, Resolved, ResolvedStep, Role, Rows, Text,
};
use serde::{Deserialize, Serialize};

use super::activity::{begin, day, done_undoably};
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
const KINDS: [(AddressKind, &str, &str); 7] = [
    (AddressKind::Person, "person", "address-kind-person"),
    (AddressKind::Alias, "alias", "address-kind-alias"),
    (AddressKind::Forward, "forward", "address-kind-forward"),
    (AddressKind::CatchAll, "catch_all", "address-kind-catch-all"),
    (AddressKind::DomainAlias, "domain_alias", "address-kind-domain-alias"),
    (AddressKind::Wildcard, "wildcard", "address-kind-wildcard"),
    (AddressKind::Expression, "expression", "address-kind-expression"),
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
        const SHOWN: usize = 3;
        let href = match address.kind {
            AddressKind::Person => path::of(path::PEOPLE, &address.address),
            AddressKind::Alias | AddressKind::Forward | AddressKind::Wildcard | AddressKind::Expression => {
                path::of(path::ADDRESSES, &address.address)
            }
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
            ends: address.ends_at.map(|end| frame.time(end.0)),
            note: address.note.clone(),
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

/// What is said of an alias, as it is typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Terms {
    /// One a line, or with commas between them.
    targets: String,
    senders: String,
    /// As the targets.
    sender_people: String,
    turn: String,
    /// The last day; empty: it doesn't end.
    ends: String,
    note: String,
    ended_text: String,
}

/// Those who may send, as the form names them.
const SENDERS: [(AliasSenders, &str, &str); 3] = [
    (AliasSenders::Targets, "targets", "alias-senders-targets"),
    (AliasSenders::People, "people", "alias-senders-people"),
    (AliasSenders::Nobody, "nobody", "alias-senders-nobody"),
];

impl Terms {
    fn of(alias: &AliasView) -> Self {
        let named = SENDERS.iter().find(|(known, _, _)| *known == alias.senders);
        Self {
            targets: alias.address.targets.join("\n"),
            senders: named.map_or("targets", |(_, name, _)| name).to_owned(),
            sender_people: alias.sender_people.join("\n"),
            turn: alias.turn.to_string(),
            ends: alias.address.ends_at.map(last_day).unwrap_or_default(),
            note: alias.address.note.clone(),
            ended_text: alias.ended_text.clone(),
        }
    }

    fn senders(&self) -> Option<AliasSenders> {
        SENDERS.iter().find(|(_, name, _)| *name == self.senders).map(|(known, _, _)| *known)
    }

    fn turn(&self) -> Result<u32, Failure> {
        let typed = self.turn.trim();
        if typed.is_empty() {
            return Ok(0);
        }
        typed.parse().map_err(|_| Failure::unfit("turn", Text::new("alias-turn-number")))
    }

    /// The end of the last day.
    fn ends(&self) -> Result<Option<Moment>, Failure> {
        let typed = self.ends.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let end = day(typed).and_then(|day| begin(day.tomorrow().ok()?));
        end.map(Some).ok_or_else(|| Failure::unfit("ends_at", Text::new("alias-ends-day")))
    }

    fn choices(&self, frame: &Frame) -> Vec<Choice> {
        SENDERS.map(|(_, name, title)| Choice::new(name, frame.say(title), &self.senders)).into()
    }
}

/// The last day on which an alias takes mail (UTC).
fn last_day(end: Moment) -> String {
    let before = Moment(relais_model::Timestamp::from_millis(end.0.millis().saturating_sub(1)));
    before.to_string().chars().take(10).collect()
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

pub(super) fn split(targets: &str) -> Vec<String> {
    targets.split(['\n', ',', ';']).map(str::trim).filter(|target| !target.is_empty()).map(str::to_owned).collect()
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

async fn new_form(admin: Admin, State(web): State<Web>, Query(form): Query<NewForm>) -> Oops {
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
        Err(failure) => {
            let complaints = Complaints::of(&admin.frame(&web), failure)?;
            Ok(again(&NewPage { complaints, ..new_page(&admin, &web, typed).await? }))
        }
    }
}

async fn add(admin: &Admin, web: &Web, typed: &NewTyped) -> Result<AliasView, Failure> {
    let terms = &typed.terms;
    let new = NewAlias {
        address: typed.form.address(),
        targets: split(&terms.targets),
        senders: terms.senders(),
        sender_people: split(&terms.sender_people),
        turn: terms.turn()?,
        ends_at: terms.ends()?,
        note: terms.note.clone(),
        ended_text: terms.ended_text.clone(),
    };
    web.service().addresses.create(&admin.actor, new).await
}

async fn try_pattern(admin: Admin, web: Web, typed: NewTyped) -> Oops {
    let trial = PatternTrial { address: typed.form.address(), sample: typed.form.sample.clone() };
    let frame = admin.frame(&web);
    match web.service().addresses.try_pattern(&admin.actor, &trial).await {
        Ok(tried) => {
            let said = told(&tried);
            let tried = Some((said.0, frame.say(said.1)));
            Ok(shown(&NewPage { tried, ..new_page(&admin, &web, typed).await? }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&NewPage { complaints, ..new_page(&admin, &web, typed).await? }))
        }
    }
}

/// Colour and sentence of what a pattern says of a sample.
const fn told(tried: &PatternTried) -> (&'static str, &'static str) {
    match (tried.fits, tried.is_free) {
        (true, true) => ("ok", "alias-sample-fits"),
        (true, false) => ("warn", "alias-sample-taken"),
        (false, _) => ("bad", "alias-sample-other"),
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
    version: String,
    terms: Terms,
    senders: Vec<Choice>,
    /// Only regular expressions have a turn.
    is_expression: bool,
    targets: Vec<String>,
    /// Who may send as it, in a sentence.
    sending: String,
    has_ended: bool,
    ends: Option<Time>,
    kept: Option<Time>,
    created: Time,
    is_admin: bool,
}

/// What is typed into an alias's page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeTyped {
    version: String,
    #[serde(flatten)]
    terms: Terms,
}

impl AliasPage {
    fn of(frame: Frame, alias: &AliasView, role: Role) -> Self {
        let terms = Terms::of(alias);
        let title = SENDERS.iter().find(|(known, _, _)| *known == alias.senders).map_or("", |(_, _, title)| title);
        let mut sending = frame.say(title);
        if !alias.sender_people.is_empty() {
            sending = format!("{sending} {}", alias.sender_people.join(", "));
        }
        Self {
            complaints: Complaints::default(),
            here: path::of(path::ADDRESSES, &alias.address.address),
            address: alias.address.address.clone(),
            kind: frame.say(kind_title(alias.address.kind)),
            version: alias.address.version.clone(),
            senders: terms.choices(&frame),
            terms,
            is_expression: alias.address.kind == AddressKind::Expression,
            targets: alias.address.targets.clone(),
            sending,
            has_ended: alias.address.is_suspended,
            ends: alias.address.ends_at.map(|end| frame.time(end.0)),
            kept: alias.address.kept_until.map(|end| frame.time(end.0)),
            created: frame.time(alias.address.created_at.0),
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
    Form(typed): Form<ChangeTyped>,
) -> Oops {
    match put(&admin, &web, &address, &typed).await {
        Ok(alias) => {
            let here = path::of(path::ADDRESSES, &alias.address.address);
            Ok(done_undoably(&web, &admin.actor, &here, Text::new("saved"), &alias.address.address).await)
        }
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let alias = web.service().addresses.show(&admin.actor, &address).await?;
            let page = AliasPage::of(frame, &alias, admin.actor.role);
            let senders = typed.terms.choices(&page.frame);
            Ok(again(&AliasPage { complaints, version: typed.version, terms: typed.terms, senders, ..page }))
        }
    }
}

async fn put(admin: &Admin, web: &Web, address: &str, typed: &ChangeTyped) -> Result<AliasView, Failure> {
    let (addresses, terms) = (&web.service().addresses, &typed.terms);
    let present = addresses.show(&admin.actor, address).await?;
    // Who doesn't touch the day leaves the hour alone, too.
    let is_moved = terms.ends.trim() != present.address.ends_at.map(last_day).unwrap_or_default();
    let change = AliasChange {
        targets: Some(split(&terms.targets)),
        senders: terms.senders(),
        sender_people: Some(split(&terms.sender_people)),
        turn: Some(terms.turn()?),
        ends_at: if is_moved { Some(terms.ends()?) } else { None },
        note: Some(terms.note.clone()),
        ended_text: Some(terms.ended_text.clone()),
    };
    addresses.change(&admin.actor, address, change, Some(&typed.version)).await
}

fn ask_to_remove(frame: Frame, alias: AliasView) -> QuestionPage {
    let alias = alias.address;
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
    let address = addresses.show(&admin.actor, &address).await?.address.address;
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
        let all: Vec<&str> =
            resolved.mailboxes.iter().chain(&resolved.lists).chain(&resolved.elsewhere).map(String::as_str).collect();
        let reaches = Text::new("try-reaches").with("count", all.len()).with("addresses", all.join(", "));
        let (kind, verdict) =
            match (resolved.mailboxes.is_empty() && resolved.lists.is_empty(), resolved.elsewhere.is_empty()) {
                (true, true) => ("bad", frame.say("try-reaches-nobody")),
                (true, false) if resolved.steps.len() == 1 => ("info", frame.say("try-elsewhere")),
                _ => ("ok", frame.tell(&reaches)),
            };
        let step = |step: &ResolvedStep| {
            let (kind, symbol, id) = found(step.leads);
            let detail = step.detail.as_ref().map(|detail| Text::new("try-detail").with("detail", detail.as_str()));
            let through = step.through.as_ref().map(|name| Text::new("try-through").with("name", name.as_str()));
            let says =
                [Some(frame.say(id)), detail.map(|text| frame.tell(&text)), through.map(|text| frame.tell(&text))];
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
        Leads::Pattern => ("", "addresses", "try-pattern"),
        Leads::Ended => ("bad", "pause", "try-ended"),
        Leads::List => ("", "list", "try-list"),
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

    const AT: relais_model::Timestamp = relais_model::Timestamp::from_millis(1_795_000_000_000);

    fn address(kind: AddressKind, targets: &[&str]) -> AddressView {
        AddressView {
            kind,
            address: "sales@example.org".to_owned(),
            domain: "example.org".to_owned(),
            targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            name: "Ann Lee".to_owned(),
            is_suspended: kind == AddressKind::Person,
            ends_at: (kind == AddressKind::Forward).then_some(AT.into()),
            kept_until: (kind == AddressKind::Forward).then_some(AT.into()),
            note: "for the fair".to_owned(),
            created_at: AT.into(),
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
        let alias = || AliasView {
            address: address(AddressKind::Forward, &["a@b.example"]),
            senders: AliasSenders::People,
            sender_people: vec!["ann@example.org".to_owned()],
            turn: 7,
            ended_text: "The fair is over".to_owned(),
        };
        draw(|frame| {
            vec![
                AliasPage::of(frame.clone(), &alias(), Role::HelpDesk),
                AliasPage::of(frame, &alias(), Role::DomainAdmin),
            ]
        });
        draw(|frame| vec![ask_to_remove(frame, alias())]);
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
    fn each_step_of_the_way_is_drawn() {
        let all = [
            Leads::Mailbox,
            Leads::Suspended,
            Leads::Alias,
            Leads::Pattern,
            Leads::Ended,
            Leads::List,
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
            through: Some("sales-*@example.org".to_owned()),
        };
        draw(|frame| {
            let page = |mailboxes: &[&str], elsewhere: &[&str]| {
                let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
                let resolved = Resolved {
                    address: "sales+x@example.org".to_owned(),
                    steps: all.map(step).into(),
                    mailboxes: named(mailboxes),
                    elsewhere: named(elsewhere),
                    lists: Vec::new(),
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
        assert_eq!(form("/a@?/").address(), "/a@?/@b.example");
    }

    #[test]
    fn an_alias_takes_mail_until_its_last_day_is_over() {
        let typed = |ends: &str| Terms { ends: ends.to_owned(), ..Terms::default() };
        let end = typed("2026-11-27").ends().unwrap().unwrap();
        assert_eq!((end.to_string().as_str(), last_day(end).as_str()), ("2026-11-28T00:00:00Z", "2026-11-27"));
        assert_eq!(typed(" ").ends().unwrap(), None);
        assert!(typed("soon").ends().is_err());
    }
}
