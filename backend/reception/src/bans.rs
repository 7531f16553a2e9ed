//! What is refused now, as a person sees it, how it is lifted, and how it outlives a restart.

mod keeper;

use std::fmt;

use relais_model::{Address, Timestamp};
use relais_store::fold;

use crate::network::Network;

pub use keeper::BanKeeper;

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
    /// Of which kind most of them are.
    pub why: BanReason,
    /// Bans of theirs that came before, which made this one longer; of log-ins the failures do that.
    pub earlier: u32,
}

/// Why somebody is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BanReason {
    /// Log-ins failed.
    LogIns,
    /// At port 25: recipients whom nobody here is.
    UnknownRecipients,
    /// At port 25: recipients elsewhere.
    Relaying,
    /// At port 25: commands that are none, or out of order.
    Protocol,
}

impl BanReason {
    /// As the API names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogIns => "log-ins",
            Self::UnknownRecipients => "unknown-recipients",
            Self::Relaying => "relaying",
            Self::Protocol => "protocol",
        }
    }

    /// By its name.
    fn parse(word: &str) -> Option<Self> {
        let all = [Self::LogIns, Self::UnknownRecipients, Self::Relaying, Self::Protocol];
        all.into_iter().find(|why| why.as_str() == word)
    }
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

/// A name as it is shown, and as another is told to be the same: folded where it is an address; shortened.
pub(crate) fn shown(address: Option<&Address>, name: &str) -> String {
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
}
