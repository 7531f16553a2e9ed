//! Taking away what nobody needs: contents that no mailbox and no queue row names, old expunged UIDs, lost objects; and what its time is up
//! for: log-ins, traces, changes, messages, domains and accounts that were removed with grace.
//!
//! In small steps: readers find what may go, the writer looks again and removes it. A content that is named again between
//! the two stays.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row};

use crate::Store;
use crate::audit::AUDIT_KEPT_FOR;
use crate::content::Place;
use crate::directory::Purged;
use crate::error::StoreError;
use crate::sql;

/// Messages looked at in one step.
const STEP: i64 = 500;
/// Between two rounds.
const ROUND: Duration = Duration::from_mins(10);
/// A file without a row may belong to a message that is being accepted; after this it does not.
const LOST_AFTER: Duration = Duration::from_hours(1);
/// Runs of expunged UIDs that a mailbox remembers, at most.
const EXPUNGED_RUNS: i64 = 20_000;

impl Store {
    pub(crate) fn start_collecting(&self) {
        // Only a weak hold between two rounds: the task must not keep a forgotten store open.
        let (inner, stop) = (std::sync::Arc::downgrade(&self.inner), self.inner.stop.clone());
        self.inner.tasks.spawn(async move {
            loop {
                tokio::select! {
                    // Both cancel-safe: nothing has begun.
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(ROUND) => {}
                }
                let Some(inner) = inner.upgrade() else { return };
                match (Self { inner }).collect().await {
                    Ok(0) => {}
                    Ok(removed) => tracing::info!(removed, "contents that nobody needs were removed"),
                    Err(error) => tracing::warn!(%error, "a round of collecting failed"),
                }
            }
        });
    }

    /// One whole round; gives the number of contents that were removed.
    pub async fn collect(&self) -> Result<u64, StoreError> {
        let purged = self.purge_removed(self.now().minus(self.settings().removed_kept)).await?;
        if purged != Purged::default() {
            tracing::info!(purged.domains, purged.accounts, "what was removed long enough ago is gone for good");
        }
        self.prune_removed().await?;
        let (mut after, mut removed) = (0, 0);
        while let Some((last, unneeded)) = self.find_unneeded(after).await? {
            if !unneeded.is_empty() {
                removed += self.remove_contents(unneeded).await?;
            }
            after = last;
            if self.inner.stop.is_cancelled() {
                return Ok(removed);
            }
        }
        self.forget_expunged().await?;
        self.remove_lost_objects().await?;
        self.prune_logins().await?;
        self.prune_audit(self.now().minus(AUDIT_KEPT_FOR)).await?;
        self.prune_reports().await?;
        self.prune_sending().await?;
        self.trace_prune(self.now().minus(self.settings().trace_kept)).await?;
        Ok(removed)
    }

