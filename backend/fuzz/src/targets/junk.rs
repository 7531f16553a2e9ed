//! The spam filter: features of any message, and the bytes of models.

use relais_junk::{Class, Features, MAX_FEATURES, MAX_OWN_OCTETS, Own, Surroundings};
use relais_message::Structure;
use relais_model::Domain;

/// Features are bounded, and what was learnt of them is unlearnt.
pub(crate) fn features(raw: &[u8]) {
    let known: Vec<Domain> = Domain::parse("housebank.example").into_iter().collect();
    let surroundings = Surroundings { known_domains: &known, ..Surroundings::default() };
    let features = Features::of(raw, &Structure::read(raw), &surroundings);
    assert!(features.len() <= MAX_FEATURES);
    let mut own = Own::default();
    own.learn(&features, Class::Junk);
    let bytes = own.to_bytes();
    assert!(bytes.len() <= MAX_OWN_OCTETS);
    assert_eq!(Own::from_bytes(&bytes).as_ref(), Ok(&own));
    own.unlearn(&features, Class::Junk);
    assert_eq!(own, Own::default());
}

/// Bytes that are read as a model are written as the same.
pub(crate) fn model(bytes: &[u8]) {
    if let Ok(own) = Own::from_bytes(bytes) {
        assert_eq!(own.to_bytes(), bytes);
    }
}
