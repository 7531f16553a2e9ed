//! The names that want a certificate, and what to do about them.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{Actor, CertificateNameRow, Reach, Rows, Text, WantedNameForm};
use serde::Deserialize;

use super::head::{Head, head};
use super::{pager, told};
use crate::kit::{
    self, Admin, Choice, Complaints, Form, Frame, ListQuery, Oops, PageError, Pager, Routes, Time, again, done, shown,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::CERTIFICATE_NAMES, names)
        .post(path::CERTIFICATE_NAMES, want)
        .post(path::CERTIFICATE_NAME_REMOVE, unwant)
        .post(path::CERTIFICATE_ORDER, order)
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
    fn of(frame: Frame, by: &Actor, head: Head, found: Rows<CertificateNameRow>, is_first: bool) -> Self {
        Self {
            pager: pager(&frame, path::CERTIFICATE_NAMES, &found, is_first),
            rows: found.rows.into_iter().map(|row| NameRow::of(&frame, row)).collect(),
            is_chosen_from: by.reach != Reach::All,
            head,
            complaints: Complaints::default(),
            fields: NameFields::default(),
            domains: domains(by, ""),
            frame,
        }
    }

    /// With what was typed, and what is wrong with it.
    fn refused(self, by: &Actor, fields: NameFields, complaints: Complaints) -> Self {
        Self { domains: domains(by, &fields.domain), fields, complaints, ..self }
    }
}

/// The domains to choose from; none for who may type any name.
fn domains(by: &Actor, chosen: &str) -> Vec<Choice> {
    match &by.reach {
        Reach::All => Vec::new(),
        Reach::Domains(domains) => {
            domains.iter().map(|(_, domain)| Choice::new(domain.as_str(), domain.to_unicode(), chosen)).collect()
        }
    }
}

async fn names_page(admin: &Admin, web: &Web, query: &ListQuery) -> Result<NamesPage, PageError> {
    let (by, frame) = (&admin.actor, admin.frame(web));
    let found = web.service().certificate_names(by, query.paging()).await?;
    let head = head(web, by, &frame, path::CERTIFICATE_NAMES).await?;
    Ok(NamesPage::of(frame, by, head, found, query.after.is_empty()))
}

async fn names(admin: Admin, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    Ok(shown(&names_page(&admin, &web, &query).await?))
}

async fn want(admin: Admin, State(web): State<Web>, Form(fields): Form<NameFields>) -> Oops {
    let form = WantedNameForm { name: fields.name.clone(), domain: kit::typed(&fields.domain) };
    match web.service().want_certificate(&admin.actor, &form).await {
        Ok(_) => Ok(done(path::CERTIFICATE_NAMES, Text::new("certificates-page-wanted"))),
        Err(failure) => {
            let complaints = Complaints::of(&admin.frame(&web), failure)?;
            let page = names_page(&admin, &web, &ListQuery::default()).await?;
            Ok(again(&page.refused(&admin.actor, fields, complaints)))
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

#[cfg(test)]
mod tests {
    use relais_service::{Failure, Role, Via};

    use super::super::samples::{at, heads};
    use super::*;
    use crate::kit::samples::draw;

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
        let page = |by: &Actor, head, rows: &[CertificateNameRow]| {
            NamesPage::of(frame.clone(), by, head, Rows { rows: rows.to_vec(), next: None }, true)
        };
        let mut pages: Vec<_> =
            heads(frame, path::CERTIFICATE_NAMES).into_iter().map(|head| page(&owner, head, &rows)).collect();
        let head = Head::of(frame, Role::DomainAdmin, path::CERTIFICATE_NAMES, true, None);
        let complaints = Complaints::of(frame, failure).unwrap();
        pages.push(page(&admin, head, &[]).refused(&admin, fields, complaints));
        pages
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame| names_pages(&frame));
    }
}
