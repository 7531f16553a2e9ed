//! Cloudflare's API v4: <https://developers.cloudflare.com/api/resources/dns/>. Single records, changed in one batch that succeeds or
//! fails as a whole.

use std::collections::BTreeSet;

use hyper::Method;
use relais_model::Secret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::http::{Api, Http, Token, escaped, text_at};
use super::record::{PROXIED, bare, canonical, txt};
use super::single::{self, Edit, Single};
use super::{Asking, Change, Contents, Provider, ProviderError, ProviderKind, Zone, names_of, only};

/// Where the API is.
pub(super) const BASE: &str = "https://api.cloudflare.com/client/v4";

/// Records a page; 5,000,000 would be taken, too, but the answer would be too large for us.
const PAGE: usize = 500;

/// The free plan's batch.
const BATCH: usize = 200;

/// No record lives shorter, in seconds; 1 means "as Cloudflare likes".
const LEAST_TTL: u32 = 60;

/// What is kept with a record besides its value.
const ATTRIBUTES: [&str; 4] = [PROXIED, "comment", "tags", "settings"];

#[derive(Debug)]
pub(super) struct Cloudflare(Api);

impl Cloudflare {
    pub(super) fn new(http: Http, base: String, token: Secret) -> Self {
        let sign = Token { scheme: "Bearer", secret: token };
        // What it says of a token that cannot be one, with status 400.
        let refusals = &["Invalid request headers"];
        Self(Api { refusals, ..Api::json(http, base, sign, |body| text_at(body, "/errors/0/message")) })
    }

    async fn records(&self, zone: &Zone, names: &BTreeSet<String>) -> Result<Vec<Single>, ProviderError> {
        let filter = only(names).map(|name| format!("&name.exact={}", escaped(name))).unwrap_or_default();
        let base = &format!("/zones/{}/dns_records?per_page={PAGE}{filter}", zone.key);
        single::of_pages(|page| async move {
            let answer: Paged<Value> = self.0.get(&format!("{base}&page={page}")).await?;
            let has_more = answer.result_info.is_some_and(|info| page < info.total_pages);
            Ok((answer.result.iter().map(single_of).collect(), has_more))
        })
        .await
    }

    async fn batch(&self, zone: &Zone, edits: &[Edit]) -> Result<(), ProviderError> {
        let (mut deletes, mut puts, mut posts) = (Vec::new(), Vec::new(), Vec::new());
        for edit in edits {
            match edit {
                Edit::Delete(id) => deletes.push(json!({ "id": id })),
                Edit::Replace(id, record) => {
                    let mut body = body_of(record);
                    body.insert("id".to_owned(), id.clone().into());
                    puts.push(Value::Object(body));
                }
                Edit::Create(record) => posts.push(Value::Object(body_of(record))),
            }
        }
        let body = json!({ "deletes": deletes, "puts": puts, "posts": posts });
        self.0.send(Method::POST, &format!("/zones/{}/dns_records/batch", zone.key), &body).await.map(drop)
    }
}

#[derive(Deserialize)]
struct Paged<T> {
    result: Vec<T>,
    result_info: Option<PageInfo>,
}

#[derive(Deserialize)]
struct PageInfo {
    total_pages: usize,
}

#[derive(Deserialize)]
struct FoundZone {
    id: String,
    name: String,
}

fn single_of(record: &Value) -> Single {
    let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| record.get(name).and_then(Value::as_u64).unwrap_or_default();
    let kind = text("type").to_ascii_uppercase();
    let content = text("content");
    let value = match kind.as_str() {
        "MX" => format!("{} {content}", number("priority")),
        // Its `content` leaves the priority out.
        "SRV" => {
            let part = |name: &str| record.pointer(&format!("/data/{name}")).map(plain).unwrap_or_default();
            format!("{} {} {} {}", part("priority"), part("weight"), part("port"), part("target"))
        }
        "TXT" if !content.starts_with('"') => txt(content.as_bytes()),
        _ => content.to_owned(),
    };
    let mut attributes = Map::new();
    for name in ATTRIBUTES {
        if let Some(kept) = record.get(name).filter(|kept| is_said(kept)) {
            attributes.insert(name.to_owned(), kept.clone());
        }
    }
    Single {
        id: text("id").to_owned(),
        name: bare(text("name")),
        ttl: u32::try_from(number("ttl")).unwrap_or_default(),
        value: canonical(&kind, &value),
        kind,
        attributes,
        is_fixed: record.pointer("/meta/read_only") == Some(&Value::Bool(true)),
    }
}

/// An empty attribute is none.
fn is_said(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => map.values().any(is_said),
        _ => true,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A record as it is written: some kinds in parts, the others as their `content`.
fn body_of(record: &Single) -> Map<String, Value> {
    let words: Vec<&str> = record.value.split(' ').collect();
    let number = |word: &str| word.parse::<u64>().map_or_else(|_| word.into(), Value::from);
    let mut body = record.attributes.clone();
    body.insert("type".to_owned(), record.kind.clone().into());
    body.insert("name".to_owned(), record.name.clone().into());
    body.insert("ttl".to_owned(), record.ttl.into());
    if matches!(record.kind.as_str(), "A" | "AAAA" | "CNAME") {
        body.entry(PROXIED).or_insert(false.into());
    }
    let data = match (record.kind.as_str(), words.as_slice()) {
        ("SRV", [priority, weight, port, target]) => json!({
            "priority": number(priority), "weight": number(weight), "port": number(port), "target": bare(target),
        }),
        ("TLSA", [usage, selector, matching, digest]) => json!({
            "usage": number(usage), "selector": number(selector), "matching_type": number(matching), "certificate": digest,
        }),
        ("CAA", [flags, tag, ..]) => {
            let quoted = record.value.splitn(3, ' ').nth(2).unwrap_or_default();
            let value = String::from_utf8_lossy(&super::txt_octets(quoted)).into_owned();
            json!({ "flags": number(flags), "tag": tag, "value": value })
        }
        ("MX", [preference, host]) => {
            body.insert("priority".to_owned(), number(preference));
            body.insert("content".to_owned(), bare(host).into());
            return body;
        }
        ("CNAME" | "NS" | "PTR", [target]) => {
            body.insert("content".to_owned(), bare(target).into());
            return body;
        }
        _ => {
            body.insert("content".to_owned(), record.value.clone().into());
            return body;
        }
    };
    body.insert("data".to_owned(), data);
    body
}

impl Provider for Cloudflare {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Cloudflare
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        Box::pin(async move {
            let answer: Paged<FoundZone> = self.0.get(&format!("/zones?name={}", escaped(name))).await?;
            let found = answer.result.into_iter().find(|zone| zone.name.eq_ignore_ascii_case(name));
            Ok(found.map(|zone| Zone { name: name.to_owned(), key: zone.id, least_ttl: LEAST_TTL }))
        })
    }

    fn read<'a>(&'a self, zone: &'a Zone, names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        Box::pin(async move { single::sets(self.records(zone, names).await?) })
    }

    fn write<'a>(&'a self, zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
        Box::pin(async move {
            let standing = self.records(zone, &names_of(changes)).await?;
            for edits in single::edits(&standing, changes).chunks(BATCH) {
                self.batch(zone, edits).await?;
            }
            Ok(())
        })
    }

    fn has_kind(&self, _: &str) -> bool {
        true
    }
}
