//! A store with mail in it, for the tests in here and for those beside the code.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use relais_model::{Address, Domain, Flag, MailboxName, Timestamp};
use relais_store::{Append, Author, Content, DatabaseUrl, DomainChange, MailboxKey, NewAccount, Store, StoreConfig};
use relais_testkit::postgres::Database;
use relais_testkit::{ManualClock, SeededRandom};

pub(crate) struct House {
    pub(crate) store: Store,
    clock: Arc<ManualClock>,
    pub(crate) inbox: MailboxKey,
    dir: tempfile::TempDir,
    _database: Option<Database>,
}

impl House {
    pub(crate) async fn open(database: Option<Database>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = match &database {
            Some(database) => DatabaseUrl::parse(&database.url()).unwrap(),
            None => DatabaseUrl::Sqlite(dir.path().join("store.db")),
        };
        let config =
            StoreConfig { database: url, objects: dir.path().join("objects"), inline_octets: 100_000, readers: 2 };
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1_767_225_600)));
        let store = Store::open(config, clock.clone(), Arc::new(SeededRandom::new(7))).await.unwrap();
        let by = Author::house();
        store.add_domain(&Domain::parse("house.example").unwrap(), DomainChange::default(), &by).await.unwrap();
        let anna = NewAccount::user(Address::parse("anna@house.example").unwrap());
        let anna = store.add_account(anna, &by).await.unwrap().key;
        let inbox = store.mailbox(anna, &MailboxName::parse("INBOX").unwrap()).await.unwrap().unwrap().mailbox.key;
        Self { store, clock, inbox, dir, _database: database }
    }

    /// Where its index is.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    /// These become an hour old.
    pub(crate) async fn append(&self, messages: &[String]) {
        self.append_with(messages, &[]).await;
    }

    pub(crate) async fn append_with(&self, messages: &[String], flags: &[Flag]) {
        let append = |raw: &String| Append {
            content: Content::prepare(raw.as_bytes().to_vec()),
            flags: flags.to_vec(),
            internal_date: None,
        };
        self.store.append(self.inbox, messages.iter().map(append).collect()).await.unwrap();
        self.clock.advance(Duration::from_hours(1));
    }
}
