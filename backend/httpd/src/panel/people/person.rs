//! One person: who they are, what they may, suspending, removing with grace.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{
    Actor, DeletedMail, DeletedWanted, Failure, LeadsTo, PersonChange, PersonView, Role, SendingView, Text,
};
use serde::Deserialize;

use super::list::{fullness, percent};
use super::{domains, has_power_over, role_choices, role_title};
use crate::kit::{
    Admin, Choice, Complaints, Desk, Form, Frame, Oops, PageError, Routes, Time, Typed, again, done, shown,
};
use crate::panel::activity::done_undoably;
use crate::panel::holds::Usage;
use crate::panel::question::{QuestionPage, VersionForm};
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::PERSON, show)
        .post(path::PERSON, change)
        .get(path::PERSON_POWER, power_form)
        .post(path::PERSON_POWER, give_power)
        .get(path::PERSON_SUSPEND, suspend_form)
        .post(path::PERSON_SUSPEND, suspend)
        .post(path::PERSON_RESUME, resume)
        .get(path::PERSON_REMOVE, remove_form)
        .post(path::PERSON_REMOVE, remove)
        .post(path::PERSON_RESTORE, restore)
        .post(path::PERSON_MAIL_RESTORE, restore_mail)
}

/// What both of a person's pages begin with.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what the templates show hangs on each")]
pub(super) struct Head {
    /// The path of the first of them.
    pub(super) here: String,
    /// Their name, or their address where they have none.
    pub(super) title: String,
    /// Their address, where it isn't the title.
    pub(super) lead: String,
    pub(super) is_suspended: bool,
    pub(super) role: String,
    /// The one who asks may see how they sign in, and help them to.
    pub(super) can_look_in: bool,
    /// The one who asks may change them.
    pub(super) can_change: bool,
    /// It is the one who asks.
    pub(super) is_self: bool,
}

