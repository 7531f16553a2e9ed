//! <https://developers.cloudflare.com/api/resources/dns/subresources/records/>

use relais_dnscheck::provider::ProviderKind;
use serde_json::{Value, json};

use super::{Api, Asked, KEY, Told, ZONES, has_token, page, told};

/// Their default would need a hundred records to show a second page.
const MOST_A_PAGE: usize = 4;

#[derive(Default)]
pub(super) struct Fake {
    records: Vec<Value>,
    made: usize,
}

fn failure(status: u16, code: u32, message: &str) -> Told {
    let errors = json!([{ "code": code, "message": message }]);
    told(status, json!({ "success": false, "errors": errors, "messages": [], "result": null }))
}

fn success(result: &Value) -> Told {
    told(200, json!({ "success": true, "errors": [], "messages": [], "result": result }))
}

impl Fake {
    fn make(&mut self, body: &Value) -> Result<Value, Told> {
        let mut record = body.clone();
        let kind = body["type"].as_str().unwrap();
        let is_alias =
            |other: &&Value| other["name"] == body["name"] && (other["type"] == "CNAME") != (kind == "CNAME");
        if self.records.iter().any(|other| is_alias(&other)) {
            return Err(failure(400, 81053, "An A, AAAA, or CNAME record with that host already exists."));
        }
        let data = body["data"].clone();
        match kind {
            "SRV" => {
                assert!(body["content"].is_null() && data["weight"].is_u64(), "SRV is written in parts: {body}");
                record["priority"] = data["priority"].clone();
                record["content"] =
                    json!(format!("{} {} {}", data["weight"], data["port"], data["target"].as_str().unwrap()));
            }
            "CAA" => {
                let (tag, value) = (data["tag"].as_str().unwrap(), data["value"].as_str().unwrap());
                record["content"] = json!(format!("{} {tag} \"{value}\"", data["flags"]));
            }
            "TLSA" => {
                let certificate = data["certificate"].as_str().unwrap();
                record["content"] =
                    json!(format!("{} {} {} {certificate}", data["usage"], data["selector"], data["matching_type"]));
            }
            "MX" => assert!(body["priority"].is_u64() && !body["content"].as_str().unwrap().contains(' ')),
            "TXT" => assert!(body["content"].as_str().unwrap().starts_with('"'), "a TXT stands in quotes: {body}"),
            _ => {}
        }
        self.made += 1;
        record["id"] = json!(format!("{:032x}", self.made));
        record["modified_on"] = json!("2026-11-27T00:00:00Z");
        record["meta"] = json!({});
        for (name, usual) in [("proxied", json!(false)), ("comment", Value::Null), ("tags", json!([]))] {
            if record[name].is_null() {
                record[name] = usual;
            }
        }
        Ok(record)
    }

    /// In a transaction: deletes, puts, posts.
    fn batch(&mut self, body: &Value) -> Told {
        let before = self.records.clone();
        let made = self.try_batch(body);
        if made.is_err() {
            self.records = before;
        }
        made.unwrap_or_else(|told| told)
    }

    fn try_batch(&mut self, body: &Value) -> Result<Told, Told> {
        for delete in body["deletes"].as_array().unwrap() {
            let before = self.records.len();
            self.records.retain(|record| record["id"] != delete["id"]);
            if self.records.len() == before {
                return Err(failure(404, 81044, "Record does not exist."));
            }
        }
        for put in body["puts"].as_array().unwrap() {
            let place = self.records.iter().position(|record| record["id"] == put["id"]);
            let place = place.ok_or_else(|| failure(404, 81044, "Record does not exist."))?;
            self.records.remove(place);
            let mut record = self.make(put)?;
            record["id"] = put["id"].clone();
            self.records.push(record);
        }
        for post in body["posts"].as_array().unwrap() {
            let record = self.make(post)?;
            self.records.push(record);
        }
        Ok(success(&json!({ "deletes": [], "puts": [], "posts": [] })))
    }
}

impl Api for Fake {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Cloudflare
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("token", KEY)]
    }

    fn refuse(&self, asked: &Asked) -> Option<Told> {
        if asked.header("authorization") == "Bearer no-token-at-all" {
            return Some(failure(400, 6003, "Invalid request headers"));
        }
        (!has_token(asked, "Bearer")).then(|| failure(403, 9109, "Invalid access token"))
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["zones"]) => {
                let name = &asked.query["name"];
                let found: Vec<Value> = ZONES
                    .iter()
                    .filter(|zone| zone == &name)
                    .map(|zone| json!({ "id": format!("id-of-{zone}"), "name": zone, "status": "active" }))
                    .collect();
                success(&json!(found))
            }
            ("GET", ["zones", "id-of-example.org", "dns_records"]) => {
                let is_asked = |record: &&Value| {
                    asked.query.get("name.exact").is_none_or(|name| record["name"].as_str() == Some(name))
                };
                let found: Vec<Value> = self.records.iter().filter(is_asked).cloned().collect();
                let number = asked.number("page", 1);
                let (shown, pages) = page(&found, number, MOST_A_PAGE.min(asked.number("per_page", 100)));
                let info = json!({
                    "page": number, "per_page": MOST_A_PAGE, "count": shown.len(), "total_count": found.len(),
                    "total_pages": pages,
                });
                told(
                    200,
                    json!({ "success": true, "errors": [], "messages": [], "result": shown, "result_info": info }),
                )
            }
            ("POST", ["zones", "id-of-example.org", "dns_records", "batch"]) => self.batch(&asked.json()),
            _ => failure(404, 7003, "Could not route to that path, perhaps your object identifier is invalid?"),
        }
    }

    fn put(&mut self, name: &str, kind: &str, ttl: u32, values: &[&str]) {
        self.records.retain(|record| !(record["name"] == name && record["type"] == kind));
        for value in values {
            let words: Vec<&str> = value.splitn(4, ' ').collect();
            let number = |at: usize| words[at].parse::<u64>().unwrap();
            let bare = |at: usize| words[at].trim_end_matches('.');
            let mut body = json!({ "name": name, "type": kind, "ttl": ttl });
            match kind {
                "MX" => {
                    body["priority"] = json!(number(0));
                    body["content"] = json!(bare(1));
                }
                "SRV" => {
                    body["data"] =
                        json!({ "priority": number(0), "weight": number(1), "port": number(2), "target": bare(3) });
                }
                "CAA" => {
                    body["data"] = json!({ "flags": number(0), "tag": words[1], "value": words[2].trim_matches('"') });
                }
                "CNAME" => body["content"] = json!(bare(0)),
                _ => body["content"] = json!(value),
            }
            let record = self.make(&body).ok().unwrap();
            self.records.push(record);
        }
    }

    fn touch(&mut self, name: &str, field: &str, value: &Value) {
        for record in self.records.iter_mut().filter(|record| record["name"] == name) {
            record[field] = value.clone();
        }
    }

    fn dump(&self) -> Vec<String> {
        let line = |record: &Value| {
            let part = |name: &str| record[name].to_string();
            format!(
                "{} {} {} {} {} proxied={} comment={}",
                part("name"),
                part("ttl"),
                part("type"),
                part("priority"),
                part("content"),
                part("proxied"),
                part("comment")
            )
        };
        let mut lines: Vec<String> = self.records.iter().map(line).collect();
        lines.sort();
        lines
    }
}
