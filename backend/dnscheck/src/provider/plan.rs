//! From what a zone holds and what is wished for to what is to be done: no network, no clock.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::record::{self, OF_SET, PROXIED, RecordSet, SetKey, TTL};
use super::{Contents, Zone};

/// What the records of one kind at one name shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// These and no others; with no values, the set goes.
    Exactly(RecordSet),
    /// TXT records: these instead of those that begin with `tag` (`v=spf1`); others stay.
    Among {
        /// What shall stand there.
        set: RecordSet,
        /// How the texts begin that are ours to replace; case and blanks don't count, for receivers read `v = DMARC1`, too (RFC 6376 §3.2).
        tag: String,
    },
    /// These, too, beside whatever else stands there.
    Beside(RecordSet),
    /// These no longer; others stay.
    Without(RecordSet),
}

impl Wish {
    /// The name that it is about.
    pub fn name(&self) -> &str {
        &self.set().name
    }

    fn set(&self) -> &RecordSet {
        match self {
            Self::Exactly(set) | Self::Among { set, .. } | Self::Beside(set) | Self::Without(set) => set,
        }
    }

    /// What stands there once the wish is granted. Where that says the same as what stood, it is that, to the letter.
    fn grant(&self, before: Option<&RecordSet>, least_ttl: u32) -> Option<RecordSet> {
        let wished = self.set();
        let empty = RecordSet { values: Vec::new(), ttl: wished.ttl.max(least_ttl), ..wished.clone() };
        let standing = before.unwrap_or(&empty);
        let stay = |value: &&String| match self {
            Self::Exactly(_) => wished.equal_of(value).is_some(),
            Self::Among { tag, .. } => !begins_with(value, tag) || wished.equal_of(value).is_some(),
            Self::Beside(_) => true,
            Self::Without(_) => wished.equal_of(value).is_none(),
        };
        let mut values: BTreeSet<String> = standing.values.iter().filter(stay).cloned().collect();
        if !matches!(self, Self::Without(_)) {
            values.extend(wished.values.iter().filter(|value| standing.equal_of(value).is_none()).cloned());
        }
        let is_same = values.iter().eq(standing.values.iter());
        let is_hidden = matches!(self, Self::Exactly(_)) && standing.is_proxied();
        if is_same && !is_hidden {
            return before.cloned();
        }
        let mut attributes = standing.attributes.clone();
        attributes.retain(|value, _| value == OF_SET || values.contains(value));
        let mut ttl = standing.ttl;
        if matches!(self, Self::Exactly(_)) {
            ttl = empty.ttl;
            for kept in attributes.values_mut() {
                kept.remove(PROXIED);
                kept.remove(TTL);
            }
            attributes.retain(|_, kept| !kept.is_empty());
        }
        let values: Vec<String> = values.into_iter().collect();
        (!values.is_empty()).then_some(RecordSet { ttl, values, attributes, ..empty })
    }
}

fn begins_with(value: &str, tag: &str) -> bool {
    let head = record::txt_octets(value).into_iter().filter(|octet| !octet.is_ascii_whitespace()).take(tag.len());
    head.collect::<Vec<u8>>().eq_ignore_ascii_case(tag.as_bytes())
}

/// What becomes of one set. One of both is there, and they differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What stands; none where the set is made.
    pub before: Option<RecordSet>,
    /// What shall stand; none where the set goes.
    pub after: Option<RecordSet>,
}

impl Change {
    fn any(&self) -> Option<&RecordSet> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// The set's name.
    pub fn name(&self) -> &str {
        self.any().map_or("", |set| &set.name)
    }

    /// The set's kind.
    pub fn kind(&self) -> &str {
        self.any().map_or("", |set| &set.kind)
    }

    /// What tells the set from others.
    pub fn key(&self) -> SetKey {
        (self.name().to_owned(), self.kind().to_owned())
    }

    /// Values that come.
    pub fn added(&self) -> Vec<&str> {
        missing(self.after.as_ref(), self.before.as_ref())
    }

    /// Values that go.
    pub fn removed(&self) -> Vec<&str> {
        missing(self.before.as_ref(), self.after.as_ref())
    }

    /// Values that stand and stay.
    pub fn kept(&self) -> Vec<&str> {
        let values = self.before.iter().flat_map(|set| &set.values).map(String::as_str);
        values.filter(|value| holds(self.after.as_ref(), value)).collect()
    }

    /// The way back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { before: self.after.clone(), after: self.before.clone() }
    }
}

