//! Activity: who changed what, one change with what was before and after, and undoing it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use relais_model::Rights;
use relais_service::{ActivityView, ActivityWanted, Actor, Failure, Moment, Role, Rows, SendsAs, ShareLevel, Text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sign_in::Nothing;
use crate::kit::{
    Choice, Flash, FlashKind, Form, Frame, Oops, Pager, Person, Routes, Time, done, grantee_words, level_words,
    redirect, sends_words, shown, typed,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::ACTIVITY, list).get(path::ENTRY, show).post(path::ENTRY_UNDO, undo)
}

/// What acts are about, as their names begin.
const FAMILIES: [(&str, &str); 13] = [
    ("domain.", "acts-about-domains"),
    ("domain_alias.", "acts-about-domain-aliases"),
    ("person.", "acts-about-people"),
    ("alias.", "acts-about-aliases"),
    ("list.", "acts-about-lists"),
    ("mailbox.", "acts-about-mailboxes"),
    ("second_factor.", "acts-about-second-factors"),
    ("passkey.", "acts-about-passkeys"),
    ("session.", "acts-about-sessions"),
    ("api_key.", "acts-about-keys"),
    ("webhook.", "acts-about-webhooks"),
    ("queue.", "acts-about-queue"),
    ("setting.", "acts-about-settings"),
];

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct ActivityQuery {
    #[serde(skip_serializing_if = "String::is_empty")]
    author: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    /// As the name of an act begins.
    #[serde(skip_serializing_if = "String::is_empty")]
    act: String,
    /// The first day, `2026-11-26`, in UTC.
    #[serde(skip_serializing_if = "String::is_empty")]
    since: String,
    /// The last day.
    #[serde(skip_serializing_if = "String::is_empty")]
    until: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    after: String,
}

impl ActivityQuery {
    fn wanted(&self) -> ActivityWanted {
        ActivityWanted {
            author: typed(&self.author),
            subject: typed(&self.subject),
            act: typed(&self.act),
            since: day(&self.since).and_then(begin),
            until: day(&self.until).and_then(|day| begin(day.tomorrow().ok()?)),
            after: typed(&self.after),
            limit: None,
        }
    }

    fn is_filtered(&self) -> bool {
        [&self.author, &self.subject, &self.act, &self.since, &self.until].into_iter().any(|field| !field.is_empty())
    }
}

/// What is no day narrows nothing.
pub(super) fn day(text: &str) -> Option<jiff::civil::Date> {
    text.trim().parse().ok()
}

pub(super) fn begin(day: jiff::civil::Date) -> Option<Moment> {
    let start = jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(Moment(relais_model::Timestamp::from_millis(start.as_millisecond())))
}

#[derive(Debug, Template)]
#[template(path = "panel/activity/list.html")]
struct ListPage {
    frame: Frame,
    query: ActivityQuery,
    families: Vec<Choice>,
    is_filtered: bool,
    rows: Vec<Row>,
    pager: Pager,
}

/// One change in the list.
#[derive(Debug)]
struct Row {
    href: String,
    sentence: String,
    author: String,
    /// How they came, and from where.
    via: String,
    time: Time,
    is_undone: bool,
}

impl ListPage {
    fn of(frame: Frame, query: ActivityQuery, found: &Rows<ActivityView>) -> Self {
        let with = |after| ActivityQuery { after, ..query.clone() };
        let is_first = query.after.is_empty();
        Self {
            families: families(&frame, &query.act),
            is_filtered: query.is_filtered(),
            rows: found.rows.iter().map(|entry| row(&frame, entry)).collect(),
            pager: Pager::of(&frame, path::ACTIVITY, found.rows.len(), found.next.as_deref(), is_first, with),
            query,
            frame,
        }
    }
}

async fn list(person: Person, State(web): State<Web>, Query(query): Query<ActivityQuery>) -> Oops {
    let found = web.service().activity.list(&person.actor, &query.wanted()).await?;
    Ok(shown(&ListPage::of(person.frame(&web), query, &found)))
}

