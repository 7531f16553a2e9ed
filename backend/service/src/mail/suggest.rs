//! What completes a search while it is typed: operators, people, mailboxes. What one looked for before the browser remembers, and nobody else.

use super::find::words;
use super::{Folder, Mail};
use crate::{Actor, Failure};

/// Suggestions at once.
const MAX_SUGGESTIONS: usize = 12;
/// Letters of a search that are looked at.
const MAX_TYPED: usize = 500;
/// Operators, and values where there are only some.
const OPERATORS: [&str; 18] = [
    "from:",
    "to:",
    "cc:",
    "subject:",
    "body:",
    "in:",
    "in:all",
    "is:unread",
    "is:read",
    "is:starred",
    "is:answered",
    "has:attachment",
    "filename:",
    "before:",
    "after:",
    "larger:",
    "smaller:",
    "label:",
];

/// A search as it would stand then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// All of the text.
    pub text: String,
    /// What it adds, without what was typed before.
    pub adds: String,
}

impl Mail {
    /// What the last word of a search may become.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn suggestions(&self, me: &Actor, typed: &str) -> Result<Vec<Suggestion>, Failure> {
        let typed: String = typed.chars().take(MAX_TYPED).collect();
        let (before, last) = last_word(&typed);
        let mut added = Vec::new();
        let (name, value) = last.split_once(':').unwrap_or(("", last));
        match name.to_ascii_lowercase().as_str() {
            "from" | "to" | "cc" if !value.is_empty() => {
                added.extend(self.people(me, value).await?.into_iter().map(|who| format!("{name}:{who}")));
            }
            "in" => added.extend(named(&self.folders(me).await?, value)),
            "" if !value.is_empty() => {
                added.extend(operators(last));
                added.extend(self.people(me, value).await?.into_iter().map(|who| format!("from:{who}")));
                added.extend(named(&self.folders(me).await?, value));
            }
            _ => added.extend(operators(last)),
        }
        added.retain(|added| added != last);
        added.truncate(MAX_SUGGESTIONS);
        Ok(added.into_iter().map(|adds| Suggestion { text: format!("{before}{adds}"), adds }).collect())
    }

    /// Addresses of contacts, and of those one has written to.
    async fn people(&self, me: &Actor, text: &str) -> Result<Vec<String>, Failure> {
        let found = self.completions(me, text.trim_matches('"')).await?;
        let people = found.iter().flat_map(|known| super::write::recipients_that_are(known));
        let mut addresses: Vec<String> = people.map(|named| named.address.to_string()).collect();
        addresses.dedup();
        addresses.truncate(MAX_SUGGESTIONS / 2);
        Ok(addresses)
    }
}

/// The parts of a search, each as it was typed, and the search without it.
pub fn search_parts(typed: &str) -> Vec<(String, String)> {
    let parts = words(&typed.chars().take(MAX_TYPED).collect::<String>());
    let without = |left_out: usize| {
        let others = parts.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, part)| part.as_str());
        others.collect::<Vec<_>>().join(" ")
    };
    parts.iter().enumerate().map(|(at, part)| (part.clone(), without(at))).collect()
}

/// What stands before the word that is being typed, and that word.
fn last_word(typed: &str) -> (&str, &str) {
    let (mut is_quoted, mut cut) = (false, 0);
    for (at, character) in typed.char_indices() {
        is_quoted ^= character == '"';
        if character.is_whitespace() && !is_quoted {
            cut = at + character.len_utf8();
        }
    }
    typed.split_at(cut)
}

fn operators(typed: &str) -> Vec<String> {
    let (sign, bare) = typed.strip_prefix('-').map_or(("", typed), |bare| ("-", bare));
    let bare = bare.to_ascii_lowercase();
    let fits = |operator: &&str| !bare.is_empty() && operator.starts_with(&bare);
    OPERATORS.into_iter().filter(fits).map(|operator| format!("{sign}{operator}")).collect()
}

/// Mailboxes whose names hold `text`.
fn named(folders: &[Folder], text: &str) -> Vec<String> {
    let text = text.trim_matches('"').to_lowercase();
    let fits = |folder: &&Folder| folder.name.to_lowercase().contains(&text);
    let quoted = |name: &str| if name.contains(' ') { format!("in:\"{name}\"") } else { format!("in:{name}") };
    folders.iter().filter(fits).map(|folder| quoted(&folder.name)).take(MAX_SUGGESTIONS / 2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_the_one_that_is_typed() {
        assert_eq!(last_word("from:ann is:un"), ("from:ann ", "is:un"));
        assert_eq!(last_word("\"two words"), ("", "\"two words"));
        assert_eq!(last_word("a "), ("a ", ""));
        assert_eq!(last_word(""), ("", ""));
    }

    #[test]
    fn operators_are_completed() {
        assert_eq!(operators("is:r"), ["is:read"]);
        assert_eq!(operators("-has"), ["-has:attachment"]);
        assert_eq!(operators("Su"), ["subject:"]);
        assert_eq!(operators(""), Vec::<String>::new());
    }

    #[test]
    fn a_part_is_taken_out_of_a_search() {
        let parts = search_parts("from:ann  \"two words\" -is:read");
        let expected = [
            ("from:ann", "\"two words\" -is:read"),
            ("\"two words\"", "from:ann -is:read"),
            ("-is:read", "from:ann \"two words\""),
        ];
        assert_eq!(parts, expected.map(|(part, without)| (part.to_owned(), without.to_owned())));
        assert_eq!(search_parts("  "), []);
    }
}
