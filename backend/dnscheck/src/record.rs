//! DNS records, as far as mail needs them: their types, and what they say.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relais_model::Domain;
use serde::{Deserialize, Serialize};

/// The type of a record (RFC 1035 §3.2.2 and later ones).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the DNS's own words")]
pub enum Kind {
    A,
    Aaaa,
    Caa,
    Cname,
    Mx,
    Ns,
    Ptr,
    Srv,
    Tlsa,
    Txt,
}

impl Kind {
    /// As zone files write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Srv => "SRV",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that stands in a record: in lower case, without the last dot; `.` is the root. What strangers wrote there need be no host name,
/// so this is a text and no [`Domain`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Target(String);

impl Target {
    /// From its presentation form; dots and case are set right, nothing is refused.
    pub fn new(text: &str) -> Self {
        let bare = text.strip_suffix('.').unwrap_or(text);
        if bare.is_empty() { Self(".".to_owned()) } else { Self(bare.to_ascii_lowercase()) }
    }

    /// Without the last dot; `.` for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// RFC 7505 §3, RFC 2782: the root says "not here".
    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    /// As a host name that can be asked for; none where it is none.
    pub fn host(&self) -> Option<Domain> {
        Domain::parse(&self.0).ok().filter(|domain| !domain.is_literal())
    }
}

impl From<&Domain> for Target {
    fn from(domain: &Domain) -> Self {
        Self(domain.as_str().to_owned())
    }
}

impl PartialEq<Domain> for Target {
    fn eq(&self, other: &Domain) -> bool {
        self.0 == other.as_str()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a record says. As JSON: the type's name in lower case, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// An IPv4 address (RFC 1035 §3.4.1).
    A(Ipv4Addr),
    /// An IPv6 address (RFC 3596).
    Aaaa(Ipv6Addr),
    /// Which authority may issue certificates (RFC 8659).
    Caa {
        /// Who doesn't understand the tag must not issue.
        is_critical: bool,
        /// `issue`, `issuewild`, `iodef`, in lower case.
        tag: String,
        /// As it stands, without quotes.
        value: String,
    },
    /// The owner is another name of this one.
    Cname(Target),
    /// A host that takes the domain's mail (RFC 1035 §3.3.9).
    Mx {
        /// Lower is tried first.
        preference: u16,
        /// Its name; the root for "no mail here" (RFC 7505).
        exchange: Target,
    },
    /// A name server.
    Ns(Target),
    /// The name of an address.
    Ptr(Target),
    /// Where a service is found (RFC 2782).
    Srv {
        /// Lower is tried first.
        priority: u16,
        /// Shares the load among equals.
        weight: u16,
        /// TCP.
        port: u16,
        /// The host; the root for "not here".
        target: Target,
    },
    /// The certificate that a host shows (RFC 6698).
    Tlsa {
        /// 3: the host's own (DANE-EE); 2: an authority's.
        usage: u8,
        /// 1: the public key; 0: the whole certificate.
        selector: u8,
        /// 1: SHA-256; 2: SHA-512; 0: as it is.
        matching: u8,
        /// The hash, or the octets.
        digest: Vec<u8>,
    },
    /// A text, its strings joined without a space (RFC 7208 §3.3, RFC 6376 §3.6.2.2); octets that are no UTF-8 stand as U+FFFD.
    Txt(String),
}

impl Data {
    /// An address, in the type that its family has.
    pub const fn address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::A(v4),
            IpAddr::V6(v6) => Self::Aaaa(v6),
        }
    }

    /// Its type.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::A(_) => Kind::A,
            Self::Aaaa(_) => Kind::Aaaa,
            Self::Caa { .. } => Kind::Caa,
            Self::Cname(_) => Kind::Cname,
            Self::Mx { .. } => Kind::Mx,
            Self::Ns(_) => Kind::Ns,
            Self::Ptr(_) => Kind::Ptr,
            Self::Srv { .. } => Kind::Srv,
            Self::Tlsa { .. } => Kind::Tlsa,
            Self::Txt(_) => Kind::Txt,
        }
    }

    /// The address, where it is one.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::A(v4) => Some(IpAddr::V4(*v4)),
            Self::Aaaa(v6) => Some(IpAddr::V6(*v6)),
            _ => None,
        }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Txt(text) = self { Some(text) } else { None }
    }
}

/// As people read it: names without the last dot, texts whole and bare.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => write!(f, "{address}"),
            Self::Aaaa(address) => write!(f, "{address}"),
            Self::Caa { is_critical, tag, value } => {
                write!(f, "{} {tag} \"{value}\"", if *is_critical { 128 } else { 0 })
            }
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) => write!(f, "{name}"),
            Self::Mx { preference, exchange } => write!(f, "{preference} {exchange}"),
            Self::Srv { priority, weight, port, target } => write!(f, "{priority} {weight} {port} {target}"),
            Self::Tlsa { usage, selector, matching, digest } => {
                let digest = data_encoding::HEXLOWER.encode(digest);
                write!(f, "{usage} {selector} {matching} {digest}")
            }
            Self::Txt(text) => f.write_str(text),
        }
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Record {
    /// Whose it is.
    pub owner: Target,
    /// Seconds that others may keep it.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

/// `name` without `zone` behind it: empty for the zone itself, none where it stands elsewhere.
pub(crate) fn within<'a>(name: &'a Domain, zone: &Domain) -> Option<&'a str> {
    let above = name.as_str().strip_suffix(zone.as_str())?;
    if above.is_empty() { Some(above) } else { above.strip_suffix('.') }
}

/// The name without its first label; none above a top-level domain.
pub(crate) fn parent(name: &Domain) -> Option<Domain> {
    name.as_str().split_once('.').and_then(|(_, parent)| Domain::parse(parent).ok())
}

/// Whether `pattern` is `host`, or a wildcard of its parent: `*` stands for one label (RFC 8461 §4.1, RFC 9525 §6.3).
pub(crate) fn covers(pattern: &str, host: &Domain) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host.as_str().split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => pattern == host.as_str(),
    }
}

/// The name under which an address's PTR record stands (RFC 1035 §3.5, RFC 3596 §2.5).
///
/// # Errors
/// None in truth: the name is always well formed; the type says what [`Domain::parse`] says.
pub fn reverse_name(address: IpAddr) -> Result<Domain, relais_model::DomainError> {
    Domain::parse(&format!("{}.{}", reversed(address), if address.is_ipv4() { "in-addr.arpa" } else { "ip6.arpa" }))
}

/// The octets of an IPv4 address, or the nibbles of an IPv6 address, last first, with dots: what blocklists (RFC 5782 §2.1) and reverse zones ask by.
pub fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.octets().iter().rev().map(u8::to_string).collect::<Vec<_>>().join("."),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3596 §2.5's own example.
    #[test]
    fn addresses_are_reversed() {
        assert_eq!(reverse_name("192.0.2.7".parse().unwrap()).unwrap().as_str(), "7.2.0.192.in-addr.arpa");
        assert_eq!(
            reverse_name("4321:0:1:2:3:4:567:89ab".parse().unwrap()).unwrap().as_str(),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"
        );
    }

    #[test]
    fn targets_are_set_right_and_the_root_stays() {
        assert_eq!(Target::new("MX.Example.").as_str(), "mx.example");
        assert!(Target::new(".").is_root() && Target::new("").is_root());
        assert_eq!(Target::new(".").host(), None);
        assert_eq!(Target::new("a/b.example").host(), None);
    }
}
