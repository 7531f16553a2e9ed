//! One's own filter of junk: what it has learnt, whom one lets in or keeps out, and waiting for a code.

use askama::Template;
use axum::extract::{Query, State};
use relais_service::{Failure, OwnJunk, Rows, RulesOf, SenderRuleForm, SenderRuleView, Text};
use serde::Deserialize;

use crate::kit::{Complaints, Form, Frame, ListQuery, Oops, Pager, Person, Routes, Time, again, done, shown};
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
    complaints: Complaints,
    is_on: bool,
    learnt: String,
    known: String,
    has_learnt: bool,
    awaits_until: Option<Time>,
    rows: Vec<Row>,
    pager: Pager,
    sender: String,
    is_allowed: bool,
}

#[derive(Debug)]
struct Row {
    sender: String,
    is_allowed: bool,
    since: Time,
}

#[derive(Debug, Default, Deserialize)]
struct RuleForm {
    #[serde(default)]
    sender: String,
    /// `allow` or `block`.
    #[serde(default)]
    rule: String,
}

#[derive(Debug, Deserialize)]
struct SenderForm {
    #[serde(default)]
    sender: String,
}

#[derive(Debug, Deserialize)]
struct CodeForm {
    /// `begin` or `end`.
    #[serde(default)]
    wait: String,
}

impl JunkPage {
    fn of(
        frame: Frame,
        junk: &OwnJunk,
        found: Rows<SenderRuleView>,
        query: &ListQuery,
        (complaints, form): (Complaints, RuleForm),
    ) -> Self {
        let row = |rule: SenderRuleView| Row {
            sender: rule.sender,
            is_allowed: rule.is_allowed,
            since: frame.time(rule.created_at.0),
        };
        let rows: Vec<_> = found.rows.into_iter().map(row).collect();
        let next = |after| ListQuery { after, ..query.clone() };
        let pager = Pager::of(&frame, path::OWN_JUNK, rows.len(), found.next.as_deref(), query.after.is_empty(), next);
        let learnt = Text::new("junk-learnt").with("junk", junk.learnt_junk).with("ham", junk.learnt_ham);
        let known = Text::new("junk-known").with("authors", junk.known_authors);
        let known = known.with("signers", junk.known_signers).with("networks", junk.known_networks);
        let is_fed = junk.known_authors + junk.known_signers + junk.known_networks > 0;
        Self {
            tab: "junk",
            complaints,
            is_on: junk.is_on,
            learnt: frame.tell(&learnt),
            known: if is_fed { frame.tell(&known) } else { String::new() },
            has_learnt: is_fed || junk.learnt_ham + junk.learnt_junk > 0,
            awaits_until: junk.awaits_code_until.map(|until| frame.time(until.0)),
            rows,
            pager,
            is_allowed: form.rule == "allow",
            sender: form.sender,
            frame,
        }
    }
}

async fn show(person: Person, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    Ok(shown(&page(&person, &web, &query, (Complaints::default(), RuleForm::default())).await?))
}

async fn page(
    person: &Person,
    web: &Web,
    query: &ListQuery,
    form: (Complaints, RuleForm),
) -> Result<JunkPage, Failure> {
    let junk = web.service().own_junk(&person.actor).await?;
    let rules = web.service().sender_rules(&person.actor, RulesOf::Mine, &query.paging()).await?;
    Ok(JunkPage::of(person.frame(web), &junk, rules, query, form))
}

async fn set(person: Person, State(web): State<Web>, Form(form): Form<RuleForm>) -> Oops {
    let wanted = SenderRuleForm { sender: form.sender.clone(), is_allowed: form.rule == "allow" };
    match web.service().set_sender_rule(&person.actor, RulesOf::Mine, &wanted).await {
        Ok(rule) => {
            let said = if rule.is_allowed { "sender-rule-allowed" } else { "sender-rule-blocked" };
            Ok(done(path::OWN_JUNK, Text::new(said).with("sender", rule.sender)))
        }
        Err(failure) => {
            let complaints = Complaints::of(&person.frame(&web), failure)?;
            Ok(again(&page(&person, &web, &ListQuery::default(), (complaints, form)).await?))
        }
    }
}

async fn remove(person: Person, State(web): State<Web>, Form(form): Form<SenderForm>) -> Oops {
    web.service().remove_sender_rule(&person.actor, RulesOf::Mine, &form.sender).await?;
    Ok(done(path::OWN_JUNK, Text::new("sender-rule-removed").with("sender", form.sender)))
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

    #[test]
    fn pages_are_drawn() {
        let at = |minutes: i64| Moment(Timestamp::from_millis(1_795_428_000_000 + minutes * 60_000));
        let rule =
            |sender: &str, is_allowed| SenderRuleView { sender: sender.to_owned(), is_allowed, created_at: at(-3000) };
        let plain = || (Complaints::default(), RuleForm::default());
        draw(|frame: Frame| {
            let rules = vec![rule("news.example", false), rule("ann@friend.example", true)];
            let busy = OwnJunk {
                is_on: true,
                learnt_ham: 12,
                learnt_junk: 118,
                known_authors: 31,
                known_signers: 9,
                known_networks: 1,
                awaits_code_until: Some(at(9)),
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
            let found = |rows, next: Option<&str>| Rows { rows, next: next.map(str::to_owned) };
            let query = ListQuery::default();
            vec![
                JunkPage::of(frame.clone(), &busy, found(rules, Some("x")), &query, plain()),
                JunkPage::of(frame, &calm, found(Vec::new(), None), &query, plain()),
            ]
        });
    }
}
