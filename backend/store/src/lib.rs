//! The store: accounts, mailboxes, messages, queue. The one place with SQL and blobs.
//!
//! ```text
//! Content::prepare ──> Store::accept, append, store_flags, … ──> writer ──> one transaction ──> views ──> answers
//!  hash, zstd, facts                                              │ takes what waits              │
//!  off the async threads                                          └ one connection                └ IDLE, changes()
//!
//! Store::view ──> View (rows of a mailbox, shared)      Store::contents ──> chunks of facts and bodies (readers)
//! ```
//! - `directory`: domains, accounts, aliases, and the question `route`. `audit`: who changed what. `access`: app passwords, and the history of log-ins. `queue`: what waits to go out, and the trace.
//! - `content`, `blob`: one message's octets, ready to be stored. `message`: what may be asked of the writer.
//! - `writer`: the one task that changes mail; `transaction`: how its statements cross to the database. `mailbox`: folders; `names`: which one a name is. `view`: what sessions look at.
//! - `sharing`: who else sees a mailbox, and what they may do there; `lending`: who else writes from an address.
//! - `settings`: what those who run the house have set. `webhook`: whom it tells what happens. `certificate`: what the doors show. `idempotency`: what a script's request did, so that it isn't done twice. `dns`: keys that sign, what checks of the DNS found, who serves the zones.
//! - `sending`: what accounts send, against what they may; holds, addresses that are nobody's, complaints.
//! - `webmail`: how each person reads mail here, and whose pictures they see. `writing`: as whom they write, and how; `scheduled`: what goes out later; `snoozed`: what comes back later; `meeting`: what they are invited to; `contact`: whom they know.
//! - `sieve`: people's scripts, the house's, and what they remember.
//! - `transport`: TLS policies, and how TLS came out. `report`: what we tell others of their mail, and what they told us of ours.
//! - `moving`: mail that is brought from another server, and how far that has come.
//! - `contents`, `search`: reading many. `check`, `collect`: looking after it. `engine`: all that SQLite and PostgreSQL do not share.
//!
//! # Invariants
//! - What a method has returned `Ok` for is on the disk.
//! - UIDs are never given twice, MODSEQs only grow, also through a crash: both counters stand in the mailbox's row and
//!   change in the transaction that uses them.
//! - A view has seen every change before the one who asked for it is answered.
//! - A content is kept once. Nobody counts references: `collect` looks whether any are left.
//! - Quota is counted in the transaction that changes it.
//! - No foreign keys: [`Store::check`] says what they would.
//!
//! To add a table: a migration for both engines, a file for its aggregate, a line in `check`. To add a change of mail: a
//! variant of `writer::Op`.

