//! What can be asked of the house by those who run it: one [`Act`] a use-case, one [`Answer`] back. The command line says acts,
//! in its own process or over the control socket of a running server; panel and API will say the same.
//!
//! - `domains`, `people`, `addresses`, `activity`: the directory, for panel and API; `checks`: what was typed; `paging`, `moment`: what their
//!   views share. Each use-case takes an [`Actor`] and gives a [`Failure`] that says what to do.
//! - `access`: who may come in, and as whom: sessions, second factors, passkeys, one-time links, the API's keys.
//! - `directory`: domains, accounts, aliases. `import`: many accounts from CSV. `queue`, `trace`: mail on its way; `explain`: what
//!   other servers' words mean.
//! - `overview`, `system`, `security`: how the house is. `settings`: what it is told. `webhooks`: whom it tells what happens.
//!
//! Invariants: acts and answers are plain data that travel as JSON; a password in them is a secret type that doesn't print, and
//! never leaves in an answer. Texts of a [`ActFailure`] are for people. No row key is ever shown.
//!
//! To add a use-case: a variant of `Act`, of `Answer` where its answer is new, and a method in the file of its subject.

mod access;
mod activity;
mod actor;
mod addresses;
mod api_keys;
mod app_password_acts;
mod app_passwords;
mod checks;
mod directory;
mod domains;
mod explain;
mod failure;
mod import;
mod links;
mod log_ins;
mod moment;
mod once;
mod overview;
mod paging;
mod passkeys;
mod passwords;
mod people;
mod queue;
mod second_factor;
mod security;
mod sessions;
mod settings;
mod sign_in;
mod system;
mod text;
mod trace;
mod webhooks;

use std::sync::Arc;

use relais_reception::Login;
use relais_store::{DirectoryError, Page, Store, StoreError};
use serde::{Deserialize, Serialize};

pub use directory::readable;

pub use access::*;
pub use activity::{Activity, ActivityView, ActivityWanted};
pub use actor::{Actor, Reach, Role, Via};
pub use addresses::{
    AddressKind, AddressSort, AddressView, Addresses, AddressesWanted, AliasChange, Leads, LeadsTo, NewAlias, Resolved,
    ResolvedStep,
};
pub use api_keys::{API_KEY_PREFIX, ApiKeyForm, ApiKeyRow, Group, Keyed, Scope, Scopes};
pub use app_password_acts::{AppPasswordRow, BanRow};
pub use app_passwords::AppPasswordView;
pub use directory::{AccountRow, AliasRow, DomainRow};
pub use domains::{DomainChange, DomainGoing, DomainSort, DomainView, Domains, DomainsWanted, NewDomain};
pub use explain::{Explanation, causes};
pub use failure::{Complaint, Failure};
pub use import::{ImportRefusal, ImportReport, PeopleImported, PersonRefused};
pub use links::{Founded, PasswordLink, SetUp, Way};
pub use log_ins::LogInView;
pub use moment::Moment;
pub use once::{MAX_ANSWER_OCTETS, OnceKey, Seen};
pub use overview::{Flow, FlowHour, Overview, Reason, Storage, StorageShare, Todo, Verdict};
pub use paging::Rows;
pub use passkeys::{CEREMONY_LASTS, Ceremony, PasskeyRow};
pub use people::{NewPerson, OwnChange, People, PeopleWanted, PersonChange, PersonGoing, PersonSort, PersonView};
pub use queue::{
    DestinationTally, QueueAct, QueueAttempt, QueueChart, QueueDetail, QueueItem, QueueMessage, QueueQuery, QueueRow,
    QueueSelection, QueueSort, QueueTally, RecipientRow, Selection,
};
pub use relais_store::{ApiKeyKey, SessionKey};
pub use second_factor::{RECOVERY_CODES, SecondFactor, TotpOffer, qr};
pub use security::{BanView, FailedLogin, RefusedTally, Security};
pub use sessions::OpenSession;
pub use settings::{SettingSectionView, SettingView, sentence as setting_sentence};
pub use sign_in::{Pending, SignIn, SignedIn};
pub use system::{
    CertificateFact, CertificateView, DataSizes, DiskFact, HealthCheck, Host, ListenerView, LogLevel, LogLine, LogTail,
    SystemView,
};
pub use text::{Gap, Text};
pub use trace::{MessageQuery, MessageRow, MessageRows, MessageStep, MessageStory, RecipientFate, TraceRow};
pub use webhooks::{
    Courier, CreatedWebhook, NewWebhookForm, Parcel, PostError, Posting, WebhookDeliveryView, WebhookForm, WebhookTest,
    WebhookView, Webhooks, may_reach,
};

