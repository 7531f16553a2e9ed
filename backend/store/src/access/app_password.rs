//! App passwords: one for each program or device that reads an account's mail, so that one can be taken back alone. A token, for
//! programs that speak OAUTHBEARER, is one of another form, with an end.
//!
//! Invariants: the password itself is never here, only SCRAM's keys of it; all of one account are derived with one salt, which
//! stays as long as the account does. Of a token there is a hash, and no keys: it is never tried as a password.

use relais_model::{Address, Timestamp};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Row};

use super::standing::may_come_in;
use super::{LoginProtocol, TokenHash, note};
use crate::directory::{read_address, take_account};
use crate::key::{AccountKey, AppPasswordKey};
use crate::{Author, Store, StoreError};

/// App passwords of one account, at most: SCRAM tries a proof against each of them.
pub const MAX_APP_PASSWORDS: usize = 50;

/// Octets of a name, at most.
const MAX_NAME_OCTETS: usize = 100;

/// The protocols that an app password is for, as a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocols(i64);

impl Protocols {
    /// All mail protocols that there are today; one that comes later isn't among them.
    pub const ALL: Self = Self(7);

    /// Those of the list.
    pub fn of(protocols: &[LoginProtocol]) -> Self {
        Self(protocols.iter().filter_map(|protocol| Self::bit(*protocol)).fold(0, |bits, bit| bits | bit))
    }

    /// Whether it is among them. The browser's and the API's sign-in never are.
    pub fn has(self, protocol: LoginProtocol) -> bool {
        Self::bit(protocol).is_some_and(|bit| self.0 & bit != 0)
    }

    /// Each that is among them, as people name them: ManageSieve goes with IMAP.
    pub fn iter(self) -> impl Iterator<Item = LoginProtocol> {
        let own = |protocol: &LoginProtocol| *protocol != LoginProtocol::Sieve;
        LoginProtocol::ALL.into_iter().filter(own).filter(move |protocol| self.has(*protocol))
    }

    /// Written down in the database: never given to another protocol.
    const fn bit(protocol: LoginProtocol) -> Option<i64> {
        match protocol {
            // Whoever may read and throw away all mail may say where it goes: programs ask for one password.
            LoginProtocol::Imap | LoginProtocol::Sieve => Some(1),
            LoginProtocol::Pop3 => Some(2),
            LoginProtocol::Smtp => Some(4),
            LoginProtocol::Web | LoginProtocol::Api => None,
        }
    }
}

/// What the passwords of one account are derived with (RFC 5802 §3: `s=` and `i=`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramSalt {
    /// Sixteen octets.
    pub salt: Vec<u8>,
    /// PBKDF2's.
    pub iterations: u32,
}

/// An app password as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPassword {
    /// As the person named the device.
    pub name: String,
    /// What it is for.
    pub protocols: Protocols,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, within a minute; none: never.
    pub last_used_at: Option<Timestamp>,
    /// From where it was then.
    pub last_used_ip: Option<String>,
    /// For what it was then.
    pub last_used_protocol: Option<LoginProtocol>,
    /// A token, not a password.
    pub is_token: bool,
    /// From then on it opens nothing; none: for good.
    pub expires_at: Option<Timestamp>,
}

/// A token to be added.
#[derive(Debug, Clone)]
pub struct NewMailToken {
    /// As the person named the device: 1 to 100 octets, no other app password of the account has it.
    pub name: String,
    /// What it is for; at least one.
    pub protocols: Protocols,
    /// Of the token that its owner sees once.
    pub hash: TokenHash,
    /// From then on it opens nothing.
    pub expires_at: Timestamp,
}

/// A token that was asked for by its hash, whatever the protocol, also where it has expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailToken {
    /// Its row.
    pub key: AppPasswordKey,
    /// As the person named the device.
    pub name: String,
    /// What it is for.
    pub protocols: Protocols,
    /// From then on it opens nothing.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, within a minute.
    pub last_used_at: Option<Timestamp>,
    /// Whose it is.
    pub account: AccountKey,
    /// The account's address.
    pub address: Address,
    /// The account opens nothing.
    pub is_suspended: bool,
}

