//! deSEC's API: <https://desec.readthedocs.io/en/latest/>. Whole sets; all changes go in one request that is granted or refused as a whole.

use std::collections::BTreeSet;

use hyper::Method;
use hyper::header::LINK;
use relais_model::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{Answer, Api, Http, Token, escaped, parse, text_at};
use super::record::{RecordSet, absolute, relative};
use super::{Asking, Change, Contents, Provider, ProviderError, ProviderKind, Zone, only};

/// Where the API is.
pub(super) const BASE: &str = "https://desec.io/api/v1";

#[derive(Debug)]
pub(super) struct Desec(Api);

#[derive(Deserialize)]
struct FoundZone {
    minimum_ttl: u32,
}

#[derive(Deserialize)]
struct FoundSet {
    subname: String,
    #[serde(rename = "type")]
    kind: String,
    ttl: u32,
    records: Vec<String>,
}

impl Desec {
    pub(super) fn new(http: Http, base: String, token: Secret) -> Self {
        let sign = Token { scheme: "Token", secret: token };
        Self(Api::json(http, base, sign, |body| text_at(body, "/detail")))
    }

    async fn all(&self, zone: &Zone, names: &BTreeSet<String>) -> Result<Contents, ProviderError> {
        let subname = |name: &String| format!("&subname={}", escaped(relative(name, &zone.name)));
        let filter = only(names).map(subname).unwrap_or_default();
        let mut contents = Contents::default();
        // An empty cursor is the first page.
        let mut cursor = Some(String::new());
        while let Some(at) = cursor {
            let target = format!("/domains/{}/rrsets/?cursor={at}{filter}", escaped(&zone.name));
            let answer = self.0.call(Method::GET, &target, &[]).await?;
            let found: Vec<FoundSet> = parse(&answer.body)?;
            // A page without sets is the last, whatever is said of more.
            cursor = next_cursor(&answer).filter(|next| *next != at && !found.is_empty());
            contents.sets.extend(found.into_iter().map(|found| {
                RecordSet::new(&absolute(&found.subname, &zone.name), &found.kind, found.ttl, &found.records)
            }));
            contents.bounded()?;
        }
        Ok(contents)
    }
}

/// What a `Link` header calls the next page: `<https://…/rrsets/?cursor=abc>; rel="next"`. Only the cursor is taken from it, so that no
/// answer leads us elsewhere with the token.
fn next_cursor(answer: &Answer) -> Option<String> {
    let link = answer.headers.get(LINK)?.to_str().ok()?;
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let url = next.split_once('<')?.1.split_once('>')?.0;
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|part| part.strip_prefix("cursor=")).map(str::to_owned)
}

impl Provider for Desec {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Desec
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        Box::pin(async move {
            let found: Option<FoundZone> = self.0.find(&format!("/domains/{}/", escaped(name))).await?;
            Ok(found.map(|found| Zone { name: name.to_owned(), key: name.to_owned(), least_ttl: found.minimum_ttl }))
        })
    }

    fn read<'a>(&'a self, zone: &'a Zone, names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        Box::pin(self.all(zone, names))
    }

    fn write<'a>(&'a self, zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
        Box::pin(async move {
            let set = |change: &Change| {
                let subname = relative(change.name(), &zone.name);
                match &change.after {
                    Some(after) => {
                        json!({ "subname": subname, "type": after.kind, "ttl": after.ttl, "records": after.values })
                    }
                    // No records: the set goes.
                    None => json!({ "subname": subname, "type": change.kind(), "records": [] }),
                }
            };
            let body: Value = changes.iter().map(set).collect();
            let target = format!("/domains/{}/rrsets/", escaped(&zone.name));
            self.0.send(Method::PATCH, &target, &body).await.map(drop)
        })
    }

    fn has_kind(&self, kind: &str) -> bool {
        !["ALIAS", "DNAME", "SOA", "DNSKEY", "RRSIG", "NSEC3PARAM"].contains(&kind)
    }
}
