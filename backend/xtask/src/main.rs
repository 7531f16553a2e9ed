//! Tasks of the developers: `cargo xtask TASK`. The CI server runs the same ones and nothing else.
//!
//! `test` is all that must hold before a change goes in; the others are its stages, or the long forms of what it does
//! shortly. A task prints what it found and ends with a line that counts; it fails where anything failed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what a task finds is said at the terminal")]

mod api;
mod bench;
mod browser;
mod cargo;
mod crash;
mod full_disk;
mod fuzz;
mod imaptest;
mod installer;
mod lab;
mod load;
mod mime;
mod peers;
mod release;
mod sbom;
mod spam_eval;
mod tally;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the developers")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// All that must hold before a change goes in
    Test,
    /// The house's rules: who uses whom, named RFCs, docs of crates
    Tidy,
    /// Measures relais side by side with Postfix and Dovecot
    Bench(bench::Arguments),
    /// Asks the REST API all that its document allows, and what it doesn't (schemathesis)
    Api,
    /// Times the console's use-cases with 10,000 people, 1,000 domains and a million events
    ConsoleBench,
    /// Times the webmail on mailboxes of 100,000 messages, beside Roundcube, and the search index: its size, its answers, what it costs delivery
    WebmailBench(bench::WebmailArguments),
    /// Looks at the panel with a real browser
    Browser(browser::Arguments),
    /// Takes pictures of every page, into target/shots
    Shots {
        /// Only of pages whose names begin so
        names: Vec<String>,
    },
    /// Kills relais under load, again and again, and counts
    Crash(crash::Arguments),
    /// Fills the disk under a running relais (root only)
    FullDisk,
    /// Feeds the parsers of strangers' octets with what nobody thinks of
    Fuzz(fuzz::Arguments),
    /// Thousands of idle connections, and their memory
    Load(load::Arguments),
    /// Compares what relais and Dovecot say of odd messages (root only)
    Mime(mime::Arguments),
    /// Real clients and servers against the built relais
    Peers(peers::Arguments),
    /// Installs, upgrades and removes the built relais in machines of their own (root only)
    Installer(installer::Arguments),
    /// From a bare host to mail with the world, timed, in a lab of its own (root only)
    Lab(lab::Arguments),
    /// Makes the archive and the Debian package
    Release(release::Arguments),
    /// Plays imaptest's scripts against a server
    Imaptest(imaptest::Arguments),
    /// Measures the spam filter beside others, or trains the model that ships
    SpamEval(spam_eval::Arguments),
}

fn main() -> anyhow::Result<ExitCode> {
    let tally = match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Tidy => tidy::run()?,
        Task::Bench(arguments) => bench::run(&arguments)?,
        Task::Api => api::run()?,
        Task::ConsoleBench => bench::console()?,
        Task::WebmailBench(arguments) => bench::webmail(&arguments)?,
        Task::Browser(arguments) => browser::run(&arguments)?,
        Task::Shots { names } => browser::shots(&names)?,
        Task::Crash(arguments) => crash::run(&arguments)?,
        Task::FullDisk => full_disk::run()?,
        Task::Fuzz(arguments) => fuzz::run(&arguments)?,
        Task::Load(arguments) => load::run(&arguments)?,
        Task::Mime(arguments) => mime::run(&arguments)?,
        Task::Peers(arguments) => peers::run(&arguments)?,
        Task::Installer(arguments) => installer::run(&arguments)?,
        Task::Lab(arguments) => lab::run(&arguments)?,
        Task::Release(arguments) => release::run(&arguments)?,
        Task::Imaptest(arguments) => imaptest::run(&arguments)?,
        Task::SpamEval(arguments) => spam_eval::run(&arguments)?,
    };
    println!("{tally}");
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A folder of the suites that others wrote: under `$RELAIS_SUITES`, or beside the project. Its absence is said loudly.
fn suite(name: &str) -> Option<PathBuf> {
    let suites = std::env::var_os("RELAIS_SUITES").map_or_else(|| root().join("../shared/suites"), PathBuf::from);
    let folder = suites.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("\nSKIPPED: {name}: no folder {} (set RELAIS_SUITES)\n", folder.display());
    None
}

/// The project's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}
