//! The first page: is everything well, what happens today, what is still to be done.

use askama::Template;
use axum::extract::State;
use relais_service::{
    CertificateView, Flow, MessageRow, Overview, Reason, Role, Storage, StorageShare, Text, Todo, Verdict,
};

use super::messages::Row;
use super::queue::{Share, shares};
use crate::kit::{Chart, Desk, Frame, Oops, Routes, Time, query, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::OVERVIEW, overview)
}

#[derive(Debug, Template)]
#[template(path = "panel/overview/page.html")]
struct OverviewPage {
    frame: Frame,
    verdict: &'static str,
    says: String,
    reasons: Vec<Line>,
    todos: Vec<Line>,
    figures: Vec<Figure>,
    chart: Chart,
    is_counted: bool,
    destinations: Vec<Share>,
    people: Vec<Share>,
    domains: Vec<Share>,
    certificates: Vec<Certificate>,
    failures: Vec<Row>,
}

/// A sentence with the way to where something can be done about it; without one there is nothing to go to.
#[derive(Debug)]
struct Line {
    kind: &'static str,
    text: String,
    href: String,
}

/// A number that leads to its page.
#[derive(Debug)]
struct Figure {
    name: String,
    value: String,
    href: &'static str,
    symbol: &'static str,
    note: String,
}

/// A certificate and how long it lasts.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) names: String,
    pub(super) kind: &'static str,
    pub(super) state: String,
    pub(super) until: Time,
    /// `ends`, or `ended`.
    pub(super) verb: String,
    pub(super) is_self_signed: bool,
}

impl Certificate {
    pub(super) fn of(frame: &Frame, certificate: &CertificateView) -> Self {
        let (kind, id) = match (certificate.is_ending, certificate.days_left) {
            (true, 0) => ("bad", "certificate-ended"),
            (true, _) => ("warn", "certificate-ending"),
            (false, _) => ("ok", "certificate-lasts"),
        };
        Self {
            names: certificate.names.join(", "),
            kind,
            state: frame.say(id),
            until: frame.time(certificate.not_after.0),
            verb: frame.say(if kind == "bad" { "certificate-was" } else { "certificate-ends" }),
            is_self_signed: certificate.is_self_signed,
        }
    }
}

const fn kind(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Attention => "warn",
        Verdict::Trouble => "bad",
    }
}

fn reason(frame: &Frame, role: Role, reason: &Reason) -> Line {
    let href = match reason.subject {
        "queue" => path::QUEUE,
        "logins" => path::SECURITY,
        "holds" => path::HOLDS,
        "certificates" if role >= Role::DomainAdmin => path::CERTIFICATES,
        "dns" if role >= Role::DomainAdmin => path::DNS,
        _ if role == Role::Owner => path::SYSTEM,
        _ => "",
    };
    Line { kind: kind(reason.verdict), text: frame.tell(&reason.says), href: href.to_owned() }
}

fn todo(frame: &Frame, todo: &Todo) -> Line {
    let href = match (todo.subject, &todo.name) {
        ("empty_domain", Some(domain)) => format!("{}?{}", path::of(path::PEOPLE, "new"), query(&[("domain", domain)])),
        ("first_domain", _) => path::of(path::DOMAINS, "new"),
        ("dns", Some(domain)) => path::of(path::DNS, domain),
        ("dns", None) => path::DNS.to_owned(),
        ("second_factor", _) => path::ACCOUNT.to_owned(),
        ("certificates", _) => path::CERTIFICATES.to_owned(),
        ("first_phone", _) => path::OWN_PHONE.to_owned(),
        _ => path::SYSTEM.to_owned(),
    };
    Line { kind: "info", text: frame.tell(&todo.says), href }
}

