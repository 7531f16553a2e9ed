//! The DNS of domains and of the host, as far as it is kept: keys that sign, what checks found and how it turned, who serves the zones,
//! what was written into them.
//!
//! - `keys`: DKIM's. `reports`: what the last check of each found, and what turned since the one before.
//! - `accounts`: at providers, who serve the zones. `receipts`: what was written there, and what was undone.
//!
//! Invariants: a private key and a provider's key are `Secret`s and stand in no activity; a report is written with the turns that led to it,
//! and only over the report that they were seen from; of a domain no more than [`KEPT_TURNS`] and [`KEPT_PUSHES`] are kept.

mod accounts;
mod keys;
mod receipts;
mod reports;

use sqlx::{AnyConnection, AssertSqlSafe};

pub use accounts::{DnsAccountEntry, DnsAccountError, DnsAccountState, MAX_DNS_ACCOUNTS};
pub use keys::{DkimKeyEntry, MAX_DKIM_KEYS, NewDkimKey};
pub use receipts::{DnsPushEntry, KEPT_PUSHES, NewDnsPush};
pub use reports::{DnsNews, DnsReportEntry, DnsRowEntry, DnsTally, DnsTurnEntry, KEPT_TURNS, NewDnsTurn};

use crate::DomainKey;

/// Whose DNS: a domain's, or the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DnsSubject {
    /// The host's.
    Host,
    /// A domain's.
    Domain(DomainKey),
}

impl DnsSubject {
    const fn value(self) -> i64 {
        match self {
            Self::Host => 0,
            Self::Domain(key) => key.value(),
        }
    }

    const fn read(number: i64) -> Self {
        if number == 0 { Self::Host } else { Self::Domain(DomainKey::new(number)) }
    }

    const fn domain(self) -> Option<DomainKey> {
        match self {
            Self::Host => None,
            Self::Domain(key) => Some(key),
        }
    }
}

/// What goes with a domain.
pub(crate) async fn remove_of(tx: &mut AnyConnection, domain: i64) -> Result<(), sqlx::Error> {
    for table in ["dkim_key", "dns_report", "dns_turn", "dns_push"] {
        let text = AssertSqlSafe(format!("DELETE FROM {table} WHERE domain_key = $1"));
        sqlx::query(text).bind(domain).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn is_there(tx: &mut AnyConnection, of: DnsSubject) -> Result<bool, sqlx::Error> {
    let DnsSubject::Domain(key) = of else { return Ok(true) };
    let sql = "SELECT COUNT(*) FROM domain WHERE domain_key = $1";
    let count: i64 = sqlx::query_scalar(sql).bind(key.value()).fetch_one(tx).await?;
    Ok(count > 0)
}

/// Keeps the latest `kept` rows of a domain.
async fn prune(
    tx: &mut AnyConnection,
    table: &str,
    column: &str,
    of: DnsSubject,
    kept: i64,
) -> Result<(), sqlx::Error> {
    let text = AssertSqlSafe(format!(
        "DELETE FROM {table} WHERE domain_key = $1 AND {column} <=
             (SELECT {column} FROM {table} WHERE domain_key = $1 ORDER BY {column} DESC LIMIT 1 OFFSET $2)"
    ));
    sqlx::query(text).bind(of.value()).bind(kept).execute(tx).await.map(drop)
}
