//! Long commands tell how far they are (INPROGRESS, RFC 9585), so that a client, or what stands between, doesn't give up.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use relais_imap::command::Tag;
use relais_imap::language::Language;
use relais_imap::response::{self, Condition, ResponseCode};
use tokio::time::{MissedTickBehavior, interval};

use crate::Limits;
use crate::wire::Wire;

/// How far a search is: messages whose text was read, of those whose text must be.
#[derive(Debug, Default)]
pub(super) struct Progress {
    done: AtomicU64,
    goal: AtomicU64,
}

impl Progress {
    /// So many more are to be looked at.
    pub(super) fn expect(&self, messages: u64) {
        self.goal.fetch_add(messages, Ordering::Relaxed);
    }

    /// So many were.
    pub(super) fn did(&self, messages: u64) {
        self.done.fetch_add(messages, Ordering::Relaxed);
    }
}

/// Where a command's progress is told.
pub(super) struct Teller<'a> {
    tag: &'a Tag,
    language: Language,
    /// What was written and not sent goes first.
    out: &'a mut Vec<u8>,
    wire: &'a mut Wire,
    stall: Duration,
    /// Between two lines; RFC 9585 §4 asks for no less than one in 10 to 15 seconds.
    every: Duration,
}

impl<'a> Teller<'a> {
    /// # Errors
    /// The wire is away.
    pub(super) fn new(
        tag: &'a Tag,
        language: Language,
        (out, wire): (&'a mut Vec<u8>, &'a mut Option<Wire>),
        limits: &Limits,
    ) -> io::Result<Self> {
        let wire = wire.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Self { tag, language, out, wire, stall: limits.write_stall, every: limits.imap_progress })
    }

    /// Waits for `work`, and tells how far it is.
    pub(super) async fn watch<T>(self, progress: &Progress, work: impl Future<Output = T>) -> io::Result<T> {
        let mut work = std::pin::pin!(work);
        let mut ticks = interval(self.every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first comes at once.
        ticks.tick().await;
        loop {
            tokio::select! {
                biased;
                // Neither is dropped: `work` is polled on, a tick that was lost comes again.
                done = &mut work => return Ok(done),
                _ = ticks.tick() => {}
            }
            let goal = progress.goal.load(Ordering::Relaxed);
            let done = progress.done.load(Ordering::Relaxed).min(goal);
            if goal > 0 {
                let code = ResponseCode::InProgress { tag: self.tag, done, goal };
                response::condition(self.out, Condition::Ok, Some(&code), self.language.say("Still at it"));
                self.wire.write(self.out, self.stall).await?;
                self.out.clear();
            }
        }
    }
}
