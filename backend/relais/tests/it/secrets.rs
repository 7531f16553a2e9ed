//! What people trust us with stands in no log, however talkative, and whatever becomes of what they said. Each fixture reads its
//! server's log at the end, so that here things are only said, in as many ways as there are.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::BASE64;
use relais_testkit::secrets::Secrets;
use relais_testkit::wire::Wire;
use relais_testkit::{imap, smtp};

use crate::house::{House, codes};
use crate::relay::{Relay, plain};

const ANN: &str = "ann@relais.test";

impl House {
    /// Says each of `lines` at a door under TLS, each in a connection of its own, and waits for the end of all that is answered.
    fn say(&self, door: &str, goodbye: &str, lines: &[String]) {
        for line in lines {
            let mut wire = Wire::connect(self.server.port(door)).unwrap().into_tls(&self.trust).unwrap();
            wire.send(format!("{line}\r\n{goodbye}\r\n").as_bytes()).unwrap();
            while wire.line().is_ok() {}
        }
    }
}

/// SASL and each protocol's own words: right, wrong, malformed, too early, and too long.
#[test]
fn no_log_in_is_logged() {
    let house = House::open();
    let right = house.password(ANN);
    let passwords = [right, "unspeakable", "unspeakable \"quoted\" ü"];
    let long = format!("unspeakable{}", "x".repeat(20_000));
    let mut smtp = vec!["AUTH PLAIN unspeakable".to_owned(), "EHLO c.example\r\nAUTH unspeakable".to_owned()];
    let mut imap = vec!["a AUTHENTICATE PLAIN unspeakable".to_owned(), "a AUTHENTICATE unspeakable".to_owned()];
    let mut pop3 = vec!["AUTH PLAIN unspeakable".to_owned(), "PASS unspeakable".to_owned()];
    for password in passwords.into_iter().chain([long.as_str()]) {
        let (both, name) = (plain(ANN, password), BASE64.encode(ANN.as_bytes()));
        let alone = BASE64.encode(password.as_bytes());
        smtp.extend([
            format!("EHLO c.example\r\nAUTH PLAIN {both}"),
            format!("EHLO c.example\r\nAUTH PLAIN\r\n{both}"),
            format!("EHLO c.example\r\nAUTH LOGIN\r\n{name}\r\n{alone}"),
            format!("EHLO c.example\r\nAUTH PLAIN {both}x"),
            format!("AUTH PLAIN {both}"),
            password.to_owned(),
        ]);
        imap.extend([
            format!("a LOGIN {ANN} {{{}+}}\r\n{password}", password.len()),
            format!("a LOGIN {ANN} \"{}\"", password.replace('"', "\\\"")),
            format!("a LOGIN {ANN} {password}"),
            format!("a AUTHENTICATE PLAIN {both}"),
            format!("a AUTHENTICATE PLAIN\r\n{both}"),
            format!("a AUTHENTICATE LOGIN\r\n{name}\r\n{alone}"),
            format!("a AUTHENTICATE PLAIN {both}x"),
            password.to_owned(),
        ]);
        pop3.extend([
            format!("USER {ANN}\r\nPASS {password}"),
            format!("AUTH PLAIN {both}"),
            format!("AUTH PLAIN\r\n{both}"),
            format!("AUTH PLAIN {both}x"),
            password.to_owned(),
        ]);
    }
    house.say("submissions", "QUIT", &smtp);
    house.say("imaps", "z LOGOUT", &imap);
    house.say("pop3s", "QUIT", &pop3);
    let told = house.must(&["account", "list"], "");
    assert!(told.contains(ANN));
}

