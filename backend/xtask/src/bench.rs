//! Builds relais and its bench for speed, and runs them side by side with Postfix and Dovecot.

use std::path::PathBuf;
use std::process::Command;

use anyhow::ensure;

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

/// How quick a mailbox of 100,000 messages is in the webmail, and what the search index costs.
pub(crate) fn webmail() -> anyhow::Result<Tally> {
    example("webmail")
}

fn example(name: &str) -> anyhow::Result<Tally> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--release", "--package", "relais-service", "--example", name]).current_dir(crate::root());
    Ok(Tally::of(cargo.status()?.success()))
}

fn build(package: &str) -> anyhow::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--package", package]).current_dir(crate::root());
    ensure!(cargo.status()?.success(), "{package} does not build");
    Ok(())
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from)
}
