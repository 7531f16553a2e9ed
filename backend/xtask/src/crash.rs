//! `kill -9` under load, again and again: what was acknowledged is there, and nothing else happened to it.
//!
//! Each round starts relais in the same folder, checks the ledger against what IMAP shows, loads it with deliveries,
//! appends, flag changes and expunges at once, and kills it at a moment of chance. A change is in the ledger as asked for
//! before its command goes out and as acknowledged after its answer came; only what was asked for and not acknowledged may
//! be either way.

mod ledger;

use std::io;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use relais_model::Random;
use relais_testkit::SeededRandom;
use relais_testkit::imap::Client;
use relais_testkit::server::{Program, Server};
use relais_testkit::smtp;

use crate::tally::Tally;
pub(crate) use ledger::{Findings, Ledger, Shown};

/// Filled by SMTP.
const INBOX: &str = "INBOX";
/// Filled by APPEND.
const APPENDED: &str = "crash-appended";
/// Filled once; its flags change.
const FLAGGED: &str = "crash-flagged";
/// Filled by APPEND and emptied by EXPUNGE.
const EXPUNGED: &str = "crash-expunged";
/// Leads to another host: what comes for it waits in the queue, which no demo works.
const AWAY: &str = "away@relais.test";
/// The ledger's page of the queue. A message there is known by its sender's local part.
const QUEUE: &str = "queue";
const MAILBOXES: [&str; 4] = [INBOX, APPENDED, FLAGGED, EXPUNGED];

/// Messages whose flags change.
const FLAGGED_COUNT: u64 = 20;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often it is killed
    #[arg(long, default_value_t = 50)]
    rounds: u64,
    /// Of the moments at which it is killed
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The short form, as a stage of `test`.
pub(crate) fn run_short() -> anyhow::Result<Tally> {
    run(&Arguments { rounds: 3, seed: 1 })
}

/// Runs all rounds; one check each, and one of the database at the end.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let program = Program::built()?;
    let folder = tempfile::Builder::new().prefix("relais-crash.").tempdir()?;
    let ledger = Ledger::default();
    let random = SeededRandom::new(arguments.seed);
    let mut tally = Tally::default();
    for round in 0..=arguments.rounds {
        let server = Server::start_in(&program, folder.path(), &["--log", "info"])?;
        if round == 0 {
            prepare(&server, &ledger).context("cannot prepare the mailboxes")?;
            must_do(&program, folder.path(), &["alias", "add", AWAY, "somebody@elsewhere.example"])?;
        } else {
            let mut findings = check(&server, &ledger)?;
            let queued = queued_senders(&program, folder.path())?;
            ledger.on(QUEUE, |page| page.compare_presence(QUEUE, &queued, &mut findings));
            tally += told(&format!("crash-{round}"), &findings);
        }
        if round < arguments.rounds {
            load_and_kill(server, &ledger, round, Duration::from_millis(300 + random.below(1_500)));
        } else {
            drop(server);
        }
    }
    tally += check_store("crash-check-store", &program, folder.path())?;
    Ok(tally)
}

/// One check, and its line.
pub(crate) fn told(name: &str, findings: &Findings) -> Tally {
    let facts = format!("{} acknowledged, {} unsure", findings.acknowledged, findings.unsure);
    if findings.faults.is_empty() {
        println!("ok   {name} ({facts})");
    } else {
        println!("FAIL {name} ({facts})");
        findings.faults.iter().take(20).for_each(|fault| println!("     {fault}"));
    }
    Tally::of(findings.faults.is_empty())
}

fn prepare(server: &Server, ledger: &Ledger) -> anyhow::Result<()> {
    let mut client = log_in(server)?;
    for mailbox in [APPENDED, FLAGGED, EXPUNGED] {
        client.must(format!("CREATE {mailbox}"))?;
    }
    for number in 0..FLAGGED_COUNT {
        let subject = format!("flagged-{number}");
        add(&mut client, ledger, FLAGGED, &subject)?;
        ledger.on(FLAGGED, |page| page.keywords.insert(subject, (String::new(), None)));
    }
    // The demo's own mail is no part of this.
    client.must("SELECT INBOX")?;
    client.must("UID STORE 1:* +FLAGS.SILENT (\\Deleted)")?;
    client.must("EXPUNGE")?;
    client.must("LOGOUT")?;
    Ok(())
}

