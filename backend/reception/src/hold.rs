//! Whether an account behaves as never before, so that its mail to other hosts is held until somebody has looked: facts in, reason out.
//!
//! The bars are the house's; what is usual with an account, or was released once, raises its own. Nobody is refused: held mail waits.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relais_store::{HoldFacts, HoldReason, Settings};

/// More than so many times what is usual with an account is a burst.
const TIMES_USUAL: u64 = 3;
/// Refusals count where they are this part of what was sent: whoever writes to a thousand people has some old addresses.
const UNKNOWN_PERCENT: u64 = 20;
/// Complaints count where they are this part of what was sent: above three in a thousand the large providers take mail badly.
const COMPLAINTS_PER_MILLE: u64 = 3;

/// What was seen of an account, a message that comes in now among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Behaviour {
    /// Messages within ten to twenty minutes.
    pub messages: u64,
    /// Recipients in that time to whom it had never written.
    pub new_recipients: u64,
    /// The same, within an hour.
    pub new_recipients_of_hour: u64,
    /// Recipients within a day.
    pub recipients_of_day: u64,
    /// Messages within ten to twenty minutes that are usual with it.
    pub usual_messages: u64,
    /// Recipients in that time to whom it had never written that are usual with it.
    pub usual_new_recipients: u64,
    /// It sends from where it never logged in from.
    pub is_from_strange_network: bool,
    /// Recipients of a day that were refused as nobody.
    pub unknown_recipients: u64,
    /// Messages that were complained of in a day.
    pub complaints: u64,
}

/// The house's bars; 0: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bars {
    /// Of messages within ten to twenty minutes.
    pub messages: u64,
    /// Of recipients in that time never written to before.
    pub new_recipients: u64,
    /// Of such recipients within an hour, from a network that the account never logged in from.
    pub strange_network: u64,
    /// Of recipients of a day that were refused as nobody.
    pub unknown_recipients: u64,
    /// Of complaints of a day.
    pub complaints: u64,
}

impl Bars {
    /// As the house has set them; none where nothing is held.
    pub fn of(settings: &Settings) -> Option<Self> {
        settings.holds.then_some(Self {
            messages: settings.hold_messages,
            new_recipients: settings.hold_new_recipients,
            strange_network: settings.hold_strange_network,
            unknown_recipients: settings.hold_unknown,
            complaints: settings.hold_complaints,
        })
    }
}

/// Why an account's mail is to be held; none: it goes.
pub fn judge(seen: &Behaviour, bars: &Bars) -> Option<HoldReason> {
    let is_over = |count: u64, bar: u64| bar > 0 && bar <= count;
    let is_unusual = |count: u64, usual: u64| usual.saturating_mul(TIMES_USUAL) < count;
    let is_part =
        |count: u64, share: u64, of: u64| seen.recipients_of_day.saturating_mul(share) <= count.saturating_mul(of);
    if seen.is_from_strange_network && is_over(seen.new_recipients_of_hour, bars.strange_network) {
        return Some(HoldReason::Network);
    }
    if is_over(seen.new_recipients, bars.new_recipients) && is_unusual(seen.new_recipients, seen.usual_new_recipients) {
        return Some(HoldReason::NewRecipients);
    }
    if is_over(seen.messages, bars.messages) && is_unusual(seen.messages, seen.usual_messages) {
        return Some(HoldReason::Messages);
    }
    if is_over(seen.unknown_recipients, bars.unknown_recipients)
        && is_part(seen.unknown_recipients, UNKNOWN_PERCENT, 100)
    {
        return Some(HoldReason::Unknown);
    }
    if is_over(seen.complaints, bars.complaints) && is_part(seen.complaints, COMPLAINTS_PER_MILLE, 1000) {
        return Some(HoldReason::Complaints);
    }
    None
}

/// What of a behaviour is kept with the hold that it causes.
pub fn facts(seen: &Behaviour, reason: HoldReason) -> HoldFacts {
    let of_hour = reason == HoldReason::Network;
    HoldFacts {
        messages: seen.messages,
        new_recipients: if of_hour { seen.new_recipients_of_hour } else { seen.new_recipients },
        unknown_recipients: seen.unknown_recipients,
        complaints: seen.complaints,
    }
}

