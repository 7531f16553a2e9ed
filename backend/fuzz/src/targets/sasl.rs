//! SASL: SCRAM's exchange and tokens, also as a part of the sessions.

use relais_sasl::scram::{ChannelBindings, Keys, Known, Verifier};
use relais_sasl::{Exchange, Mechanism, Offer, Progress, Shown, encode};

/// What is known of everybody: passwords that nobody has.
pub(crate) fn known() -> Known {
    let keys = Keys { stored_key: [1; 32], server_key: [2; 32] };
    let verifier = Verifier { salt: b"salt".to_vec(), iterations: 4096, keys: vec![keys.clone(), keys] };
    let bindings = ChannelBindings { tls_exporter: Some([7; 32]), tls_server_end_point: Some(vec![9; 48]) };
    Known { verifier, nonce: *b"never twice, is it", bindings }
}

/// Two lines are a client's two messages. Whatever they are, nobody is let in who has no password, and a refused token opens nothing.
pub(crate) fn scram(octets: &[u8]) {
    let Ok(text) = str::from_utf8(octets) else { return };
    let (first, last) = text.split_once('\n').unwrap_or((text, ""));
    for mechanism in [Mechanism::OauthBearer, Mechanism::Xoauth2] {
        let exchange = Exchange::begin(mechanism, Offer { scram: true, under_tls: true });
        let progress = exchange.respond(encode(first).as_bytes());
        let Progress::Complete(Shown::Token(bearer)) = progress else { continue };
        assert!(!bearer.token.expose().is_empty());
        assert!(matches!(bearer.refusal().respond(last.as_bytes()), Progress::Refused));
    }
    for mechanism in [Mechanism::ScramSha256, Mechanism::ScramSha256Plus] {
        for under_tls in [false, true] {
            let exchange = Exchange::begin(mechanism, Offer { scram: true, under_tls });
            let Progress::Ask(question) = exchange.respond(encode(first).as_bytes()) else { continue };
            assert!(!question.wanted().login_name.is_empty());
            let Progress::Continue(exchange) = question.answer(known()) else { continue };
            assert!(!exchange.challenge().is_empty());
            match exchange.respond(encode(last).as_bytes()) {
                Progress::Malformed | Progress::Complete(Shown::Proof(None)) => {}
                other => panic!("without a password: {other:?}"),
            }
        }
    }
}
