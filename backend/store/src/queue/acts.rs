//! Looking at the queue, and acting on it by hand.

use std::fmt;

use relais_model::{Address, Domain, ReversePath, Timestamp};
use serde_json::json;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::settle::delete_recipients;
use super::{NewTrace, QueueState, QueuedMessage, QueuedRecipient, TraceId, TraceKind};
use super::{message_columns, read_message, read_recipient, read_reverse_path, recipient_columns, trace_accepted};
use crate::audit::{Author, Deed, Scribe};
use crate::directory::read_address;
use crate::page::{Listing, Page};
use crate::sql::{self, Select};
use crate::transaction::Transaction;
use crate::{DomainKey, HoldKey, RecipientKey, Store, StoreError};

/// Which recipients are meant; none of a thing means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFilter {
    /// Those of the message with this id.
    pub trace: Option<TraceId>,
    /// These: of a message with this id, one recipient as it was spelled, or all.
    pub items: Option<Vec<(TraceId, Option<Address>)>>,
    /// Those that this hold stopped.
    pub hold: Option<HoldKey>,
    /// Those in this state.
    pub state: Option<QueueState>,
    /// Those at this domain.
    pub destination: Option<Domain>,
    /// This one, as it was spelled.
    pub recipient: Option<Address>,
    /// Those of messages with this reverse-path, as it was spelled.
    pub sender: Option<ReversePath>,
    /// Those that came before this.
    pub queued_before: Option<Timestamp>,
    /// Those with this in the recipient's address, in the sender's, or in the last reply; in any case of letters.
    pub text: Option<String>,
    /// Only mail from or to one of these domains: what the one who asks may see.
    pub domains: Option<Vec<Domain>>,
}

impl fmt::Display for QueueFilter {
    /// For the activity: what was meant, in few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.trace.as_ref().map(ToString::to_string));
        for (trace, recipient) in self.items.iter().flatten().take(NAMED_IN_ACTIVITY) {
            parts.push(recipient.as_ref().map_or_else(|| trace.to_string(), |who| format!("{trace} {who}")));
        }
        if self.items.as_ref().is_some_and(|items| NAMED_IN_ACTIVITY < items.len()) {
            parts.push("…".to_owned());
        }
        parts.extend(self.destination.as_ref().map(|domain| format!("@{domain}")));
        parts.extend(self.recipient.as_ref().map(ToString::to_string));
        parts.extend(self.sender.as_ref().map(ToString::to_string));
        parts.extend(self.text.as_ref().map(|text| format!("“{text}”")));
        if parts.is_empty() { f.write_str("*") } else { f.write_str(&parts.join(", ")) }
    }
}

/// Messages that the activity names in one row.
const NAMED_IN_ACTIVITY: usize = 10;

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

/// In which order the queue is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueueOrder {
    /// As they came.
    #[default]
    Oldest,
    /// The latest first.
    Newest,
    /// As they fall due. What is held never does: it isn't in this order.
    NextAttempt,
}

/// What people do to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueAct {
    /// Makes those that wait due at once.
    Retry,
    /// Stops those that wait.
    Hold,
    /// Lets those that are held go on, at once.
    Release,
    /// Takes away those that wait or are held, without telling their senders.
    Remove,
}

impl QueueAct {
    /// Its name in the activity.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "queue.retry",
            Self::Hold => "queue.hold",
            Self::Release => "queue.release",
            Self::Remove => "queue.remove",
        }
    }
}

/// How much of the queue is for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationCount {
    /// The recipients' domain.
    pub destination: Domain,
    /// Its recipients, by state.
    pub counts: QueueCounts,
}

impl QueueCounts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.waiting + self.held + self.claimed
    }

    fn place(&mut self, state: QueueState) -> &mut u64 {
        match state {
            QueueState::Waiting => &mut self.waiting,
            QueueState::Held => &mut self.held,
            QueueState::Claimed => &mut self.claimed,
        }
    }
}

/// Rows of `r` with their message `q`.
const JOINED: &str = "queued_recipient AS r JOIN queued AS q ON q.queue_key = r.queue_key WHERE 1 = 1";

