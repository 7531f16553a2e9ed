//! Long lists, a page at a time.

use relais_store::{Listing, Page};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rows of a page where nobody says how many.
const USUAL_ROWS: u32 = 50;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rows<T> {
    /// In the list's order.
    pub rows: Vec<T>,
    /// Names the next page; none where this is the last.
    pub next: Option<String>,
}

impl<T> Rows<T> {
    pub(crate) fn of<S>(listing: Listing<S>, show: impl FnMut(S) -> T) -> Self {
        Self { rows: listing.rows.into_iter().map(show).collect(), next: listing.next }
    }

    /// The same page, its rows told in another way.
    pub fn map<U>(self, tell: impl FnMut(T) -> U) -> Rows<U> {
        Rows { rows: self.rows.into_iter().map(tell).collect(), next: self.next }
    }
}

/// The page after `after`, of `limit` rows.
pub(crate) fn page(after: Option<&str>, limit: Option<u32>) -> Page {
    Page { after: after.filter(|after| !after.is_empty()).map(str::to_owned), limit: limit.unwrap_or(USUAL_ROWS) }
}
