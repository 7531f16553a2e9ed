//! What can be asked of the house by those who run it, and by its people: one method a use-case. Panel and API call them, and the
//! command line through the API.
//!
//! - `domains`, `people`, `addresses`, `activity`: the directory, for panel and API; `checks`: what was typed; `paging`, `moment`: what their
//!   views share. Each use-case takes an [`Actor`] and gives a [`Failure`] that says what to do.
//! - `lists`: mailing lists, their members, the posts that wait.
//! - `access`: who may come in, and as whom: sessions, second factors, passkeys, one-time links, the API's keys.
//! - `directory`: addresses as people read them. `import`: many accounts from CSV. `queue`, `trace`: mail on its way; `explain`: what
//!   other servers' words mean; `destination`: what would become of mail.
//! - `overview`, `system`, `security`: how the house is. `settings`: what it is told. `webhooks`: whom it tells what happens.
//!   `filters`: the programs that are asked about messages. `certificates`: what the doors show, and how that is ordered or brought.
//! - `holds`: what people send, and whose mail is held; `suppression`: addresses elsewhere that are nobody's.
//! - `mail`: one's own mailboxes, as one reads and writes in them.
//! - `sharing`: with whom mailboxes are shared, what others share, and who writes from whose address; `teams`: accounts that are all shared.
//! - `moving`: mail that is brought from other servers and files, and taken out again.
//! - `scripts`: Sieve scripts, and rules as a form shows them.
//! - `pictures`: pictures of others, fetched in their reader's stead. `leaving`: other people's lists, left in their reader's stead.
//! - `judging`: what would be done with a message. `junk`: what one's filter has learnt, whom one lets in or keeps out.
//! - `reports`: what houses tell each other of mail and of TLS: counted, sent, read, shown.
//!
//! Invariants: a password is a type that doesn't print, and never leaves in an answer. A text for people is a name in the catalogue.
//! No row key is ever shown.
//!
//! To add a use-case: a method in the file of its subject, which first asks what its [`Actor`] may.

mod access;
mod activity;
mod actor;
mod addresses;
mod api_keys;
mod app_passwords;
mod certificates;
mod checks;
mod deleted;
mod destination;
mod directory;
mod dns;
mod domains;
mod explain;
mod failure;
mod filters;
mod holds;
mod import;
mod judging;
mod junk;
mod leaving;
mod links;
mod lists;
mod log_ins;
mod mail;
mod moment;
mod moving;
mod mta_sts;
mod once;
mod overview;
mod pace;
mod paging;
mod passkeys;
mod passwords;
mod people;
mod pictures;
mod queue;
mod reports;
mod scripts;
mod second_factor;
mod security;
mod sessions;
mod settings;
mod sharing;
mod sign_in;
mod steward;
mod suppression;
mod system;
mod teams;
mod text;
mod trace;
mod webhooks;

use std::sync::Arc;

use relais_filters::Filters;
use relais_finding::Finder;
use relais_moving::Movers;
use relais_reception::{Login, Porter};
use relais_store::{Page, Store};
use serde::{Deserialize, Serialize};

pub use directory::readable;

