//! `DigitalOcean`'s API v2: <https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records>. Single records, one request each;
//! no TLSA.

use std::collections::BTreeSet;

use hyper::Method;
use relais_model::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::http::{Api, Http, Token, escaped, text_at};
use super::record::{absolute, canonical, dotted, label, txt, txt_octets};
use super::single::{self, Edit, Single};
use super::{Asking, Change, Contents, Provider, ProviderError, ProviderKind, Zone, names_of, only};

/// Where the API is.
pub(super) const BASE: &str = "https://api.digitalocean.com/v2";

/// Records a page, which is the most.
const PAGE: usize = 200;

/// No record lives shorter, in seconds.
const LEAST_TTL: u32 = 30;

#[derive(Debug)]
pub(super) struct DigitalOcean(Api);

#[derive(Deserialize)]
struct RecordPage {
    domain_records: Vec<Record>,
    #[serde(default)]
    links: Value,
}

/// A record as it is read and written.
#[derive(Deserialize, Serialize, Default)]
struct Record {
    #[serde(skip_serializing)]
    id: u64,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    data: String,
    ttl: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

impl DigitalOcean {
    pub(super) fn new(http: Http, base: String, token: Secret) -> Self {
        let sign = Token { scheme: "Bearer", secret: token };
        Self(Api::json(http, base, sign, |body| text_at(body, "/message")))
    }

    async fn records(&self, zone: &Zone, names: &BTreeSet<String>) -> Result<Vec<Single>, ProviderError> {
        let filter = only(names).map(|name| format!("&name={}", escaped(name))).unwrap_or_default();
        let base = &format!("/domains/{}/records?per_page={PAGE}{filter}", escaped(&zone.name));
        single::of_pages(|page| async move {
            let answer: RecordPage = self.0.get(&format!("{base}&page={page}")).await?;
            let has_more = answer.links.pointer("/pages/next").is_some();
            Ok((answer.domain_records.into_iter().map(|record| single_of(record, zone)).collect(), has_more))
        })
        .await
    }

    async fn edit(&self, zone: &Zone, edit: &Edit) -> Result<(), ProviderError> {
        let all = format!("/domains/{}/records", escaped(&zone.name));
        let (method, target, record) = match edit {
            Edit::Delete(id) => return self.0.call(Method::DELETE, &format!("{all}/{id}"), &[]).await.map(drop),
            Edit::Replace(id, record) => (Method::PUT, format!("{all}/{id}"), record),
            Edit::Create(record) => (Method::POST, all, record),
        };
        let body =
            serde_json::to_value(record_of(record, zone)?).map_err(|error| ProviderError::Broken(error.to_string()))?;
        self.0.send(method, &target, &body).await.map(drop)
    }
}

fn single_of(record: Record, zone: &Zone) -> Single {
    // Names are whole here, though the last dot is missing; `@` is the zone.
    let host = || if record.data == "@" { dotted(&zone.name) } else { dotted(&record.data) };
    let priority = record.priority.unwrap_or_default();
    let value = match record.kind.as_str() {
        "MX" => format!("{priority} {}", host()),
        "SRV" => {
            format!("{priority} {} {} {}", record.weight.unwrap_or_default(), record.port.unwrap_or_default(), host())
        }
        "CAA" => {
            let tag = record.tag.as_deref().unwrap_or_default();
            format!("{} {tag} {}", record.flags.unwrap_or_default(), txt(record.data.as_bytes()))
        }
        "CNAME" | "NS" | "PTR" => host(),
        // The text itself, uncut and without quotes.
        "TXT" => txt(record.data.as_bytes()),
        _ => record.data.clone(),
    };
    Single {
        id: record.id.to_string(),
        name: absolute(&record.name, &zone.name),
        ttl: record.ttl,
        value: canonical(&record.kind, &value),
        is_fixed: record.kind == "SOA",
        kind: record.kind,
        attributes: serde_json::Map::new(),
    }
}

/// A CA's name is written with its last dot, and read without it.
fn whole(ca: &str) -> String {
    let is_name =
        !ca.is_empty() && ca.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.'));
    if is_name { dotted(ca) } else { ca.to_owned() }
}

fn record_of(single: &Single, zone: &Zone) -> Result<Record, ProviderError> {
    let unreadable = || ProviderError::Rejected { said: format!("{} {}", single.kind, single.value) };
    let number = |word: &str| word.parse::<u16>().map_err(|_| unreadable());
    let words: Vec<&str> = single.value.split(' ').collect();
    let text = |value: &str| String::from_utf8(txt_octets(value)).map_err(|_| unreadable());
    let name = label(&single.name, &zone.name).to_owned();
    let mut record = Record { kind: single.kind.clone(), name, ttl: single.ttl, ..Record::default() };
    match (single.kind.as_str(), words.as_slice()) {
        ("MX", [preference, host]) => {
            record.priority = Some(number(preference)?);
            (*host).clone_into(&mut record.data);
        }
        ("SRV", [priority, weight, port, host]) => {
            record.priority = Some(number(priority)?);
            record.weight = Some(number(weight)?);
            record.port = Some(number(port)?);
            (*host).clone_into(&mut record.data);
        }
        ("CAA", [flags, tag, ..]) => {
            record.flags = Some(flags.parse().map_err(|_| unreadable())?);
            record.tag = Some((*tag).to_owned());
            record.data = whole(&text(single.value.splitn(3, ' ').nth(2).unwrap_or_default())?);
        }
        ("TXT", _) => record.data = text(&single.value)?,
        _ => record.data.clone_from(&single.value),
    }
    Ok(record)
}

impl Provider for DigitalOcean {
    fn kind(&self) -> ProviderKind {
        ProviderKind::DigitalOcean
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        Box::pin(async move {
            let found: Option<Value> = self.0.find(&format!("/domains/{}", escaped(name))).await?;
            Ok(found.map(|_| Zone { name: name.to_owned(), key: name.to_owned(), least_ttl: LEAST_TTL }))
        })
    }

    fn read<'a>(&'a self, zone: &'a Zone, names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        Box::pin(async move { single::sets(self.records(zone, names).await?) })
    }

    fn write<'a>(&'a self, zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
        Box::pin(async move {
            let standing = self.records(zone, &names_of(changes)).await?;
            for edit in single::edits(&standing, changes) {
                self.edit(zone, &edit).await?;
            }
            Ok(())
        })
    }

    fn has_kind(&self, kind: &str) -> bool {
        ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"].contains(&kind)
    }
}
