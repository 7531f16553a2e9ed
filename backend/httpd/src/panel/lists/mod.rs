//! Mailing lists: what they are, who is on them, which posts wait; and the pages where people join and leave.
//!
//! The pages of one list are for whoever looks after it, too, and so for everybody: the service says who may what there.

mod joining;
mod list;
mod members;
mod new;
mod one;
mod posts;
#[cfg(test)]
mod samples;

use relais_service::{Actor, ListPosters, ListsWanted, Reach, Role};

use crate::kit::{Choice, Frame, ListQuery, Person, Routes};
use crate::path;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .and(list::routes)
        .and(new::routes)
        .and(one::routes)
        .and(members::routes)
        .and(posts::routes)
        .and(joining::routes)
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

/// As forms name it, and its title.
fn name_of(posters: ListPosters) -> (&'static str, &'static str) {
    let found = POSTERS.iter().find(|(known, _, _)| *known == posters);
    found.map_or(("members", "mlist-posters-members"), |(_, name, title)| (*name, *title))
}

fn wanted(query: &ListQuery) -> ListsWanted {
    ListsWanted { search: query.words(), after: Some(query.after.clone()), limit: None }
}

/// Who asks for the pages of one list. Whoever has a role, and not yet the second factor that it takes, has no more than whoever has none.
fn who(person: &Person) -> Actor {
    let actor = person.actor.clone();
    if person.me.must_add_second_factor {
        return Actor { role: Role::User, reach: Reach::Domains(Vec::new()), ..actor };
    }
    actor
}

/// Where a list's page is.
fn one_path(address: &str) -> String {
    path::of(path::LISTS, address)
}

fn members_path(address: &str) -> String {
    format!("{}/members", one_path(address))
}
