//! Statements over many rows, in few different texts, so that each is prepared once.

use bytes::Bytes;
use relais_model::UidSet;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, Arguments as _, AssertSqlSafe};

use crate::engine::Engine;

/// Rows a statement may carry.
const SIZES: [usize; 6] = [32, 16, 8, 4, 2, 1];

/// A statement on its way to its values, that brings an answer.
pub(crate) type AnyQuery = Query<'static, Any, AnyArguments>;

/// A statement that writes and brings no answer, with its values.
#[derive(Debug)]
pub(crate) struct Statement {
    text: String,
    values: Vec<Value>,
    /// How many it writes, where it was made for a number of them; else 1.
    pub(crate) rows: usize,
    /// Whether its text will be seen again.
    pub(crate) is_prepared: bool,
}

/// A value of a statement.
#[derive(Debug)]
pub(crate) enum Value {
    Number(Option<i64>),
    Text(Option<String>),
    Octets(Bytes),
}

impl Statement {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new(), rows: 1, is_prepared: true }
    }

    /// The value of the next number.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }
}

macro_rules! values {
    ($($from:ty, $value:ident => $made:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $made
            }
        }
    )*};
}

values! {
    i64, number => Self::Number(Some(number));
    Option<i64>, number => Self::Number(number);
    String, text => Self::Text(Some(text));
    &str, text => Self::Text(Some(text.to_owned()));
    Option<String>, text => Self::Text(text);
    Bytes, octets => Self::Octets(octets);
}

/// A SELECT that is put together from what is wanted, with its values.
#[derive(Debug)]
pub(crate) struct Select {
    text: String,
    values: Vec<Value>,
}

