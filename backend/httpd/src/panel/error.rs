//! The page that says what could not be done.

use askama::Template;
use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use relais_service::{Failure, Text};

use crate::kit::{Frame, PageError, render, sentences, status};

#[derive(Debug, Template)]
#[template(path = "panel/error.html")]
struct ErrorPage {
    frame: Frame,
    title: String,
    sentences: Vec<String>,
}

/// In the visitor's words; `bare` is the answer that it takes the place of.
pub(crate) fn error_page(frame: &Frame, failure: &Failure, bare: &Response) -> Response {
    let title = match failure {
        Failure::Absent(_) => "error-absent",
        Failure::Forbidden(_) | Failure::Unproven => "error-forbidden",
        Failure::Stale(_) => "error-stale",
        Failure::TooMany { .. } => "error-too-many",
        Failure::Unfit(_) | Failure::Clash(_) => "error-unfit",
        Failure::Failed => "error-failed",
    };
    let page = ErrorPage {
        frame: frame.clone(),
        title: frame.say(title),
        sentences: sentences(failure).iter().map(|text| frame.tell(text)).collect(),
    };
    let known = if bare.status().is_client_error() { bare.status() } else { status(failure) };
    let mut response = render(known, &page);
    if let Some(retry_after) = bare.headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::clone(retry_after));
    }
    response
}

/// Whatever path no page has.
pub(crate) async fn no_such_page() -> PageError {
    PageError(Failure::Absent(Text::new("error-no-page")))
}