fn holds(set: Option<&RecordSet>, value: &str) -> bool {
    set.is_some_and(|set| set.values.iter().any(|own| own == value))
}

fn missing<'a>(one: Option<&'a RecordSet>, other: Option<&RecordSet>) -> Vec<&'a str> {
    let values = one.into_iter().flat_map(|set| &set.values).map(String::as_str);
    values.filter(|value| !holds(other, value)).collect()
}

/// Why a wish cannot be granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hindrance {
    /// An alias (CNAME) stands at this name, which nothing else may stand beside (RFC 1034 §3.6.2): where it leads.
    Alias(String),
    /// The wish is an alias, and these kinds of records stand at its name.
    Occupied(Vec<String>),
    /// What stands there is no plain set of records (an alias of the provider's own, a weighted answer, a locked record).
    Fixed,
    /// The provider has no records of this kind.
    Unsupported,
    /// The name isn't in the zone.
    Outside,
}

impl Hindrance {
    /// Its sentence in the catalogue, and what fills its gaps.
    pub fn text(&self) -> (&'static str, Vec<(&'static str, String)>) {
        match self {
            Self::Alias(target) => ("dns-provider-hindrance-alias", vec![("target", target.clone())]),
            Self::Occupied(kinds) => ("dns-provider-hindrance-occupied", vec![("kinds", kinds.join(", "))]),
            Self::Fixed => ("dns-provider-hindrance-fixed", Vec::new()),
            Self::Unsupported => ("dns-provider-hindrance-unsupported", Vec::new()),
            Self::Outside => ("dns-provider-hindrance-outside", Vec::new()),
        }
    }
}

/// A set that stays as it is, though it was wished otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// The set's name.
    pub name: String,
    /// The set's kind.
    pub kind: String,
    /// Why.
    pub hindrance: Hindrance,
}

/// A preview: what would be done, to be shown, and then done as it was shown or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where.
    pub zone: Zone,
    /// By name and kind. Empty where all wishes are granted already.
    pub changes: Vec<Change>,
    /// What cannot be done; the changes don't depend on it.
    pub obstacles: Vec<Obstacle>,
}

/// What is to be done in `zone`, which holds `contents`, so that all `wishes` are granted; later ones see what earlier ones made.
/// `has_kind` says which kinds of records the provider has.
pub(super) fn plan(zone: Zone, contents: &Contents, wishes: &[Wish], has_kind: impl Fn(&str) -> bool) -> Plan {
    let before: BTreeMap<SetKey, &RecordSet> = contents.sets.iter().map(|set| (set.key(), set)).collect();
    let mut after: BTreeMap<SetKey, RecordSet> = contents.sets.iter().map(|set| (set.key(), set.clone())).collect();
    let mut hindrances: BTreeMap<SetKey, Hindrance> = BTreeMap::new();
    for wish in wishes {
        let key = wish.set().key();
        let granted = wish.grant(after.get(&key), zone.least_ttl);
        if granted.as_ref() == after.get(&key) {
            continue;
        }
        let hindrance = if !record::is_within(&key.0, &zone.name) {
            Some(Hindrance::Outside)
        } else if !has_kind(&key.1) {
            Some(Hindrance::Unsupported)
        } else if contents.fixed.contains(&key) {
            Some(Hindrance::Fixed)
        } else {
            None
        };
        match (hindrance, granted) {
            (Some(hindrance), _) => drop(hindrances.insert(key, hindrance)),
            (None, Some(set)) => drop(after.insert(key, set)),
            (None, None) => drop(after.remove(&key)),
        }
    }
    keep_aliases_alone(&before, &mut after, contents, &mut hindrances);
    let keys: BTreeSet<&SetKey> = before.keys().chain(after.keys()).collect();
    let changes = keys.into_iter().filter_map(|key| {
        let change = Change { before: before.get(key).map(|set| (*set).clone()), after: after.get(key).cloned() };
        (change.before != change.after).then_some(change)
    });
    let obstacles = hindrances.into_iter().map(|((name, kind), hindrance)| Obstacle { name, kind, hindrance });
    Plan { changes: changes.collect(), obstacles: obstacles.collect(), zone }
}

