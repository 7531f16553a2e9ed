//! A message's score, and why.

use crate::features::{Feature, Features};
use crate::general::General;
use crate::own::Own;
use crate::place::Place;
use crate::signs::Sign;

/// So many words that speak for junk are named, and so many that speak against.
const REASONS: [usize; 2] = [8, 4];
/// Signs together add no more than this, in log-odds.
const MAX_POINTS: f32 = 8.0;
/// Below this, in log-odds, a word is no reason.
const LEAST_REASON: f32 = 0.05;

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
    let (mut log_odds, parts) = general.weigh(features);
    let mut words: Vec<(Feature, f32, Whose)> =
        parts.into_iter().map(|(feature, part)| (feature, part, Whose::General)).collect();
    if let Some(own) = own {
        let (correction, parts) = own.correct(general, log_odds, features);
        log_odds += correction;
        words.extend(parts.into_iter().map(|(feature, part)| (feature, part, Whose::Own)));
    }
    let points: f32 = features.signs().iter().map(Sign::points).sum();
    log_odds += points.min(MAX_POINTS);
    let mut reasons: Vec<Reason> =
        features.signs().iter().map(|sign| Reason::Sign { sign: sign.clone(), points: sign.points() }).collect();
    reasons.extend(strongest(words, features));
    Score { log_odds, probability: 1.0 / (1.0 + (-log_odds).exp()), reasons }
}

fn strongest(words: Vec<(Feature, f32, Whose)>, features: &Features) -> Vec<Reason> {
    let (octets, mut words): (Vec<_>, Vec<_>) = words.into_iter().partition(|(feature, ..)| feature.place.is_octets());
    // Of octets only the sum says anything to people.
    for place in [Place::FieldOctets, Place::TextOctets] {
        let of_place = || octets.iter().filter(|(feature, ..)| feature.place == place);
        words.extend(of_place().next().map(|first| (first.0, of_place().map(|(_, part, _)| part).sum(), first.2)));
    }
    words.retain(|(_, part, _)| part.abs() >= LEAST_REASON);
    words.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then(one.0.hash.cmp(&other.0.hash)));
    let mut left = REASONS;
    let mut take = |part: f32| {
        let Some(left) = left.get_mut(usize::from(part < 0.0)).filter(|left| **left > 0) else { return false };
        *left -= 1;
        true
    };
    words.retain(|(_, part, _)| take(*part));
    let reason = |(feature, points, whose): (Feature, f32, Whose)| Reason::Word {
        place: feature.place,
        text: features.text_of(&feature),
        points,
        whose,
    };
    words.into_iter().map(reason).collect()
}
