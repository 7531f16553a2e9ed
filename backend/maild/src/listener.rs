//! Doors: sockets that are bound, watched, counted and shut.

use std::collections::HashMap;
use std::fmt;
use std::fs::Permissions;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_model::Tls;
use relais_reception::{Network, TurnedAway};
use relais_smtp::reply::write_reply;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, info, info_span, warn};

use crate::wire::Wire;
use crate::{House, Limits, proxy};

/// After a failing accept (no file descriptor left, mostly) a door rests this long.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// Connections that wait for accept.
const BACKLOG: i32 = 1024;

/// What is spoken at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Mail from other hosts (RFC 5321), port 25.
    Smtp,
    /// Mail from our people (RFC 6409), ports 587 and 465.
    Submission,
    /// Mail from a program on this host (RFC 2033).
    Lmtp,
    /// RFC 9051, ports 143 and 993.
    Imap,
    /// RFC 1939, ports 110 and 995.
    Pop3,
    /// ManageSieve (RFC 5804), port 4190.
    Sieve,
}

impl Protocol {
    /// How long a peer may stay; who logs in to read or to change scripts is let off that.
    const fn time(self, limits: &Limits) -> Duration {
        match self {
            Self::Smtp | Self::Submission | Self::Lmtp => limits.smtp_session,
            Self::Imap | Self::Pop3 | Self::Sieve => limits.login_idle,
        }
    }

    /// As it stands in logs, metrics and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::Lmtp => "lmtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Sieve => "sieve",
        }
    }
}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Never: LMTP, or behind a proxy that does TLS.
    None,
    /// When the client asks (STARTTLS, STLS).
    StartTls,
    /// At once (RFC 8314).
    Implicit,
}

impl TlsMode {
    /// As a session begins.
    pub(crate) const fn at_first(self) -> Tls {
        match self {
            Self::None => Tls::Absent,
            Self::StartTls => Tls::Offered,
            Self::Implicit => Tls::Active,
        }
    }
}

/// Where a door is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// An address and port.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// One door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Where.
    pub binding: Binding,
    /// What is spoken.
    pub protocol: Protocol,
    /// When TLS begins.
    pub tls: TlsMode,
    /// Each connection begins with a PROXY header, which is believed: only for doors that nobody but the proxy reaches.
    pub proxy: bool,
    /// Log-in is taken without TLS: only behind a proxy that did TLS, or on loopback.
    pub plain_login: bool,
}

/// Why a door doesn't open.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for {} at {binding}: {source}", protocol.as_str())]
pub struct DoorsError {
    /// Where.
    binding: Binding,
    /// For what.
    protocol: Protocol,
    /// Why not.
    source: io::Error,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// All doors of the house, bound but not yet served.
pub struct Doors {
    doors: Vec<(ListenerConfig, Socket)>,
}

/// A connection that came in, with what its driver must know of the way it came.
pub(crate) struct Visitor {
    pub(crate) wire: Wire,
    /// The client's address: behind a PROXY header, the one it names.
    pub(crate) peer: IpAddr,
    pub(crate) listener: Arc<ListenerConfig>,
    /// What it does counts for its network.
    pub(crate) is_watched: bool,
    pub(crate) stop: CancellationToken,
}

impl Doors {
    /// Binds all of `listeners`. # Errors: the first that cannot be bound.
    pub fn bind(listeners: Vec<ListenerConfig>) -> Result<Self, DoorsError> {
        let bind = |listener: ListenerConfig| match bind(&listener.binding) {
            Ok(socket) => Ok((listener, socket)),
            Err(source) => Err(DoorsError { binding: listener.binding, protocol: listener.protocol, source }),
        };
        Ok(Self { doors: listeners.into_iter().map(bind).collect::<Result<_, _>>()? })
    }

