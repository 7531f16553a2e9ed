//! Mailboxes made, renamed, removed.

use std::time::Duration;

use relais_model::{ModSeq, SpecialUse};
use relais_store::{Delivery, MailboxError, Settings, Target};

use crate::house::{House, delivery, message, name, on_both, set};

async fn names(house: &House) -> Vec<String> {
    let mailboxes = house.store.mailboxes(house.anna).await.unwrap();
    mailboxes.iter().map(|status| status.mailbox.name.as_str().to_owned()).collect()
}

#[test]
fn each_account_has_its_six_from_the_start() {
    on_both(|house| async move {
        assert_eq!(names(&house).await, ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]);
        let junk = house.status(house.anna, "Junk").await.mailbox;
        assert_eq!((junk.special_use, junk.is_subscribed), (Some(SpecialUse::Junk), true));
        assert_eq!(house.store.subscriptions(house.anna).await.unwrap().len(), 6);
        house.check().await;
    });
}

#[test]
fn mailboxes_are_made_with_their_parents_and_never_with_an_old_epoch() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let made = store.create_mailbox(anna, &name("a/b/c"), None).await.unwrap();
        assert_eq!(names(&house).await[..4], ["Archive", "Drafts", "INBOX", "Junk"]);
        assert!(store.mailbox(anna, &name("a/b")).await.unwrap().is_some());
        assert!(matches!(store.create_mailbox(anna, &name("a/b"), None).await, Err(MailboxError::Exists)));
        let taken = store.create_mailbox(anna, &name("Spam"), Some(SpecialUse::Junk)).await;
        assert!(matches!(taken, Err(MailboxError::UseTaken)));
        store.delete_mailbox(anna, &name("a/b/c")).await.unwrap();
        let again = store.create_mailbox(anna, &name("a/b/c"), None).await.unwrap();
        assert!(again.mailbox.uid_validity > made.mailbox.uid_validity, "RFC 9051 §2.3.1.1");
        assert!(matches!(store.delete_mailbox(anna, &name("INBOX")).await, Err(MailboxError::Inbox)));
        assert!(matches!(store.delete_mailbox(anna, &name("none")).await, Err(MailboxError::NotFound)));
        house.check().await;
    });
}

/// RFC 6154 §2, and one mailbox for a use: what is filed by a use goes by what has it now.
#[test]
fn a_use_goes_from_mailbox_to_mailbox() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let junk = house.status(anna, "Junk").await.mailbox.key;
        let spam = store.create_mailbox(anna, &name("Spam"), None).await.unwrap().mailbox.key;
        let filed = async || {
            let to = Delivery { mailbox: Target::Use(SpecialUse::Junk), ..delivery(anna) };
            house.accept(&message(1), vec![to]).await.deliveries[0].unwrap().mailbox
        };
        assert_eq!(filed().await, junk);
        assert_eq!(store.give_use(anna, spam, SpecialUse::Junk).await.unwrap(), Some(junk));
        assert_eq!(filed().await, spam, "nothing remembers the mailbox of before");
        assert_eq!(house.status(anna, "Junk").await.mailbox.special_use, None);
        assert_eq!(store.give_use(anna, spam, SpecialUse::Junk).await.unwrap(), Some(spam), "it has it already");
        assert_eq!(store.give_use(anna, junk, SpecialUse::Flagged).await.unwrap(), None, "none had it");
        let check = async |account, mailbox, expected: &str| {
            let error = store.give_use(account, mailbox, SpecialUse::Trash).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check(anna, spam, "another mailbox has this use").await;
        check(anna, house.status(anna, "INBOX").await.mailbox.key, "INBOX stays where it is").await;
        check(house.bert, spam, "there is no such mailbox").await;
        assert_eq!(house.status(anna, "Trash").await.mailbox.special_use, Some(SpecialUse::Trash));
        house.check().await;
    });
}

#[test]
fn a_deleted_mailbox_gives_its_room_back_and_tells_its_viewers() {
    on_both(|house| async move {
        let archive = house.status(house.anna, "Archive").await.mailbox.key;
        house.fill(archive, 0..5).await;
        let view = house.store.view(archive).await.unwrap().unwrap();
        let mut news = view.subscribe();
        house.store.delete_mailbox(house.anna, &name("Archive")).await.unwrap();
        news.changed().await.unwrap();
        assert!(view.is_gone());
        let quota = house.store.quota(house.anna).await.unwrap().unwrap();
        assert_eq!((quota.used_octets, quota.used_messages), (0, 0));
        assert!(house.store.view(archive).await.unwrap().is_none() || view.is_gone());
        assert_eq!(house.store.collect().await.unwrap(), 0, "the contents can be taken back");
        house.clock.advance(Settings::default().removed_kept + Duration::from_secs(1));
        assert_eq!(house.store.collect().await.unwrap(), 5, "nobody needs the contents");
        house.check().await;
    });
}

