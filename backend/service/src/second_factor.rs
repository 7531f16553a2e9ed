//! The second factor: codes of an authenticator (RFC 6238), recovery codes for the day it is lost.
//!
//! It is on from the first right code. Then a password alone signs nobody in; a passkey does, for it is two factors by itself.

use std::time::Duration;

use data_encoding::{BASE32, BASE32_NOPAD};
use qrcode::QrCode;
use qrcode::render::svg;
use relais_model::{Address, Secret, Timestamp};
use relais_store::{AccountKey, CodeTry, TotpSecret};
use totp_rs::{Builder, Totp};

use crate::access::{Access, hash_of};
use crate::directory::readable;
use crate::{Actor, Failure, Role, Text};

/// Recovery codes that one gets.
pub const RECOVERY_CODES: usize = 10;
/// Wrong codes that refuse nothing, over all sessions.
const FREE_CODES: u64 = 10;
/// The first refusal; each further wrong code doubles it.
const FIRST_REFUSAL: Duration = Duration::from_mins(1);
/// No refusal is longer.
const LONGEST_REFUSAL: Duration = Duration::from_hours(1);

/// How a person's second factors stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactor {
    /// When the authenticator was confirmed; none: the second factor is off.
    pub since: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
}

/// An authenticator that waits for its first code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpOffer {
    /// To be typed in: base32, in groups of four.
    pub secret: Secret,
    /// To be opened on the same device: `otpauth://totp/…`.
    pub uri: Secret,
    /// To be scanned: an SVG drawing of the URI.
    pub qr: Secret,
}

impl Access {
    /// How one's own second factors stand.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub async fn second_factor(&self, actor: &Actor) -> Result<SecondFactor, Failure> {
        let state = self.store.second_factor(actor.own()?.0).await?;
        Ok(SecondFactor { since: state.totp_since, recovery_codes: state.recovery_codes })
    }

    /// How a person's second factors stand, for who looks after them.
    ///
    /// # Errors
    /// [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn second_factor_of(&self, actor: &Actor, address: &str) -> Result<SecondFactor, Failure> {
        let account = self.whom(actor, Role::HelpDesk, address).await?;
        let state = self.store.second_factor(account.key).await?;
        Ok(SecondFactor { since: state.totp_since, recovery_codes: state.recovery_codes })
    }

    /// Offers a new secret to an authenticator; an earlier offer is void.
    ///
    /// # Errors
    /// [`Failure::Unproven`]; [`Failure::Clash`] where the second factor is on.
    pub async fn offer_totp(&self, actor: &Actor) -> Result<TotpOffer, Failure> {
        actor.require_proof()?;
        let mut secret = [0; 20];
        self.random.fill(&mut secret);
        if !self.store.offer_totp(actor.own()?.0, secret).await? {
            return Err(Failure::clash("", Text::new("second-factor-is-on")));
        }
        self.offer(actor.own()?.1, &secret)
    }

    /// The offer that waits, again: a form is shown once more after a wrong code.
    ///
    /// # Errors
    /// [`Failure::Unproven`]; [`Failure::Absent`] where none waits.
    pub async fn offered_totp(&self, actor: &Actor) -> Result<TotpOffer, Failure> {
        actor.require_proof()?;
        let offered = self.store.offered_totp(actor.own()?.0).await?;
        let offered = offered.ok_or_else(|| Failure::Absent(Text::new("second-factor-no-offer")))?;
        self.offer(actor.own()?.1, &offered.secret)
    }

    /// The first code turns the second factor on. The recovery codes that come back are shown now, and never again.
    ///
    /// # Errors
    /// [`Failure::Unproven`]; [`Failure::Unfit`] on `code`; [`Failure::Absent`] where nothing was offered.
    pub async fn confirm_totp(&self, actor: &Actor, code: &str) -> Result<Vec<Secret>, Failure> {
        actor.require_proof()?;
        let absent = || Failure::Absent(Text::new("second-factor-no-offer"));
        let offered = self.store.offered_totp(actor.own()?.0).await?.ok_or_else(absent)?;
        let step = self.step_of(&offered, &compact(code)).ok_or_else(wrong_code)?;
        let codes = self.make_recovery_codes();
        let hashes = codes.iter().map(|code| hash_of(&compact(code.expose()))).collect();
        let is_on = self.store.confirm_totp(actor.own()?.0, offered, step, hashes, &actor.author()).await?;
        if is_on { Ok(codes) } else { Err(absent()) }
    }

    /// New recovery codes in the place of all old ones; shown now, and never again.
    ///
    /// # Errors
    /// [`Failure::Unproven`]; [`Failure::Absent`] where the second factor is off.
    pub async fn renew_recovery_codes(&self, actor: &Actor) -> Result<Vec<Secret>, Failure> {
        actor.require_proof()?;
        let codes = self.make_recovery_codes();
        let hashes = codes.iter().map(|code| hash_of(&compact(code.expose()))).collect();
        let is_on = self.store.renew_recovery_codes(actor.own()?.0, hashes, &actor.author()).await?;
        if is_on { Ok(codes) } else { Err(Failure::Absent(Text::new("second-factor-is-off"))) }
    }

    /// Turns one's own second factor off; recovery codes go with it, passkeys stay.
    ///
    /// # Errors
    /// [`Failure::Unproven`]; [`Failure::Absent`] where it is off.
    pub async fn remove_second_factor(&self, actor: &Actor) -> Result<(), Failure> {
        actor.require_proof()?;
        let is_off = self.store.remove_totp(actor.own()?.0, &actor.author()).await?;
        if is_off { Ok(()) } else { Err(Failure::Absent(Text::new("second-factor-is-off"))) }
    }

    /// Turns a person's second factor off who has lost it, and their recovery codes, too.
    ///
    /// # Errors
    /// [`Failure::Unproven`], [`Failure::Forbidden`], [`Failure::Absent`].
    pub async fn remove_second_factor_of(&self, actor: &Actor, address: &str) -> Result<(), Failure> {
        let account = self.whom(actor, Role::DomainAdmin, address).await?;
        actor.require_proof()?;
        let is_off = self.store.remove_totp(account.key, &actor.author()).await?;
        if is_off { Ok(()) } else { Err(Failure::Absent(Text::new("second-factor-is-off"))) }
    }

    /// A code of the authenticator, which no one can use again, or a recovery code, which is used up. Wrong codes are counted over all
    /// sessions of the account: who has the password cannot begin anew and anew. Recovery codes are too long to be guessed, and are
    /// looked at always: who has theirs is not locked out by a guesser.
    ///
    /// # Errors
    /// [`Failure::Unfit`] on `code`; [`Failure::TooMany`].
    pub(crate) async fn check_code(&self, account: AccountKey, code: &str) -> Result<(), Failure> {
        let code = compact(code);
        if code.len() != 6 {
            let is_taken = self.store.take_recovery_code(account, hash_of(&code)).await?;
            return if is_taken { Ok(()) } else { Err(wrong_code()) };
        }
        let known = match self.store.try_code(account, refusal).await? {
            CodeTry::Look(known) => known,
            CodeTry::Refused { until } => return Err(Failure::TooMany { retry_after: until.since(self.now()) }),
            CodeTry::Absent => return Err(wrong_code()),
        };
        let step = self.step_of(&known, &code).ok_or_else(wrong_code)?;
        if self.store.take_code(account, step).await? { Ok(()) } else { Err(wrong_code()) }
    }

    /// The step of a code that is right now, one step earlier or later, and later than the last that was taken.
    fn step_of(&self, known: &TotpSecret, code: &str) -> Option<u64> {
        let seconds = u64::try_from(self.now().seconds()).ok()?;
        let step = totp(&known.secret, "", "").ok()?.check(code, seconds)?;
        (step > known.last_step).then_some(step)
    }

    fn offer(&self, address: &Address, secret: &[u8]) -> Result<TotpOffer, Failure> {
        let failed = |what: &dyn std::fmt::Display| {
            tracing::error!(error = %what, "an authenticator's secret cannot be shown");
            Failure::Failed
        };
        let totp = totp(secret, &readable(address), &self.host()).map_err(|error| failed(&error))?;
        let uri = totp.to_url().map_err(|error| failed(&error))?;
        let qr = QrCode::new(&uri).map_err(|error| failed(&error))?;
        let drawing = qr.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
        Ok(TotpOffer {
            secret: Secret::new(grouped(&BASE32_NOPAD.encode(secret), ' ')),
            uri: Secret::new(uri),
            qr: Secret::new(drawing),
        })
    }

    /// Eighty random bits each, so that nobody can guess one, nor find one from its hash.
    fn make_recovery_codes(&self) -> Vec<Secret> {
        let make = |_| {
            let mut octets = [0; 10];
            self.random.fill(&mut octets);
            Secret::new(grouped(&BASE32.encode(&octets).to_lowercase(), '-'))
        };
        (0..RECOVERY_CODES).map(make).collect()
    }
}

