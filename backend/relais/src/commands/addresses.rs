//! `relais alias …` and `relais list …`.

use anyhow::{Result, bail};
use axum::http::Method;
use serde_json::{Value, json};

use super::{ask, delete, get, list, post, say};
use crate::arguments::{AliasCommand, AliasTerms, ListCommand};
use crate::control::{Content, Line, path, query};
use crate::show::{self, Cell, Column, member};

const LISTS: &[Column] = &[
    ("LIST", Cell::Member("address")),
    ("POSTERS", Cell::Member("posters")),
    ("MEMBERS", Cell::Member("members")),
    ("WAITING", Cell::Member("held")),
    ("TITLE", Cell::Member("title")),
];
const LIST_MEMBERS: &[Column] = &[
    ("MEMBER", Cell::Member("address")),
    ("JOINED", Cell::Member("joined_at")),
    ("", Cell::If("is_owner", "owner")),
    ("STOPPED", Cell::Member("stopped_at")),
];
const LIST_POSTS: &[Column] = &[
    ("POST", Cell::Member("id")),
    ("SINCE", Cell::Member("held_at")),
    ("FROM", Cell::Member("author")),
    ("SUBJECT", Cell::Member("subject")),
];
const ALIAS_KINDS: &[(&str, &str)] =
    &[("kind", "alias"), ("kind", "forward"), ("kind", "wildcard"), ("kind", "expression")];
const ALIASES: &[Column] = &[
    ("ALIAS", Cell::Member("address")),
    ("LEADS TO", Cell::Member("targets")),
    ("ENDS", Cell::Member("ends_at")),
    ("NOTE", Cell::Member("note")),
    ("", Cell::If("is_suspended", "ended")),
];

pub(super) async fn alias(command: AliasCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        AliasCommand::Add { address, targets, terms } => {
            let mut new = terms.members();
            new.insert("address".to_owned(), json!(address));
            new.insert("targets".to_owned(), json!(targets));
            let made = post(line, "/addresses", Value::Object(new)).await?;
            say(&format!("{} leads to {}", member(&made, "address"), member(&made, "targets")))
        }
        AliasCommand::Change { address, targets, terms, endless } => {
            let mut change = terms.members();
            if !targets.is_empty() {
                change.insert("targets".to_owned(), json!(targets));
            }
            if endless {
                change.insert("ends_at".to_owned(), Value::Null);
            }
            let made =
                ask(line, Method::PATCH, &path(&["addresses", &address]), Content::Json(Value::Object(change))).await?;
            say(&format!("{} leads to {}", member(&made, "address"), member(&made, "targets")))
        }
        AliasCommand::Try { address, sample } => {
            let tried = query(&[("address", &address), ("sample", &sample)]);
            let tried = get(line, &format!("/addresses/try?{tried}")).await?;
            let is = |name: &str| tried.get(name).and_then(Value::as_bool) == Some(true);
            match (is("fits"), is("is_free")) {
                (true, true) => say("it fits"),
                (true, false) => bail!("it fits, but something that goes first has this address"),
                (false, _) => bail!("it does not fit"),
            }
        }
        AliasCommand::List(wanted) => list(line, "/addresses", ALIAS_KINDS, &wanted, ALIASES).await,
        AliasCommand::Remove { address } => {
            delete(line, &path(&["addresses", &address])).await?;
            say(&format!("{address} is gone"))
        }
    }
}

pub(super) async fn mailing_list(command: ListCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        ListCommand::Add { address, title, posters, open, owners } => {
            let new =
                json!({ "address": address, "title": title, "posters": posters, "is_open": open, "owners": owners });
            let made = post(line, "/lists", new).await?;
            say(&format!("{} is here", member(&made, "address")))
        }
        ListCommand::List(wanted) => list(line, "/lists", &[], &wanted, LISTS).await,
        ListCommand::Members { list: of, wanted } => {
            list(line, &path(&["lists", &of, "members"]), &[], &wanted, LIST_MEMBERS).await
        }
        ListCommand::Join { list, members } => {
            let members =
                if members.is_empty() { std::io::read_to_string(std::io::stdin())? } else { members.join("\n") };
            let put = post(line, &path(&["lists", &list, "members"]), json!({ "members": members })).await?;
            say(&format!("{} are new on {list}", member(&put, "added")))?;
            if !show::items(&put, "refused").is_empty() {
                bail!("no addresses, and left out: {}", member(&put, "refused"));
            }
            Ok(())
        }
        ListCommand::Leave { list, member } => {
            delete(line, &path(&["lists", &list, "members", &member])).await?;
            say(&format!("{member} is no longer on {list}"))
        }
        ListCommand::Export { list } => show::print(&line.text(&path(&["lists", &list, "members", "export"])).await??),
        ListCommand::Posts { list: of, wanted } => {
            list(line, &path(&["lists", &of, "posts"]), &[], &wanted, LIST_POSTS).await
        }
        ListCommand::Approve { list, post: id } => {
            post(line, &path(&["lists", &list, "posts", &id, "approve"]), json!({})).await?;
            say("it goes out")
        }
        ListCommand::Reject { list, post: id } => {
            post(line, &path(&["lists", &list, "posts", &id, "reject"]), json!({})).await?;
            say("it is turned away")
        }
        ListCommand::Remove { list } => {
            delete(line, &path(&["lists", &list])).await?;
            say(&format!("{list} is gone"))
        }
    }
}

impl AliasTerms {
    /// What was said, as the API names it.
    fn members(self) -> serde_json::Map<String, Value> {
        let Self { senders, sender_people, turn, ends, note, ended_text } = self;
        // Who names people means them.
        let senders = senders.or_else(|| (!sender_people.is_empty()).then(|| "people".to_owned()));
        let people = (!sender_people.is_empty()).then(|| json!(sender_people));
        let members = [
            ("senders", senders.map(Value::from)),
            ("sender_people", people),
            ("turn", turn.map(Value::from)),
            ("ends_at", ends.map(Value::from)),
            ("note", note.map(Value::from)),
            ("ended_text", ended_text.map(Value::from)),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
