//! Text into words, as they stand in the index; and what is asked for into pieces of words.
//!
//! Text is folded first (`relais_message::fold`), as IMAP's searches compare it. A word is a run of letters and digits. Scripts that put no
//! blanks between words are kept as pairs of characters. A word that is very long is kept in windows that overlap by [`REACH`]: whatever
//! is asked for and is no longer than that stands whole in one of them.

use memchr::memmem;
use relais_message::fold;
use unicode_normalization::UnicodeNormalization as _;

/// Characters of a word that is kept whole.
const LONGEST: usize = 40;
/// From one window of a longer word to the next.
const STEP: usize = 20;
/// A piece with so many characters or fewer stands in one window, wherever in a word it is.
pub(crate) const REACH: usize = LONGEST - STEP;

/// What a character is to words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It parts them.
    Apart,
    /// Of a word.
    Letter,
    /// Of a script without blanks.
    Dense,
}

fn kind(character: char) -> Kind {
    match character {
        '\0'..='\x7f' => {
            if character.is_ascii_alphanumeric() {
                Kind::Letter
            } else {
                Kind::Apart
            }
        }
        // Thai and Lao; Myanmar; Khmer; kana; Han; what is beyond the first plane of Han.
        '\u{0E00}'..='\u{0EFF}'
        | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}'
        | '\u{3041}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FF9F}'
        | '\u{20000}'..='\u{323AF}' => Kind::Dense,
        // Accents that stand by themselves belong to their letter.
        '\u{0300}'..='\u{036F}' => Kind::Letter,
        other if other.is_alphanumeric() => Kind::Letter,
        _ => Kind::Apart,
    }
}

/// Runs of one kind, but for what parts them; each with its place.
fn runs(text: &str) -> impl Iterator<Item = (Kind, usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..)?;
            let first = kind(rest.chars().next()?);
            let octets = rest.find(|character| kind(character) != first).unwrap_or(rest.len());
            let start = at;
            at += octets;
            if first != Kind::Apart {
                return Some((first, start, rest.get(..octets)?));
            }
        }
    })
}

/// Shows `visit` each word of a folded text, again and again where it stands there several times.
pub(crate) fn each_word(folded: &str, visit: &mut dyn FnMut(&str)) {
    for (kind, _, run) in runs(folded) {
        match kind {
            Kind::Dense => each_window(run, 2, 1, visit),
            _ if run.len() <= LONGEST => visit(run),
            _ => each_window(run, LONGEST, STEP, visit),
        }
    }
}

/// The words of a text that isn't folded, each with its place; of scripts without blanks whole runs.
pub(crate) fn runs_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    runs(text).map(|(_, at, run)| (at, run))
}

/// A text without what parts words at its ends.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|character| kind(character) == Kind::Apart)
}

/// Windows of `width` characters, each `step` after the one before; the last ends with the text.
fn each_window(text: &str, width: usize, step: usize, visit: &mut dyn FnMut(&str)) {
    let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let characters = bounds.len() - 1;
    let mut first = 0;
    loop {
        let last = first + width >= characters;
        let start = if last { characters.saturating_sub(width) } else { first };
        if let (Some(from), Some(to)) = (bounds.get(start), bounds.get((start + width).min(characters))) {
            visit(text.get(*from..*to).unwrap_or_default());
        }
        if last {
            return;
        }
        first += step;
    }
}

/// The text without accents, and with ligatures taken apart; none where it is the same.
pub(crate) fn without_accents(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0'..='\x7f' => plain.push(character),
            'ß' | 'ẞ' => plain.push_str("SS"),
            'Æ' => plain.push_str("AE"),
            'Œ' => plain.push_str("OE"),
            'Ø' => plain.push('O'),
            'Ł' => plain.push('L'),
            'Đ' | 'Ð' => plain.push('D'),
            // Accents, and points of Hebrew and Arabic.
            '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{064B}'..='\u{0652}' => {}
            '\u{80}'..='\u{058F}' | '\u{1E00}'..='\u{1FFF}' => {
                plain.extend(std::iter::once(character).nfd().filter(|part| !('\u{0300}'..='\u{036F}').contains(part)));
            }
            other => plain.push(other),
        }
    }
    (plain != text).then_some(plain)
}

/// A text as what people look for is compared: folded, without accents.
pub(crate) fn plain(text: &str) -> String {
    let folded = fold(text);
    without_accents(&folded).unwrap_or(folded)
}

/// How a piece of what is asked for must stand in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Anywhere.
    Inside,
    /// At its end.
    End,
    /// It is the word.
    Whole,
    /// At its beginning.
    Start,
}

/// A piece that a message must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) stand: Stand,
}

/// What a message must hold if a text that is asked for is to stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pieces {
    /// All of these; none: any message may hold the text.
    pub(crate) all: Vec<Piece>,
    /// Whoever holds them holds the text: nothing need be read.
    pub(crate) is_enough: bool,
}

