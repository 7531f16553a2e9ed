//! What the machine that the house stands on has of it: its programs' mail, and the test of every door.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::house::House;

/// The program called as sendmail: its exit code, and what it complained of.
fn sendmail(house: &House, words: &[&str], message: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relais"));
    command.arg0("/usr/sbin/sendmail").args(words).env("LOGNAME", "www-data");
    command.env("RELAIS_SMTP", format!("127.0.0.1:{}", house.server.port("smtp")));
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // What refuses its words doesn't read on.
    drop(child.stdin.take().unwrap().write_all(message.as_bytes()));
    let done = child.wait_with_output().unwrap();
    (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
}

/// As Debian's cron calls it, for a user who may read nothing of the house's.
#[test]
fn crons_mail_reaches_the_postmaster() {
    let house = House::open();
    let words = ["-i", "-FCronDaemon", "-B8BITMIME", "-oem", "root"];
    let message = "From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> backup\n\n.\nit is full\n";
    assert_eq!(sendmail(&house, &words, message), (0, String::new()));
    let read = house.newest("ann@relais.test");
    assert!(read.contains("Return-Path: <www-data@localhost>"), "{read}");
    assert!(read.contains("\r\n\r\n.\r\nit is full\r\n"), "{read}");
    assert!(read.contains("\r\nMessage-ID: ") && read.contains("\r\nDate: ") || read.contains("Date: "), "{read}");
}

#[test]
fn a_program_of_this_machine_may_no_more_than_a_stranger() {
    let house = House::open();
    let check = |words: &[&str], message: &str, code: i32, complaint: &str| {
        let (found, said) = sendmail(&house, words, message);
        assert_eq!(found, code, "{words:?}: {said}");
        assert!(said.contains(complaint), "{words:?}: {said}");
    };
    check(&["x@elsewhere.example"], "Subject: x\n\nx\n", 69, "550 5.7.1 Relay denied");
    check(&["nobody.such@relais.test"], "Subject: x\n\nx\n", 67, "550 5.1.1");
    check(&["-t"], "Subject: to nobody\n\nx\n", 64, "name a recipient");
    check(&["-bs"], "", 64, "not known");

    let message = "From: Ben <ben@relais.test>\nTo: root, Ann <ann@relais.test>\nBcc: chloe@relais.test\n\nhello\n";
    check(&["-t", "-f", ""], message, 0, "");
    for reader in ["ann@relais.test", "chloe@relais.test"] {
        let read = house.newest(reader);
        assert!(read.contains("Return-Path: <>") && read.contains("hello") && !read.contains("Bcc"), "{read}");
    }
    check(&["chloe@relais.test"], "no header at all\n", 0, "");
    let read = house.newest("chloe@relais.test");
    assert!(read.contains("From: www-data@localhost\r\n") && read.ends_with("\r\n\r\nno header at all\r\n)"), "{read}");
}

#[test]
fn every_door_is_tried_and_nothing_of_it_is_left() {
    let house = House::open();
    let before = house.rows(&["domain", "list"]);
    for _ in 0..2 {
        let said = house.must(&["self-test"], "");
        assert!(said.lines().count() >= 17 && !said.contains("FAIL"), "{said}");
        for door in
            ["smtp ", "submission ", "submissions ", "lmtp ", "imap ", "imaps ", "pop3 ", "pop3s ", "https ", "http "]
        {
            assert!(
                said.contains(&format!("\nok   {door}")) || said.starts_with(&format!("ok   {door}")),
                "{door}: {said}"
            );
        }
        assert!(said.contains("\ncertificate SHA-256 ") && said.ends_with("are well, 0 are not\n"), "{said}");
    }
    assert_eq!(house.rows(&["domain", "list"]), before);
    let removed = house.must(&["api", "GET", "/domains?removed=true"], "");
    assert!(!removed.contains("self-test"), "{removed}");
    assert_eq!(house.must(&["check-store"], ""), "The database is clean.\n");
}

/// Whether the last line tells that the index has all messages: `21 of 21 messages, …`.
fn has_all(said: &str) -> bool {
    let line = said.lines().last().unwrap_or_default();
    let counted = line.split_once(" messages, ").and_then(|(counted, _)| counted.split_once(" of "));
    counted.is_some_and(|(indexed, all)| indexed == all && all != "0")
}

/// Beside the traffic, and anew when it is asked for.
#[test]
fn the_search_index_is_made_and_made_anew() {
    let house = House::open();
    let message = b"From: ann@relais.test\r\nSubject: x\r\n\r\nsome words\r\n";
    house
        .submitter("ann@relais.test")
        .deliver("ann@relais.test", &["ben@relais.test"], message)
        .unwrap()
        .must(250)
        .unwrap();
    for _ in 0..2 {
        let said = house.must(&["index", "rebuild", "--wait"], "");
        assert!(said.ends_with(" files: up to date\n") && has_all(&said), "{said}");
    }
    let said = house.must(&["index", "status"], "");
    assert!(has_all(&said), "{said}");
}

#[test]
fn a_server_that_does_not_run_is_not_tested() {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("hostname = \"mx.example.org\"\ndata = \"{}\"\n", folder.path().display());
    let file = folder.path().join("relais.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_relais"));
    let done = command.arg("--config").arg(&file).arg("self-test").output().unwrap();
    assert!(!done.status.success());
    assert!(String::from_utf8_lossy(&done.stderr).contains("start it first"));
}
