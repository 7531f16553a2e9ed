//! The DNS of a demo: all that is wanted stands in it, but for what a page should show as weak or wrong. No network is asked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_dnscheck::{
    Answer, Answering, CertificateFace, Data, Inspector, Kind, Lack, Look, Proof, Purpose, Reach, Record, ServerAnswer,
    SmtpFace, Target, TlsFace, Unreached, Wanted, WebAnswer, WebFailure, reverse_name,
};
use relais_model::Domain;
use relais_msgauth as auth;
use relais_service::{Actor, DnsHouse, Failure, Service};

/// The host's name in it.
const HOST: &str = "mail.relais.test";
/// Of nobody (RFC 5737).
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 25));
/// Seconds that others keep what stands there.
const TTL: u32 = 3600;

/// What stands there.
#[derive(Debug, Default)]
pub(super) struct SampleDns {
    records: Mutex<Vec<Record>>,
}

impl SampleDns {
    /// A house that looks at nothing else.
    pub(super) fn house(self: &Arc<Self>, quiet: DnsHouse) -> Option<DnsHouse> {
        let inspector =
            Inspector::new(Arc::clone(self) as Arc<dyn Look>, Arc::clone(self) as _, Arc::clone(&quiet.random));
        let inspector = inspector.with_blocklists(Vec::new());
        let host = Domain::parse(HOST).ok()?;
        Some(DnsHouse {
            host,
            addresses: vec![ADDRESS],
            inspector: Some(inspector),
            look: Some(Arc::clone(self) as _),
            ..quiet
        })
    }

    /// Fills it with what host and domains want, but for `faults`, and has all checked.
    pub(super) async fn furnish(&self, service: &Service, domains: &[&str]) -> Result<(), Failure> {
        let owner = Actor::command_line();
        let mut wanted = service.dns.wanted(&owner, None).await?;
        for domain in domains {
            wanted.extend(service.dns.wanted(&owner, Some(domain)).await?);
        }
        *self.records.lock().unwrap_or_else(PoisonError::into_inner) =
            wanted.iter().filter_map(|wanted| standing(wanted, domains)).chain(neighbour()).collect();
        service.dns.check_all(&owner).await?;
        service.dns.begin_due().await.map(drop)
    }
}

/// As it stands there: the first domain lacks what some gain from, the second has a mail host of its provider's, an SPF record that forgets us, and no DMARC.
fn standing(wanted: &Wanted, domains: &[&str]) -> Option<Record> {
    let is_of = |at: usize| {
        domains.get(at).is_some_and(|domain| wanted.owner.as_str().ends_with(domain) && wanted.owner.as_str() != HOST)
    };
    let data = match wanted.purpose {
        Purpose::Autodiscover | Purpose::Issuer if is_of(0) => return None,
        Purpose::Mx if is_of(1) => Data::Mx { preference: 10, exchange: Target::new("mx.provider.example") },
        Purpose::Spf if is_of(1) => Data::Txt("v=spf1 include:_spf.provider.example ~all".to_owned()),
        Purpose::Dmarc | Purpose::MtaSts if is_of(1) => return None,
        _ => wanted.data.clone(),
    };
    Some(Record { owner: Target::from(&wanted.owner), ttl: TTL, data })
}

/// Whom the check of port 25 outward meets, and the provider of the second domain.
fn neighbour() -> [Record; 13] {
    let record = |owner: &str, data| Record { owner: Target::new(owner), ttl: TTL, data };
    let text = |text: &str| Data::Txt(text.to_owned());
    let far = Ipv4Addr::new(198, 51, 100, 25);
    let (shop, list) = (Ipv4Addr::new(198, 51, 100, 77), Ipv4Addr::new(203, 0, 113, 40));
    [
        record("gmail.com", Data::Mx { preference: 5, exchange: Target::new("in.gmail.com") }),
        record("in.gmail.com", Data::A(far)),
        record("mx.provider.example", Data::A(far)),
        // Who sends with the demo's name, as reports tell it.
        record("77.100.51.198.in-addr.arpa", Data::Ptr(Target::new("o77.ptr.sendgrid.net"))),
        record("o77.ptr.sendgrid.net", Data::A(shop)),
        record("40.113.0.203.in-addr.arpa", Data::Ptr(Target::new("lists.chess.example"))),
        record("lists.chess.example", Data::A(list)),
        // A house that stands behind its mail, and one that is imitated: for "test this message".
        record("elsewhere.example", text("v=spf1 ip4:203.0.113.25 -all")),
        record("_dmarc.elsewhere.example", text("v=DMARC1; p=reject")),
        record("25.113.0.203.in-addr.arpa", Data::Ptr(Target::new("mx.elsewhere.example"))),
        record("mx.elsewhere.example", Data::A(Ipv4Addr::new(203, 0, 113, 25))),
        record("_dmarc.savings.example", text("v=DMARC1; p=quarantine")),
        record("_spf.provider.example", Data::Txt("v=spf1 ip4:198.51.100.0/24 -all".to_owned())),
    ]
}

