//! Mail that waits to go out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use relais_model::{Address, Domain, ReversePath, Timestamp};
use relais_store::{
    DomainKey, QueueCounts, QueueEntry, QueueFilter, QueueOrder, QueueState, TraceEvent, TraceId, TraceKind,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use relais_store::QueueAct;

use crate::directory::readable;
use crate::explain::{Explanation, explain, explain_event};
use crate::{Actor, Complaint, Failure, Moment, Paging, Reach, Role, Rows, Service, Text};

/// Items that one act may name.
const NAMED_ITEMS: usize = 500;

/// Destinations that the chart names.
const CHARTED: u32 = 10;

/// A queue of more recipients than this is not counted for each page anew.
const COUNTED_ALWAYS: u64 = 10_000;

/// For how long the count of such a queue is shown.
const COUNTED_FOR: Duration = Duration::from_secs(15);

/// Attempts of one message that are shown, at most: the latest.
const SHOWN_ATTEMPTS: usize = 200;

/// Which part of the queue is wanted; none of a thing wants any. All as people type it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueQuery {
    /// `waiting`, `held` or `claimed` (being tried).
    pub state: Option<String>,
    /// The recipients' domain.
    pub destination: Option<String>,
    /// The sender's address; `<>` for notices.
    pub sender: Option<String>,
    /// The recipient's address.
    pub recipient: Option<String>,
    /// What came at least so long ago, in seconds.
    pub older_than: Option<u64>,
    /// In an address or in the last reply.
    pub text: Option<String>,
}

/// In which order a queue is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueSort {
    /// What came last first.
    #[default]
    Newest,
    /// What came first first.
    Oldest,
    /// What is tried next first; held mail is left out.
    NextAttempt,
}

/// What an act is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueSelection {
    /// These items: the `item` of a row, or a message's `id` for all its recipients. At most 500.
    Items(Vec<String>),
    /// All that a query finds.
    Matching(QueueQuery),
}

/// One recipient that waits, with its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueItem {
    /// Names this recipient of this message: `ID/ADDRESS`.
    pub item: String,
    /// The message's id, as it stands in Received.
    pub id: String,
    /// `waiting`, `held` or `claimed` (being tried).
    pub state: &'static str,
    /// The message's octets.
    pub size_octets: u64,
    /// Where failures are told; `<>` for nobody.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// The recipient's domain.
    pub destination: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When the message came.
    pub created_at: Moment,
    /// When it is given up.
    pub expires_at: Moment,
    /// When it is tried again; of what is being tried, when that ends at the latest. What is held has none.
    pub next_attempt_at: Option<Moment>,
    /// When it was tried last.
    pub last_attempt_at: Option<Moment>,
    /// What the other side said then.
    pub last_reply: Option<String>,
    /// Which host said it.
    pub last_remote: Option<String>,
    /// What that means, and what can be done.
    pub explanation: Option<Explanation>,
}

/// One queued message with all that still waits of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueMessage {
    /// Its id, as it stands in Received.
    pub id: String,
    /// Its subject, shortened; none where the trace has forgotten it.
    pub subject: Option<String>,
    /// Where failures are told; `<>` for nobody.
    pub sender: String,
    /// Its octets.
    pub size_octets: u64,
    /// When it came.
    pub created_at: Moment,
    /// When it is given up.
    pub expires_at: Moment,
    /// Those still to be served: at most 500.
    pub recipients: Vec<QueueItem>,
    /// What was tried, the latest first: at most 200.
    pub attempts: Vec<QueueAttempt>,
}

/// One attempt to send a message to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueAttempt {
    /// When it ended.
    pub at: Moment,
    /// For whom.
    pub recipient: String,
    /// The host; empty where none was reached.
    pub remote: String,
    /// `delivered`, `deferred` or `failed`.
    pub outcome: &'static str,
    /// What it said, or we in its place.
    pub reply: String,
    /// What that means, and what can be done.
    pub explanation: Explanation,
}

