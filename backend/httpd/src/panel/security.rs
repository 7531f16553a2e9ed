//! Who knocks and is refused: bans, and refused log-ins.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{BanView, FailedLogin, RefusedTally, Rows, Security, Text};
use serde::Deserialize;

use super::queue::Share;
use crate::kit::{Desk, Form, Frame, ListQuery, Oops, Pager, Routes, Time, done, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::SECURITY, security).post(path::SECURITY_LIFT, lift)
}

#[derive(Debug, Template)]
#[template(path = "panel/security/page.html")]
struct SecurityPage {
    frame: Frame,
    /// `ok` or `info`, and how it stands.
    verdict: &'static str,
    says: String,
    bans: Vec<Ban>,
    by_ip: Vec<Share>,
    by_name: Vec<Share>,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Ban {
    whom: String,
    /// In words, where it isn't a name or a network.
    shown: String,
    kind: String,
    failures: String,
    since: Time,
    until: Time,
}

impl Ban {
    fn of(frame: &Frame, ban: BanView) -> Self {
        let shown = if ban.kind == "everybody" { frame.say("security-page-strangers") } else { ban.whom.clone() };
        Self {
            shown,
            kind: frame.say(&format!("security-page-kind-{}", ban.kind)),
            failures: frame.number(ban.failures.into()),
            since: frame.time(ban.since.0),
            until: frame.time(ban.until.0),
            whom: ban.whom,
        }
    }
}

#[derive(Debug)]
struct Row {
    name: String,
    is_known: bool,
    protocol: String,
    ip: String,
    attempts: String,
    at: Time,
}

impl Row {
    fn of(frame: &Frame, row: FailedLogin) -> Self {
        Self {
            protocol: frame.say(&format!("security-page-door-{}", row.protocol)),
            attempts: frame.number(row.attempts),
            at: frame.time(row.at.0),
            name: row.name,
            is_known: row.is_known,
            ip: row.ip,
        }
    }
}

fn shares(frame: &Frame, tallies: Vec<RefusedTally>) -> Vec<Share> {
    let whole = tallies.iter().map(|tally| tally.attempts).max().unwrap_or(0).max(1);
    let share = |RefusedTally { whom, attempts }| Share {
        name: whom,
        href: String::new(),
        value: attempts,
        whole,
        text: frame.number(attempts),
    };
    tallies.into_iter().map(share).collect()
}

impl SecurityPage {
    fn of(frame: Frame, security: Security, failed: Rows<FailedLogin>, is_first: bool) -> Self {
        let (verdict, id) = match (security.bans.is_empty(), security.failed) {
            (true, 0) => ("ok", "security-page-quiet"),
            (true, _) => ("ok", "security-page-calm"),
            (false, _) => ("info", "security-page-at-work"),
        };
        let says = Text::new(id).with("bans", security.bans.len()).with("failed", security.failed);
        let with = |after: String| ListQuery { after, ..ListQuery::default() };
        Self {
            verdict,
            says: frame.tell(&says),
            bans: security.bans.into_iter().map(|ban| Ban::of(&frame, ban)).collect(),
            by_ip: shares(&frame, security.by_ip),
            by_name: shares(&frame, security.by_name),
            pager: Pager::of(&frame, path::SECURITY, failed.rows.len(), failed.next.as_deref(), is_first, with),
            rows: failed.rows.into_iter().map(|row| Row::of(&frame, row)).collect(),
            frame,
        }
    }
}

async fn security(desk: Desk, State(web): State<Web>, Query(fields): Query<ListQuery>) -> Oops {
    let (service, by) = (web.service(), &desk.actor);
    let security = service.security(by).await?;
    let failed = service.failed_logins(by, fields.paging()).await?;
    Ok(shown(&SecurityPage::of(desk.frame(&web), security, failed, fields.after.is_empty())))
}

#[derive(Debug, Deserialize)]
struct LiftForm {
    whom: String,
}

async fn lift(desk: Desk, State(web): State<Web>, Form(form): Form<LiftForm>) -> Oops {
    web.service().lift_ban(&desk.actor, &form.whom)?;
    Ok(done(path::SECURITY, Text::new("security-page-lifted").with("whom", form.whom)))
}
