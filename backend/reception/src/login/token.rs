//! The log-in with a token (OAUTHBEARER, XOAUTH2): whoever shows it is in, as whose it is.
//!
//! A token is 256 bits of chance: nobody guesses it, and the store finds it by a plain hash. So no place to compute is needed; limits
//! and their log are those of all log-ins.
//!
//! Invariants: a token that has expired, is for another protocol, or is shown under another's name is one that isn't there.

use std::net::IpAddr;

use data_encoding::BASE64URL_NOPAD;
use relais_model::{Address, Secret, Timestamp};
use relais_store::{AppPasswordError, Author, LoginProtocol, MailToken, NewMailToken, Protocols, UsedAppPassword};
use tokio::time::Instant;

use super::{Decision, Identity, Login, LoginAnswer, MAX_PASSWORD_OCTETS, Visitor};

/// What a token begins with, so that people and scanners of leaked secrets know it.
const PREFIX: &str = "relais_mail_";

/// A token that was shown.
#[derive(Debug, Clone)]
pub struct TokenAttempt {
    /// Whose it is said to be, where that was said.
    pub name: Option<String>,
    /// What was shown.
    pub token: Secret,
    /// Where it comes from.
    pub peer: IpAddr,
    /// How it came.
    pub protocol: LoginProtocol,
}

impl Login {
    /// Checks a token, counts it where it opens nothing, and logs what came of it. A refusal takes its time.
    pub async fn check_token(&self, attempt: TokenAttempt) -> LoginAnswer {
        let told_at = Instant::now() + self.refused_after;
        let hash = hash_of(attempt.token.expose());
        let mut visitor = Visitor::new(attempt.name.as_deref().unwrap_or_default(), attempt.peer, attempt.protocol);
        if attempt.name.is_none() {
            // Those who name nobody have only their token in common.
            visitor.counted_as = hash;
        }
        let decision = self.decide_token(&mut visitor, &attempt, hash).await;
        self.tell(&visitor, decision, told_at).await
    }

    async fn decide_token(&self, visitor: &mut Visitor, attempt: &TokenAttempt, hash: [u8; 32]) -> Decision {
        if let Some(retry_after) = self.refused_for(visitor) {
            return LoginAnswer::TooMany { retry_after }.into();
        }
        let now = self.clock.now();
        let found = match self.token(visitor, attempt, hash).await {
            Ok(found) => found.filter(|token| token.expires_at.is_none_or(|end| now < end)),
            Err(error) => {
                tracing::error!(%error, "the token of a log-in cannot be read");
                return LoginAnswer::Unavailable.into();
            }
        };
        let Some(token) = found else {
            self.note_failure(visitor);
            return LoginAnswer::Refused.into();
        };
        let account = Some(token.account);
        if token.is_suspended {
            return Decision { answer: LoginAnswer::Refused, account, app_password: None };
        }
        self.limits().note_success(now, &visitor.counted_as, visitor.peer);
        if attempt.name.is_none() {
            visitor.name = token.address.to_string();
        }
        let app_password = Some(UsedAppPassword { key: token.key, name: token.name, last_used_at: token.last_used_at });
        let identity = Identity { account: token.account, address: token.address, at: now };
        Decision { answer: LoginAnswer::Granted(identity), app_password, account }
    }

    /// The token, where it is for the protocol and of whom the visitor names.
    async fn token(
        &self,
        visitor: &Visitor,
        attempt: &TokenAttempt,
        hash: [u8; 32],
    ) -> Result<Option<MailToken>, relais_store::StoreError> {
        if attempt.token.expose().len() > MAX_PASSWORD_OCTETS {
            return Ok(None);
        }
        let Some(token) = self.store.mail_token(&hash).await? else { return Ok(None) };
        let is_whose = match (&attempt.name, &visitor.address) {
            (None, _) => true,
            // By any name of its domain, as with a password.
            (Some(_), Some(named)) => {
                self.store.credential(named).await?.is_some_and(|known| known.account == token.account)
            }
            (Some(_), None) => false,
        };
        Ok(Some(token).filter(|token| is_whose && token.protocols.has(visitor.protocol)))
    }

    /// Makes a token for an account, in the text that is shown once and never kept.
    ///
    /// # Errors
    /// [`AppPasswordError`].
    pub async fn add_token(
        &self,
        address: &Address,
        name: String,
        protocols: Protocols,
        expires_at: Timestamp,
        by: &Author,
    ) -> Result<Secret, AppPasswordError> {
        let mut chance = [0; 32];
        self.take_chance(b"mail token", &mut chance);
        let text = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&chance));
        let new = NewMailToken { name, protocols, hash: hash_of(&text), expires_at };
        self.store.add_mail_token(address, new, by).await?;
        Ok(Secret::new(text))
    }
}

/// As the store keeps it.
fn hash_of(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}
