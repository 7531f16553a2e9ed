//! `check_host` (RFC 7208 §4): what a receiver would say of an address of ours, and how many look-ups that costs.

use std::collections::BTreeSet;
use std::net::IpAddr;

use relais_model::Domain;

use super::macros::{Filling, expand};
use super::{Lengths, MOST_LOOKUPS, MOST_VOID_LOOKUPS, Mechanism, Qualifier, Spf, SpfResult, Term, is_spf};
use crate::look::{Answering, Look};
use crate::record::{Data, Kind, Target, reverse_name, within};

/// MX hosts, and names of an address, that are looked up for one term (RFC 7208 §4.6.4).
const MOST_NAMES: usize = 10;
/// Records read for one [`cost`]: past this the sum is far over the limit anyway.
const MOST_COUNTED: u32 = 40;

/// A result, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// What a receiver says.
    pub result: SpfResult,
    /// Terms that cost a look-up; 10 are allowed.
    pub lookups: u32,
    /// Look-ups that found nothing; 2 are allowed.
    pub voids: u32,
    /// The domain whose record, or the term which, is to blame for a [`SpfResult::TempError`] or [`SpfResult::PermError`].
    pub culprit: Option<String>,
}

/// Evaluates the SPF record of `domain` for mail from `address` as `postmaster`, with `helo` as the client's name.
pub async fn check_host(look: &dyn Look, address: IpAddr, domain: &Domain, helo: &Domain) -> Evaluation {
    let mut walk = Walk { look, address: Some(address), sender: domain, helo, lookups: 0, voids: 0, culprit: None };
    let result = match walk.record(domain.clone()).await {
        Ok(result) => result,
        Err(Stop::Later) => SpfResult::TempError,
        Err(Stop::Broken) => SpfResult::PermError,
    };
    walk.end(result)
}

/// Follows the whole record, as for an address that nothing matches and without stopping at a limit: what it can cost at worst. The result says nothing but
/// whether it could be followed (`Neutral`) or not (`TempError`, `PermError`).
pub async fn cost(look: &dyn Look, domain: &Domain, helo: &Domain) -> Evaluation {
    let mut walk = Walk { look, address: None, sender: domain, helo, lookups: 0, voids: 0, culprit: None };
    let result = match walk.record(domain.clone()).await {
        Ok(SpfResult::None) => SpfResult::None,
        Ok(_) => SpfResult::Neutral,
        Err(Stop::Later) => SpfResult::TempError,
        Err(Stop::Broken) => SpfResult::PermError,
    };
    walk.end(result)
}

/// Why the evaluation ends before its end.
enum Stop {
    /// [`SpfResult::TempError`].
    Later,
    /// [`SpfResult::PermError`].
    Broken,
}

struct Walk<'a> {
    look: &'a dyn Look,
    /// None: nothing matches, everything is counted.
    address: Option<IpAddr>,
    sender: &'a Domain,
    helo: &'a Domain,
    lookups: u32,
    voids: u32,
    culprit: Option<String>,
}

