//! DNS blocklists of addresses and of domains (RFC 5782), those that the owner has chosen.

use std::net::IpAddr;

use futures_util::future::join_all;
use relais_model::Domain;
use relais_msgauth::{Family, Resolver};

/// Domains of one message that lists are asked about, at most.
const MAX_DOMAINS: usize = 10;

/// A list names somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Which list.
    pub(crate) list: Domain,
    /// Whom.
    pub(crate) named: String,
}

/// Which lists name the peer, or a domain of the message. A list that doesn't answer names nobody.
pub(crate) async fn listings(
    resolver: &dyn Resolver,
    (of_addresses, of_domains): (&[Domain], &[Domain]),
    peer: IpAddr,
    domains: &[Domain],
) -> Vec<Listing> {
    let reversed = reversed(peer);
    let addresses = of_addresses.iter().map(|list| (list, peer.to_string(), format!("{reversed}.{list}")));
    let domains = of_domains.iter().flat_map(|list| {
        domains.iter().take(MAX_DOMAINS).map(move |domain| (list, domain.to_string(), format!("{domain}.{list}")))
    });
    let asked = addresses.chain(domains).map(async |(list, named, question)| {
        let answers = resolver.addresses(&question, Family::V4).await.ok()?;
        answers.iter().any(means_listed).then(|| Listing { list: list.clone(), named })
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// RFC 5782 §2.1: entries are in 127.0.0.0/8. By custom 127.255.255.0/24 says that the list doesn't serve us.
fn means_listed(answer: &IpAddr) -> bool {
    matches!(answer, IpAddr::V4(answer) if matches!(answer.octets(), [127, second, third, _] if (second, third) != (255, 255)))
}

/// RFC 5782 §2.1 and §2.4: octets, or nibbles, the last first.
fn reversed(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(peer) => {
            let [a, b, c, d] = peer.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(peer) => {
            let nibbles = peer.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}

#[cfg(test)]
mod tests {
    use relais_msgauth::testing::{Zone, at_once};

    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    #[test]
    fn lists_are_asked_as_rfc_5782_says() {
        let mut zone = Zone::new();
        let mut list = |name: &str, answer: &str| zone.add_address(name, answer.parse().unwrap());
        list("1.2.0.192.ip.lists.example", "127.0.0.4");
        list("bad.example.dom.lists.example", "127.0.1.2");
        list("1.2.0.192.closed.lists.example", "127.255.255.254");
        list("1.2.0.192.parked.lists.example", "203.0.113.9");
        let lists = ["ip.lists.example", "closed.lists.example", "parked.lists.example"].map(domain);
        let (of_domains, domains) = ([domain("dom.lists.example")], ["good.example", "bad.example"].map(domain));
        let peer = "192.0.2.1".parse().unwrap();
        let found = at_once(listings(&zone, (&lists, &of_domains), peer, &domains));
        let found: Vec<_> = found.iter().map(|found| (found.list.as_str(), found.named.as_str())).collect();
        assert_eq!(found, [("ip.lists.example", "192.0.2.1"), ("dom.lists.example", "bad.example")]);
    }

    #[test]
    fn addresses_stand_backwards() {
        assert_eq!(reversed("192.0.2.99".parse().unwrap()), "99.2.0.192");
        assert_eq!(
            reversed("2001:db8:1:2:3:4:567:89ab".parse().unwrap()),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"
        );
    }
}