impl Look for SampleDns {
    fn public<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Answer> {
        let all = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |owner: &Target, kind: Kind| -> Vec<Record> {
            all.iter().filter(|record| record.owner == *owner && record.data.kind() == kind).cloned().collect()
        };
        let mut owner = Target::from(name);
        let mut aliases = Vec::new();
        if kind != Kind::Cname
            && let [alias] = at(&owner, Kind::Cname).as_slice()
            && let Data::Cname(target) = &alias.data
        {
            owner = target.clone();
            aliases.push(alias.clone());
        }
        let found = at(&owner, kind);
        let is_known = all.iter().any(|record| record.owner == owner);
        let lack = if is_known { Lack::NoData } else { Lack::NoSuchName };
        let records = if found.is_empty() { Err(lack) } else { Ok(found) };
        let answer = Answer { records, aliases, proof: Proof::Insecure, took: Duration::from_millis(20) };
        Box::pin(async move { answer })
    }

    fn authoritative<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Vec<ServerAnswer>> {
        Box::pin(async move {
            let answer = self.public(name, kind).await;
            let server = if reverse_name(ADDRESS).is_ok_and(|reverse| reverse == *name) {
                "ns.net.test"
            } else {
                "ns.relais.test"
            };
            vec![ServerAnswer { server: Target::new(server), answer }]
        })
    }
}

impl SampleDns {
    /// What stands there, as those who judge mail want it.
    async fn found<T>(&self, name: &str, kind: Kind, of: impl Fn(Data) -> Option<T>) -> Result<Vec<T>, auth::Lack> {
        let name = Domain::parse(name).map_err(|_| auth::Lack::NoSuchName)?;
        let records = self.public(&name, kind).await.records.map_err(|lack| match lack {
            Lack::NoSuchName => auth::Lack::NoSuchName,
            _ => auth::Lack::NoData,
        })?;
        Ok(records.into_iter().filter_map(|record| of(record.data)).collect())
    }
}

impl auth::Resolver for SampleDns {
    fn txt<'a>(&'a self, name: &'a str) -> auth::Answering<'a, Result<Vec<Vec<u8>>, auth::Lack>> {
        let text = |data| if let Data::Txt(text) = data { Some(text.into_bytes()) } else { None };
        Box::pin(self.found(name, Kind::Txt, text))
    }

    fn addresses<'a>(
        &'a self,
        name: &'a str,
        family: auth::Family,
    ) -> auth::Answering<'a, Result<Vec<IpAddr>, auth::Lack>> {
        let kind = if family == auth::Family::V4 { Kind::A } else { Kind::Aaaa };
        let address = |data| match data {
            Data::A(address) => Some(IpAddr::V4(address)),
            Data::Aaaa(address) => Some(IpAddr::V6(address)),
            _ => None,
        };
        Box::pin(self.found(name, kind, address))
    }

    fn mx<'a>(&'a self, name: &'a str) -> auth::Answering<'a, Result<Vec<String>, auth::Lack>> {
        let host = |data| if let Data::Mx { exchange, .. } = data { Some(exchange.to_string()) } else { None };
        Box::pin(self.found(name, Kind::Mx, host))
    }

    fn ptr(&self, address: IpAddr) -> auth::Answering<'_, Result<Vec<String>, auth::Lack>> {
        let host = |data| if let Data::Ptr(name) = data { Some(name.to_string()) } else { None };
        Box::pin(async move {
            let name = reverse_name(address).map_err(|_| auth::Lack::NoSuchName)?;
            self.found(name.as_str(), Kind::Ptr, host).await
        })
    }
}

impl Reach for SampleDns {
    fn smtp<'a>(&'a self, _remote: SocketAddr, host: &'a Domain) -> Answering<'a, Result<SmtpFace, Unreached>> {
        let face = CertificateFace { names: vec![host.to_string()], distrust: None, key: [0; 32] };
        Box::pin(async move { Ok(SmtpFace { name: HOST.to_owned(), tls: TlsFace::Shown(face) }) })
    }

    fn policy<'a>(&'a self, _host: &'a Domain, _at: &'a [IpAddr]) -> Answering<'a, Result<WebAnswer, WebFailure>> {
        let body = format!("version: STSv1\r\nmode: testing\r\nmx: {HOST}\r\nmax_age: 604800\r\n");
        Box::pin(async move { Ok(WebAnswer { status: 200, body }) })
    }

    fn greets(&self, _remote: SocketAddr) -> Answering<'_, Result<(), Unreached>> {
        Box::pin(async { Ok(()) })
    }
}
