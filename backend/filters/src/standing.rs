//! How a filter does: whether it is worth asking, and what people see of it.
//!
//! A filter that can't be connected to, or gives no answer to three messages in a row, rests: nobody waits for it until its rest is
//! over, then one message tries it again, and the next rest is twice as long, up to [`LONGEST_REST`]. One answer ends all that.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use relais_model::{Endpoint, Timestamp};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::{Filter, Kind, Trouble};

/// Messages that are before one filter at once; others wait for their turn, within their time.
pub const MOST_AT_ONCE: usize = 32;
/// The first rest, and the longest.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(10);
/// Messages in a row without an answer, after which one rests that can be connected to: one odd message is not its fault.
const PATIENT_WITH: u32 = 3;

/// How a filter does, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Whose.
    pub kind: Kind,
    /// Where it listens.
    pub at: Endpoint,
    /// It answers.
    pub is_up: bool,
    /// What it calls itself.
    pub version: Option<String>,
    /// Messages that it was asked about, since the program began.
    pub asked: u64,
    /// Those that it gave no answer to.
    pub unanswered: u64,
    /// What the last answer to a message took.
    pub latency: Option<Duration>,
    /// Why there was none, and when, the last time.
    pub last_trouble: Option<(Timestamp, Trouble)>,
}

/// One filter's, as it is kept.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) permits: Semaphore,
    book: Mutex<Book>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { permits: Semaphore::new(MOST_AT_ONCE), book: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct Book {
    asked: u64,
    unanswered: u64,
    in_a_row: u32,
    rests_until: Option<Instant>,
    latency: Option<Duration>,
    is_up: bool,
    version: Option<String>,
    last_trouble: Option<(Timestamp, Trouble)>,
}

impl Book {
    fn rest(&self) -> Duration {
        FIRST_REST
            .saturating_mul(1_u32.checked_shl(self.in_a_row.saturating_sub(1)).unwrap_or(u32::MAX))
            .min(LONGEST_REST)
    }

    fn recover(&mut self) {
        (self.in_a_row, self.rests_until, self.is_up) = (0, None, true);
    }

    fn fail(&mut self, trouble: &Trouble, at: Timestamp) {
        (self.is_up, self.last_trouble) = (false, Some((at, trouble.clone())));
    }
}

impl Standing {
    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it may be asked now. Who is admitted after a rest tries alone for a while.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), Trouble> {
        let mut book = self.book();
        match book.rests_until {
            Some(until) if now < until => return Err(Trouble::Resting),
            Some(_over) => book.rests_until = Some(now + book.rest()),
            None => {}
        }
        Ok(())
    }

    /// What came of a question about a message.
    pub(crate) fn note(&self, trouble: Option<&Trouble>, took: Duration, at: Timestamp) {
        let mut book = self.book();
        book.asked += 1;
        let Some(trouble) = trouble else {
            book.latency = Some(took);
            return book.recover();
        };
        book.unanswered += 1;
        book.in_a_row = book.in_a_row.saturating_add(1);
        book.fail(trouble, at);
        if matches!(trouble, Trouble::Unreachable(_)) || book.in_a_row >= PATIENT_WITH {
            book.rests_until = Some(Instant::now() + book.rest());
        }
    }

    /// What came of the question whether it is there. It ends a rest, and begins none: no message has waited.
    pub(crate) fn saw(&self, found: Result<Option<String>, Trouble>, at: Timestamp) {
        let mut book = self.book();
        match found {
            Ok(version) => {
                book.version = version;
                book.recover();
            }
            Err(trouble) => book.fail(&trouble, at),
        }
    }

    pub(crate) fn state(&self, filter: &Filter) -> State {
        let book = self.book();
        State {
            kind: filter.kind(),
            at: filter.at().clone(),
            is_up: book.is_up,
            version: book.version.clone(),
            asked: book.asked,
            unanswered: book.unanswered,
            latency: book.latency,
            last_trouble: book.last_trouble.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_seconds(1);

    fn fail(standing: &Standing, trouble: &Trouble) {
        standing.note(Some(trouble), Duration::ZERO, AT);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_away_is_tried_by_one_message_after_each_rest() {
        let standing = Standing::default();
        assert_eq!(standing.admit(Instant::now()), Ok(()));
        for rest in [1, 2, 4, 8, 10, 10] {
            fail(&standing, &Trouble::Unreachable("gone".to_owned()));
            assert_eq!(standing.admit(Instant::now()), Err(Trouble::Resting));
            tokio::time::advance(Duration::from_millis(rest * 1000 - 1)).await;
            assert_eq!(standing.admit(Instant::now()), Err(Trouble::Resting), "{rest}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!(standing.admit(Instant::now()), Ok(()), "{rest}");
            assert_eq!(standing.admit(Instant::now()), Err(Trouble::Resting), "only one tries");
        }
        standing.note(None, Duration::ZERO, AT);
        assert_eq!(standing.admit(Instant::now()), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn one_odd_message_sends_nobody_to_rest() {
        let standing = Standing::default();
        for _ in 0..2 {
            fail(&standing, &Trouble::Silent);
            assert_eq!(standing.admit(Instant::now()), Ok(()));
        }
        fail(&standing, &Trouble::Silent);
        assert_eq!(standing.admit(Instant::now()), Err(Trouble::Resting));
        standing.saw(Ok(Some("1.0".to_owned())), AT);
        assert_eq!(standing.admit(Instant::now()), Ok(()));
        let state = standing.state(&Filter::Clamd(Endpoint::parse("h:1").unwrap()));
        assert_eq!((state.asked, state.unanswered, state.is_up), (3, 3, true));
    }
}
