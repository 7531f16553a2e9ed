//! What the doors show: chosen by the name that the client asks for (SNI, RFC 6066 §3), swapped for all doors at once while in use.
//!
//! A connection keeps what it began with: [`Served::shown`] is taken once for it, so that what a log-in is bound to
//! (`tls-server-end-point`) is what the client was shown, whatever has been swapped meanwhile.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use relais_model::{Secret, Timestamp};
use relais_store::{CertificateKey, CertificateSource, ServedCertificate};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::challenge::{ACME_TLS, Challenges};
use crate::end_point;

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
    /// The machine gives no randomness for tickets.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// Where what is shown comes from: the first wins where several are made out for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Files that `relais.toml` names.
    File,
    /// Brought by a person.
    Own,
    /// Ordered by us.
    Acme,
    /// Made by the house for itself, until it has another.
    SelfSigned,
}

impl Rank {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Own => "own",
            Self::Acme => "acme",
            Self::SelfSigned => "self_signed",
        }
    }
}

/// A certificate in use.
#[derive(Debug, Clone)]
pub struct InUse {
    /// Its octets (DER).
    pub leaf: CertificateDer<'static>,
    /// The names that it is made out for.
    pub names: Vec<String>,
    /// Where it comes from.
    pub rank: Rank,
    /// Its row; none: it is a file.
    pub key: Option<CertificateKey>,
}

impl InUse {
    /// Its last moment; none where it can't be read.
    pub fn not_after(&self) -> Option<Timestamp> {
        let (_, leaf) = x509_parser::parse_x509_certificate(&self.leaf).ok()?;
        Some(Timestamp::from_seconds(leaf.validity().not_after.timestamp()))
    }
}

/// What is shown from one swap to the next.
#[derive(Debug)]
pub struct Shown {
    table: Arc<Table>,
    config: Arc<ServerConfig>,
}

impl Shown {
    /// TLS 1.2 and 1.3 with these certificates.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// What `tls-server-end-point` is (RFC 5929 §4) for who asked for this name: the hash of the certificate that is shown for it. None
    /// where that isn't defined for how the certificate is signed.
    pub fn end_point(&self, name: Option<&str>) -> Option<Vec<u8>> {
        end_point::of(self.table.shown(name).certified.cert.first()?)
    }
}

/// The certificates in use, for all doors.
#[derive(Debug)]
pub struct Served {
    challenges: Arc<Challenges>,
    /// The house's own name: its certificate is shown to who asks for no name, or for one that none is made out for.
    host: String,
    /// All configurations share its tickets and sessions.
    base: ServerConfig,
    layers: Mutex<Layers>,
    now: RwLock<Arc<Shown>>,
}

/// What the table is made from.
#[derive(Debug, Clone)]
struct Layers {
    files: Vec<Entry>,
    stored: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    certified: Arc<CertifiedKey>,
    names: Arc<[String]>,
    rank: Rank,
    key: Option<CertificateKey>,
}

#[derive(Debug)]
struct Table {
    default: Entry,
    /// In the order of [`Rank`], each by name.
    layers: Vec<HashMap<String, Entry>>,
}

impl Served {
    /// Reads pairs of PEM files: certificate chain, private key. `rank` is [`Rank::File`] or [`Rank::SelfSigned`].
    ///
    /// # Errors
    /// The first file that doesn't do; [`TlsError::None`] without any.
    pub fn load(
        host: &str,
        pairs: &[(PathBuf, PathBuf)],
        rank: Rank,
        challenges: Arc<Challenges>,
    ) -> Result<Self, TlsError> {
        let layers = Layers { files: load(pairs, rank)?, stored: Vec::new() };
        let table = Arc::new(Table::of(host, &layers).ok_or(TlsError::None)?);
        let base = config(Arc::<Table>::clone(&table))?;
        let shown = Shown { config: Arc::new(base.clone()), table };
        Ok(Self {
            challenges,
            host: host.to_owned(),
            base,
            layers: Mutex::new(layers),
            now: RwLock::new(Arc::new(shown)),
        })
    }

