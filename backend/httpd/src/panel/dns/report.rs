//! One domain's DNS, or the host's: the records as a checklist, each with its verdict, its reason and the way to mend it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use relais_service::{DkimKeyView, DnsFinding, DnsRecord, DnsRecordForms, DnsReport, DnsVerdict, Failure, Role, Text};
use serde::{Deserialize, Serialize};

use super::{HOST, sentence, state, whose};
use crate::kit::{self, Admin, Choice, Form, Frame, Oops, PageError, Routes, Time, done, shown};
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::DNS_DOMAIN, show)
        .get(path::DNS_CHECK, progress)
        .post(path::DNS_CHECK, check)
        .get(path::DNS_ZONE_FILE, zone_file)
        .post(path::DNS_KEYS, rotate)
}

/// How much mail needs a record, the most first.
const NEEDS: [&str; 3] = ["must", "should", "nice"];

/// How the provider's form wants names and texts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct FormQuery {
    /// `whole`; anything else: without the domain.
    #[serde(skip_serializing_if = "String::is_empty")]
    names: String,
    /// `split`; anything else: in one piece.
    #[serde(skip_serializing_if = "String::is_empty")]
    texts: String,
}

#[derive(Debug, Template)]
#[template(path = "panel/dns/report.html")]
struct ReportPage {
    frame: Frame,
    here: String,
    name: String,
    /// As the DNS has it; empty where it is the same.
    ascii: String,
    state: kit::State,
    says: String,
    checked: Option<Time>,
    is_running: bool,
    /// Why no check can be made; empty where it can.
    hindrance: String,
    can_check: bool,
    /// Owners set records at a provider.
    can_push: bool,
    addresses: String,
    names: Vec<Choice>,
    texts: Vec<Choice>,
    groups: Vec<Group>,
    keys: Vec<Key>,
    /// Where new keys are made; empty where one waits.
    rotate_href: String,
    /// The page of the domain itself; empty for the host.
    domain_href: String,
}

/// A key that signs, has signed, or will.
#[derive(Debug)]
struct Key {
    selector: String,
    algorithm: &'static str,
    state: kit::State,
    says: String,
    since: Time,
    /// Until when, and what happens then; empty words where nothing is set.
    until: Option<Time>,
    then: String,
}

impl Key {
    fn of(frame: &Frame, key: &DkimKeyView) -> Self {
        let (kind, then) = match key.state {
            "waits" => ("wait", ""),
            "signs" => ("ok", "dns-key-next"),
            "retired" => ("off", "dns-key-kept-until"),
            _ => ("off", ""),
        };
        Self {
            selector: key.selector.clone(),
            algorithm: if key.algorithm == "ed25519" { "Ed25519" } else { "RSA" },
            state: frame.state(kind, &format!("dns-key-is-{}", key.state)),
            says: frame.tell(&key.says),
            since: frame.time(key.since.0),
            until: key.until.map(|until| frame.time(until.0)),
            then: if then.is_empty() { String::new() } else { frame.say(then) },
        }
    }
}

/// Findings under one heading.
#[derive(Debug)]
struct Group {
    title: String,
    lead: String,
    findings: Vec<Finding>,
}

/// One line of the checklist.
#[derive(Debug)]
struct Finding {
    state: kit::State,
    /// What isn't good stands open.
    is_open: bool,
    title: String,
    about: String,
    /// What it is for.
    why: String,
    /// How it came out; empty before the first check.
    says: String,
    advice: String,
    wanted: Vec<Wanted>,
    was_checked: bool,
    found: Vec<Found>,
    surplus: Vec<Found>,
    /// Whether DNSSEC proves it; empty where that says nothing.
    proof: String,
}

/// A record to be copied into a provider's form.
#[derive(Debug)]
struct Wanted {
    name: String,
    kind: String,
    ttl: String,
    priority: String,
    value: String,
}

