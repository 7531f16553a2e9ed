//! From whom an account reads and keeps mail: their addresses, the domains that sign for them, the networks that bring it.
//!
//! That a message was read is noted in the act's own transaction; a day later it is looked at whether it was kept, and counted.

use std::time::Duration;

use relais_model::{Address, Domain, SpecialUse, Timestamp};
use sqlx::{AnyConnection, Row as _};

use crate::directory::fold;
use crate::sql::{self, Statement};
use crate::{AccountKey, MessageKey, Store, StoreError};

/// Who throws a message away within this time after reading it didn't want it.
pub const READ_AFTER: Duration = Duration::from_hours(24);
/// Addresses, domains and networks that are remembered of one account, of each at most; those that wrote longest ago are forgotten first.
const MAX_REPUTED: i64 = 2000;
/// Whoever marks more messages in one act hasn't read them.
const MAX_READ_AT_ONCE: usize = 10;

/// A message that an account has read some time ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadMessage {
    /// Who.
    pub account: AccountKey,
    /// What.
    pub message: MessageKey,
}

/// Whose a message is, as far as it was proved when it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The author, where DMARC proves them.
    pub author: Option<Address>,
    /// The domain that signed it (DKIM).
    pub signer: Option<Domain>,
    /// The network that brought it, as one names it.
    pub network: Option<String>,
}

impl Origin {
    /// As rows name it.
    pub(super) fn names(&self) -> Vec<(Kind, String)> {
        let author = self.author.iter().map(|author| (Kind::Author, fold(author)));
        let signer = self.signer.iter().map(|signer| (Kind::Signer, signer.to_string()));
        author.chain(signer).chain(self.network.iter().map(|network| (Kind::Network, network.clone()))).collect()
    }
}

/// Of what a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Author = 1,
    Signer = 2,
    Network = 3,
}

impl Kind {
    /// As a row has it.
    pub(super) const fn of(number: Option<i64>) -> Self {
        match number {
            Some(1) => Self::Author,
            Some(2) => Self::Signer,
            _ => Self::Network,
        }
    }
}

/// How many messages of somebody an account has read and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reputation {
    /// The author's.
    pub author: u64,
    /// With the signature of this domain.
    pub signer: u64,
    /// From this network.
    pub network: u64,
}

impl Reputation {
    pub(super) const fn set(&mut self, kind: Kind, messages: u64) {
        match kind {
            Kind::Author => self.author = messages,
            Kind::Signer => self.signer = messages,
            Kind::Network => self.network = messages,
        }
    }
}

/// How many an account knows by what it has read and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReputationCounts {
    /// Authors.
    pub authors: u64,
    /// Domains that sign.
    pub signers: u64,
    /// Networks.
    pub networks: u64,
}

/// Notes that an account has read these messages; none where they are too many for one act of reading.
pub(crate) fn note_read(account: AccountKey, messages: &[MessageKey], now: Timestamp) -> Vec<Statement> {
    if messages.len() > MAX_READ_AT_ONCE {
        return Vec::new();
    }
    let due_at = now.plus(READ_AFTER);
    let head = "INSERT INTO reading (account_key, message_key, due_at, counted)";
    let bind = |statement: Statement, message: &MessageKey| {
        statement.bind(account.value()).bind(message.value()).bind(due_at.millis()).bind(0_i64)
    };
    sql::insert(head, 4, " ON CONFLICT (account_key, message_key) DO NOTHING", messages, bind)
}

impl Store {
    /// Messages that were read long enough ago to see whether they were kept: `limit` at most.
    pub async fn readings_due(&self, limit: u32) -> Result<Vec<ReadMessage>, StoreError> {
        let sql = "SELECT account_key, message_key FROM reading WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
        let query = sqlx::query(sql).bind(self.now().millis()).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| {
            let (account, message) = (AccountKey::new(row.try_get(0)?), MessageKey::new(row.try_get(1)?));
            Ok(ReadMessage { account, message })
        };
        rows.iter().map(read).collect()
    }