/// The queue in numbers, for a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueChart {
    /// All of it.
    pub total: QueueTally,
    /// The destinations with the most recipients, at most ten.
    pub destinations: Vec<DestinationTally>,
    /// All other destinations together.
    pub rest: u64,
    /// When the message came that waits the longest.
    pub oldest_at: Option<Moment>,
}

/// The chart of a large queue, while it is fresh.
#[derive(Debug, Default)]
pub(crate) struct QueueBoard(Mutex<Option<(Timestamp, QueueChart)>>);

impl QueueBoard {
    fn fresh(&self, now: Timestamp) -> Option<QueueChart> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, chart) = kept.as_ref().filter(|(at, _)| now.since(*at) < COUNTED_FOR)?;
        Some(chart.clone())
    }

    fn keep(&self, chart: &QueueChart, now: Timestamp) {
        let is_large = COUNTED_ALWAYS < chart.total.total();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = is_large.then(|| (now, chart.clone()));
    }

    /// Somebody has changed the queue, and wants to see it.
    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Recipients by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueTally {
    /// Their time will come.
    pub waiting: u64,
    /// Stopped by someone.
    pub held: u64,
    /// Being tried.
    pub claimed: u64,
}

impl QueueTally {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.waiting + self.held + self.claimed
    }
}

impl From<QueueCounts> for QueueTally {
    fn from(counts: QueueCounts) -> Self {
        Self { waiting: counts.waiting, held: counts.held, claimed: counts.claimed }
    }
}

/// What waits for one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DestinationTally {
    /// Its name, as people read it.
    pub destination: String,
    /// Its recipients.
    pub counts: QueueTally,
}

/// Recipients of one message that are shown, at most; a list names the rest.
const SHOWN_RECIPIENTS: u32 = 500;

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

impl QueueItem {
    fn of(entry: &QueueEntry) -> Self {
        let (message, recipient) = (&entry.message, &entry.recipient);
        let is_held = recipient.state == QueueState::Held;
        Self {
            item: format!("{}/{}", message.trace, recipient.address),
            id: message.trace.to_string(),
            state: state(recipient.state),
            size_octets: message.size_octets,
            sender: sender(&message.reverse_path),
            recipient: readable(&recipient.address),
            destination: recipient.address.domain.to_unicode(),
            attempts: recipient.attempts,
            created_at: message.created_at.into(),
            expires_at: message.expires_at.into(),
            next_attempt_at: (!is_held).then(|| recipient.next_attempt_at.into()),
            last_attempt_at: recipient.last_attempt_at.map(Into::into),
            explanation: recipient.last_reply.as_deref().map(|reply| explain(TraceKind::Deferred, reply)),
            last_reply: recipient.last_reply.clone(),
            last_remote: recipient.last_remote.clone().filter(|remote| !remote.is_empty()),
        }
    }
}

impl QueueAttempt {
    fn of(event: TraceEvent) -> Option<Self> {
        let is_attempt = match event.kind {
            TraceKind::Delivered => !event.is_filed_here(),
            TraceKind::Deferred | TraceKind::Failed => true,
            TraceKind::Queued | TraceKind::Refused | TraceKind::Removed => false,
        };
        is_attempt.then(|| Self {
            at: event.at.into(),
            outcome: event.kind.as_str(),
            explanation: explain_event(&event),
            recipient: event.recipient,
            remote: event.remote,
            reply: event.text,
        })
    }
}

impl Service {
    /// What waits, as far as the one who asks may see it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is neither help desk nor more; [`Failure::Unfit`] about a field of the query.
    pub async fn queue_items(
        &self,
        by: &Actor,
        query: &QueueQuery,
        sort: QueueSort,
        paging: Paging,
    ) -> Result<Rows<QueueItem>, Failure> {
        let filter = self.queue_filter(by, query)?;
        let order = match sort {
            QueueSort::Newest => QueueOrder::Newest,
            QueueSort::Oldest => QueueOrder::Oldest,
            // All of what is held was stopped at some time; that is its order.
            QueueSort::NextAttempt if filter.state == Some(QueueState::Held) => QueueOrder::Oldest,
            QueueSort::NextAttempt => QueueOrder::NextAttempt,
        };
        let listing = self.store.queue_list_by(order, &filter, &paging.page()).await?;
        Ok(Rows::of(listing, |entry| QueueItem::of(&entry)))
    }

