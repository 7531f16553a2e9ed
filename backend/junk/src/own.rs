//! An account's own model: what its person called junk and what not.
//!
//! It counts, and nothing else: in how many messages of each class a feature stood. So learning commutes, what was learnt is
//! unlearnt exactly, and two copies of a model are merged by adding. What the counts mean is found out when a message is
//! scored, together with the general model: of what that knows well, an account's few messages change little; a word that nobody
//! else knows changes much. Senders and lists are counted apart, each for itself: two or three messages say what is wanted of them.

use std::collections::BTreeMap;

use crate::Class;
use crate::binary::{Broken, Reader};
use crate::features::{Feature, Features};
use crate::general::{General, Shares, side};
use crate::place::{Kind, Place};

const MAGIC: [u8; 8] = *b"relais\x02o";
/// Bytes of a slot that counts anything.
const SLOT_OCTETS: usize = 6;
/// Bytes of a sender's counts.
const SENDER_OCTETS: usize = 8;
/// Senders and lists that are remembered, at most: past that those of whom little is known are forgotten.
pub(crate) const MAX_SENDERS: usize = 8192;
/// A model is no longer than this, in octets: each of 65,536 slots in use, and of the senders.
pub const MAX_OWN_OCTETS: usize =
    MAGIC.len() + 8 + 4 + (u16::MAX as usize + 1) * SLOT_OCTETS + 4 + MAX_SENDERS * SENDER_OCTETS;
/// When so many messages of a class are learnt, all counts are halved: old mail is forgotten slowly.
pub const MAX_LEARNT: u32 = 20_000;
/// The most that an account's words change a score by, in log-odds.
const MAX_CORRECTION: f32 = 8.0;
/// As if so many messages of each class had been learnt before the first.
const BEFORE: f32 = 20.0;
/// The most that senders and lists change a score by: whoever claims to be wanted may lie, whoever claims to be junk doesn't.
const MAX_SENDER: (f32, f32) = (-4.0, 16.0);
/// Where the account has moved an author's or a list's mail into Junk, the general model may not speak for ham more loudly
/// than this, in log-odds: what others like to read is no news to who doesn't.
const LEAST_GENERAL: f32 = -4.0;

/// What a correction is worth.
fn gain(place: Place) -> f32 {
    if place.kind() == Kind::Identity { 1.2 } else { 0.6 }
}

/// What is known of a sender is worth so much: a list's messages have many authors.
fn sender_gain(place: Place) -> f32 {
    if place == Place::List { 3.0 } else { 2.0 }
}

/// As if so many messages of each class had come from a sender before the first. Spam comes through lists that people want: a few such
/// moves do not damn the list.
fn sender_before(place: Place) -> f32 {
    if place == Place::List { 0.6 } else { 0.3 }
}

/// Messages of ham and of junk that had a thing.
type Counts = [u16; 2];

/// Counts by the hash of a feature, folded to 16 bits; of senders and lists by the whole hash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Own {
    slots: BTreeMap<u16, Counts>,
    senders: BTreeMap<u32, Counts>,
    /// Messages learnt, of ham and of junk.
    learnt: [u32; 2],
}

impl Own {
    /// Counts a message. Takes the same for each message once; that is the caller's to see to.
    pub fn learn(&mut self, features: &Features, class: Class) {
        if self.learnt.iter().any(|learnt| *learnt >= MAX_LEARNT) {
            self.halve();
        }
        self.count(features, class, |count| count.saturating_add(1));
        if let Some(learnt) = self.learnt.get_mut(side(class)) {
            *learnt += 1;
        }
    }

    /// Takes back what [`Own::learn`] did with the same. What was never learnt leaves no count below nothing.
    pub fn unlearn(&mut self, features: &Features, class: Class) {
        self.count(features, class, |count| count.saturating_sub(1));
        self.slots.retain(|_, counts| *counts != [0, 0]);
        self.senders.retain(|_, counts| *counts != [0, 0]);
        if let Some(learnt) = self.learnt.get_mut(side(class)) {
            *learnt = learnt.saturating_sub(1);
        }
    }

    /// How many messages of a class it learnt.
    pub fn learnt(&self, class: Class) -> u32 {
        self.learnt.get(side(class)).copied().unwrap_or(0)
    }

    /// How long [`Own::to_bytes`] would be.
    pub fn octets(&self) -> usize {
        MAGIC.len() + 16 + self.slots.len() * SLOT_OCTETS + self.senders.len() * SENDER_OCTETS
    }

    /// Adds what another copy learnt.
    pub fn merge(&mut self, other: &Self) {
        add(&mut self.slots, &other.slots);
        add(&mut self.senders, &other.senders);
        self.forget_senders();
        for (own, learnt) in self.learnt.iter_mut().zip(other.learnt) {
            *own = own.saturating_add(learnt);
        }
        while self.learnt.iter().any(|learnt| *learnt > MAX_LEARNT) {
            self.halve();
        }
    }

    fn halve(&mut self) {
        halve(&mut self.slots);
        halve(&mut self.senders);
        self.learnt = self.learnt.map(|learnt| learnt / 2);
    }

    fn forget_senders(&mut self) {
        while self.senders.len() > MAX_SENDERS {
            halve(&mut self.senders);
        }
    }

