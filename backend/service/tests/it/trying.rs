//! Rules tried on what one has: told is what would have been done, and nothing is.

use relais_model::Timestamp;
use relais_service::{Role, TRIED_MESSAGES, TriedAct};
use relais_store::{Append, Content, MailboxKey, Page, QueueFilter};

use crate::house::House;
use crate::mail::id;

/// One in a hundred is an offer; the first is older than what is looked at.
fn message(number: i64) -> Append {
    let subject = if number % 100 == 0 { "Offer" } else { "Letter" };
    let raw = format!("From: P <p{number}@x.example>\r\nSubject: {subject} {number}\r\n\r\nText.\r\n");
    Append {
        content: Content::prepare(raw.into_bytes()),
        flags: Vec::new(),
        internal_date: Some(Timestamp::from_seconds(1_767_225_600 + number * 60)),
    }
}

#[tokio::test]
async fn a_script_is_tried_on_the_last_messages_and_does_nothing() {
    let house = House::open().await;
    let me = house.actor(Role::User, true).await;
    let mailbox = async |name: &str| MailboxKey::parse(&id(&house, &me, name).await).unwrap();
    let (inbox, junk) = (mailbox("INBOX").await, mailbox("Junk").await);
    house.store.append(inbox, (0..502).map(message).collect()).await.unwrap();
    house.store.append(junk, vec![message(600)]).await.unwrap();
    let state = async || {
        let modified = house.store.view(inbox).await.unwrap().unwrap().highest_mod_seq();
        let folders = house.service.mail.folders(&me).await.unwrap();
        let messages: Vec<_> = folders.into_iter().map(|folder| (folder.name, folder.messages)).collect();
        let queued = house.store.queue_list(&QueueFilter::default(), &Page::first()).await.unwrap().rows.len();
        (modified, messages, queued)
    };
    let before = state().await;

    let offers = r#"require ["fileinto", "imap4flags"];
        if header :contains "subject" "Offer" { fileinto :flags "\\Flagged" "Archive"; }"#;
    let tried = house.service.try_script(&me, offers).await.unwrap();
    assert_eq!((tried.looked_at, tried.kept), (TRIED_MESSAGES, TRIED_MESSAGES - 5));
    let told: Vec<_> = tried.messages.iter().map(|message| message.subject.as_str()).collect();
    assert_eq!(told, ["Offer 500", "Offer 400", "Offer 300", "Offer 200", "Offer 100"], "the newest first");
    let filed = TriedAct { act: "file", what: "Archive".to_owned(), flags: vec!["\\Flagged".to_owned()] };
    assert!(tried.messages.iter().all(|message| message.acts == [filed.clone()]), "{:?}", tried.messages);
    assert_eq!(tried.messages[0].from, "P <p500@x.example>");

    let tried = house.service.try_script(&me, r#"redirect "dora@shop.example";"#).await.unwrap();
    let sent_on = TriedAct { act: "redirect", what: "dora@shop.example".to_owned(), flags: Vec::new() };
    assert_eq!((tried.looked_at, tried.kept), (TRIED_MESSAGES, 0));
    assert!(tried.messages.iter().all(|message| message.acts == [sent_on.clone()]));
    let tried = house.service.try_script(&me, "discard;").await.unwrap();
    assert!(tried.messages.len() == TRIED_MESSAGES && tried.messages.iter().all(|message| message.acts.is_empty()));

    assert_eq!(state().await, before, "something was done");
}
