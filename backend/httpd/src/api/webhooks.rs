//! Webhooks: other programs are told what happens.

use axum::extract::Path;
use relais_service::{NewWebhookForm, WebhookDeliveryView, WebhookForm, WebhookTest, WebhookView};
use serde::Serialize;
use utoipa::ToSchema;

use super::PageWanted;
use super::kit::{Answer, Caller, Done, Json, Many, Operations, Query, Read, Seen, ShownOnce, Write, group, least};

type Look = Caller<least::DomainAdmin, Read<group::Webhooks>>;
type Change = Caller<least::DomainAdmin, Write<group::Webhooks>>;

pub(super) fn operations(operations: Operations) -> Operations {
    operations
        .get("/webhooks", list, "Webhooks, those that the asker sees")
        .post("/webhooks", create, "Add a webhook; the key of its signatures is shown once")
        .get("/webhooks/{id}", show, "One webhook")
        .patch("/webhooks/{id}", change, "Change a webhook, or switch it on or off")
        .delete("/webhooks/{id}", remove, "Remove a webhook with what waits for it")
        .get("/webhooks/{id}/deliveries", deliveries, "What was told to a webhook and what waits, the latest first")
        .post("/webhooks/{id}/deliveries/{event}/resend", resend, "Tell an event again")
        .post("/webhooks/{id}/test", test, "Send a sample event at once")
}

/// A webhook that was made.
#[derive(Debug, Serialize, ToSchema)]
struct MadeWebhook {
    /// The webhook.
    webhook: WebhookView,
    /// The key of the signatures, `whsec_…`, as the Standard Webhooks libraries take it; null where the answer is repeated.
    secret: Option<String>,
}

async fn list(caller: Look, Query(wanted): Query<PageWanted>) -> Answer<Many<WebhookView>> {
    Ok(Many(caller.web.service().webhooks(&caller.actor, wanted.paging()).await?))
}

async fn create(caller: Change, Json(form): Json<NewWebhookForm>) -> Answer<ShownOnce<MadeWebhook>> {
    let made = caller.web.service().create_webhook(&caller.actor, &form).await?;
    Ok(ShownOnce { secret: "secret", body: MadeWebhook { webhook: made.webhook, secret: Some(made.secret) } })
}

async fn show(caller: Look, Path(id): Path<String>) -> Answer<Seen<WebhookView>> {
    Ok(Seen(caller.web.service().webhook(&caller.actor, &id).await?))
}

async fn change(caller: Change, Path(id): Path<String>, Json(form): Json<WebhookForm>) -> Answer<Seen<WebhookView>> {
    Ok(Seen(caller.web.service().change_webhook(&caller.actor, &id, &form).await?))
}

async fn remove(caller: Change, Path(id): Path<String>) -> Answer<Done> {
    caller.web.service().remove_webhook(&caller.actor, &id).await?;
    Ok(Done)
}

async fn deliveries(
    caller: Look,
    Path(id): Path<String>,
    Query(wanted): Query<PageWanted>,
) -> Answer<Many<WebhookDeliveryView>> {
    Ok(Many(caller.web.service().webhook_deliveries(&caller.actor, &id, wanted.paging()).await?))
}

async fn resend(caller: Change, Path((id, event)): Path<(String, String)>) -> Answer<Done> {
    caller.web.service().resend_webhook(&caller.actor, &id, &event).await?;
    Ok(Done)
}

async fn test(caller: Change, Path(id): Path<String>) -> Answer<Seen<WebhookTest>> {
    Ok(Seen(caller.web.service().test_webhook(&caller.actor, &id).await?))
}
