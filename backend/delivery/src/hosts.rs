//! Which hosts take a domain's mail, in the order in which they are tried (RFC 5321 §5.1).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use futures_util::future::join_all;
use relais_model::{Domain, EnhancedCode, Random, Reply, Timestamp};

use crate::dial::interleave;
use crate::memory::HostMemory;
use crate::ports::{Alias, Dialer, Found, LookupError, MxRecord, Resolver};
use crate::route::{NextHop, RelayHost};

/// More hosts than this are not looked up: a domain that lists a hundred would cost others their turn.
const MOST_HOSTS: usize = 10;
/// More addresses of one host than this are not tried in one attempt.
const MOST_ADDRESSES: usize = 8;

/// A host that takes mail for a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MxHost {
    /// The name that its certificate should bear; the literal where the destination is one.
    pub(crate) name: Domain,
    /// At least one: IPv6 first, families in turn, those that rest last.
    pub(crate) addresses: Vec<SocketAddr>,
    /// DNSSEC proves that it is the destination's host, or the administrator named it.
    pub(crate) is_secure: bool,
    /// DNSSEC proves that the destination sends mail to this name, whatever the name's own zone proves.
    pub(crate) is_named_securely: bool,
    /// Where the name is an alias.
    pub(crate) alias: Option<Alias>,
}

impl MxHost {
    /// One that the administrator or the sender named: the DNS isn't asked who it is.
    fn named(name: Domain, addresses: Vec<SocketAddr>) -> Self {
        Self { name, addresses, is_secure: true, is_named_securely: false, alias: None }
    }
}

/// What finding hosts needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Finder<'a> {
    pub(crate) resolver: &'a dyn Resolver,
    pub(crate) dialer: &'a dyn Dialer,
    pub(crate) random: &'a dyn Random,
    pub(crate) memory: &'a HostMemory,
    pub(crate) now: Timestamp,
    /// Our own name.
    pub(crate) host_name: &'a Domain,
    /// Where we take mail in.
    pub(crate) listeners: &'a [SocketAddr],
    /// 25, but in tests.
    pub(crate) mx_port: u16,
}

