//! Domains that are made to be taken for others.

use relais_model::Domain;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// So many known domains are compared with.
const MAX_KNOWN: usize = 1000;
/// Names shorter than this are near to too many others.
const NEAR_CHARACTERS: usize = 6;
/// Longer names are read as they stand.
const MAX_NAME_CHARACTERS: usize = 63;

/// How one domain is like another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// The same to the eye: `pаypal.example` in part with Cyrillic letters, `paypa1.example`.
    SameLook,
    /// One slip of the fingers apart: `examlpe.org`.
    OneSlip,
    /// The known name stands inside: `bank.example.evil.example`, `bank-login.example`.
    Inside,
}

/// What [`liken`] finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Likeness<'a> {
    /// Letters of several scripts in one label, as no language writes.
    MixedScripts,
    /// Like a domain that is known.
    Of { known: &'a Domain, how: How },
}

/// Compares `domain` with those known; none where it is one of them, or below one of them, or like none.
pub(crate) fn liken<'a>(domain: &Domain, known: &'a [Domain]) -> Option<Likeness<'a>> {
    let known = known.get(..MAX_KNOWN).unwrap_or(known);
    let own = registrable(domain.as_str());
    if domain.is_literal() || known.iter().any(|known| registrable(known.as_str()) == own) {
        return None;
    }
    let shown = domain.to_unicode();
    let look = look_of(registrable(&shown));
    let how_like = |known: &Domain| {
        let (theirs, base) = (known.to_unicode(), registrable(known.as_str()));
        let (name, other) = (name_of(own), name_of(base));
        if look == look_of(registrable(&theirs)) {
            Some(How::SameLook)
        } else if other.len() >= NEAR_CHARACTERS && name != other && is_one_slip(name, other) {
            Some(How::OneSlip)
        } else if other.len() >= NEAR_CHARACTERS && is_inside(domain.as_str(), own, other) {
            Some(How::Inside)
        } else {
            None
        }
    };
    let found = known.iter().find_map(|known| how_like(known).map(|how| Likeness::Of { known, how }));
    found.or_else(|| shown.split('.').any(mixes_scripts).then_some(Likeness::MixedScripts))
}

/// The part of a domain that somebody registers, near enough without a list of suffixes: the last two labels, three where
/// the one before a country's is a kind (`co.uk`, `com.au`).
pub(crate) fn registrable(domain: &str) -> &str {
    const KINDS: [&str; 9] = ["co", "com", "net", "org", "gov", "ac", "edu", "gob", "or"];
    let mut dots = domain.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return domain };
    let kind = domain.get(second + 1..last).unwrap_or_default();
    let is_country = domain.len() - last == 3;
    let from = if is_country && KINDS.contains(&kind) { dots.next().map_or(0, |dot| dot + 1) } else { second + 1 };
    domain.get(from..).unwrap_or(domain)
}

/// The first label of a registrable domain.
fn name_of(registrable: &str) -> &str {
    registrable.split('.').next().unwrap_or_default()
}

/// As the eye takes it.
fn look_of(name: &str) -> String {
    let letters = name.nfkd().filter(|character| !is_combining_mark(*character)).take(4 * MAX_NAME_CHARACTERS);
    let look: String = letters
        .flat_map(char::to_lowercase)
        .map(|character| match latin(character).unwrap_or(character) {
            '0' => 'o',
            '1' | 'i' | '|' => 'l',
            '5' => 's',
            letter => letter,
        })
        .collect();
    look.replace("rn", "m").replace("vv", "w")
}

/// The Latin letter that a letter of another script looks like (Unicode Technical Standard 39's confusables, those that
/// occur in words).
pub(crate) fn latin(character: char) -> Option<char> {
    Some(match character {
        'а' | 'α' | 'ɑ' => 'a',
        'ь' | 'в' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' | 'ё' => 'e',
        'ɡ' | 'ց' => 'g',
        'һ' | 'н' | 'հ' => 'h',
        'і' | 'ι' | 'ı' | 'ї' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' | 'ⅼ' => 'l',
        'м' => 'm',
        'ո' | 'η' | 'п' => 'n',
        'о' | 'ο' | 'օ' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' | 'ш' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ү' => 'y',
        'ᴢ' => 'z',
        _ => return None,
    })
}

