//! Who may speak as whom: the one log-in of IMAP, POP3, SMTP AUTH and the browser, with one set of limits.
//!
//! ```text
//! LoginAttempt ─> limits: refused? ─> credential (store) ─> verified of late? ──────────────────────> Granted
//!                                                             └─ a place to compute ─> limits again ─> hash ─┤
//!                                                                                                            └─> Refused, counted
//! ```
//! - `app_password`: what mail programs log in with; tried before the account's own password. `scram`: a log-in without saying it.
//! - `token`: what programs show that speak OAUTHBEARER.
//! - `limits`: how often one may fail.
//!
//! Invariants: no password is kept, only a keyed hash of it, for [`VERIFIED_FOR`]; an unknown name costs a hash as a wrong password
//! does and gets the same answer, and no refusal is told before `REFUSED_AFTER`, so that a hash of another system, which takes that
//! system's time, tells nothing either; hashes are computed off the async threads, [`Login`]'s permits at a time, and the limits are
//! asked again once a place is free, so that no more guesses than places slip through together.

mod app_password;
mod hash;
mod limits;
mod scram;
mod token;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_model::{Address, Clock, Random, Secret, Timestamp};
use relais_sasl::scram::{Keys, derive, find};
use relais_store::{
    AccountKey, AppPasswordError, Author, Credential, LoginNote, LoginWay, NewAppPassword, Protocols, ScramKeys,
    ScramSalt, Store, StoreError, UsedAppPassword, fold,
};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout};

pub use hash::is_known_hash;
pub use relais_store::LoginProtocol as Protocol;
pub use scram::{ScramAttempt, ScramStart};
pub use token::TokenAttempt;

use hash::StoredHash;
use limits::Limits;

use crate::bans::{self, Ban, BanTarget};

pub(crate) use crate::bounded::Bounded;

/// How long a verified password is known without computing its hash again.
pub const VERIFIED_FOR: Duration = Duration::from_mins(2);

/// Verified passwords that are known at a time, about.
const MAX_VERIFIED: usize = 20_000;

/// Octets of a password, at most: those of longer ones are not even looked at.
pub const MAX_PASSWORD_OCTETS: usize = 1024;

/// A refusal is never told sooner: whatever the attempt cost, known or unknown, all refusals take the same time (threats.md).
const REFUSED_AFTER: Duration = Duration::from_millis(500);

/// How long an attempt waits for a place to compute.
const PLACE_TIMEOUT: Duration = Duration::from_secs(20);

/// One attempt to log in.
#[derive(Debug, Clone)]
pub struct LoginAttempt {
    /// Who it is (RFC 4422's authcid): an account's full address; the local part in any case, the domain with A- or U-labels.
    pub name: String,
    /// Whom it wants to be (authzid): nobody, or the same; to be somebody else is refused.
    pub authorization: Option<String>,
    /// What it knows.
    pub password: Secret,
    /// Where it comes from.
    pub peer: IpAddr,
    /// How it came.
    pub protocol: Protocol,
}

/// Who has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's row.
    pub account: AccountKey,
    /// The account's address.
    pub address: Address,
    /// When.
    pub at: Timestamp,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginAnswer {
    /// It is who it says.
    Granted(Identity),
    /// No; and not a word about why.
    Refused,
    /// It wasn't looked at: too many have failed.
    TooMany {
        /// From then on it may try again.
        retry_after: Duration,
    },
    /// The store failed, or there is no place to compute: try again later.
    Unavailable,
}

impl LoginAnswer {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Granted(_) => "granted",
            Self::Refused => "refused",
            Self::TooMany { .. } => "too_many",
            Self::Unavailable => "unavailable",
        }
    }
}

/// No hash could be made: all places to compute are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no password can be hashed now; try again later")]
pub struct HashError;

