//! Where a link leads, and whether it says so.

use std::net::IpAddr;

use url::{Host, Url};

/// Characters that are told of a link's words.
const MAX_WORDS: usize = 200;

/// Why a link should not be followed without a second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// Its words name another place than it leads to.
    Elsewhere,
    /// The name of the place is written with letters that look like others.
    LookAlike,
    /// What stands before the `@` of its address looks like the place.
    Disguised,
    /// A number instead of a name.
    Numeric,
}

impl Doubt {
    /// Its name in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::LookAlike => "look-alike",
            Self::Disguised => "disguised",
            Self::Numeric => "numeric",
        }
    }
}

/// A link that should be looked at twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// Where it leads: a host, in ASCII.
    pub host: String,
    /// What its words are.
    pub words: String,
    /// Why.
    pub doubt: Doubt,
}

impl Doubtful {
    /// The link to `url` with these words; none: nothing speaks against it.
    pub(crate) fn of(url: &Url, words: &str) -> Option<Self> {
        let doubt = judge(url, words)?;
        Some(Self { host: host_of(url)?, words: words.chars().take(MAX_WORDS).collect(), doubt })
    }
}

/// As browsers show it in ASCII, so that no letter looks like another; the address for a mail link.
pub(crate) fn host_of(url: &Url) -> Option<String> {
    match url.host() {
        Some(Host::Domain(host)) => Some(host.to_owned()),
        Some(host) => Some(host.to_string()),
        None if url.scheme() == "mailto" => Some(url.path().chars().take(MAX_WORDS).collect()),
        None => None,
    }
}

/// What speaks against following `url`, whose words are `words`.
pub fn judge(url: &Url, words: &str) -> Option<Doubt> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host()?;
    if !url.username().is_empty() || url.password().is_some() {
        return Some(Doubt::Disguised);
    }
    let Host::Domain(host) = host else { return Some(Doubt::Numeric) };
    if is_look_alike(host) {
        return Some(Doubt::LookAlike);
    }
    let claimed = claimed_host(words)?;
    (registrable(&claimed) != registrable(host)).then_some(Doubt::Elsewhere)
}

/// The place that a link's words name, where they look like an address of the web and like nothing else.
fn claimed_host(words: &str) -> Option<String> {
    let word = words.trim().trim_end_matches(['.', '/', ',', ')']);
    if word.is_empty() || word.chars().any(char::is_whitespace) || word.contains('@') || !word.contains('.') {
        return None;
    }
    let whole = if word.contains("://") { word.to_owned() } else { format!("https://{word}") };
    match Url::parse(&whole).ok()?.host()? {
        Host::Domain(host) if is_known_suffix(host) => Some(host.to_owned()),
        Host::Ipv4(address) => Some(IpAddr::from(address).to_string()),
        _ => None,
    }
}

/// `example.org`, not `report.pdf`.
fn is_known_suffix(host: &str) -> bool {
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known()) && psl::domain_str(host).is_some()
}

/// What somebody has registered: `shop.example.co.uk` and `example.co.uk` belong to one.
fn registrable(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    psl::domain_str(&host).unwrap_or(&host).to_owned()
}

/// Letters of Cyrillic and Greek that look like those of Latin.
const LOOK_LATIN: &str = "асԁеһіјӏոорԛѕԝхуѵгѡпкмнтвαεικνορτυχ";

/// Whether a label mixes scripts, or is made of letters alone that look like Latin ones.
fn is_look_alike(host: &str) -> bool {
    host.split('.').filter(|label| label.starts_with("xn--")).any(|label| {
        let (shown, problems) = idna::domain_to_unicode(label);
        let letters = || shown.chars().filter(|character| character.is_alphabetic());
        let is_other = |character: char| matches!(character, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{531}'..='\u{58f}');
        let has_latin = letters().any(|letter| matches!(letter, 'a'..='z' | '\u{c0}'..='\u{24f}'));
        let has_other = letters().any(is_other);
        problems.is_err() || (has_latin && has_other) || (has_other && letters().all(|letter| LOOK_LATIN.contains(letter)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, words: &str, expected: Option<Doubt>) {
        assert_eq!(judge(&Url::parse(url).unwrap(), words), expected, "{url} {words}");
    }

    #[test]
    fn links_that_lead_elsewhere_are_doubted() {
        check("https://evil.com/", "https://bank.com/login", Some(Doubt::Elsewhere));
        check("https://evil.com/", "www.bank.com", Some(Doubt::Elsewhere));
        check("https://evil.com/", "bank.com", Some(Doubt::Elsewhere));
        check("https://mail.bank.com/x?y", "bank.com", None);
        check("https://www.bank.co.uk/", "https://bank.co.uk/", None);
        check("https://other.co.uk/", "https://bank.co.uk/", Some(Doubt::Elsewhere));
        check("https://evil.com/", "Click here", None);
        check("https://evil.com/", "report.pdf", None);
        check("https://evil.com/", "ann@bank.com", None);
        check("https://evil.com/", "Visit bank.com today", None);
        check("mailto:ann@evil.com", "bank.com", None);
    }

    #[test]
    fn names_that_dress_up_are_doubted() {
        check("https://bank.com@evil.com/", "Log in", Some(Doubt::Disguised));
        check("https://192.0.2.1/", "Log in", Some(Doubt::Numeric));
        check("https://[2001:db8::1]/", "Log in", Some(Doubt::Numeric));
        // Cyrillic throughout, and a Latin name with one Cyrillic letter.
        check("https://аррӏе.com/", "Log in", Some(Doubt::LookAlike));
        check("https://pаypal.com/", "Log in", Some(Doubt::LookAlike));
        check("https://bücher.example/", "Bücher", None);
        check("https://почта.рф/", "Почта", None);
    }
}