/// Goes on with the conditions of `filter`, each after an AND. Only those that are wanted: so each finds its index.
fn meant(select: &mut Select, filter: &QueueFilter) {
    if let Some(trace) = &filter.trace {
        select.say(" AND q.trace = ").value(trace.as_str());
    }
    if let Some(items) = &filter.items {
        select.say(" AND ").any(items, |select, (trace, recipient)| {
            select.say("(q.trace = ").value(trace.as_str());
            if let Some(recipient) = recipient {
                select.say(" AND r.address = ").value(recipient.to_string());
            }
            select.say(")");
        });
    }
    if let Some(hold) = filter.hold {
        select.say(" AND r.hold_key = ").value(hold.value());
    }
    if let Some(state) = filter.state {
        select.say(" AND r.state = ").value(state.number());
    }
    if let Some(destination) = &filter.destination {
        select.say(" AND r.destination = ").value(destination.as_str());
    }
    if let Some(recipient) = &filter.recipient {
        select.say(" AND r.address = ").value(recipient.to_string());
    }
    if let Some(sender) = &filter.sender {
        let sender = super::write_reverse_path(sender);
        select.say(" AND r.queue_key IN (SELECT queue_key FROM queued WHERE reverse_path = ").value(sender).say(")");
    }
    if let Some(at) = filter.queued_before {
        select.say(" AND q.created_at < ").value(at.millis());
    }
    if let Some(text) = &filter.text {
        let pattern = sql::containing(&text.to_lowercase());
        select.say(" AND ").any(["r.address", "q.reverse_path", "r.last_reply"], |select, column| {
            select.say("LOWER(").say(column).say(") LIKE ").value(pattern.as_str()).say(" ESCAPE '\\'");
        });
    }
    if let Some(domains) = &filter.domains {
        select.say(" AND (").any(domains, |select, domain| {
            select.say("r.destination = ").value(domain.as_str());
        });
        select.say(" OR r.queue_key IN (SELECT queue_key FROM queued WHERE ").any(domains, |select, domain| {
            select.say("reverse_path LIKE ").value(sql::at_domain(domain)).say(" ESCAPE '\\'");
        });
        select.say("))");
    }
}

impl Store {
    /// The queue in the order of coming; the recipients of one message by its trace id.
    pub async fn queue_list(&self, filter: &QueueFilter, page: &Page) -> Result<Listing<QueueEntry>, StoreError> {
        self.queue_list_by(QueueOrder::Oldest, filter, page).await
    }

