//! The queue: what waits, one message of it, and acts upon them.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use relais_service::{
    Failure, MessageStep, Moment, QueueAct, QueueAttempt, QueueChart, QueueItem, QueueMessage, QueueQuery,
    QueueSelection, QueueSort, Role, Rows, Text,
};
use serde::{Deserialize, Serialize};

use super::outcome::{self, Step};
use crate::kit::{
    Admin, Complaints, Desk, Flash, FlashKind, Form, Frame, ListQuery, Oops, PageError, Pager, Routes, SortHead, Time,
    again, done, next_path, query, redirect, shown, typed,
};
use crate::{Web, kit, path};

/// Items that the question before a removal names.
const NAMED: usize = 10;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::QUEUE, list).post(path::QUEUE_ACTS, act).get(path::QUEUE_MESSAGE, message)
}

/// What the list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct QueueFields {
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    destination: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sender: String,
    #[serde(flatten)]
    list: ListQuery,
}

impl QueueFields {
    fn query(&self) -> QueueQuery {
        QueueQuery {
            state: typed(&self.state),
            destination: typed(&self.destination),
            sender: typed(&self.sender),
            text: self.list.words(),
            ..QueueQuery::default()
        }
    }

    /// The column that orders; what came last stands first where nothing else is asked for.
    fn sort(&self) -> (QueueSort, &'static str) {
        match self.list.sort.as_str() {
            "created" => (QueueSort::Oldest, "created"),
            "next" => (QueueSort::NextAttempt, "next"),
            _ => (QueueSort::Newest, "-created"),
        }
    }

    /// The same list in another order, from its beginning.
    fn sorted(&self, sort: String) -> Self {
        Self { list: ListQuery { sort, after: String::new(), ..self.list.clone() }, ..self.clone() }
    }

    /// The same list, from `after` on.
    fn from(&self, after: String) -> Self {
        Self { list: ListQuery { after, ..self.list.clone() }, ..self.clone() }
    }

    /// The way to the list cut to one destination.
    fn way_to_destination(destination: &str) -> String {
        let fields = Self { destination: destination.to_owned(), ..Self::default() };
        format!("{}?{}", path::QUEUE, query(&fields))
    }
}

/// The way to what waits for `destination`.
pub(super) fn way_to(destination: &str) -> String {
    QueueFields::way_to_destination(destination)
}

#[derive(Debug, Template)]
#[template(path = "panel/queue/list.html")]
struct QueuePage {
    frame: Frame,
    complaints: Complaints,
    fields: QueueFields,
    states: Vec<(&'static str, String)>,
    /// The filters, as the acts bring them back.
    filter: String,
    /// The way back to this very list.
    here: String,
    is_filtered: bool,
    may_act: bool,
    rows: Vec<QueueRow>,
    pager: Pager,
    created: SortHead,
    next: SortHead,
    /// `All 1,204 that match`.
    matching: String,
    tallies: Vec<Tally>,
    destinations: Vec<Share>,
    oldest: Option<Time>,
}

/// How many are in a state, and the way to them.
#[derive(Debug)]
struct Tally {
    name: String,
    symbol: &'static str,
    href: String,
    count: String,
}

/// A destination's part of the queue.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) value: u64,
    pub(super) whole: u64,
    pub(super) text: String,
}

/// The destinations of a chart, the largest first, the rest last.
pub(super) fn shares(frame: &Frame, chart: &QueueChart) -> Vec<Share> {
    let whole = chart.total.total().max(1);
    let share = |name: String, href: String, value: u64| Share { name, href, value, whole, text: frame.number(value) };
    let named = chart
        .destinations
        .iter()
        .map(|tally| share(tally.destination.clone(), way_to(&tally.destination), tally.counts.total()));
    let rest = (chart.rest > 0).then(|| share(frame.say("queue-page-rest"), String::new(), chart.rest));
    named.chain(rest).collect()
}

#[derive(Debug)]
struct QueueRow {
    item: String,
    href: String,
    recipient: String,
    sender: String,
    state: kit::State,
    attempts: String,
    created: Time,
    next: Option<Time>,
    /// What was said last, and what it means; empty before the first attempt.
    reply: String,
    meaning: String,
}

