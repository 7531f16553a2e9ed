//! Mailboxes (folders): made, renamed, removed, subscribed, counted.

use relais_model::{MailboxName, ModSeq, SpecialUse, Timestamp, UidSet, UidValidity};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::Store;
use crate::error::StoreError;
use crate::key::{AccountKey, Keys, MailboxKey};
use crate::news::Happened;
use crate::removed::{give_notes, hide, recall, remember_mailbox};
use crate::sharing;
use crate::view::load::{narrow, uid_validity, unsigned};
use crate::view::{MailboxChange, What, mod_seq};

/// Mailboxes an account may have.
pub const MAX_MAILBOXES: usize = 10_000;

/// What each account has from the start.
const STANDARD: [(&str, Option<SpecialUse>); 6] = [
    ("INBOX", None),
    ("Drafts", Some(SpecialUse::Drafts)),
    ("Sent", Some(SpecialUse::Sent)),
    ("Junk", Some(SpecialUse::Junk)),
    ("Trash", Some(SpecialUse::Trash)),
    ("Archive", Some(SpecialUse::Archive)),
];

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Its row.
    pub key: MailboxKey,
    /// Whose it is.
    pub account: AccountKey,
    /// Its full name.
    pub name: MailboxName,
    /// MAILBOXID (RFC 8474): stays through renames.
    pub mailbox_id: String,
    /// The epoch of its UIDs.
    pub uid_validity: UidValidity,
    /// What it is for (RFC 6154).
    pub special_use: Option<SpecialUse>,
    /// Whether LSUB shows it.
    pub is_subscribed: bool,
}

/// A mailbox with its counts: STATUS (RFC 9051 §6.3.11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxStatus {
    /// Which.
    pub mailbox: Mailbox,
    /// MESSAGES.
    pub messages: u64,
    /// UNSEEN.
    pub unseen: u64,
    /// DELETED.
    pub deleted: u64,
    /// RECENT (RFC 3501): what no session has been told of.
    pub recent: u32,
    /// SIZE.
    pub size_octets: u64,
    /// UIDNEXT.
    pub uid_next: u32,
    /// HIGHESTMODSEQ.
    pub highest_mod_seq: ModSeq,
}

/// What an account uses and may use (RFC 9208 §5): STORAGE and MESSAGE. Its domain may have less room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// In octets; a message in two mailboxes counts twice.
    pub used_octets: u64,
    /// None: as much as the disk holds.
    pub limit_octets: Option<u64>,
    /// Messages in all mailboxes.
    pub used_messages: u64,
    /// None: as many as there is room for.
    pub limit_messages: Option<u64>,
}

/// Why a mailbox was not made, renamed or removed. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MailboxError {
    /// RFC 9051: ALREADYEXISTS.
    #[error("the mailbox exists")]
    Exists,
    /// RFC 9051: NONEXISTENT.
    #[error("there is no such mailbox")]
    NotFound,
    /// INBOX cannot be deleted, nor be made by renaming (RFC 9051: CANNOT).
    #[error("INBOX stays where it is")]
    Inbox,
    /// A mailbox cannot be put below itself (RFC 9051: CANNOT).
    #[error("a mailbox cannot be moved below itself")]
    BelowItself,
    /// Another mailbox has this use, or this mailbox another one (RFC 6154: USEATTR).
    #[error("another mailbox has this use")]
    UseTaken,
    /// A name would be longer than names may be.
    #[error("a name would be too long")]
    TooLong,
    /// The account has [`MAX_MAILBOXES`] (RFC 9051: LIMIT).
    #[error("the account has as many mailboxes as it may have")]
    Limit,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for MailboxError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

macro_rules! status_sql {
    ($tail:literal) => {
        status_sql!(
            "(SELECT COUNT(*) FROM entry e WHERE e.mailbox_key = m.mailbox_key AND e.uid >= m.recent_from)",
            $tail
        )
    };
    ($recent:literal, $tail:literal) => {
        concat!(
            "SELECT m.mailbox_key, m.account_key, m.name, m.special_use, m.uid_validity, m.uid_next, m.highest_mod_seq,
                    m.messages, m.unseen, m.deleted, m.recent_from, m.size_octets,
                    CASE WHEN s.name IS NULL THEN 0 ELSE 1 END, ",
            $recent,
            " FROM mailbox m LEFT JOIN subscription s ON s.account_key = m.account_key AND s.name = m.name
             WHERE m.account_key = $1 ",
            $tail
        )
    };
}

