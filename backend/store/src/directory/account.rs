//! The people whose mail we keep.

use relais_model::{Address, Domain, Secret, Timestamp};
use sqlx::AnyConnection;

use super::domain::{read_address, take_domain};
use super::{DirectoryError, fold};
use crate::access::{self, ScramSalt, read_salt};
use crate::page::{Listing, Page};
use crate::{AccountKey, DomainKey, Store, StoreError, mailbox};

/// Octets of a name or of a password's hash, at most.
const MAX_TEXT_OCTETS: usize = 1000;

/// Someone whose mail we keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its row.
    pub key: AccountKey,
    /// As it was spelled when it was added.
    pub address: Address,
    /// The person's name; may be empty.
    pub name: String,
    /// Octets it may hold; none: no limit.
    pub quota_octets: Option<u64>,
    /// Octets it holds.
    pub used_octets: u64,
    /// Messages it holds.
    pub used_messages: u64,
    /// It may not log in, and its mail is refused.
    pub is_suspended: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What an account starts with.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// In a domain of ours.
    pub address: Address,
    /// The person's name; may be empty; up to 1,000 octets.
    pub name: String,
    /// The password's hash in a form that `reception`'s log-in knows; up to 1,000 octets.
    pub password_hash: Secret,
    /// Octets it may hold; none: no limit.
    pub quota_octets: Option<u64>,
}

/// What is to be different; none leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The person's name.
    pub name: Option<String>,
    /// The limit of octets, or, with `Some(None)`, no limit.
    pub quota_octets: Option<Option<u64>>,
    /// Whether it is suspended.
    pub is_suspended: Option<bool>,
}

/// Which accounts are wanted; none wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Those in this domain.
    pub domain: Option<Domain>,
    /// Those with this text in their address, compared without case.
    pub text: Option<String>,
}

/// What a log-in is checked against.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Whose it is.
    pub account: AccountKey,
    /// The account's address.
    pub address: Address,
    /// The password's hash.
    pub hash: Secret,
    /// Right or wrong, it may not log in.
    pub is_suspended: bool,
    /// Mail protocols take no other password than an app password.
    pub needs_app_password: bool,
    /// What its app passwords are derived with; none: it never had one.
    pub salt: Option<ScramSalt>,
}

impl Store {
    /// Adds an account with INBOX, Drafts, Sent, Junk, Trash and Archive.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownDomain`], [`DirectoryError::AddressTaken`]; [`DirectoryError::Unfit`] where a text is too long.
    pub async fn add_account(&self, new: NewAccount) -> Result<Account, DirectoryError> {
        check_text(&new.name)?;
        check_text(new.password_hash.expose())?;
        let (now, inner) = (self.now(), self.inner.clone());
        self.change_routes(move |tx| {
            Box::pin(async move {
                let domain = take_domain(tx, &new.address.domain, now).await?;
                refuse_taken(tx, &new.address).await?;
                let account = Account {
                    key: AccountKey::new(inner.keys.next(now)),
                    address: new.address,
                    name: new.name,
                    quota_octets: new.quota_octets,
                    used_octets: 0,
                    used_messages: 0,
                    is_suspended: false,
                    created_at: now,
                };
                insert_account(tx, &account, domain, &new.password_hash).await?;
                mailbox::create_standard(tx, &inner.keys, now, account.key).await?;
                Ok(account)
            })
        })
        .await
    }

    /// One account by its address; aliases and details are not followed.
    pub async fn account(&self, address: &Address) -> Result<Option<Account>, StoreError> {
        let sql =
            "SELECT account_key, address, name, quota_octets, used_octets, used_messages, is_suspended, created_at
                   FROM account WHERE folded = $1";
        let row: Option<AccountRow> =
            sqlx::query_as(sql).bind(fold(address)).fetch_optional(&mut *self.reader().await?).await?;
        row.map(read_account).transpose()
    }

