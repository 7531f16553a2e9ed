//! What people send, whose mail is held, and addresses elsewhere that mail is refused for.

use axum::extract::Path;
use relais_service::{HoldDetail, HoldView, SendingView, SuppressedView, SuppressedWanted};

use super::kit::{Answer, Caller, Done, Many, Operations, Query, Read, Seen, Write, group, least};
use super::{PageWanted, Touched};

type Own = Caller<least::User, Read<group::Account>>;
type Look = Caller<least::HelpDesk, Read<group::People>>;
type Change = Caller<least::DomainAdmin, Write<group::People>>;
type OwnerLook = Caller<least::Owner, Read<group::Queue>>;
type OwnerChange = Caller<least::Owner, Write<group::Queue>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/me/sending", own, "What one sent, of what one may")
        .get("/people/{address}/sending", sending, "What a person sent, of what they may")
        .get("/holds", holds, "People whose mail is held")
        .get("/people/{address}/hold", hold, "Why a person's mail is held, and some of it")
        .post("/people/{address}/hold/release", release, "Let a person's held mail go on; that is usual with them then")
        .post(
            "/people/{address}/hold/drop",
            drop_held,
            "Take a person's held mail away, and shut out whoever is in their account",
        )
        .get("/suppressed", suppressed, "Addresses that mail is refused for, since other hosts refused them as nobody")
        .delete("/suppressed/{address}", remove_suppressed, "Let mail go to an address again")
}

async fn own(caller: Own) -> Answer<Seen<SendingView>> {
    Ok(Seen(caller.web.service().own_sending(&caller.actor).await?))
}

async fn sending(caller: Look, Path(address): Path<String>) -> Answer<Seen<SendingView>> {
    Ok(Seen(caller.web.service().person_sending(&caller.actor, &address).await?))
}

async fn holds(caller: Look, Query(wanted): Query<PageWanted>) -> Answer<Many<HoldView>> {
    Ok(Many(caller.web.service().holds(&caller.actor, &wanted.paging()).await?))
}

async fn hold(caller: Look, Path(address): Path<String>) -> Answer<Seen<HoldDetail>> {
    Ok(Seen(caller.web.service().hold(&caller.actor, &address).await?))
}

async fn release(caller: Change, Path(address): Path<String>) -> Answer<Seen<Touched>> {
    let count = caller.web.service().release_hold(&caller.actor, &address).await?;
    Ok(Seen(Touched { count }))
}

async fn drop_held(caller: Change, Path(address): Path<String>) -> Answer<Seen<Touched>> {
    let count = caller.web.service().drop_hold(&caller.actor, &address).await?;
    Ok(Seen(Touched { count }))
}

async fn suppressed(caller: OwnerLook, Query(wanted): Query<SuppressedWanted>) -> Answer<Many<SuppressedView>> {
    Ok(Many(caller.web.service().suppressed(&caller.actor, &wanted).await?))
}

async fn remove_suppressed(caller: OwnerChange, Path(address): Path<String>) -> Answer<Done> {
    caller.web.service().remove_suppressed(&caller.actor, &address).await?;
    Ok(Done)
}
