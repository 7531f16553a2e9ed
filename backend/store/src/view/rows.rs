//! The rows of a view.

use relais_model::{Timestamp, Uid, UidSet};

use crate::key::MessageKey;

/// One message in one mailbox: 40 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub(crate) message: i64,
    /// Bits 0 to 4: system flags ([`relais_model::SystemFlag::bit`]); above: keywords ([`super::View::bit_of`]).
    pub flags: u64,
    /// When it last changed.
    pub mod_seq: u64,
    /// Never 0.
    pub uid: u32,
    /// RFC822.SIZE.
    pub size_octets: u32,
    pub(crate) internal_date: u32,
    pub(crate) saved_at: u32,
}

impl Row {
    /// Its number.
    pub fn uid(&self) -> Option<Uid> {
        Uid::new(self.uid)
    }

    /// Its content.
    pub fn message(&self) -> MessageKey {
        MessageKey::new(self.message)
    }

    /// INTERNALDATE, in seconds; from 1970 to 2106.
    pub fn internal_date(&self) -> Timestamp {
        Timestamp::from_seconds(self.internal_date.into())
    }

    /// SAVEDATE (RFC 8514).
    pub fn saved_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.saved_at.into())
    }
}

/// A mailbox's rows, ascending by UID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    rows: Vec<Row>,
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Row;
    type IntoIter = std::slice::Iter<'a, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Rows {
    pub(crate) fn new(rows: Vec<Row>) -> Self {
        Self { rows }
    }

    /// All.
    pub fn as_slice(&self) -> &[Row] {
        &self.rows
    }

    /// All, ascending.
    pub fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.rows.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The one with this UID.
    pub fn get(&self, uid: Uid) -> Option<&Row> {
        self.position(uid.value()).ok().and_then(|at| self.rows.get(at))
    }

    /// Those from `first` to `last`, both inside.
    pub fn range(&self, first: u32, last: u32) -> &[Row] {
        let from = self.rows.partition_point(|row| row.uid < first);
        let to = self.rows.partition_point(|row| row.uid <= last);
        self.rows.get(from..to).unwrap_or_default()
    }

    /// Those of `uids` that are there, ascending.
    pub fn select<'a>(&'a self, uids: &'a UidSet) -> impl Iterator<Item = &'a Row> {
        uids.runs().iter().flat_map(|(first, last)| self.range(*first, *last))
    }

    fn position(&self, uid: u32) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&uid, |row| row.uid)
    }

    pub(crate) fn arrive(&mut self, arrived: &[Row]) {
        for row in arrived {
            match self.position(row.uid) {
                Err(at) => self.rows.insert(at, *row),
                Ok(at) => {
                    if let Some(known) = self.rows.get_mut(at).filter(|known| known.mod_seq < row.mod_seq) {
                        *known = *row;
                    }
                }
            }
        }
    }

    pub(crate) fn flag(&mut self, changed: &[(u32, u64)], mod_seq: u64) {
        let from = changed.first().map_or(0, |(uid, _)| self.rows.partition_point(|row| row.uid < *uid));
        let mut rows = self.rows.iter_mut().skip(from).peekable();
        for (uid, flags) in changed {
            while rows.next_if(|row| row.uid < *uid).is_some() {}
            if let Some(row) = rows.next_if(|row| row.uid == *uid && row.mod_seq < mod_seq) {
                (row.flags, row.mod_seq) = (*flags, mod_seq);
            }
        }
    }

    pub(crate) fn vanish(&mut self, uids: &UidSet) {
        let Some((first, _)) = uids.runs().first() else { return };
        let from = self.rows.partition_point(|row| row.uid < *first);
        let mut runs = uids.runs().iter().peekable();
        let mut kept = from;
        for at in from..self.rows.len() {
            let Some(row) = self.rows.get(at).copied() else { break };
            while runs.next_if(|run| run.1 < row.uid).is_some() {}
            let is_gone = runs.peek().is_some_and(|run| run.0 <= row.uid);
            if !is_gone {
                if let Some(place) = self.rows.get_mut(kept) {
                    *place = row;
                }
                kept += 1;
            }
        }
        self.rows.truncate(kept);
        if self.rows.capacity() > 2 * self.rows.len() + 64 {
            self.rows.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(uid: u32) -> Row {
        Row { message: 0, flags: 0, mod_seq: 1, uid, size_octets: 1, internal_date: 0, saved_at: 0 }
    }

    fn uids(rows: &Rows) -> String {
        rows.iter().filter_map(Row::uid).collect::<UidSet>().to_string()
    }

    #[test]
    fn a_row_is_small() {
        assert_eq!(size_of::<Row>(), 40);
    }

    #[test]
    fn rows_come_change_and_go() {
        let mut rows = Rows::new((1..=10).map(row).collect());
        rows.arrive(&[row(11), row(12)]);
        rows.arrive(&[row(11)]);
        rows.flag(&[(2, 1), (9, 4), (99, 1)], 7);
        assert_eq!(rows.get(Uid::new(9).unwrap()).map(|row| (row.flags, row.mod_seq)), Some((4, 7)));
        rows.flag(&[(9, 0)], 6);
        assert_eq!(rows.get(Uid::new(9).unwrap()).map(|row| row.flags), Some(4), "an older change is passed over");
        let mut gone = UidSet::new();
        gone.insert_run(1, 3);
        gone.insert_run(12, 40);
        rows.vanish(&gone);
        assert_eq!(uids(&rows), "4:11");
        assert_eq!(rows.range(5, 6).len(), 2);
    }
}
