//! Mailing lists: what they are, who is on them, which posts wait; and one's own. What is done with one list is done by who looks after it, too.

use axum::extract::Path;
use relais_service::{
    HeldPostText, HeldPostView, ListChange, ListMemberView, ListMembersForm, ListMembersPut, ListView, ListsWanted,
    NewList, OwnListView, OwnListsWanted,
};

use super::kit::{
    Answer, Caller, Done, IfMatch, Json, Made, Many, One, Operations, PREFIX, Plain, Query, Read, Seen, Write, group,
    least,
};
use super::segment;

type Look = Caller<least::HelpDesk, Read<group::Addresses>>;
type Change = Caller<least::DomainAdmin, Write<group::Addresses>>;
/// Whoever looks after the list, or has the role: the service knows which.
type LookAfter = Caller<least::User, Read<group::Addresses>>;
type Run = Caller<least::User, Write<group::Addresses>>;
type Own = Caller<least::User, Read<group::Account>>;
type Leave = Caller<least::User, Write<group::Account>>;

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
        .get("/lists/{list}/posts/{id}", post, "What a post says that waits for an owner")
        .post("/lists/{list}/posts/{id}/approve", approve, "Let a post go out")
        .post("/lists/{list}/posts/{id}/reject", reject, "Turn a post away")
        .get("/me/lists", own, "Mailing lists that one is on, or looks after")
        .delete("/me/lists/{list}", leave, "Leave a mailing list")
}

async fn list(caller: Look, Query(wanted): Query<ListsWanted>) -> Answer<Many<ListView>> {
    Ok(Many(caller.web.service().lists.list(&caller.actor, &wanted).await?))
}

async fn create(caller: Change, Json(new): Json<NewList>) -> Answer<Made<ListView>> {
    let body = caller.web.service().lists.create(&caller.actor, new).await?;
    Ok(Made { at: format!("{PREFIX}/lists/{}", segment(&body.address)), body })
}

async fn show(caller: LookAfter, Path(list): Path<String>) -> Answer<One<ListView>> {
    Ok(One(caller.web.service().lists.show(&caller.actor, &list).await?))
}

async fn change(
    caller: Run,
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
    caller: LookAfter,
    Path(list): Path<String>,
    Query(wanted): Query<ListsWanted>,
) -> Answer<Many<ListMemberView>> {
    Ok(Many(caller.web.service().lists.members(&caller.actor, &list, &wanted).await?))
}

async fn put_members(
    caller: Run,
    Path(list): Path<String>,
    Json(form): Json<ListMembersForm>,
) -> Answer<Seen<ListMembersPut>> {
    Ok(Seen(caller.web.service().lists.put_members(&caller.actor, &list, &form).await?))
}

async fn export(caller: LookAfter, Path(list): Path<String>) -> Answer<Plain> {
    Ok(Plain(caller.web.service().lists.export(&caller.actor, &list).await?))
}

async fn remove_member(caller: Run, Path((list, address)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().lists.remove_member(&caller.actor, &list, &address).await?;
    Ok(Done)
}

async fn posts(
    caller: LookAfter,
    Path(list): Path<String>,
    Query(wanted): Query<ListsWanted>,
) -> Answer<Many<HeldPostView>> {
    Ok(Many(caller.web.service().lists.posts(&caller.actor, &list, &wanted).await?))
}

async fn post(caller: LookAfter, Path((list, id)): Path<(String, String)>) -> Answer<Seen<HeldPostText>> {
    Ok(Seen(caller.web.service().lists.post(&caller.actor, &list, &id).await?))
}

async fn approve(caller: Run, Path((list, id)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().lists.decide(&caller.actor, &list, &id, true).await?;
    Ok(Done)
}

async fn reject(caller: Run, Path((list, id)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().lists.decide(&caller.actor, &list, &id, false).await?;
    Ok(Done)
}

async fn own(caller: Own, Query(wanted): Query<OwnListsWanted>) -> Answer<Many<OwnListView>> {
    Ok(Many(caller.web.service().lists.own(&caller.actor, &wanted).await?))
}

async fn leave(caller: Leave, Path(list): Path<String>) -> Answer<Done> {
    caller.web.service().lists.leave_own(&caller.actor, &list).await?;
    Ok(Done)
}