impl Store {
    /// All mailboxes of an account, by name.
    pub async fn mailboxes(&self, account: AccountKey) -> Result<Vec<MailboxStatus>, StoreError> {
        let rows = sqlx::query(status_sql!("ORDER BY m.name"))
            .bind(account.value())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(|row| self.status(row)).collect()
    }

    /// The same, without `recent`, which is 0: to count it is to look at each message that no IMAP client has seen yet.
    pub async fn mailboxes_uncounted(&self, account: AccountKey) -> Result<Vec<MailboxStatus>, StoreError> {
        let rows = sqlx::query(status_sql!("0", "ORDER BY m.name"))
            .bind(account.value())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(status).collect()
    }

    /// One mailbox by its name.
    pub async fn mailbox(&self, account: AccountKey, name: &MailboxName) -> Result<Option<MailboxStatus>, StoreError> {
        let query = sqlx::query(status_sql!("AND m.name = $2")).bind(account.value()).bind(name.as_str().to_owned());
        query.fetch_optional(&mut *self.reader().await?).await?.as_ref().map(|row| self.status(row)).transpose()
    }

    /// Whoever looks at a mailbox has taken its recent messages in memory; the row hears of it later.
    fn status(&self, row: &AnyRow) -> Result<MailboxStatus, StoreError> {
        let mut status = status(row)?;
        if let Some(view) = self.inner.views.live(status.mailbox.key) {
            let from = view.recent_from();
            let recent = view.read(|rows| rows.range(from, u32::MAX).len());
            status.recent = u32::try_from(recent).unwrap_or(u32::MAX);
        }
        Ok(status)
    }

    /// The names an account has subscribed to, in order; also those that no mailbox has (RFC 9051 §6.3.7).
    pub async fn subscriptions(&self, account: AccountKey) -> Result<Vec<MailboxName>, StoreError> {
        let rows = sqlx::query("SELECT name FROM subscription WHERE account_key = $1 ORDER BY name")
            .bind(account.value())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(|row| mailbox_name(&row.try_get::<String, _>(0)?)).collect()
    }

    /// Subscribes to a name, whether it is there or not.
    pub async fn subscribe(&self, account: AccountKey, name: &MailboxName) -> Result<(), StoreError> {
        let text = name.as_str().to_owned();
        self.write(move |tx| Box::pin(subscribe(tx, account, text))).await?;
        self.tell(account, Happened::Subscribed(name.clone()));
        Ok(())
    }

