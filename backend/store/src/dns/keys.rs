//! Keys that sign domains' mail (RFC 6376), the retired ones, too.

use relais_model::{Secret, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::audit::{Author, Deed, Scribe};
use crate::{DkimKeyKey, DomainKey, Store, StoreError};

/// Keys of one domain, at most: the retired ones, too.
pub const MAX_DKIM_KEYS: i64 = 20;

/// A key that signs a domain's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKeyEntry {
    /// Its row.
    pub key: DkimKeyKey,
    /// Its name, below `_domainkey`.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: String,
    /// PKCS#8 in PEM.
    pub private_key: Secret,
    /// The `p=` of its record.
    pub public_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it signs; none while it waits for its record to be seen.
    pub signs_since: Option<Timestamp>,
    /// Since when it signs no more.
    pub retired_at: Option<Timestamp>,
}

/// A key that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDkimKey {
    /// Its name, below `_domainkey`.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: &'static str,
    /// PKCS#8 in PEM.
    pub private_key: Secret,
    /// The `p=` of its record.
    pub public_key: String,
}

impl Store {
    /// A domain's keys, the latest first: at most [`MAX_DKIM_KEYS`].
    pub async fn dkim_keys(&self, domain: DomainKey) -> Result<Vec<DkimKeyEntry>, StoreError> {
        let sql = "SELECT dkim_key, selector, algorithm, private_key, public_key, created_at, retired_at, signs_since FROM dkim_key
                   WHERE domain_key = $1 ORDER BY dkim_key DESC";
        let rows = sqlx::query(sql).bind(domain.value()).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(read_dkim_key).collect()
    }

    /// Keeps keys of a domain that has none of their algorithms yet, and they sign; of others nothing is kept, and nothing of a domain that is gone.
    pub async fn add_dkim_keys(&self, domain: DomainKey, new: Vec<NewDkimKey>) -> Result<(), StoreError> {
        self.keep_dkim_keys(&Author::house(), domain, new, false).await
    }

    /// Keeps keys that are to follow those that sign, and wait; where one of its algorithm waits already, nothing is kept.
    pub async fn add_next_dkim_keys(
        &self,
        by: &Author,
        domain: DomainKey,
        new: Vec<NewDkimKey>,
    ) -> Result<(), StoreError> {
        self.keep_dkim_keys(by, domain, new, true).await
    }

    /// A key that waited signs from now on, and those of its algorithm that signed retire.
    pub async fn begin_dkim_signing(&self, domain: DomainKey, key: DkimKeyKey) -> Result<(), StoreError> {
        let scribe = self.scribe(&Author::house());
        self.write(move |tx| {
            Box::pin(async move {
                let now = scribe.now().millis();
                let sql = "UPDATE dkim_key SET signs_since = $1 WHERE dkim_key = $2 AND domain_key = $3
                           AND signs_since IS NULL AND retired_at IS NULL RETURNING algorithm, selector";
                let query = sqlx::query_as(sql).bind(now).bind(key.value()).bind(domain.value());
                let begun: Option<(String, String)> = query.fetch_optional(&mut *tx).await?;
                let Some((algorithm, selector)) = begun else { return Ok(()) };
                let sql = "UPDATE dkim_key SET retired_at = $1 WHERE domain_key = $2 AND algorithm = $3
                           AND dkim_key <> $4 AND retired_at IS NULL";
                let query = sqlx::query(sql).bind(now).bind(domain.value()).bind(algorithm.as_str()).bind(key.value());
                query.execute(&mut *tx).await?;
                let name: Option<String> = sqlx::query_scalar("SELECT name FROM domain WHERE domain_key = $1")
                    .bind(domain.value())
                    .fetch_optional(&mut *tx)
                    .await?;
                let after = Some(json!({ "selector": selector, "algorithm": algorithm }));
                let subject = name.unwrap_or_default();
                let deed = Deed { act: "dkim.sign", subject, domain: Some(domain), after, ..Deed::default() };
                scribe.note(tx, deed).await.map(drop)?;
                Ok::<_, StoreError>(())
            })
        })
        .await
    }

    /// Forgets a domain's keys that retired before `before`.
    pub async fn forget_dkim_keys(&self, domain: DomainKey, before: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "DELETE FROM dkim_key WHERE domain_key = $1 AND retired_at < $2";
                sqlx::query(sql).bind(domain.value()).bind(before.millis()).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
    }

    async fn keep_dkim_keys(
        &self,
        by: &Author,
        domain: DomainKey,
        new: Vec<NewDkimKey>,
        waits: bool,
    ) -> Result<(), StoreError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                // The domain's row is taken, so that two who make keys at once don't both keep theirs.
                let sql = "UPDATE domain SET changed_at = changed_at WHERE domain_key = $1 AND removed_at IS NULL RETURNING name";
                let name: Option<String> = sqlx::query_scalar(sql).bind(domain.value()).fetch_optional(&mut *tx).await?;
                let Some(name) = name else { return Ok(()) };
                for key in new {
                    insert_dkim_key(tx, &scribe, (domain, &name), key, waits).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn insert_dkim_key(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    (domain, name): (DomainKey, &str),
    new: NewDkimKey,
    waits: bool,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM dkim_key WHERE domain_key = $1 AND (selector = $3
               OR algorithm = $2 AND retired_at IS NULL AND ($4 = 0 OR signs_since IS NULL))";
    let query = sqlx::query_scalar(sql).bind(domain.value()).bind(new.algorithm).bind(new.selector.as_str());
    let query = query.bind(i64::from(waits));
    let others: i64 = query.fetch_one(&mut *tx).await?;
    let sql = "SELECT COUNT(*) FROM dkim_key WHERE domain_key = $1";
    let all: i64 = sqlx::query_scalar(sql).bind(domain.value()).fetch_one(&mut *tx).await?;
    if others > 0 || MAX_DKIM_KEYS <= all {
        return Ok(());
    }
    let sql = "INSERT INTO dkim_key (dkim_key, domain_key, selector, algorithm, private_key, public_key, created_at, signs_since)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(scribe.next_key())
        .bind(domain.value())
        .bind(new.selector.as_str())
        .bind(new.algorithm)
        .bind(new.private_key.expose())
        .bind(new.public_key)
        .bind(scribe.now().millis())
        .bind((!waits).then(|| scribe.now().millis()))
        .execute(&mut *tx)
        .await?;
    let after = Some(json!({ "selector": new.selector, "algorithm": new.algorithm }));
    let deed = Deed { act: "dkim.create", subject: name.to_owned(), domain: Some(domain), after, ..Deed::default() };
    scribe.note(tx, deed).await.map(drop)
}

fn read_dkim_key(row: &AnyRow) -> Result<DkimKeyEntry, StoreError> {
    Ok(DkimKeyEntry {
        key: DkimKeyKey::new(row.try_get(0)?),
        selector: row.try_get(1)?,
        algorithm: row.try_get(2)?,
        private_key: Secret::new(row.try_get::<String, _>(3)?),
        public_key: row.try_get(4)?,
        created_at: Timestamp::from_millis(row.try_get(5)?),
        retired_at: row.try_get::<Option<i64>, _>(6)?.map(Timestamp::from_millis),
        signs_since: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_millis),
    })
}
