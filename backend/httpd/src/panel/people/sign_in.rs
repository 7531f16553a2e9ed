//! How a person signs in: password links, second factor, passkeys, app passwords, sessions, history.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use relais_model::Secret;
use relais_service::{
    Actor, AppPasswordView, Failure, LogInView, OpenSession, PASSWORD_LINK_LASTS, PasskeyRow, PersonView, Role, Rows,
    SecondFactor, Text,
};
use serde::{Deserialize, Serialize};

use super::person::Head;
use crate::kit::{Admin, Desk, Form, Frame, ListQuery, Oops, Pager, Routes, Time, browser_name, done, shown};
use crate::panel::question::QuestionPage;
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::PERSON_SIGN_IN, show)
        .get(path::PERSON_LINK, link_form)
        .post(path::PERSON_LINK, link)
        .get(path::PERSON_SECOND_OFF, second_form)
        .post(path::PERSON_SECOND_OFF, remove_second)
        .get(path::PERSON_METHOD_REMOVE, method_form)
        .post(path::PERSON_METHOD_REMOVE, remove_method)
        .post(path::PERSON_SESSIONS_END, end_sessions)
}

#[derive(Debug, Template)]
#[template(path = "panel/people/sign_in.html")]
struct SignInPage {
    frame: Frame,
    head: Head,
    has_password: bool,
    /// Since when an authenticator is asked for.
    second: Option<Time>,
    recovery_codes: String,
    passkeys: Vec<Method>,
    app_passwords: Vec<Method>,
    sessions: Vec<Session>,
    log_ins: Vec<LogIn>,
    pager: Pager,
    /// Domain admins take methods away; help desk sees them.
    is_admin: bool,
}

/// A passkey or an app password.
#[derive(Debug)]
struct Method {
    name: String,
    /// What it is for.
    scope: String,
    created: Time,
    used: Option<Time>,
    /// The question before it is taken away.
    remove: String,
}

#[derive(Debug)]
struct Session {
    id: String,
    agent: String,
    ip: String,
    created: Time,
    seen: Time,
}

#[derive(Debug)]
struct LogIn {
    is_granted: bool,
    /// Mail or browser, and with which app password.
    way: String,
    ip: String,
    time: Time,
    /// Empty for a single one.
    attempts: String,
}

/// All that the page is made of.
struct Facts {
    person: PersonView,
    second: SecondFactor,
    passkeys: Vec<PasskeyRow>,
    app_passwords: Vec<AppPasswordView>,
    sessions: Vec<OpenSession>,
    log_ins: Rows<LogInView>,
}

impl SignInPage {
    fn of(frame: Frame, desk: (&Actor, &ListQuery), facts: &Facts) -> Self {
        let (actor, query) = desk;
        let head = Head::of(&frame, actor, &facts.person);
        let base = format!("{}/sign-in", head.here);
        let method = |kind: &str, id: &str, name: &str, created, used: Option<_>| Method {
            name: name.to_owned(),
            scope: String::new(),
            created: frame.time(created),
            used: used.map(|at| frame.time(at)),
            remove: format!("{}/remove", path::of(&format!("{base}/{kind}"), id)),
        };
        let passkeys = facts.passkeys.iter();
        let app_passwords = facts.app_passwords.iter();
        Self {
            has_password: facts.person.has_password,
            second: facts.second.since.map(|at| frame.time(at)),
            recovery_codes: frame.count("person-recovery-codes", facts.second.recovery_codes),
            passkeys: passkeys
                .map(|one| method("passkeys", &one.id, &one.name, one.created_at, one.last_used_at))
                .collect(),
            app_passwords: app_passwords
                .map(|one| Method {
                    scope: one.protocols.join(", ").to_uppercase(),
                    ..method("app-passwords", &one.name, &one.name, one.created_at.0, one.last_used_at.map(|at| at.0))
                })
                .collect(),
            sessions: facts.sessions.iter().map(|session| shown_session(&frame, session)).collect(),
            log_ins: facts.log_ins.rows.iter().map(|row| shown_log_in(&frame, row)).collect(),
            pager: Pager::of(
                &frame,
                &base,
                facts.log_ins.rows.len(),
                facts.log_ins.next.as_deref(),
                query.after.is_empty(),
                |after| ListQuery { after, ..ListQuery::default() },
            ),
            is_admin: actor.role >= Role::DomainAdmin,
            head,
            frame,
        }
    }
}

fn shown_session(frame: &Frame, session: &OpenSession) -> Session {
    Session {
        id: session.id.clone(),
        agent: if session.agent.is_empty() {
            frame.say("person-session-unknown")
        } else {
            browser_name(&session.agent)
        },
        ip: session.ip.clone(),
        created: frame.time(session.created_at),
        seen: frame.time(session.seen_at),
    }
}

