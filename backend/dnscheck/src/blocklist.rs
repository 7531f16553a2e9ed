//! DNS blocklists (RFC 5782): whether one warns of an address of ours.
//!
//! A list is believed only where its test entry is listed and its counter-entry is not (RFC 5782 §5): a resolver that the list doesn't serve, or a list that
//! has died and lists everybody, says nothing about us.

use std::net::{IpAddr, Ipv4Addr};

use relais_model::Domain;

use crate::judge::{Check, Finding};
use crate::look::{Answer, Look};
use crate::reason::{Reason, Verdict};
use crate::record::{Data, Kind, reversed};

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocklist {
    /// Where it is asked.
    pub zone: &'static str,
    /// Whether it lists IPv6 addresses, too.
    pub has_ipv6: bool,
}

/// The lists that many receivers ask, and that answer without a contract.
pub const BLOCKLISTS: [Blocklist; 4] = [
    Blocklist { zone: "zen.spamhaus.org", has_ipv6: true },
    Blocklist { zone: "bl.spamcop.net", has_ipv6: false },
    Blocklist { zone: "psbl.surriel.com", has_ipv6: false },
    Blocklist { zone: "dnsbl.dronebl.org", has_ipv6: true },
];

/// What `list` says of `address`; none where it doesn't list addresses of that family.
pub(crate) async fn ask(look: &dyn Look, list: Blocklist, address: IpAddr) -> Option<Finding> {
    if address.is_ipv6() && !list.has_ipv6 {
        return None;
    }
    let [entry, counter_entry] = test_entries(address);
    let (entry, counter_entry, answer) = futures_util::future::join3(
        codes(look, list, entry),
        codes(look, list, counter_entry),
        codes(look, list, address),
    )
    .await;
    let is_believed = matches!(entry, Ok(Some(_))) && matches!(counter_entry, Ok(None));
    Some(match answer {
        Ok(None) if is_believed => finding(list, address, Verdict::Good, Reason::Good),
        Ok(Some(code)) if is_believed => {
            let reason = Reason::Listed(list.zone.to_owned(), code.to_string());
            finding(list, address, Verdict::Wrong, reason)
        }
        Ok(_) | Err(Unserved) => {
            finding(list, address, Verdict::CantTellYet, Reason::ListUnusable(list.zone.to_owned()))
        }
    })
}

fn finding(list: Blocklist, address: IpAddr, verdict: Verdict, reason: Reason) -> Finding {
    Finding { detail: list.zone.to_owned(), ..Finding::new(Check::Blocklist, &address, verdict, reason) }
}

/// RFC 5782 §5: the one that is always listed, the one that never is.
fn test_entries(address: IpAddr) -> [IpAddr; 2] {
    let entries = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::LOCALHOST];
    entries.map(|entry| if address.is_ipv4() { IpAddr::V4(entry) } else { IpAddr::V6(entry.to_ipv6_mapped()) })
}

/// The list serves others than our resolver, or nobody.
struct Unserved;

async fn codes(look: &dyn Look, list: Blocklist, address: IpAddr) -> Result<Option<Ipv4Addr>, Unserved> {
    let name = Domain::parse(&format!("{}.{}", reversed(address), list.zone)).map_err(|_| Unserved)?;
    code(&look.public(&name, Kind::A).await)
}

/// The code that an entry has; none where it isn't listed.
fn code(answer: &Answer) -> Result<Option<Ipv4Addr>, Unserved> {
    if answer.silence().is_some() {
        return Err(Unserved);
    }
    let mut codes = answer.data().filter_map(|data| if let Data::A(code) = data { Some(*code) } else { None });
    match codes.next() {
        None => Ok(None),
        // Spamhaus and others: "you ask through an open resolver", "you ask too much", "no such zone".
        Some(code) if code.octets().starts_with(&[127, 255, 255]) => Err(Unserved),
        // RFC 5782 §2.1: codes are in 127.0.0.0/8; anything else is a resolver or a parked domain that answers everything.
        Some(code) if code.is_loopback() => Ok(Some(code)),
        Some(_) => Err(Unserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::Lack;
    use crate::testing::{FakeLook, read};

    const LIST: Blocklist = Blocklist { zone: "list.example", has_ipv6: true };

    fn alive() -> FakeLook {
        FakeLook::default().with("2.0.0.127.list.example A 127.0.0.2")
    }

    #[tokio::test]
    async fn lists_are_believed_only_where_they_pass_their_own_test() {
        let cases = [
            ("clean", alive()),
            ("listed", alive().with("7.2.0.192.list.example A 127.0.0.4")),
            ("our resolver isn't served", alive().with("7.2.0.192.list.example A 127.255.255.254")),
            ("test entry isn't listed", FakeLook::default().with("other.list.example A 127.0.0.2")),
            ("gone", FakeLook::default()),
            (
                "lists everybody",
                alive().with("1.0.0.127.list.example A 127.0.0.2").with("7.2.0.192.list.example A 127.0.0.2"),
            ),
            ("parked", FakeLook::default().with("*.list.example A 203.0.113.9")),
            ("silent", alive().lack("7.2.0.192.list.example", Lack::Timeout)),
        ];
        let mut lines = Vec::new();
        for (name, dns) in cases {
            let finding = ask(&dns, LIST, "192.0.2.7".parse().unwrap()).await.unwrap();
            lines.push(format!("{name}\n{}", read(&finding)));
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    /// RFC 5782 §5: `::FFFF:7F00:2`.
    #[tokio::test]
    async fn ipv6_has_test_entries_of_its_own() {
        let entry = reversed("::ffff:127.0.0.2".parse().unwrap());
        let dns = FakeLook::default().with(&format!("{entry}.list.example A 127.0.0.2"));
        let address = "2001:db8::7".parse().unwrap();
        assert_eq!(ask(&dns, LIST, address).await.unwrap().verdict, Verdict::Good);
        assert_eq!(ask(&alive(), LIST, address).await.unwrap().verdict, Verdict::CantTellYet);
        assert_eq!(ask(&dns, Blocklist { has_ipv6: false, ..LIST }, address).await, None);
    }
}