    /// Serves until `stop`, then waits for the sessions to end, [`crate::Limits::drain`] at most.
    /// Each connection keeps the house that it found when it came.
    pub async fn serve(self, house: watch::Receiver<Arc<House>>, stop: CancellationToken) {
        let sessions = TaskTracker::new();
        let watchers = TaskTracker::new();
        let guests = Arc::new(Guests::default());
        for (listener, socket) in self.doors {
            info!(protocol = listener.protocol.as_str(), binding = %listener.binding, "listening");
            let door = Door {
                listener: Arc::new(listener),
                socket,
                house: house.clone(),
                guests: Arc::clone(&guests),
                sessions: sessions.clone(),
                stop: stop.clone(),
            };
            watchers.spawn(door.watch());
        }
        watchers.close();
        watchers.wait().await;
        sessions.close();
        let drain = house.borrow().limits.drain;
        if timeout(drain, sessions.wait()).await.is_err() {
            warn!(left = sessions.len(), "connections were cut off at the end of the drain");
        }
    }
}

/// Listens at a TCP port; the one way in which all doors of the house do, those for browsers among them.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` and `0.0.0.0` are two doors, whatever the host's default is.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn bind(binding: &Binding) -> io::Result<Socket> {
    match binding {
        Binding::Tcp(address) => Ok(Socket::Tcp(listen(*address)?)),
        Binding::Unix(path) => {
            // A socket left by a process that died keeps its name; a live server's store lock comes before this.
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(path)?;
            // Programs of other users deliver here; which of them reach it is its directory's say.
            std::fs::set_permissions(path, Permissions::from_mode(0o666))?;
            Ok(Socket::Unix(listener))
        }
    }
}

struct Door {
    listener: Arc<ListenerConfig>,
    socket: Socket,
    house: watch::Receiver<Arc<House>>,
    guests: Arc<Guests>,
    sessions: TaskTracker,
    stop: CancellationToken,
}

impl Door {
    async fn watch(self) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = self.accept() => accepted, // cancel-safe: tokio's accept is
            };
            match accepted {
                Ok((wire, peer)) => self.admit(wire, peer),
                Err(error) => {
                    warn!(protocol = self.listener.protocol.as_str(), %error, "accept failed");
                    sleep(ACCEPT_REST).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<(Wire, IpAddr)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Wire::from(stream), peer.ip().to_canonical()))
            }
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Wire::from(stream), Ipv4Addr::LOCALHOST.into()))
            }
        }
    }

    fn admit(&self, wire: Wire, peer: IpAddr) {
        let protocol = self.listener.protocol.as_str();
        metrics::counter!("relais_connections_total", "protocol" => protocol).increment(1);
        let visitor = Visitor {
            wire,
            peer,
            listener: Arc::clone(&self.listener),
            is_watched: true,
            stop: self.stop.child_token(),
        };
        let (house, guests) = (Arc::clone(&self.house.borrow()), Arc::clone(&self.guests));
        let span = info_span!("connection", protocol, peer.ip = %peer);
        self.sessions.spawn(greet(visitor, house, guests).instrument(span));
    }
}

/// From accept to the driver: the PROXY header, the count of guests, TLS where it comes first.
async fn greet(mut visitor: Visitor, house: Arc<House>, guests: Arc<Guests>) {
    let limit = house.limits.handshake;
    let mut early = Vec::new();
    if visitor.listener.proxy {
        match timeout(limit, read_proxy_header(&mut visitor.wire)).await {
            Ok(Ok((client, rest))) => {
                visitor.peer = client.unwrap_or(visitor.peer);
                early = rest;
            }
            Ok(Err(error)) => return debug!(%error, "no PROXY header"),
            Err(_elapsed) => return debug!("no PROXY header in time"),
        }
    }
    let Some(_seat) = guests.seat(visitor.peer, &house.limits) else {
        return refuse(visitor, &house, TurnedAway::TooMany).await;
    };
    // Other doors have log-ins, which have limits of their own.
    let is_open = visitor.listener.protocol == Protocol::Smtp;
    let admitted = is_open.then(|| house.reception.porter().admit(visitor.peer)).transpose();
    let _guest = match admitted {
        Ok(guest) => guest,
        Err(turned) => return refuse(visitor, &house, turned).await,
    };
    let _counted = Counted::begin(visitor.listener.protocol.as_str());
    if visitor.listener.tls == TlsMode::Implicit {
        // A balancer hands on its header and the client's first octets as they come, often at once.
        let begun = std::mem::take(&mut early);
        visitor.wire = match visitor.wire.start_tls(house.tls.shown(), &begun, limit).await {
            Ok(wire) => wire,
            Err(error) => return debug!(%error, "the TLS handshake failed"),
        };
    }
    let time = visitor.listener.protocol.time(&house.limits);
    visitor.wire.end_at(Some(Instant::now() + time));
    crate::drive(visitor, early, house).await;
}

/// One of the connections that are open now, until it is dropped.
struct Counted(metrics::Gauge);