    /// Counts readings for those whose messages they were, where the messages are still there, neither in Junk nor in Trash nor called junk.
    /// All are looked at once.
    pub async fn settle_readings(&self, readings: Vec<(ReadMessage, Origin)>) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                for (ReadMessage { account, message }, origin) in readings {
                    let is_kept = is_kept(tx, account, message).await?;
                    let sql = "UPDATE reading SET due_at = NULL, counted = $3
                               WHERE account_key = $1 AND message_key = $2 AND due_at IS NOT NULL";
                    let query = sqlx::query(sql).bind(account.value()).bind(message.value());
                    let settled = query.bind(i64::from(is_kept)).execute(&mut *tx).await?.rows_affected();
                    if is_kept && settled > 0 {
                        count(tx, account, &origin, now).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// An account calls a message junk: what was counted for who sent it is taken back.
    pub async fn take_back_reading(&self, read: ReadMessage, origin: Origin) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let ReadMessage { account, message } = read;
                let sql = "UPDATE reading SET counted = 0 WHERE account_key = $1 AND message_key = $2 AND counted = 1";
                let query = sqlx::query(sql).bind(account.value()).bind(message.value());
                if query.execute(&mut *tx).await?.rows_affected() == 0 {
                    return Ok(());
                }
                for (kind, name) in origin.names() {
                    for sql in [
                        "UPDATE reputation SET wanted = wanted - 1 WHERE account_key = $1 AND kind = $2 AND name = $3",
                        "DELETE FROM reputation WHERE account_key = $1 AND kind = $2 AND name = $3 AND wanted <= 0",
                    ] {
                        let query = sqlx::query(sql).bind(account.value()).bind(kind as i64).bind(name.as_str());
                        query.execute(&mut *tx).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    /// How many an account knows by what it has read and kept.
    pub async fn reputation_counts(&self, account: AccountKey) -> Result<ReputationCounts, StoreError> {
        let sql = "SELECT kind, COUNT(*) FROM reputation WHERE account_key = $1 GROUP BY kind";
        let query = sqlx::query(sql).bind(account.value());
        let mut counts = ReputationCounts::default();
        for row in query.fetch_all(&mut *self.reader().await?).await? {
            let known = row.try_get::<i64, _>(1)?.unsigned_abs();
            match row.try_get::<i64, _>(0)? {
                1 => counts.authors = known,
                2 => counts.signers = known,
                _ => counts.networks = known,
            }
        }
        Ok(counts)
    }
}

async fn is_kept(tx: &mut AnyConnection, account: AccountKey, message: MessageKey) -> Result<bool, sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM entry e JOIN mailbox m ON m.mailbox_key = e.mailbox_key
               WHERE e.message_key = $2 AND m.account_key = $1 AND (m.special_use IS NULL OR m.special_use NOT IN ($3, $4))
                   AND NOT EXISTS (SELECT 1 FROM lesson l
                       WHERE l.account_key = $1 AND l.message_key = $2 AND l.is_junk = 1)";
    let query = sqlx::query_scalar(sql).bind(account.value()).bind(message.value());
    let places: i64 =
        query.bind(SpecialUse::Junk.as_str()).bind(SpecialUse::Trash.as_str()).fetch_one(&mut *tx).await?;
    Ok(places > 0)
}

/// One more message; what is more than is remembered goes.
async fn count(
    tx: &mut AnyConnection,
    account: AccountKey,
    origin: &Origin,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for (kind, name) in origin.names() {
        let sql = "INSERT INTO reputation (account_key, kind, name, wanted, last_at)
                   SELECT account_key, $2, $3, 1, $4 FROM account WHERE account_key = $1
                   ON CONFLICT (account_key, kind, name)
                   DO UPDATE SET wanted = reputation.wanted + 1, last_at = excluded.last_at";
        let query = sqlx::query(sql).bind(account.value()).bind(kind as i64).bind(name).bind(now.millis());
        query.execute(&mut *tx).await?;
        let sql = "DELETE FROM reputation WHERE account_key = $1 AND kind = $2 AND last_at <
                       (SELECT last_at FROM reputation WHERE account_key = $1 AND kind = $2 ORDER BY last_at DESC LIMIT 1 OFFSET $3)";
        sqlx::query(sql).bind(account.value()).bind(kind as i64).bind(MAX_REPUTED - 1).execute(&mut *tx).await?;
    }
    Ok(())
}
