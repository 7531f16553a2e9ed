//! Certificates: those that are kept, the names that wait for one, the orders at the CA, and what the doors show.

use axum::extract::Path;
use relais_service::{
    CaView, CertificateNameRow, CertificateOrderRow, CertificateRow, DoorView, OwnCertificateForm, Rows, WantedNameForm,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::kit::{Answer, Caller, Done, Json, Made, Many, Operations, PREFIX, Query, Read, Seen, Write, group, least};
use super::{PageWanted, segment};

type Look = Caller<least::DomainAdmin, Read<group::Certificates>>;
type LookOwner = Caller<least::Owner, Read<group::Certificates>>;
type Change = Caller<least::DomainAdmin, Write<group::Certificates>>;
type ChangeOwner = Caller<least::Owner, Write<group::Certificates>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/certificates", list, "Certificates that are kept, the latest first")
        .post("/certificates", bring, "Bring a certificate of one's own; all doors show it at once")
        .get("/certificates/authority", authority, "The CA, and how we stand with it")
        .get("/certificates/doors", doors, "What each door really shows: they are knocked at, five seconds at most")
        .get("/certificates/names", names, "The names that certificates are wanted for")
        .post("/certificates/names", want, "Ask for a certificate for one more name")
        .delete("/certificates/names/{name}", unwant, "Ask no longer for a certificate for a name")
        .post("/certificates/order", order, "Have names looked at and ordered now; owners may leave them out, for all")
        .get("/certificates/orders", orders, "What came of the orders, the latest first")
        .get("/certificates/{id}", show, "One certificate")
        .delete("/certificates/{id}", remove, "Remove a certificate with its private key")
        .post("/certificates/{id}/renew", renew, "Renew an ordered certificate now")
}

async fn list(caller: Look, Query(wanted): Query<PageWanted>) -> Answer<Many<CertificateRow>> {
    Ok(Many(caller.web.service().stored_certificates(&caller.actor, wanted.paging()).await?))
}

async fn bring(caller: ChangeOwner, Json(form): Json<OwnCertificateForm>) -> Answer<Made<CertificateRow>> {
    let body = caller.web.service().bring_certificate(&caller.actor, &form).await?;
    Ok(Made { at: format!("{PREFIX}/certificates/{}", segment(&body.id)), body })
}

async fn show(caller: LookOwner, Path(id): Path<String>) -> Answer<Seen<CertificateRow>> {
    Ok(Seen(caller.web.service().certificate(&caller.actor, &id).await?))
}

async fn remove(caller: ChangeOwner, Path(id): Path<String>) -> Answer<Done> {
    caller.web.service().remove_certificate(&caller.actor, &id).await?;
    Ok(Done)
}

async fn renew(caller: ChangeOwner, Path(id): Path<String>) -> Answer<Done> {
    caller.web.service().renew_certificate(&caller.actor, &id).await?;
    Ok(Done)
}

async fn names(caller: Look, Query(wanted): Query<PageWanted>) -> Answer<Many<CertificateNameRow>> {
    Ok(Many(caller.web.service().certificate_names(&caller.actor, wanted.paging()).await?))
}

async fn want(caller: Change, Json(form): Json<WantedNameForm>) -> Answer<Made<CertificateNameRow>> {
    let body = caller.web.service().want_certificate(&caller.actor, &form).await?;
    Ok(Made { at: format!("{PREFIX}/certificates/names/{}", segment(&body.ascii)), body })
}

async fn unwant(caller: Change, Path(name): Path<String>) -> Answer<Done> {
    caller.web.service().unwant_certificate(&caller.actor, &name).await?;
    Ok(Done)
}

/// What is to be ordered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrderForm {
    /// Names that certificates are wanted for; left out: all that wait or were refused, for owners.
    #[serde(default)]
    names: Option<Vec<String>>,
}

async fn order(caller: Change, Json(form): Json<OrderForm>) -> Answer<Done> {
    caller.web.service().order_certificates(&caller.actor, form.names.as_deref()).await?;
    Ok(Done)
}

async fn orders(caller: LookOwner, Query(wanted): Query<PageWanted>) -> Answer<Many<CertificateOrderRow>> {
    Ok(Many(caller.web.service().certificate_orders(&caller.actor, wanted.paging()).await?))
}

async fn authority(caller: LookOwner) -> Answer<Seen<CaView>> {
    Ok(Seen(caller.web.service().certificate_authority(&caller.actor).await?))
}

/// For which name the doors are looked at.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
struct DoorsWanted {
    /// The name that is asked for; the house's own where it isn't said.
    name: Option<String>,
}

async fn doors(caller: LookOwner, Query(wanted): Query<DoorsWanted>) -> Answer<Many<DoorView>> {
    let rows = caller.web.service().look_at_doors(&caller.actor, wanted.name.as_deref()).await?;
    Ok(Many(Rows { rows, next: None }))
}
