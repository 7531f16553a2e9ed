//! Mozilla's file (config file format 1.1, draft-ietf-mailmaint-autoconfig): all doors of the house, TLS from the first octet before
//! STARTTLS. `%EMAILADDRESS%` is filled in by the program.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use relais_model::Domain;
use relais_words::Language;
use serde::Deserialize;

use super::{Asked, Nothing, domain_of, xml};
use crate::{MailKind, Web, path};

/// Characters of `displayShortName`, at most.
const SHORT_NAME: usize = 20;

#[derive(Deserialize)]
pub(super) struct Person {
    #[serde(default)]
    emailaddress: String,
}

#[derive(Debug, Template)]
#[template(path = "autoconfig/mozilla.xml", escape = "html")]
struct ClientConfig {
    domain: String,
    name: String,
    short_name: String,
    host: String,
    incoming: Vec<Server>,
    outgoing: Vec<Server>,
    help: String,
    descriptions: Vec<(&'static str, String)>,
}

#[derive(Debug)]
struct Server {
    kind: &'static str,
    port: u16,
    socket: &'static str,
}

/// At `autoconfig.DOMAIN`.
pub(super) async fn of_host(
    State(web): State<Web>,
    asked: Asked,
    Query(person): Query<Person>,
) -> Result<Response, Nothing> {
    config(&web, &person, asked.below("autoconfig")).await
}

/// At the domain itself.
pub(super) async fn of_domain(
    State(web): State<Web>,
    asked: Asked,
    Query(person): Query<Person>,
) -> Result<Response, Nothing> {
    config(&web, &person, asked.0).await
}

/// For the person's domain, or for that of the host where nobody was named.
async fn config(web: &Web, person: &Person, asked: Option<Domain>) -> Result<Response, Nothing> {
    let domain = if person.emailaddress.is_empty() { asked } else { domain_of(&person.emailaddress) };
    let domain = domain.ok_or(Nothing::Here)?;
    if !web.service().serves(&domain).await? {
        return Err(Nothing::Here);
    }
    let name = web.access().house().name;
    xml(&ClientConfig {
        domain: domain.to_string(),
        short_name: name.chars().take(SHORT_NAME).collect(),
        name,
        host: web.host().to_string(),
        incoming: servers(web, "imap", MailKind::Imap).chain(servers(web, "pop3", MailKind::Pop3)).collect(),
        outgoing: servers(web, "smtp", MailKind::Smtp).collect(),
        help: web.link(path::OWN_CLIENTS),
        descriptions: Language::ALL.map(|language| (language.code(), language.say("autoconfig-help", []))).to_vec(),
    })
}

fn servers(web: &Web, kind: &'static str, of: MailKind) -> impl Iterator<Item = Server> + use<> {
    let socket = |is_tls_first| if is_tls_first { "SSL" } else { "STARTTLS" };
    web.ports().doors(of).map(move |door| Server { kind, port: door.port, socket: socket(door.is_tls_first) })
}
