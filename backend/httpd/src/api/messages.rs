//! Where mail went.

use axum::extract::Path;
use relais_service::{JudgeWanted, JudgedView, MessageQuery, MessageRow, MessageStory, Moment, Rows};
use serde::Deserialize;
use utoipa::IntoParams;

use super::kit::{Answer, Caller, Letter, Many, Operations, Query, Read, Seen, group, least};
use super::paging;

type Look = Caller<least::HelpDesk, Read<group::Messages>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/messages", list, "Messages that came or went, and what became of them")
        .post(
            "/messages/judge",
            judge,
            "Test a message: what would be done with it if it came now, and why; nothing of it is kept",
        )
        .get("/messages/{id}", show, "All that is known of one message: each step of its way, and what it means")
        .post("/messages/{id}/judge", judge_again, "Judge a message that is still here as if it came now")
}

/// Which messages are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct MessagesWanted {
    /// From or to this address.
    address: Option<String>,
    /// All of these words in the subject.
    subject: Option<String>,
    /// The id, as Received shows it.
    id: Option<String>,
    /// Something happened at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Moment>,
    /// And before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Moment>,
    /// It was `queued`, `delivered`, `deferred`, `failed`, `refused` or `removed`.
    kind: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows wanted; 50 where it isn't said.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

async fn list(caller: Look, Query(wanted): Query<MessagesWanted>) -> Answer<Many<MessageRow>> {
    let query = MessageQuery {
        address: wanted.address,
        subject: wanted.subject,
        id: wanted.id,
        since: wanted.since,
        until: wanted.until,
        kind: wanted.kind,
    };
    let found = caller.web.service().messages(&caller.actor, &query, paging(wanted.after, wanted.limit)).await?;
    Ok(Many(Rows { rows: found.rows, next: found.next }))
}

async fn show(caller: Look, Path(id): Path<String>) -> Answer<Seen<MessageStory>> {
    Ok(Seen(caller.web.service().message_story(&caller.actor, &id).await?))
}

/// How a message is to have come; what is left out is taken from one of its own Received fields.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct JudgeQuery {
    /// To whom: an address here.
    #[param(example = "ann@example.org")]
    recipient: String,
    /// Which of its Received fields tells how it came, counted from the top: the message is judged as the host got it that wrote it; the first where it isn't
    /// said. 0: none, it is judged as it stands.
    hop: Option<u32>,
    /// From which IP address.
    peer: Option<String>,
    /// What the host there calls itself in EHLO.
    hello: Option<String>,
    /// MAIL FROM; `<>` for a notice. Its Return-Path where nobody says it.
    sender: Option<String>,
}

async fn judge(caller: Look, Query(wanted): Query<JudgeQuery>, Letter(message): Letter) -> Answer<Seen<JudgedView>> {
    let JudgeQuery { recipient, hop, peer, hello, sender } = wanted;
    let wanted = JudgeWanted { recipient, hop, peer, hello, sender };
    Ok(Seen(caller.web.service().judge(&caller.actor, &message, &wanted).await?))
}

async fn judge_again(caller: Look, Path(id): Path<String>) -> Answer<Seen<JudgedView>> {
    Ok(Seen(caller.web.service().judge_again(&caller.actor, &id).await?))
}
