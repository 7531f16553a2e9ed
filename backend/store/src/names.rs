//! Which mailbox a name is: asked with each APPEND, COPY and SELECT, and answered from memory where nobody else can have changed it.

use std::sync::atomic::{AtomicU64, Ordering};

use moka::sync::Cache;
use relais_model::MailboxName;
use sqlx::Row;

use crate::Store;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey};

/// Names that were asked for of late, by the count of acts of the writer, for one may have renamed a mailbox: after it none is found
/// any more, also none that was read before it and is put in after it.
#[derive(Debug)]
pub(crate) struct Names {
    changes: AtomicU64,
    known: Cache<(u64, AccountKey, MailboxName), MailboxKey>,
}

impl Names {
    /// Names that are remembered, at most: each takes about 200 octets.
    const MAX_KNOWN: u64 = 20_000;

    /// Whatever was remembered isn't any more.
    pub(crate) fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

impl Default for Names {
    fn default() -> Self {
        Self { changes: AtomicU64::new(0), known: Cache::new(Self::MAX_KNOWN) }
    }
}

impl Store {
    /// The mailbox of this name, for those who need no more of it; none where there is none.
    pub async fn mailbox_key(&self, account: AccountKey, name: &MailboxName) -> Result<Option<MailboxKey>, StoreError> {
        let names = &self.inner.names;
        let asked = (names.changes.load(Ordering::Acquire), account, name.clone());
        if let Some(key) = names.known.get(&asked) {
            return Ok(Some(key));
        }
        let row = sqlx::query("SELECT mailbox_key FROM mailbox WHERE account_key = $1 AND name = $2")
            .bind(account.value())
            .bind(name.as_str().to_owned())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let key = MailboxKey::new(row.try_get(0)?);
        if self.inner.engine.is_ours_alone() {
            names.known.insert(asked, key);
        }
        Ok(Some(key))
    }
}
