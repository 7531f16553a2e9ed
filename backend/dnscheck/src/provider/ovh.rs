//! OVH's API 1.0: <https://help.ovhcloud.com/csm/en-api-getting-started-ovhcloud-api>. Single records, one request each, signed; what
//! was written is served after a "refresh".

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use data_encoding::HEXLOWER;
use hyper::Method;
use relais_model::Secret;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};

use super::http::{Api, Http, Nobody, Sign, Unsigned, escaped, text_at};
use super::record::{absolute, absolute_value, canonical, relative, txt};
use super::single::{self, Edit, Single};
use super::{Asking, Change, Contents, Provider, ProviderError, ProviderKind, Zone, names_of};

/// Where the API is, for accounts in Europe, in Canada and the rest of the world, and in the United States.
pub(super) const BASES: [(&str, &str); 3] = [
    ("eu", "https://api.eu.ovhcloud.com/1.0"),
    ("ca", "https://api.ca.ovhcloud.com/1.0"),
    ("us", "https://api.us.ovhcloud.com/1.0"),
];

/// Each record is a request, so fewer are read than elsewhere.
const RECORDS: usize = 2000;

/// No record lives shorter, in seconds.
const LEAST_TTL: u32 = 60;

/// A record whose TTL is 0 has the zone's, which is this unless its SOA says otherwise.
const ZONE_TTL: u32 = 3600;

/// What OVH calls a TXT record that it has made by a form of its own.
const TXT_KINDS: [&str; 3] = ["SPF", "DKIM", "DMARC"];

/// Where that is kept.
const FIELD_TYPE: &str = "fieldType";

#[derive(Debug)]
pub(super) struct Ovh {
    api: Api,
    clock: Api,
    skew: Arc<AtomicI64>,
}

/// The three keys that a person makes.
pub(super) struct OvhKeys {
    pub(super) application: Secret,
    pub(super) secret: Secret,
    pub(super) consumer: Secret,
}

struct OvhSign {
    keys: OvhKeys,
    /// Seconds that their clock is ahead of ours.
    skew: Arc<AtomicI64>,
}

impl Sign for OvhSign {
    /// `$1$` and SHA-1 of secret, consumer, method, URL, body and time, with `+` between.
    fn headers(&self, request: &Unsigned<'_>) -> Vec<(&'static str, String)> {
        let at = request.now.seconds().saturating_add(self.skew.load(Ordering::Relaxed));
        let mut digest = Sha1::new();
        for part in [self.keys.secret.expose(), self.keys.consumer.expose(), request.method.as_str(), request.url] {
            digest.update(part);
            digest.update("+");
        }
        digest.update(request.body);
        digest.update(format!("+{at}"));
        vec![
            ("x-ovh-application", self.keys.application.expose().to_owned()),
            ("x-ovh-consumer", self.keys.consumer.expose().to_owned()),
            ("x-ovh-timestamp", at.to_string()),
            ("x-ovh-signature", format!("$1${}", HEXLOWER.encode(&digest.finalize()))),
        ]
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: u64,
    field_type: String,
    #[serde(default)]
    sub_domain: Option<String>,
    target: String,
    ttl: u32,
}

impl Ovh {
    pub(super) fn new(http: &Http, base: &str, keys: OvhKeys) -> Self {
        let skew = Arc::new(AtomicI64::new(0));
        let api = |sign: Box<dyn Sign>| Api {
            http: http.clone(),
            base: base.to_owned(),
            sign,
            content_type: "application/json",
            complaint: |body| text_at(body, "/message"),
            refusals: &["INVALID_d3705e8afb27a0d2970a322b96550abfc67bb798", "Invalid signature"],
            delays: &[],
        };
        let sign = OvhSign { keys, skew: Arc::clone(&skew) };
        Self { api: api(Box::new(sign)), clock: api(Box::new(Nobody)), skew }
    }

    /// Their time counts in the signature, and it is the first thing asked for.
    async fn set_clock(&self) -> Result<(), ProviderError> {
        let theirs: i64 = self.clock.get("/auth/time").await?;
        self.skew.store(theirs.saturating_sub(self.clock.http.now().seconds()), Ordering::Relaxed);
        Ok(())
    }

    async fn records(&self, zone: &Zone, names: &BTreeSet<String>) -> Result<Vec<Single>, ProviderError> {
        let all = format!("/domain/zone/{}/record", escaped(&zone.name));
        let mut records = Vec::new();
        for name in names {
            let label = escaped(relative(name, &zone.name));
            let ids: Vec<u64> = self.api.get(&format!("{all}?subDomain={label}")).await?;
            if records.len() + ids.len() > RECORDS {
                return Err(ProviderError::TooMuch);
            }
            for id in ids {
                // One that went meanwhile is no longer there.
                let found: Option<Record> = self.api.find(&format!("{all}/{id}")).await?;
                // An empty label is no filter to everyone: what is at another name is not ours to look at.
                records.extend(found.map(|record| single_of(record, zone)).filter(|record| record.name == *name));
            }
        }
        Ok(records)
    }

