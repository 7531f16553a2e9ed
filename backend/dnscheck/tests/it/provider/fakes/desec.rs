//! <https://desec.readthedocs.io/en/latest/dns/rrsets.html>

use relais_dnscheck::provider::ProviderKind;
use serde_json::{Value, json};

use super::{Api, Asked, KEY, Sets, Told, ZONES, dump_sets, has_token, label, page, told};

/// Theirs is 500.
const PAGE: usize = 3;
const MINIMUM_TTL: u64 = 3600;

#[derive(Default)]
pub(super) struct Fake {
    sets: Sets,
}

impl Fake {
    /// All or nothing.
    fn patch(&mut self, sets: &[Value]) -> Told {
        let faults: Vec<Value> = sets
            .iter()
            .map(|set| match set["ttl"].as_u64() {
                Some(ttl) if ttl < MINIMUM_TTL => {
                    json!({ "ttl": ["Ensure this value is greater than or equal to 3600."] })
                }
                _ => json!({}),
            })
            .collect();
        if faults.iter().any(|fault| fault != &json!({})) {
            return told(400, json!(faults));
        }
        for set in sets {
            let subname = set["subname"].as_str().unwrap();
            assert_ne!(subname, "@", "the apex is an empty subname");
            let key =
                (if subname.is_empty() { "@" } else { subname }.to_owned(), set["type"].as_str().unwrap().to_owned());
            let values: Vec<String> =
                set["records"].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect();
            if values.is_empty() {
                self.sets.remove(&key);
            } else {
                self.sets.insert(key, (u32::try_from(set["ttl"].as_u64().unwrap()).unwrap(), values));
            }
        }
        told(200, json!(sets))
    }
}

impl Api for Fake {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Desec
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("token", KEY)]
    }

    fn refuse(&self, asked: &Asked) -> Option<Told> {
        (!has_token(asked, "Token")).then(|| told(401, json!({ "detail": "Invalid token." })))
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["domains", zone, ""]) if ZONES.contains(zone) => {
                told(200, json!({ "name": zone, "minimum_ttl": MINIMUM_TTL, "created": "2026-01-01T00:00:00Z" }))
            }
            ("GET", ["domains", "example.org", "rrsets", ""]) => {
                let shown: Vec<Value> = self
                    .sets
                    .iter()
                    .map(|((label, kind), (ttl, values))| {
                        let subname = if label == "@" { "" } else { label };
                        json!({ "subname": subname, "type": kind, "ttl": ttl, "records": values, "domain": "example.org" })
                    })
                    .filter(|set| asked.query.get("subname").is_none_or(|subname| set["subname"] == **subname))
                    .collect();
                let Some(cursor) = asked.query.get("cursor") else {
                    return told(
                        400,
                        json!({ "detail": "Pagination required. You can query up to 500 items at a time." }),
                    );
                };
                let number = cursor.strip_prefix("page-").map_or(1, |number| number.parse().unwrap());
                let (shown, pages) = page(&shown, number, PAGE);
                let url = asked.url.split('?').next().unwrap();
                let mut link = format!("<{url}?cursor=>; rel=\"first\"");
                if number < pages {
                    link = format!("{link}, <{url}?cursor=page-{}>; rel=\"next\"", number + 1);
                }
                Told { headers: vec![("link", link)], ..told(200, json!(shown)) }
            }
            ("PATCH", ["domains", "example.org", "rrsets", ""]) => self.patch(asked.json().as_array().unwrap()),
            _ => told(404, json!({ "detail": "Not found." })),
        }
    }

    fn put(&mut self, name: &str, kind: &str, ttl: u32, values: &[&str]) {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.sets.insert((label(name), kind.to_owned()), (ttl, values));
    }

    fn dump(&self) -> Vec<String> {
        dump_sets(&self.sets)
    }
}
