//! What is refused now, as a person sees it, and how it is lifted.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relais_model::{Address, Timestamp};
use relais_store::fold;

/// Octets of a name that is kept to be shown, at most.
const SHOWN_OCTETS: usize = 200;

/// Whom a ban is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Banned {
    /// One name, from wherever it isn't known; folded, shortened, perhaps nobody's.
    Name(String),
    /// One network, for whatever names.
    Network(Network),
    /// Everybody whom we don't know.
    Everybody,
}

/// A refusal that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Of whom.
    pub of: Banned,
    /// When this refusal began.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Failures that led to it.
    pub failures: u32,
}

/// What is to be lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BanTarget {
    /// Of this name.
    Name(String),
    /// Of this network, of those in it, and of those that it is in.
    Network(Network),
    /// The refusal of everybody whom we don't know.
    Everybody,
    /// All.
    All,
}

impl BanTarget {
    /// An IP address, a network (`192.0.2.0/24`), `everybody`, or else a name.
    pub fn parse(text: &str) -> Self {
        if text.eq_ignore_ascii_case("everybody") {
            return Self::Everybody;
        }
        Network::parse(text).map_or_else(|| Self::Name(shown(Address::parse(text).ok().as_ref(), text)), Self::Network)
    }
}

impl fmt::Display for Banned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Network(network) => network.fmt(f),
            Self::Everybody => f.write_str("everybody"),
        }
    }
}

/// The first bits of an address; IPv4 as such, also where it came mapped into IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    prefix: IpAddr,
    bits: u8,
}

impl Network {
    /// What one host has.
    pub(super) fn of_host(peer: IpAddr) -> Self {
        Self::new(peer, 32, 64)
    }

    /// What one owner may have.
    pub(super) fn of_site(peer: IpAddr) -> Self {
        Self::new(peer, 24, 48)
    }

    /// An IP address alone, or with the length of its prefix.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((address, bits)) = text.split_once('/') else {
            return text.parse().ok().map(|address| Self::new(address, 32, 128));
        };
        let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
        let longest = if address.is_ipv4() { 32 } else { 128 };
        (bits <= longest).then(|| Self::new(address, bits, bits))
    }

    fn new(peer: IpAddr, bits4: u8, bits6: u8) -> Self {
        match peer.to_canonical() {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits4.into())).unwrap_or(0);
                Self { prefix: Ipv4Addr::from_bits(address.to_bits() & mask).into(), bits: bits4.min(32) }
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits6.into())).unwrap_or(0);
                Self { prefix: Ipv6Addr::from_bits(address.to_bits() & mask).into(), bits: bits6 }
            }
        }
    }

    /// Whether one of the two is in the other.
    pub(super) fn overlaps(self, other: Self) -> bool {
        let bits = self.bits.min(other.bits);
        self.prefix.is_ipv4() == other.prefix.is_ipv4()
            && Self::new(self.prefix, bits, bits).prefix == Self::new(other.prefix, bits, bits).prefix
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            IpAddr::V4(address) if self.bits == 32 => write!(f, "{address}"),
            prefix => write!(f, "{prefix}/{}", self.bits),
        }
    }
}

/// A name as it is shown, and as another is told to be the same: folded where it is an address; shortened.
pub(super) fn shown(address: Option<&Address>, name: &str) -> String {
    let folded = address.map_or_else(|| name.to_lowercase(), fold);
    let mut shown: String =
        folded.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    shown.truncate(shown.floor_char_boundary(SHOWN_OCTETS));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_what_people_type() {
        let network = |text: &str| BanTarget::Network(Network::parse(text).unwrap());
        assert_eq!(BanTarget::parse("192.0.2.1"), network("192.0.2.1/32"));
        assert_eq!(BanTarget::parse("2001:db8::/48"), network("2001:db8::1/48"));
        assert_eq!(BanTarget::parse("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_eq!(BanTarget::parse("Everybody"), BanTarget::Everybody);
        assert_eq!(BanTarget::parse("Ann@Example.org"), BanTarget::Name("ann@example.org".to_owned()));
        assert_eq!(BanTarget::parse("192.0.2.1/33"), BanTarget::Name("192.0.2.1/33".to_owned()));
    }

    #[test]
    fn networks_overlap_where_one_is_in_the_other() {
        for (one, other, expected) in [
            ("192.0.2.1", "192.0.2.0/24", true),
            ("192.0.2.0/24", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0/0", "192.0.2.2", true),
            ("::/0", "192.0.2.2", false),
            ("2001:db8::7", "2001:db8::/64", true),
        ] {
            let parse = |text| Network::parse(text).unwrap();
            assert_eq!(parse(one).overlaps(parse(other)), expected, "{one} {other}");
        }
        let shown: Vec<String> =
            ["192.0.2.1", "192.0.2.9/24", "2001:db8::1"].map(|text| Network::parse(text).unwrap().to_string()).into();
        assert_eq!(shown, ["192.0.2.1", "192.0.2.0/24", "2001:db8::1/128"]);
    }
}
