//! The courier: posts what the house tells to other people's servers, over HTTP/1.1.
//!
//! ```text
//! Parcel ─> names: addresses ─> may_reach? ─> connect to that very address ─> TLS for the name ─> POST ─> status
//! ```
//! `picture`: pictures that messages ask for come by the same way, with GET.
//!
//! Invariants: the address that was judged is the one that is connected to, so a name that changes its mind in between (DNS rebinding)
//! gains nothing; no redirect is followed but a picture's, by the same rules; no proxy asked, no cookie kept; each post has a connection of its own and ends within
//! [`POST_TIMEOUT`]; of an answer no more than [`ANSWER_OCTETS`] is read.

mod picture;

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use relais_service::{Courier, Parcel, PostError, Posting, may_reach};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

/// A post, from the first question for a name to the answer's end.
pub const POST_TIMEOUT: Duration = Duration::from_secs(10);

/// So long one address is tried before the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// Octets of an answer's body that are read.
pub const ANSWER_OCTETS: usize = 64 * 1024;

/// Octets of an answer's header.
const HEAD_OCTETS: usize = 16 * 1024;

/// Finds a name's addresses: a port, for a test has names of its own.
pub trait Names: Send + Sync + fmt::Debug {
    /// All of them; empty where there are none.
    fn addresses<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>>;
}

/// The one that posts over the network.
pub struct HttpCourier {
    names: Arc<dyn Names>,
    tls: Arc<ClientConfig>,
}

impl fmt::Debug for HttpCourier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCourier").field("names", &self.names).finish_non_exhaustive()
    }
}

impl HttpCourier {
    /// Trusts the web's authorities and `extra_roots`.
    ///
    /// # Errors
    /// Where one of `extra_roots` is no certificate.
    pub fn new(names: Arc<dyn Names>, extra_roots: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            roots.add(root.clone())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Self { names, tls: Arc::new(config.with_root_certificates(roots).with_no_client_auth()) })
    }

    async fn deliver(&self, parcel: Parcel) -> Result<u16, PostError> {
        let port = parcel.url.port_or_known_default().unwrap_or(443);
        // http is for this host's own programs, where an owner allowed it.
        let is_plain = parcel.url.scheme() == "http";
        let may = |address: IpAddr| may_reach(address, &parcel.allowed) && (!is_plain || address.is_loopback());
        let stream = self.connect(&parcel.url, port, may).await?;
        if is_plain {
            return exchange(stream, parcel).await;
        }
        exchange(self.shake_hands(&parcel.url, stream).await?, parcel).await
    }

    /// TLS for the URL's name.
    async fn shake_hands(&self, url: &Url, stream: TcpStream) -> Result<TlsStream<TcpStream>, PostError> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|error| PostError::Tls(error.to_string()))?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        connector.connect(name, stream).await.map_err(|error| PostError::Tls(error.to_string()))
    }

    /// Connects to an address of the URL's host that `may` be reached, and to no other.
    async fn connect(&self, url: &Url, port: u16, may: impl Fn(IpAddr) -> bool) -> Result<TcpStream, PostError> {
        let found = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => self.names.addresses(name).await,
            None => Vec::new(),
        };
        let mut problem = PostError::Unresolved;
        for address in found.into_iter().map(|address| address.to_canonical()).take(ADDRESSES) {
            if !may(address) {
                problem = PostError::Internal(address);
                continue;
            }
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(SocketAddr::new(address, port))).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => problem = PostError::Connect(error.to_string()),
                Err(_elapsed) => problem = PostError::Timeout,
            }
        }
        Err(problem)
    }
}

impl Courier for HttpCourier {
    fn post(&self, parcel: Parcel) -> Posting<'_> {
        Box::pin(async move { timeout(POST_TIMEOUT, self.deliver(parcel)).await.unwrap_or(Err(PostError::Timeout)) })
    }
}

/// One request, one answer.
async fn exchange<S>(stream: S, parcel: Parcel) -> Result<u16, PostError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let broken = |error: &dyn fmt::Display| PostError::Broken(error.to_string());
    let request = request(&parcel).map_err(|error| broken(&error))?;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_OCTETS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let asking = async {
        let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = answer.status().as_u16();
        // Its words are nobody's business; who says more than may be, has said its status all the same.
        if let Err(error) = Limited::new(answer.into_body(), ANSWER_OCTETS).collect().await {
            tracing::debug!(%error, "a webhook's answer was not read to its end");
        }
        Ok(status)
    };
    tokio::pin!(asking, connection);
    tokio::select! {
        // The answer first: its connection may end with it.
        biased;
        answer = &mut asking => answer,
        ended = &mut connection => match ended {
            Ok(()) => asking.await,
            Err(error) => Err(broken(&error)),
        },
    }
}

fn request(parcel: &Parcel) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let mut request = Request::post(target(&parcel.url)).header("host", authority(&parcel.url));
    request = request.header("connection", "close").header("accept", "*/*");
    for (name, value) in &parcel.headers {
        request = request.header(*name, value);
    }
    request.body(Full::new(Bytes::from(parcel.body.clone())))
}

/// Path and query, as they stand in the request's first line.
fn target(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// Host, and the port where it is not the scheme's own.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
