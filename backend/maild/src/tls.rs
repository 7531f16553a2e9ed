//! Certificates for the doors: chosen by the name that the client asks for (SNI, RFC 6066 §3), swapped while in use.
//! What comes by ACME later is put in by the same [`Certificates::replace`].

mod end_point;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that is not there, cannot be read, or holds no PEM of the kind wanted.
    #[error("{}: {source}", path.display())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// A key that belongs to another certificate, or of a kind that we don't know.
    #[error("{}: {source}", path.display())]
    Key {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// No certificate at all: a server with TLS needs one.
    #[error("no certificate is configured")]
    None,
}

/// The certificates in use. The first is shown to who asks for no name, or for one that none is made out for.
#[derive(Debug)]
pub struct Certificates {
    current: RwLock<Arc<Table>>,
}

#[derive(Debug)]
struct Table {
    default: Arc<CertifiedKey>,
    by_name: HashMap<String, Arc<CertifiedKey>>,
}

impl Certificates {
    /// Reads pairs of PEM files: certificate chain, private key.
    pub fn load(pairs: &[(PathBuf, PathBuf)]) -> Result<Self, TlsError> {
        Ok(Self { current: RwLock::new(Arc::new(Table::load(pairs)?)) })
    }

    /// Reads them anew; on an error those in use stay.
    pub fn replace(&self, pairs: &[(PathBuf, PathBuf)]) -> Result<(), TlsError> {
        let table = Arc::new(Table::load(pairs)?);
        *self.current.write().unwrap_or_else(std::sync::PoisonError::into_inner) = table;
        Ok(())
    }

    /// What `tls-server-end-point` is (RFC 5929 §4) for who asked for this name: the hash of the certificate that is shown for it. None
    /// where that isn't defined for how the certificate is signed. A log-in that began before a reload and comes after it may find another.
    pub fn end_point(&self, name: Option<&str>) -> Option<Vec<u8>> {
        end_point::of(self.table().shown(name).cert.first()?)
    }

    /// What is in use: for each certificate its octets (DER) and the names that it is made out for.
    pub fn in_use(&self) -> Vec<(CertificateDer<'static>, Vec<String>)> {
        let table = self.table();
        let mut seen: Vec<(CertificateDer<'static>, Vec<String>)> = Vec::new();
        for certified in std::iter::once(&table.default).chain(table.by_name.values()) {
            if let Some(leaf) = certified.cert.first()
                && seen.iter().all(|(known, _)| known != leaf)
            {
                seen.push((leaf.clone(), names_of(leaf)));
            }
        }
        seen
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.current.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.table().shown(hello.server_name()))
    }
}

impl Table {
    fn load(pairs: &[(PathBuf, PathBuf)]) -> Result<Self, TlsError> {
        let mut default = None;
        let mut by_name = HashMap::new();
        for (chain, key) in pairs {
            let (certified, names) = load_pair(chain, key)?;
            default.get_or_insert_with(|| Arc::clone(&certified));
            for name in names {
                by_name.entry(name).or_insert_with(|| Arc::clone(&certified));
            }
        }
        Ok(Self { default: default.ok_or(TlsError::None)?, by_name })
    }

    fn shown(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let named = name.and_then(|name| self.find(&name.to_ascii_lowercase()));
        named.unwrap_or_else(|| Arc::clone(&self.default))
    }

    /// The name itself, or the wildcard one label up (RFC 9525 §6.3).
    fn find(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let wildcard = || name.split_once('.').and_then(|(_, parent)| self.by_name.get(&format!("*.{parent}")));
        self.by_name.get(name).or_else(wildcard).map(Arc::clone)
    }
}

fn load_pair(chain: &Path, key: &Path) -> Result<(Arc<CertifiedKey>, Vec<String>), TlsError> {
    let pem = |source| TlsError::Pem { path: chain.to_owned(), source };
    let tls = |source| TlsError::Key { path: chain.to_owned(), source };
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(chain).and_then(Iterator::collect).map_err(pem)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Pem { path: key.to_owned(), source })?;
    let leaf = certificates.first().ok_or_else(|| pem(rustls::pki_types::pem::Error::NoItemsFound))?;
    let names = names_of(leaf);
    let certified = CertifiedKey::from_der(certificates, private, &provider()).map_err(tls)?;
    Ok((Arc::new(certified), names))
}

/// The DNS names that the certificate is made out for, in lower case.
fn names_of(leaf: &CertificateDer<'_>) -> Vec<String> {
    webpki::EndEntityCert::try_from(leaf)
        .map(|certificate| certificate.valid_dns_names().map(str::to_ascii_lowercase).collect())
        .unwrap_or_default()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// TLS 1.2 and 1.3 with `certificates`, for all doors.
pub fn server_config(certificates: Arc<Certificates>) -> Result<Arc<rustls::ServerConfig>, rustls::Error> {
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    Ok(Arc::new(config))
}
