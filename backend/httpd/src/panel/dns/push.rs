//! Setting records at a provider: which, what would change, doing it; and what was done, with the way back.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    Actor, DnsAccountView, DnsChange, DnsObstacle, DnsPreview, DnsPushForm, DnsPushView, DnsReport, DnsVerdict,
    Failure, Paging, Rows, Text,
};
use serde::Deserialize;

use super::report::read;
use super::{HOST, state, whose};
use crate::kit::{
    self, Complaints, Flash, FlashKind, Form, Frame, ListQuery, Oops, Owner, Pager, Routes, Time, again, redirect,
    shown,
};
use crate::panel::question::QuestionPage;
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::DNS_PUSH, choose)
        .post(path::DNS_PUSH, push)
        .get(path::DNS_RECEIPTS, receipts)
        .get(path::DNS_RECEIPT, receipt)
        .get(path::DNS_RECEIPT_UNDO, undo_form)
        .post(path::DNS_RECEIPT_UNDO, undo)
}

/// Which of the findings are to be mended.
#[derive(Debug, Template)]
#[template(path = "panel/dns/push.html")]
struct ChoosePage {
    frame: Frame,
    complaints: Complaints,
    title: String,
    back: String,
    action: String,
    add: String,
    /// With which account they would be set; empty where none serves the zone.
    account: String,
    was_checked: bool,
    choices: Vec<Mendable>,
}

/// What could be mended.
#[derive(Debug)]
struct Mendable {
    key: String,
    title: String,
    about: String,
    says: String,
    state: kit::State,
    is_chosen: bool,
}

impl ChoosePage {
    fn of(frame: Frame, report: &DnsReport, chosen: Option<&[String]>, complaints: Complaints) -> Self {
        let open = report.findings.iter().filter(|finding| finding.can_push && finding.verdict != DnsVerdict::Good);
        let choices = open.map(|finding| Mendable {
            is_chosen: chosen.is_none_or(|chosen| chosen.contains(&finding.key)),
            key: finding.key.clone(),
            title: frame.tell(&finding.title),
            about: finding.about.clone(),
            says: frame.tell(&finding.says),
            state: state(&frame, Some(finding.verdict)),
        });
        let with_account =
            |account: &DnsAccountView| frame.tell(&Text::new("dns-push-at").with("account", account.name.as_str()));
        let back = back(report);
        Self {
            complaints,
            title: frame.tell(&Text::new("dns-push-title").with("domain", report.name.as_str())),
            action: format!("{back}/push"),
            add: format!("{}?{}", path::DNS_ACCOUNT_NEW, kit::query(&[("domain", &report.ascii)])),
            account: report.account.as_ref().map(with_account).unwrap_or_default(),
            was_checked: report.checked_at.is_some(),
            choices: choices.collect(),
            back,
            frame,
        }
    }
}

fn back(report: &DnsReport) -> String {
    path::of(path::DNS, if report.is_host { HOST } else { &report.ascii })
}