#[test]
fn a_renamed_mailbox_takes_its_children_along() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let key = store.create_mailbox(anna, &name("one/two"), None).await.unwrap().mailbox.key;
        store.create_mailbox(anna, &name("onerous"), None).await.unwrap();
        store.rename_mailbox(anna, &name("one"), &name("x/y")).await.unwrap();
        assert_eq!(house.status(anna, "x/y/two").await.mailbox.key, key);
        assert!(store.mailbox(anna, &name("x")).await.unwrap().is_some(), "the parent is made");
        assert!(store.mailbox(anna, &name("onerous")).await.unwrap().is_some(), "a name alike is left alone");
        let check = async |from: &str, to: &str, expected: &str| {
            let error = store.rename_mailbox(anna, &name(from), &name(to)).await.unwrap_err();
            assert_eq!(error.to_string(), expected, "{from} to {to}");
        };
        check("x", "x/y/z", "a mailbox cannot be moved below itself").await;
        check("x/y", "Trash", "the mailbox exists").await;
        check("nothing", "new", "there is no such mailbox").await;
        store.delete_mailbox(anna, &name("x")).await.unwrap();
        store.rename_mailbox(anna, &name("x"), &name("z")).await.unwrap();
        assert_eq!(house.status(anna, "z/y/two").await.mailbox.key, key, "a level is renamed for what is below it");
        check("Trash", "inbox", "the mailbox exists").await;
        house.check().await;
    });
}

/// What was told of a name is forgotten with each change of it, also on SQLite, where it is remembered.
#[test]
fn a_name_leads_to_its_mailbox_of_now() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let leads = async |text: &str| store.mailbox_key(anna, &name(text)).await.unwrap();
        assert_eq!(leads("a").await, None);
        let first = store.create_mailbox(anna, &name("a"), None).await.unwrap().mailbox.key;
        assert_eq!((leads("a").await, leads("a").await), (Some(first), Some(first)));
        store.rename_mailbox(anna, &name("a"), &name("b")).await.unwrap();
        assert_eq!((leads("a").await, leads("b").await), (None, Some(first)));
        let second = store.create_mailbox(anna, &name("a"), None).await.unwrap().mailbox.key;
        store.delete_mailbox(anna, &name("b")).await.unwrap();
        assert_eq!((leads("a").await, leads("b").await), (Some(second), None));
        house.check().await;
    });
}

#[test]
fn renaming_inbox_moves_its_messages() {
    on_both(|house| async move {
        let (store, anna, inbox) = (&house.store, house.anna, house.inbox().await);
        house.fill(inbox, 0..4).await;
        let view = store.view(inbox).await.unwrap().unwrap();
        let since = view.highest_mod_seq();
        store.rename_mailbox(anna, &name("INBOX"), &name("old/mail")).await.unwrap();
        let moved = house.status(anna, "old/mail").await;
        assert_eq!((moved.messages, moved.uid_next), (4, 5));
        let left = house.status(anna, "INBOX").await;
        assert_eq!((left.mailbox.key, left.messages, left.uid_next), (inbox, 0, 5));
        let changes = view.changes_since(since, &set(&[(1, 4)]));
        assert_eq!(changes.vanished, set(&[(1, 4)]));
        assert_eq!(store.vanished_since(inbox, ModSeq::FIRST).await.unwrap(), set(&[(1, 4)]));
        house.fill(inbox, 9..10).await;
        assert_eq!(house.status(anna, "INBOX").await.uid_next, 6);
        house.check().await;
    });
}

#[test]
fn subscriptions_outlive_their_mailboxes() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        store.subscribe(anna, &name("not there")).await.unwrap();
        store.subscribe(anna, &name("not there")).await.unwrap();
        store.unsubscribe(anna, &name("Trash")).await.unwrap();
        let names: Vec<_> = store.subscriptions(anna).await.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Archive", "Drafts", "INBOX", "Junk", "Sent", "not there"]);
        assert!(!house.status(anna, "Trash").await.mailbox.is_subscribed);
        house.check().await;
    });
}