    /// The queue in another order.
    pub async fn queue_list_by(
        &self,
        order: QueueOrder,
        filter: &QueueFilter,
        page: &Page,
    ) -> Result<Listing<QueueEntry>, StoreError> {
        let columns = concat!("SELECT ", message_columns!(), ", ", recipient_columns!("r."), " FROM ");
        let mut select = Select::new(columns);
        select.say(JOINED);
        meant(&mut select, filter);
        // A cursor is a row's key, and before it the time where that is what orders.
        let after = page.time_and_key();
        match order {
            QueueOrder::Oldest => {
                if let Some((_, key)) = after {
                    select.say(" AND r.recipient_key > ").value(key);
                }
                select.say(" ORDER BY r.recipient_key");
            }
            QueueOrder::Newest => {
                if let Some((_, key)) = after {
                    select.say(" AND r.recipient_key < ").value(key);
                }
                select.say(" ORDER BY r.recipient_key DESC");
            }
            QueueOrder::NextAttempt => {
                select.say(" AND r.state <> 1");
                if let Some((at, key)) = after {
                    select.say(" AND r.next_attempt_at >= ").value(at).say(" AND (r.next_attempt_at > ").value(at);
                    select.say(" OR r.recipient_key > ").value(key).say(")");
                }
                select.say(" ORDER BY r.next_attempt_at, r.recipient_key");
            }
        }
        select.say(" LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let entries = rows
            .iter()
            .map(|row| Ok(QueueEntry { message: read_message(row, 0)?, recipient: read_recipient(row, 13)? }))
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(page.cut_by_time(entries, |entry| (entry.recipient.next_attempt_at, entry.recipient.key.value())))
    }

    /// How many recipients there are, by state.
    pub async fn queue_counts(&self) -> Result<QueueCounts, StoreError> {
        self.queue_counts_of(&QueueFilter::default()).await
    }

    /// How many recipients a filter means, by state.
    pub async fn queue_counts_of(&self, filter: &QueueFilter) -> Result<QueueCounts, StoreError> {
        let mut select = Select::new("SELECT r.state, COUNT(*) FROM ");
        if *filter == QueueFilter::default() {
            select.say("queued_recipient AS r");
        } else {
            select.say(JOINED);
            meant(&mut select, filter);
        }
        select.say(" GROUP BY r.state");
        let mut counts = QueueCounts::default();
        for row in select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await? {
            *counts.place(QueueState::read(row.try_get(0)?)?) = row.try_get::<i64, _>(1)?.unsigned_abs();
        }
        Ok(counts)
    }

    /// The destinations with the most recipients, at most `limit` of them.
    pub async fn queue_destinations(
        &self,
        filter: &QueueFilter,
        limit: u32,
    ) -> Result<Vec<DestinationCount>, StoreError> {
        let mut select = Select::new(
            "SELECT r.destination, CAST(SUM(CASE WHEN r.state = 0 THEN 1 ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN r.state = 1 THEN 1 ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN r.state = 2 THEN 1 ELSE 0 END) AS BIGINT) FROM ",
        );
        if *filter == QueueFilter::default() {
            select.say("queued_recipient AS r");
        } else {
            select.say(JOINED);
            meant(&mut select, filter);
        }
        select.say(" GROUP BY r.destination ORDER BY COUNT(*) DESC, r.destination LIMIT ").value(i64::from(limit));
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let count = |row: &AnyRow, at| row.try_get::<i64, _>(at).map(i64::unsigned_abs);
        rows.iter()
            .map(|row| {
                let name: String = row.try_get(0)?;
                let destination = Domain::parse(&name)
                    .map_err(|error| StoreError::damaged(format!("destination {name}: {error}")))?;
                let counts = QueueCounts { waiting: count(row, 1)?, held: count(row, 2)?, claimed: count(row, 3)? };
                Ok(DestinationCount { destination, counts })
            })
            .collect()
    }

    /// Does something to what `filter` means, and tells how many recipients it was done to: those in the state it is for. What is
    /// being tried is left alone. `seen_by`: whose administrators find it in the activity.
    pub async fn queue_act(
        &self,
        by: &Author,
        act: QueueAct,
        filter: &QueueFilter,
        seen_by: Option<DomainKey>,
    ) -> Result<u64, StoreError> {
        let deed = Deed { act: act.as_str(), subject: filter.to_string(), domain: seen_by, ..Deed::default() };
        match act {
            QueueAct::Retry => self.set_queued(by, deed, "next_attempt_at = ", QueueState::Waiting, filter).await,
            QueueAct::Hold => {
                self.set_queued(by, deed, "state = 1, next_attempt_at = ", QueueState::Waiting, filter).await
            }
            QueueAct::Release => {
                self.set_queued(by, deed, "state = 0, next_attempt_at = ", QueueState::Held, filter).await
            }
            QueueAct::Remove => self.remove_queued(by, deed, filter).await,
        }
    }

    async fn set_queued(
        &self,
        by: &Author,
        deed: Deed,
        set: &'static str,
        from: QueueState,
        filter: &QueueFilter,
    ) -> Result<u64, StoreError> {
        let mut select = Select::new("UPDATE queued_recipient SET ");
        select.say(set).value(self.now().millis()).say(" WHERE state = ").value(from.number());
        select.say(" AND recipient_key IN (SELECT r.recipient_key FROM ").say(JOINED);
        meant(&mut select, filter);
        select.say(")");
        let (query, scribe) = (select.query(self.engine())?, self.scribe(by));
        let changed = self
            .write(move |tx| {
                Box::pin(async move {
                    let changed = query.execute(&mut *tx).await?.rows_affected();
                    if changed > 0 {
                        scribe.note(tx, Deed { after: Some(json!({ "recipients": changed })), ..deed }).await?;
                    }
                    Ok::<_, StoreError>(changed)
                })
            })
            .await?;
        self.inner.queue_woken.notify_one();
        Ok(changed)
    }

    /// Takes away those that wait or are held, without telling their senders, a part at a time.
    async fn remove_queued(&self, by: &Author, deed: Deed, filter: &QueueFilter) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let some = self.remove_some(filter, self.scribe(by), Some(deed.clone())).await?;
            if some == 0 {
                return Ok(removed);
            }
            removed += some;
        }
    }

    /// A part of [`Store::remove_queued`], so that mail is filed between the parts; without a deed the caller has noted what is done.
    pub(crate) async fn remove_some(
        &self,
        filter: &QueueFilter,
        scribe: Scribe,
        deed: Option<Deed>,
    ) -> Result<u64, StoreError> {
        let (filter, now, inner) = (filter.clone(), self.now(), std::sync::Arc::clone(&self.inner));
        self.write(move |tx| {
            Box::pin(async move {
                let mut select =
                    Select::new("SELECT r.recipient_key, r.queue_key, r.address, q.trace, q.reverse_path FROM ");
                select.say(JOINED);
                meant(&mut select, &filter);
                select.say(" AND r.state <> 2 LIMIT 500");
                let rows = select.query(inner.engine)?.fetch_all(&mut *tx).await?;
                let mut gone = Vec::with_capacity(rows.len());
                let mut told = Vec::with_capacity(rows.len());
                for row in &rows {
                    gone.push((row.try_get(0)?, row.try_get(1)?));
                    let sender = read_reverse_path(row.try_get(4)?)?.address().cloned();
                    told.push((TraceId::read(row.try_get(3)?)?, sender, read_address(row.try_get(2)?)?));
                }
                if gone.is_empty() {
                    return Ok(0);
                }
                delete_recipients(tx, &gone).await?;
                if let Some(deed) = deed {
                    scribe.note(tx, Deed { before: Some(json!({ "recipients": gone.len() })), ..deed }).await?;
                }
                let traces: Vec<NewTrace<'_>> = told
                    .iter()
                    .map(|(trace, sender, recipient)| NewTrace {
                        trace,
                        kind: TraceKind::Removed,
                        sender: sender.as_ref(),
                        recipient: Some(recipient),
                        peer: "",
                        text: "",
                        subject: None,
                        protection: None,
                        submitter: None,
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
