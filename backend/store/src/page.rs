//! Long lists, a page at a time.

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
