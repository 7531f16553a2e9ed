//! One-time links: what is sent or copied to somebody, and opens one thing once.

use relais_model::{Address, Domain, Secret, Timestamp};
use sqlx::AnyConnection;

use super::passkey::{NewPasskey, insert_passkey};
use super::standing::may_come_in;
use super::{TokenHash, end_openings, note};
use crate::directory::{DomainChange, add_account_in, add_domain_in, read_address};
use crate::{AccountKey, Author, DirectoryError, NewAccount, Role, Store, StoreError};

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// The house's setting up, that makes its first owner.
    SetUp = 0,
    /// An account's new password.
    Password = 1,
    /// An app password for a device of the account's, so that nothing is typed there.
    Device = 2,
}

impl LinkPurpose {
    /// As the activity calls the making of a link for an account.
    const fn act(self) -> &'static str {
        match self {
            Self::SetUp => "house.set_up_link",
            Self::Password => "person.password_link",
            Self::Device => "person.device_link",
        }
    }
}

/// What the house begins with.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The first domain; it may be here already.
    pub domain: Domain,
    /// The owner, in that domain; its role is made so.
    pub owner: NewAccount,
    /// The owner's passkey, where that is what they chose.
    pub passkey: Option<NewPasskey>,
}

/// Why the house wasn't set up.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// The link is used, expired or unknown, or the house has an owner.
    #[error("the link opens nothing")]
    Link,
    /// The directory doesn't take it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl From<StoreError> for FoundingError {
    fn from(error: StoreError) -> Self {
        Self::Directory(error.into())
    }
}

impl From<sqlx::Error> for FoundingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Directory(error.into())
    }
}

