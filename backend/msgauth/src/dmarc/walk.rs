//! The DNS tree walk (RFC 9989 §4.10).

use std::collections::BTreeMap;

use super::record::{DmarcRecord, Psd};
use crate::resolver::{Lack, Resolver};

/// Questions of one walk (§4.10).
pub const MOST_QUERIES: usize = 8;

/// Walks, remembering what it was told: the walks of one message share most of their way.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    resolver: &'a dyn Resolver,
    told: BTreeMap<String, Option<DmarcRecord>>,
}

/// What a walk found on its way, the longest name first.
#[derive(Debug)]
pub(super) struct Way<'n> {
    start: &'n str,
    found: Vec<(&'n str, DmarcRecord)>,
}

/// The name that owes an answer.
#[derive(Debug)]
pub(super) struct Unanswered(pub(super) String);

impl<'a> Walker<'a> {
    pub(super) fn new(resolver: &'a dyn Resolver) -> Self {
        Self { resolver, told: BTreeMap::new() }
    }

    pub(super) async fn walk<'n>(&mut self, start: &'n str) -> Result<Way<'n>, Unanswered> {
        let mut way = Way { start, found: Vec::new() };
        for name in names(start) {
            let Some(record) = self.record(name).await? else { continue };
            let is_end = record.psd != Psd::Unsaid;
            way.found.push((name, record));
            if is_end {
                break;
            }
        }
        Ok(way)
    }

    /// The one record at `_dmarc.NAME`; of several none counts (§4.10, step 2).
    async fn record(&mut self, name: &str) -> Result<Option<DmarcRecord>, Unanswered> {
        if let Some(told) = self.told.get(name) {
            return Ok(told.clone());
        }
        let at = format!("_dmarc.{name}");
        let records: Vec<DmarcRecord> = match self.resolver.txt(&at).await {
            Ok(texts) => texts.iter().filter_map(|text| DmarcRecord::parse(text)).collect(),
            Err(Lack::NoSuchName | Lack::NoData) => Vec::new(),
            Err(Lack::Silence) => return Err(Unanswered(at)),
        };
        let record = <[DmarcRecord; 1]>::try_from(records).ok().map(|[record]| record);
        self.told.insert(name.to_owned(), record.clone());
        Ok(record)
    }
}

/// The names that a walk asks for: the whole, then from its last seven labels on one less each time.
fn names(start: &str) -> impl Iterator<Item = &str> {
    let labels = start.split('.').count();
    let last = move |count: usize| {
        let cut = start.rmatch_indices('.').nth(count.saturating_sub(1)).map_or(0, |(dot, _)| dot + 1);
        start.get(cut..).unwrap_or(start)
    };
    std::iter::once(start).chain((1..labels.min(MOST_QUERIES)).rev().map(last))
}

impl<'n> Way<'n> {
    /// The record at the name where the walk began.
    pub(super) fn own(&self) -> Option<&DmarcRecord> {
        self.found.first().filter(|(name, _)| *name == self.start).map(|(_, record)| record)
    }

    pub(super) fn at(&self, name: &str) -> Option<&DmarcRecord> {
        self.found.iter().find(|(known, _)| *known == name).map(|(_, record)| record)
    }

    /// The public suffix's record, where the walk ended there.
    pub(super) fn suffix(&self) -> Option<(&'n str, &DmarcRecord)> {
        self.found.last().filter(|(name, record)| is_suffix(name, record)).map(|(name, record)| (*name, record))
    }

    /// The Organizational Domain (§4.10.2).
    pub(super) fn organizational(&self) -> &'n str {
        for (name, record) in &self.found {
            if record.psd == Psd::No {
                return name;
            }
            if *name != self.start && is_suffix(name, record) {
                return one_below(self.start, name);
            }
        }
        self.found.last().map_or(self.start, |(name, _)| name)
    }
}

/// `psd=y`; or a registry's suffix that doesn't say what it is.
///
/// Deviates: stricter than the RFC, which would make all names below such a record one organisation. §5.2 demands `psd=y` of registries; one that forgets it must not let its
/// customers speak for each other. Only suffixes of registries count, not those that a company lists for its own customers: their records are organisations' own.
fn is_suffix(name: &str, record: &DmarcRecord) -> bool {
    record.psd == Psd::Yes || (record.psd == Psd::Unsaid && is_registry(name))
}

fn is_registry(name: &str) -> bool {
    psl::suffix(name.as_bytes())
        .is_some_and(|suffix| suffix.typ() == Some(psl::Type::Icann) && suffix.as_bytes().len() == name.len())
}

/// The end of `name` that has one label more than `above`.
fn one_below<'n>(name: &'n str, above: &str) -> &'n str {
    let below = name.len().saturating_sub(above.len() + 1);
    let cut = name.get(..below).and_then(|rest| rest.rfind('.')).map_or(0, |dot| dot + 1);
    name.get(cut..).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Zone, at_once};

    /// §4.10's own example.
    #[test]
    fn eight_questions_at_most() {
        assert_eq!(
            names("a.b.c.d.e.f.g.h.i.j.mail.example.com").collect::<Vec<_>>(),
            [
                "a.b.c.d.e.f.g.h.i.j.mail.example.com",
                "g.h.i.j.mail.example.com",
                "h.i.j.mail.example.com",
                "i.j.mail.example.com",
                "j.mail.example.com",
                "mail.example.com",
                "example.com",
                "com"
            ]
        );
        assert_eq!(names("mail.example.com").collect::<Vec<_>>(), ["mail.example.com", "example.com", "com"]);
        assert_eq!(names("com").collect::<Vec<_>>(), ["com"]);
    }

    #[track_caller]
    fn check(records: &[(&str, &str)], start: &str, expected: &str) {
        let mut zone = Zone::new();
        for (name, text) in records {
            zone.add_txt(&format!("_dmarc.{name}"), *text);
        }
        assert_eq!(at_once(Walker::new(&zone).walk(start)).unwrap().organizational(), expected, "{records:?}");
    }

    /// §4.10.2's own examples, and our exception.
    #[test]
    fn organizational_domains() {
        let some = "v=DMARC1; p=none";
        let start = "a.mail.example.com";
        check(&[("mail.example.com", some), ("example.com", some)], start, "example.com");
        check(&[("mail.example.com", "v=DMARC1; p=none; psd=n"), ("example.com", some)], start, "mail.example.com");
        check(&[("com", "v=DMARC1; p=none; psd=y")], start, "example.com");
        check(&[("example.com", "v=DMARC1; p=none; psd=y"), ("com", some)], start, "mail.example.com");
        check(&[], start, start);
        check(&[("example.com", some), ("example.com", some)], start, start);
        check(&[("com", some)], start, "example.com");
        check(&[("com", some)], "com", "com");
        check(&[("github.io", some)], "x.github.io", "github.io");
        check(&[("example.com", "v=DMARC1; p=none; psd=y")], "example.com", "example.com");
    }
}
