//! The way to another server: a name, an address that may be reached, TLS.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::wire::{Stream, Wire};

/// So long one address is tried before the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For TLS's handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// How a connection is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first octet (RFC 8314): port 993.
    Implicit,
    /// STARTTLS before the log-in: port 143.
    StartTls,
    /// None: to networks that an owner allowed, and to no other.
    Plain,
}

/// Another server, and who one is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is reached.
    pub security: Security,
    /// The name to log in with.
    pub user: String,
}

impl Target {
    /// As it is noted: the same place and person have the same words.
    pub fn source(&self) -> String {
        format!("{} at {}:{}", self.user, self.host.to_ascii_lowercase(), self.port)
    }
}

/// Why nothing (more) comes from another server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its name leads nowhere.
    #[error("the host's name leads to no address")]
    Unresolved,
    /// Its name leads to an address that isn't of the public internet, nor allowed.
    #[error("{0} is no address of the public internet")]
    Internal(IpAddr),
    /// A plain connection, to a server that stands in no network that an owner allowed.
    #[error("a connection without TLS may only lead to networks that an owner allowed")]
    PlainForbidden,
    /// No connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// TLS failed, or the certificate isn't to be trusted.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// It doesn't offer STARTTLS.
    #[error("the server offers no STARTTLS")]
    NoStartTls,
    /// It refused the name or the password; its words.
    #[error("the server refused the log-in: {0}")]
    LogIn(String),
    /// It said nothing for too long.
    #[error("the server fell silent")]
    Silent,
    /// It hung up.
    #[error("the server hung up: {0}")]
    Ended(String),
    /// It said what isn't IMAP, or too much of it.
    #[error("the server's answer was broken: {0}")]
    Broken(String),
    /// It refused something that isn't to be refused; its words.
    #[error("the server refused: {0}")]
    Refused(String),
}

impl Fault {
    pub(crate) fn broken(why: &str) -> Self {
        Self::Broken(why.to_owned())
    }

    /// Whether another connection may do better.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Silent | Self::Ended(_))
    }
}

/// Finds a name's addresses: a port.
pub trait Hosts: Send + Sync + fmt::Debug {
    /// All of them; empty where there are none.
    fn addresses<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>>;
}

/// Which addresses may be reached.
#[derive(Clone)]
pub(crate) struct Reach {
    /// With TLS.
    pub(crate) sealed: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Without.
    pub(crate) plain: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

/// Connects to other servers.
#[derive(Clone)]
pub struct Dialer {
    hosts: Arc<dyn Hosts>,
    tls: Arc<ClientConfig>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Dialer {
    /// Trusts the web's authorities and `extra_roots`.
    ///
    /// # Errors
    /// Where one of `extra_roots` is no certificate.
    pub fn new(hosts: Arc<dyn Hosts>, extra_roots: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            roots.add(root.clone())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Self { hosts, tls: Arc::new(config.with_root_certificates(roots).with_no_client_auth()) })
    }

    /// Connects to an address that may be reached, and to no other: the one that was judged, whatever the name says a moment later.
    pub(crate) async fn connect(&self, target: &Target, reach: &Reach) -> Result<Wire, Fault> {
        let host = target.host.trim_matches(['[', ']']);
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.hosts.addresses(host).await,
        };
        let mut fault = Fault::Unresolved;
        for address in found.into_iter().map(|address| address.to_canonical()).take(ADDRESSES) {
            if !(reach.sealed)(address) {
                fault = Fault::Internal(address);
                continue;
            }
            if target.security == Security::Plain && !(reach.plain)(address) {
                fault = Fault::PlainForbidden;
                continue;
            }
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(SocketAddr::new(address, target.port))).await {
                Ok(Ok(stream)) => {
                    let _slower = stream.set_nodelay(true);
                    return match target.security {
                        Security::Implicit => self.seal(target, Box::new(stream)).await,
                        Security::StartTls | Security::Plain => Ok(Wire::new(Box::new(stream))),
                    };
                }
                Ok(Err(error)) => fault = Fault::Connect(error.to_string()),
                Err(_elapsed) => fault = Fault::Silent,
            }
        }
        Err(fault)
    }

    /// TLS for the target's name.
    pub(crate) async fn seal(&self, target: &Target, stream: Box<dyn Stream>) -> Result<Wire, Fault> {
        let host = target.host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|error| Fault::Tls(error.to_string()))?;
        let sealing = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let sealed = timeout(HANDSHAKE_TIMEOUT, sealing).await.map_err(|_elapsed| Fault::Silent)?;
        Ok(Wire::new(Box::new(sealed.map_err(|error| Fault::Tls(error.to_string()))?)))
    }
}
