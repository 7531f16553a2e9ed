//! Where is my mail? The search through the trace, and one message's story.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use relais_model::Timestamp;
use relais_service::{
    Complaint, Failure, MessageQuery, MessageRow, MessageRows, MessageStep, MessageStory, Moment, Paging,
    RecipientFate, Text,
};
use serde::{Deserialize, Serialize};

use super::outcome;
use crate::kit::{
    Complaints, Desk, Frame, ListQuery, Oops, PageError, Pager, Routes, Time, again, query, shown, typed,
};
use crate::{Web, kit, path};

/// The kinds that can be asked for.
const KINDS: [&str; 6] = ["queued", "delivered", "deferred", "failed", "refused", "removed"];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::MESSAGES, list).get(path::MESSAGE, story)
}

/// What is looked for, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct MessageFields {
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    /// As a browser's field of day and time says it: `2026-11-26T09:30`, in UTC.
    #[serde(skip_serializing_if = "String::is_empty")]
    since: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    until: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    after: String,
}

impl MessageFields {
    fn is_search(&self) -> bool {
        Self { after: String::new(), ..self.clone() } != Self::default()
    }

    fn query(&self) -> Result<MessageQuery, Failure> {
        let moment = |field: &'static str, text: &str| match typed(text) {
            None => Ok(None),
            Some(text) => moment(&text).map(Some).ok_or(Complaint { field, why: Text::new("messages-page-no-time") }),
        };
        let (since, until) = (moment("since", &self.since), moment("until", &self.until));
        match (since, until) {
            (Ok(since), Ok(until)) => Ok(MessageQuery {
                address: typed(&self.address),
                subject: typed(&self.subject),
                id: typed(&self.id),
                since,
                until,
                kind: typed(&self.kind),
            }),
            (since, until) => Err(Failure::Unfit([since, until].into_iter().filter_map(Result::err).collect())),
        }
    }

    fn paging(&self) -> Paging {
        ListQuery { after: self.after.clone(), ..ListQuery::default() }.paging()
    }
}

/// A day and a time in UTC; a day alone begins at midnight.
fn moment(text: &str) -> Option<Moment> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let at = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(Moment(Timestamp::from_millis(at.as_millisecond())))
}

#[derive(Debug, Template)]
#[template(path = "panel/messages/list.html")]
struct MessagesPage {
    frame: Frame,
    complaints: Complaints,
    fields: MessageFields,
    kinds: Vec<(&'static str, String)>,
    is_search: bool,
    rows: Vec<Row>,
    pager: Pager,
    /// The search stopped there, and where it goes on.
    searched_back_to: Option<Time>,
    further: String,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) href: String,
    pub(super) subject: String,
    pub(super) sender: String,
    pub(super) recipient: String,
    pub(super) outcome: kit::State,
    pub(super) meaning: String,
    pub(super) at: Time,
}

impl Row {
    pub(super) fn of(frame: &Frame, row: MessageRow) -> Self {
        Self {
            href: path::of(path::MESSAGES, &row.id),
            subject: outcome::subject(frame, row.subject.as_deref()),
            sender: outcome::sender(frame, &row.sender),
            outcome: outcome::badge(frame, row.kind),
            meaning: frame.tell(&row.explanation.cause),
            at: frame.time(row.at.0),
            recipient: row.recipient,
        }
    }
}

