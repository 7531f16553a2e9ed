//! What people want and what not.

use std::time::Duration;

use relais_model::{Flag, SystemFlag};
use relais_store::{
    Acquainted, Author, FlagChange, FlagOp, GreylistVisit, JunkModel, LearntCounts, MAX_ACQUAINTANCES, NewSenderRule,
    Page, RuleScope,
};

use crate::house::{House, keyword, on_both, set};
use crate::people::address;

/// What is due, as (message's place in INBOX's first ten, is junk, what was learnt of it).
async fn due(house: &House) -> Vec<(bool, Option<bool>)> {
    house.store.lessons_due(100).await.unwrap().iter().map(|lesson| (lesson.is_junk, lesson.learnt)).collect()
}

async fn learn(house: &House) {
    let lessons = house.store.lessons_due(100).await.unwrap();
    let counts = LearntCounts { ham: 1, junk: 2 };
    house.store.keep_learnt(house.anna, JunkModel { octets: vec![7], counts }, lessons).await.unwrap();
}

#[test]
fn who_moves_a_message_into_junk_or_out_of_it_says_what_it_is() {
    on_both(|house| async move {
        let store = &house.store;
        let (inbox, junk) = (house.inbox().await, house.status(house.anna, "Junk").await.mailbox.key);
        let [archive, trash] = ["Archive", "Trash"].map(|name| house.status(house.anna, name));
        let (archive, trash) = (archive.await.mailbox.key, trash.await.mailbox.key);
        house.fill(inbox, 0..4).await;
        store.move_messages(inbox, set(&[(1, 1)]), archive).await.unwrap();
        assert_eq!(due(&house).await, [], "other mailboxes say nothing");
        store.move_messages(inbox, set(&[(2, 3)]), junk).await.unwrap();
        assert_eq!(due(&house).await, [(true, None), (true, None)]);
        learn(&house).await;
        assert_eq!(due(&house).await, []);
        store.move_messages(junk, set(&[(1, 1)]), trash).await.unwrap();
        assert_eq!(due(&house).await, [], "who throws junk away says nothing new");
        store.move_messages(junk, set(&[(2, 2)]), inbox).await.unwrap();
        assert_eq!(due(&house).await, [(false, Some(true))], "what was learnt is known, to be taken back");
        let model = store.junk_model(house.anna).await.unwrap().unwrap();
        assert_eq!((model.octets, model.counts), (vec![7], LearntCounts { ham: 1, junk: 2 }));
        store.forget_learnt(house.anna).await.unwrap();
        assert_eq!((due(&house).await, store.junk_model(house.anna).await.unwrap()), (vec![], None));
        house.check().await;
    });
}

#[test]
fn keywords_and_answers_teach() {
    on_both(|house| async move {
        let (store, inbox) = (&house.store, house.inbox().await);
        house.fill(inbox, 0..4).await;
        let add = |flag: Flag| FlagChange { op: FlagOp::Add, flags: vec![flag] };
        store.store_flags(inbox, set(&[(1, 1)]), add(keyword("$Junk")), None).await.unwrap();
        store.store_flags(inbox, set(&[(2, 2)]), add(keyword("NonJunk")), None).await.unwrap();
        store.store_flags(inbox, set(&[(3, 3)]), add(Flag::System(SystemFlag::Answered)), None).await.unwrap();
        store.store_flags(inbox, set(&[(4, 4)]), add(Flag::System(SystemFlag::Seen)), None).await.unwrap();
        assert_eq!(due(&house).await, [(true, None), (false, None), (false, None)]);
        store.store_flags(inbox, set(&[(1, 1)]), add(keyword("$NotJunk")), None).await.unwrap();
        assert_eq!(due(&house).await[0], (false, None), "the last word counts");
        store.store_flags(inbox, set(&[(1, 4)]), add(Flag::System(SystemFlag::Deleted)), None).await.unwrap();
        store.expunge(inbox, None).await.unwrap();
        store.collect().await.unwrap();
        assert_eq!(due(&house).await, [], "of a message that is gone nothing is learnt");
        house.check().await;
    });
}

