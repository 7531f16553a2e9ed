//! The house as a machine: version, health, doors, certificates, sizes; and the last lines of its log.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{FilterView, HealthCheck, ListenerView, LogLevel, LogLine, SystemView, Text};
use serde::Deserialize;

use super::overview::Certificate;
use crate::kit::{Frame, Oops, Owner, Routes, Time, shown};
use crate::{Web, path};

/// Lines of the log that a page shows, at most.
const LINES: usize = 150;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::SYSTEM, system).get(path::SYSTEM_LOG, log)
}

#[derive(Debug, Template)]
#[template(path = "panel/system/page.html")]
struct SystemPage {
    frame: Frame,
    version: &'static str,
    host_name: String,
    started: Option<Time>,
    engine: &'static str,
    database: String,
    health: Vec<Check>,
    listeners: Vec<Listener>,
    certificates: Vec<Certificate>,
    filters: Vec<Filter>,
    disk: Option<Disk>,
    accounts: String,
    domains: String,
    messages: String,
    message_size: String,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Check {
    kind: &'static str,
    text: String,
}

impl Check {
    fn of(frame: &Frame, check: &HealthCheck) -> Self {
        Self { kind: if check.is_well { "ok" } else { "bad" }, text: frame.tell(&check.says) }
    }
}

/// A door.
#[derive(Debug)]
struct Listener {
    protocol: String,
    at: String,
    tls: String,
}

impl Listener {
    fn of(frame: &Frame, listener: ListenerView) -> Self {
        let tls = match listener.tls.as_str() {
            "implicit" => "system-page-tls-implicit",
            "starttls" => "system-page-tls-starttls",
            _ => "system-page-tls-none",
        };
        Self { protocol: listener.protocol.to_uppercase(), at: listener.at, tls: frame.say(tls) }
    }
}

/// A program that is asked about messages.
#[derive(Debug)]
struct Filter {
    title: &'static str,
    at: String,
    version: String,
    kind: &'static str,
    state: String,
    asked: String,
    latency: Option<String>,
    trouble: Option<(Time, String)>,
}

impl Filter {
    fn of(frame: &Frame, filter: FilterView) -> Self {
        let (kind, state) =
            if filter.is_up { ("ok", "system-page-filter-up") } else { ("bad", "system-page-filter-down") };
        let asked = Text::new("system-page-filter-asked")
            .with("asked", frame.number(filter.asked))
            .with("unanswered", frame.number(filter.unanswered));
        let latency = filter
            .latency_ms
            .map(|took| frame.tell(&Text::new("system-page-filter-took").with("milliseconds", frame.number(took))));
        Self {
            title: filter.title,
            at: filter.at,
            version: filter.version.unwrap_or_default(),
            kind,
            state: frame.say(state),
            asked: frame.tell(&asked),
            latency,
            trouble: filter
                .last_trouble_at
                .zip(filter.last_trouble)
                .map(|(at, why)| (frame.time(at.0), frame.tell(&why))),
        }
    }
}

/// The disk as a bar.
#[derive(Debug)]
struct Disk {
    used: u64,
    total: u64,
    text: String,
    kind: &'static str,
}

impl SystemPage {
    fn of(frame: Frame, system: SystemView) -> Self {
        let disk = system.disk.map(|disk| Disk {
            used: disk.total.saturating_sub(disk.free),
            total: disk.total.max(1),
            text: frame.tell(
                &Text::new("system-page-free-of")
                    .with("free", frame.size(disk.free))
                    .with("total", frame.size(disk.total)),
            ),
            kind: if disk.free < disk.floor { "bad" } else { "" },
        });
        Self {
            version: system.version,
            host_name: system.host_name,
            started: system.started_at.map(|at| frame.time(at.0)),
            engine: system.engine,
            database: frame.size(system.sizes.database_octets),
            health: system.health.iter().map(|check| Check::of(&frame, check)).collect(),
            listeners: system.listeners.into_iter().map(|listener| Listener::of(&frame, listener)).collect(),
            certificates: system.certificates.iter().map(|one| Certificate::of(&frame, one)).collect(),
            filters: system.filters.into_iter().map(|filter| Filter::of(&frame, filter)).collect(),
            disk,
            accounts: frame.number(system.sizes.accounts),
            domains: frame.number(system.sizes.domains),
            messages: frame.number(system.sizes.messages),
            message_size: frame.size(system.sizes.message_octets),
            frame,
        }
    }
}

async fn system(owner: Owner, State(web): State<Web>) -> Oops {
    let system = web.service().system(&owner.actor).await?;
    Ok(shown(&SystemPage::of(owner.frame(&web), system)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LogFields {
    level: String,
}

#[derive(Debug, Template)]
#[template(path = "panel/system/log.html")]
struct LogPage {
    frame: Frame,
    levels: Vec<Level>,
    lines: Vec<Line>,
}

/// A level that can be asked for: it and all that matters more.
#[derive(Debug)]
struct Level {
    name: &'static str,
    text: String,
    is_chosen: bool,
}

#[derive(Debug)]
struct Line {
    kind: &'static str,
    level: String,
    at: Time,
    text: String,
}

impl LogPage {
    fn of(frame: Frame, least: LogLevel, lines: Vec<LogLine>) -> Self {
        let level = |level: LogLevel| {
            let (name, _, _) = said(level);
            Level { name, text: frame.say(&format!("system-page-least-{name}")), is_chosen: level == least }
        };
        let line = |line: LogLine| {
            let (_, id, kind) = said(line.level);
            Line { kind, level: frame.say(id), at: frame.time(line.at.0), text: line.text }
        };
        Self {
            levels: [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error].map(level).into(),
            lines: lines.into_iter().take(LINES).map(line).collect(),
            frame,
        }
    }
}

/// A level's name, its word and its colour.
const fn said(level: LogLevel) -> (&'static str, &'static str, &'static str) {
    match level {
        LogLevel::Debug => ("debug", "system-page-debug", "off"),
        LogLevel::Info => ("info", "system-page-info", "info"),
        LogLevel::Warn => ("warn", "system-page-warn", "warn"),
        LogLevel::Error => ("error", "system-page-error", "bad"),
    }
}

async fn log(owner: Owner, State(web): State<Web>, Query(fields): Query<LogFields>) -> Oops {
    let least = LogLevel::parse(&fields.level).unwrap_or(LogLevel::Info);
    let lines = web.service().log(&owner.actor, least)?;
    Ok(shown(&LogPage::of(owner.frame(&web), least, lines)))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{CertificateView, DataSizes, DiskFact, Moment};

    use super::*;
    use crate::kit::samples::draw;

    fn at(minutes: i64) -> Moment {
        Moment(Timestamp::from_millis(1_795_428_000_000 + minutes * 60_000))
    }

    fn filters() -> Vec<FilterView> {
        let up = FilterView {
            kind: "clamav",
            title: "ClamAV",
            at: "unix:/run/clamav/clamd.ctl".to_owned(),
            is_up: true,
            says: Text::new("filters-up").with("filter", "ClamAV"),
            version: Some("ClamAV 1.0.7/27000".to_owned()),
            asked: 12_000,
            unanswered: 3,
            latency_ms: Some(41),
            last_trouble_at: None,
            last_trouble: None,
        };
        let why = Text::new("filters-unreachable").with("filter", "rspamd").with("why", "Connection refused");
        let down = FilterView {
            kind: "rspamd",
            title: "rspamd",
            at: "127.0.0.1:11333".to_owned(),
            is_up: false,
            says: why.clone(),
            version: None,
            latency_ms: None,
            last_trouble_at: Some(at(-4)),
            last_trouble: Some(why),
            ..up.clone()
        };
        vec![up, down]
    }

    fn pages(frame: Frame) -> Vec<SystemPage> {
        let check = |name, is_well, says| HealthCheck { name, is_well, says: Text::new(says) };
        let listener = |protocol: &str, at: &str, tls: &str| ListenerView {
            protocol: protocol.to_owned(),
            at: at.to_owned(),
            tls: tls.to_owned(),
        };
        let certificate = CertificateView {
            names: vec!["mx.example.org".to_owned(), "mail.example.org".to_owned()],
            not_after: at(90_000),
            days_left: 62,
            is_ending: false,
            is_self_signed: true,
            fingerprint: String::new(),
        };
        let full = SystemView {
            version: "0.1.0",
            host_name: "mx.example.org".to_owned(),
            started_at: Some(at(-3000)),
            engine: "PostgreSQL",
            health: vec![check("database", true, "system-database-well"), check("disk", false, "system-disk-ill")],
            listeners: vec![
                listener("smtp", "0.0.0.0:25", "starttls"),
                listener("imap", "[::]:993", "implicit"),
                listener("lmtp", "unix:/run/relais/lmtp", "none"),
            ],
            certificates: vec![certificate.clone(), CertificateView { is_self_signed: false, ..certificate }],
            filters: filters(),
            disk: Some(DiskFact { total: 256_000_000_000, free: 900_000_000, floor: 1_000_000_000 }),
            sizes: DataSizes {
                database_octets: 82_000_000,
                accounts: 10_012,
                domains: 1000,
                messages: 1_200_400,
                message_octets: 98_000_000_000,
            },
        };
        let bare = SystemView {
            started_at: None,
            listeners: Vec::new(),
            certificates: Vec::new(),
            filters: Vec::new(),
            disk: None,
            sizes: DataSizes::default(),
            ..full.clone()
        };
        vec![SystemPage::of(frame.clone(), full), SystemPage::of(frame, bare)]
    }

    fn logs(frame: Frame) -> Vec<LogPage> {
        let line = |level, text: &str| LogLine { at: at(-2), level, text: text.to_owned() };
        let lines = vec![
            line(LogLevel::Error, "the disk is full path=/var/lib/relais free_octets=0"),
            line(LogLevel::Warn, "accept failed at an HTTP door error=Too many open files (os error 24)"),
            line(
                LogLevel::Info,
                "delivered queue.id=4f9a1c recipient=bob@gmail.example remote=mx1.gmail.example duration_ms=812",
            ),
            line(LogLevel::Debug, "a session ended"),
        ];
        vec![LogPage::of(frame.clone(), LogLevel::Debug, lines), LogPage::of(frame, LogLevel::Error, Vec::new())]
    }

    #[test]
    fn pages_are_drawn() {
        draw(pages);
        draw(logs);
    }
}
