//! A store with a log-in before it.

use std::sync::Arc;
use std::time::Duration;

use relais_model::{Address, Domain, Secret};
use relais_reception::Login;
use relais_store::{Account, Author, DatabaseUrl, DomainChange, NewAccount, Store, StoreConfig};
use relais_testkit::{ManualClock, SeededRandom};
use tempfile::TempDir;

/// With the domains example.org and bücher.example.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) login: Login,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) dir: TempDir,
}

impl House {
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            database: DatabaseUrl::Sqlite(dir.path().join("store.db")),
            objects: dir.path().join("objects"),
            inline_octets: 64 * 1024,
            readers: 1,
        };
        let clock = Arc::new(ManualClock::default());
        let store = Store::open(config, clock.clone(), Arc::new(SeededRandom::default())).await.unwrap();
        for name in ["example.org", "bücher.example"] {
            store.add_domain(&Domain::parse(name).unwrap(), DomainChange::default(), &Author::house()).await.unwrap();
        }
        let login = Login::new(store.clone(), clock.clone(), &SeededRandom::new(3));
        let login = login.with_refusals_after(Duration::ZERO);
        Self { store, login, clock, dir }
    }

    pub(crate) async fn add_account(&self, text: &str, hash: &str) -> Account {
        let (address, password_hash) = (address(text), Secret::new(hash));
        let new = NewAccount { password_hash: Some(password_hash), ..NewAccount::user(address) };
        self.store.add_account(new, &Author::house()).await.unwrap()
    }
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}
