//! `check_host` (RFC 7208 §4).

use std::net::IpAddr;

use relais_model::Timestamp;

use super::macros::{Filling, expand_name, expand_text, needs_validated};
use super::{
    Identity, Lengths, MOST_LOOKUPS, MOST_VOID_LOOKUPS, Mechanism, Qualifier, Spf, SpfCheck, SpfReason, SpfResult,
    Term, is_spf,
};
use crate::resolver::{Answering, Family, Lack, Resolver};

/// MX hosts, and names of an address, that are looked up for one term (RFC 7208 §4.6.4).
const MOST_NAMES: usize = 10;

/// What is checked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who sends.
    pub address: IpAddr,
    /// What the client calls itself.
    pub helo: &'a str,
    /// Which of both identities is checked.
    pub identity: Identity,
    /// The local part of the reverse path; empty for HELO and the null reverse path.
    pub local_part: &'a str,
    /// Whose record is read.
    pub domain: &'a str,
    /// Our name and the time, for explanations (§7.3).
    pub receiver: (&'a str, Timestamp),
}

/// Evaluates `check_host` (§4). At most some 130 questions go to the DNS: ten terms of ten hosts, and an explanation.
pub async fn check(resolver: &dyn Resolver, asked: Asked<'_>) -> SpfCheck {
    let asked = Asked { address: asked.address.to_canonical(), ..asked };
    let (result, reason, explanation) = if is_askable(asked.domain) {
        let mut walk = Walk { resolver, asked, lookups: 0, voids: 0 };
        match walk.record(asked.domain.to_owned()).await {
            Ok(Some(end)) => {
                let explanation = walk.explanation(&end).await;
                (end.result, end.reason, explanation)
            }
            Ok(None) => (SpfResult::None, SpfReason::NoRecord, None),
            Err(reason @ SpfReason::Unanswered(_)) => (SpfResult::TempError, reason, None),
            Err(reason) => (SpfResult::PermError, reason, None),
        }
    } else {
        (SpfResult::None, SpfReason::NoDomain, None)
    };
    SpfCheck { result, identity: asked.identity, domain: asked.domain.to_owned(), reason, explanation }
}

/// RFC 7208 §4.3: more than one label, none empty or longer than 63 octets.
fn is_askable(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain.contains('.') && is_name(domain) && !domain.starts_with('[')
}

fn is_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

/// Where an evaluation ended: what it says of the address, and where an explanation stands.
struct End {
    result: SpfResult,
    reason: SpfReason,
    /// The domain of the record, and its `exp`.
    explained: Option<(String, String)>,
}

struct Walk<'a> {
    resolver: &'a dyn Resolver,
    asked: Asked<'a>,
    lookups: u32,
    voids: u32,
}

