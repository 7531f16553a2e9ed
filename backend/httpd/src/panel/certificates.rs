//! Certificates: which there are and until when, the names that wait for one and what to do about them, the orders at the CA, and
//! what the doors really show.
//!
//! A private key goes in and never out: a form that is shown again has the chain that was typed, and no key.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    Actor, CaView, CertificateNameRow, CertificateOrderRow, CertificateRow, DoorView, Failure, OwnCertificateForm,
    Reach, Role, Rows, Text, WantedNameForm,
};
use serde::{Deserialize, Serialize};

use super::question::QuestionPage;
use super::sign_in::Nothing;
use crate::kit::{
    Admin, Choice, Complaints, Flash, FlashKind, Form, Frame, ListQuery, Oops, Owner, PageError, Pager, Routes, Time,
    Upload, again, done, redirect, shown,
};
use crate::{Web, kit, path};

/// Octets of a chain that a form brings back, at most; longer ones are no certificates.
const KEPT_OCTETS: usize = 256 * 1024;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::CERTIFICATES, list)
        .get(path::CERTIFICATE_NEW, new_form)
        .upload(path::CERTIFICATE_NEW, bring)
        .post(path::CERTIFICATE_RENEW, renew)
        .get(path::CERTIFICATE_REMOVE, remove_form)
        .post(path::CERTIFICATE_REMOVE, remove)
        .get(path::CERTIFICATE_NAMES, names)
        .post(path::CERTIFICATE_NAMES, want)
        .post(path::CERTIFICATE_NAME_REMOVE, unwant)
        .post(path::CERTIFICATE_ORDER, order)
        .get(path::CERTIFICATE_ORDERS, orders)
        .post(path::CERTIFICATE_BEGIN, begin)
        .get(path::CERTIFICATE_DOORS, doors)
}

/// What stands above each of the lists.
#[derive(Debug)]
struct Head {
    tabs: Vec<Tab>,
    /// Whose CA it is, and how we stand with it; owners alone see it.
    authority: Option<Authority>,
    is_owner: bool,
    is_ordering: bool,
}

#[derive(Debug)]
struct Tab {
    title: String,
    href: &'static str,
    is_current: bool,
}

/// The CA.
#[derive(Debug)]
struct Authority {
    host: String,
    terms_url: &'static str,
    contact: String,
    since: Option<Time>,
    rests_until: Option<Time>,
    says: String,
}

impl Authority {
    fn of(frame: &Frame, ca: CaView) -> Self {
        let host = ca.directory_url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        Self {
            host: host.unwrap_or(&ca.directory_url).to_owned(),
            terms_url: ca.terms_url.unwrap_or_default(),
            contact: ca.contact.unwrap_or_else(|| frame.say("certificates-page-nobody")),
            since: ca.account_since.map(|at| frame.time(at.0)),
            rests_until: ca.rests_until.map(|at| frame.time(at.0)),
            says: frame.tell(&ca.says),
        }
    }
}