/// Why there is no new app password.
#[derive(Debug, thiserror::Error)]
pub enum AddAppPasswordError {
    /// The store doesn't take it.
    #[error(transparent)]
    Refused(#[from] AppPasswordError),
    /// Try again later.
    #[error(transparent)]
    Busy(#[from] HashError),
}

/// Whom an attempt names, and how it came.
#[derive(Debug)]
struct Visitor {
    name: String,
    address: Option<Address>,
    /// What its failures are counted under, known or not, of one size however long the name is.
    counted_as: [u8; 32],
    peer: IpAddr,
    protocol: Protocol,
}

impl Visitor {
    fn new(name: &str, peer: IpAddr, protocol: Protocol) -> Self {
        let mut visitor =
            Self { name: name.to_owned(), address: Address::parse(name).ok(), counted_as: [0; 32], peer, protocol };
        visitor.counted_as = *blake3::hash(visitor.folded().as_bytes()).as_bytes();
        visitor
    }

    /// The name as it is compared, also where it is no address.
    fn folded(&self) -> String {
        self.address.as_ref().map_or_else(|| self.name.to_lowercase(), fold)
    }
}

/// What is known of whom an attempt names.
#[derive(Debug)]
struct Known {
    credential: Credential,
    /// Those for the attempt's protocol.
    app_passwords: Vec<ScramKeys>,
    /// Whether the account's own password is good for the protocol.
    takes_own: bool,
}

/// Which password was right.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Right {
    Own,
    /// The one in this place.
    App(usize),
}

/// What an attempt came to, for the history.
struct Decision {
    answer: LoginAnswer,
    account: Option<AccountKey>,
    app_password: Option<UsedAppPassword>,
}

impl From<LoginAnswer> for Decision {
    fn from(answer: LoginAnswer) -> Self {
        Self { answer, account: None, app_password: None }
    }
}

/// The log-in. One for the whole house.
#[derive(Debug)]
pub struct Login {
    store: Store,
    clock: Arc<dyn Clock>,
    /// Made at start, never told: what is remembered means nothing without it.
    key: [u8; 32],
    taken: AtomicU64,
    /// What an unknown name is checked against.
    nobody: Secret,
    places: Semaphore,
    limits: Mutex<Limits>,
    verified: Mutex<Bounded<[u8; 32], Timestamp>>,
    refused_after: Duration,
    /// What salts are made with; the store's.
    salt_key: OnceCell<[u8; 32]>,
}

impl Login {
    /// One place to compute for each core.
    pub fn new(store: Store, clock: Arc<dyn Clock>, random: &dyn Random) -> Self {
        let places = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let mut key = [0; 32];
        random.fill(&mut key);
        Self {
            store,
            clock,
            key,
            taken: AtomicU64::new(0),
            nobody: hash::nobody(),
            places: Semaphore::new(places),
            limits: Mutex::new(Limits::default()),
            verified: Mutex::new(Bounded::new(MAX_VERIFIED)),
            refused_after: REFUSED_AFTER,
            salt_key: OnceCell::new(),
        }
    }

    /// With another time before which no refusal is told; tests have none to lose.
    #[must_use]
    pub fn with_refusals_after(mut self, duration: Duration) -> Self {
        self.refused_after = duration;
        self
    }

    /// Checks an attempt, counts it where it fails, and logs what came of it. A refusal takes its time. What a browser's right password
    /// comes to the caller writes into the history: a second factor may still be to come, and it may be no sign-in at all.
    ///
    /// Over a mail protocol an app password for it is right, and the account's own unless it needs an app password; elsewhere only the own.
    pub async fn check(&self, attempt: LoginAttempt) -> LoginAnswer {
        let told_at = Instant::now() + self.refused_after;
        let visitor = Visitor::new(&attempt.name, attempt.peer, attempt.protocol);
        let decision = self.decide(&visitor, &attempt).await;
        self.tell(&visitor, decision, told_at).await
    }

