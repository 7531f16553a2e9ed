//! Other programs are told what happens: webhooks as their owners see them. `worker` tells; `sign` is the signature.

mod sign;
mod worker;

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;

use relais_model::Domain;
use relais_store::{
    DomainKey, Listing, Networks, NewWebhook, Webhook, WebhookChange, WebhookDelivery, WebhookError, WebhookEvent,
    WebhookState,
};
use serde::{Deserialize, Serialize};
use url::{Host as UrlHost, Url};
use utoipa::ToSchema;

use crate::{Actor, Complaint, Failure, Moment, Paging, Reach, Role, Rows, Service, Text};

pub use worker::Webhooks;

pub(crate) use worker::payload;

/// Octets of a URL, at most.
const URL_OCTETS: usize = 500;

/// Octets of a description, at most.
const DESCRIPTION_OCTETS: usize = 200;

/// Posts to other people's servers: a port, for tests have no network.
pub trait Courier: Send + Sync + fmt::Debug {
    /// Posts once, and waits 10 seconds at most. It follows no redirect, and connects to no address that isn't of the public internet
    /// or of [`Parcel::allowed`].
    fn post(&self, parcel: Parcel) -> Posting<'_>;
}

/// What comes of a post.
pub type Posting<'a> = Pin<Box<dyn Future<Output = Result<u16, PostError>> + Send + 'a>>;

/// What is posted.
#[derive(Clone)]
pub struct Parcel {
    /// Where to: https, or http where [`Parcel::allowed`] holds the address.
    pub url: Url,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
    /// Networks inside that may be reached, too.
    pub allowed: Networks,
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// Why a post has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The name has no address.
    #[error("the name was not found")]
    Unresolved,
    /// The address isn't of the public internet.
    #[error("{0} is an internal address")]
    Internal(IpAddr),
    /// Nobody took the connection.
    #[error("the connection failed: {0}")]
    Connect(String),
    /// No TLS that can be trusted.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// What came is no answer.
    #[error("the answer was broken: {0}")]
    Broken(String),
}

impl PostError {
    /// For people.
    fn says(&self) -> Text {
        match self {
            Self::Unresolved => Text::new("webhook-unresolved"),
            Self::Internal(address) => Text::new("webhook-internal").with("address", address.to_string()),
            Self::Connect(_) => Text::new("webhook-no-connection"),
            Self::Tls(_) => Text::new("webhook-no-tls"),
            Self::Timeout => Text::new("webhook-timeout"),
            Self::Broken(_) => Text::new("webhook-broken"),
        }
    }
}

/// A webhook that is to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub struct NewWebhookForm {
    /// `https://…`.
    pub url: String,
    /// `message.delivered`, `message.failed`, `message.received`, `account.signed_in` (by browser, not by mail programs), `dns.worse`: one at least.
    pub events: Vec<String>,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Only events of this domain; none: of all. Who serves some domains must name one.
    #[serde(default)]
    pub domain: Option<String>,
}

/// What of a webhook is to be changed; none of a thing leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default)]
pub struct WebhookForm {
    /// `https://…`.
    pub url: Option<String>,
    /// One at least.
    pub events: Option<Vec<String>>,
    /// For people.
    pub description: Option<String>,
    /// Whether it is told.
    pub enabled: Option<bool>,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WebhookView {
    /// Names it.
    pub id: String,
    /// Where it is told.
    pub url: String,
    /// Of what.
    pub events: Vec<&'static str>,
    /// For people.
    pub description: String,
    /// Only events of this domain; none: of all.
    pub domain: Option<String>,
    /// It is told.
    pub enabled: bool,
    /// Why the house switched it off; none: it did not.
    pub stopped_because: Option<String>,
    /// When it was made.
    pub created_at: Moment,
}

/// A webhook that was made, with its secret: shown this once.
#[derive(Clone, Serialize, ToSchema)]
pub struct CreatedWebhook {
    /// The webhook.
    pub webhook: WebhookView,
    /// The key of the signatures, `whsec_…`, as the Standard Webhooks libraries take it.
    pub secret: String,
}

impl fmt::Debug for CreatedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedWebhook").field("webhook", &self.webhook).finish_non_exhaustive()
    }
}

