//! Passkeys (WebAuthn, Level 2): two factors in one, bound to the host's name, so that no other site can ask for them.
//!
//! A ceremony has a beginning, whose options go to the browser, and an end, that checks what the browser's authenticator made of them.
//! Between the two its state is kept here, in memory, under a ticket: a restart ends ceremonies, and one begins anew.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relais_model::{Secret, Timestamp};
use relais_store::{
    AccountKey, LoginWay, NewPasskey, Passkey as KeptPasskey, PasskeyError, PasskeyKey, SessionKey, TokenHash,
};
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyAuthentication,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder,
    WebauthnError,
};

use crate::access::{Access, Site, Visit, hash_of, hash_of_given, name_of};
use crate::directory::readable;
use crate::sign_in::SignedIn;
use crate::{Actor, Failure, Role, Text};

/// How long a ceremony may take.
pub const CEREMONY_LASTS: Duration = Duration::from_mins(5);
/// Ceremonies under way at a time; the oldest ends for one more.
const MAX_CEREMONIES: usize = 10_000;
/// Of one host, so that nobody ends those of all others.
const MAX_CEREMONIES_OF_ONE: usize = 20;
/// Octets of what a browser answers, at most.
const MAX_ANSWER: usize = 64 * 1024;

/// The beginning of a ceremony.
#[derive(Debug, Clone)]
pub struct Ceremony {
    /// Names it at its end.
    pub ticket: Secret,
    /// For the browser's `navigator.credentials.create` or `.get`, octets as base64url.
    pub options: serde_json::Value,
}

/// A passkey, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Names it.
    pub id: String,
    /// As its person calls it.
    pub name: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

impl From<KeptPasskey> for PasskeyRow {
    fn from(one: KeptPasskey) -> Self {
        Self { id: one.key.passkey_id(), name: one.name, created_at: one.created_at, last_used_at: one.last_used_at }
    }
}

/// What WebAuthn needs to know of us, and the ceremonies under way.
#[derive(Debug)]
pub(crate) struct Passkeys {
    webauthn: Webauthn,
    host: String,
    under_way: Mutex<VecDeque<UnderWay>>,
}

#[derive(Debug)]
struct UnderWay {
    ticket: TokenHash,
    peer: IpAddr,
    begun_at: Timestamp,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Of an account, or of the owner to be.
    Registration(Box<PasskeyRegistration>, Uuid, Option<AccountKey>),
    /// By somebody who has not said who they are.
    SignIn(Box<DiscoverableAuthentication>),
    /// By the person of a session.
    Proof(Box<PasskeyAuthentication>, SessionKey),
}

impl Passkeys {
    pub(crate) fn new(site: &Site) -> Result<Self, Failure> {
        let bad = |why: String| Failure::unfit("host_name", Text::new("passkey-bad-site").with("why", why));
        let origins = site.origins.iter().map(|origin| Url::parse(origin).map_err(|error| bad(error.to_string())));
        let origins = origins.collect::<Result<Vec<_>, _>>()?;
        let first = origins.first().ok_or_else(|| bad(site.host.clone()))?;
        let wrong = |error: WebauthnError| bad(error.to_string());
        let builder =
            WebauthnBuilder::new(&site.host, first).map_err(wrong)?.rp_name(&site.host).timeout(CEREMONY_LASTS);
        let builder = origins.iter().skip(1).fold(builder, WebauthnBuilder::append_allowed_origin);
        let webauthn = builder.build().map_err(wrong)?;
        Ok(Self { webauthn, host: site.host.clone(), under_way: Mutex::default() })
    }

    fn put(&self, ticket: TokenHash, peer: IpAddr, now: Timestamp, state: State) {
        let peer = host_of(peer);
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|one| now.since(one.begun_at) < CEREMONY_LASTS);
        let of_one = under_way.iter().filter(|one| one.peer == peer).count();
        if of_one >= MAX_CEREMONIES_OF_ONE
            && let Some(oldest) = under_way.iter().position(|one| one.peer == peer)
        {
            under_way.remove(oldest);
        }
        if under_way.len() >= MAX_CEREMONIES {
            under_way.pop_front();
        }
        under_way.push_back(UnderWay { ticket, peer, begun_at: now, state });
    }

    /// The state of a ceremony, which ends with this, however it ends.
    fn take(&self, ticket: &str, now: Timestamp) -> Result<State, Failure> {
        let ticket = hash_of_given(ticket).ok_or_else(over)?;
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let place = under_way.iter().position(|one| one.ticket == ticket).ok_or_else(over)?;
        let one = under_way.remove(place).ok_or_else(over)?;
        if now.since(one.begun_at) < CEREMONY_LASTS { Ok(one.state) } else { Err(over()) }
    }
}

