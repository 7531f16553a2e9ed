//! People's scripts, the house's, and what they remember.

use std::time::Duration;

use relais_model::Domain;
use relais_store::{
    Author, MAX_SCRIPTS, MAX_SCRIPTS_OCTETS, RuleScope, SCRIPT_AFTER, SCRIPT_BEFORE, SCRIPT_NOTE, SieveError,
};

use crate::house::{House, name, on_both};
use crate::people::address;

async fn put(house: &House, scope: RuleScope, name: &str, text: &str) {
    house.store.put_sieve_script(&Author::house(), scope, name, text).await.unwrap();
}

/// What runs for Anna, by names and texts.
async fn runs(house: &House) -> Vec<String> {
    let Some(found) = house.store.sieve_at_delivery(house.anna).await.unwrap() else { return Vec::new() };
    let all = found.before.iter().chain(&found.own).chain(&found.after);
    all.map(|script| format!("{} {}", script.name, script.text)).collect()
}

#[test]
fn scripts_are_kept_renamed_made_active_and_removed() {
    on_both(|house| async move {
        let (store, by, mine) = (&house.store, Author::house(), RuleScope::Account(house.anna));
        assert_eq!(runs(&house).await, Vec::<String>::new());
        put(&house, mine, "one", "keep;").await;
        put(&house, mine, "two", "discard;").await;
        assert_eq!(runs(&house).await, Vec::<String>::new(), "none is active yet");
        store.activate_sieve_script(&by, house.anna, Some("one")).await.unwrap();
        assert_eq!(runs(&house).await, ["one keep;"], "what was remembered isn't any more");
        put(&house, mine, "one", "stop;").await;
        store.activate_sieve_script(&by, house.anna, Some("none")).await.unwrap_err();
        assert_eq!(runs(&house).await, ["one stop;"], "it stays active, with another text");
        store.rename_sieve_script(&by, mine, "one", "first").await.unwrap();
        assert!(matches!(store.rename_sieve_script(&by, mine, "first", "two").await, Err(SieveError::Exists)));
        assert!(matches!(store.rename_sieve_script(&by, mine, "one", "three").await, Err(SieveError::NotThere)));
        assert!(matches!(store.remove_sieve_script(&by, mine, "first").await, Err(SieveError::Active)));
        store.activate_sieve_script(&by, house.anna, None).await.unwrap();
        store.remove_sieve_script(&by, mine, "first").await.unwrap();
        assert!(matches!(store.remove_sieve_script(&by, mine, "first").await, Err(SieveError::NotThere)));
        let listed = store.sieve_scripts(mine).await.unwrap();
        assert_eq!(listed.iter().map(|one| (one.name.as_str(), one.octets)).collect::<Vec<_>>(), [("two", 8)]);
        assert_eq!(store.sieve_scripts(RuleScope::Account(house.bert)).await.unwrap(), []);
        house.check().await;
    });
}

#[test]
fn a_scope_has_so_many_scripts_and_octets() {
    on_both(|house| async move {
        let (store, mine) = (&house.store, RuleScope::Account(house.anna));
        for number in 0..MAX_SCRIPTS {
            put(&house, mine, &format!("{number}"), "keep;").await;
        }
        assert!(matches!(store.has_room_for_sieve(mine, "more", 5).await, Err(SieveError::TooMany)));
        assert!(matches!(
            store.put_sieve_script(&Author::house(), mine, "more", "keep;").await,
            Err(SieveError::TooMany)
        ));
        assert!(matches!(store.has_room_for_sieve(mine, "0", MAX_SCRIPTS_OCTETS).await, Err(SieveError::TooLarge)));
        store.has_room_for_sieve(mine, "0", 100).await.unwrap();
        store.has_room_for_sieve(RuleScope::House, "more", 5).await.unwrap();
        house.check().await;
    });
}

#[test]
fn the_house_and_the_domain_go_first_and_last() {
    on_both(|house| async move {
        let domain = house.store.domain(&Domain::parse("house.example").unwrap()).await.unwrap().unwrap().key;
        for (scope, text) in [(RuleScope::House, "#house"), (RuleScope::Domain(domain), "#domain")] {
            for name in [SCRIPT_AFTER, SCRIPT_BEFORE, "included"] {
                put(&house, scope, name, text).await;
            }
        }
        put(&house, RuleScope::Account(house.anna), "own", "keep;").await;
        house.store.activate_sieve_script(&Author::house(), house.anna, Some("own")).await.unwrap();
        let expected = ["before #house", "before #domain", "own keep;", "after #domain", "after #house"];
        assert_eq!(runs(&house).await, expected);
        house.check().await;
    });
}

