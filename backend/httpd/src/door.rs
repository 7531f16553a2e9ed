//! A door for HTTP: a TCP port with TLS or without, or a Unix socket. So many guests at once, none for long without a word.
//!
//! Whoever stands at a door serves a [`Router`] there; each request carries the [`Peer`] it came from.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::{debug, warn};

/// From accept to the end of the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// From the first octet of a request to the end of its header, and how long a connection is kept without a request (HTTP/1.1).
const HEADER: Duration = Duration::from_secs(30);
/// A silent HTTP/2 connection is asked whether it still is one, and has as long to answer.
const PING: Duration = Duration::from_secs(30);
/// Octets of a request's header, at most.
const HEADER_OCTETS: usize = 32 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// After a failing accept (no file descriptor left, mostly) the door rests this long.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// The protocol that a CA offers, alone, where it looks for a proof (RFC 8737 §4).
const ACME_TLS: &[u8] = b"acme-tls/1";

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Over the network.
    Network(IpAddr),
    /// Through a socket that only the house's own user can open.
    Host,
}

/// A bound door.
#[derive(Debug)]
pub struct Door {
    socket: Socket,
    seats: Arc<Semaphore>,
}

enum Socket {
    Plain(TcpListener),
    Tls(TcpListener, TlsAcceptor),
    Unix(UnixListener),
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(socket) | Self::Tls(socket, _) => socket.fmt(f),
            Self::Unix(socket) => socket.fmt(f),
        }
    }
}

impl Door {
    /// In the clear; `guests` connections at once, the next wait in the system's queue.
    pub fn plain(socket: TcpListener, guests: usize) -> Self {
        Self::new(Socket::Plain(socket), guests)
    }

    /// TLS from the first octet; HTTP/2 and HTTP/1.1 (RFC 7301). A CA that looks for a proof (RFC 8737) shakes hands, and goes.
    pub fn tls(socket: TcpListener, config: &ServerConfig, guests: usize) -> Self {
        let mut config = config.clone();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME_TLS.to_vec()];
        Self::new(Socket::Tls(socket, TlsAcceptor::from(Arc::new(config))), guests)
    }

    /// A Unix socket, for programs of this host.
    pub fn unix(socket: UnixListener, guests: usize) -> Self {
        Self::new(Socket::Unix(socket), guests)
    }

    fn new(socket: Socket, guests: usize) -> Self {
        Self { socket, seats: Arc::new(Semaphore::new(guests)) }
    }

    /// Serves until `stop`; what is being asked then is answered within `drain`.
    pub async fn serve(self, router: Router, stop: CancellationToken, drain: Duration) {
        let (guests, graceful) = (TaskTracker::new(), GracefulShutdown::new());
        let mut server = Builder::new(TokioExecutor::new());
        server.http1().timer(TokioTimer::new()).header_read_timeout(HEADER).max_buf_size(HEADER_OCTETS);
        server.http2().timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
        server.http2().max_concurrent_streams(STREAMS).max_header_list_size(HEADER_OCTETS_HTTP2);
        let ended = CancellationToken::new();
        loop {
            let admitted = tokio::select! {
                () = stop.cancelled() => break,
                admitted = self.admit() => admitted, // cancel-safe: a seat that was taken is given back, and tokio's accept loses nobody
            };
            let Some((stream, peer, seat)) = admitted else { continue };
            let (server, router, watcher) = (server.clone(), router.clone(), graceful.watcher());
            let ended = ended.clone();
            guests.spawn(async move {
                let _seat = seat;
                let visit = visit(server, stream, peer, router, watcher);
                tokio::select! {
                    () = ended.cancelled() => {} // who says half a request is not waited for
                    () = visit => {}
                }
            });
        }
        drop(self);
        guests.close();
        if timeout(drain, graceful.shutdown()).await.is_err() {
            debug!("an HTTP door closed on guests that had not finished");
        }
        ended.cancel();
        guests.wait().await;
    }

    /// The next guest that a seat is free for.
    async fn admit(&self) -> Option<(Arrival, Peer, OwnedSemaphorePermit)> {
        let seat = Arc::clone(&self.seats).acquire_owned().await.ok()?;
        let network = |(stream, peer): (TcpStream, SocketAddr)| {
            // The end of an answer would wait for the acknowledgement of its beginning: 40 ms, where that is delayed.
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "a guest of an HTTP door may be answered slowly");
            }
            (stream, Peer::Network(peer.ip().to_canonical()))
        };
        let accepted = match &self.socket {
            Socket::Plain(socket) => {
                socket.accept().await.map(network).map(|(stream, peer)| (Arrival::Ready(Box::new(stream)), peer))
            }
            Socket::Tls(socket, tls) => {
                let shake = |(stream, peer)| (Arrival::Shaking(Box::new(tls.accept(stream))), peer);
                socket.accept().await.map(network).map(shake)
            }
            Socket::Unix(socket) => {
                socket.accept().await.map(|(stream, _)| (Arrival::Ready(Box::new(stream)), Peer::Host))
            }
        };
        match accepted {
            Ok((stream, peer)) => Some((stream, peer, seat)),
            Err(error) => {
                warn!(%error, "accept failed at an HTTP door");
                sleep(ACCEPT_REST).await;
                None
            }
        }
    }
}

const HEADER_OCTETS_HTTP2: u32 = 32 * 1024;

/// Someone who has come: their TLS handshake must not hold up the next.
enum Arrival {
    Ready(Box<dyn Octets>),
    Shaking(Box<tokio_rustls::Accept<TcpStream>>),
}

trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Octets for T {}

async fn visit(
    server: Builder<TokioExecutor>,
    arrival: Arrival,
    peer: Peer,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let stream = match arrival {
        Arrival::Ready(stream) => stream,
        Arrival::Shaking(handshake) => match timeout(HANDSHAKE, *handshake).await {
            // RFC 8737 §3: nothing is said over it.
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(ACME_TLS) => return,
            Ok(Ok(stream)) => Box::new(stream),
            Ok(Err(error)) => return debug!(%error, "the TLS handshake failed at an HTTP door"),
            Err(_elapsed) => return debug!("no TLS handshake in time at an HTTP door"),
        },
    };
    let router = router.map_request(move |mut request: Request<_>| {
        request.extensions_mut().insert(peer);
        request.map(Body::new)
    });
    let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        debug!(error = %io::Error::other(error.to_string()), "an HTTP connection ended early");
    }
}
