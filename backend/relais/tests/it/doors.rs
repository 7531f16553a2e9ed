//! The doors themselves: who is let in, for how long, and how the house closes.

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::process::Command;

use relais_testkit::pop3;
use relais_testkit::smtp::Client;
use relais_testkit::wire::Wire;

use crate::house::{House, codes};

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn text(line: io::Result<Vec<u8>>) -> String {
    String::from_utf8(line.unwrap()).unwrap()
}

fn is_closed(line: &io::Result<Vec<u8>>) -> bool {
    let ends = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    line.as_ref().is_err_and(|error| ends.contains(&error.kind()))
}

/// Behind a balancer the client's address is the one that the balancer names, and nobody comes in without it.
#[test]
fn a_balancer_names_the_client() {
    let port = free_port();
    let house = House::with(&format!("\n[[listen]]\nprotocol = \"smtp\"\nat = \"127.0.0.1:{port}\"\nproxy = true\n"));
    // Strangers without a name would be asked to come again.
    house.must(&["settings", "set", "junk.greylisting", "false"], "");
    let v1 = b"PROXY TCP4 192.0.2.7 192.0.2.2 12345 25\r\n".as_slice();
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x08\xc0\0\x02\x02\x30\x39\0\x19".as_slice();
    for (header, peer) in [(v1, "192.0.2.7"), (v2, "192.0.2.8")] {
        let mut wire = Wire::connect(port).unwrap();
        // In two pieces, as networks will.
        let (one, other) = header.split_at(9);
        wire.send(one).unwrap();
        wire.send(other).unwrap();
        assert!(text(wire.line()).starts_with("220 "));
        let dialogue = ["HELO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<ann@relais.test>", "DATA"];
        for command in dialogue {
            wire.send(format!("{command}\r\n").as_bytes()).unwrap();
            assert!(text(wire.line()).starts_with(['2', '3']), "{command}");
        }
        wire.send(b"Subject: proxied\r\n\r\nx\r\n.\r\n").unwrap();
        assert!(text(wire.line()).starts_with("250 "));
        assert!(house.newest("ann@relais.test").contains(&format!("[{peer}]")), "{peer}");
    }
    let mut wire = Wire::connect(port).unwrap();
    wire.send(b"EHLO client.example\r\n").unwrap();
    assert!(is_closed(&wire.line()), "no header, no greeting");
}

/// haproxy sends its header and the client's handshake in one write where it has both: such connections were closed.
#[test]
fn a_handshake_may_begin_beside_the_balancers_header() {
    let port = free_port();
    let house = House::with(&format!("\n[[listen]]\nprotocol = \"imaps\"\nat = \"127.0.0.1:{port}\"\nproxy = true\n"));
    let header = b"PROXY TCP4 192.0.2.7 192.0.2.2 12345 993\r\n";
    for beside in [0, 1, 40, usize::MAX] {
        let wire = Wire::connect(port).unwrap().into_tls_behind(header, beside, &house.trust);
        assert!(text(wire.unwrap().line()).starts_with("* OK"), "{beside} octets beside the header");
    }
    // What is no handshake is answered by TLS's alert, or by the end; never by words in the clear.
    let mut wire = Wire::connect(port).unwrap();
    wire.send(&[header.as_slice(), b"a CAPABILITY\r\n"].concat()).unwrap();
    assert!(!wire.octets(1).is_ok_and(|octet| octet == b"*"));
}

/// Who comes when the house is full is told so in the door's own language.
#[test]
fn a_full_house_is_polite() {
    let house = House::with("\n[limits]\nconnections = 1\n");
    let guest = house.stranger();
    for (door, words) in [
        ("smtp", "421 4.7.0 "),
        ("submission", "421 4.7.0 "),
        ("imap", "* BYE [UNAVAILABLE]"),
        ("pop3", "-ERR [SYS/TEMP]"),
    ] {
        let mut wire = Wire::connect(house.server.port(door)).unwrap();
        let line = text(wire.line());
        assert!(line.starts_with(words), "{door}: {line}");
        assert!(is_closed(&wire.line()), "{door}");
    }
    drop(guest);
}

