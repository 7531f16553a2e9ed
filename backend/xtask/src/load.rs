//! Many at once: thousands of idle IMAP connections and what each costs in memory (PSS, so that shared pages count once),
//! and [`doors`], what strangers in numbers can do to others.

mod doors;

use std::fs;
use std::io;
use std::process::Command;

use anyhow::{Context, ensure};
use relais_testkit::imap::Client;
use relais_testkit::machine;
use relais_testkit::server::{Program, Server};

use crate::tally::Tally;

/// What a connection may cost, in KiB.
const PLAIN_KIB: u64 = 12;
const TLS_KIB: u64 = 40;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many connections of each kind
    #[arg(long, default_value_t = 5_000)]
    connections: u32,
    /// How many strangers come at once
    #[arg(long, default_value_t = 200)]
    strangers: usize,
}

/// The short form, as a stage of `test`: whether they are held and cost no more than they may.
pub(crate) fn run_short() -> anyhow::Result<Tally> {
    run(&Arguments { connections: 500, strangers: 50 })
}

/// Holds them without TLS and with it, in a server of its own each.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    allow_files(arguments.connections * 2 + 1_000)?;
    let mut tally = Tally::default();
    for (name, is_tls, most) in [("plain", false, PLAIN_KIB), ("tls", true, TLS_KIB)] {
        let each = hold(arguments.connections, is_tls)?;
        let is_small = each <= most * 1024;
        #[expect(clippy::cast_precision_loss, reason = "a figure for a person")]
        let kib = each as f64 / 1024.0;
        let mark = if is_small { "ok  " } else { "FAIL" };
        println!("{mark} load-idle-{name} ({} connections, {kib:.1} KiB each, {most} allowed)", arguments.connections);
        tally += Tally::of(is_small);
    }
    tally += doors::run(arguments.strangers)?;
    Ok(tally)
}

/// Octets of PSS that each of `count` idling connections costs the server.
fn hold(count: u32, is_tls: bool) -> anyhow::Result<u64> {
    let folder = tempfile::Builder::new().prefix("relais-load.").tempdir()?;
    let door = machine::free_port();
    let extra = folder.path().join("extra.toml");
    fs::write(
        &extra,
        format!(
            "[limits]\nconnections = 20000\nconnections_per_address = 20000\nconnections_per_account = 20000\n\n\
             [[listen]]\nprotocol = \"imap\"\nat = \"127.0.0.1:{door}\"\nplain_login = true\n"
        ),
    )?;
    let server = Server::start(&Program::built()?, &["--log", "info", "--with", &extra.display().to_string()])?;
    let accounts = server.facts().accounts.clone();
    ensure!(!accounts.is_empty(), "the server has no account");
    let trust = server.trust()?;
    let open = |(address, password): &(String, String)| -> io::Result<Client> {
        let mut client = if is_tls {
            Client::connect_tls("127.0.0.1", server.port("imaps"), &trust)?
        } else {
            Client::connect("127.0.0.1", door)?
        };
        client.login(address, password)?;
        client.must("SELECT INBOX")?;
        let tag = client.take_tag();
        client.send(&tag, b"IDLE")?;
        client.next(&tag)?;
        Ok(client)
    };
    // One of each first, so that what is shared is there before it is measured.
    let mut held = accounts.iter().map(open).collect::<io::Result<Vec<_>>>()?;
    let before = pss_octets(server.process_id())?;
    for account in accounts.iter().cycle().take(usize::try_from(count)?) {
        held.push(open(account).with_context(|| format!("connection {} of {count}", held.len()))?);
    }
    let after = pss_octets(server.process_id())?;
    Ok(after.saturating_sub(before) / u64::from(count))
}

fn pss_octets(process: u32) -> anyhow::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("the kernel tells no PSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// Lets this process, and what it starts, open so many files. By a program: no crate and no unsafe code for one number.
fn allow_files(count: u32) -> anyhow::Result<()> {
    let own = std::process::id().to_string();
    let status = Command::new("prlimit").args(["--pid", &own, &format!("--nofile={count}:{count}")]).status()?;
    ensure!(status.success(), "cannot open {count} files at once: raise `ulimit -n`, or run as root");
    Ok(())
}
