//! What is remembered for scripts: whom they answered, and what came before.

use std::time::Duration;

use relais_sieve::Seen;
use sha2::{Digest, Sha256};

/// Who was answered isn't answered again for so long, where the script doesn't say (RFC 5230 §4.1).
const ANSWERED_FOR: Duration = Duration::from_hours(24 * 7);
/// RFC 6131 §2 lets a house say how soon at the earliest.
const ANSWERED_AT_LEAST: Duration = Duration::from_mins(1);
/// And how long at most something is remembered.
const REMEMBERED_AT_MOST: Duration = Duration::from_hours(24 * 365);
/// What `duplicate` remembers for, where the script doesn't say.
const SEEN_FOR: Duration = Duration::from_hours(24 * 7);

/// Something that is remembered for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// A hash of what.
    pub about: [u8; 32],
    /// For how long.
    pub kept: Duration,
    /// What is known already begins its time anew.
    pub begins_anew: bool,
}

impl Remembered {
    /// What `duplicate` is to find the next time (RFC 7352 §3).
    pub(super) fn seen(seen: &Seen) -> Self {
        let kept = seen.seconds.map_or(SEEN_FOR, Duration::from_secs).min(REMEMBERED_AT_MOST);
        Self { about: about_seen(&seen.id), kept, begins_anew: seen.last }
    }

    /// Who was answered, by the answer's key; for as long as the script says.
    pub(super) fn answered(key: &str, seconds: Option<u64>) -> Self {
        let kept = seconds.map_or(ANSWERED_FOR, Duration::from_secs).clamp(ANSWERED_AT_LEAST, REMEMBERED_AT_MOST);
        Self { about: hash("vacation", key), kept, begins_anew: false }
    }
}

/// What `duplicate` noted under this id is found by it.
pub(super) fn about_seen(id: &str) -> [u8; 32] {
    hash("duplicate", id)
}

fn hash(kind: &str, text: &str) -> [u8; 32] {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(text).finalize().into()
}
