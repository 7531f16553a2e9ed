//! A message's score, and why.

use crate::features::{Feature, Features, name_of_fours};
use crate::general::{General, Weighed};
use crate::own::Own;
use crate::place::Place;
use crate::signs::Sign;

/// So many words that speak for junk are named, and so many that speak against.
const REASONS: [usize; 2] = [8, 4];
/// Signs together add no more than this, in log-odds.
const MAX_POINTS: f32 = 8.0;
/// Below this, in log-odds, a word is no reason.
pub(crate) const LEAST_REASON: f32 = 0.05;

/// What the filter thinks of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The logarithm of how much likelier junk is than ham.
    pub log_odds: f32,
    /// The same as 0 (ham) to 1 (junk).
    pub probability: f32,
    /// What spoke for and against: the signs first, then words, the strongest first.
    pub reasons: Vec<Reason>,
}

/// One reason of a score.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// A rule found something.
    Sign {
        /// What.
        sign: Sign,
        /// What it adds, in log-odds.
        points: f32,
    },
    /// A word, or a form, stands there as it does in other mail.
    Word {
        /// Where.
        place: Place,
        /// Which; for a [`Place::Mark`] its name.
        text: String,
        /// What it adds, in log-odds; below 0: it speaks for ham.
        points: f32,
        /// Who knows that.
        whose: Whose,
    },
}

/// Whose knowledge a reason is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The general model's.
    General,
    /// The account's own.
    Own,
}

/// Scores a message by the general model, by the account's own where there is one, and by the signs of deceit.
pub fn score(general: &General, own: Option<&Own>, features: &Features) -> Score {
    let Weighed { mut log_odds, parts, fours } = general.weigh(features);
    let said = |(feature, part), whose| (Part::Said(feature), part, whose);
    let mut parts: Vec<_> = parts.into_iter().map(|part| said(part, Whose::General)).collect();
    parts.extend(fours.map(|(place, part)| (Part::Fours(place), part, Whose::General)));
    if let Some(own) = own {
        let (correction, corrected) = own.correct(general, log_odds, features);
        log_odds += correction;
        parts.extend(corrected.into_iter().map(|part| said(part, Whose::Own)));
    }
    let points: f32 = features.signs().iter().map(Sign::points).sum();
    log_odds += points.min(MAX_POINTS);
    let mut reasons: Vec<Reason> =
        features.signs().iter().map(|sign| Reason::Sign { sign: sign.clone(), points: sign.points() }).collect();
    reasons.extend(strongest(parts, features));
    Score { log_odds, probability: 1.0 / (1.0 + (-log_odds).exp()), reasons }
}

/// What is named as a reason.
#[derive(Debug, Clone, Copy)]
enum Part {
    Said(Feature),
    /// Of octets only the sum says anything to people.
    Fours(Place),
}

impl Part {
    /// Of equals one comes first, always the same.
    fn order(self) -> u32 {
        match self {
            Self::Said(feature) => feature.hash,
            Self::Fours(place) => u32::from(place as u8),
        }
    }
}

fn strongest(mut parts: Vec<(Part, f32, Whose)>, features: &Features) -> Vec<Reason> {
    parts.retain(|(_, points, _)| points.abs() >= LEAST_REASON);
    parts.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then(one.0.order().cmp(&other.0.order())));
    let mut left = REASONS;
    let mut take = |points: f32| {
        let Some(left) = left.get_mut(usize::from(points < 0.0)).filter(|left| **left > 0) else { return false };
        *left -= 1;
        true
    };
    parts.retain(|(_, points, _)| take(*points));
    let reason = |(part, points, whose)| match part {
        Part::Said(feature) => Reason::Word { place: feature.place, text: features.text_of(&feature), points, whose },
        Part::Fours(place) => Reason::Word { place, text: name_of_fours(place).to_owned(), points, whose },
    };
    parts.into_iter().map(reason).collect()
}