/// What all authenticators know: SHA-1, six digits, thirty seconds; a code is right for the step before and after its own, too.
fn totp(secret: &[u8], account: &str, issuer: &str) -> Result<Totp, totp_rs::TotpError> {
    // A colon parts the two in the URI.
    let issuer = (!issuer.is_empty()).then(|| issuer.replace(':', ""));
    Builder::new().with_secret(secret.to_vec()).with_account_name(account.replace(':', "")).with_issuer(issuer).build()
}

/// For how long so many wrong codes refuse the next.
fn refusal(failures: u64) -> Duration {
    let Some(doublings) = failures.checked_sub(FREE_CODES) else { return Duration::ZERO };
    let factor = u32::try_from(doublings).ok().and_then(|doublings| 1_u32.checked_shl(doublings)).unwrap_or(u32::MAX);
    FIRST_REFUSAL.saturating_mul(factor).min(LONGEST_REFUSAL)
}

fn wrong_code() -> Failure {
    Failure::unfit("code", Text::new("second-factor-wrong"))
}

/// Without what people put in to read it better.
fn compact(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).take(100).collect()
}

/// In groups of four.
fn grouped(text: &str, separator: char) -> String {
    let mut shown = String::with_capacity(text.len() * 5 / 4);
    for (place, character) in text.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            shown.push(separator);
        }
        shown.push(character);
    }
    shown
}

/// A text as a drawing to be scanned: SVG. None where it is too long for one.
pub fn qr(text: &str) -> Option<Secret> {
    let code = QrCode::new(text).ok()?;
    Some(Secret::new(code.render::<svg::Color<'_>>().min_dimensions(200, 200).build()))
}
