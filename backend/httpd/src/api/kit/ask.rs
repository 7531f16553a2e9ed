//! What a request brings: query, body, the version that it means. Each is read strictly, and documents itself.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_TYPE, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{Answer, Problem};
use crate::Web;

/// Octets of a JSON body, at most.
pub(crate) const BODY_OCTETS: usize = 1 << 20;
/// Octets of a file, at most.
pub(crate) const FILE_OCTETS: usize = 16 << 20;

/// Rows of one page of a list, at most.
pub(crate) const MAX_ROWS: u32 = 200;

/// The fields of the query. One that is not known, or stands twice, is refused.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Web> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Answer<Self> {
        let query = parts.uri.query().unwrap_or_default();
        // No text of a database may hold it, and no name has it.
        if query.contains("%00") {
            return Err(Problem::Query("NUL".to_owned()));
        }
        let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
        for (_, limit) in pairs.iter().filter(|(name, _)| name == "limit") {
            if !limit.parse().is_ok_and(|limit: u32| (1..=MAX_ROWS).contains(&limit)) {
                return Err(Problem::Query(format!("limit: 1–{MAX_ROWS}")));
            }
        }
        serde_html_form::from_str(query).map(Self).map_err(|error| Problem::Query(error.to_string()))
    }
}

/// A JSON body; for PATCH it is a merge patch (RFC 7396): what is absent stays, what is null is cleared.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Web> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _web: &Web) -> Answer<Self> {
        let is_patch = request.method() == Method::PATCH;
        let (parts, body) = request.into_parts();
        match kind(&parts.headers).as_str() {
            "application/json" => {}
            "application/merge-patch+json" if is_patch => {}
            _ => return Err(Problem::Type("application/json")),
        }
        parse(&read(body, BODY_OCTETS).await?).map(Self)
    }
}

/// A CSV file (RFC 4180) in UTF-8.
#[derive(Debug)]
pub(crate) struct Csv(pub(crate) String);

impl FromRequest<Web> for Csv {
    type Rejection = Problem;

    async fn from_request(request: Request, _web: &Web) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        if kind(&parts.headers) != "text/csv" {
            return Err(Problem::Type("text/csv"));
        }
        let octets = read(body, FILE_OCTETS).await?;
        let text = String::from_utf8(octets.into());
        let text = text.ok().filter(|text| !text.contains('\0'));
        text.map(Self).ok_or_else(|| unreadable("UTF-8".to_owned()))
    }
}

/// The version that a change is meant for (RFC 9110 §13.1.1): the `ETag` of what was read. None: whatever is there.
#[derive(Debug)]
pub(crate) struct IfMatch(Option<String>);

impl IfMatch {
    /// As the service takes it.
    pub(crate) fn version(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl FromRequestParts<Web> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Answer<Self> {
        let mut values = parts.headers.get_all(IF_MATCH).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return if parts.headers.contains_key(IF_MATCH) {
                Err(Problem::Header("If-Match"))
            } else {
                Ok(Self(None))
            };
        };
        let value = value.to_str().map_err(|_| Problem::Header("If-Match"))?.trim();
        // An empty list names nothing (§5.6.1.2).
        if value == "*" || value.is_empty() {
            return Ok(Self(None));
        }
        // A weak one never matches (§13.1.1): no version has its mark.
        let version = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        match version {
            Some(version) if !version.contains('"') => Ok(Self(Some(version.to_owned()))),
            None if value.starts_with("W/\"") => Ok(Self(Some(String::new()))),
            _ => Err(Problem::Header("If-Match")),
        }
    }
}

/// The media type, without its parameters, in small letters.
fn kind(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// All of a body, up to `most` octets.
///
/// # Errors
/// [`Problem::TooLarge`].
pub(crate) async fn read(body: Body, most: usize) -> Answer<Bytes> {
    to_bytes(body, most).await.map_err(|_| Problem::TooLarge(most))
}

fn parse<T: DeserializeOwned>(octets: &[u8]) -> Answer<T> {
    if holds_nul(octets) {
        return Err(unreadable("NUL".to_owned()));
    }
    // Serde would take a list for an object, its members in their order.
    if octets.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
        return Err(unreadable("an object is wanted, not a list".to_owned()));
    }
    serde_json::from_slice(octets).map_err(|error| Problem::Body {
        line: error.line(),
        column: error.column(),
        why: error.to_string(),
    })
}

fn unreadable(why: String) -> Problem {
    Problem::Body { why, line: 0, column: 0 }
}

/// Whether a string of the JSON holds U+0000, which no text of a database may.
fn holds_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|octet| *octet == b'\\') {
        let escape = rest.get(at + 1..).unwrap_or_default();
        if escape.starts_with(b"u0000") {
            return true;
        }
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_found_and_what_only_looks_like_it_is_not() {
        for (json, expected) in [
            (r#"{"a":"\u0000"}"#, true),
            (r#"{"a":"x\\\u0000"}"#, true),
            (r#"{"a":"\\u0000"}"#, false),
            (r#"{"a":"u0000"}"#, false),
            (r#"{"a":"\"#, false),
        ] {
            assert_eq!(holds_nul(json.as_bytes()), expected, "{json}");
        }
    }
}
