use data_encoding::BASE64;
use proptest::prelude::*;
use relais_model::Secret;

use super::*;
use crate::{Mechanism, Offer};

const NAME: &str = "ann@example.org";
const PASSWORDS: [&str; 3] = ["first", "pencil", "third"];
const NONCE: [u8; NONCE_OCTETS] = *b"never twice, is it";

fn bindings() -> ChannelBindings {
    ChannelBindings { tls_exporter: Some([7; 32]), tls_server_end_point: Some(vec![9; 32]) }
}

fn known() -> Known {
    Known { verifier: verifier(), nonce: NONCE, bindings: bindings() }
}

fn verifier() -> Verifier {
    let keys = PASSWORDS.iter().map(|password| derive(password.as_bytes(), b"salt", MIN_ITERATIONS)).collect();
    Verifier { salt: b"salt".to_vec(), iterations: MIN_ITERATIONS, keys }
}

fn client(password: &str, bindings: &ChannelBindings) -> Client {
    Client::new(NAME, &Secret::new(password), &[3; NONCE_OCTETS], bindings).unwrap()
}

fn begin(mechanism: Mechanism) -> Exchange {
    Exchange::begin(mechanism, Offer { scram: true, under_tls: true })
}

fn ask(mechanism: Mechanism, first: &str) -> Option<Question> {
    match begin(mechanism).respond(BASE64.encode(first.as_bytes()).as_bytes()) {
        Progress::Ask(question) => Some(question),
        _ => None,
    }
}

fn challenge(progress: Progress) -> (Exchange, String) {
    let Progress::Continue(exchange) = progress else { panic!("no challenge: {progress:?}") };
    let said = exchange.challenge().to_owned();
    (exchange, said)
}

/// Runs a whole exchange; `change` may spoil the client's last message. The place of the password, if it was right.
fn run(client: &Client, mechanism: Mechanism, change: impl Fn(String) -> String) -> Option<usize> {
    let Progress::Ask(question) = begin(mechanism).respond(client.first().as_bytes()) else { return None };
    let (exchange, first) = challenge(question.answer(known()));
    let Proof { message, expected } = client.respond(&first).unwrap();
    let proof = change(String::from_utf8(BASE64.decode(message.as_bytes()).unwrap()).unwrap());
    match exchange.respond(BASE64.encode(proof.as_bytes()).as_bytes()) {
        Progress::Complete(Shown::Proof(None)) => None,
        progress => {
            let (exchange, last) = challenge(progress);
            assert_eq!(last, expected);
            let Progress::Complete(Shown::Proof(Some(place))) = exchange.respond(b"") else { panic!("not proven") };
            Some(place)
        }
    }
}

/// RFC 7677 §3, to the octet.
#[test]
fn the_example_of_rfc_7677() {
    let keys = derive(b"pencil", &BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap(), 4096);
    let first = ClientFirst::parse("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
    let server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    let awaited = AwaitedProof {
        first,
        keys: vec![keys],
        bound_to: b"n,,".to_vec(),
        nonce: "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".to_owned(),
        server_first: server_first.to_owned(),
        challenge: BASE64.encode(server_first.as_bytes()),
    };
    let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    let (_, said) = challenge(awaited.respond(last));
    let expected = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    assert_eq!(said, BASE64.encode(expected.as_bytes()));
}

#[test]
fn each_of_the_accounts_passwords_is_right() {
    for (place, password) in PASSWORDS.iter().enumerate() {
        let (plain, bound) = (client(password, &ChannelBindings::default()), client(password, &bindings()));
        assert_eq!(run(&plain, Mechanism::ScramSha256, |last| last), Some(place));
        assert_eq!(run(&bound, Mechanism::ScramSha256Plus, |last| last), Some(place));
        let end_point = ChannelBindings { tls_exporter: None, ..bindings() };
        assert_eq!(run(&client(password, &end_point), Mechanism::ScramSha256Plus, |last| last), Some(place));
    }
    assert_eq!(run(&client("fourth", &ChannelBindings::default()), Mechanism::ScramSha256, |last| last), None);
}

#[test]
fn what_was_said_to_another_nonce_or_over_another_connection_is_wrong() {
    let other = ChannelBindings { tls_exporter: Some([8; 32]), tls_server_end_point: None };
    assert_eq!(run(&client("pencil", &other), Mechanism::ScramSha256Plus, |last| last), None);
    let none = ChannelBindings::default();
    let replayed = |last: String| last.replace("r=AwMD", "r=BBBB");
    assert_eq!(run(&client("pencil", &none), Mechanism::ScramSha256, replayed), None);
    let rebound = |last: String| last.replace("c=biws", "c=eSws");
    assert_eq!(run(&client("pencil", &none), Mechanism::ScramSha256, rebound), None);
    let Progress::Ask(question) =
        begin(Mechanism::ScramSha256Plus).respond(client("pencil", &bindings()).first().as_bytes())
    else {
        panic!("it is a first message")
    };
    assert!(matches!(question.answer(Known { bindings: none, ..known() }), Progress::Malformed), "no TLS 1.3 here");
}

/// An account that has no such password, or isn't there.
#[test]
fn nobody_is_right_without_keys() {
    let client = client("pencil", &ChannelBindings::default());
    let Progress::Ask(question) = begin(Mechanism::ScramSha256).respond(client.first().as_bytes()) else {
        panic!("it is a first message")
    };
    let nobody = Verifier { keys: Vec::new(), ..verifier() };
    let (exchange, first) = challenge(question.answer(Known { verifier: nobody, ..known() }));
    let proof = client.respond(&first).unwrap().message;
    assert!(matches!(exchange.respond(proof.as_bytes()), Progress::Complete(Shown::Proof(None))));
}

#[test]
fn names_are_unescaped_and_prepared() {
    let check = |first: &str, expected: Option<(&str, Option<&str>)>| {
        let asked = ask(Mechanism::ScramSha256, first);
        let asked = asked.map(|asked| asked.wanted());
        let told = asked.as_ref().map(|asked| (asked.login_name.as_str(), asked.authorization.as_deref()));
        assert_eq!(told, expected, "{first}");
    };
    check("n,,n=user,r=abc", Some(("user", None)));
    check("n,,n=a=2Cb=3Dc,r=abc", Some(("a,b=c", None)));
    check("n,a=boss,n=user,r=abc,x=more", Some(("user", Some("boss"))));
    check("n,a=user,n=user,r=abc", Some(("user", None)));
    check("n,,n=I\u{ad}X,r=abc", Some(("IX", None))); // RFC 4013 §3
    check("n,,n=\u{2168},r=abc", Some(("IX", None)));
    for bad in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=user,r=",
        "n,,n=,r=abc",
        "n,,r=abc,n=user",
        "n,,m=x,n=user,r=abc",
        "n,,n=user,r=abc,m=x",
        "n,,n=user,r=abc,",
        "n,,n=user,r=a c",
        "n,,n=us=er,r=abc",
        "n,,n=user=2,r=abc",
        "n,,n=a=2éb,r=abc",
        "n,,n=\u{7},r=abc",
        "n,user,n=user,r=abc",
        "N,,n=user,r=abc",
        "y=,,n=user,r=abc",
        "n=x,,n=user,r=abc",
        "p=tls-unique,,n=user,r=abc",
    ] {
        check(bad, None);
    }
    check(&format!("n,,n=user,r={}", "a".repeat(257)), None);
    check(&format!("n,,n={},r=abc", "a".repeat(4096)), None);
}

