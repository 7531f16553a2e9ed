//! What goes out later, and stopping it.

use askama::Template;
use axum::extract::{Path, State};
use relais_service::{LaterMessage, Text};

use super::shell::Shell;
use crate::kit::{Form, Frame, Oops, Person, Routes, Time, done, shown};
use crate::panel::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::MAIL_LATER, show).post(path::MAIL_LATER_STOP, stop)
}

#[derive(Debug, Template)]
#[template(path = "webmail/later.html")]
struct LaterPage {
    frame: Frame,
    shell: Shell,
    rows: Vec<LaterRow>,
}

#[derive(Debug)]
struct LaterRow {
    uid: u32,
    at: Time,
    to: String,
    subject: String,
    /// Why it could not be sent; empty: it waits.
    refused: String,
}

impl LaterRow {
    fn of(frame: &Frame, later: LaterMessage) -> Self {
        Self {
            uid: later.uid,
            at: frame.time(later.due_at.0),
            to: later.to,
            subject: super::list::subject(frame, &later.subject),
            refused: later.refused.map(|why| frame.tell(&why)).unwrap_or_default(),
        }
    }
}

async fn show(person: Person, State(web): State<Web>) -> Oops {
    let (frame, me) = (person.frame(&web), &person.actor);
    let shell = Shell::of(&web, &frame, me, "").await?;
    let rows = web.service().mail.later(me).await?;
    let rows = rows.into_iter().map(|later| LaterRow::of(&frame, later)).collect();
    Ok(shown(&LaterPage { frame, shell, rows }))
}

/// It is a draft again, and open to be changed.
async fn stop(person: Person, State(web): State<Web>, Path(uid): Path<u32>, Form(Nothing {}): Form<Nothing>) -> Oops {
    web.service().mail.stop_later(&person.actor, uid).await?;
    Ok(done(&format!("{}?draft={uid}", path::MAIL_WRITE), Text::new("mail-stopped")))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::Moment;

    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let later = |uid, refused| LaterMessage {
                uid,
                due_at: Moment(Timestamp::from_millis(1_795_428_000_000)),
                to: "bob@y.example".to_owned(),
                subject: "Lunch".to_owned(),
                refused,
            };
            let rows = [later(1, None), later(2, Some(Text::new("mail-later-refused")))];
            let rows = rows.map(|later| LaterRow::of(&frame, later)).into();
            let page = |rows| LaterPage { shell: shell(&frame, ""), rows, frame: frame.clone() };
            vec![page(rows), page(Vec::new())]
        });
    }
}