fn families(frame: &Frame, chosen: &str) -> Vec<Choice> {
    let all = Choice::new("", frame.say("acts-about-all"), chosen);
    let each = FAMILIES.map(|(prefix, title)| Choice::new(prefix, frame.say(title), chosen));
    std::iter::once(all).chain(each).collect()
}

fn row(frame: &Frame, entry: &ActivityView) -> Row {
    Row {
        href: path::of(path::ACTIVITY, &entry.id),
        sentence: sentence(frame, entry),
        author: author(frame, entry),
        via: via(frame, entry),
        time: frame.time(entry.at.0),
        is_undone: entry.undone_at.is_some(),
    }
}

/// What was done; an act that the catalogue doesn't tell, by its name.
fn sentence(frame: &Frame, entry: &ActivityView) -> String {
    if frame.knows(&entry.sentence.id) {
        return frame.tell(&entry.sentence);
    }
    let other = Text::new("acts-other").with("act", entry.act.as_str());
    frame.tell(&other.with("subject", entry.subject.as_str()))
}

/// Those who have no address have a name in the catalogue.
fn author(frame: &Frame, entry: &ActivityView) -> String {
    match entry.via.as_str() {
        "command_line" => frame.say("acts-author-command-line"),
        "house" => frame.say("acts-author-house"),
        _ => entry.author.clone(),
    }
}

fn via(frame: &Frame, entry: &ActivityView) -> String {
    let way = match entry.via.as_str() {
        "panel" => "acts-via-panel",
        "api" => "acts-via-api",
        // The author says it.
        _ => return entry.peer.clone().unwrap_or_default(),
    };
    let way = frame.say(way);
    entry.peer.as_ref().map_or_else(|| way.clone(), |peer| format!("{way} · {peer}"))
}

#[derive(Debug, Template)]
#[template(path = "panel/activity/entry.html")]
struct EntryPage {
    frame: Frame,
    here: String,
    sentence: String,
    subject: String,
    author: String,
    via: String,
    time: Time,
    /// When it was undone, and by whom.
    undone: Option<(Time, String)>,
    /// The page of the change that this one undid; empty where it undid none.
    undoes: String,
    members: Vec<Member>,
    can_undo: bool,
}

/// One thing that differs.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    name: String,
    before: String,
    after: String,
}

async fn show(person: Person, State(web): State<Web>, Path(id): Path<String>) -> Oops {
    let entry = web.service().activity.show(&person.actor, &id).await?;
    let frame = person.frame(&web);
    Ok(shown(&entry_page(frame, &entry, person.actor.role)))
}

fn entry_page(frame: Frame, entry: &ActivityView, role: Role) -> EntryPage {
    let Row { href, sentence, author, via, time, .. } = row(&frame, entry);
    let undone = entry.undone_at.map(|at| (frame.time(at.0), entry.undone_by.clone().unwrap_or_default()));
    EntryPage {
        here: href,
        sentence,
        subject: entry.subject.clone(),
        author,
        via,
        time,
        undone,
        undoes: entry.undoes.as_deref().map(|id| path::of(path::ACTIVITY, id)).unwrap_or_default(),
        members: members(&frame, entry.before.as_ref(), entry.after.as_ref()),
        can_undo: entry.is_undoable && may_undo(&entry.act, role),
        frame,
    }
}

/// As the service will decide, as far as it is known without trying.
fn may_undo(act: &str, role: Role) -> bool {
    let least = match act.split('.').next() {
        // Whose it is may: who sees the change is among them, mostly.
        Some("mailbox" | "list") => Role::User,
        Some("person" | "alias") => Role::DomainAdmin,
        _ => Role::Owner,
    };
    role >= least
}

