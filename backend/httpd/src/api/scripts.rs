//! Sieve scripts and rules: one's own, people's, a domain's and the house's.

use axum::extract::Path;
use relais_service::{OwnRules, Rows, RuleSet, ScriptFault, ScriptForm, ScriptText, ScriptView, ScriptsOf, TriedRules};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::kit::{Answer, Caller, Done, Json, Many, Operations, Read, Seen, Write, group, least};

type Look = Caller<least::User, Read<group::Account>>;
type Change = Caller<least::User, Write<group::Account>>;
type PersonLook = Caller<least::DomainAdmin, Read<group::People>>;
type PersonChange = Caller<least::DomainAdmin, Write<group::People>>;
type DomainLook = Caller<least::DomainAdmin, Read<group::Domains>>;
type DomainChange = Caller<least::DomainAdmin, Write<group::Domains>>;
type OwnerLook = Caller<least::Owner, Read<group::Settings>>;
type OwnerChange = Caller<least::Owner, Write<group::Settings>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/me/rules", rules, "One's own rules, and what runs over one's mail")
        .put("/me/rules", save_rules, "Keep one's own rules, and put them to use")
        .long_post(
            "/me/rules/try",
            try_rules,
            "What rules would have done with one's last 500 messages; nothing is done",
        )
        .get("/me/scripts", own, "One's own Sieve scripts")
        .post("/me/scripts/check", check, "What is wrong with a script, with line and column; nothing is kept")
        .long_post(
            "/me/scripts/try",
            try_script,
            "What a script would have done with one's last 500 messages; nothing is done",
        )
        .put("/me/scripts/active", activate_own, "Let a script run over mail that comes, or none")
        .get("/me/scripts/named/{name}", own_one, "One of one's own scripts")
        .put("/me/scripts/named/{name}", put_own, "Keep a script, in place of one that has the name")
        .delete("/me/scripts/named/{name}", remove_own, "Remove a script that isn't active")
        .get("/people/{address}/scripts", persons, "A person's Sieve scripts")
        .put("/people/{address}/scripts/active", activate_persons, "Let a person's script run over their mail, or none")
        .get("/people/{address}/scripts/named/{name}", persons_one, "One of a person's scripts")
        .put("/people/{address}/scripts/named/{name}", put_persons, "Keep a script for a person")
        .delete("/people/{address}/scripts/named/{name}", remove_persons, "Remove a person's script that isn't active")
        .get(
            "/domains/{domain}/scripts",
            domains,
            "A domain's Sieve scripts: `before` and `after` run around people's own",
        )
        .get("/domains/{domain}/scripts/named/{name}", domains_one, "One of a domain's scripts")
        .put("/domains/{domain}/scripts/named/{name}", put_domains, "Keep a script for a domain")
        .delete("/domains/{domain}/scripts/named/{name}", remove_domains, "Remove a domain's script")
        .get("/scripts", house, "The house's Sieve scripts: `before` and `after` run around the domains'")
        .post("/scripts/check", check_house, "What is wrong with a script of the house's; nothing is kept")
        .get("/scripts/named/{name}", house_one, "One of the house's scripts")
        .put("/scripts/named/{name}", put_house, "Keep a script for all")
        .delete("/scripts/named/{name}", remove_house, "Remove a script of the house's")
}

/// Which script is to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ActiveWanted {
    /// Its name; null: none.
    name: Option<String>,
}

/// What is wrong with a script.
#[derive(Debug, Serialize, ToSchema)]
struct Checked {
    /// Empty: nothing is.
    faults: Vec<ScriptFault>,
}

async fn rules(caller: Look) -> Answer<Seen<OwnRules>> {
    Ok(Seen(caller.web.service().own_rules(&caller.actor).await?))
}

async fn save_rules(caller: Change, Json(set): Json<RuleSet>) -> Answer<Seen<OwnRules>> {
    Ok(Seen(caller.web.service().save_rules(&caller.actor, &set, None).await?))
}

async fn try_rules(caller: Look, Json(set): Json<RuleSet>) -> Answer<Seen<TriedRules>> {
    Ok(Seen(caller.web.service().try_rules(&caller.actor, &set).await?))
}

async fn try_script(caller: Look, Json(form): Json<ScriptForm>) -> Answer<Seen<TriedRules>> {
    Ok(Seen(caller.web.service().try_script(&caller.actor, &form.script).await?))
}

async fn check(caller: Look, Json(form): Json<ScriptForm>) -> Answer<Seen<Checked>> {
    checked(&caller, ScriptsOf::Mine, &form).await
}

async fn check_house(caller: OwnerLook, Json(form): Json<ScriptForm>) -> Answer<Seen<Checked>> {
    checked(&caller, ScriptsOf::House, &form).await
}

async fn own(caller: Look) -> Answer<Many<ScriptView>> {
    all(&caller, ScriptsOf::Mine).await
}

