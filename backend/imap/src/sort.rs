//! SORT's order (RFC 5256 §3, BASE.6.4.SORT; RFC 5957 for the display keys).

use std::cmp::Ordering;

use relais_model::{SeqNum, Timestamp};

/// What messages are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortField {
    /// INTERNALDATE, date and time.
    Arrival,
    /// The first Cc address' local part.
    Cc,
    /// The sent date (RFC 5256 §2.2).
    Date,
    /// From's display name, or its address (RFC 5957 §3).
    DisplayFrom,
    /// The same of To.
    DisplayTo,
    /// The first From address' local part.
    From,
    /// How well a FUZZY search was met, the best first (RFC 6203 §6).
    Relevancy,
    /// Octets.
    Size,
    /// The base subject (RFC 5256 §2.1).
    Subject,
    /// The first To address' local part.
    To,
}

/// One criterion of SORT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    /// What is compared.
    pub field: SortField,
    /// REVERSE stood before it.
    pub is_reversed: bool,
}

/// What is known of a message to be sorted. Only the fields that the keys name need be filled; texts are in the form of
/// `relais_message::fold`, so that comparing octets compares as i;unicode-casemap does (RFC 5256 §2.1 asks for a collation).
#[derive(Debug, Clone)]
pub struct SortRow<'a> {
    /// Its position: the last criterion, whatever the keys.
    pub seq_num: SeqNum,
    /// INTERNALDATE.
    pub internal_date: Timestamp,
    /// From the Date field; none where it is missing or cannot be read.
    pub header_date: Option<Timestamp>,
    /// Octets of the message.
    pub size_octets: u64,
    /// The base subject.
    pub base_subject: &'a str,
    /// The first From address' local part; empty where there is none.
    pub from: &'a str,
    /// The same of To.
    pub to: &'a str,
    /// The same of Cc.
    pub cc: &'a str,
    /// From's display form.
    pub display_from: &'a str,
    /// The same of To.
    pub display_to: &'a str,
    /// 1 to 100 (RFC 6203 §4).
    pub relevancy: u8,
}

impl SortRow<'_> {
    fn compare(&self, other: &Self, key: SortKey) -> Ordering {
        let order = match key.field {
            SortField::Arrival => self.internal_date.cmp(&other.internal_date),
            SortField::Cc => self.cc.cmp(other.cc),
            SortField::Date => self.sent_date().cmp(&other.sent_date()),
            SortField::DisplayFrom => self.display_from.cmp(other.display_from),
            SortField::DisplayTo => self.display_to.cmp(other.display_to),
            SortField::From => self.from.cmp(other.from),
            SortField::Relevancy => other.relevancy.cmp(&self.relevancy),
            SortField::Size => self.size_octets.cmp(&other.size_octets),
            SortField::Subject => self.base_subject.cmp(other.base_subject),
            SortField::To => self.to.cmp(other.to),
        };
        if key.is_reversed { order.reverse() } else { order }
    }

    /// RFC 5256 §2.2: where Date says nothing, INTERNALDATE stands for it.
    fn sent_date(&self) -> Timestamp {
        self.header_date.unwrap_or(self.internal_date)
    }
}

