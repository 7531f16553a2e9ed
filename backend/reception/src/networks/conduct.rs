//! What a network did of late, and what follows: pure.

use std::time::Duration;

use relais_model::{Reply, Timestamp};
use relais_store::Settings;

use crate::bans::{Ban, BanReason, Banned};
use crate::network::Network;

/// After so long a fault counts half.
const FAULTS_HALVE_IN: Duration = Duration::from_hours(1);
/// After so long wanted mail counts half.
const WANTED_HALVES_IN: Duration = Duration::from_hours(24 * 7);
/// Each message that is wanted makes up for so many faults: whoever brings mail for people here mistypes now and then.
const CREDIT: f64 = 0.5;
/// No more than so many messages are held to a network's credit.
const MOST_WANTED: f64 = 1000.0;
/// From so many wanted messages on a network is welcome.
const WELCOME_FROM: f64 = 10.0;
/// No ban is longer.
const LONGEST_BAN: Duration = Duration::from_hours(24);
/// After so long without another the next ban is a first one.
const BANS_FORGOTTEN_AFTER: Duration = Duration::from_hours(24 * 7);
/// A slow answer waits for so long at least.
const SLOW: Duration = Duration::from_secs(1);

/// What a network can do wrong at port 25.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It named a recipient whom nobody here is.
    UnknownRecipient,
    /// It named a recipient at another host.
    Relaying,
    /// It said what is no command, or is none here.
    Senseless,
}

impl Fault {
    const ALL: [Self; 3] = [Self::UnknownRecipient, Self::Relaying, Self::Senseless];

    /// What a refusal at RCPT says of whoever asked; none: it is no fault of theirs.
    pub fn of_refusal(reply: &Reply) -> Option<Self> {
        match (reply.code, reply.enhanced.map(|code| (code.class, code.subject, code.detail))) {
            (550, Some((5, 1, 1))) => Some(Self::UnknownRecipient),
            (550, Some((5, 7, 1))) => Some(Self::Relaying),
            _ => None,
        }
    }

    /// Nobody tries to relay by mistyping.
    const fn weight(self) -> f64 {
        match self {
            Self::UnknownRecipient | Self::Senseless => 1.0,
            Self::Relaying => 2.0,
        }
    }

    const fn why(self) -> BanReason {
        match self {
            Self::UnknownRecipient => BanReason::UnknownRecipients,
            Self::Relaying => BanReason::Relaying,
            Self::Senseless => BanReason::Protocol,
        }
    }
}

/// What a network may do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measure {
    /// Whatever others may.
    Free,
    /// Its answers wait.
    Slow(Duration),
    /// It names no more recipients, and its answers wait.
    NoRecipients(Duration),
    /// Nothing.
    Ban,
}

/// What the house bears.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Faults that have no consequence; more than 0.
    pub(super) free: f64,
    /// No answer waits longer.
    pub(super) slowest: Duration,
}

impl Terms {
    pub(super) fn of(settings: &Settings) -> Self {
        let free = u16::try_from(settings.networks_faults).unwrap_or(u16::MAX).max(1);
        Self { free: f64::from(free), slowest: settings.networks_slowest_reply }
    }
}

/// What a network did: faults by kind and wanted mail, as they count at `at`, and its bans.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Conduct {
    at: Timestamp,
    faults: [f64; 3],
    wanted: f64,
    /// The last ban.
    since: Timestamp,
    until: Timestamp,
    why: Option<BanReason>,
    failures: u32,
    /// Bans so far.
    bans: u32,
}

impl Conduct {
    /// One more fault.
    #[must_use]
    pub(super) fn with_fault(self, now: Timestamp, fault: Fault) -> Self {
        let mut conduct = self.counted_at(now);
        for (count, kind) in conduct.faults.iter_mut().zip(Fault::ALL) {
            *count += if kind == fault { fault.weight() } else { 0.0 };
        }
        conduct
    }

    /// One more wanted message.
    #[must_use]
    pub(super) fn with_wanted(self, now: Timestamp) -> Self {
        let conduct = self.counted_at(now);
        Self { wanted: (conduct.wanted + 1.0).min(MOST_WANTED), ..conduct }
    }

    /// Banned from now on: for `first`, or for twice as long as the last time. What led to it is done with.
    #[must_use]
    pub(super) fn banned(self, now: Timestamp, first: Duration) -> Self {
        if now < self.until {
            return self;
        }
        let bans = if now.since(self.until) < BANS_FORGOTTEN_AFTER { self.bans } else { 0 };
        let times = 1_u32.checked_shl(bans).unwrap_or(u32::MAX);
        let until = now.plus(first.saturating_mul(times).min(LONGEST_BAN));
        let most = self.faults.iter().zip(Fault::ALL).max_by(|(one, _), (other, _)| one.total_cmp(other));
        let why = most.map(|(_, fault)| fault.why());
        let failures = whole(self.faults.iter().sum());
        Self { since: now, until, why, failures, bans: bans.saturating_add(1), faults: [0.0; 3], ..self }
    }

    /// Whether it brings mail that people want.
    pub(super) fn is_welcome(self, now: Timestamp) -> bool {
        let conduct = self.counted_at(now);
        conduct.wanted >= WELCOME_FROM && conduct.faults.iter().sum::<f64>() <= conduct.wanted * CREDIT
    }

    /// What follows. Beyond what the credit makes up for so many faults are free; up to twice as many make answers ever slower; beyond that no recipient is
    /// looked up; four times as many are a ban.
    pub(super) fn measure(self, now: Timestamp, terms: &Terms) -> Measure {
        if now < self.until {
            return Measure::Ban;
        }
        let conduct = self.counted_at(now);
        let faults = conduct.faults.iter().sum::<f64>() - conduct.wanted * CREDIT;
        let times = faults / terms.free;
        if times <= 1.0 {
            Measure::Free
        } else if times <= 2.0 {
            Measure::Slow(terms.slowest.mul_f64(times - 1.0).max(SLOW).min(terms.slowest))
        } else if times <= 4.0 {
            Measure::NoRecipients(terms.slowest)
        } else {
            Measure::Ban
        }
    }

