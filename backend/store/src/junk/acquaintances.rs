//! Whom an account has written to: who answers is no stranger.

use relais_model::{Address, Domain};
use sqlx::Row as _;

use crate::directory::fold;
use crate::sql::{self, Statement};
use crate::{AccountKey, Store, StoreError};

/// Addresses that are remembered of one account, at most; the ones written to longest ago are forgotten first.
pub const MAX_ACQUAINTANCES: i64 = 10_000;
/// Domains of acquaintances that are given at once.
const MAX_DOMAINS: i64 = 200;

/// How well an account knows a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Acquainted {
    /// It has written to this address.
    Address,
    /// It has written to somebody of this domain.
    Domain,
    /// Not at all.
    #[default]
    Stranger,
}

impl Store {
    /// Notes that an account has written to these addresses.
    pub async fn note_written(&self, account: AccountKey, addresses: &[Address]) -> Result<(), StoreError> {
        let mut addresses: Vec<(String, String)> =
            addresses.iter().map(|address| (fold(address), address.domain.to_string())).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let (now, engine) = (self.now(), self.engine());
        self.write(move |tx| {
            Box::pin(async move {
                let head = "INSERT INTO acquaintance (account_key, folded, domain, last_at)";
                let tail = " ON CONFLICT (account_key, folded) DO UPDATE SET last_at = excluded.last_at";
                let bind = |statement: Statement, (folded, domain): &(String, String)| {
                    let statement = statement.bind(account.value()).bind(folded.clone()).bind(domain.clone());
                    statement.bind(now.millis())
                };
                for statement in sql::insert(head, 4, tail, &addresses, bind) {
                    sql::query(engine, &[statement])?.execute(&mut *tx).await?;
                }
                let sql = "DELETE FROM acquaintance WHERE account_key = $1 AND last_at <
                               (SELECT last_at FROM acquaintance WHERE account_key = $1 ORDER BY last_at DESC LIMIT 1 OFFSET $2)";
                sqlx::query(sql).bind(account.value()).bind(MAX_ACQUAINTANCES - 1).execute(&mut *tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// How well an account knows a sender.
    pub async fn acquainted(&self, account: AccountKey, sender: &Address) -> Result<Acquainted, StoreError> {
        let sql = "SELECT MAX(CASE WHEN folded = $2 THEN 2 ELSE 1 END) FROM acquaintance WHERE account_key = $1 AND domain = $3";
        let query = sqlx::query(sql).bind(account.value()).bind(fold(sender)).bind(sender.domain.to_string());
        let row = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(acquainted(row.try_get(0)?))
    }

    /// Domains that an account has written to: the last 200.
    pub async fn domains_written_to(&self, account: AccountKey) -> Result<Vec<Domain>, StoreError> {
        let sql = "SELECT domain FROM acquaintance WHERE account_key = $1 GROUP BY domain ORDER BY MAX(last_at) DESC, domain LIMIT $2";
        let query = sqlx::query(sql).bind(account.value()).bind(MAX_DOMAINS);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| crate::directory::read_name(row.try_get(0)?)).collect()
    }
}

/// 2: the address itself was written to; 1: another of its domain.
pub(super) const fn acquainted(nearest: Option<i64>) -> Acquainted {
    match nearest {
        Some(2) => Acquainted::Address,
        Some(_) => Acquainted::Domain,
        None => Acquainted::Stranger,
    }
}
