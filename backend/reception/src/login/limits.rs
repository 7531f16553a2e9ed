//! How often one may fail: per name, per network, in total.
//!
//! A few failures are free. Each further one refuses all attempts of that name, network or everybody for a time that doubles, up to a
//! longest; refused attempts are not looked at and do not count. After a quiet while the failures are forgotten.
//!
//! Loopback, and a network from which a name logged in of late, are never refused for that name: neither our own webmail nor the admin
//! can be locked out by strangers. What fails from there counts for nobody else either.
//!
//! A network from which an owner signed in of late is never refused at all, and what fails there is counted apart: whoever guesses there
//! is refused that name there, and nobody elsewhere notices.

use std::net::IpAddr;
use std::time::Duration;

use relais_model::Timestamp;

use crate::bans::{Ban, BanReason, BanTarget, Banned};
use crate::bounded::Bounded;
use crate::network::Network;

/// How often, and how long then.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    /// Failures before the first refusal.
    free: u32,
    /// The first refusal.
    first: Duration,
    /// No refusal is longer.
    longest: Duration,
    /// After so long without a failure, or without a refusal, all is forgotten.
    forgotten_after: Duration,
}

const HOUR: Duration = Duration::from_hours(1);

/// One name, from wherever.
const NAME: Allowance =
    Allowance { free: 10, first: Duration::from_secs(30), longest: HOUR, forgotten_after: Duration::from_hours(2) };
/// One address, or what an IPv6 host is given: /32, /64.
const HOST: Allowance = Allowance {
    free: 15,
    first: Duration::from_mins(1),
    longest: Duration::from_hours(24),
    forgotten_after: Duration::from_hours(6),
};
/// What one owner may hold: /24, /48.
const SITE: Allowance = Allowance {
    free: 60,
    first: Duration::from_mins(1),
    longest: Duration::from_hours(6),
    forgotten_after: Duration::from_hours(6),
};
/// Everybody whom we don't know: it only slows down those who guess from everywhere, for it refuses strangers who are right, too.
const TOTAL: Allowance = Allowance {
    free: 500,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(30),
    forgotten_after: Duration::from_mins(5),
};

/// How long a network is known after a log-in from it.
const KNOWN_FOR: Duration = Duration::from_hours(24 * 30);

const MAX_NAMES: usize = 20_000;
const MAX_NETWORKS: usize = 40_000;
const MAX_KNOWN: usize = 40_000;
const MAX_OWNERS: usize = 1_000;
/// Bans that are listed, those that last longest.
const MAX_LISTED: usize = 1_000;

/// What a name's failures are counted under.
type Name = [u8; 32];

/// The failures of one name, of one network, or of all.
#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    forgotten_at: Timestamp,
    refused_since: Timestamp,
    refused_until: Timestamp,
}

impl Failures {
    fn refused_for(&self, now: Timestamp) -> Option<Duration> {
        (now < self.refused_until).then(|| self.refused_until.since(now))
    }

    /// With one more.
    fn and_another(self, now: Timestamp, allowance: &Allowance) -> Self {
        let count = if now < self.forgotten_at { self.count.saturating_add(1) } else { 1 };
        let refusal = match count.checked_sub(allowance.free + 1) {
            None => Duration::ZERO,
            Some(doublings) => {
                let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
                allowance.first.saturating_mul(factor).min(allowance.longest)
            }
        };
        let refused_until = now.plus(refusal);
        let forgotten_at = refused_until.plus(allowance.forgotten_after);
        Self { count, forgotten_at, refused_since: now, refused_until }
    }

    fn ban(&self, now: Timestamp, of: impl FnOnce() -> Banned) -> Option<Ban> {
        let is_now = now < self.refused_until;
        is_now.then(|| Ban {
            of: of(),
            since: self.refused_since,
            until: self.refused_until,
            failures: self.count,
            why: BanReason::LogIns,
            earlier: 0,
        })
    }

    fn of(ban: &Ban, allowance: &Allowance) -> Self {
        let forgotten_at = ban.until.plus(allowance.forgotten_after);
        Self { count: ban.failures, forgotten_at, refused_since: ban.since, refused_until: ban.until }
    }
}

/// All counts.
#[derive(Debug)]
pub(super) struct Limits {
    /// With the name as it is shown.
    names: Bounded<Name, (Failures, Box<str>)>,
    networks: Bounded<Network, Failures>,
    total: Failures,
    /// Until when a name's network is known.
    known: Bounded<(Name, Network), Timestamp>,
    /// Until when a network is an owner's.
    owners: Bounded<Network, Timestamp>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            names: Bounded::new(MAX_NAMES),
            networks: Bounded::new(MAX_NETWORKS),
            total: Failures::default(),
            known: Bounded::new(MAX_KNOWN),
            owners: Bounded::new(MAX_OWNERS),
        }
    }
}

