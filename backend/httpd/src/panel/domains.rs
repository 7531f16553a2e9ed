//! Domains: the list, one with its settings and other names, adding, disabling, removing with grace.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    DomainChange, DomainGoing, DomainSort, DomainView, DomainsWanted, Failure, NewDomain, Role, Rows, Text,
};
use serde::{Deserialize, Serialize};

use super::activity::done_undoably;
use super::dns::Summary;
use super::question::{QuestionPage, VersionForm};
use super::sign_in::Nothing;
use crate::kit::{
    Admin, Complaints, Desk, Form, Frame, Oops, Owner, Pager, Routes, SortHead, Time, Typed, again, done, order, shown,
    typed,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::DOMAINS, list)
        .get(path::DOMAIN_NEW, new_form)
        .post(path::DOMAIN_NEW, create)
        .get(path::DOMAIN, show)
        .post(path::DOMAIN, change)
        .get(path::DOMAIN_DISABLE, disable_form)
        .post(path::DOMAIN_DISABLE, disable)
        .post(path::DOMAIN_ENABLE, enable)
        .get(path::DOMAIN_REMOVE, remove_form)
        .post(path::DOMAIN_REMOVE, remove)
        .post(path::DOMAIN_RESTORE, restore)
        .post(path::DOMAIN_NAMES, add_name)
        .get(path::DOMAIN_NAME_REMOVE, remove_name_form)
        .post(path::DOMAIN_NAME_REMOVE, remove_name)
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct DomainsQuery {
    #[serde(skip_serializing_if = "String::is_empty")]
    q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sort: String,
    /// `1`: those that are removed.
    #[serde(skip_serializing_if = "String::is_empty")]
    removed: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    after: String,
}

impl DomainsQuery {
    fn wanted(&self) -> DomainsWanted {
        let (column, falls) = order(&self.sort);
        let (sort, reversed) = match column {
            "people" => (DomainSort::People, !falls),
            "size" => (DomainSort::Size, !falls),
            _ => (DomainSort::Name, falls),
        };
        let removed = !self.removed.is_empty();
        DomainsWanted { search: typed(&self.q), sort, reversed, removed, after: typed(&self.after), limit: None }
    }

