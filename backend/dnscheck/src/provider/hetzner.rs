//! Hetzner's Cloud API, its DNS part: <https://docs.hetzner.cloud/reference/cloud#dns>. Not the older DNS Console's API at dns.hetzner.com,
//! whose zones move here. Whole sets; a write is an action that is waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use hyper::Method;
use relais_model::Secret;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::http::{Answer, Api, Http, Token, escaped, parse, text_at};
use super::record::{OF_SET, RecordSet, TTL, absolute, absolute_value, canonical, label};
use super::{Asking, Change, Contents, Provider, ProviderError, ProviderKind, Zone, only};

/// Where the API is.
pub(super) const BASE: &str = "https://api.hetzner.cloud/v1";

/// Sets a page, which is the most.
const PAGE: usize = 50;

/// No record lives shorter, in seconds.
const LEAST_TTL: u32 = 60;

/// An action is asked after so often, each time a little later.
const POLLS: u32 = 30;

/// By so much each wait is longer than the one before; the first is none.
const POLL_WAIT: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Hetzner(Api);

#[derive(Deserialize)]
struct FoundZone {
    zone: ZoneFacts,
}

#[derive(Deserialize)]
struct ZoneFacts {
    id: u64,
    ttl: u32,
}

#[derive(Deserialize)]
struct SetPage {
    rrsets: Vec<FoundSet>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    pagination: Pagination,
}

#[derive(Deserialize)]
struct Pagination {
    next_page: Option<u32>,
}

#[derive(Deserialize)]
struct FoundSet {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// None: the zone's own.
    ttl: Option<u32>,
    #[serde(default)]
    labels: Map<String, Value>,
    #[serde(default)]
    protection: Protection,
    records: Vec<FoundRecord>,
}

#[derive(Deserialize, Default)]
struct Protection {
    change: bool,
}

#[derive(Deserialize)]
struct FoundRecord {
    value: String,
    #[serde(default)]
    comment: Option<String>,
}

#[derive(Deserialize)]
struct Acting {
    action: Action,
}

#[derive(Deserialize)]
struct Action {
    id: u64,
    status: String,
    error: Option<ActionError>,
}

#[derive(Deserialize)]
struct ActionError {
    message: String,
}

impl Hetzner {
    pub(super) fn new(http: Http, base: String, token: Secret) -> Self {
        let sign = Token { scheme: "Bearer", secret: token };
        Self(Api::json(http, base, sign, |body| text_at(body, "/error/message")))
    }

    async fn all(&self, zone: &Zone, names: &BTreeSet<String>) -> Result<Contents, ProviderError> {
        let own = |name: &String| format!("&name={}", escaped(label(name, &zone.name)));
        let filter = only(names).map(own).unwrap_or_default();
        let zone_ttl = self.0.get::<FoundZone>(&format!("/zones/{}", zone.key)).await?.zone.ttl;
        let mut contents = Contents::default();
        let mut page = Some(1);
        while let Some(number) = page {
            let target = format!("/zones/{}/rrsets?per_page={PAGE}&page={number}{filter}", zone.key);
            let answer: SetPage = self.0.get(&target).await?;
            // A page without sets is the last, whatever is said of more.
            page = answer.meta.pagination.next_page.filter(|_| !answer.rrsets.is_empty());
            for found in answer.rrsets {
                let is_fixed = found.protection.change;
                let set = set_of(found, zone, zone_ttl);
                if is_fixed {
                    contents.fixed.insert(set.key());
                } else {
                    contents.sets.push(set);
                }
            }
            contents.bounded()?;
        }
        Ok(contents)
    }