impl Head {
    fn of(frame: &Frame, role: Role, current: &str, is_ordering: bool, ca: Option<CaView>) -> Self {
        let pages = [
            (Role::DomainAdmin, path::CERTIFICATES, "nav-certificates"),
            (Role::DomainAdmin, path::CERTIFICATE_NAMES, "certificates-page-names"),
            (Role::Owner, path::CERTIFICATE_ORDERS, "certificates-page-orders"),
            (Role::Owner, path::CERTIFICATE_DOORS, "certificates-page-doors"),
        ];
        let tab =
            |(_, href, id): (Role, &'static str, &str)| Tab { title: frame.say(id), href, is_current: href == current };
        Self {
            tabs: pages.into_iter().filter(|(least, ..)| *least <= role).map(tab).collect(),
            authority: ca.map(|ca| Authority::of(frame, ca)),
            is_owner: role == Role::Owner,
            is_ordering,
        }
    }
}

async fn head(web: &Web, by: &Actor, frame: &Frame, current: &str) -> Result<Head, PageError> {
    let ca = if by.role == Role::Owner { Some(web.service().certificate_authority(by).await?) } else { None };
    Ok(Head::of(frame, by.role, current, web.service().orders_certificates(), ca))
}

fn pager<T>(frame: &Frame, path: &str, found: &Rows<T>, is_first: bool) -> Pager {
    let with = |after: String| ListQuery { after, ..ListQuery::default() };
    Pager::of(frame, path, found.rows.len(), found.next.as_deref(), is_first, with)
}

#[derive(Debug, Template)]
#[template(path = "panel/certificates/list.html")]
struct ListPage {
    head: Head,
    rows: Vec<Row>,
    pager: Pager,
    frame: Frame,
}

/// A certificate that is kept.
#[derive(Debug)]
struct Row {
    /// The first of its names, and the others.
    name: String,
    more: Vec<String>,
    more_count: String,
    issuer: String,
    source: String,
    state: kit::State,
    is_in_use: bool,
    until: Time,
    days: String,
    renewal: Option<Time>,
    /// It comes from the CA, which can be asked for a new one.
    is_ordered: bool,
    renew: String,
    remove: String,
}

impl Row {
    fn of(frame: &Frame, row: CertificateRow) -> Self {
        let here = path::of(path::CERTIFICATES, &row.id);
        let is_ordered = row.source == "acme";
        let state = match (row.is_ending, row.days_left) {
            (true, 0) => frame.state("bad", "certificate-ended"),
            (true, _) => frame.state("warn", "certificate-ending"),
            (false, _) => frame.state("ok", "certificate-lasts"),
        };
        let mut names = row.names.into_iter();
        let name = names.next().unwrap_or_default();
        let more: Vec<_> = names.collect();
        Self {
            name,
            more_count: frame.count("certificates-page-more-names", u64::try_from(more.len()).unwrap_or(u64::MAX)),
            more,
            issuer: row.issuer,
            source: frame.say(if is_ordered { "certificates-page-ordered" } else { "certificates-page-own" }),
            state,
            is_in_use: row.is_in_use,
            until: frame.time(row.not_after.0),
            days: frame.count("certificates-page-days-left", row.days_left),
            renewal: row.renews_at.map(|at| frame.time(at.0)),
            is_ordered,
            renew: format!("{here}/renew"),
            remove: format!("{here}/remove"),
        }
    }
}

impl ListPage {
    fn of(frame: Frame, head: Head, found: Rows<CertificateRow>, is_first: bool) -> Self {
        Self {
            pager: pager(&frame, path::CERTIFICATES, &found, is_first),
            rows: found.rows.into_iter().map(|row| Row::of(&frame, row)).collect(),
            head,
            frame,
        }
    }
}

async fn list(admin: Admin, State(web): State<Web>, Query(fields): Query<ListQuery>) -> Oops {
    let found = web.service().stored_certificates(&admin.actor, fields.paging()).await?;
    let frame = admin.frame(&web);
    let head = head(&web, &admin.actor, &frame, path::CERTIFICATES).await?;
    Ok(shown(&ListPage::of(frame, head, found, fields.after.is_empty())))
}

#[derive(Debug, Template)]
#[template(path = "panel/certificates/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    /// As it was pasted or sent, without any private key.
    chain: String,
}

async fn new_form(owner: Owner, State(web): State<Web>) -> Oops {
    // Asked before anything is pasted, which would be lost on the way.
    owner.actor.require_proof()?;
    Ok(shown(&NewPage { frame: owner.frame(&web), complaints: Complaints::default(), chain: String::new() }))
}

async fn bring(owner: Owner, State(web): State<Web>, mut upload: Upload) -> Oops {
    let mut either = |file: &str, pasted: &str| {
        let (file, pasted) = (upload.take(file), upload.take(pasted));
        if file.is_empty() { pasted } else { file }
    };
    let form = OwnCertificateForm { chain: either("chain_file", "chain"), key: either("key_file", "key") };
    match web.service().bring_certificate(&owner.actor, &form).await {
        Ok(_) => Ok(done(path::CERTIFICATES, Text::new("certificates-page-brought"))),
        Err(failure) => {
            let frame = owner.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&NewPage { frame, complaints, chain: without_keys(&form.chain) }))
        }
    }
}

