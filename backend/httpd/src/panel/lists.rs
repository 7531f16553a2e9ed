//! Mailing lists: what they are, who is on them, which posts wait; and the pages where people join and leave.
//!
//! The pages of one list are for whoever looks after it, too, and so for everybody: the service says who may what there.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    Actor, Failure, HeldPostText, HeldPostView, ListChange, ListMemberView, ListMembersForm, ListMembersPut,
    ListPosters, ListRight, ListView, ListsWanted, NewList, Reach, Role, Rows, Text,
};
use serde::Deserialize;

use super::activity::done_undoably;
use super::addresses::split;
use super::people::{domain_choices, domains, whole_address};
use super::question::{QuestionPage, VersionForm};
use super::sign_in::Nothing;
use crate::kit::{
    Admin, Choice, Complaints, Desk, Form, Frame, Guest, ListQuery, Oops, Pager, Person, Routes, Time, again, done,
    shown, typed,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::LISTS, list)
        .get(path::LIST_NEW, new_form)
        .post(path::LIST_NEW, create)
        .get(path::LIST, show)
        .post(path::LIST, change)
        .get(path::LIST_MEMBERS, members)
        .post(path::LIST_MEMBERS, put_members)
        .post(path::LIST_MEMBER_REMOVE, remove_member)
        .post(path::LIST_POSTS, decide)
        .get(path::LIST_POST, show_post)
        .get(path::LIST_REMOVE, remove_form)
        .post(path::LIST_REMOVE, remove)
        .get(path::LIST_LEAVE, leave_form)
        .post(path::LIST_LEAVE, leave)
        .get(path::LIST_JOIN, join_form)
        .post(path::LIST_JOIN, join)
        .get(path::LIST_CONFIRM, confirm_form)
        .post(path::LIST_CONFIRM, confirm)
}

/// Who may post, as forms name it, with its title.
const POSTERS: [(ListPosters, &str, &str); 4] = [
    (ListPosters::Members, "members", "mlist-posters-members"),
    (ListPosters::Owners, "owners", "mlist-posters-owners"),
    (ListPosters::Moderated, "moderated", "mlist-posters-moderated"),
    (ListPosters::Anyone, "anyone", "mlist-posters-anyone"),
];

fn posters_named(name: &str) -> ListPosters {
    POSTERS.iter().find(|(_, known, _)| *known == name).map(|(posters, _, _)| *posters).unwrap_or_default()
}

fn poster_choices(frame: &Frame, chosen: &str) -> Vec<Choice> {
    POSTERS.map(|(_, name, title)| Choice::new(name, frame.say(title), chosen)).into()
}

fn name_of(posters: ListPosters) -> (&'static str, &'static str) {
    let found = POSTERS.iter().find(|(known, _, _)| *known == posters);
    found.map_or(("members", "mlist-posters-members"), |(_, name, title)| (*name, *title))
}

