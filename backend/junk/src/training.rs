//! Makes the general model from a corpus, the same from the same, to the octet.

use std::collections::{BTreeMap, HashMap};

use crate::Class;
use crate::features::{Feature, Features};
use crate::general::{Entry, General, MAX_ENTRIES, NO_VOTE, Shares, Units, belief, quantised, side};
use crate::place::Place;
use crate::winnow::Winnow;

/// One message to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// What it is made of.
    pub features: &'a Features,
    /// What it is.
    pub class: Class,
    /// Who sent it, or through which list it came, as a number of the caller's.
    pub source: u64,
}

/// How a general model is made. Several regressions are trained by stochastic gradient descent with a rate of its own for
/// each weight (`AdaGrad`), so that what is rare learns as much from one message as what is common from many. Each sees
/// another part of the corpus in another order; their mean is kept, which cancels the chance in each.
#[derive(Debug, Clone, Copy)]
pub struct Training {
    /// The regressions keep what so many sources say: the words of few are theirs and tell nothing of others.
    pub sources: u8,
    /// How many regressions there are.
    pub voices: u16,
    /// The share of the corpus that each sees.
    pub part: f32,
    /// How often each goes over it.
    pub rounds: u16,
    /// How far a step goes.
    pub rate: f32,
    /// A message is not well judged before it is this far on its side, in log-odds: so many weights share the work.
    pub margin: f32,
    /// How much of a weight each step takes back.
    pub decay: f32,
    /// How much worse it is to misjudge ham than junk.
    pub ham_weight: f32,
    /// For the choice and the order of the messages.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            sources: 3,
            voices: 24,
            part: 0.9,
            rounds: 8,
            rate: 2.0,
            margin: 2.0,
            decay: 1e-5,
            ham_weight: 3.0,
            seed: 1,
        }
    }
}

/// Which features a regression looks at.
type View = fn(Place) -> bool;

/// Half of the regressions look at what a message says, half at how it is made; they err differently, and the sum of the two errs
/// less than one that looks at both. Each half's share in it.
const VIEWS: [(View, f32); 2] = [(|place| !place.is_manner(), 0.525), (Place::is_manner, 0.2625)];
/// How many Winnows there are, beside the regressions; they look at what a message says,
const WINNOWS: u16 = 16;
/// and go over the corpus so often.
const WINNOW_ROUNDS: u16 = 5;
/// No vote is louder.
const MAX_VOTE: f32 = 8.0;

/// Who errs by less has learnt its message.
const LEAST_ERROR: f32 = 1e-4;

/// What the corpus says of a feature.
#[derive(Debug, Default)]
struct Tally {
    /// Of ham and of junk.
    messages: [f64; 2],
    /// The first few.
    sources: Vec<u64>,
    /// A domain is a source by itself: two messages make it known.
    is_domain: bool,
    /// Fisher's method is not asked about it: neighbours say the same over and over.
    is_manner: bool,
}

/// A message as places in the weights, with their shares.
struct Row {
    cells: Vec<(usize, f32)>,
    is_junk: bool,
}

