//! Amazon Route 53, API of 2013-04-01: <https://docs.aws.amazon.com/Route53/latest/APIReference/>. Whole sets in XML; all changes go in one
//! batch that is granted or refused as a whole. Only public zones are looked at.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hyper::Method;
use quick_xml::escape::escape;
use relais_model::Secret;
use serde::Deserialize;

use super::http::{Answer, Api, Http, escaped};
use super::record::{RecordSet, bare, dotted, txt_octets};
use super::sigv4::AwsKeys;
use super::{Asking, Change, Contents, Provider, ProviderError, ProviderKind, Zone, only, said};

/// Where the API is.
pub(super) const BASE: &str = "https://route53.amazonaws.com/2013-04-01";

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Sets a page, which is the most.
const PAGE: usize = 300;

#[derive(Debug)]
pub(super) struct Route53(Api);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ZonePage {
    hosted_zones: HostedZones,
}

#[derive(Deserialize)]
struct HostedZones {
    #[serde(rename = "HostedZone", default)]
    zones: Vec<HostedZone>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostedZone {
    /// `/hostedzone/Z1D633PJN98FT9`
    id: String,
    name: String,
    config: Option<ZoneConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneConfig {
    #[serde(default)]
    private_zone: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetPage {
    resource_record_sets: FoundSets,
    is_truncated: bool,
    next_record_name: Option<String>,
    next_record_type: Option<String>,
    next_record_identifier: Option<String>,
}

#[derive(Deserialize)]
struct FoundSets {
    #[serde(rename = "ResourceRecordSet", default)]
    sets: Vec<FoundSet>,
}

#[derive(Deserialize)]
struct FoundSet {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "TTL")]
    ttl: Option<u32>,
    #[serde(rename = "ResourceRecords")]
    records: Option<FoundRecords>,
    /// Weighted, by latency, by place: one answer of several.
    #[serde(rename = "SetIdentifier")]
    identifier: Option<String>,
}

#[derive(Deserialize)]
struct FoundRecords {
    #[serde(rename = "ResourceRecord", default)]
    records: Vec<FoundRecord>,
}

#[derive(Deserialize)]
struct FoundRecord {
    #[serde(rename = "Value")]
    value: String,
}

impl Route53 {
    pub(super) fn new(http: Http, base: String, id: Secret, secret: Secret) -> Self {
        let sign = Box::new(AwsKeys { id, secret, region: "us-east-1", service: "route53" });
        // Both come as a 400.
        let delays = &["<Code>Throttling</Code>", "PriorRequestNotComplete"];
        Self(Api { http, base, sign, content_type: "application/xml", complaint, refusals: &[], delays })
    }

    async fn all(&self, zone: &Zone, names: &BTreeSet<String>) -> Result<Contents, ProviderError> {
        let mut contents = Contents::default();
        // The list is sorted by the labels from the right; one name is a run in it.
        let only = only(names);
        let mut from = only.map(|name| format!("&name={}", escaped(&dotted(name)))).unwrap_or_default();
        loop {
            let target = format!("/hostedzone/{}/rrset?maxitems={PAGE}{from}", zone.key);
            let page: SetPage = parse(&self.0.call(Method::GET, &target, &[]).await?)?;
            // A page without sets is the last, whatever is said of more.
            let mut is_past = page.resource_record_sets.sets.is_empty();
            for found in page.resource_record_sets.sets {
                let name = bare(&unescaped(&found.name));
                is_past = only.is_some_and(|only| *only != name);
                if is_past {
                    break;
                }
                match (found.records, found.identifier) {
                    (Some(records), None) => contents.sets.push(set_of(&name, &found.kind, found.ttl, &records)),
                    _ => {
                        contents.fixed.insert((name, found.kind));
                    }
                }
            }
            contents.bounded()?;
            let Some(next) = page.next_record_name.filter(|_| page.is_truncated && !is_past) else { break };
            let place = [("type", page.next_record_type), ("identifier", page.next_record_identifier)];
            let part = |(name, value): (&str, Option<String>)| {
                value.map(|value| format!("&{name}={}", escaped(&value))).unwrap_or_default()
            };
            from = format!("&name={}{}", escaped(&next), place.map(part).concat());
        }
        Ok(contents)
    }
}

fn set_of(name: &str, kind: &str, ttl: Option<u32>, records: &FoundRecords) -> RecordSet {
    let values = records.records.iter().map(|record| match kind {
        "TXT" => decimal(&record.value),
        _ => record.value.clone(),
    });
    RecordSet::new(name, kind, ttl.unwrap_or_default(), values)
}

/// Route 53 writes what isn't a letter as `\052`, in octal. In a name that is a wildcard's star, say.
fn unescaped(name: &str) -> String {
    String::from_utf8(txt_octets(&decimal(name))).unwrap_or_else(|_| name.to_owned())
}

/// `\ooo` (octal, Route 53's) as `\ddd` (decimal, RFC 1035's).
fn decimal(text: &str) -> String {
    renumbered(text, |digits| u8::from_str_radix(digits, 8).map(|octet| format!("\\{octet:03}")).ok())
}

/// And back.
fn octal(text: &str) -> String {
    renumbered(text, |digits| digits.parse::<u8>().map(|octet| format!("\\{octet:03o}")).ok())
}

fn renumbered(text: &str, number: impl Fn(&str) -> Option<String>) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (head, tail) = rest.split_at(at);
        written.push_str(head);
        let digits = tail.get(1..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        let taken = if let Some(escape) = digits.and_then(&number) {
            written.push_str(&escape);
            4
        } else {
            // A backslash and the character that it protects.
            let taken = 1 + tail.chars().nth(1).map_or(0, char::len_utf8);
            written.push_str(tail.get(..taken).unwrap_or(tail));
            taken
        };
        rest = tail.get(taken..).unwrap_or_default();
    }
    written.push_str(rest);
    written
}

