//! The pages of mailing lists: who asks is written to and hears nothing; what confirms is the letter's link.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use relais_filing::list::{Tokens, Wish};
use relais_model::Clock as _;
use relais_service::{ListPosters, NewList, Role};
use relais_store::{Page, QueueFilter};

use crate::house::{House, address, short};

const TEAM: &str = "team@one.example";
const DORA: &str = "dora@shop.example";

async fn open_house() -> House {
    let house = House::open().await;
    let owner = house.actor(Role::Owner, true).await;
    for (name, is_open) in [(TEAM, true), ("board@one.example", false)] {
        let (address, title, posters) = (name.to_owned(), "The team".to_owned(), ListPosters::Members);
        let new = NewList { address, title, posters, is_open, owners: Vec::new() };
        house.service.lists.create(&owner, new).await.unwrap();
    }
    house
}

/// To whom the letters go that wait in the queue.
async fn asked(house: &House) -> Vec<String> {
    let rows = house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows;
    rows.into_iter().map(|entry| entry.recipient.address.to_string()).collect()
}

/// Strangers cause one letter an hour at most, and can't tell who is a member, or which lists are closed.
#[tokio::test]
async fn who_asks_on_the_page_is_written_to_and_hears_nothing() {
    let house = open_house().await;
    let lists = &house.service.lists;
    assert_eq!(lists.open_list(TEAM).await.unwrap().unwrap().title, "The team");
    for closed in ["board@one.example", "nothing@one.example", "x"] {
        assert_eq!(lists.open_list(closed).await.unwrap(), None);
        assert_eq!(short(lists.ask(closed, DORA, true).await), "absent: failure-unknown-address");
    }
    assert_eq!(short(lists.ask(TEAM, "no address", true).await), "unfit: address failure-address-form");
    for _twice in 0..2 {
        assert_eq!(short(lists.ask(TEAM, DORA, true).await), "done");
    }
    let first = asked(&house).await;
    assert!(first.len() == 1 && first[0].starts_with("team-subscribe+j"), "{first:?}");
    house.clock.advance(Duration::from_hours(1));
    assert_eq!(short(lists.ask(TEAM, DORA, false).await), "done");
    assert_eq!(asked(&house).await.len(), 2);
    for number in 0..29 {
        assert_eq!(short(lists.ask(TEAM, &format!("{number}@shop.example"), true).await), "done");
    }
    assert_ne!(short(lists.ask(TEAM, "one-more@shop.example", true).await), "done", "enough letters for a minute");
}

#[tokio::test]
async fn a_link_confirms_what_it_was_made_for() {
    let house = open_house().await;
    let (lists, store) = (&house.service.lists, &house.store);
    let list = store.list(&address(TEAM)).await.unwrap().unwrap();
    let tokens = Tokens::new(&store.secret("lists").await.unwrap());
    let member = |name: &str| BASE32_NOPAD.encode(name.as_bytes());
    let join = tokens.wish(list.key, &address(DORA), Wish::Join, house.clock.now());
    for (list, mark, whose) in
        [(TEAM, "j1-x", DORA), (TEAM, join.as_str(), "carl@shop.example"), ("board@one.example", &join, DORA)]
    {
        assert_eq!(lists.confirming(list, mark, &member(whose)).await.unwrap(), None, "{list} {whose}");
        assert!(!lists.confirm(list, mark, &member(whose)).await.unwrap());
    }
    let confirming = lists.confirming(TEAM, &join, &member(DORA)).await.unwrap().unwrap();
    assert_eq!((confirming.member.as_str(), confirming.joins), (DORA, true));
    assert_eq!(store.list_member(list.key, &address(DORA)).await.unwrap(), None, "looking changes nothing");
    for _twice in 0..2 {
        assert!(lists.confirm(TEAM, &join, &member(DORA)).await.unwrap());
    }
    assert!(store.list_member(list.key, &address(DORA)).await.unwrap().is_some());
    let leave = tokens.wish(list.key, &address(DORA), Wish::Leave, house.clock.now());
    assert!(lists.confirm(TEAM, &leave, &member(DORA)).await.unwrap());
    assert_eq!(store.list_member(list.key, &address(DORA)).await.unwrap(), None);
    // Who looks after a closed list opens it to whom they invite, and to nobody else.
    let closed = store.list(&address("board@one.example")).await.unwrap().unwrap();
    let invited = tokens.wish(closed.key, &address(DORA), Wish::Invited, house.clock.now());
    assert!(!lists.confirm("board@one.example", &invited, &member("carl@shop.example")).await.unwrap());
    assert!(lists.confirming("board@one.example", &invited, &member(DORA)).await.unwrap().unwrap().joins);
    assert!(lists.confirm("board@one.example", &invited, &member(DORA)).await.unwrap());
    assert!(store.list_member(closed.key, &address(DORA)).await.unwrap().is_some());
    house.clock.advance(Duration::from_hours(24 * 5));
    assert!(!lists.confirm(TEAM, &join, &member(DORA)).await.unwrap(), "it is too old");
}
