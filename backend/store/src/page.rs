//! Long lists, a page at a time.

use relais_model::Timestamp;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// [`Listing::next`] of the page before; none for the first.
    pub after: Option<String>,
    /// Rows wanted; taken as 1 to [`Page::MAX_ROWS`].
    pub limit: u32,
}

impl Page {
    /// Rows a page, at most.
    pub const MAX_ROWS: u32 = 500;

    /// The first page, as long as it may be.
    pub const fn first() -> Self {
        Self { after: None, limit: Self::MAX_ROWS }
    }

    /// Rows to ask the database for: one more than wanted, which tells whether another page follows.
    pub(crate) fn rows_to_ask(&self) -> i64 {
        i64::from(self.limit.clamp(1, Self::MAX_ROWS)) + 1
    }

    /// The key that the page's rows stand before, in a list of the latest first that [`Page::cut_by_key`] cuts.
    pub(crate) fn before_key(&self) -> i64 {
        self.key().unwrap_or(i64::MAX)
    }

    /// The key that the page's rows stand after, in a list of the oldest first that [`Page::cut_by_key`] cuts.
    pub(crate) fn after_key(&self) -> i64 {
        self.key().unwrap_or(0)
    }

    fn key(&self) -> Option<i64> {
        i64::from_str_radix(self.after.as_deref()?, 16).ok()
    }

    /// As [`Page::cut`], in a list in the order of its rows' keys.
    pub(crate) fn cut_by_key<T>(&self, rows: Vec<T>, key: impl Fn(&T) -> i64) -> Listing<T> {
        self.cut(rows, |row| format!("{:x}", key(row)))
    }

    /// The time, in milliseconds since 1970, and the key that the page's rows stand behind, in a list that [`Page::cut_by_time`] cuts.
    pub(crate) fn time_and_key(&self) -> Option<(i64, i64)> {
        let (at, key) = self.after.as_deref()?.split_once('.')?;
        Some((i64::from_str_radix(at, 16).ok()?, i64::from_str_radix(key, 16).ok()?))
    }

    /// As [`Page::cut`], in a list in the order of its rows' times, and of their keys where those are the same.
    pub(crate) fn cut_by_time<T>(&self, rows: Vec<T>, place: impl Fn(&T) -> (Timestamp, i64)) -> Listing<T> {
        self.cut(rows, |row| {
            let (at, key) = place(row);
            format!("{:x}.{key:x}", at.millis())
        })
    }

    /// Cuts what the database gave for [`Page::rows_to_ask`] to a page; `cursor` names a row.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>, cursor: impl Fn(&T) -> String) -> Listing<T> {
        let wanted = usize::try_from(self.limit.clamp(1, Self::MAX_ROWS)).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = if more { rows.last().map(cursor) } else { None };
        Listing { rows, next }
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first()
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// In the list's order.
    pub rows: Vec<T>,
    /// [`Page::after`] of the next page; none where this is the last.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_the_order_of_times_goes_on_behind_its_last_row() {
        let page = Page { after: None, limit: 2 };
        assert_eq!(page.time_and_key(), None);
        let rows = vec![(30, 2), (20, 9), (20, 8)];
        let listing = page.cut_by_time(rows, |(at, key)| (Timestamp::from_millis(*at), *key));
        assert_eq!((listing.rows.as_slice(), listing.next.as_deref()), (&[(30, 2), (20, 9)][..], Some("14.9")));
        let behind = |after: &str| Page { after: Some(after.to_owned()), limit: 2 }.time_and_key();
        assert_eq!(behind("14.9"), Some((20, 9)));
        for after in ["", "14", "14.", ".9", "x.9"] {
            assert_eq!(behind(after), None, "{after}");
        }
    }
}
