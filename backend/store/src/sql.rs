//! Statements over many rows, in few different texts, so that each is prepared once.

use relais_model::UidSet;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

/// A statement on its way to its values.
pub(crate) type Statement = Query<'static, Any, sqlx::any::AnyArguments>;

/// Rows a statement may carry.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// Runs `head VALUES (…), (…) tail` for all `rows`, in as many statements as it takes.
pub(crate) async fn insert<R>(
    tx: &mut AnyConnection,
    head: &str,
    columns: usize,
    tail: &str,
    rows: &[R],
    bind: impl Fn(Statement, &R) -> Statement,
) -> Result<(), sqlx::Error> {
    let mut left = rows;
    while let Some(size) = SIZES.into_iter().find(|size| *size <= left.len()) {
        let (now, later) = left.split_at(size);
        let text = format!("{head} VALUES {} {tail}", placeholders(columns, size, 0));
        let statement = now.iter().fold(sqlx::query(AssertSqlSafe(text)), &bind);
        statement.execute(&mut *tx).await?;
        left = later;
    }
    Ok(())
}

/// `($1, $2), ($3, $4)`: `rows` of `columns`, numbered from after `before`.
pub(crate) fn placeholders(columns: usize, rows: usize, before: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(rows * (columns * 6 + 4));
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            // Writing to a String never fails.
            let _written = write!(text, "{comma}${}", before + row * columns + column + 1);
        }
        text.push(')');
    }
    text
}

/// How many values a list of `wanted` is filled up to (with its last one again), so that there are few texts.
pub(crate) fn padded(wanted: usize) -> usize {
    wanted.max(1).next_power_of_two()
}

/// Slices of the sizes that have a prepared statement.
pub(crate) fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut left = rows;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= left.len())?;
        let (now, later) = left.split_at(size);
        left = later;
        Some(now)
    })
}

/// Runs in one condition: enough to be quick, few enough to be parsed fast.
const TERMS: usize = 250;

/// Which UIDs a statement is about: one run, whose statement is prepared once, or several that stand in its text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UidCondition<'a> {
    runs: &'a [(u32, u32)],
}

/// Conditions that together select the UIDs of `set`, ascending.
pub(crate) fn uid_conditions(set: &UidSet) -> impl Iterator<Item = UidCondition<'_>> {
    set.runs().chunks(TERMS).map(|runs| UidCondition { runs })
}

impl<'a> UidCondition<'a> {
    /// The first of the runs, as many as one statement takes.
    pub(crate) fn of(runs: &'a [(u32, u32)]) -> Self {
        Self { runs: runs.get(..TERMS).unwrap_or(runs) }
    }

    /// The last UID that it selects.
    pub(crate) fn last(self) -> u32 {
        self.runs.last().map_or(0, |(_, last)| *last)
    }

    /// How many UIDs it selects.
    pub(crate) fn count(self) -> u64 {
        self.runs.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Its text; values of its own are numbered from `next`.
    pub(crate) fn text(self, next: usize) -> String {
        if self.runs.len() == 1 {
            return format!("uid BETWEEN ${next} AND ${}", next + 1);
        }
        let mut singles = Vec::new();
        let mut terms = Vec::new();
        for (first, last) in self.runs {
            if first == last {
                singles.push(first.to_string());
            } else {
                terms.push(format!("uid BETWEEN {first} AND {last}"));
            }
        }
        if !singles.is_empty() {
            terms.push(format!("uid IN ({})", singles.join(",")));
        }
        format!("({})", terms.join(" OR "))
    }

    /// Binds its values, after those of the rest.
    pub(crate) fn bind(self, statement: Statement) -> Statement {
        match self.runs {
            [(first, last)] => statement.bind(i64::from(*first)).bind(i64::from(*last)),
            _ => statement.persistent(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_become_conditions() {
        let check = |runs: &[(u32, u32)], expected: &str| {
            assert_eq!(UidCondition::of(runs).text(4), expected);
        };
        check(&[(3, 9)], "uid BETWEEN $4 AND $5");
        check(&[(3, 3)], "uid BETWEEN $4 AND $5");
        check(&[(3, 4), (7, 7), (9, 9)], "(uid BETWEEN 3 AND 4 OR uid IN (7,9))");
    }

    #[test]
    fn rows_are_cut_to_known_sizes() {
        let sizes: Vec<usize> = chunks(&[0; 150]).map(<[i32]>::len).collect();
        assert_eq!(sizes, [64, 64, 16, 4, 1, 1]);
        assert_eq!(placeholders(2, 2, 0), "($1, $2), ($3, $4)");
    }
}
