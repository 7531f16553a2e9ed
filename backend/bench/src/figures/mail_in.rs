//! Mail that comes in by SMTP: the clock stops when IMAP shows every copy in its mailbox.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{Gauge, Person, Sample, Scale, percentile, share};
use crate::imap::Imap;
use crate::message::Writer;
use crate::servers::{Server, Strangers};
use crate::smtp::Smtp;

/// Who gets the mail, in turn.
const PEOPLE: std::ops::Range<Person> = 0..50;
/// Who waits in IDLE.
const IDLER: Person = 60;
/// How long a copy may take to its mailbox.
const PATIENCE: Duration = Duration::from_mins(1);

struct Load {
    figure: &'static str,
    sessions: usize,
    messages: usize,
    octets: usize,
    recipients: usize,
}

pub(super) fn ten_sessions(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    from_here(server, &Load { figure: "smtp-10", sessions: 10, messages: scale.of(2000), octets: 4096, recipients: 1 })
}

/// Ours alone: signed mail from the machine itself, where nobody looks whose it is or whether it is wanted.
pub(super) fn signed(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    let port = server.ports().smtp;
    signed_by(server, scale, "smtp-signed", |_| Smtp::connect(port))
}

/// Ours alone: the same mail, but from hosts of the world; it is proved by the DNS and judged.
pub(super) fn strangers(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    signed_by(server, scale, "smtp-strangers", Strangers::connect)
}

/// The same, but the house has switched its spam filter off: the mail is proved, and nobody judges it.
pub(super) fn unfiltered(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    server.set("junk.filter", "false")?;
    let samples = signed_by(server, scale, "smtp-unfiltered", Strangers::connect);
    server.set("junk.filter", "true")?;
    samples
}

fn signed_by(
    server: &Server,
    scale: Scale,
    figure: &'static str,
    connect: impl Fn(usize) -> std::io::Result<Smtp>,
) -> anyhow::Result<Vec<Sample>> {
    let Some(strangers) = server.strangers() else { return Ok(Vec::new()) };
    let load = Load { figure, sessions: 10, messages: scale.of(2000), octets: 4096, recipients: 1 };
    let writer = Writer::new(load.octets);
    let write = |number| strangers.sign(writer.write(number, &address(number)));
    // A signature costs more than its check: it is no part of what is timed.
    let mail = (0..load.messages).map(write).collect::<anyhow::Result<Vec<_>>>()?;
    let sessions = (0..load.sessions).map(connect).collect::<std::io::Result<Vec<_>>>()?;
    run(server, &load, sessions, |number, _| mail[number].clone())
}

pub(super) fn one_session(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    from_here(server, &Load { figure: "smtp-1", sessions: 1, messages: scale.of(300), octets: 4096, recipients: 1 })
}

pub(super) fn large(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    from_here(
        server,
        &Load { figure: "smtp-large", sessions: 4, messages: scale.of(80), octets: 1024 * 1024, recipients: 1 },
    )
}

pub(super) fn ten_recipients(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    from_here(
        server,
        &Load { figure: "smtp-recipients", sessions: 10, messages: scale.of(400), octets: 4096, recipients: 10 },
    )
}

fn from_here(server: &Server, load: &Load) -> anyhow::Result<Vec<Sample>> {
    let writer = Writer::new(load.octets);
    let connect = |_| Smtp::connect(server.ports().smtp);
    let sessions = (0..load.sessions).map(connect).collect::<std::io::Result<Vec<_>>>()?;
    run(server, load, sessions, |number, to| writer.write(number, to))
}

fn run(
    server: &Server,
    load: &Load,
    sessions: Vec<Smtp>,
    write: impl Fn(usize, &str) -> Vec<u8> + Sync,
) -> anyhow::Result<Vec<Sample>> {
    let mut readers = PEOPLE.map(|person| emptied(server, person)).collect::<anyhow::Result<Vec<_>>>()?;
    let copies = load.messages * load.recipients;
    let gauge = Gauge::start(server);
    let sessions = share(sessions, load.messages, |session, number| {
        let first = number * load.recipients;
        let to: Vec<String> = (first..first + load.recipients).map(address).collect();
        Ok(session.send(&to, &write(number, &to[0]))?)
    })?;
    for (person, reader) in readers.iter_mut().enumerate() {
        let wanted = copies / PEOPLE.len() + usize::from(person < copies % PEOPLE.len());
        await_messages(reader, wanted)?;
    }
    let sample = gauge.rate(load.figure, copies);
    for session in sessions {
        session.quit()?;
    }
    for reader in readers {
        reader.log_out()?;
    }
    Ok(vec![sample])
}

/// Who gets the copy of that number.
fn address(copy: usize) -> String {
    Server::address(copy % PEOPLE.len())
}

/// A session of this person's, whose INBOX is empty.
fn emptied(server: &Server, person: Person) -> anyhow::Result<Imap> {
    let mut reader = server.imap(person)?;
    if reader.must("SELECT INBOX")?.exists.unwrap_or_default() > 0 {
        reader.must("STORE 1:* +FLAGS.SILENT (\\Deleted)")?;
    }
    reader.must("CLOSE")?;
    Ok(reader)
}

fn await_messages(reader: &mut Imap, wanted: usize) -> anyhow::Result<()> {
    let asked_at = Instant::now();
    while reader.must("STATUS INBOX (MESSAGES)")?.messages.unwrap_or_default() < wanted {
        ensure!(asked_at.elapsed() < PATIENCE, "copies are missing");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// From 250 to EXISTS; EXISTS may also come first.
pub(super) fn idle(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    let count = scale.of(100);
    let mut reader = emptied(server, IDLER)?;
    reader.must("SELECT INBOX")?;
    reader.idle()?;
    let mut session = Smtp::connect(server.ports().smtp)?;
    let (writer, to) = (Writer::new(4096), [Server::address(IDLER)]);
    let (tell, hear) = mpsc::channel();
    // It ends with the first message that nobody wants to hear of.
    std::thread::spawn(move || while reader.wait_exists().is_ok() && tell.send(Instant::now()).is_ok() {});
    let mut millis = Vec::with_capacity(count);
    for number in 0..count {
        session.send(&to, &writer.write(number, &to[0]))?;
        let accepted_at = Instant::now();
        let seen_at = hear.recv_timeout(PATIENCE)?;
        millis.push(match seen_at.checked_duration_since(accepted_at) {
            Some(later) => later.as_secs_f64() * 1000.0,
            None => -(accepted_at - seen_at).as_secs_f64() * 1000.0,
        });
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(hear);
    session.send(&to, &writer.write(count, &to[0]))?;
    session.quit()?;
    let mut sample = |figure, percent| Sample { figure, value: percentile(&mut millis, percent), cpu_ms: None };
    Ok(vec![sample("idle-p50", 50), sample("idle-p99", 99)])
}