impl Finder<'_> {
    /// The hosts of `next_hop`, best first; at least one.
    ///
    /// # Errors
    /// What is said of the recipients: 4yz where the DNS may answer later, 5yz where it has answered.
    pub(crate) async fn hosts(self, next_hop: &NextHop) -> Result<Vec<MxHost>, Reply> {
        match next_hop {
            NextHop::Relay(relay) => self.relay(relay).await.map(|host| vec![host]),
            NextHop::Mx(domain) => match literal(domain) {
                Some(address) => self.literal(domain, address).map(|host| vec![host]),
                None => self.mx(domain).await,
            },
        }
    }

    async fn relay(self, relay: &RelayHost) -> Result<MxHost, Reply> {
        let addresses = match literal(&relay.host) {
            Some(address) => vec![address],
            None => match self.resolver.addresses(&relay.host).await {
                Ok(found) => found.records,
                // The administrator named it: an error of the DNS, or of the administrator, mustn't bounce mail.
                Err(error) => return Err(look_up_later(&relay.host, &error)),
            },
        };
        let remotes = self.remotes(addresses, relay.port);
        Ok(MxHost::named(relay.host.clone(), remotes))
    }

    /// RFC 5321 §5.1: a literal names its host; no MX is asked for.
    fn literal(self, domain: &Domain, address: IpAddr) -> Result<MxHost, Reply> {
        let addresses = self.remotes(vec![address], self.mx_port);
        if addresses.iter().any(|remote| self.is_us(*remote)) {
            return Err(loops_back(domain));
        }
        Ok(MxHost::named(domain.clone(), addresses))
    }

    async fn mx(self, domain: &Domain) -> Result<Vec<MxHost>, Reply> {
        let records = match self.resolver.mx(domain).await {
            Ok(found) => found,
            // RFC 5321 §5.1: without MX records, the domain is its own host.
            Err(LookupError::NoRecords) => implicit(domain),
            Err(LookupError::NoSuchDomain) => {
                return Err(reply(550, 5, 1, 2, format!("The domain {domain} does not exist")));
            }
            Err(error @ (LookupError::Temporary(_) | LookupError::Bogus)) => return Err(look_up_later(domain, &error)),
        };
        // RFC 7505 §3: one record with the root as its host. Beside others it means nothing and is passed over.
        if let [MxRecord { exchange: None, .. }] = records.records.as_slice() {
            return Err(reply(556, 5, 1, 10, format!("The domain {domain} takes no mail (null MX)")));
        }
        let ordered = self.ordered(records.records);
        let found = join_all(ordered.iter().map(|(_, name)| self.resolver.addresses(name))).await;
        self.usable(domain, records.is_secure, &ordered, found)
    }

    /// By preference; equal ones in random order, so that their load is shared.
    fn ordered(self, records: Vec<MxRecord>) -> Vec<(u16, Domain)> {
        let named = records.into_iter().filter_map(|record| Some((record.preference, record.exchange?)));
        let mut dealt: Vec<_> = named.map(|record| (record.0, self.random.below(u64::MAX), record.1)).collect();
        dealt.sort();
        dealt.dedup_by(|later, earlier| later.2 == earlier.2);
        dealt.truncate(MOST_HOSTS);
        dealt.into_iter().map(|(preference, _, name)| (preference, name)).collect()
    }

    fn usable(
        self,
        domain: &Domain,
        is_secure: bool,
        ordered: &[(u16, Domain)],
        found: Vec<Result<Found<IpAddr>, LookupError>>,
    ) -> Result<Vec<MxHost>, Reply> {
        let (mut hosts, mut ours, mut owed) = (Vec::new(), None, None);
        for ((preference, name), found) in ordered.iter().zip(found) {
            // RFC 5321 §5.1: hosts no better than ourselves would hand the mail back to us.
            if ours.is_some_and(|ours| *preference >= ours) {
                break;
            }
            if name == self.host_name {
                ours = Some(*preference);
                hosts.retain(|(worse, _)| worse < preference);
                continue;
            }
            match found {
                Ok(found) => {
                    let addresses = self.remotes(found.records, self.mx_port);
                    if addresses.iter().any(|remote| self.is_us(*remote)) {
                        ours = Some(*preference);
                        hosts.retain(|(worse, _)| worse < preference);
                    } else {
                        let (is_named_securely, alias) = (is_secure, found.alias);
                        let is_secure = is_secure && found.is_secure;
                        let name = name.clone();
                        hosts.push((*preference, MxHost { name, addresses, is_secure, is_named_securely, alias }));
                    }
                }
                Err(error @ (LookupError::Temporary(_) | LookupError::Bogus)) => {
                    owed = owed.or(Some(look_up_later(name, &error)));
                }
                Err(LookupError::NoSuchDomain | LookupError::NoRecords) => {}
            }
        }
        let mut hosts: Vec<MxHost> = hosts.into_iter().map(|(_, host)| host).collect();
        if hosts.is_empty() {
            let nothing = || reply(550, 5, 4, 4, format!("No host takes mail for {domain}"));
            return Err(owed.or(ours.map(|_| loops_back(domain))).unwrap_or_else(nothing));
        }
        // Dead ones are passed over: the sort is stable, so the preferences hold within both groups.
        hosts.sort_by_key(|host| host.addresses.iter().all(|remote| self.memory.rests(*remote, self.now)));
        Ok(hosts)
    }

    fn remotes(self, addresses: Vec<IpAddr>, port: u16) -> Vec<SocketAddr> {
        let mut remotes: Vec<_> =
            interleave(addresses).into_iter().map(|address| SocketAddr::new(address, port)).collect();
        remotes.sort_by_key(|remote| self.memory.rests(*remote, self.now));
        remotes.truncate(MOST_ADDRESSES);
        remotes
    }

    /// Whether a connection to `remote` would reach one of our own listeners.
    fn is_us(self, remote: SocketAddr) -> bool {
        self.listeners.iter().any(|listener| {
            let same_address =
                listener.ip() == remote.ip() || (listener.ip().is_unspecified() && self.dialer.is_own(remote.ip()));
            listener.port() == remote.port() && same_address
        })
    }
}

