//! Messages that were deleted, while they can be taken back.
//!
//! What IMAP expunges, POP3 deletes or the webmail deletes for good leaves its mailbox at once, and stands here as long as
//! [`Settings::removed_kept`](crate::Settings) says. A message that is moved isn't deleted; one that still stands in another mailbox of
//! the account isn't shown; and a draft that is expunged from Drafts is gone, for programs replace those by dozens.
//!
//! Invariants: an account has a content here once at most, [`MAX_REMOVED`] of them, and no more octets than its quota. No mailbox shows
//! them, no quota counts them. A deleted mailbox is remembered as long as a message here stood in it.

use bytes::Bytes;
use relais_model::{MailboxName, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::audit::Deed;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey, MessageKey};
use crate::message::ChangeError;
use crate::page::{Listing, Page};
use crate::sql;
use crate::view::load::unsigned;
use crate::writer::Op;
use crate::{Account, Author, Store};

/// Deleted messages of one account that are kept, at most: the oldest go first.
pub const MAX_REMOVED: i64 = 100_000;
/// Messages that one act takes back or forgets.
pub const MAX_AT_ONCE: usize = 1000;
/// Rows that one statement forgets.
const FORGOTTEN_AT_ONCE: i64 = 5000;

/// A message that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedMessage {
    /// Its content.
    pub message: MessageKey,
    /// Where it stood.
    pub mailbox: MailboxKey,
    /// That mailbox's name: as it is now, or as it was when it was deleted.
    pub mailbox_name: MailboxName,
    /// The mailbox is still there.
    pub has_mailbox: bool,
    /// The raw header with its blank line: the first 64 KiB of it.
    pub head: Bytes,
    /// PREVIEW's text (RFC 8970).
    pub preview: String,
    /// RFC822.SIZE.
    pub size_octets: u64,
    /// When it had arrived.
    pub internal_date: Timestamp,
    /// When it was deleted.
    pub removed_at: Timestamp,
}

/// What an account has deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RemovedTotal {
    /// Messages.
    pub messages: u64,
    /// In octets.
    pub size_octets: u64,
}

/// Rows that can be taken back, with the names of where they stood. `$1`: the account.
const SHOWN: &str = "FROM removed_message r LEFT JOIN mailbox b ON b.mailbox_key = r.mailbox_key
     LEFT JOIN removed_mailbox g ON g.mailbox_key = r.mailbox_key
     WHERE r.account_key = $1 AND NOT EXISTS (SELECT 1 FROM entry e JOIN mailbox o ON o.mailbox_key = e.mailbox_key
         WHERE e.message_key = r.message_key AND o.account_key = r.account_key)";

impl Store {
    /// What an account has deleted and can take back, the latest first.
    pub async fn removed_messages(
        &self,
        account: AccountKey,
        page: &Page,
    ) -> Result<Listing<RemovedMessage>, StoreError> {
        let (at, message) = page.after.as_deref().and_then(read_cursor).unwrap_or((i64::MAX, i64::MAX));
        let text = format!(
            "SELECT x.*, m.head, m.preview FROM (SELECT r.message_key, r.mailbox_key, COALESCE(b.name, g.name, 'INBOX'),
                    CASE WHEN b.name IS NULL THEN 0 ELSE 1 END, r.size_octets, r.internal_date, r.removed_at {SHOWN}
                 AND (r.removed_at < $2 OR (r.removed_at = $2 AND r.message_key < $3))
                 ORDER BY r.removed_at DESC, r.message_key DESC LIMIT $4) AS x
             JOIN message m ON m.message_key = x.message_key ORDER BY x.removed_at DESC, x.message_key DESC"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(account.value()).bind(at).bind(message);
        let rows = query.bind(page.rows_to_ask()).fetch_all(&mut *self.reader().await?).await?;
        let rows = rows.iter().map(removed_message).collect::<Result<_, _>>()?;
        Ok(page.cut(rows, |row| format!("{:x}.{:x}", row.removed_at.millis(), row.message.value())))
    }

