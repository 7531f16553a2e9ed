//! For providers that keep single records instead of sets, each with its own id, TTL and flags.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::record::{Attributes, RecordSet, SetKey, TTL, canonical};
use super::{Change, Contents, MAX_RECORDS, ProviderError};

/// One record at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Single {
    /// The provider's.
    pub(super) id: String,
    /// Whole, without the last dot.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) ttl: u32,
    /// In presentation format.
    pub(super) value: String,
    pub(super) attributes: Attributes,
    /// The provider doesn't let it be changed.
    pub(super) is_fixed: bool,
}

impl Single {
    fn key(&self) -> SetKey {
        (self.name.clone(), self.kind.clone())
    }
}

/// One thing to be done to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    /// The record of this id goes.
    Delete(String),
    /// The record of the id becomes another.
    Replace(String, Single),
    /// A new one; its id is empty.
    Create(Single),
}

/// The records of all pages: `page` asks for one by its number, the first is 1, and tells whether the provider says that there are more.
pub(super) async fn of_pages<F>(mut page: impl FnMut(usize) -> F) -> Result<Vec<Single>, ProviderError>
where
    F: Future<Output = Result<(Vec<Single>, bool), ProviderError>>,
{
    let mut records = Vec::new();
    for number in 1.. {
        let (found, has_more) = page(number).await?;
        // A page without records is the last, whatever is said of more.
        let is_last = found.is_empty() || !has_more;
        records.extend(found);
        if records.len() > MAX_RECORDS {
            return Err(ProviderError::TooMuch);
        }
        if is_last {
            break;
        }
    }
    Ok(records)
}

/// Records as sets.
pub(super) fn sets(records: Vec<Single>) -> Result<Contents, ProviderError> {
    if records.len() > MAX_RECORDS {
        return Err(ProviderError::TooMuch);
    }
    let fixed: BTreeSet<SetKey> = records.iter().filter(|record| record.is_fixed).map(Single::key).collect();
    let mut groups: BTreeMap<SetKey, Vec<Single>> = BTreeMap::new();
    for record in records {
        groups.entry(record.key()).or_default().push(record);
    }
    groups.retain(|key, _| !fixed.contains(key));
    let sets = groups.into_iter().map(|((name, kind), records)| {
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
        let mut set = RecordSet::new(&name, &kind, ttl, records.iter().map(|record| &record.value));
        for record in records {
            let mut kept = record.attributes;
            if record.ttl != ttl {
                kept.insert(TTL.to_owned(), record.ttl.into());
            }
            if !kept.is_empty() {
                set.attributes.insert(canonical(&kind, &record.value), kept);
            }
        }
        set
    });
    Ok(Contents { sets: sets.collect(), fixed })
}

/// What turns `standing`, which are at least the records of the changed sets, into what `changes` want. A record that goes and one that
/// comes are one that changes, so that nothing is missing in between.
pub(super) fn edits(standing: &[Single], changes: &[Change]) -> Vec<Edit> {
    changes.iter().flat_map(|change| edits_of(standing, change)).collect()
}

fn edits_of(standing: &[Single], change: &Change) -> Vec<Edit> {
    let key = change.key();
    let mut wanted: Vec<Single> = change.after.as_ref().map(singles).unwrap_or_default();
    let mut edits = Vec::new();
    let mut going = Vec::new();
    for record in standing.iter().filter(|record| record.key() == key) {
        let value = canonical(&record.kind, &record.value);
        match wanted.iter().position(|wish| wish.value == value) {
            Some(place) => {
                let wish = wanted.swap_remove(place);
                if wish.ttl != record.ttl || wish.attributes != record.attributes {
                    edits.push(Edit::Replace(record.id.clone(), wish));
                }
            }
            None => going.push(record.id.clone()),
        }
    }
    let mut coming = wanted.into_iter();
    for id in going {
        edits.push(coming.next().map_or_else(|| Edit::Delete(id.clone()), |wish| Edit::Replace(id.clone(), wish)));
    }
    edits.extend(coming.map(Edit::Create));
    edits
}

/// The records of a set, each with its own TTL where it has one.
fn singles(set: &RecordSet) -> Vec<Single> {
    let single = |value: &String| {
        let mut attributes = set.attributes.get(value).cloned().unwrap_or_default();
        let own = attributes.remove(TTL).as_ref().and_then(Value::as_u64).and_then(|ttl| u32::try_from(ttl).ok());
        Single {
            id: String::new(),
            name: set.name.clone(),
            kind: set.kind.clone(),
            ttl: own.unwrap_or(set.ttl),
            value: value.clone(),
            attributes,
            is_fixed: false,
        }
    };
    set.values.iter().map(single).collect()
}