fn shown_log_in(frame: &Frame, row: &LogInView) -> LogIn {
    let protocol = match row.protocol {
        "web" => frame.say("person-log-in-web"),
        "api" => frame.say("person-log-in-api"),
        other => other.to_uppercase(),
    };
    LogIn {
        is_granted: row.is_granted,
        way: match frame.log_in_with(row) {
            with if with.is_empty() => protocol.clone(),
            with => format!("{protocol} · {with}"),
        },
        ip: row.ip.clone(),
        time: frame.time(row.last_at.0),
        attempts: if row.attempts > 1 { frame.count("person-log-in-attempts", row.attempts) } else { String::new() },
    }
}

async fn show(desk: Desk, State(web): State<Web>, Path(address): Path<String>, Query(query): Query<ListQuery>) -> Oops {
    let (access, actor) = (web.access(), &desk.actor);
    let facts = Facts {
        person: web.service().people.show(actor, &address).await?,
        second: access.second_factor_of(actor, &address).await?,
        passkeys: access.passkeys_of(actor, &address).await?,
        app_passwords: access.app_passwords_of(actor, &address).await?,
        sessions: access.sessions_of(actor, &address).await?,
        log_ins: access.log_ins_of(actor, &address, query.paging()).await?,
    };
    Ok(shown(&SignInPage::of(desk.frame(&web), (actor, &query), &facts)))
}

/// A link for a new password, shown once.
#[derive(Debug, Template)]
#[template(path = "panel/people/link.html")]
struct LinkPage {
    frame: Frame,
    here: String,
    title: String,
    lead: String,
    link: String,
    until: String,
    /// To be sent along with it.
    letter: String,
}

/// The page of a link that was just made; `is_new` where the person was, too.
pub(super) fn link_page(frame: Frame, origin: &str, person: &PersonView, token: &Secret, is_new: bool) -> Response {
    shown(&LinkPage::of(frame, origin, person, token, is_new))
}

impl LinkPage {
    fn of(frame: Frame, origin: &str, person: &PersonView, token: &Secret, is_new: bool) -> Self {
        let link = format!("{origin}{}", path::LINK.replace("{token}", token.expose()));
        let said = |id| frame.tell(&Text::new(id).with("address", person.address.as_str()));
        let letter = Text::new("person-link-letter").with("host", frame.host.as_str());
        Self {
            here: path::of(path::PEOPLE, &person.address),
            title: said(if is_new { "person-added" } else { "person-link-title" }),
            lead: said("person-link-lead"),
            until: frame.count("person-link-until", PASSWORD_LINK_LASTS.as_secs() / 3600),
            letter: frame.tell(&letter.with("link", link.as_str())),
            link,
            frame,
        }
    }
}

async fn link_form(desk: Desk, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let person = web.service().people.show(&desk.actor, &address).await?;
    let frame = desk.frame(&web);
    let back = format!("{}/sign-in", path::of(path::PEOPLE, &person.address));
    Ok(shown(&QuestionPage {
        title: frame.tell(&Text::new("person-link-question").with("address", person.address)),
        text: frame.say("person-link-text"),
        goes: Vec::new(),
        action: format!("{back}/link"),
        act: frame.say("person-link-act"),
        back,
        version: String::new(),
        kind: "primary",
        frame,
    }))
}

async fn link(
    desk: Desk,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let person = web.service().people.show(&desk.actor, &address).await?;
    let token = web.access().password_link(&desk.actor, &person.address).await?;
    Ok(link_page(desk.frame(&web), web.origin(), &person, &token, false))
}

/// The question before a way in is taken away.
fn ask(frame: Frame, address: &str, action: &str, title: &Text, text: &str) -> Response {
    let back = format!("{}/sign-in", path::of(path::PEOPLE, address));
    shown(&QuestionPage {
        title: frame.tell(title),
        text: frame.say(text),
        goes: Vec::new(),
        action: format!("{back}/{action}"),
        act: frame.say("person-method-remove"),
        back,
        version: String::new(),
        kind: "danger",
        frame,
    })
}

async fn second_form(admin: Admin, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    admin.actor.require_proof()?;
    let address = web.service().people.show(&admin.actor, &address).await?.address;
    let title = Text::new("person-second-title").with("address", address.as_str());
    Ok(ask(admin.frame(&web), &address, "second/remove", &title, "person-second-text"))
}

async fn remove_second(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    web.access().remove_second_factor_of(&admin.actor, &address).await?;
    Ok(back(&address, Text::new("person-second-removed").with("address", address.as_str())))
}

fn back(address: &str, text: Text) -> Response {
    done(&format!("{}/sign-in", path::of(path::PEOPLE, address)), text)
}

/// A passkey or an app password of someone.
#[derive(Deserialize)]
struct MethodPath {
    address: String,
    kind: String,
    id: String,
}

