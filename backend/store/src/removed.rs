//! Messages and mailboxes that were deleted, while they can be taken back.
//!
//! What IMAP expunges, POP3 deletes or the webmail deletes for good leaves its mailbox at once, and stands here as long as
//! [`Settings::removed_kept`](crate::Settings) says. A message that is moved isn't deleted; one that still stands in another mailbox of
//! the account isn't shown; and a draft that is expunged from Drafts is gone, for programs replace those by dozens.
//!
//! Invariants: an account has a content here once at most, [`MAX_REMOVED`] of them, and no more octets than its quota. No mailbox shows
//! them, no quota counts them. A deleted mailbox is shown for as long as they are, [`MAX_REMOVED_MAILBOXES`] of an account, and remembered
//! as long as a message here stood in it.

use bytes::Bytes;
use relais_model::{MailboxName, SpecialUse, Timestamp};
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::audit::Deed;
use crate::error::StoreError;
use crate::key::{AccountKey, MailboxKey, MessageKey};
use crate::mailbox::mailbox_name;
use crate::message::ChangeError;
use crate::metadata::MAX_METADATA_OCTETS;
use crate::page::{Listing, Page};
use crate::sql;
use crate::view::load::unsigned;
use crate::writer::Op;
use crate::{Account, Author, Store};

/// Deleted messages of one account that are kept, at most: the oldest go first.
pub const MAX_REMOVED: i64 = 100_000;
/// Deleted mailboxes of one account that are shown, at most: the oldest are passed over.
pub const MAX_REMOVED_MAILBOXES: i64 = 1000;
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

/// A mailbox that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedMailbox {
    /// Its row, as long as it was there.
    pub mailbox: MailboxKey,
    /// Its full name then.
    pub name: MailboxName,
    /// What was deleted along with it and can be taken back.
    pub messages: u64,
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
    /// Mailboxes.
    pub mailboxes: u64,
}