/// Latin together with Cyrillic or Greek.
fn mixes_scripts(label: &str) -> bool {
    let is_latin = |letter: char| letter.is_ascii_alphabetic() || matches!(letter, '\u{c0}'..='\u{24f}');
    let is_other =
        |letter: char| matches!(letter, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{530}'..='\u{58f}');
    label.chars().any(is_latin) && label.chars().any(is_other)
}

/// One letter more, less or other, or two that changed places.
fn is_one_slip(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > 1 || one.len() > MAX_NAME_CHARACTERS {
        return false;
    }
    let start = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let (one, other) = (one.get(start..).unwrap_or_default(), other.get(start..).unwrap_or_default());
    match (one, other) {
        ([_, one @ ..], other_rest) if one == other_rest => true,
        (one_rest, [_, other @ ..]) if one_rest == other => true,
        ([_, one @ ..], [_, other @ ..]) if one == other => true,
        ([a, b, one @ ..], [c, d, other @ ..]) => a == d && b == c && one == other,
        _ => false,
    }
}

/// Whether a known name is a label above, or a word between hyphens of the registered one.
fn is_inside(domain: &str, own: &str, known: &str) -> bool {
    let above = domain.strip_suffix(own).unwrap_or_default();
    above.split('.').any(|label| label == known)
        || name_of(own).contains('-') && name_of(own).split('-').any(|word| word == known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(domain: &str, expected: Option<How>) {
        let known =
            ["paypal.com", "example.co.uk", "relais.org", "bücher.example"].map(|name| Domain::parse(name).unwrap());
        let found = match liken(&Domain::parse(domain).unwrap(), &known) {
            Some(Likeness::Of { how, .. }) => Some(how),
            Some(Likeness::MixedScripts) => panic!("{domain}: mixed"),
            None => None,
        };
        assert_eq!(found, expected, "{domain}");
    }

    #[test]
    fn look_alikes_are_found() {
        check("paypal.com", None);
        check("mail.paypal.com", None);
        check("elsewhere.net", None);
        check("paypal.de", None);
        check("paypa1.com", Some(How::SameLook));
        check("p\u{430}ypal.com", Some(How::SameLook));
        check("páypal.com", Some(How::SameLook));
        check("reIais.org", Some(How::SameLook));
        check("relaìs.org", Some(How::SameLook));
        check("paypall.com", Some(How::OneSlip));
        check("paypla.net", Some(How::OneSlip));
        check("pypal.com", Some(How::OneSlip));
        check("paypal.com.evil.net", Some(How::Inside));
        check("secure-paypal.info", Some(How::Inside));
        check("exampel.co.uk", Some(How::OneSlip));
        check("papal.org", Some(How::OneSlip));
        check("[192.0.2.1]", None);
    }

    #[test]
    fn scripts_are_not_mixed_within_a_label() {
        let liken = |domain: &str| liken(&Domain::parse(domain).unwrap(), &[]);
        assert_eq!(liken("b\u{430}nk.example"), Some(Likeness::MixedScripts));
        assert_eq!(liken("\u{43c}\u{430}\u{433}.example"), None);
        assert_eq!(liken("bücher.example"), None);
    }

    #[test]
    fn the_registrable_part_is_near_enough() {
        for (domain, expected) in [
            ("a.b.example.com", "example.com"),
            ("www.example.co.uk", "example.co.uk"),
            ("co.uk", "co.uk"),
            ("t.co", "t.co"),
            ("com", "com"),
            ("", ""),
        ] {
            assert_eq!(registrable(domain), expected);
        }
    }
}
