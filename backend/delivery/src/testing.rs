//! Fakes of the ports, for tests.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use relais_model::Domain;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_util::task::TaskTracker;

use crate::ports::{Alias, Answer, Dialer, Found, LookupError, MxRecord, Resolver, Stream, TlsaRecord};

/// A DNS in a table. A name that stands nowhere doesn't exist.
#[derive(Debug, Default)]
pub(crate) struct FakeDns {
    mx: HashMap<Domain, Vec<MxRecord>>,
    hosts: HashMap<Domain, Vec<IpAddr>>,
    tlsa: HashMap<Domain, Vec<TlsaRecord>>,
    txt: HashMap<Domain, Vec<String>>,
    aliases: HashMap<Domain, Alias>,
    broken: Vec<Domain>,
    bogus: Vec<Domain>,
    insecure: Vec<Domain>,
    is_secure: bool,
}

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

impl FakeDns {
    pub(crate) fn mx(mut self, name: &str, records: &[(u16, &str)]) -> Self {
        let exchange = |host: &str| (host != ".").then(|| domain(host));
        let record = |(preference, host): &(u16, &str)| MxRecord { preference: *preference, exchange: exchange(host) };
        self.mx.insert(domain(name), records.iter().map(record).collect());
        self
    }

    pub(crate) fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        self.hosts.insert(domain(name), addresses.iter().map(|text| text.parse().unwrap()).collect());
        self
    }

    pub(crate) fn empty(self, name: &str) -> Self {
        self.host(name, &[])
    }

    pub(crate) fn broken(mut self, name: &str) -> Self {
        self.broken.push(domain(name));
        self
    }

    pub(crate) fn bogus(mut self, name: &str) -> Self {
        self.bogus.push(domain(name));
        self
    }

    pub(crate) fn tlsa(mut self, name: &str, records: &[TlsaRecord]) -> Self {
        self.tlsa.insert(domain(name), records.to_vec());
        self
    }

    pub(crate) fn txt(mut self, name: &str, text: &str) -> Self {
        self.txt.entry(domain(name)).or_default().push(text.to_owned());
        self
    }

    pub(crate) fn alias(mut self, name: &str, target: &str, is_secure: bool) -> Self {
        self.aliases.insert(domain(name), Alias { target: domain(target), is_secure });
        self
    }

    /// DNSSEC proves all of it.
    pub(crate) fn proven(self) -> Self {
        Self { is_secure: true, ..self }
    }

    /// But for this name.
    pub(crate) fn unproven(mut self, name: &str) -> Self {
        self.insecure.push(domain(name));
        self
    }

    fn answer<T: Clone>(&self, name: &Domain, table: &HashMap<Domain, Vec<T>>) -> Result<Found<T>, LookupError> {
        if self.broken.contains(name) {
            return Err(LookupError::Temporary("SERVFAIL".into()));
        }
        if self.bogus.contains(name) {
            return Err(LookupError::Bogus);
        }
        let is_secure = self.is_secure && !self.insecure.contains(name);
        let alias = self.aliases.get(name).cloned();
        match table.get(name) {
            Some(records) if !records.is_empty() => Ok(Found { records: records.clone(), is_secure, alias }),
            _ if self.mx.contains_key(name) || self.hosts.contains_key(name) => Err(LookupError::NoRecords),
            _ => Err(LookupError::NoSuchDomain),
        }
    }
}

impl Resolver for FakeDns {
    fn mx<'a>(&'a self, domain: &'a Domain) -> Answer<'a, Result<Found<MxRecord>, LookupError>> {
        Box::pin(async move { self.answer(domain, &self.mx) })
    }

    fn addresses<'a>(&'a self, host: &'a Domain) -> Answer<'a, Result<Found<IpAddr>, LookupError>> {
        Box::pin(async move { self.answer(host, &self.hosts) })
    }

    fn tlsa<'a>(&'a self, name: &'a Domain) -> Answer<'a, Result<Found<TlsaRecord>, LookupError>> {
        Box::pin(async move { self.answer(name, &self.tlsa) })
    }

    fn txt<'a>(&'a self, name: &'a Domain) -> Answer<'a, Result<Found<String>, LookupError>> {
        Box::pin(async move { self.answer(name, &self.txt) })
    }
}

/// Reaches nobody, and knows which addresses are ours.
#[derive(Debug, Default)]
pub(crate) struct NoDialer {
    pub(crate) own: Vec<IpAddr>,
}

