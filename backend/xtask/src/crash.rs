//! `kill -9` under load, again and again: what was acknowledged is there, and nothing else happened to it.
//!
//! Each round starts relais in the same folder, checks the ledger against what IMAP shows, loads it with deliveries,
//! appends, flag changes and expunges at once, and kills it at a moment of chance. A change is in the ledger as asked for
//! before its command goes out and as acknowledged after its answer came; only what was asked for and not acknowledged may
//! be either way.
//!
//! With `--postgres` the data is in a private PostgreSQL, and in every second round that is let crash first: relais goes on,
//! shows what it acknowledged, takes more, and only then is killed.

mod ledger;

use std::io;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use relais_model::Random;
use relais_testkit::SeededRandom;
use relais_testkit::imap::Client;
use relais_testkit::postgres::Cluster;
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
    /// With its data in a private PostgreSQL, which crashes, too
    #[arg(long)]
    postgres: bool,
}

/// After a crash of its database relais serves again within this.
const BACK_WITHIN: Duration = Duration::from_mins(1);

/// The short form, as a stage of `test`.
pub(crate) fn run_short() -> anyhow::Result<Tally> {
    run(&Arguments { rounds: 3, seed: 1, postgres: false })
}

/// The short form on PostgreSQL; without one it is skipped, but for the CI server.
pub(crate) fn run_short_on_postgres() -> anyhow::Result<Tally> {
    run(&Arguments { rounds: 3, seed: 1, postgres: true })
}

/// Runs all rounds; one check each, one more where the database crashed, and one of the database at the end.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Tally> {
    let mut program = Program::built()?;
    let mut cluster = None;
    if arguments.postgres {
        let Some(started) = durable_cluster()? else { return Ok(Tally::skip()) };
        program = program.on(started.add_database());
        cluster = Some(started);
    }
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
            tally += told(&format!("crash-{round}"), &look(&server, &ledger, &program, folder.path())?);
        }
        if round == arguments.rounds {
            break;
        }
        let life = || Duration::from_millis(300 + random.below(1_500));
        if let Some(cluster) = cluster.as_ref().filter(|_| round % 2 == 1) {
            load(&server, &ledger, &format!("{round}-database"), life(), || cluster.crash().map_err(io::Error::other))?;
            wait_until_back(&server)?;
            let findings = look(&server, &ledger, &program, folder.path())?;
            tally += told(&format!("crash-{round}-of-the-database"), &findings);
        }
        load(&server, &ledger, &round.to_string(), life(), || {
            server.cut();
            Ok(())
        })?;
        server.kill();
    }
    tally += check_store("crash-check-store", &program, folder.path())?;
    Ok(tally)
}

/// None where there is no PostgreSQL, which is said loudly; on the CI server that fails.
fn durable_cluster() -> anyhow::Result<Option<Cluster>> {
    match Cluster::durable() {
        Ok(cluster) => Ok(Some(cluster)),
        Err(reason) if std::env::var_os("CI").is_some() => bail!(reason),
        Err(reason) => {
            eprintln!("\nSKIPPED: crashes on PostgreSQL: {reason}\n");
            Ok(None)
        }
    }
}

/// Compares the ledger with mailboxes and queue.
fn look(server: &Server, ledger: &Ledger, program: &Program, folder: &Path) -> anyhow::Result<Findings> {
    let mut findings = check(server, ledger)?;
    let queued = queued_senders(program, folder)?;
    ledger.on(QUEUE, |page| page.compare_presence(QUEUE, &queued, &mut findings));
    Ok(findings)
}