    /// The ban that holds now.
    pub(super) fn ban(&self, now: Timestamp, network: Network) -> Option<Ban> {
        let why = self.why.filter(|_| now < self.until)?;
        let of = Banned::Network(network);
        let earlier = self.bans.saturating_sub(1);
        Some(Ban { of, since: self.since, until: self.until, failures: self.failures, why, earlier })
    }

    /// Of whom nothing is known any more but this ban.
    pub(super) fn of(ban: &Ban) -> Self {
        let &Ban { since, until, failures, why, earlier, .. } = ban;
        Self { at: since, since, until, failures, why: Some(why), bans: earlier.saturating_add(1), ..Self::default() }
    }

    fn counted_at(self, now: Timestamp) -> Self {
        let past = now.since(self.at).as_secs_f64();
        let left = |half: Duration| (-past / half.as_secs_f64()).exp2();
        let faults = self.faults.map(|count| count * left(FAULTS_HALVE_IN));
        Self { at: now, faults, wanted: self.wanted * left(WANTED_HALVES_IN), ..self }
    }
}

/// How many that are, for people.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of faults: small, and not below 0"
)]
fn whole(count: f64) -> u32 {
    count.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { free: 10.0, slowest: Duration::from_secs(20) };
    const START: Timestamp = Timestamp::from_seconds(1_000_000);
    const QUARTER: Duration = Duration::from_mins(15);

    fn after(unknown: u32, relaying: u32, wanted: u32) -> Conduct {
        let mut conduct = Conduct::default();
        for (count, fault) in [(unknown, Fault::UnknownRecipient), (relaying, Fault::Relaying)] {
            conduct = (0..count).fold(conduct, |conduct, _| conduct.with_fault(START, fault));
        }
        (0..wanted).fold(conduct, |conduct, _| conduct.with_wanted(START))
    }

    #[test]
    fn what_follows_grows_with_the_faults_that_no_credit_makes_up_for() {
        let slow = |seconds| Measure::Slow(Duration::from_secs(seconds));
        let refused = Measure::NoRecipients(TERMS.slowest);
        for (unknown, relaying, wanted, minutes, expected) in [
            (0, 0, 0, 0, Measure::Free),
            (10, 0, 0, 0, Measure::Free),
            (11, 0, 0, 0, slow(2)),
            (15, 0, 0, 0, slow(10)),
            (20, 0, 0, 0, slow(20)),
            (21, 0, 0, 0, refused),
            (40, 0, 0, 0, refused),
            (41, 0, 0, 0, Measure::Ban),
            // Relaying counts twice.
            (0, 5, 0, 0, Measure::Free),
            (1, 5, 0, 0, slow(2)),
            (0, 21, 0, 0, Measure::Ban),
            // A few typos among wanted mail are nothing; a dictionary is, whoever tries it.
            (30, 0, 40, 0, Measure::Free),
            (31, 0, 40, 0, slow(2)),
            (300, 0, 40, 0, Measure::Ban),
            (510, 0, 100_000, 0, Measure::Free),
            (600, 0, 100_000, 0, Measure::Ban),
            // An hour halves them.
            (20, 0, 0, 60, Measure::Free),
            (41, 0, 0, 60, refused),
            (41, 0, 0, 600, Measure::Free),
        ] {
            let now = START.plus(Duration::from_mins(minutes));
            let measure = after(unknown, relaying, wanted).measure(now, &TERMS);
            assert_eq!(measure, expected, "{unknown} unknown, {relaying} relaying, {wanted} wanted, {minutes} minutes");
        }
        let never = Terms { slowest: Duration::ZERO, ..TERMS };
        assert_eq!(after(15, 0, 0).measure(START, &never), Measure::Slow(Duration::ZERO));
    }

    #[test]
    fn bans_double_up_to_a_day_and_are_forgotten() {
        let (mut conduct, mut now, mut minutes) = (Conduct::default(), START, Vec::new());
        let network = Network::parse("192.0.2.0/24").unwrap();
        for _ in 0..9 {
            conduct = (0..41).fold(conduct, |conduct, _| conduct.with_fault(now, Fault::Senseless));
            conduct = conduct.banned(now, QUARTER);
            let ban = conduct.ban(now, network).unwrap();
            assert_eq!((ban.failures, ban.why), (41, BanReason::Protocol));
            assert_eq!(conduct.banned(now, QUARTER), conduct, "one ban at a time");
            assert_eq!(conduct.measure(now, &TERMS), Measure::Ban);
            minutes.push(ban.until.since(now).as_secs() / 60);
            now = ban.until;
            assert_eq!((conduct.ban(now, network), conduct.measure(now, &TERMS)), (None, Measure::Free), "it ends");
        }
        assert_eq!(minutes, [15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
        let later = now.plus(BANS_FORGOTTEN_AFTER);
        let again = conduct.with_fault(later, Fault::Relaying).banned(later, QUARTER).ban(later, network).unwrap();
        assert_eq!((again.until.since(later), again.why), (QUARTER, BanReason::Relaying));
    }

    #[test]
    fn who_brings_wanted_mail_is_welcome() {
        assert!(!after(0, 0, 0).is_welcome(START) && !after(0, 0, 9).is_welcome(START));
        assert!(after(0, 0, 10).is_welcome(START) && after(5, 0, 10).is_welcome(START));
        assert!(!after(6, 0, 10).is_welcome(START), "and guesses nothing");
    }
}