/// All that stands in what was or in what is, by name.
fn members(frame: &Frame, before: Option<&Value>, after: Option<&Value>) -> Vec<Member> {
    let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (fields(before), fields(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let told = |fields: &serde_json::Map<String, Value>, name: &str| {
        fields.get(name).map(|value| told(frame, name, value)).unwrap_or_default()
    };
    let each = names.iter().map(|name| Member {
        name: member_name(frame, name),
        before: told(&before, name),
        after: told(&after, name),
    });
    each.collect()
}

/// The members that the house knows; another stands as it is called in the API.
fn member_name(frame: &Frame, name: &str) -> String {
    const KNOWN: [&str; 38] = [
        "catch_all",
        "hourly_messages",
        "hourly_recipients",
        "daily_messages",
        "daily_recipients",
        "daily_new_recipients",
        "default_quota_octets",
        "description",
        "domain",
        "domains",
        "ended_text",
        "ends_at",
        "expires_at",
        "gets_posts",
        "how",
        "imap_hidden",
        "is_disabled",
        "is_owner",
        "is_removed",
        "is_suspended",
        "language",
        "mailbox",
        "max_people",
        "member",
        "name",
        "note",
        "postmaster",
        "quota_octets",
        "rights",
        "role",
        "scopes",
        "sender_people",
        "senders",
        "targets",
        "tenant",
        "theme",
        "turn",
        "with",
    ];
    if KNOWN.contains(&name) { frame.say(&format!("acts-member-{}", name.replace('_', "-"))) } else { name.to_owned() }
}

fn told(frame: &Frame, name: &str, value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(is_so) => frame.say(if *is_so { "acts-yes" } else { "acts-no" }),
        Value::Number(number) if name.ends_with("octets") => {
            number.as_u64().map_or_else(|| number.to_string(), |octets| frame.size(octets))
        }
        Value::Number(number) if name == "ends_at" => number.as_i64().map_or_else(
            || number.to_string(),
            |millis| frame.time(relais_model::Timestamp::from_millis(millis)).exact,
        ),
        Value::String(text) if name == "senders" => frame.say(&format!("alias-senders-{text}")),
        Value::String(text) if name == "how" => {
            SendsAs::parse(text).map_or_else(|| text.clone(), |sends| sends_words(frame, sends))
        }
        Value::String(text) if name == "rights" && text.is_empty() => "–".to_owned(),
        Value::String(text) if name == "rights" => {
            level_words(frame, Rights::parse(text).and_then(ShareLevel::of), text)
        }
        Value::String(text) if name == "with" => grantee_words(frame, text),
        Value::String(text) if name == "role" => Role::parse(text)
            .map_or_else(|| text.clone(), |role| frame.say(&format!("role-{}", role.as_str().replace('_', "-")))),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(|value| told(frame, name, value)).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

async fn undo(person: Person, State(web): State<Web>, Path(id): Path<String>, Form(Nothing {}): Form<Nothing>) -> Oops {
    match web.service().activity.undo(&person.actor, &id).await {
        Ok(entry) => Ok(done(&path::of(path::ACTIVITY, &entry.id), Text::new("acts-undone"))),
        // Why not stands beside what it is about.
        Err(Failure::Clash(complaint)) => Ok(refused(&id, complaint.why)),
        Err(Failure::Stale(why)) => Ok(refused(&id, why)),
        Err(other) => Err(other.into()),
    }
}

fn refused(id: &str, why: Text) -> Response {
    redirect(&path::of(path::ACTIVITY, id), &Flash { kind: FlashKind::Warn, text: why, undo: None })
}

/// Leads on to `path`, where it is said what was done to `subject`, with the way to take it back.
pub(super) async fn done_undoably(web: &Web, actor: &Actor, path: &str, text: Text, subject: &str) -> Response {
    done_undoably_since(web, actor, path, text, (subject, None)).await
}

/// As [`done_undoably`], where it may be that nothing was changed: what was done before `since` is not taken back.
pub(crate) async fn done_undoably_since(
    web: &Web,
    actor: &Actor,
    path: &str,
    text: Text,
    (subject, since): (&str, Option<Moment>),
) -> Response {
    let last = ActivityWanted {
        author: Some(actor.name.clone()),
        subject: Some(subject.to_owned()),
        since,
        limit: Some(1),
        ..ActivityWanted::default()
    };
    // What was done is done: that the way back can't be found is no failure of it.
    let found = web.service().activity.list(actor, &last).await.ok().and_then(|found| found.rows.into_iter().next());
    let undo = found
        .filter(|entry| entry.is_undoable && may_undo(&entry.act, actor.role))
        .map(|entry| format!("{}/undo", path::of(path::ACTIVITY, &entry.id)));
    redirect(path, &Flash { kind: FlashKind::Ok, text, undo })
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::kit::samples::draw;

    fn entry(act: &str, via: &str) -> ActivityView {
        let at = Moment(Timestamp::from_millis(1_795_000_000_000));
        ActivityView {
            id: "k7".to_owned(),
            at,
            author: "ann@example.org".to_owned(),
            via: via.to_owned(),
            peer: Some("192.0.2.7".to_owned()),
            act: act.to_owned(),
            subject: "ben@example.org".to_owned(),
            sentence: Text::named(format!("activity-{}", act.replace(['.', '_'], "-")))
                .with("subject", "ben@example.org"),
            before: Some(json!({ "quota_octets": 5_000_000_000_u64, "role": "user", "is_suspended": false })),
            after: Some(json!({ "role": "domain_admin", "domains": ["a.example", "b.example"], "other": null })),
            undone_at: Some(at),
            undone_by: Some("ann@example.org".to_owned()),
            undoes: Some("k6".to_owned()),
            is_undoable: true,
        }
    }

    #[test]
    fn changes_are_drawn() {
        let entries = || {
            vec![
                entry("person.change", "panel"),
                entry("domain.remove", "command_line"),
                entry("alias.undo", "api"),
                entry("something.new", "house"),
            ]
        };
        draw(|frame| {
            let page = |author: &str, rows| {
                let query = ActivityQuery { author: author.to_owned(), ..ActivityQuery::default() };
                ListPage::of(frame.clone(), query, &Rows { rows, next: Some("next".to_owned()) })
            };
            vec![page("", entries()), page("", Vec::new()), page("nobody", Vec::new())]
        });
        draw(|frame| {
            let nothing =
                ActivityView { before: None, after: None, undone_at: None, undoes: None, ..entry("a.b", "house") };
            let each = entries().into_iter().chain([nothing]);
            each.map(|entry| entry_page(frame.clone(), &entry, Role::Owner)).collect()
        });
    }

    #[test]
    fn what_differs_is_told_in_words() {
        let frame = Frame::sample(relais_words::Language::English, Role::Owner);
        let entry = entry("person.change", "panel");
        let told: Vec<_> = members(&frame, entry.before.as_ref(), entry.after.as_ref())
            .into_iter()
            .map(|member| format!("{}: {} > {}", member.name, member.before, member.after))
            .collect();
        assert_eq!(
            told,
            [
                "Domains they look after:  > a.example, b.example",
                "Suspended: no > ",
                "other:  > –",
                "Storage at most: 5 GB > ",
                "Role: User > Domain admin"
            ]
        );
    }

    #[test]
    fn what_is_shared_is_told_in_words() {
        let frame = Frame::sample(relais_words::Language::English, Role::User);
        let before = json!({ "mailbox": "INBOX", "with": "ben@example.org", "rights": "", "how": "as" });
        let after = json!({ "mailbox": "INBOX", "with": "ben@example.org", "rights": "lrs" });
        let told = members(&frame, Some(&before), Some(&after));
        let told: Vec<_> = told.iter().map(|member| (member.before.as_str(), member.after.as_str())).collect();
        let (how, read) = (frame.say("share-sends-as"), frame.say("share-level-read"));
        let with = grantee_words(&frame, "ben@example.org");
        assert_eq!(
            told,
            [(how.as_str(), ""), ("INBOX", "INBOX"), ("–", read.as_str()), (with.as_str(), with.as_str())]
        );
    }

    #[test]
    fn days_are_whole() {
        let query =
            ActivityQuery { since: "2026-11-26".to_owned(), until: "2026-11-26".to_owned(), ..Default::default() };
        let wanted = query.wanted();
        let span = wanted.until.unwrap().0.millis() - wanted.since.unwrap().0.millis();
        assert_eq!(span, 24 * 3_600_000);
        assert_eq!(ActivityQuery { since: "soon".to_owned(), ..Default::default() }.wanted().since, None);
    }
}
