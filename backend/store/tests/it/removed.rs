//! Messages and mailboxes that were deleted, and come back.

use std::time::Duration;

use relais_model::{Address, Flag, SpecialUse, SystemFlag};
use relais_store::{
    AccountChange, AccountKey, Append, Author, ChangeError, FlagChange, FlagOp, MailboxKey, MessageKey, Page,
    RemovedMailbox, RemovedMessage, Row, Settings,
};

use crate::house::{DELETED, House, SEEN, append, keyword, message, name, on_both, set, uid};

impl House {
    async fn delete(&self, mailbox: MailboxKey, uids: &[(u32, u32)]) {
        let change = FlagChange { op: FlagOp::Add, flags: vec![DELETED] };
        self.store.store_flags(mailbox, set(uids), change, None).await.unwrap();
        self.clock.advance(Duration::from_secs(1));
        self.store.expunge(mailbox, Some(set(uids))).await.unwrap();
    }

    async fn removed(&self, account: AccountKey) -> Vec<RemovedMessage> {
        self.store.removed_messages(account, &Page::first()).await.unwrap().rows
    }

    async fn removed_mailboxes(&self) -> Vec<RemovedMailbox> {
        self.store.removed_mailboxes(self.anna, &Page::first()).await.unwrap().rows
    }

    /// In which mailboxes they stood, the latest deleted first.
    async fn origins(&self) -> Vec<String> {
        self.removed(self.anna).await.iter().map(|row| row.mailbox_name.as_str().to_owned()).collect()
    }

    async fn key_of(&self, mailbox: &str) -> MailboxKey {
        self.status(self.anna, mailbox).await.mailbox.key
    }

    async fn rows(&self, mailbox: MailboxKey) -> Vec<Row> {
        self.store.view(mailbox).await.unwrap().unwrap().read(|rows| rows.as_slice().to_vec())
    }

    async fn allow(&self, quota_octets: Option<u64>) {
        let change = AccountChange { quota_octets: Some(quota_octets), ..AccountChange::default() };
        self.store.change_account(&anna(), change, None, &Author::house()).await.unwrap();
    }
}

fn anna() -> Address {
    Address::parse("anna@house.example").unwrap()
}

fn keys(rows: &[RemovedMessage]) -> Vec<MessageKey> {
    rows.iter().map(|row| row.message).collect()
}

#[test]
fn what_was_deleted_comes_back_with_its_flags_and_date() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..4).await;
        let change = FlagChange { op: FlagOp::Add, flags: vec![SEEN, keyword("$Work")] };
        store.store_flags(inbox, set(&[(2, 2)]), change, None).await.unwrap();
        let second = house.rows(inbox).await[1];
        house.delete(inbox, &[(2, 2), (4, 4)]).await;
        assert_eq!(store.quota(house.anna).await.unwrap().unwrap().used_messages, 2, "no quota counts them");
        let removed = house.removed(house.anna).await;
        assert_eq!(removed.len(), 2);
        assert!(removed.iter().all(|row| row.has_mailbox && row.mailbox == inbox && row.removed_at == store.now()));
        assert!(removed.iter().all(|row| row.head.starts_with(b"From: Carl") && row.preview.contains("This is")));
        assert!(house.removed(house.bert).await.is_empty());
        let total = store.removed_total(house.anna, store.now()).await.unwrap();
        assert_eq!((total.messages, total.size_octets), (2, removed.iter().map(|row| row.size_octets).sum()));

        store.collect().await.unwrap();
        let archive = house.key_of("Archive").await;
        assert_eq!(store.restore_removed(keys(&removed), archive).await.unwrap(), 2);
        let back = house.rows(archive).await;
        let same = back.iter().find(|row| row.message() == second.message()).unwrap();
        let view = store.view(archive).await.unwrap().unwrap();
        assert_eq!(view.flags_of(same.flags), [SEEN, keyword("$work")], "without \\Deleted");
        assert_eq!(same.internal_date(), second.internal_date());
        assert!(house.removed(house.anna).await.is_empty());
        assert_eq!(store.restore_removed(keys(&removed), archive).await.unwrap(), 0, "once");
        house.check().await;
    });
}