/// Subjects and bodies: filed, queued, searched, fetched, refused, broken off.
#[test]
fn no_mail_is_logged() {
    let house = House::open();
    let message = b"From: ann@relais.test\r\nSubject: unspeakable\r\n\r\nThe unspeakable body.\r\n";
    let to = ["ben@relais.test", "bob@elsewhere.example"];
    let taken = house.submitter(ANN).deliver(ANN, &to, message).unwrap().must(250).unwrap();
    let queue_id = taken.lines[0].rsplit(' ').next().unwrap();
    let loud = b"From: ben@relais.test\r\nSubject: unspeakable\r\n\r\nThe unspeakable body.\r\n";
    assert_eq!(codes(&house.submitter(ANN).deliver(ANN, &to, loud).unwrap()), "550 5.7.1");
    let mut lmtp = smtp::Client::connect_lmtp(house.lmtp()).unwrap();
    assert_eq!(codes(&lmtp.deliver("", &["ben@relais.test"], message).unwrap()), "250 2.0.0");
    let mut broken = Wire::connect(house.server.port("smtp")).unwrap();
    let begun = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<ann@relais.test>\r\nDATA\r\nSubject: unspeakable\r\n\r\nunspeakable\n";
    broken.send(begun.as_bytes()).unwrap();
    while !broken.line().unwrap().starts_with(b"354") {}
    drop(broken);
    let mut reader = imap::Client::connect_tls("127.0.0.1", house.server.port("imaps"), &house.trust).unwrap();
    reader.login("ben@relais.test", house.password("ben@relais.test")).unwrap();
    assert!(reader.append("INBOX", "", message).unwrap().is_ok());
    reader.must("SELECT INBOX").unwrap();
    let found = reader.must("SEARCH SUBJECT unspeakable BODY \"The unspeakable\"").unwrap();
    assert!(found.texts().any(|text| text == "SEARCH 6 7 8"), "{found:?}");
    for command in ["FETCH 1:* (ENVELOPE PREVIEW BODY[])", "SORT (SUBJECT) UTF-8 TEXT unspeakable"] {
        reader.must(command).unwrap();
    }
    house.must(&["queue", "show", queue_id], "");
    house.must(&["message", "trace", queue_id], "");
}

/// A relay's password: taken, and refused.
#[test]
fn no_password_of_a_relay_is_logged() {
    let relay = Relay::new("unspeakable");
    let house = House::with(&relay.configuration());
    let message = b"From: ann@relais.test\r\nSubject: unspeakable\r\n\r\nx\r\n";
    house.submitter(ANN).deliver(ANN, &["bob@elsewhere.example"], message).unwrap().must(250).unwrap();
    assert_eq!(relay.refuse_a_log_in(), format!("AUTH PLAIN {}", plain("relais", "unspeakable")));
    house.must(&["queue", "list"], "");
}

/// PostgreSQL's server as it begins: no TLS, asks for the password in the clear, and takes none.
fn refusing_postgres() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut message = [0; 1024];
            for answer in [&b"N"[..], b"R\0\0\0\x08\0\0\0\x03", b"E\0\0\0\x17SFATAL\0C28P01\0Mno\0\0"] {
                if stream.read(&mut message).is_err() || stream.write_all(answer).is_err() {
                    break;
                }
            }
        }
    });
    port
}

/// The database's password, where the database refuses it, and in a URL that isn't one.
#[test]
fn no_password_of_the_database_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relais.toml");
    let port = refusing_postgres();
    for (url, why) in [
        (format!("postgres://relais:unspeakable@127.0.0.1:{port}/relais"), "the database failed: "),
        ("postgres://relais:unspeakable@127.0.0.1:port/relais".to_owned(), "port"),
    ] {
        let config = format!(
            "hostname = \"mx.example\"\ndata = \"{}\"\ndatabase = \"{url}\"\nlog = {{ level = \"trace\" }}\n\
             web = {{ at = [], plain_at = [] }}\n",
            folder.path().join("data").display()
        );
        std::fs::write(&path, config).unwrap();
        let said = said(&path, &["serve"]);
        assert_eq!(Secrets::new([]).told_in(said.as_bytes()).unwrap(), None, "{url}");
        assert!(said.contains(why), "it says why it ended: {said}");
    }
}

/// What `relais` says until it ends.
fn said(config: &Path, arguments: &[&str]) -> String {
    let mut relais = Command::new(env!("CARGO_BIN_EXE_relais"));
    let done = relais.arg("--config").arg(config).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(!done.status.success());
    String::from_utf8([done.stdout, done.stderr].concat()).unwrap()
}
