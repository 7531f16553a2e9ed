//! An account ends: it is removed, comes back, or is purged with all that is its own.

use relais_model::{Address, Timestamp};
use sqlx::AnyConnection;

use super::{AccountState, put_state, read_state, take};
use crate::directory::domain::{refuse_full, take_domain};
use crate::directory::{DirectoryError, check_version, fold, present};
use crate::{
    AccountKey, Author, DomainKey, Store, StoreError, Version, access, contact, junk, mailbox, meeting, moving,
    removed, scheduled, sending, sharing, sieve, snoozed, webhook, webmail, writing,
};

/// What a purge took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Domains, with all that was in them.
    pub domains: u64,
    /// Accounts of domains that stay.
    pub accounts: u64,
}

impl Store {
    /// Removes an account: nobody finds it any more, its log-in and its mail are refused, and who looks at what it shared learns that it
    /// is shared no longer. Until it is purged its mail is kept, it can come back as it was, and its address stays taken. Aliases that
    /// lead to it stay, and lead nowhere.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`], [`DirectoryError::LastOwner`], [`DirectoryError::Stale`].
    pub async fn remove_account(
        &self,
        address: &Address,
        version: Option<Version>,
        by: &Author,
    ) -> Result<(), DirectoryError> {
        let (address, scribe) = (address.clone(), self.scribe(by));
        let removed = self.change_routes(move |tx| {
            Box::pin(async move {
                let (key, domain) = take(tx, &address).await?;
                let (before, has) = present(read_state(tx, key).await?)?;
                check_version(version, has)?;
                let after = before.clone().removed();
                put_state(tx, &scribe, "person.remove", (key, &address, domain), &before, &after).await?;
                Ok((key, sharing::grantees_of(tx, key).await?))
            })
        });
        let (key, grantees) = removed.await?;
        self.tell_of_owner(key, grantees);
        Ok(())
    }

    /// Brings an account back that is removed and not yet purged.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`], [`DirectoryError::TooManyPeople`].
    pub async fn restore_account(&self, address: &Address, by: &Author) -> Result<(), DirectoryError> {
        let (address, scribe) = (address.clone(), self.scribe(by));
        let restored = self.change_routes(move |tx| {
            Box::pin(async move {
                let domain = take_domain(tx, &address.domain, scribe.now()).await?;
                let sql = "SELECT account_key FROM account WHERE folded = $1 AND removed_at IS NOT NULL";
                let key: Option<i64> = sqlx::query_scalar(sql).bind(fold(&address)).fetch_optional(&mut *tx).await?;
                let key = key.map(AccountKey::new).ok_or_else(|| DirectoryError::UnknownAddress(address.clone()))?;
                refuse_full(tx, domain).await?;
                let (before, _) = present(read_state(tx, key).await?)?;
                let after = AccountState { is_removed: false, ..before.clone() };
                put_state(tx, &scribe, "person.restore", (key, &address, domain), &before, &after).await?;
                Ok((key, sharing::grantees_of(tx, key).await?))
            })
        });
        let (key, grantees) = restored.await?;
        self.tell_of_owner(key, grantees);
        Ok(())
    }

    /// Removes for good what was removed before `before`: domains with all that is in them, accounts with all their mail; and aliases that ended before. One
    /// transaction for each account, so that mail is filed between them.
    pub async fn purge_removed(&self, before: Timestamp) -> Result<Purged, StoreError> {
        self.purge(before).await.map_err(|error| match error {
            DirectoryError::Failed(error) => error,
            other => StoreError::damaged(other.to_string()),
        })
    }

    async fn purge(&self, before: Timestamp) -> Result<Purged, DirectoryError> {
        let domains = self.purge_domains(before).await?;
        let sql = "SELECT account_key FROM account WHERE removed_at < $1 ORDER BY account_key";
        let keys: Vec<i64> =
            sqlx::query_scalar(sql).bind(before.millis()).fetch_all(&mut *self.reader().await?).await?;
        let mut accounts = 0;
        for key in keys {
            let is_gone = self
                .change_routes(move |tx| {
                    Box::pin(async move {
                        // Someone may have brought it back meanwhile.
                        let sql = "SELECT COUNT(*) FROM account WHERE account_key = $1 AND removed_at < $2";
                        let query = sqlx::query_scalar(sql).bind(key).bind(before.millis());
                        let found: i64 = query.fetch_one(&mut *tx).await?;
                        if found > 0 {
                            purge_account(tx, AccountKey::new(key)).await?;
                        }
                        Ok(found > 0)
                    })
                })
                .await?;
            accounts += u64::from(is_gone);
        }
        self.purge_ended(before).await?;
        Ok(Purged { domains, accounts })
    }
}

/// Purges all accounts of a domain that was removed before `before`, each in a transaction of its own.
pub(in crate::directory) async fn purge_accounts_of(
    store: &Store,
    domain: DomainKey,
    before: Timestamp,
) -> Result<(), DirectoryError> {
    loop {
        let is_done = store
            .change_routes(move |tx| {
                Box::pin(async move {
                    let sql = "SELECT a.account_key FROM account a JOIN domain d ON d.domain_key = a.domain_key
                               WHERE a.domain_key = $1 AND d.removed_at < $2 ORDER BY a.account_key LIMIT 1";
                    let query = sqlx::query_scalar(sql).bind(domain.value()).bind(before.millis());
                    let Some(key) = query.fetch_optional(&mut *tx).await? else { return Ok(true) };
                    purge_account(tx, AccountKey::new(key)).await.map(|()| false)
                })
            })
            .await?;
        if is_done {
            return Ok(());
        }
    }
}

/// Removes an account for good, with all that is its own.
async fn purge_account(tx: &mut AnyConnection, key: AccountKey) -> Result<(), DirectoryError> {
    mailbox::remove_all(tx, key).await?;
    access::remove_all(tx, key).await?;
    webhook::remove_where(tx, "account_key", key.value()).await?;
    junk::remove_all(tx, key).await?;
    sending::remove_all(tx, key).await?;
    webmail::remove_all(tx, key).await?;
    removed::remove_all(tx, key).await?;
    writing::remove_all(tx, key).await?;
    scheduled::remove_all(tx, key).await?;
    snoozed::remove_all(tx, key).await?;
    meeting::remove_all(tx, key).await?;
    sieve::remove_all(tx, key).await?;
    contact::remove_all(tx, key).await?;
    moving::remove_all(tx, key).await?;
    for sql in ["DELETE FROM account_domain WHERE account_key = $1", "DELETE FROM account WHERE account_key = $1"] {
        sqlx::query(sql).bind(key.value()).execute(&mut *tx).await?;
    }
    Ok(())
}
