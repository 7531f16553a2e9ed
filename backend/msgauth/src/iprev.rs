//! `iprev` (RFC 8601 §3): whether the name of the peer's address leads back to it.

use std::net::IpAddr;

use crate::resolver::{Family, Lack, Resolver};

/// Names of one address that are tried.
const MOST_NAMES: usize = 10;

/// How it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Iprev {
    /// The name leads back to the address.
    Pass {
        /// The name.
        name: String,
    },
    /// Its names lead elsewhere; the first of them.
    Fail {
        /// The name.
        name: String,
    },
    /// The address bears no name.
    NoName,
    /// The DNS owes an answer.
    TempError,
}

impl Iprev {
    /// RFC 8601 §2.7.3; an address without a name is a permerror.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "pass",
            Self::Fail { .. } => "fail",
            Self::NoName => "permerror",
            Self::TempError => "temperror",
        }
    }
}

/// Looks up the names of `address`, and their addresses.
pub async fn check(resolver: &dyn Resolver, address: IpAddr) -> Iprev {
    let address = address.to_canonical();
    let names = match resolver.ptr(address).await {
        Ok(names) => names,
        Err(Lack::NoSuchName | Lack::NoData) => return Iprev::NoName,
        Err(Lack::Silence) => return Iprev::TempError,
    };
    let mut is_whole = true;
    for name in names.iter().take(MOST_NAMES) {
        match resolver.addresses(name, Family::of(address)).await {
            Ok(found) if found.contains(&address) => return Iprev::Pass { name: name.clone() },
            Err(Lack::Silence) => is_whole = false,
            _ => {}
        }
    }
    match names.into_iter().next() {
        Some(name) if is_whole => Iprev::Fail { name },
        Some(_) => Iprev::TempError,
        None => Iprev::NoName,
    }
}

/// The name in the reverse tree (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles: Vec<String> = format!("{:032x}", v6.to_bits()).chars().rev().map(String::from).collect();
            format!("{}.ip6.arpa", nibbles.join("."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Zone, at_once};

    #[test]
    fn a_name_must_lead_back() {
        let mut zone = Zone::new();
        let name = |last: u8| reverse_name(IpAddr::from([192, 0, 2, last]));
        assert_eq!(name(7), "7.2.0.192.in-addr.arpa");
        zone.add_ptr(&name(7), "us.example");
        zone.add_address("us.example", IpAddr::from([192, 0, 2, 7]));
        zone.add_ptr(&name(8), "us.example");
        zone.silence(&name(9));
        let check = |last: u8| at_once(check(&zone, IpAddr::from([192, 0, 2, last])));
        assert_eq!(check(7), Iprev::Pass { name: "us.example".into() });
        assert_eq!(check(8), Iprev::Fail { name: "us.example".into() });
        assert_eq!(check(9), Iprev::TempError);
        assert_eq!(check(10), Iprev::NoName);
    }
}