#[test]
fn whom_an_account_wrote_to_is_no_stranger_to_it() {
    on_both(|house| async move {
        let store = &house.store;
        store.note_written(house.anna, &[address("Carl@else.example"), address("carl@ELSE.example")]).await.unwrap();
        let acquainted = async |who: &str| store.acquainted(house.anna, &address(who)).await.unwrap();
        assert_eq!(acquainted("carl@else.example").await, Acquainted::Address);
        assert_eq!(acquainted("dora@else.example").await, Acquainted::Domain);
        assert_eq!(acquainted("carl@other.example").await, Acquainted::Stranger);
        let berts = store.acquainted(house.bert, &address("carl@else.example")).await.unwrap();
        assert_eq!(berts, Acquainted::Stranger);
        let domains: Vec<String> =
            store.domains_written_to(house.anna).await.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(domains, ["else.example"]);
        house.clock.advance(Duration::from_secs(1));
        let many: Vec<_> = (0..MAX_ACQUAINTANCES).map(|n| address(&format!("n{n}@many.example"))).collect();
        store.note_written(house.anna, &many).await.unwrap();
        assert_eq!(acquainted("carl@else.example").await, Acquainted::Stranger, "the oldest are forgotten");
        house.check().await;
    });
}

#[test]
fn the_nearest_rule_holds() {
    on_both(|house| async move {
        let store = &house.store;
        let domain = store.account(&address("anna@house.example")).await.unwrap().unwrap().domain;
        let rule = async |scope, sender: &str, is_allowed| {
            let new = NewSenderRule { scope, sender: sender.to_owned(), is_allowed };
            store.set_sender_rule(&Author::house(), new).await.unwrap()
        };
        let holds = async |who: &str| {
            store.sender_rule_for(house.anna, &address(who)).await.unwrap().map(|rule| rule.is_allowed)
        };
        rule(RuleScope::House, "shop.example", false).await;
        assert_eq!((holds("a@shop.example").await, holds("a@news.shop.example").await), (Some(false), Some(false)));
        assert_eq!(holds("a@other.example").await, None);
        rule(RuleScope::Domain(domain), "news.shop.example", true).await;
        assert_eq!((holds("a@shop.example").await, holds("a@news.shop.example").await), (Some(false), Some(true)));
        let own = rule(RuleScope::Account(house.anna), "a@news.shop.example", true).await;
        let again = rule(RuleScope::Account(house.anna), "a@news.shop.example", false).await;
        assert_eq!((own.key, holds("A@news.shop.example").await), (again.key, Some(false)), "one rule a sender");
        let berts = RuleScope::Account(house.bert);
        assert!(!store.remove_sender_rule(&Author::house(), berts, &own.sender).await.unwrap(), "it is not his");
        let rules = store.sender_rules(RuleScope::Account(house.anna), None, &Page::first()).await.unwrap().rows;
        assert_eq!(rules, [again]);
        assert!(store.remove_sender_rule(&Author::house(), RuleScope::Account(house.anna), &own.sender).await.unwrap());
        assert_eq!(holds("a@news.shop.example").await, Some(true));
        house.check().await;
    });
}

#[test]
fn a_visitor_is_remembered_until_their_time_is_up() {
    on_both(|house| async move {
        let (store, first) = (&house.store, house.store.now());
        let kept = Duration::from_hours(4);
        assert_eq!(store.greylist([1; 32], kept).await.unwrap(), GreylistVisit::First);
        house.clock.advance(Duration::from_mins(5));
        assert_eq!(store.greylist([1; 32], kept).await.unwrap(), GreylistVisit::Again(first));
        assert_eq!(store.greylist([2; 32], kept).await.unwrap(), GreylistVisit::First);
        // Who only looks is not remembered.
        assert_eq!(store.greylisted([1; 32]).await.unwrap(), GreylistVisit::Again(first));
        assert_eq!(store.greylisted([3; 32]).await.unwrap(), GreylistVisit::First);
        assert_eq!(store.greylisted([3; 32]).await.unwrap(), GreylistVisit::First);
        house.clock.advance(kept);
        assert_eq!(store.greylist([1; 32], kept).await.unwrap(), GreylistVisit::First);
        house.check().await;
    });
}

#[test]
fn who_waits_for_a_code_waits_until_then() {
    on_both(|house| async move {
        let (store, until) = (&house.store, house.store.now().plus(Duration::from_mins(15)));
        store.await_code(house.anna, Some(until)).await.unwrap();
        assert_eq!(store.awaits_code_until(house.anna).await.unwrap(), Some(until));
        assert_eq!(store.awaits_code_until(house.bert).await.unwrap(), None);
        house.clock.advance(Duration::from_mins(15));
        assert_eq!(store.awaits_code_until(house.anna).await.unwrap(), None);
        house.check().await;
    });
}
