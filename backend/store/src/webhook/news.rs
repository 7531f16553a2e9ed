//! What webhooks are told of at once: queued by the transaction in which it happens.

use relais_model::Timestamp;
use sqlx::AnyConnection;

use super::{MAX_WEBHOOKS, WebhookEvent, WebhookState};
use crate::key::Keys;
use crate::{AccountKey, DomainKey};

/// What webhooks are told of someone who signed in, written in the transaction that lets them in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInNews {
    /// The same through all attempts.
    pub event_id: String,
    /// JSON.
    pub payload: String,
}

/// Queues a sign-in for those who want to hear of it.
pub(crate) async fn tell_sign_in(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    account: AccountKey,
    news: &SignInNews,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT webhook_key, events FROM webhook
               WHERE is_enabled = 1
                 AND (domain_key IS NULL OR domain_key = (SELECT domain_key FROM account WHERE account_key = $1))
                 AND (account_key IS NULL OR EXISTS (SELECT 1 FROM account a WHERE a.account_key = webhook.account_key
                                                     AND a.is_suspended = 0 AND a.removed_at IS NULL))
               ORDER BY webhook_key LIMIT $2";
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sql).bind(account.value()).bind(MAX_WEBHOOKS).fetch_all(&mut *tx).await?;
    queue(tx, keys, now, &rows, WebhookEvent::AccountSignedIn, &news.event_id, &news.payload).await
}

/// Queues what turned for the worse in the DNS of a domain, or, with none, of the host.
pub(crate) async fn tell_dns(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    domain: Option<DomainKey>,
    event_id: &str,
    payload: &str,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT webhook_key, events FROM webhook
               WHERE is_enabled = 1 AND (domain_key IS NULL OR domain_key = $1)
                 AND (account_key IS NULL OR EXISTS (SELECT 1 FROM account a WHERE a.account_key = webhook.account_key
                                                     AND a.is_suspended = 0 AND a.removed_at IS NULL))
               ORDER BY webhook_key LIMIT $2";
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sql).bind(domain.map(DomainKey::value)).bind(MAX_WEBHOOKS).fetch_all(&mut *tx).await?;
    queue(tx, keys, now, &rows, WebhookEvent::DnsWorse, event_id, payload).await
}

/// For those of `webhooks` (with the names of their events) that want to hear of `event`.
async fn queue(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    webhooks: &[(i64, String)],
    event: WebhookEvent,
    event_id: &str,
    payload: &str,
) -> Result<(), sqlx::Error> {
    let event = event.as_str();
    for (webhook, _) in webhooks.iter().filter(|(_, events)| events.split(' ').any(|wanted| wanted == event)) {
        let sql = "INSERT INTO webhook_delivery (delivery_key, webhook_key, event_id, event, payload, state,
                       attempts, next_attempt_at, last_error, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '', $7)";
        sqlx::query(sql)
            .bind(keys.next(now))
            .bind(*webhook)
            .bind(event_id)
            .bind(event)
            .bind(payload)
            .bind(WebhookState::Waiting as i64)
            .bind(now.millis())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
