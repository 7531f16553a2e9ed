//! STORE, EXPUNGE, COPY and MOVE.

use relais_model::ModSeq;
use relais_store::{ChangeError, FlagChange, FlagOp, MAX_KEYWORDS};

use crate::house::{DELETED, SEEN, append, keyword, message, on_both, set, uid};

fn flags(op: FlagOp, flags: Vec<relais_model::Flag>) -> FlagChange {
    FlagChange { op, flags }
}

#[test]
fn flags_change_and_raise_mod_seq_only_where_they_differ() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..10).await;
        let view = store.view(inbox).await.unwrap().unwrap();
        let start = view.highest_mod_seq();
        let first = store.store_flags(inbox, set(&[(2, 4)]), flags(FlagOp::Add, vec![SEEN]), None).await.unwrap();
        assert_eq!(first.changed, set(&[(2, 4)]));
        assert!(first.mod_seq > start);
        let again = store.store_flags(inbox, set(&[(1, 4)]), flags(FlagOp::Add, vec![SEEN]), None).await.unwrap();
        assert_eq!(again.changed, set(&[(1, 1)]), "those that had it are not touched");
        // RFC 7162 §3.1.3: UNCHANGEDSINCE.
        let since = Some(first.mod_seq);
        let change = flags(FlagOp::Replace, vec![keyword("$Work"), DELETED]);
        let conditional = store.store_flags(inbox, set(&[(1, 2), (9, 90)]), change, since).await.unwrap();
        assert_eq!((conditional.changed, conditional.modified), (set(&[(2, 2), (9, 10)]), set(&[(1, 1)])));
        // Which flags are others, and where.
        let flipped: Vec<_> =
            conditional.flipped.iter().map(|(bits, uids)| (view.flags_of(*bits), uids.clone())).collect();
        let both = vec![DELETED, keyword("$Work")];
        assert_eq!(flipped, [(both, set(&[(9, 10)])), (vec![DELETED, SEEN, keyword("$Work")], set(&[(2, 2)]))]);
        let none = store.store_flags(inbox, set(&[(2, 2)]), flags(FlagOp::Remove, vec![keyword("$Other")]), None).await;
        assert!(none.unwrap().changed.is_empty(), "a keyword that isn't there cannot be removed, nor is it made");
        assert_eq!(view.keywords().len(), 1);
        let row = view.read(|rows| *rows.get(uid(2)).unwrap());
        assert_eq!(view.flags_of(row.flags), [DELETED, keyword("$work")]);
        let status = house.status(house.anna, "INBOX").await;
        assert_eq!((status.unseen, status.deleted), (7, 3));
        drop(view);
        let view = store.view(inbox).await.unwrap().unwrap();
        assert_eq!(view.read(|rows| *rows.get(uid(2)).unwrap()), row, "the database says what the view said");
        house.check().await;
    });
}

#[test]
fn scattered_flags_are_stored() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..1200).await;
        let odd: Vec<(u32, u32)> = (0..600).map(|at| (2 * at + 1, 2 * at + 1)).collect();
        let stored = store.store_flags(inbox, set(&odd), flags(FlagOp::Replace, vec![DELETED]), None).await.unwrap();
        assert_eq!(stored.changed.count(), 600);
        let expunged = store.expunge(inbox, Some(set(&[(1, 11), (13, 13)]))).await.unwrap();
        assert_eq!(expunged.uids, set(&[(1, 1), (3, 3), (5, 5), (7, 7), (9, 9), (11, 11), (13, 13)]));
        let expunged = store.expunge(inbox, None).await.unwrap();
        assert_eq!(expunged.uids.count(), 593);
        assert_eq!(store.vanished_since(inbox, ModSeq::FIRST).await.unwrap().count(), 600);
        assert!(store.vanished_since(inbox, expunged.mod_seq).await.unwrap().is_empty());
        house.check().await;
    });
}