impl Access {
    /// The host name that passkeys are bound to.
    pub(crate) fn host(&self) -> String {
        self.passkeys().host.clone()
    }

    /// Begins to register a passkey.
    ///
    /// # Errors
    /// [`Failure::Unproven`].
    pub async fn begin_passkey(&self, me: &SignedIn, visit: &Visit) -> Result<Ceremony, Failure> {
        me.actor.require_proof()?;
        let kept = self.store.passkeys(me.account).await?;
        let handle = kept.first().and_then(|one| Uuid::from_slice(&one.user_handle).ok());
        let known = kept.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let person = Person { account: Some(me.account), address: readable(&me.address), name: me.name.clone() };
        self.begin_registration(&person, handle, &known, visit)
    }

    /// Ends it: the passkey is kept under a name.
    ///
    /// # Errors
    /// [`Failure::Unproven`]; [`Failure::Unfit`] on `passkey` or `name`; [`Failure::Clash`] on `name`, or where there are too many.
    pub async fn end_passkey(&self, me: &SignedIn, ticket: &str, answer: &str, name: &str) -> Result<(), Failure> {
        me.actor.require_proof()?;
        let new = self.end_registration(ticket, answer, Some(me.account), name_of(name)?)?;
        self.store.add_passkey(me.account, new, &me.actor.author()).await.map_err(refused)?;
        Ok(())
    }

    /// Begins to register the passkey of the owner to be.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the link.
    pub async fn begin_set_up_passkey(
        &self,
        token: &str,
        address: &str,
        name: &str,
        visit: &Visit,
    ) -> Result<Ceremony, Failure> {
        self.open_set_up_link(token).await?;
        let short = |text: &str| text.chars().take(200).collect::<String>();
        let person = Person { account: None, address: short(address), name: short(name) };
        self.begin_registration(&person, None, &[], visit)
    }

