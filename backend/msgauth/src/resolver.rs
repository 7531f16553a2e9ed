//! The port to the DNS. Names go out as the caller has them: A-labels without the last dot; SPF's macros may have made odd ones.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// What the port's methods answer: a future in a box, so that a resolver can be a trait object.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why there are no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lack {
    /// NXDOMAIN: neither the name nor one below it exists (RFC 8020).
    NoSuchName,
    /// The name exists, without records of this type.
    NoData,
    /// No answer that counts: a time-out, SERVFAIL, a wrong signature. Asking again later may help.
    Silence,
}

/// Which addresses are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// A records.
    V4,
    /// AAAA records.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// Asks the DNS, following CNAMEs. An `Ok` holds at least one record.
///
/// Time is the resolver's: each method ends within a limit of its own, and a resolver made for one message answers [`Lack::Silence`] to everything once the message's time
/// is up (RFC 7208 §4.6.4 wants at least 20 seconds). How often it is asked for one message is bounded by this crate's named limits.
pub trait Resolver: Send + Sync + fmt::Debug {
    /// TXT records, the strings of each joined (RFC 7208 §3.3).
    fn txt<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<Vec<u8>>, Lack>>;

    /// Addresses of one family.
    fn addresses<'a>(&'a self, name: &'a str, family: Family) -> Answering<'a, Result<Vec<IpAddr>, Lack>>;

    /// The hosts of MX records, the preferred first.
    fn mx<'a>(&'a self, name: &'a str) -> Answering<'a, Result<Vec<String>, Lack>>;

    /// The names of an address.
    fn ptr(&self, address: IpAddr) -> Answering<'_, Result<Vec<String>, Lack>>;
}
