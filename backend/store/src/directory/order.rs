//! In which order a list comes, and where its next page begins.

use crate::page::Page;
use crate::sql::Selected;

/// A list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order<B> {
    /// What rows are put in order by, in the direction that it says.
    pub by: B,
    /// In the other direction.
    pub is_reversed: bool,
}

impl<B> Order<B> {
    /// By this, in its own direction.
    pub const fn of(by: B) -> Self {
        Self { by, is_reversed: false }
    }

    /// Adds the condition by which the page after [`Page::after`] begins, and says what to order by: `text`, which no two rows share, or
    /// `number` before it. The cursor is the last row's text; or its number, a space and the text.
    pub(crate) fn follow(
        &self,
        listed: &mut Selected,
        page: &Page,
        number: Option<&str>,
        text: &str,
        falls: bool,
    ) -> String {
        let (than, direction) = if falls == self.is_reversed { (">", "") } else { ("<", " DESC") };
        let Some(number) = number else {
            if let Some(after) = &page.after {
                listed.and(&format!("{text} {than} $"), after.as_str());
            }
            return format!("{text}{direction}");
        };
        let after = page.after.as_deref().and_then(|after| after.split_once(' '));
        if let Some((last, name)) = after
            && let Ok(last) = last.parse::<i64>()
        {
            let (last, name) = (listed.add(last), listed.add(name));
            listed.and_as_is(&format!("({number}, {text}) {than} ({last}, {name})"));
        }
        format!("{number}{direction}, {text}{direction}")
    }
}