    /// Reads the files anew; on an error all stays as it is.
    ///
    /// # Errors
    /// As [`Served::load`].
    pub fn replace_files(&self, pairs: &[(PathBuf, PathBuf)], rank: Rank) -> Result<(), TlsError> {
        let files = load(pairs, rank)?;
        self.change(|layers| layers.files = files)
    }

    /// Shows these beside the files, and no others that were stored before. Those that have ended, or can't be read, are passed over.
    pub fn replace_stored(&self, stored: &[ServedCertificate], now: Timestamp) {
        let fitting = stored.iter().filter(|stored| now < stored.certificate.not_after);
        let stored: Vec<Entry> = fitting.filter_map(entry).collect();
        if let Err(error) = self.change(|layers| layers.stored = stored) {
            tracing::error!(%error, "the stored certificates could not be put in use");
        }
    }

    fn change(&self, change: impl FnOnce(&mut Layers)) -> Result<(), TlsError> {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = layers.clone();
        change(&mut changed);
        let table = Arc::new(Table::of(&self.host, &changed).ok_or(TlsError::None)?);
        let mut config = self.base.clone();
        config.cert_resolver = Arc::<Table>::clone(&table);
        let shown = Arc::new(Shown { table, config: Arc::new(config) });
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = shown;
        *layers = changed;
        Ok(())
    }

    /// What is shown now: for one connection, from its first octet to its last.
    pub fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// For doors that have one configuration for all connections: it asks anew at each handshake, and shows the CA's proofs.
    pub fn live_config(self: &Arc<Self>) -> ServerConfig {
        let mut config = self.base.clone();
        config.cert_resolver = Arc::<Self>::clone(self);
        config
    }

    /// What is in use: each certificate once.
    pub fn in_use(&self) -> Vec<InUse> {
        let shown = self.shown();
        let layers = shown.table.layers.iter().flat_map(HashMap::values);
        let mut seen: Vec<InUse> = Vec::new();
        for entry in std::iter::once(&shown.table.default).chain(layers) {
            if let Some(leaf) = entry.certified.cert.first()
                && seen.iter().all(|known| known.leaf != *leaf)
            {
                seen.push(entry.in_use(leaf));
            }
        }
        seen
    }

    /// What this name is served with.
    pub fn for_name(&self, name: &str) -> Option<InUse> {
        let shown = self.shown();
        let entry = shown.table.shown(Some(name));
        entry.certified.cert.first().map(|leaf| entry.in_use(leaf))
    }

    /// What the house's own name is served with, and its key: whoever signs as the house signs with this.
    pub fn own(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.shown().table.shown(Some(&self.host)).certified)
    }

    /// Names that files are made out for: nothing is ordered for them.
    pub fn names_of_files(&self) -> Vec<String> {
        let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let files = layers.files.iter().filter(|entry| entry.rank == Rank::File);
        files.flat_map(|entry| entry.names.iter().cloned()).collect()
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // RFC 8737 §3: the CA offers this protocol alone.
        if hello.alpn().is_some_and(|mut offered| offered.next() == Some(ACME_TLS) && offered.next().is_none()) {
            return self.challenges.certificate(hello.server_name()?);
        }
        self.shown().table.resolve(hello)
    }
}

impl ResolvesServerCert for Table {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown(hello.server_name()).certified))
    }
}

impl Table {
    /// None where there is nothing to show.
    fn of(host: &str, layers: &Layers) -> Option<Self> {
        let mut by_rank: Vec<HashMap<String, Entry>> = Vec::new();
        for rank in [Rank::File, Rank::Own, Rank::Acme, Rank::SelfSigned] {
            let mut by_name = HashMap::new();
            for entry in layers.files.iter().chain(&layers.stored).filter(|entry| entry.rank == rank) {
                for name in entry.names.iter() {
                    by_name.entry(name.clone()).or_insert_with(|| entry.clone());
                }
            }
            by_rank.push(by_name);
        }
        let host = find(&by_rank, &host.to_ascii_lowercase()).cloned();
        let first_file = layers.files.iter().min_by_key(|entry| entry.rank).cloned();
        // Files that are named stand first for who asks for no name, whomever they are made out for: so it always was.
        let default = match (first_file, host) {
            (Some(file), _) if file.rank == Rank::File => file,
            (_, Some(host)) => host,
            (Some(file), None) => file,
            (None, None) => layers.stored.first().cloned()?,
        };
        Some(Self { default, layers: by_rank })
    }

