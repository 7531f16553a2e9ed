//! A house with two doors for IMAP, sockets in a temporary folder: at one of them log-in needs no TLS.

use std::path::Path;
use std::sync::Arc;

use relais_certs::{Rank, Served};
use relais_finding::Finder;
use relais_maild::{Binding, Doors, House, Limits, ListenerConfig, Protocol, TlsMode};
use relais_model::{Address, Clock, Domain, MailboxName, Random, Rights, Secret, SystemClock, SystemRandom};
use relais_reception::{Disk, Login, Reception, ReceptionConfig};
use relais_sasl::scram::{Keys, MIN_ITERATIONS, derive};
use relais_store::{
    AccountChange, Author, DatabaseUrl, DomainChange, Grantee, NewAccount, NewAppPassword, Protocols, RuleScope,
    ScramSalt, Store, StoreConfig,
};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::Client;

/// Everybody's, also over SCRAM.
pub(crate) const PASSWORD: &str = "open";
/// Everybody's, for SCRAM.
const SALT: &[u8] = b"sixteen octets..";
/// Where JMAP would be spoken.
pub(crate) const JMAP: &str = "https://example.com/jmap";
/// Larger bodies are objects beside the database: small enough that tests have some.
const INLINE_OCTETS: u64 = 64 * 1024;

/// Where a client comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Log-in needs no TLS.
    Open,
    /// Log-in needs STARTTLS first.
    StartTls,
}

impl Door {
    const fn socket(self) -> &'static str {
        match self {
            Self::Open => "imap.sock",
            Self::StartTls => "starttls.sock",
        }
    }
}

/// A house that is open.
pub(crate) struct TestHouse {
    folder: TempDir,
    config: StoreConfig,
    store: Store,
    house: House,
    finder: Finder,
    hash: Secret,
    keys: Keys,
    stop: CancellationToken,
    doors: JoinHandle<()>,
}

impl TestHouse {
    pub(crate) async fn open() -> Self {
        Self::open_with(Limits { imap_unauthenticate: true, ..Limits::default() }).await
    }

    pub(crate) async fn open_with(limits: Limits) -> Self {
        Self::open_at(limits, None).await
    }

    /// A node at this database; without one, alone at a file.
    pub(crate) async fn open_at(limits: Limits, database: Option<DatabaseUrl>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let config = StoreConfig {
            database: database.unwrap_or_else(|| DatabaseUrl::Sqlite(folder.path().join("relais.db"))),
            objects: folder.path().join("objects"),
            inline_octets: INLINE_OCTETS,
            readers: 2,
        };
        let store = Store::open(config.clone(), Arc::clone(&clock), Arc::clone(&random)).await.unwrap();
        store
            .add_domain(&Domain::parse("relais.test").unwrap(), DomainChange::default(), &Author::house())
            .await
            .unwrap();
        // What we can do is all announced here.
        for (name, value) in [("imap.hidden", ""), ("imap.jmap", JMAP)] {
            store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
        }
        let login = Arc::new(Login::new(store.clone(), Arc::clone(&clock), &*random));
        let hash = login.hash(Secret::new(PASSWORD)).await.unwrap();
        let host = Domain::parse("mx.relais.test").unwrap();
        let disk = Arc::new(Disk::new(folder.path(), 0, Arc::clone(&clock)));
        let told = ReceptionConfig { host_name: host.clone() };
        let reception = Reception::new(store.clone(), told, folder.path(), disk, Arc::clone(&clock), random);
        let house = House::new(host, store.clone(), login, Arc::new(reception), no_tls(folder.path()), limits, clock);
        let finder = Finder::new(store.clone());
        let house = house.with_finder(finder.clone()).with_sieve(Some(4190));
        let door = |door: Door| ListenerConfig {
            binding: Binding::Unix(folder.path().join(door.socket())),
            protocol: Protocol::Imap,
            tls: if door == Door::Open { TlsMode::None } else { TlsMode::StartTls },
            proxy: false,
            plain_login: door == Door::Open,
        };
        let stop = CancellationToken::new();
        let (_, shown) = watch::channel(Arc::new(house.clone()));
        let doors = Doors::bind(vec![door(Door::Open), door(Door::StartTls)]).unwrap().serve(shown, stop.clone());
        let tasks = TaskTracker::new();
        tasks.spawn(house.clone().shut_out(stop.clone()));
        let keys = derive(PASSWORD.as_bytes(), SALT, MIN_ITERATIONS);
        Self { folder, config, store, house, finder, hash, keys, doors: tasks.spawn(doors), stop }
    }

