//! What an operation answers with. It travels in the response's extensions to `finish`, which knows the language, and past `once`, which
//! remembers it.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use relais_service::{Failure, MAX_ANSWER_OCTETS, Rows, Text};
use relais_words::Language;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Problem;
use crate::kit;

/// An answer before its sentences are said.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Reply {
    status: u16,
    body: Option<Value>,
    etag: Option<String>,
    location: Option<String>,
    /// Names the next page.
    #[serde(skip)]
    next: Option<String>,
    /// A member of the body that is shown once: it is not remembered.
    #[serde(skip)]
    secret: Option<&'static str>,
    /// It was remembered.
    #[serde(skip)]
    pub(crate) is_replayed: bool,
}

/// One thing, with its version as `ETag`.
#[derive(Debug)]
pub(crate) struct One<T>(pub(crate) T);

/// Something that is looked at, without a version.
#[derive(Debug)]
pub(crate) struct Seen<T>(pub(crate) T);

/// What was done because all stood as the caller had seen it; else it is refused as stale (412).
#[derive(Debug)]
pub(crate) struct IfUnchanged<T>(pub(crate) T);

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Many<T>(pub(crate) Rows<T>);

/// Something new: 201, with where it is.
#[derive(Debug)]
pub(crate) struct Made<T> {
    /// Its path.
    pub(crate) at: String,
    pub(crate) body: T,
}

/// Something that holds a secret, which is shown now and never again: the member of this name.
#[derive(Debug)]
pub(crate) struct ShownOnce<T> {
    pub(crate) secret: &'static str,
    pub(crate) body: T,
}

/// A file of plain text, the same in every language.
#[derive(Debug)]
pub(crate) struct Plain(pub(crate) String);

/// A file of vCards, as [`super::ask::Cards`] are.
#[derive(Debug)]
pub(crate) struct CardFile(pub(crate) String);

/// Messages in a row, as [`super::ask::Parcels`] are.
#[derive(Debug)]
pub(crate) struct Row(pub(crate) Vec<u8>);

/// A message, octet by octet, as [`super::ask::Letter`] is.
#[derive(Debug)]
pub(crate) struct Whole(pub(crate) Vec<u8>);

/// It is done, and there is nothing to say: 204.
#[derive(Debug)]
pub(crate) struct Done;

impl Reply {
    fn of(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_value(body).unwrap_or_default();
        Self { status: status.as_u16(), body: Some(body), ..Self::default() }
    }

    fn with_etag(mut self) -> Self {
        let version = self.body.as_ref().and_then(|body| body.get("version")).and_then(Value::as_str);
        self.etag = version.map(|version| format!("\"{version}\""));
        self
    }

    /// As it may be remembered: without what is shown once, and without a body that is too long.
    pub(crate) fn to_remember(&self) -> String {
        let mut kept = self.clone();
        if let Some(secret) = self.secret
            && let Some(member) = kept.body.as_mut().and_then(|body| body.get_mut(secret))
        {
            *member = Value::Null;
        }
        let text = serde_json::to_string(&kept).unwrap_or_default();
        if text.len() <= MAX_ANSWER_OCTETS {
            return text;
        }
        // That it was done is remembered in any case.
        serde_json::to_string(&Self { body: None, ..kept }).unwrap_or_default()
    }

    /// What was remembered.
    ///
    /// # Errors
    /// [`Failure::Failed`].
    pub(crate) fn remembered(text: &str) -> Result<Self, Failure> {
        let reply: Self = serde_json::from_str(text).map_err(|error| {
            tracing::error!(%error, "an answer that was remembered can't be read");
            Failure::Failed
        })?;
        Ok(Self { is_replayed: true, ..reply })
    }

    /// The answer to a request of `method` for `path`, in `language`.
    pub(crate) fn answer(mut self, language: Language, asked: &Asked) -> Response {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if self.is_replayed {
            headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        let text = |text: &str| HeaderValue::from_str(text).ok();
        if let Some(location) = self.location.as_deref().and_then(text) {
            headers.insert(header::LOCATION, location);
        }
        if let Some(next) = self.next.as_deref().and_then(|next| text(&asked.link_to(next))) {
            headers.insert(header::LINK, next);
        }
        if let Some(etag) = self.etag.as_deref() {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Authorization"));
            if let Some(etag) = text(etag) {
                headers.insert(header::ETAG, etag);
            }
            if asked.has_read(etag) {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                return response;
            }
        }
        if let Some(body) = self.body.as_mut() {
            say(language, body);
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = serde_json::to_vec(body).unwrap_or_default().into();
        }
        response
    }
}

/// What of the request the answer depends on.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    /// If-None-Match.
    pub(crate) read: Option<String>,
}

impl Asked {
    /// RFC 9110 §13.1.2: compared weakly.
    fn has_read(&self, etag: &str) -> bool {
        let is_look = self.method == Method::GET || self.method == Method::HEAD;
        let listed = |read: &str| read.split(',').any(|one| one.trim().trim_start_matches("W/") == etag);
        is_look && self.read.as_deref().is_some_and(|read| read.trim() == "*" || listed(read))
    }

