//! How programs find the house by an address or a domain alone: answers for anybody, without sign-in, session or cookie.
//!
//! - `mozilla`: Thunderbird and those who read its file. `autodiscover`: Outlook and those who ask as it does; `pox`: what they ask.
//! - `mta_sts`: the policy for other mail hosts. `apple`: the profile of Apple's programs; `seal`: its signature.
//!
//! # Invariants
//! - No answer tells whether somebody has an address: it depends on the domain, which the DNS tells anybody.
//! - Nothing is kept from one request to the next, and of a request a few kilobytes are read at most.

mod apple;
mod autodiscover;
mod mozilla;
mod mta_sts;
mod pox;
mod seal;

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Router, middleware};
use relais_model::Domain;
use relais_service::Failure;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::kit::{self, Routes};
use crate::{Web, path};

pub(crate) use apple::{profile, profile_ports};
pub use seal::ProfileSigner;

/// Octets of a request's body, at most: what Outlook asks takes 400.
const REQUEST_OCTETS: usize = 16 * 1024;
/// From a request's first octet to its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// All of it.
pub(crate) fn router(web: &Web) -> Router {
    let (router, ..) = routes().finish();
    router
        .layer(RequestBodyLimitLayer::new(REQUEST_OCTETS))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PATIENCE))
        .with_state(web.clone())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(kit::headers))
}

/// Every route of it.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .get(path::MOZILLA, mozilla::of_host)
        .get(path::MOZILLA_WELL_KNOWN, mozilla::of_domain)
        .get(path::AUTODISCOVER, autodiscover::nothing_asked)
        .post(path::AUTODISCOVER, autodiscover::settings)
        .get(path::AUTODISCOVER_JSON, autodiscover::way_by_query)
        .get(path::AUTODISCOVER_JSON_OF, autodiscover::way)
        .get(path::MTA_STS, mta_sts::policy)
}

/// Programs spell Autodiscover's paths in any case: they are taken as if in lower case, the others as they are.
pub(crate) fn fold_case(mut request: Request) -> Request {
    let path = request.uri().path();
    let is_theirs =
        path.get(.."/autodiscover/".len()).is_some_and(|start| start.eq_ignore_ascii_case("/autodiscover/"));
    if !is_theirs {
        return request;
    }
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(format!("{}{query}", path.to_ascii_lowercase())).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

/// The name by which we were asked, without a port: HTTP/2's authority, or the Host field (RFC 9110 §7.2).
#[derive(Debug)]
struct Asked(Option<Domain>);

impl Asked {
    /// The domain whose host `label`.DOMAIN was asked.
    fn below(&self, label: &str) -> Option<Domain> {
        let (first, domain) = self.0.as_ref()?.as_str().split_once('.')?;
        if first == label { Domain::parse(domain).ok() } else { None }
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let field = || parts.headers.get(HOST)?.to_str().ok()?.parse::<Authority>().ok();
        let authority = parts.uri.authority().cloned().or_else(field);
        Ok(Self(authority.and_then(|authority| Domain::parse(authority.host()).ok())))
    }
}

/// The domain of an address, whoever it may be.
fn domain_of(address: &str) -> Option<Domain> {
    let (_anybody, domain) = address.rsplit_once('@')?;
    Domain::parse(domain).ok()
}

/// What a program gets where there is nothing for it: it asks elsewhere, or asks its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nothing {
    Here,
    Now,
}

impl From<Failure> for Nothing {
    fn from(_: Failure) -> Self {
        Self::Now
    }
}

impl IntoResponse for Nothing {
    fn into_response(self) -> Response {
        match self {
            Self::Here => StatusCode::NOT_FOUND.into_response(),
            Self::Now => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

/// The document that `template` draws.
fn xml(template: &impl Template) -> Result<Response, Nothing> {
    let text = template.render().map_err(|error| {
        tracing::error!(%error, "a document could not be drawn");
        Nothing::Now
    })?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn autodiscover_is_found_in_any_case() {
        for (path, expected) in [
            ("/AutoDiscover/AUTODISCOVER.xml", "/autodiscover/autodiscover.xml"),
            (
                "/Autodiscover/Autodiscover.json?Email=A@b.c&Protocol=X",
                "/autodiscover/autodiscover.json?Email=A@b.c&Protocol=X",
            ),
            ("/autodiscover", "/autodiscover"),
            ("/Panel/Autodiscover/", "/Panel/Autodiscover/"),
            ("/Autodiscovér/x", "/Autodiscovér/x"),
        ] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            assert_eq!(fold_case(request).uri().to_string(), expected);
        }
    }

    #[tokio::test]
    async fn the_host_is_the_one_that_was_asked() {
        for (uri, field, expected) in [
            ("/", "mta-sts.one.example", Some("one.example")),
            ("/", "MTA-STS.One.example:8443", Some("one.example")),
            ("https://mta-sts.one.example/", "mta-sts.two.example", Some("one.example")),
            ("/", "one.example", None),
            ("/", "mta-sts", None),
            ("/", "[::1]:443", None),
            ("/", "a b", None),
        ] {
            let request = Request::get(uri).header(HOST, field).body(()).unwrap();
            let Ok(asked) = Asked::from_request_parts(&mut request.into_parts().0, &()).await;
            assert_eq!(asked.below("mta-sts").map(|domain| domain.to_string()).as_deref(), expected, "{field}");
        }
    }
}
