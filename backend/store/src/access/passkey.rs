//! Passkeys: the public keys of WebAuthn credentials.

use relais_model::Timestamp;
use serde_json::json;
use sqlx::AnyConnection;

use super::note;
use super::standing::may_come_in;
use crate::{AccountKey, Author, PasskeyKey, Store, StoreError};

/// Passkeys of one account, at most.
pub const MAX_PASSKEYS: u64 = 20;

/// A passkey that is to be kept.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    /// As its authenticator calls it.
    pub credential_id: Vec<u8>,
    /// What authenticators know the account as: the same for all its passkeys.
    pub user_handle: [u8; 16],
    /// As the person calls it; up to 100 characters.
    pub name: String,
    /// The public key with its counter, as JSON.
    pub credential: String,
}

/// One passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its row.
    pub key: PasskeyKey,
    /// Whose it is.
    pub account: AccountKey,
    /// What authenticators know the account as.
    pub user_handle: Vec<u8>,
    /// As the person calls it.
    pub name: String,
    /// The public key with its counter, as JSON.
    pub credential: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
}

/// Why a passkey wasn't kept or renamed.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The account has one of this name.
    #[error("the name is taken")]
    NameTaken,
    /// The credential is registered already.
    #[error("the passkey is already here")]
    CredentialTaken,
    /// The account has [`MAX_PASSKEYS`].
    #[error("the account has too many passkeys")]
    TooMany,
    /// No such passkey, or no such account.
    #[error("the passkey is not here")]
    Unknown,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for PasskeyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Store {
    /// Keeps a passkey.
    ///
    /// # Errors
    /// [`PasskeyError`].
    pub async fn add_passkey(
        &self,
        account: AccountKey,
        new: NewPasskey,
        by: &Author,
    ) -> Result<PasskeyKey, PasskeyError> {
        let (now, key, scribe) = (self.now(), self.inner.keys.next(self.now()), self.scribe(by));
        self.write(move |tx| {
            Box::pin(async move {
                take_account(tx, account).await?;
                let sql = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN name = $2 THEN 1 ELSE 0 END), 0) FROM passkey
                           WHERE account_key = $1";
                let (count, named): (i64, i64) =
                    sqlx::query_as(sql).bind(account.value()).bind(new.name.as_str()).fetch_one(&mut *tx).await?;
                if named > 0 {
                    return Err(PasskeyError::NameTaken);
                }
                if count.unsigned_abs() >= MAX_PASSKEYS {
                    return Err(PasskeyError::TooMany);
                }
                if !insert_passkey(tx, key, account, &new, now).await? {
                    return Err(PasskeyError::CredentialTaken);
                }
                let after = json!({ "name": new.name });
                note(tx, &scribe, "passkey.add", account, (None, Some(after))).await?;
                Ok(PasskeyKey::new(key))
            })
        })
        .await
    }

    /// The passkeys of an account, oldest first; [`MAX_PASSKEYS`] at most.
    pub async fn passkeys(&self, account: AccountKey) -> Result<Vec<Passkey>, StoreError> {
        let sql =
            "SELECT passkey_key, account_key, user_handle, name, credential, created_at, last_used_at FROM passkey
                   WHERE account_key = $1 ORDER BY passkey_key";
        let rows: Vec<PasskeyRow> =
            sqlx::query_as(sql).bind(account.value()).fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(read_passkey).collect())
    }

    /// A passkey by its authenticator's name for it; none where it is unknown, or its account is suspended.
    pub async fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let sql = concat!(
            "SELECT p.passkey_key, p.account_key, p.user_handle, p.name, p.credential, p.created_at, p.last_used_at
             FROM passkey p JOIN account a ON a.account_key = p.account_key
             WHERE p.credential_id = $1 AND ",
            may_come_in!()
        );
        let row: Option<PasskeyRow> =
            sqlx::query_as(sql).bind(credential_id).fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.map(read_passkey))
    }

    /// Notes that a passkey was used, with its new counter.
    pub async fn note_passkey(&self, key: PasskeyKey, credential: String) -> Result<(), StoreError> {
        let now = self.now().millis();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE passkey SET credential = $2, last_used_at = $3 WHERE passkey_key = $1";
                sqlx::query(sql).bind(key.value()).bind(credential).bind(now).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Gives a passkey another name.
    ///
    /// # Errors
    /// [`PasskeyError::NameTaken`], [`PasskeyError::Unknown`].
    pub async fn rename_passkey(
        &self,
        account: AccountKey,
        key: PasskeyKey,
        name: String,
        by: &Author,
    ) -> Result<(), PasskeyError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                take_account(tx, account).await?;
                let sql = "SELECT COUNT(*) FROM passkey WHERE account_key = $1 AND name = $2 AND passkey_key <> $3";
                let named: i64 = sqlx::query_scalar(sql)
                    .bind(account.value())
                    .bind(name.as_str())
                    .bind(key.value())
                    .fetch_one(&mut *tx)
                    .await?;
                if named > 0 {
                    return Err(PasskeyError::NameTaken);
                }
                let sql = "UPDATE passkey SET name = $3 WHERE passkey_key = $1 AND account_key = $2";
                let query = sqlx::query(sql).bind(key.value()).bind(account.value()).bind(name.as_str());
                if query.execute(&mut *tx).await?.rows_affected() == 0 {
                    return Err(PasskeyError::Unknown);
                }
                note(tx, &scribe, "passkey.rename", account, (None, Some(json!({ "name": name })))).await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes a passkey; tells its name, or none where it wasn't there.
    pub async fn remove_passkey(
        &self,
        account: AccountKey,
        key: PasskeyKey,
        by: &Author,
    ) -> Result<Option<String>, StoreError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM passkey WHERE passkey_key = $1 AND account_key = $2 RETURNING name";
                let name: Option<String> =
                    sqlx::query_scalar(sql).bind(key.value()).bind(account.value()).fetch_optional(&mut *tx).await?;
                if let Some(name) = &name {
                    note(tx, &scribe, "passkey.remove", account, (Some(json!({ "name": name })), None)).await?;
                }
                Ok(name)
            })
        })
        .await
    }
}

/// Writes to the account's row, so that those who add to it together wait for each other on both engines.
async fn take_account(tx: &mut AnyConnection, account: AccountKey) -> Result<(), PasskeyError> {
    let sql = "UPDATE account SET version = version WHERE account_key = $1";
    let done = sqlx::query(sql).bind(account.value()).execute(tx).await?;
    if done.rows_affected() == 0 { Err(PasskeyError::Unknown) } else { Ok(()) }
}

/// False where the credential is registered already.
pub(super) async fn insert_passkey(
    tx: &mut AnyConnection,
    key: i64,
    account: AccountKey,
    new: &NewPasskey,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO passkey (passkey_key, account_key, credential_id, user_handle, name, credential, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (credential_id) DO NOTHING";
    let done = sqlx::query(sql)
        .bind(key)
        .bind(account.value())
        .bind(new.credential_id.as_slice())
        .bind(new.user_handle.as_slice())
        .bind(new.name.as_str())
        .bind(new.credential.as_str())
        .bind(now.millis())
        .execute(tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

type PasskeyRow = (i64, i64, Vec<u8>, String, String, i64, Option<i64>);

fn read_passkey((key, account, user_handle, name, credential, created_at, last_used_at): PasskeyRow) -> Passkey {
    Passkey {
        key: PasskeyKey::new(key),
        account: AccountKey::new(account),
        user_handle,
        name,
        credential,
        created_at: Timestamp::from_millis(created_at),
        last_used_at: last_used_at.map(Timestamp::from_millis),
    }
}
