//! A sentence for people, before it is known in which language they read.

use std::borrow::Cow;
use std::fmt;

use relais_model::Said;
use serde::{Deserialize, Serialize};

/// A sentence of the catalogue (`templates/words`): which one, and what stands in its gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Text {
    /// Its name in the catalogue.
    #[schema(value_type = String)]
    pub id: Cow<'static, str>,
    /// The gaps' names and what fills them, in any order.
    #[schema(value_type = Vec<Vec<String>>)]
    pub gaps: Vec<(Cow<'static, str>, Gap)>,
}

/// What fills a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Gap {
    /// It is counted: a language may choose its words by it.
    Number(i64),
    /// It is said as it is.
    Words(String),
}

impl Text {
    /// A sentence without gaps, or before they are filled.
    pub const fn new(id: &'static str) -> Self {
        Self { id: Cow::Borrowed(id), gaps: Vec::new() }
    }

    /// As [`Text::new`], where the name is put together.
    pub const fn named(id: String) -> Self {
        Self { id: Cow::Owned(id), gaps: Vec::new() }
    }

    /// Fills the gap `name`.
    #[must_use]
    pub fn with(mut self, name: &'static str, filling: impl Into<Gap>) -> Self {
        self.gaps.push((Cow::Borrowed(name), filling.into()));
        self
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl From<Said> for Text {
    fn from(said: Said) -> Self {
        let gaps = said.gaps.into_iter().map(|(name, gap)| {
            let gap = match gap {
                relais_model::Gap::Number(number) => Gap::Number(number),
                relais_model::Gap::Words(words) => Gap::Words(words),
            };
            (name, gap)
        });
        Self { id: said.id, gaps: gaps.collect() }
    }
}

impl From<&str> for Gap {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Gap {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<u64> for Gap {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Gap {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}