/// What is remembered of a deleted mailbox, beside its notes.
pub(crate) struct Recalled {
    pub(crate) special_use: Option<SpecialUse>,
    pub(crate) is_subscribed: bool,
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
        let text = format!(
            "SELECT x.*, m.head, m.preview FROM (SELECT r.message_key, r.mailbox_key, COALESCE(b.name, g.name, 'INBOX'),
                    CASE WHEN b.name IS NULL THEN 0 ELSE 1 END, r.size_octets, r.internal_date, r.removed_at {SHOWN}
                 AND (r.removed_at < $2 OR (r.removed_at = $2 AND r.message_key < $3))
                 ORDER BY r.removed_at DESC, r.message_key DESC LIMIT $4) AS x
             JOIN message m ON m.message_key = x.message_key ORDER BY x.removed_at DESC, x.message_key DESC"
        );
        let rows = self.removed_rows(account, page, text, removed_message).await?;
        Ok(page.cut_by_time(rows, |row| (row.removed_at, row.message.value())))
    }

    /// The mailboxes that an account has deleted and can take back ([`Store::restore_mailbox`]), the latest first.
    pub async fn removed_mailboxes(
        &self,
        account: AccountKey,
        page: &Page,
    ) -> Result<Listing<RemovedMailbox>, StoreError> {
        let text = format!(
            "SELECT k.mailbox_key, k.name, k.removed_at,
                    (SELECT COUNT(*) {SHOWN} AND r.mailbox_key = k.mailbox_key AND r.removed_at = k.removed_at)
             FROM removed_mailbox k
             WHERE k.account_key = $1 AND (k.removed_at < $2 OR (k.removed_at = $2 AND k.mailbox_key < $3))
             ORDER BY k.removed_at DESC, k.mailbox_key DESC LIMIT $4"
        );
        let rows = self.removed_rows(account, page, text, removed_mailbox).await?;
        Ok(page.cut_by_time(rows, |row| (row.removed_at, row.mailbox.value())))
    }

    /// A page's rows of a list of the latest first, to be cut. `$1`: the account; `$2` and `$3`: the time and the key before which they
    /// stand; `$4`: how many.
    async fn removed_rows<T>(
        &self,
        account: AccountKey,
        page: &Page,
        text: String,
        read: fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let (at, key) = page.time_and_key().unwrap_or((i64::MAX, i64::MAX));
        let query = sqlx::query(AssertSqlSafe(text)).bind(account.value()).bind(at).bind(key);
        let rows = query.bind(page.rows_to_ask()).fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(read).collect()
    }

    /// How much an account has deleted since `since` and can take back.
    pub async fn removed_total(&self, account: AccountKey, since: Timestamp) -> Result<RemovedTotal, StoreError> {
        let text = format!(
            "SELECT COUNT(*), CAST(COALESCE(SUM(r.size_octets), 0) AS BIGINT),
                    (SELECT COUNT(*) FROM removed_mailbox k WHERE k.account_key = $1 AND k.removed_at >= $2)
             {SHOWN} AND r.removed_at >= $2"
        );
        let query = sqlx::query(AssertSqlSafe(text)).bind(account.value()).bind(since.millis());
        let row = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(RemovedTotal {
            messages: unsigned(row.try_get(0)?)?,
            size_octets: unsigned(row.try_get(1)?)?,
            mailboxes: unsigned(row.try_get(2)?)?,
        })
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
    pub async fn note_restored(
        &self,
        account: &Account,
        (messages, mailboxes): (u64, u64),
        by: &Author,
    ) -> Result<(), StoreError> {
        let (scribe, subject) = (self.scribe(by), account.address.to_string());
        let (about, domain) = (Some(account.key.value()), Some(account.domain));
        self.write(move |tx| {
            Box::pin(async move {
                let after = Some(json!({ "messages": messages, "mailboxes": mailboxes }));
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

    /// Forgets deleted mailboxes with what was deleted along with them: these, or all of the account's. Gives their number.
    pub async fn forget_removed_mailboxes(
        &self,
        account: AccountKey,
        only: Option<Vec<MailboxKey>>,
    ) -> Result<u64, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let Some(only) = only else {
                    for text in [
                        "DELETE FROM removed_message WHERE account_key = $1 AND EXISTS
                             (SELECT 1 FROM removed_mailbox k WHERE k.mailbox_key = removed_message.mailbox_key
                                 AND k.removed_at = removed_message.removed_at)",
                        "DELETE FROM removed_metadata WHERE account_key = $1",
                    ] {
                        sqlx::query(text).bind(account.value()).execute(&mut *tx).await?;
                    }
                    let text = "UPDATE removed_mailbox SET removed_at = NULL
                                WHERE account_key = $1 AND removed_at IS NOT NULL";
                    return Ok(sqlx::query(text).bind(account.value()).execute(tx).await?.rows_affected());
                };
                let mut forgotten = 0;
                for mailbox in only {
                    let text =
                        "DELETE FROM removed_message WHERE account_key = $1 AND mailbox_key = $2 AND removed_at =
                                    (SELECT k.removed_at FROM removed_mailbox k WHERE k.mailbox_key = $2)";
                    let query = sqlx::query(text).bind(account.value()).bind(mailbox.value());
                    query.execute(&mut *tx).await?;
                    forgotten += hide(tx, account, mailbox).await?;
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
        self.write(move |tx| Box::pin(forget_mailboxes(tx, before))).await
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

async fn forget_mailboxes(tx: &mut AnyConnection, before: i64) -> Result<(), StoreError> {
    let text = "UPDATE removed_mailbox SET removed_at = NULL WHERE mailbox_key IN
         (SELECT mailbox_key FROM (SELECT mailbox_key, ROW_NUMBER() OVER
              (PARTITION BY account_key ORDER BY removed_at DESC, mailbox_key DESC) AS place
              FROM removed_mailbox WHERE removed_at IS NOT NULL) AS x WHERE place > $1)";
    sqlx::query(text).bind(MAX_REMOVED_MAILBOXES).execute(&mut *tx).await?;
    let text = "DELETE FROM removed_mailbox WHERE (removed_at IS NULL OR removed_at < $1) AND NOT EXISTS
                    (SELECT 1 FROM removed_message r WHERE r.mailbox_key = removed_mailbox.mailbox_key
                        AND r.account_key = removed_mailbox.account_key)
                RETURNING mailbox_key, account_key";
    for row in sqlx::query(text).bind(before).fetch_all(&mut *tx).await? {
        let (mailbox, account): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        sqlx::query("DELETE FROM mailbox_keyword WHERE mailbox_key = $1").bind(mailbox).execute(&mut *tx).await?;
        forget_notes(tx, AccountKey::new(account), mailbox).await?;
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

/// Remembers a mailbox that goes, and all that is in it. Its keywords stay; of its notes a copy does, unless the account's deleted ones are
/// as many as its others may be.
pub(crate) async fn remember_mailbox(
    tx: &mut AnyConnection,
    account: AccountKey,
    (mailbox, name, special_use): (i64, &str, Option<String>),
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(AssertSqlSafe(remembering("1 = 1", false))).bind(account.value()).bind(mailbox);
    query.bind(now.millis()).execute(&mut *tx).await?;
    let text = "INSERT INTO removed_mailbox (mailbox_key, account_key, name, special_use, is_subscribed, removed_at)
         VALUES ($1, $2, $3, $4, (SELECT COUNT(*) FROM subscription WHERE account_key = $2 AND name = $3), $5)";
    let query = sqlx::query(text).bind(mailbox).bind(account.value()).bind(name.to_owned()).bind(special_use);
    query.bind(now.millis()).execute(&mut *tx).await?;
    let text = "INSERT INTO removed_metadata (account_key, mailbox_key, name, value)
         SELECT account_key, mailbox_key, name, value FROM metadata WHERE account_key = $1 AND mailbox_key = $2
             AND (SELECT COALESCE(SUM(LENGTH(k.value)), 0) FROM removed_metadata k WHERE k.account_key = $1) < $3";
    sqlx::query(text).bind(account.value()).bind(mailbox).bind(MAX_METADATA_OCTETS).execute(tx).await?;
    Ok(())
}

/// What is remembered of a deleted mailbox; of one that isn't known any more, what a new one has.
pub(crate) async fn recall(
    tx: &mut AnyConnection,
    account: AccountKey,
    mailbox: MailboxKey,
) -> Result<Recalled, sqlx::Error> {
    let text = "SELECT special_use, is_subscribed FROM removed_mailbox WHERE account_key = $1 AND mailbox_key = $2";
    let row = sqlx::query(text).bind(account.value()).bind(mailbox.value()).fetch_optional(tx).await?;
    let Some(row) = row else { return Ok(Recalled { special_use: None, is_subscribed: true }) };
    let special_use = row.try_get::<Option<String>, _>(0)?.as_deref().and_then(SpecialUse::parse);
    Ok(Recalled { special_use, is_subscribed: row.try_get::<i64, _>(1)? != 0 })
}

/// Gives the notes of a deleted mailbox to the one that was made for it, if there is room for them.
pub(crate) async fn give_notes(
    tx: &mut AnyConnection,
    account: AccountKey,
    mailbox: MailboxKey,
    made: MailboxKey,
) -> Result<(), sqlx::Error> {
    let text = "INSERT INTO metadata (account_key, mailbox_key, name, value)
         SELECT k.account_key, CAST($1 AS BIGINT), k.name, k.value FROM removed_metadata k
         WHERE k.account_key = $2 AND k.mailbox_key = $3
             AND (SELECT COALESCE(SUM(LENGTH(n.value)), 0) FROM metadata n WHERE n.account_key = $2)
               + (SELECT COALESCE(SUM(LENGTH(o.value)), 0) FROM removed_metadata o
                  WHERE o.account_key = $2 AND o.mailbox_key = $3) <= $4";
    let query = sqlx::query(text).bind(made.value()).bind(account.value()).bind(mailbox.value());
    query.bind(MAX_METADATA_OCTETS).execute(tx).await?;
    Ok(())
}

/// A deleted mailbox came back, or is to be forgotten: it is shown no more, and known as long as messages remember it. Tells whether it
/// was shown: 1 or 0.
pub(crate) async fn hide(tx: &mut AnyConnection, account: AccountKey, mailbox: MailboxKey) -> Result<u64, sqlx::Error> {
    forget_notes(tx, account, mailbox.value()).await?;
    let text = "UPDATE removed_mailbox SET removed_at = NULL
                WHERE account_key = $1 AND mailbox_key = $2 AND removed_at IS NOT NULL";
    let query = sqlx::query(text).bind(account.value()).bind(mailbox.value());
    Ok(query.execute(tx).await?.rows_affected())
}

async fn forget_notes(tx: &mut AnyConnection, account: AccountKey, mailbox: i64) -> Result<(), sqlx::Error> {
    let query = sqlx::query("DELETE FROM removed_metadata WHERE account_key = $1 AND mailbox_key = $2");
    query.bind(account.value()).bind(mailbox).execute(tx).await?;
    Ok(())
}

/// Takes away all that an account deleted.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<(), sqlx::Error> {
    for sql in [
        "DELETE FROM removed_message WHERE account_key = $1",
        "DELETE FROM removed_metadata WHERE account_key = $1",
        "DELETE FROM mailbox_keyword WHERE mailbox_key IN (SELECT mailbox_key FROM removed_mailbox WHERE account_key = $1)",
        "DELETE FROM removed_mailbox WHERE account_key = $1",
    ] {
        sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
    }
    Ok(())
}

fn removed_mailbox(row: &AnyRow) -> Result<RemovedMailbox, StoreError> {
    Ok(RemovedMailbox {
        mailbox: MailboxKey::new(row.try_get(0)?),
        name: mailbox_name(&row.try_get::<String, _>(1)?)?,
        removed_at: Timestamp::from_millis(row.try_get(2)?),
        messages: unsigned(row.try_get(3)?)?,
    })
}

fn removed_message(row: &AnyRow) -> Result<RemovedMessage, StoreError> {
    let seconds: i64 = row.try_get(5)?;
    Ok(RemovedMessage {
        message: MessageKey::new(row.try_get(0)?),
        mailbox: MailboxKey::new(row.try_get(1)?),
        mailbox_name: mailbox_name(&row.try_get::<String, _>(2)?)?,
        has_mailbox: row.try_get::<i64, _>(3)? != 0,
        size_octets: unsigned(row.try_get(4)?)?,
        internal_date: Timestamp::from_millis(seconds.saturating_mul(1000)),
        removed_at: Timestamp::from_millis(row.try_get(6)?),
        head: Bytes::from(row.try_get::<Vec<u8>, _>(7)?),
        preview: row.try_get(8)?,
    })
}
