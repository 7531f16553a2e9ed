//! Who may come in: a house with an owner, an admin, a helper and two people.

mod api_keys;
mod authenticator;
mod links;
mod passkeys;
mod second_factor;
mod sessions;
mod sign_ins;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use relais_model::{Address, Domain, Secret};
use relais_reception::{Login, LoginAnswer, LoginAttempt, Protocol};
use relais_service::{Access, Actor, Failure, SignIn, SignedIn, Site, Visit};
use relais_store::{
    AccountChange, AuditFilter, Author, DatabaseUrl, DomainChange, NewAccount, Page, Role, Store, StoreConfig,
};
use relais_testkit::{ManualClock, SeededRandom};
use tempfile::TempDir;

/// Everybody's password, to begin with.
pub(crate) const PASSWORD: &str = "correct horse";
/// Of it, as `doveadm pw -s SSHA512` made it: quick, so that tests are.
const HASH: &str =
    "{SSHA512}mpmCl2ofUUa9Tjo5osCoV55vwBWXyuzI3Eme/hdZIriGuwXwp82joKjvIVhnO3qON8GMJ55C7suhKd0jBG4/PeAOv0M=";
pub(crate) const ANN: &str = "ann@example.org";
pub(crate) const BOB: &str = "bob@example.org";
pub(crate) const CARL: &str = "carl@else.example";
pub(crate) const HELPER: &str = "helper@example.org";
pub(crate) const ADMIN: &str = "admin@example.org";
pub(crate) const OWNER: &str = "owner@example.org";
pub(crate) const ORIGIN: &str = "https://mx.example.org";

pub(crate) struct House {
    pub(crate) access: Access,
    pub(crate) store: Store,
    pub(crate) login: Arc<Login>,
    pub(crate) clock: Arc<ManualClock>,
    _dir: TempDir,
}

impl House {
    /// Nobody but people without a role.
    pub(crate) async fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            database: DatabaseUrl::Sqlite(dir.path().join("store.db")),
            objects: dir.path().join("objects"),
            inline_octets: 64 * 1024,
            readers: 1,
        };
        let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::default()));
        let store = Store::open(config, clock.clone(), random.clone()).await.unwrap();
        for name in ["example.org", "else.example"] {
            let name = Domain::parse(name).unwrap();
            store.add_domain(&name, DomainChange::default(), &Author::house()).await.unwrap();
        }
        let login = Login::new(store.clone(), clock.clone(), &*random).with_refusals_after(Duration::ZERO);
        let login = Arc::new(login);
        let access = Access::open(store.clone(), login.clone(), clock.clone(), random, &site()).await.unwrap();
        let house = Self { access, store, login, clock, _dir: dir };
        for text in [ANN, BOB, CARL] {
            house.add(text, Role::User).await;
        }
        house
    }

    /// With people of each role; those of `example.org` see that.
    pub(crate) async fn open() -> Self {
        let house = Self::empty().await;
        for (text, role) in [(HELPER, Role::HelpDesk), (ADMIN, Role::DomainAdmin), (OWNER, Role::Owner)] {
            house.add(text, role).await;
        }
        house
    }

    async fn add(&self, text: &str, role: Role) {
        let new = NewAccount {
            name: text.split('@').next().unwrap().to_owned(),
            password_hash: Some(Secret::new(HASH)),
            role,
            domains: vec![Domain::parse("example.org").unwrap()],
            ..NewAccount::user(address(text))
        };
        self.store.add_account(new, &Author::house()).await.unwrap();
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Result<SignIn, Failure> {
        self.access.sign_in(name, Secret::new(password), &visit()).await
    }

    /// The token of a whole session, with the password alone.
    pub(crate) async fn token(&self, name: &str) -> Secret {
        match self.sign_in(name, PASSWORD).await {
            Ok(SignIn::Whole(token)) => token,
            other => panic!("{name}: {other:?}"),
        }
    }

    pub(crate) async fn find(&self, token: &Secret) -> Option<SignedIn> {
        self.access.session(token.expose(), visit().peer).await.unwrap()
    }

    /// A new session of theirs.
    pub(crate) async fn me(&self, name: &str) -> SignedIn {
        self.find(&self.token(name).await).await.unwrap()
    }

    pub(crate) async fn actor(&self, name: &str) -> Actor {
        self.me(name).await.actor
    }

    pub(crate) async fn suspend(&self, name: &str, is_suspended: bool) {
        let change = AccountChange { is_suspended: Some(is_suspended), ..AccountChange::default() };
        self.store.change_account(&address(name), change, None, &Author::house()).await.unwrap();
    }

    /// Whether a mail program gets in with the account's own password.
    pub(crate) async fn is_mail_open(&self, name: &str) -> bool {
        let attempt = LoginAttempt {
            name: name.to_owned(),
            authorization: None,
            password: Secret::new(PASSWORD),
            peer: visit().peer,
            protocol: Protocol::Imap,
        };
        matches!(self.login.check(attempt).await, LoginAnswer::Granted(_))
    }

    /// Who did what to whom, the latest first; without what the house began with.
    pub(crate) async fn activity(&self) -> Vec<String> {
        let listing = self.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap();
        let rows = listing.rows.into_iter().filter(|entry| entry.author != Author::house());
        rows.map(|entry| format!("{} {} {}", entry.author.name, entry.act, entry.subject)).collect()
    }

    pub(crate) async fn check(&self) {
        assert_eq!(self.store.check().await.unwrap(), Vec::<String>::new());
    }
}

pub(crate) fn site() -> Site {
    let origins = vec![ORIGIN.to_owned(), "https://mx.example.org:8443".to_owned()];
    Site { host: "mx.example.org".to_owned(), origins }
}

pub(crate) fn visit() -> Visit {
    from("192.0.2.1")
}

pub(crate) fn from(peer: &str) -> Visit {
    let peer: IpAddr = peer.parse().unwrap();
    Visit { peer, agent: "Firefox".to_owned() }
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// What went wrong, in one word; complaints with their fields and sentences.
pub(crate) fn why<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    match outcome.unwrap_err() {
        Failure::Unfit(complaints) => {
            complaints.iter().map(|one| format!("{}: {}", one.field, one.why.id)).collect::<Vec<_>>().join(", ")
        }
        Failure::Clash(one) => format!("clash {}: {}", one.field, one.why.id),
        Failure::Absent(text) => format!("absent: {}", text.id),
        Failure::Forbidden(_) => "forbidden".to_owned(),
        Failure::Unproven => "unproven".to_owned(),
        Failure::TooMany { retry_after } => format!("too many: {}", retry_after.as_secs()),
        other => format!("{other:?}"),
    }
}
