//! How many log-ins were refused of late, and what was done about it.

use std::time::Duration;

use relais_model::Timestamp;

use crate::audit::Deed;
use crate::key::first_at;
use crate::{Author, Store, StoreError};

/// A row of failures stands for all attempts of so long: one that began before may have gone on.
const ROW_TIME: Duration = Duration::from_mins(1);

impl Store {
    /// Refused log-ins since `since`: what is not yet written of the last seconds is not counted.
    pub async fn count_failed_logins(&self, since: Timestamp) -> Result<u64, StoreError> {
        // The index of failures is by key, and keys grow with time: no more is read than must be.
        let sql = "SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) FROM login_history
                   WHERE is_granted = 0 AND login_key >= $1 AND last_at >= $2";
        let query = sqlx::query_scalar::<_, i64>(sql).bind(first_at(since.minus(ROW_TIME))).bind(since.millis());
        Ok(query.fetch_one(&mut *self.reader().await?).await?.unsigned_abs())
    }

    /// Tells in the activity that someone lifted a ban, which itself stands in no table.
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
}
