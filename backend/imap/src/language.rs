//! In which language people are told what happened (LANGUAGE, RFC 5255 §3).
//!
//! Code says what it says in English, where it happens; what that is in another language stands in one table, and is looked up as it is
//! written. English is looked up nowhere. A test of `maild` reads the sources and fails for a text without its row, and for a row without
//! its text.

mod french;

/// A language that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// `i-default`: English, until a client has asked for a language (RFC 5255 §3.1, RFC 2277 §4.5).
    #[default]
    Default,
    /// English, asked for.
    English,
    /// French.
    French,
}

impl Language {
    /// All, as LANGUAGE lists them.
    pub const ALL: [Self; 3] = [Self::Default, Self::English, Self::French];

    /// Its tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Default => "i-default",
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The one that is asked for by a language range, of which so much is taken away from its end as nobody here speaks (RFC 4647 §3.4):
    /// `fr-CA` asks for French. `*` and RFC 5255's `default` name none.
    pub fn find(range: &str) -> Option<Self> {
        let is_asked = |tag: &str| {
            let begins_so = range.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag));
            begins_so && matches!(range.as_bytes().get(tag.len()), None | Some(b'-'))
        };
        Self::ALL.into_iter().find(|language| is_asked(language.tag()))
    }

    /// What is said in this language for an English text; none where that is said as it is.
    pub fn translate(self, english: &str) -> Option<&'static str> {
        if self != Self::French {
            return None;
        }
        let row = french::TEXTS.binary_search_by_key(&english, |row| row.0).ok()?;
        french::TEXTS.get(row).map(|(_, french)| *french)
    }

    /// A text to be written, given in English.
    pub fn say(self, english: &str) -> Text<'_> {
        Text { language: self, words: self.translate(english).unwrap_or(english), about: "", octet: None }
    }

    /// The English texts that have something else said for them.
    pub fn translated() -> impl Iterator<Item = &'static str> {
        french::TEXTS.iter().map(|(english, _)| *english)
    }
}

/// What a response says to people: `resp-text` without its code (RFC 9051 §9), in the session's language. Only [`Language::say`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    language: Language,
    words: &'a str,
    about: &'a str,
    octet: Option<usize>,
}

impl<'a> Text<'a> {
    /// What stands in the gap of the words, `{}`, if they have one; in this language, too, where it is known.
    #[must_use]
    pub fn about(self, gap: &'a str) -> Self {
        Self { about: self.language.translate(gap).unwrap_or(gap), ..self }
    }

    /// Where in the command it was.
    #[must_use]
    pub const fn at(self, octet: usize) -> Self {
        Self { octet: Some(octet), ..self }
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        // Most have no gap, and aren't looked through for one.
        let gap = if self.about.is_empty() { None } else { self.words.split_once("{}") };
        match gap {
            Some((before, after)) => {
                self.write_words(out, before);
                self.write_words(out, self.about);
                self.write_words(out, after);
            }
            None => self.write_words(out, self.words),
        }
        if let Some(octet) = self.octet {
            // The word is the same in all languages here.
            out.extend_from_slice(format!(" (octet {octet})").as_bytes());
        }
    }

    /// RFC 5255 §3.2: UTF-8, once another language was asked for; RFC 9051 §9 knows ASCII before. The words may come from anywhere: what would
    /// break the line, or mean nothing to the client, is a `?`.
    fn write_words(self, out: &mut Vec<u8>, words: &str) {
        let is_printable = |octet: u8| (b' '..=b'~').contains(&octet);
        if words.bytes().all(is_printable) {
            return out.extend_from_slice(words.as_bytes());
        }
        let is_utf8 = self.language == Language::French;
        for character in words.chars() {
            let fits = !character.is_control() && (is_utf8 || character.is_ascii());
            let written = if fits { character } else { '?' };
            out.extend_from_slice(written.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: Text<'_>, expected: &str) {
        let mut out = Vec::new();
        text.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    /// RFC 4647 §3.4.
    #[test]
    fn a_range_asks_for_the_language_that_it_begins_with() {
        for (range, language) in [
            ("fr", Some(Language::French)),
            ("FR-CA", Some(Language::French)),
            ("fr-Latn-*", Some(Language::French)),
            ("en", Some(Language::English)),
            ("EN-gb", Some(Language::English)),
            ("I-Default", Some(Language::Default)),
            ("fro", None),
            ("f", None),
            ("de-fr", None),
            ("*", None),
            ("default", None),
            ("français", None),
            ("", None),
        ] {
            assert_eq!(Language::find(range), language, "{range}");
        }
    }

    /// RFC 5255 §3.2.
    #[test]
    fn french_is_utf8_and_english_ascii() {
        check(Language::Default.say("Relais is ready"), "Relais is ready");
        check(Language::French.say("Relais is ready"), "Relais est prêt");
        check(Language::French.say("Nothing of ours"), "Nothing of ours");
        check(Language::English.say("é\r\nb OK\0"), "???b OK?");
        check(Language::French.say("é\r\nb OK\u{85}"), "é??b OK?");
    }

    #[test]
    fn a_gap_is_filled_and_a_place_is_named() {
        let said = |language: Language, gap| language.say("No mailbox can have this name: {}").about(gap).at(7);
        let gap = "a level of the name is empty";
        check(said(Language::English, gap), "No mailbox can have this name: a level of the name is empty (octet 7)");
        check(said(Language::French, gap), "Aucune boîte ne peut porter ce nom : un niveau du nom est vide (octet 7)");
        check(said(Language::French, "x{}y"), "Aucune boîte ne peut porter ce nom : x{}y (octet 7)");
        check(Language::English.say("Logged out").about("x"), "Logged out");
    }

    /// Else a row would not be found, and its text be said in English.
    #[test]
    fn rows_stand_in_order() {
        let texts: Vec<&str> = Language::translated().collect();
        assert!(texts.is_sorted_by(|one, next| one < next), "{texts:?}");
        for (english, french) in french::TEXTS {
            assert_eq!(Language::French.translate(english), Some(*french));
            assert_eq!(english.matches("{}").count(), french.matches("{}").count(), "{english}");
            assert!(!french.is_empty() && !french.chars().any(char::is_control), "{english}");
        }
    }
}