/// The mail of 24 hours, an hour a column.
fn drawn(frame: &Frame, flow: &Flow) -> Chart {
    let kinds = [
        ("ok", frame.say("flow-received")),
        ("info", frame.say("flow-sent")),
        ("wait", frame.say("flow-deferred")),
        ("bad", frame.say("flow-failed")),
    ];
    let columns: Vec<_> = flow
        .hours
        .iter()
        .map(|hour| {
            let label = hour.at.to_string().get(11..16).map(|time| format!("{time} UTC")).unwrap_or_default();
            (label, vec![hour.received, hour.sent, hour.deferred, hour.failed])
        })
        .collect();
    let total = |of: fn(&relais_service::FlowHour) -> u64| flow.hours.iter().map(of).sum::<u64>();
    let summary = Text::new("flow-summary")
        .with("received", total(|hour| hour.received))
        .with("sent", total(|hour| hour.sent))
        .with("deferred", total(|hour| hour.deferred))
        .with("failed", total(|hour| hour.failed));
    Chart {
        summary: frame.tell(&summary),
        caption: frame.say("flow-caption"),
        first: frame.say("flow-hour"),
        axis: ["flow-a-day-ago", "flow-half-a-day-ago", "flow-now"].map(|id| frame.say(id)).to_vec(),
        ..Chart::stacked(frame, &kinds, &columns)
    }
}

fn stored(frame: &Frame, shares: Vec<StorageShare>, href: impl Fn(&str) -> String) -> Vec<Share> {
    let whole = shares.iter().map(|share| share.used_octets).max().unwrap_or(0).max(1);
    let place = |share: StorageShare| Share {
        href: href(&share.name),
        text: match share.quota_octets.filter(|quota| *quota > 0) {
            Some(quota) => {
                let text = Text::new("overview-page-of-quota");
                frame.tell(&text.with("used", frame.size(share.used_octets)).with("quota", frame.size(quota)))
            }
            None => frame.size(share.used_octets),
        },
        name: share.name,
        value: share.used_octets,
        whole,
    };
    shares.into_iter().map(place).collect()
}

fn figures(frame: &Frame, overview: &Overview) -> Vec<Figure> {
    let total = |of: fn(&relais_service::FlowHour) -> u64| overview.flow.hours.iter().map(of).sum::<u64>();
    let figure =
        |name: &str, value: String, href, symbol, note| Figure { name: frame.say(name), value, href, symbol, note };
    let Storage { used_octets, free_octets, .. } = &overview.storage;
    let free = free_octets.map(|free| frame.tell(&Text::new("overview-page-free").with("size", frame.size(free))));
    let held = (overview.queue.total.held > 0).then(|| frame.count("overview-page-held", overview.queue.total.held));
    vec![
        figure(
            "overview-page-delivered",
            frame.number(total(|hour| hour.received + hour.sent)),
            path::MESSAGES,
            "messages",
            frame.say("overview-page-today"),
        ),
        figure(
            "overview-page-waiting",
            frame.number(overview.queue.total.total()),
            path::QUEUE,
            "queue",
            held.unwrap_or_default(),
        ),
        figure(
            "overview-page-failed",
            frame.number(total(|hour| hour.failed)),
            "/panel/messages?kind=failed",
            "failed",
            frame.say("overview-page-today"),
        ),
        figure("overview-page-stored", frame.size(*used_octets), path::PEOPLE, "storage", free.unwrap_or_default()),
    ]
}

impl OverviewPage {
    fn of(frame: Frame, role: Role, overview: Overview) -> Self {
        let domain_way = |name: &str| path::of(path::DOMAINS, name);
        let person_way = |name: &str| path::of(path::PEOPLE, name);
        Self {
            verdict: kind(overview.verdict),
            says: frame.tell(&overview.says),
            reasons: overview.reasons.iter().map(|why| reason(&frame, role, why)).collect(),
            todos: overview.todos.iter().map(|what| todo(&frame, what)).collect(),
            figures: figures(&frame, &overview),
            chart: drawn(&frame, &overview.flow),
            is_counted: overview.flow.is_complete,
            destinations: shares(&frame, &overview.queue),
            people: stored(&frame, overview.storage.people, person_way),
            domains: stored(&frame, overview.storage.domains, domain_way),
            certificates: overview.certificates.iter().map(|one| Certificate::of(&frame, one)).collect(),
            failures: overview.failures.into_iter().map(|row: MessageRow| Row::of(&frame, row)).collect(),
            frame,
        }
    }
}