    async fn edit(&self, zone: &Zone, standing: &[Single], edit: &Edit) -> Result<(), ProviderError> {
        let all = format!("/domain/zone/{}/record", escaped(&zone.name));
        match edit {
            Edit::Delete(id) => self.api.call(Method::DELETE, &format!("{all}/{id}"), &[]).await.map(drop),
            Edit::Create(record) => self.create(zone, record).await,
            Edit::Replace(id, record) => {
                let is_same_form = standing.iter().any(|old| old.id == *id && form(old) == form(record));
                if !is_same_form {
                    // Its kind of form cannot be changed.
                    self.api.call(Method::DELETE, &format!("{all}/{id}"), &[]).await?;
                    return self.create(zone, record).await;
                }
                let body = json!({
                    "subDomain": relative(&record.name, &zone.name), "target": record.value, "ttl": ttl_of(record),
                });
                self.api.send(Method::PUT, &format!("{all}/{id}"), &body).await.map(drop)
            }
        }
    }

    async fn create(&self, zone: &Zone, record: &Single) -> Result<(), ProviderError> {
        let field_type = form(record).cloned().unwrap_or_else(|| record.kind.clone().into());
        let label = relative(&record.name, &zone.name);
        let body =
            json!({ "fieldType": field_type, "subDomain": label, "target": record.value, "ttl": ttl_of(record) });
        self.api.send(Method::POST, &format!("/domain/zone/{}/record", escaped(&zone.name)), &body).await.map(drop)
    }
}

fn form(record: &Single) -> Option<&Value> {
    record.attributes.get(FIELD_TYPE)
}

fn ttl_of(record: &Single) -> u32 {
    if record.attributes.contains_key("zoneTtl") { 0 } else { record.ttl }
}

fn single_of(record: Record, zone: &Zone) -> Single {
    let mut attributes = Map::new();
    let kind = if TXT_KINDS.contains(&record.field_type.as_str()) {
        attributes.insert(FIELD_TYPE.to_owned(), record.field_type.clone().into());
        "TXT".to_owned()
    } else {
        record.field_type
    };
    if record.ttl == 0 {
        attributes.insert("zoneTtl".to_owned(), true.into());
    }
    let value = match kind.as_str() {
        "TXT" if !record.target.starts_with('"') => txt(record.target.as_bytes()),
        kind => absolute_value(kind, &record.target, &zone.name),
    };
    Single {
        id: record.id.to_string(),
        name: absolute(record.sub_domain.as_deref().unwrap_or_default(), &zone.name),
        ttl: if record.ttl == 0 { ZONE_TTL } else { record.ttl },
        value: canonical(&kind, &value),
        kind,
        attributes,
        is_fixed: false,
    }
}

impl Provider for Ovh {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Ovh
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        Box::pin(async move {
            self.set_clock().await?;
            let found: Option<Value> = self.api.find(&format!("/domain/zone/{}", escaped(name))).await?;
            Ok(found.map(|_| Zone { name: name.to_owned(), key: name.to_owned(), least_ttl: LEAST_TTL }))
        })
    }

    fn read<'a>(&'a self, zone: &'a Zone, names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        Box::pin(async move {
            self.set_clock().await?;
            single::sets(self.records(zone, names).await?)
        })
    }

    fn write<'a>(&'a self, zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
        Box::pin(async move {
            let standing = self.records(zone, &names_of(changes)).await?;
            let mut made = Ok(());
            for edit in single::edits(&standing, changes) {
                made = self.edit(zone, &standing, &edit).await;
                if made.is_err() {
                    break;
                }
            }
            // What has been made is to be served, also where the rest wasn't.
            let target = format!("/domain/zone/{}/refresh", escaped(&zone.name));
            let refreshed = self.api.call(Method::POST, &target, &[]).await.map(drop);
            made.and(refreshed)
        })
    }

    fn has_kind(&self, kind: &str) -> bool {
        ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TLSA", "TXT"].contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use relais_model::Timestamp;

    use super::*;

    /// The shape of OVH's own example; the digest by `printf … | sha1sum`.
    #[test]
    fn a_request_is_signed() {
        let keys = OvhKeys {
            application: Secret::new("7kbG7Bk7S9Nt7ZSV"),
            secret: Secret::new("EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF"),
            consumer: Secret::new("MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1"),
        };
        let sign = OvhSign { keys, skew: Arc::new(AtomicI64::new(5)) };
        let url = "https://eu.api.ovh.com/1.0/domains/";
        let now = Timestamp::from_seconds(1_366_560_940);
        let headers = sign.headers(&Unsigned { method: &Method::GET, url, body: &[], now });
        let get = |name: &str| headers.iter().find(|(key, _)| *key == name).unwrap().1.as_str();
        assert_eq!(get("x-ovh-timestamp"), "1366560945");
        assert_eq!(get("x-ovh-signature"), "$1$d3705e8afb27a0d2970a322b96550abfc67bb798");
    }
}
