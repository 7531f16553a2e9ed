//! Who knocks and is refused.

use axum::extract::Path;
use relais_service::{FailedLogin, Security};

use super::kit::{Answer, Caller, Done, Many, Operations, Query, Read, Seen, Write, group, least};
use super::{PageWanted, Touched};

type Look = Caller<least::HelpDesk, Read<group::Security>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/security", show, "Bans, and where refused log-ins came from")
        .get("/security/failed-logins", failed_logins, "Refused log-ins, the latest first")
        .delete("/security/bans", lift_all_bans, "Lift all bans, and forget the failures that led to them")
        .delete("/security/bans/{whom}", lift_ban, "Lift a ban, and forget the failures that led to it")
}

async fn show(caller: Look) -> Answer<Seen<Security>> {
    Ok(Seen(caller.web.service().security(&caller.actor).await?))
}

async fn failed_logins(caller: Look, Query(wanted): Query<PageWanted>) -> Answer<Many<FailedLogin>> {
    Ok(Many(caller.web.service().failed_logins(&caller.actor, wanted.paging()).await?))
}

async fn lift_all_bans(caller: Caller<least::Owner, Write<group::Security>>) -> Answer<Seen<Touched>> {
    let count = caller.web.service().lift_all_bans(&caller.actor).await?;
    Ok(Seen(Touched { count }))
}

async fn lift_ban(caller: Caller<least::HelpDesk, Write<group::Security>>, Path(whom): Path<String>) -> Answer<Done> {
    caller.web.service().lift_ban(&caller.actor, &whom).await?;
    Ok(Done)
}