    /// Counts, logs, writes into the history; a refusal waits until `told_at`.
    async fn tell(&self, visitor: &Visitor, decision: Decision, told_at: Instant) -> LoginAnswer {
        let Decision { answer, account, app_password } = decision;
        let Visitor { peer, protocol, .. } = *visitor;
        metrics::counter!("relais_logins_total", "protocol" => protocol.as_str(), "outcome" => answer.as_str())
            .increment(1);
        match &answer {
            LoginAnswer::Granted(identity) => {
                tracing::debug!(account.key = identity.account.value(), peer.ip = %peer, ?protocol, "logged in");
            }
            LoginAnswer::Refused => tracing::info!(peer.ip = %peer, ?protocol, "log-in refused"),
            LoginAnswer::TooMany { .. } => {
                tracing::info!(peer.ip = %peer, ?protocol, "log-in not looked at: too many have failed");
            }
            LoginAnswer::Unavailable => tracing::warn!(peer.ip = %peer, ?protocol, "log-in not possible now"),
        }
        let is_noted = match &answer {
            LoginAnswer::Granted(_) => protocol != Protocol::Web,
            LoginAnswer::Refused => true,
            LoginAnswer::TooMany { .. } | LoginAnswer::Unavailable => false,
        };
        if is_noted {
            let (name, at) = (visitor.name.clone(), self.clock.now());
            let (is_granted, way) = (matches!(answer, LoginAnswer::Granted(_)), LoginWay::Password);
            self.store.note_login(LoginNote { account, name, protocol, ip: peer, is_granted, app_password, way, at });
        }
        if matches!(answer, LoginAnswer::Refused | LoginAnswer::TooMany { .. }) {
            sleep_until(told_at).await;
        }
        answer
    }

