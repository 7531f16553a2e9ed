//! What reading in the browser keeps, and what it asks for.

use relais_model::MailboxName;
use relais_store::{Append, Content, Density, ReadingChoices, ReadingPane};

use crate::house::on_both;
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
