//! What was deleted for good, and its way back: by who deleted it, and by who runs the house.

use relais_model::{Flag, MailboxName, SystemFlag, UidSet};
use relais_service::{
    Act, ActivityWanted, Actor, Chosen, DeletedWanted, Done, Failure, Moment, RemovedEntry, Role, WhichRemoved,
};
use relais_store::{AccountChange, Append, Author, Content, FlagChange, FlagOp, MailboxKey};

use crate::house::{House, on_both};

async fn id(house: &House, me: &Actor, name: &str) -> String {
    let folders = house.service.mail.folders(me).await.unwrap();
    folders.into_iter().find(|folder| folder.name == name).unwrap_or_else(|| panic!("no mailbox {name}")).id
}

async fn put(house: &House, me: &Actor, mailbox: &str, subject: &str) {
    let key = MailboxKey::parse(&id(house, me, mailbox).await).unwrap();
    let raw = format!("From: Ann <ann@x.example>\r\nSubject: {subject}\r\n\r\nText.\r\n");
    let append = Append { content: Content::prepare(raw.into_bytes()), flags: Vec::new(), internal_date: None };
    house.store.append(key, vec![append]).await.unwrap();
}

/// As a mail program does it: all of a mailbox.
async fn expunge(house: &House, me: &Actor, mailbox: &str) {
    let key = MailboxKey::parse(&id(house, me, mailbox).await).unwrap();
    let mut all = UidSet::new();
    all.insert_run(1, u32::MAX);
    let deleted = FlagChange { op: FlagOp::Add, flags: vec![Flag::System(SystemFlag::Deleted)] };
    house.store.store_flags(key, all, deleted, None).await.unwrap();
    house.store.expunge(key, None).await.unwrap();
}

async fn messages(house: &House, me: &Actor, mailbox: &str) -> u64 {
    let folders = house.service.mail.folders(me).await.unwrap();
    folders.into_iter().find(|folder| folder.name == mailbox).map_or(0, |folder| folder.messages)
}

async fn removed(house: &House, me: &Actor) -> Vec<RemovedEntry> {
    house.service.mail.removed(me, None, None).await.unwrap().rows
}

fn subjects(rows: &[RemovedEntry]) -> Vec<&str> {
    let mut subjects: Vec<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
    subjects.sort_unstable();
    subjects
}

async fn all_of(house: &House, me: &Actor, mailbox: &str, act: Act) -> Done {
    let mut all = UidSet::new();
    all.insert_run(1, 100);
    house.service.mail.act(me, &id(house, me, mailbox).await, &Chosen::Messages(all), &act).await.unwrap()
}

#[test]
fn each_message_goes_back_to_where_it_stood() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let account = me.account.clone().unwrap().0;
        house.store.create_mailbox(account, &MailboxName::parse("Work/Old").unwrap(), None).await.unwrap();
        put(&house, &me, "INBOX", "From the inbox").await;
        put(&house, &me, "Work/Old", "From a folder").await;
        put(&house, &me, "Trash", "From Trash alone").await;
        // To Trash, and from there for good: it stood in INBOX, for all that is known.
        all_of(&house, &me, "INBOX", Act::Delete).await;
        all_of(&house, &me, "Trash", Act::Delete).await;
        let old = id(&house, &me, "Work/Old").await;
        house.service.mail.delete_folder(&me, &old).await.unwrap();
        house.service.mail.delete_folder(&me, &old).await.unwrap();
        let rows = removed(&house, &me).await;
        assert_eq!(subjects(&rows), ["From Trash alone", "From a folder", "From the inbox"]);
        assert!(rows.iter().all(|row| row.until.0 > row.removed_at.0 && row.author.shown() == "Ann"));

        let done = house.service.mail.restore(&me, &WhichRemoved::ALL).await.unwrap();
        assert_eq!(done.count, 4, "three messages and the folder");
        assert_eq!(messages(&house, &me, "INBOX").await, 2, "what only ever stood in Trash comes to INBOX");
        assert_eq!(messages(&house, &me, "Old").await, 1, "a folder is made again, outside of Trash");
        assert_eq!(messages(&house, &me, "Trash").await, 0);
        assert!(removed(&house, &me).await.is_empty());
    });
}

