//! Looking at the queue, and acting on it by hand.

use relais_model::{Address, Domain, ReversePath};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, Row};

use super::settle::delete_recipients;
use super::{NewTrace, QueueState, QueuedMessage, QueuedRecipient, TraceId, TraceKind};
use super::{message_columns, read_message, read_recipient, read_reverse_path, recipient_columns, trace_accepted};
use crate::directory::read_address;
use crate::page::{Listing, Page};
use crate::transaction::Transaction;
use crate::{RecipientKey, Store, StoreError};

/// Which recipients are meant; none of a thing means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFilter {
    /// Those of the message with this id.
    pub trace: Option<TraceId>,
    /// Those in this state.
    pub state: Option<QueueState>,
    /// Those at this domain.
    pub destination: Option<Domain>,
    /// This one, as it was spelled.
    pub recipient: Option<Address>,
    /// Those of messages with this reverse-path, as it was spelled.
    pub sender: Option<ReversePath>,
}

/// One line of the queue's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEntry {
    /// What it shares with others.
    pub message: QueuedMessage,
    /// Who it is for.
    pub recipient: QueuedRecipient,
}

/// How many recipients the queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueCounts {
    /// Their time will come.
    pub waiting: u64,
    /// Stopped by someone.
    pub held: u64,
    /// Being tried.
    pub claimed: u64,
}

/// Rows of `r` with their message `q` that a [`QueueFilter`] means: its values are $1 to $5, bound by [`bind`].
macro_rules! meant {
    () => {
        "queued_recipient AS r JOIN queued AS q ON q.queue_key = r.queue_key
         WHERE ($1 IS NULL OR q.trace = $1) AND ($2 IS NULL OR r.state = $2) AND ($3 IS NULL OR r.destination = $3)
           AND ($4 IS NULL OR r.address = $4) AND ($5 IS NULL OR q.reverse_path = $5)"
    };
}

impl Store {
    /// The queue in the order of coming; the recipients of one message by its trace id.
    pub async fn queue_list(&self, filter: &QueueFilter, page: &Page) -> Result<Listing<QueueEntry>, StoreError> {
        let sql = concat!(
            "SELECT ",
            message_columns!(),
            ", ",
            recipient_columns!("r."),
            " FROM ",
            meant!(),
            " AND r.recipient_key > $6 ORDER BY r.recipient_key LIMIT $7"
        );
        let after = page.after.as_deref().and_then(|after| i64::from_str_radix(after, 16).ok()).unwrap_or(0);
        let query = bind(sqlx::query(sql), filter).bind(after).bind(page.rows_to_ask());
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        let entries = rows
            .iter()
            .map(|row| Ok(QueueEntry { message: read_message(row, 0)?, recipient: read_recipient(row, 13)? }))
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(page.cut(entries, |entry| format!("{:x}", entry.recipient.key.value())))
    }

    /// How many recipients there are, by state.
    pub async fn queue_counts(&self) -> Result<QueueCounts, StoreError> {
        let sql = "SELECT state, COUNT(*) FROM queued_recipient GROUP BY state";
        let rows: Vec<(i64, i64)> = sqlx::query_as(sql).fetch_all(&mut *self.reader().await?).await?;
        let mut counts = QueueCounts::default();
        for (state, count) in rows {
            let place = match QueueState::read(state)? {
                QueueState::Waiting => &mut counts.waiting,
                QueueState::Held => &mut counts.held,
                QueueState::Claimed => &mut counts.claimed,
            };
            *place = count.unsigned_abs();
        }
        Ok(counts)
    }

