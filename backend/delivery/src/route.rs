//! Where a recipient goes next: through a relay host, or to the MX hosts of its domain.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use relais_model::{Domain, ReversePath, Secret};

/// How a relay host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayTls {
    /// TLS from the first octet (RFC 8314 §3.3; port 465). The certificate must be good for the host's name.
    Implicit,
    /// STARTTLS or nothing is sent (RFC 3207; port 587). The certificate must be good for the host's name.
    StartTls,
    /// Clear text, for a host on a network that is trusted. A log-in is then sent to a loopback address only.
    None,
}

/// How we log in at a relay host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLogin {
    /// The authentication identity.
    pub name: String,
    /// Its password.
    pub password: Secret,
}

/// A smart host: takes our mail for anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayHost {
    /// A host name, whose MX records are not asked for, or an address literal.
    pub host: Domain,
    /// Usually 587, 465 or 25.
    pub port: u16,
    /// How it is spoken to.
    pub tls: RelayTls,
    /// Where it wants one.
    pub login: Option<RelayLogin>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Via {
    /// To the MX hosts of the recipient's domain (RFC 5321 §5.1).
    #[default]
    Mx,
    /// Through a relay host.
    Relay(Arc<RelayHost>),
}

/// The rules, in the order in which they are asked: by the recipient's domain, by the sender's, then for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// For mail to these domains.
    pub by_destination: BTreeMap<Domain, Via>,
    /// For mail whose reverse-path is of these domains.
    pub by_sender: BTreeMap<Domain, Via>,
    /// For all other mail.
    pub otherwise: Via,
}

impl Routes {
    /// Where mail from `reverse_path` to `destination` goes next.
    pub fn next_hop(&self, reverse_path: &ReversePath, destination: &Domain) -> NextHop {
        let by_sender = || reverse_path.address().and_then(|address| self.by_sender.get(&address.domain));
        match self.by_destination.get(destination).or_else(by_sender).unwrap_or(&self.otherwise) {
            Via::Mx => NextHop::Mx(destination.clone()),
            Via::Relay(relay) => NextHop::Relay(Arc::clone(relay)),
        }
    }
}

/// One next hop: recipients of one message that share it travel in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextHop {
    /// The MX hosts of a domain, or an address literal.
    Mx(Domain),
    /// A relay host.
    Relay(Arc<RelayHost>),
}

impl fmt::Display for NextHop {
    /// As logs and connection pools name it; never shows a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mx(domain) => write!(f, "{domain}"),
            Self::Relay(relay) => {
                let name = relay.login.as_ref().map_or("", |login| login.name.as_str());
                write!(f, "relay {name}@{}:{}", relay.host, relay.port)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relais_model::Address;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    fn relay(host: &str) -> Via {
        let login = Some(RelayLogin { name: "us".into(), password: Secret::new("hidden") });
        Via::Relay(Arc::new(RelayHost { host: domain(host), port: 587, tls: RelayTls::StartTls, login }))
    }

    #[test]
    fn the_destination_is_asked_before_the_sender_and_the_sender_before_all() {
        let routes = Routes {
            by_destination: [(domain("direct.example"), Via::Mx), (domain("d.example"), relay("r1.example"))].into(),
            by_sender: [(domain("s.example"), relay("r2.example"))].into(),
            otherwise: relay("r3.example"),
        };
        let check = |sender: Option<&str>, destination: &str, expected: &str| {
            let path = sender.map_or(ReversePath::Null, |text| ReversePath::Address(Address::parse(text).unwrap()));
            assert_eq!(routes.next_hop(&path, &domain(destination)).to_string(), expected, "{path} {destination}");
        };
        check(Some("a@s.example"), "direct.example", "direct.example");
        check(Some("a@s.example"), "d.example", "relay us@r1.example:587");
        check(Some("a@s.example"), "other.example", "relay us@r2.example:587");
        check(Some("a@t.example"), "other.example", "relay us@r3.example:587");
        check(None, "other.example", "relay us@r3.example:587");
    }

    #[test]
    fn a_password_never_prints() {
        assert!(!format!("{:?}", relay("r.example")).contains("hidden"));
    }
}
