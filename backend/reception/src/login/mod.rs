//! Who may speak as whom: the one log-in of IMAP, POP3 and SMTP AUTH, with one set of limits.
//!
//! ```text
//! LoginAttempt ─> limits: refused? ─> credential (store) ─> verified of late? ──────────────────────> Granted
//!                                                             └─ a place to compute ─> limits again ─> hash ─┤
//!                                                                                                            └─> Refused, counted
//! ```
//! Invariants: no password is kept, only a keyed hash of it, for [`VERIFIED_FOR`]; an unknown name costs a hash as a wrong password
//! does and gets the same answer, and no refusal is told before `REFUSED_AFTER`, so that a hash of another system, which takes that
//! system's time, tells nothing either; hashes are computed off the async threads, [`Login`]'s permits at a time, and the limits are
//! asked again once a place is free, so that no more guesses than places slip through together.

mod bounded;
mod hash;
mod limits;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_model::{Address, Clock, Random, Secret, Timestamp};
use relais_store::{AccountKey, Credential, Store};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout};

pub use hash::is_known_hash;

use bounded::Bounded;
use hash::StoredHash;
use limits::Limits;

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

/// The protocol of an attempt, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 9051.
    Imap,
    /// RFC 1939.
    Pop3,
    /// RFC 4954.
    Smtp,
}

impl Protocol {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Smtp => "smtp",
        }
    }
}

/// Who has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's row.
    pub account: AccountKey,
    /// The account's address.
    pub address: Address,
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

