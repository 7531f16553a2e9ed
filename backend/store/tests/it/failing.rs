//! When the database refuses: nobody else pays for it, and nothing is lost.

use relais_model::Address;
use relais_store::{
    Accepted, AccountChange, Author, ChangeError, Delivery, DeliveryRefusal, Engine, FlagChange, FlagOp, Target,
};
use sqlx::{AnyConnection, Connection, Executor};

use crate::house::{DELETED, SEEN, acceptance, append, delivery, message, name, on_both, set};

#[test]
fn a_failing_item_fails_alone() {
    on_both(|house| async move {
        if house.store.engine() == Engine::Postgres {
            return;
        }
        // What no validation foresees: a row that the database itself refuses.
        let mut connection = AnyConnection::connect(&house.sqlite_url()).await.unwrap();
        connection
            .execute(
                "CREATE TRIGGER poison BEFORE INSERT ON message_words WHEN NEW.subject LIKE '%POISON%'
                 BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
            )
            .await
            .unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for number in 0..40 {
            let raw = if number % 10 == 3 { message(number).replace("Number", "Poison") } else { message(number) };
            let (store, acceptance) = (house.store.clone(), acceptance(&raw, vec![delivery(house.anna)]));
            waiting.spawn(async move { (number % 10 == 3, store.accept(acceptance).await) });
        }
        let mut uids = Vec::new();
        while let Some(answer) = waiting.join_next().await {
            match answer.unwrap() {
                (true, Err(error)) => assert!(error.is_transient()),
                (false, Ok(accepted)) => uids.push(accepted.deliveries[0].unwrap().uid.value()),
                (is_poison, answer) => panic!("poison: {is_poison}, answered {answer:?}"),
            }
        }
        uids.sort_unstable();
        assert_eq!(uids, (1..=36).collect::<Vec<_>>());
        connection.execute("DROP TRIGGER poison").await.unwrap();
        let again = message(3).replace("Number", "Poison");
        assert!(
            house.accept(&again, vec![delivery(house.anna)]).await.deliveries[0].is_ok(),
            "back when there is room"
        );
        house.check().await;
    });
}

#[test]
fn what_is_remembered_of_mailboxes_goes_with_the_transaction_that_failed() {
    on_both(|house| async move {
        if house.store.engine() == Engine::Postgres {
            return;
        }
        let inbox = house.inbox().await;
        house.accept(&message(1), vec![delivery(house.anna)]).await;
        let mut connection = AnyConnection::connect(&house.sqlite_url()).await.unwrap();
        // As SQLite does by itself where the disk is full: the whole transaction goes, and no ROLLBACK is needed.
        for way in ["ABORT", "ROLLBACK", "FAIL"] {
            let trigger = format!(
                "CREATE TRIGGER poison BEFORE UPDATE ON mailbox BEGIN SELECT RAISE({way}, 'the disk is full'); END"
            );
            connection.execute(sqlx::AssertSqlSafe(trigger)).await.unwrap();
            let refused = house.store.accept(acceptance(&message(2), vec![delivery(house.anna)])).await;
            assert!(refused.unwrap_err().is_transient(), "{way}");
            let seen = FlagChange { op: FlagOp::Add, flags: vec![SEEN] };
            let refused = house.store.store_flags(inbox, set(&[(1, 1)]), seen, None).await;
            assert!(refused.unwrap_err().is_transient(), "{way}");
            connection.execute("DROP TRIGGER poison").await.unwrap();
            house.check().await;
        }
        let accepted = house.accept(&message(3), vec![delivery(house.anna)]).await;
        assert_eq!(accepted.deliveries[0].unwrap().uid.value(), 2, "no UID was lost, none given twice");
        let status = house.status(house.anna, "INBOX").await;
        assert_eq!((status.messages, status.unseen), (2, 2));
        house.check().await;
    });
}

