//! One's own sessions in browsers, and the history of log-ins.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{LogInView, OpenSession, Text};
use serde::Deserialize;

use crate::kit::{Form, Frame, ListQuery, Oops, Pager, Person, Routes, Time, done, shown};
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::OWN_SESSIONS, list)
        .post(path::OWN_SESSIONS_END, end)
        .post(path::OWN_SESSIONS_END_OTHERS, end_others)
        .get(path::OWN_LOG_INS, log_ins)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/sessions.html")]
struct SessionsPage {
    frame: Frame,
    tab: &'static str,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    id: String,
    agent: String,
    ip: String,
    created: Time,
    seen: Time,
    is_this: bool,
}

impl Row {
    fn of(frame: &Frame, session: OpenSession) -> Self {
        Self {
            id: session.id,
            agent: crate::kit::browser_name(&session.agent),
            ip: session.ip,
            created: frame.time(session.created_at),
            seen: frame.time(session.seen_at),
            is_this: session.is_this,
        }
    }
}

async fn list(person: Person, State(web): State<Web>) -> Oops {
    let frame = person.frame(&web);
    let sessions = web.access().own_sessions(&person.me).await?;
    let rows = sessions.into_iter().map(|session| Row::of(&frame, session)).collect();
    Ok(shown(&SessionsPage { frame, tab: "sessions", rows }))
}

#[derive(Deserialize)]
struct EndForm {
    #[serde(default)]
    session: String,
}

async fn end(person: Person, State(web): State<Web>, Form(form): Form<EndForm>) -> Oops {
    web.access().end_own_session(&person.me, &form.session).await?;
    Ok(done(path::OWN_SESSIONS, Text::new("session-ended")))
}

async fn end_others(person: Person, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    let ended = web.access().end_other_sessions(&person.me).await?;
    Ok(done(path::OWN_SESSIONS, Text::new("sessions-ended").with("count", ended)))
}

#[derive(Debug, Template)]
#[template(path = "panel/account/log_ins.html")]
struct LogInsPage {
    frame: Frame,
    tab: &'static str,
    rows: Vec<LogIn>,
    pager: Pager,
}

#[derive(Debug)]
struct LogIn {
    at: Time,
    protocol: String,
    ip: String,
    is_granted: bool,
    state: String,
    with: String,
}

async fn log_ins(person: Person, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    let frame = person.frame(&web);
    let found = web.access().own_log_ins(&person.actor, query.paging()).await?;
    let rows: Vec<_> = found.rows.into_iter().map(|row| log_in(&frame, row)).collect();
    let pager =
        Pager::of(&frame, path::OWN_LOG_INS, rows.len(), found.next.as_deref(), query.after.is_empty(), |after| {
            ListQuery { after, ..query.clone() }
        });
    Ok(shown(&LogInsPage { frame, tab: "log-ins", rows, pager }))
}

fn log_in(frame: &Frame, row: LogInView) -> LogIn {
    LogIn {
        at: frame.time(row.last_at.0),
        protocol: frame.say(&format!("protocol-{}", row.protocol)),
        with: frame.log_in_with(&row),
        ip: row.ip,
        is_granted: row.is_granted,
        state: if row.is_granted {
            frame.count("log-in-granted", row.attempts)
        } else {
            frame.count("log-in-refused", row.attempts)
        },
    }
}
