//! What is counted of a message: words and forms, each as a hash, with the text kept for people.

use std::fmt::{self, Write};
use std::hash::Hasher;
use std::ops::Range;

use relais_message::Structure;
use relais_model::{Address, Domain, Timestamp};

use crate::place::Place;
use crate::signs::Sign;
use crate::{body, header, marks::Mark};

/// So many features of a message are kept, whatever it holds.
pub const MAX_FEATURES: usize = MAX_SAID + MAX_FOURS;
/// So many of them say something by themselves,
const MAX_SAID: usize = 15_000;
/// and so many are four octets in a row.
const MAX_FOURS: usize = 5_000;
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
    said: Vec<Feature>,
    /// Hashes of four octets in a row: of the header, of the text.
    fours: [Vec<u32>; 2],
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
        let mut gathered = Gathered::for_octets(raw.len());
        let author = header::gather(raw, structure, surroundings, &mut gathered);
        body::gather(raw, structure, author.as_ref(), surroundings, &mut gathered);
        gathered.close()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.said.len() + self.fours.iter().map(Vec::len).sum::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        let said = self.said.iter().map(|feature| (feature.hash, feature.place, self.text_of(feature)));
        let fours = self
            .fours()
            .into_iter()
            .flat_map(|(place, fours)| fours.iter().map(move |hash| (*hash, place, name_of_fours(place).to_owned())));
        said.chain(fours)
    }

    /// Drops those that are not to be learnt from.
    pub fn retain(&mut self, keep: impl Fn(u32, Place) -> bool) {
        self.said.retain(|feature| keep(feature.hash, feature.place));
        for (fours, place) in self.fours.iter_mut().zip(PLACES_OF_FOURS) {
            fours.retain(|hash| keep(*hash, place));
        }
    }

    /// Those that say something by themselves.
    pub(crate) fn said(&self) -> &[Feature] {
        &self.said
    }

    /// The hashes of four octets in a row, by their place.
    pub(crate) fn fours(&self) -> [(Place, &[u32]); 2] {
        let [of_field, of_text] = &self.fours;
        let [in_field, in_text] = PLACES_OF_FOURS;
        [(in_field, of_field), (in_text, of_text)]
    }

    pub(crate) fn text_of(&self, feature: &Feature) -> String {
        let first = self.text.get(range(feature.first)).unwrap_or_default();
        let second = self.text.get(range(feature.second)).unwrap_or_default();
        if feature.place.is_pair() { format!("{first} {second}") } else { first.to_owned() }
    }
}

const PLACES_OF_FOURS: [Place; 2] = [Place::FieldOctets, Place::TextOctets];

/// What people read for all of them, for one by one they say nothing.
pub(crate) fn name_of_fours(place: Place) -> &'static str {
    if place == Place::FieldOctets { "field-octets" } else { "text-octets" }
}

fn range(span: Span) -> Range<usize> {
    usize::try_from(span.0).unwrap_or(0)..usize::try_from(span.1).unwrap_or(0)
}

/// Features in the making.
#[derive(Debug)]
pub(crate) struct Gathered {
    text: String,
    said: Vec<Feature>,
    fours: [Vec<u32>; 2],
    seen: Seen,
    /// Of fours alone, which are most: their table stays in the processor's first cache.
    seen_fours: Seen,
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
    /// With room for what a message of so many octets mostly has.
    fn for_octets(octets: usize) -> Self {
        Self {
            text: String::with_capacity(octets.min(MAX_TEXT_OCTETS)),
            said: Vec::with_capacity((octets / 2).min(MAX_SAID)),
            fours: [Vec::with_capacity(1024), Vec::with_capacity(octets.min(MAX_FOURS))],
            seen: Seen::for_count(octets.min(MAX_SAID)),
            seen_fours: Seen::for_count((octets + octets / 2).min(MAX_FOURS)),
            signs: Vec::new(),
            hosts: Vec::new(),
        }
    }

    pub(crate) fn word(&mut self, place: Place, word: &str) -> Option<Word> {
        let from = self.text.len();
        self.text.push_str(word);
        self.keep(place, from)
    }

