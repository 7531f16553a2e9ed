//! A blocking connection to a door of this machine: octets and lines, with or without TLS.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A server that says nothing for so long has failed the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// The authority that a client believes, and the name it asks for.
#[derive(Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl Trust {
    /// Believes the authorities in a PEM file, and asks for `localhost`.
    ///
    /// # Errors
    /// The file can't be read, or holds no certificate.
    pub fn from_pem(file: &Path) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file).map_err(io::Error::other)? {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), name: ServerName::try_from("localhost").map_err(io::Error::other)? })
    }

    /// The same, but it asks for the host `name`.
    ///
    /// # Errors
    /// It is no name of a host.
    pub fn of_host(self, name: &str) -> io::Result<Self> {
        Ok(Self { name: ServerName::try_from(name.to_owned()).map_err(io::Error::other)?, ..self })
    }
}

/// An open connection. Every wait ends after 30 seconds.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    inbox: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// Connects to a port of 127.0.0.1, in clear text.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(port: u16) -> io::Result<Self> {
        Self::connect_to("127.0.0.1", port)
    }

    /// Connects to a port of a host, in clear text.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect_to(host: &str, port: u16) -> io::Result<Self> {
        Self::over(TcpStream::connect((host, port))?)
    }

    /// Over a connection that is there, whoever made it.
    ///
    /// # Errors
    /// It is broken.
    pub fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: Stream::Plain(stream), inbox: Vec::new() })
    }

    /// Connects to a socket in the file system.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect_unix(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: Stream::Unix(stream), inbox: Vec::new() })
    }

    /// What a log-in over TLS 1.3 is bound to (RFC 9266).
    ///
    /// # Errors
    /// There is no TLS.
    pub fn tls_exporter(&self) -> io::Result<[u8; 32]> {
        let Stream::Tls(stream) = &self.stream else { return Err(io::Error::other("there is no TLS")) };
        let exported = stream.conn.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""));
        exported.map_err(io::Error::other)
    }

    /// The server's own certificate, in DER.
    ///
    /// # Errors
    /// There is no TLS.
    pub fn certificate(&self) -> io::Result<Vec<u8>> {
        let Stream::Tls(stream) = &self.stream else { return Err(io::Error::other("there is no TLS")) };
        let chain = stream.conn.peer_certificates().unwrap_or_default();
        chain.first().map(|certificate| certificate.to_vec()).ok_or_else(|| io::Error::other("no certificate came"))
    }

    /// Goes over to TLS; what is in TLS already, or in a socket's file, stays as it is.
    ///
    /// # Errors
    /// The handshake fails, or octets came in clear text after the last answer (which a client must not believe).
    pub fn into_tls(self, trust: &Trust) -> io::Result<Self> {
        self.into_tls_behind(&[], 0, trust)
    }

    /// As [`Wire::into_tls`], with `header` before the handshake and the first `beside` octets of that in the same write.
    ///
    /// # Errors
    /// As [`Wire::into_tls`].
    pub fn into_tls_behind(self, header: &[u8], beside: usize, trust: &Trust) -> io::Result<Self> {
        let mut stream = match self.stream {
            Stream::Plain(stream) => stream,
            stream @ (Stream::Unix(_) | Stream::Tls(_)) => return Ok(Self { stream, ..self }),
        };
        if !self.inbox.is_empty() {
            return Err(io::Error::other("octets in clear text before the handshake"));
        }
        let mut session =
            ClientConnection::new(Arc::clone(&trust.config), trust.name.clone()).map_err(io::Error::other)?;
        let mut hello = Vec::new();
        session.write_tls(&mut hello)?;
        let (first, rest) = hello.split_at(beside.min(hello.len()));
        stream.write_all(&[header, first].concat())?;
        stream.write_all(rest)?;
        session.complete_io(&mut stream)?;
        Ok(Self { stream: Stream::Tls(Box::new(StreamOwned::new(session, stream))), inbox: Vec::new() })
    }

    /// Sends all of `octets`.
    ///
    /// # Errors
    /// The peer is gone.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(octets),
            Stream::Unix(stream) => stream.write_all(octets),
            Stream::Tls(stream) => stream.write_all(octets).and_then(|()| stream.flush()),
        }
    }

    /// The next line, without its CRLF (or bare LF).
    ///
    /// # Errors
    /// The peer hung up before a line was complete (`UnexpectedEof`), or said nothing for 30 seconds.
    pub fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut seen = 0;
        let end = loop {
            match self.inbox[seen..].iter().position(|&octet| octet == b'\n') {
                Some(at) => break seen + at,
                None => seen = self.inbox.len(),
            }
            self.fill()?;
        };
        let mut line: Vec<u8> = self.inbox.drain(..=end).collect();
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// The next `count` octets.
    ///
    /// # Errors
    /// As [`Wire::line`].
    pub fn octets(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.inbox.len() < count {
            self.fill()?;
        }
        Ok(self.inbox.drain(..count).collect())
    }

    /// Puts a line back, so that it is the next to be read.
    pub fn unread(&mut self, line: &[u8]) {
        let back = line.iter().chain(b"\r\n").copied();
        self.inbox.splice(..0, back);
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut chunk)?,
            Stream::Unix(stream) => stream.read(&mut chunk)?,
            Stream::Tls(stream) => stream.read(&mut chunk)?,
        };
        self.inbox.extend_from_slice(&chunk[..read]);
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}
