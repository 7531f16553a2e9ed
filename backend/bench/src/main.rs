//! Measures a mail server from outside, side by side with Postfix and Dovecot on the same machine.
//!
//! `cargo xtask bench` builds this and relais and runs it. Everything goes over loopback sockets: no server is asked for
//! more than any client may ask. What is measured stands in [`figures`], what is to be reached in [`goals`]; a new figure
//! is a function there and a row here.
//!
//! How a figure may be trusted on a machine that others use: every measurement is taken of all servers in turn, and the
//! order turns with each round, so that a noisy minute hits all alike; medians are shown; and beside each stands the CPU
//! time that the server's processes took for one operation, which survives noise. So trust ratios and CPU, not speeds.
//!
//! - [`servers`]: relais, and Debian's Postfix with Dovecot, each set up from nothing in a folder of its own
//! - [`figures`]: what is done and timed
//! - [`wire`], [`imap`], [`smtp`], [`pop3`]: lean blocking clients; [`message`]: mail that looks like mail
//! - [`process`]: what the system knows of a server's processes
//! - [`webmail`]: the webmail beside Debian's Roundcube, by [`browser`]s
//! - [`table`]: what a person gets to see
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what was measured is said at the terminal")]
#![expect(clippy::indexing_slicing, reason = "a bench that is wrong may stop where it stands")]
#![expect(clippy::cast_precision_loss, reason = "figures are for people")]

mod browser;
mod figures;
mod goals;
mod imap;
mod message;
mod pop3;
mod process;
mod servers;
mod smtp;
mod table;
mod webmail;
mod wire;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Parser;

use figures::{GROUPS, Sample, Scale};
use servers::Server;

#[derive(Parser)]
#[command(about = "Measures relais beside Postfix and Dovecot")]
struct Arguments {
    /// The program to measure; without it only the others are.
    #[arg(long, value_name = "PROGRAM")]
    relais: Option<PathBuf>,
    /// Where the servers keep what they need: made anew, and others than root must be able to pass to it
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// Only groups of figures whose name contains one of these words
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Fewer operations and one round: a look, not a measurement
    #[arg(long)]
    quick: bool,
    /// Without Postfix and Dovecot
    #[arg(long)]
    no_peers: bool,
    /// Only the webmail, beside Debian's Roundcube, with so many messages in a mailbox
    #[arg(long, value_name = "MESSAGES")]
    webmail: Option<usize>,
    /// The document whose table is to be written
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(messages) = arguments.webmail {
        let program = arguments.relais.as_deref().context("the webmail is that of --relais")?;
        return webmail::run(&webmail::Plan {
            program,
            state: &arguments.state,
            messages,
            with_peers: !arguments.no_peers,
        });
    }
    let mut servers = start(&arguments)?;
    ensure!(!servers.is_empty(), "there is no server to measure");
    let samples = measure(&mut servers, &arguments)?;
    let names: Vec<&str> = servers.iter().map(Server::name).collect();
    let table = table::of(&samples, &names);
    println!("\n{table}");
    if let Some(file) = &arguments.write {
        table::write(file, &table).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn start(arguments: &Arguments) -> anyhow::Result<Vec<Server>> {
    let mut servers = Vec::new();
    if let Some(program) = &arguments.relais {
        servers.push(servers::relais::start(program, &arguments.state.join("relais"))?);
    }
    if !arguments.no_peers && servers::peers::are_here()? {
        for format in servers::peers::FORMATS {
            servers.push(servers::peers::start(format, &arguments.state.join(format.folder))?);
        }
    }
    Ok(servers)
}

/// Every group, every round, every server; a server that fails at one is told and goes on with the next.
fn measure(servers: &mut [Server], arguments: &Arguments) -> anyhow::Result<Vec<(String, Sample)>> {
    let is_wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|word| name.contains(word));
    let scale = Scale { is_quick: arguments.quick };
    let mut samples = Vec::new();
    for group in GROUPS.iter().filter(|group| is_wanted(group.name)) {
        let rounds = if arguments.quick { 1 } else { group.rounds };
        for round in 0..rounds {
            for turn in 0..servers.len() {
                let at = if round % 2 == 0 { turn } else { servers.len() - 1 - turn };
                let server = servers.get_mut(at).context("a server")?;
                eprint!("{} {}/{rounds} {} …", group.name, round + 1, server.name());
                match (group.run)(server, scale, round) {
                    Ok(found) => {
                        eprintln!(" {}", table::brief(&found));
                        samples.extend(found.into_iter().map(|sample| (server.name().to_owned(), sample)));
                    }
                    Err(error) => eprintln!(" FAILED: {error:#}"),
                }
            }
        }
    }
    Ok(samples)
}