/// Waits until somebody can log in and look at all mailboxes again.
fn wait_until_back(server: &Server) -> anyhow::Result<()> {
    let began_at = Instant::now();
    loop {
        let tried = log_in(server).and_then(|mut client| {
            MAILBOXES.iter().try_for_each(|mailbox| client.must(format!("SELECT {mailbox}")).map(drop))
        });
        match tried {
            Ok(()) => return Ok(()),
            Err(error) if BACK_WITHIN <= began_at.elapsed() => return Err(error).context("relais is not back"),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
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

/// One side of a load.
struct Side<'a> {
    server: &'a Server,
    ledger: &'a Ledger,
    /// What its subjects begin with.
    name: String,
    is_over: &'a AtomicBool,
}

/// Loads the server from several sides, and after `life` lets something crash; a side ends with what it meets then, or with
/// its next step.
fn load(
    server: &Server,
    ledger: &Ledger,
    name: &str,
    life: Duration,
    crash: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    type Act = fn(&Side<'_>) -> io::Result<()>;
    let sides: [(&str, Act); 7] = [
        ("smtp-a", |side| side.deliver()),
        ("smtp-b", |side| side.deliver()),
        ("queue", |side| side.queue()),
        ("append-a", |side| side.append()),
        ("append-b", |side| side.append()),
        ("flags", |side| side.change_flags()),
        ("expunge", |side| side.expunge()),
    ];
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (side, act) in sides {
            let side = Side { server, ledger, name: format!("{side}-{name}"), is_over: &is_over };
            scope.spawn(move || {
                // Mostly it ends by an error: something dies.
                drop(act(&side));
            });
        }
        std::thread::sleep(life);
        let crashed = crash();
        is_over.store(true, Ordering::Relaxed);
        crashed
    })
}

impl Side<'_> {
    fn subjects(&self) -> impl Iterator<Item = String> {
        (0..).map(|number: u32| format!("{}-{number}", self.name)).take_while(|_| self.goes_on())
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn deliver(&self) -> io::Result<()> {
        let (address, _) = person(self.server)?;
        let mut client = smtp::Client::connect(self.server.port("smtp"))?;
        for subject in self.subjects() {
            let octets = message(&subject);
            self.ledger.on(INBOX, |page| page.added.insert(subject.clone(), false));
            client.deliver("stranger@elsewhere.example", &[&address], &octets)?.must(250)?;
            self.ledger.on(INBOX, |page| page.added.insert(subject, true));
        }
        Ok(())
    }

    fn queue(&self) -> io::Result<()> {
        let mut client = smtp::Client::connect(self.server.port("smtp"))?;
        for subject in self.subjects() {
            let octets = message(&subject);
            self.ledger.on(QUEUE, |page| page.added.insert(subject.clone(), false));
            client.deliver(&format!("{subject}@elsewhere.example"), &[AWAY], &octets)?.must(250)?;
            self.ledger.on(QUEUE, |page| page.added.insert(subject, true));
        }
        Ok(())
    }

    fn append(&self) -> io::Result<()> {
        let mut client = log_in(self.server)?;
        self.subjects().try_for_each(|subject| add(&mut client, self.ledger, APPENDED, &subject))
    }

    fn change_flags(&self) -> io::Result<()> {
        let mut client = log_in(self.server)?;
        client.must(format!("SELECT {FLAGGED}"))?;
        let random = SeededRandom::new(self.name.bytes().map(u64::from).sum());
        while self.goes_on() {
            let uid = random.below(FLAGGED_COUNT) + 1;
            let keyword = format!("k{}", random.below(8));
            let subject = format!("flagged-{}", uid - 1);
            let on_keyword = |act: fn(&mut (String, Option<String>), String)| {
                self.ledger.on(FLAGGED, |page| {
                    if let Some(known) = page.keywords.get_mut(&subject) {
                        act(known, keyword.clone());
                    }
                });
            };
            on_keyword(|known, keyword| known.1 = Some(keyword));
            client.must(format!("UID STORE {uid} FLAGS ({keyword})"))?;
            on_keyword(|known, keyword| *known = (keyword, None));
        }
        Ok(())
    }

    fn expunge(&self) -> io::Result<()> {
        let ledger = self.ledger;
        let mut client = log_in(self.server)?;
        client.must(format!("SELECT {EXPUNGED}"))?;
        for (subject, number) in self.subjects().zip(0..) {
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

/// Compares the ledger with what the mailboxes show.
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

/// Whose mail waits in the queue, once a recipient: the senders' local parts. What goes on to another host has a reverse path of ours (SRS),
/// which ends with the sender's own.
fn queued_senders(program: &Program, folder: &Path) -> anyhow::Result<Vec<String>> {
    let (mut senders, mut after) = (Vec::new(), None::<String>);
    loop {
        let mut words = vec!["queue", "list", "--json", "--limit", "1000"];
        words.extend(after.iter().flat_map(|last| ["--after", last.as_str()]));
        let listed: serde_json::Value = serde_json::from_slice(&must_do(program, folder, &words)?.stdout)?;
        let rows = listed.get("rows").and_then(serde_json::Value::as_array).context("a list has rows")?;
        let sender = |row: &serde_json::Value| {
            let local_part = row.get("sender")?.as_str()?.split('@').next()?;
            Some(local_part.rsplit('=').next()?.to_owned())
        };
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
    let relais = program.relais().context("only relais has its command line")?;
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

pub(crate) fn message(subject: &str) -> Vec<u8> {
    let body = "Nothing that was accepted is lost.\r\n".repeat(20);
    format!(
        "From: stranger@elsewhere.example\r\nTo: somebody@example.test\r\nSubject: {subject}\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{subject}@crash.example>\r\n\r\n{body}"
    )
    .into_bytes()
}
