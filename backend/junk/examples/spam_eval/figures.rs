//! What is measured of a filter.

use relais_junk::Class;

use crate::corpus::{Chance, Letter};
use crate::percent;

/// Of good mail may be misjudged.
const MISJUDGED: f64 = 0.001;
/// So often the mail is drawn anew.
const DRAWN: usize = 1000;

pub(crate) struct Figures {
    /// The share of spam above the score that only [`MISJUDGED`] of ham exceeds.
    pub(crate) caught: f64,
    /// The same where 0.5 % of ham may.
    pub(crate) caught_at_half: f64,
    /// The mean share caught with none to ten of ham misjudged, which hangs less on single messages.
    caught_on_average: f64,
    /// That score.
    bar: f64,
    /// The area below the curve of the receiver's operating characteristic.
    area: f64,
}

impl Figures {
    /// A spam that scores as a misjudged ham is not caught.
    pub(crate) fn of(letters: &[Letter], scores: &[f64]) -> Self {
        let of_class = |class: Class| {
            let mut of_class: Vec<f64> = letters
                .iter()
                .zip(scores)
                .filter(|(letter, _)| letter.class == class)
                .map(|(_, score)| *score)
                .collect();
            of_class.sort_by(f64::total_cmp);
            of_class
        };
        let (ham, spam) = (of_class(Class::Ham), of_class(Class::Junk));
        let bar = |share: f64| ham[ham.len() - 1 - (ham.len() as f64 * share).floor() as usize];
        let caught = |bar: f64| spam.iter().filter(|score| **score > bar).count() as f64 / spam.len() as f64;
        let on_average = ham.iter().rev().take(11).map(|bar| caught(*bar)).sum::<f64>() / 11.0;
        let below = |score: f64| {
            (ham.partition_point(|one| *one < score) + ham.partition_point(|one| *one <= score)) as f64 / 2.0
        };
        let area = spam.iter().map(|score| below(*score)).sum::<f64>() / (ham.len() * spam.len()) as f64;
        Self {
            caught: caught(bar(MISJUDGED)),
            caught_at_half: caught(bar(5.0 * MISJUDGED)),
            caught_on_average: on_average,
            bar: bar(MISJUDGED),
            area,
        }
    }
}

/// The shares caught of which 5, 50 and 95 % lie below, had the same mail been drawn by chance (bootstrap).
pub(crate) fn interval(letters: &[Letter], scores: &[f64], seed: u64) -> [f64; 3] {
    let mut chance = Chance(seed);
    let (ham, spam): (Vec<usize>, Vec<usize>) = (0..letters.len()).partition(|at| letters[*at].class == Class::Ham);
    let mut drawn: Vec<f64> = (0..DRAWN)
        .map(|_| {
            let mut draw = |from: &[usize]| {
                let mut drawn: Vec<f64> =
                    from.iter().map(|_| scores[from[chance.next() as usize % from.len()]]).collect();
                drawn.sort_by(f64::total_cmp);
                drawn
            };
            let (ham, spam) = (draw(&ham), draw(&spam));
            let bar = ham[ham.len() - 1 - (ham.len() as f64 * MISJUDGED).floor() as usize];
            (spam.len() - spam.partition_point(|score| *score <= bar)) as f64 / spam.len() as f64
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    [5, 50, 95].map(|percentile| drawn[DRAWN * percentile / 100])
}

/// One line a filter.
pub(crate) fn print(rows: &[(&str, Figures, Option<f64>)]) {
    println!("| filter | caught at 0.1 % | at 0 to 10 ham, mean | caught at 0.5 % | ROC area | bar | ms a message |");
    println!("|---|---|---|---|---|---|---|");
    for (name, figures, millis) in rows {
        let millis = millis.map_or_else(|| "-".to_owned(), |millis| format!("{millis:.2}"));
        println!(
            "| {name} | {} | {} | {} | {:.5} | {:.3} | {millis} |",
            percent(figures.caught),
            percent(figures.caught_on_average),
            percent(figures.caught_at_half),
            figures.area,
            figures.bar
        );
    }
}
