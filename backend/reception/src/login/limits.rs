//! How often one may fail: per name, per network, in total.
//!
//! A few failures are free. Each further one refuses all attempts of that name, network or everybody for a time that doubles, up to a
//! longest; refused attempts are not looked at and do not count. After a quiet while the failures are forgotten.
//!
//! Loopback, and a network from which a name logged in of late, are never refused for that name: neither our own webmail nor the admin
//! can be locked out by strangers. What fails from there counts for nobody else either.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use relais_model::Timestamp;

use super::bounded::Bounded;

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

/// What a name's failures are counted under.
type Name = [u8; 32];

/// The first bits of an address; IPv4 as such, also where it came mapped into IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Network {
    prefix: IpAddr,
    bits: u8,
}

impl Network {
    /// What one host has.
    fn of_host(peer: IpAddr) -> Self {
        Self::new(peer, 32, 64)
    }

    /// What one owner may have.
    fn of_site(peer: IpAddr) -> Self {
        Self::new(peer, 24, 48)
    }

    fn new(peer: IpAddr, bits4: u8, bits6: u8) -> Self {
        match peer.to_canonical() {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits4)).unwrap_or(0);
                Self { prefix: Ipv4Addr::from_bits(address.to_bits() & mask).into(), bits: bits4 }
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits6)).unwrap_or(0);
                Self { prefix: Ipv6Addr::from_bits(address.to_bits() & mask).into(), bits: bits6 }
            }
        }
    }
}

/// The failures of one name, of one network, or of all.
#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    forgotten_at: Timestamp,
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
        Self { count, forgotten_at: refused_until.plus(allowance.forgotten_after), refused_until }
    }
}

/// All counts.
#[derive(Debug)]
pub(super) struct Limits {
    names: Bounded<Name, Failures>,
    networks: Bounded<Network, Failures>,
    total: Failures,
    /// Until when a name's network is known.
    known: Bounded<(Name, Network), Timestamp>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            names: Bounded::new(MAX_NAMES),
            networks: Bounded::new(MAX_NETWORKS),
            total: Failures::default(),
            known: Bounded::new(MAX_KNOWN),
        }
    }
}

impl Limits {
    /// For how long an attempt of this name from this peer isn't looked at; none: it is.
    pub(super) fn refused_for(&self, now: Timestamp, name: &Name, peer: IpAddr) -> Option<Duration> {
        if self.is_known(now, name, peer) {
            return None;
        }
        let networks = [Network::of_host(peer), Network::of_site(peer)];
        let counts = networks.iter().filter_map(|network| self.networks.look(network));
        let counts = counts.chain(self.names.look(name)).chain([&self.total]);
        counts.filter_map(|failures| failures.refused_for(now)).max()
    }

    /// A wrong password.
    pub(super) fn note_failure(&mut self, now: Timestamp, name: &Name, peer: IpAddr) {
        if self.is_known(now, name, peer) {
            return;
        }
        let failures = self.names.look(name).copied().unwrap_or_default();
        self.names.insert(*name, failures.and_another(now, &NAME));
        for (network, allowance) in [(Network::of_host(peer), &HOST), (Network::of_site(peer), &SITE)] {
            let failures = self.networks.look(&network).copied().unwrap_or_default();
            self.networks.insert(network, failures.and_another(now, allowance));
        }
        self.total = self.total.and_another(now, &TOTAL);
    }

    /// A right one. The name starts anew; the network doesn't, for a guesser may have an account of his own.
    pub(super) fn note_success(&mut self, now: Timestamp, name: &Name, peer: IpAddr) {
        self.names.remove(name);
        self.known.insert((*name, Network::of_host(peer)), now.plus(KNOWN_FOR));
    }

    fn is_known(&self, now: Timestamp, name: &Name, peer: IpAddr) -> bool {
        let known = self.known.look(&(*name, Network::of_host(peer)));
        peer.to_canonical().is_loopback() || known.is_some_and(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
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
                self.limits.note_failure(self.now, name, peer);
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
            house.limits.note_failure(house.now, &[guesses; 32], "192.0.2.7".parse().unwrap());
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
                house.limits.note_failure(house.now, &[guesses; 32], peer);
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
            house.limits.note_failure(house.now, &name, peer);
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

    #[test]
    fn who_never_failed_is_not_refused() {
        assert!(!House::new().is_refused(&ANN, "2001:db8::1"));
    }
}