    /// Another node before the same store: not with a file.
    pub(crate) async fn other_node(&self) -> Store {
        Store::open(self.config.clone(), Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap()
    }

    /// This node looks for what others did.
    pub(crate) async fn look_at_others(&self) {
        self.house.look_at_others().await;
    }

    /// Brings the index up to date; until the first time there is none.
    pub(crate) async fn index(&self) {
        self.finder.keeper(self.folder.path().join("index")).catch_up().await.unwrap();
    }

    /// A setting, or none of ours.
    pub(crate) async fn set(&self, name: &str, value: Option<&str>) {
        self.store.change_setting(&Author::house(), name, value).await.unwrap();
    }

    /// Changes somebody who moved in.
    pub(crate) async fn change(&self, name: &str, change: AccountChange) {
        let address = Address::parse(&format!("{name}@relais.test")).unwrap();
        self.store.change_account(&address, change, None, &Author::house()).await.unwrap();
    }

    /// Somebody new.
    pub(crate) async fn move_in(&self, name: &str, quota_octets: Option<u64>) {
        let address = Address::parse(&format!("{name}@relais.test")).unwrap();
        let password_hash = self.hash.clone();
        let account = NewAccount {
            name: name.to_owned(),
            password_hash: Some(password_hash),
            quota_octets,
            ..NewAccount::user(address)
        };
        self.store.add_account(account, &Author::house()).await.unwrap();
        let address = Address::parse(&format!("{name}@relais.test")).unwrap();
        let salt = ScramSalt { salt: SALT.to_vec(), iterations: MIN_ITERATIONS };
        self.store.take_scram_salt(&address, salt).await.unwrap();
        let Keys { stored_key, server_key } = self.keys.clone();
        let name = "All programs".to_owned();
        let app_password = NewAppPassword { name, protocols: Protocols::ALL, stored_key, server_key };
        self.store.add_app_password(&address, app_password, &Author::house()).await.unwrap();
    }

    /// A domain of a tenant of its own, with somebody in it.
    pub(crate) async fn take_in(&self, tenant: &str, name: &str) {
        let start = DomainChange { tenant: Some(tenant.to_owned()), ..DomainChange::default() };
        self.store.add_domain(&Domain::parse(tenant).unwrap(), start, &Author::house()).await.unwrap();
        let address = Address::parse(&format!("{name}@{tenant}")).unwrap();
        self.store.add_account(NewAccount::user(address), &Author::house()).await.unwrap();
    }

    /// A team, on whose INBOX `member` has these rights.
    pub(crate) async fn found_team(&self, name: &str, member: &str, rights: &str) {
        let address = |name: &str| Address::parse(&format!("{name}@relais.test")).unwrap();
        let team = self.store.add_account(NewAccount::team(address(name)), &Author::house()).await.unwrap().key;
        let inbox = self.store.mailbox_key(team, &MailboxName::inbox()).await.unwrap().unwrap();
        let member = self.store.account(&address(member)).await.unwrap().unwrap().key;
        let rights = Rights::parse(rights).unwrap();
        let grantee = Grantee::Account(member);
        self.store.change_rights(inbox, grantee, move |_| rights, &Author::house()).await.unwrap();
    }

    /// A Sieve script of somebody's.
    pub(crate) async fn put_script(&self, of: &str, name: &str, text: &str) {
        let address = Address::parse(&format!("{of}@relais.test")).unwrap();
        let account = self.store.account(&address).await.unwrap().unwrap().key;
        self.store.put_sieve_script(&Author::house(), RuleScope::Account(account), name, text).await.unwrap();
    }

    /// A connection; nothing has been read of it.
    pub(crate) async fn connect(&self, door: Door) -> Client {
        Client::connect(&self.folder.path().join(door.socket())).await
    }

    /// A session of that person.
    pub(crate) async fn log_in(&self, name: &str) -> Client {
        let mut client = self.connect(Door::Open).await;
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
}

/// A self-signed certificate: no test shakes hands.
fn no_tls(folder: &Path) -> Arc<Served> {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["mx.relais.test".to_owned()]).unwrap().self_signed(&key).unwrap();
    let pair = (folder.join("tls.pem"), folder.join("tls.key"));
    std::fs::write(&pair.0, certificate.pem()).unwrap();
    std::fs::write(&pair.1, key.serialize_pem()).unwrap();
    Arc::new(Served::load("mx.relais.test", &[pair], Rank::SelfSigned, Arc::default()).unwrap())
}
