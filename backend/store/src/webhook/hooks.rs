//! Webhooks: who is told, of what, and where.

use relais_model::{Domain, Secret, Timestamp};
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{ERROR_OCTETS, WebhookEvent, deed};
use crate::audit::Author;
use crate::directory::read_name;
use crate::page::{Listing, Page};
use crate::sql::{Select, shorten};
use crate::{AccountKey, DomainKey, Store, StoreError, TraceKey, WebhookKey};

/// Webhooks of the house, at most.
pub const MAX_WEBHOOKS: i64 = 100;

/// One webhook, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its row.
    pub key: WebhookKey,
    /// What it is called outside.
    pub id: String,
    /// Who made it; none: the command line.
    pub account: Option<AccountKey>,
    /// Only events of this domain; none: of all.
    pub domain: Option<DomainKey>,
    /// That domain's name.
    pub domain_name: Option<Domain>,
    /// Where it is told.
    pub url: String,
    /// Of what.
    pub events: Vec<WebhookEvent>,
    /// For people.
    pub description: String,
    /// It is told.
    pub is_enabled: bool,
    /// Why the house switched it off; empty: it did not.
    pub stopped_because: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A webhook that is to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// What it is called outside.
    pub id: String,
    /// Who makes it.
    pub account: Option<AccountKey>,
    /// Only events of this domain; none: of all.
    pub domain: Option<DomainKey>,
    /// Where it is told.
    pub url: String,
    /// Of what.
    pub events: Vec<WebhookEvent>,
    /// For people.
    pub description: String,
    /// The key of the signatures, in base64.
    pub secret: Secret,
}

/// What of a webhook is to be changed; none of a thing leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookChange {
    /// Where it is told.
    pub url: Option<String>,
    /// Of what.
    pub events: Option<Vec<WebhookEvent>>,
    /// For people.
    pub description: Option<String>,
    /// Whether it is told.
    pub is_enabled: Option<bool>,
}

/// Why a webhook wasn't made or changed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is none of that name.
    #[error("there is no such webhook")]
    Unknown,
    /// There are [`MAX_WEBHOOKS`].
    #[error("there are as many webhooks as there may be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for WebhookError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

const COLUMNS: &str = "webhook_key, id, account_key, domain_key, url, events, description, is_enabled, stopped_because, \
    created_at, (SELECT d.name FROM domain d WHERE d.domain_key = webhook.domain_key)";

/// Of a webhook that is on, and not of someone who is suspended or on their way out.
pub(super) const IS_TOLD: &str = "is_enabled = 1 AND (account_key IS NULL OR EXISTS (SELECT 1 FROM account a
    WHERE a.account_key = webhook.account_key AND a.is_suspended = 0 AND a.removed_at IS NULL))";

impl Store {
    /// Makes a webhook. What happens from here on is told.
    ///
    /// # Errors
    /// [`WebhookError::TooMany`].
    pub async fn add_webhook(&self, by: &Author, new: NewWebhook) -> Result<Webhook, WebhookError> {
        let scribe = self.scribe(by);
        self.write(move |tx| {
            Box::pin(async move {
                let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM webhook").fetch_one(&mut *tx).await?;
                if MAX_WEBHOOKS <= count {
                    return Err(WebhookError::TooMany);
                }
                begin_at(tx, TraceKey::at(scribe.now())).await?;
                let id = new.id.clone();
                insert(tx, WebhookKey::new(scribe.next_key()), scribe.now(), new).await?;
                let Some(webhook) = find(tx, &id).await? else { return Err(WebhookError::Unknown) };
                let deed = deed("webhook.create", &webhook).between(None, Some(told(&webhook)));
                scribe.note(tx, deed).await?;
                Ok(webhook)
            })
        })
        .await
    }

    /// The webhooks of these domains, or all, the latest first.
    pub async fn webhooks(&self, domains: Option<&[DomainKey]>, page: &Page) -> Result<Listing<Webhook>, StoreError> {
        let mut select = Select::new(format!("SELECT {COLUMNS} FROM webhook WHERE webhook_key < "));
        select.value(page.before_key());
        if let Some(domains) = domains {
            select.say(" AND ").any(domains, |select, domain| {
                select.say("domain_key = ").value(domain.value());
            });
        }
        select.say(" ORDER BY webhook_key DESC LIMIT ").value(page.rows_to_ask());
        let rows = select.query(self.engine())?.fetch_all(&mut *self.reader().await?).await?;
        let webhooks = rows.iter().map(read_webhook).collect::<Result<Vec<_>, _>>()?;
        Ok(page.cut_by_key(webhooks, |webhook| webhook.key.value()))
    }

