//! The API's bearer keys: each is one person's, may no more than they may now, and only what its scopes name.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use relais_model::{Address, Secret, Timestamp};
use relais_store::{AccountKey, ApiKeyError, ApiKeyKey, ApiKeyRow as KeptKey, MAX_API_KEYS, NewApiKey};

use crate::access::{Access, SEEN_EVERY, actor_of, hash_of, hash_of_given, name_of};
use crate::directory::readable;
use crate::paging::page;
use crate::{Actor, Failure, Role, Rows, Text, Via};

/// What a key begins with, so that people and scanners of leaked secrets know it.
pub const API_KEY_PREFIX: &str = "relais_";

/// Letters after it: 5 bits each.
const LETTERS: usize = 40;

/// What belongs together in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the resource of the same name")]
pub enum Group {
    Domains,
    Dns,
    People,
    Addresses,
    Queue,
    Messages,
    Security,
    Certificates,
    Settings,
    System,
    Webhooks,
    Account,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Domains,
        Self::Dns,
        Self::People,
        Self::Addresses,
        Self::Queue,
        Self::Messages,
        Self::Security,
        Self::Certificates,
        Self::Settings,
        Self::System,
        Self::Webhooks,
        Self::Account,
    ];

    /// Its name in scopes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Domains => "domains",
            Self::Dns => "dns",
            Self::People => "people",
            Self::Addresses => "addresses",
            Self::Queue => "queue",
            Self::Messages => "messages",
            Self::Security => "security",
            Self::Certificates => "certificates",
            Self::Settings => "settings",
            Self::System => "system",
            Self::Webhooks => "webhooks",
            Self::Account => "account",
        }
    }
}

/// One thing that a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Whatever its role allows: `*`.
    All,
    /// To look: `domains:read`.
    Read(Group),
    /// To look and to change: `domains:write`.
    Write(Group),
}

impl Scope {
    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        let (group, level) = text.split_once(':')?;
        let group = Group::ALL.into_iter().find(|known| known.as_str() == group)?;
        match level {
            "read" => Some(Self::Read(group)),
            "write" => Some(Self::Write(group)),
            _ => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Read(group) => write!(f, "{}:read", group.as_str()),
            Self::Write(group) => write!(f, "{}:write", group.as_str()),
        }
    }
}

/// All that a key may be used for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// By their names.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `scopes`, where one is unknown, or there are none.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Failure> {
        let read = |name: &'a str| {
            Scope::parse(name)
                .ok_or_else(|| Failure::unfit("scopes", Text::new("api-key-bad-scope").with("scope", name)))
        };
        let scopes = names.into_iter().map(read).collect::<Result<BTreeSet<_>, _>>()?;
        if scopes.is_empty() {
            return Err(Failure::unfit("scopes", Text::new("api-key-no-scopes")));
        }
        Ok(Self(scopes))
    }

    /// Whether they allow this; to change a thing is to see it, too.
    pub fn allow(&self, wanted: Scope) -> bool {
        let includes = |held: &Scope| match (held, wanted) {
            (Scope::All, _) => true,
            (Scope::Write(held), Scope::Read(wanted)) => *held == wanted,
            (held, wanted) => *held == wanted,
        };
        self.0.iter().any(includes)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.iter().map(|scope| scope.to_string()).collect::<Vec<_>>();
        f.write_str(&names.join(" "))
    }
}

/// A key that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyForm {
    /// What its owner calls it.
    pub name: String,
    /// The most that it may.
    pub role: Role,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From then on it opens nothing; none: for good.
    pub expires_at: Option<Timestamp>,
}

/// A key, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Names it.
    pub id: String,
    /// Whose it is.
    pub owner: Address,
    /// What its owner calls it.
    pub name: String,
    /// The most that it may; never more than its owner.
    pub role: Role,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it opens nothing; none: for good.
    pub expires_at: Option<Timestamp>,
    /// When and from where it was last used, to the minute.
    pub last_used: Option<(Timestamp, String)>,
}

/// What a key may be used for, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReach {
    /// For what.
    pub scopes: Scopes,
    /// From then on it opens nothing; none: for good.
    pub expires_at: Option<Timestamp>,
}

impl KeyReach {
    /// Whether a key like this gives no more than there is.
    fn hold(&self, form: &ApiKeyForm) -> Result<(), Failure> {
        if let Some(more) = form.scopes.iter().find(|scope| !self.scopes.allow(*scope)) {
            return Err(Failure::unfit("scopes", Text::new("api-key-scope-above").with("scope", more.to_string())));
        }
        let ends = |at: Option<Timestamp>| at.map_or(i64::MAX, Timestamp::millis);
        if ends(form.expires_at) > ends(self.expires_at) {
            return Err(Failure::unfit("expires_at", Text::new("api-key-outlives")));
        }
        Ok(())
    }
}

/// A script that showed a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// Who it is for the use-cases.
    pub actor: Actor,
    /// What it may be used for.
    pub reach: KeyReach,
    /// The key, for limits a key.
    pub key: ApiKeyKey,
}

