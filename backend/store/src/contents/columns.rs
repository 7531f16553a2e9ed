//! What is wanted of many messages, in one row: for each column a text of all their numbers, or their octets end to end.
//!
//! A row through the driver costs more than what stands in it, 1 to 3 µs; so a chunk of messages is one row.

use bytes::Bytes;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{ContentRow, Packed, Wanted};
use crate::content::Place;
use crate::engine::Engine;
use crate::error::StoreError;
use crate::view::load::{narrow, numbers, unsigned};

/// Rows, and the bodies that are still to be unpacked.
pub(super) type Filled = (Vec<ContentRow>, Vec<Packed>);

/// A statement for so many messages of a mailbox; `condition` selects them by `uid`.
pub(super) fn select(wanted: Wanted, engine: Engine, condition: &str) -> String {
    let mut columns = vec![("e.uid", number("uid"))];
    for (is_wanted, column) in wanted.octets() {
        if is_wanted {
            columns.push((column, octets(engine, column)));
        }
    }
    if wanted.preview {
        columns.push(("preview", format!("{}, string_agg(preview, '')", number("octet_length(preview)"))));
    }
    for (is_wanted, column) in wanted.numbers() {
        if is_wanted {
            columns.push((column, number(column)));
        }
    }
    if wanted.raw {
        columns.push(("m.size_octets", number("size_octets")));
        columns.push(("place", number("place")));
        columns.push(("octets", octets(engine, "octets")));
    }
    let (each, all): (Vec<&str>, Vec<String>) = columns.into_iter().unzip();
    let bodies = if wanted.raw { "JOIN message_body b ON b.message_key = e.message_key" } else { "" };
    format!(
        "SELECT {} FROM (SELECT {} FROM entry e JOIN message m ON m.message_key = e.message_key {bodies}
         WHERE e.mailbox_key = $1 AND {condition} ORDER BY e.uid LIMIT $2) AS chunk",
        all.join(", "),
        each.join(", ")
    )
}

/// The numbers of all rows, parted by spaces.
fn number(column: &str) -> String {
    format!("string_agg(CAST({column} AS TEXT), ' ')")
}

/// How many octets each row has, and all of them.
fn octets(engine: Engine, column: &str) -> String {
    format!("{}, {}", number(&format!("octet_length({column})")), engine.joined_octets(column))
}

/// The columns of the one row, from left to right as [`select`] names them.
struct Columns<'a> {
    row: &'a AnyRow,
    next: usize,
}

/// What [`select`] has found.
pub(super) fn take(wanted: Wanted, row: &AnyRow) -> Result<Filled, StoreError> {
    let mut columns = Columns { row, next: 0 };
    let mut rows = Vec::new();
    for uid in columns.numbers()? {
        rows.push(ContentRow { uid: narrow(unsigned(uid?)?)?, ..ContentRow::default() });
    }
    let mut packed = Vec::new();
    if rows.is_empty() {
        return Ok((rows, packed));
    }
    let fields: [fn(&mut ContentRow) -> &mut Bytes; 4] =
        [|row| &mut row.envelope, |row| &mut row.body_structure, |row| &mut row.body, |row| &mut row.head];
    for ((is_wanted, _), field) in wanted.octets().into_iter().zip(fields) {
        if is_wanted {
            columns.octets(&mut rows, |row, octets| *field(row) = octets)?;
        }
    }
    if wanted.preview {
        columns.octets(&mut rows, |row, octets| row.preview = String::from_utf8_lossy(&octets).into_owned())?;
    }
    let [(has_thread, _), (has_head, _)] = wanted.numbers();
    if has_thread {
        for (row, key) in rows.iter_mut().zip(columns.numbers()?) {
            row.thread_id = format!("T{:x}", key?);
        }
    }
    if has_head {
        for (row, octets) in rows.iter_mut().zip(columns.numbers()?) {
            row.header_octets = unsigned(octets?)?;
        }
    }
    if wanted.raw {
        for (at, (size, place)) in columns.numbers()?.zip(columns.numbers()?).enumerate() {
            let (size_octets, place) = (unsigned(size?)?, Place::from_number(place?)?);
            packed.push(Packed { at, place, octets: Bytes::new(), size_octets });
        }
        columns.octets(&mut packed, |body, octets| body.octets = octets)?;
    }
    // Neither engine promises the order of an aggregate's input, though both keep it.
    if !rows.is_sorted_by_key(|row| row.uid) {
        return Err(StoreError::damaged("messages that came out of order"));
    }
    Ok((rows, packed))
}

impl<'a> Columns<'a> {
    fn column(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// NULL, where there is no row at all, has none.
    fn numbers(&mut self) -> Result<impl Iterator<Item = Result<i64, StoreError>> + use<'a>, StoreError> {
        let column = self.column();
        let text = self.row.try_get::<Option<&'a str>, _>(column)?.unwrap_or_default();
        Ok(numbers(text).map(|number| number.ok_or_else(|| StoreError::damaged("a number that is none"))))
    }

    fn octets<R>(&mut self, rows: &mut [R], mut set: impl FnMut(&mut R, Bytes)) -> Result<(), StoreError> {
        let mut lengths = self.numbers()?;
        let column = self.column();
        let mut all = match self.row.try_get::<&[u8], _>(column) {
            Ok(octets) => Bytes::copy_from_slice(octets),
            // Texts come as texts.
            Err(_) => Bytes::copy_from_slice(self.row.try_get::<&str, _>(column)?.as_bytes()),
        };
        for row in rows {
            let length = lengths.next().transpose()?.and_then(|length| usize::try_from(length).ok());
            let length = length.filter(|length| *length <= all.len());
            set(row, all.split_to(length.ok_or_else(|| StoreError::damaged("a column that is too short"))?));
        }
        Ok(())
    }
}

impl Wanted {
    /// In the order of the statement.
    fn octets(self) -> [(bool, &'static str); 4] {
        [
            (self.envelope, "envelope"),
            (self.body_structure, "body_structure"),
            (self.body, "body"),
            (self.head || self.raw, "head"),
        ]
    }

    fn numbers(self) -> [(bool, &'static str); 2] {
        [(self.thread_id, "thread_key"), (self.head || self.raw, "header_octets")]
    }
}
