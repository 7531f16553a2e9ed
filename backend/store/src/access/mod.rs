//! Who may come in, and who came: what log-ins are checked against beside the account's own password, and their history.
//!
//! - `app_password`: one a device; SCRAM's keys of them. `secret`: random octets that outlive a restart. `history`: who logged in,
//!   and who tried. `failures`: how many of them failed of late, and bans that were lifted.

mod app_password;
mod failures;
mod history;
mod secret;

use sqlx::AnyConnection;

pub use app_password::{
    AppPassword, AppPasswordError, MAX_APP_PASSWORDS, NewAppPassword, Protocols, ScramKeys, ScramSalt,
};
pub use history::{LoginNote, LoginRow, LoginScope, UsedAppPassword};

pub(crate) use app_password::read_salt;
pub(crate) use history::{History, start as start_history};

use crate::AccountKey;

/// The protocol of a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginProtocol {
    /// RFC 9051.
    Imap,
    /// RFC 1939.
    Pop3,
    /// RFC 4954.
    Smtp,
    /// The browser's sign-in.
    Web,
    /// The REST API's.
    Api,
}

impl LoginProtocol {
    const ALL: [Self; 5] = [Self::Imap, Self::Pop3, Self::Smtp, Self::Web, Self::Api];

    /// In one word, as the database and the metrics have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Smtp => "smtp",
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
    ] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}