/// The network that an address is in, as wide as one provider's people wander: /16, /32.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 16)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 96)).into(),
    }
}

/// The part of a host's name that tells whose it is: its last two labels, or three where the second last is short (`co.uk`).
pub(crate) fn owner_of(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = name.split('.').filter(|label| !label.is_empty()).collect();
    let second = labels.len().checked_sub(2).and_then(|place| labels.get(place))?;
    let kept = if second.len() <= 3 { 3 } else { 2 };
    let from = labels.len().checked_sub(kept)?;
    Some(labels.get(from..)?.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARS: Bars =
        Bars { messages: 200, new_recipients: 100, strange_network: 20, unknown_recipients: 30, complaints: 5 };

    #[test]
    fn who_behaves_as_never_before_is_held() {
        let check = |seen: Behaviour, expected: Option<HoldReason>| {
            assert_eq!(judge(&seen, &BARS), expected, "{seen:?}");
        };
        let calm = Behaviour::default();
        check(calm, None);
        check(Behaviour { new_recipients: 99, ..calm }, None);
        check(Behaviour { new_recipients: 100, ..calm }, Some(HoldReason::NewRecipients));
        check(Behaviour { new_recipients: 100, usual_new_recipients: 33, ..calm }, Some(HoldReason::NewRecipients));
        check(Behaviour { new_recipients: 100, usual_new_recipients: 34, ..calm }, None);
        check(Behaviour { messages: 199, ..calm }, None);
        check(Behaviour { messages: 200, ..calm }, Some(HoldReason::Messages));
        check(Behaviour { messages: 2000, usual_messages: 700, ..calm }, None);
        let strange = Behaviour { is_from_strange_network: true, ..calm };
        check(Behaviour { new_recipients_of_hour: 19, ..strange }, None);
        check(Behaviour { new_recipients_of_hour: 20, ..strange }, Some(HoldReason::Network));
        check(Behaviour { new_recipients_of_hour: 20, usual_new_recipients: 90, ..strange }, Some(HoldReason::Network));
        check(Behaviour { new_recipients_of_hour: 20, ..calm }, None);
        check(Behaviour { unknown_recipients: 29, recipients_of_day: 29, ..calm }, None);
        check(Behaviour { unknown_recipients: 30, recipients_of_day: 150, ..calm }, Some(HoldReason::Unknown));
        check(Behaviour { unknown_recipients: 30, recipients_of_day: 151, ..calm }, None);
        check(Behaviour { complaints: 4, recipients_of_day: 10, ..calm }, None);
        check(Behaviour { complaints: 5, recipients_of_day: 1666, ..calm }, Some(HoldReason::Complaints));
        check(Behaviour { complaints: 5, recipients_of_day: 1667, ..calm }, None);
    }

    #[test]
    fn a_bar_of_nothing_is_none() {
        let none = Bars { messages: 0, new_recipients: 0, strange_network: 0, unknown_recipients: 0, complaints: 0 };
        let wild = Behaviour {
            messages: 9999,
            new_recipients: 9999,
            new_recipients_of_hour: 9999,
            is_from_strange_network: true,
            unknown_recipients: 9999,
            complaints: 9999,
            ..Behaviour::default()
        };
        assert_eq!(judge(&wild, &none), None);
        assert_eq!(Bars::of(&Settings { holds: false, ..Settings::default() }), None);
    }

    #[test]
    fn networks_and_their_owners() {
        let check = |address: &str, expected: &str| {
            assert_eq!(network_of(address.parse().unwrap()).to_string(), expected);
        };
        check("198.51.100.7", "198.51.0.0");
        check("::ffff:198.51.100.7", "198.51.0.0");
        check("2001:db8:1:2::3", "2001:db8::");
        assert_ne!(network_of("2001:db9::".parse().unwrap()), network_of("2001:db8::".parse().unwrap()));
        assert_eq!(owner_of("host-7.fra.provider.example.").as_deref(), Some("provider.example"));
        assert_eq!(owner_of("a.b.Provider.co.uk").as_deref(), Some("provider.co.uk"));
        assert_eq!(owner_of("co.uk"), None);
        assert_eq!(owner_of("localhost"), None);
    }
}
