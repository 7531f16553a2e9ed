//! The DNS: which records are wanted, whether they stand, and setting them at a provider. What is said of a domain is said of the host at
//! `/dns/host`.

use axum::extract::Path;
use relais_service::{
    DkimKeyView, DnsAccountChange, DnsAccountView, DnsPreview, DnsProviderKind, DnsPushForm, DnsPushView, DnsReport,
    DnsRow, DnsTurn, DnsVerdict, DnsWanted, NewDnsAccount, Rows,
};
use serde::Deserialize;

use super::kit::{
    Answer, Caller, Done, IfUnchanged, Json, Made, Many, Operations, PREFIX, Plain, Query, Read, Seen, Write, group,
    least,
};
use super::{PageWanted, paging, segment};

type Look = Caller<least::DomainAdmin, Read<group::Dns>>;
type Check = Caller<least::DomainAdmin, Write<group::Dns>>;
type OwnerLook = Caller<least::Owner, Read<group::Dns>>;
type OwnerChange = Caller<least::Owner, Write<group::Dns>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/dns", list, "Domains, with how their last checks came out")
        .get("/dns/host", host, "The host's own checks: address, name, port 25, blocklists")
        .long_post("/dns/host/check", check_host, "Check the host")
        .get("/dns/host/zone-file", host_zone_file, "The records that the host wants in its own zone, as a zone file")
        .long_post("/dns/host/preview", preview_host, "What setting the host's records at its provider would change")
        .long_post("/dns/host/push", push_host, "Set the host's records at its provider, as a preview showed")
        .get(
            "/dns/providers",
            providers,
            "Providers whose zones can be changed from here, with what each wants to be told",
        )
        .get("/dns/accounts", accounts, "Accounts at providers")
        .long_post("/dns/accounts", add_account, "Add an account at a provider; its key is tried")
        .get("/dns/accounts/{id}", account, "One account at a provider")
        .patch("/dns/accounts/{id}", change_account, "Change an account's name, or renew its key")
        .delete("/dns/accounts/{id}", remove_account, "Forget an account and its key; the records stay")
        .get("/dns/receipts", receipts, "What was changed at providers, the latest first")
        .long_post("/dns/receipts/{id}/undo", undo, "Put back what stood before a change")
        .get("/dns/{domain}", show, "A domain's records, with the verdict on each and how to mend it")
        .long_post("/dns/{domain}/check", check, "Check a domain")
        .long_post(
            "/dns/{domain}/keys",
            rotate_keys,
            "Make new keys that sign a domain's mail: they sign once their records are seen",
        )
        .get("/dns/{domain}/zone-file", zone_file, "The records that a domain wants, as a zone file (RFC 1035)")
        .get("/dns/{domain}/turns", turns, "Checks that came out otherwise than before, the latest first")
        .long_post("/dns/{domain}/preview", preview, "What setting a domain's records at its provider would change")
        .long_post("/dns/{domain}/push", push, "Set a domain's records at its provider, as a preview showed")
}

