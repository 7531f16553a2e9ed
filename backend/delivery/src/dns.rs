//! The resolver that hickory gives. Its types stop here.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use relais_model::Domain;

use crate::ports::{Answer, Found, LookupError, MxRecord, Resolver};

/// Why no resolver could be made.
#[derive(Debug, thiserror::Error)]
#[error("the DNS resolver cannot start")]
pub struct ResolverError(#[source] NetError);

/// A caching stub resolver over UDP and TCP.
///
/// It doesn't validate DNSSEC yet, so nothing it finds counts as secure.
pub struct DnsResolver(TokioResolver);

impl fmt::Debug for DnsResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DnsResolver")
    }
}

impl DnsResolver {
    /// Asks the servers of `/etc/resolv.conf`.
    pub fn system() -> Result<Self, ResolverError> {
        TokioResolver::builder_tokio().and_then(ResolverBuilder::build).map(Self).map_err(ResolverError)
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
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.options_mut().use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
        builder.build().map(Self).map_err(ResolverError)
    }
}

impl Resolver for DnsResolver {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Answer<'a, Result<Found<MxRecord>, LookupError>> {
        Box::pin(async move {
            let lookup = self.0.mx_lookup(rooted(domain)).await.map_err(|error| told(&error))?;
            found(&lookup, |data| match data {
                RData::MX(mx) => mx_record(mx.preference, &mx.exchange),
                _ => None,
            })
        })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Answer<'a, Result<Found<IpAddr>, LookupError>> {
        Box::pin(async move {
            let (v6, v4) = tokio::join!(self.0.ipv6_lookup(rooted(host)), self.0.ipv4_lookup(rooted(host)));
            let address = |data: &RData| data.ip_addr();
            let v6 = v6.map_err(|error| told(&error)).and_then(|lookup| found(&lookup, address));
            let v4 = v4.map_err(|error| told(&error)).and_then(|lookup| found(&lookup, address));
            both(v6, v4)
        })
    }
}

/// With the last dot, so that no search list of the machine is tried.
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
}
