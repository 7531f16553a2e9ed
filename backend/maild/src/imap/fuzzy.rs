//! FUZZY (RFC 6203): what is like the words that were asked for, and how much.
//!
//! A text is met by its words in any order, each by its stem and without regard to accents, if half of them are there. Dates, sizes, flags and numbers
//! are met exactly: there is no telling what near would mean.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use relais_finding::Places;
use relais_imap::command::SearchKey;
use relais_model::{Uid, UidSet};
use relais_store::StoreError;

use super::searcher::Searcher;

/// Words of a text that are looked for; the rest says little more.
const MAX_WORDS: usize = 6;
/// The score of a text that stands there as it was asked for.
const WHOLE: u8 = 100;
/// The score of all words, in whatever order.
const ALL_WORDS: usize = 90;

/// How well messages were found: by UID, the best of all keys (RFC 6203 §4 leaves to us how they go together).
#[derive(Debug, Default)]
pub(super) struct Scores(Mutex<HashMap<u32, u8>>);

impl Scores {
    fn note(&self, uids: &UidSet, score: u8) {
        let mut scores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for uid in uids.iter() {
            let best = scores.entry(uid.value()).or_default();
            *best = score.max(*best);
        }
    }

    /// Of one message; one that no FUZZY key spoke of was met exactly.
    pub(super) fn one(&self, uid: u32) -> u8 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&uid).copied().unwrap_or(WHOLE)
    }

    /// Of each, in their order.
    pub(super) fn of(&self, uids: impl Iterator<Item = u32>) -> Vec<u8> {
        uids.map(|uid| self.one(uid)).collect()
    }
}

impl Searcher<'_> {
    /// Those of `candidates` that are like `key`.
    pub(super) fn fuzzy<'b>(
        &'b self,
        key: &'b SearchKey,
        candidates: UidSet,
    ) -> BoxFuture<'b, Result<UidSet, StoreError>> {
        async move {
            match key {
                SearchKey::And(keys) => {
                    let mut left = candidates;
                    for key in keys {
                        left = self.fuzzy(key, left).await?;
                    }
                    Ok(left)
                }
                SearchKey::Or(one, other) => {
                    let mut found = self.fuzzy(one, candidates.clone()).await?;
                    found.extend(&self.fuzzy(other, candidates).await?);
                    Ok(found)
                }
                SearchKey::Fuzzy(key) => self.fuzzy(key, candidates).await,
                _ => self.fuzzy_text(key, candidates).await,
            }
        }
        .boxed()
    }

    async fn fuzzy_text(&self, key: &SearchKey, candidates: UidSet) -> Result<UidSet, StoreError> {
        let mut found = self.among(key, candidates.clone()).await?;
        self.scores.note(&found, WHOLE);
        let Some(words) = text_of(key).map(stems).filter(|words| !words.is_empty()) else { return Ok(found) };
        let rest = candidates.without(&found);
        let mut met: HashMap<u32, usize> = HashMap::new();
        for (word, stem) in &words {
            let (mut found, mut left) = (UidSet::new(), rest.clone());
            if let Some(places) = seen(key) {
                let parted = self.finder.like(places, word).await.part(&self.selected.view, &rest, &mut |_, _| ());
                (found, left) = (parted.found, parted.to_read);
            }
            // What the index can't tell is met by the word without its ending.
            if let Some(key) = with_text(key, stem) {
                found.extend(&self.among(&key, left).await?);
            }
            for uid in found.iter() {
                *met.entry(uid.value()).or_default() += 1;
            }
        }
        for (uid, count) in met {
            if let Some(uid) = Uid::new(uid).filter(|_| count * 2 >= words.len()) {
                let score = u8::try_from(ALL_WORDS * count / words.len()).unwrap_or(WHOLE);
                self.scores.note(&std::iter::once(uid).collect(), score.max(1));
                found.insert(uid);
            }
        }
        Ok(found)
    }
}

/// Where the index knows words that are like these; none: it knows only what stands there.
fn seen(key: &SearchKey) -> Option<Places> {
    match key {
        SearchKey::Cc(_) => Some(Places::SEEN_CC),
        SearchKey::From(_) => Some(Places::SEEN_FROM),
        SearchKey::Subject(_) => Some(Places::SEEN_SUBJECT),
        SearchKey::To(_) => Some(Places::SEEN_TO),
        SearchKey::Body(_) => Some(Places::SEEN_BODY),
        SearchKey::Text(_) => Some(Places::SEEN),
        _ => None,
    }
}

/// The words of a text, and each without its ending: `breaks` is like `break`.
fn stems(text: &str) -> Vec<(String, String)> {
    let stem = |word: &str| {
        let letters: Vec<char> = word.chars().filter(|letter| letter.is_alphanumeric()).collect();
        let ending = match letters.len() {
            0..=4 => 0,
            5 => 1,
            _ => 2,
        };
        let stem = letters.get(..letters.len() - ending).unwrap_or_default().iter().collect::<String>();
        (letters.into_iter().collect::<String>(), stem)
    };
    let words = text.split_whitespace().map(stem).filter(|(_, stem)| !stem.is_empty());
    words.take(MAX_WORDS).collect()
}

fn text_of(key: &SearchKey) -> Option<&str> {
    match key {
        SearchKey::Bcc(text)
        | SearchKey::Cc(text)
        | SearchKey::From(text)
        | SearchKey::Subject(text)
        | SearchKey::To(text)
        | SearchKey::Header { text, .. }
        | SearchKey::Body(text)
        | SearchKey::Text(text) => Some(text),
        _ => None,
    }
}

/// The same key for another text.
fn with_text(key: &SearchKey, text: &str) -> Option<SearchKey> {
    let text = text.to_owned();
    Some(match key {
        SearchKey::Bcc(_) => SearchKey::Bcc(text),
        SearchKey::Cc(_) => SearchKey::Cc(text),
        SearchKey::From(_) => SearchKey::From(text),
        SearchKey::Subject(_) => SearchKey::Subject(text),
        SearchKey::To(_) => SearchKey::To(text),
        SearchKey::Header { name, .. } => SearchKey::Header { name: name.clone(), text },
        SearchKey::Body(_) => SearchKey::Body(text),
        SearchKey::Text(_) => SearchKey::Text(text),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_their_endings() {
        let only = |text: &str| stems(text).into_iter().map(|(_, stem)| stem).collect::<Vec<_>>();
        assert_eq!(only("IMAP breaks, often"), ["IMAP", "brea", "ofte"]);
        assert_eq!(only("  - "), Vec::<String>::new());
        assert_eq!(stems("a b c d e f g h").len(), MAX_WORDS);
    }
}
