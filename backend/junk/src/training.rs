//! Makes the general model from a corpus: logistic regression by stochastic gradient descent (AdaGrad), repeatable.

use std::collections::HashMap;

use crate::Class;
use crate::features::Features;
pub use crate::features::Feature as F;
use crate::general::{General, Shares};

/// One message to learn from.
#[derive(Debug)]
pub struct Example<'a> {
    pub features: &'a Features,
    pub class: Class,
    /// Who sent it, or through which list it came: what only few sources say is theirs and says nothing of others.
    pub source: u64,
}

/// How to learn.
#[derive(Debug, Clone, Copy)]
pub struct Training {
    pub min_sources: usize,
    pub rounds: usize,
    pub rate: f32,
    pub decay: f32,
    pub ham_weight: f32,
    pub seed: u64,
    pub keep: usize,
}

impl Default for Training {
    fn default() -> Self {
        Self { min_sources: 2, rounds: 30, rate: 0.5, decay: 1e-6, ham_weight: 1.0, seed: 1, keep: 200_000 }
    }
}

/// A message as indices into the weights, and values.
struct Row {
    cells: Vec<(u32, f32)>,
    is_junk: bool,
}

impl Training {
    pub fn train(&self, examples: &[Example<'_>], is_ours: &dyn Fn(&F, &Features) -> bool) -> General {
        let chosen = self.choose(examples, is_ours);
        let mut rows: Vec<Row> = examples.iter().map(|example| row(example, &chosen)).collect();
        let mut weights = vec![0.0_f32; chosen.len()];
        let mut seen = vec![1e-3_f32; chosen.len()];
        let (mut bias, mut bias_seen) = (0.0_f32, 1e-3_f32);
        let mut chance = self.seed;
        for _ in 0..self.rounds {
            shuffle(&mut rows, &mut chance);
            for row in &rows {
                let sum: f32 = bias + row.cells.iter().map(|(index, value)| weights[*index as usize] * value).sum::<f32>();
                let wanted = if row.is_junk { 1.0 } else { 0.0 };
                let error = (1.0 / (1.0 + (-sum).exp()) - wanted) * if row.is_junk { 1.0 } else { self.ham_weight };
                for (index, value) in &row.cells {
                    let index = *index as usize;
                    let slope = error * value + self.decay * weights[index];
                    seen[index] += slope * slope;
                    weights[index] -= self.rate * slope / seen[index].sqrt();
                }
                bias_seen += error * error;
                bias -= self.rate * error / bias_seen.sqrt();
            }
        }
        quantise(chosen, &weights, bias, self.keep)
    }

    /// Features that enough sources have, to their index.
    fn choose(&self, examples: &[Example<'_>], is_ours: &dyn Fn(&F, &Features) -> bool) -> HashMap<u32, u32> {
        let mut sources: HashMap<u32, Vec<u64>> = HashMap::new();
        for example in examples {
            for feature in example.features.all().iter().filter(|feature| !feature.place.is_personal()) {
                if !is_ours(feature, example.features) { continue; }
                let known = sources.entry(feature.hash).or_default();
                if known.len() < self.min_sources && !known.contains(&example.source) {
                    known.push(example.source);
                }
            }
        }
        let mut chosen: Vec<u32> = sources.into_iter().filter(|(_, known)| known.len() >= self.min_sources).map(|(hash, _)| hash).collect();
        chosen.sort_unstable();
        chosen.into_iter().zip(0..).collect()
    }
}

fn row(example: &Example<'_>, chosen: &HashMap<u32, u32>) -> Row {
    let shares = Shares::of(example.features);
    let cells = example.features.all().iter().filter(|f| !f.place.is_personal()).filter_map(|feature| Some((*chosen.get(&feature.hash)?, shares.of_one(feature))));
    Row { cells: cells.collect(), is_junk: example.class == Class::Junk }
}

fn shuffle(rows: &mut [Row], chance: &mut u64) {
    for at in (1..rows.len()).rev() {
        *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.swap(at, (*chance >> 33) as usize % (at + 1));
    }
}

fn quantise(chosen: HashMap<u32, u32>, weights: &[f32], bias: f32, keep: usize) -> General {
    let mut all: Vec<(u32, f32)> = chosen.into_iter().map(|(hash, index)| (hash, weights[index as usize])).collect();
    all.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then(one.0.cmp(&other.0)));
    all.truncate(keep);
    let largest = all.iter().map(|w| w.1.abs()).fold(0.0, f32::max);
    let unit = largest / 127.0;
    all.sort_unstable_by_key(|(hash, _)| *hash);
    let all: Vec<(u32, i8)> = all.into_iter().map(|(h, w)| (h, (w / unit).round() as i8)).filter(|(_, w)| *w != 0).collect();
    General { hashes: all.iter().map(|one| one.0).collect(), weights: all.iter().map(|one| one.1).collect(), unit, bias }
}
