//! Notes on mailboxes, and an account's notes on the server (RFC 5464).

use std::collections::BTreeMap;

use relais_model::{Domain, MailboxName};
use sqlx::{AnyConnection, Row as _};

use crate::Store;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey};
use crate::news::Happened;
use crate::sieve::SCRIPT_NOTE;

/// Notes on one mailbox, or on the server, of an account.
pub const MAX_METADATA: usize = 100;
/// Octets of a note's value.
pub const MAX_METADATA_VALUE: usize = 32 * 1024;
/// Octets of all values of an account.
pub const MAX_METADATA_OCTETS: i64 = 1024 * 1024;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// `/private/…` or `/shared/…`, in small letters.
    pub name: String,
    /// Whatever the client means by it.
    pub value: Vec<u8>,
}

/// The server's own note on whom to turn to (RFC 5464 §3.2.1.1): all read it, and nobody sets it.
pub fn admin_note(host: &Domain) -> Annotation {
    Annotation { name: "/shared/admin".to_owned(), value: format!("mailto:postmaster@{host}").into_bytes() }
}

/// Why notes were not set. None was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MetadataError {
    /// There would be more than [`MAX_METADATA`], or more than [`MAX_METADATA_OCTETS`].
    #[error("there are as many notes as may be")]
    TooMany,
    /// A value is longer than [`MAX_METADATA_VALUE`].
    #[error("a note is too long")]
    TooLong,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for MetadataError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// How the table names the server.
pub(crate) const SERVER: i64 = 0;

impl Store {
    /// All notes on a mailbox of the account, or its notes on the server, by name.
    pub async fn metadata(
        &self,
        account: AccountKey,
        mailbox: Option<MailboxKey>,
    ) -> Result<Vec<Annotation>, StoreError> {
        let query =
            sqlx::query("SELECT name, value FROM metadata WHERE account_key = $1 AND mailbox_key = $2 ORDER BY name")
                .bind(account.value())
                .bind(mailbox.map_or(SERVER, MailboxKey::value));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok(Annotation { name: row.try_get(0)?, value: row.try_get(1)? })).collect()
    }

    /// The notes of this name on all mailboxes of the account, whose keys are given with them (RFC 9590).
    pub async fn metadata_named(
        &self,
        account: AccountKey,
        names: &[String],
    ) -> Result<Vec<(MailboxKey, Annotation)>, StoreError> {
        let query = sqlx::query(
            "SELECT mailbox_key, name, value FROM metadata WHERE account_key = $1 AND mailbox_key <> $2 ORDER BY name",
        );
        let query = query.bind(account.value()).bind(SERVER);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let notes = rows.iter().map(|row| {
            let note = Annotation { name: row.try_get(1)?, value: row.try_get(2)? };
            Ok((MailboxKey::new(row.try_get(0)?), note))
        });
        let notes: Vec<(MailboxKey, Annotation)> = notes.collect::<Result<_, sqlx::Error>>()?;
        Ok(notes.into_iter().filter(|(_, note)| names.contains(&note.name)).collect())
    }

    /// Sets notes, or takes those away that have no value: all of them or none. `mailbox` is the account's own.
    pub async fn set_metadata(
        &self,
        account: AccountKey,
        mailbox: Option<(MailboxKey, MailboxName)>,
        values: Vec<(String, Option<Vec<u8>>)>,
    ) -> Result<(), MetadataError> {
        if values.iter().any(|(_, value)| value.as_ref().is_some_and(|value| value.len() > MAX_METADATA_VALUE)) {
            return Err(MetadataError::TooLong);
        }
        let key = mailbox.as_ref().map_or(SERVER, |(key, _)| key.value());
        // What is named twice has the last value.
        let values: BTreeMap<String, Option<Vec<u8>>> = values.into_iter().collect();
        let entries: Vec<String> = values.keys().cloned().collect();
        self.write(move |tx| Box::pin(async move { set(tx, account, key, values).await })).await?;
        if entries.iter().any(|name| name == SCRIPT_NOTE) {
            self.inner.scripts.forget();
        }
        self.tell(account, Happened::Annotated { mailbox: mailbox.map(|(_, name)| name), entries });
        Ok(())
    }
}

async fn set(
    tx: &mut AnyConnection,
    account: AccountKey,
    mailbox: i64,
    values: BTreeMap<String, Option<Vec<u8>>>,
) -> Result<(), MetadataError> {
    for (name, value) in values {
        let text = match &value {
            Some(_) => {
                "INSERT INTO metadata (account_key, mailbox_key, name, value) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (account_key, mailbox_key, name) DO UPDATE SET value = excluded.value"
            }
            None => "DELETE FROM metadata WHERE account_key = $1 AND mailbox_key = $2 AND name = $3",
        };
        let query = sqlx::query(text).bind(account.value()).bind(mailbox).bind(name);
        let query = match value {
            Some(value) => query.bind(value),
            None => query,
        };
        query.execute(&mut *tx).await?;
    }
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(CASE WHEN mailbox_key = $2 THEN 1 ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(LENGTH(value)), 0) AS BIGINT)
         FROM metadata WHERE account_key = $1",
    )
    .bind(account.value())
    .bind(mailbox)
    .fetch_one(tx)
    .await?;
    let (notes, octets): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let is_too_much = usize::try_from(notes).is_ok_and(|notes| notes > MAX_METADATA) || octets > MAX_METADATA_OCTETS;
    if is_too_much { Err(MetadataError::TooMany) } else { Ok(()) }
}
