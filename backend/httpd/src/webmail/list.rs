//! A mailbox: its list, a window at a time, and the message that is open in it.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect};
use relais_model::SpecialUse;
use relais_service::{
    Actor, Elsewhere, Failure, ListFilter, ListPage, ListRow, ListWanted, Search, Text, Within, search_parts,
};
use serde::{Deserialize, Serialize};

use super::message::{Open, Pictures};
use super::shell::{Offers, Shell};
use crate::kit::{Frame, Oops, Person, Routes, Time, query, shown};
use crate::{Web, path};

/// Lines of a page.
pub(super) const LINES: usize = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::MAILBOX, list).get(path::MAIL_MESSAGE, message).get(path::MAIL_SUGGESTIONS, suggestions)
}

/// Which part of a mailbox is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct MailQuery {
    /// Lines before the first.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) offset: usize,
    /// What is looked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) q: String,
    /// `unread` or `starred`; empty for all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) show: String,
    /// `newest`: what was found stands by its time; else what is most about the words stands first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) order: String,
    /// `list`: the lines alone, for a script.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) part: String,
    /// `1`: pictures of this message are fetched, this once.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) pictures: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl MailQuery {
    /// As it stands in links of its page: what is of one message alone, or for a script, isn't taken along.
    fn kept(&self) -> Self {
        Self { part: String::new(), pictures: String::new(), ..self.clone() }
    }

    /// The way to `path` with this list beside it.
    pub(super) fn way(&self, path: &str) -> String {
        let query = query(&self.kept());
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    pub(super) fn wanted(&self, by_conversation: bool) -> ListWanted {
        ListWanted {
            offset: self.offset,
            limit: LINES,
            by_conversation,
            filter: match self.show.as_str() {
                "unread" => ListFilter::Unseen,
                "starred" => ListFilter::Flagged,
                _ => ListFilter::All,
            },
            search: Search::parse(&self.q),
            by_time: self.order == "newest",
        }
    }
}

/// The list of a mailbox.
#[derive(Debug)]
pub(super) struct List {
    pub(super) title: String,
    pub(super) mailbox: String,
    pub(super) href: String,
    pub(super) acts: String,
    pub(super) rows: Vec<LineRow>,
    pub(super) total: u64,
    /// `All 1,204 that this list shows`.
    pub(super) whom_all: String,
    pub(super) offset: usize,
    /// `51–100 of 1,204`.
    pub(super) shown: String,
    pub(super) newer: String,
    pub(super) older: String,
    pub(super) query: MailQuery,
    /// All, unread, starred: the way, the words, whether it is this one.
    pub(super) filters: Vec<(String, String, bool)>,
    /// Of what was found: the best first, the newest first; where something is looked for.
    pub(super) orders: Vec<(String, String, bool)>,
    /// Parts of the search: as they were typed, and the way to the list without them.
    pub(super) chips: Vec<(String, String)>,
    /// The same search in all mailboxes; empty where nothing is looked for.
    pub(super) everywhere: String,
    /// Where else something was found: the way there, and its words.
    pub(super) elsewhere: Vec<(String, String)>,
    pub(super) is_filtered: bool,
    pub(super) is_trash: bool,
    pub(super) is_junk: bool,
    /// The act of a line that is swiped away.
    pub(super) swipe: &'static str,
    pub(super) offers: Offers,
    /// Labels that are known here.
    pub(super) labels: Vec<String>,
}

/// One line.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags, each there or not")]
pub(super) struct LineRow {
    pub(super) uid: u32,
    pub(super) href: String,
    pub(super) people: String,
    /// More than one message: how many.
    pub(super) count: String,
    pub(super) subject: String,
    /// In pieces, of which some are marked.
    pub(super) preview: Vec<(String, bool)>,
    pub(super) at: Time,
    pub(super) is_unseen: bool,
    pub(super) is_flagged: bool,
    pub(super) is_answered: bool,
    pub(super) is_forwarded: bool,
    pub(super) is_draft: bool,
    pub(super) has_attachment: bool,
    pub(super) is_open: bool,
    pub(super) labels: Vec<String>,
    /// When it comes back; none: it isn't out of the way.
    pub(super) until: Option<Time>,
}