    /// One message with its recipients and what was tried.
    ///
    /// # Errors
    /// [`Failure::Absent`] where nothing of it waits, or it is nothing of theirs.
    pub async fn queue_message(&self, by: &Actor, id: &str) -> Result<QueueMessage, Failure> {
        let filter = self.queue_filter(by, &QueueQuery::default())?;
        let trace = TraceId::parse(id).ok_or_else(|| not_queued(id))?;
        let filter = QueueFilter { trace: Some(trace.clone()), ..filter };
        let page = relais_store::Page { after: None, limit: SHOWN_RECIPIENTS };
        let entries = self.store.queue_list(&filter, &page).await?.rows;
        let Some(QueueEntry { message, .. }) = entries.first() else { return Err(not_queued(id)) };
        let mut events = self.store.trace_of(&[trace]).await?;
        let subject = events.iter().find_map(|event| event.subject.clone());
        events.reverse();
        Ok(QueueMessage {
            id: message.trace.to_string(),
            subject,
            sender: sender(&message.reverse_path),
            size_octets: message.size_octets,
            created_at: message.created_at.into(),
            expires_at: message.expires_at.into(),
            recipients: entries.iter().map(QueueItem::of).collect(),
            attempts: events.into_iter().filter_map(QueueAttempt::of).take(SHOWN_ATTEMPTS).collect(),
        })
    }

    /// How much waits for whom.
    pub async fn queue_chart(&self, by: &Actor) -> Result<QueueChart, Failure> {
        let filter = self.queue_filter(by, &QueueQuery::default())?;
        let (is_all, now) = (filter == QueueFilter::default(), self.store.now());
        if let Some(chart) = self.operations.queue.fresh(now).filter(|_| is_all) {
            return Ok(chart);
        }
        let chart = self.count_queue(filter).await?;
        if is_all {
            self.operations.queue.keep(&chart, now);
        }
        Ok(chart)
    }

    async fn count_queue(&self, filter: QueueFilter) -> Result<QueueChart, Failure> {
        let total: QueueTally = self.store.queue_counts_of(&filter).await?.into();
        let destinations: Vec<DestinationTally> = self
            .store
            .queue_destinations(&filter, CHARTED)
            .await?
            .into_iter()
            .map(|count| DestinationTally { destination: count.destination.to_unicode(), counts: count.counts.into() })
            .collect();
        let named: u64 = destinations.iter().map(|destination| destination.counts.total()).sum();
        let page = relais_store::Page { after: None, limit: 1 };
        let waiting = QueueFilter { state: Some(QueueState::Waiting), ..filter };
        let oldest = self.store.queue_list(&waiting, &page).await?.rows.into_iter().next();
        Ok(QueueChart {
            total,
            destinations,
            rest: total.total().saturating_sub(named),
            oldest_at: oldest.map(|entry| entry.message.created_at.into()),
        })
    }

    /// How many recipients a query finds, by state.
    ///
    /// # Errors
    /// As [`Service::queue_items`].
    pub async fn queue_tally(&self, by: &Actor, query: &QueueQuery) -> Result<QueueTally, Failure> {
        Ok(self.store.queue_counts_of(&self.queue_filter(by, query)?).await?.into())
    }

