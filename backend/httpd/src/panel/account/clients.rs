//! Setting up mail programs: what to type, a profile for Apple's, and a code to be scanned with a phone.

use askama::Template;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use relais_service::Failure;

use super::second_factor::svg_uri;
use crate::kit::{Frame, Oops, Person, Routes, shown};
use crate::{Web, path};

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
    /// The doors that are open, those with TLS from the first octet (RFC 8314 §3).
    pub(super) fn of(person: &Person, web: &Web) -> Self {
        let frame = person.frame(web);
        let ports = web.ports();
        let row = |id: &str, port: Option<u16>| {
            let security = frame.say("clients-tls");
            port.map(|port| Door { title: frame.say(id), port: port.to_string(), security })
        };
        let rows = [
            row("clients-imap", ports.imaps),
            row("clients-pop3", ports.pop3s),
            row("clients-smtp", ports.submissions),
        ];
        Self {
            name: relais_service::readable(&person.me.address),
            host: web.host().to_unicode(),
            rows: rows.into_iter().flatten().collect(),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "panel/account/clients.html")]
struct ClientsPage {
    frame: Frame,
    tab: &'static str,
    doors: Doors,
    /// This page's address on a phone, as a drawing.
    qr: String,
    link: String,
    is_needed: bool,
}

async fn clients(person: Person, State(web): State<Web>) -> Oops {
    let link = format!("{}{}", web.origin(), path::OWN_CLIENTS);
    Ok(shown(&ClientsPage {
        frame: person.frame(&web),
        tab: "clients",
        doors: Doors::of(&person, &web),
        qr: svg_uri(&relais_service::qr(&link).ok_or(Failure::Failed)?),
        link,
        is_needed: person.me.has_second_factor,
    }))
}

/// Apple's configuration profile with a mail payload; the password is asked for when it is installed.
#[derive(Debug, Template)]
#[template(path = "panel/account/apple.mobileconfig.xml", escape = "html")]
struct AppleProfile {
    address: String,
    name: String,
    host: String,
    imap_port: u16,
    smtp_port: u16,
    /// The same for the same account, so that a second installation takes the place of the first.
    account_id: String,
    profile_id: String,
    organisation: String,
}

async fn profile(person: Person, State(web): State<Web>) -> Oops {
    let ports = web.ports();
    let (Some(imap_port), Some(smtp_port)) = (ports.imaps, ports.submissions) else {
        return Err(Failure::Absent(relais_service::Text::new("clients-no-doors")).into());
    };
    let address = relais_service::readable(&person.me.address);
    let name = if person.me.name.is_empty() { address.clone() } else { person.me.name.clone() };
    let profile = AppleProfile {
        account_id: uuid(&address, "account"),
        profile_id: uuid(&address, "profile"),
        address,
        name,
        host: web.host().as_str().to_owned(),
        imap_port,
        smtp_port,
        organisation: web.host().to_unicode(),
    };
    let xml = profile.render().map_err(|_| Failure::Failed)?;
    Ok(download(xml))
}

fn download(xml: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/x-apple-aspen-config"),
        (CONTENT_DISPOSITION, "attachment; filename=\"relais.mobileconfig\""),
    ];
    (headers, xml).into_response()
}

/// An id in UUID's form (RFC 9562 §5.8), made from a name.
fn uuid(address: &str, what: &str) -> String {
    let hash = blake3::hash(format!("relais {what} {address}").as_bytes());
    let hex = hash.to_hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_uppercase();
    format!("{}-{}-8{}-A{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_escapes_what_people_are_called() {
        let profile = AppleProfile {
            address: "ann@example.org".to_owned(),
            name: "Ann <& \"Lee\"".to_owned(),
            host: "mx.example.org".to_owned(),
            imap_port: 993,
            smtp_port: 465,
            account_id: uuid("ann@example.org", "account"),
            profile_id: uuid("ann@example.org", "profile"),
            organisation: "mx.example.org".to_owned(),
        };
        let xml = profile.render().unwrap();
        assert!(xml.contains("<string>Ann &#60;&#38; &#34;Lee&#34;</string>"), "{xml}");
        assert!(xml.starts_with("<?xml"), "{xml}");
    }
}
