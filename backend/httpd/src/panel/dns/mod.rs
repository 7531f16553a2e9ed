//! The DNS: every domain's verdict, each one's records as a checklist, setting them at a provider, and what was set.
//!
//! In paths, `host` in a domain's place is the host: its checks and records are shown like a domain's.

mod accounts;
mod push;
mod report;

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{DnsCounts, DnsReport, DnsRow, DnsVerdict, DnsWanted, Role, Rows};
use serde::{Deserialize, Serialize};

use crate::kit::{self, Admin, Choice, Frame, Oops, Pager, Routes, Time, shown, typed};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::DNS, list).and(report::routes).and(push::routes).and(accounts::routes)
}

/// The host, where a path has a domain.
const HOST: &str = "host";

/// Whose DNS a path is about, as the service asks for it: none is the host.
fn whose(name: &str) -> Option<&str> {
    (name != HOST).then_some(name)
}

/// How a verdict is shown: its colour, and its word.
fn state(frame: &Frame, verdict: Option<DnsVerdict>) -> kit::State {
    let Some(verdict) = verdict else { return frame.state("off", "dns-page-never") };
    let kind = match verdict {
        DnsVerdict::Good => "ok",
        DnsVerdict::Better => "warn",
        DnsVerdict::Unknown => "wait",
        DnsVerdict::Wrong => "bad",
    };
    kit::State { kind, text: frame.say(&format!("dns-verdict-{}", verdict.name())) }
}

/// The last check in one sentence.
fn sentence(frame: &Frame, verdict: Option<DnsVerdict>, counts: DnsCounts) -> String {
    match verdict {
        None => frame.say("dns-page-never"),
        Some(DnsVerdict::Good) => frame.say("dns-good"),
        Some(DnsVerdict::Better) => frame.count("dns-page-count-better", counts.better.into()),
        Some(DnsVerdict::Unknown) => frame.count("dns-page-count-unknown", counts.unknown.into()),
        Some(DnsVerdict::Wrong) => frame.count("dns-page-count-wrong", counts.wrong.into()),
    }
}

/// The verdict on a domain, for the page of the domain itself.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) href: String,
    pub(super) state: kit::State,
    pub(super) says: String,
    pub(super) checked: Option<Time>,
}

impl Summary {
    pub(super) fn of(frame: &Frame, report: &DnsReport) -> Self {
        Self {
            href: path::of(path::DNS, if report.is_host { HOST } else { &report.ascii }),
            state: state(frame, report.verdict),
            says: sentence(frame, report.verdict, report.counts),
            checked: report.checked_at.map(|at| frame.time(at.0)),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct DnsQuery {
    #[serde(skip_serializing_if = "String::is_empty")]
    q: String,
    /// The worst verdict.
    #[serde(skip_serializing_if = "String::is_empty")]
    verdict: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    after: String,
}

impl DnsQuery {
    fn wanted(&self) -> DnsWanted {
        DnsWanted {
            verdict: DnsVerdict::parse(&self.verdict),
            search: typed(&self.q),
            after: typed(&self.after),
            limit: None,
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/dns/list.html")]
struct ListPage {
    frame: Frame,
    query: DnsQuery,
    is_filtered: bool,
    is_owner: bool,
    verdicts: Vec<Choice>,
    host: Summary,
    host_name: String,
    is_host_running: bool,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    state: kit::State,
    says: String,
    checked: Option<Time>,
    is_running: bool,
}

impl Row {
    fn of(frame: &Frame, row: DnsRow) -> Self {
        Self {
            href: path::of(path::DNS, &row.ascii),
            state: state(frame, row.verdict),
            says: sentence(frame, row.verdict, row.counts),
            checked: row.checked_at.map(|at| frame.time(at.0)),
            is_running: row.is_running,
            name: row.domain,
        }
    }
}

impl ListPage {
    fn of(frame: Frame, role: Role, query: DnsQuery, host: &DnsReport, found: Rows<DnsRow>) -> Self {
        let with = |after| DnsQuery { after, ..query.clone() };
        let is_first = query.after.is_empty();
        let any = Choice::new("", frame.say("dns-page-any"), &query.verdict);
        let verdict = |verdict: &DnsVerdict| {
            let name = verdict.name();
            Choice::new(name, frame.say(&format!("dns-verdict-{name}")), &query.verdict)
        };
        Self {
            is_filtered: !query.q.is_empty() || !query.verdict.is_empty(),
            is_owner: role == Role::Owner,
            verdicts: std::iter::once(any).chain(DnsVerdict::ALL.iter().rev().map(verdict)).collect(),
            host: Summary::of(&frame, host),
            host_name: host.name.clone(),
            is_host_running: host.is_running,
            pager: Pager::of(&frame, path::DNS, found.rows.len(), found.next.as_deref(), is_first, with),
            rows: found.rows.into_iter().map(|row| Row::of(&frame, row)).collect(),
            query,
            frame,
        }
    }
}

async fn list(admin: Admin, State(web): State<Web>, Query(query): Query<DnsQuery>) -> Oops {
    let dns = &web.service().dns;
    let host = dns.host(&admin.actor).await?;
    let found = dns.list(&admin.actor, &query.wanted()).await?;
    Ok(shown(&ListPage::of(admin.frame(&web), admin.actor.role, query, &host, found)))
}

#[cfg(test)]
mod tests {
    use super::report::samples::{report, row};
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn the_list_is_drawn() {
        draw(|frame| {
            let rows = || vec![row(None), row(Some(DnsVerdict::Good)), row(Some(DnsVerdict::Wrong))];
            let page = |query: DnsQuery, role, rows: Vec<DnsRow>| {
                let found = Rows { next: (!rows.is_empty()).then(|| "x".to_owned()), rows };
                ListPage::of(frame.clone(), role, query, &report(true), found)
            };
            let searched = DnsQuery { q: "zzz".to_owned(), ..DnsQuery::default() };
            vec![
                page(DnsQuery::default(), Role::Owner, rows()),
                page(DnsQuery::default(), Role::DomainAdmin, Vec::new()),
                page(searched, Role::Owner, Vec::new()),
            ]
        });
    }
}
