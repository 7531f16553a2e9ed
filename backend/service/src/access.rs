//! Who may come in, and as whom: what a browser, a script or a link in a letter shows is turned into an [`Actor`], or into nothing.
//!
//! ```text
//! password ─> sign_in ─> whole session ──────────────┐
//!                   └──> pending ─> code or passkey ─┤─> token (a cookie) ─> session() ─> SignedIn { Actor }
//! passkey ───────────────────────────────────────────┘
//! bearer key ───────────────────────────────────────────────────────────────> key() ─> Keyed { Actor, Scopes }
//! ```
//! - `sign_in`: from a password or a passkey to a session. `sessions`: what a session is asked for, and its end. `second_factor`,
//!   `passkeys`: what else proves who one is. `links`: setting up, new passwords, and a phone's. `api_keys`: scripts. `passwords`: one rule.
//!
//! Invariants: of a token only its hash is kept; each step of privilege gives another token; with a new password, and with suspension,
//! all else that opened the account ends, in one transaction.

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use relais_model::{Address, Clock, Random, Secret, Timestamp};
use relais_reception::{Login, LoginAnswer, LoginAttempt, Protocol};
use relais_store::{Account, AccountKey, Standing, Store, TokenHash};

use crate::directory::readable;
use crate::passkeys::Passkeys;
use crate::people::unknown;
use crate::{Actor, Failure, Reach, Role, Text, Via};

/// How long the second factor is waited for.
pub const SECOND_FACTOR_PATIENCE: Duration = Duration::from_mins(10);
/// How long one's saying who one is is believed for dangerous acts.
pub const PROOF_LASTS: Duration = Duration::from_mins(10);
/// That something is used is written down no more often.
pub const SEEN_EVERY: Duration = Duration::from_mins(1);
/// Codes that one pending session may try.
pub const CODE_ATTEMPTS: u32 = 5;
/// A link for a new password opens it for so long.
pub const PASSWORD_LINK_LASTS: Duration = Duration::from_hours(24);
/// A link for a phone opens it for so long: it is scanned from a screen.
pub const DEVICE_LINK_LASTS: Duration = Duration::from_mins(15);
/// A link for setting up opens it for so long.
pub const SET_UP_LINK_LASTS: Duration = Duration::from_hours(1);

/// From where owners came within this is known again after a start: for as long those networks are never refused.
const OWNER_NETWORKS_KNOWN: Duration = Duration::from_hours(30 * 24);

/// Characters of the name of a key or a passkey, at most.
const MAX_NAME: usize = 100;
/// Octets of a token, at most: longer ones are not even hashed.
const MAX_TOKEN: usize = 200;

/// Where browsers find the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The host name: passkeys are bound to it for good (WebAuthn's RP id).
    pub host: String,
    /// Where pages are served, `https://HOST` or `https://HOST:PORT`, at least one, each on that host.
    pub origins: Vec<String>,
}

/// A browser that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// From where.
    pub peer: IpAddr,
    /// What it calls itself (RFC 9110 §10.1.5); may be empty.
    pub agent: String,
}

/// What the house calls itself, and whom it serves in which language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseWords {
    /// Its name, for titles.
    pub name: String,
    /// Where people write who cannot get in.
    pub contact: Option<String>,
    /// The language (RFC 5646) of who has chosen none, and whose browser asks for none of ours.
    pub language: String,
}

/// The use-cases of coming in. One for the whole house.
#[derive(Debug)]
pub struct Access {
    pub(crate) store: Store,
    pub(crate) login: Arc<Login>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    /// What tokens against forged forms are made with; never told.
    pub(crate) form_key: [u8; 32],
    pub(crate) passkeys: RwLock<Arc<Passkeys>>,
    /// True for good once an owner was seen.
    pub(crate) is_set_up: AtomicBool,
}

impl Access {
    /// Over `store`; passwords are checked and hashed by `login`.
    ///
    /// # Errors
    /// [`Failure::Unfit`] where an origin is not on the host; [`Failure::Failed`] where the store fails.
    pub async fn open(
        store: Store,
        login: Arc<Login>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        site: &Site,
    ) -> Result<Self, Failure> {
        let form_key = store.secret("form").await?;
        let passkeys = RwLock::new(Arc::new(Passkeys::new(site)?));
        let is_set_up = AtomicBool::new(store.has_owner().await?);
        // Limits don't outlive a restart, and neither does what they know of owners: their sessions tell it again.
        for (peer, at) in store.owner_peers(clock.now().minus(OWNER_NETWORKS_KNOWN)).await? {
            login.note_owner_network(peer, at);
        }
        Ok(Self { store, login, clock, random, form_key, passkeys, is_set_up })
    }

