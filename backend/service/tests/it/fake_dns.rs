//! A DNS, a network and a provider that are none.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use relais_dnscheck::provider::{
    Asking, Change, Contents, Provider, ProviderError, ProviderKind, Publisher, RecordSet, SetKey, Zone,
};
use relais_dnscheck::{
    Answer, Answering, Data, Kind, Lack, Look, Proof, Reach, Record, ServerAnswer, SmtpFace, Target, Unreached,
    WebAnswer, WebFailure,
};
use relais_model::Domain;
use relais_service::DnsReport;

/// What the world sees, and what the provider's zone `one.example` holds: two things here.
#[derive(Debug, Default)]
pub(crate) struct FakeDns {
    seen: Mutex<Vec<(String, Data)>>,
    is_silent: Mutex<bool>,
    zone: Mutex<BTreeMap<SetKey, RecordSet>>,
}

impl FakeDns {
    /// All that a report wants stands, but for these types.
    pub(crate) fn fill(&self, report: &DnsReport, without: &[&str]) {
        let records = report.records.iter().filter(|record| !without.contains(&record.kind.as_str()));
        *self.seen.lock().unwrap() =
            records.filter_map(|record| Some((record.name_whole.clone(), data(record)?))).collect();
    }

    /// Nobody answers.
    pub(crate) fn silent(&self, is_silent: bool) {
        *self.is_silent.lock().unwrap() = is_silent;
    }

    /// What the provider's zone holds there.
    pub(crate) fn zone(&self, name: &str, kind: &str) -> Vec<String> {
        let zone = self.zone.lock().unwrap();
        zone.get(&(name.to_owned(), kind.to_owned())).map(|set| set.values.clone()).unwrap_or_default()
    }
}

fn data(record: &relais_service::DnsRecordForms) -> Option<Data> {
    let value = record.value.as_str();
    let words: Vec<&str> = value.split(' ').collect();
    Some(match record.kind.as_str() {
        "A" => Data::A(value.parse().unwrap()),
        "TXT" => Data::Txt(value.to_owned()),
        "CNAME" => Data::Cname(Target::new(value)),
        "MX" => Data::Mx { preference: words[0].parse().unwrap(), exchange: Target::new(words[1]) },
        "SRV" => Data::Srv {
            priority: words[0].parse().unwrap(),
            weight: words[1].parse().unwrap(),
            port: words[2].parse().unwrap(),
            target: Target::new(words[3]),
        },
        _ => return None,
    })
}

impl Look for FakeDns {
    fn public<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Answer> {
        let seen = self.seen.lock().unwrap();
        let here = seen.iter().filter(|(owner, data)| owner == name.as_str() && data.kind() == kind);
        let records: Vec<Record> =
            here.map(|(owner, data)| Record { owner: Target::new(owner), ttl: 3600, data: data.clone() }).collect();
        let records = match (*self.is_silent.lock().unwrap(), records.is_empty()) {
            (true, _) => Err(Lack::Timeout),
            (false, true) => Err(Lack::NoData),
            (false, false) => Ok(records),
        };
        let took = Duration::from_millis(1);
        Box::pin(async move { Answer { records, aliases: Vec::new(), proof: Proof::Insecure, took } })
    }

    fn authoritative<'a>(&'a self, _name: &'a Domain, _kind: Kind) -> Answering<'a, Vec<ServerAnswer>> {
        Box::pin(async { Vec::new() })
    }
}

impl Reach for FakeDns {
    fn smtp<'a>(&'a self, _remote: SocketAddr, _host: &'a Domain) -> Answering<'a, Result<SmtpFace, Unreached>> {
        Box::pin(async { Err(Unreached::Refused) })
    }

    fn policy<'a>(&'a self, _host: &'a Domain, _at: &'a [IpAddr]) -> Answering<'a, Result<WebAnswer, WebFailure>> {
        Box::pin(async { Err(WebFailure::Unreached("nobody".to_owned())) })
    }

    fn greets(&self, _remote: SocketAddr) -> Answering<'_, Result<(), Unreached>> {
        Box::pin(async { Err(Unreached::Refused) })
    }
}

/// Opens the account whose token is `hunter2`.
pub(crate) fn publisher(dns: &Arc<FakeDns>, token: &str) -> Publisher {
    Publisher::new(Box::new(FakeProvider { dns: Arc::clone(dns), is_let_in: token == "hunter2" }))
}

#[derive(Debug)]
struct FakeProvider {
    dns: Arc<FakeDns>,
    is_let_in: bool,
}

impl Provider for FakeProvider {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Desec
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        let zone = || Zone { name: "one.example".to_owned(), key: String::new(), least_ttl: 0 };
        let found = (name == "one.example").then(zone);
        let refused = ProviderError::Refused { said: "no".to_owned() };
        Box::pin(async move { if self.is_let_in { Ok(found) } else { Err(refused) } })
    }

    fn read<'a>(&'a self, _zone: &'a Zone, _names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        let sets = self.dns.zone.lock().unwrap().values().cloned().collect();
        Box::pin(async move { Ok(Contents { sets, ..Contents::default() }) })
    }

    fn write<'a>(&'a self, _zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
        let mut zone = self.dns.zone.lock().unwrap();
        for change in changes {
            match &change.after {
                Some(set) => drop(zone.insert(change.key(), set.clone())),
                None => drop(zone.remove(&change.key())),
            }
        }
        Box::pin(async { Ok(()) })
    }

    fn has_kind(&self, _kind: &str) -> bool {
        true
    }
}
