//! What came of each order: the history.

use relais_model::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use super::{SAYS_OCTETS, split};
use crate::audit::{Author, Scribe};
use crate::page::{Listing, Page};
use crate::sql::shorten;
use crate::{CertificateKey, OrderKey, Store, StoreError};

/// Orders that the history keeps.
pub const KEPT_ORDERS: i64 = 2000;

/// What came of an order. The numbers stand in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderOutcome {
    /// There is a certificate.
    Issued = 0,
    /// The CA has refused names, or the order.
    Refused = 1,
    /// The CA couldn't be reached, failed, or told us to wait.
    Postponed = 2,
}

impl OrderOutcome {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Refused => "refused",
            Self::Postponed => "postponed",
        }
    }

    fn read(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Issued),
            1 => Ok(Self::Refused),
            2 => Ok(Self::Postponed),
            other => Err(StoreError::damaged(format!("certificate order outcome {other}"))),
        }
    }
}

/// An order, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateOrder {
    /// Its row.
    pub key: OrderKey,
    /// When it ended.
    pub at: Timestamp,
    /// At which CA.
    pub directory_url: String,
    /// For which names.
    pub names: Vec<String>,
    /// What came of it.
    pub outcome: OrderOutcome,
    /// RFC 8555 §6.7's type of the problem, without its prefix; may be empty.
    pub problem: String,
    /// The CA's own words, or what failed on the way there; may be empty.
    pub says: String,
    /// What was issued; it may be gone.
    pub certificate: Option<CertificateKey>,
}

/// An order that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedOrder {
    /// At which CA.
    pub directory_url: String,
    /// For which names.
    pub names: Vec<String>,
    /// What came of it.
    pub outcome: OrderOutcome,
    /// The problem's type; may be empty.
    pub problem: String,
    /// The CA's own words; may be empty.
    pub says: String,
}

/// Orders since a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrdersMade {
    /// All of them.
    pub all: u64,
    /// Those that were refused.
    pub refused: u64,
}

impl Store {
    /// Writes down an order that gave no certificate.
    pub async fn note_order(&self, order: EndedOrder) -> Result<(), StoreError> {
        let scribe = self.scribe(&Author::house());
        self.write(move |tx| Box::pin(async move { Ok(note_order(tx, &scribe, &order, None).await?) })).await
    }

    /// The history, the latest first.
    pub async fn certificate_orders(&self, page: &Page) -> Result<Listing<CertificateOrder>, StoreError> {
        let sql =
            "SELECT order_key, at, directory_url, names, outcome, problem, says, certificate_key FROM certificate_order
                   WHERE order_key < $1 ORDER BY order_key DESC LIMIT $2";
        let query = sqlx::query(sql).bind(page.before_key()).bind(page.rows_to_ask());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let orders = rows.iter().map(read_order).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(orders, |order| order.key.value()))
    }

    /// How many orders ended at this CA since then.
    pub async fn orders_since(&self, directory_url: &str, since: Timestamp) -> Result<OrdersMade, StoreError> {
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN outcome = 1 THEN 1 ELSE 0 END), 0) AS BIGINT)
                   FROM certificate_order WHERE order_key >= $1 AND directory_url = $2";
        let query = sqlx::query_as(sql).bind(crate::key::first_at(since)).bind(directory_url);
        let (all, refused): (i64, i64) = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(OrdersMade { all: u64::try_from(all).unwrap_or(0), refused: u64::try_from(refused).unwrap_or(0) })
    }
}

pub(super) async fn note_order(
    tx: &mut AnyConnection,
    scribe: &Scribe,
    order: &EndedOrder,
    certificate: Option<CertificateKey>,
) -> Result<(), sqlx::Error> {
    let sql =
        "INSERT INTO certificate_order (order_key, at, directory_url, names, outcome, problem, says, certificate_key)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(scribe.next_key())
        .bind(scribe.now().millis())
        .bind(order.directory_url.as_str())
        .bind(order.names.join(" "))
        .bind(order.outcome as i64)
        .bind(order.problem.as_str())
        .bind(shorten(&order.says, SAYS_OCTETS))
        .bind(certificate.map(CertificateKey::value))
        .execute(&mut *tx)
        .await?;
    let sql = "DELETE FROM certificate_order WHERE order_key <=
               (SELECT order_key FROM certificate_order ORDER BY order_key DESC LIMIT 1 OFFSET $1)";
    sqlx::query(sql).bind(KEPT_ORDERS).execute(tx).await?;
    Ok(())
}

fn read_order(row: &AnyRow) -> Result<CertificateOrder, StoreError> {
    Ok(CertificateOrder {
        key: OrderKey::new(row.try_get(0)?),
        at: Timestamp::from_millis(row.try_get(1)?),
        directory_url: row.try_get(2)?,
        names: split(row.try_get(3)?),
        outcome: OrderOutcome::read(row.try_get(4)?)?,
        problem: row.try_get(5)?,
        says: row.try_get(6)?,
        certificate: row.try_get::<Option<i64>, _>(7)?.map(CertificateKey::new),
    })
}
