//! A DNS for tests: what it holds is all that there is.

use std::collections::BTreeMap;
use std::future::{self, Future};
use std::net::IpAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::resolver::{Answering, Family, Lack, Resolver};

/// CNAMEs that are followed.
const MOST_ALIASES: usize = 8;

/// Records by their names. Names are kept in lower case.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    names: BTreeMap<String, Records>,
}

#[derive(Debug, Clone, Default)]
struct Records {
    txt: Vec<Vec<u8>>,
    addresses: Vec<IpAddr>,
    mx: Vec<(u16, String)>,
    ptr: Vec<String>,
    alias: Option<String>,
    is_silent: bool,
}

impl Zone {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    fn at(&mut self, name: &str) -> &mut Records {
        self.names.entry(spelled(name)).or_default()
    }

    /// The name exists.
    pub fn add_name(&mut self, name: &str) {
        self.at(name);
    }

    /// A TXT record.
    pub fn add_txt(&mut self, name: &str, text: impl Into<Vec<u8>>) {
        self.at(name).txt.push(text.into());
    }

    /// An A or AAAA record.
    pub fn add_address(&mut self, name: &str, address: IpAddr) {
        self.at(name).addresses.push(address);
    }

    /// An MX record.
    pub fn add_mx(&mut self, name: &str, preference: u16, host: &str) {
        self.at(name).mx.push((preference, host.to_owned()));
    }

    /// A PTR record, at the name that the reverse tree has.
    pub fn add_ptr(&mut self, name: &str, target: &str) {
        self.at(name).ptr.push(target.to_owned());
    }

    /// A CNAME record.
    pub fn add_alias(&mut self, name: &str, target: &str) {
        self.at(name).alias = Some(target.to_owned());
    }

    /// Nobody answers for what isn't there yet, at this name.
    pub fn silence(&mut self, name: &str) {
        self.at(name).is_silent = true;
    }

    /// With this TXT record.
    #[must_use]
    pub fn with_txt(mut self, name: &str, text: &str) -> Self {
        self.add_txt(name, text);
        self
    }

    fn look<T>(&self, name: &str, records: impl Fn(&Records) -> Vec<T>) -> Result<Vec<T>, Lack> {
        let mut name = spelled(name);
        for _ in 0..MOST_ALIASES {
            let Some(there) = self.names.get(&name) else {
                let below = format!(".{name}");
                let is_above_others = self.names.keys().any(|other| other.ends_with(&below));
                return Err(if is_above_others { Lack::NoData } else { Lack::NoSuchName });
            };
            let found = records(there);
            match &there.alias {
                _ if !found.is_empty() => return Ok(found),
                _ if there.is_silent => return Err(Lack::Silence),
                Some(target) => name = spelled(target),
                None => return Err(Lack::NoData),
            }
        }
        Err(Lack::Silence)
    }
}

fn spelled(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

impl Resolver for Zone {
    fn txt<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<Vec<u8>>, Lack>> {
        Box::pin(future::ready(self.look(name, |there| there.txt.clone())))
    }

    fn addresses<'a>(&'a self, name: &'a str, family: Family) -> Answering<'a, Result<Vec<IpAddr>, Lack>> {
        let of_family = |there: &Records| {
            there.addresses.iter().copied().filter(|address| Family::of(*address) == family).collect::<Vec<_>>()
        };
        Box::pin(future::ready(self.look(name, of_family)))
    }

    fn mx<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<String>, Lack>> {
        let hosts = |there: &Records| {
            let mut hosts = there.mx.clone();
            hosts.sort();
            hosts.into_iter().map(|(_, host)| host).collect()
        };
        Box::pin(future::ready(self.look(name, hosts)))
    }

    fn ptr(&self, address: IpAddr) -> Answering<'_, Result<Vec<String>, Lack>> {
        let name = crate::iprev::reverse_name(address);
        Box::pin(future::ready(self.look(&name, |there| there.ptr.clone())))
    }
}

/// The end of a future that never waits, as none does over a [`Zone`].
///
/// # Panics
/// Where it waits.
#[expect(clippy::panic, reason = "a test's tool: it speaks by panicking")]
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a future waits that must not"),
    }
}