async fn method_form(desk: Desk, State(web): State<Web>, Path(of): Path<MethodPath>) -> Oops {
    let (actor, access) = (&desk.actor, web.access());
    let (name, text) = if of.kind == "passkeys" {
        actor.require(Role::DomainAdmin)?;
        actor.require_proof()?;
        let passkeys = access.passkeys_of(actor, &of.address).await?;
        (passkeys.into_iter().find(|one| one.id == of.id).map(|one| one.name), "person-passkey-text")
    } else {
        let app_passwords = access.app_passwords_of(actor, &of.address).await?;
        let found = app_passwords.into_iter().find(|one| one.name == of.id);
        (found.map(|one| one.name), "person-app-password-text")
    };
    let title = Text::new("person-method-title").with("name", name.ok_or_else(no_such_method)?);
    let action = format!("{}/remove", path::of(&of.kind, &of.id));
    Ok(ask(desk.frame(&web), &of.address, &action, &title, text))
}

async fn remove_method(
    desk: Desk,
    State(web): State<Web>,
    Path(of): Path<MethodPath>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    match of.kind.as_str() {
        "passkeys" => web.access().remove_passkey_of(&desk.actor, &of.address, &of.id).await?,
        "app-passwords" => web.access().remove_app_password_of(&desk.actor, &of.address, &of.id).await?,
        _ => return Err(no_such_method().into()),
    }
    Ok(back(&of.address, Text::new("person-method-removed")))
}

fn no_such_method() -> Failure {
    Failure::Absent(Text::new("error-no-page"))
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct SessionForm {
    /// Which; empty: all.
    session: String,
}

async fn end_sessions(
    desk: Desk,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<SessionForm>,
) -> Oops {
    if form.session.is_empty() {
        let count = web.access().end_sessions_of(&desk.actor, &address).await?;
        return Ok(back(&address, Text::new("person-sessions-ended").with("count", count)));
    }
    web.access().end_session_of(&desk.actor, &address, &form.session).await?;
    Ok(back(&address, Text::new("person-sessions-ended").with("count", 1_u64)))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;

    use super::super::tests::person;
    use relais_service::AppPasswordKind;

    use super::*;
    use crate::kit::samples::draw;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn facts() -> Facts {
        let passkey =
            PasskeyRow { id: "k1".to_owned(), name: "Phone".to_owned(), created_at: NOW, last_used_at: Some(NOW) };
        let app_password = AppPasswordView {
            name: "Old/tablet".to_owned(),
            protocols: vec!["imap", "smtp"],
            created_at: NOW.into(),
            last_used_at: None,
            last_used_ip: None,
            last_used_protocol: None,
            kind: AppPasswordKind::Token,
            expires_at: Some(NOW.into()),
        };
        let session = OpenSession {
            id: "k2".to_owned(),
            created_at: NOW,
            seen_at: NOW,
            ip: "192.0.2.7".to_owned(),
            agent: String::new(),
            is_this: false,
        };
        let log_in = |is_granted, protocol, attempts| LogInView {
            first_at: NOW.into(),
            name: "ann".to_owned(),
            is_granted,
            protocol,
            app_password: is_granted.then(|| "Old tablet".to_owned()),
            way: "password",
            ip: "2001:db8::7".to_owned(),
            last_at: NOW.into(),
            attempts,
        };
        Facts {
            person: person(),
            second: SecondFactor { since: Some(NOW), recovery_codes: 1 },
            passkeys: vec![passkey],
            app_passwords: vec![app_password],
            sessions: vec![session],
            log_ins: Rows {
                rows: vec![log_in(true, "imap", 1), log_in(false, "web", 12), log_in(false, "api", 2)],
                next: Some("next".to_owned()),
            },
        }
    }

    #[test]
    fn the_ways_in_are_drawn() {
        let nothing = Facts {
            person: PersonView { has_password: false, ..person() },
            second: SecondFactor { since: None, recovery_codes: 0 },
            passkeys: Vec::new(),
            app_passwords: Vec::new(),
            sessions: Vec::new(),
            log_ins: Rows { rows: Vec::new(), next: None },
        };
        let owner = Actor::command_line();
        let desk = Actor { role: Role::HelpDesk, ..Actor::command_line() };
        draw(|frame| {
            let query = ListQuery::default();
            vec![
                SignInPage::of(frame.clone(), (&owner, &query), &facts()),
                SignInPage::of(frame.clone(), (&desk, &query), &facts()),
                SignInPage::of(frame, (&owner, &query), &nothing),
            ]
        });
    }

    #[test]
    fn a_link_is_drawn() {
        draw(|frame| {
            let token = Secret::new("token");
            let of = |is_new| LinkPage::of(frame.clone(), "https://mx.example.org:8443", &person(), &token, is_new);
            assert_eq!(of(true).link, "https://mx.example.org:8443/link/token");
            vec![of(true), of(false)]
        });
    }
}
