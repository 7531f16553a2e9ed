//! <https://api.gandi.net/docs/livedns/>

use relais_dnscheck::provider::ProviderKind;
use serde_json::{Value, json};

use super::{Api, Asked, KEY, Sets, Told, ZONES, dump_sets, has_token, label, page, told};

#[derive(Default)]
pub(super) struct Fake {
    sets: Sets,
}

fn failure(code: u16, cause: &str, message: &str) -> Told {
    told(code, json!({ "code": code, "cause": cause, "object": "dns-record", "message": message }))
}

impl Api for Fake {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Gandi
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("token", KEY)]
    }

    fn refuse(&self, asked: &Asked) -> Option<Told> {
        let words = "The server could not verify that you authorized to access the document you requested.";
        (!has_token(asked, "Bearer")).then(|| failure(401, "Unauthorized", words))
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["domains", zone]) if ZONES.contains(zone) => {
                told(200, json!({ "fqdn": zone, "automatic_snapshots": true }))
            }
            ("GET", ["domains", "example.org", "records"]) => {
                let shown: Vec<Value> = self
                    .sets
                    .iter()
                    .map(|((label, kind), (ttl, values))| {
                        json!({ "rrset_name": label, "rrset_type": kind, "rrset_ttl": ttl, "rrset_values": values })
                    })
                    .collect();
                let (shown, _) = page(&shown, asked.number("page", 1), asked.number("per_page", 100));
                told(200, json!(shown))
            }
            ("PUT", ["domains", "example.org", "records", label, kind]) => {
                let body = asked.json();
                let ttl = u32::try_from(body["rrset_ttl"].as_u64().unwrap()).unwrap();
                if ttl < 300 {
                    let fault =
                        json!({ "location": "body", "name": "rrset_ttl", "description": "ttl must be at least 300" });
                    return told(400, json!({ "status": "error", "errors": [fault] }));
                }
                let values = body["rrset_values"].as_array().unwrap().iter();
                let values = values.map(|value| value.as_str().unwrap().to_owned()).collect();
                self.sets.insert(((*label).to_owned(), (*kind).to_owned()), (ttl, values));
                told(201, json!({ "message": "DNS Record Created" }))
            }
            ("DELETE", ["domains", "example.org", "records", label, kind]) => {
                match self.sets.remove(&((*label).to_owned(), (*kind).to_owned())) {
                    Some(_) => told(204, ""),
                    None => failure(404, "Not Found", "Can't find the DNS record"),
                }
            }
            _ => failure(404, "Not Found", "The resource could not be found."),
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