    /// Like [`Gathered::word`], of what is put together on the spot: it is written where it stays.
    pub(crate) fn phrase(&mut self, place: Place, phrase: fmt::Arguments<'_>) {
        let from = self.text.len();
        let _ = self.text.write_fmt(phrase);
        self.keep(place, from);
    }

    /// Keeps the end of the text as a feature, or takes it off where there are enough of them.
    fn keep(&mut self, place: Place, from: usize) -> Option<Word> {
        if self.text.len() > MAX_TEXT_OCTETS || self.said.len() >= MAX_SAID {
            self.text.truncate(from);
            return None;
        }
        let hash = hash(self.text.get(from..).unwrap_or_default());
        let span = (u32::try_from(from).ok()?, u32::try_from(self.text.len()).ok()?);
        self.say(Feature { hash: placed(place, hash), place, first: span, second: (0, 0) });
        Some(Word { hash, span })
    }

    /// Four octets in a row, as a number, of which no text is kept.
    pub(crate) fn four(&mut self, place: Place, four: u32) {
        let hash = placed(place, u64::from(four));
        let [of_field, of_text] = &mut self.fours;
        let fours = if place == Place::FieldOctets { of_field } else { of_text };
        if self.seen_fours.is_new(hash) {
            fours.push(hash);
        }
    }

    /// `distance` words apart.
    pub(crate) fn pair(&mut self, place: Place, first: Word, second: Word, distance: usize) {
        if self.said.len() < MAX_SAID {
            // Near to each other is one thing, wherever exactly: `distance` 1 differs from the rest.
            let hash = (first.hash.rotate_left(if distance == 1 { 17 } else { 31 })) ^ second.hash;
            self.say(Feature { hash: placed(place, hash), place, first: first.span, second: second.span });
        }
    }

    fn say(&mut self, feature: Feature) {
        if self.seen.is_new(feature.hash) {
            self.said.push(feature);
        }
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

    fn close(self) -> Features {
        let Self { text, said, fours, signs, hosts, .. } = self;
        Features { text, said, fours, signs, hosts }
    }
}

/// Hashes that were there before: a table with open addresses, at most three quarters full. What is hashed well already needs no second hash.
#[derive(Debug)]
struct Seen {
    /// 0: nothing is here.
    slots: Vec<u32>,
    count: usize,
}

impl Seen {
    fn for_count(count: usize) -> Self {
        Self { slots: vec![0; count.next_power_of_two().max(1024)], count: 0 }
    }

    /// Whether it is the first time; no hash is 0.
    fn is_new(&mut self, hash: u32) -> bool {
        if 4 * self.count >= 3 * self.slots.len() {
            self.grow();
        }
        let is_new = self.put(hash);
        self.count += usize::from(is_new);
        is_new
    }

    fn put(&mut self, hash: u32) -> bool {
        let mask = self.slots.len() - 1;
        let mut at = usize::try_from(hash).unwrap_or(0) & mask;
        // It ends, for a slot is empty.
        loop {
            match self.slots.get_mut(at) {
                Some(slot) if *slot == 0 => {
                    *slot = hash;
                    return true;
                }
                Some(slot) if *slot == hash => return false,
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let larger = vec![0; 2 * self.slots.len()];
        for hash in std::mem::replace(&mut self.slots, larger).into_iter().filter(|hash| *hash != 0) {
            self.put(hash);
        }
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

/// Mixed with the place, to 32 well-spread bits, which are never 0.
fn placed(place: Place, hash: u64) -> u32 {
    let mut mixed = hash ^ (u64::from(place as u8) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    u32::try_from(mixed >> 32).unwrap_or(u32::MAX).max(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_however_much_it_is() {
        let mut seen = Seen::for_count(0);
        let hashes = || (1..5000_u32).map(|number| placed(Place::Body, u64::from(number)));
        assert!(hashes().all(|hash| seen.is_new(hash)));
        assert!(!hashes().any(|hash| seen.is_new(hash)));
        assert!(3 * seen.slots.len() >= 4 * seen.count);
    }
}
