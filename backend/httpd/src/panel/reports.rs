//! What others report of a domain's mail, of TLS to it, and which step of its policies the reports allow.

use std::collections::BTreeMap;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    ReportComplaintView, ReportDayView, ReportSourceView, ReportStepView, ReportsView, Role, Rows, Text,
};

use crate::kit::{self, Admin, Chart, Frame, ListQuery, Oops, Pager, Routes, shown};
use crate::{Web, path};

/// Days of the chart.
const DAYS: u32 = 30;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::DOMAIN_REPORTS, show)
}

#[derive(Debug, Template)]
#[template(path = "panel/domains/reports.html")]
struct ReportsPage {
    frame: Frame,
    domain: String,
    domain_href: String,
    dns_href: String,
    /// What the badge of the first sentence shows.
    state: kit::State,
    says: String,
    /// Who reported how much; empty where nobody did.
    from: String,
    is_empty: bool,
    is_asked: bool,
    is_owner: bool,
    chart: Chart,
    step: Advice,
    sts_step: Advice,
    tls_says: String,
    sessions: Vec<Line>,
    incidents: Vec<Line>,
    complained: Vec<Line>,
    /// What came and couldn't be read; empty where all was.
    unread: String,
    unread_why: String,
    sources: Vec<Source>,
    /// Lists and forwarders: set apart.
    relays: Vec<Source>,
    pager: Pager,
}

/// The next step of a policy.
#[derive(Debug)]
struct Advice {
    state: kit::State,
    says: String,
    record: Option<(String, String)>,
    /// Where the record is pushed, and its policy; empty where it can't be.
    push_href: String,
    policy: &'static str,
    setting_href: &'static str,
}

/// A name and a number.
#[derive(Debug)]
struct Line {
    name: String,
    more: String,
    number: String,
}

#[derive(Debug)]
struct Source {
    name: String,
    /// Its address, where the name is another.
    address: String,
    state: kit::State,
    says: String,
    messages: String,
    aligned: String,
    dkim: String,
    spf: String,
    done: String,
}

impl Source {
    fn of(frame: &Frame, view: ReportSourceView) -> Self {
        let state = match (view.is_own, view.percent, view.says.id.as_ref()) {
            (_, 100, _) => frame.state("ok", "reports-page-aligned"),
            (.., "reports-source-forwarded") => frame.state("info", "reports-page-forwarded"),
            _ => frame.state("warn", "reports-page-unaligned"),
        };
        let done = [("reports-page-quarantined", view.quarantined), ("reports-page-rejected", view.rejected)];
        let done = done.into_iter().filter(|(_, count)| *count > 0).map(|(id, count)| frame.count(id, count));
        let address = if view.source.is_empty() { frame.say("reports-page-others") } else { view.source };
        let name = match (view.is_own, view.owner, &view.name) {
            (true, ..) => frame.say("reports-page-own"),
            (_, Some(owner), _) => owner.to_owned(),
            (_, None, Some(name)) => name.clone(),
            (_, None, None) => address.clone(),
        };
        Self {
            address: if name == address { String::new() } else { address },
            name,
            state,
            says: frame.tell(&view.says),
            messages: frame.number(view.messages),
            aligned: frame.tell(&Text::new("reports-page-percent").with("percent", view.percent)),
            dkim: frame.number(view.dkim_aligned),
            spf: frame.number(view.spf_aligned),
            done: done.collect::<Vec<_>>().join(", "),
        }
    }
}

impl Advice {
    fn of(frame: &Frame, view: ReportStepView, push_href: &str) -> Self {
        let state = match view.kind {
            "next" => frame.state("info", "reports-page-step-next"),
            "done" => frame.state("ok", "reports-page-step-done"),
            "too_early" => frame.state("wait", "reports-page-step-wait"),
            _ => frame.state("warn", "reports-page-step-mend"),
        };
        let setting_href = match view.setting {
            Some("mta_sts.mode") => "/panel/settings/mail",
            Some(_) => "/panel/settings/dns",
            None => "",
        };
        Self {
            state,
            says: frame.tell(&view.says),
            record: view.record.map(|record| (record.name, record.text)),
            push_href: if view.can_push { push_href.to_owned() } else { String::new() },
            policy: view.next.unwrap_or_default(),
            setting_href,
        }
    }
}

