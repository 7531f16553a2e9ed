//! What is asked before a message goes out: whether a file was forgotten, whether an address is the one that was meant, whether so many are
//! to have it.

use relais_model::Address;
use relais_reading::text_of;
use relais_store::{AccountKey, Acquainted};

use super::write::{Draft, recipients_that_are};
use super::{Answering, Mail};
use crate::{Actor, Failure, Text};

/// So many who see each other's addresses are asked about.
const MANY_SEEN: usize = 15;
/// So many recipients are asked about.
const MANY: usize = 50;
/// Addresses that are compared with known ones.
const MAX_COMPARED: usize = 50;
/// Known addresses that one is compared with.
const MAX_KNOWN: u32 = 200;
/// Words that speak of a file that goes along: English, French.
const FILE_WORDS: [&str; 14] = [
    "attached",
    "attachment",
    "attaching",
    "enclosed",
    "i attach",
    "ci-joint",
    "ci joint",
    "pièce jointe",
    "pièces jointes",
    "en pj",
    "en pièce",
    "joins à ce",
    "vous joins",
    "te joins",
];

impl Mail {
    /// What who sends this should look at once more; empty where nothing is strange.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the command line.
    pub async fn doubts(&self, me: &Actor, draft: &Draft) -> Result<Vec<Text>, Failure> {
        let (account, own) = me.own()?;
        let mut doubts = Vec::new();
        if draft.files.is_empty() && speaks_of_a_file(&format!("{}\n{}", draft.subject, own_words(draft))) {
            doubts.push(Text::new("mail-doubt-no-file"));
        }
        let people = |text: &str| recipients_that_are(text).into_iter().map(|named| named.address);
        let seen: Vec<Address> = people(&draft.to).chain(people(&draft.cc)).collect();
        let all: Vec<Address> = seen.iter().cloned().chain(people(&draft.bcc)).collect();
        for address in all.iter().filter(|address| *address != own).take(MAX_COMPARED) {
            if let Some(known) = self.meant(account, address).await? {
                let text = Text::new("mail-doubt-address").with("address", address.to_string());
                doubts.push(text.with("known", known.to_string()));
            }
        }
        if seen.len() >= MANY_SEEN {
            doubts.push(Text::new("mail-doubt-seen").with("count", seen.len()));
        }
        if all.len() >= MANY {
            doubts.push(Text::new("mail-doubt-many").with("count", all.len()));
        }
        Ok(doubts)
    }

    /// Somebody whom one has written to, and whose address is nearly this one.
    async fn meant(&self, account: AccountKey, address: &Address) -> Result<Option<Address>, Failure> {
        if self.store.acquainted(account, address).await? == Acquainted::Address {
            return Ok(None);
        }
        for part in [format!("{}@", address.local_part.as_str()), format!("@{}", address.domain)] {
            let known = self.store.acquaintances(account, &part, MAX_KNOWN).await?;
            let near = known.into_iter().find(|known| is_near(&known.to_string(), &address.to_string()));
            if near.is_some() {
                return Ok(near);
            }
        }
        Ok(None)
    }
}

/// Without what is quoted, or passed on.
fn own_words(draft: &Draft) -> String {
    let text = draft.html.as_ref().map_or_else(|| draft.text.clone(), |html| text_of(html));
    let is_forward = draft.of.as_ref().is_some_and(|of| of.how == Answering::Forward);
    let own = text.lines().take_while(|line| !(is_forward && line.starts_with("-----")));
    own.filter(|line| !line.starts_with('>')).collect::<Vec<_>>().join("\n")
}

fn speaks_of_a_file(text: &str) -> bool {
    let text = text.to_lowercase();
    FILE_WORDS.iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            !before.is_some_and(char::is_alphanumeric)
        })
    })
}

/// One letter more, less or another, or two that changed places; and not just a detail, or a number.
fn is_near(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) =
        (one.to_lowercase().chars().collect(), other.to_lowercase().chars().collect());
    let same_start = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let left = |whole: &[char]| whole.len() - same_start;
    let (one_rest, other_rest) =
        (one.get(same_start..).unwrap_or_default(), other.get(same_start..).unwrap_or_default());
    let same_end = one_rest.iter().rev().zip(other_rest.iter().rev()).take_while(|(one, other)| one == other).count();
    let (from_one, from_other) = (left(&one) - same_end, left(&other) - same_end);
    let changed: Vec<char> =
        one_rest.iter().take(from_one).chain(other_rest.iter().take(from_other)).copied().collect();
    if changed.is_empty() || changed.iter().any(|letter| letter.is_ascii_digit() || *letter == '+') {
        return false;
    }
    match (from_one, from_other) {
        (0 | 1, 0 | 1) => true,
        (2, 2) => changed.first() == changed.last() && changed.get(1) == changed.get(2),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_spoken_of_in_both_languages() {
        for text in ["See the attached plan", "Veuillez trouver ci-joint", "La PIÈCE JOINTE", "I attach it"] {
            assert!(speaks_of_a_file(text), "{text}");
        }
        for text in ["Lunch?", "unattached", "Un fichier"] {
            assert!(!speaks_of_a_file(text), "{text}");
        }
        let draft = Draft { text: "Yes.\n> see attached".to_owned(), ..Draft::default() };
        assert!(!speaks_of_a_file(&own_words(&draft)), "what others wrote doesn't count");
    }

    #[test]
    fn addresses_are_near_by_one_slip() {
        let check = |one, other, expected| assert_eq!(is_near(one, other), expected, "{one} {other}");
        check("ann@gmial.com", "ann@gmail.com", true);
        check("ann@gmail.co", "ann@gmail.com", true);
        check("anne@x.example", "ann@x.example", true);
        check("ANN@x.example", "ann@x.example", false);
        check("bob@x.example", "ann@x.example", false);
        check("box1@x.example", "box2@x.example", false);
        check("ann+shop@x.example", "ann@x.example", false);
    }
}
