//! People: the list and acts upon many, adding one or many, one person, how they sign in.

mod import;
mod list;
mod new;
mod person;
mod sign_in;

use relais_service::{Actor, DomainsWanted, Failure, PersonView, Reach, Role};

use crate::Web;
use crate::kit::{Choice, Frame, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.and(list::routes).and(new::routes).and(import::routes).and(person::routes).and(sign_in::routes)
}

/// Domains that a choice offers, at most.
const MOST_DOMAINS: u32 = 500;

/// The names of the domains that the asker sees, from a.
pub(super) async fn domains(web: &Web, actor: &Actor) -> Result<Vec<String>, Failure> {
    let wanted = DomainsWanted { limit: Some(MOST_DOMAINS), ..DomainsWanted::default() };
    let found = web.service().domains.list(actor, &wanted).await?;
    Ok(found.rows.into_iter().map(|domain| domain.domain).collect())
}

/// A choice among domains; `all` stands before them where it isn't empty.
pub(super) fn domain_choices(names: &[String], all: String, chosen: &str) -> Vec<Choice> {
    let all = (!all.is_empty()).then(|| Choice::new("", all, chosen));
    // A page may name a domain as the DNS has it.
    let chosen = relais_model::Domain::parse(chosen).map_or_else(|_| chosen.to_owned(), |domain| domain.to_unicode());
    all.into_iter().chain(names.iter().map(|name| Choice::new(name, name.clone(), &chosen))).collect()
}

/// An address here, as it was typed beside a choice of domains: who types the whole address means it.
pub(super) fn whole_address(local: &str, domain: &str) -> String {
    let local = local.trim();
    if local.contains('@') { local.to_owned() } else { format!("{local}@{domain}") }
}

/// The roles that someone with the role `most` may give.
fn role_choices(frame: &Frame, most: Role, chosen: &str) -> Vec<Choice> {
    let given = Role::ALL.into_iter().filter(|role| *role <= most);
    given.map(|role| Choice::new(role.as_str(), role_title(frame, role), chosen)).collect()
}

pub(super) fn role_title(frame: &Frame, role: Role) -> String {
    frame.say(&format!("role-{}", role.as_str().replace('_', "-")))
}

/// Whether the one who asks has power over this person, as the service will decide.
fn has_power_over(actor: &Actor, person: &PersonView) -> bool {
    let reaches = match &actor.reach {
        Reach::All => true,
        Reach::Domains(own) => {
            person.domains.iter().all(|name| own.iter().any(|(_, domain)| domain.to_unicode() == *name))
        }
    };
    actor.role >= person.role && reaches
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;

    use super::*;

    /// For samples of pages.
    pub(super) fn person() -> PersonView {
        PersonView {
            address: "ann+x@example.org".to_owned(),
            domain: "example.org".to_owned(),
            name: "Ann <Lee>".to_owned(),
            role: Role::DomainAdmin,
            domains: vec!["example.org".to_owned()],
            has_password: true,
            quota_octets: Some(5_000_000_000),
            quota_messages: Some(100_000),
            imap_hidden: vec!["CONDSTORE".to_owned()],
            used_octets: 4_900_000_000,
            used_messages: 1,
            is_suspended: false,
            hourly_messages: None,
            hourly_recipients: None,
            daily_messages: None,
            daily_recipients: Some(500),
            daily_new_recipients: None,
            language: None,
            theme: None,
            last_seen_at: None,
            created_at: Timestamp::from_millis(1_795_000_000_000).into(),
            removed_at: None,
            purged_at: None,
            version: "3".to_owned(),
        }
    }

    #[test]
    fn forms_are_for_those_with_power() {
        let actor = |role, reach| Actor { role, reach, ..Actor::command_line() };
        assert!(has_power_over(&actor(Role::Owner, Reach::All), &person()));
        assert!(!has_power_over(&actor(Role::HelpDesk, Reach::All), &person()));
        let user = PersonView { role: Role::User, domains: Vec::new(), ..person() };
        assert!(has_power_over(&actor(Role::HelpDesk, Reach::Domains(Vec::new())), &user));
        assert!(!has_power_over(&actor(Role::DomainAdmin, Reach::Domains(Vec::new())), &person()));
        let owner = PersonView { role: Role::Owner, ..person() };
        assert!(!has_power_over(&actor(Role::DomainAdmin, Reach::All), &owner));
    }
}
