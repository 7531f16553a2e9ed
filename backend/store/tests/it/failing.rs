//! When the database refuses: nobody else pays for it, and nothing is lost.

use relais_store::Engine;
use sqlx::{AnyConnection, Connection, Executor};

use crate::house::{acceptance, delivery, message, on_both};

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
