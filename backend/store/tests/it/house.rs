//! A store with one domain and two people, on either engine.

use std::sync::Arc;
use std::time::Duration;

use relais_model::Secret;
use relais_model::{Address, Domain, Flag, MailboxName, ReversePath, SystemFlag, Timestamp, Uid, UidSet};
use relais_store::{
    Acceptance, Accepted, AccountKey, Append, Author, Content, DatabaseUrl, Delivery, DomainChange, Engine, MailboxKey,
    MailboxStatus, NewAccount, Store, StoreConfig, Target, TraceId,
};
use relais_testkit::postgres::Database;
use relais_testkit::{ManualClock, SeededRandom};

pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) anna: AccountKey,
    pub(crate) bert: AccountKey,
    pub(crate) config: StoreConfig,
    dir: tempfile::TempDir,
    _database: Option<Database>,
}

/// 2026-01-01.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// Runs a test on both engines; where PostgreSQL is missing, the testkit says so. A test ends with [`House::check`], which also keeps
/// the whole house in its block: fields that it doesn't name (the database, the folder) would be dropped before it begins.
pub(crate) fn on_both<F: Future<Output = ()>>(test: impl Fn(House) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        test(House::open(None).await).await;
        if let Some(database) = Database::fresh() {
            test(House::open(Some(database)).await).await;
        }
    });
}

impl House {
    async fn open(database: Option<Database>) -> Self {
        let url = database.as_ref().map(Database::url);
        Self::open_at(url, database).await
    }

    /// On a PostgreSQL that is met at another URL than its own; SQLite without any.
    pub(crate) async fn open_at(url: Option<String>, database: Option<Database>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = match url {
            Some(url) => DatabaseUrl::parse(&url).unwrap(),
            None => DatabaseUrl::Sqlite(dir.path().join("store.db")),
        };
        let config =
            StoreConfig { database: url, objects: dir.path().join("objects"), inline_octets: 100_000, readers: 2 };
        let clock = Arc::new(ManualClock::at(NOW));
        let random = Arc::new(SeededRandom::new(7));
        let store = Store::open(config.clone(), clock.clone(), random).await.unwrap();
        store
            .add_domain(&Domain::parse("house.example").unwrap(), DomainChange::default(), &Author::house())
            .await
            .unwrap();
        let mut keys = Vec::new();
        for name in ["anna", "bert"] {
            let new = NewAccount {
                name: name.to_owned(),
                password_hash: Some(Secret::new("x")),
                ..NewAccount::user(Address::parse(&format!("{name}@house.example")).unwrap())
            };
            keys.push(store.add_account(new, &Author::house()).await.unwrap().key);
        }
        Self { store, clock, anna: keys[0], bert: keys[1], config, dir, _database: database }
    }

    /// Closes the store and opens it again.
    pub(crate) async fn reopen(self) -> Self {
        self.store.close().await;
        let random = Arc::new(SeededRandom::new(8));
        let store = Store::open(self.config.clone(), self.clock.clone(), random).await.unwrap();
        Self { store, ..self }
    }

    /// For a second connection to the same file.
    pub(crate) fn sqlite_url(&self) -> String {
        format!("sqlite://{}/store.db", self.dir.path().display())
    }

    /// As `reopen` would, without closing: must fail on SQLite.
    pub(crate) async fn open_twice(&self) -> bool {
        let random = Arc::new(SeededRandom::new(8));
        Store::open(self.config.clone(), self.clock.clone(), random).await.is_ok()
    }

    /// Another node before the same store; none with SQLite.
    pub(crate) async fn other_node(&self) -> Option<Store> {
        if self.store.engine() == Engine::Sqlite {
            return None;
        }
        let random = Arc::new(SeededRandom::new(9));
        Some(Store::open(self.config.clone(), self.clock.clone(), random).await.unwrap())
    }

    pub(crate) async fn status(&self, account: AccountKey, mailbox: &str) -> MailboxStatus {
        self.store.mailbox(account, &name(mailbox)).await.unwrap().unwrap()
    }

    pub(crate) async fn inbox(&self) -> MailboxKey {
        self.status(self.anna, "INBOX").await.mailbox.key
    }

    pub(crate) async fn accept(&self, raw: &str, deliveries: Vec<Delivery>) -> Accepted {
        self.store.accept(acceptance(raw, deliveries)).await.unwrap()
    }

    /// Appends so many messages of different content to a mailbox.
    pub(crate) async fn fill(&self, mailbox: MailboxKey, numbers: std::ops::Range<u32>) {
        let messages = numbers.map(|number| append(&message(number))).collect();
        self.store.append(mailbox, messages).await.unwrap();
    }

    /// What was removed so far is gone for good.
    pub(crate) async fn purge(&self) {
        self.clock.advance(Duration::from_millis(1));
        self.store.purge_removed(self.store.now()).await.unwrap();
    }

    /// All that must be true is true; each test ends with it.
    pub(crate) async fn check(&self) {
        assert_eq!(self.store.check().await.unwrap(), Vec::<String>::new());
    }
}

pub(crate) fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).unwrap()
}

pub(crate) fn message(number: u32) -> String {
    format!(
        "From: Carl <carl@else.example>\r\nTo: anna@house.example\r\nSubject: Number {number}\r\n\
         Message-ID: <{number}@else.example>\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\nThis is message {number}.\r\n"
    )
}

pub(crate) fn acceptance(raw: &str, deliveries: Vec<Delivery>) -> Acceptance {
    Acceptance {
        content: content(raw),
        reverse_path: ReversePath::Null,
        deliveries,
        outbound: None,
        trace: TraceId::make(NOW, &SeededRandom::new(1)),
        from_peer: "192.0.2.1".to_owned(),
        judgement: None,
        submission: None,
    }
}

pub(crate) fn content(raw: &str) -> Content {
    Content::prepare(raw.as_bytes().to_vec())
}

pub(crate) fn append(raw: &str) -> Append {
    Append { content: content(raw), flags: Vec::new(), internal_date: None }
}

pub(crate) fn delivery(account: AccountKey) -> Delivery {
    Delivery {
        account,
        mailbox: Target::Inbox,
        flags: Vec::new(),
        internal_date: None,
        recipient: Address::parse("anna@house.example").unwrap(),
    }
}

pub(crate) fn set(runs: &[(u32, u32)]) -> UidSet {
    let mut set = UidSet::new();
    for (first, last) in runs {
        set.insert_run(*first, *last);
    }
    set
}

pub(crate) fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

pub(crate) const SEEN: Flag = Flag::System(SystemFlag::Seen);
pub(crate) const DELETED: Flag = Flag::System(SystemFlag::Deleted);

pub(crate) fn keyword(text: &str) -> Flag {
    Flag::Keyword(relais_model::Keyword::parse(text).unwrap())
}
