//! Who is refused stays refused when the house is closed and opened again.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use relais_model::Secret;
use relais_reception::{BanKeeper, BanTarget, Fault, Login, LoginAttempt, Porter, Protocol, TurnedAway};
use relais_store::{BanKind, KeptBan};
use relais_testkit::SeededRandom;

use crate::house::House;
use crate::login::{FOREIGN, STRANGER, word};

/// A house that was opened anew, before the same store.
struct Doors {
    login: Arc<Login>,
    porter: Arc<Porter>,
    keeper: BanKeeper,
}

async fn open(house: &House) -> Doors {
    let login = Login::new(house.store.clone(), house.clock.clone(), &SeededRandom::new(3));
    let login = Arc::new(login.with_refusals_after(Duration::ZERO));
    let porter = Arc::new(Porter::new(house.store.clone()));
    let keeper = BanKeeper::open(house.store.clone(), Arc::clone(&login), Arc::clone(&porter)).await.unwrap();
    Doors { login, porter, keeper }
}

impl Doors {
    async fn log_in(&self, name: &str, peer: &str) -> &'static str {
        let (peer, password): (IpAddr, _) = (peer.parse().unwrap(), Secret::new("guess"));
        let attempt =
            LoginAttempt { name: name.to_owned(), authorization: None, password, peer, protocol: Protocol::Imap };
        word(&self.login.check(attempt).await)
    }

    fn relay(&self, peer: &str) {
        (0..100).for_each(|_| self.porter.note(peer.parse().unwrap(), Fault::Relaying));
    }

    fn bans_network(&self, peer: &str) -> bool {
        self.porter.admit(peer.parse().unwrap()).err() == Some(TurnedAway::Banned)
    }
}

/// Names, hosts that guess passwords, networks at port 25: each for as long as it was told, and no longer.
#[tokio::test]
async fn bans_outlive_a_restart_and_end_when_they_would_have() {
    let house = House::open().await;
    house.add_account("ann@example.org", FOREIGN).await;
    let mut doors = open(&house).await;
    for guess in 0..11 {
        assert_eq!(doors.log_in("Ann@example.org", &format!("198.51.{guess}.1")).await, "refused");
    }
    for guess in 0..16 {
        doors.log_in(&format!("nobody{guess}@example.org"), STRANGER).await;
    }
    doors.relay("192.0.2.1");
    let before = (doors.login.bans(), doors.porter.bans());
    doors.keeper.keep().await.unwrap();
    let mut doors = open(&house).await;
    assert_eq!((doors.login.bans(), doors.porter.bans()), before);
    assert_eq!(doors.log_in("ann@example.org", "198.51.200.1").await, "too many");
    assert_eq!(doors.log_in("bob@example.org", STRANGER).await, "too many");
    assert!(doors.bans_network("192.0.2.200") && !doors.bans_network("198.51.100.1"));
    // The next one is longer than the last.
    house.clock.advance(Duration::from_mins(15));
    assert!(!doors.bans_network("192.0.2.1"));
    doors.relay("192.0.2.1");
    doors.keeper.keep().await.unwrap();
    let doors = open(&house).await;
    let again = doors.porter.bans().remove(0);
    assert_eq!((again.until.since(again.since), again.earlier), (Duration::from_mins(30), 1));
    house.clock.advance(Duration::from_mins(30));
    let doors = open(&house).await;
    assert_eq!((doors.login.bans(), doors.porter.bans()), (vec![], vec![]), "what is over isn't kept");
}

#[tokio::test]
async fn what_was_lifted_stays_lifted() {
    let house = House::open().await;
    let mut doors = open(&house).await;
    doors.relay("192.0.2.1");
    doors.relay("198.51.100.1");
    doors.keeper.keep().await.unwrap();
    assert_eq!(doors.porter.unban(&BanTarget::parse("192.0.2.0/24")), 1);
    doors.keeper.keep().await.unwrap();
    let doors = open(&house).await;
    assert!(!doors.bans_network("192.0.2.1") && doors.bans_network("198.51.100.1"));
}

/// A release that knows more reasons has the same store: what it wrote stays for it.
#[tokio::test]
async fn bans_that_are_not_understood_are_left_alone() {
    let house = House::open().await;
    let since = house.store.now();
    let ban = KeptBan {
        kind: BanKind::Network,
        whom: "192.0.2.0/24".to_owned(),
        why: "of a later release".to_owned(),
        since,
        until: since.plus(Duration::from_hours(1)),
        failures: 1,
        earlier: 0,
    };
    house.store.keep_bans(vec![ban.clone()], Vec::new()).await.unwrap();
    let mut doors = open(&house).await;
    assert!(!doors.bans_network("192.0.2.1"));
    doors.keeper.keep().await.unwrap();
    assert_eq!(house.store.kept_bans().await.unwrap(), [ban]);
}

/// threats.md: a name that is refused in the owner's network alone is refused nowhere else after a restart either.
#[tokio::test]
async fn a_ban_that_holds_in_one_network_grows_to_no_other() {
    let house = House::open().await;
    let mut doors = open(&house).await;
    doors.login.note_owner_network("192.0.2.1".parse().unwrap(), house.store.now());
    for _ in 0..11 {
        doors.log_in("ann@example.org", "192.0.2.1").await;
    }
    assert_eq!(doors.log_in("ann@example.org", "192.0.2.1").await, "too many");
    doors.keeper.keep().await.unwrap();
    let doors = open(&house).await;
    assert_eq!(doors.log_in("ann@example.org", STRANGER).await, "refused");
}
