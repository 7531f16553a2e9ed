//! From a page struct to an answer.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use relais_service::Failure;

use super::PageError;

/// The page, with 200.
pub(crate) fn shown(page: &impl Template) -> Response {
    render(StatusCode::OK, page)
}

/// The page of a form that was not accepted, with what was typed and why: 422.
pub(crate) fn again(page: &impl Template) -> Response {
    render(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// The page, with `status`.
pub(crate) fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be drawn");
            PageError(Failure::Failed).into_response()
        }
    }
}