#[test]
fn what_moves_or_stands_elsewhere_is_not_deleted() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        let (archive, trash) = (house.key_of("Archive").await, house.key_of("Trash").await);
        house.fill(inbox, 0..3).await;
        store.move_messages(inbox, set(&[(1, 1)]), archive).await.unwrap();
        assert!(house.origins().await.is_empty());
        // As programs without MOVE do it.
        store.copy(inbox, set(&[(2, 2)]), trash).await.unwrap();
        house.delete(inbox, &[(2, 2)]).await;
        assert!(house.origins().await.is_empty(), "it stands in Trash");
        house.delete(trash, &[(1, 1)]).await;
        assert_eq!(house.origins().await, ["INBOX"], "what goes from Trash is of where it stood before");
        house.delete(inbox, &[(3, 3)]).await;
        house.delete(archive, &[(1, 1)]).await;
        assert_eq!(house.origins().await, ["Archive", "INBOX", "INBOX"], "the latest first");
        let page = Page { limit: 2, ..Page::first() };
        let first = store.removed_messages(house.anna, &page).await.unwrap();
        let rest = store.removed_messages(house.anna, &Page { after: first.next, ..page }).await.unwrap();
        assert_eq!((first.rows.len(), rest.rows.len(), rest.next), (2, 1, None));
        house.check().await;
    });
}

#[test]
fn two_copies_in_one_mailbox_are_one_deleted_message() {
    on_both(|house| async move {
        let inbox = house.inbox().await;
        house.store.append(inbox, vec![append(&message(1)), append(&message(1))]).await.unwrap();
        house.delete(inbox, &[(1, 1)]).await;
        assert!(house.origins().await.is_empty());
        house.delete(inbox, &[(2, 2)]).await;
        assert_eq!(house.origins().await.len(), 1);
        house.fill(inbox, 2..3).await;
        house.store.copy(inbox, set(&[(3, 3)]), inbox).await.unwrap();
        house.delete(inbox, &[(3, 4)]).await;
        assert_eq!(house.origins().await.len(), 2, "both at once, too");
        house.check().await;
    });
}

#[test]
fn drafts_that_were_saved_again_are_gone() {
    on_both(|house| async move {
        let drafts = house.key_of("Drafts").await;
        let draft = |number| Append { flags: vec![Flag::System(SystemFlag::Draft)], ..append(&message(number)) };
        house.store.append(drafts, vec![draft(1), append(&message(2))]).await.unwrap();
        house.store.replace(drafts, uid(1), drafts, draft(3)).await.unwrap();
        assert!(house.origins().await.is_empty(), "RFC 8508: replaced");
        house.delete(drafts, &[(2, 3)]).await;
        assert_eq!(house.origins().await, ["Drafts"], "what isn't a draft is kept");
        house.check().await;
    });
}

#[test]
fn a_deleted_mailbox_is_remembered_with_its_messages() {
    on_both(|house| async move {
        let store = &house.store;
        let made = store.create_mailbox(house.anna, &name("Work"), None).await.unwrap().mailbox.key;
        let marked = Append { flags: vec![keyword("$Label1")], ..append(&message(1)) };
        store.append(made, vec![marked, append(&message(2))]).await.unwrap();
        store.delete_mailbox(house.anna, &name("Work")).await.unwrap();
        house.check().await;
        let removed = house.removed(house.anna).await;
        assert_eq!(house.origins().await, ["Work", "Work"]);
        assert!(removed.iter().all(|row| !row.has_mailbox && row.mailbox == made));
        store.collect().await.unwrap();
        let again = store.create_mailbox(house.anna, &name("Work"), None).await.unwrap().mailbox.key;
        assert_eq!(store.restore_removed(keys(&removed), again).await.unwrap(), 2);
        let view = store.view(again).await.unwrap().unwrap();
        assert_eq!(
            view.flags_of(house.rows(again).await.iter().fold(0, |all, row| all | row.flags)),
            [keyword("$label1")]
        );
        store.collect().await.unwrap();
        house.check().await;
        store.delete_mailbox(house.anna, &name("Work")).await.unwrap();
        assert_eq!(store.forget_removed(house.anna, None).await.unwrap(), 2);
        store.collect().await.unwrap();
        house.check().await;
    });
}

