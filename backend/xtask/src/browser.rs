//! Looks at the panel with a real browser: the checks and the pictures of `web/e2e`, against a demo that they start themselves.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use relais_testkit::machine;
use relais_testkit::server::Program;

use crate::peers;
use crate::tally::Tally;

/// Debian's packages: the browser, what tells it whose certificates to believe, an authenticator, a mail program, what makes a database
/// old, a mail program at a terminal, and what unpacks.
const PACKAGES: &[&str] = &["chromium", "libnss3-tools", "oathtool", "curl", "sqlite3", "mutt", "tmux", "python3"];
/// And those that run the scripts, where the machine has no Node of its own.
const NODE: &[&str] = &["nodejs", "npm"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files of web/e2e/checks, without their ends; all of them where none is named
    names: Vec<String>,
}

/// Runs the checks.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    play(&arguments.names)
}

/// Runs a few of the checks, as a stage of `test`: all of them take longer than everything else.
pub(crate) fn run_short() -> anyhow::Result<Tally> {
    play(&["sign-in".to_owned(), "look".to_owned()])
}

/// Takes a picture of every page, or of those whose names begin so, at three widths, light and dark: target/shots/PAGE-WIDTH-THEME.png.
pub(crate) fn shots(names: &[String]) -> anyhow::Result<Tally> {
    let folder = crate::root().join("target/shots");
    let arguments = ["--shots".to_owned(), folder.display().to_string()];
    let tally = play(&[&arguments, names].concat())?;
    println!("the pictures stand in {}", folder.display());
    Ok(tally)
}

fn play(arguments: &[String]) -> anyhow::Result<Tally> {
    let program = Program::built()?;
    let Some(relais) = program.relais() else { anyhow::bail!("only relais has a panel") };
    if let Err(why) = prepare() {
        eprintln!("\nSKIPPED: the browser's checks: {why}\n");
        return Ok(Tally::skip());
    }
    let child = Command::new("node")
        .arg("run.mjs")
        .args(arguments)
        .current_dir(folder())
        .env("RELAIS_BIN", fs::canonicalize(relais)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run node")?;
    Ok(Tally::of_checks("browser", child)?)
}

fn folder() -> PathBuf {
    crate::root().join("web/e2e")
}

/// Installs what is missing.
///
/// # Errors
/// What is still missing, for the person at the terminal.
fn prepare() -> Result<(), String> {
    peers::install(PACKAGES);
    if machine::find_program("npm").is_none() {
        peers::install(NODE);
    }
    let needed = ["chromium", "certutil", "oathtool", "curl", "sqlite3", "node", "npm"];
    let missing = needed.into_iter().find(|name| machine::find_program(name).is_none());
    if let Some(name) = missing {
        return Err(format!("there is no {name}"));
    }
    if is_furnished() {
        return Ok(());
    }
    println!("installing web/e2e's packages");
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(folder())
        .stdout(Stdio::null())
        .status();
    if status.is_ok_and(|status| status.success()) { Ok(()) } else { Err("npm ci failed".to_owned()) }
}

/// Whether npm has installed what the lock names now; npm's own record is written after all packages.
fn is_furnished() -> bool {
    let written_at = |path: &str| fs::metadata(folder().join(path)).and_then(|file| file.modified());
    match (written_at("package-lock.json"), written_at("node_modules/.package-lock.json")) {
        (Ok(lock), Ok(installed)) => lock <= installed,
        _ => false,
    }
}
