//! The model for all: what is known of mail before anybody here has said a word.
//!
//! Three judges, for they err differently. A logistic regression weighs all evidence together; Winnow lets what is known vote, each
//! message's votes counted as shares; Fisher's method asks how surely the evidence speaks for one side alone, and has no opinion
//! where it speaks loudly for both, as a newsletter's does. Their sum is the score. The regression is itself a sum of many, half of them trained on what messages say and half
//! on the manner in which they are made ([`Training`](crate::Training)).

use std::sync::LazyLock;

use crate::Class;
use crate::binary::{Broken, Reader};
use crate::features::{Feature, Features};
use crate::place::{Kind, Place};
use crate::score::LEAST_REASON;

/// The first octets of a model's bytes, and its format.
const MAGIC: [u8; 8] = *b"relais\x03g";
/// A model has no more features than this: about 2.7 MiB.
pub(crate) const MAX_ENTRIES: usize = 400_000;
/// What a belief of 1 is worth, in log-odds.
const BELIEF_UNIT: f64 = 1.0 / 20.0;
/// What Fisher's method adds when it is sure, in log-odds, to either side.
const FISHER_SHARE: f32 = 1.05;
/// What Winnow's mean vote of 1 is worth, in log-odds.
const VOTE_SHARE: f32 = 14.0;
/// The vote of a feature that isn't asked.
pub(crate) const NO_VOTE: i8 = i8::MIN;

/// What is known of one feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) hash: u32,
    /// The regression's weight, in [`Units::weight`]s.
    pub(crate) weight: i8,
    /// How likely junk is where this stands, for Fisher's method; 0: it is not asked.
    pub(crate) belief: i8,
    /// Winnow's vote for junk, in [`Units::vote`]s, or [`NO_VOTE`].
    pub(crate) vote: i8,
}

/// What a 1 is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Units {
    pub(crate) weight: f32,
    pub(crate) vote: f32,
}

/// The general model. It is made by [`Training`](crate::Training) and never learns; accounts do ([`Own`](crate::Own)).
///
/// Most of what a message has it doesn't know; that must be found out fast. The first 22 bits of a hash are looked up in a map
/// of bits, whose words stand for 16 bits each; where the bit is there, the bits before it say about where the entry is.
#[derive(Debug, Clone, PartialEq)]
pub struct General {
    /// By hash, each once.
    entries: Vec<Entry>,
    /// For each of the first 16 bits of a hash, which of the next 6 are known.
    known: Vec<u64>,
    /// For each of the first 16 bits of a hash, where its entries begin.
    starts: Vec<u32>,
    units: Units,
    /// What is added to every sum.
    bias: f32,
}

/// What the general model says of a message.
#[derive(Debug, Clone)]
pub(crate) struct Weighed {
    /// The logarithm of how much likelier junk is than ham.
    pub(crate) log_odds: f32,
    /// What single features add to it by the regression, where that is worth a word.
    pub(crate) parts: Vec<(Feature, f32)>,
    /// What all octets of a place add.
    pub(crate) fours: [(Place, f32); 2],
}

impl General {
    /// `entries` are in the order of their hashes, each once; `bias` is added to every sum.
    pub(crate) fn new(entries: Vec<Entry>, units: Units, bias: f32) -> Self {
        let (mut known, mut starts) = (vec![0_u64; 1 << 16], vec![0_u32; 1 << 16]);
        for entry in &entries {
            let (word, bit) = place_of(entry.hash);
            if let Some(bits) = known.get_mut(word) {
                *bits |= bit;
            }
            // How many there are, of each; then where they begin.
            if let Some(count) = starts.get_mut(word) {
                *count += 1;
            }
        }
        let mut next = 0;
        for start in &mut starts {
            let count = std::mem::replace(start, next);
            next += count;
        }
        Self { entries, known, starts, units, bias }
    }

    /// The model that ships with the binary.
    ///
    /// # Errors
    /// [`Broken`]: never, as a test sees to.
    pub fn shipped() -> Result<Self, Broken> {
        Self::from_bytes(include_bytes!("../model.bin"))
    }

