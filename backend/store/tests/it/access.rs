//! App passwords, secrets, and the history of log-ins.

use std::time::Duration;

use relais_model::{Clock as _, Timestamp};
use relais_store::{
    AccountKey, AppPasswordError, AuditFilter, Author, BanKind, KeptBan, LoginNote, LoginProtocol, LoginRow,
    LoginScope, LoginWay, LoginsBy, MAX_APP_PASSWORDS, MAX_KEPT_BANS, NewAccount, NewAppPassword, NewMailToken, Page,
    Protocols, Removal, ScramSalt, UsedAppPassword,
};

use crate::house::{House, on_both};
use crate::people::{add_account, add_domain, address, domain};

const IMAP: LoginProtocol = LoginProtocol::Imap;

fn app_password(name: &str, octet: u8) -> NewAppPassword {
    let protocols = Protocols::of(&[IMAP, LoginProtocol::Smtp]);
    NewAppPassword { name: name.to_owned(), protocols, stored_key: [octet; 32], server_key: [octet + 1; 32] }
}

fn salt(octet: u8) -> ScramSalt {
    ScramSalt { salt: vec![octet; 16], iterations: 4096 }
}

async fn add(house: &House, name: &str, octet: u8) -> Result<(), AppPasswordError> {
    house.store.take_scram_salt(&address("anna@house.example"), salt(7)).await?;
    house.store.add_app_password(&address("Anna@house.example"), app_password(name, octet), &Author::house()).await
}

/// An attempt as anna, or with an unknown name.
fn note(house: &House, account: Option<AccountKey>, name: &str, is_granted: bool) -> LoginNote {
    LoginNote {
        account,
        name: name.to_owned(),
        protocol: IMAP,
        ip: "192.0.2.1".parse().unwrap(),
        is_granted,
        app_password: None,
        way: LoginWay::Password,
        at: house.clock.now(),
    }
}

fn words(rows: &[LoginRow]) -> Vec<String> {
    let word = |row: &LoginRow| format!("{} {} {}", row.name, if row.is_granted { "in" } else { "out" }, row.attempts);
    rows.iter().map(word).collect()
}

#[test]
fn app_passwords_are_added_listed_and_taken_back() {
    on_both(|house| async move {
        let anna = address("anna@house.example");
        assert_eq!(house.store.credential(&anna).await.unwrap().unwrap().salt, None);
        add(&house, "Phone", 1).await.unwrap();
        add(&house, "Laptop", 3).await.unwrap();
        let listed = house.store.app_passwords(house.anna).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Laptop", "Phone"]);
        assert_eq!((listed[0].created_at, listed[0].last_used_at), (house.clock.now(), None));
        assert!(listed[0].protocols.iter().eq([IMAP, LoginProtocol::Smtp]));
        let keys = house.store.scram_keys(house.anna).await.unwrap();
        assert_eq!(keys.iter().map(|one| one.stored_key[0]).collect::<Vec<_>>(), [1, 3]);
        assert!(house.store.scram_keys(house.bert).await.unwrap().is_empty());
        assert_eq!(house.store.take_scram_salt(&anna, salt(9)).await.unwrap(), salt(7), "it stays");
        assert_eq!(house.store.credential(&anna).await.unwrap().unwrap().salt, Some(salt(7)));
        assert!(house.store.remove_app_password(house.anna, "Phone", &Author::house()).await.unwrap());
        assert!(!house.store.remove_app_password(house.anna, "Phone", &Author::house()).await.unwrap());
        assert!(!house.store.remove_app_password(house.bert, "Laptop", &Author::house()).await.unwrap());
        let changes = house.store.audit(&AuditFilter::default(), &Page::first()).await.unwrap().rows;
        let told: Vec<String> = changes
            .into_iter()
            .filter(|entry| entry.act.starts_with("app_password."))
            .map(|entry| format!("{} {} {:?} {:?}", entry.act, entry.subject, entry.before, entry.after))
            .collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[0].starts_with("app_password.remove anna@house.example Some(") && told[0].contains("Phone"),
            "{told:?}"
        );
        assert!(!told.iter().any(|text| text.contains("key")), "no keys: {told:?}");
        house.check().await;
        house.store.remove_account(&anna, None, &Author::house()).await.unwrap();
        assert!(house.store.credential(&anna).await.unwrap().is_none());
        house.purge().await;
        assert!(house.store.scram_keys(house.anna).await.unwrap().is_empty());
        house.check().await;
    });
}