/// A record that stands there.
#[derive(Debug)]
struct Found {
    name: String,
    kind: String,
    value: String,
}

impl Wanted {
    fn of(record: &DnsRecordForms, form: &FormQuery) -> Self {
        let joined = record.value_without_priority.as_ref().unwrap_or(&record.value);
        let split = record.value_split.as_ref().filter(|_| form.texts == "split");
        Self {
            name: if form.names == "whole" { record.name_whole.clone() } else { record.name_within.clone() },
            kind: record.kind.clone(),
            ttl: record.ttl.to_string(),
            priority: record.priority.map(|priority| priority.to_string()).unwrap_or_default(),
            value: split.unwrap_or(joined).clone(),
        }
    }
}

impl Found {
    fn of(record: &DnsRecord) -> Self {
        Self { name: record.name.clone(), kind: record.kind.clone(), value: record.value.clone() }
    }
}

impl Finding {
    fn of(frame: &Frame, finding: &DnsFinding, form: &FormQuery) -> Self {
        let tell = |text: &Option<Text>| text.as_ref().map(|text| frame.tell(text)).unwrap_or_default();
        let was_looked_up = !finding.wanted.is_empty() || !finding.found.is_empty();
        let is_proof = matches!(finding.proof.as_str(), "secure" | "insecure" | "bogus") && !finding.found.is_empty();
        Self {
            state: state(frame, Some(finding.verdict)),
            is_open: finding.verdict != DnsVerdict::Good,
            title: frame.tell(&finding.title),
            about: about(&finding.about, &finding.detail),
            why: why(frame, &finding.check),
            says: frame.tell(&finding.says),
            advice: tell(&finding.advice),
            wanted: finding.wanted.iter().map(|record| Wanted::of(record, form)).collect(),
            was_checked: was_looked_up,
            found: finding.found.iter().map(Found::of).collect(),
            surplus: finding.surplus.iter().map(Found::of).collect(),
            proof: if is_proof { frame.say(&format!("dns-proof-{}", finding.proof)) } else { String::new() },
        }
    }

    /// Records of one name and type, before anybody has looked.
    fn unchecked(frame: &Frame, records: &[&DnsRecordForms], form: &FormQuery) -> Self {
        let purpose = records.first().map_or("", |record| &record.purpose);
        Self {
            state: frame.state("off", "dns-page-not-checked"),
            is_open: true,
            title: frame.say(&format!("dns-purpose-{purpose}")),
            about: records.first().map(|record| about(&record.name_whole, &record.kind)).unwrap_or_default(),
            why: why(frame, purpose),
            says: String::new(),
            advice: String::new(),
            wanted: records.iter().map(|record| Wanted::of(record, form)).collect(),
            was_checked: false,
            found: Vec::new(),
            surplus: Vec::new(),
            proof: String::new(),
        }
    }
}

fn about(about: &str, detail: &str) -> String {
    if detail.is_empty() { about.to_owned() } else { format!("{about} {detail}") }
}

/// What a check is for; nothing where the catalogue doesn't know it.
fn why(frame: &Frame, check: &str) -> String {
    let id = format!("dns-why-{check}");
    if frame.knows(&id) { frame.say(&id) } else { String::new() }
}

/// The checklist, by need; what is about no record comes last.
fn groups(frame: &Frame, report: &DnsReport, form: &FormQuery) -> Vec<Group> {
    let of_need = |need: &str| {
        let is_of = |finding: &&DnsFinding| finding.need.as_deref() == Some(need);
        let mut findings: Vec<_> =
            report.findings.iter().filter(is_of).map(|finding| Finding::of(frame, finding, form)).collect();
        if report.findings.is_empty() {
            findings = unchecked(frame, report, need, form);
        }
        let (title, lead) = (frame.say(&format!("dns-need-{need}")), frame.say(&format!("dns-page-{need}-lead")));
        Group { title, lead, findings }
    };
    let others = report.findings.iter().filter(|finding| finding.need.is_none());
    let further = Group {
        title: frame.say("dns-page-further"),
        lead: frame.say("dns-page-further-lead"),
        findings: others.map(|finding| Finding::of(frame, finding, form)).collect(),
    };
    NEEDS.into_iter().map(of_need).chain([further]).filter(|group| !group.findings.is_empty()).collect()
}