impl Access {
    /// Makes a key of one's own. What comes back is shown now, and never again. A key that makes another, `within`, gives it no more than it
    /// has itself: no scope, no role, no later end.
    ///
    /// # Errors
    /// [`Failure::Unproven`]; [`Failure::Forbidden`] where `role` is above the asker's, or a key says nothing of itself; [`Failure::Unfit`] on
    /// `scopes` or `expires_at`;
    /// [`Failure::Clash`] on `name`, or where there are too many.
    pub async fn create_api_key(
        &self,
        actor: &Actor,
        within: Option<&KeyReach>,
        form: ApiKeyForm,
    ) -> Result<Secret, Failure> {
        let (account, _) = actor.own()?;
        actor.require_proof()?;
        actor.require(form.role)?;
        match (actor.via, within) {
            (Via::Panel, None) => {}
            (Via::Api, Some(within)) => within.hold(&form)?,
            _ => return Err(forbidden()),
        }
        self.keep_api_key(actor, account, form).await
    }

    /// Makes a key for somebody, on the machine itself. What comes back is shown now, and never again.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for whoever comes another way, or where `role` is above the person's; [`Failure::Absent`]; as
    /// [`Access::create_api_key`].
    pub async fn create_api_key_of(&self, actor: &Actor, address: &str, form: ApiKeyForm) -> Result<Secret, Failure> {
        let account = self.whom(actor, Role::Owner, address).await?;
        if actor.via != Via::CommandLine || Role::from(account.role) < form.role {
            return Err(forbidden());
        }
        self.keep_api_key(actor, account.key, form).await
    }

    async fn keep_api_key(&self, actor: &Actor, account: AccountKey, form: ApiKeyForm) -> Result<Secret, Failure> {
        if form.expires_at.is_some_and(|until| until <= self.now()) {
            return Err(Failure::unfit("expires_at", Text::new("api-key-expired")));
        }
        let token = self.make_api_key();
        let new = NewApiKey {
            hash: hash_of(token.expose()),
            account,
            name: name_of(&form.name)?,
            role: form.role.into(),
            scopes: form.scopes.to_string(),
            expires_at: form.expires_at,
        };
        let kept = self.store.add_api_key(new, &actor.author()).await;
        kept.map_err(|error| match error {
            ApiKeyError::NameTaken => Failure::clash("name", Text::new("sign-in-name-taken")),
            ApiKeyError::TooMany => Failure::clash("", Text::new("api-key-too-many").with("most", MAX_API_KEYS)),
            ApiKeyError::Unknown => absent(),
            ApiKeyError::Failed(error) => error.into(),
        })?;
        Ok(token)
    }

    /// One's own keys, oldest first; of `everybody`, where an owner asks.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub async fn api_keys(
        &self,
        actor: &Actor,
        everybody: bool,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Rows<ApiKeyRow>, Failure> {
        if everybody {
            actor.require(Role::Owner)?;
        }
        let own = actor.account.as_ref().map(|(account, _)| *account);
        let whose = if everybody { None } else { Some(own.ok_or_else(absent)?) };
        Ok(Rows::of(self.store.api_keys(whose, &page(after, limit)).await?, show))
    }

    /// Revokes a key of one's own, or, for an owner, of anybody.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn revoke_api_key(&self, actor: &Actor, id: &str) -> Result<(), Failure> {
        let key = ApiKeyKey::parse(id).ok_or_else(absent)?;
        let own = actor.account.as_ref().map(|(account, _)| *account);
        let whose = if actor.role == Role::Owner { None } else { Some(own.ok_or_else(absent)?) };
        let revoked = self.store.remove_api_key(whose, key, &actor.author()).await?;
        revoked.map(drop).ok_or_else(absent)
    }

    /// Who asks with a key; none where it opens nothing (it is unknown, revoked or expired, its owner is suspended). One statement; once
    /// a minute another, that notes the use.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn key(&self, token: &str, peer: IpAddr) -> Result<Option<Keyed>, Failure> {
        let Some(hash) = hash_of_given(token).filter(|_| token.starts_with(API_KEY_PREFIX)) else { return Ok(None) };
        let Some(kept) = self.store.api_key(&hash).await? else { return Ok(None) };
        if kept.last_used_at.is_none_or(|last| self.now().since(last) >= SEEN_EVERY) {
            self.store.touch_api_key(kept.key, peer).await?;
        }
        let name = format!("{} ({})", kept.name, readable(&kept.standing.address));
        let actor = actor_of(kept.standing, Some(name), kept.role.into(), Via::Api, peer);
        // A key is no session that was left open: whoever made it said who they are.
        let actor = Actor { is_proven: true, ..actor };
        let reach = KeyReach { scopes: read_scopes(&kept.scopes), expires_at: kept.expires_at };
        Ok(Some(Keyed { actor, reach, key: kept.key }))
    }

    /// Two hundred bits.
    fn make_api_key(&self) -> Secret {
        let mut octets = [0; LETTERS * 5 / 8];
        self.random.fill(&mut octets);
        let letters = data_encoding::BASE32_NOPAD.encode(&octets).to_lowercase();
        Secret::new(format!("{API_KEY_PREFIX}{letters}"))
    }
}

fn show(kept: KeptKey) -> ApiKeyRow {
    ApiKeyRow {
        id: kept.key.key_id(),
        owner: kept.owner,
        name: kept.name,
        role: kept.role.into(),
        scopes: read_scopes(&kept.scopes),
        created_at: kept.created_at,
        expires_at: kept.expires_at,
        last_used: kept.last_used,
    }
}

/// As the store keeps them. One that is not known any more allows nothing.
fn read_scopes(text: &str) -> Scopes {
    Scopes(text.split(' ').filter_map(Scope::parse).collect())
}

fn forbidden() -> Failure {
    Failure::Forbidden(Text::new("failure-forbidden"))
}

fn absent() -> Failure {
    Failure::Absent(Text::new("api-key-absent"))
}