impl Limits {
    /// For how long an attempt of this name from this peer isn't looked at; none: it is.
    pub(super) fn refused_for(&self, now: Timestamp, name: &Name, peer: IpAddr) -> Option<Duration> {
        if self.is_known(now, name, peer) {
            return None;
        }
        if self.is_owners(now, peer) {
            return self.refused_name_for(now, &apart(name, peer));
        }
        let networks = [Network::of_host(peer), Network::of_site(peer)];
        let counts = networks.iter().filter_map(|network| self.networks.look(network)).chain([&self.total]);
        counts.filter_map(|failures| failures.refused_for(now)).chain(self.refused_name_for(now, name)).max()
    }

    fn refused_name_for(&self, now: Timestamp, name: &Name) -> Option<Duration> {
        self.names.look(name).and_then(|(failures, _)| failures.refused_for(now))
    }

    /// A wrong password; `shown` is the name for people.
    pub(super) fn note_failure(&mut self, now: Timestamp, name: &Name, shown: &str, peer: IpAddr) {
        if self.is_known(now, name, peer) {
            return;
        }
        if self.is_owners(now, peer) {
            return self.note_failure_of_name(now, apart(name, peer), shown);
        }
        self.note_failure_of_name(now, *name, shown);
        for (network, allowance) in [(Network::of_host(peer), &HOST), (Network::of_site(peer), &SITE)] {
            let failures = self.networks.look(&network).copied().unwrap_or_default();
            self.networks.insert(network, failures.and_another(now, allowance));
        }
        self.total = self.total.and_another(now, &TOTAL);
    }

    fn note_failure_of_name(&mut self, now: Timestamp, name: Name, shown: &str) {
        let failures = self.names.look(&name).map(|(failures, _)| *failures).unwrap_or_default();
        self.names.insert(name, (failures.and_another(now, &NAME), shown.into()));
    }

    /// A right one. The name starts anew; the network doesn't, for a guesser may have an account of his own.
    pub(super) fn note_success(&mut self, now: Timestamp, name: &Name, peer: IpAddr) {
        self.names.remove(name);
        self.known.insert((*name, Network::of_host(peer)), now.plus(KNOWN_FOR));
    }

    /// An owner signed in from there, `at` this time.
    pub(super) fn note_owner(&mut self, at: Timestamp, peer: IpAddr) {
        let (network, until) = (Network::of_host(peer), at.plus(KNOWN_FOR));
        if self.owners.look(&network).is_none_or(|known| *known < until) {
            self.owners.insert(network, until);
        }
    }

    /// What is refused now: what lasts longest first, so many at most.
    pub(super) fn bans(&self, now: Timestamp) -> Vec<Ban> {
        self.listed(now, self.names.iter())
    }

    /// As [`Limits::bans`], without those of names that hold in one network only, or whose name is longer than what is shown of it: they can't be told from others
    /// once they are written down.
    pub(super) fn lasting_bans(&self, now: Timestamp) -> Vec<Ban> {
        self.listed(now, self.names.iter().filter(|(counted_as, (_, shown))| name(shown) == **counted_as))
    }

    /// A ban that held before the house was closed.
    pub(super) fn ban_again(&mut self, ban: &Ban) {
        match &ban.of {
            Banned::Name(shown) => self.names.insert(name(shown), (Failures::of(ban, &NAME), shown.as_str().into())),
            Banned::Network(network) => self.networks.insert(*network, Failures::of(ban, &HOST)),
            Banned::Everybody => {}
        }
    }

