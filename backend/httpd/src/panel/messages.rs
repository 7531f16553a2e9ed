//! Where is my mail? The search through the trace, and one message's story.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use relais_model::Timestamp;
use relais_service::{
    Complaint, Failure, MessageFinding, MessageQuery, MessageRow, MessageRows, MessageStory, MessageVerdict, Moment,
    Paging, RecipientFate, Text,
};
use serde::{Deserialize, Serialize};

use super::outcome::{self, Step};
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
    /// Why it is so, where somebody looked.
    because: String,
    recipients: Vec<Fate>,
    steps: Vec<Step>,
    findings: Vec<Finding>,
    /// The sum of the findings' points; empty where none counts.
    score: String,
    /// Some of it waits: the way to its page in the queue.
    queued: String,
    /// Has it judged as of now; empty where it can't be.
    again: String,
}

/// One thing that was found of the message.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) part: String,
    pub(super) says: String,
    /// Empty where it only says something.
    pub(super) points: String,
}

impl Finding {
    pub(super) fn of(frame: &Frame, finding: MessageFinding) -> Self {
        Self { says: frame.tell(&finding.says), points: points(finding.points), part: finding.part }
    }
}

/// `In Junk because: …`, or that nothing was held against it.
pub(super) fn because(frame: &Frame, verdict: &MessageVerdict) -> String {
    let deciding = verdict.findings.iter().filter(|finding| finding.decides);
    let reasons: Vec<_> = deciding.map(|finding| frame.tell(&finding.says)).collect();
    if reasons.is_empty() {
        return if verdict.done == "taken" { frame.say("messages-page-verdict-plain") } else { String::new() };
    }
    format!("{} {}", frame.say(&format!("messages-page-verdict-{}", verdict.done)), reasons.join(" "))
}