/// A password on its way over the control socket: it serializes, but doesn't print.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Takes the plain text.
    pub fn new(plain: impl Into<String>) -> Self {
        Self(plain.into())
    }

    /// The plain text; look where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As the use-cases of signing in take it.
    pub fn secret(self) -> relais_model::Secret {
        relais_model::Secret::new(self.0)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Which part of a list.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Paging {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Rows at most.
    pub limit: u32,
}

impl Paging {
    fn page(self) -> Page {
        Page { after: self.after, limit: self.limit }
    }
}

/// A use-case with what it needs. Addresses and domains are as people type them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the command of the same name; `relais --help` says what it does")]
pub enum Act {
    DomainAdd { domain: String, catch_all: Option<String>, postmaster: Option<String> },
    DomainList { paging: Paging },
    DomainRemove { domain: String },
    AccountAdd { address: String, name: String, password: Password, quota_octets: Option<u64> },
    AccountList { paging: Paging },
    AccountPassword { address: String, password: Password },
    AccountRemove { address: String },
    AccountImport { csv: Password },
    AppPasswordAdd { address: String, name: String, protocols: Option<Vec<String>> },
    AppPasswordList { address: String },
    AppPasswordRemove { address: String, name: String },
    AliasAdd { address: String, targets: Vec<String> },
    AliasList { paging: Paging },
    AliasRemove { address: String },
    QueueList { paging: Paging, destination: Option<String>, sender: Option<String> },
    QueueShow { id: String },
    QueueRetry { selection: Selection },
    QueueHold { selection: Selection },
    QueueRelease { selection: Selection },
    QueueRemove { selection: Selection },
    MessageTrace { wanted: String, paging: Paging },
    Bans,
    Unban { target: Option<String> },
    StoreCheck,
}

/// What comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", content = "with", rename_all = "snake_case")]
pub enum Answer {
    /// It is done; the text says what.
    Done(String),
    /// So many queued recipients were touched.
    Touched(u64),
    /// Domains.
    Domains(Rows<DomainRow>),
    /// Accounts.
    Accounts(Rows<AccountRow>),
    /// Aliases.
    Aliases(Rows<AliasRow>),
    /// An app password, which is never told again.
    AppPassword(Password),
    /// App passwords.
    AppPasswords(Rows<AppPasswordRow>),
    /// Bans.
    Bans(Rows<BanRow>),
    /// What an import did.
    Imported(ImportReport),
    /// What waits.
    Queue(Rows<QueueRow>),
    /// One queued message.
    QueueDetail(Box<QueueDetail>),
    /// Steps of messages' ways, oldest first.
    Trace(Rows<TraceRow>),
    /// What the check of the database found; empty: clean.
    Findings(Vec<String>),
}

/// Why an act wasn't done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "failure", content = "text", rename_all = "snake_case")]
pub enum ActFailure {
    /// What was asked doesn't make sense; the text says what and why.
    #[error("{0}")]
    Bad(String),
    /// What was asked for isn't there.
    #[error("{0}")]
    Absent(String),
    /// It clashes with what is there.
    #[error("{0}")]
    Clash(String),
    /// The house failed; trying again later may help. The log says more.
    #[error("{0}")]
    Failed(String),
}

impl From<StoreError> for ActFailure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "an act failed at the store");
        Self::Failed(format!("the store failed: {error}"))
    }
}

impl From<DirectoryError> for ActFailure {
    /// In words for people, with what to do.
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::DomainTaken(domain) => {
                Self::Clash(format!("the domain {} is already here", domain.to_unicode()))
            }
            DirectoryError::AddressTaken(address) => {
                Self::Clash(format!("{} is already here, as an account or an alias", readable(&address)))
            }
            DirectoryError::NotEmpty { accounts, aliases } => Self::Clash(format!(
                "the domain still has {accounts} accounts and {aliases} aliases: remove those first"
            )),
            DirectoryError::UnknownDomain(domain) => {
                let domain = domain.to_unicode();
                Self::Absent(format!("the domain {domain} is not here; `relais domain add {domain}` takes it in"))
            }
            DirectoryError::UnknownAddress(address) => Self::Absent(format!("{} is not here", readable(&address))),
            DirectoryError::Unfit(why) => Self::Bad(why.to_owned()),
            DirectoryError::Failed(error) => error.into(),
            other => Self::Clash(other.to_string()),
        }
    }
}

