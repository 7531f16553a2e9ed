//! A door for HTTP, with TLS or without: few guests at once, none for long.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tracing::{debug, warn};

/// Guests at once, those that shake hands among them. Who comes past them waits in the system's queue.
const GUESTS: usize = 64;
/// From accept to the end of the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// One connection, whatever it asks: nobody keeps a seat by saying half a request.
const VISIT: Duration = Duration::from_mins(5);
/// After a failing accept (no file descriptor left, mostly) the door rests this long.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// A door that [`axum::serve`] can stand at. A slow handshake holds up nobody else's.
pub(super) struct Door {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    seats: Arc<Semaphore>,
    /// They end with the door.
    handshakes: JoinSet<Option<(Guest, SocketAddr)>>,
}

impl Door {
    /// In the clear.
    pub(super) fn plain(socket: TcpListener) -> Self {
        Self { socket, tls: None, seats: Arc::new(Semaphore::new(GUESTS)), handshakes: JoinSet::new() }
    }

    /// TLS from the first octet; only clients that want HTTP/1.1 there, or don't say what they want (RFC 7301).
    pub(super) fn tls(socket: TcpListener, config: &ServerConfig) -> Self {
        let mut config = config.clone();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { tls: Some(TlsAcceptor::from(Arc::new(config))), ..Self::plain(socket) }
    }
}

/// The next guest that a seat is free for. Cancel-safe: a seat that was taken is given back, and tokio's accept loses nobody.
async fn admit(socket: &TcpListener, seats: &Arc<Semaphore>) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await.ok()?;
    match socket.accept().await {
        Ok((stream, peer)) => Some((stream, peer, seat)),
        Err(error) => {
            warn!(%error, "accept failed at an HTTP door");
            sleep(ACCEPT_REST).await;
            None
        }
    }
}

impl Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        loop {
            let (stream, peer, seat) = tokio::select! {
                Some(shaken) = self.handshakes.join_next() => match shaken { // cancel-safe: tokio's join_next is
                    Ok(Some(guest)) => return guest,
                    _ => continue,
                },
                Some(admitted) = admit(&self.socket, &self.seats) => admitted, // cancel-safe: see there
                else => continue,
            };
            let Some(tls) = self.tls.clone() else { return (Guest::new(stream, seat), peer) };
            self.handshakes.spawn(async move {
                match timeout(HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => return Some((Guest::new(stream, seat), peer)),
                    Ok(Err(error)) => debug!(%error, "the TLS handshake failed at an HTTP door"),
                    Err(_elapsed) => debug!("no TLS handshake in time at an HTTP door"),
                }
                None
            });
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Octets for T {}

/// One connection, with its seat and the end of its time.
pub(super) struct Guest {
    octets: Box<dyn Octets>,
    time: Pin<Box<Sleep>>,
    _seat: OwnedSemaphorePermit,
}

impl Guest {
    fn new(octets: impl Octets + 'static, seat: OwnedSemaphorePermit) -> Self {
        Self { octets: Box::new(octets), time: Box::pin(sleep(VISIT)), _seat: seat }
    }

    /// Ready with an error once its time is over.
    fn poll_time(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.time.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(over) = self.poll_time(context) {
            return Poll::Ready(over);
        }
        Pin::new(&mut self.octets).poll_read(context, buffer)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(over) = self.poll_time(context) {
            return Poll::Ready(over.map(|()| 0));
        }
        Pin::new(&mut self.octets).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.octets).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.octets).poll_shutdown(context)
    }
}
