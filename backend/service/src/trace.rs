//! Where did a message go?

use std::collections::HashMap;

use relais_model::{Address, Timestamp};
use relais_store::{Judgement, Page, QueueEntry, QueueFilter, QueueState, TraceEvent, TraceId, TraceKind, TraceSearch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::explain::{Explanation, explain_event};
use crate::queue::{bad_address, keep, scope};
use crate::{Actor, Complaint, Failure, Moment, Paging, Role, Service, Text, readable};

/// Words of a subject that are looked for, at most.
const SUBJECT_WORDS: usize = 8;

/// Steps of one message's story, at most.
const STEPS: usize = 1000;

/// Messages a page, at most: the fate of each is looked up.
const MESSAGES: u32 = 100;

/// Which messages are wanted; none of a thing wants any. All as people type it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct MessageQuery {
    /// From or to this address.
    pub address: Option<String>,
    /// All of these words in the subject.
    pub subject: Option<String>,
    /// The id, as Received shows it.
    pub id: Option<String>,
    /// Something happened at this time or later.
    pub since: Option<Moment>,
    /// And before this time.
    pub until: Option<Moment>,
    /// It was `queued`, `delivered`, `deferred`, `failed`, `refused` or `removed`.
    pub kind: Option<String>,
}

/// One recipient of one message, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageRow {
    /// The message's id, as it stands in Received.
    pub id: String,
    /// When the last thing happened.
    pub at: Moment,
    /// What that was: `queued`, `delivered`, `deferred`, `failed`, `refused` or `removed`.
    pub kind: &'static str,
    /// The message's subject, shortened.
    pub subject: Option<String>,
    /// From whom; empty for a notice.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// What that means.
    pub explanation: Explanation,
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageRows {
    /// The latest first.
    pub rows: Vec<MessageRow>,
    /// Names the next page; none where all was looked at.
    pub next: Option<String>,
    /// The search looked back so far and stopped there; `next` goes on.
    pub searched_back_to: Option<Moment>,
}

/// All that is known of one message.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MessageStory {
    /// Its id, as it stands in Received.
    pub id: String,
    /// Its subject, shortened.
    pub subject: Option<String>,
    /// From whom; empty for a notice.
    pub sender: String,
    /// Who gave it to us.
    pub from_peer: String,
    /// When it came.
    pub at: Moment,
    /// In one or two sentences: what became of it.
    pub summary: Vec<Text>,
    /// Its recipients, in the order of the first step.
    pub recipients: Vec<RecipientFate>,
    /// What was found of it when it came, and what was done for that; none where nobody looked.
    pub verdict: Option<MessageVerdict>,
    /// It was judged when it came and is still here: it can be judged again as of now.
    pub can_be_judged: bool,
    /// Each step, the first first: at most 1,000.
    pub steps: Vec<MessageStep>,
}

/// What was found of a message when it came, and what was done for that.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MessageVerdict {
    /// What was done: `taken`, `junk`, `refused` or `put-off`.
    pub done: &'static str,
    /// The sum of the points; none where no check counts any.
    pub score: Option<f32>,
    /// What was found; first that on which it hung.
    pub findings: Vec<MessageFinding>,
}

/// One thing that was found of a message.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MessageFinding {
    /// Which check found it: `iprev`, `spf`, `dkim`, `dmarc`, `arc` and the like.
    pub part: String,
    /// What it adds to the score: above zero speaks against the message, zero only says something.
    pub points: f32,
    /// What was done hung on it.
    pub decides: bool,
    /// What was found.
    pub says: Text,
}

impl From<Judgement> for MessageVerdict {
    fn from(judgement: Judgement) -> Self {
        let findings = judgement.findings.into_iter().map(|finding| MessageFinding {
            part: finding.part.into_owned(),
            points: finding.points,
            decides: finding.decides,
            says: finding.said.into(),
        });
        let mut findings: Vec<_> = findings.collect();
        findings.sort_by_key(|finding| !finding.decides);
        Self { done: judgement.judged_as.as_str(), score: judgement.score, findings }
    }
}

/// What became of a message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecipientFate {
    /// Who.
    pub address: String,
    /// The last thing that happened.
    pub kind: &'static str,
    /// Someone holds it.
    pub is_held: bool,
    /// When it is tried again, where it waits.
    pub next_attempt_at: Option<Moment>,
}

