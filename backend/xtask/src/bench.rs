//! Builds relais and its bench for speed, and runs them side by side with Postfix and Dovecot.

use std::path::PathBuf;
use std::process::Command;

use anyhow::ensure;

use crate::cargo::{cargo, target_folder};
use crate::tally::Tally;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only groups of figures whose name contains one of these words: smtp,idle,login,append,mailbox,huge,pop3,memory
    #[arg(long)]
    only: Option<String>,
    /// Fewer operations and one round: a look, not a measurement
    #[arg(long)]
    quick: bool,
    /// Without Postfix and Dovecot
    #[arg(long)]
    no_peers: bool,
    /// Writes the table into docs/performance.md
    #[arg(long)]
    write: bool,
}

/// Runs the bench; that it measured is the check, whatever it measured.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let built = target_folder().join("release");
    build("relais-bench")?;
    let mut bench = Command::new(built.join("relais-bench"));
    build("relais")?;
    bench.arg("--state").arg(target_folder().join("bench")).arg("--relais").arg(built.join("relais"));
    if let Some(words) = &arguments.only {
        bench.args(["--only", words]);
    }
    if arguments.quick {
        bench.arg("--quick");
    }
    if arguments.no_peers {
        bench.arg("--no-peers");
    }
    if arguments.write {
        bench.arg("--write").arg(crate::root().join("docs/performance.md"));
    }
    Ok(Tally::of(bench.status()?.success()))
}

/// How long the console's pages wait for their numbers, in a house of 10,000 people.
pub(crate) fn console() -> anyhow::Result<Tally> {
    example("console")
}

#[derive(clap::Args)]
pub(crate) struct WebmailArguments {
    /// Messages in a mailbox
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// How many of the twenty readers have a mailbox of that size of their own
    #[arg(long, default_value_t = 20)]
    mailboxes: usize,
    /// The folder of the suites, whose mail is multiplied
    #[arg(long, value_name = "FOLDER")]
    suites: Option<PathBuf>,
    /// Without Roundcube
    #[arg(long)]
    no_peers: bool,
    /// Only one part: `house` (what pages ask of the house, the search, what the index costs) or `pages` (over HTTPS, beside Roundcube)
    #[arg(long)]
    only: Option<String>,
}

/// How quick mailboxes of 100,000 messages are in the webmail, beside Roundcube, and what the search index costs.
pub(crate) fn webmail(arguments: &WebmailArguments) -> anyhow::Result<Tally> {
    let is_wanted = |part: &str| arguments.only.as_deref().is_none_or(|only| only == part);
    let built = build_for_webmail()?;
    let mut tally = Tally::default();
    if is_wanted("house") {
        let suites = arguments.suites.clone().unwrap_or_else(|| crate::root().join("../shared/suites"));
        let mut house = Command::new(built.join("examples/webmail"));
        house.args([arguments.messages, arguments.mailboxes].map(|number| number.to_string())).arg(suites);
        tally += Tally::of(house.status()?.success());
    }
    if is_wanted("pages") {
        let mut bench = Command::new(built.join("relais-bench"));
        bench.arg("--state").arg(target_folder().join("bench")).arg("--relais").arg(built.join("relais"));
        bench.arg("--webmail").arg(arguments.messages.to_string());
        if arguments.no_peers {
            bench.arg("--no-peers");
        }
        tally += Tally::of(bench.status()?.success());
    }
    Ok(tally)
}

/// All that it needs, at once: one by one, what they share would be built with other features each time.
fn build_for_webmail() -> anyhow::Result<PathBuf> {
    let mut cargo = cargo();
    cargo.args([
        "build",
        "--release",
        "--package",
        "relais",
        "--package",
        "relais-bench",
        "--package",
        "relais-service",
    ]);
    cargo.args(["--bins", "--example", "webmail"]);
    ensure!(cargo.status()?.success(), "what is to be measured does not build");
    Ok(target_folder().join("release"))
}

fn example(name: &str) -> anyhow::Result<Tally> {
    let mut cargo = cargo();
    cargo.args(["run", "--release", "--package", "relais-service", "--example", name]);
    Ok(Tally::of(cargo.status()?.success()))
}

fn build(package: &str) -> anyhow::Result<()> {
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--package", package]);
    ensure!(cargo.status()?.success(), "{package} does not build");
    Ok(())
}
