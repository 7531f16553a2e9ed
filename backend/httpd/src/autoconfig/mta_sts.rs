//! The policy for other mail hosts (RFC 8461 §3.2, §3.3): at `mta-sts.DOMAIN`, for each domain whose mail is taken here.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::{Asked, Nothing};
use crate::Web;

pub(super) async fn policy(State(web): State<Web>, asked: Asked) -> Result<Response, Nothing> {
    let domain = asked.below("mta-sts").ok_or(Nothing::Here)?;
    let policy = web.service().mta_sts(&domain, web.host()).await?.ok_or(Nothing::Here)?;
    Ok(([(CONTENT_TYPE, "text/plain")], policy.to_string()).into_response())
}