mod access;
mod audit;
mod blob;
mod certificate;
mod check;
mod collect;
mod contact;
mod content;
mod contents;
mod directory;
mod dns;
mod engine;
mod error;
mod idempotency;
mod junk;
mod key;
mod lending;
mod mailbox;
mod meeting;
mod message;
mod metadata;
mod moving;
mod names;
mod news;
mod page;
mod queue;
mod quota;
mod removed;
mod report;
mod scheduled;
mod search;
mod sending;
mod settings;
mod sharing;
mod sieve;
mod sizes;
mod snoozed;
mod sql;
mod thread;
mod transaction;
mod transport;
mod view;
mod webhook;
mod webmail;
mod writer;
mod writing;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use relais_model::{Clock, Random, Timestamp};
use sqlx::AnyConnection;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use access::{
    ApiKey, ApiKeyError, ApiKeyRow, AppPassword, AppPasswordError, BanKind, CodeTry, Founding, FoundingError, KeptBan,
    LinkPurpose, LoginNote, LoginProtocol, LoginRow, LoginScope, LoginWay, LoginsBy, MAX_API_KEYS, MAX_APP_PASSWORDS,
    MAX_KEPT_BANS, MAX_PASSKEYS, MAX_SESSIONS, MailToken, NewApiKey, NewAppPassword, NewMailToken, NewPasskey,
    NewSession, Passkey, PasskeyError, Protocols, ScramKeys, ScramSalt, SecondFactorState, Session, SessionRow,
    SessionStep, Standing, TokenHash, TotpSecret, UsedAppPassword,
};
pub use audit::{AUDIT_KEPT_FOR, AuditEntry, AuditFilter, Author, Via};
pub use certificate::*;
pub use contact::{ContactFilter, ContactRow, MAX_CONTACTS};
pub use content::Content;
pub use contents::{ContentRow, Contents, Wanted};
pub use directory::*;
pub use dns::*;
pub use engine::{DatabaseUrl, Engine};
pub use error::{OpenError, StoreError};
pub use idempotency::{MAX_ANSWER_OCTETS, MAX_REMEMBERED, OnceKey, REMEMBERED_FOR, Seen, UNDER_WAY_FOR};
pub use junk::{
    Acquainted, GreylistVisit, JunkModel, LearntCounts, Lesson, MAX_ACQUAINTANCES, MAX_GREYLISTED, MAX_SENDER_RULES,
    ModelVersion, NewSenderRule, Origin, READ_AFTER, ReadMessage, Regard, Reputation, ReputationCounts, RuleScope,
    SenderRule, SenderRuleError,
};
pub use key::{
    AccountKey, AliasKey, ApiKeyKey, AppPasswordKey, AuditKey, CertificateKey, DkimKeyKey, DnsAccountKey, DnsPushKey,
    DnsTurnKey, DomainKey, HoldKey, ListKey, MailboxKey, MemberKey, MessageKey, OrderKey, PasskeyKey, PostKey,
    QueueKey, RecipientKey, SenderRuleKey, SessionKey, SieveScriptKey, TraceKey, Version, WebhookDeliveryKey,
    WebhookKey,
};
pub use lending::{Borrower, Lent, LentAddress, MAX_LENT};
pub use mailbox::{MAX_MAILBOXES, Mailbox, MailboxError, MailboxStatus, Quota};
pub use meeting::{MAX_MEETINGS, Meeting, MeetingName};
pub use message::{
    Acceptance, Accepted, Append, Appended, ChangeError, Copied, Delivered, Delivery, DeliveryRefusal, Expunged,
    FlagChange, FlagOp, FlagsStored, Replaced, Target,
};
pub use metadata::{Annotation, MAX_METADATA, MAX_METADATA_OCTETS, MAX_METADATA_VALUE, MetadataError, admin_note};
pub use moving::{FolderState, ImportRun, ImportSpan, SourceFolder};
pub use news::{AccountNews, Happened};
pub use page::{Listing, Page};
pub use queue::*;
pub use quota::{Filled, Filling};
pub use removed::{MAX_AT_ONCE, MAX_REMOVED, MAX_REMOVED_MAILBOXES, RemovedMailbox, RemovedMessage, RemovedTotal};
pub use report::*;
pub use scheduled::{MAX_SCHEDULED, Scheduled};
pub use search::{Field, SortFacts, ThreadFacts};
pub use sending::*;
pub use settings::{
    Domains, IMAP_HIDEABLE, Network, Networks, SETTINGS, SetValue, Setting, SettingError, SettingKind, SettingSection,
    Settings, Unit, ValueError, setting,
};
pub use sharing::{
    Grant, Grantee, MAX_GRANTS, MAX_SHARED, OTHER_USERS, Reach, SHARED, SharedMailbox, SharingError, is_reserved,
    rights,
};
pub use sieve::{
    MAX_REMEMBERED_BY_SCRIPTS, MAX_SCRIPTS, MAX_SCRIPTS_OCTETS, SCRIPT_AFTER, SCRIPT_BEFORE, SCRIPT_NOTE,
    SieveAtDelivery, SieveEntry, SieveError, SieveScript,
};
pub use sizes::{Sizes, StorageEntry, StorageUse};
pub use snoozed::{MAX_SNOOZED, Snoozed};
pub use transport::*;
pub use view::{Change, ChangeKind, Changes, MAX_KEYWORDS, Row, Rows, SeenRows, Sight, View};
pub use webhook::*;
pub use webmail::{Density, MAX_PICTURE_SENDERS, ReadingChoices, ReadingPane};
pub use writing::{IdentityRow, MAX_IDENTITIES, WritingChoices};

use blob::Objects;
use engine::{Reader, Readers};
use key::Keys;
use view::{MailboxChange, Views};
use writer::WriterHandle;

/// Where the store is and how it is sized.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// SQLite or PostgreSQL.
    pub database: DatabaseUrl,
    /// The directory of large bodies; made where it is missing.
    pub objects: PathBuf,
    /// Bodies that are larger when compressed stand in the object directory. 256 KiB is good.
    pub inline_octets: u64,
    /// Connections that read, beside the one that writes: 1 to 64. 3 is good.
    pub readers: u32,
}

/// The store. A cheap clone: all clones are one.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) readers: Readers,
    pub(crate) writer: WriterHandle,
    pub(crate) views: Arc<Views>,
    pub(crate) objects: Objects,
    pub(crate) keys: Arc<Keys>,
    pub(crate) routes: directory::Routes,
    pub(crate) scripts: sieve::Scripts,
    pub(crate) history: access::History,
    pub(crate) names: Arc<names::Names>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    /// Told after each commit that queued a message.
    pub(crate) queue_woken: Arc<tokio::sync::Notify>,
    /// Told after each hold that was raised.
    pub(crate) hold_woken: Arc<tokio::sync::Notify>,
    /// Told of each account that was shut out.
    pub(crate) shut_out: sending::ShutOuts,
    /// Changes of rights that were told.
    pub(crate) rights_heard: sharing::RightsHeard,
    pub(crate) settings: settings::Board,
    pub(crate) tasks: TaskTracker,
    stop: CancellationToken,
    /// Held, so that no second server opens the same SQLite store.
    lock: Option<std::fs::File>,
}

