//! Messages that come in: accepted and appended.

use relais_model::{Domain, SpecialUse, Timestamp};
use relais_store::{Author, ChangeError, DeliveryRefusal, Page, Target, TraceFilter};

use crate::house::{House, SEEN, acceptance, append, delivery, keyword, message, name, on_both, set};

#[test]
fn a_message_to_two_people_is_kept_once() {
    on_both(|house| async move {
        let first = house.accept(&message(1), vec![delivery(house.anna), delivery(house.bert)]).await;
        assert!(first.deliveries.iter().all(Result::is_ok));
        let again = house.accept(&message(1), vec![delivery(house.anna)]).await;
        assert_eq!(first.message, again.message, "the same octets are the same content");
        let anna = house.status(house.anna, "INBOX").await;
        assert_eq!((anna.messages, anna.unseen, anna.uid_next, anna.recent), (2, 2, 3, 2));
        assert_eq!(house.status(house.bert, "INBOX").await.messages, 1);
        let quota = house.store.quota(house.anna).await.unwrap().unwrap();
        assert_eq!((quota.used_octets, quota.used_messages), (2 * message(1).len() as u64, 2));
        house.check().await;
    });
}

#[test]
fn a_mailbox_that_is_named_twice_takes_one_copy() {
    on_both(|house| async move {
        let archive = |account| relais_store::Delivery { mailbox: Target::Name(name("Archive")), ..delivery(account) };
        let to = vec![delivery(house.anna), delivery(house.bert), delivery(house.anna), archive(house.anna)];
        let accepted = house.accept(&message(1), to).await;
        let copies: Vec<_> = accepted.deliveries.into_iter().map(Result::unwrap).collect();
        assert_eq!(copies[0], copies[2]);
        assert_ne!(copies[0].mailbox, copies[3].mailbox);
        assert_eq!(house.status(house.anna, "INBOX").await.messages, 1);
        let trace = house.store.trace(&TraceFilter::default(), &Page::first()).await.unwrap();
        assert_eq!(trace.rows.len(), 4, "each naming has its trace");
        house.check().await;
    });
}

#[test]
fn many_at_once_are_all_filed() {
    on_both(|house| async move {
        let mut waiting = tokio::task::JoinSet::new();
        for number in 0..300 {
            let store = house.store.clone();
            let acceptance = acceptance(&message(number % 100), vec![delivery(house.anna), delivery(house.bert)]);
            waiting.spawn(async move { store.accept(acceptance).await });
        }
        let mut uids = Vec::new();
        while let Some(accepted) = waiting.join_next().await {
            uids.push(accepted.unwrap().unwrap().deliveries[0].unwrap().uid.value());
        }
        uids.sort_unstable();
        assert_eq!(uids, (1..=300).collect::<Vec<_>>(), "each UID is given once");
        house.check().await;
    });
}

#[test]
fn a_copy_that_cannot_be_filed_is_refused_alone() {
    on_both(|house| async move {
        let octets = message(1).len() as u64;
        limit(&house, "anna@house.example", Some(2 * octets - 1)).await;
        let first = house.accept(&message(1), vec![delivery(house.anna), delivery(house.bert)]).await;
        assert!(first.deliveries[0].is_ok());
        let second = house.accept(&message(2), vec![delivery(house.anna), delivery(house.bert)]).await;
        assert_eq!(second.deliveries[0], Err(DeliveryRefusal::OverQuota));
        assert!(second.deliveries[1].is_ok());
        let alone = house.accept(&message(3), vec![delivery(house.anna)]).await;
        assert_eq!((alone.message, alone.deliveries), (None, vec![Err(DeliveryRefusal::OverQuota)]), "nothing is kept");
        let inbox = house.inbox().await;
        let appended = house.store.append(inbox, vec![append(&message(4))]).await;
        assert!(matches!(appended, Err(ChangeError::OverQuota)));
        house.check().await;
    });
}

async fn limit(house: &House, address: &str, octets: Option<u64>) {
    let change = relais_store::AccountChange { quota_octets: Some(octets), ..Default::default() };
    house
        .store
        .change_account(&relais_model::Address::parse(address).unwrap(), change, None, &Author::house())
        .await
        .unwrap();
}

#[test]
fn targets_lead_to_their_mailbox_or_to_inbox() {
    on_both(|house| async move {
        let check = async |target: Target, expected: &str| {
            let to = relais_store::Delivery { mailbox: target, flags: vec![SEEN], ..delivery(house.anna) };
            let accepted = house.accept(&message(1), vec![to]).await;
            let key = accepted.deliveries[0].unwrap().mailbox;
            assert_eq!(house.status(house.anna, expected).await.mailbox.key, key, "{expected}");
        };
        check(Target::Inbox, "INBOX").await;
        check(Target::Use(SpecialUse::Junk), "Junk").await;
        check(Target::Name(name("Archive")), "Archive").await;
        check(Target::Name(name("Nowhere")), "INBOX").await;
        check(Target::Use(SpecialUse::Flagged), "INBOX").await;
        assert_eq!(house.status(house.anna, "INBOX").await.unseen, 0);
        let nobody = relais_store::AccountKey::new(12345);
        let accepted = house.accept(&message(9), vec![delivery(nobody)]).await;
        assert_eq!(accepted.deliveries, [Err(DeliveryRefusal::NoMailbox)]);
        house.check().await;
    });
}

#[test]
fn append_gives_uids_in_order_and_keeps_dates_and_flags() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        let date = Timestamp::from_seconds(1_000_000_000);
        let mut messages: Vec<_> = (0..150).map(|number| append(&message(number))).collect();
        messages[1].flags = vec![SEEN, keyword("$Label1")];
        messages[1].internal_date = Some(date);
        let appended = house.store.append(inbox, messages).await.unwrap();
        assert_eq!(appended.uids, set(&[(1, 150)]));
        let view = house.store.view(inbox).await.unwrap().unwrap();
        let row = view.read(|rows| rows.as_slice()[1]);
        assert_eq!(row.internal_date(), date);
        assert_eq!(view.flags_of(row.flags), [SEEN, keyword("$label1")]);
        assert_eq!(view.highest_mod_seq(), appended.mod_seq);
        let gone = relais_store::MailboxKey::new(1);
        assert!(matches!(house.store.append(gone, vec![append("x")]).await, Err(ChangeError::NoMailbox)));
        house.check().await;
    });
}

#[test]
fn what_was_told_is_there_after_reopening() {
    on_both(|house| async move {
        house.accept(&message(1), vec![delivery(house.anna)]).await;
        let before = house.status(house.anna, "INBOX").await;
        let house = house.reopen().await;
        assert_eq!(house.status(house.anna, "INBOX").await, before);
        let second = house.accept(&message(2), vec![delivery(house.anna)]).await;
        assert_eq!(second.deliveries[0].unwrap().uid.value(), 2);
        let is_postgres = house.store.engine() == relais_store::Engine::Postgres;
        assert_eq!(house.open_twice().await, is_postgres, "one server a SQLite store");
        assert!(house.store.domain(&Domain::parse("house.example").unwrap()).await.unwrap().is_some());
        house.check().await;
        house.store.close().await;
        let late = house.store.accept(acceptance(&message(3), vec![delivery(house.anna)])).await;
        assert!(late.is_err(), "closed");
    });
}