#[test]
fn chosen_ones_come_back_and_others_go_for_good() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        for subject in ["One", "Two", "Three"] {
            put(&house, &me, "INBOX", subject).await;
        }
        expunge(&house, &me, "INBOX").await;
        let rows = removed(&house, &me).await;
        let one =
            |subject| WhichRemoved::These(vec![rows.iter().find(|row| row.subject == subject).unwrap().id.clone()]);
        assert_eq!(house.service.mail.restore(&me, &one("Two")).await.unwrap().count, 1);
        assert_eq!(house.service.mail.restore(&me, &one("Two")).await.unwrap().count, 0, "once");
        assert_eq!(house.service.mail.forget(&me, &one("One")).await.unwrap().count, 1);
        assert_eq!(subjects(&removed(&house, &me).await), ["Three"]);
        // Somebody else's are nobody's business.
        let other = house.actor(Role::HelpDesk, true).await;
        assert!(removed(&house, &other).await.is_empty());
        assert_eq!(house.service.mail.restore(&other, &one("Three")).await.unwrap().count, 0);
        assert_eq!(house.service.mail.forget(&other, &WhichRemoved::ALL).await.unwrap().count, 0);
        assert_eq!(house.service.mail.restore(&me, &WhichRemoved::These(vec!["x".to_owned()])).await.unwrap().count, 0);
        assert_eq!(house.service.mail.forget(&me, &WhichRemoved::ALL).await.unwrap().count, 1);
    });
}

#[test]
fn deleting_from_trash_can_be_taken_back() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        put(&house, &me, "Trash", "One").await;
        let done = all_of(&house, &me, "Trash", Act::Delete).await;
        assert_eq!(messages(&house, &me, "Trash").await, 0);
        house.service.mail.undo(&me, &done.undo.unwrap()).await.unwrap();
        assert_eq!(messages(&house, &me, "Trash").await, 1, "into Trash, where it was taken from");
    });
}

async fn folder_names(house: &House, me: &Actor) -> Vec<String> {
    house.service.mail.folders(me).await.unwrap().into_iter().map(|folder| folder.name).collect()
}

#[test]
fn a_deleted_mailbox_comes_back_with_what_was_in_it_alone() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let account = me.account.clone().unwrap().0;
        let create = async |name: &str| {
            house.store.create_mailbox(account, &MailboxName::parse(name).unwrap(), None).await.unwrap();
        };
        let delete = async |name: &str| {
            house.clock.advance(std::time::Duration::from_secs(1));
            house.store.delete_mailbox(account, &MailboxName::parse(name).unwrap()).await.unwrap();
        };
        for name in ["Empty", "Full", "Trash/Thrown"] {
            create(name).await;
        }
        put(&house, &me, "Full", "Expunged before").await;
        expunge(&house, &me, "Full").await;
        put(&house, &me, "Full", "In it").await;
        put(&house, &me, "INBOX", "Elsewhere").await;
        expunge(&house, &me, "INBOX").await;
        for name in ["Empty", "Full", "Trash/Thrown"] {
            delete(name).await;
        }
        let folders = house.service.mail.removed_folders(&me, None, None).await.unwrap().rows;
        let told: Vec<(&str, u64)> = folders.iter().map(|row| (row.name.as_str(), row.messages)).collect();
        assert_eq!(told, [("Trash/Thrown", 0), ("Full", 1), ("Empty", 0)], "the latest first");
        assert!(folders.iter().all(|row| row.until.0 > row.removed_at.0));
        let one = |name| WhichRemoved::These(vec![folders.iter().find(|row| row.name == name).unwrap().id.clone()]);

        let other = house.actor(Role::HelpDesk, true).await;
        assert_eq!(house.service.mail.restore(&other, &one("Full")).await.unwrap().count, 0, "another's is nobody's");
        assert_eq!(house.service.mail.forget(&other, &one("Full")).await.unwrap().count, 0);
        assert_eq!(house.service.mail.restore(&me, &one("Full")).await.unwrap().count, 2);
        assert_eq!(messages(&house, &me, "Full").await, 1);
        assert_eq!(subjects(&removed(&house, &me).await), ["Elsewhere", "Expunged before"]);
        assert_eq!(house.service.mail.restore(&me, &one("Full")).await.unwrap().count, 0, "once");
        assert_eq!(house.service.mail.restore(&me, &one("Trash/Thrown")).await.unwrap().count, 1);
        assert_eq!(house.service.mail.forget(&me, &one("Empty")).await.unwrap().count, 1);
        assert_eq!(house.service.mail.restore(&me, &WhichRemoved::ALL).await.unwrap().count, 2);
        let names = folder_names(&house, &me).await;
        assert!(names.iter().any(|name| name == "Thrown"), "outside of Trash: {names:?}");
        assert!(!names.iter().any(|name| name == "Empty"), "it was forgotten: {names:?}");
    });
}

