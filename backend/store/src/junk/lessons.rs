//! What people's acts teach: noted in the act's own transaction, learnt later.

use relais_model::{Flag, SpecialUse, Timestamp};
use sqlx::Row as _;

use crate::sql::{self, Statement};
use crate::{AccountKey, MessageKey, Store, StoreError};

/// What an act of an account said of a message, and its filter hasn't learnt yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lesson {
    /// Whose filter.
    pub account: AccountKey,
    /// Of which message.
    pub message: MessageKey,
    /// It is junk.
    pub is_junk: bool,
    /// What the filter learnt of it before; it is to be taken back.
    pub learnt: Option<bool>,
}

/// What an account's filter has learnt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JunkModel {
    /// As the filter writes it.
    pub octets: Vec<u8>,
    /// From how many messages.
    pub counts: LearntCounts,
}

/// A state of an account's model: it differs from any other that the account's model was in, but for what was learnt and taken back within a
/// millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelVersion {
    pub(super) changed_at: Timestamp,
    pub(super) ham: u64,
    pub(super) junk: u64,
}

/// Messages that a filter has learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LearntCounts {
    /// That are wanted.
    pub ham: u64,
    /// That are not.
    pub junk: u64,
}

/// A lesson in the making: what an act on a mailbox says of its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Teaching {
    is_junk: bool,
}

impl Teaching {
    /// What a move or copy between mailboxes says. Who throws junk away says nothing new.
    pub(crate) fn of_copy(from: Option<SpecialUse>, to: Option<SpecialUse>) -> Option<Self> {
        match (from, to) {
            (Some(SpecialUse::Junk), Some(SpecialUse::Junk | SpecialUse::Trash)) => None,
            (_, Some(SpecialUse::Junk)) => Some(Self { is_junk: true }),
            (Some(SpecialUse::Junk), _) => Some(Self { is_junk: false }),
            _ => None,
        }
    }

    /// What flags say that were added: `$Junk` and `$NotJunk` (in IANA's registry of keywords), what older clients write for them, and an answer.
    pub(crate) fn of_flags(added: &[Flag], mailbox: Option<SpecialUse>) -> Option<Self> {
        added.iter().find_map(|flag| match flag {
            Flag::Keyword(keyword) => match keyword.as_str().to_ascii_lowercase().as_str() {
                "$junk" | "junk" => Some(Self { is_junk: true }),
                "$notjunk" | "notjunk" | "nonjunk" => Some(Self { is_junk: false }),
                _ => None,
            },
            Flag::System(relais_model::SystemFlag::Answered) if mailbox != Some(SpecialUse::Junk) => {
                Some(Self { is_junk: false })
            }
            Flag::System(_) => None,
        })
    }

    /// Notes it of messages.
    pub(crate) fn note(self, account: AccountKey, messages: &[MessageKey], now: Timestamp) -> Vec<Statement> {
        let mut messages = messages.to_vec();
        messages.sort_unstable();
        messages.dedup();
        let head = "INSERT INTO lesson (account_key, message_key, is_junk, at)";
        let tail = " ON CONFLICT (account_key, message_key) DO UPDATE SET is_junk = excluded.is_junk, at = excluded.at";
        let bind = |statement: Statement, message: &MessageKey| {
            let statement = statement.bind(account.value()).bind(message.value());
            statement.bind(i64::from(self.is_junk)).bind(now.millis())
        };
        sql::insert(head, 4, tail, &messages, bind)
    }
}

impl Store {
    /// Lessons that are due, of one account: `limit` at most.
    pub async fn lessons_due(&self, limit: u32) -> Result<Vec<Lesson>, StoreError> {
        let sql = "SELECT account_key, message_key, is_junk, learnt FROM lesson
                   WHERE (learnt IS NULL OR learnt <> is_junk) AND account_key =
                       (SELECT MIN(account_key) FROM lesson WHERE learnt IS NULL OR learnt <> is_junk)
                   ORDER BY message_key LIMIT $1";
        let rows = sqlx::query(sql).bind(i64::from(limit)).fetch_all(&mut *self.reader().await?).await?;
        let lesson = |row: &sqlx::any::AnyRow| {
            Ok(Lesson {
                account: AccountKey::new(row.try_get(0)?),
                message: MessageKey::new(row.try_get(1)?),
                is_junk: row.try_get::<i64, _>(2)? != 0,
                learnt: row.try_get::<Option<i64>, _>(3)?.map(|learnt| learnt != 0),
            })
        };
        rows.iter().map(lesson).collect()
    }

    /// What an account's filter has learnt; none: nothing.
    pub async fn junk_model(&self, account: AccountKey) -> Result<Option<JunkModel>, StoreError> {
        let sql = "SELECT model, learnt_ham, learnt_junk FROM junk_model WHERE account_key = $1";
        let query = sqlx::query(sql).bind(account.value());
        let Some(row) = query.fetch_optional(&mut *self.reader().await?).await? else { return Ok(None) };
        let count = |column: usize| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
        Ok(Some(JunkModel { octets: row.try_get(0)?, counts: LearntCounts { ham: count(1)?, junk: count(2)? } }))
    }

    /// From how many messages an account's filter has learnt.
    pub async fn learnt_counts(&self, account: AccountKey) -> Result<LearntCounts, StoreError> {
        let sql = "SELECT learnt_ham, learnt_junk FROM junk_model WHERE account_key = $1";
        let query = sqlx::query(sql).bind(account.value());
        let Some(row) = query.fetch_optional(&mut *self.reader().await?).await? else {
            return Ok(LearntCounts::default());
        };
        let count = |column: usize| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
        Ok(LearntCounts { ham: count(0)?, junk: count(1)? })
    }

    /// Keeps what an account's filter has learnt now, and that it was. A lesson that changed meanwhile stays due.
    pub async fn keep_learnt(
        &self,
        account: AccountKey,
        model: JunkModel,
        lessons: Vec<Lesson>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |tx| {
            Box::pin(async move {
                // Who was removed for good meanwhile has nothing to learn.
                let sql = "INSERT INTO junk_model (account_key, model, learnt_ham, learnt_junk, changed_at)
                           SELECT account_key, $2, $3, $4, $5 FROM account WHERE account_key = $1
                           ON CONFLICT (account_key) DO UPDATE SET model = excluded.model, learnt_ham = excluded.learnt_ham,
                               learnt_junk = excluded.learnt_junk, changed_at = excluded.changed_at";
                let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
                sqlx::query(sql)
                    .bind(account.value())
                    .bind(model.octets)
                    .bind(count(model.counts.ham))
                    .bind(count(model.counts.junk))
                    .bind(now.millis())
                    .execute(&mut *tx)
                    .await?;
                let sql = "UPDATE lesson SET learnt = $3 WHERE account_key = $1 AND message_key = $2";
                for lesson in lessons {
                    sqlx::query(sql)
                        .bind(account.value())
                        .bind(lesson.message.value())
                        .bind(i64::from(lesson.is_junk))
                        .execute(&mut *tx)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Forgets all that an account's filter has learnt, and what it was to learn, and who sent what the account has read.
    pub async fn forget_learnt(&self, account: AccountKey) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                for sql in [
                    "DELETE FROM junk_model WHERE account_key = $1",
                    "DELETE FROM lesson WHERE account_key = $1",
                    "DELETE FROM reading WHERE account_key = $1",
                    "DELETE FROM reputation WHERE account_key = $1",
                ] {
                    sqlx::query(sql).bind(account.value()).execute(&mut *tx).await?;
                }
                Ok(())
            })
        })
        .await
    }
}
