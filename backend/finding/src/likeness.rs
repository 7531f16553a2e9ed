//! Words that are like the one that is asked for: that begin with it, hold it, or have its stem in one of the languages of mail.

use rust_stemmers::{Algorithm, Stemmer};

use crate::letter::Place;

/// Languages whose endings are known. Nobody says which one a message is in: a word may be of any.
const LANGUAGES: [Algorithm; 12] = [
    Algorithm::English,
    Algorithm::French,
    Algorithm::German,
    Algorithm::Spanish,
    Algorithm::Italian,
    Algorithm::Portuguese,
    Algorithm::Dutch,
    Algorithm::Swedish,
    Algorithm::Danish,
    Algorithm::Norwegian,
    Algorithm::Finnish,
    Algorithm::Russian,
];
/// Characters of a stem at least.
const SHORTEST_STEM: usize = 3;
/// Characters that an ending has at most.
const LONGEST_ENDING: usize = 4;

/// What is like one word.
pub(crate) struct Likeness {
    /// Folded, without accents.
    word: String,
    /// What all words that are like it hold.
    beginning: String,
    stems: Vec<(Stemmer, String)>,
}

impl Likeness {
    /// Of a word that is folded and has no accents. `with_stems`: whatever has its stem, too.
    pub(crate) fn of(word: &str, with_stems: bool) -> Self {
        let lower = word.to_lowercase();
        let mut beginning = word.to_owned();
        let mut stems = Vec::new();
        let is_word = with_stems && word.chars().all(char::is_alphabetic);
        for language in LANGUAGES.into_iter().filter(|_| is_word) {
            let stemmer = Stemmer::create(language);
            let stem = stemmer.stem(&lower).into_owned();
            let common = common_beginning(word, &stem.to_uppercase());
            let (all, kept) = (word.chars().count(), common.chars().count());
            if kept >= SHORTEST_STEM && all - kept <= LONGEST_ENDING {
                if common.len() < beginning.len() {
                    common.clone_into(&mut beginning);
                }
                stems.push((stemmer, stem));
            }
        }
        Self { word: word.to_owned(), beginning, stems }
    }

    /// Each term that is like it holds this.
    pub(crate) fn beginning(&self) -> &str {
        &self.beginning
    }

    /// Whether a word that isn't folded may be like it: a quick look, that leaves few.
    pub(crate) fn may_be(&self, word: &str) -> bool {
        let beginning = self.beginning.as_bytes();
        let mut parts = word.as_bytes().windows(beginning.len().max(1));
        !word.is_ascii() || parts.any(|part| part.eq_ignore_ascii_case(beginning))
    }

    /// How much a message that holds this term is about the word; none: the term isn't like it.
    pub(crate) fn score(&self, term: &[u8]) -> Option<u16> {
        let (place, word) = term.split_first()?;
        let (sought, text) = (self.word.as_bytes(), std::str::from_utf8(word).ok()?);
        let nearness = if word == sought {
            6
        } else if word.starts_with(sought) {
            4
        } else if memchr::memmem::find(word, sought).is_some() {
            1
        } else if self.has_stem(text) {
            3
        } else {
            return None;
        };
        Some(nearness * weight(*place))
    }

    fn has_stem(&self, word: &str) -> bool {
        let longest = self.word.len() + 2 * LONGEST_ENDING;
        if self.stems.is_empty() || word.len() > longest || !word.starts_with(&self.beginning) {
            return false;
        }
        let lower = word.to_lowercase();
        self.stems.iter().any(|(stemmer, stem)| stemmer.stem(&lower) == *stem)
    }
}

fn common_beginning<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars()).take_while(|((_, one), other)| one == other);
    let end = same.last().map_or(0, |((at, letter), _)| at + letter.len_utf8());
    one.get(..end).unwrap_or_default()
}

/// A word in the subject says more of a message than one in its text.
const fn weight(place: u8) -> u16 {
    const SUBJECT: u8 = Place::Subject as u8;
    const PLAIN_SUBJECT: u8 = Place::PlainSubject as u8;
    const FROM: u8 = Place::From as u8;
    const PLAIN_FROM: u8 = Place::PlainFrom as u8;
    const TEXT: u8 = Place::Text as u8;
    match place {
        SUBJECT | PLAIN_SUBJECT => 8,
        FROM | PLAIN_FROM => 7,
        TEXT => 4,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_like(sought: &str, word: &str) -> bool {
        let mut term = vec![Place::Text as u8];
        term.extend_from_slice(word.as_bytes());
        let likeness = Likeness::of(sought, true);
        let is_like = likeness.score(&term).is_some();
        assert!(!is_like || word.contains(likeness.beginning()), "{word} is found by its beginning");
        assert!(!is_like || likeness.may_be(&word.to_lowercase()), "{word} is passed over");
        is_like
    }

    #[test]
    fn words_with_one_stem_are_alike() {
        for (sought, word) in [
            ("INVOICES", "INVOICE"),
            ("MEETING", "MEETINGS"),
            ("MEETING", "MEET"),
            ("FACTURES", "FACTURE"),
            ("RECHNUNGEN", "RECHNUNG"),
            ("WORD", "CROSSWORDS"),
            ("КНИГИ", "КНИГА"),
        ] {
            assert!(is_like(sought, word), "{sought} {word}");
        }
        for (sought, word) in [("INVOICES", "INVITE"), ("CAT", "CATALAN2"), ("X1", "X2"), ("MEETING", "METAL")] {
            assert!(!is_like(sought, word) || word.contains(sought), "{sought} {word}");
        }
    }

    #[test]
    fn the_word_itself_in_the_subject_says_most() {
        let likeness = Likeness::of("WORD", true);
        let score = |place: Place, word: &str| {
            let mut term = vec![place as u8];
            term.extend_from_slice(word.as_bytes());
            likeness.score(&term).unwrap()
        };
        let scores = [
            score(Place::Subject, "WORD"),
            score(Place::Subject, "WORDING"),
            score(Place::Text, "WORD"),
            score(Place::Text, "WORDING"),
            score(Place::Text, "SWORD"),
        ];
        assert!(scores.is_sorted_by(|one, other| one > other), "{scores:?}");
    }
}