impl MessagesPage {
    fn of(frame: Frame, fields: MessageFields, found: MessageRows) -> Self {
        let with = |after: String| MessageFields { after, ..fields.clone() };
        let next = found.next.as_deref();
        let is_bounded = found.searched_back_to.is_some();
        let pager = Pager::of(
            &frame,
            path::MESSAGES,
            found.rows.len(),
            next.filter(|_| !is_bounded),
            fields.after.is_empty(),
            with,
        );
        let further =
            next.filter(|_| is_bounded).map(|next| format!("{}?{}", path::MESSAGES, query(&with(next.to_owned()))));
        Self {
            kinds: KINDS.map(|kind| (kind, outcome::badge(&frame, kind).text)).to_vec(),
            is_search: fields.is_search(),
            searched_back_to: found.searched_back_to.map(|at| frame.time(at.0)),
            further: further.unwrap_or_default(),
            rows: found.rows.into_iter().map(|row| Row::of(&frame, row)).collect(),
            pager,
            complaints: Complaints::default(),
            fields,
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(fields): Query<MessageFields>) -> Oops {
    let frame = desk.frame(&web);
    let found = match fields.query() {
        Ok(wanted) => web.service().messages(&desk.actor, &wanted, fields.paging()).await,
        Err(failure) => Err(failure),
    };
    match found {
        Ok(found) => Ok(shown(&MessagesPage::of(frame, fields, found))),
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            let none = MessageRows { rows: Vec::new(), next: None, searched_back_to: None };
            Ok(again(&MessagesPage { complaints, ..MessagesPage::of(frame, fields, none) }))
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/messages/story.html")]
struct StoryPage {
    frame: Frame,
    id: String,
    subject: String,
    sender: String,
    from_peer: String,
    at: Time,
    /// `ok`, `info` or `bad`, and what became of it.
    verdict: &'static str,
    summary: String,
    recipients: Vec<Fate>,
    steps: Vec<Step>,
    /// Some of it waits: the way to its page in the queue.
    queued: String,
}

#[derive(Debug)]
struct Fate {
    address: String,
    outcome: kit::State,
    next: Option<Time>,
}

impl Fate {
    fn of(frame: &Frame, fate: RecipientFate) -> Self {
        let outcome =
            if fate.is_held { frame.state("warn", "queue-page-held") } else { outcome::badge(frame, fate.kind) };
        Self { outcome, next: fate.next_attempt_at.map(|at| frame.time(at.0)), address: fate.address }
    }
}

#[derive(Debug)]
struct Step {
    tone: &'static str,
    symbol: &'static str,
    title: String,
    at: Time,
    meaning: String,
    remote: String,
    words: String,
}

impl Step {
    fn of(frame: &Frame, step: MessageStep) -> Self {
        let title = Text::new("messages-page-step")
            .with("outcome", outcome::badge(frame, step.kind).text)
            .with("recipient", step.recipient);
        Self {
            tone: outcome::tone(step.kind),
            symbol: outcome::symbol(step.kind),
            title: frame.tell(&title),
            at: frame.time(step.at.0),
            meaning: outcome::explained(frame, &step.explanation),
            remote: step.remote,
            words: step.words,
        }
    }
}

impl StoryPage {
    fn of(frame: Frame, story: MessageStory) -> Self {
        let has = |kinds: &[&str]| story.recipients.iter().any(|fate| kinds.contains(&fate.kind));
        let waits = story.recipients.iter().any(|fate| fate.is_held || fate.next_attempt_at.is_some());
        let verdict = match () {
            () if has(&["failed", "refused"]) => "bad",
            () if waits => "info",
            () if has(&["removed"]) => "warn",
            () => "ok",
        };
        let summary: Vec<_> = story.summary.iter().map(|text| frame.tell(text)).collect();
        Self {
            subject: outcome::subject(&frame, story.subject.as_deref()),
            sender: outcome::sender(&frame, &story.sender),
            at: frame.time(story.at.0),
            verdict,
            summary: summary.join(" "),
            recipients: story.recipients.into_iter().map(|fate| Fate::of(&frame, fate)).collect(),
            steps: story.steps.into_iter().map(|step| Step::of(&frame, step)).collect(),
            queued: if waits { path::of(path::QUEUE, &story.id) } else { String::new() },
            from_peer: story.from_peer,
            id: story.id,
            frame,
        }
    }
}

async fn story(desk: Desk, State(web): State<Web>, Path(id): Path<String>) -> Result<Response, PageError> {
    let story = web.service().message_story(&desk.actor, &id).await?;
    Ok(shown(&StoryPage::of(desk.frame(&web), story)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_utc() {
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(moment(text).map(|moment| moment.0.millis()), expected, "{text}");
        };
        check("1970-01-02", Some(86_400_000));
        check("1970-01-01T01:30", Some(5_400_000));
        check("yesterday", None);
    }
}
