//! What a test cannot have for real: the DNS and the network.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::pin::Pin;

use relais_model::Domain;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

/// What a port's methods answer: a future in a box, so that the ports can be trait objects.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Records, and whether DNSSEC proves them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// At least one, unless an answer is partly unusable.
    pub records: Vec<T>,
    /// DNSSEC proves them (RFC 4035 §4.3: secure), with each alias on the way. REQUIRETLS and DANE ask for it.
    pub is_secure: bool,
    /// Where the name that was asked for is an alias (CNAME).
    pub alias: Option<Alias>,
}

/// What a name that is an alias leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The last name of the chain: the one that has the records.
    pub target: Domain,
    /// DNSSEC proves the first alias, whatever comes after it.
    pub is_secure: bool,
}

/// One TLSA record, as it stands (RFC 6698 §2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsaRecord {
    /// What is matched: 2 an authority of the host's own, 3 the host's certificate.
    pub usage: u8,
    /// Which part of it: 0 all, 1 the public key.
    pub selector: u8,
    /// How: 0 as it is, 1 its SHA-256, 2 its SHA-512.
    pub matching: u8,
    /// The octets that must match.
    pub data: Vec<u8>,
}

/// One MX record (RFC 1035 §3.3.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxRecord {
    /// Lower is tried first.
    pub preference: u16,
    /// The host; none for the root, which is how a domain says that it takes no mail (RFC 7505 §3).
    pub exchange: Option<Domain>,
}

/// Why the DNS gave no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// NXDOMAIN: nothing of that name exists.
    #[error("no such domain")]
    NoSuchDomain,
    /// The name exists, without records of this type.
    #[error("no such records")]
    NoRecords,
    /// No answer, or one that says nothing: ask again later.
    #[error("the DNS gave no answer: {0}")]
    Temporary(String),
    /// An answer that DNSSEC proves wrong, or whose proof is owed (RFC 4035 §4.3: bogus): as good as none.
    #[error("the DNS's answer fails its DNSSEC proof")]
    Bogus,
}

/// Asks the DNS. CNAMEs are followed (RFC 5321 §5.1).
pub trait Resolver: Send + Sync + fmt::Debug {
    /// The MX records of `domain`, in any order.
    fn mx<'a>(&'a self, domain: &'a Domain) -> Answer<'a, Result<Found<MxRecord>, LookupError>>;

    /// The AAAA and A records of `host`, in any order.
    fn addresses<'a>(&'a self, host: &'a Domain) -> Answer<'a, Result<Found<IpAddr>, LookupError>>;

    /// The TLSA records at `name`, as `_25._tcp.mx.example`.
    fn tlsa<'a>(&'a self, name: &'a Domain) -> Answer<'a, Result<Found<TlsaRecord>, LookupError>>;

    /// The TXT records at `name`, the parts of each joined.
    fn txt<'a>(&'a self, name: &'a Domain) -> Answer<'a, Result<Found<String>, LookupError>>;
}

/// Octets both ways.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens TCP connections. The caller sets the time limits.
pub trait Dialer: Send + Sync + fmt::Debug {
    /// Connects to `remote`, from `source` where one is given.
    fn dial(&self, remote: SocketAddr, source: Option<IpAddr>) -> Answer<'_, io::Result<Box<dyn Stream>>>;

    /// Whether `address` is one of this machine's.
    fn is_own(&self, address: IpAddr) -> bool;
}

/// The machine's network.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpDialer;

impl Dialer for TcpDialer {
    fn dial(&self, remote: SocketAddr, source: Option<IpAddr>) -> Answer<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move { Ok(Box::new(connect(remote, source).await?) as Box<dyn Stream>) })
    }

    /// An address can be bound only where it is ours; nothing is sent.
    fn is_own(&self, address: IpAddr) -> bool {
        UdpSocket::bind((address, 0)).is_ok()
    }
}

async fn connect(remote: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = socket.connect(remote).await?;
    // The client machine writes whole command groups at once: waiting for more would only cost time.
    stream.set_nodelay(true)?;
    Ok(stream)
}
