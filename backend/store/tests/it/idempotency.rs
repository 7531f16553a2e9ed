//! What was done once isn't done twice.

use std::time::Duration;

use relais_model::Clock as _;
use relais_store::{Author, MAX_ANSWER_OCTETS, OnceKey, REMEMBERED_FOR, Seen, UNDER_WAY_FOR};

use crate::house::on_both;
use crate::people::address;

const KEY: OnceKey = OnceKey { name: [1; 32], request: [2; 32] };

#[test]
fn an_answer_is_remembered_for_a_day() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::Never);
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::UnderWay);
        let other = OnceKey { request: [3; 32], ..KEY };
        assert_eq!(store.begin_once(anna, &other).await.unwrap(), Seen::Other);
        store.remember_once(anna, &KEY, "{}".to_owned()).await.unwrap();
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::Done("{}".to_owned()));
        assert_eq!(store.begin_once(anna, &other).await.unwrap(), Seen::Other);
        assert_eq!(store.begin_once(house.bert, &KEY).await.unwrap(), Seen::Never, "each account has its own");
        house.clock.advance(REMEMBERED_FOR);
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::Never);
        house.check().await;
    });
}

#[test]
fn what_failed_and_what_was_broken_off_may_be_tried_again() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::Never);
        store.forget_once(anna, &KEY).await.unwrap();
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::Never);
        house.clock.advance(UNDER_WAY_FOR.checked_sub(Duration::from_secs(1)).unwrap());
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::UnderWay);
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::Never);
        store.remember_once(anna, &KEY, "x".repeat(MAX_ANSWER_OCTETS + 1)).await.unwrap();
        assert_eq!(store.begin_once(anna, &KEY).await.unwrap(), Seen::Never, "too long to keep");
        house.check().await;
    });
}

#[test]
fn it_goes_with_its_account() {
    on_both(|house| async move {
        house.store.begin_once(house.anna, &KEY).await.unwrap();
        house.store.remove_account(&address("anna@house.example"), None, &Author::house()).await.unwrap();
        house.store.purge_removed(house.clock.now().plus(Duration::from_hours(1))).await.unwrap();
        assert_eq!(house.store.begin_once(house.anna, &KEY).await.unwrap(), Seen::Never);
        assert_eq!(
            house.store.begin_once(house.anna, &KEY).await.unwrap(),
            Seen::Never,
            "nobody asks: nothing is kept"
        );
        house.check().await;
    });
}
