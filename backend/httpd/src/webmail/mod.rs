//! The webmail: one's own mailboxes in a browser. Every page works without scripts; these make it quick (`web/js/mail.js`).
//!
//! - `shell`: what stands around every page of it: mailboxes, and how one reads. `list`: a mailbox, and the message that is open in it.
//!   `message`: what is shown of a message. `acts`: what is done to messages; `snooze`: until when. `files`: what is handed out of one: its frame, its source,
//!   its files. `live`: what changes, as it happens. `choices`: how one reads. `folders`: mailboxes made and thrown away. `removed`: what was deleted, and its way back. `write`: what is written; `identities`: as whom; `later`: what goes out later; `contacts`: whom one knows. `picture`: pictures of others, fetched through us.
//!
//! A message's HTML never stands in a page of ours: it has a frame of its own, which is nobody's origin, runs nothing and asks nobody
//! (decision 40).

mod acts;
mod archive;
mod choices;
mod contacts;
mod files;
mod folders;
mod identities;
mod later;
mod list;
mod live;
mod message;
mod picture;
mod removed;
mod shell;
mod snooze;
mod write;

use axum::extract::{Path, Query, Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::middleware::Next;
use axum::response::Response;
use relais_service::Failure;

use crate::kit::{Oops, Person, Routes};
use crate::{Web, path};

/// Our own files, and frames of messages.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::MAIL, home)
        .and(list::routes)
        .and(acts::routes)
        .and(files::routes)
        .and(write::routes)
        .and(identities::routes)
        .and(later::routes)
        .and(contacts::routes)
        .and(folders::routes)
        .and(removed::routes)
        .and(picture::routes)
        .and(live::routes)
        .and(choices::routes)
}

/// INBOX.
async fn home(person: Person, State(web): State<Web>, Query(query): Query<list::MailQuery>) -> Oops {
    let folders = web.service().mail.folders(&person.actor).await?;
    let inbox = folders.into_iter().find(|folder| folder.is_inbox).ok_or(Failure::Failed)?;
    list::list(person, State(web), Path(inbox.id), Query(query)).await
}

/// Pages of the webmail may hold frames; what has said otherwise stays as it is.
pub(crate) async fn policy(request: Request, next: Next) -> Response {
    let is_mail =
        request.uri().path().strip_prefix(path::MAIL).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let mut response = next.run(request).await;
    if is_mail {
        response.headers_mut().entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    }
    response
}
