//! From a password or a passkey to a session, and from a session's token to who asks.

use std::net::IpAddr;
use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use relais_model::{Address, Secret, Timestamp};
use relais_store::{
    Account, AccountKey, LoginNote, LoginProtocol, LoginWay, NewSession, Session, SessionKey, SessionStep, SignInNews,
    WebhookEvent,
};
use serde_json::json;

use crate::access::{
    Access, CODE_ATTEMPTS, PROOF_LASTS, SECOND_FACTOR_PATIENCE, SEEN_EVERY, Visit, actor_of, hash_of, hash_of_given,
};
use crate::{Actor, Failure, Role, Text, Via, webhooks};

/// Someone whose browser showed the token of a whole session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, in a row of facts")]
pub struct SignedIn {
    /// Who they are for the use-cases.
    pub actor: Actor,
    /// Their session.
    pub session: SessionKey,
    /// Their account.
    pub account: AccountKey,
    /// Its address.
    pub address: Address,
    /// Their name; may be empty.
    pub name: String,
    /// The language that they chose (RFC 5646); empty: the browser's.
    pub language: String,
    /// The look that they chose; empty: the system's.
    pub theme: String,
    /// Somebody else set their password: they set another before they do anything else.
    pub must_change_password: bool,
    /// The house wants a second factor of who sees more than their own account, and they have none: they are led to where they set it
    /// up, before they do anything else.
    pub must_add_second_factor: bool,
    /// There is a password; else passkeys alone open the account.
    pub has_password: bool,
    /// An authenticator is asked for after the password.
    pub has_second_factor: bool,
    /// How many passkeys they have.
    pub passkeys: u64,
    /// When they signed in.
    pub created_at: Timestamp,
}

/// What a right password opens. Tokens go into cookies, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// All.
    Whole(Secret),
    /// Nothing yet: a second factor is on.
    SecondFactor(Secret),
}

/// A session whose second factor is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Whose it is.
    pub address: Address,
    /// A passkey may be asked for in the place of a code.
    pub has_passkeys: bool,
    pub(crate) account: AccountKey,
    pub(crate) session: SessionKey,
    /// Where its password was typed.
    pub(crate) visit: Visit,
}

impl Access {
    /// Signs in with a password.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `password`, in the same words and after the same time for an unknown name; [`Failure::TooMany`].
    pub async fn sign_in(&self, name: &str, password: Secret, visit: &Visit) -> Result<SignIn, Failure> {
        let account = self.check_password(name, password, visit.peer, "password").await?;
        if self.store.second_factor(account).await?.totp_since.is_some() {
            return Ok(SignIn::SecondFactor(self.begin_session(account, visit, LoginWay::FirstFactor).await?));
        }
        Ok(SignIn::Whole(self.begin_session(account, visit, LoginWay::Password).await?))
    }

