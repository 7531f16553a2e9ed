//! How many checks went how.

use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::process::Child;
use std::{fmt, io};

/// Printed as `N passed, N failed`, which is what the last line of every task says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Tally {
    /// One check.
    pub(crate) fn of(is_passed: bool) -> Self {
        Self { passed: u32::from(is_passed), failed: u32::from(!is_passed), skipped: 0 }
    }

    /// One that could not be made here.
    pub(crate) fn skip() -> Self {
        Self { skipped: 1, ..Self::default() }
    }

    /// Counts a check's line: `ok NAME`, `FAIL NAME …` or `skip NAME …`.
    pub(crate) fn of_line(line: &str) -> Self {
        match line.split_ascii_whitespace().next() {
            Some("ok") => Self::of(true),
            Some("FAIL") => Self::of(false),
            Some("skip") => Self::skip(),
            _ => Self::default(),
        }
    }

    /// Shows and counts the lines that the checks `name` print; where they end badly and none of them says so, that counts as one more.
    pub(crate) fn of_checks(name: &str, mut child: Child) -> io::Result<Self> {
        let mut tally = Self::default();
        for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
            let line = line?;
            println!("{line}");
            tally += Self::of_line(&line);
        }
        if !child.wait()?.success() && tally.failed == 0 {
            println!("FAIL {name} (it ended badly)");
            tally += Self::of(false);
        }
        Ok(tally)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.skipped > 0 {
            writeln!(f, "{} skipped (named above)", self.skipped)?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_checks_are_counted() {
        let mut tally = Tally::default();
        for line in ["ok   curl", "FAIL mutt (it said no)", "skip postfix (not root)", "some words", ""] {
            tally += Tally::of_line(line);
        }
        assert_eq!(tally, Tally { passed: 1, failed: 1, skipped: 1 });
        assert!(tally.to_string().ends_with("1 passed, 1 failed"));
    }
}