    /// One webhook; none where it isn't there.
    pub async fn webhook(&self, id: &str) -> Result<Option<Webhook>, StoreError> {
        find(&mut *self.reader().await?, id).await
    }

    /// The key that a webhook's signatures are made with; none where it is gone.
    pub async fn webhook_secret(&self, key: WebhookKey) -> Result<Option<Secret>, StoreError> {
        let sql = "SELECT secret FROM webhook WHERE webhook_key = $1";
        let secret: Option<String> =
            sqlx::query_scalar(sql).bind(key.value()).fetch_optional(&mut *self.reader().await?).await?;
        Ok(secret.map(Secret::new))
    }

    /// Those that are told: at most [`MAX_WEBHOOKS`]. Not those of someone who is suspended or on their way out.
    pub async fn enabled_webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM webhook WHERE {IS_TOLD} ORDER BY webhook_key LIMIT $1");
        let query = sqlx::query(AssertSqlSafe(text)).bind(MAX_WEBHOOKS);
        let rows = query.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(read_webhook).collect()
    }

    /// Changes a webhook. What waits for one that is switched off is given up.
    ///
    /// # Errors
    /// [`WebhookError::Unknown`].
    pub async fn change_webhook(&self, by: &Author, id: &str, change: WebhookChange) -> Result<Webhook, WebhookError> {
        let (scribe, id) = (self.scribe(by), id.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let Some(before) = find(tx, &id).await? else { return Err(WebhookError::Unknown) };
                let is_enabled = change.is_enabled.unwrap_or(before.is_enabled);
                let after = Webhook {
                    url: change.url.unwrap_or_else(|| before.url.clone()),
                    events: change.events.unwrap_or_else(|| before.events.clone()),
                    description: change.description.unwrap_or_else(|| before.description.clone()),
                    is_enabled,
                    stopped_because: if is_enabled { String::new() } else { before.stopped_because.clone() },
                    ..before.clone()
                };
                if is_enabled && !before.is_enabled {
                    begin_at(tx, TraceKey::at(scribe.now())).await?;
                }
                update(tx, &after).await?;
                let (was, is) = (told(&before), told(&after));
                if was != is {
                    scribe.note(tx, deed("webhook.change", &after).between(Some(was), Some(is))).await?;
                }
                Ok(after)
            })
        })
        .await
    }

    /// Switches a webhook off that failed for too long, and says why in the activity.
    pub async fn stop_webhook(&self, key: WebhookKey, because: &str) -> Result<(), StoreError> {
        let (scribe, because) = (self.scribe(&Author::house()), shorten(because, ERROR_OCTETS).to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let text = AssertSqlSafe(format!("SELECT {COLUMNS} FROM webhook WHERE webhook_key = $1"));
                let row = sqlx::query(text).bind(key.value()).fetch_optional(&mut *tx).await?;
                let Some(before) = row.as_ref().map(read_webhook).transpose()? else { return Ok(()) };
                let after = Webhook { is_enabled: false, stopped_because: because, ..before.clone() };
                update(tx, &after).await?;
                let deed = deed("webhook.stop", &after).between(Some(told(&before)), Some(told(&after)));
                scribe.note(tx, deed).await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes a webhook with all that waits for it.
    ///
    /// # Errors
    /// [`WebhookError::Unknown`].
    pub async fn remove_webhook(&self, by: &Author, id: &str) -> Result<(), WebhookError> {
        let (scribe, id) = (self.scribe(by), id.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let Some(webhook) = find(tx, &id).await? else { return Err(WebhookError::Unknown) };
                remove_where(tx, "webhook_key", webhook.key.value()).await?;
                scribe.note(tx, deed("webhook.remove", &webhook).between(Some(told(&webhook)), None)).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Removes the webhooks whose `column` is `key`, with their deliveries.
pub(crate) async fn remove_where(tx: &mut AnyConnection, column: &str, key: i64) -> Result<(), sqlx::Error> {
    let deliveries = format!(
        "DELETE FROM webhook_delivery WHERE webhook_key IN (SELECT webhook_key FROM webhook WHERE {column} = $1)"
    );
    sqlx::query(AssertSqlSafe(deliveries)).bind(key).execute(&mut *tx).await?;
    let webhooks = format!("DELETE FROM webhook WHERE {column} = $1");
    sqlx::query(AssertSqlSafe(webhooks)).bind(key).execute(tx).await?;
    Ok(())
}

/// Where no webhook is told yet, events count from `key` on.
async fn begin_at(tx: &mut AnyConnection, key: TraceKey) -> Result<(), sqlx::Error> {
    let sql = "SELECT COUNT(*) FROM webhook WHERE is_enabled = 1";
    let told: i64 = sqlx::query_scalar(sql).fetch_one(&mut *tx).await?;
    if told == 0 {
        let sql = "INSERT INTO webhook_cursor (source, read_to) VALUES ('trace', $1)
                   ON CONFLICT (source) DO UPDATE SET read_to = excluded.read_to";
        sqlx::query(sql).bind(key.value()).execute(tx).await?;
    }
    Ok(())
}

async fn find(connection: &mut AnyConnection, id: &str) -> Result<Option<Webhook>, StoreError> {
    let text = AssertSqlSafe(format!("SELECT {COLUMNS} FROM webhook WHERE id = $1"));
    let row = sqlx::query(text).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(read_webhook).transpose()
}

async fn insert(tx: &mut AnyConnection, key: WebhookKey, now: Timestamp, new: NewWebhook) -> Result<(), sqlx::Error> {
    let sql =
        "INSERT INTO webhook (webhook_key, id, account_key, domain_key, url, events, description, secret, is_enabled,
                                    stopped_because, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, '', $9)";
    sqlx::query(sql)
        .bind(key.value())
        .bind(new.id)
        .bind(new.account.map(AccountKey::value))
        .bind(new.domain.map(DomainKey::value))
        .bind(new.url)
        .bind(write_events(&new.events))
        .bind(new.description)
        .bind(new.secret.expose())
        .bind(now.millis())
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes what may change of a webhook; what waits for one that is off is given up.
async fn update(tx: &mut AnyConnection, webhook: &Webhook) -> Result<(), sqlx::Error> {
    let sql = "UPDATE webhook SET url = $2, events = $3, description = $4, is_enabled = $5, stopped_because = $6
               WHERE webhook_key = $1";
    sqlx::query(sql)
        .bind(webhook.key.value())
        .bind(webhook.url.as_str())
        .bind(write_events(&webhook.events))
        .bind(webhook.description.as_str())
        .bind(i64::from(webhook.is_enabled))
        .bind(webhook.stopped_because.as_str())
        .execute(&mut *tx)
        .await?;
    if !webhook.is_enabled {
        let sql = "UPDATE webhook_delivery SET state = 2 WHERE webhook_key = $1 AND state = 0";
        sqlx::query(sql).bind(webhook.key.value()).execute(tx).await?;
    }
    Ok(())
}

/// What the activity tells of a webhook: never its secret, nor what may be one in its URL.
fn told(webhook: &Webhook) -> Value {
    json!({
        "url": webhook.url.split(['?', '#']).next().unwrap_or_default(),
        "events": write_events(&webhook.events),
        "description": webhook.description,
        "enabled": webhook.is_enabled,
        "stopped_because": webhook.stopped_because,
    })
}

fn write_events(events: &[WebhookEvent]) -> String {
    events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(" ")
}

fn read_webhook(row: &AnyRow) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        key: WebhookKey::new(row.try_get(0)?),
        id: row.try_get(1)?,
        account: row.try_get::<Option<i64>, _>(2)?.map(AccountKey::new),
        domain: row.try_get::<Option<i64>, _>(3)?.map(DomainKey::new),
        domain_name: row.try_get::<Option<&str>, _>(10)?.map(read_name).transpose()?,
        url: row.try_get(4)?,
        events: row.try_get::<&str, _>(5)?.split(' ').filter_map(WebhookEvent::parse).collect(),
        description: row.try_get(6)?,
        is_enabled: row.try_get::<i64, _>(7)? != 0,
        stopped_because: row.try_get(8)?,
        created_at: Timestamp::from_millis(row.try_get(9)?),
    })
}
