//! How strangers' mail came out, counted for those whose DMARC records ask to be told (RFC 9990), until the store takes it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use relais_model::{Domain, Timestamp};
use relais_msgauth::Authentication;
use relais_msgauth::dmarc::{Decision, DmarcResult};
use relais_msgauth::report::AggregateRow;
use relais_store::DmarcCount;

/// Different outcomes between two visits to the store; what is new beyond them isn't counted.
const MOST_OUTCOMES: usize = 5000;
/// Octets of one outcome: some hundred are usual, and a stranger chooses how many signatures a message bears.
const MOST_OCTETS: usize = 8 * 1024;

/// A day's beginning, whose record asks, and the row of its report.
type Key = (Timestamp, Domain, String);

/// Counts. What wasn't taken when the process ends is lost: it is a statistic.
#[derive(Debug, Default)]
pub struct Tally(Mutex<HashMap<Key, u64>>);

impl Tally {
    /// One message, where its author's domain asks for reports and the DNS owed nothing; `envelope_from` is the reverse path's domain.
    pub(crate) fn count(
        &self,
        now: Timestamp,
        (found, decision): (&Authentication, &Decision),
        envelope_from: &str,
        follows: bool,
    ) {
        let Some((domain, record)) = &found.dmarc.record else { return };
        let is_known = found.dmarc.result != DmarcResult::TempError && !record.aggregate_reports.is_empty();
        let Some(domain) = Domain::parse(domain).ok().filter(|_| is_known) else { return };
        let line = AggregateRow::of(found, decision, envelope_from, follows).write_line();
        if line.len() > MOST_OCTETS {
            return;
        }
        let key = (now.day(), domain, line);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < MOST_OUTCOMES || counts.contains_key(&key) {
            *counts.entry(key).or_default() += 1;
        }
    }

    /// Takes all.
    pub fn take(&self) -> Vec<DmarcCount> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let count = |((day, policy_domain, line), messages)| DmarcCount { day, policy_domain, line, messages };
        counts.into_iter().map(count).collect()
    }
}
