//! What is thought of an answer by what it says, purpose by purpose.

use std::net::IpAddr;

use relais_model::Domain;

use super::{AllSeen, Opinion, Seen};
use crate::dkim::{DkimError, DkimRecord, published_key};
use crate::dmarc::{Dmarc, DmarcError, is_dmarc};
use crate::look::{Answer, Proof, ServerAnswer};
use crate::reason::{Reason, Verdict};
use crate::record::{Data, Kind, Record, Target};
use crate::spf::{Mechanism, Qualifier, Spf, Term, is_spf};
use crate::tags::{Tags, claims};
use crate::wanted::{Facts, Need, Purpose, Wanted};
use relais_smtp::sts::{is_sts, sts_id};

/// What is wanted at one place.
pub(super) struct Case<'a> {
    pub(super) facts: &'a Facts,
    pub(super) purpose: Purpose,
    pub(super) need: Need,
    /// At least one.
    pub(super) wanted: &'a [Wanted],
}

impl Case<'_> {
    pub(super) fn opinion(&self, answer: &Answer) -> Opinion {
        let mut opinion = self.by_purpose(answer);
        opinion.surplus.retain(|record| !self.is_wanted(record));
        // A text that isn't good gives way to the one that is wanted: two of a kind would be none.
        if opinion.verdict == Verdict::Good || !opinion.surplus.is_empty() {
            return opinion;
        }
        let surplus = self.replaced(answer);
        opinion.without(surplus)
    }

    /// The texts of this purpose that stand there and aren't the one wanted.
    pub(super) fn replaced(&self, answer: &Answer) -> Vec<Record> {
        let is_meant = |record: &Record| record.data.text().is_some_and(|text| self.means(text));
        answer.records().iter().filter(|record| is_meant(record) && !self.is_wanted(record)).cloned().collect()
    }

    fn is_wanted(&self, record: &Record) -> bool {
        self.wanted.iter().any(|wanted| wanted.data == record.data)
    }

    /// Whether a text claims to be for this purpose; others at the name are no concern of ours.
    fn means(&self, text: &str) -> bool {
        match self.purpose {
            Purpose::Spf | Purpose::HostSpf => is_spf(text.as_bytes()),
            Purpose::Dkim => claims(text, "DKIM1") || text.contains("p="),
            Purpose::Dmarc => is_dmarc(text),
            Purpose::MtaSts => is_sts(text),
            Purpose::TlsReports => claims(text, "TLSRPTv1"),
            _ => false,
        }
    }

    fn by_purpose(&self, answer: &Answer) -> Opinion {
        match self.purpose {
            Purpose::HostAddress => self.host_address(answer),
            Purpose::ReverseName => self.reverse_name(answer),
            Purpose::Mx => self.mx(answer),
            Purpose::Spf | Purpose::HostSpf => self.spf(answer),
            Purpose::Dkim => self.dkim(answer),
            Purpose::Dmarc => self.dmarc(answer),
            Purpose::MtaSts => self.mta_sts(answer),
            Purpose::MtaStsHost | Purpose::Autoconfig | Purpose::Autodiscover => self.leads_to_us(answer),
            Purpose::TlsReports => self.tls_reports(answer),
            Purpose::Dane => self.dane(answer),
            Purpose::Service => self.service(answer),
            Purpose::Issuer => self.issuer(answer),
        }
    }

    /// The one text that is meant; several are no record at all (RFC 7208 §4.5, RFC 7489 §6.6.3, RFC 8461 §3.1).
    fn one_of<'b>(&self, answer: &'b Answer) -> One<'b> {
        let is_meant = |record: &&Record| record.data.text().is_some_and(|text| self.means(text));
        let meant: Vec<&Record> = answer.records().iter().filter(is_meant).collect();
        match meant.as_slice() {
            [] => One::None,
            [single] => One::Single(single.data.text().unwrap_or_default()),
            several => One::Several(several.iter().map(|record| (*record).clone()).collect()),
        }
    }

    /// As bad as the record is needed.
    const fn as_needed(&self, reason: Reason) -> Opinion {
        match self.need {
            Need::Must => Opinion::wrong(reason),
            Need::Should | Need::Nice => Opinion::better(reason),
        }
    }

    const fn missing(&self) -> Opinion {
        self.as_needed(Reason::Missing)
    }

    fn host_address(&self, answer: &Answer) -> Opinion {
        if let Some(target) = answer.alias() {
            return Opinion::wrong(Reason::AliasAtHost(target.clone())).without(answer.aliases.clone());
        }
        let (ours, others): (Vec<&Record>, Vec<&Record>) =
            answer.records().iter().partition(|record| self.is_wanted(record));
        let others: Vec<Record> = others.into_iter().cloned().collect();
        if others.is_empty() {
            if ours.len() < self.wanted.len() { self.missing() } else { Opinion::good() }
        } else if ours.is_empty() {
            Opinion::wrong(Reason::WrongHost(shown(&others))).without(others)
        } else {
            Opinion::wrong(Reason::OtherAddresses(shown(&others))).without(others)
        }
    }

    fn reverse_name(&self, answer: &Answer) -> Opinion {
        let names = answer.data().filter_map(|data| if let Data::Ptr(name) = data { Some(name) } else { None });
        let names: Vec<&Target> = names.collect();
        let is_ours = names.iter().any(|name| **name == self.facts.host);
        match names.as_slice() {
            [] => Opinion::wrong(Reason::ReverseMissing),
            [_] if is_ours => Opinion::good(),
            several if is_ours => Opinion::better(Reason::ReverseSeveral(several.len())),
            [first, ..] => Opinion::wrong(Reason::ReverseWrong((*first).clone())).without(answer.records().to_vec()),
        }
    }

    fn mx(&self, answer: &Answer) -> Opinion {
        if let Some(target) = answer.alias() {
            return Opinion::wrong(Reason::AliasAtDomain(target.clone())).without(answer.aliases.clone());
        }
        let hosts = exchanges(answer);
        let is_us = |host: &&Exchange<'_>| *host.name == self.facts.host;
        let ours = hosts.iter().filter(is_us).map(|host| host.preference).min();
        let others: Vec<&Exchange<'_>> = hosts.iter().filter(|host| !is_us(host)).collect();
        let surplus: Vec<Record> = others.iter().map(|host| host.record.clone()).collect();
        let named = others.iter().map(|host| host.name.to_string()).collect::<Vec<_>>().join(", ");
        let address = others.iter().find(|host| host.name.as_str().parse::<IpAddr>().is_ok());
        if hosts.is_empty() {
            self.missing()
        } else if hosts.iter().all(|host| host.name.is_root()) {
            Opinion::wrong(Reason::NullMx).without(surplus)
        } else if let Some(host) = address {
            Opinion::wrong(Reason::MxAddress(host.name.clone())).without(surplus)
        } else if others.iter().any(|host| host.name.is_root()) {
            Opinion::wrong(Reason::NullMxBeside).without(surplus)
        } else {
            match ours {
                None => Opinion::wrong(Reason::MxElsewhere(named)).without(surplus),
                Some(_) if others.is_empty() => Opinion::good(),
                Some(ours) if others.iter().any(|host| host.preference <= ours) => {
                    Opinion::wrong(Reason::MxOthersFirst(named)).without(surplus)
                }
                Some(_) => Opinion::better(Reason::MxOthers(named)),
            }
        }
    }

    fn spf(&self, answer: &Answer) -> Opinion {
        if self.purpose == Purpose::Spf
            && let Some(target) = answer.alias()
        {
            return Opinion::wrong(Reason::AliasAtDomain(target.clone())).without(answer.aliases.clone());
        }
        let text = match self.one_of(answer) {
            One::None => {
                let alike = answer.records().iter().find(|record| is_alike(record, "spf1"));
                return alike.map_or_else(
                    || self.missing(),
                    |record| self.as_needed(Reason::SpfMisspelt(record.data.to_string())).without(vec![record.clone()]),
                );
            }
            One::Several(records) => return self.as_needed(Reason::Doubled(records.len())).without(records),
            One::Single(text) => text,
        };
        match Spf::parse(text) {
            Err(error) => self.as_needed(Reason::SpfMalformed(error.culprit())),
            Ok(spf) => spf_style(&spf),
        }
    }

    /// It is the record of a key that doesn't sign yet: no mail needs it.
    fn waits(&self) -> bool {
        let name = self.wanted.first().map_or("", |wanted| wanted.owner.as_str());
        let is_named =
            |selector: &str| name.strip_prefix(selector).is_some_and(|rest| rest.starts_with("._domainkey."));
        self.facts.dkim.iter().any(|key| key.waits && is_named(&key.selector))
    }

    fn dkim(&self, answer: &Answer) -> Opinion {
        let text = match self.one_of(answer) {
            One::None if self.waits() => return Opinion::better(Reason::ToPublish),
            One::None => return self.missing(),
            One::Several(records) => return self.as_needed(Reason::Doubled(records.len())).without(records),
            One::Single(text) => text,
        };
        let key_of = |text: &str| Tags::parse(text).ok().as_ref().and_then(published_key).unwrap_or_default();
        let ours = self.wanted.iter().filter_map(|wanted| wanted.data.text()).map(key_of).next().unwrap_or_default();
        let theirs = key_of(text);
        if !theirs.is_empty() && theirs.len() < ours.len() && ours.starts_with(&theirs) {
            return self.as_needed(Reason::DkimTruncated(theirs.len(), ours.len()));
        }
        match DkimRecord::parse(text) {
            Err(DkimError::Revoked) => self.as_needed(Reason::DkimRevoked),
            Err(error) => self.as_needed(Reason::DkimMalformed(error.culprit())),
            Ok(record) if record.public_key != ours => self.as_needed(Reason::DkimOther),
            Ok(record) if record.is_testing => Opinion::better(Reason::DkimTesting),
            Ok(_) => Opinion::good(),
        }
    }

    fn dmarc(&self, answer: &Answer) -> Opinion {
        let wish = &self.facts.dmarc;
        let text = match self.one_of(answer) {
            One::None => {
                let alike = answer.records().iter().find(|record| is_alike(record, "dmarc1"));
                return alike.map_or_else(
                    || self.missing(),
                    |record| {
                        Opinion::wrong(Reason::DmarcMalformed(DmarcError::Version.culprit()))
                            .without(vec![record.clone()])
                    },
                );
            }
            One::Several(records) => return Opinion::wrong(Reason::Doubled(records.len())).without(records),
            One::Single(text) => text,
        };
        match Dmarc::parse(text) {
            Err(error) => Opinion::wrong(Reason::DmarcMalformed(error.culprit())),
            Ok(dmarc) if dmarc.policy < wish.policy => {
                Opinion::better(Reason::DmarcWeak(dmarc.policy.as_str(), wish.policy.as_str()))
            }
            Ok(dmarc) if !dmarc.grants(wish) => Opinion::better(Reason::DmarcPercent(dmarc.percent)),
            Ok(dmarc) if dmarc.reports.is_empty() && wish.reports.is_some() => Opinion::better(Reason::DmarcNoReports),
            Ok(_) => Opinion::good(),
        }
    }

    fn mta_sts(&self, answer: &Answer) -> Opinion {
        let text = match self.one_of(answer) {
            One::None => return self.missing(),
            One::Several(records) => return Opinion::wrong(Reason::Doubled(records.len())).without(records),
            One::Single(text) => text,
        };
        let wanted = self.facts.mta_sts.as_ref().map(|wish| wish.id.clone()).unwrap_or_default();
        match sts_id(text) {
            None => Opinion::wrong(Reason::StsMalformed),
            Some(id) if id != wanted => Opinion::better(Reason::StsIdOld(id, wanted)),
            Some(_) => Opinion::good(),
        }
    }

    /// By an alias or by addresses of its own. An alias of our host is good whatever the host's own records are: they have a check of their own.
    fn leads_to_us(&self, answer: &Answer) -> Opinion {
        let is_elsewhere =
            |record: &&Record| record.data.ip().is_some_and(|address| !self.facts.addresses.contains(&address));
        let others: Vec<Record> = answer.records().iter().filter(is_elsewhere).cloned().collect();
        match answer.alias() {
            Some(target) if *target == self.facts.host => Opinion::good(),
            _ if others.is_empty() && !answer.records().is_empty() => Opinion::good(),
            Some(target) => self.as_needed(Reason::WrongHost(target.to_string())).without(answer.aliases.clone()),
            None if others.is_empty() => self.missing(),
            None => self.as_needed(Reason::WrongHost(shown(&others))).without(others),
        }
    }

    fn tls_reports(&self, answer: &Answer) -> Opinion {
        let text = match self.one_of(answer) {
            One::None => return self.missing(),
            One::Several(records) => return Opinion::better(Reason::Doubled(records.len())).without(records),
            One::Single(text) => text,
        };
        // RFC 8460 §3.
        let is_uri = |uri: &str| uri.trim().starts_with("mailto:") || uri.trim().starts_with("https:");
        let reports = Tags::parse(text).ok().and_then(|tags| tags.value("rua"));
        let names_somebody = reports.is_some_and(|uris| uris.split(',').all(is_uri));
        if names_somebody { Opinion::good() } else { Opinion::better(Reason::TlsReportsMalformed) }
    }

    /// The first one wanted is for the key in use.
    fn dane(&self, answer: &Answer) -> Opinion {
        if answer.records().is_empty() {
            return self.missing();
        }
        let stands = |wanted: &Wanted| answer.data().any(|data| *data == wanted.data);
        let Some((current, coming)) = self.wanted.split_first() else { return Opinion::good() };
        if !stands(current) {
            // Senders that keep DANE send nothing any more (RFC 7672 §2.2).
            Opinion::wrong(Reason::TlsaStale).without(answer.records().to_vec())
        } else if !coming.iter().all(stands) {
            Opinion::better(Reason::TlsaComing)
        } else if answer.proof == Proof::Insecure {
            Opinion::better(Reason::TlsaUnproven)
        } else {
            Opinion::good()
        }
    }

    fn service(&self, answer: &Answer) -> Opinion {
        let service =
            |data: &Data| if let Data::Srv { port, target, .. } = data { Some((*port, target.clone())) } else { None };
        let found: Vec<(u16, Target)> = answer.data().filter_map(service).collect();
        let wanted = self.wanted.iter().find_map(|wanted| service(&wanted.data)).map_or(0, |(port, _)| port);
        let (ours, others): (Vec<_>, Vec<_>) = found.iter().partition(|(_, target)| *target == self.facts.host);
        let all = || answer.records().to_vec();
        match (ours.first(), others.first()) {
            (None, None) => self.missing(),
            (_, Some((_, target))) if target.is_root() => Opinion::better(Reason::SrvOff).without(all()),
            (_, Some((port, target))) => Opinion::wrong(Reason::WrongHost(format!("{target}:{port}"))).without(all()),
            (Some((port, _)), None) if *port != wanted => Opinion::wrong(Reason::SrvPort(*port, wanted)).without(all()),
            (Some(_), None) => Opinion::good(),
        }
    }

    /// RFC 8659 §4.2: without `issue`, anybody may.
    fn issuer(&self, answer: &Answer) -> Opinion {
        let mut issuers: Vec<&str> = Vec::new();
        for data in answer.data() {
            if let Data::Caa { tag, value, .. } = data
                && tag == "issue"
            {
                issuers.push(value);
            }
        }
        // Behind the name stand its parameters; no name at all, `;`, means nobody (RFC 8659 §4.2).
        let named = |value: &str| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_ours = |value: &&str| self.facts.issuers.iter().any(|ours| ours.eq_ignore_ascii_case(&named(value)));
        if issuers.is_empty() {
            self.missing()
        } else if issuers.iter().any(is_ours) {
            Opinion::good()
        } else {
            Opinion::wrong(Reason::CaaForbids(issuers.join(", ")))
        }
    }
}