async fn choose(owner: Owner, State(web): State<Web>, Path(name): Path<String>) -> Oops {
    // Asked before anything is chosen, which would be lost on the way.
    owner.actor.require_proof()?;
    let report = read(&owner.actor, &web, &name).await?;
    Ok(shown(&ChoosePage::of(owner.frame(&web), &report, None, Complaints::default())))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct PushFields {
    finding: Vec<String>,
    /// Empty: only show what would be done.
    plan: String,
    /// Instead of findings: the domain's DMARC record with this policy. Its reports advise it.
    dmarc_policy: String,
}

/// What would be done.
#[derive(Debug, Template)]
#[template(path = "panel/dns/preview.html")]
struct PreviewPage {
    frame: Frame,
    title: String,
    back: String,
    back_name: String,
    action: String,
    lead: String,
    /// The plan that was shown before is of no use any more.
    is_stale: bool,
    plan: String,
    findings: Vec<String>,
    dmarc_policy: String,
    changes: Vec<Change>,
    obstacles: Vec<Obstacle>,
    act: String,
}

/// What becomes of the records of one name and type.
#[derive(Debug)]
struct Change {
    name: String,
    kind: String,
    ttl: String,
    added: Vec<String>,
    removed: Vec<String>,
    kept: Vec<String>,
    /// What came of it; none before it is done.
    fate: Option<kit::State>,
    says: String,
}

#[derive(Debug)]
struct Obstacle {
    what: String,
    says: String,
}

impl Change {
    fn of(frame: &Frame, change: DnsChange) -> Self {
        let ttl = match (change.ttl_before, change.ttl_after) {
            (Some(before), Some(after)) if before != after => {
                let text = Text::new("dns-push-ttl").with("before", before.to_string());
                frame.tell(&text.with("after", after.to_string()))
            }
            _ => String::new(),
        };
        let fate = change.fate.as_deref().map(|fate| match fate {
            "done" => frame.state("ok", "dns-fate-done"),
            "untouched" => frame.state("off", "dns-fate-untouched"),
            "otherwise" => frame.state("bad", "dns-fate-otherwise"),
            _ => frame.state("wait", "dns-fate-unknown"),
        });
        Self {
            ttl,
            fate,
            says: change.says.as_ref().map(|says| frame.tell(says)).unwrap_or_default(),
            name: change.name,
            kind: change.kind,
            added: change.added,
            removed: change.removed,
            kept: change.kept,
        }
    }
}

impl Obstacle {
    fn of(frame: &Frame, obstacle: &DnsObstacle) -> Self {
        Self { what: format!("{} {}", obstacle.name, obstacle.kind), says: frame.tell(&obstacle.says) }
    }
}

impl PreviewPage {
    fn of(frame: Frame, report: &DnsReport, preview: DnsPreview, is_stale: bool, dmarc_policy: String) -> Self {
        let dns = back(report);
        let back = if dmarc_policy.is_empty() {
            dns.clone()
        } else {
            format!("{}/reports", path::of(path::DOMAINS, &report.ascii))
        };
        let count = u64::try_from(preview.changes.len()).unwrap_or(u64::MAX);
        let lead = Text::new("dns-push-zone").with("zone", preview.zone).with("account", preview.account.name);
        Self {
            title: frame.tell(&Text::new("dns-push-title").with("domain", report.name.as_str())),
            lead: frame.tell(&lead),
            action: format!("{dns}/push"),
            back_name: frame.say(if dmarc_policy.is_empty() { "dns-page-title" } else { "reports-page-title" }),
            back,
            is_stale,
            dmarc_policy,
            plan: preview.plan,
            findings: preview.findings,
            obstacles: preview.obstacles.iter().map(|obstacle| Obstacle::of(&frame, obstacle)).collect(),
            changes: preview.changes.into_iter().map(|change| Change::of(&frame, change)).collect(),
            act: frame.count("dns-push-do", count),
            frame,
        }
    }
}

async fn push(owner: Owner, State(web): State<Web>, Path(name): Path<String>, Form(fields): Form<PushFields>) -> Oops {
    let (dns, by, domain) = (&web.service().dns, &owner.actor, whose(&name));
    if by.require_proof().is_err() {
        return Ok(owner.prove_and_return(&format!("{}/push", path::of(path::DNS, &name))));
    }
    let dmarc_policy = kit::typed(&fields.dmarc_policy);
    let mut form = DnsPushForm { findings: fields.finding.clone(), dmarc_policy, plan: kit::typed(&fields.plan) };
    let is_push = form.plan.is_some();
    let mut outcome = Err(Failure::unfit("finding", Text::new("dns-push-choose")));
    if is_push {
        match dns.push(by, domain, &form).await {
            Ok(done) => return Ok(told(&done, "dns-pushed")),
            // The zone has changed since: what would be done now is shown anew.
            Err(Failure::Stale(_)) => form.plan = None,
            Err(failure) => outcome = Err(failure),
        }
    }
    if form.plan.is_none() && (!form.findings.is_empty() || form.dmarc_policy.is_some()) {
        outcome = dns.preview(by, domain, &form).await;
    }
    let report = read(by, &web, &name).await?;
    let frame = owner.frame(&web);
    match outcome {
        Ok(preview) => {
            let policy = form.dmarc_policy.unwrap_or_default();
            Ok(shown(&PreviewPage::of(frame, &report, preview, is_push, policy)))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&ChoosePage::of(frame, &report, Some(&fields.finding), complaints)))
        }
    }
}

/// To the page of what was done.
fn told(done: &DnsPushView, said: &'static str) -> axum::response::Response {
    let (kind, said) = if done.is_complete { (FlashKind::Ok, said) } else { (FlashKind::Warn, "dns-pushed-partly") };
    redirect(&path::of(path::DNS_RECEIPTS, &done.id), &Flash { kind, text: Text::new(said), undo: None })
}

#[derive(Debug, Template)]
#[template(path = "panel/dns/receipts.html")]
struct ReceiptsPage {
    frame: Frame,
    rows: Vec<Receipt>,
    pager: Pager,
}

/// One change of a zone, in short.
#[derive(Debug)]
struct Receipt {
    href: String,
    zone: String,
    account: String,
    by: String,
    at: Time,
    changes: String,
    state: kit::State,
}

