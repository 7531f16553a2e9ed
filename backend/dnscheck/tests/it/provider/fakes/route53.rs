//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use relais_dnscheck::provider::ProviderKind;
use sha2::{Digest as _, Sha256};

use super::{Api, Asked, KEY, Sets, Told, ZONES, dump_sets, label, told};

/// Theirs is 300.
const PAGE: usize = 3;
const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

#[derive(Default)]
pub(super) struct Fake {
    sets: Sets,
}

fn failure(status: u16, code: &str, message: &str) -> Told {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    told(
        status,
        format!(
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"{NAMESPACE}\">{error}<RequestId>r</RequestId></ErrorResponse>"
        ),
    )
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// What stands between a tag and its end, each time.
fn all<'a>(body: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    body.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap()).collect()
}

fn unescaped(text: &str) -> String {
    quick_xml::escape::unescape(text).unwrap().into_owned()
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

fn whole(label: &str) -> String {
    if label == "@" { "example.org.".to_owned() } else { format!("{label}.example.org.") }
}

impl Fake {
    fn change(&mut self, body: &str) -> Told {
        let mut sets = self.sets.clone();
        let mut faults = Vec::new();
        for change in all(body, "Change") {
            let one = |tag: &str| unescaped(all(change, tag)[0]);
            let name = one("Name");
            let key = (label(name.strip_suffix('.').unwrap()), one("Type"));
            let values: Vec<String> = all(change, "Value").into_iter().map(unescaped).collect();
            let set = (one("TTL").parse().unwrap(), values);
            let stands = sets.get(&key);
            let is_same = stands.is_some_and(|(ttl, values)| {
                let sorted = |values: &[String]| {
                    let mut values = values.to_vec();
                    values.sort();
                    values
                };
                *ttl == set.0 && sorted(values) == sorted(&set.1)
            });
            match one("Action").as_str() {
                "CREATE" if stands.is_some() => {
                    faults.push(format!("Tried to create resource record set {name} but it already exists"));
                }
                "DELETE" if !is_same => faults.push(format!(
                    "Tried to delete resource record set {name} but the values provided do not match the current values"
                )),
                "DELETE" => drop(sets.remove(&key)),
                _ => drop(sets.insert(key, set)),
            }
        }
        if let Some(fault) = faults.first() {
            let message = format!("<Messages><Message>{fault}</Message></Messages>");
            return told(
                400,
                format!(
                    "<InvalidChangeBatch xmlns=\"{NAMESPACE}\">{message}<RequestId>r</RequestId></InvalidChangeBatch>"
                ),
            );
        }
        self.sets = sets;
        told(
            200,
            "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C2682N5HXP0BZ4</Id><Status>PENDING</Status></ChangeInfo></ChangeResourceRecordSetsResponse>",
        )
    }

    fn shown(&self, key: &(String, String)) -> String {
        let (ttl, values) = &self.sets[key];
        let head = format!("<Name>{}</Name><Type>{}</Type>", whole(&key.0).replace('*', "\\052"), key.1);
        let rest = if let Some(alias) = values[0].strip_prefix("ALIAS ") {
            format!("<AliasTarget><HostedZoneId>Z2</HostedZoneId><DNSName>{alias}</DNSName></AliasTarget>")
        } else {
            let value = |value: &String| format!("<ResourceRecord><Value>{}</Value></ResourceRecord>", escaped(value));
            let values: String = values.iter().map(value).collect();
            format!("<TTL>{ttl}</TTL><ResourceRecords>{values}</ResourceRecords>")
        };
        format!("<ResourceRecordSet>{head}{rest}</ResourceRecordSet>")
    }

    fn list(&self, asked: &Asked) -> Told {
        // Sorted by the labels from the right, then by kind.
        let order =
            |label: &str| whole(label).trim_end_matches('.').split('.').rev().map(str::to_owned).collect::<Vec<_>>();
        let mut keys: Vec<(Vec<String>, &(String, String))> =
            self.sets.keys().map(|key| (order(&key.0), key)).collect();
        keys.sort();
        let from = asked.query.get("name").map(|name| order(&label(name.trim_end_matches('.'))));
        let kind = asked.query.get("type");
        let is_from = |(place, key): &&(Vec<String>, &(String, String))| {
            from.as_ref().is_none_or(|from| place > from || (place == from && kind.is_none_or(|kind| key.1 >= *kind)))
        };
        let found: Vec<&(String, String)> = keys.iter().filter(is_from).map(|(_, key)| *key).collect();
        let shown: String = found.iter().take(PAGE).map(|key| self.shown(key)).collect();
        let next = found.get(PAGE).map(|(label, kind)| {
            let name = whole(label);
            format!("<NextRecordName>{name}</NextRecordName><NextRecordType>{kind}</NextRecordType>")
        });
        let (is_truncated, next) = (next.is_some(), next.unwrap_or_default());
        let body = format!(
            "<?xml version=\"1.0\"?>\n<ListResourceRecordSetsResponse xmlns=\"{NAMESPACE}\">\
             <ResourceRecordSets>{shown}</ResourceRecordSets><IsTruncated>{is_truncated}</IsTruncated>{next}\
             <MaxItems>3</MaxItems></ListResourceRecordSetsResponse>"
        );
        told(200, body)
    }
}

impl Api for Fake {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Route53
    }

    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![("access_key_id", "AKIDEXAMPLE"), ("secret_access_key", KEY)]
    }

    fn refuse(&self, asked: &Asked) -> Option<Told> {
        let stamp = asked.header("x-amz-date");
        let day = stamp.get(..8)?;
        let url = url::Url::parse(&asked.url).unwrap();
        let mut pairs: Vec<&str> = url.query().unwrap_or("").split('&').collect();
        pairs.sort_unstable();
        let request = format!(
            "{}\n{}\n{}\nhost:{}\nx-amz-date:{stamp}\n\nhost;x-amz-date\n{}",
            asked.method,
            url.path(),
            pairs.join("&"),
            asked.header("host"),
            HEXLOWER.encode(&Sha256::digest(&asked.body))
        );
        let scope = format!("{day}/us-east-1/route53/aws4_request");
        let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", HEXLOWER.encode(&Sha256::digest(request)));
        let key = ["us-east-1", "route53", "aws4_request"]
            .iter()
            .fold(mac(format!("AWS4{KEY}").as_bytes(), day), |key, part| mac(&key, part));
        let signature = HEXLOWER.encode(&mac(&key, &to_sign));
        (!asked.header("authorization").ends_with(&format!("Signature={signature}"))).then(|| {
            failure(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.")
        })
    }

    fn answer(&mut self, asked: &Asked) -> Told {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["hostedzonesbyname"]) => {
                // The list begins at the name asked for; a private zone of the same name is another.
                let name = asked.query["dnsname"].trim_end_matches('.');
                let zone = |id: &str, is_private: bool| {
                    format!(
                        "<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}.</Name><CallerReference>c</CallerReference><Config><PrivateZone>{is_private}</PrivateZone></Config><ResourceRecordSetCount>3</ResourceRecordSetCount></HostedZone>"
                    )
                };
                let zones = if ZONES.contains(&name) {
                    format!("{}{}", zone("ZPRIVATE", true), zone("Z1", false))
                } else {
                    "<HostedZone><Id>/hostedzone/Z9</Id><Name>zzz.example.</Name><CallerReference>c</CallerReference></HostedZone>".to_owned()
                };
                told(
                    200,
                    format!(
                        "<?xml version=\"1.0\"?>\n<ListHostedZonesByNameResponse><HostedZones>{zones}</HostedZones><IsTruncated>false</IsTruncated><MaxItems>10</MaxItems></ListHostedZonesByNameResponse>"
                    ),
                )
            }
            ("GET", ["hostedzone", "Z1", "rrset"]) => self.list(asked),
            ("POST", ["hostedzone", "Z1", "rrset", ""]) => self.change(&asked.body),
            _ => failure(404, "NoSuchHostedZone", "No hosted zone found with ID: x"),
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
