//! Settings: in force at once, remembered, told.

use std::time::Duration;

use relais_store::{
    AuditFilter, Author, DirectoryError, LoginNote, LoginProtocol, LoginWay, Page, SettingError, Settings, ValueError,
};

use crate::house::on_both;
use crate::people::address;

#[test]
fn a_setting_is_in_force_at_once_and_after_a_restart() {
    on_both(|house| async move {
        let mut changes = house.store.settings_changes();
        let by = Author::house();
        assert_eq!(*house.store.settings(), Settings::default());
        house.store.change_setting(&by, "mail.message_octets", Some("25 MiB")).await.unwrap();
        assert!(changes.has_changed().unwrap());
        assert_eq!(changes.borrow_and_update().message_octets, 25 << 20);
        house.store.change_setting(&by, "mail.message_octets", Some("26214400")).await.unwrap();
        assert!(!changes.has_changed().unwrap(), "it is the same");
        let house = house.reopen().await;
        assert_eq!(house.store.settings().message_octets, 25 << 20);
        let base = Settings { message_octets: 10 << 20, house_name: "Post".to_owned(), ..Settings::default() };
        house.store.start_settings_from(base).await.unwrap();
        let now = house.store.settings();
        assert_eq!((now.message_octets, now.house_name.as_str()), (25 << 20, "Post"), "what was set counts for more");
        house.store.change_setting(&by, "mail.message_octets", None).await.unwrap();
        assert_eq!(house.store.settings().message_octets, 10 << 20);
        let told = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows;
        let told: Vec<String> = told
            .iter()
            .filter(|entry| entry.act == "setting.change")
            .map(|entry| format!("{} -> {}", entry.before.as_ref().unwrap(), entry.after.as_ref().unwrap()))
            .collect();
        assert_eq!(told, [r#"{"value":"26214400"} -> {"value":null}"#, r#"{"value":null} -> {"value":"26214400"}"#]);
        house.check().await;
    });
}

#[test]
fn a_change_is_undone_and_in_force_at_once() {
    on_both(|house| async move {
        let by = Author::house();
        house.store.change_setting(&by, "house.name", Some("Post")).await.unwrap();
        house.store.change_setting(&by, "house.name", Some("Poste")).await.unwrap();
        let changes = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows;
        let keys: Vec<_> =
            changes.iter().filter(|entry| entry.act == "setting.change").map(|entry| entry.key).collect();
        let stale = house.store.undo(keys[1], &by).await;
        assert!(matches!(stale, Err(DirectoryError::ChangedSince(_))), "{stale:?}");
        house.store.undo(keys[0], &by).await.unwrap();
        assert_eq!(house.store.settings().house_name, "Post");
        house.store.undo(keys[1], &by).await.unwrap();
        assert_eq!(house.store.settings().house_name, "Relais");
        assert!(house.store.set_values().await.unwrap().is_empty(), "nobody has set it");
        assert!(matches!(house.store.undo(keys[1], &by).await, Err(DirectoryError::NotUndoable)));
        house.check().await;
    });
}

/// What is removed, and who logged in, is kept as long as the settings say.
#[test]
fn what_is_kept_is_kept_as_long_as_it_is_set() {
    on_both(|house| async move {
        let (by, anna) = (Author::house(), address("anna@house.example"));
        house.store.change_setting(&by, "removed.kept", Some("2 h")).await.unwrap();
        house.store.change_setting(&by, "login_history.kept", Some("1 d")).await.unwrap();
        house.store.note_login(LoginNote {
            account: Some(house.bert),
            name: "bert@house.example".to_owned(),
            protocol: LoginProtocol::Imap,
            ip: "192.0.2.1".parse().unwrap(),
            is_granted: true,
            app_password: None,
            way: LoginWay::Password,
            at: house.store.now(),
        });
        house.store.remove_account(&anna, None, &by).await.unwrap();
        house.clock.advance(Duration::from_hours(1));
        house.store.collect().await.unwrap();
        assert!(house.store.removed_account(&anna).await.unwrap().is_some());
        house.clock.advance(Duration::from_hours(2));
        house.store.collect().await.unwrap();
        assert!(house.store.removed_account(&anna).await.unwrap().is_none());
        assert_eq!(house.store.logins(house.bert, &Page::first()).await.unwrap().rows.len(), 1);
        house.clock.advance(Duration::from_hours(24));
        house.store.collect().await.unwrap();
        assert!(house.store.logins(house.bert, &Page::first()).await.unwrap().rows.is_empty());
        house.check().await;
    });
}

#[test]
fn a_bad_value_changes_nothing() {
    on_both(|house| async move {
        for (name, value, expected) in
            [("queue.lifetime", "1", ValueError::Range), ("no.such", "1", ValueError::Unknown)]
        {
            let refused = house.store.change_setting(&Author::house(), name, Some(value)).await;
            assert!(matches!(refused, Err(SettingError::Value(error)) if error == expected), "{name}");
        }
        assert_eq!(house.store.set_values().await.unwrap(), []);
        house.check().await;
    });
}