/// With nothing in it, it is remembered, too: its use, its subscription and its notes, which count as nobody's meanwhile.
#[test]
fn an_empty_mailbox_that_was_deleted_comes_back() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let made = store.create_mailbox(anna, &name("Work"), Some(SpecialUse::All)).await.unwrap().mailbox.key;
        store.subscribe(anna, &name("Work")).await.unwrap();
        let note = ("/private/comment".to_owned(), Some(b"bills".to_vec()));
        store.set_metadata(anna, Some((made, name("Work"))), vec![note]).await.unwrap();
        store.delete_mailbox(anna, &name("Work")).await.unwrap();
        store.unsubscribe(anna, &name("Work")).await.unwrap();
        house.check().await;
        assert!(store.metadata(anna, Some(made)).await.unwrap().is_empty(), "nobody sees its notes");
        let removed = house.removed_mailboxes().await;
        let told = removed.iter().map(|row| (row.mailbox, row.name.as_str(), row.messages, row.removed_at));
        assert_eq!(told.collect::<Vec<_>>(), [(made, "Work", 0, store.now())]);
        assert_eq!(store.removed_total(anna, store.now()).await.unwrap().mailboxes, 1);
        assert!(store.removed_mailboxes(house.bert, &Page::first()).await.unwrap().rows.is_empty());
        store.collect().await.unwrap();

        let back = store.restore_mailbox(anna, made, &name("Work")).await.unwrap();
        let status = house.status(anna, "Work").await;
        assert_eq!(status.mailbox.key, back);
        assert_ne!(back, made, "its UIDs are others");
        assert_eq!((status.mailbox.special_use, status.mailbox.is_subscribed), (Some(SpecialUse::All), true));
        let notes = store.metadata(anna, Some(back)).await.unwrap();
        assert_eq!(notes.iter().map(|note| note.value.as_slice()).collect::<Vec<_>>(), [b"bills".as_slice()]);
        assert!(house.removed_mailboxes().await.is_empty());
        store.collect().await.unwrap();
        house.check().await;
    });
}

/// Whatever took the name or the use since keeps it.
#[test]
fn a_deleted_mailbox_whose_name_is_taken_joins_what_has_it() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let first = store.create_mailbox(anna, &name("Work"), Some(SpecialUse::All)).await.unwrap().mailbox.key;
        let note = ("/private/comment".to_owned(), Some(b"old".to_vec()));
        store.set_metadata(anna, Some((first, name("Work"))), vec![note]).await.unwrap();
        store.append(first, vec![append(&message(1))]).await.unwrap();
        store.delete_mailbox(anna, &name("Work")).await.unwrap();
        let second = store.create_mailbox(anna, &name("Work"), None).await.unwrap().mailbox.key;
        store.create_mailbox(anna, &name("All"), Some(SpecialUse::All)).await.unwrap();
        let removed = house.removed_mailboxes().await;
        assert_eq!(removed.iter().map(|row| row.messages).collect::<Vec<_>>(), [1]);
        assert_eq!(store.restore_mailbox(anna, first, &name("Work")).await.unwrap(), second);
        assert!(store.metadata(anna, Some(second)).await.unwrap().is_empty(), "its own notes are none");
        assert!(house.removed_mailboxes().await.is_empty());
        let kept = house.removed(anna).await;
        assert_eq!(kept.len(), 1, "what was in it is there still");
        assert_eq!(store.restore_removed(keys(&kept), second).await.unwrap(), 1);
        // Below a mailbox that isn't there, and without a use that another has.
        store.delete_mailbox(anna, &name("All")).await.unwrap();
        store.create_mailbox(anna, &name("Every"), Some(SpecialUse::All)).await.unwrap();
        let all = house.removed_mailboxes().await[0].mailbox;
        store.restore_mailbox(anna, all, &name("Old/All")).await.unwrap();
        assert_eq!(house.status(anna, "Old/All").await.mailbox.special_use, None);
        assert!(!house.status(anna, "Old/All").await.mailbox.is_subscribed, "it was not before");
        house.status(anna, "Old").await;
        store.collect().await.unwrap();
        house.check().await;
    });
}

#[test]
fn deleted_mailboxes_are_listed_in_pages_and_forgotten() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        for number in 1..=3 {
            let made = store.create_mailbox(anna, &name(&format!("Box {number}")), None).await.unwrap().mailbox.key;
            store.append(made, vec![append(&message(number))]).await.unwrap();
            let note = ("/private/comment".to_owned(), Some(b"x".to_vec()));
            store.set_metadata(anna, Some((made, name(&format!("Box {number}")))), vec![note]).await.unwrap();
            house.clock.advance(Duration::from_secs(1));
            store.delete_mailbox(anna, &name(&format!("Box {number}"))).await.unwrap();
        }
        let page = Page { limit: 2, ..Page::first() };
        let first = store.removed_mailboxes(anna, &page).await.unwrap();
        let rest = store.removed_mailboxes(anna, &Page { after: first.next, ..page }).await.unwrap();
        let names = first.rows.iter().chain(&rest.rows).map(|row| row.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["Box 3", "Box 2", "Box 1"], "the latest first");
        assert_eq!(rest.next, None);
        let third = first.rows[0].mailbox;
        assert_eq!(store.forget_removed_mailboxes(house.bert, Some(vec![third])).await.unwrap(), 0, "it isn't Bert's");
        assert_eq!(house.removed(anna).await.len(), 3);
        assert_eq!(store.forget_removed_mailboxes(anna, Some(vec![third])).await.unwrap(), 1);
        assert_eq!(house.origins().await, ["Box 2", "Box 1"], "with what was in it");
        house.check().await;
        assert_eq!(store.forget_removed_mailboxes(anna, None).await.unwrap(), 2);
        assert!(house.removed(anna).await.is_empty() && house.removed_mailboxes().await.is_empty());
        store.collect().await.unwrap();
        house.check().await;
        // The time of the others is up by itself.
        store.create_mailbox(anna, &name("Box 4"), None).await.unwrap();
        store.delete_mailbox(anna, &name("Box 4")).await.unwrap();
        house.clock.advance(Settings::default().removed_kept + Duration::from_secs(1));
        store.collect().await.unwrap();
        assert!(house.removed_mailboxes().await.is_empty());
        house.check().await;
    });
}

