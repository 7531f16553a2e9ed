//! What an app password looks like: 20 letters and digits that nobody confuses, in four groups: `k3m7p-x2wab-…`.
//!
//! That is 100 bits of chance: nobody guesses it, however quick a guess is. So 4,096 iterations (RFC 7677 §4's least) are
//! enough for it, where a password that a person chose needs argon2.

use relais_model::Secret;

/// Without l and o, which look like 1 and 0; those aren't there either.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// In all.
pub(super) const LENGTH: usize = 20;
/// In a group.
const GROUP: usize = 5;

/// From 20 octets of chance.
pub(super) fn make(chance: &[u8; LENGTH]) -> Secret {
    let letter = |octet: &u8| LETTERS.get(usize::from(octet % 32)).copied().map(char::from);
    group(chance.iter().filter_map(letter))
}

/// As it was made, from what a person typed: with or without its hyphens, with spaces, in capitals; none where it can be no app
/// password. Over SCRAM it must be typed as it was shown, for there we never see it.
pub(super) fn canonical(typed: &str) -> Option<Secret> {
    let typed = typed.chars().filter(|letter| !matches!(letter, ' ' | '-')).map(|letter| letter.to_ascii_lowercase());
    let letters: Vec<char> = typed.take(LENGTH + 1).collect();
    let is_whole = letters.len() == LENGTH
        && letters.iter().all(|letter| u8::try_from(*letter).is_ok_and(|letter| LETTERS.contains(&letter)));
    is_whole.then(|| group(letters.into_iter()))
}

fn group(letters: impl Iterator<Item = char>) -> Secret {
    let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (place, letter) in letters.enumerate() {
        if place > 0 && place.is_multiple_of(GROUP) {
            text.push('-');
        }
        text.push(letter);
    }
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_taken_as_people_type_it() {
        let chance: Vec<u8> = (100..120).collect();
        let made = make(chance.as_slice().try_into().unwrap());
        assert_eq!(made.expose(), "efghi-jkmnp-qrstu-vwxyz");
        for typed in ["efghi-jkmnp-qrstu-vwxyz", "efghijkmnpqrstuvwxyz", " EFGHI jkmnp  qrstu-VWXYZ "] {
            assert_eq!(canonical(typed), Some(made.clone()), "{typed}");
        }
        for typed in [
            "",
            "efghi-jkmnp-qrstu-vwxy",
            "efghi-jkmnp-qrstu-vwxyzz",
            "efghi-jkmnp-qrstu-vwxy1",
            "éfghi-jkmnp-qrstu-vwxyz",
        ] {
            assert_eq!(canonical(typed), None, "{typed}");
        }
    }
}