    /// Takes a subscription away; it is no error when there is none.
    pub async fn unsubscribe(&self, account: AccountKey, name: &MailboxName) -> Result<(), StoreError> {
        let text = name.as_str().to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let query = sqlx::query("DELETE FROM subscription WHERE account_key = $1 AND name = $2");
                query.bind(account.value()).bind(text).execute(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await?;
        self.tell(account, Happened::Unsubscribed(name.clone()));
        Ok(())
    }

    /// Makes a mailbox, and those above it that are missing (RFC 9051 §6.3.4). Each is shared with whom the one above it is shared (RFC 4314
    /// §4).
    pub async fn create_mailbox(
        &self,
        account: AccountKey,
        name: &MailboxName,
        special_use: Option<SpecialUse>,
    ) -> Result<MailboxStatus, MailboxError> {
        self.create(account, name, special_use, Made::ByOwner).await
    }

    /// As [`Store::create_mailbox`], in an account of another's: what stands below nothing is shared as INBOX is, so that who made it sees
    /// it.
    pub async fn create_shared_mailbox(
        &self,
        owner: AccountKey,
        name: &MailboxName,
    ) -> Result<MailboxStatus, MailboxError> {
        self.create(owner, name, None, Made::ByOther).await
    }

    async fn create(
        &self,
        account: AccountKey,
        name: &MailboxName,
        special_use: Option<SpecialUse>,
        made: Made,
    ) -> Result<MailboxStatus, MailboxError> {
        let (keys, now, wanted) = (self.inner.keys.clone(), self.now(), name.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let maker = Maker { keys: &keys, now, account, made };
                create_with_parents(tx, &maker, &wanted, special_use).await
            })
        })
        .await?;
        self.tell(account, Happened::Created(name.clone()));
        self.mailbox(account, name).await?.ok_or(MailboxError::NotFound)
    }

    /// Removes a mailbox and its messages; both can be taken back ([`Store::restore_mailbox`], [`Store::restore_removed`]). Those below it stay (RFC 9051 §6.3.5).
    pub async fn delete_mailbox(&self, account: AccountKey, name: &MailboxName) -> Result<(), MailboxError> {
        if name.is_inbox() {
            return Err(MailboxError::Inbox);
        }
        let (text, now) = (name.as_str().to_owned(), self.now());
        self.write_news(move |tx| {
            Box::pin(async move { Ok::<_, MailboxError>(((), vec![delete(tx, account, text, now).await?])) })
        })
        .await?;
        self.tell(account, Happened::Deleted(name.clone()));
        Ok(())
    }

    /// Makes a deleted mailbox again, as `name`, with its use, its subscription and its notes as far as they are known and free; what has this
    /// name already is taken as it is. What was in it is brought back by itself ([`Store::restore_removed`]), and with whom it was shared its
    /// owner says again.
    pub async fn restore_mailbox(
        &self,
        account: AccountKey,
        removed: MailboxKey,
        name: &MailboxName,
    ) -> Result<MailboxKey, MailboxError> {
        let (keys, now, wanted) = (self.inner.keys.clone(), self.now(), name.clone());
        let (mailbox, happened) = self
            .write(move |tx| {
                Box::pin(async move {
                    let maker = Maker { keys: &keys, now, account, made: Made::ByOwner };
                    restore(tx, &maker, removed, wanted).await
                })
            })
            .await?;
        if !happened.is_empty() {
            // One of its notes may name a script.
            self.inner.scripts.forget();
        }
        for happened in happened {
            self.tell(account, happened);
        }
        Ok(mailbox)
    }

    /// Renames a mailbox with all below it; a level that is no mailbox (any more) has only those. From INBOX its messages are moved to the new name and INBOX stays, empty
    /// (RFC 9051 §6.3.6).
    pub async fn rename_mailbox(
        &self,
        account: AccountKey,
        from: &MailboxName,
        to: &MailboxName,
    ) -> Result<(), MailboxError> {
        if to.is_inbox() {
            return Err(MailboxError::Exists);
        }
        if to.is_below(from) && !from.is_inbox() {
            return Err(MailboxError::BelowItself);
        }
        let (keys, now) = (self.inner.keys.clone(), self.now());
        // INBOX stays: what it was renamed to is new (RFC 5465 §5.4).
        let happened = if from.is_inbox() {
            Happened::Created(to.clone())
        } else {
            Happened::Renamed { from: from.clone(), to: to.clone() }
        };
        let (from, to) = (from.clone(), to.clone());
        self.write_news(move |tx| {
            Box::pin(async move {
                create_parents(tx, &Maker { keys: &keys, now, account, made: Made::ByOwner }, &to).await?;
                if from.is_inbox() {
                    return Ok(((), vec![empty_inbox(tx, &keys, now, account, &to).await?]));
                }
                rename(tx, account, &from, &to).await?;
                Ok::<_, MailboxError>(((), Vec::new()))
            })
        })
        .await?;
        self.tell(account, happened);
        Ok(())
    }

    /// Gives a mailbox a use, which is taken from the mailbox that had it: one mailbox has it here, though RFC 6154 §2 allows more. Tells which
    /// one had it; what is in either stays there.
    ///
    /// # Errors
    /// `NotFound`; `Inbox`, which has no use; `UseTaken`: it has another one, which no mailbox would have then.
    pub async fn give_use(
        &self,
        account: AccountKey,
        mailbox: MailboxKey,
        special_use: SpecialUse,
    ) -> Result<Option<MailboxKey>, MailboxError> {
        self.write(move |tx| Box::pin(give_use(tx, account, mailbox, special_use))).await
    }

    /// What an account uses and may use; none where there is no such account.
    pub async fn quota(&self, account: AccountKey) -> Result<Option<Quota>, StoreError> {
        let row = sqlx::query(
            "SELECT used_octets, quota_octets, used_messages, quota_messages FROM account WHERE account_key = $1",
        )
        .bind(account.value())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Quota {
            used_octets: unsigned(row.try_get(0)?)?,
            limit_octets: row.try_get::<Option<i64>, _>(1)?.map(unsigned).transpose()?,
            used_messages: unsigned(row.try_get(2)?)?,
            limit_messages: row.try_get::<Option<i64>, _>(3)?.map(unsigned).transpose()?,
        }))
    }
}

