//! Teams: accounts that nobody logs in as, and who is in them.

use axum::extract::Path;
use relais_service::{NewTeam, Rows, TeamChange, TeamMember, TeamView, TeamsWanted};

use super::kit::{
    Answer, Caller, Done, IfMatch, Json, Made, Many, One, Operations, PREFIX, Query, Read, Write, group, least,
};
use super::segment;

type Look = Caller<least::HelpDesk, Read<group::People>>;
type Change = Caller<least::DomainAdmin, Write<group::People>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/teams", list, "Teams, those that the asker sees")
        .post("/teams", create, "Make a team")
        .get("/teams/{address}", show, "One team")
        .patch("/teams/{address}", change, "Change a team's name or quota")
        .delete("/teams/{address}", remove, "Remove a team with its mail; for 30 days it can be restored")
        .post("/teams/{address}/restore", restore, "Restore a team that was removed")
        .get("/teams/{address}/members", members, "Who is in a team, and what they may do")
        .put("/teams/{address}/members", put_member, "Have somebody be in a team, or change what they may do")
        .delete("/teams/{address}/members/{with}", remove_member, "Take somebody out of a team")
}

async fn list(caller: Look, Query(wanted): Query<TeamsWanted>) -> Answer<Many<TeamView>> {
    Ok(Many(caller.web.service().teams.list(&caller.actor, &wanted).await?))
}

async fn create(caller: Change, Json(new): Json<NewTeam>) -> Answer<Made<TeamView>> {
    let body = caller.web.service().teams.create(&caller.actor, new).await?;
    Ok(Made { at: format!("{PREFIX}/teams/{}", segment(&body.address)), body })
}

async fn show(caller: Look, Path(address): Path<String>) -> Answer<One<TeamView>> {
    Ok(One(caller.web.service().teams.show(&caller.actor, &address).await?))
}

async fn change(
    caller: Change,
    Path(address): Path<String>,
    read: IfMatch,
    Json(change): Json<TeamChange>,
) -> Answer<One<TeamView>> {
    Ok(One(caller.web.service().teams.change(&caller.actor, &address, change, read.version()).await?))
}

async fn remove(caller: Change, Path(address): Path<String>, read: IfMatch) -> Answer<Done> {
    caller.web.service().teams.remove(&caller.actor, &address, read.version()).await?;
    Ok(Done)
}

async fn restore(caller: Change, Path(address): Path<String>) -> Answer<One<TeamView>> {
    Ok(One(caller.web.service().teams.restore(&caller.actor, &address).await?))
}

async fn members(caller: Look, Path(address): Path<String>) -> Answer<Many<TeamMember>> {
    let rows = caller.web.service().teams.members(&caller.actor, &address).await?;
    Ok(Many(Rows { rows, next: None }))
}

async fn put_member(
    caller: Change,
    Path(address): Path<String>,
    Json(member): Json<TeamMember>,
) -> Answer<Many<TeamMember>> {
    let rows = caller.web.service().teams.put_member(&caller.actor, &address, &member).await?;
    Ok(Many(Rows { rows, next: None }))
}

async fn remove_member(caller: Change, Path((address, with)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().teams.remove_member(&caller.actor, &address, &with).await?;
    Ok(Done)
}