    fn shown(&self, name: Option<&str>) -> &Entry {
        name.and_then(|name| find(&self.layers, &name.to_ascii_lowercase())).unwrap_or(&self.default)
    }
}

/// The name itself, or the wildcard one label up (RFC 9525 §6.3), in the first layer that has either.
fn find<'a>(layers: &'a [HashMap<String, Entry>], name: &str) -> Option<&'a Entry> {
    let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
    layers.iter().find_map(|by_name| by_name.get(name).or_else(|| by_name.get(wildcard.as_deref()?)))
}

impl Entry {
    fn in_use(&self, leaf: &CertificateDer<'static>) -> InUse {
        InUse { leaf: leaf.clone(), names: self.names.to_vec(), rank: self.rank, key: self.key }
    }
}

fn load(pairs: &[(PathBuf, PathBuf)], rank: Rank) -> Result<Vec<Entry>, TlsError> {
    pairs.iter().map(|(chain, key)| load_pair(chain, key, rank)).collect()
}

fn load_pair(chain: &Path, key: &Path, rank: Rank) -> Result<Entry, TlsError> {
    let pem = |source| TlsError::Pem { path: chain.to_owned(), source };
    let tls = |source| TlsError::Key { path: chain.to_owned(), source };
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(chain).and_then(Iterator::collect).map_err(pem)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Pem { path: key.to_owned(), source })?;
    let leaf = certificates.first().ok_or_else(|| pem(rustls::pki_types::pem::Error::NoItemsFound))?;
    let names = names_of(leaf).into();
    let certified = Arc::new(CertifiedKey::from_der(certificates, private, &provider()).map_err(tls)?);
    Ok(Entry { certified, names, rank, key: None })
}

fn entry(stored: &ServedCertificate) -> Option<Entry> {
    let certificate = &stored.certificate;
    let certified = certified(&certificate.chain_pem, &stored.key_pem).inspect_err(
        |error| tracing::error!(%error, names = certificate.names.join(" "), "a stored certificate can't be used"),
    );
    let rank = match certificate.source {
        CertificateSource::Own => Rank::Own,
        CertificateSource::Acme => Rank::Acme,
    };
    let certified = certified.ok()?;
    let names = certified.cert.first().map(names_of).unwrap_or_default().into();
    Some(Entry { certified: Arc::new(certified), names, rank, key: Some(certificate.key) })
}

#[derive(Debug, thiserror::Error)]
enum StoredError {
    #[error(transparent)]
    Pem(#[from] rustls::pki_types::pem::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

fn certified(chain: &str, key: &Secret) -> Result<CertifiedKey, StoredError> {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    let private = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())?;
    Ok(CertifiedKey::from_der(chain, private, &provider())?)
}

/// The DNS names that the certificate is made out for, in lower case.
fn names_of(leaf: &CertificateDer<'_>) -> Vec<String> {
    webpki::EndEntityCert::try_from(leaf)
        .map(|certificate| certificate.valid_dns_names().map(str::to_ascii_lowercase).collect())
        .unwrap_or_default()
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// TLS 1.2 and 1.3, for all doors.
fn config(resolver: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};
    use relais_store::Certificate;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_428_000);

