//! Microsoft's Autodiscover ([MS-OXDSCLI]): a document for a posted document, and, in JSON, the way to it. The sentences are Exchange's
//! own: programs know them.

use askama::Template;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relais_model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pox::Request;
use super::{Nothing, domain_of, xml};
use crate::{MailKind, Web, path};

/// What Outlook understands; others ask for Exchange's own protocols, which nobody speaks here.
const SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

/// Why there are no settings ([MS-OXDSCLI] §2.2.4.1.1.3.1).
#[derive(Debug, Clone, Copy)]
enum Trouble {
    NoSuchAddress,
    InvalidRequest,
    NoProvider,
}

impl Trouble {
    const fn told(self) -> (u16, &'static str) {
        match self {
            Self::NoSuchAddress => (500, "The email address can't be found."),
            Self::InvalidRequest => (600, "Invalid Request"),
            Self::NoProvider => (601, "Provider is not available"),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "autoconfig/autodiscover.xml", escape = "html")]
struct Settings {
    address: String,
    host: String,
    protocols: Vec<Protocol>,
}

#[derive(Debug)]
struct Protocol {
    kind: &'static str,
    port: u16,
    /// It overrides what `SSL` says: `SSL` is TLS from the first octet, `TLS` is STARTTLS.
    encryption: &'static str,
}

#[derive(Debug, Template)]
#[template(path = "autoconfig/autodiscover_error.xml", escape = "html")]
struct ErrorAnswer {
    time: String,
    id: u32,
    code: u16,
    message: &'static str,
}

/// A GET asks for nobody: Exchange answers it so, too.
pub(super) async fn nothing_asked(State(web): State<Web>) -> Result<Response, Nothing> {
    trouble(&web, Trouble::InvalidRequest)
}

/// The doors of the house, one a protocol, for the address that the posted document names.
pub(super) async fn settings(State(web): State<Web>, body: Bytes) -> Result<Response, Nothing> {
    let Some(request) = Request::parse(&body) else {
        return trouble(&web, Trouble::InvalidRequest);
    };
    if !request.response_schema.is_empty() && request.response_schema != SCHEMA {
        return trouble(&web, Trouble::NoProvider);
    }
    if !web.service().serves(&request.address.domain).await? {
        return trouble(&web, Trouble::NoSuchAddress);
    }
    let protocol = |kind, of| {
        let door = web.ports().doors(of).next()?;
        Some(Protocol { kind, port: door.port, encryption: if door.is_tls_first { "SSL" } else { "TLS" } })
    };
    let protocols = [("IMAP", MailKind::Imap), ("POP3", MailKind::Pop3), ("SMTP", MailKind::Smtp)];
    xml(&Settings {
        address: request.address.to_string(),
        host: web.host().to_string(),
        protocols: protocols.into_iter().filter_map(|(kind, of)| protocol(kind, of)).collect(),
    })
}

fn trouble(web: &Web, trouble: Trouble) -> Result<Response, Nothing> {
    let (code, message) = trouble.told();
    let hash = blake3::hash(web.host().as_str().as_bytes());
    let id = hash.as_bytes().first_chunk().copied().map(u32::from_be_bytes).unwrap_or_default();
    xml(&ErrorAnswer { time: time_of_day(web.now()), id, code, message })
}

/// `16:56:32.6160000`, in UTC.
fn time_of_day(now: Timestamp) -> String {
    let millis = now.millis().rem_euclid(24 * 3600 * 1000);
    let (seconds, millis) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}0000", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default, rename = "Protocol", alias = "protocol")]
    protocol: String,
    #[serde(default, rename = "Email", alias = "email")]
    email: String,
}

/// Where the documents are, as `…/v1.0/ann@example.org?Protocol=…` asks.
pub(super) async fn way(
    State(web): State<Web>,
    Path(email): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Nothing> {
    way_for(&web, &email, &wanted.protocol).await
}

/// As `?Email=…&Protocol=…` asks.
pub(super) async fn way_by_query(State(web): State<Web>, Query(wanted): Query<Wanted>) -> Result<Response, Nothing> {
    way_for(&web, &wanted.email, &wanted.protocol).await
}

async fn way_for(web: &Web, email: &str, protocol: &str) -> Result<Response, Nothing> {
    if protocol.is_empty() {
        let message = "A valid value must be provided for the query parameter 'Protocol'";
        return Ok(refusal(StatusCode::BAD_REQUEST, "MandatoryParameterMissing", message));
    }
    if !protocol.eq_ignore_ascii_case("AutodiscoverV1") {
        let shown: String = protocol.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let message = format!("The given protocol value '{shown}' is invalid. Supported values are 'AutodiscoverV1'");
        return Ok(refusal(StatusCode::BAD_REQUEST, "InvalidProtocol", &message));
    }
    let is_ours = match domain_of(email) {
        Some(domain) => web.service().serves(&domain).await?,
        None => false,
    };
    if !is_ours {
        return Ok(refusal(StatusCode::NOT_FOUND, "UserNotFound", "The given user is not found"));
    }
    let found: Value = json!({ "Protocol": "AutodiscoverV1", "Url": web.link(path::AUTODISCOVER) });
    Ok(Json(found).into_response())
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "ErrorCode": code, "ErrorMessage": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_the_days() {
        assert_eq!(time_of_day(Timestamp::from_millis(1_767_286_592_616)), "16:56:32.6160000");
        assert_eq!(time_of_day(Timestamp::from_millis(0)), "00:00:00.0000000");
    }
}
