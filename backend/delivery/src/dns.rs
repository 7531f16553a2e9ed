//! The resolver that hickory gives. Its types stop here.

mod authentication;
mod held;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use relais_model::Domain;
use tokio::time::Instant;

use held::Held;

use crate::ports::{Alias, Answer, Found, LookupError, MxRecord, Resolver, TlsaRecord};

/// A resolver that was found not to carry signatures is asked again after this.
const ASK_AGAIN: Duration = Duration::from_mins(5);

/// Labels above a name where a wildcard is looked for.
const MOST_PARENTS: usize = 6;

/// Why no resolver could be made.
#[derive(Debug, thiserror::Error)]
pub enum ResolverError {
    /// None is configured, or it can't be started.
    #[error("the DNS resolver cannot start")]
    Start(#[source] NetError),
    /// The file holds no DNSKEY records.
    #[error("the trust anchor cannot be read: {0}")]
    TrustAnchor(String),
}

/// A caching stub resolver over UDP and TCP, that checks DNSSEC's signatures itself (RFC 4035 §4.9.3), from the root's keys on.
///
/// A resolver behind it that knows nothing of DNSSEC makes every proof fail. Then, and only until it has once been seen to carry
/// the root's signed keys, its answers are taken without proof, as insecure ones.
pub struct DnsResolver {
    proving: Way,
    plain: Way,
    /// The root's keys were proved once: from then on an answer without proof is no answer.
    carries_signatures: AtomicBool,
    /// When they last were not.
    found_unsigned: Mutex<Option<Instant>>,
    /// What those were told who look whose mail it is. Whoever sends mail asks anew, lest an answer without proof be taken for one with it.
    held: Held,
}

impl fmt::Debug for DnsResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DnsResolver")
    }
}

/// Two resolvers, as one.
struct Way {
    usual: TokioResolver,
    /// Asks over TCP alone, what the usual one doesn't get over UDP: hickory 0.26 asks two servers at once, and then gives up
    /// an answer too large for UDP where both send it, or waits in vain where one is silent (hickory-dns issue 3963).
    over_tcp: TokioResolver,
}

