//! Mail that waits to go out.

use axum::extract::Path;
use relais_service::{
    DestinationView, Failure, QueueAct, QueueChart, QueueItem, QueueMessage, QueueQuery, QueueSelection, QueueSort,
    Text,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::kit::{Answer, Caller, Json, Many, Operations, Query, Read, Seen, Write, group, least, object};
use super::{Touched, paging};

type Look = Caller<least::HelpDesk, Read<group::Queue>>;
type LookAhead = Caller<least::DomainAdmin, Read<group::Queue>>;
type Change = Caller<least::DomainAdmin, Write<group::Queue>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/queue", list, "Recipients that wait, with their messages")
        .get("/queue/chart", chart, "The queue in numbers")
        .get("/queue/destination", destination, "What would become of mail to a domain now, and why; nothing is sent")
        .get("/queue/{id}", show, "One queued message with what was tried")
        .post("/queue/retry", retry, "Try those that wait at once")
        .post("/queue/hold", hold, "Stop those that wait")
        .post("/queue/release", release, "Let those that are held go on, at once")
        .post("/queue/remove", remove, "Take mail away that waits or is held, without telling its senders")
}

/// Up to 68 years.
#[derive(Debug, Deserialize)]
#[serde(try_from = "i32")]
struct Seconds(u32);

impl TryFrom<i32> for Seconds {
    type Error = std::num::TryFromIntError;

    fn try_from(seconds: i32) -> Result<Self, Self::Error> {
        seconds.try_into().map(Self)
    }
}

/// Which part of the queue is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct QueueWanted {
    /// `waiting`, `held` or `claimed` (being tried).
    state: Option<String>,
    /// The recipients' domain.
    destination: Option<String>,
    /// The sender's address; `<>` for notices.
    sender: Option<String>,
    /// The recipient's address.
    recipient: Option<String>,
    /// What came at least so long ago, in seconds.
    #[param(value_type = Option<i32>, minimum = 0)]
    older_than: Option<Seconds>,
    /// In an address or in the last reply.
    text: Option<String>,
    /// The order.
    #[param(inline)]
    sort: QueueSort,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows wanted; 50 where it isn't said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

async fn list(caller: Look, Query(wanted): Query<QueueWanted>) -> Answer<Many<QueueItem>> {
    let query = QueueQuery {
        state: wanted.state,
        destination: wanted.destination,
        sender: wanted.sender,
        recipient: wanted.recipient,
        older_than: wanted.older_than.map(|Seconds(seconds)| seconds.into()),
        text: wanted.text,
    };
    let paging = paging(wanted.after, wanted.limit);
    Ok(Many(caller.web.service().queue_items(&caller.actor, &query, wanted.sort, paging).await?))
}

async fn chart(caller: Look) -> Answer<Seen<QueueChart>> {
    Ok(Seen(caller.web.service().queue_chart(&caller.actor).await?))
}

/// Whose mail.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct DestinationWanted {
    /// A domain, or an address of it.
    destination: String,
}

async fn destination(caller: LookAhead, Query(wanted): Query<DestinationWanted>) -> Answer<Seen<DestinationView>> {
    Ok(Seen(caller.web.service().look_ahead(&caller.actor, &wanted.destination).await?))
}

async fn show(caller: Look, Path(id): Path<String>) -> Answer<Seen<QueueMessage>> {
    Ok(Seen(caller.web.service().queue_message(&caller.actor, &id).await?))
}

/// What an act is for: either of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QueueChosen {
    /// These items: the `item` of a row, or a message's `id` for all its recipients. At most 500.
    items: Option<Vec<String>>,
    /// All that a query finds; all there is, where it asks for nothing.
    #[serde(default, deserialize_with = "object")]
    matching: Option<QueueQuery>,
}

impl QueueChosen {
    fn selection(self) -> Answer<QueueSelection> {
        match self {
            Self { items: Some(items), matching: None } => Ok(QueueSelection::Items(items)),
            Self { items: None, matching: Some(query) } => Ok(QueueSelection::Matching(query)),
            _ => Err(Failure::unfit("items", Text::new("queue-chosen-either")).into()),
        }
    }
}

async fn retry(caller: Change, Json(chosen): Json<QueueChosen>) -> Answer<Seen<Touched>> {
    act(&caller, QueueAct::Retry, chosen).await
}

async fn hold(caller: Change, Json(chosen): Json<QueueChosen>) -> Answer<Seen<Touched>> {
    act(&caller, QueueAct::Hold, chosen).await
}

async fn release(caller: Change, Json(chosen): Json<QueueChosen>) -> Answer<Seen<Touched>> {
    act(&caller, QueueAct::Release, chosen).await
}

async fn remove(caller: Change, Json(chosen): Json<QueueChosen>) -> Answer<Seen<Touched>> {
    act(&caller, QueueAct::Remove, chosen).await
}

async fn act(caller: &Change, act: QueueAct, chosen: QueueChosen) -> Answer<Seen<Touched>> {
    let count = caller.web.service().queue_act(&caller.actor, act, &chosen.selection()?).await?;
    Ok(Seen(Touched { count }))
}
