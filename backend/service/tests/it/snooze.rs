//! Messages that are out of the way until a time.

use std::time::Duration;

use relais_model::{Flag, SystemFlag, Timestamp, Uid, UidSet};
use relais_service::{Act, Actor, Chosen, Done, ListWanted, Role};
use relais_store::{Append, Content, MailboxKey};

use crate::house::{House, on_both, short};
use crate::mail::id;

const HOUR: Duration = Duration::from_hours(1);

async fn put(house: &House, me: &Actor, subject: &str) {
    let raw = format!("From: Ann <ann@x.example>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\nHello\r\n");
    let append = Append {
        content: Content::prepare(raw.into_bytes()),
        flags: vec![Flag::System(SystemFlag::Seen), Flag::System(SystemFlag::Flagged)],
        internal_date: Some(Timestamp::from_seconds(1_000_000_000)),
    };
    house.store.append(MailboxKey::parse(&id(house, me, "INBOX").await).unwrap(), vec![append]).await.unwrap();
}

async fn act(house: &House, me: &Actor, mailbox: &str, uid: u32, act: Act) -> Done {
    let chosen = Chosen::Messages(Uid::new(uid).into_iter().collect::<UidSet>());
    house.service.mail.act(me, &id(house, me, mailbox).await, &chosen, &act).await.unwrap()
}

/// A mailbox's messages: UID, subject, whether unread, whether with a star.
async fn rows(house: &House, me: &Actor, mailbox: &str) -> Vec<(u32, String, bool, bool)> {
    let wanted = ListWanted { limit: 9, ..ListWanted::default() };
    let page = house.service.mail.list(me, &id(house, me, mailbox).await, &wanted).await.unwrap();
    page.rows.into_iter().map(|row| (row.uid, row.subject, row.unseen > 0, row.is_flagged)).collect()
}

/// It leaves the list, waits in a mailbox that IMAP shows, and comes back on top, unread, with its other flags; once.
#[test]
fn a_message_comes_back_at_its_time() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let mail = &house.service.mail;
        put(&house, &me, "old").await;
        put(&house, &me, "older").await;
        let due = house.store.now().plus(HOUR);
        let done = act(&house, &me, "INBOX", 1, Act::Snooze(due)).await;
        assert_eq!((done.count, done.says.id.as_ref()), (1, "mail-done-snoozed"));
        assert_eq!(rows(&house, &me, "INBOX").await, [(2, "older".to_owned(), false, true)]);
        assert_eq!(rows(&house, &me, "Snoozed").await, [(1, "old".to_owned(), false, true)]);
        let until = mail.snoozed_until(&me, &id(&house, &me, "Snoozed").await).await.unwrap();
        assert_eq!(until.get(&1).map(|until| until.0), Some(due));
        let wait = mail.wake_due().await.unwrap();
        assert!(wait <= Duration::from_mins(1) && rows(&house, &me, "Snoozed").await.len() == 1, "it isn't time");
        house.clock.advance(HOUR);
        mail.wake_due().await.unwrap();
        mail.wake_due().await.unwrap();
        let inbox = [(3, "old".to_owned(), true, true), (2, "older".to_owned(), false, true)];
        assert_eq!(rows(&house, &me, "INBOX").await, inbox, "on top, unread");
        assert_eq!(rows(&house, &me, "Snoozed").await, []);
        assert_eq!(house.store.next_snoozed().await.unwrap(), None);
    });
}

#[test]
fn snoozing_is_taken_back_and_changed() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let mail = &house.service.mail;
        put(&house, &me, "one").await;
        let (first, second) = (house.store.now().plus(HOUR), house.store.now().plus(2 * HOUR));
        let done = act(&house, &me, "INBOX", 1, Act::Snooze(first)).await;
        mail.undo(&me, &done.undo.unwrap()).await.unwrap();
        assert_eq!(rows(&house, &me, "INBOX").await, [(2, "one".to_owned(), false, true)], "as it was");
        act(&house, &me, "INBOX", 2, Act::Snooze(first)).await;
        let until = async || {
            let all = mail.snoozed_until(&me, &id(&house, &me, "Snoozed").await).await.unwrap();
            all.get(&2).map(|until| until.0)
        };
        let done = act(&house, &me, "Snoozed", 2, Act::Snooze(second)).await;
        assert_eq!(until().await, Some(second), "it has another time");
        mail.undo(&me, &done.undo.unwrap()).await.unwrap();
        assert_eq!(until().await, Some(first));
        // Who moves it on has decided otherwise.
        act(&house, &me, "Snoozed", 2, Act::Move(relais_service::Place::Archive)).await;
        house.clock.advance(3 * HOUR);
        mail.wake_due().await.unwrap();
        assert_eq!(rows(&house, &me, "INBOX").await, []);
        assert_eq!(rows(&house, &me, "Archive").await.len(), 1);
    });
}

#[test]
fn only_times_to_come_are_taken() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        put(&house, &me, "one").await;
        let inbox = id(&house, &me, "INBOX").await;
        let chosen = Chosen::Messages(Uid::new(1).into_iter().collect::<UidSet>());
        let now = house.store.now();
        for due in [now, now.minus(HOUR), now.plus(24 * 400 * HOUR)] {
            let act = Act::Snooze(due);
            let refused = house.service.mail.act(&me, &inbox, &chosen, &act).await;
            assert_eq!(short(refused), "unfit: until mail-later-bad-time");
        }
        assert_eq!(rows(&house, &me, "INBOX").await.len(), 1);
    });
}
