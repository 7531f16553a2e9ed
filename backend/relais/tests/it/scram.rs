//! App passwords, SCRAM and tokens at all doors under real TLS: bound to the connection, to the certificate, and to nothing.

use relais_model::Secret;
use relais_sasl::scram::{ChannelBindings, Client, NONCE_OCTETS, Proof};
use relais_testkit::wire::Wire;
use sha2::{Digest as _, Sha256};

use crate::house::House;

const ANN: &str = "ann@relais.test";
/// What is said before AUTH, AUTH itself, a challenge's beginning, and the end of a log-in that was granted.
const DOORS: [(&str, &str, &str, &str, &str); 3] = [
    ("submissions", "EHLO c.example\r\n", "AUTH", "334 ", "235 "),
    ("imaps", "", "a AUTHENTICATE", "+ ", "a OK "),
    ("pop3s", "", "AUTH", "+ ", "+OK "),
];

/// To what a log-in is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Not,
    ToExporter,
    ToCertificate,
    /// As who sits between client and server would have it: to another connection.
    Elsewhere,
}

/// Logs in with a chosen binding; what the server says at the end.
fn log_in(house: &House, door: (&str, &str, &str, &str, &str), password: &str, bound: Bound) -> String {
    let (name, before, auth, challenge, _) = door;
    let mut wire = Wire::connect(house.server.port(name)).unwrap().into_tls(&house.trust).unwrap();
    let exporter = wire.tls_exporter().unwrap();
    let certificate = Sha256::digest(wire.certificate().unwrap()).to_vec();
    let bindings = match bound {
        Bound::Not => ChannelBindings::default(),
        Bound::ToExporter => ChannelBindings { tls_exporter: Some(exporter), tls_server_end_point: None },
        Bound::Elsewhere => ChannelBindings { tls_exporter: Some([1; 32]), tls_server_end_point: None },
        Bound::ToCertificate => ChannelBindings { tls_exporter: None, tls_server_end_point: Some(certificate) },
    };
    let mechanism = if bound == Bound::Not { "SCRAM-SHA-256" } else { "SCRAM-SHA-256-PLUS" };
    let client = Client::new(ANN, &Secret::new(password), &[5; NONCE_OCTETS], &bindings).unwrap();
    wire.send(format!("{before}{auth} {mechanism} {}\r\n", client.first()).as_bytes()).unwrap();
    let first = loop {
        let line = String::from_utf8(wire.line().unwrap()).unwrap();
        if let Some(first) = line.strip_prefix(challenge) {
            break first.to_owned();
        }
    };
    let Proof { message, expected } = client.respond(&first).unwrap();
    wire.send(format!("{message}\r\n").as_bytes()).unwrap();
    let answer = String::from_utf8(wire.line().unwrap()).unwrap();
    let Some(signature) = answer.strip_prefix(challenge) else { return answer };
    assert_eq!(signature, expected);
    wire.send(b"\r\n").unwrap();
    String::from_utf8(wire.line().unwrap()).unwrap()
}

#[test]
fn an_app_password_opens_all_doors_by_scram() {
    let house = House::open();
    let made = house.must(&["account", "app-password", "add", ANN, "--name", "Phone"], "");
    let password = made.trim_end();
    for door in DOORS {
        for bound in [Bound::Not, Bound::ToExporter, Bound::ToCertificate] {
            let answer = log_in(&house, door, password, bound);
            assert!(answer.starts_with(door.4), "{} {bound:?}: {answer}", door.0);
        }
        let answer = log_in(&house, door, password, Bound::Elsewhere);
        assert!(!answer.starts_with(door.4), "{}: {answer}", door.0);
        let answer = log_in(&house, door, house.password(ANN), Bound::ToExporter);
        assert!(!answer.starts_with(door.4), "{}: {answer}", door.0);
    }
    let rows = house.rows(&["account", "app-password", "list", ANN]);
    assert_eq!((rows[0]["name"].as_str(), rows.len()), (Some("Phone"), 1));
}