    /// One's own passkeys, oldest first; `relais_store::MAX_PASSKEYS` at most.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn own_passkeys(&self, actor: &Actor) -> Result<Vec<PasskeyRow>, Failure> {
        Ok(self.store.passkeys(actor.own()?.0).await?.into_iter().map(PasskeyRow::from).collect())
    }

    /// Gives a passkey another name.
    ///
    /// # Errors
    /// [`Failure::Absent`]; [`Failure::Unfit`] and [`Failure::Clash`] on `name`.
    pub async fn rename_passkey(&self, actor: &Actor, id: &str, name: &str) -> Result<(), Failure> {
        let key = PasskeyKey::parse(id).ok_or_else(absent)?;
        self.store.rename_passkey(actor.own()?.0, key, name_of(name)?, &actor.author()).await.map_err(refused)
    }

    /// Removes a passkey.
    ///
    /// # Errors
    /// [`Failure::Unproven`]; [`Failure::Absent`]; [`Failure::Clash`] where nothing else would open the account.
    pub async fn remove_passkey(&self, actor: &Actor, id: &str) -> Result<(), Failure> {
        actor.require_proof()?;
        let key = PasskeyKey::parse(id).ok_or_else(absent)?;
        let (account, address) = actor.own()?;
        let has_password = self.store.account(address).await?.is_some_and(|account| account.has_password);
        if !has_password && self.store.passkeys(account).await?.len() < 2 {
            return Err(Failure::clash("", Text::new("passkey-is-last")));
        }
        let removed = self.store.remove_passkey(account, key, &actor.author()).await?;
        removed.map(drop).ok_or_else(absent)
    }

    /// A person's passkeys, for who looks after them.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn passkeys_of(&self, actor: &Actor, address: &str) -> Result<Vec<PasskeyRow>, Failure> {
        let account = self.whom(actor, Role::HelpDesk, address).await?;
        Ok(self.store.passkeys(account.key).await?.into_iter().map(PasskeyRow::from).collect())
    }

    /// Removes a passkey of a person who has lost it. It may be the last thing that opens the account: a password link opens it again.
    ///
    /// # Errors
    /// [`Failure::Unproven`], [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_passkey_of(&self, actor: &Actor, address: &str, id: &str) -> Result<(), Failure> {
        let account = self.whom(actor, Role::DomainAdmin, address).await?;
        actor.require_proof()?;
        let key = PasskeyKey::parse(id).ok_or_else(absent)?;
        self.store.remove_passkey(account.key, key, &actor.author()).await?.map(drop).ok_or_else(absent)
    }

    /// Begins a sign-in with a passkey: no name is typed.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub fn begin_passkey_sign_in(&self, visit: &Visit) -> Result<Ceremony, Failure> {
        let passkeys = self.passkeys();
        let (mut options, state) = passkeys.webauthn.start_discoverable_authentication().map_err(broken)?;
        // Whether it is asked for as one types, or by a button, is the page's to say.
        options.mediation = None;
        self.begin(&passkeys, State::SignIn(state.into()), &options, visit)
    }

    /// Ends it: the token of a whole session, for a passkey is two factors.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `passkey`; [`Failure::Absent`] where it took too long.
    pub async fn sign_in_with_passkey(&self, ticket: &str, answer: &str, visit: &Visit) -> Result<Secret, Failure> {
        let passkeys = self.passkeys();
        let State::SignIn(state) = passkeys.take(ticket, self.now())? else { return Err(over()) };
        let answer: PublicKeyCredential = parse(answer)?;
        let (handle, credential_id) = passkeys.webauthn.identify_discoverable_authentication(&answer).map_err(wrong)?;
        let unknown = || Failure::unfit("passkey", Text::new("passkey-unknown"));
        let kept = self.store.passkey(credential_id).await?.ok_or_else(unknown)?;
        if kept.user_handle != handle.as_bytes() {
            return Err(unknown());
        }
        let key: DiscoverableKey = read(&kept)?.into();
        let result = passkeys.webauthn.finish_discoverable_authentication_v2(&answer, *state, key).map_err(wrong)?;
        self.note_use(&kept, &result).await?;
        self.begin_session(kept.account, visit, LoginWay::Passkey).await
    }

    /// Begins the second step of a sign-in with a passkey in the place of a code.
    ///
    /// # Errors
    /// [`Failure::Absent`] where one must begin with the password again, or has no passkey.
    pub async fn begin_passkey_second(&self, token: &str, visit: &Visit) -> Result<Ceremony, Failure> {
        let lost = || Failure::Absent(Text::new("sign-in-lost"));
        let pending = self.pending(token).await?.ok_or_else(lost)?;
        self.begin_proof(pending.account, pending.session, visit).await
    }

    /// Ends it: the session goes on under the token that comes back.
    ///
    /// # Errors
    /// As [`Access::sign_in_second`], on `passkey`.
    pub async fn sign_in_second_with_passkey(
        &self,
        token: &str,
        ticket: &str,
        answer: &str,
    ) -> Result<Secret, Failure> {
        let pending = self.attempt(token).await?;
        self.end_proof(pending.account, pending.session, ticket, answer).await?;
        self.complete(&pending).await
    }

    /// Begins to say again who one is, with a passkey.
    ///
    /// # Errors
    /// [`Failure::Absent`] where one has none.
    pub async fn begin_passkey_proof(&self, me: &SignedIn, visit: &Visit) -> Result<Ceremony, Failure> {
        self.begin_proof(me.account, me.session, visit).await
    }

    /// Ends it: the session goes on under the token that comes back.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `passkey`; [`Failure::Absent`] where it took too long.
    pub async fn prove_with_passkey(&self, me: &SignedIn, ticket: &str, answer: &str) -> Result<Secret, Failure> {
        self.end_proof(me.account, me.session, ticket, answer).await?;
        self.step(me.session, me.created_at).await
    }

    /// What a registration made of a passkey, ready to be kept.
    pub(crate) fn end_registration(
        &self,
        ticket: &str,
        answer: &str,
        account: Option<AccountKey>,
        name: String,
    ) -> Result<NewPasskey, Failure> {
        let passkeys = self.passkeys();
        let State::Registration(state, handle, whose) = passkeys.take(ticket, self.now())? else { return Err(over()) };
        if whose != account {
            return Err(over());
        }
        let answer: RegisterPublicKeyCredential = parse(answer)?;
        let passkey = passkeys.webauthn.finish_passkey_registration(&answer, &state).map_err(wrong)?;
        let credential_id: &[u8] = passkey.cred_id().as_ref();
        Ok(NewPasskey {
            credential_id: credential_id.to_vec(),
            user_handle: *handle.as_bytes(),
            name,
            credential: write(&passkey)?,
        })
    }

    fn begin_registration(
        &self,
        person: &Person,
        handle: Option<Uuid>,
        known: &[Passkey],
        visit: &Visit,
    ) -> Result<Ceremony, Failure> {
        let passkeys = self.passkeys();
        let handle = handle.unwrap_or_else(|| {
            let mut octets = [0; 16];
            self.random.fill(&mut octets);
            Uuid::from_bytes(octets)
        });
        let name = if person.name.trim().is_empty() { &person.address } else { &person.name };
        let known = known.iter().map(|one| one.cred_id().clone()).collect();
        let begun = passkeys.webauthn.start_passkey_registration(handle, &person.address, name, Some(known));
        let (options, state) = begun.map_err(broken)?;
        let mut ceremony =
            self.begin(&passkeys, State::Registration(state.into(), handle, person.account), &options, visit)?;
        // The library leaves it to the authenticator whether it can be found without a name; ours must be.
        if let Some(wanted) = ceremony.options.pointer_mut("/publicKey/authenticatorSelection") {
            wanted["residentKey"] = "required".into();
            wanted["requireResidentKey"] = true.into();
        }
        Ok(ceremony)
    }

    async fn begin_proof(&self, account: AccountKey, session: SessionKey, visit: &Visit) -> Result<Ceremony, Failure> {
        let kept = self.store.passkeys(account).await?;
        if kept.is_empty() {
            return Err(absent());
        }
        let keys = kept.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let passkeys = self.passkeys();
        let (options, state) = passkeys.webauthn.start_passkey_authentication(&keys).map_err(broken)?;
        self.begin(&passkeys, State::Proof(state.into(), session), &options, visit)
    }

    async fn end_proof(
        &self,
        account: AccountKey,
        session: SessionKey,
        ticket: &str,
        answer: &str,
    ) -> Result<(), Failure> {
        let passkeys = self.passkeys();
        let State::Proof(state, of) = passkeys.take(ticket, self.now())? else { return Err(over()) };
        if of != session {
            return Err(over());
        }
        let answer: PublicKeyCredential = parse(answer)?;
        let result = passkeys.webauthn.finish_passkey_authentication(&answer, &state).map_err(wrong)?;
        let kept = self.store.passkey(result.cred_id().as_ref()).await?;
        let kept = kept.filter(|kept| kept.account == account).ok_or_else(absent)?;
        self.note_use(&kept, &result).await
    }

    fn begin(
        &self,
        passkeys: &Passkeys,
        state: State,
        options: &impl serde::Serialize,
        visit: &Visit,
    ) -> Result<Ceremony, Failure> {
        let ticket = self.make_token();
        let options = serde_json::to_value(options).map_err(broken)?;
        passkeys.put(hash_of(ticket.expose()), visit.peer, self.now(), state);
        Ok(Ceremony { ticket, options })
    }

    async fn note_use(&self, kept: &KeptPasskey, result: &AuthenticationResult) -> Result<(), Failure> {
        let mut passkey = read(kept)?;
        passkey.update_credential(result);
        Ok(self.store.note_passkey(kept.key, write(&passkey)?).await?)
    }

    fn passkeys(&self) -> Arc<Passkeys> {
        Arc::clone(&self.passkeys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Who registers a passkey, as their authenticator will show them.
struct Person {
    account: Option<AccountKey>,
    address: String,
    name: String,
}

/// What one host has: an IPv4 address, or an IPv6 network.
fn host_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        IpAddr::V4(address) => address.into(),
    }
}

