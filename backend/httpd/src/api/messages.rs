//! Where mail went.

use axum::extract::Path;
use relais_service::{MessageQuery, MessageRow, MessageStory, Moment, Rows};
use serde::Deserialize;
use utoipa::IntoParams;

use super::kit::{Answer, Caller, Many, Operations, Query, Read, Seen, group, least};
use super::paging;

type Look = Caller<least::HelpDesk, Read<group::Messages>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations.get("/messages", list, "Messages that came or went, and what became of them").get(
        "/messages/{id}",
        show,
        "All that is known of one message: each step of its way, and what it means",
    )
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