impl Receipt {
    fn of(frame: &Frame, done: &DnsPushView) -> Self {
        let state = match (done.undone_at, done.is_complete) {
            (Some(_), _) => frame.state("off", "dns-receipt-undone"),
            (None, true) => frame.state("ok", "dns-receipt-complete"),
            (None, false) => frame.state("warn", "dns-receipt-partial"),
        };
        Self {
            href: path::of(path::DNS_RECEIPTS, &done.id),
            zone: done.zone.clone(),
            account: done.account.clone().unwrap_or_default(),
            by: done.by.clone(),
            at: frame.time(done.at.0),
            changes: frame.number(u64::try_from(done.changes.len()).unwrap_or(u64::MAX)),
            state,
        }
    }
}

impl ReceiptsPage {
    fn of(frame: Frame, found: &Rows<DnsPushView>, is_first: bool) -> Self {
        let with = |after: String| ListQuery { after, ..ListQuery::default() };
        let next = found.next.as_deref();
        Self {
            pager: Pager::of(&frame, path::DNS_RECEIPTS, found.rows.len(), next, is_first, with),
            rows: found.rows.iter().map(|done| Receipt::of(&frame, done)).collect(),
            frame,
        }
    }
}

async fn receipts(owner: Owner, State(web): State<Web>, Query(fields): Query<ListQuery>) -> Oops {
    let found = web.service().dns.pushes(&owner.actor, None, fields.paging()).await?;
    Ok(shown(&ReceiptsPage::of(owner.frame(&web), &found, fields.after.is_empty())))
}

/// What was changed, and what came of each.
#[derive(Debug, Template)]
#[template(path = "panel/dns/receipt.html")]
struct ReceiptPage {
    frame: Frame,
    title: String,
    kind: &'static str,
    verdict: String,
    why: String,
    failure: String,
    receipt: Receipt,
    undone: Option<(Time, String)>,
    can_undo: bool,
    changes: Vec<Change>,
    /// The checklist that it was done from.
    report: String,
}

impl ReceiptPage {
    fn of(frame: Frame, done: DnsPushView) -> Self {
        let (kind, verdict, why) = match (done.undone_at, done.is_complete) {
            (Some(_), _) => ("info", "dns-receipt-undone", "dns-receipt-undone-why"),
            (None, true) => ("ok", "dns-receipt-complete", "dns-receipt-complete-why"),
            (None, false) => ("warn", "dns-receipt-partial", "dns-receipt-partial-why"),
        };
        Self {
            title: frame.tell(&Text::new("dns-receipt-title").with("zone", done.zone.as_str())),
            kind,
            verdict: frame.say(verdict),
            why: frame.say(why),
            failure: done.failure.as_ref().map(|failure| frame.tell(failure)).unwrap_or_default(),
            undone: done.undone_at.map(|at| (frame.time(at.0), done.undone_by.clone().unwrap_or_default())),
            can_undo: done.can_undo,
            receipt: Receipt::of(&frame, &done),
            report: path::of(path::DNS, done.domain.as_deref().unwrap_or(HOST)),
            changes: done.changes.into_iter().map(|change| Change::of(&frame, change)).collect(),
            frame,
        }
    }
}

async fn receipt(owner: Owner, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    let done = find(&owner.actor, &web, &id).await?;
    Ok(shown(&ReceiptPage::of(owner.frame(&web), done)))
}

/// Among all that was done.
async fn find(by: &Actor, web: &Web, id: &str) -> Result<DnsPushView, Failure> {
    let mut after = None;
    loop {
        let found = web.service().dns.pushes(by, None, Paging { after, limit: 200 }).await?;
        if let Some(done) = found.rows.into_iter().find(|done| done.id == id) {
            return Ok(done);
        }
        if found.next.is_none() {
            return Err(Failure::Absent(Text::new("dns-receipt-absent-page")));
        }
        after = found.next;
    }
}

fn ask_to_undo(frame: Frame, done: &DnsPushView) -> QuestionPage {
    let back = path::of(path::DNS_RECEIPTS, &done.id);
    let text = Text::new("dns-receipt-undo-text").with("zone", done.zone.as_str());
    QuestionPage {
        title: frame.say("dns-receipt-undo-title"),
        text: frame.tell(&text),
        goes: done.changes.iter().map(|change| format!("{} {}", change.name, change.kind)).collect(),
        action: format!("{back}/undo"),
        act: frame.say("dns-receipt-undo"),
        back,
        kind: "danger",
        version: String::new(),
        frame,
    }
}