impl Dialer for NoDialer {
    fn dial(&self, _remote: SocketAddr, _source: Option<IpAddr>) -> Answer<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
    }

    fn is_own(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
    }
}

/// One connection, played from a text: `S:` is said (in one write; a slash parts lines), `C:` must come (its beginning suffices), `C: .` is a whole message after
/// DATA, `TLS` makes the handshake as the server, `WEB` answers one HTTP request with the rest of the line (a bar parts lines), `SILENCE` says nothing more, the end closes.
#[derive(Debug, Clone)]
pub(crate) struct Script(pub(crate) String);

/// Hosts that play scripts: each connection to an address takes the next one. Others refuse.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    scripts: Mutex<HashMap<SocketAddr, VecDeque<Script>>>,
    /// What didn't come as it should.
    wrong: Arc<Mutex<Vec<String>>>,
    pub(crate) messages: Arc<Mutex<Vec<String>>>,
    players: TaskTracker,
    certificate: Option<Arc<rustls::ServerConfig>>,
}

impl Remotes {
    pub(crate) fn with_certificate(certificate: Arc<rustls::ServerConfig>) -> Self {
        Self { certificate: Some(certificate), ..Self::default() }
    }

    pub(crate) fn script(self, remote: &str, text: &str) -> Self {
        let remote = remote.parse().unwrap();
        self.scripts.lock().unwrap().entry(remote).or_default().push_back(Script(text.to_owned()));
        self
    }

    /// All scripts were played to their end, as they stand.
    #[track_caller]
    pub(crate) fn assert_played(&self) {
        let left: usize = self.scripts.lock().unwrap().values().map(VecDeque::len).sum();
        assert_eq!((left, self.wrong.lock().unwrap().clone()), (0, Vec::new()));
    }
}

impl Dialer for Remotes {
    fn dial(&self, remote: SocketAddr, _source: Option<IpAddr>) -> Answer<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let script = self.scripts.lock().unwrap().get_mut(&remote).and_then(VecDeque::pop_front);
            let script = script.ok_or(io::ErrorKind::ConnectionRefused)?;
            let (ours, theirs) = tokio::io::duplex(1 << 20);
            let (wrong, messages) = (Arc::clone(&self.wrong), Arc::clone(&self.messages));
            let certificate = self.certificate.clone();
            self.players.spawn(async move {
                if let Err(error) = play(script, Box::new(theirs), certificate, &messages).await {
                    wrong.lock().unwrap().push(format!("{remote}: {error}"));
                }
            });
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }

    fn is_own(&self, _address: IpAddr) -> bool {
        false
    }
}

async fn play(
    script: Script,
    stream: Box<dyn Stream>,
    certificate: Option<Arc<rustls::ServerConfig>>,
    messages: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    for line in script.0.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once(": ").unwrap_or((line, "")) {
            ("S", said) => {
                stream.get_mut().write_all(format!("{}\r\n", said.replace('/', "\r\n")).as_bytes()).await?;
                stream.get_mut().flush().await?;
            }
            ("C", ".") => {
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") && message != ".\r\n" {
                    if stream.read_line(&mut message).await? == 0 {
                        return Err(io::Error::other(format!("the message broke off: {message}")));
                    }
                }
                messages.lock().unwrap().push(message);
            }
            ("C", expected) => {
                let mut heard = String::new();
                stream.read_line(&mut heard).await?;
                if !heard.starts_with(expected) {
                    return Err(io::Error::other(format!("expected {expected}, heard {heard}")));
                }
            }
            ("TLS", _) => {
                let acceptor = tokio_rustls::TlsAcceptor::from(certificate.clone().unwrap());
                match acceptor.accept(stream.into_inner()).await {
                    Ok(tls) => stream = BufReader::new(Box::new(tls)),
                    // The script says by its end whether the handshake was to succeed.
                    Err(_refused) => return Ok(()),
                }
            }
            ("WEB", answer) => {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await? > 0 {}
                if !head.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\nhost: mta-sts.") {
                    return Err(io::Error::other(format!("no request for a policy: {head}")));
                }
                stream.get_mut().write_all(answer.replace('|', "\r\n").as_bytes()).await?;
                stream.get_mut().flush().await?;
            }
            ("SILENCE", _) => std::future::pending::<()>().await,
            _ => return Err(io::Error::other(format!("no such line: {line}"))),
        }
    }
    Ok(())
}
