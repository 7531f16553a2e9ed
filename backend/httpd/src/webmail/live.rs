//! What changes in one's mailboxes, as it happens: server-sent events. A browser that loses them comes again by itself.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use relais_service::{MailNews, News};
use tokio_util::sync::CancellationToken;

use crate::kit::{PageError, Person, Routes};
use crate::{Web, path};

/// A connection on which nothing is said is broken off by what stands between.
const PING: Duration = Duration::from_secs(25);
/// A browser comes again after so long.
const AGAIN: Duration = Duration::from_secs(4);
/// One hears for so long at most, and comes again: so that who is signed out, or whose session ended, hears no more.
const HEARD_FOR: Duration = Duration::from_mins(10);

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::MAIL_EVENTS, events)
}

/// Who hears.
struct Listener {
    news: MailNews,
    stop: CancellationToken,
    until: tokio::time::Instant,
    /// How many hear at once is limited.
    _seat: tokio::sync::OwnedSemaphorePermit,
}

async fn events(person: Person, State(web): State<Web>) -> Result<Response, PageError> {
    let news = web.service().mail.news(&person.actor).await?;
    let Ok(seat) = web.listeners().try_acquire_owned() else {
        // The page goes on without: it asks anew when it is looked at.
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let listener = Listener { news, stop: web.stop(), until: tokio::time::Instant::now() + HEARD_FOR, _seat: seat };
    let told = stream::unfold((listener, true), |(mut listener, is_first)| async move {
        if is_first {
            let hello: Result<_, Infallible> = Ok(Event::default().event("hello").data("1").retry(AGAIN));
            return Some((hello, (listener, false)));
        }
        let news = tokio::select! {
            () = listener.stop.cancelled() => None,
            () = tokio::time::sleep_until(listener.until) => None, // nothing is lost: the page asks anew when it comes again
            news = listener.news.next() => news, // cancel-safe: see `MailNews::next`
        };
        news.map(|news| (Ok(event(&news)), (listener, false)))
    });
    Ok(Sse::new(told).keep_alive(KeepAlive::new().interval(PING)).into_response())
}

fn event(news: &News) -> Event {
    match news {
        News::Mailbox { id, mod_seq, arrived } => {
            let told = serde_json::json!({ "mailbox": id, "modSeq": mod_seq, "arrived": arrived });
            Event::default().event("mail").data(told.to_string())
        }
        News::Missed => Event::default().event("missed").data("1"),
    }
}
