//! Who tells of held mail, wired: in the language of the one who is told.

use std::sync::Arc;

use relais_message::format_date;
use relais_model::{Address, Domain, Random, SystemRandom};
use relais_service::{HoldLetter, HoldNotice, Warden};
use relais_store::Store;
use relais_words::{Filling, Language};

use crate::config::Config;
use crate::letter::{Letter, say};

/// The warden of a server.
pub(crate) fn warden(config: &Config, store: &Store) -> Warden {
    Warden::new(store.clone(), letter(config, store), Arc::new(SystemRandom))
}

fn letter(config: &Config, store: &Store) -> HoldLetter {
    let (host, store) = (config.hostname.clone(), store.clone());
    let origin = config.web.origins.first().cloned().unwrap_or_else(|| format!("https://{host}"));
    Arc::new(move |notice: &HoldNotice, to: &Address| {
        let settings = store.settings();
        let of_house = Language::parse(&settings.language).unwrap_or_default();
        let language = Language::parse(&notice.language).unwrap_or(of_house);
        write(notice, to, &host, &settings.house_name, &origin, language, &SystemRandom)
    })
}

fn write(
    notice: &HoldNotice,
    to: &Address,
    host: &Domain,
    house: &str,
    origin: &str,
    language: Language,
    random: &dyn Random,
) -> Vec<u8> {
    let address = || Filling::from(notice.address.as_str());
    let link = format!("{origin}/panel/people/{}/hold", notice.address);
    let (begin, end) =
        if notice.is_own { ("hold-mail-begin-own", "hold-mail-end-own") } else { ("hold-mail-begin", "hold-mail-end") };
    let lines = [
        language.say(begin, [("address", address()), ("at", Filling::from(format_date(notice.at)))]),
        String::new(),
        say(language, &notice.says),
        String::new(),
        language.say(end, [("link", Filling::from(link))]),
    ];
    let subject = language.say("hold-mail-subject", [("address", address())]);
    Letter { at: notice.at, to, host, house, subject: &subject, lines: &lines }.write(random)
}

#[cfg(test)]
mod tests {
    use relais_message::Facts;
    use relais_model::Timestamp;
    use relais_service::Text;
    use relais_testkit::SeededRandom;

    use super::*;

    #[test]
    fn account_and_owner_are_told_in_their_language() {
        let host = Domain::parse("mx.example").unwrap();
        let said = |is_own, language: &str| {
            let notice = HoldNotice {
                address: "ann@house.example".to_owned(),
                is_own,
                says: Text::new("hold-because-network").with("count", 20_u64).with("peer", "198.51.100.7"),
                at: Timestamp::from_seconds(1_767_225_600),
                language: language.to_owned(),
            };
            let (to, language) = (Address::parse("ann@house.example").unwrap(), Language::parse(language).unwrap());
            let raw = write(&notice, &to, &host, "Post", "https://mx.example", language, &SeededRandom::new(1));
            (Facts::read(&raw).subject, String::from_utf8(raw).unwrap())
        };
        let (subject, own) = said(true, "fr");
        assert_eq!(subject, "Le courrier de ann@house.example est retenu");
        assert!(own.contains("changez-le") && own.contains("198.51.100.7") && !own.contains("/panel/"), "{own}");
        let (subject, owners) = said(false, "en");
        assert_eq!(subject, "Mail of ann@house.example is held");
        assert!(owners.contains("https://mx.example/panel/people/ann@house.example/hold"), "{owners}");
        assert!(owners.lines().all(|line| line.len() < 998) && owners.contains("\r\n\r\n"), "{owners}");
    }
}
