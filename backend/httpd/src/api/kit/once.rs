//! A POST that is sent twice is done once (draft-ietf-httpapi-idempotency-key-header): who sends an Idempotency-Key gets the same answer
//! for a day.
//!
//! What is remembered belongs to the key that asked. What failed is not remembered, for it changed nothing: it may be tried again under
//! the same name. Through the control socket, where no connection breaks off, the header is not looked at.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use relais_service::{Actor, Failure, OnceKey, Seen};
use tokio_util::task::TaskTracker;

use super::ask::{FILE_OCTETS, read};
use super::caller::Asker;
use super::reply::Reply;
use super::{Answer, Problem};
use crate::Web;

/// The header's name.
pub(crate) const HEADER: &str = "idempotency-key";
/// Octets of its value, at most.
const MAX_VALUE: usize = 255;

/// Where what is being done is done to its end.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    web: Web,
    tasks: TaskTracker,
}

impl Desk {
    pub(crate) fn new(web: &Web) -> Self {
        Self { web: web.clone(), tasks: TaskTracker::new() }
    }
}

/// Stands around each POST.
pub(crate) async fn once(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    match attempt(&desk, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn attempt(desk: &Desk, request: Request, next: Next) -> Answer<Response> {
    let asker = request.extensions().get::<Asker>().cloned();
    let Some((actor, seal)) = asker.and_then(|asker| Some((asker.actor, asker.key?.seal))) else {
        return Ok(next.run(request).await);
    };
    let Some(name) = name(request.headers())? else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let octets = read(body, FILE_OCTETS).await?;
    let once = OnceKey {
        // Sealed with the API key, which nobody keeps: bodies hold passwords, and a plain hash of one could be guessed at.
        name: *blake3::keyed_hash(&seal, name.as_bytes()).as_bytes(),
        request: *blake3::Hasher::new_keyed(&seal)
            .update(parts.uri.to_string().as_bytes())
            .update(&[0])
            .update(&octets)
            .finalize()
            .as_bytes(),
    };
    match desk.web.service().begin_once(&actor, &once).await? {
        Seen::Never => {}
        Seen::Done(answer) => return Ok(Reply::remembered(&answer)?.into_response()),
        Seen::Other => return Err(Problem::KeyReused),
        Seen::UnderWay => return Err(Problem::InProgress),
    }
    // In a task of its own: who hangs up does not leave the note of it half written.
    let (web, request) = (desk.web.clone(), Request::from_parts(parts, Body::from(octets)));
    let done = desk.tasks.spawn(async move {
        let response = next.run(request).await;
        let answer = response.extensions().get::<Reply>().map(Reply::to_remember);
        settle(&web, &actor, &once, answer).await;
        response
    });
    done.await.map_err(|_| Problem::Fault)
}

/// Remembers what was done, and forgets what was not.
async fn settle(web: &Web, actor: &Actor, once: &OnceKey, answer: Option<String>) {
    let settled: Result<(), Failure> = match answer {
        Some(answer) => web.service().remember_once(actor, once, answer).await,
        None => web.service().forget_once(actor, once).await,
    };
    if settled.is_err() {
        tracing::warn!("what an Idempotency-Key did was not noted: asked again, it is said to be under way");
    }
}

/// The key: as a string of structured fields (RFC 9651), or as it is.
fn name(headers: &HeaderMap) -> Answer<Option<String>> {
    let bad = || Problem::Header("Idempotency-Key");
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let value = value.to_str().map_err(|_| bad())?.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let is_told = value.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"');
    let is_fit = !value.is_empty() && value.len() <= MAX_VALUE && is_told && values.next().is_none();
    if is_fit { Ok(Some(value.to_owned())) } else { Err(bad()) }
}