#[test]
fn what_was_answered_is_remembered_for_its_time() {
    on_both(|house| async move {
        let (store, anna, day) = (&house.store, house.anna, Duration::from_hours(24));
        assert!(store.sieve_remember(anna, [1; 32], day, false).await.unwrap());
        assert!(!store.sieve_remember(anna, [1; 32], day, false).await.unwrap());
        assert!(!store.sieve_remembers(house.bert, [1; 32]).await.unwrap());
        house.clock.advance(Duration::from_hours(20));
        assert!(!store.sieve_remember(anna, [1; 32], day, true).await.unwrap(), "and it begins anew");
        house.clock.advance(Duration::from_hours(20));
        assert!(store.sieve_remembers(anna, [1; 32]).await.unwrap());
        house.clock.advance(Duration::from_hours(5));
        assert!(!store.sieve_remembers(anna, [1; 32]).await.unwrap());
        assert!(store.sieve_remember(anna, [1; 32], day, false).await.unwrap());
        house.check().await;
    });
}

#[test]
fn a_failure_is_told_once_a_text_and_all_goes_with_the_account() {
    on_both(|house| async move {
        let (store, mine) = (&house.store, RuleScope::Account(house.anna));
        put(&house, mine, "own", "keep;").await;
        let key = store.sieve_script(mine, "own").await.unwrap().unwrap().key;
        assert!(store.note_sieve_failed(key).await.unwrap());
        assert!(!store.note_sieve_failed(key).await.unwrap());
        put(&house, mine, "own", "stop;").await;
        assert!(store.note_sieve_failed(key).await.unwrap(), "it is another script");
        store.sieve_remember(house.anna, [1; 32], Duration::from_hours(24), false).await.unwrap();
        store.remove_account(&address("anna@house.example"), None, &Author::house()).await.unwrap();
        house.purge().await;
        assert_eq!(store.sieve_scripts(mine).await.unwrap(), []);
        house.check().await;
    });
}

/// RFC 6785 §2.3.1: the mailbox's note counts, or else the server's; and the one that counts has the last word, also where it names nothing.
#[test]
fn notes_name_what_runs_at_imap() {
    on_both(|house| async move {
        let (store, anna, mine) = (&house.store, house.anna, RuleScope::Account(house.anna));
        let (inbox, archive) = (house.inbox().await, house.status(anna, "Archive").await.mailbox.key);
        let runs = async || {
            let mut runs = Vec::new();
            for mailbox in [inbox, archive] {
                let script = store.sieve_at_imap(anna, mailbox).await.unwrap();
                runs.push(script.map_or_else(String::new, |script| format!("{} {}", script.name, script.text)));
            }
            runs
        };
        let note = async |mailbox: Option<&str>, value: Option<&str>| {
            let mailbox = match mailbox {
                Some(of) => Some((house.status(anna, of).await.mailbox.key, name(of))),
                None => None,
            };
            let values = vec![(SCRIPT_NOTE.to_owned(), value.map(|value| value.as_bytes().to_vec()))];
            store.set_metadata(anna, mailbox, values).await.unwrap();
        };
        assert_eq!(runs().await, ["", ""]);
        note(None, Some("all")).await;
        assert_eq!(runs().await, ["", ""], "there is no such script");
        put(&house, mine, "all", "keep;").await;
        assert_eq!(runs().await, ["all keep;", "all keep;"], "what was remembered isn't any more");
        note(Some("INBOX"), Some("one")).await;
        assert_eq!(runs().await, ["", "all keep;"], "the server's is no backup");
        put(&house, mine, "one", "discard;").await;
        assert_eq!(runs().await, ["one discard;", "all keep;"]);
        note(Some("Archive"), Some("")).await;
        assert_eq!(runs().await, ["one discard;", ""]);
        note(Some("INBOX"), None).await;
        note(Some("Archive"), Some("a\0b")).await;
        assert_eq!(runs().await, ["all keep;", ""]);
        // Scripts are the mailbox's owner's, whoever else has one of that name.
        put(&house, RuleScope::Account(house.bert), "theirs", "keep;").await;
        note(None, Some("theirs")).await;
        assert_eq!(runs().await, ["", ""]);
        house.check().await;
    });
}