/// The use-cases.
#[derive(Debug, Clone)]
pub struct Service {
    /// Domains and their other names.
    pub domains: Domains,
    /// The people.
    pub people: People,
    /// Aliases, forwards and all other addresses.
    pub addresses: Addresses,
    /// Who changed what, and undoing it.
    pub activity: Activity,
    store: Store,
    login: Arc<Login>,
    operations: Arc<Operations>,
}

/// What the house knows of itself as it runs; all of it may be missing.
#[derive(Debug, Default)]
pub struct Operations {
    /// The machine and the doors.
    pub host: Option<Arc<dyn Host>>,
    /// The last lines of the log.
    pub log: Arc<LogTail>,
    /// How other programs are told what happens.
    pub webhooks: Webhooks,
    pub(crate) flow: overview::FlowBoard,
    pub(crate) queue: queue::QueueBoard,
}

impl Operations {
    /// Of a house that serves.
    pub fn new(host: Arc<dyn Host>, log: Arc<LogTail>, webhooks: Webhooks) -> Self {
        Self { host: Some(host), log, webhooks, ..Self::default() }
    }
}

impl Service {
    /// Over `store`; passwords are hashed by `login`.
    pub fn new(store: Store, login: Arc<Login>) -> Self {
        Self {
            domains: Domains::new(store.clone()),
            people: People::new(store.clone(), Arc::clone(&login)),
            addresses: Addresses::new(store.clone()),
            activity: Activity::new(store.clone()),
            store,
            login,
            operations: Arc::default(),
        }
    }

    /// The same, in a house that serves.
    #[must_use]
    pub fn with_operations(self, operations: Operations) -> Self {
        Self { operations: Arc::new(operations), ..self }
    }

    fn host(&self) -> Option<&dyn Host> {
        self.operations.host.as_deref()
    }

    /// Does one act.
    pub async fn run(&self, act: Act) -> Result<Answer, ActFailure> {
        match act {
            Act::DomainAdd { domain, catch_all, postmaster } => self.add_domain(&domain, catch_all, postmaster).await,
            Act::DomainList { paging } => self.domains(paging).await,
            Act::DomainRemove { domain } => self.remove_domain(&domain).await,
            Act::AccountAdd { address, name, password, quota_octets } => {
                self.add_account(&address, name, password, quota_octets).await
            }
            Act::AccountList { paging } => self.accounts(paging).await,
            Act::AccountPassword { address, password } => self.set_password(&address, password).await,
            Act::AccountRemove { address } => self.remove_account(&address).await,
            Act::AccountImport { csv } => self.import_accounts(csv).await,
            Act::AppPasswordAdd { address, name, protocols } => {
                let made = app_password_acts::add(&self.login, &address, name, protocols.as_deref()).await?;
                Ok(Answer::AppPassword(made))
            }
            Act::AppPasswordList { address } => {
                Ok(Answer::AppPasswords(app_password_acts::list(&self.store, &address).await?))
            }
            Act::AppPasswordRemove { address, name } => {
                Ok(Answer::Done(app_password_acts::remove(&self.store, &address, &name).await?))
            }
            Act::Bans => Ok(Answer::Bans(app_password_acts::bans(&self.login))),
            Act::Unban { target } => Ok(Answer::Done(app_password_acts::unban(&self.login, target.as_deref()))),
            Act::AliasAdd { address, targets } => self.add_alias(&address, &targets).await,
            Act::AliasList { paging } => self.aliases(paging).await,
            Act::AliasRemove { address } => self.remove_alias(&address).await,
            Act::QueueList { paging, destination, sender } => self.queue(paging, destination, sender).await,
            Act::QueueShow { id } => self.queue_detail(&id).await,
            Act::QueueRetry { selection } => self.retry(selection).await,
            Act::QueueHold { selection } => self.hold(selection).await,
            Act::QueueRelease { selection } => self.release(selection).await,
            Act::QueueRemove { selection } => self.remove_queued(selection).await,
            Act::MessageTrace { wanted, paging } => self.trace(&wanted, paging).await,
            Act::StoreCheck => Ok(Answer::Findings(self.store.check().await?)),
        }
    }
}