/// Loads the server from several sides, and kills it after `life`; every side ends with its connection.
fn load_and_kill(server: Server, ledger: &Ledger, round: u64, life: Duration) {
    type Load = fn(&Server, &Ledger, &str) -> io::Result<()>;
    let loads: [(&str, Load); 7] = [
        ("smtp-a", deliver),
        ("smtp-b", deliver),
        ("queue", queue),
        ("append-a", append),
        ("append-b", append),
        ("flags", change_flags),
        ("expunge", expunge),
    ];
    std::thread::scope(|scope| {
        for (name, load) in loads {
            let server = &server;
            scope.spawn(move || {
                // It always ends by an error: the server dies.
                drop(load(server, ledger, &format!("{name}-{round}")));
            });
        }
        std::thread::sleep(life);
        server.cut();
    });
    server.kill();
}

fn deliver(server: &Server, ledger: &Ledger, name: &str) -> io::Result<()> {
    let (address, _) = person(server)?;
    let mut client = smtp::Client::connect(server.port("smtp"))?;
    for subject in subjects(name) {
        let octets = message(&subject);
        ledger.on(INBOX, |page| page.added.insert(subject.clone(), false));
        client.deliver("stranger@elsewhere.example", &[&address], &octets)?.must(250)?;
        ledger.on(INBOX, |page| page.added.insert(subject, true));
    }
    Ok(())
}

fn queue(server: &Server, ledger: &Ledger, name: &str) -> io::Result<()> {
    let mut client = smtp::Client::connect(server.port("smtp"))?;
    for subject in subjects(name) {
        let octets = message(&subject);
        ledger.on(QUEUE, |page| page.added.insert(subject.clone(), false));
        client.deliver(&format!("{subject}@elsewhere.example"), &[AWAY], &octets)?.must(250)?;
        ledger.on(QUEUE, |page| page.added.insert(subject, true));
    }
    Ok(())
}

fn append(server: &Server, ledger: &Ledger, name: &str) -> io::Result<()> {
    let mut client = log_in(server)?;
    subjects(name).try_for_each(|subject| add(&mut client, ledger, APPENDED, &subject))
}

fn change_flags(server: &Server, ledger: &Ledger, name: &str) -> io::Result<()> {
    let mut client = log_in(server)?;
    client.must(format!("SELECT {FLAGGED}"))?;
    let random = SeededRandom::new(name.bytes().map(u64::from).sum());
    loop {
        let uid = random.below(FLAGGED_COUNT) + 1;
        let keyword = format!("k{}", random.below(8));
        let subject = format!("flagged-{}", uid - 1);
        let on_keyword = |act: fn(&mut (String, Option<String>), String)| {
            ledger.on(FLAGGED, |page| {
                if let Some(known) = page.keywords.get_mut(&subject) {
                    act(known, keyword.clone());
                }
            });
        };
        on_keyword(|known, keyword| known.1 = Some(keyword));
        client.must(format!("UID STORE {uid} FLAGS ({keyword})"))?;
        on_keyword(|known, keyword| *known = (keyword, None));
    }
}