/// RFC 7628 §3.2: at each door a token of the house's is a way in; a wrong one is told why first, and refused once that was heard.
#[test]
fn a_token_opens_all_doors() {
    let house = House::open();
    let add = ["account", "app-password", "add", ANN, "--name", "Script", "--token", "--days", "30"];
    let made = house.must(&add, "");
    let token = made.trim_end();
    let message = |token: &str| {
        let oauthbearer = format!("n,a={ANN},\u{1}auth=Bearer {token}\u{1}\u{1}");
        let xoauth2 = format!("user={ANN}\u{1}auth=Bearer {token}\u{1}\u{1}");
        [("OAUTHBEARER", relais_sasl::encode(&oauthbearer)), ("XOAUTH2", relais_sasl::encode(&xoauth2))]
    };
    for (name, before, auth, challenge, end) in DOORS {
        let say = |mechanism: &str, response: &str| {
            let mut wire = Wire::connect(house.server.port(name)).unwrap().into_tls(&house.trust).unwrap();
            wire.send(format!("{before}{auth} {mechanism} {response}\r\n").as_bytes()).unwrap();
            loop {
                let line = String::from_utf8(wire.line().unwrap()).unwrap();
                let is_before = line.starts_with("220") || line.starts_with("250") || line.starts_with("* OK");
                if !is_before && !line.contains("ready") {
                    break (line, wire);
                }
            }
        };
        for (mechanism, response) in message(token) {
            let (line, _) = say(mechanism, &response);
            assert!(line.starts_with(end), "{name} {mechanism}: {line}");
        }
        for (mechanism, response) in message("relais_mail_wrong") {
            let (line, mut wire) = say(mechanism, &response);
            assert!(line.starts_with(&format!("{challenge}eyJzdGF0dXMi")), "{name} {mechanism}: {line}");
            wire.send(b"AQ==\r\n").unwrap();
            let line = String::from_utf8(wire.line().unwrap()).unwrap();
            assert!(!line.starts_with(end) && !line.starts_with(challenge), "{name} {mechanism}: {line}");
        }
    }
    let rows = house.rows(&["account", "app-password", "list", ANN]);
    assert_eq!((rows[0]["kind"].as_str(), rows.len()), (Some("token"), 1));
    assert!(rows[0]["expires_at"].is_string(), "{rows:?}");
    house.must(&["account", "app-password", "remove", ANN, "Script"], "");
    let (is_done, said) = house.command(&["account", "app-password", "add", ANN, "--name", "X", "--days", "3"], "");
    assert!(!is_done, "days are a token's: {said}");
}

#[test]
fn app_passwords_are_kept_at_the_command_line() {
    let house = House::open();
    let add = ["account", "app-password", "add", ANN, "--name"];
    let made = house.must(&[&add[..], &["Phone", "--protocols", "imap,pop3"]].concat(), "");
    assert_eq!(made.trim_end().len(), 23, "{made}");
    let (is_done, said) = house.command(&[&add[..], &["Phone"]].concat(), "");
    assert!(!is_done && said.contains("one of this name"), "{said}");
    let (is_done, said) = house.command(&[&add[..], &["Fax", "--protocols", "fax"]].concat(), "");
    assert!(!is_done && said.contains("imap, pop3 or smtp"), "{said}");
    let listed = house.must(&["account", "app-password", "list", ANN], "");
    assert!(listed.contains("Phone  imap,pop3  password  20") && !listed.contains(made.trim_end()), "{listed}");
    let remove = ["account", "app-password", "remove", ANN, "Phone"];
    assert!(house.must(&remove, "").contains("is gone"));
    let (is_done, said) = house.command(&remove, "");
    assert!(!is_done && said.contains("This app password is not here"), "{said}");
    assert_eq!(house.must(&["bans"], ""), "Nothing here.\n");
    assert_eq!(house.must(&["unban", "--all"], ""), "0 bans lifted\n");
    assert!(!house.command(&["unban"], "").0);
}