    /// Accounts by address.
    pub async fn accounts(&self, filter: &AccountFilter, page: &Page) -> Result<Listing<Account>, StoreError> {
        let sql =
            "SELECT account_key, address, name, quota_octets, used_octets, used_messages, is_suspended, created_at
                   FROM account
                   WHERE folded > $1
                     AND ($2 = '' OR domain_key = (SELECT domain_key FROM domain WHERE name = $2))
                     AND folded LIKE $3 ESCAPE '\\'
                   ORDER BY folded LIMIT $4";
        let rows: Vec<AccountRow> = sqlx::query_as(sql)
            .bind(page.after.as_deref().unwrap_or_default())
            .bind(filter.domain.as_ref().map_or("", Domain::as_str))
            .bind(like_pattern(filter.text.as_deref().unwrap_or_default()))
            .bind(page.rows_to_ask())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        let accounts = rows.into_iter().map(read_account).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut(accounts, |account| fold(&account.address)))
    }

    /// Changes what `change` names.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`]; [`DirectoryError::Unfit`] where the name is too long.
    pub async fn change_account(&self, address: &Address, change: AccountChange) -> Result<(), DirectoryError> {
        check_text(change.name.as_deref().unwrap_or_default())?;
        let address = address.clone();
        self.change_routes(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE account
                           SET name = COALESCE($2, name),
                               quota_octets = CASE WHEN $3 = 1 THEN $4 ELSE quota_octets END,
                               is_suspended = COALESCE($5, is_suspended)
                           WHERE folded = $1";
                let done = sqlx::query(sql)
                    .bind(fold(&address))
                    .bind(change.name)
                    .bind(i64::from(change.quota_octets.is_some()))
                    .bind(change.quota_octets.flatten().map(octets))
                    .bind(change.is_suspended.map(i64::from))
                    .execute(tx)
                    .await?;
                if done.rows_affected() == 0 { Err(DirectoryError::UnknownAddress(address)) } else { Ok(()) }
            })
        })
        .await
    }

    /// Removes an account and all its mail. Aliases that lead to it stay, and lead nowhere.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`].
    pub async fn remove_account(&self, address: &Address) -> Result<(), DirectoryError> {
        let address = address.clone();
        self.change_routes(move |tx| {
            Box::pin(async move {
                let sql = "SELECT account_key FROM account WHERE folded = $1";
                let key: Option<i64> = sqlx::query_scalar(sql).bind(fold(&address)).fetch_optional(&mut *tx).await?;
                let key = key.ok_or(DirectoryError::UnknownAddress(address))?;
                remove_account_row(tx, AccountKey::new(key)).await
            })
        })
        .await
    }

    /// What a log-in with this address is checked against; aliases and details are no log-in names.
    pub async fn credential(&self, address: &Address) -> Result<Option<Credential>, StoreError> {
        let sql = "SELECT a.account_key, address, password_hash, is_suspended, needs_app_password, salt, iterations
                   FROM account a LEFT JOIN scram_salt s ON s.account_key = a.account_key WHERE folded = $1";
        let row: Option<CredentialRow> =
            sqlx::query_as(sql).bind(fold(address)).fetch_optional(&mut *self.reader().await?).await?;
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

    /// Sets the hash of a new password.
    ///
    /// # Errors
    /// [`DirectoryError::UnknownAddress`]; [`DirectoryError::Unfit`] where the hash is too long.
    pub async fn set_password_hash(&self, address: &Address, hash: Secret) -> Result<(), DirectoryError> {
        check_text(hash.expose())?;
        let address = address.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE account SET password_hash = $2 WHERE folded = $1";
                let done = sqlx::query(sql).bind(fold(&address)).bind(hash.expose()).execute(tx).await?;
                if done.rows_affected() == 0 { Err(DirectoryError::UnknownAddress(address)) } else { Ok(()) }
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

/// The account's key, with its row written, so that all who change what belongs to it wait for each other on both engines.
pub(crate) async fn take_account(tx: &mut AnyConnection, address: &Address) -> Result<Option<AccountKey>, sqlx::Error> {
    let sql = "UPDATE account SET created_at = created_at WHERE folded = $1 RETURNING account_key";
    let key: Option<i64> = sqlx::query_scalar(sql).bind(fold(address)).fetch_optional(tx).await?;
    Ok(key.map(AccountKey::new))
}

async fn insert_account(
    tx: &mut AnyConnection,
    account: &Account,
    domain: DomainKey,
    hash: &Secret,
) -> Result<(), sqlx::Error> {
    let sql =
        "INSERT INTO account (account_key, domain_key, folded, address, name, password_hash, quota_octets, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(account.key.value())
        .bind(domain.value())
        .bind(fold(&account.address))
        .bind(account.address.to_string())
        .bind(account.name.as_str())
        .bind(hash.expose())
        .bind(account.quota_octets.map(octets))
        .bind(account.created_at.millis())
        .execute(tx)
        .await?;
    Ok(())
}

/// Refuses an address that an account or an alias has; the domain must have been taken.
pub(super) async fn refuse_taken(tx: &mut AnyConnection, address: &Address) -> Result<(), DirectoryError> {
    let sql =
        "SELECT (SELECT COUNT(*) FROM account WHERE folded = $1) + (SELECT COUNT(*) FROM alias WHERE folded = $1)";
    let found: i64 = sqlx::query_scalar(sql).bind(fold(address)).fetch_one(tx).await?;
    if found == 0 { Ok(()) } else { Err(DirectoryError::AddressTaken(address.clone())) }
}

/// Removes all accounts of a domain that is going.
pub(super) async fn remove_accounts_of(tx: &mut AnyConnection, domain: DomainKey) -> Result<(), DirectoryError> {
    let sql = "SELECT account_key FROM account WHERE domain_key = $1 ORDER BY account_key LIMIT 1";
    while let Some(key) = sqlx::query_scalar(sql).bind(domain.value()).fetch_optional(&mut *tx).await? {
        remove_account_row(tx, AccountKey::new(key)).await?;
    }
    Ok(())
}

async fn remove_account_row(tx: &mut AnyConnection, key: AccountKey) -> Result<(), DirectoryError> {
    mailbox::remove_all(tx, key).await?;
    access::remove_all(tx, key).await?;
    sqlx::query("DELETE FROM account WHERE account_key = $1").bind(key.value()).execute(tx).await?;
    Ok(())
}

fn check_text(text: &str) -> Result<(), DirectoryError> {
    if text.len() > MAX_TEXT_OCTETS || text.chars().any(char::is_control) {
        return Err(DirectoryError::Unfit("a text is too long or holds a control character"));
    }
    Ok(())
}

/// Octets as the database counts them; what it cannot count is no limit anyone reaches.
fn octets(octets: u64) -> i64 {
    i64::try_from(octets).unwrap_or(i64::MAX)
}

/// A LIKE pattern for `text` anywhere, with `\` as the escape.
pub(super) fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

type CredentialRow = (i64, String, String, i64, i64, Option<Vec<u8>>, Option<i64>);
type AccountRow = (i64, String, String, Option<i64>, i64, i64, i64, i64);

fn read_account(row: AccountRow) -> Result<Account, StoreError> {
    let (key, address, name, quota_octets, used_octets, used_messages, is_suspended, created_at) = row;
    Ok(Account {
        key: AccountKey::new(key),
        address: read_address(&address)?,
        name,
        quota_octets: quota_octets.map(i64::unsigned_abs),
        used_octets: u64::try_from(used_octets).unwrap_or(0),
        used_messages: u64::try_from(used_messages).unwrap_or(0),
        is_suspended: is_suspended != 0,
        created_at: Timestamp::from_millis(created_at),
    })
}
