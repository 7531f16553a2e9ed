//! What was written into zones, by whom, and whether it was undone.

use relais_model::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::{DnsSubject, is_there, prune};
use crate::audit::{Author, Deed};
use crate::page::{Listing, Page};
use crate::sql::Select;
use crate::{DnsAccountKey, DnsPushKey, Store, StoreError};

/// Pushes that are kept of a domain.
pub const KEPT_PUSHES: i64 = 200;

/// What was written into a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsPushEntry {
    /// Its row.
    pub key: DnsPushKey,
    /// For whom.
    pub subject: DnsSubject,
    /// By which account; it may be gone.
    pub account: DnsAccountKey,
    /// Into which zone.
    pub zone: String,
    /// JSON.
    pub record: String,
    /// All of it stood.
    pub is_complete: bool,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When it was undone, and by whom.
    pub undone: Option<(Timestamp, String)>,
}

/// A push that is to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDnsPush {
    /// For whom.
    pub subject: DnsSubject,
    /// By which account.
    pub account: DnsAccountKey,
    /// Into which zone.
    pub zone: String,
    /// JSON.
    pub record: String,
    /// All of it stands.
    pub is_complete: bool,
    /// The sets that were changed, for the activity: `mail.example.org A`.
    pub sets: Vec<String>,
}

const COLUMNS: &str =
    "push_key, domain_key, account_key, zone, record, is_complete, pushed_by, pushed_at, undone_at, undone_by";

impl Store {
    /// Notes a push. Nothing of a domain that is gone.
    pub async fn note_dns_push(&self, by: &Author, new: NewDnsPush) -> Result<DnsPushKey, StoreError> {
        let (scribe, by) = (self.scribe(by), by.name.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let key = DnsPushKey::new(scribe.next_key());
                if !is_there(tx, new.subject).await? {
                    return Ok(key);
                }
                let sql = "INSERT INTO dns_push (push_key, domain_key, account_key, zone, record, is_complete, pushed_by, pushed_at)
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
                sqlx::query(sql)
                    .bind(key.value())
                    .bind(new.subject.value())
                    .bind(new.account.value())
                    .bind(new.zone.as_str())
                    .bind(new.record)
                    .bind(i64::from(new.is_complete))
                    .bind(by)
                    .bind(scribe.now().millis())
                    .execute(&mut *tx)
                    .await?;
                prune(tx, "dns_push", "push_key", new.subject, KEPT_PUSHES).await?;
                let after = Some(json!({ "sets": new.sets, "complete": new.is_complete }));
                let domain = new.subject.domain();
                scribe.note(tx, Deed { act: "dns.push", subject: new.zone, domain, after, ..Deed::default() }).await?;
                Ok(key)
            })
        })
        .await
    }

    /// One push.
    pub async fn dns_push(&self, key: DnsPushKey) -> Result<Option<DnsPushEntry>, StoreError> {
        let text = AssertSqlSafe(format!("SELECT {COLUMNS} FROM dns_push WHERE push_key = $1"));
        let row = sqlx::query(text).bind(key.value()).fetch_optional(&mut *self.reader().await?).await?;
        row.as_ref().map(read_push).transpose()
    }

    /// The pushes for a domain or the host, or, with none, all; the latest first.
    pub async fn dns_pushes(&self, of: Option<DnsSubject>, page: &Page) -> Result<Listing<DnsPushEntry>, StoreError> {
        let mut select = Select::new(format!("SELECT {COLUMNS} FROM dns_push WHERE push_key < "));
        select.value(page.before_key());
        if let Some(of) = of {
            select.say(" AND domain_key = ").value(of.value());
        }
        select.say(" ORDER BY push_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let pushes = rows.iter().map(read_push).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(pushes, |push| push.key.value()))
    }

    /// Marks a push as undone. Tells whether it did: not where somebody was quicker.
    pub async fn mark_dns_undone(&self, by: &Author, key: DnsPushKey) -> Result<bool, StoreError> {
        let (scribe, by) = (self.scribe(by), by.name.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE dns_push SET undone_at = $2, undone_by = $3 WHERE push_key = $1 AND undone_at IS NULL
                           RETURNING domain_key, zone";
                let query = sqlx::query_as(sql).bind(key.value()).bind(scribe.now().millis()).bind(by);
                let undone: Option<(i64, String)> = query.fetch_optional(&mut *tx).await?;
                let Some((domain, subject)) = undone else { return Ok(false) };
                let domain = DnsSubject::read(domain).domain();
                scribe.note(tx, Deed { act: "dns.undo", subject, domain, ..Deed::default() }).await?;
                Ok(true)
            })
        })
        .await
    }
}

fn read_push(row: &AnyRow) -> Result<DnsPushEntry, StoreError> {
    let undone_at: Option<i64> = row.try_get(8)?;
    let undone_by: Option<String> = row.try_get(9)?;
    Ok(DnsPushEntry {
        key: DnsPushKey::new(row.try_get(0)?),
        subject: DnsSubject::read(row.try_get(1)?),
        account: DnsAccountKey::new(row.try_get(2)?),
        zone: row.try_get(3)?,
        record: row.try_get(4)?,
        is_complete: row.try_get::<i64, _>(5)? != 0,
        by: row.try_get(6)?,
        at: Timestamp::from_millis(row.try_get(7)?),
        undone: undone_at.map(|at| (Timestamp::from_millis(at), undone_by.unwrap_or_default())),
    })
}
