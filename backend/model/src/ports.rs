//! What a test cannot have for real: the time and chance.

use std::time::UNIX_EPOCH;

use crate::Timestamp;

/// Tells the time of day.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Gives octets that nobody can guess.
pub trait Random: Send + Sync + std::fmt::Debug {
    /// Fills all of `octets`.
    fn fill(&self, octets: &mut [u8]);

    /// A number below `bound`, or 0 where `bound` is 0. Not free of bias: fit for jitter, not for keys.
    fn below(&self, bound: u64) -> u64 {
        let mut octets = [0; 8];
        self.fill(&mut octets);
        u64::from_le_bytes(octets).checked_rem(bound).unwrap_or(0)
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        let millis = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}

/// The machine's source of randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::expect_used,
        reason = "a machine without randomness can do nothing safely; Linux's never fails once booted"
    )]
    fn fill(&self, octets: &mut [u8]) {
        getrandom::fill(octets).expect("the machine gives randomness");
    }
}
