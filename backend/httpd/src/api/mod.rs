//! `/api/v1`: all that the panel does, for programs. One file a resource; `kit` is what they share, `reference` the pages that explain it.
//!
//! # Invariants
//! - A handler takes a [`kit::Caller`] that names the least role and the scope: one without does not compile into the router.
//! - Nothing but a bearer key (or the control socket) opens anything: cookies are not looked at, so there is nothing to forge.
//! - What goes wrong is a problem document, also where axum or tower says no.
//!
//! To add an operation: a handler, its line in the file's `operations`, and its case in the test of roles, which fails until then.

mod activity;
mod addresses;
mod certificates;
mod credentials;
mod dns;
mod domains;
mod junk;
mod keys;
mod kit;
mod lists;
mod mail;
mod me;
mod messages;
mod moving;
mod overview;
mod people;
mod queue;
mod reference;
mod scripts;
mod security;
mod sending;
mod settings;
mod sharing;
mod system;
mod teams;
mod webhooks;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tower_http::catch_panic::CatchPanicLayer;

use crate::Web;
use kit::Operations;

pub(crate) use kit::PREFIX;
pub(crate) use reference::{Book, routes};

/// All paths below `/api/v1/` but the reference's pages, which are the panel's.
pub(crate) fn router(web: &Web) -> Router {
    let (operations, _, document) = operations(web).finish();
    let document = Bytes::from(serde_json::to_vec_pretty(&document).unwrap_or_default());
    let document = get(move || async move { ([(axum::http::header::CONTENT_TYPE, "application/json")], document) });
    operations
        .layer(from_fn_with_state(kit::Gate::new(web), kit::authenticate))
        .route(&format!("{PREFIX}/openapi.json"), document)
        .route(&format!("{PREFIX}/{{*rest}}"), any(no_such_operation))
        .layer(CatchPanicLayer::custom(kit::fault))
        .layer(from_fn(kit::finish))
        .layer(from_fn(crate::kit::headers))
}

/// Whatever path no operation has.
async fn no_such_operation() -> kit::Problem {
    kit::Problem::NotFound
}

/// Every operation, in the order of the reference.
fn operations(web: &Web) -> Operations {
    Operations::new(web)
        .group("overview", overview::operations)
        .group("domains", domains::operations)
        .group("dns", dns::operations)
        .group("people", people::operations)
        .group("addresses", |operations| lists::operations(addresses::operations(operations)))
        .group("queue", queue::operations)
        .group("messages", messages::operations)
        .group("moving", moving::operations)
        .group("security", security::operations)
        .group("certificates", certificates::operations)
        .group("junk", junk::operations)
        .group("scripts", scripts::operations)
        .group("sending", sending::operations)
        .group("activity", activity::operations)
        .group("keys", keys::operations)
        .group("webhooks", webhooks::operations)
        .group("settings", settings::operations)
        .group("system", system::operations)
        .group("sharing", |operations| sharing::operations(teams::operations(operations)))
        .group("mail", mail::operations)
        .group("me", |operations| credentials::operations(me::operations(operations)))
}

/// What is done to how many.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Touched {
    /// How many it was done to.
    count: u64,
}

/// The page of a list that is wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
struct PageWanted {
    /// `next` of the page before.
    after: Option<String>,
    /// Rows wanted; 50 where it isn't said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl PageWanted {
    fn paging(self) -> relais_service::Paging {
        paging(self.after, self.limit)
    }
}

fn paging(after: Option<String>, limit: Option<u32>) -> relais_service::Paging {
    relais_service::Paging { after: after.filter(|after| !after.is_empty()), limit: limit.unwrap_or(50).clamp(1, 200) }
}

/// As one part of a path.
fn segment(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                encoded.push(char::from(octet));
            }
            octet => encoded.extend(['%', hex(octet >> 4), hex(octet & 15)]),
        }
    }
    encoded
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}
