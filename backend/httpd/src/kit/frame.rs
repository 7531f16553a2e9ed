//! What stands around every page: language, look, the way to the other pages, what came of the last act.

use std::time::Duration;

use std::borrow::Cow;

use relais_model::Timestamp;
use relais_service::{Gap, LogInView, Role, Text};
use relais_words::{Filling, Language};

use super::visit::{Flash, Visit};
use super::{State, Time};
use crate::{Web, path};

/// The frame, ready to be shown. Templates ask it for words.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    words: Language,
    now: Timestamp,
    /// The language's code.
    pub(crate) language: &'static str,
    /// The other languages: code and own name.
    pub(crate) languages: Vec<(&'static str, &'static str)>,
    /// `system`, `light` or `dark`.
    pub(crate) theme: &'static str,
    /// For the hidden field of each form.
    pub(crate) csrf: String,
    /// What stands before the names of scripts and style sheets.
    pub(crate) assets: String,
    /// Empty where nobody has signed in.
    pub(crate) navigation: Vec<Section>,
    /// Who has signed in.
    pub(crate) person: Option<Signature>,
    /// What came of the last act.
    pub(crate) flash: Option<ShownFlash>,
    /// What the house calls itself, and where people write who cannot get in; empty where nobody said.
    pub(crate) house: String,
    contact: String,
    /// Characters of a new password, at least.
    shortest_password: u64,
    /// The host's name.
    pub(crate) host: String,
}

/// A group of the navigation.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// May be empty.
    pub(crate) title: String,
    pub(crate) items: Vec<Item>,
}

/// One page to go to.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) href: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) title: String,
    pub(crate) is_current: bool,
    /// A number that asks for attention.
    pub(crate) badge: Option<String>,
}

/// Who has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) role: String,
}

/// What came of the last act, in words.
#[derive(Debug, Clone)]
pub(crate) struct ShownFlash {
    /// `ok`, `warn`, `bad` or `info`.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    /// A path that takes it back; empty where it can't be.
    pub(crate) undo: String,
}

/// Who may see a page, its path, icon, title.
type Entry = (Role, &'static str, &'static str, &'static str);

/// The pages of the panel, in groups.
const PAGES: [(&str, &[Entry]); 3] = [
    (
        "",
        &[
            (Role::HelpDesk, path::OVERVIEW, "overview", "nav-overview"),
            (Role::HelpDesk, path::DOMAINS, "domains", "nav-domains"),
            (Role::DomainAdmin, path::DNS, "dns", "nav-dns"),
            (Role::HelpDesk, path::PEOPLE, "people", "nav-people"),
            (Role::HelpDesk, path::TEAMS, "inbox", "nav-teams"),
            (Role::HelpDesk, path::ADDRESSES, "addresses", "nav-addresses"),
            (Role::HelpDesk, path::LISTS, "list", "nav-lists"),
        ],
    ),
    (
        "nav-mail",
        &[
            (Role::HelpDesk, path::QUEUE, "queue", "nav-queue"),
            (Role::HelpDesk, path::MESSAGES, "messages", "nav-messages"),
            (Role::HelpDesk, path::HOLDS, "pause", "nav-holds"),
            (Role::Owner, path::SUPPRESSED, "addresses", "nav-suppressed"),
        ],
    ),
    (
        "nav-house",
        &[
            (Role::HelpDesk, path::SECURITY, "security", "nav-security"),
            (Role::DomainAdmin, path::CERTIFICATES, "certificate", "nav-certificates"),
            (Role::HelpDesk, path::ACTIVITY, "activity", "nav-activity"),
            (Role::HelpDesk, path::KEYS, "keys", "nav-keys"),
            (Role::DomainAdmin, path::WEBHOOKS, "webhooks", "nav-webhooks"),
            (Role::Owner, path::SETTINGS, "settings", "nav-settings"),
            (Role::Owner, path::SYSTEM, "system", "nav-system"),
        ],
    ),
];

impl Frame {
    /// For this visit.
    pub(crate) fn of(web: &Web, visit: &Visit) -> Self {
        let words = visit.language;
        let house = web.access().house();
        let person = visit.signed_in.as_ref().map(|signed_in| Signature {
            name: signed_in.name.clone(),
            address: signed_in.actor.name.clone(),
            role: words.say(&format!("role-{}", signed_in.actor.role.as_str().replace('_', "-")), []),
        });
        let mut frame = Self {
            words,
            now: web.now(),
            language: words.code(),
            languages: Language::ALL.map(|language| (language.code(), language.own_name())).to_vec(),
            theme: visit.theme,
            csrf: visit.csrf.clone(),
            assets: web.assets().prefix().to_owned(),
            navigation: visit
                .signed_in
                .as_ref()
                .map(|who| navigation(words, who.actor.role, &visit.path))
                .unwrap_or_default(),
            person,
            flash: None,
            house: house.name,
            contact: house.contact.unwrap_or_default(),
            shortest_password: web.access().shortest_password(),
            host: web.host().to_unicode(),
        };
        frame.flash = visit.flash.as_ref().map(|Flash { kind, text, undo }| ShownFlash {
            kind: kind.as_str(),
            text: frame.tell(text),
            undo: undo.clone().unwrap_or_default(),
        });
        frame
    }

    /// The sentence of that name.
    pub(crate) fn say(&self, id: &str) -> String {
        self.fill(id, [])
    }

    /// With what someone came in: the app password's name, or a passkey, or more than a password; else empty.
    pub(crate) fn log_in_with(&self, row: &LogInView) -> String {
        match (&row.app_password, row.way) {
            (Some(name), _) => name.clone(),
            (None, "password") => String::new(),
            (None, way) => self.say(&format!("log-in-way-{}", way.replace('_', "-"))),
        }
    }

    /// What a new password must be.
    pub(crate) fn password_help(&self) -> String {
        self.tell(&Text::new("password-help").with("shortest", self.shortest_password))
    }

    /// Where people write who cannot get in; nothing where nobody said.
    pub(crate) fn contact_help(&self) -> Option<String> {
        let contact = self.contact.as_str();
        (!contact.is_empty()).then(|| self.tell(&Text::new("sign-in-contact").with("contact", contact)))
    }

    /// The sentence of that name about a number.
    pub(crate) fn count(&self, id: &str, count: u64) -> String {
        self.fill(id, [("count", i64::try_from(count).unwrap_or(i64::MAX).into())])
    }

    /// A sentence of the service's.
    pub(crate) fn tell(&self, text: &Text) -> String {
        tell(self.words, text)
    }

    /// Whether there is a sentence of that name.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.words.knows(id)
    }

    fn fill<'a>(&self, id: &str, gaps: impl IntoIterator<Item = (&'a str, Filling)>) -> String {
        #[cfg(test)]
        assert!(self.words.knows(id), "no sentence `{id}` in {}", self.language);
        self.words.say(id, gaps)
    }

    /// A moment, as it is said now.
    pub(crate) fn time(&self, at: Timestamp) -> Time {
        Time::of(self.words, at, self.now)
    }

    /// Whether it is not to come any more.
    pub(crate) fn is_past(&self, at: Timestamp) -> bool {
        at <= self.now
    }

    /// How a thing stands: `kind` gives its colour, `id` its word.
    pub(crate) fn state(&self, kind: &'static str, id: &str) -> State {
        State { kind, text: self.say(id) }
    }

    /// How long.
    pub(crate) fn span(&self, span: Duration) -> String {
        super::span(self.words, span)
    }

    /// So many octets.
    pub(crate) fn size(&self, octets: u64) -> String {
        super::size(self.words, octets)
    }

    /// A size as it stands in a field: `2.5 GB`, and nothing is lost; empty where there is no limit.
    pub(crate) fn typed_size(&self, octets: Option<u64>) -> String {
        let Some(octets) = octets else { return String::new() };
        let units =
            [("size-tb", 1_000_000_000_000), ("size-gb", 1_000_000_000), ("size-mb", 1_000_000), ("size-kb", 1000)];
        let Some((id, unit)) = units.into_iter().find(|(_, unit)| octets >= *unit && octets % (unit / 1000) == 0)
        else {
            return format!("{octets} B");
        };
        let number = format!("{}.{:03}", octets / unit, octets % unit / (unit / 1000));
        let number = number.trim_end_matches('0').trim_end_matches('.');
        let number = if self.words == Language::French { number.replace('.', ",") } else { number.to_owned() };
        self.fill(id, [("number", number.into())])
    }

    /// A number.
    pub(crate) fn number(&self, number: u64) -> String {
        super::number(self.words, number)
    }
}

