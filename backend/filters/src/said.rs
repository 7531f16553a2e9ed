//! What a person is told: sentences of the catalogue (`filters.ftl`), before it is known in which language they are read.

use relais_model::Said;

use crate::{Action, Answered, Finding, Kind, Trouble};

/// Letters of a filter's words that are kept.
pub(crate) const MOST_SHOWN: usize = 200;

/// A filter's words, fit for a header field, an SMTP reply and a page: printable ASCII on one line, which ends somewhere.
pub(crate) fn plain(words: &str) -> String {
    let letters = words.chars().map(|letter| if matches!(letter, ' '..='~') { letter } else { '?' });
    letters.take(MOST_SHOWN).collect::<String>().trim().to_owned()
}

/// Why something came out as it did, as a sentence.
pub trait Reason {
    /// The sentence.
    fn said(&self) -> Said;
}

impl Reason for Answered {
    fn said(&self) -> Said {
        let sentence = |id| Said::new(id).words("filter", self.kind.title());
        match &self.finding {
            Finding::Clean => sentence("filters-clean"),
            Finding::Virus { name } => sentence("filters-virus").words("name", name),
            Finding::Rated(rating) => {
                let id = match rating.action {
                    Action::Take => "filters-rated-take",
                    Action::AddHeader | Action::RewriteSubject => "filters-rated-junk",
                    Action::Greylist | Action::SoftReject => "filters-rated-later",
                    Action::Reject => "filters-rated-reject",
                };
                let named = rating.symbols.iter().take(5).map(|symbol| symbol.name.as_str());
                let symbols = named.collect::<Vec<_>>().join(", ");
                sentence(id).words("score", format!("{:.1}", rating.score)).words("symbols", symbols)
            }
            Finding::Passed { quarantine: Some(why), .. } => sentence("filters-quarantine").words("why", why),
            Finding::Passed { changes, .. } if changes.is_empty() => sentence("filters-clean"),
            Finding::Passed { changes, .. } => sentence("filters-changed").number("count", changes.len()),
            Finding::Refused(reply) if reply.is_transient() => {
                sentence("filters-put-off").words("reply", reply.to_string())
            }
            Finding::Refused(reply) => sentence("filters-refused").words("reply", reply.to_string()),
            Finding::Discarded => sentence("filters-discarded"),
            Finding::TooLarge { most_octets: Some(octets) } => sentence("filters-too-large").number("octets", *octets),
            Finding::TooLarge { most_octets: None } => sentence("filters-too-large-for-it"),
            Finding::Down(trouble) => trouble.said_of(self.kind),
        }
    }
}

impl Trouble {
    /// What a filter of this kind has, as a sentence.
    pub fn said_of(&self, kind: Kind) -> Said {
        let sentence = |id| Said::new(id).words("filter", kind.title());
        match self {
            Self::Unreachable(why) => sentence("filters-unreachable").words("why", why),
            Self::Silent => sentence("filters-silent"),
            Self::Busy => sentence("filters-busy"),
            Self::Broken(why) => sentence("filters-broken").words("why", why),
            Self::Malformed(what) => sentence("filters-malformed").words("what", what),
            Self::Failed(why) => sentence("filters-failed").words("why", why),
            Self::Resting => sentence("filters-resting"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use relais_model::{Endpoint, EnhancedCode, Reply};
    use relais_words::Language;

    use super::*;
    use crate::{Change, Rating, Symbol};

    fn all() -> Vec<Finding> {
        let text = || "x".to_owned();
        let rated = |action| {
            let symbols = vec![Symbol { name: text(), score: 1.0 }];
            Finding::Rated(Rating { action, score: 1.25, required: 15.0, symbols, words: None })
        };
        let reply = |code, class| Finding::Refused(Reply::new(code, EnhancedCode::new(class, 7, 1), "No"));
        let passed = |changes: usize, quarantine| {
            let change = Change::Add { name: text(), value: Vec::new() };
            Finding::Passed { changes: vec![change; changes], quarantine }
        };
        let mut all = vec![
            Finding::Clean,
            Finding::Virus { name: text() },
            passed(0, None),
            passed(2, None),
            passed(1, Some(text())),
            reply(451, 4),
            reply(550, 5),
            Finding::Discarded,
            Finding::TooLarge { most_octets: Some(7) },
            Finding::TooLarge { most_octets: None },
        ];
        all.extend(
            [
                Action::Take,
                Action::Greylist,
                Action::AddHeader,
                Action::RewriteSubject,
                Action::SoftReject,
                Action::Reject,
            ]
            .map(rated),
        );
        all.extend(
            [
                Trouble::Unreachable(text()),
                Trouble::Silent,
                Trouble::Busy,
                Trouble::Broken(text()),
                Trouble::Malformed("x"),
                Trouble::Failed(text()),
                Trouble::Resting,
            ]
            .map(Finding::Down),
        );
        all
    }

    /// Fluent shows a gap that nobody fills as `{$name}`.
    #[test]
    fn every_sentence_is_said_in_both_languages() {
        let at = Endpoint::parse("host:1").unwrap();
        for language in Language::ALL {
            for finding in all() {
                let said = Answered { kind: Kind::Clamd, at: at.clone(), finding, took: Duration::ZERO }.said();
                assert!(language.knows(&said.id), "{}", said.id);
                let gaps = said.gaps.iter().map(|(name, gap)| match gap {
                    relais_model::Gap::Number(number) => (&**name, (*number).into()),
                    relais_model::Gap::Words(words) => (&**name, words.as_str().into()),
                });
                let text = language.say(&said.id, gaps);
                assert!(!text.contains('{') && text.contains("ClamAV"), "{}: {text}", said.id);
            }
        }
    }

    #[test]
    fn words_of_others_fit_into_a_line() {
        assert_eq!(plain(" a\r\nX: \u{e9}\u{1b} "), "a??X: ??");
        assert_eq!(plain(&"x".repeat(300)).len(), MOST_SHOWN);
    }
}
