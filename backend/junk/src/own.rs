//! An account's own model: what its person called junk and what not.
//!
//! It counts, and nothing else: in how many messages of each class a feature stood. So learning commutes, what was learnt is
//! unlearnt exactly, and two copies of a model are merged by adding. What the counts mean is found out when a message is
//! scored, together with the general model: of what that knows well, an account's few messages change little; a sender or a
//! word that nobody else knows changes much.

use std::collections::BTreeMap;

use crate::Class;
use crate::binary::{Broken, Reader};
use crate::features::{Feature, Features};
use crate::general::{General, Shares, side};
use crate::place::{Kind, Place};

const MAGIC: [u8; 8] = *b"relais\x01o";
/// Bytes of a slot that counts anything.
const SLOT_OCTETS: usize = 6;
/// A model is no longer than this, in octets: each of 65,536 slots in use.
pub const MAX_OWN_OCTETS: usize = MAGIC.len() + 8 + 4 + (u16::MAX as usize + 1) * SLOT_OCTETS;
/// When so many messages of a class are learnt, all counts are halved: old mail is forgotten slowly.
pub const MAX_LEARNT: u32 = 20_000;
/// The most that an account's model takes from a score, in log-odds: who forges an author whom somebody answered must not
/// be believed whatever he writes.
const MOST_TAKEN: f32 = 8.0;
/// The most that it adds. A list that everybody else reads lies far below even odds, and who moves it into Junk means it.
const MOST_ADDED: f32 = 20.0;
/// As if so many messages of each class had been learnt before the first.
const BEFORE: f32 = 20.0;
/// Where the account has moved an author's or a list's mail into Junk, the general model may not speak for ham more loudly
/// than this, in log-odds: what others like to read is no news to who doesn't.
const LEAST_GENERAL: f32 = -4.0;
/// What a correction is worth: who wrote it or through which list it came says most of all what people want.
fn gain(place: Place) -> f32 {
    match place.kind() {
        Kind::Personal => 4.0,
        Kind::Identity => 1.2,
        _ => 0.6,
    }
}

/// Counts by the hash of a feature, folded to 16 bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Own {
    /// Messages of ham and of junk that had the feature.
    slots: BTreeMap<u16, [u16; 2]>,
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
        if let Some(learnt) = self.learnt.get_mut(side(class)) {
            *learnt = learnt.saturating_sub(1);
        }
    }

    /// How many messages of a class it learnt.
    pub fn learnt(&self, class: Class) -> u32 {
        self.learnt.get(side(class)).copied().unwrap_or(0)
    }

    /// Adds what another copy learnt.
    pub fn merge(&mut self, other: &Self) {
        for (slot, counts) in &other.slots {
            let own = self.slots.entry(*slot).or_default();
            for (own, count) in own.iter_mut().zip(counts) {
                *own = own.saturating_add(*count);
            }
        }
        for (own, learnt) in self.learnt.iter_mut().zip(other.learnt) {
            *own = own.saturating_add(learnt);
        }
        while self.learnt.iter().any(|learnt| *learnt > MAX_LEARNT) {
            self.halve();
        }
    }

    fn halve(&mut self) {
        for counts in self.slots.values_mut() {
            *counts = counts.map(|count| count / 2);
        }
        self.slots.retain(|_, counts| *counts != [0, 0]);
        self.learnt = self.learnt.map(|learnt| learnt / 2);
    }

    /// Two features of a message may share a slot: it is counted once.
    fn count(&mut self, features: &Features, class: Class, change: impl Fn(u16) -> u16) {
        let mut slots: Vec<u16> = features.all().iter().filter(|feature| is_learnt(feature.place)).map(slot).collect();
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            if let Some(count) = self.slots.entry(slot).or_default().get_mut(side(class)) {
                *count = change(*count);
            }
        }
    }

    /// What it adds to the general model's `log_odds`, and which features do.
    pub(crate) fn correct(&self, general: &General, log_odds: f32, features: &Features) -> (f32, Vec<(Feature, f32)>) {
        let shares = Shares::of(features);
        let [ham, junk] = self.learnt.map(|learnt| count_of(learnt) + BEFORE);
        let mut parts = Vec::new();
        for feature in features.all().iter().filter(|feature| is_learnt(feature.place)) {
            let Some(counts) = self.slots.get(&slot(feature)) else { continue };
            let before = before(general, feature);
            let [in_ham, in_junk] = counts.map(|count| f32::from(count) + before);
            let part = gain(feature.place) * ((in_junk / junk) / (in_ham / ham)).ln() * shares.of_one(feature);
            parts.push((*feature, part));
        }
        let sum: f32 = parts.iter().map(|(_, part)| part).sum();
        let of_persons = parts.iter().filter(|(feature, _)| feature.place.is_personal()).map(|(_, part)| part);
        let is_unwanted = of_persons.sum::<f32>() > 0.0;
        let lift = if is_unwanted { (LEAST_GENERAL - log_odds).max(0.0) } else { 0.0 };
        (lift + sum.clamp(-MOST_TAKEN, MOST_ADDED), parts)
    }

    /// Little-endian: magic, messages learnt, count of slots, then slot and counts of each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.learnt.iter().flat_map(|learnt| learnt.to_le_bytes()));
        bytes.extend(u32::try_from(self.slots.len()).unwrap_or(u32::MAX).to_le_bytes());
        for (slot, [ham, junk]) in &self.slots {
            bytes.extend([*slot, *ham, *junk].iter().flat_map(|number| number.to_le_bytes()));
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
        let count = reader.u32()?;
        if count > u32::from(u16::MAX) + 1 || learnt.iter().any(|learnt| *learnt > MAX_LEARNT) {
            return Err(Broken);
        }
        let mut slots = BTreeMap::new();
        for _ in 0..count {
            let (slot, counts) = (reader.u16()?, [reader.u16()?, reader.u16()?]);
            let is_in_order = slots.last_key_value().is_none_or(|(last, _)| *last < slot);
            if !is_in_order || counts == [0, 0] {
                return Err(Broken);
            }
            slots.insert(slot, counts);
        }
        reader.end()?;
        Ok(Self { slots, learnt })
    }
}

/// Pairs are too many for an account's table.
fn is_learnt(place: Place) -> bool {
    !place.is_pair()
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
        // Spam comes through lists that people want: a few such moves do not damn the list.
        _ if feature.place == Place::List => 0.6,
        Kind::Personal | Kind::Identity => 0.3,
        _ => 1.0,
    }
}
