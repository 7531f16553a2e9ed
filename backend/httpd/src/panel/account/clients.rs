//! Setting up mail programs: what to type, a profile for Apple's, and the way to one's phone.

use askama::Template;
use axum::extract::State;
use relais_model::Address;

use crate::kit::{Frame, Oops, Person, Routes, shown};
use crate::{MailKind, Web, autoconfig, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::OWN_CLIENTS, clients).get(path::OWN_PROFILE, profile)
}

/// What a mail program must know.
#[derive(Debug, Clone)]
pub(super) struct Doors {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) rows: Vec<Door>,
}

/// One door, as people type it into their program.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) title: String,
    pub(super) port: String,
    pub(super) security: String,
}

impl Doors {
    /// The doors that are open to `address`; of each kind the one with TLS from the first octet, where there is one (RFC 8314 §3).
    pub(super) fn of(frame: &Frame, address: &Address, web: &Web) -> Self {
        let row = |(id, kind)| {
            let door = web.ports().doors(kind).next()?;
            let security = if door.is_tls_first { "clients-tls" } else { "clients-starttls" };
            Some(Door { title: frame.say(id), port: door.port.to_string(), security: frame.say(security) })
        };
        let kinds =
            [("clients-imap", MailKind::Imap), ("clients-pop3", MailKind::Pop3), ("clients-smtp", MailKind::Smtp)];
        Self {
            name: relais_service::readable(address),
            host: web.host().to_unicode(),
            rows: kinds.into_iter().filter_map(row).collect(),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/account/clients.html")]
struct ClientsPage {
    frame: Frame,
    tab: &'static str,
    doors: Doors,
    is_needed: bool,
}

async fn clients(person: Person, State(web): State<Web>) -> Oops {
    let frame = person.frame(&web);
    let doors = Doors::of(&frame, &person.me.address, &web);
    Ok(shown(&ClientsPage { frame, tab: "clients", doors, is_needed: person.me.has_second_factor }))
}

/// The profile without a password.
async fn profile(person: Person, State(web): State<Web>) -> Oops {
    Ok(autoconfig::profile(&web, &person.me.address, &person.me.name, None)?)
}