/// With a sign, as points are added; empty for none.
fn points(points: f32) -> String {
    if points == 0.0 { String::new() } else { format!("{points:+.1}") }
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

impl StoryPage {
    fn of(frame: Frame, story: MessageStory) -> Self {
        let has = |kinds: &[&str]| story.recipients.iter().any(|fate| kinds.contains(&fate.kind));
        let waits = story.recipients.iter().any(|fate| fate.is_held || fate.next_attempt_at.is_some());
        let verdict = match () {
            () if has(&["failed", "refused"]) => "bad",
            () if waits => "info",
            () if story.verdict.as_ref().is_some_and(|verdict| verdict.done == "junk") => "warn",
            () if has(&["removed"]) => "warn",
            () => "ok",
        };
        let because = story.verdict.as_ref().map(|verdict| because(&frame, verdict)).unwrap_or_default();
        let score = story.verdict.as_ref().and_then(|verdict| verdict.score);
        let findings = story.verdict.into_iter().flat_map(|verdict| verdict.findings);
        let findings = findings.map(|finding| Finding::of(&frame, finding));
        let summary: Vec<_> = story.summary.iter().map(|text| frame.tell(text)).collect();
        Self {
            subject: outcome::subject(&frame, story.subject.as_deref()),
            sender: outcome::sender(&frame, &story.sender),
            at: frame.time(story.at.0),
            verdict,
            summary: summary.join(" "),
            because,
            score: score.map(|score| format!("{score:.1}")).unwrap_or_default(),
            findings: findings.collect(),
            recipients: story.recipients.into_iter().map(|fate| Fate::of(&frame, fate)).collect(),
            steps: story.steps.into_iter().map(|step| Step::of(&frame, step)).collect(),
            queued: if waits { path::of(path::QUEUE, &story.id) } else { String::new() },
            again: if story.can_be_judged {
                format!("{}/judge", path::of(path::MESSAGES, &story.id))
            } else {
                String::new()
            },
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
pub(super) mod tests {
    use relais_service::{Explanation, MessageStep};

    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn days_and_times_are_utc() {
        let check = |text: &str, expected: Option<i64>| {
            assert_eq!(moment(text).map(|moment| moment.0.millis()), expected, "{text}");
        };
        check("1970-01-02", Some(86_400_000));
        check("1970-01-01T01:30", Some(5_400_000));
        check("yesterday", None);
    }

    fn ago(minutes: u64) -> Moment {
        Moment(Timestamp::from_millis(1_795_428_000_000).minus(std::time::Duration::from_mins(minutes)))
    }

    fn meaning(cause: &'static str) -> Explanation {
        Explanation { cause: Text::new(cause), advice: Some(Text::new("explain-advice-wait")) }
    }

    pub(crate) fn row(kind: &'static str, subject: Option<&str>) -> MessageRow {
        MessageRow {
            id: "4f9a1c".to_owned(),
            at: ago(12),
            kind,
            subject: subject.map(str::to_owned),
            sender: "newsletter-with-a-long-name@mailing.example".to_owned(),
            recipient: "bob@example.org".to_owned(),
            explanation: meaning("explain-greylisted"),
        }
    }

    fn lists(frame: Frame) -> Vec<MessagesPage> {
        let rows: Vec<_> = KINDS.into_iter().map(|kind| row(kind, Some("Invoice 2026-118, second reminder"))).collect();
        let found = |rows, next: Option<&str>, searched_back_to| MessageRows {
            rows,
            next: next.map(str::to_owned),
            searched_back_to,
        };
        let search = MessageFields {
            address: "bob@example.org".to_owned(),
            since: "2026-11-01T00:00".to_owned(),
            ..MessageFields::default()
        };
        let wrong =
            MessageFields { since: "yesterday".to_owned(), until: "never".to_owned(), ..MessageFields::default() };
        let complaints = Complaints::of(&frame, wrong.query().unwrap_err()).unwrap();
        assert_eq!(complaints.all().len(), 2);
        vec![
            MessagesPage::of(frame.clone(), MessageFields::default(), found(rows.clone(), Some("x"), None)),
            MessagesPage::of(
                frame.clone(),
                search.clone(),
                found(vec![row("failed", None)], Some("x"), Some(ago(60_000))),
            ),
            MessagesPage::of(frame.clone(), search.clone(), found(Vec::new(), Some("x"), Some(ago(60_000)))),
            MessagesPage::of(frame.clone(), search, found(Vec::new(), None, None)),
            MessagesPage::of(frame.clone(), MessageFields::default(), found(Vec::new(), None, None)),
            MessagesPage { complaints, ..MessagesPage::of(frame, wrong, found(Vec::new(), None, None)) },
        ]
    }

    fn stories(frame: Frame) -> Vec<StoryPage> {
        let step = |kind, minutes, cause, words: &str| MessageStep {
            at: ago(minutes),
            kind,
            recipient: "bob@gmail.example".to_owned(),
            remote: if words.is_empty() { String::new() } else { "mx1.gmail.example [192.0.2.7]".to_owned() },
            words: words.to_owned(),
            explanation: meaning(cause),
        };
        let fate = |address: &str, kind, next| RecipientFate {
            address: address.to_owned(),
            kind,
            is_held: kind == "queued",
            next_attempt_at: next,
        };
        let story = |recipients: Vec<RecipientFate>, summary: Vec<Text>| MessageStory {
            id: "4f9a1c".to_owned(),
            subject: Some("Invoice 2026-118, second reminder".to_owned()),
            sender: "ann@example.org".to_owned(),
            from_peer: "192.0.2.9".to_owned(),
            at: ago(130),
            summary,
            recipients,
            verdict: None,
            can_be_judged: true,
            steps: vec![
                step("queued", 130, "explain-queued", ""),
                step("deferred", 129, "explain-greylisted", "450 4.2.0 Greylisted, come again"),
                step("delivered", 12, "explain-delivered", "250 2.0.0 Ok: queued as 9F2A1"),
            ],
        };
        let delivered = vec![Text::new("message-delivered-to-all").with("count", 1_u64)];
        let waits = vec![
            Text::new("message-delivered-to").with("count", 1_u64).with("all", 3_u64),
            Text::new("message-waiting").with("count", 1_u64).with("minutes", 12_u64),
        ];
        let three = vec![
            fate("bob@gmail.example", "delivered", None),
            fate("carol@gmail.example", "deferred", Some(ago(0))),
            fate("dave@gmail.example", "queued", None),
        ];
        let finding =
            |part: &str, points, decides, says| MessageFinding { part: part.to_owned(), points, decides, says };
        let verdict = |done, decides: bool| MessageVerdict {
            done,
            score: decides.then_some(6.25),
            findings: vec![
                finding("dmarc", 0.0, decides, Text::new("auth-dmarc-nothing-passed")),
                finding("spam", if decides { 6.25 } else { 0.0 }, false, Text::new("auth-dkim-none")),
            ],
        };
        let judged = |verdict: MessageVerdict| {
            let plain = story(vec![fate("bob@gmail.example", "delivered", None)], delivered.clone());
            StoryPage::of(frame.clone(), MessageStory { verdict: Some(verdict), ..plain })
        };
        let judged: Vec<_> =
            ["taken", "junk", "refused", "put-off"].map(|done| judged(verdict(done, done != "taken"))).into();
        let pages = vec![
            StoryPage::of(frame.clone(), story(vec![fate("bob@gmail.example", "delivered", None)], delivered.clone())),
            StoryPage::of(frame.clone(), story(three, waits)),
            StoryPage::of(
                frame,
                story(
                    vec![fate("bob@gmail.example", "failed", None)],
                    vec![Text::new("message-failed").with("count", 1_u64)],
                ),
            ),
        ];
        judged.into_iter().chain(pages).collect()
    }

    #[test]
    fn pages_are_drawn() {
        draw(lists);
        draw(stories);
    }
}
