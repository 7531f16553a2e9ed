//! The orders at the CA, as they are remembered.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{CertificateOrderRow, Rows, Text};

use super::head::{Head, head};
use super::pager;
use crate::kit::{self, Form, Frame, ListQuery, Oops, Owner, Pager, Routes, Time, done, shown};
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::CERTIFICATE_ORDERS, orders).post(path::CERTIFICATE_BEGIN, begin)
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

#[cfg(test)]
mod tests {
    use super::super::samples::{at, heads};
    use super::*;
    use crate::kit::samples::draw;

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

    #[test]
    fn pages_are_drawn() {
        draw(|frame| orders_pages(&frame));
    }
}
