//! <https://eu.api.ovh.com/console/?section=%2Fdomain>

use relais_dnscheck::provider::ProviderKind;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::{Api, Asked, KEY, Told, ZONES, label, told};

/// Theirs, an hour ahead of the tests' clock.
pub(super) const NOW: i64 = 1_795_428_000 + 3600;

#[derive(Default)]
pub(super) struct Fake {
    records: Vec<Value>,
    /// What is served, after a refresh.
    served: Vec<Value>,
    made: u64,
}

fn failure(status: u16, class: &str, message: &str) -> Told {
    told(status, json!({ "class": class, "message": message }))
}

impl Fake {
    fn push(&mut self, field_type: &str, label: &str, ttl: u64, target: &str) -> Value {
        self.made += 1;
        let label = if label == "@" { "" } else { label };
        let record = json!({
            "id": self.made, "zone": "example.org", "subDomain": label, "fieldType": field_type, "target": target, "ttl": ttl,
        });
        self.records.push(record.clone());
        record
    }
}

impl Api for Fake {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Ovh
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("application_key", "ak"), ("application_secret", KEY), ("consumer_key", "ck")]
    }

    fn refuse(&self, asked: &Asked) -> Option<Told> {
        if asked.path == ["auth", "time"] {
            return None;
        }
        if asked.header("x-ovh-application") != "ak" {
            return Some(failure(403, "Client::Forbidden", "This application key is invalid"));
        }
        if asked.header("x-ovh-consumer") != "ck" {
            return Some(failure(403, "Client::Forbidden", "This credential does not exist"));
        }
        let signed = format!("{KEY}+ck+{}+{}+{}+{NOW}", asked.method, asked.url, asked.body);
        let signature = format!("$1${}", data_encoding::HEXLOWER.encode(&Sha1::digest(signed)));
        (asked.header("x-ovh-signature") != signature).then(|| failure(400, "Client::BadRequest", "Invalid signature"))
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let find =
            |records: &[Value], id: &str| records.iter().position(|record| record["id"].as_u64() == id.parse().ok());
        let missing = || failure(404, "Client::NotFound", "This service does not exist");
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["auth", "time"]) => told(200, NOW),
            ("GET", ["domain", "zone", zone]) if ZONES.contains(zone) => {
                told(200, json!({ "name": zone, "hasDnsAnycast": false, "dnssecSupported": true }))
            }
            // The consumer key may see these two alone.
            ("GET", ["domain", "zone", _]) => failure(403, "Client::Forbidden", "This call has not been granted"),
            ("GET", ["domain", "zone", "example.org", "record"]) => {
                let is_asked = |record: &&Value| record["subDomain"] == asked.query["subDomain"];
                let ids: Vec<&Value> = self.records.iter().filter(is_asked).map(|record| &record["id"]).collect();
                told(200, json!(ids))
            }
            ("POST", ["domain", "zone", "example.org", "record"]) => {
                let body = asked.json();
                let text = |name: &str| body[name].as_str().unwrap().to_owned();
                let record =
                    self.push(&text("fieldType"), &text("subDomain"), body["ttl"].as_u64().unwrap(), &text("target"));
                told(200, record)
            }
            ("POST", ["domain", "zone", "example.org", "refresh"]) => {
                self.served.clone_from(&self.records);
                told(200, "null")
            }
            (method, ["domain", "zone", "example.org", "record", id]) => {
                let Some(place) = find(&self.records, id) else {
                    return failure(404, "Client::NotFound", "The requested object (id = x) does not exist");
                };
                match method {
                    "GET" => told(200, &self.records[place]),
                    "DELETE" => {
                        self.records.remove(place);
                        told(200, "null")
                    }
                    "PUT" => {
                        let body = asked.json();
                        let record = &mut self.records[place];
                        (record["target"], record["ttl"]) = (body["target"].clone(), body["ttl"].clone());
                        told(200, "null")
                    }
                    _ => missing(),
                }
            }
            _ => missing(),
        }
    }

    fn put(&mut self, name: &str, kind: &str, ttl: u32, values: &[&str]) {
        let label = label(name);
        let subdomain = if label == "@" { "" } else { &label };
        self.records.retain(|record| !(record["subDomain"] == subdomain && record["fieldType"] == kind));
        for value in values {
            self.push(kind, &label, ttl.into(), value);
        }
        self.served.clone_from(&self.records);
    }

    fn touch(&mut self, name: &str, field: &str, value: &Value) {
        let label = label(name);
        for record in
            self.records.iter_mut().filter(|record| record["subDomain"].as_str() == Some(label.trim_matches('@')))
        {
            record[field] = value.clone();
        }
        self.served.clone_from(&self.records);
    }

    /// Of what is served: who forgets to refresh has changed nothing.
    fn dump(&self) -> Vec<String> {
        let line = |record: &Value| {
            let mut record = record.clone();
            record.as_object_mut().unwrap().remove("id");
            record.to_string()
        };
        let mut lines: Vec<String> = self.served.iter().map(line).collect();
        lines.sort();
        lines
    }
}
