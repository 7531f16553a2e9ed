//! Gandi's `LiveDNS` API v5: <https://api.gandi.net/docs/livedns/>. Whole sets, one request each.

use std::collections::BTreeSet;

use hyper::Method;
use relais_model::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{Api, Http, Token, escaped, text_at};
use super::record::{RecordSet, absolute, absolute_value, label};
use super::{Asking, Change, Contents, Provider, ProviderError, ProviderKind, Zone};

/// Where the API is.
pub(super) const BASE: &str = "https://api.gandi.net/v5/livedns";

/// Sets a page.
const PAGE: usize = 100;

/// No record lives shorter, in seconds.
const LEAST_TTL: u32 = 300;

#[derive(Debug)]
pub(super) struct Gandi(Api);

#[derive(Deserialize)]
struct FoundSet {
    #[serde(rename = "rrset_name")]
    name: String,
    #[serde(rename = "rrset_type")]
    kind: String,
    #[serde(rename = "rrset_ttl")]
    ttl: u32,
    #[serde(rename = "rrset_values")]
    values: Vec<String>,
}

impl Gandi {
    pub(super) fn new(http: Http, base: String, token: Secret) -> Self {
        let sign = Token { scheme: "Bearer", secret: token };
        let complaint = |body: &[u8]| text_at(body, "/errors/0/description").or_else(|| text_at(body, "/message"));
        Self(Api::json(http, base, sign, complaint))
    }

    async fn all(&self, zone: &Zone) -> Result<Contents, ProviderError> {
        let mut contents = Contents::default();
        let mut seen = BTreeSet::new();
        for page in 1.. {
            let target = format!("/domains/{}/records?per_page={PAGE}&page={page}", escaped(&zone.name));
            let found: Vec<FoundSet> = self.0.get(&target).await?;
            let is_last = found.len() < PAGE;
            let before = contents.sets.len();
            for set in found {
                let values = set.values.iter().map(|value| absolute_value(&set.kind, value, &zone.name));
                let set = RecordSet::new(&absolute(&set.name, &zone.name), &set.kind, set.ttl, values);
                if seen.insert(set.key()) {
                    contents.sets.push(set);
                }
            }
            contents.bounded()?;
            // A full page that brings nothing new is the same one again.
            if is_last || contents.sets.len() == before {
                break;
            }
        }
        Ok(contents)
    }

    async fn make(&self, zone: &Zone, change: &Change) -> Result<(), ProviderError> {
        let label = escaped(label(change.name(), &zone.name));
        let target = format!("/domains/{}/records/{label}/{}", escaped(&zone.name), change.kind());
        let Some(after) = &change.after else {
            return self.0.call(Method::DELETE, &target, &[]).await.map(drop);
        };
        let body = json!({ "rrset_ttl": after.ttl, "rrset_values": after.values });
        self.0.send(Method::PUT, &target, &body).await.map(drop)
    }
}

impl Provider for Gandi {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Gandi
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        Box::pin(async move {
            let found: Option<Value> = self.0.find(&format!("/domains/{}", escaped(name))).await?;
            Ok(found.map(|_| Zone { name: name.to_owned(), key: name.to_owned(), least_ttl: LEAST_TTL }))
        })
    }

    fn read<'a>(&'a self, zone: &'a Zone, _: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        Box::pin(self.all(zone))
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
        kind != "SOA"
    }
}
