//! Who knocks and is refused: bans, and refused log-ins.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{BanView, FailedLogin, RefusedTally, Role, Rows, Security, Text};
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
    /// Owners let senders in and keep them out.
    is_owner: bool,
}

#[derive(Debug)]
struct Ban {
    whom: String,
    /// In words, where it isn't a name or a network.
    shown: String,
    kind: String,
    why: String,
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
            why: frame.say(&format!("security-page-why-{}", ban.why)),
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
            is_owner: false,
            frame,
        }
    }
}

async fn security(desk: Desk, State(web): State<Web>, Query(fields): Query<ListQuery>) -> Oops {
    let (service, by) = (web.service(), &desk.actor);
    let security = service.security(by).await?;
    let failed = service.failed_logins(by, fields.paging()).await?;
    let page = SecurityPage::of(desk.frame(&web), security, failed, fields.after.is_empty());
    Ok(shown(&SecurityPage { is_owner: by.role == Role::Owner, ..page }))
}

#[derive(Debug, Deserialize)]
struct LiftForm {
    whom: String,
}

async fn lift(desk: Desk, State(web): State<Web>, Form(form): Form<LiftForm>) -> Oops {
    web.service().lift_ban(&desk.actor, &form.whom).await?;
    Ok(done(path::SECURITY, Text::new("security-page-lifted").with("whom", form.whom)))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::Moment;

    use super::*;
    use crate::kit::samples::draw;

    fn samples(frame: Frame) -> Vec<SecurityPage> {
        let at = |minutes: i64| Moment(Timestamp::from_millis(1_795_428_000_000 + minutes * 60_000));
        let ban = |whom: &str, kind, why| BanView {
            whom: whom.to_owned(),
            kind,
            since: at(-20),
            until: at(40),
            failures: 24,
            why,
        };
        let tally = |whom: &str, attempts| RefusedTally { whom: whom.to_owned(), attempts };
        let row = |name: &str, protocol, is_known| FailedLogin {
            name: name.to_owned(),
            is_known,
            protocol,
            ip: "2001:db8:12:3400::".to_owned(),
            at: at(-3),
            attempts: 118,
        };
        let rows = vec![
            row("admin", "smtp", false),
            row("ann@example.org", "imap", true),
            row("ann@example.org", "web", true),
            row("root", "pop3", false),
            row("ann@example.org", "api", true),
        ];
        let busy = Security {
            bans: vec![
                ban("203.0.113.0/24", "network", "log-ins"),
                ban("198.51.100.0/24", "door", "unknown-recipients"),
                ban("2001:db8:5::/64", "door", "relaying"),
                ban("192.0.2.0/24", "door", "protocol"),
                ban("ann@example.org", "name", "log-ins"),
                ban("everybody", "everybody", "log-ins"),
            ],
            failed: 2_118,
            by_ip: vec![tally("203.0.113.9", 2000), tally("2001:db8:12:3400::", 118)],
            by_name: vec![tally("admin", 1800), tally("ann@example.org", 318)],
        };
        let none = Security { bans: Vec::new(), failed: 0, by_ip: Vec::new(), by_name: Vec::new() };
        let calm = Security { failed: 1, ..none.clone() };
        let found = |rows, next: Option<&str>| Rows { rows, next: next.map(str::to_owned) };
        vec![
            SecurityPage::of(frame.clone(), busy, found(rows.clone(), Some("x")), true),
            SecurityPage::of(frame.clone(), calm, found(rows, None), false),
            SecurityPage::of(frame, none, found(Vec::new(), None), true),
        ]
    }

    #[test]
    fn the_page_is_drawn() {
        draw(samples);
    }
}