    /// How much an account has deleted since `since` and can take back.
    pub async fn removed_total(&self, account: AccountKey, since: Timestamp) -> Result<RemovedTotal, StoreError> {
        let text =
            format!("SELECT COUNT(*), CAST(COALESCE(SUM(r.size_octets), 0) AS BIGINT) {SHOWN} AND r.removed_at >= $2");
        let query = sqlx::query(AssertSqlSafe(text)).bind(account.value()).bind(since.millis());
        let row = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(RemovedTotal { messages: unsigned(row.try_get(0)?)?, size_octets: unsigned(row.try_get(1)?)? })
    }

    /// Puts deleted messages into the mailbox `to` again, with their flags and dates; passes over those that aren't there. At most
    /// [`MAX_AT_ONCE`].
    ///
    /// # Errors
    /// [`ChangeError`]: nothing came back.
    pub async fn restore_removed(&self, messages: Vec<MessageKey>, to: MailboxKey) -> Result<u64, ChangeError> {
        if messages.is_empty() {
            return Ok(0);
        }
        self.ask_writer(|reply| Op::Restore { messages, to, reply }).await?
    }

    /// Writes down who had an account's deleted mail brought back.
    pub async fn note_restored(&self, account: &Account, messages: u64, by: &Author) -> Result<(), StoreError> {
        let (scribe, subject) = (self.scribe(by), account.address.to_string());
        let (about, domain) = (Some(account.key.value()), Some(account.domain));
        self.write(move |tx| {
            Box::pin(async move {
                let after = Some(json!({ "messages": messages }));
                scribe.note(tx, Deed { act: "mail.restore", subject, about, domain, before: None, after }).await?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets deleted messages for good: these, or all of the account's. Gives their number.
    pub async fn forget_removed(&self, account: AccountKey, only: Option<Vec<MessageKey>>) -> Result<u64, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let Some(only) = only else {
                    let query = sqlx::query("DELETE FROM removed_message WHERE account_key = $1");
                    return Ok(query.bind(account.value()).execute(tx).await?.rows_affected());
                };
                let mut forgotten = 0;
                for chunk in sql::chunks(&only) {
                    let text = format!(
                        "DELETE FROM removed_message WHERE account_key = $1 AND message_key IN {}",
                        sql::placeholders(chunk.len(), 1, 1)
                    );
                    let query = sqlx::query(AssertSqlSafe(text)).bind(account.value());
                    let query = chunk.iter().fold(query, |query, key| query.bind(key.value()));
                    forgotten += query.execute(&mut *tx).await?.rows_affected();
                }
                Ok::<_, StoreError>(forgotten)
            })
        })
        .await
    }

    /// Forgets what its time is up for, what is more than an account may keep, and mailboxes that nothing remembers.
    pub(crate) async fn prune_removed(&self) -> Result<(), StoreError> {
        let before = self.now().minus(self.settings().removed_kept).millis();
        while self.prune_old(before).await? > 0 {}
        let over = "SELECT r.account_key FROM removed_message r JOIN account a ON a.account_key = r.account_key
                    GROUP BY r.account_key, a.quota_octets
                    HAVING COUNT(*) > $1 OR CAST(SUM(r.size_octets) AS BIGINT) > a.quota_octets";
        let rows = sqlx::query(over).bind(MAX_REMOVED).fetch_all(&mut *self.reader().await?).await?;
        for row in rows {
            let account: i64 = row.try_get(0)?;
            self.write(move |tx| Box::pin(prune_account(tx, account))).await?;
        }
        self.write(|tx| Box::pin(forget_mailboxes(tx))).await
    }

    async fn prune_old(&self, before: i64) -> Result<u64, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let text = "DELETE FROM removed_message WHERE (account_key, message_key) IN
                            (SELECT account_key, message_key FROM removed_message WHERE removed_at < $1 LIMIT $2)";
                let query = sqlx::query(text).bind(before).bind(FORGOTTEN_AT_ONCE);
                Ok::<_, StoreError>(query.execute(tx).await?.rows_affected())
            })
        })
        .await
    }
}

/// The newest are kept.
async fn prune_account(tx: &mut AnyConnection, account: i64) -> Result<(), StoreError> {
    let text = "DELETE FROM removed_message WHERE account_key = $1 AND message_key IN
         (SELECT message_key FROM (SELECT r.message_key, a.quota_octets,
              ROW_NUMBER() OVER (ORDER BY r.removed_at DESC, r.message_key DESC) AS place,
              SUM(r.size_octets) OVER (ORDER BY r.removed_at DESC, r.message_key DESC) AS octets
              FROM removed_message r JOIN account a ON a.account_key = r.account_key WHERE r.account_key = $1) AS x
          WHERE place > $2 OR octets > quota_octets)";
    sqlx::query(text).bind(account).bind(MAX_REMOVED).execute(tx).await?;
    Ok(())
}

