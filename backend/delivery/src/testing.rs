//! Fakes of the ports, for tests.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use relais_model::{Domain, Random};

use crate::ports::{Answer, Dialer, Found, LookupError, MxRecord, Resolver, Stream};

/// A DNS in a table. A name that stands nowhere doesn't exist.
#[derive(Debug, Default)]
pub(crate) struct FakeDns {
    mx: HashMap<Domain, Vec<MxRecord>>,
    hosts: HashMap<Domain, Vec<IpAddr>>,
    broken: Vec<Domain>,
    pub(crate) is_secure: bool,
}

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

impl FakeDns {
    pub(crate) fn mx(mut self, name: &str, records: &[(u16, &str)]) -> Self {
        let exchange = |host: &str| (host != ".").then(|| domain(host));
        let record = |(preference, host): &(u16, &str)| MxRecord { preference: *preference, exchange: exchange(host) };
        self.mx.insert(domain(name), records.iter().map(record).collect());
        self
    }

    pub(crate) fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        self.hosts.insert(domain(name), addresses.iter().map(|text| text.parse().unwrap()).collect());
        self
    }

    pub(crate) fn empty(self, name: &str) -> Self {
        self.host(name, &[])
    }

    pub(crate) fn broken(mut self, name: &str) -> Self {
        self.broken.push(domain(name));
        self
    }

    fn answer<T: Clone>(&self, name: &Domain, table: &HashMap<Domain, Vec<T>>) -> Result<Found<T>, LookupError> {
        if self.broken.contains(name) {
            return Err(LookupError::Temporary("SERVFAIL".into()));
        }
        match table.get(name) {
            Some(records) if !records.is_empty() => {
                Ok(Found { records: records.clone(), is_secure: self.is_secure })
            }
            _ if self.mx.contains_key(name) || self.hosts.contains_key(name) => Err(LookupError::NoRecords),
            _ => Err(LookupError::NoSuchDomain),
        }
    }
}

impl Resolver for FakeDns {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Answer<'a, Result<Found<MxRecord>, LookupError>> {
        Box::pin(async move { self.answer(domain, &self.mx) })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Answer<'a, Result<Found<IpAddr>, LookupError>> {
        Box::pin(async move { self.answer(host, &self.hosts) })
    }
}

/// Reaches nobody, and knows which addresses are ours.
#[derive(Debug, Default)]
pub(crate) struct NoDialer {
    pub(crate) own: Vec<IpAddr>,
}

impl Dialer for NoDialer {
    fn dial(&self, _remote: SocketAddr, _source: Option<IpAddr>) -> Answer<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
    }

    fn is_own(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
    }
}

/// The same numbers each time (xorshift).
#[derive(Debug)]
pub(crate) struct Seeded(AtomicU64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Random for Seeded {
    fn fill(&self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            let mut state = self.0.load(Ordering::Relaxed);
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            self.0.store(state, Ordering::Relaxed);
            chunk.copy_from_slice(&state.to_le_bytes()[..chunk.len()]);
        }
    }
}
