//! Who is refused for now, so that a restart lets nobody in again; and what was done about it.

use relais_model::Timestamp;
use sqlx::Row as _;

use crate::audit::Deed;
use crate::{Author, Store, StoreError};

/// Bans that are kept, at most: those that last longest.
pub const MAX_KEPT_BANS: usize = 2000;

/// Whose ban it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BanKind {
    /// Of a name.
    Name = 1,
    /// Of a network.
    Network = 2,
}

/// A ban as it is kept. There is one of a kind, a `whom` and a `why`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBan {
    /// Whose.
    pub kind: BanKind,
    /// The name, folded, or the network as one writes it.
    pub whom: String,
    /// A word of the caller's.
    pub why: String,
    /// When it began.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// What led to it.
    pub failures: u32,
    /// Bans before this one.
    pub earlier: u32,
}

impl Store {
    /// Tells in the activity that someone lifted a ban.
    pub async fn note_lifted_ban(&self, by: &Author, whom: &str) -> Result<(), StoreError> {
        let (scribe, subject) = (self.scribe(by), whom.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                scribe.note(tx, Deed { act: "ban.lift", subject, ..Deed::default() }).await?;
                Ok(())
            })
        })
        .await
    }

    /// Keeps these bans, and forgets those that were lifted and those that are over. Of more than [`MAX_KEPT_BANS`] those that end first go.
    pub async fn keep_bans(&self, bans: Vec<KeptBan>, lifted: Vec<KeptBan>) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                for ban in lifted {
                    let sql = "DELETE FROM ban WHERE kind = $1 AND whom = $2 AND why = $3";
                    sqlx::query(sql).bind(ban.kind as i64).bind(ban.whom).bind(ban.why).execute(&mut *tx).await?;
                }
                for ban in bans {
                    let sql = "INSERT INTO ban (kind, whom, why, since_at, until_at, failures, earlier) VALUES ($1, $2, $3, $4, $5, $6, $7)
                               ON CONFLICT (kind, whom, why) DO UPDATE SET since_at = excluded.since_at, until_at = excluded.until_at,
                                   failures = excluded.failures, earlier = excluded.earlier";
                    let query = sqlx::query(sql).bind(ban.kind as i64).bind(ban.whom).bind(ban.why);
                    let query = query.bind(ban.since.millis()).bind(ban.until.millis());
                    query.bind(i64::from(ban.failures)).bind(i64::from(ban.earlier)).execute(&mut *tx).await?;
                }
                sqlx::query("DELETE FROM ban WHERE until_at <= $1").bind(now.millis()).execute(&mut *tx).await?;
                let sql = "DELETE FROM ban WHERE until_at <= (SELECT until_at FROM ban ORDER BY until_at DESC LIMIT 1 OFFSET $1)";
                let most = i64::try_from(MAX_KEPT_BANS).unwrap_or(i64::MAX);
                sqlx::query(sql).bind(most).execute(&mut *tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// The bans that hold now, those that last longest first.
    pub async fn kept_bans(&self) -> Result<Vec<KeptBan>, StoreError> {
        let sql = "SELECT kind, whom, why, since_at, until_at, failures, earlier FROM ban WHERE until_at > $1 ORDER BY until_at DESC, whom";
        let query = sqlx::query(sql).bind(self.now().millis());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let count = |row: &sqlx::any::AnyRow, column| {
            row.try_get::<i64, _>(column).map(|count| u32::try_from(count).unwrap_or(0))
        };
        let read = |row: &sqlx::any::AnyRow| {
            Ok(KeptBan {
                kind: if row.try_get::<i64, _>(0)? == 1 { BanKind::Name } else { BanKind::Network },
                whom: row.try_get(1)?,
                why: row.try_get(2)?,
                since: Timestamp::from_millis(row.try_get(3)?),
                until: Timestamp::from_millis(row.try_get(4)?),
                failures: count(row, 5)?,
                earlier: count(row, 6)?,
            })
        };
        rows.iter().map(read).collect()
    }
}
