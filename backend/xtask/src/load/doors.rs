//! Many at the doors: all are served, the slow hold up nobody, those who are too many are told so, and a large message
//! costs its size once.

use std::fs;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use relais_testkit::server::{Program, Server};
use relais_testkit::smtp::Client;
use relais_testkit::wire::Wire;

use crate::tally::Tally;

/// How long a stranger's message may take while slow ones are at all doors.
const AT_ONCE: Duration = Duration::from_secs(2);
/// What the house takes for everybody in the check of its limit.
const ROOM: usize = 20;
/// Just below the size limit, which is 50 MiB.
const LARGE_OCTETS: usize = 49 * 1024 * 1024;

/// How each door says that there is no room now, and hello.
const DOORS: [(&str, &str, &str); 3] = [("smtp", "421 ", "220 "), ("imap", "* BYE", "* OK"), ("pop3", "-ERR", "+OK")];

/// All checks, one line each; `many` strangers where it is about many.
pub(super) fn run(many: usize) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let house = start("")?;
    tally += told("load-smtp-at-once", &all_at_once(&house, many));
    tally += told("load-slow-strangers", &slow_strangers(&house, many));
    tally += told("load-large-message", &large_message(&house));
    drop(house);
    tally += told("load-no-room", &no_room(&start(&format!("[limits]\nconnections = {ROOM}\n"))?));
    Ok(tally)
}

/// What is asked for and not so is a failure; it comes with what was seen.
fn told(name: &str, outcome: &anyhow::Result<String>) -> Tally {
    match outcome {
        Ok(facts) => println!("ok   {name} ({facts})"),
        Err(error) => println!("FAIL {name} ({error:#})"),
    }
    Tally::of(outcome.is_ok())
}

/// With a piece of `relais.toml` of its own.
fn start(configuration: &str) -> anyhow::Result<Server> {
    let folder = tempfile::Builder::new().prefix("relais-load.").tempdir()?;
    let extra = folder.path().join("extra.toml");
    fs::write(&extra, configuration)?;
    Ok(Server::start(&Program::built()?, &["--log", "info", "--with", &extra.display().to_string()])?)
}

fn somebody(server: &Server) -> anyhow::Result<String> {
    Ok(server.facts().accounts.first().context("the server has no account")?.0.clone())
}

/// So many sessions are open before the first message goes; then all go at once.
fn all_at_once(server: &Server, many: usize) -> anyhow::Result<String> {
    let to = somebody(server)?;
    let barrier = Barrier::new(many);
    let started_at = Instant::now();
    let deliver = |number: usize| -> anyhow::Result<()> {
        let client = Client::connect(server.port("smtp"));
        barrier.wait();
        let message = format!("Subject: one of many, {number}\r\n\r\nHello\r\n");
        client?.deliver("stranger@example.org", &[&to], message.as_bytes())?.must(250)?;
        Ok(())
    };
    let refused = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..many).map(|number| scope.spawn(move || deliver(number))).collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok()?.err())
            .map(|error| error.to_string())
            .collect::<Vec<_>>()
    });
    ensure!(refused.is_empty(), "{} of {many} were not served: {}", refused.len(), refused.join("; "));
    Ok(format!("{many} sessions, {} ms", started_at.elapsed().as_millis()))
}

/// Slow ones at every door and in every state say a word's beginning and no more; the others' mail goes through at once.
fn slow_strangers(server: &Server, many: usize) -> anyhow::Result<String> {
    let mut slow = Vec::new();
    for number in 0..many {
        let (door, words) = match number % 4 {
            0 => ("smtp", "EHL"),
            1 => ("smtp", "EHLO slow.example\r\nMAIL FROM:<slow@example.org>\r\nRCP"),
            2 => ("imap", "a LOGIN {1"),
            _ => ("pop3", "USE"),
        };
        let mut wire = Wire::connect(server.port(door))?;
        wire.send(words.as_bytes())?;
        slow.push(wire);
    }
    let to = somebody(server)?;
    let started_at = Instant::now();
    let message = b"Subject: in a hurry\r\n\r\nHello\r\n";
    Client::connect(server.port("smtp"))?.deliver("quick@example.org", &[&to], message)?.must(250)?;
    let taken = started_at.elapsed();
    ensure!(taken < AT_ONCE, "a message took {} ms", taken.as_millis());
    Ok(format!("{} slow ones, a message in {} ms", slow.len(), taken.as_millis()))
}

/// A message at the size limit: the server's memory grows by less than twice its size.
fn large_message(server: &Server) -> anyhow::Result<String> {
    let to = somebody(server)?;
    let line = [b"All work and no play makes Jack a dull boy, and mail a large thing.".as_slice(), b"\r\n"].concat();
    let mut message = b"Subject: large\r\n\r\n".to_vec();
    message.extend(line.iter().copied().cycle().take(LARGE_OCTETS / line.len() * line.len()));
    let before = highest_memory_octets(server)?;
    Client::connect(server.port("smtp"))?.deliver("large@example.org", &[&to], &message)?.must(250)?;
    let grown = highest_memory_octets(server)?.saturating_sub(before);
    let facts = format!("{} MiB cost {} MiB of memory", message.len() >> 20, grown >> 20);
    ensure!(grown < message.len() * 2, "{facts}");
    Ok(facts)
}

fn highest_memory_octets(server: &Server) -> anyhow::Result<usize> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process_id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel tells no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<usize>()? * 1024)
}

/// One more than there is room for is told so in each door's own words; when somebody has gone, the next is served.
fn no_room(server: &Server) -> anyhow::Result<String> {
    let mut guests = Vec::new();
    for _ in 0..ROOM {
        let mut guest = Wire::connect(server.port("smtp"))?;
        ensure!(guest.line()?.starts_with(b"220 "), "there is room for {} only", guests.len());
        guests.push(guest);
    }
    for (door, refusal, _) in DOORS {
        let heard = first_line(server, door)?;
        ensure!(heard.starts_with(refusal), "{door} says {heard:?}");
    }
    drop(guests);
    for (door, _, hello) in DOORS {
        // The house hears of a guest's going when it next looks.
        let asked_at = Instant::now();
        while !first_line(server, door)?.starts_with(hello) {
            ensure!(asked_at.elapsed() < AT_ONCE, "{door} serves nobody though all have gone");
        }
    }
    Ok(format!("{ROOM} guests, one more refused at {} doors", DOORS.len()))
}

fn first_line(server: &Server, door: &str) -> anyhow::Result<String> {
    let mut wire = Wire::connect(server.port(door))?;
    Ok(String::from_utf8_lossy(&wire.line().with_context(|| format!("{door} hangs up without a word"))?).into_owned())
}