struct Exchange<'a> {
    preference: u16,
    name: &'a Target,
    record: &'a Record,
}

fn exchanges(answer: &Answer) -> Vec<Exchange<'_>> {
    let mut exchanges = Vec::new();
    for record in answer.records() {
        if let Data::Mx { preference, exchange } = &record.data {
            exchanges.push(Exchange { preference: *preference, name: exchange, record });
        }
    }
    exchanges
}

/// A record that receivers can read may still say what its owner didn't mean.
fn spf_style(spf: &Spf) -> Opinion {
    let uses_ptr = spf.terms.iter().any(|term| matches!(term, Term::Directive(_, Mechanism::Ptr(_))));
    match spf.all() {
        Some(Qualifier::Pass) => Opinion::wrong(Reason::SpfOpen),
        None if spf.redirect().is_none() => Opinion::better(Reason::SpfNoAll),
        _ => match spf.unreached().next() {
            Some(term) => Opinion::better(Reason::SpfUnreached(term.to_string())),
            None if uses_ptr => Opinion::better(Reason::SpfPtr),
            None => Opinion::good(),
        },
    }
}

enum One<'a> {
    None,
    Single(&'a str),
    Several(Vec<Record>),
}

/// A text that means to be one of ours, and isn't.
fn is_alike(record: &Record, mark: &str) -> bool {
    record.data.text().is_some_and(|text| text.to_ascii_lowercase().contains(mark))
}