async fn undo_form(owner: Owner, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    owner.actor.require_proof()?;
    let done = find(&owner.actor, &web, &id).await?;
    Ok(shown(&ask_to_undo(owner.frame(&web), &done)))
}

async fn undo(owner: Owner, State(web): State<Web>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Oops {
    if owner.actor.require_proof().is_err() {
        return Ok(owner.prove_and_return(&path::of(path::DNS_RECEIPTS, &id)));
    }
    let done = web.service().dns.undo(&owner.actor, &id).await?;
    let is_whole = done.failure.is_none();
    let (kind, said) = if is_whole { (FlashKind::Ok, "dns-undone") } else { (FlashKind::Warn, "dns-pushed-partly") };
    Ok(redirect(&path::of(path::DNS_RECEIPTS, &id), &Flash { kind, text: Text::new(said), undo: None }))
}

#[cfg(test)]
mod tests {
    use super::super::report::samples::{at, report};
    use super::*;
    use crate::kit::samples::draw;

    fn account() -> DnsAccountView {
        DnsAccountView {
            id: "1".to_owned(),
            provider: "desec".to_owned(),
            provider_name: Text::new("dns-provider-desec"),
            name: "Ours at deSEC".to_owned(),
            settings: std::collections::BTreeMap::new(),
            zones: vec!["example.org".to_owned()],
            turns_keys: true,
            created_at: at(-5000),
        }
    }

    fn change(fate: Option<&str>) -> DnsChange {
        DnsChange {
            name: "example.org".to_owned(),
            kind: "MX".to_owned(),
            ttl_before: Some(300),
            ttl_after: Some(3600),
            added: vec!["10 mx.example.org.".to_owned()],
            removed: vec!["5 mail.elsewhere.example.".to_owned()],
            kept: vec!["20 backup.example.org.".to_owned()],
            fate: fate.map(str::to_owned),
            says: None,
        }
    }

    fn done(is_complete: bool, is_undone: bool) -> DnsPushView {
        DnsPushView {
            id: "1".to_owned(),
            domain: is_complete.then(|| "example.org".to_owned()),
            zone: "example.org".to_owned(),
            account: Some("Ours at deSEC".to_owned()),
            by: "ann@example.org".to_owned(),
            at: at(-60),
            changes: ["done", "untouched", "otherwise", "unknown"].map(|fate| change(Some(fate))).into(),
            failure: (!is_complete).then(|| Text::new("dns-provider-failure-timeout")),
            is_complete,
            undone_at: is_undone.then(|| at(-10)),
            undone_by: is_undone.then(|| "bob@example.org".to_owned()),
            can_undo: !is_undone,
        }
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame| {
            let none = ChoosePage::of(frame.clone(), &report(false), None, Complaints::default());
            let some = DnsReport { account: Some(account()), ..report(false) };
            let never = DnsReport { checked_at: None, findings: Vec::new(), ..some.clone() };
            let complaints = Complaints::of(&frame, Failure::unfit("finding", Text::new("dns-push-choose"))).unwrap();
            vec![
                none,
                ChoosePage::of(frame.clone(), &some, Some(&[]), complaints),
                ChoosePage::of(frame, &never, None, Complaints::default()),
            ]
        });
        draw(|frame| {
            let preview = |changes| DnsPreview {
                plan: "p".to_owned(),
                zone: "example.org".to_owned(),
                account: account(),
                findings: vec!["mx:example.org:".to_owned()],
                changes,
                obstacles: vec![DnsObstacle {
                    name: "_dmarc.example.org".to_owned(),
                    kind: "TXT".to_owned(),
                    says: Text::new("dns-provider-hindrance-fixed"),
                }],
            };
            vec![
                PreviewPage::of(frame.clone(), &report(false), preview(vec![change(None)]), false, String::new()),
                PreviewPage::of(frame.clone(), &report(false), preview(vec![change(None)]), false, "reject".to_owned()),
                PreviewPage::of(frame, &report(true), preview(Vec::new()), true, String::new()),
            ]
        });
        draw(|frame| {
            let found = |rows| Rows { rows, next: None };
            let all = vec![done(true, false), done(false, false), done(true, true)];
            vec![ReceiptsPage::of(frame.clone(), &found(all), true), ReceiptsPage::of(frame, &found(Vec::new()), true)]
        });
        draw(|frame| {
            let page = |done| ReceiptPage::of(frame.clone(), done);
            vec![page(done(true, false)), page(done(false, false)), page(done(true, true))]
        });
        draw(|frame| vec![ask_to_undo(frame, &done(true, false))]);
    }
}