/// One event on its way to a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WebhookDeliveryView {
    /// The same through all attempts.
    pub event_id: String,
    /// The event's name.
    pub event: String,
    /// `waiting`, `delivered` or `given_up`.
    pub state: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// When it happened.
    pub created_at: Moment,
    /// When it is tried again, where it waits.
    pub next_attempt_at: Option<Moment>,
    /// When it was last tried.
    pub last_attempt_at: Option<Moment>,
    /// HTTP's status of the last answer.
    pub last_status: Option<u16>,
    /// What went wrong, as the log says it.
    pub last_error: Option<String>,
    /// What is told: JSON.
    pub payload: String,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WebhookTest {
    /// It was taken: a status of 200 to 299.
    pub is_taken: bool,
    /// HTTP's status; none where there was no answer.
    pub status: Option<u16>,
    /// What that means.
    pub says: Text,
}

impl Service {
    /// The webhooks of all that the one who asks may see, the latest first.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for who is no domain admin.
    pub async fn webhooks(&self, by: &Actor, paging: Paging) -> Result<Rows<WebhookView>, Failure> {
        by.require(Role::DomainAdmin)?;
        let listing = self.store.webhooks(by.domains().as_deref(), &paging.page()).await?;
        Ok(Rows::of(listing, |webhook| view(&webhook)))
    }

    /// One webhook.
    ///
    /// # Errors
    /// [`Failure::Absent`] where it isn't there, or not for the one who asks.
    pub async fn webhook(&self, by: &Actor, id: &str) -> Result<WebhookView, Failure> {
        Ok(view(&self.own_webhook(by, id).await?))
    }

    /// Makes a webhook; its secret is shown this once.
    ///
    /// # Errors
    /// [`Failure::Unfit`] about `url`, `events`, `description` or `domain`.
    pub async fn create_webhook(&self, by: &Actor, form: &NewWebhookForm) -> Result<CreatedWebhook, Failure> {
        by.require(Role::DomainAdmin)?;
        let mut complaints = Vec::new();
        let url = self.webhook_url(&form.url).map_err(|complaint| complaints.push(complaint));
        let events = events(&form.events).map_err(|complaint| complaints.push(complaint));
        let description = description(&form.description).map_err(|complaint| complaints.push(complaint));
        let domain = self.webhook_domain(by, form.domain.as_deref()).await?;
        let domain = domain.map_err(|complaint| complaints.push(complaint));
        let (Ok(url), Ok(events), Ok(description), Ok(domain)) = (url, events, description, domain) else {
            return Err(Failure::Unfit(complaints));
        };
        let (id, secret) = (self.operations.webhooks.new_id(), self.operations.webhooks.new_secret());
        let account = by.account.as_ref().map(|(key, _)| *key);
        let shown = secret.expose().to_owned();
        let new = NewWebhook { id, account, domain, url: url.into(), events, description, secret };
        let webhook = self.store.add_webhook(&by.author(), new).await.map_err(webhook_failure)?;
        Ok(CreatedWebhook { webhook: view(&webhook), secret: shown })
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// [`Failure::Absent`]; [`Failure::Unfit`] about a field.
    pub async fn change_webhook(&self, by: &Actor, id: &str, form: &WebhookForm) -> Result<WebhookView, Failure> {
        self.own_webhook(by, id).await?;
        let mut complaints = Vec::new();
        let url = form.url.as_deref().map(|url| self.webhook_url(url));
        let change = WebhookChange {
            url: crate::queue::keep(url, &mut complaints).map(Into::into),
            events: crate::queue::keep(form.events.as_deref().map(events), &mut complaints),
            description: crate::queue::keep(form.description.as_deref().map(description), &mut complaints),
            is_enabled: form.enabled,
        };
        if !complaints.is_empty() {
            return Err(Failure::Unfit(complaints));
        }
        let changed = self.store.change_webhook(&by.author(), id, change).await;
        changed.map(|webhook| view(&webhook)).map_err(webhook_failure)
    }

    /// Removes a webhook with all that waits for it.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn remove_webhook(&self, by: &Actor, id: &str) -> Result<(), Failure> {
        self.own_webhook(by, id).await?;
        self.store.remove_webhook(&by.author(), id).await.map_err(webhook_failure)
    }

