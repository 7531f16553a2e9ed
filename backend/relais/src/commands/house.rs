//! The house itself: who is shut out, who changed what, settings, the database, the search index, and the API as it is.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::http::Method;
use serde_json::{Value, json};

use super::{ask, delete, get, list, read_text, say};
use crate::arguments::{ActivityCommand, IndexCommand, SettingsCommand};
use crate::control::{Content, Line, path, query};
use crate::show::{self, Cell, Column, member};

const BANS: &[Column] = &[
    ("WHO", Cell::Member("whom")),
    ("WHY", Cell::Member("why")),
    ("FAILURES", Cell::Member("failures")),
    ("SINCE", Cell::Member("since")),
    ("UNTIL", Cell::Member("until")),
];
const ACTIVITY: &[Column] = &[
    ("AT", Cell::Member("at")),
    ("ID", Cell::Member("id")),
    ("BY", Cell::Member("author")),
    ("", Cell::If("is_undoable", "undoable")),
    ("ACT", Cell::Member("act")),
    ("SUBJECT", Cell::Member("subject")),
];
const SETTINGS: &[Column] = &[
    ("NAME", Cell::Member("name")),
    ("VALUE", Cell::Member("value")),
    ("DEFAULT", Cell::Member("default")),
    ("UNIT", Cell::Member("unit")),
    ("WHAT", Cell::Member("title")),
];

pub(super) async fn bans(is_json: bool, line: &mut Line<'_>) -> Result<()> {
    let security = get(line, "/security").await?;
    let bans = json!({ "rows": show::items(&security, "bans"), "next": null });
    show::list(&bans, is_json, BANS)
}

pub(super) async fn unban(target: Option<&str>, line: &mut Line<'_>) -> Result<()> {
    let Some(target) = target else {
        let touched = delete(line, "/security/bans").await?;
        return say(&format!("{} bans lifted", member(&touched, "count")));
    };
    delete(line, &path(&["security", "bans", target])).await?;
    say(&format!("{target} may log in again"))
}

pub(super) async fn activity(command: ActivityCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        ActivityCommand::List(wanted) => list(line, "/activity", &[], &wanted, ACTIVITY).await,
        ActivityCommand::Undo { id } => {
            let undone = ask(line, Method::POST, &path(&["activity", &id, "undo"]), Content::Nothing).await?;
            say(&format!("{} {}", member(&undone, "act"), member(&undone, "subject")))
        }
    }
}

pub(super) async fn settings(command: SettingsCommand, line: &mut Line<'_>) -> Result<()> {
    let setting = match command {
        SettingsCommand::List { json } => {
            let sections = get(line, "/settings").await?;
            if json {
                return show::json(&sections);
            }
            let sections = show::items(&sections, "rows").iter();
            let all: Vec<Value> = sections.filter_map(|one| one["settings"].as_array()).flatten().cloned().collect();
            return show::print(&show::table(&all, SETTINGS));
        }
        SettingsCommand::Get { name, json } => {
            let setting = get(line, &path(&["settings", &name])).await?;
            if json {
                return show::json(&setting);
            }
            return say(setting.get("value").and_then(Value::as_str).unwrap_or_default());
        }
        SettingsCommand::Set { name, value } => set(line, &name, Some(&value)).await?,
        SettingsCommand::Reset { name } => set(line, &name, None).await?,
    };
    say(&format!("{} is {}", member(&setting, "name"), member(&setting, "value")))
}

/// Gives a setting this value, or its default again.
async fn set(line: &mut Line<'_>, name: &str, value: Option<&str>) -> Result<Value> {
    ask(line, Method::PUT, &path(&["settings", name]), Content::Json(json!({ "value": value }))).await
}

/// The link, and by what a browser knows that it is this house.
pub(super) async fn setup_link(domain: Option<&str>, address: Option<&str>, line: &mut Line<'_>) -> Result<()> {
    let made = ask(line, Method::POST, "/system/setup-link", Content::Nothing).await?;
    let proposed = [("domain", domain), ("address", address)];
    let proposed: Vec<_> = proposed.into_iter().filter_map(|(name, said)| Some((name, said?))).collect();
    let asked = if proposed.is_empty() { String::new() } else { format!("?{}", query(&proposed)) };
    say(&format!("{}{asked}", member(&made, "link")))?;
    // What a browser will warn of, and with what to compare it; nothing serves where there is none.
    for certificate in show::items(&get(line, "/system").await?, "certificates") {
        say(&format!("SHA-256 {}", member(certificate, "fingerprint")))?;
    }
    Ok(())
}

/// False: something is wrong in the database.
pub(super) async fn check_store(line: &mut Line<'_>) -> Result<bool> {
    let checked = ask(line, Method::POST, "/system/check-store", Content::Nothing).await?;
    let findings: Vec<_> = show::items(&checked, "findings").iter().filter_map(Value::as_str).collect();
    say(&if findings.is_empty() { "The database is clean.".to_owned() } else { findings.join("\n") })?;
    Ok(findings.is_empty())
}

/// How often progress is looked at.
const INDEX_LOOK: Duration = Duration::from_secs(1);

pub(super) async fn index(command: IndexCommand, line: &mut Line<'_>) -> Result<()> {
    if matches!(command, IndexCommand::Rebuild { .. }) {
        ask(line, Method::POST, "/system/index/rebuild", Content::Nothing).await?;
    }
    let waits = matches!(command, IndexCommand::Rebuild { wait: true });
    loop {
        let index = get(line, "/system/index").await?;
        let number = |name: &str| index.get(name).and_then(Value::as_u64).unwrap_or_default();
        let is = |name: &str| index.get(name).and_then(Value::as_bool).unwrap_or_default();
        let state = match (is("is_kept"), is("is_current")) {
            (false, _) => "no server runs here that keeps it",
            (true, true) => "up to date",
            (true, false) => "being made; searches read messages meanwhile",
        };
        let (indexed, contents) = (number("indexed"), number("contents"));
        let (octets, files) = (number("octets"), number("files"));
        say(&format!("{indexed} of {contents} messages, {octets} octets in {files} files: {state}"))?;
        let is_current = is("is_current") || !is("is_kept");
        if is_current || !waits {
            return Ok(());
        }
        tokio::time::sleep(INDEX_LOOK).await;
    }
}

/// Any operation. False: it was refused.
pub(super) async fn raw(method: Method, path: &str, body: Option<String>, line: &mut Line<'_>) -> Result<bool> {
    let body = match body.as_deref() {
        Some("-") => Some(read_text(Path::new("-"))?),
        _ => body,
    };
    let content = match body {
        Some(text) => Content::Json(serde_json::from_str(&text).context("the body is no JSON")?),
        None => Content::Nothing,
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let (is_done, answer) = match line.ask(method, &path, content).await? {
        Ok(answer) => (true, answer),
        Err(problem) => (false, problem.0),
    };
    if !answer.is_null() {
        show::json(&answer)?;
    }
    Ok(is_done)
}