    /// As [`General::to_bytes`] wrote it.
    ///
    /// # Errors
    /// [`Broken`]: these are no bytes of a model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Broken> {
        let mut reader = Reader::new(bytes, MAGIC)?;
        let units = Units { weight: reader.f32()?, vote: reader.f32()? };
        let bias = reader.f32()?;
        let is_sound = [units.weight, units.vote, bias].into_iter().all(f32::is_finite);
        let count = usize::try_from(reader.u32()?).map_err(|_| Broken)?;
        if count > MAX_ENTRIES || !is_sound {
            return Err(Broken);
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = Entry { hash: reader.u32()?, weight: reader.i8()?, belief: reader.i8()?, vote: reader.i8()? };
            if entries.last().is_some_and(|last| last.hash >= entry.hash) {
                return Err(Broken);
            }
            entries.push(entry);
        }
        reader.end()?;
        Ok(Self::new(entries, units, bias))
    }

    /// Little-endian: magic, units, bias, count, then hash, weight, belief and vote of each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.units.weight.to_le_bytes());
        bytes.extend(self.units.vote.to_le_bytes());
        bytes.extend(self.bias.to_le_bytes());
        bytes.extend(u32::try_from(self.entries.len()).unwrap_or(u32::MAX).to_le_bytes());
        for entry in &self.entries {
            bytes.extend(entry.hash.to_le_bytes());
            bytes.extend(entry.weight.to_le_bytes());
            bytes.extend(entry.belief.to_le_bytes());
            bytes.extend(entry.vote.to_le_bytes());
        }
        bytes
    }

    /// How many features it knows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Those of `all` that it knows. Most it doesn't, and no processor foresees which: they are left out without a branch, and the others then
    /// looked up.
    fn known<'a, T>(&self, all: &'a [T], hash_of: fn(&T) -> u32) -> impl Iterator<Item = (&'a T, &Entry)> {
        let (mut places, mut count) = (vec![0; all.len()], 0);
        for (at, one) in all.iter().enumerate() {
            if let Some(place) = places.get_mut(count) {
                *place = at;
            }
            let (word, bit) = place_of(hash_of(one));
            count += usize::from(self.known.get(word).is_some_and(|bits| bits & bit != 0));
        }
        places.truncate(count);
        places.into_iter().filter_map(move |at| {
            let one = all.get(at)?;
            Some((one, self.entry(hash_of(one))?))
        })
    }

    pub(crate) fn entry(&self, hash: u32) -> Option<&Entry> {
        let (word, bit) = place_of(hash);
        let bits = *self.known.get(word)?;
        if bits & bit == 0 {
            return None;
        }
        // No less than so many stand before it; more where several share their first 22 bits.
        let before = (bits & (bit - 1)).count_ones();
        let start = usize::try_from(self.starts.get(word)? + before).ok()?;
        self.entries.get(start..)?.iter().find(|entry| entry.hash >= hash).filter(|entry| entry.hash == hash)
    }

    /// What it says of a message.
    pub(crate) fn weigh(&self, features: &Features) -> Weighed {
        let shares = Shares::of(features);
        let known = self.known(features.said(), |feature| feature.hash);
        let known: Vec<(&Feature, &Entry)> = known.filter(|(feature, _)| !feature.place.is_personal()).collect();
        let mut sums = [Sums::default(); Kind::COUNT];
        let mut fisher = Fisher::default();
        for (feature, entry) in &known {
            if let Some(sums) = sums.get_mut(feature.place.kind() as usize) {
                sums.add(**entry);
            }
            if entry.belief != 0 {
                fisher.add(entry.belief);
            }
        }
        let total =
            |of: fn(&Sums) -> i32| sums.iter().zip(shares.0).map(|(sums, share)| worth(of(sums)) * share).sum::<f32>();
        // What a vote adds: they are counted as shares of all that have one.
        let voice = self.units.vote * VOTE_SHARE / total(|sums| sums.voters).max(f32::MIN_POSITIVE);
        let part = |(feature, entry): (&Feature, &Entry)| {
            let vote = if entry.vote == NO_VOTE { 0.0 } else { f32::from(entry.vote) * voice };
            (*feature, (f32::from(entry.weight) * self.units.weight + vote) * shares.of_place(feature.place))
        };
        let parts = known.into_iter().map(part).filter(|(_, part)| part.abs() >= LEAST_REASON).collect();
        let fours = features.fours().map(|(place, fours)| {
            let sum = self.known(fours, |hash| *hash).map(|(_, entry)| i32::from(entry.weight)).sum();
            (place, worth(sum) * self.units.weight * shares.of_place(place))
        });
        let said = total(|sums| sums.weights) * self.units.weight + total(|sums| sums.votes) * voice;
        let by_octets: f32 = fours.iter().map(|(_, part)| part).sum();
        let log_odds = self.bias + said + by_octets + FISHER_SHARE * fisher.leaning();
        Weighed { log_odds, parts, fours }
    }

    /// The logarithm of how much likelier junk is than ham.
    pub fn log_odds(&self, features: &Features) -> f32 {
        self.weigh(features).log_odds
    }
}