#[cfg(test)]
impl Frame {
    /// Around a page of a test: Ann's, with this role.
    pub(crate) fn sample(words: Language, role: Role) -> Self {
        Self {
            words,
            now: Timestamp::from_millis(1_795_428_000_000),
            language: words.code(),
            languages: Language::ALL.map(|language| (language.code(), language.own_name())).to_vec(),
            theme: "system",
            csrf: "token".to_owned(),
            house: "Relais".to_owned(),
            contact: String::new(),
            shortest_password: 8,
            assets: "/assets/0".to_owned(),
            navigation: navigation(words, role, path::DOMAINS),
            person: Some(Signature {
                name: "Ann Lee".to_owned(),
                address: "ann@example.org".to_owned(),
                role: words.say("role-owner", []),
            }),
            flash: None,
            host: "mx.example.org".to_owned(),
        }
    }
}

/// A sentence of the service's, in `language`.
pub(crate) fn tell(language: Language, text: &Text) -> String {
    let gap = |(name, gap): &(Cow<'static, str>, Gap)| {
        let filling = match gap {
            Gap::Number(number) => Filling::from(*number),
            Gap::Words(words) => Filling::from(words.as_str()),
        };
        (name.clone(), filling)
    };
    let gaps: Vec<_> = text.gaps.iter().map(gap).collect();
    language.say(&text.id, gaps.iter().map(|(name, filling)| (name.as_ref(), filling.clone())))
}

fn navigation(words: Language, role: Role, path: &str) -> Vec<Section> {
    let item = |(least, href, icon, title): &(Role, &'static str, &'static str, &str)| {
        (*least <= role).then(|| Item {
            href,
            icon,
            title: words.say(title, []),
            is_current: is_below(path, href),
            badge: None,
        })
    };
    let title = |id: &str| if id.is_empty() { String::new() } else { words.say(id, []) };
    let section = |(id, pages): &(&str, &[(Role, &'static str, &'static str, &str)])| {
        let items: Vec<_> = pages.iter().filter_map(item).collect();
        (!items.is_empty()).then(|| Section { title: title(id), items })
    };
    let mut sections: Vec<_> = PAGES.iter().filter_map(section).collect();
    let account = Item {
        href: path::ACCOUNT,
        icon: "account",
        title: words.say("nav-account", []),
        is_current: is_below(path, path::ACCOUNT),
        badge: None,
    };
    let mail =
        Item { href: path::MAIL, icon: "inbox", title: words.say("nav-webmail", []), is_current: false, badge: None };
    sections.push(Section { title: words.say("nav-you", []), items: vec![mail, account] });
    sections
}

/// The overview stands above all other pages: only its own path is it.
fn is_below(path: &str, href: &str) -> bool {
    path == href || (href != path::OVERVIEW && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
}
