//! What the keeper of the house does at the command line.

use relais_testkit::smtp::Client;

use crate::house::{House, codes};

#[test]
fn the_queue_is_listed_held_released_and_emptied() {
    let house = House::open();
    let message = b"From: ann@relais.test\r\nSubject: out\r\n\r\nx\r\n";
    let recipients = ["bob@elsewhere.example", "eve@other.example"];
    let reply = house.submitter("ann@relais.test").deliver("ann@relais.test", &recipients, message).unwrap();
    let id = reply.must(250).unwrap().lines[0].rsplit(' ').next().unwrap().to_owned();

    let states = || -> Vec<String> {
        let rows = house.rows(&["queue", "list", "--sender", "ann@relais.test"]);
        rows.iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(), ["waiting", "waiting"]);
    house.must(&["queue", "hold", "--destination", "other.example"], "");
    assert_eq!(house.rows(&["queue", "list", "--destination", "other.example"])[0]["state"], "held");
    assert_eq!(house.rows(&["queue", "list", "--destination", "elsewhere.example"])[0]["state"], "waiting");
    house.must(&["queue", "release", &id], "");
    assert_eq!(states(), ["waiting", "waiting"]);
    house.must(&["queue", "retry", "--all"], "");
    let shown = house.must(&["queue", "show", &id], "");
    assert!(recipients.iter().all(|recipient| shown.contains(recipient)), "{shown}");
    house.must(&["queue", "remove", &id], "");
    assert!(states().is_empty());
    assert!(!house.command(&["queue", "show", &id], "").0, "what is gone cannot be shown");

    let story = house.must(&["message", "trace", &id, "--json"], "");
    let story: serde_json::Value = serde_json::from_str(&story).unwrap();
    let kinds: Vec<&str> =
        story["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"queued") && kinds.contains(&"removed"), "{kinds:?}");
    assert!(!house.rows(&["message", "trace", "eve@other.example"]).is_empty());
    assert!(house.rows(&["message", "trace", "nobody@other.example"]).is_empty());
}

/// Each made by the system it comes from, of the password `correct horse`.
const HASHES: &[(&str, &str)] = &[
    (
        "argon",
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$jX0HC2/uCn21vmT3bIPH1Q$7fAYj9MWuput0TZpFA8SnFdeMxV4GOx37lL/BabTB74",
    ),
    ("pbkdf", "{PBKDF2}$1$uiFYtoPw2K1MDm3i$5000$4bd2e299b48b1690a792250f47633f60882f2362"),
    ("blowfish", "{BLF-CRYPT}$2y$05$dgaUIJbu2BZvMVJtuIkDQOmKWb/nyzdGH9cL8XROI5NZRndKYy.GG"),
    ("ssha", "{SSHA512}mpmCl2ofUUa9Tjo5osCoV55vwBWXyuzI3Eme/hdZIriGuwXwp82joKjvIVhnO3qON8GMJ55C7suhKd0jBG4/PeAOv0M="),
    (
        "crypt",
        "{SHA512-CRYPT}$6$SupYE0bLNaU6mkcv$zxKUt10yTGs/GUTWSeOmb1Mn0zdpXnChMv1VrIfQk2.EklYJjcIMFQuZl6HZLG1PCUOxP8IlSoriPDtn4/vwC/",
    ),
];

/// People move in with the passwords that they have, and go on with them after the hash was renewed.
#[test]
fn accounts_of_other_systems_are_imported() {
    let house = House::open();
    let lines = HASHES.iter().map(|(who, hash)| format!("{who}@relais.test,Some One,\"{hash}\"\n"));
    let csv = "address,name,hash\n".to_owned() + &lines.collect::<String>() + "odd@relais.test,Odd,{ROT13}frperg\n";
    let (is_done, said) = house.command(&["account", "import", "-"], &csv);
    assert!(!is_done, "one line was refused: {said}");
    assert!(said.contains("5 accounts added, 1 lines refused") && said.contains("line 7"), "{said}");
    assert!(!said.contains("frperg"), "a refused hash is not repeated: {said}");
    let log_in = |who: &str, password: &str| {
        let mut client = Client::connect_tls(house.server.port("submissions"), &house.trust).unwrap();
        client.log_in(&format!("{who}@relais.test"), password)
    };
    for (who, _) in HASHES {
        assert!(log_in(who, "correct horsE").is_err(), "{who}");
        log_in(who, "correct horse").unwrap();
        log_in(who, "correct horse").unwrap();
    }
    house.must(&["account", "passwd", "crypt@relais.test"], "unspeakable one\n");
    assert!(log_in("crypt", "correct horse").is_err(), "the old password is over at once");
    log_in("crypt", "unspeakable one").unwrap();
}

/// RFC 2033 §4.2: each recipient has a reply of its own.
#[test]
fn lmtp_answers_for_each_recipient() {
    let house = House::open();
    house.must(&["account", "add", "small@relais.test", "--quota", "1K"], "unspeakable password\n");
    let message = format!("Subject: unspeakable, large\r\n\r\n{}\r\n", "x".repeat(900)).repeat(3);
    let mut client = Client::connect_lmtp(house.lmtp()).unwrap();
    let recipients = ["ann@relais.test", "small@relais.test", "ben@relais.test"];
    let first = client.deliver("a@b.example", &recipients, message.as_bytes()).unwrap();
    assert_eq!(codes(&first), "250 2.0.0");
    assert_eq!(codes(&client.reply().unwrap()), "452 4.2.2");
    assert_eq!(codes(&client.reply().unwrap()), "250 2.0.0");
    assert!(house.newest("ben@relais.test").contains("Subject: unspeakable, large"));
}
