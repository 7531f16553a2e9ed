//! Posts that wait for an owner: read, sent out, turned down.

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{HeldPostText, Text};
use serde::Deserialize;

use super::{one_path, who};
use crate::kit::{Form, Frame, Oops, Person, Routes, Time, done, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.post(path::LIST_POSTS, decide).get(path::LIST_POST, show)
}

/// What a post says that waits.
#[derive(Debug, Template)]
#[template(path = "panel/lists/post.html")]
struct PostPage {
    frame: Frame,
    up: String,
    address: String,
    id: String,
    author: String,
    subject: String,
    since: Time,
    text: String,
    files: Vec<String>,
}

impl PostPage {
    fn of(frame: Frame, address: &str, post: HeldPostText) -> Self {
        Self {
            up: one_path(address),
            address: address.to_owned(),
            since: frame.time(post.held_at.0),
            id: post.id,
            author: post.author,
            subject: post.subject,
            text: post.text,
            files: post.files,
            frame,
        }
    }
}

async fn show(person: Person, State(web): State<Web>, Path((address, id)): Path<(String, String)>) -> Oops {
    let post = web.service().lists.post(&who(&person), &address, &id).await?;
    Ok(shown(&PostPage::of(person.frame(&web), &address, post)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DecideForm {
    post: String,
    /// `approve` or `reject`.
    act: String,
}

async fn decide(
    person: Person,
    State(web): State<Web>,
    Path(address): Path<String>,
    Form(form): Form<DecideForm>,
) -> Oops {
    let goes_out = form.act == "approve";
    web.service().lists.decide(&who(&person), &address, &form.post, goes_out).await?;
    let said = if goes_out { "mlist-post-approved" } else { "mlist-post-rejected" };
    Ok(done(&one_path(&address), Text::new(said)))
}

#[cfg(test)]
mod tests {
    use super::super::samples::AT;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn a_post_is_drawn() {
        draw(|frame| {
            let said = |text: &str, files: Vec<String>| {
                let post = HeldPostText {
                    id: "1f".to_owned(),
                    author: "ann@example.org".to_owned(),
                    subject: "A <question>".to_owned(),
                    held_at: AT.into(),
                    text: text.to_owned(),
                    files,
                };
                PostPage::of(frame.clone(), "team@example.org", post)
            };
            vec![said("One line\n<b>and</b> another", vec!["plan.pdf".to_owned(), String::new()]), said("", Vec::new())]
        });
    }
}