async fn own_one(caller: Look, Path(name): Path<String>) -> Answer<Seen<ScriptText>> {
    one(&caller, ScriptsOf::Mine, &name).await
}

async fn put_own(caller: Change, Path(name): Path<String>, Json(form): Json<ScriptForm>) -> Answer<Seen<ScriptText>> {
    put(&caller, ScriptsOf::Mine, &name, &form).await
}

async fn remove_own(caller: Change, Path(name): Path<String>) -> Answer<Done> {
    remove(&caller, ScriptsOf::Mine, &name).await
}

async fn activate_own(caller: Change, Json(wanted): Json<ActiveWanted>) -> Answer<Done> {
    activate(&caller, ScriptsOf::Mine, &wanted).await
}

async fn persons(caller: PersonLook, Path(address): Path<String>) -> Answer<Many<ScriptView>> {
    all(&caller, ScriptsOf::Person(&address)).await
}

async fn persons_one(caller: PersonLook, Path((address, name)): Path<(String, String)>) -> Answer<Seen<ScriptText>> {
    one(&caller, ScriptsOf::Person(&address), &name).await
}

async fn put_persons(
    caller: PersonChange,
    Path((address, name)): Path<(String, String)>,
    Json(form): Json<ScriptForm>,
) -> Answer<Seen<ScriptText>> {
    put(&caller, ScriptsOf::Person(&address), &name, &form).await
}

async fn remove_persons(caller: PersonChange, Path((address, name)): Path<(String, String)>) -> Answer<Done> {
    remove(&caller, ScriptsOf::Person(&address), &name).await
}

async fn activate_persons(
    caller: PersonChange,
    Path(address): Path<String>,
    Json(wanted): Json<ActiveWanted>,
) -> Answer<Done> {
    activate(&caller, ScriptsOf::Person(&address), &wanted).await
}

async fn domains(caller: DomainLook, Path(domain): Path<String>) -> Answer<Many<ScriptView>> {
    all(&caller, ScriptsOf::Domain(&domain)).await
}

async fn domains_one(caller: DomainLook, Path((domain, name)): Path<(String, String)>) -> Answer<Seen<ScriptText>> {
    one(&caller, ScriptsOf::Domain(&domain), &name).await
}

async fn put_domains(
    caller: DomainChange,
    Path((domain, name)): Path<(String, String)>,
    Json(form): Json<ScriptForm>,
) -> Answer<Seen<ScriptText>> {
    put(&caller, ScriptsOf::Domain(&domain), &name, &form).await
}

async fn remove_domains(caller: DomainChange, Path((domain, name)): Path<(String, String)>) -> Answer<Done> {
    remove(&caller, ScriptsOf::Domain(&domain), &name).await
}

async fn house(caller: OwnerLook) -> Answer<Many<ScriptView>> {
    all(&caller, ScriptsOf::House).await
}

async fn house_one(caller: OwnerLook, Path(name): Path<String>) -> Answer<Seen<ScriptText>> {
    one(&caller, ScriptsOf::House, &name).await
}

async fn put_house(
    caller: OwnerChange,
    Path(name): Path<String>,
    Json(form): Json<ScriptForm>,
) -> Answer<Seen<ScriptText>> {
    put(&caller, ScriptsOf::House, &name, &form).await
}

async fn remove_house(caller: OwnerChange, Path(name): Path<String>) -> Answer<Done> {
    remove(&caller, ScriptsOf::House, &name).await
}

async fn all<L, S>(caller: &Caller<L, S>, of: ScriptsOf<'_>) -> Answer<Many<ScriptView>> {
    let rows = caller.web.service().scripts(&caller.actor, of).await?;
    Ok(Many(Rows { rows, next: None }))
}

async fn one<L, S>(caller: &Caller<L, S>, of: ScriptsOf<'_>, name: &str) -> Answer<Seen<ScriptText>> {
    Ok(Seen(caller.web.service().script(&caller.actor, of, name).await?))
}

async fn put<L, S>(
    caller: &Caller<L, S>,
    of: ScriptsOf<'_>,
    name: &str,
    form: &ScriptForm,
) -> Answer<Seen<ScriptText>> {
    Ok(Seen(caller.web.service().put_script(&caller.actor, of, name, &form.script).await?))
}

async fn remove<L, S>(caller: &Caller<L, S>, of: ScriptsOf<'_>, name: &str) -> Answer<Done> {
    caller.web.service().remove_script(&caller.actor, of, name).await?;
    Ok(Done)
}

async fn activate<L, S>(caller: &Caller<L, S>, of: ScriptsOf<'_>, wanted: &ActiveWanted) -> Answer<Done> {
    caller.web.service().activate_script(&caller.actor, of, wanted.name.as_deref()).await?;
    Ok(Done)
}

async fn checked<L, S>(caller: &Caller<L, S>, of: ScriptsOf<'_>, form: &ScriptForm) -> Answer<Seen<Checked>> {
    Ok(Seen(Checked { faults: caller.web.service().check_script(&caller.actor, of, &form.script).await? }))
}
