//! Pictures of others: fetched through us, so that their sender doesn't learn where, when and with what they are looked at.
//!
//! An address of ours holds theirs, a time, and a seal: nobody but us makes one, so nobody fetches through us what no message shows. The
//! frame that asks has no cookie, for it is nobody's origin: the seal is the permission.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use relais_reading::Fetched;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::kit::{Guest, Oops, Routes, query};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::MAIL_PICTURE, picture)
}

#[derive(Debug, Serialize, Deserialize)]
struct PictureQuery {
    /// Where it is.
    u: String,
    /// The seal.
    s: String,
}

/// The way to pictures of others.
pub(super) fn way(web: &Web) -> Fetched {
    let web = web.clone();
    Arc::new(move |url: &Url| {
        let sealed = PictureQuery { u: url.to_string(), s: web.access().seal_picture(url.as_str()) };
        format!("{}?{}", path::MAIL_PICTURE, query(&sealed))
    })
}

async fn picture(_guest: Guest, State(web): State<Web>, Query(wanted): Query<PictureQuery>) -> Oops {
    if !web.access().is_sealed_picture(&wanted.u, &wanted.s) {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    Ok(match web.service().fetch_picture(&wanted.u).await {
        Some(picture) => {
            let headers = [
                (CONTENT_TYPE, picture.kind),
                (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
                (CACHE_CONTROL, "private, max-age=86400, immutable"),
            ];
            (headers, picture.octets).into_response()
        }
        None => absent(),
    })
}

/// A picture that isn't there is a gap, and no page.
fn absent() -> Response {
    ([(CONTENT_TYPE, "image/gif"), (CACHE_CONTROL, "private, max-age=300")], NOTHING).into_response()
}

/// One dot, that nobody sees.
const NOTHING: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
