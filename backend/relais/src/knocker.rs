//! Knocks at our own doors, as a stranger would, to see what they really show.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use relais_certs::Doing;
use relais_model::Timestamp;
use relais_service::{Knocker, ListenerView, SeenLeaf};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// From the connection to the end of the handshake: it is this host, so it is quick or ill.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lines of a greeting, at most.
const LINES: usize = 50;

/// Knocks over TCP.
#[derive(Debug)]
pub(crate) struct Doorstep {
    config: Arc<ClientConfig>,
}

impl Doorstep {
    pub(crate) fn new() -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Looker(provider)))
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }

    async fn look(&self, door: &ListenerView, name: &str) -> Result<SeenLeaf> {
        let address: SocketAddr = door.at.parse().context("this door is no TCP port")?;
        let mut stream = TcpStream::connect(reachable(address)).await.context("nobody takes the connection")?;
        if door.tls == "starttls" {
            start_tls(&mut stream, &door.protocol).await?;
        }
        let server = ServerName::try_from(name.to_owned())?;
        let tls = TlsConnector::from(Arc::clone(&self.config)).connect(server, stream).await?;
        let connection = tls.get_ref().1;
        let leaf = connection.peer_certificates().and_then(|chain| chain.first()).context("it shows no certificate")?;
        let version = connection.protocol_version().and_then(|version| version.as_str()).unwrap_or_default();
        seen(leaf, &version.replace('_', ".").replace("TLSv", "TLS"))
    }
}

impl Knocker for Doorstep {
    fn knock<'a>(&'a self, door: &'a ListenerView, name: &'a str) -> Doing<'a, Result<SeenLeaf, String>> {
        Box::pin(async move {
            match timeout(PATIENCE, self.look(door, name)).await {
                Ok(seen) => seen.map_err(|error| format!("{error:#}")),
                Err(_elapsed) => Err("no answer in time".to_owned()),
            }
        })
    }
}

/// A door on all addresses is met on the nearest.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// STARTTLS as each language says it (RFC 3207, RFC 9051 §6.2.1, RFC 2595 §4, RFC 5804 §2.2).
async fn start_tls(stream: &mut TcpStream, protocol: &str) -> Result<()> {
    let (ask, agrees): (&str, &str) = match protocol {
        "smtp" | "submission" => ("STARTTLS\r\n", "220"),
        "imap" => ("a STARTTLS\r\n", "a OK"),
        "pop3" => ("STLS\r\n", "+OK"),
        "sieve" => ("STARTTLS\r\n", "OK"),
        other => bail!("{other} knows no STARTTLS"),
    };
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let is_smtp = agrees == "220";
    // The greeting; of SMTP the answer to EHLO, too, whose last line has a space behind its code (RFC 5321 §4.2.1).
    for question in if is_smtp { &["", "EHLO localhost\r\n"][..] } else { &[""] } {
        stream.write_all(question.as_bytes()).await?;
        for _ in 0..LINES {
            line.clear();
            stream.read_line(&mut line).await?;
            if !is_smtp || line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
    }
    stream.write_all(ask.as_bytes()).await?;
    line.clear();
    stream.read_line(&mut line).await?;
    if !line.starts_with(agrees) {
        bail!("it does not start TLS: {}", line.trim_end());
    }
    Ok(())
}

fn seen(leaf: &CertificateDer<'_>, version: &str) -> Result<SeenLeaf> {
    let (_rest, certificate) = parse_x509_certificate(leaf)?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| {
        let dns = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        dns.collect()
    });
    Ok(SeenLeaf {
        leaf: leaf.to_vec(),
        names: names.unwrap_or_default(),
        issuer: certificate.issuer().to_string(),
        not_after: Timestamp::from_seconds(certificate.validity().not_after.timestamp()),
        version: version.to_owned(),
    })
}

/// Takes every certificate: it is looked at, and nothing is said to it. That the door has its key is checked all the same.
#[derive(Debug)]
struct Looker(Arc<CryptoProvider>);

impl ServerCertVerifier for Looker {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
