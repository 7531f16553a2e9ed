//! People whose mail is held: the list, and one hold with what is done about it. And what people send, of what they may.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{HoldDetail, HoldView, Role, Rows, SendingView, Text};

use crate::kit::{Admin, Desk, Form, Frame, ListQuery, Oops, Pager, Person, Routes, Time, done, shown};
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::HOLDS, list)
        .get(path::PERSON_HOLD, hold)
        .post(path::PERSON_HOLD_RELEASE, release)
        .post(path::PERSON_HOLD_DROP, drop_held)
        .get(path::OWN_SENDING, own)
}

/// What somebody sent, against what they may.
#[derive(Debug, Default)]
pub(super) struct Usage {
    pub(super) lines: Vec<UsageLine>,
    /// In a sentence: what other hosts refused as nobody; empty where nothing was.
    pub(super) unknown: String,
    /// Of the last thirty days; empty where nobody complained.
    pub(super) complaints: String,
    /// By day.
    pub(super) days: Vec<(Time, String)>,
    pub(super) held_since: Option<Time>,
}

/// One limit.
#[derive(Debug)]
pub(super) struct UsageLine {
    pub(super) title: String,
    pub(super) used: u64,
    /// None: no limit.
    pub(super) most: Option<u64>,
    pub(super) text: String,
    /// `warn` near the limit, `bad` at it.
    pub(super) kind: &'static str,
}

