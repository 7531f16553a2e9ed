//! Answers that are held until their time is up (RFC 1035 §7.4, RFC 2308 §5), so that a hundred messages of one domain ask once.
//!
//! hickory holds some, too, but none that says "nothing is there" where it checks signatures; and it copies the whole message each
//! time that it gives one out.

use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::rr::{RData, RecordType};
use moka::sync::Cache;
use relais_msgauth::Lack;
use tokio::time::Instant;

/// No answer is held for longer, whatever the domain's owner says.
const LONGEST: Duration = Duration::from_hours(1);
/// So much is held, in octets; what is asked for least goes first.
const MAX_OCTETS: u64 = 8 * 1024 * 1024;
/// What an answer takes beside its records, and a record that is no text; about.
const OCTETS: usize = 256;

/// What was asked for: in lower case, with the last dot.
type Question = (RecordType, String);
/// What was answered. Silence is no answer.
pub(super) type Answer = Result<Arc<[RData]>, Lack>;

#[derive(Debug)]
pub(super) struct Held(Cache<Question, (Instant, Answer)>);

impl Held {
    pub(super) fn new() -> Self {
        let octets = |(_, name): &Question, (_, answer): &(Instant, Answer)| {
            let records: usize = answer.iter().flat_map(|records| records.iter()).map(octets_of).sum();
            u32::try_from(OCTETS + name.len() + records).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(octets).max_capacity(MAX_OCTETS).build())
    }

    /// The answer that holds now.
    pub(super) fn get(&self, question: &Question, now: Instant) -> Option<Answer> {
        self.0.get(question).filter(|(until, _)| now < *until).map(|(_, answer)| answer)
    }

    /// Holds an answer until then, or for as long as it may be.
    pub(super) fn put(&self, question: Question, answer: &Answer, (now, until): (Instant, Instant)) {
        let until = until.min(now + LONGEST);
        if now < until && !matches!(answer, Err(Lack::Silence)) {
            self.0.insert(question, (until, answer.clone()));
        }
    }
}

fn octets_of(record: &RData) -> usize {
    match record {
        RData::TXT(text) => text.txt_data.iter().map(|string| 24 + string.len()).sum::<usize>() + 64,
        _ => OCTETS,
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::rr::rdata::TXT;

    use super::*;

    #[test]
    fn an_answer_holds_until_its_time_is_up_and_silence_never() {
        let (held, now) = (Held::new(), Instant::now());
        let question = |name: &str| (RecordType::TXT, format!("{name}."));
        let text: Answer = Ok([RData::TXT(TXT::new(vec!["v=spf1 -all".to_owned()]))].into());
        let minute = Duration::from_mins(1);
        for (name, answer, holds_for, expected) in [
            ("a.example", text.clone(), minute, minute),
            ("b.example", Err(Lack::NoSuchName), minute, minute),
            ("c.example", Err(Lack::NoData), 2 * LONGEST, LONGEST),
            ("d.example", Err(Lack::Silence), minute, Duration::ZERO),
            ("e.example", text, Duration::ZERO, Duration::ZERO),
        ] {
            held.put(question(name), &answer, (now, now + holds_for));
            let second = Duration::from_secs(1);
            for (later, holds) in [(Duration::ZERO, true), (expected.saturating_sub(second), true), (expected, false)] {
                let found = held.get(&question(name), now + later);
                assert_eq!(found, (holds && !expected.is_zero()).then(|| answer.clone()), "{name} after {later:?}");
            }
        }
        assert_eq!(held.get(&(RecordType::MX, "a.example.".to_owned()), now), None);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let (held, now) = (Held::new(), Instant::now());
        let large: Answer = Ok([RData::TXT(TXT::new(vec!["x".repeat(250); 200]))].into());
        for number in 0..1000 {
            held.put((RecordType::TXT, format!("n{number}.example.")), &large, (now, now + LONGEST));
        }
        held.0.run_pending_tasks();
        assert!(held.0.weighted_size() <= MAX_OCTETS && held.0.entry_count() > 50);
    }
}