pub use access::*;
pub use activity::{Activity, ActivityView, ActivityWanted};
pub use actor::{Actor, Reach, Role, Via};
pub use addresses::{
    AddressKind, AddressSort, AddressView, Addresses, AddressesWanted, AliasChange, AliasSenders, AliasView, Leads,
    LeadsTo, NewAlias, PatternTrial, PatternTried, Resolved, ResolvedStep,
};
pub use api_keys::{API_KEY_PREFIX, ApiKeyForm, ApiKeyRow, Group, KeyReach, Keyed, Scope, Scopes};
pub use app_passwords::{AppPasswordForm, AppPasswordKind, AppPasswordView, TOKEN_DAYS};
pub use certificates::{
    CaView, CertificateDesk, CertificateNameRow, CertificateOrderRow, CertificateRow, DoorView, Knocker,
    OwnCertificateForm, SeenLeaf, WantedNameForm,
};
pub use deleted::{DeletedMail, DeletedWanted, MailRestored, OwnDeletedWanted};
pub use destination::{
    Demand, DestinationHost, DestinationSts, DestinationView, Forecast, ForecastHost, ForecastSts, Foretell, Outlook,
};
pub use dns::{
    DkimKeyView, Dns, DnsAccountChange, DnsAccountView, DnsAlert, DnsChange, DnsCounts, DnsFinding, DnsHouse,
    DnsLetter, DnsObstacle, DnsPreview, DnsProviderField, DnsProviderKind, DnsPushForm, DnsPushView, DnsRecord,
    DnsRecordForms, DnsReport, DnsRow, DnsTurn, DnsVerdict, DnsWanted, NewDnsAccount, OpenAccount,
};
pub use domains::{DomainChange, DomainGoing, DomainSort, DomainView, Domains, DomainsWanted, NewDomain};
pub use explain::{Explanation, causes};
pub use failure::{Complaint, Failure};
pub use filters::FilterView;
pub use holds::*;
pub use import::{PeopleImported, PersonRefused};
pub use judging::{JUDGED_OCTETS, JudgeHop, JudgeWanted, JudgedScripts, JudgedView};
pub use junk::{OwnJunk, RulesOf, SenderRuleForm, SenderRuleView};
pub use leaving::Leaving;
pub use links::{DevicePassword, Founded, LinkOwner, SetUp, Way};
pub use lists::*;
pub use log_ins::LogInView;
pub use mail::*;
pub use moment::Moment;
pub use moving::{BUNDLE_OCTETS, BundleFiled, ImportForm, ImportRefusal, ImportView, MailFiled, MailZip, PIECE_OCTETS};
pub use once::{MAX_ANSWER_OCTETS, OnceKey, Seen};
pub use overview::{Flow, FlowHour, Overview, Reason, Storage, StorageShare, Todo, Verdict};
pub use paging::Rows;
pub use passkeys::{CEREMONY_LASTS, Ceremony, PasskeyRow};
pub use people::{NewPerson, OwnChange, People, PeopleWanted, PersonChange, PersonGoing, PersonSort, PersonView};
pub use pictures::{Fetching, MAX_PICTURE_OCTETS, PICTURE_PATIENCE, Picture, PictureFetcher};
pub use queue::{
    DestinationTally, QueueAct, QueueAttempt, QueueChart, QueueItem, QueueMessage, QueueQuery, QueueSelection,
    QueueSort, QueueTally,
};
pub use relais_store::{ApiKeyKey, Networks, SessionKey};
pub use reports::*;
pub use scripts::{
    AbsenceForm, ActForm, ConditionForm, OwnRules, RULES, RuleForm, RuleSet, ScriptFault, ScriptForm, ScriptText,
    ScriptView, ScriptsOf, TRIED_MESSAGES, TriedAct, TriedMessage, TriedRules,
};
pub use second_factor::{RECOVERY_CODES, SecondFactor, TotpOffer, qr};
pub use security::{BanView, FailedLogin, RefusedTally, Security};
pub use sessions::OpenSession;
pub use settings::{SettingSectionView, SettingView, sentence as setting_sentence};
pub use sharing::{MailboxOf, SenderLent, SendsAs, Share, ShareLevel, SharedMailboxView};
pub use sign_in::{Pending, SignIn, SignedIn};
pub use steward::{QuotaLetter, QuotaNotice, Steward};
pub use suppression::{SuppressedView, SuppressedWanted};
pub use system::{
    CertificateFact, CertificateView, DataSizes, DiskFact, HealthCheck, Host, IndexView, ListenerView, LogLevel,
    LogLine, LogTail, SystemView,
};
pub use teams::{NewTeam, TeamChange, TeamMember, TeamView, Teams, TeamsWanted};
pub use text::{Gap, Text};
pub use trace::{
    MessageFinding, MessageQuery, MessageRow, MessageRows, MessageStep, MessageStory, MessageVerdict, RecipientFate,
};
pub use webhooks::{
    Courier, CreatedWebhook, NewWebhookForm, Parcel, PostError, Posting, WebhookDeliveryView, WebhookForm, WebhookTest,
    WebhookView, Webhooks, may_reach,
};

/// A password on its way in a request: it serializes, but doesn't print.
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