impl LineRow {
    fn of(frame: &Frame, row: ListRow, mailbox: &str, query: &MailQuery, open: Option<u32>) -> Self {
        let people: Vec<_> = row.people.iter().map(relais_reading::Party::shown).collect();
        Self {
            // A draft is written on.
            href: if row.is_draft {
                format!("{}?draft={}", path::MAIL_WRITE, row.uid)
            } else {
                query.way(&path::of(&path::of(path::MAIL, mailbox), &row.uid.to_string()))
            },
            people: if people.is_empty() { frame.say("webmail-nobody") } else { people.join(", ") },
            count: if row.uids.len() > 1 { frame.number(row.uids.len() as u64) } else { String::new() },
            subject: subject(frame, &row.subject),
            preview: row.preview.into_iter().map(|piece| (piece.text, piece.is_sought)).collect(),
            at: frame.time(row.at.map_or_else(Default::default, |at| at.0)),
            is_unseen: row.unseen > 0,
            is_flagged: row.is_flagged,
            is_answered: row.is_answered,
            is_forwarded: row.is_forwarded,
            is_draft: row.is_draft,
            has_attachment: row.has_attachment,
            is_open: open.is_some_and(|open| row.uids.contains(&open)),
            labels: row.labels,
            until: None,
            uid: row.uid,
        }
    }
}

pub(super) fn subject(frame: &Frame, subject: &str) -> String {
    if subject.is_empty() { frame.say("outcome-no-subject") } else { subject.to_owned() }
}

impl List {
    pub(super) fn of(
        frame: &Frame,
        shell: &Shell,
        page: ListPage,
        query: &MailQuery,
        open: Option<u32>,
    ) -> Result<Self, Failure> {
        let folder = shell.current().ok_or_else(|| Failure::Absent(Text::new("mail-no-mailbox")))?;
        let at = |offset: usize| MailQuery { offset, ..query.kept() }.way(&folder.href);
        let (offset, rows) = (page.offset, page.rows.len());
        let range = Text::new("webmail-range")
            .with("first", frame.number((offset + 1) as u64))
            .with("last", frame.number((offset + rows) as u64))
            .with("total", frame.number(page.total as u64));
        let filter = |(show, id): (&str, &str)| {
            let other = MailQuery { show: show.to_owned(), offset: 0, ..query.kept() };
            (other.way(&folder.href), frame.say(id), show == query.show)
        };
        let filters = [("", "webmail-all"), ("unread", "webmail-unread"), ("starred", "webmail-starred")].map(filter);
        let now = MailQuery { offset, ..query.kept() };
        let is_search = !query.q.trim().is_empty();
        let order = |(order, id): (&str, &str)| {
            let other = MailQuery { order: order.to_owned(), offset: 0, ..query.kept() };
            (other.way(&folder.href), frame.say(id), order == query.order)
        };
        let orders = [("", "webmail-best-first"), ("newest", "webmail-newest-first")].map(order);
        let chip = |q: String| MailQuery { q, offset: 0, ..query.kept() }.way(&folder.href);
        let everywhere = MailQuery { q: format!("in:all {}", query.q.trim()), offset: 0, ..query.kept() };
        Ok(Self {
            chips: search_parts(&query.q).into_iter().map(|(part, q)| (part, chip(q))).collect(),
            orders: if is_search { orders.to_vec() } else { Vec::new() },
            everywhere: if is_search && !is_everywhere(query) { everywhere.way(&folder.href) } else { String::new() },
            elsewhere: Vec::new(),
            title: folder.title.clone(),
            mailbox: folder.id.clone(),
            href: folder.href.clone(),
            acts: format!("{}/acts", folder.href),
            shown: if rows == 0 { String::new() } else { frame.tell(&range) },
            newer: if offset == 0 { String::new() } else { at(offset.saturating_sub(LINES)) },
            older: if offset + rows < page.total { at(offset + LINES) } else { String::new() },
            rows: page.rows.into_iter().map(|row| LineRow::of(frame, row, &folder.id, &now, open)).collect(),
            total: page.total as u64,
            whom_all: frame.count("webmail-whom-all", page.total as u64),
            offset,
            filters: filters.to_vec(),
            is_filtered: !query.q.trim().is_empty() || !query.show.is_empty(),
            is_trash: folder.is(SpecialUse::Trash),
            is_junk: folder.is(SpecialUse::Junk),
            swipe: match folder.special_use {
                Some(SpecialUse::Junk) => "not-junk",
                Some(SpecialUse::Trash | SpecialUse::Archive | SpecialUse::Drafts) => "delete",
                _ => "archive",
            },
            offers: shell.offers(),
            labels: page.labels,
            query: now,
        })
    }
}