    /// What the house calls itself, as the settings say.
    pub fn house(&self) -> HouseWords {
        let settings = self.store.settings();
        HouseWords {
            name: settings.house_name.clone(),
            contact: settings.house_contact.as_ref().map(readable),
            language: settings.language.clone(),
        }
    }

    /// A token that nobody can guess: 256 bits, in 43 characters of base64url.
    pub(crate) fn make_token(&self) -> Secret {
        let mut octets = [0; 32];
        self.random.fill(&mut octets);
        Secret::new(BASE64URL_NOPAD.encode(&octets))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether this password is the account's. Limits and their log are those of all log-ins.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `field`, in the same words for an unknown name and a wrong password; [`Failure::TooMany`].
    pub(crate) async fn check_password(
        &self,
        name: &str,
        password: Secret,
        peer: IpAddr,
        field: &'static str,
    ) -> Result<AccountKey, Failure> {
        let attempt =
            LoginAttempt { name: name.to_owned(), authorization: None, password, peer, protocol: Protocol::Web };
        match self.login.check(attempt).await {
            LoginAnswer::Granted(identity) => Ok(identity.account),
            LoginAnswer::Refused => Err(Failure::unfit(field, Text::new("sign-in-refused"))),
            LoginAnswer::TooMany { retry_after } => Err(Failure::TooMany { retry_after }),
            LoginAnswer::Unavailable => Err(Failure::Failed),
        }
    }

    pub(crate) async fn hash_password(&self, password: Secret) -> Result<Secret, Failure> {
        self.login.hash(password).await.map_err(|error| {
            tracing::warn!(%error, "a password was not set");
            Failure::Failed
        })
    }

    /// The person of this address, for one who looks after people: not below `role`, and with no less power than they have.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::Absent`] where they see no such person.
    pub(crate) async fn whom(&self, actor: &Actor, role: Role, address: &str) -> Result<Account, Failure> {
        actor.require(role)?;
        let parsed = Address::parse(address.trim()).map_err(|_| unknown(address))?;
        actor.require_reach(&parsed.domain).map_err(|_| unknown(address))?;
        // Nothing opens a team's account: nobody logs in as it.
        let account = self.store.account(&parsed).await?.filter(|account| !account.is_team);
        let account = account.ok_or_else(|| unknown(address))?;
        actor.require_power_over(&account)?;
        Ok(account)
    }
}

/// As the store keeps it.
pub(crate) fn hash_of(token: &str) -> TokenHash {
    *blake3::hash(token.as_bytes()).as_bytes()
}

/// As the store keeps it, of what a stranger sent; none where it can't be one of ours.
pub(crate) fn hash_of_given(token: &str) -> Option<TokenHash> {
    (!token.is_empty() && token.len() <= MAX_TOKEN).then(|| hash_of(token))
}

/// The asker that a session or a key stands for. A key's role may be less than its owner's: it sees what the owner sees, and may less.
pub(crate) fn actor_of(standing: Standing, name: Option<String>, at_most: Role, via: Via, peer: IpAddr) -> Actor {
    let own = Role::from(standing.role);
    let role = own.min(at_most);
    let reach = match (role, own) {
        (Role::User, _) => Reach::Domains(Vec::new()),
        (_, Role::Owner) => Reach::All,
        _ => Reach::Domains(standing.domains),
    };
    let name = name.unwrap_or_else(|| readable(&standing.address));
    let account = Some((standing.account, standing.address));
    Actor { name, account, role, reach, via, peer: Some(peer), is_proven: false }
}

/// What a person calls a thing of theirs.
///
/// # Errors
/// [`Failure::Unfit`] on `name`.
pub(crate) fn name_of(text: &str) -> Result<String, Failure> {
    let name = text.trim();
    let is_fit = !name.is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control);
    if is_fit {
        return Ok(name.to_owned());
    }
    Err(Failure::unfit("name", Text::new("sign-in-bad-name").with("longest", MAX_NAME)))
}
