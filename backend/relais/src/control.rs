//! How the command line asks the house: in the REST API's words, over a socket in the data directory that only the server's own user
//! (and root) can open; where no server runs, of the same API in this process.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use relais_httpd::{Peer, Web};
use relais_model::{SystemClock, SystemRandom};
use relais_reception::Login;
use relais_service::Service;
use relais_store::Store;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tracing::debug;

use crate::config::Config;
use crate::dns::quiet_house;
use crate::server;

/// Connections at once at the socket.
pub(crate) const GUESTS: usize = 64;
/// For an answer, that to an import of many among them.
const ANSWER_TIMEOUT: Duration = Duration::from_hours(1);
/// Where the API's paths begin.
const PREFIX: &str = "/api/v1";
/// What stands as it is in a path or a query (RFC 3986 §2.3).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Binds the socket. The store is locked by now, so one that is there was left by a process that died.
pub(crate) fn bind(path: &Path) -> Result<UnixListener> {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error).with_context(|| format!("cannot replace {}", path.display()));
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// A request's body.
#[derive(Default)]
pub(crate) enum Content {
    /// None.
    #[default]
    Nothing,
    /// As most operations take it.
    Json(Value),
    /// As an import takes it.
    Csv(String),
    /// vCards.
    Cards(String),
    /// A message.
    Letter(Vec<u8>),
    /// Messages in a row.
    Mail(Vec<u8>),
}

impl Content {
    fn into_octets(self) -> (Option<&'static str>, Bytes) {
        match self {
            Self::Nothing => (None, Bytes::new()),
            Self::Json(value) => (Some("application/json"), value.to_string().into()),
            Self::Csv(text) => (Some("text/csv"), text.into()),
            Self::Cards(text) => (Some("text/vcard"), text.into()),
            Self::Letter(octets) => (Some("message/rfc822"), octets.into()),
            Self::Mail(octets) => (Some("application/vnd.relais.messages"), octets.into()),
        }
    }
}

/// What came back: the answer's JSON, null where there is none; or the problem document (RFC 9457).
pub(crate) type Outcome = Result<Value, Problem>;

/// A problem document; it displays as the sentences in it.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.sentences())]
pub(crate) struct Problem(pub(crate) Value);

/// What is told of it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    title: String,
    detail: String,
    errors: Vec<Wrong>,
}

#[derive(Deserialize)]
struct Wrong {
    field: String,
    detail: String,
    #[serde(default)]
    line: Option<u64>,
    #[serde(default)]
    column: Option<u64>,
}

impl Wrong {
    /// The field, and where in it: `script:3:7`.
    fn place(&self) -> String {
        let numbers = [self.line, self.column].into_iter().flatten();
        numbers.fold(self.field.clone(), |place, number| format!("{place}:{number}"))
    }
}

impl Problem {
    fn sentences(&self) -> String {
        let told = Told::deserialize(&self.0).unwrap_or_default();
        if !told.errors.is_empty() {
            let places: Vec<_> = told.errors.iter().map(Wrong::place).collect();
            return complaints(
                places.iter().zip(&told.errors).map(|(place, wrong)| (place.as_str(), wrong.detail.as_str())),
            );
        }
        if told.detail.is_empty() { told.title } else { told.detail }
    }
}

/// `field: what is wrong with it`, one after the other.
pub(crate) fn complaints<'a>(complaints: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let told = complaints.map(|(field, why)| if field.is_empty() { why.to_owned() } else { format!("{field}: {why}") });
    told.collect::<Vec<_>>().join(" ")
}

/// A path of these parts, each of which may hold any letter.
pub(crate) fn path(parts: &[&str]) -> String {
    parts.iter().flat_map(|part| ["/"].into_iter().chain(utf8_percent_encode(part, PLAIN))).collect()
}

/// A query of these members.
pub(crate) fn query(members: &[(&str, &str)]) -> String {
    let member = |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, PLAIN));
    members.iter().map(member).collect::<Vec<_>>().join("&")
}

/// A line to the house. It is opened by the first question.
pub(crate) struct Line<'a> {
    config: &'a Config,
    end: Option<End>,
}

/// Who answers.
enum End {
    /// The running server.
    Server(SendRequest<Full<Bytes>>),
    /// This process: it has opened the store.
    Here(Router, Store),
}

impl<'a> Line<'a> {
    pub(crate) const fn to(config: &'a Config) -> Self {
        Self { config, end: None }
    }

    /// Asks for `path` below `/api/v1`, with its query.
    ///
    /// # Errors
    /// Where there is no answer; what the house refuses is an outcome.
    pub(crate) async fn ask(&mut self, method: Method, path: &str, content: Content) -> Result<Outcome> {
        let (status, octets) = self.answer(method, path, content).await?;
        let body = if octets.is_empty() { Value::Null } else { understood(&octets)? };
        Ok(if status.is_success() { Ok(body) } else { Err(Problem(body)) })
    }