    /// Two features of a message may share a slot: it is counted once.
    fn count(&mut self, features: &Features, class: Class, change: impl Fn(u16) -> u16) {
        let mut slots: Vec<u16> = features.said().iter().filter(|feature| is_learnt(feature.place)).map(slot).collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            if let Some(count) = self.slots.entry(slot).or_default().get_mut(side(class)) {
                *count = change(*count);
            }
        }
        for sender in features.said().iter().filter(|feature| feature.place.is_personal()) {
            if let Some(count) = self.senders.entry(sender.hash).or_default().get_mut(side(class)) {
                *count = change(*count);
            }
        }
        self.forget_senders();
    }

    /// What it adds to the general model's `log_odds`, and which features do.
    pub(crate) fn correct(&self, general: &General, log_odds: f32, features: &Features) -> (f32, Vec<(Feature, f32)>) {
        let shares = Shares::of(features);
        let [ham, junk] = self.learnt.map(|learnt| count_of(learnt) + BEFORE);
        let mut parts = Vec::new();
        for feature in features.said().iter().filter(|feature| is_learnt(feature.place)) {
            let Some(counts) = self.slots.get(&slot(feature)) else { continue };
            let before = before(general, feature);
            let [in_ham, in_junk] = counts.map(|count| f32::from(count) + before);
            let part = gain(feature.place) * ((in_junk / junk) / (in_ham / ham)).ln() * shares.of_place(feature.place);
            parts.push((*feature, part));
        }
        let words: f32 = parts.iter().map(|(_, part)| part).sum();
        let known = parts.len();
        for sender in features.said().iter().filter(|feature| feature.place.is_personal()) {
            let Some(counts) = self.senders.get(&sender.hash) else { continue };
            let [from_ham, from_junk] = counts.map(|count| f32::from(count) + sender_before(sender.place));
            parts.push((*sender, sender_gain(sender.place) * (from_junk / from_ham).ln()));
        }
        let senders: f32 = parts.iter().skip(known).map(|(_, part)| part).sum();
        let lift = if senders > 0.0 { (LEAST_GENERAL - log_odds).max(0.0) } else { 0.0 };
        (lift + words.clamp(-MAX_CORRECTION, MAX_CORRECTION) + senders.clamp(MAX_SENDER.0, MAX_SENDER.1), parts)
    }

    /// Little-endian: magic, messages learnt, count of slots, then slot and counts of each; the same of senders.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.learnt.iter().flat_map(|learnt| learnt.to_le_bytes()));
        bytes.extend(u32::try_from(self.slots.len()).unwrap_or(u32::MAX).to_le_bytes());
        for (slot, [ham, junk]) in &self.slots {
            bytes.extend([*slot, *ham, *junk].iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes.extend(u32::try_from(self.senders.len()).unwrap_or(u32::MAX).to_le_bytes());
        for (sender, counts) in &self.senders {
            bytes.extend(sender.to_le_bytes());
            bytes.extend(counts.iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes
    }

    /// As [`Own::to_bytes`] wrote it.
    ///
    /// # Errors
    /// [`Broken`]: these are no bytes of a model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Broken> {
        let mut reader = Reader::new(bytes, MAGIC)?;
        let learnt = [reader.u32()?, reader.u32()?];
        if learnt.iter().any(|learnt| *learnt > MAX_LEARNT) {
            return Err(Broken);
        }
        let slots = read(&mut reader, usize::from(u16::MAX) + 1, Reader::u16)?;
        let senders = read(&mut reader, MAX_SENDERS, Reader::u32)?;
        reader.end()?;
        Ok(Self { slots, senders, learnt })
    }
}

fn add<K: Ord + Copy>(table: &mut BTreeMap<K, Counts>, other: &BTreeMap<K, Counts>) {
    for (key, counts) in other {
        let own = table.entry(*key).or_default();
        for (own, count) in own.iter_mut().zip(counts) {
            *own = own.saturating_add(*count);
        }
    }
}

fn halve<K: Ord>(table: &mut BTreeMap<K, Counts>) {
    for counts in table.values_mut() {
        *counts = counts.map(|count| count / 2);
    }
    table.retain(|_, counts| *counts != [0, 0]);
}

/// A table in the order of its keys.
fn read<'r, K: Ord>(
    reader: &mut Reader<'r>,
    most: usize,
    key: impl Fn(&mut Reader<'r>) -> Result<K, Broken>,
) -> Result<BTreeMap<K, Counts>, Broken> {
    let count = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
    if count > most {
        return Err(Broken);
    }
    let mut table = BTreeMap::new();
    for _ in 0..count {
        let (key, counts) = (key(reader)?, [reader.u16()?, reader.u16()?]);
        let is_in_order = table.last_key_value().is_none_or(|(last, _)| *last < key);
        if !is_in_order || counts == [0, 0] {
            return Err(Broken);
        }
        table.insert(key, counts);
    }
    Ok(table)
}

/// Pairs and octets are too many for an account's table; senders have their own.
fn is_learnt(place: Place) -> bool {
    !place.is_pair() && !place.is_manner() && !place.is_personal()
}

fn slot(feature: &Feature) -> u16 {
    let [one, two, three, four] = feature.hash.to_le_bytes();
    u16::from_le_bytes([one, two]) ^ u16::from_le_bytes([three, four])
}

#[expect(clippy::cast_precision_loss, reason = "at most MAX_LEARNT")]
fn count_of(learnt: u32) -> f32 {
    learnt as f32
}

/// As if the feature had been in so many messages of each class before.
fn before(general: &General, feature: &Feature) -> f32 {
    let is_known = general.entry(feature.hash).is_some();
    match feature.place.kind() {
        _ if is_known => 4.0,
        Kind::Identity => 0.3,
        _ => 1.0,
    }
}
