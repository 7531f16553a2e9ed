//! Who is on a mailing list: added, invited, removed.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{Failure, ListMemberView, ListMembersForm, ListMembersPut, ListRight, Rows, Text};
use serde::Deserialize;

use super::{members_path, one_path, wanted, who};
use crate::kit::{Complaints, Form, Frame, ListQuery, Oops, Pager, Person, Routes, Time, again, done, shown};
use crate::panel::activity::done_undoably;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::LIST_MEMBERS, members)
        .post(path::LIST_MEMBERS, put_members)
        .post(path::LIST_MEMBER_REMOVE, remove_member)
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/members.html")]
struct MembersPage {
    frame: Frame,
    complaints: Complaints,
    up: String,
    here: String,
    address: String,
    query: ListQuery,
    form: MembersForm,
    rows: Vec<MemberRow>,
    pager: Pager,
    may_run: bool,
    may_manage: bool,
}

#[derive(Debug)]
struct MemberRow {
    address: String,
    is_owner: bool,
    is_silent: bool,
    is_stopped: bool,
    joined: Time,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MembersForm {
    members: String,
    is_owner: String,
    is_silent: String,
}

impl MembersPage {
    fn of(frame: Frame, address: &str, query: ListQuery, right: ListRight, found: &Rows<ListMemberView>) -> Self {
        let row = |member: &ListMemberView| MemberRow {
            address: member.address.clone(),
            is_owner: member.is_owner,
            is_silent: !member.gets_posts,
            is_stopped: member.stopped_at.is_some(),
            joined: frame.time(member.joined_at.0),
        };
        let (up, here) = (one_path(address), members_path(address));
        Self {
            complaints: Complaints::default(),
            address: address.to_owned(),
            form: MembersForm::default(),
            rows: found.rows.iter().map(row).collect(),
            pager: Pager::below(&frame, &here, found, &query),
            may_run: right >= ListRight::Run,
            may_manage: right >= ListRight::Manage,
            up,
            here,
            query,
            frame,
        }
    }
}

async fn members_page(person: &Person, web: &Web, address: &str, query: ListQuery) -> Result<MembersPage, Failure> {
    let (lists, actor) = (&web.service().lists, who(person));
    let right = lists.right(&actor, address).await?;
    let found = lists.members(&actor, address, &wanted(&query)).await?;
    Ok(MembersPage::of(person.frame(web), address, query, right, &found))
}

async fn members(
    person: Person,
    State(web): State<Web>,
    Path(address): Path<String>,
    Query(query): Query<ListQuery>,
) -> Oops {
    Ok(shown(&members_page(&person, &web, &address, query).await?))
}

/// What came of it, in one sentence.
fn put_says(put: &ListMembersPut) -> Text {
    let id = match (put.invited, put.refused.is_empty()) {
        (0, true) => return Text::new("mlist-members-put").with("count", put.added),
        (0, false) => "mlist-members-partly",
        (_, true) => "mlist-members-invited",
        (_, false) => "mlist-members-invited-partly",
    };
    let text = Text::new(id).with("count", put.added).with("invited", put.invited);
    text.with("refused", put.refused.join(", "))
}

async fn put_members(
    person: Person,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<MembersForm>,
) -> Oops {
    let lists = &web.service().lists;
    let wanted_members = ListMembersForm {
        members: form.members.clone(),
        is_owner: !form.is_owner.is_empty(),
        is_silent: !form.is_silent.is_empty(),
    };
    match lists.put_members(&who(&person), &address, &wanted_members).await {
        Ok(put) => Ok(done(&members_path(&address), put_says(&put))),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            let page = members_page(&person, &web, &address, ListQuery::default()).await?;
            Ok(again(&MembersPage { complaints, form, ..page }))
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MemberForm {
    member: String,
}

async fn remove_member(
    person: Person,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<MemberForm>,
) -> Oops {
    let actor = who(&person);
    web.service().lists.remove_member(&actor, &address, &form.member).await?;
    let text = Text::new("mlist-member-removed").with("member", form.member);
    Ok(done_undoably(&web, &actor, &members_path(&address), text, &address).await)
}

#[cfg(test)]
mod tests {
    use relais_service::Role;

    use super::super::samples::{AT, rows};
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn members_are_drawn() {
        let member = |is_owner| ListMemberView {
            address: "ann@example.org".to_owned(),
            is_owner,
            gets_posts: !is_owner,
            bounces: 5,
            stopped_at: (!is_owner).then_some(AT.into()),
            joined_at: AT.into(),
        };
        draw(|frame| {
            let page = |right, found| {
                MembersPage::of(frame.clone(), "team@example.org", ListQuery::default(), right, &rows(found))
            };
            let both = || vec![member(true), member(false)];
            vec![page(ListRight::Manage, both()), page(ListRight::Run, both()), page(ListRight::See, Vec::new())]
        });
    }

    #[test]
    fn what_came_of_adding_is_said() {
        let check = |added, invited, refused: &[&str], expected: &str| {
            let refused = refused.iter().map(|one| (*one).to_owned()).collect();
            let put = ListMembersPut { added, invited, named: added + invited, refused };
            let frame = Frame::sample(relais_words::Language::English, Role::User);
            assert_eq!(frame.tell(&put_says(&put)), expected);
        };
        check(2, 0, &[], "2 members are added.");
        check(2, 0, &["x"], "Added: 2. No addresses, and left out: x");
        check(1, 2, &[], "Added: 1. Invited, and on it once they say so: 2.");
        check(0, 1, &["x"], "Added: 0. Invited, and on it once they say so: 1. No addresses, and left out: x");
    }
}
