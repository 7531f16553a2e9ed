//! "Test this message": what would be done with it if it came now, and why. Nothing of it is kept.

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{Complaint, Failure, JudgeHop, JudgeWanted, JudgedView, Text};

use super::messages::{Finding, because};
use crate::kit::{Complaints, Desk, Form, Frame, Oops, Routes, Upload, again, shown, typed};
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::JUDGE, form).upload(path::JUDGE, judge).post(path::JUDGE_AGAIN, judge_again)
}

#[derive(Debug, Template)]
#[template(path = "panel/messages/judge.html")]
struct JudgePage {
    frame: Frame,
    complaints: Complaints,
    fields: JudgeFields,
    found: Option<Found>,
    /// The page of the message that was judged again; empty where one was brought.
    story: String,
}

/// What was typed.
#[derive(Debug, Clone, Default)]
struct JudgeFields {
    message: String,
    recipient: String,
    hop: String,
    peer: String,
    hello: String,
    sender: String,
}

/// What would be done.
#[derive(Debug)]
struct Found {
    /// `ok`, `warn` or `bad`.
    kind: &'static str,
    says: String,
    because: String,
    reply: String,
    findings: Vec<Finding>,
    score: String,
    recipient: String,
    peer: String,
    hello: String,
    sender: String,
    hops: Vec<Hop>,
}

#[derive(Debug)]
struct Hop {
    number: String,
    by: String,
    hello: String,
    peer: String,
    /// The message was judged as this host got it.
    is_chosen: bool,
}

impl JudgeFields {
    fn wanted(&self) -> Result<JudgeWanted, Failure> {
        let bad_hop = |_| Complaint { field: "hop", why: Text::new("judge-bad-hop") };
        let hop = typed(&self.hop).map(|hop| hop.parse().map_err(bad_hop)).transpose()?;
        Ok(JudgeWanted {
            recipient: self.recipient.clone(),
            hop,
            peer: typed(&self.peer),
            hello: typed(&self.hello),
            sender: typed(&self.sender),
        })
    }
}

impl Found {
    fn of(frame: &Frame, view: JudgedView) -> Self {
        let kind = match view.verdict.done {
            "taken" => "ok",
            "refused" => "bad",
            _ => "warn",
        };
        let says: Vec<_> = view.says.iter().map(|text| frame.tell(text)).collect();
        let because = if view.verdict.findings.is_empty() { String::new() } else { because(frame, &view.verdict) };
        let hop = |hop: JudgeHop| Hop {
            is_chosen: view.hop == Some(hop.number),
            number: frame.number(hop.number.into()),
            by: hop.by,
            hello: hop.hello,
            peer: hop.peer.unwrap_or_default(),
        };
        Self {
            kind,
            says: says.join(" "),
            because,
            reply: view.reply.unwrap_or_default(),
            score: view.verdict.score.map(|score| format!("{score:.1}")).unwrap_or_default(),
            findings: view.verdict.findings.into_iter().map(|finding| Finding::of(frame, finding)).collect(),
            recipient: view.recipient,
            peer: view.peer,
            hello: view.hello,
            sender: if view.sender.is_empty() { frame.say("judge-no-path") } else { view.sender },
            hops: view.hops.into_iter().map(hop).collect(),
        }
    }
}

impl JudgePage {
    fn of(frame: Frame, fields: JudgeFields) -> Self {
        Self { frame, complaints: Complaints::default(), fields, found: None, story: String::new() }
    }
}

async fn form(desk: Desk, State(web): State<Web>) -> Oops {
    Ok(shown(&JudgePage::of(desk.frame(&web), JudgeFields::default())))
}

async fn judge(desk: Desk, State(web): State<Web>, mut upload: Upload) -> Oops {
    let file = upload.take_octets("file");
    let fields = JudgeFields {
        message: upload.take("message"),
        recipient: upload.take("recipient"),
        hop: upload.take("hop"),
        peer: upload.take("peer"),
        hello: upload.take("hello"),
        sender: upload.take("sender"),
    };
    let message = if file.is_empty() { fields.message.as_bytes() } else { &*file };
    let judged = match fields.wanted() {
        Ok(wanted) => web.service().judge(&desk.actor, message, &wanted).await,
        Err(failure) => Err(failure),
    };
    let frame = desk.frame(&web);
    match judged {
        Ok(view) => {
            let found = Some(Found::of(&frame, view));
            Ok(shown(&JudgePage { found, ..JudgePage::of(frame, fields) }))
        }
        Err(failure) => {
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&JudgePage { complaints, ..JudgePage::of(frame, fields) }))
        }
    }
}

async fn judge_again(
    desk: Desk,
    State(web): State<Web>,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let view = web.service().judge_again(&desk.actor, &id).await?;
    let frame = desk.frame(&web);
    let found = Some(Found::of(&frame, view));
    let story = path::of(path::MESSAGES, &id);
    Ok(shown(&JudgePage { found, story, ..JudgePage::of(frame, JudgeFields::default()) }))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::{MessageFinding, MessageVerdict, Moment};

    use super::*;
    use crate::kit::samples::draw;

    fn view(done: &'static str, says: &'static str) -> JudgedView {
        let finding = |part: &str, points, decides, says| MessageFinding {
            part: part.to_owned(),
            points,
            decides,
            says: Text::new(says),
        };
        let hop = |number, by: &str, peer: Option<&str>| JudgeHop {
            number,
            by: by.to_owned(),
            hello: "mx.elsewhere.example".to_owned(),
            peer: peer.map(str::to_owned),
        };
        JudgedView {
            at: Moment(Timestamp::from_millis(1_795_428_000_000)),
            recipient: "ann@example.org".to_owned(),
            peer: "192.0.2.7".to_owned(),
            hello: "mx.elsewhere.example".to_owned(),
            sender: if done == "taken" { String::new() } else { "bob@elsewhere.example".to_owned() },
            hop: Some(1),
            hops: vec![hop(1, "mx.example.org", Some("192.0.2.7")), hop(2, "mx.elsewhere.example", None)],
            says: vec![Text::new(says).with("copies", 1_u64).with("junk", 1_u64)],
            verdict: MessageVerdict {
                done,
                score: (done == "junk").then_some(6.25),
                findings: vec![
                    finding("dmarc", 0.0, done != "taken", "auth-dmarc-nothing-passed"),
                    finding("spam", 2.5, false, "spam-disowned"),
                ],
            },
            reply: (done == "refused").then(|| "550 5.7.1 No".to_owned()),
            copies: 1,
            in_junk: 0,
            forwards: 0,
            scripts: Vec::new(),
        }
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame| {
            let fields = JudgeFields {
                message: "From: bob@elsewhere.example\r\n\r\n</textarea>".to_owned(),
                recipient: "ann@example.org".to_owned(),
                hop: "one".to_owned(),
                ..JudgeFields::default()
            };
            let complaints = Complaints::of(&frame, fields.wanted().unwrap_err()).unwrap();
            let found = |done, says| JudgePage {
                found: Some(Found::of(&frame, view(done, says))),
                ..JudgePage::of(frame.clone(), fields.clone())
            };
            let empty = JudgePage::of(frame.clone(), JudgeFields::default());
            vec![
                empty,
                JudgePage { complaints, ..JudgePage::of(frame.clone(), fields.clone()) },
                found("taken", "judge-taken"),
                found("junk", "judge-junk"),
                found("refused", "judge-refused"),
                JudgePage { story: "/panel/messages/4f9a1c".to_owned(), ..found("put-off", "judge-put-off") },
            ]
        });
    }
}
