//! `kill -9` under load, again and again: what was acknowledged is there, and nothing else happened to it.
//!
//! Each round starts relais in the same folder, checks the ledger against what IMAP shows, loads it with deliveries,
//! appends, flag changes and expunges at once, and kills it at a moment of chance. A change is in the ledger as asked for
//! before its command goes out and as acknowledged after its answer came; only what was asked for and not acknowledged may
//! be either way.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use relais_model::Random;
use relais_testkit::SeededRandom;
use relais_testkit::imap::Client;
use relais_testkit::server::{Program, Server};
use relais_testkit::smtp;

use crate::tally::Tally;

/// Filled by SMTP.
const INBOX: &str = "INBOX";
/// Filled by APPEND.
const APPENDED: &str = "crash-appended";
/// Filled once; its flags change.
const FLAGGED: &str = "crash-flagged";
/// Filled by APPEND and emptied by EXPUNGE.
const EXPUNGED: &str = "crash-expunged";
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
        let server = Server::start_in(&program, folder.path(), &[])?;
        if round == 0 {
            prepare(&server, &ledger).context("cannot prepare the mailboxes")?;
        } else {
            tally += told(round, &check(&server, &ledger)?);
        }
        if round < arguments.rounds {
            load_and_kill(server, &ledger, round, Duration::from_millis(300 + random.below(1_500)));
        } else {
            drop(server);
        }
    }
    tally += check_store(&program, folder.path())?;
    Ok(tally)
}

fn told(round: u64, findings: &Findings) -> Tally {
    let facts = format!("{} acknowledged, {} unsure", findings.acknowledged, findings.unsure);
    if findings.faults.is_empty() {
        println!("ok   crash-{round} ({facts})");
    } else {
        println!("FAIL crash-{round} ({facts})");
        findings.faults.iter().take(20).for_each(|fault| println!("     {fault}"));
    }
    Tally::of(findings.faults.is_empty())
}