#[test]
fn what_is_remembered_of_mailboxes_goes_where_others_change_them() {
    on_both(|house| async move {
        let to = |target: &str| Delivery { mailbox: Target::Name(name(target)), ..delivery(house.anna) };
        house.store.create_mailbox(house.anna, &name("Work"), None).await.unwrap();
        let work = house.status(house.anna, "Work").await.mailbox.key;
        let inbox = house.inbox().await;
        let filed = |accepted: Accepted| accepted.deliveries[0].map(|delivered| delivered.mailbox);
        assert_eq!(filed(house.accept(&message(1), vec![to("Work")]).await), Ok(work));
        house.store.rename_mailbox(house.anna, &name("Work"), &name("Play")).await.unwrap();
        assert_eq!(filed(house.accept(&message(2), vec![to("Work")]).await), Ok(inbox), "its name is gone");
        assert_eq!(filed(house.accept(&message(3), vec![to("Play")]).await), Ok(work));
        house.store.delete_mailbox(house.anna, &name("Play")).await.unwrap();
        assert_eq!(filed(house.accept(&message(4), vec![to("Play")]).await), Ok(inbox));
        let refused = house.store.append(work, vec![append(&message(5))]).await;
        assert!(matches!(refused, Err(ChangeError::NoMailbox)));
        let anna = Address::parse("anna@house.example").unwrap();
        let full = AccountChange { quota_octets: Some(Some(1)), ..AccountChange::default() };
        house.store.change_account(&anna, full, None, &Author::house()).await.unwrap();
        let refused = house.accept(&message(6), vec![delivery(house.anna)]).await;
        assert_eq!(refused.deliveries[0], Err(DeliveryRefusal::OverQuota));
        let free = AccountChange { quota_octets: Some(None), ..AccountChange::default() };
        house.store.change_account(&anna, free, None, &Author::house()).await.unwrap();
        // What an expunge gives back is known to the delivery after it.
        let used = house.store.quota(house.anna).await.unwrap().unwrap().used_octets;
        let full = AccountChange { quota_octets: Some(Some(used)), ..AccountChange::default() };
        house.store.change_account(&anna, full, None, &Author::house()).await.unwrap();
        let again = || vec![delivery(house.anna)];
        assert_eq!(house.accept(&message(7), again()).await.deliveries[0], Err(DeliveryRefusal::OverQuota));
        let deleted = FlagChange { op: FlagOp::Add, flags: vec![DELETED] };
        house.store.store_flags(inbox, set(&[(1, 1)]), deleted, None).await.unwrap();
        house.store.expunge(inbox, None).await.unwrap();
        assert!(house.accept(&message(7), again()).await.deliveries[0].is_ok());
        assert_eq!(house.accept(&message(8), again()).await.deliveries[0], Err(DeliveryRefusal::OverQuota));
        house.check().await;
    });
}

#[test]
fn check_finds_each_kind_of_damage() {
    on_both(|house| async move {
        if house.store.engine() == Engine::Postgres {
            return;
        }
        let inbox = house.inbox().await;
        house.fill(inbox, 1..6).await;
        let deleted = FlagChange { op: FlagOp::Add, flags: vec![DELETED] };
        house.store.store_flags(inbox, set(&[(2, 2)]), deleted, None).await.unwrap();
        house.store.expunge(inbox, None).await.unwrap();
        house.check().await;
        let mut connection = AnyConnection::connect(&house.sqlite_url()).await.unwrap();
        let cases = [
            ("UPDATE mailbox SET unseen = unseen + 1", "mailboxes whose counts"),
            ("UPDATE mailbox SET uid_next = 3 WHERE messages > 0", "mailboxes that would give a UID twice"),
            ("UPDATE entry SET mod_seq = 1000 WHERE uid = 1", "mailboxes with rows of a later MODSEQ"),
            ("UPDATE expunged SET last_uid = 3", "UIDs that are both there and expunged"),
            ("UPDATE entry SET mailbox_key = 77 WHERE uid = 4", "rows without a mailbox"),
            ("UPDATE entry SET size_octets = 7 WHERE uid = 1", "rows without a message, or with another size"),
            (
                "UPDATE message_words SET message_key = 5 WHERE message_key = (SELECT MIN(message_key) FROM message)",
                "messages without a body or words",
            ),
            ("SELECT 1", "bodies or words without a message"),
            ("UPDATE account SET used_octets = used_octets + 1", "accounts whose use"),
            ("UPDATE mailbox SET name = 'OUTBOX' WHERE name = 'INBOX'", "accounts without INBOX"),
            (
                "INSERT INTO subscription (account_key, name) VALUES (5, 'x')",
                "keywords, expunged UIDs or subscriptions",
            ),
            (
                "INSERT INTO queued (queue_key, message_key, trace, size_octets, reverse_path, body_type, smtputf8,
                                  require_tls, created_at, expires_at) VALUES (1, 2, 't', 3, '', 0, 0, 0, 4, 5)",
                "queued messages without a message",
            ),
        ];
        for (damage, found) in cases {
            connection.execute(damage).await.unwrap();
            let told = house.store.check().await.unwrap();
            assert!(told.iter().any(|line| line.starts_with(found)), "{damage}: {told:?}");
        }
    });
}
