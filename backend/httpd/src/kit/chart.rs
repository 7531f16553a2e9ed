//! Bars over hours, stacked: `parts/chart.html` places what is drawn here. No library, and the numbers stand below as a table.

use super::Frame;

/// The drawing is so wide and so high, whatever it is stretched to.
const WIDTH: u32 = 1000;
const HEIGHT: u64 = 100;
/// Of a column's room, the part that is its bar, in hundredths.
const FILLED: u32 = 76;

/// A chart, ready to be placed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chart {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) columns: Vec<Column>,
    /// What the lines of the grid say, from the top.
    pub(crate) scale: Vec<String>,
    /// What stands below, from the left.
    pub(crate) axis: Vec<String>,
    /// The chart as one sentence, for those who don't see it.
    pub(crate) summary: String,
    /// Of the table.
    pub(crate) caption: String,
    /// The head of the table's first column.
    pub(crate) first: String,
    /// What opens the table.
    pub(crate) open: String,
}

/// One colour.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the word that all parts of pages have for it")]
pub(crate) struct Kind {
    /// `ok`, `info`, `wait` or `bad`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) total: String,
}

/// One hour.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) x: u32,
    pub(crate) width: u32,
    pub(crate) label: String,
    /// One a kind.
    pub(crate) values: Vec<String>,
    pub(crate) bars: Vec<Bar>,
}

/// One piece of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) kind: &'static str,
    /// From the top.
    pub(crate) y: u64,
    pub(crate) height: u64,
}

impl Chart {
    /// Stacks `columns` (a label, and a value a kind) in the order of `kinds` (colour and name), the first at the bottom.
    pub(crate) fn stacked(frame: &Frame, kinds: &[(&'static str, String)], columns: &[(String, Vec<u64>)]) -> Self {
        let highest = columns.iter().map(|(_, values)| values.iter().sum::<u64>()).max().unwrap_or(0);
        let top = round_up(highest);
        let room = WIDTH / u32::try_from(columns.len().max(1)).unwrap_or(WIDTH);
        let place = |(at, (label, values)): (usize, &(String, Vec<u64>))| Column {
            x: u32::try_from(at).unwrap_or(0) * room + room * (100 - FILLED) / 200,
            width: room * FILLED / 100,
            label: label.clone(),
            values: values.iter().map(|value| frame.number(*value)).collect(),
            bars: bars(kinds, values, top),
        };
        let total = |at: usize| columns.iter().filter_map(|(_, values)| values.get(at)).sum();
        let kind = |(at, (kind, name)): (usize, &(&'static str, String))| Kind {
            kind,
            name: name.clone(),
            total: frame.number(total(at)),
        };
        Self {
            kinds: kinds.iter().enumerate().map(kind).collect(),
            columns: columns.iter().enumerate().map(place).collect(),
            scale: [top, top / 2, 0].map(|line| frame.number(line)).to_vec(),
            open: frame.say("chart-numbers"),
            ..Self::default()
        }
    }
}

/// What is there is seen: a value that isn't 0 has a height, too.
fn bars(kinds: &[(&'static str, String)], values: &[u64], top: u64) -> Vec<Bar> {
    let mut y = HEIGHT;
    let mut stacked = Vec::with_capacity(values.len());
    for ((kind, _), value) in kinds.iter().zip(values).filter(|(_, value)| **value > 0) {
        let height = (value * HEIGHT / top).max(1).min(y);
        y -= height;
        stacked.push(Bar { kind, y, height });
    }
    stacked
}

/// The next number that the grid can say plainly, and halve: 2, 4, 10, 20, 40, 100, ….
fn round_up(highest: u64) -> u64 {
    let mut top: u64 = 1;
    loop {
        for step in [2, 4, 10] {
            let line = top.saturating_mul(step);
            if highest <= line {
                return line;
            }
        }
        top = top.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_said_plainly() {
        let check = |highest: u64, top: u64| assert_eq!(round_up(highest), top, "{highest}");
        check(0, 2);
        check(3, 4);
        check(5, 10);
        check(11, 20);
        check(399, 400);
        check(u64::MAX, u64::MAX);
    }

    #[test]
    fn bars_stand_on_each_other_and_stay_inside() {
        let kinds = [("ok", String::new()), ("wait", String::new()), ("bad", String::new())];
        assert_eq!(
            bars(&kinds, &[50, 0, 25], 100),
            [Bar { kind: "ok", y: 50, height: 50 }, Bar { kind: "bad", y: 25, height: 25 }]
        );
        // One of a million is seen.
        assert_eq!(bars(&kinds, &[1, 0, 0], 1_000_000), [Bar { kind: "ok", y: 99, height: 1 }]);
    }
}