/// The body of `ChangeResourceRecordSets`.
fn batch(changes: &[Change]) -> String {
    let mut body = format!("<ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch><Changes>");
    for change in changes {
        let (act, set) = match (&change.before, &change.after) {
            (None, Some(after)) => ("CREATE", after),
            (Some(_), Some(after)) => ("UPSERT", after),
            (Some(before), None) => ("DELETE", before),
            (None, None) => continue,
        };
        let (name, kind, ttl) = (escape(dotted(&set.name)), escape(&set.kind), set.ttl);
        // Writing to a String has no error.
        let _ = write!(
            body,
            "<Change><Action>{act}</Action><ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type><TTL>{ttl}</TTL>\
             <ResourceRecords>"
        );
        for value in &set.values {
            let value = if set.kind == "TXT" { octal(value) } else { value.clone() };
            let _ = write!(body, "<ResourceRecord><Value>{}</Value></ResourceRecord>", escape(value));
        }
        body.push_str("</ResourceRecords></ResourceRecordSet></Change>");
    }
    body.push_str("</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
    body
}

/// What stands between the first `<Message>` and its end.
fn complaint(body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    let words = body.split_once("<Message>")?.1.split_once("</Message>")?.0;
    Some(quick_xml::escape::unescape(words).map_or_else(|_| words.to_owned(), std::borrow::Cow::into_owned))
}

fn parse<T: for<'de> Deserialize<'de>>(answer: &Answer) -> Result<T, ProviderError> {
    quick_xml::de::from_reader(answer.body.as_ref()).map_err(|error| ProviderError::Broken(said(&error.to_string())))
}

impl Provider for Route53 {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Route53
    }

    fn zone<'a>(&'a self, name: &'a str) -> Asking<'a, Option<Zone>> {
        Box::pin(async move {
            let target = format!("/hostedzonesbyname?dnsname={}&maxitems=10", escaped(&dotted(name)));
            let page: ZonePage = parse(&self.0.call(Method::GET, &target, &[]).await?)?;
            let is_ours = |zone: &HostedZone| {
                bare(&zone.name) == name && !zone.config.as_ref().is_some_and(|config| config.private_zone)
            };
            let found = page.hosted_zones.zones.into_iter().find(is_ours);
            let key = |id: &str| id.rsplit('/').next().map(escaped).unwrap_or_default();
            Ok(found.map(|zone| Zone { name: name.to_owned(), key: key(&zone.id), least_ttl: 0 }))
        })
    }

    fn read<'a>(&'a self, zone: &'a Zone, names: &'a BTreeSet<String>) -> Asking<'a, Contents> {
        Box::pin(self.all(zone, names))
    }

    fn write<'a>(&'a self, zone: &'a Zone, changes: &'a [Change]) -> Asking<'a, ()> {
        Box::pin(async move {
            let target = format!("/hostedzone/{}/rrset/", zone.key);
            self.0.call(Method::POST, &target, batch(changes).as_bytes()).await.map(drop)
        })
    }

    fn has_kind(&self, kind: &str) -> bool {
        ["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"]
            .contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::txt;
    use super::*;

    #[test]
    fn route_53_counts_octets_in_octal() {
        let text = txt(b"a\"b\\ \xe9*");
        assert_eq!(octal(&text), r#""a\"b\\ \351*""#);
        assert_eq!(decimal(&octal(&text)), text);
        assert_eq!(unescaped("\\052.example.org."), "*.example.org.");
    }
}
