//! `relais certificate …`.

use anyhow::Result;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ask, delete, get, list, post, read_text, say};
use crate::arguments::CertificateCommand;
use crate::control::{Content, Line, path, query};
use crate::show::{self, Cell, Column, member};

const CERTIFICATES: &[Column] = &[
    ("ID", Cell::Member("id")),
    ("FROM", Cell::Member("source")),
    ("UNTIL", Cell::Member("not_after")),
    ("DAYS", Cell::Member("days_left")),
    ("RENEWED", Cell::Member("renews_at")),
    ("", Cell::If("is_in_use", "in use")),
    ("NAMES", Cell::Member("names")),
];
const CERTIFICATE_NAMES: &[Column] = &[
    ("NAME", Cell::Member("name")),
    ("STATE", Cell::Member("state")),
    ("SHOWN", Cell::Member("served_by")),
    ("AGAIN", Cell::Member("retry_at")),
    ("WHAT", Cell::Member("says")),
    ("THE CA", Cell::Member("ca_says")),
];
const CERTIFICATE_ORDERS: &[Column] = &[
    ("AT", Cell::Member("at")),
    ("OUTCOME", Cell::Member("outcome")),
    ("NAMES", Cell::Member("names")),
    ("WHAT", Cell::Member("says")),
    ("THE CA", Cell::Member("ca_says")),
];

pub(super) async fn certificate(command: CertificateCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        CertificateCommand::List(wanted) => list(line, "/certificates", &[], &wanted, CERTIFICATES).await,
        CertificateCommand::Names(wanted) => list(line, "/certificates/names", &[], &wanted, CERTIFICATE_NAMES).await,
        CertificateCommand::Orders(wanted) => {
            list(line, "/certificates/orders", &[], &wanted, CERTIFICATE_ORDERS).await
        }
        CertificateCommand::Order { names } => {
            let names = (!names.is_empty()).then_some(names);
            post(line, "/certificates/order", json!({ "names": names })).await?;
            say("it is begun; `relais certificate names` says how far each name is")
        }
        CertificateCommand::Renew { id } => {
            ask(line, Method::POST, &path(&["certificates", &id, "renew"]), Content::Nothing).await?;
            say(&format!("{id} is being renewed; `relais certificate orders` says what came of it"))
        }
        CertificateCommand::Upload { chain, key } => {
            let key = key.as_deref().map(read_text).transpose()?.unwrap_or_default();
            let made = post(line, "/certificates", json!({ "chain": read_text(&chain)?, "key": key })).await?;
            let (names, until) = (member(&made, "names"), member(&made, "not_after"));
            say(&format!("{} is here, for {names}, until {until}", member(&made, "id")))
        }
        CertificateCommand::Remove { id } => {
            delete(line, &path(&["certificates", &id])).await?;
            say(&format!("{id} is gone"))
        }
        CertificateCommand::Doors { .. } => Ok(()),
    }
}

/// False: some door shows something else than it should.
pub(super) async fn doors(name: Option<String>, is_json: bool, line: &mut Line<'_>) -> Result<bool> {
    let asked = name.map(|name| format!("?{}", query(&[("name", &name)]))).unwrap_or_default();
    let seen = get(line, &format!("/certificates/doors{asked}")).await?;
    let rows = show::items(&seen, "rows");
    let is_well = rows.iter().all(|row| row["is_right"] == true);
    if is_json {
        show::json(&seen)?;
        return Ok(is_well);
    }
    let heads = ["PROTOCOL", "AT", "UNTIL", "SHOWS", "WHAT"].map(str::to_owned).to_vec();
    let door = |row: &Value| {
        let of = |name| member(row, name);
        vec![member(&row["door"], "protocol"), member(&row["door"], "at"), of("not_after"), of("names"), of("says")]
    };
    show::print(&show::columns(&[heads].into_iter().chain(rows.iter().map(door)).collect::<Vec<_>>()))?;
    Ok(is_well)
}