    /// RFC 8288: the same list, further on.
    fn link_to(&self, next: &str) -> String {
        let pairs: Vec<(String, String)> = serde_html_form::from_str(&self.query).unwrap_or_default();
        let others = pairs.into_iter().filter(|(name, _)| name != "after");
        let pairs: Vec<_> = others.chain([("after".to_owned(), next.to_owned())]).collect();
        format!("<{}?{}>; rel=\"next\"", self.path, kit::query(&pairs))
    }
}

/// Says each [`Text`] in the body: what stands there as its name and its gaps becomes a sentence.
fn say(language: Language, value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| say(language, value)),
        Value::Object(members) if members.len() == 2 && members.contains_key("id") && members.contains_key("gaps") => {
            if let Ok(text) = serde_json::from_value::<Text>(value.clone()) {
                *value = Value::String(kit::tell(language, &text));
            }
        }
        Value::Object(members) => members.values_mut().for_each(|value| say(language, value)),
        _ => {}
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = StatusCode::OK.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl<T: Serialize> IntoResponse for One<T> {
    fn into_response(self) -> Response {
        Reply::of(StatusCode::OK, &self.0).with_etag().into_response()
    }
}

impl<T: Serialize> IntoResponse for Seen<T> {
    fn into_response(self) -> Response {
        Reply::of(StatusCode::OK, &self.0).into_response()
    }
}

impl<T: Serialize> IntoResponse for IfUnchanged<T> {
    fn into_response(self) -> Response {
        Seen(self.0).into_response()
    }
}

impl<T: Serialize> IntoResponse for Many<T> {
    fn into_response(self) -> Response {
        let next = self.0.next.clone();
        Reply { next, ..Reply::of(StatusCode::OK, &self.0) }.into_response()
    }
}

impl<T: Serialize> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        let reply = Reply::of(StatusCode::CREATED, &self.body).with_etag();
        Reply { location: Some(self.at), ..reply }.into_response()
    }
}

impl<T: Serialize> IntoResponse for ShownOnce<T> {
    fn into_response(self) -> Response {
        Reply { secret: Some(self.secret), ..Reply::of(StatusCode::CREATED, &self.body) }.into_response()
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        Reply { status: StatusCode::NO_CONTENT.as_u16(), ..Reply::default() }.into_response()
    }
}

impl IntoResponse for Plain {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], self.0).into_response()
    }
}

impl IntoResponse for CardFile {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/vcard; charset=utf-8")], self.0).into_response()
    }
}

impl IntoResponse for Row {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, super::ask::PARCELS)], self.0).into_response()
    }
}

impl IntoResponse for Whole {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "message/rfc822")], self.0).into_response()
    }
}

/// What axum and tower answer of themselves, as a problem; none where the answer is whole.
pub(crate) fn bare(response: &Response) -> Option<Problem> {
    match response.status() {
        StatusCode::NOT_FOUND => Some(Problem::NotFound),
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem::Method),
        StatusCode::PAYLOAD_TOO_LARGE => Some(Problem::TooLarge(super::ask::BODY_OCTETS)),
        status if status.is_client_error() => Some(Problem::NotFound),
        StatusCode::INTERNAL_SERVER_ERROR => Some(Problem::Fault),
        status if status.is_server_error() => Some(Failure::Failed.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(query: &str, read: Option<&str>) -> Asked {
        let (path, query) = ("/api/v1/people".to_owned(), query.to_owned());
        Asked { method: Method::GET, path, query, read: read.map(str::to_owned) }
    }

    #[test]
    fn the_next_page_keeps_the_filters() {
        let link = asked("search=a+b&after=x&limit=2", None).link_to("ann@example.org");
        assert_eq!(link, "</api/v1/people?search=a+b&limit=2&after=ann%40example.org>; rel=\"next\"");
    }

    #[test]
    fn what_was_read_is_known_by_its_etag() {
        for (read, expected) in
            [("\"7\"", true), ("W/\"7\"", true), ("\"6\", \"7\"", true), ("*", true), ("\"6\"", false)]
        {
            assert_eq!(asked("", Some(read)).has_read("\"7\""), expected, "{read}");
        }
        assert!(!asked("", None).has_read("\"7\""));
    }

    #[test]
    fn what_is_shown_once_is_not_remembered() {
        let body = json!({ "name": "backup", "key": "relais_x" });
        let reply = Reply { secret: Some("key"), ..Reply::of(StatusCode::CREATED, &body) };
        let again = Reply::remembered(&reply.to_remember()).unwrap();
        assert_eq!((again.status, again.body.unwrap()), (201, json!({ "name": "backup", "key": null })));
    }

    #[test]
    fn sentences_are_said() {
        let mut body = json!({ "says": { "id": "count-people", "gaps": [["count", 2]] }, "rows": [{ "id": "x" }] });
        say(Language::English, &mut body);
        assert_eq!(body, json!({ "says": "2 people", "rows": [{ "id": "x" }] }));
    }
}