fn wanted(query: &ListQuery) -> ListsWanted {
    ListsWanted { search: query.words(), after: Some(query.after.clone()), limit: None }
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/list.html")]
struct ListPage {
    frame: Frame,
    query: ListQuery,
    is_admin: bool,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    href: String,
    address: String,
    title: String,
    posters: String,
    members: String,
    /// Posts that wait; empty for none.
    held: String,
}

impl ListPage {
    fn of(frame: Frame, query: ListQuery, role: Role, found: &Rows<ListView>) -> Self {
        let row = |list: &ListView| Row {
            href: path::of(path::LISTS, &list.address),
            address: list.address.clone(),
            title: list.title.clone(),
            posters: frame.say(name_of(list.posters).1),
            members: frame.number(list.members),
            held: if list.held == 0 { String::new() } else { frame.count("mlist-held-count", list.held) },
        };
        Self {
            is_admin: role >= Role::DomainAdmin,
            rows: found.rows.iter().map(row).collect(),
            pager: Pager::below(&frame, path::LISTS, found, &query),
            query,
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    let found = web.service().lists.list(&desk.actor, &wanted(&query)).await?;
    Ok(shown(&ListPage::of(desk.frame(&web), query, desk.actor.role, &found)))
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    form: NewForm,
    domains: Vec<Choice>,
    posters: Vec<Choice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewForm {
    local: String,
    domain: String,
    title: String,
    posters: String,
    is_open: String,
    /// One a line, or with commas between them.
    owners: String,
}

async fn new_page(admin: &Admin, web: &Web, form: NewForm, complaints: Complaints) -> Result<NewPage, Failure> {
    let names = domains(web, &admin.actor).await?;
    let frame = admin.frame(web);
    let (domains, posters) =
        (domain_choices(&names, String::new(), &form.domain), poster_choices(&frame, &form.posters));
    Ok(NewPage { frame, complaints, form, domains, posters })
}

async fn new_form(admin: Admin, State(web): State<Web>) -> Oops {
    let form = NewForm { owners: admin.actor.name.clone(), ..NewForm::default() };
    Ok(shown(&new_page(&admin, &web, form, Complaints::default()).await?))
}

async fn create(admin: Admin, State(web): State<Web>, Form(form): Form<NewForm>) -> Oops {
    let new = NewList {
        address: whole_address(&form.local, &form.domain),
        title: form.title.clone(),
        posters: posters_named(&form.posters),
        is_open: !form.is_open.is_empty(),
        owners: split(&form.owners),
    };
    match web.service().lists.create(&admin.actor, new).await {
        Ok(list) => {
            let there = format!("{}/members", path::of(path::LISTS, &list.address));
            Ok(done(&there, Text::new("mlist-added").with("address", list.address)))
        }
        Err(failure) => {
            let complaints = Complaints::of(&admin.frame(&web), failure)?;
            Ok(again(&new_page(&admin, &web, form, complaints).await?))
        }
    }
}

/// Who asks for the pages of one list. Whoever has a role, and not yet the second factor that it takes, has no more than whoever has none.
fn who(person: &Person) -> Actor {
    let actor = person.actor.clone();
    if person.me.must_add_second_factor {
        return Actor { role: Role::User, reach: Reach::Domains(Vec::new()), ..actor };
    }
    actor
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/one.html")]
struct OnePage {
    frame: Frame,
    complaints: Complaints,
    /// The list of lists that they come from.
    up: &'static str,
    up_title: String,
    here: String,
    address: String,
    lead: String,
    members: String,
    /// Where one writes for what.
    ways: Vec<(String, String)>,
    form: ChangeForm,
    posters: Vec<Choice>,
    held: Vec<Held>,
    may_run: bool,
    may_manage: bool,
}

#[derive(Debug)]
struct Held {
    id: String,
    href: String,
    author: String,
    subject: String,
    since: Time,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeForm {
    version: String,
    title: String,
    posters: String,
    is_open: String,
    prefix: String,
    /// In KiB; empty where it is not asked for.
    size: String,
}

impl OnePage {
    fn of(frame: Frame, list: &ListView, (role, right): (Role, ListRight), held: &Rows<HeldPostView>) -> Self {
        let (name, title) = name_of(list.posters);
        let here = path::of(path::LISTS, &list.address);
        let (up, up_title) = match role {
            Role::User => (path::OWN_LISTS_RUN, "own-lists-run"),
            Role::HelpDesk | Role::DomainAdmin | Role::Owner => (path::LISTS, "lists-title"),
        };
        let way = |suffix: &str, id| {
            let address = list.address.replacen('@', &format!("{suffix}@"), 1);
            (frame.say(id), address)
        };
        let mut ways = vec![way("-owner", "mlist-way-owner"), way("-unsubscribe", "mlist-way-leave")];
        if list.is_open {
            ways.push(way("-subscribe", "mlist-way-join"));
        }
        let post = |post: &HeldPostView| Held {
            id: post.id.clone(),
            href: path::of(&format!("{here}/posts"), &post.id),
            author: post.author.clone(),
            subject: post.subject.clone(),
            since: frame.time(post.held_at.0),
        };
        Self {
            complaints: Complaints::default(),
            up,
            up_title: frame.say(up_title),
            address: list.address.clone(),
            lead: frame.say(title),
            members: frame.number(list.members),
            ways,
            posters: poster_choices(&frame, name),
            form: ChangeForm {
                version: list.version.clone(),
                title: list.title.clone(),
                posters: name.to_owned(),
                is_open: if list.is_open { "on".to_owned() } else { String::new() },
                prefix: list.prefix.clone(),
                size: (list.max_octets / 1024).to_string(),
            },
            held: held.rows.iter().map(post).collect(),
            may_run: right >= ListRight::Run,
            may_manage: right >= ListRight::Manage,
            here,
            frame,
        }
    }
}

/// All that may wait for an owner, on one page.
fn all_posts() -> ListsWanted {
    ListsWanted { limit: Some(100), ..ListsWanted::default() }
}

async fn one_page(person: &Person, web: &Web, address: &str) -> Result<OnePage, Failure> {
    let (lists, actor) = (&web.service().lists, who(person));
    let (found, right) = (lists.show(&actor, address).await?, lists.right(&actor, address).await?);
    let held = lists.posts(&actor, address, &all_posts()).await?;
    Ok(OnePage::of(person.frame(web), &found, (actor.role, right), &held))
}

async fn show(person: Person, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    Ok(shown(&one_page(&person, &web, &address).await?))
}

async fn change(
    person: Person,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<ChangeForm>,
) -> Oops {
    let lists = &web.service().lists;
    let change = ListChange {
        title: Some(form.title.clone()),
        posters: Some(posters_named(&form.posters)),
        is_open: Some(!form.is_open.is_empty()),
        // What is no number is no size that fits; a form that doesn't ask leaves it as it is.
        max_octets: typed(&form.size).map(|size| size.parse::<u64>().unwrap_or(0).saturating_mul(1024)),
        prefix: Some(form.prefix.clone()),
    };
    match lists.change(&who(&person), &address, change, Some(&form.version)).await {
        Ok(list) => Ok(done(&path::of(path::LISTS, &list.address), Text::new("saved"))),
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            let page = one_page(&person, &web, &address).await?;
            let posters = poster_choices(&page.frame, &form.posters);
            Ok(again(&OnePage { complaints, form, posters, ..page }))
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DecideForm {
    post: String,
    /// `approve` or `reject`.
    act: String,
}

/// What a post says that waits.
#[derive(Debug, Template)]
#[template(path = "panel/lists/post.html")]
struct PostPage {
    frame: Frame,
    up: String,
    address: String,
    id: String,
    author: String,
    subject: String,
    since: Time,
    text: String,
    files: Vec<String>,
}

impl PostPage {
    fn of(frame: Frame, address: &str, post: HeldPostText) -> Self {
        Self {
            up: path::of(path::LISTS, address),
            address: address.to_owned(),
            since: frame.time(post.held_at.0),
            id: post.id,
            author: post.author,
            subject: post.subject,
            text: post.text,
            files: post.files,
            frame,
        }
    }
}

async fn show_post(person: Person, State(web): State<Web>, Path((address, id)): Path<(String, String)>) -> Oops {
    let post = web.service().lists.post(&who(&person), &address, &id).await?;
    Ok(shown(&PostPage::of(person.frame(&web), &address, post)))
}

async fn decide(
    person: Person,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<DecideForm>,
) -> Oops {
    let goes_out = form.act == "approve";
    web.service().lists.decide(&who(&person), &address, &form.post, goes_out).await?;
    let said = if goes_out { "mlist-post-approved" } else { "mlist-post-rejected" };
    Ok(done(&path::of(path::LISTS, &address), Text::new(said)))
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
        let up = path::of(path::LISTS, address);
        let here = format!("{up}/members");
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
        Ok(put) => {
            let here = format!("{}/members", path::of(path::LISTS, &address));
            Ok(done(&here, put_says(&put)))
        }
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
    let here = format!("{}/members", path::of(path::LISTS, &address));
    let text = Text::new("mlist-member-removed").with("member", form.member);
    Ok(done_undoably(&web, &actor, &here, text, &address).await)
}

fn ask_to_remove(frame: Frame, list: ListView) -> QuestionPage {
    let back = path::of(path::LISTS, &list.address);
    QuestionPage {
        title: frame.tell(&Text::new("mlist-remove-title").with("address", list.address.as_str())),
        text: frame.say("mlist-remove-text"),
        goes: vec![frame.count("mlist-members-go", list.members)],
        action: format!("{back}/remove"),
        act: frame.say("mlist-remove"),
        back,
        kind: "danger",
        version: list.version,
        frame,
    }
}

async fn remove_form(admin: Admin, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let list = web.service().lists.show(&admin.actor, &address).await?;
    Ok(shown(&ask_to_remove(admin.frame(&web), list)))
}

async fn remove(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<VersionForm>,
) -> Oops {
    web.service().lists.remove(&admin.actor, &address, Some(&form.version)).await?;
    Ok(done(path::LISTS, Text::new("mlist-removed").with("address", address)))
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/leave.html")]
struct LeavePage {
    frame: Frame,
    /// Who leaves what, in a sentence; none: there is nothing to leave.
    asks: Option<String>,
    here: String,
    has_left: bool,
}

async fn leave_form(guest: Guest, State(web): State<Web>, Path(mark): Path<String>) -> Oops {
    let frame = guest.frame(&web);
    let leaving = web.service().lists.leaving(&mark).await?;
    let asks = leaving.map(|leaving| {
        frame.tell(&Text::new("mlist-leave-asks").with("list", leaving.list).with("member", leaving.member))
    });
    Ok(shown(&LeavePage { here: path::of("/lists/leave", &mark), asks, has_left: false, frame }))
}

/// RFC 8058 §3.2: what mail programs post has no session and no token; the mark in the path is what opens, and it opens this alone.
async fn leave(guest: Guest, State(web): State<Web>, Path(mark): Path<String>) -> Oops {
    web.service().lists.leave(&mark).await?;
    Ok(shown(&LeavePage { here: String::new(), asks: None, has_left: true, frame: guest.frame(&web) }))
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/join.html")]
struct JoinPage {
    frame: Frame,
    complaints: Complaints,
    here: String,
    address: String,
    title: String,
    member: String,
    leaves: bool,
    /// The address is written to, if that is of use.
    has_asked: bool,
}

impl JoinPage {
    async fn of(guest: &Guest, web: &Web, list: &str) -> Result<Self, Failure> {
        let absent = || Failure::Absent(Text::new("mlist-join-absent"));
        let found = web.service().lists.open_list(list).await?.ok_or_else(absent)?;
        Ok(Self {
            frame: guest.frame(web),
            complaints: Complaints::default(),
            here: path::of("/lists/join", &found.address),
            address: found.address,
            title: found.title,
            member: String::new(),
            leaves: false,
            has_asked: false,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JoinForm {
    address: String,
    /// `join` or `leave`.
    act: String,
}

async fn join_form(guest: Guest, State(web): State<Web>, Path(list): Path<String>) -> Oops {
    Ok(shown(&JoinPage::of(&guest, &web, &list).await?))
}

/// Says the same whether the address is a member or not.
async fn join(guest: Guest, State(web): State<Web>, Path(list): Path<String>, Form(form): Form<JoinForm>) -> Oops {
    let leaves = form.act == "leave";
    let page = JoinPage { leaves, ..JoinPage::of(&guest, &web, &list).await? };
    match web.service().lists.ask(&list, &form.address, !leaves).await {
        Ok(()) => Ok(shown(&JoinPage { has_asked: true, member: form.address, ..page })),
        Err(failure @ Failure::Unfit(_)) => {
            let complaints = Complaints::of(&page.frame, failure)?;
            Ok(again(&JoinPage { complaints, member: form.address, ..page }))
        }
        Err(failure) => Err(failure.into()),
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/lists/confirm.html")]
struct ConfirmPage {
    frame: Frame,
    /// What is confirmed, in a sentence; none: nothing is.
    asks: Option<String>,
    here: String,
    is_done: bool,
}

type ConfirmPath = Path<(String, String, String)>;

async fn confirm_form(guest: Guest, State(web): State<Web>, Path((list, mark, member)): ConfirmPath) -> Oops {
    let frame = guest.frame(&web);
    let found = web.service().lists.confirming(&list, &mark, &member).await?;
    let asks = found.map(|found| {
        let id = if found.joins { "mlist-confirm-joins" } else { "mlist-leave-asks" };
        frame.tell(&Text::new(id).with("list", found.list).with("member", found.member))
    });
    let here = path::of(&path::of(&path::of("/lists/confirm", &list), &mark), &member);
    Ok(shown(&ConfirmPage { frame, asks, here, is_done: false }))
}

/// The mark in the path is what opens, and it opens this alone; programs that look at links before people do only look.
async fn confirm(
    guest: Guest,
    State(web): State<Web>,
    Path((list, mark, member)): ConfirmPath,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let is_done = web.service().lists.confirm(&list, &mark, &member).await?;
    Ok(shown(&ConfirmPage { frame: guest.frame(&web), asks: None, here: String::new(), is_done }))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;

    use super::*;
    use crate::kit::samples::draw;

    const AT: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn sample(posters: ListPosters) -> ListView {
        ListView {
            address: "team@example.org".to_owned(),
            title: "The team".to_owned(),
            posters,
            is_open: posters == ListPosters::Moderated,
            max_octets: 1024 * 1024,
            prefix: "[team]".to_owned(),
            members: 1200,
            held: 3,
            created_at: AT.into(),
            version: "1".to_owned(),
        }
    }

    fn rows<T>(rows: Vec<T>) -> Rows<T> {
        Rows { rows, next: None }
    }

    #[test]
    fn lists_are_drawn() {
        let all = || POSTERS.map(|(posters, _, _)| sample(posters)).into();
        draw(|frame| {
            let page = |q: &str, role, found| {
                let query = ListQuery { q: q.to_owned(), ..ListQuery::default() };
                ListPage::of(frame.clone(), query, role, &rows(found))
            };
            vec![page("", Role::Owner, all()), page("", Role::HelpDesk, Vec::new()), page("x", Role::Owner, Vec::new())]
        });
        draw(|frame| vec![ask_to_remove(frame, sample(ListPosters::Anyone))]);
        draw(|frame| {
            let domains = domain_choices(&["example.org".to_owned()], String::new(), "");
            let posters = poster_choices(&frame, "");
            vec![NewPage { complaints: Complaints::default(), form: NewForm::default(), domains, posters, frame }]
        });
    }

    #[test]
    fn one_is_drawn_with_its_posts_and_members() {
        let post = || HeldPostView {
            id: "1f".to_owned(),
            author: "ann@example.org".to_owned(),
            subject: "A <question>".to_owned(),
            held_at: AT.into(),
        };
        draw(|frame| {
            let page =
                |posters, role, right, held| OnePage::of(frame.clone(), &sample(posters), (role, right), &rows(held));
            vec![
                page(ListPosters::Moderated, Role::DomainAdmin, ListRight::Manage, vec![post()]),
                page(ListPosters::Moderated, Role::User, ListRight::Run, vec![post()]),
                page(ListPosters::Members, Role::HelpDesk, ListRight::See, Vec::new()),
            ]
        });
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
        draw(|frame| {
            let said = |text: &str, files: Vec<String>| {
                let HeldPostView { id, author, subject, held_at } = post();
                let post = HeldPostText { id, author, subject, held_at, text: text.to_owned(), files };
                PostPage::of(frame.clone(), "team@example.org", post)
            };
            vec![said("One line\n<b>and</b> another", vec!["plan.pdf".to_owned(), String::new()]), said("", Vec::new())]
        });
        draw(|frame| {
            let page = |asks: Option<&str>, has_left| LeavePage {
                frame: frame.clone(),
                asks: asks.map(str::to_owned),
                here: "/lists/leave/1-x".to_owned(),
                has_left,
            };
            vec![page(Some("Leave?"), false), page(None, false), page(None, true)]
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
