//! Domains.

use axum::extract::Path;
use relais_service::{DomainChange, DomainGoing, DomainView, DomainsWanted, NewDomain, ReportSourceView, ReportsView};
use serde::Deserialize;
use utoipa::IntoParams;

use super::kit::{
    Answer, Caller, Done, IfMatch, Json, Made, Many, One, Operations, PREFIX, Query, Read, Seen, Write, group, least,
};
use super::{PageWanted, segment};

type Look = Caller<least::HelpDesk, Read<group::Domains>>;
type LookReports = Caller<least::DomainAdmin, Read<group::Domains>>;
type Change = Caller<least::DomainAdmin, Write<group::Domains>>;
type Own = Caller<least::Owner, Write<group::Domains>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/domains", list, "Domains, those that the asker sees")
        .post("/domains", create, "Add a domain")
        .get("/domains/{domain}", show, "One domain")
        .patch("/domains/{domain}", change, "Change a domain")
        .delete("/domains/{domain}", remove, "Remove a domain with all that is in it; for 30 days it can be restored")
        .get("/domains/{domain}/going", going, "What goes with a domain, were it removed")
        .get(
            "/domains/{domain}/reports",
            reports,
            "What others reported of a domain's mail, and of TLS to it, in thirty days",
        )
        .get(
            "/domains/{domain}/report-sources",
            report_sources,
            "Where mail with a domain's name came from, by those reports",
        )
        .post("/domains/{domain}/restore", restore, "Restore a domain that was removed, with all that was in it")
        .put(
            "/domains/{domain}/other-names/{other}",
            add_other_name,
            "Give a domain another name: its addresses lead where the domain's own lead",
        )
        .delete("/domains/{domain}/other-names/{other}", remove_other_name, "Take another name from a domain")
}

async fn list(caller: Look, Query(wanted): Query<DomainsWanted>) -> Answer<Many<DomainView>> {
    Ok(Many(caller.web.service().domains.list(&caller.actor, &wanted).await?))
}

async fn reports(caller: LookReports, Path(domain): Path<String>) -> Answer<Seen<ReportsView>> {
    Ok(Seen(caller.web.service().reports(&caller.actor, &domain).await?))
}

async fn report_sources(
    caller: LookReports,
    Path(domain): Path<String>,
    Query(wanted): Query<PageWanted>,
) -> Answer<Many<ReportSourceView>> {
    Ok(Many(caller.web.service().report_sources(&caller.actor, &domain, wanted.paging()).await?))
}

async fn create(caller: Own, Json(new): Json<NewDomain>) -> Answer<Made<DomainView>> {
    let body = caller.web.service().domains.create(&caller.actor, new).await?;
    Ok(Made { at: format!("{PREFIX}/domains/{}", segment(&body.ascii)), body })
}

async fn show(caller: Look, Path(domain): Path<String>) -> Answer<One<DomainView>> {
    Ok(One(caller.web.service().domains.show(&caller.actor, &domain).await?))
}

async fn change(
    caller: Change,
    Path(domain): Path<String>,
    read: IfMatch,
    Json(change): Json<DomainChange>,
) -> Answer<One<DomainView>> {
    let domains = &caller.web.service().domains;
    Ok(One(domains.change(&caller.actor, &domain, change, read.version()).await?))
}

/// How a domain is removed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct RemovalWanted {
    /// Only if neither people nor aliases are in it.
    only_empty: bool,
    /// At once and for good: nobody can restore it. It may be removed already.
    for_good: bool,
}

async fn remove(
    caller: Own,
    Path(domain): Path<String>,
    read: IfMatch,
    Query(wanted): Query<RemovalWanted>,
) -> Answer<Done> {
    let domains = &caller.web.service().domains;
    if wanted.only_empty {
        domains.remove_empty(&caller.actor, &domain, read.version()).await?;
    } else if wanted.for_good {
        domains.remove_for_good(&caller.actor, &domain, read.version()).await?;
    } else {
        domains.remove(&caller.actor, &domain, read.version()).await?;
    }
    Ok(Done)
}

async fn going(caller: Look, Path(domain): Path<String>) -> Answer<Seen<DomainGoing>> {
    Ok(Seen(caller.web.service().domains.going(&caller.actor, &domain).await?))
}

async fn restore(caller: Own, Path(domain): Path<String>) -> Answer<One<DomainView>> {
    Ok(One(caller.web.service().domains.restore(&caller.actor, &domain).await?))
}

async fn add_other_name(caller: Own, Path((domain, other)): Path<(String, String)>) -> Answer<One<DomainView>> {
    Ok(One(caller.web.service().domains.add_other_name(&caller.actor, &domain, &other).await?))
}

async fn remove_other_name(caller: Own, Path((domain, other)): Path<(String, String)>) -> Answer<One<DomainView>> {
    Ok(One(caller.web.service().domains.remove_other_name(&caller.actor, &domain, &other).await?))
}
