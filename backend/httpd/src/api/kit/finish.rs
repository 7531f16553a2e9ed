//! Where every answer becomes what is sent: in the asker's language, with its headers.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, ALLOW, CONTENT_LANGUAGE, IF_NONE_MATCH};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use relais_words::Language;

use super::Problem;
use super::reply::{Asked, Reply, bare};

/// Stands around all of the API.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let language = language(request.headers());
    let asked = Asked {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        read: request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned),
    };
    let mut response = next.run(request).await;
    let reply = response.extensions_mut().remove::<Reply>();
    let problem = response.extensions_mut().remove::<Problem>();
    let mut answer = match (reply, problem) {
        (Some(reply), _) => reply.answer(language, &asked),
        (None, Some(problem)) => problem.answer(language),
        (None, None) => match bare(&response) {
            Some(problem) => problem.answer(language),
            None => return response,
        },
    };
    keep(response.headers(), answer.headers_mut());
    answer.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
    answer
}

/// A panic, which tower has caught.
pub(crate) fn fault(_panic: Box<dyn std::any::Any + Send>) -> Response {
    Problem::Fault.into_response()
}

pub(crate) fn language(headers: &HeaderMap) -> Language {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok()).and_then(Language::accepted);
    accepted.unwrap_or_default()
}

/// What stands in the bare answer's header and is true of the finished one, too.
fn keep(bare: &HeaderMap, answer: &mut HeaderMap) {
    for name in [ALLOW, HeaderName::from_static("ratelimit"), HeaderName::from_static("ratelimit-policy")] {
        if let Some(value) = bare.get(&name) {
            answer.insert(name, value.clone());
        }
    }
}
