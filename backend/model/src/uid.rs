//! The numbers of IMAP (RFC 9051 §2.3.1, RFC 7162 §3.1.1).

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $plain:ty, $nonzero:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($nonzero);

        impl $name {
            /// The first there is: 1.
            pub const FIRST: Self = Self(<$nonzero>::MIN);

            /// None for 0.
            pub const fn new(number: $plain) -> Option<Self> {
                match <$nonzero>::new(number) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// The plain number, never 0.
            pub const fn value(self) -> $plain {
                self.0.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number!(
    /// A message's unique number in its mailbox: given in rising order, never again to another (RFC 9051 §2.3.1.1).
    Uid, u32, NonZeroU32
);
number!(
    /// The epoch of a mailbox's UIDs (RFC 9051 §2.3.1.1).
    UidValidity, u32, NonZeroU32
);
number!(
    /// A message's position in its mailbox, from 1 (RFC 9051 §2.3.1.2).
    SeqNum, u32, NonZeroU32
);
number!(
    /// A mailbox's change counter: below 2^63, never 0 (RFC 7162 §3.1.1).
    ModSeq, u64, NonZeroU64
);

/// A set of UIDs as ascending runs that don't touch: a mailbox whose UIDs have no gaps costs eight octets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct UidSet {
    /// First and last of each run, both inside.
    runs: Vec<(u32, u32)>,
}

impl UidSet {
    /// No UID.
    pub const fn new() -> Self {
        Self { runs: Vec::new() }
    }

    /// The runs, ascending: first and last, both inside.
    pub fn runs(&self) -> &[(u32, u32)] {
        &self.runs
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.runs.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// The largest.
    pub fn last(&self) -> Option<Uid> {
        self.runs.last().and_then(|(_, last)| Uid::new(*last))
    }

    /// Whether `uid` is in it.
    pub fn contains(&self, uid: Uid) -> bool {
        let after = self.runs.partition_point(|(first, _)| *first <= uid.value());
        after.checked_sub(1).and_then(|at| self.runs.get(at)).is_some_and(|(_, last)| uid.value() <= *last)
    }

    /// Adds one. Cheapest in ascending order.
    pub fn insert(&mut self, uid: Uid) {
        self.insert_run(uid.value(), uid.value());
    }

    /// Adds all from `first` to `last`, in either order; 0 is passed over.
    pub fn insert_run(&mut self, first: u32, last: u32) {
        let (first, last) = (first.min(last).max(1), first.max(last));
        if last == 0 {
            return;
        }
        // The runs that the new one touches or overlaps: all from `from` to before `to`.
        let from = self.runs.partition_point(|run| run.1.saturating_add(1) < first);
        let to = self.runs.partition_point(|run| run.0 <= last.saturating_add(1));
        let merged = self.runs.get(from..to).unwrap_or_default().iter();
        let merged = merged.fold((first, last), |all, run| (all.0.min(run.0), all.1.max(run.1)));
        self.runs.splice(from..to.max(from), [merged]);
    }

    /// Takes one away.
    pub fn remove(&mut self, uid: Uid) {
        let uid = uid.value();
        let at = self.runs.partition_point(|run| run.1 < uid);
        let Some(&(first, last)) = self.runs.get(at).filter(|run| run.0 <= uid) else { return };
        let left = (first < uid).then(|| (first, uid - 1));
        let right = (uid < last).then(|| (uid + 1, last));
        self.runs.splice(at..=at, left.into_iter().chain(right));
    }

    /// Adds all of `more`.
    pub fn extend(&mut self, more: &Self) {
        for (first, last) in &more.runs {
            self.insert_run(*first, *last);
        }
    }

    /// Those that are not in `less`, run by run.
    #[must_use]
    pub fn without(&self, less: &Self) -> Self {
        let mut left = Self::new();
        let mut holes = less.runs.as_slice();
        for &(first, last) in &self.runs {
            // Holes that end before this run are of no use for later ones either.
            holes = holes.get(holes.partition_point(|hole| hole.1 < first)..).unwrap_or_default();
            let mut from = Some(first);
            for hole in holes.iter().take_while(|hole| hole.0 <= last) {
                if let Some(begin) = from.filter(|begin| *begin < hole.0) {
                    left.runs.push((begin, hole.0 - 1));
                }
                from = hole.1.checked_add(1);
            }
            if let Some(begin) = from.filter(|begin| *begin <= last) {
                left.runs.push((begin, last));
            }
        }
        left
    }

    /// Those in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut both, mut left, mut right) = (Self::new(), self.runs.as_slice(), other.runs.as_slice());
        while let (Some((one, one_rest)), Some((two, two_rest))) = (left.split_first(), right.split_first()) {
            let (first, last) = (one.0.max(two.0), one.1.min(two.1));
            if first <= last {
                both.runs.push((first, last));
            }
            if one.1 < two.1 { left = one_rest } else { right = two_rest }
        }
        both
    }

    /// The UIDs at these positions (runs of sequence numbers from 1, ascending, both ends inside); those past the end name nothing.
    #[must_use]
    pub fn at_positions(&self, positions: &[(u32, u32)]) -> Self {
        let mut found = Self::new();
        let mut wanted = positions.iter().peekable();
        let mut before = 0;
        for &(first, last) in &self.runs {
            let length = last - first + 1;
            while let Some(&&(from, to)) = wanted.peek() {
                let (begin, end) = (from.max(before + 1), to.min(before + length));
                if begin <= end {
                    found.insert_run(first + (begin - before - 1), first + (end - before - 1));
                }
                if to > before + length {
                    break;
                }
                wanted.next();
            }
            before += length;
        }
        found
    }

    /// The positions of those of `uids` that are in the set, ascending, as runs of sequence numbers.
    pub fn positions_of(&self, uids: &Self) -> Vec<(u32, u32)> {
        let mut positions: Vec<(u32, u32)> = Vec::new();
        let (mut before, mut wanted) = (0, uids.runs.as_slice());
        for &(first, last) in &self.runs {
            wanted = wanted.get(wanted.partition_point(|run| run.1 < first)..).unwrap_or_default();
            for run in wanted.iter().take_while(|run| run.0 <= last) {
                let begin = before + (run.0.max(first) - first) + 1;
                let end = before + (run.1.min(last) - first) + 1;
                match positions.last_mut() {
                    Some(previous) if previous.1 + 1 == begin => previous.1 = end,
                    _ => positions.push((begin, end)),
                }
            }
            before += last - first + 1;
        }
        positions
    }

    /// All, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Uid> + '_ {
        self.runs.iter().flat_map(|(first, last)| (*first..=*last).filter_map(Uid::new))
    }

    /// The UID at `seq_num`, counting from 1.
    pub fn at(&self, seq_num: SeqNum) -> Option<Uid> {
        let mut left = seq_num.value() - 1;
        for (first, last) in &self.runs {
            let length = last - first + 1;
            if left < length {
                return Uid::new(first + left);
            }
            left -= length;
        }
        None
    }

    /// The position of `uid`, counting from 1; none where it isn't in the set.
    pub fn position(&self, uid: Uid) -> Option<SeqNum> {
        let uid = uid.value();
        let mut before = 0;
        for (first, last) in &self.runs {
            if (*first..=*last).contains(&uid) {
                return SeqNum::new(before + (uid - first) + 1);
            }
            before += last - first + 1;
        }
        None
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<T: IntoIterator<Item = Uid>>(uids: T) -> Self {
        let mut set = Self::new();
        for uid in uids {
            match set.runs.last_mut() {
                // Most sets are made in order, a hundred thousand at a time.
                Some((_, last)) if last.checked_add(1) == Some(uid.value()) => *last = uid.value(),
                _ => set.insert(uid),
            }
        }
        set
    }
}

impl fmt::Display for UidSet {
    /// As IMAP's sequence-set: `1:3,5`. Empty for the empty set, which IMAP cannot write.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.runs.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}:{last}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    #[track_caller]
    fn check(inserted: &[(u32, u32)], expected: &str) {
        let mut set = UidSet::new();
        for (first, last) in inserted {
            set.insert_run(*first, *last);
        }
        assert_eq!(set.to_string(), expected, "{inserted:?}");
    }

    #[test]
    fn runs_that_touch_are_one() {
        check(&[(1, 3), (4, 6)], "1:6");
        check(&[(5, 9), (1, 3)], "1:3,5:9");
        check(&[(5, 9), (1, 3), (4, 4)], "1:9");
        check(&[(5, 9), (2, 20)], "2:20");
        check(&[(7, 3)], "3:7");
        check(&[(u32::MAX, u32::MAX), (u32::MAX - 1, u32::MAX - 1)], "4294967294:4294967295");
    }

    fn set(text: &str) -> UidSet {
        let mut set = UidSet::new();
        for run in text.split(',').filter(|run| !run.is_empty()) {
            let (first, last) = run.split_once(':').unwrap_or((run, run));
            set.insert_run(first.parse().unwrap(), last.parse().unwrap());
        }
        set
    }

    #[test]
    fn sets_are_compared_run_by_run() {
        let check = |one: &str, other: &str, left: &str, both: &str| {
            assert_eq!(set(one).without(&set(other)).to_string(), left, "{one} - {other}");
            assert_eq!(set(one).intersection(&set(other)).to_string(), both, "{one} & {other}");
        };
        check("1:10", "3:4,6", "1:2,5,7:10", "3:4,6");
        check("1:3,5:9", "2:6", "1,7:9", "2:3,5:6");
        check("1:3", "", "1:3", "");
        check("4", "1:9", "", "4");
        check("1:2,4:5,7:8", "2:4,8:4294967295", "1,5,7", "2,4,8");
        check("1:4294967295", "4294967295", "1:4294967294", "4294967295");
    }

    #[test]
    fn positions_come_in_runs() {
        let known = set("3:5,9,20:30");
        assert_eq!(known.at_positions(&[(1, 2), (4, 6), (15, 99)]).to_string(), "3:4,9,20:21,30");
        assert_eq!(known.positions_of(&set("4:9,21,30:40")), [(2, 4), (6, 6), (15, 15)]);
        assert_eq!(known.at_positions(&[(16, 99)]).to_string(), "");
    }

    #[test]
    fn positions_and_uids_are_inverse() {
        let mut set = UidSet::new();
        set.insert_run(3, 5);
        set.insert_run(9, 9);
        set.insert_run(20, 30);
        for (at, uid) in set.iter().enumerate() {
            let seq_num = SeqNum::new(u32::try_from(at).unwrap() + 1).unwrap();
            assert_eq!((set.at(seq_num), set.position(uid)), (Some(uid), Some(seq_num)));
        }
        set.remove(uid(4));
        assert_eq!(set.to_string(), "3,5,9,20:30");
        assert_eq!((set.count(), set.contains(uid(4)), set.contains(uid(25))), (14, false, true));
    }
}
