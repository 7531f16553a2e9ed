//! Accounts that are shut out: this node tells it at once, the others find it in the account's row.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use relais_model::Timestamp;
use sqlx::Row as _;
use tokio::sync::broadcast;

use crate::{AccountKey, Store, StoreError};

/// What happened before isn't looked for: nobody who is in now was in then. It bears with clocks of nodes that differ.
const LATELY: Duration = Duration::from_mins(10);

/// Tells of accounts that are shut out, of each shutting once.
#[derive(Debug)]
pub(crate) struct ShutOuts {
    heard: broadcast::Sender<AccountKey>,
    /// When those were shut out of late that were told.
    told: Mutex<HashMap<AccountKey, Timestamp>>,
}

impl Default for ShutOuts {
    fn default() -> Self {
        Self { heard: broadcast::Sender::new(64), told: Mutex::default() }
    }
}

impl ShutOuts {
    /// Tells it, where it wasn't told yet. Nobody may listen.
    pub(super) fn tell(&self, account: AccountKey, at: Timestamp, now: Timestamp) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now.since(*at) < 2 * LATELY);
        if told.insert(account, at) != Some(at) {
            let _heard = self.heard.send(account);
        }
    }
}

impl Store {
    /// Told of each account that is shut out: its connections end. A receiver that is 64 accounts late learns that it missed some.
    pub fn shut_outs(&self) -> broadcast::Receiver<AccountKey> {
        self.inner.shut_out.heard.subscribe()
    }

    /// Looks for accounts that other nodes have shut out, and tells of them. With SQLite there is no other.
    pub async fn hear_shut_outs(&self) -> Result<(), StoreError> {
        if self.engine().is_ours_alone() {
            return Ok(());
        }
        let now = self.now();
        let query = sqlx::query("SELECT account_key, closed_at FROM account WHERE closed_at >= $1");
        for row in query.bind(now.minus(LATELY).millis()).fetch_all(&mut *self.reader().await?).await? {
            let at = Timestamp::from_millis(row.try_get(1)?);
            self.inner.shut_out.tell(AccountKey::new(row.try_get(0)?), at, now);
        }
        Ok(())
    }
}
