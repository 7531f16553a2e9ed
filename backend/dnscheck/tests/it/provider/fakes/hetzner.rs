//! <https://docs.hetzner.cloud/reference/cloud#zone-rrsets>

use std::collections::BTreeMap;

use relais_dnscheck::provider::ProviderKind;
use serde_json::{Value, json};

use super::{Api, Asked, KEY, Told, ZONES, has_token, label, page, told};

const MOST_A_PAGE: usize = 3;

#[derive(Default)]
pub(super) struct Fake {
    sets: BTreeMap<(String, String), Value>,
    actions: u64,
}

fn failure(status: u16, code: &str, message: &str) -> Told {
    told(status, json!({ "error": { "code": code, "message": message, "details": null } }))
}

impl Fake {
    /// Running at first; whoever asks later hears that it has succeeded.
    fn act(&mut self, status: u16, command: &str) -> Told {
        self.actions += 1;
        let action = json!({
            "id": self.actions, "command": command, "status": "running", "progress": 50, "started": "2026-01-30T23:55:00+00:00",
            "finished": null, "resources": [{ "id": 42, "type": "zone" }], "error": null,
        });
        told(status, json!({ "action": action }))
    }
}

impl Api for Fake {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Hetzner
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("token", KEY)]
    }

    fn refuse(&self, asked: &Asked) -> Option<Told> {
        (!has_token(asked, "Bearer"))
            .then(|| failure(401, "unauthorized", "the token you are trying to use is invalid"))
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let missing = || failure(404, "not_found", "RRSet not found");
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["zones", zone]) if ZONES.contains(zone) || *zone == "42" => told(
                200,
                json!({ "zone": { "id": 42, "name": zone, "mode": "primary", "ttl": 10800, "status": "ok" } }),
            ),
            ("GET", ["zones", "42", "rrsets"]) => {
                let is_asked =
                    |set: &&Value| asked.query.get("name").is_none_or(|name| set["name"].as_str() == Some(name));
                let found: Vec<Value> = self.sets.values().filter(is_asked).cloned().collect();
                let number = asked.number("page", 1);
                let (shown, pages) = page(&found, number, MOST_A_PAGE.min(asked.number("per_page", 25)));
                let next = (number < pages).then_some(number + 1);
                let pagination = json!({
                    "page": number, "per_page": MOST_A_PAGE, "previous_page": null, "next_page": next, "last_page": pages,
                    "total_entries": found.len(),
                });
                told(200, json!({ "rrsets": shown, "meta": { "pagination": pagination } }))
            }
            ("POST", ["zones", "42", "rrsets"]) => {
                let body = asked.json();
                let key = (body["name"].as_str().unwrap().to_owned(), body["type"].as_str().unwrap().to_owned());
                if self.sets.contains_key(&key) {
                    return failure(409, "uniqueness_error", "RRSet already exists");
                }
                let mut set = body;
                set["protection"] = json!({ "change": false });
                self.sets.insert(key, set);
                self.act(201, "create_rrset")
            }
            ("DELETE", ["zones", "42", "rrsets", label, kind]) => {
                match self.sets.remove(&((*label).to_owned(), (*kind).to_owned())) {
                    Some(_) => self.act(201, "delete_rrset"),
                    None => missing(),
                }
            }
            ("POST", ["zones", "42", "rrsets", label, kind, "actions", act @ ("set_records" | "change_ttl")]) => {
                let Some(set) = self.sets.get_mut(&((*label).to_owned(), (*kind).to_owned())) else { return missing() };
                let field = if *act == "set_records" { "records" } else { "ttl" };
                set[field] = asked.json()[field].clone();
                self.act(201, act)
            }
            ("GET", ["actions", id]) => {
                let id: u64 = id.parse().unwrap();
                told(200, json!({ "action": { "id": id, "status": "success", "progress": 100, "error": null } }))
            }
            _ => failure(404, "not_found", "zone not found"),
        }
    }

    fn put(&mut self, name: &str, kind: &str, ttl: u32, values: &[&str]) {
        let records: Vec<Value> = values.iter().map(|value| json!({ "value": value })).collect();
        let set = json!({
            "name": label(name), "type": kind, "ttl": ttl, "labels": {}, "records": records, "protection": { "change": false },
        });
        self.sets.insert((label(name), kind.to_owned()), set);
    }

    fn touch(&mut self, name: &str, field: &str, value: &Value) {
        for ((own, _), set) in self.sets.iter_mut().filter(|((own, _), _)| *own == label(name)) {
            assert!(!own.is_empty());
            if field == "comment" {
                set["records"].as_array_mut().unwrap().iter_mut().for_each(|record| record["comment"] = value.clone());
            } else {
                set[field] = value.clone();
            }
        }
    }

    fn dump(&self) -> Vec<String> {
        let line = |((label, kind), set): (&(String, String), &Value)| {
            let record = |record: &Value| format!("{} ({})", record["value"], record["comment"]);
            let mut records: Vec<String> = set["records"].as_array().unwrap().iter().map(record).collect();
            records.sort();
            format!("{label} {} {kind} {} {records:?}", set["ttl"], set["labels"])
        };
        self.sets.iter().map(line).collect()
    }
}