/// Says of each line when it comes back, in the mailbox where such messages wait.
async fn say_until(web: &Web, frame: &Frame, shell: &Shell, me: &Actor, list: &mut List) -> Result<(), Failure> {
    if !shell.current().is_some_and(|folder| folder.is_snoozed) {
        return Ok(());
    }
    let until = web.service().mail.snoozed_until(me, &list.mailbox).await?;
    for row in &mut list.rows {
        row.until = until.get(&row.uid).map(|until| frame.time(until.0));
    }
    Ok(())
}

fn is_everywhere(query: &MailQuery) -> bool {
    Search::parse(&query.q).is_some_and(|search| search.within == Some(Within::All))
}

/// Where else a search finds something, if all mailboxes are asked for.
async fn elsewhere(
    web: &Web,
    frame: &Frame,
    me: &Actor,
    here: &str,
    query: &MailQuery,
) -> Result<Vec<(String, String)>, Failure> {
    let Some(search) = Search::parse(&query.q).filter(|search| search.within == Some(Within::All)) else {
        return Ok(Vec::new());
    };
    let found = web.service().mail.elsewhere(me, &search, here).await?;
    let way = |elsewhere: Elsewhere| {
        let title = super::shell::title(frame, &elsewhere.folder);
        let by = elsewhere.folder.shared.as_ref();
        let title = by.map_or_else(|| title.clone(), |by| format!("{} · {title}", by.title()));
        let words = Text::new("webmail-found-in").with("folder", title).with("count", frame.number(elsewhere.found));
        (MailQuery { offset: 0, ..query.kept() }.way(&path::of(path::MAIL, &elsewhere.folder.id)), frame.tell(&words))
    };
    Ok(found.into_iter().map(way).collect())
}

/// The mailbox that `in:` names, where it is another one than `here`.
fn named(shell: &Shell, query: &MailQuery) -> Option<String> {
    let Within::Named(name) = Search::parse(&query.q)?.within? else { return None };
    let is_named = |text: &str| text.eq_ignore_ascii_case(&name);
    let folder = shell.folders.iter().find(|folder| is_named(&folder.title) || is_named(&folder.name))?;
    (!folder.is_current).then(|| MailQuery { offset: 0, ..query.kept() }.way(&folder.href))
}

#[derive(Debug, Template)]
#[template(path = "webmail/page.html")]
struct MailPage {
    frame: Frame,
    shell: Shell,
    list: List,
    open: Option<Open>,
}

#[derive(Debug, Template)]
#[template(path = "webmail/lines.html")]
struct LinesPart {
    frame: Frame,
    list: List,
}

pub(super) async fn list(
    person: Person,
    State(web): State<Web>,
    Path(mailbox): Path<String>,
    Query(query): Query<MailQuery>,
) -> Oops {
    let frame = person.frame(&web);
    let shell = Shell::of(&web, &frame, &person.actor, &mailbox).await?;
    if let Some(other) = named(&shell, &query) {
        return Ok(Redirect::to(&other).into_response());
    }
    let wanted = query.wanted(shell.choices.by_conversation);
    let page = web.service().mail.list(&person.actor, &mailbox, &wanted).await?;
    let mut list = List::of(&frame, &shell, page, &query, None)?;
    say_until(&web, &frame, &shell, &person.actor, &mut list).await?;
    list.elsewhere = elsewhere(&web, &frame, &person.actor, &mailbox, &query).await?;
    if query.part == "list" {
        return Ok(shown(&LinesPart { frame, list }));
    }
    Ok(shown(&MailPage { frame, shell, list, open: None }))
}