fn implicit(domain: &Domain) -> Found<MxRecord> {
    // That there is no MX record is proved where the address is: both stand in one zone, and an absence without the proof that a
    // signed zone owes is bogus (RFC 7672 §2.2.1).
    let records = vec![MxRecord { preference: 0, exchange: Some(domain.clone()) }];
    Found { records, is_secure: true, alias: None }
}

/// RFC 5321 §4.1.3.
fn literal(domain: &Domain) -> Option<IpAddr> {
    let inside = domain.as_str().strip_prefix('[')?.strip_suffix(']')?;
    match inside.strip_prefix("IPv6:") {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => inside.parse().ok(),
    }
}

fn reply(code: u16, class: u8, subject: u16, detail: u16, text: String) -> Reply {
    Reply::new(code, EnhancedCode::new(class, subject, detail), text)
}

/// RFC 3463 §3.5: X.4.3.
fn look_up_later(name: &Domain, error: &LookupError) -> Reply {
    reply(451, 4, 4, 3, format!("Looking up {name} failed: {error}"))
}

/// RFC 3463 §3.5: X.4.6.
fn loops_back(domain: &Domain) -> Reply {
    reply(554, 5, 4, 6, format!("Mail for {domain} comes back to this host, which doesn't know the domain"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeDns, NoDialer};
    use relais_testkit::SeededRandom;
    use std::sync::Arc;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    async fn find(dns: &FakeDns, memory: &HostMemory, next_hop: &NextHop) -> Result<Vec<MxHost>, Reply> {
        let finder = Finder {
            resolver: dns,
            dialer: &NoDialer { own: vec!["198.51.100.1".parse().unwrap()] },
            random: &SeededRandom::new(7),
            memory,
            now: Timestamp::from_seconds(0),
            host_name: &domain("us.example"),
            listeners: &["0.0.0.0:25".parse().unwrap()],
            mx_port: 25,
        };
        finder.hosts(next_hop).await
    }

    /// Expected: the hosts with their addresses, or the reply.
    #[track_caller]
    fn told(found: Result<Vec<MxHost>, Reply>) -> String {
        let host = |host: MxHost| {
            let addresses: Vec<_> = host.addresses.iter().map(|remote| remote.ip().to_string()).collect();
            format!("{} {}", host.name, addresses.join(" "))
        };
        match found {
            Ok(hosts) => hosts.into_iter().map(host).collect::<Vec<_>>().join(", "),
            Err(reply) => format!("{} {}", reply.code, reply.enhanced.unwrap()),
        }
    }

    async fn check(dns: FakeDns, to: &str, expected: &str) {
        let found = find(&dns, &HostMemory::default(), &NextHop::Mx(domain(to))).await;
        assert_eq!(told(found), expected, "{to}");
    }

    /// RFC 5321 §5.1.
    #[tokio::test]
    async fn preferences_order_hosts_and_ipv6_goes_first() {
        let dns = FakeDns::default()
            .mx("d.example", &[(20, "b.example"), (10, "a.example")])
            .host("a.example", &["192.0.2.1", "2001:db8::1", "192.0.2.2"])
            .host("b.example", &["192.0.2.3"]);
        check(dns, "d.example", "a.example 2001:db8::1 192.0.2.1 192.0.2.2, b.example 192.0.2.3").await;
    }

    /// RFC 5321 §5.1: no MX record; RFC 7505 §3: the null MX; RFC 5321 §4.1.3: literals.
    #[tokio::test]
    async fn domains_without_mx_are_their_own_host_and_null_mx_takes_nothing() {
        check(FakeDns::default().host("d.example", &["192.0.2.1"]), "d.example", "d.example 192.0.2.1").await;
        check(FakeDns::default().mx("d.example", &[(0, ".")]), "d.example", "556 5.1.10").await;
        check(FakeDns::default(), "d.example", "550 5.1.2").await;
        check(FakeDns::default().empty("d.example"), "d.example", "550 5.4.4").await;
        check(FakeDns::default(), "[192.0.2.9]", "[192.0.2.9] 192.0.2.9").await;
        check(FakeDns::default(), "[IPv6:2001:db8::9]", "[IPv6:2001:db8::9] 2001:db8::9").await;
        let dns = FakeDns::default().mx("d.example", &[(0, "."), (5, "a.example")]).host("a.example", &["192.0.2.1"]);
        check(dns, "d.example", "a.example 192.0.2.1").await;
    }

    #[tokio::test]
    async fn an_answer_owed_is_temporary_and_one_host_found_is_enough() {
        check(FakeDns::default().broken("d.example"), "d.example", "451 4.4.3").await;
        let dns = || FakeDns::default().mx("d.example", &[(1, "a.example"), (2, "b.example")]).broken("a.example");
        check(dns(), "d.example", "451 4.4.3").await;
        check(dns().host("b.example", &["192.0.2.1"]), "d.example", "b.example 192.0.2.1").await;
        let gone = FakeDns::default().mx("d.example", &[(1, "a.example")]).empty("a.example");
        check(gone, "d.example", "550 5.4.4").await;
    }

    /// RFC 5321 §5.1: "MUST be discarded" from our own preference on.
    #[tokio::test]
    async fn hosts_no_better_than_ourselves_are_dropped() {
        let dns = |ours: &str| {
            FakeDns::default()
                .mx("d.example", &[(10, "a.example"), (20, ours), (20, "c.example"), (30, "e.example")])
                .host("a.example", &["192.0.2.1"])
                .host("other.example", &["198.51.100.1"])
                .host("us.example", &["192.0.2.77"])
                .host("c.example", &["192.0.2.3"])
                .host("e.example", &["192.0.2.4"])
        };
        check(dns("us.example"), "d.example", "a.example 192.0.2.1").await;
        check(dns("other.example"), "d.example", "a.example 192.0.2.1").await;
        let alone = FakeDns::default().mx("d.example", &[(10, "us.example")]).host("us.example", &["192.0.2.77"]);
        check(alone, "d.example", "554 5.4.6").await;
        check(FakeDns::default(), "[198.51.100.1]", "554 5.4.6").await;
    }

    #[tokio::test]
    async fn dead_hosts_and_addresses_come_last() {
        let dns = FakeDns::default()
            .mx("d.example", &[(10, "a.example"), (20, "b.example")])
            .host("a.example", &["192.0.2.1"])
            .host("b.example", &["192.0.2.3", "192.0.2.4"]);
        let memory = HostMemory::default();
        memory.failed("192.0.2.1:25".parse().unwrap(), Timestamp::from_seconds(0));
        memory.failed("192.0.2.3:25".parse().unwrap(), Timestamp::from_seconds(0));
        let found = find(&dns, &memory, &NextHop::Mx(domain("d.example"))).await;
        assert_eq!(told(found), "b.example 192.0.2.4 192.0.2.3, a.example 192.0.2.1");
    }

    /// RFC 5321 §5.1: "MUST randomize them".
    #[tokio::test]
    async fn equal_preferences_share_the_load() {
        let dns = FakeDns::default()
            .mx("d.example", &[(10, "a.example"), (10, "b.example")])
            .host("a.example", &["192.0.2.1"])
            .host("b.example", &["192.0.2.2"]);
        let memory = HostMemory::default();
        let random = SeededRandom::new(3);
        let mut firsts = std::collections::BTreeSet::new();
        for _ in 0..64 {
            let finder = Finder {
                resolver: &dns,
                dialer: &NoDialer::default(),
                random: &random,
                memory: &memory,
                now: Timestamp::from_seconds(0),
                host_name: &domain("us.example"),
                listeners: &[],
                mx_port: 25,
            };
            firsts.extend(
                finder.hosts(&NextHop::Mx(domain("d.example"))).await.unwrap().first().map(|host| host.name.clone()),
            );
        }
        assert_eq!(firsts.len(), 2);
    }

    #[tokio::test]
    async fn a_relay_is_looked_up_without_mx_and_never_bounces_for_the_dns() {
        let relay = |host: &str| {
            let tls = crate::route::RelayTls::StartTls;
            NextHop::Relay(Arc::new(RelayHost { host: domain(host), port: 587, tls, login: None }))
        };
        let dns = FakeDns::default().mx("r.example", &[(1, "no.example")]).host("r.example", &["192.0.2.1"]);
        let memory = HostMemory::default();
        assert_eq!(told(find(&dns, &memory, &relay("r.example")).await), "r.example 192.0.2.1");
        assert_eq!(told(find(&dns, &memory, &relay("gone.example")).await), "451 4.4.3");
    }
}