/// The log-in. One for the whole house.
#[derive(Debug)]
pub struct Login {
    store: Store,
    clock: Arc<dyn Clock>,
    /// Made at start, never told: what is remembered means nothing without it.
    key: [u8; 32],
    salts: AtomicU64,
    /// What an unknown name is checked against.
    nobody: Secret,
    places: Semaphore,
    limits: Mutex<Limits>,
    verified: Mutex<Bounded<[u8; 32], Timestamp>>,
    refused_after: Duration,
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
            salts: AtomicU64::new(0),
            nobody: hash::nobody(),
            places: Semaphore::new(places),
            limits: Mutex::new(Limits::default()),
            verified: Mutex::new(Bounded::new(MAX_VERIFIED)),
            refused_after: REFUSED_AFTER,
        }
    }

    /// With another time before which no refusal is told; tests have none to lose.
    #[must_use]
    pub fn with_refusals_after(mut self, duration: Duration) -> Self {
        self.refused_after = duration;
        self
    }

    /// Checks an attempt, counts it where it fails, and logs what came of it. A refusal takes its time.
    pub async fn check(&self, attempt: LoginAttempt) -> LoginAnswer {
        let told_at = Instant::now() + self.refused_after;
        let name = Address::parse(&attempt.name).ok();
        let counted_as = counted_as(name.as_ref(), &attempt.name);
        let answer = self.decide(&attempt, name.as_ref(), &counted_as).await;
        let protocol = attempt.protocol;
        metrics::counter!("relais_logins_total", "protocol" => protocol.as_str(), "outcome" => answer.as_str())
            .increment(1);
        match &answer {
            LoginAnswer::Granted(identity) => {
                tracing::debug!(account.key = identity.account.value(), peer.ip = %attempt.peer, ?protocol, "logged in");
            }
            LoginAnswer::Refused => tracing::info!(peer.ip = %attempt.peer, ?protocol, "log-in refused"),
            LoginAnswer::TooMany { .. } => {
                tracing::info!(peer.ip = %attempt.peer, ?protocol, "log-in not looked at: too many have failed");
            }
            LoginAnswer::Unavailable => {
                tracing::warn!(peer.ip = %attempt.peer, ?protocol, "log-in not possible now");
            }
        }
        if matches!(answer, LoginAnswer::Refused | LoginAnswer::TooMany { .. }) {
            sleep_until(told_at).await;
        }
        answer
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

    async fn decide(&self, attempt: &LoginAttempt, name: Option<&Address>, counted_as: &[u8; 32]) -> LoginAnswer {
        if let Some(retry_after) = self.refused_for(counted_as, attempt.peer) {
            return LoginAnswer::TooMany { retry_after };
        }
        let credential = match name {
            Some(name) => match self.store.credential(name).await {
                Ok(credential) => credential,
                Err(error) => {
                    tracing::error!(%error, "the account of a log-in cannot be read");
                    return LoginAnswer::Unavailable;
                }
            },
            None => None,
        };
        let known = credential.as_ref().filter(|known| self.is_verified(known, &attempt.password));
        let matches = if known.is_some() {
            true
        } else {
            let place = timeout(PLACE_TIMEOUT, self.places.acquire()).await;
            let Ok(Ok(_place)) = place else { return LoginAnswer::Unavailable };
            // While it waited for its place, others may have failed.
            if let Some(retry_after) = self.refused_for(counted_as, attempt.peer) {
                return LoginAnswer::TooMany { retry_after };
            }
            let Some(matches) = self.verify(credential.as_ref(), &attempt.password).await else {
                return LoginAnswer::Unavailable;
            };
            if !matches {
                self.limits().note_failure(self.clock.now(), counted_as, attempt.peer);
            }
            matches
        };
        match credential {
            Some(credential) if matches => self.grant(attempt, credential, counted_as),
            _ => LoginAnswer::Refused,
        }
    }

    /// The password is right; may it come in?
    fn grant(&self, attempt: &LoginAttempt, credential: Credential, counted_as: &[u8; 32]) -> LoginAnswer {
        if credential.is_suspended || !is_itself(attempt.authorization.as_deref(), &credential.address) {
            return LoginAnswer::Refused;
        }
        let now = self.clock.now();
        self.verified().insert(self.fingerprint(&credential, &attempt.password), now.plus(VERIFIED_FOR));
        self.limits().note_success(now, counted_as, attempt.peer);
        LoginAnswer::Granted(Identity { account: credential.account, address: credential.address })
    }

    /// Computes the hash; none where that failed. A right password whose hash isn't as we make them gets a new one.
    async fn verify(&self, credential: Option<&Credential>, password: &Secret) -> Option<bool> {
        let stored = credential.map_or_else(|| self.nobody.clone(), |credential| credential.hash.clone());
        let (given, salt) = (password.clone(), self.take_salt());
        let computed = spawn_blocking(move || {
            let stored = StoredHash::parse(stored.expose());
            let is_long = given.expose().len() > MAX_PASSWORD_OCTETS;
            let matches = !is_long && stored.as_ref().is_some_and(|stored| stored.matches(given.expose()));
            let renews = matches && stored.is_some_and(|stored| !stored.is_ours());
            (matches, if renews { hash::make(&given, &salt) } else { None })
        });
        let (matches, renewed) = computed.await.ok()?;
        let Some(credential) = credential else { return Some(false) };
        if let Some(renewed) = renewed {
            let old = credential.hash.clone();
            match self.store.renew_password_hash(credential.account, old, renewed).await {
                Ok(()) => tracing::info!(account.key = credential.account.value(), "password hash renewed"),
                Err(error) => {
                    tracing::warn!(%error, account.key = credential.account.value(), "password hash not renewed");
                }
            }
        }
        Some(matches)
    }

    fn is_verified(&self, credential: &Credential, password: &Secret) -> bool {
        let fingerprint = self.fingerprint(credential, password);
        self.verified().look(&fingerprint).is_some_and(|until| self.clock.now() < *until)
    }

    /// What is remembered of a right password. Another password of the account, or another hash, gives another.
    fn fingerprint(&self, credential: &Credential, password: &Secret) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&credential.account.value().to_le_bytes());
        for part in [&credential.hash, password] {
            hasher.update(&part.expose().len().to_le_bytes());
            hasher.update(part.expose().as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// Sixteen octets that were never taken before and that nobody can guess.
    fn take_salt(&self) -> [u8; 16] {
        let count = self.salts.fetch_add(1, Ordering::Relaxed);
        let mut salt = [0; 16];
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(b"salt").update(&count.to_le_bytes());
        hasher.finalize_xof().fill(&mut salt);
        salt
    }

    fn refused_for(&self, counted_as: &[u8; 32], peer: IpAddr) -> Option<Duration> {
        self.limits().refused_for(self.clock.now(), counted_as, peer)
    }

    // What a panicking holder left is still a map of counts.
    fn limits(&self) -> std::sync::MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, Bounded<[u8; 32], Timestamp>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What failures of a name are counted under, known or not, of one size however long the name is.
fn counted_as(address: Option<&Address>, name: &str) -> [u8; 32] {
    let text = address.map_or_else(|| name.to_lowercase(), |address| address.to_string().to_lowercase());
    *blake3::hash(text.as_bytes()).as_bytes()
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