/// The text without the private keys in it, and without what cannot be told from one; empty where it is too long to be any.
fn without_keys(text: &str) -> String {
    if KEPT_OCTETS < text.len() {
        return String::new();
    }
    let (mut kept, mut is_key) = (String::with_capacity(text.len()), false);
    for line in text.split_inclusive('\n') {
        let is_mark = line.contains("PRIVATE KEY");
        if !is_mark && !is_key {
            kept.push_str(line);
        }
        if is_mark {
            is_key = !line.contains("-----END");
        }
    }
    kept
}

/// To `path`, where what could not be done now is told; every other failure is a page of its own.
fn told(path: &str, outcome: Result<(), Failure>, well: &'static str) -> Oops {
    match outcome {
        Ok(()) => Ok(done(path, Text::new(well))),
        Err(Failure::Clash(complaint)) => {
            Ok(redirect(path, &Flash { kind: FlashKind::Warn, text: complaint.why, undo: None }))
        }
        Err(failure) => Err(failure.into()),
    }
}

async fn renew(owner: Owner, State(web): State<Web>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Oops {
    let outcome = web.service().renew_certificate(&owner.actor, &id).await;
    told(path::CERTIFICATES, outcome, "certificates-page-renewing")
}

fn ask_to_remove(frame: Frame, row: &CertificateRow) -> QuestionPage {
    let names = Text::new("certificates-page-goes").with("names", row.names.join(", "));
    let is_ordered = row.source == "acme";
    QuestionPage {
        title: frame.say("certificates-page-remove-title"),
        text: frame.say(if is_ordered { "certificates-page-remove-ordered" } else { "certificates-page-remove-own" }),
        goes: vec![frame.tell(&names), frame.say("certificates-page-goes-key")],
        action: format!("{}/remove", path::of(path::CERTIFICATES, &row.id)),
        act: frame.say("certificates-page-remove"),
        back: path::CERTIFICATES.to_owned(),
        kind: "danger",
        version: String::new(),
        frame,
    }
}

async fn remove_form(owner: Owner, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    owner.actor.require_proof()?;
    let row = web.service().certificate(&owner.actor, &id).await?;
    Ok(shown(&ask_to_remove(owner.frame(&web), &row)))
}

async fn remove(owner: Owner, State(web): State<Web>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Oops {
    web.service().remove_certificate(&owner.actor, &id).await?;
    Ok(done(path::CERTIFICATES, Text::new("certificates-page-removed")))
}

#[derive(Debug, Template)]
#[template(path = "panel/certificates/names.html")]
struct NamesPage {
    head: Head,
    rows: Vec<NameRow>,
    pager: Pager,
    complaints: Complaints,
    fields: NameFields,
    domains: Vec<Choice>,
    /// Who serves some domains chooses one of them; an owner may type one, or none.
    is_chosen_from: bool,
    frame: Frame,
}

/// A name that a certificate is wanted for.
#[derive(Debug)]
struct NameRow {
    name: String,
    ascii: String,
    kind: String,
    is_asked: bool,
    state: kit::State,
    says: String,
    ca_says: String,
    served: String,
    /// What it is shown is made out for it.
    is_its_own: bool,
    until: Option<Time>,
    retry: Option<Time>,
    can_try: bool,
}

impl NameRow {
    fn of(frame: &Frame, row: CertificateNameRow) -> Self {
        let state = match row.state {
            "covered" => frame.state("ok", "certificates-page-covered"),
            "ready" => frame.state("info", "certificates-page-ready"),
            "refused" => frame.state("bad", "certificates-page-refused"),
            _ => frame.state("wait", "certificates-page-waiting"),
        };
        Self {
            kind: frame.say(if row.is_asked { "certificates-page-asked" } else { "certificates-page-service" }),
            state,
            says: frame.tell(&row.says),
            ca_says: row.ca_says.unwrap_or_default(),
            served: frame.say(&format!("certificates-page-by-{}", row.served_by.replace('_', "-"))),
            is_its_own: row.is_served_well,
            until: row.served_until.map(|at| frame.time(at.0)),
            retry: row.retry_at.filter(|at| !frame.is_past(at.0)).map(|at| frame.time(at.0)),
            can_try: matches!(row.state, "waiting" | "refused"),
            is_asked: row.is_asked,
            name: row.name,
            ascii: row.ascii,
        }
    }
}

/// What the form for one more name sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NameFields {
    name: String,
    domain: String,
}

impl NamesPage {
    fn of(
        frame: Frame,
        by: &Actor,
        head: Head,
        found: Rows<CertificateNameRow>,
        is_first: bool,
        (fields, complaints): (NameFields, Complaints),
    ) -> Self {
        let domains = match &by.reach {
            Reach::All => Vec::new(),
            Reach::Domains(domains) => domains
                .iter()
                .map(|(_, domain)| Choice::new(domain.as_str(), domain.to_unicode(), &fields.domain))
                .collect(),
        };
        Self {
            pager: pager(&frame, path::CERTIFICATE_NAMES, &found, is_first),
            rows: found.rows.into_iter().map(|row| NameRow::of(&frame, row)).collect(),
            is_chosen_from: by.reach != Reach::All,
            head,
            complaints,
            fields,
            domains,
            frame,
        }
    }
}

async fn names(admin: Admin, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    let (by, frame) = (&admin.actor, admin.frame(&web));
    let found = web.service().certificate_names(by, query.paging()).await?;
    let head = head(&web, by, &frame, path::CERTIFICATE_NAMES).await?;
    Ok(shown(&NamesPage::of(frame, by, head, found, query.after.is_empty(), Default::default())))
}

async fn want(admin: Admin, State(web): State<Web>, Form(fields): Form<NameFields>) -> Oops {
    let by = &admin.actor;
    let form = WantedNameForm { name: fields.name.clone(), domain: kit::typed(&fields.domain) };
    match web.service().want_certificate(by, &form).await {
        Ok(_) => Ok(done(path::CERTIFICATE_NAMES, Text::new("certificates-page-wanted"))),
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let found = web.service().certificate_names(by, ListQuery::default().paging()).await?;
            let head = head(&web, by, &frame, path::CERTIFICATE_NAMES).await?;
            Ok(again(&NamesPage::of(frame, by, head, found, true, (fields, complaints))))
        }
    }
}

