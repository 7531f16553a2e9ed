//! Mail on its way: `relais queue …`, `hold …`, `suppressed …` and `message …`.

use anyhow::{Result, bail};
use axum::http::Method;
use serde_json::{Value, json};

use super::{ask, delete, get, list, post, say};
use crate::arguments::{HoldCommand, ListArguments, QueueCommand, QueueSelection, SuppressedCommand};
use crate::control::{Content, Line, path};
use crate::show::{self, Cell, Column, member};

const QUEUE: &[Column] = &[
    ("ID", Cell::Member("id")),
    ("STATE", Cell::Member("state")),
    ("SIZE", Cell::Size("size_octets")),
    ("SENDER", Cell::Member("sender")),
    ("RECIPIENT", Cell::Member("recipient")),
    ("TRIES", Cell::Member("attempts")),
    ("NEXT", Cell::Member("next_attempt_at")),
    ("LAST REPLY", Cell::Member("last_reply")),
];
const HOLDS: &[Column] = &[
    ("ADDRESS", Cell::Member("address")),
    ("SINCE", Cell::Member("since")),
    ("MESSAGES", Cell::Member("messages")),
    ("RECIPIENTS", Cell::Member("recipients")),
    ("FROM", Cell::Member("peer")),
    ("WHY", Cell::Member("says")),
];
const HELD: &[Column] = &[
    ("AT", Cell::Member("at")),
    ("RECIPIENT", Cell::Member("recipient")),
    ("RECIPIENTS", Cell::Member("recipients")),
    ("SUBJECT", Cell::Member("subject")),
];
const SUPPRESSED: &[Column] = &[
    ("ADDRESS", Cell::Member("address")),
    ("SINCE", Cell::Member("since")),
    ("UNTIL", Cell::Member("until")),
    ("REFUSALS", Cell::Member("refusals")),
    ("BY", Cell::Member("remote")),
    ("WORDS", Cell::Member("reply")),
];
const MESSAGES: &[Column] = &[
    ("AT", Cell::Member("at")),
    ("ID", Cell::Member("id")),
    ("WHAT", Cell::Member("kind")),
    ("SENDER", Cell::Member("sender")),
    ("RECIPIENT", Cell::Member("recipient")),
];
const STEPS: &[Column] = &[
    ("AT", Cell::Member("at")),
    ("WHAT", Cell::Member("kind")),
    ("RECIPIENT", Cell::Member("recipient")),
    ("WHERE", Cell::Member("remote")),
    ("WORDS", Cell::Member("words")),
];

impl QueueSelection {
    fn selection(self) -> Result<Value> {
        match self {
            Self { all: true, .. } => Ok(json!({ "matching": {} })),
            Self { destination: Some(domain), .. } => Ok(json!({ "matching": { "destination": domain } })),
            Self { ids, .. } if !ids.is_empty() => Ok(json!({ "items": ids })),
            _ => bail!("name what is meant: ids as `relais queue list` shows them, --destination DOMAIN, or --all"),
        }
    }
}

pub(super) async fn queue(command: QueueCommand, line: &mut Line<'_>) -> Result<()> {
    let (act, which) = match command {
        QueueCommand::List { list: wanted, destination, sender } => {
            let mut filter = Vec::new();
            filter.extend(destination.as_deref().map(|domain| ("destination", domain)));
            filter.extend(sender.as_deref().map(|address| ("sender", address)));
            return list(line, "/queue", &filter, &wanted, QUEUE).await;
        }
        QueueCommand::Show { id, json } => {
            let message = get(line, &path(&["queue", &id])).await?;
            return if json { show::json(&message) } else { show::print(&queued(&message)) };
        }
        QueueCommand::Retry(which) => ("/queue/retry", which),
        QueueCommand::Hold(which) => ("/queue/hold", which),
        QueueCommand::Release(which) => ("/queue/release", which),
        QueueCommand::Remove(which) => ("/queue/remove", which),
    };
    let touched = post(line, act, which.selection()?).await?;
    say(&format!("{} recipients", member(&touched, "count")))
}

/// One queued message, with what each of its recipients waits for.
fn queued(message: &Value) -> String {
    let about = |head: &str, what: String| vec![head.to_owned(), what];
    let mut lines = vec![
        about("Id", member(message, "id")),
        about("Sender", member(message, "sender")),
        about("Size", show::octets(message, "size_octets")),
        about("Since", member(message, "created_at")),
        about("Given up", member(message, "expires_at")),
    ];
    for one in show::items(message, "recipients") {
        let of = |name| member(one, name);
        let (state, attempts, next) = (of("state"), of("attempts"), of("next_attempt_at"));
        lines.push(about("Recipient", format!("{}: {state}, {attempts} tries, next {next}", of("recipient"))));
        if one["last_reply"].is_string() {
            lines.push(about("", of("last_reply")));
        }
    }
    show::columns(&lines)
}

/// Of an address all messages, of an id each step.
pub(super) async fn trace(wanted: &str, paging: &ListArguments, line: &mut Line<'_>) -> Result<()> {
    if wanted.contains('@') {
        return list(line, "/messages", &[("address", wanted)], paging, MESSAGES).await;
    }
    let story = get(line, &path(&["messages", wanted])).await?;
    if paging.json {
        return show::json(&story);
    }
    let summary: Vec<_> = show::items(&story, "summary").iter().filter_map(Value::as_str).collect();
    let steps = show::items(&story, "steps");
    show::print(&format!("{}\n\n{}", summary.join(" "), show::table(steps, STEPS)))
}

pub(super) async fn hold(command: HoldCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        HoldCommand::List(wanted) => list(line, "/holds", &[], &wanted, HOLDS).await,
        HoldCommand::Show { address, json } => {
            let shown = get(line, &path(&["people", &address, "hold"])).await?;
            if json {
                return show::json(&shown);
            }
            say(&format!("{}: {}", member(&shown, "address"), member(&shown, "says")))?;
            let samples = json!({ "rows": show::items(&shown, "samples"), "next": null });
            show::list(&samples, false, HELD)
        }
        HoldCommand::Release { address } => {
            let done =
                ask(line, Method::POST, &path(&["people", &address, "hold", "release"]), Content::Nothing).await?;
            say(&format!("{} recipients go on", member(&done, "count")))
        }
        HoldCommand::Drop { address, yes } => {
            let shown = get(line, &path(&["people", &address, "hold"])).await?;
            if !yes {
                bail!(
                    "this drops {} messages to {} recipients, and ends {address}'s password, app passwords, API keys and \
                     sessions; say --yes if you mean it",
                    member(&shown, "messages"),
                    member(&shown, "recipients")
                );
            }
            let done = ask(line, Method::POST, &path(&["people", &address, "hold", "drop"]), Content::Nothing).await?;
            say(&format!("{} recipients dropped; {address} needs a new password", member(&done, "count")))
        }
    }
}

pub(super) async fn suppressed(command: SuppressedCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        SuppressedCommand::List { list: wanted, search } => {
            let filter: Vec<_> = search.as_deref().map(|search| ("search", search)).into_iter().collect();
            list(line, "/suppressed", &filter, &wanted, SUPPRESSED).await
        }
        SuppressedCommand::Remove { address } => {
            delete(line, &path(&["suppressed", &address])).await?;
            say(&format!("mail to {address} is tried again"))
        }
    }
}