/// RFC 5802 §6: the mechanism and the flag must be of one mind, and whoever says `y` was talked out of -PLUS.
#[test]
fn nobody_is_talked_out_of_channel_binding() {
    let first = |flag: &str| format!("{flag},,n=user,r=abc");
    for (mechanism, flag, is_taken) in [
        (Mechanism::ScramSha256, "n", true),
        (Mechanism::ScramSha256, "y", false),
        (Mechanism::ScramSha256, "p=tls-exporter", false),
        (Mechanism::ScramSha256Plus, "n", false),
        (Mechanism::ScramSha256Plus, "y", false),
        (Mechanism::ScramSha256Plus, "p=tls-exporter", true),
        (Mechanism::ScramSha256Plus, "p=tls-server-end-point", true),
    ] {
        assert_eq!(ask(mechanism, &first(flag)).is_some(), is_taken, "{mechanism:?} {flag}");
    }
    let without_tls = Exchange::begin(Mechanism::ScramSha256, Offer { scram: true, under_tls: false });
    let answer = without_tls.respond(BASE64.encode(first("y").as_bytes()).as_bytes());
    assert!(matches!(answer, Progress::Ask(_)), "where -PLUS isn't offered, `y` is the truth");
}

#[test]
fn a_client_trusts_no_server_that_makes_it_easy() {
    let answer = |first: &str| client("pencil", &ChannelBindings::default()).respond(&BASE64.encode(first.as_bytes()));
    let ours = BASE64.encode(&[3; NONCE_OCTETS]);
    assert!(answer(&format!("r={ours}x,s=c2FsdA==,i=4096")).is_some());
    for bad in ["i=4095", "i=5000001", "i=-1", "i=", ""] {
        assert_eq!(answer(&format!("r={ours}x,s=c2FsdA==,{bad}")), None, "{bad}");
    }
    assert_eq!(answer(&format!("r={ours},s=c2FsdA==,i=4096")), None, "a nonce of ours alone");
    assert_eq!(answer("r=other,s=c2FsdA==,i=4096"), None);
}

#[test]
fn keys_do_not_print() {
    assert_eq!(format!("{:?}", verifier().keys), "[…, …, …]");
}

proptest! {
    /// Whatever comes: no panic, and no proof.
    #[test]
    fn nothing_panics(first in ".{0,60}", last in ".{0,60}", name in "[a-z=,é]{0,20}", plus: bool) {
        let mechanism = if plus { Mechanism::ScramSha256Plus } else { Mechanism::ScramSha256 };
        let flag = if plus { "p=tls-exporter" } else { "n" };
        for first in [first, format!("{flag},,n={name},r=abc")] {
            let Some(question) = ask(mechanism, &first) else { continue };
            let Progress::Continue(exchange) = question.answer(known()) else { continue };
            let spoilt = format!("c=biws,r=abc{},p={last}", BASE64.encode(&NONCE));
            let progress = exchange.respond(BASE64.encode(spoilt.as_bytes()).as_bytes());
            prop_assert!(matches!(progress, Progress::Malformed | Progress::Complete(Shown::Proof(None))));
        }
    }

    /// What a client says of whatever name is understood.
    #[test]
    fn what_a_client_says_is_understood(name in "[a-zA-Z0-9=,@.+ ]{1,40}") {
        let client = Client::new(&name, &Secret::new("pencil"), &NONCE, &ChannelBindings::default()).unwrap();
        let Progress::Ask(question) = begin(Mechanism::ScramSha256).respond(client.first().as_bytes()) else {
            return Err(TestCaseError::fail("not understood"));
        };
        prop_assert_eq!(question.wanted().login_name, name);
    }
}
