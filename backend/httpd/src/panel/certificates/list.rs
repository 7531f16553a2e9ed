//! The certificates that are kept: renewed, removed.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{CertificateRow, Rows, Text};

use super::head::{Head, head};
use super::{pager, told};
use crate::kit::{Admin, Form, Frame, ListQuery, Oops, Owner, Pager, Routes, Time, done, shown};
use crate::panel::question::QuestionPage;
use crate::panel::sign_in::Nothing;
use crate::{Web, kit, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::CERTIFICATES, list)
        .post(path::CERTIFICATE_RENEW, renew)
        .get(path::CERTIFICATE_REMOVE, remove_form)
        .post(path::CERTIFICATE_REMOVE, remove)
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

#[cfg(test)]
mod tests {
    use super::super::samples::{certificate, heads};
    use super::*;
    use crate::kit::samples::draw;

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

    #[test]
    fn pages_are_drawn() {
        draw(|frame| lists(&frame));
        draw(|frame| {
            let page = |source| ask_to_remove(frame.clone(), &certificate(source, &["mx.example.org"], 5));
            vec![page("acme"), page("own")]
        });
    }
}