    fn made(names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        (CertificateParams::new(names).unwrap().self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn files(folder: &Path, name: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        let (chain, key) = made(names);
        let pair = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        fs::write(&pair.0, chain).unwrap();
        fs::write(&pair.1, key).unwrap();
        pair
    }

    fn stored(number: i64, source: CertificateSource, names: &[&str]) -> ServedCertificate {
        let (chain_pem, key_pem) = made(names);
        let certificate = Certificate {
            key: CertificateKey::new(number),
            source,
            bundle: String::new(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            chain_pem,
            not_before: NOW,
            not_after: Timestamp::from_seconds(NOW.seconds() + 1000),
            made_at: NOW,
            issuer: String::new(),
            renew_at: None,
            ask_at: None,
        };
        ServedCertificate { certificate, key_pem: Secret::new(key_pem) }
    }

    fn served(folder: &Path, rank: Rank, names: &[&str]) -> Served {
        let pair = files(folder, "first", names);
        Served::load("mx.example.org", &[pair], rank, Arc::default()).unwrap()
    }

    #[track_caller]
    fn check(served: &Served, name: &str, rank: Rank, key: Option<i64>) {
        let found = served.for_name(name).unwrap();
        assert_eq!((found.rank, found.key.map(CertificateKey::value)), (rank, key), "{name}");
    }

    #[test]
    fn files_win_over_what_was_brought_and_that_over_what_was_ordered() {
        let folder = tempfile::tempdir().unwrap();
        let served = served(folder.path(), Rank::SelfSigned, &["mx.example.org"]);
        check(&served, "mx.example.org", Rank::SelfSigned, None);
        let acme = stored(1, CertificateSource::Acme, &["mx.example.org", "a.example.org", "b.example.net"]);
        let own = stored(2, CertificateSource::Own, &["*.example.org"]);
        served.replace_stored(std::slice::from_ref(&acme), NOW);
        check(&served, "MX.example.org", Rank::Acme, Some(1));
        check(&served, "elsewhere.example", Rank::Acme, Some(1));
        served.replace_stored(&[own, acme], NOW);
        check(&served, "a.example.org", Rank::Own, Some(2));
        check(&served, "b.example.net", Rank::Acme, Some(1));
        check(&served, "deep.a.example.org", Rank::Own, Some(2)); // the host's, for a wildcard is one label deep
        let file = files(folder.path(), "second", &["a.example.org"]);
        served.replace_files(&[file], Rank::File).unwrap();
        check(&served, "a.example.org", Rank::File, None);
        check(&served, "mx.example.org", Rank::Own, Some(2));
        check(&served, "elsewhere.example", Rank::File, None);
        assert_eq!(served.names_of_files(), ["a.example.org"]);
        assert_eq!(served.in_use().len(), 3);
    }

    #[test]
    fn what_has_ended_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let served = served(folder.path(), Rank::SelfSigned, &["mx.example.org"]);
        let acme = stored(1, CertificateSource::Acme, &["mx.example.org"]);
        let late = acme.certificate.not_after;
        served.replace_stored(&[acme], late);
        check(&served, "mx.example.org", Rank::SelfSigned, None);
    }

    #[test]
    fn a_connection_keeps_what_it_began_with() {
        let folder = tempfile::tempdir().unwrap();
        let served = served(folder.path(), Rank::SelfSigned, &["mx.example.org"]);
        let begun = served.shown();
        let bound = begun.end_point(Some("mx.example.org"));
        served.replace_stored(&[stored(1, CertificateSource::Acme, &["mx.example.org"])], NOW);
        assert_eq!(begun.end_point(Some("mx.example.org")), bound);
        assert_ne!(served.shown().end_point(Some("mx.example.org")), bound);
    }

    #[test]
    fn on_an_error_all_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let served = served(folder.path(), Rank::File, &["mx.example.org"]);
        let before = served.shown().end_point(None);
        let missing = (folder.path().join("missing.pem"), folder.path().join("missing.key"));
        assert!(matches!(served.replace_files(&[missing], Rank::File), Err(TlsError::Pem { .. })));
        assert!(matches!(served.replace_files(&[], Rank::File), Err(TlsError::None)));
        assert_eq!(served.shown().end_point(None), before);
    }
}