impl Select {
    /// Begins with `text`.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// Goes on with `text`.
    pub(crate) fn say(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Goes on with a value.
    pub(crate) fn value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Goes on with `(term 1 OR term 2 …)`, or with what is never true where there is none. That stands alone: beside a term it would
    /// keep SQLite from the term's index.
    pub(crate) fn any<T>(
        &mut self,
        terms: impl IntoIterator<Item = T>,
        mut say: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.say("(");
        let mut is_empty = true;
        for term in terms {
            if !is_empty {
                self.say(" OR ");
            }
            say(self, term);
            is_empty = false;
        }
        self.say(if is_empty { "1 = 0)" } else { ")" })
    }

    /// As the driver takes it.
    pub(crate) fn query(self, engine: Engine) -> Result<AnyQuery, sqlx::Error> {
        query(engine, &[Statement { text: self.text, values: self.values, rows: 1, is_prepared: true }])
    }
}

/// `words` anywhere in a text, as LIKE takes it, with `\` before what would be a wildcard.
pub(crate) fn containing(words: &str) -> String {
    format!("%{}%", literally(words))
}

/// Each address of `domain`, as LIKE takes it.
pub(crate) fn at_domain(domain: &relais_model::Domain) -> String {
    format!("%@{}", literally(domain.as_str()))
}

/// The beginning of what a stranger said, for a column: up to `octets`, cut at a character.
pub(crate) fn shorten(text: &str, octets: usize) -> &str {
    text.get(..text.floor_char_boundary(octets)).unwrap_or(text)
}

fn literally(words: &str) -> String {
    let mut text = String::with_capacity(words.len() + 2);
    for letter in words.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

/// Statements as the driver takes them, in one text where there are several: only SQLite takes those.
pub(crate) fn query(engine: Engine, statements: &[Statement]) -> Result<AnyQuery, sqlx::Error> {
    let mut values = AnyArguments::default();
    let mut text = String::with_capacity(statements.iter().map(|statement| statement.text.len() + 1).sum());
    for statement in statements {
        match engine {
            Engine::Sqlite => unnumber(statement, &mut text, &mut values)?,
            Engine::Postgres => {
                text.push_str(&statement.text);
                statement.values.iter().try_for_each(|value| add(&mut values, value))?;
            }
        }
        text.push(';');
    }
    let is_prepared = statements.iter().all(|statement| statement.is_prepared);
    Ok(sqlx::query_with(AssertSqlSafe(text), values).persistent(is_prepared))
}

/// Writes `?` for each `$1`, and the values in the order of the text. SQLite looks a numbered one up among all others, which
/// takes longer than the statement where there are hundreds; and several statements in one text count on.
fn unnumber(statement: &Statement, text: &mut String, values: &mut AnyArguments) -> Result<(), sqlx::Error> {
    let mut pieces = statement.text.split('$');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.bytes().position(|octet| !octet.is_ascii_digit()).unwrap_or(piece.len());
        let (number, rest) = piece.split_at(end);
        let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let value = place.and_then(|place| statement.values.get(place));
        add(values, value.ok_or_else(|| sqlx::Error::Protocol(format!("a statement without its value {number}")))?)?;
        text.push('?');
        text.push_str(rest);
    }
    Ok(())
}

fn add(values: &mut AnyArguments, value: &Value) -> Result<(), sqlx::Error> {
    let added = match value {
        Value::Number(number) => values.add(*number),
        Value::Text(text) => values.add(text.as_deref()),
        Value::Octets(octets) => values.add(&**octets),
    };
    added.map_err(sqlx::Error::Encode)
}

/// `head VALUES (…), (…) tail` for all `rows`, in as many statements as it takes.
pub(crate) fn insert<R>(
    head: &str,
    columns: usize,
    tail: &str,
    rows: &[R],
    mut bind: impl FnMut(Statement, &R) -> Statement,
) -> Vec<Statement> {
    let statements = chunks(rows).map(|now| {
        let text = format!("{head} VALUES {} {tail}", placeholders(columns, now.len(), 0));
        let statement = Statement { rows: now.len(), ..Statement::new(text) };
        now.iter().fold(statement, &mut bind)
    });
    statements.collect()
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

/// A SELECT whose conditions depend on what is wanted: each is there or not, so that an index serves those that are.
#[derive(Debug)]
pub(crate) struct Selected {
    text: String,
    values: Vec<Value>,
    conditions: usize,
}

impl Selected {
    /// All up to WHERE.
    pub(crate) fn new(head: impl Into<String>) -> Self {
        Self { text: head.into(), values: Vec::new(), conditions: 0 }
    }

    /// As it is.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Another SELECT up to WHERE, within this one; its conditions follow.
    pub(crate) fn begin(&mut self, head: &str) {
        self.text.push_str(head);
        self.conditions = 0;
    }

    /// A condition; each `$` in it is the value, and is numbered here.
    pub(crate) fn and(&mut self, condition: &str, value: impl Into<Value>) {
        let number = self.add(value);
        self.and_as_is(&condition.replace('$', &number));
    }

    /// A condition without a value of its own.
    pub(crate) fn and_as_is(&mut self, condition: &str) {
        self.text.push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.text.push_str(condition);
        self.conditions += 1;
    }

    /// `column` is one of `values`, of which there is one at least; filled up to few lengths, so that there are few texts.
    pub(crate) fn and_among(&mut self, column: &str, values: impl IntoIterator<Item = i64>) {
        let mut values: Vec<i64> = values.into_iter().collect();
        let last = values.last().copied().unwrap_or_default();
        values.resize(padded(values.len()), last);
        let numbers: Vec<String> = values.into_iter().map(|value| self.add(value)).collect();
        self.and_as_is(&format!("{column} IN ({})", numbers.join(", ")));
    }

    /// A value, and the number that stands for it in the text.
    pub(crate) fn add(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Complete.
    pub(crate) fn ordered(mut self, order: &str, limit: i64) -> Statement {
        let limit = self.add(limit);
        let text = format!("{} ORDER BY {order} LIMIT {limit}", self.text);
        self.values.into_iter().fold(Statement::new(text), Statement::bind)
    }
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
/// So many UIDs are named one by one: both engines look each up, where for several runs together SQLite may go through the whole mailbox and
/// hold each row against all of them.
const NAMED: u64 = 2048;

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
    /// Of these runs: one, or few enough for a statement.
    pub(crate) const fn of(runs: &'a [(u32, u32)]) -> Self {
        Self { runs }
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
        if self.count() <= NAMED {
            let uids: Vec<String> =
                self.runs.iter().flat_map(|(first, last)| *first..=*last).map(|uid| uid.to_string()).collect();
            return format!("uid IN ({})", uids.join(","));
        }
        let (singles, ranges): (Vec<_>, Vec<_>) = self.runs.iter().partition(|(first, last)| first == last);
        let mut terms: Vec<String> =
            ranges.iter().map(|(first, last)| format!("uid BETWEEN {first} AND {last}")).collect();
        if !singles.is_empty() {
            let uids: Vec<String> = singles.iter().map(|(uid, _)| uid.to_string()).collect();
            terms.push(format!("uid IN ({})", uids.join(",")));
        }
        format!("({})", terms.join(" OR "))
    }

    /// Binds its values, after those of the rest.
    pub(crate) fn bind(self, statement: AnyQuery) -> AnyQuery {
        match self.runs {
            [(first, last)] => statement.bind(i64::from(*first)).bind(i64::from(*last)),
            _ => statement.persistent(false),
        }
    }

    /// As [`UidCondition::bind`], for a statement that writes.
    pub(crate) fn complete(self, statement: Statement) -> Statement {
        match self.runs {
            [(first, last)] => statement.bind(i64::from(*first)).bind(i64::from(*last)),
            _ => Statement { is_prepared: false, ..statement },
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
        check(&[(3, 4), (7, 7), (9, 9)], "uid IN (3,4,7,9)");
        check(&[(3, 3), (7, 5000)], "(uid BETWEEN 7 AND 5000 OR uid IN (3))");
        check(&[(3, 4), (7, 5000)], "(uid BETWEEN 3 AND 4 OR uid BETWEEN 7 AND 5000)");
    }

    #[test]
    fn rows_are_cut_to_known_sizes() {
        let sizes: Vec<usize> = chunks(&[0; 150]).map(<[i32]>::len).collect();
        assert_eq!(sizes, [32, 32, 32, 32, 16, 4, 2]);
        assert_eq!(placeholders(2, 2, 0), "($1, $2), ($3, $4)");
    }
}
