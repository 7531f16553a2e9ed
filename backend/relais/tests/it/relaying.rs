//! Nobody sends through us to others but who has logged in, and they as themselves.

use relais_testkit::smtp::Client;

use crate::doors::free_port;
use crate::house::{House, codes};

/// Spelt so that somebody here is meant, whatever the door.
const OURS: &[&str] = &[
    "ann@relais.test",
    "ANN@Relais.Test",
    "ann+shop@relais.test",
    "team@relais.test",
    "postmaster@relais.test",
    "postmaster",
    "@elsewhere.example:ann@relais.test",
];

/// Spelt so that another host is meant.
const THEIRS: &[&str] = &[
    "bob@elsewhere.example",
    "bob@[127.0.0.1]",
    "bob@[192.0.2.1]",
    "bob@[IPv6:::1]",
    "bob@sub.relais.test",
    "bob@relais.test.elsewhere.example",
    "bob@test",
    "@relais.test:bob@elsewhere.example",
    "@relais.test,@localhost:bob@elsewhere.example",
];

/// Tricks that made other servers relay: here they are unknown people of our domain.
const NOBODYS: &[&str] = &[
    "bob%elsewhere.example@relais.test",
    "elsewhere.example!bob@relais.test",
    "\"bob@elsewhere.example\"@relais.test",
    "\"@elsewhere.example:bob\"@relais.test",
    "@elsewhere.example:bob%elsewhere.example@relais.test",
];

/// And those that are no address.
const SENSELESS: &[&str] = &["bob@elsewhere.example@relais.test", "bob@relais.test@elsewhere.example", "bob@"];

/// RCPT of each, in a transaction of its own, answered with `expected`.
#[track_caller]
fn check(door: &str, client: &mut Client, sender: &str, recipients: &[&str], expected: &str) {
    for recipient in recipients {
        assert_eq!(client.command("RSET").unwrap().code, 250);
        assert_eq!(client.command(&format!("MAIL FROM:<{sender}>")).unwrap().code, 250, "{door}: {sender}");
        let reply = client.command(&format!("RCPT TO:<{recipient}>")).unwrap();
        assert_eq!(codes(&reply), expected, "{door}: from <{sender}> to <{recipient}>");
    }
}

/// Every combination of door, log-in, sender and recipient.
#[test]
fn only_who_has_logged_in_relays() {
    let proxied = free_port();
    let door = |protocol: &str, more: &str| format!("\n[[listen]]\nprotocol = \"{protocol}\"\n{more}\n");
    let house = House::with(&door("smtp", &format!("at = \"127.0.0.1:{proxied}\"\nproxy = true\nplain_login = true")));
    // So much of it would be a ban.
    house.must(&["settings", "set", "networks.trusted", "192.0.2.7"], "");
    let server = &house.server;
    let senders = ["", "stranger@elsewhere.example", "ann@relais.test", "ann@elsewhere.example"];
    let doors: [(&str, &dyn Fn() -> Client); 6] = [
        ("smtp", &|| house.stranger()),
        ("smtp after AUTH, which isn't known there", &|| {
            let mut client = house.stranger().start_tls(&house.trust).unwrap();
            assert!(client.log_in("ann@relais.test", house.password("ann@relais.test")).is_err());
            client
        }),
        ("smtp behind a proxy", &|| Client::connect_behind_proxy(proxied, "192.0.2.7").unwrap()),
        ("smtp behind a proxy that names loopback", &|| Client::connect_behind_proxy(proxied, "127.0.0.1").unwrap()),
        ("smtp under TLS", &|| house.stranger().start_tls(&house.trust).unwrap()),
        ("lmtp", &|| Client::connect_lmtp(house.lmtp()).unwrap()),
    ];
    for (door, open) in doors {
        for sender in senders {
            // A session each: refusals are counted, and too many end it.
            check(door, &mut open(), sender, OURS, "250 2.1.5");
            check(door, &mut open(), sender, THEIRS, "550 5.7.1");
            check(door, &mut open(), sender, NOBODYS, "550 5.1.1");
        }
        check(door, &mut open(), "", SENSELESS, "501 5.1.3");
    }
    let before: [(&str, &dyn Fn() -> Client); 4] = [
        ("submission", &|| Client::connect(server.port("submission")).unwrap()),
        ("submission under TLS", &|| {
            Client::connect(server.port("submission")).unwrap().start_tls(&house.trust).unwrap()
        }),
        ("submissions", &|| Client::connect_tls(server.port("submissions"), &house.trust).unwrap()),
        ("submissions after a refused log-in", &|| {
            let mut client = Client::connect_tls(server.port("submissions"), &house.trust).unwrap();
            assert!(client.log_in("ann@relais.test", "unspeakable").is_err());
            client
        }),
    ];
    for (door, open) in before {
        for sender in senders {
            let reply = open().command(&format!("MAIL FROM:<{sender}>")).unwrap();
            assert_eq!(codes(&reply), "530 5.7.0", "{door}: nobody has logged in");
        }
    }
    let ann = || house.submitter("ann@relais.test");
    check("after log-in", &mut ann(), "ann@relais.test", OURS, "250 2.1.5");
    check("after log-in", &mut ann(), "ann@relais.test", THEIRS, "250 2.1.5");
    check("after log-in", &mut ann(), "ann@relais.test", NOBODYS, "550 5.1.1");
    for sender in ["ben@relais.test", "ann@elsewhere.example", "nobody@relais.test"] {
        let reply = ann().command(&format!("MAIL FROM:<{sender}>")).unwrap();
        assert_eq!(codes(&reply), "553 5.7.1", "{sender}");
    }
    assert!(house.rows(&["queue", "list"]).is_empty(), "RCPT alone sends nothing");
}

/// RFC 5321 §6.3: after a hundred hosts it is a loop.
#[test]
fn a_message_that_goes_in_circles_is_refused() {
    let house = House::open();
    let passed = |hosts: usize| {
        let received = "Received: from a.example by b.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n".repeat(hosts);
        format!("{received}Subject: round\r\n\r\nand round\r\n")
    };
    let deliver =
        |hosts| house.stranger().deliver("a@b.example", &["ann@relais.test"], passed(hosts).as_bytes()).unwrap();
    assert_eq!(codes(&deliver(100)), "250 2.0.0");
    assert_eq!(codes(&deliver(101)), "554 5.4.6");
}
