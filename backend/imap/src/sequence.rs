//! Sequence sets (RFC 9051 §4.1.1, §9 `sequence-set`).

use std::fmt;

use relais_model::{Uid, UidSet};

use crate::command::reader::{Reader, Refusal};

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A number, never 0.
    Number(u32),
    /// `*`: the largest number in use.
    Largest,
}

impl Bound {
    fn resolve(self, largest: u32) -> u32 {
        match self {
            Self::Number(number) => number,
            Self::Largest => largest,
        }
    }
}

/// Which messages a command means, by sequence numbers or UIDs, as the client wrote it.
#[derive(Clone, PartialEq, Eq)]
pub enum SequenceSet {
    /// `1:*,7`: both ends inside, in either order.
    Ranges(Vec<(Bound, Bound)>),
    /// `$`: what the last SEARCH RETURN (SAVE) found (RFC 9051 §6.4.4.1).
    Saved,
}

impl SequenceSet {
    /// The numbers that are meant where `largest` is the largest in use (0: there is none): ascending runs that don't
    /// touch, both ends inside. A number past `largest` is kept: whether it names a message, the mailbox knows. `*` in an
    /// empty mailbox means nothing (RFC 9051 §9, `seq-number`). `None` for `$`.
    pub fn resolve(&self, largest: u32) -> Option<Vec<(u32, u32)>> {
        let Self::Ranges(ranges) = self else { return None };
        let mut runs: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        let ends = ranges.iter().map(|(from, to)| (from.resolve(largest), to.resolve(largest)));
        // 0 is what `*` became in an empty mailbox; `5:*` is nothing there, too.
        runs.extend(ends.filter(|(from, to)| *from != 0 && *to != 0).map(|(from, to)| (from.min(to), from.max(to))));
        runs.sort_unstable();
        runs.dedup_by(|next, run| {
            let touches = next.0 <= run.1.saturating_add(1);
            if touches {
                run.1 = run.1.max(next.1);
            }
            touches
        });
        Some(runs)
    }

    /// [`Self::resolve`] for UIDs.
    pub fn resolve_uids(&self, largest: Option<Uid>) -> Option<UidSet> {
        let mut uids = UidSet::new();
        for (first, last) in self.resolve(largest.map_or(0, Uid::value))? {
            uids.insert_run(first, last);
        }
        Some(uids)
    }

    /// Whether it is written without `*` and `$`, as RFC 7162 §3.2.5.2 wants the sets of QRESYNC.
    pub fn is_plain(&self) -> bool {
        let Self::Ranges(ranges) = self else { return false };
        ranges.iter().all(|(from, to)| *from != Bound::Largest && *to != Bound::Largest)
    }

    /// Takes a whole text. For tests and fuzzing.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let limits = crate::limits::Limits::default();
        let mut reader = Reader::new(text.as_bytes(), &limits, false);
        let set = reader.sequence_set()?;
        reader.end().map(|()| set)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Largest => f.write_str("*"),
        }
    }
}

impl fmt::Display for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Ranges(ranges) = self else { return f.write_str("$") };
        for (at, (from, to)) in ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            if from == to { write!(f, "{comma}{from}")? } else { write!(f, "{comma}{from}:{to}")? }
        }
        Ok(())
    }
}

impl fmt::Debug for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Reader<'_> {
    /// `sequence-set` (RFC 9051 §9).
    pub(crate) fn sequence_set(&mut self) -> Result<SequenceSet, Refusal> {
        if self.skip(b'$') {
            return Ok(SequenceSet::Saved);
        }
        let mut ranges = Vec::new();
        loop {
            let from = self.bound()?;
            let to = if self.skip(b':') { self.bound()? } else { from };
            if ranges.len() == self.limits.ranges {
                return Err(self.too_much("Too many ranges in a set"));
            }
            ranges.push((from, to));
            if !self.skip(b',') {
                return Ok(SequenceSet::Ranges(ranges));
            }
        }
    }

    fn bound(&mut self) -> Result<Bound, Refusal> {
        if self.skip(b'*') { Ok(Bound::Largest) } else { self.nonzero().map(Bound::Number) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, largest: u32, expected: &[(u32, u32)]) {
        assert_eq!(SequenceSet::parse(text).unwrap().resolve(largest).unwrap(), expected, "{text}");
    }

    /// RFC 9051 §9: the order of a range's ends doesn't matter; `*` is the largest number in use.
    #[test]
    fn sets_become_runs() {
        check("2,4:7,9,12:*", 15, &[(2, 2), (4, 7), (9, 9), (12, 15)]);
        check("*:4,5:7", 10, &[(4, 10)]);
        check("*:3", 2, &[(2, 3)]);
        check("559:*", 3, &[(3, 559)]);
        check("1:*", 0, &[]);
        check("*", 0, &[]);
        check("3,1,2", 9, &[(1, 3)]);
        check("5:4294967295,4294967295", 9, &[(5, u32::MAX)]);
    }

    #[test]
    fn what_is_no_set() {
        for text in ["", "0", "1:", ":1", "1,", "a", "1:0", "4294967296", "$,1", "1 2", "**", "1:2:3"] {
            assert!(SequenceSet::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printed_sets_read_back(ranges in prop::collection::vec((0u32..50, 0u32..50), 1..20), largest in 0u32..60) {
            let bound = |number| if number == 0 { Bound::Largest } else { Bound::Number(number) };
            let set = SequenceSet::Ranges(ranges.iter().map(|(from, to)| (bound(*from), bound(*to))).collect());
            prop_assert_eq!(&SequenceSet::parse(&set.to_string()).unwrap(), &set);
            // By definition, number by number.
            let runs = set.resolve(largest).unwrap();
            for number in 1..60 {
                let named = ranges.iter().any(|(from, to)| {
                    let ends = (bound(*from).resolve(largest), bound(*to).resolve(largest));
                    ends.0 != 0 && ends.1 != 0 && (ends.0.min(ends.1)..=ends.0.max(ends.1)).contains(&number)
                });
                prop_assert_eq!(runs.iter().any(|(first, last)| (*first..=*last).contains(&number)), named);
            }
            prop_assert!(runs.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
        }
    }
}
