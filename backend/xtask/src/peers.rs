//! Real clients and servers against a started house: the scripts in `testkit/peers`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use relais_testkit::machine;
use relais_testkit::server::{Program, Server};

use crate::tally::Tally;

/// The scripts in their order. Each is told of the house by its environment and prints a line a check.
const SCRIPTS: &[&str] = &["clients.sh", "session.py", "mutt.sh", "mbsync.sh", "postfix.sh"];

/// A program that the checks drive, and Debian's package of it.
const PROGRAMS: &[(&str, &str)] = &[
    ("curl", "curl"),
    ("fetchmail", "fetchmail"),
    ("getmail", "getmail6"),
    ("gsasl", "gsasl"),
    ("mbsync", "isync"),
    ("mpop", "mpop"),
    ("msmtp", "msmtp"),
    ("mutt", "mutt"),
    ("postfix", "postfix"),
    ("python3", "python3"),
    ("s-nail", "s-nail"),
    ("swaks", "swaks"),
    ("tmux", "tmux"),
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Drive Debian's Postfix and Dovecot in relais's place, which proves the checks (as root)
    #[arg(long)]
    reference: bool,
    /// Only scripts whose name contains this
    #[arg(long, default_value = "")]
    only: String,
}

/// Starts a house and runs the scripts against it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    install();
    let program = if arguments.reference { Program::Reference } else { Program::built()? };
    let house = Server::start(&program, &[])?;
    let mut tally = Tally::default();
    for script in SCRIPTS.iter().filter(|script| script.contains(&arguments.only)) {
        tally += play(&house, &program, script)?;
    }
    Ok(tally)
}

/// Runs the scripts against relais, as a stage of `test`.
pub(crate) fn run_all() -> anyhow::Result<Tally> {
    run(&Arguments { reference: false, only: String::new() })
}

/// Installs what is missing, as root; else says what to install. What is still missing skips its checks.
pub(crate) fn install() {
    let is_missing = |(program, _): &&(&str, &str)| machine::find_program(program).is_none();
    let packages: Vec<&str> = PROGRAMS.iter().filter(is_missing).map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return;
    }
    let list = packages.join(" ");
    if !machine::is_root() {
        eprintln!("\nSKIPPED: checks with {list}: not installed (apt-get install {list})\n");
        return;
    }
    println!("installing {list}");
    let install = format!("apt-get update -qq && apt-get install -y -qq --no-install-recommends {list}");
    let status = Command::new("sh")
        .args(["-c", &install])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        eprintln!("\nSKIPPED: some of {list} could not be installed\n");
    }
}

fn play(house: &Server, program: &Program, script: &str) -> anyhow::Result<Tally> {
    let folder = crate::root().join("backend/testkit/peers");
    let mut child = Command::new(folder.join(script))
        .envs(told(house, program)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {script}"))?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            tally += Tally::of_line(&line);
        }
    }
    if !child.wait()?.success() && tally.failed == 0 {
        println!("FAIL {script} (it ended badly)");
        tally += Tally::of(false);
    }
    Ok(tally)
}

/// What a script is told: `HOST`, `CA`, `LOGIN`, `PASSWORD` (and `LOGIN2`, `PASSWORD2`), a `…_PORT` a door.
fn told(house: &Server, program: &Program) -> anyhow::Result<Vec<(String, String)>> {
    let facts = house.facts();
    let [(login, password), (login2, password2), ..] = facts.accounts.as_slice() else {
        anyhow::bail!("the house needs two accounts");
    };
    let text = |path: &Path| path.display().to_string();
    let mut told = vec![
        ("HOST".to_owned(), "localhost".to_owned()),
        ("CA".to_owned(), text(&facts.ca)),
        ("LOGIN".to_owned(), login.clone()),
        ("PASSWORD".to_owned(), password.clone()),
        ("LOGIN2".to_owned(), login2.clone()),
        ("PASSWORD2".to_owned(), password2.clone()),
    ];
    told.extend(facts.ports.iter().map(|(door, port)| (format!("{}_PORT", door.to_uppercase()), port.to_string())));
    if let Program::Relais(path) = program {
        told.push(("RELAIS".to_owned(), text(path)));
    }
    Ok(told)
}
