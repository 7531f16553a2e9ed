//! Signs of deceit that no statistics need: each is known by a rule, names what it saw, and has its points.

use relais_model::Domain;

use crate::look_alike::{How, registrable};

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Sign {
    /// The display name shows another address than the author's.
    AddressInName {
        /// As shown.
        shown: String,
        /// The author's domain.
        author: String,
    },
    /// The display name shows another domain than the author's.
    DomainInName {
        /// As shown.
        shown: String,
        /// The author's domain.
        author: String,
    },
    /// A domain is made like one that the account knows.
    LookAlike {
        /// As shown to people.
        domain: String,
        /// What it is like.
        known: String,
        /// In which way.
        how: How,
    },
    /// A domain mixes scripts as no language does.
    MixedScripts {
        /// As shown to people.
        domain: String,
    },
    /// Text that is there and that nobody sees.
    HiddenText {
        /// How much of it.
        words: usize,
    },
    /// A link shows one host and leads to another.
    LinkMismatch {
        /// The host shown.
        shown: String,
        /// The host led to.
        leads_to: String,
    },
    /// A program, by its name or its first octets.
    Program {
        /// The attachment's name, or that of the file in the archive.
        name: String,
    },
    /// A name that hides what it ends with: `bill.pdf.exe`, or letters that run backwards.
    DisguisedName {
        /// The attachment's name.
        name: String,
    },
    /// A document with macros.
    Macros {
        /// The attachment's name.
        name: String,
    },
    /// An archive that nobody can look into without a password.
    LockedArchive {
        /// The attachment's name.
        name: String,
    },
    /// Dated in the future, by whole days.
    DateAhead {
        /// How many.
        days: i64,
    },
    /// Dated long ago, by whole days.
    DateBehind {
        /// How many.
        days: i64,
    },
}

/// So many hidden words are no accident of a newsletter's preview line.
const MANY_HIDDEN_WORDS: usize = 60;

impl Sign {
    /// What the rule adds to the score, in the unit of its logarithm: 2.3 makes junk ten times as likely.
    pub fn points(&self) -> f32 {
        match self {
            Self::AddressInName { .. } => 2.5,
            Self::LookAlike { how: How::SameLook, .. } | Self::DisguisedName { .. } => 5.0,
            Self::LookAlike { how: How::OneSlip, .. } | Self::MixedScripts { .. } | Self::Macros { .. } => 3.0,
            Self::LookAlike { how: How::Inside, .. } => 2.0,
            Self::Program { .. } => 4.0,
            Self::DateAhead { .. } | Self::LockedArchive { .. } => 1.5,
            Self::HiddenText { words } if *words >= MANY_HIDDEN_WORDS => 1.0,
            // Shops write their domain into their name, newsletters count clicks, old mail is sent on: a hint, no more.
            Self::HiddenText { .. }
            | Self::DomainInName { .. }
            | Self::LinkMismatch { .. }
            | Self::DateBehind { .. } => 0.5,
        }
    }
}

/// Whether a display name shows an address or a domain that is not the author's.
pub(crate) fn forged_name(name: &str, author: &Domain) -> Option<Sign> {
    let own = registrable(author.as_str());
    let mut shown_domain = None;
    for word in name.split(|end: char| {
        end.is_whitespace() || matches!(end, '<' | '>' | '(' | ')' | '[' | ']' | '"' | '\'' | ',' | ';' | ':' | '|')
    }) {
        let (local, domain) = word.rsplit_once('@').map_or((None, word), |(local, domain)| (Some(local), domain));
        let Some(domain) = shown_as_domain(domain) else { continue };
        if registrable(&domain) == own {
            continue;
        }
        let author = author.to_unicode();
        match local {
            Some(local) if !local.is_empty() => return Some(Sign::AddressInName { shown: word.to_owned(), author }),
            _ => shown_domain = shown_domain.or(Some(Sign::DomainInName { shown: domain, author })),
        }
    }
    shown_domain
}

/// A word that people take for a domain: two labels or more, the last one of those that occur.
pub(crate) fn shown_as_domain(word: &str) -> Option<String> {
    /// Of the many that there are, those that people know, so that `e.g.` and `Node.js` are none.
    const ENDINGS: [&str; 42] = [
        "com", "net", "org", "edu", "gov", "info", "biz", "eu", "de", "fr", "uk", "it", "es", "nl", "be", "ch", "at",
        "pl", "ru", "ua", "cn", "jp", "kr", "in", "br", "ca", "au", "us", "io", "co", "me", "tv", "shop", "online",
        "site", "app", "dev", "bank", "xyz", "top", "ie", "se",
    ];
    let word = word.trim_end_matches('.');
    let (rest, ending) = word.rsplit_once('.')?;
    let is_name = rest.len() >= 3 && rest.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '.'));
    let is_known = ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
    let domain = (is_name && is_known && rest.contains(char::is_alphabetic)).then(|| Domain::parse(word).ok())??;
    Some(domain.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, author: &str, expected: Option<(bool, &str)>) {
        let found = match forged_name(name, &Domain::parse(author).unwrap()) {
            Some(Sign::AddressInName { shown, .. }) => Some((true, shown)),
            Some(Sign::DomainInName { shown, .. }) => Some((false, shown)),
            Some(other) => panic!("{other:?}"),
            None => None,
        };
        assert_eq!(found.as_ref().map(|(is_address, shown)| (*is_address, shown.as_str())), expected, "{name}");
    }

    #[test]
    fn a_name_must_not_show_who_it_isnt() {
        check("Ann Example", "a.example", None);
        check("boss@bank.com", "evil.example", Some((true, "boss@bank.com")));
        check("\"Boss\" <boss@bank.com>", "evil.example", Some((true, "boss@bank.com")));
        check("boss@bank.com", "mail.bank.com", None);
        check("PayPal.com", "evil.example", Some((false, "paypal.com")));
        check("Amazon.de Support", "amazon.de", None);
        check("service www.bank.com", "evil.example", Some((false, "www.bank.com")));
        check("J.R. Smith", "a.example", None);
        check("Dr. No (e.g. me)", "a.example", None);
        check("Node.js", "a.example", None);
        check("12.50", "a.example", None);
        check("@bank.com", "evil.example", Some((false, "bank.com")));
    }
}