/// Makes INBOX and the others that each account has, subscribed.
pub(crate) async fn create_standard(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    account: AccountKey,
) -> Result<(), sqlx::Error> {
    for (name, special_use) in STANDARD {
        insert(tx, keys, now, account, name, special_use).await?;
        subscribe_now(tx, account, name.to_owned()).await?;
    }
    Ok(())
}

/// Removes all mailboxes of an account and what is in them. Returns what must be told to views once it is durable.
pub(crate) async fn remove_all(tx: &mut AnyConnection, account: AccountKey) -> Result<Vec<MailboxChange>, sqlx::Error> {
    sharing::forget_account(tx, account).await?;
    for statement in [
        "DELETE FROM entry WHERE mailbox_key IN (SELECT mailbox_key FROM mailbox WHERE account_key = $1)",
        "DELETE FROM mailbox_keyword WHERE mailbox_key IN (SELECT mailbox_key FROM mailbox WHERE account_key = $1)",
        "DELETE FROM expunged WHERE mailbox_key IN (SELECT mailbox_key FROM mailbox WHERE account_key = $1)",
        "DELETE FROM metadata WHERE account_key = $1",
        "DELETE FROM subscription WHERE account_key = $1",
    ] {
        sqlx::query(statement).bind(account.value()).execute(&mut *tx).await?;
    }
    let rows = sqlx::query("DELETE FROM mailbox WHERE account_key = $1 RETURNING mailbox_key, highest_mod_seq")
        .bind(account.value())
        .fetch_all(tx)
        .await?;
    rows.iter().map(|row| Ok(gone(account, row.try_get(0)?, row.try_get(1)?))).collect()
}

fn gone(account: AccountKey, mailbox: i64, highest: i64) -> MailboxChange {
    let mod_seq = u64::try_from(highest).unwrap_or_default().saturating_add(1);
    MailboxChange { account, mailbox: MailboxKey::new(mailbox), mod_seq, what: What::Gone }
}

/// As a row has it.
pub(crate) fn mailbox_name(text: &str) -> Result<MailboxName, StoreError> {
    MailboxName::parse(text).map_err(|error| StoreError::damaged(format!("the mailbox name {text:?}: {error}")))
}

/// From the 14 columns of a status.
pub(crate) fn status(row: &AnyRow) -> Result<MailboxStatus, StoreError> {
    let key = MailboxKey::new(row.try_get(0)?);
    let number = |column: usize| -> Result<u64, StoreError> { unsigned(row.try_get(column)?) };
    Ok(MailboxStatus {
        mailbox: Mailbox {
            key,
            account: AccountKey::new(row.try_get(1)?),
            name: mailbox_name(&row.try_get::<String, _>(2)?)?,
            mailbox_id: key.mailbox_id(),
            uid_validity: uid_validity(row.try_get(4)?)?,
            special_use: row.try_get::<Option<String>, _>(3)?.as_deref().and_then(SpecialUse::parse),
            is_subscribed: number(12)? != 0,
        },
        messages: number(7)?,
        unseen: number(8)?,
        deleted: number(9)?,
        recent: narrow(number(13)?)?,
        size_octets: number(11)?,
        uid_next: narrow(number(5)?)?,
        highest_mod_seq: mod_seq(number(6)?),
    })
}

async fn subscribe(tx: &mut AnyConnection, account: AccountKey, name: String) -> Result<(), StoreError> {
    Ok(subscribe_now(tx, account, name).await?)
}

async fn subscribe_now(tx: &mut AnyConnection, account: AccountKey, name: String) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO subscription (account_key, name) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(account.value())
        .bind(name)
        .execute(tx)
        .await?;
    Ok(())
}