async fn unwant(admin: Admin, State(web): State<Web>, Form(fields): Form<NameFields>) -> Oops {
    web.service().unwant_certificate(&admin.actor, &fields.name).await?;
    Ok(done(path::CERTIFICATE_NAMES, Text::new("certificates-page-unwanted")))
}

/// One name; none: all that wait.
async fn order(admin: Admin, State(web): State<Web>, Form(fields): Form<NameFields>) -> Oops {
    let names = kit::typed(&fields.name).map(|name| vec![name]);
    let outcome = web.service().order_certificates(&admin.actor, names.as_deref()).await;
    told(path::CERTIFICATE_NAMES, outcome, "certificates-page-ordering")
}

#[derive(Debug, Template)]
#[template(path = "panel/certificates/orders.html")]
struct OrdersPage {
    head: Head,
    rows: Vec<OrderRow>,
    pager: Pager,
    frame: Frame,
}

/// An order, as it is remembered.
#[derive(Debug)]
struct OrderRow {
    at: Time,
    names: String,
    state: kit::State,
    says: String,
    ca_says: String,
}

impl OrderRow {
    fn of(frame: &Frame, row: CertificateOrderRow) -> Self {
        let state = match row.outcome {
            "issued" => frame.state("ok", "certificates-page-issued"),
            "refused" => frame.state("bad", "certificates-page-refused"),
            _ => frame.state("wait", "certificates-page-postponed"),
        };
        Self {
            at: frame.time(row.at.0),
            names: row.names.join(", "),
            state,
            says: frame.tell(&row.says),
            ca_says: row.ca_says.unwrap_or_default(),
        }
    }
}

