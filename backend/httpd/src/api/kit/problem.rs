//! What a request could not get, as a problem document (RFC 9457): the same shape for whatever goes wrong.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use relais_service::{Complaint, Failure, Gap, Scope, Text};
use relais_words::Language;
use serde::Serialize;

use super::PREFIX;
use crate::kit;

/// Its content type (RFC 9457 §6.1).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not done. It travels in the response's extensions to `finish`, which knows the language.
#[derive(Debug, Clone)]
pub(crate) enum Problem {
    /// What the service says.
    Failure(Failure),
    /// Nobody asks: no key was shown (RFC 6750 §3.1: then no error code is given).
    NoKey,
    /// The key opens nothing.
    BadKey,
    /// The key is for other things.
    Scope(Scope),
    /// No operation has this path.
    NotFound,
    /// The path's operations have other methods.
    Method,
    /// The query is not what the operation takes; why, in serde's words.
    Query(String),
    /// The body is no JSON, or not what the operation takes.
    Body { why: String, line: usize, column: usize },
    /// The body is of another type.
    Type(&'static str),
    /// So many octets, at most.
    TooLarge(usize),
    /// A header's value is not what it may be.
    Header(&'static str),
    /// The query or the body holds what no text here may hold: NUL, or octets that are no UTF-8.
    NoText,
    /// The Idempotency-Key came with another request before.
    KeyReused,
    /// The request of this Idempotency-Key is being done now.
    InProgress,
    /// A fault of ours.
    Fault,
}

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Problem>;

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Each kind of problem with its status; the last part of its `type`.
pub(crate) const KINDS: [(&str, StatusCode); 21] = [
    ("unfit", StatusCode::UNPROCESSABLE_ENTITY),
    ("clash", StatusCode::CONFLICT),
    ("absent", StatusCode::NOT_FOUND),
    ("forbidden", StatusCode::FORBIDDEN),
    ("stale", StatusCode::PRECONDITION_FAILED),
    ("unproven", StatusCode::FORBIDDEN),
    ("too-many", StatusCode::TOO_MANY_REQUESTS),
    ("failed", StatusCode::SERVICE_UNAVAILABLE),
    ("no-key", StatusCode::UNAUTHORIZED),
    ("bad-key", StatusCode::UNAUTHORIZED),
    ("scope", StatusCode::FORBIDDEN),
    ("not-found", StatusCode::NOT_FOUND),
    ("method", StatusCode::METHOD_NOT_ALLOWED),
    ("query", StatusCode::BAD_REQUEST),
    ("body", StatusCode::BAD_REQUEST),
    ("type", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("too-large", StatusCode::PAYLOAD_TOO_LARGE),
    ("header", StatusCode::BAD_REQUEST),
    ("no-text", StatusCode::UNPROCESSABLE_ENTITY),
    ("key-reused", StatusCode::UNPROCESSABLE_ENTITY),
    ("in-progress", StatusCode::CONFLICT),
];

/// A kind that only a fault of ours has.
const FAULT: (&str, StatusCode) = ("fault", StatusCode::INTERNAL_SERVER_ERROR);

/// The document (RFC 9457 §3.1), with our members after the standard's.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument {
    /// Names the kind of problem; a page of the reference explains it.
    #[schema(example = "/api/v1/problems/unfit", format = "uri-reference")]
    r#type: String,
    /// The kind, in words.
    title: String,
    /// The status code.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// This very problem, in words: what is wrong and what to do.
    detail: String,
    /// What is wrong with each field, where fields are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// Where in the body reading ended, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    line: Option<usize>,
    /// Where in that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    column: Option<usize>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FieldError {
    /// The field's name; empty where it is about the whole.
    field: &'static str,
    /// What is wrong and what to do.
    detail: String,
    /// Where in a field of several lines, from one; null where that isn't said.
    line: Option<i64>,
    /// The character in that line, from one.
    column: Option<i64>,
}

impl FieldError {
    fn of(language: Language, Complaint { field, why }: &Complaint) -> Self {
        let place = |name: &str| {
            why.gaps.iter().find(|(gap, _)| gap == name).and_then(|(_, filling)| match filling {
                Gap::Number(number) => Some(*number),
                Gap::Words(_) => None,
            })
        };
        Self { field, detail: kit::tell(language, why), line: place("line"), column: place("column") }
    }
}

impl Problem {
    /// Its kind: name and status.
    pub(crate) fn kind(&self) -> (&'static str, StatusCode) {
        let name = match self {
            Self::Failure(Failure::Unfit(_)) => "unfit",
            Self::Failure(Failure::Clash(_)) => "clash",
            Self::Failure(Failure::Absent(_)) => "absent",
            Self::Failure(Failure::Forbidden(_)) => "forbidden",
            Self::Failure(Failure::Stale(_)) => "stale",
            Self::Failure(Failure::Unproven) => "unproven",
            Self::Failure(Failure::TooMany { .. }) => "too-many",
            Self::Failure(Failure::Failed) => "failed",
            Self::NoKey => "no-key",
            Self::BadKey => "bad-key",
            Self::Scope(_) => "scope",
            Self::NotFound => "not-found",
            Self::Method => "method",
            Self::Query(_) => "query",
            Self::Body { .. } => "body",
            Self::Type(_) => "type",
            Self::TooLarge(_) => "too-large",
            Self::Header(_) => "header",
            Self::NoText => "no-text",
            Self::KeyReused => "key-reused",
            Self::InProgress => "in-progress",
            Self::Fault => return FAULT,
        };
        KINDS.into_iter().find(|(known, _)| *known == name).unwrap_or(FAULT)
    }

    /// What it says in a sentence, or in some.
    fn detail(&self) -> Vec<Text> {
        let text = match self {
            Self::Failure(failure) => return kit::sentences(failure),
            Self::NoKey => Text::new("problem-no-key-detail"),
            Self::BadKey => Text::new("problem-bad-key-detail"),
            Self::Scope(scope) => Text::new("problem-scope-detail").with("scope", scope.to_string()),
            Self::NotFound => Text::new("problem-not-found-detail"),
            Self::Method => Text::new("problem-method-detail"),
            Self::Query(why) => Text::new("problem-query-detail").with("why", why.as_str()),
            Self::Body { why, .. } => Text::new("problem-body-detail").with("why", why.as_str()),
            Self::Type(wanted) => Text::new("problem-type-detail").with("wanted", *wanted),
            Self::TooLarge(octets) => Text::new("problem-too-large-detail").with("mebibytes", octets >> 20),
            Self::Header(name) => Text::new("problem-header-detail").with("name", *name),
            Self::NoText => Text::new("problem-no-text-detail"),
            Self::KeyReused => Text::new("problem-key-reused-detail"),
            Self::InProgress => Text::new("problem-in-progress-detail"),
            Self::Fault => Text::new("problem-fault-detail"),
        };
        vec![text]
    }

    /// The answer in `language`.
    pub(crate) fn answer(&self, language: Language) -> Response {
        let (name, status) = self.kind();
        let complaints: &[Complaint] = match self {
            Self::Failure(Failure::Unfit(complaints)) => complaints,
            Self::Failure(Failure::Clash(complaint)) => std::slice::from_ref(complaint),
            _ => &[],
        };
        let place = match self {
            Self::Body { line, column, .. } if *line > 0 => Some((*line, *column)),
            _ => None,
        };
        let document = ProblemDocument {
            r#type: format!("{PREFIX}/problems/{name}"),
            title: language.say(&format!("problem-{name}"), []),
            status: status.as_u16(),
            detail: self.detail().iter().map(|text| kit::tell(language, text)).collect::<Vec<_>>().join(" "),
            errors: complaints.iter().map(|complaint| FieldError::of(language, complaint)).collect(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Self::Failure(Failure::TooMany { retry_after }) = self {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        }
        response
    }

    /// RFC 6750 §3.
    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::NoKey => Some(HeaderValue::from_static("Bearer realm=\"relais\"")),
            Self::BadKey => Some(HeaderValue::from_static("Bearer realm=\"relais\", error=\"invalid_token\"")),
            Self::Scope(scope) => {
                let text = format!("Bearer realm=\"relais\", error=\"insufficient_scope\", scope=\"{scope}\"");
                HeaderValue::from_str(&text).ok()
            }
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind().1.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
