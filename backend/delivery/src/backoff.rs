//! When a deferred recipient is tried again.

use std::time::Duration;

use relais_model::{Random, Timestamp};

/// Waits that double, with jitter so that what failed together doesn't come back together (RFC 5321 §4.5.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// No wait is longer, jitter aside.
    pub ceiling: Duration,
}

impl Default for Backoff {
    /// 5 minutes, then 10, 20, 40 … up to 4 hours.
    fn default() -> Self {
        Self { first: Duration::from_mins(5), ceiling: Duration::from_hours(4) }
    }
}

impl Backoff {
    /// When to try again after `failures` of them (at least one), the last at `now`: within a quarter around the wait.
    pub fn next(&self, failures: u32, now: Timestamp, random: &dyn Random) -> Timestamp {
        // Doubled 20 times, a second is 12 days: no ceiling in use is above that.
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(20));
        let wait = doubled.min(self.ceiling);
        let half = u64::try_from(wait.as_millis() / 2).unwrap_or(u64::MAX);
        now.plus(wait * 3 / 4).plus(Duration::from_millis(random.below(half.saturating_add(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Always(u8);

    impl Random for Always {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(self.0);
        }
    }

    /// RFC 5321 §4.5.4.1.
    #[test]
    fn waits_double_up_to_four_hours() {
        let now = Timestamp::from_seconds(1_000_000);
        for (failures, minutes) in [(0, 5), (1, 5), (2, 10), (3, 20), (4, 40), (6, 160), (7, 240), (50, 240)] {
            let wait = Backoff::default().next(failures, now, &Always(0)).since(now);
            assert_eq!(wait, Duration::from_mins(minutes) * 3 / 4, "{failures}");
        }
    }

    #[test]
    fn jitter_stays_within_a_quarter_around() {
        let now = Timestamp::from_seconds(1_000_000);
        for octet in 0..=255 {
            let wait = Backoff::default().next(1, now, &Always(octet)).since(now);
            assert!((Duration::from_secs(225)..=Duration::from_secs(375)).contains(&wait), "{wait:?}");
        }
    }
}