impl Walk<'_> {
    /// The record of `domain` (§4.4 to §4.7), none where it has none. Boxed, for records include records; the look-ups' limit bounds the depth.
    fn record(&mut self, domain: String) -> Answering<'_, Result<Option<End>, SpfReason>> {
        Box::pin(async move {
            let Some(spf) = self.read(&domain).await? else { return Ok(None) };
            for term in &spf.terms {
                let Term::Directive(qualifier, mechanism) = term else { continue };
                if self.matches(mechanism, &domain).await? {
                    let result = match qualifier {
                        Qualifier::Pass => SpfResult::Pass,
                        Qualifier::Fail => SpfResult::Fail,
                        Qualifier::SoftFail => SpfResult::SoftFail,
                        Qualifier::Neutral => SpfResult::Neutral,
                    };
                    let explained = spf.explanation().map(|spec| (domain.clone(), spec.to_owned()));
                    let reason = SpfReason::Matched { domain, term: term.to_string() };
                    return Ok(Some(End { result, reason, explained }));
                }
            }
            let Some(redirect) = spf.redirect() else {
                let reason = SpfReason::NothingMatched { domain };
                return Ok(Some(End { result: SpfResult::Neutral, reason, explained: None }));
            };
            self.count(&format_args!("redirect={redirect}"))?;
            let to = self.target(redirect, &domain).await?;
            // RFC 7208 §6.1: no record there is an error here.
            self.record(to.clone()).await?.ok_or(SpfReason::LeadsNowhere(to)).map(Some)
        })
    }

    async fn read(&self, domain: &str) -> Result<Option<Spf>, SpfReason> {
        let texts = match self.txt(domain).await {
            Ok(texts) => texts,
            Err(Lack::NoSuchName | Lack::NoData) => return Ok(None),
            Err(Lack::Silence) => return Err(SpfReason::Unanswered(domain.to_owned())),
        };
        let records: Vec<&Vec<u8>> = texts.iter().filter(|text| is_spf(text)).collect();
        let record = match records.as_slice() {
            [] => return Ok(None),
            [record] => record,
            _ => return Err(SpfReason::SeveralRecords(domain.to_owned())),
        };
        // RFC 7208 §3.1: US-ASCII alone.
        let text = str::from_utf8(record).ok().filter(|text| text.is_ascii());
        let malformed = |term: String| SpfReason::Malformed { domain: domain.to_owned(), term };
        let text = text.ok_or_else(|| malformed(String::from_utf8_lossy(record).into_owned()))?;
        Spf::parse(text).map(Some).map_err(|error| malformed(error.culprit()))
    }

    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, Lack> {
        if is_name(name) { self.resolver.txt(name).await } else { Err(Lack::NoSuchName) }
    }

    async fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, SpfReason> {
        if mechanism.costs_lookup() {
            self.count(mechanism)?;
        }
        let address = self.asked.address;
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(network, length) => Ok(contains(IpAddr::V4(*network), *length, address)),
            Mechanism::Ip6(network, length) => Ok(contains(IpAddr::V6(*network), *length, address)),
            Mechanism::Include(spec) => {
                let to = self.target(spec, domain).await?;
                // RFC 7208 §5.2: none at all is an error.
                let end = self.record(to.clone()).await?.ok_or(SpfReason::LeadsNowhere(to))?;
                Ok(end.result == SpfResult::Pass)
            }
            Mechanism::A(spec, lengths) => {
                let name = self.target_or(spec.as_deref(), domain).await?;
                self.holds(&name, *lengths).await
            }
            Mechanism::Mx(spec, lengths) => {
                let name = self.target_or(spec.as_deref(), domain).await?;
                self.mx_holds(&name, *lengths).await
            }
            Mechanism::Ptr(spec) => {
                let name = self.target_or(spec.as_deref(), domain).await?;
                Ok(self.validated(Some(&name)).await.is_some_and(|found| is_within(&found, &name)))
            }
            Mechanism::Exists(spec) => {
                // RFC 7208 §5.7: an A record, also for IPv6.
                let name = self.target(spec, domain).await?;
                Ok(!self.addresses(&name, Family::V4).await?.is_empty())
            }
        }
    }

    /// One more term that costs a look-up (§4.6.4).
    fn count(&mut self, term: &impl ToString) -> Result<(), SpfReason> {
        self.lookups += 1;
        if self.lookups > MOST_LOOKUPS { Err(SpfReason::TooManyLookups(term.to_string())) } else { Ok(()) }
    }

    async fn target_or(&self, spec: Option<&str>, domain: &str) -> Result<String, SpfReason> {
        match spec {
            Some(spec) => self.target(spec, domain).await,
            None => Ok(domain.to_owned()),
        }
    }

    /// The name that a domain-spec means.
    async fn target(&self, spec: &str, domain: &str) -> Result<String, SpfReason> {
        let validated = self.validated_for(spec, domain).await;
        expand_name(spec, self.filling(domain, &validated))
            .ok_or_else(|| SpfReason::Malformed { domain: domain.to_owned(), term: spec.to_owned() })
    }

    fn filling<'f>(&'f self, domain: &'f str, validated: &'f str) -> Filling<'f> {
        let local_part = if self.asked.local_part.is_empty() { "postmaster" } else { self.asked.local_part };
        Filling {
            address: self.asked.address,
            domain,
            local_part,
            sender_domain: self.asked.domain,
            helo: self.asked.helo,
            validated,
            receiver: Some(self.asked.receiver),
        }
    }

    /// Fills `%{p}` (§7.3), asking only where it stands.
    async fn validated_for(&self, spec: &str, domain: &str) -> String {
        let name = if needs_validated(spec) { self.validated(Some(domain)).await } else { None };
        name.unwrap_or_else(|| "unknown".to_owned())
    }

    /// A name of the address that leads back to it (§5.5): `near` itself before one below it before any other. Errors of the DNS validate nothing.
    async fn validated(&self, near: Option<&str>) -> Option<String> {
        let address = self.asked.address;
        let mut names = self.resolver.ptr(address).await.ok()?;
        names.truncate(MOST_NAMES);
        let rank = |name: &String| match near {
            Some(near) if name.eq_ignore_ascii_case(near) => 0,
            Some(near) if is_within(name, near) => 1,
            _ => 2,
        };
        names.sort_by_key(rank);
        for name in names {
            let found =
                if is_name(&name) { self.resolver.addresses(&name, Family::of(address)).await } else { continue };
            if found.is_ok_and(|found| found.contains(&address)) {
                return Some(name);
            }
        }
        None
    }

    /// What stands there; void answers are counted (§4.6.4).
    fn found<T>(&mut self, name: &str, answer: Result<Vec<T>, Lack>) -> Result<Vec<T>, SpfReason> {
        match answer {
            Ok(found) => Ok(found),
            Err(Lack::NoSuchName | Lack::NoData) => {
                self.voids += 1;
                if self.voids > MOST_VOID_LOOKUPS { Err(SpfReason::TooManyVoids(name.to_owned())) } else { Ok(vec![]) }
            }
            Err(Lack::Silence) => Err(SpfReason::Unanswered(name.to_owned())),
        }
    }

    async fn addresses(&mut self, name: &str, family: Family) -> Result<Vec<IpAddr>, SpfReason> {
        let answer = if is_name(name) { self.resolver.addresses(name, family).await } else { Err(Lack::NoSuchName) };
        self.found(name, answer)
    }

    async fn holds(&mut self, name: &str, lengths: Lengths) -> Result<bool, SpfReason> {
        let address = self.asked.address;
        let length = if address.is_ipv4() { lengths.v4 } else { lengths.v6 };
        let found = self.addresses(name, Family::of(address)).await?;
        Ok(found.into_iter().any(|network| contains(network, length, address)))
    }

    /// RFC 7208 §5.4; the addresses of hosts aren't counted as terms, but more than ten hosts are an error (§4.6.4).
    async fn mx_holds(&mut self, name: &str, lengths: Lengths) -> Result<bool, SpfReason> {
        let answer = if is_name(name) { self.resolver.mx(name).await } else { Err(Lack::NoSuchName) };
        let hosts = self.found(name, answer)?;
        if hosts.len() > MOST_NAMES {
            return Err(SpfReason::TooManyHosts(name.to_owned()));
        }
        for host in hosts {
            if self.holds(&host, lengths).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How the domain explains a fail (§6.2). Whatever is wrong with it, it explains nothing.
    async fn explanation(&self, end: &End) -> Option<String> {
        let (domain, spec) = end.explained.as_ref().filter(|_| end.result == SpfResult::Fail)?;
        let name = self.target(spec, domain).await.ok()?;
        let texts = self.txt(&name).await.ok()?;
        let [text] = texts.as_slice() else { return None };
        let text = str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
        let validated = self.validated_for(text, domain).await;
        let said = expand_text(text, self.filling(domain, &validated))?;
        Some(said.chars().filter(|letter| matches!(letter, ' '..='~')).collect())
    }
}

/// Whether `name` is `domain` or stands below it.
fn is_within(name: &str, domain: &str) -> bool {
    let (name, domain) = (name.to_ascii_lowercase(), domain.to_ascii_lowercase());
    name.strip_suffix(&domain).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// Whether the first `length` bits are the same, in one family.
fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    let differs = |one: u128, other: u128, width: u8| {
        let shift = u32::from(width.saturating_sub(length));
        (one ^ other).checked_shr(shift).unwrap_or(0) != 0
    };
    match (network, address) {
        (IpAddr::V4(one), IpAddr::V4(other)) => !differs(u128::from(one.to_bits()), u128::from(other.to_bits()), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => !differs(one.to_bits(), other.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Zone, at_once};

    #[track_caller]
    fn check_reason(record: &str, expected: &(SpfResult, SpfReason)) {
        let mut zone = Zone::new()
            .with_txt("d.example", record)
            .with_txt("inc.example", "v=spf1 ip4:192.0.2.0/28 -all")
            .with_txt("loop.example", "v=spf1 include:loop.example -all");
        zone.silence("ill.example");
        for host in 0..11 {
            zone.add_mx("many.example", 10, &format!("mx{host}.example"));
        }
        let asked = Asked {
            address: "192.0.2.7".parse().unwrap(),
            helo: "us.example",
            identity: Identity::MailFrom,
            local_part: "ann",
            domain: "d.example",
            receiver: ("mx.example", Timestamp::from_seconds(0)),
        };
        let found = at_once(check(&zone, asked));
        assert_eq!(&(found.result, found.reason), expected, "{record}");
    }

    /// What is to blame is named.
    #[test]
    fn reasons_name_the_record_and_the_term() {
        use SpfReason as Why;
        let text = str::to_owned;
        check_reason(
            "v=spf1 ip4:192.0.2.7 -all",
            &(SpfResult::Pass, Why::Matched { domain: text("d.example"), term: text("ip4:192.0.2.7") }),
        );
        check_reason(
            "v=spf1 include:inc.example -all",
            &(SpfResult::Pass, Why::Matched { domain: text("d.example"), term: text("include:inc.example") }),
        );
        check_reason(
            "v=spf1 redirect=inc.example",
            &(SpfResult::Pass, Why::Matched { domain: text("inc.example"), term: text("ip4:192.0.2.0/28") }),
        );
        check_reason("v=spf1", &(SpfResult::Neutral, Why::NothingMatched { domain: text("d.example") }));
        check_reason("v=spf1 a:ill.example", &(SpfResult::TempError, Why::Unanswered(text("ill.example"))));
        check_reason("v=spf1 include:none.example", &(SpfResult::PermError, Why::LeadsNowhere(text("none.example"))));
        check_reason("v=spf1 mx:many.example", &(SpfResult::PermError, Why::TooManyHosts(text("many.example"))));
        check_reason(
            "v=spf1 include:loop.example",
            &(SpfResult::PermError, Why::TooManyLookups(text("include:loop.example"))),
        );
        check_reason(
            "v=spf1 a:a.example a:b.example a:c.example",
            &(SpfResult::PermError, Why::TooManyVoids(text("c.example"))),
        );
        check_reason(
            "v=spf1 bad:x",
            &(SpfResult::PermError, Why::Malformed { domain: text("d.example"), term: text("bad:x") }),
        );
        check_reason("hello", &(SpfResult::None, Why::NoRecord));
    }
}