/// Whichever way they are forgotten: messages that were expunged before are there still, and have a mailbox made again, without the notes.
#[test]
fn notes_of_forgotten_mailboxes_do_not_come_back() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        for forgets_all in [false, true] {
            let made = store.create_mailbox(anna, &name("Work"), None).await.unwrap().mailbox.key;
            store.append(made, vec![append(&message(1))]).await.unwrap();
            let note = ("/private/comment".to_owned(), Some(b"bills".to_vec()));
            store.set_metadata(anna, Some((made, name("Work"))), vec![note]).await.unwrap();
            house.delete(made, &[(1, 1)]).await;
            house.clock.advance(Duration::from_secs(1));
            store.delete_mailbox(anna, &name("Work")).await.unwrap();
            let only = (!forgets_all).then(|| vec![made]);
            assert_eq!(store.forget_removed_mailboxes(anna, only).await.unwrap(), 1);
            assert_eq!(house.origins().await, ["Work"]);
            let back = store.restore_mailbox(anna, made, &name("Work")).await.unwrap();
            assert!(store.metadata(anna, Some(back)).await.unwrap().is_empty(), "all: {forgets_all}");
            house.check().await;
            store.delete_mailbox(anna, &name("Work")).await.unwrap();
            store.forget_removed_mailboxes(anna, None).await.unwrap();
            store.forget_removed(anna, None).await.unwrap();
        }
    });
}

#[test]
fn what_is_deleted_is_gone_when_its_time_is_up() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..3).await;
        house.delete(inbox, &[(1, 1)]).await;
        house.clock.advance(Settings::default().removed_kept);
        house.delete(inbox, &[(2, 2)]).await;
        assert_eq!(store.collect().await.unwrap(), 1, "the first content is gone");
        let left = house.removed(house.anna).await;
        assert_eq!(left.len(), 1);
        assert_eq!(store.forget_removed(house.bert, Some(keys(&left))).await.unwrap(), 0, "it isn't Bert's");
        assert_eq!(store.forget_removed(house.anna, Some(keys(&left))).await.unwrap(), 1);
        assert_eq!(store.collect().await.unwrap(), 1);
        house.check().await;
    });
}

#[test]
fn the_quota_holds_for_what_comes_back_and_for_what_is_kept() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..4).await;
        let size = u64::from(house.rows(inbox).await[0].size_octets);
        house.delete(inbox, &[(1, 1)]).await;
        house.delete(inbox, &[(2, 2)]).await;
        let removed = house.removed(house.anna).await;
        house.allow(Some(2 * size)).await;
        let full = store.restore_removed(keys(&removed), inbox).await;
        assert!(matches!(full, Err(ChangeError::OverQuota)));
        assert_eq!(house.removed(house.anna).await, removed, "nothing came back, and nothing went");
        house.allow(Some(size)).await;
        store.collect().await.unwrap();
        let kept = house.removed(house.anna).await;
        assert_eq!(keys(&kept), keys(&removed[..1]), "no more octets than the quota, the newest");
        house.check().await;
    });
}

#[test]
fn what_was_deleted_goes_with_its_account() {
    on_both(|house| async move {
        let (inbox, store) = (house.inbox().await, &house.store);
        house.fill(inbox, 0..2).await;
        house.delete(inbox, &[(1, 1)]).await;
        store.create_mailbox(house.anna, &name("Work"), None).await.unwrap();
        store.delete_mailbox(house.anna, &name("Work")).await.unwrap();
        store.remove_account(&anna(), None, &Author::house()).await.unwrap();
        house.purge().await;
        house.check().await;
    });
}