impl Training {
    /// Trains on `examples`; `is_artefact` is asked with the text of each feature, and what it names is left out: words that
    /// tell where a corpus was gathered.
    pub fn train(&self, examples: &[Example<'_>], is_artefact: &dyn Fn(Place, &str) -> bool) -> General {
        let tallies = self.tally(examples, is_artefact);
        let chosen: Vec<u32> =
            tallies.iter().filter(|(_, tally)| self.is_chosen(tally)).map(|(hash, _)| *hash).collect();
        let mut chance = Chance(self.seed);
        let mut sum = Regression::new(chosen.len());
        for (sees, share) in VIEWS {
            let rows: Vec<Row> = examples.iter().map(|example| row(example, &chosen, sees)).collect();
            for _ in 0..self.voices {
                sum.add(&self.voice(&rows, chosen.len(), &mut chance), share / f32::from(self.voices));
            }
        }
        let (says, _) = VIEWS[0];
        let rows: Vec<Row> = examples.iter().map(|example| row(example, &chosen, says)).collect();
        let votes = self.votes(&rows, chosen.len(), &mut chance);
        assemble(examples, &tallies, &Learnt { chosen, regression: sum, votes })
    }

    /// The mean of what some Winnows find of each feature, each over another part of the corpus.
    fn votes(&self, rows: &[Row], count: usize, chance: &mut Chance) -> Vec<f32> {
        let mut votes = vec![0.0; count];
        for _ in 0..WINNOWS {
            let mut rows: Vec<&Row> = rows.iter().filter(|_| chance.share() < self.part).collect();
            let mut winnow = Winnow::new(count);
            for _ in 0..WINNOW_ROUNDS {
                chance.shuffle(&mut rows);
                for row in rows.iter().filter(|row| !row.cells.is_empty()) {
                    winnow.learn(&row.cells, usize::from(row.is_junk));
                }
            }
            for (vote, leaning) in votes.iter_mut().zip(winnow.leanings()) {
                *vote += leaning / f32::from(WINNOWS);
            }
        }
        votes
    }

    /// One of the regressions.
    fn voice(&self, rows: &[Row], count: usize, chance: &mut Chance) -> Regression {
        let mut rows: Vec<&Row> = rows.iter().filter(|_| chance.share() < self.part).collect();
        let mut regression = Regression::new(count);
        for _ in 0..self.rounds {
            chance.shuffle(&mut rows);
            for row in &rows {
                regression.learn(row, self);
            }
        }
        regression
    }

    fn is_chosen(&self, tally: &Tally) -> bool {
        tally.sources.len() >= usize::from(self.sources)
            || tally.is_domain && tally.messages[0] + tally.messages[1] >= 2.0
    }

    fn tally(&self, examples: &[Example<'_>], is_artefact: &dyn Fn(Place, &str) -> bool) -> BTreeMap<u32, Tally> {
        let mut tallies: BTreeMap<u32, Tally> = BTreeMap::new();
        // Asked once a feature, for most come in many messages.
        let mut known: HashMap<u32, bool> = HashMap::new();
        for example in examples {
            let text = |feature: &Feature| example.features.text_of(feature);
            let mut is_one =
                |one: &Feature| *known.entry(one.hash).or_insert_with(|| is_artefact(one.place, &text(one)));
            let said = example.features.said().iter().filter(|one| !is_one(one));
            for (hash, place) in general(said, example.features) {
                let tally = tallies.entry(hash).or_default();
                tally.is_manner = place.is_manner();
                tally.is_domain = matches!(place, Place::AuthorDomain | Place::Host | Place::Link);
                if let Some(count) = tally.messages.get_mut(side(example.class)) {
                    *count += 1.0;
                }
                if tally.sources.len() < usize::from(self.sources) && !tally.sources.contains(&example.source) {
                    tally.sources.push(example.source);
                }
            }
        }
        tallies
    }
}

/// Those of `said` that the general model may know, and all fours.
fn general<'f>(said: impl Iterator<Item = &'f Feature>, features: &'f Features) -> impl Iterator<Item = (u32, Place)> {
    let said = said.filter(|feature| !feature.place.is_personal()).map(|feature| (feature.hash, feature.place));
    said.chain(features.fours().into_iter().flat_map(|(place, fours)| fours.iter().map(move |hash| (*hash, place))))
}

fn row(example: &Example<'_>, chosen: &[u32], sees: View) -> Row {
    let shares = Shares::of(example.features);
    let cell = |(hash, place): (u32, Place)| {
        let at = chosen.binary_search(&hash).ok()?;
        Some((at, shares.of_place(place)))
    };
    let features = general(example.features.said().iter(), example.features).filter(|(_, place)| sees(*place));
    Row { cells: features.filter_map(cell).collect(), is_junk: example.class == Class::Junk }
}

/// A weight and the sum of the squares of its slopes: side by side, for memory is what training waits for.
#[derive(Debug, Clone, Copy)]
struct Weight {
    value: f32,
    squares: f32,
}

impl Weight {
    const NONE: Self = Self { value: 0.0, squares: 1e-3 };

    fn step(&mut self, slope: f32, rate: f32) {
        self.squares += slope * slope;
        self.value -= rate * slope / self.squares.sqrt();
    }
}

struct Regression {
    weights: Vec<Weight>,
    bias: Weight,
}

impl Regression {
    fn new(count: usize) -> Self {
        Self { weights: vec![Weight::NONE; count], bias: Weight::NONE }
    }

