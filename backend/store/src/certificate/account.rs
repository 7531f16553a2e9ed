//! Our account with a CA, and who orders there now.

use std::time::Duration;

use relais_model::{Secret, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::count;
use crate::{Store, StoreError};

/// Our account with a CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeAccount {
    /// Whose directory it is.
    pub directory_url: String,
    /// What the CA was told when it was opened; may be empty.
    pub contact: String,
    /// The external account that it was bound to; may be empty.
    pub eab_key_id: String,
    /// As the ACME client writes them; none: not opened yet.
    pub credentials: Option<Secret>,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// How often in succession the CA itself failed.
    pub failures: u32,
    /// Until when the CA is left alone.
    pub rest_until: Option<Timestamp>,
}

impl Store {
    /// Our account with this CA; none before the first order there.
    pub async fn acme_account(&self, directory_url: &str) -> Result<Option<AcmeAccount>, StoreError> {
        let sql =
            "SELECT directory_url, contact, eab_key_id, credentials, opened_at, failures, rest_until FROM acme_account
                   WHERE directory_url = $1";
        let row = sqlx::query(sql).bind(directory_url).fetch_optional(&mut *self.reader().await?).await?;
        let read = |row: &AnyRow| {
            Ok(AcmeAccount {
                directory_url: row.try_get(0)?,
                contact: row.try_get(1)?,
                eab_key_id: row.try_get(2)?,
                credentials: row.try_get::<Option<String>, _>(3)?.map(Secret::new),
                opened_at: row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_millis),
                failures: count(row.try_get(5)?),
                rest_until: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_millis),
            })
        };
        row.as_ref().map(read).transpose()
    }

    /// Takes this CA for so long: no other node orders there meanwhile. Tells whether it was free.
    pub async fn hold_acme(&self, directory_url: &str, lease: Duration) -> Result<bool, StoreError> {
        let (url, now) = (directory_url.to_owned(), self.now());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO acme_account (directory_url, contact, eab_key_id, failures, held_until)
                           VALUES ($1, '', '', 0, 0) ON CONFLICT (directory_url) DO NOTHING";
                sqlx::query(sql).bind(url.as_str()).execute(&mut *tx).await?;
                let sql = "UPDATE acme_account SET held_until = $3 WHERE directory_url = $1 AND held_until <= $2";
                let query = sqlx::query(sql).bind(url.as_str()).bind(now.millis()).bind(now.plus(lease).millis());
                Ok(query.execute(&mut *tx).await?.rows_affected() > 0)
            })
        })
        .await
    }

    /// Gives this CA back to the other nodes.
    pub async fn release_acme(&self, directory_url: &str) -> Result<(), StoreError> {
        let url = directory_url.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE acme_account SET held_until = 0 WHERE directory_url = $1";
                sqlx::query(sql).bind(url).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Keeps an account that was opened; none of the credentials: it is to be opened anew.
    pub async fn keep_acme_account(
        &self,
        directory_url: &str,
        contact: &str,
        eab_key_id: &str,
        credentials: Option<Secret>,
    ) -> Result<(), StoreError> {
        let (url, contact, eab) = (directory_url.to_owned(), contact.to_owned(), eab_key_id.to_owned());
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE acme_account SET contact = $2, eab_key_id = $3, credentials = $4, opened_at = $5
                           WHERE directory_url = $1";
                let query = sqlx::query(sql).bind(url).bind(contact).bind(eab);
                let query = query.bind(credentials.as_ref().map(Secret::expose)).bind(now.millis());
                query.execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Leaves this CA alone until then; none: it answers.
    pub async fn rest_acme(
        &self,
        directory_url: &str,
        failures: u32,
        rest_until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let url = directory_url.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE acme_account SET failures = $2, rest_until = $3 WHERE directory_url = $1";
                let query = sqlx::query(sql).bind(url).bind(i64::from(failures));
                query.bind(rest_until.map(Timestamp::millis)).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Gives all CAs back: no other process has the store open.
pub(crate) async fn release_all(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE acme_account SET held_until = 0").execute(connection).await?;
    Ok(())
}
