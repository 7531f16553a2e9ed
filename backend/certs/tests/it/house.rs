//! A house with a store, a clock that stands still, a DNS that says what a test wants, and a CA that does.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use relais_certs::{
    AccountWanted, AuthorityError, CertificateAuthority, CertificateWorker, Doing, Issued, Lead, NameCheck,
    OrderWanted, Rank, RenewalWindow, Served,
};
use relais_model::{Clock as _, Domain, Secret, Timestamp};
use relais_store::{Author, CertificateName, DatabaseUrl, DomainChange, Page, Store, StoreConfig};
use relais_testkit::{ManualClock, SeededRandom};

pub(crate) const HOST: &str = "mx.house.example";

pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) served: Arc<Served>,
    pub(crate) dns: Arc<FakeDns>,
    pub(crate) ca: Arc<FakeCa>,
    pub(crate) worker: Arc<CertificateWorker>,
    _folder: tempfile::TempDir,
}

/// A self-signed pair of files.
pub(crate) fn self_signed(folder: &std::path::Path, name: &str) -> (PathBuf, PathBuf) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let pair = (folder.join("self-signed.pem"), folder.join("self-signed.key"));
    std::fs::write(&pair.0, certificate.pem()).unwrap();
    std::fs::write(&pair.1, key.serialize_pem()).unwrap();
    pair
}

pub(crate) async fn store(folder: &std::path::Path, clock: Arc<ManualClock>) -> Store {
    let database = DatabaseUrl::Sqlite(folder.join("store.db"));
    let config = StoreConfig { database, objects: folder.join("objects"), inline_octets: 100_000, readers: 2 };
    Store::open(config, clock, Arc::new(SeededRandom::new(1))).await.unwrap()
}

impl House {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let store = store(folder.path(), Arc::clone(&clock)).await;
        let domain = Domain::parse("house.example").unwrap();
        store.add_domain(&domain, DomainChange::default(), &Author::house()).await.unwrap();
        for (name, value) in [("acme.enabled", "true"), ("acme.directory_url", "https://ca.example/directory")] {
            store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
        }
        let pair = self_signed(folder.path(), HOST);
        let served =
            Arc::new(Served::load(HOST, std::slice::from_ref(&pair), Rank::SelfSigned, Arc::default()).unwrap());
        let (dns, ca) = (Arc::new(FakeDns::default()), Arc::new(FakeCa::new(Arc::clone(&clock))));
        let first_key = Secret::new(std::fs::read_to_string(&pair.1).unwrap());
        let worker = CertificateWorker::new(
            Domain::parse(HOST).unwrap(),
            store.clone(),
            Arc::clone(&served),
            ca.clone(),
            dns.clone(),
            clock.clone(),
            Arc::new(SeededRandom::new(1)),
        )
        .with_first_key(first_key);
        Self { store, clock, served, dns, ca, worker: Arc::new(worker), _folder: folder }
    }

    /// Turns until nothing is due for a while; gives how long that is.
    pub(crate) async fn settle(&self) -> Duration {
        for _ in 0..50 {
            let wait = self.worker.turn().await.unwrap().since(self.clock.now());
            if wait > Duration::from_secs(1) {
                return wait;
            }
            self.clock.advance(Duration::from_secs(1));
        }
        panic!("it doesn't settle");
    }

    pub(crate) async fn name(&self, name: &str) -> CertificateName {
        self.store.certificate_name(name).await.unwrap().unwrap()
    }

    /// What came of the orders, the latest last: `outcome: names`.
    pub(crate) async fn orders(&self) -> Vec<String> {
        let orders = self.store.certificate_orders(&Page::first()).await.unwrap().rows;
        orders.iter().rev().map(|order| format!("{}: {}", order.outcome.as_str(), order.names.join(" "))).collect()
    }

    pub(crate) fn shown(&self, name: &str) -> (Rank, Vec<String>) {
        let found = self.served.for_name(name).unwrap();
        let mut names = found.names;
        names.sort();
        (found.rank, names)
    }
}

/// Names that lead here are those that were said to.
#[derive(Debug, Default)]
pub(crate) struct FakeDns {
    here: Mutex<HashSet<String>>,
}

impl FakeDns {
    pub(crate) fn lead_here(&self, name: &str) {
        self.here.lock().unwrap().insert(name.to_owned());
    }
}

impl NameCheck for FakeDns {
    fn lead<'a>(&'a self, name: &'a str, _host: &'a str) -> Doing<'a, Lead> {
        let is_here = self.here.lock().unwrap().contains(name);
        Box::pin(async move { if is_here { Lead::Here } else { Lead::Nowhere } })
    }
}

/// Signs what isn't refused.
#[derive(Debug)]
pub(crate) struct FakeCa {
    clock: Arc<ManualClock>,
    pub(crate) life: Mutex<Duration>,
    /// What the next orders come to; then they are signed.
    pub(crate) failures: Mutex<VecDeque<AuthorityError>>,
    /// Names that are refused, with what is said of them.
    pub(crate) refused: Mutex<HashMap<String, relais_certs::Problem>>,
    pub(crate) window: Mutex<Option<RenewalWindow>>,
    pub(crate) accounts: Mutex<Vec<AccountWanted>>,
    pub(crate) orders: Mutex<Vec<OrderWanted>>,
}

impl FakeCa {
    fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            life: Mutex::new(Duration::from_hours(24 * 90)),
            failures: Mutex::default(),
            refused: Mutex::default(),
            window: Mutex::default(),
            accounts: Mutex::default(),
            orders: Mutex::default(),
        }
    }

    fn sign(&self, wanted: &OrderWanted) -> Issued {
        let moment = |at: Timestamp| time::OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap();
        let now = self.clock.now();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(rcgen::DnType::CommonName, "fake CA");
        let mut leaf = CertificateParams::new(wanted.names.clone()).unwrap();
        (leaf.not_before, leaf.not_after) = (moment(now), moment(now.plus(*self.life.lock().unwrap())));
        let key =
            wanted.key_pem.as_ref().map_or_else(KeyPair::generate, |pem| KeyPair::from_pem(pem.expose())).unwrap();
        let signed = leaf.signed_by(&key, &Issuer::new(ca, KeyPair::generate().unwrap())).unwrap();
        Issued { chain_pem: signed.pem(), key_pem: Secret::new(key.serialize_pem()) }
    }
}

impl CertificateAuthority for FakeCa {
    fn open_account<'a>(&'a self, wanted: &'a AccountWanted) -> Doing<'a, Result<Secret, AuthorityError>> {
        self.accounts.lock().unwrap().push(wanted.clone());
        Box::pin(async { Ok(Secret::new("credentials")) })
    }

    fn order<'a>(&'a self, wanted: &'a OrderWanted) -> Doing<'a, Result<Issued, AuthorityError>> {
        self.orders.lock().unwrap().push(wanted.clone());
        let known = self.refused.lock().unwrap();
        let refused: Vec<_> =
            wanted.names.iter().filter_map(|name| Some((name.clone(), known.get(name)?.clone()))).collect();
        drop(known);
        let failure = self.failures.lock().unwrap().pop_front();
        Box::pin(async move {
            match failure {
                Some(failure) => Err(failure),
                None if !refused.is_empty() => Err(AuthorityError::Names(refused)),
                None => Ok(self.sign(wanted)),
            }
        })
    }

    fn renewal<'a>(
        &'a self,
        _credentials: &'a Secret,
        _chain_pem: &'a str,
    ) -> Doing<'a, Result<Option<RenewalWindow>, AuthorityError>> {
        let window = *self.window.lock().unwrap();
        Box::pin(async move { Ok(window) })
    }
}
