//! One's own filter of junk: what it has learnt, whom one lets in or keeps out, and waiting for a code.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{Failure, OwnJunk, RulesOf, Text};
use serde::Deserialize;

use crate::kit::{Form, Frame, ListQuery, Oops, Person, Routes, Time, again, done, shown};
use crate::panel::senders::{RuleForm, Rules, SenderForm, remove_rule, set_rule};
use crate::panel::sign_in::Nothing;
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::OWN_JUNK, show)
        .post(path::OWN_JUNK, set)
        .post(path::OWN_JUNK_REMOVE, remove)
        .post(path::OWN_JUNK_CODE, await_code)
        .post(path::OWN_JUNK_FORGET, forget)
}

#[derive(Debug, Template)]
#[template(path = "panel/account/junk.html")]
struct JunkPage {
    frame: Frame,
    tab: &'static str,
    is_on: bool,
    learnt: String,
    known: String,
    has_learnt: bool,
    awaits_until: Option<Time>,
    rules: Rules,
}

#[derive(Debug, Deserialize)]
struct CodeForm {
    /// `begin` or `end`.
    #[serde(default)]
    wait: String,
}

impl JunkPage {
    fn of(frame: Frame, junk: &OwnJunk, rules: Rules) -> Self {
        let learnt = Text::new("junk-learnt").with("junk", junk.learnt_junk).with("ham", junk.learnt_ham);
        let known = Text::new("junk-known").with("authors", junk.known_authors);
        let known = known.with("signers", junk.known_signers).with("networks", junk.known_networks);
        let is_anybody_known = junk.known_authors + junk.known_signers + junk.known_networks > 0;
        Self {
            tab: "junk",
            is_on: junk.is_on,
            learnt: frame.tell(&learnt),
            known: if is_anybody_known { frame.tell(&known) } else { String::new() },
            has_learnt: is_anybody_known || junk.learnt_ham + junk.learnt_junk > 0,
            awaits_until: junk.awaits_code_until.map(|until| frame.time(until.0)),
            rules,
            frame,
        }
    }
}

async fn show(person: Person, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    Ok(shown(&page(&person, &web, &query).await?))
}

async fn page(person: &Person, web: &Web, query: &ListQuery) -> Result<JunkPage, Failure> {
    let frame = person.frame(web);
    let junk = web.service().own_junk(&person.actor).await?;
    let rules = Rules::load(web, &frame, &person.actor, (RulesOf::Mine, path::OWN_JUNK), query).await?;
    Ok(JunkPage::of(frame, &junk, rules))
}

async fn set(person: Person, State(web): State<Web>, Form(form): Form<RuleForm>) -> Oops {
    match set_rule(&web, &person.actor, (RulesOf::Mine, path::OWN_JUNK), &form).await {
        Ok(done) => Ok(done),
        Err(failure) => {
            let mut page = page(&person, &web, &ListQuery::default()).await?;
            page.rules.complain(&page.frame, failure, form)?;
            Ok(again(&page))
        }
    }
}

async fn remove(person: Person, State(web): State<Web>, Form(form): Form<SenderForm>) -> Oops {
    Ok(remove_rule(&web, &person.actor, (RulesOf::Mine, path::OWN_JUNK), &form).await?)
}

async fn await_code(person: Person, State(web): State<Web>, Form(form): Form<CodeForm>) -> Oops {
    let waits = form.wait == "begin";
    web.service().await_code(&person.actor, waits).await?;
    Ok(done(path::OWN_JUNK, Text::new(if waits { "junk-code-begun" } else { "junk-code-ended" })))
}

async fn forget(person: Person, State(web): State<Web>, Form(Nothing {}): Form<Nothing>) -> Oops {
    web.service().forget_learnt(&person.actor).await?;
    Ok(done(path::OWN_JUNK, Text::new("junk-forgotten")))
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;
    use relais_service::Moment;

    use super::*;
    use crate::kit::samples::draw;
    use crate::panel::senders;

    #[test]
    fn pages_are_drawn() {
        let until = Moment(Timestamp::from_millis(1_795_428_540_000));
        draw(|frame: Frame| {
            let busy = OwnJunk {
                is_on: true,
                learnt_ham: 12,
                learnt_junk: 118,
                known_authors: 31,
                known_signers: 9,
                known_networks: 1,
                awaits_code_until: Some(until),
            };
            let calm = OwnJunk {
                is_on: false,
                learnt_ham: 0,
                learnt_junk: 0,
                known_authors: 0,
                known_signers: 0,
                known_networks: 0,
                awaits_code_until: None,
            };
            let rules = |is_empty| senders::tests::rules(&frame, RulesOf::Mine, is_empty);
            vec![JunkPage::of(frame.clone(), &busy, rules(false)), JunkPage::of(frame.clone(), &calm, rules(true))]
        });
    }
}