    /// What was told to a webhook and what waits, the latest first.
    ///
    /// # Errors
    /// [`Failure::Absent`].
    pub async fn webhook_deliveries(
        &self,
        by: &Actor,
        id: &str,
        paging: Paging,
    ) -> Result<Rows<WebhookDeliveryView>, Failure> {
        let webhook = self.own_webhook(by, id).await?;
        let listing: Listing<WebhookDelivery> = self.store.webhook_deliveries(webhook.key, &paging.page()).await?;
        Ok(Rows::of(listing, delivery_view))
    }

    /// Tells an event once more, from now on as if it were new.
    ///
    /// # Errors
    /// [`Failure::Absent`] where webhook or event isn't there.
    pub async fn resend_webhook(&self, by: &Actor, id: &str, event_id: &str) -> Result<(), Failure> {
        let webhook = self.own_webhook(by, id).await?;
        if self.store.resend_webhook(&by.author(), &webhook, event_id).await? {
            Ok(())
        } else {
            Err(Failure::Absent(Text::new("webhook-no-event").with("id", event_id)))
        }
    }

    async fn own_webhook(&self, by: &Actor, id: &str) -> Result<Webhook, Failure> {
        by.require(Role::DomainAdmin)?;
        let absent = || Failure::Absent(Text::new("webhook-absent").with("id", id));
        let webhook = self.store.webhook(id).await?.ok_or_else(absent)?;
        let is_theirs = match by.domains() {
            None => true,
            Some(domains) => webhook.domain.is_some_and(|domain| domains.contains(&domain)),
        };
        if is_theirs { Ok(webhook) } else { Err(absent()) }
    }

    /// A URL that may be posted to, as far as it can be known before its name is looked up.
    fn webhook_url(&self, text: &str) -> Result<Url, Complaint> {
        let unfit = |why: &'static str| Complaint { field: "url", why: Text::new(why) };
        if URL_OCTETS < text.len() {
            return Err(unfit("webhook-url-too-long"));
        }
        let url = Url::parse(text.trim()).map_err(|_| unfit("webhook-no-url"))?;
        let settings = self.store.settings();
        let allowed = &settings.webhooks_allow_internal;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(unfit("webhook-url-with-secrets"));
        }
        let address = match url.host() {
            Some(UrlHost::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(UrlHost::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(UrlHost::Domain(_)) => None,
            None => return Err(unfit("webhook-no-url")),
        };
        let is_plain_loopback = address.is_some_and(|address| address.is_loopback() && allowed.hold(address));
        match url.scheme() {
            "https" => {}
            "http" if is_plain_loopback => {}
            _ => return Err(unfit("webhook-no-https")),
        }
        if let Some(address) = address
            && !may_reach(address, allowed)
        {
            let why = Text::new("webhook-internal").with("address", address.to_string());
            return Err(Complaint { field: "url", why });
        }
        Ok(url)
    }

    /// The domain whose events are told; who serves some domains must name one of theirs.
    async fn webhook_domain(
        &self,
        by: &Actor,
        text: Option<&str>,
    ) -> Result<Result<Option<DomainKey>, Complaint>, Failure> {
        let unfit = |why: Text| Ok(Err(Complaint { field: "domain", why }));
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return match &by.reach {
                Reach::All => Ok(Ok(None)),
                Reach::Domains(_) => unfit(Text::new("webhook-needs-domain")),
            };
        };
        let unknown = Text::new("failure-unknown-domain").with("domain", text);
        let Ok(domain) = Domain::parse(text) else { return unfit(unknown) };
        if by.require_reach(&domain).is_err() {
            return unfit(unknown);
        }
        match self.store.domain(&domain).await? {
            Some(entry) => Ok(Ok(Some(entry.key))),
            None => unfit(unknown),
        }
    }
}