    /// The session whose second factor is to come; none where there is no such.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn pending(&self, token: &str) -> Result<Option<Pending>, Failure> {
        let Some(hash) = hash_of_given(token) else { return Ok(None) };
        let session = self.store.session(&hash).await?.filter(|session| !session.is_whole);
        session.map(pending).transpose()
    }

    /// Completes a sign-in with a code of the authenticator, or a recovery code. The session goes on under the token that comes back.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `code`; [`Failure::TooMany`]; [`Failure::Absent`] where one must begin with the password again.
    pub async fn sign_in_second(&self, token: &str, code: &str) -> Result<Secret, Failure> {
        let pending = self.attempt(token).await?;
        self.check_code(pending.account, code).await?;
        self.complete(&pending).await
    }

    /// One more attempt of a pending session, counted before it is looked at.
    pub(crate) async fn attempt(&self, token: &str) -> Result<Pending, Failure> {
        let lost = || Failure::Absent(Text::new("sign-in-lost"));
        let pending = self.pending(token).await?.ok_or_else(lost)?;
        let may = self.store.count_attempt(pending.session, CODE_ATTEMPTS).await?;
        if may { Ok(pending) } else { Err(lost()) }
    }

    /// The second factor was right.
    pub(crate) async fn complete(&self, pending: &Pending) -> Result<Secret, Failure> {
        let account = self.who_signs_in(pending.account).await?;
        let (token, step) = self.make_step(self.now(), true);
        let news = self.news(&account, LoginWay::SecondFactor, &pending.visit);
        let is_here = self.store.step_session(pending.session, SessionStep { news: Some(news), ..step }).await?;
        if !is_here {
            return Err(Failure::Absent(Text::new("sign-in-lost")));
        }
        self.note_sign_in(&account, LoginWay::SecondFactor, pending.visit.peer);
        Ok(token)
    }

    /// Who asks; none where the token opens nothing (it is unknown or expired, its second factor is still to come, its person is
    /// suspended). One statement; once a minute another, that notes the use.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn session(&self, token: &str, peer: IpAddr) -> Result<Option<SignedIn>, Failure> {
        let Some(hash) = hash_of_given(token) else { return Ok(None) };
        let Some(session) = self.store.session(&hash).await?.filter(|session| session.is_whole) else {
            return Ok(None);
        };
        let now = self.now();
        if now.since(session.seen_at) >= SEEN_EVERY {
            self.store.touch_session(session.key, peer, self.expiry(session.created_at, now)).await?;
        }
        Ok(Some(signed_in(session, now, peer, self.store.settings().second_factor_required)))
    }

    /// A person with an open session says again who they are, with their password. The session goes on under the token that comes back.
    ///
    /// # Errors
    /// As [`Access::sign_in`].
    pub async fn prove(&self, me: &SignedIn, password: Secret, visit: &Visit) -> Result<Secret, Failure> {
        self.check_password(&me.address.to_string(), password, visit.peer, "password").await?;
        self.step(me.session, me.created_at).await
    }

    /// Ends a session, whole or not; of an unknown one nothing is said.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn sign_out(&self, token: &str) -> Result<(), Failure> {
        let Some(hash) = hash_of_given(token) else { return Ok(()) };
        if let Some(session) = self.store.session(&hash).await? {
            self.store.leave_session(session.key).await?;
        }
        Ok(())
    }

    /// What each form of a session must bring along, so that no other site can make a browser send it. `token` is the session's, or,
    /// before there is one, what [`Access::make_visitor`] gave.
    pub fn csrf(&self, token: &str) -> String {
        BASE64URL_NOPAD.encode(self.form_hash(token).as_bytes())
    }

    /// Whether a form brought it along; takes the same time wherever they differ.
    pub fn is_csrf(&self, token: &str, given: &str) -> bool {
        let given = BASE64URL_NOPAD.decode(given.as_bytes()).ok().and_then(|octets| <[u8; 32]>::try_from(octets).ok());
        // blake3 compares its hashes in constant time.
        given.is_some_and(|given| self.form_hash(token) == blake3::Hash::from_bytes(given))
    }

    /// For the cookie of a browser that has no session yet: its sign-in forms are bound to it.
    pub fn make_visitor(&self) -> Secret {
        self.make_token()
    }

    fn form_hash(&self, token: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.form_key, token.as_bytes())
    }

    /// Begins a session of someone who came in this way; the token comes back.
    pub(crate) async fn begin_session(
        &self,
        account: AccountKey,
        visit: &Visit,
        way: LoginWay,
    ) -> Result<Secret, Failure> {
        let (token, now, is_whole) = (self.make_token(), self.now(), way != LoginWay::FirstFactor);
        let who = self.who_signs_in(account).await?;
        let new = NewSession {
            hash: hash_of(token.expose()),
            account,
            expires_at: if is_whole { self.expiry(now, now) } else { now.plus(SECOND_FACTOR_PATIENCE) },
            peer: visit.peer,
            agent: visit.agent.clone(),
            is_whole,
            news: is_whole.then(|| self.news(&who, way, visit)),
        };
        self.store.add_session(new).await?;
        self.note_sign_in(&who, way, visit.peer);
        Ok(token)
    }

    /// The one whose password or passkey was right; they may have gone this very moment.
    async fn who_signs_in(&self, account: AccountKey) -> Result<Account, Failure> {
        let lost = || Failure::Absent(Text::new("sign-in-lost"));
        self.store.account_by_key(account).await?.ok_or_else(lost)
    }

    /// Into the history; and from where an owner came nobody is refused for a while.
    fn note_sign_in(&self, who: &Account, way: LoginWay, peer: IpAddr) {
        let at = self.now();
        if who.role == relais_store::Role::Owner && way != LoginWay::FirstFactor {
            self.login.note_owner_network(peer, at);
        }
        self.store.note_login(LoginNote {
            account: Some(who.key),
            name: who.address.to_string(),
            protocol: LoginProtocol::Web,
            ip: peer,
            is_granted: true,
            app_password: None,
            way,
            at,
        });
    }

    /// What webhooks are told of a sign-in.
    fn news(&self, who: &Account, way: LoginWay, visit: &Visit) -> SignInNews {
        let mut octets = [0; 12];
        self.random.fill(&mut octets);
        let data = json!({
            "address": who.address.to_string(),
            "way": way.as_str(),
            "ip": visit.peer.to_canonical().to_string(),
            "agent": visit.agent,
        });
        SignInNews {
            event_id: format!("evt_{}", HEXLOWER.encode(&octets)),
            payload: webhooks::payload(WebhookEvent::AccountSignedIn, self.now(), &data),
        }
    }

    /// A session is whole, and its person has just proved who they are; the new token comes back.
    pub(crate) async fn step(&self, session: SessionKey, created_at: Timestamp) -> Result<Secret, Failure> {
        let (token, step) = self.make_step(created_at, true);
        let is_here = self.store.step_session(session, step).await?;
        if is_here { Ok(token) } else { Err(Failure::Absent(Text::new("sign-in-lost"))) }
    }

    pub(crate) fn make_step(&self, created_at: Timestamp, is_proof: bool) -> (Secret, SessionStep) {
        let token = self.make_token();
        let step = SessionStep {
            hash: hash_of(token.expose()),
            expires_at: self.expiry(created_at, self.now()),
            is_proof,
            news: None,
        };
        (token, step)
    }

    /// How long a browser may keep the token of a session.
    pub fn session_lifetime(&self) -> Duration {
        self.store.settings().session_lifetime
    }

    /// When a session ends that was used then.
    fn expiry(&self, created_at: Timestamp, seen_at: Timestamp) -> Timestamp {
        let settings = self.store.settings();
        seen_at.plus(settings.session_idle).min(created_at.plus(settings.session_lifetime))
    }
}

