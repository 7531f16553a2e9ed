//! Turns a bare Linux host into a complete mail system.
//!
//! - `arguments`: the command line's words. `config`: the bootstrap file. `server`: the wiring of all rooms; read it to see what
//!   there is. `demo`: the same on loopback, furnished.
//! - `commands`, `show`: the API asked and its answers shown. `control`: the line to it, over the socket of a running server or
//!   in this process.
//! - `self_test`: every door tried as its guests do. `sendmail`: mail of this machine's own programs.
//! - `web`: the doors for browsers. `operations`: metrics and health. `certificate`: those of our own making. `knocker`: what the
//!   doors really show. `dns`: how the house looks at the DNS, and its proofs there. `private`: files for the owner alone. `log`.
//!
//! Invariants: no globals but the log's and the metrics' recorders and the allocator. Passwords come from a prompt, standard
//! input or a file, never from an argument.

mod arguments;
mod certificate;
mod commands;
mod config;
mod control;
mod demo;
mod dns;
mod holds;
mod host;
mod knocker;
mod letter;
mod log;
mod operations;
mod outlook;
mod private;
mod quotas;
mod self_test;
mod sendmail;
mod server;
mod show;
mod web;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser as _;

use arguments::{Arguments, Command};
use config::Config;

/// It gives memory back after a burst, and doesn't fragment where thousands of sessions come and go.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(words) = sendmail::called() {
        return sendmail::run(&words);
    }
    let arguments = Arguments::parse();
    if let Command::Sendmail { words } = &arguments.command {
        return sendmail::run(words);
    }
    match run(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// The whole chain, on one line of standard error.
#[expect(clippy::print_stderr, reason = "this is the one place where the command line speaks of its failure")]
fn complain(error: &anyhow::Error) {
    eprintln!("relais: {error:#}");
}

/// A thread that hashed or compressed keeps its heap for as long as it lives. Its end is also when the allocator looks for what it
/// may give back, and that is what has been free for a second.
const IDLE_THREAD: Duration = Duration::from_secs(2);

fn run(arguments: Arguments) -> Result<bool> {
    // As many workers as cores. The database's threads and those that hash and compress want the cores, too; but what strangers bring is judged
    // by the workers, and pages are made by them: with fewer, a core would stand idle then.
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_keep_alive(IDLE_THREAD).enable_all().build()?;
    runtime.block_on(perform(arguments))
}

/// False: done, but something is not as it should be.
async fn perform(arguments: Arguments) -> Result<bool> {
    let load = || Config::load(&arguments.config);
    match arguments.command {
        Command::Version => show::print(&format!("relais {}\n", env!("CARGO_PKG_VERSION")))?,
        Command::CheckConfig => {
            server::check(&load()?)?;
            show::print(&format!("{} is fine.\n", arguments.config.display()))?;
        }
        Command::Serve => {
            let config = load()?;
            let logging = log::start(&config.log)?;
            let server = server::Server::open(&config, None, std::sync::Arc::new(relais_model::SystemClock)).await?;
            Box::pin(server.serve(logging, || Ok(()))).await?;
        }
        Command::Demo(arguments) => Box::pin(demo::run(arguments)).await?,
        Command::SelfTest => return self_test::run(&load()?).await,
        // It needs neither a runtime nor the configuration, and was done before.
        Command::Sendmail { .. } => {}
        Command::House(command) => return commands::run(command, &load()?).await,
    }
    Ok(true)
}
