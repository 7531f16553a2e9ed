//! Leaving a list with one click: what is posted, where to, and when nothing is.

use std::sync::{Arc, Mutex};

use relais_model::{Flag, Timestamp};
use relais_service::{
    Act, Chosen, Courier, ListWanted, Operations, Parcel, Place, PostError, Posting, Role, Service, Webhooks,
};
use relais_store::{Append, Content, MailboxKey};
use relais_testkit::SeededRandom;

use crate::house::{House, on_both, short};

/// Answers as it is told to, and remembers what came.
#[derive(Debug)]
struct List {
    answer: Mutex<Result<u16, PostError>>,
    posted: Mutex<Vec<Parcel>>,
}

impl Courier for List {
    fn post(&self, parcel: Parcel) -> Posting<'_> {
        self.posted.lock().unwrap().push(parcel);
        Box::pin(std::future::ready(self.answer.lock().unwrap().clone()))
    }
}

fn with_list(house: &House) -> (Service, Arc<List>) {
    let list = Arc::new(List { answer: Mutex::new(Ok(200)), posted: Mutex::default() });
    let mut operations = Operations::default();
    operations.webhooks = Webhooks::new(list.clone(), Arc::new(SeededRandom::new(3)));
    (house.service.clone().with_operations(operations), list)
}

const CLICK: &str = "List-Unsubscribe-Post: List-Unsubscribe=One-Click";

async fn put(house: &House, inbox: &str, fields: &str) {
    let raw = format!("From: list@x.example\r\nSubject: News\r\n{fields}\r\n\r\nHello\r\n");
    let append = Append {
        content: Content::prepare(raw.into_bytes()),
        flags: Vec::<Flag>::new(),
        internal_date: Some(Timestamp::from_seconds(1_767_225_600)),
    };
    house.store.append(MailboxKey::parse(inbox).unwrap(), vec![append]).await.unwrap();
}

/// RFC 8058 §3.2: a POST with what its field says, no cookie, no name; and the list's answer counts.
#[test]
fn one_click_posts_what_the_list_wants_and_nothing_else() {
    on_both(|house| async move {
        let (service, list) = with_list(&house);
        let me = house.actor(Role::User, true).await;
        let inbox = service.mail.folders(&me).await.unwrap().into_iter().find(|one| one.is_inbox).unwrap().id;
        put(&house, &inbox, &format!("List-Unsubscribe: <https://x.example/off?who=7>\r\n{CLICK}")).await;
        let left = service.leave_list(&me, &inbox, 1).await.unwrap();
        assert!(left.is_left && left.says.id == "mail-list-left", "{left:?}");
        let posted = std::mem::take(&mut *list.posted.lock().unwrap());
        let [parcel] = posted.as_slice() else { panic!("{} posts", posted.len()) };
        assert_eq!(
            (parcel.url.as_str(), parcel.body.as_str()),
            ("https://x.example/off?who=7", "List-Unsubscribe=One-Click")
        );
        assert_eq!(parcel.headers, [("content-type", "application/x-www-form-urlencoded".to_owned())]);
        assert_eq!(parcel.allowed, relais_service::Networks::default(), "nothing inside may be reached");

        for answer in [Ok(302), Ok(404), Err(PostError::Timeout)] {
            *list.answer.lock().unwrap() = answer.clone();
            let left = service.leave_list(&me, &inbox, 1).await.unwrap();
            assert!(!left.is_left && left.says.id == "mail-list-not-left", "{answer:?}: {left:?}");
        }
    });
}

/// Nothing is posted where it isn't offered, where other doors would be tried, for junk, and for others.
#[test]
fn nothing_is_posted_otherwise() {
    on_both(|house| async move {
        let (service, list) = with_list(&house);
        let me = house.actor(Role::User, true).await;
        let inbox = service.mail.folders(&me).await.unwrap().into_iter().find(|one| one.is_inbox).unwrap().id;
        for fields in [
            "List-Unsubscribe: <https://x.example/off>".to_owned(),
            format!("List-Unsubscribe: <http://x.example/off>\r\n{CLICK}"),
            format!("List-Unsubscribe: <https://x.example:8443/off>\r\n{CLICK}"),
            format!("List-Unsubscribe: <https://user@x.example/off>\r\n{CLICK}"),
            format!("List-Unsubscribe: <mailto:off@x.example>\r\n{CLICK}"),
        ] {
            put(&house, &inbox, &fields).await;
        }
        for number in 1..=6 {
            let absent = if number == 6 { "absent: mail-no-message" } else { "absent: mail-no-one-click" };
            assert_eq!(short(service.leave_list(&me, &inbox, number).await), absent, "{number}");
        }
        put(&house, &inbox, &format!("List-Unsubscribe: <https://x.example/off>\r\n{CLICK}")).await;
        let other = house.actor(Role::Owner, true).await;
        assert_eq!(short(service.leave_list(&other, &inbox, 6).await), "absent: mail-no-mailbox");
        let junk = Chosen::Messages([relais_model::Uid::new(6).unwrap()].into_iter().collect());
        service.mail.act(&me, &inbox, &junk, &Act::Move(Place::Junk)).await.unwrap();
        let folders = service.mail.folders(&me).await.unwrap();
        let junk = folders.into_iter().find(|one| one.special_use == Some(relais_model::SpecialUse::Junk)).unwrap().id;
        let number =
            service.mail.list(&me, &junk, &ListWanted { limit: 1, ..ListWanted::default() }).await.unwrap().rows[0].uid;
        assert_eq!(short(service.leave_list(&me, &junk, number).await), "absent: mail-no-one-click");
        assert!(list.posted.lock().unwrap().is_empty());
    });
}