/// Several nodes: what another has done a view here may not know, also after it has heard of what was done here later. Then the database is asked, and counts
/// and keywords stay right.
#[test]
fn what_another_node_changed_is_not_changed_again() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..4).await;
        let mut here = store.sight(house.anna, inbox).await.unwrap().unwrap();
        store.store_flags(inbox, set(&[(1, 2)]), flags(FlagOp::Add, vec![DELETED]), None).await.unwrap();
        let Some(other) = house.other_node().await else { return house.check().await };
        let there = other.view(inbox).await.unwrap().unwrap();
        assert_eq!(other.expunge(inbox, None).await.unwrap().uids, set(&[(1, 2)]));
        let mark = |word: &str| flags(FlagOp::Add, vec![DELETED, keyword(word)]);
        let stored = store.store_flags(inbox, set(&[(1, 3)]), mark("$Here"), None).await.unwrap();
        assert_eq!(stored.changed, set(&[(3, 3)]));
        assert_eq!(store.expunge(inbox, None).await.unwrap().uids, set(&[(3, 3)]));
        let stored = other.store_flags(inbox, set(&[(1, 4)]), mark("$There"), None).await.unwrap();
        assert_eq!(stored.changed, set(&[(4, 4)]));
        let status = house.status(house.anna, "INBOX").await;
        assert_eq!((status.messages, status.deleted), (1, 1));
        assert!(there.is_overtaken() && here.is_stale());
        store.look_again(&mut here).await.unwrap();
        assert_eq!((here.uids(), here.keywords().len()), (set(&[(4, 4)]), 2));
        store.hear_mail().await.unwrap();
        assert!(!here.is_stale(), "nothing more was done");
        other.store_flags(inbox, set(&[(4, 4)]), flags(FlagOp::Remove, vec![DELETED]), None).await.unwrap();
        assert!(!here.is_stale(), "nobody has said it");
        store.hear_mail().await.unwrap();
        assert!(here.is_stale());
        other.close().await;
        house.check().await;
    });
}

#[test]
fn keywords_end_with_a_clear_word() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..1).await;
        for number in 0..MAX_KEYWORDS {
            let change = flags(FlagOp::Add, vec![keyword(&format!("k{number}"))]);
            store.store_flags(inbox, set(&[(1, 1)]), change, None).await.unwrap();
        }
        let change = flags(FlagOp::Add, vec![keyword("one-more")]);
        let refused = store.store_flags(inbox, set(&[(1, 1)]), change, None).await;
        assert!(matches!(refused, Err(ChangeError::TooManyKeywords)));
        let view = store.view(inbox).await.unwrap().unwrap();
        let all = view.read(|rows| rows.as_slice()[0].flags);
        assert_eq!(view.flags_of(all).len(), MAX_KEYWORDS);
        let house = house.reopen().await;
        let view = house.store.view(inbox).await.unwrap().unwrap();
        assert_eq!(view.flags_of(all).last(), Some(&keyword(&format!("k{}", MAX_KEYWORDS - 1))));
        house.check().await;
    });
}

#[test]
fn expunged_uids_are_never_given_again() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        house.fill(inbox, 0..3).await;
        house.store.store_flags(inbox, set(&[(2, 3)]), flags(FlagOp::Add, vec![DELETED]), None).await.unwrap();
        house.store.expunge(inbox, None).await.unwrap();
        let house = house.reopen().await;
        let appended = house.store.append(inbox, vec![append(&message(9))]).await.unwrap();
        assert_eq!(appended.uids, set(&[(4, 4)]));
        let quota = house.store.quota(house.anna).await.unwrap().unwrap();
        assert_eq!(quota.used_messages, 2);
        house.check().await;
    });
}

#[test]
fn copies_keep_flags_whose_bits_stand_elsewhere() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        let archive = house.status(house.anna, "Archive").await.mailbox.key;
        house.fill(inbox, 0..6).await;
        house.fill(archive, 10..11).await;
        let mark = |mailbox, uids, flag| store.store_flags(mailbox, set(uids), flags(FlagOp::Add, vec![flag]), None);
        mark(inbox, &[(1, 3)], keyword("red")).await.unwrap();
        mark(inbox, &[(3, 4)], keyword("blue")).await.unwrap();
        mark(archive, &[(1, 1)], keyword("Blue")).await.unwrap();
        let copied = store.copy(inbox, set(&[(1, 1), (3, 4), (77, 99)]), archive).await.unwrap();
        assert_eq!(copied.from, [uid(1), uid(3), uid(4)]);
        assert_eq!(copied.to, [uid(2), uid(3), uid(4)]);
        let view = store.view(archive).await.unwrap().unwrap();
        assert_eq!(view.read(relais_store::Rows::len), 4);
        let of = |number| view.flags_of(view.read(|rows| rows.get(uid(number)).unwrap().flags));
        assert_eq!(of(2), [keyword("red")]);
        assert_eq!(of(3), [keyword("blue"), keyword("red")]);
        let moved = store.move_messages(inbox, set(&[(1, 2)]), archive).await.unwrap();
        assert_eq!(moved.to, [uid(5), uid(6)]);
        let source = house.status(house.anna, "INBOX").await;
        assert_eq!((source.messages, source.highest_mod_seq), (4, moved.mod_seq));
        let same = store.copy(inbox, set(&[(3, 6)]), inbox).await.unwrap();
        assert_eq!(same.to, [uid(7), uid(8), uid(9), uid(10)]);
        let rows = view.read(|rows| rows.as_slice().to_vec());
        drop(view);
        let loaded = store.view(archive).await.unwrap().unwrap();
        assert_eq!(loaded.read(|loaded| loaded.as_slice().to_vec()), rows, "the database says what the view said");
        house.check().await;
    });
}

