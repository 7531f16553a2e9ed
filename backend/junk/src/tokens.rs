//! Text to words, in the form in which they are compared.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::look_alike::latin;

/// Shorter words say nothing, longer ones are no words; in characters.
const WORD_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=24;
/// So long pieces without a blank are looked at.
const MAX_CHUNK_OCTETS: usize = 512;

/// What text is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Lower case, without accents; each digit of a number is `0`.
    Word(&'a str),
    /// A word of four letters or more in capitals, as [`Token::Word`] would have it; it comes behind that.
    Shouted(&'a str),
    /// `http://…`, `www.…`.
    Url(&'a str),
    /// `a@b`.
    Address(&'a str),
    /// `V.I.A.G.R.A`: the word itself comes next.
    Spaced,
    /// A word with letters of two scripts that look alike, or with invisible characters inside: the word comes next.
    Disguised,
    /// Longer than any word.
    Long,
}

/// Cuts text into tokens, in their order.
pub(crate) fn tokens(text: &str, each: &mut dyn FnMut(Token<'_>)) {
    for chunk in text.split(char::is_whitespace) {
        if chunk.is_empty() {
            continue;
        }
        if chunk.len() > MAX_CHUNK_OCTETS {
            each(Token::Long);
            continue;
        }
        let trimmed = chunk.trim_matches(|edge: char| edge.is_ascii_punctuation() && !matches!(edge, '$' | '%' | '!'));
        if trimmed.bytes().all(|octet| octet.is_ascii_alphabetic()) {
            // Most are.
            ascii_word(trimmed, each);
        } else if trimmed.contains("://") || starts_with_ignoring_case(trimmed, "www.") {
            each(Token::Url(trimmed));
        } else if trimmed.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.')) {
            each(Token::Address(trimmed));
        } else if is_number(trimmed) {
            let number: String =
                trimmed.chars().map(|digit| if digit.is_ascii_digit() { '0' } else { digit }).take(12).collect();
            each(Token::Word(&number));
        } else {
            chunk_words(trimmed, each);
        }
    }
}

pub(crate) fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

fn is_number(chunk: &str) -> bool {
    chunk.bytes().any(|octet| octet.is_ascii_digit())
        && chunk.bytes().all(|octet| {
            octet.is_ascii_digit() || matches!(octet, b'$' | b'.' | b',' | b'%' | b':' | b'/' | b'-' | b'!' | b'+')
        })
}

/// The words of a piece that no blank parts.
fn chunk_words(chunk: &str, each: &mut dyn FnMut(Token<'_>)) {
    if let Some(joined) = spaced_letters(chunk) {
        each(Token::Spaced);
        word(&joined, each);
        return;
    }
    let is_letter = |character: char| {
        character.is_alphanumeric()
            || character == '\''
            || character == '’'
            || is_invisible(character)
            || is_combining_mark(character)
    };
    let mut rest = chunk;
    while !rest.is_empty() {
        let from = rest.find(is_letter).unwrap_or(rest.len());
        let (before, behind) = rest.split_at_checked(from).unwrap_or(("", ""));
        let length = behind.find(|character| !is_letter(character)).unwrap_or(behind.len());
        let (one, after) = behind.split_at_checked(length).unwrap_or((behind, ""));
        if before.ends_with('$') && one.starts_with(|first: char| first.is_ascii_digit()) {
            word(&format!("${one}"), each);
        } else if after.starts_with('!') {
            word(one, each);
            each(Token::Word("!"));
        } else {
            word(one, each);
        }
        rest = after;
    }
}

/// `F-R-E-E`, `V.I.A.G.R.A`: single letters with one mark between any two.
fn spaced_letters(chunk: &str) -> Option<String> {
    // Looked at before anything is gathered, for most pieces are none.
    if !chunk.chars().nth(1).is_some_and(|second| second.is_ascii_punctuation()) {
        return None;
    }
    let letters: Vec<char> = chunk.chars().collect();
    let is_spaced = letters.len() >= 7
        && letters.len() % 2 == 1
        && letters.iter().enumerate().all(|(at, letter)| {
            if at % 2 == 0 { letter.is_alphanumeric() } else { letter.is_ascii_punctuation() && *letter != '\'' }
        });
    is_spaced.then(|| letters.into_iter().step_by(2).collect())
}

/// Characters that nobody sees, inside words to part them for programs only.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{34f}')
}

fn word(raw: &str, each: &mut dyn FnMut(Token<'_>)) {
    let raw = raw.trim_matches(['\'', '’']);
    if raw.is_empty() {
        return;
    }
    if raw.is_ascii() { ascii_word(raw, each) } else { wide_word(raw, each) }
}

fn ascii_word(raw: &str, each: &mut dyn FnMut(Token<'_>)) {
    if !WORD_CHARACTERS.contains(&raw.len()) {
        if raw.len() > 1 {
            each(Token::Long);
        }
        return;
    }
    let mut buffer = [0_u8; *WORD_CHARACTERS.end()];
    for (lower, octet) in buffer.iter_mut().zip(raw.bytes()) {
        *lower = octet.to_ascii_lowercase();
    }
    let lower = buffer.get(..raw.len()).and_then(|lower| std::str::from_utf8(lower).ok()).unwrap_or_default();
    let lower = digits_hidden(lower);
    each(Token::Word(&lower));
    if raw.len() >= 4 && raw.bytes().all(|octet| octet.is_ascii_uppercase()) {
        each(Token::Shouted(&lower));
    }
}

/// A word with other than ASCII letters.
fn wide_word(raw: &str, each: &mut dyn FnMut(Token<'_>)) {
    if raw.chars().any(is_unparted) {
        // Scripts that put no blanks: each character is a word, and pairs do the rest.
        let mut buffer = [0; 4];
        for character in raw.chars().filter(|character| character.is_alphanumeric()) {
            each(Token::Word(character.encode_utf8(&mut buffer)));
        }
        return;
    }
    let mut folded: String = raw
        .nfkd()
        .filter(|character| !is_combining_mark(*character) && !is_invisible(*character))
        .flat_map(char::to_lowercase)
        .map(|character| if character == '’' { '\'' } else { character })
        .collect();
    let has_ascii = folded.bytes().any(|octet| octet.is_ascii_alphabetic());
    let is_mixed = has_ascii && folded.chars().any(|character| !character.is_ascii() && latin(character).is_some());
    if is_mixed {
        folded = folded.chars().map(|character| latin(character).unwrap_or(character)).collect();
    }
    let has_invisible = raw.chars().skip(1).any(|character| is_invisible(character) && character != '\u{ad}');
    if is_mixed || has_invisible && folded.is_ascii() {
        each(Token::Disguised);
    }
    match folded.chars().count() {
        count if WORD_CHARACTERS.contains(&count) => each(Token::Word(&digits_hidden(&folded))),
        0 | 1 => {}
        _ => each(Token::Long),
    }
}

/// Digits as `0`; but a digit between letters is the letter that it stands for.
fn digits_hidden(lower: &str) -> std::borrow::Cow<'_, str> {
    if !lower.bytes().any(|octet| octet.is_ascii_digit()) {
        return lower.into();
    }
    let digits = lower.bytes().filter(u8::is_ascii_digit).count();
    let letters = lower.chars().filter(|character| character.is_alphabetic()).count();
    let stands_for = |digit: char| match digit {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        _ => '0',
    };
    let is_disguise = letters >= 3
        && digits * 3 <= letters
        && lower.ends_with(char::is_alphabetic)
        && lower.starts_with(char::is_alphabetic);
    lower
        .chars()
        .map(|character| match character {
            digit if digit.is_ascii_digit() && is_disguise => stands_for(digit),
            digit if digit.is_ascii_digit() => '0',
            letter => letter,
        })
        .collect()
}

/// Han, Hiragana, Katakana, Thai.
fn is_unparted(character: char) -> bool {
    matches!(character, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Which kinds of characters a text is made of, in runs: `a` lower case, `A` upper case, `9` digits, others themselves.
pub(crate) fn form(text: &str, limit: usize) -> String {
    let mut form = String::new();
    let mut last = None;
    for character in text.chars().take(256) {
        let kind = match character {
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            '0'..='9' => '9',
            other if other.is_ascii_graphic() => other,
            _ => '?',
        };
        if last != Some(kind) {
            form.push(kind);
            last = Some(kind);
        }
        if form.len() >= limit {
            break;
        }
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut found = Vec::new();
        tokens(text, &mut |token| {
            found.push(match token {
                Token::Word(word) => word.to_owned(),
                Token::Shouted(word) => format!("<{word}>"),
                Token::Url(url) => format!("url {url}"),
                Token::Address(address) => format!("address {address}"),
                other => format!("{other:?}"),
            });
        });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn text_is_cut_into_words() {
        check("Hello, World!", &["hello", "world", "!"]);
        check("don't (stop) it's", &["don't", "stop", "it's"]);
        check("BUY it NOW", &["buy", "it", "now"]);
        check("FREE money", &["free", "<free>", "money"]);
        check("$1,999.95 100% 12:30", &["$0,000.00", "000%", "00:00"]);
        check("see http://a.example/x, www.b.example.", &["see", "url http://a.example/x", "url www.b.example"]);
        check("mail bob@a.example now", &["mail", "address bob@a.example", "now"]);
        check("abc123 v1agra", &["abc000", "viagra"]);
        check("opt-in a", &["opt", "in"]);
        check(&"x".repeat(30), &["Long"]);
        check(&"x y".repeat(300).replace(' ', ""), &["Long"]);
    }

    #[test]
    fn disguises_are_seen_through() {
        check("V.I.A.G.R.A", &["Spaced", "viagra", "<viagra>"]);
        check("p\u{430}yp\u{430}l", &["Disguised", "paypal"]);
        check("vi\u{200b}ag\u{200b}ra", &["Disguised", "viagra"]);
        check("ｆｒｅｅ", &["free"]);
        check("marché Été", &["marche", "ete"]);
        check("приве́т", &["привет"]);
        check("日本", &["日", "本"]);
    }

    #[test]
    fn forms_are_runs_of_kinds() {
        assert_eq!(form("g7NIh1Z03950@dogma.example", 32), "a9Aa9A9@a.a");
        assert_eq!(form("", 32), "");
        assert_eq!(form("----=_NextPart_000_01", 8), "-=_AaAa_");
    }
}