impl Walk<'_> {
    fn end(self, result: SpfResult) -> Evaluation {
        Evaluation { result, lookups: self.lookups, voids: self.voids, culprit: self.culprit }
    }

    fn broken(&mut self, culprit: &impl ToString) -> Stop {
        self.culprit.get_or_insert_with(|| culprit.to_string());
        Stop::Broken
    }

    fn later(&mut self, culprit: &impl ToString) -> Stop {
        self.culprit.get_or_insert_with(|| culprit.to_string());
        Stop::Later
    }

    /// The record of `domain` (RFC 7208 §4.4 to §4.7). Boxed, for records include records; the look-ups' limit bounds the depth.
    fn record(&mut self, domain: Domain) -> Answering<'_, Result<SpfResult, Stop>> {
        Box::pin(async move {
            let answer = self.look.public(&domain, Kind::Txt).await;
            if answer.silence().is_some() {
                return Err(self.later(&domain));
            }
            let records: Vec<&str> = answer.texts().filter(|text| is_spf(text.as_bytes())).collect();
            let [record] = records.as_slice() else {
                return if records.is_empty() { Ok(SpfResult::None) } else { Err(self.broken(&domain)) };
            };
            let spf = Spf::parse(record).map_err(|_| self.broken(&domain))?;
            for term in &spf.terms {
                let Term::Directive(qualifier, mechanism) = term else { continue };
                if self.matches(mechanism, &domain).await? {
                    return Ok(match qualifier {
                        Qualifier::Pass => SpfResult::Pass,
                        Qualifier::Fail => SpfResult::Fail,
                        Qualifier::SoftFail => SpfResult::SoftFail,
                        Qualifier::Neutral => SpfResult::Neutral,
                    });
                }
            }
            let Some(redirect) = spf.redirect() else { return Ok(SpfResult::Neutral) };
            // RFC 7208 §6.1: no record there is an error here.
            let to = self.target(redirect, &domain)?;
            self.count(&redirect)?;
            match self.record(to.clone()).await? {
                SpfResult::None => Err(self.broken(&to)),
                result => Ok(result),
            }
        })
    }

    async fn matches(&mut self, mechanism: &Mechanism, domain: &Domain) -> Result<bool, Stop> {
        if mechanism.costs_lookup() {
            self.count(mechanism)?;
        }
        let address = self.address;
        let is_ours = |network: IpAddr, length: u8| address.is_some_and(|address| contains(network, length, address));
        match mechanism {
            Mechanism::All => Ok(address.is_some()),
            Mechanism::Ip4(network, length) => Ok(is_ours(IpAddr::V4(*network), *length)),
            Mechanism::Ip6(network, length) => Ok(is_ours(IpAddr::V6(*network), *length)),
            Mechanism::Include(spec) => {
                let to = self.target(spec, domain)?;
                match self.record(to.clone()).await? {
                    SpfResult::Pass => Ok(address.is_some()),
                    // RFC 7208 §5.2: none at all is an error.
                    SpfResult::None => Err(self.broken(&to)),
                    _ => Ok(false),
                }
            }
            Mechanism::A(spec, lengths) => {
                let name = self.target_or(spec.as_deref(), domain)?;
                self.holds(&name, *lengths).await
            }
            Mechanism::Mx(spec, lengths) => {
                let name = self.target_or(spec.as_deref(), domain)?;
                self.mx_holds(&name, *lengths).await
            }
            Mechanism::Ptr(spec) => {
                let name = self.target_or(spec.as_deref(), domain)?;
                self.is_below(&name).await
            }
            Mechanism::Exists(spec) => {
                if address.is_none() {
                    // The name depends on the address: nothing to look up here.
                    return Ok(false);
                }
                // RFC 7208 §5.7: an A record, also for IPv6.
                let name = self.target(spec, domain)?;
                Ok(!self.ask(&name, Kind::A).await?.is_empty())
            }
        }
    }

    /// One more term that costs a look-up.
    fn count(&mut self, term: &impl ToString) -> Result<(), Stop> {
        self.lookups += 1;
        let most = if self.address.is_some() { MOST_LOOKUPS } else { MOST_COUNTED };
        if self.lookups > most { Err(self.broken(term)) } else { Ok(()) }
    }

    fn target_or(&mut self, spec: Option<&str>, domain: &Domain) -> Result<Domain, Stop> {
        spec.map_or_else(|| Ok(domain.clone()), |spec| self.target(spec, domain))
    }

    /// The name that a domain-spec means. What is no host name cannot be asked for here, and would find nothing anywhere.
    fn target(&mut self, spec: &str, domain: &Domain) -> Result<Domain, Stop> {
        // Where nothing is to match, macros are filled with an address that nobody has (RFC 5737).
        let address = self.address.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
        let filling = Filling { address, domain: domain.as_str(), sender: self.sender, helo: self.helo };
        let name = expand(spec, filling).and_then(|name| Target::new(&name).host());
        name.ok_or_else(|| self.broken(&spec))
    }

    /// What stands there; void answers are counted (RFC 7208 §4.6.4).
    async fn ask(&mut self, name: &Domain, kind: Kind) -> Result<Vec<Data>, Stop> {
        let answer = self.look.public(name, kind).await;
        match answer.records {
            Ok(records) => Ok(records.into_iter().map(|record| record.data).collect()),
            Err(lack) if lack.is_answer() => {
                self.voids += 1;
                let is_over = self.address.is_some() && self.voids > MOST_VOID_LOOKUPS;
                if is_over { Err(self.broken(name)) } else { Ok(Vec::new()) }
            }
            Err(_) => Err(self.later(name)),
        }
    }

    /// RFC 7208 §5: A or AAAA, by the family of the address; without one, A.
    const fn family(&self) -> Kind {
        match self.address {
            Some(IpAddr::V6(_)) => Kind::Aaaa,
            _ => Kind::A,
        }
    }

    async fn holds(&mut self, name: &Domain, lengths: Lengths) -> Result<bool, Stop> {
        let found = self.ask(name, self.family()).await?;
        Ok(self.is_among(&found, lengths))
    }

    fn is_among(&self, found: &[Data], lengths: Lengths) -> bool {
        let Some(address) = self.address else { return false };
        let length = if address.is_ipv4() { lengths.v4 } else { lengths.v6 };
        found.iter().filter_map(Data::ip).any(|network| contains(network, length, address))
    }

    /// RFC 7208 §5.4; the addresses of hosts aren't counted as terms, but more than ten hosts are an error (§4.6.4).
    async fn mx_holds(&mut self, name: &Domain, lengths: Lengths) -> Result<bool, Stop> {
        let found = self.ask(name, Kind::Mx).await?;
        let hosts: BTreeSet<Domain> = found
            .iter()
            .filter_map(|data| if let Data::Mx { exchange, .. } = data { exchange.host() } else { None })
            .collect();
        if hosts.len() > MOST_NAMES {
            return Err(self.broken(name));
        }
        for host in hosts {
            if self.holds(&host, lengths).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 7208 §5.5: a name of the address that leads back to it. Errors of the DNS match nothing here.
    async fn is_below(&mut self, domain: &Domain) -> Result<bool, Stop> {
        let Some(address) = self.address else { return Ok(false) };
        let Ok(reverse) = reverse_name(address) else { return Ok(false) };
        let Ok(found) = self.ask(&reverse, Kind::Ptr).await else { return Ok(false) };
        let names = found.iter().filter_map(|data| if let Data::Ptr(name) = data { name.host() } else { None });
        for name in names.take(MOST_NAMES).filter(|name| within(name, domain).is_some()).collect::<Vec<_>>() {
            if matches!(self.holds(&name, Lengths::WHOLE).await, Ok(true)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether the first `length` bits are the same, in one family.
fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    let differs = |one: u128, other: u128, width: u8| {
        let shift = u32::from(width.saturating_sub(length));
        (one ^ other).checked_shr(shift).unwrap_or(0) != 0
    };
    match (network, address.to_canonical()) {
        (IpAddr::V4(one), IpAddr::V4(other)) => !differs(u128::from(one.to_bits()), u128::from(other.to_bits()), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => !differs(one.to_bits(), other.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::Lack;
    use crate::testing::{FakeLook, domain};

    fn dns() -> FakeLook {
        FakeLook::default()
            .with("us.example A 192.0.2.7")
            .with("us.example AAAA 2001:db8::7")
            .with("d.example MX 10 us.example")
            .with("7.2.0.192.in-addr.arpa PTR us.example")
            .with("inc.example TXT v=spf1 ip4:192.0.2.0/28 -all")
            .with("none.example TXT hello")
            .with("deny.example TXT v=spf1 -all")
            .with("loop.example TXT v=spf1 include:loop.example -all")
            .with("7.2.0.192.list.example A 127.0.0.2")
            .lack("ill.example", Lack::ServFail)
    }

    const US: &str = "192.0.2.7";

    async fn check(record: &str, address: &str, expected: (SpfResult, u32, u32)) {
        let dns = dns().with(&format!("d.example TXT {record}"));
        let found = check_host(&dns, address.parse().unwrap(), &domain("d.example"), &domain("us.example")).await;
        assert_eq!((found.result, found.lookups, found.voids), expected, "{record}: {found:?}");
    }

    /// RFC 7208 §4.6, §5, §6.
    #[tokio::test]
    async fn records_are_evaluated() {
        use SpfResult::{Fail, Neutral, Pass, PermError, SoftFail, TempError};
        check("v=spf1 a:us.example -all", US, (Pass, 1, 0)).await;
        check("v=spf1 a:us.example -all", "2001:db8::7", (Pass, 1, 0)).await;
        check("v=spf1 a:us.example -all", "192.0.2.8", (Fail, 1, 0)).await;
        check("v=spf1 a:us.example/24 -all", "192.0.2.8", (Pass, 1, 0)).await;
        check("v=spf1 a:us.example//64 -all", "2001:db8::1:1", (Pass, 1, 0)).await;
        check("v=spf1 mx ~all", US, (Pass, 1, 0)).await;
        check("v=spf1 mx ~all", "198.51.100.1", (SoftFail, 1, 0)).await;
        check("v=spf1 ip4:192.0.2.0/0 -all", "198.51.100.1", (Pass, 0, 0)).await;
        check("v=spf1 ip4:192.0.2.7", "198.51.100.1", (Neutral, 0, 0)).await;
        check("v=spf1 include:inc.example -all", US, (Pass, 1, 0)).await;
        check("v=spf1 include:deny.example ?all", US, (Neutral, 1, 0)).await;
        check("v=spf1 include:none.example ?all", US, (PermError, 1, 0)).await;
        check("v=spf1 include:nowhere.example ?all", US, (PermError, 1, 0)).await;
        check("v=spf1 include:ill.example ?all", US, (TempError, 1, 0)).await;
        check("v=spf1 redirect=inc.example", US, (Pass, 1, 0)).await;
        check("v=spf1 redirect=none.example", US, (PermError, 1, 0)).await;
        check("v=spf1 redirect=inc.example -all", US, (Fail, 0, 0)).await;
        check("v=spf1 exists:%{ir}.list.example -all", US, (Pass, 1, 0)).await;
        check("v=spf1 ptr:us.example -all", US, (Pass, 1, 0)).await;
        check("v=spf1 ptr:other.example -all", US, (Fail, 1, 0)).await;
        check("v=spf1 a:n1.example a:n2.example -all", US, (Fail, 2, 2)).await;
        check("v=spf1 a:n1.example a:n2.example a:n3.example -all", US, (PermError, 3, 3)).await;
        check("v=spf1 include:loop.example -all", US, (PermError, 11, 0)).await;
        check("v=spf1 bad:x -all", US, (PermError, 0, 0)).await;
        check("v=spf1 a:%{d}.x -all", US, (Fail, 1, 1)).await;
    }

    #[tokio::test]
    async fn no_record_two_records_and_an_ill_server() {
        let result = async |dns: FakeLook| {
            check_host(&dns, "192.0.2.7".parse().unwrap(), &domain("d.example"), &domain("us.example")).await.result
        };
        assert_eq!(result(dns()).await, SpfResult::None);
        assert_eq!(
            result(dns().with("d.example TXT v=spf1 -all").with("d.example TXT v=spf1 mx")).await,
            SpfResult::PermError
        );
        assert_eq!(result(FakeLook::default().lack("d.example", Lack::Timeout)).await, SpfResult::TempError);
    }

    #[tokio::test]
    async fn the_cost_is_that_of_the_whole_record() {
        let record = "v=spf1 a:us.example include:inc.example mx a:gone.example exists:%{i}.x redirect=deny.example";
        let dns = dns().with(&format!("d.example TXT {record}"));
        let found = cost(&dns, &domain("d.example"), &domain("us.example")).await;
        assert_eq!((found.result, found.lookups, found.voids), (SpfResult::Neutral, 6, 1));
        let found = cost(&dns, &domain("loop.example"), &domain("us.example")).await;
        assert_eq!((found.result, found.lookups), (SpfResult::PermError, MOST_COUNTED + 1));
    }
}