/// Whether webhooks may reach `address`: it is of the public internet, or of a network that an owner allowed.
pub fn may_reach(address: IpAddr, allowed: &Networks) -> bool {
    let address = address.to_canonical();
    is_global(address) || allowed.hold(address)
}

/// Whether an address is of the public internet: what the IANA registries of special addresses call globally reachable, and neither
/// a way to such an address through another (NAT64, 6to4, Teredo).
fn is_global(address: IpAddr) -> bool {
    const LOCAL: &[&str] = &[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ];
    const WITHIN_2000: &[&str] = &["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"];
    let in_one = |networks: &[&str]| {
        networks.iter().any(|text| relais_store::Network::parse(text).is_none_or(|network| network.holds(address)))
    };
    match address {
        IpAddr::V4(_) => !in_one(LOCAL),
        // All that is given out stands in 2000::/3.
        IpAddr::V6(_) => in_one(&["2000::/3"]) && !in_one(WITHIN_2000),
    }
}

fn events(names: &[String]) -> Result<Vec<WebhookEvent>, Complaint> {
    let unfit = |why| Complaint { field: "events", why };
    let mut events = Vec::new();
    for name in names {
        let event = WebhookEvent::parse(name);
        events.push(event.ok_or_else(|| unfit(Text::new("webhook-unknown-event").with("event", name.as_str())))?);
    }
    events.sort_unstable();
    events.dedup();
    if events.is_empty() { Err(unfit(Text::new("webhook-no-events"))) } else { Ok(events) }
}

fn description(text: &str) -> Result<String, Complaint> {
    let text = text.trim();
    if DESCRIPTION_OCTETS < text.len() || text.chars().any(char::is_control) {
        return Err(Complaint { field: "description", why: Text::new("webhook-description-unfit") });
    }
    Ok(text.to_owned())
}

fn view(webhook: &Webhook) -> WebhookView {
    WebhookView {
        id: webhook.id.clone(),
        url: webhook.url.clone(),
        events: webhook.events.iter().map(|event| event.as_str()).collect(),
        description: webhook.description.clone(),
        domain: webhook.domain_name.as_ref().map(Domain::to_unicode),
        enabled: webhook.is_enabled,
        stopped_because: Some(webhook.stopped_because.clone()).filter(|because| !because.is_empty()),
        created_at: webhook.created_at.into(),
    }
}

fn delivery_view(delivery: WebhookDelivery) -> WebhookDeliveryView {
    WebhookDeliveryView {
        event_id: delivery.event_id,
        event: delivery.event,
        state: delivery.state.as_str(),
        attempts: delivery.attempts,
        created_at: delivery.created_at.into(),
        next_attempt_at: (delivery.state == WebhookState::Waiting).then(|| delivery.next_attempt_at.into()),
        last_attempt_at: delivery.last_attempt_at.map(Into::into),
        last_status: delivery.last_status,
        last_error: Some(delivery.last_error).filter(|error| !error.is_empty()),
        payload: delivery.payload,
    }
}

fn webhook_failure(error: WebhookError) -> Failure {
    match error {
        WebhookError::Unknown => Failure::Absent(Text::new("webhook-absent").with("id", "")),
        WebhookError::TooMany => Failure::clash("", Text::new("webhook-too-many")),
        WebhookError::Failed(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_reached() {
        let check = |text: &str, expected: bool| {
            assert_eq!(may_reach(text.parse().unwrap(), &Networks::default()), expected, "{text}");
        };
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.5",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(inside, false);
        }
        for outside in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "193.0.0.1", "2606:4700::1111", "2a00::1", "::ffff:8.8.8.8"]
        {
            check(outside, true);
        }
    }
}
