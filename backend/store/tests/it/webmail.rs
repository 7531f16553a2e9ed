//! What reading in the browser keeps, and what it asks for.

use std::time::Duration;

use relais_model::{MailboxName, Uid};
use relais_store::{
    Append, Author, ContactFilter, ContactRow, Content, Density, IdentityRow, MAX_IDENTITIES, MailboxStatus,
    ReadingChoices, ReadingPane, Scheduled, WritingChoices,
};

use crate::house::{NOW, on_both};
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
        // What parts messages where many are read at once is no part of one's own text.
        let odd = Append {
            content: Content::prepare(b"Subject: A\x1fB\r\nDate: Thu, 1 Jan 1970 00:00:02 +0000\r\n\r\nx\r\n".to_vec()),
            flags: Vec::new(),
            internal_date: None,
        };
        store.append(inbox, vec![odd]).await.unwrap();
        let mut facts = store.thread_facts(inbox, 1).await.unwrap();
        let odd = facts.pop().unwrap();
        assert_eq!((odd.uid, odd.message_id, &*odd.references, &*odd.base_subject), (4, None, "", "AB"));
        assert_eq!(odd.header_date.map(relais_model::Timestamp::seconds), Some(2));
        assert_eq!(store.thread_facts(inbox, 4).await.unwrap(), []);
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

/// A page of the webmail must not look at each message that no IMAP client has seen.
#[test]
fn mailboxes_are_told_with_and_without_what_is_recent() {
    on_both(|house| async move {
        let (store, inbox) = (&house.store, house.inbox().await);
        let append = |text: &str| Append {
            content: Content::prepare(format!("Subject: {text}\r\n\r\nx\r\n").into_bytes()),
            flags: Vec::new(),
            internal_date: None,
        };
        store.append(inbox, vec![append("one"), append("two")]).await.unwrap();
        let counted = store.mailboxes(house.anna).await.unwrap();
        let uncounted = store.mailboxes_uncounted(house.anna).await.unwrap();
        let recent = |statuses: &[MailboxStatus]| statuses.iter().map(|status| status.recent).sum::<u32>();
        assert_eq!((recent(&counted), recent(&uncounted)), (2, 0));
        let rest = |statuses: &[MailboxStatus]| {
            let each = |status: &MailboxStatus| MailboxStatus { recent: 0, ..status.clone() };
            statuses.iter().map(each).collect::<Vec<_>>()
        };
        assert_eq!(rest(&counted), rest(&uncounted));
        house.check().await;
    });
}

#[test]
fn people_write_under_several_names() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let row = |text: &str, is_default| IdentityRow {
            address: address(text),
            name: "Anna".to_owned(),
            reply_to: Some(address("desk@else.example")),
            signature: "Anna\nHouse".to_owned(),
            is_default,
        };
        assert!(store.keep_identity(anna, row("sales@house.example", true)).await.unwrap());
        assert!(store.keep_identity(anna, row("anna+shop@house.example", false)).await.unwrap());
        let changed = IdentityRow { reply_to: None, ..row("Anna@house.example", true) };
        assert!(store.keep_identity(anna, changed.clone()).await.unwrap());
        let found = store.identities(anna).await.unwrap();
        let short: Vec<_> = found.iter().map(|row| (row.address.to_string(), row.is_default)).collect();
        let expected =
            [("Anna@house.example", true), ("anna+shop@house.example", false), ("sales@house.example", false)];
        assert_eq!(short, expected.map(|(text, is_default)| (text.to_owned(), is_default)), "one is where it begins");
        assert_eq!(found.first(), Some(&changed));
        assert!(store.identities(house.bert).await.unwrap().is_empty());
        assert!(store.remove_identity(anna, &address("SALES@house.example")).await.unwrap());
        assert!(!store.remove_identity(anna, &address("sales@house.example")).await.unwrap());
        for number in 0..MAX_IDENTITIES - 2 {
            assert!(store.keep_identity(anna, row(&format!("anna+{number}@house.example"), false)).await.unwrap());
        }
        assert!(!store.keep_identity(anna, row("more@house.example", false)).await.unwrap(), "there is an end");
        assert!(store.keep_identity(anna, changed).await.unwrap(), "one that is there is changed all the same");
        assert!(store.writing_choices(anna).await.unwrap().is_rich);
        let chosen = WritingChoices { is_rich: false, undo_seconds: 30, suggests_written: false };
        store.set_writing_choices(anna, chosen).await.unwrap();
        let choices = store.writing_choices(anna).await.unwrap();
        assert_eq!(choices, chosen);
        house.check().await;
    });
}

#[test]
fn what_an_account_writes_as_goes_with_it() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let row = IdentityRow {
            address: address("anna@house.example"),
            name: String::new(),
            reply_to: None,
            signature: String::new(),
            is_default: true,
        };
        store.keep_identity(anna, row).await.unwrap();
        store.set_writing_choices(anna, WritingChoices::default()).await.unwrap();
        let scheduled = Scheduled {
            account: anna,
            mailbox: house.inbox().await,
            uid: Uid::new(1).unwrap(),
            due_at: NOW,
            signed_in_at: NOW,
            refused: String::new(),
        };
        assert!(store.schedule(scheduled).await.unwrap());
        let contact = ContactRow {
            uid: "a".to_owned(),
            name: "Ann".to_owned(),
            words: "ann".to_owned(),
            groups: Vec::new(),
            card: String::new(),
        };
        store.keep_contacts(anna, vec![contact]).await.unwrap();
        store.remove_account(&address("anna@house.example"), None, &Author::house()).await.unwrap();
        house.clock.advance(Duration::from_hours(24 * 60));
        store.purge_removed(house.store.now()).await.unwrap();
        assert!(store.identities(anna).await.unwrap().is_empty());
        assert!(store.scheduled(anna).await.unwrap().is_empty());
        assert_eq!(store.contacts(anna, &ContactFilter::default()).await.unwrap().1, 0);
        house.check().await;
    });
}

