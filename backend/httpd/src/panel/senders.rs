//! Senders who are let in or kept out: of a domain, and of the house. One's own stand in My account › Junk, of the same parts.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use relais_service::{Actor, Failure, Rows, RulesOf, SenderRuleForm, SenderRuleView, Text};
use serde::Deserialize;

use crate::kit::{
    Admin, Complaints, Form, Frame, ListQuery, Oops, Owner, PageError, Pager, Routes, Time, again, done, shown,
};
use crate::{Web, path};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(path::DOMAIN_SENDERS, show_of_domain)
        .post(path::DOMAIN_SENDERS, set_of_domain)
        .post(path::DOMAIN_SENDERS_REMOVE, remove_of_domain)
        .get(path::HOUSE_SENDERS, show_of_house)
        .post(path::HOUSE_SENDERS, set_of_house)
        .post(path::HOUSE_SENDERS_REMOVE, remove_of_house)
}

/// Rules of one scope, and the form that makes one more.
#[derive(Debug)]
pub(super) struct Rules {
    /// The path of their page, and of the act that takes one away.
    pub(super) here: String,
    pub(super) remove: String,
    pub(super) complaints: Complaints,
    pub(super) is_searchable: bool,
    pub(super) q: String,
    pub(super) rows: Vec<Row>,
    pub(super) pager: Pager,
    /// What rules are for, where there are none.
    pub(super) why: String,
    /// What either choice does.
    pub(super) allows: String,
    pub(super) blocks: String,
    pub(super) sender: String,
    pub(super) is_allowed: bool,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) sender: String,
    pub(super) is_allowed: bool,
    pub(super) since: Time,
}

/// What is typed to make a rule.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RuleForm {
    #[serde(default)]
    sender: String,
    /// `allow` or `block`.
    #[serde(default)]
    rule: String,
}

/// Whose rule goes.
#[derive(Debug, Deserialize)]
pub(super) struct SenderForm {
    #[serde(default)]
    sender: String,
}