    fn listed<'f>(
        &'f self,
        now: Timestamp,
        names: impl Iterator<Item = (&'f Name, &'f (Failures, Box<str>))>,
    ) -> Vec<Ban> {
        let names = names.filter_map(|(_, (failures, shown))| failures.ban(now, || Banned::Name(shown.to_string())));
        let networks = self.networks.iter();
        let networks = networks.filter(|(network, _)| !self.is_owners_network(now, **network));
        let networks = networks.filter_map(|(network, failures)| failures.ban(now, || Banned::Network(*network)));
        let mut bans: Vec<Ban> =
            self.total.ban(now, || Banned::Everybody).into_iter().chain(names).chain(networks).collect();
        bans.sort_by_key(|ban| std::cmp::Reverse(ban.until));
        bans.truncate(MAX_LISTED);
        bans
    }

    /// Lifts what `target` names, and forgets the failures that led to it; how many bans that were.
    pub(super) fn lift(&mut self, now: Timestamp, target: &BanTarget) -> usize {
        let mut lifted = 0;
        self.names.retain(|_, (failures, shown)| {
            let is_meant = match target {
                BanTarget::Name(name) => **name == **shown,
                BanTarget::All => true,
                BanTarget::Network(_) | BanTarget::Everybody => false,
            };
            lifted += usize::from(is_meant && failures.refused_for(now).is_some());
            !is_meant
        });
        self.networks.retain(|network, failures| {
            let is_meant = match target {
                BanTarget::Network(other) => network.overlaps(*other),
                BanTarget::All => true,
                BanTarget::Name(_) | BanTarget::Everybody => false,
            };
            lifted += usize::from(is_meant && failures.refused_for(now).is_some());
            !is_meant
        });
        if matches!(target, BanTarget::Everybody | BanTarget::All) {
            lifted += usize::from(self.total.refused_for(now).is_some());
            self.total = Failures::default();
        }
        lifted
    }

    fn is_owners(&self, now: Timestamp, peer: IpAddr) -> bool {
        self.is_owners_network(now, Network::of_host(peer))
    }

    fn is_owners_network(&self, now: Timestamp, network: Network) -> bool {
        self.owners.look(&network).is_some_and(|until| now < *until)
    }

    fn is_known(&self, now: Timestamp, name: &Name, peer: IpAddr) -> bool {
        let known = self.known.look(&(*name, Network::of_host(peer)));
        peer.to_canonical().is_loopback() || known.is_some_and(|until| now < *until)
    }
}

/// What the failures of a name are counted under, which is folded.
pub(super) fn name(folded: &str) -> Name {
    *blake3::hash(folded.as_bytes()).as_bytes()
}