/// A UIDVALIDITY that no mailbox has had: the time in seconds, or one more than the last.
async fn take_uid_validity(tx: &mut AnyConnection, now: Timestamp) -> Result<i64, sqlx::Error> {
    sqlx::query(
        "UPDATE counter SET value = CASE WHEN value < $1 THEN $1 ELSE value + 1 END WHERE name = 'uid_validity'
         RETURNING value",
    )
    .bind(now.seconds().clamp(1, i64::from(u32::MAX) / 2))
    .fetch_one(tx)
    .await?
    .try_get(0)
}

async fn insert(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    account: AccountKey,
    name: &str,
    special_use: Option<SpecialUse>,
) -> Result<MailboxKey, sqlx::Error> {
    let validity = take_uid_validity(tx, now).await?;
    let key = keys.next(now);
    sqlx::query(
        "INSERT INTO mailbox (mailbox_key, account_key, name, special_use, uid_validity, uid_next, highest_mod_seq,
                              expunged_floor, messages, unseen, deleted, recent_from, size_octets)
         VALUES ($1, $2, $3, $4, $5, 1, 1, 1, 0, 0, 0, 1, 0)",
    )
    .bind(key)
    .bind(account.value())
    .bind(name.to_owned())
    .bind(special_use.map(|special_use| special_use.as_str().to_owned()))
    .bind(validity)
    .execute(tx)
    .await?;
    Ok(MailboxKey::new(key))
}

async fn find(tx: &mut AnyConnection, account: AccountKey, name: &str) -> Result<Option<i64>, sqlx::Error> {
    let row = sqlx::query("SELECT mailbox_key FROM mailbox WHERE account_key = $1 AND name = $2")
        .bind(account.value())
        .bind(name.to_owned())
        .fetch_optional(tx)
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

async fn check_limit(tx: &mut AnyConnection, account: AccountKey) -> Result<(), MailboxError> {
    let row = sqlx::query("SELECT COUNT(*) FROM mailbox WHERE account_key = $1").bind(account.value());
    let count: i64 = row.fetch_one(tx).await?.try_get(0)?;
    if usize::try_from(count).is_ok_and(|count| count < MAX_MAILBOXES) { Ok(()) } else { Err(MailboxError::Limit) }
}

/// Who makes mailboxes: what they are shared with follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    ByOwner,
    ByOther,
}

/// What making mailboxes of an account takes.
struct Maker<'a> {
    keys: &'a Keys,
    now: Timestamp,
    account: AccountKey,
    made: Made,
}

impl Maker<'_> {
    /// Makes one that is missing, below one that is there.
    async fn make(
        &self,
        tx: &mut AnyConnection,
        name: &MailboxName,
        special_use: Option<SpecialUse>,
    ) -> Result<MailboxKey, MailboxError> {
        check_limit(tx, self.account).await?;
        let made = insert(tx, self.keys, self.now, self.account, name.as_str(), special_use).await?;
        let above = match name.parent() {
            Some(parent) => find(tx, self.account, parent.as_str()).await?,
            None if self.made == Made::ByOther => find(tx, self.account, "INBOX").await?,
            None => None,
        };
        if let Some(above) = above {
            sharing::inherit(tx, above, made.value()).await?;
        }
        Ok(made)
    }
}

async fn create_parents(tx: &mut AnyConnection, maker: &Maker<'_>, name: &MailboxName) -> Result<(), MailboxError> {
    let mut parents: Vec<MailboxName> = std::iter::successors(name.parent(), MailboxName::parent).collect();
    parents.reverse();
    for parent in parents {
        if find(tx, maker.account, parent.as_str()).await?.is_none() {
            maker.make(tx, &parent, None).await?;
        }
    }
    Ok(())
}

async fn create_with_parents(
    tx: &mut AnyConnection,
    maker: &Maker<'_>,
    name: &MailboxName,
    special_use: Option<SpecialUse>,
) -> Result<(), MailboxError> {
    if find(tx, maker.account, name.as_str()).await?.is_some() {
        return Err(MailboxError::Exists);
    }
    if is_use_taken(tx, maker.account, special_use).await? {
        return Err(MailboxError::UseTaken);
    }
    create_parents(tx, maker, name).await?;
    maker.make(tx, name, special_use).await?;
    Ok(())
}

