//! The next step of a policy that the evidence allows: facts in, advice out.

/// Days with reports that are wanted before anything is advised, of the last thirty.
pub(super) const DAYS_WANTED: u64 = 14;
/// Messages that are wanted.
const MESSAGES_WANTED: u64 = 50;
/// Of a hundred messages, so many must be aligned.
const PERCENT_WANTED: u64 = 98;
/// A source is large with so many messages that aren't aligned, and with this part of all.
const LARGE_MESSAGES: u64 = 10;
const LARGE_PERCENT: u64 = 1;

/// What reports came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Evidence {
    /// Days with reports.
    pub(super) days: u64,
    /// Messages, or TLS sessions.
    pub(super) total: u64,
    /// Those that came out as they should.
    pub(super) good: u64,
    /// Messages that weren't aligned of the one address that sent the most of them, and that no receiver took for a list's or a forwarder's.
    pub(super) largest_unexplained: u64,
}

/// What is advised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is no policy to go on from.
    NoPolicy,
    /// Too few days, or too little mail, to say anything.
    TooEarly,
    /// Too much of it isn't aligned, or fails.
    NotYet,
    /// All in all it is well, but one large source isn't explained.
    Unexplained,
    /// To this policy.
    Next(&'static str),
    /// There is nothing more to ask for.
    Done,
}

impl Evidence {
    /// Of a hundred, rounded down: 100 only where all are good.
    pub(super) const fn percent(&self) -> u64 {
        match self.good.saturating_mul(100).checked_div(self.total) {
            Some(percent) => percent,
            None => 0,
        }
    }

    fn step(&self, next: &'static str) -> Step {
        let is_large = LARGE_MESSAGES <= self.largest_unexplained
            && self.total.saturating_mul(LARGE_PERCENT) <= self.largest_unexplained.saturating_mul(100);
        if self.days < DAYS_WANTED || self.total < MESSAGES_WANTED {
            Step::TooEarly
        } else if self.percent() < PERCENT_WANTED {
            Step::NotYet
        } else if is_large {
            Step::Unexplained
        } else {
            Step::Next(next)
        }
    }
}

/// After the DMARC policy `current` (none → quarantine → reject), as the domain's record has it.
pub(super) fn dmarc_step(current: Option<&str>, evidence: &Evidence) -> Step {
    match current {
        None => Step::NoPolicy,
        Some("none") => evidence.step("quarantine"),
        Some("quarantine") => evidence.step("reject"),
        Some(_) => Step::Done,
    }
}

/// After the MTA-STS mode `current` (testing → enforce).
pub(super) fn sts_step(current: &str, evidence: &Evidence) -> Step {
    match current {
        "none" => Step::NoPolicy,
        "testing" => evidence.step("enforce"),
        _ => Step::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Evidence = Evidence { days: 20, total: 1000, good: 995, largest_unexplained: 2 };

    #[test]
    fn a_policy_goes_on_by_one_step_where_the_evidence_allows_it() {
        let check = |current: Option<&str>, evidence: Evidence, expected: Step| {
            assert_eq!(dmarc_step(current, &evidence), expected, "{current:?} {evidence:?}");
        };
        check(None, WELL, Step::NoPolicy);
        check(Some("none"), WELL, Step::Next("quarantine"));
        check(Some("quarantine"), WELL, Step::Next("reject"));
        check(Some("reject"), WELL, Step::Done);
        check(Some("reject"), Evidence::default(), Step::Done);
        check(Some("none"), Evidence { days: 13, ..WELL }, Step::TooEarly);
        check(Some("none"), Evidence { days: 14, ..WELL }, Step::Next("quarantine"));
        check(Some("none"), Evidence { total: 49, good: 49, ..WELL }, Step::TooEarly);
        check(Some("none"), Evidence::default(), Step::TooEarly);
        check(Some("none"), Evidence { good: 979, ..WELL }, Step::NotYet);
        check(Some("none"), Evidence { good: 980, ..WELL }, Step::Next("quarantine"));
        check(Some("quarantine"), Evidence { largest_unexplained: 10, ..WELL }, Step::Unexplained);
        check(Some("quarantine"), Evidence { largest_unexplained: 9, ..WELL }, Step::Next("reject"));
        let much = Evidence { total: 100_000, good: 99_000, ..WELL };
        check(Some("none"), Evidence { largest_unexplained: 999, ..much }, Step::Next("quarantine"));
        check(Some("none"), Evidence { largest_unexplained: 1000, ..much }, Step::Unexplained);
    }

    #[test]
    fn mta_sts_is_enforced_after_its_testing() {
        let check = |current: &str, evidence: Evidence, expected: Step| {
            assert_eq!(sts_step(current, &evidence), expected, "{current} {evidence:?}");
        };
        check("testing", WELL, Step::Next("enforce"));
        check("testing", Evidence { good: 900, ..WELL }, Step::NotYet);
        check("testing", Evidence { days: 3, ..WELL }, Step::TooEarly);
        check("enforce", WELL, Step::Done);
        check("none", WELL, Step::NoPolicy);
    }

    #[test]
    fn a_hundred_percent_are_all() {
        assert_eq!(Evidence { total: 1000, good: 999, ..Evidence::default() }.percent(), 99);
        assert_eq!(Evidence { total: 1000, good: 1000, ..Evidence::default() }.percent(), 100);
        assert_eq!(Evidence::default().percent(), 0);
    }
}