    /// Does something to what is selected, as far as the one who asks may see it; tells to how many recipients.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no domain admin; [`Failure::Unfit`] about `items` or a field of the query.
    pub async fn queue_act(&self, by: &Actor, act: QueueAct, selection: &QueueSelection) -> Result<u64, Failure> {
        by.require(Role::DomainAdmin)?;
        let filter = match selection {
            QueueSelection::Matching(query) => self.queue_filter(by, query)?,
            QueueSelection::Items(items) => {
                let most = Text::new("queue-too-many-items").with("most", NAMED_ITEMS);
                if items.is_empty() || NAMED_ITEMS < items.len() {
                    return Err(Failure::unfit("items", most));
                }
                let items = items.iter().map(|text| item(text)).collect::<Option<Vec<_>>>();
                let items = items.ok_or_else(|| Failure::unfit("items", Text::new("queue-no-item")))?;
                QueueFilter { items: Some(items), ..self.queue_filter(by, &QueueQuery::default())? }
            }
        };
        let touched = self.store.queue_act(&by.author(), act, &filter, seen_by(by)).await?;
        self.operations.queue.forget();
        Ok(touched)
    }

    fn queue_filter(&self, by: &Actor, query: &QueueQuery) -> Result<QueueFilter, Failure> {
        by.require(Role::HelpDesk)?;
        let mut complaints = Vec::new();
        let state = query.state.as_deref().map(|name| match name {
            "waiting" => Ok(QueueState::Waiting),
            "held" => Ok(QueueState::Held),
            "claimed" => Ok(QueueState::Claimed),
            _ => Err(Complaint { field: "state", why: Text::new("queue-no-state") }),
        });
        let destination = query.destination.as_deref().map(|text| {
            let why = |error| bad_domain(text, &error);
            Domain::parse(text).map_err(|error| Complaint { field: "destination", why: why(error) })
        });
        let sender = query.sender.as_deref().map(|text| match text {
            "<>" => Ok(ReversePath::Null),
            text => bad_address("sender", text).map(ReversePath::Address),
        });
        let recipient = query.recipient.as_deref().map(|text| bad_address("recipient", text));
        let filter = QueueFilter {
            trace: None,
            items: None,
            hold: None,
            state: keep(state, &mut complaints),
            destination: keep(destination, &mut complaints),
            recipient: keep(recipient, &mut complaints),
            sender: keep(sender, &mut complaints),
            queued_before: query.older_than.map(|seconds| self.store.now().minus(Duration::from_secs(seconds))),
            text: query.text.clone().filter(|text| !text.trim().is_empty()),
            domains: scope(by),
        };
        if complaints.is_empty() { Ok(filter) } else { Err(Failure::Unfit(complaints)) }
    }
}

/// The value, or its complaint to the others.
pub(crate) fn keep<T>(read: Option<Result<T, Complaint>>, complaints: &mut Vec<Complaint>) -> Option<T> {
    match read? {
        Ok(value) => Some(value),
        Err(complaint) => {
            complaints.push(complaint);
            None
        }
    }
}

/// An address of a form's field.
pub(crate) fn bad_address(field: &'static str, text: &str) -> Result<Address, Complaint> {
    Address::parse(text.trim()).map_err(|error| {
        let why = Text::new("failure-bad-address").with("text", text).with("why", error.to_string());
        Complaint { field, why }
    })
}

fn bad_domain(text: &str, error: &impl ToString) -> Text {
    Text::new("failure-bad-domain").with("text", text).with("why", error.to_string())
}

/// The names of the domains whose mail the one who asks may see; none: all mail.
pub(crate) fn scope(by: &Actor) -> Option<Vec<Domain>> {
    match &by.reach {
        Reach::All => None,
        Reach::Domains(domains) => Some(domains.iter().map(|(_, domain)| domain.clone()).collect()),
    }
}

/// Whose administrators see what they did: those of their one domain. Of several, only owners do.
fn seen_by(by: &Actor) -> Option<DomainKey> {
    match by.domains().as_deref() {
        Some([only]) => Some(*only),
        _ => None,
    }
}

/// `ID/ADDRESS`, or `ID`.
fn item(text: &str) -> Option<(TraceId, Option<Address>)> {
    match text.split_once('/') {
        None => Some((TraceId::parse(text)?, None)),
        Some((id, address)) => Some((TraceId::parse(id)?, Some(Address::parse(address).ok()?))),
    }
}

fn not_queued(id: &str) -> Failure {
    Failure::Absent(Text::new("queue-absent").with("id", id))
}