/// One step of a message's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageStep {
    /// When.
    pub at: Moment,
    /// What: `queued`, `delivered`, `deferred`, `failed`, `refused` or `removed`.
    pub kind: &'static str,
    /// For whom.
    pub recipient: String,
    /// The host that gave or took it; may be empty.
    pub remote: String,
    /// What that host said, or we in its place; may be empty.
    pub words: String,
    /// What it means.
    pub explanation: Explanation,
}

impl MessageRow {
    /// One event by itself.
    pub(crate) fn of(event: TraceEvent) -> Self {
        let explanation = explain_event(&event);
        Self {
            id: event.trace.to_string(),
            at: event.at.into(),
            kind: event.kind.as_str(),
            subject: event.subject,
            explanation,
            sender: shown(&event.sender),
            recipient: shown(&event.recipient),
        }
    }
}

/// An address as people read it: the trace keeps it as addresses are compared, with A-labels.
fn shown(folded: &str) -> String {
    Address::parse(folded).map_or_else(|_| folded.to_owned(), |address| readable(&address))
}

impl Service {
    /// Where is my mail? What was asked for, as far as the one who asks may see it; one row a message and recipient of a page.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is neither help desk nor more; [`Failure::Unfit`] about a field of the query.
    pub async fn messages(&self, by: &Actor, query: &MessageQuery, paging: Paging) -> Result<MessageRows, Failure> {
        let wanted = search(by, query)?;
        let page = Page { limit: paging.limit.min(MESSAGES), ..paging.page() };
        let found = self.store.trace_search(&wanted, &page).await?;
        let mut pairs: Vec<(TraceId, String)> = Vec::new();
        for event in &found.rows {
            let pair = (event.trace.clone(), event.recipient.clone());
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        let mut traces: Vec<TraceId> = pairs.iter().map(|(trace, _)| trace.clone()).collect();
        traces.dedup();
        let (mut subjects, mut fates) = (HashMap::new(), HashMap::new());
        for event in found.rows.iter().rev().cloned().chain(self.store.trace_of(&traces).await?) {
            if let Some(subject) = &event.subject {
                subjects.entry(event.trace.clone()).or_insert_with(|| subject.clone());
            }
            let place = fates.entry((event.trace.clone(), event.recipient.clone()));
            place
                .and_modify(|last: &mut TraceEvent| {
                    if last.at <= event.at {
                        last.clone_from(&event);
                    }
                })
                .or_insert(event);
        }
        let rows = pairs.into_iter().filter_map(|pair| {
            let last = fates.remove(&pair)?;
            let subject = subjects.get(&last.trace).cloned();
            Some(MessageRow { subject, ..MessageRow::of(last) })
        });
        Ok(MessageRows {
            rows: rows.collect(),
            next: found.next,
            searched_back_to: found.searched_back_to.map(Into::into),
        })
    }

    /// What the asker may see of a message's way. Who serves the sender's domain sees all of it; who serves recipients sees theirs.
    pub(crate) async fn events_of(&self, by: &Actor, trace: &TraceId) -> Result<Vec<TraceEvent>, Failure> {
        let mut events = self.store.trace_of(std::slice::from_ref(trace)).await?;
        if let Some(domains) = scope(by) {
            let is_theirs = |address: &str| {
                let domain = address.rsplit_once('@').map(|(_, domain)| domain);
                domain.is_some_and(|domain| domains.iter().any(|theirs| theirs.as_str() == domain))
            };
            events.retain(|event| is_theirs(&event.sender) || is_theirs(&event.recipient));
        }
        Ok(events)
    }

    /// One message's way, step by step.
    ///
    /// # Errors
    /// [`Failure::Absent`] where the trace doesn't know it, or it is nothing of theirs.
    pub async fn message_story(&self, by: &Actor, id: &str) -> Result<MessageStory, Failure> {
        by.require(Role::HelpDesk)?;
        let absent = || Failure::Absent(Text::new("message-absent").with("id", id));
        let trace = TraceId::parse(id).ok_or_else(absent)?;
        let events = self.events_of(by, &trace).await?;
        let Some(first) = events.first().cloned() else { return Err(absent()) };
        let verdict = self.store.judgement(&trace).await?.map(MessageVerdict::from);
        let can_be_judged = self.store.judged_message(&trace).await?.is_some();
        let filter = QueueFilter { trace: Some(trace), ..QueueFilter::default() };
        let waiting = self.store.queue_list(&filter, &Page::first()).await?.rows;
        let recipients = fates(&events, &waiting);
        Ok(MessageStory {
            id: first.trace.to_string(),
            subject: events.iter().find_map(|event| event.subject.clone()),
            sender: shown(&first.sender),
            from_peer: first.remote,
            at: first.at.into(),
            summary: summary(&recipients, self.store.now()),
            recipients,
            verdict,
            can_be_judged,
            steps: events.into_iter().take(STEPS).map(step).collect(),
        })
    }
}

fn search(by: &Actor, query: &MessageQuery) -> Result<TraceSearch, Failure> {
    by.require(Role::HelpDesk)?;
    let mut complaints = Vec::new();
    let filled =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let trace = filled(&query.id).map(|text| {
        let why = || Text::new("message-no-id").with("text", text.as_str());
        TraceId::parse(&text).ok_or_else(|| Complaint { field: "id", why: why() })
    });
    let kind = filled(&query.kind).map(|word| {
        TraceKind::parse(&word).ok_or_else(|| Complaint { field: "kind", why: Text::new("message-no-kind") })
    });
    let address = filled(&query.address).map(|text| bad_address("address", &text));
    let words = query.subject.as_deref().unwrap_or_default().split_whitespace();
    let wanted = TraceSearch {
        trace: keep(trace, &mut complaints),
        address: keep(address, &mut complaints),
        subject: words.take(SUBJECT_WORDS).map(str::to_owned).collect(),
        since: query.since.map(|at| at.0),
        until: query.until.map(|at| at.0),
        kind: keep(kind, &mut complaints),
        domains: scope(by),
    };
    if complaints.is_empty() { Ok(wanted) } else { Err(Failure::Unfit(complaints)) }
}

fn step(event: TraceEvent) -> MessageStep {
    MessageStep {
        at: event.at.into(),
        kind: event.kind.as_str(),
        explanation: explain_event(&event),
        recipient: shown(&event.recipient),
        remote: event.remote,
        words: event.text,
    }
}

/// The last of each recipient's events, and whether it still waits.
fn fates(events: &[TraceEvent], waiting: &[QueueEntry]) -> Vec<RecipientFate> {
    let mut fates: Vec<RecipientFate> = Vec::new();
    for event in events {
        let fate = RecipientFate {
            address: event.recipient.clone(),
            kind: event.kind.as_str(),
            is_held: false,
            next_attempt_at: None,
        };
        match fates.iter_mut().find(|fate| fate.address == event.recipient) {
            Some(known) => *known = fate,
            None => fates.push(fate),
        }
    }
    for QueueEntry { recipient, .. } in waiting {
        let address = recipient.address.to_string();
        if let Some(fate) = fates.iter_mut().find(|fate| fate.address.eq_ignore_ascii_case(&address)) {
            fate.is_held = recipient.state == QueueState::Held;
            fate.next_attempt_at = (!fate.is_held).then(|| recipient.next_attempt_at.into());
        }
    }
    for fate in &mut fates {
        fate.address = shown(&fate.address);
    }
    fates
}

/// `Delivered to 2 of 3; 1 is waiting, next try in 12 minutes.`
fn summary(fates: &[RecipientFate], now: Timestamp) -> Vec<Text> {
    let count =
        |kinds: &[TraceKind]| fates.iter().filter(|fate| kinds.iter().any(|kind| kind.as_str() == fate.kind)).count();
    let (all, delivered) = (fates.len(), count(&[TraceKind::Delivered]));
    let refused = count(&[TraceKind::Refused]);
    if refused == all {
        return vec![Text::new("message-refused")];
    }
    let (failed, removed) = (count(&[TraceKind::Failed]) + refused, count(&[TraceKind::Removed]));
    let held = fates.iter().filter(|fate| fate.is_held).count();
    let waiting = all - delivered - failed - removed - held.min(all - delivered - failed - removed);
    let mut said = vec![if delivered == all {
        Text::new("message-delivered-to-all").with("count", all)
    } else {
        Text::new("message-delivered-to").with("count", delivered).with("all", all)
    }];
    if waiting > 0 {
        let next = fates.iter().filter_map(|fate| fate.next_attempt_at).min();
        let minutes = next.map_or(0, |next| next.0.since(now).as_secs().div_ceil(60));
        said.push(Text::new("message-waiting").with("count", waiting).with("minutes", minutes));
    }
    for (id, number) in [("message-held", held), ("message-failed", failed), ("message-removed", removed)] {
        if number > 0 {
            said.push(Text::new(id).with("count", number));
        }
    }
    said
}