impl Pieces {
    /// Of a folded text.
    pub(crate) fn of(folded: &str) -> Self {
        let mut all = Vec::new();
        let mut is_enough = true;
        for (kind, at, run) in runs(folded) {
            let (is_first, is_last) = (at == 0, at + run.len() == folded.len());
            is_enough &= is_first && is_last;
            let characters = run.chars().count();
            match kind {
                Kind::Dense if characters == 1 => all.push(Piece { text: run.to_owned(), stand: Stand::Inside }),
                Kind::Dense => {
                    is_enough &= characters == 2;
                    each_window(run, 2, 1, &mut |pair| {
                        all.push(Piece { text: pair.to_owned(), stand: Stand::Whole });
                    });
                }
                _ if characters > REACH => {
                    is_enough = false;
                    each_window(run, REACH, REACH, &mut |part| {
                        all.push(Piece { text: part.to_owned(), stand: Stand::Inside });
                    });
                }
                _ => {
                    let stand = match (is_first, is_last) {
                        (true, true) => Stand::Inside,
                        (true, false) => Stand::End,
                        (false, true) => Stand::Start,
                        (false, false) => Stand::Whole,
                    };
                    all.push(Piece { text: run.to_owned(), stand });
                }
            }
        }
        is_enough &= !all.is_empty();
        // The longest leaves least.
        all.sort_by_key(|piece| std::cmp::Reverse(piece.text.len()));
        all.dedup();
        Self { all, is_enough }
    }
}

/// The words of a folded text as they must stand in a row: the first may be a word's end, the last a word's beginning, and where there is
/// but one, it may stand anywhere in one.
pub(crate) fn row(folded: &str) -> Vec<Piece> {
    let mut row = Vec::new();
    each_word(folded, &mut |word| row.push(Piece { text: word.to_owned(), stand: Stand::Whole }));
    if let Some(last) = row.last_mut() {
        last.stand = Stand::Start;
    }
    let is_alone = row.len() == 1;
    if let Some(first) = row.first_mut() {
        first.stand = if is_alone { Stand::Inside } else { Stand::End };
    }
    row
}

impl Piece {
    /// Whether it stands in a word as it must.
    pub(crate) fn fits(&self, word: &[u8]) -> bool {
        let sought = self.text.as_bytes();
        match self.stand {
            Stand::Inside => memmem::find(word, sought).is_some(),
            Stand::End => word.ends_with(sought),
            Stand::Whole => word == sought,
            Stand::Start => word.starts_with(sought),
        }
    }

    /// Whether it is so short that a word that holds it has it whole in one window.
    pub(crate) fn is_short(&self) -> bool {
        self.text.chars().count() <= REACH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        each_word(&fold(text), &mut |word| words.push(word.to_owned()));
        words
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(words("Grüße, joerg@x2.example!"), ["GRU\u{308}ßE", "JOERG", "X2", "EXAMPLE"]);
        assert_eq!(words("日本語ok 本"), ["日本", "本語", "OK", "本"]);
        assert_eq!(words(" -- "), Vec::<String>::new());
    }

    /// Whatever stands in a long word and is short enough stands in a window of it.
    #[test]
    fn windows_of_long_words_overlap() {
        let long: String = (0..130).map(|at| char::from(b'A' + u8::try_from(at * 7 % 26).unwrap())).collect();
        let windows = words(&long);
        for start in 0..=long.len() - REACH {
            let sought = &long[start..start + REACH];
            assert!(windows.iter().any(|window| window.contains(sought)), "{start}");
        }
        assert!(windows.iter().all(|window| window.chars().count() <= LONGEST));
    }

    #[test]
    fn what_is_asked_for_is_taken_apart() {
        let check = |text: &str, expected: &[(&str, Stand)], is_enough: bool| {
            let pieces = Pieces::of(&fold(text));
            let found: Vec<(&str, Stand)> = pieces.all.iter().map(|piece| (piece.text.as_str(), piece.stand)).collect();
            assert_eq!((found.as_slice(), pieces.is_enough), (expected, is_enough), "{text}");
        };
        check("word", &[("WORD", Stand::Inside)], true);
        check("to be there", &[("THERE", Stand::Start), ("TO", Stand::End), ("BE", Stand::Whole)], false);
        check("word ", &[("WORD", Stand::End)], false);
        check("日本", &[("日本", Stand::Whole)], true);
        check("日", &[("日", Stand::Inside)], true);
        check("日本語", &[("日本", Stand::Whole), ("本語", Stand::Whole)], false);
        check("?!", &[], false);
        check(
            "abcdefghijklmnopqrstuvwxyz",
            &[("ABCDEFGHIJKLMNOPQRST", Stand::Inside), ("GHIJKLMNOPQRSTUVWXYZ", Stand::Inside)],
            false,
        );
    }

    #[test]
    fn words_in_a_row_are_taken_apart() {
        let check = |text: &str, expected: &[(&str, Stand)]| {
            let row = row(&fold(text));
            let found: Vec<(&str, Stand)> = row.iter().map(|piece| (piece.text.as_str(), piece.stand)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("?!", &[]);
        check("word", &[("WORD", Stand::Inside)]);
        check("to be, there", &[("TO", Stand::End), ("BE", Stand::Whole), ("THERE", Stand::Start)]);
        check("日本語 x", &[("日本", Stand::End), ("本語", Stand::Whole), ("X", Stand::Start)]);
    }

    #[test]
    fn accents_are_taken_off() {
        assert_eq!(without_accents("GRÜßE").as_deref(), Some("GRUSSE"));
        assert_eq!(without_accents("ÉTÉ ŒUVRE").as_deref(), Some("ETE OEUVRE"));
        assert_eq!(without_accents("ПРИВЕТ"), None);
        assert_eq!(without_accents("が"), None, "another letter, not an accent");
        assert_eq!(without_accents("PLAIN"), None);
    }
}