fn shown(records: &[Record]) -> String {
    records.iter().map(|record| record.data.to_string()).collect::<Vec<_>>().join(", ")
}

/// A and AAAA of a name in one: where it leads.
pub(super) fn leading(owner: &Domain, seen: &AllSeen) -> Option<Seen> {
    let v4 = seen.get(&(owner.clone(), Kind::A))?;
    let v6 = seen.get(&(owner.clone(), Kind::Aaaa))?;
    let server = |said: &ServerAnswer| {
        let other = v6.servers.iter().find(|other| other.server == said.server);
        let answer = other.map_or_else(|| said.answer.clone(), |other| both(&said.answer, &other.answer));
        ServerAnswer { server: said.server.clone(), answer }
    };
    Some(Seen { public: both(&v4.public, &v6.public), servers: v4.servers.iter().map(server).collect() })
}

fn both(v4: &Answer, v6: &Answer) -> Answer {
    let records = match (&v4.records, &v6.records) {
        (Ok(v4), Ok(v6)) => Ok(v4.iter().chain(v6).cloned().collect()),
        (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(one.clone()),
        // An answer that is owed outweighs one that says "nothing".
        (Err(one), Err(other)) => Err(if one.is_answer() { *other } else { *one }),
    };
    let aliases = if v4.aliases.is_empty() { v6.aliases.clone() } else { v4.aliases.clone() };
    let proof = match (v4.proof, v6.proof) {
        (one, other) if one == other => one,
        (Proof::Bogus, _) | (_, Proof::Bogus) => Proof::Bogus,
        (Proof::Indeterminate, _) | (_, Proof::Indeterminate) => Proof::Indeterminate,
        _ => Proof::Insecure,
    };
    Answer { records, aliases, proof, took: v4.took.max(v6.took) }
}