impl Store {
    /// Opens the store, brings its schema up to date and starts the writer.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is running; the server should say it and end.
    pub async fn open(config: StoreConfig, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, OpenError> {
        let lock = config.database.lock()?;
        let objects = Objects::open(config.objects, config.inline_octets).await?;
        let engine = config.database.engine();
        let pools = engine::Pools::open(&config.database, config.readers).await?;
        let keys = Arc::new(Keys::default());
        keys.start_after(engine::last_key(&pools.readers).await?);
        if engine == Engine::Sqlite {
            // No other process has the store open: what was claimed is nobody's.
            let mut connection = pools.writer.acquire().await?;
            queue::release_claims(&mut connection, clock.now()).await?;
            certificate::release_all(&mut connection).await?;
        }
        let (views, names) = (Arc::new(Views::default()), Arc::new(names::Names::default()));
        let queue_woken = Arc::new(tokio::sync::Notify::new());
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let writer = writer::start(
            writer::Parts {
                engine,
                pool: pools.writer,
                checkpoints: pools.checkpoints,
                views: Arc::clone(&views),
                names: Arc::clone(&names),
                keys: Arc::clone(&keys),
                clock: Arc::clone(&clock),
                queue_woken: Arc::clone(&queue_woken),
            },
            &tasks,
        );
        let (readers, routes) = (pools.readers, directory::Routes::default());
        let (history, noted) = access::History::new();
        let inner = Inner {
            engine,
            readers,
            writer,
            views,
            objects,
            keys,
            routes,
            scripts: sieve::Scripts::default(),
            history,
            names,
            clock,
            random,
            queue_woken,
            hold_woken: Arc::default(),
            shut_out: sending::ShutOuts::default(),
            rights_heard: sharing::RightsHeard::default(),
            settings: settings::Board::default(),
            tasks,
            stop,
            lock,
        };
        let store = Self { inner: Arc::new(inner) };
        access::start_history(&store.inner, noted);
        store.fold_targets().await?;
        store.refold_words().await?;
        store.read_settings().await?;
        store.start_collecting();
        Ok(store)
    }

    /// Ends what runs here: what was handed in is written first; later calls get [`StoreError::Closed`].
    pub async fn close(&self) {
        self.inner.stop.cancel();
        self.inner.history.close().await;
        self.inner.writer.close().await;
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.inner.readers.close().await;
        if let Some(lock) = &self.inner.lock
            && let Err(error) = lock.unlock()
        {
            tracing::warn!(%error, "the store's lock could not be given back");
        }
    }

    /// Told of each change of mail after it is durable. A receiver that is 1,024 changes late learns that it missed some.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.views.changes()
    }

    /// Told of what happens to an account beside its mail, after it is durable. A receiver that is late learns that it missed some.
    pub fn news(&self) -> broadcast::Receiver<AccountNews> {
        self.inner.views.news().subscribe()
    }

    /// Tells it. Nobody may listen: so be it.
    pub(crate) fn tell(&self, account: AccountKey, what: Happened) {
        let _unheard = self.inner.views.news().send(AccountNews { account, what });
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").fetch_one(&mut *self.reader().await?).await?;
        Ok(())
    }

    /// Which database this is, for the log and for `check`.
    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// Runs `act` in a transaction of its own on the one connection that writes, between two batches of mail.
    ///
    /// `Err` rolls it back.
    pub(crate) async fn write<T, E, F>(&self, act: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        self.inner.writer.act(act, |value| (value, Vec::new())).await
    }

    /// Runs a DELETE of what is from before `$1` (a time or a key), `$2` rows at the most, until none is left: others write between the parts. Tells how many.
    pub(crate) async fn prune_in_parts(&self, sql: &'static str, before: i64, at_once: i64) -> Result<u64, StoreError> {
        let mut pruned = 0;
        loop {
            let some = self
                .write(move |tx| {
                    Box::pin(async move {
                        let query = sqlx::query(sql).bind(before).bind(at_once);
                        Ok::<_, StoreError>(query.execute(tx).await?.rows_affected())
                    })
                })
                .await?;
            if some == 0 {
                return Ok(pruned);
            }
            pruned += some;
        }
    }

    /// As [`Store::write`], for an act that makes news of mailboxes: views hear it before the caller.
    pub(crate) async fn write_news<T, E, F>(&self, act: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<(T, Vec<MailboxChange>), E>> + Send + 'static,
    {
        self.inner.writer.act(act, |told| told).await
    }

    /// A connection for reading.
    pub(crate) async fn reader(&self) -> Result<Reader<'_>, sqlx::Error> {
        self.inner.readers.acquire().await
    }

    /// Now, by the store's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}
