//! How often what is dear may be asked for, by all together.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use relais_model::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Failure;

/// Asks are counted over so long.
const SPAN: Duration = Duration::from_mins(1);
/// Who finds no place is to come again then.
const BUSY: Duration = Duration::from_secs(5);

/// So many at once, and so many a minute.
#[derive(Debug)]
pub(crate) struct Pace {
    places: Semaphore,
    most: usize,
    begun: Mutex<VecDeque<Timestamp>>,
}

impl Pace {
    pub(crate) fn new(at_once: usize, a_minute: usize) -> Self {
        Self { places: Semaphore::new(at_once), most: a_minute, begun: Mutex::default() }
    }

    /// Counts one, and gives it a place until it is dropped.
    ///
    /// # Errors
    /// [`Failure::TooMany`].
    pub(crate) fn admit(&self, now: Timestamp) -> Result<SemaphorePermit<'_>, Failure> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|at| now.since(*at) < SPAN);
        if let Some(first) = begun.front().filter(|_| self.most <= begun.len()) {
            return Err(Failure::TooMany { retry_after: SPAN.saturating_sub(now.since(*first)) });
        }
        let place = self.places.try_acquire().map_err(|_| Failure::TooMany { retry_after: BUSY })?;
        begun.push_back(now);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_are_counted_a_minute_and_few_at_once() {
        let (pace, start) = (Pace::new(2, 30), Timestamp::from_millis(1_000_000));
        for _ in 0..30 {
            drop(pace.admit(start).unwrap());
        }
        let too_many = |retry_after| Failure::TooMany { retry_after: Duration::from_secs(retry_after) };
        assert_eq!(pace.admit(start.plus(Duration::from_secs(10))).unwrap_err(), too_many(50));
        let later = start.plus(SPAN);
        let (_one, _two) = (pace.admit(later).unwrap(), pace.admit(later).unwrap());
        assert_eq!(pace.admit(later).unwrap_err(), too_many(5));
    }
}
