//! Several nodes before one PostgreSQL: what one does is heard by the sessions of another, at its next look.

use relais_maild::Limits;
use relais_model::{Address, Flag, MailboxName, Rights, SystemFlag, UidSet};
use relais_store::{
    AccountKey, Author, DatabaseUrl, FlagChange, FlagOp, Grantee, HoldFacts, HoldReason, NewHold, Store,
};
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

/// What another node files, marks and takes away is told to who idles here, at the next look; and where something is done here before that, then, so that
/// nobody hears of a later MODSEQ first. A mailbox that it deletes is gone here, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_node_files_is_told_here() {
    let Some(database) = Database::fresh() else { return };
    let url = DatabaseUrl::parse(&database.url()).unwrap();
    let house = TestHouse::open_at(Limits::default(), Some(url)).await;
    house.move_in("ann", None).await;
    let (mut idle, mut busy) = (house.log_in("ann").await, house.log_in("ann").await);
    busy.must("APPEND INBOX {4+}\r\na: b {4+}\r\na: c").await;
    for client in [&mut idle, &mut busy] {
        client.must("SELECT INBOX (CONDSTORE)").await;
    }
    idle.send(b"i IDLE\r\n").await;
    assert!(idle.line().await.starts_with("+ "));
    let other = house.other_node().await;
    let inbox = other.mailbox_key(key(&other, "ann").await, &MailboxName::inbox()).await.unwrap().unwrap();
    let mark = |flag| FlagChange { op: FlagOp::Add, flags: vec![Flag::System(flag)] };

    other.store_flags(inbox, one(1), mark(SystemFlag::Flagged), None).await.unwrap();
    house.look_at_others().await;
    check(&idle.line().await, "* 1 FETCH (UID 1 FLAGS (", "\\Flagged");
    other.copy(inbox, one(1), inbox).await.unwrap();
    house.look_at_others().await;
    assert_eq!(idle.line().await, "* 3 EXISTS");
    check(&idle.line().await, "* ", " RECENT");
    other.store_flags(inbox, one(2), mark(SystemFlag::Deleted), None).await.unwrap();
    other.expunge(inbox, None).await.unwrap();
    house.look_at_others().await;
    assert_eq!(idle.line().await, "* 2 EXPUNGE");
    let told = busy.must("NOOP").await;
    assert!(told.iter().any(|line| line == "* 2 EXPUNGE") && told.iter().any(|line| line == "* 2 EXISTS"), "{told:?}");

    // Nobody looks between the two.
    other.store_flags(inbox, one(1), mark(SystemFlag::Answered), None).await.unwrap();
    let told = busy.must("UID STORE 3 +FLAGS (\\Draft)").await;
    assert_eq!(told.len(), 2, "{told:?}");
    check(&told[0], "* 1 FETCH (UID 1 FLAGS (", "\\Answered");
    check(&told[1], "* 2 FETCH (UID 3 FLAGS (", "\\Draft");
    check(&idle.line().await, "* 1 FETCH (UID 1 FLAGS (", "\\Answered");
    check(&idle.line().await, "* 2 FETCH (UID 3 FLAGS (", "\\Draft");

    idle.send(b"DONE\r\n").await;
    assert_eq!(idle.line().await, "i OK Idled");
    idle.must("CREATE Work").await;
    idle.must("SELECT Work").await;
    idle.send(b"j IDLE\r\n").await;
    assert!(idle.line().await.starts_with("+ "));
    other.delete_mailbox(key(&other, "ann").await, &MailboxName::parse("Work").unwrap()).await.unwrap();
    house.look_at_others().await;
    assert_eq!(idle.line().await, "* BYE [NONEXISTENT] The mailbox was deleted by another session");
    other.close().await;
    house.close().await;
}

#[track_caller]
fn check(line: &str, begin: &str, within: &str) {
    assert!(line.starts_with(begin) && line.contains(within), "{line}");
}

/// The message with this UID.
fn one(uid: u32) -> UidSet {
    let mut set = UidSet::new();
    set.insert_run(uid, uid);
    set
}

async fn key(store: &Store, name: &str) -> AccountKey {
    store.account(&Address::parse(&format!("{name}@relais.test")).unwrap()).await.unwrap().unwrap().key
}