/// Whoever has a password has so many sessions and no more, wherever they come from; each door says so politely.
#[test]
fn an_account_has_so_many_sessions() {
    let house = House::with("\n[limits]\nconnections_per_account = 2\n");
    let (ann, password) = ("ann@relais.test", house.password("ann@relais.test"));
    let imap =
        || relais_testkit::imap::Client::connect_tls("127.0.0.1", house.server.port("imaps"), &house.trust).unwrap();
    let mut first = imap();
    first.login(ann, password).unwrap();
    let second = house.submitter(ann);
    let refusal = imap().login(ann, password).unwrap_err().to_string();
    assert!(refusal.contains("NO [LIMIT] This account has too many connections"), "{refusal}");
    let mut pop3 = pop3::Client::connect_tls(house.server.port("pop3s"), &house.trust).unwrap();
    pop3.command(&format!("USER {ann}")).unwrap();
    let refusal = pop3.command(&format!("PASS {password}")).unwrap_err().to_string();
    assert!(refusal.starts_with("-ERR [SYS/TEMP]"), "{refusal}");
    let mut smtp = Client::connect_tls(house.server.port("submissions"), &house.trust).unwrap();
    let refusal = smtp.log_in(ann, password).unwrap_err().to_string();
    assert!(refusal.contains("454 4.7.0 This account has too many connections"), "{refusal}");
    imap().login("ben@relais.test", house.password("ben@relais.test")).unwrap();
    first.must("LOGOUT").unwrap();
    drop(second);
    let began_at = std::time::Instant::now();
    while imap().login(ann, password).is_err() {
        assert!(began_at.elapsed() < std::time::Duration::from_secs(10), "who has left keeps a seat");
    }
}

/// New mail is put off while the disk is nearly full; nothing is half taken.
#[test]
fn a_nearly_full_disk_puts_mail_off() {
    let house = House::with("\n[limits]\nfree_octets = 9000000000000000\n");
    let mail = |client: &mut Client| codes(&client.command("MAIL FROM:<ann@relais.test>").unwrap());
    assert_eq!(mail(&mut house.stranger()), "452 4.3.1");
    assert_eq!(mail(&mut house.submitter("ann@relais.test")), "452 4.3.1");
    assert_eq!(mail(&mut Client::connect_lmtp(house.lmtp()).unwrap()), "452 4.3.1");
}

/// Whoever drips octets, in a handshake or before a log-in, is cut off at a time that was fixed when they came.
#[test]
fn slow_strangers_are_shown_out() {
    let house = House::with("\n[limits]\nhandshake_seconds = 1\nlogin_idle_seconds = 1\nsmtp_session_seconds = 1\n");
    let hello = [0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3];
    let drips: [(&str, &[u8]); 4] =
        [("imaps", &hello), ("imap", b"a LOGIN x"), ("pop3", b"USER somebody"), ("smtp", b"EHLO x")];
    std::thread::scope(|scope| {
        for (door, octets) in drips {
            let port = house.server.port(door);
            scope.spawn(move || {
                let mut wire = Wire::connect(port).unwrap();
                // The pace is the subject here: three octets a second would hold a limit on silence for ever.
                let mut octets = octets.iter().cycle();
                let is_cut = (0..30).any(|_| {
                    std::thread::sleep(std::time::Duration::from_millis(300));
                    wire.send(&[*octets.next().unwrap()]).is_err()
                });
                assert!(is_cut, "{door}");
            });
        }
    });
}

/// RFC 5321 §3.8: a message that is coming in is still taken; then, and to all others, 421.
#[test]
fn the_house_closes_without_losing_what_comes_in() {
    let house = House::open();
    let mut idle = house.stranger();
    let mut busy = Wire::connect(house.server.port("smtp")).unwrap();
    busy.line().unwrap();
    for command in ["HELO c.example", "MAIL FROM:<a@b.example>", "RCPT TO:<ann@relais.test>", "DATA"] {
        busy.send(format!("{command}\r\n").as_bytes()).unwrap();
        busy.line().unwrap();
    }
    busy.send(b"Subject: the last one\r\n").unwrap();
    let process = house.server.process_id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    assert_eq!(codes(&idle.reply().unwrap()), "421 4.3.2");
    busy.send(b"\r\nx\r\n.\r\n").unwrap();
    assert!(text(busy.line()).starts_with("250 "));
    assert!(text(busy.line()).starts_with("421 "));
    assert!(is_closed(&busy.line()));
}
