//! The resolver that hickory gives. Its types stop here.

mod authentication;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use relais_model::Domain;

use crate::ports::{Answer, Found, LookupError, MxRecord, Resolver};

/// Why no resolver could be made.
#[derive(Debug, thiserror::Error)]
#[error("the DNS resolver cannot start")]
pub struct ResolverError(#[source] NetError);

/// A caching stub resolver over UDP and TCP.
///
/// It doesn't validate DNSSEC yet, so nothing it finds counts as secure.
pub struct DnsResolver {
    usual: TokioResolver,
    /// Asks over TCP alone, what the usual one doesn't get over UDP: hickory 0.26 asks two servers at once, and then gives up
    /// an answer too large for UDP where both send it, or waits in vain where one is silent (hickory-dns issue 3963).
    over_tcp: TokioResolver,
}

impl fmt::Debug for DnsResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DnsResolver")
    }
}

impl DnsResolver {
    /// Asks the servers of `/etc/resolv.conf`.
    pub fn system() -> Result<Self, ResolverError> {
        read_system_conf().and_then(|(config, options)| Self::new(config, &options)).map_err(ResolverError)
    }

    /// Asks these servers. The hosts file is left out, so that tests and labs see their own DNS alone.
    pub fn with_servers(servers: &[SocketAddr]) -> Result<Self, ResolverError> {
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
        Self::new(config, &options).map_err(ResolverError)
    }

    fn new(config: ResolverConfig, options: &ResolverOpts) -> Result<Self, NetError> {
        let build = |config| {
            let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            builder.with_options(options.clone()).build()
        };
        Ok(Self { over_tcp: build(tcp_alone(config.clone()))?, usual: build(config)? })
    }

    /// `name` ends with a dot, so that no search list of the machine is tried.
    async fn look_up(&self, name: String, kind: RecordType) -> Result<Lookup, LookupError> {
        let answer = match self.usual.lookup(name.as_str(), kind).await {
            Err(NetError::Truncated | NetError::Timeout) => self.over_tcp.lookup(name, kind).await,
            answer => answer,
        };
        answer.map_err(|error| told(&error))
    }
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
            found(&self.look_up(rooted(domain), RecordType::MX).await?, |data| match data {
                RData::MX(mx) => mx_record(mx.preference, &mx.exchange),
                _ => None,
            })
        })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Answer<'a, Result<Found<IpAddr>, LookupError>> {
        Box::pin(async move {
            let (v6, v4) =
                tokio::join!(self.look_up(rooted(host), RecordType::AAAA), self.look_up(rooted(host), RecordType::A));
            let address = |data: &RData| data.ip_addr();
            both(v6.and_then(|lookup| found(&lookup, address)), v4.and_then(|lookup| found(&lookup, address)))
        })
    }
}

fn rooted(domain: &Domain) -> String {
    format!("{domain}.")
}

fn found<T>(lookup: &Lookup, pick: impl Fn(&RData) -> Option<T>) -> Result<Found<T>, LookupError> {
    let is_secure = !lookup.answers().is_empty() && lookup.answers().iter().all(|record| record.proof.is_secure());
    let records: Vec<T> = lookup.answers().iter().filter_map(|record| pick(&record.data)).collect();
    if records.is_empty() { Err(LookupError::NoRecords) } else { Ok(Found { records, is_secure }) }
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
    if error.is_nx_domain() {
        LookupError::NoSuchDomain
    } else if error.is_no_records_found() {
        LookupError::NoRecords
    } else {
        LookupError::Temporary(error.to_string())
    }
}

/// What one family found is enough; without any, the DNS is asked again while one of the answers is still owed.
fn both(
    v6: Result<Found<IpAddr>, LookupError>,
    v4: Result<Found<IpAddr>, LookupError>,
) -> Result<Found<IpAddr>, LookupError> {
    match (v6, v4) {
        (Ok(mut v6), Ok(v4)) => {
            v6.records.extend(v4.records);
            Ok(Found { records: v6.records, is_secure: v6.is_secure && v4.is_secure })
        }
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        (Err(error @ LookupError::Temporary(_)), Err(_)) | (Err(_), Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn one_family_is_enough_and_an_answer_owed_is_waited_for() {
        let found = |text: &str| Ok(Found { records: vec![text.parse::<IpAddr>().unwrap()], is_secure: false });
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

    /// Answers all questions alike: over UDP with nothing but the mark that there is more, over TCP with an MX.
    fn tight_server() -> SocketAddr {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).unwrap();
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((octets, asker)) = udp.recv_from(&mut query) {
                udp.send_to(&answer(&query[..octets], &[]), asker).unwrap();
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
                    let answer = answer(&query, record);
                    stream.write_all(&u16::try_from(answer.len()).unwrap().to_be_bytes()).unwrap();
                    stream.write_all(&answer).unwrap();
                }
            }
        });
        address
    }

    /// RFC 1035 §4.1: the query's id and question, then the record; without one the answer is truncated.
    fn answer(query: &[u8], record: &[u8]) -> Vec<u8> {
        let question_end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
        let (flags, count) = if record.is_empty() { (0x82, 0) } else { (0x80, 1) };
        let head = [query[0], query[1], flags, 0x80, 0, 1, 0, count, 0, 0, 0, 0];
        [&head, &query[12..question_end], record].concat()
    }

    /// RFC 2181 §9. With two servers the answer was lost.
    #[tokio::test]
    async fn an_answer_too_large_for_udp_is_fetched_over_tcp() {
        for servers in [vec![tight_server()], vec![tight_server(), tight_server()]] {
            let resolver = DnsResolver::with_servers(&servers).unwrap();
            let found = resolver.mx(&Domain::parse("d.example").unwrap()).await.unwrap();
            let expected = MxRecord { preference: 10, exchange: Some(Domain::parse("mx.d.example").unwrap()) };
            assert_eq!(found.records, [expected], "{} servers", servers.len());
        }
    }
}
