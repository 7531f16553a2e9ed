//! Notes on mailboxes and on the server, and the news of them.

use relais_model::Address;
use relais_store::{Author, Happened, MAX_METADATA, MAX_METADATA_OCTETS, MAX_METADATA_VALUE, MetadataError};

use crate::house::{House, name, on_both};

fn note(name: &str, value: &[u8]) -> (String, Option<Vec<u8>>) {
    (name.to_owned(), Some(value.to_vec()))
}

async fn notes(house: &House, mailbox: Option<&str>) -> Vec<(String, Vec<u8>)> {
    let mailbox = match mailbox {
        Some(mailbox) => Some(house.status(house.anna, mailbox).await.mailbox.key),
        None => None,
    };
    let notes = house.store.metadata(house.anna, mailbox).await.unwrap();
    notes.into_iter().map(|note| (note.name, note.value)).collect()
}

#[test]
fn notes_are_set_and_go_with_their_mailbox() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let archive = (house.status(anna, "Archive").await.mailbox.key, name("Archive"));
        let mut news = store.news();
        let values = vec![note("/private/b", b"2"), note("/private/a", b"1\0"), note("/private/b", b"3")];
        store.set_metadata(anna, Some(archive.clone()), values).await.unwrap();
        let entries = vec!["/private/a".to_owned(), "/private/b".to_owned()];
        let what = Happened::Annotated { mailbox: Some(name("Archive")), entries: entries.clone() };
        assert_eq!(news.recv().await.unwrap().what, what);
        let both = [("/private/a".to_owned(), b"1\0".to_vec()), ("/private/b".to_owned(), b"3".to_vec())];
        assert_eq!(notes(&house, Some("Archive")).await, both);
        store.set_metadata(anna, None, vec![note("/private/a", b"mine")]).await.unwrap();
        assert_eq!(notes(&house, None).await, [("/private/a".to_owned(), b"mine".to_vec())]);
        let named = store.metadata_named(anna, &entries).await.unwrap();
        assert_eq!(
            named.iter().map(|(key, note)| (*key, note.value.as_slice())).collect::<Vec<_>>(),
            [(archive.0, b"1\0".as_slice()), (archive.0, b"3".as_slice())]
        );
        // Another account has its own, or none.
        assert!(store.metadata(house.bert, None).await.unwrap().is_empty());
        store.set_metadata(anna, Some(archive.clone()), vec![("/private/a".to_owned(), None)]).await.unwrap();
        store.rename_mailbox(anna, &name("Archive"), &name("Attic")).await.unwrap();
        assert_eq!(notes(&house, Some("Attic")).await, both[1..]);
        store.delete_mailbox(anna, &name("Attic")).await.unwrap();
        store.create_mailbox(anna, &name("Attic"), None).await.unwrap();
        assert!(notes(&house, Some("Attic")).await.is_empty());
        // INBOX keeps its own beside what it was renamed to.
        let inbox = (house.inbox().await, name("INBOX"));
        store.set_metadata(anna, Some(inbox), vec![note("/shared/comment", b"in")]).await.unwrap();
        store.rename_mailbox(anna, &name("INBOX"), &name("Before")).await.unwrap();
        assert_eq!(notes(&house, Some("INBOX")).await, notes(&house, Some("Before")).await);
        house.check().await;
        // They go with the account, too: `check` would find them.
        let address = Address::parse("anna@house.example").unwrap();
        store.remove_account(&address, None, &Author::house()).await.unwrap();
        house.purge().await;
        assert!(store.metadata(anna, None).await.unwrap().is_empty());
        house.check().await;
    });
}

#[test]
fn notes_have_limits() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let inbox = || async { Some((house.inbox().await, name("INBOX"))) };
        let long = store.set_metadata(anna, None, vec![note("/private/a", &vec![b'x'; MAX_METADATA_VALUE + 1])]).await;
        assert!(matches!(long, Err(MetadataError::TooLong)), "{long:?}");
        let many = (0..MAX_METADATA).map(|number| note(&format!("/private/{number}"), b"x")).collect();
        store.set_metadata(anna, inbox().await, many).await.unwrap();
        let one_more = vec![note("/private/0", b"other"), note("/private/more", b"x")];
        let refused = store.set_metadata(anna, inbox().await, one_more).await;
        assert!(matches!(refused, Err(MetadataError::TooMany)), "{refused:?}");
        assert_eq!(notes(&house, Some("INBOX")).await[0].1, b"x", "none was set");
        // Of all mailboxes together.
        let large = vec![b'x'; MAX_METADATA_VALUE];
        let fit = usize::try_from(MAX_METADATA_OCTETS).unwrap() / MAX_METADATA_VALUE;
        let values =
            |from: usize, to: usize| (from..to).map(|number| note(&format!("/private/{number}"), &large)).collect();
        store.set_metadata(anna, None, values(0, fit - 1)).await.unwrap();
        let refused = store.set_metadata(anna, None, values(fit - 1, fit)).await;
        assert!(matches!(refused, Err(MetadataError::TooMany)), "{refused:?}");
        house.check().await;
    });
}

/// Whoever listens hears of names and subscriptions, too.
#[test]
fn names_make_news() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let mut news = store.news();
        store.create_mailbox(anna, &name("a/b"), None).await.unwrap();
        store.subscribe(anna, &name("a/b")).await.unwrap();
        store.rename_mailbox(anna, &name("a"), &name("c")).await.unwrap();
        store.unsubscribe(anna, &name("a/b")).await.unwrap();
        store.delete_mailbox(anna, &name("c/b")).await.unwrap();
        store.rename_mailbox(anna, &name("INBOX"), &name("old")).await.unwrap();
        assert!(store.delete_mailbox(anna, &name("none")).await.is_err());
        let expected = [
            Happened::Created(name("a/b")),
            Happened::Subscribed(name("a/b")),
            Happened::Renamed { from: name("a"), to: name("c") },
            Happened::Unsubscribed(name("a/b")),
            Happened::Deleted(name("c/b")),
            Happened::Created(name("old")),
        ];
        for what in expected {
            let heard = news.recv().await.unwrap();
            assert_eq!((heard.account, heard.what), (anna, what));
        }
        assert!(news.try_recv().is_err());
        house.check().await;
    });
}