impl OrdersPage {
    fn of(frame: Frame, head: Head, found: Rows<CertificateOrderRow>, is_first: bool) -> Self {
        Self {
            pager: pager(&frame, path::CERTIFICATE_ORDERS, &found, is_first),
            rows: found.rows.into_iter().map(|row| OrderRow::of(&frame, row)).collect(),
            head,
            frame,
        }
    }
}

async fn orders(owner: Owner, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    let frame = owner.frame(&web);
    let found = web.service().certificate_orders(&owner.actor, query.paging()).await?;
    let head = head(&web, &owner.actor, &frame, path::CERTIFICATE_ORDERS).await?;
    Ok(shown(&OrdersPage::of(frame, head, found, query.after.is_empty())))
}

async fn begin(owner: Owner, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    web.service().begin_ordering(&owner.actor).await?;
    Ok(done(path::CERTIFICATES, Text::new("certificates-page-begun")))
}

#[derive(Debug, Template)]
#[template(path = "panel/certificates/doors.html")]
struct DoorsPage {
    head: Head,
    name: String,
    complaints: Complaints,
    /// None: nobody has looked.
    doors: Option<Vec<Door>>,
    frame: Frame,
}

/// What a door showed.
#[derive(Debug)]
struct Door {
    protocol: String,
    at: String,
    state: kit::State,
    says: String,
    names: String,
    issuer: String,
    until: Option<Time>,
    version: String,
}

impl Door {
    fn of(frame: &Frame, view: DoorView) -> Self {
        let state = match (view.is_right, &view.version) {
            (true, _) => frame.state("ok", "certificates-page-right"),
            (false, Some(_)) => frame.state("warn", "certificates-page-other"),
            (false, None) => frame.state("bad", "certificates-page-silent"),
        };
        Self {
            protocol: view.door.protocol,
            at: view.door.at,
            state,
            says: frame.tell(&view.says),
            names: view.names.join(", "),
            issuer: view.issuer,
            until: view.not_after.map(|at| frame.time(at.0)),
            version: view.version.unwrap_or_default(),
        }
    }
}

/// A name, once someone looks.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct DoorsQuery {
    name: Option<String>,
}

