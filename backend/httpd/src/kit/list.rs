//! Lists: what is searched, in which order, from where on; and the links that ask for it.

use relais_service::{Paging, Rows};
use serde::{Deserialize, Serialize};

use super::Frame;

/// Rows of a page of a list.
const ROWS: u32 = 50;

/// The query of a list's page. Filters of one list alone stand beside it (`#[serde(flatten)]`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListQuery {
    /// Words that are searched.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) q: String,
    /// The column that orders, with `-` before it the other way round; empty: the list's own order.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) sort: String,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) after: String,
}

impl ListQuery {
    /// For the service.
    pub(crate) fn paging(&self) -> Paging {
        Paging { after: Some(self.after.clone()).filter(|after| !after.is_empty()), limit: ROWS }
    }

    /// The search as the service takes it: none where nothing was typed.
    pub(crate) fn words(&self) -> Option<String> {
        Some(self.q.trim().to_owned()).filter(|words| !words.is_empty())
    }
}

/// What stands below a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pager {
    /// What is seen.
    pub(crate) shown: String,
    /// The way to the first page; empty on it.
    pub(crate) first: String,
    /// The way to the next page; empty on the last.
    pub(crate) next: String,
}

impl Pager {
    /// Below what was `found` of the list at `path` by `asked`, and by nothing else.
    pub(crate) fn below<T>(frame: &Frame, path: &str, found: &Rows<T>, asked: &ListQuery) -> Self {
        let next = |after| ListQuery { after, ..asked.clone() };
        Self::of(frame, path, found.rows.len(), found.next.as_deref(), asked.after.is_empty(), next)
    }

    /// Below `rows` rows of the list at `path`, whose page was asked for by `query`. `with` gives a query with another `after`.
    pub(crate) fn of<Q: Serialize>(
        frame: &Frame,
        path: &str,
        rows: usize,
        next: Option<&str>,
        is_first: bool,
        with: impl Fn(String) -> Q,
    ) -> Self {
        let way = |after: String| format!("{path}?{}", query(&with(after)));
        Self {
            shown: if rows == 0 { String::new() } else { frame.count("list-shown", u64::try_from(rows).unwrap_or(0)) },
            first: if is_first { String::new() } else { way(String::new()) },
            next: next.map(|next| way(next.to_owned())).unwrap_or_default(),
        }
    }
}

/// A column's head: the way to the list in its order, and the order that is.
#[derive(Debug, Clone, Default)]
pub(crate) struct SortHead {
    pub(crate) href: String,
    /// `ascending`, `descending`, or empty.
    pub(crate) direction: &'static str,
}

impl SortHead {
    /// As [`SortHead::of`], for a column that is read from the most first.
    pub(crate) fn falling<Q: Serialize>(path: &str, column: &str, sort: &str, with: impl Fn(String) -> Q) -> Self {
        let mut head = Self::of(path, column, sort, &with);
        if head.direction.is_empty() {
            head.href = format!("{path}?{}", query(&with(format!("-{column}"))));
        }
        head
    }

    /// For `column` of the list at `path`; `with` gives the query with another `sort`, on its first page.
    pub(crate) fn of<Q: Serialize>(path: &str, column: &str, sort: &str, with: impl Fn(String) -> Q) -> Self {
        let (direction, other) = match sort.strip_prefix('-') {
            None if sort == column => ("ascending", format!("-{column}")),
            Some(reversed) if reversed == column => ("descending", column.to_owned()),
            _ => ("", column.to_owned()),
        };
        Self { href: format!("{path}?{}", query(&with(other))), direction }
    }
}

/// What `sort` asks for: the column, and whether from the most.
pub(crate) fn order(sort: &str) -> (&str, bool) {
    sort.strip_prefix('-').map_or((sort, false), |column| (column, true))
}

/// What was typed; none where nothing was.
pub(crate) fn typed(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// As it stands behind the question mark.
pub(crate) fn query(fields: &impl Serialize) -> String {
    serde_html_form::to_string(fields).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_turns_its_order_round() {
        let head = |sort: &str| {
            SortHead::of("/panel/people", "name", sort, |sort| ListQuery {
                sort,
                q: "a b".to_owned(),
                ..ListQuery::default()
            })
        };
        assert_eq!(head("").href, "/panel/people?q=a+b&sort=name");
        assert_eq!(head("").direction, "");
        assert_eq!(head("name").href, "/panel/people?q=a+b&sort=-name");
        assert_eq!(head("name").direction, "ascending");
        assert_eq!(head("-name").href, "/panel/people?q=a+b&sort=name");
        assert_eq!(head("-name").direction, "descending");
    }
}
