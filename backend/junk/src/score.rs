//! A message's score, and why.

use std::cmp::Ordering;

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

/// What is worth a word, loud or not.
type Said = (Part, f32, Whose);

fn strongest(parts: Vec<Said>, features: &Features) -> Vec<Reason> {
    let worth_it = parts.into_iter().filter(|(_, points, _)| points.abs() >= LEAST_REASON);
    let (speaking, against): (Vec<Said>, Vec<Said>) = worth_it.partition(|(_, points, _)| *points > 0.0);
    let [most_speaking, most_against] = REASONS;
    let mut named = loudest(speaking, most_speaking);
    named.extend(loudest(against, most_against));
    named.sort_by(louder);
    let reason = |(part, points, whose)| match part {
        Part::Said(feature) => Reason::Word { place: feature.place, text: features.text_of(&feature), points, whose },
        Part::Fours(place) => Reason::Word { place, text: name_of_fours(place).to_owned(), points, whose },
    };
    named.into_iter().map(reason).collect()
}

/// So many of `all`, in any order: there are hundreds, and few are named, so most need no order.
fn loudest(mut all: Vec<Said>, count: usize) -> Vec<Said> {
    if all.len() > count {
        all.select_nth_unstable_by(count, louder);
        all.truncate(count);
    }
    all
}

fn louder(one: &Said, other: &Said) -> Ordering {
    other.1.abs().total_cmp(&one.1.abs()).then(one.0.order().cmp(&other.0.order()))
}