impl ReportsPage {
    fn of(frame: Frame, view: ReportsView, found: Rows<ReportSourceView>, role: Role, is_first: bool) -> Self {
        let domain_href = path::of(path::DOMAINS, &view.domain);
        let here = format!("{domain_href}/reports");
        let dns_href = path::of(path::DNS, &view.domain);
        let with = |after: String| ListQuery { after, ..ListQuery::default() };
        let pager = Pager::of(&frame, &here, found.rows.len(), found.next.as_deref(), is_first, with);
        let (relays, sources): (Vec<_>, Vec<_>) = found.rows.into_iter().partition(|row| row.is_relay);
        let state = match (view.messages, view.percent, view.unknown) {
            (0, ..) => frame.state("off", "reports-page-state-none"),
            (_, 98..=100, 0) => frame.state("ok", "reports-page-state-well"),
            _ => frame.state("warn", "reports-page-state-look"),
        };
        let from = Text::new("reports-page-from")
            .with("reports", view.reports)
            .with("organizations", view.organizations)
            .with("proved", view.proved)
            .with("messages", view.messages);
        let push_href = format!("{dns_href}/push");
        let drawn_all = |rows: Vec<ReportSourceView>| rows.into_iter().map(|row| Source::of(&frame, row)).collect();
        let unread = view.unread.as_ref().map(|unread| frame.count("reports-page-unread", unread.messages));
        Self {
            state,
            says: frame.tell(&view.says),
            from: if view.reports == 0 { String::new() } else { frame.tell(&from) },
            is_empty: view.reports == 0 && view.sessions.is_empty() && view.incidents.is_empty(),
            is_asked: view.is_asked,
            is_owner: role == Role::Owner,
            chart: drawn(&frame, &view),
            step: Advice::of(&frame, view.step, &push_href),
            sts_step: Advice::of(&frame, view.sts_step, ""),
            tls_says: frame.tell(&view.tls_says),
            sessions: view.sessions.into_iter().map(|it| session(&frame, it.result, it.host, it.sessions)).collect(),
            complained: view.complained.into_iter().map(|it| complained(&frame, it)).collect(),
            incidents: view.incidents.into_iter().map(|it| incident(&frame, &it.kind, it.incidents)).collect(),
            unread: unread.unwrap_or_default(),
            unread_why: view.unread.map(|unread| unread.why).unwrap_or_default(),
            sources: drawn_all(sources),
            relays: drawn_all(relays),
            pager,
            domain: view.domain,
            domain_href,
            dns_href,
            frame,
        }
    }
}

fn session(frame: &Frame, result: String, host: String, sessions: u64) -> Line {
    let known = format!("reports-tls-result-{result}");
    let name = if frame.knows(&known) { frame.say(&known) } else { result };
    Line { name, more: host, number: frame.number(sessions) }
}

fn complained(frame: &Frame, of: ReportComplaintView) -> Line {
    Line { more: frame.time(of.last_at.0).words, number: frame.number(of.complaints), name: of.address }
}

fn incident(frame: &Frame, kind: &str, incidents: u64) -> Line {
    Line { name: frame.say(&format!("reports-incident-{kind}")), more: String::new(), number: frame.number(incidents) }
}

/// Thirty days, also those without a report.
fn drawn(frame: &Frame, view: &ReportsView) -> Chart {
    let kinds = [
        ("ok", frame.say("reports-page-aligned")),
        ("info", frame.say("reports-page-forwarded")),
        ("bad", frame.say("reports-page-unaligned")),
    ];
    let numbers = |day: &ReportDayView| {
        let rest = day.messages.saturating_sub(day.aligned).saturating_sub(day.relayed);
        (day.day, [day.aligned, day.relayed, rest])
    };
    let told: BTreeMap<_, _> = view.days.iter().map(numbers).collect();
    let column = |at: u32| {
        let day = relais_service::Moment(view.since.0.plus(Duration::from_hours(24) * at));
        let numbers = told.get(&day).copied().unwrap_or_default();
        (day.to_string().get(..10).unwrap_or_default().to_owned(), numbers.to_vec())
    };
    let columns: Vec<_> = (0..DAYS).map(column).collect();
    let axis = |at: usize| columns.get(at).map(|(label, _)| label.clone()).unwrap_or_default();
    Chart {
        summary: frame.tell(&view.says),
        caption: frame.say("reports-page-chart"),
        first: frame.say("reports-page-day"),
        axis: vec![axis(0), axis(15), axis(29)],
        ..Chart::stacked(frame, &kinds, &columns)
    }
}

