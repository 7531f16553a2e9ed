//! What a handler could not do, and the page that says so.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use relais_service::{Complaint, Failure, Text};

use crate::path;

/// A failure that no form can show beside its fields: the visitor gets a page that says what happened and what to do.
///
/// It travels in the response's extensions to `recognise`, which knows language and look.
#[derive(Debug, Clone)]
pub(crate) struct PageError(pub(crate) Failure);

/// A page's answer.
pub(crate) type Oops = Result<Response, PageError>;

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

/// The status that tells programs what people read in words.
pub(crate) fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Unfit(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Failure::Clash(_) => StatusCode::CONFLICT,
        Failure::Absent(_) => StatusCode::NOT_FOUND,
        Failure::Forbidden(_) | Failure::Unproven => StatusCode::FORBIDDEN,
        Failure::Stale(_) => StatusCode::PRECONDITION_FAILED,
        Failure::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        Failure::Failed => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// All that a failure says, a sentence each.
pub(crate) fn sentences(failure: &Failure) -> Vec<Text> {
    match failure {
        Failure::Unfit(complaints) => complaints.iter().map(|complaint| complaint.why.clone()).collect(),
        Failure::Clash(Complaint { why, .. })
        | Failure::Absent(why)
        | Failure::Forbidden(why)
        | Failure::Stale(why) => vec![why.clone()],
        Failure::Unproven => vec![Text::new("failure-unproven")],
        Failure::TooMany { retry_after } => {
            vec![Text::new("failure-too-many").with("minutes", retry_after.as_secs().div_ceil(60).max(1))]
        }
        Failure::Failed => vec![Text::new("failure-failed")],
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if matches!(self.0, Failure::Unproven) {
            // Who the visitor is must be said again first; `recognise` adds where to go then.
            let mut response = Redirect::to(path::PROVE).into_response();
            response.extensions_mut().insert(self);
            return response;
        }
        let mut response = status(&self.0).into_response();
        if let Failure::TooMany { retry_after } = &self.0 {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        }
        response.extensions_mut().insert(self);
        response
    }
}
