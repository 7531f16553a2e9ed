//! What we remember of hosts that didn't answer, so that a dead first MX isn't asked before each message.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use relais_model::Timestamp;

/// How long a host rests after its first failure; doubled with each one after it.
const FIRST_REST: Duration = Duration::from_mins(1);
/// No rest is longer: a host that comes back is found soon.
const LONGEST_REST: Duration = Duration::from_mins(30);
/// More hosts than this are not remembered; forgetting one costs a connection attempt, no more.
const MOST_HOSTS: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Rest {
    failures: u32,
    failed_at: Timestamp,
    until: Timestamp,
}

/// Hosts that failed, by address and port. Kept in memory alone.
#[derive(Debug, Default)]
pub(crate) struct HostMemory(Mutex<HashMap<SocketAddr, Rest>>);

impl HostMemory {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<SocketAddr, Rest>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `host` didn't answer, or broke off before it took a message.
    pub(crate) fn failed(&self, host: SocketAddr, now: Timestamp) {
        self.with(|hosts| {
            if hosts.len() >= MOST_HOSTS && !hosts.contains_key(&host) {
                hosts.retain(|_, rest| rest.until > now);
            }
            let failures = hosts.get(&host).map_or(0, |rest| rest.failures);
            if hosts.len() < MOST_HOSTS || failures > 0 {
                let rest = FIRST_REST.saturating_mul(1 << failures.min(16)).min(LONGEST_REST);
                let rest = Rest { failures: failures + 1, failed_at: now, until: now.plus(rest) };
                hosts.insert(host, rest);
            }
        });
    }

    /// `host` answered as it should.
    pub(crate) fn worked(&self, host: SocketAddr) {
        self.with(|hosts| hosts.remove(&host));
    }

    /// Whether `host` is better tried after the others.
    pub(crate) fn rests(&self, host: SocketAddr, now: Timestamp) -> bool {
        self.with(|hosts| hosts.get(&host).is_some_and(|rest| now < rest.until))
    }

    /// Whether another attempt has found `host` dead since `claimed_at`: then ours would find nothing else.
    pub(crate) fn failed_since(&self, host: SocketAddr, claimed_at: Timestamp, now: Timestamp) -> bool {
        self.with(|hosts| hosts.get(&host).is_some_and(|rest| now < rest.until && claimed_at < rest.failed_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_host_rests_longer_each_time_until_it_answers() {
        let memory = HostMemory::default();
        let host = "192.0.2.1:25".parse().unwrap();
        let mut now = Timestamp::from_seconds(0);
        assert!(!memory.rests(host, now));
        for minutes in [1, 2, 4, 8, 16, 30, 30] {
            memory.failed(host, now);
            now = now.plus(Duration::from_mins(minutes));
            assert!(memory.rests(host, now.minus(Duration::from_secs(1))), "{minutes}");
            assert!(!memory.rests(host, now), "{minutes}");
        }
        memory.failed(host, now);
        memory.worked(host);
        assert!(!memory.rests(host, now));
    }

    /// A message that somebody asks to retry is claimed after the failure: it is tried.
    #[test]
    fn what_was_claimed_later_is_tried_anyway() {
        let memory = HostMemory::default();
        let host = "192.0.2.1:25".parse().unwrap();
        let failed_at = Timestamp::from_seconds(100);
        memory.failed(host, failed_at);
        assert!(memory.failed_since(host, Timestamp::from_seconds(99), failed_at));
        assert!(!memory.failed_since(host, Timestamp::from_seconds(101), failed_at));
    }

    #[test]
    fn memory_is_bounded() {
        let memory = HostMemory::default();
        for port in 1..=10_500 {
            memory.failed(SocketAddr::from(([192, 0, 2, 1], port)), Timestamp::from_seconds(0));
        }
        assert_eq!(memory.with(|hosts| hosts.len()), MOST_HOSTS);
    }
}
