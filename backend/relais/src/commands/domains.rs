//! `relais domain …` and `relais dns …`.

use anyhow::Result;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ask, delete, get, list, post, say};
use crate::arguments::{DnsCommand, DomainCommand};
use crate::control::{Content, Line, path};
use crate::show::{self, Cell, Column, member};

const DOMAINS: &[Column] = &[
    ("DOMAIN", Cell::Member("domain")),
    ("PEOPLE", Cell::Member("people")),
    ("ALIASES", Cell::Member("aliases")),
    ("CATCH-ALL", Cell::Member("catch_all")),
    ("POSTMASTER", Cell::Member("postmaster")),
];
const FINDINGS: &[Column] = &[
    ("VERDICT", Cell::Member("verdict")),
    ("WHAT", Cell::Member("title")),
    ("ABOUT", Cell::Member("about")),
    ("WHY", Cell::Member("says")),
];
const DKIM_KEYS: &[Column] = &[
    ("KEY", Cell::Member("selector")),
    ("KIND", Cell::Member("algorithm")),
    ("STATE", Cell::Member("state")),
    ("SINCE", Cell::Member("since")),
    ("UNTIL", Cell::Member("until")),
    ("WHAT", Cell::Member("says")),
];
const RECORDS: &[Column] = &[
    ("NAME", Cell::Member("name_whole")),
    ("TTL", Cell::Member("ttl")),
    ("TYPE", Cell::Member("kind")),
    ("VALUE", Cell::Member("value")),
];

pub(super) async fn domain(command: DomainCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        DomainCommand::Add { domain, catch_all, postmaster, tenant } => {
            let new = json!({ "domain": domain, "catch_all": catch_all, "postmaster": postmaster, "tenant": tenant });
            let made = post(line, "/domains", new).await?;
            say(&format!("{} is here", member(&made, "domain")))
        }
        DomainCommand::List(wanted) => list(line, "/domains", &[], &wanted, DOMAINS).await,
        DomainCommand::Remove { domain } => {
            delete(line, &(path(&["domains", &domain]) + "?only_empty=true")).await?;
            say(&format!("{domain} is gone"))
        }
    }
}

/// False where something is wrong.
pub(super) async fn dns(command: DnsCommand, line: &mut Line<'_>) -> Result<bool> {
    let rows = |report: &Value, of| json!({ "rows": show::items(report, of), "next": null });
    match command {
        DnsCommand::Check { domain, json } => {
            let at = path(&["dns", &domain, "check"]) + "?wait=true";
            let report = ask(line, Method::POST, &at, Content::Nothing).await?;
            if json {
                show::json(&report)?;
            } else {
                show::list(&rows(&report, "findings"), false, FINDINGS)?;
            }
            Ok(member(&report, "verdict") != "wrong")
        }
        DnsCommand::Keys { domain, json } => {
            let report = get(line, &path(&["dns", &domain])).await?;
            show::list(&rows(&report, "keys"), json, DKIM_KEYS)?;
            Ok(true)
        }
        DnsCommand::Rotate { domain } => {
            let keys = ask(line, Method::POST, &path(&["dns", &domain, "keys"]), Content::Nothing).await?;
            show::list(&keys, false, DKIM_KEYS)?;
            Ok(true)
        }
        DnsCommand::Records { domain, zone_file: true, .. } => {
            show::print(&line.text(&path(&["dns", &domain, "zone-file"])).await??)?;
            Ok(true)
        }
        DnsCommand::Records { domain, json, .. } => {
            let report = get(line, &path(&["dns", &domain])).await?;
            show::list(&rows(&report, "records"), json, RECORDS)?;
            Ok(true)
        }
    }
}
