//! The pages: one file a resource, with its routes, handlers, forms and page structs.

mod account;
mod activity;
mod addresses;
mod certificates;
mod destination;
mod dns;
mod domains;
mod error;
mod holds;
mod judge;
mod keys;
mod links;
mod lists;
mod look;
mod messages;
mod outcome;
mod overview;
mod people;
mod question;
mod queue;
mod reports;
mod security;
mod senders;
mod settings;
mod sign_in;
mod suppressed;
mod system;
mod teams;
mod webhooks;

use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
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
use crate::{Web, path, webmail};

pub(crate) use activity::done_undoably_since;
pub(crate) use error::error_page;
pub(crate) use links::not_set_up_page;
pub(crate) use sign_in::Nothing;

/// Octets of a form, at most; a file has a limit of its own.
const FORM_OCTETS: usize = 256 * 1024;
/// From a request's first octet to its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Octets of a form with a file, at most.
const UPLOAD_OCTETS: usize = 16 * 1024 * 1024;
/// The same for forms with a file: each of many passwords takes a while to be hashed.
const UPLOAD_PATIENCE: Duration = Duration::from_mins(10);

/// Pages and files.
pub(crate) fn router(web: &Web) -> Router {
    let (forms, uploads, bundles) = routes().finish();
    let forms =
        forms.fallback(error::no_such_page).layer(RequestBodyLimitLayer::new(FORM_OCTETS)).layer(timeout(PATIENCE));
    let uploads = uploads
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(UPLOAD_OCTETS))
        .layer(timeout(UPLOAD_PATIENCE));
    // It counts what comes rather than what is announced, so that the one who sends too much is told so by a page.
    let bundles = bundles
        .layer(DefaultBodyLimit::max(relais_service::BUNDLE_OCTETS + FORM_OCTETS))
        .layer(timeout(UPLOAD_PATIENCE));
    let pages = forms
        .merge(uploads)
        .merge(bundles)
        .layer(from_fn_with_state(web.clone(), kit::recognise))
        .with_state(web.clone());
    // Files are packed, pages are not: how far a page that holds a token packs would tell of the token (BREACH).
    let files = Router::new()
        .route("/assets/{hash}/{name}", get(Assets::serve))
        .layer(CompressionLayer::new())
        .layer(timeout(PATIENCE))
        .with_state(web.clone());
    let pages = pages.layer(middleware::from_fn(webmail::policy));
    pages.merge(files).layer(CatchPanicLayer::new()).layer(middleware::from_fn(kit::headers))
}

fn timeout(patience: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, patience)
}

/// Every route of every page.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .get(path::HOME, home)
        .and(sign_in::routes)
        .and(links::routes)
        .and(look::routes)
        .and(account::routes)
        .and(queue::routes)
        .and(destination::routes)
        .and(holds::routes)
        .and(suppressed::routes)
        .and(messages::routes)
        .and(judge::routes)
        .and(overview::routes)
        .and(security::routes)
        .and(senders::routes)
        .and(certificates::routes)
        .and(settings::routes)
        .and(system::routes)
        .and(webhooks::routes)
        .and(domains::routes)
        .and(reports::routes)
        .and(dns::routes)
        .and(people::routes)
        .and(teams::routes)
        .and(addresses::routes)
        .and(lists::routes)
        .and(activity::routes)
        .and(keys::routes)
        .and(crate::api::routes)
        .and(crate::webmail::routes)
}

/// To where the visitor belongs.
async fn home(person: Person) -> Redirect {
    let place = if person.actor.role < Role::HelpDesk { path::MAIL } else { path::OVERVIEW };
    Redirect::to(place)
}
