//! People whose mailboxes fill up are told, and owners whose domains do.

use std::sync::{Arc, Mutex};

use relais_model::Address;
use relais_service::{QuotaNotice, Role, Steward};
use relais_store::{AccountChange, Append, Author, Content, DomainChange};
use relais_testkit::SeededRandom;

use crate::house::{domain, on_both};

#[test]
fn each_level_is_told_once_by_mail() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let owner = house.actor(Role::Owner, true).await;
        let (account, address) = me.account.clone().unwrap();
        let (owners_account, owners_address) = owner.account.clone().unwrap();
        let told: Arc<Mutex<Vec<(String, String, u64)>>> = Arc::default();
        let heard = Arc::clone(&told);
        let letter = move |notice: &QuotaNotice, to: &Address| {
            heard.lock().unwrap().push((to.to_string(), notice.name.clone(), notice.percent));
            format!("Subject: {} %\r\n\r\nx\r\n", notice.percent).into_bytes()
        };
        let steward = Steward::new(house.store.clone(), Arc::new(letter), Arc::new(SeededRandom::new(9)));
        let inbox = house.store.mailboxes(account).await.unwrap().into_iter().find(|one| one.mailbox.name.is_inbox());
        let inbox = inbox.unwrap().mailbox.key;
        let fill = async |count: u32| {
            let raw = |number| format!("Subject: {number}\r\n\r\nx\r\n").into_bytes();
            let message =
                |number| Append { content: Content::prepare(raw(number)), flags: Vec::new(), internal_date: None };
            house.store.append(inbox, (0..count).map(message).collect()).await.unwrap();
        };
        let limit = AccountChange { quota_messages: Some(Some(100)), ..AccountChange::default() };
        house.store.change_account(&address, limit, None, &Author::house()).await.unwrap();
        let quota = DomainChange { quota_messages: Some(Some(100)), ..DomainChange::default() };
        house.store.change_domain(&domain("one.example"), quota, None, &Author::house()).await.unwrap();
        let before = house.store.quota(owners_account).await.unwrap().unwrap().used_messages;
        fill(79).await;
        steward.look().await.unwrap();
        assert_eq!(told.lock().unwrap().len(), 0);
        fill(4).await;
        for _ in 0..2 {
            steward.look().await.unwrap();
        }
        let (me, owner) = (address.to_string(), owners_address.to_string());
        let expected = [(me.clone(), me.clone(), 83), (owner.clone(), "one.example".to_owned(), 83)];
        assert_eq!(*told.lock().unwrap(), expected, "once, to who it is about");
        assert_eq!(house.store.quota(account).await.unwrap().unwrap().used_messages, 84, "the news came by mail");
        assert!(house.store.quota(owners_account).await.unwrap().unwrap().used_messages > before);
        fill(8).await;
        steward.look().await.unwrap();
        // The news counts, too.
        assert_eq!(told.lock().unwrap()[2..], [(me.clone(), me, 92), (owner, "one.example".to_owned(), 93)]);
    });
}