impl Way {
    fn new(
        config: &ResolverConfig,
        options: &ResolverOpts,
        anchors: Option<&Arc<TrustAnchors>>,
    ) -> Result<Self, ResolverError> {
        let build = |config| {
            let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            let mut builder = builder.with_options(options.clone());
            if let Some(anchors) = anchors {
                builder = builder.with_trust_anchor(Arc::clone(anchors));
            }
            builder.build().map_err(ResolverError::Start)
        };
        Ok(Self { over_tcp: build(tcp_alone(config.clone()))?, usual: build(config.clone())? })
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Lookup, NetError> {
        match self.usual.lookup(name, kind).await {
            Err(NetError::Truncated | NetError::Timeout) => self.over_tcp.lookup(name, kind).await,
            answer => answer,
        }
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Result<Lookup, Unheard> {
        match self.lookup(name, kind).await {
            Err(NetError::Dns(DnsError::DnssecBogus)) => {
                self.wildcard(name, kind).await.ok_or_else(|| LookupError::Bogus.into())
            }
            answer => answer.map_err(|error| Unheard { holds_for: held_for(&error), error: told(&error) }),
        }
    }

    /// The proved records of the wildcard that may answer for `name`. RFC 4035 §5.3.4 wants a second proof, that no closer name exists; hickory 0.26 misses it in
    /// zones with NSEC, and calls the answer bogus (hickory-dns pull request 3812). The wildcard asked for by its own name is proved, whatever was shown before: all
    /// that an attacker could do is to put the zone's own wildcard in the place of another of its names.
    async fn wildcard(&self, name: &str, kind: RecordType) -> Option<Lookup> {
        let mut rest = name;
        for _ in 0..MOST_PARENTS {
            (_, rest) = rest.split_once('.')?;
            if rest.is_empty() {
                return None;
            }
            if let Ok(lookup) = self.lookup(&format!("*.{rest}"), kind).await {
                let records = lookup.answers();
                let is_proved = records.iter().all(|record| record.proof == Proof::Secure);
                let has_some = records.iter().any(|record| record.record_type() == kind);
                return (is_proved && has_some).then_some(lookup);
            }
            // Above the zone that the name stands in, a wildcard says nothing of it. That no zone begins here is proved, too.
            if !self.lookup(rest, RecordType::SOA).await.is_err_and(|error| error.is_no_records_found()) {
                return None;
            }
        }
        None
    }
}

impl DnsResolver {
    /// Asks the servers of `/etc/resolv.conf`, and trusts the internet's root.
    ///
    /// # Errors
    /// [`ResolverError`].
    pub fn system() -> Result<Self, ResolverError> {
        let (config, options) = read_system_conf().map_err(ResolverError::Start)?;
        Self::new(&config, options, None)
    }

    /// Asks these servers. The hosts file is left out, so that tests and labs see their own DNS alone. `trust_anchor` is a file of DNSKEY records, for a lab with a
    /// root of its own.
    ///
    /// # Errors
    /// [`ResolverError`].
    pub fn with_servers(servers: &[SocketAddr], trust_anchor: Option<&Path>) -> Result<Self, ResolverError> {
        let servers = servers.iter().map(|server| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = server.port();
            }
            NameServerConfig::new(server.ip(), true, connections)
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        let mut options = ResolverOpts::default();
        options.use_hosts_file = ResolveHosts::Never;
        let anchors = trust_anchor.map(|path| {
            TrustAnchors::from_file(path).map(Arc::new).map_err(|error| ResolverError::TrustAnchor(error.to_string()))
        });
        Self::new(&config, options, anchors.transpose()?.as_ref())
    }

    fn new(
        config: &ResolverConfig,
        mut options: ResolverOpts,
        anchors: Option<&Arc<TrustAnchors>>,
    ) -> Result<Self, ResolverError> {
        options.preserve_intermediates = true;
        let plain = Way::new(config, &options, None)?;
        options.validate = true;
        // One server after the other: a key that is lost to issue 3963 would make a good answer a bad one.
        options.num_concurrent_reqs = 1;
        let proving = Way::new(config, &options, anchors)?;
        Ok(Self {
            proving,
            plain,
            carries_signatures: AtomicBool::new(false),
            found_unsigned: Mutex::default(),
            held: Held::new(),
        })
    }

    async fn look_up(&self, name: &str, kind: RecordType) -> Result<Heard, LookupError> {
        self.hear(name, kind).await.map_err(|unheard| unheard.error)
    }

    /// `name` ends with a dot, so that no search list of the machine is tried.
    async fn hear(&self, name: &str, kind: RecordType) -> Result<Heard, Unheard> {
        let is_proved = self.carries_signatures().await?;
        let way = if is_proved { &self.proving } else { &self.plain };
        let lookup = way.ask(name, kind).await?;
        let records = lookup.answers();
        if records.iter().any(|record| record.proof == Proof::Bogus) {
            return Err(LookupError::Bogus.into());
        }
        Ok(Heard { records: records.to_vec(), is_proved, until: Instant::from_std(lookup.valid_until()) })
    }

    /// Whether the resolver gives signatures: the root's keys are signed, whatever else is not.
    ///
    /// # Errors
    /// It is silent: whoever stands between would else talk us out of DNSSEC by dropping one packet.
    async fn carries_signatures(&self) -> Result<bool, LookupError> {
        let asked_lately = || {
            let found = *self.found_unsigned.lock().unwrap_or_else(PoisonError::into_inner);
            found.is_some_and(|at| at.elapsed() < ASK_AGAIN)
        };
        if self.carries_signatures.load(Ordering::Relaxed) {
            return Ok(true);
        }
        if asked_lately() {
            return Ok(false);
        }
        let keys = match self.proving.lookup(".", RecordType::DNSKEY).await {
            Ok(keys) => keys.answers().iter().any(|record| record.proof == Proof::Secure),
            Err(NetError::Dns(_)) => false,
            Err(error) => return Err(LookupError::Temporary(error.to_string())),
        };
        if keys {
            self.carries_signatures.store(true, Ordering::Relaxed);
        } else {
            tracing::warn!("the resolver carries no DNSSEC signatures: without DANE, mail to other hosts is less safe");
            *self.found_unsigned.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        Ok(keys)
    }
}

/// What an answer holds, aliases and signatures among it.
struct Heard {
    records: Vec<Record>,
    is_proved: bool,
    /// It holds until then.
    until: Instant,
}

/// Why there is none, and for how long that holds.
struct Unheard {
    error: LookupError,
    holds_for: Duration,
}

impl From<LookupError> for Unheard {
    fn from(error: LookupError) -> Self {
        Self { error, holds_for: Duration::ZERO }
    }
}

impl Heard {
    fn found<T>(&self, name: &Domain, pick: impl Fn(&RData) -> Option<T>) -> Result<Found<T>, LookupError> {
        let counts = |record: &&Record| record.record_type() != RecordType::RRSIG;
        let is_secure = self.is_proved && self.records.iter().filter(counts).all(|record| record.proof.is_secure());
        let mut target = None;
        let mut records = Vec::new();
        for record in &self.records {
            if let Some(picked) = pick(&record.data) {
                target = Some(&record.name);
                records.push(picked);
            }
        }
        let alias = || {
            let is_first = |record: &&Record| {
                record.record_type() == RecordType::CNAME && domain_of(&record.name).as_ref() == Some(name)
            };
            let first = self.records.iter().find(is_first)?;
            Some(Alias { target: domain_of(target?)?, is_secure: self.is_proved && first.proof.is_secure() })
        };
        let alias = alias();
        if records.is_empty() { Err(LookupError::NoRecords) } else { Ok(Found { records, is_secure, alias }) }
    }
}

fn domain_of(name: &Name) -> Option<Domain> {
    Domain::parse(&name.to_ascii()).ok().filter(|domain| !domain.is_literal())
}

fn tcp_alone(config: ResolverConfig) -> ResolverConfig {
    let (domain, search, mut servers) = config.into_parts();
    for server in &mut servers {
        server.connections.retain(|connection| connection.protocol == ProtocolConfig::Tcp);
    }
    ResolverConfig::from_parts(domain, search, servers)
}

impl Resolver for DnsResolver {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Answer<'a, Result<Found<MxRecord>, LookupError>> {
        Box::pin(async move {
            self.look_up(&rooted(domain), RecordType::MX).await?.found(domain, |data| match data {
                RData::MX(mx) => mx_record(mx.preference, &mx.exchange),
                _ => None,
            })
        })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Answer<'a, Result<Found<IpAddr>, LookupError>> {
        Box::pin(async move {
            let name = rooted(host);
            let (v6, v4) = tokio::join!(self.look_up(&name, RecordType::AAAA), self.look_up(&name, RecordType::A));
            let found = |heard: Heard| heard.found(host, RData::ip_addr);
            both(v6.and_then(found), v4.and_then(found))
        })
    }

    fn tlsa<'a>(&'a self, name: &'a Domain) -> Answer<'a, Result<Found<TlsaRecord>, LookupError>> {
        Box::pin(async move {
            self.look_up(&rooted(name), RecordType::TLSA).await?.found(name, |data| match data {
                RData::TLSA(tlsa) => Some(TlsaRecord {
                    usage: tlsa.cert_usage.into(),
                    selector: tlsa.selector.into(),
                    matching: tlsa.matching.into(),
                    data: tlsa.cert_data.clone(),
                }),
                _ => None,
            })
        })
    }

    fn txt<'a>(&'a self, name: &'a Domain) -> Answer<'a, Result<Found<String>, LookupError>> {
        Box::pin(async move {
            self.look_up(&rooted(name), RecordType::TXT).await?.found(name, |data| match data {
                RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
                _ => None,
            })
        })
    }
}

fn rooted(domain: &Domain) -> String {
    format!("{domain}.")
}

/// An exchange that is no host name can't be looked up; it is passed over as if it weren't there.
fn mx_record(preference: u16, exchange: &Name) -> Option<MxRecord> {
    if exchange.is_root() {
        return Some(MxRecord { preference, exchange: None });
    }
    let exchange = Domain::parse(&exchange.to_ascii()).ok().filter(|domain| !domain.is_literal())?;
    Some(MxRecord { preference, exchange: Some(exchange) })
}

fn told(error: &NetError) -> LookupError {
    if let NetError::Dns(DnsError::DnssecBogus | DnsError::Nsec { .. }) = error {
        // An absence that isn't proved, in a zone that owes the proof: whoever left it out would have us believe that there is no TLSA record, or no MX.
        LookupError::Bogus
    } else if error.is_nx_domain() {
        LookupError::NoSuchDomain
    } else if error.is_no_records_found() {
        LookupError::NoRecords
    } else {
        LookupError::Temporary(error.to_string())
    }
}

/// RFC 2308 §5: that nothing is there holds for as long as the zone's SOA says, and without one not at all.
fn held_for(error: &NetError) -> Duration {
    let NetError::Dns(DnsError::NoRecordsFound(lack)) = error else { return Duration::ZERO };
    let seconds = lack.soa.as_ref().map_or(0, |soa| soa.ttl.min(soa.data.minimum));
    Duration::from_secs(seconds.into())
}

/// What one family found is enough; without any, the DNS is asked again while one of the answers is still owed.
fn both(
    v6: Result<Found<IpAddr>, LookupError>,
    v4: Result<Found<IpAddr>, LookupError>,
) -> Result<Found<IpAddr>, LookupError> {
    match (v6, v4) {
        (Ok(mut v6), Ok(v4)) => {
            v6.records.extend(v4.records);
            let alias = v6.alias.or(v4.alias);
            Ok(Found { records: v6.records, is_secure: v6.is_secure && v4.is_secure, alias })
        }
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(error @ (LookupError::Temporary(_) | LookupError::Bogus)), Err(_)) | (Err(_), Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn one_family_is_enough_and_an_answer_owed_is_waited_for() {
        let found =
            |text: &str| Ok(Found { records: vec![text.parse::<IpAddr>().unwrap()], is_secure: false, alias: None });
        let temporary = || Err(LookupError::Temporary("timeout".into()));
        assert_eq!(both(found("::1"), temporary()), found("::1"));
        assert_eq!(both(Err(LookupError::NoRecords), found("127.0.0.1")), found("127.0.0.1"));
        assert_eq!(both(temporary(), Err(LookupError::NoRecords)), temporary());
        assert_eq!(both(Err(LookupError::NoRecords), temporary()), temporary());
        assert_eq!(
            both(Err(LookupError::NoSuchDomain), Err(LookupError::NoSuchDomain)),
            Err(LookupError::NoSuchDomain)
        );
    }

    #[test]
    fn the_root_is_the_null_exchange() {
        assert_eq!(mx_record(0, &Name::root()), Some(MxRecord { preference: 0, exchange: None }));
        let name = Name::from_ascii("MX.Example.").unwrap();
        assert_eq!(mx_record(5, &name).unwrap().exchange, Some(Domain::parse("mx.example").unwrap()));
    }

    /// Answers all questions for MX alike and others with the code `no`: over UDP with nothing but the mark that there is more, over TCP with an MX.
    fn tight_server(no: u8) -> SocketAddr {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).unwrap();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((octets, asker)) = udp.recv_from(&mut query) {
                udp.send_to(&answer(&query[..octets], &[], no), asker).unwrap();
            }
        });
        std::thread::spawn(move || {
            for mut stream in tcp.incoming().flatten() {
                let mut length = [0; 2];
                while stream.read_exact(&mut length).is_ok() {
                    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                    stream.read_exact(&mut query).unwrap();
                    // The question's name, MX, IN, an hour, seven octets: preference 10, `mx` at the question's name.
                    let record = b"\xc0\x0c\0\x0f\0\x01\0\0\x0e\x10\0\x07\0\x0a\x02mx\xc0\x0c";
                    let answer = answer(&query, record, no);
                    stream.write_all(&u16::try_from(answer.len()).unwrap().to_be_bytes()).unwrap();
                    stream.write_all(&answer).unwrap();
                }
            }
        });
        address
    }