async fn doors(owner: Owner, State(web): State<Web>, Query(query): Query<DoorsQuery>) -> Oops {
    let frame = owner.frame(&web);
    let head = head(&web, &owner.actor, &frame, path::CERTIFICATE_DOORS).await?;
    let Some(name) = query.name else {
        let (name, complaints) = (frame.host.clone(), Complaints::default());
        return Ok(shown(&DoorsPage { head, name, complaints, doors: None, frame }));
    };
    match web.service().look_at_doors(&owner.actor, kit::typed(&name).as_deref()).await {
        Ok(found) => {
            let doors = Some(found.into_iter().map(|view| Door::of(&frame, view)).collect());
            Ok(shown(&DoorsPage { head, name, complaints: Complaints::default(), doors, frame }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&DoorsPage { head, name, complaints, doors: None, frame }))
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{ListenerView, Moment, Via};

    use super::*;
    use crate::kit::samples::draw;

    fn at(days: i64) -> Moment {
        Moment(Timestamp::from_millis(1_795_428_000_000 + days * 86_400_000))
    }

    fn certificate(source: &'static str, names: &[&str], days_left: u64) -> CertificateRow {
        let end = i64::try_from(days_left).unwrap();
        CertificateRow {
            id: "crt_1".to_owned(),
            source,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            issuer: "C=US, O=Let's Encrypt, CN=E7".to_owned(),
            not_before: at(end - 90),
            not_after: at(end),
            days_left,
            is_ending: days_left < 14,
            renews_at: (source == "acme").then(|| at(end - 30)),
            is_in_use: days_left > 0,
        }
    }

    fn authority(is_enabled: bool, rests_until: Option<Moment>) -> CaView {
        CaView {
            is_enabled,
            directory_url: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            terms_url: rests_until.is_none().then_some("https://letsencrypt.org/repository/"),
            contact: rests_until.is_some().then(|| "ann@example.org".to_owned()),
            account_since: rests_until.map(|_| at(-3)),
            rests_until,
            says: Text::new("certificate-ca-well"),
        }
    }

    /// Off, on, resting; and as a domain admin sees it.
    fn heads(frame: &Frame, current: &str) -> Vec<Head> {
        vec![
            Head::of(frame, Role::Owner, current, false, Some(authority(false, None))),
            Head::of(frame, Role::Owner, current, true, Some(authority(true, None))),
            Head::of(frame, Role::Owner, current, true, Some(authority(true, Some(at(1))))),
            Head::of(frame, Role::DomainAdmin, current, false, None),
        ]
    }

    fn lists(frame: &Frame) -> Vec<ListPage> {
        let rows = vec![
            certificate("acme", &["mx.example.org", "mta-sts.example.org", "autoconfig.example.org"], 64),
            certificate("own", &["a-very-long-host-name.of-a-department.bücher.example"], 5),
            certificate("own", &["old.example.org", "older.example.org"], 0),
        ];
        let page = |head, rows| ListPage::of(frame.clone(), head, Rows { rows, next: Some("x".to_owned()) }, false);
        let mut pages: Vec<_> =
            heads(frame, path::CERTIFICATES).into_iter().map(|head| page(head, rows.clone())).collect();
        pages.extend(heads(frame, path::CERTIFICATES).into_iter().map(|head| page(head, Vec::new())));
        pages
    }

    fn name(name: &str, state: &'static str, served_by: &'static str) -> CertificateNameRow {
        CertificateNameRow {
            name: name.to_owned(),
            ascii: name.to_owned(),
            state,
            is_asked: state == "refused",
            served_by,
            is_served_well: served_by != "self_signed",
            served_until: (served_by == "acme").then(|| at(64)),
            says: Text::new("certificate-problem-caa"),
            ca_says: (state == "refused").then(|| "CAA record for mail.example.org prevents issuance".to_owned()),
            failures: 3,
            retry_at: (state != "covered").then(|| at(1)),
        }
    }

    fn names_pages(frame: &Frame) -> Vec<NamesPage> {
        let owner = Actor { via: Via::Panel, ..Actor::command_line() };
        let domain = relais_model::Domain::parse("example.org").unwrap();
        let reach = Reach::Domains(vec![(relais_store::DomainKey::new(1), domain)]);
        let admin = Actor { role: Role::DomainAdmin, reach, ..owner.clone() };
        let rows = vec![
            name("mx.example.org", "covered", "acme"),
            name("mta-sts.example.org", "ready", "file"),
            name("autoconfig.example.org", "waiting", "self_signed"),
            name("*.mail.example.org", "refused", "own"),
        ];
        let failure = Failure::unfit("name", Text::new("certificate-no-name"));
        let fields = NameFields { name: "no name".to_owned(), domain: "example.org".to_owned() };
        let page = |by: &Actor, head, rows: &[CertificateNameRow], form| {
            NamesPage::of(frame.clone(), by, head, Rows { rows: rows.to_vec(), next: None }, true, form)
        };
        let mut pages: Vec<_> = heads(frame, path::CERTIFICATE_NAMES)
            .into_iter()
            .map(|head| page(&owner, head, &rows, Default::default()))
            .collect();
        let head = Head::of(frame, Role::DomainAdmin, path::CERTIFICATE_NAMES, true, None);
        let complaints = Complaints::of(frame, failure).unwrap();
        pages.push(page(&admin, head, &[], (fields, complaints)));
        pages
    }

    fn orders_pages(frame: &Frame) -> Vec<OrdersPage> {
        let order = |outcome: &'static str, ca_says: Option<&str>| CertificateOrderRow {
            id: "ord_1".to_owned(),
            at: at(-1),
            directory_url: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            names: vec!["mx.example.org".to_owned(), "mta-sts.example.org".to_owned()],
            outcome,
            says: Text::new("certificate-problem-connection"),
            ca_says: ca_says.map(str::to_owned),
        };
        let rows =
            vec![order("issued", None), order("refused", Some("Timeout during connect")), order("postponed", None)];
        let page = |head, rows| OrdersPage::of(frame.clone(), head, Rows { rows, next: None }, true);
        let mut pages: Vec<_> =
            heads(frame, path::CERTIFICATE_ORDERS).into_iter().map(|head| page(head, rows.clone())).collect();
        pages.extend(heads(frame, path::CERTIFICATE_ORDERS).into_iter().map(|head| page(head, Vec::new())));
        pages
    }

    fn doors_pages(frame: &Frame) -> Vec<DoorsPage> {
        let door = |is_right: bool, version: Option<&str>, says: Text| {
            let view = DoorView {
                door: ListenerView {
                    protocol: "imaps".to_owned(),
                    at: "[2001:db8::25]:993".to_owned(),
                    tls: "implicit".to_owned(),
                },
                name: "mx.example.org".to_owned(),
                names: vec!["mx.example.org".to_owned()],
                issuer: "CN=E7".to_owned(),
                not_after: version.map(|_| at(64)),
                version: version.map(str::to_owned),
                is_right,
                says,
            };
            Door::of(frame, view)
        };
        let page = |doors: Option<Vec<Door>>, complaints| DoorsPage {
            head: Head::of(frame, Role::Owner, path::CERTIFICATE_DOORS, true, Some(authority(true, None))),
            name: "mx.example.org".to_owned(),
            complaints,
            doors,
            frame: frame.clone(),
        };
        let seen = vec![
            door(true, Some("TLS1.3"), Text::new("certificate-door-right")),
            door(false, Some("TLS1.2"), Text::new("certificate-door-other")),
            door(false, None, Text::new("certificate-door-silent").with("why", "Connection refused")),
        ];
        let bad = Complaints::of(frame, Failure::unfit("name", Text::new("certificate-no-name"))).unwrap();
        vec![
            page(None, Complaints::default()),
            page(Some(seen), Complaints::default()),
            page(Some(Vec::new()), Complaints::default()),
            page(None, bad),
        ]
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame| lists(&frame));
        draw(|frame| names_pages(&frame));
        draw(|frame| orders_pages(&frame));
        draw(|frame| doors_pages(&frame));
        draw(|frame| {
            let complaints =
                Complaints::of(&frame, Failure::unfit("key", Text::new("certificate-pem-no-key"))).unwrap();
            vec![
                NewPage { frame: frame.clone(), complaints: Complaints::default(), chain: String::new() },
                NewPage { frame, complaints, chain: "-----BEGIN CERTIFICATE-----\n</textarea>".to_owned() },
            ]
        });
        draw(|frame| {
            let page = |source| ask_to_remove(frame.clone(), &certificate(source, &["mx.example.org"], 5));
            vec![page("acme"), page("own")]
        });
    }

    /// A key that was pasted among the certificates is not sent back with them.
    #[test]
    fn a_form_that_is_shown_again_has_no_key() {
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN EC PRIVATE KEY-----\nSECRET\n-----END EC PRIVATE KEY-----\n";
        assert_eq!(without_keys(&format!("{certificate}{key}{certificate}")), certificate.repeat(2));
        assert_eq!(without_keys(&format!("{certificate}-----BEGIN PRIVATE KEY-----\nSECRET")), certificate);
        assert_eq!(without_keys("x -----BEGIN PRIVATE KEY-----SECRET-----END PRIVATE KEY-----\nrest"), "rest");
        assert_eq!(without_keys("what is this?\r\n"), "what is this?\r\n");
        assert_eq!(without_keys(&"x".repeat(KEPT_OCTETS + 1)), "");
    }
}
