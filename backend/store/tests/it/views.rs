//! Views: shared, true, and told.

use std::sync::Arc;

use relais_model::{ModSeq, UidSet};
use relais_store::{ChangeKind, FlagChange, FlagOp};

use crate::house::{DELETED, SEEN, acceptance, append, delivery, message, on_both, set};

#[test]
fn all_who_look_share_one_view() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        let (one, other) = tokio::join!(house.store.view(inbox), house.store.view(inbox));
        assert!(Arc::ptr_eq(&one.unwrap().unwrap(), &other.unwrap().unwrap()));
        assert!(house.store.view(relais_store::MailboxKey::new(5)).await.unwrap().is_none());
    });
}

#[test]
fn a_view_that_is_loaded_while_mail_arrives_misses_nothing() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        let store = house.store.clone();
        let mut writing = tokio::task::JoinSet::new();
        writing.spawn(async move {
            for number in 0..200 {
                store.append(inbox, vec![append(&message(number))]).await.unwrap();
                if number % 3 == 0 {
                    let change = FlagChange { op: FlagOp::Add, flags: vec![DELETED] };
                    store.store_flags(inbox, set(&[(number, number)]), change, None).await.unwrap();
                    store.expunge(inbox, None).await.unwrap();
                }
            }
        });
        while writing.try_join_next().is_none() {
            let looked_at = Arc::downgrade(&house.store.view(inbox).await.unwrap().unwrap());
            // The writer may hold it at this moment, and the cache for a few more.
            let mut looks = 0;
            while looked_at.upgrade().is_some() {
                house.store.forget_views();
                tokio::task::yield_now().await;
                looks += 1;
                assert!(looks < 100_000, "the next look must load it anew");
            }
        }
        let held = house.store.view(inbox).await.unwrap();
        let rows = held.unwrap().read(|rows| rows.as_slice().to_vec());
        let status = house.status(house.anna, "INBOX").await;
        assert_eq!(rows.len() as u64, status.messages);
        assert_eq!(rows.iter().filter(|row| row.flags & 1 == 0).count() as u64, status.unseen);
        house.check().await;
    });
}

#[test]
fn a_session_hears_what_it_does_not_know() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..10).await;
        let view = store.view(inbox).await.unwrap().unwrap();
        let (since, known) = (view.highest_mod_seq(), set(&[(1, 10)]));
        let mut news = view.subscribe();
        let mut all_news = store.changes();
        house.accept(&message(11), vec![delivery(house.anna)]).await;
        assert!(news.has_changed().unwrap(), "before the sender is answered");
        news.mark_unchanged();
        assert_eq!(all_news.recv().await.unwrap().kind, ChangeKind::Arrived(set(&[(11, 11)])));
        let seen = FlagChange { op: FlagOp::Add, flags: vec![SEEN] };
        store.store_flags(inbox, set(&[(2, 3), (11, 11)]), seen, None).await.unwrap();
        let deleted = FlagChange { op: FlagOp::Add, flags: vec![DELETED] };
        store.store_flags(inbox, set(&[(3, 5)]), deleted, None).await.unwrap();
        store.expunge(inbox, None).await.unwrap();
        house.fill(inbox, 20..21).await;
        for (since, how) in [(since, "remembered"), (ModSeq::FIRST, "compared")] {
            let changes = view.changes_since(since, &known);
            assert_eq!(changes.arrived, set(&[(11, 12)]), "{how}");
            assert_eq!(changes.vanished, set(&[(3, 5)]), "{how}");
        }
        assert_eq!(view.changes_since(since, &known).flagged, set(&[(2, 2)]));
        let nothing = view.changes_since(view.highest_mod_seq(), &set(&[(1, 2), (6, 12)]));
        assert_eq!(nothing, relais_store::Changes::default());
        house.check().await;
    });
}

#[test]
fn the_recent_are_claimed_once() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        house.fill(inbox, 0..3).await;
        let view = house.store.view(inbox).await.unwrap().unwrap();
        assert_eq!(house.store.claim_recent(&view), 1);
        assert_eq!(house.store.claim_recent(&view), 4, "the next who asks finds none");
        house.accept(&message(4), vec![delivery(house.anna)]).await;
        let house = house.reopen().await;
        assert_eq!(house.status(house.anna, "INBOX").await.recent, 1);
        let view = house.store.view(inbox).await.unwrap().unwrap();
        assert_eq!(house.store.claim_recent(&view), 4);
        let uids: UidSet = view.read(|rows| rows.iter().filter_map(relais_store::Row::uid).collect());
        assert_eq!(uids, set(&[(1, 4)]));
        house.store.accept(acceptance(&message(5), vec![])).await.unwrap();
        house.check().await;
    });
}
