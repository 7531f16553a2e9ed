//! How one reads: how dense lists are, where the message stands, whether answers stand together.

use askama::Template;
use axum::extract::State;
use relais_service::{Density, ReadingChoices, ReadingPane, Text};
use serde::Deserialize;

use super::shell::Shell;
use crate::kit::{Choice, Form, Frame, Oops, Person, Routes, done, shown};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(path::MAIL_CHOICES, show).post(path::MAIL_CHOICES, choose)
}

#[derive(Debug, Template)]
#[template(path = "webmail/choices.html")]
struct ChoicesPage {
    frame: Frame,
    shell: Shell,
    densities: Vec<Choice>,
    panes: Vec<Choice>,
    by_conversation: bool,
}

impl ChoicesPage {
    fn of(frame: Frame, shell: Shell) -> Self {
        let choice = |kind: &str, name: &str, chosen: &str| {
            Choice::new(name, frame.say(&format!("webmail-{kind}-{name}")), chosen)
        };
        Self {
            densities: ["roomy", "dense"].map(|name| choice("density", name, shell.density)).to_vec(),
            panes: ["right", "below", "none"].map(|name| choice("pane", name, shell.pane)).to_vec(),
            by_conversation: shell.choices.by_conversation,
            shell,
            frame,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChoicesForm {
    density: String,
    pane: String,
    by_conversation: Option<String>,
}

async fn show(person: Person, State(web): State<Web>) -> Oops {
    let frame = person.frame(&web);
    let shell = Shell::of(&web, &frame, &person.actor, "").await?;
    Ok(shown(&ChoicesPage::of(frame, shell)))
}

async fn choose(person: Person, State(web): State<Web>, Form(form): Form<ChoicesForm>) -> Oops {
    let choices = ReadingChoices {
        density: Density::parse(&form.density).unwrap_or_default(),
        pane: ReadingPane::parse(&form.pane).unwrap_or_default(),
        by_conversation: form.by_conversation.is_some(),
    };
    web.service().mail.choose(&person.actor, choices).await?;
    Ok(done(path::MAIL_CHOICES, Text::new("webmail-choices-kept")))
}

#[cfg(test)]
mod tests {
    use super::super::shell::samples::shell;
    use super::*;
    use crate::kit::samples::draw;

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let shell = shell(&frame, "");
            vec![ChoicesPage::of(frame, shell)]
        });
    }
}