impl Head {
    pub(super) fn of(frame: &Frame, actor: &Actor, person: &PersonView) -> Self {
        Self {
            here: path::of(path::PEOPLE, &person.address),
            title: if person.name.is_empty() { person.address.clone() } else { person.name.clone() },
            lead: if person.name.is_empty() { String::new() } else { person.address.clone() },
            is_suspended: person.is_suspended,
            role: role_title(frame, person.role),
            can_look_in: has_power_over(actor, person),
            can_change: actor.role >= Role::DomainAdmin && has_power_over(actor, person),
            is_self: actor.name == person.address,
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/people/person.html")]
struct PersonPage {
    frame: Frame,
    complaints: Complaints,
    head: Head,
    form: PersonForm,
    messages: String,
    /// `3.2 GB of 5 GB`, or what is used where there is no limit.
    used_of: String,
    percent: Option<u64>,
    fullness: &'static str,
    serves: Vec<String>,
    leads: Vec<Lead>,
    usage: Usage,
    /// `12 messages, 3.2 MB, 1 folder`; empty where they deleted nothing that is still kept.
    deleted: String,
    seen: Option<Time>,
    created: Time,
}

/// Something that leads to them.
#[derive(Debug)]
struct Lead {
    address: String,
    kind: String,
    /// The page where it is changed; empty where there is none.
    href: String,
}

/// How far back mail is brought back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RestoreMailForm {
    /// Hours; empty: all that is still kept.
    hours: Option<u32>,
}

async fn restore_mail(
    desk: Desk,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<RestoreMailForm>,
) -> Oops {
    let back = |hours: u32| web.now().minus(Duration::from_hours(hours.into())).into();
    let wanted = DeletedWanted { since: form.hours.map(back) };
    let restored = web.service().restore_mail(&desk.actor, &address, &wanted).await?;
    Ok(done(&path::of(path::PEOPLE, &address), restored.says()))
}

/// What they deleted and can have back; empty where that is nothing.
fn deleted_of(frame: &Frame, deleted: &DeletedMail) -> String {
    let messages = match deleted.messages {
        0 => None,
        messages => Some(format!("{}, {}", frame.count("count-messages", messages), frame.size(deleted.size_octets))),
    };
    let folders = (deleted.mailboxes > 0).then(|| frame.count("count-folders", deleted.mailboxes));
    messages.into_iter().chain(folders).collect::<Vec<_>>().join(", ")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PersonForm {
    version: String,
    name: String,
    quota: String,
    quota_messages: String,
    /// With commas between them.
    imap_hidden: String,
    hourly_messages: String,
    hourly_recipients: String,
    daily_messages: String,
    daily_recipients: String,
    daily_new_recipients: String,
}

impl PersonForm {
    fn of(frame: &Frame, person: &PersonView) -> Self {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        Self {
            version: person.version.clone(),
            name: person.name.clone(),
            quota: frame.typed_size(person.quota_octets),
            quota_messages: number(person.quota_messages),
            imap_hidden: person.imap_hidden.join(", "),
            hourly_messages: number(person.hourly_messages),
            hourly_recipients: number(person.hourly_recipients),
            daily_messages: number(person.daily_messages),
            daily_recipients: number(person.daily_recipients),
            daily_new_recipients: number(person.daily_new_recipients),
        }
    }

    fn change(&self) -> Result<PersonChange, Failure> {
        let mut read = Typed::default();
        let hidden = self.imap_hidden.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned);
        let change = PersonChange {
            imap_hidden: Some(hidden.collect()),
            name: Some(self.name.clone()),
            quota_octets: Some(read.size("quota", &self.quota)),
            quota_messages: Some(read.count("quota_messages", &self.quota_messages)),
            hourly_messages: Some(read.count("hourly_messages", &self.hourly_messages)),
            hourly_recipients: Some(read.count("hourly_recipients", &self.hourly_recipients)),
            daily_messages: Some(read.count("daily_messages", &self.daily_messages)),
            daily_recipients: Some(read.count("daily_recipients", &self.daily_recipients)),
            daily_new_recipients: Some(read.count("daily_new_recipients", &self.daily_new_recipients)),
            ..PersonChange::default()
        };
        read.end().map(|()| change)
    }
}

impl PersonPage {
    fn of(
        frame: Frame,
        actor: &Actor,
        person: &PersonView,
        leads: &LeadsTo,
        sending: &SendingView,
        deleted: &DeletedMail,
    ) -> Self {
        let percent = percent(person);
        let used = frame.size(person.used_octets);
        Self {
            complaints: Complaints::default(),
            head: Head::of(&frame, actor, person),
            form: PersonForm::of(&frame, person),
            messages: frame.count("count-messages", person.used_messages),
            used_of: match person.quota_octets {
                Some(quota) => frame
                    .tell(&Text::new("person-used-of").with("used", used.as_str()).with("quota", frame.size(quota))),
                None => frame.tell(&Text::new("person-used-free").with("used", used.as_str())),
            },
            percent,
            fullness: fullness(Some(percent.unwrap_or(0))),
            serves: person.domains.clone(),
            leads: leads_of(&frame, person, leads),
            usage: Usage::of(&frame, sending),
            deleted: deleted_of(&frame, deleted),
            seen: person.last_seen_at.map(|at| frame.time(at.0)),
            created: frame.time(person.created_at.0),
            frame,
        }
    }
}

fn leads_of(frame: &Frame, person: &PersonView, leads: &LeadsTo) -> Vec<Lead> {
    let local = person.address.rsplit_once('@').map_or(person.address.as_str(), |(local, _)| local);
    let aliases = leads.aliases.iter().map(|address| Lead {
        address: address.clone(),
        kind: frame.say("address-kind-alias"),
        href: path::of(path::ADDRESSES, address),
    });
    let domains = leads.catch_alls.iter().map(|domain| Lead {
        address: format!("*@{domain}"),
        kind: frame.say("person-leads-domain"),
        href: path::of(path::DOMAINS, domain),
    });
    let names = leads.other_names.iter().map(|domain| Lead {
        address: format!("{local}@{domain}"),
        kind: frame.say("address-kind-domain-alias"),
        href: String::new(),
    });
    aliases.chain(domains).chain(names).collect()
}

async fn page(web: &Web, frame: Frame, actor: &Actor, address: &str) -> Result<PersonPage, PageError> {
    let person = web.service().people.show(actor, address).await?;
    let leads = web.service().addresses.leads_to(actor, address).await?;
    let sending = web.service().person_sending(actor, address).await?;
    let deleted = web.service().deleted_mail(actor, address, &DeletedWanted::default()).await?;
    Ok(PersonPage::of(frame, actor, &person, &leads, &sending, &deleted))
}

async fn show(desk: Desk, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    Ok(shown(&page(&web, desk.frame(&web), &desk.actor, &address).await?))
}

async fn change(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<PersonForm>,
) -> Oops {
    let outcome = match form.change() {
        Ok(change) => web.service().people.change(&admin.actor, &address, change, Some(&form.version)).await,
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(person) => {
            let here = path::of(path::PEOPLE, &person.address);
            Ok(done_undoably(&web, &admin.actor, &here, Text::new("saved"), &person.address).await)
        }
        Err(failure) => {
            let frame = admin.frame(&web);
            let complaints = Complaints::of(&frame, failure)?;
            let page = page(&web, frame, &admin.actor, &address).await?;
            Ok(again(&PersonPage { complaints, form, ..page }))
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/people/power.html")]
struct PowerPage {
    frame: Frame,
    complaints: Complaints,
    here: String,
    title: String,
    version: String,
    roles: Vec<PowerChoice>,
    served: Vec<Choice>,
}

/// A role, with what it means.
#[derive(Debug)]
struct PowerChoice {
    choice: Choice,
    help: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PowerForm {
    version: String,
    role: String,
    serves: Vec<String>,
}

async fn power_page(
    admin: &Admin,
    web: &Web,
    address: &str,
    form: Option<PowerForm>,
    complaints: Complaints,
) -> Result<PowerPage, PageError> {
    let person = web.service().people.show(&admin.actor, address).await?;
    let names = domains(web, &admin.actor).await?;
    let frame = admin.frame(web);
    let (role, chosen, version) = match form {
        Some(form) => (form.role, form.serves, form.version),
        None => (person.role.as_str().to_owned(), person.domains.clone(), person.version.clone()),
    };
    let with_help = |choice: Choice| PowerChoice {
        help: frame.say(&format!("role-{}-help", choice.value.replace('_', "-"))),
        choice,
    };
    let served =
        names.into_iter().map(|name| Choice { is_chosen: chosen.contains(&name), title: name.clone(), value: name });
    Ok(PowerPage {
        complaints,
        here: path::of(path::PEOPLE, &person.address),
        title: frame.tell(&Text::new("power-title").with("address", person.address)),
        version,
        roles: role_choices(&frame, admin.actor.role, &role).into_iter().map(with_help).collect(),
        served: served.collect(),
        frame,
    })
}

async fn power_form(admin: Admin, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    admin.actor.require_proof()?;
    Ok(shown(&power_page(&admin, &web, &address, None, Complaints::default()).await?))
}

async fn give_power(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<PowerForm>,
) -> Oops {
    let change = PersonChange {
        role: Some(Role::parse(&form.role).unwrap_or_default()),
        domains: Some(form.serves.clone()),
        ..PersonChange::default()
    };
    match web.service().people.change(&admin.actor, &address, change, Some(&form.version)).await {
        Ok(person) => {
            let here = path::of(path::PEOPLE, &person.address);
            Ok(done_undoably(&web, &admin.actor, &here, Text::new("saved"), &person.address).await)
        }
        Err(failure) => {
            let complaints = Complaints::of(&admin.frame(&web), failure)?;
            Ok(again(&power_page(&admin, &web, &address, Some(form), complaints).await?))
        }
    }
}

async fn suspend_form(admin: Admin, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    let person = web.service().people.show(&admin.actor, &address).await?;
    let frame = admin.frame(&web);
    let back = path::of(path::PEOPLE, &person.address);
    Ok(shown(&QuestionPage {
        title: frame.tell(&Text::new("person-suspend-title").with("address", person.address)),
        text: frame.say("person-suspend-text"),
        goes: Vec::new(),
        action: format!("{back}/suspend"),
        act: frame.say("person-suspend"),
        back,
        kind: "danger",
        version: person.version,
        frame,
    }))
}

async fn suspend(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<VersionForm>,
) -> Oops {
    set_suspended(&admin, &web, &address, true, Some(&form.version)).await
}

async fn resume(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    set_suspended(&admin, &web, &address, false, None).await
}

async fn set_suspended(admin: &Admin, web: &Web, address: &str, is_suspended: bool, version: Option<&str>) -> Oops {
    let change = PersonChange { is_suspended: Some(is_suspended), ..PersonChange::default() };
    let person = web.service().people.change(&admin.actor, address, change, version).await?;
    let said = if is_suspended { "person-suspended" } else { "person-resumed" };
    let text = Text::new(said).with("address", person.address.as_str());
    Ok(done_undoably(web, &admin.actor, &path::of(path::PEOPLE, &person.address), text, &person.address).await)
}

async fn remove_form(admin: Admin, State(web): State<Web>, Path(address): Path<String>) -> Oops {
    // Asked before the question, so that nobody answers it twice.
    admin.actor.require_proof()?;
    let people = &web.service().people;
    let (person, going) = (people.show(&admin.actor, &address).await?, people.going(&admin.actor, &address).await?);
    let frame = admin.frame(&web);
    let messages = Text::new("person-goes-messages").with("count", going.messages);
    let mut goes = vec![frame.tell(&messages.with("size", frame.size(going.octets)))];
    if !going.aliases.is_empty() {
        let text = Text::new("person-goes-aliases").with("count", going.aliases.len());
        goes.push(frame.tell(&text.with("aliases", some_of(&going.aliases))));
    }
    if !going.catch_alls.is_empty() {
        let text = Text::new("person-goes-domains").with("domains", some_of(&going.catch_alls));
        goes.push(frame.tell(&text));
    }
    let back = path::of(path::PEOPLE, &person.address);
    let until = frame.time(going.purged_at.0).words;
    Ok(shown(&QuestionPage {
        title: frame.tell(&Text::new("person-remove-title").with("address", person.address)),
        text: frame.tell(&Text::new("person-remove-text").with("until", until)),
        goes,
        action: format!("{back}/remove"),
        act: frame.say("person-remove"),
        back,
        kind: "danger",
        version: person.version,
        frame,
    }))
}

/// The first of many names.
fn some_of(names: &[String]) -> String {
    const SAID: usize = 5;
    let said = names.iter().take(SAID).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SAID { format!("{said} …") } else { said }
}

async fn remove(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<VersionForm>,
) -> Oops {
    let people = &web.service().people;
    let address = people.show(&admin.actor, &address).await?.address;
    people.remove(&admin.actor, &address, Some(&form.version)).await?;
    let text = Text::new("person-removed").with("address", address.as_str());
    Ok(done_undoably(&web, &admin.actor, path::PEOPLE, text, &address).await)
}

async fn restore(
    admin: Admin,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Oops {
    let person = web.service().people.restore(&admin.actor, &address).await?;
    let text = Text::new("person-restored").with("address", person.address.as_str());
    Ok(done(&path::of(path::PEOPLE, &person.address), text))
}

#[cfg(test)]
mod tests {
    use super::super::tests::person;
    use super::*;
    use crate::kit::samples::draw;
    use crate::panel::holds::tests::sending;

    #[test]
    fn the_profile_is_drawn() {
        let leads = LeadsTo {
            aliases: vec!["sales@example.org".to_owned()],
            catch_alls: vec!["example.org".to_owned()],
            other_names: vec!["example.com".to_owned()],
        };
        let nothing = LeadsTo { aliases: Vec::new(), catch_alls: Vec::new(), other_names: Vec::new() };
        let deleted = |messages| DeletedMail {
            address: "ann@example.org".to_owned(),
            messages,
            size_octets: messages * 2048,
            mailboxes: messages / 6,
        };
        let owner = Actor::command_line();
        let desk = Actor { role: Role::HelpDesk, ..Actor::command_line() };
        draw(|frame| {
            let free = PersonView { quota_octets: None, name: String::new(), is_suspended: true, ..person() };
            vec![
                PersonPage::of(frame.clone(), &owner, &person(), &leads, &sending(), &deleted(12)),
                PersonPage::of(frame.clone(), &desk, &person(), &nothing, &sending(), &deleted(0)),
                PersonPage::of(frame, &owner, &free, &nothing, &sending(), &deleted(0)),
            ]
        });
    }

    #[test]
    fn questions_are_drawn() {
        draw(|frame| {
            vec![QuestionPage {
                title: frame.tell(&Text::new("person-remove-title").with("address", "ann@example.org")),
                text: frame.say("person-suspend-text"),
                goes: vec!["412 messages".to_owned()],
                action: "/".to_owned(),
                act: frame.say("person-remove"),
                back: "/".to_owned(),
                kind: "danger",
                version: "1".to_owned(),
                frame,
            }]
        });
        draw(|frame| {
            let role = |choice: Choice| PowerChoice { help: frame.say("role-owner-help"), choice };
            vec![PowerPage {
                complaints: Complaints::default(),
                here: "/panel/people/x".to_owned(),
                title: "x".to_owned(),
                version: "1".to_owned(),
                roles: role_choices(&frame, Role::Owner, "user").into_iter().map(role).collect(),
                served: vec![Choice::new("example.org", "example.org".to_owned(), "example.org")],
                frame,
            }]
        });
    }

    #[test]
    fn of_many_names_some_are_said() {
        let names = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
        assert_eq!(some_of(&names(2)), "0, 1");
        assert_eq!(some_of(&names(9)), "0, 1, 2, 3, 4 …");
    }
}