async fn show(
    admin: Admin,
    State(web): State<Web>,
    Path(domain): Path<String>,
    Query(query): Query<ListQuery>,
) -> Oops {
    let frame = admin.frame(&web);
    let view = web.service().reports(&admin.actor, &domain).await?;
    let found = web.service().report_sources(&admin.actor, &domain, query.paging()).await?;
    Ok(shown(&ReportsPage::of(frame, view, found, admin.actor.role, query.after.is_empty())))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{Moment, ReportIncidentView, ReportRecord, ReportSessionView, ReportUnreadView};

    use super::*;
    use crate::kit::samples::draw;

    fn step(kind: &'static str, says: &'static str) -> ReportStepView {
        let is_next = kind == "next";
        let says = Text::new(says).with("current", "none").with("next", "quarantine").with("days", 20_u64);
        let record = ReportRecord {
            name: "_dmarc.example.org".to_owned(),
            text: "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org".to_owned(),
        };
        ReportStepView {
            kind,
            says: says.with("percent", 97_u64).with("wanted", 14_u64),
            next: is_next.then_some("quarantine"),
            record: is_next.then_some(record),
            setting: is_next.then_some("dns.dmarc_policy"),
            can_push: is_next,
        }
    }

    fn source(name: Option<&str>, owner: Option<&'static str>, percent: u64, says: &'static str) -> ReportSourceView {
        ReportSourceView {
            source: "192.0.2.25".to_owned(),
            name: name.map(str::to_owned),
            owner,
            is_own: says == "reports-source-own",
            messages: 100,
            aligned: percent,
            percent,
            dkim_aligned: percent,
            spf_aligned: 0,
            quarantined: 100 - percent,
            rejected: 0,
            overridden: 0,
            is_relay: says == "reports-source-forwarded",
            says: Text::new(says),
        }
    }

    fn samples(frame: &Frame) -> Vec<ReportsPage> {
        let since = Moment(Timestamp::from_millis(1_767_225_600_000));
        let none = ReportsView {
            domain: "example.org".to_owned(),
            since,
            says: Text::new("reports-none"),
            messages: 0,
            aligned: 0,
            relayed: 0,
            percent: 0,
            unknown: 0,
            reports: 0,
            proved: 0,
            organizations: 0,
            days: Vec::new(),
            policy: None,
            step: step("no_policy", "reports-dmarc-no-policy"),
            sessions: Vec::new(),
            tls_says: Text::new("reports-tls-none"),
            sts_mode: "testing".to_owned(),
            sts_step: step("too_early", "reports-sts-too-early"),
            incidents: Vec::new(),
            complained: Vec::new(),
            unread: None,
            is_asked: false,
        };
        let told = ReportsView {
            says: Text::new("reports-unknown")
                .with("percent", 97_u64)
                .with("unknown", 1_u64)
                .with("names", "SendGrid")
                .with("relayed", 4_u64),
            messages: 300,
            aligned: 291,
            relayed: 4,
            percent: 97,
            unknown: 1,
            reports: 4,
            proved: 4,
            organizations: 2,
            days: vec![ReportDayView { day: since, messages: 300, aligned: 291, relayed: 4 }],
            policy: Some("none".to_owned()),
            step: step("next", "reports-dmarc-next"),
            sessions: vec![
                ReportSessionView { result: "success".to_owned(), host: String::new(), sessions: 40 },
                ReportSessionView {
                    result: "certificate-expired".to_owned(),
                    host: "mx.example.org".to_owned(),
                    sessions: 2,
                },
                ReportSessionView { result: "something-new".to_owned(), host: String::new(), sessions: 1 },
            ],
            tls_says: Text::new("reports-tls-well").with("sessions", 43_u64),
            sts_step: step("done", "reports-sts-done"),
            complained: vec![ReportComplaintView {
                address: "ann@example.org".to_owned(),
                complaints: 3,
                last_at: Timestamp::from_millis(1_795_428_000_000).into(),
            }],
            incidents: ["abuse", "auth-failure", "fraud", "not-spam", "virus", "other"]
                .map(|kind| ReportIncidentView { kind: kind.to_owned(), incidents: 2 })
                .to_vec(),
            unread: Some(ReportUnreadView { messages: 1, why: "the report is too large".to_owned() }),
            is_asked: true,
            ..none.clone()
        };
        let rows = vec![
            source(Some("o1.sendgrid.net"), Some("SendGrid"), 40, "reports-source-provider"),
            source(Some("list.example"), None, 0, "reports-source-forwarded"),
            source(None, None, 0, "reports-source-unknown"),
            source(None, None, 100, "reports-source-own"),
        ];
        let of = |view: ReportsView, rows, role| {
            let found = Rows { rows, next: Some("4".to_owned()) };
            ReportsPage::of(frame.clone(), view, found, role, true)
        };
        let asked = ReportsView { is_asked: true, ..none.clone() };
        vec![
            of(none.clone(), Vec::new(), Role::Owner),
            of(none, Vec::new(), Role::DomainAdmin),
            of(asked, Vec::new(), Role::Owner),
            of(told, rows, Role::Owner),
        ]
    }

    #[test]
    fn the_page_is_drawn() {
        draw(|frame| samples(&frame));
    }
}