/// The use-cases.
#[derive(Debug, Clone)]
pub struct Service {
    /// Domains and their other names.
    pub domains: Domains,
    /// The people.
    pub people: People,
    /// Teams, whose mailboxes several read.
    pub teams: Teams,
    /// Aliases, forwards and all other addresses.
    pub addresses: Addresses,
    /// Mailing lists.
    pub lists: Lists,
    /// Who changed what, and undoing it.
    pub activity: Activity,
    /// The DNS of the domains and of the host.
    pub dns: Dns,
    /// One's own mail.
    pub mail: Mail,
    store: Store,
    login: Arc<Login>,
    porter: Arc<Porter>,
    finder: Finder,
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
    /// What the doors show, and how that is changed.
    pub certificates: Option<CertificateDesk>,
    /// What asks other programs about messages.
    pub filters: Option<Arc<Filters>>,
    /// Fetches pictures that messages ask for; none in a house that reaches nobody.
    pub pictures: Option<Arc<dyn PictureFetcher>>,
    pub(crate) picture_seats: Seats,
    /// Who brings mail from other servers; none in a house that reaches nobody.
    pub movers: Option<Movers>,
    /// Who foretells what becomes of mail; none in a house that delivers nothing.
    pub outlook: Option<Outlook>,
    /// Who judges what comes in.
    pub(crate) bench: Option<judging::Bench>,
    pub(crate) flow: overview::FlowBoard,
    pub(crate) queue: queue::QueueBoard,
}

/// How many pictures are fetched at once.
#[derive(Debug)]
pub(crate) struct Seats(tokio::sync::Semaphore);

impl Default for Seats {
    fn default() -> Self {
        Self(tokio::sync::Semaphore::new(pictures::FETCHED_AT_ONCE))
    }
}

impl std::ops::Deref for Seats {
    type Target = tokio::sync::Semaphore;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Operations {
    /// Of a house that serves.
    pub fn new(host: Arc<dyn Host>, log: Arc<LogTail>, webhooks: Webhooks) -> Self {
        Self { host: Some(host), log, webhooks, ..Self::default() }
    }

    /// With doors that show certificates.
    #[must_use]
    pub fn with_certificates(self, desk: CertificateDesk) -> Self {
        Self { certificates: Some(desk), ..self }
    }

    /// With someone who fetches pictures.
    #[must_use]
    pub fn with_pictures(self, pictures: Arc<dyn PictureFetcher>) -> Self {
        Self { pictures: Some(pictures), ..self }
    }

    /// With someone who brings mail from other servers.
    #[must_use]
    pub fn with_movers(self, movers: Movers) -> Self {
        Self { movers: Some(movers), ..self }
    }

    /// With someone who foretells what becomes of mail.
    #[must_use]
    pub fn with_outlook(self, outlook: Outlook) -> Self {
        Self { outlook: Some(outlook), ..self }
    }
}

impl Service {
    /// Over `store`; passwords are hashed by `login`.
    pub fn new(store: Store, login: Arc<Login>) -> Self {
        let people = People::new(store.clone(), Arc::clone(&login));
        Self {
            domains: Domains::new(store.clone()),
            teams: Teams::new(store.clone(), people.clone()),
            people,
            addresses: Addresses::new(store.clone()),
            lists: Lists::new(store.clone()),
            activity: Activity::new(store.clone()),
            dns: Dns::new(store.clone(), None),
            mail: Mail::new(store.clone()),
            porter: Arc::new(Porter::new(store.clone())),
            finder: Finder::new(store.clone()),
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

    /// The same, with the one who watches the networks at the house's doors.
    #[must_use]
    pub fn with_porter(self, porter: &Arc<Porter>) -> Self {
        Self { porter: Arc::clone(porter), ..self }
    }

    /// The same, in a house that sends what its people write.
    #[must_use]
    pub fn with_mail_out(self, out: Out) -> Self {
        Self { mail: self.mail.with_out(out), ..self }
    }

    /// The same, with an index of what messages say.
    #[must_use]
    pub fn with_finder(self, finder: &Finder) -> Self {
        Self { mail: self.mail.with_finder(finder.clone()), finder: finder.clone(), ..self }
    }

    /// The same, in a house that looks at the DNS.
    #[must_use]
    pub fn with_dns(self, house: DnsHouse) -> Self {
        Self { dns: Dns::new(self.store.clone(), Some(house)), ..self }
    }

    fn host(&self) -> Option<&dyn Host> {
        self.operations.host.as_deref()
    }
}