fn unchecked(frame: &Frame, report: &DnsReport, need: &str, form: &FormQuery) -> Vec<Finding> {
    let mut sets: Vec<Vec<&DnsRecordForms>> = Vec::new();
    for record in report.records.iter().filter(|record| record.need == need) {
        let key = |record: &DnsRecordForms| (record.purpose.clone(), record.name_whole.clone(), record.kind.clone());
        match sets.iter_mut().find(|set| set.first().is_some_and(|known| key(known) == key(record))) {
            Some(set) => set.push(record),
            None => sets.push(vec![record]),
        }
    }
    sets.iter().map(|records| Finding::unchecked(frame, records, form)).collect()
}

impl ReportPage {
    fn of(frame: Frame, role: Role, report: &DnsReport, form: &FormQuery) -> Self {
        let choice = |value, id: &str, chosen: &str| Choice::new(value, frame.say(id), chosen);
        let names = if form.names == "whole" { "whole" } else { "within" };
        let texts = if form.texts == "split" { "split" } else { "joined" };
        let is_owner = role == Role::Owner;
        let here = path::of(path::DNS, if report.is_host { HOST } else { &report.ascii });
        let can_rotate = !report.keys.is_empty() && report.keys.iter().all(|key| key.state != "waits");
        Self {
            rotate_href: if can_rotate { format!("{here}/keys") } else { String::new() },
            here,
            ascii: if report.ascii == report.name { String::new() } else { report.ascii.clone() },
            state: state(&frame, report.verdict),
            says: sentence(&frame, report.verdict, report.counts),
            checked: report.checked_at.map(|at| frame.time(at.0)),
            is_running: report.is_running,
            hindrance: report.hindrance.as_ref().map(|text| frame.tell(text)).unwrap_or_default(),
            can_check: report.hindrance.is_none() && !report.is_running && (is_owner || !report.is_host),
            can_push: is_owner,
            addresses: report.addresses.join(", "),
            names: vec![
                choice("within", "dns-page-names-within", names),
                choice("whole", "dns-page-names-whole", names),
            ],
            texts: vec![
                choice("joined", "dns-page-texts-joined", texts),
                choice("split", "dns-page-texts-split", texts),
            ],
            groups: groups(&frame, report, form),
            keys: report.keys.iter().map(|key| Key::of(&frame, key)).collect(),
            domain_href: if report.is_host { String::new() } else { path::of(path::DOMAINS, &report.ascii) },
            name: report.name.clone(),
            frame,
        }
    }
}

/// The report of a path's domain, or of the host.
pub(super) async fn read(admin: &relais_service::Actor, web: &Web, name: &str) -> Result<DnsReport, Failure> {
    match whose(name) {
        Some(domain) => web.service().dns.show(admin, domain).await,
        None => web.service().dns.host(admin).await,
    }
}

async fn show(admin: Admin, State(web): State<Web>, Path(name): Path<String>, Query(form): Query<FormQuery>) -> Oops {
    let report = read(&admin.actor, &web, &name).await?;
    Ok(shown(&ReportPage::of(admin.frame(&web), admin.actor.role, &report, &form)))
}

