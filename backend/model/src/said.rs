//! What a person is told, before it is known in which language they read it.

use std::borrow::Cow;
use std::fmt::Display;

/// Characters of a stranger's words that are shown.
const MOST_SHOWN: usize = 200;

/// A sentence of the catalogue: its name there, and what fills its gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its name.
    pub id: Cow<'static, str>,
    /// The gaps' names and fillings.
    pub gaps: Vec<(Cow<'static, str>, Gap)>,
}

/// What fills a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// It is counted: a language may choose its words by it.
    Number(i64),
    /// It is said as it is. It may be a stranger's words: escape it.
    Words(String),
}

impl Said {
    /// A sentence whose gaps are not filled yet.
    pub const fn new(id: &'static str) -> Self {
        Self { id: Cow::Borrowed(id), gaps: Vec::new() }
    }

    /// Fills a gap with what is counted.
    #[must_use]
    pub fn number(mut self, name: &'static str, number: impl TryInto<i64>) -> Self {
        self.gaps.push((Cow::Borrowed(name), Gap::Number(number.try_into().unwrap_or(i64::MAX))));
        self
    }

    /// Fills a gap with words, shortened: strangers write what they like.
    #[must_use]
    pub fn words(mut self, name: &'static str, words: impl Display) -> Self {
        self.gaps.push((Cow::Borrowed(name), Gap::Words(short(&words.to_string()))));
        self
    }
}

/// Control characters are left out, and the rest ends somewhere.
fn short(words: &str) -> String {
    let mut letters = words.chars().filter(|letter| !letter.is_control());
    let mut shown: String = letters.by_ref().take(MOST_SHOWN).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// One thing that was found of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which check found it: `spf`, `dkim`, `virus` and the like; one word for programs.
    pub part: Cow<'static, str>,
    /// What it adds to the message's score: above zero speaks against it; zero where it only says.
    pub points: f32,
    /// The message's fate hangs on it.
    pub decides: bool,
    /// What was found.
    pub said: Said,
}

impl Finding {
    /// One that only says something.
    pub const fn new(part: &'static str, said: Said) -> Self {
        Self { part: Cow::Borrowed(part), points: 0.0, decides: false, said }
    }

    /// Counts for so much.
    #[must_use]
    pub fn worth(self, points: f32) -> Self {
        Self { points, ..self }
    }

    /// Decides the message's fate.
    #[must_use]
    pub fn deciding(self) -> Self {
        Self { decides: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_words_end_and_hold_no_controls() {
        let shown = |words: String| match Said::new("x").words("name", words).gaps.pop() {
            Some((_, Gap::Words(shown))) => shown,
            gap => panic!("{gap:?}"),
        };
        let found = shown(format!("a\u{1b}[31m{}", "x".repeat(300)));
        assert!(found.starts_with("a[31mxx") && found.ends_with('…') && found.chars().count() == 201);
        assert_eq!(shown("x".repeat(200)), "x".repeat(200));
    }
}
