//! What reading in the browser keeps, and what it asks for.

use relais_model::{Flag, MailboxName, SystemFlag};
use relais_store::{Append, Content, Density, ReadingChoices, ReadingPane, Row};

use crate::house::{House, on_both, set};
use crate::people::address;

#[test]
fn choices_are_kept_and_go_with_the_account() {
    on_both(|house| async move {
        let store = &house.store;
        assert_eq!(store.reading_choices(house.anna).await.unwrap(), ReadingChoices::default());
        let chosen = ReadingChoices { density: Density::Dense, pane: ReadingPane::Below, by_conversation: false };
        store.set_reading_choices(house.anna, ReadingChoices::default()).await.unwrap();
        store.set_reading_choices(house.anna, chosen).await.unwrap();
        assert_eq!(store.reading_choices(house.anna).await.unwrap(), chosen);
        assert_eq!(store.reading_choices(house.bert).await.unwrap(), ReadingChoices::default());
        house.check().await;
    });
}

#[test]
fn pictures_of_a_sender_are_remembered_and_forgotten() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        store.show_pictures_of(anna, &address("News@Shop.example"), true).await.unwrap();
        store.show_pictures_of(anna, &address("news@shop.example"), true).await.unwrap();
        let shown = async |who: &str| store.shows_pictures_of(anna, &address(who)).await.unwrap();
        assert!(shown("NEWS@shop.example").await);
        assert!(!shown("other@shop.example").await);
        assert!(!store.shows_pictures_of(house.bert, &address("news@shop.example")).await.unwrap());
        store.show_pictures_of(anna, &address("news@shop.example"), false).await.unwrap();
        assert!(!shown("news@shop.example").await);
        house.check().await;
    });
}

#[test]
fn addresses_are_completed_from_those_that_were_written_to() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let known = ["carl@else.example", "dora_x@else.example", "emil@carl.example"].map(address);
        store.note_written(anna, &known).await.unwrap();
        let found = async |text: &str| {
            let found = store.acquaintances(anna, text, 10).await.unwrap();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found("CARL").await, ["carl@else.example", "emil@carl.example"]);
        assert_eq!(found("_").await, ["dora_x@else.example"], "LIKE's own signs stand for themselves");
        assert_eq!(found("nobody").await, Vec::<String>::new());
        assert_eq!(store.acquaintances(anna, "", 2).await.unwrap().len(), 2);
        house.check().await;
    });
}

async fn uids(house: &House, mailbox: &str) -> Vec<u32> {
    let key = house.status(house.anna, mailbox).await.mailbox.key;
    let view = house.store.view(key).await.unwrap().unwrap();
    view.read(|rows| rows.iter().map(|row: &Row| row.uid).collect())
}

/// RFC 8508: the old one goes as the new one comes; where that can't be kept, the old one stays.
#[test]
fn a_draft_is_never_there_twice() {
    on_both(|house| async move {
        let store = &house.store;
        let drafts = house.status(house.anna, "Drafts").await.mailbox.key;
        let draft = |text: &str| Append {
            content: Content::prepare(format!("Subject: {text}\r\n\r\n{text}\r\n").into_bytes()),
            flags: vec![Flag::System(SystemFlag::Draft), Flag::System(SystemFlag::Seen)],
            internal_date: None,
        };
        store.append(drafts, vec![draft("one")]).await.unwrap();
        let saved = store.replace(drafts, set(&[(1, 1)]), vec![draft("two")]).await.unwrap();
        assert_eq!(saved.uids, set(&[(2, 2)]));
        assert_eq!(uids(&house, "Drafts").await, [2]);
        assert_eq!(store.vanished_since(drafts, relais_model::ModSeq::FIRST).await.unwrap(), set(&[(1, 1)]));
        // The one that was to go isn't there any more: it was sent elsewhere meanwhile.
        store.replace(drafts, set(&[(1, 1)]), vec![draft("three")]).await.unwrap();
        assert_eq!(uids(&house, "Drafts").await, [2, 3]);
        // Both in one transaction.
        let (four, five) = tokio::join!(
            store.append(drafts, vec![draft("four")]),
            store.replace(drafts, set(&[(4, 4)]), vec![draft("five")])
        );
        assert!(four.is_ok() && five.is_ok());
        assert_eq!(uids(&house, "Drafts").await, [2, 3, 5]);
        let status = house.status(house.anna, "Drafts").await;
        assert_eq!((status.messages, status.unseen), (3, 0));
        house.check().await;
    });
}

#[test]
fn facts_of_threads_are_read_from_a_message_on() {
    on_both(|house| async move {
        let (store, inbox) = (&house.store, house.inbox().await);
        let name = MailboxName::parse("INBOX").unwrap();
        assert!(store.mailbox(house.anna, &name).await.unwrap().is_some());
        for (id, refs, subject) in [("1@x", "", "Lunch"), ("2@x", "<1@x>", "Re: Lunch"), ("3@x", "", "Other")] {
            let raw = format!("Message-ID: <{id}>\r\nReferences: {refs}\r\nSubject: {subject}\r\n\r\nx\r\n");
            let append = Append { content: Content::prepare(raw.into_bytes()), flags: Vec::new(), internal_date: None };
            store.append(inbox, vec![append]).await.unwrap();
        }
        let facts = store.thread_facts(inbox, 1).await.unwrap();
        let short: Vec<_> = facts
            .iter()
            .map(|facts| {
                (
                    facts.uid,
                    facts.message_id.as_deref().unwrap(),
                    &*facts.references,
                    &*facts.base_subject,
                    facts.is_reply,
                )
            })
            .collect();
        assert_eq!(short, [(2, "2@x", "1@x", "LUNCH", true), (3, "3@x", "", "OTHER", false)]);
        house.check().await;
    });
}