/// What each mailbox must and may hold. A message is known by its subject, which no other has.
#[derive(Default)]
struct Ledger(Mutex<BTreeMap<&'static str, Page>>);

#[derive(Default)]
struct Page {
    /// Asked for, and acknowledged or not.
    added: BTreeMap<String, bool>,
    /// The same of removals.
    removed: BTreeMap<String, bool>,
    /// The keyword of each message: the acknowledged one, and the one asked for after it.
    keywords: BTreeMap<String, (String, Option<String>)>,
    /// Whose each UID is; it never is another's.
    uids: BTreeMap<u32, String>,
    uid_validity: Option<u64>,
    highest_mod_seq: u64,
}

impl Ledger {
    fn on<T>(&self, mailbox: &'static str, act: impl FnOnce(&mut Page) -> T) -> T {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(pages.entry(mailbox).or_default())
    }
}

struct Findings {
    faults: Vec<String>,
    acknowledged: usize,
    unsure: usize,
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
    let loads: [(&str, Load); 6] = [
        ("smtp-a", deliver),
        ("smtp-b", deliver),
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

fn add(client: &mut Client, ledger: &Ledger, mailbox: &'static str, subject: &str) -> io::Result<()> {
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
    let mut findings = Findings { faults: Vec::new(), acknowledged: 0, unsure: 0 };
    for mailbox in MAILBOXES {
        let shown = Shown::read(&mut client, mailbox)?;
        ledger.on(mailbox, |page| page.compare(mailbox, &shown, &mut findings));
    }
    client.must("LOGOUT")?;
    Ok(findings)
}

/// A mailbox as the server shows it.
struct Shown {
    /// UID, subject, keyword.
    messages: Vec<(u32, String, String)>,
    uid_validity: u64,
    uid_next: u64,
    highest_mod_seq: u64,
}

impl Shown {
    fn read(client: &mut Client, mailbox: &str) -> anyhow::Result<Self> {
        let opened = client.must(format!("SELECT {mailbox} (CONDSTORE)"))?;
        let said = opened.texts().collect::<Vec<_>>().join("\n").to_ascii_uppercase();
        let number = |word: &str| number_after(&said, word).with_context(|| format!("SELECT tells no {word}"));
        let (uid_validity, uid_next) = (number("[UIDVALIDITY ")?, number("[UIDNEXT ")?);
        let highest_mod_seq = number("[HIGHESTMODSEQ ")?;
        let fetched = client.must("UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")?;
        let messages = fetched.texts().filter_map(|response| shown_message(&response)).collect();
        Ok(Self { messages, uid_validity, uid_next, highest_mod_seq })
    }
}

fn shown_message(response: &str) -> Option<(u32, String, String)> {
    let uid = u32::try_from(number_after(response, "UID ")?).ok()?;
    let (_, subject) = response.split_once("Subject: ")?;
    let (_, flags) = response.split_once("FLAGS (")?;
    let keyword = flags.split(')').next()?.split(' ').find(|flag| flag.starts_with('k')).unwrap_or_default();
    Some((uid, subject.lines().next()?.to_owned(), keyword.to_owned()))
}

fn number_after(text: &str, word: &str) -> Option<u64> {
    let (_, rest) = text.split_once(word)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

impl Page {
    /// Adds what is wrong to `findings`; what was unsure is settled by what is shown.
    fn compare(&mut self, mailbox: &str, shown: &Shown, findings: &mut Findings) {
        let mut fault = |text: String| findings.faults.push(format!("{mailbox}: {text}"));
        let mut seen = BTreeSet::new();
        for (uid, subject, keyword) in &shown.messages {
            if !seen.insert(subject.clone()) {
                fault(format!("{subject} is there twice"));
            }
            if !self.added.contains_key(subject) {
                fault(format!("{subject} was never sent"));
            }
            if let Some(before) = self.uids.insert(*uid, subject.clone()).filter(|before| before != subject) {
                fault(format!("UID {uid} was {before}'s and is {subject}'s"));
            }
            if u64::from(*uid) >= shown.uid_next {
                fault(format!("UID {uid} is not below UIDNEXT {}", shown.uid_next));
            }
            if let Some((acknowledged, asked)) = self.keywords.get_mut(subject) {
                if keyword != acknowledged && asked.as_ref() != Some(keyword) {
                    fault(format!("{subject} has keyword {keyword:?}, acknowledged was {acknowledged:?}"));
                }
                (*acknowledged, *asked) = (keyword.clone(), None);
            }
        }
        for (subject, is_acknowledged) in &self.added {
            match self.removed.get(subject) {
                None if *is_acknowledged && !seen.contains(subject) => fault(format!("{subject} is lost")),
                Some(true) if seen.contains(subject) => fault(format!("{subject} is back")),
                _ => {}
            }
        }
        if self.uid_validity.replace(shown.uid_validity).is_some_and(|before| before != shown.uid_validity) {
            fault("UIDVALIDITY changed".to_owned());
        }
        if shown.highest_mod_seq < self.highest_mod_seq {
            fault(format!("HIGHESTMODSEQ went from {} to {}", self.highest_mod_seq, shown.highest_mod_seq));
        }
        self.highest_mod_seq = shown.highest_mod_seq;
        findings.acknowledged += self.added.values().filter(|is_acknowledged| **is_acknowledged).count();
        findings.unsure += self.added.values().filter(|is_acknowledged| !**is_acknowledged).count();
        self.settle(&seen);
    }

    /// From here on, what was unsure is as it was shown.
    fn settle(&mut self, seen: &BTreeSet<String>) {
        let gone: Vec<String> = self.removed.keys().filter(|subject| !seen.contains(*subject)).cloned().collect();
        for subject in gone {
            self.removed.insert(subject, true);
        }
        self.removed.retain(|subject, _| !seen.contains(subject));
        self.added.retain(|subject, is_acknowledged| {
            *is_acknowledged |= seen.contains(subject);
            *is_acknowledged
        });
    }
}

/// The store's own check of counts, quota and dangling rows, on the folder as the last death left it.
fn check_store(program: &Program, folder: &Path) -> anyhow::Result<Tally> {
    let Program::Relais(relais) = program else { return Ok(Tally::skip()) };
    let config = folder.join("data/relais.toml");
    ensure!(config.exists(), "the demo left no {}", config.display());
    let output = Command::new(relais).arg("--config").arg(&config).arg("check-store").output()?;
    let is_clean = output.status.success();
    println!("{} crash-check-store", if is_clean { "ok  " } else { "FAIL" });
    if !is_clean {
        println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(Tally::of(is_clean))
}

fn log_in(server: &Server) -> io::Result<Client> {
    let (address, password) = person(server)?;
    let mut client = Client::connect_tls("127.0.0.1", server.port("imaps"), &server.trust()?)?;
    client.login(&address, &password)?;
    Ok(client)
}

fn person(server: &Server) -> io::Result<(String, String)> {
    server.facts().accounts.first().cloned().ok_or_else(|| io::Error::other("the server has no account"))
}

fn subjects(name: &str) -> impl Iterator<Item = String> {
    (0..).map(move |number: u32| format!("{name}-{number}"))
}

fn message(subject: &str) -> Vec<u8> {
    let body = "Nothing that was accepted is lost.\r\n".repeat(20);
    format!(
        "From: stranger@elsewhere.example\r\nTo: somebody@example.test\r\nSubject: {subject}\r\n\
         Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{subject}@crash.example>\r\n\r\n{body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` and `b` are acknowledged, `c` is unsure, `gone` was expunged; UIDs 1 and 2 are known.
    fn page() -> Page {
        let added = [("a", true), ("b", true), ("c", false), ("gone", true)];
        Page {
            added: added.map(|(subject, is_acknowledged)| (subject.to_owned(), is_acknowledged)).into(),
            removed: [("gone".to_owned(), true)].into(),
            uids: [(1, "a".to_owned()), (2, "b".to_owned())].into(),
            uid_validity: Some(7),
            highest_mod_seq: 10,
            ..Page::default()
        }
    }

    fn check(messages: &[(u32, &str)], highest_mod_seq: u64, expected: &[&str]) {
        let messages = messages.iter().map(|(uid, subject)| (*uid, (*subject).to_owned(), String::new())).collect();
        let shown = Shown { messages, uid_validity: 7, uid_next: 9, highest_mod_seq };
        let mut findings = Findings { faults: Vec::new(), acknowledged: 0, unsure: 0 };
        page().compare("x", &shown, &mut findings);
        assert_eq!(findings.faults, expected);
    }

    #[test]
    fn what_was_unsure_may_be_either_way() {
        check(&[(1, "a"), (2, "b")], 10, &[]);
        check(&[(1, "a"), (2, "b"), (3, "c")], 11, &[]);
    }

    #[test]
    fn every_loss_and_doubling_is_found() {
        check(&[(1, "a")], 10, &["x: b is lost"]);
        check(&[(1, "a"), (2, "b"), (3, "b")], 10, &["x: b is there twice"]);
        check(&[(1, "a"), (2, "b"), (3, "gone")], 10, &["x: gone is back"]);
        check(&[(1, "a"), (2, "b"), (3, "d")], 10, &["x: d was never sent"]);
        check(&[(1, "b"), (2, "a")], 10, &["x: UID 1 was a's and is b's", "x: UID 2 was b's and is a's"]);
        check(&[(1, "a"), (9, "b")], 10, &["x: UID 9 is not below UIDNEXT 9"]);
        check(&[(1, "a"), (2, "b")], 9, &["x: HIGHESTMODSEQ went from 10 to 9"]);
    }
}
