//! How values of settings are written, read and judged.

use std::net::IpAddr;
use std::time::Duration;

use relais_model::{Address, Domain, Endpoint, Secret};

/// What a setting's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// `true` or `false`.
    Switch,
    /// A number of something.
    Number {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
        /// Of what.
        unit: Unit,
    },
    /// Octets; read with or without KiB, MiB, GiB.
    Size {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// Seconds; read with or without s, min, h, d.
    Span {
        /// The shortest.
        least: Duration,
        /// The longest.
        most: Duration,
    },
    /// One line of text, not empty.
    Words {
        /// So long at most.
        most_octets: usize,
    },
    /// An address, or nothing.
    Address,
    /// Networks (`10.0.0.0/8`) and addresses, parted by commas; or nothing.
    Networks,
    /// Names of domains, parted by commas; or nothing.
    Domains,
    /// An `https://` URL.
    Url {
        /// Or nothing.
        or_nothing: bool,
    },
    /// Where other programs listen: `unix:/PATH` or `HOST:PORT`, parted by commas; or nothing.
    Endpoints {
        /// So many at most.
        most: usize,
    },
    /// One line of text, or nothing.
    Line {
        /// So long at most.
        most_octets: usize,
    },
    /// One line that is never shown again, or nothing.
    Secret {
        /// So long at most.
        most_octets: usize,
    },
    /// One of these.
    Choice(&'static [&'static str]),
    /// Some of these, parted by commas; or none.
    Several(&'static [&'static str]),
}

impl SettingKind {
    /// Its name in forms and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Number { .. } => "number",
            Self::Size { .. } => "size",
            Self::Span { .. } => "span",
            Self::Words { .. } => "words",
            Self::Address => "address",
            Self::Networks => "networks",
            Self::Domains => "domains",
            Self::Url { .. } => "url",
            Self::Endpoints { .. } => "endpoints",
            Self::Line { .. } => "line",
            Self::Secret { .. } => "secret",
            Self::Choice(_) => "choice",
            Self::Several(_) => "several",
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// What is sent.
    Messages,
    /// People who are written to.
    Recipients,
    /// Letters of a password.
    Characters,
    /// What programs ask.
    Requests,
    /// Attempts to log in.
    LogIns,
    /// Connections to a door.
    Connections,
    /// What a network does wrong at a door.
    Faults,
}

impl Unit {
    /// Its name in the catalogue and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Recipients => "recipients",
            Self::Characters => "characters",
            Self::Requests => "requests",
            Self::LogIns => "log-ins",
            Self::Connections => "connections",
            Self::Faults => "faults",
        }
    }
}

/// Why a value doesn't do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// There is no such setting.
    #[error("there is no such setting")]
    Unknown,
    /// Neither `true` nor `false`.
    #[error("it is neither true nor false")]
    Switch,
    /// No number.
    #[error("it is no number")]
    Number,
    /// No span of time.
    #[error("it is no span of time")]
    Span,
    /// Less or more than may be.
    #[error("it is out of range")]
    Range,
    /// Nothing, where something must be.
    #[error("it is empty")]
    Empty,
    /// More than one line.
    #[error("it holds a character that does not print")]
    Words,
    /// Too long.
    #[error("it is too long")]
    Long,
    /// No address.
    #[error("it is no address")]
    Address,
    /// No network.
    #[error("it is no network")]
    Network,
    /// No domain name.
    #[error("it is no domain name")]
    Domain,
    /// No URL that begins with `https://`.
    #[error("it is no https URL")]
    Url,
    /// Not where a program may listen.
    #[error("it is neither unix:/PATH nor HOST:PORT")]
    Endpoint,
    /// None of the choices.
    #[error("it is none of the choices")]
    Choice,
}