/// A session whose second factor is still to come.
fn pending(session: Session) -> Result<Pending, Failure> {
    let Ok(peer) = session.ip.parse() else {
        tracing::error!(ip = session.ip, "a session is from nowhere");
        return Err(Failure::Failed);
    };
    Ok(Pending {
        address: session.standing.address,
        has_passkeys: session.passkeys > 0,
        account: session.standing.account,
        session: session.key,
        visit: Visit { peer, agent: session.agent },
    })
}

fn signed_in(session: Session, now: Timestamp, peer: IpAddr, is_second_factor_required: bool) -> SignedIn {
    let is_proven = now.since(session.proved_at) < PROOF_LASTS;
    let (account, address) = (session.standing.account, session.standing.address.clone());
    let actor = Actor { is_proven, ..actor_of(session.standing, None, Role::Owner, Via::Panel, peer) };
    // A passkey is two factors by itself, but where there is a password, too, that alone opens the account.
    let has_one_factor = session.has_password && !session.has_totp;
    SignedIn {
        must_add_second_factor: is_second_factor_required && actor.role > Role::User && has_one_factor,
        actor,
        session: session.key,
        account,
        address,
        name: session.name,
        language: session.language,
        theme: session.theme,
        must_change_password: session.must_change_password,
        has_password: session.has_password,
        has_second_factor: session.has_totp,
        passkeys: session.passkeys,
        created_at: session.created_at,
    }
}
