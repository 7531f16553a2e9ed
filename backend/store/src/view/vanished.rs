//! What a client that was away must forget (QRESYNC, RFC 7162 §3.2.10): from the database, for views remember too little.

use relais_model::{ModSeq, UidSet};
use sqlx::Row;

use super::load::{narrow, unsigned};
use super::subtracted;
use crate::Store;
use crate::error::StoreError;
use crate::key::MailboxKey;

impl Store {
    /// The UIDs that were expunged after `since`. Where that is no longer known, all that are not there: RFC 7162 §3.2.10.2
    /// allows to tell too much.
    pub async fn vanished_since(&self, mailbox: MailboxKey, since: ModSeq) -> Result<UidSet, StoreError> {
        let row = sqlx::query("SELECT expunged_floor, uid_next FROM mailbox WHERE mailbox_key = $1")
            .bind(mailbox.value())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let Some(row) = row else { return Ok(UidSet::new()) };
        let mut vanished = UidSet::new();
        if since.value() < unsigned(row.try_get(0)?)? {
            let last = narrow(unsigned(row.try_get(1)?)?)?.saturating_sub(1);
            vanished.insert_run(1.min(last), last);
            let Some(view) = self.view(mailbox).await? else { return Ok(UidSet::new()) };
            let present: UidSet = view.read(|rows| rows.iter().filter_map(super::Row::uid).collect());
            return Ok(subtracted(&vanished, &present));
        }
        let rows = sqlx::query(
            "SELECT first_uid, last_uid FROM expunged WHERE mailbox_key = $1 AND mod_seq > $2 ORDER BY first_uid",
        )
        .bind(mailbox.value())
        .bind(i64::try_from(since.value()).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        for row in rows {
            vanished.insert_run(narrow(unsigned(row.try_get(0)?)?)?, narrow(unsigned(row.try_get(1)?)?)?);
        }
        Ok(vanished)
    }
}
