//! Who changed what, and undoing it.

use axum::extract::Path;
use relais_service::{ActivityView, ActivityWanted};

use super::kit::{Answer, Caller, IfUnchanged, Many, Operations, Query, Read, Seen, Write, group, least};

type Look = Caller<least::HelpDesk, Read<group::Security>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/activity", list, "Changes, the latest first")
        .get("/activity/{id}", show, "One change, with what was before and after")
        .post("/activity/{id}/undo", undo, "Undo a change, where what it changed is still as it left it")
}

async fn list(caller: Look, Query(wanted): Query<ActivityWanted>) -> Answer<Many<ActivityView>> {
    Ok(Many(caller.web.service().activity.list(&caller.actor, &wanted).await?))
}

async fn show(caller: Look, Path(id): Path<String>) -> Answer<Seen<ActivityView>> {
    Ok(Seen(caller.web.service().activity.show(&caller.actor, &id).await?))
}

async fn undo(
    caller: Caller<least::HelpDesk, Write<group::Security>>,
    Path(id): Path<String>,
) -> Answer<IfUnchanged<ActivityView>> {
    Ok(IfUnchanged(caller.web.service().activity.undo(&caller.actor, &id).await?))
}
