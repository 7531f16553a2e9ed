//! What a request brings: query, body, the version that it means. Each is read strictly, and documents itself.

use std::fmt;
use std::marker::PhantomData;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_TYPE, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

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
            return Err(Problem::NoText);
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
        text.map(Self).ok_or(Problem::NoText)
    }
}

/// A file of vCards (RFC 6350) in UTF-8.
#[derive(Debug)]
pub(crate) struct Cards(pub(crate) String);

/// The type of [`Cards`], on their way in and out (RFC 6350 §10.1).
pub(crate) const VCARD: &str = "text/vcard";

impl FromRequest<Web> for Cards {
    type Rejection = Problem;

    async fn from_request(request: Request, _web: &Web) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        if kind(&parts.headers) != VCARD {
            return Err(Problem::Type(VCARD));
        }
        let octets = read(body, FILE_OCTETS).await?;
        let text = String::from_utf8(octets.into());
        let text = text.ok().filter(|text| !text.contains('\0'));
        text.map(Self).ok_or(Problem::NoText)
    }
}

/// A message (RFC 5322), octet by octet.
#[derive(Debug)]
pub(crate) struct Letter(pub(crate) Bytes);

impl FromRequest<Web> for Letter {
    type Rejection = Problem;

    async fn from_request(request: Request, _web: &Web) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        if kind(&parts.headers) != "message/rfc822" {
            return Err(Problem::Type("message/rfc822"));
        }
        read(body, FILE_OCTETS).await.map(Self)
    }
}

/// Messages in a row: for each a line of JSON, then its octets.
#[derive(Debug)]
pub(crate) struct Parcels(pub(crate) Bytes);

/// The type of [`Parcels`], on their way in and out.
pub(crate) const PARCELS: &str = "application/vnd.relais.messages";

impl FromRequest<Web> for Parcels {
    type Rejection = Problem;

    async fn from_request(request: Request, _web: &Web) -> Answer<Self> {
        let (parts, body) = request.into_parts();
        if kind(&parts.headers) != PARCELS {
            return Err(Problem::Type(PARCELS));
        }
        read(body, relais_service::PIECE_OCTETS).await.map(Self)
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
        if value == "*" {
            return Ok(Self(None));
        }
        // A weak one never matches (§13.1.1), an empty list names nothing (§5.6.1.2): no version has that mark.
        let version = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        match version {
            Some(version) if !version.contains('"') => Ok(Self(Some(version.to_owned()))),
            None if value.is_empty() || value.starts_with("W/\"") => Ok(Self(Some(String::new()))),
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
        return Err(Problem::NoText);
    }
    if octets.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
        let why = "an object is wanted, not a list".to_owned();
        return Err(Problem::Body { why, line: 0, column: 0 });
    }
    serde_json::from_slice(&with_integers(octets)).map_err(|error| Problem::Body {
        line: error.line(),
        column: error.column(),
        why: error.to_string(),
    })
}

/// The same JSON, where a number's fraction of zeros is blank: JSON knows one kind of number (RFC 8259 §6), so that 5.0 is an integer, though
/// serde reads it as none. Everything keeps its place, which an error tells.
fn with_integers(json: &[u8]) -> Vec<u8> {
    let mut json = json.to_vec();
    let (mut is_text, mut is_escaped) = (false, false);
    let is_of_number = |octet: u8| octet.is_ascii_digit() || matches!(octet, b'.' | b'-' | b'+' | b'e' | b'E');
    for run in json.chunk_by_mut(|one, next| is_of_number(*one) == is_of_number(*next)) {
        if !is_text {
            blank_zeros(run);
        }
        for octet in &*run {
            is_text ^= *octet == b'"' && !is_escaped;
            is_escaped = is_text && !is_escaped && *octet == b'\\';
        }
    }
    json
}

fn blank_zeros(number: &mut [u8]) {
    let Some(point) = number.iter().position(|octet| *octet == b'.') else { return };
    let (whole, fraction) = number.split_at_mut(point);
    let digits = whole.strip_prefix(b"-").unwrap_or(whole);
    let is_whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if is_whole && fraction.len() > 1 && fraction.iter().skip(1).all(|octet| *octet == b'0') {
        fraction.fill(b' ');
    }
}

/// An object that stands in a body, or none. Serde would take a list for it, too, its members in their order: an empty one for all of them
/// left out.
///
/// # Errors
/// For what is no object.
pub(crate) fn object<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Members<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members)).map(Some)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Members(PhantomData))
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
    fn an_integer_may_be_written_with_a_point() {
        let parsed = |json: &str| parse::<Vec<u64>>(json.as_bytes()).ok();
        assert_eq!(parsed("[5.0]"), None, "a list is no body");
        let parsed = |json: &str| parse::<std::collections::BTreeMap<String, u64>>(json.as_bytes()).ok();
        for (json, expected) in [
            (r#"{"a":5.0}"#, Some(5)),
            (r#"{"a": 500.000 }"#, Some(500)),
            (r#"{"a":9007199254740993}"#, Some(9_007_199_254_740_993)),
            (r#"{"a":5.5}"#, None),
            (r#"{"a":5.05}"#, None),
            (r#"{"a":-5.0}"#, None),
            (r#"{"a":5.}"#, None),
            (r#"{"a":.0}"#, None),
            (r#"{"a":5.0.0}"#, None),
            (r#"{"a":5 .0}"#, None),
            (r#"{"a":5.0e1}"#, None),
        ] {
            assert_eq!(parsed(json).and_then(|body| body.get("a").copied()), expected, "{json}");
        }
        let text = r#"{"a":"1.0 \" 2.0","b\\":3.0}"#;
        assert_eq!(with_integers(text.as_bytes()), br#"{"a":"1.0 \" 2.0","b\\":3  }"#);
    }

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