/// The domains that are wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
struct ListWanted {
    /// Only those whose worst verdict is this.
    #[param(inline)]
    verdict: Option<DnsVerdict>,
    /// Only those whose name holds this.
    search: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows wanted; 50 where it isn't said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// How a check is asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
struct CheckWanted {
    /// `true`: the answer comes when the check is over, within two minutes. Else it comes at once, and `is_running` says whether it still goes on.
    wait: bool,
}

/// The changes that are wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
struct ReceiptsWanted {
    /// Only those made for this domain.
    domain: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows wanted; 50 where it isn't said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

async fn list(caller: Look, Query(wanted): Query<ListWanted>) -> Answer<Many<DnsRow>> {
    let ListWanted { verdict, search, after, limit } = wanted;
    let wanted = DnsWanted { verdict, search, after, limit };
    Ok(Many(caller.web.service().dns.list(&caller.actor, &wanted).await?))
}

async fn host(caller: Look) -> Answer<Seen<DnsReport>> {
    Ok(Seen(caller.web.service().dns.host(&caller.actor).await?))
}

async fn show(caller: Look, Path(domain): Path<String>) -> Answer<Seen<DnsReport>> {
    Ok(Seen(caller.web.service().dns.show(&caller.actor, &domain).await?))
}

async fn rotate_keys(caller: Check, Path(domain): Path<String>) -> Answer<Many<DkimKeyView>> {
    let rows = caller.web.service().dns.rotate_keys(&caller.actor, &domain).await?;
    Ok(Many(Rows { rows, next: None }))
}

async fn check_host(caller: OwnerChange, Query(wanted): Query<CheckWanted>) -> Answer<Seen<DnsReport>> {
    let dns = &caller.web.service().dns;
    if wanted.wait {
        return Ok(Seen(dns.check_and_wait(&caller.actor, None).await?));
    }
    dns.check(&caller.actor, None).await?;
    Ok(Seen(dns.host(&caller.actor).await?))
}

async fn check(
    caller: Check,
    Path(domain): Path<String>,
    Query(wanted): Query<CheckWanted>,
) -> Answer<Seen<DnsReport>> {
    let dns = &caller.web.service().dns;
    if wanted.wait {
        return Ok(Seen(dns.check_and_wait(&caller.actor, Some(&domain)).await?));
    }
    dns.check(&caller.actor, Some(&domain)).await?;
    Ok(Seen(dns.show(&caller.actor, &domain).await?))
}

async fn host_zone_file(caller: Look) -> Answer<Plain> {
    Ok(Plain(caller.web.service().dns.zone_file(&caller.actor, None).await?))
}

async fn zone_file(caller: Look, Path(domain): Path<String>) -> Answer<Plain> {
    Ok(Plain(caller.web.service().dns.zone_file(&caller.actor, Some(&domain)).await?))
}

async fn turns(caller: Look, Path(domain): Path<String>, Query(wanted): Query<PageWanted>) -> Answer<Many<DnsTurn>> {
    Ok(Many(caller.web.service().dns.turns(&caller.actor, Some(&domain), wanted.paging()).await?))
}

async fn providers(caller: OwnerLook) -> Answer<Many<DnsProviderKind>> {
    let rows = caller.web.service().dns.providers(&caller.actor)?;
    Ok(Many(Rows { rows, next: None }))
}

async fn accounts(caller: OwnerLook, Query(wanted): Query<PageWanted>) -> Answer<Many<DnsAccountView>> {
    Ok(Many(caller.web.service().dns.accounts(&caller.actor, wanted.paging()).await?))
}

async fn account(caller: OwnerLook, Path(id): Path<String>) -> Answer<Seen<DnsAccountView>> {
    Ok(Seen(caller.web.service().dns.account(&caller.actor, &id).await?))
}

async fn add_account(caller: OwnerChange, Json(new): Json<NewDnsAccount>) -> Answer<Made<DnsAccountView>> {
    let body = caller.web.service().dns.add_account(&caller.actor, new).await?;
    Ok(Made { at: format!("{PREFIX}/dns/accounts/{}", segment(&body.id)), body })
}

async fn change_account(
    caller: OwnerChange,
    Path(id): Path<String>,
    Json(change): Json<DnsAccountChange>,
) -> Answer<Seen<DnsAccountView>> {
    Ok(Seen(caller.web.service().dns.change_account(&caller.actor, &id, change).await?))
}

async fn remove_account(caller: OwnerChange, Path(id): Path<String>) -> Answer<Done> {
    caller.web.service().dns.remove_account(&caller.actor, &id).await?;
    Ok(Done)
}

async fn preview_host(caller: OwnerChange, Json(form): Json<DnsPushForm>) -> Answer<Seen<DnsPreview>> {
    Ok(Seen(caller.web.service().dns.preview(&caller.actor, None, &form).await?))
}

async fn preview(
    caller: OwnerChange,
    Path(domain): Path<String>,
    Json(form): Json<DnsPushForm>,
) -> Answer<Seen<DnsPreview>> {
    Ok(Seen(caller.web.service().dns.preview(&caller.actor, Some(&domain), &form).await?))
}

async fn push_host(caller: OwnerChange, Json(form): Json<DnsPushForm>) -> Answer<IfUnchanged<DnsPushView>> {
    Ok(IfUnchanged(caller.web.service().dns.push(&caller.actor, None, &form).await?))
}

async fn push(
    caller: OwnerChange,
    Path(domain): Path<String>,
    Json(form): Json<DnsPushForm>,
) -> Answer<IfUnchanged<DnsPushView>> {
    Ok(IfUnchanged(caller.web.service().dns.push(&caller.actor, Some(&domain), &form).await?))
}

async fn receipts(caller: OwnerLook, Query(wanted): Query<ReceiptsWanted>) -> Answer<Many<DnsPushView>> {
    let ReceiptsWanted { domain, after, limit } = wanted;
    let domain = domain.as_deref().filter(|domain| !domain.is_empty());
    Ok(Many(caller.web.service().dns.pushes(&caller.actor, domain, paging(after, limit)).await?))
}

async fn undo(caller: OwnerChange, Path(id): Path<String>) -> Answer<IfUnchanged<DnsPushView>> {
    Ok(IfUnchanged(caller.web.service().dns.undo(&caller.actor, &id).await?))
}