/// Sorts by the first key, among equals by the next one, at last by position, which no REVERSE turns around.
pub fn sort(rows: &mut [SortRow<'_>], keys: &[SortKey]) {
    rows.sort_unstable_by(|one, other| {
        let by_keys = keys.iter().map(|key| one.compare(other, *key)).find(|order| order.is_ne());
        by_keys.unwrap_or_else(|| one.seq_num.cmp(&other.seq_num))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use SortField::{Arrival, Cc, Date, DisplayFrom, DisplayTo, From, Size, Subject, To};

    fn row(number: usize) -> SortRow<'static> {
        SortRow {
            seq_num: SeqNum::new(u32::try_from(number + 1).unwrap()).unwrap(),
            internal_date: Timestamp::default(),
            header_date: None,
            size_octets: 0,
            base_subject: "",
            from: "",
            to: "",
            cc: "",
            display_from: "",
            display_to: "",
            relevancy: 100,
        }
    }

    #[track_caller]
    fn check(rows: &[SortRow<'_>], keys: &[(bool, SortField)], expected: &[u32]) {
        let mut rows = rows.to_vec();
        let keys: Vec<_> =
            keys.iter().map(|(is_reversed, field)| SortKey { field: *field, is_reversed: *is_reversed }).collect();
        sort(&mut rows, &keys);
        assert_eq!(rows.iter().map(|row| row.seq_num.value()).collect::<Vec<_>>(), expected, "{keys:?}");
    }

    fn rows<T: Copy>(values: &[T], set: impl Fn(&mut SortRow<'static>, T)) -> Vec<SortRow<'static>> {
        let fill = |(at, value): (usize, &T)| {
            let mut row = row(at);
            set(&mut row, *value);
            row
        };
        values.iter().enumerate().map(fill).collect()
    }

    /// The facts of imaptest's sort-* scripts.
    #[test]
    fn imaptest_addresses() {
        let rows = rows(&["USER2", "USER2", "USER1"], |row, text| {
            (row.from, row.to, row.cc) = (text, text, text);
            row.internal_date = Timestamp::from_seconds(i64::from(row.seq_num.value()));
        });
        for field in [From, To, Cc] {
            check(&rows, &[(false, field)], &[3, 1, 2]);
            check(&rows, &[(true, field)], &[1, 2, 3]);
            check(&rows, &[(false, field), (true, Arrival)], &[3, 2, 1]);
        }
    }

    #[test]
    fn imaptest_arrival() {
        let rows = rows(&[(0, 1), (2, 1), (1, 2), (2, 2), (2, 4)], |row, (hour, size)| {
            row.internal_date = Timestamp::from_seconds(hour * 3600);
            row.size_octets = size;
        });
        check(&rows, &[(false, Arrival)], &[1, 3, 2, 4, 5]);
        check(&rows, &[(true, Arrival)], &[2, 4, 5, 3, 1]);
        check(&rows, &[(false, Arrival), (true, Size)], &[1, 3, 5, 4, 2]);
    }

    #[test]
    fn imaptest_date() {
        let messages = [
            (1380, Some(0), 1),
            (1320, Some(120), 1),
            (1260, Some(60), 2),
            (1200, Some(120), 2),
            (90, None, 5),
            (1080, Some(120), 4),
            (60, None, 9),
        ];
        let rows = rows(&messages, |row, (arrived, sent, size)| {
            row.internal_date = Timestamp::from_seconds(arrived * 60);
            row.header_date = sent.map(|sent: i64| Timestamp::from_seconds(sent * 60));
            row.size_octets = size;
        });
        check(&rows, &[(false, Date)], &[1, 3, 7, 5, 2, 4, 6]);
        check(&rows, &[(true, Date)], &[2, 4, 6, 5, 3, 7, 1]);
        check(&rows, &[(false, Date), (true, Size)], &[1, 7, 3, 5, 6, 4, 2]);
    }

    #[test]
    fn imaptest_display() {
        let from = rows(&["FOO BAR", "B@C.D", "D", "FOO AAR", "FOO CAR"], |row, text| row.display_from = text);
        check(&from, &[(false, DisplayFrom)], &[2, 3, 4, 1, 5]);
        check(&from, &[(true, DisplayFrom)], &[5, 1, 4, 3, 2]);
        let to = ["FOO BAR", "B@C.D", "D", "FOO AAR", "FOO CAR", "A", "Z", "EMPTY"];
        let to = rows(&to, |row, text| row.display_to = text);
        check(&to, &[(false, DisplayTo)], &[6, 2, 3, 8, 4, 1, 5, 7]);
        check(&to, &[(true, DisplayTo)], &[7, 5, 1, 4, 8, 3, 2, 6]);
    }

    #[test]
    fn imaptest_subject() {
        let subjects =
            ["A", "C", "B", "_", "B", "B (A)", "C", "[XYZ]", "", "", "B", "C", "C", "AD: RE: AD: RE: AD: X", "BABYLON"];
        let rows = rows(&subjects, |row, text| {
            row.base_subject = text;
            row.size_octets = row.seq_num.value().into();
        });
        check(&rows, &[(false, Subject)], &[9, 10, 1, 14, 3, 5, 11, 6, 15, 2, 7, 12, 13, 8, 4]);
        check(&rows, &[(true, Subject)], &[4, 8, 2, 7, 12, 13, 15, 6, 3, 5, 11, 14, 1, 9, 10]);
        check(&rows, &[(false, Subject), (true, Size)], &[10, 9, 1, 14, 11, 5, 3, 6, 15, 13, 12, 7, 2, 8, 4]);
    }
}
