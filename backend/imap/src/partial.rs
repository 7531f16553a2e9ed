//! A part of what was found: PARTIAL (RFC 5267 §4.4, RFC 9394).

use std::fmt;
use std::ops::Range;

/// `1:500`, or `-1:-100` from the end: places in a list, counted from 1, both inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialRange {
    from_end: bool,
    nearest: u32,
    farthest: u32,
}

impl PartialRange {
    /// From one place to the other, in either order; neither is 0.
    pub fn new(from_end: bool, from: u32, to: u32) -> Self {
        Self { from_end, nearest: from.min(to), farthest: from.max(to) }
    }

    /// The places that it means among `count`, from 0; empty where there are none.
    pub fn of(self, count: usize) -> Range<usize> {
        let place = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (before, upto) = (place(self.nearest).saturating_sub(1).min(count), place(self.farthest).min(count));
        if self.from_end { count - upto..count - before } else { before..upto }
    }
}

impl fmt::Display for PartialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        write!(f, "{sign}{}:{sign}{}", self.nearest, self.farthest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_mean_places() {
        let check = |(from_end, from, to): (bool, u32, u32), count, text: &str, places: Range<usize>| {
            let range = PartialRange::new(from_end, from, to);
            assert_eq!((range.to_string().as_str(), range.of(count)), (text, places));
        };
        check((false, 1, 500), 23_764, "1:500", 0..500);
        check((false, 24_000, 23_500), 23_764, "23500:24000", 23_499..23_764);
        check((false, 24_000, 24_500), 23_764, "24000:24500", 23_764..23_764);
        check((true, 1, 100), 23_764, "-1:-100", 23_664..23_764);
        check((true, 3, 2), 5, "-2:-3", 2..4);
        check((true, 4, 9), 5, "-4:-9", 0..2);
        check((true, 7, 9), 5, "-7:-9", 0..0);
        check((false, 1, u32::MAX), 0, "1:4294967295", 0..0);
    }
}