#[test]
fn drafts_go_when_their_time_has_come() {
    on_both(|house| async move {
        let (store, anna, inbox) = (&house.store, house.anna, house.inbox().await);
        let row = |uid: u32, minutes: u64| Scheduled {
            account: anna,
            mailbox: inbox,
            uid: Uid::new(uid).unwrap(),
            due_at: NOW.plus(Duration::from_mins(minutes)),
            signed_in_at: NOW,
            refused: String::new(),
        };
        assert_eq!(store.next_scheduled().await.unwrap(), None);
        assert!(store.schedule(row(2, 20)).await.unwrap() && store.schedule(row(1, 10)).await.unwrap());
        assert_eq!(store.scheduled(anna).await.unwrap(), [row(1, 10), row(2, 20)]);
        assert!(store.scheduled(house.bert).await.unwrap().is_empty());
        assert_eq!(store.next_scheduled().await.unwrap(), Some(row(1, 10).due_at));
        assert_eq!(store.claim_scheduled().await.unwrap(), None, "it isn't time");
        house.clock.advance(Duration::from_mins(10));
        assert_eq!(store.claim_scheduled().await.unwrap(), Some(row(1, 10)));
        assert_eq!(store.claim_scheduled().await.unwrap(), None, "it is being sent");
        assert!(!store.unschedule(inbox, Uid::new(1).unwrap()).await.unwrap(), "it is too late");
        assert!(store.unschedule(inbox, Uid::new(2).unwrap()).await.unwrap());
        assert!(!store.unschedule(inbox, Uid::new(2).unwrap()).await.unwrap());
        // The one who sent it is no more.
        house.clock.advance(Duration::from_mins(10));
        assert_eq!(store.claim_scheduled().await.unwrap(), Some(row(1, 10)));
        store.scheduled_refused(&row(1, 10), "why".to_owned()).await.unwrap();
        assert_eq!(store.claim_scheduled().await.unwrap(), None);
        assert_eq!(store.next_scheduled().await.unwrap(), None);
        assert_eq!(store.scheduled(anna).await.unwrap(), [Scheduled { refused: "why".to_owned(), ..row(1, 10) }]);
        assert!(store.schedule(row(1, 30)).await.unwrap(), "its author tries again");
        assert_eq!(store.scheduled(anna).await.unwrap(), [row(1, 30)]);
        store.scheduled_went(&row(1, 30)).await.unwrap();
        assert!(store.scheduled(anna).await.unwrap().is_empty());
        house.check().await;
    });
}

#[test]
fn contacts_are_kept_found_and_forgotten() {
    on_both(|house| async move {
        let (store, anna) = (&house.store, house.anna);
        let row = |uid: &str, name: &str, groups: &[&str]| ContactRow {
            uid: uid.to_owned(),
            name: name.to_owned(),
            words: format!("{name} {uid}@x.example"),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            card: format!("card of {name}"),
        };
        let all = vec![row("c", "Zoë", &["Chess"]), row("b", "bob", &["Chess", "Work"]), row("a", "Ann_Lee", &[])];
        assert_eq!(store.keep_contacts(anna, all).await.unwrap(), 3);
        let found = async |text: &str, group: &str| {
            let (text, group) = (text.to_owned(), group.to_owned());
            let filter = ContactFilter { text, group, limit: 10, ..ContactFilter::default() };
            let (rows, total) = store.contacts(anna, &filter).await.unwrap();
            assert_eq!(rows.len() as u64, total);
            rows.into_iter().map(|row| row.uid).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found("", "").await, "a b c", "by name, whatever its case");
        assert_eq!(found("ZOË", "").await, "c");
        assert_eq!(found("_", "").await, "a", "LIKE's own signs stand for themselves");
        let is_known = async |who: &str| store.is_contact(anna, &address(who)).await.unwrap();
        assert!(is_known("a@x.example").await && is_known("A@X.example").await, "the last of the words, in any case");
        for stranger in ["x@x.example", "_@x.example", "a@x.exampl", "zoë@x.example"] {
            assert!(!is_known(stranger).await, "{stranger}");
        }
        assert!(!store.is_contact(house.bert, &address("a@x.example")).await.unwrap());
        assert_eq!(found("", "chess").await, "b c");
        assert_eq!(found("", "ches").await, "");
        let groups = store.contact_groups(anna).await.unwrap();
        assert_eq!(groups.into_iter().collect::<Vec<_>>(), [("chess".to_owned(), 2), ("work".to_owned(), 1)]);
        store.keep_contacts(anna, vec![row("a", "Ann", &["Work"])]).await.unwrap();
        assert_eq!(store.contact(anna, "a").await.unwrap().unwrap().card, "card of Ann");
        assert_eq!(store.contact(house.bert, "a").await.unwrap(), None);
        let filter = ContactFilter { offset: 1, limit: 1, ..ContactFilter::default() };
        let (page, total) = store.contacts(anna, &filter).await.unwrap();
        assert_eq!((page[0].uid.as_str(), total), ("b", 3));
        assert!(store.remove_contact(anna, "a").await.unwrap() && !store.remove_contact(anna, "a").await.unwrap());
        house.check().await;
    });
}
