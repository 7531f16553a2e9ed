//! `relais team …` and `relais share …`: mailboxes that several read.

use anyhow::Result;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ask, delete, get, list, post, say};
use crate::arguments::{ShareCommand, ShareTerms, TeamCommand};
use crate::control::{Content, Line, path, query};
use crate::show::{self, Cell, Column, member};

const TEAMS: &[Column] = &[
    ("TEAM", Cell::Member("address")),
    ("MESSAGES", Cell::Member("used_messages")),
    ("USED", Cell::Size("used_octets")),
    ("NAME", Cell::Member("name")),
];
const MEMBERS: &[Column] = &[
    ("WHO", Cell::Member("with")),
    ("LEVEL", Cell::Member("level")),
    ("RIGHTS", Cell::Member("rights")),
    ("SENDS", Cell::Member("sends")),
    DORMANT,
];
const SHARES: &[Column] =
    &[("WHO", Cell::Member("with")), ("LEVEL", Cell::Member("level")), ("RIGHTS", Cell::Member("rights")), DORMANT];
const SENDERS: &[Column] = &[("WHO", Cell::Member("with")), ("SENDS", Cell::Member("sends")), DORMANT];
/// Said where who it was given to is of another tenant now (decision 59).
const DORMANT: Column = ("", Cell::If("is_dormant", "counts for nothing"));

impl ShareTerms {
    /// As the API names them.
    fn members(self) -> (String, Value) {
        let body = json!({ "with": self.who, "level": self.level, "rights": self.rights.unwrap_or_default() });
        (self.who, body)
    }
}

pub(super) async fn team(command: TeamCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        TeamCommand::Add { address, name } => {
            let made = post(line, "/teams", json!({ "address": address, "name": name })).await?;
            say(&format!("{} is here", member(&made, "address")))
        }
        TeamCommand::List(wanted) => list(line, "/teams", &[], &wanted, TEAMS).await,
        TeamCommand::Rename { team, name } => {
            ask(line, Method::PATCH, &path(&["teams", &team]), Content::Json(json!({ "name": name }))).await?;
            say(&format!("{team} is called {name}"))
        }
        TeamCommand::Members { team, json } => {
            show::list(&get(line, &path(&["teams", &team, "members"])).await?, json, MEMBERS)
        }
        TeamCommand::Join { team, terms, sends } => {
            let (who, mut body) = terms.members();
            if let (Some(body), Some(sends)) = (body.as_object_mut(), sends) {
                body.insert("sends".to_owned(), sends.into());
            }
            ask(line, Method::PUT, &path(&["teams", &team, "members"]), Content::Json(body)).await?;
            say(&format!("{who} is in {team}"))
        }
        TeamCommand::Leave { team, who } => {
            delete(line, &path(&["teams", &team, "members", &who])).await?;
            say(&format!("{who} is no longer in {team}"))
        }
        TeamCommand::Remove { team } => {
            delete(line, &path(&["teams", &team])).await?;
            say(&format!("{team} is gone"))
        }
        TeamCommand::Restore { team } => {
            post(line, &path(&["teams", &team, "restore"]), json!({})).await?;
            say(&format!("{team} is here again"))
        }
    }
}

pub(super) async fn share(command: ShareCommand, line: &mut Line<'_>) -> Result<()> {
    let shares = |owner: &str, mailbox: &str| {
        format!("{}?{}", path(&["people", owner, "shares"]), query(&[("mailbox", mailbox)]))
    };
    let senders = |owner: &str| path(&["people", owner, "senders"]);
    match command {
        ShareCommand::List { owner, mailbox, json } => {
            show::list(&get(line, &shares(&owner, &mailbox)).await?, json, SHARES)
        }
        ShareCommand::Add { owner, mailbox, terms } => {
            let (who, body) = terms.members();
            ask(line, Method::PUT, &shares(&owner, &mailbox), Content::Json(body)).await?;
            say(&format!("{mailbox} of {owner} is shared with {who}"))
        }
        ShareCommand::Remove { owner, mailbox, who } => {
            ask(line, Method::PUT, &shares(&owner, &mailbox), Content::Json(json!({ "with": who }))).await?;
            say(&format!("{mailbox} of {owner} is no longer shared with {who}"))
        }
        ShareCommand::Senders { owner, json } => show::list(&get(line, &senders(&owner)).await?, json, SENDERS),
        ShareCommand::Lend { owner, who, how } => {
            ask(line, Method::PUT, &senders(&owner), Content::Json(json!({ "with": who, "sends": how }))).await?;
            say(&format!("{who} may write from {owner}"))
        }
        ShareCommand::Withdraw { owner, who } => {
            ask(line, Method::PUT, &senders(&owner), Content::Json(json!({ "with": who, "sends": null }))).await?;
            say(&format!("{who} may no longer write from {owner}"))
        }
    }
}
