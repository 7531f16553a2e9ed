//! What networks may do at port 25, and how their keeper sees it.

use std::time::{Duration, Instant};

use relais_testkit::smtp::Client;

use crate::doors::free_port;
use crate::house::{House, codes};

/// A house with a door behind a proxy, which says where its clients are; and with these settings.
fn house(settings: &[(&str, &str)]) -> (House, u16) {
    let port = free_port();
    let house = House::with(&format!("\n[[listen]]\nprotocol = \"smtp\"\nat = \"127.0.0.1:{port}\"\nproxy = true\n"));
    for (name, value) in settings {
        house.must(&["settings", "set", name, value], "");
    }
    (house, port)
}

/// A session from there, up to MAIL.
fn session(port: u16, from: &str) -> Client {
    let mut client = Client::connect_behind_proxy(port, from).unwrap();
    assert_eq!(client.command("MAIL FROM:<a@far.example>").unwrap().code, 250);
    client
}

fn ask(client: &mut Client, local_part: &str) -> String {
    codes(&client.command(&format!("RCPT TO:<{local_part}@relais.test>")).unwrap())
}

#[test]
fn a_network_that_guesses_is_slowed_refused_banned_and_let_in_again() {
    let (house, port) = house(&[("networks.faults", "2"), ("networks.slowest_reply", "1 s")]);
    let mut client = session(port, "192.0.2.7");
    assert_eq!([ask(&mut client, "a"), ask(&mut client, "b")], ["550 5.1.1", "550 5.1.1"]);
    let begun = Instant::now();
    assert_eq!(ask(&mut client, "c"), "550 5.1.1");
    assert!(begun.elapsed() >= Duration::from_secs(1), "a third guess is answered slowly");
    let mut neighbour = session(port, "192.0.2.99");
    assert_eq!([ask(&mut neighbour, "d"), ask(&mut neighbour, "e")], ["550 5.1.1", "550 5.1.1"]);
    assert_eq!(ask(&mut client, "ann"), "450 4.7.1", "it may name nobody any more");
    assert_eq!(ask(&mut client, "postmaster"), "250 2.1.5");
    assert_eq!([ask(&mut client, "ann"), ask(&mut client, "ann")], ["450 4.7.1"; 2]);
    assert_eq!(house.rows(&["bans"]).len(), 0);
    assert_eq!(ask(&mut client, "ann"), "450 4.7.1");
    assert_eq!(ask(&mut neighbour, "ann"), "421 4.7.1", "its neighbours are banned with it");
    assert!(Client::connect_behind_proxy(port, "192.0.2.8").is_err());
    assert_eq!(ask(&mut session(port, "198.51.100.7"), "ann"), "250 2.1.5");
    let bans = house.rows(&["bans"]);
    let said = ["whom", "kind", "why"].map(|name| bans[0][name].as_str().unwrap().to_owned());
    assert_eq!((bans.len(), said), (1, ["192.0.2.0/24", "door", "unknown-recipients"].map(str::to_owned)));
    assert!(house.must(&["bans"], "").contains("192.0.2.0/24  unknown-recipients"));
    house.must(&["unban", "192.0.2.8"], "");
    assert_eq!(ask(&mut session(port, "192.0.2.7"), "ann"), "250 2.1.5");
    assert_eq!(house.rows(&["bans"]).len(), 0);
}

#[test]
fn who_speaks_no_smtp_is_banned_and_so_is_who_tries_to_relay() {
    let (house, port) = house(&[("networks.faults", "1"), ("networks.slowest_reply", "0")]);
    let mut client = session(port, "2001:db8::7");
    for _ in 0..5 {
        assert_eq!(client.command("CHATTER").unwrap().code, 500);
    }
    assert!(Client::connect_behind_proxy(port, "2001:db8::8").is_err());
    let mut client = session(port, "192.0.2.7");
    for _ in 0..2 {
        assert_eq!(codes(&client.command("RCPT TO:<x@far.example>").unwrap()), "550 5.7.1");
    }
    let bans = house.rows(&["bans"]);
    assert_eq!((bans[0]["whom"].as_str(), bans[0]["why"].as_str()), (Some("2001:db8::/64"), Some("protocol")));
    for _ in 0..2 {
        ask(&mut client, "ann");
    }
    assert_eq!(house.rows(&["bans"])[0]["why"], "relaying");
    assert_eq!(house.must(&["unban", "--all"], ""), "2 bans lifted\n");
}

#[test]
fn a_network_has_so_many_connections_and_loopback_as_many_as_it_likes() {
    let (house, port) = house(&[("networks.connections", "2")]);
    let here = [session(port, "192.0.2.7"), session(port, "192.0.2.8")];
    assert!(Client::connect_behind_proxy(port, "192.0.2.9").is_err());
    let ours = [house.stranger(), house.stranger(), house.stranger()];
    house.must(&["settings", "set", "networks.trusted", "192.0.2.0/24"], "");
    session(port, "192.0.2.9");
    drop((here, ours));
}