    async fn make(&self, zone: &Zone, change: &Change) -> Result<(), ProviderError> {
        let sets = format!("/zones/{}/rrsets", zone.key);
        let own = format!("{sets}/{}/{}", escaped(label(change.name(), &zone.name)), change.kind());
        match (&change.before, &change.after) {
            (_, None) => {
                let answer = self.0.call(Method::DELETE, &own, &[]).await?;
                self.finish(&answer).await
            }
            (None, Some(after)) => {
                let body = json!({
                    "name": label(&after.name, &zone.name), "type": after.kind, "ttl": ttl(after), "records": records(after),
                    "labels": of_set(after, "labels").unwrap_or_else(|| json!({})),
                });
                self.finish(&self.0.send(Method::POST, &sets, &body).await?).await
            }
            (Some(before), Some(after)) => {
                if ttl(before) != ttl(after) {
                    let body = json!({ "ttl": ttl(after) });
                    let answer = self.0.send(Method::POST, &format!("{own}/actions/change_ttl"), &body).await?;
                    self.finish(&answer).await?;
                }
                let body = json!({ "records": records(after) });
                let answer = self.0.send(Method::POST, &format!("{own}/actions/set_records"), &body).await?;
                self.finish(&answer).await
            }
        }
    }

    /// Waits until the action of an answer has come to its end: before that, reading may show what was.
    async fn finish(&self, answer: &Answer) -> Result<(), ProviderError> {
        let mut action = parse::<Acting>(&answer.body)?.action;
        for poll in 0..POLLS {
            match action.status.as_str() {
                "success" => return Ok(()),
                "error" => {
                    let said = action.error.map_or_else(|| "the action failed".to_owned(), |error| error.message);
                    return Err(ProviderError::Rejected { said: super::said(&said) });
                }
                _ => sleep(POLL_WAIT * poll).await,
            }
            action = self.0.get::<Acting>(&format!("/actions/{}", action.id)).await?.action;
        }
        Err(ProviderError::Timeout)
    }
}

fn set_of(found: FoundSet, zone: &Zone, zone_ttl: u32) -> RecordSet {
    let value = |record: &FoundRecord| absolute_value(&found.kind, &record.value, &zone.name);
    let name = absolute(&found.name, &zone.name);
    let mut set = RecordSet::new(&name, &found.kind, found.ttl.unwrap_or(zone_ttl), found.records.iter().map(value));
    for record in &found.records {
        if let Some(comment) = record.comment.as_ref().filter(|comment| !comment.is_empty()) {
            let kept = Map::from_iter([("comment".to_owned(), comment.clone().into())]);
            set.attributes.insert(canonical(&set.kind, &value(record)), kept);
        }
    }
    let mut kept = Map::new();
    if !found.labels.is_empty() {
        kept.insert("labels".to_owned(), found.labels.into());
    }
    if found.ttl.is_none() {
        kept.insert(TTL.to_owned(), Value::Null);
    }
    if !kept.is_empty() {
        set.attributes.insert(OF_SET.to_owned(), kept);
    }
    set
}

fn of_set(set: &RecordSet, name: &str) -> Option<Value> {
    set.attributes.get(OF_SET)?.get(name).cloned()
}

fn ttl(set: &RecordSet) -> Value {
    of_set(set, TTL).unwrap_or_else(|| set.ttl.into())
}

fn records(set: &RecordSet) -> Value {
    let record = |value: &String| {
        let comment = set.attributes.get(value).and_then(|kept| kept.get("comment"));
        comment.map_or_else(|| json!({ "value": value }), |comment| json!({ "value": value, "comment": comment }))
    };
    set.values.iter().map(record).collect()
}

impl Provider for Hetzner {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Hetzner
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        Box::pin(async move {
            let found: Option<FoundZone> = self.0.find(&format!("/zones/{}", escaped(name))).await?;
            Ok(found.map(|found| Zone { name: name.to_owned(), key: found.zone.id.to_string(), least_ttl: LEAST_TTL }))
        })
    }

    fn read<'a>(&'a self, zone: &'a Zone, names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        Box::pin(self.all(zone, names))
    }

    fn write<'a>(&'a self, zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
        Box::pin(async move {
            for change in changes {
                self.make(zone, change).await?;
            }
            Ok(())
        })
    }

    fn has_kind(&self, kind: &str) -> bool {
        ["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SRV", "SVCB", "TLSA", "TXT"].contains(&kind)
    }
}
