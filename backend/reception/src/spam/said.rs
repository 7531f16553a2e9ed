//! What the filter found, in sentences of the catalogue (`spam.ftl`).

use relais_junk::{Place, Reason, Score, Sign, Whose};
use relais_model::{Finding, Said};

use super::Listing;

/// A list names somebody.
pub(super) fn listing(listing: &Listing) -> Finding {
    let id = if listing.is_link { "spam-link-listed" } else { "spam-listed" };
    let said = Said::new(id).words("list", &listing.list).words("named", &listing.named);
    Finding::new("blocklist", said)
}

/// Why a score is what it is: signs one by one, then words by whom they speak for and who knows that.
pub(super) fn score(score: &Score) -> Vec<Finding> {
    let mut findings: Vec<Finding> = score
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Sign { sign, points } => Some(Finding::new("spam", self::sign(sign)).worth(*points)),
            Reason::Word { .. } => None,
        })
        .collect();
    for (id, whose, is_junk) in [
        ("spam-words-junk", Whose::General, true),
        ("spam-words-good", Whose::General, false),
        ("spam-words-own-junk", Whose::Own, true),
        ("spam-words-own-good", Whose::Own, false),
    ] {
        let mut sum = 0.0;
        let words: Vec<String> = score
            .reasons
            .iter()
            .filter_map(|reason| match reason {
                Reason::Word { place, text, points, whose: knows } if *knows == whose && (*points > 0.0) == is_junk => {
                    sum += points;
                    Some(shown(*place, text))
                }
                _ => None,
            })
            .collect();
        if !words.is_empty() {
            findings.push(Finding::new("spam", Said::new(id).words("words", words.join(", "))).worth(sum));
        }
    }
    findings
}

/// A word as it stands in a list of words.
fn shown(place: Place, text: &str) -> String {
    match place {
        Place::Mark | Place::Form | Place::Html => format!("[{text}]"),
        place if place.is_manner() => format!("[{text}]"),
        _ => format!("“{text}”"),
    }
}

fn sign(sign: &Sign) -> Said {
    match sign {
        Sign::AddressInName { shown, author } => {
            Said::new("spam-sign-address-in-name").words("shown", shown).words("author", author)
        }
        Sign::DomainInName { shown, author } => {
            Said::new("spam-sign-domain-in-name").words("shown", shown).words("author", author)
        }
        Sign::LookAlike { domain, known, .. } => {
            Said::new("spam-sign-look-alike").words("domain", domain).words("known", known)
        }
        Sign::MixedScripts { domain } => Said::new("spam-sign-mixed-scripts").words("domain", domain),
        Sign::HiddenText { words } => Said::new("spam-sign-hidden-text").number("words", *words),
        Sign::LinkMismatch { shown, leads_to } => {
            Said::new("spam-sign-link-mismatch").words("shown", shown).words("leads_to", leads_to)
        }
        Sign::Program { name } => Said::new("spam-sign-program").words("name", name),
        Sign::DisguisedName { name } => Said::new("spam-sign-disguised-name").words("name", name),
        Sign::Macros { name } => Said::new("spam-sign-macros").words("name", name),
        Sign::LockedArchive { name } => Said::new("spam-sign-locked-archive").words("name", name),
        Sign::DateAhead { days } => Said::new("spam-sign-date-ahead").number("days", *days),
        Sign::DateBehind { days } => Said::new("spam-sign-date-behind").number("days", *days),
    }
}