impl Rules {
    pub(super) fn of(
        frame: &Frame,
        (of, here): (RulesOf<'_>, &str),
        found: Rows<SenderRuleView>,
        query: &ListQuery,
    ) -> Self {
        let row = |rule: SenderRuleView| Row {
            sender: rule.sender,
            is_allowed: rule.is_allowed,
            since: frame.time(rule.created_at.0),
        };
        let pager = Pager::below(frame, here, &found, query);
        let rows: Vec<_> = found.rows.into_iter().map(row).collect();
        let is_own = of == RulesOf::Mine;
        Self {
            here: here.to_owned(),
            remove: format!("{here}/remove"),
            complaints: Complaints::default(),
            is_searchable: !rows.is_empty() || !query.q.is_empty(),
            q: query.q.clone(),
            rows,
            pager,
            why: frame.say(if is_own { "sender-rules-why" } else { "sender-rules-why-all" }),
            allows: frame.say("sender-rule-allow-long"),
            blocks: frame.say(if is_own { "sender-rule-block-long" } else { "sender-rule-block-all" }),
            sender: String::new(),
            is_allowed: false,
        }
    }

    pub(super) async fn load(
        web: &Web,
        frame: &Frame,
        by: &Actor,
        (of, here): (RulesOf<'_>, &str),
        query: &ListQuery,
    ) -> Result<Self, Failure> {
        let found = web.service().sender_rules(by, of, query.words().as_deref(), &query.paging()).await?;
        Ok(Self::of(frame, (of, here), found, query))
    }

    /// Says what is wrong, and keeps what was typed.
    ///
    /// # Errors
    /// The failure, where no form can show it.
    pub(super) fn complain(&mut self, frame: &Frame, failure: Failure, form: RuleForm) -> Result<(), PageError> {
        self.complaints = Complaints::of(frame, failure)?;
        self.is_allowed = form.rule == "allow";
        self.sender = form.sender;
        Ok(())
    }
}

pub(super) async fn set_rule(
    web: &Web,
    by: &Actor,
    (of, here): (RulesOf<'_>, &str),
    form: &RuleForm,
) -> Result<Response, Failure> {
    let wanted = SenderRuleForm { sender: form.sender.clone(), is_allowed: form.rule == "allow" };
    let rule = web.service().set_sender_rule(by, of, &wanted).await?;
    let said = if rule.is_allowed { "sender-rule-allowed" } else { "sender-rule-blocked" };
    Ok(done(here, Text::new(said).with("sender", rule.sender)))
}

pub(super) async fn remove_rule(
    web: &Web,
    by: &Actor,
    (of, here): (RulesOf<'_>, &str),
    form: &SenderForm,
) -> Result<Response, Failure> {
    web.service().remove_sender_rule(by, of, &form.sender).await?;
    Ok(done(here, Text::new("sender-rule-removed").with("sender", form.sender.as_str())))
}

#[derive(Debug, Template)]
#[template(path = "panel/senders/page.html")]
struct SendersPage {
    frame: Frame,
    /// Whose, and the way back there.
    of: String,
    back: String,
    lead: String,
    rules: Rules,
}

/// Of a domain.
async fn of_domain(admin: &Admin, web: &Web, name: &str, query: &ListQuery) -> Result<SendersPage, Failure> {
    let domain = web.service().domains.show(&admin.actor, name).await?;
    let (frame, back) = (admin.frame(web), path::of(path::DOMAINS, &domain.ascii));
    let whose = (RulesOf::Domain(name), &*format!("{back}/senders"));
    let rules = Rules::load(web, &frame, &admin.actor, whose, query).await?;
    Ok(SendersPage { of: domain.domain, back, lead: frame.say("sender-rules-of-domain"), rules, frame })
}

async fn show_of_domain(
    admin: Admin,
    State(web): State<Web>,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Oops {
    Ok(shown(&of_domain(&admin, &web, &name, &query).await?))
}

async fn set_of_domain(
    admin: Admin,
    State(web): State<Web>,
    Path(name): Path<String>,
    Form(form): Form<RuleForm>,
) -> Oops {
    let here = format!("{}/senders", path::of(path::DOMAINS, &name));
    match set_rule(&web, &admin.actor, (RulesOf::Domain(&name), &here), &form).await {
        Ok(done) => Ok(done),
        Err(failure) => {
            let mut page = of_domain(&admin, &web, &name, &ListQuery::default()).await?;
            page.rules.complain(&page.frame, failure, form)?;
            Ok(again(&page))
        }
    }
}

async fn remove_of_domain(
    admin: Admin,
    State(web): State<Web>,
    Path(name): Path<String>,
    Form(form): Form<SenderForm>,
) -> Oops {
    let here = format!("{}/senders", path::of(path::DOMAINS, &name));
    Ok(remove_rule(&web, &admin.actor, (RulesOf::Domain(&name), &here), &form).await?)
}

/// Of the house.
const HOUSE: (RulesOf<'static>, &str) = (RulesOf::House, path::HOUSE_SENDERS);

async fn of_house(owner: &Owner, web: &Web, query: &ListQuery) -> Result<SendersPage, Failure> {
    let frame = owner.frame(web);
    let rules = Rules::load(web, &frame, &owner.actor, HOUSE, query).await?;
    let (of, back) = (frame.say("nav-security"), path::SECURITY.to_owned());
    Ok(SendersPage { of, back, lead: frame.say("sender-rules-of-house"), rules, frame })
}

async fn show_of_house(owner: Owner, State(web): State<Web>, Query(query): Query<ListQuery>) -> Oops {
    Ok(shown(&of_house(&owner, &web, &query).await?))
}

async fn set_of_house(owner: Owner, State(web): State<Web>, Form(form): Form<RuleForm>) -> Oops {
    match set_rule(&web, &owner.actor, HOUSE, &form).await {
        Ok(done) => Ok(done),
        Err(failure) => {
            let mut page = of_house(&owner, &web, &ListQuery::default()).await?;
            page.rules.complain(&page.frame, failure, form)?;
            Ok(again(&page))
        }
    }
}

async fn remove_of_house(owner: Owner, State(web): State<Web>, Form(form): Form<SenderForm>) -> Oops {
    Ok(remove_rule(&web, &owner.actor, HOUSE, &form).await?)
}

#[cfg(test)]
pub(super) mod tests {
    use relais_model::Timestamp;
    use relais_service::Moment;

    use super::*;
    use crate::kit::samples::draw;

    pub(crate) fn rules(frame: &Frame, of: RulesOf<'_>, is_empty: bool) -> Rules {
        let created_at = Moment(Timestamp::from_millis(1_795_248_000_000));
        let rule = |sender: &str, is_allowed| SenderRuleView { sender: sender.to_owned(), is_allowed, created_at };
        let rows = vec![rule("news.example", false), rule("ann@friend.example", true)];
        let found =
            if is_empty { Rows { rows: Vec::new(), next: None } } else { Rows { rows, next: Some("x".to_owned()) } };
        Rules::of(frame, (of, "/panel/somewhere/senders"), found, &ListQuery::default())
    }

    #[test]
    fn pages_are_drawn() {
        draw(|frame: Frame| {
            let page = |rules| SendersPage {
                of: "example.org".to_owned(),
                back: "/panel/domains/example.org".to_owned(),
                lead: frame.say("sender-rules-of-domain"),
                rules,
                frame: frame.clone(),
            };
            let mut wrong = rules(&frame, RulesOf::House, true);
            let form = RuleForm { sender: "no sender".to_owned(), rule: "allow".to_owned() };
            wrong.complain(&frame, Failure::unfit("sender", Text::new("sender-rule-bad")), form).unwrap();
            let none = Rules { q: "nobody".to_owned(), is_searchable: true, ..rules(&frame, RulesOf::House, true) };
            vec![page(rules(&frame, RulesOf::Domain("example.org"), false)), page(wrong), page(none)]
        });
    }
}
