//! Mail that waits to go out.

use relais_model::ReversePath;
use relais_store::{QueueEntry, QueueFilter, QueueState, TraceId};
use serde::{Deserialize, Serialize};

use crate::directory::{address, domain, readable};
use crate::trace::time;
use crate::{ActFailure, Answer, Paging, Rows, Service};

/// Recipients of one message that are shown, at most; a list names the rest.
const SHOWN_RECIPIENTS: u32 = 500;

/// Which part of the queue an act is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All of it.
    All,
    /// What waits for a domain.
    Destination(String),
    /// The messages with these ids.
    Ids(Vec<String>),
}

/// One recipient that waits, with its message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueueRow {
    /// The message's id, as it stands in Received.
    pub id: String,
    /// `waiting`, `held` or `claimed`.
    pub state: String,
    /// The message's octets.
    pub size_octets: u64,
    /// Where failures are told; `<>` for nobody.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// How often it was tried.
    pub attempts: u32,
    /// RFC 3339, UTC.
    pub next_attempt_at: String,
    /// What the other side said last.
    pub last_reply: Option<String>,
}

/// One queued message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueueDetail {
    /// Its id, as it stands in Received.
    pub id: String,
    /// Where failures are told; `<>` for nobody.
    pub sender: String,
    /// Its octets.
    pub size_octets: u64,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// When it is given up.
    pub expires_at: String,
    /// Those still to be served.
    pub recipients: Vec<RecipientRow>,
}

/// One recipient of a queued message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecipientRow {
    /// Who.
    pub address: String,
    /// `waiting`, `held` or `claimed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// RFC 3339, UTC.
    pub next_attempt_at: String,
    /// What the other side said last.
    pub last_reply: Option<String>,
    /// Which host said it.
    pub last_remote: Option<String>,
}

const fn state(state: QueueState) -> &'static str {
    match state {
        QueueState::Waiting => "waiting",
        QueueState::Held => "held",
        QueueState::Claimed => "claimed",
    }
}

fn sender(path: &ReversePath) -> String {
    path.address().map_or_else(|| "<>".to_owned(), readable)
}

impl QueueRow {
    fn of(entry: QueueEntry) -> Self {
        Self {
            id: entry.message.trace.to_string(),
            state: state(entry.recipient.state).to_owned(),
            size_octets: entry.message.size_octets,
            sender: sender(&entry.message.reverse_path),
            recipient: readable(&entry.recipient.address),
            attempts: entry.recipient.attempts,
            next_attempt_at: time(entry.recipient.next_attempt_at),
            last_reply: entry.recipient.last_reply,
        }
    }
}

impl RecipientRow {
    fn of(entry: &QueueEntry) -> Self {
        let recipient = &entry.recipient;
        Self {
            address: readable(&recipient.address),
            state: state(recipient.state).to_owned(),
            attempts: recipient.attempts,
            next_attempt_at: time(recipient.next_attempt_at),
            last_reply: recipient.last_reply.clone(),
            last_remote: recipient.last_remote.clone(),
        }
    }
}

fn id(text: &str) -> Result<TraceId, ActFailure> {
    TraceId::parse(text).ok_or_else(|| ActFailure::Bad(format!("`{text}` is no id as `relais queue list` shows them")))
}

fn absent(id: &str) -> ActFailure {
    ActFailure::Absent(format!("nothing of {id} is in the queue"))
}

impl Service {
    pub(crate) async fn queue(
        &self,
        paging: Paging,
        destination: Option<String>,
        sender: Option<String>,
    ) -> Result<Answer, ActFailure> {
        let sender = match sender.as_deref() {
            Some("<>") => Some(ReversePath::Null),
            Some(text) => Some(ReversePath::Address(address(text)?)),
            None => None,
        };
        let destination = destination.as_deref().map(domain).transpose()?;
        let filter = QueueFilter { destination, sender, ..QueueFilter::default() };
        let listing = self.store.queue_list(&filter, &paging.page()).await?;
        Ok(Answer::Queue(Rows::of(listing, QueueRow::of)))
    }

    pub(crate) async fn queue_detail(&self, text: &str) -> Result<Answer, ActFailure> {
        let filter = QueueFilter { trace: Some(id(text)?), ..QueueFilter::default() };
        let page = relais_store::Page { after: None, limit: SHOWN_RECIPIENTS };
        let entries = self.store.queue_list(&filter, &page).await?.rows;
        let Some(QueueEntry { message, .. }) = entries.first() else { return Err(absent(text)) };
        Ok(Answer::QueueDetail(Box::new(QueueDetail {
            id: message.trace.to_string(),
            sender: sender(&message.reverse_path),
            size_octets: message.size_octets,
            created_at: time(message.created_at),
            expires_at: time(message.expires_at),
            recipients: entries.iter().map(RecipientRow::of).collect(),
        })))
    }

    pub(crate) async fn retry(&self, selection: Selection) -> Result<Answer, ActFailure> {
        let mut touched = 0;
        for filter in filters(selection)? {
            touched += self.store.queue_retry(&filter).await?;
        }
        Ok(Answer::Touched(touched))
    }

    pub(crate) async fn hold(&self, selection: Selection) -> Result<Answer, ActFailure> {
        let mut touched = 0;
        for filter in filters(selection)? {
            touched += self.store.queue_hold(&filter).await?;
        }
        Ok(Answer::Touched(touched))
    }

    pub(crate) async fn release(&self, selection: Selection) -> Result<Answer, ActFailure> {
        let mut touched = 0;
        for filter in filters(selection)? {
            touched += self.store.queue_release(&filter).await?;
        }
        Ok(Answer::Touched(touched))
    }

    pub(crate) async fn remove_queued(&self, selection: Selection) -> Result<Answer, ActFailure> {
        let mut touched = 0;
        for filter in filters(selection)? {
            touched += self.store.queue_remove(&filter).await?;
        }
        Ok(Answer::Touched(touched))
    }
}

fn filters(selection: Selection) -> Result<Vec<QueueFilter>, ActFailure> {
    match selection {
        Selection::All => Ok(vec![QueueFilter::default()]),
        Selection::Destination(text) => {
            Ok(vec![QueueFilter { destination: Some(domain(&text)?), ..QueueFilter::default() }])
        }
        Selection::Ids(ids) => {
            let filter =
                |text: &String| id(text).map(|trace| QueueFilter { trace: Some(trace), ..QueueFilter::default() });
            ids.iter().map(filter).collect()
        }
    }
}
