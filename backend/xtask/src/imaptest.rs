//! Plays imaptest's scripts against a server and prints how each went.

use std::path::PathBuf;

use anyhow::{Context, bail};
use relais_testkit::imaptest::{self, Outcome};
use relais_testkit::postgres::Database;
use relais_testkit::server::{Program, Server};
use relais_testkit::wire::Trust;

use crate::tally::Tally;

/// Without a host the built `relais` is started and played against.
#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// A server that runs already
    #[arg(long)]
    host: Option<String>,
    /// Its IMAP port
    #[arg(long)]
    port: Option<u16>,
    /// An account for tests: its mailboxes named `imaptest…` are removed
    #[arg(long)]
    user: Option<String>,
    /// The account's password
    #[arg(long)]
    password: Option<String>,
    /// A PEM file; STARTTLS is used then
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Play against Debian's Dovecot, started for it (as root)
    #[arg(long, conflicts_with = "host")]
    reference: bool,
    /// Play against relais on a private PostgreSQL
    #[arg(long, conflicts_with_all = ["host", "reference"])]
    postgres: bool,
    /// Only scripts whose name contains this
    #[arg(long, default_value = "")]
    only: String,
}

/// Plays the scripts against the built relais, as a stage of `test`.
pub(crate) fn run_all() -> anyhow::Result<Tally> {
    run(&Arguments::default())
}

/// The same with relais on PostgreSQL; without one it is skipped, but for the CI server.
pub(crate) fn run_all_on_postgres() -> anyhow::Result<Tally> {
    run(&Arguments { postgres: true, ..Arguments::default() })
}

/// Plays the scripts.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let Some(folder) = crate::suite("imaptest") else { return Ok(Tally::skip()) };
    // The house is dropped before its database.
    let (database, house);
    let server = if let Some(host) = &arguments.host {
        given(arguments, host)?
    } else {
        let mut program = if arguments.reference { Program::Reference } else { Program::built()? };
        if arguments.postgres {
            database = Database::fresh();
            let Some(database) = &database else { return Ok(Tally::skip()) };
            program = program.on(database.url());
        }
        house = Server::start(&program, &[])?;
        player_of(&house)?
    };
    let outcomes = imaptest::play_all(&folder, &server, &arguments.only)?;
    let mut tally = Tally::default();
    for (name, outcome) in &outcomes {
        let line = match outcome {
            Outcome::Passed => format!("ok   {name}"),
            Outcome::Skipped(capability) => format!("skip {name} (no {capability})"),
            Outcome::Failed(reason) => format!("FAIL {name}: {reason}"),
        };
        println!("{line}");
        tally += Tally::of_line(&line);
    }
    Ok(tally)
}

fn given(arguments: &Arguments, host: &str) -> anyhow::Result<imaptest::Server> {
    let (Some(port), Some(user), Some(password)) = (arguments.port, &arguments.user, &arguments.password) else {
        bail!("a host needs --port, --user and --password");
    };
    Ok(imaptest::Server {
        host: host.to_owned(),
        port,
        user: user.clone(),
        password: password.clone(),
        trust: arguments.ca.as_deref().map(Trust::from_pem).transpose()?,
    })
}

/// The first account of a started server, over STARTTLS.
fn player_of(house: &Server) -> anyhow::Result<imaptest::Server> {
    let (user, password) = house.facts().accounts.first().cloned().context("the server has no account")?;
    Ok(imaptest::Server {
        host: "127.0.0.1".to_owned(),
        port: house.port("imap"),
        user,
        password,
        trust: Some(house.trust()?),
    })
}
