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
            set.insert(uid);
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
