//! Log-ins, single APPENDs, and POP3.

use std::fmt::Write as _;

use anyhow::{Context, ensure};

use super::{Gauge, Person, Sample, Scale, share};
use crate::imap::Imap;
use crate::message::Writer;
use crate::pop3::Pop3;
use crate::servers::{PASSWORD, PEOPLE, Server};

/// Whose mailboxes are appended to, from this one on.
const FIRST_APPENDER: Person = 70;
/// Whose maildrop is read.
const READER: Person = 65;
const MAILDROP: usize = 1000;

/// Connect, greeting, LOGIN, LOGOUT; 8 at once.
pub(super) fn log_in(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    let port = server.ports().imap;
    let one = |(): &mut (), number: usize| {
        let session = Imap::log_in(port, &Server::address(number % PEOPLE), PASSWORD)?;
        Ok(session.log_out()?)
    };
    // Each credential was seen once before.
    share(vec![(); 8], PEOPLE, one)?;
    let count = scale.of(800);
    let gauge = Gauge::start(server);
    share(vec![(); 8], count, one)?;
    Ok(vec![gauge.rate("login", count)])
}

/// One message a command, on so many connections of different people.
pub(super) fn append(
    server: &Server,
    figure: &'static str,
    connections: usize,
    count: usize,
) -> anyhow::Result<Vec<Sample>> {
    let writer = Writer::new(4096);
    let open = |person| {
        let mut session = server.imap(person)?;
        session.may("DELETE appended")?;
        session.must("CREATE appended")?;
        session.must("SELECT appended")?;
        Ok(session)
    };
    let sessions = (0..connections).map(|at| open(FIRST_APPENDER + at)).collect::<anyhow::Result<Vec<_>>>()?;
    let gauge = Gauge::start(server);
    let sessions = share(sessions, count, |session, number| {
        Ok(session.append("appended", &[writer.write(number, "ann@bench.test")])?)
    })?;
    let sample = gauge.rate(figure, count);
    for session in sessions {
        session.log_out()?;
    }
    Ok(vec![sample])
}

/// STAT, then every message: one by one, and 50 commands ahead.
pub(super) fn retrieve(server: &mut Server, _: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    let mut filler = server.imap(READER)?;
    let here = filler.must("STATUS INBOX (MESSAGES)")?.messages.unwrap_or_default();
    let writer = Writer::new(4096);
    let missing: Vec<_> = (here..MAILDROP).map(|number| writer.write(number, &Server::address(READER))).collect();
    for some in missing.chunks(100) {
        filler.append("INBOX", some)?;
    }
    filler.log_out()?;
    Ok(vec![retrieve_all(server, "pop3", 1)?, retrieve_all(server, "pop3-pipelined", 50)?])
}

fn retrieve_all(server: &Server, figure: &'static str, ahead: usize) -> anyhow::Result<Sample> {
    let mut session = Pop3::log_in(server.ports().pop3, &Server::address(READER), PASSWORD)?;
    session.send("STAT\r\n")?;
    let status = session.status()?;
    let count: usize = status.split(' ').next().and_then(|count| count.parse().ok()).context("STAT counts")?;
    ensure!(count == MAILDROP, "{count} messages instead of {MAILDROP}");
    let gauge = Gauge::start(server);
    for first in (1..=count).step_by(ahead) {
        let mut commands = String::new();
        for number in first..first + ahead {
            let _written = write!(commands, "RETR {number}\r\n");
        }
        session.send(&commands)?;
        for _ in 0..ahead {
            session.listing()?;
        }
    }
    let sample = gauge.rate(figure, count);
    session.quit()?;
    Ok(sample)
}
