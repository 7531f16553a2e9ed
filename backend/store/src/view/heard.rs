//! Mailboxes that other nodes have changed: those that somebody looks at here are asked how far they are.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Row as _};

use super::load::unsigned;
use crate::key::MailboxKey;
use crate::{Store, StoreError, sql};

/// Mailboxes that are asked about in one statement.
const AT_ONCE: usize = 500;

impl Store {
    /// Looks for mailboxes that other nodes have changed, and has those who look at them here look again. With SQLite there is no other node.
    pub async fn hear_mail(&self) -> Result<(), StoreError> {
        if self.engine().is_ours_alone() {
            return Ok(());
        }
        for mailboxes in self.inner.views.mailboxes().chunks(AT_ONCE) {
            let keys = sql::placeholders(mailboxes.len(), 1, 0);
            let text = format!("SELECT mailbox_key, highest_mod_seq FROM mailbox WHERE mailbox_key IN {keys}");
            let query = sqlx::query(AssertSqlSafe(text));
            let query = mailboxes.iter().fold(query, |query, mailbox| query.bind(mailbox.value()));
            let rows = query.fetch_all(&mut *self.reader().await?).await?;
            let mut found = HashMap::with_capacity(rows.len());
            for row in &rows {
                found.insert(MailboxKey::new(row.try_get(0)?), unsigned(row.try_get(1)?)?);
            }
            for mailbox in mailboxes {
                self.inner.views.overtake(*mailbox, found.get(mailbox).copied());
            }
        }
        Ok(())
    }
}
