//! What webhooks are told of at once: queued by the transaction in which it happens.

use relais_model::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::hooks::IS_TOLD;
use super::{MAX_WEBHOOKS, WebhookEvent, WebhookState};
use crate::dns::DnsNews;
use crate::key::Keys;
use crate::{AccountKey, DomainKey, HoldNews};

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
    let sql = "SELECT domain_key FROM account WHERE account_key = $1";
    let domain: Option<i64> = sqlx::query_scalar(sql).bind(account.value()).fetch_optional(&mut *tx).await?;
    let event = News { event: WebhookEvent::AccountSignedIn, id: &news.event_id, payload: &news.payload };
    queue(tx, keys, now, domain.map(DomainKey::new), event).await
}

/// Queues that a person's mail is held.
pub(crate) async fn tell_hold(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    domain: Option<DomainKey>,
    news: &HoldNews,
) -> Result<(), sqlx::Error> {
    let event = News { event: WebhookEvent::AccountHeld, id: &news.event_id, payload: &news.payload };
    queue(tx, keys, now, domain, event).await
}

/// Queues what turned for the worse in the DNS of a domain, or, with none, of the host.
pub(crate) async fn tell_dns(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    domain: Option<DomainKey>,
    news: &DnsNews,
) -> Result<(), sqlx::Error> {
    let event = News { event: WebhookEvent::DnsWorse, id: &news.event_id, payload: &news.payload };
    queue(tx, keys, now, domain, event).await
}

struct News<'a> {
    event: WebhookEvent,
    /// The same through all attempts.
    id: &'a str,
    /// JSON.
    payload: &'a str,
}

/// For those who want to hear of it: of all domains, or of this one.
async fn queue(
    tx: &mut AnyConnection,
    keys: &Keys,
    now: Timestamp,
    domain: Option<DomainKey>,
    news: News<'_>,
) -> Result<(), sqlx::Error> {
    let text = format!(
        "SELECT webhook_key, events FROM webhook WHERE {IS_TOLD} AND (domain_key IS NULL OR domain_key = $1)
         ORDER BY webhook_key LIMIT $2"
    );
    let query = sqlx::query_as(AssertSqlSafe(text)).bind(domain.map(DomainKey::value)).bind(MAX_WEBHOOKS);
    let webhooks: Vec<(i64, String)> = query.fetch_all(&mut *tx).await?;
    let event = news.event.as_str();
    for (webhook, _) in webhooks.iter().filter(|(_, events)| events.split(' ').any(|wanted| wanted == event)) {
        let sql = "INSERT INTO webhook_delivery (delivery_key, webhook_key, event_id, event, payload, state,
                       attempts, next_attempt_at, last_error, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '', $7)";
        sqlx::query(sql)
            .bind(keys.next(now))
            .bind(*webhook)
            .bind(news.id)
            .bind(event)
            .bind(news.payload)
            .bind(WebhookState::Waiting as i64)
            .bind(now.millis())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