fn read(kept: &KeptPasskey) -> Result<Passkey, Failure> {
    serde_json::from_str(&kept.credential).map_err(broken)
}

fn write(passkey: &Passkey) -> Result<String, Failure> {
    serde_json::to_string(passkey).map_err(broken)
}

fn parse<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, Failure> {
    let refused = || Failure::unfit("passkey", Text::new("passkey-refused"));
    if answer.len() > MAX_ANSWER {
        return Err(refused());
    }
    serde_json::from_str(answer).map_err(|_| refused())
}

/// The authenticator's answer doesn't prove what it should.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn wrong(error: WebauthnError) -> Failure {
    tracing::info!(%error, "a passkey was refused");
    Failure::unfit("passkey", Text::new("passkey-refused"))
}

fn broken(error: impl std::fmt::Display) -> Failure {
    tracing::error!(%error, "a passkey's ceremony failed on our side");
    Failure::Failed
}

fn over() -> Failure {
    Failure::Absent(Text::new("passkey-over"))
}

fn absent() -> Failure {
    Failure::Absent(Text::new("passkey-absent"))
}

fn refused(error: PasskeyError) -> Failure {
    match error {
        PasskeyError::NameTaken => Failure::clash("name", Text::new("sign-in-name-taken")),
        PasskeyError::CredentialTaken => Failure::clash("passkey", Text::new("passkey-taken")),
        PasskeyError::TooMany => {
            Failure::clash("", Text::new("passkey-too-many").with("most", relais_store::MAX_PASSKEYS))
        }
        PasskeyError::Unknown => absent(),
        PasskeyError::Failed(error) => error.into(),
    }
}
