//! TLS towards other hosts: what is asked of a certificate, and how a handshake is made.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_model::Domain;
use relais_store::TlsResult;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    WantsVerifier,
};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::dane::Dane;
use crate::ports::Stream;

/// A handshake's two round trips; RFC 5321 knows no limit for it.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// What a certificate must be.
#[derive(Debug, Clone)]
pub(crate) enum Verify {
    /// Whatever it is: nothing hangs on it.
    Any,
    /// Whatever it is; but what a strict client would say is noted (RFC 8461 §5: mode testing).
    Watch,
    /// One that a known authority gave for the host's name.
    Authorities,
    /// One that the host's TLSA records name.
    Dane(Arc<Dane>),
}

/// A connection under TLS.
pub(crate) struct Shaken {
    pub(crate) stream: Box<dyn Stream>,
    /// What [`Verify::Watch`] saw.
    pub(crate) doubt: Option<TlsFailure>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFailure {
    pub(crate) result: TlsResult,
    pub(crate) text: String,
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TlsFailure {
    fn of(error: &Error) -> Self {
        // RFC 8460 §4.3.2.
        let result = match error {
            Error::InvalidCertificate(error) => match error {
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    TlsResult::CertificateHostMismatch
                }
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => TlsResult::CertificateExpired,
                CertificateError::ApplicationVerificationFailure => TlsResult::TlsaInvalid,
                _ => TlsResult::CertificateNotTrusted,
            },
            _ => TlsResult::ValidationFailure,
        };
        let text = match error {
            Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => {
                "no TLSA record names the certificate that is shown".to_owned()
            }
            error => error.to_string(),
        };
        Self { result, text }
    }

    fn broken(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inside| inside.downcast_ref::<Error>()) {
            Some(error) => Self::of(error),
            None => Self { result: TlsResult::ValidationFailure, text: error.to_string() },
        }
    }
}

/// Makes handshakes. Sessions are resumed among connections whose certificates are looked at alike, but never where DANE holds or a witness looks: a resumed
/// session shows no certificate.
#[derive(Clone)]
pub(crate) struct Tls {
    any: Arc<ClientConfig>,
    verified: Arc<ClientConfig>,
    strict: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
}

impl Tls {
    /// Trusts the web's authorities and `extra_roots`.
    pub(crate) fn new(extra_roots: &[CertificateDer<'static>]) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in extra_roots {
            roots.add(root.clone())?;
        }
        let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let strict = strict.map_err(|error| Error::General(error.to_string()))?;
        let verified = builder(&provider)?.with_webpki_verifier(Arc::clone(&strict)).with_no_client_auth();
        Ok(Self { any: Arc::new(any_certificate()?), verified: Arc::new(verified), strict, provider })
    }

    /// Speaks TLS on `stream`, with `host`'s name as SNI; with DANE that is the TLSA base domain (RFC 7672 §8.1).
    pub(crate) async fn handshake(
        &self,
        stream: Box<dyn Stream>,
        host: &Domain,
        verify: &Verify,
    ) -> Result<Shaken, TlsFailure> {
        let witness = matches!(verify, Verify::Watch).then(|| Arc::new(self.witness()));
        let (config, host) = match (verify, &witness) {
            (Verify::Authorities, _) => (Ok(Arc::clone(&self.verified)), host),
            (Verify::Dane(dane), _) => {
                let verifier = DaneVerifier { dane: Arc::clone(dane), provider: Arc::clone(&self.provider) };
                (self.once(Arc::new(verifier)), dane.base())
            }
            (_, Some(witness)) => (self.once(Arc::clone(witness) as Arc<dyn ServerCertVerifier>), host),
            (_, None) => (Ok(Arc::clone(&self.any)), host),
        };
        let config = config.map_err(|error| TlsFailure::of(&error))?;
        let name = server_name(host).map_err(|error| TlsFailure::broken(&error))?;
        let connect = TlsConnector::from(config).connect(name, stream);
        let made = timeout(HANDSHAKE_TIMEOUT, connect).await;
        let made = made.unwrap_or_else(|_late| Err(io::ErrorKind::TimedOut.into()));
        let stream = made.map_err(|error| TlsFailure::broken(&error))?;
        let doubt = witness.and_then(|witness| witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(Shaken { stream: Box::new(stream), doubt })
    }

    fn witness(&self) -> Witness {
        Witness { strict: Arc::clone(&self.strict), provider: Arc::clone(&self.provider), seen: Mutex::default() }
    }

    /// For one handshake.
    fn once(&self, verifier: Arc<dyn ServerCertVerifier>) -> Result<Arc<ClientConfig>, Error> {
        let config = builder(&self.provider)?.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = config.with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

fn builder(provider: &Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(Arc::clone(provider)).with_safe_default_protocol_versions()
}

/// A client that takes whatever certificate is shown: of use where nothing hangs on it, or where it is looked at afterwards.
///
/// # Errors
/// The cryptography that is built in lacks TLS's versions: never.
pub fn any_certificate() -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let anyone = Arc::new(AnyCertificate(Arc::clone(&provider)));
    Ok(builder(&provider)?.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth())
}

fn server_name(host: &Domain) -> io::Result<ServerName<'static>> {
    let text = host.as_str().trim_start_matches('[').trim_end_matches(']');
    let text = text.strip_prefix("IPv6:").unwrap_or(text);
    ServerName::try_from(text.to_owned()).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// That the peer has its certificate's key, as all verifiers here want it proved.
macro_rules! key_is_proved {
    ($field:tt) => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, dss, &self.$field.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, dss, &self.$field.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.$field.signature_verification_algorithms.supported_schemes()
        }
    };
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
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    key_is_proved!(0);
}

/// Takes whatever certificate is shown, and remembers what the strict verifier says of it.
#[derive(Debug)]
struct Witness {
    strict: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<TlsFailure>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let opinion = self.strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = opinion.err().map(|error| TlsFailure::of(&error));
        Ok(ServerCertVerified::assertion())
    }

    key_is_proved!(provider);
}

/// Takes what the host's TLSA records name.
#[derive(Debug)]
struct DaneVerifier {
    dane: Arc<Dane>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for DaneVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        self.dane.verify(end_entity, intermediates, now, algorithms).map_err(Error::InvalidCertificate)?;
        Ok(ServerCertVerified::assertion())
    }

    key_is_proved!(provider);
}
