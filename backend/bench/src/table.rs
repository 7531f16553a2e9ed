//! What a person gets to see: a row a figure, medians, ratios, and whether the goal is reached.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::figures::Sample;
use crate::goals::{Better, FIGURES, Figure, Goal};
use crate::servers::RELAIS;

/// Between these lines of a document the table stands.
const BEGIN: &str = "<!-- the table: written by `cargo xtask bench --write` -->";
const END: &str = "<!-- the table's end -->";

/// The samples of one measurement on one line.
pub(crate) fn brief(samples: &[Sample]) -> String {
    samples.iter().map(|sample| format!("{} {}", sample.figure, number(sample.value))).collect::<Vec<_>>().join(", ")
}

/// The table as Markdown.
pub(crate) fn of(samples: &[(String, Sample)], servers: &[&str]) -> String {
    let mut table = String::from("| figure |");
    for name in servers {
        let _written = write!(table, " {name} | CPU ms |");
    }
    table.push_str(" ratio | wanted | reached |\n|---|");
    table.push_str(&"---:|---:|".repeat(servers.len()));
    table.push_str("---:|---:|---|\n");
    let is_measured = |figure: &&Figure| samples.iter().any(|(_, sample)| sample.figure == figure.name);
    for figure in FIGURES.iter().filter(is_measured) {
        let row = Row::of(figure, samples, servers);
        let _written = write!(table, "| {} |", figure.words);
        for (_, value, cpu_ms) in &row.cells {
            let _written = write!(table, " {} | {} |", shown(*value), shown(*cpu_ms));
        }
        let _written = writeln!(table, " {} | {} | {} |", shown(row.ratio), wanted(figure), row.verdict());
    }
    table
}

/// Puts the table into a document, in the place of the one before.
pub(crate) fn write(file: &Path, table: &str) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        return Err(io::Error::other(format!("there is no line {BEGIN} with {END} behind it")));
    };
    fs::write(file, format!("{before}{BEGIN}\n{table}{END}{after}"))
}

struct Row<'a> {
    figure: &'a Figure,
    /// Server, value, CPU time.
    cells: Vec<(&'a str, Option<f64>, Option<f64>)>,
    /// Ours to theirs; above 1 ours is better.
    ratio: Option<f64>,
}

impl<'a> Row<'a> {
    fn of(figure: &'a Figure, samples: &[(String, Sample)], servers: &[&'a str]) -> Self {
        let of_server =
            |name: &str, value: fn(&Sample) -> Option<f64>| median(values(samples, name, figure.name, value));
        let cells: Vec<_> = servers
            .iter()
            .map(|name| (*name, of_server(name, |sample| Some(sample.value)), of_server(name, |sample| sample.cpu_ms)))
            .collect();
        let ours = cells.iter().find(|(name, ..)| *name == RELAIS).and_then(|(_, value, _)| *value);
        let against = figure.goal.against();
        let others = cells.iter().filter(|(name, ..)| *name != RELAIS && against.is_none_or(|only| only == *name));
        let others = others.filter_map(|(_, value, _)| *value);
        let own_other = match figure.goal {
            Goal::OfOurs(other, _) => median(values(samples, RELAIS, other, |sample| Some(sample.value))),
            _ => None,
        };
        let others = others.chain(own_other);
        let ratio = match figure.better {
            Better::More => ours.zip(others.reduce(f64::max)).map(|(ours, theirs)| ours / theirs),
            // What came before it was awaited took no time, but no less than none.
            Better::Less => ours.zip(others.reduce(f64::min)).map(|(ours, theirs)| theirs / ours.max(0.001)),
        };
        Self { figure, cells, ratio }
    }

    fn verdict(&self) -> &'static str {
        let ours = self.cells.iter().find(|(name, ..)| *name == RELAIS);
        let Some((_, Some(value), cpu_ms)) = ours else { return "" };
        let is_fast = match self.figure.goal {
            Goal::None => return "",
            Goal::AtMost(most) => Some(*value <= most),
            Goal::Times(times) | Goal::TimesMaildir(times) | Goal::OfOurs(_, times) => {
                self.ratio.map(|ratio| ratio >= times)
            }
        };
        let is_thrifty = self.figure.cpu_ms.is_none_or(|most| cpu_ms.is_some_and(|spent| spent <= most));
        match is_fast {
            None => "",
            Some(true) if is_thrifty => "yes",
            Some(_) => "no",
        }
    }
}

fn wanted(figure: &Figure) -> String {
    let goal = match figure.goal {
        Goal::None => String::new(),
        Goal::AtMost(most) => format!("≤ {}", number(most)),
        Goal::Times(times) => format!("{times} ×"),
        Goal::TimesMaildir(times) => format!("{times} × Maildir"),
        Goal::OfOurs(_, share) => format!("{share} of it"),
    };
    figure.cpu_ms.map_or(goal.clone(), |most| format!("{goal}, CPU ≤ {most}"))
}

/// What a server was measured to do, in all rounds.
fn values(samples: &[(String, Sample)], server: &str, figure: &str, value: fn(&Sample) -> Option<f64>) -> Vec<f64> {
    let is_meant = |(name, sample): &&(String, Sample)| name == server && sample.figure == figure;
    samples.iter().filter(is_meant).filter_map(|(_, sample)| value(sample)).collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(*values.get(middle - 1)?, upper)) }
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(server: &str, figure: &'static str, value: f64, cpu_ms: f64) -> (String, Sample) {
        (server.to_owned(), Sample { figure, value, cpu_ms: Some(cpu_ms) })
    }

    #[test]
    fn a_goal_is_reached_by_speed_and_thrift() {
        let mut samples = vec![
            sample("relais", "smtp-10", 4000.0, 0.2),
            sample("relais", "smtp-10", 6000.0, 0.2),
            sample("maildir", "smtp-10", 300.0, 3.4),
            sample("sdbox", "smtp-10", 500.0, 3.0),
        ];
        let servers = ["relais", "maildir", "sdbox"];
        let rows = |samples: &[_]| of(samples, &servers).lines().nth(2).map(str::to_owned).unwrap();
        assert!(rows(&samples).ends_with("| 5000 | 0.200 | 300 | 3.40 | 500 | 3.00 | 10.0 | 10 ×, CPU ≤ 0.3 | yes |"));
        samples[1].1.cpu_ms = Some(0.6);
        assert!(rows(&samples).ends_with("| no |"));
    }

    #[test]
    fn the_middle_one_counts() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }
}