/// Asked again and again by the page while a check runs: once it is over, htmx loads the page anew.
async fn progress(admin: Admin, State(web): State<Web>, Path(name): Path<String>) -> Oops {
    let report = read(&admin.actor, &web, &name).await?;
    if report.is_running {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(([("hx-refresh", "true")], StatusCode::OK).into_response())
}

async fn check(
    admin: Admin,
    State(web): State<Web>,
    Path(name): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let says = match web.service().dns.check(&admin.actor, whose(&name)).await {
        // It rests for some seconds: what was just found stands there.
        Err(Failure::TooMany { .. }) => "dns-page-check-rests",
        begun => begun.map(|()| "dns-page-check-begun")?,
    };
    Ok(done(&path::of(path::DNS, &name), Text::new(says)))
}

async fn rotate(
    admin: Admin,
    State(web): State<Web>,
    Path(name): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    web.service().dns.rotate_keys(&admin.actor, &name).await?;
    Ok(done(&path::of(path::DNS, &name), Text::new("dns-keys-made")))
}

async fn zone_file(admin: Admin, State(web): State<Web>, Path(name): Path<String>) -> Result<Response, PageError> {
    let report = read(&admin.actor, &web, &name).await?;
    let file = web.service().dns.zone_file(&admin.actor, whose(&name)).await?;
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}.zone\"", report.ascii)),
    ];
    Ok((headers, file).into_response())
}

#[cfg(test)]
pub(super) mod samples {
    use relais_model::Timestamp;
    use relais_service::{DnsCounts, DnsRow, Moment};

    use super::*;

    pub(in crate::panel) fn at(minutes: i64) -> Moment {
        Moment(Timestamp::from_millis(1_795_428_000_000 + minutes * 60_000))
    }

    pub(in crate::panel) fn row(verdict: Option<DnsVerdict>) -> DnsRow {
        DnsRow {
            domain: "mühle.example".to_owned(),
            ascii: "xn--mhle-0ra.example".to_owned(),
            verdict,
            counts: DnsCounts { good: 12, better: 1, unknown: 0, wrong: 3 },
            checked_at: verdict.map(|_| at(-20)),
            is_running: verdict.is_none(),
        }
    }

    pub(in crate::panel) fn record(purpose: &str, need: &str, kind: &str, value: &str) -> DnsRecordForms {
        DnsRecordForms {
            purpose: purpose.to_owned(),
            need: need.to_owned(),
            kind: kind.to_owned(),
            ttl: 3600,
            name_whole: "example.org".to_owned(),
            name_within: "@".to_owned(),
            value: value.to_owned(),
            value_split: (kind == "TXT").then(|| format!("\"{value}\"")),
            priority: (kind == "MX").then_some(10),
            value_without_priority: (kind == "MX").then(|| "mx.example.org".to_owned()),
            line: format!("example.org.\t3600\tIN\t{kind}\t{value}"),
        }
    }

    fn finding(check: &str, need: Option<&str>, verdict: DnsVerdict, wanted: Vec<DnsRecordForms>) -> DnsFinding {
        let found = DnsRecord {
            name: "example.org".to_owned(),
            kind: "MX".to_owned(),
            ttl: 300,
            value: "5 mail.elsewhere.example".to_owned(),
        };
        let title = if need.is_some() { "purpose" } else { "check" };
        let is_bad = verdict == DnsVerdict::Wrong;
        DnsFinding {
            key: format!("{check}:example.org:"),
            title: Text::named(format!("dns-{title}-{check}")),
            check: check.to_owned(),
            about: "example.org".to_owned(),
            detail: "MX".to_owned(),
            verdict,
            says: if is_bad {
                Text::new("dns-mx-elsewhere").with("found", "mail.elsewhere.example")
            } else {
                Text::new("dns-good")
            },
            advice: is_bad.then(|| Text::new("dns-mx-elsewhere-advice")),
            need: need.map(str::to_owned),
            surplus: if is_bad { vec![found.clone()] } else { Vec::new() },
            found: if verdict == DnsVerdict::Unknown { Vec::new() } else { vec![found] },
            wanted,
            proof: if is_bad { "insecure" } else { "unknown" }.to_owned(),
            can_push: need.is_some(),
        }
    }