/// One to be added. The keys were derived with [`Store::take_scram_salt`]'s salt.
#[derive(Debug, Clone)]
pub struct NewAppPassword {
    /// As the person named the device: 1 to 100 octets, no other of the account has it.
    pub name: String,
    /// What it is for; at least one.
    pub protocols: Protocols,
    /// H(HMAC(SaltedPassword, "Client Key")).
    pub stored_key: [u8; 32],
    /// HMAC(SaltedPassword, "Server Key").
    pub server_key: [u8; 32],
}

/// What a log-in is checked against.
#[derive(Clone)]
pub struct ScramKeys {
    /// Whose it is.
    pub key: AppPasswordKey,
    /// As the person named the device.
    pub name: String,
    /// What it is for.
    pub protocols: Protocols,
    /// RFC 5802 §3.
    pub stored_key: [u8; 32],
    /// RFC 5802 §3.
    pub server_key: [u8; 32],
    /// When it was last used, within a minute.
    pub last_used_at: Option<Timestamp>,
}

impl std::fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScramKeys").field("key", &self.key).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why an app password wasn't added.
#[derive(Debug, thiserror::Error)]
pub enum AppPasswordError {
    /// No such account.
    #[error("the address {0} is not here")]
    UnknownAddress(Address),
    /// Another of the account has this name.
    #[error("the account has an app password of this name already")]
    NameTaken,
    /// It has [`MAX_APP_PASSWORDS`].
    #[error("the account has as many app passwords as it may have")]
    TooMany,
    /// It cannot be as it was asked; the text says why.
    #[error("{0}")]
    Unfit(&'static str),
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for AppPasswordError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Store {
    /// What the account's app passwords are derived with: `proposed` from now on, where there was none yet.
    ///
    /// # Errors
    /// [`AppPasswordError::UnknownAddress`].
    pub async fn take_scram_salt(&self, address: &Address, proposed: ScramSalt) -> Result<ScramSalt, AppPasswordError> {
        let address = address.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let account = take_account(tx, &address).await?.ok_or(AppPasswordError::UnknownAddress(address))?;
                let sql = "INSERT INTO scram_salt (account_key, salt, iterations) VALUES ($1, $2, $3)
                           ON CONFLICT (account_key) DO NOTHING";
                sqlx::query(sql)
                    .bind(account.value())
                    .bind(proposed.salt)
                    .bind(i64::from(proposed.iterations))
                    .execute(&mut *tx)
                    .await?;
                let sql = "SELECT salt, iterations FROM scram_salt WHERE account_key = $1";
                let (salt, iterations) = sqlx::query_as(sql).bind(account.value()).fetch_one(tx).await?;
                Ok(read_salt(salt, iterations)?)
            })
        })
        .await
    }

    /// Adds an app password.
    ///
    /// # Errors
    /// All of [`AppPasswordError`].
    pub async fn add_app_password(
        &self,
        address: &Address,
        new: NewAppPassword,
        by: &Author,
    ) -> Result<(), AppPasswordError> {
        let NewAppPassword { name, protocols, stored_key, server_key } = new;
        let keys = (stored_key.to_vec(), server_key.to_vec());
        self.add_way_in(address, WayIn { name, protocols, keys, token: None }, by).await
    }

    /// Adds a token for mail programs.
    ///
    /// # Errors
    /// All of [`AppPasswordError`].
    pub async fn add_mail_token(
        &self,
        address: &Address,
        new: NewMailToken,
        by: &Author,
    ) -> Result<(), AppPasswordError> {
        let NewMailToken { name, protocols, hash, expires_at } = new;
        let keys = (Vec::new(), Vec::new());
        self.add_way_in(address, WayIn { name, protocols, keys, token: Some((hash, expires_at)) }, by).await
    }

    async fn add_way_in(&self, address: &Address, new: WayIn, by: &Author) -> Result<(), AppPasswordError> {
        check(&new)?;
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.write(move |tx| {
            Box::pin(async move {
                let account = take_account(tx, &address).await?.ok_or(AppPasswordError::UnknownAddress(address))?;
                refuse_full_or_taken(tx, account, &new.name).await?;
                let sql = "INSERT INTO app_password
                               (app_password_key, account_key, name, protocols, stored_key, server_key, created_at,
                                token_hash, expires_at)
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
                sqlx::query(sql)
                    .bind(scribe.next_key())
                    .bind(account.value())
                    .bind(new.name.as_str())
                    .bind(new.protocols.0)
                    .bind(new.keys.0.as_slice())
                    .bind(new.keys.1.as_slice())
                    .bind(scribe.now().millis())
                    .bind(new.token.map(|(hash, _)| hash.to_vec()))
                    .bind(new.token.map(|(_, expires_at)| expires_at.millis()))
                    .execute(&mut *tx)
                    .await?;
                let act = if new.token.is_some() { "app_password.create_token" } else { "app_password.create" };
                note(tx, &scribe, act, account, (None, Some(told(&new.name, new.protocols)))).await?;
                Ok(())
            })
        })
        .await
    }

    /// The token of this hash; none where nobody's, or somebody's who was removed.
    pub async fn mail_token(&self, hash: &TokenHash) -> Result<Option<MailToken>, StoreError> {
        let sql = concat!(
            "SELECT p.app_password_key, p.name, p.protocols, p.expires_at, p.last_used_at, a.account_key, a.address,
                    CAST(CASE WHEN ",
            may_come_in!(),
            " THEN 0 ELSE 1 END AS BIGINT)
             FROM app_password p JOIN account a ON a.account_key = p.account_key
             JOIN domain d ON d.domain_key = a.domain_key
             WHERE p.token_hash = $1 AND a.removed_at IS NULL AND d.removed_at IS NULL"
        );
        let query = sqlx::query(sql).bind(hash.as_slice());
        let Some(row) = query.fetch_optional(&mut *self.reader().await?).await? else { return Ok(None) };
        Ok(Some(MailToken {
            key: AppPasswordKey::new(row.try_get(0)?),
            name: row.try_get(1)?,
            protocols: Protocols(row.try_get(2)?),
            expires_at: row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_millis),
            last_used_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_millis),
            account: AccountKey::new(row.try_get(5)?),
            address: read_address(row.try_get(6)?)?,
            is_suspended: row.try_get::<i64, _>(7)? != 0,
        }))
    }

    /// The account's app passwords by name; [`MAX_APP_PASSWORDS`] at most, so in one piece.
    pub async fn app_passwords(&self, account: AccountKey) -> Result<Vec<AppPassword>, StoreError> {
        let sql = "SELECT name, protocols, created_at, last_used_at, last_used_ip, last_used_protocol,
                          CAST(CASE WHEN token_hash IS NULL THEN 0 ELSE 1 END AS BIGINT), expires_at
                   FROM app_password WHERE account_key = $1 ORDER BY name";
        let rows = sqlx::query(sql).bind(account.value()).fetch_all(&mut *self.reader().await?).await?;
        rows.iter()
            .map(|row| {
                let word: Option<String> = row.try_get(5)?;
                Ok(AppPassword {
                    name: row.try_get(0)?,
                    protocols: Protocols(row.try_get(1)?),
                    created_at: Timestamp::from_millis(row.try_get(2)?),
                    last_used_at: row.try_get::<Option<i64>, _>(3)?.map(Timestamp::from_millis),
                    last_used_ip: row.try_get(4)?,
                    last_used_protocol: word.as_deref().and_then(LoginProtocol::parse),
                    is_token: row.try_get::<i64, _>(6)? != 0,
                    expires_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_millis),
                })
            })
            .collect()
    }

    /// Takes one back; whether it was there.
    pub async fn remove_app_password(&self, account: AccountKey, name: &str, by: &Author) -> Result<bool, StoreError> {
        let (name, scribe) = (name.to_owned(), self.scribe(by));
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM app_password WHERE account_key = $1 AND name = $2 RETURNING protocols";
                let query = sqlx::query_scalar(sql).bind(account.value()).bind(name.as_str());
                let Some(protocols) = query.fetch_optional(&mut *tx).await? else { return Ok(false) };
                let before = told(&name, Protocols(protocols));
                note(tx, &scribe, "app_password.remove", account, (Some(before), None)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// What a log-in to this account is checked against, whatever the protocol.
    pub async fn scram_keys(&self, account: AccountKey) -> Result<Vec<ScramKeys>, StoreError> {
        let sql = "SELECT app_password_key, name, protocols, stored_key, server_key, last_used_at
                   FROM app_password WHERE account_key = $1 AND token_hash IS NULL ORDER BY app_password_key";
        let rows = sqlx::query(sql).bind(account.value()).fetch_all(&mut *self.reader().await?).await?;
        rows.iter()
            .map(|row| {
                Ok(ScramKeys {
                    key: AppPasswordKey::new(row.try_get(0)?),
                    name: row.try_get(1)?,
                    protocols: Protocols(row.try_get(2)?),
                    stored_key: read_key(row.try_get(3)?)?,
                    server_key: read_key(row.try_get(4)?)?,
                    last_used_at: row.try_get::<Option<i64>, _>(5)?.map(Timestamp::from_millis),
                })
            })
            .collect()
    }

    /// Says whether the account's own password opens no mail protocol any more ([`crate::Credential::needs_app_password`]).
    pub async fn set_needs_app_password(&self, account: AccountKey, needs: bool) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE account SET needs_app_password = $2 WHERE account_key = $1";
                sqlx::query(sql).bind(account.value()).bind(i64::from(needs)).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

/// What the activity tells of one: never its keys.
fn told(name: &str, protocols: Protocols) -> Value {
    json!({ "name": name, "protocols": protocols.iter().map(LoginProtocol::as_str).collect::<Vec<_>>() })
}

/// What both are in the database.
struct WayIn {
    name: String,
    protocols: Protocols,
    /// SCRAM's two, or nothing.
    keys: (Vec<u8>, Vec<u8>),
    token: Option<(TokenHash, Timestamp)>,
}

fn check(new: &WayIn) -> Result<(), AppPasswordError> {
    if new.name.trim().is_empty() || new.name.len() > MAX_NAME_OCTETS || new.name.chars().any(char::is_control) {
        return Err(AppPasswordError::Unfit("a name has 1 to 100 octets and no control characters"));
    }
    if new.protocols.0 == 0 {
        return Err(AppPasswordError::Unfit("an app password is for one protocol at least"));
    }
    Ok(())
}

async fn refuse_full_or_taken(tx: &mut AnyConnection, account: AccountKey, name: &str) -> Result<(), AppPasswordError> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN name = $2 THEN 1 ELSE 0 END), 0)
               FROM app_password WHERE account_key = $1";
    let (count, taken): (i64, i64) = sqlx::query_as(sql).bind(account.value()).bind(name).fetch_one(tx).await?;
    if taken > 0 {
        return Err(AppPasswordError::NameTaken);
    }
    let is_full = usize::try_from(count).is_ok_and(|count| MAX_APP_PASSWORDS <= count);
    if is_full { Err(AppPasswordError::TooMany) } else { Ok(()) }
}

fn read_key(octets: Vec<u8>) -> Result<[u8; 32], StoreError> {
    octets.try_into().map_err(|_| StoreError::damaged("a key of SCRAM has another length"))
}

pub(crate) fn read_salt(salt: Vec<u8>, iterations: i64) -> Result<ScramSalt, StoreError> {
    let iterations =
        u32::try_from(iterations).map_err(|_| StoreError::damaged("a count of iterations is too large"))?;
    Ok(ScramSalt { salt, iterations })
}