    fn learn(&mut self, row: &Row, training: &Training) {
        let known = row.cells.iter().filter_map(|(at, share)| Some(self.weights.get(*at)?.value * share));
        let sum = self.bias.value + known.sum::<f32>();
        let (wanted, short, importance) =
            if row.is_junk { (1.0, -training.margin, 1.0) } else { (0.0, training.margin, training.ham_weight) };
        let error = (1.0 / (1.0 + (-(sum + short)).exp()) - wanted) * importance;
        if error.abs() < LEAST_ERROR {
            return;
        }
        for (at, share) in &row.cells {
            if let Some(weight) = self.weights.get_mut(*at) {
                weight.step(error * share + training.decay * weight.value, training.rate);
            }
        }
        self.bias.step(error, training.rate);
    }

    fn add(&mut self, other: &Self, share: f32) {
        for (weight, other) in self.weights.iter_mut().zip(&other.weights) {
            weight.value += other.value * share;
        }
        self.bias.value += other.bias.value * share;
    }
}

/// Repeatable chance: a linear congruence of Knuth's.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 32).unwrap_or(0)
    }

    /// From 0 up to 1, in steps that a number of 32 bits holds exactly.
    fn share(&mut self) -> f32 {
        f32::from(u16::try_from(self.next() >> 16).unwrap_or(0)) / 65536.0
    }

    /// Fisher and Yates.
    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            let other = usize::try_from(self.next()).unwrap_or(0) % (at + 1);
            all.swap(at, other);
        }
    }
}

/// What was learnt of the features that are looked at.
struct Learnt {
    /// Their hashes, in order.
    chosen: Vec<u32>,
    regression: Regression,
    votes: Vec<f32>,
}

/// Quantises, and keeps what says most.
fn assemble(examples: &[Example<'_>], tallies: &BTreeMap<u32, Tally>, learnt: &Learnt) -> General {
    let Learnt { chosen, regression, votes } = learnt;
    let mut all = [0.0; 2];
    for example in examples {
        if let Some(count) = all.get_mut(side(example.class)) {
            *count += 1.0;
        }
    }
    let largest = regression.weights.iter().fold(f32::MIN_POSITIVE, |largest, weight| largest.max(weight.value.abs()));
    let unit = largest / 127.0;
    let weight_of = |hash: u32| {
        let weight = chosen.binary_search(&hash).ok().and_then(|at| regression.weights.get(at));
        weight.map_or(0, |weight| quantised(f64::from(weight.value / unit)))
    };
    let loudest = votes.iter().fold(f32::MIN_POSITIVE, |loudest, vote| loudest.max(vote.abs())).min(MAX_VOTE);
    let vote_unit = loudest / 127.0;
    let vote_of = |hash: u32, tally: &Tally| {
        let vote = chosen.binary_search(&hash).ok().and_then(|at| votes.get(at)).filter(|_| !tally.is_manner);
        vote.map_or(NO_VOTE, |vote| quantised(f64::from(vote / vote_unit)))
    };
    let known = tallies.iter().filter(|(_, tally)| {
        tally.sources.len() >= 2 || tally.is_domain && tally.messages[0] + tally.messages[1] >= 2.0
    });
    let mut entries: Vec<Entry> = known
        .map(|(hash, tally)| Entry {
            hash: *hash,
            weight: weight_of(*hash),
            belief: if tally.is_manner { 0 } else { belief(tally.messages, all) },
            vote: vote_of(*hash, tally),
        })
        .collect();
    entries.retain(|entry| entry.weight != 0 || entry.belief != 0 || entry.vote != NO_VOTE);
    let says = |entry: &Entry| u16::from(entry.weight.unsigned_abs()) * 4 + u16::from(entry.belief.unsigned_abs());
    entries.sort_by_key(|entry| (std::cmp::Reverse(says(entry)), entry.hash));
    entries.truncate(MAX_ENTRIES);
    entries.sort_by_key(|entry| entry.hash);
    General::new(entries, Units { weight: unit, vote: vote_unit }, regression.bias.value)
}