/// Nobody logs in as a team, whatever it was given.
#[test]
fn a_token_of_a_team_opens_nothing() {
    on_both(|house| async move {
        let sales = address("sales@house.example");
        house.store.add_account(NewAccount::team(sales.clone()), &Author::house()).await.unwrap();
        let expires_at = house.clock.now().plus(Duration::from_hours(24));
        let new =
            NewMailToken { name: "Script".to_owned(), protocols: Protocols::of(&[IMAP]), hash: [7; 32], expires_at };
        house.store.add_mail_token(&sales, new, &Author::house()).await.unwrap();
        assert!(house.store.mail_token(&[7; 32]).await.unwrap().unwrap().is_suspended);
        house.check().await;
    });
}

/// A token stands among the app passwords, and is never tried as one: it has no keys.
#[test]
fn a_token_is_found_by_its_hash_and_goes_with_its_account() {
    on_both(|house| async move {
        let (anna, ends) = (address("anna@house.example"), house.clock.now().plus(Duration::from_hours(24)));
        let new = NewMailToken {
            name: "Script".to_owned(),
            protocols: Protocols::of(&[IMAP]),
            hash: [7; 32],
            expires_at: ends,
        };
        house.store.add_mail_token(&anna, new.clone(), &Author::house()).await.unwrap();
        let again = NewMailToken { hash: [8; 32], ..new };
        let again = house.store.add_mail_token(&anna, again, &Author::house()).await;
        assert!(matches!(again, Err(AppPasswordError::NameTaken)), "{again:?}");
        let found = house.store.mail_token(&[7; 32]).await.unwrap().unwrap();
        assert_eq!((found.account, found.name.as_str(), found.expires_at), (house.anna, "Script", Some(ends)));
        assert!(!found.is_suspended && found.protocols.has(IMAP) && !found.protocols.has(LoginProtocol::Pop3));
        assert_eq!(house.store.mail_token(&[8; 32]).await.unwrap(), None);
        assert!(house.store.scram_keys(house.anna).await.unwrap().is_empty());
        let listed = house.store.app_passwords(house.anna).await.unwrap();
        assert_eq!((listed.len(), listed[0].is_token, listed[0].expires_at), (1, true, Some(ends)));
        house.check().await;
        house.store.remove_account(&anna, None, &Author::house()).await.unwrap();
        assert_eq!(house.store.mail_token(&[7; 32]).await.unwrap(), None, "of nobody who is here");
        house.purge().await;
        house.check().await;
    });
}

#[test]
fn what_is_no_app_password_is_refused() {
    on_both(|house| async move {
        let nobody = house.store.take_scram_salt(&address("nobody@house.example"), salt(7)).await;
        assert!(matches!(nobody, Err(AppPasswordError::UnknownAddress(_))), "{nobody:?}");
        for (name, octets) in [("", 0), (" ", 1), ("a\nb", 3), (&*"x".repeat(101), 101)] {
            assert!(matches!(add(&house, name, 1).await, Err(AppPasswordError::Unfit(_))), "{octets}");
        }
        let none = NewAppPassword { protocols: Protocols::of(&[LoginProtocol::Web]), ..app_password("Web", 1) };
        let none = house.store.add_app_password(&address("anna@house.example"), none, &Author::house()).await;
        assert!(matches!(none, Err(AppPasswordError::Unfit(_))), "{none:?}");
        for number in 0..MAX_APP_PASSWORDS {
            add(&house, &number.to_string(), 1).await.unwrap();
        }
        assert!(matches!(add(&house, "7", 1).await, Err(AppPasswordError::NameTaken)));
        assert!(matches!(add(&house, "one more", 1).await, Err(AppPasswordError::TooMany)));
        house.check().await;
    });
}