    /// Asks for a file of plain text.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub(crate) async fn text(&mut self, path: &str) -> Result<Result<String, Problem>> {
        let (status, octets) = self.answer(Method::GET, path, Content::Nothing).await?;
        Ok(if status.is_success() {
            Ok(String::from_utf8_lossy(&octets).into_owned())
        } else {
            Err(Problem(understood(&octets)?))
        })
    }

    /// Asks for what is neither JSON nor text.
    ///
    /// # Errors
    /// As [`Line::ask`].
    pub(crate) async fn octets(&mut self, path: &str) -> Result<Result<Bytes, Problem>> {
        let (status, octets) = self.answer(Method::GET, path, Content::Nothing).await?;
        Ok(if status.is_success() { Ok(octets) } else { Err(Problem(understood(&octets)?)) })
    }

    async fn answer(&mut self, method: Method, path: &str, content: Content) -> Result<(StatusCode, Bytes)> {
        let (kind, octets) = content.into_octets();
        let path = path.strip_prefix(PREFIX).unwrap_or(path);
        let request = Request::builder().method(method).uri(format!("{PREFIX}{path}"));
        let request = request.header(header::HOST, "localhost").header(header::ACCEPT_LANGUAGE, "en");
        let request = match kind {
            Some(kind) => request.header(header::CONTENT_TYPE, kind),
            None => request,
        };
        let request = request.body(Full::new(octets)).with_context(|| format!("{path} is no path"))?;
        let answered = timeout(ANSWER_TIMEOUT, self.exchange(request)).await;
        answered.context("the server gave no answer in time")?
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        let end = match self.end.take() {
            Some(end) => end,
            None => End::open(self.config).await?,
        };
        match self.end.insert(end) {
            End::Server(server) => {
                // The answer before may have been read while the connection still puts itself in order.
                server.ready().await.context("the server broke off")?;
                let response = server.send_request(request).await.context("the server broke off")?;
                Ok((
                    response.status(),
                    response.into_body().collect().await.context("the server broke off")?.to_bytes(),
                ))
            }
            End::Here(router, _) => {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(Peer::Host);
                let response = router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
                Ok((response.status(), response.into_body().collect().await?.to_bytes()))
            }
        }
    }

    /// Lets go of the store, where this process has opened it.
    pub(crate) async fn close(self) {
        if let Some(End::Here(_, store)) = self.end {
            store.close().await;
        }
    }
}

impl End {
    async fn open(config: &Config) -> Result<Self> {
        let socket = config.control_socket();
        match UnixStream::connect(&socket).await {
            Ok(stream) => {
                let (server, connection) = handshake(TokioIo::new(stream)).await?;
                // It ends with this process, or when the server closes.
                TaskTracker::new().spawn(async move {
                    if let Err(error) = connection.await {
                        debug!(%error, "the connection to the server ended early");
                    }
                });
                Ok(Self::Server(server))
            }
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) =>
            {
                Self::here(config).await
            }
            Err(error) => Err(error).with_context(|| format!("cannot speak to the server at {}", socket.display())),
        }
    }

    async fn here(config: &Config) -> Result<Self> {
        let store = server::open_store(config, Arc::new(SystemClock)).await?;
        store.start_settings_from(config.settings()).await?;
        let login = Arc::new(Login::new(store.clone(), Arc::new(SystemClock), &SystemRandom));
        let access = server::open_access(config, &store, &login).await?;
        let service = Service::new(store.clone(), login).with_dns(quiet_house(config));
        let web = Web::new(service, access, server::place(config), Arc::new(SystemClock));
        Ok(Self::Here(web.router(), store))
    }
}

fn understood(octets: &[u8]) -> Result<Value> {
    serde_json::from_slice(octets).context("the answer is not understood: is it another version?")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_letter_fits_into_a_path() {
        assert_eq!(path(&["people", "j/ö@x.example"]), "/people/j%2F%C3%B6%40x.example");
        assert_eq!(query(&[("sender", "<>"), ("limit", "5")]), "sender=%3C%3E&limit=5");
    }

    #[test]
    fn problems_are_told_in_sentences() {
        let check = |document: Value, expected: &str| assert_eq!(Problem(document).to_string(), expected);
        check(json!({"title": "Not here", "detail": "Nothing of x is here."}), "Nothing of x is here.");
        let errors = json!([{"field": "domain", "detail": "No."}, {"field": "", "detail": "Neither."}]);
        check(json!({"title": "Unfit", "detail": "No. Neither.", "errors": errors}), "domain: No. Neither.");
        check(json!({"title": "Fault"}), "Fault");
    }
}