async fn is_use_taken(
    tx: &mut AnyConnection,
    account: AccountKey,
    special_use: Option<SpecialUse>,
) -> Result<bool, sqlx::Error> {
    let Some(special_use) = special_use else { return Ok(false) };
    let query = sqlx::query("SELECT mailbox_key FROM mailbox WHERE account_key = $1 AND special_use = $2");
    let query = query.bind(account.value()).bind(special_use.as_str().to_owned());
    Ok(query.fetch_optional(tx).await?.is_some())
}

async fn give_use(
    tx: &mut AnyConnection,
    account: AccountKey,
    mailbox: MailboxKey,
    special_use: SpecialUse,
) -> Result<Option<MailboxKey>, MailboxError> {
    let query = sqlx::query("SELECT name, special_use FROM mailbox WHERE account_key = $1 AND mailbox_key = $2");
    let query = query.bind(account.value()).bind(mailbox.value());
    let Some(row) = query.fetch_optional(&mut *tx).await? else { return Err(MailboxError::NotFound) };
    let (name, has): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    if mailbox_name(&name)?.is_inbox() {
        return Err(MailboxError::Inbox);
    }
    match has.as_deref() {
        Some(has) if has == special_use.as_str() => return Ok(Some(mailbox)),
        Some(_) => return Err(MailboxError::UseTaken),
        None => {}
    }
    let before = sqlx::query(
        "UPDATE mailbox SET special_use = NULL WHERE account_key = $1 AND special_use = $2 RETURNING mailbox_key",
    )
    .bind(account.value())
    .bind(special_use.as_str().to_owned())
    .fetch_optional(&mut *tx)
    .await?;
    let query = sqlx::query("UPDATE mailbox SET special_use = $1 WHERE mailbox_key = $2");
    query.bind(special_use.as_str().to_owned()).bind(mailbox.value()).execute(tx).await?;
    let Some(before) = before else { return Ok(None) };
    Ok(Some(MailboxKey::new(before.try_get(0)?)))
}

/// Gives the mailbox, and what is to be told of it: nothing where the name was taken.
async fn restore(
    tx: &mut AnyConnection,
    maker: &Maker<'_>,
    removed: MailboxKey,
    name: MailboxName,
) -> Result<(MailboxKey, Vec<Happened>), MailboxError> {
    let account = maker.account;
    if let Some(there) = find(tx, account, name.as_str()).await? {
        hide(tx, account, removed).await?;
        return Ok((MailboxKey::new(there), Vec::new()));
    }
    let recalled = recall(tx, account, removed).await?;
    let is_taken = is_use_taken(tx, account, recalled.special_use).await?;
    create_parents(tx, maker, &name).await?;
    let made = maker.make(tx, &name, recalled.special_use.filter(|_| !is_taken)).await?;
    give_notes(tx, account, removed, made).await?;
    hide(tx, account, removed).await?;
    let mut happened = vec![Happened::Created(name.clone())];
    if recalled.is_subscribed {
        subscribe_now(tx, account, name.as_str().to_owned()).await?;
        happened.push(Happened::Subscribed(name));
    }
    Ok((made, happened))
}

async fn delete(
    tx: &mut AnyConnection,
    account: AccountKey,
    name: String,
    now: Timestamp,
) -> Result<MailboxChange, MailboxError> {
    let row = sqlx::query(
        "DELETE FROM mailbox WHERE account_key = $1 AND name = $2
         RETURNING mailbox_key, highest_mod_seq, messages, size_octets, special_use",
    )
    .bind(account.value())
    .bind(name.clone())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Err(MailboxError::NotFound) };
    let key: i64 = row.try_get(0)?;
    remember_mailbox(tx, account, (key, &name, row.try_get(4)?), now).await?;
    sharing::forget_mailbox(tx, key).await?;
    for statement in [
        "DELETE FROM entry WHERE mailbox_key = $1",
        "DELETE FROM expunged WHERE mailbox_key = $1",
        "DELETE FROM metadata WHERE mailbox_key = $1",
    ] {
        sqlx::query(statement).bind(key).execute(&mut *tx).await?;
    }
    sqlx::query(
        "UPDATE account SET used_octets = used_octets - $1, used_messages = used_messages - $2 WHERE account_key = $3",
    )
    .bind(row.try_get::<i64, _>(3)?)
    .bind(row.try_get::<i64, _>(2)?)
    .bind(account.value())
    .execute(tx)
    .await?;
    Ok(gone(account, key, row.try_get(1)?))
}

