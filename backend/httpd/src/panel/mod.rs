//! The pages: one file a resource, with its routes, handlers, forms and page structs.

mod account;
mod error;
mod links;
mod messages;
mod outcome;
mod overview;
mod queue;
mod security;
mod settings;
mod sign_in;
mod system;
mod webhooks;

use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Router, middleware};
use relais_service::Role;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::kit::{self, Assets, Person, Routes};
use crate::{Web, path};

pub(crate) use error::error_page;

/// Octets of a form, at most; a file has a limit of its own.
const FORM_OCTETS: usize = 256 * 1024;
/// From a request's first octet to its answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Pages and files.
pub(crate) fn router(web: &Web) -> Router {
    let (pages, _) = routes().finish();
    let pages = pages
        .fallback(error::no_such_page)
        .layer(from_fn_with_state(web.clone(), kit::recognise))
        .layer(RequestBodyLimitLayer::new(FORM_OCTETS))
        .with_state(web.clone());
    // Files are packed, pages are not: how far a page that holds a token packs would tell of the token (BREACH).
    let files = Router::new()
        .route("/assets/{hash}/{name}", get(Assets::serve))
        .layer(CompressionLayer::new())
        .with_state(web.clone());
    pages
        .merge(files)
        .layer(middleware::from_fn(kit::headers))
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::SERVICE_UNAVAILABLE, PATIENCE))
        .layer(CatchPanicLayer::new())
}

/// Every route of every page.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .get(path::HOME, home)
        .and(sign_in::routes)
        .and(links::routes)
        .and(account::routes)
        .and(queue::routes)
        .and(messages::routes)
        .and(overview::routes)
        .and(security::routes)
        .and(settings::routes)
        .and(system::routes)
        .and(webhooks::routes)
        .and(crate::api::routes)
}

/// To where the visitor belongs.
async fn home(person: Person) -> Redirect {
    let place = if person.actor.role < Role::HelpDesk { path::ACCOUNT } else { path::OVERVIEW };
    Redirect::to(place)
}
