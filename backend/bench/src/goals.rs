//! The figures by name, in the order of the table, and what is to be reached.

use crate::servers::peers::MAILDIR;

/// A row of the table.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    /// What it says, with its unit.
    pub(crate) words: &'static str,
    pub(crate) better: Better,
    pub(crate) goal: Goal,
    /// The server's CPU time for one operation may be so many milliseconds.
    pub(crate) cpu_ms: Option<f64>,
}

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

/// What is to be reached.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// So many times the best of the others.
    Times(f64),
    /// So many times Maildir: sdbox answers a STORE before the change is on disk.
    TimesMaildir(f64),
    /// So much of another figure of ours.
    OfOurs(&'static str, f64),
    AtMost(f64),
    /// Measured for the sake of another.
    None,
}

impl Goal {
    /// The server that a ratio is taken to; none: the best of the others.
    pub(crate) fn against(self) -> Option<&'static str> {
        matches!(self, Self::TimesMaildir(_)).then_some(MAILDIR)
    }
}

const fn more(name: &'static str, words: &'static str, times: f64) -> Figure {
    Figure { name, words, better: Better::More, goal: Goal::Times(times), cpu_ms: None }
}

const fn less(name: &'static str, words: &'static str, most: f64) -> Figure {
    Figure { name, words, better: Better::Less, goal: Goal::AtMost(most), cpu_ms: None }
}

/// All of them.
pub(crate) const FIGURES: &[Figure] = &[
    Figure { cpu_ms: Some(0.3), ..more("smtp-10", "SMTP, 4 KiB, 10 sessions: durable copies/s", 10.0) },
    Figure {
        goal: Goal::None,
        ..more("smtp-signed", "the same, signed, from the machine itself: no filter is asked", 0.0)
    },
    Figure {
        goal: Goal::None,
        ..more("smtp-unfiltered", "the same from strangers, the spam filter switched off: durable copies/s", 0.0)
    },
    Figure {
        goal: Goal::OfOurs("smtp-signed", 0.5),
        ..more(
            "smtp-strangers",
            "the same from strangers, SPF, DKIM, DMARC and the spam filter asked: durable copies/s",
            0.5,
        )
    },
    more("smtp-1", "SMTP, 4 KiB, 1 session: durable copies/s", 5.0),
    more("smtp-large", "SMTP, 1 MiB, 4 sessions: durable copies/s", 3.0),
    more("smtp-recipients", "SMTP, 4 KiB to 10 recipients, 10 sessions: durable copies/s", 20.0),
    less("idle-p50", "from SMTP's 250 to EXISTS in IDLE, ms, p50", 5.0),
    less("idle-p99", "the same, p99", 30.0),
    more("login", "log-ins/s, stored hash, repeated credential", 5.0),
    more("append-1", "APPEND/s, 1 connection", 3.0),
    more("append-8", "APPEND/s, 8 connections", 3.0),
    more("envelope-first", "10,000 messages: first FETCH ENVELOPE, msg/s", 3.0),
    more("body-structure-first", "first FETCH BODYSTRUCTURE, msg/s", 3.0),
    more("flags", "FETCH FLAGS, msg/s", 1.5),
    more("envelope", "FETCH ENVELOPE, msg/s", 1.5),
    more("body-structure", "FETCH BODYSTRUCTURE, msg/s", 1.0),
    more("header-fields", "FETCH of header fields, msg/s", 1.5),
    more("body", "FETCH BODY[], msg/s", 1.5),
    less("search-subject", "SEARCH SUBJECT, ms", 11.0),
    less("search-body", "SEARCH BODY, ms", 180.0),
    Figure { goal: Goal::TimesMaildir(5.0), ..more("store-bulk", "STORE of all, msg/s", 5.0) },
    Figure { goal: Goal::TimesMaildir(3.0), ..more("store-single", "STORE one by one, durable, commands/s", 3.0) },
    more("fetch-single", "FETCH BODY[] one by one, commands/s", 1.5),
    more("copy", "COPY of 1,000, msg/s", 1.5),
    more("expunge", "EXPUNGE of 1,000, msg/s", 1.5),
    less("select-cold", "100,000 messages: SELECT after a restart, ms", 100.0),
    less("select-warm", "SELECT again, ms", 0.3),
    more("fetch-single-large", "FETCH BODY[] one by one, commands/s", 1.5),
    more("pop3", "POP3 RETR, msg/s", 1.5),
    more("pop3-pipelined", "POP3 RETR, 50 ahead, msg/s", 1.5),
    Figure { goal: Goal::None, ..less("memory-fresh", "memory at rest, just started, MiB PSS", 0.0) },
    less("memory-used", "memory at rest after all of this, MiB PSS", 40.0),
];