impl QueueRow {
    fn of(frame: &Frame, item: QueueItem) -> Self {
        Self {
            href: path::of(path::QUEUE, &item.id),
            sender: outcome::sender(frame, &item.sender),
            state: state(frame, item.state),
            attempts: frame.number(item.attempts.into()),
            created: frame.time(item.created_at.0),
            next: item.next_attempt_at.map(|at| due(frame, at)),
            meaning: item.explanation.map(|meaning| frame.tell(&meaning.cause)).unwrap_or_default(),
            reply: item.last_reply.unwrap_or_default(),
            item: item.item,
            recipient: item.recipient,
        }
    }
}

/// When it is tried again: what is due already is not said to have been.
fn due(frame: &Frame, at: Moment) -> Time {
    let time = frame.time(at.0);
    if frame.is_past(at.0) { Time { words: frame.say("queue-page-due"), ..time } } else { time }
}

fn state(frame: &Frame, state: &str) -> kit::State {
    match state {
        "held" => frame.state("warn", "queue-page-held"),
        "claimed" => frame.state("info", "queue-page-claimed"),
        _ => frame.state("wait", "queue-page-waiting"),
    }
}

impl QueuePage {
    fn of(
        frame: Frame,
        fields: QueueFields,
        chart: &QueueChart,
        found: Rows<QueueItem>,
        matching: u64,
        may_act: bool,
    ) -> Self {
        let (_, sort) = fields.sort();
        let is_first = fields.list.after.is_empty();
        let pager = Pager::of(&frame, path::QUEUE, found.rows.len(), found.next.as_deref(), is_first, |after| {
            fields.from(after)
        });
        let state_way = |state: &str| {
            let fields = QueueFields { state: state.to_owned(), ..QueueFields::default() };
            format!("{}?{}", path::QUEUE, query(&fields))
        };
        let tally = |state: &str, symbol, count| Tally {
            name: frame.say(&format!("queue-page-{state}")),
            symbol,
            href: state_way(state),
            count: frame.number(count),
        };
        let word = |state: &'static str| (state, frame.say(&format!("queue-page-{state}")));
        Self {
            states: vec![word("waiting"), word("held"), word("claimed")],
            filter: query(&QueueFields {
                list: ListQuery { q: fields.list.q.clone(), ..ListQuery::default() },
                ..fields.clone()
            }),
            here: format!("{}?{}", path::QUEUE, query(&fields)),
            is_filtered: fields.query() != QueueQuery::default(),
            may_act,
            created: SortHead::of(path::QUEUE, "created", sort, |sort| fields.sorted(sort)),
            next: SortHead::of(path::QUEUE, "next", sort, |sort| fields.sorted(sort)),
            matching: frame.count("queue-page-matching", matching),
            tallies: vec![
                tally("waiting", "clock", chart.total.waiting),
                tally("held", "pause", chart.total.held),
                tally("claimed", "send", chart.total.claimed),
            ],
            destinations: shares(&frame, chart),
            oldest: chart.oldest_at.map(|at| frame.time(at.0)),
            rows: found.rows.into_iter().map(|item| QueueRow::of(&frame, item)).collect(),
            pager,
            complaints: Complaints::default(),
            fields,
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(fields): Query<QueueFields>) -> Oops {
    let (frame, service, by) = (desk.frame(&web), web.service(), &desk.actor);
    let may_act = by.role >= Role::DomainAdmin;
    let chart = service.queue_chart(by).await?;
    let (wanted, (sort, _)) = (fields.query(), fields.sort());
    match service.queue_items(by, &wanted, sort, fields.list.paging()).await {
        Ok(found) => {
            let matching = service.queue_tally(by, &wanted).await?.total();
            Ok(shown(&QueuePage::of(frame, fields, &chart, found, matching, may_act)))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            let none = Rows { rows: Vec::new(), next: None };
            Ok(again(&QueuePage { complaints, ..QueuePage::of(frame, fields, &chart, none, 0, false) }))
        }
    }
}

/// What is to be done, and to what.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ActForm {
    /// `retry`, `hold`, `release` or `remove`.
    act: String,
    /// `matching`: all that `filter` finds; else the chosen items.
    whom: String,
    item: Vec<String>,
    /// The query of a list.
    filter: String,
    /// Where to go then.
    next: String,
    /// The question before a removal was answered.
    sure: String,
}

impl ActForm {
    fn fields(&self) -> Result<QueueFields, PageError> {
        let unfit = |_| PageError(Failure::unfit("", Text::new("form-unreadable")));
        serde_html_form::from_str(&self.filter).map_err(unfit)
    }

