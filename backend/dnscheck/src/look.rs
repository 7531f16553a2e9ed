//! Asking the DNS: the port, and what it answers. hickory's types stop in [`DnsLook`].

mod direct;
mod hickory;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use relais_model::Domain;

use crate::record::{Data, Kind, Record, Target};

pub use hickory::{DnsLook, LookError, TrustAnchor};

/// What a port's methods answer: a future in a box, so that ports can be trait objects.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whether the DNS proves an answer (RFC 4035 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Signed, from the root down to it.
    Secure,
    /// Proven to be unsigned: a zone above it says that it has no keys.
    Insecure,
    /// Signed, and the signature is wrong or gone.
    Bogus,
    /// Nobody looked, or could: a resolver without DNSSEC, or a server asked directly.
    Indeterminate,
}

impl Proof {
    /// Its name, for storing and in the catalogue (`dns-proof-NAME`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secure => "secure",
            Self::Insecure => "insecure",
            Self::Bogus => "bogus",
            Self::Indeterminate => "unknown",
        }
    }
}

/// Why there are no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lack {
    /// NXDOMAIN: neither the name nor one below it exists (RFC 8020).
    NoSuchName,
    /// The name exists, without records of this type.
    NoData,
    /// SERVFAIL: the server is ill, or its own look-up failed.
    ServFail,
    /// REFUSED, or an answer without authority: this server doesn't serve the zone, or not us.
    Refused,
    /// No answer in time.
    Timeout,
    /// A signature doesn't hold.
    Bogus,
    /// No server could be reached, or what came was no answer.
    Broken,
}

impl Lack {
    /// Whether the DNS has spoken: the records are not there. Otherwise nothing is known.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::NoSuchName | Self::NoData)
    }
}

/// What one question brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Records of the type asked for, at the name asked for or at the end of its aliases; at least one.
    pub records: Result<Vec<Record>, Lack>,
    /// The CNAMEs that were followed, in their order; where CNAME was asked for, they are the records instead.
    pub aliases: Vec<Record>,
    /// Whether DNSSEC proves it; for [`Lack::NoSuchName`] and [`Lack::NoData`], that nothing is there.
    pub proof: Proof,
    /// From the question to the answer.
    pub took: Duration,
}

impl Answer {
    /// The records; none where they lack.
    pub fn records(&self) -> &[Record] {
        self.records.as_deref().unwrap_or_default()
    }

    /// What the records say.
    pub fn data(&self) -> impl Iterator<Item = &Data> {
        self.records().iter().map(|record| &record.data)
    }

    /// The texts, where TXT was asked for.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.data().filter_map(Data::text)
    }

    /// Where the last alias leads; none where the name is its own.
    pub fn alias(&self) -> Option<&Target> {
        self.aliases.last().and_then(|record| if let Data::Cname(target) = &record.data { Some(target) } else { None })
    }

    /// Why nothing is known yet; none where the DNS has spoken.
    pub fn silence(&self) -> Option<Lack> {
        self.records.as_ref().err().copied().filter(|lack| !lack.is_answer())
    }

    /// The longest time that others may keep it; zero without records.
    pub fn ttl(&self) -> u32 {
        self.records().iter().map(|record| record.ttl).max().unwrap_or(0)
    }

    /// What it says, in an order that doesn't depend on the server: two answers that say the same are equal in this.
    pub fn said(&self) -> Vec<&Data> {
        let mut said: Vec<_> = self.data().chain(self.aliases.iter().map(|alias| &alias.data)).collect();
        said.sort();
        said.dedup();
        said
    }
}

/// What one of a zone's own servers says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAnswer {
    /// The server's name, as the zone's NS record has it.
    pub server: Target,
    /// Its answer; never proven, for proof comes from the root down.
    pub answer: Answer,
}

/// Asks the DNS. Each method ends within a time limit of its own.
pub trait Look: Send + Sync + fmt::Debug {
    /// What the rest of the world sees: a resolver's answer, CNAMEs followed.
    fn public<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Answer>;

    /// What the servers of the name's zone say themselves, in the order of their names; CNAMEs aren't followed out of the zone. Empty where no server could be found.
    fn authoritative<'a>(&'a self, name: &'a Domain, kind: Kind) -> Answering<'a, Vec<ServerAnswer>>;
}
