//! Addresses: aliases, forwards, and where an address leads.

use axum::extract::Path;
use relais_service::{
    AddressView, AddressesWanted, AliasChange, AliasView, LeadsTo, NewAlias, PatternTrial, PatternTried, Resolved,
};

use super::kit::{
    Answer, Caller, Done, IfMatch, Json, Made, Many, One, Operations, PREFIX, Query, Read, Seen, Write, group, least,
};
use super::segment;

type Look = Caller<least::HelpDesk, Read<group::Addresses>>;
type Try = Caller<least::DomainAdmin, Read<group::Addresses>>;
type Change = Caller<least::DomainAdmin, Write<group::Addresses>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/addresses", list, "All addresses: people's own, aliases, forwards, catch-alls, other names of domains")
        .post("/addresses", create, "Add an alias")
        .get("/addresses/try", try_pattern, "Whether a sample would fit a wildcard or a regular expression")
        .get("/addresses/{address}", show, "One alias")
        .patch("/addresses/{address}", change, "Change what is said of an alias, or bring back one that has ended")
        .delete("/addresses/{address}", remove, "Remove an alias")
        .get("/addresses/{address}/resolve", resolve, "Where mail for an address goes, step by step")
        .get("/addresses/{address}/leads-to", leads_to, "What leads to an address")
}

async fn list(caller: Look, Query(wanted): Query<AddressesWanted>) -> Answer<Many<AddressView>> {
    Ok(Many(caller.web.service().addresses.list(&caller.actor, &wanted).await?))
}

async fn create(caller: Change, Json(new): Json<NewAlias>) -> Answer<Made<AliasView>> {
    let body = caller.web.service().addresses.create(&caller.actor, new).await?;
    Ok(Made { at: format!("{PREFIX}/addresses/{}", segment(&body.address.address)), body })
}

async fn show(caller: Look, Path(address): Path<String>) -> Answer<One<AliasView>> {
    Ok(One(caller.web.service().addresses.show(&caller.actor, &address).await?))
}

async fn change(
    caller: Change,
    Path(address): Path<String>,
    read: IfMatch,
    Json(change): Json<AliasChange>,
) -> Answer<One<AliasView>> {
    Ok(One(caller.web.service().addresses.change(&caller.actor, &address, change, read.version()).await?))
}

async fn remove(caller: Change, Path(address): Path<String>, read: IfMatch) -> Answer<Done> {
    caller.web.service().addresses.remove(&caller.actor, &address, read.version()).await?;
    Ok(Done)
}

async fn try_pattern(caller: Try, Query(trial): Query<PatternTrial>) -> Answer<Seen<PatternTried>> {
    Ok(Seen(caller.web.service().addresses.try_pattern(&caller.actor, &trial).await?))
}

async fn resolve(caller: Look, Path(address): Path<String>) -> Answer<Seen<Resolved>> {
    Ok(Seen(caller.web.service().addresses.resolve(&caller.actor, &address).await?))
}

async fn leads_to(caller: Look, Path(address): Path<String>) -> Answer<Seen<LeadsTo>> {
    Ok(Seen(caller.web.service().addresses.leads_to(&caller.actor, &address).await?))
}