#[test]
fn a_tree_of_deleted_mailboxes_comes_back_whole() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let account = me.account.clone().unwrap().0;
        let names = ["Work", "Work/Bills", "Work/Bills/2026"].map(|name| MailboxName::parse(name).unwrap());
        for name in &names {
            house.store.create_mailbox(account, name, None).await.unwrap();
        }
        put(&house, &me, "Work/Bills/2026", "Owed").await;
        for name in &names {
            house.store.delete_mailbox(account, name).await.unwrap();
        }
        // A new one has the name of one of them meanwhile.
        house.store.create_mailbox(account, &names[0], None).await.unwrap();
        put(&house, &me, "Work", "New").await;
        let desk = house.actor(Role::HelpDesk, true).await;
        let (address, all) = (me.name.clone(), DeletedWanted::default());
        let seen = house.service.deleted_mail(&desk, &address, &all).await.unwrap();
        assert_eq!((seen.messages, seen.mailboxes), (1, 3));
        let restored = house.service.restore_mail(&desk, &address, &all).await.unwrap();
        assert_eq!((restored.messages, restored.mailboxes), (1, 3));
        assert_eq!(messages(&house, &me, "Work/Bills/2026").await, 1);
        assert_eq!(messages(&house, &me, "Work").await, 1, "it stays as it is");
        assert!(house.service.mail.removed_folders(&me, None, None).await.unwrap().rows.is_empty());
        assert_eq!(house.service.deleted_mail(&desk, &address, &all).await.unwrap().mailboxes, 0);
    });
}

#[test]
fn who_runs_the_house_brings_mail_back_unseen() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        let address = me.name.clone();
        put(&house, &me, "INBOX", "Old").await;
        expunge(&house, &me, "INBOX").await;
        house.clock.advance(std::time::Duration::from_hours(2));
        put(&house, &me, "INBOX", "New").await;
        expunge(&house, &me, "INBOX").await;
        let desk = house.actor(Role::HelpDesk, true).await;
        let hour = DeletedWanted { since: Some(Moment(house.store.now().minus(std::time::Duration::from_hours(1)))) };
        let all = DeletedWanted::default();
        let seen = house.service.deleted_mail(&desk, &address, &all).await.unwrap();
        assert_eq!((seen.address.as_str(), seen.messages), (address.as_str(), 2));
        assert_eq!(house.service.deleted_mail(&desk, &address, &hour).await.unwrap().messages, 1);
        assert_eq!(house.service.restore_mail(&desk, &address, &hour).await.unwrap().messages, 1);
        assert_eq!(messages(&house, &me, "INBOX").await, 1);
        let owner = house.actor(Role::Owner, true).await;
        let activity = house.service.activity.list(&owner, &ActivityWanted::default()).await.unwrap();
        assert!(
            activity.rows.iter().any(|row| row.act == "mail.restore" && row.subject == address),
            "it is written down"
        );
        // A person's own is theirs; of others they see nothing, nor has the help desk power over an owner.
        assert_eq!(house.service.restore_mail(&me, &address, &all).await.unwrap().messages, 1);
        assert!(house.service.deleted_mail(&me, &owner.name, &all).await.is_err());
        let refused = house.service.restore_mail(&desk, &owner.name, &all).await;
        assert!(matches!(refused, Err(Failure::Forbidden(_) | Failure::Absent(_))), "{refused:?}");
    });
}

#[test]
fn what_finds_no_room_stays_where_it_is() {
    on_both(|house| async move {
        let me = house.actor(Role::User, true).await;
        put(&house, &me, "INBOX", "One").await;
        expunge(&house, &me, "INBOX").await;
        put(&house, &me, "INBOX", "Fills it").await;
        let (_, address) = me.account.clone().unwrap();
        let full = AccountChange { quota_octets: Some(Some(100)), ..AccountChange::default() };
        house.store.change_account(&address, full, None, &Author::house()).await.unwrap();
        let refused = house.service.mail.restore(&me, &WhichRemoved::ALL).await;
        assert!(matches!(refused, Err(Failure::Clash(_))), "{refused:?}");
        assert_eq!(removed(&house, &me).await.len(), 1);
    });
}