    /// One in each state.
    fn keys() -> Vec<DkimKeyView> {
        let key = |state, until: Option<i64>| DkimKeyView {
            selector: "r20260101".to_owned(),
            algorithm: if state == "signs" { "rsa" } else { "ed25519" }.to_owned(),
            state,
            says: Text::named(format!("dns-key-{state}")),
            since: at(-5000),
            until: until.map(at),
        };
        vec![key("waits", None), key("signs", Some(5000)), key("retired", Some(900)), key("aged", None)]
    }

    /// Of a domain, or of the host: one of each verdict.
    pub(in crate::panel) fn report(is_host: bool) -> DnsReport {
        let mx = record("mx", "must", "MX", "10 mx.example.org");
        let txt = record("dmarc", "should", "TXT", "v=DMARC1; p=none");
        DnsReport {
            name: "example.org".to_owned(),
            ascii: "example.org".to_owned(),
            zone: "example.org".to_owned(),
            is_host,
            verdict: Some(DnsVerdict::Wrong),
            counts: DnsCounts { good: 12, better: 1, unknown: 1, wrong: 1 },
            checked_at: Some(at(-20)),
            is_running: false,
            hindrance: None,
            addresses: vec!["192.0.2.1".to_owned(), "2001:db8::1".to_owned()],
            keys: if is_host { Vec::new() } else { keys() },
            findings: vec![
                finding("mx", Some("must"), DnsVerdict::Wrong, vec![mx.clone()]),
                finding("dmarc", Some("should"), DnsVerdict::Unknown, vec![txt.clone()]),
                finding("autoconfig", Some("nice"), DnsVerdict::Good, Vec::new()),
                finding("port-in", None, DnsVerdict::Better, Vec::new()),
                finding("something-new", None, DnsVerdict::Good, Vec::new()),
            ]
            .into_iter()
            .map(|finding| DnsFinding {
                title: if finding.check == "something-new" { Text::new("dns-check-dnssec") } else { finding.title },
                ..finding
            })
            .collect(),
            records: vec![mx.clone(), mx, txt],
            account: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::report;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn reports_are_drawn() {
        draw(|frame| {
            let page = |role, report: &DnsReport, form: &FormQuery| ReportPage::of(frame.clone(), role, report, form);
            let usual = FormQuery::default();
            let other = FormQuery { names: "whole".to_owned(), texts: "split".to_owned() };
            let never = DnsReport {
                findings: Vec::new(),
                verdict: None,
                checked_at: None,
                hindrance: Some(Text::new("dns-timeout")),
                ascii: "xn--mhle-0ra.example".to_owned(),
                ..report(false)
            };
            let running = DnsReport { is_running: true, ..report(false) };
            vec![
                page(Role::Owner, &report(false), &usual),
                page(Role::DomainAdmin, &report(true), &other),
                page(Role::Owner, &never, &usual),
                page(Role::Owner, &running, &usual),
            ]
        });
    }

    #[test]
    fn records_are_written_as_the_form_wants_them() {
        let record = samples::record("mx", "must", "MX", "10 mx.example.org");
        let text = samples::record("spf", "must", "TXT", "v=spf1 a -all");
        let written = |record: &DnsRecordForms, names: &str, texts: &str| {
            let form = FormQuery { names: names.to_owned(), texts: texts.to_owned() };
            let Wanted { name, priority, value, .. } = Wanted::of(record, &form);
            (name, priority, value)
        };
        let owned =
            |(name, priority, value): (&str, &str, &str)| (name.to_owned(), priority.to_owned(), value.to_owned());
        assert_eq!(written(&record, "", ""), owned(("@", "10", "mx.example.org")));
        assert_eq!(written(&record, "whole", "split"), owned(("example.org", "10", "mx.example.org")));
        assert_eq!(written(&text, "within", "split"), owned(("@", "", "\"v=spf1 a -all\"")));
        assert_eq!(written(&text, "other", "other"), owned(("@", "", "v=spf1 a -all")));
    }
}
