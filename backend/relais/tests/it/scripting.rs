//! Scripts from one end to the other: kept by command line and ManageSieve, run over mail that comes by SMTP.

use relais_testkit::imap;
use relais_testkit::wire::Wire;

use crate::house::{House, codes};

const ANN: &str = "ann@relais.test";
const BEN: &str = "ben@relais.test";

fn line(wire: &mut Wire) -> String {
    String::from_utf8(wire.line().unwrap()).unwrap()
}

/// Says it; the lines up to the one that ends the answer.
fn ask(wire: &mut Wire, command: &str) -> Vec<String> {
    wire.send(format!("{command}\r\n").as_bytes()).unwrap();
    answer(wire)
}

fn answer(wire: &mut Wire) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        lines.push(line(wire));
        let last = lines.last().unwrap();
        if ["OK", "NO", "BYE"].iter().any(|end| last.starts_with(end)) {
            return lines;
        }
    }
}

fn literal(text: &str) -> String {
    format!("{{{}+}}\r\n{text}", text.len())
}

/// A session that has logged in over STARTTLS.
fn manage(house: &House, address: &str, password: &str) -> Wire {
    let mut wire = Wire::connect(house.server.port("sieve")).unwrap();
    let greeting = answer(&mut wire).join("\n");
    assert!(greeting.contains("\"STARTTLS\"") && greeting.contains("\"VERSION\" \"1.0\""), "{greeting}");
    assert!(!greeting.contains("PLAIN"), "nobody logs in without TLS: {greeting}");
    assert!(ask(&mut wire, "AUTHENTICATE \"PLAIN\" \"AGFubgB4\"")[0].starts_with("NO"));
    assert!(ask(&mut wire, "STARTTLS")[0].starts_with("OK"));
    let mut wire = wire.into_tls(&house.trust).unwrap();
    let greeting = answer(&mut wire).join("\n");
    assert!(greeting.contains("PLAIN") && greeting.contains("vacation"), "{greeting}");
    let plain = data_encoding::BASE64.encode(format!("\0{address}\0{password}").as_bytes());
    let said = ask(&mut wire, &format!("AUTHENTICATE \"PLAIN\" \"{plain}\""));
    assert!(said.last().unwrap().starts_with("OK"), "{said:?}");
    wire
}

fn deliver(house: &House, to: &str, subject: &str) -> String {
    let mut client = house.submitter(ANN);
    let message = format!("From: {ANN}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nHello.\r\n");
    codes(&client.deliver(ANN, &[to], message.as_bytes()).unwrap())
}

fn count(house: &House, of: &str, mailbox: &str) -> usize {
    let mut client = imap::Client::connect_tls("127.0.0.1", house.server.port("imaps"), &house.trust).unwrap();
    client.login(of, house.password(of)).unwrap();
    let said = client.must(format!("STATUS {mailbox} (MESSAGES)")).unwrap();
    let text = said.texts().find(|text| text.contains("MESSAGES")).unwrap();
    text.split("MESSAGES ").nth(1).unwrap().trim_end_matches(')').trim().parse().unwrap()
}

#[test]
fn a_script_goes_its_whole_way() {
    let house = House::open();
    let inbox = count(&house, BEN, "INBOX");
    let (is_done, said) = house.command(&["sieve", "check", "-"], "keep;\nfilein \"x\";\n");
    assert!(!is_done && said.starts_with("2:1: "), "{said}");
    let recipes = ":0\n* ^Subject:.*chess\n$HOME/Mail/chess\n:0\n| formail -A x\n";
    let (is_whole, said) = house.command(&["sieve", "import", "-", "--from", "procmail"], recipes);
    assert!(!is_whole && said.contains("fileinto") && said.contains("formail"), "{said}");
    let put = ["sieve", "put", "mine", "-", "--account", BEN, "--activate"];
    let (is_done, said) = house.command(&put, "kep;");
    assert!(!is_done && said.contains("script:1:1: "), "{said}");
    house.must(
        &put,
        "require [\"fileinto\", \"mailbox\"]; if header :contains \"subject\" \"team\" { fileinto :create \"Team\"; }",
    );
    assert_eq!(deliver(&house, BEN, "the team"), "250 2.0.0");
    assert_eq!((count(&house, BEN, "Team"), count(&house, BEN, "INBOX")), (1, inbox));

    let password = house.must(&["account", "app-password", "add", BEN, "--name", "Phone", "--protocols", "imap"], "");
    let mut wire = manage(&house, BEN, password.trim_end());
    assert_eq!(ask(&mut wire, "LISTSCRIPTS")[0], "\"mine\" ACTIVE");
    let faulty = ask(&mut wire, &format!("PUTSCRIPT \"other\" {}", literal("kep;"))).join("\n");
    assert!(faulty.starts_with("NO") && faulty.contains("line 1, column 1"), "{faulty}");
    let script = "require \"reject\"; reject \"No thanks.\";";
    assert!(ask(&mut wire, &format!("PUTSCRIPT \"other\" {}", literal(script)))[0].starts_with("OK"));
    assert!(ask(&mut wire, "SETACTIVE \"other\"")[0].starts_with("OK"));
    assert!(ask(&mut wire, "DELETESCRIPT \"other\"")[0].contains("ACTIVE"));
    assert_eq!(deliver(&house, BEN, "the team"), "550 5.7.1");
    assert!(ask(&mut wire, "SETACTIVE \"\"")[0].starts_with("OK"));
    assert_eq!(deliver(&house, BEN, "the team"), "250 2.0.0");
    assert_eq!(count(&house, BEN, "INBOX"), inbox + 1);
    assert!(ask(&mut wire, "LOGOUT")[0].starts_with("OK"));

    let listed = house.rows(&["sieve", "list", "--account", BEN]);
    assert_eq!(listed.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), ["mine", "other"]);
    assert!(house.must(&["sieve", "get", "other", "--account", BEN], "").contains("No thanks."));
    house.must(&["sieve", "remove", "other", "--account", BEN], "");
    house.must(&["sieve", "put", "before", "-"], "discard;");
    assert_eq!(deliver(&house, BEN, "for all"), "250 2.0.0");
    assert_eq!(count(&house, BEN, "INBOX"), inbox + 1, "the house's own comes first");
}
