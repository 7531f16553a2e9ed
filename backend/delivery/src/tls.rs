//! TLS towards other hosts: what is asked of it, and how a handshake is made.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use relais_model::Domain;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::ports::Stream;

/// A handshake's two round trips; RFC 5321 knows no limit for it.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a connection to a host must have before mail goes over it. MTA-STS and DANE will say `Required`, with more
/// ways to `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsPolicy {
    /// TLS where it is offered and works, with any certificate; clear text else (RFC 7435).
    Opportunistic,
    /// TLS or nothing, with a certificate that a known authority gave for the host's name.
    Required,
    /// Clear text, as the administrator said of a relay.
    Never,
}

/// Makes handshakes, by policy. Sessions are resumed among connections of the same kind.
#[derive(Clone)]
pub(crate) struct Tls {
    any: Arc<ClientConfig>,
    verified: Arc<ClientConfig>,
}

impl Tls {
    /// Trusts the web's authorities and `extra_roots`.
    pub(crate) fn new(extra_roots: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            roots.add(root.clone())?;
        }
        let builder = || ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let verified = builder()?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { any: Arc::new(any_certificate()?), verified: Arc::new(verified) })
    }

    /// Speaks TLS on `stream`, with `host`'s name as SNI.
    pub(crate) async fn handshake(
        &self,
        stream: Box<dyn Stream>,
        host: &Domain,
        is_verified: bool,
    ) -> io::Result<Box<dyn Stream>> {
        let config = if is_verified { &self.verified } else { &self.any };
        let connect = TlsConnector::from(Arc::clone(config)).connect(server_name(host)?, stream);
        let stream =
            timeout(HANDSHAKE_TIMEOUT, connect).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(Box::new(stream))
    }
}

/// A client that takes whatever certificate is shown: of use where nothing hangs on it, or where it is looked at afterwards.
///
/// # Errors
/// The cryptography that is built in lacks TLS's versions: never.
pub fn any_certificate() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let anyone = Arc::new(AnyCertificate(Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth())
}

fn server_name(host: &Domain) -> io::Result<ServerName<'static>> {
    let text = host.as_str().trim_start_matches('[').trim_end_matches(']');
    let text = text.strip_prefix("IPv6:").unwrap_or(text);
    ServerName::try_from(text.to_owned()).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// Takes whatever certificate is shown. Opportunistic TLS keeps out who only listens; whoever can change what passes
/// could as well have taken STARTTLS out (RFC 7435 §3), so that refusing a certificate would only cost encryption.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl From<TlsPolicy> for relais_smtp::client::TlsPolicy {
    fn from(policy: TlsPolicy) -> Self {
        match policy {
            TlsPolicy::Opportunistic => Self::Opportunistic,
            TlsPolicy::Required => Self::Required,
            TlsPolicy::Never => Self::Never,
        }
    }
}
