//! What a form and its answers say stands in the catalogue, in both languages, and fits the gaps.

use std::sync::Arc;
use std::time::Duration;

use relais_dnscheck::provider::{FormError, Hindrance, Obstacle, ProviderError, ProviderKind, Settings};
use relais_model::Secret;
use relais_testkit::{ManualClock, SeededRandom};
use relais_words::Language;

fn check((id, gaps): (&str, Vec<(&str, String)>)) {
    for language in Language::ALL {
        let filled = gaps.iter().map(|(name, words)| (*name, words.clone().into()));
        let said = language.say(id, filled);
        assert!(said != id && !said.contains('{'), "{id} in {}: {said}", language.code());
    }
}

#[test]
fn all_sentences_are_there() {
    for kind in ProviderKind::ALL {
        assert_eq!(ProviderKind::parse(kind.id()), Some(kind));
        check((kind.name(), Vec::new()));
        for field in kind.fields() {
            check((field.label, Vec::new()));
            check((field.help, Vec::new()));
        }
    }
    let said = || "words".to_owned();
    for error in [
        ProviderError::Refused { said: said() },
        ProviderError::NoZone { domain: said() },
        ProviderError::Busy { wait: Duration::from_secs(90), said: said() },
        ProviderError::Rejected { said: said() },
        ProviderError::Timeout,
        ProviderError::Unreachable(said()),
        ProviderError::Broken(said()),
        ProviderError::TooMuch,
        ProviderError::Hindered(Obstacle { name: said(), kind: said(), hindrance: Hindrance::Fixed }),
        ProviderError::Changed { sets: vec![said()] },
    ] {
        check(error.text());
    }
    for hindrance in [
        Hindrance::Alias(said()),
        Hindrance::Occupied(vec![said()]),
        Hindrance::Fixed,
        Hindrance::Unsupported,
        Hindrance::Outside,
    ] {
        check(hindrance.text());
    }
    check(FormError::Missing("x").text());
    check(FormError::Wrong("x").text());
    check(FormError::Tls(said()).text());
}

#[test]
fn a_form_says_which_field_is_wrong() {
    let open = |kind: ProviderKind, values: &[(&str, &str)]| {
        let settings: Settings = values.iter().map(|(id, value)| ((*id).to_owned(), Secret::new(*value))).collect();
        kind.open(&settings, Arc::new(ManualClock::default()), Arc::new(SeededRandom::default())).map(drop)
    };
    assert_eq!(open(ProviderKind::Gandi, &[]), Err(FormError::Missing("token")));
    assert_eq!(open(ProviderKind::Gandi, &[("token", " \n")]), Err(FormError::Missing("token")));
    assert_eq!(open(ProviderKind::Gandi, &[("token", "two words")]), Err(FormError::Wrong("token")));
    assert_eq!(open(ProviderKind::Gandi, &[("token", " pat_1\n")]), Ok(()));
    let ovh = |endpoint: &'static str| {
        [("endpoint", endpoint), ("application_key", "a"), ("application_secret", "b"), ("consumer_key", "c")]
    };
    assert_eq!(open(ProviderKind::Ovh, &ovh("mars")), Err(FormError::Wrong("endpoint")));
    assert_eq!(open(ProviderKind::Ovh, &ovh("ca")), Ok(()));
    assert_eq!(open(ProviderKind::Ovh, &ovh("")), Ok(()), "the first choice is taken");
    let bind = |secret: &'static str| [("server", "ns1.example.org"), ("key_name", "relais"), ("secret", secret)];
    assert_eq!(open(ProviderKind::Rfc2136, &bind("not base64")), Err(FormError::Wrong("secret")));
    assert_eq!(open(ProviderKind::Rfc2136, &bind("c2VjcmV0")), Ok(()));
}