impl Store {
    /// Keeps a link. Earlier ones for the same are void, and expired ones are removed.
    pub async fn add_link(
        &self,
        hash: TokenHash,
        purpose: LinkPurpose,
        account: Option<AccountKey>,
        expires_at: Timestamp,
        by: &Author,
    ) -> Result<(), StoreError> {
        let (now, scribe) = (self.now().millis(), self.scribe(by));
        let account = account.map(AccountKey::value);
        self.write(move |tx| {
            Box::pin(async move {
                let void = "DELETE FROM one_time_link
                            WHERE expires_at <= $1 OR (purpose = $2 AND COALESCE(account_key, 0) = $3)";
                let whose = account.unwrap_or(0);
                sqlx::query(void).bind(now).bind(purpose as i64).bind(whose).execute(&mut *tx).await?;
                let sql = "INSERT INTO one_time_link (hash, purpose, account_key, created_at, expires_at)
                           VALUES ($1, $2, $3, $4, $5)";
                sqlx::query(sql)
                    .bind(hash.as_slice())
                    .bind(purpose as i64)
                    .bind(account)
                    .bind(now)
                    .bind(expires_at.millis())
                    .execute(&mut *tx)
                    .await?;
                if let Some(account) = account {
                    note(tx, &scribe, purpose.act(), AccountKey::new(account), (None, None)).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Whether a link for setting up would open it now.
    pub async fn is_set_up_link(&self, hash: &TokenHash) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM one_time_link WHERE hash = $1 AND purpose = $2 AND expires_at > $3";
        let found: i64 = sqlx::query_scalar(sql)
            .bind(hash.as_slice())
            .bind(LinkPurpose::SetUp as i64)
            .bind(self.now().millis())
            .fetch_one(&mut *self.reader().await?)
            .await?;
        Ok(found > 0)
    }

    /// Whose link this is, with their name; none where it opens nothing now, or something else.
    pub async fn link_owner(
        &self,
        hash: &TokenHash,
        purpose: LinkPurpose,
    ) -> Result<Option<(AccountKey, Address, String)>, StoreError> {
        let sql = concat!(
            "SELECT a.account_key, a.address, a.name FROM one_time_link l JOIN account a ON a.account_key = l.account_key
             WHERE l.hash = $1 AND l.purpose = $2 AND l.expires_at > $3 AND ", may_come_in!()
        );
        let row: Option<(i64, String, String)> = sqlx::query_as(sql)
            .bind(hash.as_slice())
            .bind(purpose as i64)
            .bind(self.now().millis())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        row.map(|(key, address, name)| Ok((AccountKey::new(key), read_address(&address)?, name))).transpose()
    }

    /// Uses up a link for a device, and tells whose it was; none where it opens nothing. Of two who come with it, one gets it.
    pub async fn use_device_link(&self, hash: TokenHash) -> Result<Option<AccountKey>, StoreError> {
        let now = self.now().millis();
        let used =
            self.write(move |tx| Box::pin(async move { take_link(tx, &hash, LinkPurpose::Device, now).await })).await?;
        Ok(used)
    }

    /// Sets a password by a link, which is used up, and ends all sessions of its account. Returns false where the link opens nothing.
    pub async fn use_password_link(
        &self,
        hash: TokenHash,
        password_hash: Secret,
        by: &Author,
    ) -> Result<bool, StoreError> {
        let (now, scribe) = (self.now().millis(), self.scribe(by));
        self.write(move |tx| {
            Box::pin(async move {
                let used = take_link(tx, &hash, LinkPurpose::Password, now).await?;
                let Some(account) = used else { return Ok(false) };
                let sql = "UPDATE account SET password_hash = $2, must_change_password = 0, version = $3
                           WHERE account_key = $1";
                let query = sqlx::query(sql).bind(account.value()).bind(password_hash.expose()).bind(scribe.next_key());
                query.execute(&mut *tx).await?;
                end_openings(tx, account, None).await?;
                note(tx, &scribe, "person.password", account, (None, None)).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Whether the house has an owner.
    pub async fn has_owner(&self) -> Result<bool, StoreError> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM account WHERE role = $1 LIMIT 1) AS owners";
        let found: i64 = sqlx::query_scalar(sql).bind(Role::Owner as i64).fetch_one(&mut *self.reader().await?).await?;
        Ok(found > 0)
    }

    /// Makes the first domain and the owner, and uses the link up, all or nothing.
    pub async fn found(&self, hash: TokenHash, founding: Founding, by: &Author) -> Result<AccountKey, FoundingError> {
        let (now, inner, scribe) = (self.now(), self.inner.clone(), self.scribe(by));
        let done = self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM one_time_link WHERE hash = $1 AND purpose = $2 AND expires_at > $3
                               AND NOT EXISTS (SELECT 1 FROM account WHERE role = $4)";
                let used = sqlx::query(sql)
                    .bind(hash.as_slice())
                    .bind(LinkPurpose::SetUp as i64)
                    .bind(now.millis())
                    .bind(Role::Owner as i64)
                    .execute(&mut *tx)
                    .await?;
                if used.rows_affected() == 0 {
                    return Err(FoundingError::Link);
                }
                match add_domain_in(tx, &scribe, &founding.domain, DomainChange::default()).await {
                    // The command line was first: the domain is here all the same.
                    Ok(_) | Err(DirectoryError::DomainTaken(_)) => {}
                    Err(error) => return Err(error.into()),
                }
                let owner = NewAccount { role: Role::Owner, ..founding.owner };
                let owner = add_account_in(tx, &inner.keys, &scribe, owner).await?;
                if let Some(passkey) = founding.passkey {
                    insert_passkey(tx, inner.keys.next(now), owner, &passkey, now).await?;
                }
                note(tx, &scribe, "house.set_up", owner, (None, None)).await?;
                Ok(owner)
            })
        });
        let done = done.await;
        self.inner.routes.forget();
        done
    }
}

/// Removes a link that opens something now, and tells whose it was.
async fn take_link(
    tx: &mut AnyConnection,
    hash: &TokenHash,
    purpose: LinkPurpose,
    now: i64,
) -> Result<Option<AccountKey>, StoreError> {
    let sql = concat!(
        "DELETE FROM one_time_link WHERE hash = $1 AND purpose = $2 AND expires_at > $3 AND account_key IN
             (SELECT a.account_key FROM account a WHERE ",
        may_come_in!(),
        ")
         RETURNING account_key"
    );
    let query = sqlx::query_scalar(sql).bind(hash.as_slice()).bind(purpose as i64).bind(now);
    let account: Option<i64> = query.fetch_optional(&mut *tx).await?;
    Ok(account.map(AccountKey::new))
}