async fn message(
    person: Person,
    State(web): State<Web>,
    Path((mailbox, uid)): Path<(String, u32)>,
    Query(query): Query<MailQuery>,
) -> Oops {
    let (frame, mail, me) = (person.frame(&web), &web.service().mail, &person.actor);
    let by_conversation = mail.choices(me).await?.by_conversation;
    let view = mail.open(me, &mailbox, uid, by_conversation, true).await?;
    // After it was marked as read, so that the counts say so.
    let shell = Shell::of(&web, &frame, me, &mailbox).await?;
    let page = mail.list(me, &mailbox, &query.wanted(by_conversation)).await?;
    let mut list = List::of(&frame, &shell, page, &query, Some(uid))?;
    say_until(&web, &frame, &shell, me, &mut list).await?;
    let is_shown = query.pictures == "1" || view.shows_pictures;
    let clean = if view.letter.has_html() {
        // What the frame will show is looked at here, for what is to be said of it.
        mail.clean_html(me, &mailbox, uid, None).await?
    } else {
        None
    };
    let open = Open::of(&frame, &shell, &list, &view, clean.as_ref(), is_shown);
    Ok(shown(&MailPage { frame, shell, list, open: Some(open) }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    q: String,
}

/// How a search that is being typed may go on: for a script.
async fn suggestions(person: Person, State(web): State<Web>, Query(typed): Query<Typed>) -> Oops {
    let found = web.service().mail.suggestions(&person.actor, &typed.q).await?;
    Ok(Json(found.into_iter().map(|suggestion| suggestion.text).collect::<Vec<_>>()).into_response())
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_reading::Party;
    use relais_service::{Excerpted, Moment};

    use super::super::message::samples;
    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    fn row(uid: u32, subject: &str) -> ListRow {
        let at = Timestamp::from_millis(1_795_428_000_000 - i64::from(uid) * 3_600_000);
        ListRow {
            uid,
            uids: vec![uid, uid + 1000],
            unseen: 1,
            is_flagged: true,
            is_answered: true,
            is_forwarded: true,
            people: vec![Party { name: "Ann Lee".to_owned(), address: "ann@example.org".to_owned() }],
            subject: subject.to_owned(),
            preview: vec![
                Excerpted { text: "The first ".to_owned(), is_sought: false },
                Excerpted { text: "words".to_owned(), is_sought: true },
            ],
            at: Some(Moment(at)),
            size_octets: 1200,
            has_attachment: true,
            labels: vec!["work".to_owned()],
            ..ListRow::default()
        }
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let page = |mailbox: &str, total: usize, query: MailQuery, is_open: bool| {
                let shell = shell(&frame, mailbox);
                let rows = if total == 0 { Vec::new() } else { vec![row(1, "Lunch"), row(2, "")] };
                let labels = vec!["work".to_owned()];
                let page = ListPage { total, offset: query.offset, rows, mod_seq: 7, labels };
                let mut list = List::of(&frame, &shell, page, &query, is_open.then_some(1)).unwrap();
                if mailbox == "F8" {
                    list.rows[0].until = Some(frame.time(Timestamp::from_millis(1_795_500_000_000)));
                }
                let open = is_open.then(|| samples::open(&frame, &shell, &list));
                MailPage { frame: frame.clone(), shell, list, open }
            };
            let search = MailQuery { q: "from:ann".to_owned(), show: "unread".to_owned(), ..MailQuery::default() };
            vec![
                page("F1", 1234, MailQuery { offset: 50, ..MailQuery::default() }, false),
                page("F1", 2, MailQuery::default(), true),
                page("F1", 0, MailQuery::default(), false),
                page("F1", 0, search, false),
                page("F5", 2, MailQuery::default(), true),
                page("F6", 2, MailQuery::default(), true),
                page("F8", 2, MailQuery::default(), true),
            ]
        });
    }

    #[test]
    fn links_keep_what_is_seen() {
        let query = MailQuery { offset: 50, q: "a b".to_owned(), part: "list".to_owned(), ..MailQuery::default() };
        assert_eq!(query.way("/mail/F1/7"), "/mail/F1/7?offset=50&q=a+b");
        assert_eq!(MailQuery::default().way("/mail/F1"), "/mail/F1");
    }
}
