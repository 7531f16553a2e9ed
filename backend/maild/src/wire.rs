//! One connection's octets, whatever carries them.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use relais_certs::Shown;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What has begun to be written when a connection's time is over may take this long.
const GOODBYE: Duration = Duration::from_secs(10);
/// Octets taken from a socket at once.
const READ_OCTETS: usize = 16 * 1024;
/// The same under compression.
const COMPRESSED_READ_OCTETS: usize = 1024;

/// What carries a connection.
#[derive(Debug)]
enum Carrier {
    /// In the clear.
    Tcp(TcpStream),
    /// On this host.
    Unix(UnixStream),
    /// Under TLS.
    Tls(Box<TlsStream<TcpStream>>, Arc<Shown>),
}

/// A connection's octets, perhaps encrypted, perhaps compressed.
#[derive(Debug)]
pub(crate) struct Wire {
    carrier: Carrier,
    deflate: Option<Box<Deflate>>,
    /// When its time is over, whatever is said.
    ends_at: Option<Instant>,
}

/// Both directions' compression (RFC 4978): raw DEFLATE, no zlib header.
#[derive(Debug)]
struct Deflate {
    inflate: Decompress,
    deflate: Compress,
}

impl From<TcpStream> for Wire {
    fn from(stream: TcpStream) -> Self {
        Self { carrier: Carrier::Tcp(stream), deflate: None, ends_at: None }
    }
}

impl From<UnixStream> for Wire {
    fn from(stream: UnixStream) -> Self {
        Self { carrier: Carrier::Unix(stream), deflate: None, ends_at: None }
    }
}

impl Wire {
    /// Whether others on the way can't read it.
    pub(crate) const fn is_tls(&self) -> bool {
        matches!(self.carrier, Carrier::Tls(..))
    }

    /// The connection's TLS.
    pub(crate) fn tls(&self) -> Option<&rustls::ServerConnection> {
        match &self.carrier {
            Carrier::Tls(stream, _) => Some(stream.get_ref().1),
            Carrier::Tcp(_) | Carrier::Unix(_) => None,
        }
    }

    /// The certificates that its handshake chose from; others may be in use by now.
    pub(crate) fn shown(&self) -> Option<&Shown> {
        match &self.carrier {
            Carrier::Tls(_, shown) => Some(shown),
            Carrier::Tcp(_) | Carrier::Unix(_) => None,
        }
    }

    /// `TLS1.3, TLS13_AES_256_GCM_SHA384`, for Received (RFC 8314 §4.3) and logs.
    pub(crate) fn tls_words(&self) -> Option<String> {
        let connection = self.tls()?;
        let version = connection.protocol_version()?.as_str()?.replace('_', ".").replace("TLSv", "TLS");
        let suite = connection.negotiated_cipher_suite()?.suite();
        Some(format!("{version}, {}", suite.as_str()?))
    }

    /// Shakes hands as the server. `begun` is what was already read of the client's part, beside a PROXY header.
    pub(crate) async fn start_tls(self, shown: Arc<Shown>, begun: &[u8], limit: Duration) -> io::Result<Self> {
        let Carrier::Tcp(stream) = self.carrier else {
            return Err(io::Error::other("only a plain TCP connection can start TLS"));
        };
        let handshake = TlsAcceptor::from(shown.config()).accept_with(stream, |connection| feed(connection, begun));
        let accepted = timeout(limit, handshake).await.map_err(io::Error::from)??;
        Ok(Self { carrier: Carrier::Tls(Box::new(accepted), shown), deflate: None, ends_at: self.ends_at })
    }

    /// Fixes when the connection's time is over, or that it has no end: a peer that drips octets must not stay for ever.
    pub(crate) const fn end_at(&mut self, at: Option<Instant>) {
        self.ends_at = at;
    }

    /// Whether the time is over.
    fn is_over(&self) -> bool {
        self.ends_at.is_some_and(|end| end <= Instant::now())
    }

    /// How long silence is borne: `wait`, or what is left of the connection's time.
    pub(crate) fn patience(&self, wait: Duration) -> Duration {
        self.ends_at.map_or(wait, |end| wait.min(end.saturating_duration_since(Instant::now())))
    }

    /// From here on both directions are compressed.
    pub(crate) fn compress(&mut self) {
        let (inflate, deflate) = (Decompress::new(false), Compress::new(Compression::fast(), false));
        self.deflate = Some(Box::new(Deflate { inflate, deflate }));
    }

