//! Several nodes before one PostgreSQL: what one does is heard by the sessions of another, at its next look.

use relais_maild::Limits;
use relais_model::{Address, MailboxName, Rights};
use relais_store::{AccountKey, Author, DatabaseUrl, Grantee, HoldFacts, HoldReason, NewHold, Store};
use relais_testkit::postgres::Database;

use crate::house::TestHouse;

/// Rights that another node takes away are gone for who idles here, and whom it shuts out is shut out here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_node_takes_away_is_lost_here() {
    // Where PostgreSQL is missing, the testkit says so.
    let Some(database) = Database::fresh() else { return };
    let url = DatabaseUrl::parse(&database.url()).unwrap();
    let house = TestHouse::open_at(Limits::default(), Some(url)).await;
    for name in ["ann", "ben"] {
        house.move_in(name, None).await;
    }
    let mut owner = house.log_in("ann").await;
    owner.must("SETACL INBOX ben@relais.test lr").await;
    let mut reader = house.log_in("ben").await;
    reader.must("SELECT \"Other Users/ann@relais.test/INBOX\"").await;
    reader.send(b"i IDLE\r\n").await;
    assert!(reader.line().await.starts_with("+ "));
    let (other, by) = (house.other_node().await, Author::house());
    let (ann, ben) = (key(&other, "ann").await, key(&other, "ben").await);
    let inbox = other.mailbox_key(ann, &MailboxName::inbox()).await.unwrap().unwrap();
    other.change_rights(inbox, Grantee::Account(ben), |_| Rights::NONE, &by).await.unwrap();
    house.look_at_others().await;
    assert_eq!(reader.line().await, "* BYE [NONEXISTENT] You may read this mailbox no longer");

    let facts = HoldFacts { messages: 4, new_recipients: 120, ..HoldFacts::default() };
    let hold = NewHold { account: ann, reason: HoldReason::NewRecipients, facts, peer: None };
    assert!(other.raise_hold(hold).await.unwrap());
    owner.must("NOOP").await;
    other.drop_hold(&by, ann).await.unwrap();
    house.look_at_others().await;
    assert_eq!(owner.line().await, "* BYE This account was closed to all who were in");
    other.close().await;
    house.close().await;
}

async fn key(store: &Store, name: &str) -> AccountKey {
    store.account(&Address::parse(&format!("{name}@relais.test")).unwrap()).await.unwrap().unwrap().key
}
