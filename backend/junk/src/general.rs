//! The model for all: what is known of mail before anybody here has said a word.

use crate::features::{Feature, Features};

/// Weights of a logistic regression, each by its feature's hash.
#[derive(Debug, Clone, PartialEq)]
pub struct General {
    /// Sorted, each once.
    pub(crate) hashes: Vec<u32>,
    /// Of the same length.
    pub(crate) weights: Vec<i8>,
    /// What a weight of 1 is worth.
    pub(crate) unit: f32,
    /// What is added to every sum.
    pub(crate) bias: f32,
}

/// How many features a message has of each kind, for their weight.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shares {
    text: f32,
    other: f32,
}

impl Shares {
    pub(crate) fn of(features: &Features) -> Self {
        let count = |is_text: bool| features.all().iter().filter(|one| one.place.is_text() == is_text && !one.place.is_personal()).count();
        let share = |count: usize| 1.0 / f32::from(u16::try_from(count.max(1)).unwrap_or(u16::MAX)).sqrt();
        Self { text: share(count(true)), other: share(count(false)) }
    }

    pub(crate) fn of_one(self, feature: &Feature) -> f32 {
        if feature.place.is_text() { self.text } else { self.other }
    }
}

impl General {
    pub fn size(&self)->usize{self.hashes.len()} pub fn unit(&self)->f32{self.unit} pub fn bias(&self)->f32{self.bias}
    /// A feature's weight; none where nothing is known of it.
    pub(crate) fn weight(&self, hash: u32) -> Option<f32> {
        let at = self.hashes.binary_search(&hash).ok()?;
        self.weights.get(at).map(|weight| f32::from(*weight) * self.unit)
    }

    /// The logarithm of how much likelier junk is than ham.
    pub fn log_odds(&self, features: &Features) -> f32 {
        let shares = Shares::of(features);
        let known = features.all().iter().filter(|feature| !feature.place.is_personal());
        self.bias + known.filter_map(|feature| Some(self.weight(feature.hash)? * shares.of_one(feature))).sum::<f32>()
    }
}