    /// RFC 1035 §4.1: the query's id and question, then the record; without one the answer is truncated.
    fn answer(query: &[u8], record: &[u8], no: u8) -> Vec<u8> {
        let question_end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
        let is_for_mx = query[question_end - 4..question_end - 2] == [0, 15];
        let (flags, rcode, record) = match record {
            _ if !is_for_mx => (0x80, no, &[][..]),
            [] => (0x82, 0, record),
            _ => (0x80, 0, record),
        };
        let count = u8::from(!record.is_empty());
        let head = [query[0], query[1], flags, 0x80 | rcode, 0, 1, 0, count, 0, 0, 0, 0];
        [&head, &query[12..question_end], record].concat()
    }

    /// RFC 2181 §9. With two servers the answer was lost.
    #[tokio::test]
    async fn an_answer_too_large_for_udp_is_fetched_over_tcp() {
        // REFUSED, NXDOMAIN, NOTIMP, SERVFAIL, "nothing there": so do servers without DNSSEC answer for the root's keys.
        for no in [5, 3, 4, 2, 0] {
            let servers = if no == 5 { vec![tight_server(no), tight_server(no)] } else { vec![tight_server(no)] };
            let resolver = DnsResolver::with_servers(&servers, None).unwrap();
            let found = resolver.mx(&Domain::parse("d.example").unwrap()).await.unwrap();
            let expected = MxRecord { preference: 10, exchange: Some(Domain::parse("mx.d.example").unwrap()) };
            assert_eq!(found.records, [expected], "{no}");
        }
    }
}