impl Counted {
    fn begin(protocol: &'static str) -> Self {
        let gauge = metrics::gauge!("relais_connections", "protocol" => protocol);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

async fn read_proxy_header(wire: &mut Wire) -> io::Result<(Option<IpAddr>, Vec<u8>)> {
    let mut inbox = Vec::new();
    loop {
        if wire.read(|octets| inbox.extend_from_slice(octets)).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(found) = proxy::parse(&inbox).map_err(io::Error::other)? {
            return Ok((found.client.map(|client| client.ip().to_canonical()), inbox.split_off(found.octets)));
        }
    }
}

/// Says in the door's own language that the house is full, or that this network is not let in. Under implicit TLS there is no language yet: it just closes.
async fn refuse(mut visitor: Visitor, house: &House, turned: TurnedAway) {
    metrics::counter!("relais_connections_refused_total", "protocol" => visitor.listener.protocol.as_str())
        .increment(1);
    debug!(why = turned.as_str(), "turned away");
    if visitor.listener.tls != TlsMode::Implicit {
        let mut words = Vec::new();
        match visitor.listener.protocol {
            Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => {
                write_reply(&turned.reply(house.host_name.as_str()), &mut words);
            }
            Protocol::Imap => words.extend(b"* BYE [UNAVAILABLE] Too many connections now; try again later\r\n"),
            Protocol::Pop3 => words.extend(b"-ERR [SYS/TEMP] Too many connections now; try again later\r\n"),
            Protocol::Sieve => words.extend(b"BYE (TRYLATER) \"Too many connections now; try again later\"\r\n"),
        }
        let _gone = visitor.wire.write(&words, ACCEPT_REST * 10).await;
    }
    visitor.wire.close().await;
}

/// Who is in the house now: counted over all doors.
#[derive(Debug, Default)]
struct Guests {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_host: HashMap<Network, usize>,
}

impl Guests {
    /// A seat, kept until it is dropped; none where the house or this address has enough.
    fn seat(self: &Arc<Self>, peer: IpAddr, limits: &Limits) -> Option<Seat> {
        let host = Network::of_host(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= limits.connections {
            return None;
        }
        if !peer.is_loopback() {
            let here = counts.by_host.entry(host).or_default();
            if *here >= limits.connections_per_address {
                return None;
            }
            *here += 1;
        }
        counts.all += 1;
        Some(Seat { guests: Arc::clone(self), host })
    }
}

struct Seat {
    guests: Arc<Guests>,
    host: Network,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.guests.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        if let Some(here) = counts.by_host.get_mut(&self.host) {
            *here -= 1;
            if *here == 0 {
                counts.by_host.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flood is refused; who leaves makes room; loopback has no limit of its own.
    #[test]
    fn guests_are_counted_by_host_and_in_all() {
        let limits = Limits { connections: 3, connections_per_address: 2, ..Limits::default() };
        let guests = Arc::new(Guests::default());
        let stranger = "192.0.2.1".parse().unwrap();
        let local = "127.0.0.1".parse().unwrap();
        let first = guests.seat(stranger, &limits);
        let second = guests.seat(stranger, &limits);
        assert!(first.is_some() && second.is_some());
        assert!(guests.seat(stranger, &limits).is_none(), "two from one address are enough");
        let third = guests.seat(local, &limits);
        assert!(third.is_some());
        assert!(guests.seat(local, &limits).is_none(), "three in all are enough");
        drop(first);
        assert!(guests.seat(stranger, &limits).is_some());
    }

    /// A host with IPv6 has 2^64 addresses; it is counted as one all the same.
    #[test]
    fn an_ipv6_host_is_counted_once() {
        let limits = Limits { connections_per_address: 2, ..Limits::default() };
        let guests = Arc::new(Guests::default());
        let seat = |address: &str| guests.seat(address.parse().unwrap(), &limits);
        let seats = [seat("2001:db8::1"), seat("2001:db8::2:3")];
        assert!(seats.iter().all(Option::is_some));
        assert!(seat("2001:db8::4").is_none());
        assert!(seat("2001:db8:0:1::4").is_some());
        let local: Vec<_> = (0..5).map(|_| seat("::1")).collect();
        assert!(local.iter().all(Option::is_some));
        drop((seats, local));
        assert!(guests.counts.lock().unwrap().by_host.is_empty());
    }
}
