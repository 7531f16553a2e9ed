//! Parts of the internet, as limits count them: one host, hosts that take turns, one owner's.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The first bits of an address; IPv4 as such, also where it came mapped into IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    prefix: IpAddr,
    bits: u8,
}

impl Network {
    /// What one host has: an IPv4 address, or the /64 in which an IPv6 host takes as many addresses as it likes (RFC 4291 §2.5.1).
    pub fn of_host(peer: IpAddr) -> Self {
        Self::new(peer, 32, 64)
    }

    /// Hosts that take turns: a large sender's, mostly (RFC 6647 §4.2).
    pub fn of_neighbours(peer: IpAddr) -> Self {
        Self::new(peer, 24, 64)
    }

    /// What one owner may have.
    pub(crate) fn of_site(peer: IpAddr) -> Self {
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

    /// Its first address.
    pub(crate) const fn first(self) -> IpAddr {
        self.prefix
    }

    /// Whether one of the two is in the other.
    pub(crate) fn overlaps(self, other: Self) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
