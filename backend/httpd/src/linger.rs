//! Who is answered before they have said all shall hear the answer: over HTTP/1.1 a connection that closes on octets that nobody read takes
//! the answer with it (RFC 9112 §9.6), and over HTTP/2 so does, with clients like curl, a stream that is reset behind it (RFC 9113 §8.1).
//! So what a handler left of a body is read away first, up to a limit.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Body as Octets, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Octets that are read away, at most: what a browser may send by mistake.
const MOST: usize = 64 << 20;
/// For so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers when all was said.
pub(crate) async fn linger(request: Request, next: Next) -> Response {
    // Who waits for a word before they say more has said nothing yet.
    if request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (leave, left) = oneshot::channel();
    let response = next.run(request.map(|body| Body::new(Said { body: Some(body), leave: Some(leave) }))).await;
    if let Ok(Ok(body)) = timeout(PATIENCE, left).await {
        let _is_read = timeout(PATIENCE, read_away(body)).await;
    }
    response
}

async fn read_away(mut body: Body) {
    let mut octets = 0;
    while let Some(Ok(frame)) = body.frame().await {
        octets += frame.data_ref().map_or(0, Bytes::len);
        if MOST < octets {
            return;
        }
    }
}

/// A body that is handed back if it is dropped before its end.
struct Said {
    body: Option<Body>,
    leave: Option<oneshot::Sender<Body>>,
}

impl Octets for Said {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Octets::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Octets::size_hint)
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(body), Some(leave)) = (left, self.leave.take()) {
            let _is_heard = leave.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures_util::stream;
    use tower::ServiceExt;

    use super::*;

    /// Octets of a body of four that were read, where it was answered before them.
    async fn read_of(expects: bool) -> usize {
        let read = Arc::new(AtomicUsize::new(0));
        let said = Arc::clone(&read);
        let chunks = (0..4).map(move |_| {
            said.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(b"a"))
        });
        let router = Router::new().route("/", post(|| async { StatusCode::FORBIDDEN })).layer(from_fn(linger));
        let mut request = Request::post("/");
        if expects {
            request = request.header(EXPECT, "100-continue");
        }
        let request = request.body(Body::from_stream(stream::iter(chunks))).unwrap();
        assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::FORBIDDEN);
        read.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn what_nobody_read_is_read_before_the_answer() {
        assert_eq!(read_of(false).await, 4);
        assert_eq!(read_of(true).await, 0, "who asks first is answered first");
    }
}
