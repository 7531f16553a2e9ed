//! What people want and what not.

use std::time::Duration;

use relais_model::{Domain, Flag, SystemFlag};
use relais_store::{
    AccountKey, Acquainted, Author, FlagChange, FlagOp, GreylistVisit, JunkModel, LearntCounts, MAX_ACQUAINTANCES,
    NewSenderRule, Origin, Page, READ_AFTER, ReadMessage, Regard, Reputation, ReputationCounts, RuleScope,
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
        store.forget_removed(house.anna, None).await.unwrap();
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
            let regards = store.regard(&[house.anna], Some(&address(who)), &Origin::default()).await.unwrap();
            regards[0].rule.as_ref().map(|rule| rule.is_allowed)
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

/// One question says of each account what the single ones say, and mixes up nobody's.
#[test]
fn what_accounts_know_of_a_sender_is_asked_at_once() {
    on_both(|house| async move {
        let (store, inbox) = (&house.store, house.inbox().await);
        let dora = address("dora@shop.example");
        let ask = async |accounts: &[AccountKey]| {
            store.regard(accounts, Some(&dora), &from_shop("192.0.2.0/24")).await.unwrap()
        };
        let nobody = AccountKey::new(1);
        let known = |regard: &Regard| {
            let rule = regard.rule.as_ref().map(|rule| rule.is_allowed);
            (regard.account, rule, regard.acquainted, regard.reputation.author, regard.awaits_code)
        };
        let stranger = |account| (account, None, Acquainted::Stranger, 0, false);
        let everybody = [house.bert, house.anna, nobody];
        let told = ask(&everybody).await;
        assert_eq!(told.iter().map(known).collect::<Vec<_>>(), everybody.map(stranger));
        assert!(told.iter().all(|regard| regard.model.is_none()));
        house.fill(inbox, 0..1).await;
        let seen = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Seen)] };
        store.store_flags(inbox, set(&[(1, 1)]), seen, None).await.unwrap();
        house.clock.advance(READ_AFTER);
        settle(&house).await;
        store.note_written(house.bert, &[address("carl@shop.example")]).await.unwrap();
        store.note_written(house.anna, std::slice::from_ref(&dora)).await.unwrap();
        let until = store.now().plus(Duration::from_mins(15));
        store.await_code(house.anna, Some(until)).await.unwrap();
        for (scope, is_allowed) in [(RuleScope::House, false), (RuleScope::Account(house.bert), true)] {
            let new = NewSenderRule { scope, sender: "shop.example".to_owned(), is_allowed };
            store.set_sender_rule(&Author::house(), new).await.unwrap();
        }
        let told = ask(&everybody).await;
        let expected = [
            (house.bert, Some(true), Acquainted::Domain, 0, false),
            (house.anna, Some(false), Acquainted::Address, 1, true),
            stranger(nobody),
        ];
        assert_eq!(told.iter().map(known).collect::<Vec<_>>(), expected);
        house.clock.advance(Duration::from_mins(15));
        assert!(!ask(&[house.anna]).await[0].awaits_code);
        // Each lesson makes another version of the model, and forgetting leaves none.
        let model = async || ask(&[house.anna]).await[0].model;
        for junk in 1..3 {
            let (before, counts) = (model().await, LearntCounts { ham: 0, junk });
            store.keep_learnt(house.anna, JunkModel { octets: vec![7], counts }, Vec::new()).await.unwrap();
            assert!(model().await.is_some() && model().await != before);
        }
        store.forget_learnt(house.anna).await.unwrap();
        assert_eq!((model().await, ask(&[]).await), (None, vec![]));
        house.check().await;
    });
}

fn from_shop(network: &str) -> Origin {
    let signer = Domain::parse("shop.example").unwrap();
    Origin { author: Some(address("Dora@shop.example")), signer: Some(signer), network: Some(network.to_owned()) }
}

/// Counts all that is due as Dora's.
async fn settle(house: &House) -> Vec<ReadMessage> {
    let due = house.store.readings_due(100).await.unwrap();
    let of_dora = due.iter().map(|read| (*read, from_shop("192.0.2.0/24"))).collect();
    house.store.settle_readings(of_dora).await.unwrap();
    due
}

/// Only what is still wanted a day later speaks for who sent it, once, and no longer once it is called junk.
#[test]
fn what_is_read_and_kept_speaks_for_its_sender() {
    on_both(|house| async move {
        let (store, inbox) = (&house.store, house.inbox().await);
        let [junk, trash] = ["Junk", "Trash"].map(|name| house.status(house.anna, name));
        let (junk, trash) = (junk.await.mailbox.key, trash.await.mailbox.key);
        house.fill(inbox, 0..15).await;
        let seen = || FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Seen)] };
        store.store_flags(inbox, set(&[(1, 3)]), seen(), None).await.unwrap();
        store.store_flags(inbox, set(&[(1, 3)]), seen(), None).await.unwrap();
        store.store_flags(inbox, set(&[(4, 15)]), seen(), None).await.unwrap();
        assert_eq!(settle(&house).await, [], "not yet");
        store.move_messages(inbox, set(&[(2, 2)]), trash).await.unwrap();
        store.move_messages(inbox, set(&[(3, 3)]), junk).await.unwrap();
        house.clock.advance(READ_AFTER);
        let due = settle(&house).await;
        assert_eq!(due.len(), 3, "who marks a dozen at once has read none of them");
        let known = async |account, network: &str| {
            store.regard(&[account], None, &from_shop(network)).await.unwrap().remove(0).reputation
        };
        let one = Reputation { author: 1, signer: 1, network: 1 };
        assert_eq!(known(house.anna, "192.0.2.0/24").await, one, "of three one was kept");
        assert_eq!(known(house.anna, "198.51.100.0/24").await, Reputation { network: 0, ..one });
        assert_eq!(known(house.bert, "192.0.2.0/24").await, Reputation::default());
        let of_nobody = store.regard(&[house.anna], None, &Origin::default()).await.unwrap().remove(0);
        assert_eq!(of_nobody.reputation, Reputation::default());
        let counts = ReputationCounts { authors: 1, signers: 1, networks: 1 };
        assert_eq!(store.reputation_counts(house.anna).await.unwrap(), counts);
        assert_eq!(settle(&house).await, [], "once");
        for read in due.iter().chain(&due) {
            store.take_back_reading(*read, from_shop("192.0.2.0/24")).await.unwrap();
        }
        assert_eq!(known(house.anna, "192.0.2.0/24").await, Reputation::default(), "taken back, once");
        house.check().await;
    });
}

#[test]
fn who_sent_what_was_read_is_forgotten_with_the_rest() {
    on_both(|house| async move {
        let (store, inbox) = (&house.store, house.inbox().await);
        house.fill(inbox, 0..2).await;
        let seen = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Seen)] };
        store.store_flags(inbox, set(&[(1, 2)]), seen, None).await.unwrap();
        house.clock.advance(READ_AFTER);
        let due = store.readings_due(1).await.unwrap();
        assert_eq!(due.len(), 1);
        settle(&house).await;
        store.forget_learnt(house.anna).await.unwrap();
        assert_eq!(store.reputation_counts(house.anna).await.unwrap(), ReputationCounts::default());
        assert_eq!(store.readings_due(100).await.unwrap(), []);
        house.check().await;
    });
}
