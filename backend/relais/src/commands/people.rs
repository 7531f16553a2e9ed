//! `relais account …` and `relais key …`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use axum::http::Method;
use relais_model::{Clock as _, SystemClock};
use relais_service::Moment;
use serde_json::{Value, json};

use super::{ask, delete, get, import, list, post, read_text, say, secret_of};
use crate::arguments::{AccountCommand, AppPasswordCommand, KeyCommand};
use crate::control::{Content, Line, complaints, path};
use crate::show::{self, Cell, Column, member};

const ACCOUNTS: &[Column] = &[
    ("ADDRESS", Cell::Member("address")),
    ("NAME", Cell::Member("name")),
    ("MESSAGES", Cell::Member("used_messages")),
    ("USED", Cell::Size("used_octets")),
    ("QUOTA", Cell::Size("quota_octets")),
    ("", Cell::If("is_suspended", "suspended")),
];
const APP_PASSWORDS: &[Column] = &[
    ("NAME", Cell::Member("name")),
    ("FOR", Cell::Member("protocols")),
    ("KIND", Cell::Member("kind")),
    ("MADE", Cell::Member("created_at")),
    ("ENDS", Cell::Member("expires_at")),
    ("LAST USED", Cell::Member("last_used_at")),
    ("FROM", Cell::Member("last_used_ip")),
];
const KEYS: &[Column] = &[
    ("ID", Cell::Member("id")),
    ("OWNER", Cell::Member("owner")),
    ("NAME", Cell::Member("name")),
    ("ROLE", Cell::Member("role")),
    ("SCOPES", Cell::Member("scopes")),
    ("LAST USED", Cell::Member("last_used_at")),
    ("UNTIL", Cell::Member("expires_at")),
];

/// What app passwords are for unless it is said otherwise.
const ALL_PROTOCOLS: [&str; 3] = ["imap", "pop3", "smtp"];

pub(super) async fn account(command: AccountCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        AccountCommand::Add { address, name, quota } => {
            let mut new = json!({ "address": address, "name": name, "password": read_password(&address)? });
            if let (Some(quota), Some(members)) = (quota, new.as_object_mut()) {
                members.insert("quota_octets".to_owned(), quota.into());
            }
            let made = post(line, "/people", new).await?;
            say(&format!("{} is here", member(&made, "address")))
        }
        AccountCommand::List(wanted) => list(line, "/people", &[], &wanted, ACCOUNTS).await,
        AccountCommand::Passwd { address } => {
            let new = Content::Json(json!({ "password": read_password(&address)? }));
            ask(line, Method::PUT, &path(&["people", &address, "password"]), new).await?;
            say(&format!("{address} has a new password"))
        }
        AccountCommand::Hide { address, names } => {
            let change = Content::Json(json!({ "imap_hidden": names }));
            let changed = ask(line, Method::PATCH, &path(&["people", &address]), change).await?;
            say(&format!("{address}: hidden are {}", member(&changed, "imap_hidden")))
        }
        AccountCommand::AppPassword(command) => app_password(command, line).await,
        AccountCommand::Remove { address, yes } => {
            if !yes {
                bail!("this removes {address} with all their mail; say --yes if you mean it");
            }
            let going = get(line, &path(&["people", &address, "going"])).await?;
            delete(line, &path(&["people", &address])).await?;
            let (gone, messages) = (member(&going, "address"), member(&going, "messages"));
            say(&format!(
                "{gone} is gone, with {messages} messages; can be restored until {}",
                member(&going, "purged_at")
            ))
        }
        AccountCommand::Import { .. } => Ok(()),
    }
}

/// False: some lines were refused.
pub(super) async fn import_people(file: &Path, line: &mut Line<'_>) -> Result<bool> {
    let text = read_text(file)?;
    let (mut added, mut refused) = (0, 0);
    for piece in import::pieces(&text) {
        let done = ask(line, Method::POST, "/people/import", Content::Csv(piece.text())).await?;
        added += show::items(&done, "added").len();
        for one in show::items(&done, "refused") {
            refused += 1;
            let text = |error: &'static str| move |of: &'_ Value| of[error].as_str().unwrap_or_default().to_owned();
            let errors = show::items(one, "errors").iter();
            let told: Vec<_> = errors.map(|error| (text("field")(error), text("detail")(error))).collect();
            let told = complaints(told.iter().map(|(field, why)| (field.as_str(), why.as_str())));
            say(&format!("line {}: {told}", piece.line_of(one["line"].as_u64().unwrap_or_default())))?;
        }
    }
    say(&format!("{added} accounts added, {refused} lines refused"))?;
    Ok(refused == 0)
}

async fn app_password(command: AppPasswordCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        AppPasswordCommand::Add { address, name, protocols, token, days } => {
            let protocols = protocols.unwrap_or_else(|| ALL_PROTOCOLS.map(str::to_owned).to_vec());
            let kind = if token { "token" } else { "password" };
            let new = json!({ "name": name, "protocols": protocols, "kind": kind, "days": days });
            let made = post(line, &path(&["people", &address, "app-passwords"]), new).await?;
            say(&member(&made, "password"))
        }
        AppPasswordCommand::List { address, json } => {
            let rows = get(line, &path(&["people", &address, "app-passwords"])).await?;
            show::list(&rows, json, APP_PASSWORDS)
        }
        AppPasswordCommand::Remove { address, name } => {
            delete(line, &path(&["people", &address, "app-passwords", &name])).await?;
            say(&format!("the app password `{name}` of {address} is gone"))
        }
    }
}

pub(super) async fn key(command: KeyCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        KeyCommand::List(wanted) => list(line, "/keys", &[("everybody", "true")], &wanted, KEYS).await,
        KeyCommand::Add { owner, name, role, scopes, days } => {
            let ends = |days| Moment(SystemClock.now().plus(Duration::from_hours(24) * days)).to_string();
            let expires_at = days.map(ends);
            let new = json!({ "owner": owner, "name": name, "role": role, "scopes": scopes, "expires_at": expires_at });
            let made = post(line, "/keys", new).await?;
            say(&member(&made, "key"))
        }
        KeyCommand::Revoke { id } => {
            delete(line, &path(&["keys", &id])).await?;
            say(&format!("the key {id} opens nothing any more"))
        }
    }
}

/// A new password: from a prompt, twice, where a person sits there; else the first line of standard input.
fn read_password(address: &str) -> Result<String> {
    let first = secret_of(&format!("New password for {address}: "))?;
    if std::io::stdin().is_terminal() && rpassword::prompt_password("Again: ")? != first {
        bail!("the two passwords are not the same");
    }
    Ok(first)
}