#[test]
fn a_use_is_told_not_more_than_once_a_minute() {
    on_both(|house| async move {
        add(&house, "Phone", 1).await.unwrap();
        let used = |at: Timestamp, ip: &'static str| {
            let store = house.store.clone();
            async move {
                let key = store.scram_keys(house.anna).await.unwrap().remove(0);
                let app_password = UsedAppPassword { key: key.key, name: key.name, last_used_at: key.last_used_at };
                let (account, name) = (Some(house.anna), "anna@house.example".to_owned());
                let (ip, app_password) = (ip.parse().unwrap(), Some(app_password));
                store.note_login(LoginNote {
                    account,
                    name,
                    protocol: IMAP,
                    ip,
                    is_granted: true,
                    app_password,
                    way: LoginWay::Password,
                    at,
                });
                let rows = store.logins(house.anna, &Page::first()).await.unwrap().rows;
                assert_eq!(rows[0].app_password.as_deref(), Some("Phone"));
                let row = store.app_passwords(house.anna).await.unwrap().remove(0);
                (row.last_used_at.unwrap(), row.last_used_ip.unwrap(), row.last_used_protocol.unwrap())
            }
        };
        let first = house.clock.now();
        assert_eq!(used(first, "192.0.2.1").await, (first, "192.0.2.1".to_owned(), IMAP));
        let soon = first.plus(Duration::from_secs(59));
        assert_eq!(used(soon, "192.0.2.2").await.0, first);
        let later = first.plus(Duration::from_mins(1));
        assert_eq!(used(later, "::ffff:192.0.2.3").await, (later, "192.0.2.3".to_owned(), IMAP));
        house.check().await;
    });
}

#[test]
fn the_own_password_can_be_kept_from_mail_protocols() {
    on_both(|house| async move {
        let needs = || async {
            house.store.credential(&address("anna@house.example")).await.unwrap().unwrap().needs_app_password
        };
        assert!(!needs().await);
        house.store.set_needs_app_password(house.anna, true).await.unwrap();
        assert!(needs().await);
        house.store.set_needs_app_password(house.anna, false).await.unwrap();
        assert!(!needs().await);
        house.check().await;
    });
}

#[test]
fn a_secret_is_made_once() {
    on_both(|house| async move {
        let (one, other) = (house.store.secret("one").await.unwrap(), house.store.secret("other").await.unwrap());
        assert_ne!(one, other);
        let house = house.reopen().await;
        assert_eq!(house.store.secret("one").await.unwrap(), one);
        house.check().await;
    });
}

#[test]
fn attempts_are_listed_newest_first_and_by_pages() {
    on_both(|house| async move {
        let (anna, name) = (Some(house.anna), "anna@house.example");
        for _ in 0..3 {
            house.store.note_login(note(&house, anna, name, true));
        }
        house.store.note_login(note(&house, anna, name, false));
        // What was written is added to, not written again.
        let row = house.store.logins(house.anna, &Page::first()).await.unwrap().rows.remove(0);
        assert_eq!((row.is_granted, row.attempts), (false, 1));
        house.clock.advance(Duration::from_secs(30));
        house.store.note_login(note(&house, anna, name, false));
        let rows = house.store.logins(house.anna, &Page::first()).await.unwrap().rows;
        assert_eq!(words(&rows), ["anna@house.example out 2", "anna@house.example in 3"]);
        assert_eq!(rows[0].last_at, rows[0].first_at.plus(Duration::from_secs(30)));
        house.clock.advance(Duration::from_hours(1));
        for guess in 0..5 {
            house.store.note_login(note(&house, None, &format!("guess{guess}@elsewhere.example"), false));
        }
        house.store.note_login(note(&house, None, "who@house.example", false));
        let mut page = Page { after: None, limit: 3 };
        let mut rows = Vec::new();
        loop {
            let listing = house.store.failed_logins(LoginScope::All, &page).await.unwrap();
            rows.extend(listing.rows);
            let Some(next) = listing.next else { break };
            page.after = Some(next);
        }
        assert_eq!(words(&rows)[..2], ["who@house.example out 1", "guess4@elsewhere.example out 1"]);
        assert_eq!(rows.len(), 7);
        house.check().await;
    });
}

