//! Mail that nobody wants: one's own filter, and who is let in or kept out: by oneself, a domain, the house.

use axum::extract::Path;
use relais_service::{OwnJunk, Paging, RulesOf, SenderRuleForm, SenderRuleView};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::kit::{Answer, Caller, Done, Json, Many, Operations, Query, Read, Seen, Write, group, least};

type Look = Caller<least::User, Read<group::Account>>;
type Change = Caller<least::User, Write<group::Account>>;
type DomainLook = Caller<least::DomainAdmin, Read<group::Domains>>;
type DomainChange = Caller<least::DomainAdmin, Write<group::Domains>>;
type OwnerLook = Caller<least::Owner, Read<group::Settings>>;
type OwnerChange = Caller<least::Owner, Write<group::Settings>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/me/junk", own, "What one's own filter of junk has learnt")
        .put("/me/junk/code", await_code, "Wait for a code: for a quarter of an hour nobody is asked to come again")
        .delete("/me/junk/learnt", forget, "Forget all that one's own filter has learnt")
        .get("/me/junk/senders", own_rules, "Senders whom one lets in or keeps out")
        .put("/me/junk/senders", set_own_rule, "Let a sender in, or keep them out")
        .delete("/me/junk/senders/{sender}", remove_own_rule, "Take the rule of a sender away")
        .get("/domains/{domain}/senders", domain_rules, "Senders whom a domain lets in or keeps out")
        .put("/domains/{domain}/senders", set_domain_rule, "Let a sender in for a domain, or keep them out")
        .delete("/domains/{domain}/senders/{sender}", remove_domain_rule, "Take a domain's rule of a sender away")
        .get("/senders", house_rules, "Senders whom the house lets in or keeps out")
        .put("/senders", set_house_rule, "Let a sender in for all, or keep them out")
        .delete("/senders/{sender}", remove_house_rule, "Take the house's rule of a sender away")
}

/// Which rules are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct RulesWanted {
    /// Only senders that contain this.
    q: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows wanted; 50 where it isn't said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl RulesWanted {
    fn paging(&self) -> Paging {
        super::paging(self.after.clone(), self.limit)
    }
}

/// Whether one waits for a code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CodeWanted {
    /// Begin, or end.
    waits: bool,
}

async fn own(caller: Look) -> Answer<Seen<OwnJunk>> {
    Ok(Seen(caller.web.service().own_junk(&caller.actor).await?))
}

async fn await_code(caller: Change, Json(wanted): Json<CodeWanted>) -> Answer<Seen<OwnJunk>> {
    Ok(Seen(caller.web.service().await_code(&caller.actor, wanted.waits).await?))
}

async fn forget(caller: Change) -> Answer<Done> {
    caller.web.service().forget_learnt(&caller.actor).await?;
    Ok(Done)
}

async fn own_rules(caller: Look, Query(wanted): Query<RulesWanted>) -> Answer<Many<SenderRuleView>> {
    Ok(Many(
        caller.web.service().sender_rules(&caller.actor, RulesOf::Mine, wanted.q.as_deref(), &wanted.paging()).await?,
    ))
}

async fn set_own_rule(caller: Change, Json(form): Json<SenderRuleForm>) -> Answer<Seen<SenderRuleView>> {
    Ok(Seen(caller.web.service().set_sender_rule(&caller.actor, RulesOf::Mine, &form).await?))
}

async fn remove_own_rule(caller: Change, Path(sender): Path<String>) -> Answer<Done> {
    caller.web.service().remove_sender_rule(&caller.actor, RulesOf::Mine, &sender).await?;
    Ok(Done)
}

async fn domain_rules(
    caller: DomainLook,
    Path(domain): Path<String>,
    Query(wanted): Query<RulesWanted>,
) -> Answer<Many<SenderRuleView>> {
    let of = RulesOf::Domain(&domain);
    Ok(Many(caller.web.service().sender_rules(&caller.actor, of, wanted.q.as_deref(), &wanted.paging()).await?))
}

async fn set_domain_rule(
    caller: DomainChange,
    Path(domain): Path<String>,
    Json(form): Json<SenderRuleForm>,
) -> Answer<Seen<SenderRuleView>> {
    Ok(Seen(caller.web.service().set_sender_rule(&caller.actor, RulesOf::Domain(&domain), &form).await?))
}

async fn remove_domain_rule(caller: DomainChange, Path((domain, sender)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().remove_sender_rule(&caller.actor, RulesOf::Domain(&domain), &sender).await?;
    Ok(Done)
}

async fn house_rules(caller: OwnerLook, Query(wanted): Query<RulesWanted>) -> Answer<Many<SenderRuleView>> {
    Ok(Many(
        caller.web.service().sender_rules(&caller.actor, RulesOf::House, wanted.q.as_deref(), &wanted.paging()).await?,
    ))
}

async fn set_house_rule(caller: OwnerChange, Json(form): Json<SenderRuleForm>) -> Answer<Seen<SenderRuleView>> {
    Ok(Seen(caller.web.service().set_sender_rule(&caller.actor, RulesOf::House, &form).await?))
}

async fn remove_house_rule(caller: OwnerChange, Path(sender): Path<String>) -> Answer<Done> {
    caller.web.service().remove_sender_rule(&caller.actor, RulesOf::House, &sender).await?;
    Ok(Done)
}