/// Addresses with a common beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `ADDRESS/BITS`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(all), |bits| bits.trim().parse().ok())?;
        (bits <= all).then_some(Self { address, bits })
    }

    /// Whether `address` is in it.
    pub fn holds(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                let differs = one.to_bits() ^ other.to_bits();
                u32::from(self.bits) <= differs.leading_zeros()
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                let differs = one.to_bits() ^ other.to_bits();
                u32::from(self.bits) <= differs.leading_zeros()
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Some networks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// So many at most.
    const MOST: usize = 32;

    /// Those that are one address each.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let is_one = |network: &&Network| network.bits == if network.address.is_ipv4() { 32 } else { 128 };
        self.0.iter().filter(is_one).map(|network| network.address).collect()
    }

    /// Whether `address` is in one of them.
    pub fn hold(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }
}

/// Some domain names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Domains(Vec<Domain>);

impl Domains {
    /// So many at most.
    const MOST: usize = 100;

    /// In the order in which they were written.
    pub fn as_slice(&self) -> &[Domain] {
        &self.0
    }
}

/// A type of values.
pub(super) trait Typed: Sized {
    /// Reads a value; the kind says its range.
    fn read(kind: SettingKind, text: &str) -> Result<Self, ValueError>;
    /// As [`Typed::read`] reads it.
    fn write(&self) -> String;
}

