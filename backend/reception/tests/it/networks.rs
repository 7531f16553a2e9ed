//! What networks may do at port 25.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use relais_model::ForwardPath;
use relais_reception::{BanTarget, Fault, Porter, TurnedAway};
use relais_store::Author;

use crate::house::{House, address};

fn peer(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn set(house: &House, name: &str, value: &str) {
    house.store.change_setting(&Author::house(), name, Some(value)).await.unwrap();
}

/// What RCPT hears before anybody is looked up.
fn ask(porter: &Porter, from: &str, to: &str) -> Option<u16> {
    let path = ForwardPath::new(address(to));
    porter.may_ask(peer(from), &path).err().map(|reply| reply.code)
}

fn guess(porter: &Porter, from: &str, times: u32) {
    (0..times).for_each(|_| porter.note(peer(from), Fault::UnknownRecipient));
}

#[tokio::test]
async fn a_network_has_so_many_connections_at_once_and_a_minute() {
    let house = House::open().await;
    let porter = Arc::new(Porter::new(house.store.clone()));
    set(&house, "networks.connections", "2").await;
    let admit = |from: &str| porter.admit(peer(from));
    let first = admit("192.0.2.1").unwrap();
    let second = admit("192.0.2.200").unwrap();
    assert_eq!(admit("192.0.2.3").unwrap_err(), TurnedAway::TooMany, "its neighbours count");
    assert!(admit("198.51.100.3").is_ok());
    drop(first);
    let third = admit("192.0.2.3").unwrap();
    drop((second, third));
    let own: Vec<_> = (0..5).map(|_| admit("::1").unwrap()).collect();
    drop(own);
    set(&house, "networks.connections_per_minute", "3").await;
    assert_eq!(admit("192.0.2.3").unwrap_err(), TurnedAway::TooMany, "three began this minute");
    house.clock.advance(Duration::from_mins(1));
    let many = || (0..13).take_while(|_| admit("192.0.2.3").is_ok()).count();
    assert_eq!(many(), 3);
    (0..11).for_each(|_| porter.note_wanted(peer("192.0.2.3")));
    house.clock.advance(Duration::from_mins(1));
    assert_eq!(many(), 12, "whoever brings wanted mail has four times as many");
    house.clock.advance(Duration::from_mins(1));
    set(&house, "networks.trusted", "192.0.2.0/24").await;
    assert_eq!(many(), 13);
    assert_eq!(TurnedAway::Banned.reply("mx.example").code, 421);
}

#[tokio::test]
async fn a_network_that_guesses_is_slowed_down_then_refused_then_banned_and_let_in_again() {
    let house = House::open().await;
    let porter = Arc::new(Porter::new(house.store.clone()));
    let wait = |from: &str| porter.slowness(peer(from)).map(|slow| slow.wait.as_secs());
    guess(&porter, "2001:db8::1", 10);
    assert_eq!((wait("2001:db8::2"), ask(&porter, "2001:db8::2", "ann@example.org")), (None, None));
    guess(&porter, "2001:db8::2", 5);
    assert_eq!((wait("2001:db8::3"), ask(&porter, "2001:db8::3", "ann@example.org")), (Some(10), None));
    guess(&porter, "2001:db8::4", 6);
    assert_eq!((wait("2001:db8::5"), ask(&porter, "2001:db8::5", "ann@example.org")), (Some(20), Some(450)));
    assert_eq!(ask(&porter, "2001:db8::5", "Postmaster@example.org"), None, "whoever has a question reaches somebody");
    assert_eq!((wait("2001:db8:0:1::5"), ask(&porter, "2001:db8:0:1::5", "ann@example.org")), (None, None));
    guess(&porter, "2001:db8::6", 20);
    assert_eq!(ask(&porter, "2001:db8::6", "postmaster@example.org"), Some(421));
    assert_eq!(porter.admit(peer("2001:db8::7")).unwrap_err(), TurnedAway::Banned);
    let bans = porter.bans();
    assert_eq!((bans.len(), bans[0].of.to_string()), (1, "2001:db8::/64".to_owned()));
    assert_eq!(bans[0].until.since(bans[0].since), Duration::from_mins(15));
    house.clock.advance(Duration::from_mins(15));
    assert!(porter.admit(peer("2001:db8::7")).is_ok() && porter.bans().is_empty(), "it ends by itself");
    guess(&porter, "2001:db8::6", 41);
    assert_eq!(porter.unban(&BanTarget::parse("198.51.100.7")), 0);
    assert_eq!(porter.unban(&BanTarget::parse("2001:db8::9")), 1);
    assert!(porter.admit(peer("2001:db8::7")).is_ok());
    assert_eq!(wait("2001:db8::7"), None, "what led to it is forgotten");
}

#[tokio::test]
async fn nothing_follows_for_the_trusted_for_loopback_and_where_it_is_switched_off() {
    let house = House::open().await;
    let porter = Arc::new(Porter::new(house.store.clone()));
    set(&house, "networks.trusted", "192.0.2.0/24").await;
    for from in ["127.0.0.1", "::1", "192.0.2.7", "::ffff:192.0.2.7"] {
        guess(&porter, from, 100);
        assert_eq!(ask(&porter, from, "ann@example.org"), None, "{from}");
        assert!(porter.slowness(peer(from)).is_none() && porter.admit(peer(from)).is_ok(), "{from}");
    }
    guess(&porter, "198.51.100.7", 100);
    assert_eq!(porter.bans().len(), 1);
    set(&house, "networks.faults", "0").await;
    assert!(porter.admit(peer("198.51.100.7")).is_ok());
    assert_eq!(ask(&porter, "198.51.100.7", "ann@example.org"), None);
}
