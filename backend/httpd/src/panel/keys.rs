//! API keys: one's own (owners see everybody's), made and shown once, revoked.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_model::Timestamp;
use relais_service::{ApiKeyForm, ApiKeyRow, Failure, Group, Role, Rows, Scope, Scopes, Text};
use serde::{Deserialize, Serialize};

use super::people::role_title;
use super::question::QuestionPage;
use super::sign_in::Nothing;
use crate::kit::{Choice, Complaints, Desk, Form, Frame, Oops, Pager, Routes, Time, again, done, shown, typed};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::KEYS, list)
        .get(path::KEY_NEW, new_form)
        .post(path::KEY_NEW, create)
        .get(path::KEY_REVOKE, revoke_form)
        .post(path::KEY_REVOKE, revoke)
}

/// For how many days a key can be made; 0: for good.
const LIFETIMES: [u64; 5] = [30, 90, 365, 730, 0];
const USUAL_LIFETIME: u64 = 365;
const DAY: std::time::Duration = std::time::Duration::from_hours(24);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct KeysQuery {
    /// `1`: everybody's.
    #[serde(skip_serializing_if = "String::is_empty")]
    all: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    after: String,
}

#[derive(Debug, Template)]
#[template(path = "panel/keys/list.html")]
struct ListPage {
    frame: Frame,
    is_owner: bool,
    is_all: bool,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    name: String,
    owner: String,
    role: String,
    scopes: String,
    used: Option<(Time, String)>,
    expires: Option<Time>,
    is_expired: bool,
    revoke: String,
}

impl Row {
    fn of(frame: &Frame, key: &ApiKeyRow, now: Timestamp) -> Self {
        Self {
            name: key.name.clone(),
            owner: key.owner.to_string(),
            role: role_title(frame, key.role),
            scopes: key.scopes.iter().map(|scope| scope_title(frame, scope)).collect::<Vec<_>>().join(", "),
            used: key.last_used.as_ref().map(|(at, from)| (frame.time(*at), from.clone())),
            expires: key.expires_at.map(|at| frame.time(at)),
            is_expired: key.expires_at.is_some_and(|at| at <= now),
            revoke: format!("{}/revoke", path::of(path::KEYS, &key.id)),
        }
    }
}

fn scope_title(frame: &Frame, scope: Scope) -> String {
    match scope {
        Scope::All => frame.say("key-scope-all"),
        Scope::Read(group) => frame.tell(&Text::new("key-scope-read").with("group", group_title(frame, group))),
        Scope::Write(group) => frame.tell(&Text::new("key-scope-write").with("group", group_title(frame, group))),
    }
}

fn group_title(frame: &Frame, group: Group) -> String {
    frame.say(&format!("nav-{}", group.as_str()))
}

