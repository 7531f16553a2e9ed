//! A house with one door for IMAP, a socket in a temporary folder, where log-in needs no TLS.

use std::path::PathBuf;
use std::sync::Arc;

use relais_maild::{Binding, Doors, House, Limits, ListenerConfig, Protocol, TlsMode};
use relais_model::{Address, Clock, Domain, Random, Secret, SystemClock, SystemRandom};
use relais_reception::{Disk, Login, Reception, ReceptionConfig};
use relais_store::{DatabaseUrl, NewAccount, Store, StoreConfig};
use rustls::server::ResolvesServerCertUsingSni;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::Client;

/// Everybody's.
const PASSWORD: &str = "open";
/// Larger bodies are objects beside the database: small enough that tests have some.
const INLINE_OCTETS: u64 = 64 * 1024;

/// A house that is open.
pub(crate) struct TestHouse {
    folder: TempDir,
    store: Store,
    hash: Secret,
    stop: CancellationToken,
    doors: JoinHandle<()>,
}

impl TestHouse {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let config = StoreConfig {
            database: DatabaseUrl::Sqlite(folder.path().join("relais.db")),
            objects: folder.path().join("objects"),
            inline_octets: INLINE_OCTETS,
            readers: 2,
        };
        let store = Store::open(config, Arc::clone(&clock), Arc::clone(&random)).await.unwrap();
        store.add_domain(&Domain::parse("relais.test").unwrap()).await.unwrap();
        let login = Arc::new(Login::new(store.clone(), Arc::clone(&clock), &*random));
        let hash = login.hash(Secret::new(PASSWORD)).await.unwrap();
        let host = Domain::parse("mx.relais.test").unwrap();
        let disk = Arc::new(Disk::new(folder.path(), 0, Arc::clone(&clock)));
        let config = ReceptionConfig { host_name: host.clone(), queue_lifetime: std::time::Duration::from_hours(1) };
        let reception = Reception::new(store.clone(), config, folder.path(), disk, Arc::clone(&clock), random);
        let house = House::new(host, store.clone(), login, Arc::new(reception), no_tls(), Limits::default(), clock);
        let door = ListenerConfig {
            binding: Binding::Unix(folder.path().join("imap.sock")),
            protocol: Protocol::Imap,
            tls: TlsMode::None,
            proxy: false,
            plain_login: true,
        };
        let stop = CancellationToken::new();
        let (_, house) = watch::channel(Arc::new(house));
        let doors = Doors::bind(vec![door]).unwrap().serve(house, stop.clone());
        Self { folder, store, hash, doors: TaskTracker::new().spawn(doors), stop }
    }

    /// Somebody new.
    pub(crate) async fn move_in(&self, name: &str, quota_octets: Option<u64>) {
        let address = Address::parse(&format!("{name}@relais.test")).unwrap();
        let password_hash = self.hash.clone();
        let account = NewAccount { address, name: name.to_owned(), password_hash, quota_octets };
        self.store.add_account(account).await.unwrap();
    }

    /// A session of that person.
    pub(crate) async fn log_in(&self, name: &str) -> Client {
        let mut client = Client::connect(&self.socket()).await;
        let greeting = client.line().await;
        assert!(greeting.starts_with("* OK"), "{greeting}");
        client.must(&format!("LOGIN {name}@relais.test {PASSWORD}")).await;
        client
    }

    /// Shuts it, and looks whether all is consistent.
    pub(crate) async fn close(self) {
        self.stop.cancel();
        self.doors.await.unwrap();
        assert_eq!(self.store.check().await.unwrap(), Vec::<String>::new());
        self.store.close().await;
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("imap.sock")
    }
}

fn no_tls() -> Arc<rustls::ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new())))
}