    /// Waits for octets and hands them to `take`; 0 when the peer hung up, `TimedOut` once the time is over. Holds no buffer while it waits: thousands of
    /// idle connections cost what their sessions cost. Cancel-safe: octets are taken and handed over in one poll.
    pub(crate) async fn read(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        if self.is_over() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let Self { carrier, deflate, .. } = self;
        poll_fn(|context| {
            let mut scratch = [const { MaybeUninit::uninit() }; READ_OCTETS];
            // Little of what is compressed at once: it may be a thousand times as much.
            let portion = if deflate.is_some() { COMPRESSED_READ_OCTETS } else { READ_OCTETS };
            let mut buffer = ReadBuf::uninit(scratch.get_mut(..portion).unwrap_or_default());
            ready!(Pin::new(&mut *carrier).poll_read(context, &mut buffer))?;
            let octets = buffer.filled();
            match deflate {
                Some(deflate) if !octets.is_empty() => deflate.inflate(octets, &mut take)?,
                _ => take(octets),
            }
            Poll::Ready(Ok(octets.len()))
        })
        .await
    }

    /// Writes all of it; a peer that takes nothing for `stall`, or not all of it in its time, is given up.
    pub(crate) async fn write(&mut self, octets: &[u8], stall: Duration) -> io::Result<()> {
        let packed;
        let mut octets = match &mut self.deflate {
            Some(deflate) => {
                packed = deflate.deflate(octets)?;
                packed.as_slice()
            }
            None => octets,
        };
        let end = self.ends_at.map(|end| end.max(Instant::now()) + GOODBYE);
        while !octets.is_empty() {
            let give_up = Instant::now() + stall;
            let give_up = end.map_or(give_up, |end| end.min(give_up));
            let written = timeout_at(give_up, self.carrier.write(octets)).await.map_err(io::Error::from)??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            octets = octets.get(written..).unwrap_or_default();
        }
        timeout(stall, self.carrier.flush()).await.map_err(io::Error::from)?
    }

    /// Says goodbye (`close_notify` under TLS); a peer that doesn't listen is not waited for long.
    pub(crate) async fn close(mut self) {
        let _ignored = timeout(Duration::from_secs(5), self.carrier.shutdown()).await;
    }
}

/// Gives a handshake its first octets. What is wrong with them the handshake will say: the connection keeps its error.
fn feed(connection: &mut rustls::ServerConnection, mut octets: &[u8]) {
    while !octets.is_empty() {
        let is_read = connection.read_tls(&mut octets).is_ok_and(|count| count > 0);
        if !is_read || connection.process_new_packets().is_err() {
            return;
        }
    }
}

impl Deflate {
    fn inflate(&mut self, mut octets: &[u8], take: &mut impl FnMut(&[u8])) -> io::Result<()> {
        let mut plain = [0; 8 * 1024];
        loop {
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(octets, &mut plain, FlushDecompress::None);
            let status = status.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let read = usize::try_from(self.inflate.total_in() - read).unwrap_or(usize::MAX);
            let written = usize::try_from(self.inflate.total_out() - written).unwrap_or(usize::MAX);
            octets = octets.get(read..).unwrap_or_default();
            if written > 0 {
                take(plain.get(..written).unwrap_or_default());
            }
            if status == Status::StreamEnd || octets.is_empty() && written < plain.len() {
                return Ok(());
            }
        }
    }

    fn deflate(&mut self, mut octets: &[u8]) -> io::Result<Vec<u8>> {
        let mut packed = Vec::with_capacity(octets.len() / 2 + 256);
        loop {
            let read = self.deflate.total_in();
            self.deflate.compress_vec(octets, &mut packed, FlushCompress::Sync).map_err(io::Error::other)?;
            let read = usize::try_from(self.deflate.total_in() - read).unwrap_or(usize::MAX);
            octets = octets.get(read..).unwrap_or_default();
            if octets.is_empty() && packed.len() < packed.capacity() {
                return Ok(packed);
            }
            packed.reserve(4096);
        }
    }
}

impl AsyncRead for Carrier {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream, _) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, octets),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, octets),
            Self::Tls(stream, _) => Pin::new(stream).poll_write(context, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream, _) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream, _) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