/// RFC 1034 §3.6.2: where a CNAME stands, nothing else does. What would break that stays as it was.
fn keep_aliases_alone(
    before: &BTreeMap<SetKey, &RecordSet>,
    after: &mut BTreeMap<SetKey, RecordSet>,
    contents: &Contents,
    hindrances: &mut BTreeMap<SetKey, Hindrance>,
) {
    let wished: Vec<SetKey> =
        after.iter().filter(|(key, set)| before.get(*key) != Some(set)).map(|(key, _)| key.clone()).collect();
    for key in wished {
        let (name, kind) = &key;
        let beside = |other: &&SetKey| other.0 == *name && other.1 != *kind;
        let hindrance = if kind == "CNAME" {
            let kinds: BTreeSet<String> =
                after.keys().chain(&contents.fixed).filter(beside).map(|other| other.1.clone()).collect();
            (!kinds.is_empty()).then(|| Hindrance::Occupied(kinds.into_iter().collect()))
        } else {
            let alias = after.get(&(name.clone(), "CNAME".to_owned()));
            alias.map(|alias| Hindrance::Alias(alias.values.concat()))
        };
        let Some(hindrance) = hindrance else { continue };
        match before.get(&key) {
            Some(set) => drop(after.insert(key.clone(), (*set).clone())),
            None => drop(after.remove(&key)),
        }
        hindrances.insert(key, hindrance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPF: &str = "\"v=spf1 mx -all\"";
    const OLD: &str = "\"v=spf1 a ~all\"";
    const SITE: &str = "\"site-verification=abc\"";

    fn set(ttl: u32, values: &[&str]) -> RecordSet {
        RecordSet::new("example.org", "TXT", ttl, values)
    }

    fn among(values: &[&str]) -> Wish {
        Wish::Among { set: set(60, values), tag: "V=SPF1".to_owned() }
    }

    /// No values: no set. What is expected has its TTL: a set that is added to keeps its own.
    #[track_caller]
    fn check(before: &[&str], wish: &Wish, ttl: u32, expected: &[&str]) {
        let some = |ttl, values: &[&str]| (!values.is_empty()).then(|| set(ttl, values));
        assert_eq!(wish.grant(some(3600, before).as_ref(), 300), some(ttl, expected), "{before:?} {wish:?}");
    }

    #[test]
    fn what_is_not_ours_stays() {
        check(&[], &among(&[SPF]), 300, &[SPF]);
        check(&[OLD, SITE], &among(&[SPF]), 3600, &[SPF, SITE]);
        check(&[OLD, SPF], &among(&[SPF]), 3600, &[SPF]);
        check(&[SPF, SITE], &among(&[SPF]), 3600, &[SPF, SITE]);
        check(&[OLD, SITE], &among(&[]), 3600, &[SITE]);
        check(&[OLD], &among(&[]), 0, &[]);
        check(&["\" v = spf1 mx -all\""], &among(&[SPF]), 3600, &[SPF]);
        check(&[SITE], &Wish::Beside(set(60, &[SPF])), 3600, &[SPF, SITE]);
        check(&[], &Wish::Beside(set(60, &[SPF])), 300, &[SPF]);
        check(&[SPF, SITE], &Wish::Without(set(60, &[SPF])), 3600, &[SITE]);
        check(&[SPF], &Wish::Without(set(60, &[SPF])), 0, &[]);
        check(&[], &Wish::Without(set(60, &[SPF])), 0, &[]);
        check(&[OLD, SITE], &Wish::Exactly(set(60, &[SPF])), 300, &[SPF]);
        check(&[SPF], &Wish::Exactly(set(60, &[SPF])), 3600, &[SPF]);
        check(&[SPF], &Wish::Exactly(set(60, &[])), 0, &[]);
        // The same text, cut elsewhere, is the same to the letter of what stands.
        let cut = "\"v=spf1 \" \"mx -all\"";
        check(&[cut], &among(&[SPF]), 3600, &[cut]);
        check(&[cut], &Wish::Without(set(60, &[SPF])), 0, &[]);
    }

    #[test]
    fn a_later_wish_sees_what_an_earlier_one_made() {
        let zone = Zone { name: "example.org".to_owned(), key: String::new(), least_ttl: 0 };
        let contents = Contents { sets: vec![set(3600, &[OLD])], ..Contents::default() };
        let wishes = [among(&[SPF]), Wish::Beside(set(60, &[SITE]))];
        let plan = plan(zone, &contents, &wishes, |_| true);
        assert_eq!(plan.changes, [Change { before: Some(set(3600, &[OLD])), after: Some(set(3600, &[SPF, SITE])) }]);
        let change = &plan.changes[0];
        assert_eq!((change.added(), change.removed(), change.kept()), (vec![SITE, SPF], vec![OLD], vec![]));
        assert_eq!(change.reversed().reversed(), *change);
    }
}
