//! The log-in with SCRAM: an app password's owner shows that they know it, without saying it.
//!
//! An account's own password is not for SCRAM: what is kept of it is an argon2 hash, from which no keys can be made.
//!
//! Invariants: unknown names, accounts without an app password for the protocol, suspended ones, and those who want to be somebody
//! else get a challenge like all others, in the same time; no proof is right for it.

use std::net::IpAddr;
use std::time::Duration;

use relais_sasl::scram::{Keys, NONCE_OCTETS, Verifier};
use relais_store::{AppPasswordKey, ScramKeys};
use tokio::time::{Instant, sleep_until};

use super::{Decision, Login, LoginAnswer, Protocol, Right, Visitor, is_itself};

/// A challenge is never told sooner, whatever the store had to look up.
const CHALLENGED_AFTER: Duration = Duration::from_millis(20);

/// An attempt whose proof is awaited.
#[derive(Debug)]
pub struct ScramAttempt {
    visitor: Visitor,
    authorization: Option<String>,
    /// Whose proof it may be, in [`ScramStart::verifier`]'s order.
    candidates: Vec<AppPasswordKey>,
}

/// What the exchange goes on with.
#[derive(Debug)]
pub struct ScramStart {
    /// To be concluded once the proof was looked at; dropped where the client leaves.
    pub attempt: ScramAttempt,
    /// What the proof is tried against.
    pub verifier: Verifier,
    /// Our part of the nonce.
    pub nonce: [u8; NONCE_OCTETS],
}

impl Login {
    /// What a SCRAM exchange needs of the one who has this name.
    ///
    /// # Errors
    /// [`LoginAnswer::TooMany`], after its time; [`LoginAnswer::Unavailable`].
    pub async fn scram_keys(
        &self,
        name: &str,
        authorization: Option<String>,
        peer: IpAddr,
        protocol: Protocol,
    ) -> Result<ScramStart, LoginAnswer> {
        let (refused_at, told_at) = (Instant::now() + self.refused_after, Instant::now() + self.challenged_after());
        let visitor = Visitor::new(name, peer, protocol);
        if let Some(retry_after) = self.refused_for(&visitor) {
            return Err(self.tell(&visitor, LoginAnswer::TooMany { retry_after }.into(), refused_at).await);
        }
        let found = match self.look_up(&visitor).await {
            Ok(known) => self.salt_of(&visitor.folded()).await.map(|salt| (known, salt)),
            Err(error) => Err(error),
        };
        let (known, made) = match found {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "the app passwords of a log-in cannot be read");
                return Err(self.tell(&visitor, LoginAnswer::Unavailable.into(), refused_at).await);
            }
        };
        let salt = known.as_ref().and_then(|known| known.credential.salt.clone()).unwrap_or(made);
        let able = known.filter(|known| {
            !known.credential.is_suspended && is_itself(authorization.as_deref(), &known.credential.address)
        });
        let app_passwords = able.map(|known| known.app_passwords).unwrap_or_default();
        let candidates = app_passwords.iter().map(|keys| keys.key).collect();
        let verifier = Verifier { salt: salt.salt, iterations: salt.iterations, keys: keys(&app_passwords) };
        let mut nonce = [0; NONCE_OCTETS];
        self.take_chance(b"nonce", &mut nonce);
        sleep_until(told_at).await;
        Ok(ScramStart { attempt: ScramAttempt { visitor, authorization, candidates }, verifier, nonce })
    }

    /// Ends an exchange: `proven` is the place of the keys that the proof was made with. Counted, noted and told like [`Login::check`].
    pub async fn conclude_scram(&self, attempt: ScramAttempt, proven: Option<usize>) -> LoginAnswer {
        let told_at = Instant::now() + self.refused_after;
        let ScramAttempt { visitor, authorization, candidates } = attempt;
        let decision = self.decide_proof(&visitor, authorization.as_deref(), &candidates, proven).await;
        self.tell(&visitor, decision, told_at).await
    }

    async fn decide_proof(
        &self,
        visitor: &Visitor,
        authorization: Option<&str>,
        candidates: &[AppPasswordKey],
        proven: Option<usize>,
    ) -> Decision {
        if let Some(retry_after) = self.refused_for(visitor) {
            return LoginAnswer::TooMany { retry_after }.into();
        }
        // Again: meanwhile the app password may have been taken back, or the account suspended.
        let known = match self.look_up(visitor).await {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(%error, "the account of a log-in cannot be read");
                return LoginAnswer::Unavailable.into();
            }
        };
        let proven = proven.and_then(|place| candidates.get(place));
        let right = known.as_ref().zip(proven).and_then(|(known, proven)| {
            known.app_passwords.iter().position(|keys| keys.key == *proven).map(Right::App)
        });
        self.conclude(visitor, known.as_ref(), right.as_ref(), authorization)
    }

    /// Tests that have no time to lose for refusals have none for challenges.
    fn challenged_after(&self) -> Duration {
        CHALLENGED_AFTER.min(self.refused_after)
    }
}

/// In the exchange's words.
pub(super) fn keys(app_passwords: &[ScramKeys]) -> Vec<Keys> {
    app_passwords.iter().map(|keys| Keys { stored_key: keys.stored_key, server_key: keys.server_key }).collect()
}