    /// The last key of the next step, and what may go; none at the end.
    async fn find_unneeded(&self, after: i64) -> Result<Option<(i64, Vec<i64>)>, StoreError> {
        let row = sqlx::query(
            "SELECT MAX(message_key) FROM
             (SELECT message_key FROM message WHERE message_key > $1 ORDER BY message_key LIMIT $2) AS step",
        )
        .bind(after)
        .bind(STEP)
        .fetch_one(&mut *self.reader().await?)
        .await?;
        let Some(last) = row.try_get::<Option<i64>, _>(0)? else { return Ok(None) };
        let rows = sqlx::query(
            "SELECT message_key FROM message m WHERE message_key > $1 AND message_key <= $2
             AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.message_key = m.message_key)
             AND NOT EXISTS (SELECT 1 FROM removed_message r WHERE r.message_key = m.message_key)
             AND NOT EXISTS (SELECT 1 FROM queued q WHERE q.message_key = m.message_key)",
        )
        .bind(after)
        .bind(last)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let unneeded = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        Ok(Some((last, unneeded)))
    }

    async fn remove_contents(&self, unneeded: Vec<i64>) -> Result<u64, StoreError> {
        let (removed, objects): (u64, Vec<Vec<u8>>) = self
            .write(move |tx| {
                Box::pin(async move {
                    let text = format!(
                        "DELETE FROM message WHERE message_key IN ({})
                         AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.message_key = message.message_key)
                         AND NOT EXISTS (SELECT 1 FROM removed_message r WHERE r.message_key = message.message_key)
                         AND NOT EXISTS (SELECT 1 FROM queued q WHERE q.message_key = message.message_key)
                         RETURNING message_key",
                        join(&unneeded)
                    );
                    let rows = sqlx::query(AssertSqlSafe(text)).persistent(false).fetch_all(&mut *tx).await?;
                    let gone: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
                    if gone.is_empty() {
                        return Ok((0, Vec::new()));
                    }
                    let keys = join(&gone);
                    for table in ["message_words", "lesson", "reading"] {
                        let text = format!("DELETE FROM {table} WHERE message_key IN ({keys})");
                        sqlx::query(AssertSqlSafe(text)).persistent(false).execute(&mut *tx).await?;
                    }
                    let text = format!(
                        "SELECT octets FROM message_body WHERE place = {} AND message_key IN ({keys})",
                        Place::Object as i64
                    );
                    let rows = sqlx::query(AssertSqlSafe(text)).persistent(false).fetch_all(&mut *tx).await?;
                    let objects = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
                    let text = format!("DELETE FROM message_body WHERE message_key IN ({keys})");
                    sqlx::query(AssertSqlSafe(text)).persistent(false).execute(&mut *tx).await?;
                    Ok::<_, StoreError>((gone.len() as u64, objects))
                })
            })
            .await?;
        for object in objects {
            self.inner.objects.remove(object).await;
        }
        Ok(removed)
    }

    /// Keeps each mailbox's memory of expunged UIDs bounded: what is forgotten stands in `expunged_floor`.
    async fn forget_expunged(&self) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT mailbox_key FROM expunged GROUP BY mailbox_key HAVING COUNT(*) > $1")
            .bind(EXPUNGED_RUNS)
            .fetch_all(&mut *self.reader().await?)
            .await?;
        for row in rows {
            let mailbox: i64 = row.try_get(0)?;
            self.write(move |tx| {
                Box::pin(async move {
                    let row = sqlx::query(
                        "SELECT mod_seq FROM expunged WHERE mailbox_key = $1 ORDER BY mod_seq DESC LIMIT 1 OFFSET $2",
                    )
                    .bind(mailbox)
                    .bind(EXPUNGED_RUNS / 2)
                    .fetch_one(&mut *tx)
                    .await?;
                    let floor: i64 = row.try_get(0)?;
                    for statement in [
                        "DELETE FROM expunged WHERE mod_seq <= $1 AND mailbox_key = $2",
                        "UPDATE mailbox SET expunged_floor = $1 WHERE mailbox_key = $2",
                    ] {
                        sqlx::query(statement).bind(floor).bind(mailbox).execute(&mut *tx).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        }
        Ok(())
    }

    /// Removes files that no row names: a crash between the file and the row, or a content that was there already.
    async fn remove_lost_objects(&self) -> Result<(), StoreError> {
        let objects = self.inner.objects.clone();
        let names = tokio::task::spawn_blocking(move || objects.names_older_than(LOST_AFTER));
        let names = names.await.map_err(|_| StoreError::damaged("the object directory could not be listed"))??;
        for chunk in sql::chunks(&names) {
            let text = format!(
                "SELECT octets FROM message_body WHERE place = {} AND octets IN {}",
                Place::Object as i64,
                sql::placeholders(chunk.len(), 1, 0)
            );
            let query = sqlx::query(AssertSqlSafe(text)).persistent(false);
            let query = chunk.iter().fold(query, |query, name| query.bind(name.clone().into_bytes()));
            let needed: Vec<Vec<u8>> = query
                .fetch_all(&mut *self.reader().await?)
                .await?
                .iter()
                .map(|row| row.try_get(0))
                .collect::<Result<_, _>>()?;
            for name in chunk.iter().filter(|name| !needed.iter().any(|needed| needed == name.as_bytes())) {
                self.inner.objects.remove(name.clone().into_bytes()).await;
            }
        }
        Ok(())
    }
}

fn join(keys: &[i64]) -> String {
    keys.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}
