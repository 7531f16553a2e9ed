//! Commands that ask the house something: words in, the API asked, the answer shown.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use axum::http::Method;
use relais_model::{Clock as _, SystemClock};
use relais_service::Moment;
use serde_json::{Value, json};

use crate::arguments::{
    AccountCommand, ActivityCommand, AliasCommand, AliasTerms, AppPasswordCommand, CertificateCommand, DnsCommand,
    DomainCommand, HoldCommand, HouseCommand, IndexCommand, JudgeArguments, KeyCommand, ListArguments, ListCommand,
    MessageCommand, QueueCommand, QueueSelection, Recipes, SenderArguments, SenderCommand, SettingsCommand,
    SieveArguments, SieveCommand, SuppressedCommand,
};
use crate::config::Config;
use crate::control::{Content, Line, complaints, path, query};
use crate::import;
use crate::moving;
use crate::show::{self, Cell, Column, member};

/// Rows that are asked for at once, at most.
const PAGE: usize = 200;
/// What app passwords are for unless it is said otherwise.
const ALL_PROTOCOLS: [&str; 3] = ["imap", "pop3", "smtp"];

const DOMAINS: &[Column] = &[
    ("DOMAIN", Cell::Member("domain")),
    ("PEOPLE", Cell::Member("people")),
    ("ALIASES", Cell::Member("aliases")),
    ("CATCH-ALL", Cell::Member("catch_all")),
    ("POSTMASTER", Cell::Member("postmaster")),
];
const ACCOUNTS: &[Column] = &[
    ("ADDRESS", Cell::Member("address")),
    ("NAME", Cell::Member("name")),
    ("MESSAGES", Cell::Member("used_messages")),
    ("USED", Cell::Size("used_octets")),
    ("QUOTA", Cell::Size("quota_octets")),
    ("", Cell::If("is_suspended", "suspended")),
];
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
const APP_PASSWORDS: &[Column] = &[
    ("NAME", Cell::Member("name")),
    ("FOR", Cell::Member("protocols")),
    ("KIND", Cell::Member("kind")),
    ("MADE", Cell::Member("created_at")),
    ("ENDS", Cell::Member("expires_at")),
    ("LAST USED", Cell::Member("last_used_at")),
    ("FROM", Cell::Member("last_used_ip")),
];
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
const BANS: &[Column] = &[
    ("WHO", Cell::Member("whom")),
    ("WHY", Cell::Member("why")),
    ("FAILURES", Cell::Member("failures")),
    ("SINCE", Cell::Member("since")),
    ("UNTIL", Cell::Member("until")),
];
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
const SCRIPTS: &[Column] = &[
    ("NAME", Cell::Member("name")),
    ("RUNS", Cell::Member("is_active")),
    ("OCTETS", Cell::Member("octets")),
    ("CHANGED", Cell::Member("changed_at")),
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

/// Does what is said. False: it is done, but something is not as it should be.
pub(crate) async fn run(command: HouseCommand, config: &Config) -> Result<bool> {
    let mut line = Line::to(config);
    let outcome = perform(command, &mut line).await;
    line.close().await;
    outcome
}

async fn perform(command: HouseCommand, line: &mut Line<'_>) -> Result<bool> {
    match command {
        HouseCommand::Domain(command) => domain(command, line).await?,
        HouseCommand::Account(AccountCommand::Import { file }) => return import_people(&file, line).await,
        HouseCommand::Account(command) => account(command, line).await?,
        HouseCommand::Import(command) => return moving::import(command, line).await,
        HouseCommand::Export(wanted) => moving::export(wanted, line).await?,
        HouseCommand::Alias(command) => alias(command, line).await?,
        HouseCommand::List(command) => mailing_list(command, line).await?,
        HouseCommand::Queue(command) => queue(command, line).await?,
        HouseCommand::Hold(command) => hold(command, line).await?,
        HouseCommand::Suppressed(command) => suppressed(command, line).await?,
        HouseCommand::Message(MessageCommand::Trace { wanted, list }) => trace(&wanted, &list, line).await?,
        HouseCommand::Judge(wanted) => return judge(wanted, line).await,
        HouseCommand::Certificate(CertificateCommand::Doors { name, json }) => return doors(name, json, line).await,
        HouseCommand::Certificate(command) => certificate(command, line).await?,
        HouseCommand::Sender(command) => senders(command, line).await?,
        HouseCommand::Sieve(command) => return sieve(command, line).await,
        HouseCommand::Bans { json } => {
            let security = get(line, "/security").await?;
            let bans = json!({ "rows": show::items(&security, "bans"), "next": null });
            show::list(&bans, json, BANS)?;
        }
        HouseCommand::Unban { target, .. } => unban(target.as_deref(), line).await?,
        HouseCommand::Activity(command) => activity(command, line).await?,
        HouseCommand::Settings(command) => settings(command, line).await?,
        HouseCommand::Dns(command) => return dns(command, line).await,
        HouseCommand::Key(command) => key(command, line).await?,
        HouseCommand::SetupLink { domain, address } => {
            let made = ask(line, Method::POST, "/system/setup-link", Content::Nothing).await?;
            let proposed = [("domain", &domain), ("address", &address)];
            let proposed: Vec<_> = proposed.iter().filter_map(|(name, said)| Some((*name, said.as_deref()?))).collect();
            let asked = if proposed.is_empty() { String::new() } else { format!("?{}", query(&proposed)) };
            say(&format!("{}{asked}", member(&made, "link")))?;
            // What a browser will warn of, and with what to compare it; nothing serves where there is none.
            for certificate in show::items(&get(line, "/system").await?, "certificates") {
                say(&format!("SHA-256 {}", member(certificate, "fingerprint")))?;
            }
        }
        HouseCommand::CheckStore => return check_store(line).await,
        HouseCommand::Index(command) => index(command, line).await?,
        HouseCommand::Api { method, path, body } => return raw(method, &path, body, line).await,
    }
    Ok(true)
}

/// Asks, and takes a refusal for a failure.
pub(crate) async fn ask(line: &mut Line<'_>, method: Method, path: &str, content: Content) -> Result<Value> {
    Ok(line.ask(method, path, content).await??)
}

pub(crate) async fn get(line: &mut Line<'_>, path: &str) -> Result<Value> {
    ask(line, Method::GET, path, Content::Nothing).await
}

async fn delete(line: &mut Line<'_>, path: &str) -> Result<Value> {
    ask(line, Method::DELETE, path, Content::Nothing).await
}

async fn post(line: &mut Line<'_>, path: &str, body: Value) -> Result<Value> {
    ask(line, Method::POST, path, Content::Json(body)).await
}

pub(crate) fn say(text: &str) -> Result<()> {
    show::print(&format!("{text}\n"))
}

/// Asks for as many pages of a list as are needed, and shows it as one.
async fn list(
    line: &mut Line<'_>,
    of: &str,
    filter: &[(&str, &str)],
    wanted: &ListArguments,
    columns: &[Column],
) -> Result<()> {
    let most = usize::try_from(wanted.limit)?;
    let (mut rows, mut after) = (Vec::new(), wanted.after.clone());
    loop {
        let limit = PAGE.min(most - rows.len()).to_string();
        let mut members = filter.to_vec();
        members.push(("limit", &limit));
        members.extend(after.as_deref().map(|after| ("after", after)));
        let page = get(line, &format!("{of}?{}", query(&members))).await?;
        rows.extend_from_slice(show::items(&page, "rows"));
        after = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if after.is_none() || most <= rows.len() {
            break;
        }
    }
    show::list(&json!({ "rows": rows, "next": after }), wanted.json, columns)
}

async fn domain(command: DomainCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        DomainCommand::Add { domain, catch_all, postmaster } => {
            let new = json!({ "domain": domain, "catch_all": catch_all, "postmaster": postmaster });
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

async fn senders(command: SenderCommand, line: &mut Line<'_>) -> Result<()> {
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
async fn sieve(command: SieveCommand, line: &mut Line<'_>) -> Result<bool> {
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
async fn judge(wanted: JudgeArguments, line: &mut Line<'_>) -> Result<bool> {
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

/// False where something is wrong.
async fn dns(command: DnsCommand, line: &mut Line<'_>) -> Result<bool> {
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

async fn account(command: AccountCommand, line: &mut Line<'_>) -> Result<()> {
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
async fn import_people(file: &Path, line: &mut Line<'_>) -> Result<bool> {
    let text = read_file(file)?;
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

async fn alias(command: AliasCommand, line: &mut Line<'_>) -> Result<()> {
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

async fn mailing_list(command: ListCommand, line: &mut Line<'_>) -> Result<()> {
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

async fn queue(command: QueueCommand, line: &mut Line<'_>) -> Result<()> {
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
async fn trace(wanted: &str, paging: &ListArguments, line: &mut Line<'_>) -> Result<()> {
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

async fn certificate(command: CertificateCommand, line: &mut Line<'_>) -> Result<()> {
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
            let key = key.as_deref().map(read_file).transpose()?.unwrap_or_default();
            let made = post(line, "/certificates", json!({ "chain": read_file(&chain)?, "key": key })).await?;
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
async fn doors(name: Option<String>, is_json: bool, line: &mut Line<'_>) -> Result<bool> {
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

async fn unban(target: Option<&str>, line: &mut Line<'_>) -> Result<()> {
    let Some(target) = target else {
        let touched = delete(line, "/security/bans").await?;
        return say(&format!("{} bans lifted", member(&touched, "count")));
    };
    delete(line, &path(&["security", "bans", target])).await?;
    say(&format!("{target} may log in again"))
}

async fn hold(command: HoldCommand, line: &mut Line<'_>) -> Result<()> {
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

async fn suppressed(command: SuppressedCommand, line: &mut Line<'_>) -> Result<()> {
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

async fn activity(command: ActivityCommand, line: &mut Line<'_>) -> Result<()> {
    match command {
        ActivityCommand::List(wanted) => list(line, "/activity", &[], &wanted, ACTIVITY).await,
        ActivityCommand::Undo { id } => {
            let undone = ask(line, Method::POST, &path(&["activity", &id, "undo"]), Content::Nothing).await?;
            say(&format!("{} {}", member(&undone, "act"), member(&undone, "subject")))
        }
    }
}

async fn settings(command: SettingsCommand, line: &mut Line<'_>) -> Result<()> {
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

async fn key(command: KeyCommand, line: &mut Line<'_>) -> Result<()> {
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

/// False: something is wrong in the database.
async fn check_store(line: &mut Line<'_>) -> Result<bool> {
    let checked = ask(line, Method::POST, "/system/check-store", Content::Nothing).await?;
    let findings: Vec<_> = show::items(&checked, "findings").iter().filter_map(Value::as_str).collect();
    say(&if findings.is_empty() { "The database is clean.".to_owned() } else { findings.join("\n") })?;
    Ok(findings.is_empty())
}

/// How often progress is looked at.
const INDEX_LOOK: Duration = Duration::from_secs(1);

async fn index(command: IndexCommand, line: &mut Line<'_>) -> Result<()> {
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
async fn raw(method: Method, path: &str, body: Option<String>, line: &mut Line<'_>) -> Result<bool> {
    let body = match body.as_deref() {
        Some("-") => Some(read_file(Path::new("-"))?),
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

/// A new password: from a prompt, twice, where a person sits there; else the first line of standard input.
fn read_password(address: &str) -> Result<String> {
    let first = secret_of(&format!("New password for {address}: "))?;
    if std::io::stdin().is_terminal() && rpassword::prompt_password("Again: ")? != first {
        bail!("the two passwords are not the same");
    }
    Ok(first)
}

/// From a prompt, where a person sits there; else the first line of standard input.
pub(crate) fn secret_of(prompt: &str) -> Result<String> {
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?);
    }
    let mut text = String::new();
    std::io::stdin().read_line(&mut text).context("cannot read the password from standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn read_file(path: &Path) -> Result<String> {
    String::from_utf8(read_octets(path)?).with_context(|| format!("{} is no text", path.display()))
}

fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read_octets(path)?).with_context(|| format!("{} is no text in UTF-8", path.display()))
}

fn read_octets(path: &Path) -> Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    }
    let mut octets = Vec::new();
    std::io::stdin().read_to_end(&mut octets)?;
    Ok(octets)
}
