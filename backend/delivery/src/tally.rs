//! How sessions came out, counted for TLS reports (RFC 8460) until the store takes it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use relais_model::{Domain, Timestamp};
use relais_store::{TlsPolicyType, TlsResult, TlsResultCount, TlsResultKey};

/// Different outcomes between two visits to the store; what is new beyond them isn't counted.
const MOST_OUTCOMES: usize = 10_000;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Counts. What wasn't taken when the process ends is lost: it is a statistic.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<HashMap<TlsResultKey, u64>>);

impl Tally {
    /// One session.
    pub(crate) fn count(
        &self,
        now: Timestamp,
        (policy_type, policy_domain): (TlsPolicyType, &Domain),
        mx_host: Option<&Domain>,
        result: TlsResult,
    ) {
        let day = Timestamp::from_millis(now.millis() - now.millis().rem_euclid(DAY_MILLIS));
        let (policy_domain, mx_host) = (policy_domain.clone(), mx_host.cloned());
        let key = TlsResultKey { day, policy_domain, policy_type, mx_host, result };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < MOST_OUTCOMES || counts.contains_key(&key) {
            *counts.entry(key).or_default() += 1;
        }
    }

    /// Takes all.
    pub(crate) fn take(&self) -> Vec<TlsResultCount> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        counts.into_iter().map(|(key, sessions)| TlsResultCount { key, sessions }).collect()
    }
}