async fn rename(
    tx: &mut AnyConnection,
    account: AccountKey,
    from: &MailboxName,
    to: &MailboxName,
) -> Result<(), MailboxError> {
    let rows = sqlx::query("SELECT mailbox_key, name FROM mailbox WHERE account_key = $1 ORDER BY name")
        .bind(account.value())
        .fetch_all(&mut *tx)
        .await?;
    let mut renamed = Vec::new();
    for row in &rows {
        let name = mailbox_name(&row.try_get::<String, _>(1)?)?;
        if name == *to || name.is_below(to) {
            return Err(MailboxError::Exists);
        }
        if let Some(rest) = (name == *from || name.is_below(from)).then(|| name.as_str().get(from.as_str().len()..)) {
            let new = format!("{to}{}", rest.unwrap_or_default());
            let new = MailboxName::parse(&new).map_err(|_| MailboxError::TooLong)?;
            renamed.push((row.try_get::<i64, _>(0)?, new));
        }
    }
    if renamed.is_empty() {
        return Err(MailboxError::NotFound);
    }
    for (key, new) in renamed {
        let query = sqlx::query("UPDATE mailbox SET name = $1 WHERE mailbox_key = $2");
        query.bind(new.as_str().to_owned()).bind(key).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Gives INBOX's messages to a new mailbox, where they keep their UIDs: its UIDVALIDITY is another.
async fn empty_inbox(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    account: AccountKey,
    to: &MailboxName,
) -> Result<MailboxChange, MailboxError> {
    if find(tx, account, to.as_str()).await?.is_some() {
        return Err(MailboxError::Exists);
    }
    let inbox = find(tx, account, "INBOX").await?.ok_or(MailboxError::NotFound)?;
    check_limit(tx, account).await?;
    let new = insert(tx, keys, now, account, to.as_str(), None).await?.value();
    for statement in [
        "UPDATE mailbox SET uid_next = o.uid_next, highest_mod_seq = o.highest_mod_seq, messages = o.messages,
                unseen = o.unseen, deleted = o.deleted, recent_from = o.recent_from, size_octets = o.size_octets
         FROM mailbox o WHERE mailbox.mailbox_key = $1 AND o.mailbox_key = $2",
        "INSERT INTO mailbox_keyword (mailbox_key, bit, name)
         SELECT CAST($1 AS BIGINT), bit, name FROM mailbox_keyword WHERE mailbox_key = $2",
        "UPDATE entry SET mailbox_key = $1 WHERE mailbox_key = $2",
        "UPDATE seen SET mailbox_key = $1 WHERE mailbox_key = $2",
        // RFC 5464 §4.1: INBOX keeps its notes, too.
        "INSERT INTO metadata (account_key, mailbox_key, name, value)
         SELECT account_key, CAST($1 AS BIGINT), name, value FROM metadata WHERE mailbox_key = $2",
    ] {
        sqlx::query(statement).bind(new).bind(inbox).execute(&mut *tx).await?;
    }
    let row = sqlx::query(
        "UPDATE mailbox SET messages = 0, unseen = 0, deleted = 0, size_octets = 0, recent_from = uid_next,
                highest_mod_seq = highest_mod_seq + 1
         WHERE mailbox_key = $1 RETURNING uid_next, highest_mod_seq",
    )
    .bind(inbox)
    .fetch_one(&mut *tx)
    .await?;
    let (uid_next, highest) = (row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?);
    let last = narrow(unsigned(uid_next)?)?.saturating_sub(1);
    let mut uids = UidSet::new();
    if last > 0 {
        uids.insert_run(1, last);
        sqlx::query("INSERT INTO expunged (mailbox_key, mod_seq, first_uid, last_uid) VALUES ($1, $2, 1, $3)")
            .bind(inbox)
            .bind(highest)
            .bind(i64::from(last))
            .execute(tx)
            .await?;
    }
    let what = What::Vanished(uids);
    Ok(MailboxChange { account, mailbox: MailboxKey::new(inbox), mod_seq: unsigned(highest)?, what })
}