    /// Makes an app password for an account, in the text that is shown once and never kept.
    ///
    /// # Errors
    /// [`AddAppPasswordError`].
    pub async fn add_app_password(
        &self,
        address: &Address,
        name: String,
        protocols: Protocols,
        by: &Author,
    ) -> Result<Secret, AddAppPasswordError> {
        let mut chance = [0; app_password::LENGTH];
        self.take_chance(b"app password", &mut chance);
        let text = app_password::make(&chance);
        let proposed = self.salt_of(&fold(address)).await.map_err(AppPasswordError::from)?;
        let ScramSalt { salt, iterations } = self.store.take_scram_salt(address, proposed).await?;
        let place = timeout(PLACE_TIMEOUT, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else { return Err(HashError.into()) };
        let given = text.clone();
        let derived = spawn_blocking(move || derive(given.expose().as_bytes(), &salt, iterations));
        let Keys { stored_key, server_key } = derived.await.map_err(|_panicked| HashError)?;
        let new = NewAppPassword { name, protocols, stored_key, server_key };
        self.store.add_app_password(address, new, by).await?;
        Ok(text)
    }

    /// What is refused now: what lasts longest first; 1,000 at most.
    pub fn bans(&self) -> Vec<Ban> {
        self.limits().bans(self.clock.now())
    }

    /// Lifts bans, and forgets the failures that led to them; how many that were.
    pub fn unban(&self, target: &BanTarget) -> usize {
        self.limits().lift(self.clock.now(), target)
    }

    /// An owner signed in from there, `at` this time: for 30 days from then on this network is never refused.
    pub fn note_owner_network(&self, peer: IpAddr, at: Timestamp) {
        self.limits().note_owner(at, peer);
    }

    /// Hashes a password for the store, as argon2id.
    ///
    /// # Errors
    /// [`HashError`]: try again later.
    pub async fn hash(&self, password: Secret) -> Result<Secret, HashError> {
        let salt = self.take_salt();
        let place = timeout(PLACE_TIMEOUT, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else { return Err(HashError) };
        let hashed = spawn_blocking(move || hash::make(&password, &salt)).await;
        hashed.ok().flatten().ok_or(HashError)
    }

    async fn decide(&self, visitor: &Visitor, attempt: &LoginAttempt) -> Decision {
        if let Some(retry_after) = self.refused_for(visitor) {
            return LoginAnswer::TooMany { retry_after }.into();
        }
        let known = match self.look_up(visitor).await {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(%error, "the account of a log-in cannot be read");
                return LoginAnswer::Unavailable.into();
            }
        };
        let mut right = known.as_ref().and_then(|known| self.remembered(known, &attempt.password));
        if right.is_none() {
            let place = timeout(PLACE_TIMEOUT, self.places.acquire()).await;
            let Ok(Ok(_place)) = place else { return LoginAnswer::Unavailable.into() };
            // While it waited for its place, others may have failed.
            if let Some(retry_after) = self.refused_for(visitor) {
                return LoginAnswer::TooMany { retry_after }.into();
            }
            let Some(verified) = self.verify(known.as_ref(), &attempt.password).await else {
                return LoginAnswer::Unavailable.into();
            };
            right = verified;
        }
        let decision = self.conclude(visitor, known.as_ref(), right.as_ref(), attempt.authorization.as_deref());
        if let (LoginAnswer::Granted(_), Some(known), Some(right)) = (&decision.answer, &known, &right) {
            let until = self.clock.now().plus(VERIFIED_FOR);
            self.verified().insert(self.fingerprint(known, right, &attempt.password), until);
        }
        decision
    }

    /// What is known of the one whom the visitor names.
    async fn look_up(&self, visitor: &Visitor) -> Result<Option<Known>, StoreError> {
        let Some(address) = &visitor.address else { return Ok(None) };
        let Some(credential) = self.store.credential(address).await? else { return Ok(None) };
        let protocol = visitor.protocol;
        let mut app_passwords = Vec::new();
        // Where there was never an app password, one question to the store is enough.
        if credential.salt.is_some() && Protocols::ALL.has(protocol) {
            app_passwords = self.store.scram_keys(credential.account).await?;
            app_passwords.retain(|keys| keys.protocols.has(protocol));
        }
        let takes_own = !(credential.needs_app_password && Protocols::ALL.has(protocol));
        Ok(Some(Known { credential, app_passwords, takes_own }))
    }

    /// Which password was right, if any; may the visitor come in?
    fn conclude(
        &self,
        visitor: &Visitor,
        known: Option<&Known>,
        right: Option<&Right>,
        authorization: Option<&str>,
    ) -> Decision {
        let now = self.clock.now();
        let account = known.map(|known| known.credential.account);
        let refused = Decision { answer: LoginAnswer::Refused, account, app_password: None };
        let (Some(Known { credential, app_passwords, .. }), Some(right)) = (known, right) else {
            self.note_failure(visitor);
            return refused;
        };
        if credential.is_suspended || !is_itself(authorization, &credential.address) {
            return refused;
        }
        self.limits().note_success(now, &visitor.counted_as, visitor.peer);
        let used = match right {
            Right::Own => None,
            Right::App(place) => app_passwords.get(*place),
        };
        let used = used.map(|keys| UsedAppPassword {
            key: keys.key,
            name: keys.name.clone(),
            last_used_at: keys.last_used_at,
        });
        let identity = Identity { account: credential.account, address: credential.address.clone(), at: now };
        Decision { answer: LoginAnswer::Granted(identity), app_password: used, ..refused }
    }

    fn note_failure(&self, visitor: &Visitor) {
        let shown = bans::shown(visitor.address.as_ref(), &visitor.name);
        self.limits().note_failure(self.clock.now(), &visitor.counted_as, &shown, visitor.peer);
    }

    /// Computes the hashes; none where that failed. A right password whose hash isn't as we make them gets a new one.
    async fn verify(&self, known: Option<&Known>, password: &Secret) -> Option<Option<Right>> {
        if password.expose().len() > MAX_PASSWORD_OCTETS {
            return Some(None);
        }
        let (given, salt, apps) = (password.clone(), self.take_salt(), known.and_then(apps_of));
        let stored = match known {
            Some(known) => known.takes_own.then(|| known.credential.hash.clone()),
            None => Some(self.nobody.clone()),
        };
        let computed = spawn_blocking(move || {
            if let Some(place) = apps.and_then(|apps| apps.find(&given)) {
                return (Some(Right::App(place)), None);
            }
            let Some(stored) = stored else { return (None, None) };
            let Some(stored) = StoredHash::parse(stored.expose()) else { return (None, None) };
            let matches = stored.matches(given.expose());
            let renewed = if matches && !stored.is_ours() { hash::make(&given, &salt) } else { None };
            (matches.then_some(Right::Own), renewed)
        });
        let (right, renewed) = computed.await.ok()?;
        let Some(known) = known else { return Some(None) };
        if let Some(renewed) = renewed {
            let (account, old) = (known.credential.account, known.credential.hash.clone());
            match self.store.renew_password_hash(account, old, renewed).await {
                Ok(()) => tracing::info!(account.key = account.value(), "password hash renewed"),
                Err(error) => tracing::warn!(%error, account.key = account.value(), "password hash not renewed"),
            }
        }
        Some(right)
    }

    /// Which password this one was of late, without computing a hash.
    fn remembered(&self, known: &Known, password: &Secret) -> Option<Right> {
        let (now, verified) = (self.clock.now(), self.verified());
        let own = known.takes_own.then_some(Right::Own);
        let mut all = own.into_iter().chain((0..known.app_passwords.len()).map(Right::App));
        all.find(|right| verified.look(&self.fingerprint(known, right, password)).is_some_and(|until| now < *until))
    }

    /// What is remembered of a right password. Another password of the account, or another hash, gives another.
    fn fingerprint(&self, known: &Known, right: &Right, password: &Secret) -> [u8; 32] {
        let stored = match right {
            Right::Own => known.credential.hash.expose().as_bytes(),
            Right::App(place) => known.app_passwords.get(*place).map_or(&[] as &[u8], |keys| &keys.stored_key),
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&known.credential.account.value().to_le_bytes());
        for part in [stored, password.expose().as_bytes()] {
            hasher.update(&part.len().to_le_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// The salt of the app passwords of whoever has, or would have, this name: the same each time, also after a restart, so that
    /// nobody learns from it whether the name is known, or when its first app password was made.
    async fn salt_of(&self, folded: &str) -> Result<ScramSalt, StoreError> {
        let key = self.salt_key.get_or_try_init(|| self.store.secret("scram-salts")).await?;
        let hash = blake3::keyed_hash(key, folded.as_bytes());
        let salt = hash.as_bytes().first_chunk::<16>().map(|first| first.to_vec()).unwrap_or_default();
        Ok(ScramSalt { salt, iterations: relais_sasl::scram::MIN_ITERATIONS })
    }

    /// Sixteen octets that were never taken before and that nobody can guess.
    fn take_salt(&self) -> [u8; 16] {
        let mut salt = [0; 16];
        self.take_chance(b"salt", &mut salt);
        salt
    }

    /// Octets that were never taken before and that nobody can guess.
    fn take_chance(&self, purpose: &[u8], octets: &mut [u8]) {
        let count = self.taken.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(purpose).update(&count.to_le_bytes());
        hasher.finalize_xof().fill(octets);
    }

    fn refused_for(&self, visitor: &Visitor) -> Option<Duration> {
        self.limits().refused_for(self.clock.now(), &visitor.counted_as, visitor.peer)
    }

    // What a panicking holder left is still a map of counts.
    fn limits(&self) -> std::sync::MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, Bounded<[u8; 32], Timestamp>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An account's app passwords, as a hash is computed for them.
struct Apps {
    salt: ScramSalt,
    keys: Vec<Keys>,
}

fn apps_of(known: &Known) -> Option<Apps> {
    let keys = scram::keys(&known.app_passwords);
    let salt = known.credential.salt.clone().filter(|_| !keys.is_empty())?;
    Some(Apps { salt, keys })
}

impl Apps {
    /// The place of the one that was typed. Takes its time.
    fn find(&self, typed: &Secret) -> Option<usize> {
        let text = app_password::canonical(typed.expose())?;
        find(&self.keys, &derive(text.expose().as_bytes(), &self.salt.salt, self.salt.iterations))
    }
}

/// RFC 4422 §2: an empty authorization identity is the one that was authenticated.
fn is_itself(authorization: Option<&str>, address: &Address) -> bool {
    match authorization {
        None | Some("") => true,
        Some(other) => Address::parse(other).is_ok_and(|other| {
            other.domain == address.domain
                && other.local_part.as_str().to_lowercase() == address.local_part.as_str().to_lowercase()
        }),
    }
}