async fn forget_mailboxes(tx: &mut AnyConnection) -> Result<(), StoreError> {
    let text = "DELETE FROM removed_mailbox WHERE NOT EXISTS
                    (SELECT 1 FROM removed_message r WHERE r.mailbox_key = removed_mailbox.mailbox_key
                        AND r.account_key = removed_mailbox.account_key)
                RETURNING mailbox_key";
    for row in sqlx::query(text).fetch_all(&mut *tx).await? {
        let query = sqlx::query("DELETE FROM mailbox_keyword WHERE mailbox_key = $1");
        query.bind(row.try_get::<i64, _>(0)?).execute(&mut *tx).await?;
    }
    Ok(())
}

/// The statement that remembers rows of a mailbox before they go: those that `condition` names. `$1`: the account, `$2`: the mailbox,
/// `$3`: now. What goes from Trash is remembered for where it stood before, if that is known.
pub(crate) fn remembering(condition: &str, is_trash: bool) -> String {
    let origin = if is_trash { "" } else { ", mailbox_key = excluded.mailbox_key, flags = excluded.flags" };
    // Of two copies in one mailbox the flags of one are as good as those of the other.
    format!(
        "INSERT INTO removed_message (account_key, message_key, mailbox_key, flags, size_octets, internal_date, removed_at)
         SELECT CAST($1 AS BIGINT), message_key, CAST($2 AS BIGINT), MAX(flags), MAX(size_octets), MAX(internal_date),
                CAST($3 AS BIGINT)
         FROM entry WHERE mailbox_key = CAST($2 AS BIGINT) AND {condition} GROUP BY message_key
         ON CONFLICT (account_key, message_key) DO UPDATE SET removed_at = excluded.removed_at{origin}"
    )
}

/// Remembers a mailbox that goes, and all that is in it. Its keywords stay.
pub(crate) async fn remember_mailbox(
    tx: &mut AnyConnection,
    account: AccountKey,
    (mailbox, name): (i64, &str),
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(AssertSqlSafe(remembering("1 = 1", false))).bind(account.value()).bind(mailbox);
    query.bind(now.millis()).execute(&mut *tx).await?;
    let query = sqlx::query("INSERT INTO removed_mailbox (mailbox_key, account_key, name) VALUES ($1, $2, $3)");
    query.bind(mailbox).bind(account.value()).bind(name.to_owned()).execute(tx).await?;
    Ok(())
}

/// Takes away all that an account deleted.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM removed_message WHERE account_key = $1",
        "DELETE FROM mailbox_keyword WHERE mailbox_key IN (SELECT mailbox_key FROM removed_mailbox WHERE account_key = $1)",
        "DELETE FROM removed_mailbox WHERE account_key = $1",
    ] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

fn removed_message(row: &AnyRow) -> Result<RemovedMessage, StoreError> {
    let name: String = row.try_get(2)?;
    let seconds: i64 = row.try_get(5)?;
    Ok(RemovedMessage {
        message: MessageKey::new(row.try_get(0)?),
        mailbox: MailboxKey::new(row.try_get(1)?),
        mailbox_name: MailboxName::parse(&name)
            .map_err(|error| StoreError::damaged(format!("the mailbox name {name:?}: {error}")))?,
        has_mailbox: row.try_get::<i64, _>(3)? != 0,
        size_octets: unsigned(row.try_get(4)?)?,
        internal_date: Timestamp::from_millis(seconds.saturating_mul(1000)),
        removed_at: Timestamp::from_millis(row.try_get(6)?),
        head: Bytes::from(row.try_get::<Vec<u8>, _>(7)?),
        preview: row.try_get(8)?,
    })
}

/// The last row of a page: when it was deleted, and its content.
fn read_cursor(cursor: &str) -> Option<(i64, i64)> {
    let (at, message) = cursor.split_once('.')?;
    Some((i64::from_str_radix(at, 16).ok()?, i64::from_str_radix(message, 16).ok()?))
}