/// What a name's failures in an owner's network are counted under.
fn apart(name: &Name, peer: IpAddr) -> Name {
    let network = Network::of_host(peer).to_string();
    *blake3::Hasher::new_keyed(name).update(network.as_bytes()).finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ANN: Name = [1; 32];
    const BOB: Name = [2; 32];

    struct House {
        limits: Limits,
        now: Timestamp,
    }

    impl House {
        fn new() -> Self {
            Self { limits: Limits::default(), now: Timestamp::from_seconds(1_000_000) }
        }

        /// Fails until refused; tells how often that was and for how long it is refused.
        fn fail(&mut self, name: &Name, peer: &str) -> (u32, Duration) {
            let peer = peer.parse().unwrap();
            for tries in 0..1000 {
                if let Some(refusal) = self.limits.refused_for(self.now, name, peer) {
                    return (tries, refusal);
                }
                self.limits.note_failure(self.now, name, "ann@example.org", peer);
            }
            (1000, Duration::ZERO)
        }

        fn is_refused(&self, name: &Name, peer: &str) -> bool {
            self.limits.refused_for(self.now, name, peer.parse().unwrap()).is_some()
        }

        fn wait(&mut self, duration: Duration) {
            self.now = self.now.plus(duration);
        }
    }

    #[test]
    fn refusals_of_a_name_double_and_expire() {
        let mut house = House::new();
        assert_eq!(house.fail(&ANN, "192.0.2.1"), (11, Duration::from_secs(30)));
        assert!(house.is_refused(&ANN, "203.0.113.9"), "from wherever");
        assert!(!house.is_refused(&BOB, "192.0.2.1"), "others there are not refused");
        house.wait(Duration::from_secs(30));
        assert_eq!(house.fail(&ANN, "203.0.113.9"), (1, Duration::from_mins(1)));
        for _ in 0..20 {
            house.wait(HOUR);
            house.fail(&ANN, "203.0.113.9");
        }
        assert_eq!(house.fail(&ANN, "203.0.113.9"), (0, HOUR), "no longer than the longest");
        house.wait(Duration::from_hours(4));
        assert_eq!(house.fail(&ANN, "198.51.100.1").0, 11, "forgotten after a quiet while");
    }

    #[test]
    fn a_network_is_refused_for_all_names() {
        let mut house = House::new();
        let mut guesses = 0_u8;
        while !house.is_refused(&BOB, "192.0.2.7") {
            guesses += 1;
            house.limits.note_failure(house.now, &[guesses; 32], "x", "192.0.2.7".parse().unwrap());
        }
        assert_eq!(guesses, 16);
        assert!(house.is_refused(&BOB, "::ffff:192.0.2.7"), "IPv4 in IPv6 is the same host");
        assert!(!house.is_refused(&BOB, "192.0.2.8"));
    }

    #[test]
    fn a_guesser_who_changes_addresses_within_a_site_is_refused() {
        for template in ["192.0.2.{}", "2001:db8:1:{}::1"] {
            let mut house = House::new();
            let mut guesses = 0_u8;
            while !house.is_refused(&BOB, &template.replace("{}", "250")) {
                guesses += 1;
                let peer = template.replace("{}", &guesses.to_string()).parse().unwrap();
                house.limits.note_failure(house.now, &[guesses; 32], "x", peer);
            }
            assert_eq!(guesses, 61, "{template}");
        }
    }

    #[test]
    fn all_strangers_wait_when_all_guess() {
        let mut house = House::new();
        for guess in 0..501_u32 {
            let mut name = [9; 32];
            name[..4].copy_from_slice(&guess.to_le_bytes());
            let peer = Ipv4Addr::from_bits(0x0A00_0000 + (guess << 8)).into();
            house.limits.note_failure(house.now, &name, "x", peer);
        }
        assert!(house.is_refused(&ANN, "198.51.100.1"));
        house.wait(Duration::from_secs(1));
        assert!(!house.is_refused(&ANN, "198.51.100.1"));
    }

    #[test]
    fn loopback_and_known_networks_are_never_refused() {
        let mut house = House::new();
        house.limits.note_success(house.now, &ANN, "192.0.2.1".parse().unwrap());
        house.fail(&ANN, "203.0.113.9");
        assert!(house.is_refused(&ANN, "203.0.113.9"));
        assert!(!house.is_refused(&ANN, "192.0.2.1"));
        assert!(!house.is_refused(&ANN, "127.0.0.1"));
        assert!(!house.is_refused(&ANN, "::1"));
        assert_eq!(house.fail(&ANN, "192.0.2.1").0, 1000);
        assert!(!house.is_refused(&BOB, "192.0.2.1"), "what fails there counts for nobody");
        house.wait(KNOWN_FOR);
        assert_eq!(house.fail(&ANN, "192.0.2.1").0, 11, "until it is long ago");
    }

    /// threats.md: the admin's own network cannot be locked out, and it is no hiding place for guessers.
    #[test]
    fn an_owners_network_is_never_refused() {
        let mut house = House::new();
        house.limits.note_owner(house.now, "192.0.2.1".parse().unwrap());
        house.fail(&ANN, "203.0.113.9");
        assert!(!house.is_refused(&ANN, "192.0.2.1"), "what strangers fail elsewhere doesn't count there");
        for guess in 10..200 {
            house.fail(&[guess; 32], "192.0.2.1");
        }
        assert!(!house.is_refused(&ANN, "192.0.2.1") && !house.is_refused(&BOB, "192.0.2.2"));
        assert_eq!(house.fail(&BOB, "192.0.2.1").0, 11, "a guesser there is refused this name there");
        assert!(!house.is_refused(&BOB, "192.0.2.2"), "and nobody elsewhere");
        house.wait(KNOWN_FOR);
        for guess in 0..16 {
            house.limits.note_failure(house.now, &[guess; 32], "x", "192.0.2.1".parse().unwrap());
        }
        assert!(house.is_refused(&ANN, "192.0.2.1"), "until it is long ago");
    }

    #[test]
    fn bans_are_listed_and_lifted() {
        let mut house = House::new();
        assert_eq!(house.limits.bans(house.now), []);
        house.fail(&ANN, "192.0.2.1");
        let of_ann = Ban {
            of: Banned::Name("ann@example.org".to_owned()),
            since: house.now,
            until: house.now.plus(Duration::from_secs(30)),
            failures: 11,
            why: BanReason::LogIns,
            earlier: 0,
        };
        assert_eq!(house.limits.bans(house.now), [of_ann]);
        for guess in 10..15 {
            house.limits.note_failure(house.now, &[guess; 32], "x", "192.0.2.1".parse().unwrap());
        }
        let of: Vec<String> = house.limits.bans(house.now).iter().map(|ban| ban.of.to_string()).collect();
        assert_eq!(of, ["192.0.2.1", "ann@example.org"]);
        let mut lift = |text: &str| house.limits.lift(house.now, &BanTarget::parse(text));
        assert_eq!(lift("bob@example.org"), 0);
        assert_eq!(lift("198.51.100.0/24"), 0);
        assert_eq!(lift("everybody"), 0);
        assert_eq!(lift("ANN@example.org"), 1);
        assert_eq!(lift("192.0.2.0/24"), 1);
        assert_eq!(house.limits.bans(house.now), []);
        assert_eq!(house.fail(&ANN, "192.0.2.1").0, 11, "all is forgotten");
        assert_eq!(house.limits.lift(house.now, &BanTarget::All), 1);
        house.fail(&ANN, "192.0.2.1");
        house.wait(Duration::from_secs(30));
        assert_eq!(house.limits.bans(house.now), [], "what has ended is no ban");
    }

    #[test]
    fn who_never_failed_is_not_refused() {
        assert!(!House::new().is_refused(&ANN, "2001:db8::1"));
    }
}