#[test]
fn whoever_answers_for_a_domain_sees_its_failures_only() {
    on_both(|house| async move {
        add_domain(&house, "example.org").await;
        let ann = add_account(&house, "ann@example.org").await;
        let keys = [domain("example.org"), domain("house.example")].map(|domain| {
            let store = house.store.clone();
            async move { store.domain(&domain).await.unwrap().unwrap().key }
        });
        let [org, own] = keys;
        let (org, own) = (org.await, own.await);
        house.store.note_login(note(&house, Some(ann.key), "Ann@example.org", false));
        house.store.note_login(note(&house, None, "nobody@example.org", false));
        house.store.note_login(note(&house, Some(house.anna), "anna@house.example", false));
        house.store.note_login(note(&house, None, "root", false));
        for (scope, expected) in [
            (LoginScope::Domains(&[]), 0),
            (LoginScope::Domains(&[org]), 2),
            (LoginScope::Domains(&[own]), 1),
            (LoginScope::Domains(&[org, own]), 3),
            (LoginScope::All, 4),
        ] {
            let rows = house.store.failed_logins(scope, &Page::first()).await.unwrap().rows;
            assert_eq!(rows.len(), expected, "{scope:?}: {rows:?}");
        }
        let since = house.clock.now();
        let only_own = [own];
        let count = |scope, since| house.store.count_failed_logins(scope, since);
        assert_eq!(count(LoginScope::All, since).await.unwrap(), 4);
        assert_eq!(count(LoginScope::Domains(&only_own), since).await.unwrap(), 1);
        assert_eq!(count(LoginScope::Domains(&[]), since).await.unwrap(), 0);
        assert_eq!(count(LoginScope::All, since.plus(Duration::from_mins(1))).await.unwrap(), 0);
        let most = house.store.most_failed_logins(LoginScope::Domains(&[org]), LoginsBy::Name, since, 1).await.unwrap();
        assert_eq!(most, [("ann@example.org".to_owned(), 1)]);
        let most = house.store.most_failed_logins(LoginScope::All, LoginsBy::Ip, since, 5).await.unwrap();
        assert_eq!(most.iter().map(|(_, times)| times).sum::<u64>(), 4);
        house.store.remove_domain(&domain("example.org"), Removal::WithContents, None, &Author::house()).await.unwrap();
        house.purge().await;
        let rows = house.store.failed_logins(LoginScope::All, &Page::first()).await.unwrap().rows;
        assert_eq!(words(&rows), ["root out 1", "anna@house.example out 1"]);
        house.check().await;
    });
}

/// Notes that wait when an account goes must not bring it back.
#[test]
fn history_is_written_at_the_end_and_forgotten_after_90_days() {
    on_both(|house| async move {
        let bert = address("bert@house.example");
        house.store.note_login(note(&house, Some(house.bert), "bert@house.example", true));
        house.store.remove_account(&bert, None, &Author::house()).await.unwrap();
        house.purge().await;
        house.store.note_login(note(&house, Some(house.anna), "anna@house.example", true));
        let house = house.reopen().await;
        assert_eq!(house.store.logins(house.anna, &Page::first()).await.unwrap().rows.len(), 1);
        assert!(house.store.logins(house.bert, &Page::first()).await.unwrap().rows.is_empty());
        house.clock.advance(Duration::from_hours(24 * 90));
        house.store.collect().await.unwrap();
        assert_eq!(house.store.logins(house.anna, &Page::first()).await.unwrap().rows.len(), 1);
        house.clock.advance(Duration::from_secs(1));
        house.store.collect().await.unwrap();
        assert!(house.store.logins(house.anna, &Page::first()).await.unwrap().rows.is_empty());
        house.check().await;
    });
}

/// Bans are replaced by their own kind, kept until they end, and no more of them than there is room for.
#[test]
fn bans_are_kept_as_long_as_they_hold() {
    on_both(|house| async move {
        let (store, now) = (&house.store, house.store.now());
        let ban = |kind, whom: &str, minutes: u64| KeptBan {
            kind,
            whom: whom.to_owned(),
            why: "log-ins".to_owned(),
            since: now,
            until: now.plus(Duration::from_mins(minutes)),
            failures: 11,
            earlier: 0,
        };
        let (short, long) = (ban(BanKind::Name, "192.0.2.1", 1), ban(BanKind::Network, "192.0.2.1", 5));
        store.keep_bans(vec![short.clone(), long.clone()], vec![]).await.unwrap();
        assert_eq!(store.kept_bans().await.unwrap(), [long.clone(), short.clone()]);
        let longer = KeptBan { failures: 12, ..ban(BanKind::Network, "192.0.2.1", 9) };
        store.keep_bans(vec![longer.clone()], vec![]).await.unwrap();
        assert_eq!(store.kept_bans().await.unwrap(), [longer.clone(), short.clone()]);
        house.clock.advance(Duration::from_mins(1));
        assert_eq!(store.kept_bans().await.unwrap(), std::slice::from_ref(&longer), "it is over");
        store.keep_bans(vec![], vec![longer]).await.unwrap();
        assert_eq!(store.kept_bans().await.unwrap(), []);
        let many = (0..MAX_KEPT_BANS + 3).map(|number| ban(BanKind::Name, &format!("n{number}"), 2 + number as u64));
        store.keep_bans(many.collect(), vec![]).await.unwrap();
        let kept = store.kept_bans().await.unwrap();
        assert_eq!(
            (kept.len(), kept.last().map(|ban| &*ban.whom)),
            (MAX_KEPT_BANS, Some("n3")),
            "those that end first go"
        );
        house.check().await;
    });
}
