//! Quotas by size and count, of an account and of a domain, and who fills up.

use relais_model::{Address, Domain};
use relais_store::{AccountChange, Author, ChangeError, DeliveryRefusal, DomainChange, Filled};

use crate::house::{House, append, delivery, message, on_both, set};

fn domain() -> Domain {
    Domain::parse("house.example").unwrap()
}

async fn limit(house: &House, name: &str, octets: Option<u64>, messages: Option<u64>) {
    let address = Address::parse(&format!("{name}@house.example")).unwrap();
    let change =
        AccountChange { quota_octets: Some(octets), quota_messages: Some(messages), ..AccountChange::default() };
    house.store.change_account(&address, change, None, &Author::house()).await.unwrap();
}

async fn limit_domain(house: &House, octets: Option<u64>, messages: Option<u64>) {
    let change = DomainChange { quota_octets: Some(octets), quota_messages: Some(messages), ..DomainChange::default() };
    house.store.change_domain(&domain(), change, None, &Author::house()).await.unwrap();
}

/// Whether one more message for Anna or Bert finds room.
async fn takes(house: &House, account: relais_store::AccountKey, number: u32) -> bool {
    let accepted = house.accept(&message(number), vec![delivery(account)]).await;
    match accepted.deliveries[0] {
        Ok(_) => true,
        Err(DeliveryRefusal::OverQuota) => false,
        Err(ref other) => panic!("{other:?}"),
    }
}

#[test]
fn an_account_is_full_by_count_too() {
    on_both(|house| async move {
        limit(&house, "anna", None, Some(2)).await;
        let quota = house.store.quota(house.anna).await.unwrap().unwrap();
        assert_eq!((quota.limit_octets, quota.limit_messages), (None, Some(2)));
        assert!(takes(&house, house.anna, 1).await && takes(&house, house.anna, 2).await);
        assert!(!takes(&house, house.anna, 3).await);
        assert!(takes(&house, house.bert, 3).await, "another's quota is theirs");
        let inbox = house.inbox().await;
        let refused = house.store.append(inbox, vec![append(&message(4))]).await;
        assert!(matches!(refused, Err(ChangeError::OverQuota)));
        let refused = house.store.copy(inbox, set(&[(1, 1)]), inbox).await;
        assert!(matches!(refused, Err(ChangeError::OverQuota)));
        limit(&house, "anna", None, None).await;
        assert!(takes(&house, house.anna, 5).await);
        house.check().await;
    });
}

#[test]
fn a_domains_people_share_its_quota() {
    on_both(|house| async move {
        limit_domain(&house, None, Some(3)).await;
        assert!(takes(&house, house.anna, 1).await && takes(&house, house.bert, 2).await);
        // Both in one transaction: one finds room.
        let both = house.accept(&message(3), vec![delivery(house.anna), delivery(house.bert)]).await;
        let fits: Vec<bool> = both.deliveries.iter().map(Result::is_ok).collect();
        assert_eq!(fits, [true, false]);
        assert!(!takes(&house, house.bert, 4).await && !takes(&house, house.anna, 4).await);
        let entry = house.store.domain(&domain()).await.unwrap().unwrap();
        assert_eq!((entry.quota_octets, entry.quota_messages, entry.used_messages), (None, Some(3), 3));
        // Moving needs no room, and what is deleted gives some.
        let inbox = house.inbox().await;
        let archive = house.status(house.anna, "Archive").await.mailbox.key;
        house.store.move_messages(inbox, set(&[(1, 1)]), archive).await.unwrap();
        house.store.delete_mailbox(house.anna, &crate::house::name("Archive")).await.unwrap();
        assert!(takes(&house, house.bert, 5).await);
        limit_domain(&house, Some(1), None).await;
        assert!(!takes(&house, house.bert, 6).await, "by size, too");
        limit_domain(&house, None, None).await;
        assert!(takes(&house, house.bert, 6).await);
        house.check().await;
    });
}

#[test]
fn who_fills_up_is_found_until_they_were_told() {
    on_both(|house| async move {
        let found = async || {
            let filling = house.store.filling(80).await.unwrap();
            let name = |what: &Filled| match what {
                Filled::Account { address, .. } => address.to_string(),
                Filled::Domain { domain, .. } => domain.to_string(),
            };
            filling.iter().map(|one| (name(&one.what), one.percent, one.told)).collect::<Vec<_>>()
        };
        house.fill(house.inbox().await, 0..9).await;
        assert_eq!(found().await, []);
        limit(&house, "anna", Some(1_000_000_000_000), Some(10)).await;
        limit(&house, "bert", Some(0), None).await;
        limit_domain(&house, None, Some(11)).await;
        let (anna, all) = ("anna@house.example".to_owned(), "house.example".to_owned());
        assert_eq!(found().await, [(anna.clone(), 90, 0), (all.clone(), 81, 0)]);
        for filling in house.store.filling(80).await.unwrap() {
            house.store.note_filling_told(&filling.what, 80).await.unwrap();
        }
        limit(&house, "anna", None, None).await;
        assert_eq!(found().await, [(anna, 0, 80), (all, 81, 80)], "what was told is looked at until there is room");
        house.check().await;
    });
}