impl Typed for bool {
    fn read(_kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        match text.trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ValueError::Switch),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Typed for u64 {
    fn read(kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        let (number, unit) = number_and_unit(text).ok_or(ValueError::Number)?;
        let factor = match (kind, unit) {
            (_, "") => 1,
            (SettingKind::Size { .. }, "KiB") => 1024,
            (SettingKind::Size { .. }, "MiB") => 1024 * 1024,
            (SettingKind::Size { .. }, "GiB") => 1024 * 1024 * 1024,
            _ => return Err(ValueError::Number),
        };
        let number = number.checked_mul(factor).ok_or(ValueError::Range)?;
        match kind {
            SettingKind::Number { least, most, .. } | SettingKind::Size { least, most }
                if !(least..=most).contains(&number) =>
            {
                Err(ValueError::Range)
            }
            _ => Ok(number),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Typed for Duration {
    fn read(kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        let (number, unit) = number_and_unit(text).ok_or(ValueError::Span)?;
        let factor = match unit {
            "" | "s" => 1,
            "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(ValueError::Span),
        };
        let span = Self::from_secs(number.checked_mul(factor).ok_or(ValueError::Range)?);
        match kind {
            SettingKind::Span { least, most } if !(least..=most).contains(&span) => Err(ValueError::Range),
            _ => Ok(span),
        }
    }

    fn write(&self) -> String {
        self.as_secs().to_string()
    }
}

impl Typed for String {
    fn read(kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        match kind {
            SettingKind::Choice(choices) if !choices.contains(&text) => Err(ValueError::Choice),
            SettingKind::Words { .. } if text.is_empty() => Err(ValueError::Empty),
            SettingKind::Words { .. } | SettingKind::Line { .. } if text.chars().any(char::is_control) => {
                Err(ValueError::Words)
            }
            SettingKind::Url { or_nothing: true } if text.is_empty() => Ok(String::new()),
            SettingKind::Url { .. } if !is_https(text) => Err(ValueError::Url),
            SettingKind::Words { most_octets } | SettingKind::Line { most_octets } if most_octets < text.len() => {
                Err(ValueError::Long)
            }
            _ => Ok(text.to_owned()),
        }
    }

    fn write(&self) -> String {
        self.clone()
    }
}

impl Typed for Secret {
    fn read(kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        match kind {
            SettingKind::Secret { most_octets } if most_octets < text.len() => Err(ValueError::Long),
            _ if text.chars().any(char::is_control) => Err(ValueError::Words),
            _ => Ok(Self::new(text)),
        }
    }

    fn write(&self) -> String {
        self.expose().to_owned()
    }
}

/// Octets of a URL, at most.
const URL_OCTETS: usize = 500;

/// RFC 3986 §2: a URL is ASCII.
fn is_https(text: &str) -> bool {
    let is_plain = text.bytes().all(|octet| octet.is_ascii_graphic());
    let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
    is_plain && text.len() <= URL_OCTETS && host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
}

impl Typed for Option<Address> {
    fn read(_kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        match text.trim() {
            "" => Ok(None),
            text => Address::parse(text).map(Some).map_err(|_| ValueError::Address),
        }
    }

    fn write(&self) -> String {
        self.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

impl Typed for Option<Endpoint> {
    fn read(_kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        match text.trim() {
            "" => Ok(None),
            text => Endpoint::parse(text).map(Some).map_err(|_| ValueError::Endpoint),
        }
    }

    fn write(&self) -> String {
        self.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

impl Typed for Vec<Endpoint> {
    fn read(kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        let parts = text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let found = parts.map(Endpoint::parse).collect::<Result<Self, _>>().map_err(|_| ValueError::Endpoint)?;
        match kind {
            SettingKind::Endpoints { most } if most < found.len() => Err(ValueError::Long),
            _ => Ok(found),
        }
    }

    fn write(&self) -> String {
        self.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl Typed for Vec<&'static str> {
    fn read(kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        let SettingKind::Several(choices) = kind else { return Err(ValueError::Choice) };
        let parts = text.split([',', ' ', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let named: Vec<&str> = parts.collect();
        let is_choice = |name: &&str| choices.iter().any(|choice| choice.eq_ignore_ascii_case(name));
        if !named.iter().all(is_choice) {
            return Err(ValueError::Choice);
        }
        // Each once, in the order of the choices.
        let is_named = |choice: &&&str| named.iter().any(|name| choice.eq_ignore_ascii_case(name));
        Ok(choices.iter().filter(is_named).copied().collect())
    }

    fn write(&self) -> String {
        self.join(", ")
    }
}

impl Typed for Networks {
    fn read(_kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        let parts = text.split([',', ' ', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let networks: Vec<Network> = parts.map(Network::parse).collect::<Option<_>>().ok_or(ValueError::Network)?;
        if Self::MOST < networks.len() { Err(ValueError::Long) } else { Ok(Self(networks)) }
    }

    fn write(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl Typed for Domains {
    fn read(_kind: SettingKind, text: &str) -> Result<Self, ValueError> {
        let parts = text.split([',', ' ', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let domains: Vec<Domain> =
            parts.map(Domain::parse).collect::<Result<_, _>>().map_err(|_| ValueError::Domain)?;
        if Self::MOST < domains.len() { Err(ValueError::Long) } else { Ok(Self(domains)) }
    }

    fn write(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// `25 MiB`: its number and its unit, which may be missing.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.bytes().position(|octet| !octet.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    if number.is_empty() {
        return None;
    }
    // More digits than a number has is out of every range.
    Some((number.parse().unwrap_or(u64::MAX), unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_the_choices_are_named_once_and_in_order() {
        let kind = SettingKind::Several(&["ONE", "TWO=2", "THREE"]);
        let check = |text: &str, expected: Result<&str, ValueError>| {
            let read = <Vec<&'static str> as Typed>::read(kind, text).map(|names| names.write());
            assert_eq!(read.as_deref().map_err(|error| *error), expected, "{text:?}");
        };
        check("", Ok(""));
        check("three, one,,ONE", Ok("ONE, THREE"));
        check("two=2", Ok("TWO=2"));
        check("one, four", Err(ValueError::Choice));
    }

    #[test]
    fn networks_hold_what_begins_alike() {
        let check = |network: &str, address: &str, expected: bool| {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.holds(address.parse().unwrap()), expected, "{network} {address}");
        };
        check("10.0.0.0/8", "10.255.1.2", true);
        check("10.0.0.0/8", "11.0.0.0", false);
        check("0.0.0.0/0", "203.0.113.1", true);
        check("0.0.0.0/0", "::1", false);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("fd00::/8", "fd12::1", true);
        check("::1", "::1", true);
        assert_eq!(Network::parse("10.0.0.0/33"), None);
        assert_eq!(Network::parse("ten"), None);
    }
}
