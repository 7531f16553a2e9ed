//! What people read, in each of their languages: the catalogues of `templates/words`, in the program.
//!
//! ```text
//! Text { id, gaps } (service) ──> Language::say(id, gaps) ──> a sentence
//! ```
//! Invariants: each sentence stands in every language, with the same gaps (the build fails where not); an id that no catalogue has is
//! said as itself, and a test of the panel sees that none is.
//!
//! To add a sentence: one line in `templates/words/en/SUBJECT.ftl`, one in `templates/words/fr/SUBJECT.ftl`.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader as _, langid, static_loader};

static_loader! {
    static CATALOGUES = {
        locales: "../../templates/words",
        fallback_language: "en",
        // The marks of direction around each gap are for mixed scripts; ours are one, and programs read some of the texts.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static ENGLISH: LanguageIdentifier = langid!("en");
static FRENCH: LanguageIdentifier = langid!("fr");

/// A language that people read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// Its code (RFC 5646).
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// Its name, in itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
        }
    }

    /// By its code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The one of ours that a browser's Accept-Language likes best (RFC 9110 §12.5.4); none where it likes none.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut wanted = header.split(',').filter_map(preference).collect::<Vec<_>>();
        wanted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        wanted.into_iter().find_map(|(language, weight)| (weight > 0.0).then_some(language))
    }

    /// The sentence `id`, its gaps filled.
    pub fn say<'a>(self, id: &str, gaps: impl IntoIterator<Item = (&'a str, Filling)>) -> String {
        let gaps: HashMap<Cow<'static, str>, FluentValue<'_>> =
            gaps.into_iter().map(|(name, filling)| (Cow::Owned(name.to_owned()), filling.0)).collect();
        let said = CATALOGUES.try_lookup_complete(self.identifier(), id, (!gaps.is_empty()).then_some(&gaps));
        said.unwrap_or_else(|| id.to_owned())
    }

    /// Whether the catalogues have `id`.
    pub fn knows(self, id: &str) -> bool {
        match CATALOGUES.lookup_single_language::<&str>(self.identifier(), id, None) {
            Ok(_) => true,
            // A sentence with gaps complains that nothing fills them, but it is there. The library keeps its error's type to itself.
            Err(error) => error.to_string().starts_with("Fluent errors"),
        }
    }

    fn identifier(self) -> &'static LanguageIdentifier {
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
        }
    }
}

/// `fr-CA;q=0.8`: a language of ours and how much it is liked.
fn preference(item: &str) -> Option<(Language, f32)> {
    let mut parts = item.split(';').map(str::trim);
    let primary = parts.next()?.split('-').next()?.to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |weight| weight.parse().ok())?;
    Some((Language::parse(&primary)?, weight))
}

/// What fills a gap.
#[derive(Debug, Clone)]
pub struct Filling(FluentValue<'static>);

impl From<i64> for Filling {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

impl From<&str> for Filling {
    fn from(words: &str) -> Self {
        Self(words.to_owned().into())
    }
}

impl From<String> for Filling {
    fn from(words: String) -> Self {
        Self(words.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_choose_among_ours() {
        let check =
            |header: &str, expected: Option<Language>| assert_eq!(Language::accepted(header), expected, "{header}");
        check("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Some(Language::French));
        check("de, en-GB;q=0.7, fr;q=0.3", Some(Language::English));
        check("de", None);
        check("fr;q=0", None);
        check("", None);
        check("fr;q=x, en", Some(Language::English));
    }

    #[test]
    fn gaps_are_filled_and_counted() {
        let say = |language: Language, n: i64| language.say("count-people", [("count", n.into())]);
        assert_eq!(say(Language::English, 1), "1 person");
        assert_eq!(say(Language::English, 2), "2 people");
        assert_eq!(say(Language::French, 0), "0 personne");
        assert_eq!(Language::French.say("nobody-knows-this", []), "nobody-knows-this");
        assert!(!Language::French.knows("nobody-knows-this"));
        // Also with gaps that are open, and with words chosen by a number.
        assert!(Language::French.knows("cancel") && Language::English.knows("list-shown"));
    }
}