fn expunge(server: &Server, ledger: &Ledger, name: &str) -> io::Result<()> {
    let mut client = log_in(server)?;
    client.must(format!("SELECT {EXPUNGED}"))?;
    for (subject, number) in subjects(name).zip(0..) {
        add(&mut client, ledger, EXPUNGED, &subject)?;
        // Every fourth stays.
        if number % 4 == 3 {
            continue;
        }
        let uid =
            ledger.on(EXPUNGED, |page| page.uids.iter().find(|(_, known)| **known == subject).map(|(uid, _)| *uid));
        let uid = uid.ok_or_else(|| io::Error::other("no APPENDUID"))?;
        client.must(format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"))?;
        ledger.on(EXPUNGED, |page| page.removed.insert(subject.clone(), false));
        client.must(format!("UID EXPUNGE {uid}"))?;
        ledger.on(EXPUNGED, |page| page.removed.insert(subject, true));
    }
    Ok(())
}

/// Appends a message.
pub(crate) fn add(client: &mut Client, ledger: &Ledger, mailbox: &'static str, subject: &str) -> io::Result<()> {
    ledger.on(mailbox, |page| page.added.insert(subject.to_owned(), false));
    let answer = client.append(mailbox, "", &message(subject))?;
    if !answer.is_ok() {
        return Err(io::Error::other(answer.tagged));
    }
    let uid = answer.code("APPENDUID").and_then(|words| words.split(' ').nth(1)?.parse().ok());
    ledger.on(mailbox, |page| {
        page.added.insert(subject.to_owned(), true);
        page.uids.extend(uid.map(|uid| (uid, subject.to_owned())));
    });
    Ok(())
}

/// Compares the ledger with what the server shows after its death.
fn check(server: &Server, ledger: &Ledger) -> anyhow::Result<Findings> {
    let mut client = log_in(server)?;
    let mut findings = Findings::default();
    for mailbox in MAILBOXES {
        let shown = Shown::read(&mut client, mailbox)?;
        ledger.on(mailbox, |page| page.compare(mailbox, &shown, &mut findings));
    }
    client.must("LOGOUT")?;
    Ok(findings)
}

/// Whose mail waits in the queue, once a recipient: the senders' local parts.
fn queued_senders(program: &Program, folder: &Path) -> anyhow::Result<Vec<String>> {
    let (mut senders, mut after) = (Vec::new(), None::<String>);
    loop {
        let mut words = vec!["queue", "list", "--json", "--limit", "1000"];
        words.extend(after.iter().flat_map(|last| ["--after", last.as_str()]));
        let listed: serde_json::Value = serde_json::from_slice(&must_do(program, folder, &words)?.stdout)?;
        let rows = listed.get("rows").and_then(serde_json::Value::as_array).context("a list has rows")?;
        let sender = |row: &serde_json::Value| Some(row.get("sender")?.as_str()?.split('@').next()?.to_owned());
        senders.extend(rows.iter().filter_map(sender));
        match listed.get("next").and_then(serde_json::Value::as_str) {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(senders),
        }
    }
}

fn must_do(program: &Program, folder: &Path, words: &[&str]) -> anyhow::Result<Output> {
    let output = ask(program, folder, words)?;
    ensure!(output.status.success(), "relais {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    Ok(output)
}

/// Runs relais' command line on the server's folder.
fn ask(program: &Program, folder: &Path, words: &[&str]) -> anyhow::Result<Output> {
    let Program::Relais(relais) = program else { bail!("only relais has its command line") };
    let config = folder.join("data/relais.toml");
    ensure!(config.exists(), "the demo left no {}", config.display());
    Ok(Command::new(relais).arg("--config").arg(&config).args(words).output()?)
}

/// The store's own check of counts, quota and dangling rows, on the folder as the last death left it.
pub(crate) fn check_store(name: &str, program: &Program, folder: &Path) -> anyhow::Result<Tally> {
    let output = ask(program, folder, &["check-store"])?;
    let is_clean = output.status.success();
    println!("{} {name}", if is_clean { "ok  " } else { "FAIL" });
    if !is_clean {
        println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(Tally::of(is_clean))
}

pub(crate) fn log_in(server: &Server) -> io::Result<Client> {
    let (address, password) = person(server)?;
    let mut client = Client::connect_tls("127.0.0.1", server.port("imaps"), &server.trust()?)?;
    client.login(&address, &password)?;
    Ok(client)
}

pub(crate) fn person(server: &Server) -> io::Result<(String, String)> {
    server.facts().accounts.first().cloned().ok_or_else(|| io::Error::other("the server has no account"))
}

fn subjects(name: &str) -> impl Iterator<Item = String> {
    (0..).map(move |number: u32| format!("{name}-{number}"))
}

pub(crate) fn message(subject: &str) -> Vec<u8> {
    let body = "Nothing that was accepted is lost.\r\n".repeat(20);
    format!(
        "From: stranger@elsewhere.example\r\nTo: somebody@example.test\r\nSubject: {subject}\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{subject}@crash.example>\r\n\r\n{body}"
    )
    .into_bytes()
}
