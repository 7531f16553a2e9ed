//! What a log-in is checked against.

use relais_model::{Address, Secret};

use super::{check_text, deed, take};
use crate::access::{self, ScramSalt, read_salt};
use crate::directory::domain::read_address;
use crate::directory::{DirectoryError, fold};
use crate::{AccountKey, Author, Store, StoreError};

/// What a log-in is checked against.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Whose it is.
    pub account: AccountKey,
    /// The account's address.
    pub address: Address,
    /// The password's hash; empty where there is none.
    pub hash: Secret,
    /// Right or wrong, it may not log in: it is suspended, or a team, or its domain is disabled.
    pub is_suspended: bool,
    /// Mail protocols take no other password than an app password.
    pub needs_app_password: bool,
    /// What its app passwords are derived with; none: it never had one.
    pub salt: Option<ScramSalt>,
}

impl Store {
    /// What a log-in with this address is checked against, its domain by any of its names; aliases and details are no log-in names.
    pub async fn credential(&self, address: &Address) -> Result<Option<Credential>, StoreError> {
        let sql = "SELECT a.account_key, a.address, a.password_hash,
                          CAST(CASE WHEN a.is_suspended = 1 OR a.is_team = 1 OR d.is_disabled = 1 THEN 1 ELSE 0 END AS BIGINT),
                          a.needs_app_password, s.salt, s.iterations
                   FROM account a JOIN domain d ON d.domain_key = a.domain_key
                   LEFT JOIN scram_salt s ON s.account_key = a.account_key
                   WHERE a.folded = $1 AND a.removed_at IS NULL AND d.removed_at IS NULL";
        let folded = match self.domain_of_alias(&address.domain).await? {
            Some(domain) => fold(&Address { domain, ..address.clone() }),
            None => fold(address),
        };
        let row: Option<CredentialRow> =
            sqlx::query_as(sql).bind(folded).fetch_optional(&mut *self.reader().await?).await?;
        let Some((key, address, hash, is_suspended, needs_app_password, salt, iterations)) = row else {
            return Ok(None);
        };
        Ok(Some(Credential {
            account: AccountKey::new(key),
            address: read_address(&address)?,
            hash: Secret::new(hash),
            is_suspended: is_suspended != 0,
            needs_app_password: needs_app_password != 0,
            salt: salt.zip(iterations).map(|(salt, iterations)| read_salt(salt, iterations)).transpose()?,
        }))
    }

    /// Sets the hash of a new password, and ends what opens the account to whom knew the old one.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`]; [`DirectoryError::Unfit`] where the hash is too long.
    pub async fn set_password_hash(&self, address: &Address, hash: Secret, by: &Author) -> Result<(), DirectoryError> {
        check_text(hash.expose())?;
        let (address, scribe) = (address.clone(), self.scribe(by));
        self.write(move |tx| {
            Box::pin(async move {
                let (key, domain) = take(tx, &address).await?;
                let sql = "UPDATE account SET password_hash = $2, version = $3 WHERE account_key = $1";
                let query = sqlx::query(sql).bind(key.value()).bind(hash.expose()).bind(scribe.next_key());
                query.execute(&mut *tx).await?;
                access::end_openings(tx, key, None).await?;
                scribe.note(tx, deed("person.password", key, &address, domain)).await?;
                Ok(())
            })
        })
        .await
    }

    /// Puts `new` in the place of `old`, both hashes of the same password. Does nothing where the password has been changed
    /// meanwhile: a renewal never takes a new password back.
    pub async fn renew_password_hash(
        &self,
        account: AccountKey,
        old: Secret,
        new: Secret,
    ) -> Result<(), DirectoryError> {
        check_text(new.expose())?;
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE account SET password_hash = $3 WHERE account_key = $1 AND password_hash = $2";
                sqlx::query(sql).bind(account.value()).bind(old.expose()).bind(new.expose()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

type CredentialRow = (i64, String, String, i64, i64, Option<Vec<u8>>, Option<i64>);