    fn selection(&self) -> Result<QueueSelection, PageError> {
        if self.whom == "matching" {
            return Ok(QueueSelection::Matching(self.fields()?.query()));
        }
        Ok(QueueSelection::Items(self.item.clone()))
    }

    fn next(&self) -> &str {
        if self.next.is_empty() { path::QUEUE } else { next_path(&self.next) }
    }
}

async fn act(admin: Admin, State(web): State<Web>, Form(form): Form<ActForm>) -> Oops {
    let (act, said) = match form.act.as_str() {
        "retry" => (QueueAct::Retry, "queue-page-retried"),
        "hold" => (QueueAct::Hold, "queue-page-was-held"),
        "release" => (QueueAct::Release, "queue-page-released"),
        "remove" => (QueueAct::Remove, "queue-page-removed"),
        _ => return Err(PageError(Failure::unfit("", Text::new("form-unreadable")))),
    };
    let warn = |text: Text| redirect(form.next(), &Flash { kind: FlashKind::Warn, text, undo: None });
    let selection = form.selection()?;
    if matches!(&selection, QueueSelection::Items(items) if items.is_empty()) {
        return Ok(warn(Text::new("queue-page-none-chosen")));
    }
    if act == QueueAct::Remove && form.sure.is_empty() {
        return ask(&admin, &web, &form, &selection).await;
    }
    match web.service().queue_act(&admin.actor, act, &selection).await? {
        0 => Ok(warn(Text::new("queue-page-untouched"))),
        touched => Ok(done(form.next(), Text::new(said).with("count", touched))),
    }
}

/// The question before a removal, which names what goes.
#[derive(Debug, Template)]
#[template(path = "panel/queue/remove.html")]
struct RemovePage {
    frame: Frame,
    title: String,
    goes: Vec<String>,
    whom: String,
    items: Vec<String>,
    filter: String,
    next: String,
}

async fn ask(admin: &Admin, web: &Web, form: &ActForm, selection: &QueueSelection) -> Oops {
    let frame = admin.frame(web);
    let (count, goes) = match selection {
        QueueSelection::Matching(wanted) => {
            let tally = web.service().queue_tally(&admin.actor, wanted).await?;
            (tally.waiting + tally.held, filters_in_words(&frame, wanted))
        }
        QueueSelection::Items(items) => (u64::try_from(items.len()).unwrap_or(0), items_in_words(&frame, items)),
    };
    Ok(shown(&RemovePage {
        title: frame.count("queue-page-remove-title", count),
        goes,
        whom: form.whom.clone(),
        items: form.item.clone(),
        filter: form.filter.clone(),
        next: form.next().to_owned(),
        frame,
    }))
}

/// The first of them, and how many more.
fn items_in_words(frame: &Frame, items: &[String]) -> Vec<String> {
    let named = items.iter().take(NAMED).map(|item| item_in_words(frame, item));
    let rest = u64::try_from(items.len().saturating_sub(NAMED)).unwrap_or(0);
    named.chain((rest > 0).then(|| frame.count("queue-page-and-more", rest))).collect()
}

/// `ID/ADDRESS` names one recipient, `ID` a whole message.
fn item_in_words(frame: &Frame, item: &str) -> String {
    match item.split_once('/') {
        Some((_, address)) => frame.tell(&Text::new("queue-page-goes-recipient").with("recipient", address)),
        None => frame.tell(&Text::new("queue-page-goes-message").with("id", item)),
    }
}

fn filters_in_words(frame: &Frame, wanted: &QueueQuery) -> Vec<String> {
    let state = wanted.state.as_ref().map(|state| state_word(frame, state));
    let filters = [
        ("queue-page-goes-state", &state),
        ("queue-page-goes-destination", &wanted.destination),
        ("queue-page-goes-sender", &wanted.sender),
        ("queue-page-goes-words", &wanted.text),
    ];
    let said =
        filters.into_iter().filter_map(|(id, value)| Some(frame.tell(&Text::new(id).with("value", value.as_deref()?))));
    let said: Vec<_> = said.collect();
    if said.is_empty() { vec![frame.say("queue-page-goes-all")] } else { said }
}

fn state_word(frame: &Frame, name: &str) -> String {
    state(frame, name).text
}

#[derive(Debug, Template)]
#[template(path = "panel/queue/message.html")]
struct MessagePage {
    frame: Frame,
    id: String,
    subject: String,
    sender: String,
    size: String,
    created: Time,
    expires: Time,
    may_act: bool,
    here: String,
    story: String,
    recipients: Vec<QueueRow>,
    attempts: Vec<Step>,
}

/// An attempt is a step of the message's way.
fn step(frame: &Frame, attempt: QueueAttempt) -> Step {
    let QueueAttempt { at, recipient, remote, outcome: kind, reply: words, explanation } = attempt;
    Step::of(frame, MessageStep { at, kind, recipient, remote, words, explanation })
}

impl MessagePage {
    fn of(frame: Frame, message: QueueMessage, may_act: bool) -> Self {
        Self {
            subject: outcome::subject(&frame, message.subject.as_deref()),
            sender: outcome::sender(&frame, &message.sender),
            size: frame.size(message.size_octets),
            created: frame.time(message.created_at.0),
            expires: frame.time(message.expires_at.0),
            may_act,
            here: path::of(path::QUEUE, &message.id),
            story: path::of(path::MESSAGES, &message.id),
            recipients: message.recipients.into_iter().map(|item| QueueRow::of(&frame, item)).collect(),
            attempts: message.attempts.into_iter().map(|attempt| step(&frame, attempt)).collect(),
            id: message.id,
            frame,
        }
    }
}

async fn message(desk: Desk, State(web): State<Web>, Path(id): Path<String>) -> Result<Response, PageError> {
    match web.service().queue_message(&desk.actor, &id).await {
        Ok(message) => {
            let may_act = desk.actor.role >= Role::DomainAdmin;
            Ok(shown(&MessagePage::of(desk.frame(&web), message, may_act)))
        }
        // It has gone since the list was looked at: its story says where.
        Err(Failure::Absent(_)) => Ok(Redirect::to(&path::of(path::MESSAGES, &id)).into_response()),
        Err(failure) => Err(failure.into()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use relais_model::Timestamp;
    use relais_service::{DestinationTally, Explanation, Moment, QueueTally};

    use super::*;
    use crate::kit::samples::draw;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn ago(minutes: u64) -> Moment {
        Moment(NOW.minus(std::time::Duration::from_mins(minutes)))
    }

    fn meaning() -> Explanation {
        Explanation { cause: Text::new("explain-greylisted"), advice: Some(Text::new("explain-advice-wait")) }
    }

    pub(crate) fn chart() -> QueueChart {
        let counts = QueueTally { waiting: 1_204, held: 3, claimed: 2 };
        let tally = |destination: &str, waiting| DestinationTally {
            destination: destination.to_owned(),
            counts: QueueTally { waiting, ..QueueTally::default() },
        };
        QueueChart {
            total: counts,
            destinations: vec![
                tally("gmail.example", 900),
                tally("a-very-long-name-of-a-university-department.ac.example", 240),
                tally("bücher.example", 4),
            ],
            rest: 65,
            oldest_at: Some(ago(3000)),
        }
    }

    fn item(recipient: &str, state: &'static str, reply: Option<&str>) -> QueueItem {
        QueueItem {
            item: format!("4f9a1c/{recipient}"),
            id: "4f9a1c".to_owned(),
            state,
            size_octets: 48_213,
            sender: "ann@example.org".to_owned(),
            recipient: recipient.to_owned(),
            destination: "gmail.example".to_owned(),
            attempts: 3,
            created_at: ago(130),
            expires_at: ago(0),
            next_attempt_at: (state != "held").then(|| ago(0)),
            last_attempt_at: Some(ago(12)),
            last_reply: reply.map(str::to_owned),
            last_remote: reply.map(|_| "mx1.gmail.example".to_owned()),
            explanation: reply.map(|_| meaning()),
        }
    }

    fn items() -> Vec<QueueItem> {
        vec![
            item("bob@gmail.example", "waiting", Some("450 4.2.0 Greylisted, see https://postgrey.example/help")),
            item("carol.with-a-very-long-local-part.indeed@a-very-long-name-of-a-university.ac.example", "held", None),
            item("dave@gmail.example", "claimed", None),
        ]
    }

    #[expect(clippy::needless_pass_by_value, reason = "samples are made of a frame of their own")]
    fn lists(frame: Frame) -> Vec<QueuePage> {
        let page = |fields: QueueFields, rows, next: Option<&str>, may_act| {
            let found = Rows { rows, next: next.map(str::to_owned) };
            QueuePage::of(frame.clone(), fields, &chart(), found, 1204, may_act)
        };
        let filtered = QueueFields { state: "held".to_owned(), destination: "?".to_owned(), ..QueueFields::default() };
        let why = Text::new("failure-bad-domain").with("text", "?").with("why", "a character");
        let complaints = Complaints::of(&frame, Failure::unfit("destination", why)).unwrap();
        vec![
            page(QueueFields::default(), items(), Some("4f9a1c"), true),
            page(QueueFields::default(), items(), None, false),
            page(QueueFields::default(), Vec::new(), None, true),
            QueuePage { complaints, ..page(filtered, Vec::new(), None, false) },
        ]
    }

    fn messages(frame: Frame) -> Vec<MessagePage> {
        let attempt = |outcome, minutes| QueueAttempt {
            at: ago(minutes),
            recipient: "bob@gmail.example".to_owned(),
            remote: "mx1.gmail.example [192.0.2.7]".to_owned(),
            outcome,
            reply: "450 4.2.0 Greylisted, see https://postgrey.example/help".to_owned(),
            explanation: meaning(),
        };
        let message = |attempts, subject: Option<&str>| QueueMessage {
            id: "4f9a1c".to_owned(),
            subject: subject.map(str::to_owned),
            sender: "<>".to_owned(),
            size_octets: 48_213,
            created_at: ago(130),
            expires_at: ago(0),
            recipients: items(),
            attempts,
        };
        let tried = vec![attempt("deferred", 12), attempt("deferred", 70), attempt("delivered", 70)];
        vec![
            MessagePage::of(frame.clone(), message(tried, Some("Réunion de lundi — שלום עולם")), true),
            MessagePage::of(frame, message(Vec::new(), None), false),
        ]
    }

    #[expect(clippy::needless_pass_by_value, reason = "samples are made of a frame of their own")]
    fn questions(frame: Frame) -> Vec<RemovePage> {
        let items: Vec<_> = (0..12).map(|number| format!("4f9a1c/person{number}@gmail.example")).collect();
        let wanted =
            QueueQuery { state: Some("held".to_owned()), sender: Some("<>".to_owned()), ..QueueQuery::default() };
        let page = |goes: Vec<String>, items: Vec<String>| RemovePage {
            title: frame.count("queue-page-remove-title", 12),
            goes,
            whom: String::new(),
            items,
            filter: "state=held".to_owned(),
            next: path::QUEUE.to_owned(),
            frame: frame.clone(),
        };
        vec![
            page(items_in_words(&frame, &items), items),
            page(filters_in_words(&frame, &wanted), Vec::new()),
            page(filters_in_words(&frame, &QueueQuery::default()), Vec::new()),
        ]
    }

    #[test]
    fn pages_are_drawn() {
        draw(lists);
        draw(messages);
        draw(questions);
    }

    #[test]
    fn a_list_comes_back_from_its_acts_as_it_was() {
        let fields: QueueFields = serde_html_form::from_str("state=held&q=a+b&sort=next&after=x").unwrap();
        assert_eq!(fields.list.q, "a b");
        let form: ActForm =
            serde_html_form::from_str("act=hold&item=a%2Fb@c.example&whom=chosen&filter=state%3Dheld").unwrap();
        assert_eq!(form.item, ["a/b@c.example"]);
        assert_eq!(form.fields().unwrap().state, "held");
        assert_eq!(form.next(), path::QUEUE);
        let form: ActForm = serde_html_form::from_str("act=remove&item=a&item=b&next=//evil.example").unwrap();
        assert_eq!((form.item.len(), form.next()), (2, "/"));
    }
}