impl ListPage {
    fn of(frame: Frame, is_owner: bool, query: &KeysQuery, found: &Rows<ApiKeyRow>, now: Timestamp) -> Self {
        let with = |after| KeysQuery { after, ..query.clone() };
        let is_first = query.after.is_empty();
        Self {
            is_owner,
            is_all: is_owner && !query.all.is_empty(),
            rows: found.rows.iter().map(|key| Row::of(&frame, key, now)).collect(),
            pager: Pager::of(&frame, path::KEYS, found.rows.len(), found.next.as_deref(), is_first, with),
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(query): Query<KeysQuery>) -> Oops {
    let is_owner = desk.actor.role == Role::Owner;
    let is_all = is_owner && !query.all.is_empty();
    let found = web.access().api_keys(&desk.actor, is_all, typed(&query.after).as_deref(), None).await?;
    Ok(shown(&ListPage::of(desk.frame(&web), is_owner, &query, &found, web.now())))
}

#[derive(Debug, Template)]
#[template(path = "panel/keys/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    name: String,
    roles: Vec<Choice>,
    has_all: bool,
    groups: Vec<GroupChoice>,
    lifetimes: Vec<Choice>,
}

/// What may be looked at, and what may be changed.
#[derive(Debug)]
struct GroupChoice {
    title: String,
    read: Choice,
    write: Choice,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct KeyForm {
    name: String,
    role: String,
    scopes: Vec<String>,
    /// In days; 0: for good.
    lifetime: String,
}

fn page(frame: Frame, most: Role, form: &KeyForm, complaints: Complaints) -> NewPage {
    let role = if form.role.is_empty() { most.as_str() } else { &form.role };
    let roles = Role::ALL.into_iter().filter(|role| *role <= most);
    let days = form.lifetime.parse().unwrap_or(USUAL_LIFETIME);
    let lifetime = |lifetime: u64| Choice {
        value: lifetime.to_string(),
        title: if lifetime == 0 { frame.say("key-for-good") } else { frame.count("key-for-days", lifetime) },
        is_chosen: lifetime == days,
    };
    let scope = |scope: Scope, title: &str| Choice {
        is_chosen: form.scopes.iter().any(|name| *name == scope.to_string()),
        value: scope.to_string(),
        title: frame.say(title),
    };
    let group = |group: Group| GroupChoice {
        title: group_title(&frame, group),
        read: scope(Scope::Read(group), "key-read"),
        write: scope(Scope::Write(group), "key-write"),
    };
    NewPage {
        complaints,
        name: form.name.clone(),
        roles: roles.map(|one| Choice::new(one.as_str(), role_title(&frame, one), role)).collect(),
        has_all: form.scopes.iter().any(|name| name == "*"),
        groups: Group::ALL.map(group).into(),
        lifetimes: LIFETIMES.map(lifetime).into(),
        frame,
    }
}

async fn new_form(desk: Desk, State(web): State<Web>) -> Oops {
    // Asked before anything is typed, which would be lost on the way.
    desk.actor.require_proof()?;
    Ok(shown(&page(desk.frame(&web), desk.actor.role, &KeyForm::default(), Complaints::default())))
}

/// A key, shown once.
#[derive(Debug, Template)]
#[template(path = "panel/keys/made.html")]
struct MadePage {
    frame: Frame,
    name: String,
    key: String,
    /// A call that works.
    example: String,
}

async fn create(desk: Desk, State(web): State<Web>, Form(form): Form<KeyForm>) -> Oops {
    let outcome = match wanted(&web, &form) {
        Ok(wanted) => web.access().create_api_key(&desk.actor, None, wanted).await,
        Err(failure) => Err(failure),
    };
    let frame = desk.frame(&web);
    match outcome {
        Ok(key) => {
            let origin = web.origin();
            let example = format!("curl -H \"Authorization: Bearer {}\" {origin}/api/v1/domains", key.expose());
            Ok(shown(&MadePage { frame, name: form.name, key: key.expose().to_owned(), example }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&page(frame, desk.actor.role, &form, complaints)))
        }
    }
}

fn wanted(web: &Web, form: &KeyForm) -> Result<ApiKeyForm, Failure> {
    let lifetime = form.lifetime.parse().ok().filter(|days| LIFETIMES.contains(days)).unwrap_or(USUAL_LIFETIME);
    let days = u32::try_from(lifetime).unwrap_or(0);
    Ok(ApiKeyForm {
        name: form.name.clone(),
        role: Role::parse(&form.role).unwrap_or_default(),
        scopes: Scopes::parse(form.scopes.iter().map(String::as_str))?,
        expires_at: (days > 0).then(|| web.now().plus(DAY * days)),
    })
}

fn ask_to_revoke(frame: Frame, key: &ApiKeyRow) -> QuestionPage {
    let used = match &key.last_used {
        Some((at, from)) => Text::new("key-goes-used").with("when", frame.time(*at).words).with("from", from.as_str()),
        None => Text::new("key-goes-unused"),
    };
    let owner = Text::new("key-goes-owner").with("owner", key.owner.to_string());
    QuestionPage {
        title: frame.tell(&Text::new("key-revoke-title").with("name", key.name.as_str())),
        text: frame.say("key-revoke-text"),
        goes: vec![frame.tell(&owner), frame.tell(&used)],
        action: format!("{}/revoke", path::of(path::KEYS, &key.id)),
        act: frame.say("key-revoke"),
        back: path::KEYS.to_owned(),
        kind: "danger",
        version: String::new(),
        frame,
    }
}

async fn revoke_form(desk: Desk, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    let key = find(&desk, &web, &id).await?;
    Ok(shown(&ask_to_revoke(desk.frame(&web), &key)))
}

/// Among those that the asker may revoke.
async fn find(desk: &Desk, web: &Web, id: &str) -> Result<ApiKeyRow, Failure> {
    let is_all = desk.actor.role == Role::Owner;
    let mut after = None;
    loop {
        let found = web.access().api_keys(&desk.actor, is_all, after.as_deref(), None).await?;
        if let Some(key) = found.rows.into_iter().find(|key| key.id == id) {
            return Ok(key);
        }
        if found.next.is_none() {
            return Err(Failure::Absent(Text::new("api-key-absent")));
        }
        after = found.next;
    }
}

async fn revoke(desk: Desk, State(web): State<Web>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Oops {
    web.access().revoke_api_key(&desk.actor, &id).await?;
    Ok(done(path::KEYS, Text::new("key-revoked")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::samples::draw;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn key() -> ApiKeyRow {
        ApiKeyRow {
            id: "k7".to_owned(),
            owner: relais_model::Address::parse("ann@example.org").unwrap(),
            name: "backup <script>".to_owned(),
            role: Role::HelpDesk,
            scopes: Scopes::parse(["people:read", "queue:write", "*"]).unwrap(),
            created_at: NOW,
            expires_at: Some(NOW),
            last_used: Some((NOW, "192.0.2.7".to_owned())),
        }
    }

    #[test]
    fn keys_are_drawn() {
        draw(|frame| {
            let page = |is_owner, all: &str, rows| {
                let query = KeysQuery { all: all.to_owned(), ..KeysQuery::default() };
                ListPage::of(frame.clone(), is_owner, &query, &Rows { rows, next: None }, NOW)
            };
            let endless = ApiKeyRow { expires_at: None, last_used: None, ..key() };
            vec![page(true, "1", vec![key(), endless]), page(false, "1", vec![key()]), page(false, "", Vec::new())]
        });
        draw(|frame| vec![ask_to_revoke(frame, &key())]);
    }

    #[test]
    fn making_one_is_drawn() {
        draw(|frame| {
            let refused = Failure::unfit("scopes", Text::new("api-key-no-scopes"));
            let complaints = Complaints::of(&frame, refused).unwrap();
            let form =
                KeyForm { scopes: vec!["queue:read".to_owned()], lifetime: "0".to_owned(), ..KeyForm::default() };
            vec![page(frame, Role::DomainAdmin, &form, complaints)]
        });
        draw(|frame| {
            let (key, example) = ("relais_abc".to_owned(), "curl".to_owned());
            vec![MadePage { frame, name: "backup".to_owned(), key, example }]
        });
    }

    #[test]
    fn what_was_chosen_stays_chosen() {
        let frame = Frame::sample(relais_words::Language::English, Role::Owner);
        let form = KeyForm { scopes: vec!["queue:write".to_owned()], ..KeyForm::default() };
        let page = page(frame, Role::DomainAdmin, &form, Complaints::default());
        let chosen: Vec<_> =
            page.groups.iter().filter(|group| group.write.is_chosen).map(|group| group.title.as_str()).collect();
        assert_eq!(chosen, ["Queue"]);
        let roles: Vec<_> = page.roles.iter().map(|role| (role.value.as_str(), role.is_chosen)).collect();
        assert_eq!(roles, [("user", false), ("help_desk", false), ("domain_admin", true)]);
        let lifetime = page.lifetimes.iter().find(|lifetime| lifetime.is_chosen).unwrap();
        assert_eq!(lifetime.title, "365 days");
    }
}
