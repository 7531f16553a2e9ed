//! Mailing lists: what they are, who is on them, which posts wait.

use axum::extract::Path;
use relais_service::{
    HeldPostView, ListChange, ListMemberView, ListMembersForm, ListMembersPut, ListView, ListsWanted, NewList,
};

use super::kit::{
    Answer, Caller, Done, IfMatch, Json, Made, Many, One, Operations, PREFIX, Plain, Query, Read, Seen, Write, group,
    least,
};
use super::segment;

type Look = Caller<least::HelpDesk, Read<group::Addresses>>;
type Export = Caller<least::DomainAdmin, Read<group::Addresses>>;
type Change = Caller<least::DomainAdmin, Write<group::Addresses>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/lists", list, "Mailing lists")
        .post("/lists", create, "Add a mailing list")
        .get("/lists/{list}", show, "One mailing list")
        .patch("/lists/{list}", change, "Change what is said of a mailing list")
        .delete("/lists/{list}", remove, "Remove a mailing list with its members")
        .get("/lists/{list}/members", members, "Who is on a mailing list")
        .post("/lists/{list}/members", put_members, "Add people to a mailing list, or change what they are")
        .get("/lists/{list}/members/export", export, "All addresses of a mailing list, one a line")
        .delete("/lists/{list}/members/{address}", remove_member, "Take somebody off a mailing list")
        .get("/lists/{list}/posts", posts, "Posts that wait for an owner")
        .post("/lists/{list}/posts/{id}/approve", approve, "Let a post go out")
        .post("/lists/{list}/posts/{id}/reject", reject, "Turn a post away")
}

async fn list(caller: Look, Query(wanted): Query<ListsWanted>) -> Answer<Many<ListView>> {
    Ok(Many(caller.web.service().lists.list(&caller.actor, &wanted).await?))
}

async fn create(caller: Change, Json(new): Json<NewList>) -> Answer<Made<ListView>> {
    let body = caller.web.service().lists.create(&caller.actor, new).await?;
    Ok(Made { at: format!("{PREFIX}/lists/{}", segment(&body.address)), body })
}

async fn show(caller: Look, Path(list): Path<String>) -> Answer<One<ListView>> {
    Ok(One(caller.web.service().lists.show(&caller.actor, &list).await?))
}

async fn change(
    caller: Change,
    Path(list): Path<String>,
    read: IfMatch,
    Json(change): Json<ListChange>,
) -> Answer<One<ListView>> {
    Ok(One(caller.web.service().lists.change(&caller.actor, &list, change, read.version()).await?))
}

async fn remove(caller: Change, Path(list): Path<String>, read: IfMatch) -> Answer<Done> {
    caller.web.service().lists.remove(&caller.actor, &list, read.version()).await?;
    Ok(Done)
}

async fn members(
    caller: Look,
    Path(list): Path<String>,
    Query(wanted): Query<ListsWanted>,
) -> Answer<Many<ListMemberView>> {
    Ok(Many(caller.web.service().lists.members(&caller.actor, &list, &wanted).await?))
}

async fn put_members(
    caller: Change,
    Path(list): Path<String>,
    Json(form): Json<ListMembersForm>,
) -> Answer<Seen<ListMembersPut>> {
    Ok(Seen(caller.web.service().lists.put_members(&caller.actor, &list, &form).await?))
}

async fn export(caller: Export, Path(list): Path<String>) -> Answer<Plain> {
    Ok(Plain(caller.web.service().lists.export(&caller.actor, &list).await?))
}

async fn remove_member(caller: Change, Path((list, address)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().lists.remove_member(&caller.actor, &list, &address).await?;
    Ok(Done)
}

async fn posts(
    caller: Look,
    Path(list): Path<String>,
    Query(wanted): Query<ListsWanted>,
) -> Answer<Many<HeldPostView>> {
    Ok(Many(caller.web.service().lists.posts(&caller.actor, &list, &wanted).await?))
}

async fn approve(caller: Change, Path((list, id)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().lists.decide(&caller.actor, &list, &id, true).await?;
    Ok(Done)
}

async fn reject(caller: Change, Path((list, id)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().lists.decide(&caller.actor, &list, &id, false).await?;
    Ok(Done)
}
