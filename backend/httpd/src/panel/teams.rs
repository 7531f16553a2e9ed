//! Teams: mailboxes that several read, and who is in them.

use askama::Template;
use axum::extract::{Path, Query, State};
use relais_service::{
    Actor, Failure, NewTeam, Role, Rows, SendsAs, ShareLevel, TeamChange, TeamMember, TeamView, TeamsWanted, Text,
};
use serde::Deserialize;

use super::people::{domain_choices, domains, whole_address};
use super::question::{QuestionPage, VersionForm};
use crate::kit::{
    Admin, Choice, Complaints, Desk, Form, Frame, ListQuery, Oops, Pager, Routes, again, done, grantee_words,
    level_choices, level_words, may_words, sends_choices, sends_words, shown,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::TEAMS, list)
        .get(path::TEAM_NEW, new_form)
        .post(path::TEAM_NEW, create)
        .get(path::TEAM, show)
        .post(path::TEAM, change)
        .post(path::TEAM_MEMBERS, put_member)
        .post(path::TEAM_MEMBER_REMOVE, remove_member)
        .get(path::TEAM_REMOVE, remove_form)
        .post(path::TEAM_REMOVE, remove)
}

#[derive(Debug, Template)]
#[template(path = "panel/teams/list.html")]
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
    name: String,
    messages: String,
    used: String,
}

impl ListPage {
    fn of(frame: Frame, query: ListQuery, role: Role, found: &Rows<TeamView>) -> Self {
        let row = |team: &TeamView| Row {
            href: path::of(path::TEAMS, &team.address),
            address: team.address.clone(),
            name: team.name.clone(),
            messages: frame.number(team.used_messages),
            used: frame.size(team.used_octets),
        };
        Self {
            is_admin: role >= Role::DomainAdmin,
            rows: found.rows.iter().map(row).collect(),
            pager: Pager::below(&frame, path::TEAMS, found, &query),
            query,
            frame,
        }
    }
}

async fn list(desk: Desk, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    let wanted = TeamsWanted { search: query.words(), after: Some(query.after.clone()), ..TeamsWanted::default() };
    let found = web.service().teams.list(&desk.actor, &wanted).await?;
    Ok(shown(&ListPage::of(desk.frame(&web), query, desk.actor.role, &found)))
}

