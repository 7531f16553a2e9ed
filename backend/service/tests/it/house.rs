//! A house with two tenants, and one of each role.

use std::sync::Arc;
use std::time::Duration;

use relais_dnscheck::Inspector;
use relais_dnscheck::provider::FormError;
use relais_model::{Address, Domain};
use relais_reception::{Disk, Login, Reception, ReceptionConfig};
use relais_service::{Actor, DnsAlert, DnsHouse, DnsWanted, Failure, OpenAccount, Out, Reach, Role, Service, Via};
use relais_store::{Author, DatabaseUrl, DomainChange, NewAccount, Store, StoreConfig};
use relais_testkit::postgres::Database;
use relais_testkit::{ManualClock, SeededRandom};

use crate::fake_dns::{self, FakeDns};

pub(crate) struct House {
    pub(crate) service: Service,
    pub(crate) store: Store,
    pub(crate) login: Arc<Login>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) dns: Arc<FakeDns>,
    _dir: tempfile::TempDir,
    _database: Option<Database>,
}

/// Runs a test on both engines; where PostgreSQL is missing, the testkit says so.
pub(crate) fn on_both<F: Future<Output = ()>>(test: impl Fn(Arc<House>) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        test(Arc::new(House::open().await)).await;
        if let Some(database) = Database::fresh() {
            test(Arc::new(House::open_on(Some(database)).await)).await;
        }
    });
}

/// Who has which role; all are of one.example, where the middle two serve.
const PEOPLE: [(&str, Role); 4] = [
    ("user@one.example", Role::User),
    ("desk@one.example", Role::HelpDesk),
    ("admin@one.example", Role::DomainAdmin),
    ("owner@one.example", Role::Owner),
];

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_on(None).await
    }

    /// On a PostgreSQL; on SQLite without any.
    async fn open_on(postgres: Option<Database>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sqlite = || DatabaseUrl::Sqlite(dir.path().join("store.db"));
        let url = postgres.as_ref().map(|database| DatabaseUrl::parse(&database.url()).unwrap());
        let database = url.unwrap_or_else(sqlite);
        let config = StoreConfig { database, objects: dir.path().join("objects"), inline_octets: 100_000, readers: 2 };
        let clock = Arc::new(ManualClock::at(relais_model::Timestamp::from_seconds(1_767_225_600)));
        let random = Arc::new(SeededRandom::new(7));
        let store = Store::open(config, clock.clone(), random.clone()).await.unwrap();
        for name in ["one.example", "two.example"] {
            store.add_domain(&domain(name), DomainChange::default(), &Author::house()).await.unwrap();
        }
        for (text, role) in PEOPLE {
            let new = NewAccount {
                role: role.into(),
                domains: vec![domain("one.example")],
                ..NewAccount::user(address(text))
            };
            store.add_account(new, &Author::house()).await.unwrap();
        }
        store.add_account(NewAccount::user(address("far@two.example")), &Author::house()).await.unwrap();
        let login = Arc::new(Login::new(store.clone(), clock.clone(), &*random).with_refusals_after(Duration::ZERO));
        let dns = Arc::new(FakeDns::default());
        let service = Service::new(store.clone(), Arc::clone(&login)).with_dns(dns_house(&dns, random.clone()));
        let config = ReceptionConfig { host_name: domain("mx.house.example") };
        let disk = Arc::new(Disk::new(dir.path(), 0, clock.clone()));
        let reception = Reception::new(store.clone(), config, dir.path(), disk, clock.clone(), random.clone());
        let service = service.with_mail_out(Out::new(Arc::new(reception), random, domain("mx.house.example")));
        Self { service, store, login, clock, dns, _dir: dir, _database: postgres }
    }

    /// Until no check runs any more.
    pub(crate) async fn quiet(&self) {
        let owner = self.actor(Role::Owner, true).await;
        let mut progress = self.service.dns.progress();
        loop {
            let rows = self.service.dns.list(&owner, &DnsWanted::default()).await.unwrap().rows;
            let is_host_running = self.service.dns.host(&owner).await.unwrap().is_running;
            if !is_host_running && rows.iter().all(|row| !row.is_running) {
                return;
            }
            progress.changed().await.unwrap();
        }
    }

    /// How many messages the owner has.
    pub(crate) async fn letters(&self) -> u64 {
        let owner = self.store.account(&address("owner@one.example")).await.unwrap().unwrap();
        owner.used_messages
    }

    /// The one with this role, who signed in of late or didn't.
    pub(crate) async fn actor(&self, role: Role, is_proven: bool) -> Actor {
        let (text, _) = PEOPLE.into_iter().find(|(_, of)| *of == role).unwrap();
        let account = self.store.account(&address(text)).await.unwrap().unwrap();
        let reach = if role == Role::Owner { Reach::All } else { Reach::Domains(account.domains) };
        Actor {
            name: text.to_owned(),
            account: Some((account.key, account.address)),
            role,
            reach,
            via: Via::Panel,
            peer: None,
            is_proven,
        }
    }
}

fn dns_house(dns: &Arc<FakeDns>, random: Arc<SeededRandom>) -> DnsHouse {
    let provider = Arc::clone(dns);
    let open: OpenAccount = Arc::new(move |kind, settings| {
        let token = kind.fields().iter().find_map(|field| settings.get(field.id));
        let token = token.ok_or(FormError::Missing("token"))?;
        Ok(fake_dns::publisher(&provider, token.expose()))
    });
    DnsHouse {
        host: domain("mx.house.example"),
        addresses: vec!["192.0.2.7".parse().unwrap()],
        services: vec![(relais_dnscheck::Service::Imaps, 993)],
        tls_keys: Arc::new(Vec::new),
        inspector: Some(Inspector::new(dns.clone(), dns.clone(), random.clone()).with_blocklists(Vec::new())),
        look: Some(dns.clone()),
        open,
        letter: Some(Arc::new(|alert: &DnsAlert, to| {
            format!("From: <postmaster@mx.house.example>\r\nTo: <{to}>\r\n\r\n{}\r\n", alert.name).into_bytes()
        })),
        random,
    }
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// A failure in short: its kind, then its fields with the sentences.
pub(crate) fn short<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    match outcome {
        Ok(_) => "done".to_owned(),
        Err(Failure::Unfit(complaints)) => {
            let told: Vec<_> =
                complaints.iter().map(|complaint| format!("{} {}", complaint.field, complaint.why.id)).collect();
            format!("unfit: {}", told.join(", "))
        }
        Err(Failure::Clash(complaint)) => format!("clash: {} {}", complaint.field, complaint.why.id),
        Err(Failure::Absent(why)) => format!("absent: {}", why.id),
        Err(Failure::Forbidden(why)) => format!("forbidden: {}", why.id),
        Err(Failure::Stale(why)) => format!("stale: {}", why.id),
        Err(Failure::Unproven) => "unproven".to_owned(),
        Err(other) => format!("{other:?}"),
    }
}