impl Usage {
    pub(super) fn of(frame: &Frame, sending: &SendingView) -> Self {
        let line = |limit: &relais_service::SendingLimitView| {
            let used = frame.number(limit.used);
            let (text, kind) = match limit.most {
                None => (frame.tell(&Text::new("sending-used-free").with("used", used)), ""),
                Some(most) => {
                    let of = Text::new("sending-used-of").with("used", used).with("most", frame.number(most));
                    let kind = if most <= limit.used {
                        "bad"
                    } else if most.saturating_mul(4) <= limit.used.saturating_mul(5) {
                        "warn"
                    } else {
                        ""
                    };
                    (frame.tell(&of), kind)
                }
            };
            let title = frame.say(&format!("sending-{}", limit.limit.replace('_', "-")));
            UsageLine { title, used: limit.used, most: limit.most, text, kind }
        };
        let all: u64 = sending.complaints.iter().map(|day| day.complaints).sum();
        let some = |count: u64, id: &'static str| if count == 0 { String::new() } else { frame.count(id, count) };
        Self {
            lines: sending.limits.iter().map(line).collect(),
            unknown: some(sending.unknown_recipients, "sending-unknown"),
            complaints: some(all, "sending-complaints"),
            days: sending
                .complaints
                .iter()
                .map(|day| (frame.time(day.day.0), frame.count("sending-complaints-of-day", day.complaints)))
                .collect(),
            held_since: sending.held_since.map(|at| frame.time(at.0)),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/holds/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    address: String,
    href: String,
    says: String,
    since: Time,
    held: String,
}

impl Row {
    fn of(frame: &Frame, hold: &HoldView) -> Self {
        let sum = Text::new("holds-page-held").with("messages", hold.messages).with("recipients", hold.recipients);
        Self {
            href: format!("{}/hold", path::of(path::PEOPLE, &hold.address)),
            address: hold.address.clone(),
            says: frame.tell(&hold.says),
            since: frame.time(hold.since.0),
            held: frame.tell(&sum),
        }
    }
}

impl ListPage {
    fn of(frame: Frame, found: &Rows<HoldView>, query: &ListQuery) -> Self {
        Self {
            pager: Pager::below(&frame, path::HOLDS, found, query),
            rows: found.rows.iter().map(|hold| Row::of(&frame, hold)).collect(),
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    let found = web.service().holds(&desk.actor, &query.paging()).await?;
    Ok(shown(&ListPage::of(desk.frame(&web), &found, &query)))
}

#[derive(Debug, Template)]
#[template(path = "panel/holds/hold.html")]
struct HoldPage {
    frame: Frame,
    row: Row,
    person: String,
    peer: String,
    samples: Vec<Sample>,
    /// What dropping takes: a sentence each.
    goes: Vec<String>,
    may_act: bool,
}

#[derive(Debug)]
struct Sample {
    subject: String,
    to: String,
    at: Time,
}

impl HoldPage {
    fn of(frame: Frame, detail: HoldDetail, may_act: bool) -> Self {
        let sample = |sample: relais_service::HeldSample| Sample {
            subject: sample.subject.unwrap_or_else(|| frame.say("hold-page-no-subject")),
            to: match sample.recipients {
                1 => sample.recipient,
                count => {
                    let more = Text::new("hold-page-and-more").with("recipient", sample.recipient);
                    frame.tell(&more.with("count", count - 1))
                }
            },
            at: frame.time(sample.at.0),
        };
        let row = Row::of(&frame, &detail.hold);
        Self {
            goes: vec![
                row.held.clone(),
                frame.say("hold-page-goes-password"),
                frame.count("hold-page-goes-app-passwords", detail.app_passwords),
                frame.count("hold-page-goes-sessions", detail.sessions),
                frame.say("hold-page-goes-connections"),
            ],
            person: path::of(path::PEOPLE, &detail.hold.address),
            peer: detail.hold.peer.clone().unwrap_or_default(),
            samples: detail.samples.into_iter().map(sample).collect(),
            may_act,
            row,
            frame,
        }
    }
}

async fn hold(desk: Desk, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let detail = web.service().hold(&desk.actor, &address).await?;
    let may_act = desk.actor.role >= Role::DomainAdmin;
    Ok(shown(&HoldPage::of(desk.frame(&web), detail, may_act)))
}

async fn release(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let count = web.service().release_hold(&admin.actor, &address).await?;
    Ok(done(path::HOLDS, Text::new("hold-released").with("address", address).with("count", count)))
}

async fn drop_held(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let count = web.service().drop_hold(&admin.actor, &address).await?;
    // The next thing to do is a link by which they set a new password.
    let next = format!("{}/sign-in/link", path::of(path::PEOPLE, &address));
    Ok(done(&next, Text::new("hold-dropped").with("address", address).with("count", count)))
}

#[derive(Debug, Template)]
#[template(path = "panel/account/sending.html")]
struct OwnPage {
    frame: Frame,
    tab: &'static str,
    usage: Usage,
}

async fn own(person: Person, State(web): State<Web>) -> Oops {
    let sending = web.service().own_sending(&person.actor).await?;
    let frame = person.frame(&web);
    Ok(shown(&OwnPage { tab: "sending", usage: Usage::of(&frame, &sending), frame }))
}

#[cfg(test)]
pub(super) mod tests {
    use relais_model::Timestamp;
    use relais_service::{ComplaintDay, HeldSample, Moment, SendingLimitView};

    use super::*;
    use crate::kit::samples::draw;

    fn at(minutes: i64) -> Moment {
        Moment(Timestamp::from_millis(1_795_428_000_000 + minutes * 60_000))
    }

    /// For samples of pages.
    pub(in crate::panel) fn sending() -> SendingView {
        let limit = |limit, used, most| SendingLimitView { limit, used, most };
        SendingView {
            address: "ann@example.org".to_owned(),
            limits: vec![
                limit("messages_per_hour", 3, None),
                limit("recipients_per_hour", 40, Some(100)),
                limit("messages_per_day", 85, Some(100)),
                limit("recipients_per_day", 500, Some(500)),
                limit("new_recipients_per_day", 1, Some(1)),
            ],
            unknown_recipients: 7,
            complaints: vec![
                ComplaintDay { day: at(-90), complaints: 1 },
                ComplaintDay { day: at(-9000), complaints: 3 },
            ],
            held_since: Some(at(-20)),
        }
    }

    fn held(reason: &'static str, messages: u64) -> HoldView {
        let says = Text::named(format!("hold-because-{}", reason.replace('_', "-")));
        HoldView {
            address: "ann@example.org".to_owned(),
            reason,
            says: says.with("count", 140_u64).with("peer", "198.51.100.7"),
            peer: Some("198.51.100.7".to_owned()),
            since: at(-20),
            messages,
            recipients: messages * 70,
        }
    }

    #[test]
    fn the_list_is_drawn() {
        draw(|frame: Frame| {
            let all = ["new_recipients", "messages", "network", "unknown", "complaints"];
            let rows = all.iter().map(|reason| held(reason, 2)).collect();
            let query = ListQuery::default();
            vec![
                ListPage::of(frame.clone(), &Rows { rows, next: Some("x".to_owned()) }, &query),
                ListPage::of(frame, &Rows { rows: Vec::new(), next: None }, &query),
            ]
        });
    }

    #[test]
    fn a_hold_is_drawn() {
        draw(|frame: Frame| {
            let sample = |subject: Option<&str>, recipients| HeldSample {
                at: at(-5),
                subject: subject.map(str::to_owned),
                recipient: "n1@else.example".to_owned(),
                recipients,
            };
            let busy = HoldDetail {
                hold: held("network", 2),
                samples: vec![sample(Some("<b>You won</b>"), 139), sample(None, 1)],
                sessions: 1,
                app_passwords: 3,
            };
            let hold = HoldView { peer: None, ..held("complaints", 0) };
            let calm = HoldDetail { hold, samples: Vec::new(), sessions: 0, app_passwords: 0 };
            vec![HoldPage::of(frame.clone(), busy, true), HoldPage::of(frame, calm, false)]
        });
    }

    #[test]
    fn what_one_sends_is_drawn() {
        draw(|frame: Frame| {
            let calm = SendingView { unknown_recipients: 0, complaints: Vec::new(), held_since: None, ..sending() };
            let page = |sending: &SendingView| OwnPage {
                tab: "sending",
                usage: Usage::of(&frame, sending),
                frame: frame.clone(),
            };
            vec![page(&sending()), page(&calm)]
        });
    }
}
