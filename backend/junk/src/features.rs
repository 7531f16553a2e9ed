//! What is counted of a message: words and forms, each as a hash, with the text kept for people.

use std::hash::Hasher;
use std::ops::Range;

use relais_message::Structure;
use relais_model::{Address, Domain, Timestamp};

use crate::place::Place;
use crate::signs::Sign;
use crate::{body, header, marks::Mark};

/// So many features of a message are kept, whatever it holds.
pub const MAX_FEATURES: usize = 16_000;
/// So much text is kept to explain them.
const MAX_TEXT_OCTETS: usize = 256 * 1024;
/// Words further apart are no pair.
pub(crate) const PAIR_REACH: usize = 3;

/// What the house knows of a message beside its octets. The default knows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// When it arrived.
    pub arrived_at: Option<Timestamp>,
    /// Whom it was sent to, by the envelope.
    pub recipients: &'a [Address],
    /// Domains that the account has written to or is served under: what strangers imitate.
    pub known_domains: &'a [Domain],
}

/// A message as the filter sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Features {
    text: String,
    all: Vec<Feature>,
    signs: Vec<Sign>,
    hosts: Vec<String>,
}

/// A part of [`Features::text`].
type Span = (u32, u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Feature {
    pub(crate) hash: u32,
    pub(crate) place: Place,
    first: Span,
    second: Span,
}

impl Features {
    /// Looks at a message. Any octets have features; their number is at most [`MAX_FEATURES`], each is there once.
    pub fn of(raw: &[u8], structure: &Structure, surroundings: &Surroundings<'_>) -> Self {
        let mut gathered = Gathered::default();
        let author = header::gather(raw, structure, surroundings, &mut gathered);
        body::gather(raw, structure, author.as_ref(), surroundings, &mut gathered);
        gathered.close()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What the heuristics found.
    pub fn signs(&self) -> &[Sign] {
        &self.signs
    }

    /// Names and addresses of the hosts where links lead, in lower case, each once.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    /// Each with its place and its text, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Place, String)> {
        self.all.iter().map(|feature| (feature.hash, feature.place, self.text_of(feature)))
    }

    /// Drops those that are not to be learnt from.
    pub fn retain(&mut self, keep: impl Fn(u32, Place) -> bool) {
        self.all.retain(|feature| keep(feature.hash, feature.place));
    }

    pub(crate) fn all(&self) -> &[Feature] {
        &self.all
    }

    pub(crate) fn text_of(&self, feature: &Feature) -> String {
        match feature.place {
            Place::FieldOctets => return "field-octets".to_owned(),
            Place::TextOctets => return "text-octets".to_owned(),
            _ => {}
        }
        let first = self.text.get(range(feature.first)).unwrap_or_default();
        let second = self.text.get(range(feature.second)).unwrap_or_default();
        if feature.place.is_pair() { format!("{first} {second}") } else { first.to_owned() }
    }
}

fn range(span: Span) -> Range<usize> {
    usize::try_from(span.0).unwrap_or(0)..usize::try_from(span.1).unwrap_or(0)
}

/// Features in the making.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    text: String,
    all: Vec<Feature>,
    signs: Vec<Sign>,
    /// Where links lead.
    pub(crate) hosts: Vec<String>,
}

/// A word that was gathered, to make pairs of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    hash: u64,
    span: Span,
}

impl Gathered {
    pub(crate) fn word(&mut self, place: Place, word: &str) -> Option<Word> {
        if self.text.len() + word.len() > MAX_TEXT_OCTETS || self.is_full() {
            return None;
        }
        let from = u32::try_from(self.text.len()).ok()?;
        self.text.push_str(word);
        let span = (from, u32::try_from(self.text.len()).ok()?);
        let hash = hash(word);
        self.all.push(Feature { hash: placed(place, hash), place, first: span, second: (0, 0) });
        Some(Word { hash, span })
    }

    /// A few octets, of which no text is kept.
    pub(crate) fn octets(&mut self, place: Place, octets: &[u8]) {
        if !self.is_full() {
            let mut fnv = Fnv::default();
            fnv.write(octets);
            self.all.push(Feature { hash: placed(place, fnv.finish()), place, first: (0, 0), second: (0, 0) });
        }
    }

    /// `distance` words apart.
    pub(crate) fn pair(&mut self, place: Place, first: Word, second: Word, distance: usize) {
        if self.is_full() {
            return;
        }
        // Near to each other is one thing, wherever exactly: `distance` 1 differs from the rest.
        let hash = (first.hash.rotate_left(if distance == 1 { 17 } else { 31 })) ^ second.hash;
        self.all.push(Feature { hash: placed(place, hash), place, first: first.span, second: second.span });
    }

    pub(crate) fn mark(&mut self, mark: Mark) {
        self.word(Place::Mark, mark.name());
    }

    pub(crate) fn mark_if(&mut self, is_so: bool, mark: Mark) {
        if is_so {
            self.mark(mark);
        }
    }

    pub(crate) fn sign(&mut self, sign: Sign) {
        if !self.signs.contains(&sign) {
            self.signs.push(sign);
        }
    }

    /// Twice as many are gathered as are kept, for most words come more than once.
    fn is_full(&self) -> bool {
        self.all.len() >= 2 * MAX_FEATURES
    }

    fn close(mut self) -> Features {
        self.all.sort_unstable_by_key(|feature| (feature.hash, feature.first));
        self.all.dedup_by_key(|feature| feature.hash);
        self.all.truncate(MAX_FEATURES);
        Features { text: self.text, all: self.all, signs: self.signs, hosts: self.hosts }
    }
}

/// FNV-1a: the same on every machine and in every release, for models are kept.
fn hash(word: &str) -> u64 {
    let mut fnv = Fnv::default();
    fnv.write(word.as_bytes());
    fnv.finish()
}

struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Mixed with the place, to 32 well-spread bits.
fn placed(place: Place, hash: u64) -> u32 {
    let mut mixed = hash ^ (u64::from(place as u8) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    u32::try_from(mixed >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod testing {
    use relais_message::Structure;

    use super::{Features, Place, Surroundings};

    pub(crate) fn features(raw: &str) -> Features {
        Features::of(raw.as_bytes(), &Structure::read(raw.as_bytes()), &Surroundings::default())
    }

    /// What stands there, and what doesn't.
    #[track_caller]
    pub(crate) fn check(raw: &str, expected: &[(Place, &str)], absent: &[(Place, &str)]) {
        let features = features(raw);
        let has = |place: Place, text: &str| features.iter().any(|(_, at, found)| at == place && found == text);
        for (place, text) in expected {
            assert!(has(*place, text), "{raw}: {place:?} {text}");
        }
        for (place, text) in absent {
            assert!(!has(*place, text), "{raw}: {place:?} {text} should not be");
        }
    }
}
