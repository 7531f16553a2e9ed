//! How often may be asked: each key, and each network that shows keys which open nothing.
//!
//! The generic cell rate algorithm: of each asker one moment is kept, at which all that they asked for would have been asked at the even
//! pace. Who runs ahead of it by more than a burst is refused. Memory is bounded: who is back on pace is forgotten.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use relais_model::Timestamp;
use relais_service::Failure;

/// Keys that open nothing, from one network: one in two seconds, thirty at once.
const REFUSALS: Pace = Pace { every_millis: 2000, burst: 30 };
/// Askers that are remembered at once. Past them the one who may ask soonest is forgotten.
const REMEMBERED: usize = 10_000;

/// draft-ietf-httpapi-ratelimit-headers-10.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    every_millis: i64,
    burst: i64,
}

impl Pace {
    /// What the setting allows a key: so many a minute, and ten seconds' worth at once.
    fn of_key(per_minute: u64) -> Self {
        let per_minute = i64::try_from(per_minute).unwrap_or(i64::MAX).clamp(1, 60_000);
        Self { every_millis: 60_000 / per_minute, burst: (per_minute / 6).max(1) }
    }
}

/// The limits of the whole API.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    keys: Meter<[u8; 32]>,
    refusals: Meter<IpAddr>,
}

/// How much more a key may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    remaining: i64,
    /// Seconds until all of the burst is there again.
    whole_in: i64,
    pace: Pace,
}

impl Budget {
    /// Says it in the headers of an answer.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Pace { burst: quota, every_millis } = self.pace;
        let window = (quota * every_millis / 1000).max(1);
        for (name, value) in [
            (POLICY, format!("\"key\";q={quota};w={window}")),
            (LIMIT, format!("\"key\";r={};t={}", self.remaining, self.whole_in)),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

impl Limits {
    /// One request with the key of this seal, that may ask so often a minute.
    ///
    /// # Errors
    /// [`Failure::TooMany`].
    pub(crate) fn take(&self, seal: [u8; 32], per_minute: u64, now: Timestamp) -> Result<Budget, Failure> {
        self.keys.take(Pace::of_key(per_minute), seal, now.millis())
    }

    /// Another key that opened nothing. This host itself is never held up, as it is never banned.
    ///
    /// # Errors
    /// [`Failure::TooMany`] where too many came from there.
    pub(crate) fn note_refusal(&self, peer: IpAddr, now: Timestamp) -> Result<(), Failure> {
        if peer.to_canonical().is_loopback() {
            return Ok(());
        }
        self.refusals.take(REFUSALS, network(peer), now.millis()).map(drop)
    }
}

/// An IPv6 customer has a /64.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Who has asked how far ahead: moments in Unix milliseconds.
#[derive(Debug)]
struct Meter<K>(Mutex<HashMap<K, i64>>);

impl<K> Default for Meter<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq + Clone> Meter<K> {
    fn take(&self, pace: Pace, key: K, now: i64) -> Result<Budget, Failure> {
        let mut ahead = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = ahead.get(&key).copied().unwrap_or(now).max(now);
        let before = budget(pace, until, now)?;
        if REMEMBERED <= ahead.len() && !ahead.contains_key(&key) {
            ahead.retain(|_, until| now < *until);
            if REMEMBERED <= ahead.len()
                && let Some(soonest) = ahead.iter().min_by_key(|(_, until)| **until).map(|(key, _)| key.clone())
            {
                ahead.remove(&soonest);
            }
        }
        let until = until + pace.every_millis;
        ahead.insert(key, until);
        Ok(Budget { remaining: before.remaining - 1, whole_in: (until - now + 999) / 1000, pace })
    }
}

/// What is left to who has asked up to `until`.
fn budget(pace: Pace, until: i64, now: i64) -> Result<Budget, Failure> {
    let most = pace.burst * pace.every_millis;
    let used = until - now;
    if most - pace.every_millis < used {
        let wait = (used + pace.every_millis - most).unsigned_abs();
        return Err(Failure::TooMany { retry_after: Duration::from_millis(wait) });
    }
    Ok(Budget { remaining: (most - used) / pace.every_millis, whole_in: (used + 999) / 1000, pace })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { every_millis: 1000, burst: 3 };

    #[test]
    fn a_burst_is_allowed_and_then_the_pace() {
        let meter = Meter::default();
        let take = |now| meter.take(PACE, "key", now);
        assert_eq!(take(0), Ok(Budget { remaining: 2, whole_in: 1, pace: PACE }));
        assert_eq!(take(0), Ok(Budget { remaining: 1, whole_in: 2, pace: PACE }));
        assert_eq!(take(0), Ok(Budget { remaining: 0, whole_in: 3, pace: PACE }));
        assert_eq!(take(400), Err(Failure::TooMany { retry_after: Duration::from_millis(600) }));
        assert_eq!(take(1000), Ok(Budget { remaining: 0, whole_in: 3, pace: PACE }));
        assert_eq!(take(60_000), Ok(Budget { remaining: 2, whole_in: 1, pace: PACE }));
        assert_eq!(meter.take(PACE, "another", 1000), Ok(Budget { remaining: 2, whole_in: 1, pace: PACE }));
    }

    #[test]
    fn the_setting_says_how_often() {
        assert_eq!(Pace::of_key(600), Pace { every_millis: 100, burst: 100 });
        assert_eq!(Pace::of_key(10), Pace { every_millis: 6000, burst: 1 });
        assert_eq!(Pace::of_key(100_000), Pace { every_millis: 1, burst: 10_000 });
    }

    #[test]
    fn wrong_keys_are_borne_from_this_host_alone() {
        let (limits, now) = (Limits::default(), Timestamp::from_millis(1_000_000));
        let refuse = |peer: &str| limits.note_refusal(peer.parse().unwrap(), now);
        let burst = REFUSALS.burst;
        for (peer, is_borne) in [("192.0.2.7", false), ("127.0.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true)] {
            assert!((0..burst).all(|_| refuse(peer).is_ok()), "{peer}");
            assert_eq!(refuse(peer).is_ok(), is_borne, "{peer}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let meter = Meter::default();
        for key in 0..REMEMBERED + 5 {
            meter.take(PACE, key, 0).unwrap();
        }
        assert_eq!(meter.0.lock().unwrap().len(), REMEMBERED);
        meter.take(PACE, usize::MAX, 10_000).unwrap();
        assert_eq!(meter.0.lock().unwrap().len(), 1, "who is back on pace is forgotten");
    }

    #[test]
    fn a_network_is_what_one_customer_has() {
        let check = |peer: &str, expected: &str| {
            assert_eq!(network(peer.parse().unwrap()), expected.parse::<IpAddr>().unwrap());
        };
        check("192.0.2.7", "192.0.2.7");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
    }
}