    fn sorted(&self, sort: String) -> Self {
        Self { sort, after: String::new(), ..self.clone() }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/domains/list.html")]
struct ListPage {
    frame: Frame,
    query: DomainsQuery,
    is_removed: bool,
    /// Owners add, remove and restore.
    is_owner: bool,
    name: SortHead,
    people: SortHead,
    size: SortHead,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    /// Its page; of a removed one, what its acts begin with.
    href: String,
    name: String,
    description: String,
    is_disabled: bool,
    people: String,
    addresses: String,
    size: String,
    /// Since when it is removed, and until when it can be restored.
    removed: Option<(Time, Time)>,
}

impl Row {
    fn of(frame: &Frame, domain: &DomainView) -> Self {
        let times = domain.removed_at.zip(domain.purged_at);
        Self {
            href: path::of(path::DOMAINS, &domain.ascii),
            name: domain.domain.clone(),
            description: domain.description.clone(),
            is_disabled: domain.is_disabled,
            people: frame.number(domain.people),
            addresses: frame.number(domain.aliases),
            size: frame.size(domain.used_octets),
            removed: times.map(|(removed, purged)| (frame.time(removed.0), frame.time(purged.0))),
        }
    }
}

impl ListPage {
    fn of(frame: Frame, role: Role, query: DomainsQuery, found: &Rows<DomainView>) -> Self {
        let with = |after| DomainsQuery { after, ..query.clone() };
        let is_first = query.after.is_empty();
        Self {
            is_removed: !query.removed.is_empty(),
            is_owner: role == Role::Owner,
            name: SortHead::of(path::DOMAINS, "name", or(&query.sort, "name"), |sort| query.sorted(sort)),
            people: SortHead::falling(path::DOMAINS, "people", &query.sort, |sort| query.sorted(sort)),
            size: SortHead::falling(path::DOMAINS, "size", &query.sort, |sort| query.sorted(sort)),
            rows: found.rows.iter().map(|domain| Row::of(&frame, domain)).collect(),
            pager: Pager::of(&frame, path::DOMAINS, found.rows.len(), found.next.as_deref(), is_first, with),
            query,
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(query): Query<DomainsQuery>) -> Oops {
    let found = web.service().domains.list(&desk.actor, &query.wanted()).await?;
    Ok(shown(&ListPage::of(desk.frame(&web), desk.actor.role, query, &found)))
}

/// The list's own order where nothing else is asked for.
fn or<'a>(sort: &'a str, own: &'a str) -> &'a str {
    if sort.is_empty() { own } else { sort }
}

#[derive(Debug, Template)]
#[template(path = "panel/domains/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    form: NewForm,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewForm {
    domain: String,
    description: String,
    tenant: String,
}

async fn new_form(owner: Owner, State(web): State<Web>) -> Oops {
    Ok(shown(&NewPage { frame: owner.frame(&web), complaints: Complaints::default(), form: NewForm::default() }))
}

async fn create(owner: Owner, State(web): State<Web>, Form(form): Form<NewForm>) -> Oops {
    let NewForm { domain, description, tenant } = form.clone();
    let new = NewDomain { domain, description, tenant, ..NewDomain::default() };
    match web.service().domains.create(&owner.actor, new).await {
        Ok(domain) => {
            let text = Text::new("domains-added").with("domain", domain.domain);
            Ok(done(&path::of(path::DOMAINS, &domain.ascii), text))
        }
        Err(failure) => {
            let frame = owner.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&NewPage { frame, complaints, form }))
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/domains/domain.html")]
struct DomainPage {
    frame: Frame,
    complaints: Complaints,
    /// The path of this page.
    here: String,
    name: String,
    /// As the DNS has it; empty where it is the same.
    ascii: String,
    is_disabled: bool,
    people: String,
    people_href: String,
    aliases: String,
    addresses_href: String,
    size: String,
    messages: String,
    created: Time,
    form: DomainForm,
    /// What no field says: `2 GB`, or that there is no limit.
    quota: String,
    other_names: Vec<OtherName>,
    /// What was typed as another name.
    other_name: String,
    is_admin: bool,
    is_owner: bool,
    /// How its DNS stands, for who may see it.
    dns: Option<Summary>,
}

#[derive(Debug)]
struct OtherName {
    name: String,
    remove: String,
}

/// What the settings' form sends; only owners' forms have what is `Option` here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DomainForm {
    version: String,
    description: String,
    catch_all: String,
    postmaster: String,
    default_quota: String,
    quota: Option<String>,
    quota_messages: Option<String>,
    max_people: Option<String>,
    tenant: Option<String>,
}

impl DomainForm {
    fn of(frame: &Frame, domain: &DomainView) -> Self {
        Self {
            version: domain.version.clone(),
            description: domain.description.clone(),
            catch_all: domain.catch_all.clone().unwrap_or_default(),
            postmaster: domain.postmaster.clone().unwrap_or_default(),
            default_quota: frame.typed_size(domain.default_quota_octets),
            quota: Some(frame.typed_size(domain.quota_octets)),
            quota_messages: Some(domain.quota_messages.map(|most| most.to_string()).unwrap_or_default()),
            max_people: Some(domain.max_people.map(|most| most.to_string()).unwrap_or_default()),
            tenant: Some(domain.tenant.clone()),
        }
    }

    fn change(&self) -> Result<DomainChange, Failure> {
        let mut read = Typed::default();
        let change = DomainChange {
            description: Some(self.description.clone()),
            catch_all: Some(typed(&self.catch_all)),
            postmaster: Some(typed(&self.postmaster)),
            default_quota_octets: Some(read.size("default_quota", &self.default_quota)),
            quota_octets: self.quota.as_deref().map(|most| read.size("quota", most)),
            quota_messages: self.quota_messages.as_deref().map(|most| read.count("quota_messages", most)),
            max_people: self.max_people.as_deref().map(|most| read.count("max_people", most)),
            tenant: self.tenant.clone(),
            is_disabled: None,
        };
        read.end().map(|()| change)
    }
}

impl DomainPage {
    fn of(frame: Frame, domain: &DomainView, role: Role) -> Self {
        let here = path::of(path::DOMAINS, &domain.ascii);
        let of_it = |list: &str| format!("{list}?{}", crate::kit::query(&[("domain", &domain.ascii)]));
        let names = domain.other_names.iter().map(|name| OtherName {
            remove: format!("{}/remove", path::of(&format!("{here}/names"), name)),
            name: name.clone(),
        });
        Self {
            complaints: Complaints::default(),
            name: domain.domain.clone(),
            ascii: if domain.ascii == domain.domain { String::new() } else { domain.ascii.clone() },
            is_disabled: domain.is_disabled,
            people: frame.number(domain.people),
            people_href: of_it(path::PEOPLE),
            aliases: frame.number(domain.aliases),
            addresses_href: of_it(path::ADDRESSES),
            size: frame.size(domain.used_octets),
            messages: frame.count("count-messages", domain.used_messages),
            created: frame.time(domain.created_at.0),
            form: DomainForm::of(&frame, domain),
            quota: domain.default_quota_octets.map_or_else(|| frame.say("limit-none"), |octets| frame.size(octets)),
            other_names: names.collect(),
            other_name: String::new(),
            is_admin: role >= Role::DomainAdmin,
            is_owner: role == Role::Owner,
            dns: None,
            here,
            frame,
        }
    }
}

async fn show(desk: Desk, State(web): State<Web>, Path(name): Path<String>) -> Oops {
    let domain = web.service().domains.show(&desk.actor, &name).await?;
    let page = DomainPage::of(desk.frame(&web), &domain, desk.actor.role);
    if desk.actor.role < Role::DomainAdmin {
        return Ok(shown(&page));
    }
    // A line beside other things: where it can't be had, they are shown without it.
    let report = web.service().dns.show(&desk.actor, &name).await.ok();
    let dns = report.map(|report| Summary::of(&page.frame, &report));
    Ok(shown(&DomainPage { dns, ..page }))
}

async fn change(admin: Admin, State(web): State<Web>, Path(name): Path<String>, Form(form): Form<DomainForm>) -> Oops {
    let domains = &web.service().domains;
    let outcome = match form.change() {
        Ok(change) => domains.change(&admin.actor, &name, change, Some(&form.version)).await,
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(domain) => {
            let here = path::of(path::DOMAINS, &domain.ascii);
            Ok(done_undoably(&web, &admin.actor, &here, Text::new("saved"), &domain.domain).await)
        }
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let domain = domains.show(&admin.actor, &name).await?;
            Ok(again(&DomainPage { complaints, form, ..DomainPage::of(frame, &domain, admin.actor.role) }))
        }
    }
}

fn ask_to_disable(frame: Frame, domain: DomainView) -> QuestionPage {
    let back = path::of(path::DOMAINS, &domain.ascii);
    QuestionPage {
        title: frame.tell(&Text::new("domain-disable-title").with("domain", domain.domain)),
        text: frame.say("domain-disable-text"),
        goes: vec![
            frame.count("domain-disable-people", domain.people),
            frame.count("domain-disable-aliases", domain.aliases),
        ],
        action: format!("{back}/disable"),
        act: frame.say("domain-disable"),
        back,
        kind: "danger",
        version: domain.version,
        frame,
    }
}

fn ask_to_remove(frame: Frame, domain: DomainView, going: &DomainGoing) -> QuestionPage {
    let back = path::of(path::DOMAINS, &domain.ascii);
    let until = frame.time(going.purged_at.0).words;
    let messages = Text::new("domain-goes-messages").with("count", going.messages);
    QuestionPage {
        title: frame.tell(&Text::new("domain-remove-title").with("domain", domain.domain)),
        text: frame.tell(&Text::new("domain-remove-text").with("until", until)),
        goes: vec![
            frame.count("domain-goes-people", going.people),
            frame.tell(&messages.with("size", frame.size(going.octets))),
            frame.count("domain-goes-aliases", going.aliases),
            frame.count("domain-goes-names", going.other_names),
        ],
        action: format!("{back}/remove"),
        act: frame.say("domain-remove"),
        back,
        kind: "danger",
        version: domain.version,
        frame,
    }
}

fn ask_to_remove_name(frame: Frame, domain: DomainView, other: &str) -> QuestionPage {
    let back = path::of(path::DOMAINS, &domain.ascii);
    QuestionPage {
        title: frame.tell(&Text::new("domain-name-remove-title").with("domain", other)),
        text: frame.tell(&Text::new("domain-name-remove-text").with("domain", domain.domain)),
        goes: Vec::new(),
        action: format!("{}/remove", path::of(&format!("{back}/names"), other)),
        act: frame.say("domain-name-remove"),
        back,
        kind: "danger",
        version: String::new(),
        frame,
    }
}

async fn disable_form(owner: Owner, State(web): State<Web>, Path(name): Path<String>) -> Oops {
    let domain = web.service().domains.show(&owner.actor, &name).await?;
    Ok(shown(&ask_to_disable(owner.frame(&web), domain)))
}

async fn disable(
    owner: Owner,
    State(web): State<Web>,
    Path(name): Path<String>,
    Form(form): Form<VersionForm>,
) -> Oops {
    set_disabled(&owner, &web, &name, true, form.version(), "domain-disabled").await
}

async fn enable(
    owner: Owner,
    State(web): State<Web>,
    Path(name): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    set_disabled(&owner, &web, &name, false, None, "domain-enabled").await
}

async fn set_disabled(
    owner: &Owner,
    web: &Web,
    name: &str,
    is_disabled: bool,
    version: Option<&str>,
    said: &'static str,
) -> Oops {
    let change = DomainChange { is_disabled: Some(is_disabled), ..DomainChange::default() };
    let domain = web.service().domains.change(&owner.actor, name, change, version).await?;
    let text = Text::new(said).with("domain", domain.domain.as_str());
    Ok(done_undoably(web, &owner.actor, &path::of(path::DOMAINS, &domain.ascii), text, &domain.domain).await)
}

async fn remove_form(owner: Owner, State(web): State<Web>, Path(name): Path<String>) -> Oops {
    // Asked before the question, so that nobody answers it twice.
    owner.actor.require_proof()?;
    let domains = &web.service().domains;
    let (domain, going) = (domains.show(&owner.actor, &name).await?, domains.going(&owner.actor, &name).await?);
    Ok(shown(&ask_to_remove(owner.frame(&web), domain, &going)))
}

async fn remove(owner: Owner, State(web): State<Web>, Path(name): Path<String>, Form(form): Form<VersionForm>) -> Oops {
    let domains = &web.service().domains;
    let domain = domains.show(&owner.actor, &name).await?.domain;
    domains.remove(&owner.actor, &name, form.version()).await?;
    let text = Text::new("domain-removed").with("domain", domain.as_str());
    Ok(done_undoably(&web, &owner.actor, path::DOMAINS, text, &domain).await)
}

async fn restore(
    owner: Owner,
    State(web): State<Web>,
    Path(name): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let domain = web.service().domains.restore(&owner.actor, &name).await?;
    let text = Text::new("domain-restored").with("domain", domain.domain);
    Ok(done(&path::of(path::DOMAINS, &domain.ascii), text))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NameForm {
    domain: String,
}

async fn add_name(owner: Owner, State(web): State<Web>, Path(name): Path<String>, Form(form): Form<NameForm>) -> Oops {
    let domains = &web.service().domains;
    match domains.add_other_name(&owner.actor, &name, &form.domain).await {
        Ok(domain) => {
            let here = path::of(path::DOMAINS, &domain.ascii);
            let text = Text::new("domain-name-added").with("domain", form.domain.trim());
            Ok(done_undoably(&web, &owner.actor, &here, text, &form.domain).await)
        }
        Err(failure) => {
            let frame = owner.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let domain = domains.show(&owner.actor, &name).await?;
            let page = DomainPage::of(frame, &domain, owner.actor.role);
            Ok(again(&DomainPage { complaints, other_name: form.domain, ..page }))
        }
    }
}

async fn remove_name_form(owner: Owner, State(web): State<Web>, Path((name, other)): Path<(String, String)>) -> Oops {
    let domain = web.service().domains.show(&owner.actor, &name).await?;
    Ok(shown(&ask_to_remove_name(owner.frame(&web), domain, &other)))
}

async fn remove_name(
    owner: Owner,
    State(web): State<Web>,
    Path((name, other)): Path<(String, String)>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let domain = web.service().domains.remove_other_name(&owner.actor, &name, &other).await?;
    let text = Text::new("domain-name-removed").with("domain", other.as_str());
    Ok(done_undoably(&web, &owner.actor, &path::of(path::DOMAINS, &domain.ascii), text, &other).await)
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;

    use super::*;
    use crate::kit::samples::draw;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn domain() -> DomainView {
        DomainView {
            domain: "bücher.example".to_owned(),
            ascii: "xn--bcher-kva.example".to_owned(),
            description: "The bookshop <in the market>".to_owned(),
            tenant: "Bücher & Co.".to_owned(),
            catch_all: Some("ann@bücher.example".to_owned()),
            postmaster: None,
            default_quota_octets: Some(2_500_000_000),
            quota_octets: Some(50_000_000_000),
            quota_messages: None,
            max_people: Some(20),
            is_disabled: false,
            other_names: vec!["buecher.example".to_owned()],
            people: 12,
            aliases: 1,
            used_octets: 1_250_000_000,
            used_messages: 41_200,
            created_at: NOW.into(),
            removed_at: None,
            purged_at: None,
            version: "7".to_owned(),
        }
    }

    fn found(rows: Vec<DomainView>) -> Rows<DomainView> {
        Rows { next: (!rows.is_empty()).then(|| "next".to_owned()), rows }
    }

    #[test]
    fn lists_are_drawn() {
        draw(|frame| {
            let removed = DomainView { removed_at: Some(NOW.into()), purged_at: Some(NOW.into()), ..domain() };
            let disabled = DomainView { is_disabled: true, ..domain() };
            let query = |q: &str, removed: &str| DomainsQuery {
                q: q.to_owned(),
                removed: removed.to_owned(),
                sort: "-people".to_owned(),
                ..DomainsQuery::default()
            };
            let page = |query, rows| ListPage::of(frame.clone(), Role::Owner, query, &found(rows));
            vec![
                page(query("", ""), vec![domain(), disabled]),
                page(query("", ""), Vec::new()),
                page(query("nothing", ""), Vec::new()),
                page(query("", "1"), vec![removed]),
                page(query("", "1"), Vec::new()),
                ListPage::of(frame.clone(), Role::HelpDesk, query("", ""), &found(vec![domain()])),
            ]
        });
    }

    #[test]
    fn one_domain_is_drawn() {
        draw(|frame| {
            let complaint = Failure::unfit("domain", Text::new("failure-domain-form").with("text", "a b"));
            let complaints = Complaints::of(&frame, complaint).unwrap();
            let page = |domain: &DomainView, role| DomainPage::of(frame.clone(), domain, role);
            vec![
                page(&domain(), Role::HelpDesk),
                page(&domain(), Role::DomainAdmin),
                page(&DomainView { is_disabled: true, ..domain() }, Role::Owner),
                DomainPage { complaints, other_name: "a b".to_owned(), ..page(&domain(), Role::Owner) },
            ]
        });
        draw(|frame| {
            let form = NewForm { domain: "\"><script>".to_owned(), ..NewForm::default() };
            vec![NewPage { frame, complaints: Complaints::default(), form }]
        });
    }

    #[test]
    fn questions_name_what_goes() {
        let going = DomainGoing {
            domain: "bücher.example".to_owned(),
            messages: 412,
            octets: 1_000_000,
            people: 1,
            aliases: 0,
            other_names: 2,
            purged_at: NOW.plus(std::time::Duration::from_hours(720)).into(),
        };
        draw(|frame| {
            vec![
                ask_to_disable(frame.clone(), domain()),
                ask_to_remove(frame.clone(), domain(), &going),
                ask_to_remove_name(frame, domain(), "buecher.example"),
            ]
        });
        let frame = Frame::sample(relais_words::Language::English, Role::Owner);
        let page = ask_to_remove(frame, domain(), &going);
        assert_eq!(page.goes, ["1 person", "412 messages, 1 MB", "No aliases", "2 other names"]);
        assert_eq!(page.action, "/panel/domains/xn--bcher-kva.example/remove");
        assert!(page.text.contains("in 30 days"), "{}", page.text);
    }
}
