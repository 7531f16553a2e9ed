//! What is done with what comes: `relais sender …`, `sieve …` and `judge`.

use anyhow::Result;
use axum::http::Method;
use serde_json::{Value, json};

use super::{ask, delete, get, list, read_octets, read_text, say};
use crate::arguments::{JudgeArguments, Recipes, SenderArguments, SenderCommand, SieveArguments, SieveCommand};
use crate::control::{Content, Line, path, query};
use crate::show::{self, Cell, Column, member};

const SENDERS: &[Column] = &[
    ("SENDER", Cell::Member("sender")),
    ("", Cell::If("is_allowed", "let in")),
    ("SINCE", Cell::Member("created_at")),
];
const JUDGED: &[Column] = &[
    ("", Cell::If("decides", "*")),
    ("PART", Cell::Member("part")),
    ("POINTS", Cell::Member("points")),
    ("WHAT", Cell::Member("says")),
];
const SCRIPTS: &[Column] = &[
    ("NAME", Cell::Member("name")),
    ("RUNS", Cell::Member("is_active")),
    ("OCTETS", Cell::Member("octets")),
    ("CHANGED", Cell::Member("changed_at")),
];

pub(super) async fn senders(command: SenderCommand, line: &mut Line<'_>) -> Result<()> {
    let list_of =
        |domain: Option<&str>| domain.map_or_else(|| "/senders".to_owned(), |of| path(&["domains", of, "senders"]));
    let (SenderArguments { sender, domain }, is_allowed) = match command {
        SenderCommand::List { list: wanted, domain, search } => {
            let filter: Vec<_> = search.as_deref().map(|search| ("q", search)).into_iter().collect();
            return list(line, &list_of(domain.as_deref()), &filter, &wanted, SENDERS).await;
        }
        SenderCommand::Remove(SenderArguments { sender, domain }) => {
            delete(line, &(list_of(domain.as_deref()) + &path(&[&sender]))).await?;
            return say(&format!("the filter decides about {sender} again"));
        }
        SenderCommand::Allow(which) => (which, true),
        SenderCommand::Block(which) => (which, false),
    };
    let rule = Content::Json(json!({ "sender": sender, "is_allowed": is_allowed }));
    let made = ask(line, Method::PUT, &list_of(domain.as_deref()), rule).await?;
    say(&format!("{} is {}", member(&made, "sender"), if is_allowed { "let in" } else { "kept out" }))
}

/// False where a script has faults.
pub(super) async fn sieve(command: SieveCommand, line: &mut Line<'_>) -> Result<bool> {
    let named = |of: &SieveArguments, name: &str| scripts_of(of) + &path(&["named", name]);
    match command {
        SieveCommand::List { of, json } => show::list(&get(line, &scripts_of(&of)).await?, json, SCRIPTS)?,
        SieveCommand::Get { name, of } => {
            let found = get(line, &named(&of, &name)).await?;
            show::print(found.get("script").and_then(Value::as_str).unwrap_or_default())?;
        }
        SieveCommand::Put { name, file, activate, of } => {
            let form = Content::Json(json!({ "script": read_text(&file)? }));
            ask(line, Method::PUT, &named(&of, &name), form).await?;
            if activate {
                let wanted = Content::Json(json!({ "name": name }));
                ask(line, Method::PUT, &(scripts_of(&of) + "/active"), wanted).await?;
            }
            say(&format!("{name} is kept{}", if activate { ", and runs" } else { "" }))?;
        }
        SieveCommand::Check { file } => {
            let form = Content::Json(json!({ "script": read_text(&file)? }));
            let checked = ask(line, Method::POST, "/scripts/check", form).await?;
            let faults = show::items(&checked, "faults");
            for fault in faults {
                let number = |name: &str| fault.get(name).and_then(Value::as_u64).unwrap_or_default();
                let advice = fault.get("advice").and_then(Value::as_str).unwrap_or_default();
                let said = format!("{}:{}: {} {advice}", number("line"), number("column"), member(fault, "what"));
                say(said.trim_end())?;
            }
            return Ok(faults.is_empty());
        }
        SieveCommand::Import { file, from } => {
            let recipes = read_text(&file)?;
            let imported = match from {
                Recipes::Forward => relais_sieve::import::forward(&recipes),
                Recipes::Procmail => relais_sieve::import::procmail(&recipes),
                Recipes::Maildrop => relais_sieve::import::maildrop(&recipes),
            };
            show::print(&imported.script)?;
            return Ok(imported.left.is_empty());
        }
        SieveCommand::Activate { name, account } => {
            let at = path(&["people", &account, "scripts", "active"]);
            ask(line, Method::PUT, &at, Content::Json(json!({ "name": name }))).await?;
            say(&format!("{name} runs"))?;
        }
        SieveCommand::Off { account } => {
            let at = path(&["people", &account, "scripts", "active"]);
            ask(line, Method::PUT, &at, Content::Json(json!({ "name": null }))).await?;
            say("no script runs")?;
        }
        SieveCommand::Remove { name, of } => {
            delete(line, &named(&of, &name)).await?;
            say(&format!("{name} is gone"))?;
        }
    }
    Ok(true)
}

fn scripts_of(of: &SieveArguments) -> String {
    match (&of.account, &of.domain) {
        (Some(account), _) => path(&["people", account, "scripts"]),
        (None, Some(domain)) => path(&["domains", domain, "scripts"]),
        (None, None) => "/scripts".to_owned(),
    }
}

/// False where it would be refused.
pub(super) async fn judge(wanted: JudgeArguments, line: &mut Line<'_>) -> Result<bool> {
    let hop = wanted.hop.map(|hop| hop.to_string());
    let mut members = vec![("recipient", wanted.to.as_str())];
    for (name, said) in [("hop", &hop), ("peer", &wanted.peer), ("hello", &wanted.hello), ("sender", &wanted.from)] {
        members.extend(said.as_deref().map(|said| (name, said)));
    }
    let at = format!("/messages/judge?{}", query(&members));
    let judged = ask(line, Method::POST, &at, Content::Letter(read_octets(&wanted.file)?)).await?;
    let reply = judged.get("reply").and_then(Value::as_str);
    if wanted.json {
        show::json(&judged)?;
    } else {
        for sentence in show::items(&judged, "says").iter().filter_map(Value::as_str) {
            say(sentence)?;
        }
        if let Some(reply) = reply {
            say(reply)?;
        }
        say(&format!(
            "From {} ({}), MAIL FROM <{}>",
            member(&judged, "peer"),
            member(&judged, "hello"),
            sender(&judged)
        ))?;
        let verdict = judged.get("verdict").unwrap_or(&Value::Null);
        show::print(&show::table(show::items(verdict, "findings"), JUDGED))?;
        if let Some(score) = verdict.get("score").and_then(Value::as_f64) {
            say(&format!("Score {score:.1}"))?;
        }
    }
    Ok(reply.is_none())
}

fn sender(judged: &Value) -> &str {
    judged["sender"].as_str().unwrap_or_default()
}
