//! Who tells of mailboxes and domains that fill up, wired: in the language of the one who is told.

use std::sync::Arc;

use relais_model::{Address, Domain, Random, SystemRandom};
use relais_service::{QuotaLetter, QuotaNotice, Steward};
use relais_store::Store;
use relais_words::{Filling, Language};

use crate::config::Config;
use crate::letter::Letter;

/// The steward of a server.
pub(crate) fn steward(config: &Config, store: &Store) -> Steward {
    Steward::new(store.clone(), letter(config, store), Arc::new(SystemRandom))
}

fn letter(config: &Config, store: &Store) -> QuotaLetter {
    let (host, store) = (config.hostname.clone(), store.clone());
    Arc::new(move |notice: &QuotaNotice, to: &Address| {
        let settings = store.settings();
        let of_house = Language::parse(&settings.language).unwrap_or_default();
        let language = Language::parse(&notice.language).unwrap_or(of_house);
        write(notice, to, &host, &settings.house_name, language, &SystemRandom)
    })
}

fn write(
    notice: &QuotaNotice,
    to: &Address,
    host: &Domain,
    house: &str,
    language: Language,
    random: &dyn Random,
) -> Vec<u8> {
    let (subject, text) = if notice.is_domain {
        ("quota-mail-subject-domain", "quota-mail-text-domain")
    } else {
        ("quota-mail-subject", "quota-mail-text")
    };
    let percent = i64::try_from(notice.percent).unwrap_or(i64::MAX);
    let gaps = || [("name", Filling::from(notice.name.as_str())), ("percent", Filling::from(percent))];
    let lines = [language.say(text, gaps())];
    let subject = language.say(subject, gaps());
    Letter { at: notice.at, to, host, house, subject: &subject, lines: &lines }.write(random)
}

#[cfg(test)]
mod tests {
    use relais_message::Facts;
    use relais_model::Timestamp;
    use relais_testkit::SeededRandom;

    use super::*;

    #[test]
    fn people_are_told_in_their_language() {
        let host = Domain::parse("mx.example").unwrap();
        let to = Address::parse("ann@house.example").unwrap();
        for (is_domain, name, language, expected) in [
            (false, "ann@house.example", "en", "Your mailbox is 90 % full"),
            (true, "house.example", "en", "house.example is 90 % full"),
            (false, "ann@house.example", "fr", "Votre boîte est pleine à 90 %"),
        ] {
            let at = Timestamp::from_seconds(1_767_225_600);
            let notice =
                QuotaNotice { name: name.to_owned(), is_domain, percent: 90, at, language: language.to_owned() };
            let language = Language::parse(language).unwrap();
            let raw = write(&notice, &to, &host, "Post", language, &SeededRandom::new(1));
            assert_eq!(Facts::read(&raw).subject.replace('\u{a0}', " "), expected);
            assert!(String::from_utf8(raw).unwrap().lines().all(|line| line.len() < 998));
        }
    }
}
