//! What is measured of a filter.

use relais_junk::Class;

use crate::corpus::Letter;
use crate::percent;

/// Of good mail may be misjudged.
const MISJUDGED: f64 = 0.001;

pub(crate) struct Figures {
    /// The share of spam above the score that only [`MISJUDGED`] of ham exceeds.
    pub(crate) caught: f64,
    /// The same where 0.5 % of ham may.
    pub(crate) caught_at_half: f64,
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
        let below = |score: f64| {
            (ham.partition_point(|one| *one < score) + ham.partition_point(|one| *one <= score)) as f64 / 2.0
        };
        let area = spam.iter().map(|score| below(*score)).sum::<f64>() / (ham.len() * spam.len()) as f64;
        Self { caught: caught(bar(MISJUDGED)), caught_at_half: caught(bar(5.0 * MISJUDGED)), bar: bar(MISJUDGED), area }
    }
}

/// One line a filter.
pub(crate) fn print(rows: &[(&str, Figures, Option<f64>)]) {
    println!("| filter | caught at 0.1 % | caught at 0.5 % | ROC area | bar | ms a message |");
    println!("|---|---|---|---|---|---|");
    for (name, figures, millis) in rows {
        let millis = millis.map_or_else(|| "-".to_owned(), |millis| format!("{millis:.2}"));
        println!(
            "| {name} | {} | {} | {:.5} | {:.3} | {millis} |",
            percent(figures.caught),
            percent(figures.caught_at_half),
            figures.area,
            figures.bar
        );
    }
}
