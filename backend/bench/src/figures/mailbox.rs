//! One connection on a large mailbox: all of it read, searched and changed.

use std::time::Duration;

use anyhow::ensure;

use super::{Gauge, Person, Sample, Scale};
use crate::imap::Imap;
use crate::message::{RARE_IN_BODY, RARE_IN_SUBJECT, Writer};
use crate::servers::Server;

/// Whose mailboxes these are.
const OWNER: Person = 62;

/// As a desktop client asks for a list of messages.
const HEADER_FIELDS: &str = "UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID \
    Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)]";
const ENVELOPE: &str = "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE";

/// Commands one by one.
const SINGLES: usize = 300;
const COPIED: usize = 1000;

/// A new one each round, so that each has its first pass.
pub(super) fn of_ten_thousand(server: &mut Server, scale: Scale, round: usize) -> anyhow::Result<Vec<Sample>> {
    let count = scale.of(10_000);
    let name = format!("ten-thousand-{round}");
    let mut session = server.imap(OWNER)?;
    fill(&mut session, &name, count, 4096)?;
    session.must(&format!("SELECT {name}"))?;
    let mut bench = Bench { server, session, count, samples: Vec::new() };
    bench.read()?;
    bench.search("search-subject", &format!("SUBJECT {RARE_IN_SUBJECT}"), 89)?;
    bench.search("search-body", &format!("BODY {RARE_IN_BODY}"), 97)?;
    bench.store()?;
    bench.fetch_singly("fetch-single")?;
    bench.copy_and_expunge()?;
    let Bench { mut session, samples, .. } = bench;
    session.must("UNSELECT")?;
    session.must(&format!("DELETE {name}"))?;
    session.log_out()?;
    Ok(samples)
}

/// Filled once; each round begins with a restart.
pub(super) fn of_a_hundred_thousand(server: &mut Server, scale: Scale, _: usize) -> anyhow::Result<Vec<Sample>> {
    const NAME: &str = "hundred-thousand";
    let count = scale.of(100_000);
    let mut session = server.imap(OWNER)?;
    fill(&mut session, NAME, count, 1200)?;
    session.log_out()?;
    server.restart()?;
    let mut samples = vec![select(server, "select-cold", NAME, count)?];
    select(server, "select-warm", NAME, count)?;
    // Dovecot looks through a Maildir again as long as it is young.
    std::thread::sleep(Duration::from_secs(3));
    select(server, "select-warm", NAME, count)?;
    samples.push(select(server, "select-warm", NAME, count)?);
    let mut session = server.imap(OWNER)?;
    session.must(&format!("SELECT {NAME}"))?;
    let mut bench = Bench { server, session, count, samples };
    bench.fetch_singly("fetch-single-large")?;
    bench.session.log_out()?;
    Ok(bench.samples)
}

fn fill(session: &mut Imap, name: &str, count: usize, octets: usize) -> anyhow::Result<()> {
    session.may(&format!("CREATE {name}"))?;
    let here = session.must(&format!("STATUS {name} (MESSAGES)"))?.messages.unwrap_or_default();
    let writer = Writer::new(octets);
    for first in (here..count).step_by(100) {
        let some: Vec<_> =
            (first..count.min(first + 100)).map(|number| writer.write(number, "ann@bench.test")).collect();
        session.append(name, &some)?;
    }
    Ok(())
}

/// On a fresh connection.
fn select(server: &Server, figure: &'static str, name: &str, count: usize) -> anyhow::Result<Sample> {
    let mut session = server.imap(OWNER)?;
    let gauge = Gauge::start(server);
    let exists = session.must(&format!("SELECT {name}"))?.exists;
    let sample = gauge.millis(figure);
    ensure!(exists == Some(count), "{exists:?} messages instead of {count}");
    session.log_out()?;
    Ok(sample)
}

/// A session with a mailbox of `count` open.
struct Bench<'a> {
    server: &'a Server,
    session: Imap,
    count: usize,
    samples: Vec<Sample>,
}

impl Bench<'_> {
    fn read(&mut self) -> anyhow::Result<()> {
        self.fetch("envelope-first", ENVELOPE)?;
        self.fetch("body-structure-first", "BODYSTRUCTURE")?;
        for (figure, items) in [
            ("flags", "FLAGS"),
            ("envelope", ENVELOPE),
            ("body-structure", "BODYSTRUCTURE"),
            ("header-fields", HEADER_FIELDS),
            ("body", "BODY.PEEK[]"),
        ] {
            // The first of each is not counted: what it leaves behind is there for the second, with every server.
            self.session.must(&format!("FETCH 1:* ({items})"))?;
            self.fetch(figure, items)?;
        }
        Ok(())
    }

    fn fetch(&mut self, figure: &'static str, items: &str) -> anyhow::Result<()> {
        let gauge = Gauge::start(self.server);
        let fetched = self.session.must(&format!("FETCH 1:* ({items})"))?.fetched;
        self.samples.push(gauge.rate(figure, self.count));
        ensure!(fetched == self.count, "{figure}: {fetched} of {} fetched", self.count);
        Ok(())
    }

    /// One message in `rarity` has the word.
    fn search(&mut self, figure: &'static str, key: &str, rarity: usize) -> anyhow::Result<()> {
        self.session.must(&format!("SEARCH {key}"))?;
        let gauge = Gauge::start(self.server);
        let hits = self.session.must(&format!("SEARCH {key}"))?.hits;
        self.samples.push(gauge.millis(figure));
        ensure!(hits == self.count.div_ceil(rarity), "{figure}: {hits} hits of {}", self.count.div_ceil(rarity));
        Ok(())
    }

    fn store(&mut self) -> anyhow::Result<()> {
        for sign in ["+", "-"] {
            let gauge = Gauge::start(self.server);
            self.session.must(&format!("STORE 1:* {sign}FLAGS.SILENT (\\Flagged)"))?;
            self.samples.push(gauge.rate("store-bulk", self.count));
        }
        let gauge = Gauge::start(self.server);
        for number in 1..=SINGLES {
            self.session.must(&format!("STORE {number} +FLAGS (\\Answered)"))?;
        }
        self.samples.push(gauge.rate("store-single", SINGLES));
        Ok(())
    }

    /// As a person who opens messages here and there.
    fn fetch_singly(&mut self, figure: &'static str) -> anyhow::Result<()> {
        let gauge = Gauge::start(self.server);
        for number in 0..SINGLES {
            self.session.must(&format!("FETCH {} (BODY.PEEK[])", number * 37 % self.count + 1))?;
        }
        self.samples.push(gauge.rate(figure, SINGLES));
        Ok(())
    }

    fn copy_and_expunge(&mut self) -> anyhow::Result<()> {
        self.session.may("DELETE copies")?;
        self.session.must("CREATE copies")?;
        let gauge = Gauge::start(self.server);
        self.session.must(&format!("COPY 1:{COPIED} copies"))?;
        self.samples.push(gauge.rate("copy", COPIED));
        self.session.must("SELECT copies")?;
        self.session.must("STORE 1:* +FLAGS.SILENT (\\Deleted)")?;
        let gauge = Gauge::start(self.server);
        self.session.must("EXPUNGE")?;
        self.samples.push(gauge.rate("expunge", COPIED));
        Ok(())
    }
}