async fn overview(desk: Desk, State(web): State<Web>) -> Oops {
    let overview = web.service().overview(&desk.actor).await?;
    Ok(shown(&OverviewPage::of(desk.frame(&web), desk.actor.role, overview)))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{FlowHour, Moment};

    use super::*;
    use crate::kit::samples::draw;
    use crate::panel::{messages, queue};

    fn at(hours: i64) -> Moment {
        Moment(Timestamp::from_millis(1_795_428_000_000 + hours * 3_600_000))
    }

    fn samples(frame: Frame) -> Vec<OverviewPage> {
        let hour = |number: i64| {
            let many = u64::try_from((number * 37) % 400).unwrap_or(0);
            FlowHour {
                at: at(number - 23),
                received: many,
                sent: many / 3,
                deferred: many / 9,
                failed: u64::from(number % 7 == 0) * 4,
            }
        };
        let share =
            |name: &str, used_octets, quota_octets| StorageShare { name: name.to_owned(), used_octets, quota_octets };
        let certificate = |names: &[&str], days_left, is_ending| CertificateView {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            not_after: at(i64::try_from(days_left).unwrap_or(0) * 24),
            days_left,
            is_ending,
            is_self_signed: is_ending,
            fingerprint: String::new(),
        };
        let quiet = Overview {
            verdict: Verdict::Ok,
            says: Text::new("overview-ok"),
            reasons: Vec::new(),
            flow: Flow {
                hours: (0..24)
                    .map(|number| FlowHour { at: at(number - 23), received: 0, sent: 0, deferred: 0, failed: 0 })
                    .collect(),
                is_complete: false,
            },
            queue: relais_service::QueueChart {
                total: relais_service::QueueTally::default(),
                destinations: Vec::new(),
                rest: 0,
                oldest_at: None,
            },
            storage: Storage { used_octets: 0, free_octets: None, domains: Vec::new(), people: Vec::new() },
            failures: Vec::new(),
            activity: Vec::new(),
            todos: Vec::new(),
            certificates: Vec::new(),
            version: "0.1.0",
        };
        let busy = Overview {
            verdict: Verdict::Trouble,
            says: Text::new("overview-trouble"),
            reasons: vec![
                Reason { verdict: Verdict::Trouble, subject: "disk", says: Text::new("system-disk-ill") },
                Reason {
                    verdict: Verdict::Attention,
                    subject: "queue",
                    says: Text::new("overview-queue-old").with("hours", 50_u64),
                },
                Reason {
                    verdict: Verdict::Attention,
                    subject: "logins",
                    says: Text::new("overview-failed-logins").with("count", 312_u64),
                },
            ],
            flow: Flow { hours: (0..24).map(hour).collect(), is_complete: true },
            queue: queue::tests::chart(),
            storage: Storage {
                used_octets: 182_000_000_000,
                free_octets: Some(12_000_000_000),
                domains: vec![
                    share("example.org", 140_000_000_000, None),
                    share("bücher.example", 42_000_000_000, None),
                ],
                people: vec![
                    share("ann@example.org", 4_700_000_000, Some(5_000_000_000)),
                    share("bob.the-builder@example.org", 1_200_000, None),
                ],
            },
            failures: vec![messages::tests::row("failed", Some("Invoice")), messages::tests::row("failed", None)],
            activity: Vec::new(),
            todos: vec![
                Todo {
                    subject: "empty_domain",
                    name: Some("bücher.example".to_owned()),
                    says: Text::new("overview-todo-empty-domain").with("domain", "bücher.example"),
                },
                Todo { subject: "second_factor", name: None, says: Text::new("overview-todo-second-factor") },
                Todo { subject: "first_domain", name: None, says: Text::new("overview-todo-first-domain") },
                Todo { subject: "certificates", name: None, says: Text::new("overview-todo-certificate") },
            ],
            certificates: vec![
                certificate(&["mx.example.org", "mail.example.org"], 64, false),
                certificate(&["old.example.org"], 6, true),
                certificate(&["older.example.org"], 0, true),
            ],
            version: "0.1.0",
        };
        vec![OverviewPage::of(frame.clone(), Role::Owner, busy), OverviewPage::of(frame, Role::HelpDesk, quiet)]
    }

    #[test]
    fn the_page_is_drawn() {
        draw(samples);
    }
}
