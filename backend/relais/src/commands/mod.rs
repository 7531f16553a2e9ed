//! Commands that ask the house something: words in, the API asked, the answer shown. A file a noun; what all of them do stands here.

mod addresses;
mod certificates;
mod domains;
mod filters;
mod flow;
mod house;
mod import;
mod moving;
mod people;
mod sharing;

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use axum::http::Method;
use serde_json::{Value, json};

use crate::arguments::{AccountCommand, CertificateCommand, HouseCommand, ListArguments, MessageCommand};
use crate::config::Config;
use crate::control::{Content, Line, query};
use crate::show::{self, Column};

/// Rows that are asked for at once, at most.
const PAGE: usize = 200;

/// Does what is said. False: it is done, but something is not as it should be.
pub(crate) async fn run(command: HouseCommand, config: &Config) -> Result<bool> {
    let mut line = Line::to(config);
    let outcome = perform(command, &mut line).await;
    line.close().await;
    outcome
}

async fn perform(command: HouseCommand, line: &mut Line<'_>) -> Result<bool> {
    match command {
        HouseCommand::Domain(command) => domains::domain(command, line).await?,
        HouseCommand::Account(AccountCommand::Import { file }) => return people::import_people(&file, line).await,
        HouseCommand::Account(command) => people::account(command, line).await?,
        HouseCommand::Import(command) => return moving::import(command, line).await,
        HouseCommand::Export(wanted) => moving::export(wanted, line).await?,
        HouseCommand::Alias(command) => addresses::alias(command, line).await?,
        HouseCommand::List(command) => addresses::mailing_list(command, line).await?,
        HouseCommand::Team(command) => sharing::team(command, line).await?,
        HouseCommand::Share(command) => sharing::share(command, line).await?,
        HouseCommand::Queue(command) => flow::queue(command, line).await?,
        HouseCommand::Hold(command) => flow::hold(command, line).await?,
        HouseCommand::Suppressed(command) => flow::suppressed(command, line).await?,
        HouseCommand::Message(MessageCommand::Trace { wanted, list }) => flow::trace(&wanted, &list, line).await?,
        HouseCommand::Judge(wanted) => return filters::judge(wanted, line).await,
        HouseCommand::Certificate(CertificateCommand::Doors { name, json }) => {
            return certificates::doors(name, json, line).await;
        }
        HouseCommand::Certificate(command) => certificates::certificate(command, line).await?,
        HouseCommand::Sender(command) => filters::senders(command, line).await?,
        HouseCommand::Sieve(command) => return filters::sieve(command, line).await,
        HouseCommand::Bans { json } => house::bans(json, line).await?,
        HouseCommand::Unban { target, .. } => house::unban(target.as_deref(), line).await?,
        HouseCommand::Activity(command) => house::activity(command, line).await?,
        HouseCommand::Settings(command) => house::settings(command, line).await?,
        HouseCommand::Dns(command) => return domains::dns(command, line).await,
        HouseCommand::Key(command) => people::key(command, line).await?,
        HouseCommand::SetupLink { domain, address } => {
            house::setup_link(domain.as_deref(), address.as_deref(), line).await?;
        }
        HouseCommand::CheckStore => return house::check_store(line).await,
        HouseCommand::Index(command) => house::index(command, line).await?,
        HouseCommand::Api { method, path, body } => return house::raw(method, &path, body, line).await,
    }
    Ok(true)
}

/// Asks, and takes a refusal for a failure.
async fn ask(line: &mut Line<'_>, method: Method, path: &str, content: Content) -> Result<Value> {
    Ok(line.ask(method, path, content).await??)
}

async fn get(line: &mut Line<'_>, path: &str) -> Result<Value> {
    ask(line, Method::GET, path, Content::Nothing).await
}

async fn delete(line: &mut Line<'_>, path: &str) -> Result<Value> {
    ask(line, Method::DELETE, path, Content::Nothing).await
}

async fn post(line: &mut Line<'_>, path: &str, body: Value) -> Result<Value> {
    ask(line, Method::POST, path, Content::Json(body)).await
}

fn say(text: &str) -> Result<()> {
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

/// From a prompt, where a person sits there; else the first line of standard input.
fn secret_of(prompt: &str) -> Result<String> {
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?);
    }
    let mut text = String::new();
    std::io::stdin().read_line(&mut text).context("cannot read the password from standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
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