#[test]
fn changes_in_one_transaction_see_one_another() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, house.store.clone());
        house.fill(inbox, 0..50).await;
        let view = store.view(inbox).await.unwrap().unwrap();
        // Sent at once, so that the writer takes them together.
        let all = tokio::join!(
            store.store_flags(inbox, set(&[(1, 20)]), flags(FlagOp::Add, vec![DELETED]), None),
            store.append(inbox, vec![append(&message(100))]),
            store.expunge(inbox, None),
            store.store_flags(inbox, set(&[(15, 60)]), flags(FlagOp::Add, vec![SEEN]), None),
            store.copy(inbox, set(&[(1, 60)]), inbox),
        );
        assert_eq!(all.2.unwrap().uids, set(&[(1, 20)]));
        assert_eq!(all.3.unwrap().changed, set(&[(21, 51)]));
        assert_eq!(all.4.unwrap().to.len(), 31);
        let rows = view.read(|rows| rows.as_slice().to_vec());
        drop(view);
        let loaded = store.view(inbox).await.unwrap().unwrap();
        assert_eq!(loaded.read(|loaded| loaded.as_slice().to_vec()), rows);
        house.check().await;
    });
}

/// RFC 8508: what goes makes room for what comes; both or neither.
#[test]
fn a_message_replaces_another() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..3).await;
        let view = store.view(inbox).await.unwrap().unwrap();
        let before = view.highest_mod_seq();
        let replaced = store.replace(inbox, uid(2), inbox, append(&message(7))).await.unwrap();
        assert_eq!(replaced.appended.uids, set(&[(4, 4)]));
        assert!(before < replaced.appended.mod_seq && replaced.appended.mod_seq < replaced.mod_seq);
        let changes = view.changes_since(before, &set(&[(1, 3)]));
        assert_eq!((changes.arrived, changes.vanished), (set(&[(4, 4)]), set(&[(2, 2)])));
        // Into another mailbox, by an account that has no room left.
        let quota = store.quota(house.anna).await.unwrap().unwrap();
        let drafts = house.status(house.anna, "Drafts").await.mailbox.key;
        let replaced = store.replace(inbox, uid(1), drafts, append(&message(8))).await.unwrap();
        assert_eq!(replaced.appended.uids, set(&[(1, 1)]));
        assert_eq!(store.quota(house.anna).await.unwrap().unwrap().used_messages, quota.used_messages);
        // What is gone isn't replaced, and nothing comes.
        let gone = store.replace(inbox, uid(1), drafts, append(&message(9))).await;
        assert!(matches!(gone, Err(ChangeError::NoMessage)), "{gone:?}");
        let many = (0..=MAX_KEYWORDS).map(|number| keyword(&format!("k{number}"))).collect();
        let full = relais_store::Append { flags: many, ..append(&message(9)) };
        let refused = store.replace(inbox, uid(3), drafts, full).await;
        assert!(matches!(refused, Err(ChangeError::TooManyKeywords)), "{refused:?}");
        assert_eq!(house.status(house.anna, "INBOX").await.messages, 2);
        assert_eq!(house.status(house.anna, "Drafts").await.messages, 1);
        // What comes and goes in one transaction.
        let (came, went) = tokio::join!(
            store.append(drafts, vec![append(&message(10))]),
            store.replace(drafts, uid(2), drafts, append(&message(11)))
        );
        assert_eq!((came.unwrap().uids, went.unwrap().appended.uids), (set(&[(2, 2)]), set(&[(3, 3)])));
        assert_eq!(house.status(house.anna, "Drafts").await.messages, 2);
        house.check().await;
    });
}