/// What the known features of one kind say.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    weights: i32,
    votes: i32,
    voters: i32,
}

impl Sums {
    fn add(&mut self, entry: Entry) {
        self.weights += i32::from(entry.weight);
        if entry.vote != NO_VOTE {
            self.votes += i32::from(entry.vote);
            self.voters += 1;
        }
    }
}

/// Which word of the map, and its bit there.
fn place_of(hash: u32) -> (usize, u64) {
    (usize::try_from(hash >> 16).unwrap_or(0), 1 << (hash >> 10 & 63))
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^24: 127 for each feature")]
fn worth(sum: i32) -> f32 {
    sum as f32
}

/// How much one feature of each kind weighs in the regression: many share what few have alone.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shares([f32; Kind::COUNT]);

impl Shares {
    pub(crate) fn of(features: &Features) -> Self {
        let mut counts = [0_u16; Kind::COUNT];
        let mut count = |place: Place, more: usize| {
            if let Some(count) = counts.get_mut(place.kind() as usize) {
                *count = count.saturating_add(u16::try_from(more).unwrap_or(u16::MAX));
            }
        };
        features.said().iter().for_each(|feature| count(feature.place, 1));
        features.fours().into_iter().for_each(|(place, fours)| count(place, fours.len()));
        Self(counts.map(|count| 1.0 / f32::from(count.max(1)).sqrt()))
    }

    pub(crate) fn of_place(self, place: Place) -> f32 {
        self.0.get(place.kind() as usize).copied().unwrap_or(0.0)
    }
}

/// The logarithm of the probability that a belief means, by the belief's bits.
static LN_PROBABILITIES: LazyLock<[f64; 256]> = LazyLock::new(|| {
    let mut all = [0.0; 256];
    for belief in i8::MIN..=i8::MAX {
        if let Some(one) = all.get_mut(usize::from(belief.cast_unsigned())) {
            *one = -(-f64::from(belief) * BELIEF_UNIT).exp().ln_1p();
        }
    }
    all
});

/// Fisher's method of combining probabilities, as Robinson turned it on mail: two tests, one whether the message is no ham,
/// one whether it is no junk; the leaning is their difference.
#[derive(Debug, Default)]
struct Fisher {
    count: f64,
    ln_junk: f64,
    ln_ham: f64,
}

impl Fisher {
    fn add(&mut self, belief: i8) {
        let of = |belief: i8| LN_PROBABILITIES.get(usize::from(belief.cast_unsigned())).copied().unwrap_or(0.0);
        self.count += 1.0;
        self.ln_junk += of(belief);
        self.ln_ham += of(belief.saturating_neg());
    }

    /// -1 (ham) to 1 (junk).
    #[expect(clippy::cast_possible_truncation, reason = "between -1 and 1")]
    fn leaning(&self) -> f32 {
        if self.count == 0.0 {
            return 0.0;
        }
        (chi_square_above(-2.0 * self.ln_junk, 2.0 * self.count)
            - chi_square_above(-2.0 * self.ln_ham, 2.0 * self.count)) as f32
    }
}

/// How likely a chi-square variable of so many degrees of freedom is above `value` (Wilson and Hilferty's approximation).
fn chi_square_above(value: f64, freedom: f64) -> f64 {
    let spread = 2.0 / (9.0 * freedom);
    let deviation = ((value / freedom).cbrt() - (1.0 - spread)) / spread.sqrt();
    normal_above(deviation)
}

/// How likely a normal variable is above `deviation` (Abramowitz and Stegun 26.2.17; to seven digits).
fn normal_above(deviation: f64) -> f64 {
    let step = 1.0 / (1.0 + 0.231_641_9 * deviation.abs());
    let polynomial = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530]
        .iter()
        .fold(0.0, |sum, factor| (sum + factor) * step);
    let above = (-deviation * deviation / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial;
    if deviation < 0.0 { 1.0 - above } else { above }
}

/// Fisher's method is asked about features seen so surely on one side.
const SURE: f64 = 0.4;
/// As if each feature had been seen so often before, half in junk.
const PRIOR: f64 = 0.1;

/// The belief about a feature found in `junk` of `all_junk` messages and `ham` of `all_ham`; 0 where it is not sure enough.
pub(crate) fn belief(counts: [f64; 2], all: [f64; 2]) -> i8 {
    let [ham, junk] = [counts[0] / all[0].max(1.0), counts[1] / all[1].max(1.0)];
    let seen = counts[0] + counts[1];
    if seen == 0.0 {
        return 0;
    }
    let probability = (PRIOR * 0.5 + seen * junk / (junk + ham)) / (PRIOR + seen);
    if (probability - 0.5).abs() < SURE { 0 } else { quantised((probability / (1.0 - probability)).ln() / BELIEF_UNIT) }
}

/// To the nearest of what eight bits hold.
#[expect(clippy::cast_possible_truncation, reason = "clamped before")]
pub(crate) fn quantised(value: f64) -> i8 {
    value.round().clamp(-127.0, 127.0) as i8
}

/// Which side a class is on in pairs of counts.
pub(crate) fn side(class: Class) -> usize {
    match class {
        Class::Ham => 0,
        Class::Junk => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_as_tables_have_them() {
        for (value, freedom, expected) in [
            (3.841, 1.0, 0.05),
            (18.307, 10.0, 0.05),
            (23.209, 10.0, 0.01),
            (124.342, 100.0, 0.05),
            (77.929, 100.0, 0.95),
        ] {
            let found = chi_square_above(value, freedom);
            assert!((found - expected).abs() < 0.003, "{value} {freedom}: {found}");
        }
    }

    #[test]
    fn fisher_is_sure_only_of_what_speaks_for_one_side() {
        let leaning = |beliefs: &[i8]| {
            let mut fisher = Fisher::default();
            for one in beliefs {
                fisher.add(*one);
            }
            fisher.leaning()
        };
        assert!(leaning(&[92; 20]) > 0.99);
        assert!(leaning(&[-92; 20]) < -0.99);
        assert!(leaning(&[[92; 20], [-92; 20]].concat()).abs() < 0.01);
        assert!(leaning(&[]).abs() < 0.01);
    }

    #[test]
    fn beliefs_are_kept_where_they_are_sure() {
        assert!(belief([0.0, 10.0], [100.0, 100.0]) > 80);
        assert!(belief([10.0, 0.0], [100.0, 100.0]) < -80);
        assert_eq!(belief([5.0, 5.0], [100.0, 100.0]), 0);
        assert_eq!(belief([0.0, 0.0], [100.0, 100.0]), 0);
    }

    #[test]
    fn bytes_are_read_as_written_and_broken_ones_refused() {
        let entries = vec![
            Entry { hash: 3, weight: -5, belief: 0, vote: NO_VOTE },
            Entry { hash: 9, weight: 1, belief: 127, vote: -7 },
        ];
        let general = General::new(entries, Units { weight: 0.5, vote: 0.25 }, -1.0);
        let bytes = general.to_bytes();
        assert_eq!(General::from_bytes(&bytes), Ok(general));
        for length in 0..bytes.len() {
            assert_eq!(General::from_bytes(&bytes[..length]), Err(Broken), "{length}");
        }
        assert_eq!(General::from_bytes(&[bytes.as_slice(), b"x"].concat()), Err(Broken));
        let mut unsorted = bytes;
        unsorted[24] = 200;
        assert_eq!(General::from_bytes(&unsorted), Err(Broken));
    }

    #[test]
    fn what_is_known_is_found_and_nothing_else() {
        let hashes = [1, 2, 1023, 1024, 1025, 65_535, 65_536, 65_537, 70_000, u32::MAX - 1, u32::MAX];
        let entries = hashes.iter().map(|hash| Entry { hash: *hash, weight: 1, belief: 0, vote: 0 }).collect();
        let general = General::new(entries, Units { weight: 1.0, vote: 1.0 }, 0.0);
        for hash in hashes.into_iter().flat_map(|hash| hash.saturating_sub(3)..=hash.saturating_add(3)) {
            assert_eq!(general.entry(hash).map(|entry| entry.hash), hashes.contains(&hash).then_some(hash), "{hash}");
        }
    }

    #[test]
    fn the_shipped_model_is_whole_and_small() {
        let general = General::shipped().unwrap();
        assert!(general.len() > 10_000);
        assert!(general.to_bytes().len() <= 5 * 512 * 1024);
    }
}