    /// Makes those that wait due at once. Tells how many.
    pub async fn queue_retry(&self, filter: &QueueFilter) -> Result<u64, StoreError> {
        let sql = concat!(
            "UPDATE queued_recipient SET next_attempt_at = $6
             WHERE state = 0 AND recipient_key IN (SELECT r.recipient_key FROM ",
            meant!(),
            ")"
        );
        self.act(sql, filter).await
    }

    /// Stops those that wait; what is being tried is left alone. Tells how many.
    pub async fn queue_hold(&self, filter: &QueueFilter) -> Result<u64, StoreError> {
        let sql = concat!(
            "UPDATE queued_recipient SET state = 1, next_attempt_at = $6
             WHERE state = 0 AND recipient_key IN (SELECT r.recipient_key FROM ",
            meant!(),
            ")"
        );
        self.act(sql, filter).await
    }

    /// Lets those that are held go on, at once. Tells how many.
    pub async fn queue_release(&self, filter: &QueueFilter) -> Result<u64, StoreError> {
        let sql = concat!(
            "UPDATE queued_recipient SET state = 0, next_attempt_at = $6
             WHERE state = 1 AND recipient_key IN (SELECT r.recipient_key FROM ",
            meant!(),
            ")"
        );
        self.act(sql, filter).await
    }

    async fn act(&self, sql: &'static str, filter: &QueueFilter) -> Result<u64, StoreError> {
        let (filter, now) = (filter.clone(), self.now());
        let changed = self
            .write(move |tx| {
                Box::pin(async move {
                    let done = bind(sqlx::query(sql), &filter).bind(now.millis()).execute(tx).await?;
                    Ok::<_, StoreError>(done.rows_affected())
                })
            })
            .await?;
        self.inner.queue_woken.notify_one();
        Ok(changed)
    }

    /// Takes away those that wait or are held, without telling their senders; what is being tried is left alone. Tells how many.
    pub async fn queue_remove(&self, filter: &QueueFilter) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let some = self.remove_some(filter).await?;
            if some == 0 {
                return Ok(removed);
            }
            removed += some;
        }
    }

    /// A part of [`Store::queue_remove`], so that mail is filed between the parts.
    async fn remove_some(&self, filter: &QueueFilter) -> Result<u64, StoreError> {
        let (filter, now, inner) = (filter.clone(), self.now(), std::sync::Arc::clone(&self.inner));
        self.write(move |tx| {
            Box::pin(async move {
                let sql = concat!(
                    "SELECT r.recipient_key, r.queue_key, r.address, q.trace, q.reverse_path FROM ",
                    meant!(),
                    " AND r.state <> 2 LIMIT 500"
                );
                let rows = bind(sqlx::query(sql), &filter).fetch_all(&mut *tx).await?;
                let mut gone = Vec::with_capacity(rows.len());
                let mut told = Vec::with_capacity(rows.len());
                for row in &rows {
                    gone.push((row.try_get(0)?, row.try_get(1)?));
                    let sender = read_reverse_path(row.try_get(4)?)?.address().cloned();
                    told.push((TraceId::read(row.try_get(3)?)?, sender, read_address(row.try_get(2)?)?));
                }
                delete_recipients(tx, &gone).await?;
                let traces: Vec<NewTrace<'_>> = told
                    .iter()
                    .map(|(trace, sender, recipient)| NewTrace {
                        trace,
                        kind: TraceKind::Removed,
                        sender: sender.as_ref(),
                        recipient,
                        peer: "",
                        text: "",
                    })
                    .collect();
                let mut tx = Transaction::within(tx, inner.engine);
                tx.execute_all(trace_accepted(&inner.keys, now, &traces));
                tx.send().await?;
                Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
            })
        })
        .await
    }

    /// One recipient; none where it has gone.
    pub async fn queued_recipient(&self, key: RecipientKey) -> Result<Option<QueueEntry>, StoreError> {
        let sql = concat!(
            "SELECT ",
            message_columns!(),
            ", ",
            recipient_columns!("r."),
            " FROM queued_recipient AS r JOIN queued AS q ON q.queue_key = r.queue_key WHERE r.recipient_key = $1"
        );
        let row = sqlx::query(sql).bind(key.value()).fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| Ok(QueueEntry { message: read_message(&row, 0)?, recipient: read_recipient(&row, 13)? }))
            .transpose()
    }
}

fn bind<'q>(query: Query<'q, Any, AnyArguments>, filter: &QueueFilter) -> Query<'q, Any, AnyArguments> {
    query
        .bind(filter.trace.as_ref().map(|trace| trace.as_str().to_owned()))
        .bind(filter.state.map(QueueState::number))
        .bind(filter.destination.as_ref().map(Domain::to_string))
        .bind(filter.recipient.as_ref().map(Address::to_string))
        .bind(filter.sender.as_ref().map(super::write_reverse_path))
}
