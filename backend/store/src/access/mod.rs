//! Who may come in, and who came: what log-ins are checked against beside the account's own password, and their history; the browser's
//! sessions and the API's keys.
//!
//! - `app_password`: one a device; SCRAM's keys of them. `secret`: random octets that outlive a restart. `history`: who logged in,
//!   and who tried. `ban`: bans that were lifted.
//! - `session`, `api_key`: found by the hash of their token; `standing` is what they say of their account. `link`: opens one thing
//!   once. `second_factor`: codes. `passkey`: public keys.

mod api_key;
mod app_password;
mod ban;

mod history;
mod link;
mod passkey;
mod second_factor;
mod secret;
mod session;
mod standing;

use serde_json::Value;
use sqlx::AnyConnection;

pub use api_key::{ApiKey, ApiKeyError, ApiKeyRow, MAX_API_KEYS, NewApiKey};
pub use app_password::{
    AppPassword, AppPasswordError, MAX_APP_PASSWORDS, MailToken, NewAppPassword, NewMailToken, Protocols, ScramKeys,
    ScramSalt,
};
pub use history::{LoginNote, LoginRow, LoginScope, LoginWay, LoginsBy, UsedAppPassword};
pub use link::{Founding, FoundingError, LinkPurpose};
pub use passkey::{MAX_PASSKEYS, NewPasskey, Passkey, PasskeyError};
pub use second_factor::{CodeTry, SecondFactorState, TotpSecret};
pub use session::{MAX_SESSIONS, NewSession, Session, SessionRow, SessionStep};
pub use standing::Standing;

pub(crate) use app_password::read_salt;
pub(crate) use history::{History, start as start_history};

pub(crate) use session::{end_openings, end_openings_of};

use crate::audit::{Deed, Scribe};
use crate::{AccountKey, DomainKey};

/// The blake3 of a token that is random and long.
pub type TokenHash = [u8; 32];

/// The protocol of a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginProtocol {
    /// RFC 9051.
    Imap,
    /// RFC 1939.
    Pop3,
    /// RFC 4954.
    Smtp,
    /// RFC 5804.
    Sieve,
    /// The browser's sign-in.
    Web,
    /// The REST API's.
    Api,
}

impl LoginProtocol {
    const ALL: [Self; 6] = [Self::Imap, Self::Pop3, Self::Smtp, Self::Sieve, Self::Web, Self::Api];

    /// In one word, as the database and the metrics have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Smtp => "smtp",
            Self::Sieve => "sieve",
            Self::Web => "web",
            Self::Api => "api",
        }
    }

    /// By its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// An account goes, and takes along what belongs to it here.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM app_password WHERE account_key = $1",
        "DELETE FROM scram_salt WHERE account_key = $1",
        "DELETE FROM login_history WHERE account_key = $1",
        "DELETE FROM session WHERE account_key = $1",
        "DELETE FROM one_time_link WHERE account_key = $1",
        "DELETE FROM totp WHERE account_key = $1",
        "DELETE FROM recovery_code WHERE account_key = $1",
        "DELETE FROM passkey WHERE account_key = $1",
        "DELETE FROM api_key WHERE account_key = $1",
        "DELETE FROM idempotency WHERE account_key = $1",
    ] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Writes down what is done to an account's ways in, in the transaction that does it.
async fn note(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    act: &'static str,
    account: AccountKey,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<(), sqlx::Error> {
    let sql = "SELECT address, domain_key FROM account WHERE account_key = $1";
    let row: Option<(String, i64)> = sqlx::query_as(sql).bind(account.value()).fetch_optional(&mut *tx).await?;
    let Some((subject, domain)) = row else { return Ok(()) };
    let (about, domain) = (Some(account.value()), Some(DomainKey::new(domain)));
    scribe.note(tx, Deed { act, subject, about, domain, before, after }).await.map(drop)
}
