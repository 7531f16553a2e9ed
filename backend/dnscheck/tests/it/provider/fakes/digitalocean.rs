//! <https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records>

use relais_dnscheck::provider::ProviderKind;
use serde_json::{Value, json};

use super::{Api, Asked, KEY, Told, ZONES, has_token, label, page, told};

const MOST_A_PAGE: usize = 4;

#[derive(Default)]
pub(super) struct Fake {
    records: Vec<Value>,
    made: u64,
}

fn failure(status: u16, id: &str, message: &str) -> Told {
    told(status, json!({ "id": id, "message": message }))
}

impl Fake {
    fn make(&mut self, body: &Value) -> Value {
        let field = |name: &str| body.get(name).cloned().unwrap_or(Value::Null);
        let mut data = body["data"].as_str().unwrap().to_owned();
        if ["CAA", "CNAME", "MX", "NS", "SRV"].contains(&body["type"].as_str().unwrap()) {
            // Without a last dot it would be a name of the zone.
            data = data.strip_suffix('.').expect("a whole name").to_owned();
        }
        self.made += 1;
        json!({
            "id": self.made, "type": body["type"], "name": body["name"], "data": data, "ttl": body["ttl"],
            "priority": field("priority"), "port": field("port"), "weight": field("weight"), "flags": field("flags"),
            "tag": field("tag"),
        })
    }
}

impl Api for Fake {
    fn kind(&self) -> ProviderKind {
        ProviderKind::DigitalOcean
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("token", KEY)]
    }

    fn refuse(&self, asked: &Asked) -> Option<Told> {
        (!has_token(asked, "Bearer")).then(|| failure(401, "Unauthorized", "Unable to authenticate you"))
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["domains", zone]) if ZONES.contains(zone) => {
                told(200, json!({ "domain": { "name": zone, "ttl": 1800, "zone_file": "" } }))
            }
            ("GET", ["domains", "example.org", "records"]) => {
                let is_asked = |record: &&Value| {
                    asked.query.get("name").is_none_or(|name| record["name"].as_str() == Some(&label(name)))
                };
                let found: Vec<Value> = self.records.iter().filter(is_asked).cloned().collect();
                let number = asked.number("page", 1);
                let (shown, pages) = page(&found, number, MOST_A_PAGE.min(asked.number("per_page", 20)));
                let links = if number < pages {
                    let next =
                        format!("https://api.digitalocean.com/v2/domains/example.org/records?page={}", number + 1);
                    json!({ "pages": { "next": next } })
                } else {
                    json!({})
                };
                told(200, json!({ "domain_records": shown, "links": links, "meta": { "total": found.len() } }))
            }
            ("POST", ["domains", "example.org", "records"]) => {
                let record = self.make(&asked.json());
                self.records.push(record.clone());
                told(201, json!({ "domain_record": record }))
            }
            (method @ ("PUT" | "DELETE"), ["domains", "example.org", "records", id]) => {
                let Some(place) = self.records.iter().position(|record| record["id"].as_u64() == id.parse().ok())
                else {
                    return failure(404, "not_found", "The resource you were accessing could not be found.");
                };
                if method == "DELETE" {
                    self.records.remove(place);
                    return told(204, "");
                }
                let mut record = self.make(&asked.json());
                record["id"] = self.records[place]["id"].clone();
                self.records[place] = record.clone();
                told(200, json!({ "domain_record": record }))
            }
            _ => failure(404, "not_found", "The resource you were accessing could not be found."),
        }
    }

    fn put(&mut self, name: &str, kind: &str, ttl: u32, values: &[&str]) {
        self.records.retain(|record| !(record["name"] == label(name) && record["type"] == kind));
        for value in values {
            let words: Vec<&str> = value.splitn(4, ' ').collect();
            let number = |at: usize| words[at].parse::<u64>().unwrap();
            let mut body = json!({ "name": label(name), "type": kind, "ttl": ttl, "data": value });
            match kind {
                "MX" => {
                    body["priority"] = json!(number(0));
                    body["data"] = json!(words[1]);
                }
                "SRV" => {
                    (body["priority"], body["weight"], body["port"]) =
                        (json!(number(0)), json!(number(1)), json!(number(2)));
                    body["data"] = json!(words[3]);
                }
                "CAA" => {
                    (body["flags"], body["tag"]) = (json!(number(0)), json!(words[1]));
                    body["data"] = json!(format!("{}.", words[2].trim_matches('"')));
                }
                "TXT" => {
                    let text = relais_dnscheck::provider::txt_octets(value);
                    body["data"] = json!(String::from_utf8(text).unwrap());
                }
                _ => {}
            }
            let record = self.make(&body);
            self.records.push(record);
        }
    }

    fn dump(&self) -> Vec<String> {
        let line = |record: &Value| {
            let mut record = record.clone();
            record.as_object_mut().unwrap().remove("id");
            record.to_string()
        };
        let mut lines: Vec<String> = self.records.iter().map(line).collect();
        lines.sort();
        lines
    }
}
