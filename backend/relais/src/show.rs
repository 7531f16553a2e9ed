//! Answers for people, in columns, or for programs, as the API's JSON.

use std::io::Write as _;

use anyhow::Result;
use serde_json::Value;

/// A column's head, and what of a row stands in it.
pub(crate) type Column = (&'static str, Cell);

/// What stands in a cell.
#[derive(Clone, Copy)]
pub(crate) enum Cell {
    /// The member of this name.
    Member(&'static str),
    /// A member that counts octets.
    Size(&'static str),
    /// A word where the member is true.
    If(&'static str, &'static str),
}

impl Cell {
    fn of(self, row: &Value) -> String {
        match self {
            Self::Member(name) => member(row, name),
            Self::Size(name) => octets(row, name),
            Self::If(name, word) => if row[name] == true { word } else { "" }.to_owned(),
        }
    }
}

/// Writes to standard output; a reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// An answer as it came.
pub(crate) fn json(value: &Value) -> Result<()> {
    print(&format!("{value:#}\n"))
}

/// A list, `rows` and `next`, as it came or in columns.
pub(crate) fn list(list: &Value, is_json: bool, columns: &[Column]) -> Result<()> {
    if is_json {
        return json(list);
    }
    let rows = list["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let more = match &list["next"] {
        Value::String(next) => format!("More: --after '{next}'\n"),
        _ => String::new(),
    };
    if rows.is_empty() {
        return print(&format!("Nothing here.\n{more}"));
    }
    print(&(table(rows, columns) + &more))
}

/// Rows below their heads.
pub(crate) fn table(rows: &[Value], columns: &[Column]) -> String {
    let heads = columns.iter().map(|(head, _)| (*head).to_owned()).collect();
    let lines = rows.iter().map(|row| columns.iter().map(|(_, cell)| cell.of(row)).collect());
    self::columns(&[heads].into_iter().chain(lines).collect::<Vec<_>>())
}

/// A member in words; a dash where it is null, empty or not there.
pub(crate) fn member(row: &Value, name: &str) -> String {
    let said = match &row[name] {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    if said.is_empty() { "–".to_owned() } else { said }
}

/// What is in a member that is a list.
pub(crate) fn items<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A member that counts octets; a dash where it is null.
pub(crate) fn octets(row: &Value, name: &str) -> String {
    row[name].as_u64().map_or_else(|| "–".to_owned(), size)
}

/// Cells of a column are as wide as its widest, the last column as it comes.
pub(crate) fn columns(lines: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        for (at, cell) in line.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(at) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    let row = |line: &Vec<String>| {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(row).collect()
}

/// `1.5 MB`: decimal, as disks are sold.
#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn size(octets: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut scaled = octets as f64;
    let mut unit = 0;
    while scaled >= 999.5 && unit + 1 < units.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let name = units.get(unit).unwrap_or(&"B");
    if unit == 0 { format!("{octets} {name}") } else { format!("{scaled:.1} {name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_are_human() {
        for (octets, shown) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (u64::MAX, "18446744.1 TB")]
        {
            assert_eq!(size(octets), shown);
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [json!({"a": "long", "b": ["x", "y"], "c": 1500, "d": true}), json!({"a": null})];
        let columns = [
            ("A", Cell::Member("a")),
            ("B", Cell::Member("b")),
            ("C", Cell::Size("c")),
            ("", Cell::If("d", "suspended")),
        ];
        assert_eq!(table(&rows, &columns), "A     B    C\nlong  x,y  1.5 kB  suspended\n–     –    –\n");
    }
}