#[derive(Debug, Template)]
#[template(path = "panel/teams/new.html")]
struct NewPage {
    frame: Frame,
    complaints: Complaints,
    form: NewForm,
    domains: Vec<Choice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NewForm {
    local: String,
    domain: String,
    name: String,
}

async fn new_page(admin: &Admin, web: &Web, form: NewForm, complaints: Complaints) -> Result<NewPage, Failure> {
    let names = domains(web, &admin.actor).await?;
    let domains = domain_choices(&names, String::new(), &form.domain);
    Ok(NewPage { frame: admin.frame(web), complaints, form, domains })
}

async fn new_form(admin: Admin, State(web): State<Web>) -> Oops {
    Ok(shown(&new_page(&admin, &web, NewForm::default(), Complaints::default()).await?))
}

async fn create(admin: Admin, State(web): State<Web>, Form(form): Form<NewForm>) -> Oops {
    let address = whole_address(&form.local, &form.domain);
    let new = NewTeam { address, name: form.name.clone(), ..NewTeam::default() };
    match web.service().teams.create(&admin.actor, new).await {
        Ok(team) => {
            let there = path::of(path::TEAMS, &team.address);
            Ok(done(&there, Text::new("team-added").with("address", team.address)))
        }
        Err(failure) => {
            let complaints = Complaints::of(&admin.frame(&web), failure)?;
            Ok(again(&new_page(&admin, &web, form, complaints).await?))
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/teams/one.html")]
struct OnePage {
    frame: Frame,
    complaints: Complaints,
    here: String,
    address: String,
    lead: String,
    messages: String,
    used: String,
    members: Vec<Member>,
    form: ChangeForm,
    new: MemberForm,
    levels: Vec<Choice>,
    ways: Vec<Choice>,
    is_admin: bool,
}

#[derive(Debug)]
struct Member {
    with: String,
    /// The same as people read it.
    who: String,
    may: String,
    /// Empty: they don't write from its address.
    sends: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChangeForm {
    version: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MemberForm {
    with: String,
    level: String,
    sends: String,
}

impl OnePage {
    fn of(frame: Frame, team: &TeamView, role: Role, members: &[TeamMember]) -> Self {
        let member = |member: &TeamMember| {
            let may = if member.rights.is_empty() {
                frame.say("team-member-no-mail")
            } else {
                level_words(&frame, member.level, &member.rights)
            };
            Member {
                who: grantee_words(&frame, &member.with),
                with: member.with.clone(),
                may: may_words(&frame, may, member.is_dormant),
                sends: member.sends.map(|sends| sends_words(&frame, sends)).unwrap_or_default(),
            }
        };
        let new = MemberForm { level: ShareLevel::Write.as_str().to_owned(), ..MemberForm::default() };
        let page = Self {
            complaints: Complaints::default(),
            here: path::of(path::TEAMS, &team.address),
            address: team.address.clone(),
            lead: team.name.clone(),
            messages: frame.number(team.used_messages),
            used: frame.size(team.used_octets),
            members: members.iter().map(member).collect(),
            form: ChangeForm { version: team.version.clone(), name: team.name.clone() },
            new: MemberForm::default(),
            levels: Vec::new(),
            ways: Vec::new(),
            is_admin: role >= Role::DomainAdmin,
            frame,
        };
        page.with(new, Complaints::default())
    }

    /// With what was typed of a member.
    fn with(self, new: MemberForm, complaints: Complaints) -> Self {
        let levels = level_choices(&self.frame, &new.level);
        let mut ways = vec![Choice::new("", self.frame.say("share-sends-not"), &new.sends)];
        ways.extend(sends_choices(&self.frame, &new.sends));
        Self { complaints, new, levels, ways, ..self }
    }
}

async fn one(web: &Web, frame: Frame, actor: &Actor, team: &str) -> Result<OnePage, Failure> {
    let teams = &web.service().teams;
    let (found, members) = (teams.show(actor, team).await?, teams.members(actor, team).await?);
    Ok(OnePage::of(frame, &found, actor.role, &members))
}

async fn show(desk: Desk, State(web): State<Web>, Path(team): Path<String>) -> Oops {
    Ok(shown(&one(&web, desk.frame(&web), &desk.actor, &team).await?))
}

async fn change(admin: Admin, State(web): State<Web>, Path(team): Path<String>, Form(form): Form<ChangeForm>) -> Oops {
    let change = TeamChange { name: Some(form.name.clone()), ..TeamChange::default() };
    match web.service().teams.change(&admin.actor, &team, change, Some(&form.version)).await {
        Ok(team) => Ok(done(&path::of(path::TEAMS, &team.address), Text::new("saved"))),
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let page = one(&web, frame, &admin.actor, &team).await?;
            Ok(again(&OnePage { complaints, form, ..page }))
        }
    }
}

async fn put_member(
    admin: Admin,
    State(web): State<Web>,
    Path(team): Path<String>,
    Form(form): Form<MemberForm>,
) -> Oops {
    let member = TeamMember {
        with: form.with.trim().to_owned(),
        level: ShareLevel::parse(&form.level),
        sends: SendsAs::parse(&form.sends),
        ..TeamMember::default()
    };
    match web.service().teams.put_member(&admin.actor, &team, &member).await {
        Ok(_) => Ok(done(&path::of(path::TEAMS, &team), Text::new("team-member-done").with("with", member.with))),
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            Ok(again(&one(&web, frame, &admin.actor, &team).await?.with(form, complaints)))
        }
    }
}

async fn remove_member(
    admin: Admin,
    State(web): State<Web>,
    Path(team): Path<String>,
    Form(form): Form<MemberForm>,
) -> Oops {
    web.service().teams.remove_member(&admin.actor, &team, &form.with).await?;
    Ok(done(&path::of(path::TEAMS, &team), Text::new("team-member-removed").with("with", form.with)))
}

fn ask_to_remove(frame: Frame, team: TeamView) -> QuestionPage {
    let back = path::of(path::TEAMS, &team.address);
    QuestionPage {
        title: frame.tell(&Text::new("team-remove-title").with("address", team.address.as_str())),
        text: frame.say("team-remove-text"),
        goes: vec![frame.count("team-goes", team.used_messages)],
        action: format!("{back}/remove"),
        act: frame.say("team-remove"),
        back,
        kind: "danger",
        version: team.version,
        frame,
    }
}

async fn remove_form(admin: Admin, State(web): State<Web>, Path(team): Path<String>) -> Oops {
    let team = web.service().teams.show(&admin.actor, &team).await?;
    Ok(shown(&ask_to_remove(admin.frame(&web), team)))
}

async fn remove(admin: Admin, State(web): State<Web>, Path(team): Path<String>, Form(form): Form<VersionForm>) -> Oops {
    web.service().teams.remove(&admin.actor, &team, Some(&form.version)).await?;
    Ok(done(path::TEAMS, Text::new("team-removed").with("address", team)))
}

#[cfg(test)]
mod tests {
    use relais_service::Moment;

    use super::*;
    use crate::kit::samples::draw;

    fn team(name: &str) -> TeamView {
        TeamView {
            address: "sales@example.org".to_owned(),
            domain: "example.org".to_owned(),
            name: name.to_owned(),
            quota_octets: None,
            used_octets: 12_000_000,
            used_messages: 1234,
            created_at: Moment(relais_model::Timestamp::from_millis(1_795_428_000_000)),
            removed_at: None,
            purged_at: None,
            version: "1".to_owned(),
        }
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let page = |rows: Vec<TeamView>, q: &str| {
                let query = ListQuery { q: q.to_owned(), ..ListQuery::default() };
                ListPage::of(frame.clone(), query, Role::Owner, &Rows { rows, next: None })
            };
            vec![page(Vec::new(), ""), page(Vec::new(), "x"), page(vec![team("Sales"), team("")], "")]
        });
        draw(|frame: Frame| {
            let why = Text::new("failure-unknown-domain").with("domain", "x.example");
            let complaints = Complaints::of(&frame, Failure::unfit("address", why)).unwrap();
            let domains = vec![Choice::new("example.org", "example.org".to_owned(), "")];
            vec![NewPage { frame, complaints, form: NewForm::default(), domains }]
        });
        draw(|frame: Frame| {
            let member = |with: &str, level: Option<ShareLevel>, rights: &str, sends| TeamMember {
                with: with.to_owned(),
                level,
                rights: rights.to_owned(),
                sends,
                is_dormant: false,
            };
            let members = [
                member("ben@example.org", Some(ShareLevel::Write), "lrswikte", Some(SendsAs::As)),
                member("@example.org", None, "lr", None),
                member("anyone", None, "", Some(SendsAs::OnBehalf)),
                TeamMember { is_dormant: true, ..member("cat@example.net", Some(ShareLevel::Read), "lrs", None) },
            ];
            let page = |role, members: &[TeamMember]| OnePage::of(frame.clone(), &team("Sales"), role, members);
            let why = Text::new("share-nobody").with("name", "x");
            let complaints = Complaints::of(&frame, Failure::unfit("with", why)).unwrap();
            let typed = MemberForm { with: "x".to_owned(), ..MemberForm::default() };
            vec![
                page(Role::Owner, &[]),
                page(Role::HelpDesk, &members),
                page(Role::Owner, &members).with(typed, complaints),
            ]
        });
        draw(|frame: Frame| vec![ask_to_remove(frame, team("Sales"))]);
    }
}
